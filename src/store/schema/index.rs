//! The paging indexes: the purpose of each, whether it exists, and creating it on any event table.
//!
//! Called by the command `db`. Indexes for searches are in [`search`]. Creating an index must not block writers on
//! PostgreSQL.

use crate::protocol::SourceError;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::migrator::execute;
use crate::store::options::Access;
use crate::store::schema::partitions::{Partitions, Shape};
use crate::store::schema::{open, search};
use crate::store::source::Source;
use crate::store::source::catalog;
use crate::store::source::catalog::{EVENTS, Index};
use crate::store::source::columns::ColumnMap;
use crate::store::source::detect;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// The state of an index after the command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IndexState {
    /// It existed.
    Exists,
    /// It was created.
    Created,
    /// An invalid leftover was dropped and it was created again.
    Rebuilt,
    /// It does not exist.
    Missing,
    /// It was removed on request.
    Removed,
}

/// One index and the queries that use it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexReport {
    /// Its name, or the name that it would get.
    pub name: String,
    pub columns: String,
    /// The queries that use it.
    pub purpose: &'static str,
    pub state: IndexState,
    /// Its size on disk, if the database reports it.
    pub bytes: Option<u64>,
    /// Created by [`index_search`] only: queries work without it, more slowly.
    pub on_request: bool,
    /// Why it cannot be created here, and what to do.
    pub note: Option<String>,
}

struct Wanted {
    name: &'static str,
    lead: &'static [&'static str],
    purpose: &'static str,
}

const WANTED: [Wanted; 5] = [
    Wanted { name: "renewscope_page", lead: &[], purpose: "the newest events, and the pages after them" },
    Wanted { name: "renewscope_org_page", lead: &["org_id"], purpose: "the events of an organization" },
    Wanted {
        name: "renewscope_type_page",
        lead: &["event_type"],
        purpose: "the events of a type; counts by type and time",
    },
    Wanted {
        name: "renewscope_org_type_page",
        lead: &["org_id", "event_type"],
        purpose: "the events of a type in an organization: its failures",
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

/// The state of the indexes.
pub(crate) async fn reports(conn: &mut Conn) -> Result<Vec<IndexReport>, SourceError> {
    let source = detect::events(conn).await?;
    let indexes = catalog::indexes(conn, source.schema_name(), EVENTS).await?;
    let report = |w: &Wanted| match w.find(&indexes) {
        Some(index) => w.report(Some(index), IndexState::Exists),
        None => w.report(None, IndexState::Missing),
    };
    let mut reports: Vec<_> = WANTED.iter().filter(|w| w.fits(&source.map)).map(report).collect();
    reports.extend(search::reports(conn, &source).await?);
    Ok(reports)
}

/// Creates the missing paging indexes, while others read and write the table (PostgreSQL: `CONCURRENTLY`), and reports
/// all indexes. An equivalent index under another name counts as existing. The invalid leftover of a failed attempt is
/// dropped first.
pub async fn index(address: &Address) -> Result<Vec<IndexReport>, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    let source = detect::events(&mut conn).await?;
    let mut reports = make_paging(&mut conn, &source).await?;
    reports.extend(search::reports(&mut conn, &source).await?);
    Ok(reports)
}

/// Like [`index()`], and creates the search indexes too. On PostgreSQL they require the extension `pg_trgm`, which is
/// installed if the role may; otherwise the report says who must do what. On SQLite, where this blocks writers, an
/// existing one is compared with the events and created again if they disagree.
pub async fn index_search(address: &Address) -> Result<Vec<IndexReport>, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    let source = detect::events(&mut conn).await?;
    let mut reports = make_paging(&mut conn, &source).await?;
    reports.extend(search::make_all(&mut conn, &source, address).await?);
    Ok(reports)
}

async fn make_paging(conn: &mut Conn, source: &Source) -> Result<Vec<IndexReport>, SourceError> {
    let partitions = Partitions::of(conn, source).await?;
    let hindrance = if partitions.is_some() { None } else { hindrance(conn, source).await? };
    let before = catalog::indexes(conn, source.schema_name(), EVENTS).await?;
    let mut states = Vec::new();
    for wanted in WANTED.iter().filter(|w| w.fits(&source.map)) {
        let state = if wanted.find(&before).is_some() {
            IndexState::Exists
        } else if hindrance.is_some() {
            IndexState::Missing
        } else if let Some(partitions) = &partitions {
            let (columns, fits) =
                (wanted.columns(), |index: &Index| wanted.find(std::slice::from_ref(index)).is_some());
            partitions.make(conn, Shape { name: wanted.name, columns: &columns, fits: &fits }).await?;
            IndexState::Created
        } else {
            make(conn, wanted, &source.map, &before).await?
        };
        states.push((wanted, state));
    }
    let after = catalog::indexes(conn, source.schema_name(), EVENTS).await?;
    let report = |(w, state): (&Wanted, IndexState)| {
        let note = hindrance.clone().filter(|_| state == IndexState::Missing);
        IndexReport { note, ..w.report(w.find(&after), state) }
    };
    Ok(states.into_iter().map(report).collect())
}

/// The kind of the event table, and whether another session holds the lock that `CREATE INDEX CONCURRENTLY` and `VACUUM`
/// hold from their beginning to their end.
const TABLE_STATE: &str = "SELECT c.relkind::text, (EXISTS (SELECT 1 FROM pg_locks l \
    WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.mode = 'ShareUpdateExclusiveLock' \
    AND l.pid <> pg_backend_pid() \
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())))::int::int8 \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relname = $1::text::name AND n.nspname = $2::text::name";

/// Why no index can be created on this table now, and what to do.
pub(crate) async fn hindrance(conn: &mut Conn, source: &Source) -> Result<Option<String>, SourceError> {
    if source.dialect == Dialect::Sqlite {
        return Ok(None);
    }
    let mut sql = Sql::plain(Dialect::Postgres, TABLE_STATE);
    sql.placeholder(Bind::Text(EVENTS.to_owned()));
    sql.placeholder(Bind::OptText(source.schema_name().map(str::to_owned)));
    let row = conn.rows(&sql, &[CellType::Text, CellType::Int]).await?.into_iter().next();
    let (kind, locked) = row.map(|mut row| (row.string(0).unwrap_or_default(), row.int(1))).unwrap_or_default();
    Ok(match (kind.as_str(), locked) {
        ("p", _) => Some(
            "the table is partitioned, and PostgreSQL creates no index on it without blocking writers; run CREATE INDEX \
             CONCURRENTLY with these columns on each partition, CREATE INDEX ON ONLY the table, and ALTER INDEX ATTACH \
             PARTITION for each"
                .to_owned(),
        ),
        ("f" | "v" | "m", _) => Some("the events are no table of this database; create the index where they are".to_owned()),
        (_, Some(1)) => Some(
            "another session creates an index on the table, or vacuums it; run this again when it has ended".to_owned(),
        ),
        _ => None,
    })
}

async fn make(conn: &mut Conn, wanted: &Wanted, map: &ColumnMap, before: &[Index]) -> Result<IndexState, SourceError> {
    let leftover = before.iter().any(|i| i.name == wanted.name);
    let concurrently = if conn.dialect() == Dialect::Postgres { " CONCURRENTLY" } else { "" };
    // An index is in the schema of its table.
    let schema = map.schema();
    if leftover {
        execute(conn, &format!("DROP INDEX{concurrently} IF EXISTS {schema}\"{}\"", wanted.name)).await?;
    }
    let (name, table, columns) = (wanted.name, map.table(), wanted.columns());
    execute(conn, &format!("CREATE INDEX{concurrently} IF NOT EXISTS \"{name}\" ON {table} ({columns})")).await?;
    Ok(if leftover { IndexState::Rebuilt } else { IndexState::Created })
}
