//! How many rows of a foreign table cannot be shown, and which.
//!
//! Called by first pages and by the description of the source, and by the doctor, which names the rows. Counting must not
//! delay the first rows of a large table noticeably, so it reads a bounded number of rows and is cached.

use std::sync::Mutex;
use std::time::{Duration, Instant as Moment};

use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::sql::usable;
use crate::store::source::Source;

/// How long a count is cached.
const TTL: Duration = Duration::from_secs(60);
/// The number of rows that are examined: a tenth of a second.
const EXAMINED: u64 = 500_000;
/// Rows that the doctor names.
const NAMED: u64 = 10;

/// The cached count.
#[derive(Default)]
pub struct Unreadable(Mutex<Option<(Moment, u64)>>);

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
        // What a profile's select changed in the session must not fail the query itself: it is compared here.
        s.finish().await?;
        if let Ok(mut cached) = cache.lock() {
            *cached = Some((Moment::now(), counted));
        }
        Ok(counted)
    }
}

/// All rows that cannot be shown: their number, and the first ones in words. `None` where there is none.
pub async fn odd_rows(s: &mut Session, source: &Source) -> Result<Option<String>, SourceError> {
    let (Some((count, shape)), Some((list, texts))) =
        (usable::count(source, u64::MAX >> 1), usable::list(source, NAMED))
    else {
        return Ok(None);
    };
    let counted = s.rows(&count, &shape).await?.into_iter().next().and_then(|mut row| row.int(0)).unwrap_or(0);
    if counted == 0 {
        return Ok(None);
    }
    let words = |text: Option<String>| text.map_or_else(|| "NULL".to_owned(), |t| format!("'{}'", short(&t)));
    let mut named = Vec::new();
    for mut row in s.rows(&list, &texts).await? {
        let place = row.string(0).map_or_else(String::new, |place| format!("row {place}: "));
        named.push(format!("{place}id {}, time {}", words(row.string(1)), words(row.string(2))));
    }
    let more = if counted > named.len() as i64 { "; …" } else { "" };
    Ok(Some(format!("{counted} cannot be shown: {}{more}", named.join("; "))))
}

/// A value that fits a line.
fn short(text: &str) -> String {
    let text = Clean::line(text);
    let mut short: String = text.as_str().chars().take(40).collect();
    if short.len() < text.as_str().len() {
        short.push('…');
    }
    short
}
