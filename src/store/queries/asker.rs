//! What a query needs around it: the shared state and the source it reads.

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::narrow::narrow;
use crate::store::queries::resolve::resolve;
use crate::store::queries::resolved::Resolved;
use crate::store::queries::sql::page::{decode, event};
use crate::store::shared::Shared;
use crate::store::source::Source;

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
}

/// Whether an id can be one of a column: a question for another type finds nothing.
pub fn same_type(id: &Id, ty: crate::store::source::columns::IdType) -> bool {
    use crate::store::source::columns::IdType;
    matches!((id, ty), (Id::Uuid(_), IdType::Uuid) | (Id::Text(_), IdType::Text) | (Id::Int(_), IdType::Int))
}
