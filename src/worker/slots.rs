//! One live question in each slot: the newest.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::protocol::{EventSource, Reply, Request, Slot, SourceError};

use super::News;

/// Panes that are asked for at once. They are the dearest questions and the least urgent; with fewer of them than the
/// source has connections, the list and the histogram never queue behind them.
const PANES: usize = 2;

pub struct Slots {
    /// Dropping a slot's sender cancels its question.
    live: HashMap<Slot, oneshot::Sender<()>>,
    panes: Arc<Semaphore>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { live: HashMap::new(), panes: Arc::new(Semaphore::new(PANES)) }
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
        let lane = matches!(request.ticket.slot, Slot::Facets(_)).then(|| Arc::clone(&self.panes));
        self.live.insert(request.ticket.slot, keep);
        tasks.spawn(answer(source, request, lane, gone, news));
    }
    pub fn cancel(&mut self, slot: Slot) {
        self.live.remove(&slot);
    }
}

async fn answer<S: EventSource>(
    source: S,
    request: Request,
    lane: Option<Arc<Semaphore>>,
    mut gone: oneshot::Receiver<()>,
    news: mpsc::Sender<News>,
) {
    if !request.debounce.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(request.debounce) => {}
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
    if outcome != Err(SourceError::Cancelled) {
        // The screen is gone when this fails.
        let _ = news.send(News::Reply(Reply { ticket: request.ticket, outcome })).await;
    }
}
