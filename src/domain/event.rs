//! The renewal event, and the open sets in it.

use std::fmt;

use uuid::Uuid;

use std::sync::Arc;

use super::instant::Instant;
use super::source::{Beyond, Part};
use super::text::Text;

/// An identifier as its source keeps it: a UUID in the own schema and in Flight Control, else a number or a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Id {
    Uuid(Uuid),
    Int(i64),
    Text(Text),
}

impl Id {
    /// Its plain form: lower-case hyphenated for UUIDs. A text id comes out as it is stored: not for the screen.
    pub fn raw(&self) -> String {
        let mut out = String::new();
        self.push_raw(&mut out);
        out
    }
    /// As [`raw`](Id::raw), behind what is there already.
    pub fn push_raw(&self, out: &mut String) {
        match self {
            Self::Uuid(u) => out.push_str(u.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Self::Int(n) => out.push_str(&n.to_string()),
            Self::Text(t) => out.push_str(t.raw()),
        }
    }
    /// For the screen.
    pub fn clean(&self) -> super::text::Clean {
        super::text::Clean::line(&self.raw())
    }
    /// Whether it is the empty text, which stands for no id at all.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(t) if t.raw().is_empty())
    }
    pub fn as_uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(u) => Some(*u),
            _ => None,
        }
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

/// What an event says happened to the renewal: read off the end of the type's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    Failed,
    Succeeded,
    Started,
    Other,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Failed, Self::Succeeded, Self::Started, Self::Other];
    /// The outcome of that word of the filter language.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.ending() == Some(word))
    }
    /// The ending of the types that have this outcome, and its word in the filter language; `None` for `Other`.
    pub const fn ending(self) -> Option<&'static str> {
        match self {
            Self::Failed => Some("failed"),
            Self::Succeeded => Some("success"),
            Self::Started => Some("start"),
            Self::Other => None,
        }
    }
}

/// An event type. An open set: whatever the source writes is kept and shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Text);

impl Kind {
    /// The six types that Flight Control writes.
    pub const KNOWN: [&'static str; 6] =
        ["renewal_start", "renewal_success", "renewal_failed", "recovery_start", "recovery_success", "recovery_failed"];

    pub fn new(name: impl Into<Text>) -> Self {
        Self(name.into())
    }
    pub fn raw(&self) -> &str {
        self.0.raw()
    }
    pub fn clean(&self) -> super::text::Clean {
        self.0.clean()
    }
    pub fn outcome(&self) -> Outcome {
        outcome_of(self.raw())
    }
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(&self.raw())
    }
}

/// The outcome a type's name ends in (`_failed`, `_success`, `_start`, or the bare word).
pub fn outcome_of(kind: &str) -> Outcome {
    for outcome in [Outcome::Failed, Outcome::Succeeded, Outcome::Started] {
        if outcome.ending().is_some_and(|e| has_ending(kind, e)) {
            return outcome;
        }
    }
    Outcome::Other
}

/// Whether a type name is `word` or ends in `_word`.
pub fn has_ending(kind: &str, word: &str) -> bool {
    kind.strip_suffix(word).is_some_and(|head| head.is_empty() || head.ends_with('_'))
}

/// Whether a type name is `word` or begins with `word_`.
pub fn has_beginning(kind: &str, word: &str) -> bool {
    kind.strip_prefix(word).is_some_and(|tail| tail.is_empty() || tail.starts_with('_'))
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One row of the event table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenewalEvent {
    pub id: Id,
    /// The empty text where the row names no device; see [`device_id`](RenewalEvent::device_id).
    pub device_id: Id,
    /// `None` where the source has no organisations.
    pub org_id: Option<Id>,
    pub kind: Kind,
    pub reason: Option<Text>,
    pub old_expiry: Option<Instant>,
    pub new_expiry: Option<Instant>,
    pub error: Option<ErrorText>,
    pub created_at: Instant,
    /// The device's name, where the database knows one.
    pub device: Option<Text>,
    /// The organisation's name, where the database knows one.
    pub org: Option<Text>,
    /// What a table that others made has beyond these; `None` for our own.
    pub beyond: Option<Arc<Beyond>>,
}

impl RenewalEvent {
    /// What happened: as the source states it, else by the ending of the type's name.
    pub fn outcome(&self) -> Outcome {
        self.stated_outcome().unwrap_or_else(|| self.kind.outcome())
    }
    pub(super) fn stated_outcome(&self) -> Option<Outcome> {
        self.beyond.as_ref()?.stated_outcome(self.kind.raw())
    }
    pub fn severity(&self) -> Option<&Text> {
        self.beyond.as_ref()?.severity.as_ref()
    }
    /// Whether the reason is that of the device's preceding start.
    pub fn reason_inferred(&self) -> bool {
        self.beyond.as_ref().is_some_and(|b| b.reason_inferred)
    }
    /// Whether the source records no such field in any row.
    pub fn lacks(&self, part: Part) -> bool {
        self.beyond.as_ref().is_some_and(|b| b.traits.lacks(part))
    }
    /// Whether the field is worked out from other rows or tables.
    pub fn derives(&self, part: Part) -> bool {
        self.beyond.as_ref().is_some_and(|b| b.traits.derives(part))
    }
    /// The device's id; `None` where the row names no device.
    pub fn device_id(&self) -> Option<&Id> {
        Some(&self.device_id).filter(|id| !id.is_empty())
    }
}

/// An error message, or the beginning of one: pages carry at most the first [`ErrorText::HEAD`] characters, so
/// that a megabyte in one field costs a list nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorText {
    pub text: Text,
    /// Length of the whole message in bytes of UTF-8. Equal to that of `text` when it is whole.
    pub bytes: u64,
}

impl ErrorText {
    /// Characters of a message that a page carries.
    pub const HEAD: usize = 400;

    pub fn whole(text: impl Into<Text>) -> Self {
        let text = text.into();
        let bytes = text.raw().len() as u64;
        Self { text, bytes }
    }
    pub fn is_whole(&self) -> bool {
        self.text.raw().len() as u64 == self.bytes
    }
}

/// Where an event's device or organisation is named by the writer: by id, by name, or both.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Party {
    pub id: Option<Uuid>,
    pub name: Option<String>,
}

/// An event to store. What is missing is settled by the store: an unknown device or organisation is made, a missing
/// organisation is the default one, a missing id is derived from the content, so that a repetition is recognised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEvent {
    pub id: Option<Uuid>,
    pub device: Party,
    pub org: Party,
    pub kind: String,
    pub reason: Option<String>,
    pub old_expiry: Option<Instant>,
    pub new_expiry: Option<Instant>,
    pub error: Option<String>,
    pub created_at: Instant,
}

/// The organisation that events without one belong to; Flight Control's default organisation has the same id.
pub const DEFAULT_ORG: Uuid = Uuid::nil();
pub const DEFAULT_ORG_NAME: &str = "default";

/// The id of a device known by name: UUIDv5 in the OID namespace over `"<org uuid>/<name>"`, as Flight Control
/// computes it (`getDeviceIDFromCSR`).
pub fn device_id_of(org: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{org}/{name}").as_bytes())
}

/// The id of an organisation known by name alone: UUIDv5 in the OID namespace over `"org/<name>"`; the name
/// `default` is the default organisation. Our own rule: Flight Control's organisations always come with an id.
pub fn org_id_of(name: &str) -> Uuid {
    if name == DEFAULT_ORG_NAME {
        return DEFAULT_ORG;
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("org/{name}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_id_follows_flight_control() {
        let id = device_id_of(Uuid::nil(), "c860jhsr1uj96sugum9csciop392mbnmsjrslpv0r7s22i76misg");
        assert_eq!(id.to_string(), "b2ebe523-9955-5abb-a5d7-bcbeda42c58c");
    }

    #[test]
    fn outcome_is_read_off_the_ending() {
        for (kind, outcome) in [
            ("renewal_failed", Outcome::Failed),
            ("failed", Outcome::Failed),
            ("scan_start", Outcome::Started),
            ("recovery_success", Outcome::Succeeded),
            ("unfailed", Outcome::Other),
            ("restart", Outcome::Other),
            ("", Outcome::Other),
        ] {
            assert_eq!(outcome_of(kind), outcome, "{kind}");
        }
    }
}
