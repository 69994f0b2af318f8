//! Where a database is, without its secrets on show.
//!
//! The driver prints passwords in its `Debug` form, and logs and ignores parameters that it does not know. So an
//! address has no derived `Debug`, and an unknown parameter is refused here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::protocol::SourceError;

/// The parameters that a PostgreSQL address may carry.
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

/// A PostgreSQL server or a SQLite file. Prints without password.
#[derive(Clone)]
pub struct Address(Place);

#[derive(Clone)]
pub(super) enum Place {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl Address {
    /// Reads `sqlite:PATH`, `postgres://…` or `postgresql://…`. A missing password comes from `PGPASSWORD` or
    /// `.pgpass`. Certificates of remote servers are verified in full unless `sslmode` says otherwise.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Self::parse_sqlite(path.strip_prefix("//").unwrap_or(path));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Self::parse_postgres(text);
        }
        // Not echoed: what was meant as an address may hold a password.
        Err(SourceError::Invalid(
            "the database address is not understood; valid are 'sqlite:PATH' and 'postgres://USER@HOST/DATABASE'"
                .into(),
        ))
    }

    /// A SQLite file.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Place::Sqlite(path.into()))
    }

    /// The file, where the database is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Sqlite(path) => Some(path),
            Place::Postgres(_) => None,
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.0
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
        let mut asked_sslmode = false;
        for key in query.split('&').filter(|p| !p.is_empty()).map(|p| p.split('=').next().unwrap_or(p)) {
            let known = PARAMETERS.contains(&key) || (key.starts_with("options[") && key.ends_with(']'));
            if !known {
                return Err(SourceError::Invalid(format!(
                    "unknown parameter '{key}' in the database address; valid are {}",
                    PARAMETERS.join(", ")
                )));
            }
            asked_sslmode |= key == "sslmode";
        }
        let options = PgConnectOptions::from_str(text).map_err(|e| {
            // The driver's words name the fault and not the address.
            SourceError::Invalid(format!("the database address cannot be read: {e}"))
        })?;
        let options = if asked_sslmode { options } else { with_default_tls(options) };
        Ok(Self(Place::Postgres(Box::new(options))))
    }
}

/// A remote server must prove who it is; a socket and the loopback need no proof.
fn with_default_tls(options: PgConnectOptions) -> PgConnectOptions {
    let host = options.get_host();
    let local = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    options.ssl_mode(if local { PgSslMode::Disable } else { PgSslMode::VerifyFull })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres(o) => {
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

    fn mode(text: &str) -> PgSslMode {
        match Address::parse(text).unwrap().0 {
            Place::Postgres(o) => o.get_ssl_mode(),
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
            ("postgres://a@db.example/d", "VerifyFull"),
            ("postgres://a@db.example/d?sslmode=prefer", "Prefer"),
            ("postgres://a@localhost/d", "Disable"),
            ("postgres://a@127.0.0.1/d", "Disable"),
            ("postgres:///d?host=/run/postgresql", "Disable"),
        ] {
            assert_eq!(format!("{:?}", mode(text)), expected, "{text}");
        }
    }
}
