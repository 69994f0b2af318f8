//! One session per query, and cancelling a query in the database.
//!
//! Dropping a sqlx future cancels nothing in the database, so a session that is dropped during a statement cancels
//! it. Used by the store and its queries; it composes no SQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::pool::{Handle, Lease, Pool};
use crate::store::connect::postgres::Health;
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Dialect, Sql};

/// Retry once if an idle connection fails on first use. A later failure may be a deliberate kill by an administrator:
/// no retry.
const RETRY_WINDOW: Duration = Duration::from_secs(2);

/// One connection for the duration of one query. Dropped during a statement, it cancels the statement in the database
/// and closes the connection.
pub struct Session {
    pool: Arc<Pool>,
    conn: Option<Conn>,
    handle: Handle,
    /// The connection was idle in the pool before, and may have died there unnoticed.
    reused: bool,
    begun: Moment,
    /// A statement is running, so that a drop knows that it has to be cancelled.
    busy: bool,
    cancelled: Arc<AtomicBool>,
    lease: Option<Lease>,
    /// When set, each statement is first run with this EXPLAIN prefix, and its plan collected.
    plans: Option<(&'static str, Vec<String>)>,
}

impl Session {
    pub(crate) fn new(pool: &Arc<Pool>, conn: Conn, lease: Lease, reused: bool) -> Self {
        let (pool, handle) = (Arc::clone(pool), conn.handle());
        let cancelled = Arc::new(AtomicBool::new(false));
        let begun = Moment::now();
        Self { pool, conn: Some(conn), handle, reused, begun, busy: false, cancelled, lease: Some(lease), plans: None }
    }

    /// Whether the query failed because an idle connection had died: it may succeed after
    /// [`reconnect`](Self::reconnect). Not after a timeout, which has taken its time already.
    pub fn can_retry(&self) -> bool {
        let recent = self.reused && self.begun.elapsed() < RETRY_WINDOW;
        recent && !self.cancelled.load(Ordering::Acquire) && self.health() == Health::Lost
    }

    /// The health of the connection; good if it has been taken away.
    fn health(&self) -> Health {
        self.conn.as_ref().map_or(Health::Good, Conn::health)
    }

    /// Replaces the connection, once. For queries, which can be retried from the start, and for what precedes a
    /// writer's first statement.
    pub async fn reconnect(&mut self) -> Result<(), SourceError> {
        tracing::debug!("an idle connection had died; retrying on a new one");
        self.reused = false;
        self.busy = false;
        self.pool.suspect_all();
        let mut conn = self.pool.connect().await?;
        if let (Conn::Postgres(conn), Handle::Postgres(handle)) = (&mut conn, &self.handle) {
            conn.replace_handle(handle);
        }
        self.conn = Some(conn);
        Ok(())
    }

    /// Like [`Conn::rows`]; fails at once when the query has been cancelled.
    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        if self.cancelled.load(Ordering::Acquire) {
            return Err(SourceError::Cancelled);
        }
        self.busy = true;
        let explained = self.explain(sql).await;
        let rows = self.conn()?.rows(sql, shape).await;
        self.busy = false;
        explained.and(rows)
    }

    /// Ends the query: its transaction, and a check that it left the session as it was. Called when the last row has
    /// been read; a session that is dropped without it is finished in the background.
    pub async fn finish(&mut self) -> Result<(), SourceError> {
        self.busy = true;
        let finished = self.conn()?.finish().await;
        self.busy = false;
        finished
    }

    /// Collects the plan of every further statement, using the prefix `word`; see [`plans`](Self::plans).
    pub fn collect_plans(&mut self, word: &'static str) {
        self.plans = Some((word, Vec::new()));
    }

    /// The lines of the collected plans.
    pub fn plans(&mut self) -> Vec<String> {
        self.plans.take().map(|(_, lines)| lines).unwrap_or_default()
    }

    /// Runs a statement under the prefix that collects plans, if one is set.
    async fn explain(&mut self, sql: &Sql) -> Result<(), SourceError> {
        let Some((word, _)) = &self.plans else { return Ok(()) };
        let explain = sql.clone().prefixed(word);
        // SQLite returns three numbers before the text of a step.
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

    /// Sets the planner for a table that has all paging indexes, or lacks some.
    pub async fn tune(&mut self, all_indexes: bool) -> Result<(), SourceError> {
        self.busy = true;
        let tuned = match self.conn()? {
            Conn::Postgres(conn) => conn.tune(all_indexes).await,
            Conn::Sqlite(_) => Ok(()),
        };
        self.busy = false;
        tuned
    }

    /// How the connection is protected, in words.
    pub async fn tls(&mut self) -> Option<String> {
        self.busy = true;
        let words = match self.conn.as_mut() {
            Some(conn) => conn.tls().await,
            None => None,
        };
        self.busy = false;
        words.map(str::to_owned)
    }

    /// The connection itself, for what is not a query.
    pub fn conn(&mut self) -> Result<&mut Conn, SourceError> {
        self.conn.as_mut().ok_or(SourceError::Cancelled)
    }

    /// Marks the connection as in use by a writer, which must finish or be closed.
    pub fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// What cancels the query of this session.
    pub fn stopper(&self) -> Stopper {
        Stopper { pool: Arc::clone(&self.pool), handle: self.handle.clone(), cancelled: Arc::clone(&self.cancelled) }
    }
}

impl Session {
    /// Ends the transaction of a query that did not do so itself, and gives the connection back.
    fn finish_later(&mut self, mut conn: Conn) {
        let (pool, lease) = (Arc::clone(&self.pool), self.lease.take());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if conn.finish().await.is_ok() {
                    pool.give_back(conn);
                }
                drop(lease);
            });
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        let cancelled = self.cancelled.load(Ordering::Acquire);
        match (self.busy, conn.health()) {
            (false, Health::Good) if conn.is_open() && !cancelled => return self.finish_later(conn),
            (false, Health::Good) if !cancelled || conn.dialect() == Dialect::Sqlite => {
                return self.pool.give_back(conn);
            }
            (false, Health::Good) => return,
            (_, Health::Altered) => return,
            (_, Health::Lost) => return self.pool.suspect_all(),
            (_, Health::Silent) => return drop(self.pool.take_all()),
            (true, Health::Good) => {}
        }
        // Holds the lease until the statement has ended, so that cancelled statements cannot pile up in the database.
        let (pool, handle, lease) = (Arc::clone(&self.pool), self.handle.clone(), self.lease.take());
        if let Handle::Sqlite(h) = &handle {
            h.stop();
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let mut conn = conn;
                pool.stop_until(&handle, conn.ping()).await;
                drop((conn, lease));
            });
        }
    }
}

/// Cancels a query from outside.
pub struct Stopper {
    pool: Arc<Pool>,
    handle: Handle,
    cancelled: Arc<AtomicBool>,
}

impl Stopper {
    /// Cancels the statement in the database and waits for the query to end, for a bounded time.
    pub async fn stop(self, query: impl Future<Output = ()>) {
        self.cancelled.store(true, Ordering::Release);
        self.pool.stop_until(&self.handle, query).await;
    }
}
