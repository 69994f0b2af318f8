//! Error messages as the mask reads them: at most as many characters as a signature takes, with what a fold needs beside.
//!
//! Called by the queries that count by signatures, or under a filter on them. No database masks a message: the statement
//! returns it, and the program does. The message of a row must be the same text in every statement.

use crate::domain::signature::INPUT_CHARACTERS;
use crate::protocol::query::{Field, HistogramQuery};
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::aggregate::valued;
use crate::store::queries::sql::histogram::{bucket, kind};
use crate::store::queries::sql::keys::{Bound, Common, Order, Read, branches_within};
use crate::store::queries::sql::page::bounded_as;
use crate::store::source::Source;
use crate::store::source::columns::{IdType, TextColumn};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// What a statement returns of each row besides its time, its id and its message.
#[derive(Clone, Copy)]
pub enum Also<'a> {
    Nothing,
    /// The event's id.
    Id,
    /// The value of a field; nothing where the source has no such field.
    Value(Field),
    /// The number of the bucket, and the type.
    Bucket(&'a HistogramQuery),
}

/// Which rows one statement reads.
#[derive(Clone)]
pub struct Messages<'a> {
    pub bound: Bound,
    pub order: Order,
    /// The greatest number of rows.
    pub limit: u64,
    pub also: Also<'a>,
}

/// The message of the row `e`, cut behind the last character that the mask reads; on SQLite possibly later. `None` where
/// the source records no errors.
pub fn message(source: &Source) -> Option<String> {
    let text = source.map.error.as_ref().map(TextColumn::expr)?;
    let head = match source.dialect {
        Dialect::Postgres => format!("left({text}, {INPUT_CHARACTERS})"),
        Dialect::Sqlite => sqlite_head(&text),
    };
    Some(bounded_as(&text, &head))
}

/// The first bytes of a text, at least [`INPUT_CHARACTERS`] characters: `substr` counts the characters of a text up to its
/// first NUL only. A value that is no text is small, or described by its size. The bytes of an empty text have no
/// `substr`.
fn sqlite_head(text: &str) -> String {
    let bytes = 4 * INPUT_CHARACTERS;
    let head = format!("CAST(substr(CAST({text} AS BLOB), 1, {bytes}) AS TEXT)");
    format!("CASE typeof({text}) WHEN 'text' THEN coalesce({head}, '') ELSE {text} END")
}

/// The statement for the messages of a selection in an order: time, id, message, and the cells of `read.also`. `None` where
/// the source records no errors.
pub fn messages(selection: Selection<'_>, read: &Messages<'_>) -> Option<(Sql, Vec<CellType>)> {
    let Selection { source, resolved } = selection;
    let (at, id, message) = (&source.map.created_at, source.map.order(), message(source)?);
    let mut sql = Sql::new(source.dialect);
    let also: Vec<(String, CellType)> = match read.also {
        Also::Nothing => Vec::new(),
        Also::Id => vec![(source.id_expr(&source.map.id), CellType::Id(source.map.id.ty))],
        Also::Value(field) => valued(source, field).into_iter().collect(),
        Also::Bucket(query) => {
            vec![(bucket(&mut sql, source, query), CellType::Int), (kind(source), CellType::Text)]
        }
    };
    let mut columns = format!("e.{} AS c, e.{} AS i, {message} AS m", at.name, id.name);
    let tie = match (source.dialect, id.ty) {
        (Dialect::Postgres, IdType::Int) => "x.i::int8",
        (Dialect::Postgres, IdType::Text) => "x.i::text",
        _ => "x.i",
    };
    let mut list = format!("x.c, {tie}, x.m");
    let mut shape = vec![CellType::Time(at.ty), CellType::Id(id.ty), CellType::Text];
    for (n, (value, ty)) in also.into_iter().enumerate() {
        columns.push_str(&format!(", {value} AS v{n}"));
        list.push_str(&format!(", x.v{n}"));
        shape.push(ty);
    }
    let branches = branches_within(source, resolved, read.limit);
    let common = Common::new(&mut sql, selection, &read.bound);
    sql.push(&format!("SELECT {list} FROM "));
    let (branches, order, limit) = (&branches[..], read.order, read.limit);
    common.limited(&mut sql, source, &Read { branches, columns: &columns, order, limit, skip: 0, any_tie: false });
    let word = if order == Order::NewestFirst { "DESC" } else { "ASC" };
    sql.push(&format!(" x ORDER BY x.c {word}, x.i {word}"));
    Some((sql, shape))
}
