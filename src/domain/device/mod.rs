//! A device: what its rows since the last success say of its certificate and of its attempts.
//!
//! [`Device::of`] folds the few rows that the sweep of the fleet reads; [`Device::state`] and the functions of
//! [`policy`] and [`tries`] say what that means at a given time, since a device changes its state while no row comes.
//! Called by views, commands and the sweep. No clock is read here: `now` is the database's time.

pub mod learn;
pub mod policy;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests;
pub mod timeline;
pub mod tries;

use super::attempt::{Attempt, Begins, Family, Fold, Patience, Row, State as AttemptState, Step};
use super::event::Id;
use super::instant::{Instant, Span};
use super::signature::SigId;

use policy::{Life, Phase, Shares};
use tries::{BackOff, Tries};

/// Two statements of one expiry may differ by this much: sources round.
const SAME: Span = Span::seconds(2);

/// Where a device's expiry is stated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stated {
    /// By a success: the expiry that it gave.
    New,
    /// By another row, as the expiry of the certificate in use: inferred, and shown with a mark.
    Old,
}

/// How a device stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// None of the others: the last attempt succeeded, or there was none, and the certificate is not late.
    Ok,
    /// The newest attempt failed.
    Failed,
    /// It failed, and the next try is long overdue.
    GaveUp,
    /// The newest attempt has no outcome, for longer than the source's patience.
    Stalled,
    /// The newest attempt has no outcome yet.
    InFlight,
    /// The certificate is late, and no row has come since it became due.
    Silent,
    /// The certificate has ended, and no attempt since the last success tells more.
    Expired,
    /// No row states an expiry.
    Unknown,
}

impl State {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Failed,
        Self::GaveUp,
        Self::Stalled,
        Self::InFlight,
        Self::Silent,
        Self::Expired,
        Self::Unknown,
    ];

    /// Whether the device's newest attempt has come to nothing: failed, given up or stalled.
    pub const fn is_failing(self) -> bool {
        matches!(self, Self::Failed | Self::GaveUp | Self::Stalled)
    }

    /// Its word in filters and in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::GaveUp => "gave_up",
            Self::Stalled => "stalled",
            Self::InFlight => "in_flight",
            Self::Silent => "silent",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }
}

/// What the rows say, at any time.
#[derive(Clone, PartialEq, Debug)]
pub struct Device {
    /// The device's id, as its rows state it.
    pub id: Id,
    /// What the newest row that states an expiry says.
    pub expiry: Option<(Instant, Stated)>,
    /// The whole life of the certificate in use: from the success that gave it to the end that it gave.
    pub life: Option<Life>,
    /// A later row still names an expiry before the one that the last success gave: the device uses the old certificate.
    pub not_taken: bool,
    /// Failed attempts since the last success.
    pub failed: u32,
    /// Whether the rows reach back to a success or to the beginning; else there may be more failures.
    pub complete: bool,
    /// When the newest success was recorded; `None` where none was read.
    pub last_success: Option<Instant>,
    /// The newest row.
    pub last: Instant,
    /// The newest attempt since the last success, if it has no outcome: its family and its start.
    pub open: Option<(Family, Instant)>,
    /// Signature of the newest failure's error.
    pub error: Option<SigId>,
    /// The times of the attempts since the last success.
    pub tries: Tries,
}

/// What the state of a device at a time depends on, besides its rows.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// How long an attempt may have no outcome.
    pub patience: Patience,
    /// `None` where the renewal policy is declared off: nothing is then late or silent.
    pub shares: Option<Shares>,
    /// The usual gaps between tries of the device's group.
    pub back_off: &'a BackOff,
}

/// A device, with what its attempts tell besides.
#[derive(Clone, PartialEq, Debug)]
pub struct Folded {
    /// The device itself.
    pub device: Device,
    /// The gaps between its tries since the last success: the first one is behind the first try.
    pub gaps: Box<[Span]>,
    /// The last failure of each failed attempt since the last success, the newest attempt first.
    pub failures: Vec<Id>,
}

impl Device {
    /// A device by its rows since its last success, that success included, oldest first. `complete` says whether there
    /// are no more such rows. `None` without a row.
    pub fn of(rows: &[Row], complete: bool) -> Option<Self> {
        Self::fold(rows, complete).map(|folded| folded.device)
    }

    /// As [`of`](Self::of), with what the learning of back-offs needs and with the rows that state the errors.
    pub fn fold(rows: &[Row], complete: bool) -> Option<Folded> {
        let newest = rows.last()?;
        let success = rows.iter().rfind(|r| r.step == Step::Succeeded);
        let expiry = rows.iter().rev().find_map(|r| match r.step {
            Step::Succeeded => Some((r.new_expiry?, Stated::New)),
            _ => Some((r.old_expiry?, Stated::Old)),
        });
        let given = success.and_then(|r| r.new_expiry);
        let not_taken = match (given, expiry) {
            (Some(given), Some((at, Stated::Old))) => at.plus(SAME) < given,
            _ => false,
        };
        let attempts = attempts(rows);
        let since = attempts.iter().filter(|a| a.state != AttemptState::Succeeded && !ended_well(a));
        let failed = since.clone().filter(|a| a.failures > 0).count();
        let open = attempts.last().filter(|a| a.end.is_none()).and_then(|a| Some((a.family, a.start.as_ref()?.at)));
        let failures = since.clone().rev().filter(|a| a.failures > 0);
        let failures = failures.filter_map(|a| Some(a.end.as_ref()?.0.id.clone())).collect();
        let times: Vec<Instant> = since.clone().filter_map(Attempt::at).collect();
        let gaps = times.windows(2).map(|pair| pair[1].since(pair[0]).unwrap_or_default()).collect();
        let device = Self {
            id: newest.device.clone(),
            expiry,
            // The life of the certificate in use is known only where it is the one that the success gave.
            life: success.filter(|_| !not_taken).and_then(life),
            not_taken,
            failed: u32::try_from(failed).unwrap_or(u32::MAX),
            complete: complete || success.is_some(),
            last_success: success.map(|r| r.at),
            last: newest.at,
            open,
            error: since.filter_map(|a| a.error).next_back(),
            tries: Tries::of(times.into_iter()),
        };
        Some(Folded { device, gaps, failures })
    }

    /// From `now` to the expiry; negative after it. `None` where it is not known or infinite.
    pub fn runway(&self, now: Instant) -> Option<Span> {
        self.expiry?.0.since(now)
    }

    /// Failed attempts since the last success, and the open one if it is stalled.
    pub fn fails(&self, patience: Patience, now: Instant) -> u32 {
        let stalled = self.open.is_some_and(|(family, at)| patience.state(family, at, now) == AttemptState::Stalled);
        self.failed.saturating_add(u32::from(stalled))
    }

    /// Where the certificate is in its life.
    pub fn phase(&self, shares: Option<Shares>, now: Instant) -> Phase {
        match self.expiry {
            Some((expiry, _)) => policy::phase(expiry, self.life.map(|life| life.validity), shares, now),
            None => Phase::Unknown,
        }
    }

    /// How the device stands at `now`. What its newest attempt does comes before what its certificate is.
    pub fn state(&self, rules: &Rules<'_>, now: Instant) -> State {
        if let Some((family, start)) = self.open {
            return match rules.patience.state(family, start, now) {
                AttemptState::Stalled => State::Stalled,
                _ => State::InFlight,
            };
        }
        if self.failed > 0 {
            return if self.tries.gave_up(rules.back_off, now) { State::GaveUp } else { State::Failed };
        }
        match self.phase(rules.shares, now) {
            Phase::Expired => State::Expired,
            _ if self.silent_since(rules.shares, now).is_some() => State::Silent,
            Phase::Unknown if self.expiry.is_none() => State::Unknown,
            _ => State::Ok,
        }
    }

    /// Since when the device is silent: the time at which its certificate became due, if it is late and no row has come
    /// since then.
    pub fn silent_since(&self, shares: Option<Shares>, now: Instant) -> Option<Instant> {
        let (shares, (expiry, _), life) = (shares?, self.expiry?, self.life?);
        let due = shares.due(expiry, life.validity);
        let late = self.phase(Some(shares), now) >= Phase::Late;
        (late && self.last < due).then_some(due)
    }
}

/// The life of the certificate that a success gave.
fn life(success: &Row) -> Option<Life> {
    let validity = success.new_expiry?.since(success.at).filter(|v| v.0 > 0)?;
    let left = success.old_expiry.and_then(|old| old.since(success.at)).map(|left| left.0 as f64 / validity.0 as f64);
    Some(Life { validity, renewed: left.filter(|share| (0.0..=1.0).contains(share)) })
}

/// The attempts of one device, oldest first, the open one last.
fn attempts(rows: &[Row]) -> Vec<Attempt> {
    let (mut fold, mut done) = (Fold::new(Begins::WithTable), Vec::new());
    rows.iter().for_each(|row| fold.add(row.clone(), &mut done));
    fold.settle(&mut done);
    // The state of what is open depends on the time, so none counts as stalled yet.
    done.extend(fold.open(Patience::default(), Instant::NEG_INFINITY));
    done.sort_by_key(Attempt::at);
    done
}

/// A success without a start ends what was before it as well as one with a start does.
fn ended_well(attempt: &Attempt) -> bool {
    matches!(&attempt.end, Some((_, Step::Succeeded)))
}
