//! Which devices a filter selects.

use std::sync::Arc;

use super::{Bucket, Fleet, Line, Member};
use crate::domain::device::State;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::instant::Instant;

/// A word of the filter for how devices stand. Unlike their [`State`], of which each has one, several can hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Word {
    /// In that state. `silent` and `expired` also hold for devices whose state tells what their last attempt did.
    Is(State),
    /// Failed, given up or stalled.
    Failing,
}

impl Word {
    /// All words, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Failing).chain(State::ALL.into_iter().map(Self::Is))
    }

    /// The word with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|word| word.name() == name)
    }

    /// Its name in the filter language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Is(state) => state.word(),
            Self::Failing => "failing",
        }
    }

    /// Whether it holds for a device.
    pub fn holds(self, line: &Line) -> bool {
        match self {
            Self::Failing => line.state.is_failing(),
            Self::Is(State::Silent) => line.silent_since.is_some(),
            Self::Is(State::Expired) => line.bucket == Bucket::Expired,
            Self::Is(state) => line.state == state,
        }
    }
}

/// Conditions on devices that must all hold; the default selects every device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// On ids and names.
    parties: Vec<Clause>,
    /// On states: whether the condition is negated, and the words, any of which may hold.
    states: Vec<(bool, Vec<Word>)>,
}

impl Selection {
    /// What of a filter applies to devices: clauses on organizations and devices. The others are returned, in their order.
    pub fn of(criteria: &Criteria) -> (Self, Vec<Clause>) {
        let applies = |clause: &Clause| matches!(clause.check, Check::Org(_) | Check::Device(_));
        let (parties, rest) = criteria.all.iter().cloned().partition(applies);
        (Self { parties, states: Vec::new() }, rest)
    }

    /// Narrows it to devices in one of these states.
    #[must_use]
    pub fn in_states(mut self, words: Vec<Word>) -> Self {
        self.states.push((false, words));
        self
    }

    /// Whether it selects every device.
    pub fn is_all(&self) -> bool {
        self.parties.is_empty() && self.states.is_empty()
    }
}

impl Fleet {
    /// Whether a device is selected at `now`.
    pub fn selects(&self, selection: &Selection, member: &Arc<Member>, now: Instant) -> bool {
        let named = |clause: &Clause| {
            let holds = match &clause.check {
                Check::Org(any) => any.iter().any(|m| m.matches(member.org_id.as_ref(), member.org.as_ref())),
                Check::Device(any) => any.iter().any(|m| m.matches(Some(member.id()), member.name.as_ref())),
                _ => false,
            };
            holds != clause.negated
        };
        if !selection.parties.iter().all(named) {
            return false;
        }
        if selection.states.is_empty() {
            return true;
        }
        let line = self.line(member, now);
        selection.states.iter().all(|(negated, words)| words.iter().any(|word| word.holds(&line)) != *negated)
    }
}
