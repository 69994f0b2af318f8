//! What a store is opened with: access, time limits, and how much a search may read.
//!
//! The ground of the store: every module may name it, and it names none of them.

use std::sync::Arc;
use std::time::Duration;

use crate::profile::choice::Profiles;

/// What a session may do; the server enforces it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Read,
    Write,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    pub access: Access,
    /// SQLite: create a missing file, for its owner only, and migrate it. For the embedded file, the demo and tests.
    pub create: bool,
    /// How long one statement may run, enforced by the database. Zero is no limit.
    pub statement_timeout: Duration,
    /// The session's `application_name`, unless the address names one.
    pub application_name: String,
    /// How much [`Query::Page`](crate::protocol::Query::Page) may read where no index carries the search. `None`:
    /// everything, so that every page is complete. The console uses [`SearchBudget::default`], because a person waits
    /// for it.
    pub search_budget: Option<SearchBudget>,
    /// The source profiles that may describe the event table.
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

/// The limits of one search without an index; see [`Page::searched_to`](crate::domain::page::Page::searched_to).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SearchBudget {
    /// No further slice starts after this time. The first slice is always read.
    pub time: Duration,
    /// Rows of the first slice; later ones grow and shrink with the time that one took.
    pub first_slice: u64,
}

impl Default for SearchBudget {
    /// A result in about 100 ms, even if nothing matches.
    fn default() -> Self {
        Self { time: Duration::from_millis(100), first_slice: 2000 }
    }
}
