//! The histogram: rows over time by outcome, counted by the database for the whole result, newest slice first.
//!
//! It holds counts and a cursor, and draws nothing. Live rows are added to the buckets that are counted already.

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

/// The buckets, and the slice of them that is being counted.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    from: Option<Instant>,
    width: Span,
    /// Rows by outcome, in the order of [`Outcome::ALL`]; `None` if not counted yet.
    counts: Vec<Option<[u64; 4]>>,
    /// The slice that is being counted: its first bucket, and the one after its last.
    slice: Option<(usize, usize)>,
    /// The bucket under the cursor, while the histogram has the focus.
    cursor: Option<usize>,
    generation: u64,
    failed: Option<SourceError>,
}

impl Bars {
    /// Starts over with empty buckets: at most `columns` of them from `from` to `until`, on round bounds.
    pub fn lay_out(&mut self, from: Instant, until: Instant, columns: u16) {
        let columns = i64::from(columns.max(8));
        let length = until.since(from).map_or(0, |s| s.as_seconds().max(1) + 1);
        let step = WIDTHS.into_iter().find(|w| length / w + 2 <= columns).unwrap_or(length / (columns - 3) + 1);
        let step_micros = step.saturating_mul(1_000_000);
        let first = Instant::from_pg_micros(from.pg_micros().div_euclid(step_micros).saturating_mul(step_micros));
        let buckets = until.since(first).map_or(1, |s| s.0 / step_micros + 1).clamp(1, columns);
        self.from = Some(first);
        self.width = Span(step_micros);
        self.counts = vec![None; usize::try_from(buckets).unwrap_or(1)];
        self.failed = None;
        self.cursor = self.cursor.map(|_| self.counts.len() - 1);
    }

    /// Requests the first slice of the buckets.
    pub fn count(&mut self, criteria: Criteria, wait: Duration) -> Option<Request> {
        let n = self.counts.len();
        self.request((n - (n / FIRST).max(1), n), criteria, wait)
    }

    fn request(&mut self, slice: (usize, usize), criteria: Criteria, debounce: Duration) -> Option<Request> {
        let from = self.from?.plus(Span(self.width.0.saturating_mul(slice.0 as i64)));
        self.slice = Some(slice);
        self.generation += 1;
        let buckets = u32::try_from(slice.1 - slice.0).unwrap_or(u32::MAX);
        let query = HistogramQuery { criteria, from, width_micros: self.width.0, buckets };
        let ticket = Ticket { slot: Slot::Histogram, generation: self.generation };
        Some(Request { ticket, query: Query::Histogram(query), debounce })
    }

    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.slice.is_some() && ticket.slot == Slot::Histogram && ticket.generation == self.generation
    }

    /// Takes a slice; requests the next older one, twice as long, until all is counted.
    pub fn settle(
        &mut self,
        outcome: Result<Histogram, SourceError>,
        criteria: impl FnOnce() -> Criteria,
    ) -> Option<Request> {
        let (first, end) = self.slice.take()?;
        match outcome {
            Err(SourceError::Cancelled) => None,
            Err(error) => {
                self.failed = Some(error);
                None
            }
            Ok(answer) => {
                for (place, counted) in self.counts.iter_mut().skip(first).zip(answer.buckets) {
                    *place = Some(counted);
                }
                if first == 0 {
                    return None;
                }
                let next = first.saturating_sub((end - first) * 2);
                self.request((next, first), criteria(), Duration::ZERO)
            }
        }
    }

    /// Adds a live row; a row beyond the last bucket moves the range on.
    pub fn arrive(&mut self, row: &RenewalEvent) {
        let Some(from) = self.from else { return };
        let Some(offset) = row.created_at.since(from) else { return };
        if self.width.0 <= 0 || offset.0 < 0 || self.slice.is_some() {
            return;
        }
        let index = usize::try_from(offset.0 / self.width.0).unwrap_or(usize::MAX);
        let last = self.counts.len();
        if index >= last {
            // A row of a clock that runs ahead must not empty the histogram.
            if index >= last + last / 4 {
                return;
            }
            let shift = index + 1 - last;
            self.counts.drain(..shift.min(last));
            self.counts.resize(last, Some([0; 4]));
            self.from = Some(from.plus(Span(self.width.0.saturating_mul(shift as i64))));
        }
        let place = Outcome::ALL.iter().position(|o| *o == row.outcome());
        if let (Some(Some(counts)), Some(place)) = (self.counts.get_mut(index.min(last.saturating_sub(1))), place)
            && let Some(n) = counts.get_mut(place)
        {
            *n += 1;
        }
    }

    /// Puts the cursor on the newest bucket, or removes it.
    pub fn focus(&mut self, on: bool) {
        self.cursor = if on { self.counts.len().checked_sub(1) } else { None };
    }
    pub fn step(&mut self, delta: isize) {
        let last = self.counts.len().saturating_sub(1);
        self.cursor = self.cursor.map(|c| c.saturating_add_signed(delta).min(last));
    }
    pub fn cursor(&self) -> Option<usize> {
        self.cursor
    }
    /// From when (included) until when (excluded) the bucket under the cursor reaches.
    pub fn bucket(&self) -> Option<(Instant, Instant)> {
        let from = self.from?.plus(Span(self.width.0.saturating_mul(i64::try_from(self.cursor?).ok()?)));
        Some((from, from.plus(self.width)))
    }
    /// The whole range that is shown.
    pub fn range(&self) -> Option<(Instant, Instant)> {
        let from = self.from?;
        Some((from, from.plus(Span(self.width.0.saturating_mul(self.counts.len() as i64)))))
    }

    /// First instant and width of the buckets; `None` before the first query.
    pub fn scale(&self) -> Option<(Instant, Span)> {
        Some((self.from?, self.width))
    }
    pub fn counts(&self) -> &[Option<[u64; 4]>] {
        &self.counts
    }
    pub fn peak(&self) -> u64 {
        self.counts.iter().flatten().map(|c| c.iter().sum()).max().unwrap_or(0)
    }
    pub fn is_loading(&self) -> bool {
        self.slice.is_some()
    }
    pub fn error(&self) -> Option<&SourceError> {
        self.failed.as_ref()
    }
    pub fn cancel(&mut self) {
        self.slice = None;
        self.generation += 1;
    }
}
