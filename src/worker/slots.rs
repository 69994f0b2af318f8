//! One query in flight per slot: the newest.
//!
//! Called by the worker's loop for each order. A query that was replaced must never send a reply.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::protocol::{EventSource, Reply, Request, Slot, SourceError};

use super::News;

/// Panes that run at once. Their queries are the most expensive and the least urgent; as long as they are fewer than the
/// source's connections, the list and the histogram never queue behind them.
const PANES: usize = 2;

/// The longest that other queries wait for the list query that starts with them: the rows are needed first, and a
/// machine with few cores, or a server that forks a process per connection, then works for them alone.
const BEHIND: Duration = Duration::from_millis(30);

pub struct Slots {
    /// Canceled when the newest list query has ended.
    listed: CancellationToken,
    /// Dropping a slot's sender cancels its query.
    live: HashMap<Slot, oneshot::Sender<()>>,
    panes: Arc<Semaphore>,
}

impl Default for Slots {
    fn default() -> Self {
        let listed = CancellationToken::new();
        listed.cancel();
        Self { listed, live: HashMap::new(), panes: Arc::new(Semaphore::new(PANES)) }
    }
}

impl Slots {
    /// Starts a query in its slot and cancels the one before it.
    pub fn run<S: EventSource>(
        &mut self,
        tasks: &mut JoinSet<()>,
        source: S,
        request: Request,
        news: mpsc::Sender<News>,
    ) {
        let (keep, gone) = oneshot::channel();
        let slot = request.ticket.slot;
        let lane = matches!(slot, Slot::Facets(_)).then(|| Arc::clone(&self.panes));
        self.live.insert(slot, keep);
        let place = match slot {
            Slot::List => {
                self.listed = CancellationToken::new();
                Place::First { _ended: self.listed.clone().drop_guard() }
            }
            // A row that is committed between the two would be counted twice, or not at all.
            Slot::Count => Place::Beside,
            _ => Place::Behind(self.listed.clone()),
        };
        tasks.spawn(Job { request, place, lane, gone }.run(source, news));
    }
    pub fn cancel(&mut self, slot: Slot) {
        self.live.remove(&slot);
    }
}

/// When a query starts, compared with the list query that was sent with it.
enum Place {
    Beside,
    First { _ended: DropGuard },
    Behind(CancellationToken),
}

/// One query on its way.
struct Job {
    request: Request,
    place: Place,
    /// Limits how many queries of this kind run at once.
    lane: Option<Arc<Semaphore>>,
    /// Resolves when the query is canceled.
    gone: oneshot::Receiver<()>,
}

impl Job {
    /// Runs the query and sends its reply, unless it is canceled first.
    async fn run<S: EventSource>(self, source: S, news: mpsc::Sender<News>) {
        let Self { request, place, lane, mut gone } = self;
        if !request.debounce.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(request.debounce) => {}
                _ = &mut gone => return,
            }
        }
        if let Place::Behind(list) = &place {
            tokio::select! {
                () = list.cancelled() => {}
                () = tokio::time::sleep(BEHIND) => {}
                _ = &mut gone => return,
            }
        }
        let _permit = match lane {
            Some(lane) => tokio::select! {
                // The semaphore is never closed.
                permit = lane.acquire_owned() => permit.ok(),
                _ = &mut gone => return,
            },
            None => None,
        };
        let cancelled = async {
            // Nothing is ever sent: the error of a dropped sender is the signal.
            let _ = gone.await;
        };
        let outcome = source.answer(&request.query, cancelled).await;
        drop(place);
        if outcome != Err(SourceError::Cancelled) {
            // An error means that the screen is gone.
            let _ = news.send(News::Reply(Reply { ticket: request.ticket, outcome })).await;
        }
    }
}
