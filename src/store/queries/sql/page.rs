//! A page of events: the statement, and how its rows become events.
//!
//! Called by every query that returns whole events. [`select`] and [`decode`] must agree on the order of the columns.

use std::sync::Arc;

use crate::domain::event::{ErrorText, Id, Kind, RenewalEvent};
use crate::domain::instant::Instant;
use crate::domain::page::Cursor;
use crate::domain::signature::{INPUT_CHARACTERS, Signature};
use crate::domain::source::Beyond;
use crate::domain::text::Text;
use crate::domain::zone::Zone;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Bound, Common, Order, Read, branches_within};
use crate::store::queries::sql::reason;
use crate::store::queries::sql::signature::message;
use crate::store::source::columns::{IdType, Party, SqlIdent, TextColumn, TimeColumn, TimeType};
use crate::store::source::derived::outcome_of;
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Bind, Dialect, Sql};

/// A select list with the type of each of its columns.
pub(crate) struct Select {
    pub list: Vec<String>,
    pub shape: Vec<CellType>,
}

/// The columns of an event without names and lengths, which follow them.
const BARE: usize = 9;
/// The longest text that is read, in bytes: one row must not take the memory of the machine.
pub const MAX_TEXT: u64 = 16 << 20;
/// Up to this number of branches, whole rows are merged instead of keys.
const WHOLE_BRANCHES: usize = 4;

/// How much of each error message to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errors {
    /// The first [`ErrorText::HEAD`] characters, and the signature of what the mask reads.
    Head,
    /// The first [`INPUT_CHARACTERS`], as much as a signature reads.
    Input,
    Whole,
}

/// Which rows of the result to read, in which order, and how much of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    pub bound: Bound,
    pub order: Order,
    /// The greatest number of rows.
    pub limit: u32,
    pub errors: Errors,
}

/// The statement for a page, which reads one row more than the window holds, and the shape of its rows. The extra row
/// tells that more rows follow.
pub fn page(selection: Selection<'_>, window: &Window) -> (Sql, Vec<CellType>) {
    let Selection { source, resolved } = selection;
    let limit = u64::from(window.limit) + 1;
    let mut sql = Sql::new(source.dialect);
    // An export reads millions of rows: whole texts need no length, and names that are looked up later no columns.
    let mut select = select(source, window.errors, false);
    let nameless = source.devices == DeviceNames::Nowhere && source.org_name.is_none();
    if source.is_own() && window.errors == Errors::Whole && nameless {
        select.list.truncate(BARE);
        select.shape.truncate(BARE);
    }
    let branches = branches_within(source, resolved, limit);
    let common = Common::new(&mut sql, selection, &window.bound);
    let map = &source.map;
    sql.push("SELECT ").push(&select.list.join(", ")).push(" FROM ");
    // The rows of few branches are merged as they are: PostgreSQL takes four steps to fetch a row again by its key, and one
    // to read a row too many. SQLite reads no row of a branch before the merge takes it.
    let whole = if source.dialect == Dialect::Sqlite { usize::MAX } else { WHOLE_BRANCHES };
    let keys = format!("e.{} AS c, e.{} AS i", map.created_at.name, map.order().name);
    if branches.len() <= whole {
        // The limit is applied before names are joined, so that the joins cannot change the plan of the page.
        let columns = if branches.len() > 1 { format!("{}, {keys}", columns(source)) } else { columns(source) };
        let read = Read { branches: &branches, columns: &columns, order: window.order, limit, skip: 0, any_tie: false };
        common.limited(&mut sql, source, &read);
        sql.push(" e");
    } else {
        let read = Read { branches: &branches, columns: &keys, order: window.order, limit, skip: 0, any_tie: false };
        sql.push("(SELECT e.* FROM ");
        common.limited(&mut sql, source, &read);
        // The lateral select fetches row by row through the primary key; a join might read the whole table. OFFSET 0 keeps
        // the joins of names outside, where they run once and not for each row.
        let (columns, from, id) = (columns(source), map.from(&mut sql), &map.order().name);
        let row = format!("SELECT {columns} FROM {from} e WHERE e.{id} = k.i LIMIT 1");
        sql.push(&format!(" k CROSS JOIN LATERAL ({row}) e OFFSET 0) e"));
    }
    sql.push(&joins(source));
    let word = if window.order == Order::NewestFirst { "DESC" } else { "ASC" };
    sql.push(&format!(" ORDER BY e.{} {word}, e.{} {word}", map.created_at.name, map.order().name));
    (sql, select.shape)
}

/// The statement for one event with its whole error, by id and, where given, organization.
pub fn event(source: &Source, org: Option<&Id>, id: &Id) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let select = select(source, Errors::Whole, true);
    let map = &source.map;
    let from = map.from(&mut sql);
    sql.push(&format!("SELECT {} FROM {from} e{}", select.list.join(", "), joins(source)));
    sql.push(&format!(" WHERE e.{} = ", map.id.name)).bind(Bind::id(id));
    match (org, &map.org) {
        (Some(org), Some(column)) => {
            sql.push(&format!(" AND e.{} = ", column.name)).bind(Bind::id(org));
        }
        (Some(_), None) => {
            sql.push(" AND FALSE");
        }
        (None, _) => {}
    }
    (sql, select.shape)
}

/// The select list of an event over the row `e` and the joined names; with `more`, the profile's further columns too.
pub(crate) fn select(source: &Source, errors: Errors, more: bool) -> Select {
    let map = &source.map;
    let mut select = Select { list: Vec::new(), shape: Vec::new() };
    let mut add = |text: Option<String>, ty: CellType| {
        select.list.push(text.unwrap_or_else(|| null_of(source.dialect, ty).to_owned()));
        select.shape.push(ty);
    };
    add(Some(source.id_expr(&map.id)), CellType::Id(map.id.ty));
    add(Some(source.id_expr(&map.device)), CellType::Id(map.device.ty));
    let org_type = map.org.as_ref().map_or(IdType::Uuid, |c| c.ty);
    add(map.org.as_ref().map(|c| source.id_expr(c)), CellType::Id(org_type));
    add(Some(map.kind.expr()), CellType::Text);
    add(reason::shown(source), CellType::Text);
    for expiry in [&map.old_expiry, &map.new_expiry] {
        let ty = expiry.as_ref().map_or(map.created_at.ty, |c| c.ty);
        add(expiry.as_ref().map(|c| format!("e.{}", c.name)), CellType::Time(ty));
    }
    let error = map.error.as_ref().map(TextColumn::expr);
    let text = match errors {
        Errors::Whole => error.as_ref().map(|e| bounded(e)),
        Errors::Head | Errors::Input => message(source),
    };
    add(text, CellType::Text);
    let length = match source.dialect {
        Dialect::Postgres => error.map(|e| format!("octet_length({e})::int8")),
        Dialect::Sqlite => error.map(|e| format!("octet_length({e})")),
    };
    add(Some(format!("e.{}", map.created_at.name)), CellType::Time(map.created_at.ty));
    let label = |party| source.label_of(party).map(|c| format!("e.{c}"));
    let joined = (source.devices == DeviceNames::Joined).then(|| "d.name".to_owned());
    add(joined.or_else(|| label(Party::Device)), CellType::Text);
    add(source.org_name.clone().or_else(|| label(Party::Org)), CellType::Text);
    add(length, CellType::Int);
    if source.is_own() {
        return select;
    }
    // `beyond` reads them in this order.
    let column = |c: &SqlIdent| format!("e.{c}");
    add(map.outcome.as_ref().map(column), CellType::Text);
    add(map.severity.as_ref().map(TextColumn::expr), CellType::Text);
    let inferred = map.reason.as_ref().filter(|_| source.carries_reason);
    let is_null = |c: &TextColumn| format!("CASE WHEN e.{} IS NULL THEN 1 ELSE 0 END", c.name);
    let cast = if source.dialect == Dialect::Postgres { "::int8" } else { "" };
    add(inferred.map(|c| format!("({}){cast}", is_null(c))), CellType::Int);
    add(map.tie.as_ref().map(|c| column(&c.name)), CellType::Id(map.order().ty));
    if more {
        map.extra.iter().for_each(|(_, name)| add(Some(column(name)), CellType::Text));
    }
    select
}

/// A text, unless it is longer than [`MAX_TEXT`]: then its size in words. The size is known without reading the text.
fn bounded(text: &str) -> String {
    bounded_as(text, text)
}

/// As [`bounded`], for a part of the text.
pub(crate) fn bounded_as(text: &str, part: &str) -> String {
    format!(
        "CASE WHEN octet_length({text}) > {MAX_TEXT} THEN '⟨text of ' || octet_length({text}) || ' bytes⟩' ELSE {part} END"
    )
}

/// What a page or a slice carries of a message of which the mask's part was read. The signature is that of this part.
fn cut(errors: Errors, text: Text) -> ErrorText {
    let beginning = |characters| {
        let (end, _) = text.raw().char_indices().nth(characters)?;
        text.raw().get(..end).map(Text::from)
    };
    let of_head = |head| ErrorText { cut_sig: Some(Signature::of(text.raw()).id), ..ErrorText::whole(head) };
    let part = match errors {
        Errors::Head => beginning(ErrorText::HEAD).map(of_head),
        Errors::Input => beginning(INPUT_CHARACTERS).map(ErrorText::whole),
        Errors::Whole => None,
    };
    part.unwrap_or_else(|| ErrorText::whole(text))
}

/// A NULL of the type that the driver expects: an untyped one is a text to PostgreSQL.
fn null_of(dialect: Dialect, ty: CellType) -> &'static str {
    match (dialect, ty) {
        (Dialect::Sqlite, _) => "NULL",
        (Dialect::Postgres, CellType::Text | CellType::Id(IdType::Text)) => "NULL::text",
        (Dialect::Postgres, CellType::Id(IdType::Uuid)) => "NULL::uuid",
        (Dialect::Postgres, CellType::Time(TimeType::Timestamp)) => "NULL::timestamp",
        (Dialect::Postgres, CellType::Time(TimeType::TimestampTz)) => "NULL::timestamptz",
        (Dialect::Postgres, _) => "NULL::int8",
    }
}

/// The table's own columns, by name, for the inner select of a page.
pub(crate) fn columns(source: &Source) -> String {
    let map = &source.map;
    let mut names = vec![&map.id.name, &map.device.name, &map.kind.name, &map.created_at.name];
    names.extend(map.org.as_ref().map(|c| &c.name));
    names.extend(map.reason.as_ref().map(|c| &c.name));
    names.extend([&map.old_expiry, &map.new_expiry].into_iter().flatten().map(|c| &c.name));
    names.extend(map.severity.as_ref().map(|c| &c.name));
    names.extend(map.outcome.as_ref());
    names.extend(map.tie.as_ref().map(|c| &c.name));
    names.extend([Party::Device, Party::Org].into_iter().filter_map(|party| source.label_of(party)));
    let mut names: Vec<_> = names.into_iter().map(|n| format!("e.{n}")).collect();
    // SQLite copies each value that an inner select gives, however little of it the outer one reads.
    names.extend(map.error.as_ref().map(|c| match source.dialect {
        Dialect::Postgres => format!("e.{}", c.name),
        Dialect::Sqlite => format!("{} AS {}", bounded(&format!("e.{}", c.name)), c.name),
    }));
    names.join(", ")
}

/// The joins that give a page its names.
pub(crate) fn joins(source: &Source) -> String {
    let mut text = String::new();
    if source.devices == DeviceNames::Joined {
        text.push_str(&format!(" LEFT JOIN {} d ON d.id = e.{}", source.beside("devices"), source.map.device.name));
    }
    if let (Some(_), Some(org)) = (&source.org_name, &source.map.org) {
        text.push_str(&format!(" LEFT JOIN {} o ON o.id = e.{}", source.beside("organizations"), org.name));
    }
    text
}

/// A row of [`page`], or with `more` of [`event`], as an event. Cells behind the select list are left to the caller.
/// `None` for a row without an id or a time: no page can begin there. Any other value of an unexpected type is shown as
/// what it is.
pub fn decode(source: &Source, errors: Errors, more: bool, row: &mut Row) -> Option<RenewalEvent> {
    let map = &source.map;
    let odd = odd_expiries(row);
    let error = row.text(7).map(|text| cut(errors, text));
    let bytes = row.int(11).and_then(|n| u64::try_from(n).ok());
    let id = row.id(0)?;
    let stored = row.time(8)?;
    let kind = Kind::new(row.text(3).unwrap_or_else(|| "".into()));
    let expiry = |column: &Option<TimeColumn>, at: Option<Instant>| {
        column.as_ref().zip(at).map(|(column, stored)| column.instant(stored))
    };
    let mut event = RenewalEvent {
        device_id: row.shown_id(1).unwrap_or(Id::Text("".into())),
        org_id: row.shown_id(2),
        kind,
        reason: row.text(4),
        old_expiry: expiry(&map.old_expiry, row.time(5)),
        new_expiry: expiry(&map.new_expiry, row.time(6)),
        error: error.map(|error| ErrorText { bytes: bytes.unwrap_or(error.bytes), ..error }),
        created_at: map.created_at.instant(stored),
        device: row.text(9),
        org: row.text(10),
        id,
        beyond: None,
    };
    if !source.is_own() {
        let tie = row.id(15);
        let stored_apart = tie.is_some() || map.created_at.zone != Zone::Utc;
        let place = stored_apart.then(|| Cursor { at: stored, id: tie.unwrap_or_else(|| event.id.clone()) });
        let mut beyond = Beyond { place, ..beyond(source, more, row) };
        if let Some(columns) = &mut beyond.more {
            columns.splice(0..0, odd);
        }
        let reason_inferred = beyond.reason_inferred && event.reason.is_some();
        event.beyond = Some(Arc::new(Beyond { reason_inferred, ..beyond }));
    }
    Some(event)
}

/// The expiries of a row that are no times, as what they are, for the detail of one event.
fn odd_expiries(row: &Row) -> Vec<(Arc<str>, Text)> {
    let columns = [("old expiry as stored", 5), ("new expiry as stored", 6)];
    columns.into_iter().filter_map(|(label, at)| Some((Arc::from(label), row.odd(at)?))).collect()
}

/// The columns that follow those of every source, without the place of the row.
fn beyond(source: &Source, more: bool, row: &mut Row) -> Beyond {
    let outcome = row.string(12).and_then(|word| outcome_of(&word));
    let severity = row.text(13);
    let reason_inferred = row.int(14) == Some(1);
    let mut columns = source.map.extra.iter().zip(16..);
    let more =
        more.then(|| columns.by_ref().filter_map(|((label, _), at)| Some((label.clone(), row.text(at)?))).collect());
    Beyond { traits: Arc::clone(&source.traits), outcome, severity, reason_inferred, more, place: None }
}
