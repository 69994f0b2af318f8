//! The queries, run over one session: the lookups that come first, the statements, and the meaning of their rows.
//!
//! Only the store calls [`answer`]. There is one file per query; the composers of their statements are in [`sql`]. Nothing
//! here opens or configures a connection, and nothing writes.

mod count;
mod describe;
pub mod executor;
mod facets;
mod fleet;
mod histogram;
pub mod horizon;
pub mod names;
mod narrow;
mod neighbors;
mod page;
mod resolve;
pub mod resolved;
mod signature;
mod slice;
pub mod sql;
pub mod tail;
pub mod unreadable;
mod values;
mod walk;

use std::sync::Arc;

use crate::protocol::{Answer, Query, SourceError};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::sql::page::{Errors, Window};
use crate::store::shared::Shared;

/// Runs a query on this session. A failure that an altered table may have caused also discards the cached description of
/// the source, so that the next query reads it again.
pub async fn answer(shared: &Shared, s: &mut Session, query: &Query) -> Result<Answer, SourceError> {
    let source = shared.source(s).await?;
    s.tune(source.has_all_indexes()).await?;
    let executor = Executor { shared, source: &source };
    let answer = match query {
        Query::Page { criteria, anchor, limit } => {
            executor.page(s, criteria, anchor, Window::at(anchor, *limit, Errors::Head)).await
        }
        Query::WholePage { criteria, anchor, limit } => {
            executor.page(s, criteria, anchor, Window::at(anchor, *limit, Errors::Whole)).await
        }
        Query::Tail(query) => tail::answer(&executor, s, query).await.map(Answer::Tail),
        Query::Count { criteria, ceiling } => executor.count(s, criteria, *ceiling).await,
        Query::Facets(query) => executor.facets(s, query).await.map(Answer::Facets),
        Query::Histogram(query) => executor.histogram(s, query).await.map(Answer::Histogram),
        Query::Event { id } => Ok(Answer::Event(executor.event(s, None, id).await?.map(Arc::new))),
        Query::Slice(query) => executor.slice(s, query).await.map(Answer::Slice),
        Query::Fleet(query) => executor.fleet(s, query).await.map(Answer::Fleet),
        Query::Neighbors(query) => executor.neighbors(s, query).await.map(Answer::Neighbors),
        Query::Clock => horizon::clock(source.dialect, s).await.map(Answer::Clock),
        Query::Describe => executor.describe(s).await,
    };
    if let Err(SourceError::Shape(_) | SourceError::Failed(_)) = &answer {
        shared.forget_source();
    }
    answer
}
