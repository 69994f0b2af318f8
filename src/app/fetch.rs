//! A value that is asked for: the last good answer, and what has become of the newest question.

use crate::protocol::{Query, Request, Slot, SourceError, Ticket};
use std::time::Duration;

/// Keeps the last good value while a newer one is pending or has failed, so that the screen never blanks.
#[derive(Clone, Debug)]
pub struct Fetch<T> {
    slot: Slot,
    generation: u64,
    value: Option<T>,
    phase: Phase,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Nothing is waited for.
    Idle,
    Waiting,
    Failed(SourceError),
}

impl<T> Fetch<T> {
    pub fn new(slot: Slot) -> Self {
        Self { slot, generation: 0, value: None, phase: Phase::Idle }
    }
    /// A request for `query`; answers to earlier ones are dropped from now on.
    pub fn ask(&mut self, query: Query, debounce: Duration) -> Request {
        self.generation += 1;
        self.phase = Phase::Waiting;
        Request { ticket: Ticket { slot: self.slot, generation: self.generation }, query, debounce }
    }
    /// Whether `ticket` is the one that is waited for.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.phase == Phase::Waiting && ticket.slot == self.slot && ticket.generation == self.generation
    }
    /// Takes the outcome of the question that is waited for; a failure leaves the last good value.
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
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
    pub fn value_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }
    pub fn phase(&self) -> &Phase {
        &self.phase
    }
    pub fn is_waiting(&self) -> bool {
        self.phase == Phase::Waiting
    }
    pub fn error(&self) -> Option<&SourceError> {
        match &self.phase {
            Phase::Failed(error) => Some(error),
            _ => None,
        }
    }
    /// Forgets the value: what was asked before no longer describes anything on screen.
    pub fn clear(&mut self) {
        self.value = None;
        self.phase = Phase::Idle;
        self.generation += 1;
    }
}
