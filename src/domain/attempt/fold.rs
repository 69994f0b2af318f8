//! The fold: rows in, attempts out.

use std::collections::HashMap;

use super::{Attempt, Family, Mark, Patience, Row, State, Step};
use crate::domain::event::Id;
use crate::domain::instant::{Instant, Span};
use crate::domain::signature::SigId;
use crate::domain::text::Text;

/// Two starts this near, with the same old expiry and nothing between, are one start that was written twice.
const TWICE: Span = Span::seconds(5);

/// What lies before the first row of a fold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begins {
    /// Rows that were not read.
    WithinTable,
    /// Nothing: the rows begin with the oldest of the table.
    WithTable,
}

/// The attempts of many devices, by their rows in order of time.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Given to every device that the fold meets.
    begins: Begins,
    /// One entry for each device that has a row; it is kept until the fold is dropped.
    devices: HashMap<Id, Device>,
    /// Rows of one instant: which comes first among them shows when all are there.
    ties: Vec<Row>,
}

/// What a fold holds of a device.
#[derive(Clone, Debug)]
struct Device {
    /// Attempts of the family of renewals.
    renewal: Track,
    /// Attempts of the family of recoveries.
    recovery: Track,
    /// The family whose attempt was opened last.
    opened: Option<Family>,
}

/// The attempts of one device and family: the open one, and a count of those before it.
#[derive(Clone, Debug)]
struct Track {
    begins: Begins,
    /// The attempt that the next row may join; at most one.
    open: Option<Open>,
    /// Finished attempts since the last success.
    finished: u32,
    /// A success was read, so that no attempt goes back beyond it.
    anchored: bool,
    /// Since the last success, a failure was counted that may be one of the other family.
    doubted: bool,
}

/// An attempt that further rows may join.
#[derive(Clone, Debug)]
struct Open {
    /// The first of the rows that state this start.
    start: Mark,
    /// That of the start, else the first that an outcome states.
    old_expiry: Option<Instant>,
    /// That of the start, else the first that an outcome states.
    reason: Option<Text>,
    /// Rows that state this start.
    starts: u32,
    /// Failures that joined it.
    failures: u32,
    /// The last of these failures.
    failed: Option<Mark>,
    /// The signature of the last failure's error.
    error: Option<SigId>,
}

impl Device {
    /// A device without rows.
    fn new(begins: Begins) -> Self {
        Self { renewal: Track::new(begins), recovery: Track::new(begins), opened: None }
    }

    /// The track of that family.
    fn track(&mut self, family: Family) -> &mut Track {
        match family {
            Family::Renewal => &mut self.renewal,
            Family::Recovery => &mut self.recovery,
        }
    }

    /// Its open attempts.
    fn open<'a>(&'a self, id: &'a Id, patience: Patience, now: Instant) -> impl Iterator<Item = Attempt> + 'a {
        let tracks = [(Family::Renewal, &self.renewal), (Family::Recovery, &self.recovery)].into_iter();
        tracks.filter_map(move |(family, track)| {
            let open = track.open.as_ref()?;
            let state = match open.failed {
                Some(_) => State::Failed,
                None => patience.state(family, open.start.at, now),
            };
            Some(track.attempt(id.clone(), family, state, open.clone()))
        })
    }

    /// The family that a failure of this family joins: a recovery that cannot be signed ends in a failed renewal.
    fn joined_by(&self, failure: Family) -> Option<Family> {
        let open = |family| match family {
            Family::Renewal => self.renewal.open.is_some(),
            Family::Recovery => self.recovery.open.is_some(),
        };
        match failure {
            Family::Recovery => Some(Family::Recovery).filter(|f| open(*f)),
            Family::Renewal => {
                let opened = self.opened.filter(|f| open(*f));
                opened.or([Family::Renewal, Family::Recovery].into_iter().find(|f| open(*f)))
            }
        }
    }
}

impl Fold {
    /// A fold without rows. `begins` decides what an outcome without a start means.
    pub fn new(begins: Begins) -> Self {
        Self { begins, devices: HashMap::new(), ties: Vec::new() }
    }

    /// Takes the next row: rows come in order of `at`, in any order within one instant. Attempts that no later row can
    /// change are appended to `done`.
    pub fn add(&mut self, row: Row, done: &mut Vec<Attempt>) {
        if self.ties.first().is_some_and(|first| first.at != row.at) {
            self.settle(done);
        }
        self.ties.push(row);
    }

    /// Takes what waits for further rows of its instant. To be called once the last row is read; rows of that instant
    /// which come later are then late rows, and need a fold from before them.
    pub fn settle(&mut self, done: &mut Vec<Attempt>) {
        let mut ties = std::mem::take(&mut self.ties);
        if ties.len() > 1 {
            ties.sort_by(|a, b| (a.step != Step::Started, &a.id).cmp(&(b.step != Step::Started, &b.id)));
        }
        for row in ties.drain(..) {
            self.take(row, done);
        }
        // Its room is used again.
        self.ties = ties;
    }

    /// Devices that had a row.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    /// What [`settle`](Self::settle) and then [`open`](Self::open) would give of a copy: the attempts that are not in
    /// `done` yet, at `now`, the database's time. In no order.
    pub fn rest(&self, patience: Patience, now: Instant) -> Vec<Attempt> {
        if self.ties.is_empty() {
            return self.open(patience, now);
        }
        let waiting = |id: &Id| self.devices.get(id).map(|device| (id.clone(), device.clone()));
        let mut copy = Self {
            begins: self.begins,
            devices: self.ties.iter().filter_map(|row| waiting(&row.device)).collect(),
            ties: self.ties.clone(),
        };
        let mut found = Vec::new();
        copy.settle(&mut found);
        found.extend(copy.open(patience, now));
        let others = self.devices.iter().filter(|(id, _)| !copy.devices.contains_key(*id));
        found.extend(others.flat_map(|(id, device)| device.open(id, patience, now)));
        found
    }

    /// The attempts that are still open at `now`, the database's time: failed, in flight or stalled. In no order.
    pub fn open(&self, patience: Patience, now: Instant) -> Vec<Attempt> {
        self.devices.iter().flat_map(|(id, device)| device.open(id, patience, now)).collect()
    }

    /// Adds a row to its device, in the final order of rows.
    fn take(&mut self, row: Row, done: &mut Vec<Attempt>) {
        // A look-up by reference first: a row in many is the first of its device.
        if !self.devices.contains_key(&row.device) {
            self.devices.insert(row.device.clone(), Device::new(self.begins));
        }
        let Some(device) = self.devices.get_mut(&row.device) else { return };
        match row.step {
            Step::Started => {
                let family = row.family;
                if !device.track(family).repeats(&row) {
                    done.extend(device.track(family).start(row));
                    device.opened = Some(family);
                }
            }
            Step::Succeeded => done.push(device.track(row.family).succeed(row)),
            Step::Failed => match device.joined_by(row.family) {
                Some(family) => device.track(family).fail(row),
                None => {
                    // A recovery that began before the rows that were read may be the one that a failed renewal ends.
                    let is_alone = row.family == Family::Recovery || device.recovery.is_exact();
                    done.push(device.track(row.family).alone(row, is_alone));
                }
            },
        }
    }
}

impl Track {
    /// A track without attempts.
    fn new(begins: Begins) -> Self {
        Self { begins, open: None, finished: 0, anchored: false, doubted: false }
    }

    /// Whether no row before those that were read can change the tries.
    fn is_exact(&self) -> bool {
        !self.doubted && (self.anchored || self.begins == Begins::WithTable)
    }

    /// Whether the row is the open start once more; if so it is counted.
    fn repeats(&mut self, row: &Row) -> bool {
        match &mut self.open {
            Some(open) if open.failed.is_none() && open.old_expiry == row.old_expiry => {
                let again = row.at == open.start.at || row.at.since(open.start.at).is_some_and(|gap| gap <= TWICE);
                open.starts += u32::from(again);
                again
            }
            _ => false,
        }
    }

    /// Opens an attempt; returns the one that it ends.
    fn start(&mut self, row: Row) -> Option<Attempt> {
        let before = self.open.take().map(|open| {
            let state = if open.failed.is_some() { State::Failed } else { State::Superseded };
            let attempt = self.attempt(row.device.clone(), row.family, state, open);
            self.finished += u32::from(state == State::Failed);
            attempt
        });
        self.open = Some(Open {
            start: Mark { id: row.id, at: row.at },
            old_expiry: row.old_expiry,
            reason: row.reason,
            starts: 1,
            failures: 0,
            failed: None,
            error: None,
        });
        before
    }

    /// Adds a failure to the open attempt, which stays open: a success may still follow.
    fn fail(&mut self, row: Row) {
        if let Some(open) = &mut self.open {
            open.failures += 1;
            open.failed = Some(Mark { id: row.id, at: row.at });
            open.error = row.error;
            open.old_expiry = open.old_expiry.or(row.old_expiry);
            open.reason = open.reason.take().or(row.reason);
        }
    }

    /// Ends the open attempt with a success, or makes a success without a start an attempt; then the tries begin anew.
    fn succeed(&mut self, row: Row) -> Attempt {
        let attempt = match self.open.take() {
            Some(open) => {
                let attempt = self.attempt(row.device, row.family, State::Succeeded, open);
                Attempt {
                    end: Some((Mark { id: row.id, at: row.at }, Step::Succeeded)),
                    old_expiry: attempt.old_expiry.or(row.old_expiry),
                    new_expiry: row.new_expiry,
                    reason: attempt.reason.clone().or(row.reason),
                    ..attempt
                }
            }
            None => self.alone(row, true),
        };
        (self.finished, self.anchored, self.doubted) = (0, true, false);
        attempt
    }

    /// An outcome with nothing open; `is_alone`: in the other family neither.
    fn alone(&mut self, row: Row, is_alone: bool) -> Attempt {
        self.doubted |= !is_alone;
        let state = match self.begins {
            _ if !is_alone => State::Undecided,
            _ if self.anchored => State::Orphan,
            Begins::WithinTable => State::Undecided,
            Begins::WithTable => State::StartNotKept,
        };
        let tries = self.finished.saturating_add(1);
        self.finished = tries;
        Attempt {
            device: row.device,
            family: row.family,
            state,
            start: None,
            end: Some((Mark { id: row.id, at: row.at }, row.step)),
            starts: 0,
            failures: u32::from(row.step == Step::Failed),
            tries,
            tries_exact: self.is_exact(),
            old_expiry: row.old_expiry,
            new_expiry: row.new_expiry,
            reason: row.reason,
            error: row.error,
        }
    }

    /// The attempt as it is now, with its last failure as its end.
    fn attempt(&self, device: Id, family: Family, state: State, open: Open) -> Attempt {
        Attempt {
            device,
            family,
            state,
            start: Some(open.start),
            end: open.failed.map(|mark| (mark, Step::Failed)),
            starts: open.starts,
            failures: open.failures,
            tries: self.finished.saturating_add(1),
            tries_exact: self.is_exact(),
            old_expiry: open.old_expiry,
            new_expiry: None,
            reason: open.reason,
            error: open.error,
        }
    }
}
