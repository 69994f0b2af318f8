//! Which devices a filter selects.

use std::sync::Arc;

use super::{Bucket, Fleet, Line, Member};
use crate::domain::device::State;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::filter::standing::{Left, Standing};
use crate::domain::instant::{Instant, Span};

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
    /// On how they stand: whether the condition is negated, and what it is.
    standing: Vec<(bool, Condition)>,
}

/// A condition on how a device stands.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Condition {
    /// One of the words holds.
    Words(Vec<Word>),
    /// One of the comparisons holds.
    Left(Vec<Left>),
}

impl Selection {
    /// What of a filter applies to devices: clauses on organizations, on devices and on how these stand. The others are
    /// returned, in their order.
    pub fn of(criteria: &Criteria) -> (Self, Vec<Clause>) {
        let (mut selection, mut rest) = (Self::default(), Vec::new());
        for clause in &criteria.all {
            match &clause.check {
                Check::Org(_) | Check::Device(_) => selection.parties.push(clause.clone()),
                Check::Standing(standing) => selection.standing.push((clause.negated, Condition::of(standing))),
                _ => rest.push(clause.clone()),
            }
        }
        (selection, rest)
    }

    /// Narrows it to devices in one of these states.
    #[must_use]
    pub fn in_states(mut self, words: Vec<Word>) -> Self {
        self.standing.push((false, Condition::Words(words)));
        self
    }

    /// Whether it selects every device.
    pub fn is_all(&self) -> bool {
        self.parties.is_empty() && self.standing.is_empty()
    }
}

impl Condition {
    /// The condition of a filter. All its words are known here.
    fn of(standing: &Standing) -> Self {
        match standing {
            Standing::State(words) => Self::Words(words.iter().filter_map(|word| Word::parse(word)).collect()),
            Standing::Left(any) => Self::Left(any.clone()),
        }
    }

    /// Whether it holds for a device at `now`. Where no expiry is known, no comparison holds; an infinite one is compared
    /// as the longest time.
    fn holds(&self, line: &Line, now: Instant) -> bool {
        let any = match self {
            Self::Words(words) => return words.iter().any(|word| word.holds(line)),
            Self::Left(any) => any,
        };
        let device = &line.member.device;
        let Some((expiry, _)) = device.expiry else { return false };
        let left = line.runway.unwrap_or(if expiry > now { Span(i64::MAX) } else { Span(i64::MIN) });
        let life = device.life.map(|life| life.validity);
        // Of a certificate without an end, every length and every share of it is left.
        let life = if expiry == Instant::INFINITY { Some(Span::days(1)) } else { life };
        any.iter().any(|one| one.holds(left, life))
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
        if selection.standing.is_empty() {
            return true;
        }
        let line = self.line(member, now);
        selection.standing.iter().all(|(negated, condition)| condition.holds(&line, now) != *negated)
    }
}
