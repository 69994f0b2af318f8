//! Whether the tables are renewscope's own: what its migrations left in the database.
//!
//! Called while a source is described and by `schema`. It only reads.

use std::collections::BTreeMap;

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::source::catalog::Table;
use crate::store::source::columns::Schema;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// Where sqlx records the applied migrations.
const MIGRATIONS: &str = "_sqlx_migrations";
/// Version and name of the first migration; a database that has it applied is our own.
pub const FIRST: (i64, &str) = (1, "certificate renewal events");

/// Whether our migrations created the event table.
pub async fn is_own(conn: &mut Conn, tables: &BTreeMap<String, Table>) -> Result<bool, SourceError> {
    let Some(table) = tables.get(MIGRATIONS).filter(|t| t.readable) else { return Ok(false) };
    let applied = applied(conn, table.schema.as_deref()).await?;
    Ok(applied.get(&FIRST.0).is_some_and(|(name, _)| name == FIRST.1))
}

/// The applied migrations: version to name and checksum. On PostgreSQL their table needs its schema.
pub async fn applied(conn: &mut Conn, schema: Option<&str>) -> Result<BTreeMap<i64, (String, String)>, SourceError> {
    let hex = match conn.dialect() {
        Dialect::Postgres => "encode(checksum, 'hex')",
        Dialect::Sqlite => "lower(hex(checksum))",
    };
    let schema = schema.map(|name| format!("{}.", Schema::new(name))).unwrap_or_default();
    let text = format!("SELECT version, description, {hex} FROM {schema}{MIGRATIONS} WHERE success ORDER BY version");
    let sql = Sql::plain(conn.dialect(), &text);
    let rows = conn.rows(&sql, &[CellType::Int, CellType::Text, CellType::Text]).await?;
    let entry = |mut r: crate::store::sql::cell::Row| {
        Some((r.int(0)?, (r.string(1).unwrap_or_default(), r.string(2).unwrap_or_default())))
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}
