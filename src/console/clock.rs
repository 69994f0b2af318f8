//! What time changes on screen: notices end, marks end, ages grow. A tick that changes nothing visible says so, so that an
//! idle console draws nothing.
//!
//! [`Model::update`] calls it for each tick, once a second. The clock enters only as the message's time, which can be
//! earlier than the last one if the system's clock is set back.

use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::ui::ctx::Link;
use crate::ui::effect::Effect;

use super::Model;

/// A query that failed with its connection is retried after this long.
const RETRY: Span = Span::seconds(5);

/// A view that waits for longer says so.
const LONG: Span = Span::seconds(2);

/// Relative times move on at least this often.
const SLOWEST: Span = Span::minutes(1);
/// Relative times move on at most this often: each step runs all queries of the view.
const FASTEST: Span = Span::seconds(5);

/// Whether failed queries are to be retried while the tail reports that the database answers. Once: somebody may have
/// ended them on the server on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Retry {
    /// No query has failed with its connection.
    #[default]
    No,
    /// The retry is due at this time, UTC, once the tail is live.
    At(Instant),
    /// The retry is used up, until the tail resumes or the filter changes.
    Done,
}

impl Model {
    /// A query failed with its connection. The first such failure sets the time of the one retry.
    pub(super) fn retry_later(&mut self) {
        if self.tail.retry == Retry::No {
            self.tail.retry = Retry::At(self.ctx.now.plus(RETRY));
        }
    }

    /// Takes the time now, UTC: ends the notice, delivers pending alerts, sends a due retry, and moves relative times
    /// on.
    pub(super) fn tick(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let before = std::mem::replace(&mut self.ctx.now, now);
        let minute = |t: Instant| t.pg_micros().div_euclid(60_000_000);
        self.aged = minute(before) != minute(now)
            || !matches!(self.ctx.link, Link::Live)
            || self.tail.rate() > 0.0
            || self.views.ages(&self.ctx);
        self.tail.forget(now);
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
            self.aged = true;
        }
        self.ring(effects);
        self.tail.waiting = self.is_busy().then(|| self.tail.waiting.unwrap_or(now));
        self.aged |= self.waits().is_some() || self.headline_ages(before);
        if let (Retry::At(due), Link::Live) = (self.tail.retry, &self.ctx.link)
            && due <= now
        {
            self.tail.retry = Retry::Done;
            self.refresh(effects);
        }
        self.slide(effects);
        self.survey_again(effects);
        let step = self.views.tick(&self.ctx);
        self.take(step, effects);
    }

    /// Moves the filter's relative times on, for the whole screen together: a hundredth of the range at a time, which is
    /// less than a bucket of the histogram.
    fn slide(&mut self, effects: &mut Vec<Effect>) {
        let (filter, now, as_of) = (&self.ctx.filter, self.ctx.now, self.ctx.as_of);
        let range = filter.bounds(now, &self.ctx.zone).from.and_then(|from| now.since(from));
        let step = range.map_or(SLOWEST, |range| Span(range.0 / 100).max(FASTEST).min(SLOWEST));
        let before = self.ctx.criteria();
        if as_of.plus(step) > now || filter.criteria(now, &self.ctx.zone) == before {
            return;
        }
        self.ctx.as_of = now;
        self.aged = true;
        let step = self.views.slide(&before, &self.ctx);
        self.take(step, effects);
    }

    /// Whether the time since `before` changes the headline: a time left is shown in seconds, or numbers have become old.
    fn headline_ages(&self, before: Instant) -> bool {
        let known = &self.ctx.known;
        let first = known.fleet.value().and_then(|view| view.summary.first.as_ref()?.member.device.expiry);
        let near = first.and_then(|(end, _)| end.since(self.ctx.now)).is_some_and(|left| left < format::TO_THE_SECOND);
        near || known.old(before) != known.old(self.ctx.now)
    }

    /// For how long the view has waited for the database, if that is longer than usual. A query waits where the database works
    /// on it, and where all connections are in use.
    pub fn waits(&self) -> Option<Span> {
        self.ctx.now.since(self.tail.waiting?).filter(|waited| *waited >= LONG)
    }

    /// Whether the last tick changed what is on screen.
    pub fn has_aged(&self) -> bool {
        self.aged
    }
}
