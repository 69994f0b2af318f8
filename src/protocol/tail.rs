//! The live tail: what the screen asks of it and what it tells.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::Criteria;
use crate::domain::instant::{Instant, Span};

use super::SourceError;

/// What to follow. A newer order replaces the older one.
#[derive(Clone, PartialEq, Debug)]
pub struct TailOrder {
    pub generation: u64,
    pub criteria: Criteria,
    /// Rows from here on are of interest.
    pub from: Instant,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TailEvent {
    pub generation: u64,
    pub news: TailNews,
}

#[derive(Clone, PartialEq, Debug)]
pub enum TailNews {
    /// Rows not told before in this generation, newest first.
    Batch {
        rows: Vec<Arc<RenewalEvent>>,
        /// How many of them are older than rows told before: their transactions committed late.
        late: u64,
    },
    /// A poll failed; the next one is tried after this long.
    Trouble { error: SourceError, retry_in: Span },
    /// A poll succeeded after trouble.
    Recovered,
}

/// A row is found when its transaction commits within this time after its `created_at`.
pub const OVERLAP: Span = Span::seconds(5);
