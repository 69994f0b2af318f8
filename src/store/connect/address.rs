//! Parses database addresses, and prints them without secrets.
//!
//! sqlx prints passwords in its `Debug` form, and ignores parameters that it does not know. So an address has no
//! derived `Debug`, and unknown parameters are rejected here. It opens no connection.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::store::connect::password::{Passwords, Prompt, Secret, Target};

const SYSTEM_ROOTS: &str = "sslrootcert=system";

/// The parameters that a PostgreSQL address may have.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// A PostgreSQL server or a SQLite file. Prints without password.
#[derive(Clone)]
pub struct Address(Place);

#[derive(Clone)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(Box<Server>),
}

/// A PostgreSQL server: driver options, and where its password comes from.
#[derive(Clone)]
pub(crate) struct Server {
    pub options: PgConnectOptions,
    pub passwords: Arc<Passwords>,
    pub tls: Tls,
}

/// How a connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// A Unix socket, which never leaves the machine.
    Socket,
    /// A server on this machine, without TLS.
    Loopback,
    /// Turned off in the address.
    Off,
    /// If the server offers it, unverified.
    Prefer,
    /// Always, unverified.
    Require,
    VerifyCa,
    VerifyFull,
}

impl Tls {
    /// In words. `on`: whether the session is encrypted, where the server decides.
    pub fn words(self, on: Option<bool>) -> &'static str {
        match (self, on) {
            (Self::Socket, _) => "off (socket)",
            (Self::Loopback, _) => "off (loopback)",
            (Self::Off, _) => "off",
            (Self::Prefer, Some(true)) => "prefer: server not verified",
            (Self::Prefer, Some(false)) => "prefer: off, the server has none",
            (Self::Prefer, None) => "prefer: server not verified, maybe off",
            (Self::Require, _) => "require: server not verified",
            (Self::VerifyCa, _) => "verify-ca: host name not verified",
            (Self::VerifyFull, _) => "verify-full",
        }
    }
    /// Whether nobody on the network can read or intercept the session.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Socket | Self::Loopback | Self::VerifyFull)
    }
}

impl Address {
    /// Parses `sqlite:PATH`, `postgres://…` or `postgresql://…`. A missing password comes from `PGPASSWORD` or
    /// `.pgpass`. Certificates of remote servers are fully verified unless `sslmode` says otherwise.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Self::parse_sqlite(path.strip_prefix("//").unwrap_or(path));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Self::parse_postgres(text);
        }
        // Never echoed: the text may hold a password.
        Err(SourceError::Invalid(
            "the database address is not understood; valid are 'sqlite:PATH' and 'postgres://USER@HOST/DATABASE'"
                .into(),
        ))
    }

    /// A SQLite file.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Place::Sqlite(path.into()))
    }

    /// The file, if the database is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Sqlite(path) => Some(path),
            Place::Postgres(_) => None,
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }

    /// The same server, with a password command for `sh -c` that is used if neither the address nor `PGPASSWORD` has
    /// a password. A file needs none.
    pub fn with_password_command(self, command: &str) -> Self {
        match self.0 {
            Place::Sqlite(_) => self,
            Place::Postgres(mut server) => {
                server.passwords = Arc::new(server.passwords.with_command(command));
                Self(Place::Postgres(server))
            }
        }
    }

    /// Where the password comes from, in words; `None` for a file.
    pub fn password_source(&self) -> Option<&'static str> {
        match &self.0 {
            Place::Sqlite(_) => None,
            Place::Postgres(server) => Some(server.passwords.source()),
        }
    }

    /// Whether nobody on the network can read along or pose as the server.
    pub(crate) fn is_protected(&self) -> bool {
        match &self.0 {
            Place::Sqlite(_) => true,
            Place::Postgres(server) => server.tls.is_safe(),
        }
    }

    /// The prompt for when no source has a password and the server requires one. Only until the first session is
    /// open: later nobody may be at the terminal, or a screen is active.
    pub fn set_prompt(&self, prompt: Prompt) {
        if let Place::Postgres(server) = &self.0 {
            server.passwords.set_prompt(Some(prompt));
        }
    }

    /// Ends prompting.
    pub(crate) fn stop_prompting(&self) {
        if let Place::Postgres(server) = &self.0 {
            server.passwords.set_prompt(None);
        }
    }

    fn parse_sqlite(path: &str) -> Result<Self, SourceError> {
        if path.is_empty() || path == ":memory:" {
            return Err(SourceError::Invalid("'sqlite:' needs the path of a file, as in 'sqlite:events.db'".into()));
        }
        if let Some((path, parameters)) = path.split_once('?') {
            return Err(SourceError::Invalid(format!(
                "a sqlite address takes no parameters, but '{path}' is followed by '?{}'; give the path alone",
                parameters.split(['=', '&']).next().unwrap_or_default()
            )));
        }
        Ok(Self::sqlite(path))
    }

    fn parse_postgres(text: &str) -> Result<Self, SourceError> {
        let (_, query) = text.split_once('?').unwrap_or((text, ""));
        let mut has_sslmode = false;
        for key in query.split('&').filter(|p| !p.is_empty()).map(|p| p.split('=').next().unwrap_or(p)) {
            let known = PARAMETERS.contains(&key) || (key.starts_with("options[") && key.ends_with(']'));
            if !known {
                return Err(SourceError::Invalid(format!(
                    "unknown parameter '{key}' in the database address; valid are {}",
                    PARAMETERS.join(", ")
                )));
            }
            has_sslmode |= key == "sslmode";
        }
        if let Some(mode) = query.split('&').filter_map(|p| p.strip_prefix("sslmode=")).find(|m| !MODES.contains(m)) {
            let mode = Clean::line(mode);
            let valid = MODES.join(", ");
            return Err(SourceError::Invalid(format!(
                "unknown sslmode '{mode}' in the database address; valid are {valid}"
            )));
        }
        // libpq's `system` means the OS trust store (our default); sqlx would open it as a file, so it is dropped.
        let (system, text) = without_system_roots(text);
        let options = PgConnectOptions::from_str(&text).map_err(|e| {
            // sqlx's message names the fault, not the address.
            let message = e.to_string().replace("error with configuration: ", "");
            let hint = "in a user's name or a password write '/' as %2F, '@' as %40, ':' as %3A, '%' as %25";
            SourceError::Invalid(format!("the database address cannot be read: {message}; {hint}"))
        })?;
        let variable = |name: &str| std::env::var(name).ok();
        let asked = has_sslmode || variable("PGSSLMODE").is_some_and(|m| m.parse::<PgSslMode>().is_ok());
        let root = system || variable("PGSSLROOTCERT").is_some() || query.contains("sslrootcert=");
        let home_root = variable("HOME").map(|h| Path::new(&h).join(".postgresql/root.crt")).filter(|f| f.exists());
        let options = match home_root.as_ref().filter(|_| !root) {
            Some(file) => options.ssl_root_cert(file),
            None => options,
        };
        let tls = tls(&options, asked, root || home_root.is_some());
        let options = options.ssl_mode(match tls {
            Tls::Socket | Tls::Loopback | Tls::Off => PgSslMode::Disable,
            Tls::Prefer => PgSslMode::Prefer,
            Tls::Require => PgSslMode::Require,
            Tls::VerifyCa => PgSslMode::VerifyCa,
            Tls::VerifyFull => PgSslMode::VerifyFull,
        });
        let given = given_password(&text).or_else(|| variable("PGPASSWORD").filter(|p| !p.is_empty()).map(Secret::new));
        let passwords = Arc::new(Passwords::new(given, target(&options), variable));
        Ok(Self(Place::Postgres(Box::new(Server { options, passwords, tls }))))
    }
}

/// A remote server must be verified unless the user asked for less; a socket and the loopback need no proof. Like
/// libpq, `require` with a root certificate verifies the authority, and `sslmode` has no effect on a socket.
fn tls(options: &PgConnectOptions, asked: bool, root: bool) -> Tls {
    let host = options.get_host();
    if options.get_socket().is_some() || host.starts_with('/') {
        return Tls::Socket;
    }
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match options.get_ssl_mode() {
        _ if !asked && loopback => Tls::Loopback,
        _ if !asked => Tls::VerifyFull,
        PgSslMode::Disable => Tls::Off,
        // sqlx never starts TLS under 'allow', even if the server requires it.
        PgSslMode::Allow | PgSslMode::Prefer => Tls::Prefer,
        PgSslMode::Require if root => Tls::VerifyCa,
        PgSslMode::Require => Tls::Require,
        PgSslMode::VerifyCa => Tls::VerifyCa,
        PgSslMode::VerifyFull => Tls::VerifyFull,
    }
}

/// Whether the address has `sslrootcert=system`, and the address without it.
fn without_system_roots(text: &str) -> (bool, Cow<'_, str>) {
    let Some((place, query)) = text.split_once('?').filter(|(_, q)| q.split('&').any(|p| p == SYSTEM_ROOTS)) else {
        return (false, Cow::Borrowed(text));
    };
    let rest: Vec<&str> = query.split('&').filter(|p| *p != SYSTEM_ROOTS).collect();
    (true, Cow::Owned(format!("{place}?{}", rest.join("&"))))
}

/// The password in an address; the parameter overrides the one before the host.
fn given_password(text: &str) -> Option<Secret> {
    let (_, rest) = text.split_once("://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let parameter =
        query.split('&').filter_map(|p| p.strip_prefix("password=")).next_back().map(|p| p.replace('+', " "));
    let before_host = || {
        let (user, _) = place.split('/').next()?.rsplit_once('@')?;
        user.split_once(':').map(|(_, password)| password.to_owned())
    };
    parameter.or_else(before_host).map(|p| decoded(&p)).filter(|p| !p.is_empty()).map(Secret::new)
}

/// Percent-decodes a part of an address.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn target(options: &PgConnectOptions) -> Target {
    let socket = options.get_socket().map(|dir| dir.display().to_string());
    let hosts = match socket.or_else(|| Some(options.get_host().to_owned()).filter(|h| h.starts_with('/'))) {
        Some(dir) => vec![dir, "localhost".to_owned()],
        None => vec![options.get_host().to_owned()],
    };
    let user = options.get_username().to_owned();
    let database = options.get_database().unwrap_or(&user).to_owned();
    Target { hosts, port: options.get_port(), database, user }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres(server) => {
                let o = &server.options;
                write!(f, "postgres://{}@", o.get_username())?;
                match o.get_socket() {
                    Some(socket) => write!(f, "{}", socket.display())?,
                    None => f.write_str(o.get_host())?,
                }
                write!(f, ":{}/{}", o.get_port(), o.get_database().unwrap_or(o.get_username()))
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mode(text: &str) -> Tls {
        match Address::parse(text).unwrap().0 {
            Place::Postgres(server) => server.tls,
            Place::Sqlite(_) => unreachable!(),
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let a = Address::parse("postgres://ann:s3cret@db.example:6543/fleet?sslmode=require&password=hush").unwrap();
        assert_eq!(a.to_string(), "postgres://ann@db.example:6543/fleet");
        assert_eq!(format!("{a:?}"), "Address(postgres://ann@db.example:6543/fleet)");
    }

    #[test]
    fn a_fault_is_named_without_its_value() {
        for (text, part) in [
            ("postgres://a@h/d?connect_timeout=s3cret", "unknown parameter 'connect_timeout'"),
            ("mysql://a:s3cret@h/d", "is not understood"),
            ("postgres://a:s3cret@h:port/d", "cannot be read"),
            (
                "postgres://a:s3cret@h/d?sslmode=bogus",
                "unknown sslmode 'bogus' in the database address; valid are disable,",
            ),
            ("postgres://a:s3/cret@h/d", "write '/' as %2F"),
            ("sqlite:", "needs the path"),
            ("sqlite:a.db?mode=ro", "takes no parameters"),
        ] {
            let e = Address::parse(text).unwrap_err().to_string();
            assert!(e.contains(part), "{e}");
            assert!(!e.contains("s3cret"), "{e}");
        }
    }

    #[test]
    fn remote_servers_are_verified() {
        for (text, expected) in [
            ("postgres://a@db.example/d", Tls::VerifyFull),
            ("postgres://a@db.example/d?sslmode=prefer", Tls::Prefer),
            ("postgres://a@db.example/d?sslmode=allow", Tls::Prefer),
            ("postgres://a@db.example/d?sslmode=require", Tls::Require),
            ("postgres://a@db.example/d?sslmode=require&sslrootcert=ca.pem", Tls::VerifyCa),
            ("postgres://a@db.example/d?sslmode=verify-full&sslrootcert=system", Tls::VerifyFull),
            ("postgres://a@db.example/d?sslmode=disable", Tls::Off),
            ("postgres://a@localhost/d", Tls::Loopback),
            ("postgres://a@localhost/d?sslmode=verify-full", Tls::VerifyFull),
            ("postgres://a@127.0.0.1/d", Tls::Loopback),
            ("postgres:///d?host=/run/postgresql", Tls::Socket),
            ("postgres:///d?host=/run/postgresql&sslmode=require", Tls::Socket),
        ] {
            assert_eq!(mode(text), expected, "{text}");
        }
    }

    #[test]
    fn a_given_password_is_found() {
        for (text, expected) in [
            ("postgres://a:p%40w@h/d", Some("p@w")),
            ("postgres://a:p@w@h:1/d", Some("p@w")),
            ("postgres://a:one@h/d?password=two+3&user=a", Some("two 3")),
            ("postgres://a@h/d?host=x", None),
            ("postgres://a:@h/d", None),
            ("postgres://h:5432/d", None),
        ] {
            assert_eq!(given_password(text).as_ref().map(Secret::reveal), expected, "{text}");
        }
    }
}
