//! The questions, answered over one session: what is looked up first, what is asked, and what its rows mean.

use std::sync::Arc;

use super::Shared;
use super::derived::outcome_of;
use super::facets::facets;
use super::parties::Names;
use super::resolve::{Resolved, Set, known_kinds, resolve};
use super::search::narrow;
use super::session::Session;
use super::source::Source;
use super::sql::keys::{Bound, Order};
use super::sql::page::{Errors, Window, decode, event, page};
use super::sql::{Dialect, aggregate, histogram};
use super::{tail, walk};
use crate::domain::event::{Id, Outcome, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::Span;
use crate::domain::page::{Anchor, Page, Total};
use crate::protocol::query::{Description, Histogram, HistogramQuery};
use crate::protocol::{Answer, Query, SourceError};
use crate::store::Access;

/// More types than this are not counted one by one.
const MAX_KIND_BRANCHES: usize = 60;
/// A histogram wider than this fits no screen.
const MAX_BUCKETS: u32 = 10_000;

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

/// One question's surroundings.
pub struct Asker<'a> {
    pub shared: &'a Shared,
    pub source: &'a Source,
}

impl Asker<'_> {
    pub async fn resolve(&self, s: &mut Session, criteria: &Criteria) -> Result<Resolved, SourceError> {
        let mut resolved = resolve(s, self.source, &self.shared.names, criteria).await?;
        narrow(s, self.source, &mut resolved).await?;
        Ok(resolved)
    }

    async fn page(
        &self,
        s: &mut Session,
        criteria: &Criteria,
        anchor: &Anchor,
        (limit, errors): (u32, Errors),
    ) -> Result<Answer, SourceError> {
        let resolved = self.resolve(s, criteria).await?;
        let (bound, order) = match anchor {
            Anchor::Newest => (Bound::Nowhere, Order::NewestFirst),
            Anchor::Oldest => (Bound::Nowhere, Order::OldestFirst),
            Anchor::Older(c) => (Bound::OlderThan(c.clone()), Order::NewestFirst),
            Anchor::Newer(c) => (Bound::NewerThan(c.clone()), Order::OldestFirst),
            Anchor::At(t) => (Bound::AtOrBefore(*t), Order::NewestFirst),
            Anchor::AtOrAfter(t) => (Bound::AtOrAfter(*t), Order::OldestFirst),
        };
        let budget = self.shared.search_budget.filter(|_| errors == Errors::Head);
        let budget = budget.filter(|_| walk::is_called_for(self.source, &resolved));
        let (rows, more, looked_to) = match budget {
            Some(budget) => walk::walk(self, s, resolved, (bound, order), (limit, budget)).await?,
            None => {
                let (rows, more) = self.rows(s, &resolved, bound, order, (limit, errors)).await?;
                (rows, more, None)
            }
        };
        // Whether rows lie on the side that the page was reached from would cost a query to know.
        let (more_newer, more_older) = match anchor {
            Anchor::Newest => (false, more),
            Anchor::Oldest => (more, false),
            Anchor::Older(_) | Anchor::At(_) => (true, more),
            Anchor::Newer(_) | Anchor::AtOrAfter(_) => (more, true),
        };
        Ok(Answer::Page(Page { rows, more_newer, more_older, looked_to }))
    }

    /// Rows newest first, and whether more follow in the direction of reading.
    pub async fn rows(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        bound: Bound,
        order: Order,
        (limit, errors): (u32, Errors),
    ) -> Result<(Vec<Arc<RenewalEvent>>, bool), SourceError> {
        if resolved.is_empty() || limit == 0 {
            return Ok((Vec::new(), false));
        }
        if bound == Bound::Nowhere {
            self.shared.parties.forget();
        }
        let window = Window { bound, order, limit: u64::from(limit) + 1, errors };
        let apart = errors == Errors::Whole && self.source.is_own() && !resolved.asks_for_names();
        let without = apart.then(|| Names::left_out(self.source));
        let (sql, shape) = page(without.as_ref().unwrap_or(self.source), resolved, &window);
        let rows = s.rows(&sql, &shape).await?;
        let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        let kept = rows.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
        let mut events = kept.map(|mut row| decode(self.source, false, &mut row)).collect::<Result<Vec<_>, _>>()?;
        self.shared.names.fill(s, self.source, &mut events).await?;
        if without.is_some() {
            self.shared.parties.fill(s, self.source, &mut events).await?;
        }
        if order == Order::OldestFirst {
            events.reverse();
        }
        Ok((events.into_iter().map(Arc::new).collect(), more))
    }

    /// One event with its whole error.
    pub async fn event(&self, s: &mut Session, org: Option<&Id>, id: &Id) -> Result<Option<RenewalEvent>, SourceError> {
        if !same_type(id, self.source.map.id.ty) {
            return Ok(None);
        }
        let (sql, shape) = event(self.source, org, id);
        let Some(mut row) = s.rows(&sql, &shape).await?.into_iter().next() else { return Ok(None) };
        let mut events = [decode(self.source, true, &mut row)?];
        self.shared.names.fill(s, self.source, &mut events).await?;
        let [event] = events;
        Ok(Some(event))
    }

    async fn count(&self, s: &mut Session, criteria: &Criteria, ceiling: Option<u64>) -> Result<Answer, SourceError> {
        let resolved = self.resolve(s, criteria).await?;
        if resolved.is_empty() {
            return Ok(Answer::Count(Total::Exact(0)));
        }
        let (sql, shape) = aggregate::count(self.source, &resolved, ceiling.map(|c| c.saturating_add(1)));
        let counted = s.rows(&sql, &shape).await?.into_iter().next().and_then(|mut r| r.int(0)).unwrap_or(0);
        let counted = u64::try_from(counted).unwrap_or(0);
        Ok(Answer::Count(match ceiling {
            Some(c) if counted > c => Total::AtLeast(c),
            _ => Total::Exact(counted),
        }))
    }

    async fn histogram(&self, s: &mut Session, query: &HistogramQuery) -> Result<Histogram, SourceError> {
        let buckets = query.buckets.min(MAX_BUCKETS);
        let mut out = Histogram { buckets: vec![[0; 4]; usize::try_from(buckets).unwrap_or(0)] };
        let mut resolved = self.resolve(s, &query.criteria).await?;
        let length = Span(query.width_micros.max(1).saturating_mul(i64::from(buckets)));
        resolved.clamp(Some(query.from), Some(query.from.end_after(length)));
        if resolved.is_empty() || !query.from.is_finite() {
            return Ok(out);
        }
        let known = match &resolved.kinds {
            Set::All if aggregate::is_in_index(self.source, &resolved) => known_kinds(s, self.source).await?,
            _ => None,
        };
        let known = known.as_deref().filter(|k| !k.is_empty() && k.len() <= MAX_KIND_BRANCHES);
        let (sql, shape) = histogram::histogram(self.source, &resolved, known, query);
        for mut row in s.rows(&sql, &shape).await? {
            let (bucket, kind, rows) = (row.int(0), row.string(1).unwrap_or_default(), row.int(2).unwrap_or(0));
            let slot = bucket.and_then(|b| usize::try_from(b).ok()).and_then(|b| out.buckets.get_mut(b));
            if let Some(counts) = slot {
                let stated = kind.strip_prefix(histogram::STATED).filter(|_| self.source.map.outcome.is_some());
                let outcome = stated.and_then(outcome_of).unwrap_or_else(|| self.source.traits.outcome_of(&kind));
                for (count, _) in counts.iter_mut().zip(Outcome::ALL).filter(|(_, o)| *o == outcome) {
                    *count += u64::try_from(rows).unwrap_or(0);
                }
            }
        }
        Ok(out)
    }

    async fn describe(&self, s: &mut Session) -> Result<Answer, SourceError> {
        let (sql, shape) = aggregate::ends(self.source);
        let row = s.rows(&sql, &shape).await?.into_iter().next();
        let column = &self.source.map.created_at;
        let (oldest, newest) = row.map_or((None, None), |mut r| (r.time(0), r.time(1)));
        let (oldest, newest) = (oldest.map(|t| column.instant(t)), newest.map(|t| column.instant(t)));
        let read_only = match self.source.dialect {
            Dialect::Postgres => {
                let (sql, shape) = aggregate::read_only();
                s.rows(&sql, &shape).await?.into_iter().next().and_then(|mut r| r.int(0)) == Some(1)
            }
            // The file is opened for reading only.
            Dialect::Sqlite => self.shared.access == Access::Read,
        };
        Ok(Answer::Described(Description {
            tls: s.tls().await,
            address: self.shared.address.to_string(),
            profile: self.source.profile.name.clone(),
            traits: Arc::clone(&self.source.traits),
            read_only,
            oldest,
            newest,
            notes: self.source.notes.clone(),
        }))
    }
}

/// Whether an id can be one of a column: a question for another type finds nothing.
pub fn same_type(id: &Id, ty: super::columns::IdType) -> bool {
    use super::columns::IdType;
    matches!((id, ty), (Id::Uuid(_), IdType::Uuid) | (Id::Text(_), IdType::Text) | (Id::Int(_), IdType::Int))
}
