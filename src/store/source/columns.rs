//! Which columns of a relation hold the fields of an event.
//!
//! A relation is a table that is read as it is, or a derived one: a select over a table or over a profile's own
//! select, whose columns have the names and types that the SQL composers expect. Identifiers enter SQL text only as
//! [`SqlIdent`]. This module knows no filters and runs no statement.

use std::fmt;

pub use crate::profile::{IdType, SqlIdent, TimeType};
use crate::store::sql::{Bind, Sql};

use crate::domain::instant::{Instant, Span};
use crate::domain::zone::Zone;

/// Organization or device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    Org,
    Device,
}

/// The column of an identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdColumn {
    pub name: SqlIdent,
    pub ty: IdType,
    /// NOT NULL.
    pub required: bool,
    /// The column that holds the name for the id.
    pub label: Option<SqlIdent>,
}

/// The column of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextColumn {
    pub name: SqlIdent,
    /// Not a text type: compared and read through a cast.
    pub cast: bool,
    pub required: bool,
}

/// The column of a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeColumn {
    pub name: SqlIdent,
    pub ty: TimeType,
    /// The zone of times that are stored without one.
    pub zone: Zone,
    /// NOT NULL: every row has one.
    pub required: bool,
}

/// The name of a schema, from the catalog. Any name is valid, unlike for [`SqlIdent`]; it prints in quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schema(String);

impl Schema {
    /// A schema by its name in the catalog.
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
    /// The bare name, for comparison with the catalog.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// The rows as the SQL composers read them.
#[derive(Clone, PartialEq, Debug)]
pub enum Relation {
    Table {
        schema: Option<Schema>,
        name: SqlIdent,
    },
    /// A select in parentheses: text, and values to bind in their places.
    Derived(Vec<Piece>),
}

/// A part of a derived relation.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    Text(String),
    Value(String),
}

/// A relation and the column of each field. `None`: the source does not record it.
#[derive(Clone, PartialEq, Debug)]
pub struct ColumnMap {
    pub relation: Relation,
    pub id: IdColumn,
    pub device: IdColumn,
    pub org: Option<IdColumn>,
    pub kind: TextColumn,
    pub reason: Option<TextColumn>,
    pub old_expiry: Option<TimeColumn>,
    pub new_expiry: Option<TimeColumn>,
    pub error: Option<TextColumn>,
    pub created_at: TimeColumn,
    pub severity: Option<TextColumn>,
    /// The outcome of a row in the terms of the filter language; NULL if the row's column says none.
    pub outcome: Option<SqlIdent>,
    /// An integer that orders rows of the same time; otherwise the id does.
    pub tie: Option<IdColumn>,
    /// Further columns, as text, with their labels.
    pub extra: Vec<(std::sync::Arc<str>, SqlIdent)>,
}

impl ColumnMap {
    /// The relation as SQL text after FROM. Registers the values with the statement; the text may be repeated in it.
    pub fn from(&self, sql: &mut Sql) -> String {
        match &self.relation {
            Relation::Table { .. } => self.table(),
            Relation::Derived(pieces) => {
                let text = pieces.iter().map(|piece| match piece {
                    Piece::Text(text) => text.clone(),
                    Piece::Value(value) => sql.placeholder(Bind::Text(value.clone())),
                });
                text.collect()
            }
        }
    }
    /// The quoted table with its schema; empty for a derived relation.
    pub fn table(&self) -> String {
        match &self.relation {
            Relation::Table { name, .. } => format!("{}{name}", self.schema()),
            Relation::Derived(_) => String::new(),
        }
    }
    /// The schema of the table and a dot; empty if there is none.
    pub fn schema(&self) -> String {
        match &self.relation {
            Relation::Table { schema: Some(schema), .. } => format!("{schema}."),
            _ => String::new(),
        }
    }
    /// Whether rows are read from a table directly, so that its indexes apply.
    pub const fn is_table(&self) -> bool {
        matches!(self.relation, Relation::Table { .. })
    }
    /// The column that orders rows of the same time.
    pub fn order(&self) -> &IdColumn {
        self.tie.as_ref().unwrap_or(&self.id)
    }
}

impl TextColumn {
    /// The column of the row `e` as a text expression.
    pub fn expr(&self) -> String {
        if self.cast { format!("CAST(e.{} AS text)", self.name) } else { format!("e.{}", self.name) }
    }
}

impl TimeColumn {
    /// The instant that a stored time means.
    pub fn instant(&self, stored: Instant) -> Instant {
        self.zone.of_stored(stored)
    }
    /// An instant as a lower bound, or as an excluded upper bound, of the column.
    pub fn bound(&self, at: Instant) -> Bind {
        Bind::bound(self.zone.first_stored(at), self.ty)
    }
    /// An instant for `column <= value`.
    pub fn at_most(&self, at: Instant) -> Bind {
        if self.zone == Zone::Utc || !at.is_finite() {
            return Bind::at(at, self.ty);
        }
        Bind::at(self.zone.first_stored(at.plus(Span(1))).minus(Span(1)), self.ty)
    }
    /// A time as the column stores it: that of a cursor.
    pub fn stored(&self, at: Instant) -> Bind {
        Bind::at(at, self.ty)
    }
}
