//! The past of the simulated fleet: the attempts of each device over 90 days.
//!
//! Must keep each device's chain of expiries: the old expiry of an event is the new expiry of the success before it.

use super::errors::{self, Fault};
use super::fleet::{Device, Row, What};
use super::prng::Prng;
use super::story::{self, Cohort, INCIDENT, OUTAGE, Story, midnight};
use crate::domain::instant::{Instant, Span};

/// All rows of the history, unordered, and those of attempts that are in progress at its end.
pub fn write(devices: &mut [Device], story: &Story, rng: &mut Prng) -> Vec<Row> {
    let mut rows = Vec::with_capacity(45_000);
    let mut pen = Pen { rows: &mut rows, story, rng };
    for device in devices.iter_mut() {
        pen.live_through(device);
    }
    pen.batches(devices);
    rows
}

/// The end of an attempt. It decides the rows that follow a start.
#[derive(Clone, Copy)]
pub enum Verdict {
    /// A success follows within 75 seconds.
    Success,
    /// A failure follows within 170 seconds.
    Fail(Fault),
    /// No outcome is written.
    Stall,
}

/// Appends rows and updates the state of their devices.
pub struct Pen<'a> {
    /// Where rows are appended, in no order.
    pub rows: &'a mut Vec<Row>,
    /// The times of the incidents.
    pub story: &'a Story,
    /// Decides everything that varies.
    pub rng: &'a mut Prng,
}

impl Pen<'_> {
    /// Writes a start at `t` and the rows that follow from it. Returns when the attempt ends; the device is busy until
    /// then. A device whose certificate has expired by then recovers instead of renewing.
    pub fn attempt(&mut self, d: &mut Device, t: Instant, verdict: Verdict) -> Instant {
        let recovery = d.expiry.is_some_and(|e| e <= t);
        self.row(d, t, if recovery { What::RecoveryStart } else { What::Start });
        let end = match verdict {
            Verdict::Success => {
                let end = t.plus(self.rng.span(Span::seconds(2), Span::seconds(75)));
                self.succeed(d, end, recovery);
                end
            }
            Verdict::Fail(fault) => {
                let end = t.plus(self.rng.span(Span::seconds(4), Span::seconds(170)));
                self.fail(d, end, if recovery { What::RecoveryFailed } else { What::Failed }, fault);
                end
            }
            Verdict::Stall => t.plus(Span::minutes(15)),
        };
        d.ready = end;
        end
    }

    /// Appends a row of that type and returns it, so that the caller can set error and new expiry.
    fn row(&mut self, d: &Device, at: Instant, what: What) -> Option<&mut Row> {
        // The service repeats the reason on one outcome only, a hook on all.
        let reason = match what {
            What::RecoveryStart | What::RecoveryFailed => Some("expired"),
            What::RecoverySuccess if d.hook => Some("expired"),
            What::Start => Some("proactive"),
            What::Success | What::Failed if d.hook => Some("proactive"),
            _ => None,
        };
        let id = errors::uuid(self.rng);
        let old = d.expiry.filter(|_| d.tracked);
        self.rows.push(Row { at, id, device: d.number, what, reason, old, new: None, error: None });
        self.rows.last_mut()
    }

    /// Appends a success and sets the device's new expiry. Devices without gain keep the old one, or one of a day
    /// earlier.
    fn succeed(&mut self, d: &mut Device, at: Instant, recovery: bool) {
        let stuck = d.cohort == Cohort::NoGain && at > self.story.now.minus(Span::days(20));
        let new = match d.expiry {
            Some(old) if stuck => old.minus(Span::days(self.rng.below(2).cast_signed())),
            _ => errors::seconds(at.plus(d.lifetime)),
        };
        let tracked = d.tracked;
        if let Some(row) = self.row(d, at, if recovery { What::RecoverySuccess } else { What::Success }) {
            row.new = tracked.then_some(new);
        }
        d.expiry = Some(new);
        d.failures = 0;
    }

    /// Appends a failure and counts it.
    fn fail(&mut self, d: &mut Device, at: Instant, what: What, fault: Fault) {
        if let Some(row) = self.row(d, at, what) {
            row.error = Some(fault);
        }
        d.failures += 1;
    }

    /// Doubles from `first` up to `cap`, varied by up to a fifth. The wait depends on the device's consecutive
    /// failures.
    pub fn back_off(&mut self, d: &Device, first: Span, cap: Span) -> Span {
        let n = d.failures.saturating_sub(1).min(12);
        let wait = first.0.saturating_mul(1 << n).min(cap.0);
        self.rng.span(Span(wait - wait / 5), Span(wait + wait / 5))
    }

    /// Writes the whole history of a device, by its cohort.
    fn live_through(&mut self, d: &mut Device) {
        let now = self.story.now;
        match d.cohort {
            Cohort::Batch => {}
            Cohort::Joining { at } => {
                d.expiry = None;
                self.succeed(d, at, false);
                let due = self.due(d, at);
                self.walk(d, due, now);
            }
            Cohort::Silent { expires } => {
                self.wind_down(d, expires);
            }
            Cohort::Chronic { expires } => {
                let due = self.wind_down(d, expires).plus(d.rhythm);
                let Some(kind) = self.rng.pick(&story::CHRONIC).copied() else { return };
                self.keep_failing(d, due, &[kind], (Span::hours(1), Span::days(1)));
            }
            Cohort::Tpm { expires } => {
                self.wind_down(d, expires);
                let first = expires.plus(self.rng.span(Span::minutes(1), Span::hours(2)));
                self.keep_failing(d, first.max(d.ready), &story::TPM, (Span::minutes(20), Span::hours(4)));
            }
            Cohort::Reviewed { expires } => self.reviewed(d, expires),
            Cohort::Denied { expires } => {
                match expires {
                    Some(expires) => drop(self.wind_down(d, expires)),
                    None => self.live_until(d, self.story.incident),
                }
                // The square root of a uniform draw rises linearly in density.
                let into = (self.rng.unit().sqrt() * INCIDENT.0 as f64) as i64;
                let first = self.story.incident.plus(Span(into)).max(d.ready);
                let causes = denials(d, first);
                self.keep_failing(d, first, causes, (Span::minutes(3), Span::minutes(15)));
            }
            Cohort::Hostile { text, at } => {
                self.live_until(d, at);
                let end = self.attempt(d, at.max(d.ready), Verdict::Fail(Fault::hostile(text)));
                let retry = end.plus(Span::hours(5));
                self.walk(d, retry, now);
            }
            _ => self.live_until(d, now),
        }
    }

    /// Ordinary renewals up to `limit`.
    fn live_until(&mut self, d: &mut Device, limit: Instant) {
        let begin = self.story.begin;
        let first = self.rng.span(Span(0), d.rhythm.min(Span::days(88)));
        let issued = begin.plus(first).minus(d.rhythm);
        d.expiry = Some(errors::seconds(issued.plus(d.lifetime)));
        let due = self.bend(d, begin, begin.plus(first));
        self.walk(d, due, limit);
    }

    /// Ordinary renewals, the last of which succeeds so that the certificate expires at about `expires`. Returns the
    /// end of that attempt.
    fn wind_down(&mut self, d: &mut Device, expires: Instant) -> Instant {
        let last = expires.minus(d.lifetime);
        self.live_until(d, last.minus(Span::minutes(1)));
        self.attempt(d, last.minus(Span::minutes(1)).max(d.ready), Verdict::Success)
    }

    /// Renewals from `due` on, while they begin before `limit`.
    fn walk(&mut self, d: &mut Device, mut due: Instant, limit: Instant) {
        while due < limit {
            if d.cohort == Cohort::Deferring && self.rng.chance(0.4) {
                self.row(d, due, What::Deferred);
                due = due.plus(self.rng.span(Span::hours(2), Span::hours(8)));
                continue;
            }
            let Some(done) = self.renew(d, due, limit) else { return };
            due = self.due(d, done);
        }
    }

    /// Attempts from `t` on until one succeeds; returns its end, or `None` if `limit` comes first.
    fn renew(&mut self, d: &mut Device, mut t: Instant, limit: Instant) -> Option<Instant> {
        let mut fault = None;
        while t < limit {
            let verdict = self.verdict(d, t, &mut fault);
            let end = self.attempt(d, t, verdict);
            t = match verdict {
                Verdict::Success => return Some(end),
                Verdict::Stall => end.plus(self.rng.span(Span::hours(2), Span::hours(20))),
                // During the outage devices retry often, and back off less once the authority answers again.
                Verdict::Fail(_) if self.story.is_outage(end) => {
                    end.plus(self.back_off(d, Span::minutes(4), Span::minutes(14)))
                }
                Verdict::Fail(_) => end.plus(self.back_off(d, Span::minutes(10), Span::hours(4))),
            };
        }
        None
    }

    /// How an attempt at `t` ends. A repeated failure mostly has the cause of the one before.
    fn verdict(&mut self, d: &Device, t: Instant, last: &mut Option<Fault>) -> Verdict {
        if self.story.is_outage(t) && self.rng.chance(0.96) {
            return Verdict::Fail(Fault::of(&story::AUTHORITY_AWAY, self.rng));
        }
        let (failing, causes): (f64, &[&str]) = match d.cohort {
            Cohort::Skewed if d.failures < 3 => (0.8, &["clock_skew"]),
            Cohort::Flaky => (0.4, &story::ORDINARY),
            _ if last.is_some() => (0.45, &story::ORDINARY),
            _ => (0.022, &story::ORDINARY),
        };
        if self.rng.chance(failing) {
            let fault = match *last {
                Some(same) => same.again(self.rng),
                None => Fault::of(causes, self.rng),
            };
            *last = Some(fault);
            return Verdict::Fail(fault);
        }
        if self.rng.chance(0.008) { Verdict::Stall } else { Verdict::Success }
    }

    /// When the next renewal is due after one that ended at `done`.
    fn due(&mut self, d: &Device, done: Instant) -> Instant {
        let slack = Span(d.rhythm.0 / 16);
        let next = done.plus(d.rhythm).plus(self.rng.span(Span(-slack.0), slack));
        self.bend(d, done, next)
    }

    /// Moves a renewal forward into the outage, or to the day of the demo, for the devices of those cohorts.
    fn bend(&mut self, d: &Device, done: Instant, next: Instant) -> Instant {
        let (from, length) = match d.cohort {
            Cohort::Rollout => (self.story.outage, Span(OUTAGE.0 - Span::minutes(3).0)),
            Cohort::Today => (self.story.now.minus(Span::hours(5)), Span::hours(5)),
            _ => return next,
        };
        if done < from && next > from { from.plus(self.rng.span(Span(0), length)) } else { next }
    }

    /// Attempts from `t` to the end of the history, all failing; `wait` is the first and the longest back-off.
    fn keep_failing(&mut self, d: &mut Device, mut t: Instant, causes: &[&str], wait: (Span, Span)) {
        let mut fault = Fault::of(causes, self.rng);
        while t < self.story.now {
            let end = if matches!(d.cohort, Cohort::Tpm { .. }) && self.rng.chance(0.12) {
                self.unsigned_recovery(d, t)
            } else {
                self.attempt(d, t, Verdict::Fail(fault))
            };
            fault = if self.rng.chance(0.15) { Fault::of(causes, self.rng) } else { fault.again(self.rng) };
            t = end.plus(self.back_off(d, wait.0, wait.1));
        }
        d.ready = t;
    }

    /// A recovery that was approved but could not be signed; the service records it as a failed renewal.
    fn unsigned_recovery(&mut self, d: &mut Device, t: Instant) -> Instant {
        self.row(d, t, What::RecoveryStart);
        let end = t.plus(self.rng.span(Span::seconds(3), Span::seconds(40)));
        let fault = Fault::of(&story::SIGNING, self.rng);
        self.fail(d, end, What::Failed, fault);
        d.ready = end;
        end
    }

    /// The device expires, fails to recover, and recovers hours later: after a review of the same request, or in a new
    /// attempt.
    fn reviewed(&mut self, d: &mut Device, expires: Instant) {
        self.wind_down(d, expires);
        let t = expires.plus(self.rng.span(Span::minutes(10), Span::hours(6))).max(d.ready);
        let pause = self.rng.span(Span::hours(2), Span::hours(9));
        let done = if self.rng.chance(0.6) {
            let fault = Fault::of(&story::RECOVERY, self.rng);
            let end = self.attempt(d, t, Verdict::Fail(fault)).plus(pause);
            self.succeed(d, end, true);
            d.ready = end;
            end
        } else {
            let again = self.unsigned_recovery(d, t).plus(pause);
            self.attempt(d, again, Verdict::Success)
        };
        let due = self.due(d, done);
        self.walk(d, due, self.story.now);
    }

    /// The devices that a batch job renews: all rows of one statement have the same time.
    fn batches(&mut self, devices: &mut [Device]) {
        let mut night = midnight(self.story.begin.plus(Span::days(1)));
        let settle = Span::seconds(250);
        while night.plus(settle) < self.story.now {
            for d in devices.iter_mut().filter(|d| d.cohort == Cohort::Batch) {
                self.row(d, night, What::Start);
                if self.rng.chance(0.02) {
                    let fault = Fault::of(&story::ORDINARY, self.rng);
                    self.fail(d, night.plus(settle), What::Failed, fault);
                } else {
                    self.succeed(d, night.plus(settle), false);
                }
            }
            night = night.plus(Span::days(7));
        }
    }
}

/// The error categories of a device in the current incident at `t`.
pub fn denials(d: &Device, t: Instant) -> &'static [&'static str] {
    if d.expiry.is_some_and(|e| e <= t) { &story::RECOVERY_DENIED } else { &story::DENIED }
}
