//! Which profile describes a database: those that fit, those that nearly fit, and what these lack.
//!
//! Called for each new store, and by `sources detect` and `schema`. It reads the catalog and never a row of events.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::suggest::nearest;
use crate::domain::text::Clean;
use crate::profile::choice::Profiles;
use crate::profile::{Backend, OWN, SourceProfile};
use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::source::catalog;
use crate::store::source::catalog::{CORE, Candidates, EVENTS, Table};
use crate::store::source::columns::SqlIdent;
use crate::store::source::own::{self, MIGRATIONS, Made};
use crate::store::source::row_security;
use crate::store::source::search_index;
use crate::store::source::{Found, Source};
use crate::store::sql::Dialect;

/// How a profile fits a database.
#[derive(Clone, Debug)]
pub struct Fit {
    pub profile: Arc<SourceProfile>,
    /// The table of its events exists.
    pub is_near: bool,
    /// What is missing, in words; empty if it fits.
    pub missing: Vec<String>,
}

impl Fit {
    /// Whether nothing is missing.
    pub fn fits(&self) -> bool {
        self.missing.is_empty()
    }
}

/// The tables that the profiles name, as the database has them, and how each profile fits.
pub struct Survey {
    pub dialect: Dialect,
    pub tables: Candidates,
    pub fits: Vec<Fit>,
    /// Who made the table that renewscope and Flight Control call alike.
    pub made: Made,
}

/// The profiles' name of a database.
pub const fn backend(dialect: Dialect) -> Backend {
    match dialect {
        Dialect::Postgres => Backend::Postgres,
        Dialect::Sqlite => Backend::Sqlite,
    }
}

/// Compares all profiles with the database.
pub async fn survey(conn: &mut Conn, profiles: &Profiles) -> Result<Survey, SourceError> {
    let dialect = conn.dialect();
    let mut names: Vec<&str> = CORE.to_vec();
    names.extend(profiles.all.iter().flat_map(|p| p.needs.keys()).map(|t| t.name()));
    names.sort_unstable();
    names.dedup();
    let tables = catalog::candidates(conn, &names).await?;
    let made = own::made(conn, &tables.around(EVENTS)).await?;
    let fits = profiles.all.iter().map(|profile| {
        let tables = tables.around(profile.relation.table.name());
        fit(profile, dialect, &tables, made)
    });
    let fits = fits.collect();
    Ok(Survey { dialect, tables, fits, made })
}

/// Compares one profile with the tables around its event table.
fn fit(profile: &Arc<SourceProfile>, dialect: Dialect, tables: &BTreeMap<String, Table>, made: Made) -> Fit {
    let backend = backend(dialect);
    let mut missing = Vec::new();
    if !profile.databases.contains(&backend) {
        missing.push(format!("it is not for {}", backend.name()));
    }
    let main = &profile.relation.table;
    // The catalog says who made the tables, also to a role that may not read what the migrations recorded.
    let recorded = |name: &SqlIdent| profile.is_own() && name.name() == MIGRATIONS;
    for (name, columns) in profile.needs.iter().filter(|(name, _)| !recorded(name)) {
        match tables.get(name.name()) {
            None => missing.push(format!("relation '{}' not found", name.name())),
            // For the event table itself the query reports it.
            Some(table) if !table.readable && name != main => {
                missing.push(format!("relation '{}' may not be read", name.name()))
            }
            Some(table) => {
                let absent = columns.iter().filter(|c| table.column(c.name()).is_none());
                missing.extend(absent.map(|c| format!("relation '{}' has no column '{}'", name.name(), c.name())));
            }
        }
    }
    // These two share a table; the migrations table tells them apart.
    match (profile.name.as_str(), profile.file.is_none(), made != Made::Elsewhere) {
        (OWN, true, false) => missing.push("the tables were not made by renewscope".to_owned()),
        ("flightctl", true, true) => missing.push("the tables were made by renewscope".to_owned()),
        _ => {}
    }
    let is_near = profile.databases.contains(&backend) && profile.name != OWN && tables.contains_key(main.name());
    Fit { profile: Arc::clone(profile), is_near, missing }
}

/// Describes the source by the profile that was named, or by the only one that fits. [`SourceError::Shape`] if none
/// fits, [`SourceError::Unfit`] if the name is unknown or several fit.
pub async fn detect(conn: &mut Conn, profiles: &Profiles) -> Result<Source, SourceError> {
    let survey = survey(conn, profiles).await?;
    let fit = choose(&survey, profiles)?;
    let mut source = source(conn, &survey, &fit.profile).await?;
    let others: Vec<_> = survey.fits.iter().filter(|f| f.fits() && f.profile.name != fit.profile.name).collect();
    if profiles.named.is_none() && !others.is_empty() {
        let names: Vec<_> = others.iter().map(|f| format!("'{}'", f.profile.name)).collect();
        source.notes.push(format!(
            "the source '{}' was chosen; {} would fit too: choose with '--source NAME'",
            fit.profile.name,
            names.join(", ")
        ));
        source.chosen = source.notes.last().cloned();
    }
    Ok(source)
}

/// Describes the source by this profile, even if others fit too.
pub async fn source(conn: &mut Conn, survey: &Survey, profile: &Arc<SourceProfile>) -> Result<Source, SourceError> {
    let table = profile.relation.table.name();
    let tables = survey.tables.around(table);
    let schema = tables.get(table).and_then(|t| t.schema.as_deref());
    let indexes = catalog::indexes(conn, schema, table).await?;
    let search = if table == EVENTS { search_index::indexes(conn, schema).await? } else { Vec::new() };
    if let Some(refused) = tables.get(table).and_then(|t| refused(profile, t)) {
        return Err(SourceError::Unfit(refused));
    }
    let found = Found { dialect: survey.dialect, tables: &tables, indexes: &indexes, search: &search };
    let mut source = Source::build(profile, &found)?;
    source.is_written = profile.is_own() && survey.made == Made::Here;
    if profile.is_own() && !source.is_written {
        source
            .notes
            .push("the tables are like those of renewscope, but no migration is recorded: they are only read".into());
    }
    source.hidden = row_security::note(&row_security::filtered(conn, &tables).await?);
    if source.is_own() {
        source.obstacle = own::obstacle(conn, &tables).await?;
    }
    source.notes.extend([source.hidden.clone(), source.obstacle.clone()].into_iter().flatten());
    Ok(source)
}

/// The columns of the event table that the profile needs and this role may not read, where it may read others.
fn refused(profile: &SourceProfile, table: &Table) -> Option<String> {
    let needed = profile.needs.get(&profile.relation.table)?;
    let refused = |name: &&str| table.column(name).is_some_and(|c| !c.readable);
    let refused: Vec<&str> = needed.iter().map(|c| c.name()).filter(refused).collect();
    if table.readable || refused.is_empty() || table.columns.iter().all(|c| !c.readable) {
        return None;
    }
    let (name, columns) = (profile.relation.table.name(), refused.join("', '"));
    Some(format!("this role may not read '{columns}' of '{name}'; GRANT SELECT ({}) ON {name}", refused.join(", ")))
}

/// The event table of renewscope or of Flight Control: what indexes can be added to.
pub async fn events(conn: &mut Conn) -> Result<Source, SourceError> {
    let mut profiles = Profiles::default();
    profiles.all.retain(|p| p.relation.table.name() == EVENTS);
    detect(conn, &profiles).await
}

/// The source to use: the one that was named, our own tables, or the only one that fits.
fn choose<'a>(survey: &'a Survey, profiles: &Profiles) -> Result<&'a Fit, SourceError> {
    if let Some(name) = &profiles.named {
        return named(survey, name);
    }
    // Own tables are identified by their migrations; a user's profile for Flight Control would fit them too.
    if let Some(own) = survey.fits.iter().find(|f| f.fits() && f.profile.is_own()) {
        return Ok(own);
    }
    let mut fitting = survey.fits.iter().filter(|f| f.fits());
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(SourceError::Shape(nothing(survey))),
        (Some(_), Some(_)) => {
            let names: Vec<_> =
                survey.fits.iter().filter(|f| f.fits()).map(|f| format!("'{}'", f.profile.name)).collect();
            Err(SourceError::Unfit(format!(
                "several source profiles fit this database: {}; choose one with '--source NAME'",
                names.join(", ")
            )))
        }
    }
}

/// The source of a name. The error suggests the nearest name, or says what the source lacks.
fn named<'a>(survey: &'a Survey, name: &str) -> Result<&'a Fit, SourceError> {
    let Some(fit) = survey.fits.iter().find(|f| f.profile.name == name) else {
        let names: Vec<_> = survey.fits.iter().map(|f| f.profile.name.as_str()).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("valid are {}", names.join(", ")),
        };
        return Err(SourceError::Unfit(format!("no source profile '{}'; {hint}", Clean::line(name))));
    };
    if fit.fits() {
        return Ok(fit);
    }
    Err(SourceError::Shape(format!("the source '{name}' does not fit this database: {}", some(&fit.missing))))
}

/// Why nothing fits, and what nearly does.
fn nothing(survey: &Survey) -> String {
    let near = |f: &&Fit| f.is_near && !f.fits();
    let near: Vec<_> = survey
        .fits
        .iter()
        .filter(near)
        .map(|f| format!("'{}' nearly fits: {}", f.profile.name, some(&f.missing)))
        .collect();
    if survey.tables.has(EVENTS) {
        return near.join("; ");
    }
    let mut text = format!(
        "relation '{EVENTS}' not found; check the address and the search path; 'renewscope sources detect' says what each source lacks, and 'renewscope db init' makes tables of renewscope's own"
    );
    if !near.is_empty() {
        text.push_str(&format!("; {}", near.join("; ")));
    }
    text
}

/// The first few of a list.
fn some(missing: &[String]) -> String {
    let mut words: Vec<String> = missing.iter().take(3).cloned().collect();
    if missing.len() > 3 {
        words.push(format!("and {} more", missing.len() - 3));
    }
    words.join(", ")
}
