//! What the catalog says about tables: their columns, and the indexes of one.
//!
//! A table is described by what it is, not by what some version of a product creates. Called by `detect`, `schema`
//! and `doctor`. Nothing here changes a database or knows profiles.

use std::collections::BTreeMap;

use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Bind, Dialect, Sql};

/// The event table of renewscope and of Flight Control.
pub const EVENTS: &str = "certificate_renewal_events";
/// The tables of renewscope's own schema, with its migrations table.
pub const CORE: [&str; 4] = [EVENTS, "devices", "organizations", "_sqlx_migrations"];

/// One column, from the catalog.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    pub name: String,
    /// The type's name: `uuid`, `text`, `timestamp`, …; for SQLite as declared, in lower case.
    pub ty: String,
    pub required: bool,
    /// Whether this role may read it.
    pub readable: bool,
}

/// A table or view with its columns.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    pub schema: Option<String>,
    pub columns: Vec<Column>,
    pub readable: bool,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
    pub fn has(&self, name: &str) -> bool {
        self.readable && self.column(name).is_some()
    }
}

/// One index. `columns` are comma-separated, each with ` desc` if descending.
#[derive(Clone, PartialEq, Debug)]
pub struct Index {
    pub name: String,
    pub columns: String,
    pub valid: bool,
    pub bytes: Option<u64>,
}

impl Index {
    /// Whether it orders rows by `lead`, then by time and id, all in the same direction.
    pub fn pages(&self, lead: &[&str], at: &str, id: &str) -> bool {
        let columns: Vec<_> = self.columns.split(',').collect();
        let (head, order) = columns.split_at(lead.len().min(columns.len()));
        let bare = |c: &str| c.strip_suffix(" desc").unwrap_or(c).to_owned();
        let [first, second, ..] = order else { return false };
        self.valid
            && head.iter().map(|c| bare(c)).eq(lead.iter().map(|l| (*l).to_owned()))
            && bare(first) == at
            && bare(second) == id
            && head.iter().chain([second]).all(|c| c.ends_with(" desc") == first.ends_with(" desc"))
    }
    /// Whether the index is usable and its first column is this one.
    pub fn leads_with(&self, column: &str) -> bool {
        let first = self.columns.split(',').next().unwrap_or_default();
        self.valid && first.strip_suffix(" desc").unwrap_or(first) == column
    }
}

// A domain has the type that it is based on: the server sends its values as such.
/// Columns of tables and views by name, in each schema of `$1`, in the order of the search path.
const PG_TABLES: &str = "SELECT c.relname::text, n.nspname::text, a.attname::text, coalesce(b.typname, t.typname)::text, \
     a.attnotnull::int::int8, has_table_privilege(c.oid, 'SELECT')::int::int8, \
     has_column_privilege(c.oid, a.attnum, 'SELECT')::int::int8 \
     FROM unnest($1::text[]::name[]) WITH ORDINALITY s(name, place) JOIN pg_namespace n ON n.nspname = s.name \
     JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ANY ($2::text[]::name[]) \
     AND c.relkind IN ('r', 'v', 'm', 'p', 'f') \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype ORDER BY c.relname, s.place, a.attnum";

// Generated columns are hidden from `table_info`; hidden columns of virtual tables stay hidden.
/// The same for a file, which has no schemas and no permissions.
const SQLITE_TABLES: &str = "SELECT m.name, NULL, c.name, lower(c.type), c.\"notnull\", 1, 1 \
     FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c \
     WHERE m.type IN ('table', 'view') AND c.hidden <> 1 AND m.name IN (";

/// B-tree indexes of the table `$1` in the schema `$2` that cover all rows.
const PG_INDEXES: &str = "SELECT i.relname::text, array_to_string(ARRAY(\
     SELECT coalesce(a.attname::text, '?') || CASE WHEN (x.indoption[k.n - 1] & 1) = 1 THEN ' desc' ELSE '' END \
     FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(att, n) \
     LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.att ORDER BY k.n), ','), \
     x.indisvalid::int::int8, pg_relation_size(i.oid) \
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam \
     WHERE x.indrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relname = $1::text::name AND n.nspname = $2::text::name) \
     AND x.indpred IS NULL AND m.amname = 'btree' \
     ORDER BY i.relname";

/// The same for a table of a file.
const SQLITE_INDEXES: &str = "SELECT l.name, (SELECT group_concat(c, ',') FROM (\
     SELECT coalesce(x.name, '?') || CASE x.\"desc\" WHEN 1 THEN ' desc' ELSE '' END AS c \
     FROM pragma_index_xinfo(l.name) x WHERE x.key = 1 ORDER BY x.seqno)), 1, NULL \
     FROM pragma_index_list(?1) l WHERE l.partial = 0 ORDER BY l.name";

/// The tables of some names, in every schema of the role's search path, in its order.
#[derive(Clone, Debug, Default)]
pub struct Candidates(BTreeMap<String, Vec<Table>>);

impl Candidates {
    /// Whether any schema of the search path has a table of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
    /// The tables that belong together with an event table. The search path finds that one. The others are taken from its
    /// schema: a table of the same name in an earlier schema, which anybody may have created, must not name its devices.
    /// Another profile's tables may lie in different schemas of the path; those that are found with [`EVENTS`] may not.
    pub fn around(&self, main: &str) -> BTreeMap<String, Table> {
        let schema = self.0.get(main).and_then(|all| all.first()).map(|main| &main.schema);
        let choose = |(name, all): (&String, &Vec<Table>)| {
            let beside = all.iter().find(|table| schema.is_some_and(|s| table.schema == *s));
            let elsewhere =
                all.first().filter(|_| schema.is_none() || main != EVENTS || !CORE.contains(&name.as_str()));
            beside.or(elsewhere).map(|table| (name.clone(), table.clone()))
        };
        self.0.iter().filter_map(choose).collect()
    }
}

/// The named tables that belong together with the event table `main`; see [`Candidates::around`].
pub async fn tables(conn: &mut Conn, names: &[&str], main: &str) -> Result<BTreeMap<String, Table>, SourceError> {
    Ok(candidates(conn, names).await?.around(main))
}

/// The named tables that exist in the schemas of the role's search path, or in the SQLite file.
pub async fn candidates(conn: &mut Conn, names: &[&str]) -> Result<Candidates, SourceError> {
    use CellType::{Int, Text};
    let mut sql = Sql::new(conn.dialect());
    let owned = |name: &&str| (*name).to_owned();
    match sql.dialect {
        Dialect::Postgres => {
            sql.push(PG_TABLES).placeholder(Bind::Texts(conn.schemas().iter().cloned().map(Some).collect()));
            sql.placeholder(Bind::Texts(names.iter().map(|n| Some(owned(n))).collect()));
        }
        Dialect::Sqlite => {
            let names: Vec<_> = names.iter().map(|n| sql.placeholder(Bind::Text(owned(n)))).collect();
            sql.push(SQLITE_TABLES).push(&names.join(", ")).push(") ORDER BY m.name, c.cid");
        }
    }
    let rows = conn.rows(&sql, &[Text, Text, Text, Text, Int, Int, Int]).await?;
    let mut tables: BTreeMap<String, Vec<Table>> = BTreeMap::new();
    for mut row in rows {
        let all = tables.entry(row.string(0).unwrap_or_default()).or_default();
        let schema = row.string(1);
        if all.last().is_none_or(|last| last.schema != schema) {
            all.push(Table { schema, ..Table::default() });
        }
        let Some(table) = all.last_mut() else { continue };
        table.readable = row.int(5) == Some(1);
        table.columns.push(Column {
            name: row.string(2).unwrap_or_default(),
            ty: row.string(3).unwrap_or_default(),
            required: row.int(4) == Some(1),
            readable: row.int(6) == Some(1),
        });
    }
    Ok(Candidates(tables))
}

/// The indexes of a table that cover all its rows. On PostgreSQL the table needs its schema.
pub async fn indexes(conn: &mut Conn, schema: Option<&str>, table: &str) -> Result<Vec<Index>, SourceError> {
    use CellType::{Int, Text};
    let dialect = conn.dialect();
    let mut sql = Sql::plain(dialect, if dialect == Dialect::Postgres { PG_INDEXES } else { SQLITE_INDEXES });
    sql.placeholder(Bind::Text(table.to_owned()));
    if dialect == Dialect::Postgres {
        sql.placeholder(Bind::OptText(schema.map(str::to_owned)));
    }
    let rows = conn.rows(&sql, &[Text, Text, Int, Int]).await?;
    let index = |mut row: Row| Index {
        name: row.string(0).unwrap_or_default(),
        columns: row.string(1).unwrap_or_default(),
        valid: row.int(2) == Some(1),
        bytes: row.int(3).and_then(|n| u64::try_from(n).ok()),
    };
    Ok(rows.into_iter().map(index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paging_index_is_recognized_by_its_columns() {
        let index = |columns: &str| Index { name: "x".into(), columns: columns.into(), valid: true, bytes: None };
        for (columns, lead, expected) in [
            ("created_at desc,id desc", &[][..], true),
            ("created_at,id", &[], true),
            ("created_at desc,id", &[], false),
            ("created_at", &[], false),
            ("org_id,created_at desc,id desc", &["org_id"], false),
            ("org_id desc,created_at desc,id desc", &["org_id"], true),
            ("org_id,event_type,created_at,id", &["org_id"], false),
            ("org_id,event_type,created_at,id", &["org_id", "event_type"], true),
        ] {
            assert_eq!(index(columns).pages(lead, "created_at", "id"), expected, "{columns}");
        }
    }
}
