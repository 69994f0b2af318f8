//! The rows of a range, oldest first, for the commands that fold them.
//!
//! `errors` and `attempts` call it. It holds one page, reads all rows of the range, and stops when the user interrupts.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::config::Config;
use crate::domain::event::RenewalEvent;
use crate::domain::filter::{Criteria, Filter};
use crate::domain::instant::Instant;
use crate::domain::page::Cursor;
use crate::domain::when::{Range, When};
use crate::headless::session::{Session, report_unreadable, unexpected};
use crate::headless::tell;
use crate::protocol::fleet::SliceQuery;
use crate::protocol::query::Description;
use crate::protocol::{Answer, Query, SourceError};

/// Rows of a page.
const ROWS: u32 = 20_000;

/// The configured filter; one without a range of time gets the last 24 hours, and stderr says so.
pub fn ranged(config: &Config) -> Filter {
    let mut filter = config.filter.value.clone();
    if filter.range() == Range::default()
        && let Ok(day) = When::parse("24h")
    {
        filter.set_time(Range { from: Some(day), until: None });
        tell("range: the last 24 h; another one: 'since:7d', 'time:2026-11-20..2026-11-21'");
    }
    filter
}

/// The database's clock, in UTC.
pub async fn now(session: &Session) -> Result<Instant, SourceError> {
    match session.run(Query::Clock).await? {
        Answer::Clock(now) => Ok(now),
        other => Err(unexpected(&other)),
    }
}

/// What the source is.
pub async fn describe(session: &Session) -> Result<Description, SourceError> {
    match session.run(Query::Describe).await? {
        Answer::Described(description) => Ok(description),
        other => Err(unexpected(&other)),
    }
}

/// All matching rows, oldest first, in pages.
pub struct Slices {
    session: Session,
    criteria: Criteria,
    /// Behind which row the next page begins.
    after: Option<Cursor>,
    /// The last page was read.
    ended: bool,
    /// Rows so far that cannot be shown.
    unreadable: u64,
}

impl Slices {
    /// The rows that match.
    pub fn new(session: &Session, criteria: Criteria) -> Self {
        Self { session: session.clone(), criteria, after: None, ended: false, unreadable: 0 }
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Vec<Arc<RenewalEvent>>, SourceError> {
        while !self.ended {
            let query = SliceQuery { criteria: self.criteria.clone(), after: self.after.clone(), limit: ROWS };
            let slice = match self.session.run(Query::Slice(query)).await? {
                Answer::Slice(slice) => slice,
                other => return Err(unexpected(&other)),
            };
            self.unreadable += slice.unreadable;
            (self.ended, self.after) = (slice.next.is_none(), slice.next);
            if !slice.rows.is_empty() {
                return Ok(slice.rows);
            }
        }
        Ok(Vec::new())
    }

    /// How many rows could not be shown; says so on stderr.
    pub fn finish(self) -> u64 {
        report_unreadable(self.unreadable);
        self.unreadable
    }
}

/// Those of some rows that match further criteria: the database decides, and both are read in one order.
pub struct Selected {
    slices: Slices,
    page: VecDeque<Arc<RenewalEvent>>,
}

impl Selected {
    /// The rows that match the criteria.
    pub fn new(session: &Session, criteria: Criteria) -> Self {
        Self { slices: Slices::new(session, criteria), page: VecDeque::new() }
    }

    /// Whether a row is among them; rows come oldest first.
    pub async fn holds(&mut self, event: &RenewalEvent) -> Result<bool, SourceError> {
        let place = event.cursor();
        loop {
            while self.page.front().is_some_and(|row| row.cursor() < place) {
                self.page.pop_front();
            }
            if let Some(row) = self.page.front() {
                return Ok(row.cursor() == place);
            }
            self.page = self.slices.next().await?.into();
            if self.page.is_empty() {
                return Ok(false);
            }
        }
    }
}
