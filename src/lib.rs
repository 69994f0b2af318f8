//! `renewscope`: a console over an indexed table of certificate renewal events.
//!
//! This library exists for the program's own tests and benchmarks; it promises nothing to others. Layers, each
//! importing only what stands above it (held by `tests/architecture.rs`):
//!
//! | layer | does | imports |
//! |---|---|---|
//! | [`domain`] | words of the subject; no I/O, no clock, no screen | – |
//! | [`protocol`] | what crosses the channel between screen and tasks | `domain` |
//! | [`profile`] | tables that others made, described in TOML | `domain` |
//! | [`demo`] | a simulated fleet, pure and seeded | `domain` |
//! | [`store`] | the databases; the only layer that knows `sqlx` | `domain`, `profile`, `protocol` |
//! | [`worker`] | tasks of the console, cancellation; the tail, which `tail` uses too | `domain`, `protocol` |
//! | [`app`] | the console as a pure state machine | `domain`, `protocol` |
//! | [`ui`] | the model as cells | `domain`, `protocol`, `app` |
//! | [`config`] | command line and environment, settled | `domain`, `profile`, `store` |
//! | [`headless`] | the commands; errors become text and exit codes | all |
//! | [`runtime`] | event loop, terminal, clock, signals | `app`, `ui`, `protocol`, `worker` |

pub mod app;
pub mod config;
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
pub mod worker;
