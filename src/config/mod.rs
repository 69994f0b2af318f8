//! The command line and the environment as meant: one value of settings, each with the place it came from.
//!
//! [`cli`] holds what was typed; here it is checked and completed. Nothing here opens a database or prints.

pub mod cli;
pub mod file;
pub mod paths;
pub mod sources;

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use file::File;
use sources::Sources;

use crate::app::alert::Alert;
use crate::app::columns::Columns;
use crate::app::keymap::Keymap;
use crate::domain::filter::Filter;
use crate::domain::text::Clean;
use crate::domain::zone::Zone;
use crate::store::Address;
use crate::ui::skin::Theme;

/// Where a setting came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Option(&'static str),
    Variable(&'static str),
    /// The configuration file.
    File,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "option {name}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::File => f.write_str("configuration file"),
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
    /// What describes the event table.
    pub sources: Sources,
    /// The file in the user's data directory, which is made and migrated when it is missing.
    pub embedded: bool,
    pub zone: Setting<Zone>,
    pub filter: Setting<Filter>,
    /// Named filters.
    pub views: Vec<(String, Filter)>,
    pub keymap: Keymap,
    pub columns: Option<Columns>,
    pub theme: Option<Theme>,
    pub alert: Option<Alert>,
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// The name by which the database was asked for, where it has one.
    pub database_name: Option<String>,
    /// The named databases; of one that cannot be read, why.
    pub databases: Vec<(String, Result<Address, String>)>,
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
    /// `line` 0: not known.
    #[error("{path}{}: {why}", if *line > 0 { format!(", line {line}") } else { String::new() })]
    File { path: String, line: usize, why: String },
    #[error("{origin}: {why}")]
    Source { origin: Origin, why: String },
    #[error("no view '{name}'; {valid}")]
    View { name: String, valid: String },
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
        file: File,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let chosen = database(global, &file, &variable)?;
        let filter = Filter::parse(&filter.join(" ")).map_err(|e| ConfigError::Filter(e.to_string()))?;
        Ok(Self {
            database: chosen.address,
            sources: Sources::resolve(global.source.as_deref(), file.source.as_deref())?,
            embedded: chosen.embedded,
            database_name: chosen.name,
            databases: file.databases.iter().map(|(name, one)| (name.clone(), named(one, &file))).collect(),
            zone: zone(global, &file)?,
            filter: view(global, &file, filter)?,
            views: file.views.into_iter().collect(),
            keymap: file.keymap,
            columns: file.columns,
            theme: file.theme,
            alert: file.alert,
            file: file.path,
            color: color(global, &variable),
            ascii: global.ascii || file.ascii,
            limit: global.limit,
        })
    }
}

impl Config {
    /// The same settings on another of the named databases, by whatever profile fits it.
    pub fn on(&self, name: &str) -> Result<Self, ConfigError> {
        let told = |why: String| ConfigError::Database { origin: Origin::File, why };
        let found = self.databases.iter().find(|(known, _)| known == name);
        let address = found.map(|(_, address)| address.clone()).unwrap_or_else(|| Err(format!("no database '{name}'")));
        let mut other = self.clone();
        other.database = Setting { value: address.map_err(told)?, origin: Origin::File };
        other.embedded = false;
        other.database_name = Some(name.to_owned());
        other.sources = self.sources.unnamed();
        Ok(other)
    }
}

/// A database that was chosen.
struct Chosen {
    address: Setting<Address>,
    embedded: bool,
    name: Option<String>,
}

fn database(
    global: &cli::Global,
    file: &File,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Chosen, ConfigError> {
    let from_variable =
        || DATABASE_VARIABLES.iter().find_map(|name| Some((variable(name).filter(|v| !v.is_empty())?, *name)));
    let asked = match &global.db {
        Some(text) => Some((text.clone(), Origin::Option("--db"))),
        None => match from_variable() {
            Some((text, name)) => Some((text, Origin::Variable(name))),
            None => file.db.clone().map(|text| (text, Origin::File)),
        },
    };
    let Some((text, origin)) = asked else {
        let value = Address::sqlite(embedded_file()?);
        return Ok(Chosen { address: Setting { value, origin: Origin::Default }, embedded: true, name: None });
    };
    let named = file.databases.get(&text);
    let told = |why: String| ConfigError::Database { origin, why: Clean::line(&why).as_str().to_owned() };
    if named.is_none() && !text.contains([':', '/', '.', '=']) {
        let names = file.databases.keys().cloned().collect::<Vec<_>>().join(", ");
        let valid = if names.is_empty() {
            "the configuration file names none".to_owned()
        } else {
            format!("named are {names}")
        };
        return Err(told(format!("'{text}' is neither an address nor the name of a database; {valid}")));
    }
    let written = named.cloned().unwrap_or_else(|| file::Database { url: text.clone(), password_command: None });
    let value = self::named(&written, file).map_err(told)?;
    Ok(Chosen { address: Setting { value, origin }, embedded: false, name: named.map(|_| text) })
}

/// The address of a database with the command that gives its password.
fn named(database: &file::Database, file: &File) -> Result<Address, String> {
    let address = Address::parse(&database.url).map_err(|e| e.to_string())?;
    let command = database.password_command.as_ref().or(file.password_command.as_ref());
    Ok(match command {
        Some(command) => address.with_password_command(command),
        None => address,
    })
}

/// The words of a filter count before `--view`, that before the view of the configuration; words and `--view` hold both.
fn view(global: &cli::Global, file: &File, words: Filter) -> Result<Setting<Filter>, ConfigError> {
    let (name, origin) = match (&global.view, &file.view) {
        (Some(name), _) => (name, Origin::Option("--view")),
        (None, Some(name)) if words.is_empty() => (name, Origin::File),
        (None, _) => return Ok(Setting { value: words, origin: Origin::Default }),
    };
    let Some(found) = file.views.get(name) else {
        let names = file.views.keys().cloned().collect::<Vec<_>>().join(", ");
        let valid = if names.is_empty() {
            "the configuration file names none".to_owned()
        } else {
            format!("named are {names}")
        };
        return Err(ConfigError::View { name: Clean::line(name).as_str().to_owned(), valid });
    };
    let both = format!("{found} {words}");
    let value = Filter::parse(both.trim()).map_err(|e| ConfigError::Filter(e.to_string()))?;
    Ok(Setting { value, origin })
}

fn embedded_file() -> Result<PathBuf, ConfigError> {
    let file = paths::embedded_database().ok_or(ConfigError::NoHome)?;
    if file.to_str().is_none() {
        return Err(ConfigError::Path(Clean::line(&file.to_string_lossy()).as_str().to_owned()));
    }
    Ok(file)
}

fn zone(global: &cli::Global, file: &File) -> Result<Setting<Zone>, ConfigError> {
    let (name, origin) = match (&global.tz, &file.tz) {
        (Some(name), _) => (name, Origin::Option("--tz")),
        (None, Some(name)) => (name, Origin::File),
        (None, None) => return Ok(Setting { value: Zone::Utc, origin: Origin::Default }),
    };
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
        Config::resolve(&global, &[], File::default(), |name| {
            set.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone())
        })
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
