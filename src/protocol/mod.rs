//! The messages between the console and the tasks that query the database, and the interface of a source. The console
//! and the worker import this module; the store implements it. It must not know SQL or the screen.

pub mod error;
pub mod query;
pub mod source;
pub mod tail;

pub use error::{SourceError, Why};
pub use query::{Answer, Query};
pub use source::EventSource;

use std::time::Duration;

/// The parts of the screen that show an answer. Each has at most one query in flight; a newer one replaces it.
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

/// Identifies one query. The console takes a reply only if its ticket equals that of the slot's query in flight.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket {
    pub slot: Slot,
    pub generation: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    pub ticket: Ticket,
    pub query: Query,
    /// How long the worker waits for a newer query of the slot before it runs this one.
    pub debounce: Duration,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    pub ticket: Ticket,
    pub outcome: Result<Answer, SourceError>,
}
