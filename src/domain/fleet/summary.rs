//! The fleet in numbers.

use std::fmt;

use super::{Bucket, Fleet, Line, Selection};
use crate::domain::device::State;
use crate::domain::device::learn::From;
use crate::domain::device::policy::Phase;
use crate::domain::format::count;
use crate::domain::instant::{Instant, Span};

/// Devices in numbers. Each device counts once in each of the three groupings.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Summary {
    /// All devices that are selected.
    pub known: u64,
    /// By [`Bucket::ALL`].
    buckets: [u64; Bucket::ALL.len()],
    /// By [`Phase::ALL`].
    phases: [u64; Phase::ALL.len()],
    /// By [`State::ALL`].
    states: [u64; State::ALL.len()],
    /// Devices whose certificate ends within a day, and that are at risk: see [`Line::is_at_risk`].
    pub expiring_in_a_day: u64,
    /// The device at risk that goes dark next; one that has expired is not it.
    pub first: Option<Line>,
    /// Devices that are silent, also those that have expired since.
    pub silent: u64,
    /// What the phases rest on.
    pub basis: Basis,
}

/// What phases and silence rest on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Basis {
    /// Devices whose policy was learned, and the most renewals that one of these policies rests on.
    pub learned: (u64, u64),
    /// Devices whose policy is declared.
    pub set: u64,
    /// Devices whose policy is assumed.
    pub assumed: u64,
}

impl Basis {
    /// Counts a device.
    fn add(&mut self, from: From) {
        match from {
            From::Learned { renewals } => self.learned = (self.learned.0 + 1, self.learned.1.max(renewals)),
            From::Set => self.set += 1,
            From::Assumed => self.assumed += 1,
        }
    }
}

impl fmt::Display for Basis {
    /// `learned from up to 4,120 renewals`, `set`, `assumed 1/3`; with both, how many devices the assumed one is for.
    /// Empty where no device has a policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { set: 1.., .. } => f.write_str("set"),
            Self { learned: (0, _), assumed: 0, .. } => Ok(()),
            Self { learned: (0, _), .. } => f.write_str("assumed 1/3"),
            Self { learned: (_, most), assumed: 0, .. } => write!(f, "learned from up to {} renewals", count(most)),
            Self { learned: (_, most), assumed, .. } => {
                write!(f, "learned from up to {} renewals, assumed 1/3 for {}", count(most), count(assumed))
            }
        }
    }
}

impl Summary {
    /// Devices in that bucket.
    pub fn in_bucket(&self, bucket: Bucket) -> u64 {
        self.buckets.get(bucket as usize).copied().unwrap_or(0)
    }
    /// Devices in that phase.
    pub fn in_phase(&self, phase: Phase) -> u64 {
        self.phases.get(phase as usize).copied().unwrap_or(0)
    }
    /// Devices in that state.
    pub fn in_state(&self, state: State) -> u64 {
        self.states.get(state as usize).copied().unwrap_or(0)
    }
    /// Devices that failed, gave up or stalled.
    pub fn failing(&self) -> u64 {
        State::ALL.into_iter().filter(|state| state.is_failing()).map(|state| self.in_state(state)).sum()
    }

    /// Counts a device.
    fn add(&mut self, line: Line) {
        let counts = [
            self.buckets.get_mut(line.bucket as usize),
            self.phases.get_mut(line.phase as usize),
            self.states.get_mut(line.state as usize),
        ];
        counts.into_iter().flatten().for_each(|n| *n += 1);
        self.known += 1;
        self.silent += u64::from(line.silent_since.is_some());
        let Some(left) = line.runway.filter(|left| left.0 > 0 && line.is_at_risk()) else { return };
        self.expiring_in_a_day += u64::from(left < Span::days(1));
        if self.first.as_ref().is_none_or(|first| first.runway > Some(left)) {
            self.first = Some(line);
        }
    }
}

impl Fleet {
    /// The selected devices in numbers, at `now`.
    pub fn summary(&self, selection: &Selection, now: Instant) -> Summary {
        let mut summary = Summary::default();
        for member in self.members.values().filter(|member| self.selects(selection, member, now)) {
            if let Some((_, from)) = self.shares(member) {
                summary.basis.add(from);
            }
            summary.add(self.line(member, now));
        }
        summary
    }
}
