//! The next failure on either side of the cursor, looked for in the whole result.

use std::time::Duration;

use crate::domain::page::Anchor;
use crate::protocol::{Query, Request};

use super::Model;
use super::msg::Effect;

impl Model {
    /// Looks for the next failure on either side of the cursor, in the whole result.
    pub(super) fn seek_failure(&mut self, newer: bool, effects: &mut Vec<Effect>) {
        let Some(row) = self.list.selected() else { return };
        let here = row.cursor();
        self.seek_from(if newer { Anchor::Newer(here) } else { Anchor::Older(here) }, effects);
    }

    /// Looks for a failure from there on.
    pub(super) fn seek_from(&mut self, anchor: Anchor, effects: &mut Vec<Effect>) {
        let mut failures = self.filter.clone();
        if !failures.failures_only() {
            failures.toggle_failures();
        }
        let criteria = failures.criteria(self.now, &self.zone);
        self.seek_anchor = anchor.clone();
        let request: Request = self.seek.ask(Query::Page { criteria, anchor, limit: 1 }, Duration::ZERO);
        effects.push(Effect::Ask(request));
    }

    /// Goes to the row that a seek has found.
    pub(super) fn found(&mut self, effects: &mut Vec<Effect>) {
        if let Some(error) = self.seek.error() {
            let words = format!("could not look: {error}");
            return self.say(words);
        }
        let Some(page) = self.seek.value() else { return };
        let Some(row) = page.rows.first().cloned() else {
            if let Some(on) = page.onward(&self.seek_anchor) {
                return self.seek_from(on, effects);
            }
            let way = if self.seek_anchor.is_older() { "older" } else { "newer" };
            return self.say(format!("no {way} failure under this filter"));
        };
        let criteria = self.criteria();
        effects.extend(self.list.go_to(&row.cursor(), None, criteria).map(Effect::Ask));
    }
}
