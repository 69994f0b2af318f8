//! The horizon of the live tail: the database's clock, the transactions that may still add rows, and why some of them
//! are not visible.
//!
//! Called by the tail at the start of each full poll, and by `doctor`, so that both report the same guarantee. The
//! horizon must never count a transaction as visible that this session cannot see, because the guarantee rests on it.

use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::profile::Tail;
use crate::protocol::SourceError;
use crate::protocol::tail::LONGEST;
use crate::store::connect::session::Session;
use crate::store::source::Source;
use crate::store::source::columns::TimeType;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// The clock, then the oldest open transaction, then the oldest recent prepared one, in this order: a transaction that
/// begins after the clock was read has later rows, and one that is prepared meanwhile is in the second or in the third.
/// `pg_stat_activity` has no start of the transactions of other roles without `pg_read_all_stats`. An autovacuum worker
/// inserts no row.
///
/// `tree` holds the relations whose rows are read: the table, its partitions and children, and those below a view.
const WRITERS: &str = "WITH RECURSIVE tree(oid) AS (\
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relname = $1::text::name AND n.nspname = $2::text::name \
    UNION SELECT x.oid FROM tree t CROSS JOIN LATERAL (\
    SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = t.oid UNION ALL \
    SELECT d.refobjid FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid \
    AND d.refclassid = 'pg_class'::regclass WHERE w.ev_class = t.oid AND w.ev_type = '1') x(oid)) \
    SELECT t.now, a.open, p.prepared, pg_is_in_recovery()::int::int8, \
    pg_has_role('pg_read_all_stats', 'USAGE')::int::int8, \
    (EXISTS (SELECT 1 FROM pg_subscription_rel r WHERE r.srrelid IN (SELECT oid FROM tree)))::int::int8, \
    (EXISTS (SELECT 1 FROM pg_class c WHERE c.oid IN (SELECT oid FROM tree) AND c.relkind = 'f'))::int::int8, \
    (EXISTS (SELECT 1 FROM pg_class c WHERE c.oid IN (SELECT oid FROM tree) AND c.relkind = 'm'))::int::int8 \
    FROM (SELECT clock_timestamp() AS now OFFSET 0) t \
    CROSS JOIN LATERAL (SELECT t.now AS after, min(s.xact_start) AS open FROM pg_stat_activity s \
    WHERE s.xact_start IS NOT NULL AND s.pid <> pg_backend_pid() AND s.datname = current_database() \
    AND s.backend_type IS DISTINCT FROM 'autovacuum worker') a \
    CROSS JOIN LATERAL (SELECT min(x.prepared) AS prepared FROM pg_prepared_xacts x \
    WHERE x.database = current_database() AND x.prepared > a.after - $3::int8 * interval '1 microsecond') p";

const SQLITE_CLOCK: &str = "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

/// Why transactions that add rows are not visible, so that only the overlap is guaranteed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unseen {
    /// Those of the primary.
    Standby,
    /// Those of other roles.
    Role,
    /// Those of the publisher, which date the rows.
    Subscribed,
    /// Those of another server.
    Foreign,
    /// Rows appear when the view is refreshed.
    Materialized,
}

impl Unseen {
    /// The reason as the subject of a message.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Standby => "those of the primary are not visible on a standby",
            Self::Role => "this role does not see those of other roles",
            Self::Subscribed => {
                "the table is filled by logical replication, and those of the publisher are not visible"
            }
            Self::Foreign => "some rows are in a foreign table, and those of its server are not visible",
            Self::Materialized => "rows are read from a materialized view and appear when it is refreshed",
        }
    }
    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Standby => "connect to the primary",
            Self::Role => "GRANT pg_read_all_stats TO this role",
            Self::Subscribed => "connect to the publisher",
            Self::Foreign => "connect to the server that stores the rows",
            Self::Materialized => "read the tables below the view",
        }
    }
}

/// The clock and the writers at one moment, as the server reports them.
#[derive(Clone, Debug)]
pub struct Writers {
    pub now: Instant,
    /// The start of the oldest open transaction of another session.
    pub open: Option<Instant>,
    /// When the oldest transaction was prepared, of those prepared within [`LONGEST`].
    pub prepared: Option<Instant>,
    /// Empty if all transactions are visible.
    pub unseen: Vec<Unseen>,
}

/// The database's clock, in UTC. A file has that of this machine.
pub async fn clock(dialect: Dialect, s: &mut Session) -> Result<Instant, SourceError> {
    let (text, ty) = match dialect {
        Dialect::Postgres => ("SELECT clock_timestamp()", TimeType::TimestampTz),
        Dialect::Sqlite => (SQLITE_CLOCK, TimeType::UnixMicros),
    };
    let rows = s.rows(&Sql::plain(dialect, text), &[CellType::Time(ty)]).await?;
    rows.into_iter().next().and_then(|mut row| row.time(0)).ok_or_else(no_time)
}

/// Reads the clock and the writers of the event table.
pub async fn writers(source: &Source, s: &mut Session) -> Result<Writers, SourceError> {
    match source.dialect {
        Dialect::Postgres => postgres(source, s).await,
        Dialect::Sqlite => {
            let now = clock(source.dialect, s).await?;
            Ok(Writers { now, open: None, prepared: None, unseen: Vec::new() })
        }
    }
}

async fn postgres(source: &Source, s: &mut Session) -> Result<Writers, SourceError> {
    let mut sql = Sql::plain(Dialect::Postgres, WRITERS);
    sql.placeholder(Bind::Text(source.profile.relation.table.name().to_owned()));
    sql.placeholder(Bind::OptText(source.schema_name().map(str::to_owned)));
    sql.placeholder(Bind::Int(LONGEST.0));
    let (time, int) = (CellType::Time(TimeType::TimestampTz), CellType::Int);
    let rows = s.rows(&sql, &[time, time, time, int, int, int, int, int]).await?;
    let mut row = rows.into_iter().next().ok_or_else(no_time)?;
    let (now, open, prepared) = (row.time(0).ok_or_else(no_time)?, row.time(1), row.time(2));
    let mut is = |at: usize| row.int(at) == Some(1);
    let reasons = [
        (is(3), Unseen::Standby),
        (!is(4), Unseen::Role),
        (is(5), Unseen::Subscribed),
        (is(6), Unseen::Foreign),
        (is(7), Unseen::Materialized),
    ];
    let unseen = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
    Ok(Writers { now, open, prepared, unseen })
}

/// How long after its `created_at` a row may commit and still be found without any other sign of it.
pub fn overlap(source: &Source) -> Span {
    let (Tail::Time { overlap } | Tail::Serial { overlap, .. }) = &source.tail;
    *overlap
}

/// What the tail guarantees, for messages. `numbered`: SQLite numbers the rows of the table.
pub fn guarantee(source: &Source, writers: &Writers, numbered: bool) -> String {
    if source.dialect == Dialect::Sqlite && numbered {
        return "the tail finds every event, because rows are numbered in the order of their commits".to_owned();
    }
    let overlap = format::span(overlap(source));
    if source.dialect == Dialect::Postgres && writers.unseen.is_empty() {
        return format!(
            "the tail finds events of transactions open for up to {}, and events that their writers date and commit within \
             {overlap}",
            format::span(LONGEST)
        );
    }
    format!("the tail finds events that appear within {overlap} of their created_at")
}

fn no_time() -> SourceError {
    SourceError::Failed("the database reported no time".to_owned())
}
