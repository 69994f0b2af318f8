//! The trigram indexes of the event table: what they cover, and whether they are usable.
//!
//! Called while a source is described, and by `schema::search`, which creates them. It only reads.

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::source::catalog::EVENTS;
use crate::store::source::columns::{ColumnMap, TextColumn};
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Bind, Dialect, Sql};

/// SQLite: the full-text table beside the event table. Its rowids are the event rows' rowids.
pub const TABLE: &str = "certificate_renewal_events_search";

/// SQLite: the triggers that keep it in step with the events, each named `TABLE` plus an ending.
pub const TRIGGERS: [&str; 5] = ["insert", "delete", "update", "anchor_insert", "anchor_delete"];

/// SQLite: the table that holds the number and the id of the last event, by number, that the index has seen.
///
/// A dump and restore numbers the rows anew, and VACUUM may: each keeps its place in the order and moves down over the
/// gaps before it. So if any row gets another number, the last one does, and is not where the anchor says. Later events
/// move the anchor only while it is right, so that the difference stays visible.
pub const ANCHOR: &str = "certificate_renewal_events_search_anchor";

/// SQLite: 1 where the numbers in the index are those of the events.
pub fn belongs() -> String {
    format!(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM {EVENTS}) THEN EXISTS (SELECT 1 FROM {ANCHOR} a JOIN {EVENTS} last \
         ON last.rowid = a.event AND last.id = a.id WHERE a.event = (SELECT max(rowid) FROM {EVENTS})) \
         ELSE NOT EXISTS (SELECT 1 FROM {ANCHOR}) END"
    )
}

/// Which texts a trigram index covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SearchIndexes {
    pub error: bool,
    pub reason: bool,
    /// SQLite: an index exists that does not belong to these rows, and is not used.
    pub stale: bool,
}

impl SearchIndexes {
    /// What these indexes cover of the mapped columns.
    pub fn of(map: &ColumnMap, indexes: &[SearchIndex]) -> Self {
        let covered = |column: &Option<TextColumn>| {
            let serves = |c: &TextColumn| indexes.iter().any(|i| i.valid && !c.cast && i.covers(c.name.name()));
            column.as_ref().is_some_and(serves)
        };
        let stale = indexes.iter().any(|i| i.name == TABLE && !i.valid);
        Self { error: covered(&map.error), reason: covered(&map.reason), stale }
    }
}

/// A trigram index, from the catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchIndex {
    pub name: String,
    /// Comma-separated.
    pub columns: String,
    /// Complete and usable.
    pub valid: bool,
    /// Its size on disk, if the database reports it cheaply.
    pub bytes: Option<u64>,
}

impl SearchIndex {
    /// Whether the index covers a column.
    pub fn covers(&self, column: &str) -> bool {
        self.columns.split(',').any(|c| c == column)
    }
}

/// Only indexes that compare as the composers write it: collation "C", and all rows that have a text.
const PG_INDEXES: &str = "SELECT i.relname::text, a.attname::text, x.indisvalid::int::int8, pg_relation_size(i.oid) \
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam AND m.amname = 'gin' \
     JOIN pg_opclass o ON o.oid = x.indclass[0] AND o.opcname = 'gin_trgm_ops' \
     JOIN pg_collation c ON c.oid = x.indcollation[0] AND c.collname = 'C' \
     JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] \
     WHERE x.indrelid = (SELECT e.oid FROM pg_class e JOIN pg_namespace n ON n.oid = e.relnamespace \
     WHERE e.relname = 'certificate_renewal_events' AND n.nspname = $1::text::name) AND (x.indpred IS NULL \
     OR pg_get_expr(x.indpred, x.indrelid) = format('(%I IS NOT NULL)', a.attname)) ORDER BY i.relname";

/// The trigram indexes of the event table, which on PostgreSQL needs its schema.
pub async fn indexes(conn: &mut Conn, schema: Option<&str>) -> Result<Vec<SearchIndex>, SourceError> {
    let dialect = conn.dialect();
    let text = match dialect {
        Dialect::Postgres => PG_INDEXES.to_owned(),
        Dialect::Sqlite => {
            let triggers: Vec<_> = TRIGGERS.iter().map(|t| format!("'{TABLE}_{t}'")).collect();
            format!(
                "SELECT '{TABLE}', 'error_message,reason', max(name = '{TABLE}') AND count(*) = {}, NULL \
                 FROM sqlite_schema WHERE name IN ('{TABLE}', '{ANCHOR}', {}) HAVING max(name = '{TABLE}')",
                TRIGGERS.len() + 2,
                triggers.join(", ")
            )
        }
    };
    let shape = [CellType::Text, CellType::Text, CellType::Int, CellType::Int];
    let mut sql = Sql::plain(dialect, &text);
    if dialect == Dialect::Postgres {
        sql.placeholder(Bind::OptText(schema.map(str::to_owned)));
    }
    let rows = conn.rows(&sql, &shape).await?;
    let index = |mut row: Row| SearchIndex {
        name: row.string(0).unwrap_or_default(),
        columns: row.string(1).unwrap_or_default(),
        valid: row.int(2) == Some(1),
        bytes: row.int(3).and_then(|n| u64::try_from(n).ok()),
    };
    let mut indexes: Vec<_> = rows.into_iter().map(index).collect();
    if dialect == Dialect::Sqlite {
        for index in indexes.iter_mut().filter(|i| i.valid) {
            let rows = conn.rows(&Sql::plain(dialect, &belongs()), &[CellType::Int]).await?;
            index.valid = rows.into_iter().next().and_then(|mut row| row.int(0)) == Some(1);
        }
    }
    Ok(indexes)
}
