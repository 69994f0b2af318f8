//! What every view may read: the time, the zone, the filter, the source, and the region it draws in.
//!
//! The shell owns the one [`Ctx`] and changes it; views get a shared reference and never keep a copy.

use ratatui::layout::Rect;

use crate::domain::filter::{Criteria, Filter};
use crate::domain::instant::Instant;
use crate::domain::zone::Zone;
use crate::protocol::SourceError;
use crate::protocol::query::Description;

use super::fetch::Fetch;
use super::known::Known;

/// The surroundings of the view on screen.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// The time of the last tick, UTC.
    pub now: Instant,
    /// When relative times of the filter were made absolute: the same for every query and every part of the screen, moved
    /// on by the shell from time to time. UTC.
    pub as_of: Instant,
    /// The zone that times are shown in.
    pub zone: Zone,
    /// The one filter of all views.
    pub filter: Filter,
    /// The region between the query bar and the footer. Empty if the terminal is too small.
    pub body: Rect,
    /// What the source is.
    pub source: Fetch<Description>,
    /// The database's name in the header; no secret in it.
    pub title: String,
    /// The options that reach the same database from a command line (`--db prod`); empty for the default; no secret in it.
    pub reach: String,
    /// The newest `created_at` known, of the description and of live rows.
    pub newest: Option<Instant>,
    /// Whether the database answers.
    pub link: Link,
    /// What the background tasks have found.
    pub known: Known,
}

impl Ctx {
    /// The filter made absolute.
    pub fn criteria(&self) -> Criteria {
        self.criteria_of(&self.filter)
    }
    /// Another filter made absolute at the same time.
    pub fn criteria_of(&self, filter: &Filter) -> Criteria {
        filter.criteria(self.as_of, &self.zone)
    }
}

/// Whether the database answers, by the polls of the tail.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Link {
    /// No answer yet.
    #[default]
    Connecting,
    Live,
    /// A query has been in flight since then, longer than expected.
    Slow {
        since: Instant,
    },
    /// Unreachable since then; the next retry is due at `next`.
    Away {
        since: Instant,
        error: SourceError,
        next: Instant,
        /// Failed tries so far.
        tries: u32,
    },
}
