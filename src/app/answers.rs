//! Answers and live rows into the model.

use std::time::Duration;

use crate::domain::event::Outcome;
use crate::domain::instant::Instant;
use crate::domain::page::Total;
use crate::protocol::query::Answer;
use crate::protocol::tail::{Batch, TailEvent, TailNews};
use crate::protocol::{Reply, Slot, SourceError};

use super::msg::Effect;
use super::panes::Depth;
use super::tail::Link;
use super::{FACETS_EVERY, Focus, Model};

/// An answer of the wrong shape is a fault of the program; it is told like any other.
fn misfit<T>() -> Result<T, SourceError> {
    Err(SourceError::Failed("the answer does not fit the question".into()))
}

macro_rules! take {
    ($outcome:expr, $variant:path) => {
        match $outcome {
            Ok($variant(value)) => Ok(value),
            Ok(_) => misfit(),
            Err(error) => Err(error),
        }
    };
}

impl Model {
    pub(super) fn reply(&mut self, reply: Reply, effects: &mut Vec<Effect>) {
        let Reply { ticket, outcome } = reply;
        if outcome.as_ref().is_err_and(SourceError::is_connection) {
            self.ask_later();
        }
        match ticket.slot {
            Slot::List if self.list.awaits(ticket) => {
                if outcome.is_ok() {
                    self.tail.link = Link::Live;
                }
                self.list.settle(take!(outcome, Answer::Page));
            }
            Slot::Count if self.count.awaits(ticket) => self.count.settle(take!(outcome, Answer::Count)),
            Slot::Facets(field) => {
                let (now, zone) = (self.now, self.zone);
                if let Some(pane) = self.panes.by_field(field).filter(|p| p.facets.awaits(ticket)) {
                    pane.facets.settle(take!(outcome, Answer::Facets));
                    pane.settle();
                    if pane.has_glanced() {
                        let whole = (Depth::Whole, Duration::ZERO);
                        effects.extend(pane.ask(&self.filter, |f| f.criteria(now, &zone), whole).map(Effect::Ask));
                    }
                }
            }
            Slot::Histogram if self.bars.awaits(ticket) => {
                let outcome = take!(outcome, Answer::Histogram);
                let next = self.bars.settle(outcome, || self.filter.criteria(self.now, &self.zone));
                effects.extend(next.map(Effect::Ask));
            }
            Slot::Detail if self.detail.fetch().awaits(ticket) => {
                self.detail.fetch_mut().settle(take!(outcome, Answer::Event));
                self.detail.take_whole();
            }
            Slot::Describe if self.source.awaits(ticket) => {
                self.source.settle(take!(outcome, Answer::Described));
                if self.bars.scale().is_none() {
                    self.ask_bars(Duration::ZERO, effects);
                }
            }
            Slot::Seek if self.seek.awaits(ticket) => {
                self.seek.settle(take!(outcome, Answer::Page));
                self.found(effects);
            }
            Slot::Names if self.names.awaits(ticket) => {
                self.names.settle(take!(outcome, Answer::Facets));
                let known = self.candidates();
                self.edit.offer(&known);
            }
            // Stale: somebody asked anew in the meantime.
            _ => {}
        }
    }

    pub(super) fn tail_event(&mut self, event: TailEvent, effects: &mut Vec<Effect>) {
        if event.generation != self.tail.generation {
            return;
        }
        match event.news {
            TailNews::Trouble { error, retry_in, tries } => {
                let since = match &self.tail.link {
                    Link::Away { since, .. } | Link::Slow { since } => *since,
                    _ => self.now,
                };
                self.tail.link = Link::Away { since, error, next: self.now.plus(retry_in), tries };
            }
            TailNews::Slow(waited) if !matches!(self.tail.link, Link::Away { .. }) => {
                self.tail.link = Link::Slow { since: self.now.minus(waited) };
            }
            TailNews::Slow(_) => {}
            TailNews::Resumed => {
                self.tail.link = Link::Live;
                self.again = super::clock::Again::default();
                self.ask_again(effects);
            }
            TailNews::Skipped(rows) => {
                let (Total::Exact(n) | Total::AtLeast(n)) = rows;
                self.tail.skipped += n;
                self.ask_again(effects);
            }
            TailNews::Batch(batch) => self.batch(batch, effects),
        }
    }

    fn batch(&mut self, batch: Batch, effects: &mut Vec<Effect>) {
        self.tail.link = Link::Live;
        self.tail.window = batch.window;
        self.tail.lag = batch.lag.or(self.tail.lag);
        // The first batch of an order has what was there a moment before.
        if std::mem::replace(&mut self.tail.begun, true) {
            self.alert(&batch.rows, effects);
        }
        if batch.rows.is_empty() {
            return;
        }
        if self.tail.paused {
            let rows = batch.rows.len() as u64;
            self.tail.held += rows;
            self.tail.note(self.now, rows, batch.late);
            return;
        }
        self.admit(batch.rows, batch.late);
    }

    fn admit(&mut self, rows: Vec<std::sync::Arc<crate::domain::event::RenewalEvent>>, late: u64) {
        let fresh = self.list.arrive(rows, self.now);
        if fresh.is_empty() {
            return;
        }
        let n = fresh.len() as u64;
        self.tail.note(self.now, n, late);
        for row in &fresh {
            self.bars.arrive(row);
            self.panes.arrive(row);
        }
        match self.count.value_mut() {
            Some(Total::Exact(total)) => *total += n,
            Some(Total::AtLeast(_)) | None => {}
        }
        if self.facets_due.is_none() {
            self.facets_due = Some(self.now.plus(FACETS_EVERY));
        }
    }

    /// Asks every question again without moving the cursor.
    pub(super) fn ask_again(&mut self, effects: &mut Vec<Effect>) {
        let criteria = self.criteria();
        effects.push(Effect::Ask(self.list.again(criteria)));
        self.ask_count(Duration::ZERO, effects);
        self.ask_facets(Depth::Whole, Duration::ZERO, effects);
        self.ask_bars(Duration::ZERO, effects);
        effects.push(Effect::Ask(self.source.ask(crate::protocol::Query::Describe, Duration::ZERO)));
    }

    /// How many of the loaded rows failed; for the empty and the calm state of the screen.
    pub fn loaded_failures(&self) -> usize {
        self.list.rows().iter().filter(|r| r.outcome() == Outcome::Failed).count()
    }

    /// Types that the filter names and no event has, as far as the pane of types lists all that there are.
    pub fn unknown_types(&self) -> Vec<String> {
        let Some(listed) = self.panes.get(super::panes::PaneId::Kind).and_then(|p| p.facets.value()) else {
            return Vec::new();
        };
        let known = |word: &str| listed.values.iter().any(|v| super::panes::filter_word(v).as_deref() == Some(word));
        let mut named = self.filter.exact_types();
        named.retain(|word| !listed.more && !known(word));
        named
    }

    /// Why the screen cannot be trusted at this moment, and since when.
    pub fn trouble(&self) -> Option<(&SourceError, Option<Instant>)> {
        if let Link::Away { since, error, .. } = &self.tail.link {
            return Some((error, Some(*since)));
        }
        self.list.error().map(|error| (error, None))
    }

    pub fn is_detail_open(&self) -> bool {
        self.focus == Focus::Detail
    }
}
