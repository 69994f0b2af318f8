//! `renewscope`: a console over an indexed table of certificate renewal events.
//!
//! This library exists for the program's own tests and benchmarks; it promises nothing to others. Layers, each
//! importing only what stands above it (held by `tests/architecture.rs`):
//!
//! | layer | does | imports |
//! |---|---|---|
//! | [`domain`] | words of the subject; no I/O, no clock, no screen | – |
//! | [`protocol`] | what crosses the channel between screen and tasks | `domain` |
//! | [`store`] | the databases; the only layer that knows `sqlx` | `domain` `protocol` |
//! | [`runtime`] | event loop, terminal, clock, signals | `app`, `ui`, `protocol`, `worker` |
//! | [`config`] | command line and environment, settled | `domain` `store` |
//! | [`headless`] | every command without a screen; errors become text and exit codes | all but `app` and `ui` |
//! | [`logging`] | the log file | `config` |

pub mod config;
pub mod domain;
pub mod headless;
pub mod logging;
pub mod protocol;
pub mod runtime;
pub mod store;
