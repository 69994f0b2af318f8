//! The command line and the environment as meant: one value of settings, each with the place it came from.
//!
//! [`cli`] holds what was typed; here it is checked and completed. Nothing here opens a database or prints.

pub mod cli;
pub mod paths;

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::domain::filter::Filter;
use crate::domain::text::Clean;
use crate::domain::zone::Zone;
use crate::store::Address;

/// Where a setting came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Option(&'static str),
    Variable(&'static str),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "option {name}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    pub value: T,
    pub origin: Origin,
}

/// What every command needs to know. Holds the password of the database, which its `Debug` does not show.
#[derive(Clone, Debug)]
pub struct Config {
    pub database: Setting<Address>,
    /// The file in the user's data directory, which is made and migrated when it is missing.
    pub embedded: bool,
    pub zone: Setting<Zone>,
    pub filter: Filter,
    pub color: cli::When,
    pub ascii: bool,
    pub limit: Option<u64>,
}

/// Why settings cannot be used. Never holds a secret.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ConfigError {
    #[error("{origin}: {why}")]
    Database { origin: Origin, why: String },
    #[error("{origin}: {why}")]
    Zone { origin: Origin, why: String },
    #[error("{0}")]
    Filter(String),
    #[error("no home directory is known, so there is no place for the event file; name one with '--db sqlite:PATH'")]
    NoHome,
    #[error("the data directory '{0}' is no UTF-8 text; name a file with '--db sqlite:PATH'")]
    Path(String),
}

/// The variables that name a database, the first that is set counts.
const DATABASE_VARIABLES: [&str; 2] = ["RENEWSCOPE_DB", "DATABASE_URL"];

impl Config {
    /// Settles the options, the words of a filter (joined with spaces) and the environment, which `variable` reads.
    pub fn resolve(
        global: &cli::Global,
        filter: &[String],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let (database, embedded) = database(global, &variable)?;
        let filter = Filter::parse(&filter.join(" ")).map_err(|e| ConfigError::Filter(e.to_string()))?;
        Ok(Self {
            database,
            embedded,
            zone: zone(global)?,
            filter,
            color: color(global, &variable),
            ascii: global.ascii,
            limit: global.limit,
        })
    }
}

fn database(
    global: &cli::Global,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<(Setting<Address>, bool), ConfigError> {
    let from_variable =
        || DATABASE_VARIABLES.iter().find_map(|name| Some((variable(name).filter(|v| !v.is_empty())?, *name)));
    let (text, origin) = match &global.db {
        Some(text) => (text.clone(), Origin::Option("--db")),
        None => match from_variable() {
            Some((text, name)) => (text, Origin::Variable(name)),
            None => {
                let address = Address::sqlite(embedded_file()?);
                return Ok((Setting { value: address, origin: Origin::Default }, true));
            }
        },
    };
    match Address::parse(&text) {
        Ok(value) => Ok((Setting { value, origin }, false)),
        Err(e) => Err(ConfigError::Database { origin, why: Clean::line(&e.to_string()).as_str().to_owned() }),
    }
}

fn embedded_file() -> Result<PathBuf, ConfigError> {
    let file = paths::embedded_database().ok_or(ConfigError::NoHome)?;
    if file.to_str().is_none() {
        return Err(ConfigError::Path(Clean::line(&file.to_string_lossy()).as_str().to_owned()));
    }
    Ok(file)
}

fn zone(global: &cli::Global) -> Result<Setting<Zone>, ConfigError> {
    let Some(name) = &global.tz else { return Ok(Setting { value: Zone::Utc, origin: Origin::Default }) };
    let origin = Origin::Option("--tz");
    let local = name.eq_ignore_ascii_case("local");
    let machine = if local { iana_time_zone::get_timezone().ok() } else { None };
    if local && machine.is_none() {
        let why = "the zone of this machine is not known; name one, as in '--tz Europe/Berlin'".to_owned();
        return Err(ConfigError::Zone { origin, why });
    }
    let value = Zone::parse(machine.as_deref().unwrap_or(name));
    let value =
        value.map_err(|e| ConfigError::Zone { origin, why: Clean::line(&e.to_string()).as_str().to_owned() })?;
    Ok(Setting { value, origin })
}

/// `NO_COLOR` with any content turns colour off, unless the option says otherwise.
fn color(global: &cli::Global, variable: &impl Fn(&str) -> Option<String>) -> cli::When {
    match global.color {
        Some(when) => when,
        None if variable("NO_COLOR").is_some_and(|v| !v.is_empty()) => cli::When::Never,
        None => cli::When::Auto,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn resolve(global: cli::Global, set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let set: Vec<(String, String)> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::resolve(&global, &[], |name| set.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
    }

    #[test]
    fn the_nearest_name_of_a_database_counts() {
        let option = cli::Global { db: Some("sqlite:a.db".into()), ..cli::Global::default() };
        let own = ("RENEWSCOPE_DB", "sqlite:b.db");
        let common = ("DATABASE_URL", "sqlite:c.db");
        for (global, set, address, origin) in [
            (option, vec![own, common], "sqlite:a.db", "option --db"),
            (cli::Global::default(), vec![common, own], "sqlite:b.db", "environment RENEWSCOPE_DB"),
            (cli::Global::default(), vec![("RENEWSCOPE_DB", ""), common], "sqlite:c.db", "environment DATABASE_URL"),
        ] {
            let config = resolve(global, &set).unwrap();
            assert_eq!(config.database.value.to_string(), address);
            assert_eq!(config.database.origin.to_string(), origin);
            assert!(!config.embedded);
        }
        assert!(resolve(cli::Global::default(), &[]).unwrap().embedded);
    }

    #[test]
    fn a_password_is_in_no_error_and_in_no_debug() {
        let global = |db: &str| cli::Global { db: Some(db.into()), ..cli::Global::default() };
        for db in ["postgres://a:s3cret@h/d?nonsense=s3cret", "pg://a:s3cret@h/d", "postgres://a:s3cret@h:x/d"] {
            let Err(e) = resolve(global(db), &[]) else { panic!("{db} was taken") };
            assert!(!e.to_string().contains("s3cret"), "{e}");
        }
        let config = resolve(global("postgres://a:s3cret@h/d"), &[]).unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(!format!("{:?}", global("postgres://a:s3cret@h/d")).contains("s3cret"));
    }
}
