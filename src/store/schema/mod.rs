//! The schema of renewscope's own database: which migrations are applied, forward and back, and the indexes of any event
//! table.
//!
//! Called by the command `db`, one function per subcommand; connecting never runs them, except with
//! [`ConnectOptions::create`]. An event table that renewscope did not make is reported and left unchanged; only
//! [`index()`], [`index_search`] and [`notify()`] add to it.

mod index;
mod notify;
mod partitions;
mod search;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files;
use crate::protocol::SourceError;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::connector;
use crate::store::connect::migrator;
use crate::store::connect::migrator::{Migrations, TABLE};
use crate::store::connect::pool::Connector;
use crate::store::connect::postgres::SEARCH_PATH;
use crate::store::connect::sqlite;
use crate::store::connect::sqlite::Use;
use crate::store::options::{Access, ConnectOptions};
use crate::store::source::catalog;
use crate::store::source::catalog::{CORE, EVENTS, Table};
use crate::store::source::columns::Schema;
use crate::store::source::own::{LATEST, Made, applied, made, obstacle};
use crate::store::sql::Dialect;

pub use index::{IndexReport, IndexState, index, index_search};
pub use notify::notify;

/// Creating an index has no time limit.
const NO_LIMIT: Duration = Duration::ZERO;

/// Version, name, and the way forward and back on each database.
struct Step {
    version: i64,
    name: &'static str,
    postgres: (&'static str, &'static str),
    sqlite: (&'static str, &'static str),
}

macro_rules! step {
    ($version:literal, $name:literal, $file:literal) => {
        Step {
            version: $version,
            name: $name,
            postgres: (
                include_str!(concat!("../../../migrations/postgres/", $file, ".up.sql")),
                include_str!(concat!("../../../migrations/postgres/", $file, ".down.sql")),
            ),
            sqlite: (
                include_str!(concat!("../../../migrations/sqlite/", $file, ".up.sql")),
                include_str!(concat!("../../../migrations/sqlite/", $file, ".down.sql")),
            ),
        }
    };
}

const STEPS: [Step; 2] = [
    step!(1, "certificate renewal events", "0001_certificate_renewal_events"),
    step!(2, "paging indexes", "0002_paging_indexes"),
];

const _: () = assert!(STEPS[STEPS.len() - 1].version == LATEST);

/// The schema that the database has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// No event table, and none of renewscope's migrations.
    Nothing,
    /// renewscope's own schema.
    Own,
    /// An event table that renewscope did not make: its columns, `name type`.
    Foreign { columns: Vec<String> },
}

/// One migration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepReport {
    pub version: i64,
    pub name: String,
    pub applied: bool,
    /// This version does not know it: a newer renewscope made the database.
    pub newer: bool,
    /// Applied with other SQL than this version has.
    pub differs: bool,
}

/// The state of a database's schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Without any secret.
    pub address: String,
    pub found: Found,
    pub steps: Vec<StepReport>,
    /// Why this version writes nothing there: a newer version made it, or a migration failed halfway.
    pub obstacle: Option<String>,
    pub indexes: Vec<IndexReport>,
}

/// The steps that a migration took, in order; empty if nothing was to be done, or if renewscope did not make the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    pub found: Found,
    pub steps: Vec<StepReport>,
}

/// Reads the state of the schema and changes nothing.
pub async fn status(address: &Address) -> Result<Status, SourceError> {
    let mut conn = open(address, Access::Read).await?;
    let tables = catalog::tables(&mut conn, &CORE, EVENTS).await?;
    let found = found(&mut conn, &tables).await?;
    let steps = steps(&mut conn, found == Found::Own, &tables).await?;
    let obstacle = match found {
        Found::Own => obstacle(&mut conn, &tables).await?,
        _ => None,
    };
    let indexes = match found {
        Found::Nothing => Vec::new(),
        _ => index::reports(&mut conn).await?,
    };
    Ok(Status { address: address.to_string(), found, steps, obstacle, indexes })
}

/// Brings renewscope's schema up to date. Creates it, and a missing SQLite file, if nothing exists. Idempotent.
pub async fn migrate(address: &Address) -> Result<Moved, SourceError> {
    migrate_with(address, None).await
}

/// As [`migrate`], but a file that is created belongs to its owner only, from its first moment on.
pub async fn migrate_private(address: &Address) -> Result<Moved, SourceError> {
    migrate_with(address, Some(0o600)).await
}

/// `mode`: that of a file that is created; `None`: what the umask leaves.
async fn migrate_with(address: &Address, mode: Option<u32>) -> Result<Moved, SourceError> {
    if let Some(path) = address.path().filter(|p| !p.exists())
        && let Some(moved) = make_file(path, mode).await?
    {
        return Ok(moved);
    }
    run(address, |_| Some(None)).await
}

/// Creates a SQLite file under a draft name and links it to its place when it is complete, so that of several programs
/// that start at once one creates it and none sees part of it. `None` if another program was first.
async fn make_file(path: &Path, mode: Option<u32>) -> Result<Option<Moved>, SourceError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", uuid::Uuid::new_v4().simple()));
    let draft = PathBuf::from(name);
    let refused = |e: std::io::Error| SourceError::Unreachable {
        address: Address::sqlite(path).to_string(),
        why: format!("cannot create the file: {e}").into(),
    };
    if let Some(mode) = mode {
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            files::make_directory(parent).map_err(refused)?;
        }
        // SQLite takes an empty file as a new database, and gives its log the same mode.
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft).map_err(refused)?;
    }
    sqlite::Connector::new(draft.clone(), &options(Access::Write), Use::Queries).create().await?;
    let moved = run(&Address::sqlite(&draft), |_| Some(None)).await;
    let placed = match moved {
        Ok(moved) => match std::fs::hard_link(&draft, path) {
            Ok(()) => Ok(Some(moved)),
            Err(_) if path.exists() => Ok(None),
            // Not every file system supports hard links.
            Err(_) => std::fs::rename(&draft, path).map(|()| Some(moved)).map_err(refused),
        },
        Err(e) => Err(e),
    };
    if draft.exists()
        && let Err(error) = std::fs::remove_file(&draft)
    {
        tracing::warn!(%error, "cannot remove the draft of a database file");
    }
    placed
}

/// Undoes one step, or all steps above `target` (0: everything, with all events).
pub async fn rollback(address: &Address, target: Option<i64>) -> Result<Moved, SourceError> {
    run(address, |before| {
        let last = before.iter().filter(|s| s.applied).map(|s| s.version).max()?;
        Some(Some(target.unwrap_or(last - 1)))
    })
    .await
}

/// Runs the migrator: forward if `goal` returns `Some(None)`, back to a version if it returns one, and not at all if it
/// returns `None`.
async fn run(
    address: &Address,
    goal: impl FnOnce(&[StepReport]) -> Option<Option<i64>> + Send,
) -> Result<Moved, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    let tables = catalog::tables(&mut conn, &CORE, EVENTS).await?;
    let before = found(&mut conn, &tables).await?;
    if matches!(before, Found::Foreign { .. }) {
        return Ok(Moved { found: before, steps: Vec::new() });
    }
    if before == Found::Nothing && (tables.contains_key("devices") || tables.contains_key("organizations")) {
        return Err(SourceError::Invalid(format!(
            "cannot make the tables at {address}: a table 'devices' or 'organizations' exists that renewscope did not make; \
             give renewscope a separate database or schema"
        )));
    }
    if before == Found::Own
        && let Some(why) = obstacle(&mut conn, &tables).await?
    {
        return Err(SourceError::Invalid(format!("cannot migrate {address}: {why}")));
    }
    let old = steps(&mut conn, before == Found::Own, &tables).await?;
    let done = || Moved { found: before.clone(), steps: Vec::new() };
    let Some(goal) = goal(&old) else { return Ok(done()) };
    if goal.is_none() && old.iter().all(|s| s.applied && !s.differs) {
        return Ok(done());
    }
    migrate_in(&mut conn, &tables).await?;
    migrator(conn.dialect()).run(&mut conn, &address.to_string(), goal).await?;
    pin(&mut conn, None).await?;
    let tables = catalog::tables(&mut conn, &CORE, EVENTS).await?;
    let found = found(&mut conn, &tables).await?;
    let new = steps(&mut conn, tables.contains_key(TABLE), &tables).await?;
    conn.close().await;
    let changed = new.into_iter().zip(old).filter(|(n, o)| n.applied != o.applied).map(|(n, _)| n).collect();
    Ok(Moved { found, steps: changed })
}

/// Points the search path of a migration at one schema, the event table's or the first of the role's own path: the
/// migrations and sqlx write their tables without one. The system's schema is searched before it.
async fn migrate_in(conn: &mut Conn, tables: &BTreeMap<String, Table>) -> Result<(), SourceError> {
    let found = tables.get(EVENTS).and_then(|table| table.schema.clone());
    let Some(schema) = found.or_else(|| conn.schemas().first().cloned()) else {
        let none = "no schema of the search path exists, or this role may not use it; create one, or set search_path";
        return if conn.dialect() == Dialect::Postgres { Err(SourceError::Invalid(none.to_owned())) } else { Ok(()) };
    };
    pin(conn, Some(&Schema::new(&schema))).await
}

/// Sets the search path of the session: to a schema, or back to the system's.
async fn pin(conn: &mut Conn, schema: Option<&Schema>) -> Result<(), SourceError> {
    // Behind a pooler the setting would stay with the server's connection, for its other clients.
    if !matches!(conn, Conn::Postgres(c) if !c.is_pooled()) {
        return Ok(());
    }
    let path = schema.map_or_else(|| SEARCH_PATH.to_owned(), |schema| format!("{schema}, pg_temp"));
    migrator::execute(conn, &format!("SET search_path = {path}")).await
}

fn options(access: Access) -> ConnectOptions {
    ConnectOptions { access, statement_timeout: NO_LIMIT, ..ConnectOptions::default() }
}

/// Opens a connection outside the pool, without a time limit.
pub(crate) async fn open(address: &Address, access: Access) -> Result<Conn, SourceError> {
    Ok(match connector(address, &options(access), Use::Queries) {
        Connector::Postgres(c) => Conn::Postgres(Box::new(c.connect().await?)),
        Connector::Sqlite(c) => Conn::Sqlite(Box::new(c.connect().await?)),
    })
}

async fn found(conn: &mut Conn, tables: &BTreeMap<String, Table>) -> Result<Found, SourceError> {
    let readable = tables.get(TABLE).is_some_and(|table| table.readable);
    if readable && made(conn, tables).await? == Made::Here {
        return Ok(Found::Own);
    }
    Ok(match tables.get(EVENTS) {
        Some(table) => {
            Found::Foreign { columns: table.columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect() }
        }
        None => Found::Nothing,
    })
}

async fn steps(conn: &mut Conn, own: bool, tables: &BTreeMap<String, Table>) -> Result<Vec<StepReport>, SourceError> {
    let applied = if own { applied(conn, schema_of(tables)).await? } else { BTreeMap::new() };
    let migrator = migrator(conn.dialect());
    let report = |step: &Step| {
        let there = applied.get(&step.version);
        let checksum = migrator.checksum(step.version);
        let differs = there.is_some_and(|(_, sum)| Some(sum) != checksum.as_ref());
        StepReport {
            version: step.version,
            name: step.name.to_owned(),
            applied: there.is_some(),
            newer: false,
            differs,
        }
    };
    let newer = |(version, (name, _)): (&i64, &(String, String))| StepReport {
        version: *version,
        name: name.clone(),
        applied: true,
        newer: true,
        differs: false,
    };
    Ok(STEPS.iter().map(report).chain(applied.range(LATEST + 1..).map(newer)).collect())
}

/// The schema of the migrations table.
fn schema_of(tables: &BTreeMap<String, Table>) -> Option<&str> {
    tables.get(TABLE).and_then(|table| table.schema.as_deref())
}

fn migrator(dialect: Dialect) -> Migrations {
    Migrations::new(STEPS.iter().map(|step| {
        let (up, down) = if dialect == Dialect::Postgres { step.postgres } else { step.sqlite };
        migrator::Step { version: step.version, name: step.name, up, down }
    }))
}
