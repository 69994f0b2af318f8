//! What time changes on screen: notices end, marks end, ages grow. A tick that changes nothing visible says so, so that an
//! idle console draws nothing.

use crate::domain::instant::{Instant, Span};
use crate::ui::ctx::Link;
use crate::ui::effect::Effect;

use super::Model;

/// A query that failed with its connection is retried after this long.
const RETRY: Span = Span::seconds(5);

/// Relative times move on at least this often, and at most.
const SLOWEST: Span = Span::minutes(1);
const FASTEST: Span = Span::seconds(5);

/// Whether failed queries are to be retried while the tail reports that the database answers. Once: somebody may have
/// ended them on the server on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Retry {
    #[default]
    No,
    At(Instant),
    Done,
}

impl Model {
    /// A query failed with its connection.
    pub(super) fn retry_later(&mut self) {
        if self.tail.retry == Retry::No {
            self.tail.retry = Retry::At(self.ctx.now.plus(RETRY));
        }
    }

    pub(super) fn tick(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let before = std::mem::replace(&mut self.ctx.now, now);
        let minute = |t: Instant| t.pg_micros().div_euclid(60_000_000);
        self.aged = minute(before) != minute(now)
            || !matches!(self.ctx.link, Link::Live)
            || self.tail.rate() > 0.0
            || self.view.ages(&self.ctx);
        self.tail.forget(now);
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
            self.aged = true;
        }
        self.ring(effects);
        if let (Retry::At(due), Link::Live) = (self.tail.retry, &self.ctx.link)
            && due <= now
        {
            self.tail.retry = Retry::Done;
            self.refresh(effects);
        }
        self.slide(effects);
        let step = self.view.tick(&self.ctx);
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
        let step = self.view.slide(&before, &self.ctx);
        self.take(step, effects);
    }

    /// Whether the last tick changed what is on screen.
    pub fn has_aged(&self) -> bool {
        self.aged
    }
}
