//! A page of events: the statement, and its rows as events.

use super::cell::{CellType, Row};
use super::keys::{Bound, Common, Order, Read, branches_within, limited};
use super::{Bind, Dialect, Sql};
use crate::domain::event::{ErrorText, Id, Kind, RenewalEvent};
use crate::protocol::SourceError;
use crate::store::catalog::{DeviceNames, Source};
use crate::store::columns::TextColumn;
use crate::store::resolve::Resolved;

/// A select list with the type of each of its columns.
pub(super) struct Select {
    pub list: Vec<String>,
    pub shape: Vec<CellType>,
}

/// How much of an error message to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errors {
    Head,
    Whole,
}

/// Which rows of the result, in which order.
pub struct Window {
    pub bound: Bound,
    pub order: Order,
    pub limit: u64,
    pub errors: Errors,
}

/// The statement for a page and the shape of its rows.
pub fn page(source: &Source, resolved: &Resolved, window: &Window) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let select = select(source, window.errors);
    let branches = branches_within(source, resolved, window.limit);
    let common = Common::new(&mut sql, source, resolved, &window.bound);
    let map = &source.map;
    sql.push("SELECT ").push(&select.list.join(", ")).push(" FROM ");
    if branches.len() == 1 {
        // The limit is applied before names are joined, so that the joins cannot change the plan of the page.
        let columns = columns(source);
        let read = Read { columns: &columns, order: window.order, limit: window.limit, skip: 0 };
        limited(&mut sql, source, &branches, &common, &read);
        sql.push(" e");
    } else {
        let columns = format!("e.{} AS c, e.{} AS i", map.created_at.name, map.id.name);
        let read = Read { columns: &columns, order: window.order, limit: window.limit, skip: 0 };
        limited(&mut sql, source, &branches, &common, &read);
        let (from, id) = (map.from(), &map.id.name);
        let rows = match source.dialect {
            // Row by row through the primary key: a join would be free to read the whole table instead.
            Dialect::Postgres => {
                format!(
                    " k CROSS JOIN LATERAL (SELECT {} FROM {from} e WHERE e.{id} = k.i LIMIT 1) e",
                    self::columns(source)
                )
            }
            Dialect::Sqlite => format!(" k CROSS JOIN {from} e ON e.{id} = k.i"),
        };
        sql.push(&rows);
    }
    sql.push(&joins(source));
    let word = if window.order == Order::NewestFirst { "DESC" } else { "ASC" };
    sql.push(&format!(" ORDER BY e.{} {word}, e.{} {word}", map.created_at.name, map.id.name));
    (sql, select.shape)
}

/// The statement for one event with its whole error, by id and, where given, organisation.
pub fn event(source: &Source, org: Option<&Id>, id: &Id) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let select = select(source, Errors::Whole);
    let map = &source.map;
    sql.push(&format!("SELECT {} FROM {} e{}", select.list.join(", "), map.from(), joins(source)));
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

pub(super) fn select(source: &Source, errors: Errors) -> Select {
    let map = &source.map;
    let mut select = Select { list: Vec::new(), shape: Vec::new() };
    let mut add = |text: Option<String>, ty: CellType| {
        select.list.push(text.unwrap_or_else(|| null_of(source.dialect, ty).to_owned()));
        select.shape.push(ty);
    };
    add(Some(source.id_expr(&map.id)), CellType::Id(map.id.ty));
    add(Some(source.id_expr(&map.device)), CellType::Id(map.device.ty));
    let org_type = map.org.as_ref().map_or(crate::store::columns::IdType::Uuid, |c| c.ty);
    add(map.org.as_ref().map(|c| source.id_expr(c)), CellType::Id(org_type));
    add(Some(map.kind.expr()), CellType::Text);
    add(map.reason.as_ref().map(TextColumn::expr), CellType::Text);
    for expiry in [&map.old_expiry, &map.new_expiry] {
        let ty = expiry.as_ref().map_or(map.created_at.ty, |c| c.ty);
        add(expiry.as_ref().map(|c| format!("e.{}", c.name)), CellType::Time(ty));
    }
    let error = map.error.as_ref().map(TextColumn::expr);
    let text = match (errors, source.dialect) {
        (Errors::Whole, _) => error.clone(),
        (Errors::Head, Dialect::Postgres) => error.as_ref().map(|e| format!("left({e}, {})", ErrorText::HEAD)),
        (Errors::Head, Dialect::Sqlite) => error.as_ref().map(|e| format!("substr({e}, 1, {})", ErrorText::HEAD)),
    };
    add(text, CellType::Text);
    let length = match source.dialect {
        Dialect::Postgres => error.map(|e| format!("octet_length({e})::int8")),
        Dialect::Sqlite => error.map(|e| format!("octet_length({e})")),
    };
    add(length, CellType::Int);
    add(Some(format!("e.{}", map.created_at.name)), CellType::Time(map.created_at.ty));
    add((source.devices == DeviceNames::Joined).then(|| "d.name".to_owned()), CellType::Text);
    add(source.org_name.clone(), CellType::Text);
    select
}

/// A NULL that the driver takes for the type: PostgreSQL gives an untyped one as text.
fn null_of(dialect: Dialect, ty: CellType) -> &'static str {
    use crate::store::columns::{IdType, TimeType};
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
pub(super) fn columns(source: &Source) -> String {
    let map = &source.map;
    let mut names = vec![&map.id.name, &map.device.name, &map.kind.name, &map.created_at.name];
    names.extend(map.org.as_ref().map(|c| &c.name));
    names.extend([&map.reason, &map.error].into_iter().flatten().map(|c| &c.name));
    names.extend([&map.old_expiry, &map.new_expiry].into_iter().flatten().map(|c| &c.name));
    let names: Vec<_> = names.into_iter().map(|n| format!("e.{n}")).collect();
    names.join(", ")
}

pub(super) fn joins(source: &Source) -> String {
    let mut text = String::new();
    if source.devices == DeviceNames::Joined {
        text.push_str(&format!(" LEFT JOIN devices d ON d.id = e.{}", source.map.device.name));
    }
    if let (Some(_), Some(org)) = (&source.org_name, &source.map.org) {
        text.push_str(&format!(" LEFT JOIN organizations o ON o.id = e.{}", org.name));
    }
    text
}

/// A row of [`page`] or [`event`] as an event; cells behind those of the select list are left for the caller. An absent id, type or time is a fault of the table's shape.
pub fn decode(row: &mut Row) -> Result<RenewalEvent, SourceError> {
    let missing = |what: &str| SourceError::Shape(format!("a row has no {what} where every event must have one"));
    let error = row.text(7);
    let bytes = row.int(8).and_then(|n| u64::try_from(n).ok());
    Ok(RenewalEvent {
        id: row.id(0).ok_or_else(|| missing("id"))?,
        device_id: row.id(1).unwrap_or(Id::Text("".into())),
        org_id: row.id(2),
        kind: Kind::new(row.text(3).ok_or_else(|| missing("event type"))?),
        reason: row.text(4),
        old_expiry: row.time(5),
        new_expiry: row.time(6),
        error: error.map(|text| {
            let whole = ErrorText::whole(text);
            ErrorText { bytes: bytes.unwrap_or(whole.bytes), ..whole }
        }),
        created_at: row.time(9).ok_or_else(|| missing("creation time"))?,
        device: row.text(10),
        org: row.text(11),
    })
}
