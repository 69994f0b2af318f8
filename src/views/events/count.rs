//! How many rows match: the count of the whole result, kept exact while rows arrive.
//!
//! A row that arrives while the count is in flight may or may not be in it, so the count is requested again.

use std::time::Duration;

use crate::domain::page::Total;
use crate::protocol::{Query, Request, Slot, SourceError, Ticket};
use crate::ui::ctx::Ctx;
use crate::ui::fetch::Fetch;

/// Counting stops here at first; beyond, the screen says `≥`.
const CEILING: u64 = 100_000;
/// A count that is disturbed by arriving rows is requested again at most this often; later rows wait for the next count.
const TRIES: u32 = 3;

/// The count, and what disturbs it.
#[derive(Clone, Debug)]
pub struct Count {
    /// The last count. It is dropped at a new filter, and stays while the same filter is counted again.
    total: Fetch<Total>,
    /// Rows arrived while the count was in flight.
    disturbed: bool,
    /// Requests since the last [`start`](Self::start) or [`again`](Self::again), [`TRIES`] at most.
    tries: u32,
    /// A recount of the same filter: the value on screen stays valid meanwhile.
    is_recount: bool,
}

impl Default for Count {
    fn default() -> Self {
        Self { total: Fetch::new(Slot::Count), disturbed: false, tries: 0, is_recount: false }
    }
}

impl Count {
    /// Requests the count under a new filter; the old one is dropped, because it is not the new filter's.
    pub fn start(&mut self, ctx: &Ctx, wait: Duration) -> Request {
        self.total.clear();
        self.is_recount = false;
        self.tries = 0;
        self.request(ctx, wait)
    }
    /// Requests the count under the same filter again; the value on screen stays until it comes.
    pub fn again(&mut self, ctx: &Ctx) -> Request {
        self.is_recount = self.total.value().is_some();
        self.tries = 0;
        self.request(ctx, Duration::ZERO)
    }
    /// Requests a count of at most [`CEILING`] rows, as of `ctx.as_of`.
    fn request(&mut self, ctx: &Ctx, wait: Duration) -> Request {
        self.disturbed = false;
        self.tries += 1;
        self.total.request(Query::Count { criteria: ctx.criteria(), ceiling: Some(CEILING) }, wait)
    }

    /// Whether the reply belongs to the count in flight.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.total.awaits(ticket)
    }
    /// Takes the count, or requests it again if rows arrived meanwhile.
    pub fn settle(&mut self, outcome: Result<Total, SourceError>, ctx: &Ctx) -> Option<Request> {
        let retry = self.disturbed && self.tries < TRIES && outcome.is_ok();
        self.total.settle(outcome);
        retry.then(|| self.request(ctx, Duration::ZERO))
    }
    /// Counts live rows. A lower bound stays as it is.
    pub fn arrive(&mut self, rows: u64) {
        self.disturbed |= self.total.is_waiting();
        if let Some(Total::Exact(total)) = self.total.value_mut() {
            *total += rows;
        }
    }

    /// The last count under this filter; `None` before it comes, and after [`cancel`](Self::cancel).
    pub fn value(&self) -> Option<&Total> {
        self.total.value()
    }
    /// Whether a count is in flight; the value on screen may be valid all the same.
    pub fn is_waiting(&self) -> bool {
        self.total.is_waiting()
    }
    /// Whether the value on screen is to be replaced by another one.
    pub fn is_changing(&self) -> bool {
        self.total.is_waiting() && !self.is_recount
    }
    /// Gives up the count in flight and drops the value.
    pub fn cancel(&mut self) {
        self.total.clear();
    }
}
