//! Rows that come while the list is on screen: they take their places, and nothing that is looked at moves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::instant::{Instant, Span};

use super::{List, Load, WINDOW};

/// A row that has just come is marked for this long.
const NEW: Span = Span::seconds(20);

/// How a row that has just come is marked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    New,
    /// Older than rows that were there before it.
    Late,
}

/// The rows that came lately, and when.
#[derive(Clone, Debug, Default)]
pub struct Marks(HashMap<Id, (Mark, Instant)>);

impl List {
    /// Takes rows that have appeared in the database, newest first; returns those that belong to the window or before it.
    pub fn arrive(&mut self, rows: Vec<Arc<RenewalEvent>>, now: Instant) -> Vec<Arc<RenewalEvent>> {
        if !self.answered || matches!(self.load, Some((Load::Replace(_), _))) {
            // The page that is on its way may have been read before these were committed.
            self.early.extend(rows.iter().cloned());
            self.early.sort_by_key(|row| std::cmp::Reverse(row.cursor()));
            self.early.truncate(WINDOW);
        }
        if !self.answered {
            return Vec::new();
        }
        let newest = self.rows.front().map(|r| r.created_at);
        let rows = self.insert_all(rows);
        for row in &rows {
            let late = newest.is_some_and(|newest| row.created_at < newest);
            self.marks.0.insert(row.id.clone(), (if late { Mark::Late } else { Mark::New }, now));
        }
        self.forget_marks(now);
        if !self.is_following() {
            self.arrived += rows.len() as u64;
        }
        rows
    }

    /// Puts the rows that came before the page among those of the page.
    pub(super) fn take_early(&mut self) {
        let early = std::mem::take(&mut self.early);
        self.insert_all(early);
    }

    /// How a row is to be marked.
    pub fn mark(&self, id: &Id) -> Option<Mark> {
        self.marks.0.get(id).map(|(mark, _)| *mark)
    }

    /// Whether any row is marked.
    pub fn has_marks(&self) -> bool {
        !self.marks.0.is_empty()
    }

    /// Takes back the marks that are old.
    pub fn forget_marks(&mut self, now: Instant) {
        self.marks.0.retain(|_, (_, at)| at.plus(NEW) > now);
        if self.marks.0.len() > WINDOW {
            // In a flood everything is new, and a mark says nothing.
            self.marks.0.clear();
        }
    }

    fn insert_all(&mut self, mut rows: Vec<Arc<RenewalEvent>>) -> Vec<Arc<RenewalEvent>> {
        let known: HashSet<&Id> = self.rows.iter().map(|r| &r.id).collect();
        rows.retain(|row| !known.contains(&row.id));
        // Older than all that is loaded, while more is known to follow: those pages will bring them.
        let last = self.rows.back().filter(|_| self.more_older).map(|r| r.cursor());
        rows.retain(|row| last.as_ref().is_none_or(|last| row.cursor() > *last));
        for row in &rows {
            self.insert(row.clone());
        }
        if self.is_following() {
            self.view.cursor = 0;
            self.view.offset = 0;
        }
        self.bound();
        rows
    }

    fn insert(&mut self, row: Arc<RenewalEvent>) {
        let cursor = row.cursor();
        let at = self.rows.partition_point(|r| r.cursor() > cursor);
        if at == 0 && self.more_newer {
            self.base = self.base.map(|b| b + 1);
            return;
        }
        let was_empty = self.rows.is_empty();
        self.rows.insert(at, row);
        if !was_empty && !self.is_following() {
            if at <= self.view.cursor {
                self.view.cursor += 1;
            }
            if at <= self.view.offset {
                self.view.offset += 1;
            }
        }
    }

    /// Drops what is too much at the end that is farther from the cursor.
    fn bound(&mut self) {
        let surplus = self.rows.len().saturating_sub(WINDOW);
        if surplus == 0 {
            return;
        }
        if self.view.cursor < self.rows.len() / 2 {
            self.rows.truncate(WINDOW);
            self.more_older = true;
        } else {
            self.rows.drain(..surplus);
            self.more_newer = true;
            self.base = self.base.map(|b| b + surplus as u64);
            self.view.cursor = self.view.cursor.saturating_sub(surplus);
            self.view.offset = self.view.offset.saturating_sub(surplus);
        }
    }
}
