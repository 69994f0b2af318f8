//! The live tail: its order, the events that it sends, and the queries that it runs.
//!
//! `created_at` is the time at which a transaction began, and a row becomes visible at its commit; so no cursor over
//! the times finds every row. A tail keeps two marks: the high-water mark of the rows that it has read, and the floor,
//! below which no row can appear any more. Between the two it compares keys to find rows that committed late.

use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Cursor, Total};

use super::SourceError;

/// The longest that a tail waits for an open transaction.
pub const LONGEST: Span = Span::minutes(10);

/// The generation of the order that the alert follows, beside the one that the screen follows.
pub const ALERT: u64 = u64::MAX;

/// What to follow. A newer order replaces an older one, except that [`ALERT`]'s and the screen's are independent.
#[derive(Clone, PartialEq, Debug)]
pub struct TailOrder {
    /// Marks the events that belong to this order.
    pub generation: u64,
    /// Which rows are delivered.
    pub criteria: Criteria,
    /// With which rows it begins.
    pub start: Start,
    /// Whether rows come with whole error texts, and all of them however many are pending: for readers that store them.
    /// Otherwise error texts are cut and a backlog too long for a screen is skipped.
    pub whole: bool,
}

/// The rows with which a tail begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// Rows committed after the tail starts.
    Now,
    /// Rows committed shortly before the start too: for a reader that loads the table at the same time and drops
    /// duplicates by id.
    Overlapping,
    /// All rows at or after an instant, then rows as they are committed.
    At(Instant),
}

/// A message from a tail to its reader.
#[derive(Clone, PartialEq, Debug)]
pub struct TailEvent {
    /// That of the order; a reader drops events of older ones.
    pub generation: u64,
    /// What happened.
    pub news: TailNews,
}

/// What a tail reports.
#[derive(Clone, PartialEq, Debug)]
pub enum TailNews {
    /// New rows, or an update of the other fields.
    Batch(Batch),
    /// More rows were pending than a screen can show, so this many were skipped. They are in the table.
    Skipped(Total),
    /// The query in flight has taken this long so far.
    Slow(Span),
    /// A poll failed, for the `tries`th time in a row; the next follows after `retry_in`.
    Trouble {
        /// Why the poll failed.
        error: SourceError,
        /// The time until the next poll.
        retry_in: Span,
        /// Failed polls in a row, this one included.
        tries: u32,
    },
    /// A poll succeeded after failures; its rows come next.
    Resumed,
}

/// Rows not yet delivered in this generation, newest first. An empty batch reports the other fields only.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Batch {
    /// Each row comes once in a generation.
    pub rows: Vec<Arc<RenewalEvent>>,
    /// How many of the rows are late: older than rows delivered before, because their transactions committed late or
    /// their writers' clocks are behind.
    pub late: u64,
    /// From the newest row's `created_at` to its reading, by the database's clock; `None` if all rows are late.
    pub lag: Option<Span>,
    /// How late a row may appear and still be delivered.
    pub window: Window,
    /// More rows are pending and follow at once.
    pub more: bool,
}

/// The time between a row's `created_at` and its appearance within which the tail guarantees to deliver the row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Window {
    /// Not known before the first poll.
    #[default]
    Unknown,
    /// Unlimited: the database numbers rows in the order of their commits.
    Every,
    /// All transactions are visible: rows of transactions that stay open for up to `longest` are found. For writers that
    /// set `created_at` themselves only `overlap` holds.
    Open { longest: Span, overlap: Span },
    /// Some transactions are not visible: only rows that appear within this time of their `created_at` are certain to be
    /// found.
    Overlap(Span),
}

/// A query of the tail. -> [`TailAnswer`]
#[derive(Clone, PartialEq, Debug)]
pub enum TailQuery {
    /// The database's clock and its open transactions. Must run before the query for rows. -> `Horizon`
    Horizon,
    /// Rows of a time slice, in its order. -> `Rows`
    Rows { criteria: Criteria, slice: TimeSlice, limit: u32, whole: bool },
    /// Keys of a time slice, in its order. -> `Keys`
    Keys { criteria: Criteria, slice: TimeSlice, limit: u32 },
    /// The rows of these ids that exist, in any order. -> `Rows`
    Pick { criteria: Criteria, ids: Vec<Id>, whole: bool },
}

/// The answer to a query of the tail.
#[derive(Clone, PartialEq, Debug)]
pub enum TailAnswer {
    /// The database's clock and transactions.
    Horizon(Horizon),
    /// Rows with their positions.
    Rows(TailRows),
    /// Positions and ids alone, which are cheap to compare with those delivered before.
    Keys(Vec<TailKey>),
}

/// A row's position and id.
#[derive(Clone, PartialEq, Debug)]
pub struct TailKey {
    /// Its time or its number, by the order of the slice.
    pub place: Place,
    /// Orders rows of the same place: the id, or another column's number.
    pub tie: Id,
    /// The event's id, by which `Pick` reads the row.
    pub id: Id,
}

/// Rows that a query of the tail read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TailRows {
    /// Rows that match, in the order of the slice.
    pub rows: Vec<TailRow>,
    /// Rows of the slice that do not match a filter by name that only this program can test.
    pub dropped: Vec<TailRow>,
    /// Place and tie of the last row read, if the limit ended the query. That row need not match the criteria.
    pub more: Option<(Place, Id)>,
}

/// A row's position in the order of a slice: its stored time in microseconds since 2000-01-01, or its serial number.
pub type Place = i64;

/// A row with its position.
#[derive(Clone, PartialEq, Debug)]
pub struct TailRow {
    /// Its time or its number, by the order of the slice.
    pub place: Place,
    /// The number that the database assigned at insertion, where it assigns one.
    pub serial: Option<i64>,
    /// Its time as stored; the table's zone may differ from UTC.
    pub at: Instant,
    /// The event, with its error as the query requested it.
    pub row: Arc<RenewalEvent>,
}

/// A slice of the table, in the order in which a tail reads it.
#[derive(Clone, PartialEq, Debug)]
pub enum TimeSlice {
    /// By stored time and id: at or after `from` and after the cursor `after`, before `until`.
    Time { from: Instant, after: Option<Cursor>, until: Option<Instant> },
    /// By number: above `after`, up to and including `until`.
    Serial { after: i64, until: Option<i64> },
}

/// The state of the database's clock and transactions at one moment, from which the tail computes its floor.
#[derive(Clone, PartialEq, Debug)]
pub struct Horizon {
    /// The database's clock, in the zone in which the table stores times.
    pub now: Instant,
    /// The offset of that zone from UTC.
    pub ahead: Span,
    /// When the oldest open transaction began that may still add rows.
    pub open: Option<Instant>,
    /// Whether transactions are prepared for two-phase commit, within [`LONGEST`]. The database does not report when they
    /// began.
    pub prepared: bool,
    /// Whether all open transactions of writers are visible.
    pub sees_all: bool,
    /// Commits up to this long after a row's `created_at` are looked up without any other sign of them.
    pub overlap: Span,
    /// Where rows have serial numbers.
    pub serial: Option<Serial>,
}

/// The serial numbers that a database assigns to rows at insertion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Serial {
    /// The highest visible number; 0 for an empty table.
    pub highest: i64,
    /// Whether numbers follow the order of commits: no row appears below a visible number.
    pub ordered: bool,
}
