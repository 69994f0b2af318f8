//! The query for the number of matching events. Called by the dispatch; it must not count beyond the given ceiling.

use crate::domain::filter::Criteria;
use crate::domain::page::Total;
use crate::protocol::{Answer, SourceError};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::resolved::Resolved;
use crate::store::queries::sql::{Selection, aggregate};

impl Executor<'_> {
    /// Counts the matching rows, at most `ceiling`; more are reported as [`Total::AtLeast`].
    pub async fn count(
        &self,
        s: &mut Session,
        criteria: &Criteria,
        ceiling: Option<u64>,
    ) -> Result<Answer, SourceError> {
        let resolved = self.resolve(s, criteria).await?;
        if resolved.is_empty() {
            return Ok(Answer::Count(Total::Exact(0)));
        }
        let limit = ceiling.map(|c| c.saturating_add(1));
        let counted = if resolved.signatures.is_empty() {
            self.count_rows(s, &resolved, limit).await?
        } else {
            self.signed(&resolved).count(s, limit).await?
        };
        Ok(Answer::Count(match ceiling {
            Some(c) if counted > c => Total::AtLeast(c),
            _ => Total::Exact(counted),
        }))
    }

    /// The number of rows that pass all but the clauses on signatures, counting at most `limit`.
    pub async fn count_rows(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        limit: Option<u64>,
    ) -> Result<u64, SourceError> {
        let (sql, shape) = aggregate::count(Selection::new(self.source, resolved), limit);
        let counted = s.rows(&sql, &shape).await?.into_iter().next().and_then(|mut r| r.int(0)).unwrap_or(0);
        Ok(u64::try_from(counted).unwrap_or(0))
    }
}
