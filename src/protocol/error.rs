//! Why a question has no answer, in words for the person who asked.

use std::fmt;
use std::ops::Deref;

use thiserror::Error;

/// Each variant says what failed and on what; [`SourceError::next_step`] says what to do. No secret ever enters one.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SourceError {
    /// The asker left; nobody waits for this.
    #[error("cancelled")]
    Cancelled,
    #[error("the database stopped the query after {0}")]
    Timeout(String),
    /// No connection, or one that broke. Asking again later may go well.
    #[error("cannot reach {address}: {why}")]
    Unreachable { address: String, why: Why },
    /// Password, role or permission.
    #[error("{address} refused: {why}")]
    Refused { address: String, why: Why },
    /// Reached, but the table or a column is not as any profile describes it.
    #[error("{0}")]
    Shape(String),
    /// The question, or the choice of a source, does not fit what this database records.
    #[error("{0}")]
    Unfit(String),
    /// A write was not possible as asked.
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Failed(String),
}

impl SourceError {
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Cancelled => "",
            Self::Timeout(_) => "narrow the time range or the filter, or raise the statement timeout",
            Self::Unreachable { why, .. } => why.step.unwrap_or("check the address and that the server runs"),
            Self::Refused { why, .. } => why.step.unwrap_or("check user, password and permissions"),
            Self::Shape(_) => "check the database with 'renewscope db status'",
            Self::Unfit(_) => "'renewscope sources detect' says what this database records",
            Self::Invalid(_) => "correct the input and run it again",
            Self::Failed(_) => "see the log for details",
        }
    }
    /// Whether the database could not be had at all (exit code 3).
    pub fn is_connection(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Refused { .. })
    }
}

/// A reason, and what to do about it where that is known better than in general. Reads as its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    text: String,
    step: Option<&'static str>,
}

impl Why {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), step: None }
    }
    /// Says what to do: a phrase without capital and full stop.
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
