//! Why a query failed, in words for the user. The store makes these errors; the console and the headless commands print
//! them with [`SourceError::next_step`]. No password and no other secret may enter one.

use std::fmt;
use std::ops::Deref;

use thiserror::Error;

/// Each variant says what failed and on what; [`SourceError::next_step`] says what to do.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SourceError {
    /// The caller cancelled the query, so nobody reads this.
    #[error("cancelled")]
    Cancelled,
    /// The database reached the statement timeout; the text is that time, as `30s`.
    #[error("the database stopped the query after {0}")]
    Timeout(String),
    /// No connection, or a connection that broke. A retry may succeed.
    #[error("cannot reach {address}: {why}")]
    Unreachable { address: String, why: Why },
    /// Password, role or permission.
    #[error("{address} refused: {why}")]
    Refused { address: String, why: Why },
    /// The connection works, but no profile fits the table or its columns.
    #[error("{0}")]
    Shape(String),
    /// This database does not record what the query, or the chosen profile, requires.
    #[error("{0}")]
    Unfit(String),
    /// Invalid input of a write.
    #[error("{0}")]
    Invalid(String),
    /// Anything else, in the words of the database or of the operating system.
    #[error("{0}")]
    Failed(String),
}

impl SourceError {
    /// A phrase in lower case without a final stop; empty for a cancelled query.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Cancelled => "",
            Self::Timeout(_) => "narrow the time range or the filter, or raise '--statement-timeout'",
            Self::Unreachable { why, .. } => why.step.unwrap_or("check the address and that the server runs"),
            Self::Refused { why, .. } => why.step.unwrap_or("check user, password and permissions"),
            Self::Shape(_) => "check the database with 'renewscope db status'",
            Self::Unfit(_) => "run 'renewscope sources detect' to see what this database records",
            Self::Invalid(_) => "correct the input and run it again",
            Self::Failed(_) => "run it with RENEWSCOPE_LOG=warn to log the details",
        }
    }
    /// The error for an answer of another kind than its query: a fault of the program.
    pub fn other_kind() -> Self {
        Self::Failed("the answer is of another kind than the query; this is a bug in renewscope".to_owned())
    }
    /// Whether there was no usable connection (exit code 3).
    pub fn is_connection(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refused { .. })
    }
}

/// A reason, with its own next step where a better one than the general is known. Derefs to its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// The reason, without secrets.
    text: String,
    /// The next step for this reason; `None` leaves the general one of the error.
    step: Option<&'static str>,
}

impl Why {
    /// A reason with the general next step.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), step: None }
    }
    /// Sets the next step: a phrase in lower case without a final stop.
    pub fn step(self, step: &'static str) -> Self {
        Self { step: Some(step), ..self }
    }
}

impl From<String> for Why {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
impl From<&str> for Why {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl Deref for Why {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
