//! PostgreSQL notifications: wake-ups, so that the tail need not wait for its next poll.
//!
//! Wake-ups only: a notification can be lost with its connection, and most databases send none, so nothing depends on
//! them. One connection listens, and only if a trigger notifies. A standby cannot listen, and behind a pooler
//! notifications go to the client that holds the server connection.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::pool::ACQUIRE_TIMEOUT;
use crate::store::shared::Shared;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// The channel that the trigger notifies; see [`notify`](crate::store::schema::notify).
pub const CHANNEL: &str = "renewscope";
/// A connection that is silent for this long is checked.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a database without a trigger is checked for one.
const RECHECK: Duration = Duration::from_secs(60);
/// The longest wait between attempts to listen.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The listening task, started on first use.
#[derive(Default)]
pub struct Listening {
    wakeup: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Ok(Some(task)) = self.task.get_mut().map(Option::take) {
            task.abort();
        }
    }
}

impl Listening {
    /// Resolves with the next notification; the first call starts to listen.
    pub async fn next(&self, shared: &Arc<Shared>) {
        if let Ok(mut task) = self.task.lock()
            && task.is_none()
        {
            *task = Some(tokio::spawn(listen(Arc::downgrade(shared), Arc::clone(&self.wakeup))));
        }
        self.wakeup.notified().await;
    }
}

/// Listens until the store ends, with growing pauses between failures.
async fn listen(shared: Weak<Shared>, wakeup: Arc<Notify>) {
    let mut wait = Duration::from_secs(1);
    while let Some(shared) = shared.upgrade() {
        let pause = match begin(&shared).await {
            Ok(Some(listener)) => {
                wait = Duration::from_secs(1);
                // The task must not keep the store alive while it listens.
                drop(shared);
                forward(listener, &wakeup).await;
                wait
            }
            Ok(None) => RECHECK,
            Err(error) => {
                tracing::debug!(%error, "LISTEN failed");
                wait = (wait * 2).min(MAX_BACKOFF);
                wait
            }
        };
        sleep(pause).await;
    }
}

/// A listening connection; `None` if there is nothing to listen to.
async fn begin(shared: &Arc<Shared>) -> Result<Option<PgListener>, SourceError> {
    let mut session = shared.tail.acquire().await?;
    let Conn::Postgres(conn) = session.conn()? else { return Ok(None) };
    if conn.is_pooled() {
        return Ok(None);
    }
    let text = format!(
        "SELECT (NOT pg_is_in_recovery() AND EXISTS (SELECT 1 FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
         WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND p.prosrc LIKE '%pg_notify(''{CHANNEL}''%'))::int::int8"
    );
    let found = session.rows(&Sql::plain(Dialect::Postgres, &text), &[CellType::Int]).await?;
    session.finish().await?;
    if found.into_iter().next().and_then(|mut row| row.int(0)) != Some(1) {
        return Ok(None);
    }
    drop(session);
    let Some(options) = shared.tail.listener_options().await? else { return Ok(None) };
    let failed = |e: sqlx::Error| SourceError::Failed(e.to_string());
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await.map_err(failed)?;
    listener.listen(CHANNEL).await.map_err(failed)?;
    Ok(Some(listener))
}

/// Forwards notifications until the connection is lost.
async fn forward(mut listener: PgListener, wakeup: &Notify) {
    // Notifications sent before this moment were missed.
    wakeup.notify_one();
    loop {
        match timeout(HEARTBEAT, listener.try_recv()).await {
            Ok(Ok(Some(_))) => wakeup.notify_one(),
            // The connection was lost, and notifications with it.
            Ok(Ok(None) | Err(_)) => break,
            Err(_) => {
                let alive = timeout(ACQUIRE_TIMEOUT, listener.execute("SELECT 1")).await;
                if !alive.is_ok_and(|answer| answer.is_ok()) {
                    break;
                }
            }
        }
    }
    wakeup.notify_one();
}
