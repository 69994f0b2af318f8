//! What the queries of one store share: connections, caches, and the description of the source.
//!
//! Built by [`Store`](crate::store::Store) only, and read by every query. It runs no query itself.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use crate::profile::choice::Profiles;
use crate::protocol::fleet::FleetQuery;
use crate::protocol::{Query, SourceError};
use crate::store::connect::address::Address;
use crate::store::connect::pool::Pool;
use crate::store::connect::session::Session;
use crate::store::connect::{commits, listen};
use crate::store::options::{Access, SearchBudget};
use crate::store::queries::names::{directory, parties};
use crate::store::queries::unreadable::Unreadable;
use crate::store::source::{Source, detect};

/// A description with notes (something is missing) is refreshed after this time.
const DESCRIPTION_AGE: Duration = Duration::from_secs(60);

/// Shared by all queries of one store.
pub(crate) struct Shared {
    pub address: Address,
    pub access: Access,
    pub search_budget: Option<SearchBudget>,
    pub profiles: Arc<Profiles>,
    pub names: directory::Names,
    pub parties: parties::Names,
    pub unreadable: Unreadable,
    pub pool: Arc<Pool>,
    /// The connection of the live tail, so that the tail never waits behind queries.
    pub tail: Arc<Pool>,
    /// The connection of reads that go on for long, so that no short query waits behind them.
    pub background: Arc<Pool>,
    pub listening: listen::Listening,
    pub source: Mutex<Option<(Moment, Arc<Source>)>>,
    pub commits: commits::Commits,
    /// Held by the one query that describes the source; the others wait for its result.
    pub describing: tokio::sync::Mutex<()>,
}

impl Shared {
    /// The pool that serves a query: the tail and what goes on for long have their own permits, so that nothing waits
    /// behind them, nor they behind others.
    pub fn lane(&self, query: &Query) -> &Arc<Pool> {
        match query {
            Query::Tail(_) => &self.tail,
            Query::Slice(_) | Query::Clock | Query::Fleet(FleetQuery::Sweep { .. }) => &self.background,
            _ => &self.pool,
        }
    }

    /// The description of the source, cached after the first use.
    pub async fn source(&self, session: &mut Session) -> Result<Arc<Source>, SourceError> {
        if let Some(source) = self.cached_source() {
            return Ok(source);
        }
        let _describing = self.describing.lock().await;
        if let Some(source) = self.cached_source() {
            return Ok(source);
        }
        let source = Arc::new(detect::detect(session.conn()?, &self.profiles).await?);
        if let Ok(mut kept) = self.source.lock() {
            *kept = Some((Moment::now(), Arc::clone(&source)));
        }
        Ok(source)
    }

    /// The note on a source that was chosen among several; see [`Source::chosen`].
    pub fn remark(&self) -> Option<String> {
        self.source.lock().ok()?.as_ref().and_then(|(_, source)| source.chosen.clone())
    }

    /// The cached description, unless it is due for a refresh.
    fn cached_source(&self) -> Option<Arc<Source>> {
        let (at, source) = self.source.lock().ok().and_then(|kept| kept.clone())?;
        (source.notes.is_empty() || at.elapsed() < DESCRIPTION_AGE).then_some(source)
    }

    /// Drops the cached description: the table turned out to be different from it.
    pub fn forget_source(&self) {
        if let Ok(mut kept) = self.source.lock() {
            *kept = None;
        }
    }

    /// [`SourceError::Invalid`] unless this store may write and the tables are renewscope's own.
    pub async fn check_writable(&self, session: &mut Session) -> Result<Arc<Source>, SourceError> {
        let source = match self.source(session).await {
            Err(_) if session.can_retry() => {
                session.reconnect().await?;
                self.source(session).await?
            }
            other => other?,
        };
        if self.access == Access::Read {
            return Err(SourceError::Invalid(format!("{} is open for reading only", self.address)));
        }
        if !source.rights.is_written {
            return Err(SourceError::Invalid(format!(
                "the event table at {} was not made by renewscope's migrations; it is only read; store events in another database",
                self.address
            )));
        }
        match &source.rights.obstacle {
            Some(why) => Err(SourceError::Invalid(format!("cannot write to {}: {why}", self.address))),
            None => Ok(source),
        }
    }
}
