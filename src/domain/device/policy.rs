//! When a certificate is due: in shares of its life, learned from past renewals (`learn`) or declared.
//!
//! Clients renew at anything from a tenth to three quarters of the life that is left, so no fixed number of days can say
//! that a device is late.

use std::fmt;
use std::str::FromStr;

use crate::domain::instant::{Instant, Span};

/// Where a certificate is in its life. Ordered from harmless to worst, the unknown first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// The expiry or the whole life is not known.
    Unknown,
    /// Earlier than renewals of its kind begin, or it never expires.
    NotDue,
    /// Renewals of its kind have begun.
    Due,
    /// Nearly all renewals of its kind have taken place by now.
    Late,
    /// Less than a tenth of its life is left.
    Critical,
    /// Its end has passed.
    Expired,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [Self::Unknown, Self::NotDue, Self::Due, Self::Late, Self::Critical, Self::Expired];

    /// Its word in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotDue => "not_due",
            Self::Due => "due",
            Self::Late => "late",
            Self::Critical => "critical",
            Self::Expired => "expired",
        }
    }
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
    /// Half of the renewals begin with more left, half with less.
    pub median: f64,
    /// 95 of 100 renewals begin with at least this much left.
    pub late: f64,
}

impl Shares {
    /// A third of the life: what most clients do.
    pub const ASSUMED: Self = Self::exactly(1.0 / 3.0);

    /// A policy without spread: all renewals begin with this share left.
    pub const fn exactly(share: f64) -> Self {
        Self { early: share, median: share, late: share }
    }

    /// When a certificate becomes due. `validity` is the whole life. Devices that renew early define it: the share is
    /// `early`.
    pub fn due(self, expiry: Instant, validity: Span) -> Instant {
        expiry.minus(part(validity, self.early))
    }

    /// The share of life left below which a certificate is late.
    fn late_below(self) -> f64 {
        (self.late - SLACK.min(self.late / 5.0)).max(0.0)
    }
}

/// That share of a span.
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
    /// Up to 2 days.
    TwoDays,
    /// Up to 10 days.
    TenDays,
    /// Up to 60 days.
    SixtyDays,
    /// Up to 120 days.
    HundredTwentyDays,
    /// More than 120 days.
    Longer,
}

impl Class {
    /// Its words in output.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TwoDays => "<=2d",
            Self::TenDays => "<=10d",
            Self::SixtyDays => "<=60d",
            Self::HundredTwentyDays => "<=120d",
            Self::Longer => ">120d",
        }
    }

    /// The class of a certificate with that whole life.
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

impl fmt::Display for Declared {
    /// As it is typed; shares in percent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| (share * 1000.0).round() / 10.0;
        match *self {
            Self::Share(late, early) if late < early => write!(f, "{}-{}%", percent(late), percent(early)),
            Self::Share(share, _) => write!(f, "{}%", percent(share)),
            Self::Left(left) => write!(f, "{}d", left.as_seconds() / 86_400),
            Self::Off => f.write_str("off"),
        }
    }
}

/// A declared policy that has no meaning. Holds the text as given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "invalid renewal policy '{0}': it must be the life left when renewals begin, as '1/3', '75%', '10-30%' or '30d', or 'off'"
)]
pub struct InvalidPolicy(String);

impl FromStr for Declared {
    type Err = InvalidPolicy;

    /// Shares must lie between 0 and 1, both excluded; a range begins with its lower end; days are whole and positive.
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

/// The life of a certificate, as far as it tells its policy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Life {
    /// The whole life, from the certificate's issue to its end, in microseconds.
    pub validity: Span,
    /// The share of life that was left of the certificate before when this one replaced it: within a group that follows
    /// several policies it shows which one the device follows.
    pub renewed: Option<f64>,
}

impl Life {
    /// A life of which nothing more is known.
    pub const fn of(validity: Span) -> Self {
        Self { validity, renewed: None }
    }
}
