//! Logging in to a PostgreSQL server, and cancelling statements over a control connection.
//!
//! Called by the pool. It caches no connection but the control connection, and a session it opens for reading cannot
//! write.

use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::domain::text::Clean;
use crate::protocol::{SourceError, Why};
use crate::store::connect::address::{Server, Tls};
use crate::store::connect::error::{Context, is_password};
use crate::store::connect::password::{Attempt, Passwords};
use crate::store::connect::pool::ACQUIRE_TIMEOUT;
use crate::store::connect::postgres::{Handle, Limits, PgConn, SEARCH_PATH};
use crate::store::connect::transaction::BEGIN_READ;
use crate::store::options::{Access, ConnectOptions};
use crate::store::sql::assert_safe;

/// How long a cancel request may take; after that the statement timeout has to end the statement.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(2);

/// Prepared statements per session: the console uses about this many query shapes at a time, and each costs the
/// server about 10 KiB.
const STATEMENTS: usize = 32;

pub struct Connector {
    base: PgConnectOptions,
    passwords: Arc<Passwords>,
    tls: Tls,
    access: Access,
    timeout: Duration,
    address: String,
    control: Mutex<Option<PgConnection>>,
}

impl Connector {
    pub fn new(server: Server, address: String, options: &ConnectOptions) -> Self {
        // Poolers refuse this parameter, and no column here is a float.
        let base =
            server.options.extra_float_digits(None).statement_cache_capacity(STATEMENTS).disable_statement_logging();
        let base = match base.get_application_name() {
            Some(_) => base,
            None => base.application_name(&options.application_name),
        };
        Self {
            base,
            passwords: server.passwords,
            tls: server.tls,
            access: options.access,
            timeout: options.statement_timeout,
            address,
            control: Mutex::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context { address: &self.address, timeout: self.timeout, overdue: false }
    }

    /// The limits of a session: name and value.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let limit = self.timeout.as_millis();
        let mut settings = vec![
            ("statement_timeout", limit.to_string()),
            ("lock_timeout", "5000".to_owned()),
            ("idle_in_transaction_session_timeout", "60000".to_owned()),
            // Escape clauses are written for the standard meaning of a backslash.
            ("standard_conforming_strings", "on".to_owned()),
        ];
        if self.access == Access::Read {
            settings.push(("default_transaction_read_only", "on".to_owned()));
        }
        settings
    }

    /// Opens a connection, each attempt within [`ACQUIRE_TIMEOUT`]. A refused password is looked up again, since it
    /// may have changed; the same one is not sent twice, because servers count failures.
    pub async fn connect(&self) -> Result<PgConn, SourceError> {
        let refuse = |why: Why| self.context().refused(why);
        let mut attempt = self.passwords.first().await.map_err(refuse)?;
        for last in [false, true] {
            let refused = match timeout(ACQUIRE_TIMEOUT, self.open(&attempt)).await {
                Err(_) => return Err(self.context().silent(ACQUIRE_TIMEOUT)),
                Ok(Err(e)) if is_password(&e) => e,
                Ok(Err(e)) => return Err(self.context().error(e)),
                Ok(Ok(conn)) => return Ok(conn),
            };
            match self.passwords.another(&attempt, &self.address).await.map_err(refuse)? {
                Some(secret) if !last => attempt = Attempt::With(secret),
                _ => return Err(self.refused_login(&refused, &attempt)),
            }
        }
        Err(self.context().refused("the password was refused"))
    }

    /// Options for a connection that the driver manages by itself, under the same limits.
    pub async fn listener_options(&self) -> Result<PgConnectOptions, SourceError> {
        let attempt = self.passwords.first().await.map_err(|why: Why| self.context().refused(why))?;
        let path = SEARCH_PATH.replace(' ', "");
        Ok(self.with_password(&attempt).options(self.settings()).options([("search_path", path)]))
    }

    fn refused_login(&self, error: &sqlx::Error, attempt: &Attempt) -> SourceError {
        let message =
            error.as_database_error().map_or_else(String::new, |e| Clean::line(e.message()).as_str().to_owned());
        match attempt {
            Attempt::With(_) => self.context().refused(Why::new(message).step("check the user and the password")),
            Attempt::Without(Some(why)) => self.context().refused(format!("{message}; {why}")),
            Attempt::Without(None) => self.context().refused(
                Why::new(format!("{message}; no password was given"))
                    .step("set PGPASSWORD, add a line to ~/.pgpass, or name a password_command in the configuration"),
            ),
        }
    }

    async fn open(&self, attempt: &Attempt) -> Result<PgConn, sqlx::Error> {
        let base = self.with_password(attempt);
        let (inner, sent) = match base.clone().options(self.settings()).connect().await {
            Ok(inner) => (inner, true),
            // A transaction pooler refuses start-up settings; the server itself never does.
            Err(e) if refuses_options(&e) => (base.connect().await?, false),
            Err(e) => return Err(e),
        };
        let mut conn =
            PgConn::new(inner, Limits { access: self.access, timeout: self.timeout }, self.tls, &self.address);
        conn.verify_settings(sent, &self.local_settings()).await?;
        Ok(conn)
    }

    /// sqlx has read the password file itself while parsing; that result may be stale, so it is replaced.
    fn with_password(&self, attempt: &Attempt) -> PgConnectOptions {
        let secret = if let Attempt::With(secret) = attempt { secret.reveal() } else { "" };
        self.base.clone().password(secret)
    }

    /// The same limits for one transaction.
    fn local_settings(&self) -> String {
        let begin = if self.access == Access::Read { BEGIN_READ } else { "BEGIN" };
        let mut text = format!("{begin}; SET LOCAL search_path = {SEARCH_PATH}");
        for (name, value) in self.settings() {
            if name != "default_transaction_read_only" {
                text.push_str(&format!("; SET LOCAL {name} = {value}"));
            }
        }
        text
    }

    /// Cancels what the backend runs now; returns whether the server was reached. The caller owns that connection and
    /// sends nothing meanwhile, so the request cannot hit a later statement of another client.
    pub async fn stop(&self, handle: &Handle) -> bool {
        match handle.pid() {
            Some(pid) => timeout(CONTROL_TIMEOUT, self.signal(pid)).await.unwrap_or(false),
            None => true,
        }
    }

    async fn signal(&self, pid: i32) -> bool {
        let mut control = self.control.lock().await;
        // A cached connection may have died; the second attempt uses a new one. It is taken out of the slot meanwhile, so
        // that a connection abandoned during a request is not reused.
        for _ in 0..2 {
            let mut conn = match control.take() {
                Some(conn) => conn,
                None => {
                    let Ok(attempt) = self.passwords.first().await else { return false };
                    let Ok(conn) = self.with_password(&attempt).connect().await else { return false };
                    conn
                }
            };
            // One message, because of poolers.
            let sql = format!("SELECT pg_catalog.pg_cancel_backend({pid})");
            let sent = sqlx::raw_sql(assert_safe(&sql)).execute(&mut conn).await;
            if sent.is_ok() {
                *control = Some(conn);
                return true;
            }
        }
        false
    }
}

fn refuses_options(e: &sqlx::Error) -> bool {
    !is_password(e)
        && e.as_database_error()
            .is_some_and(|d| d.code().as_deref() == Some("08P01") || d.message().contains("options"))
}
