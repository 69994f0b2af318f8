//! The query for a page of a time slice: matching rows oldest first, as they are recorded.
//!
//! Called by the dispatch for whoever folds a range of rows. The pages together hold every row of the range once.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::protocol::SourceError;
use crate::protocol::fleet::{Slice, SliceQuery};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::page::{Decoded, read};
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Bound, Order};
use crate::store::queries::sql::page::{Errors, Window};
use crate::store::queries::sql::slice::slice;

impl Executor<'_> {
    /// The rows behind the query's cursor, at most its limit.
    pub async fn slice(&self, s: &mut Session, query: &SliceQuery) -> Result<Slice, SourceError> {
        let resolved = self.resolve(s, &query.criteria).await?;
        if resolved.is_empty() || query.limit == 0 {
            return Ok(Slice::default());
        }
        let bare = self.source.bare();
        let selection = Selection::new(self.source, &resolved);
        let bound = query.after.clone().map_or(Bound::Nowhere, Bound::NewerThan);
        let window = Window { bound, order: Order::OldestFirst, limit: query.limit, errors: Errors::Input };
        let read = read(s, &bare, &window, |window| slice(selection, &bare, window)).await?;
        let Decoded { events, more, unreadable } = read;
        let next = events.last().filter(|_| more).map(RenewalEvent::cursor);
        Ok(Slice { rows: events.into_iter().map(Arc::new).collect(), next, unreadable })
    }
}
