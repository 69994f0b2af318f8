//! The world outside of the console's state machine: terminal, clock, signals, and the loop that joins them.
//!
//! `headless/commands/console.rs` calls it. No rule about events or filters belongs here.

pub mod clock;
pub mod console;
mod input;
pub mod memory;
pub mod prompt;
mod screen;
mod signals;
mod terminal;
