//! Replies into the event view. The shell has dropped stale ones: each fits the query in flight of its slot.

use std::time::Duration;

use crate::protocol::{Answer, Reply, Slot, Ticket};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::fetch::take;
use crate::views::Step;

use super::Events;
use super::histogram::Bars;
use super::panes::Depth;

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
            Slot::Describe | Slot::Names | Slot::Device => false,
        }
    }

    /// Takes a reply that the view [awaits](Self::awaits). The answer can cause the next query: a count or a slice
    /// again because rows arrived, the next slice of the histogram, or the whole depth of a pane after its glance.
    pub fn reply(&mut self, reply: Reply, ctx: &Ctx) -> Step {
        let Reply { ticket, outcome } = reply;
        match ticket.slot {
            Slot::List => self.list.settle(take!(outcome, Answer::Page)),
            Slot::Count => {
                let next = self.count.settle(take!(outcome, Answer::Count), ctx);
                return Step::send(next.map(Effect::Send));
            }
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
                let next = next.map(Effect::Send).or_else(|| self.zoom_to_bulk(ctx));
                return Step::send(next);
            }
            Slot::Detail => {
                self.detail.fetch_mut().settle(take!(outcome, Answer::Event));
                self.detail.take_whole();
            }
            Slot::Seek => return self.found(take!(outcome, Answer::Page), ctx),
            Slot::Describe | Slot::Names | Slot::Device => {}
        }
        Step::default()
    }

    /// The source was described: without a range in the filter, its oldest row is where the histogram begins. Buckets
    /// that are laid out already stay.
    pub fn described(&mut self, ctx: &Ctx) -> Step {
        if self.bars.scale().is_some() {
            return Step::default();
        }
        Step::send(self.request_bars(ctx, Duration::ZERO, Bars::lay_out))
    }

    /// Without a range in the filter, the histogram leaves out the few rows that are much older than all others; their
    /// number is shown. `None` if the filter has a beginning, or if the histogram begins there already.
    fn zoom_to_bulk(&mut self, ctx: &Ctx) -> Option<Effect> {
        let from = self.bars.bulk().filter(|_| ctx.filter.bounds(ctx.as_of, &ctx.zone).from.is_none())?;
        if self.bulk_from.is_some_and(|known| from <= known) {
            return None;
        }
        self.bulk_from = Some(from);
        self.request_bars(ctx, Duration::ZERO, Bars::lay_out_behind)
    }
}
