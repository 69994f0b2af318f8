//! Where the fields of an event lie in a table, so that the composer can read tables that it was not written for.
//!
//! Identifiers enter SQL text only as [`SqlIdent`], which is checked here. This module knows nothing of filters.

use std::fmt;

use crate::protocol::SourceError;

/// A name that may become SQL text: letters, digits and `_`, not beginning with a digit, at most 63 bytes. Always
/// written in quotes, so that a keyword is a name like any other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SqlIdent(String);

impl SqlIdent {
    /// Checks a name. An error names it and what would be valid.
    pub fn new(name: &str) -> Result<Self, SourceError> {
        let head = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if head && name.len() <= 63 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Ok(Self(name.to_owned()));
        }
        Err(SourceError::Shape(format!(
            "'{}' cannot be used as a table or column name; letters, digits and '_' are valid",
            crate::domain::text::Clean::line(name)
        )))
    }
    /// The bare name, for comparison with the catalog.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SqlIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// How a source keeps an identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdType {
    /// `uuid` on PostgreSQL, a BLOB of 16 bytes on SQLite.
    Uuid,
    Text,
    Int,
}

/// How a source keeps an instant. Those without zone are UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeType {
    /// PostgreSQL `timestamp`.
    Timestamp,
    /// PostgreSQL `timestamptz`.
    TimestampTz,
    /// An integer: microseconds since 1970, the ends of the range being the infinities.
    UnixMicros,
    /// An integer: seconds since 1970.
    UnixSeconds,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdColumn {
    pub name: SqlIdent,
    pub ty: IdType,
    /// NOT NULL: every row has one.
    pub required: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextColumn {
    pub name: SqlIdent,
    /// Not a text type, so it is compared and read through a cast.
    pub cast: bool,
    pub required: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeColumn {
    pub name: SqlIdent,
    pub ty: TimeType,
}

/// A relation and the column of each field. `None`: the source does not record it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnMap {
    pub schema: Option<SqlIdent>,
    pub relation: SqlIdent,
    pub id: IdColumn,
    pub device: IdColumn,
    pub org: Option<IdColumn>,
    pub kind: TextColumn,
    pub reason: Option<TextColumn>,
    pub old_expiry: Option<TimeColumn>,
    pub new_expiry: Option<TimeColumn>,
    pub error: Option<TextColumn>,
    pub created_at: TimeColumn,
}

impl ColumnMap {
    /// The relation as SQL text, quoted, with its schema where one is given.
    pub fn from(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.relation),
            None => self.relation.to_string(),
        }
    }
}

impl TextColumn {
    /// The column of the row `e` as a text expression.
    pub fn expr(&self) -> String {
        if self.cast { format!("e.{}::text", self.name) } else { format!("e.{}", self.name) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_sql() {
        for good in ["id", "_x", "created_at", "A1"] {
            assert_eq!(SqlIdent::new(good).unwrap().to_string(), format!("\"{good}\""));
        }
        for bad in ["", "1a", "a\"b", "a b", "a;--", "a.b", "ä", &"x".repeat(64)] {
            assert!(SqlIdent::new(bad).is_err(), "{bad}");
        }
    }
}
