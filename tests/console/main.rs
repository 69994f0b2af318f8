//! The console's state machine and its screens, on a source in memory at a fixed clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;

mod background;
mod behaviour;
mod live;
mod screens;
mod tail;
mod views;
mod worker;
