//! How a command ends: the exit codes, and the messages of a failure.
//!
//! Every command returns an [`Exit`] or a [`Failure`]; only [`headless::main`](crate::headless::main) prints them. No
//! other module chooses an exit code, and no message holds a secret.

use std::io;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::protocol::SourceError;

/// The exit codes that scripts may rely on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The command did what it is for.
    Done,
    /// It failed, for a reason that is not one of the others.
    Failed,
    /// An option, a filter or an address is invalid.
    Usage,
    /// There is no usable connection to the database.
    Unreachable,
    /// Some lines of the input were rejected; the others are stored.
    Rejected,
    /// The condition of `--fail-if` is met.
    Condition,
    /// Ended by Ctrl-C, SIGTERM or a canceled prompt.
    Interrupted,
    /// Ended by a signal. The code is 128 plus the signal's number, as shells report it.
    Signal(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Exit {
    /// The number for the caller of the program; `README.md` and `--help` list them.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Rejected => 4,
            Self::Condition => 5,
            Self::Interrupted => 130,
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// An argument or an environment variable is invalid.
    Usage(String),
    /// The database cannot be reached, or a query failed.
    Source(SourceError),
    /// Anything else, as a message.
    Failed(String),
    /// The reader of stdout closed it. This is no error and prints nothing.
    ReaderLeft,
    Interrupted,
}

impl Failure {
    /// The failure of a write to `what`: a file in quotes, or `to stdout`.
    pub fn writing(what: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderLeft,
            _ => Self::Failed(format!("cannot write {what}: {error}")),
        }
    }

    /// The exit code that the failure ends with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Source(SourceError::Unfit(_)) => Exit::Usage,
            Self::Source(SourceError::Cancelled) | Self::Interrupted => Exit::Interrupted,
            Self::Source(e) if e.is_connection() => Exit::Unreachable,
            Self::Source(_) | Self::Failed(_) => Exit::Failed,
            Self::ReaderLeft => Exit::Done,
        }
    }

    /// The lines for stderr: what failed, on what, and what to do.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Usage(why) | Self::Failed(why) => vec![why.clone()],
            Self::Source(SourceError::Cancelled) | Self::Interrupted => vec!["interrupted".to_owned()],
            // The messages of these already say what to do.
            Self::Source(e @ (SourceError::Unfit(_) | SourceError::Invalid(_) | SourceError::Failed(_))) => {
                vec![e.to_string()]
            }
            Self::Source(e) => vec![format!("{e}; {}", e.next_step())],
            Self::ReaderLeft => Vec::new(),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}
impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}
