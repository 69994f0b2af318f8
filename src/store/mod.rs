//! The databases: the questions of the protocol answered from PostgreSQL and SQLite, and events stored in them.
//!
//! The one layer that knows a driver. Questions are composed once for both databases (`sql`), through a map of columns,
//! with values only ever bound. Nothing here migrates by connecting, except where [`ConnectOptions::create`] says so,
//! and a session that was opened to read cannot write: the server refuses it.

mod address;
mod answer;
mod catalog;
pub mod columns;
mod commits;
mod derived;
mod detect;
mod directory;
pub mod doctor;
mod error;
mod facets;
mod listen;
mod login;
pub mod migrate;
mod parties;
mod password;
mod pool;
mod postgres;
mod resolve;
mod search;
mod session;
mod source;
pub mod sources;
mod sql;
mod sqlite;
mod tail;
mod walk;
mod write;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use uuid::Uuid;

pub use address::Address;
use address::Place;
pub use detect::Profiles;
pub use password::Prompt;
use pool::{Connector, Pool};
use session::Session;
use source::Source;
use sql::{Bind, Dialect, Sql, aggregate};
use sqlite::Use;
pub use write::event_id;

use crate::domain::event::{Id, NewEvent, RenewalEvent};
use crate::protocol::{Answer, Query, SourceError};

/// Questions that run at once.
const QUESTIONS: usize = 4;
/// A description of the source older than this is made anew where it lacked something.
const DESCRIPTION_AGE: Duration = Duration::from_secs(60);

/// What a session may do; the server holds it to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Read,
    Write,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    pub access: Access,
    /// SQLite: makes a missing file and brings its schema up to date. For the embedded file, the demonstration and tests.
    pub create: bool,
    /// The longest that one statement of a question may run, in the database.
    pub statement_timeout: Duration,
    /// How the session calls itself to the server's administrator.
    pub application_name: String,
    /// How much [`Query::Page`] may look at where no index carries the search. `None`: all of it, so that every page is
    /// complete. A console, where a person waits, gives [`SearchBudget::default`].
    pub search_budget: Option<SearchBudget>,
    /// What the event table may be described by.
    pub profiles: Arc<Profiles>,
}

/// The bounds of one look for rows that no index finds; see [`Page::looked_to`](crate::domain::page::Page::looked_to).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SearchBudget {
    /// No further slice is begun after this time. One slice is always looked at.
    pub time: Duration,
    /// Rows of the first slice; the next ones grow and shrink by how long one took.
    pub first_slice: u64,
}

impl Default for SearchBudget {
    /// An answer in about a tenth of a second, whatever is sought.
    fn default() -> Self {
        Self { time: Duration::from_millis(100), first_slice: 2000 }
    }
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            access: Access::Read,
            create: false,
            statement_timeout: Duration::from_secs(30),
            application_name: "renewscope".to_owned(),
            search_budget: None,
            profiles: Arc::default(),
        }
    }
}

/// What became of one event that was to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowOutcome {
    Stored,
    /// An event with this id was there.
    Duplicate,
    /// Not stored, and why; other rows are not affected.
    Refused(String),
}

/// A database of events. Clones share its connections.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

/// What the questions of one store share.
pub(crate) struct Shared {
    pub address: Address,
    pub access: Access,
    pub search_budget: Option<SearchBudget>,
    profiles: Arc<Profiles>,
    pub names: directory::Names,
    pub parties: parties::Names,
    pool: Arc<Pool>,
    /// The one connection of the live tail: it must not wait behind questions.
    tail: Arc<Pool>,
    listening: listen::Listening,
    source: Mutex<Option<(Moment, Arc<Source>)>>,
    commits: commits::Commits,
    /// Held by the one question that looks at what the database holds; others wait for what it finds.
    describing: tokio::sync::Mutex<()>,
}

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
            migrate::migrate(address).await?;
        }
        Ok(Self(Arc::new(Shared {
            address: address.clone(),
            access: options.access,
            search_budget: options.search_budget,
            profiles: Arc::clone(&options.profiles),
            names: directory::Names::default(),
            parties: parties::Names::default(),
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
        let answer = answer::answer(&self.0, session, query).await;
        if answer.is_ok() || !session.may_renew() {
            return answer;
        }
        session.renew().await?;
        answer::answer(&self.0, session, query).await
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
        answer::Asker { shared: &self.0, source: &source }.event(s, org, id).await
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
        let _ = answer::answer(&self.0, &mut session, query).await?;
        Ok(session.plans())
    }
}

impl Shared {
    fn lane(&self, query: &Query) -> &Arc<Pool> {
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

    async fn check_writable(&self, session: &mut Session) -> Result<(), SourceError> {
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

/// What opens connections to an address.
fn connector(address: &Address, options: &ConnectOptions, use_of: Use) -> Connector {
    match address.place() {
        Place::Sqlite(path) => Connector::Sqlite(sqlite::Connector::new(path.clone(), options, use_of)),
        Place::Postgres(server) => {
            Connector::Postgres(Box::new(postgres::Connector::new((**server).clone(), address.to_string(), options)))
        }
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
