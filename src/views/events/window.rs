//! The list: a bounded window on the whole result, moved by keyset pages in both directions.
//!
//! Rows are newest first. The window never holds more than [`WINDOW`] rows, however large the table is; rows dropped at one
//! end are requested again when the cursor comes back. The selection is a row, not a place: rows that arrive or are dropped
//! elsewhere move neither it nor the screen under it. It sends nothing and reads no clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::Instant;
use crate::domain::page::{Anchor, Cursor, Page};
use crate::protocol::{Query, Request, Slot, SourceError, Ticket};
use crate::ui::viewport::Viewport;

use super::arrivals::{Early, Follow};

/// Rows of one page.
pub const PAGE: u32 = 200;
/// Rows held at most.
pub const WINDOW: usize = 1000;
/// The next page is requested when fewer rows than this lie beyond the cursor.
const MARGIN: usize = 100;

/// The list's state. At most one page is in flight.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub(super) window: Window,
    /// Its cursor is the selected row, counted from the newest row of the window.
    pub view: Viewport,
    search: Search,
    pub(super) follow: Follow,
    /// A new request replaces the page in flight.
    pub(super) load: Option<Load>,
    /// That of the newest request; replies to older ones do not match.
    generation: u64,
    /// Why the last query failed. Nothing is prefetched until another one succeeds.
    failed: Option<SourceError>,
    /// A page has come. Before that, live rows only wait in the load.
    pub(super) answered: bool,
}

/// The rows held, and what lies beyond them.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// Newest first, at most [`WINDOW`] of them.
    pub rows: VecDeque<Arc<RenewalEvent>>,
    /// Newer rows match that are not loaded; `more_older`: older ones.
    pub more_newer: bool,
    pub more_older: bool,
    /// How many matching rows are newer than the first of the window, if known.
    pub base: Option<u64>,
    /// The rows match an older filter than the one in force.
    pub outdated: bool,
}

/// A search that no index answers, and that its budget ended.
#[derive(Clone, Debug, Default)]
struct Search {
    /// Where it continues towards older rows, and towards newer ones.
    older_from: Option<Anchor>,
    newer_from: Option<Anchor>,
    /// How far it has come.
    searched_to: Option<Instant>,
    /// The user has stopped it; a move or a new query starts it again.
    halted: bool,
}

/// The page in flight: where it was requested from, and what it does to the window.
#[derive(Clone, Debug)]
pub(super) struct Load {
    anchor: Anchor,
    pub what: What,
    /// Rows that arrive before the page: it may have been read before they were committed. They belong to its filter, and go
    /// with the load if another one replaces it.
    pub early: Early,
}

/// What a page does to the window.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Replaces it; the cursor goes where the place says.
    Replace(Land),
    /// Adds the page's rows at the older end, and drops surplus rows at the newer one.
    Older,
    /// The reverse of `Older`.
    Newer,
}

/// Where the cursor goes in a new window.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Land {
    Top,
    /// On the oldest row of the page.
    Bottom,
    /// On this row if it is there, `rows_above` rows below the top of the screen; else on the first row.
    On {
        id: Option<Id>,
        rows_above: usize,
    },
}

impl List {
    pub fn rows(&self) -> &VecDeque<Arc<RenewalEvent>> {
        &self.window.rows
    }
    /// The row under the cursor; `None` if there are no rows.
    pub fn selected(&self) -> Option<&Arc<RenewalEvent>> {
        self.window.rows.get(self.view.cursor)
    }
    /// Place of the selected row in the whole result, from 1; `None` if the window was not reached from the newest end.
    pub fn position(&self) -> Option<u64> {
        (!self.window.rows.is_empty()).then_some(())?;
        Some(self.window.base? + self.view.cursor as u64 + 1)
    }
    /// Whether new rows appear at the top and stay selected. False while the newest rows are not loaded.
    pub fn is_following(&self) -> bool {
        self.follow.on && !self.window.more_newer
    }
    /// How many rows arrived since the list stopped following.
    pub fn arrived(&self) -> u64 {
        self.follow.arrived
    }
    pub fn is_loading(&self) -> bool {
        self.load.is_some()
    }
    /// The rows shown are those of an older query than the one on the query bar.
    pub fn is_stale(&self) -> bool {
        self.is_replacing() || self.failed.is_some()
    }
    pub fn error(&self) -> Option<&SourceError> {
        self.failed.as_ref()
    }
    /// Whether the current query is answered, so that "no rows" is true.
    pub fn is_settled(&self) -> bool {
        self.answered && self.load.is_none() && self.failed.is_none() && self.search.searched_to.is_none()
    }
    /// Whether any query has been answered.
    pub fn was_answered(&self) -> bool {
        self.answered
    }
    /// How far a search that its budget ended has come, and whether it continues.
    pub fn searched_to(&self) -> Option<(Instant, bool)> {
        Some((self.search.searched_to?, !self.search.halted))
    }
    /// Whether the window holds the whole result.
    pub fn is_whole(&self) -> bool {
        self.is_settled() && !self.window.more_newer && !self.window.more_older
    }

    /// Removes the rows that a moved range no longer holds. The selection stays if its row does.
    pub fn slide(&mut self, holds: impl Fn(Instant) -> bool) {
        let before = self.window.rows.len();
        let selected = self.selected().map(|r| r.id.clone());
        self.window.rows.retain(|row| holds(row.created_at));
        if self.window.rows.len() == before {
            return;
        }
        // The rows that have left are older than all that remain, and so is everything beyond them.
        self.window.more_older = false;
        self.search.older_from = None;
        let place = selected.and_then(|id| self.window.rows.iter().position(|r| r.id == id));
        if let Some(place) = place {
            self.view.cursor = place;
        }
        self.view.settle(self.window.rows.len());
    }

    /// Whether the page in flight replaces the window.
    pub(super) fn is_replacing(&self) -> bool {
        matches!(&self.load, Some(Load { what: What::Replace(_), .. }))
    }

    fn replace_from(&mut self, land: Land, anchor: Anchor, criteria: Criteria, debounce: Duration) -> Request {
        self.request(What::Replace(land), anchor, criteria, debounce)
    }

    fn request(&mut self, what: What, anchor: Anchor, criteria: Criteria, debounce: Duration) -> Request {
        self.generation += 1;
        self.load = Some(Load { anchor: anchor.clone(), what, early: Early::default() });
        self.search.halted = false;
        Request {
            ticket: Ticket { slot: Slot::List, generation: self.generation },
            query: Query::Page { criteria, anchor, limit: PAGE },
            debounce,
        }
    }

    /// Requests the newest rows, and follows.
    pub fn newest(&mut self, criteria: Criteria, debounce: Duration) -> Request {
        self.follow.on = true;
        self.follow.arrived = 0;
        self.replace_from(Land::Top, Anchor::Newest, criteria, debounce)
    }
    /// Requests the rows of another filter: the newest if the list follows, else those around the selected row, which stays
    /// selected if it matches.
    pub fn start(&mut self, criteria: Criteria, debounce: Duration) -> Request {
        self.window.outdated = true;
        let Some(row) = self.selected().filter(|_| !self.follow.on).cloned() else {
            return self.newest(criteria, debounce);
        };
        self.follow.arrived = 0;
        let land = Land::On { id: Some(row.id.clone()), rows_above: 0 };
        self.replace_from(land, Anchor::At(row.created_at), criteria, debounce)
    }
    /// Requests the oldest rows, and stops following.
    pub fn oldest(&mut self, criteria: Criteria) -> Request {
        self.follow.on = false;
        self.replace_from(Land::Bottom, Anchor::Oldest, criteria, Duration::ZERO)
    }
    /// Requests the rows around the current screen again.
    pub fn refresh(&mut self, criteria: Criteria) -> Request {
        let top = self.view.offset;
        let before = top.checked_sub(1).and_then(|i| self.window.rows.get(i));
        let Some(before) = before.or_else(|| self.window.rows.front().filter(|_| self.window.more_newer)) else {
            let land = Land::On { id: self.unfollowed_id(), rows_above: self.view.cursor - top.min(self.view.cursor) };
            return self.replace_from(land, Anchor::Newest, criteria, Duration::ZERO);
        };
        let anchor = Anchor::Older(before.cursor());
        let land = Land::On { id: self.unfollowed_id(), rows_above: self.view.cursor - top };
        self.replace_from(land, anchor, criteria, Duration::ZERO)
    }
    fn unfollowed_id(&self) -> Option<Id> {
        if self.is_following() { None } else { self.selected().map(|r| r.id.clone()) }
    }
    /// Moves the cursor to a row; requests its surroundings if it is not in the window.
    pub fn go_to(&mut self, target: &Cursor, criteria: Criteria) -> Option<Request> {
        self.follow.on = false;
        if let Some(i) = self.window.rows.iter().position(|r| r.id == target.id) {
            self.view.cursor = i;
            self.view.settle(self.window.rows.len());
            return None;
        }
        let land = Land::On { id: Some(target.id.clone()), rows_above: self.view.height / 3 };
        Some(self.replace_from(land, Anchor::At(target.at), criteria, Duration::ZERO))
    }

    /// Goes to the newest row at or before an instant.
    pub fn jump(&mut self, at: Instant, criteria: Criteria) -> Request {
        self.follow.on = false;
        let land = Land::On { id: None, rows_above: 0 };
        self.replace_from(land, Anchor::At(at), criteria, Duration::ZERO)
    }

    /// Moves the cursor; requests the next page near the end of the window.
    pub fn step(&mut self, delta: isize, criteria: impl FnOnce() -> Criteria) -> Option<Request> {
        // Moving up on the newest row keeps follow mode.
        if delta != 0 && (delta > 0 || self.view.cursor > 0) {
            self.follow.on = false;
        }
        self.search.halted = false;
        self.view.step(delta, self.window.rows.len());
        self.prefetch(criteria)
    }

    /// Requests the next page in the direction in which few rows are left, if there is one.
    pub fn prefetch(&mut self, criteria: impl FnOnce() -> Criteria) -> Option<Request> {
        if self.load.is_some() || self.failed.is_some() || self.search.halted {
            return None;
        }
        let margin = MARGIN.max(self.view.height);
        if self.window.more_older && self.view.cursor + margin >= self.window.rows.len() {
            let last = || self.window.rows.back().map(|r| Anchor::Older(r.cursor()));
            let anchor = self.search.older_from.clone().or_else(last)?;
            return Some(self.request(What::Older, anchor, criteria(), Duration::ZERO));
        }
        if self.window.more_newer && self.view.cursor < margin {
            let first = || self.window.rows.front().map(|r| Anchor::Newer(r.cursor()));
            let anchor = self.search.newer_from.clone().or_else(first)?;
            return Some(self.request(What::Newer, anchor, criteria(), Duration::ZERO));
        }
        None
    }

    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.load.is_some() && ticket.slot == Slot::List && ticket.generation == self.generation
    }

    /// Gives up the page in flight; the rows on screen stay. Rows of an older filter stay marked as such: they, or their
    /// absence, are no result of the filter in force.
    pub fn cancel(&mut self) {
        self.generation += 1;
        self.search.halted = true;
        if self.load.take().is_some() && self.window.outdated {
            self.failed = Some(SourceError::Cancelled);
        }
    }

    /// Takes the page in flight, and then the rows that arrived before it. A failure leaves the rows on screen.
    pub fn settle(&mut self, outcome: Result<Page, SourceError>) {
        let Some(Load { anchor, what, early }) = self.load.take() else { return };
        match outcome {
            Err(error) => self.failed = Some(error),
            Ok(page) => {
                self.failed = None;
                self.answered = true;
                self.note_search(&page, &anchor, &what);
                match what {
                    What::Replace(land) => self.replace(page, &land),
                    What::Older => self.append_older(page),
                    What::Newer => self.prepend_newer(page),
                }
                self.insert_all(early.into_rows());
            }
        }
        self.view.settle(self.window.rows.len());
    }

    /// Keeps where a search that its budget ended continues.
    fn note_search(&mut self, page: &Page, anchor: &Anchor, what: &What) {
        let on = page.onward(anchor).filter(|_| page.searched_to.is_some());
        if matches!(what, What::Replace(_)) {
            (self.search.older_from, self.search.newer_from) = (None, None);
        }
        if anchor.is_older() {
            self.search.older_from = on;
        } else {
            self.search.newer_from = on;
        }
        self.search.searched_to = page.searched_to;
    }

    /// Makes the page the whole window. Positions are known only if it begins at the newest row.
    fn replace(&mut self, page: Page, land: &Land) {
        self.window.rows = page.rows.into();
        self.window.more_newer = page.more_newer;
        self.window.more_older = page.more_older;
        self.window.base = (!page.more_newer).then_some(0);
        self.window.outdated = false;
        let (cursor, rows_above) = match land {
            Land::Top => (0, 0),
            Land::Bottom => (self.window.rows.len().saturating_sub(1), self.view.height),
            Land::On { id, rows_above } => {
                let found = id.as_ref().and_then(|id| self.window.rows.iter().position(|r| r.id == *id));
                (found.unwrap_or(0), *rows_above)
            }
        };
        self.view.cursor = cursor;
        self.view.offset = cursor.saturating_sub(rows_above);
    }

    /// Adds a page at the older end. Cursor and offset stay on their rows.
    fn append_older(&mut self, page: Page) {
        self.window.more_older = page.more_older;
        self.window.rows.extend(page.rows);
        let surplus = self.window.rows.len().saturating_sub(WINDOW);
        if surplus > 0 {
            self.window.rows.drain(..surplus);
            self.window.more_newer = true;
            self.window.base = self.window.base.map(|b| b + surplus as u64);
            self.view.cursor = self.view.cursor.saturating_sub(surplus);
            self.view.offset = self.view.offset.saturating_sub(surplus);
        }
    }

    /// Adds a page at the newer end. Cursor and offset stay on their rows.
    fn prepend_newer(&mut self, page: Page) {
        let n = page.rows.len();
        self.window.more_newer = page.more_newer;
        for row in page.rows.into_iter().rev() {
            self.window.rows.push_front(row);
        }
        self.window.base =
            if self.window.more_newer { self.window.base.and_then(|b| b.checked_sub(n as u64)) } else { Some(0) };
        self.view.cursor += n;
        self.view.offset += n;
        if !self.window.more_newer {
            self.follow.arrived = 0;
        }
        if self.window.rows.len() > WINDOW {
            self.window.rows.truncate(WINDOW);
            self.window.more_older = true;
        }
    }

    /// Follows from the newest row; `false` if it is not loaded.
    pub fn follow_here(&mut self) -> bool {
        if self.window.more_newer || !self.answered || self.failed.is_some() || self.is_replacing() {
            return false;
        }
        self.follow.on = true;
        self.follow.arrived = 0;
        self.view.cursor = 0;
        self.view.offset = 0;
        true
    }
    pub fn unfollow(&mut self) {
        self.follow.on = false;
    }
}

#[cfg(test)]
mod tests;
