//! One statement for sqlx on PostgreSQL: its values, its name in the cache, and errors that call for a retry.
//!
//! Called by a session of [`postgres`](crate::store::connect::postgres). Nothing here runs a statement.

use std::borrow::Cow;

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;

use crate::store::sql::cell::{PgTime, PgTimeTz};
use crate::store::sql::{Bind, Sql};

/// Refused because the transaction reads only.
pub fn is_write(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|d| d.code().as_deref() == Some("25006"))
}

/// Whether a standby cancelled the statement for replay, the connection still being good.
pub fn gave_way(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|d| d.code().as_deref() == Some("40001"))
}

/// A prepared statement that the server no longer has, has already, or cannot run since a table was altered.
pub fn is_outdated(e: &sqlx::Error) -> bool {
    let code = e.as_database_error().and_then(|d| d.code().map(|code| code.into_owned()));
    matches!(code.as_deref(), Some("26000" | "42P05" | "0A000"))
}

/// sqlx caches prepared statements by their text, the server distinguishes parameter types too: a value that is only
/// selected may be text once and a uuid the next time. The types are therefore part of the text.
pub fn named_by_types(sql: &Sql) -> Cow<'_, str> {
    if sql.binds().is_empty() {
        return Cow::Borrowed(sql.text());
    }
    let letter = |bind: &Bind| match bind {
        Bind::Int(_) | Bind::OptInt(_) | Bind::Units { .. } => 'i',
        Bind::Text(_) | Bind::OptText(_) => 't',
        Bind::Uuid(_) => 'u',
        Bind::Time(_) => 's',
        Bind::TimeTz(_) => 'z',
        Bind::Uuids(_) => 'U',
        Bind::Texts(_) => 'T',
        Bind::Times(_) => 'S',
    };
    let letters: String = sql.binds().iter().map(letter).collect();
    Cow::Owned(format!("{} /* {letters} */", sql.text()))
}

/// The values of a statement for the driver.
pub fn arguments(binds: &[Bind]) -> Result<PgArguments, sqlx::Error> {
    let mut out = PgArguments::default();
    for bind in binds {
        match bind {
            Bind::Int(n) => out.add(*n),
            Bind::OptInt(n) => out.add(*n),
            Bind::Units { whole, .. } => out.add(*whole),
            Bind::Text(t) => out.add(t.as_str()),
            Bind::OptText(t) => out.add(t.as_deref()),
            Bind::Uuid(u) => out.add(*u),
            Bind::Time(t) => out.add(PgTime(*t)),
            Bind::TimeTz(t) => out.add(PgTimeTz(*t)),
            Bind::Uuids(list) => out.add(list.as_slice()),
            Bind::Texts(list) => out.add(list.as_slice()),
            Bind::Times(list) => out.add(list.iter().map(|t| t.map(PgTime)).collect::<Vec<_>>()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(out)
}
