//! The ids of a fleet in their order: from the table of devices, or from the index that begins with the device.
//!
//! Called by the sweep of a fleet. Each statement reads some thousand ids behind the last one, at any depth.

use crate::domain::event::Id;
use crate::store::source::Source;
use crate::store::source::columns::IdType;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// Ids and names in the table of devices behind `after`, at most `limit`.
pub fn in_directory(source: &Source, after: Option<&Id>, limit: u64) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    sql.push(&format!("SELECT d.id, d.name FROM {} d", source.beside("devices")));
    if let Some(after) = after {
        sql.push(" WHERE d.id > ").bind(Bind::id(after));
    }
    sql.push(" ORDER BY d.id LIMIT ").bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    (sql, vec![CellType::Id(source.map.device.ty), CellType::Text])
}

/// The ids of devices that have rows behind `after`, at most `limit`, one index descent each.
pub fn with_rows(source: &Source, after: Option<&Id>, limit: u64) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let (from, ty) = (source.map.from(&mut sql), source.map.device.ty);
    let device = format!("e.{}", source.map.device.name);
    let (first, last) = ends(source.dialect, ty);
    let first = match after {
        Some(after) => format!("{device} > {}", sql.placeholder(Bind::id(after))),
        None => format!("{device} {first}"),
    };
    let last = last.map(|last| format!(" AND {device} {last}")).unwrap_or_default();
    let next = |first: &str| format!("(SELECT {device} FROM {from} e WHERE {first}{last} ORDER BY {device} LIMIT 1)");
    let (begin, go_on) = (next(&first), next(&format!("{device} > t.v")));
    let limit = sql.placeholder(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    let cast = match (source.dialect, ty) {
        (Dialect::Postgres, IdType::Int) => "::int8",
        (Dialect::Postgres, IdType::Text) => "::text",
        _ => "",
    };
    sql.push(&format!(
        "WITH RECURSIVE t(v, n) AS (SELECT {begin}, 1 \
         UNION ALL SELECT {go_on}, t.n + 1 FROM t WHERE t.v IS NOT NULL AND t.n < {limit}) \
         SELECT t.v{cast} FROM t WHERE t.v IS NOT NULL"
    ));
    (sql, vec![CellType::Id(ty)])
}

/// Where the ids of a type begin and end in the order of a column. SQLite orders missing values before numbers, these
/// before texts, and these before bytes. The empty text is no id.
const fn ends(dialect: Dialect, ty: IdType) -> (&'static str, Option<&'static str>) {
    match (dialect, ty) {
        (Dialect::Postgres, IdType::Text) => ("> ''", None),
        (Dialect::Postgres, _) => ("IS NOT NULL", None),
        (Dialect::Sqlite, IdType::Int) => ("IS NOT NULL", Some("< ''")),
        (Dialect::Sqlite, IdType::Text) => ("> ''", Some("< x''")),
        (Dialect::Sqlite, IdType::Uuid) => (">= x''", None),
    }
}
