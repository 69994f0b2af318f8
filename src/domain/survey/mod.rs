//! The survey of a range: what fails, on which devices, since when, and what came of the attempts.
//!
//! [`Survey`] takes the rows of a range once, oldest first, and counts as it goes, so that a [`Report`] costs what there is
//! to report and not what was read. The screen takes a copy as a checkpoint and reads the rows behind it again, by which
//! late rows come right. Called by views and commands. It reads no clock and no database; it holds no names.

mod families;
mod group;
mod look_back;
mod report;
mod scope;
mod signer;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

pub use families::families;
pub use group::{ErrorGroup, PARTS, PlaceValues};
pub use look_back::{LookBack, Standing};
pub use report::{Report, TopOrg, Totals};
pub use scope::Scope;

use std::collections::HashMap;

use super::attempt::{Attempt, Begins, Fold, Row, Step};
use super::event::{Id, Outcome, RenewalEvent};
use super::instant::Instant;
use super::outage::Buckets;
use super::source::Part;

use group::{Groups, Place};

/// What a survey covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SurveyRange {
    /// The first instant of the range; `None`: it begins with the first row. Rows before it are read for the attempts that
    /// they began.
    pub from: Option<Instant>,
    /// The first instant behind the range; `None`: it has no end.
    pub until: Option<Instant>,
    /// The database's time as the survey begins. Where the range has no end, the tenths of it end here.
    pub now: Instant,
    /// Whether the rows begin with the table, or where an earlier one may lie before the first.
    pub begins: Begins,
}

impl SurveyRange {
    /// Whether a row of that time is in the range.
    fn holds(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// What was counted so far. A copy goes on as the original does.
#[derive(Clone, Debug)]
pub struct Survey {
    range: SurveyRange,
    fold: Fold,
    /// Attempts that the fold has given out, until they are counted.
    done: Vec<Attempt>,
    devices: Numbers<Device>,
    orgs: Numbers<()>,
    /// Whether the source has no organizations.
    lacks_orgs: bool,
    groups: Groups,
    buckets: Buckets,
    totals: Totals,
    rows: u64,
    failures: u64,
    /// The first and the last row of the range.
    read: Option<(Instant, Instant)>,
}

/// Ids with numbers from 0 on, and what is kept of each.
#[derive(Clone, Debug)]
struct Numbers<T> {
    numbers: HashMap<Id, u32>,
    of: Vec<T>,
}

/// What is kept of a device.
#[derive(Clone, Debug, Default)]
struct Device {
    /// The number of its organization.
    org: Option<u32>,
    /// What the newest row that states an expiry says.
    expiry: Option<Instant>,
    /// Its newest outcome in the range.
    newest: Option<Newest>,
    /// It had a failure in the range.
    failed: bool,
}

/// The outcome of a device's newest finished attempt, which is its newest outcome.
#[derive(Clone, Debug)]
struct Newest {
    at: Instant,
    /// Orders outcomes of one instant.
    id: Id,
    /// The number of its group if it is a failure.
    group: Option<u32>,
}

impl<T: Default> Numbers<T> {
    /// The number of an id, a new one if it has none.
    fn number(&mut self, id: &Id) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = u32::try_from(self.of.len()).unwrap_or(u32::MAX);
        self.numbers.insert(id.clone(), number);
        self.of.push(T::default());
        number
    }
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), of: Vec::new() }
    }
}

impl Survey {
    /// A survey without rows.
    pub fn new(range: SurveyRange) -> Self {
        Self {
            range,
            fold: Fold::new(range.begins),
            done: Vec::new(),
            devices: Numbers::default(),
            orgs: Numbers::default(),
            lacks_orgs: false,
            groups: Groups::default(),
            buckets: Buckets::default(),
            totals: Totals::default(),
            rows: 0,
            failures: 0,
            read: None,
        }
    }

    /// The range that it was made for.
    pub fn range(&self) -> SurveyRange {
        self.range
    }

    /// Takes the next row, in order of time; rows of one instant come in any order. A row behind the range is skipped.
    pub fn add(&mut self, event: &RenewalEvent) {
        self.take(event, true);
    }

    /// As [`add`](Self::add), of a failure that the filter leaves out: it counts among the rows, in the states of devices and
    /// in attempts, and not among the errors.
    pub fn add_other(&mut self, event: &RenewalEvent) {
        self.take(event, false);
    }

    /// Takes a row; `selected`: as a failure it counts among the errors.
    fn take(&mut self, event: &RenewalEvent, selected: bool) {
        let at = event.created_at;
        if self.range.until.is_some_and(|until| at >= until) {
            return;
        }
        let device = event.device_id().map(|id| self.devices.number(id));
        let org = event.org_id.as_ref().map(|id| self.orgs.number(id));
        self.lacks_orgs |= event.lacks(Part::Org);
        let place = Place { device, org, part: self.part(at), selected };
        let group = if self.range.holds(at) { self.count(event, place) } else { None };
        let error = group.and_then(|number| self.groups.sig(number));
        let Some(row) = Row::of(event, error) else { return };
        if let Some(device) = device.and_then(|number| self.devices.of.get_mut(number as usize)) {
            device.org = org.or(device.org);
            device.expiry = stated(&row).or(device.expiry);
        }
        self.fold.add(row, &mut self.done);
        for attempt in std::mem::take(&mut self.done) {
            let (mut totals, mut buckets) = (self.totals, std::mem::take(&mut self.buckets));
            self.tally(&attempt, &mut totals, &mut buckets);
            (self.totals, self.buckets) = (totals, buckets);
        }
    }

    /// Counts a row of the range; returns the number of its group if it is a failure.
    fn count(&mut self, event: &RenewalEvent, place: Place) -> Option<u32> {
        let at = event.created_at;
        self.rows += 1;
        let (first, _) = *self.read.get_or_insert((at, at));
        self.read = Some((first, at));
        let outcome = event.outcome();
        let group = (outcome == Outcome::Failed).then(|| {
            self.failures += u64::from(place.selected);
            self.groups.add(event, place)
        });
        if let Some(device) = place.device.and_then(|number| self.devices.of.get_mut(number as usize))
            && matches!(outcome, Outcome::Failed | Outcome::Succeeded)
        {
            device.failed |= group.is_some() && place.selected;
            if device.newest.as_ref().is_none_or(|newest| (at, &event.id) > (newest.at, &newest.id)) {
                device.newest = Some(Newest { at, id: event.id.clone(), group });
            }
        }
        group
    }

    /// The tenth of the range in which an instant lies.
    fn part(&self, at: Instant) -> usize {
        let first = || self.read.map(|(first, _)| first);
        let Some(from) = self.range.from.filter(|from| from.is_finite()).or_else(first) else { return 0 };
        let until = self.range.until.unwrap_or(self.range.now);
        match (at.since(from), until.since(from)) {
            (Some(into), Some(whole)) if whole.0 > 0 && into.0 > 0 => {
                let part = i128::from(into.0) * PARTS as i128 / i128::from(whole.0);
                usize::try_from(part).unwrap_or(PARTS).min(PARTS - 1)
            }
            (Some(_), Some(_)) => 0,
            _ => {
                if at < until {
                    0
                } else {
                    PARTS - 1
                }
            }
        }
    }

    /// Counts an attempt that began or ended in the range.
    fn tally(&self, attempt: &Attempt, totals: &mut Totals, buckets: &mut Buckets) {
        let holds = |at: Instant| self.range.from.is_none_or(|from| at >= from);
        let ended = attempt.end.as_ref().filter(|(mark, _)| holds(mark.at));
        if ended.is_none() && !attempt.start.as_ref().is_some_and(|mark| holds(mark.at)) {
            return;
        }
        totals.add(attempt.state);
        if let Some((mark, step)) = ended {
            let number = || self.devices.numbers.get(&attempt.device).copied();
            buckets.add(mark.at, if *step == Step::Failed { number() } else { None });
        }
    }
}

/// The expiry that a row states: a success its new one, another row its old one.
fn stated(row: &Row) -> Option<Instant> {
    match row.step {
        Step::Succeeded => row.new_expiry,
        _ => row.old_expiry,
    }
}
