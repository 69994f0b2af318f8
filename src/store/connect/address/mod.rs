//! Parses database addresses, and prints them without secrets.
//!
//! sqlx prints passwords in its `Debug` form, and ignores parameters that it does not know. So an address has no
//! derived `Debug`, and unknown parameters are rejected here. It opens no connection.

mod server;
mod service;
mod settings;
mod uri;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use server::{Host, Server, Wanted};

use crate::protocol::SourceError;
use crate::store::connect::address::settings::Settings;
use crate::store::connect::password::Prompt;

/// A PostgreSQL server or a SQLite file. Prints without password.
#[derive(Clone)]
pub struct Address(Place);

/// Which of the two databases an address leads to.
#[derive(Clone)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(Box<Server>),
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
    /// Parses `sqlite:PATH`, `postgres://…`, libpq's `keyword=value …`, or the path of a file that exists. What the address
    /// leaves open comes from a service file and from libpq's environment variables. Certificates of remote servers are
    /// fully verified unless `sslmode` says otherwise.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        Self::parse_with(text, &|name| std::env::var(name).ok())
    }

    /// As [`parse`](Self::parse), in an environment that `variable` reads.
    fn parse_with(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, SourceError> {
        if let Some(path) = ["sqlite:", "sqlite3:", "file:"].iter().find_map(|scheme| text.strip_prefix(scheme)) {
            return Self::parse_sqlite(path.strip_prefix("//").unwrap_or(path), variable);
        }
        if text.trim() != text {
            return Err(SourceError::Invalid(misread(text)));
        }
        let mut settings = Settings::default();
        let uri = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        match uri {
            Some(rest) => uri::read_uri(rest, &mut settings)?,
            None if is_keywords(text) => uri::read_keywords(text, &mut settings)?,
            None if Path::new(text).is_file() => return Ok(Self::sqlite(text)),
            None => return Err(SourceError::Invalid(misread(text))),
        }
        let service = settings.get("service").map(str::to_owned).or_else(|| variable("PGSERVICE"));
        if let Some(name) = service.filter(|name| !name.is_empty()) {
            service::complete(&name, &mut settings, variable)?;
        }
        settings.complete(variable);
        Ok(Self(Place::Postgres(Box::new(server::build(settings, variable)?))))
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

    /// For what opens connections.
    pub(crate) fn place(&self) -> &Place {
        &self.0
    }

    /// The same server, with a password command for `sh -c` that is used if neither the address nor `PGPASSWORD` has a
    /// password. A file needs none.
    pub fn with_password_command(self, command: &str) -> Self {
        match self.0 {
            Place::Sqlite(_) => self,
            Place::Postgres(mut server) => {
                for host in &mut server.hosts {
                    host.passwords = Arc::new(host.passwords.with_command(command));
                }
                Self(Place::Postgres(server))
            }
        }
    }

    /// The hosts of a server; empty for a file.
    fn hosts(&self) -> &[Host] {
        match &self.0 {
            Place::Sqlite(_) => &[],
            Place::Postgres(server) => &server.hosts,
        }
    }

    /// Where the password comes from, in words; `None` for a file.
    pub fn password_source(&self) -> Option<&'static str> {
        self.hosts().first().map(|host| host.passwords.source())
    }

    /// What the address says that has no effect, in words.
    pub fn warnings(&self) -> &[String] {
        match &self.0 {
            Place::Sqlite(_) => &[],
            Place::Postgres(server) => &server.warnings,
        }
    }

    /// Whether nobody on the network can read along or pose as the server.
    pub(crate) fn is_protected(&self) -> bool {
        self.hosts().iter().all(|host| host.tls.is_safe())
    }

    /// The prompt for when no source has a password and the server requires one. Only until the first session is open:
    /// later nobody may be at the terminal, or a screen is active.
    pub fn set_prompt(&self, prompt: Prompt) {
        self.hosts().iter().for_each(|host| host.passwords.set_prompt(Some(Arc::clone(&prompt))));
    }

    /// Ends prompting.
    pub(crate) fn stop_prompting(&self) {
        self.hosts().iter().for_each(|host| host.passwords.set_prompt(None));
    }

    /// The file of a `sqlite:` address. The error explains what a path may be.
    fn parse_sqlite(text: &str, variable: server::Variable<'_>) -> Result<Self, SourceError> {
        if text.is_empty() || text == ":memory:" {
            return Err(SourceError::Invalid("'sqlite:' needs the path of a file, as in 'sqlite:events.db'".into()));
        }
        // A file may have any name; of a name with a '?' only its existence says that no parameters are meant.
        let path = in_home(text, variable);
        if text.contains('?') && !path.exists() {
            return Err(SourceError::Invalid(
                "a sqlite address takes no parameters; give the path alone, without '?' and what follows".into(),
            ));
        }
        Ok(Self::sqlite(path))
    }
}

/// A path with `~/` as the user's home directory, which a shell expands only at the beginning of a word.
fn in_home(path: &str, variable: server::Variable<'_>) -> PathBuf {
    let home = path.strip_prefix("~/").and_then(|rest| Some(Path::new(&variable("HOME")?).join(rest)));
    home.unwrap_or_else(|| path.into())
}

/// Whether a text has the form `keyword=value …`.
fn is_keywords(text: &str) -> bool {
    let keyword = text.split_once('=').map(|(keyword, _)| keyword.trim());
    keyword.is_some_and(|k| !k.is_empty() && k.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Why a text is no address. Never repeats it: it may hold a password.
fn misread(text: &str) -> String {
    let scheme = text.split([':', '/']).next().unwrap_or_default();
    let lower = scheme.to_ascii_lowercase();
    let why = if text.trim() != text {
        "it begins or ends with a blank; remove that"
    } else if text.starts_with(['"', '\'', '`', '\u{201c}', '\u{2018}']) {
        "it stands in quotes; remove them"
    } else if lower != scheme && matches!(lower.as_str(), "postgres" | "postgresql" | "sqlite") {
        "its scheme is written in lower case"
    } else if lower == "jdbc" {
        "remove 'jdbc:', and name the user before the host"
    } else if lower.starts_with("postgres") && lower.contains('+') {
        "its scheme names no driver; remove the '+' and what follows it up to the ':'"
    } else if matches!(scheme, "postgres" | "postgresql") {
        "'://' follows the scheme"
    } else {
        "a file that does not exist yet is written 'sqlite:PATH'"
    };
    format!(
        "the database address is not understood: {why}; valid are 'sqlite:PATH', 'postgres://USER@HOST/DATABASE' and 'host=HOST dbname=DATABASE'"
    )
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres(server) => {
                let hosts: Vec<_> = server.hosts.iter().map(Host::shown).collect();
                write!(f, "postgres://{}@{}/{}", server.user, hosts.join(","), server.database)
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
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
