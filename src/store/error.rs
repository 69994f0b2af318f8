//! Errors of the drivers in the words of [`SourceError`]. No secret is in a driver's message; text that the server wrote
//! is made safe to show.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;

use crate::domain::text::Clean;
use crate::profile::ident::IdentError;
use crate::protocol::SourceError;

/// What a failed statement means.
#[derive(Debug)]
pub enum Fault {
    /// It is the row that cannot be stored: its text says why. Another row may be fine.
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
    /// The limit that the session runs under.
    pub timeout: Duration,
    /// Whether the statement ran for as long as that.
    pub overdue: bool,
}

impl Context<'_> {
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
                Fault::Source(SourceError::Shape(format!("a column cannot be read: {}", clean(&error))))
            }
            sqlx::Error::Encode(_) => Fault::Row(clean(&error)),
            sqlx::Error::Configuration(_) => Fault::Source(SourceError::Invalid(clean(&error))),
            _ => Fault::Source(self.unreachable(clean(&error))),
        }
    }

    pub fn error(&self, error: sqlx::Error) -> SourceError {
        self.fault(error).into()
    }

    pub fn unreachable(&self, why: String) -> SourceError {
        SourceError::Unreachable { address: self.address.to_owned(), why }
    }

    fn refused(&self, why: String) -> SourceError {
        SourceError::Refused { address: self.address.to_owned(), why }
    }

    fn timeout(&self) -> SourceError {
        SourceError::Timeout(seconds(self.timeout))
    }

    fn postgres(&self, code: &str, why: String) -> Fault {
        let class = code.get(..2).unwrap_or_default();
        Fault::Source(match (code, class) {
            ("57014", _) if self.overdue => self.timeout(),
            ("57014", _) => SourceError::Failed(format!("the server cancelled the query: {why}")),
            ("55P03", _) => SourceError::Failed(format!("another session holds a lock: {why}")),
            ("42P01" | "42703", _) => SourceError::Shape(format!("{why}; the table is not as it was described")),
            ("40001", _) => SourceError::Failed(format!("the server gave up the query: {why}")),
            ("42501" | "25006", _) | (_, "28") => self.refused(why),
            ("3D000", _) | (_, "08" | "53" | "57") => self.unreachable(why),
            (_, "22" | "23" | "54") => return Fault::Row(why),
            _ => SourceError::Failed(format!("{why} (SQLSTATE {code})")),
        })
    }

    fn sqlite(&self, code: &str, why: String) -> Fault {
        // The low byte of an extended result code is the primary one.
        let primary = code.parse::<i32>().map_or(1, |c| c & 0xff);
        Fault::Source(match primary {
            9 if self.overdue => self.timeout(),
            9 => SourceError::Cancelled,
            5 | 6 => {
                SourceError::Failed("another process is writing to the database and did not finish in time".into())
            }
            8 => self.refused("it is open for reading only".into()),
            3 | 23 => self.refused(why),
            10 | 11 | 14 => self.unreachable(why),
            26 => SourceError::Shape(format!("{} is not a SQLite database", self.address)),
            12 | 18 | 19 | 20 => return Fault::Row(why),
            _ if why.contains("no such table") || why.contains("no such column") => SourceError::Shape(why),
            _ => SourceError::Failed(why),
        })
    }
}

fn clean(error: &sqlx::Error) -> String {
    Clean::line(&error.to_string()).as_str().to_owned()
}

/// A length of time in words: `30 s`, `0.2 s`.
pub fn seconds(d: Duration) -> String {
    if d.subsec_millis() == 0 { format!("{} s", d.as_secs()) } else { format!("{:.1} s", d.as_secs_f64()) }
}
