//! The histogram: rows over time by outcome, counted by the database for the whole result, newest slice first.
//!
//! It holds counts and a cursor, and draws nothing. Live rows are added to the buckets that are counted already; a slice
//! during whose query rows arrived is counted again, because its query may or may not have seen them.

use std::time::Duration;

use crate::domain::event::{Outcome, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::{Instant, Span};
use crate::protocol::query::{Histogram, HistogramQuery};
use crate::protocol::{Query, Request, Slot, SourceError, Ticket};

/// Widths in seconds that a bucket may have: those with round bounds.
const WIDTHS: [i64; 26] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200,
    86_400, 172_800, 604_800, 1_209_600, 2_592_000,
];

/// A sixtieth of the buckets is counted first (one to three on most screens), so that a bar shows soon on a table of any
/// size. Each further slice is twice as long.
const FIRST: usize = 60;
/// A slice that is disturbed by arriving rows is counted again at most this often; later rows wait for the next count.
const TRIES: u32 = 3;
/// Rows that lie apart from the bulk, as a share of all: one in a thousand does not set the scale.
const OUTLIERS: u64 = 1000;

/// Equal buckets on round bounds, oldest first.
#[derive(Clone, Debug, Default)]
struct Plot {
    /// The beginning of the first bucket, UTC; `None` before the first layout.
    from: Option<Instant>,
    /// The width of each bucket.
    width: Span,
    /// Rows by outcome, in the order of [`Outcome::ALL`]; `None` if not counted yet.
    counts: Vec<Option<[u64; 4]>>,
}

/// The slice whose query is in flight: its first bucket, the one after its last, and whether rows arrived meanwhile.
#[derive(Clone, Copy, Debug)]
struct Slice {
    first: usize,
    end: usize,
    disturbed: bool,
    /// Queries for this slice so far.
    tries: u32,
}

/// The buckets on screen, and those that are being counted.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// What is drawn.
    shown: Plot,
    /// Counted out of sight: replaces `shown` when it is complete, so that a recount does not flicker.
    hidden: Option<Plot>,
    /// The query in flight; at most one.
    slice: Option<Slice>,
    /// The bucket under the cursor, while the histogram has the focus.
    cursor: Option<usize>,
    /// That of the newest query; replies to older ones do not match.
    generation: u64,
    /// Why the last query failed. Buckets that are not counted stay so until the next layout.
    failed: Option<SourceError>,
}

impl Plot {
    /// Empty buckets: at most `columns` of them from `from` to `until`.
    fn of(from: Instant, until: Instant, columns: u16) -> Self {
        let columns = i64::from(columns.max(8));
        let length = until.since(from).map_or(0, |s| s.as_seconds().max(1) + 1);
        let step = WIDTHS.into_iter().find(|w| length / w + 2 <= columns).unwrap_or(length / (columns - 3) + 1);
        let step_micros = step.saturating_mul(1_000_000);
        let first = Instant::from_pg_micros(from.pg_micros().div_euclid(step_micros).saturating_mul(step_micros));
        let buckets = until.since(first).map_or(1, |s| s.0 / step_micros + 1).clamp(1, columns);
        let counts = vec![None; usize::try_from(buckets).unwrap_or(1)];
        Self { from: Some(first), width: Span(step_micros), counts }
    }

    /// The bucket of an instant, which may lie beyond the last one; `None` before the first.
    fn bucket(&self, at: Instant) -> Option<usize> {
        let offset = at.since(self.from?)?;
        let valid = self.width.0 > 0 && offset.0 >= 0;
        valid.then(|| usize::try_from(offset.0 / self.width.0).unwrap_or(usize::MAX))
    }

    /// Adds a live row to its bucket if that is counted; a row shortly beyond the last bucket moves the range on.
    fn arrive(&mut self, row: &RenewalEvent) {
        let (Some(from), Some(mut index)) = (self.from, self.bucket(row.created_at)) else { return };
        let last = self.counts.len();
        if index >= last {
            // A row of a clock that runs ahead must not empty the histogram.
            if index >= last + (last / 4).max(1) {
                return;
            }
            let shift = index + 1 - last;
            self.counts.drain(..shift.min(last));
            self.counts.resize(last, Some([0; 4]));
            self.from = Some(from.plus(Span(self.width.0.saturating_mul(shift as i64))));
            index = last - 1;
        }
        let place = Outcome::ALL.iter().position(|o| *o == row.outcome());
        if let (Some(Some(counts)), Some(place)) = (self.counts.get_mut(index), place)
            && let Some(n) = counts.get_mut(place)
        {
            *n += 1;
        }
    }

    /// Whether every bucket is counted.
    fn is_counted(&self) -> bool {
        self.counts.iter().all(Option::is_some)
    }
}

impl Bars {
    /// Starts over with empty buckets: at most `columns` of them from `from` to `until`, on round bounds.
    pub fn lay_out(&mut self, from: Instant, until: Instant, columns: u16) {
        self.shown = Plot::of(from, until, columns);
        self.hidden = None;
        self.failed = None;
        self.cursor = self.cursor.map(|_| self.shown.counts.len() - 1);
    }

    /// As [`lay_out`](Self::lay_out), but the buckets on screen stay until the new ones are counted.
    pub fn lay_out_behind(&mut self, from: Instant, until: Instant, columns: u16) {
        if !self.shown.is_counted() {
            return self.lay_out(from, until, columns);
        }
        self.hidden = Some(Plot::of(from, until, columns));
        self.failed = None;
    }

    /// Requests the first slice of the buckets.
    pub fn count(&mut self, criteria: Criteria, wait: Duration) -> Option<Request> {
        let n = self.plot().counts.len();
        self.request(Slice { first: n - (n / FIRST).max(1).min(n), end: n, disturbed: false, tries: 1 }, criteria, wait)
    }

    /// The buckets that queries are for: the hidden ones, if there are any.
    fn plot(&self) -> &Plot {
        self.hidden.as_ref().unwrap_or(&self.shown)
    }
    fn plot_mut(&mut self) -> &mut Plot {
        self.hidden.as_mut().unwrap_or(&mut self.shown)
    }

    /// Requests the counts of a slice, under a ticket of a new generation. `None` before the first layout.
    fn request(&mut self, slice: Slice, criteria: Criteria, debounce: Duration) -> Option<Request> {
        let Plot { from, width, .. } = *self.plot();
        let from = from?.plus(Span(width.0.saturating_mul(slice.first as i64)));
        self.slice = Some(slice);
        self.generation += 1;
        let buckets = u32::try_from(slice.end - slice.first).unwrap_or(u32::MAX);
        let query = HistogramQuery { criteria, from, width_micros: width.0, buckets };
        let ticket = Ticket { slot: Slot::Histogram, generation: self.generation };
        Some(Request { ticket, query: Query::Histogram(query), debounce })
    }

    /// Whether the reply belongs to the query in flight.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.slice.is_some() && ticket.slot == Slot::Histogram && ticket.generation == self.generation
    }

    /// Takes a slice; requests it again if rows arrived during its query, else the next older one, twice as long, until
    /// all is counted.
    pub fn settle(
        &mut self,
        outcome: Result<Histogram, SourceError>,
        criteria: impl FnOnce() -> Criteria,
    ) -> Option<Request> {
        let slice = self.slice.take()?;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(SourceError::Cancelled) => return None,
            Err(error) => {
                self.failed = Some(error);
                return None;
            }
        };
        if slice.disturbed && slice.tries < TRIES {
            let again = Slice { disturbed: false, tries: slice.tries + 1, ..slice };
            return self.request(again, criteria(), Duration::ZERO);
        }
        for (place, counted) in self.plot_mut().counts.iter_mut().skip(slice.first).zip(answer.buckets) {
            *place = Some(counted);
        }
        if slice.first > 0 {
            let first = slice.first.saturating_sub((slice.end - slice.first) * 2);
            let next = Slice { first, end: slice.first, disturbed: false, tries: 1 };
            return self.request(next, criteria(), Duration::ZERO);
        }
        if let Some(plot) = self.hidden.take() {
            self.cursor = self.cursor.map(|c| c.min(plot.counts.len().saturating_sub(1)));
            self.shown = plot;
        }
        None
    }

    /// Adds a live row to the buckets that are counted.
    pub fn arrive(&mut self, row: &RenewalEvent) {
        // The buckets move on below, and the query in flight keeps its own: it is counted again.
        let (length, at) = (self.plot().counts.len(), self.plot().bucket(row.created_at));
        if let (Some(slice), Some(at)) = (&mut self.slice, at) {
            slice.disturbed |= (slice.first..slice.end).contains(&at);
            if at >= length {
                slice.disturbed = true;
                return;
            }
        }
        self.shown.arrive(row);
        if let Some(plot) = &mut self.hidden {
            plot.arrive(row);
        }
    }

    /// Where the bulk of the rows begins, if it fills less than half of the buckets: at most one row in a thousand, and at
    /// least one, is older. So one row of a wrong clock does not spread the axis over decades.
    pub fn bulk(&self) -> Option<Instant> {
        if self.is_loading() || !self.shown.is_counted() {
            return None;
        }
        let sums: Vec<u64> = self.shown.counts.iter().flatten().map(|c| c.iter().sum()).collect();
        let all: u64 = sums.iter().sum();
        let mut older = 0;
        let first = sums.iter().position(|n| {
            older += n;
            older * OUTLIERS > all.max(OUTLIERS)
        })?;
        let from = self.shown.from?.plus(Span(self.shown.width.0.saturating_mul(first as i64)));
        (first > sums.len() / 2).then_some(from)
    }

    /// Puts the cursor on the newest bucket, or removes it.
    pub fn focus(&mut self, on: bool) {
        self.cursor = if on { self.shown.counts.len().checked_sub(1) } else { None };
    }
    /// Moves the cursor within the buckets; without a cursor nothing happens.
    pub fn step(&mut self, delta: isize) {
        let last = self.shown.counts.len().saturating_sub(1);
        self.cursor = self.cursor.map(|c| c.saturating_add_signed(delta).min(last));
    }
    /// The bucket under the cursor, from 0 for the oldest.
    pub fn cursor(&self) -> Option<usize> {
        self.cursor
    }
    /// From when (included) until when (excluded) the bucket under the cursor reaches.
    pub fn bucket(&self) -> Option<(Instant, Instant)> {
        let offset = self.shown.width.0.saturating_mul(i64::try_from(self.cursor?).ok()?);
        let from = self.shown.from?.plus(Span(offset));
        Some((from, from.plus(self.shown.width)))
    }
    /// The whole range that is shown.
    pub fn range(&self) -> Option<(Instant, Instant)> {
        let from = self.shown.from?;
        Some((from, from.plus(Span(self.shown.width.0.saturating_mul(self.shown.counts.len() as i64)))))
    }

    /// First instant and width of the buckets; `None` before the first query.
    pub fn scale(&self) -> Option<(Instant, Span)> {
        Some((self.shown.from?, self.shown.width))
    }
    /// Rows of each bucket by outcome, in the order of [`Outcome::ALL`], oldest bucket first; `None` if not counted
    /// yet.
    pub fn counts(&self) -> &[Option<[u64; 4]>] {
        &self.shown.counts
    }
    /// Rows in all buckets; `None` before all are counted.
    pub fn total(&self) -> Option<u64> {
        self.shown.counts.iter().map(|c| c.map(|c| c.iter().sum::<u64>())).sum()
    }
    /// The rows of the highest bucket counted so far, to which the heights are scaled.
    pub fn peak(&self) -> u64 {
        self.shown.counts.iter().flatten().map(|c| c.iter().sum()).max().unwrap_or(0)
    }
    /// Whether buckets on screen are still being counted.
    pub fn is_loading(&self) -> bool {
        self.slice.is_some() && self.hidden.is_none()
    }
    /// Whether a query is in flight, also one that is counted out of sight.
    pub fn is_counting(&self) -> bool {
        self.slice.is_some()
    }
    /// Why counting failed; the next layout clears it.
    pub fn error(&self) -> Option<&SourceError> {
        self.failed.as_ref()
    }
    /// Gives up the query in flight and the hidden buckets. What is on screen stays.
    pub fn cancel(&mut self) {
        self.slice = None;
        self.hidden = None;
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests;
