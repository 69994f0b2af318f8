//! What the execution of one query needs: the state shared by the store's queries, and the source that it reads.
//!
//! Created by [`answer`](crate::store::queries::answer) and by the store for one query. The methods that run each query
//! are in the file of that query. It must not outlive the query: the source may change.

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::narrow::narrow;
use crate::store::queries::resolve::Resolver;
use crate::store::queries::resolved::Resolved;
use crate::store::queries::sql::page::{Errors, decode, event};
use crate::store::shared::Shared;
use crate::store::source::Source;
use crate::store::source::columns::IdType;

/// Executes queries of one source.
pub struct Executor<'a> {
    pub shared: &'a Shared,
    pub source: &'a Source,
}

impl Executor<'_> {
    /// What looks up the names of filters.
    pub const fn resolver(&self) -> Resolver<'_> {
        Resolver { source: self.source, names: &self.shared.names }
    }

    /// The criteria with their names resolved, narrowed by a text index where one helps.
    pub async fn resolve(&self, s: &mut Session, criteria: &Criteria) -> Result<Resolved, SourceError> {
        let mut resolved = self.resolver().resolve(s, criteria).await?;
        narrow(s, self.source, &mut resolved).await?;
        Ok(resolved)
    }

    /// One event with its whole error; with `org`, only if it belongs to that organization.
    pub async fn event(&self, s: &mut Session, org: Option<&Id>, id: &Id) -> Result<Option<RenewalEvent>, SourceError> {
        if !same_type(id, self.source.map.id.ty) {
            return Ok(None);
        }
        let (sql, shape) = event(self.source, org, id);
        let Some(mut row) = s.rows(&sql, &shape).await?.into_iter().next() else { return Ok(None) };
        let Some(event) = decode(self.source, Errors::Whole, true, &mut row) else {
            let table = self.source.profile.relation.table.name();
            return Err(SourceError::Failed(format!(
                "the row of '{table}' with this id has no usable time; correct it in the database"
            )));
        };
        let mut events = [event];
        self.shared.names.fill(s, self.source, &mut events).await?;
        let [event] = events;
        Ok(Some(event))
    }
}

/// Whether an id can occur in a column of this type. A query by an id of another type finds nothing.
pub const fn same_type(id: &Id, ty: IdType) -> bool {
    matches!((id, ty), (Id::Uuid(_), IdType::Uuid) | (Id::Text(_), IdType::Text) | (Id::Int(_), IdType::Int))
}
