//! The search indexes, which find a text without reading every row.
//!
//! Called by the command `db`, and made on request only, because they cost space, and time with every event stored. On
//! SQLite the index is a full-text table, which triggers on the events update; it is made only in files that renewscope
//! made. On PostgreSQL it is an index of the extension `pg_trgm`.

use crate::protocol::SourceError;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::migrator::execute;
use crate::store::schema::index;
use crate::store::schema::index::{IndexReport, IndexState};
use crate::store::source::Source;
use crate::store::source::columns::{ColumnMap, Schema, TextColumn};
use crate::store::source::search_index::{ANCHOR, SearchIndex, TABLE, TRIGGERS, indexes};
use crate::store::sql::Dialect;
use crate::store::sql::Sql;
use crate::store::sql::cell::CellType;

struct Wanted {
    name: &'static str,
    columns: &'static [&'static str],
    purpose: &'static str,
}

const POSTGRES: [Wanted; 2] = [
    Wanted { name: "renewscope_error_trgm", columns: &["error_message"], purpose: "searches for a text in the errors" },
    Wanted {
        name: "renewscope_reason_trgm",
        columns: &["reason"],
        purpose: "searches for free text, which includes the reason",
    },
];

const SQLITE: [Wanted; 1] = [Wanted {
    name: TABLE,
    columns: &["error_message", "reason"],
    purpose: "searches for a text in errors and reasons",
}];

impl Wanted {
    fn of(dialect: Dialect) -> &'static [Self] {
        if dialect == Dialect::Postgres { &POSTGRES } else { &SQLITE }
    }
    fn find<'a>(&self, indexes: &'a [SearchIndex]) -> Option<&'a SearchIndex> {
        indexes.iter().find(|i| i.valid && self.columns.iter().all(|c| i.covers(c)))
    }
    /// The columns in the table; `None` if it lacks one, or one is no text.
    fn mapped<'a>(&self, map: &'a ColumnMap) -> Option<Vec<&'a TextColumn>> {
        let all = [&map.error, &map.reason];
        let column = |name: &&str| all.iter().find_map(|c| c.as_ref().filter(|c| c.name.name() == *name && !c.cast));
        self.columns.iter().map(column).collect()
    }
    fn report(&self, there: Option<&SearchIndex>, state: IndexState, note: Option<String>) -> IndexReport {
        IndexReport {
            name: there.map_or_else(|| self.name.to_owned(), |i| i.name.clone()),
            columns: self.columns.join(", "),
            purpose: self.purpose,
            state,
            bytes: there.and_then(|i| i.bytes),
            on_request: true,
            note,
        }
    }
}

/// The state of the search indexes.
pub(crate) async fn reports(conn: &mut Conn, source: &Source) -> Result<Vec<IndexReport>, SourceError> {
    let there = measured(conn, source).await?;
    let fitting = Wanted::of(source.dialect).iter().filter(|w| w.mapped(&source.map).is_some());
    let report = |w: &Wanted| match w.find(&there) {
        Some(index) => w.report(Some(index), IndexState::Exists, None),
        None => w.report(None, IndexState::Missing, hindrance(source)),
    };
    Ok(fitting.map(report).collect())
}

/// Creates the missing ones and reports all of them. One that cannot be created is reported as missing, with what to do.
pub(crate) async fn make_all(
    conn: &mut Conn,
    source: &Source,
    address: &Address,
) -> Result<Vec<IndexReport>, SourceError> {
    let before = indexes(conn, source.schema_name()).await?;
    let hindered = match hindrance(source) {
        None if source.dialect == Dialect::Postgres => match index::hindrance(conn, source).await? {
            None => unfit(conn, source, address).await?,
            hindered => hindered,
        },
        hindered => hindered,
    };
    let mut states = Vec::new();
    for wanted in Wanted::of(source.dialect) {
        if wanted.mapped(&source.map).is_none() {
            continue;
        }
        // An interrupted attempt leaves an invalid index behind.
        let leftover = before.iter().any(|i| i.name == wanted.name);
        let state = match (&hindered, wanted.find(&before)) {
            (_, Some(_)) if source.dialect == Dialect::Postgres => IndexState::Exists,
            (Some(_), _) => IndexState::Missing,
            (None, _) if source.dialect == Dialect::Postgres => {
                make_postgres(conn, wanted, &source.map, leftover).await?
            }
            (None, there) => make_sqlite(conn, there.is_some(), !before.is_empty()).await?,
        };
        states.push((wanted, state));
    }
    let after = measured(conn, source).await?;
    let report = |(w, state): (&Wanted, IndexState)| {
        let note = hindered.clone().filter(|_| state == IndexState::Missing);
        w.report(w.find(&after), state, note)
    };
    Ok(states.into_iter().map(report).collect())
}

/// Why no role can create one on this table; `None` if one can.
fn hindrance(source: &Source) -> Option<String> {
    let foreign = source.dialect == Dialect::Sqlite && !source.is_own();
    foreign.then(|| {
        "on SQLite the search index requires triggers on the event table, which renewscope did not make".into()
    })
}

/// The indexes with their sizes.
async fn measured(conn: &mut Conn, source: &Source) -> Result<Vec<SearchIndex>, SourceError> {
    let mut found = indexes(conn, source.schema_name()).await?;
    if conn.dialect() == Dialect::Sqlite {
        for index in found.iter_mut().filter(|i| i.valid) {
            let sql = Sql::plain(Dialect::Sqlite, &format!("SELECT sum(length(block)) FROM {TABLE}_data"));
            let bytes = conn.rows(&sql, &[CellType::Int]).await?.into_iter().next().and_then(|mut r| r.int(0));
            index.bytes = bytes.and_then(|n| u64::try_from(n).ok());
        }
    }
    Ok(found)
}

/// Installs `pg_trgm` if it is missing. Returns why it cannot be used here; `None` if it can.
async fn unfit(conn: &mut Conn, source: &Source, address: &Address) -> Result<Option<String>, SourceError> {
    // The index folds case by the database's rules. If these fold I to a dotless i, it misses rows that the exact test
    // finds.
    let folds = Sql::plain(Dialect::Postgres, "SELECT (lower('TITLE') = 'title')::int::int8");
    if conn.rows(&folds, &[CellType::Int]).await?.into_iter().next().and_then(|mut r| r.int(0)) != Some(1) {
        return Ok(Some("the database folds I to another letter than i, so an index would miss rows".into()));
    }
    if operators(conn).await?.is_some() {
        return Ok(None);
    }
    // Without a schema it would go into the first one of the session's search path, which is the system's.
    let schema = source.schema.as_ref().map(|schema| format!(" SCHEMA {schema}")).unwrap_or_default();
    match execute(conn, &format!("CREATE EXTENSION IF NOT EXISTS pg_trgm{schema}")).await {
        Ok(()) => Ok(None),
        Err(e @ (SourceError::Unreachable { .. } | SourceError::Cancelled)) => Err(e),
        Err(e) => Ok(Some(format!(
            "this role cannot install the required extension pg_trgm: {e}; have an administrator of {address} run 'CREATE \
             EXTENSION pg_trgm', then retry"
        ))),
    }
}

/// The schema that holds the operators of `pg_trgm`.
async fn operators(conn: &mut Conn) -> Result<Option<Schema>, SourceError> {
    let text = "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace \
         WHERE e.extname = 'pg_trgm'";
    let rows = conn.rows(&Sql::plain(Dialect::Postgres, text), &[CellType::Text]).await?;
    Ok(rows.into_iter().next().and_then(|mut r| r.string(0)).map(|name| Schema::new(&name)))
}

async fn make_postgres(
    conn: &mut Conn,
    wanted: &Wanted,
    map: &ColumnMap,
    leftover: bool,
) -> Result<IndexState, SourceError> {
    let columns = wanted.mapped(map).unwrap_or_default();
    let (Some(operators), Some(column)) = (operators(conn).await?, columns.first()) else {
        return Ok(IndexState::Missing);
    };
    let schema = map.schema();
    let (name, table, column) = (wanted.name, map.table(), &column.name);
    if leftover {
        execute(conn, &format!("DROP INDEX CONCURRENTLY IF EXISTS {schema}\"{name}\"")).await?;
    }
    // The expression must be the one in the queries; PostgreSQL uses the index for no other.
    let text = format!(
        "CREATE INDEX CONCURRENTLY \"{name}\" ON {table} \
         USING gin (({column} COLLATE \"C\") {operators}.gin_trgm_ops) WHERE {column} IS NOT NULL"
    );
    execute(conn, &text).await?;
    Ok(if leftover { IndexState::Rebuilt } else { IndexState::Created })
}

/// Creates the index, unless a valid one agrees with the events: a file that was copied row by row has other row
/// numbers.
async fn make_sqlite(conn: &mut Conn, whole: bool, any: bool) -> Result<IndexState, SourceError> {
    let check = format!("INSERT INTO {TABLE} ({TABLE}, rank) VALUES ('integrity-check', 1)");
    if whole && execute(conn, &check).await.is_ok() {
        return Ok(IndexState::Exists);
    }
    // One transaction, so that a reader sees no index or all of it, and an interrupted attempt is rolled back.
    execute(conn, &format!("BEGIN IMMEDIATE; {} {} COMMIT", removal(), definition())).await?;
    Ok(if any { IndexState::Rebuilt } else { IndexState::Created })
}

fn removal() -> String {
    let triggers = TRIGGERS.iter().map(|t| format!("DROP TRIGGER IF EXISTS {TABLE}_{t};"));
    triggers.chain([TABLE, ANCHOR].map(|table| format!("DROP TABLE IF EXISTS {table};"))).collect()
}

/// The table stores neither the texts, which the event table has, nor positions: the rows of each trigram are enough,
/// because the query tests every candidate.
fn definition() -> String {
    let add = format!(
        "INSERT INTO {TABLE} (rowid, error_message, reason) VALUES (new.rowid, new.error_message, new.reason);"
    );
    let remove = format!(
        "INSERT INTO {TABLE} ({TABLE}, rowid, error_message, reason) \
         VALUES ('delete', old.rowid, old.error_message, old.reason);"
    );
    let events = crate::store::schema::EVENTS;
    format!(
        "CREATE VIRTUAL TABLE {TABLE} USING fts5(error_message, reason, content = '{events}', content_rowid = 'rowid', \
         tokenize = 'trigram', detail = none, columnsize = 0);
         CREATE TRIGGER {TABLE}_insert AFTER INSERT ON {events}
         WHEN new.error_message IS NOT NULL OR new.reason IS NOT NULL BEGIN {add} END;
         CREATE TRIGGER {TABLE}_delete AFTER DELETE ON {events}
         WHEN old.error_message IS NOT NULL OR old.reason IS NOT NULL BEGIN {remove} END;
         CREATE TRIGGER {TABLE}_update AFTER UPDATE ON {events} BEGIN {remove} {add}
         UPDATE {ANCHOR} SET event = new.rowid, id = new.id WHERE event = old.rowid AND id = old.id; END;
         CREATE TABLE {ANCHOR} (event INTEGER NOT NULL, id BLOB NOT NULL) STRICT;
         INSERT INTO {ANCHOR} SELECT rowid, id FROM {events} ORDER BY rowid DESC LIMIT 1;
         CREATE TRIGGER {TABLE}_anchor_insert AFTER INSERT ON {events} BEGIN
         UPDATE {ANCHOR} SET event = new.rowid, id = new.id WHERE new.rowid > event
         AND EXISTS (SELECT 1 FROM {events} e WHERE e.rowid = {ANCHOR}.event AND e.id = {ANCHOR}.id);
         INSERT INTO {ANCHOR} SELECT new.rowid, new.id WHERE NOT EXISTS (SELECT 1 FROM {ANCHOR})
         AND NOT EXISTS (SELECT 1 FROM {events} WHERE rowid <> new.rowid); END;
         CREATE TRIGGER {TABLE}_anchor_delete AFTER DELETE ON {events}
         WHEN EXISTS (SELECT 1 FROM {ANCHOR} WHERE event = old.rowid AND id = old.id) BEGIN
         DELETE FROM {ANCHOR};
         INSERT INTO {ANCHOR} SELECT rowid, id FROM {events} ORDER BY rowid DESC LIMIT 1; END;
         INSERT INTO {TABLE} ({TABLE}) VALUES ('rebuild');
         INSERT INTO {TABLE} ({TABLE}) VALUES ('optimize');"
    )
}
