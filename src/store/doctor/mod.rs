//! What works on a database and what does not, and why.
//!
//! Called by the command `doctor`. Each fact is read from the database, not guessed from a version. Nothing here changes
//! the database. A query that fails is a finding; only an unreachable database is an error.

mod files;
mod postgres;

use std::collections::BTreeMap;

use crate::domain::instant::Instant;
use crate::protocol::SourceError;
use crate::store::Store;
use crate::store::source::Source;
use crate::store::source::catalog;
use crate::store::source::catalog::{CORE, EVENTS, Table};
use crate::store::sql::Dialect;

/// How much of something works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Ok,
    /// It works, but less well than it could.
    Reduced,
    Off,
}

/// One line of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub topic: &'static str,
    pub state: State,
    /// The fact, and its consequence.
    pub found: String,
    /// What to do about it, if anything helps.
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(topic: &'static str, found: impl Into<String>) -> Self {
        Self { topic, state: State::Ok, found: found.into(), remedy: None }
    }
    fn reduced(topic: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        let remedy = Some(remedy.to_owned()).filter(|r| !r.is_empty());
        Self { topic, state: State::Reduced, found: found.into(), remedy }
    }
    fn off(topic: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { state: State::Off, ..Self::reduced(topic, found, remedy) }
    }
}

/// Examines the database of a read-only store. `clock` is the local clock.
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
    findings.extend(rights(&tables, main, dialect));
    if dialect == Dialect::Postgres {
        findings.push(postgres::notifications(&mut session, &tables, main).await?);
    }
    match &source {
        Ok(source) => findings.extend(of_source(source)),
        Err(e) => findings.push(Finding::off("events", e.to_string(), e.next_step())),
    }
    Ok(findings)
}

/// Which tables this role may read; `main` holds the events.
fn rights(tables: &BTreeMap<String, Table>, main: &str, dialect: Dialect) -> Vec<Finding> {
    let without = |name: &str| match name {
        "organizations" => "organizations are shown by id",
        "devices" => "devices are shown by id",
        "_sqlx_migrations" => "the applied migrations are not known",
        _ => "its contents are missing",
    };
    let refused = |(name, _): (&String, &Table)| {
        let remedy = format!("GRANT SELECT ON {name} TO this role");
        match name == main {
            true => Finding::off("rights", format!("no SELECT on '{name}'"), &remedy),
            false => Finding::reduced("rights", format!("no SELECT on '{name}': {}", without(name)), &remedy),
        }
    };
    let mut findings: Vec<_> = tables.iter().filter(|(_, table)| !table.readable).map(refused).collect();
    if findings.is_empty() && dialect == Dialect::Postgres {
        let names: Vec<&str> = tables.keys().map(String::as_str).collect();
        findings.push(Finding::ok("rights", format!("SELECT on {}", names.join(", "))));
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
    // Notes on indexes repeat the findings above.
    let notes = source.notes.iter().filter(|note| !note.contains(" index"));
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
    match (source.search.error, source.search.reason || source.map.reason.is_none()) {
        (true, true) => Finding::ok(topic, "all present"),
        (false, false) => {
            let found = "none: text search scans rows, newest first";
            Finding::reduced(topic, found, &format!("{make} if that is too slow"))
        }
        _ => Finding::reduced(topic, "one of two: text search scans rows", make),
    }
}
