//! The simulated fleet while the console runs: the incident goes on for a while, most devices renew, and now and then
//! many renew at once.
//!
//! Must not read a clock: the caller passes the time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use uuid::Uuid;

use super::errors::Fault;
use super::fleet::{Device, Fleet, Row};
use super::history::{Pen, Verdict, denials};
use super::story::{self, Cohort, Story};
use crate::domain::instant::{Instant, Span};

/// The state between two calls.
pub struct Live {
    /// Rows up to this instant are returned already.
    returned: Instant,
    /// When the next attempt begins.
    next: Instant,
    /// Remaining attempts of a burst.
    burst: u64,
    /// Rows that are already determined but not yet due, by time.
    ahead: BinaryHeap<Reverse<Ahead>>,
}

/// Ordered by time, then id, as in the table.
#[derive(PartialEq, Eq)]
struct Ahead((Instant, Uuid), Row);

/// By time, then by id; the rows themselves are not compared.
impl Ord for Ahead {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl PartialOrd for Ahead {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// After a longer pause only this much is simulated.
const LONGEST: Span = Span::minutes(10);
/// The approver works again this long after the demo began.
const REPAIRED: Span = Span::minutes(25);
/// A device that renewed stays idle for this long.
const REST: Span = Span::minutes(30);

impl Live {
    /// Begins at `now` with the rows of the attempts in progress.
    pub fn beginning(now: Instant, in_progress: Vec<Row>) -> Self {
        let ahead = in_progress.into_iter().map(|r| Reverse(Ahead((r.at, r.id), r))).collect();
        Self { returned: now, next: now.plus(Span(1)), burst: 0, ahead }
    }
}

impl Fleet {
    /// The rows after the previous call and up to `until`, oldest first.
    pub(super) fn advance(&mut self, until: Instant) -> Vec<Row> {
        if until <= self.live.returned {
            return Vec::new();
        }
        self.live.next = self.live.next.max(until.minus(LONGEST));
        while self.live.next <= until {
            let t = self.live.next;
            self.begin_one(t);
            let gap = self.gap();
            self.live.next = t.plus(gap);
        }
        self.live.returned = until;
        let mut rows = Vec::new();
        while self.live.ahead.peek().is_some_and(|Reverse(a)| a.1.at <= until) {
            rows.extend(self.live.ahead.pop().map(|Reverse(a)| a.1));
        }
        rows
    }

    /// The time to the next attempt: 1.4 s on average, exponentially distributed; milliseconds in a burst.
    fn gap(&mut self) -> Span {
        if self.live.burst > 0 {
            self.live.burst -= 1;
            return self.rng.span(Span(5_000), Span(200_000));
        }
        if self.rng.chance(0.02) {
            self.live.burst = 8 + self.rng.below(14);
        }
        let seconds = -(1.0 - self.rng.unit()).ln() * 1.4;
        Span((seconds.min(20.0) * 1e6) as i64 + 1)
    }

    /// Starts an attempt of some device that is free at `t`; none if all devices drawn are busy.
    fn begin_one(&mut self, t: Instant) {
        let afflicted = self.rng.chance(0.42);
        for _ in 0..24 {
            let n = self.rng.below(self.devices.len() as u64) as usize;
            let Some(d) = self.devices.get_mut(n) else { return };
            let denied = matches!(d.cohort, Cohort::Denied { .. });
            let absent = matches!(d.cohort, Cohort::Silent { .. } | Cohort::Batch);
            if d.ready > t || absent || denied != afflicted {
                continue;
            }
            let mut rows = Vec::with_capacity(2);
            let mut pen = Pen { rows: &mut rows, story: &self.story, rng: &mut self.rng };
            let causes = causes(d, t, pen.story);
            let verdict = match causes {
                Some((chance, causes)) if pen.rng.chance(chance) => Verdict::Fail(Fault::of(causes, pen.rng)),
                _ if pen.rng.chance(0.01) => Verdict::Stall,
                _ => Verdict::Success,
            };
            let end = pen.attempt(d, t, verdict);
            let rest = match verdict {
                Verdict::Fail(_) => pen.back_off(d, Span::minutes(3), Span::minutes(15)),
                _ => REST,
            };
            d.ready = end.plus(rest);
            self.live.ahead.extend(rows.into_iter().map(|r| Reverse(Ahead((r.at, r.id), r))));
            return;
        }
    }
}

/// The probability of a failure now, and its categories. `None`: it never fails.
fn causes(d: &Device, t: Instant, story: &Story) -> Option<(f64, &'static [&'static str])> {
    match d.cohort {
        Cohort::Denied { .. } if t > story.now.plus(REPAIRED) => None,
        Cohort::Denied { .. } => Some((0.97, denials(d, t))),
        Cohort::Tpm { .. } => Some((1.0, &story::TPM)),
        Cohort::Chronic { .. } => Some((1.0, &story::CHRONIC)),
        Cohort::Skewed => Some((0.8, &["clock_skew"])),
        Cohort::Flaky => Some((0.4, &story::ORDINARY)),
        _ => Some((0.03, &story::ORDINARY)),
    }
}
