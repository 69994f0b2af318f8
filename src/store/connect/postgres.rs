//! A PostgreSQL session: statements within time limits, directly or behind a pooler.
//!
//! A statement ends with a result, by the server's limit, or, if the network is dead, by ours. A session that failed
//! says so and is not used again. [`login`](crate::store::connect::login) opens one.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Moment};

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection as _, Row as _};
use tokio::time::timeout;

use crate::domain::text::Clean;
use crate::protocol::{SourceError, Why};
use crate::store::connect::address::Tls;
use crate::store::connect::error::{Context, Fault, is_fatal, seconds};
pub use crate::store::connect::login::Connector;
use crate::store::connect::statement::{arguments, gave_way, is_outdated, is_write, named_by_types};
use crate::store::connect::transaction::{guard, values};
use crate::store::options::Access;
use crate::store::sql::cell::{CellType, Row, Texts};
use crate::store::sql::{Dialect, Sql, assert_safe};

/// How long an idle connection may take to answer a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// The server ends a statement at its limit, and its error takes a while to arrive. A connection that stays silent
/// for longer than this is dead, and only this side can end the wait.
const MARGIN: Duration = Duration::from_secs(5);

/// The search path of every session. Only the system's functions, operators, casts and types are found without a schema,
/// so that an object that somebody else created in a schema of the role's own path never runs. Tables are written with
/// their schemas. `pg_temp` is named, because it would come first otherwise.
pub const SEARCH_PATH: &str = "pg_catalog, pg_temp";

/// `random_page_cost` where a sequential page costs 1: right for data that is read often, hence cached, and for
/// solid-state disks.
const PAGE_COST: &str = "1.1";

/// The backend process of a connection, and its host in the upper half. No process: not known, so it cannot be cancelled.
#[derive(Clone)]
pub struct Handle(Arc<AtomicU64>);

/// Whether a connection can be used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    Good,
    /// The connection was closed; the error on a new one tells more.
    Lost,
    /// No answer in time; other connections are probably dead too.
    Silent,
    /// A query changed what the session relies on. The server is fine.
    Altered,
}

/// What a session is opened for, and how long one statement of it may take.
#[derive(Clone, Copy)]
pub struct Limits {
    pub access: Access,
    pub timeout: Duration,
}

/// A session with its limits, its state, and what is known of the server.
pub struct PgConn {
    pub inner: PgConnection,
    backend: Arc<AtomicU64>,
    /// The number of the host in the address.
    host: u32,
    /// Set behind a transaction pooler, which drops session settings: the statement that begins a transaction with them.
    pub(super) settings: Option<String>,
    /// Prepared statements stay on the server: the session is ours alone. They are planned for the values each time.
    keeps: bool,
    pub(super) health: Health,
    tuned: Option<bool>,
    limits: Limits,
    tls: Tls,
    address: String,
    /// The role's own search path, for finding tables; see [`SEARCH_PATH`].
    schemas: Vec<String>,
    /// A transaction is open; see [`transaction`](crate::store::connect::transaction).
    pub(super) open: bool,
    /// The settings that no query may change, as the session has set them.
    pub(super) guarded: Vec<String>,
}

/// Waits at most the session's limit plus [`MARGIN`]; a timeout is reported as a network error. Zero is no limit.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    if limit.is_zero() {
        return work.await;
    }
    let limit = limit + MARGIN;
    timeout(limit, work).await.unwrap_or_else(|_| {
        let why = format!("no answer within {}", seconds(limit));
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why)))
    })
}

impl Handle {
    /// The host and the backend process, if that is known to be ours.
    pub fn backend(&self) -> Option<(usize, i32)> {
        let backend = self.0.load(Ordering::Acquire);
        let pid = i32::try_from(backend & u64::from(u32::MAX)).ok().filter(|pid| *pid != 0)?;
        Some((usize::try_from(backend >> 32).ok()?, pid))
    }
}

/// Lets a transaction behind a pooler receive bytes as they are; see [`PgConn::verify_settings`].
const LOCAL_BYTES: &str = "SET LOCAL client_encoding = 'SQL_ASCII'";

impl PgConn {
    /// A session that has just been opened; [`verify_settings`](Self::verify_settings) is called next.
    pub fn new(inner: PgConnection, limits: Limits, tls: Tls, address: &str) -> Self {
        Self {
            inner,
            backend: Arc::default(),
            host: 0,
            settings: None,
            keeps: false,
            health: Health::Good,
            tuned: None,
            limits,
            tls,
            address: address.to_owned(),
            schemas: Vec::new(),
            open: false,
            guarded: Vec::new(),
        }
    }

    /// The same session, on one of several hosts.
    pub fn on_host(mut self, at: usize) -> Self {
        self.host = u32::try_from(at).unwrap_or_default();
        self
    }

    /// Reads the role's search path and replaces it, then the backend pid and whether the session settings took hold; a
    /// pooler may drop them silently. If they did, the session is ours, and the planner is set in the same round trip;
    /// see [`tune`](Self::tune).
    ///
    /// One message: behind a pooler the second of two messages may reach another backend. Its first statements run under
    /// the role's own search path, so they call qualified functions alone and use no operator.
    ///
    /// A database of the encoding SQL_ASCII stores any bytes. To a client of the encoding UTF8 the server refuses a row with
    /// an invalid byte, so such a session receives the bytes as they are; see [`Row`].
    pub async fn verify_settings(&mut self, sent: bool, local: &str) -> Result<(), sqlx::Error> {
        let sql = format!(
            "SELECT CAST(pg_catalog.current_schemas(false) AS pg_catalog.text[]); \
            SELECT pg_catalog.set_config('search_path', '{SEARCH_PATH}', true); \
            SELECT pg_backend_pid(), s.held, s.held AND s.version >= 120000, \
            set_config('search_path', '{SEARCH_PATH}', NOT s.held), \
            CASE WHEN s.held THEN set_config('random_page_cost', '{PAGE_COST}', false) END, \
            CASE WHEN s.held AND s.version >= 110000 THEN set_config('jit', 'off', false) END, \
            CASE WHEN s.held AND s.version >= 120000 THEN set_config('plan_cache_mode', 'force_custom_plan', false) END, \
            CASE WHEN s.held AND s.version >= 130000 THEN set_config('enable_incremental_sort', 'off', false) END, \
            CASE WHEN s.held AND current_setting('server_encoding') = 'SQL_ASCII' \
            THEN set_config('client_encoding', 'SQL_ASCII', false) END, \
            current_setting('server_encoding') = 'SQL_ASCII' \
            FROM (SELECT current_setting('server_version_num')::int AS version, \
            {sent} AND current_setting('statement_timeout')::interval = interval '{} milliseconds' \
            AND ({} OR current_setting('default_transaction_read_only') = 'on') AS held) s; \
            {}",
            self.limits.timeout.as_millis(),
            self.limits.access == Access::Write,
            guard(),
        );
        let results = sqlx::raw_sql(assert_safe(&sql)).fetch_all(&mut self.inner).await?;
        let [schemas, _, row, guarded] = results.as_slice() else {
            return Err(sqlx::Error::Protocol("the server did not return its settings".into()));
        };
        self.schemas = schemas.try_get(0)?;
        let (pid, held): (i32, bool) = (row.try_get(0)?, row.try_get(1)?);
        if held {
            self.keeps = row.try_get(2)?;
            self.guarded = values(guarded)?;
            self.set_pid(pid);
            self.tuned = Some(true);
        } else {
            let bytes: bool = row.try_get(9)?;
            self.settings = Some(if bytes { format!("{local}; {LOCAL_BYTES}") } else { local.to_owned() });
        }
        Ok(())
    }

    /// The schemas in which the role finds tables, first ones first.
    pub fn schemas(&self) -> &[String] {
        &self.schemas
    }

    /// Whether the session may write.
    pub(super) const fn writes(&self) -> bool {
        matches!(self.limits.access, Access::Write)
    }

    /// The limit of one statement.
    pub(super) const fn timeout(&self) -> Duration {
        self.limits.timeout
    }

    /// The backend process, as far as a statement of ours runs on it.
    pub(super) fn set_pid(&self, pid: i32) {
        let pid = u64::from(pid.unsigned_abs());
        self.backend.store(u64::from(self.host) << 32 | pid, Ordering::Release);
    }

    /// What cancels the statement of this session.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.backend))
    }

    /// Replaces a lost connection: what cancels that one's query cancels this one's from now on.
    pub fn replace_handle(&mut self, handle: &Handle) {
        handle.0.store(self.backend.load(Ordering::Acquire), Ordering::Release);
        self.backend = Arc::clone(&handle.0);
    }

    /// Whether another query may use this connection.
    pub const fn health(&self) -> Health {
        self.health
    }

    /// Whether a pooler drops the session settings.
    pub const fn is_pooled(&self) -> bool {
        self.settings.is_some()
    }

    /// Whether the server still answers on this connection.
    pub async fn ping(&mut self) -> Health {
        match timeout(PING_TIMEOUT, self.inner.ping()).await {
            Ok(Ok(())) => Health::Good,
            Ok(Err(_)) => Health::Lost,
            Err(_) => Health::Silent,
        }
    }

    /// How the connection is protected, in words.
    pub async fn tls(&mut self) -> &'static str {
        let mut on = None;
        if self.tls == Tls::Prefer && !self.is_pooled() {
            let sql =
                Sql::plain(Dialect::Postgres, "SELECT ssl::int::int8 FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
            let rows = self.rows(&sql, &[CellType::Int]).await.unwrap_or_default();
            on = rows.into_iter().next().and_then(|mut r| r.int(0)).map(|n| n == 1);
        }
        self.tls.words(on)
    }

    /// The context for errors of this connection.
    pub fn context(&self, overdue: bool) -> Context<'_> {
        Context { address: &self.address, timeout: self.limits.timeout, overdue }
    }

    /// Records what an error means for the connection.
    fn note(&mut self, error: &sqlx::Error) {
        if is_fatal(error) {
            let silent = matches!(error, sqlx::Error::Io(e) if e.kind() == std::io::ErrorKind::TimedOut);
            self.health = if silent { Health::Silent } else { Health::Lost };
        }
    }

    /// What an error means, noted for the health of the session.
    pub(super) fn fault(&mut self, error: sqlx::Error) -> Fault {
        self.note(&error);
        self.context(false).fault(error)
    }

    /// Planner settings, as far as the server knows them; behind a pooler the session is not ours to set.
    ///
    /// JIT compilation costs more than it saves here. If the table has every composite index:
    ///
    /// - incremental sort is off: the planner assumes groups of equal size, and would sort half the table if one
    ///   organization owns it, to save a few index pages;
    /// - a random page costs about as much as a sequential one, so that 200 rows in index order are not estimated dearer
    ///   than one day of all organizations, filtered and sorted.
    ///
    /// Sessions start that way, see [`verify_settings`](Self::verify_settings); only another kind of table costs a
    /// round trip.
    pub async fn tune(&mut self, all_indexes: bool) -> Result<(), SourceError> {
        if self.tuned == Some(all_indexes) || self.settings.is_some() {
            return Ok(());
        }
        // Outside of a transaction, which could take it back.
        self.finish().await?;
        let sql = format!(
            "SELECT set_config(name, CASE WHEN $1 THEN CASE name WHEN 'random_page_cost' THEN '{PAGE_COST}' ELSE 'off' END \
             ELSE reset_val END, false) FROM pg_settings WHERE name IN ('random_page_cost', 'enable_incremental_sort')"
        );
        let set = sqlx::query(assert_safe(&sql)).bind(all_indexes).persistent(false).execute(&mut self.inner);
        within(self.limits.timeout, set).await.map_err(|e| self.fault(e))?;
        self.tuned = Some(all_indexes);
        Ok(())
    }

    /// Runs a statement. Retried once: a statement that a standby cancelled for replay, and a prepared statement that
    /// is outdated.
    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        let mut started = Moment::now();
        let mut rows = self.once(sql, shape).await;
        if rows.as_ref().is_err_and(|e| gave_way(e) && !is_fatal(e)) {
            started = Moment::now();
            rows = self.once(sql, shape).await;
        }
        if self.keeps && rows.as_ref().is_err_and(is_outdated) {
            self.forget_statements().await;
            started = Moment::now();
            rows = self.once(sql, shape).await;
        }
        rows.map_err(|e| {
            self.note(&e);
            let limit = self.limits.timeout;
            let overdue = !limit.is_zero() && started.elapsed() >= limit.mul_f64(0.9);
            if !self.writes() && is_write(&e) { self.wrote(&e) } else { self.context(overdue).read_error(e) }
        })
    }

    /// Stops preparing statements: a table was altered, or a pooler handed the backend to another client.
    async fn forget_statements(&mut self) {
        self.keeps = false;
        let closed = within(self.limits.timeout, self.inner.clear_cached_statements()).await;
        if let Err(error) = closed {
            tracing::debug!(%error, "prepared statements could not be closed");
        }
    }

    /// Runs a statement once, in the transaction of its query.
    async fn once(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, sqlx::Error> {
        within(self.limits.timeout, async {
            let arguments = arguments(sql.binds())?;
            self.begin_query().await?;
            let text = if self.keeps { named_by_types(sql) } else { Cow::Borrowed(sql.text()) };
            let query = sqlx::query_with(assert_safe(&text), arguments).persistent(self.keeps);
            let mut texts = Texts::default();
            let decode = |row: Result<PgRow, _>| row.and_then(|row| Row::from_pg(&row, shape, &mut texts));
            let rows: Result<Vec<Row>, _> = query.fetch(&mut self.inner).map(decode).try_collect().await;
            self.end_statement(rows.is_ok()).await.and(rows)
        })
        .await
    }

    /// The error of a statement that the server refused because it would have written.
    fn wrote(&self, error: &sqlx::Error) -> SourceError {
        let message =
            error.as_database_error().map_or_else(String::new, |e| Clean::line(e.message()).as_str().to_owned());
        self.context(false).refused(
            Why::new(format!("the source tried to write: {message}"))
                .step("remove the function that writes from the profile's select, or from the view or policy it reads"),
        )
    }
}
