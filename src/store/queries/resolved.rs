//! A filter after its names were looked up: sets of values, a range of time, and the conditions that remain.

use uuid::Uuid;

use crate::domain::event::Id;
use crate::domain::filter::criteria::{Clause, Pattern};
use crate::domain::instant::Instant;
use crate::store::source::columns::Party;

/// Criteria as sets, a range of time, and what remains.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolved {
    pub kinds: Set<String>,
    pub orgs: Set<Id>,
    pub devices: Set<Id>,
    /// Included.
    pub from: Option<Instant>,
    /// Excluded.
    pub until: Option<Instant>,
    pub rest: Vec<Condition>,
    /// An index of texts narrows the rows; see [`crate::store::queries::narrow`].
    pub narrowed: bool,
}

impl Resolved {
    pub const fn everything() -> Self {
        Self {
            kinds: Set::All,
            orgs: Set::All,
            devices: Set::All,
            from: None,
            until: None,
            rest: Vec::new(),
            narrowed: false,
        }
    }
    /// Whether names are compared within the statement.
    pub fn asks_for_names(&self) -> bool {
        let within = |t: &PartyTest| matches!(t, PartyTest::NameWithin(_));
        self.rest.iter().any(|c| matches!(c, Condition::Party { any, .. } if any.iter().any(within)))
    }
    /// Whether it is known without asking that no row matches.
    pub fn is_empty(&self) -> bool {
        let backwards = matches!((self.from, self.until), (Some(f), Some(u)) if f >= u);
        let none_found = self.rest.iter().any(|c| matches!(c, Condition::Rows(numbers) if numbers.is_empty()));
        self.kinds.is_empty() || self.orgs.is_empty() || self.devices.is_empty() || backwards || none_found
    }
    /// Keeps only the rows in `from..until`.
    pub fn clamp(&mut self, from: Option<Instant>, until: Option<Instant>) {
        self.from = self.from.max(from);
        self.until = match (self.until, until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Values that a field may have.
#[derive(Clone, PartialEq, Debug)]
pub enum Set<T> {
    All,
    Only(Vec<T>),
}

impl<T: PartialEq> Set<T> {
    /// Keeps what is in `values` too.
    pub fn narrow(&mut self, mut values: Vec<T>) {
        if let Self::Only(old) = self {
            values.retain(|v| old.contains(v));
        }
        *self = Self::Only(values);
    }
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(values) if values.is_empty())
    }
}

/// A clause in the form in which it becomes SQL.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    Check(Clause),
    /// Organisations or devices after their names were looked up.
    Party {
        negated: bool,
        party: Party,
        any: Vec<PartyTest>,
    },
    /// SQLite: what a full-text expression finds. Never instead of the exact test of the text, always besides it.
    Found(String),
    /// SQLite: what it found, by row number, where that is little.
    Rows(Vec<i64>),
}

#[derive(Clone, PartialEq, Debug)]
pub enum PartyTest {
    Ids(Vec<Id>),
    Range(Uuid, Uuid),
    /// The identifier itself, where it is a text.
    IdText(Pattern),
    /// Too many names match to list their ids: asked within the statement.
    NameWithin(Pattern),
    /// The name in the column beside the id.
    Label(Pattern),
    /// The id, as a text, or the name beside it has this in it, in any case.
    Holding(String),
}
