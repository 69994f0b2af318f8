//! A search that no index supports, as a walk through time: slice after slice from the beginning of the page, until the
//! page is full or the time budget of the query is used up.
//!
//! One statement for such a page would read the whole table before it reports that nothing matches. A slice is an ordinary
//! page within a time slice. The size of a slice is a number of rows, not a duration: an hour of an incident holds as
//! many rows as a quiet month. Called by the queries of pages and slices. This module composes no SQL and must not leave a gap between
//! two slices.

use std::time::{Duration, Instant as Moment};

use crate::domain::filter::criteria::Check;
use crate::domain::instant::{Instant, Span};
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::options::SearchBudget;
use crate::store::queries::executor::Executor;
use crate::store::queries::page::Rows;
use crate::store::queries::resolved::{Condition, Resolved, Set};
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::aggregate::reach;
use crate::store::queries::sql::keys::{Bound, MAX_HEADS, Order, branches};
use crate::store::queries::sql::page::Window;
use crate::store::source::Source;

/// Slices are sized to take about this long.
const SLICE: Duration = Duration::from_millis(25);
/// The fewest rows of a slice: for fewer, the statement itself would be most of the cost.
const LEAST: u64 = 100;

/// Whether a page may take long: the filter tests a field that no index covers, and an index can at least read a time
/// slice alone.
pub fn applies_to(source: &Source, resolved: &Resolved) -> bool {
    let unindexed = |c: &Condition| {
        let Condition::Check(clause) = c else { return false };
        matches!(
            clause.check,
            Check::Text(_)
                | Check::Error(_)
                | Check::Reason(_)
                | Check::Expires(_)
                | Check::Extends(_)
                | Check::Severity(_)
        )
    };
    let by_id = |c: &Condition| matches!(c, Condition::Check(c) if !c.negated && matches!(c.check, Check::Id(_)));
    // Of a derived relation nothing is certain but that its time has an index.
    let sets = resolved.kinds != Set::All || resolved.orgs != Set::All || resolved.devices != Set::All;
    let unknown = !source.map.is_table() && (sets || !resolved.rest.is_empty());
    source.indexes.clock
        && !resolved.narrowed
        && (unknown || !resolved.signatures.is_empty() || resolved.rest.iter().any(unindexed))
        && !resolved.rest.iter().any(by_id)
}

impl Executor<'_> {
    /// The rows of a window, found slice by slice. The second value is the instant, in UTC, up to which the table was
    /// searched, where the budget ended the search.
    pub async fn walk(
        &self,
        s: &mut Session,
        mut rest: Resolved,
        mut window: Window,
        budget: SearchBudget,
    ) -> Result<(Rows, Option<Instant>), SourceError> {
        let begun = Moment::now();
        let (limit, order) = (window.limit, window.order);
        let most = most_rows(self.source, &rest);
        let mut size = budget.first_slice.clamp(1, most);
        let (mut events, mut unreadable) = (Vec::new(), 0);
        loop {
            if rest.is_empty() || limit == 0 {
                return Ok((Rows { events, more: false, unreadable }, None));
            }
            let started = Moment::now();
            let end = self.slice_end(s, &rest, &window, size).await?;
            let (slice, beyond) = cut(&rest, order, end);
            window.limit = limit.saturating_sub(u32::try_from(events.len()).unwrap_or(u32::MAX));
            let Rows { events: mut found, more, unreadable: odd } = self.rows(s, &slice, &window).await?;
            unreadable += odd;
            if order == Order::NewestFirst {
                events.append(&mut found);
            } else {
                found.append(&mut events);
                events = found;
            }
            let Some((end, beyond)) = end.zip(beyond) else { return Ok((Rows { events, more, unreadable }, None)) };
            if events.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                let more = more || !beyond.is_empty();
                return Ok((Rows { events, more, unreadable }, None));
            }
            if begun.elapsed() >= budget.time && !beyond.is_empty() {
                return Ok((Rows { events, more: true, unreadable }, Some(end)));
            }
            (rest, window.bound) = (beyond, Bound::Nowhere);
            size = next_size(size, started.elapsed()).clamp(LEAST.min(most), most);
        }
    }

    /// The instant of the last of the next `size` rows; `None` where the table ends before that, or where no instant is
    /// next to it: the remainder is then one slice.
    pub async fn slice_end(
        &self,
        s: &mut Session,
        rest: &Resolved,
        window: &Window,
        size: u64,
    ) -> Result<Option<Instant>, SourceError> {
        let (sql, shape) = reach(Selection::new(self.source, rest), &window.bound, window.order, size);
        let Some(mut row) = s.rows(&sql, &shape).await?.into_iter().next() else { return Ok(None) };
        let (end, counted) = (row.time(0), row.int(1).and_then(|n| u64::try_from(n).ok()).unwrap_or(0));
        let end = end.map(|t| self.source.map.created_at.instant(t));
        Ok(end.filter(|t| counted >= size && step(*t, window.order).is_some()))
    }
}

/// The most rows of a slice whose end is found through the same branches as its rows.
fn most_rows(source: &Source, resolved: &Resolved) -> u64 {
    let branches = u64::try_from(branches(source, resolved).len()).unwrap_or(u64::MAX);
    if branches > 1 { (MAX_HEADS / branches).max(1) } else { u64::MAX / 8 }
}

/// Doubles or quadruples the size while slices are quick, and halves it when one took too long.
fn next_size(size: u64, took: Duration) -> u64 {
    match took {
        t if t < SLICE / 4 => size * 4,
        t if t < SLICE / 2 => size * 2,
        t if t > SLICE => size / 2,
        _ => size,
    }
}

/// The instant next to this one in the direction of the order; `None` at the ends of time.
pub fn step(t: Instant, order: Order) -> Option<Instant> {
    let next = if order == Order::NewestFirst { t.minus(Span(1)) } else { t.plus(Span(1)) };
    (next != t).then_some(next)
}

/// The rows within the slice, its end included, and the rows beyond it.
fn cut(rest: &Resolved, order: Order, end: Option<Instant>) -> (Resolved, Option<Resolved>) {
    let (mut slice, mut beyond) = (rest.clone(), rest.clone());
    let Some(end) = end else { return (slice, None) };
    match order {
        Order::NewestFirst => {
            slice.clamp(Some(end), None);
            beyond.clamp(None, Some(end));
        }
        Order::OldestFirst => {
            let after = step(end, order);
            slice.clamp(None, after);
            beyond.clamp(after, None);
        }
    }
    (slice, Some(beyond))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_grows_and_shrinks_with_its_duration() {
        for (millis, expected) in [(1, 4000), (7, 2000), (13, 1000), (25, 1000), (26, 500), (9000, 500)] {
            assert_eq!(next_size(1000, Duration::from_millis(millis)), expected, "{millis} ms");
        }
    }

    #[test]
    fn a_cut_skips_no_instant() {
        let end = Instant::from_pg_micros(7);
        let everything = Resolved::everything();
        let (slice, beyond) = cut(&everything, Order::NewestFirst, Some(end));
        assert_eq!((slice.from, slice.until), (Some(end), None));
        assert_eq!(beyond.map(|b| (b.from, b.until)), Some((None, Some(end))));
        let (slice, beyond) = cut(&everything, Order::OldestFirst, Some(end));
        assert_eq!((slice.from, slice.until), (None, Some(Instant::from_pg_micros(8))));
        assert_eq!(beyond.map(|b| (b.from, b.until)), Some((Some(Instant::from_pg_micros(8)), None)));
        assert_eq!(cut(&everything, Order::OldestFirst, None), (everything, None));
    }

    #[test]
    fn the_ends_of_time_have_no_next_instant() {
        assert_eq!(step(Instant::NEG_INFINITY, Order::NewestFirst), None);
        assert_eq!(step(Instant::INFINITY, Order::OldestFirst), None);
        // No finite instant is next to infinity, but each has a next one.
        assert!(step(Instant::from_pg_micros(0), Order::OldestFirst).is_some());
    }
}
