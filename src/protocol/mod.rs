//! The messages between the console and the tasks that query the database, and the interface of a source. The console
//! and the worker import this module; the store implements it. It must not know SQL or the screen.

pub mod error;
pub mod fleet;
pub mod query;
pub mod source;
pub mod survey;
pub mod tail;

pub use error::{SourceError, Why};
pub use query::{Answer, Query};
pub use source::EventSource;

use std::time::Duration;

/// The parts of the screen that show an answer. Each has at most one query in flight; a newer one replaces it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Slot {
    /// The rows of the list.
    List,
    /// The number of matching rows.
    Count,
    /// The values of one field in its pane.
    Facets(query::Field),
    /// Rows by time and outcome.
    Histogram,
    /// One event with its whole error.
    Detail,
    /// The source's description.
    Describe,
    /// A search for a row beyond the list that is loaded.
    Seek,
    /// The events of one device.
    Device,
    /// Names for the completion of filters.
    Names,
}

/// Identifies one query. The console takes a reply only if its ticket equals that of the slot's query in flight.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket {
    /// The part of the screen that waits for the answer.
    pub slot: Slot,
    /// Distinguishes the queries of one slot; a newer one replaces an older one.
    pub generation: u64,
}

/// A query on its way to the worker.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// Comes back with the reply.
    pub ticket: Ticket,
    /// What the database is to answer.
    pub query: Query,
    /// How long the worker waits for a newer query of the slot before it runs this one.
    pub debounce: Duration,
}

/// An answer or an error on its way back.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// That of the request.
    pub ticket: Ticket,
    /// The answer of the kind that the query names, or why there is none.
    pub outcome: Result<Answer, SourceError>,
}
