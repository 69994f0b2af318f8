//! Connections: a small pool of our own, one session for each question, and stopping a question in the database.
//!
//! Dropping a driver's future stops nothing, and its pool cannot say which server process or which progress handler
//! belongs to a connection. So each connection is kept with the handle that stops it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use sqlx::Connection as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::postgres::{self, PgConn};
use super::sql::cell::{CellType, Row};
use super::sql::{Dialect, Sql};
use super::sqlite::{self, SqliteConn};
use crate::protocol::SourceError;

/// Questions that run at once.
const MAX_CONNECTIONS: usize = 4;
/// How long a question waits for a connection, and a connection for a server.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that rested longer than this is tried before it is used.
const TRUSTED: Duration = Duration::from_secs(5);
/// A connection that rested longer than this is closed.
const IDLE: Duration = Duration::from_secs(120);
/// How long a stopped question may take to end before its connection is given up.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a signal may take to end a statement before it is sent again.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// What opens connections, and stops what runs on them.
pub enum Connector {
    Postgres(Box<postgres::Connector>),
    Sqlite(sqlite::Connector),
}

pub enum Conn {
    Postgres(Box<PgConn>),
    Sqlite(Box<SqliteConn>),
}

impl Conn {
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }
    /// Runs a statement and reads all its rows in the given shape.
    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        match self {
            Self::Postgres(conn) => conn.rows(sql, shape).await,
            Self::Sqlite(conn) => conn.rows(sql, shape).await,
        }
    }
    /// Closes the connection and waits until it is closed.
    pub async fn close(self) {
        let closed = match self {
            Self::Postgres(conn) => conn.inner.close().await,
            Self::Sqlite(conn) => conn.inner.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a connection did not close in order");
        }
    }
    async fn alive(&mut self) -> bool {
        match self {
            Self::Postgres(conn) => timeout(STOP_TIMEOUT, conn.ping()).await.is_ok_and(|r| r.is_ok()),
            Self::Sqlite(_) => true,
        }
    }
    fn handle(&self) -> Handle {
        match self {
            Self::Postgres(conn) => Handle::Postgres(conn.handle()),
            Self::Sqlite(conn) => Handle::Sqlite(conn.handle()),
        }
    }
    fn usable(&self) -> bool {
        match self {
            Self::Postgres(conn) => conn.usable(),
            Self::Sqlite(_) => true,
        }
    }
}

/// Stops the statement of one connection.
#[derive(Clone)]
enum Handle {
    Postgres(postgres::Handle),
    Sqlite(sqlite::Handle),
}

/// Connections to one database.
pub struct Pool {
    connector: Connector,
    idle: Mutex<Vec<(Conn, Moment)>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    pub fn new(connector: Connector) -> Arc<Self> {
        Arc::new(Self { connector, idle: Mutex::default(), permits: Arc::new(Semaphore::new(MAX_CONNECTIONS)) })
    }

    /// Closes the connections that rest, and waits until they are closed.
    pub async fn close(&self) {
        let idle = self.idle.lock().map(|mut idle| std::mem::take(&mut *idle)).unwrap_or_default();
        for (conn, _) in idle {
            conn.close().await;
        }
    }

    /// A session of one's own: a rested connection that still answers, or a new one.
    pub async fn acquire(self: &Arc<Self>) -> Result<Session, SourceError> {
        let permit = match timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            _ => return Err(SourceError::Failed("all connections are busy; try again or narrow the question".into())),
        };
        while let Some((mut conn, since)) = self.rested() {
            if since.elapsed() < TRUSTED || conn.alive().await {
                return Ok(Session::new(self, conn, permit));
            }
        }
        let conn = match &self.connector {
            Connector::Postgres(c) => Conn::Postgres(Box::new(c.connect().await?)),
            Connector::Sqlite(c) => Conn::Sqlite(Box::new(c.connect().await?)),
        };
        Ok(Session::new(self, conn, permit))
    }

    fn rested(&self) -> Option<(Conn, Moment)> {
        self.idle.lock().ok()?.pop()
    }

    fn give_back(&self, conn: Conn) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.retain(|(_, since)| since.elapsed() < IDLE);
            idle.push((conn, Moment::now()));
        }
    }

    async fn stop(&self, handle: &Handle) {
        match (&self.connector, handle) {
            (Connector::Postgres(c), Handle::Postgres(h)) => c.stop(h).await,
            (_, Handle::Sqlite(h)) => h.stop(),
            _ => {}
        }
    }
}

/// One connection for the length of one question. Dropped in the middle of a statement, it stops that statement in the
/// database and gives the connection up.
pub struct Session {
    pool: Arc<Pool>,
    conn: Option<Conn>,
    handle: Handle,
    /// Set while a statement runs, so that a drop can tell that one was left behind.
    busy: bool,
    left: Arc<AtomicBool>,
    permit: Option<OwnedSemaphorePermit>,
    /// When set, each statement is explained before it is run, by this word.
    plans: Option<(&'static str, Vec<String>)>,
}

impl Session {
    fn new(pool: &Arc<Pool>, conn: Conn, permit: OwnedSemaphorePermit) -> Self {
        let handle = conn.handle();
        let left = Arc::new(AtomicBool::new(false));
        Self { pool: Arc::clone(pool), conn: Some(conn), handle, busy: false, left, permit: Some(permit), plans: None }
    }

    /// As [`Conn::rows`]; refuses to start once the asker has left.
    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        if self.left.load(Ordering::Acquire) {
            return Err(SourceError::Cancelled);
        }
        self.busy = true;
        let explained = self.explain(sql).await;
        let rows = self.conn()?.rows(sql, shape).await;
        self.busy = false;
        explained.and(rows)
    }

    /// Collects the plan of every statement from here on, asked for by `word`; see [`plans`](Self::plans).
    pub fn explain_next(&mut self, word: &'static str) {
        self.plans = Some((word, Vec::new()));
    }

    /// The lines of the plans collected.
    pub fn plans(&mut self) -> Vec<String> {
        self.plans.take().map(|(_, lines)| lines).unwrap_or_default()
    }

    async fn explain(&mut self, sql: &Sql) -> Result<(), SourceError> {
        let Some((word, _)) = &self.plans else { return Ok(()) };
        let explain = sql.clone().prefixed(word);
        // SQLite puts the text of a step behind its three numbers.
        let (shape, at): (&[CellType], usize) = match sql.dialect {
            Dialect::Postgres => (&[CellType::Text], 0),
            Dialect::Sqlite => (&[CellType::Int, CellType::Int, CellType::Int, CellType::Text], 3),
        };
        let rows = self.conn()?.rows(&explain, shape).await?;
        let lines = rows.into_iter().filter_map(|mut r| r.string(at));
        if let Some((_, plans)) = &mut self.plans {
            plans.extend(lines);
        }
        Ok(())
    }

    /// Prepares the connection for a table that has all paging indexes, or lacks some.
    pub async fn tune(&mut self, all_indexes: bool) -> Result<(), SourceError> {
        self.busy = true;
        let tuned = match self.conn()? {
            Conn::Postgres(conn) => conn.tune(all_indexes).await,
            Conn::Sqlite(_) => Ok(()),
        };
        self.busy = false;
        tuned
    }

    /// The connection itself, for what is not a question.
    pub fn conn(&mut self) -> Result<&mut Conn, SourceError> {
        self.conn.as_mut().ok_or(SourceError::Cancelled)
    }

    /// Marks the connection as in use by a writer, which must finish or be given up.
    pub fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// What stops this session's question.
    pub fn stopper(&self) -> Stopper {
        Stopper { pool: Arc::clone(&self.pool), handle: self.handle.clone(), left: Arc::clone(&self.left) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        let cancelled = self.left.load(Ordering::Acquire);
        if !self.busy && conn.usable() && !(cancelled && conn.dialect() == Dialect::Postgres) {
            self.pool.give_back(conn);
            return;
        }
        if !self.busy {
            return;
        }
        // The permit is kept until the statement has ended, so that leavers cannot pile up in the database.
        let (pool, handle, permit) = (Arc::clone(&self.pool), self.handle.clone(), self.permit.take());
        if let Handle::Sqlite(h) = &handle {
            h.stop();
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                pool.stop(&handle).await;
                drop((conn, permit));
            });
        }
    }
}

/// Stops a question from outside.
pub struct Stopper {
    pool: Arc<Pool>,
    handle: Handle,
    left: Arc<AtomicBool>,
}

impl Stopper {
    /// Stops the statement in the database and lets the question end, for a bounded time. A signal that arrives before
    /// the statement does is lost, so it is sent until the question ends.
    pub async fn stop(self, question: impl Future<Output = ()>) {
        tokio::pin!(question);
        self.left.store(true, Ordering::Release);
        let begun = Moment::now();
        while begun.elapsed() < STOP_TIMEOUT {
            self.pool.stop(&self.handle).await;
            if timeout(SIGNAL_INTERVAL, &mut question).await.is_ok() {
                return;
            }
        }
    }
}
