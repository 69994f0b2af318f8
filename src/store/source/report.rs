//! The report of `sources detect` and `sources check`: which profiles fit, and what one would show.
//!
//! Read-only throughout. Indexes are judged by the database's own plans, made without full scans if it can be instructed
//! so: a plan that still reads the whole table has no index to use.

use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause, KindMatch, NameMatch, Pattern};
use crate::domain::page::Anchor;
use crate::domain::source::Part;
use crate::domain::zone::Zone;
use crate::profile::choice::Profiles;
use crate::profile::{SourceProfile, TimeType};
use crate::protocol::tail::{TailQuery, TimeSlice};
use crate::protocol::{Answer, Query, SourceError};
use crate::store::connect::address::Address;
use crate::store::options::ConnectOptions;
use crate::store::queries::sql::aggregate;
use crate::store::source::Source;
use crate::store::source::detect;
use crate::store::source::detect::Survey;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};
use crate::store::{Store, queries, schema};

pub use detect::Fit;

/// One line of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// `column`, `field`, `query` or `note`.
    pub kind: &'static str,
    pub name: String,
    pub state: &'static str,
    pub detail: String,
}

impl Line {
    pub fn new(kind: &'static str, name: impl Into<String>, state: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, name: name.into(), state, detail: detail.into() }
    }
}

/// What a profile makes of a database.
#[derive(Clone, Debug)]
pub struct Report {
    pub fits: bool,
    pub lines: Vec<Line>,
    /// The newest event as it is read, with its extra columns.
    pub sample: Option<Arc<RenewalEvent>>,
}

/// How each profile fits: first those that fit, then those that nearly do.
pub async fn detect(address: &Address, profiles: &Profiles) -> Result<Vec<Fit>, SourceError> {
    let mut conn = schema::open(address, crate::store::options::Access::Read).await?;
    let survey = detect::survey(&mut conn, profiles).await?;
    conn.close().await;
    let mut fits = survey.fits;
    fits.sort_by_key(|f| (!f.fits(), !f.is_near));
    Ok(fits)
}

/// Tries a profile: its columns, and if they exist, every query and the newest row.
pub async fn check(
    address: &Address,
    profiles: &Profiles,
    profile: &Arc<SourceProfile>,
) -> Result<Report, SourceError> {
    let mut profiles = Profiles { all: profiles.all.clone(), named: Some(profile.name.clone()) };
    profiles.all.retain(|p| p.name != profile.name);
    profiles.all.push(Arc::clone(profile));
    let mut conn = schema::open(address, crate::store::options::Access::Read).await?;
    let survey = detect::survey(&mut conn, &profiles).await?;
    conn.close().await;
    let mut lines = columns(&survey, profile);
    let missing = survey.fits.iter().find(|f| f.profile.name == profile.name).map(|f| f.missing.clone());
    let missing = missing.unwrap_or_default();
    if !missing.is_empty() {
        lines.extend(missing.into_iter().map(|why| Line::new("profile", profile.name.clone(), "does not fit", why)));
        return Ok(Report { fits: false, lines, sample: None });
    }
    let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
    let store = Store::connect(address, &options).await?;
    let checked = explain_queries(&store, &mut lines).await;
    store.close().await;
    match checked {
        Ok(sample) => Ok(Report { fits: true, lines, sample }),
        Err(e) => {
            lines.push(Line::new("profile", profile.name.clone(), "cannot be read", e.to_string()));
            Ok(Report { fits: false, lines, sample: None })
        }
    }
}

fn columns(survey: &Survey, profile: &SourceProfile) -> Vec<Line> {
    let mut lines = Vec::new();
    let tables = survey.tables.around(profile.relation.table.name());
    for (name, columns) in &profile.needs {
        let table = tables.get(name.name());
        for column in columns {
            let found = table.and_then(|t| t.column(column.name()));
            let (state, detail) = found.map_or(("missing", String::new()), |c| ("exists", c.ty.clone()));
            lines.push(Line::new("column", format!("{}.{}", name.name(), column.name()), state, detail));
        }
    }
    lines
}

/// What the source records of each field.
fn fields(source: &Source) -> Vec<Line> {
    let mut lines = Vec::new();
    for part in Part::ALL {
        let state = match (source.traits.lacks(part), source.traits.derives(part)) {
            (true, _) => "absent",
            (_, true) => "derived",
            _ => "recorded",
        };
        lines.push(Line::new("field", part.name(), state, ""));
    }
    let times = [
        ("time", Some(&source.map.created_at)),
        ("old-expiry", source.map.old_expiry.as_ref()),
        ("new-expiry", source.map.new_expiry.as_ref()),
    ];
    for (name, column) in times {
        let Some(column) = column else { continue };
        let detail = match column.ty {
            TimeType::Timestamp => format!("timestamp without zone, taken as {}", column.zone.name()),
            TimeType::TimestampTz => "timestamp with zone".to_owned(),
            TimeType::UnixSeconds => "seconds since 1970".to_owned(),
            TimeType::UnixMillis => "milliseconds since 1970".to_owned(),
            TimeType::UnixMicros => "microseconds since 1970".to_owned(),
        };
        lines.push(Line::new("time", name, if column.zone == Zone::Utc { "" } else { "zoned" }, detail));
    }
    lines.extend(source.notes.iter().map(|note| Line::new("note", source.profile.name.clone(), "", note.clone())));
    lines
}

/// Explains the queries of the console; returns the newest row.
async fn explain_queries(store: &Store, lines: &mut Vec<Line>) -> Result<Option<Arc<RenewalEvent>>, SourceError> {
    let mut session = store.0.pool.acquire().await?;
    let source = store.0.source(&mut session).await?;
    session.finish().await?;
    lines.extend(fields(&source));
    drop(session);
    let newest = Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 1 };
    let Answer::Page(page) = store.run(&newest).await? else { return Ok(None) };
    let Some(row) = page.rows.first() else {
        lines.push(Line::new("note", source.profile.name.clone(), "", "the table has no rows yet"));
        return Ok(None);
    };
    let page = |checks: Vec<Check>| {
        let all = checks.into_iter().map(|check| Clause { negated: false, check }).collect();
        Query::Page { criteria: Criteria { all }, anchor: Anchor::Older(row.cursor()), limit: 200 }
    };
    let named = |id: &Id| match id {
        Id::Uuid(id) => NameMatch::Uuid(*id),
        other => NameMatch::Name(Pattern::Is(other.raw())),
    };
    let kind = KindMatch::Name(Pattern::Is(row.kind.raw().to_owned()));
    let slice = TimeSlice::Time { from: row.cursor().at, after: None, until: None };
    let new = TailQuery::Rows { criteria: Criteria::default(), slice, limit: 200, whole: false };
    let mut queries = vec![
        ("the newest events", Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 200 }, true),
        ("the events before one", page(Vec::new()), true),
        ("the events of a type", page(vec![Check::Kind(vec![kind])]), false),
        ("one event", Query::Event { id: row.id.clone() }, false),
        ("what is new", Query::Tail(new), false),
    ];
    if let Some(id) = row.device_id() {
        queries.push(("the events of a device", page(vec![Check::Device(vec![named(id)])]), false));
    }
    if let Some(id) = &row.org_id {
        queries.push(("the events of an organization", page(vec![Check::Org(vec![named(id)])]), false));
    }
    for (name, query, ordered) in queries {
        let plan = explain(store, &source, &query).await?;
        let fault = fault(&source, &plan, ordered);
        let (state, detail) = match fault {
            Some(step) => ("no index", step),
            None => ("by index", index(&plan).unwrap_or_default()),
        };
        lines.push(Line::new("query", name, state, detail));
    }
    match store.run(&Query::Event { id: row.id.clone() }).await? {
        Answer::Event(event) => Ok(event),
        _ => Ok(None),
    }
}

/// The first index that a plan names.
fn index(plan: &[String]) -> Option<String> {
    let words: Vec<&str> = plan.iter().flat_map(|line| line.split_whitespace()).collect();
    let named = words.windows(2).find(|pair| matches!(pair, ["using" | "INDEX", _]));
    named.and_then(|pair| pair.last()).map(|name| (*name).to_owned())
}

/// The plan of a query with full scans and sorts discouraged.
async fn explain(store: &Store, source: &Source, query: &Query) -> Result<Vec<String>, SourceError> {
    let mut session = store.0.pool.acquire().await?;
    session.tune(source.has_all_indexes()).await?;
    if source.dialect == Dialect::Postgres {
        let text =
            "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('enable_seqscan', 'enable_sort')";
        let sql = Sql::plain(source.dialect, text);
        session.conn()?.rows(&sql, &[CellType::Text]).await?;
    }
    session.collect_plans(aggregate::explain(source.dialect));
    queries::answer(&store.0, &mut session, query).await?;
    session.finish().await?;
    Ok(session.plans())
}

/// For each line of a PostgreSQL plan, whether the step is below a limit: a sort above one is that of a page. A
/// subplan is another query.
fn below_limit(plan: &[String]) -> Vec<bool> {
    let (mut limit, mut subplan) = (None, None);
    let below = |line: &String| {
        let step = line.trim_start();
        let indent = line.len() - step.len();
        let leaves = |at: &Option<usize>| at.is_some_and(|at| indent <= at);
        if leaves(&limit) {
            limit = None;
        }
        if leaves(&subplan) {
            subplan = None;
        }
        if step.starts_with("SubPlan") {
            subplan = Some(indent);
        } else if subplan.is_none()
            && limit.is_none()
            && step.trim_start_matches("->").trim_start().starts_with("Limit ")
        {
            limit = Some(indent);
        }
        limit.is_some() && subplan.is_none()
    };
    plan.iter().map(below).collect()
}

/// The step of a plan that reads the whole event table, or sorts all of it for a page.
fn fault(source: &Source, plan: &[String], ordered: bool) -> Option<String> {
    let steps: Vec<&str> = plan.iter().map(|line| line.trim().trim_start_matches("->").trim_start()).collect();
    let found = match source.dialect {
        Dialect::Postgres => {
            let table = format!("Seq Scan on {} ", source.profile.relation.table.name());
            let sort = plan.iter().zip(&steps).filter(|_| ordered).zip(below_limit(plan));
            let sort = sort.filter(|((_, step), below)| *below && step.starts_with("Sort  (")).map(|((_, s), _)| s);
            steps.iter().find(|s| s.contains(&table)).or(sort.into_iter().next())
        }
        Dialect::Sqlite => {
            // The page itself, at most one screen's rows, is scanned and sorted once more.
            let pages = steps.iter().filter(|s| s.starts_with("CO-ROUTINE")).count();
            let bare = |s: &&&str| s.starts_with("SCAN ") && !s.contains(" USING ") && !s.contains("CONSTANT");
            let scan = steps.iter().filter(bare).find(|s| **s != "SCAN e");
            let scan = scan.or_else(|| steps.iter().filter(bare).nth(pages));
            let sorts = |s: &&&str| ordered && s.contains("TEMP B-TREE FOR ORDER BY");
            scan.or_else(|| steps.iter().filter(sorts).nth(pages))
        }
    };
    found.map(|step| (*step).to_owned())
}
