//! What the screen knows of the live tail.

use std::collections::VecDeque;

use crate::domain::instant::{Instant, Span};
use crate::protocol::SourceError;
use crate::protocol::tail::Window;

/// The rate is taken over this long.
const RATE_WINDOW: Span = Span::seconds(10);

/// How the database answers, as far as the tail's readings tell.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Link {
    /// No answer yet.
    #[default]
    Connecting,
    Live,
    /// A question is out since then, for longer than it should.
    Slow {
        since: Instant,
    },
    /// Since when the database does not answer, why, when it is asked again, and for the how manyth time.
    Away {
        since: Instant,
        error: SourceError,
        next: Instant,
        tries: u32,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Tail {
    pub generation: u64,
    pub link: Link,
    /// The first batch of this order has come.
    pub begun: bool,
    pub paused: bool,
    /// Rows that came while paused.
    pub held: u64,
    pub late: u64,
    /// Rows that were passed over because more came than a screen can show. They are in the table.
    pub skipped: u64,
    /// From the time of the last row that came in order until it was read.
    pub lag: Option<Span>,
    pub window: Window,
    recent: VecDeque<(Instant, u64)>,
}

impl Tail {
    pub fn note(&mut self, now: Instant, rows: u64, late: u64) {
        self.late += late;
        self.recent.push_back((now, rows));
        self.forget(now);
    }
    pub fn forget(&mut self, now: Instant) {
        let since = now.minus(RATE_WINDOW);
        while self.recent.front().is_some_and(|(at, _)| *at < since) {
            self.recent.pop_front();
        }
    }
    /// Rows a second over the last ten seconds.
    pub fn rate(&self) -> f64 {
        let rows: u64 = self.recent.iter().map(|(_, n)| n).sum();
        rows as f64 / RATE_WINDOW.as_seconds() as f64
    }
}
