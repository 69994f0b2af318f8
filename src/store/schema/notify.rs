//! The trigger that tells live tails of new events. Made on request only, for it costs every writer something.

use crate::protocol::SourceError;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::listen::CHANNEL;
use crate::store::options::Access;
use crate::store::schema::index::{IndexReport, IndexState, execute};
use crate::store::schema::open;
use crate::store::source::detect;
use crate::store::sql::Dialect;

/// Of the function and of its trigger.
const NAME: &str = "renewscope_notify";

/// Makes the trigger, or takes it away; what it is afterwards. [`SourceError::Invalid`] on SQLite, which tells of commits
/// by a counter.
pub async fn notify(address: &Address, make: bool) -> Result<IndexReport, SourceError> {
    let mut conn = open(address, Access::Write).await?;
    if conn.dialect() == Dialect::Sqlite {
        let why = "SQLite needs no trigger: it tells of commits by a counter, which a tail looks at ten times a second";
        return Err(SourceError::Invalid(why.to_owned()));
    }
    change(&mut conn, make).await
}

async fn change(conn: &mut Conn, make: bool) -> Result<IndexReport, SourceError> {
    let source = detect::events(conn).await?;
    let table = source.map.table();
    let function = format!("{}{NAME}", source.map.schema());
    // A statement is one notification, however many rows it stores; equal ones of a transaction become one.
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
    let note = "commits that insert wait for each other for the moment of notifying; 'db index --no-notify' removes it";
    Ok(IndexReport {
        name: NAME.to_owned(),
        columns: "a trigger after each INSERT".to_owned(),
        purpose: "live tails that are woken at once instead of looking every half second",
        state: if make { IndexState::Created } else { IndexState::Removed },
        bytes: None,
        on_request: false,
        note: make.then(|| note.to_owned()),
    })
}
