//! Source profiles: where the fields of an event lie in a table that somebody else made, described in one TOML file.
//!
//! A profile is data: it names a relation and its columns, and what the program must know that no catalog tells (zones,
//! outcomes, how rows become visible). Nothing here asks a database; that a profile fits one is found out by the store.

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

/// The profile of the tables that our own migrations make: the one source that is written to.
pub const OWN: &str = "own";

/// A described source.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceProfile {
    pub name: String,
    /// One line for people.
    pub about: String,
    pub databases: Vec<Backend>,
    pub relation: Relation,
    /// Columns that must be there, by table. Holds those of the fields, and what a select says that it needs.
    pub needs: BTreeMap<SqlIdent, Vec<SqlIdent>>,
    pub fields: Fields,
    /// Outcomes of types, as the types are shown.
    pub outcomes: BTreeMap<String, Outcome>,
    /// The outcome of a row out of a column; a value that is not listed says nothing.
    pub outcome: Option<OutcomeField>,
    /// Columns that the detail of one event shows.
    pub extra: Vec<Extra>,
    pub tail: Tail,
    /// What a reader should know of the source.
    pub notes: Vec<String>,
    /// `None`: it came with the program.
    pub file: Option<PathBuf>,
    /// The TOML itself.
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    Postgres,
    Sqlite,
}

impl Backend {
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

/// What rows are read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relation {
    /// The table of the events; of a select, the one whose rows it gives.
    pub table: SqlIdent,
    /// Read instead of the table.
    pub select: Option<String>,
    /// The time column of `table` itself, where `select` calls it otherwise.
    pub time_column: Option<SqlIdent>,
    /// A whole number by which rows of one time are ordered; without it they are ordered by id.
    pub tie: Option<SqlIdent>,
    /// An empty text is as good as none.
    pub empty_is_absent: bool,
}

/// The fields of an event. `None`: the source does not record it.
#[derive(Clone, PartialEq, Debug)]
pub struct Fields {
    pub id: IdField,
    pub device: Option<IdField>,
    pub org: Option<IdField>,
    pub kind: TextField,
    pub reason: Option<TextField>,
    pub old_expiry: Option<TimeField>,
    pub new_expiry: Option<TimeField>,
    pub error: Option<TextField>,
    pub time: TimeField,
    pub severity: Option<TextField>,
}

/// How a source keeps an identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdType {
    /// `uuid` on PostgreSQL, a BLOB of 16 bytes on SQLite.
    Uuid,
    Text,
    Int,
}

/// How a source keeps an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeType {
    /// PostgreSQL `timestamp`, in a zone that the profile gives.
    Timestamp,
    /// PostgreSQL `timestamptz`.
    TimestampTz,
    /// An integer: microseconds since 1970, the ends of the range being the infinities.
    UnixMicros,
    /// An integer: milliseconds since 1970.
    UnixMillis,
    /// An integer: seconds since 1970.
    UnixSeconds,
}

impl TimeType {
    /// Microseconds of one unit of a whole number; 1 for what is none.
    pub const fn micros(self) -> i64 {
        match self {
            Self::Timestamp | Self::TimestampTz | Self::UnixMicros => 1,
            Self::UnixMillis => 1000,
            Self::UnixSeconds => 1_000_000,
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct IdField {
    pub column: SqlIdent,
    /// `None`: as the catalog says.
    pub ty: Option<IdType>,
    /// A column with the name that goes with the id.
    pub name: Option<SqlIdent>,
    /// Names are looked up in the tables `devices` and `organizations`, where they can be read.
    pub directory: bool,
    /// The table may lack the column.
    pub optional: bool,
    pub derived: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TextField {
    pub column: SqlIdent,
    /// What is stored, and what it is shown and filtered as.
    pub values: Vec<(String, String)>,
    /// Of a reason: a row without one has that of its device's preceding start.
    pub carried: bool,
    pub optional: bool,
    pub derived: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TimeField {
    pub column: SqlIdent,
    /// `None`: as the catalog says.
    pub ty: Option<TimeType>,
    /// Of times that are stored without one.
    pub zone: Zone,
    pub optional: bool,
    pub derived: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct OutcomeField {
    pub column: SqlIdent,
    /// A value as text, and what it means.
    pub values: Vec<(String, Outcome)>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Extra {
    pub label: String,
    pub column: SqlIdent,
}

/// How new rows are found.
#[derive(Clone, PartialEq, Debug)]
pub enum Tail {
    /// All rows whose time is later than this long before the newest seen are read again; known ones are dropped.
    Time { overlap: Span },
    /// Rows are numbered as they are inserted; those within `overlap` of the last are read again.
    Serial { column: SqlIdent, overlap: Span },
}

impl SourceProfile {
    /// Reads a profile. `file` is how messages call it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        parse::parse(file, text)
    }

    pub fn is_own(&self) -> bool {
        self.name == OWN && self.file.is_none()
    }

    /// What holds for all rows; `lacks` beyond the profile's own, where a table lacks an optional column.
    pub fn traits(&self, lacks: impl Fn(Part) -> bool) -> Traits {
        let has = |part: Part| self.has(part) && !lacks(part);
        Traits {
            lacks: Part::ALL.into_iter().filter(|part| !has(*part)).collect(),
            derived: Part::ALL.into_iter().filter(|part| has(*part) && self.derives(*part)).collect(),
            outcomes: self.outcomes.clone(),
            has_more: !self.extra.is_empty(),
        }
    }

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
