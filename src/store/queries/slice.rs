//! The query for a page of a time slice: matching rows oldest first, as they are recorded.
//!
//! Called by the dispatch for callers that fold a range of rows. The pages together hold every row of the range once.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::page::Cursor;
use crate::domain::zone::Zone;
use crate::protocol::SourceError;
use crate::protocol::fleet::{Slice, SliceQuery};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::page::{Decoded, read};
use crate::store::queries::resolved::Resolved;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Bound, Order};
use crate::store::queries::sql::page::{Errors, Window, decode};
use crate::store::queries::sql::slice::{Way, slice};
use crate::store::queries::walk::{applies_to, step};
use crate::store::source::Source;
use crate::store::source::columns::IdType;
use crate::store::sql::Sql;
use crate::store::sql::cell::CellType;

/// Rows that one page examines where no index tells which of them match.
const EXAMINED: u64 = 100_000;

impl Executor<'_> {
    /// The rows behind the query's cursor, at most its limit.
    pub async fn slice(&self, s: &mut Session, query: &SliceQuery) -> Result<Slice, SourceError> {
        let mut resolved = self.resolve(s, &query.criteria).await?;
        if resolved.is_empty() || query.limit == 0 {
            return Ok(Slice::default());
        }
        let bound = query.after.clone().map_or(Bound::Nowhere, Bound::NewerThan);
        let window = Window { bound, order: Order::OldestFirst, limit: query.limit, errors: Errors::Input };
        let end = self.examined(s, &resolved, &window).await?;
        if let Some(end) = &end {
            resolved.clamp(None, step(end.at, window.order));
        }
        let mut slice = self.of_window(s, Selection::new(self.source, &resolved), &window).await?;
        slice.next = slice.next.or(end);
        if !resolved.signatures.is_empty() {
            let test = Criteria { all: resolved.signatures };
            slice.rows.retain(|row| test.matches(row));
        }
        Ok(slice)
    }

    /// The place behind the last row that a page examines: behind all rows of an instant. `None` where a statement finds
    /// its rows at once, or reads to the end.
    async fn examined(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        window: &Window,
    ) -> Result<Option<Cursor>, SourceError> {
        let map = &self.source.map;
        let greatest = match map.order().ty {
            IdType::Uuid => Id::Uuid(Uuid::max()),
            IdType::Int => Id::Int(i64::MAX),
            // No text is behind all others.
            IdType::Text => return Ok(None),
        };
        // Elsewhere the order of times as stored is not that of instants.
        if map.created_at.zone != Zone::Utc || !applies_to(self.source, resolved) {
            return Ok(None);
        }
        let end = self.slice_end(s, resolved, window, EXAMINED).await?;
        Ok(end.map(|at| Cursor { at, id: greatest }))
    }

    /// The rows of a window, found in one statement.
    async fn of_window(
        &self,
        s: &mut Session,
        selection: Selection<'_>,
        window: &Window,
    ) -> Result<Slice, SourceError> {
        let bare = self.source.bare();
        let mut way = Way::of(selection, window.limit);
        if way.any_tie {
            let found = whole_instants(s, &bare, window, |window| slice(selection, &bare, window, &way)).await?;
            if let Some(slice) = found {
                return Ok(slice);
            }
            way = way.exact();
        }
        let read = read(s, &bare, window, |window| slice(selection, &bare, window, &way)).await?;
        let Decoded { events, more, unreadable } = read;
        let next = events.last().filter(|_| more).map(RenewalEvent::cursor);
        Ok(Slice { rows: events.into_iter().map(Arc::new).collect(), next, unreadable })
    }
}

/// The rows of a statement that orders them by time alone and may lack some of its last instant: those before it, if
/// more follow. `None` if these are none.
async fn whole_instants(
    s: &mut Session,
    bare: &Source,
    window: &Window,
    compose: impl Fn(&Window) -> (Sql, Vec<CellType>) + Send,
) -> Result<Option<Slice>, SourceError> {
    let (sql, shape) = compose(window);
    let rows = s.rows(&sql, &shape).await?;
    let more = rows.len() > usize::try_from(window.limit).unwrap_or(usize::MAX);
    let mut rows: Vec<_> = rows.into_iter().map(|mut row| decode(bare, window.errors, false, &mut row)).collect();
    let last = rows.iter().flatten().map(|row| row.cursor().at).max().filter(|_| more);
    let kept = |row: &Option<RenewalEvent>| row.as_ref().is_some_and(|row| last.is_none_or(|t| row.cursor().at < t));
    if more {
        // What follows the last row that is kept is read again, and counted, by the next page.
        rows.truncate(rows.iter().rposition(kept).map_or(0, |at| at + 1));
        if rows.is_empty() {
            return Ok(None);
        }
    }
    let unreadable = rows.iter().filter(|row| row.is_none()).count();
    let mut rows: Vec<_> = rows.into_iter().filter(kept).flatten().map(Arc::new).collect();
    // They come in the order of time, so that few change places here.
    rows.sort_by_key(|row| row.cursor());
    let next = rows.last().filter(|_| more).map(|row| row.cursor());
    Ok(Some(Slice { rows, next, unreadable: u64::try_from(unreadable).unwrap_or(u64::MAX) }))
}
