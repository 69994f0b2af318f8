//! The background tasks on a source in memory, at a clock that the test moves: what they report is what a plain reading of
//! all rows gives.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use renewscope::domain::attempt::Patience;
use renewscope::domain::device::State;
use renewscope::domain::event::{ErrorText, RenewalEvent};
use renewscope::domain::filter::Filter;
use renewscope::domain::filter::criteria::{Check, Clause};
use renewscope::domain::fleet::{Order as Sorted, Selection, Sort, Word};
use renewscope::domain::instant::Span;
use renewscope::domain::zone::Zone;
use renewscope::protocol::fleet::FleetQuery;
use renewscope::protocol::survey::{FleetOrder, FleetView, Listed, SurveyOrder, Surveyed};
use renewscope::protocol::{Answer, EventSource, Query, SourceError};
use renewscope::worker::{News, Order, start};
use tokio::sync::mpsc;
use tokio::time::Instant as Moment;

use super::common::background;
use super::common::fleet::{event, fleet, now};
use super::common::memory::Memory;

/// The source, with a log of the statements that it answered and the most rows of a page.
#[derive(Clone)]
struct Logged {
    memory: Memory,
    log: Arc<Mutex<Vec<Query>>>,
    /// Rows or devices of a page, if less than the query allows.
    page: u32,
}

impl Logged {
    fn new(memory: &Memory, page: u32) -> Self {
        Self { memory: memory.clone(), log: Arc::default(), page }
    }
    fn count(&self, wanted: fn(&Query) -> bool) -> usize {
        self.log.lock().unwrap().iter().filter(|query| wanted(query)).count()
    }
}

impl EventSource for Logged {
    async fn answer(&self, query: &Query, _: impl Future<Output = ()> + Send) -> Result<Answer, SourceError> {
        self.log.lock().unwrap().push(query.clone());
        let mut query = query.clone();
        match &mut query {
            Query::Slice(slice) => slice.limit = slice.limit.min(self.page),
            Query::Fleet(FleetQuery::Sweep { limit, .. }) => *limit = (*limit).min(self.page),
            _ => {}
        }
        tokio::task::yield_now().await;
        self.memory.evaluate(&query)
    }
    fn changes(&self) -> Option<i64> {
        None
    }
}

/// The tasks on a source, and what they report.
struct Tasks {
    orders: mpsc::Sender<Order>,
    news: mpsc::Receiver<News>,
}

impl Tasks {
    fn of(source: impl EventSource) -> Self {
        let (out, news) = mpsc::channel(8);
        Self { orders: start(source, out, now), news }
    }
    async fn order(&self, order: Order) {
        self.orders.send(order).await.unwrap();
    }
    /// The next news of the survey.
    async fn survey(&mut self) -> (u64, Result<Arc<Surveyed>, SourceError>) {
        loop {
            match self.news.recv().await {
                Some(News::Survey(news)) => return (news.generation, news.outcome),
                Some(News::Fleet(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    /// The next news of the fleet.
    async fn fleet(&mut self) -> (u64, Result<Arc<FleetView>, SourceError>) {
        loop {
            match self.news.recv().await {
                Some(News::Fleet(news)) => return (news.generation, news.outcome),
                Some(News::Survey(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    /// The first report that has the whole range and what came before it.
    async fn whole_survey(&mut self) -> Arc<Surveyed> {
        loop {
            let found = self.survey().await.1.unwrap();
            if found.reach.whole && found.look_back.is_some() {
                return found;
            }
        }
    }
    /// The first view of the whole fleet in the generation.
    async fn whole_fleet(&mut self, wanted: u64) -> Arc<FleetView> {
        loop {
            let (generation, view) = self.fleet().await;
            let view = view.unwrap();
            if view.whole && generation == wanted {
                return view;
            }
        }
    }
}

fn survey_order(generation: u64, filter: &str) -> SurveyOrder {
    let filter = Filter::parse(filter).unwrap();
    SurveyOrder {
        generation,
        criteria: filter.criteria(now(), &Zone::Utc),
        from: Some(now().minus(Span::days(1))),
        until: None,
        most: SurveyOrder::MOST,
        patience: Patience::default(),
    }
}

fn fleet_order(generation: u64, filter: &str, by: Sort) -> FleetOrder {
    let filter = Filter::parse(filter).unwrap();
    let (selection, _) = Selection::of(&filter.criteria(now(), &Zone::Utc));
    let order = Sorted { by, inverse: false };
    FleetOrder {
        generation,
        selection,
        states: None,
        order,
        from: 0,
        lines: 1000,
        these: Vec::new(),
        policy: None,
        patience: Patience::default(),
    }
}

/// Attempts of one instant come in any order.
fn by_rows(mut attempts: Vec<Listed>) -> Vec<Listed> {
    assert!(attempts.is_sorted_by_key(|listed| std::cmp::Reverse(listed.attempt.at())), "newest first");
    attempts.sort_by_key(|listed| format!("{:?}", listed.attempt));
    attempts
}

fn assert_same(found: &Surveyed, expected: &Surveyed, words: &str) {
    assert_eq!(found.report, expected.report, "{words}");
    let (one, other) = (by_rows(found.attempts.clone()), by_rows(expected.attempts.clone()));
    assert_eq!(one.len(), other.len(), "{words}");
    one.iter().zip(&other).for_each(|(one, other)| assert_eq!(one, other, "{words}"));
    assert_eq!(found.look_back, expected.look_back, "{words}");
    assert_eq!((found.reach, found.as_of), (expected.reach, expected.as_of), "{words}");
}

const KINDS: [&str; 7] = [
    "renewal_start",
    "renewal_success",
    "renewal_failed",
    "recovery_start",
    "recovery_success",
    "recovery_failed",
    "note",
];

/// What a row is made of: kind, device, minutes ago, error, and hours to the old and the new expiry.
type Drawn = (usize, u8, i64, u8, Option<i64>, Option<i64>);

/// Rows of few devices over three days, with ties, rows without expiry, and errors that are alike.
fn rows() -> impl Strategy<Value = Vec<RenewalEvent>> {
    let row =
        (0..KINDS.len(), 0..6_u8, 0..4320_i64, 0..5_u8, prop::option::of(-40..800_i64), prop::option::of(0..900_i64));
    prop::collection::vec(row, 0..120).prop_map(|rows| {
        let event = |(n, (kind, device, ago, error, old, new)): (usize, Drawn)| {
            let org = if device < 4 { "acme" } else { "globex" };
            // A minute, or one of few instants.
            let ago = if ago % 3 == 0 { ago / 240 * 240 } else { ago };
            let mut row = event(n as u128 + 1, KINDS[kind], org, &format!("edge-{device}"), Span::minutes(ago));
            let hours = |h: i64| now().plus(Span::hours(h));
            (row.old_expiry, row.new_expiry) = (old.map(hours), new.filter(|_| kind % 3 == 1).map(hours));
            if kind % 3 == 2 && kind < 6 && error < 4 {
                let text =
                    ["denied by approver", "cannot reach 10.0.0.1", "cannot reach 10.0.0.2", "device 17 is unknown"];
                row.error = Some(ErrorText::whole(text[usize::from(error)]));
            }
            row
        };
        rows.into_iter().enumerate().map(event).collect()
    })
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_survey_is_a_plain_reading_of_all_rows(rows in rows(), page in 1..40_u32, bounded in any::<bool>()) {
        let memory = Memory::new(rows);
        let sig = memory.matching(&Default::default()).iter().find_map(|row| row.error.as_ref()?.sig());
        let sig = sig.map_or_else(|| "-sig:*".to_owned(), |sig| format!("sig:{sig}"));
        for filter in ["", "type:failed", "org:acme", "reach", "-device:edge-1 error:unknown", sig.as_str()] {
            let mut order = survey_order(1, filter);
            order.until = bounded.then(|| now().minus(Span::hours(2)));
            let found = run(async {
                let mut tasks = Tasks::of(Logged::new(&memory, page));
                tasks.order(Order::Survey(order.clone())).await;
                tasks.whole_survey().await
            });
            assert_same(&found, &background::survey(&memory, &order, now()).unwrap(), filter);
        }
    }

    #[test]
    fn the_fleet_is_a_plain_reading_of_all_rows(rows in rows(), page in 1..4_u32, window in 0..5_usize) {
        let memory = Memory::new(rows);
        run(async {
            let mut tasks = Tasks::of(Logged::new(&memory, page));
            let mut generation = 0;
            for by in Sort::ALL {
                for filter in ["", "org:acme", "-device:edge-2"] {
                    generation += 1;
                    let mut order = fleet_order(generation, filter, by);
                    order.order.inverse = generation % 2 == 0;
                    order.states = (generation % 3 == 0).then(|| vec![Word::Failing, Word::Is(State::Silent)]);
                    (order.from, order.lines) = (window, 3);
                    order.these = memory.matching(&Default::default()).iter().take(1).filter_map(|r| r.device_id().cloned()).collect();
                    let expected = background::fleet(&memory, &order, now()).unwrap();
                    // Without a device there is nothing to tell.
                    if expected.read == 0 {
                        return;
                    }
                    tasks.order(Order::Fleet(order)).await;
                    let found = tasks.whole_fleet(generation).await;
                    assert_eq!(plain(&found), plain(&expected), "{by:?} {filter}");
                }
            }
        });
    }
}

/// A view without the numbers that a fleet gives to organizations: they follow the order in which devices were read.
fn plain(view: &FleetView) -> String {
    let text = format!("{view:#?}");
    text.lines().filter(|line| !line.trim_start().starts_with("group: ")).map(|line| format!("{line}\n")).collect()
}

/// How many failures the order's generation reports at last.
fn failures(news: &[News], wanted: u64) -> Option<u64> {
    let of = |news: &News| match news {
        News::Survey(news) if news.generation == wanted => Some(news.outcome.as_ref().ok()?.report.failures),
        _ => None,
    };
    news.iter().rev().find_map(of)
}

#[tokio::test(start_paused = true)]
async fn rows_that_come_are_counted_at_the_next_look() {
    let memory = Memory::new(fleet());
    let mut tasks = Tasks::of(Logged::new(&memory, 5000));
    tasks.order(Order::Survey(survey_order(1, ""))).await;
    let before = tasks.whole_survey().await;
    let mut late = event(9001, "renewal_failed", "acme", "edge-0001", Span::minutes(4));
    late.error = Some(ErrorText::whole("something new"));
    memory.add(vec![late]);
    let begun = Moment::now();
    let after = loop {
        let found = tasks.survey().await.1.unwrap();
        if found.report.failures > before.report.failures {
            break found;
        }
    };
    assert!(begun.elapsed() <= Duration::from_secs(11), "{:?}", begun.elapsed());
    assert_same(&after, &background::survey(&memory, &survey_order(1, ""), now()).unwrap(), "late row");
}

#[tokio::test(start_paused = true)]
async fn touched_devices_are_read_again_and_no_others() {
    let memory = Memory::new(fleet());
    let source = Logged::new(&memory, 5000);
    let mut tasks = Tasks::of(source.clone());
    let order = fleet_order(1, "", Sort::Device);
    tasks.order(Order::Fleet(order.clone())).await;
    let before = tasks.whole_fleet(1).await;
    let sweeps = source.count(|query| matches!(query, Query::Fleet(FleetQuery::Sweep { .. })));
    // Late by half a minute, and of a device that was not there before.
    let mut rows = vec![event(9001, "renewal_failed", "acme", "edge-0001", Span::seconds(30))];
    rows.push(event(9002, "renewal_start", "lab", "another", Span::seconds(1)));
    memory.add(rows);
    let begun = Moment::now();
    let after = loop {
        let view = tasks.whole_fleet(1).await;
        if view != before {
            break view;
        }
    };
    assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());
    assert_eq!((after.total, before.total), (121, 120));
    assert_eq!(after, background::fleet(&memory, &order, now()).unwrap());
    assert_eq!(source.count(|query| matches!(query, Query::Fleet(FleetQuery::Sweep { .. }))), sweeps);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_moves_reads_nothing() {
    let memory = Memory::new(fleet());
    let source = Logged::new(&memory, 5000);
    let mut tasks = Tasks::of(source.clone());
    tasks.order(Order::Fleet(fleet_order(1, "", Sort::Dark))).await;
    tasks.whole_fleet(1).await;
    let read = source.count(|_| true);
    let begun = Moment::now();
    for generation in 2..50 {
        let order = FleetOrder { from: generation as usize, lines: 5, ..fleet_order(generation, "", Sort::Dark) };
        let expected = background::fleet(&memory, &order, now()).unwrap();
        tasks.order(Order::Fleet(order)).await;
        assert_eq!(tasks.whole_fleet(generation).await, expected);
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "no order waits for a look");
    // The tail of the alert and of the list are not ordered: every statement would be the fleet's.
    assert!(source.count(|_| true) <= read + 1, "{} statements", source.count(|_| true) - read);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_read_again() {
    let memory = Memory::new(fleet());
    memory.break_with(Some(SourceError::Failed("gone".into())));
    let mut tasks = Tasks::of(Logged::new(&memory, 5000));
    tasks.order(Order::Survey(survey_order(1, ""))).await;
    for _ in 0..3 {
        assert_eq!(tasks.survey().await, (1, Err(SourceError::Failed("gone".into()))));
    }
    memory.break_with(None);
    let begun = Moment::now();
    assert_same(&*tasks.whole_survey().await, &background::survey(&memory, &survey_order(1, ""), now()).unwrap(), "");
    assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());

    memory.break_with(Some(SourceError::Failed("gone".into())));
    let mut tasks = Tasks::of(Logged::new(&memory, 5000));
    let order = fleet_order(1, "", Sort::Dark);
    tasks.order(Order::Fleet(order.clone())).await;
    for _ in 0..3 {
        assert_eq!(tasks.fleet().await, (1, Err(SourceError::Failed("gone".into()))));
    }
    memory.break_with(None);
    assert_eq!(tasks.whole_fleet(1).await, background::fleet(&memory, &order, now()).unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_a_source_does_not_record_is_asked_for_once_a_minute_at_most() {
    let memory = Memory::new(fleet());
    memory.break_with(Some(SourceError::Unfit("no starts".into())));
    let mut tasks = Tasks::of(Logged::new(&memory, 5000));
    tasks.order(Order::Survey(survey_order(1, ""))).await;
    assert_eq!(tasks.survey().await.1, Err(SourceError::Unfit("no starts".into())));
    let begun = Moment::now();
    assert_eq!(tasks.survey().await.1, Err(SourceError::Unfit("no starts".into())));
    assert!(begun.elapsed() >= Duration::from_secs(60), "{:?}", begun.elapsed());
    // A fleet that no source can tell is no different.
    tasks.order(Order::Fleet(fleet_order(1, "", Sort::Dark))).await;
    assert_eq!(tasks.fleet().await.1, Err(SourceError::Unfit("no starts".into())));
    let begun = Moment::now();
    assert_eq!(tasks.fleet().await.1, Err(SourceError::Unfit("no starts".into())));
    assert!(begun.elapsed() >= Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_newer_order_ends_the_older_survey() {
    let memory = Memory::new(fleet());
    let source = Logged::new(&memory, 7);
    let mut tasks = Tasks::of(source.clone());
    tasks.order(Order::Survey(survey_order(1, ""))).await;
    let (generation, found) = tasks.survey().await;
    assert!(generation == 1 && !found.unwrap().reach.whole, "it has begun, and has not read all");
    let order = survey_order(2, "org:globex");
    tasks.order(Order::Survey(order.clone())).await;
    let mut seen = Vec::new();
    let found = loop {
        let (generation, found) = tasks.survey().await;
        let found = found.unwrap();
        seen.push(generation);
        if found.reach.whole && found.look_back.is_some() {
            break found;
        }
    };
    // What was in the channel already may still come.
    assert!(seen.is_sorted() && seen.iter().filter(|generation| **generation == 1).count() <= 8, "{seen:?}");
    assert_same(&found, &background::survey(&memory, &order, now()).unwrap(), "org:globex");
    let mut later = Vec::new();
    for _ in 0..3 {
        later.push(tasks.news.recv().await.unwrap());
    }
    assert_eq!(failures(&later, 1), None, "the old one reports no more");
    assert_eq!(failures(&later, 2), Some(found.report.failures));
}

#[tokio::test(start_paused = true)]
async fn a_range_with_too_many_rows_is_cut_and_exact_for_the_rest() {
    let memory = Memory::new(fleet());
    let mut tasks = Tasks::of(Logged::new(&memory, 5000));
    let order = SurveyOrder { most: 200, ..survey_order(1, "") };
    tasks.order(Order::Survey(order.clone())).await;
    let found = tasks.whole_survey().await;
    let cut = found.reach.cut.unwrap();
    let rows = |from| memory.matching(&Default::default()).iter().filter(|row| row.created_at >= from).count() as u64;
    assert!(found.report.rows == rows(cut) && found.report.rows <= 200, "{}", found.report.rows);
    assert!(rows(cut.minus(Span::minutes(2))) > 200, "as many as allowed, to two minutes");
    let same = background::survey(&memory, &SurveyOrder { from: Some(cut), ..order }, now()).unwrap();
    assert_eq!((&found.report, found.report.covered_from), (&same.report, Some(cut)));
}

#[tokio::test(start_paused = true)]
async fn what_lies_before_a_range_that_moves_on_is_not_read_again() {
    let memory = Memory::new(fleet());
    let mut old = event(9001, "renewal_failed", "acme", "edge-0001", Span::minutes(24 * 60 - 2));
    old.error = Some(ErrorText::whole("seen just before the later range"));
    memory.add(vec![old]);
    let source = Logged::new(&memory, 5000);
    let mut tasks = Tasks::of(source.clone());
    let first = survey_order(1, "org:acme since:24h");
    tasks.order(Order::Survey(first.clone())).await;
    tasks.whole_survey().await;
    let reads = |from: Span| {
        let far = now().minus(from);
        let begins = |clause: &Clause| matches!(clause.check, Check::Time { from: Some(from), .. } if from <= far);
        source
            .log
            .lock()
            .unwrap()
            .iter()
            .filter(|query| matches!(query, Query::Slice(slice) if slice.criteria.all.iter().any(begins)))
            .count()
    };
    assert_eq!(reads(Span::days(20)), 1, "the month before the range");
    // Five minutes later, as relative times move on: the bound on clocks that run ahead moves too.
    let mut second =
        SurveyOrder { generation: 2, from: first.from.map(|from| from.plus(Span::minutes(5))), ..first.clone() };
    second.criteria = Filter::parse("org:acme since:24h").unwrap().criteria(now().plus(Span::minutes(5)), &Zone::Utc);
    tasks.order(Order::Survey(second.clone())).await;
    let found = loop {
        let (generation, found) = tasks.survey().await;
        let found = found.unwrap();
        if generation == 2 && found.reach.whole {
            break found;
        }
    };
    assert_eq!(reads(Span::days(20)), 1, "it is known");
    let same = background::survey(&memory, &second, now()).unwrap();
    let standing = |found: &Surveyed| -> Vec<_> {
        found.report.errors.iter().map(|group| (group.sig, group.state(found.look_back.as_deref()))).collect()
    };
    assert_eq!(standing(&found), standing(&same), "from the first report on");
    // Another filter has other failures before it.
    tasks.order(Order::Survey(survey_order(3, "org:globex"))).await;
    tasks.whole_survey().await;
    assert_eq!(reads(Span::days(20)), 2);
}

#[tokio::test(start_paused = true)]
async fn the_background_tasks_keep_away_from_the_connection_of_the_tail() {
    let source = Logged::new(&Memory::new(fleet()), 5000);
    let mut tasks = Tasks::of(source.clone());
    tasks.order(Order::Survey(survey_order(1, "type:failed"))).await;
    tasks.order(Order::Fleet(fleet_order(1, "", Sort::Dark))).await;
    tasks.whole_survey().await;
    tasks.whole_fleet(1).await;
    assert_eq!(source.count(|query| matches!(query, Query::Tail(_))), 0);
    assert!(source.count(|query| matches!(query, Query::Slice(_))) > 0);
}
