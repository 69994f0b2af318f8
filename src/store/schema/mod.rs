//! The schema of our own database: what is applied, going forward, going back, and the indexes of a table that others
//! made.
//!
//! Nothing here runs by connecting (but see [`ConnectOptions::create`]); each function is a command that a
//! person gives. A database whose event table we did not make is reported and left as it is; only [`index()`] and
//! [`index_search`] add to it.

mod index;
mod notify;
mod search;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, SqlStr};

use crate::protocol::SourceError;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::connector;
use crate::store::connect::error::Context;
use crate::store::connect::pool::Connector;
use crate::store::options::{Access, ConnectOptions};
use crate::store::source::catalog;
use crate::store::source::catalog::{CORE, EVENTS, Table};
use crate::store::source::own::{applied, is_own};
use crate::store::sql::Dialect;

pub use index::{IndexReport, IndexState, index, index_search};
pub use notify::notify;

/// Where the driver notes what was applied.
const TABLE: &str = "_sqlx_migrations";
/// Making an index takes as long as it takes.
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

/// What stands in the database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// No event table, and none of our migrations.
    Nothing,
    /// Our own schema.
    Own,
    /// An event table that others made: its columns, `name type`.
    Foreign { columns: Vec<String> },
}

/// One migration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepReport {
    pub version: i64,
    pub name: &'static str,
    pub applied: bool,
    /// Applied from other text than this program has.
    pub differs: bool,
}

/// Where a database stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Without any secret.
    pub address: String,
    pub found: Found,
    pub steps: Vec<StepReport>,
    pub indexes: Vec<IndexReport>,
}

/// What a migration did: the steps that it took, in their order. None where nothing was to be done, or where the table
/// is not ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    pub found: Found,
    pub steps: Vec<StepReport>,
}

/// Looks, and changes nothing.
pub async fn status(address: &Address) -> Result<Status, SourceError> {
    let mut conn = open(address, Access::Read).await?;
    let tables = catalog::tables(&mut conn, &CORE).await?;
    let found = found(&mut conn, &tables).await?;
    let steps = steps(&mut conn, found == Found::Own).await?;
    let indexes = match found {
        Found::Nothing => Vec::new(),
        _ => index::reports(&mut conn).await?,
    };
    Ok(Status { address: address.to_string(), found, steps, indexes })
}

/// Brings our schema up to date; makes it, and a missing SQLite file, where nothing is. Running it twice changes nothing.
pub async fn migrate(address: &Address) -> Result<Moved, SourceError> {
    if let Some(path) = address.path().filter(|p| !p.exists())
        && let Some(moved) = make_file(path).await?
    {
        return Ok(moved);
    }
    run(address, |_| Some(None)).await
}

/// Makes a SQLite file beside its place and puts it there when it is complete, so that of several programs that start at
/// once one makes it and none sees a part of it. `None` where another was first.
async fn make_file(path: &Path) -> Result<Option<Moved>, SourceError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", uuid::Uuid::new_v4().simple()));
    let draft = PathBuf::from(name);
    crate::store::connect::sqlite::Connector::new(
        draft.clone(),
        &options(Access::Write),
        crate::store::connect::sqlite::Use::Queries,
    )
    .create()
    .await?;
    let moved = run(&Address::sqlite(&draft), |_| Some(None)).await;
    let placed = match moved {
        Ok(moved) => match std::fs::hard_link(&draft, path) {
            Ok(()) => Ok(Some(moved)),
            Err(_) if path.exists() => Ok(None),
            // Not every file system has links.
            Err(_) => std::fs::rename(&draft, path).map(|()| Some(moved)).map_err(|e| SourceError::Unreachable {
                address: Address::sqlite(path).to_string(),
                why: format!("the file cannot be made: {e}").into(),
            }),
        },
        Err(e) => Err(e),
    };
    if draft.exists()
        && let Err(error) = std::fs::remove_file(&draft)
    {
        tracing::warn!(%error, "a draft of a database file could not be removed");
    }
    placed
}

/// Goes back one step, or down to `target` (0: everything, with all events).
pub async fn rollback(address: &Address, target: Option<i64>) -> Result<Moved, SourceError> {
    run(address, |before| {
        let last = before.iter().filter(|s| s.applied).map(|s| s.version).max()?;
        Some(Some(target.unwrap_or(last - 1)))
    })
    .await
}

/// Runs the migrator: forward, or back to the version that `goal` gives. `None` from it: nothing to do.
async fn run(
    address: &Address,
    goal: impl FnOnce(&[StepReport]) -> Option<Option<i64>> + Send,
) -> Result<Moved, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    let tables = catalog::tables(&mut conn, &CORE).await?;
    let before = found(&mut conn, &tables).await?;
    if matches!(before, Found::Foreign { .. }) {
        return Ok(Moved { found: before, steps: Vec::new() });
    }
    if before == Found::Nothing && (tables.contains_key("devices") || tables.contains_key("organizations")) {
        return Err(SourceError::Invalid(format!(
            "{address} has a table 'devices' or 'organizations' that is not ours; give renewscope a database or schema of its own"
        )));
    }
    let old = steps(&mut conn, before == Found::Own).await?;
    let done = || Moved { found: before.clone(), steps: Vec::new() };
    let Some(goal) = goal(&old) else { return Ok(done()) };
    if goal.is_none() && old.iter().all(|s| s.applied && !s.differs) {
        return Ok(done());
    }
    let migrator = migrator(conn.dialect());
    let shown = address.to_string();
    let ran = match (&mut conn, goal) {
        (Conn::Postgres(c), None) => migrator.run_direct(None, &mut c.inner, false).await,
        (Conn::Postgres(c), Some(target)) => undo(&migrator, &mut c.inner, target).await,
        (Conn::Sqlite(c), goal) => run_sqlite(&migrator, &mut c.inner, goal).await,
    };
    ran.map_err(|e| failed(&shown, e))?;
    let tables = catalog::tables(&mut conn, &CORE).await?;
    let found = found(&mut conn, &tables).await?;
    let new = steps(&mut conn, true).await?;
    conn.close().await;
    let changed = new.into_iter().zip(old).filter(|(n, o)| n.applied != o.applied).map(|(n, _)| n).collect();
    Ok(Moved { found, steps: changed })
}

/// In one transaction that begins as a writer's: the driver has no lock for SQLite, and two programs may start at once.
async fn run_sqlite(migrator: &Migrator, conn: &mut SqliteConnection, goal: Option<i64>) -> Result<(), MigrateError> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    match goal {
        None => migrator.run_direct(None, &mut *tx, false).await?,
        Some(target) => undo(migrator, &mut *tx, target).await?,
    }
    tx.commit().await?;
    Ok(())
}

/// Takes back, newest first, every step above `target`.
async fn undo<C: Migrate>(migrator: &Migrator, conn: &mut C, target: i64) -> Result<(), MigrateError> {
    conn.lock().await?;
    let applied = conn.list_applied_migrations(TABLE).await?;
    let steps = migrator.iter().rev().filter(|m| m.migration_type.is_down_migration() && m.version > target);
    for step in steps.filter(|m| applied.iter().any(|a| a.version == m.version)) {
        conn.revert(TABLE, step).await?;
    }
    conn.unlock().await
}

fn failed(address: &str, error: MigrateError) -> SourceError {
    let context = Context { address, timeout: NO_LIMIT, overdue: false };
    match error {
        MigrateError::Execute(e) => context.error(e),
        MigrateError::ExecuteMigration(e, version) => match context.error(e) {
            SourceError::Invalid(why) | SourceError::Failed(why) | SourceError::Shape(why) => {
                SourceError::Failed(format!("migration {version} failed and was undone: {why}"))
            }
            other => other,
        },
        MigrateError::VersionMismatch(version) => SourceError::Invalid(format!(
            "migration {version} was applied from other text than this version of renewscope has; use the version that made the database"
        )),
        MigrateError::VersionMissing(version) => SourceError::Invalid(format!(
            "the database has migration {version}, which this version of renewscope does not know; use a newer one"
        )),
        other => SourceError::Failed(other.to_string()),
    }
}

fn options(access: Access) -> ConnectOptions {
    ConnectOptions { access, statement_timeout: NO_LIMIT, ..ConnectOptions::default() }
}

/// A connection of one's own, without a time limit.
pub(crate) async fn open(address: &Address, access: Access) -> Result<Conn, SourceError> {
    Ok(match connector(address, &options(access), crate::store::connect::sqlite::Use::Queries) {
        Connector::Postgres(c) => Conn::Postgres(Box::new(c.connect().await?)),
        Connector::Sqlite(c) => Conn::Sqlite(Box::new(c.connect().await?)),
    })
}

async fn found(conn: &mut Conn, tables: &BTreeMap<String, Table>) -> Result<Found, SourceError> {
    if is_own(conn, tables).await? {
        return Ok(Found::Own);
    }
    Ok(match tables.get(EVENTS) {
        Some(table) => {
            Found::Foreign { columns: table.columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect() }
        }
        None => Found::Nothing,
    })
}

async fn steps(conn: &mut Conn, own: bool) -> Result<Vec<StepReport>, SourceError> {
    let applied = if own { applied(conn).await? } else { BTreeMap::new() };
    let migrator = migrator(conn.dialect());
    let report = |step: &Step| {
        let there = applied.get(&step.version);
        let ours = migrator.iter().find(|m| m.version == step.version && m.migration_type.is_up_migration());
        let checksum: Option<String> = ours.map(|m| m.checksum.iter().map(|b| format!("{b:02x}")).collect());
        let differs = there.is_some_and(|(_, sum)| Some(sum) != checksum.as_ref());
        StepReport { version: step.version, name: step.name, applied: there.is_some(), differs }
    };
    Ok(STEPS.iter().map(report).collect())
}

fn migrator(dialect: Dialect) -> Migrator {
    let migrations = STEPS.iter().flat_map(|step| {
        let (up, down) = if dialect == Dialect::Postgres { step.postgres } else { step.sqlite };
        let migration = |ty, text| Migration::new(step.version, step.name.into(), ty, SqlStr::from_static(text), false);
        [migration(MigrationType::ReversibleUp, up), migration(MigrationType::ReversibleDown, down)]
    });
    Migrator::with_migrations(migrations.collect())
}
