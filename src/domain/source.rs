//! What foreign tables record in addition to the common event, and which of its fields they lack.
//!
//! A missing field is shown as missing, never as empty, zero or guessed, and derived values are marked. Profiles and
//! the store fill these types in. This module must not know how a source is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::Outcome;
use super::page::Cursor;
use super::text::Text;

/// A field that a source may lack or derive.
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
    /// Completes the message "this source records no …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Org => "organization",
            Self::Reason => "reason",
            Self::OldExpiry => "old expiry",
            Self::NewExpiry => "new expiry",
            Self::Error => "error",
            Self::Severity => "severity",
        }
    }
}

/// Properties that hold for all rows of a source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traits {
    /// Fields that it does not record.
    pub lacks: Vec<Part>,
    /// Fields that are derived from other rows or tables.
    pub derived: Vec<Part>,
    /// Outcomes of types whose names do not end in one.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Whether the detail of one event has further columns.
    pub has_more: bool,
}

impl Traits {
    pub fn lacks(&self, part: Part) -> bool {
        self.lacks.contains(&part)
    }
    pub fn derives(&self, part: Part) -> bool {
        self.derived.contains(&part)
    }
    /// The outcome of one of this source's types; by the end of its name where no outcome is listed.
    pub fn outcome_of(&self, kind: &str) -> Outcome {
        self.outcomes.get(kind).copied().unwrap_or_else(|| super::event::outcome_of(kind))
    }
}

/// What a row of a foreign table records in addition to the common event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beyond {
    pub traits: Arc<Traits>,
    /// The row's own outcome, if a column records it.
    pub outcome: Option<Outcome>,
    pub severity: Option<Text>,
    /// Whether the reason was inferred from the device's preceding start.
    pub reason_inferred: bool,
    /// Further columns with their labels; `None` if they were not read. Pages do not read them.
    pub more: Option<Vec<(Arc<str>, Text)>>,
    /// The row's position in the order, if time and id do not determine it: the time as stored, ties by another column.
    pub place: Option<Cursor>,
}

impl Beyond {
    /// The outcome that the source states, as opposed to the one in the type's name.
    pub fn stated_outcome(&self, kind: &str) -> Option<Outcome> {
        self.outcome.or_else(|| self.traits.outcomes.get(kind).copied())
    }
}
