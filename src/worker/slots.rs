//! One live question in each slot: the newest.

use std::collections::HashMap;
use std::sync::Arc;

use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::protocol::{EventSource, Reply, Request, Slot, SourceError};

use super::News;

/// Panes that are asked for at once. They are the dearest questions and the least urgent; with fewer of them than the
/// source has connections, the list and the histogram never queue behind them.
const PANES: usize = 2;

/// What is asked together with the list waits for it, so long at most: the rows are looked at first, and a machine with few
/// cores, or a server that begins a process for each connection, then works for them alone.
const BEHIND: Duration = Duration::from_millis(30);

pub struct Slots {
    /// The list's newest question has ended.
    listed: CancellationToken,
    /// Dropping a slot's sender cancels its question.
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
    pub fn ask<S: EventSource>(
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
            // Rows that come between the two would be counted twice, or not at all.
            Slot::Count => Place::Beside,
            _ => Place::Behind(self.listed.clone()),
        };
        tasks.spawn(answer(source, request, (place, lane), gone, news));
    }
    pub fn cancel(&mut self, slot: Slot) {
        self.live.remove(&slot);
    }
}

/// Before the others, with the one that is, or after it.
enum Place {
    Beside,
    First { _ended: DropGuard },
    Behind(CancellationToken),
}

async fn answer<S: EventSource>(
    source: S,
    request: Request,
    (place, lane): (Place, Option<Arc<Semaphore>>),
    mut gone: oneshot::Receiver<()>,
    news: mpsc::Sender<News>,
) {
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
    let _turn = match lane {
        Some(lane) => tokio::select! {
            // The lane is never closed.
            turn = lane.acquire_owned() => turn.ok(),
            _ = &mut gone => return,
        },
        None => None,
    };
    let cancelled = async {
        // The sender is only ever dropped: an error is the signal.
        let _ = gone.await;
    };
    let outcome = source.answer(&request.query, cancelled).await;
    drop(place);
    if outcome != Err(SourceError::Cancelled) {
        // The screen is gone when this fails.
        let _ = news.send(News::Reply(Reply { ticket: request.ticket, outcome })).await;
    }
}
