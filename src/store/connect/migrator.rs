//! The driver's migrator: applies and undoes migrations, and runs statements outside a transaction.
//!
//! Called by the module `schema`, which knows the migrations. No SQL is composed here, and nothing here decides whether a
//! database may be changed.

use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, SqlStr};

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::error::Context;
use crate::store::sql::assert_safe;

/// The table in which the driver records applied migrations.
pub const TABLE: &str = "_sqlx_migrations";
/// Schema changes have no time limit.
const NO_LIMIT: Duration = Duration::ZERO;

/// One migration for one kind of database.
pub struct Step {
    pub version: i64,
    pub name: &'static str,
    /// The SQL that applies it.
    pub up: &'static str,
    /// The SQL that undoes it.
    pub down: &'static str,
}

/// All migrations for one kind of database.
pub struct Migrations(Migrator);

impl Migrations {
    pub fn new(steps: impl Iterator<Item = Step>) -> Self {
        let migrations = steps.flat_map(|step| {
            let migration =
                |ty, text| Migration::new(step.version, step.name.into(), ty, SqlStr::from_static(text), false);
            [migration(MigrationType::ReversibleUp, step.up), migration(MigrationType::ReversibleDown, step.down)]
        });
        Self(Migrator::with_migrations(migrations.collect()))
    }

    /// The checksum of a migration in hexadecimal digits, as the driver records it.
    pub fn checksum(&self, version: i64) -> Option<String> {
        let found = self.0.iter().find(|m| m.version == version && m.migration_type.is_up_migration());
        found.map(|m| m.checksum.iter().map(|b| format!("{b:02x}")).collect())
    }

    /// Applies all missing migrations, or undoes those above the version `target`. `address` is for messages.
    pub async fn run(&self, conn: &mut Conn, address: &str, target: Option<i64>) -> Result<(), SourceError> {
        let ran = match (conn, target) {
            (Conn::Postgres(c), None) => self.0.run_direct(None, &mut c.inner, false).await,
            (Conn::Postgres(c), Some(target)) => self.undo(&mut c.inner, target).await,
            (Conn::Sqlite(c), target) => self.run_sqlite(&mut c.inner, target).await,
        };
        ran.map_err(|e| failed(address, e))
    }

    /// In one transaction that holds the write lock from its start: the driver has no lock for SQLite, and two programs
    /// may start at once.
    async fn run_sqlite(&self, conn: &mut SqliteConnection, target: Option<i64>) -> Result<(), MigrateError> {
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
        match target {
            None => self.0.run_direct(None, &mut *tx, false).await?,
            Some(target) => self.undo(&mut *tx, target).await?,
        }
        tx.commit().await?;
        Ok(())
    }

    /// Undoes every migration above `target`, newest first.
    async fn undo<C: Migrate>(&self, conn: &mut C, target: i64) -> Result<(), MigrateError> {
        conn.lock().await?;
        let applied = conn.list_applied_migrations(TABLE).await?;
        let steps = self.0.iter().rev().filter(|m| m.migration_type.is_down_migration() && m.version > target);
        for step in steps.filter(|m| applied.iter().any(|a| a.version == m.version)) {
            conn.revert(TABLE, step).await?;
        }
        conn.unlock().await
    }
}

fn failed(address: &str, error: MigrateError) -> SourceError {
    let context = Context { address, timeout: NO_LIMIT, overdue: false };
    match error {
        MigrateError::Execute(e) => context.error(e),
        MigrateError::ExecuteMigration(e, version) => match context.error(e) {
            SourceError::Invalid(why) | SourceError::Failed(why) | SourceError::Shape(why) => {
                SourceError::Failed(format!("migration {version} failed and was rolled back: {why}"))
            }
            other => other,
        },
        MigrateError::VersionMismatch(version) => SourceError::Invalid(format!(
            "migration {version} was applied with other SQL than this version of renewscope has; use the version that made \
             the database"
        )),
        MigrateError::VersionMissing(version) => SourceError::Invalid(format!(
            "the database has migration {version}, which this version of renewscope does not know; use a newer renewscope"
        )),
        other => SourceError::Failed(other.to_string()),
    }
}

/// Runs a statement outside a transaction, as `CREATE INDEX CONCURRENTLY` requires.
pub async fn execute(conn: &mut Conn, text: &str) -> Result<(), SourceError> {
    let sql = sqlx::raw_sql(assert_safe(text));
    match conn {
        Conn::Postgres(c) => sql.execute(&mut c.inner).await.map(drop).map_err(|e| c.context(false).error(e)),
        Conn::Sqlite(c) => {
            let ran = sql.execute(&mut c.inner).await.map(drop);
            ran.map_err(|e| Context { address: "the SQLite file", timeout: NO_LIMIT, overdue: false }.error(e))
        }
    }
}
