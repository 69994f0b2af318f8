//! A small connection pool, and cancelling what runs on its connections.
//!
//! sqlx's pool does not expose the backend pid or the progress handler of a connection, so each connection is stored
//! with the handle that cancels its statement. Used by [`session`](crate::store::connect::session) and the store. It
//! runs no statement except a ping.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant as Moment};

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

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
/// The last connection is closed when it was idle for this long, the others when they were idle for [`EXTRA`]: a console
/// that nobody uses holds one for its queries, and a server has room for many of them.
const IDLE: Duration = Duration::from_secs(120);
/// The limit of the other idle connections; see [`IDLE`].
const EXTRA: Duration = Duration::from_secs(5);
/// The shortest time between two looks at idle connections.
const REAP_INTERVAL: Duration = Duration::from_millis(50);
/// How often a full server is tried again while another query of this program has a connection.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
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

/// The connections of one lane of queries, and how many of them may run.
pub struct Pool {
    connector: Connector,
    spare: Arc<Spare>,
    permits: Arc<Semaphore>,
    most: u32,
}

/// The idle connections to a database. On PostgreSQL the queries and the tail share them, so that a server that has room for
/// one session serves both in turn.
#[derive(Default)]
pub struct Spare {
    idle: Mutex<Idle>,
    returned: Notify,
    /// Sessions that will return a connection, or room for one.
    leases: AtomicUsize,
    /// A task closes connections that stay idle.
    closing: AtomicBool,
}

/// The list of idle connections, the most recent one last.
#[derive(Default)]
struct Idle {
    conns: Vec<(Conn, Moment)>,
    /// When a connection was last found dead. Connections that are idle since before that are pinged before use.
    suspect_since: Option<Moment>,
}

/// The right of a session to a connection. When it is dropped, a query that waits may go on.
pub(crate) struct Lease {
    spare: Arc<Spare>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    fn new(spare: &Arc<Spare>, permit: OwnedSemaphorePermit) -> Self {
        spare.leases.fetch_add(1, Ordering::AcqRel);
        Self { spare: Arc::clone(spare), _permit: permit }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.spare.leases.fetch_sub(1, Ordering::AcqRel);
        self.spare.returned.notify_one();
    }
}

impl Spare {
    /// The most recently used idle connection to what the address names now, and whether it can be used without a ping.
    fn take(&self) -> Option<(Conn, bool)> {
        let mut idle = self.idle.lock().ok()?;
        loop {
            let (conn, since) = idle.conns.pop()?;
            let fresh = since.elapsed() < FRESH && idle.suspect_since.is_none_or(|suspect| since > suspect);
            if conn.is_current() {
                return Some((conn, fresh));
            }
        }
    }

    /// Puts a connection back, wakes a query that waits for one, and starts the task that closes idle ones.
    fn give_back(self: &Arc<Self>, conn: Conn) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.conns.push((conn, Moment::now()));
        }
        self.returned.notify_one();
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !self.closing.swap(true, Ordering::AcqRel)
        {
            runtime.spawn(close_idle(Arc::downgrade(self)));
        }
    }

    /// Takes out the connections that have been idle for too long. Returns them, and how long the next one may stay.
    fn expired(&self) -> (Vec<(Conn, Moment)>, Option<Duration>) {
        let Ok(mut idle) = self.idle.lock() else { return (Vec::new(), None) };
        let last = idle.conns.len().saturating_sub(1);
        let conns = std::mem::take(&mut idle.conns).into_iter().enumerate();
        let limit = |at: usize| if at == last { IDLE } else { EXTRA };
        let (old, kept): (Vec<_>, Vec<_>) = conns.partition(|(at, (_, since))| since.elapsed() >= limit(*at));
        let next = kept.iter().map(|(at, (_, since))| limit(*at).saturating_sub(since.elapsed())).min();
        idle.conns = kept.into_iter().map(|(_, conn)| conn).collect();
        (old.into_iter().map(|(_, conn)| conn).collect(), next)
    }
}

/// Closes connections that stay idle, until none is left.
async fn close_idle(spare: Weak<Spare>) {
    while let Some(spare) = spare.upgrade() {
        let (old, next) = spare.expired();
        for (conn, _) in old {
            let _ = timeout(CLOSE_TIMEOUT, conn.close()).await;
        }
        let Some(next) = next else {
            spare.closing.store(false, Ordering::Release);
            // One may have come back since the list was read.
            let empty = spare.idle.lock().map_or(true, |idle| idle.conns.is_empty());
            if empty || spare.closing.swap(true, Ordering::AcqRel) {
                return;
            }
            continue;
        };
        // The pool may end while this waits, and further connections may come back.
        drop(spare);
        sleep(next.clamp(REAP_INTERVAL, EXTRA)).await;
    }
}

impl Pool {
    /// `most`: queries that run at the same time.
    pub fn new(connector: Connector, most: usize) -> Arc<Self> {
        Self::beside(connector, most, Arc::default())
    }

    /// A second lane for the same database, which shares the idle connections of another one.
    pub fn sharing(connector: Connector, most: usize, other: &Self) -> Arc<Self> {
        Self::beside(connector, most, Arc::clone(&other.spare))
    }

    /// A lane with its permits; several lanes can share one list of idle connections.
    fn beside(connector: Connector, most: usize, spare: Arc<Spare>) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(most));
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Arc::new(Self { connector, spare, permits, most })
    }

    /// Whether the connections are those of a server, which two lanes can share.
    pub const fn is_server(&self) -> bool {
        matches!(self.connector, Connector::Postgres(_))
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

    /// Takes all idle connections out; dropped, they are closed without a farewell.
    pub(crate) fn take_all(&self) -> Vec<(Conn, Moment)> {
        self.spare.idle.lock().map(|mut idle| std::mem::take(&mut idle.conns)).unwrap_or_default()
    }

    /// An idle connection that still works, or a new one. While all are in use, it waits: each is free when its query has
    /// ended, at the latest by its time limit. The caller may cancel.
    pub async fn acquire(self: &Arc<Self>) -> Result<Session, SourceError> {
        let begun = Moment::now();
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| SourceError::Failed("the connections are closed".into()))?;
        if begun.elapsed() > ACQUIRE_TIMEOUT {
            tracing::info!(seconds = begun.elapsed().as_secs(), "a query waited for a connection");
        }
        while let Some((mut conn, fresh)) = self.spare.take() {
            match if fresh { Health::Good } else { conn.ping().await } {
                Health::Good => return Ok(self.session(conn, permit, true)),
                Health::Lost | Health::Altered => self.suspect_all(),
                // If one idle connection times out, the others would too, each after the same wait.
                Health::Silent => drop(self.take_all()),
            }
        }
        if let Some(conn) = self.returned_soon().await {
            return Ok(self.session(conn, permit, true));
        }
        match self.connect().await {
            Ok(conn) => Ok(self.session(conn, permit, false)),
            Err(error) if self.is_full() => {
                let (conn, reused) = self.when_there_is_room(error).await?;
                Ok(self.session(conn, permit, reused))
            }
            Err(error) => Err(error),
        }
    }

    /// A session on a connection, counted among those that will return one.
    fn session(self: &Arc<Self>, conn: Conn, permit: OwnedSemaphorePermit, reused: bool) -> Session {
        Session::new(self, conn, Lease::new(&self.spare, permit), reused)
    }

    /// Whether the last attempt to connect failed because the server, or the role, had no session left.
    fn is_full(&self) -> bool {
        matches!(&self.connector, Connector::Postgres(c) if c.is_full())
    }

    /// Waits for a connection of another query of this program, as long as there is one. The server may also have room
    /// again, so it is tried from time to time.
    async fn when_there_is_room(&self, mut error: SourceError) -> Result<(Conn, bool), SourceError> {
        loop {
            let returned = self.spare.returned.notified();
            tokio::pin!(returned);
            returned.as_mut().enable();
            if let Some((mut conn, fresh)) = self.spare.take() {
                if fresh || conn.ping().await == Health::Good {
                    return Ok((conn, true));
                }
                continue;
            }
            if self.spare.leases.load(Ordering::Acquire) == 0 {
                return Err(error);
            }
            if timeout(RETRY_INTERVAL, returned).await.is_ok() {
                continue;
            }
            match self.connect().await {
                Ok(conn) => return Ok((conn, false)),
                Err(e) if self.is_full() => error = e,
                Err(e) => return Err(e),
            }
        }
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
                self.spare.returned.notified().await;
                if let Some((conn, _)) = self.spare.take().filter(|(_, fresh)| *fresh) {
                    return Some(conn);
                }
            }
            None
        });
        waited.await.ok().flatten()
    }

    /// Opens a connection, whether or not the pool has idle ones.
    pub(crate) async fn connect(&self) -> Result<Conn, SourceError> {
        Ok(match &self.connector {
            Connector::Postgres(c) => Conn::Postgres(Box::new(c.connect().await?)),
            Connector::Sqlite(c) => Conn::Sqlite(Box::new(c.connect().await?)),
        })
    }

    /// Returns a connection that is in order to the list of idle ones.
    pub(crate) fn give_back(&self, conn: Conn) {
        self.spare.give_back(conn);
    }

    /// Marks all idle connections as suspect after one was found dead.
    pub(crate) fn suspect_all(&self) {
        if let Ok(mut idle) = self.spare.idle.lock() {
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
