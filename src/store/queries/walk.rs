//! A search that no index carries, as a walk through time: slice after slice from where the page begins, until the page
//! is full or the time for one question is used up.
//!
//! One statement for such a page would read the whole table before it says that nothing matches. A slice is an ordinary
//! page within a stretch of time. How long a stretch is follows from a number of rows, not from the clock: an hour of an
//! incident holds as many rows as a quiet month. This module composes no SQL and knows no text.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use crate::domain::event::RenewalEvent;
use crate::domain::filter::criteria::Check;
use crate::domain::instant::{Instant, Span};
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::options::SearchBudget;
use crate::store::queries::asker::Asker;
use crate::store::queries::resolved::Condition;
use crate::store::queries::resolved::{Resolved, Set};
use crate::store::queries::sql::aggregate::reach;
use crate::store::queries::sql::keys::{Bound, MAX_HEADS, Order, branches};
use crate::store::queries::sql::page::Errors;
use crate::store::source::Source;

/// The slices are sized to take about this long.
const SLICE: Duration = Duration::from_millis(25);
/// No slice is sized to fewer rows: the statement itself would be most of the cost.
const LEAST: u64 = 100;

/// Rows newest first, whether more may follow, and where the look ended if time ended it.
type Found = (Vec<Arc<RenewalEvent>>, bool, Option<Instant>);

/// Whether a page could make its asker wait: something is asked of the rows themselves that no index answers, and an
/// index can at least read a stretch of time alone.
pub fn is_called_for(source: &Source, resolved: &Resolved) -> bool {
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
    // Of a relation that is made for the purpose no more is known than that the time has an index.
    let sets = resolved.kinds != Set::All || resolved.orgs != Set::All || resolved.devices != Set::All;
    let unknown = !source.map.is_table() && (sets || !resolved.rest.is_empty());
    source.indexes.clock
        && !resolved.narrowed
        && (unknown || resolved.rest.iter().any(unindexed))
        && !resolved.rest.iter().any(by_id)
}

/// Looks from the bound on in the direction of the order.
pub async fn walk(
    asker: &Asker<'_>,
    s: &mut Session,
    mut rest: Resolved,
    (mut bound, order): (Bound, Order),
    (limit, budget): (u32, SearchBudget),
) -> Result<Found, SourceError> {
    let begun = Moment::now();
    let most = most_rows(asker.source, &rest);
    let mut size = budget.first_slice.clamp(1, most);
    let mut rows: Vec<Arc<RenewalEvent>> = Vec::new();
    loop {
        if rest.is_empty() || limit == 0 {
            return Ok((rows, false, None));
        }
        let started = Moment::now();
        let end = slice_end(asker, s, &rest, &bound, order, size).await?;
        let (slice, beyond) = cut(&rest, order, end);
        let want = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let (mut found, more) = asker.rows(s, &slice, bound, order, (want, Errors::Head)).await?;
        if order == Order::NewestFirst {
            rows.append(&mut found);
        } else {
            found.append(&mut rows);
            rows = found;
        }
        let Some((end, beyond)) = end.zip(beyond) else { return Ok((rows, more, None)) };
        if rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok((rows, more || !beyond.is_empty(), None));
        }
        if begun.elapsed() >= budget.time && !beyond.is_empty() {
            return Ok((rows, true, Some(end)));
        }
        (rest, bound) = (beyond, Bound::Nowhere);
        size = next_size(size, started.elapsed()).clamp(LEAST.min(most), most);
    }
}

/// The most rows of a slice whose end is found through the same branches as its rows.
fn most_rows(source: &Source, resolved: &Resolved) -> u64 {
    let branches = u64::try_from(branches(source, resolved).len()).unwrap_or(u64::MAX);
    if branches > 1 { (MAX_HEADS / branches).max(1) } else { u64::MAX / 8 }
}

/// Doubles, or twice that, while slices are quick; halves when one took too long.
fn next_size(size: u64, took: Duration) -> u64 {
    match took {
        t if t < SLICE / 4 => size * 4,
        t if t < SLICE / 2 => size * 2,
        t if t > SLICE => size / 2,
        _ => size,
    }
}

/// The instant of the last of the next `size` rows; `None` where they are the last ones, or where no instant is next to
/// it: what remains is then one slice.
async fn slice_end(
    asker: &Asker<'_>,
    s: &mut Session,
    rest: &Resolved,
    bound: &Bound,
    order: Order,
    size: u64,
) -> Result<Option<Instant>, SourceError> {
    let (sql, shape) = reach(asker.source, rest, bound, order, size);
    let Some(mut row) = s.rows(&sql, &shape).await?.into_iter().next() else { return Ok(None) };
    let (end, counted) = (row.time(0), row.int(1).and_then(|n| u64::try_from(n).ok()).unwrap_or(0));
    let end = end.map(|t| asker.source.map.created_at.instant(t));
    Ok(end.filter(|t| counted >= size && step(*t, order).is_some()))
}

/// The instant next to this one in the direction of the order; `None` at the ends of time.
fn step(t: Instant, order: Order) -> Option<Instant> {
    let next = if order == Order::NewestFirst { t.minus(Span(1)) } else { t.plus(Span(1)) };
    (next != t).then_some(next)
}

/// What lies within the slice, its end included, and what lies beyond it.
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
    fn slices_follow_the_time_that_they_take() {
        for (millis, expected) in [(1, 4000), (7, 2000), (13, 1000), (25, 1000), (26, 500), (9000, 500)] {
            assert_eq!(next_size(1000, Duration::from_millis(millis)), expected, "{millis} ms");
        }
    }

    #[test]
    fn a_cut_loses_no_instant() {
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
    fn nothing_lies_beyond_the_ends_of_time() {
        assert_eq!(step(Instant::NEG_INFINITY, Order::NewestFirst), None);
        assert_eq!(step(Instant::INFINITY, Order::OldestFirst), None);
        // Infinity is no step from any finite instant, but it lies beyond it.
        assert!(step(Instant::from_pg_micros(0), Order::OldestFirst).is_some());
    }
}
