//! The fleet: all devices of a source, what their renewals teach, and how each of them stands at a given time.
//!
//! The sweep makes a [`Member`] of each device's rows and inserts it; [`Fleet::learn`] then computes the renewal policies
//! and the back-offs from all members anew, so that nothing drifts. [`Fleet::line`] says how a device stands at `now`,
//! the database's time. Called by the view of devices, the headline and the command. No clock is read here, and a member
//! holds nothing that depends on the time.

mod line;
mod member;
mod order;
mod select;
mod summary;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::attempt::Patience;
use super::device::learn::{From, Learned, Policies};
use super::device::policy::{Class, Declared, Shares};
use super::device::tries::{BackOff, Gaps};
use super::event::Id;
use super::instant::{Instant, Span};
use super::signature::SigId;
use super::text::Text;

pub use line::{Bucket, Line};
pub use member::Member;
pub use order::{Order, Sort};
pub use select::{Selection, Word};
pub use summary::{Basis, Summary};

/// The devices that are known, and what they teach.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// By id, which is the order of ties.
    members: BTreeMap<Id, Arc<Member>>,
    /// The organizations that members name; their places are the groups of the learning.
    orgs: Vec<(Option<Id>, Option<Text>)>,
    /// Where an organization's id stands in `orgs`.
    groups: HashMap<Option<Id>, u32>,
    /// One text for all members whose errors have that signature.
    signatures: HashMap<SigId, Arc<str>>,
    /// Learned from the members, for each group and class.
    policies: Policies<u32>,
    /// Learned from the members, by group.
    back_offs: Vec<BackOff>,
    /// What the operator declares instead.
    declared: Option<Declared>,
    /// How long an attempt may have no outcome.
    patience: Patience,
}

/// No device gave up before three times this long: tries within one run of a client follow each other at once.
const LEAST: Span = Span::minutes(10);

/// A policy that was learned, for a table of them.
#[derive(Clone, PartialEq, Debug)]
pub struct LearnedPolicy {
    /// The organization's id and name, as far as its rows state them.
    pub org: (Option<Id>, Option<Text>),
    /// For certificates of that life.
    pub class: Class,
    /// The renewals that it rests on.
    pub renewals: u64,
    /// The shares of life left at which they began.
    pub shares: Shares,
}

impl Fleet {
    /// Replaces the learned policies by a declared one; `None` takes it back.
    pub fn declare(&mut self, declared: Option<Declared>) {
        self.declared = declared;
    }

    /// Sets how long an attempt of the source may have no outcome.
    pub fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// How long an attempt of the source may have no outcome.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// How many devices are known.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no device is known.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Adds a device, or replaces what was known of it. What it teaches counts from the next [`learn`](Self::learn) on.
    pub fn insert(&mut self, mut member: Member) {
        member.group = self.group(&member);
        // One text for equal names of organizations and for equal signatures: most members share theirs with others.
        if let Some((_, name)) = self.orgs.get(member.group as usize).filter(|(_, name)| *name == member.org) {
            member.org.clone_from(name);
        }
        if let Some((id, text)) = member.device.error.zip(member.signature.take()) {
            member.signature = Some(self.signatures.entry(id).or_insert(text).clone());
        }
        self.members.insert(member.device.id.clone(), Arc::new(member));
    }

    /// The group of a member's organization.
    fn group(&mut self, member: &Member) -> u32 {
        if let Some(group) = self.groups.get(&member.org_id) {
            return *group;
        }
        let group = u32::try_from(self.orgs.len()).unwrap_or(u32::MAX);
        self.orgs.push((member.org_id.clone(), member.org.clone()));
        self.groups.insert(member.org_id.clone(), group);
        group
    }

    /// Forgets a device.
    pub fn remove(&mut self, id: &Id) {
        self.members.remove(id);
    }

    /// Forgets the devices that a whole sweep has not seen: they were deleted.
    pub fn retain(&mut self, seen: impl Fn(&Id) -> bool) {
        self.members.retain(|id, _| seen(id));
    }

    /// Computes policies and back-offs from the members. Cheap enough for every sweep and every look at touched devices.
    pub fn learn(&mut self) {
        let mut learned = Learned::default();
        let mut gaps: Vec<Gaps> = vec![Gaps::default(); self.orgs.len()];
        for member in self.members.values() {
            if let Some(life) = member.device.life {
                learned.add_life(member.group, life);
            }
            let group = gaps.get_mut(member.group as usize).filter(|_| member.device.complete);
            if let Some(group) = group {
                (1..).zip(&member.gaps).for_each(|(number, gap)| group.add(number, *gap));
            }
        }
        self.policies = learned.policies();
        self.back_offs = gaps.iter().map(|gaps| gaps.back_off(Some(LEAST))).collect();
        self.signatures.retain(|_, text| Arc::strong_count(text) > 1);
    }

    /// What is known of a device.
    pub fn get(&self, id: &Id) -> Option<&Arc<Member>> {
        self.members.get(id)
    }

    /// All devices, in the order of their ids.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// The learned policies, by organization and class.
    pub fn learned(&self) -> impl Iterator<Item = LearnedPolicy> {
        self.policies.all().map(|(group, class, renewals, shares)| LearnedPolicy {
            org: self.orgs.get(*group as usize).cloned().unwrap_or_default(),
            class,
            renewals,
            shares,
        })
    }

    /// The shares that hold for a device and where they come from; `None` where its certificate's life is not known, and
    /// no shares where the policy is declared off.
    pub fn shares(&self, member: &Member) -> Option<(Option<Shares>, From)> {
        Some(self.policies.shares(self.declared, member.group, member.device.life?))
    }

    /// The usual gaps between tries of a device's organization.
    fn back_off(&self, member: &Member) -> &BackOff {
        const UNKNOWN: &BackOff = &BackOff::UNKNOWN;
        self.back_offs.get(member.group as usize).unwrap_or(UNKNOWN)
    }

    /// How the selected devices stand at `now`, in that order, ties by id.
    pub fn lines(&self, selection: &Selection, order: Order, now: Instant) -> Vec<Line> {
        self.ordered(selection, order, now).iter().map(|member| self.line(member, now)).collect()
    }
}
