//! Inserts live rows without moving the selection or the viewport.
//!
//! Called with the rows of each batch of the tail. Rows that come while a page is in flight wait in that page's load: the
//! page may have been read before they were committed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::instant::{Instant, Span};

use super::window::{List, WINDOW};

/// A new row is marked for this long.
const NEW: Span = Span::seconds(20);

/// How a new row is marked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// As new as the newest row before it, or newer.
    New,
    /// Older than rows that were there before it.
    Late,
}

/// Whether the list follows the newest row, and what came since it stopped.
#[derive(Clone, Debug)]
pub(super) struct Follow {
    /// The list stays on the newest row, as far as that is loaded; see [`List::is_following`].
    pub on: bool,
    /// Rows that arrived while it does not follow.
    pub arrived: u64,
    /// New rows, and when they came.
    marks: HashMap<Id, (Mark, Instant)>,
}

impl Default for Follow {
    fn default() -> Self {
        Self { on: true, arrived: 0, marks: HashMap::new() }
    }
}

/// Rows that arrived while a page is in flight, newest first, at most [`WINDOW`].
#[derive(Clone, Debug, Default)]
pub(super) struct Early(Vec<Arc<RenewalEvent>>);

impl Early {
    /// Adds rows in their order. Beyond the limit the oldest are dropped, as from the window.
    fn keep(&mut self, rows: &[Arc<RenewalEvent>]) {
        self.0.extend(rows.iter().cloned());
        self.0.sort_by_key(|row| std::cmp::Reverse(row.cursor()));
        self.0.truncate(WINDOW);
    }
    /// The rows, newest first. The page may have some of them too.
    pub fn into_rows(self) -> Vec<Arc<RenewalEvent>> {
        self.0
    }
}

impl List {
    /// Takes rows that the tail delivers, newest first; returns those that were not there and belong to the window or
    /// before it. Only `new` rows are marked and counted as arrived: others were in the table before the tail's order.
    pub fn arrive(&mut self, rows: Vec<Arc<RenewalEvent>>, new: bool, now: Instant) -> Vec<Arc<RenewalEvent>> {
        if let Some(load) = &mut self.load {
            load.early.keep(&rows);
        }
        if !self.answered {
            return Vec::new();
        }
        let newest = self.window.rows.front().map(|r| r.created_at);
        let rows = self.insert_all(rows);
        if !new {
            return rows;
        }
        for row in &rows {
            let late = newest.is_some_and(|newest| row.created_at < newest);
            self.follow.marks.insert(row.id.clone(), (if late { Mark::Late } else { Mark::New }, now));
        }
        self.forget_marks(now);
        if !self.is_following() {
            self.follow.arrived += rows.len() as u64;
        }
        rows
    }

    /// How a row is marked.
    pub fn mark(&self, id: &Id) -> Option<Mark> {
        self.follow.marks.get(id).map(|(mark, _)| *mark)
    }

    /// The marked rows.
    pub fn marked(&self) -> impl Iterator<Item = (&Id, Mark)> {
        self.follow.marks.iter().map(|(id, (mark, _))| (id, *mark))
    }

    /// Whether any row is marked.
    pub fn has_marks(&self) -> bool {
        !self.follow.marks.is_empty()
    }

    /// Drops the marks that are old.
    pub fn forget_marks(&mut self, now: Instant) {
        self.follow.marks.retain(|_, (_, at)| at.plus(NEW) > now);
        if self.follow.marks.len() > WINDOW {
            // In a flood every row is new, and a mark says nothing.
            self.follow.marks.clear();
        }
    }

    /// Inserts the rows that are not in the window, each once; returns them. In follow mode the newest row is selected
    /// afterwards.
    pub(super) fn insert_all(&mut self, mut rows: Vec<Arc<RenewalEvent>>) -> Vec<Arc<RenewalEvent>> {
        let mut known: HashSet<Id> = self.window.rows.iter().map(|r| r.id.clone()).collect();
        // Rows older than all that is loaded come with the pages that follow.
        let last = self.window.rows.back().filter(|_| self.window.more_older).map(|r| r.cursor());
        rows.retain(|row| last.as_ref().is_none_or(|last| row.cursor() > *last) && known.insert(row.id.clone()));
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

    /// Inserts a row at its place. Cursor and offset move with the rows under them, except in follow mode. A row newer
    /// than a window that does not begin at the newest row is counted only; a page brings it.
    fn insert(&mut self, row: Arc<RenewalEvent>) {
        let cursor = row.cursor();
        let at = self.window.rows.partition_point(|r| r.cursor() > cursor);
        if at == 0 && self.window.more_newer {
            self.window.base = self.window.base.map(|b| b + 1);
            return;
        }
        let was_empty = self.window.rows.is_empty();
        self.window.rows.insert(at, row);
        if !was_empty && !self.is_following() {
            if at <= self.view.cursor {
                self.view.cursor += 1;
            }
            if at <= self.view.offset {
                self.view.offset += 1;
            }
        }
    }

    /// Drops surplus rows at the end that is farther from the cursor.
    fn bound(&mut self) {
        let surplus = self.window.rows.len().saturating_sub(WINDOW);
        if surplus == 0 {
            return;
        }
        if self.view.cursor < self.window.rows.len() / 2 {
            self.window.rows.truncate(WINDOW);
            self.window.more_older = true;
        } else {
            self.window.rows.drain(..surplus);
            self.window.more_newer = true;
            self.window.base = self.window.base.map(|b| b + surplus as u64);
            self.view.cursor = self.view.cursor.saturating_sub(surplus);
            self.view.offset = self.view.offset.saturating_sub(surplus);
        }
    }
}
