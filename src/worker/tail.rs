//! The live tail: reads an overlapping window again and again and tells each row once.
//!
//! `created_at` is when a transaction began, and a row shows when it commits, so a cursor that only moves on loses
//! rows for good. The floor of each reading therefore lies [`OVERLAP`] behind the newest row told, and ids told
//! before are left out. The clock bounds the floor too: a row from the future must not hide those that follow.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::instant::{Instant, Span};
use crate::protocol::tail::{OVERLAP, TailEvent, TailNews, TailOrder};
use crate::protocol::{Answer, EventSource, Query, SourceError};

use super::News;

/// Between two readings.
const EVERY: Duration = Duration::from_secs(1);
/// Rows of one reading; a full one is followed by the next at once.
const BATCH: u32 = 1000;
/// The longest wait between tries while the database does not answer.
const PATIENCE: Duration = Duration::from_secs(15);

pub async fn run<S: EventSource>(
    source: S,
    mut orders: watch::Receiver<Option<TailOrder>>,
    news: mpsc::Sender<News>,
    clock: fn() -> Instant,
) {
    while orders.changed().await.is_ok() {
        let order = orders.borrow_and_update().clone();
        let Some(order) = order else { continue };
        tokio::select! {
            // A newer order is waiting: the loop takes it.
            _ = orders.changed() => orders.mark_changed(),
            () = follow(&source, order, &news, clock) => return,
        }
    }
}

/// Follows one order until it is replaced or nobody listens any more.
async fn follow<S: EventSource>(source: &S, order: TailOrder, news: &mpsc::Sender<News>, clock: fn() -> Instant) {
    let generation = order.generation;
    let mut window = Window::new(order.from);
    let mut version = None;
    let mut failures = 0_u32;
    loop {
        let told = match read(source, &order, &mut window, &mut version, clock).await {
            Ok(found) => {
                if failures > 0 {
                    failures = 0;
                    if send(news, generation, TailNews::Recovered).await.is_err() {
                        return;
                    }
                }
                match found {
                    Some((rows, late)) => send(news, generation, TailNews::Batch { rows, late }).await,
                    None => Ok(()),
                }
            }
            Err(error) => {
                failures += 1;
                version = None;
                let wait = back_off(failures);
                let retry_in = Span(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
                let told = send(news, generation, TailNews::Trouble { error, retry_in }).await;
                tokio::time::sleep(wait).await;
                told
            }
        };
        if told.is_err() {
            return;
        }
        if !window.behind && failures == 0 {
            tokio::time::sleep(EVERY).await;
        }
    }
}

async fn send(news: &mpsc::Sender<News>, generation: u64, what: TailNews) -> Result<(), ()> {
    news.send(News::Tail(TailEvent { generation, news: what })).await.map_err(drop)
}

/// One second, doubled with each failure, at most [`PATIENCE`].
fn back_off(failures: u32) -> Duration {
    Duration::from_secs(1_u64 << failures.saturating_sub(1).min(10)).min(PATIENCE)
}

type Found = Option<(Vec<Arc<RenewalEvent>>, u64)>;

/// One reading; `None` where the database says that nobody has written since the last.
async fn read<S: EventSource>(
    source: &S,
    order: &TailOrder,
    window: &mut Window,
    version: &mut Option<i64>,
    clock: fn() -> Instant,
) -> Result<Found, SourceError> {
    // Asked before the rows: what is written in between moves it again.
    let now_at = source.changes().await?;
    if now_at.is_some() && *version == now_at && !window.behind {
        return Ok(None);
    }
    let query = Query::Since { criteria: order.criteria.clone(), floor: window.next, limit: window.limit };
    let Answer::Page(page) = source.answer(&query, std::future::pending()).await? else {
        return Err(SourceError::Failed("the answer does not fit the question".into()));
    };
    *version = now_at;
    Ok(Some(window.take(page.rows, clock())))
}

/// What has been told within the overlap.
struct Window {
    floor: Instant,
    /// Where the next reading begins: the floor, or while a flood is read in parts, the end of the last part.
    next: Instant,
    newest: Option<Instant>,
    seen: HashMap<Id, Instant>,
    limit: u32,
    /// The last reading was full: more is there already.
    behind: bool,
}

impl Window {
    fn new(from: Instant) -> Self {
        Self { floor: from, next: from, newest: None, seen: HashMap::new(), limit: BATCH, behind: false }
    }

    /// Takes the rows of a reading (newest first); returns those not told before, and how many of them came late.
    fn take(&mut self, rows: Vec<Arc<RenewalEvent>>, now: Instant) -> (Vec<Arc<RenewalEvent>>, u64) {
        self.behind = rows.len() >= self.limit as usize;
        let last_newest = self.newest;
        let end = rows.first().map(|r| r.created_at);
        let fresh: Vec<_> =
            rows.into_iter().filter(|r| self.seen.insert(r.id.clone(), r.created_at).is_none()).collect();
        let late = fresh.iter().filter(|r| last_newest.is_some_and(|n| r.created_at < n)).count() as u64;
        self.newest = fresh.iter().map(|r| r.created_at).max().max(self.newest);
        if self.behind {
            // Nothing new in a full reading: more rows share an instant than it holds.
            self.limit = if fresh.is_empty() { self.limit.saturating_mul(2) } else { self.limit };
            self.next = end.unwrap_or(self.next);
            return (fresh, late);
        }
        self.limit = BATCH;
        if let Some(newest) = self.newest {
            self.floor = self.floor.max(newest.min(now).minus(OVERLAP));
            let floor = self.floor;
            self.seen.retain(|_, at| *at >= floor);
        }
        self.next = self.floor;
        (fresh, late)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::event::Kind;
    use uuid::Uuid;

    fn row(n: u128, second: i64) -> Arc<RenewalEvent> {
        Arc::new(RenewalEvent {
            id: Id::Uuid(Uuid::from_u128(n)),
            device_id: Id::Uuid(Uuid::nil()),
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
        })
    }
    fn at(second: i64) -> Instant {
        Instant::from_pg_micros(second * 1_000_000)
    }

    #[test]
    fn each_row_is_told_once_and_late_ones_are_counted() {
        let mut w = Window::new(at(100));
        let (fresh, late) = w.take(vec![row(2, 110), row(1, 105)], at(111));
        assert_eq!((fresh.len(), late), (2, 0));
        assert_eq!(w.floor, at(105));
        let (fresh, late) = w.take(vec![row(2, 110), row(3, 108), row(1, 105)], at(112));
        assert_eq!((fresh.len(), late), (1, 1));
        let (fresh, late) = w.take(vec![row(4, 120), row(2, 110)], at(120));
        assert_eq!((fresh.len(), late), (1, 0));
        assert!(w.seen.len() < 4, "what lies below the floor is forgotten");
    }

    #[test]
    fn a_row_from_the_future_hides_nothing() {
        let mut w = Window::new(at(100));
        w.take(vec![row(1, 9000)], at(110));
        assert_eq!(w.floor, at(105));
        let (fresh, _) = w.take(vec![row(1, 9000), row(2, 111)], at(112));
        assert_eq!(fresh.len(), 1);
    }

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<u64> = (1..8).map(|n| back_off(n).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 15, 15, 15]);
    }
}
