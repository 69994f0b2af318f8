//! The paging indexes: what each is for, whether it is there, and making it on a table that others made. Those for
//! searches are in [`search`].

use crate::protocol::SourceError;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::error::Context;
use crate::store::options::Access;
use crate::store::schema::{NO_LIMIT, open, search};
use crate::store::source::Source;
use crate::store::source::catalog;
use crate::store::source::catalog::{EVENTS, Index};
use crate::store::source::columns::ColumnMap;
use crate::store::source::detect;
use crate::store::sql::Dialect;
use crate::store::sql::assert_safe;

/// What became of an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IndexState {
    /// It was there.
    Exists,
    /// It was made now.
    Created,
    /// A broken leftover of it was removed and it was made anew.
    Rebuilt,
    /// It is not there.
    Missing,
    /// It was taken away as asked.
    Removed,
}

/// One index that serves the questions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexReport {
    /// The name it has, or would get.
    pub name: String,
    pub columns: String,
    /// The question that it answers.
    pub purpose: &'static str,
    pub state: IndexState,
    /// Its size on disk, where the database tells.
    pub bytes: Option<u64>,
    /// Made by [`index_search`] only: without it questions are answered too, later.
    pub on_request: bool,
    /// Why it cannot be made here, and what would have to be done.
    pub note: Option<String>,
}

struct Wanted {
    name: &'static str,
    lead: &'static [&'static str],
    purpose: &'static str,
}

const WANTED: [Wanted; 5] = [
    Wanted { name: "renewscope_page", lead: &[], purpose: "the newest events, and the pages after them" },
    Wanted { name: "renewscope_org_page", lead: &["org_id"], purpose: "the events of an organisation" },
    Wanted {
        name: "renewscope_type_page",
        lead: &["event_type"],
        purpose: "the events of a type; counts by type and time",
    },
    Wanted {
        name: "renewscope_org_type_page",
        lead: &["org_id", "event_type"],
        purpose: "the events of a type in an organisation: what fails there",
    },
    Wanted { name: "renewscope_device_page", lead: &["device_id"], purpose: "the history of a device" },
];

impl Wanted {
    fn columns(&self) -> String {
        let all: Vec<_> = self.lead.iter().chain(&["created_at", "id"]).map(|c| format!("\"{c}\" DESC")).collect();
        all.join(", ")
    }
    fn report(&self, there: Option<&Index>, state: IndexState) -> IndexReport {
        IndexReport {
            name: there.map_or_else(|| self.name.to_owned(), |i| i.name.clone()),
            columns: self.lead.iter().chain(&["created_at", "id"]).copied().collect::<Vec<_>>().join(", "),
            purpose: self.purpose,
            state,
            bytes: there.and_then(|i| i.bytes),
            on_request: false,
            note: None,
        }
    }
    fn find<'a>(&self, indexes: &'a [Index]) -> Option<&'a Index> {
        indexes.iter().find(|i| i.pages(self.lead, "created_at", "id"))
    }
    /// Whether the table has the columns.
    fn fits(&self, map: &ColumnMap) -> bool {
        map.org.is_some() || !self.lead.contains(&"org_id")
    }
}

/// The indexes as they are.
pub(crate) async fn reports(conn: &mut Conn) -> Result<Vec<IndexReport>, SourceError> {
    let source = detect::events(conn).await?;
    let indexes = catalog::indexes(conn, EVENTS).await?;
    let report = |w: &Wanted| match w.find(&indexes) {
        Some(index) => w.report(Some(index), IndexState::Exists),
        None => w.report(None, IndexState::Missing),
    };
    let mut reports: Vec<_> = WANTED.iter().filter(|w| w.fits(&source.map)).map(report).collect();
    reports.extend(search::reports(conn, &source).await?);
    Ok(reports)
}

/// Makes the paging indexes that are missing, while others read and write the table (PostgreSQL: `CONCURRENTLY`), and
/// reports all indexes, those for searches as they are. An index that serves under another name is left alone. A leftover
/// of an earlier attempt that failed is removed first.
pub async fn index(address: &Address) -> Result<Vec<IndexReport>, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    let source = detect::events(&mut conn).await?;
    let mut reports = make_paging(&mut conn, &source).await?;
    reports.extend(search::reports(&mut conn, &source).await?);
    Ok(reports)
}

/// As [`index()`], and makes the indexes for searches too. On PostgreSQL they need the extension `pg_trgm`, which is
/// installed where the role may; where it may not, the report says who has to do what. On SQLite, where writers wait
/// meanwhile, one that is there is compared with the events and made anew if it is out of step.
pub async fn index_search(address: &Address) -> Result<Vec<IndexReport>, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    let source = detect::events(&mut conn).await?;
    let mut reports = make_paging(&mut conn, &source).await?;
    reports.extend(search::make_all(&mut conn, &source, address).await?);
    Ok(reports)
}

async fn make_paging(conn: &mut Conn, source: &Source) -> Result<Vec<IndexReport>, SourceError> {
    let before = catalog::indexes(conn, EVENTS).await?;
    let mut states = Vec::new();
    for wanted in WANTED.iter().filter(|w| w.fits(&source.map)) {
        let state = if wanted.find(&before).is_some() {
            IndexState::Exists
        } else {
            make(conn, wanted, &source.map, &before).await?
        };
        states.push((wanted, state));
    }
    let after = catalog::indexes(conn, EVENTS).await?;
    Ok(states.into_iter().map(|(w, state)| w.report(w.find(&after), state)).collect())
}

async fn make(conn: &mut Conn, wanted: &Wanted, map: &ColumnMap, before: &[Index]) -> Result<IndexState, SourceError> {
    let leftover = before.iter().any(|i| i.name == wanted.name);
    let concurrently = if conn.dialect() == Dialect::Postgres { " CONCURRENTLY" } else { "" };
    // An index lives in the schema of its table.
    let schema = map.schema();
    if leftover {
        execute(conn, &format!("DROP INDEX{concurrently} IF EXISTS {schema}\"{}\"", wanted.name)).await?;
    }
    let (name, table, columns) = (wanted.name, map.table(), wanted.columns());
    execute(conn, &format!("CREATE INDEX{concurrently} IF NOT EXISTS \"{name}\" ON {table} ({columns})")).await?;
    Ok(if leftover { IndexState::Rebuilt } else { IndexState::Created })
}

/// Runs a statement outside of any transaction, where `CONCURRENTLY` must be.
pub(crate) async fn execute(conn: &mut Conn, text: &str) -> Result<(), SourceError> {
    let sql = sqlx::raw_sql(assert_safe(text));
    match conn {
        Conn::Postgres(c) => sql.execute(&mut c.inner).await.map(drop).map_err(|e| c.context(false).error(e)),
        Conn::Sqlite(c) => {
            let ran = sql.execute(&mut c.inner).await.map(drop);
            ran.map_err(|e| Context { address: "the SQLite file", timeout: NO_LIMIT, overdue: false }.error(e))
        }
    }
}
