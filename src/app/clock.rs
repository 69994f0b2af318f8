//! What time does to the screen: notices end, marks fade, ages grow. A tick that changes nothing to be seen says so, so
//! that a console on which nothing happens costs nothing.

use std::time::Duration;

use crate::domain::format;
use crate::domain::instant::{Instant, Span};

use super::Model;
use super::msg::Effect;
use super::panes::Depth;
use super::tail::Link;

/// Ages below this are shown in seconds.
const BY_SECONDS: Span = format::TO_THE_SECOND;

/// A question that failed with its connection is asked again after this long.
const AGAIN: Span = Span::seconds(5);

/// Whether failed questions are to be asked again, while the tail says that the database answers. Once: somebody on the
/// server may have ended them on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Again {
    #[default]
    No,
    At(Instant),
    Done,
}

impl Model {
    /// A question failed with its connection.
    pub(super) fn ask_later(&mut self) {
        if self.again == Again::No {
            self.again = Again::At(self.now.plus(AGAIN));
        }
    }

    pub(super) fn tick(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let before = std::mem::replace(&mut self.now, now);
        let minute = |t: Instant| t.pg_micros().div_euclid(60_000_000);
        self.aged = minute(before) != minute(now)
            || !matches!(self.tail.link, Link::Live)
            || self.tail.rate() > 0.0
            || self.list.has_marks()
            || self.shows_seconds();
        self.tail.forget(now);
        self.list.forget_marks(now);
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
            self.aged = true;
        }
        self.ring(effects);
        if let (Again::At(due), Link::Live) = (self.again, &self.tail.link)
            && due <= now
        {
            self.again = Again::Done;
            self.ask_again(effects);
        }
        if self.facets_due.is_some_and(|due| due <= now) {
            self.ask_facets(Depth::Whole, Duration::ZERO, effects);
            // Rows that came between the list and its count were counted twice.
            self.ask_count(Duration::ZERO, effects);
        }
    }

    /// Whether the last tick changed what is on screen.
    pub fn has_aged(&self) -> bool {
        self.aged
    }

    /// Whether the database has answered anything yet.
    pub fn was_answered(&self) -> bool {
        self.list.was_answered() || self.source.value().is_some()
    }

    /// Whether an age or a time left on screen is counted in seconds.
    fn shows_seconds(&self) -> bool {
        let near = |at: Instant| at.since(self.now).is_some_and(|span| span.abs() < BY_SECONDS);
        let rows = self.list.rows().iter().skip(self.list.view.offset).take(self.list.view.height);
        let left =
            |row: &crate::domain::event::RenewalEvent| [row.old_expiry, row.new_expiry].into_iter().flatten().any(near);
        self.list.selected().is_some_and(|row| near(row.created_at)) || rows.into_iter().any(|row| left(row))
    }
}
