//! Logging in to a PostgreSQL server: host after host, with the password of each, and with the limits of a session.
//!
//! Called by the pool. It caches no connection, and a session it opens for reading cannot write. Cancelling statements is
//! in [`control`](crate::store::connect::control).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Row as _};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::domain::text::Clean;
use crate::protocol::{SourceError, Why};
use crate::store::connect::address::{Host, Server, Tls, Wanted};
use crate::store::connect::error::{Context, is_password};
use crate::store::connect::forward::Forward;
use crate::store::connect::password::Attempt;
use crate::store::connect::pool::ACQUIRE_TIMEOUT;
use crate::store::connect::postgres::{Limits, PgConn, SEARCH_PATH};
use crate::store::connect::transaction::BEGIN_READ;
use crate::store::options::{Access, ConnectOptions};

/// Prepared statements per session: the console uses about this many query shapes at a time, and each costs the server
/// about 10 KiB.
const STATEMENTS: usize = 32;

/// Opens sessions on one server.
pub struct Connector {
    hosts: Vec<Host>,
    wanted: Wanted,
    limits: Limits,
    address: String,
    /// How long one attempt may take.
    attempt_limit: Duration,
    /// Whether the last attempt failed because the server, or the role, had no session left.
    full: AtomicBool,
    /// The host of the last session.
    host: AtomicUsize,
    /// Where a host is reached by a numeric address under its own name; by host.
    forwards: Mutex<Vec<Option<Forward>>>,
    /// For cancelling: the host, and a connection to it.
    pub(super) control: Mutex<Option<(usize, PgConnection)>>,
}

impl Connector {
    /// `address` is for messages, and holds no secret.
    pub fn new(server: Server, address: String, options: &ConnectOptions) -> Self {
        let prepare = |mut host: Host| {
            // Poolers refuse this parameter, and no column here is a float.
            let base = host.options.extra_float_digits(None).statement_cache_capacity(STATEMENTS);
            let base = base.disable_statement_logging();
            host.options = match base.get_application_name() {
                Some(_) => base,
                None => base.application_name(&options.application_name),
            };
            host
        };
        let hosts: Vec<Host> = server.hosts.into_iter().map(prepare).collect();
        Self {
            forwards: Mutex::new(hosts.iter().map(|_| None).collect()),
            hosts,
            wanted: server.wanted,
            limits: Limits { access: options.access, timeout: options.statement_timeout },
            address,
            attempt_limit: server.timeout.unwrap_or(ACQUIRE_TIMEOUT),
            full: AtomicBool::new(false),
            host: AtomicUsize::new(0),
            control: Mutex::default(),
        }
    }

    /// Whether the last attempt to connect failed because the server, or the role, had no session left.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Acquire)
    }

    fn context(&self) -> Context<'_> {
        Context { address: &self.address, timeout: self.limits.timeout, overdue: false }
    }

    /// The limits of a session: name and value.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let limit = self.limits.timeout.as_millis();
        let mut settings = vec![
            ("statement_timeout", limit.to_string()),
            ("lock_timeout", "5000".to_owned()),
            ("idle_in_transaction_session_timeout", "60000".to_owned()),
            // Escape clauses are written for the standard meaning of a backslash.
            ("standard_conforming_strings", "on".to_owned()),
        ];
        if self.limits.access == Access::Read {
            settings.push(("default_transaction_read_only", "on".to_owned()));
        }
        settings
    }

    /// Opens a session on the first host that can be reached and is of the wanted kind. A host that refuses the login
    /// ends the search, like in libpq: the next one would refuse it too, and servers count failures.
    pub async fn connect(&self) -> Result<PgConn, SourceError> {
        let rounds = match self.wanted {
            Wanted::PreferStandby => vec![Wanted::Standby, Wanted::Any],
            wanted => vec![wanted],
        };
        self.full.store(false, Ordering::Release);
        let mut failures = Vec::new();
        for wanted in rounds {
            failures.clear();
            for (at, host) in self.hosts.iter().enumerate() {
                match self.connect_to(at, wanted).await {
                    Ok(Ok(conn)) => return Ok(conn),
                    Ok(Err(role)) => failures.push((host, Why::new(format!("it is {role}")))),
                    Err(SourceError::Unreachable { why, .. }) => failures.push((host, why)),
                    Err(e) => return Err(e),
                }
            }
        }
        Err(self.context().unreachable(all_failed(failures)))
    }

    /// A session on one host; or the role of the host, if another one is wanted.
    async fn connect_to(&self, at: usize, wanted: Wanted) -> Result<Result<PgConn, &'static str>, SourceError> {
        let Some(host) = self.hosts.get(at) else { return Err(self.context().unreachable("no such host")) };
        check_files(host).map_err(|why| self.context().refused(why))?;
        let mut conn = self.log_in(at, host).await?;
        if matches!(wanted, Wanted::Primary | Wanted::Standby) {
            let sql = "SELECT pg_catalog.pg_is_in_recovery()";
            let role = timeout(self.attempt_limit, sqlx::raw_sql(sql).fetch_one(&mut conn.inner)).await;
            let role = role.map_err(|_| self.context().silent(self.attempt_limit))?;
            let standby = role.and_then(|row| row.try_get(0)).map_err(|e| self.context().error(e))?;
            match (wanted, standby) {
                (Wanted::Primary, true) => return Ok(Err("a standby, and a primary is wanted")),
                (Wanted::Standby, false) => return Ok(Err("a primary, and a standby is wanted")),
                _ => {}
            }
        }
        self.host.store(at, Ordering::Relaxed);
        Ok(Ok(conn))
    }

    /// Logs in, each attempt within the limit. A refused password is looked up again, since it may have changed; the same
    /// one is not sent twice, because servers count failures.
    async fn log_in(&self, at: usize, host: &Host) -> Result<PgConn, SourceError> {
        let refuse = |why: Why| self.context().refused(why);
        let mut attempt = host.passwords.first().await.map_err(refuse)?;
        for last in [false, true] {
            let refused = match timeout(self.attempt_limit, self.open(at, host, &attempt)).await {
                Err(_) => return Err(self.context().silent(self.attempt_limit)),
                Ok(Err(e)) if is_password(&e) => e,
                Ok(Err(e)) => {
                    let code = e.as_database_error().and_then(|d| d.code());
                    self.full.store(code.as_deref() == Some("53300"), Ordering::Release);
                    return Err(self.context().error(e));
                }
                Ok(Ok(conn)) => return Ok(conn),
            };
            match host.passwords.another(&attempt, &self.address).await.map_err(refuse)? {
                Some(secret) if !last => attempt = Attempt::With(secret),
                _ => return Err(self.refused_login(&refused, &attempt)),
            }
        }
        Err(self.context().refused("the password was refused"))
    }

    /// Options for a connection that the driver manages by itself, on the host of the last session, with its limits.
    pub async fn listener_options(&self) -> Result<PgConnectOptions, SourceError> {
        let at = self.host.load(Ordering::Relaxed);
        let options = self.login_options(at).await.map_err(|why| self.context().refused(why))?;
        let path = SEARCH_PATH.replace(' ', "");
        Ok(options.options(self.settings()).options([("search_path", path)]))
    }

    /// Options for a session on a host, with its password and without limits.
    pub(super) async fn login_options(&self, at: usize) -> Result<PgConnectOptions, Why> {
        let host = self.hosts.get(at).ok_or_else(|| Why::new("no such host"))?;
        let attempt = host.passwords.first().await?;
        self.reachable(at, host, &attempt).await.map_err(|e| Why::new(e.to_string()))
    }

    /// The error of a refused login, with the source of the password that was tried.
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

    /// One login with one password. It is tried with the limits first, and without them where a pooler refuses those.
    async fn open(&self, at: usize, host: &Host, attempt: &Attempt) -> Result<PgConn, sqlx::Error> {
        let base = self.reachable(at, host, attempt).await?;
        let (inner, sent) = match base.clone().options(self.settings()).connect().await {
            Ok(inner) => (inner, true),
            // A transaction pooler refuses start-up settings; the server itself never does.
            Err(e) if refuses_options(&e) => (base.connect().await?, false),
            Err(e) => return Err(e),
        };
        let mut conn = PgConn::new(inner, self.limits, host.tls, &self.address).on_host(at);
        conn.verify_settings(sent, &self.local_settings()).await?;
        Ok(conn)
    }

    /// The options with the password and the way to the host. sqlx has one host for connecting and for verifying: where
    /// they differ, and the name is verified, it connects to a forwarding socket of this process.
    async fn reachable(&self, at: usize, host: &Host, attempt: &Attempt) -> Result<PgConnectOptions, sqlx::Error> {
        let secret = if let Attempt::With(secret) = attempt { secret.reveal() } else { "" };
        // sqlx may have read a password by itself while the address was parsed; that one may be stale.
        let options = host.options.clone().password(secret);
        let Some(numeric) = &host.numeric else { return Ok(options) };
        if host.tls != Tls::VerifyFull {
            return Ok(options.host(numeric));
        }
        let mut forwards = self.forwards.lock().await;
        let Some(slot) = forwards.get_mut(at) else { return Ok(options) };
        let forward = match slot {
            Some(forward) => forward,
            None => slot.insert(Forward::to(numeric, host.port).map_err(sqlx::Error::Io)?),
        };
        Ok(options.socket(forward.directory()))
    }

    /// The same limits for one transaction.
    fn local_settings(&self) -> String {
        let begin = if self.limits.access == Access::Read { BEGIN_READ } else { "BEGIN" };
        let mut text = format!("{begin}; SET LOCAL search_path = {SEARCH_PATH}");
        for (name, value) in self.settings() {
            if name != "default_transaction_read_only" {
                text.push_str(&format!("; SET LOCAL {name} = {value}"));
            }
        }
        text
    }
}

/// Names each host if there are several.
fn all_failed(failures: Vec<(&Host, Why)>) -> Why {
    match failures.as_slice() {
        [(_, why)] => why.clone(),
        several => {
            let each: Vec<_> = several.iter().map(|(host, why)| format!("{}: {why}", host.shown())).collect();
            Why::new(each.join("; ")).step("check that one of the servers runs and can be reached")
        }
    }
}

/// The files that TLS needs, before a handshake fails on them without their names.
fn check_files(host: &Host) -> Result<(), Why> {
    for (parameter, file) in &host.files {
        std::fs::File::open(file).map_err(|e| {
            let what = if *parameter == "sslkey" { "key" } else { "certificate" };
            let why = match e.kind() {
                std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
                std::io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
                _ => e.to_string(),
            };
            Why::new(format!("the {what} file '{}' cannot be read: {why}", file.display()))
                .step("check 'sslrootcert', 'sslcert' and 'sslkey' in the address")
        })?;
    }
    Ok(())
}

/// Whether a pooler refused the settings at start-up.
fn refuses_options(e: &sqlx::Error) -> bool {
    !is_password(e)
        && e.as_database_error()
            .is_some_and(|d| d.code().as_deref() == Some("08P01") || d.message().contains("startup parameter"))
}
