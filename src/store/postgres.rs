//! PostgreSQL: sessions that cannot write unless told to, within time limits, directly or through a pooler; and
//! stopping a statement from a control connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant as Moment};

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection};
use sqlx::{Arguments as _, ConnectOptions as _, Connection as _};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::{Context, Fault};
use super::session::ACQUIRE_TIMEOUT;
use super::sql::cell::{CellType, PgTime, PgTimeTz, Row};
use super::sql::{Bind, Sql, vouched};
use super::{Access, ConnectOptions};
use crate::protocol::SourceError;

/// A server that does not answer a cancel request in this time is left alone; its statement timeout remains.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(2);

pub struct Connector {
    base: PgConnectOptions,
    access: Access,
    timeout: Duration,
    address: String,
    control: Mutex<Option<PgConnection>>,
}

/// The server process behind a connection. Zero: not known, so not to be stopped.
#[derive(Clone)]
pub struct Handle(Arc<AtomicI32>);

pub struct PgConn {
    pub inner: PgConnection,
    pid: Arc<AtomicI32>,
    /// Set where a pooler takes the session's settings away: every statement gets them in a transaction of its own.
    settings: Option<String>,
    broken: bool,
    tuned: Option<bool>,
    timeout: Duration,
    address: String,
}

impl Connector {
    pub fn new(base: PgConnectOptions, address: String, options: &ConnectOptions) -> Self {
        // Poolers refuse this parameter, and no column here is a float.
        let base = base.extra_float_digits(None).statement_cache_capacity(8).disable_statement_logging();
        let base = match base.get_application_name() {
            Some(_) => base,
            None => base.application_name(&options.application_name),
        };
        Self { base, access: options.access, timeout: options.statement_timeout, address, control: Mutex::default() }
    }

    fn context(&self) -> Context<'_> {
        Context { address: &self.address, timeout: self.timeout, overdue: false }
    }

    /// The limits of a session: name and value.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let limit = self.timeout.as_millis();
        let mut settings = vec![
            ("statement_timeout", limit.to_string()),
            ("lock_timeout", "5000".to_owned()),
            ("idle_in_transaction_session_timeout", "60000".to_owned()),
        ];
        if self.access == Access::Read {
            settings.push(("default_transaction_read_only", "on".to_owned()));
        }
        settings
    }

    /// Opens a connection within [`ACQUIRE_TIMEOUT`].
    pub async fn connect(&self) -> Result<PgConn, SourceError> {
        match timeout(ACQUIRE_TIMEOUT, self.open()).await {
            Ok(conn) => conn,
            Err(_) => Err(self.context().unreachable("no answer within 5 s".into())),
        }
    }

    async fn open(&self) -> Result<PgConn, SourceError> {
        let with_settings = self.base.clone().options(self.settings());
        let (inner, asked) = match with_settings.connect().await {
            Ok(inner) => (inner, true),
            // A pooler in transaction mode refuses the settings at start; the server itself never does.
            Err(e) if refuses_options(&e) => (self.base.connect().await.map_err(|e| self.context().error(e))?, false),
            Err(e) => return Err(self.context().error(e)),
        };
        let mut conn = PgConn {
            inner,
            pid: Arc::default(),
            settings: None,
            broken: false,
            tuned: None,
            timeout: self.timeout,
            address: self.address.clone(),
        };
        conn.learn(asked, self.access, &self.local_settings()).await?;
        Ok(conn)
    }

    /// The same limits for one transaction.
    fn local_settings(&self) -> String {
        let begin = if self.access == Access::Read { "BEGIN READ ONLY" } else { "BEGIN" };
        let mut text = begin.to_owned();
        for (name, value) in self.settings() {
            if name != "default_transaction_read_only" {
                text.push_str(&format!("; SET LOCAL {name} = {value}"));
            }
        }
        text
    }

    /// Cancels what the process runs now. The caller owns that connection and sends nothing on it meanwhile, so the
    /// signal cannot hit a later statement of another.
    pub async fn stop(&self, handle: &Handle) {
        let pid = handle.0.load(Ordering::Acquire);
        if pid != 0 {
            let _ = timeout(CONTROL_TIMEOUT, self.signal(pid)).await;
        }
    }

    async fn signal(&self, pid: i32) {
        let mut control = self.control.lock().await;
        // A kept connection may have died; a fresh one gets the second turn.
        for _ in 0..2 {
            if control.is_none() {
                *control = self.base.connect().await.ok();
            }
            let Some(conn) = control.as_mut() else { return };
            let sent = sqlx::query("SELECT pg_cancel_backend($1)").bind(pid).persistent(false).execute(conn).await;
            if sent.is_ok() {
                return;
            }
            *control = None;
        }
    }
}

fn refuses_options(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|d| d.code().as_deref() == Some("08P01") || d.message().contains("options"))
}

impl PgConn {
    /// Learns the process id, and whether the settings took hold; a pooler may drop them without a word. Where they did,
    /// the session is ours, and the planner is set in the same turn; see [`tune`](Self::tune).
    async fn learn(&mut self, asked: bool, access: Access, local: &str) -> Result<(), SourceError> {
        let limit = self.timeout.as_millis().to_string();
        let sql = "SELECT pg_backend_pid(), s.held, \
            (SELECT count(set_config(name, 'off', false)) FROM pg_settings \
            WHERE s.held AND name IN ('jit', 'enable_incremental_sort')) \
            FROM (SELECT $3 AND (SELECT setting FROM pg_settings WHERE name = 'statement_timeout') = $1 \
            AND ($2 OR current_setting('default_transaction_read_only') = 'on') AS held) s";
        let query = sqlx::query_as::<_, (i32, bool, i64)>(sql).bind(limit).bind(access == Access::Write).bind(asked);
        let found = query.persistent(false).fetch_one(&mut self.inner).await;
        let (pid, held, _) = found.map_err(|e| self.context(false).error(e))?;
        if held {
            self.pid.store(pid, Ordering::Release);
            self.tuned = Some(true);
        } else {
            self.settings = Some(local.to_owned());
        }
        Ok(())
    }

    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.pid))
    }

    /// Whether another question may have this connection.
    pub const fn usable(&self) -> bool {
        !self.broken
    }

    pub async fn ping(&mut self) -> Result<(), sqlx::Error> {
        self.inner.ping().await
    }

    /// The words for an error of this connection.
    pub fn context(&self, overdue: bool) -> Context<'_> {
        Context { address: &self.address, timeout: self.timeout, overdue }
    }

    /// Settings of the planner, as far as the server knows them; behind a pooler the session is not ours to set.
    ///
    /// Compiling a question costs more than it saves. And where the table has every composite index, nothing is to be
    /// sorted group by group: the planner takes the groups of a column for equally large, and would sort half the table
    /// where one organisation owns it, to save some pages of index. That is how a session begins, see
    /// [`learn`](Self::learn); only another kind of table costs a turn of its own.
    pub async fn tune(&mut self, all_indexes: bool) -> Result<(), SourceError> {
        if self.tuned == Some(all_indexes) || self.settings.is_some() {
            return Ok(());
        }
        let sql = "SELECT set_config(name, CASE WHEN $1 THEN 'off' ELSE 'on' END, false) \
             FROM pg_settings WHERE name = 'enable_incremental_sort'";
        let set = sqlx::query(sql).bind(all_indexes).persistent(false).execute(&mut self.inner).await;
        set.map_err(|e| self.context(false).error(e))?;
        self.tuned = Some(all_indexes);
        Ok(())
    }

    /// Runs a statement; one that a standby gave up in favour of replay is asked once more.
    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        let started = Moment::now();
        let mut rows = self.once(sql, shape).await;
        if rows.as_ref().is_err_and(gave_way) {
            rows = self.once(sql, shape).await;
        }
        rows.map_err(|e| {
            self.broken |= e.as_database_error().is_none() && !matches!(e, sqlx::Error::ColumnDecode { .. });
            let overdue = !self.timeout.is_zero() && started.elapsed() >= self.timeout.mul_f64(0.9);
            self.context(overdue).error(e)
        })
    }

    async fn once(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, sqlx::Error> {
        let arguments = arguments(sql.binds())?;
        if self.settings.is_some() {
            self.begin().await?;
        }
        let query = sqlx::query_with(vouched(sql.text()), arguments).persistent(false);
        let rows = query.fetch_all(&mut self.inner).await;
        if self.settings.is_some() {
            self.pid.store(0, Ordering::Release);
            let end = if rows.is_ok() { "COMMIT" } else { "ROLLBACK" };
            sqlx::raw_sql(end).execute(&mut self.inner).await?;
        }
        rows?.iter().map(|r| Row::from_pg(r, shape)).collect()
    }

    /// Begins a transaction under the session's limits where a pooler keeps none; the process is ours until its end.
    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let Some(settings) = self.settings.clone() else { return Ok(()) };
        sqlx::raw_sql(vouched(&settings)).execute(&mut self.inner).await?;
        let query = sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()").persistent(false);
        let pid = query.fetch_one(&mut self.inner).await?;
        self.pid.store(pid, Ordering::Release);
        Ok(())
    }

    /// Begins a transaction of a writer.
    pub async fn begin_write(&mut self) -> Result<(), Fault> {
        let begun = match self.settings {
            Some(_) => self.begin().await,
            None => sqlx::raw_sql("BEGIN").execute(&mut self.inner).await.map(drop),
        };
        begun.map_err(|e| self.context(false).fault(e))
    }

    /// Runs a statement within a writer's transaction.
    pub async fn write(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, Fault> {
        let fault = |e| self.context(false).fault(e);
        let arguments = arguments(sql.binds()).map_err(fault)?;
        let query = sqlx::query_with(vouched(sql.text()), arguments).persistent(false);
        let rows = query.fetch_all(&mut self.inner).await;
        let rows = rows.and_then(|rows| rows.iter().map(|r| Row::from_pg(r, shape)).collect());
        rows.map_err(|e| self.context(false).fault(e))
    }

    /// Ends a writer's transaction.
    pub async fn end(&mut self, commit: bool) -> Result<(), Fault> {
        let end = if commit { "COMMIT" } else { "ROLLBACK" };
        let ended = sqlx::raw_sql(end).execute(&mut self.inner).await;
        if self.settings.is_some() {
            self.pid.store(0, Ordering::Release);
        }
        self.broken |= ended.is_err();
        ended.map(drop).map_err(|e| self.context(false).fault(e))
    }
}

/// Cancelled by replay on a standby, the connection still being good.
fn gave_way(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|d| d.code().as_deref() == Some("40001"))
}

/// The values of a statement for the driver.
fn arguments(binds: &[Bind]) -> Result<PgArguments, sqlx::Error> {
    let mut out = PgArguments::default();
    for bind in binds {
        match bind {
            Bind::Int(n) => out.add(*n),
            Bind::OptInt(n) => out.add(*n),
            Bind::Text(t) => out.add(t.as_str()),
            Bind::OptText(t) => out.add(t.as_deref()),
            Bind::Uuid(u) => out.add(*u),
            Bind::Time(t) => out.add(PgTime(*t)),
            Bind::TimeTz(t) => out.add(PgTimeTz(*t)),
            Bind::Uuids(list) => out.add(list.as_slice()),
            Bind::Texts(list) => out.add(list.as_slice()),
            Bind::Times(list) => out.add(list.iter().map(|t| t.map(PgTime)).collect::<Vec<_>>()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(out)
}
