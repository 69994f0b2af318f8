//! The tasks: one query in flight per slot, stopped by a newer one; the tail; a panic ends the program.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use renewscope::domain::event::Id;
use renewscope::domain::instant::Span;
use renewscope::domain::page::Total;
use renewscope::protocol::query::Field;
use renewscope::protocol::tail::{
    Batch, Horizon, Start, TailAnswer, TailKey, TailNews, TailOrder, TailQuery, TailRows, TimeSlice, Window,
};
use renewscope::protocol::{Answer, EventSource, Query, Request, Slot, SourceError, Ticket};
use renewscope::worker::{News, Order, start};
use tokio::sync::mpsc;

use super::common::fleet::{event, now};
use super::common::memory::Memory;

/// Answers a count of ceiling `Some(n)` with n; one of ceiling `None` never, until it is cancelled. Keeps a log.
#[derive(Clone, Default)]
struct Slow {
    log: Arc<Mutex<Vec<String>>>,
    memory: Memory,
}

impl Slow {
    fn note(&self, words: String) {
        self.log.lock().unwrap().push(words);
    }
    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl EventSource for Slow {
    async fn answer(&self, query: &Query, cancelled: impl Future<Output = ()> + Send) -> Result<Answer, SourceError> {
        match query {
            Query::Count { ceiling: Some(n), .. } => {
                self.note(format!("ran {n}"));
                Ok(Answer::Count(Total::Exact(*n)))
            }
            Query::Count { ceiling: None, .. } => {
                self.note("runs forever".into());
                cancelled.await;
                self.note("stopped".into());
                Err(SourceError::Cancelled)
            }
            Query::Describe => panic!("as a fault of the program would"),
            other => self.memory.evaluate(other),
        }
    }
    fn changes(&self) -> Option<i64> {
        None
    }
}

fn count(generation: u64, ceiling: Option<u64>, debounce: Duration) -> Order {
    let query = Query::Count { criteria: Default::default(), ceiling };
    Order::Run(Request { ticket: Ticket { slot: Slot::Count, generation }, query, debounce })
}

async fn reply(news: &mut mpsc::Receiver<News>) -> (u64, Result<Answer, SourceError>) {
    match news.recv().await {
        Some(News::Reply(reply)) => (reply.ticket.generation, reply.outcome),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_newer_query_stops_the_older_one_and_only_its_answer_arrives() {
    let (source, (out, mut news)) = (Slow::default(), mpsc::channel(8));
    let orders = start(source.clone(), out, now);
    orders.send(count(1, None, Duration::ZERO)).await.unwrap();
    while source.log().is_empty() {
        tokio::task::yield_now().await;
    }
    orders.send(count(2, Some(7), Duration::ZERO)).await.unwrap();
    assert_eq!(reply(&mut news).await, (2, Ok(Answer::Count(Total::Exact(7)))));
    while source.log().len() < 3 {
        tokio::task::yield_now().await;
    }
    let log = source.log();
    assert!(log.contains(&"stopped".to_owned()), "{log:?}");
}

#[tokio::test]
async fn of_queries_in_quick_succession_only_the_last_reaches_the_database() {
    let (source, (out, mut news)) = (Slow::default(), mpsc::channel(8));
    let orders = start(source.clone(), out, now);
    for n in 1..20 {
        orders.send(count(n, Some(n), Duration::from_secs(3600))).await.unwrap();
    }
    orders.send(count(20, Some(20), Duration::ZERO)).await.unwrap();
    assert_eq!(reply(&mut news).await, (20, Ok(Answer::Count(Total::Exact(20)))));
    assert_eq!(source.log(), ["ran 20"]);
}

#[tokio::test]
async fn a_cancelled_query_is_stopped() {
    let (source, (out, _news)) = (Slow::default(), mpsc::channel(8));
    let orders = start(source.clone(), out, now);
    orders.send(count(1, None, Duration::ZERO)).await.unwrap();
    while source.log().is_empty() {
        tokio::task::yield_now().await;
    }
    orders.send(Order::Cancel(Slot::Count)).await.unwrap();
    while source.log().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(source.log(), ["runs forever", "stopped"]);
}

#[tokio::test]
async fn panes_wait_for_each_other_and_nothing_waits_for_them() {
    let (source, (out, mut news)) = (Slow::default(), mpsc::channel(8));
    let orders = start(source.clone(), out, now);
    for field in [Field::Kind, Field::Org, Field::Reason] {
        let query = Query::Count { criteria: Default::default(), ceiling: None };
        let ticket = Ticket { slot: Slot::Facets(field), generation: 1 };
        orders.send(Order::Run(Request { ticket, query, debounce: Duration::ZERO })).await.unwrap();
    }
    orders.send(count(1, Some(7), Duration::ZERO)).await.unwrap();
    assert_eq!(reply(&mut news).await, (1, Ok(Answer::Count(Total::Exact(7)))));
    assert_eq!(source.log(), ["runs forever", "runs forever", "ran 7"]);
    orders.send(Order::Cancel(Slot::Facets(Field::Kind))).await.unwrap();
    while source.log().len() < 5 {
        tokio::task::yield_now().await;
    }
    assert_eq!(source.log()[3..], ["stopped", "runs forever"]);
}

#[tokio::test]
async fn queries_sent_with_the_list_query_wait_for_it_at_most_30_ms() {
    let (source, (out, mut news)) = (Slow::default(), mpsc::channel(8));
    let orders = start(source.clone(), out, now);
    let run = |slot, ceiling| {
        let query = Query::Count { criteria: Default::default(), ceiling };
        Order::Run(Request { ticket: Ticket { slot, generation: 1 }, query, debounce: Duration::ZERO })
    };
    orders.send(run(Slot::List, Some(1))).await.unwrap();
    orders.send(run(Slot::Histogram, Some(2))).await.unwrap();
    reply(&mut news).await.1.unwrap();
    reply(&mut news).await.1.unwrap();
    assert_eq!(source.log(), ["ran 1", "ran 2"]);
    orders.send(run(Slot::List, None)).await.unwrap();
    orders.send(run(Slot::Histogram, Some(3))).await.unwrap();
    let begun = tokio::time::Instant::now();
    reply(&mut news).await.1.unwrap();
    assert_eq!(source.log()[2..], ["runs forever", "ran 3"]);
    assert!(begun.elapsed() >= Duration::from_millis(30), "the list was given its time first");
}

#[tokio::test]
async fn a_panic_in_a_task_is_reported() {
    let (out, mut news) = mpsc::channel(8);
    let orders = start(Slow::default(), out, now);
    let ticket = Ticket { slot: Slot::Describe, generation: 1 };
    orders.send(Order::Run(Request { ticket, query: Query::Describe, debounce: Duration::ZERO })).await.unwrap();
    assert!(matches!(news.recv().await, Some(News::Fault(_))));
}

#[tokio::test]
async fn the_tail_delivers_each_row_once_and_reports_when_the_database_is_unreachable() {
    let source = Slow::default();
    source.memory.add(vec![event(1, "renewal_start", "acme", "edge-1", Span::seconds(2))]);
    let (out, mut news) = mpsc::channel(8);
    let orders = start(source.clone(), out, now);
    let order = |generation| {
        Order::Tail(TailOrder { generation, criteria: Default::default(), start: Start::Overlapping, whole: false })
    };
    orders.send(order(1)).await.unwrap();
    let mut next = async || match news.recv().await {
        Some(News::Tail(event)) => event,
        other => panic!("{other:?}"),
    };
    let TailNews::Batch(Batch { rows, late, lag, window, .. }) = next().await.news else { panic!() };
    assert_eq!((rows.len(), late, lag), (1, 0, Some(Span::seconds(2))));
    assert_eq!(window, Window::Overlap(Span::seconds(5)));
    // Committed late: older than delivered rows.
    source.memory.add(vec![event(2, "renewal_failed", "acme", "edge-1", Span::seconds(4))]);
    let TailNews::Batch(Batch { rows, late, lag, .. }) = next().await.news else { panic!() };
    assert_eq!((rows.len(), late, lag), (1, 1, None));
    source.memory.break_with(Some(SourceError::Failed("gone".into())));
    match next().await.news {
        TailNews::Trouble { tries, .. } => assert_eq!(tries, 1),
        other => panic!("{other:?}"),
    }
    source.memory.break_with(None);
    assert_eq!(next().await.news, TailNews::Resumed);
    let TailNews::Batch(Batch { rows, .. }) = next().await.news else { panic!() };
    assert!(rows.is_empty(), "delivered before");
    // A newer order is followed from its own beginning.
    orders.send(order(2)).await.unwrap();
    loop {
        let event = next().await;
        if event.generation == 2 {
            let TailNews::Batch(Batch { rows, .. }) = event.news else { panic!() };
            assert_eq!(rows.len(), 2);
            break;
        }
    }
}

/// A table whose future is full of rows, however much of it is read.
#[derive(Clone, Default)]
struct Endless {
    reads: Arc<Mutex<usize>>,
}

impl EventSource for Endless {
    async fn answer(&self, query: &Query, _: impl Future<Output = ()> + Send) -> Result<Answer, SourceError> {
        let Query::Tail(query) = query else { panic!("{query:?}") };
        let horizon = Horizon {
            now: now(),
            ahead: Span(0),
            open: None,
            prepared: false,
            sees_all: true,
            overlap: Span::seconds(5),
            serial: None,
        };
        Ok(Answer::Tail(match query {
            TailQuery::Horizon => TailAnswer::Horizon(horizon),
            TailQuery::Keys { slice: TimeSlice::Time { from, until: None, .. }, limit, .. } => {
                *self.reads.lock().unwrap() += 1;
                let place = from.plus(Span::days(1)).pg_micros();
                let key = |n: u32| TailKey { place, tie: Id::Int(i64::from(n)), id: Id::Int(i64::from(n)) };
                TailAnswer::Keys((0..*limit).map(key).collect())
            }
            TailQuery::Keys { .. } => TailAnswer::Keys(Vec::new()),
            TailQuery::Rows { .. } | TailQuery::Pick { .. } => TailAnswer::Rows(TailRows::default()),
        }))
    }
    fn changes(&self) -> Option<i64> {
        None
    }
}

#[tokio::test]
async fn a_future_full_of_rows_does_not_hold_the_tail_back() {
    let (source, (out, mut news)) = (Endless::default(), mpsc::channel(8));
    let orders = start(source.clone(), out, now);
    let order = TailOrder { generation: 1, criteria: Default::default(), start: Start::Now, whole: false };
    orders.send(Order::Tail(order)).await.unwrap();
    match news.recv().await {
        Some(News::Tail(event)) => assert!(matches!(event.news, TailNews::Batch(_)), "{event:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(*source.reads.lock().unwrap(), 11, "ten to begin with, one to sweep");
}
