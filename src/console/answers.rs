//! Replies and news of the tail into the model. Stale replies are dropped here, and nowhere else.

use crate::domain::page::Total;
use crate::protocol::tail::{Batch, TailEvent, TailNews};
use crate::protocol::{Answer, Reply, Slot, SourceError};
use crate::ui::ctx::Link;
use crate::ui::effect::Effect;

use super::clock::Retry;
use super::{Layer, Model};

impl Model {
    /// Passes a reply to the owner of its ticket; a reply without one is stale, and dropped.
    pub(super) fn reply(&mut self, reply: Reply, effects: &mut Vec<Effect>) {
        if reply.outcome.as_ref().is_err_and(SourceError::is_connection) {
            self.retry_later();
        }
        let ticket = reply.ticket;
        if self.view.awaits(ticket) {
            if ticket.slot == Slot::List && reply.outcome.is_ok() {
                self.ctx.link = Link::Live;
            }
            let step = self.view.reply(reply, &self.ctx);
            self.take(step, effects);
        } else if self.ctx.source.awaits(ticket) {
            match reply.outcome {
                Ok(Answer::Described(source)) => self.ctx.source.settle(Ok(source)),
                Ok(_) => {}
                Err(error) => self.ctx.source.settle(Err(error)),
            }
            let step = self.view.described(&self.ctx);
            self.take(step, effects);
        } else if let Some(Layer::Filter(edit)) = &mut self.layer
            && edit.awaits(ticket)
        {
            edit.reply(reply.outcome, self.view.candidates());
        }
    }

    pub(super) fn tail_event(&mut self, event: TailEvent, effects: &mut Vec<Effect>) {
        if event.generation != self.tail.generation {
            return;
        }
        match event.news {
            TailNews::Trouble { error, retry_in, tries } => {
                let since = match &self.ctx.link {
                    Link::Away { since, .. } | Link::Slow { since } => *since,
                    _ => self.ctx.now,
                };
                self.ctx.link = Link::Away { since, error, next: self.ctx.now.plus(retry_in), tries };
            }
            TailNews::Slow(waited) if !matches!(self.ctx.link, Link::Away { .. }) => {
                self.ctx.link = Link::Slow { since: self.ctx.now.minus(waited) };
            }
            TailNews::Slow(_) => {}
            TailNews::Resumed => {
                self.ctx.link = Link::Live;
                self.tail.retry = Retry::default();
                self.refresh(effects);
            }
            TailNews::Skipped(rows) => {
                let (Total::Exact(n) | Total::AtLeast(n)) = rows;
                self.tail.skipped += n;
                self.refresh(effects);
            }
            TailNews::Batch(batch) => self.batch(batch, effects),
        }
    }

    fn batch(&mut self, batch: Batch, effects: &mut Vec<Effect>) {
        self.ctx.link = Link::Live;
        self.tail.window = batch.window;
        self.tail.lag = batch.lag.or(self.tail.lag);
        // The first batch of an order has rows that were there a moment before.
        if std::mem::replace(&mut self.tail.begun, true) {
            self.alert(&batch.rows, effects);
        }
        if batch.rows.is_empty() {
            return;
        }
        let now = self.ctx.now;
        if self.tail.paused {
            let rows = batch.rows.len() as u64;
            self.tail.held += rows;
            return self.tail.note(now, rows, batch.late);
        }
        let fresh = self.view.arrive(batch.rows, &self.ctx);
        if fresh > 0 {
            self.tail.note(now, fresh, batch.late);
        }
    }
}
