//! What a store is opened with: rights, time limits, and how much a search may read.
//!
//! The ground of the store: every room may name it, and it names none of them.

use std::sync::Arc;
use std::time::Duration;

use crate::profile::choice::Profiles;

/// What a session may do; the server holds it to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Read,
    Write,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    pub access: Access,
    /// SQLite: makes a missing file and brings its schema up to date. For the embedded file, the demonstration and tests.
    pub create: bool,
    /// The longest that one statement of a question may run, in the database.
    pub statement_timeout: Duration,
    /// How the session calls itself to the server's administrator.
    pub application_name: String,
    /// How much [`Query::Page`] may look at where no index carries the search. `None`: all of it, so that every page is
    /// complete. A console, where a person waits, gives [`SearchBudget::default`].
    pub search_budget: Option<SearchBudget>,
    /// What the event table may be described by.
    pub profiles: Arc<Profiles>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            access: Access::Read,
            create: false,
            statement_timeout: Duration::from_secs(30),
            application_name: "renewscope".to_owned(),
            search_budget: None,
            profiles: Arc::default(),
        }
    }
}

/// The bounds of one look for rows that no index finds; see [`Page::searched_to`](crate::domain::page::Page::searched_to).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SearchBudget {
    /// No further slice is begun after this time. One slice is always looked at.
    pub time: Duration,
    /// Rows of the first slice; the next ones grow and shrink by how long one took.
    pub first_slice: u64,
}

impl Default for SearchBudget {
    /// An answer in about a tenth of a second, whatever is sought.
    fn default() -> Self {
        Self { time: Duration::from_millis(100), first_slice: 2000 }
    }
}
