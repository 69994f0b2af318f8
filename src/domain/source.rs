//! What tables that others made record beyond the common event, and what they do not record at all.
//!
//! A field that a source lacks is shown as missing, never as empty, zero or guessed; what was worked out from other
//! rows is marked. Nothing here knows how a source is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::Outcome;
use super::page::Cursor;
use super::text::Text;

/// A field that a source may lack, or that may be worked out instead of recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    Device,
    Org,
    Reason,
    OldExpiry,
    NewExpiry,
    Error,
    Severity,
}

impl Part {
    pub const ALL: [Self; 7] =
        [Self::Device, Self::Org, Self::Reason, Self::OldExpiry, Self::NewExpiry, Self::Error, Self::Severity];

    /// Its name in a profile.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Org => "org",
            Self::Reason => "reason",
            Self::OldExpiry => "old-expiry",
            Self::NewExpiry => "new-expiry",
            Self::Error => "error",
            Self::Severity => "severity",
        }
    }
    /// In a sentence: `this source records no …`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Org => "organisation",
            Self::Reason => "reason",
            Self::OldExpiry => "old expiry",
            Self::NewExpiry => "new expiry",
            Self::Error => "error",
            Self::Severity => "severity",
        }
    }
}

/// What holds for every row of a source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traits {
    /// Fields that it does not record.
    pub lacks: Vec<Part>,
    /// Fields that are worked out from other rows or tables.
    pub derived: Vec<Part>,
    /// Outcomes of types whose name does not tell them.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Whether one event, asked for alone, has further columns.
    pub has_more: bool,
}

impl Traits {
    pub fn lacks(&self, part: Part) -> bool {
        self.lacks.contains(&part)
    }
    pub fn derives(&self, part: Part) -> bool {
        self.derived.contains(&part)
    }
    /// The outcome of a type of this source; by the ending of its name where nothing else is said.
    pub fn outcome_of(&self, kind: &str) -> Outcome {
        self.outcomes.get(kind).copied().unwrap_or_else(|| super::event::outcome_of(kind))
    }
}

/// What a row of such a source has beyond the common event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beyond {
    pub traits: Arc<Traits>,
    /// Of this row, where a column says it.
    pub outcome: Option<Outcome>,
    pub severity: Option<Text>,
    /// The reason is that of the device's preceding start; this row records none.
    pub reason_inferred: bool,
    /// Further columns by their labels. `None`: not read; a page carries none.
    pub more: Option<Vec<(Arc<str>, Text)>>,
    /// Values of this row that are not of their field's type, as what they are: `⟨blob 3 bytes⟩`.
    pub odd: Vec<(Part, Text)>,
    /// The row's place in the order where time and id do not give it: times as stored, ties by another column.
    pub place: Option<Cursor>,
}

impl Beyond {
    /// The outcome that the source states, as opposed to one that is read off the type's name.
    pub fn stated_outcome(&self, kind: &str) -> Option<Outcome> {
        self.outcome.or_else(|| self.traits.outcomes.get(kind).copied())
    }
}
