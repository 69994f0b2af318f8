//! The filter language. The panes, the filter line and the SQL all show the same [`Filter`] value.
//!
//! A [`Filter`] keeps what was written: times stay relative, words stay words. [`Filter::criteria`] makes it absolute.
//! [`Filter::parse`] and `Display` are inverse. Nothing here may query a database, read a clock, or turn a mistake into
//! a filter that matches more.

pub mod complete;
pub mod criteria;
mod edit;
mod lex;
mod matches;
mod parse;
mod print;
pub mod reference;
mod resolve;
pub mod standing;
#[cfg(test)]
mod tests;

pub use complete::{Candidates, Completion, complete};
pub use criteria::Criteria;
pub use edit::{Bounds, Chip, State};
pub use parse::FilterError;
pub use resolve::CLOCK_SKEW;
pub use standing::Standing;

use super::instant::Span;
use super::when::{Length, Range, When};

/// Terms that must all hold. The empty filter matches every row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// In the order written, which has no meaning but is kept.
    terms: Vec<Term>,
}

/// One condition as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    /// A leading `-`: the exact complement.
    pub negated: bool,
    /// The condition before negation.
    pub test: Test,
}

/// A term's condition. Lists mean "any of these" and are never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Test {
    /// The field has one of the values.
    Values {
        /// The field that is compared.
        field: Field,
        /// The values, at least one.
        any: Vec<Glob>,
    },
    /// The event's time is this one or later.
    Since(When),
    /// The event's time is earlier than this one.
    Until(When),
    /// At least one side is set.
    Time(Range),
    /// The expiry that the event states satisfies one of these.
    Expires(Vec<Expiry>),
    /// The change of the expiry satisfies one of these.
    Extends(Vec<Extent>),
    /// How a device stands satisfies this.
    Standing(Standing),
    /// A free word or a phrase; never empty.
    Text(String),
}

/// The keys of the language.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    /// The event's type, or its outcome.
    Type,
    /// The organization's name or id.
    Org,
    /// The device's name or id.
    Device,
    /// The reason as shown.
    Reason,
    /// The severity, where the source records one.
    Severity,
    /// The error message.
    Error,
    /// The signature of the error message.
    Sig,
    /// The event's id.
    Id,
    /// A lower bound on the event's time.
    Since,
    /// An upper bound on the event's time.
    Until,
    /// A range of the event's time.
    Time,
    /// The expiry: the new one, or the old one where there is no new one.
    Expires,
    /// The new expiry minus the old one.
    Extends,
    /// How a device stands.
    State,
    /// The time left to a device's certificate.
    Left,
}

/// The keys with text values, which panes list and toggle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    Type,
    Org,
    Device,
    Reason,
    Severity,
    Error,
    /// Its values are ids of signatures, as [`SigId`](crate::domain::signature::SigId) prints them, or the lone `*`.
    Sig,
    Id,
}

/// A text with an optional wildcard at either end. Either the text is not empty, or it is the lone `*`: any value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    /// A star before the text: anything may precede it.
    open_start: bool,
    /// The text itself, in which a star is a plain character.
    text: String,
    /// A star after the text: anything may follow it.
    open_end: bool,
}

/// When a certificate expires, relative to now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// A distance ahead: `<7d` means from now on and less than 7 days away, `>30d` later than in 30 days.
    Ahead(Order, Length),
    /// Before now.
    Past,
    /// No expiry is recorded.
    None,
    /// Between two times, neither of which is a length; at least one side is set.
    Between(Range),
}

/// By how much a renewal moves the expiry: `<=0`, `>=30d`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// How the change is compared with the length.
    pub order: Order,
    /// Never set for a zero length. The length has a minus: the new expiry is earlier than the old one by it.
    pub negative: bool,
    /// The length without its sign.
    pub length: Length,
}

/// A comparison sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

impl Filter {
    /// Whether it has no terms and so matches every row.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
    /// In the order written.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }
}

impl Term {
    /// The term's key; `None` for free text.
    pub fn key(&self) -> Option<Key> {
        Some(match &self.test {
            Test::Values { field, .. } => (*field).into(),
            Test::Since(_) => Key::Since,
            Test::Until(_) => Key::Until,
            Test::Time(_) => Key::Time,
            Test::Expires(_) => Key::Expires,
            Test::Extends(_) => Key::Extends,
            Test::Standing(standing) => standing.key(),
            Test::Text(_) => return None,
        })
    }
}

impl Key {
    /// In the order of the documentation and of completion.
    pub const ALL: [Self; 15] = [
        Self::Type,
        Self::Org,
        Self::Device,
        Self::Reason,
        Self::Error,
        Self::Sig,
        Self::Severity,
        Self::Since,
        Self::Until,
        Self::Time,
        Self::Expires,
        Self::Extends,
        Self::State,
        Self::Left,
        Self::Id,
    ];

    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Org => "org",
            Self::Device => "device",
            Self::Reason => "reason",
            Self::Severity => "severity",
            Self::Error => "error",
            Self::Sig => "sig",
            Self::Id => "id",
            Self::Since => "since",
            Self::Until => "until",
            Self::Time => "time",
            Self::Expires => "expires",
            Self::Extends => "extends",
            Self::State => "state",
            Self::Left => "left",
        }
    }
    /// The key of that name, ASCII case ignored.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name().eq_ignore_ascii_case(name))
    }
    /// The field of a key with text values.
    pub const fn field(self) -> Option<Field> {
        Some(match self {
            Self::Type => Field::Type,
            Self::Org => Field::Org,
            Self::Device => Field::Device,
            Self::Reason => Field::Reason,
            Self::Severity => Field::Severity,
            Self::Error => Field::Error,
            Self::Sig => Field::Sig,
            Self::Id => Field::Id,
            Self::Since | Self::Until | Self::Time | Self::Expires | Self::Extends => return None,
            Self::State | Self::Left => return None,
        })
    }
}

impl From<Field> for Key {
    fn from(field: Field) -> Self {
        match field {
            Field::Type => Self::Type,
            Field::Org => Self::Org,
            Field::Device => Self::Device,
            Field::Reason => Self::Reason,
            Field::Severity => Self::Severity,
            Field::Error => Self::Error,
            Field::Sig => Self::Sig,
            Field::Id => Self::Id,
        }
    }
}

impl Glob {
    /// Any value at all: `*`.
    pub fn any() -> Self {
        Self { open_start: false, text: String::new(), open_end: true }
    }
    /// Exactly this text, with plain stars; `None` for the empty text, which matches no value.
    pub fn literal(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self { open_start: false, text: text.to_owned(), open_end: false })
    }
    /// `None` if text and wildcards are empty.
    fn new(open_start: bool, text: String, open_end: bool) -> Option<Self> {
        match (text.is_empty(), open_start || open_end) {
            (true, false) => None,
            (true, true) => Some(Self::any()),
            (false, _) => Some(Self { open_start, text, open_end }),
        }
    }
    /// The text without wildcards; empty for the lone `*`.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// Whether it is the lone `*`.
    fn is_any(&self) -> bool {
        self.text.is_empty()
    }
    /// Whether it has no wildcard.
    fn is_literal(&self) -> bool {
        !self.open_start && !self.open_end
    }
}

impl Order {
    /// Longer signs first, so that `<=` is not read as `<`.
    const ALL: [Self; 5] = [Self::AtMost, Self::AtLeast, Self::Less, Self::More, Self::Equal];

    /// The sign as it is typed and printed.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }
}

impl Extent {
    /// The length with its sign, in microseconds.
    pub fn span(&self) -> Span {
        let Span(n) = self.length.span();
        if self.negative { Span(-n) } else { Span(n) }
    }
}
