//! A filter after its names were resolved: sets of values, a time range, and the conditions that remain.
//!
//! Made by [`resolve`](crate::store::queries::resolve), read by the composers. It holds no SQL.

use uuid::Uuid;

use crate::domain::event::Id;
use crate::domain::filter::criteria::{Clause, Pattern};
use crate::domain::instant::Instant;
use crate::store::source::Source;
use crate::store::source::columns::Party;

/// Criteria as sets, a time range, and the remaining conditions, all of which a row must pass.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolved {
    pub kinds: Set<String>,
    pub orgs: Set<Id>,
    pub devices: Set<Id>,
    /// First instant of the range, inclusive.
    pub from: Option<Instant>,
    /// End of the range, exclusive.
    pub until: Option<Instant>,
    pub rest: Vec<Condition>,
    /// Clauses on signatures of errors, which no statement tests; see [`crate::store::queries::signature`].
    pub signatures: Vec<Clause>,
    /// A text index narrows the rows; see [`crate::store::queries::narrow`].
    pub narrowed: bool,
}

impl Resolved {
    /// The filter that every row passes.
    pub const fn everything() -> Self {
        Self {
            kinds: Set::All,
            orgs: Set::All,
            devices: Set::All,
            from: None,
            until: None,
            rest: Vec::new(),
            signatures: Vec::new(),
            narrowed: false,
        }
    }
    /// Whether the statement itself compares names.
    pub fn compares_names(&self) -> bool {
        let within = |t: &PartyTest| matches!(t, PartyTest::NameWithin(_));
        self.rest.iter().any(|c| matches!(c, Condition::Party { any, .. } if any.iter().any(within)))
    }
    /// Whether no row can match, so that no statement is needed.
    pub fn is_empty(&self) -> bool {
        let backwards = matches!((self.from, self.until), (Some(f), Some(u)) if f >= u);
        let none_found = self.rest.iter().any(|c| matches!(c, Condition::Rows(numbers) if numbers.is_empty()));
        self.kinds.is_empty() || self.orgs.is_empty() || self.devices.is_empty() || backwards || none_found
    }
    /// Adds a clause on signatures. Rows without a message are left out by the statement where they cannot match.
    pub fn sift(&mut self, source: &Source, clause: &Clause) {
        if source.map.error.is_none() {
            // Only a negated clause comes here, and every row passes it.
            return;
        }
        if !clause.negated {
            self.rest.push(Condition::Error { recorded: true });
        }
        self.signatures.push(clause.clone());
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

/// The values of a field that pass.
#[derive(Clone, PartialEq, Debug)]
pub enum Set<T> {
    All,
    Only(Vec<T>),
}

impl<T: PartialEq> Set<T> {
    /// Keeps the values that are also in `values`.
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

/// A clause in the form that becomes SQL.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    Check(Clause),
    /// A clause on organizations or devices after their names were resolved.
    Party {
        negated: bool,
        party: Party,
        any: Vec<PartyTest>,
    },
    /// Whether the row has an error message, which may be empty.
    Error {
        recorded: bool,
    },
    /// SQLite: the rows that a full-text expression finds. Used only in addition to the exact test of the text.
    Found(String),
    /// SQLite: the row numbers that a full-text expression found, where they are few.
    Rows(Vec<i64>),
}

/// One test of an organization or a device.
#[derive(Clone, PartialEq, Debug)]
pub enum PartyTest {
    Ids(Vec<Id>),
    /// Ids from the first to the last, both inclusive.
    Range(Uuid, Uuid),
    /// The identifier itself, where it is a text.
    IdText(Pattern),
    /// Too many names match to list their ids: the statement compares names.
    NameWithin(Pattern),
    /// The name in the column beside the id.
    Label(Pattern),
    /// The text id or the name beside it contains this, ASCII case ignored.
    Holding(String),
}
