//! The query for a page of events, in either direction from a place in the order.
//!
//! Called by the dispatch for the list and for exports. A page is always returned newest first, and it must not skip a
//! row between two pages.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::Criteria;
use crate::domain::page::{Anchor, Page};
use crate::protocol::{Answer, SourceError};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::names::parties::Names;
use crate::store::queries::resolved::Resolved;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Bound, Order};
use crate::store::queries::sql::page::{Errors, Window, decode, page};
use crate::store::queries::walk;
use crate::store::source::Source;
use crate::store::sql::Sql;
use crate::store::sql::cell::CellType;

/// Rows that were read, newest first.
#[derive(Default)]
pub struct Rows {
    pub events: Vec<Arc<RenewalEvent>>,
    /// More rows follow in the direction of reading.
    pub more: bool,
    /// Rows that were read and cannot be shown.
    pub unreadable: u64,
}

/// Events in the order of reading.
pub struct Decoded {
    pub events: Vec<RenewalEvent>,
    /// More rows follow.
    pub more: bool,
    /// Rows before the last event that cannot be shown; those behind it too, if nothing follows. The next page begins
    /// behind the last event and counts the others.
    pub unreadable: u64,
}

impl Window {
    /// The window that begins at an anchor.
    pub fn at(anchor: &Anchor, limit: u32, errors: Errors) -> Self {
        let (bound, order) = match anchor {
            Anchor::Newest => (Bound::Nowhere, Order::NewestFirst),
            Anchor::Oldest => (Bound::Nowhere, Order::OldestFirst),
            Anchor::Older(c) => (Bound::OlderThan(c.clone()), Order::NewestFirst),
            Anchor::Newer(c) => (Bound::NewerThan(c.clone()), Order::OldestFirst),
            Anchor::At(t) => (Bound::AtOrBefore(*t), Order::NewestFirst),
            Anchor::AtOrAfter(t) => (Bound::AtOrAfter(*t), Order::OldestFirst),
        };
        Self { bound, order, limit, errors }
    }
}

impl Executor<'_> {
    /// The page of at most `window.limit` rows that begins at the anchor; `window` is that of the anchor.
    pub async fn page(
        &self,
        s: &mut Session,
        criteria: &Criteria,
        anchor: &Anchor,
        window: Window,
    ) -> Result<Answer, SourceError> {
        let first = matches!(anchor, Anchor::Newest | Anchor::Oldest);
        let left_out = if first { self.unreadable(s).await? } else { 0 };
        let resolved = self.resolve(s, criteria).await?;
        let budget = self.shared.search_budget.filter(|_| window.errors == Errors::Head);
        let budget = budget.filter(|_| walk::applies_to(self.source, &resolved));
        let (rows, searched_to) = match budget {
            Some(budget) => self.walk(s, resolved, window, budget).await?,
            None => (self.rows(s, &resolved, &window).await?, None),
        };
        let Rows { events, more, unreadable } = rows;
        // Whether rows exist on the side that the page was reached from would cost a query.
        let (more_newer, more_older) = match anchor {
            Anchor::Newest => (false, more),
            Anchor::Oldest => (more, false),
            Anchor::Older(_) | Anchor::At(_) => (true, more),
            Anchor::Newer(_) | Anchor::AtOrAfter(_) => (more, true),
        };
        Ok(Answer::Page(Page { rows: events, more_newer, more_older, searched_to, unreadable: unreadable + left_out }))
    }

    /// The rows of a window with their names.
    pub async fn rows(&self, s: &mut Session, resolved: &Resolved, window: &Window) -> Result<Rows, SourceError> {
        if resolved.signatures.is_empty() {
            return self.candidates(s, resolved, window).await;
        }
        self.signed(resolved).rows(s, window).await
    }

    /// The rows of a window, in one statement and with their names; clauses on signatures are not tested.
    pub async fn candidates(&self, s: &mut Session, resolved: &Resolved, window: &Window) -> Result<Rows, SourceError> {
        if resolved.is_empty() || window.limit == 0 {
            return Ok(Rows::default());
        }
        if window.bound == Bound::Nowhere {
            self.shared.parties.clear();
        }
        let names_later = window.errors == Errors::Whole && self.source.is_own() && !resolved.compares_names();
        let without = names_later.then(|| Names::without_names(self.source));
        let selection = Selection::new(without.as_ref().unwrap_or(self.source), resolved);
        let read = read(s, self.source, window, |window| page(selection, window)).await?;
        let Decoded { mut events, more, unreadable } = read;
        self.shared.names.fill(s, self.source, &mut events).await?;
        if without.is_some() {
            self.shared.parties.fill(s, self.source, &mut events).await?;
        }
        if window.order == Order::OldestFirst {
            events.reverse();
        }
        Ok(Rows { events: events.into_iter().map(Arc::new).collect(), more, unreadable })
    }
}

/// The events of a window in the order of reading; `compose` writes the statement that reads one row more than a window
/// holds. Where none of its rows can be shown, more rows are read until one can, or none follows: a page without rows
/// would not tell where the next begins.
pub async fn read(
    s: &mut Session,
    source: &Source,
    window: &Window,
    compose: impl Fn(&Window) -> (Sql, Vec<CellType>) + Send,
) -> Result<Decoded, SourceError> {
    let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let mut reach = window.clone();
    loop {
        let (sql, shape) = compose(&reach);
        let rows = s.rows(&sql, &shape).await?;
        let all = usize::try_from(reach.limit).unwrap_or(usize::MAX);
        let mut decoded = Decoded { events: Vec::with_capacity(rows.len()), more: rows.len() > all, unreadable: 0 };
        let mut skipped = 0;
        for mut row in rows.into_iter().take(all) {
            match decode(source, window.errors, false, &mut row) {
                Some(_) if decoded.events.len() == limit => decoded.more = true,
                Some(event) => {
                    decoded.events.push(event);
                    decoded.unreadable += std::mem::take(&mut skipped);
                }
                None => skipped += 1,
            }
        }
        if !decoded.more {
            decoded.unreadable += skipped;
        } else if decoded.events.is_empty() {
            reach.limit = reach.limit.saturating_mul(8);
            continue;
        }
        return Ok(decoded);
    }
}
