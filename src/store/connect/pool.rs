//! A small connection pool, and cancelling what runs on its connections.
//!
//! sqlx's pool does not expose the backend pid or the progress handler of a connection, so each connection is stored
//! with the handle that cancels its statement. Used by [`session`](crate::store::connect::session) and the store. It
//! runs no statement except a ping.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::postgres;
use crate::store::connect::postgres::Health;
use crate::store::connect::session::Session;
use crate::store::connect::sqlite;

/// How long opening a connection may take.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is pinged before use.
const FRESH: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is closed.
const IDLE: Duration = Duration::from_secs(120);
/// How long to wait for a connection in use before opening another: on PostgreSQL, where a new backend has to fill
/// its catalog caches, and on SQLite.
const WAIT_FOR_RETURN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(4));
/// How long a cancelled query may take to end before its connection is closed.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long closing the pool waits for cancelled statements, and for the connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// A cancel request that ended nothing is sent again after this time.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Opens connections and cancels what runs on them.
pub enum Connector {
    Postgres(Box<postgres::Connector>),
    Sqlite(sqlite::Connector),
}

/// Cancels the statement of one connection.
#[derive(Clone)]
pub enum Handle {
    Postgres(postgres::Handle),
    Sqlite(sqlite::Handle),
}

/// Connections to one database.
pub struct Pool {
    connector: Connector,
    idle: Mutex<Idle>,
    permits: Arc<Semaphore>,
    most: u32,
    returned: Notify,
}

#[derive(Default)]
struct Idle {
    conns: Vec<(Conn, Moment)>,
    /// When a connection was last found dead. Connections that are idle since before that are pinged before use.
    suspect_since: Option<Moment>,
}

impl Pool {
    /// `most`: queries that run at the same time.
    pub fn new(connector: Connector, most: usize) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(most));
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Arc::new(Self { connector, idle: Mutex::default(), permits, most, returned: Notify::new() })
    }

    /// The options of a connection that listens; `None` on SQLite.
    pub async fn listener_options(&self) -> Result<Option<PgConnectOptions>, SourceError> {
        match &self.connector {
            Connector::Postgres(c) => c.listener_options().await.map(Some),
            Connector::Sqlite(_) => Ok(None),
        }
    }

    /// Waits until cancelled statements have ended, then closes the idle connections; bounded by [`CLOSE_TIMEOUT`].
    pub async fn close(&self) {
        // A dropped query keeps its permit until its statement has ended.
        let stopped = timeout(CLOSE_TIMEOUT, self.permits.acquire_many(self.most)).await;
        if stopped.is_err() {
            tracing::debug!("a query did not end before its connection was closed");
        }
        let closing = async {
            for (conn, _) in self.take_all() {
                conn.close().await;
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }

    pub(crate) fn take_all(&self) -> Vec<(Conn, Moment)> {
        self.idle.lock().map(|mut idle| std::mem::take(&mut idle.conns)).unwrap_or_default()
    }

    /// An idle connection that still works, or a new one.
    pub async fn acquire(self: &Arc<Self>) -> Result<Session, SourceError> {
        let permit = match timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            _ => return Err(SourceError::Failed("all connections are busy; try again or narrow the query".into())),
        };
        while let Some((mut conn, fresh)) = self.take_idle() {
            match if fresh { Health::Good } else { conn.ping().await } {
                Health::Good => return Ok(Session::new(self, conn, permit, true)),
                Health::Lost | Health::Altered => self.suspect_all(),
                // If one idle connection times out, the others would too, each after the same wait.
                Health::Silent => drop(self.take_all()),
            }
        }
        if let Some(conn) = self.returned_soon().await {
            return Ok(Session::new(self, conn, permit, true));
        }
        let conn = self.connect().await?;
        Ok(Session::new(self, conn, permit, false))
    }

    /// Waits briefly for a connection in use: it is free sooner than a new one is open, and at start-up the server
    /// then works for the first query alone.
    async fn returned_soon(&self) -> Option<Conn> {
        let others = |pool: &Self| pool.permits.available_permits() + 1 < usize::try_from(pool.most).unwrap_or(1);
        let wait = match self.connector {
            Connector::Postgres(_) => WAIT_FOR_RETURN.0,
            Connector::Sqlite(_) => WAIT_FOR_RETURN.1,
        };
        let waited = timeout(wait, async {
            while others(self) {
                self.returned.notified().await;
                if let Some((conn, _)) = self.take_idle().filter(|(_, fresh)| *fresh) {
                    return Some(conn);
                }
            }
            None
        });
        waited.await.ok().flatten()
    }

    pub(crate) async fn connect(&self) -> Result<Conn, SourceError> {
        Ok(match &self.connector {
            Connector::Postgres(c) => Conn::Postgres(Box::new(c.connect().await?)),
            Connector::Sqlite(c) => Conn::Sqlite(Box::new(c.connect().await?)),
        })
    }

    /// The most recently used idle connection, and whether it can be used without a ping.
    fn take_idle(&self) -> Option<(Conn, bool)> {
        let mut idle = self.idle.lock().ok()?;
        let (conn, since) = idle.conns.pop()?;
        let fresh = since.elapsed() < FRESH && idle.suspect_since.is_none_or(|suspect_since| since > suspect_since);
        Some((conn, fresh))
    }

    pub(crate) fn give_back(&self, conn: Conn) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.conns.retain(|(_, since)| since.elapsed() < IDLE);
            idle.conns.push((conn, Moment::now()));
        }
        self.returned.notify_one();
    }

    /// Marks all idle connections as suspect after one was found dead.
    pub(crate) fn suspect_all(&self) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.suspect_since = Some(Moment::now());
        }
    }

    /// Cancels a statement until `ended` resolves, for a bounded time. A cancel request that arrives before the
    /// statement does has no effect, so it is repeated.
    pub(crate) async fn stop_until<T>(&self, handle: &Handle, ended: impl Future<Output = T>) {
        tokio::pin!(ended);
        let begun = Moment::now();
        while begun.elapsed() < STOP_TIMEOUT {
            self.stop(handle).await;
            if timeout(SIGNAL_INTERVAL, &mut ended).await.is_ok() {
                return;
            }
        }
    }

    /// Sends one cancel request. If the server is unreachable, its connections are suspect.
    async fn stop(&self, handle: &Handle) {
        match (&self.connector, handle) {
            (Connector::Postgres(c), Handle::Postgres(h)) if !c.stop(h).await => self.suspect_all(),
            (_, Handle::Sqlite(h)) => h.stop(),
            _ => {}
        }
    }
}
