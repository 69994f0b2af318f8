//! How many events match.

use crate::domain::filter::Criteria;
use crate::domain::page::Total;
use crate::protocol::{Answer, SourceError};
use crate::store::connect::session::Session;
use crate::store::queries::sql::aggregate;

use crate::store::queries::asker::Asker;

impl Asker<'_> {
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
        let (sql, shape) = aggregate::count(self.source, &resolved, ceiling.map(|c| c.saturating_add(1)));
        let counted = s.rows(&sql, &shape).await?.into_iter().next().and_then(|mut r| r.int(0)).unwrap_or(0);
        let counted = u64::try_from(counted).unwrap_or(0);
        Ok(Answer::Count(match ceiling {
            Some(c) if counted > c => Total::AtLeast(c),
            _ => Total::Exact(counted),
        }))
    }
}
