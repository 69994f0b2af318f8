//! A simulated fleet for `renewscope demo`: 90 days of history, and an incident that goes on while the console runs.
//!
//! It lets users and tests try the console without a database. The `demo` command stores
//! [`Fleet::history`] and then polls [`Fleet::live`]. Pure: the same seed and the same `now` give the same events,
//! including their ids. It must not read a clock, touch a database or spawn tasks.

mod errors;
mod fleet;
mod history;
mod live;
mod prng;
mod story;

pub use fleet::Fleet;

#[cfg(test)]
mod tests;
