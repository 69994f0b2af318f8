//! What the queries of one store share: connections, caches, and what is known of the source.
//!
//! Built by [`Store`](crate::store::Store) only.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use crate::profile::choice::Profiles;
use crate::protocol::{Query, SourceError};
use crate::store::connect::address::Address;
use crate::store::connect::pool::Pool;
use crate::store::connect::session::Session;
use crate::store::connect::{commits, listen};
use crate::store::options::{Access, SearchBudget};
use crate::store::queries::names::{directory, parties};
use crate::store::queries::unreadable::Unreadable;
use crate::store::source::{Source, detect};

/// A description of the source older than this is made anew where it lacked something.
const DESCRIPTION_AGE: Duration = Duration::from_secs(60);

/// What the questions of one store share.
pub(crate) struct Shared {
    pub address: Address,
    pub access: Access,
    pub search_budget: Option<SearchBudget>,
    pub profiles: Arc<Profiles>,
    pub names: directory::Names,
    pub parties: parties::Names,
    pub unreadable: Unreadable,
    pub pool: Arc<Pool>,
    /// The one connection of the live tail: it must not wait behind questions.
    pub tail: Arc<Pool>,
    pub listening: listen::Listening,
    pub source: Mutex<Option<(Moment, Arc<Source>)>>,
    pub commits: commits::Commits,
    /// Held by the one question that looks at what the database holds; others wait for what it finds.
    pub describing: tokio::sync::Mutex<()>,
}

impl Shared {
    pub fn lane(&self, query: &Query) -> &Arc<Pool> {
        if matches!(query, Query::Tail(_)) { &self.tail } else { &self.pool }
    }

    /// What the database holds, as it was found at the first look.
    pub async fn source(&self, session: &mut Session) -> Result<Arc<Source>, SourceError> {
        if let Some(source) = self.known_source() {
            return Ok(source);
        }
        let _describing = self.describing.lock().await;
        if let Some(source) = self.known_source() {
            return Ok(source);
        }
        let source = Arc::new(detect::detect(session.conn()?, &self.profiles).await?);
        if let Ok(mut kept) = self.source.lock() {
            *kept = Some((Moment::now(), Arc::clone(&source)));
        }
        Ok(source)
    }

    fn known_source(&self) -> Option<Arc<Source>> {
        let (at, source) = self.source.lock().ok().and_then(|kept| kept.clone())?;
        (source.notes.is_empty() || at.elapsed() < DESCRIPTION_AGE).then_some(source)
    }

    /// The table turned out to be other than described: the next question looks again.
    pub fn forget_source(&self) {
        if let Ok(mut kept) = self.source.lock() {
            *kept = None;
        }
    }

    pub async fn check_writable(&self, session: &mut Session) -> Result<(), SourceError> {
        let source = match self.source(session).await {
            Err(_) if session.may_renew() => {
                session.renew().await?;
                self.source(session).await?
            }
            other => other?,
        };
        if self.access == Access::Read {
            return Err(SourceError::Invalid(format!("{} is open for reading only", self.address)));
        }
        if !source.is_own() {
            return Err(SourceError::Invalid(format!(
                "the event table at {} was not made by renewscope, or this role cannot read '_sqlx_migrations' that says so; it is only read; store events in a database of their own",
                self.address
            )));
        }
        Ok(())
    }
}
