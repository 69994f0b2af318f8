//! The queries of the live tail: its horizon, rows and keys of time slices, and rows by id.
//!
//! Called by the dispatch of queries, on the tail's own connection. A tail reads the same seconds repeatedly, so no name
//! is looked up beforehand: names are resolved within each statement, which finds a device enrolled a moment ago too.
//! The clock and the transactions are read by [`horizon`](super::horizon).

use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::Span;
use crate::profile::Tail;
use crate::protocol::SourceError;
use crate::protocol::tail::{Horizon, Serial, TailAnswer, TailKey, TailQuery, TailRow, TailRows, TimeSlice};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::horizon::{overlap, writers};
use crate::store::queries::resolve::tested_in_memory;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::page::{Errors, decode};
use crate::store::queries::sql::tail;
use crate::store::source::Source;
use crate::store::source::columns::IdType;
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Dialect, Sql};

/// SQLite numbers the rows of a table at insertion, and one transaction writes at a time.
const ROWID: &str = "rowid";

pub async fn answer(executor: &Executor<'_>, s: &mut Session, query: &TailQuery) -> Result<TailAnswer, SourceError> {
    match query {
        TailQuery::Horizon => horizon(executor.source, s).await.map(TailAnswer::Horizon),
        TailQuery::Rows { criteria, slice, limit, whole } => {
            let serial = serial(executor.source, s).await?;
            let resolved = executor.resolver().resolve_within(s, criteria).await?;
            let read = tail::SliceRead { slice, serial: serial.as_deref(), limit: *limit };
            let (sql, shape) = tail::rows(Selection::new(executor.source, &resolved), read, errors(*whole));
            let rows = s.rows(&sql, &shape).await?;
            let full = rows.len() >= usize::try_from(*limit).unwrap_or(usize::MAX);
            let by_number = matches!(slice, TimeSlice::Serial { .. });
            let read = Read { criteria, rows, by_number, full, errors: errors(*whole) };
            read.events(executor, s).await.map(TailAnswer::Rows)
        }
        TailQuery::Keys { criteria, slice, limit } => {
            let serial = serial(executor.source, s).await?;
            let resolved = executor.resolver().resolve_within(s, criteria).await?;
            let read = tail::SliceRead { slice, serial: serial.as_deref(), limit: *limit };
            let (sql, shape) = tail::keys(Selection::new(executor.source, &resolved), read);
            let rows = s.rows(&sql, &shape).await?;
            Ok(TailAnswer::Keys(rows.into_iter().filter_map(|mut row| key(&mut row, slice)).collect()))
        }
        TailQuery::Pick { criteria, ids, whole } => {
            let serial = serial(executor.source, s).await?;
            let resolved = executor.resolver().resolve_within(s, criteria).await?;
            let selection = Selection::new(executor.source, &resolved);
            let (sql, shape) = tail::pick(selection, ids, serial.as_deref(), errors(*whole));
            let rows = s.rows(&sql, &shape).await?;
            let read = Read { criteria, rows, by_number: false, full: false, errors: errors(*whole) };
            read.events(executor, s).await.map(TailAnswer::Rows)
        }
    }
}

const fn errors(whole: bool) -> Errors {
    if whole { Errors::Whole } else { Errors::Head }
}

fn key(row: &mut Row, slice: &TimeSlice) -> Option<TailKey> {
    let place = match slice {
        TimeSlice::Serial { .. } => row.int(0)?,
        TimeSlice::Time { .. } => row.time(0)?.pg_micros(),
    };
    Some(TailKey { place, tie: row.id(1)?, id: row.id(2)? })
}

/// Rows as they come from the database.
struct Read<'a> {
    criteria: &'a Criteria,
    rows: Vec<Row>,
    /// Whether their places are numbers; otherwise they are times.
    by_number: bool,
    /// Whether the limit ended the read.
    full: bool,
    errors: Errors,
}

impl Read<'_> {
    /// Decodes the rows and fills in their names. Clauses that only this program can test are tested here.
    async fn events(self, executor: &Executor<'_>, s: &mut Session) -> Result<TailRows, SourceError> {
        let Read { criteria, rows, by_number, full, errors } = self;
        let at = rows.first().map_or(0, Row::len).saturating_sub(1);
        let mut last = None;
        let mut serials = Vec::with_capacity(rows.len());
        let mut events = Vec::with_capacity(rows.len());
        for mut row in rows {
            let serial = row.int(at);
            let event = decode(executor.source, errors, false, &mut row);
            last = match (serial.filter(|_| by_number), &event) {
                (Some(serial), _) => Some((serial, Id::Int(serial))),
                (None, Some(event)) => Some((event.cursor().at.pg_micros(), event.cursor().id)),
                (None, None) => last,
            };
            // A row that cannot be shown is counted with the description of the source.
            if let Some(event) = event {
                serials.push(serial);
                events.push(event);
            }
        }
        executor.shared.names.fill(s, executor.source, &mut events).await?;
        let found = |(event, serial): (RenewalEvent, Option<i64>)| {
            let at = event.cursor().at;
            let place = serial.filter(|_| by_number).unwrap_or(at.pg_micros());
            TailRow { place, serial, at, row: Arc::new(event) }
        };
        let rows = events.into_iter().zip(serials).map(found);
        let more = last.filter(|_| full);
        let here = tested_in_memory(executor.source, criteria);
        let (rows, dropped) = rows.partition(|found| here.matches(&found.row));
        Ok(TailRows { rows, dropped, more })
    }
}

/// The column that numbers rows at insertion: SQLite's `rowid`, or the column that the profile names.
pub async fn serial(source: &Source, s: &mut Session) -> Result<Option<String>, SourceError> {
    let Some(column) = numbered(source) else { return Ok(None) };
    // A view and a table WITHOUT ROWID have no such number.
    if column == ROWID && highest(source, s, &column).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(column))
}

fn numbered(source: &Source) -> Option<String> {
    let map = &source.map;
    match &source.tail {
        Tail::Serial { column, .. } => {
            let tie = map.tie.as_ref().filter(|tie| tie.ty == IdType::Int).map(|tie| &tie.name);
            let id = (source.profile.fields.id.column == *column && map.id.ty == IdType::Int).then_some(&map.id.name);
            tie.or(id).map(ToString::to_string)
        }
        Tail::Time { .. } => (source.dialect == Dialect::Sqlite && map.is_table()).then(|| ROWID.to_owned()),
    }
}

/// The highest number assigned; `None` for a view and a table without row numbers.
async fn highest(source: &Source, s: &mut Session, column: &str) -> Result<Option<i64>, SourceError> {
    // Each subquery alone is one step in the index; combined, or as an aggregate over a derived relation, they would scan
    // the table.
    let mut sql = Sql::new(source.dialect);
    let from = source.map.from(&mut sql);
    let (cast, int) = if source.dialect == Dialect::Postgres { ("::int8", "::int::int8") } else { ("", "") };
    let last = if source.map.is_table() {
        format!("SELECT max(e.{column}) FROM {from} e")
    } else {
        format!("SELECT e.{column} FROM {from} e ORDER BY e.{column} DESC LIMIT 1")
    };
    sql.push(&format!("SELECT coalesce(({last}), 0){cast}, (EXISTS (SELECT 1 FROM {from} e)){int}"));
    let rows = match s.rows(&sql, &[CellType::Int, CellType::Int]).await {
        Ok(rows) => rows,
        Err(SourceError::Shape(_)) => return Ok(None),
        Err(e) => return Err(e),
    };
    let found = rows.into_iter().next().map(|mut row| (row.int(0).unwrap_or(0), row.int(1) == Some(1)));
    // In a view, every row's number is NULL.
    Ok(found.filter(|(highest, any)| *highest != 0 || !any).map(|(highest, _)| highest))
}

async fn horizon(source: &Source, s: &mut Session) -> Result<Horizon, SourceError> {
    let writers = writers(source, s).await?;
    let serial = match serial(source, s).await? {
        Some(column) => highest(source, s, &column).await?,
        None => None,
    };
    let is_sqlite = source.dialect == Dialect::Sqlite;
    let zone = &source.map.created_at.zone;
    let stored = zone.first_stored(writers.now);
    Ok(Horizon {
        now: stored,
        ahead: stored.since(writers.now).unwrap_or(Span(0)),
        open: writers.open.map(|open| zone.first_stored(open)),
        prepared: writers.prepared.is_some(),
        sees_all: !is_sqlite && writers.unseen.is_empty(),
        overlap: overlap(source),
        serial: serial.map(|highest| Serial { highest, ordered: is_sqlite }),
    })
}
