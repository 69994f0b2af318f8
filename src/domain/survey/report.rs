//! What a survey has found.

use std::cmp::Reverse;

use super::group::ErrorGroup;
use super::{Device, Survey};
use crate::domain::attempt::{Patience, State};
use crate::domain::event::Id;
use crate::domain::instant::Instant;
use crate::domain::outage::Outage;
use crate::domain::signature::SigId;

/// The findings of a survey at one moment. Numbers are exact for the rows that it has taken.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Rows of the range.
    pub rows: u64,
    /// Failures among them.
    pub failures: u64,
    /// Devices whose newest finished attempt in the range failed, with one of the errors below.
    pub devices_failing: u64,
    /// Devices with a failure in the range.
    pub devices_failed_ever: u64,
    /// When the outage began that is not over; `None` where there is none.
    pub failing_since: Option<Instant>,
    /// The organization with the most failing devices.
    pub top_org: Option<TopOrg>,
    /// Signatures with which some device still fails.
    pub kinds_of_error: u64,
    /// By signature: most devices that still fail first, then the earliest expiry of these.
    pub errors: Vec<ErrorGroup>,
    /// Attempts that began or ended in the range.
    pub attempts: Totals,
    /// Where the rows begin: with the range, or with the first row where that has no beginning.
    pub covered_from: Option<Instant>,
    /// The newest row of the range; rows up to here are counted.
    pub covered_until: Option<Instant>,
    /// The newest outage of the range.
    pub outage: Option<Outage>,
}

/// An organization's part in the failing devices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopOrg {
    /// The organization's id.
    pub org: Id,
    /// Failing devices of it.
    pub devices: u64,
    /// Failing devices of all organizations.
    pub of: u64,
}

/// Attempts by their state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// All of the others together.
    pub all: u64,
    /// See [`State::Succeeded`].
    pub succeeded: u64,
    /// See [`State::Failed`].
    pub failed: u64,
    /// See [`State::InFlight`].
    pub in_flight: u64,
    /// See [`State::Stalled`].
    pub stalled: u64,
    /// See [`State::Superseded`].
    pub superseded: u64,
    /// See [`State::Orphan`].
    pub orphan: u64,
    /// See [`State::Undecided`].
    pub undecided: u64,
    /// See [`State::StartNotKept`].
    pub start_not_kept: u64,
}

impl Totals {
    /// Counts an attempt.
    pub(super) fn add(&mut self, state: State) {
        self.all += 1;
        *match state {
            State::Succeeded => &mut self.succeeded,
            State::Failed => &mut self.failed,
            State::InFlight => &mut self.in_flight,
            State::Stalled => &mut self.stalled,
            State::Superseded => &mut self.superseded,
            State::Orphan => &mut self.orphan,
            State::Undecided => &mut self.undecided,
            State::StartNotKept => &mut self.start_not_kept,
        } += 1;
    }
}

impl Survey {
    /// What was found so far, at `now`, the database's time. Attempts without an outcome are judged as of then, or as of the
    /// end of the range if that is earlier. Its cost is that of the devices and signatures, not of the rows.
    pub fn report(&self, now: Instant, patience: Patience) -> Report {
        let (mut totals, mut buckets) = (self.totals, self.buckets.clone());
        let as_of = self.range.until.map_or(now, |until| until.min(now));
        for attempt in self.fold.rest(patience, as_of) {
            self.tally(&attempt, &mut totals, &mut buckets);
        }
        let outage = buckets.outages(now).pop();
        let (errors, failing) = self.errors();
        Report {
            rows: self.rows,
            failures: self.failures,
            devices_failing: failing.len() as u64,
            devices_failed_ever: self.devices.of.iter().filter(|d| d.failed).count() as u64,
            failing_since: outage.as_ref().filter(|outage| !outage.over).map(|outage| outage.start),
            top_org: self.top_org(&failing),
            kinds_of_error: errors.iter().filter(|e| e.still > 0).count() as u64,
            errors,
            attempts: totals,
            covered_from: self.range.from.or(self.read.map(|(first, _)| first)),
            covered_until: self.read.map(|(_, last)| last),
            outage,
        }
    }

    /// The organizations of the devices that failed with a signature, with how many, most first.
    pub fn orgs_of(&self, sig: Option<SigId>) -> Vec<(Id, u64)> {
        let devices = self.groups.of(sig).map(|group| &group.devices).into_iter().flatten();
        self.by_org(devices.filter_map(|number| self.devices.of.get(*number as usize)?.org))
    }

    /// The groups with the state of their devices, in the order in which they matter, and the devices that still fail.
    fn errors(&self) -> (Vec<ErrorGroup>, Vec<&Device>) {
        let (mut errors, mut failing) = (Vec::new(), Vec::new());
        for (place, group) in self.groups.all.iter().enumerate().filter(|(_, group)| group.rows > 0) {
            let mut found = group.report();
            if self.lacks_orgs {
                found.orgs = None;
            }
            for device in group.devices.iter().filter_map(|number| self.devices.of.get(*number as usize)) {
                match device.newest.as_ref().and_then(|newest| newest.group) {
                    None => found.resolved += 1,
                    Some(other) if other as usize != place => found.moved += 1,
                    Some(_) => {
                        found.still += 1;
                        found.worst = [found.worst, device.expiry].into_iter().flatten().min();
                        failing.push(device);
                    }
                }
            }
            errors.push(found);
        }
        let key = |e: &ErrorGroup| (Reverse(e.still), e.worst.is_none(), e.worst, Reverse(e.rows), e.sig);
        errors.sort_by_key(key);
        (errors, failing)
    }

    /// The organization with the most failing devices.
    fn top_org(&self, failing: &[&Device]) -> Option<TopOrg> {
        let (org, devices) = self.by_org(failing.iter().filter_map(|device| device.org)).into_iter().next()?;
        Some(TopOrg { org, devices, of: failing.len() as u64 })
    }

    /// Organizations by how often their number comes, most frequent first.
    fn by_org(&self, numbers: impl Iterator<Item = u32>) -> Vec<(Id, u64)> {
        let mut counts = vec![0_u64; self.orgs.of.len()];
        numbers.for_each(|number| counts[number as usize] += 1);
        let mut found: Vec<(Id, u64)> =
            self.orgs.numbers.iter().map(|(id, n)| (id.clone(), counts[*n as usize])).filter(|(_, n)| *n > 0).collect();
        found.sort_unstable_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
        found
    }
}
