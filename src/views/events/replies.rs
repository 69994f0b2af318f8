//! Replies into the event view. The shell has dropped stale ones: each fits the query in flight of its slot.

use std::time::Duration;

use crate::protocol::{Answer, Reply, Slot, SourceError, Ticket};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::views::Step;

use super::Events;
use super::panes::Depth;

/// Takes the value of one kind of answer. Another kind is a fault of the program, reported as an error of the query.
macro_rules! take {
    ($outcome:expr, $variant:path) => {
        match $outcome {
            Ok($variant(value)) => Ok(value),
            Ok(_) => Err(SourceError::Failed("the answer is of another kind than the query".into())),
            Err(error) => Err(error),
        }
    };
}

impl Events {
    /// Whether a query of the view waits for this reply.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        match ticket.slot {
            Slot::List => self.list.awaits(ticket),
            Slot::Count => self.count.awaits(ticket),
            Slot::Facets(field) => self.panes.by_field(field).is_some_and(|p| p.facets.awaits(ticket)),
            Slot::Histogram => self.bars.awaits(ticket),
            Slot::Detail => self.detail.fetch().awaits(ticket),
            Slot::Seek => self.seek.page.awaits(ticket),
            Slot::Describe | Slot::Names => false,
        }
    }

    /// Takes a reply that the view [awaits](Self::awaits).
    pub fn reply(&mut self, reply: Reply, ctx: &Ctx) -> Step {
        let Reply { ticket, outcome } = reply;
        match ticket.slot {
            Slot::List => self.list.settle(take!(outcome, Answer::Page)),
            Slot::Count => self.count.settle(take!(outcome, Answer::Count)),
            Slot::Facets(field) => {
                let Some(pane) = self.panes.by_field_mut(field) else { return Step::default() };
                pane.facets.settle(take!(outcome, Answer::Facets));
                pane.settle();
                if pane.has_glanced() {
                    return Step::send(pane.request(ctx, Depth::Whole, Duration::ZERO).map(Effect::Send));
                }
            }
            Slot::Histogram => {
                let next = self.bars.settle(take!(outcome, Answer::Histogram), || ctx.criteria());
                return Step::send(next.map(Effect::Send));
            }
            Slot::Detail => {
                self.detail.fetch_mut().settle(take!(outcome, Answer::Event));
                self.detail.take_whole();
            }
            Slot::Seek => return self.found(take!(outcome, Answer::Page), ctx),
            Slot::Describe | Slot::Names => {}
        }
        Step::default()
    }

    /// The source was described: without a range in the filter, its oldest row is where the histogram begins.
    pub fn described(&mut self, ctx: &Ctx) -> Step {
        if self.bars.scale().is_some() {
            return Step::default();
        }
        Step::send(self.request_bars(ctx, Duration::ZERO))
    }
}
