//! The renewal event and its types. Types and reasons are open sets: unknown values are kept and shown.

use std::fmt;

use uuid::Uuid;

use std::sync::Arc;

use super::instant::Instant;
use super::signature::{SigId, Signature};
use super::source::{Beyond, Part};
use super::text::{Clean, Text};

/// An identifier as its source stores it: a UUID in our own schema and in Flight Control, else a number or a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Id {
    /// A UUID, compared by its 128 bits; printed in lower case with hyphens (RFC 9562).
    Uuid(Uuid),
    /// A whole number, as a serial or a row id.
    Int(i64),
    /// Any text. The empty text stands for a missing id; see [`is_empty`](Id::is_empty).
    Text(Text),
}

impl Id {
    /// The plain form: UUIDs in lower case with hyphens, texts as stored. Not safe to print; see [`clean`](Id::clean).
    pub fn raw(&self) -> String {
        let mut out = String::new();
        self.push_raw(&mut out);
        out
    }
    /// Appends [`raw`](Id::raw) to `out`.
    pub fn push_raw(&self, out: &mut String) {
        match self {
            Self::Uuid(u) => out.push_str(u.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Self::Int(n) => out.push_str(&n.to_string()),
            Self::Text(t) => out.push_str(t.raw()),
        }
    }
    /// The safe form for the screen.
    pub fn clean(&self) -> super::text::Clean {
        super::text::Clean::line(&self.raw())
    }
    /// Whether it is the empty text, which means that the row has no id.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(t) if t.raw().is_empty())
    }
    /// The UUID; `None` for a number and for a text, even if the text has the form of a UUID.
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

/// What happened to the renewal, by the last word of the type's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The attempt ended without a new certificate: types whose last word is `failed`.
    Failed,
    /// The device has a new certificate: types whose last word is `success`.
    Succeeded,
    /// The attempt began and has no outcome yet: types whose last word is `start`.
    Started,
    /// The name of the type states none of the three.
    Other,
}

impl Outcome {
    /// All outcomes, in one fixed order. The indexes of a histogram's buckets follow it.
    pub const ALL: [Self; 4] = [Self::Failed, Self::Succeeded, Self::Started, Self::Other];
    /// The outcome with that word in the filter language.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.ending() == Some(word))
    }
    /// The ending of the types with this outcome, which is its word in the filter language; `None` for `Other`.
    pub const fn ending(self) -> Option<&'static str> {
        match self {
            Self::Failed => Some("failed"),
            Self::Succeeded => Some("success"),
            Self::Started => Some("start"),
            Self::Other => None,
        }
    }
}

/// An event type: an open set, so unknown names are kept and shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Text);

impl Kind {
    /// The six types that Flight Control writes.
    pub const KNOWN: [&'static str; 6] =
        ["renewal_start", "renewal_success", "renewal_failed", "recovery_start", "recovery_success", "recovery_failed"];

    /// A type of that name, taken as it is: unknown names are valid, and no case is changed.
    pub fn new(name: impl Into<Text>) -> Self {
        Self(name.into())
    }
    /// The name as stored, for comparison and for formats that escape by themselves.
    pub fn raw(&self) -> &str {
        self.0.raw()
    }
    /// The name for the screen, with unsafe characters replaced by visible signs.
    pub fn clean(&self) -> super::text::Clean {
        self.0.clean()
    }
    /// The outcome by the end of the name alone; a source may state another one, see [`RenewalEvent::outcome`].
    pub fn outcome(&self) -> Outcome {
        outcome_of(self.raw())
    }
    /// Whether it is one of [`KNOWN`](Self::KNOWN), compared with regard to case.
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(&self.raw())
    }
}

/// The outcome that a type's name ends in as a word; see [`has_ending`].
pub fn outcome_of(kind: &str) -> Outcome {
    for outcome in [Outcome::Failed, Outcome::Succeeded, Outcome::Started] {
        if outcome.ending().is_some_and(|e| has_ending(kind, e)) {
            return outcome;
        }
    }
    Outcome::Other
}

/// Blanks behind a type's name do not belong to its words.
pub const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Whether the last word of a type's name is `word`, in any case: `RENEWAL_FAILED`, `renewal.failed`, `RenewalFailed`.
///
/// A word begins behind an ASCII character that is no letter, digit or NUL, and at a capital letter that stands behind a
/// small one or before one. An empty word ends no name.
pub fn has_ending(kind: &str, word: &str) -> bool {
    let name = kind.trim_end_matches(BLANKS).as_bytes();
    let Some((head, tail)) = name.len().checked_sub(word.len()).map(|at| name.split_at(at)) else { return false };
    let small = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_lowercase);
    let capital = || tail.first().is_some_and(u8::is_ascii_uppercase) && (small(head.last()) || small(tail.get(1)));
    !word.is_empty()
        && tail.eq_ignore_ascii_case(word.as_bytes())
        && (head.last().is_none_or(is_separator) || capital())
}

/// Whether the first word of a type's name is `word`, in any case. It ends before an ASCII character that is no letter,
/// digit or NUL, and, behind a small letter, before a capital one. An empty word begins no name.
pub fn has_beginning(kind: &str, word: &str) -> bool {
    let Some((head, tail)) = kind.as_bytes().split_at_checked(word.len()) else { return false };
    let capital =
        || head.last().is_some_and(u8::is_ascii_lowercase) && tail.first().is_some_and(u8::is_ascii_uppercase);
    !word.is_empty()
        && head.eq_ignore_ascii_case(word.as_bytes())
        && (tail.first().is_none_or(is_separator) || capital())
}

/// Whether a byte of UTF-8 separates words. The bytes of all characters beyond ASCII do not.
const fn is_separator(byte: &u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != 0
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One row of the event table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenewalEvent {
    /// The event's own id, unique within its source.
    pub id: Id,
    /// The empty text where the row names no device; see [`device_id`](RenewalEvent::device_id).
    pub device_id: Id,
    /// `None` if the source has no organizations.
    pub org_id: Option<Id>,
    /// The type, as `renewal_failed`.
    pub kind: Kind,
    /// Why the renewal began, as `proactive` or `expired`; `None` where the row states none and none is inferred.
    pub reason: Option<Text>,
    /// The end of the certificate in use before the renewal, in UTC.
    pub old_expiry: Option<Instant>,
    /// The end of the certificate that the renewal gave, in UTC; usually only a success has one.
    pub new_expiry: Option<Instant>,
    /// The error message of a failure, or its beginning.
    pub error: Option<ErrorText>,
    /// When the writer recorded the event, in UTC. PostgreSQL's default for it is the time at which the transaction
    /// began.
    pub created_at: Instant,
    /// The device's name, if the database records one.
    pub device: Option<Text>,
    /// The organization's name, if the database records one.
    pub org: Option<Text>,
    /// What a foreign table records in addition; `None` for our own schema.
    pub beyond: Option<Arc<Beyond>>,
}

impl RenewalEvent {
    /// What the event's device is called on screen: its name if the database knows one, else its id; `–` without either.
    pub fn device_label(&self) -> Clean {
        match (&self.device, self.device_id()) {
            (Some(name), _) => name.clean(),
            (None, Some(id)) => id.clean(),
            (None, None) => Clean::line("–"),
        }
    }
    /// The outcome that the source states, else that of the type's name.
    pub fn outcome(&self) -> Outcome {
        self.stated_outcome().unwrap_or_else(|| self.kind.outcome())
    }
    /// The outcome from the source's outcome column or its list of types; `None` where only the type's name says it.
    pub(super) fn stated_outcome(&self) -> Option<Outcome> {
        self.beyond.as_ref()?.stated_outcome(self.kind.raw())
    }
    /// The severity as the source records it; `None` for our own schema, which has no such column.
    pub fn severity(&self) -> Option<&Text> {
        self.beyond.as_ref()?.severity.as_ref()
    }
    /// Whether the reason was inferred from the device's preceding start.
    pub fn reason_inferred(&self) -> bool {
        self.beyond.as_ref().is_some_and(|b| b.reason_inferred)
    }
    /// Whether no row of the source records this field.
    pub fn lacks(&self, part: Part) -> bool {
        self.beyond.as_ref().is_some_and(|b| b.traits.lacks(part))
    }
    /// Whether the field is derived from other rows or tables.
    pub fn derives(&self, part: Part) -> bool {
        self.beyond.as_ref().is_some_and(|b| b.traits.derives(part))
    }
    /// The device's id; `None` where the row names no device.
    pub fn device_id(&self) -> Option<&Id> {
        Some(&self.device_id).filter(|id| !id.is_empty())
    }
}

/// An error message or its beginning: pages carry at most [`ErrorText::HEAD`] characters of each message, so that a
/// message of megabytes does not slow the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorText {
    /// The message or its beginning, unchanged: it may hold control characters.
    pub text: Text,
    /// Length of the whole message in bytes of UTF-8; equals the length of `text` if that is whole.
    pub bytes: u64,
    /// The signature of a message that is cut in `text`, as far as the mask reads it; see [`sig`](Self::sig).
    pub cut_sig: Option<SigId>,
}

impl ErrorText {
    /// The characters of a message that a page carries.
    pub const HEAD: usize = 400;

    /// A message that is complete, whose length in bytes is that of the text.
    pub fn whole(text: impl Into<Text>) -> Self {
        let text = text.into();
        let bytes = text.raw().len() as u64;
        Self { text, bytes, cut_sig: None }
    }
    /// The id of the message's signature, the same however much of the message `text` holds. `None` for a message that
    /// says nothing: its signature would be empty.
    pub fn sig(&self) -> Option<SigId> {
        let id = self.cut_sig.unwrap_or_else(|| Signature::of(self.text.raw()).id);
        Some(id).filter(|id| !id.is_empty())
    }
    /// Whether nothing is cut off: the bytes of `text` are all bytes of the message.
    pub fn is_whole(&self) -> bool {
        self.text.raw().len() as u64 == self.bytes
    }
}

/// How the writer identifies a device or organization: by id, by name, or both.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Party {
    /// The id as the writer gives it; it need not exist in the database yet.
    pub id: Option<Uuid>,
    /// The name as the writer gives it; unique within its organization.
    pub name: Option<String>,
}

/// An event to store. The store completes it: it creates unknown devices and organizations, uses the default
/// organization where none is given, and derives a missing id from the content, so that a repeated event is recognized
/// as a duplicate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEvent {
    /// By which a repetition is recognized; `None` derives it from the content.
    pub id: Option<Uuid>,
    /// The device; the store refuses an event that has neither its id nor its name.
    pub device: Party,
    /// The organization; without id and name it is [`DEFAULT_ORG`].
    pub org: Party,
    /// The type, as [`Kind::raw`] returns it.
    pub kind: String,
    /// Why the renewal began; `None` stores no reason.
    pub reason: Option<String>,
    /// The end of the certificate in use before the renewal, in UTC.
    pub old_expiry: Option<Instant>,
    /// The end of the certificate that the renewal gave, in UTC.
    pub new_expiry: Option<Instant>,
    /// The whole error message of a failure.
    pub error: Option<String>,
    /// The time of the event, in UTC, to the microsecond.
    pub created_at: Instant,
}

/// The organization of events without one; Flight Control's default organization has the same id.
pub const DEFAULT_ORG: Uuid = Uuid::nil();
/// The name of [`DEFAULT_ORG`] in the table of organizations.
pub const DEFAULT_ORG_NAME: &str = "default";

/// The id of a device that is given by name: UUIDv5 in the OID namespace over `"<org uuid>/<name>"`, as Flight
/// Control's `getDeviceIDFromCSR` computes it.
pub fn device_id_of(org: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{org}/{name}").as_bytes())
}

/// The id of an organization that is given by name alone: UUIDv5 in the OID namespace over `"org/<name>"`; the name
/// `default` is the default organization. Our own rule: Flight Control's organizations always have an id.
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
    fn the_outcome_is_the_last_word_of_the_name_whatever_its_case_and_separator() {
        for (outcome, kinds) in [
            (
                Outcome::Failed,
                &[
                    "renewal_failed",
                    "failed",
                    "RENEWAL_FAILED",
                    "Renewal_Failed",
                    "RenewalFailed",
                    "renewal.failed",
                    "renewal-failed",
                    "renewal:failed",
                    "certificate.renew.failed",
                    "renew failed",
                    "Failed",
                    "FAILED",
                    "OrderFailed",
                    "ACMEFailed",
                    "renewalFAILED",
                    "renewal2Failed",
                    "\u{e9}_failed",
                    "\u{e9}Failed",
                    "renewal_failed ",
                    "renewal_failed\r\n",
                    "_failed",
                    "(failed",
                ][..],
            ),
            (Outcome::Started, &["scan_start", "ScanStart", "scan/START"]),
            (Outcome::Succeeded, &["recovery_success", "RecoverySuccess"]),
            (
                Outcome::Other,
                &[
                    "unfailed",
                    "UNFAILED",
                    "Unfailed",
                    "restart",
                    "Restart",
                    "ReStarted",
                    "2failed",
                    "\u{e9}failed",
                    "\0failed",
                    "failed\0",
                    "failed_",
                    "failed.",
                    "\u{a0}failed",
                    "failed\u{a0}",
                    "ailed",
                    " ",
                    "",
                ],
            ),
        ] {
            for kind in kinds {
                assert_eq!(outcome_of(kind), outcome, "{kind:?}");
            }
        }
        assert!(!has_ending("", "") && !has_ending("a_", ""));
    }

    #[test]
    fn a_beginning_is_the_first_word_of_the_name_whatever_its_case_and_separator() {
        for kind in ["renewal", "renewal_failed", "RENEWAL.FAILED", "RenewalFailed", "renewalX", "Renewal ", "renewal-"]
        {
            assert!(has_beginning(kind, "renewal"), "{kind:?}");
        }
        for kind in
            ["renewals", "Renewalfailed", "RENEWALFAILED", "renewal2", "renewal\0", "renewal\u{e9}", "renewa", ""]
        {
            assert!(!has_beginning(kind, "renewal"), "{kind:?}");
        }
        assert!(!has_beginning("", "") && !has_beginning("_a", ""));
    }
}
