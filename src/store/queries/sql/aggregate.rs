//! Counting: totals with a ceiling, the values of a field, and the ends of the table in time.
//!
//! Called by the counting queries. Every statement here returns few rows, however many it reads.

use crate::domain::page::Cursor;
use crate::domain::source::Part;
use crate::protocol::query::Field;
use crate::store::queries::resolved::{Resolved, Set};
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Bound, Branch, Common, Listed, Order, Read, branches, branches_within};
use crate::store::queries::sql::reason;
use crate::store::queries::sql::usable;
use crate::store::source::Source;
use crate::store::source::columns::{IdColumn, IdType};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// A skip scan stops beyond this many values: listing a larger set costs more than it saves.
pub const MAX_VALUES: usize = 300;

/// The number of matching rows, counting at most `limit`. One integer.
pub fn count(selection: Selection<'_>, limit: Option<u64>) -> (Sql, Vec<CellType>) {
    let Some(limit) = limit else { return count_from(selection, &Bound::Nowhere) };
    let source = selection.source;
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, selection, &Bound::Nowhere);
    sql.push("SELECT count(*) FROM (SELECT 1 FROM ").push(&common.relation);
    common.write(&mut sql, source, &Branch::default());
    sql.push(" LIMIT ").bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX))).push(") x");
    (sql, vec![CellType::Int])
}

/// The number of matching rows from `bound` on. One integer.
pub fn count_from(selection: Selection<'_>, bound: &Bound) -> (Sql, Vec<CellType>) {
    let source = selection.source;
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, selection, bound);
    sql.push("SELECT count(*) FROM ").push(&common.relation);
    common.write(&mut sql, source, &Branch::default());
    (sql, vec![CellType::Int])
}

/// A column that a skip scan can list.
#[derive(Clone, Copy)]
pub enum Values<'a> {
    Kinds,
    Orgs(&'a IdColumn),
}

/// The distinct values of an indexed column in their order, one index descent each, at most [`MAX_VALUES`] and one more,
/// which tells the caller that there are more.
pub fn distinct(source: &Source, values: Values<'_>) -> (Sql, Vec<CellType>) {
    let (column, shape) = match values {
        Values::Kinds => (source.map.kind.expr(), CellType::Id(IdType::Text)),
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

/// The expression that a field's values are grouped by, and its type; `None` where the source has no such field.
pub fn valued(source: &Source, field: Field) -> Option<(String, CellType)> {
    let map = &source.map;
    Some(match field {
        Field::Kind => (map.kind.expr(), CellType::Text),
        Field::Reason => (reason::shown(source)?, CellType::Text),
        // No database masks a message.
        Field::Error => return None,
        Field::Org => (source.id_expr(map.org.as_ref()?), CellType::Id(map.org.as_ref()?.ty)),
        Field::Device if source.traits.lacks(Part::Device) => return None,
        Field::Device => (source.id_expr(&map.device), CellType::Id(map.device.ty)),
    })
}

/// Value and rows of a field among all matching rows newer than `cutoff`, most frequent first, at most `limit` values.
pub fn facet_of_all(
    selection: Selection<'_>,
    field: Field,
    cutoff: Option<Cursor>,
    limit: u64,
) -> Option<(Sql, Vec<CellType>)> {
    let Selection { source, resolved } = selection;
    let (mut column, shape) = valued(source, field)?;
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, selection, &cutoff.map_or(Bound::Nowhere, Bound::NewerThan));
    if source.dialect == Dialect::Sqlite {
        // A unary plus keeps SQLite from reading the rows in the order of the column's own index, which is all of them.
        column.insert(0, '+');
    }
    sql.push(&format!("SELECT {column} AS v, count(*) AS n FROM {}", common.relation));
    let branch = branches(source, resolved).into_iter().next().unwrap_or_default();
    common.write(&mut sql, source, &branch);
    sql.push(&format!(" GROUP BY {column} ORDER BY n DESC, v LIMIT "));
    sql.bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    Some((sql, vec![shape, CellType::Int]))
}

/// Value and rows of a field among the newest `ceiling` matching rows, most frequent first, at most `limit` values. The
/// third number is the sum over all values.
pub fn facet(selection: Selection<'_>, field: Field, ceiling: u64, limit: u64) -> Option<(Sql, Vec<CellType>)> {
    let Selection { source, resolved } = selection;
    let map = &source.map;
    let (column, shape) = valued(source, field)?;
    let mut sql = Sql::new(source.dialect);
    let branches = branches_within(source, resolved, ceiling);
    let common = Common::new(&mut sql, selection, &Bound::Nowhere);
    sql.push("SELECT g.v, g.n, g.total FROM (SELECT x.v AS v, count(*) AS n, CAST(sum(count(*)) OVER () AS BIGINT) AS total FROM ");
    let columns = match branches.len() {
        1 => format!("{column} AS v"),
        _ => format!("e.{} AS c, e.{} AS i, {column} AS v", map.created_at.name, map.order().name),
    };
    let (branches, order) = (&branches[..], Order::NewestFirst);
    let read = Read { branches, columns: &columns, order, limit: ceiling, skip: 0, any_tie: false };
    common.limited(&mut sql, source, &read);
    sql.push(" x GROUP BY x.v) g ORDER BY g.n DESC, g.v LIMIT ");
    sql.bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    Some((sql, vec![shape, CellType::Int, CellType::Int]))
}

/// Time and id of the first row beyond the newest `ceiling`; no row where no more match.
pub fn beyond(selection: Selection<'_>, ceiling: u64) -> (Sql, Vec<CellType>) {
    let Selection { source, resolved } = selection;
    let (at, id) = (&source.map.created_at, source.map.order());
    let mut sql = Sql::new(source.dialect);
    let branches = branches_within(source, resolved, ceiling);
    let common = Common::new(&mut sql, selection, &Bound::Nowhere);
    let columns = format!("e.{} AS c, {} AS i", at.name, source.id_expr(id));
    sql.push("SELECT x.c, x.i FROM ");
    let (branches, order) = (&branches[..], Order::NewestFirst);
    let read = Read { branches, columns: &columns, order, limit: 1, skip: ceiling, any_tie: false };
    common.limited(&mut sql, source, &read);
    sql.push(" x");
    (sql, vec![CellType::Time(at.ty), CellType::Id(id.ty)])
}

/// Value and rows of a type or an organization among the rows newer than `cutoff`, one row for each branch.
pub fn counted(
    selection: Selection<'_>,
    branches: &[Branch],
    by: Values<'_>,
    cutoff: Option<Cursor>,
) -> (Sql, Vec<CellType>) {
    let source = selection.source;
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, selection, &cutoff.map_or(Bound::Nowhere, Bound::NewerThan));
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

/// Whether an index of types alone answers a histogram once each type is its own branch. Where the rows themselves must
/// be read, each type would read them again.
pub fn is_in_index(source: &Source, resolved: &Resolved) -> bool {
    source.indexes.kind && resolved.rest.is_empty() && resolved.devices == Set::All
}

/// How far the next `rows` rows reach in an order, conditions on unindexed fields ignored: the time of the last of them,
/// and how many there are.
pub fn reach(selection: Selection<'_>, bound: &Bound, order: Order, rows: u64) -> (Sql, Vec<CellType>) {
    let Selection { source, resolved } = selection;
    let mut sql = Sql::new(source.dialect);
    let mut plain = Resolved { rest: Vec::new(), narrowed: false, ..resolved.clone() };
    if !source.map.is_table() {
        (plain.kinds, plain.orgs, plain.devices) = (Set::All, Set::All, Set::All);
    }
    let branches = branches_within(source, &plain, rows);
    let common = Common::new(&mut sql, Selection::new(source, &plain), bound);
    let last = if order == Order::NewestFirst { "min" } else { "max" };
    sql.push(&format!("SELECT {last}(x.c), count(*) FROM "));
    let columns = format!("e.{} AS c", source.map.created_at.name);
    let read = Read { branches: &branches, columns: &columns, order, limit: rows, skip: 0, any_tie: true };
    common.limited(&mut sql, source, &read);
    sql.push(" x");
    (sql, vec![CellType::Time(source.map.created_at.ty), CellType::Int])
}

/// Oldest and newest `created_at`, as the column stores them.
pub fn ends(source: &Source) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let (at, from) = (&source.map.created_at, source.map.from(&mut sql));
    let only = if source.is_own() { String::new() } else { format!(" WHERE {}", usable::time_test(source, at)) };
    let end = |word: &str| format!("(SELECT e.{n} FROM {from} e{only} ORDER BY e.{n} {word} LIMIT 1)", n = at.name);
    let text = format!("SELECT {}, {}", end("ASC"), end("DESC"));
    sql.push(&text);
    (sql, vec![CellType::Time(at.ty); 2])
}

/// Whether the server refuses writes of this session: 1 or 0. PostgreSQL only.
pub fn read_only() -> (Sql, Vec<CellType>) {
    let text = "SELECT (current_setting('transaction_read_only') = 'on')::int::int8";
    (Sql::plain(Dialect::Postgres, text), vec![CellType::Int])
}

/// The word that makes a statement return its plan instead of its rows.
pub const fn explain(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "EXPLAIN ",
        Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
    }
}

/// As [`explain`], with the rows and buffers that the statement read; SQLite does not report those.
pub const fn measure(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) ",
        Dialect::Sqlite => explain(dialect),
    }
}
