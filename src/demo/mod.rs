//! A simulated fleet for `renewscope demo`: a past to look into, and a present in which something goes wrong.
//!
//! It exists so that the console can be tried, shown and tested without anybody's database. Pure: the same seed and
//! the same `now` give the same events, to the last id. It must not read a clock, touch a database or spawn; whoever
//! shows it stores [`Fleet::history`] and asks [`Fleet::live`] again and again.

mod errors;
mod fleet;
mod history;
mod live;
mod prng;
mod story;

pub use fleet::Fleet;

#[cfg(test)]
mod tests;
