//! What the source is: profile, ends of its time, protection of the connection.

use std::sync::Arc;

use crate::protocol::query::Description;
use crate::protocol::{Answer, SourceError};
use crate::store::connect::session::Session;
use crate::store::options::Access;
use crate::store::queries::sql::aggregate;
use crate::store::sql::Dialect;

use crate::store::queries::asker::Asker;

impl Asker<'_> {
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
