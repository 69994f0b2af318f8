//! Notifications: a hint that somebody has written, so that a tail need not wait for its next look.
//!
//! A hint only. A notification can be lost with its connection, and most databases send none, so nothing here is ever
//! relied on. One connection listens, and only where a trigger notifies: on a standby nobody can listen, and through a
//! pooler the notification would go to whoever holds the server's connection.

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

/// What a trigger notifies on; see [`notify`](crate::store::schema::notify).
pub const CHANNEL: &str = "renewscope";
/// A link that is silent for this long is tried.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A database that sends none is looked at again this often.
const AGAIN: Duration = Duration::from_secs(60);
/// The longest wait between tries to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether somebody listens, and who waits for it.
#[derive(Default)]
pub struct Listening {
    heard: Arc<Notify>,
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
    /// Resolves with the next notification; the first call begins to listen.
    pub async fn next(&self, shared: &Arc<Shared>) {
        if let Ok(mut task) = self.task.lock()
            && task.is_none()
        {
            *task = Some(tokio::spawn(listen(Arc::downgrade(shared), Arc::clone(&self.heard))));
        }
        self.heard.notified().await;
    }
}

async fn listen(shared: Weak<Shared>, heard: Arc<Notify>) {
    let mut wait = Duration::from_secs(1);
    while let Some(shared) = shared.upgrade() {
        let pause = match begin(&shared).await {
            Ok(Some(listener)) => {
                wait = Duration::from_secs(1);
                // Not kept while listening: the store must be able to end.
                drop(shared);
                hear(listener, &heard).await;
                wait
            }
            Ok(None) => AGAIN,
            Err(error) => {
                tracing::debug!(%error, "cannot listen for notifications");
                wait = (wait * 2).min(PATIENCE);
                wait
            }
        };
        sleep(pause).await;
    }
}

/// A connection that listens; `None` where there is nothing to listen to.
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

/// Passes notifications on until the connection is lost.
async fn hear(mut listener: PgListener, heard: &Notify) {
    // What was sent before this moment is not told.
    heard.notify_one();
    loop {
        match timeout(HEARTBEAT, listener.try_recv()).await {
            Ok(Ok(Some(_))) => heard.notify_one(),
            // The connection was lost, and with it whatever was sent meanwhile.
            Ok(Ok(None) | Err(_)) => break,
            Err(_) => {
                let alive = timeout(ACQUIRE_TIMEOUT, listener.execute("SELECT 1")).await;
                if !alive.is_ok_and(|answer| answer.is_ok()) {
                    break;
                }
            }
        }
    }
    heard.notify_one();
}
