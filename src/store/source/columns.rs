//! Where the fields of an event lie in a relation, so that the composer can read tables that it was not written for.
//!
//! A relation is a table whose columns are read as they are, or a derived one: a select over a table or over a profile's
//! own select, in which the columns have the names and types that the composer expects. Identifiers enter SQL text only
//! as [`SqlIdent`]. This module knows nothing of filters.

pub use crate::profile::{IdType, SqlIdent, TimeType};
use crate::store::sql::{Bind, Sql};

use crate::domain::instant::{Instant, Span};
use crate::domain::zone::Zone;

/// Whose id or name is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    Org,
    Device,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdColumn {
    pub name: SqlIdent,
    pub ty: IdType,
    /// NOT NULL: every row has one.
    pub required: bool,
    /// The column of the name that goes with it.
    pub label: Option<SqlIdent>,
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
    /// In which times without one were written.
    pub zone: Zone,
    /// NOT NULL: every row has one.
    pub required: bool,
}

/// Rows as the composer reads them.
#[derive(Clone, PartialEq, Debug)]
pub enum Relation {
    Table {
        schema: Option<SqlIdent>,
        name: SqlIdent,
    },
    /// A select in parentheses: text, and values to bind in their places.
    Derived(Vec<Piece>),
}

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
    /// The outcome of a row in the words of the filter language; NULL where the row's column says none.
    pub outcome: Option<SqlIdent>,
    /// A whole number that orders rows of one time; else the id does.
    pub tie: Option<IdColumn>,
    /// Further columns, as texts, with their labels.
    pub extra: Vec<(std::sync::Arc<str>, SqlIdent)>,
}

impl ColumnMap {
    /// The relation as SQL text behind FROM. Values are registered with the statement; the text may be used again in it.
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
    /// The table as SQL text, where it is one: quoted, with its schema.
    pub fn table(&self) -> String {
        match &self.relation {
            Relation::Table { name, .. } => format!("{}{name}", self.schema()),
            Relation::Derived(_) => String::new(),
        }
    }
    /// The schema of the table and a dot; nothing where there is none.
    pub fn schema(&self) -> String {
        match &self.relation {
            Relation::Table { schema: Some(schema), .. } => format!("{schema}."),
            _ => String::new(),
        }
    }
    /// Whether rows are read from a table as it is, so that its indexes serve its columns.
    pub const fn is_table(&self) -> bool {
        matches!(self.relation, Relation::Table { .. })
    }
    /// The column by which rows of one time are ordered.
    pub fn order(&self) -> &IdColumn {
        self.tie.as_ref().unwrap_or(&self.id)
    }
}

impl TextColumn {
    /// The column of the row `e` as a text expression.
    pub fn expr(&self) -> String {
        if self.cast { format!("e.{}::text", self.name) } else { format!("e.{}", self.name) }
    }
}

impl TimeColumn {
    /// The instant that a stored time means.
    pub fn instant(&self, stored: Instant) -> Instant {
        self.zone.of_stored(stored)
    }
    /// An instant as a lower, or an excluded upper, bound of the column.
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
