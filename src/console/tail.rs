//! The live state: the order in force, rate, lag, late and skipped rows, and the guaranteed window.
//!
//! The header draws it; the rows themselves go to the view.

use std::collections::VecDeque;

use crate::domain::instant::{Instant, Span};
use crate::protocol::tail::Window;

use super::clock::Retry;

/// The rate is taken over this long.
const RATE_WINDOW: Span = Span::seconds(10);

/// The live tail of the filter in force.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    /// That of the order in force; news of older ones are dropped.
    pub generation: u64,
    /// The first poll of the order is over. Before, rows come that were in the table already.
    pub begun: bool,
    /// The newest `created_at` that any order has delivered, at most now: rows beyond it are new under every filter.
    pub high_water: Option<Instant>,
    /// New rows are held back at the user's wish.
    pub paused: bool,
    /// Rows that came while paused.
    pub held: u64,
    /// Late rows since the console started.
    pub late: u64,
    /// Rows that were skipped because more came than a screen can show. They are in the table.
    pub skipped: u64,
    /// From the newest row's `created_at` to its reading.
    pub lag: Option<Span>,
    pub window: Window,
    /// Since when the view waits for the database, UTC.
    pub waiting: Option<Instant>,
    /// Whether queries that failed with their connection are retried.
    pub retry: Retry,
    /// When rows arrived, and how many, within [`RATE_WINDOW`].
    recent: VecDeque<(Instant, u64)>,
}

impl Tail {
    /// Counts rows that have arrived now.
    pub fn note(&mut self, now: Instant, rows: u64, late: u64) {
        self.late += late;
        self.recent.push_back((now, rows));
        self.forget(now);
    }
    /// Drops the counts that no longer belong to the rate.
    pub fn forget(&mut self, now: Instant) {
        let since = now.minus(RATE_WINDOW);
        while self.recent.front().is_some_and(|(at, _)| *at < since) {
            self.recent.pop_front();
        }
    }
    /// Rows per second over the last ten seconds.
    pub fn rate(&self) -> f64 {
        let rows: u64 = self.recent.iter().map(|(_, n)| n).sum();
        rows as f64 / RATE_WINDOW.as_seconds() as f64
    }
}
