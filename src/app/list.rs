//! The list: a bounded window on the whole result, moved by keyset pages in both directions.
//!
//! Rows are newest first. The window never holds more than [`WINDOW`] rows, whatever the table holds; what is
//! dropped at one end is asked for again when the cursor comes back. The selection is a row, not a place: rows
//! that arrive or are dropped elsewhere move neither it nor the screen under it.

mod arrivals;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::Instant;
use crate::domain::page::{Anchor, Cursor, Page};
use crate::protocol::{Query, Request, Slot, SourceError, Ticket};
use std::time::Duration;

use super::viewport::Viewport;
pub use arrivals::Mark;
use arrivals::Marks;

/// Rows of one page.
pub const PAGE: u32 = 200;
/// Rows held at most.
pub const WINDOW: usize = 1000;
/// Another page is asked for when fewer rows than this lie beyond the cursor.
const MARGIN: usize = 100;

#[derive(Clone, Debug)]
pub struct List {
    rows: VecDeque<Arc<RenewalEvent>>,
    pub view: Viewport,
    more_newer: bool,
    more_older: bool,
    /// How many matching rows are newer than the first of the window, where that is known.
    base: Option<u64>,
    /// Where the look goes on, where the last one ended for lack of time: towards older rows, and towards newer ones.
    older_from: Option<Anchor>,
    newer_from: Option<Anchor>,
    /// How far that look has come.
    searched_to: Option<Instant>,
    /// The user has stopped it; a move or a new question starts it again.
    halted: bool,
    follow: bool,
    /// Rows that arrived while the cursor was elsewhere.
    arrived: u64,
    load: Option<(Load, Anchor)>,
    /// Rows that arrived before the page that replaces the window, newest first.
    early: Vec<Arc<RenewalEvent>>,
    /// Rows that have just arrived.
    marks: Marks,
    generation: u64,
    failed: Option<SourceError>,
    answered: bool,
}

#[derive(Clone, PartialEq, Debug)]
enum Load {
    /// Replaces the window; the cursor goes where `Land` says.
    Replace(Land),
    Older,
    Newer,
}

#[derive(Clone, PartialEq, Debug)]
enum Land {
    Top,
    Bottom,
    /// On this row if it is there, `rows_above` rows below the top of the screen; else on the first row.
    On {
        id: Option<Id>,
        rows_above: usize,
    },
}

impl Default for List {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            view: Viewport::default(),
            more_newer: false,
            more_older: false,
            base: None,
            older_from: None,
            newer_from: None,
            searched_to: None,
            halted: false,
            follow: true,
            arrived: 0,
            load: None,
            early: Vec::new(),
            marks: Marks::default(),
            generation: 0,
            failed: None,
            answered: false,
        }
    }
}

impl List {
    pub fn rows(&self) -> &VecDeque<Arc<RenewalEvent>> {
        &self.rows
    }
    pub fn selected(&self) -> Option<&Arc<RenewalEvent>> {
        self.rows.get(self.view.cursor)
    }
    /// Place of the selected row in the whole result, from 1; `None` where the window was not reached from the newest end.
    pub fn position(&self) -> Option<u64> {
        (!self.rows.is_empty()).then_some(())?;
        Some(self.base? + self.view.cursor as u64 + 1)
    }
    pub fn is_following(&self) -> bool {
        self.follow && !self.more_newer
    }
    pub fn arrived(&self) -> u64 {
        self.arrived
    }
    pub fn is_loading(&self) -> bool {
        self.load.is_some()
    }
    /// The rows shown answer an older question than the one on the query bar.
    pub fn is_stale(&self) -> bool {
        matches!(self.load, Some((Load::Replace(_), _))) || self.failed.is_some()
    }
    pub fn error(&self) -> Option<&SourceError> {
        self.failed.as_ref()
    }
    /// Whether the present question has been answered, so that "no rows" may be said.
    pub fn is_settled(&self) -> bool {
        self.answered && self.load.is_none() && self.failed.is_none() && self.searched_to.is_none()
    }
    /// Whether any question has been answered.
    pub fn was_answered(&self) -> bool {
        self.answered
    }
    /// How far a look that takes long has come, and whether it goes on.
    pub fn searched_to(&self) -> Option<(Instant, bool)> {
        Some((self.searched_to?, !self.halted))
    }
    /// Whether the window holds the whole result.
    pub fn is_whole(&self) -> bool {
        self.is_settled() && !self.more_newer && !self.more_older
    }

    fn ask(&mut self, load: Load, anchor: Anchor, criteria: Criteria, debounce: Duration) -> Request {
        self.generation += 1;
        self.load = Some((load, anchor.clone()));
        self.halted = false;
        Request {
            ticket: Ticket { slot: Slot::List, generation: self.generation },
            query: Query::Page { criteria, anchor, limit: PAGE },
            debounce,
        }
    }

    /// Asks for the newest rows and follows from there.
    pub fn newest(&mut self, criteria: Criteria, debounce: Duration) -> Request {
        self.follow = true;
        self.arrived = 0;
        self.ask(Load::Replace(Land::Top), Anchor::Newest, criteria, debounce)
    }
    /// Asks another question: from the newest row where the list follows, else around the selected row, which stays
    /// selected where it matches.
    pub fn anew(&mut self, criteria: Criteria, debounce: Duration) -> Request {
        let Some(row) = self.selected().filter(|_| !self.follow).cloned() else {
            return self.newest(criteria, debounce);
        };
        self.arrived = 0;
        let land = Land::On { id: Some(row.id.clone()), rows_above: 0 };
        self.ask(Load::Replace(land), Anchor::At(row.created_at), criteria, debounce)
    }
    pub fn oldest(&mut self, criteria: Criteria) -> Request {
        self.follow = false;
        self.ask(Load::Replace(Land::Bottom), Anchor::Oldest, criteria, Duration::ZERO)
    }
    /// Asks for the rows around the present screen again.
    pub fn again(&mut self, criteria: Criteria) -> Request {
        let top = self.view.offset;
        let before = top.checked_sub(1).and_then(|i| self.rows.get(i));
        let Some(before) = before.or_else(|| self.rows.front().filter(|_| self.more_newer)) else {
            let land = Land::On { id: self.unfollowed_id(), rows_above: self.view.cursor - top.min(self.view.cursor) };
            return self.ask(Load::Replace(land), Anchor::Newest, criteria, Duration::ZERO);
        };
        let anchor = Anchor::Older(before.cursor());
        let land = Land::On { id: self.unfollowed_id(), rows_above: self.view.cursor - top };
        self.ask(Load::Replace(land), anchor, criteria, Duration::ZERO)
    }
    fn unfollowed_id(&self) -> Option<Id> {
        if self.is_following() { None } else { self.selected().map(|r| r.id.clone()) }
    }
    /// Puts the cursor on a row that need not be in the window; `None` when it was there already.
    pub fn go_to(&mut self, target: &Cursor, before: Option<Cursor>, criteria: Criteria) -> Option<Request> {
        self.follow = false;
        if let Some(i) = self.rows.iter().position(|r| r.id == target.id) {
            self.view.cursor = i;
            self.view.settle(self.rows.len());
            return None;
        }
        let anchor = before.map_or(Anchor::At(target.at), Anchor::Older);
        let land = Land::On { id: Some(target.id.clone()), rows_above: self.view.height / 3 };
        Some(self.ask(Load::Replace(land), anchor, criteria, Duration::ZERO))
    }

    /// Goes to the newest row at or before an instant.
    pub fn jump(&mut self, at: Instant, criteria: Criteria) -> Request {
        self.follow = false;
        let land = Land::On { id: None, rows_above: 0 };
        self.ask(Load::Replace(land), Anchor::At(at), criteria, Duration::ZERO)
    }

    /// Moves the cursor; asks for the next page when the end of the window comes near.
    pub fn step(&mut self, delta: isize, criteria: impl FnOnce() -> Criteria) -> Option<Request> {
        // Towards the newest end, at the newest end: that is where following stands.
        if delta != 0 && (delta > 0 || self.view.cursor > 0) {
            self.follow = false;
        }
        self.halted = false;
        self.view.step(delta, self.rows.len());
        self.prefetch(criteria)
    }

    /// The next page in the direction in which too few rows are left, if there is one.
    pub fn prefetch(&mut self, criteria: impl FnOnce() -> Criteria) -> Option<Request> {
        if self.load.is_some() || self.failed.is_some() || self.halted {
            return None;
        }
        let margin = MARGIN.max(self.view.height);
        if self.more_older && self.view.cursor + margin >= self.rows.len() {
            let last = || self.rows.back().map(|r| Anchor::Older(r.cursor()));
            let anchor = self.older_from.clone().or_else(last)?;
            return Some(self.ask(Load::Older, anchor, criteria(), Duration::ZERO));
        }
        if self.more_newer && self.view.cursor < margin {
            let first = || self.rows.front().map(|r| Anchor::Newer(r.cursor()));
            let anchor = self.newer_from.clone().or_else(first)?;
            return Some(self.ask(Load::Newer, anchor, criteria(), Duration::ZERO));
        }
        None
    }

    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.load.is_some() && ticket.slot == Slot::List && ticket.generation == self.generation
    }

    /// Gives up the running question; what is on screen stays.
    pub fn cancel(&mut self) {
        self.generation += 1;
        self.halted = true;
        if self.load.take().is_some() && !self.answered {
            self.failed = Some(SourceError::Cancelled);
        }
    }

    pub fn settle(&mut self, outcome: Result<Page, SourceError>) {
        let Some((load, asked)) = self.load.take() else { return };
        match outcome {
            Err(error) => self.failed = Some(error),
            Ok(page) => {
                self.failed = None;
                self.answered = true;
                self.note_walk(&page, &asked, &load);
                match load {
                    Load::Replace(land) => {
                        self.replace(page, &land);
                        self.take_early();
                    }
                    Load::Older => self.append_older(page),
                    Load::Newer => self.prepend_newer(page),
                }
            }
        }
        self.view.settle(self.rows.len());
    }

    /// Keeps where a look that ended for lack of time goes on.
    fn note_walk(&mut self, page: &Page, asked: &Anchor, load: &Load) {
        let on = page.onward(asked).filter(|_| page.searched_to.is_some());
        if matches!(load, Load::Replace(_)) {
            (self.older_from, self.newer_from) = (None, None);
        }
        if asked.is_older() {
            self.older_from = on;
        } else {
            self.newer_from = on;
        }
        self.searched_to = page.searched_to;
    }

    fn replace(&mut self, page: Page, land: &Land) {
        self.rows = page.rows.into();
        self.more_newer = page.more_newer;
        self.more_older = page.more_older;
        self.base = (!page.more_newer).then_some(0);
        let (cursor, rows_above) = match land {
            Land::Top => (0, 0),
            Land::Bottom => (self.rows.len().saturating_sub(1), self.view.height),
            Land::On { id, rows_above } => {
                let found = id.as_ref().and_then(|id| self.rows.iter().position(|r| r.id == *id));
                (found.unwrap_or(0), *rows_above)
            }
        };
        self.view.cursor = cursor;
        self.view.offset = cursor.saturating_sub(rows_above);
    }

    fn append_older(&mut self, page: Page) {
        self.more_older = page.more_older;
        self.rows.extend(page.rows);
        let surplus = self.rows.len().saturating_sub(WINDOW);
        if surplus > 0 {
            self.rows.drain(..surplus);
            self.more_newer = true;
            self.base = self.base.map(|b| b + surplus as u64);
            self.view.cursor = self.view.cursor.saturating_sub(surplus);
            self.view.offset = self.view.offset.saturating_sub(surplus);
        }
    }

    fn prepend_newer(&mut self, page: Page) {
        let n = page.rows.len();
        self.more_newer = page.more_newer;
        for row in page.rows.into_iter().rev() {
            self.rows.push_front(row);
        }
        self.base = if self.more_newer { self.base.and_then(|b| b.checked_sub(n as u64)) } else { Some(0) };
        self.view.cursor += n;
        self.view.offset += n;
        if !self.more_newer {
            self.arrived = 0;
        }
        if self.rows.len() > WINDOW {
            self.rows.truncate(WINDOW);
            self.more_older = true;
        }
    }

    /// Follows from the newest row, which must be loaded; `false` when it must be asked for first.
    pub fn follow_here(&mut self) -> bool {
        if self.more_newer || !self.answered || self.failed.is_some() {
            return false;
        }
        self.follow = true;
        self.arrived = 0;
        self.view.cursor = 0;
        self.view.offset = 0;
        true
    }
    pub fn unfollow(&mut self) {
        self.follow = false;
    }
}
