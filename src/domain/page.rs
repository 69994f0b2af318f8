//! Pages of an ordered result: keyset cursors, anchors, and totals with their certainty.

use super::event::{Id, RenewalEvent};
use super::instant::{Instant, Span};
use std::sync::Arc;

/// A position in the order: newest first by `created_at`, then by `id`, both descending. It names a row, which may have
/// been deleted. For foreign tables both values are those stored (a time in the table's zone, a row number), so a
/// cursor is valid for its source only and its time is not for display.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cursor {
    /// The row's `created_at`; for a foreign table the time as stored, which may be local.
    pub at: Instant,
    /// Orders rows of the same time: the row's id, or the value of the profile's `tie` column.
    pub id: Id,
}

/// Where a page begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// The newest rows.
    Newest,
    /// The oldest rows.
    Oldest,
    /// The rows after this one: strictly older.
    Older(Cursor),
    /// The rows before this one: strictly newer, the nearest first.
    Newer(Cursor),
    /// The rows at or before this instant, for a jump to a time.
    At(Instant),
    /// The rows at or after this instant, the nearest first: continues a search towards newer rows.
    AtOrAfter(Instant),
}

impl Anchor {
    /// Whether the page is read from newer to older rows.
    pub const fn is_older(&self) -> bool {
        matches!(self, Self::Newest | Self::Older(_) | Self::At(_))
    }
}

/// One page, always newest first, in whichever direction it was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The rows, newest first; at most as many as the query's limit.
    pub rows: Vec<Arc<RenewalEvent>>,
    /// Whether newer rows match beyond the first of these. Also true where finding out would take a query.
    pub more_newer: bool,
    /// Whether older rows match beyond the last of these.
    pub more_older: bool,
    /// Where the search budget ended the query before the page was full. In the direction of reading the rows are
    /// complete up to and including this instant; rows beyond it are not searched yet, and `more_older` (or
    /// `more_newer`, for a page read towards newer rows) is true. [`Page::onward`] continues there. `None` if the
    /// source has no search budget.
    pub searched_to: Option<Instant>,
    /// Rows that cannot be shown: they have no id, no time, or one that is of another type than the source's. A first page
    /// counts those of the whole table, whether or not they match; every page counts those it met itself.
    pub unreadable: u64,
}

impl Page {
    /// Where the next page begins in the direction in which this one was read; `anchor` is this page's own. `None`
    /// at the end. A page without rows may have a next one.
    pub fn onward(&self, anchor: &Anchor) -> Option<Anchor> {
        let tick = Span(1);
        match (anchor.is_older(), self.searched_to) {
            (true, Some(t)) => Some(Anchor::At(t.minus(tick))),
            (false, Some(t)) => Some(Anchor::AtOrAfter(t.plus(tick))),
            (true, None) => self.rows.last().filter(|_| self.more_older).map(|r| Anchor::Older(r.cursor())),
            (false, None) => self.rows.first().filter(|_| self.more_newer).map(|r| Anchor::Newer(r.cursor())),
        }
    }
}

impl RenewalEvent {
    /// The row's position in the order of its source.
    pub fn cursor(&self) -> Cursor {
        let place = self.beyond.as_ref().and_then(|b| b.place.clone());
        place.unwrap_or_else(|| Cursor { at: self.created_at, id: self.id.clone() })
    }
}

/// A number of rows, exact or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    /// All matching rows were counted.
    Exact(u64),
    /// Counting stopped here; there may be more.
    AtLeast(u64),
}
