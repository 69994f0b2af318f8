//! Rows of many devices in one statement: for each key of a list, the nearest rows of its device in the order of time.
//!
//! PostgreSQL reads them by a lateral select, SQLite by a correlated one: each key is one descent of the index on
//! device, time and id. Called by the queries of fleets and of neighbors. A list of one key needs no index to be right.

use std::sync::LazyLock;

use crate::domain::event::Id;
use crate::protocol::fleet::Place;
use crate::store::queries::sql::keys::Order;
use crate::store::queries::sql::page::{Errors, columns, select};
use crate::store::queries::sql::usable;
use crate::store::source::Source;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// Whose rows are read. The types of the ids are those of the source's columns.
#[derive(Clone, Copy)]
pub enum Keys<'a> {
    /// All rows of each device.
    Devices(&'a [Id]),
    /// The rows of each place's device before it or, by the order, behind it.
    Places(&'a [&'a Place]),
}

impl Keys<'_> {
    pub const fn len(&self) -> usize {
        match self {
            Self::Devices(ids) => ids.len(),
            Self::Places(places) => places.len(),
        }
    }
}

/// The first rows of each key in an order.
#[derive(Clone, Copy)]
pub struct Near<'a> {
    pub keys: Keys<'a>,
    pub order: Order,
    /// The greatest number of rows of each key.
    pub limit: u64,
}

/// The statement for these rows. Behind the cells of a page, each has the place of its key in the list, from 0. `bare` is
/// the source without names.
pub fn rows(bare: &Source, near: Near<'_>) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(bare.dialect);
    let mut select = select(bare, Errors::Input, false);
    select.shape.push(CellType::Int);
    let list = select.list.join(", ");
    let keys = near.keys;
    match (bare.dialect, keys.len()) {
        (Dialect::Postgres, _) => {
            sql.push(&format!("SELECT {list}, k.n::int8 FROM "));
            postgres_keys(&mut sql, bare, keys);
            sql.push(" CROSS JOIN LATERAL (");
            near.write(&mut sql, bare, &columns(bare), &LISTED);
            sql.push(") e");
        }
        // Without a list the rows are read in their order, and none of them twice.
        (Dialect::Sqlite, 1) => {
            let key = value(&mut sql, bare, keys, 0);
            sql.push(&format!("SELECT {list}, 0 FROM ("));
            near.write(&mut sql, bare, "e.*", &key);
            sql.push(") e");
        }
        (Dialect::Sqlite, _) => {
            sql.push(&format!(
                "SELECT {list}, k.n FROM (SELECT column1 AS n, column2 AS d, column3 AS t, column4 AS i FROM (VALUES "
            ));
            values(&mut sql, bare, keys);
            let (from, id) = (bare.map.from(&mut sql), format!("e.{}", bare.map.id.name));
            sql.push(&format!(")) k CROSS JOIN {from} e WHERE {id} IN ("));
            near.write(&mut sql, bare, &id, &LISTED);
            sql.push(")");
        }
    }
    (sql, select.shape)
}

/// Device, time and id of a key, as SQL.
type Key = [String; 3];

/// Those of the list `k`.
static LISTED: LazyLock<Key> = LazyLock::new(|| ["k.d", "k.t", "k.i"].map(str::to_owned));

/// The list of keys for PostgreSQL, named `k`. An array is one value, so that the statement is the same for any number.
fn postgres_keys(sql: &mut Sql, source: &Source, keys: Keys<'_>) {
    let uuids = match keys {
        Keys::Devices(ids) => ids.iter().map(Id::as_uuid).collect::<Option<Vec<_>>>(),
        Keys::Places(_) => None,
    };
    if let Some(uuids) = uuids {
        let array = sql.placeholder(Bind::Uuids(uuids));
        sql.push(&format!("(SELECT u.n - 1 AS n, u.d FROM unnest({array}) WITH ORDINALITY u(d, n)) k"));
        return;
    }
    sql.push("(VALUES ");
    values(sql, source, keys);
    sql.push(") k(n, d, t, i)");
}

/// Number, device, time and id of each key, as rows of values.
fn values(sql: &mut Sql, source: &Source, keys: Keys<'_>) {
    for n in 0..keys.len() {
        let [device, at, id] = value(sql, source, keys, n);
        sql.push(&format!("{}({n}, {device}, {at}, {id})", if n == 0 { "" } else { ", " }));
    }
}

/// One key, its values bound. A device has no time and no id.
fn value(sql: &mut Sql, source: &Source, keys: Keys<'_>, n: usize) -> Key {
    let null = || "NULL".to_owned();
    let (device, at) = match keys {
        Keys::Devices(ids) => (ids.get(n), None),
        Keys::Places(places) => places.get(n).map_or((None, None), |place| (Some(&place.device), Some(&place.at))),
    };
    let mut bound = |value: Option<Bind>| value.map_or_else(null, |value| sql.placeholder(value));
    [
        bound(device.map(Bind::id)),
        bound(at.map(|at| source.map.created_at.stored(at.at))),
        bound(at.map(|at| Bind::id(&at.id))),
    ]
}

impl Near<'_> {
    /// Writes the ordered, limited select of one key.
    fn write(&self, sql: &mut Sql, source: &Source, columns: &str, [key, t, i]: &Key) {
        let map = &source.map;
        let (from, word) = (map.from(sql), self.order.word());
        let [device, at, id] =
            [&map.device.name, &map.created_at.name, &map.order().name].map(|name| format!("e.{name}"));
        // A list of one is no constant to PostgreSQL's planner, so that only an index that leads with the device has the
        // order: it may not search the order of time for the rows of one device.
        let (own, lead) = match source.dialect {
            Dialect::Postgres => (format!("{device} = ANY(ARRAY[{key}])"), format!("{device} {word}, ")),
            Dialect::Sqlite => (format!("{device} = {key}"), String::new()),
        };
        let mut tests = vec![own];
        if let Keys::Places(_) = self.keys {
            let op = if self.order == Order::NewestFirst { "<" } else { ">" };
            tests.push(format!("({at}, {id}) {op} ({t}, {i})"));
        }
        tests.extend(usable::tests(source));
        sql.push(&format!("SELECT {columns} FROM {from} e WHERE {}", tests.join(" AND ")));
        sql.push(&format!(" ORDER BY {lead}{at} {word}, {id} {word} LIMIT "));
        sql.bind(Bind::Int(i64::try_from(self.limit).unwrap_or(i64::MAX)));
    }
}
