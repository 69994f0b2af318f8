//! `tail`: events as they come, oldest first, after those since a time, without gap or double between the two.
//!
//! A row is visible when its transaction commits, which may be after a younger row was seen. So every poll reads the
//! last [`OVERLAP`] again and drops what it knows by id. A row that is committed later than that is missed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::failure::{Exit, Failure};
use super::list::criteria;
use super::rows::{Format, RowWriter, event};
use super::session::{Interrupt, Session, unexpected};
use super::sink::{stdout, stdout_failed};
use super::tell;
use crate::config::Config;
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::{Instant, Span};
use crate::domain::when::When;
use crate::protocol::{Answer, Query, SourceError};
use crate::runtime::clock;

/// How long after its time a row may still become visible and be printed.
const OVERLAP: Span = Span::seconds(5);
/// The longest stretch without a matching row that is read again. Clocks that differ by less lose nothing.
const QUIET: Span = Span::minutes(5);
const POLL: Duration = Duration::from_secs(1);
/// The longest wait for a database that went away.
const RETRY: Duration = Duration::from_secs(30);
/// Rows of one read.
const BATCH: u32 = 1000;

/// Prints until it is interrupted, or until `--limit` rows are printed.
pub async fn tail(
    config: &Config,
    format: Format,
    since: Option<&str>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let zone = &config.zone.value;
    let since = since.map(When::parse).transpose().map_err(|e| Failure::Usage(format!("--since: {e}")))?;
    let session = Session::open(config, interrupt).await?;
    let now = clock::now();
    let mut tail = Tail::new(criteria(config), since.map_or(now.minus(OVERLAP), |when| when.at(now, zone)));
    let mut writer = RowWriter::new(stdout(), format, event::columns(format, zone), config.ascii);
    let limit = config.limit.unwrap_or(u64::MAX);
    if since.is_none() {
        // What is there already is history: known, not printed.
        while !tail.read(&session, now).await?.1 {}
    }
    let mut wait = POLL;
    loop {
        match tail.read(&session, clock::now()).await {
            Ok((rows, caught_up)) => {
                wait = POLL;
                for row in rows {
                    if writer.rows() >= limit {
                        break;
                    }
                    let row = if format == Format::Table { row } else { whole(&session, row).await? };
                    writer.row(&event::cells(format, zone, &row)).map_err(stdout_failed)?;
                }
                writer.flush().map_err(stdout_failed)?;
                if writer.rows() >= limit {
                    writer.finish().map_err(stdout_failed)?;
                    return Ok(Exit::Done);
                }
                if !caught_up {
                    continue;
                }
            }
            Err(e) if e.is_connection() => {
                wait = (wait * 2).min(RETRY);
                tell(&format!("{e}; trying again in {} s", wait.as_secs()));
            }
            Err(e) => return Err(e.into()),
        }
        tokio::select! {
            () = interrupt.asked() => {
                // A JSON array is closed, so that what was printed can be read.
                writer.finish().map_err(stdout_failed)?;
                return Err(Failure::Interrupted);
            }
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// The row with all of its error; as it is, where it is gone meanwhile.
async fn whole(session: &Session, row: Arc<RenewalEvent>) -> Result<Arc<RenewalEvent>, SourceError> {
    if row.error.as_ref().is_none_or(|e| e.is_whole()) {
        return Ok(row);
    }
    match session.ask(Query::Event { id: row.id.clone() }).await? {
        Answer::Event(found) => Ok(found.unwrap_or(row)),
        other => Err(unexpected(&other)),
    }
}

/// Which rows are known, and from where on to read.
struct Tail {
    criteria: Criteria,
    /// Nothing before this is printed.
    start: Instant,
    floor: Instant,
    limit: u32,
    seen: HashMap<Id, Instant>,
}

impl Tail {
    fn new(criteria: Criteria, start: Instant) -> Self {
        Self { criteria, start, floor: start, limit: BATCH, seen: HashMap::new() }
    }

    /// The next rows that were not seen yet, oldest first, and whether these are all.
    async fn read(&mut self, session: &Session, now: Instant) -> Result<(Vec<Arc<RenewalEvent>>, bool), SourceError> {
        let query = Query::Since { criteria: self.criteria.clone(), floor: self.floor, limit: self.limit };
        match session.ask(query).await? {
            Answer::Page(page) => Ok(self.take(page.rows, now)),
            other => Err(unexpected(&other)),
        }
    }

    /// `rows`: the answer to a read, newest first.
    fn take(&mut self, rows: Vec<Arc<RenewalEvent>>, now: Instant) -> (Vec<Arc<RenewalEvent>>, bool) {
        let caught_up = rows.len() < self.limit as usize;
        let newest = rows.first().map(|row| row.created_at);
        let mut fresh: Vec<_> =
            rows.into_iter().filter(|row| self.seen.insert(row.id.clone(), row.created_at).is_none()).collect();
        fresh.reverse();
        if caught_up {
            self.limit = BATCH;
            // A row from a clock that runs ahead must not hide what others write now; and where nothing matches for
            // long, the same quiet stretch must not be read again at every poll.
            let reached = newest.unwrap_or(self.floor).min(now).minus(OVERLAP);
            self.floor = reached.max(now.minus(QUIET)).max(self.start);
        } else if newest == Some(self.floor) {
            // More rows at one instant than a read takes: only a larger read gets past it.
            self.limit = self.limit.saturating_mul(2);
        } else if let Some(newest) = newest {
            self.floor = newest;
        }
        let floor = self.floor.minus(OVERLAP).max(self.start);
        self.seen.retain(|_, at| *at >= floor);
        (fresh, caught_up)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::event::Kind;

    fn at(seconds: i64) -> Instant {
        Instant::from_unix_micros(1_790_000_000_000_000).plus(Span::seconds(seconds))
    }

    fn row(id: i64, seconds: i64) -> Arc<RenewalEvent> {
        Arc::new(RenewalEvent {
            id: Id::Int(id),
            device_id: Id::Int(1),
            org_id: None,
            kind: Kind::new("renewal_start"),
            reason: None,
            old_expiry: None,
            new_expiry: None,
            error: None,
            created_at: at(seconds),
            device: None,
            org: None,
            beyond: None,
        })
    }

    /// A database of (id, second): what a read from the tail's floor gives.
    fn read(tail: &mut Tail, rows: &[(i64, i64)], now: i64) -> Vec<i64> {
        let mut rows: Vec<_> = rows.iter().filter(|(_, t)| at(*t) >= tail.floor).copied().collect();
        rows.sort_by_key(|(id, t)| (*t, *id));
        rows.truncate(tail.limit as usize);
        rows.reverse();
        let (fresh, _) = tail.take(rows.into_iter().map(|(id, t)| row(id, t)).collect(), at(now));
        fresh.iter().map(|r| if let Id::Int(n) = r.id { n } else { 0 }).collect()
    }

    #[test]
    fn a_late_row_is_printed_once_and_none_twice() {
        let mut tail = Tail::new(Criteria::default(), at(0));
        let mut rows = vec![(1, 1), (2, 10)];
        assert_eq!(read(&mut tail, &rows, 10), [1, 2]);
        rows.push((3, 7));
        rows.push((4, 11));
        assert_eq!(read(&mut tail, &rows, 11), [3, 4]);
        assert_eq!(read(&mut tail, &rows, 12), [0; 0]);
    }

    #[test]
    fn a_clock_that_runs_ahead_hides_nothing() {
        let mut tail = Tail::new(Criteria::default(), at(0));
        let mut rows = vec![(1, 1_000_000)];
        assert_eq!(read(&mut tail, &rows, 10), [1]);
        rows.push((2, 11));
        assert_eq!(read(&mut tail, &rows, 12), [2]);
        assert_eq!(read(&mut tail, &rows, 13), [0; 0]);
    }

    #[test]
    fn more_rows_at_one_instant_than_a_read_takes() {
        let mut tail = Tail::new(Criteria::default(), at(0));
        let rows: Vec<_> = (0..5000).map(|id| (id, 3)).chain([(9000, 20)]).collect();
        let mut got = Vec::new();
        for _ in 0..10 {
            got.extend(read(&mut tail, &rows, 30));
        }
        assert_eq!(got.len(), 5001);
        assert_eq!(got.last(), Some(&9000));
    }

    #[test]
    fn nothing_before_the_start_is_printed() {
        let mut tail = Tail::new(Criteria::default(), at(8));
        assert_eq!(read(&mut tail, &[(1, 7), (2, 8), (3, 9)], 10), [2, 3]);
        assert_eq!(tail.floor, at(8));
    }
}
