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
    /// The device's id or name.
    Device,
    /// The organization's id or name.
    Org,
    /// Why the renewal began.
    Reason,
    /// The end of the certificate in use before the renewal.
    OldExpiry,
    /// The end of the certificate that the renewal gave.
    NewExpiry,
    /// The error message.
    Error,
    /// The severity, which only foreign tables record.
    Severity,
}

impl Part {
    /// All parts, in the order in which missing ones are listed.
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
    /// Whether no row says that an attempt began, so that attempts cannot be paired.
    pub lacks_starts: bool,
}

impl Traits {
    /// Whether no row of the source records the field.
    pub fn lacks(&self, part: Part) -> bool {
        self.lacks.contains(&part)
    }
    /// Whether the field's values come from other rows or tables, so that they are shown with a mark.
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
    /// Shared by all rows of the source.
    pub traits: Arc<Traits>,
    /// The row's own outcome, if a column records it.
    pub outcome: Option<Outcome>,
    /// The severity as stored or as the profile translates it.
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
