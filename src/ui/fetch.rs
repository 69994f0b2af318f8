//! A value from the database: the last good one, and the state of the newest query for it.
//!
//! Every view and the shell keep their answers in it. It sends nothing: [`Fetch::request`] returns the request.

use crate::protocol::{Query, Request, Slot, SourceError, Ticket};
use std::time::Duration;

/// Keeps the last good value while a newer one is pending or failed, so that the screen never blanks.
#[derive(Clone, Debug)]
pub struct Fetch<T> {
    slot: Slot,
    generation: u64,
    value: Option<T>,
    phase: Phase,
}

/// The state of the newest query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Phase {
    /// No query is in flight.
    Idle,
    Waiting,
    /// The newest query failed. An older value can still be there.
    Failed(SourceError),
}

/// Takes the value of one kind of answer. Another kind is a fault of the program, reported as an error of the query, so
/// that nothing waits forever.
macro_rules! take {
    ($outcome:expr, $variant:path) => {
        match $outcome {
            Ok($variant(value)) => Ok(value),
            Ok(_) => Err($crate::protocol::SourceError::other_kind()),
            Err(error) => Err(error),
        }
    };
}
pub(crate) use take;

impl<T> Fetch<T> {
    /// No value, and no query in flight.
    pub fn new(slot: Slot) -> Self {
        Self { slot, generation: 0, value: None, phase: Phase::Idle }
    }
    /// As [`new`](Self::new), with tickets above `generation`: replies to an earlier owner of the slot do not match.
    pub fn after(slot: Slot, generation: u64) -> Self {
        Self { generation, ..Self::new(slot) }
    }
    /// A request for `query`; replies to earlier ones no longer match.
    pub fn request(&mut self, query: Query, debounce: Duration) -> Request {
        self.generation += 1;
        self.phase = Phase::Waiting;
        Request { ticket: Ticket { slot: self.slot, generation: self.generation }, query, debounce }
    }
    /// Whether `ticket` is that of the query in flight.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.phase == Phase::Waiting && ticket.slot == self.slot && ticket.generation == self.generation
    }
    /// Takes the outcome of the query in flight; a failure keeps the last good value. A cancelled query leaves no
    /// error.
    pub fn settle(&mut self, outcome: Result<T, SourceError>) {
        match outcome {
            Ok(value) => {
                self.value = Some(value);
                self.phase = Phase::Idle;
            }
            Err(SourceError::Cancelled) => self.phase = Phase::Idle,
            Err(error) => self.phase = Phase::Failed(error),
        }
    }
    /// The last good value, which an older query may have brought.
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
    /// For values that live rows change.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }
    pub fn phase(&self) -> &Phase {
        &self.phase
    }
    pub fn is_waiting(&self) -> bool {
        self.phase == Phase::Waiting
    }
    /// Why the newest query failed; `None` while it is in flight.
    pub fn error(&self) -> Option<&SourceError> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => None,
        }
    }
    /// Drops the value and stops waiting.
    pub fn clear(&mut self) {
        self.value = None;
        self.phase = Phase::Idle;
        self.generation += 1;
    }
}
