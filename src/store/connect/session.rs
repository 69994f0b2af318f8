//! One session for each question, and stopping a question in the database.
//!
//! Dropping a driver's future stops nothing: a session that is dropped in the middle of a statement stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use tokio::sync::OwnedSemaphorePermit;

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::pool::{Handle, Pool};
use crate::store::connect::postgres::Health;
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Dialect, Sql};

/// A connection that died at rest shows it with the first statement. What dies later was perhaps ended on purpose, by
/// somebody whom the question was in the way of, and is not asked again.
const SUDDEN: Duration = Duration::from_secs(2);

/// One connection for the length of one question. Dropped in the middle of a statement, it stops that statement in the
/// database and gives the connection up.
pub struct Session {
    pool: Arc<Pool>,
    conn: Option<Conn>,
    handle: Handle,
    /// The connection served others before, and may have died since without a sign.
    rested: bool,
    begun: Moment,
    /// Set while a statement runs, so that a drop can tell that one was left behind.
    busy: bool,
    left: Arc<AtomicBool>,
    permit: Option<OwnedSemaphorePermit>,
    /// When set, each statement is explained before it is run, by this word.
    plans: Option<(&'static str, Vec<String>)>,
}

impl Session {
    pub(crate) fn new(pool: &Arc<Pool>, conn: Conn, permit: OwnedSemaphorePermit, rested: bool) -> Self {
        let (pool, handle) = (Arc::clone(pool), conn.handle());
        let left = Arc::new(AtomicBool::new(false));
        let begun = Moment::now();
        Self { pool, conn: Some(conn), handle, rested, begun, busy: false, left, permit: Some(permit), plans: None }
    }

    /// Whether what was just asked failed because the connection had died while it rested: on a
    /// [renewed](Self::renew) one it may go well. Not after a silence, which cost its time already.
    pub fn may_renew(&self) -> bool {
        let sudden = self.rested && self.begun.elapsed() < SUDDEN;
        sudden && !self.left.load(Ordering::Acquire) && self.health() == Health::Lost
    }

    fn health(&self) -> Health {
        self.conn.as_ref().map_or(Health::Good, Conn::health)
    }

    /// Goes on with a new connection, once. For questions, which can be asked again from their beginning, and for what
    /// comes before a writer's first statement.
    pub async fn renew(&mut self) -> Result<(), SourceError> {
        tracing::debug!("a rested connection had died; asking again on a new one");
        self.rested = false;
        self.busy = false;
        self.pool.doubt();
        let mut conn = self.pool.connect().await?;
        if let (Conn::Postgres(conn), Handle::Postgres(handle)) = (&mut conn, &self.handle) {
            conn.take_over(handle);
        }
        self.conn = Some(conn);
        Ok(())
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
        match (self.busy, conn.health()) {
            (false, Health::Good) if !cancelled || conn.dialect() == Dialect::Sqlite => {
                return self.pool.give_back(conn);
            }
            (false, Health::Good) => return,
            (_, Health::Lost) => return self.pool.doubt(),
            (_, Health::Silent) => return drop(self.pool.take_all()),
            (true, Health::Good) => {}
        }
        // The permit is kept until the statement has ended, so that leavers cannot pile up in the database.
        let (pool, handle, permit) = (Arc::clone(&self.pool), self.handle.clone(), self.permit.take());
        if let Handle::Sqlite(h) = &handle {
            h.stop();
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let mut conn = conn;
                pool.stop_until(&handle, conn.ping()).await;
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
    /// Stops the statement in the database and lets the question end, for a bounded time.
    pub async fn stop(self, question: impl Future<Output = ()>) {
        self.left.store(true, Ordering::Release);
        self.pool.stop_until(&self.handle, question).await;
    }
}
