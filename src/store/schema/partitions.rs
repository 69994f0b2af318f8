//! Indexes of a table that is partitioned on PostgreSQL, created without blocking writers.
//!
//! PostgreSQL creates no index on a partitioned table concurrently. So the table gets one that is empty and not yet valid,
//! each partition gets a separate one, and these are attached; with the last one the index of the table is valid. Called by
//! [`index`](mod@super::index). A run that was interrupted is continued by the next one: nothing that exists is created again.

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::migrator::execute;
use crate::store::source::Source;
use crate::store::source::catalog::{self, EVENTS, Index};
use crate::store::source::columns::SqlIdent;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// The tables of a tree of partitions, each after the one it belongs to.
const TREE: &str = "WITH RECURSIVE tree(oid, parent, depth) AS (\
    SELECT c.oid, NULL::oid, 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relname = $1::text::name AND n.nspname = $2::text::name AND c.relkind = 'p' \
    UNION ALL SELECT i.inhrelid, t.oid, t.depth + 1 FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid) \
    SELECT n.nspname::text, c.relname::text, c.relkind::text, t.oid::int8, t.parent::int8 FROM tree t \
    JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY t.depth, t.oid";

/// One table of the tree.
struct Part {
    schema: String,
    name: String,
    /// Whether it holds rows itself; else it has partitions.
    is_leaf: bool,
    oid: i64,
    /// `None`: the event table.
    parent: Option<i64>,
}

/// A partitioned event table, with its partitions.
pub(super) struct Partitions(Vec<Part>);

/// An index that every partition needs.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    pub name: &'a str,
    /// As in the statement.
    pub columns: &'a str,
    /// Whether an index is one of this shape.
    pub fits: &'a dyn Fn(&Index) -> bool,
}

impl Partitions {
    /// The partitions of the event table; `None` if it is not partitioned, or if a partition is a foreign table, which can
    /// have no index.
    pub async fn of(conn: &mut Conn, source: &Source) -> Result<Option<Self>, SourceError> {
        if source.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let mut sql = Sql::plain(Dialect::Postgres, TREE);
        sql.placeholder(Bind::Text(EVENTS.to_owned()));
        sql.placeholder(Bind::OptText(source.schema_name().map(str::to_owned)));
        use CellType::{Int, Text};
        let mut parts = Vec::new();
        for mut row in conn.rows(&sql, &[Text, Text, Text, Int, Int]).await? {
            let kind = row.string(2).unwrap_or_default();
            if kind == "f" {
                return Ok(None);
            }
            parts.push(Part {
                schema: row.string(0).unwrap_or_default(),
                name: row.string(1).unwrap_or_default(),
                is_leaf: kind != "p",
                oid: row.int(3).unwrap_or_default(),
                parent: row.int(4),
            });
        }
        Ok((!parts.is_empty()).then_some(Self(parts)))
    }

    /// Creates the index on every table that lacks it, and attaches what it created or found.
    pub async fn make(&self, conn: &mut Conn, shape: Shape<'_>) -> Result<(), SourceError> {
        // The index of each table, with its schema.
        let mut made: Vec<(i64, String)> = Vec::new();
        for part in &self.0 {
            let index = part.index(conn, shape).await?;
            made.push((part.oid, format!("{}.{index}", SqlIdent::new(&part.schema)?)));
        }
        let index_of = |oid: i64| made.iter().find(|(of, _)| *of == oid).map(|(_, index)| index);
        // Those at the ends first: an index is valid once all below it are attached.
        for part in self.0.iter().rev() {
            if let (Some(above), Some(own)) = (part.parent.and_then(index_of), index_of(part.oid)) {
                execute(conn, &format!("ALTER INDEX {above} ATTACH PARTITION {own}")).await?;
            }
        }
        Ok(())
    }
}

impl Part {
    /// The name of its index, which is created if there is none. The invalid leftover of a failed attempt is dropped first.
    async fn index(&self, conn: &mut Conn, shape: Shape<'_>) -> Result<SqlIdent, SourceError> {
        let Shape { name, columns, fits } = shape;
        let before = catalog::indexes(conn, Some(&self.schema), &self.name).await?;
        if let Some(found) = before.iter().find(|index| fits(index)).filter(|_| self.parent.is_some()) {
            return Ok(SqlIdent::new(&found.name)?);
        }
        let name = if self.parent.is_some() { format!("{name}_{}", self.oid) } else { name.to_owned() };
        let index = SqlIdent::new(&name)?;
        let (schema, table) = (SqlIdent::new(&self.schema)?, SqlIdent::new(&self.name)?);
        if !self.is_leaf {
            execute(conn, &format!("CREATE INDEX IF NOT EXISTS {index} ON ONLY {schema}.{table} ({columns})")).await?;
            return Ok(index);
        }
        if before.iter().any(|leftover| leftover.name == name) {
            execute(conn, &format!("DROP INDEX CONCURRENTLY IF EXISTS {schema}.{index}")).await?;
        }
        execute(conn, &format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {schema}.{table} ({columns})"))
            .await?;
        Ok(index)
    }
}
