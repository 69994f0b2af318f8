//! Some neighboring rows of a device, and the attempts that they show.
//!
//! A list of attempts has pages of matching rows; the rows around them decide what came of each attempt. A window says
//! whether its rows suffice, and to which side more are needed. Called by commands and views that list attempts.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Attempt, Begins, Fold, Patience, Row, State, Step};
use crate::domain::event::ErrorText;
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::instant::Instant;

/// Rows of one device, without a gap.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// Oldest first.
    rows: Vec<Arc<RenewalEvent>>,
    /// No row of the device lies before them.
    pub from_first: bool,
    /// No row of the device lies behind them.
    pub to_last: bool,
}

/// An attempt with its rows in a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Paired {
    /// Undecided where the rows do not suffice.
    pub attempt: Attempt,
    /// Oldest first.
    pub rows: Vec<Arc<RenewalEvent>>,
    /// Rows before the window may change it.
    pub needs_before: bool,
    /// Rows behind the window may change it.
    pub needs_after: bool,
}

impl Window {
    /// A window of rows that have no gap, in any order. `None` without a row.
    pub fn new(mut rows: Vec<Arc<RenewalEvent>>) -> Option<Self> {
        rows.sort_by_cached_key(|row| row.cursor());
        rows.dedup_by(|a, b| a.cursor() == b.cursor());
        (!rows.is_empty()).then_some(Self { rows, from_first: false, to_last: false })
    }

    /// Its rows, oldest first.
    pub fn rows(&self) -> &[Arc<RenewalEvent>] {
        &self.rows
    }

    /// Windows of one device, those joined that have a row in common.
    pub fn joined(mut windows: Vec<Self>) -> Vec<Self> {
        windows.sort_by_cached_key(|window| window.rows.first().map(|row| row.cursor()));
        let mut joined: Vec<Self> = Vec::new();
        for window in windows {
            let meets = |last: &Self| window.rows.first().map(|r| r.cursor()) <= last.rows.last().map(|r| r.cursor());
            match joined.last_mut().filter(|last| meets(last)) {
                Some(last) => last.join(window),
                None => joined.push(window),
            }
        }
        joined
    }

    /// Takes the rows of a window that begins within this one.
    fn join(&mut self, other: Self) {
        let end = self.rows.last().map(|row| row.cursor());
        let (before, ahead) = (self.rows.len(), other.rows.into_iter().filter(|row| Some(row.cursor()) > end));
        self.rows.extend(ahead);
        self.from_first |= other.from_first;
        // The end of the one that reaches further holds.
        self.to_last = if self.rows.len() > before { other.to_last } else { self.to_last || other.to_last };
    }

    /// The attempts of these rows at `now`, the database's time, the oldest first.
    pub fn attempts(&self, patience: Patience, now: Instant) -> Vec<Paired> {
        let begins = if self.from_first { Begins::WithTable } else { Begins::WithinTable };
        let mut rows: Vec<(Row, &Arc<RenewalEvent>)> =
            self.rows.iter().filter_map(|row| Some((plain(row)?, row))).collect();
        rows.sort_by(|(a, _), (b, _)| {
            (a.at, a.step != Step::Started, &a.id).cmp(&(b.at, b.step != Step::Started, &b.id))
        });
        let (mut fold, mut done) = (Fold::new(begins), Vec::new());
        let mut of: HashMap<Id, Vec<Arc<RenewalEvent>>> = HashMap::new();
        for (row, event) in rows {
            let (id, family, known) = (row.id.clone(), row.family, done.len());
            fold.add(row, &mut done);
            // Row by row, so that the attempt to which it belongs shows.
            fold.settle(&mut done);
            let open = fold.open(patience, now);
            let ends = |a: &&Attempt| a.end.as_ref().is_some_and(|(mark, _)| mark.id == id);
            let begins = |a: &&Attempt| a.start.as_ref().is_some_and(|mark| mark.id == id);
            let repeated = |a: &&Attempt| a.family == family;
            let new = done.get(known..).unwrap_or_default();
            let its = new.iter().chain(&open).find(ends);
            let its = its.or_else(|| open.iter().find(begins)).or_else(|| open.iter().find(repeated));
            if let Some(attempt) = its.and_then(Attempt::id) {
                of.entry(attempt.clone()).or_default().push(Arc::clone(event));
            }
        }
        let open = fold.open(patience, now);
        let all =
            done.into_iter().map(|attempt| (attempt, false)).chain(open.into_iter().map(|attempt| (attempt, true)));
        let mut all: Vec<Paired> = all.map(|(attempt, open)| self.paired(attempt, open, &mut of)).collect();
        all.sort_by(|a, b| (a.attempt.at(), a.attempt.id()).cmp(&(b.attempt.at(), b.attempt.id())));
        all
    }

    /// An attempt with its rows and needs; `open`: further rows may join it.
    fn paired(&self, attempt: Attempt, open: bool, of: &mut HashMap<Id, Vec<Arc<RenewalEvent>>>) -> Paired {
        let rows = attempt.id().and_then(|id| of.remove(id)).unwrap_or_default();
        let unsure = attempt.state == State::Undecided || !attempt.tries_exact;
        Paired { rows, needs_before: !self.from_first && unsure, needs_after: !self.to_last && open, attempt }
    }
}

/// The row of an event as it was recorded, with the signature of its error.
fn plain(event: &RenewalEvent) -> Option<Row> {
    let sig = event.error.as_ref().and_then(ErrorText::sig);
    let row = Row::of(event, sig)?;
    // An inferred reason is that of the start, which the attempt has itself.
    Some(if event.reason_inferred() { Row { reason: None, ..row } } else { row })
}
