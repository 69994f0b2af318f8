//! Resolves the columns of a profile in a table that the catalog describes: which type each has, and how it is read.
//!
//! Called while a source is built. It reads no row, so on SQLite it knows what a column is declared as, and not what it
//! holds.

use crate::domain::zone::Zone;
use crate::profile::{IdField, SourceProfile, TextField, TimeField};
use crate::protocol::SourceError;
use crate::store::source::Found;
use crate::store::source::catalog::Table;
use crate::store::source::columns::{IdColumn, IdType, Schema, SqlIdent, TextColumn, TimeColumn, TimeType};
use crate::store::sql::Dialect;

/// Resolves the columns of a profile in the table that the catalog describes.
pub struct Reader<'a> {
    table: &'a Table,
    name: &'a SqlIdent,
    dialect: Dialect,
}

impl<'a> Reader<'a> {
    /// The reader of the profile's event table. [`SourceError::Shape`] if the table does not exist.
    pub fn of(profile: &'a SourceProfile, found: &'a Found<'_>) -> Result<Self, SourceError> {
        let name = &profile.relation.table;
        let table = found.tables.get(name.name());
        let table = table.ok_or_else(|| SourceError::Shape(format!("relation '{}' not found", name.name())))?;
        Ok(Self { table, name, dialect: found.dialect })
    }
    /// The search path found the relation; its schema pins it.
    pub fn schema(&self) -> Option<Schema> {
        self.table.schema.as_deref().map(Schema::new)
    }
    /// The error for a required column that the table lacks.
    pub fn absent(&self, column: &SqlIdent) -> SourceError {
        SourceError::Shape(format!("relation '{}' has no column '{}'", self.name.name(), column.name()))
    }
    /// The error for a column that holds no time by its type.
    fn strange(&self, column: &SqlIdent, ty: &str) -> SourceError {
        let (column, table) = (column.name(), self.name.name());
        SourceError::Unfit(format!(
            "column '{column}' of '{table}' has the type '{ty}', which cannot be read as a time; cast it in the 'select' of a source profile"
        ))
    }
    /// The error for a SQLite column whose declared type says nothing about its ids.
    fn untyped(&self, column: &SqlIdent, ty: &str) -> SourceError {
        let (column, table) = (column.name(), self.name.name());
        SourceError::Unfit(format!(
            "column '{column}' of '{table}' has the type '{ty}', which tells no type of ids; give the field a 'type' in a source profile"
        ))
    }
    /// Whether the column is NOT NULL.
    pub fn is_required(&self, column: &SqlIdent) -> bool {
        self.table.column(column.name()).is_some_and(|c| c.required)
    }

    /// Whether the column holds texts that compare as such: on PostgreSQL by its type, on SQLite because it stores even
    /// numbers as texts.
    pub fn compares_as_text(&self, column: &SqlIdent) -> bool {
        let compares = if self.dialect == Dialect::Postgres { is_text } else { stores_text };
        self.table.column(column.name()).is_some_and(|c| compares(&c.ty))
    }

    /// The column of an identifier; `None` if the table has no such column.
    pub fn id(&self, field: &IdField) -> Result<Option<IdColumn>, SourceError> {
        let Some(c) = self.table.column(field.column.name()) else { return Ok(None) };
        let ty = match (self.dialect, field.ty) {
            // An integer or a UUID needs a column of that type; any other is read as text.
            (Dialect::Postgres, Some(ty)) if ty != id_type(&c.ty) => IdType::Text,
            (Dialect::Sqlite, None) if id_type(&c.ty) == IdType::Text && !stores_text(&c.ty) => {
                return Err(self.untyped(&field.column, &c.ty));
            }
            (_, ty) => ty.unwrap_or(id_type(&c.ty)),
        };
        Ok(Some(IdColumn { name: field.column.clone(), ty, required: c.required, label: field.name.clone() }))
    }
    /// The column of a text, of any type; `None` if the table has no such column.
    pub fn text(&self, field: &TextField) -> Option<TextColumn> {
        let c = self.table.column(field.column.name())?;
        let cast = match self.dialect {
            Dialect::Postgres => !matches!(c.ty.as_str(), "text" | "varchar"),
            Dialect::Sqlite => !stores_text(&c.ty),
        };
        Some(TextColumn { name: field.column.clone(), cast, required: c.required })
    }
    /// The column of a time; `None` if the table has no such column. [`SourceError::Unfit`] if its type is none of a
    /// time.
    pub fn time(&self, field: &TimeField) -> Result<Option<TimeColumn>, SourceError> {
        let Some(c) = self.table.column(field.column.name()) else { return Ok(None) };
        let found = time_type(&c.ty);
        let fits = |ty: TimeType| self.dialect == Dialect::Sqlite || found.is_some_and(|found| alike(found, ty));
        let ty = field.ty.or(found).filter(|ty| fits(*ty)).ok_or_else(|| self.strange(&field.column, &c.ty))?;
        let zone = if ty == TimeType::Timestamp { field.zone } else { Zone::Utc };
        Ok(Some(TimeColumn { name: field.column.clone(), ty, zone, required: c.required }))
    }
}

/// The identifier type for a column type. A type that is neither a UUID nor an integer is read as text.
pub fn id_type(ty: &str) -> IdType {
    match ty {
        "uuid" | "blob" => IdType::Uuid,
        "int2" | "int4" | "int8" | "integer" | "int" | "bigint" | "smallint" => IdType::Int,
        _ => IdType::Text,
    }
}

/// Whether a column type is one that the operators of texts compare.
pub fn is_text(ty: &str) -> bool {
    matches!(ty, "text" | "varchar" | "bpchar" | "name")
}

/// Whether SQLite stores the numbers of a column of this declared type as texts: its rule of text affinity.
fn stores_text(ty: &str) -> bool {
    !ty.contains("int") && ["char", "clob", "text"].iter().any(|part| ty.contains(part))
}

/// The time type for a column type; an integer is taken as microseconds, like in renewscope's own tables.
pub fn time_type(ty: &str) -> Option<TimeType> {
    match ty {
        "timestamp" => Some(TimeType::Timestamp),
        "timestamptz" => Some(TimeType::TimestampTz),
        "integer" | "int8" | "bigint" | "int4" => Some(TimeType::UnixMicros),
        _ => None,
    }
}

/// Whether a column whose type says the first can be read as the second: an integer counts any unit.
const fn alike(found: TimeType, ty: TimeType) -> bool {
    use TimeType::{Timestamp, TimestampTz};
    match (found, ty) {
        (Timestamp, Timestamp) | (TimestampTz, TimestampTz) => true,
        (Timestamp | TimestampTz, _) | (_, Timestamp | TimestampTz) => false,
        _ => true,
    }
}
