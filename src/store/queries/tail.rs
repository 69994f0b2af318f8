//! The questions of a tail, answered over one session.
//!
//! A tail asks for the same seconds again and again, so nothing is looked up first: names are asked for within the
//! statement, and a device that was enrolled a moment ago is found like any other.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::Criteria;
use crate::domain::instant::Span;
use crate::profile::Tail;
use crate::protocol::SourceError;
use crate::protocol::tail::{Horizon, Serial, Stretch, TailAnswer, TailKey, TailQuery, TailRow, TailRows};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::resolve::named_in_memory;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::page::{Errors, decode};
use crate::store::queries::sql::tail;
use crate::store::source::Source;
use crate::store::source::columns::{IdType, TimeType};
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Dialect, Sql};

/// A session that has begun to write, or may still, holds the floor back. What it cannot see of others it must not
/// deny: without the right, their transactions have no start. The time is asked first, so that nothing that begins
/// later is taken for seen.
const PG_HORIZON: &str = "SELECT t.now, \
    (SELECT min(a.xact_start) FROM pg_stat_activity a WHERE a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid() \
     AND a.datname = current_database() AND a.backend_type = 'client backend'), \
    (NOT pg_is_in_recovery() AND pg_has_role('pg_read_all_stats', 'USAGE'))::int::int8 \
    FROM (SELECT clock_timestamp() AS now OFFSET 0) t";

/// SQLite numbers the rows of a table as they are inserted, and one transaction writes at a time.
const ROWID: &str = "rowid";

pub async fn answer(executor: &Executor<'_>, s: &mut Session, query: &TailQuery) -> Result<TailAnswer, SourceError> {
    match query {
        TailQuery::Horizon => horizon(executor.source, s).await.map(TailAnswer::Horizon),
        TailQuery::Rows { criteria, stretch, limit, whole } => {
            let serial = serial(executor.source, s).await?;
            let resolved = executor.resolver().resolve_within(s, criteria).await?;
            let by_number = matches!(stretch, Stretch::Serial { .. });
            let slice = tail::Slice { stretch, serial: serial.as_deref(), limit: *limit };
            let (sql, shape) = tail::rows(Selection::new(executor.source, &resolved), slice, errors(*whole));
            let rows = s.rows(&sql, &shape).await?;
            let full = rows.len() >= usize::try_from(*limit).unwrap_or(usize::MAX);
            events(executor, s, criteria, rows, (by_number, full)).await.map(TailAnswer::Rows)
        }
        TailQuery::Keys { criteria, stretch, limit } => {
            let serial = serial(executor.source, s).await?;
            let resolved = executor.resolver().resolve_within(s, criteria).await?;
            let (sql, shape) = {
                let slice = tail::Slice { stretch, serial: serial.as_deref(), limit: *limit };
                tail::keys(Selection::new(executor.source, &resolved), slice)
            };
            let rows = s.rows(&sql, &shape).await?;
            Ok(TailAnswer::Keys(rows.into_iter().filter_map(|mut row| key(&mut row, stretch)).collect()))
        }
        TailQuery::Pick { criteria, ids, whole } => {
            let serial = serial(executor.source, s).await?;
            let resolved = executor.resolver().resolve_within(s, criteria).await?;
            let selection = Selection::new(executor.source, &resolved);
            let (sql, shape) = tail::pick(selection, ids, serial.as_deref(), errors(*whole));
            let rows = s.rows(&sql, &shape).await?;
            events(executor, s, criteria, rows, (false, false)).await.map(TailAnswer::Rows)
        }
    }
}

const fn errors(whole: bool) -> Errors {
    if whole { Errors::Whole } else { Errors::Head }
}

fn key(row: &mut Row, stretch: &Stretch) -> Option<TailKey> {
    let place = match stretch {
        Stretch::Serial { .. } => row.int(0)?,
        Stretch::Time { .. } => row.time(0)?.pg_micros(),
    };
    Some(TailKey { place, tie: row.id(1)?, id: row.id(2)? })
}

/// Rows as events with their names. Where names are known here and not in the database, clauses on them are tested here.
async fn events(
    executor: &Executor<'_>,
    s: &mut Session,
    criteria: &Criteria,
    rows: Vec<Row>,
    (by_number, full): (bool, bool),
) -> Result<TailRows, SourceError> {
    let at = rows.first().map_or(0, Row::len).saturating_sub(1);
    let mut serials = Vec::with_capacity(rows.len());
    let mut events = Vec::with_capacity(rows.len());
    for mut row in rows {
        serials.push(row.int(at));
        events.push(decode(executor.source, false, &mut row)?);
    }
    executor.shared.names.fill(s, executor.source, &mut events).await?;
    let found = |(event, serial): (RenewalEvent, Option<i64>)| {
        let at = event.cursor().at;
        let place = serial.filter(|_| by_number).unwrap_or(at.pg_micros());
        TailRow { place, serial, at, row: Arc::new(event) }
    };
    let mut rows: Vec<_> = events.into_iter().zip(serials).map(found).collect();
    let more = rows.last().filter(|_| full).map(|last| (last.place, last.row.cursor().id));
    let by_name = named_in_memory(executor.source, criteria);
    rows.retain(|found| by_name.matches(&found.row));
    Ok(TailRows { rows, more })
}

/// The column that numbers rows as they are inserted: SQLite's own number of a row, or what the profile names.
async fn serial(source: &Source, s: &mut Session) -> Result<Option<String>, SourceError> {
    let Some(column) = numbered(source) else { return Ok(None) };
    // A view has no such number, nor has a table without row ids.
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

/// The highest number given. A view and a table without row numbers have none.
async fn highest(source: &Source, s: &mut Session, column: &str) -> Result<Option<i64>, SourceError> {
    // Each alone is one step in the index; together, or as an aggregate of a derived relation, they would be a walk
    // through the table.
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
    // The rows of a view have numbers that are all NULL.
    Ok(found.filter(|(highest, any)| *highest != 0 || !any).map(|(highest, _)| highest))
}

async fn horizon(source: &Source, s: &mut Session) -> Result<Horizon, SourceError> {
    let (now, open, sees_all) = match source.dialect {
        Dialect::Postgres => {
            let tz = CellType::Time(TimeType::TimestampTz);
            let rows = s.rows(&Sql::plain(Dialect::Postgres, PG_HORIZON), &[tz, tz, CellType::Int]).await?;
            let mut row = rows.into_iter().next().ok_or_else(no_time)?;
            (row.time(0).ok_or_else(no_time)?, row.time(1), row.int(2) == Some(1))
        }
        Dialect::Sqlite => {
            let text = "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)";
            let shape = [CellType::Time(TimeType::UnixMicros)];
            let rows = s.rows(&Sql::plain(Dialect::Sqlite, text), &shape).await?;
            (rows.into_iter().next().and_then(|mut row| row.time(0)).ok_or_else(no_time)?, None, false)
        }
    };
    let serial = match serial(source, s).await? {
        Some(column) => highest(source, s, &column).await?,
        None => None,
    };
    let ordered = source.dialect == Dialect::Sqlite;
    let zone = &source.map.created_at.zone;
    let stored = zone.first_stored(now);
    let (Tail::Time { overlap } | Tail::Serial { overlap, .. }) = &source.tail;
    Ok(Horizon {
        now: stored,
        ahead: stored.since(now).unwrap_or(Span(0)),
        open: open.map(|open| zone.first_stored(open)),
        sees_all,
        overlap: *overlap,
        serial: serial.map(|highest| Serial { highest, ordered }),
    })
}

fn no_time() -> SourceError {
    SourceError::Failed("the database does not tell its time".to_owned())
}
