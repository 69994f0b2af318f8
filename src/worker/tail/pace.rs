//! How often the tail polls: often while rows arrive, seldom while none do, and with exponential back-off while the
//! database does not answer.
//!
//! Called by the tail only. Pure: it computes waits from times that the caller passes, and never reads a clock.

use std::time::Duration;

use crate::domain::instant::{Instant, Span};

/// Between two polls while rows arrive, and for [`LATELY`] after.
const ACTIVE: Duration = Duration::from_millis(500);
/// Between two polls while no rows arrive: less than one query a second, with one horizon and two sweeps in six polls.
const IDLE: Duration = Duration::from_millis(1600);
/// Between two reads of a commit counter, which costs no query: while rows arrive, and while none do.
const COUNTER: Duration = Duration::from_millis(100);
const IDLE_COUNTER: Duration = Duration::from_millis(250);
/// Between a wake-up and the poll, so that several commits in a row cause one poll.
const GATHER: Duration = Duration::from_millis(30);
/// The tail counts as active for this long after the last row.
const LATELY: Span = Span::seconds(10);
/// Between two sweeps while no rows arrive.
const SWEEP: Span = Span::seconds(10);
/// How much time before the end of the table is read again for writers whose clocks are behind: at most this much, and
/// less where the database must read many rows that do not match.
const QUIET: Span = Span::minutes(5);
/// A read that takes longer halves that time slice; one that takes less than a fifth of this doubles it.
const SLOW_READ: Span = Span(50_000);
/// A sweep may use one part in this many of the time.
const SHARE: i64 = 10;
/// The longest wait between two tries while the database does not answer.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub struct Pace {
    quiet: Span,
    failures: u32,
    /// The commit counter at the last poll, if the source has one.
    version: Option<i64>,
    /// When the last row arrived.
    active: Option<Instant>,
    /// When the next sweep may begin, and when it must.
    sweep: Option<(Instant, Instant)>,
    woken: bool,
    /// An error is on screen: the next success sends a batch, even an empty one.
    news: bool,
    /// At least one batch was sent.
    begun: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            quiet: QUIET,
            failures: 0,
            version: None,
            active: None,
            sweep: None,
            woken: false,
            news: false,
            begun: false,
        }
    }
}

impl Pace {
    /// Whether the poll can be skipped, because nobody has written since the last one.
    pub fn can_skip(&self, version: Option<i64>) -> bool {
        version.is_some() && self.version == version && self.failures == 0
    }
    fn is_active(&self, now: Instant) -> bool {
        self.active.is_some_and(|at| at.plus(LATELY) > now && at <= now)
    }
    /// Whether this poll must include a sweep.
    pub fn sweep_is_due(&self, now: Instant) -> bool {
        let Some((may, must)) = self.sweep else { return true };
        // The last test: a clock that was set back must not stop the sweeps.
        must <= now || (may <= now && self.is_active(now)) || must > now.plus(Span::minutes(5))
    }
    /// Call when rows were sent.
    pub fn active(&mut self, now: Instant) {
        self.active = Some(now);
        self.news = false;
        self.begun = true;
    }
    /// Call after a sweep that kept the database busy for `took`. `restless`: the next one is due as soon as it may be.
    pub fn swept(&mut self, now: Instant, took: Span, restless: bool) {
        let may = now.plus(Span(took.0.saturating_mul(SHARE)));
        let must = if restless { may } else { now.plus(SWEEP).max(may) };
        self.sweep = Some((may, must));
    }
    /// Call when the end of the table was read, which kept the database busy for `took`. Returns how long before the end
    /// the next read may begin.
    pub fn quiet_after(&mut self, took: Span) -> Span {
        if took > SLOW_READ {
            self.quiet = Span(self.quiet.0 / 2).max(Span::seconds(1));
        } else if took.0 < SLOW_READ.0 / 5 {
            self.quiet = Span(self.quiet.0.saturating_mul(2)).min(QUIET);
        }
        self.quiet
    }
    /// Call when a notification arrives.
    pub fn wake(&mut self) {
        self.woken = true;
    }
    /// How long until the next poll.
    pub fn wait(&mut self, now: Instant) -> Duration {
        if std::mem::take(&mut self.woken) {
            GATHER
        } else if self.version.is_some() {
            if self.is_active(now) { COUNTER } else { IDLE_COUNTER }
        } else if self.is_active(now) {
            ACTIVE
        } else {
            IDLE
        }
    }
    /// Call when a poll failed. Returns how long to wait before the next: one second, doubled with each failure, at most
    /// [`LONGEST_WAIT`], and up to a fifth less, so that many consoles do not retry at the same instant.
    pub fn failed(&mut self, now: Instant) -> Duration {
        self.failures += 1;
        self.version = None;
        self.sweep = None;
        let wait = back_off(self.failures);
        let part = u32::try_from(now.pg_micros().rem_euclid(200)).unwrap_or(0);
        wait - wait * part / 1000
    }
    /// How many polls in a row have failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }
    /// Whether the poll before this one had failed. Resets the count.
    pub fn take_failures(&mut self) -> bool {
        let was = self.failures > 0;
        self.failures = 0;
        self.news |= was;
        was
    }
    /// Call when a poll succeeded; `version` is the commit counter before it.
    pub fn succeeded(&mut self, version: Option<i64>) {
        self.version = version;
        self.begun = true;
    }
    /// Call when an error or a delay was sent: the next success must clear it.
    pub fn mark_news(&mut self) {
        self.news = true;
    }
    /// Whether a poll without rows must send an empty batch.
    pub fn must_report(&mut self) -> bool {
        std::mem::take(&mut self.news) || !self.begun
    }
}

/// One second, doubled with each failure, at most [`LONGEST_WAIT`].
fn back_off(failures: u32) -> Duration {
    Duration::from_secs(1_u64 << failures.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<u64> = (1..8).map(|n| back_off(n).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 15, 15, 15]);
    }

    #[test]
    fn slow_reads_without_a_match_become_short() {
        let (mut pace, took) = (Pace::default(), |ms: i64| Span(ms * 1000));
        assert_eq!(pace.quiet_after(took(30)), QUIET);
        assert_eq!(pace.quiet_after(took(80)), Span(QUIET.0 / 2));
        for _ in 0..20 {
            pace.quiet_after(took(80));
        }
        assert_eq!(pace.quiet_after(took(80)), Span::seconds(1));
        assert_eq!(pace.quiet_after(took(1)), Span::seconds(2));
    }

    #[test]
    fn many_consoles_do_not_retry_at_the_same_instant() {
        let wait = |micros| Pace::default().failed(Instant::from_pg_micros(micros));
        assert_eq!(wait(0), Duration::from_secs(1));
        assert!(wait(199) >= Duration::from_millis(800) && wait(199) < wait(0));
    }
}
