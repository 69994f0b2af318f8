//! A page of events, in either direction from a place in the order.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::Criteria;
use crate::domain::page::{Anchor, Page};
use crate::protocol::{Answer, SourceError};
use crate::store::connect::session::Session;
use crate::store::queries::names::parties::Names;
use crate::store::queries::resolved::Resolved;
use crate::store::queries::sql::keys::{Bound, Order};
use crate::store::queries::sql::page::{Errors, Window, decode, page};
use crate::store::queries::walk;

use crate::store::queries::asker::Asker;

impl Asker<'_> {
    pub async fn page(
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
}
