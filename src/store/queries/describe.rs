//! The query that describes the source: its profile, the ends of its time range, and how the connection is protected.
//! Called by the dispatch; it must report the state of this session and not a cached one.

use std::sync::Arc;

use crate::protocol::query::Description;
use crate::protocol::{Answer, SourceError};
use crate::store::connect::session::Session;
use crate::store::options::Access;
use crate::store::queries::executor::Executor;
use crate::store::queries::sql::aggregate;
use crate::store::sql::Dialect;

impl Executor<'_> {
    /// Describes the source and this session. Times are in UTC.
    pub async fn describe(&self, s: &mut Session) -> Result<Answer, SourceError> {
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
            // The access mode of the file decides.
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
            unreadable: self.unreadable(s).await?,
        }))
    }
}
