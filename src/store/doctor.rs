//! What can be done on a database and what cannot, and why: each fact looked at where it is, not guessed from a version.
//!
//! Nothing here changes anything. A look that fails is a finding of its own; only a database that cannot be had at all
//! is an error.

mod files;
mod postgres;

use std::collections::BTreeMap;

use super::catalog::{self, CORE, EVENTS, Table};
use super::source::Source;
use super::{Dialect, Store};
use crate::domain::instant::Instant;
use crate::protocol::SourceError;

/// How much of something works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Ok,
    /// It works, with less than could be.
    Reduced,
    Off,
}

/// One line of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub topic: &'static str,
    pub state: State,
    /// What was found, and what follows from it.
    pub found: String,
    /// What would make it better, where something would.
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

/// Looks at the database of a store that reads. `clock` tells the time here.
pub async fn examine(store: &Store, clock: fn() -> Instant) -> Result<Vec<Finding>, SourceError> {
    let mut session = store.0.pool.acquire().await?;
    let mut findings = match store.address().path() {
        None => postgres::examine(&mut session, store.address(), clock).await?,
        Some(path) => files::examine(&mut session, path).await?,
    };
    let tables = catalog::tables(session.conn()?, &CORE).await?;
    findings.extend(rights(&tables, session.conn()?.dialect()));
    match store.0.source(&mut session).await {
        Ok(source) => findings.extend(of_source(&source)),
        Err(e) if e.is_connection() => return Err(e),
        Err(e) => findings.push(Finding::off("events", e.to_string(), e.next_step())),
    }
    Ok(findings)
}

/// What of the tables can be read.
fn rights(tables: &BTreeMap<String, Table>, dialect: Dialect) -> Vec<Finding> {
    let optional = [
        ("organizations", "organisations are shown by id"),
        ("devices", "devices are shown by id"),
        ("_sqlx_migrations", "it is not known that renewscope made the table, so it is only read"),
    ];
    let mut findings = Vec::new();
    if tables.get(EVENTS).is_some_and(|t| !t.readable) {
        let found = format!("'{EVENTS}' may not be read");
        findings.push(Finding::off("rights", found, &format!("GRANT SELECT ON {EVENTS} TO this role")));
    }
    for (name, so) in optional {
        match tables.get(name) {
            Some(table) if !table.readable => {
                let remedy = format!("GRANT SELECT ON {name} TO this role");
                findings.push(Finding::reduced("rights", format!("'{name}' may not be read: {so}"), &remedy));
            }
            _ => {}
        }
    }
    if findings.is_empty() && dialect == Dialect::Postgres {
        let names: Vec<&str> = tables.keys().map(String::as_str).collect();
        findings.push(Finding::ok("rights", format!("all may be read: {}", names.join(", "))));
    }
    findings
}

/// What the table itself allows.
fn of_source(source: &Source) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("events", format!("the table is of the kind '{}'", source.profile.name))];
    findings.push(if source.has_all_indexes() {
        Finding::ok("paging indexes", "all are there: a page costs what its rows cost")
    } else {
        let found = "some are missing: pages and counts read more than they show";
        Finding::reduced("paging indexes", found, "run 'renewscope db index'")
    });
    findings.push(match (source.search.error, source.search.reason || source.map.reason.is_none()) {
        (true, true) => Finding::ok("search indexes", "words in errors and reasons are found at once"),
        (false, false) => Finding::reduced(
            "search indexes",
            "none: words are looked for row by row, newest first",
            "run 'renewscope db index --search' where that is too slow",
        ),
        _ => Finding::reduced(
            "search indexes",
            "one of two: words are looked for row by row",
            "run 'renewscope db index --search'",
        ),
    });
    // What concerns the indexes has been said above.
    let notes = source.notes.iter().filter(|note| !note.contains("indexes"));
    findings.extend(notes.map(|note| Finding::reduced("events", note.clone(), "")));
    findings
}
