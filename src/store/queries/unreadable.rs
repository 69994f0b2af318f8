//! How many rows of a foreign table cannot be shown, and which.
//!
//! Called by first pages and by the description of the source, and by the doctor, which names the rows. Counting must not
//! delay the first rows of a large table noticeably, so it reads a bounded number of rows and is cached.

use std::sync::Mutex;
use std::time::{Duration, Instant as Moment};

use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::sql::usable;
use crate::store::source::Source;

/// How long a count is cached.
const TTL: Duration = Duration::from_secs(60);
/// The number of rows that are examined: a tenth of a second.
const EXAMINED: u64 = 500_000;

/// The cached count.
#[derive(Default)]
pub struct Unreadable(Mutex<Option<(Moment, u64)>>);

/// A row that cannot be shown.
pub struct OddRow {
    /// Its number on SQLite, its place on PostgreSQL.
    pub row: String,
    /// Its id as it is; `None` for NULL.
    pub id: Option<String>,
    /// Its time as it is; `None` for NULL.
    pub time: Option<String>,
}

impl Executor<'_> {
    /// The number of rows without a usable id or time among the first [`EXAMINED`] of the table.
    pub async fn unreadable(&self, s: &mut Session) -> Result<u64, SourceError> {
        // A select of a profile may take long for each row, and a person waits.
        if self.shared.search_budget.is_some() && self.source.profile.relation.select.is_some() {
            return Ok(0);
        }
        let Some((sql, shape)) = usable::count(self.source, EXAMINED) else { return Ok(0) };
        let Unreadable(cache) = &self.shared.unreadable;
        let cached = cache.lock().ok().and_then(|cached| *cached);
        if let Some((_, n)) = cached.filter(|(at, _)| at.elapsed() < TTL) {
            return Ok(n);
        }
        let counted = s.rows(&sql, &shape).await?.into_iter().next().and_then(|mut row| row.int(0));
        let counted = counted.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        if let Ok(mut cached) = cache.lock() {
            *cached = Some((Moment::now(), counted));
        }
        Ok(counted)
    }
}

/// The rows that cannot be shown, at most `limit`.
pub async fn odd_rows(s: &mut Session, source: &Source, limit: u64) -> Result<Vec<OddRow>, SourceError> {
    let Some((sql, shape)) = usable::list(source, limit) else { return Ok(Vec::new()) };
    let rows = s.rows(&sql, &shape).await?;
    let odd = rows.into_iter().map(|mut row| OddRow {
        row: row.string(0).unwrap_or_default(),
        id: row.string(1),
        time: row.string(2),
    });
    Ok(odd.collect())
}
