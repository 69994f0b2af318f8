//! Cancelling statements of a PostgreSQL server over a control connection.
//!
//! Called by the pool when a query is cancelled or dropped. The connection is opened when it is first needed, to the host
//! of the statement, and runs nothing but cancel requests.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use tokio::time::timeout;

use crate::store::connect::login::Connector;
use crate::store::connect::postgres::Handle;
use crate::store::sql::assert_safe;

/// How long a cancel request may take; after that the statement timeout has to end the statement.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(2);

impl Connector {
    /// Cancels what the backend runs now; returns whether the server was reached. The caller owns that connection and
    /// sends nothing meanwhile, so the request cannot hit a later statement of another client.
    pub async fn stop(&self, handle: &Handle) -> bool {
        match handle.backend() {
            Some((host, pid)) => timeout(CONTROL_TIMEOUT, self.signal(host, pid)).await.unwrap_or(false),
            None => true,
        }
    }

    /// Sends one cancel request to a backend on a host.
    async fn signal(&self, host: usize, pid: i32) -> bool {
        let mut control = self.control.lock().await;
        // A cached connection may have died; the second attempt uses a new one. It is taken out of the slot meanwhile, so
        // that a connection abandoned during a request is not reused.
        for _ in 0..2 {
            let mut conn = match control.take().filter(|(cached, _)| *cached == host) {
                Some((_, conn)) => conn,
                None => {
                    let Ok(options) = self.login_options(host).await else { return false };
                    let Ok(conn) = options.connect().await else { return false };
                    conn
                }
            };
            // One message, because of poolers.
            let sql = format!("SELECT pg_catalog.pg_cancel_backend({pid})");
            let sent = sqlx::raw_sql(assert_safe(&sql)).execute(&mut conn).await;
            if sent.is_ok() {
                *control = Some((host, conn));
                return true;
            }
        }
        false
    }
}
