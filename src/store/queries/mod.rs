//! The queries, run over one session: what is looked up first, what is sent, and what its rows mean.
//!
//! [`answer`] is called by the store alone; one file per query, composers of their statements in [`sql`].

pub mod asker;
mod count;
mod describe;
mod facets;
mod histogram;
pub mod names;
mod narrow;
mod page;
mod resolve;
pub mod resolved;
pub mod sql;
mod tail;
mod walk;

use std::sync::Arc;

use crate::protocol::{Answer, Query, SourceError};
use crate::store::connect::session::Session;
use crate::store::queries::asker::Asker;
use crate::store::queries::facets::facets;
use crate::store::queries::narrow::narrow;
use crate::store::queries::sql::page::Errors;
use crate::store::shared::Shared;

/// Answers a question on this session.
pub async fn answer(shared: &Shared, s: &mut Session, query: &Query) -> Result<Answer, SourceError> {
    let source = shared.source(s).await?;
    s.tune(source.has_all_indexes()).await?;
    let asker = Asker { shared, source: &source };
    let answer = match query {
        Query::Page { criteria, anchor, limit } => asker.page(s, criteria, anchor, (*limit, Errors::Head)).await,
        Query::WholePage { criteria, anchor, limit } => asker.page(s, criteria, anchor, (*limit, Errors::Whole)).await,
        Query::Tail(query) => tail::answer(&asker, s, query).await.map(Answer::Tail),
        Query::Count { criteria, ceiling } => asker.count(s, criteria, *ceiling).await,
        Query::Facets(query) => facets(&asker, s, query).await.map(Answer::Facets),
        Query::Histogram(query) => asker.histogram(s, query).await.map(Answer::Histogram),
        Query::Event { id } => Ok(Answer::Event(asker.event(s, None, id).await?.map(Arc::new))),
        Query::Describe => asker.describe(s).await,
    };
    if let Err(SourceError::Shape(_)) = &answer {
        shared.forget_source();
    }
    answer
}
