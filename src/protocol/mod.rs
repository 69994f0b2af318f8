//! What crosses the channel between the console and the tasks that ask the database.

pub mod error;
pub mod query;
pub mod source;
pub mod tail;

pub use error::{SourceError, Why};
pub use query::{Answer, Query};
pub use source::EventSource;

use std::time::Duration;

/// The places on screen that wait for an answer. One question lives in each; a newer one replaces it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Slot {
    List,
    Count,
    Facets(query::Field),
    Histogram,
    Detail,
    Describe,
    Seek,
    Names,
}

/// Names one question: an answer is taken only by who waits for exactly this one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket {
    pub slot: Slot,
    pub generation: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    pub ticket: Ticket,
    pub query: Query,
    /// Waits this long for a newer question before it goes to the database.
    pub debounce: Duration,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    pub ticket: Ticket,
    pub outcome: Result<Answer, SourceError>,
}
