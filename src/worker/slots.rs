//! One live question in each slot: the newest.

use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::protocol::{EventSource, Reply, Request, Slot, SourceError};

use super::News;

/// Dropping a slot's sender cancels its question.
#[derive(Default)]
pub struct Slots(HashMap<Slot, oneshot::Sender<()>>);

impl Slots {
    pub fn ask<S: EventSource>(
        &mut self,
        tasks: &mut JoinSet<()>,
        source: S,
        request: Request,
        news: mpsc::Sender<News>,
    ) {
        let (keep, gone) = oneshot::channel();
        self.0.insert(request.ticket.slot, keep);
        tasks.spawn(answer(source, request, gone, news));
    }
    pub fn cancel(&mut self, slot: Slot) {
        self.0.remove(&slot);
    }
}

async fn answer<S: EventSource>(
    source: S,
    request: Request,
    mut gone: oneshot::Receiver<()>,
    news: mpsc::Sender<News>,
) {
    if !request.debounce.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(request.debounce) => {}
            _ = &mut gone => return,
        }
    }
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
