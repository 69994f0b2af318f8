//! Whether the tables are renewscope's own: what its migrations left in the database.
//!
//! Called while a source is described and by `schema`. It only reads.

use std::collections::BTreeMap;

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::source::catalog::{EVENTS, Table};
use crate::store::source::columns::Schema;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// Where sqlx records the applied migrations.
pub const MIGRATIONS: &str = "_sqlx_migrations";
/// The columns of that table.
const MIGRATION_COLUMNS: [&str; 6] =
    ["version", "description", "installed_on", "success", "checksum", "execution_time"];
/// The columns of our event table.
const EVENT_COLUMNS: [&str; 9] = [
    "id",
    "device_id",
    "org_id",
    "event_type",
    "reason",
    "old_cert_expiration",
    "new_cert_expiration",
    "error_message",
    "created_at",
];
/// Version and name of the first migration; a database that has it applied is our own.
pub const FIRST: (i64, &str) = (1, "certificate renewal events");

/// The newest migration that this version knows.
pub const LATEST: i64 = 2;

/// Why nothing may be written: a migration that this version does not know, or one that failed halfway. `None` if there is
/// no such migration, or if this role may not read them, and so cannot write either.
pub async fn obstacle(conn: &mut Conn, tables: &BTreeMap<String, Table>) -> Result<Option<String>, SourceError> {
    let Some(table) = tables.get(MIGRATIONS).filter(|t| t.readable) else { return Ok(None) };
    let schema = table.schema.as_deref().map(|name| format!("{}.", Schema::new(name))).unwrap_or_default();
    let text = format!(
        "SELECT version, description, CAST(CAST(success AS int) AS bigint) FROM {schema}{MIGRATIONS} ORDER BY version"
    );
    let shape = [CellType::Int, CellType::Text, CellType::Int];
    let rows = conn.rows(&Sql::plain(conn.dialect(), &text), &shape).await?;
    for mut row in rows {
        let (version, name) = (row.int(0).unwrap_or(0), row.string(1).unwrap_or_default());
        if version > LATEST {
            return Ok(Some(format!(
                "the database was made by a newer renewscope: it has the migration {version} '{name}', and this version knows \
                 none after {LATEST}; use the newer version"
            )));
        }
        if row.int(2) != Some(1) {
            return Ok(Some(format!(
                "the migration {version} '{name}' failed halfway; restore a backup, or complete it and set its 'success'"
            )));
        }
    }
    Ok(None)
}

/// Who made the event table, as far as the catalog tells. A role's rights do not change the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Made {
    /// By our migrations: they are recorded, or recorded where this role may not read.
    Here,
    /// In the shape of our tables, by hand: to be read like them, and not to be written to.
    Alike,
    Elsewhere,
}

/// Who made the event table among the tables around it.
pub async fn made(conn: &mut Conn, tables: &BTreeMap<String, Table>) -> Result<Made, SourceError> {
    let Some(table) = tables.get(MIGRATIONS) else {
        return Ok(if has_shape(tables) { Made::Alike } else { Made::Elsewhere });
    };
    if !table.readable {
        let sqlx = MIGRATION_COLUMNS.iter().all(|c| table.column(c).is_some());
        return Ok(if sqlx && has_shape(tables) { Made::Here } else { Made::Elsewhere });
    }
    let applied = applied(conn, table.schema.as_deref()).await?;
    let first = applied.get(&FIRST.0).is_some_and(|(name, _)| name == FIRST.1);
    Ok(if first { Made::Here } else { Made::Elsewhere })
}

/// Whether the tables have the columns that ours have, and those of their directory no others: Flight Control's have.
fn has_shape(tables: &BTreeMap<String, Table>) -> bool {
    let columns = |name: &str| tables.get(name).map(|t| t.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>());
    let events = columns(EVENTS).unwrap_or_default();
    EVENT_COLUMNS.iter().all(|c| events.contains(c))
        && columns("devices").is_some_and(|c| c == ["id", "org_id", "name"])
        && columns("organizations").is_some_and(|c| c == ["id", "name"])
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
