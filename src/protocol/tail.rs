//! The live tail: what is asked of it, what it tells, and the questions that it puts to the database.
//!
//! `created_at` is when a transaction began and a row shows when it commits, so no single cursor over the times finds
//! every row. A tail therefore knows two things: how far it has read, and the floor below which nothing can appear any
//! more. What commits between the two is found by comparing keys.

use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Cursor, Total};

use super::SourceError;

/// What to follow. A newer order replaces the older one.
#[derive(Clone, PartialEq, Debug)]
pub struct TailOrder {
    pub generation: u64,
    pub criteria: Criteria,
    pub start: Start,
    /// Rows with the whole of their errors, and all of them however many wait: for a reader that keeps them. A screen
    /// takes heads, and passes over a backlog that nobody could read.
    pub whole: bool,
}

/// From where on rows are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// Those that are committed from now on.
    Now,
    /// Those too that were committed shortly before: for a reader that loads the table at the same time and knows by id
    /// what it has.
    Overlapping,
    /// All at or after an instant, and then those that are committed.
    At(Instant),
}

#[derive(Clone, PartialEq, Debug)]
pub struct TailEvent {
    pub generation: u64,
    pub news: TailNews,
}

#[derive(Clone, PartialEq, Debug)]
pub enum TailNews {
    Batch(Batch),
    /// More rows wait than a screen can show: these were passed over. They are in the table.
    Skipped(Total),
    /// The database has not answered for this long; the question is still out.
    Slow(Span),
    /// A reading failed, for the `tries`th time in a row; the next is tried after `retry_in`.
    Trouble {
        error: SourceError,
        retry_in: Span,
        tries: u32,
    },
    /// A reading succeeded after trouble; its rows come next.
    Recovered,
}

/// Rows not told before in this generation, newest first. May be empty: then only the rest is news.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Batch {
    pub rows: Vec<Arc<RenewalEvent>>,
    /// How many of them are older than rows told before: their transactions committed late, or their writers' clocks
    /// are behind.
    pub late: u64,
    /// From the time of the newest row until it was read, by the database's clock; `None` where only late ones came.
    pub lag: Option<Span>,
    pub window: Window,
    /// More is there already and follows at once.
    pub more: bool,
}

/// Within which no row is lost, between its `created_at` and its commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Window {
    /// Not known yet.
    #[default]
    Unknown,
    /// Every row: the database numbers rows in the order of their commits.
    Every,
    /// The floor follows the oldest open transaction, and rows of transactions that are open for up to this long are
    /// found. A writer that fills in its own times has only the overlap.
    Open { longest: Span, overlap: Span },
    /// Open transactions cannot be seen: only what commits this soon is sure to be found.
    Overlap(Span),
}

/// A question of the tail. -> [`TailAnswer`]
#[derive(Clone, PartialEq, Debug)]
pub enum TailQuery {
    /// What the database says of its own time and its open transactions. To be asked before the rows. -> `Horizon`
    Horizon,
    /// Rows of a stretch, in its order. -> `Rows`
    Rows { criteria: Criteria, stretch: Stretch, limit: u32, whole: bool },
    /// The keys of a stretch, in its order. -> `Keys`
    Keys { criteria: Criteria, stretch: Stretch, limit: u32 },
    /// These rows, in any order; those that are there. -> `Rows`
    Pick { criteria: Criteria, ids: Vec<Id>, whole: bool },
}

#[derive(Clone, PartialEq, Debug)]
pub enum TailAnswer {
    Horizon(Horizon),
    Rows(TailRows),
    Keys(Vec<TailKey>),
}

#[derive(Clone, PartialEq, Debug)]
pub struct TailKey {
    pub place: Place,
    /// What orders rows of one place: the id, or a number of its own.
    pub tie: Id,
    pub id: Id,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct TailRows {
    pub rows: Vec<TailRow>,
    /// Place and tie of the last row read, where the limit ended the reading. Rows that were read need not match.
    pub more: Option<(Place, Id)>,
    /// Rows of the slice that cannot be shown; see [`Page::unreadable`](crate::domain::page::Page::unreadable).
    pub unreadable: u64,
}

/// A row's place in the order of a stretch: the microseconds of its time as the table stores it (PostgreSQL's count), or
/// its number.
pub type Place = i64;

#[derive(Clone, PartialEq, Debug)]
pub struct TailRow {
    pub place: Place,
    /// The number that the database gave the row when it was inserted, where it gives one.
    pub serial: Option<i64>,
    /// Its time as the table stores it: of a clock that may not be UTC's.
    pub at: Instant,
    pub row: Arc<RenewalEvent>,
}

/// A part of the table in the order in which a tail reads it.
#[derive(Clone, PartialEq, Debug)]
pub enum Stretch {
    /// By time and id: at or after `from` and behind `after`, before `until`; times as the table stores them.
    Time { from: Instant, after: Option<Cursor>, until: Option<Instant> },
    /// By number: above `after`, up to and including `until`.
    Serial { after: i64, until: Option<i64> },
}

/// How far a database's word reaches at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Horizon {
    /// By the database's own clock, read as the table stores times.
    pub now: Instant,
    /// How much that reading is ahead of UTC.
    pub ahead: Span,
    /// When the oldest open transaction began that may still add rows.
    pub open: Option<Instant>,
    /// Whether all open transactions of writers can be seen.
    pub sees_all: bool,
    /// Commits that come this much after a row's time are looked for without any sign of them.
    pub overlap: Span,
    /// Where rows are numbered.
    pub serial: Option<Serial>,
}

/// The numbers that a database gives rows as they are inserted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Serial {
    /// The highest that can be seen; 0: none yet.
    pub highest: i64,
    /// Given in the order of commits: none appears below one that can be seen.
    pub ordered: bool,
}
