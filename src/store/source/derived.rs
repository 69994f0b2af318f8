//! Derived relations: a select over a table, or over a profile's own select, whose columns have the names and types
//! that queries expect.
//!
//! It only renames, casts and maps values, so that the databases can flatten it: an index on the time still serves
//! pages. Mapped values are bound; only checked names, and a select that a profile brings, are text. Called while a
//! source is described; it runs no statement.

use std::sync::Arc;

use crate::domain::event::Outcome;
use crate::domain::zone::Zone;
use crate::profile::{IdField, OutcomeField, SourceProfile, TextField, TimeField};
use crate::protocol::SourceError;
use crate::store::source::Found;
use crate::store::source::columns::{
    ColumnMap, IdColumn, IdType, Piece, Relation, SqlIdent, TextColumn, TimeColumn, TimeType,
};
use crate::store::source::qualify;
use crate::store::source::reader::Reader;
use crate::store::sql::Dialect;

/// Whether the profile requires more than the columns of its table.
pub fn is_needed(profile: &SourceProfile, found: &Found<'_>) -> bool {
    let f = &profile.fields;
    if Reader::of(profile, found).is_ok_and(|r| has_cast_ids(profile, found.dialect, &r)) {
        return true;
    }
    let maps = |field: Option<&TextField>| field.is_some_and(|f| !f.values.is_empty());
    profile.relation.select.is_some()
        || profile.relation.empty_is_absent
        || profile.relation.tie.is_some()
        || profile.outcome.is_some()
        || !profile.extra.is_empty()
        || f.device.is_none()
        || maps(Some(&f.kind))
        || [&f.reason, &f.error, &f.severity].into_iter().any(|field| maps(field.as_ref()))
}

/// Whether a text id needs a cast: one of PostgreSQL that its operators of texts do not compare (an enumeration, a type of
/// an extension), one of SQLite that may hold numbers. The event id of PostgreSQL needs one to be ordered by its bytes.
fn has_cast_ids(profile: &SourceProfile, dialect: Dialect, reader: &Reader<'_>) -> bool {
    let f = &profile.fields;
    let is_text = |field: &IdField| reader.id(field).ok().flatten().is_some_and(|id| id.ty == IdType::Text);
    let mut ids = [Some(&f.id), f.device.as_ref(), f.org.as_ref()].into_iter().flatten();
    dialect == Dialect::Postgres && is_text(&f.id)
        || ids.any(|field| is_text(field) && !reader.compares_as_text(&field.column))
}

/// The select and its columns.
pub fn column_map(profile: &SourceProfile, found: &Found<'_>) -> Result<ColumnMap, SourceError> {
    let reader = Reader::of(profile, found)?;
    let select = profile.relation.select.as_deref();
    let mut list = List {
        dialect: found.dialect,
        reader,
        is_table: select.is_none(),
        empty_is_absent: profile.relation.empty_is_absent,
        pieces: vec![Piece::Text("(SELECT ".to_owned())],
        count: 0,
    };
    let f = &profile.fields;
    let absent = |c: &SqlIdent| Reader::of(profile, found).map_or_else(|e| e, |r| r.absent(c));
    let id = list.event_id(&f.id)?.ok_or_else(|| absent(&f.id.column))?;
    let device = match list.id("device_id", f.device.as_ref())? {
        Some(device) => device,
        None => list.no_device()?,
    };
    let mut map = ColumnMap {
        relation: Relation::Derived(Vec::new()),
        id,
        device,
        org: list.id("org_id", f.org.as_ref())?,
        kind: list.kind(&f.kind)?.ok_or_else(|| absent(&f.kind.column))?,
        reason: list.text("reason", f.reason.as_ref())?,
        old_expiry: list.time("old_cert_expiration", f.old_expiry.as_ref())?,
        new_expiry: list.time("new_cert_expiration", f.new_expiry.as_ref())?,
        error: list.text("error_message", f.error.as_ref())?,
        created_at: list.time("created_at", Some(&f.time))?.ok_or_else(|| absent(&f.time.column))?,
        severity: list.text("severity", f.severity.as_ref())?,
        outcome: profile.outcome.as_ref().map(|o| list.outcome(o)).transpose()?,
        tie: None,
        extra: Vec::new(),
    };
    map.tie = match &profile.relation.tie {
        Some(column) => Some(list.tie(column)?),
        None if map.id.ty == IdType::Text && found.dialect == Dialect::Postgres => Some(list.text_tie(&f.id)?),
        None => None,
    };
    for (n, extra) in profile.extra.iter().enumerate() {
        let name = list.add(&format!("extra_{n}"), vec![Piece::Text(list.as_text(&extra.column))])?;
        map.extra.push((Arc::from(extra.label.as_str()), name));
    }
    let table = match list.reader.schema() {
        Some(schema) => format!("{schema}.{}", profile.relation.table),
        None => profile.relation.table.to_string(),
    };
    // The line break ends a comment at the end of the select.
    let base = select.map_or(table, |text| format!("({}\n)", qualify::qualified(text, profile, found.tables)));
    list.pieces.push(Piece::Text(format!(" FROM {base} t)")));
    map.relation = Relation::Derived(list.pieces);
    Ok(map)
}

/// The select list under construction.
struct List<'a> {
    dialect: Dialect,
    reader: Reader<'a>,
    is_table: bool,
    empty_is_absent: bool,
    pieces: Vec<Piece>,
    count: usize,
}

impl List<'_> {
    /// Appends an expression under a name; the name is what composers write.
    fn add(&mut self, name: &str, expr: Vec<Piece>) -> Result<SqlIdent, SourceError> {
        let name = SqlIdent::new(name)?;
        if self.count > 0 {
            self.pieces.push(Piece::Text(", ".to_owned()));
        }
        self.count += 1;
        self.pieces.extend(expr);
        self.pieces.push(Piece::Text(format!(" AS {name}")));
        Ok(name)
    }

    /// A column as text, NULL for the empty text if the profile says that it means absent.
    fn text_expr(&self, column: &SqlIdent) -> String {
        let stays = self.dialect == Dialect::Sqlite && self.is_table && self.reader.compares_as_text(column);
        if stays { self.unless_empty(format!("t.{column}")) } else { self.as_text(column) }
    }
    /// A column of any type as text.
    fn as_text(&self, column: &SqlIdent) -> String {
        self.unless_empty(format!("CAST(t.{column} AS text)"))
    }
    /// Wraps an expression so that an empty text becomes NULL, if the profile says that it means absent.
    fn unless_empty(&self, text: String) -> String {
        if self.empty_is_absent { format!("NULLIF({text}, '')") } else { text }
    }

    /// Adds the column of an id and, before it, that of the name beside it.
    fn id(&mut self, name: &str, field: Option<&IdField>) -> Result<Option<IdColumn>, SourceError> {
        let Some(field) = field else { return Ok(None) };
        let (ty, required) = if self.is_table {
            let Some(column) = self.reader.id(field)? else { return Ok(None) };
            (column.ty, column.required)
        } else {
            (field.ty.unwrap_or(IdType::Text), false)
        };
        let expr = match (self.dialect, ty) {
            // A cast in a select of a profile would keep SQLite from its indexes.
            (Dialect::Sqlite, IdType::Text) if !self.is_table => self.unless_empty(format!("t.{}", field.column)),
            (_, IdType::Text) => self.text_expr(&field.column),
            (Dialect::Postgres, IdType::Int) => format!("t.{}::int8", field.column),
            _ => format!("t.{}", field.column),
        };
        let label = match &field.name {
            Some(column) => {
                let expr = self.text_expr(column);
                Some(self.add(&format!("{name}_label"), vec![Piece::Text(expr)])?)
            }
            None => None,
        };
        let name = self.add(name, vec![Piece::Text(expr)])?;
        Ok(Some(IdColumn { name, ty, required: required && !self.empty_is_absent, label }))
    }

    /// Never wrapped in NULLIF, so that its index finds one event.
    fn event_id(&mut self, field: &IdField) -> Result<Option<IdColumn>, SourceError> {
        let empty = std::mem::replace(&mut self.empty_is_absent, false);
        let id = self.id("id", Some(field));
        self.empty_is_absent = empty;
        id
    }

    /// For sources that record no devices.
    fn no_device(&mut self) -> Result<IdColumn, SourceError> {
        let name = self.add("device_id", vec![Piece::Text("CAST(NULL AS text)".to_owned())])?;
        Ok(IdColumn { name, ty: IdType::Text, required: false, label: None })
    }

    /// Every event has a type, possibly the empty one.
    fn kind(&mut self, field: &TextField) -> Result<Option<TextColumn>, SourceError> {
        let empty = std::mem::replace(&mut self.empty_is_absent, false);
        let kind = self.text("event_type", Some(field));
        self.empty_is_absent = empty;
        kind
    }

    /// Adds the column of a text, with its values as the profile shows them.
    fn text(&mut self, name: &str, field: Option<&TextField>) -> Result<Option<TextColumn>, SourceError> {
        let Some(field) = field else { return Ok(None) };
        if self.is_table && self.reader.text(field).is_none() {
            return Ok(None);
        }
        let required = self.is_table && !self.empty_is_absent && self.reader.is_required(&field.column);
        let expr = self.text_expr(&field.column);
        let pieces = match field.values.as_slice() {
            [] => vec![Piece::Text(expr)],
            values => {
                let pairs = values.iter().map(|(raw, shown)| (raw.as_str(), shown.as_str()));
                case(&expr, pairs, &format!(" ELSE {expr} END"))
            }
        };
        let name = self.add(name, pieces)?;
        Ok(Some(TextColumn { name, cast: false, required }))
    }

    /// Adds the column of a time, in the unit in which it is stored.
    fn time(&mut self, name: &str, field: Option<&TimeField>) -> Result<Option<TimeColumn>, SourceError> {
        let Some(field) = field else { return Ok(None) };
        let (ty, zone, required) = if self.is_table {
            let Some(column) = self.reader.time(field)? else { return Ok(None) };
            (column.ty, column.zone, column.required)
        } else {
            let ty = field.ty.unwrap_or(TimeType::TimestampTz);
            (ty, if ty == TimeType::Timestamp { field.zone } else { Zone::Utc }, false)
        };
        let whole = matches!(ty, TimeType::UnixMicros | TimeType::UnixMillis | TimeType::UnixSeconds);
        let cast = if whole && self.dialect == Dialect::Postgres { "::int8" } else { "" };
        let name = self.add(name, vec![Piece::Text(format!("t.{}{cast}", field.column))])?;
        Ok(Some(TimeColumn { name, ty, zone, required }))
    }

    /// In the terms of the filter language; `other` is an outcome, not its absence.
    fn outcome(&mut self, field: &OutcomeField) -> Result<SqlIdent, SourceError> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (value, outcome) in &field.values {
            let word = outcome.ending().unwrap_or(OTHER);
            pairs.push((value, word));
            // SQLite has no boolean type.
            match value.as_str() {
                "true" => pairs.push(("1", word)),
                "false" => pairs.push(("0", word)),
                _ => {}
            }
        }
        let expr = format!("CAST(t.{} AS text)", field.column);
        self.add("outcome", case(&expr, pairs.into_iter(), " END"))
    }

    /// Text ids in byte order: the database's collation may be a language's, and the console orders its rows without
    /// the database.
    fn text_tie(&mut self, field: &IdField) -> Result<IdColumn, SourceError> {
        let name = self.add("tie", vec![Piece::Text(format!("t.{}::text COLLATE \"C\"", field.column))])?;
        Ok(IdColumn { name, ty: IdType::Text, required: true, label: None })
    }

    /// The column that orders rows of the same time, as a 64-bit integer.
    fn tie(&mut self, column: &SqlIdent) -> Result<IdColumn, SourceError> {
        let cast = if self.dialect == Dialect::Postgres { "::int8" } else { "" };
        let name = self.add("tie", vec![Piece::Text(format!("t.{column}{cast}"))])?;
        Ok(IdColumn { name, ty: IdType::Int, required: true, label: None })
    }
}

/// An outcome that the filter language has no term for.
const OTHER: &str = "other";

/// The outcome for a value of the outcome column.
pub fn outcome_of(word: &str) -> Option<Outcome> {
    if word == OTHER { Some(Outcome::Other) } else { Outcome::named(word) }
}

/// A `CASE` over bound values, so that a profile's words never become SQL text.
fn case<'a>(expr: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>, end: &str) -> Vec<Piece> {
    let mut pieces = vec![Piece::Text(format!("CASE {expr}"))];
    for (value, result) in pairs {
        pieces.push(Piece::Text(" WHEN ".to_owned()));
        pieces.push(Piece::Value(value.to_owned()));
        pieces.push(Piece::Text(" THEN ".to_owned()));
        pieces.push(Piece::Value(result.to_owned()));
    }
    pieces.push(Piece::Text(end.to_owned()));
    pieces
}
