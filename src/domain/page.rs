//! Windows on an ordered result: keyset cursors, pages, and totals that say how sure they are.

use super::event::{Id, RenewalEvent};
use super::instant::Instant;
use std::sync::Arc;

/// A place in the order: newest first by `created_at`, ties by `id`, both descending. Names a row; the row itself
/// need not exist any more.
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
}

/// One page, always newest first, whichever way it was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    pub rows: Vec<Arc<RenewalEvent>>,
    /// Whether newer rows match beyond the first of these. Unknown counts as true where it costs a query to know.
    pub more_newer: bool,
    /// Whether older rows match beyond the last of these.
    pub more_older: bool,
}

impl RenewalEvent {
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.clone() }
    }
}

/// A number of rows, and how sure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    Exact(u64),
    /// Counting stopped here; there may be more.
    AtLeast(u64),
}
