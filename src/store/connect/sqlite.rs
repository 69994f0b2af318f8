//! SQLite: opening a file, its settings, and cancelling a statement through the progress handler.
//!
//! Used by the pool. It never changes the journal mode of a file that exists.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Arguments as _, ConnectOptions as _};

use crate::protocol::{SourceError, Why};
use crate::store::connect::error::{Context, Fault};
use crate::store::connect::file::{Identity, Opening, beside, is_read_only};
use crate::store::connect::pool::ACQUIRE_TIMEOUT;
use crate::store::options::{Access, ConnectOptions};
use crate::store::sql::cell::{CellType, Row, Texts, as_real};
use crate::store::sql::{Bind, Sql, assert_safe};

/// Virtual machine steps between two checks of the cancel flag: microseconds, unless each step searches a long text.
const STEPS: i32 = 250;

/// How long a writer waits for the write lock. Busy writers leave millisecond gaps, so the busy handler may need many
/// tries.
const WRITE_LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a statement is repeated on a file that changes under it.
const REOPENINGS: u32 = 5;

/// Prepared statements per connection. A page of forty branches takes longer to prepare than to run.
const STATEMENTS: usize = 16;

/// Opens connections to one file. Clones share what was opened last.
#[derive(Clone)]
pub struct Connector {
    path: PathBuf,
    access: Access,
    timeout: Duration,
    use_of: Use,
    /// The file that was opened last.
    seen: Arc<Mutex<Option<Identity>>>,
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

/// What the progress handler of a connection reads.
struct Control {
    stop: AtomicBool,
    overdue: AtomicBool,
    /// Milliseconds after `born` at which the statement times out; `u64::MAX`: no limit.
    deadline: AtomicU64,
    born: Moment,
}

impl Handle {
    /// Ends the statement at its next check.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Release);
    }
}

impl Control {
    /// Called by SQLite every few steps: `false` ends the statement.
    fn may_continue(&self) -> bool {
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now >= self.deadline.load(Ordering::Relaxed) {
            self.overdue.store(true, Ordering::Release);
        }
        !self.stop.load(Ordering::Acquire) && !self.overdue.load(Ordering::Acquire)
    }
}

/// An open file, and what is known of it.
pub struct SqliteConn {
    pub inner: SqliteConnection,
    control: Arc<Control>,
    connector: Connector,
    address: String,
    /// The file that is open; another one may have its name by now.
    identity: Option<Identity>,
    opening: Opening,
}

impl Connector {
    /// Opens nothing yet; see [`connect`](Self::connect).
    pub fn new(path: PathBuf, options: &ConnectOptions, use_of: Use) -> Self {
        Self { path, access: options.access, timeout: options.statement_timeout, use_of, seen: Arc::default() }
    }

    fn address(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    /// Opens the file, which must exist. A tail gets an error, once, if another file has taken its name: the positions
    /// that it knows are those of the old one.
    pub async fn connect(&self) -> Result<SqliteConn, SourceError> {
        let address = self.address();
        let context = self.context(&address);
        if !self.path.exists() {
            let why = Why::new("the file does not exist");
            return Err(context.unreachable(why.step("check the path, or make it with 'renewscope db init'")));
        }
        if self.path.is_dir() {
            return Err(context.unreachable(Why::new("it is a directory").step("give the path of a file")));
        }
        let identity = Identity::of(&self.path);
        let replaced = self.seen.lock().is_ok_and(|mut seen| {
            let before = std::mem::replace(&mut *seen, identity);
            before.is_some() && before != identity
        });
        if replaced {
            tracing::warn!(file = %self.path.display(), "the database file was replaced by another one");
            if self.use_of == Use::Tail {
                let why = Why::new("the file was replaced by another one");
                return Err(
                    context.unreachable(why.step("what was stored in between may be missing here; list shows it"))
                );
            }
        }
        let (inner, opening) = self.open().await?;
        SqliteConn::new(inner, self.clone(), identity, opening).await
    }

    /// Opens the file in the way that leaves nothing beside it; a writer opens it with locks.
    async fn open(&self) -> Result<(SqliteConnection, Opening), SourceError> {
        let address = self.address();
        let context = self.context(&address);
        let opening = match self.access {
            Access::Read => Opening::for_reading(&self.path).await.map_err(|why| context.refused(why))?,
            Access::Write if is_read_only(&self.path) => {
                let why = Why::new("its file system is mounted for reading only");
                return Err(context.refused(why.step("write to the file where it can be written to")));
            }
            Access::Write => Opening::Shared,
        };
        let options = self.options().immutable(matches!(opening, Opening::Immutable(_)));
        let inner = options.connect().await.map_err(|e| context.error(e))?;
        Ok((inner, opening))
    }

    fn context<'a>(&self, address: &'a str) -> Context<'a> {
        Context { address, timeout: self.timeout, overdue: false }
    }

    /// Creates a missing file. Sets the journal mode only then: changing it later requires exclusive access.
    pub async fn create(&self) -> Result<(), SourceError> {
        let address = self.address();
        let context = self.context(&address);
        if let Some(parent) = self.path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent)
                .map_err(|e| context.unreachable(format!("its directory cannot be made: {e}")))?;
        }
        let wal = beside(&self.path, "-wal");
        if wal.exists() && !self.path.exists() {
            let why = format!("the log of a deleted file is still there; move '{}' away", wal.display());
            return Err(context.unreachable(why));
        }
        let options = self.options().read_only(false).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let conn = options.connect().await.map_err(|e| context.error(e))?;
        sqlx::Connection::close(conn).await.map_err(|e| context.error(e))
    }

    /// The path for SQLite, which takes a name that begins with `file:` for a URI.
    fn filename(&self) -> PathBuf {
        if self.path.starts_with("./") || !self.path.to_string_lossy().starts_with("file:") {
            return self.path.clone();
        }
        Path::new(".").join(&self.path)
    }

    /// Driver options for this file, by what the connection is used for.
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
            .filename(self.filename())
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
    async fn new(
        inner: SqliteConnection,
        connector: Connector,
        identity: Option<Identity>,
        opening: Opening,
    ) -> Result<Self, SourceError> {
        let control = Arc::new(Control {
            stop: AtomicBool::new(false),
            overdue: AtomicBool::new(false),
            deadline: AtomicU64::new(u64::MAX),
            born: Moment::now(),
        });
        let address = connector.address();
        let mut conn = Self { inner, control, connector, address, identity, opening };
        conn.watch().await?;
        Ok(conn)
    }

    /// Lets the control stop what runs on the connection.
    async fn watch(&mut self) -> Result<(), SourceError> {
        let watched = Arc::clone(&self.control);
        let mut handle = match self.inner.lock_handle().await {
            Ok(handle) => handle,
            Err(e) => return Err(self.connector.context(&self.address).error(e)),
        };
        handle.set_progress_handler(STEPS, move || watched.may_continue());
        Ok(())
    }

    /// Whether the path still leads to the file that is open, in the state in which it was opened.
    pub fn is_current(&self) -> bool {
        let path = &self.connector.path;
        self.identity == Identity::of(path) && self.opening.is_current(path)
    }

    /// How the file is opened.
    pub const fn opening(&self) -> Opening {
        self.opening
    }

    /// Opens the file again under the same control, after it changed.
    async fn reopen(&mut self) -> Result<(), SourceError> {
        let identity = Identity::of(&self.connector.path);
        (self.inner, self.opening) = self.connector.open().await?;
        self.identity = identity;
        self.watch().await
    }

    /// What cancels the statement of this connection.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.control))
    }

    /// The context for errors of this connection.
    pub fn context(&self) -> Context<'_> {
        let overdue = self.control.overdue.load(Ordering::Acquire);
        Context { address: &self.address, timeout: self.connector.timeout, overdue }
    }

    /// Clears an earlier cancel: the caller that requested it has waited for the end of that statement.
    pub fn clear_stop(&self) {
        self.control.stop.store(false, Ordering::Release);
        self.control.overdue.store(false, Ordering::Release);
    }

    /// Runs a statement. A file that is open without locks may change meanwhile: its rows are then dropped, and read again
    /// from the file as it is.
    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        for _ in 0..REOPENINGS {
            let rows = self.once(sql, shape).await;
            if self.opening.is_current(&self.connector.path) {
                return rows;
            }
            self.reopen().await?;
        }
        Err(SourceError::Failed("the file changed again and again while it was read; try again".into()))
    }

    /// Runs a statement within the time limit, on the file as it is open.
    async fn once(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        let arguments = arguments(sql.binds()).map_err(|e| self.context().error(e))?;
        self.clear_stop();
        // Like on PostgreSQL, zero is no limit.
        let timeout = self.connector.timeout;
        let limit = (self.control.born.elapsed() + timeout).as_millis();
        let limit = if timeout.is_zero() { u64::MAX } else { u64::try_from(limit).unwrap_or(u64::MAX) };
        self.control.deadline.store(limit, Ordering::Relaxed);
        let mut texts = Texts::default();
        let rows = sqlx::query_with(assert_safe(sql.text()), arguments)
            .fetch(&mut self.inner)
            .map(|row| row.and_then(|row| Row::from_sqlite(&row, shape, &mut texts)))
            .try_collect()
            .await;
        self.control.deadline.store(u64::MAX, Ordering::Relaxed);
        rows.map_err(|e| self.context().read_error(e))
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
