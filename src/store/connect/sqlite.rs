//! SQLite: opening a file, its settings, and cancelling a statement through the progress handler.
//!
//! Used by the pool. It never changes the journal mode of a file that exists.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant as Moment};

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Arguments as _, ConnectOptions as _};

use crate::protocol::{SourceError, Why};
use crate::store::connect::error::{Context, Fault};
use crate::store::connect::pool::ACQUIRE_TIMEOUT;
use crate::store::options::{Access, ConnectOptions};
use crate::store::sql::cell::{CellType, Row, Texts, as_real};
use crate::store::sql::{Bind, Sql, assert_safe};

/// Virtual machine steps between two checks of the cancel flag: microseconds, unless each step searches a long text.
const STEPS: i32 = 250;

/// How long a writer waits for the write lock. Busy writers leave millisecond gaps, so the busy handler may need many
/// tries.
const WRITE_LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Prepared statements per connection. A page of forty branches takes longer to prepare than to run.
const STATEMENTS: usize = 16;

pub struct Connector {
    path: PathBuf,
    access: Access,
    timeout: Duration,
    use_of: Use,
}

/// The purpose of a connection, which decides its cache size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Queries,
    /// Reads the same few pages at the end of the file again and again.
    Tail,
}

/// Cancels the statement that runs on one connection.
#[derive(Clone)]
pub struct Handle(Arc<Control>);

struct Control {
    stop: AtomicBool,
    overdue: AtomicBool,
    /// Milliseconds after `born` at which the statement times out; `u64::MAX`: no limit.
    deadline: AtomicU64,
    born: Moment,
}

impl Handle {
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Release);
    }
}

impl Control {
    fn may_continue(&self) -> bool {
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now >= self.deadline.load(Ordering::Relaxed) {
            self.overdue.store(true, Ordering::Release);
        }
        !self.stop.load(Ordering::Acquire) && !self.overdue.load(Ordering::Acquire)
    }
}

pub struct SqliteConn {
    pub inner: SqliteConnection,
    control: Arc<Control>,
    timeout: Duration,
    address: String,
}

impl Connector {
    pub fn new(path: PathBuf, options: &ConnectOptions, use_of: Use) -> Self {
        Self { path, access: options.access, timeout: options.statement_timeout, use_of }
    }

    fn address(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    /// Opens the file, which must exist.
    pub async fn connect(&self) -> Result<SqliteConn, SourceError> {
        let address = self.address();
        let context = Context { address: &address, timeout: self.timeout, overdue: false };
        if !self.path.exists() {
            let why = Why::new("the file does not exist");
            return Err(context.unreachable(why.step("check the path, or make it with 'renewscope db init'")));
        }
        if self.path.is_dir() {
            return Err(context.unreachable(Why::new("it is a directory").step("give the path of a file")));
        }
        let inner = self.options().connect().await.map_err(|e| context.error(e))?;
        SqliteConn::new(inner, address, self.timeout).await
    }

    /// Creates a missing file. Sets the journal mode only then: changing it later requires exclusive access.
    pub async fn create(&self) -> Result<(), SourceError> {
        let address = self.address();
        let context = Context { address: &address, timeout: self.timeout, overdue: false };
        if let Some(parent) = self.path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent)
                .map_err(|e| context.unreachable(format!("its directory cannot be made: {e}")))?;
        }
        let wal = PathBuf::from(format!("{}-wal", self.path.display()));
        if wal.exists() && !self.path.exists() {
            let why = format!("the log of a deleted file is still there; move '{}' away", wal.display());
            return Err(context.unreachable(why));
        }
        let options = self.options().read_only(false).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let conn = options.connect().await.map_err(|e| context.error(e))?;
        sqlx::Connection::close(conn).await.map_err(|e| context.error(e))
    }

    fn options(&self) -> SqliteConnectOptions {
        let writes = self.access == Access::Write;
        // A page with its names touches 2 MiB of the file: half that cache takes half as long again. A writer touches
        // pages of ten indexes in every batch; what its cache cannot hold is written out and read again, and what the
        // log does not hold is checkpointed with each commit. Memory grows only as it is used.
        let (cache, log) = match self.use_of {
            _ if writes => ("-65536", "16384"),
            Use::Queries => ("-2048", "1000"),
            Use::Tail => ("-256", "1000"),
        };
        SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(!writes)
            .foreign_keys(true)
            .busy_timeout(if writes { WRITE_LOCK_TIMEOUT } else { ACQUIRE_TIMEOUT })
            .synchronous(SqliteSynchronous::Normal)
            .pragma("cache_size", cache)
            .pragma("wal_autocheckpoint", log)
            .statement_cache_capacity(STATEMENTS)
            // Rows cross from the connection's thread: with a smaller buffer both threads wait for each other.
            .row_buffer_size(512)
            .disable_statement_logging()
    }
}

impl SqliteConn {
    async fn new(mut inner: SqliteConnection, address: String, timeout: Duration) -> Result<Self, SourceError> {
        let control = Arc::new(Control {
            stop: AtomicBool::new(false),
            overdue: AtomicBool::new(false),
            deadline: AtomicU64::new(u64::MAX),
            born: Moment::now(),
        });
        let context = Context { address: &address, timeout, overdue: false };
        let watched = Arc::clone(&control);
        let mut handle = inner.lock_handle().await.map_err(|e| context.error(e))?;
        handle.set_progress_handler(STEPS, move || watched.may_continue());
        drop(handle);
        Ok(Self { inner, control, timeout, address })
    }

    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.control))
    }

    /// The context for errors of this connection.
    pub fn context(&self) -> Context<'_> {
        let overdue = self.control.overdue.load(Ordering::Acquire);
        Context { address: &self.address, timeout: self.timeout, overdue }
    }

    /// Clears an earlier cancel: whoever requested it has waited for the end of that statement.
    pub fn clear_stop(&self) {
        self.control.stop.store(false, Ordering::Release);
        self.control.overdue.store(false, Ordering::Release);
    }

    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        let arguments = arguments(sql.binds()).map_err(|e| self.context().error(e))?;
        self.clear_stop();
        // Like on PostgreSQL, zero is no limit.
        let limit = (self.control.born.elapsed() + self.timeout).as_millis();
        let limit = if self.timeout.is_zero() { u64::MAX } else { u64::try_from(limit).unwrap_or(u64::MAX) };
        self.control.deadline.store(limit, Ordering::Relaxed);
        let mut texts = Texts::default();
        let rows = sqlx::query_with(assert_safe(sql.text()), arguments)
            .fetch(&mut self.inner)
            .map(|row| row.and_then(|row| Row::from_sqlite(&row, shape, &mut texts)))
            .try_collect()
            .await;
        self.control.deadline.store(u64::MAX, Ordering::Relaxed);
        rows.map_err(|e| self.context().error(e))
    }
}

impl SqliteConn {
    /// Runs a statement of a writer, without a time limit.
    pub async fn write(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, Fault> {
        self.clear_stop();
        let arguments = arguments(sql.binds()).map_err(|e| self.context().fault(e))?;
        let rows = sqlx::query_with(assert_safe(sql.text()), arguments).fetch_all(&mut self.inner).await;
        let mut texts = Texts::default();
        let rows = rows.and_then(|rows| rows.iter().map(|r| Row::from_sqlite(r, shape, &mut texts)).collect());
        rows.map_err(|e| self.context().fault(e))
    }
}

/// The values of a statement for the driver.
fn arguments(binds: &[Bind]) -> Result<SqliteArguments, sqlx::Error> {
    let mut out = SqliteArguments::default();
    for bind in binds {
        match bind {
            Bind::Int(n) => out.add(*n),
            Bind::OptInt(n) => out.add(*n),
            Bind::Units { micros, unit, .. } => out.add(as_real(*micros) / as_real(*unit)),
            Bind::Text(t) => out.add(t.clone()),
            Bind::OptText(t) => out.add(t.clone()),
            Bind::Uuid(u) => out.add(*u),
            Bind::Time(_) | Bind::TimeTz(_) | Bind::Uuids(_) | Bind::Texts(_) | Bind::Times(_) => {
                Err("SQLite has no such type of value".into())
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(out)
}
