//! How often a tail looks: often while rows come, seldom while nothing does, and ever more seldom at a database that
//! does not answer.

use std::time::Duration;

use crate::domain::instant::{Instant, Span};

/// Between two turns while rows come, and for some time after.
const ACTIVE: Duration = Duration::from_millis(500);
/// Between two turns while nothing comes: less than one question a second, with a horizon and two sweeps in six turns.
const IDLE: Duration = Duration::from_millis(1600);
/// Between two looks at a counter of commits, which costs no question: while rows come, and while nothing does.
const COUNTER: Duration = Duration::from_millis(100);
const IDLE_COUNTER: Duration = Duration::from_millis(250);
/// After a hint, before the turn: several commits in a row are one turn.
const GATHER: Duration = Duration::from_millis(30);
/// Rows that came this long ago still count as coming.
const LATELY: Span = Span::seconds(10);
/// Between two sweeps while nothing comes.
const SWEEP: Span = Span::seconds(10);
/// Stretches without a matching row are read again for writers whose clocks are behind: at most this long, and shorter
/// where the database has to look at many rows that do not match.
const QUIET: Span = Span::minutes(5);
/// A reading that takes longer makes the stretch shorter, one that takes less than a fifth makes it longer.
const DEAR: Span = Span(50_000);
/// A sweep may take this part of the time.
const SHARE: i64 = 10;
/// The longest wait between tries at a database that does not answer.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub struct Pace {
    quiet: Span,
    failures: u32,
    /// Counter of commits at the last turn, where the source has one.
    version: Option<i64>,
    active: Option<Instant>,
    /// When the next sweep may begin, and when it must.
    sweep: Option<(Instant, Instant)>,
    hinted: bool,
    /// Something was told that the next success must take back, or nothing was told yet.
    news: bool,
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
            hinted: false,
            news: false,
            begun: false,
        }
    }
}

impl Pace {
    /// Whether nobody has written since the last turn.
    pub fn may_pass(&self, version: Option<i64>) -> bool {
        version.is_some() && self.version == version && self.failures == 0
    }
    fn is_active(&self, now: Instant) -> bool {
        self.active.is_some_and(|at| at.plus(LATELY) > now && at <= now)
    }
    pub fn sweep_is_due(&self, now: Instant) -> bool {
        let Some((may, must)) = self.sweep else { return true };
        // A clock that was set back must not stop the sweeps.
        must <= now || (may <= now && self.is_active(now)) || must > now.plus(Span::minutes(5))
    }
    /// Rows were told.
    pub fn active(&mut self, now: Instant) {
        self.active = Some(now);
        self.news = false;
        self.begun = true;
    }
    /// A sweep kept the database busy for `took`; `restless`: another is worth while soon.
    pub fn swept(&mut self, now: Instant, took: Span, restless: bool) {
        let may = now.plus(Span(took.0.saturating_mul(SHARE)));
        let must = if restless { may } else { now.plus(SWEEP).max(may) };
        self.sweep = Some((may, must));
    }
    /// The end of the table was read, and kept the database busy for `took`: how far behind its end the next reading may begin.
    pub fn quiet_after(&mut self, took: Span) -> Span {
        if took > DEAR {
            self.quiet = Span(self.quiet.0 / 2).max(Span::seconds(1));
        } else if took.0 < DEAR.0 / 5 {
            self.quiet = Span(self.quiet.0.saturating_mul(2)).min(QUIET);
        }
        self.quiet
    }
    pub fn hinted(&mut self) {
        self.hinted = true;
    }
    /// How long until the next turn.
    pub fn wait(&mut self, now: Instant) -> Duration {
        if std::mem::take(&mut self.hinted) {
            GATHER
        } else if self.version.is_some() {
            if self.is_active(now) { COUNTER } else { IDLE_COUNTER }
        } else if self.is_active(now) {
            ACTIVE
        } else {
            IDLE
        }
    }
    /// A turn failed: how long to wait before the next. One second, doubled with each failure, at most [`PATIENCE`], and
    /// up to a fifth less, so that many consoles do not come back in the same instant.
    pub fn failed(&mut self, now: Instant) -> Duration {
        self.failures += 1;
        self.version = None;
        self.sweep = None;
        let wait = back_off(self.failures);
        let part = u32::try_from(now.pg_micros().rem_euclid(200)).unwrap_or(0);
        wait - wait * part / 1000
    }
    pub fn failures(&self) -> u32 {
        self.failures
    }
    /// Whether the turns before this one had failed; asked once.
    pub fn has_recovered(&mut self) -> bool {
        let was = self.failures > 0;
        self.failures = 0;
        self.news |= was;
        was
    }
    pub fn succeeded(&mut self, version: Option<i64>) {
        self.version = version;
        self.begun = true;
    }
    /// The next success has to say that all is well.
    pub fn mark_news(&mut self) {
        self.news = true;
    }
    /// Whether a success without rows is worth telling.
    pub fn is_quiet_news(&mut self) -> bool {
        std::mem::take(&mut self.news) || !self.begun
    }
}

/// One second, doubled with each failure, at most [`PATIENCE`].
fn back_off(failures: u32) -> Duration {
    Duration::from_secs(1_u64 << failures.saturating_sub(1).min(10)).min(PATIENCE)
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
    fn dear_readings_of_nothing_become_short() {
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
    fn many_consoles_do_not_come_back_at_once() {
        let wait = |micros| Pace::default().failed(Instant::from_pg_micros(micros));
        assert_eq!(wait(0), Duration::from_secs(1));
        assert!(wait(199) >= Duration::from_millis(800) && wait(199) < wait(0));
    }
}
