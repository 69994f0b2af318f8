//! The databases: the questions of the protocol answered from PostgreSQL and SQLite, and events stored in them.
//!
//! The one layer that knows a driver. Questions are composed once for both databases (`sql`), through a map of columns,
//! with values only ever bound. Nothing here migrates by connecting, except where [`ConnectOptions::create`] says so,
//! and a session that was opened to read cannot write: the server refuses it.

mod connect;
pub mod doctor;
mod options;
mod queries;
pub mod schema;
pub mod source;
mod write;

mod shared;
mod sql;

use std::sync::{Arc, Mutex};

use uuid::Uuid;

pub use connect::address::Address;
pub use connect::password::Prompt;
pub use options::{Access, ConnectOptions, SearchBudget};
pub use write::{RowOutcome, event_id};

use crate::domain::event::{Id, NewEvent, RenewalEvent};
use crate::protocol::{Answer, Query, SourceError};
use connect::address::Place;
use connect::pool::Pool;
use connect::session::Session;
use connect::sqlite::Use;
use connect::{commits, connector, listen};
use queries::names::{directory, parties};
use queries::sql::aggregate;
use queries::unreadable::Unreadable;
use shared::Shared;
use sql::Dialect;

/// Questions that run at once.
const QUESTIONS: usize = 4;

/// A database of events. Clones share its connections.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

impl Store {
    /// Opens the database and looks at its event table. A database without that table can be connected to: each
    /// question is then answered with [`SourceError::Shape`].
    pub async fn connect(address: &Address, options: &ConnectOptions) -> Result<Self, SourceError> {
        let store = Self::prepared(address, options).await?;
        let mut session = store.0.pool.acquire().await?;
        match store.0.source(&mut session).await {
            Ok(_) | Err(SourceError::Shape(_)) => {}
            Err(e) => return Err(e),
        }
        drop(session);
        address.end_asking();
        Ok(store)
    }

    /// As [`connect`](Self::connect), but without a connection: the first question makes it, and says why it cannot.
    /// Nobody is asked for a password. A missing file of one's own is made nevertheless.
    pub async fn open(address: &Address, options: &ConnectOptions) -> Result<Self, SourceError> {
        address.end_asking();
        Self::prepared(address, options).await
    }

    async fn prepared(address: &Address, options: &ConnectOptions) -> Result<Self, SourceError> {
        let wanted = |path: &std::path::Path| options.create && (options.access == Access::Write || !path.exists());
        if address.path().is_some_and(wanted) {
            schema::migrate(address).await?;
        }
        Ok(Self(Arc::new(Shared {
            address: address.clone(),
            access: options.access,
            search_budget: options.search_budget,
            profiles: Arc::clone(&options.profiles),
            names: directory::Names::default(),
            parties: parties::Names::default(),
            unreadable: Unreadable::default(),
            pool: Pool::new(connector(address, options, Use::Questions), QUESTIONS),
            tail: Pool::new(connector(address, options, Use::Tail), 1),
            listening: listen::Listening::default(),
            source: Mutex::default(),
            commits: commits::Commits::default(),
            describing: tokio::sync::Mutex::default(),
        })))
    }

    /// Answers a question. When `cancelled` resolves first, the statement is stopped in the database and the answer is
    /// [`SourceError::Cancelled`]; so it is when the future itself is dropped, though nobody hears of it then.
    pub async fn answer(
        &self,
        query: &Query,
        cancelled: impl Future<Output = ()> + Send,
    ) -> Result<Answer, SourceError> {
        tokio::pin!(cancelled);
        let mut session = tokio::select! {
            biased;
            () = &mut cancelled => return Err(SourceError::Cancelled),
            session = self.0.lane(query).acquire() => session?,
        };
        let stopper = session.stopper();
        let work = self.settle(&mut session, query);
        tokio::pin!(work);
        tokio::select! {
            biased;
            () = &mut cancelled => {
                stopper.stop(async { let _ = work.await; }).await;
                Err(SourceError::Cancelled)
            }
            answer = &mut work => answer,
        }
    }

    /// Answers a question, once more from its beginning where the connection had died while it rested: the asker need
    /// not know that the server was restarted since the last question.
    async fn settle(&self, session: &mut Session, query: &Query) -> Result<Answer, SourceError> {
        let answer = queries::answer(&self.0, session, query).await;
        if answer.is_ok() || !session.may_renew() {
            return answer;
        }
        session.renew().await?;
        queries::answer(&self.0, session, query).await
    }

    /// Answers a question that nobody will cancel.
    pub async fn ask(&self, query: &Query) -> Result<Answer, SourceError> {
        self.answer(query, std::future::pending()).await
    }

    /// Stores one event. Gives its id, which is derived from its content where it had none.
    pub async fn create(&self, event: &NewEvent) -> Result<(Uuid, RowOutcome), SourceError> {
        let outcome = self.create_many(std::slice::from_ref(event)).await?.into_iter().next();
        let outcome = outcome.unwrap_or_else(|| RowOutcome::Refused("no outcome was reported".to_owned()));
        Ok((write::event_id(event), outcome))
    }

    /// Stores events in one transaction, each once however often it comes. One outcome for each, in their order. A row
    /// that cannot be stored is refused alone. [`SourceError::Invalid`] where the table is not our own.
    pub async fn create_many(&self, events: &[NewEvent]) -> Result<Vec<RowOutcome>, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        self.0.check_writable(&mut session).await?;
        write::create_many(&mut session, events).await
    }

    /// One event with its whole error; with an organisation, only if it is of that one.
    pub async fn get(&self, org: Option<&Id>, id: &Id) -> Result<Option<RenewalEvent>, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        let found = self.event(&mut session, org, id).await;
        if found.is_ok() || !session.may_renew() {
            return found;
        }
        session.renew().await?;
        self.event(&mut session, org, id).await
    }

    async fn event(&self, s: &mut Session, org: Option<&Id>, id: &Id) -> Result<Option<RenewalEvent>, SourceError> {
        let source = self.0.source(s).await?;
        queries::executor::Executor { shared: &self.0, source: &source }.event(s, org, id).await
    }

    /// Removes one event; with an organisation, only if it is of that one. Whether there was one.
    pub async fn delete(&self, org: Option<&Id>, id: &Id) -> Result<bool, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        self.0.check_writable(&mut session).await?;
        write::delete(&mut session, org, id).await
    }

    /// A number that changes when another process has committed to a SQLite file, and from time to time without that: a
    /// hint to read again. `None` for PostgreSQL, which has no such number.
    pub fn changes(&self) -> Option<i64> {
        match self.0.address.place() {
            Place::Sqlite(path) => Some(self.0.commits.number(path)),
            Place::Postgres(_) => None,
        }
    }

    /// Closes the connections in order. Of an SQLite file, the last one to close takes the write-ahead log back into it,
    /// so that the file alone holds everything.
    pub async fn close(&self) {
        self.0.pool.close().await;
        self.0.tail.close().await;
    }

    pub fn address(&self) -> &Address {
        &self.0.address
    }

    /// The database's plans for the statements of a question, the last one being that of its answer. For tests and for
    /// the doctor.
    pub async fn explain(&self, query: &Query) -> Result<Vec<String>, SourceError> {
        self.plans(query, aggregate::explain).await
    }

    /// As [`explain`](Self::explain), with the rows and the buffers that PostgreSQL has really read.
    pub async fn measure(&self, query: &Query) -> Result<Vec<String>, SourceError> {
        self.plans(query, aggregate::measure).await
    }

    async fn plans(&self, query: &Query, word: fn(Dialect) -> &'static str) -> Result<Vec<String>, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        let word = word(session.conn()?.dialect());
        session.explain_next(word);
        let _ = queries::answer(&self.0, &mut session, query).await?;
        Ok(session.plans())
    }
}

impl crate::protocol::EventSource for Store {
    fn answer(
        &self,
        query: &Query,
        cancelled: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Result<Answer, SourceError>> + Send {
        Self::answer(self, query, cancelled)
    }
    fn changes(&self) -> Option<i64> {
        Self::changes(self)
    }
    async fn notified(&self) {
        match self.0.address.place() {
            Place::Postgres(_) => self.0.listening.next(&self.0).await,
            Place::Sqlite(_) => std::future::pending().await,
        }
    }
}
