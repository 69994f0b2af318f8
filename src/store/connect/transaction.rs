//! Transactions of a PostgreSQL session: read-only ones around each query, and those of a writer.
//!
//! A session default of "read only" can be turned off by any function that a query calls; a transaction that began
//! read-only cannot. So a session that reads runs each query in one, which [`Session`](crate::store::connect::session)
//! ends, and compares its settings afterwards. Behind a transaction pooler the transaction also carries the settings.
//! Nothing here composes a query.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::protocol::{SourceError, Why};
use crate::store::connect::error::Fault;
use crate::store::connect::postgres::{Health, PgConn, within};
use crate::store::connect::statement::arguments;
use crate::store::sql::cell::{CellType, Row, Texts};
use crate::store::sql::{Sql, assert_safe};

/// Begins the transaction of a query. Named isolation, so that a role's default does not decide what its statements see.
pub const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";

/// What the session relies on, and a function of the database could change.
const GUARDED: [&str; 13] = [
    "search_path",
    "role",
    "session_authorization",
    "session_replication_role",
    "default_transaction_read_only",
    "default_transaction_isolation",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "standard_conforming_strings",
    "row_security",
    "client_encoding",
    "TimeZone",
];

/// Reads the guarded settings and releases advisory locks of the session. Qualified, and without an operator: the search
/// path is one of the settings that may have been changed.
pub fn guard() -> String {
    let settings: Vec<_> = GUARDED.iter().map(|name| format!("pg_catalog.current_setting('{name}')")).collect();
    format!("SELECT {}, pg_catalog.pg_advisory_unlock_all()", settings.join(", "))
}

/// The values that [`guard`] reads.
pub fn values(row: &PgRow) -> Result<Vec<String>, sqlx::Error> {
    (0..GUARDED.len()).map(|at| row.try_get(at)).collect()
}

impl PgConn {
    /// Begins the transaction of a query, unless it has one. A writer's session needs none, except behind a pooler, which
    /// drops the session's limits.
    pub(super) async fn begin_query(&mut self) -> Result<(), sqlx::Error> {
        if self.open || (self.writes() && self.settings.is_none()) {
            return Ok(());
        }
        let Some(settings) = &self.settings else {
            sqlx::raw_sql(BEGIN_READ).execute(&mut self.inner).await?;
            self.open = true;
            return Ok(());
        };
        let sql = format!("{settings}; SELECT pg_backend_pid(); {}", guard());
        let results = sqlx::raw_sql(assert_safe(&sql)).fetch_all(&mut self.inner).await?;
        self.open = true;
        let [pid, guarded] = results.as_slice() else {
            return Err(sqlx::Error::Protocol("the server did not return its settings".into()));
        };
        self.guarded = values(guarded)?;
        self.set_pid(pid.try_get(0)?);
        Ok(())
    }

    /// After a statement: a transaction that failed is ended, so that the next statement gets a new one. A writer's
    /// session behind a pooler ends it in any case, because `CREATE INDEX CONCURRENTLY` cannot run in one.
    pub(super) async fn end_statement(&mut self, succeeded: bool) -> Result<(), sqlx::Error> {
        if !self.open || (succeeded && !self.writes()) {
            return Ok(());
        }
        let ended = sqlx::raw_sql(if succeeded { "COMMIT" } else { "ROLLBACK" }).execute(&mut self.inner).await;
        self.closed();
        match ended {
            Err(e) if succeeded => Err(e),
            Err(_) => {
                // The error of the statement is the cause, and the one that is reported.
                self.health = Health::Lost;
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// Ends the transaction of a query, if one is open, and compares the session's settings. An error says which of them
    /// the query changed; the connection is not used again.
    pub async fn finish(&mut self) -> Result<(), SourceError> {
        if !self.open {
            return Ok(());
        }
        let changed = within(self.timeout(), self.commit_and_compare()).await.map_err(|e| self.fault(e))?;
        let Some(name) = changed else { return Ok(()) };
        self.health = Health::Altered;
        let why = Why::new(format!("the source changed the session setting '{name}' while it was read"));
        let step = "remove set_config from the profile's select, or from the view or policy it reads";
        Err(self.context(false).refused(why.step(step)))
    }

    /// The name of a setting that was changed. Behind a pooler the comparison precedes the end, since a change would stay
    /// with the server's connection: rolling back reverts it.
    async fn commit_and_compare(&mut self) -> Result<Option<&'static str>, sqlx::Error> {
        let pooled = self.settings.is_some();
        let sql = if pooled { guard() } else { format!("COMMIT; {}", guard()) };
        let row = sqlx::raw_sql(assert_safe(&sql)).fetch_one(&mut self.inner).await?;
        let now = values(&row)?;
        let changed = GUARDED.iter().zip(now.iter().zip(&self.guarded)).find(|(_, (now, then))| now != then);
        let changed = changed.map(|(name, _)| *name);
        if pooled {
            let end = if changed.is_some() { "ROLLBACK" } else { "COMMIT" };
            sqlx::raw_sql(end).execute(&mut self.inner).await?;
        }
        self.closed();
        Ok(changed)
    }

    /// Notes that no transaction is open; behind a pooler the backend is not ours from here on.
    fn closed(&mut self) {
        self.open = false;
        if self.settings.is_some() {
            self.set_pid(0);
        }
    }

    /// Whether a transaction is open that [`finish`](Self::finish) has to end.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Begins a transaction of a writer.
    pub async fn begin_write(&mut self) -> Result<(), Fault> {
        let limit = self.timeout();
        let begun = match self.settings {
            Some(_) => within(limit, self.begin_query()).await,
            None => within(limit, sqlx::raw_sql("BEGIN").execute(&mut self.inner)).await.map(drop),
        };
        begun.map_err(|e| self.fault(e))
    }

    /// Runs a statement within a writer's transaction.
    pub async fn write(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, Fault> {
        let arguments = arguments(sql.binds()).map_err(|e| self.fault(e))?;
        let query = sqlx::query_with(assert_safe(sql.text()), arguments).persistent(false);
        let rows = within(self.timeout(), query.fetch_all(&mut self.inner)).await;
        let mut texts = Texts::default();
        let rows = rows.and_then(|rows| rows.iter().map(|r| Row::from_pg(r, shape, &mut texts)).collect());
        rows.map_err(|e| self.fault(e))
    }

    /// Ends a writer's transaction. A commit whose result is lost is not retried: whether it happened is unknown.
    pub async fn end(&mut self, commit: bool) -> Result<(), Fault> {
        let end = if commit { "COMMIT" } else { "ROLLBACK" };
        let ended = within(self.timeout(), sqlx::raw_sql(end).execute(&mut self.inner)).await;
        self.closed();
        let Err(e) = ended else { return Ok(()) };
        let fault = self.fault(e);
        if self.health == Health::Good {
            self.health = Health::Lost;
        }
        Err(match fault {
            Fault::Source(SourceError::Unreachable { why, .. }) if commit => {
                let why = Why::new(format!("{why}; whether the last events were stored is not known"));
                Fault::Source(self.context(false).unreachable(why.step("run it again: the same event is stored once")))
            }
            other => other,
        })
    }
}
