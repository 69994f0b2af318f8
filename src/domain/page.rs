//! Windows on an ordered result: keyset cursors, pages, and totals that say how sure they are.

use super::event::{Id, RenewalEvent};
use super::instant::{Instant, Span};
use std::sync::Arc;

/// A place in the order: newest first by `created_at`, ties by `id`, both descending. Names a row; the row itself
/// need not exist any more. Of some sources both are as the table keeps them (a time in the table's zone, the number of
/// the row): a cursor is for its source alone, and no time to show.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cursor {
    pub at: Instant,
    pub id: Id,
}

/// Where a page lies in the result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// The newest rows.
    Newest,
    /// The oldest rows.
    Oldest,
    /// The rows that follow this one: strictly older.
    Older(Cursor),
    /// The rows that precede this one: strictly newer, those nearest to it.
    Newer(Cursor),
    /// The rows at or before this instant: where a jump to a time lands.
    At(Instant),
    /// The rows at or after this instant, those nearest to it: where a look towards the newer end goes on.
    AtOrAfter(Instant),
}

impl Anchor {
    /// Whether the page is read from its newest row on towards older ones.
    pub const fn is_older(&self) -> bool {
        matches!(self, Self::Newest | Self::Older(_) | Self::At(_))
    }
}

/// One page, always newest first, whichever way it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    pub rows: Vec<Arc<RenewalEvent>>,
    /// Whether newer rows match beyond the first of these. Unknown counts as true where it costs a query to know.
    pub more_newer: bool,
    /// Whether older rows match beyond the last of these.
    pub more_older: bool,
    /// The look ended for lack of time before the page was full. In the direction of reading the rows are complete up
    /// to and including this instant; what lies beyond has not been looked at, and `more_older` (or `more_newer`, for a
    /// page read towards newer rows) is true. [`Page::onward`] goes on from there. `None` for every page of a source that
    /// was opened without a budget.
    pub searched_to: Option<Instant>,
    /// Rows that cannot be shown: they have no id, no time, or one that is of another type than the source's. A first page
    /// counts those of the whole table, whether or not they match; every page counts those it met itself.
    pub unreadable: u64,
}

impl Page {
    /// Where the page beyond this one begins, in the direction in which this one was asked for; `None` at the end.
    /// A page may have no rows and still go on.
    pub fn onward(&self, asked: &Anchor) -> Option<Anchor> {
        let tick = Span(1);
        match (asked.is_older(), self.searched_to) {
            (true, Some(t)) => Some(Anchor::At(t.minus(tick))),
            (false, Some(t)) => Some(Anchor::AtOrAfter(t.plus(tick))),
            (true, None) => self.rows.last().filter(|_| self.more_older).map(|r| Anchor::Older(r.cursor())),
            (false, None) => self.rows.first().filter(|_| self.more_newer).map(|r| Anchor::Newer(r.cursor())),
        }
    }
}

impl RenewalEvent {
    /// The row's place in the order of its source.
    pub fn cursor(&self) -> Cursor {
        let place = self.beyond.as_ref().and_then(|b| b.place.clone());
        place.unwrap_or_else(|| Cursor { at: self.created_at, id: self.id.clone() })
    }
}

/// A number of rows, and how sure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    Exact(u64),
    /// Counting stopped here; there may be more.
    AtLeast(u64),
}
