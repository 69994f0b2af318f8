//! When a certificate is due: in shares of its life, learned from past renewals or declared.
//!
//! Clients renew at anything from a tenth to three quarters of the life that is left, so no fixed number of days can say
//! that a device is late.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::domain::attempt::{Attempt, Family, State};
use crate::domain::instant::{Instant, Span};

/// Where a certificate is in its life. Ordered from harmless to worst, the unknown first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// The expiry or the whole life is not known.
    Unknown,
    NotDue,
    /// Renewals of its kind have begun.
    Due,
    /// Nearly all renewals of its kind have taken place by now.
    Late,
    /// Less than a tenth of its life is left.
    Critical,
    Expired,
}

/// The share of life left below which a certificate is critical, unless its policy renews later still.
const CRITICAL: f64 = 0.10;

/// How far below the latest renewals a certificate must be to be late: a client that renews at an exact share still needs
/// some time to do it. Never more than a fifth of that share.
const SLACK: f64 = 0.02;

/// The share of life that is left when renewals begin, of 1: most begin between `early` and `late`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shares {
    /// 95 of 100 renewals begin with at most this much left.
    pub early: f64,
    pub median: f64,
    /// 95 of 100 renewals begin with at least this much left.
    pub late: f64,
}

impl Shares {
    /// A third of the life: what most clients do.
    pub const ASSUMED: Self = Self::exactly(1.0 / 3.0);

    pub const fn exactly(share: f64) -> Self {
        Self { early: share, median: share, late: share }
    }

    /// When a certificate becomes due.
    pub fn due(self, expiry: Instant, validity: Span) -> Instant {
        expiry.minus(part(validity, self.early))
    }

    /// The share of life left below which a certificate is late.
    fn late_below(self) -> f64 {
        (self.late - SLACK.min(self.late / 5.0)).max(0.0)
    }
}

fn part(of: Span, share: f64) -> Span {
    // Beyond an i64 a float saturates.
    Span((of.0 as f64 * share) as i64)
}

/// The phase at `now` of a certificate with that expiry and that whole life. Without `shares` nothing is due or late.
pub fn phase(expiry: Instant, validity: Option<Span>, shares: Option<Shares>, now: Instant) -> Phase {
    if expiry <= now {
        return Phase::Expired;
    }
    let Some(left) = expiry.since(now) else { return Phase::NotDue };
    let Some(validity) = validity.filter(|v| v.0 > 0) else { return Phase::Unknown };
    let left = left.0 as f64 / validity.0 as f64;
    let Some(shares) = shares else {
        return if left < CRITICAL { Phase::Critical } else { Phase::NotDue };
    };
    let late = shares.late_below();
    match left {
        _ if left < late.min(CRITICAL) => Phase::Critical,
        _ if left < late => Phase::Late,
        _ if left <= shares.early => Phase::Due,
        _ => Phase::NotDue,
    }
}

/// Certificates of about the same life are renewed alike, and others are not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    TwoDays,
    TenDays,
    SixtyDays,
    HundredTwentyDays,
    Longer,
}

impl Class {
    pub fn of(validity: Span) -> Self {
        match validity {
            v if v <= Span::days(2) => Self::TwoDays,
            v if v <= Span::days(10) => Self::TenDays,
            v if v <= Span::days(60) => Self::SixtyDays,
            v if v <= Span::days(120) => Self::HundredTwentyDays,
            _ => Self::Longer,
        }
    }
}

/// What an operator declares of a policy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Declared {
    /// Renewals begin with this share of the life left, at least and at most: `1/3`, `75%`, `10-30%`.
    Share(f64, f64),
    /// They begin with this time left: `30d`.
    Left(Span),
    /// Nothing is ever due or late: `off`.
    Off,
}

impl Declared {
    /// The shares for a certificate of that life; `None` where the policy is off.
    pub fn shares(self, validity: Span) -> Option<Shares> {
        match self {
            Self::Off => None,
            Self::Share(late, early) => Some(Shares { early, median: f64::midpoint(late, early), late }),
            Self::Left(left) => Some(Shares::exactly((left.0 as f64 / validity.0.max(1) as f64).clamp(0.0, 1.0))),
        }
    }
}

/// A declared policy that has no meaning.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "invalid renewal policy '{0}': it must be the life left when renewals begin, as '1/3', '75%', '10-30%' or '30d', or 'off'"
)]
pub struct InvalidPolicy(String);

impl FromStr for Declared {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let number = |t: &str| t.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        let share = |n: f64| Some(n).filter(|n| *n > 0.0 && *n < 1.0);
        let parsed = || {
            let text = text.trim();
            if text == "off" {
                return Some(Self::Off);
            }
            if let Some(percent) = text.strip_suffix('%') {
                let (low, high) = percent.split_once('-').unwrap_or((percent, percent));
                let low = share(number(low.trim_end_matches('%'))? / 100.0)?;
                let high = share(number(high)? / 100.0)?;
                return (low <= high).then_some(Self::Share(low, high));
            }
            if let Some((one, of)) = text.split_once('/') {
                let share = share(number(one)? / number(of)?)?;
                return Some(Self::Share(share, share));
            }
            let days: i64 = text.strip_suffix('d')?.trim().parse().ok()?;
            (days > 0).then_some(Self::Left(Span::days(days)))
        };
        parsed().ok_or_else(|| InvalidPolicy(text.to_owned()))
    }
}

/// Where shares come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum From {
    Learned {
        renewals: u64,
    },
    Set,
    /// Too few renewals to learn from, and nothing declared.
    Assumed,
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Learned { renewals } => write!(f, "learned from {renewals} renewals"),
            Self::Set => f.write_str("set"),
            Self::Assumed => f.write_str("assumed 1/3"),
        }
    }
}

/// The shares of past renewals of each group and class; a group is an organization, or all of a source.
#[derive(Clone, Debug)]
pub struct Learned<G> {
    counts: BTreeMap<(G, Class), Histogram>,
}

impl<G> Default for Learned<G> {
    fn default() -> Self {
        Self { counts: BTreeMap::new() }
    }
}

/// Renewals by the share of life that was left, in steps of a thousandth: thirty days are few of ten years.
#[derive(Clone, Debug)]
struct Histogram([u32; Histogram::STEPS]);

impl Histogram {
    const STEPS: usize = 1000;

    fn total(&self) -> u64 {
        self.0.iter().map(|n| u64::from(*n)).sum()
    }
    /// The share below which that part of the renewals lies.
    fn quantile(&self, part: f64) -> f64 {
        let wanted = self.total() as f64 * part;
        let mut sum = 0.0;
        for (step, count) in self.0.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && sum + count >= wanted {
                let within = ((wanted - sum) / count).clamp(0.0, 1.0);
                return (step as f64 + within) / Self::STEPS as f64;
            }
            sum += count;
        }
        1.0
    }
}

/// Renewals of a group and class that make a policy.
const ENOUGH: u64 = 30;

impl<G: Ord> Learned<G> {
    /// Takes what a renewal tells: the first try of it, where it succeeded and both certificates' ends are known. Of a
    /// source that writes no starts, the success stands for the start.
    pub fn add(&mut self, group: G, attempt: &Attempt) {
        let first = attempt.family == Family::Renewal && attempt.tries == 1 && attempt.tries_exact;
        let succeeded = attempt.state == State::Succeeded || (attempt.start.is_none() && attempt.failures == 0);
        let (Some((end, _)), Some(at)) = (&attempt.end, attempt.at()) else { return };
        let (Some(old), Some(new)) = (attempt.old_expiry, attempt.new_expiry) else { return };
        if let (true, true, Some(left), Some(validity)) = (first, succeeded, old.since(at), new.since(end.at)) {
            self.add_share(group, left, validity);
        }
    }

    /// Takes a renewal that began with `left` of a life of `validity`. One without a life, or after it, teaches nothing.
    pub fn add_share(&mut self, group: G, left: Span, validity: Span) {
        let share = left.0 as f64 / validity.0 as f64;
        if validity.0 <= 0 || !(0.0..=1.0).contains(&share) {
            return;
        }
        let counts = self.counts.entry((group, Class::of(validity))).or_insert(Histogram([0; Histogram::STEPS]));
        let step = ((share * Histogram::STEPS as f64) as usize).min(Histogram::STEPS - 1);
        if let Some(count) = counts.0.get_mut(step) {
            *count = count.saturating_add(1);
        }
    }

    /// The shares of a group's certificates of that life, and where they come from. `None` where the policy is off.
    pub fn shares(&self, declared: Option<Declared>, group: G, validity: Span) -> (Option<Shares>, From) {
        if let Some(declared) = declared {
            return (declared.shares(validity), From::Set);
        }
        match self.counts.get(&(group, Class::of(validity))).filter(|h| h.total() >= ENOUGH) {
            Some(h) => {
                let shares = Shares { early: h.quantile(0.95), median: h.quantile(0.5), late: h.quantile(0.05) };
                (Some(shares), From::Learned { renewals: h.total() })
            }
            None => (Some(Shares::ASSUMED), From::Assumed),
        }
    }
}
