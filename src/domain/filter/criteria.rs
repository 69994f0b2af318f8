//! An absolute filter: the store composes SQL from it, and [`Criteria::matches`] evaluates it in memory.
//!
//! It holds no clock, zone or relative time. Both evaluations follow the rules stated at each variant, so that they
//! agree.

use super::Standing;
use crate::domain::instant::{Instant, Span};
use crate::domain::signature::SigId;
use uuid::Uuid;

/// Clauses that must all hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Criteria {
    /// In the order of the filter's terms; an empty list holds for every row.
    pub all: Vec<Clause>,
}

impl Criteria {
    /// The same criteria for a reader that follows new rows for hours: without the [`Check::NotAhead`] bound, which is
    /// valid only near the time at which they were made.
    pub fn live(mut self) -> Self {
        self.all.retain(|clause| !matches!(clause.check, Check::NotAhead(_)));
        self
    }
}

/// One condition. `negated` is the exact complement: it keeps the rows for which the check is false *or unknown*.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clause {
    /// Whether the clause is the complement of the check.
    pub negated: bool,
    /// The condition before negation.
    pub check: Check,
}

/// A condition on a row. A row that lacks the field satisfies no check. Lists mean "any of these".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Check {
    /// The event's type, or the outcome that its source states for it.
    Kind(Vec<KindMatch>),
    /// The organization's id, or its name as written (case matters).
    Org(Vec<NameMatch>),
    /// The device's id, or its name as written (case matters).
    Device(Vec<NameMatch>),
    /// As written, case matters.
    Reason(Vec<Pattern>),
    /// The case of ASCII letters is ignored.
    Error(Vec<Pattern>),
    /// The signature of the error message. A row without a message has none, and neither has a message without words and
    /// values.
    Sig(Vec<SigMatch>),
    /// As written, case matters.
    Severity(Vec<Pattern>),
    /// The event's id.
    Id(Vec<NameMatch>),
    /// `created_at` from `from` (included) until `until` (excluded).
    Time {
        /// The first instant that matches; `None`: without beginning.
        from: Option<Instant>,
        /// The first instant that no longer matches; `None`: without end.
        until: Option<Instant>,
    },
    /// `created_at` before this instant. It ends a range that begins at a relative time and has no explicit end, so
    /// that "the last hour" excludes rows of clocks that run far ahead. Readers that follow new rows must drop it; see
    /// [`Criteria::live`].
    NotAhead(Instant),
    /// On the row's new expiry, or the old one if there is no new one.
    Expires(Vec<ExpiryMatch>),
    /// New expiry minus old expiry, if both are recorded and finite.
    Extends(Vec<SpanMatch>),
    /// How a device stands. No event satisfies it, and queries of events reject it.
    Standing(Standing),
    /// Occurs in the error, or in the reason if the row itself records it; the case of ASCII letters is ignored.
    Text(String),
}

/// A comparison of an event's type or outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KindMatch {
    /// The outcome that the source states is `x`; if it states none, the last word of the type is `x` in any case
    /// (`failed`, `success`, `start`). See `event::has_ending`.
    Ending(String),
    /// The first word of the type is `x` in any case (`renewal`, `recovery`). See `event::has_beginning`.
    Beginning(String),
    /// The name as the source writes it; case matters.
    Name(Pattern),
}

/// A comparison of texts. `%`, `_`, `\`, `[` and `?` are plain characters in all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// The whole text is this.
    Is(String),
    /// The text begins with this.
    StartsWith(String),
    /// The text ends with this.
    EndsWith(String),
    /// This occurs anywhere in the text.
    Contains(String),
}

/// A comparison of an organization, a device or an event id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NameMatch {
    /// By name (a text id counts as a name). [`Pattern::Is`] of a whole number matches an integer id too.
    Name(Pattern),
    /// By id. A number or a text as an id never matches.
    Uuid(Uuid),
    /// UUIDs from `first` to `last`, both included: those that begin with the given 8 or more digits. Such a text may
    /// be a name too, so `name` is compared as `Name(Is(name))`.
    UuidPrefix {
        /// The lowest UUID with the given digits.
        first: Uuid,
        /// The highest UUID with the given digits.
        last: Uuid,
        /// The digits as typed.
        name: String,
    },
}

/// A comparison of the signature of an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SigMatch {
    /// Any signature.
    Any,
    /// The signature with this id.
    Is(SigId),
}

/// A comparison of the expiry that a row states.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExpiryMatch {
    /// `from` included, `until` excluded; infinities are compared like all other instants.
    Within { from: Option<Instant>, until: Option<Instant> },
    /// No expiry is recorded. The only check that a missing field satisfies.
    None,
}

/// A comparison with a length of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpanMatch {
    /// Below this length.
    Less(Span),
    /// Up to this length, itself included.
    AtMost(Span),
    /// This length, to the microsecond.
    Equal(Span),
    /// From this length on, itself included.
    AtLeast(Span),
    /// Above this length.
    More(Span),
}
