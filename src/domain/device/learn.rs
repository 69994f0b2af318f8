//! The renewal policy that past renewals show: for each group and class of life, the shares of life left when they began.
//!
//! The survey and the sweep feed [`Learned`]; views take [`Policies`] from it, which cost nothing to look up.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::policy::{Class, Declared, Life, Shares};
use crate::domain::attempt::{Attempt, Family, State};
use crate::domain::instant::Span;

/// Where shares come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum From {
    /// From enough past renewals of the group and class.
    Learned {
        /// How many renewals the policy rests on.
        renewals: u64,
    },
    /// Declared by the operator.
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
    /// Renewals by the share of life that was left, for each group and class.
    counts: BTreeMap<(G, Class), Histogram>,
}

impl<G> Default for Learned<G> {
    fn default() -> Self {
        Self { counts: BTreeMap::new() }
    }
}

/// No client renews by rule with more of the life left: a rollout, or the retries after an outage, renewed what was new.
const REPEATED: f64 = 0.9;

/// Renewals of a group and class that make a policy.
const ENOUGH: u64 = 30;

impl<G: Ord + Clone> Learned<G> {
    /// Takes what a renewal tells: its first try, where it succeeded and both certificates' ends are known. Of a source
    /// that writes no starts, the success stands for the start.
    pub fn add(&mut self, group: G, attempt: &Attempt) {
        let first = attempt.family == Family::Renewal && attempt.tries == 1;
        let succeeded = attempt.state == State::Succeeded || (attempt.start.is_none() && attempt.failures == 0);
        let (Some((end, _)), Some(at)) = (&attempt.end, attempt.at()) else { return };
        let (Some(old), Some(new)) = (attempt.old_expiry, attempt.new_expiry) else { return };
        if let (true, true, Some(left), Some(validity)) = (first, succeeded, old.since(at), new.since(end.at)) {
            self.add_share(group, left, validity);
        }
    }

    /// Takes a renewal that began with `left` of a life of `validity`. One without a life, or after it, teaches nothing.
    pub fn add_share(&mut self, group: G, left: Span, validity: Span) {
        self.add_life(group, Life { validity, renewed: Some(left.0 as f64 / validity.0 as f64) });
    }

    /// Takes the renewal that gave a device its certificate. One with more left than `REPEATED` teaches nothing.
    pub fn add_life(&mut self, group: G, life: Life) {
        let Some(share) = life.renewed.filter(|share| life.validity.0 > 0 && (0.0..=REPEATED).contains(share)) else {
            return;
        };
        let counts = self.counts.entry((group, Class::of(life.validity))).or_insert(Histogram([0; STEPS]));
        if let Some(count) = counts.0.get_mut(((share * STEPS as f64) as usize).min(STEPS - 1)) {
            *count = count.saturating_add(1);
        }
    }

    /// What has been learned so far.
    pub fn policies(&self) -> Policies<G> {
        let enough = self.counts.iter().filter(|(_, counts)| counts.total() >= ENOUGH);
        Policies { of: enough.map(|(key, counts)| (key.clone(), counts.policy())).collect() }
    }
}

/// The learned policies.
#[derive(Clone, Debug)]
pub struct Policies<G> {
    /// Only groups and classes with enough renewals.
    of: BTreeMap<(G, Class), Policy>,
}

impl<G> Default for Policies<G> {
    fn default() -> Self {
        Self { of: BTreeMap::new() }
    }
}

/// What a group does with certificates of a class.
#[derive(Clone, Debug)]
struct Policy {
    /// Renewals that were counted.
    renewals: u64,
    /// The shares of all of them together.
    whole: Shares,
    /// The policies within it, if there are several: the steps of each, and its shares.
    parts: Vec<(Range<usize>, Shares)>,
}

impl<G: Ord> Policies<G> {
    /// The learned policies in order of group and class: how many renewals each rests on, and the shares of all of them.
    pub fn all(&self) -> impl Iterator<Item = (&G, Class, u64, Shares)> {
        self.of.iter().map(|((group, class), policy)| (group, *class, policy.renewals, policy.whole))
    }

    /// The shares of a group's certificates of that life, and where they come from. `None` where the policy is off.
    pub fn shares(&self, declared: Option<Declared>, group: G, life: Life) -> (Option<Shares>, From) {
        if let Some(declared) = declared {
            return (declared.shares(life.validity), From::Set);
        }
        match self.of.get(&(group, Class::of(life.validity))) {
            Some(policy) => (Some(policy.shares(life.renewed)), From::Learned { renewals: policy.renewals }),
            None => (Some(Shares::ASSUMED), From::Assumed),
        }
    }
}

impl Policy {
    /// Those of the part nearest to the share at which the device renewed before; those of all where that tells nothing.
    fn shares(&self, own: Option<f64>) -> Shares {
        let Some(own) = own.map(|own| (own * STEPS as f64) as usize) else { return self.whole };
        let distance = |part: &Range<usize>| part.start.saturating_sub(own).max((own + 1).saturating_sub(part.end));
        let nearest = self.parts.iter().min_by_key(|(part, _)| distance(part));
        nearest.filter(|(part, _)| distance(part) <= NEAR).map_or(self.whole, |(_, shares)| *shares)
    }
}

/// Steps of a histogram, a thousandth of life each: thirty days are few of ten years.
const STEPS: usize = 1000;
/// Steps that are empty between two policies, and that no jitter leaves empty.
const GAP: usize = 30;
/// A part of the renewals is a policy if it is at least one in so many.
const SOME: u64 = 20;
/// How far from a policy a device may have renewed and still follow it.
const NEAR: usize = 50;

/// Renewals by the share of life that was left.
#[derive(Clone, Debug)]
struct Histogram([u32; STEPS]);

impl Histogram {
    /// Renewals in all steps.
    fn total(&self) -> u64 {
        self.0.iter().map(|n| u64::from(*n)).sum()
    }

    /// The shares of the whole and of each part.
    fn policy(&self) -> Policy {
        let count = |part: &Range<usize>| {
            self.0.get(part.clone()).unwrap_or_default().iter().map(|n| u64::from(*n)).sum::<u64>()
        };
        // A few devices that renewed early once follow no policy of their kind.
        let is_policy = |part: &Range<usize>| count(part) * SOME >= self.total();
        let parts = self.parts().into_iter().filter(is_policy).map(|part| (part.clone(), self.shares(part))).collect();
        Policy { renewals: self.total(), whole: self.shares(0..STEPS), parts }
    }

    /// The runs of steps that have next to nothing between them: one policy each.
    fn parts(&self) -> Vec<Range<usize>> {
        let few = self.total() / 200;
        let count = |step: usize| u64::from(self.0.get(step).copied().unwrap_or(0));
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut window = 0;
        for end in 1..STEPS + GAP {
            window += count(end - 1);
            window -= if end > GAP { count(end - 1 - GAP) } else { 0 };
            if window <= few {
                continue;
            }
            // A window of steps that ends here has renewals. The part ends where the last such window begins.
            let last = (end + 1).saturating_sub(GAP);
            match parts.last_mut() {
                Some(part) if end <= part.end + GAP => part.end = part.end.max(last),
                _ => parts.push(end - 1..end.max(last)),
            }
        }
        parts
    }

    /// The 95th, 50th and 5th percentile of the renewals in those steps, as shares of 1.
    fn shares(&self, steps: Range<usize>) -> Shares {
        let [early, median, late] = [0.95, 0.5, 0.05].map(|part| self.quantile(&steps, part));
        Shares { early, median, late }
    }

    /// The share below which that part of the renewals in those steps lies.
    fn quantile(&self, steps: &Range<usize>, part: f64) -> f64 {
        let inside = self.0.get(steps.clone()).unwrap_or_default();
        let wanted = inside.iter().map(|n| f64::from(*n)).sum::<f64>() * part;
        let mut sum = 0.0;
        for (step, count) in inside.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && sum + count >= wanted {
                let within = ((wanted - sum) / count).clamp(0.0, 1.0);
                return ((steps.start + step) as f64 + within) / STEPS as f64;
            }
            sum += count;
        }
        1.0
    }
}
