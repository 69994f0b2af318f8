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

pub mod domain;
pub mod protocol;
pub mod store;
