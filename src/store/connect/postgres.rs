//! PostgreSQL: a session, and statements on it within time limits, directly or through a pooler.
//!
//! A statement ends by an answer, by the server's limit, or, where the network is dead, by ours. A session on which
//! something went wrong says so, and is not used again. How one is opened is in [`login`](crate::store::connect::login).

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant as Moment};

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{Arguments as _, Connection as _, Row as _};
use tokio::time::timeout;

use crate::protocol::{SourceError, Why};
use crate::store::connect::address::Tls;
use crate::store::connect::error::{Context, Fault, is_fatal, seconds};
pub use crate::store::connect::login::Connector;
use crate::store::options::Access;
use crate::store::sql::cell::{CellType, PgTime, PgTimeTz, Row, Texts};
use crate::store::sql::{Bind, Dialect, Sql, vouched};

/// How long a rested connection may take to say that it lives.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// The server ends a statement at its limit, and the news of it takes a while. What stays silent for longer than that
/// is a dead network: there is nobody to end it but us.
const MARGIN: Duration = Duration::from_secs(5);

/// What a page of the table costs the planner by an index, where one in sequence is 1: as it is with all that is read
/// often in memory, and on solid disks.
const PAGE_COST: &str = "1.1";

/// The server process behind a connection. Zero: not known, so not to be stopped.
#[derive(Clone)]
pub struct Handle(Arc<AtomicI32>);

/// Whether a connection can be asked again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    Good,
    /// It was closed: whoever asks on a new one learns more.
    Lost,
    /// It gave no answer in time, and others may not either.
    Silent,
}

pub struct PgConn {
    pub inner: PgConnection,
    pid: Arc<AtomicI32>,
    /// Set where a pooler takes the session's settings away: every statement gets them in a transaction of its own.
    settings: Option<String>,
    /// Statements are kept prepared under their names: the session is ours, and plans each of them for its values.
    keeps: bool,
    health: Health,
    tuned: Option<bool>,
    timeout: Duration,
    tls: Tls,
    address: String,
}

/// Waits no longer than the limit of a session; a timeout is told as one of the network. Zero is no limit.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
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
    /// The process, where it is known to be ours.
    pub fn pid(&self) -> Option<i32> {
        Some(self.0.load(Ordering::Acquire)).filter(|pid| *pid != 0)
    }
}

impl PgConn {
    /// A session that has just been opened; [`learn`](Self::learn) comes next.
    pub fn new(inner: PgConnection, timeout: Duration, tls: Tls, address: &str) -> Self {
        Self {
            inner,
            pid: Arc::default(),
            settings: None,
            keeps: false,
            health: Health::Good,
            tuned: None,
            timeout,
            tls,
            address: address.to_owned(),
        }
    }

    /// Learns the process id, and whether the settings took hold; a pooler may drop them without a word. Where they did,
    /// the session is ours, and the planner is set in the same turn; see [`tune`](Self::tune).
    ///
    /// All in one message: behind a pooler the second half of a statement in two may reach another server process.
    pub async fn learn(&mut self, asked: bool, access: Access, local: &str) -> Result<(), sqlx::Error> {
        let sql = format!(
            "SELECT pg_backend_pid(), s.held, s.held AND s.version >= 120000, \
            CASE WHEN s.held THEN set_config('random_page_cost', '{PAGE_COST}', false) END, \
            CASE WHEN s.held AND s.version >= 110000 THEN set_config('jit', 'off', false) END, \
            CASE WHEN s.held AND s.version >= 120000 THEN set_config('plan_cache_mode', 'force_custom_plan', false) END, \
            CASE WHEN s.held AND s.version >= 130000 THEN set_config('enable_incremental_sort', 'off', false) END \
            FROM (SELECT current_setting('server_version_num')::int AS version, \
            {asked} AND current_setting('statement_timeout')::interval = interval '{} milliseconds' \
            AND ({} OR current_setting('default_transaction_read_only') = 'on') AS held) s",
            self.timeout.as_millis(),
            access == Access::Write,
        );
        let row = sqlx::raw_sql(vouched(&sql)).fetch_one(&mut self.inner).await?;
        let (pid, held): (i32, bool) = (row.try_get(0)?, row.try_get(1)?);
        if held {
            self.keeps = row.try_get(2)?;
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

    /// Takes the place of a connection that was lost: what stops that one's question stops this one's from here on.
    pub fn take_over(&mut self, handle: &Handle) {
        handle.0.store(self.pid.load(Ordering::Acquire), Ordering::Release);
        self.pid = Arc::clone(&handle.0);
    }

    /// Whether another question may have this connection, and what became of it if not.
    pub const fn health(&self) -> Health {
        self.health
    }

    /// Whether the session's settings are taken away by a pooler.
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

    /// The words for an error of this connection.
    pub fn context(&self, overdue: bool) -> Context<'_> {
        Context { address: &self.address, timeout: self.timeout, overdue }
    }

    /// Remembers what an error means for the connection.
    fn note(&mut self, error: &sqlx::Error) {
        if is_fatal(error) {
            let silent = matches!(error, sqlx::Error::Io(e) if e.kind() == std::io::ErrorKind::TimedOut);
            self.health = if silent { Health::Silent } else { Health::Lost };
        }
    }

    fn fault(&mut self, error: sqlx::Error) -> Fault {
        self.note(&error);
        self.context(false).fault(error)
    }

    /// Settings of the planner, as far as the server knows them; behind a pooler the session is not ours to set.
    ///
    /// Compiling a question costs more than it saves. And where the table has every composite index:
    ///
    /// - nothing is to be sorted group by group: the planner takes the groups of a column for equally large, and would sort
    ///   half the table where one organisation owns it, to save some pages of index;
    /// - a row by an index costs little more than one beside the last: two hundred in the order of an index are then not
    ///   thought dearer than a day of all organisations, filtered and sorted.
    ///
    /// That is how a session begins, see [`learn`](Self::learn); only another kind of table costs a turn of its own.
    pub async fn tune(&mut self, all_indexes: bool) -> Result<(), SourceError> {
        if self.tuned == Some(all_indexes) || self.settings.is_some() {
            return Ok(());
        }
        let sql = format!(
            "SELECT set_config(name, CASE WHEN $1 THEN CASE name WHEN 'random_page_cost' THEN '{PAGE_COST}' ELSE 'off' END \
             ELSE reset_val END, false) FROM pg_settings WHERE name IN ('random_page_cost', 'enable_incremental_sort')"
        );
        let set = sqlx::query(vouched(&sql)).bind(all_indexes).persistent(false).execute(&mut self.inner);
        within(self.timeout, set).await.map_err(|e| self.fault(e))?;
        self.tuned = Some(all_indexes);
        Ok(())
    }

    /// Runs a statement; one that a standby gave up in favour of replay is asked once more, and one that was kept prepared
    /// and is no longer what it was.
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
            let overdue = !self.timeout.is_zero() && started.elapsed() >= self.timeout.mul_f64(0.9);
            self.context(overdue).error(e)
        })
    }

    /// The statements of this session are prepared no more: a table was altered, or a pooler gave the session's server
    /// process to somebody else in spite of what it looked like.
    async fn forget_statements(&mut self) {
        self.keeps = false;
        let closed = within(self.timeout, self.inner.clear_cached_statements()).await;
        if let Err(error) = closed {
            tracing::debug!(%error, "prepared statements could not be closed");
        }
    }

    async fn once(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, sqlx::Error> {
        let limit = self.timeout;
        within(limit, async {
            let arguments = arguments(sql.binds())?;
            if self.settings.is_some() {
                self.begin().await?;
            }
            let text = if self.keeps { named_by_types(sql) } else { Cow::Borrowed(sql.text()) };
            let query = sqlx::query_with(vouched(&text), arguments).persistent(self.keeps);
            let mut texts = Texts::default();
            let decode = |row: Result<PgRow, _>| row.and_then(|row| Row::from_pg(&row, shape, &mut texts));
            let rows: Result<Vec<Row>, _> = query.fetch(&mut self.inner).map(decode).try_collect().await;
            if self.settings.is_some() {
                self.pid.store(0, Ordering::Release);
                let end = if rows.is_ok() { "COMMIT" } else { "ROLLBACK" };
                let ended = sqlx::raw_sql(end).execute(&mut self.inner).await;
                // Of two errors the first says why.
                if rows.is_ok() {
                    ended?;
                } else if ended.is_err() {
                    self.health = Health::Lost;
                }
            }
            rows
        })
        .await
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
        let limit = self.timeout;
        let begun = match self.settings {
            Some(_) => within(limit, self.begin()).await,
            None => within(limit, sqlx::raw_sql("BEGIN").execute(&mut self.inner)).await.map(drop),
        };
        begun.map_err(|e| self.fault(e))
    }

    /// Runs a statement within a writer's transaction.
    pub async fn write(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, Fault> {
        let arguments = arguments(sql.binds()).map_err(|e| self.fault(e))?;
        let query = sqlx::query_with(vouched(sql.text()), arguments).persistent(false);
        let rows = within(self.timeout, query.fetch_all(&mut self.inner)).await;
        let mut texts = Texts::default();
        let rows = rows.and_then(|rows| rows.iter().map(|r| Row::from_pg(r, shape, &mut texts)).collect());
        rows.map_err(|e| self.fault(e))
    }

    /// Ends a writer's transaction. A commit whose answer is lost is not repeated: nobody knows what became of it.
    pub async fn end(&mut self, commit: bool) -> Result<(), Fault> {
        let end = if commit { "COMMIT" } else { "ROLLBACK" };
        let ended = within(self.timeout, sqlx::raw_sql(end).execute(&mut self.inner)).await;
        if self.settings.is_some() {
            self.pid.store(0, Ordering::Release);
        }
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

/// Cancelled by replay on a standby, the connection still being good.
fn gave_way(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|d| d.code().as_deref() == Some("40001"))
}

/// A prepared statement that the server does not have (any more), has already, or cannot run since a table was altered.
fn is_outdated(e: &sqlx::Error) -> bool {
    let code = e.as_database_error().and_then(|d| d.code().map(|code| code.into_owned()));
    matches!(code.as_deref(), Some("26000" | "42P05" | "0A000"))
}

/// The driver knows a kept statement by its text alone, and the server by the types of its values too: a value that is only
/// selected may be a text once and an id the next time. So the types are said in the text.
fn named_by_types(sql: &Sql) -> Cow<'_, str> {
    if sql.binds().is_empty() {
        return Cow::Borrowed(sql.text());
    }
    let letter = |bind: &Bind| match bind {
        Bind::Int(_) | Bind::OptInt(_) => 'i',
        Bind::Text(_) | Bind::OptText(_) => 't',
        Bind::Uuid(_) => 'u',
        Bind::Time(_) => 's',
        Bind::TimeTz(_) => 'z',
        Bind::Uuids(_) => 'U',
        Bind::Texts(_) => 'T',
        Bind::Times(_) => 'S',
    };
    let letters: String = sql.binds().iter().map(letter).collect();
    Cow::Owned(format!("{} /* {letters} */", sql.text()))
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
