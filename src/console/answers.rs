//! Replies and news of the tail into the model. Stale replies are dropped here, and nowhere else.
//!
//! Called by [`Model::update`]. A reply is taken only by the owner of its ticket, and news only in the generation of
//! the order in force or of the alert.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::domain::format;
use crate::domain::page::Total;
use crate::protocol::tail::{ALERT, Batch, TailEvent, TailNews};
use crate::protocol::{Answer, Reply, Slot, SourceError};
use crate::ui::ctx::Link;
use crate::ui::effect::Effect;
use crate::ui::fetch::take;
use crate::views::ViewId;

use super::clock::Retry;
use super::{Layer, Model};

impl Model {
    /// Passes a reply to the owner of its ticket; a reply without one is stale, and dropped. A successful reply of the
    /// list shows that the database answers, even before the tail's next poll.
    pub(super) fn reply(&mut self, reply: Reply, effects: &mut Vec<Effect>) {
        if reply.outcome.as_ref().is_err_and(SourceError::is_connection) {
            self.retry_later();
        }
        let ticket = reply.ticket;
        if self.views.awaits(ticket) {
            if ticket.slot == Slot::List && reply.outcome.is_ok() {
                self.ctx.link = Link::Live;
            }
            let step = self.views.reply(reply, &self.ctx);
            self.take(step, effects);
        } else if self.ctx.source.awaits(ticket) {
            let source = take!(reply.outcome, Answer::Described);
            let newest = source.as_ref().ok().and_then(|source| source.newest);
            self.ctx.newest = self.ctx.newest.max(newest.filter(|at| *at <= self.ctx.now));
            let unreadable = source.as_ref().map_or(0, |source| source.unreadable);
            if unreadable > self.ctx.source.value().map_or(0, |source| source.unreadable) {
                let rows = if unreadable == 1 { "row" } else { "rows" };
                let rows = format!("{} {rows}", format::count(unreadable));
                self.say(format!("{rows} cannot be shown; 'renewscope doctor' lists what is wrong with them"));
            }
            self.ctx.source.settle(source);
            let step = self.views.described(&self.ctx);
            self.take(step, effects);
        } else if let Some(Layer::Filter(edit)) = &mut self.layer
            && edit.awaits(ticket)
        {
            edit.reply(reply.outcome, self.views.candidates());
        }
    }

    /// Takes news of a tail. Trouble and slowness change the state in the header. After a resumption and after skipped
    /// rows the view is refreshed, because rows can be missing on screen.
    pub(super) fn tail_event(&mut self, event: TailEvent, effects: &mut Vec<Effect>) {
        match event.news {
            TailNews::Batch(batch) if event.generation == ALERT => self.alert(&batch.rows, effects),
            _ if event.generation != self.tail.generation => {}
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
            TailNews::Batch(batch) => self.batch(batch),
        }
    }

    /// Takes the rows of one poll. Rows of the order's first poll were in the table a moment before, and another filter may
    /// have had them: of these only rows beyond the high-water mark count as new.
    fn batch(&mut self, batch: Batch) {
        self.ctx.link = Link::Live;
        self.tail.window = batch.window;
        self.tail.lag = batch.lag.or(self.tail.lag);
        let newest = batch.rows.iter().map(|row| row.created_at).filter(|at| *at <= self.ctx.now).max();
        self.ctx.newest = self.ctx.newest.max(newest);
        let begun = self.tail.begun;
        self.tail.begun |= !batch.more;
        let high = self.tail.high_water;
        let is_new = |row: &Arc<RenewalEvent>| begun || high.is_some_and(|high| row.created_at > high);
        let late = if begun { batch.late } else { 0 };
        let (new, old): (Vec<_>, Vec<_>) = batch.rows.into_iter().partition(is_new);
        self.tail.high_water = high.max(newest).max(self.first_high_water());
        if !old.is_empty() {
            self.views.arrive(old, false, &self.ctx);
        }
        if self.tail.paused {
            let rows = new.len() as u64;
            if rows > 0 {
                self.tail.held += rows;
                self.tail.note(self.ctx.now, rows, late);
            }
            return;
        }
        if !new.is_empty() {
            // Only the event list knows which rows it had before. Under another view those beyond the high-water mark count.
            let beyond = new.iter().filter(|row| high.is_some_and(|high| row.created_at > high)).count() as u64;
            let listed = self.views.arrive(new, true, &self.ctx);
            let fresh = if self.views.top() == ViewId::Events { listed } else { beyond };
            if fresh > 0 {
                self.tail.note(self.ctx.now, fresh, late);
            }
        }
    }

    /// Before any row was delivered, the time of the first poll: what is dated later is new.
    fn first_high_water(&self) -> Option<crate::domain::instant::Instant> {
        self.tail.high_water.is_none().then_some(self.ctx.now)
    }
}
