//! The facade of the store: [`Store`] runs the protocol's queries on PostgreSQL or SQLite, and stores events.
//!
//! The worker calls it through [`EventSource`](crate::protocol::EventSource), the headless commands directly.
//! Connecting never migrates, except where [`ConnectOptions::create`] says so, and a store opened with
//! [`Access::Read`] cannot write. No SQL is composed here; see `queries`.

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

/// Connections for queries; the tail has one more, and so have the reads that go on for long.
const CONNECTIONS: usize = 4;

/// A database of events. Clones share its connections and caches.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

impl Store {
    /// Opens a connection and describes the event table. A database without that table can be connected to: each
    /// query then fails with [`SourceError::Shape`].
    pub async fn connect(address: &Address, options: &ConnectOptions) -> Result<Self, SourceError> {
        let store = Self::prepared(address, options).await?;
        let mut session = store.0.pool.acquire().await?;
        match store.0.source(&mut session).await {
            Ok(_) | Err(SourceError::Shape(_)) => {}
            Err(e) => return Err(e),
        }
        session.finish().await?;
        drop(session);
        address.stop_prompting();
        Ok(store)
    }

    /// Like [`connect`](Self::connect), but opens no connection: the first query does, and reports why it cannot. No
    /// password prompt appears. With [`ConnectOptions::create`] a missing SQLite file is still created.
    pub async fn open(address: &Address, options: &ConnectOptions) -> Result<Self, SourceError> {
        address.stop_prompting();
        Self::prepared(address, options).await
    }

    /// Builds the store, and creates or migrates a file where the options say so.
    async fn prepared(address: &Address, options: &ConnectOptions) -> Result<Self, SourceError> {
        let wanted = |path: &std::path::Path| options.create && (options.access == Access::Write || !path.exists());
        if address.path().is_some_and(wanted) {
            schema::migrate_private(address).await?;
        }
        let pool = Pool::new(connector(address, options, Use::Queries), CONNECTIONS);
        let lane = connector(address, options, Use::Tail);
        let background = Pool::sharing(connector(address, options, Use::Queries), 1, &pool);
        let tail = if pool.is_server() { Pool::sharing(lane, 1, &pool) } else { Pool::new(lane, 1) };
        Ok(Self(Arc::new(Shared {
            address: address.clone(),
            access: options.access,
            search_budget: options.search_budget,
            profiles: Arc::clone(&options.profiles),
            names: directory::Names::default(),
            parties: parties::Names::default(),
            unreadable: Unreadable::default(),
            pool,
            tail,
            background,
            listening: listen::Listening::default(),
            source: Mutex::default(),
            commits: commits::Commits::default(),
            describing: tokio::sync::Mutex::default(),
        })))
    }

    /// Runs a query. When `cancelled` resolves first, the statement is cancelled in the database and the result is
    /// [`SourceError::Cancelled`]. Dropping the future cancels the statement too.
    pub async fn answer(
        &self,
        query: &Query,
        cancelled: impl Future<Output = ()> + Send,
    ) -> Result<Answer, SourceError> {
        let answer = self.answer_unlogged(query, cancelled).await;
        if let Err(error) = &answer
            && *error != SourceError::Cancelled
        {
            tracing::warn!(%error, "a query failed");
        }
        answer
    }

    async fn answer_unlogged(
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
        let work = self.run_with_retry(&mut session, query);
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

    /// Runs a query, and once more if an idle connection failed on first use, so that callers do not notice a server
    /// restart between two queries.
    async fn run_with_retry(&self, session: &mut Session, query: &Query) -> Result<Answer, SourceError> {
        let answer = self.run_once(session, query).await;
        if answer.is_ok() || !session.can_retry() {
            return answer;
        }
        session.reconnect().await?;
        self.run_once(session, query).await
    }

    /// Runs a query and ends it; of two errors the first is the cause.
    async fn run_once(&self, session: &mut Session, query: &Query) -> Result<Answer, SourceError> {
        let answer = queries::answer(&self.0, session, query).await;
        let finished = session.finish().await;
        // The first of two errors is the cause.
        let answer = answer?;
        finished.map(|()| answer)
    }

    /// Runs a query that is never cancelled.
    pub async fn run(&self, query: &Query) -> Result<Answer, SourceError> {
        self.answer(query, std::future::pending()).await
    }

    /// Stores one event and returns its id, which is derived from its content if the event has none.
    pub async fn create(&self, event: &NewEvent) -> Result<(Uuid, RowOutcome), SourceError> {
        let outcome = self.create_many(std::slice::from_ref(event)).await?.into_iter().next();
        let outcome = outcome.unwrap_or_else(|| RowOutcome::Refused("no outcome was reported".to_owned()));
        Ok((write::event_id(event), outcome))
    }

    /// Stores events in one transaction; an event that exists already is reported as a duplicate. Returns one outcome
    /// per event, in order; a row that cannot be stored is refused alone. [`SourceError::Invalid`] if the table is
    /// not renewscope's own.
    pub async fn create_many(&self, events: &[NewEvent]) -> Result<Vec<RowOutcome>, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        let source = self.0.check_writable(&mut session).await?;
        write::create_many(&mut session, &source.map.schema(), events).await
    }

    /// One event with its whole error text; with an organization, only if it belongs to that one.
    pub async fn get(&self, org: Option<&Id>, id: &Id) -> Result<Option<RenewalEvent>, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        let found = self.event(&mut session, org, id).await;
        if found.is_ok() || !session.can_retry() {
            return found;
        }
        session.reconnect().await?;
        self.event(&mut session, org, id).await
    }

    /// One event on this session.
    async fn event(&self, s: &mut Session, org: Option<&Id>, id: &Id) -> Result<Option<RenewalEvent>, SourceError> {
        let source = self.0.source(s).await?;
        let found = queries::executor::Executor { shared: &self.0, source: &source }.event(s, org, id).await?;
        s.finish().await.map(|()| found)
    }

    /// Deletes one event; with an organization, only if it belongs to that one. Returns whether there was one.
    pub async fn delete(&self, org: Option<&Id>, id: &Id) -> Result<bool, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        let source = self.0.check_writable(&mut session).await?;
        write::delete(&mut session, &source.map.schema(), org, id).await
    }

    /// Why numbers can be too low: row security hides rows from this role. `None` if it does not, or if no source is found,
    /// which the next query reports.
    pub async fn hidden_rows(&self) -> Result<Option<String>, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        match self.0.source(&mut session).await {
            Ok(source) => Ok(source.rights.hidden.clone()),
            Err(e) if e.is_connection() => Err(e),
            Err(_) => Ok(None),
        }
    }

    /// How many rows of the table no query returns, because they have no usable id or time; see
    /// [`Description::unreadable`](crate::protocol::query::Description::unreadable).
    pub async fn unreadable_rows(&self) -> Result<u64, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        let source = self.0.source(&mut session).await?;
        let counted = queries::executor::Executor { shared: &self.0, source: &source }.unreadable(&mut session).await;
        let finished = session.finish().await;
        let rows = counted?;
        finished.map(|()| rows)
    }

    /// A number that changes when another process may have committed to a SQLite file, and every ten seconds without
    /// that: a wake-up for the tail. `None` for PostgreSQL, which has no such number.
    pub fn changes(&self) -> Option<i64> {
        match self.0.address.place() {
            Place::Sqlite(path) => Some(self.0.commits.number(path)),
            Place::Postgres(_) => None,
        }
    }

    /// Closes the connections in order. For SQLite, closing the last one checkpoints the write-ahead log into the
    /// file.
    pub async fn close(&self) {
        self.0.pool.close().await;
        self.0.tail.close().await;
        self.0.background.close().await;
    }

    /// What a person should know of the choice of the source, once it is described: that others would fit too.
    pub fn remark(&self) -> Option<String> {
        self.0.remark()
    }

    /// The database of the store; it prints without password.
    pub fn address(&self) -> &Address {
        &self.0.address
    }

    /// The database's plans for the statements of a query; the last one is that of its result. For tests and
    /// `doctor`.
    pub async fn explain(&self, query: &Query) -> Result<Vec<String>, SourceError> {
        self.plans(query, aggregate::explain).await
    }

    /// Like [`explain`](Self::explain), with the rows and buffers that PostgreSQL really read.
    pub async fn measure(&self, query: &Query) -> Result<Vec<String>, SourceError> {
        self.plans(query, aggregate::measure).await
    }

    /// Runs a query with every statement explained by the prefix `word`.
    async fn plans(&self, query: &Query, word: fn(Dialect) -> &'static str) -> Result<Vec<String>, SourceError> {
        let mut session = self.0.pool.acquire().await?;
        let word = word(session.conn()?.dialect());
        session.collect_plans(word);
        let _ = queries::answer(&self.0, &mut session, query).await?;
        session.finish().await?;
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
