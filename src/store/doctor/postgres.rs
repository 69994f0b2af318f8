//! Findings on a PostgreSQL server: session, role, pooler, and the guarantees of the live tail.
//!
//! Called by [`examine`](super::examine) for addresses that are servers. Each statement reads catalogs and settings only.

use std::collections::BTreeMap;

use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::protocol::SourceError;
use crate::protocol::tail::LONGEST;
use crate::store::connect::address::Address;
use crate::store::connect::conn::Conn;
use crate::store::connect::listen::CHANNEL;
use crate::store::connect::session::Session;
use crate::store::doctor::{Finding, State};
use crate::store::source::catalog::{EVENTS, Table};
use crate::store::source::columns::TimeType;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// Clocks that differ by less count as equal.
const SAME_TIME: Span = Span::seconds(1);

const SESSION: &str = "SELECT current_setting('server_version'), current_user::text, \
     (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)::int::int8, \
     pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')::int::int8, \
     current_setting('transaction_read_only'), current_setting('statement_timeout'), \
     current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'), \
     current_setting('application_name'), pg_is_in_recovery()::int::int8, pg_backend_pid()::int8, \
     clock_timestamp(), \
     CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn() \
     THEN (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::int8 END";

const PREPARED: &str = "SELECT count(*), \
     (extract(epoch FROM clock_timestamp() - min(prepared)))::int8 \
     FROM pg_prepared_xacts WHERE database = current_database()";

/// Triggers on the events that notify live tails, recognized by the text of their functions.
const NOTIFIERS: &str = "SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid \
     WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relname = $1::text::name AND n.nspname = $2::text::name) AND p.prosrc LIKE $3";

/// The result of the query on the session.
struct Facts {
    version: String,
    role: String,
    superuser: bool,
    sees_all: bool,
    read_only: String,
    limits: [String; 3],
    name: String,
    standby: bool,
    pid: Option<i64>,
    now: Option<Instant>,
    /// How many milliseconds the replay of a standby is behind; `None` if it has caught up.
    behind: Option<i64>,
}

pub async fn examine(s: &mut Session, address: &Address, clock: fn() -> Instant) -> Result<Vec<Finding>, SourceError> {
    let sent = clock();
    let facts = facts(s).await?;
    let received = clock();
    // In another transaction: a pooler may give it another server process.
    s.finish().await?;
    let pooled = is_pooled(s)? || pid(s).await? != facts.pid;
    Ok(vec![
        Finding::ok("server", format!("PostgreSQL {} at {address}", facts.version)),
        tls(address, s.tls().await.unwrap_or_default()),
        role(&facts),
        read_only(&facts),
        limits(&facts, pooled),
        pooler(pooled),
        standby(&facts),
        prepared(s).await,
        difference(sent, received, facts.now),
    ])
}

async fn facts(s: &mut Session) -> Result<Facts, SourceError> {
    use CellType::{Int, Text, Time};
    let time = Time(TimeType::TimestampTz);
    let shape = [Text, Text, Int, Int, Text, Text, Text, Text, Text, Int, Int, time, Int];
    let rows = s.rows(&Sql::plain(Dialect::Postgres, SESSION), &shape).await?;
    let Some(mut r) = rows.into_iter().next() else {
        return Err(SourceError::Failed("the server returned no row on its session".to_owned()));
    };
    let mut text = |at| r.string(at).unwrap_or_default();
    let (version, role, read_only) = (text(0), text(1), text(4));
    let (limits, name) = ([text(5), text(6), text(7)], text(8));
    let superuser = r.int(2) == Some(1);
    let sees_all = superuser || r.int(3) == Some(1);
    let standby = r.int(9) == Some(1);
    let (pid, now, behind) = (r.int(10), r.time(11), r.int(12));
    Ok(Facts { version, role, superuser, sees_all, read_only, limits, name, standby, pid, now, behind })
}

async fn pid(s: &mut Session) -> Result<Option<i64>, SourceError> {
    let sql = Sql::plain(Dialect::Postgres, "SELECT pg_backend_pid()::int8");
    Ok(s.rows(&sql, &[CellType::Int]).await?.into_iter().next().and_then(|mut r| r.int(0)))
}

fn is_pooled(s: &mut Session) -> Result<bool, SourceError> {
    Ok(match s.conn()? {
        Conn::Postgres(conn) => conn.is_pooled(),
        Conn::Sqlite(_) => false,
    })
}

/// How many triggers notify live tails.
async fn notifiers(s: &mut Session, schema: Option<&str>, table: &str) -> Result<i64, SourceError> {
    let mut sql = Sql::plain(Dialect::Postgres, NOTIFIERS);
    sql.placeholder(Bind::Text(table.to_owned()));
    sql.placeholder(Bind::OptText(schema.map(str::to_owned)));
    sql.placeholder(Bind::Text(format!("%pg_notify('{CHANNEL}'%")));
    Ok(s.rows(&sql, &[CellType::Int]).await?.into_iter().next().and_then(|mut r| r.int(0)).unwrap_or_default())
}

fn tls(address: &Address, words: String) -> Finding {
    if address.is_protected() {
        return Finding::ok("tls", words);
    }
    Finding::reduced("tls", words, "use 'sslmode=verify-full', with 'sslrootcert=FILE' for a private authority")
}

fn role(facts: &Facts) -> Finding {
    let role = &facts.role;
    match (facts.superuser, facts.sees_all) {
        (true, _) => Finding::reduced(
            "role",
            format!("'{role}' is a superuser, which reading does not require"),
            "use a role with SELECT on the events and pg_read_all_stats",
        ),
        (false, true) => Finding::ok("role", format!("'{role}', which sees the transactions of all roles")),
        (false, false) => Finding::ok("role", format!("'{role}'")),
    }
}

fn read_only(facts: &Facts) -> Finding {
    match facts.read_only.as_str() {
        "on" => Finding::ok("read only", "the server rejects writes of this session"),
        _ => Finding::off(
            "read only",
            "the server would accept writes of this session; renewscope sends none",
            "use a role that can only read",
        ),
    }
}

fn limits(facts: &Facts, pooled: bool) -> Finding {
    let [statement, lock, idle] = &facts.limits;
    let found =
        format!("statement {statement}, lock {lock}, idle transaction {idle}; application_name '{}'", facts.name);
    let open = [statement, lock, idle].iter().any(|l| *l == "0");
    match (open, pooled) {
        (true, _) => Finding::off("limits", format!("not all are in force: {found}"), "see the settings of the pooler"),
        (_, true) => Finding::reduced("limits", format!("set in each transaction: {found}"), ""),
        _ => Finding::ok("limits", found),
    }
}

fn pooler(pooled: bool) -> Finding {
    if !pooled {
        return Finding::ok("pooler", "none in transaction mode");
    }
    Finding::reduced(
        "pooler",
        "transaction mode: the server process changes between transactions, so a query is canceled only while its \
         transaction is open, and notifications do not arrive",
        "connect to the server directly if that matters",
    )
}

fn standby(facts: &Facts) -> Finding {
    if !facts.standby {
        return Finding::ok("standby", "no, primary");
    }
    let lag = match facts.behind {
        Some(ms) => format!("replay is {} s behind", ms.max(0) / 1000),
        None => "replay has caught up".to_owned(),
    };
    Finding::reduced(
        "standby",
        format!("yes; {lag}; a query that conflicts with replay is canceled by the server and retried once"),
        "connect to the primary for a live tail that sees open transactions",
    )
}

/// Whether notifications wake the live tails of a table.
pub async fn notifications(
    s: &mut Session,
    tables: &BTreeMap<String, Table>,
    table: &str,
) -> Result<Finding, SourceError> {
    let schema = tables.get(table).and_then(|t| t.schema.as_deref());
    let topic = "notifications";
    let polls = "new events are found by polling, every half second while some arrive";
    if facts(s).await?.standby {
        return Ok(Finding::off(topic, format!("none on a standby; {polls}"), ""));
    }
    if is_pooled(s)? {
        return Ok(Finding::off(topic, format!("none through a pooler; {polls}"), ""));
    }
    Ok(match (notifiers(s, schema, table).await, table == EVENTS) {
        (Ok(0), true) => Finding::reduced(
            topic,
            format!("no trigger on the events sends them; {polls}"),
            "run 'renewscope db index --notify' if the tail must be faster, at a cost for each writer",
        ),
        (Ok(0), false) => Finding::off(topic, format!("no trigger on the events sends them; {polls}"), ""),
        (Ok(_), _) => Finding::ok(topic, "a trigger on the events wakes live tails"),
        (Err(e), _) => Finding::off(topic, format!("the query failed: {e}"), ""),
    })
}

async fn prepared(s: &mut Session) -> Finding {
    let sql = Sql::plain(Dialect::Postgres, PREPARED);
    let topic = "prepared transactions";
    match s.rows(&sql, &[CellType::Int, CellType::Int]).await {
        Err(e) => Finding { state: State::Off, ..Finding::reduced(topic, format!("the query failed: {e}"), "") },
        Ok(rows) => match rows.into_iter().next().map(|mut r| (r.int(0), r.int(1))) {
            Some((Some(n), Some(age))) if n > 0 => Finding::reduced(
                topic,
                format!(
                    "{n}, the oldest for {age} s: the tail waits up to {} for each, and misses later commits",
                    format::span(LONGEST)
                ),
                "commit them or roll them back; see pg_prepared_xacts",
            ),
            _ => Finding::ok(topic, "none"),
        },
    }
}

/// How much the server's clock differs. `sent` and `received` are by the local clock; `there` was read in between.
fn difference(sent: Instant, received: Instant, there: Option<Instant>) -> Finding {
    let Some(there) = there else { return Finding::off("clock", "the server returned no time", "") };
    // The middle of the round trip is the best estimate of when the server read its clock.
    let here = sent.pg_micros().midpoint(received.pg_micros());
    let ahead = Span(there.pg_micros().saturating_sub(here));
    if ahead.abs() < SAME_TIME {
        return Finding::ok("clock", "local and server clock agree within a second");
    }
    let (seconds, word) = (ahead.abs().as_seconds(), if ahead.0 > 0 { "ahead" } else { "behind" });
    Finding::reduced(
        "clock",
        format!("the server's clock is {seconds} s {word}: ages and times left are wrong by that much"),
        "synchronize both clocks with NTP",
    )
}
