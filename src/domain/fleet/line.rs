//! How a device stands at a given time.

use std::sync::Arc;

use super::{Fleet, Member};
use crate::domain::device::policy::Phase;
use crate::domain::device::{Rules, State};
use crate::domain::instant::{Instant, Span};

/// The time that is left to a device's certificate, in days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Bucket {
    /// No time.
    Expired,
    /// Less than a day.
    Day,
    /// Less than 7 days.
    Week,
    /// Less than 30 days.
    Month,
    /// Less than 60 days.
    TwoMonths,
    /// 60 days or more, or no end.
    Longer,
    /// No row states an expiry.
    Unknown,
}

impl Bucket {
    /// All of them, in their order.
    pub const ALL: [Self; 7] =
        [Self::Expired, Self::Day, Self::Week, Self::Month, Self::TwoMonths, Self::Longer, Self::Unknown];

    /// Of an expiry at `now`.
    pub fn of(expiry: Option<Instant>, now: Instant) -> Self {
        let Some(expiry) = expiry else { return Self::Unknown };
        if expiry <= now {
            return Self::Expired;
        }
        match expiry.since(now) {
            Some(left) if left < Span::days(1) => Self::Day,
            Some(left) if left < Span::days(7) => Self::Week,
            Some(left) if left < Span::days(30) => Self::Month,
            Some(left) if left < Span::days(60) => Self::TwoMonths,
            _ => Self::Longer,
        }
    }

    /// Its word on screen and in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Day => "<1d",
            Self::Week => "<7d",
            Self::Month => "<30d",
            Self::TwoMonths => "<60d",
            Self::Longer => "longer",
            Self::Unknown => "unknown",
        }
    }
}

/// A device at a time.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// What does not depend on the time: ids, names, expiry, last success, last row, signature.
    pub member: Arc<Member>,
    /// From `now` to the expiry, negative after it; `None` where it is not known or infinite.
    pub runway: Option<Span>,
    /// Where the certificate is in its life.
    pub phase: Phase,
    /// The runway in days.
    pub bucket: Bucket,
    /// How the device stands.
    pub state: State,
    /// Failed and stalled attempts since the last success; at least so many where `member.device.complete` is not set.
    pub fails: u32,
    /// When its certificate became due, of a silent device: also of one that has expired since.
    pub silent_since: Option<Instant>,
    /// When the next try is to come, of a failing device; it may be past. `None` where nothing tells.
    pub next_try: Option<Instant>,
    /// Tries to be expected before the expiry, of a failing device; up to 1000.
    pub tries_left: Option<u32>,
}

impl Line {
    /// Whether something has gone wrong, or nothing says that it has not: the device is failing or silent, or its
    /// certificate is late, or it is not known when it is to be renewed. Devices with short certificates that renew in
    /// time are not at risk, however little is left.
    pub fn is_at_risk(&self) -> bool {
        self.state.is_failing()
            || matches!(self.state, State::Silent | State::Expired)
            || matches!(self.phase, Phase::Late | Phase::Critical | Phase::Unknown)
    }

    /// Whether `fails` is exact; else it is a lower bound.
    pub fn fails_exact(&self) -> bool {
        self.member.device.complete
    }
}

impl Fleet {
    /// How a device stands at `now`, the database's time.
    pub fn line(&self, member: &Arc<Member>, now: Instant) -> Line {
        let device = &member.device;
        let shares = self.shares(member).and_then(|(shares, _)| shares);
        let back_off = self.back_off(member);
        let rules = Rules { patience: self.patience, shares, back_off };
        let state = device.state(&rules, now);
        let failing = state.is_failing();
        let expiry = device.expiry.map(|(at, _)| at);
        let tries_left = |at: Instant| device.tries.left(back_off, now, at);
        Line {
            member: member.clone(),
            runway: device.runway(now),
            phase: device.phase(shares, now),
            bucket: Bucket::of(expiry, now),
            state,
            fails: device.fails(self.patience, now),
            silent_since: device.silent_since(shares, now),
            next_try: failing.then(|| device.tries.next(back_off)).flatten(),
            tries_left: expiry.filter(|at| failing && at.is_finite()).and_then(tries_left),
        }
    }
}
