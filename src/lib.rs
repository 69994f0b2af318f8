//! `renewscope`: a console over an indexed table of certificate renewal events.
//!
//! This library exists for the program's own tests and benchmarks; it promises nothing to others. Which layer may name
//! which is the table `LAYERS` in `tests/architecture.rs`, which asserts it; `docs/architecture.md` is the map.

pub mod config;
pub mod console;
pub mod demo;
pub mod domain;
pub mod files;
pub mod headless;
pub mod logging;
pub mod profile;
pub mod protocol;
pub mod runtime;
pub mod store;
pub mod ui;
pub mod views;
pub mod worker;
