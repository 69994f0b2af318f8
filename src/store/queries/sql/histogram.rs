//! Rows by time bucket and type.
//!
//! There are two ways to one result. Where an index holds everything that the filter tests, each bucket is a range of the
//! index, and only its entries are counted. Otherwise each row is read and its bucket computed, which costs several times
//! as much per row. Called by the histogram query; both ways must put every row into the same bucket.

use crate::domain::instant::{Instant, Span};
use crate::domain::zone::Zone;
use crate::protocol::query::HistogramQuery;
use crate::store::queries::resolved::{Resolved, Set};
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Bound, Branch, Common, branches, by_index_alone};
use crate::store::source::Source;
use crate::store::source::columns::TimeType;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// Marks a stated outcome in the column that otherwise holds a type.
pub const STATED: &str = "=";

/// More index ranges than this cost more to find than they save.
const MAX_RANGES: u64 = 3000;

/// Rows by bucket and type: bucket, type, count. Each of the listed `kinds` becomes a branch where an index serves it, so
/// that the index alone answers.
pub fn histogram(
    source: &Source,
    resolved: &Resolved,
    kinds: Option<&[String]>,
    query: &HistogramQuery,
) -> (Sql, Vec<CellType>) {
    let mut resolved = resolved.clone();
    if let (Set::All, Some(kinds)) = (&resolved.kinds, kinds) {
        resolved.kinds = Set::Only(kinds.to_vec());
    }
    let branches = branches(source, &resolved);
    let ranges = u64::try_from(branches.len()).unwrap_or(u64::MAX).saturating_mul(u64::from(query.buckets));
    let countable =
        by_index_alone(source, &resolved, &branches) && branches.iter().all(|b| b.kind.is_some()) && is_plain(source);
    let sql = if countable && ranges <= MAX_RANGES {
        by_bucket(source, resolved, &branches, query)
    } else {
        by_row(source, &resolved, &branches, query)
    };
    (sql, vec![CellType::Int, CellType::Text, CellType::Int])
}

/// Counts the index entries of each bucket and branch: one range of the index for each.
fn by_bucket(source: &Source, mut resolved: Resolved, branches: &[Branch], query: &HistogramQuery) -> Sql {
    let mut sql = Sql::new(source.dialect);
    let at = &source.map.created_at;
    // Each bucket's ends must be the only ones: SQLite searches by the first pair that it finds.
    let from = resolved.from.take().map(|t| sql.placeholder(at.bound(t)));
    let until = resolved.until.take().map(|t| sql.placeholder(at.bound(t)));
    let start = sql.placeholder(at.bound(query.from));
    let width = sql.placeholder(Bind::Int(query.width_micros.max(1)));
    let last = sql.placeholder(Bind::Int(i64::from(query.buckets) - 1));
    // The server rejects a time after its last year, so the last bucket ends at infinity.
    let ends = matches!(at.ty, TimeType::Timestamp | TimeType::TimestampTz).then(|| {
        let room = Instant::from_pg_micros(0).plus(Span(i64::MAX)).since(query.from).unwrap_or(Span(0)).0;
        (sql.placeholder(Bind::Int(room)), sql.placeholder(at.bound(Instant::INFINITY)))
    });
    let boundary = |n: &str| match &ends {
        Some((room, infinity)) => {
            format!(
                "(CASE WHEN {n} * {width} > {room} THEN {infinity} \
                 ELSE {start} + ({n} * {width}) * INTERVAL '1 microsecond' END)"
            )
        }
        None => format!("({start} + {n} * {width})"),
    };
    let (least, greatest) = if source.dialect == Dialect::Postgres { ("LEAST", "GREATEST") } else { ("min", "max") };
    let narrowed = |boundary: String, word, by: Option<String>| match by {
        Some(by) => format!("{word}({boundary}, {by})"),
        None => boundary,
    };
    let lower = narrowed(boundary("t.n"), greatest, from);
    let upper = narrowed(boundary("(t.n + 1)"), least, until);
    let common = Common::new(&mut sql, Selection::new(source, &resolved), &Bound::Nowhere);
    sql.push(&format!(
        "WITH RECURSIVE t(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT t.n + 1 FROM t WHERE t.n < {last}) \
         SELECT h.b, h.k, CAST(sum(h.n) AS BIGINT) FROM ("
    ));
    for (n, branch) in branches.iter().enumerate() {
        let kind = sql.placeholder(Bind::Text(branch.kind.clone().unwrap_or_default()));
        let union = if n == 0 { "" } else { " UNION ALL " };
        let from = &common.relation;
        sql.push(&format!("{union}SELECT t.n AS b, {kind} AS k, (SELECT count(*) FROM {from}"));
        common.write(&mut sql, source, branch);
        sql.push(&format!(" AND e.{0} >= {lower} AND e.{0} < {upper}) AS n FROM t", at.name));
    }
    sql.push(") h GROUP BY h.b, h.k HAVING sum(h.n) > 0");
    sql
}

/// Reads each row once and computes its bucket from its time.
fn by_row(source: &Source, resolved: &Resolved, branches: &[Branch], query: &HistogramQuery) -> Sql {
    let mut sql = Sql::new(source.dialect);
    let common = Common::new(&mut sql, Selection::new(source, resolved), &Bound::Nowhere);
    let bucket = bucket(&mut sql, source, query);
    let kind = kind(source);
    let from = &common.relation;
    sql.push("SELECT h.b, h.k, CAST(sum(h.n) AS BIGINT) FROM (");
    for (n, branch) in branches.iter().enumerate() {
        let union = if n == 0 { "" } else { " UNION ALL " };
        sql.push(&format!("{union}SELECT {bucket} AS b, {kind} AS k, count(*) AS n FROM {from}"));
        common.write(&mut sql, source, branch);
        sql.push(" GROUP BY 1, 2");
    }
    sql.push(") h GROUP BY h.b, h.k");
    sql
}

/// The type of the row `e`; where the row states an outcome, which takes precedence over its type's, that with the mark
/// [`STATED`].
pub fn kind(source: &Source) -> String {
    let kind = source.map.kind.expr();
    source
        .map
        .outcome
        .as_ref()
        .map_or(kind.clone(), |own| format!("CASE WHEN e.{own} IS NULL THEN {kind} ELSE '{STATED}' || e.{own} END"))
}

/// Whether the stored times are UTC microseconds, and types alone tell outcomes.
fn is_plain(source: &Source) -> bool {
    let at = &source.map.created_at;
    at.zone == Zone::Utc && at.ty.micros() == 1 && source.map.outcome.is_none()
}

/// The number of a row's bucket. The query's range keeps the difference small enough for each type.
pub fn bucket(sql: &mut Sql, source: &Source, query: &HistogramQuery) -> String {
    let at = &source.map.created_at;
    let width = query.width_micros.max(1);
    match (at.ty, at.zone) {
        (TimeType::Timestamp, Zone::Named(zone)) => {
            // For an hour that occurs twice the database may choose the later one: once a year, rows of that hour may be
            // counted one bucket off.
            let from = sql.placeholder(Bind::TimeTz(query.from));
            let zone = sql.placeholder(Bind::Text(zone.name().to_owned()));
            let width = sql.placeholder(Bind::Int(width));
            let at = format!("(e.{} AT TIME ZONE {zone})", at.name);
            format!("floor(round(date_part('epoch', {at} - {from}) * 1000000) / {width})::int8")
        }
        (TimeType::Timestamp | TimeType::TimestampTz, _) => {
            let from = sql.placeholder(at.bound(query.from));
            let width = sql.placeholder(Bind::Int(width));
            // Whole microseconds are exact in a double for 285 years.
            format!("floor(round(date_part('epoch', e.{} - {from}) * 1000000) / {width})::int8", at.name)
        }
        (TimeType::UnixMicros, _) => {
            let from = sql.placeholder(at.bound(query.from));
            format!("CAST((e.{} - {from}) / {} AS BIGINT)", at.name, sql.placeholder(Bind::Int(width)))
        }
        (TimeType::UnixMillis | TimeType::UnixSeconds, _) => {
            let from = sql.placeholder(Bind::Int(query.from.unix_micros().unwrap_or(i64::MAX - 1)));
            let unit = at.ty.micros();
            format!("CAST((e.{} * {unit} - {from}) / {} AS BIGINT)", at.name, sql.placeholder(Bind::Int(width)))
        }
    }
}
