//! The next failure on either side of the cursor, searched for in the whole result.
//!
//! The keys for the next and the previous failure start it. A query reads one row; the list then goes to that row,
//! which may lie far outside of the window.

use std::time::Duration;

use crate::domain::page::{Anchor, Page};
use crate::protocol::{Query, Slot, SourceError};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::fetch::Fetch;
use crate::views::Step;

use super::Events;

/// The search in flight, and where it started.
#[derive(Clone, Debug)]
pub struct Seek {
    /// The page of one row that was last requested.
    pub page: Fetch<Page>,
    /// Where that page begins, so that a search that its budget ended can continue.
    anchor: Anchor,
}

impl Default for Seek {
    fn default() -> Self {
        Self { page: Fetch::new(Slot::Seek), anchor: Anchor::Newest }
    }
}

impl Events {
    /// Requests the next failure on either side of the cursor, in the whole result.
    pub(super) fn seek_failure(&mut self, newer: bool, ctx: &Ctx) -> Step {
        let Some(row) = self.list.selected() else { return Step::default() };
        let here = row.cursor();
        self.seek_from(if newer { Anchor::Newer(here) } else { Anchor::Older(here) }, ctx)
    }

    /// Requests one failed event from `anchor` on, under the filter and in addition `type:failed`.
    fn seek_from(&mut self, anchor: Anchor, ctx: &Ctx) -> Step {
        let mut failures = ctx.filter.clone();
        if !failures.failures_only() {
            failures.toggle_failures();
        }
        let criteria = ctx.criteria_of(&failures);
        self.seek.anchor = anchor.clone();
        let query = Query::Page { criteria, anchor, limit: 1 };
        Step::send([Effect::Send(self.seek.page.request(query, Duration::ZERO))])
    }

    /// Goes to the failure that was found. If the search budget ended before a failure was found, the search continues;
    /// at the end of the result a notice says so.
    pub(super) fn found(&mut self, outcome: Result<Page, SourceError>, ctx: &Ctx) -> Step {
        self.seek.page.settle(outcome);
        if let Some(error) = self.seek.page.error() {
            return Step::say(format!("the search failed: {error}"));
        }
        let Some(page) = self.seek.page.value() else { return Step::default() };
        let Some(row) = page.rows.first().cloned() else {
            if let Some(on) = page.onward(&self.seek.anchor) {
                return self.seek_from(on, ctx);
            }
            let way = if self.seek.anchor.is_older() { "older" } else { "newer" };
            return Step::say(format!("no {way} failure under this filter"));
        };
        Step::send(self.list.go_to(&row.cursor(), ctx.criteria()).map(Effect::Send))
    }
}
