//! The world outside of the state machine: terminal, clock, signals, and the loop that joins them.

pub mod clock;
