//! What works on a database and what does not, and why.
//!
//! Called by the command `doctor`. Each fact is read from the database, not guessed from a version. Nothing here changes
//! the database. A query that fails is a finding; only an unreachable database is an error.

mod files;
mod postgres;
mod shadows;

use std::collections::BTreeMap;

use crate::domain::instant::Instant;
use crate::protocol::SourceError;
use crate::store::Store;
use crate::store::connect::session::Session;
use crate::store::queries::horizon;
use crate::store::queries::tail;
use crate::store::queries::unreadable::odd_rows;
use crate::store::source::Source;
use crate::store::source::catalog;
use crate::store::source::catalog::{CORE, EVENTS, Table};
use crate::store::sql::Dialect;

/// The topic of the tail's guarantee.
const OPEN: &str = "open transactions";

/// How much of something works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It works as well as it can.
    Ok,
    /// It works, but less well than it could.
    Reduced,
    /// It does not work on this database.
    Off,
}

/// One line of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What the line is about, as `open transactions`.
    pub topic: &'static str,
    /// How much of it works.
    pub state: State,
    /// The fact, and its consequence.
    pub found: String,
    /// What to do about it, if anything helps.
    pub remedy: Option<String>,
}

impl Finding {
    /// A finding without a remedy, since nothing needs one.
    fn ok(topic: &'static str, found: impl Into<String>) -> Self {
        Self { topic, state: State::Ok, found: found.into(), remedy: None }
    }
    /// A finding of something that works less well; an empty remedy means that nothing helps.
    fn reduced(topic: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        let remedy = Some(remedy.to_owned()).filter(|r| !r.is_empty());
        Self { topic, state: State::Reduced, found: found.into(), remedy }
    }
    /// A finding of something that does not work; an empty remedy means that nothing helps.
    fn off(topic: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { state: State::Off, ..Self::reduced(topic, found, remedy) }
    }
}

/// Examines the database of a read-only store. `clock` is the local clock. Findings come in the order of the report.
pub async fn examine(store: &Store, clock: fn() -> Instant) -> Result<Vec<Finding>, SourceError> {
    let mut session = store.0.pool.acquire().await?;
    let mut findings = match store.address().path() {
        None => postgres::examine(&mut session, store.address(), clock).await?,
        Some(path) => files::examine(&mut session, path).await?,
    };
    let source = match store.0.source(&mut session).await {
        Err(e) if e.is_connection() => return Err(e),
        source => source,
    };
    let main = source.as_ref().map_or(EVENTS, |s| s.profile.relation.table.name());
    let mut names: Vec<&str> = if main == EVENTS { CORE.to_vec() } else { Vec::new() };
    names.extend(source.iter().flat_map(|s| s.profile.needs.keys()).map(|table| table.name()));
    names.sort_unstable();
    names.dedup();
    let conn = session.conn()?;
    let dialect = conn.dialect();
    let tables = catalog::tables(conn, &names, main).await?;
    let schemas = conn.schemas().to_vec();
    findings.extend(rights(&tables, main, &schemas));
    if dialect == Dialect::Postgres {
        findings.push(shadows::examine(&mut session, schemas).await);
        findings.extend(shadows::casts(&mut session).await);
        if let Some(select) = source.as_ref().ok().and_then(|s| s.profile.relation.select.as_deref()) {
            findings.push(shadows::reached(&mut session, select).await);
        }
        findings.push(postgres::notifications(&mut session, &tables, main).await?);
    }
    match &source {
        Ok(source) => {
            findings.push(live_tail(source, &mut session).await.unwrap_or_else(unseen));
            findings.extend(row_security(source));
            findings.extend(of_source(source));
            if let Some(found) = odd_rows(&mut session, source).await? {
                findings.push(Finding::reduced("rows", found, "give each an id and a time of their columns' types"));
            }
        }
        Err(e) => findings.push(Finding::off("events", e.to_string(), e.next_step())),
    }
    Ok(findings)
}

/// What the live tail guarantees, and which transactions it does not see. It reports the same.
async fn live_tail(source: &Source, s: &mut Session) -> Result<Finding, SourceError> {
    let numbered = tail::serial(source, s).await?.is_some();
    let writers = horizon::writers(source, s).await?;
    let guarantee = horizon::guarantee(source, &writers, numbered);
    let topic = OPEN;
    if source.dialect == Dialect::Sqlite {
        return Ok(Finding::ok(topic, guarantee));
    }
    let reasons: Vec<_> = writers.unseen.iter().map(|unseen| unseen.reason()).collect();
    Ok(match writers.unseen.first() {
        None => Finding::ok(topic, format!("all visible: {guarantee}")),
        Some(first) => Finding::reduced(topic, format!("{}: {guarantee}", reasons.join("; ")), first.remedy()),
    })
}

/// The finding that stands for the tail's guarantee where its query failed.
fn unseen(error: SourceError) -> Finding {
    Finding::off(OPEN, format!("the query failed: {error}"), error.next_step())
}

/// Whether policies hide rows from this role. SQLite has none.
fn row_security(source: &Source) -> Option<Finding> {
    let topic = "row security";
    match &source.rights.hidden {
        Some(note) => {
            let remedy = "use a role with BYPASSRLS, or a view of the events whose owner has it";
            Some(Finding::reduced(topic, note.clone(), remedy))
        }
        None if source.dialect == Dialect::Postgres => Some(Finding::ok(topic, "hides no rows from this role")),
        None => None,
    }
}

/// Which tables this role may read; `main` holds the events. `schemas`: the role's search path; empty on SQLite, which has
/// no rights.
fn rights(tables: &BTreeMap<String, Table>, main: &str, schemas: &[String]) -> Vec<Finding> {
    let without = |name: &str| match name {
        "organizations" => "organizations are shown by id",
        "devices" => "devices are shown by id",
        "_sqlx_migrations" => "the applied migrations are not known",
        _ => "its contents are missing",
    };
    let refused = |(name, table): (&String, &Table)| {
        let refused: Vec<_> = table.columns.iter().filter(|c| !c.readable).map(|c| c.name.as_str()).collect();
        let all = refused.len() == table.columns.len();
        let columns = if all { String::new() } else { format!(" ({})", refused.join(", ")) };
        let remedy = format!("GRANT SELECT{columns} ON {name} TO this role");
        match name == main {
            true => Finding::off("rights", format!("no SELECT{columns} on '{name}'"), &remedy),
            false => Finding::reduced("rights", format!("no SELECT{columns} on '{name}': {}", without(name)), &remedy),
        }
    };
    let mut findings: Vec<_> = tables.iter().filter(|(_, table)| !table.readable).map(refused).collect();
    let path = schemas.join(", ");
    match (tables.is_empty(), schemas.is_empty()) {
        (_, true) => {}
        (true, false) => {
            let found = format!("no event table in the schemas of the search path ({path})");
            findings.push(Finding::off(
                "rights",
                found,
                "check the database, the search_path, and USAGE on the schema",
            ));
        }
        (false, false) if findings.is_empty() => {
            let names: Vec<&str> = tables.keys().map(String::as_str).collect();
            findings.push(Finding::ok("rights", format!("SELECT on {}", names.join(", "))));
        }
        _ => {}
    }
    findings
}

/// Findings on the source: its profile, its indexes, its notes.
fn of_source(source: &Source) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("events", format!("read as '{}'", source.profile.name))];
    // 'db index' makes indexes on this table only.
    if source.profile.relation.table.name() == EVENTS {
        findings.extend([paging(source), search(source)]);
    } else if source.indexes.clock {
        findings.push(Finding::ok("paging indexes", "one leads with the time: a page is a range of it"));
    } else {
        let found = "none leads with the time: every page scans the whole table";
        findings.push(Finding::reduced("paging indexes", found, "create one, if the table is yours"));
    }
    // Notes on indexes and row security repeat the findings above.
    let notes =
        source.notes.iter().filter(|note| !note.contains(" index") && Some(*note) != source.rights.hidden.as_ref());
    findings.extend(notes.map(|note| Finding::reduced("events", note.clone(), "")));
    findings
}

fn paging(source: &Source) -> Finding {
    if source.has_all_indexes() {
        return Finding::ok("paging indexes", "all present");
    }
    let found = "some are missing: pages and counts read more rows than they show";
    Finding::reduced("paging indexes", found, "run 'renewscope db index'")
}

fn search(source: &Source) -> Finding {
    let (topic, make) = ("search indexes", "run 'renewscope db index --search'");
    if source.search.stale {
        let found = "the index does not belong to these rows and is not used: a copy of the file, or an older version";
        return Finding::reduced(topic, found, make);
    }
    match (source.search.error, source.search.reason || source.map.reason.is_none()) {
        (true, true) => Finding::ok(topic, "all present"),
        (false, false) => {
            let found = "none: text search scans rows, newest first";
            Finding::reduced(topic, found, &format!("{make} if that is too slow"))
        }
        _ => Finding::reduced(topic, "one of two: text search scans rows", make),
    }
}
