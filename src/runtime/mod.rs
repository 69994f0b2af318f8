//! The world outside of the state machine: terminal, clock, signals, and the loop that joins them.

pub mod clock;
pub mod console;
pub mod memory;
pub mod prompt;
mod signals;
mod terminal;
