//! The reads of a tail: a slice of the table in its order, as rows or as keys alone, and rows by their ids.
//!
//! A slice is one plain ordered read. It holds the last seconds, where every filter finds its few rows sooner by reading
//! all of them than by merging branches. Called by the queries of the tail, every second: each statement must be one
//! index range.

use crate::domain::event::Id;
use crate::protocol::tail::TimeSlice;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::filter::one_of_ids;
use crate::store::queries::sql::keys::{Bound, Branch, Common, Order, Read};
use crate::store::queries::sql::page::{Errors, columns, joins, select};
use crate::store::source::columns::IdType;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// One read of a time slice.
#[derive(Clone, Copy)]
pub struct SliceRead<'a> {
    pub slice: &'a TimeSlice,
    /// The column that numbers rows, where there is one.
    pub serial: Option<&'a str>,
    /// The greatest number of rows.
    pub limit: u32,
}

/// The rows of a slice. Behind the cells of a page, each has its serial, `NULL` where there is none.
pub fn rows(selection: Selection<'_>, read: SliceRead<'_>, errors: Errors) -> (Sql, Vec<CellType>) {
    let (source, serial) = (selection.source, read.serial);
    let mut sql = Sql::new(source.dialect);
    let mut select = select(source, errors, false);
    select.shape.push(CellType::Int);
    let inner = serial.map_or_else(|| columns(source), |s| format!("{}, e.{s} AS s", columns(source)));
    let last = if serial.is_some() { "e.s" } else { null_int(source.dialect) };
    sql.push(&format!("SELECT {}, {last} FROM ", select.list.join(", ")));
    within(&mut sql, selection, read, &inner);
    sql.push(" e").push(&joins(source)).push(" ORDER BY ");
    match read.slice {
        TimeSlice::Serial { .. } => sql.push("e.s"),
        TimeSlice::Time { .. } => sql.push(&format!("e.{}, e.{}", source.map.created_at.name, source.map.id.name)),
    };
    (sql, select.shape)
}

/// The keys of a slice: place, tie and id.
pub fn keys(selection: Selection<'_>, read: SliceRead<'_>) -> (Sql, Vec<CellType>) {
    let source = selection.source;
    let mut sql = Sql::new(source.dialect);
    let map = &source.map;
    let (place, ty) = match (read.slice, read.serial) {
        (TimeSlice::Serial { .. }, Some(s)) => (s.to_owned(), CellType::Int),
        _ => (map.created_at.name.to_string(), CellType::Time(map.created_at.ty)),
    };
    let tie = map.order();
    let inner = format!("e.{place} AS c, e.{} AS i, {} AS k", tie.name, source.id_expr(&map.id));
    let tie_expr = if source.dialect == Dialect::Postgres && tie.ty == IdType::Int { "k.i::int8" } else { "k.i" };
    sql.push(&format!("SELECT k.c, {tie_expr}, k.k FROM "));
    within(&mut sql, selection, read, &inner);
    sql.push(" k ORDER BY k.c, k.i");
    (sql, vec![ty, CellType::Id(tie.ty), CellType::Id(map.id.ty)])
}

/// The rows of these ids that match, with their serials.
pub fn pick(selection: Selection<'_>, ids: &[Id], serial: Option<&str>, errors: Errors) -> (Sql, Vec<CellType>) {
    let source = selection.source;
    let mut sql = Sql::new(source.dialect);
    let mut select = select(source, errors, false);
    select.shape.push(CellType::Int);
    let last = serial.map_or_else(|| null_int(source.dialect).to_owned(), |s| format!("e.{s}"));
    let common = Common::new(&mut sql, selection, &Bound::Nowhere);
    let these = one_of_ids(&mut sql, &format!("e.{}", source.map.id.name), ids);
    sql.push(&format!("SELECT {}, {last} FROM {}{}", select.list.join(", "), common.relation, joins(source)));
    common.write_also(&mut sql, vec![these]);
    (sql, select.shape)
}

/// A missing serial. PostgreSQL needs its type.
const fn null_int(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "NULL::int8",
        Dialect::Sqlite => "NULL",
    }
}

/// The ordered, limited select of a slice, in parentheses.
fn within(sql: &mut Sql, selection: Selection<'_>, read: SliceRead<'_>, columns: &str) {
    let Selection { source, resolved } = selection;
    match (read.slice, read.serial) {
        (TimeSlice::Serial { after, until }, Some(serial)) => {
            let common = Common::new(sql, selection, &Bound::Nowhere);
            let mut tests = vec![format!("e.{serial} > {}", sql.placeholder(Bind::Int(*after)))];
            tests.extend(until.map(|until| format!("e.{serial} <= {}", sql.placeholder(Bind::Int(until)))));
            sql.push(&format!("(SELECT {columns} FROM {}", common.relation));
            common.write_also(sql, tests);
            sql.push(&format!(" ORDER BY e.{serial} LIMIT ")).bind(Bind::Int(i64::from(read.limit))).push(")");
        }
        // The tail requests a range of numbers only where the source has numbers.
        (TimeSlice::Serial { .. }, None) => {
            let from = source.map.from(sql);
            sql.push(&format!("(SELECT {columns} FROM {from} e WHERE FALSE)"));
        }
        (TimeSlice::Time { from, after, until }, _) => {
            let mut resolved = resolved.clone();
            let at = &source.map.created_at;
            let from = at.instant(*from);
            resolved.clamp(Some(from), until.map(|until| at.instant(until)));
            let bound = after.clone().map_or(Bound::AtOrAfter(from), Bound::NewerThan);
            let common = Common::new(sql, Selection::new(source, &resolved), &bound);
            let (branches, limit) = (&[Branch::default()], u64::from(read.limit));
            let page = Read { branches, columns, order: Order::OldestFirst, limit, skip: 0, any_tie: false };
            common.limited(sql, source, &page);
        }
    }
}
