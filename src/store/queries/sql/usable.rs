//! Which rows can be shown: those whose id and time order them, so that a page can begin at each.
//!
//! Our own tables hold no others. In a table that somebody else made, an id or a time may be missing, and on SQLite a
//! value may have another type than its column. Such rows are left out of every query, counted, and named by
//! `doctor`; they must never hide others. Called by the composers of statements, and by the queries that count such rows.

use crate::store::source::Source;
use crate::store::source::columns::{IdColumn, IdType, TimeColumn};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// The tests that a row `e` passes if it can be shown; none where every row can.
pub fn tests(source: &Source) -> Vec<String> {
    if source.is_own() {
        return Vec::new();
    }
    // PostgreSQL holds a column to its type and to NOT NULL; SQLite to neither, as far as a type is concerned.
    let loose = |required: bool| source.dialect == Dialect::Sqlite || !required;
    let map = &source.map;
    let time = Some(&map.created_at).filter(|c| loose(c.required)).map(|c| time_test(source, c));
    let ids = [Some(&map.id), map.tie.as_ref()].into_iter().flatten().filter(|c| loose(c.required));
    time.into_iter().chain(ids.map(|column| id_test(source, column))).collect()
}

/// Tests that a column of the row `e` holds a time.
pub fn time_test(source: &Source, column: &TimeColumn) -> String {
    match source.dialect {
        Dialect::Postgres => format!("e.{} IS NOT NULL", column.name),
        Dialect::Sqlite => format!("typeof(e.{}) IN ('integer', 'real')", column.name),
    }
}

/// Tests that a column of the row `e` holds an id of its type.
fn id_test(source: &Source, column: &IdColumn) -> String {
    let name = &column.name;
    match (source.dialect, column.ty) {
        (Dialect::Postgres, _) => format!("e.{name} IS NOT NULL"),
        (Dialect::Sqlite, IdType::Int) => format!("typeof(e.{name}) = 'integer'"),
        (Dialect::Sqlite, IdType::Text) => format!("typeof(e.{name}) = 'text'"),
        (Dialect::Sqlite, IdType::Uuid) => format!("(typeof(e.{name}) = 'blob' AND length(e.{name}) = 16)"),
    }
}

/// The number of rows that cannot be shown among the first `most` rows of the table; `None` where every row can.
pub fn count(source: &Source, most: u64) -> Option<(Sql, Vec<CellType>)> {
    let tests = tests(source);
    if tests.is_empty() {
        return None;
    }
    let mut sql = Sql::new(source.dialect);
    let map = &source.map;
    let from = map.from(&mut sql);
    let mut columns = vec![format!("e.{}", map.created_at.name), format!("e.{}", map.id.name)];
    columns.extend(map.tie.as_ref().map(|c| format!("e.{}", c.name)));
    sql.push(&format!(
        "SELECT count(*) FROM (SELECT {} FROM {from} e LIMIT {most}) e WHERE NOT ({})",
        columns.join(", "),
        tests.join(" AND ")
    ));
    Some((sql, vec![CellType::Int]))
}

/// The rows of the table that cannot be shown, at most `limit`: the number or place of each row, NULL where rows have
/// none, its id and its time, as texts. `None` where every row can be shown.
pub fn list(source: &Source, limit: u64) -> Option<(Sql, Vec<CellType>)> {
    let tests = tests(source);
    if tests.is_empty() {
        return None;
    }
    let mut sql = Sql::new(source.dialect);
    let (id, at, from) = (&source.map.id.name, &source.map.created_at.name, source.map.from(&mut sql));
    let (row, cast) = match source.dialect {
        Dialect::Postgres if source.map.is_table() => ("e.ctid::text", "::text"),
        Dialect::Postgres => ("NULL::text", "::text"),
        Dialect::Sqlite if source.map.is_table() => ("e.rowid", ""),
        Dialect::Sqlite => ("NULL", ""),
    };
    sql.push(&format!(
        "SELECT {row}, e.{id}{cast}, e.{at}{cast} FROM {from} e WHERE NOT ({}) LIMIT {limit}",
        tests.join(" AND ")
    ));
    Some((sql, vec![CellType::Text; 3]))
}
