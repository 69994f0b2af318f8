//! A command's connection, its queries, and the signals that interrupt them.
//!
//! The commands call it; it prints nothing but the number of rows that cannot be shown, and returns every error to them.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::event::RenewalEvent;
use crate::domain::filter::Criteria;
use crate::domain::format;
use crate::domain::page::{Anchor, Page};
use crate::files;
use crate::protocol::error::Why;
use crate::protocol::{Answer, Query, SourceError};
use crate::store::schema;
use crate::store::{Access, Address, ConnectOptions, Store};

use crate::headless::failure::{Exit, Failure};
use crate::headless::tell;

/// How long an interrupted command may take to end by itself. Its query stops in milliseconds; only a read or write
/// that blocks takes longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rows of a page.
const PAGE_ROWS: u32 = 1000;
/// Rows of the first page of whole errors, whose texts may have any length, and of the largest later page.
const WHOLE_ROWS: (u32, u32) = (250, 4000);
/// The bytes of error text that a page should stay below.
const PAGE_BYTES: u64 = 8 << 20;

/// Ctrl-C and SIGTERM. The first requests the command's end and stops its query in the database; the second, or a
/// command that does not end in time, ends the program.
#[derive(Clone)]
pub struct Interrupt(CancellationToken);

impl Interrupt {
    /// Starts to listen for the signals. Needs a running tokio runtime.
    pub fn watch() -> Self {
        let token = CancellationToken::new();
        let requested = token.clone();
        if let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            tokio::spawn(async move {
                either(&mut int, &mut term).await;
                requested.cancel();
                let _ = tokio::time::timeout(PATIENCE, either(&mut int, &mut term)).await;
                std::process::exit(i32::from(Exit::Interrupted.code()));
            });
        }
        Self(token)
    }
    /// Returns once a signal has come.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }
    /// Whether a signal has come.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Returns once one of two signals has come.
async fn either(a: &mut Signal, b: &mut Signal) {
    tokio::select! { _ = a.recv() => {}, _ = b.recv() => {} }
}

/// The options of a session that may write, and creates the default file if it is missing.
pub fn to_write() -> ConnectOptions {
    ConnectOptions { access: Access::Write, create: true, ..ConnectOptions::default() }
}

/// Connects as configured. With [`ConnectOptions::create`] a missing default file is created; without, the command only
/// reads, and says that it reads the default file: a job that lost its settings must not report no failures.
pub async fn connect(config: &Config, options: ConnectOptions) -> Result<Store, SourceError> {
    check_file(&config.database.value)?;
    match config.embedded {
        true if options.create => create_default_file(config).await?,
        true => tell_default_file(config),
        false => {}
    }
    let store = Store::connect(&config.database.value, &with(config, options)).await?;
    store.remark().iter().for_each(|remark| tell(remark));
    Ok(store)
}

/// Says on stderr that no database is configured, and which file is read instead.
pub fn tell_default_file(config: &Config) {
    tell(&format!(
        "no database is named by --db, RENEWSCOPE_DB, DATABASE_URL or the configuration; reading the default file, {}",
        config.database.value
    ));
}

/// Creates the default file, readable by its owner only, with its schema.
pub async fn create_default_file(config: &Config) -> Result<(), SourceError> {
    let address = &config.database.value;
    let failed = |e: std::io::Error| SourceError::Unreachable {
        address: address.to_string(),
        why: Why::new(format!("cannot create its directory: {e}")).step("set HOME, or name a database with --db"),
    };
    let (Some(path), Some(directory)) = (address.path(), address.path().and_then(|p| p.parent())) else {
        return Ok(());
    };
    if path.exists() {
        return Ok(());
    }
    files::make_directory(directory).map_err(failed)?;
    schema::migrate_private(address).await.map(|_| ())
}

/// Refuses a path that SQLite would wait for or read without end.
pub fn check_file(address: &Address) -> Result<(), SourceError> {
    let Some(Err(why)) = address.path().filter(|path| path.exists() && !path.is_dir()).map(files::is_regular) else {
        return Ok(());
    };
    let why = Why::new(why.to_string()).step("give the path of a database file");
    Err(SourceError::Unreachable { address: address.to_string(), why })
}

/// As [`connect`], but the first query makes the connection.
pub async fn open(config: &Config, options: ConnectOptions) -> Result<Store, SourceError> {
    Store::open(&config.database.value, &with(config, options)).await
}

/// The options with what the settings add.
fn with(config: &Config, options: ConnectOptions) -> ConnectOptions {
    let profiles = std::sync::Arc::clone(&config.sources.profiles);
    ConnectOptions {
        create: config.embedded && options.create,
        profiles,
        statement_timeout: config.limits.statement.value,
        ..options
    }
}

/// Queries that the user can interrupt.
#[derive(Clone)]
pub struct Session {
    store: Store,
    interrupt: Interrupt,
    hides_rows: bool,
}

impl Session {
    /// Opens the database to read.
    pub async fn open(config: &Config, interrupt: &Interrupt) -> Result<Self, Failure> {
        let store = tokio::select! {
            biased;
            () = interrupt.requested() => return Err(Failure::Interrupted),
            store = connect(config, ConnectOptions::default()) => store?,
        };
        let hidden = store.hidden_rows().await?;
        if let Some(note) = &hidden {
            tell(note);
        }
        Ok(Self { store, interrupt: interrupt.clone(), hides_rows: hidden.is_some() })
    }

    /// Says on stderr how many rows of the table no number counts, because they have no usable id or time.
    pub async fn tell_unreadable(&self) {
        if let Ok(rows) = self.store.unreadable_rows().await {
            report_unreadable(rows);
        }
    }

    /// Whether row security may hide rows, so that every number is a lower bound.
    pub fn hides_rows(&self) -> bool {
        self.hides_rows
    }

    /// The database itself, for a separate task.
    pub fn source(&self) -> Store {
        self.store.clone()
    }

    /// One page of at most `limit` rows; `whole`: with whole error texts.
    pub async fn page(&self, criteria: Criteria, anchor: Anchor, limit: u32, whole: bool) -> Result<Page, SourceError> {
        let query =
            if whole { Query::WholePage { criteria, anchor, limit } } else { Query::Page { criteria, anchor, limit } };
        match self.run(query).await? {
            Answer::Page(page) => Ok(page),
            other => Err(unexpected(&other)),
        }
    }

    /// Runs one query; an interrupt stops it in the database.
    pub async fn run(&self, query: Query) -> Result<Answer, SourceError> {
        self.store.answer(&query, self.interrupt.requested()).await
    }
}

/// The error for an answer of another kind than its query: a bug of this program.
pub fn unexpected(_answer: &Answer) -> SourceError {
    SourceError::other_kind()
}

/// A walk from the newest matching row to the oldest, in pages that stay small even if the texts are large.
pub struct Walk {
    session: Session,
    criteria: Criteria,
    /// With whole error texts.
    whole: bool,
    /// `None`: the end is reached.
    anchor: Option<Anchor>,
    /// Rows until the limit.
    left: u64,
    /// Rows of the next page, so many that their texts stay below [`PAGE_BYTES`].
    rows: u32,
    /// Rows so far that cannot be shown.
    unreadable: u64,
}

impl Walk {
    /// `whole`: with whole error texts. At most `limit` rows.
    pub fn new(session: &Session, criteria: Criteria, whole: bool, limit: Option<u64>) -> Self {
        let rows = if whole { WHOLE_ROWS.0 } else { PAGE_ROWS };
        Self {
            session: session.clone(),
            criteria,
            whole,
            anchor: Some(Anchor::Newest),
            left: limit.unwrap_or(u64::MAX),
            rows,
            unreadable: 0,
        }
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Vec<Arc<RenewalEvent>>, SourceError> {
        let Some(anchor) = self.anchor.take().filter(|_| self.left > 0) else { return Ok(Vec::new()) };
        let limit = self.rows.min(u32::try_from(self.left).unwrap_or(u32::MAX));
        let page = self.session.page(self.criteria.clone(), anchor, limit, self.whole).await?;
        self.left = self.left.saturating_sub(page.rows.len() as u64);
        if page.more_older {
            self.anchor = page.rows.last().map(|row| Anchor::Older(row.cursor()));
        }
        self.unreadable += page.unreadable;
        if self.anchor.is_none() || self.left == 0 {
            report_unreadable(self.unreadable);
        }
        let bytes: u64 = page.rows.iter().filter_map(|r| r.error.as_ref()).map(|e| e.text.raw().len() as u64).sum();
        self.rows = match bytes {
            b if b > PAGE_BYTES => (self.rows / 4).max(1),
            b if b < PAGE_BYTES / 8 => (self.rows * 2).min(if self.whole { WHOLE_ROWS.1 } else { PAGE_ROWS }),
            _ => self.rows,
        };
        Ok(page.rows)
    }

    /// The same walk in a separate task, one page ahead of the caller: the database reads a page while the previous one
    /// is written. At most three pages are in memory.
    pub fn ahead(mut self) -> Ahead {
        let (sender, pages) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                let page = self.next().await;
                let last = page.as_ref().map_or(true, Vec::is_empty);
                if sender.send(page).await.is_err() || last {
                    return;
                }
            }
        });
        Ahead { pages, task: task.abort_handle() }
    }
}

/// Says on stderr that rows cannot be shown, if there are such.
pub fn report_unreadable(rows: u64) {
    let (are, they, them) = if rows == 1 { ("row", "it has", "it") } else { ("rows", "they have", "them") };
    if rows > 0 {
        let rows = format::count(rows);
        tell(&format!("{rows} {are} cannot be shown: {they} no usable id or time; 'renewscope doctor' lists {them}"));
    }
}

/// Pages of a [`Walk`]. A drop before the end stops the query in flight.
pub struct Ahead {
    pages: mpsc::Receiver<Result<Vec<Arc<RenewalEvent>>, SourceError>>,
    task: AbortHandle,
}

impl Ahead {
    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Vec<Arc<RenewalEvent>>, SourceError> {
        let fault = || SourceError::Failed("reading ended too early; this is a bug in renewscope".to_owned());
        self.pages.recv().await.ok_or_else(fault)?
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
