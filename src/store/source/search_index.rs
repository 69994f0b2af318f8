//! The trigram indexes of the event table: what they cover, and whether they are usable.
//!
//! Called while a source is described, and by `schema::search`, which creates them. It only reads.

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::source::columns::{ColumnMap, TextColumn};
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Bind, Dialect, Sql};

/// SQLite: the full-text table beside the event table. Its rowids are the event rows' rowids.
pub const TABLE: &str = "certificate_renewal_events_search";

/// SQLite: the triggers that keep it in step with the events, each named `TABLE` plus an ending.
pub const TRIGGERS: [&str; 3] = ["insert", "delete", "update"];

/// Which texts a trigram index covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SearchIndexes {
    pub error: bool,
    pub reason: bool,
}

impl SearchIndexes {
    /// What these indexes cover of the mapped columns.
    pub fn of(map: &ColumnMap, indexes: &[SearchIndex]) -> Self {
        let covered = |column: &Option<TextColumn>| {
            let serves = |c: &TextColumn| indexes.iter().any(|i| i.valid && !c.cast && i.covers(c.name.name()));
            column.as_ref().is_some_and(serves)
        };
        Self { error: covered(&map.error), reason: covered(&map.reason) }
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
                 FROM sqlite_schema WHERE name IN ('{TABLE}', {}) HAVING count(*) > 0",
                TRIGGERS.len() + 1,
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
    Ok(rows.into_iter().map(index).collect())
}
