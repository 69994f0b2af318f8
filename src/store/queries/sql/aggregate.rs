//! Counting: totals with a ceiling, values of a field, buckets of time.

use crate::domain::event::Id;
use crate::domain::filter::criteria::Pattern;
use crate::domain::page::Cursor;
use crate::protocol::query::Field;
use crate::store::queries::resolved::{Resolved, Set};
use crate::store::queries::sql::filter::pattern;
use crate::store::queries::sql::keys::{
    Bound, Branch, Common, Listed, Order, Read, branches, branches_within, limited,
};
use crate::store::source::Source;
use crate::store::source::columns::{IdColumn, SqlIdent};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// A skip scan gives up beyond this many values: the field is no small set, and listing it costs more than it helps.
pub const MAX_VALUES: usize = 300;

/// How many rows match, counting at most `limit`. One integer.
pub fn count(source: &Source, resolved: &Resolved, limit: Option<u64>) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, source, resolved, &Bound::Nowhere);
    sql.push("SELECT count(*) FROM ");
    match limit {
        None => {
            sql.push(&common.relation);
            common.write(&mut sql, source, &Branch::default());
        }
        Some(limit) => {
            sql.push("(SELECT 1 FROM ").push(&common.relation);
            common.write(&mut sql, source, &Branch::default());
            sql.push(" LIMIT ").bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX))).push(") x");
        }
    }
    (sql, vec![CellType::Int])
}

/// A column that a skip scan can list.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    Kinds,
    Orgs(&'a IdColumn),
}

/// The distinct values of an indexed column in their order, by one index descent each, at most [`MAX_VALUES`] and one
/// more, so that the caller sees that there are more.
pub fn distinct(source: &Source, values: Values<'_>) -> (Sql, Vec<CellType>) {
    let (column, shape) = match values {
        Values::Kinds => (source.map.kind.expr(), CellType::Text),
        Values::Orgs(c) => (format!("e.{}", c.name), CellType::Id(c.ty)),
    };
    let mut sql = Sql::new(source.dialect);
    let from = source.map.from(&mut sql);
    sql.push(&format!(
        "WITH RECURSIVE t(v, n) AS (\
         SELECT (SELECT {column} FROM {from} e ORDER BY {column} LIMIT 1), 1 \
         UNION ALL \
         SELECT (SELECT {column} FROM {from} e WHERE {column} > t.v ORDER BY {column} LIMIT 1), t.n + 1 \
         FROM t WHERE t.v IS NOT NULL AND t.n <= {MAX_VALUES}) \
         SELECT t.v FROM t WHERE t.v IS NOT NULL"
    ));
    (sql, vec![shape])
}

/// What a field's values are counted by, and what it is read as; `None` where the source has no such field.
fn valued(source: &Source, field: Field) -> Option<(String, CellType)> {
    let map = &source.map;
    Some(match field {
        Field::Kind => (map.kind.expr(), CellType::Text),
        Field::Reason => (crate::store::queries::sql::reason::shown(source)?, CellType::Text),
        Field::Org => (source.id_expr(map.org.as_ref()?), CellType::Id(map.org.as_ref()?.ty)),
        Field::Device => (source.id_expr(&map.device), CellType::Id(map.device.ty)),
    })
}

/// Value and rows of a field among all matching rows from `edge` on, most frequent first, at most `limit`.
pub fn facet_of_all(
    source: &Source,
    resolved: &Resolved,
    field: Field,
    edge: Option<Cursor>,
    limit: u64,
) -> Option<(Sql, Vec<CellType>)> {
    let (mut column, shape) = valued(source, field)?;
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, source, resolved, &edge.map_or(Bound::Nowhere, Bound::NewerThan));
    if source.dialect == Dialect::Sqlite {
        // A sign before it, so that the rows are not read in the order of its own index, which is all of them.
        column.insert(0, '+');
    }
    sql.push(&format!("SELECT {column} AS v, count(*) AS n FROM {}", common.relation));
    let branch = branches(source, resolved).into_iter().next().unwrap_or_default();
    common.write(&mut sql, source, &branch);
    sql.push(&format!(" GROUP BY {column} ORDER BY n DESC, v LIMIT "));
    sql.bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    Some((sql, vec![shape, CellType::Int]))
}

/// Value and rows of a field among the newest `ceiling` matching rows, most frequent first, at most `limit`; the third
/// number is the sum over all values.
pub fn facet(
    source: &Source,
    resolved: &Resolved,
    field: Field,
    ceiling: u64,
    limit: u64,
) -> Option<(Sql, Vec<CellType>)> {
    let map = &source.map;
    let (column, shape) = valued(source, field)?;
    let mut sql = Sql::new(source.dialect);
    let branches = branches_within(source, resolved, ceiling);
    let common = Common::new(&mut sql, source, resolved, &Bound::Nowhere);
    sql.push("SELECT g.v, g.n, g.total FROM (SELECT x.v AS v, count(*) AS n, CAST(sum(count(*)) OVER () AS BIGINT) AS total FROM ");
    let columns = match branches.len() {
        1 => format!("{column} AS v"),
        _ => format!("e.{} AS c, e.{} AS i, {column} AS v", map.created_at.name, map.order().name),
    };
    let read = Read { columns: &columns, order: Order::NewestFirst, limit: ceiling, skip: 0, any_tie: false };
    limited(&mut sql, source, &branches, &common, &read);
    sql.push(" x GROUP BY x.v) g ORDER BY g.n DESC, g.v LIMIT ");
    sql.bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    Some((sql, vec![shape, CellType::Int, CellType::Int]))
}

/// The first row beyond the newest `ceiling`: time and id; no row where there are no more than that.
pub fn beyond(source: &Source, resolved: &Resolved, ceiling: u64) -> (Sql, Vec<CellType>) {
    let (at, id) = (&source.map.created_at, source.map.order());
    let mut sql = Sql::new(source.dialect);
    let branches = branches_within(source, resolved, ceiling);
    let common = Common::new(&mut sql, source, resolved, &Bound::Nowhere);
    let columns = format!("e.{} AS c, {} AS i", at.name, source.id_expr(id));
    sql.push("SELECT x.c, x.i FROM ");
    limited(
        &mut sql,
        source,
        &branches,
        &common,
        &Read { columns: &columns, order: Order::NewestFirst, limit: 1, skip: ceiling, any_tie: false },
    );
    sql.push(" x");
    (sql, vec![CellType::Time(at.ty), CellType::Id(id.ty)])
}

/// Value and rows of a type or an organisation, counted from `edge` on, one row for each branch.
pub fn counted(
    source: &Source,
    resolved: &Resolved,
    branches: &[Branch],
    by: Values<'_>,
    edge: Option<Cursor>,
) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, source, resolved, &edge.map_or(Bound::Nowhere, Bound::NewerThan));
    let from = source.map.from(&mut sql);
    let column = match by {
        Values::Kinds => source.map.kind.expr(),
        Values::Orgs(column) => format!("e.{}", column.name),
    };
    let listed = Listed::new(&mut sql, source, branches);
    let value =
        listed.as_ref().and_then(|l| l.fixed.iter().find(|(c, _)| *c == column)).map(|(_, value)| value.clone());
    if let (Some(listed), Some(value), [branch, ..]) = (listed, value, branches) {
        sql.push(&format!("SELECT {value}, (SELECT count(*) FROM {from} e"));
        common.write_listed(&mut sql, branch, &listed);
        sql.push(&format!(") FROM {}", listed.list));
    } else {
        for (n, branch) in branches.iter().enumerate() {
            let value = match by {
                Values::Kinds => branch.kind.clone().map(Bind::Text),
                Values::Orgs(_) => branch.org.as_ref().map(Bind::id),
            };
            let value = sql.placeholder(value.unwrap_or(Bind::OptText(None)));
            let union = if n == 0 { "" } else { " UNION ALL " };
            sql.push(&format!("{union}SELECT {value} AS v, count(*) AS n FROM {from} e"));
            common.write(&mut sql, source, branch);
        }
    }
    let shape = match by {
        Values::Kinds => CellType::Text,
        Values::Orgs(column) => CellType::Id(column.ty),
    };
    (sql, vec![shape, CellType::Int])
}

/// Ids and names in the directory of devices whose name contains `needle`, in the order of their names.
pub fn devices_named(source: &Source, needle: &str, limit: u64) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let test = pattern(&mut sql, "d.name", &Pattern::Contains(needle.to_owned()), true);
    sql.push(&format!("SELECT d.id, d.name FROM {} d WHERE ", source.beside("devices")))
        .push(&test)
        .push(" ORDER BY d.name, d.id LIMIT ");
    sql.bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    (sql, vec![CellType::Id(source.map.device.ty), CellType::Text])
}

/// Whether a histogram is answered by an index of types alone once each type is a branch of its own. Where the rows
/// themselves have to be read, it would read them again for each type.
pub fn is_in_index(source: &Source, resolved: &Resolved) -> bool {
    source.indexes.kind && resolved.rest.is_empty() && resolved.devices == Set::All
}

/// How far the next `rows` rows reach in an order, whatever their texts say: the time of the last of them, and how many
/// there are.
pub fn reach(source: &Source, resolved: &Resolved, bound: &Bound, order: Order, rows: u64) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let mut plain = Resolved { rest: Vec::new(), narrowed: false, ..resolved.clone() };
    if !source.map.is_table() {
        (plain.kinds, plain.orgs, plain.devices) = (Set::All, Set::All, Set::All);
    }
    let branches = branches_within(source, &plain, rows);
    let common = Common::new(&mut sql, source, &plain, bound);
    let last = if order == Order::NewestFirst { "min" } else { "max" };
    sql.push(&format!("SELECT {last}(x.c), count(*) FROM "));
    let columns = format!("e.{} AS c", source.map.created_at.name);
    limited(
        &mut sql,
        source,
        &branches,
        &common,
        &Read { columns: &columns, order, limit: rows, skip: 0, any_tie: true },
    );
    sql.push(" x");
    (sql, vec![CellType::Time(source.map.created_at.ty), CellType::Int])
}

/// Oldest and newest `created_at`.
pub fn ends(source: &Source) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let (at, from) = (&source.map.created_at, source.map.from(&mut sql));
    let end = |word: &str| format!("(SELECT e.{n} FROM {from} e ORDER BY e.{n} {word} LIMIT 1)", n = at.name);
    let text = format!("SELECT {}, {}", end("ASC"), end("DESC"));
    sql.push(&text);
    (sql, vec![CellType::Time(at.ty); 2])
}

/// Whether the server would refuse a write of this session now: 1 or 0. SQLite has no such question.
pub fn read_only() -> (Sql, Vec<CellType>) {
    let text = "SELECT (current_setting('transaction_read_only') = 'on')::int::int8";
    (Sql::plain(Dialect::Postgres, text), vec![CellType::Int])
}

/// Ids and names from a directory table, of these ids.
pub fn names_of_ids(source: &Source, table: &str, name: &str, ty: CellType, ids: &[Id]) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let test = crate::store::queries::sql::filter::one_of_ids(&mut sql, "n.id", ids);
    sql.push(&format!("SELECT n.id, {name} FROM {table} n WHERE {test}"));
    (sql, vec![ty, CellType::Text])
}

/// Ids and the names beside them, of these ids.
pub fn labels_of_ids(source: &Source, column: &IdColumn, label: &SqlIdent, ids: &[Id]) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let from = source.map.from(&mut sql);
    let id = format!("e.{}", column.name);
    let test = crate::store::queries::sql::filter::one_of_ids(&mut sql, &id, ids);
    sql.push(&format!("SELECT {id}, max(e.{label}) FROM {from} e WHERE {test} GROUP BY {id}"));
    (sql, vec![CellType::Id(column.ty), CellType::Text])
}

/// Ids in a directory table whose name fits a pattern, at most `limit`.
pub fn ids_named(
    source: &Source,
    table: &str,
    name: &str,
    ty: CellType,
    p: &Pattern,
    limit: usize,
) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let test = pattern(&mut sql, name, p, false);
    sql.push(&format!("SELECT n.id FROM {table} n WHERE {test} LIMIT {limit}"));
    (sql, vec![ty])
}

/// As [`ids_named`], of whole names.
pub fn ids_of_names(
    source: &Source,
    table: &str,
    name: &str,
    ty: CellType,
    (names, limit): (&[String], usize),
) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let test = crate::store::queries::sql::filter::one_of_texts(&mut sql, name, names);
    sql.push(&format!("SELECT n.id FROM {table} n WHERE {test} LIMIT {limit}"));
    (sql, vec![ty])
}

/// Whether a dialect's EXPLAIN text comes as plain rows; the word that asks for the plan.
pub const fn explain(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "EXPLAIN ",
        Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
    }
}

/// As [`explain`], with what the statement has really read; SQLite does not tell that.
pub const fn measure(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) ",
        Dialect::Sqlite => explain(dialect),
    }
}
