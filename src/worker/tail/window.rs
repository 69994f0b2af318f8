//! The state of a tail in the order in which it reads: the high-water mark, the floor below which no row can appear any
//! more, and the keys sent in between.
//!
//! Called by the tail only. Pure: it returns the slices to read and takes their rows; it never reads a clock and runs no
//! query.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::instant::{Instant, Span};
use crate::domain::page::Cursor;
use crate::protocol::tail::{
    Horizon, LONGEST, Place, Serial, Start, TailKey, TailRow, TailRows, TimeSlice, Window as Guarantee,
};

/// How far below the floor a tail starts whose reader loads the table at the same time: a row that is committed in
/// between is sent twice rather than never.
const LEAD_IN: Span = Span::seconds(30);
/// Rows dated further in the future are found by their keys, so that they do not raise the high-water mark above rows to
/// come.
const AHEAD: Span = Span::seconds(1);
/// How many numbers below the highest are compared again: SQLite reuses the number of a deleted row.
const NUMBERS: i64 = 1000;
/// The limit of cached keys. With more of them above the floor, the floor is raised.
const KEYS: usize = 200_000;

/// How far the tail has read.
#[derive(Clone, PartialEq, Debug)]
enum Reached {
    /// By time: everything before this instant, and at it up to this id.
    Time { at: Instant, id: Option<Id> },
    /// History by time of a source that numbers its rows: the rows up to this number.
    History { at: Instant, id: Option<Id>, numbers: i64 },
    /// By number.
    Serial(i64),
}

#[derive(Debug)]
pub struct Window {
    reached: Reached,
    /// Rows before this are not sent.
    start: Instant,
    /// No new row can appear below.
    floor: Place,
    /// Keys at or above the floor whose rows were sent, or existed before the start.
    seen: BTreeSet<(Place, u64)>,
    /// Ids seen before the source assigned its numbers again.
    renumbered: HashSet<u64>,
    /// Numbers reached at earlier horizons: a number assigned after a horizon is higher than all that it saw.
    marks: VecDeque<(Instant, i64)>,
    /// How much the table's times are ahead of UTC.
    ahead: Span,
    /// The latest time of a row sent.
    newest: Option<Instant>,
    guarantee: Guarantee,
    /// Numbers that transactions hold which were open at this moment, the start, may lie below the floor.
    doubt: Option<Instant>,
    /// When the floor was raised because too many keys lay above it.
    truncated: Option<Instant>,
}

/// Rows to send, oldest first.
#[derive(Debug, Default)]
pub struct Fresh {
    pub rows: Vec<Arc<RenewalEvent>>,
    pub late: u64,
    /// The newest of those that are not late.
    pub newest: Option<Instant>,
    pub more: bool,
}

impl Window {
    /// `horizon` must have been read before any row.
    pub fn new(start: Start, horizon: &Horizon) -> Self {
        let floor = floor_at(horizon, horizon.now);
        let (from, start) = match start {
            Start::Now => (horizon.now, Instant::NEG_INFINITY),
            Start::Overlapping => (floor.minus(LEAD_IN), Instant::NEG_INFINITY),
            Start::At(at) => (at.plus(horizon.ahead), at.plus(horizon.ahead)),
        };
        let (reached, floor) = match horizon.serial.map(|serial| serial.highest) {
            Some(numbers) if start == Instant::NEG_INFINITY => (Reached::Serial(numbers), numbers - NUMBERS),
            Some(numbers) => (Reached::History { at: from, id: None, numbers }, numbers - NUMBERS),
            None => (Reached::Time { at: from, id: None }, floor.max(start).pg_micros()),
        };
        let unordered = horizon.serial.is_some_and(|serial| !serial.ordered);
        let doubt = unordered.then_some(horizon.now);
        let guarantee = Guarantee::Unknown;
        let (seen, renumbered) = (BTreeSet::new(), HashSet::new());
        let (marks, ahead) = (VecDeque::new(), horizon.ahead);
        let mut new = Self {
            reached,
            start,
            floor,
            seen,
            renumbered,
            marks,
            ahead,
            newest: None,
            guarantee,
            doubt,
            truncated: None,
        };
        new.judge(horizon);
        new
    }

    /// The slices of rows that already lie above the floor and are not to be sent. The last one of a tail by time is the
    /// future, which may hold any number of rows.
    pub fn existing(&self, start: Start) -> Vec<TimeSlice> {
        match (&self.reached, start) {
            (Reached::Serial(n), Start::Now) => vec![TimeSlice::Serial { after: self.floor, until: Some(*n) }],
            (Reached::History { numbers, .. }, _) => {
                vec![TimeSlice::Serial { after: self.floor, until: Some(*numbers) }]
            }
            (Reached::Time { at, .. }, Start::Now) => self.around(*at),
            _ => Vec::new(),
        }
    }

    /// The time from the floor to a little after `now`, and the future.
    fn around(&self, now: Instant) -> Vec<TimeSlice> {
        let from = Instant::from_pg_micros(self.floor);
        let ahead = now.plus(AHEAD);
        vec![
            TimeSlice::Time { from, after: None, until: Some(ahead) },
            TimeSlice::Time { from: ahead, after: None, until: None },
        ]
    }

    /// Marks keys as sent.
    pub fn mark(&mut self, keys: &[TailKey]) {
        self.seen.extend(keys.iter().map(|key| (key.place, digest(&key.id))));
    }

    /// The slice above the high-water mark. `now` is by the database's clock.
    pub fn head(&self, now: Instant) -> TimeSlice {
        match &self.reached {
            Reached::Serial(n) => TimeSlice::Serial { after: *n, until: None },
            Reached::Time { at, id } => {
                let after = id.clone().map(|id| Cursor { at: *at, id });
                TimeSlice::Time { from: *at, after, until: Some(now.plus(AHEAD).max(at.plus(Span(1)))) }
            }
            Reached::History { at, id, .. } => {
                let after = id.clone().map(|id| Cursor { at: *at, id });
                TimeSlice::Time { from: *at, after, until: None }
            }
        }
    }

    /// Takes the rows of [`head`](Self::head).
    pub fn take(&mut self, read: TailRows) -> Fresh {
        let mut fresh = Fresh { more: read.more.is_some(), ..Fresh::default() };
        let last = read.rows.iter().chain(&read.dropped).max_by_key(|found| (found.place, found.row.cursor().id));
        let end = read.more.or_else(|| last.map(|found| (found.place, found.row.cursor().id)));
        self.see_dropped(&read.dropped);
        for found in read.rows {
            let is_seen = match self.reached {
                // A row with a higher number is sent by number.
                Reached::History { numbers, .. } => found.serial.is_some_and(|s| s > numbers),
                _ => found.place >= self.floor && !self.seen.insert((found.place, digest(&found.row.id))),
            };
            if !is_seen && found.at >= self.start {
                self.add(found, &mut fresh);
            }
        }
        match (&mut self.reached, end) {
            (Reached::Serial(n), Some((place, _))) => *n = (*n).max(place),
            (Reached::Time { at, id } | Reached::History { at, id, .. }, Some((place, last))) => {
                (*at, *id) = (Instant::from_pg_micros(place), Some(last));
            }
            (_, None) => {}
        }
        if let (Reached::History { numbers, .. }, false) = (&self.reached, fresh.more) {
            self.reached = Reached::Serial(*numbers);
            // The rows above that number are read next.
            fresh.more = true;
        }
        fresh
    }

    /// Marks rows that a filter by name drops, so that no sweep reads them again.
    fn see_dropped(&mut self, dropped: &[TailRow]) {
        if matches!(self.reached, Reached::History { .. }) {
            return;
        }
        for found in dropped {
            let place = self.place_of(found);
            if place >= self.floor {
                self.seen.insert((place, digest(&found.row.id)));
            }
        }
    }

    /// The place of a row in the order in which the tail reads now.
    fn place_of(&self, found: &TailRow) -> Place {
        match (&self.reached, found.serial) {
            (Reached::Serial(_), Some(serial)) => serial,
            _ => found.at.pg_micros(),
        }
    }

    /// Call when the slice above the high-water mark was read to its end: the next read begins at `to`, or above the
    /// highest number of the horizon.
    pub fn advance(&mut self, to: Instant, horizon: Option<&Horizon>) {
        match &mut self.reached {
            Reached::Time { at, id } if to > *at => (*at, *id) = (to, None),
            Reached::Serial(n) => *n = (*n).max(horizon.and_then(|h| h.serial).map_or(*n, |serial| serial.highest)),
            _ => {}
        }
    }

    /// Goes back if the highest number has become lower: the rows with higher numbers were deleted, or all rows were
    /// renumbered, and the next rows take the numbers that follow.
    pub fn renumber(&mut self, horizon: &Horizon) {
        if let (Reached::Serial(n), Some(Serial { highest, ordered: true })) = (&mut self.reached, horizon.serial)
            && highest < *n
        {
            *n = highest;
            self.floor = highest - NUMBERS;
            self.renumbered = self.seen.iter().map(|(_, id)| *id).collect();
            self.seen.clear();
        }
    }

    /// Adds a row to send. By number, a row is late too if it is older than a row sent before.
    fn add(&mut self, found: TailRow, fresh: &mut Fresh) {
        let at = found.at;
        if self.newest.is_some_and(|newest| at < newest) && matches!(self.reached, Reached::Serial(_)) {
            fresh.late += 1;
        } else {
            fresh.newest = fresh.newest.max(Some(at));
            self.newest = self.newest.max(Some(at));
        }
        fresh.rows.push(found.row);
    }

    /// The slices whose keys to compare: from the floor to the high-water mark, and the future.
    pub fn sweeps(&self, now: Instant) -> Vec<TimeSlice> {
        match &self.reached {
            Reached::Serial(n) => vec![TimeSlice::Serial { after: self.floor, until: Some(*n) }],
            Reached::History { .. } => Vec::new(),
            Reached::Time { at, .. } => {
                let from = Instant::from_pg_micros(self.floor);
                let ahead = now.plus(AHEAD).max(at.plus(Span(1)));
                vec![
                    TimeSlice::Time { from, after: None, until: Some(at.plus(Span(1))) },
                    TimeSlice::Time { from: ahead, after: None, until: None },
                ]
            }
        }
    }

    /// The ids of the keys that are not marked.
    pub fn unseen(&self, keys: Vec<TailKey>) -> Vec<Id> {
        let is_seen = |place: Place, id: u64| self.seen.contains(&(place, id)) || self.renumbered.contains(&id);
        keys.into_iter().filter(|key| !is_seen(key.place, digest(&key.id))).map(|key| key.id).collect()
    }

    /// Takes the rows that a sweep found: late rows, and rows dated in the future.
    pub fn take_swept(&mut self, read: TailRows) -> Fresh {
        let mut fresh = Fresh::default();
        self.see_dropped(&read.dropped);
        let mut rows = read.rows;
        rows.sort_by_key(|found| found.row.cursor());
        for found in rows {
            let place = self.place_of(&found);
            if !self.seen.insert((place, digest(&found.row.id))) || found.at < self.start {
                continue;
            }
            if self.is_behind(found.at) {
                fresh.late += 1;
            }
            fresh.rows.push(found.row);
        }
        fresh
    }

    fn is_behind(&self, stored: Instant) -> bool {
        match &self.reached {
            Reached::Time { at, .. } => stored <= *at,
            _ => self.newest.is_some_and(|newest| stored < newest),
        }
    }

    /// Call after a sweep. Raises the floor as far as the horizon allows, which must have been read before the sweep.
    pub fn settle(&mut self, horizon: &Horizon) {
        let floor = match &self.reached {
            Reached::Serial(n) if horizon.serial.is_some_and(|serial| serial.ordered) => n - NUMBERS,
            Reached::Serial(n) => {
                self.marks.push_back((horizon.now, *n));
                let cut = floor_at(horizon, horizon.now);
                // A number assigned since that moment is higher than what was reached then.
                while self.marks.get(1).is_some_and(|(at, _)| *at <= cut) {
                    self.marks.pop_front();
                }
                let reached = self.marks.front().filter(|(at, _)| *at <= cut).map_or(self.floor, |(_, number)| *number);
                reached.min(n - NUMBERS)
            }
            Reached::History { .. } => return,
            Reached::Time { at, .. } => floor_at(horizon, *at).max(self.start).pg_micros(),
        };
        self.floor = self.floor.max(floor);
        self.judge(horizon);
        self.seen = self.seen.split_off(&(self.floor, 0));
        if self.seen.len() <= KEYS {
            self.truncated = None;
            return;
        }
        if let Some((place, _)) = self.seen.iter().nth(self.seen.len() - KEYS / 2).copied() {
            self.floor = place;
            self.seen = self.seen.split_off(&(place, 0));
            self.truncated = Some(horizon.now);
        }
    }

    /// Decides what is guaranteed after this horizon.
    fn judge(&mut self, horizon: &Horizon) {
        let is_open = |start| horizon.prepared || horizon.open.is_some_and(|open| open < start);
        self.doubt = self.doubt.filter(|start| is_open(*start));
        self.guarantee = match self.doubt {
            Some(_) => Guarantee::Overlap(horizon.overlap),
            None => guarantee(horizon),
        };
    }

    /// Skips everything up to the horizon, which the caller has counted.
    pub fn skip(&mut self, horizon: &Horizon) {
        *self = Self { newest: self.newest, ..Self::new(Start::Now, horizon) };
    }

    /// The time up to which all rows have been sent, in UTC.
    pub fn read_to(&self) -> Option<Instant> {
        match &self.reached {
            Reached::Time { at, .. } | Reached::History { at, .. } => Some(at.minus(self.ahead)),
            Reached::Serial(_) => self.newest.map(|at| at.minus(self.ahead)),
        }
    }

    /// What the tail guarantees at this moment.
    pub fn guarantee(&self) -> Guarantee {
        let floor = Instant::from_pg_micros(self.floor);
        match self.truncated.and_then(|now| now.since(floor)) {
            Some(age) if !matches!(self.reached, Reached::Serial(_)) => Guarantee::Overlap(age),
            _ => self.guarantee,
        }
    }
}

/// New rows can still appear from the start of the oldest open transaction on, or, if none is visible, from an overlap
/// below the high-water mark. The start of a prepared transaction is unknown, but a floor that has not risen since lies
/// below it.
fn floor_at(horizon: &Horizon, reached: Instant) -> Instant {
    let (overlap, longest) = (horizon.now.min(reached).minus(horizon.overlap), horizon.now.minus(LONGEST));
    if horizon.prepared {
        return longest.min(overlap);
    }
    horizon.open.map_or(overlap, |open| open.max(longest).min(overlap))
}

fn guarantee(horizon: &Horizon) -> Guarantee {
    match (horizon.serial, horizon.sees_all) {
        (Some(Serial { ordered: true, .. }), _) => Guarantee::Every,
        (_, true) => Guarantee::Open { longest: LONGEST, overlap: horizon.overlap },
        (_, false) => Guarantee::Overlap(horizon.overlap),
    }
}

/// An id in 64 bits. Two rows with equal digests are distinguished by their places.
fn digest(id: &Id) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::event::Kind;

    fn at(second: i64) -> Instant {
        Instant::from_pg_micros(second * 1_000_000)
    }

    fn horizon(now: i64, open: Option<i64>, serial: Option<(i64, bool)>) -> Horizon {
        Horizon {
            now: at(now),
            ahead: Span(0),
            open: open.map(at),
            prepared: false,
            sees_all: true,
            overlap: Span::seconds(5),
            serial: serial.map(|(highest, ordered)| Serial { highest, ordered }),
        }
    }

    /// A row with this id, at this second; by number, its number is its id.
    fn row(id: i64, second: i64, by_number: bool) -> TailRow {
        let event = RenewalEvent {
            id: Id::Int(id),
            device_id: Id::Int(1),
            org_id: None,
            kind: Kind::new("renewal_start"),
            reason: None,
            old_expiry: None,
            new_expiry: None,
            error: None,
            created_at: at(second),
            device: None,
            org: None,
            beyond: None,
        };
        let place = if by_number { id } else { at(second).pg_micros() };
        TailRow { place, serial: by_number.then_some(id), at: at(second), row: Arc::new(event) }
    }

    fn key(row: &TailRow) -> TailKey {
        TailKey { place: row.place, tie: row.row.id.clone(), id: row.row.id.clone() }
    }

    fn read(rows: &[TailRow]) -> TailRows {
        TailRows { rows: rows.to_vec(), ..TailRows::default() }
    }

    fn key_at(id: i64, second: i64) -> TailKey {
        TailKey { place: at(second).pg_micros(), tie: Id::Int(id), id: Id::Int(id) }
    }

    fn time(from: i64, until: Option<i64>) -> TimeSlice {
        TimeSlice::Time { from: at(from), after: None, until: until.map(at) }
    }

    fn now() -> Window {
        Window::new(Start::Now, &horizon(100, None, None))
    }

    #[test]
    fn a_tail_from_now_begins_at_the_clock_with_the_overlap_below() {
        let w = now();
        assert_eq!(w.head(at(100)), time(100, Some(101)));
        assert_eq!(w.floor, at(95).pg_micros());
        assert_eq!(w.existing(Start::Now), [time(95, Some(101)), time(101, None)]);
        assert_eq!(w.read_to(), Some(at(100)));
        // The head never ends before it begins, even if the clock is set back.
        let end = Some(at(100).plus(Span(1)));
        assert_eq!(w.head(at(3)), TimeSlice::Time { from: at(100), after: None, until: end });
    }

    #[test]
    fn an_overlapping_tail_begins_below_the_floor_and_marks_nothing() {
        let w = Window::new(Start::Overlapping, &horizon(100, Some(40), None));
        assert_eq!(w.floor, at(40).pg_micros());
        assert_eq!(w.head(at(100)), time(10, Some(101)));
        assert_eq!(w.existing(Start::Overlapping), []);
    }

    #[test]
    fn a_tail_from_an_instant_begins_there_in_the_zone_of_the_table() {
        let mut zoned = horizon(100, None, None);
        zoned.ahead = Span::seconds(20);
        let w = Window::new(Start::At(at(50)), &zoned);
        assert_eq!((w.head(at(100)), w.floor), (time(70, Some(101)), at(95).pg_micros()));
        assert_eq!(w.read_to(), Some(at(50)), "in UTC");
        assert_eq!(w.existing(Start::At(at(50))), []);
        let w = Window::new(Start::At(at(200)), &zoned);
        assert_eq!(w.floor, at(220).pg_micros(), "nothing below the start is of interest");
    }

    #[test]
    fn rows_raise_the_high_water_mark_and_are_sent_once() {
        let mut w = now();
        let fresh = w.take(read(&[row(1, 100, false), row(2, 103, false)]));
        assert_eq!((fresh.rows.len(), fresh.late, fresh.newest, fresh.more), (2, 0, Some(at(103)), false));
        let after = Some(Cursor { at: at(103), id: Id::Int(2) });
        assert_eq!(w.head(at(103)), TimeSlice::Time { from: at(103), after, until: Some(at(104)) });
        assert_eq!(w.take(read(&[row(2, 103, false)])).rows.len(), 0);
        // Two rows of one instant are two rows.
        assert_eq!(w.take(read(&[row(3, 103, false)])).rows.len(), 1);
        // Below the floor nothing is cached.
        assert_eq!(w.take(read(&[row(4, 94, false)])).rows.len(), 1);
        assert_eq!(w.seen.len(), 3);
        assert_eq!(w.take(read(&[row(5, 95, false)])).rows.len(), 1);
        assert_eq!(w.seen.len(), 4);
    }

    #[test]
    fn an_empty_read_moves_nothing_and_a_full_one_names_its_end() {
        let mut w = now();
        assert!(w.take(read(&[])).rows.is_empty());
        assert_eq!(w.head(at(100)), time(100, Some(101)));
        let more = Some((at(104).pg_micros(), Id::Int(9)));
        let full = TailRows { rows: vec![row(1, 101, false)], more, ..TailRows::default() };
        assert!(w.take(full).more);
        let after = Some(Cursor { at: at(104), id: Id::Int(9) });
        assert_eq!(w.head(at(104)), TimeSlice::Time { from: at(104), after, until: Some(at(105)) });
    }

    #[test]
    fn rows_before_the_start_are_not_sent() {
        let mut w = Window::new(Start::At(at(50)), &horizon(100, None, None));
        let sent = w.take(read(&[row(1, 49, false), row(2, 50, false), row(3, 51, false)])).rows;
        assert_eq!(sent.iter().map(|r| r.id.clone()).collect::<Vec<_>>(), [Id::Int(2), Id::Int(3)]);
        let swept = w.take_swept(read(&[row(4, 49, false), row(5, 50, false)]));
        assert_eq!(swept.rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>(), [Id::Int(5)]);
        assert_eq!(swept.late, 1);
    }

    #[test]
    fn rows_that_a_name_filter_drops_are_seen() {
        let mut w = now();
        let dropped = vec![row(1, 94, false), row(2, 95, false), row(3, 102, false)];
        let read = TailRows { dropped, ..TailRows::default() };
        assert!(w.take(read.clone()).rows.is_empty());
        assert_eq!(w.unseen(vec![key_at(1, 94), key_at(2, 95), key_at(3, 102)]), [Id::Int(1)]);
        let after = Some(Cursor { at: at(102), id: Id::Int(3) });
        assert_eq!(w.head(at(102)), TimeSlice::Time { from: at(102), after, until: Some(at(103)) });
        let mut w = now();
        assert!(w.take_swept(read).rows.is_empty());
        assert_eq!(w.unseen(vec![key_at(2, 95)]), []);
        // History ends before the numbers that it would mark.
        let mut w = Window::new(Start::At(at(50)), &horizon(100, None, Some((7, true))));
        let dropped = TailRows { dropped: vec![row(3, 60, true)], ..TailRows::default() };
        w.take(dropped);
        assert!(w.seen.is_empty());
        let dropped = TailRows { dropped: vec![row(8, 60, true)], ..TailRows::default() };
        w.take(dropped);
        assert_eq!(w.seen.first().map(|(place, _)| *place), Some(8), "by number");
    }

    #[test]
    fn the_high_water_mark_advances_and_never_goes_back() {
        let mut w = now();
        w.advance(at(99), None);
        assert_eq!(w.head(at(100)), time(100, Some(101)));
        w.take(read(&[row(1, 100, false)]));
        w.advance(at(100), None);
        let after = Some(Cursor { at: at(100), id: Id::Int(1) });
        assert_eq!(w.head(at(100)), TimeSlice::Time { from: at(100), after, until: Some(at(101)) });
        w.advance(at(110), None);
        assert_eq!(w.head(at(110)), time(110, Some(111)));
        let mut w = Window::new(Start::Now, &horizon(100, None, Some((7, true))));
        w.advance(at(200), None);
        assert_eq!(w.head(at(200)), TimeSlice::Serial { after: 7, until: None });
        w.advance(at(200), Some(&horizon(200, None, Some((9, true)))));
        assert_eq!(w.head(at(200)), TimeSlice::Serial { after: 9, until: None });
        w.advance(at(200), Some(&horizon(200, None, Some((8, true)))));
        assert_eq!(w.head(at(200)), TimeSlice::Serial { after: 9, until: None });
    }

    #[test]
    fn sweeps_cover_everything_read_and_the_future() {
        let mut w = now();
        w.take(read(&[row(1, 100, false)]));
        let until = Some(at(100).plus(Span(1)));
        let read_part = TimeSlice::Time { from: at(95), after: None, until };
        assert_eq!(w.sweeps(at(102)), [read_part.clone(), time(103, None)]);
        // A high-water mark ahead of the clock.
        let ahead = TimeSlice::Time { from: at(100).plus(Span(1)), after: None, until: None };
        assert_eq!(w.sweeps(at(3)), [read_part, ahead]);
        let w = Window::new(Start::Now, &horizon(100, None, Some((2000, true))));
        assert_eq!(w.sweeps(at(100)), [TimeSlice::Serial { after: 1000, until: Some(2000) }]);
        assert_eq!(w.existing(Start::Now), w.sweeps(at(100)));
        assert_eq!(Window::new(Start::At(at(1)), &horizon(100, None, Some((7, true)))).sweeps(at(100)), []);
    }

    #[test]
    fn marked_keys_are_not_sent() {
        let mut w = now();
        w.mark(&[key_at(1, 97), key_at(2, 300)]);
        let keys = || vec![key_at(1, 97), key_at(1, 98), key_at(2, 300), key_at(3, 97)];
        assert_eq!(w.unseen(keys()), [Id::Int(1), Id::Int(3)], "a key is a place and an id");
        let fresh = w.take_swept(read(&[row(4, 400, false), row(3, 97, false), row(5, 100, false), row(1, 97, false)]));
        assert_eq!(fresh.rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>(), [3, 5, 4].map(Id::Int), "oldest first");
        assert_eq!(fresh.late, 2, "a row in the future is not late");
    }

    #[test]
    fn by_number_a_row_is_late_if_it_is_older_than_one_before() {
        let mut w = Window::new(Start::Now, &horizon(100, None, Some((0, true))));
        let rows = [row(1, 50, true), row(2, 40, true), row(3, 50, true), row(4, 50, true), row(5, 60, true)];
        let fresh = w.take(read(&rows));
        assert_eq!((fresh.rows.len(), fresh.late, fresh.newest), (5, 1, Some(at(60))));
        let swept = w.take_swept(read(&[row(-4, 58, true), row(-5, 59, true), row(-6, 60, true)]));
        assert_eq!((swept.rows.len(), swept.late), (3, 2));
        assert_eq!(w.read_to(), Some(at(60)));
        w.ahead = Span::seconds(20);
        assert_eq!(w.read_to(), Some(at(40)), "in UTC");
        let mut by_time = now();
        let fresh = by_time.take(read(&[row(1, 110, false), row(2, 105, false)]));
        assert_eq!(fresh.late, 0, "by time, only a sweep finds late rows");
    }

    #[test]
    fn the_floor_is_the_overlap_below_the_lower_of_clock_and_high_water_mark() {
        let mut w = now();
        w.advance(at(150), None);
        w.settle(&horizon(120, None, None));
        assert_eq!(w.floor, at(115).pg_micros());
        w.settle(&horizon(170, None, None));
        assert_eq!(w.floor, at(145).pg_micros());
        w.take(read(&[row(1, 146, false), row(2, 160, false)]));
        w.settle(&horizon(170, None, None));
        assert_eq!(w.floor, at(155).pg_micros());
        assert_eq!(w.unseen(vec![key_at(1, 146), key_at(2, 160)]), [Id::Int(1)], "keys below the floor are dropped");
    }

    #[test]
    fn a_prepared_transaction_holds_the_floor_for_the_longest_time() {
        let mut prepared = horizon(10_000, Some(9_999), None);
        prepared.prepared = true;
        let w = Window::new(Start::Now, &prepared);
        assert_eq!(w.floor, at(10_000).minus(LONGEST).pg_micros());
        assert!(matches!(w.guarantee(), Guarantee::Open { .. }));
        let mut w = Window::new(Start::Now, &horizon(9_990, None, None));
        w.advance(at(10_000), None);
        w.settle(&prepared);
        assert_eq!(w.floor, at(9_985).pg_micros(), "it does not rise");
        w.settle(&horizon(10_000, None, None));
        assert_eq!(w.floor, at(9_995).pg_micros());
        // An overlap longer than that is kept.
        prepared.overlap = Span::minutes(20);
        let w = Window::new(Start::Now, &prepared);
        assert_eq!(w.floor, at(10_000).minus(Span::minutes(20)).pg_micros());
    }

    #[test]
    fn the_guarantee_is_what_the_horizon_allows() {
        let open = Guarantee::Open { longest: LONGEST, overlap: Span::seconds(5) };
        let overlap = Guarantee::Overlap(Span::seconds(5));
        let mut blind = horizon(100, None, None);
        blind.sees_all = false;
        assert_eq!(now().guarantee(), open);
        assert_eq!(Window::new(Start::Now, &blind).guarantee(), overlap);
        assert_eq!(Window::new(Start::Now, &horizon(100, None, Some((7, true)))).guarantee(), Guarantee::Every);
        let mut w = now();
        w.settle(&blind);
        assert_eq!(w.guarantee(), overlap);
        w.settle(&horizon(101, None, None));
        assert_eq!(w.guarantee(), open);
    }

    #[test]
    fn numbers_held_by_transactions_that_were_open_at_the_start_are_not_promised() {
        let open = Guarantee::Open { longest: LONGEST, overlap: Span::seconds(5) };
        let numbers = Some((5000, false));
        let mut w = Window::new(Start::Now, &horizon(100, Some(60), numbers));
        assert_eq!(w.guarantee(), Guarantee::Overlap(Span::seconds(5)));
        w.settle(&horizon(110, Some(99), numbers));
        assert_eq!(w.guarantee(), Guarantee::Overlap(Span::seconds(5)));
        w.settle(&horizon(120, Some(100), numbers));
        assert_eq!(w.guarantee(), open, "it has ended; a later one has numbers above the floor");
        w.settle(&horizon(130, Some(50), numbers));
        assert_eq!(w.guarantee(), open);
        assert_eq!(Window::new(Start::Now, &horizon(100, None, numbers)).guarantee(), open);
        let mut prepared = horizon(100, None, numbers);
        prepared.prepared = true;
        assert_eq!(Window::new(Start::Now, &prepared).guarantee(), Guarantee::Overlap(Span::seconds(5)));
        assert_eq!(Window::new(Start::Now, &horizon(100, Some(60), None)).guarantee(), open, "by time");
    }

    #[test]
    fn too_many_keys_raise_the_floor_and_shorten_the_guarantee() {
        let full = i64::try_from(KEYS).unwrap();
        let mut w = now();
        w.take(read(&[row(0, 100, false)]));
        let keys: Vec<_> = (1..full).map(|n| TailKey { place: at(96).pg_micros() + n, ..key_at(n, 96) }).collect();
        w.mark(&keys);
        w.settle(&horizon(101, None, None));
        assert_eq!((w.seen.len(), w.floor), (KEYS, at(95).pg_micros()), "as many as fit");
        w.mark(&[key_at(full, 97)]);
        w.settle(&horizon(101, None, None));
        assert_eq!(w.seen.len(), KEYS / 2);
        let floor = at(96).pg_micros() + full / 2 + 2;
        assert_eq!(w.floor, floor);
        let age = at(101).since(Instant::from_pg_micros(floor)).unwrap();
        assert_eq!(w.guarantee(), Guarantee::Overlap(age));
        w.settle(&horizon(102, None, None));
        assert!(matches!(w.guarantee(), Guarantee::Open { .. }), "the rest fits");
        assert_eq!(w.floor, floor, "a floor never goes back");
        // Numbers have no age.
        let mut w = Window::new(Start::Now, &horizon(100, None, Some((full * 2, true))));
        w.mark(&(0..=full).map(|n| TailKey { place: full * 2 - 999 + n, ..key_at(n, 96) }).collect::<Vec<_>>());
        w.settle(&horizon(101, None, Some((full * 2, true))));
        assert_eq!((w.seen.len(), w.guarantee()), (KEYS / 2, Guarantee::Every));
    }

    #[test]
    fn a_skip_begins_again_at_the_horizon() {
        let mut w = now();
        w.take(read(&[row(1, 130, false)]));
        w.skip(&horizon(200, None, None));
        assert_eq!((w.head(at(200)), w.floor, w.newest), (time(200, Some(201)), at(195).pg_micros(), Some(at(130))));
        assert!(w.seen.is_empty());
    }

    #[test]
    fn history_of_a_numbered_source_is_sent_up_to_its_numbers() {
        let mut w = Window::new(Start::At(at(50)), &horizon(100, None, Some((7, true))));
        assert_eq!(w.head(at(100)), time(50, None));
        assert_eq!(w.floor, 7 - NUMBERS);
        let mut rows = [row(6, 55, true), row(7, 56, true), row(8, 57, true)];
        for row in &mut rows {
            row.place = row.at.pg_micros();
        }
        let more = Some((at(57).pg_micros(), Id::Int(8)));
        let fresh = w.take(TailRows { rows: rows.to_vec(), more, ..TailRows::default() });
        let sent: Vec<_> = fresh.rows.iter().map(|r| r.id.clone()).collect();
        assert_eq!((sent, fresh.more), (vec![Id::Int(6), Id::Int(7)], true));
        let after = Some(Cursor { at: at(57), id: Id::Int(8) });
        assert_eq!(w.head(at(100)), TimeSlice::Time { from: at(57), after, until: None });
        assert_eq!(w.read_to(), Some(at(57)));
        w.settle(&horizon(100, None, Some((9, true))));
        assert_eq!(w.floor, 7 - NUMBERS, "no floor rises in history");
        assert!(w.take(read(&[])).more);
        assert_eq!(w.head(at(100)), TimeSlice::Serial { after: 7, until: None });
        w.settle(&horizon(100, None, Some((9, true))));
        assert_eq!(w.floor, 7 - NUMBERS);
        w.advance(at(100), Some(&horizon(100, None, Some((5000, true)))));
        w.settle(&horizon(100, None, Some((5000, true))));
        assert_eq!(w.floor, 5000 - NUMBERS);
    }

    #[test]
    fn equal_or_higher_numbers_are_no_renumbering() {
        let mut w = Window::new(Start::Now, &horizon(100, None, Some((2000, true))));
        w.mark(&[TailKey { place: 2000, ..key_at(1, 1) }]);
        w.renumber(&horizon(101, None, Some((2000, true))));
        w.renumber(&horizon(101, None, Some((2001, true))));
        w.renumber(&horizon(101, None, Some((1, false))));
        assert_eq!((w.head(at(101)), w.floor), (TimeSlice::Serial { after: 2000, until: None }, 2000 - NUMBERS));
        assert_eq!((w.seen.len(), w.renumbered.len()), (1, 0));
        w.renumber(&horizon(101, None, Some((1999, true))));
        assert_eq!((w.head(at(101)), w.floor), (TimeSlice::Serial { after: 1999, until: None }, 1999 - NUMBERS));
        assert_eq!((w.seen.len(), w.renumbered.len()), (0, 1));
        let keys = vec![TailKey { place: 5, ..key_at(1, 1) }, TailKey { place: 5, ..key_at(2, 1) }];
        assert_eq!(w.unseen(keys), [Id::Int(2)]);
    }

    #[test]
    fn numbers_rise_with_the_horizon_that_saw_them() {
        let mut w = Window::new(Start::Now, &horizon(0, None, Some((0, false))));
        let reach = |w: &mut Window, number: i64, second: i64, open: Option<i64>| {
            let horizon = horizon(second, open, Some((number, false)));
            w.advance(at(second), Some(&horizon));
            w.settle(&horizon);
            w.floor
        };
        assert_eq!(reach(&mut w, 10_000, 10, None), -NUMBERS);
        assert_eq!(reach(&mut w, 20_000, 14, None), -NUMBERS, "the first horizon is not an overlap old");
        assert_eq!(reach(&mut w, 30_000, 15, None), 10_000, "now it is");
        assert_eq!(reach(&mut w, 40_000, 18, None), 10_000);
        assert_eq!(reach(&mut w, 50_000, 19, Some(15)), 20_000, "of those that are, the newest");
        assert_eq!(reach(&mut w, 60_000, 40, Some(18)), 40_000, "no newer than the oldest open transaction");
        assert_eq!(reach(&mut w, 60_500, 60, None), 59_500, "and never the last numbers");
    }

    #[test]
    fn the_floor_waits_for_the_oldest_open_transaction() {
        let mut w = Window::new(Start::Now, &horizon(100, None, None));
        assert_eq!(w.take(read(&[row(1, 110, false)])).rows.len(), 1);
        w.settle(&horizon(111, Some(60), None));
        assert_eq!(w.floor, at(95).pg_micros(), "a floor never goes back");
        w.settle(&horizon(160, Some(108), None));
        assert_eq!(w.floor, at(105).pg_micros(), "no higher than the overlap behind what was read");
        let late = row(2, 108, false);
        assert_eq!(w.unseen(vec![key(&row(1, 110, false)), key(&late)]), [Id::Int(2)]);
        let fresh = w.take_swept(read(std::slice::from_ref(&late)));
        assert_eq!((fresh.rows.len(), fresh.late), (1, 1));
        assert_eq!(w.take_swept(read(&[late])).rows.len(), 0, "sent once");
    }

    #[test]
    fn the_floor_does_not_wait_for_a_transaction_that_is_open_too_long() {
        let mut w = Window::new(Start::Now, &horizon(100_000, None, None));
        w.advance(at(200_000), None);
        w.settle(&horizon(200_000, Some(0), None));
        assert_eq!(w.floor, at(200_000).minus(LONGEST).pg_micros());
    }

    #[test]
    fn history_ends_where_the_numbers_begin() {
        let start = Start::At(at(50));
        let mut w = Window::new(start, &horizon(100, None, Some((7, true))));
        assert_eq!(w.existing(start), [TimeSlice::Serial { after: 7 - NUMBERS, until: Some(7) }]);
        let mut later = row(8, 60, true);
        later.place = at(60).pg_micros();
        let mut first = row(3, 55, true);
        first.place = at(55).pg_micros();
        let fresh = w.take(read(&[first, later]));
        assert_eq!((fresh.rows.len(), fresh.more), (1, true), "a row with a higher number is read by number");
        assert_eq!(w.head(at(101)), TimeSlice::Serial { after: 7, until: None });
        let fresh = w.take(read(&[row(8, 60, true), row(9, 10, true)]));
        assert_eq!(fresh.rows.len(), 1, "a row older than the start is not sent");
    }

    #[test]
    fn lower_numbers_are_read_again_and_ids_sent_before_are_not_sent_again() {
        let mut w = Window::new(Start::Now, &horizon(100, None, Some((0, true))));
        assert_eq!(w.take(read(&[row(1, 1, true), row(2, 2, true)])).rows.len(), 2);
        w.renumber(&horizon(101, None, Some((1, true))));
        assert_eq!(w.head(at(101)), TimeSlice::Serial { after: 1, until: None });
        assert_eq!(w.unseen(vec![key(&row(1, 1, true))]), [], "seen by its id");
    }

    #[test]
    fn numbers_of_a_sequence_are_compared_down_to_the_oldest_open_transaction() {
        let mut w = Window::new(Start::Now, &horizon(0, None, Some((0, false))));
        for second in 1..=100 {
            let rows: Vec<_> = (0..100).map(|n| row(second * 100 + n, second, true)).collect();
            assert_eq!(w.take(read(&rows)).rows.len(), 100);
            w.settle(&horizon(second, Some(50), Some((second * 100 + 99, false))));
        }
        assert!(w.floor <= 5099, "numbers assigned since second 50 lie above {}", w.floor);
        w.settle(&horizon(200, None, Some((10_099, false))));
        assert_eq!(w.floor, 10_099 - NUMBERS);
    }
}
