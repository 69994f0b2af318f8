//! The buckets over rows that are counted by hand, in memory.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::domain::event::{Id, Kind};

fn at(second: i64) -> Instant {
    Instant::from_unix_micros(second * 1_000_000)
}

fn row(second: i64, kind: &str) -> RenewalEvent {
    RenewalEvent {
        id: Id::Int(second),
        device_id: Id::Int(0),
        org_id: None,
        kind: Kind::new(kind),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: None,
        created_at: at(second),
        device: None,
        org: None,
        beyond: None,
    }
}

fn query(request: &Request) -> &HistogramQuery {
    match &request.query {
        Query::Histogram(query) => query,
        other => panic!("{other:?}"),
    }
}

/// What a database answers for rows at these seconds, all of them failures.
fn answer(request: &Request, seconds: &[i64]) -> Histogram {
    let query = query(request);
    let mut buckets = vec![[0; 4]; query.buckets as usize];
    for second in seconds {
        let offset = at(*second).since(query.from).unwrap().0;
        if offset >= 0
            && let Some(bucket) = buckets.get_mut((offset / query.width_micros) as usize)
        {
            bucket[0] += 1;
        }
    }
    Histogram { buckets }
}

/// Answers all queries of a count. Returns the slices: first bucket and number of buckets.
fn count(bars: &mut Bars, seconds: &[i64]) -> Vec<(i64, u32)> {
    let mut request = bars.count(Criteria::default(), Duration::ZERO);
    let mut slices = Vec::new();
    while let Some(sent) = request {
        let (from, width) = bars.plot().from.map(|from| (from, bars.plot().width)).unwrap();
        let query = query(&sent);
        assert_eq!(query.width_micros, width.0);
        slices.push((query.from.since(from).unwrap().0 / width.0, query.buckets));
        assert!(bars.awaits(sent.ticket));
        let answered = answer(&sent, seconds);
        request = bars.settle(Ok(answered), Criteria::default);
        assert!(!bars.awaits(sent.ticket));
    }
    slices
}

/// Sums of the buckets on screen.
fn sums(bars: &Bars) -> Vec<u64> {
    bars.counts().iter().map(|c| c.unwrap().iter().sum()).collect()
}

/// Counted buckets of ten seconds from 0 on; the last one begins at `last`.
fn counted(last: i64, seconds: &[i64]) -> Bars {
    let shown = Plot { from: Some(at(0)), width: Span::seconds(10), counts: vec![None; (last / 10 + 1) as usize] };
    let mut bars = Bars { shown, ..Bars::default() };
    count(&mut bars, seconds);
    bars
}

#[test]
fn buckets_have_round_bounds_cover_the_range_and_fit_the_columns() {
    for (from, until, columns, first, width, buckets) in [
        (0, 59, 80, 0, 1, 60),
        (0, 77, 80, 0, 1, 78),
        (0, 78, 80, 0, 2, 40),
        (7, 127, 80, 6, 2, 61),
        (3, 3, 80, 3, 1, 1),
        (0, 3600, 10, 0, 600, 7),
        (0, 3600, 0, 0, 600, 7),
        (100, 86_400 * 365, 120, -432_000, 604_800, 53),
        (0, 2_592_000 * 100, 13, -12_355_237, 25_920_001, 11),
    ] {
        let mut bars = Bars::default();
        bars.lay_out(at(from), at(until), columns);
        assert_eq!(bars.scale(), Some((at(first), Span::seconds(width))), "{from} to {until} in {columns}");
        assert_eq!(bars.counts().len(), buckets, "{from} to {until} in {columns}");
        let (begin, end) = bars.range().unwrap();
        assert!(begin <= at(from) && end > at(until) && bars.counts().len() <= usize::from(columns.max(8)));
    }
}

#[test]
fn slices_are_counted_from_the_newest_each_twice_as_long_as_the_one_before() {
    let mut bars = Bars::default();
    assert!(bars.count(Criteria::default(), Duration::ZERO).is_none(), "before the first layout");
    bars.lay_out(at(0), at(119), 130);
    assert_eq!((bars.total(), bars.peak()), (None, 0));
    let seconds = [0, 0, 5, 60, 119, 119, 119];
    assert_eq!(count(&mut bars, &seconds), [(118, 2), (114, 4), (106, 8), (90, 16), (58, 32), (0, 58)]);
    assert_eq!((bars.total(), bars.peak(), bars.is_loading()), (Some(7), 3, false));
    assert_eq!(
        sums(&bars).iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, _)| i).collect::<Vec<_>>(),
        [0, 5, 60, 119]
    );
    let mut few = Bars::default();
    few.lay_out(at(0), at(9), 80);
    assert_eq!(count(&mut few, &[]), [(9, 1), (7, 2), (3, 4), (0, 3)]);
}

#[test]
fn a_live_row_is_added_to_its_bucket_by_its_outcome() {
    let mut bars = counted(90, &[15]);
    for (second, kind) in
        [(10, "renewal_failed"), (19, "renewal_success"), (0, "renewal_start"), (99, "scan"), (-1, "x")]
    {
        bars.arrive(&row(second, kind));
    }
    assert_eq!(bars.counts()[0], Some([0, 0, 1, 0]));
    assert_eq!(bars.counts()[1], Some([2, 1, 0, 0]));
    assert_eq!(bars.counts()[9], Some([0, 0, 0, 1]));
    assert_eq!((bars.total(), bars.scale()), (Some(5), Some((at(0), Span::seconds(10)))));
}

#[test]
fn a_row_shortly_beyond_the_last_bucket_moves_the_range_and_one_far_ahead_does_not() {
    // Of eight buckets, two more are shortly beyond.
    let mut bars = counted(70, &[0, 10, 20, 70]);
    bars.arrive(&row(100, "renewal_failed"));
    assert_eq!((bars.total(), bars.range().unwrap()), (Some(4), (at(0), at(80))));
    bars.arrive(&row(99, "renewal_failed"));
    assert_eq!((sums(&bars), bars.range().unwrap()), (vec![1, 0, 0, 0, 0, 1, 0, 1], (at(20), at(100))));
    bars.arrive(&row(100, "renewal_failed"));
    assert_eq!((sums(&bars), bars.range().unwrap()), (vec![0, 0, 0, 0, 1, 0, 1, 1], (at(30), at(110))));
    // However few buckets there are, one more is.
    let mut two = counted(10, &[0, 10]);
    two.arrive(&row(30, "renewal_failed"));
    assert_eq!(two.range().unwrap(), (at(0), at(20)));
    two.arrive(&row(20, "renewal_failed"));
    assert_eq!((sums(&two), two.range().unwrap()), (vec![1, 1], (at(10), at(30))));
}

#[test]
fn rows_that_arrive_during_the_query_of_their_slice_cause_another_up_to_three() {
    let mut bars = counted(70, &[0]);
    let mut request = bars.count(Criteria::default(), Duration::ZERO).unwrap();
    for tries in 1..=3 {
        assert_eq!(query(&request).from, at(70));
        bars.arrive(&row(75, "renewal_failed"));
        let answered = answer(&request, &[75]);
        request = bars.settle(Ok(answered), Criteria::default).unwrap();
        assert_eq!(query(&request).from, at(if tries < 3 { 70 } else { 50 }), "try {tries}");
    }
    // A row of another slice disturbs nothing, and is counted at once.
    bars.arrive(&row(9, "renewal_failed"));
    assert_eq!(bars.counts()[0], Some([2, 0, 0, 0]));
    let answered = answer(&request, &[]);
    request = bars.settle(Ok(answered), Criteria::default).unwrap();
    assert_eq!(query(&request).from, at(10));
    // A row beyond the last bucket would move the buckets under the query.
    bars.arrive(&row(80, "renewal_failed"));
    assert_eq!(bars.range().unwrap(), (at(0), at(80)));
    let again = bars.settle(Ok(Histogram::default()), Criteria::default).unwrap();
    assert_eq!(query(&again).from, at(10));
}

#[test]
fn a_count_out_of_sight_replaces_the_buckets_when_it_is_complete() {
    let mut bars = counted(70, &[5, 75]);
    bars.focus(true);
    assert_eq!(bars.cursor(), Some(7));
    bars.lay_out_behind(at(40), at(79), 40);
    let mut request = bars.count(Criteria::default(), Duration::ZERO);
    assert!(bars.is_counting() && !bars.is_loading());
    let mut steps = 0;
    while let Some(sent) = request {
        assert_eq!((bars.total(), bars.range().unwrap()), (Some(2), (at(0), at(80))), "what is on screen stays");
        let answered = answer(&sent, &[41, 75, 79]);
        request = bars.settle(Ok(answered), Criteria::default);
        steps += 1;
    }
    assert!(steps > 2 && !bars.is_counting());
    assert_eq!((bars.total(), bars.range().unwrap()), (Some(3), (at(40), at(80))));
    assert_eq!(bars.cursor(), Some(7));
    // Without counted buckets there is nothing to keep.
    let mut empty = Bars::default();
    empty.lay_out(at(0), at(9), 80);
    empty.lay_out_behind(at(10), at(19), 80);
    assert_eq!(empty.range().unwrap(), (at(10), at(20)));
    let _ = empty.count(Criteria::default(), Duration::ZERO);
    assert!(empty.is_loading());
}

#[test]
fn the_cursor_of_more_buckets_than_there_are_now_is_on_the_last() {
    let mut bars = counted(70, &[]);
    bars.focus(true);
    bars.lay_out_behind(at(0), at(3), 80);
    count(&mut bars, &[]);
    assert_eq!((bars.cursor(), bars.counts().len()), (Some(3), 4));
    bars.lay_out(at(0), at(9), 80);
    assert_eq!(bars.cursor(), Some(9));
    bars.focus(false);
    bars.step(1);
    bars.lay_out(at(0), at(9), 80);
    assert_eq!((bars.cursor(), bars.bucket()), (None, None));
}

#[test]
fn the_cursor_moves_within_the_buckets_and_names_their_bounds() {
    let mut bars = counted(70, &[]);
    bars.step(-1);
    assert_eq!(bars.cursor(), None);
    bars.focus(true);
    bars.step(-2);
    assert_eq!((bars.cursor(), bars.bucket()), (Some(5), Some((at(50), at(60)))));
    bars.step(100);
    assert_eq!(bars.cursor(), Some(7));
    bars.step(-100);
    assert_eq!((bars.cursor(), bars.bucket()), (Some(0), Some((at(0), at(10)))));
}

#[test]
fn the_bulk_begins_behind_one_row_in_a_thousand() {
    // One row of a wrong clock, and then nothing until the last bucket.
    assert_eq!(counted(90, &[0, 95]).bulk(), Some(at(90)));
    assert_eq!(counted(90, &[0, 1, 95]).bulk(), None, "two rows are no outlier among three");
    assert_eq!(counted(90, &[0, 55, 95]).bulk(), None, "half of the buckets");
    assert_eq!(counted(90, &[0, 65, 95]).bulk(), Some(at(60)));
    assert_eq!(counted(90, &[]).bulk(), None);
    assert_eq!(counted(90, &[95]).bulk(), None, "one row is all there is");
    let many = |outliers: usize, all: usize| {
        let rows = std::iter::repeat_n(0, outliers).chain(std::iter::repeat_n(95, all - outliers));
        counted(90, &rows.collect::<Vec<_>>()).bulk()
    };
    assert_eq!(many(3, 3000), Some(at(90)));
    assert_eq!(many(4, 3000), None);
    let mut loading = counted(90, &[0, 95]);
    let _ = loading.count(Criteria::default(), Duration::ZERO);
    assert_eq!(loading.bulk(), None, "not while it is counted");
    let mut partly = counted(90, &[0, 95]);
    partly.shown.counts[3] = None;
    assert_eq!(partly.bulk(), None);
}

#[test]
fn a_failure_is_kept_until_the_next_layout_and_a_cancelled_query_is_none() {
    let mut bars = counted(70, &[5]);
    let request = bars.count(Criteria::default(), Duration::ZERO).unwrap();
    assert!(!bars.awaits(Ticket { slot: Slot::List, ..request.ticket }));
    assert!(!bars.awaits(Ticket { generation: request.ticket.generation + 1, ..request.ticket }));
    assert!(bars.settle(Err(SourceError::Cancelled), Criteria::default).is_none());
    assert!(bars.error().is_none() && !bars.is_counting());
    let _ = bars.count(Criteria::default(), Duration::ZERO);
    let failure = SourceError::Failed("x".into());
    assert!(bars.settle(Err(failure.clone()), Criteria::default).is_none());
    assert_eq!(bars.error(), Some(&failure));
    bars.lay_out_behind(at(0), at(9), 80);
    assert_eq!(bars.error(), None);
    let request = bars.count(Criteria::default(), Duration::ZERO).unwrap();
    bars.cancel();
    assert!(!bars.awaits(request.ticket) && !bars.is_counting());
    assert!(bars.settle(Ok(Histogram::default()), Criteria::default).is_none());
    let next = bars.count(Criteria::default(), Duration::ZERO).unwrap();
    assert!(next.ticket.generation > request.ticket.generation + 1);
    assert_eq!(bars.plot().width, Span::seconds(10), "the hidden buckets are given up");
}
