//! A small pool of connections of our own, and stopping what runs on them.
//!
//! A driver's pool cannot say which server process or which progress handler belongs to a connection. So each connection is
//! kept with the handle that stops it. What a question does with one is in [`session`](crate::store::connect::session).

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

/// How long a question waits for a connection, and a connection for a server.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that rested longer than this is tried before it is used.
const TRUSTED: Duration = Duration::from_secs(5);
/// A connection that rested longer than this is closed.
const IDLE: Duration = Duration::from_secs(120);
/// How long a connection in use is waited for before another is opened: on PostgreSQL, whose server begins a process and
/// looks everything up anew, and on SQLite.
const SOON: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(4));
/// How long a stopped question may take to end before its connection is given up.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a program that ends waits for that, and for its connections to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a signal may take to end a statement before it is sent again.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// What opens connections, and stops what runs on them.
pub enum Connector {
    Postgres(Box<postgres::Connector>),
    Sqlite(sqlite::Connector),
}

/// Stops the statement of one connection.
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
    /// When a connection was last found dead. What has rested since before that is tried before it is used.
    doubted: Option<Moment>,
}

impl Pool {
    /// `most`: questions that run at once.
    pub fn new(connector: Connector, most: usize) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(most));
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Arc::new(Self { connector, idle: Mutex::default(), permits, most, returned: Notify::new() })
    }

    /// What a connection that listens is opened with; `None` where there is nothing to listen to.
    pub async fn listener_options(&self) -> Result<Option<PgConnectOptions>, SourceError> {
        match &self.connector {
            Connector::Postgres(c) => c.listener_options().await.map(Some),
            Connector::Sqlite(_) => Ok(None),
        }
    }

    /// Waits until what was left is stopped in the database, and closes the connections that rest; for a bounded time.
    pub async fn close(&self) {
        // A question that was dropped keeps its permit until its statement has ended.
        let stopped = timeout(CLOSE_TIMEOUT, self.permits.acquire_many(self.most)).await;
        if stopped.is_err() {
            tracing::debug!("a question did not end before its connection was closed");
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

    /// A session of one's own: a rested connection that still answers, or a new one.
    pub async fn acquire(self: &Arc<Self>) -> Result<Session, SourceError> {
        let permit = match timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            _ => return Err(SourceError::Failed("all connections are busy; try again or narrow the question".into())),
        };
        while let Some((mut conn, trusted)) = self.rested() {
            match if trusted { Health::Good } else { conn.ping().await } {
                Health::Good => return Ok(Session::new(self, conn, permit, true)),
                Health::Lost => self.doubt(),
                // A network that swallows this one swallows the others too; each would cost as long to find out.
                Health::Silent => drop(self.take_all()),
            }
        }
        if let Some(conn) = self.soon().await {
            return Ok(Session::new(self, conn, permit, true));
        }
        let conn = self.connect().await?;
        Ok(Session::new(self, conn, permit, false))
    }

    /// A connection that others are about to be done with: that is sooner than a new one is open, and at a start it leaves
    /// the machine to the question that came first.
    async fn soon(&self) -> Option<Conn> {
        let others = |pool: &Self| pool.permits.available_permits() + 1 < usize::try_from(pool.most).unwrap_or(1);
        let wait = match self.connector {
            Connector::Postgres(_) => SOON.0,
            Connector::Sqlite(_) => SOON.1,
        };
        let waited = timeout(wait, async {
            while others(self) {
                self.returned.notified().await;
                if let Some((conn, _)) = self.rested().filter(|(_, trusted)| *trusted) {
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

    /// The connection that rested least, and whether it can be used untried.
    fn rested(&self) -> Option<(Conn, bool)> {
        let mut idle = self.idle.lock().ok()?;
        let (conn, since) = idle.conns.pop()?;
        let trusted = since.elapsed() < TRUSTED && idle.doubted.is_none_or(|doubted| since > doubted);
        Some((conn, trusted))
    }

    pub(crate) fn give_back(&self, conn: Conn) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.conns.retain(|(_, since)| since.elapsed() < IDLE);
            idle.conns.push((conn, Moment::now()));
        }
        self.returned.notify_one();
    }

    /// A connection died: the others may have.
    pub(crate) fn doubt(&self) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.doubted = Some(Moment::now());
        }
    }

    /// Stops a statement in the database until what waits for it has ended, for a bounded time. A signal that arrives
    /// before the statement does is lost, so it is sent again.
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

    /// Stops a statement in the database. A server that cannot be reached for it puts its connections in doubt.
    async fn stop(&self, handle: &Handle) {
        match (&self.connector, handle) {
            (Connector::Postgres(c), Handle::Postgres(h)) if !c.stop(h).await => self.doubt(),
            (_, Handle::Sqlite(h)) => h.stop(),
            _ => {}
        }
    }
}
