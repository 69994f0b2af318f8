//! A filter made absolute: what a database composes SQL from and what [`Criteria::matches`] evaluates in memory.
//!
//! No clock, no zone and no relative time is left in it, so both evaluations of one value agree by construction
//! of their rules, which stand here, at each variant.

use crate::domain::instant::{Instant, Span};
use uuid::Uuid;

/// Clauses that all must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Criteria {
    pub all: Vec<Clause>,
}

impl Criteria {
    /// The same criteria for a reader that goes on for hours: without the bound that is meant for the moment at which
    /// they were made.
    pub fn live(mut self) -> Self {
        self.all.retain(|clause| !matches!(clause.check, Check::NotAhead(_)));
        self
    }
}

/// One condition. `negated` is the exact complement: it keeps the rows for which the check is false *or unknown*.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clause {
    pub negated: bool,
    pub check: Check,
}

/// What a row is asked. A row that lacks the field never satisfies a check. Lists mean "any of these".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Check {
    Kind(Vec<KindMatch>),
    /// The organisation's id, or its name as written (case matters).
    Org(Vec<NameMatch>),
    /// The device's id, or its name as written (case matters).
    Device(Vec<NameMatch>),
    /// As written, case matters.
    Reason(Vec<Pattern>),
    /// Upper and lower case of ASCII letters are the same.
    Error(Vec<Pattern>),
    /// As written, case matters.
    Severity(Vec<Pattern>),
    Id(Vec<NameMatch>),
    /// `created_at` from `from` (included) until `until` (excluded).
    Time {
        from: Option<Instant>,
        until: Option<Instant>,
    },
    /// `created_at` before this instant. It ends a range that begins at a relative time and has no end of its own, so
    /// that "the last hour" leaves out rows of clocks that run far ahead. Readers that follow new rows must drop it:
    /// see [`Criteria::live`].
    NotAhead(Instant),
    /// Of the row's new expiry, else its old one.
    Expires(Vec<ExpiryMatch>),
    /// New expiry minus old expiry, where both are known and finite.
    Extends(Vec<SpanMatch>),
    /// Occurs in the error or in the reason that the row itself records; upper and lower case of ASCII letters are the same.
    Text(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KindMatch {
    /// The outcome that the source states is `x`; where it states none, the type is `x` or ends in `_x` (`failed`,
    /// `success`, `start`). See `event::has_ending`.
    Ending(String),
    /// The type is `x` or begins with `x_` (`renewal`, `recovery`). See `event::has_beginning`.
    Beginning(String),
    Name(Pattern),
}

/// How a text is compared. `%`, `_`, `\`, `[` and `?` are plain characters in all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pattern {
    Is(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
}

/// How an organisation, a device or an event id is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NameMatch {
    /// By name (a text id counts as a name). [`Pattern::Is`] of a whole number matches an integer id too.
    Name(Pattern),
    Uuid(Uuid),
    /// UUIDs from `first` to `last`, both included: those that begin with 8 or more given digits.
    /// A text that is such a prefix may also be a name, so `name` is compared as well, as `Name(Is(name))` would.
    UuidPrefix {
        first: Uuid,
        last: Uuid,
        name: String,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExpiryMatch {
    /// `from` included, `until` excluded; infinities lie outside of every range that does not reach them.
    Within { from: Option<Instant>, until: Option<Instant> },
    /// Neither expiry is recorded. The one check that a missing field satisfies.
    None,
}

/// A comparison with a length of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpanMatch {
    Less(Span),
    AtMost(Span),
    Equal(Span),
    AtLeast(Span),
    More(Span),
}
