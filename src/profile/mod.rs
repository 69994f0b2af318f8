//! Source profiles: the columns of a foreign table that hold an event's fields, described in one TOML file.
//!
//! A profile is data: a relation, its columns, and facts that no catalog records (zones, outcomes, how rows become
//! visible). Configuration and the store read profiles. This module must not query a database; the store checks whether
//! a profile fits one.

pub mod builtin;
pub mod choice;
pub mod ident;
mod parse;
pub mod select;
#[cfg(test)]
mod tests;
mod typed;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use ident::SqlIdent;
pub use parse::ProfileError;

use crate::domain::event::Outcome;
use crate::domain::instant::Span;
use crate::domain::source::{Part, Traits};
use crate::domain::zone::Zone;

/// The profile of the tables that our own migrations create: the only source that is written to.
pub const OWN: &str = "own";

/// A source profile.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceProfile {
    /// Letters a to z, digits and `-`, at most 40; unique among the profiles.
    pub name: String,
    /// One line for the user.
    pub about: String,
    /// The databases on which the profile may fit; at least one.
    pub databases: Vec<Backend>,
    /// Where rows come from.
    pub relation: Relation,
    /// Required columns, by table: those of the fields, and those that a select declares.
    pub needs: BTreeMap<SqlIdent, Vec<SqlIdent>>,
    /// Which column holds which field.
    pub fields: Fields,
    /// Outcomes by event type, as shown.
    pub outcomes: BTreeMap<String, Outcome>,
    /// The outcome of a row from a column; a value that is not listed sets no outcome.
    pub outcome: Option<OutcomeField>,
    /// Further columns for the detail of one event.
    pub extra: Vec<Extra>,
    /// How new rows are found.
    pub tail: Tail,
    /// Notes for the user.
    pub notes: Vec<String>,
    /// `None` for a built-in profile.
    pub file: Option<PathBuf>,
    /// The TOML itself.
    pub text: String,
}

/// A kind of database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    /// PostgreSQL, through a server.
    Postgres,
    /// SQLite, as a file.
    Sqlite,
}

impl Backend {
    /// Both kinds, in the order of messages.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];
    /// Its word in the `database` list of a profile.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

/// The relation that rows are read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relation {
    /// The table of the events; for a select, the table whose rows it returns.
    pub table: SqlIdent,
    /// A select to read instead of the table.
    pub select: Option<String>,
    /// The time column of `table`, if `select` renames it.
    pub time_column: Option<SqlIdent>,
    /// An integer column that orders rows of the same time; without it the id does.
    pub tie: Option<SqlIdent>,
    /// An empty text means no value.
    pub empty_is_absent: bool,
}

/// The fields of an event. `None` for those that the source does not record.
#[derive(Clone, PartialEq, Debug)]
pub struct Fields {
    /// The event's id; with the time it is the position of a row.
    pub id: IdField,
    /// The device's id, and perhaps its name.
    pub device: Option<IdField>,
    /// The organization's id, and perhaps its name.
    pub org: Option<IdField>,
    /// The event's type.
    pub kind: TextField,
    /// Why the renewal began.
    pub reason: Option<TextField>,
    /// The end of the certificate in use before the renewal.
    pub old_expiry: Option<TimeField>,
    /// The end of the certificate that the renewal gave.
    pub new_expiry: Option<TimeField>,
    /// The error message.
    pub error: Option<TextField>,
    /// The event's time, which orders the rows.
    pub time: TimeField,
    /// The severity, by the source's own words.
    pub severity: Option<TextField>,
}

/// How a source stores an identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdType {
    /// `uuid` on PostgreSQL, a BLOB of 16 bytes on SQLite.
    Uuid,
    /// A text column, compared with regard to case.
    Text,
    /// An integer column of up to 64 bits.
    Int,
}

/// How a source stores an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeType {
    /// PostgreSQL `timestamp`, in the zone that the profile names.
    Timestamp,
    /// PostgreSQL `timestamptz`.
    TimestampTz,
    /// An integer: microseconds since 1970; the ends of the `i64` range are the infinities.
    UnixMicros,
    /// An integer: milliseconds since 1970.
    UnixMillis,
    /// An integer: seconds since 1970.
    UnixSeconds,
}

impl TimeType {
    /// Microseconds per unit of an integer time; 1 for the other types.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Timestamp | Self::TimestampTz | Self::UnixMicros => 1,
            Self::UnixMillis => 1000,
            Self::UnixSeconds => 1_000_000,
        }
    }
}

/// A column that holds an identifier.
#[derive(Clone, PartialEq, Debug)]
pub struct IdField {
    /// The column of the relation.
    pub column: SqlIdent,
    /// `None`: the type of the catalog.
    pub ty: Option<IdType>,
    /// A column with the name that belongs to the id.
    pub name: Option<SqlIdent>,
    /// Names are looked up in the tables `devices` and `organizations`, if they are readable.
    pub directory: bool,
    /// The table may lack the column.
    pub optional: bool,
    /// The value comes from other rows or tables, and is shown with a mark.
    pub derived: bool,
}

/// A column that holds a text.
#[derive(Clone, PartialEq, Debug)]
pub struct TextField {
    /// The column of the relation.
    pub column: SqlIdent,
    /// Pairs of a stored value and the value shown and filtered.
    pub values: Vec<(String, String)>,
    /// For a reason: a row without one takes that of the device's preceding start.
    pub carried: bool,
    /// The table may lack the column.
    pub optional: bool,
    /// The value comes from other rows or tables, and is shown with a mark.
    pub derived: bool,
}

/// A column that holds an instant.
#[derive(Clone, PartialEq, Debug)]
pub struct TimeField {
    /// The column of the relation.
    pub column: SqlIdent,
    /// `None`: the type of the catalog.
    pub ty: Option<TimeType>,
    /// The zone of times that are stored without one. UTC unless the profile names another; only PostgreSQL's
    /// `timestamp` may have one.
    pub zone: Zone,
    /// The table may lack the column.
    pub optional: bool,
    /// The value comes from other rows or tables, and is shown with a mark.
    pub derived: bool,
}

/// A column that states the outcome of a row.
#[derive(Clone, PartialEq, Debug)]
pub struct OutcomeField {
    /// The column of the relation.
    pub column: SqlIdent,
    /// Pairs of a value, as text, and its outcome.
    pub values: Vec<(String, Outcome)>,
}

/// A column that only the detail of one event shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Extra {
    /// The words before the value; by default the column's name with spaces for `_`.
    pub label: String,
    /// The column of the relation.
    pub column: SqlIdent,
}

/// How the tail finds new rows.
#[derive(Clone, PartialEq, Debug)]
pub enum Tail {
    /// Each poll reads the rows of the last `overlap` before the newest row again and drops those delivered before.
    Time { overlap: Span },
    /// Rows have numbers in the order of insertion; each poll reads the last `overlap` again.
    Serial { column: SqlIdent, overlap: Span },
}

impl SourceProfile {
    /// Reads a profile. `file` names it in messages. Fails for invalid TOML, unknown keys and words, invalid names, and
    /// a `select` that is not one `SELECT`.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        parse::parse(file, text)
    }

    /// Whether it is the built-in profile of our own tables, the only ones that are written to.
    pub fn is_own(&self) -> bool {
        self.name == OWN && self.file.is_none()
    }

    /// Properties that hold for all rows; `lacks` adds the optional columns that a table lacks.
    pub fn traits(&self, lacks: impl Fn(Part) -> bool) -> Traits {
        let has = |part: Part| self.has(part) && !lacks(part);
        Traits {
            lacks: Part::ALL.into_iter().filter(|part| !has(*part)).collect(),
            derived: Part::ALL.into_iter().filter(|part| has(*part) && self.derives(*part)).collect(),
            outcomes: self.outcomes.clone(),
            has_more: !self.extra.is_empty(),
            lacks_starts: !self.has_starts(),
        }
    }

    /// Whether some row can say that an attempt began: by its type's name, unless a column or a list of types states
    /// outcomes and none of them is a start.
    fn has_starts(&self) -> bool {
        let column =
            self.outcome.as_ref().map(|field| field.values.iter().any(|(_, outcome)| *outcome == Outcome::Started));
        let listed = self.outcomes.values().any(|outcome| *outcome == Outcome::Started);
        column.unwrap_or(self.outcomes.is_empty()) || listed
    }

    /// Whether the profile names a column for the field.
    fn has(&self, part: Part) -> bool {
        let f = &self.fields;
        match part {
            Part::Device => f.device.is_some(),
            Part::Org => f.org.is_some(),
            Part::Reason => f.reason.is_some(),
            Part::OldExpiry => f.old_expiry.is_some(),
            Part::NewExpiry => f.new_expiry.is_some(),
            Part::Error => f.error.is_some(),
            Part::Severity => f.severity.is_some(),
        }
    }

    /// Whether the profile marks the field as derived.
    fn derives(&self, part: Part) -> bool {
        let f = &self.fields;
        let id = |field: &Option<IdField>| field.as_ref().is_some_and(|f| f.derived);
        let text = |field: &Option<TextField>| field.as_ref().is_some_and(|f| f.derived);
        let time = |field: &Option<TimeField>| field.as_ref().is_some_and(|f| f.derived);
        match part {
            Part::Device => id(&f.device),
            Part::Org => id(&f.org),
            Part::Reason => text(&f.reason),
            Part::OldExpiry => time(&f.old_expiry),
            Part::NewExpiry => time(&f.new_expiry),
            Part::Error => text(&f.error),
            Part::Severity => text(&f.severity),
        }
    }
}
