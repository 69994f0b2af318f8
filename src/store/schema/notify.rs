//! The trigger that notifies live tails of new events.
//!
//! Called by the command `db index`, and made on request only, because it costs every writer time.

use crate::protocol::SourceError;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::listen::CHANNEL;
use crate::store::connect::migrator::execute;
use crate::store::options::Access;
use crate::store::schema::index::{IndexReport, IndexState};
use crate::store::schema::open;
use crate::store::source::detect;
use crate::store::sql::Dialect;

/// The name of the function and of its trigger.
const NAME: &str = "renewscope_notify";

/// Creates the trigger, or removes it. [`SourceError::Invalid`] on SQLite, whose commit counter the tail reads instead.
pub async fn notify(address: &Address, make: bool) -> Result<IndexReport, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    if conn.dialect() == Dialect::Sqlite {
        let why = "SQLite requires no trigger: the tail reads its commit counter ten times a second";
        return Err(SourceError::Invalid(why.to_owned()));
    }
    change(&mut conn, make).await
}

async fn change(conn: &mut Conn, make: bool) -> Result<IndexReport, SourceError> {
    let source = detect::events(conn).await?;
    let table = source.map.table();
    let function = format!("{}{NAME}", source.map.schema());
    // One notification per statement, not per row; PostgreSQL merges equal ones of a transaction.
    let text = if make {
        format!(
            "BEGIN; \
             CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_catalog.pg_notify('{CHANNEL}', ''); RETURN NULL; END $$; \
             DROP TRIGGER IF EXISTS {NAME} ON {table}; \
             CREATE TRIGGER {NAME} AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}(); \
             COMMIT"
        )
    } else {
        format!("BEGIN; DROP TRIGGER IF EXISTS {NAME} ON {table}; DROP FUNCTION IF EXISTS {function}(); COMMIT")
    };
    execute(conn, &text).await?;
    let note = "commits that insert wait for each other while they notify; 'db index --no-notify' removes it";
    Ok(IndexReport {
        name: NAME.to_owned(),
        columns: "a trigger after each INSERT".to_owned(),
        purpose: "notifies live tails at once instead of a poll every half second",
        state: if make { IndexState::Created } else { IndexState::Removed },
        bytes: None,
        on_request: false,
        note: make.then(|| note.to_owned()),
    })
}
