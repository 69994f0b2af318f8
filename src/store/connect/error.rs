//! Driver errors in terms of [`SourceError`]: what failed, why, and what to do.
//!
//! Called wherever a statement or a connection fails. Driver messages contain no secret; text that a server wrote is
//! sanitized before it is shown.

use std::time::Duration;

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::domain::text::Clean;
use crate::profile::ident::IdentError;
use crate::protocol::{SourceError, Why};

/// What a failed statement means.
#[derive(Debug)]
pub enum Fault {
    /// The row cannot be stored, and why; other rows may be fine.
    Row(String),
    Source(SourceError),
}

impl From<Fault> for SourceError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Row(why) => Self::Invalid(why),
            Fault::Source(e) => e,
        }
    }
}

impl From<IdentError> for SourceError {
    fn from(error: IdentError) -> Self {
        Self::Shape(error.to_string())
    }
}

/// Which connection an error came from.
pub struct Context<'a> {
    pub address: &'a str,
    /// The limit of the session.
    pub timeout: Duration,
    /// Whether the statement ran for that long.
    pub overdue: bool,
}

impl Context<'_> {
    /// What an error of sqlx means for the statement: a fault of its row, or of the database.
    pub fn fault(&self, error: sqlx::Error) -> Fault {
        match &error {
            sqlx::Error::Database(e) => {
                let why = Clean::line(e.message()).as_str().to_owned();
                let code = e.code().map(|c| c.into_owned()).unwrap_or_default();
                if e.try_downcast_ref::<PgDatabaseError>().is_some() {
                    self.postgres(&code, why)
                } else {
                    self.sqlite(&code, why)
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                tracing::debug!(%error, "a value has another type than its column had");
                let why = "a column has another type than before; the table was altered";
                Fault::Source(SourceError::Shape(why.to_owned()))
            }
            sqlx::Error::Encode(_) => Fault::Row(clean(&error)),
            sqlx::Error::Configuration(_) => Fault::Source(SourceError::Invalid(configuration(&error))),
            sqlx::Error::Io(e) => Fault::Source(self.unreachable(network(e))),
            sqlx::Error::Tls(e) => Fault::Source(self.unreachable(tls(&e.to_string()))),
            sqlx::Error::Protocol(why) => Fault::Source(self.protocol(why)),
            _ => Fault::Source(self.unreachable(clean(&error))),
        }
    }

    /// As [`fault`](Self::fault), for a statement that reads: what would be a fault of a row is one of the source, since the
    /// user gave no row that could be corrected.
    pub fn read_error(&self, error: sqlx::Error) -> SourceError {
        match self.fault(error) {
            Fault::Row(why) => {
                SourceError::Failed(format!("{why}; a value in the database, or the profile's select, does not fit"))
            }
            Fault::Source(e) => e,
        }
    }

    /// As [`fault`](Self::fault), where no row is written.
    pub fn error(&self, error: sqlx::Error) -> SourceError {
        self.fault(error).into()
    }

    /// There is no connection: the caller may try again later.
    pub fn unreachable(&self, why: impl Into<Why>) -> SourceError {
        SourceError::Unreachable { address: self.address.to_owned(), why: why.into() }
    }

    /// The connection was silent for longer than the server would need to time out.
    pub fn silent(&self, after: Duration) -> SourceError {
        let why = Why::new(format!("no answer within {}", seconds(after)));
        self.unreachable(why.step("check the network between here and the server"))
    }

    /// The server answers and does not serve this role: trying again changes nothing.
    pub fn refused(&self, why: impl Into<Why>) -> SourceError {
        SourceError::Refused { address: self.address.to_owned(), why: why.into() }
    }

    /// The statement ran into the limit of its session.
    fn timeout(&self) -> SourceError {
        SourceError::Timeout(seconds(self.timeout))
    }

    /// An error of the server by its SQLSTATE, whose first two characters are its class. Source: appendix A of the
    /// PostgreSQL manual.
    fn postgres(&self, code: &str, why: String) -> Fault {
        let class = code.get(..2).unwrap_or_default();
        Fault::Source(match (code, class) {
            ("57014", _) if self.overdue => self.timeout(),
            ("57014", _) => SourceError::Failed(format!("the server cancelled the query: {why}")),
            ("55P03", _) => SourceError::Failed(format!("another session holds a lock: {why}")),
            ("42P01" | "42703" | "42804" | "42846", _) => SourceError::Shape(format!(
                "{why}; the table differs from its description; a profile's select may read the tables of its 'needs'"
            )),
            // Only the system's schema is searched; see the search path of a session.
            ("42883" | "42704", _) => SourceError::Failed(format!(
                "{why}; only functions and types of pg_catalog are found by their bare names: in a profile's select, write the schema before any other"
            )),
            ("42P10", _) => SourceError::Failed(format!(
                "cannot tell duplicates: {why}; the event table has no unique index on 'id' alone, as on a table that was partitioned by hand"
            )),
            ("40001", _) => SourceError::Failed(format!(
                "the standby stopped the query because it was in the way of replay: {why}; run it again, or raise max_standby_streaming_delay there"
            )),
            ("53100", _) => {
                SourceError::Failed(format!("the disk of the database server is full: {why}; free space there"))
            }
            ("53200", _) => SourceError::Failed(format!("the database server is out of memory: {why}")),
            ("53400", _) => SourceError::Failed(format!("a limit of the database server is reached: {why}")),
            (_, "57") => self.unreachable(shutdown(code, why)),
            ("53300", _) => self.unreachable(
                Why::new(format!("the server has no connection left: {why}"))
                    .step("close other sessions, or raise max_connections or the role's limit"),
            ),
            ("3D000", _) => self.unreachable(Why::new(why).step("check the name of the database in the address")),
            ("25006", _) => self.refused(Why::new(why).step("write to the primary, with a role that may write")),
            ("42501", _) => self.refused(Why::new(why).step("grant the role what it lacks; see 'renewscope doctor'")),
            ("28P01", _) => self.refused(why),
            (_, "28") => self.refused(Why::new(why).step("check the role, and the server's pg_hba.conf")),
            (_, "08" | "53") => self.unreachable(why),
            ("25P03" | "25P04", _) => self.unreachable(Why::new(format!("the server ended the session: {why}"))),
            (_, "22" | "23" | "54") => return Fault::Row(why),
            _ => SourceError::Failed(format!("{why} (SQLSTATE {code})")),
        })
    }

    /// What sqlx did not understand of the server.
    fn protocol(&self, why: &str) -> SourceError {
        let why = Clean::line(why).as_str().to_owned();
        if why.contains("SASL") || why.contains("authentication method") {
            let step = "this program knows passwords (SCRAM-SHA-256, MD5, plain) and client certificates only";
            return self.refused(Why::new(why).step(step));
        }
        self.unreachable(Why::new(why).step("check that a PostgreSQL server listens there"))
    }

    /// An error of SQLite by its result code. Source: the list of result codes in the manual of SQLite.
    fn sqlite(&self, code: &str, why: String) -> Fault {
        // The low byte of an extended result code is the primary one.
        let primary = code.parse::<i32>().map_or(1, |c| c & 0xff);
        Fault::Source(match primary {
            9 if self.overdue => self.timeout(),
            9 => SourceError::Cancelled,
            5 | 6 => SourceError::Failed("other processes hold the write lock of the database; try again".into()),
            8 => self.refused(
                Why::new("the file, its directory, or the log beside it cannot be written to")
                    .step("write as the file's owner; a reader whose log cannot be opened may read a copy of both"),
            ),
            3 | 23 => self.refused(Why::new(why).step("check the rights of the file")),
            13 => SourceError::Failed(format!("the disk is full: {why}; free space there")),
            10 => self.unreachable(Why::new(why).step("check the disk, and that the path is that of a file")),
            11 => {
                self.unreachable(Why::new(why).step("the file is damaged; take a copy of it, or what '.recover' saves"))
            }
            14 => self.unreachable(
                Why::new(why).step("check the path, and this user's rights to the file and its directory"),
            ),
            26 => SourceError::Shape(format!("{} is not a SQLite database", self.address)),
            18 => SourceError::Failed(
                "a text is longer than 256 MiB, which is too long to read; if a view computes it, let the view cut it with \
                 substr()"
                    .into(),
            ),
            12 | 19 | 20 => return Fault::Row(why),
            _ if why.contains("no such table") || why.contains("no such column") => SourceError::Shape(why),
            _ => SourceError::Failed(why),
        })
    }
}

/// Whether the connection cannot be used any more.
pub fn is_fatal(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(e) => e
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|e| matches!(e.severity(), PgSeverity::Fatal | PgSeverity::Panic)),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => false,
        _ => true,
    }
}

/// Whether the server refused the login, and another password might help.
pub fn is_password(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    // Servers that use LDAP or PAM report a wrong password as 28000, which also stands for a missing pg_hba.conf rule.
    match code.as_deref() {
        Some("28P01") => true,
        Some("28000") => error.as_database_error().is_some_and(|e| e.message().contains("authentication failed")),
        _ => false,
    }
}

/// The server, or an administrator, ended the session.
fn shutdown(code: &str, why: String) -> Why {
    match code {
        "57P01" => Why::new(format!("the session was ended on the server: {why}"))
            .step("run it again; a new session is opened"),
        "57P02" => Why::new(format!("a process of the server crashed: {why}")).step("wait until the server is back"),
        "57P03" => Why::new(why).step("wait until the server is ready"),
        "57P04" => Why::new(why).step("the database is gone; check the address"),
        _ => Why::new(format!("the session was ended on the server: {why}")),
    }
}

/// A network error in plain words.
fn network(e: &std::io::Error) -> Why {
    use std::io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable,
        NotFound, PermissionDenied, TimedOut, UnexpectedEof,
    };
    let text = Clean::line(&e.to_string()).as_str().to_owned();
    if text.contains("certificate") {
        return tls(&text);
    }
    match e.kind() {
        ConnectionRefused => Why::new("connection refused").step("check that the server runs and listens there"),
        NotFound => Why::new("there is no such socket, and no server behind it")
            .step("check that the server runs, and its socket directory"),
        PermissionDenied => Why::new("this user may not open the socket").step("check the rights of the socket"),
        HostUnreachable | NetworkUnreachable | TimedOut => {
            Why::new(text).step("check the network between here and the server")
        }
        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof => {
            Why::new("the connection was closed").step("the server, or something on the way to it, went away")
        }
        _ if text.contains("lookup address") => {
            Why::new("the host name is not known").step("check the host name in the address")
        }
        _ => Why::new(text),
    }
}

/// Why the server could not be verified. The names are those of the TLS library.
fn tls(message: &str) -> Why {
    let text = Clean::line(message).as_str().to_owned();
    let has = |words: &str| text.contains(words);
    if has("server does not support TLS") {
        return Why::new("the server does not speak TLS")
            .step("turn on 'ssl' at the server, or add 'sslmode=disable' to the address where the network is trusted");
    }
    if has("UnknownIssuer") {
        return Why::new("the server's certificate was signed by an authority that is not trusted here")
            .step("name the authority's certificate with 'sslrootcert=FILE' in the address");
    }
    if has("certificate is not valid for any names") {
        return Why::new("the server's certificate has its name in the common name (CN) alone, which is not checked")
            .step("add the name to the certificate's subjectAltName, or use 'sslmode=verify-ca'");
    }
    if has("not valid for name") || has("NotValidForName") {
        return Why::new(format!("the server's certificate is for another name: {text}"))
            .step("use a host name that the certificate holds; where it does not lead to the server, add its address as 'hostaddr'");
    }
    if has("certificate expired") || has("Expired") {
        return Why::new("the server's certificate has expired").step("renew the server's certificate");
    }
    if has("not valid yet") || has("NotValidYet") {
        return Why::new("the server's certificate is not valid yet").step("check the clocks here and at the server");
    }
    if has("CaUsedAsEndEntity") {
        return Why::new("the server presents the certificate of an authority as its own")
            .step("give the server a certificate that is signed by the authority");
    }
    Why::new(format!("TLS failed: {text}")).step("check the server's certificate, 'sslrootcert' and 'sslmode'")
}

/// sqlx describes what is wrong with characters of a password; that must not be shown.
fn configuration(error: &sqlx::Error) -> String {
    let text = clean(error);
    if text.contains("saslprep") {
        return "the user name or the password has a character that none may have".to_owned();
    }
    text
}

/// The text of an error on one line, without control characters.
fn clean(error: &sqlx::Error) -> String {
    Clean::line(&error.to_string()).as_str().to_owned()
}

/// A duration in words: `30 s`, `0.2 s`.
pub fn seconds(d: Duration) -> String {
    if d.subsec_millis() == 0 { format!("{} s", d.as_secs()) } else { format!("{:.1} s", d.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_file_do_not_mention_a_server() {
        let context = Context { address: "sqlite:a.db", timeout: Duration::ZERO, overdue: false };
        // A log that cannot be created, an unreadable file, a directory, a damaged file, no right to open.
        for code in ["8", "1288", "264", "3", "23", "10", "11", "14", "270"] {
            let error = SourceError::from(context.sqlite(code, "why".to_owned()));
            assert!(error.is_connection(), "{code}: {error}");
            let step = error.next_step();
            assert!(!step.contains("server") && !step.contains("password"), "{code}: {step}");
        }
    }
}
