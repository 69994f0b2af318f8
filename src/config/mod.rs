//! Command line, environment and configuration file, merged into one [`Config`], with the origin of each setting.
//!
//! `headless/mod.rs` calls [`Config::resolve`] once. Nothing here opens a database, prints, or depends on a command.

pub mod cli;
pub mod file;
pub mod limits;
pub mod negations;
pub mod paths;
pub mod rules;
pub mod sources;
pub mod zone;

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use file::File;
use limits::Limits;
use sources::Sources;

use crate::console::alert::Alert;
use crate::console::keymap::Keymap;
use crate::domain::filter::Filter;
use crate::domain::text::Clean;
use crate::domain::zone::Zone;
use crate::store::Address;
use crate::ui::skin::Theme;
use crate::views::events::columns::EventColumns;

/// The origin of a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A command-line option, by its name with hyphens.
    Option(&'static str),
    /// An environment variable, by its name.
    Variable(&'static str),
    /// The configuration file.
    File,
    /// Nothing set it.
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

/// A value and its origin.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    /// The value that is in effect.
    pub value: T,
    /// Which place set it.
    pub origin: Origin,
}

/// The settings of every command. It can hold the password of the database, which its `Debug` does not show.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address of the selected database.
    pub database: Setting<Address>,
    /// The source profiles, one of which describes the event table.
    pub sources: Sources,
    /// Whether the database is the default file in the user's data directory.
    pub embedded: bool,
    /// The zone in which times are read and shown; UTC unless set.
    pub zone: Setting<Zone>,
    /// The filter to start with: terms, a view, or both.
    pub filter: Setting<Filter>,
    /// Named filters.
    pub views: Vec<(String, Filter)>,
    pub console: Console,
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// The configured name of the database, if it was selected by name.
    pub database_name: Option<String>,
    /// The named databases; for an invalid address, the reason.
    pub databases: Vec<(String, Result<Address, String>)>,
    /// When to use color: `--color`, else `NO_COLOR`, else by the terminal.
    pub color: cli::When,
    /// Whether to draw with ASCII characters only: by the option, else by the file, else by the locale.
    pub ascii: bool,
    /// How many rows, and how long a statement may run.
    pub limits: Limits,
    /// A value of the filter that no event has is an error.
    pub strict: bool,
    /// How devices are judged; from the configuration file.
    pub rules: rules::Rules,
}

/// Settings of the console alone.
#[derive(Clone, Debug)]
pub struct Console {
    pub keymap: Keymap,
    pub columns: Option<EventColumns>,
    pub theme: Option<Theme>,
    pub alert: Option<Alert>,
}

/// Why a setting is invalid. Never holds a secret.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ConfigError {
    /// The address, or the name of a database, is invalid.
    #[error("{origin}: {why}")]
    Database { origin: Origin, why: String },
    /// The statement timeout is no duration, or too long.
    #[error("{origin}: {why}")]
    Limit { origin: Origin, why: String },
    /// The time zone is unknown.
    #[error("{origin}: {why}")]
    Zone { origin: Origin, why: String },
    /// The filter terms have a mistake; the text is the parser's message.
    #[error("{0}")]
    Filter(String),
    /// `line` 0: unknown.
    #[error("{path}{}: {why}", if *line > 0 { format!(", line {line}") } else { String::new() })]
    File { path: String, line: usize, why: String },
    /// The source profile is unknown or invalid.
    #[error("{origin}: {why}")]
    Source { origin: Origin, why: String },
    /// No view has the requested name.
    #[error("no view '{name}'; {valid}")]
    View { name: String, valid: String },
    /// The default database needs the home directory.
    #[error(
        "no default database: HOME is unset or not an absolute path; set it, or name a database with '--db sqlite:PATH'"
    )]
    NoHome,
    /// The path of the default database cannot be written in an address.
    #[error("no default database: the path '{0}' is not UTF-8; name a file with '--db sqlite:PATH'")]
    Path(String),
}

/// The variables that name a database; the first one that is set overrides the others.
const DATABASE_VARIABLES: [&str; 2] = ["RENEWSCOPE_DB", "DATABASE_URL"];

impl Config {
    /// Merges the options, the filter terms and the environment, which `variable` reads. Options override variables,
    /// which override the configuration file. The first invalid setting is the error.
    pub fn resolve(
        global: &cli::Global,
        filter: &[String],
        file: File,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let chosen = database(global, &file, &variable)?;
        let limits = Limits::resolve(global, &file, &variable)?;
        let filter = Filter::parse(&filter.join(" ")).map_err(|e| ConfigError::Filter(e.to_string()))?;
        Ok(Self {
            database: chosen.address,
            sources: Sources::resolve(global.source.as_deref(), file.source.as_deref())?,
            embedded: chosen.embedded,
            database_name: chosen.name,
            databases: file.databases.iter().map(|(name, one)| (name.clone(), named(one, &file))).collect(),
            zone: zone::zone(global, &file, &variable)?,
            filter: view(global, &file, filter)?,
            views: file.views.into_iter().collect(),
            console: Console { keymap: file.keymap, columns: file.columns, theme: file.theme, alert: file.alert },
            file: file.path,
            color: color(global, &variable),
            ascii: global.ascii || file.ascii.unwrap_or_else(|| is_ascii_locale(&variable)),
            limits,
            strict: global.strict,
            rules: file.rules,
        })
    }
}

impl Config {
    /// The same settings on another named database, with the profile that fits it. Fails for an unknown name and for a
    /// named database whose address is invalid.
    pub fn on(&self, name: &str) -> Result<Self, ConfigError> {
        let invalid = |why: String| ConfigError::Database { origin: Origin::File, why };
        let found = self.databases.iter().find(|(known, _)| known == name);
        let address = found.map(|(_, address)| address.clone()).unwrap_or_else(|| Err(format!("no database '{name}'")));
        let mut other = self.clone();
        other.database = Setting { value: address.map_err(invalid)?, origin: Origin::File };
        other.embedded = false;
        other.database_name = Some(name.to_owned());
        other.sources = self.sources.unnamed();
        Ok(other)
    }
}

/// Whether the locale has no characters beyond ASCII that a terminal could draw: `C`, `POSIX`, or an encoding that is not
/// UTF-8. Without any of the variables, as in a container, nothing is known, and UTF-8 is usual.
fn is_ascii_locale(variable: &impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name).filter(|v| !v.is_empty()));
    let Some(locale) = locale else { return false };
    let name = locale.split('@').next().unwrap_or_default();
    match name.split_once('.') {
        Some((_, encoding)) => !["utf-8", "utf8"].iter().any(|known| encoding.eq_ignore_ascii_case(known)),
        None => matches!(name, "C" | "POSIX"),
    }
}

/// The selected database.
struct Chosen {
    /// Where it is, and what selected it.
    address: Setting<Address>,
    /// Whether it is the default file, because nothing selected another.
    embedded: bool,
    /// Its name in the configuration file, if it was selected by name.
    name: Option<String>,
}

/// The database of `--db`, else of the variables, else of the configuration file, else the default file. A text without
/// `:`, `/`, `.` and `=` must be a configured name.
fn database(
    global: &cli::Global,
    file: &File,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Chosen, ConfigError> {
    let from_variable = || DATABASE_VARIABLES.iter().find_map(|name| Some((variable(name)?, *name)));
    let chosen = match &global.db {
        Some(text) => Some((text.clone(), Origin::Option("--db"))),
        None => match from_variable() {
            // A job that lost its settings must not fall back to another database and report no failures there.
            Some((text, name)) if text.trim().is_empty() => {
                let why = "it is set, but empty; unset it, or give it a database".to_owned();
                return Err(ConfigError::Database { origin: Origin::Variable(name), why });
            }
            Some((text, name)) => Some((text, Origin::Variable(name))),
            None => file.db.clone().map(|text| (text, Origin::File)),
        },
    };
    let Some((text, origin)) = chosen else {
        let value = Address::sqlite(embedded_file()?);
        return Ok(Chosen { address: Setting { value, origin: Origin::Default }, embedded: true, name: None });
    };
    let named = file.databases.get(&text);
    let invalid = |why: String| ConfigError::Database { origin, why: Clean::line(&why).as_str().to_owned() };
    if named.is_none() && !text.contains([':', '/', '.', '=']) {
        let names = file.databases.keys().cloned().collect::<Vec<_>>().join(", ");
        let valid = if names.is_empty() {
            "the configuration file names no database".to_owned()
        } else {
            format!("valid names are {names}")
        };
        return Err(invalid(format!("'{text}' is neither an address nor the name of a database; {valid}")));
    }
    let written = named.cloned().unwrap_or_else(|| file::Database { url: text.clone(), password_command: None });
    let value = self::named(&written, file).map_err(invalid)?;
    Ok(Chosen { address: Setting { value, origin }, embedded: false, name: named.map(|_| text) })
}

/// The address of a database, with the command that prints its password.
fn named(database: &file::Database, file: &File) -> Result<Address, String> {
    let address = Address::parse(&database.url).map_err(|e| e.to_string())?;
    let command = database.password_command.as_ref().or(file.password_command.as_ref());
    Ok(match command {
        Some(command) => address.with_password_command(command),
        None => address,
    })
}

/// The filter to start with. Filter terms override the configured view; with `--view`, the view and the terms must both
/// match.
fn view(global: &cli::Global, file: &File, words: Filter) -> Result<Setting<Filter>, ConfigError> {
    let (name, origin) = match (&global.view, &file.view) {
        (Some(name), _) => (name, Origin::Option("--view")),
        (None, Some(name)) if words.is_empty() => (name, Origin::File),
        (None, _) => return Ok(Setting { value: words, origin: Origin::Default }),
    };
    let Some(found) = file.views.get(name) else {
        let names = file.views.keys().cloned().collect::<Vec<_>>().join(", ");
        let valid = if names.is_empty() {
            "the configuration file names no view".to_owned()
        } else {
            format!("valid names are {names}")
        };
        return Err(ConfigError::View { name: Clean::line(name).as_str().to_owned(), valid });
    };
    let both = format!("{found} {words}");
    let value = Filter::parse(both.trim()).map_err(|e| ConfigError::Filter(e.to_string()))?;
    Ok(Setting { value, origin })
}

/// The path of the default database. Fails without a home directory and for a path that is not UTF-8.
fn embedded_file() -> Result<PathBuf, ConfigError> {
    let file = paths::embedded_database().ok_or(ConfigError::NoHome)?;
    if file.to_str().is_none() {
        return Err(ConfigError::Path(Clean::line(&file.to_string_lossy()).as_str().to_owned()));
    }
    Ok(file)
}

/// `--color` overrides `NO_COLOR`, which turns color off if it is not empty (no-color.org).
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
    fn the_option_overrides_the_variables() {
        let option = cli::Global { db: Some("sqlite:a.db".into()), ..cli::Global::default() };
        let own = ("RENEWSCOPE_DB", "sqlite:b.db");
        let common = ("DATABASE_URL", "sqlite:c.db");
        for (global, set, address, origin) in [
            (option, vec![own, common], "sqlite:a.db", "option --db"),
            (cli::Global::default(), vec![common, own], "sqlite:b.db", "environment RENEWSCOPE_DB"),
            (cli::Global::default(), vec![common], "sqlite:c.db", "environment DATABASE_URL"),
        ] {
            let config = resolve(global, &set).unwrap();
            assert_eq!(config.database.value.to_string(), address);
            assert_eq!(config.database.origin.to_string(), origin);
            assert!(!config.embedded);
        }
        for empty in [vec![("RENEWSCOPE_DB", ""), common], vec![("DATABASE_URL", " ")]] {
            let Err(e) = resolve(cli::Global::default(), &empty) else { panic!("an empty variable was accepted") };
            assert!(e.to_string().contains("it is set, but empty"), "{e}");
        }
        assert!(resolve(cli::Global::default(), &[]).unwrap().embedded);
    }

    #[test]
    fn a_locale_without_utf_8_is_drawn_with_ascii_unless_the_file_says_otherwise() {
        for (set, ascii) in [
            (&[][..], false),
            (&[("LANG", "C")], true),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")], true),
            (&[("LANG", "C"), ("LC_CTYPE", "C.utf8"), ("LC_ALL", "")], false),
            (&[("LC_ALL", "POSIX")], true),
            (&[("LANG", "de_DE.ISO-8859-15@euro")], true),
            (&[("LANG", "de_DE.UTF-8@euro")], false),
            (&[("LANG", "de_DE")], false),
        ] {
            assert_eq!(resolve(cli::Global::default(), set).unwrap().ascii, ascii, "{set:?}");
        }
        let chosen = File { ascii: Some(false), ..File::default() };
        let config = Config::resolve(&cli::Global::default(), &[], chosen, |name| match name {
            "HOME" => Some("/home/user".into()),
            name => (name == "LANG").then(|| "C".into()),
        });
        assert!(!config.unwrap().ascii);
        let option = cli::Global { ascii: true, ..cli::Global::default() };
        assert!(resolve(option, &[("LANG", "C.UTF-8")]).unwrap().ascii);
    }

    #[test]
    fn a_password_is_in_no_error_and_in_no_debug() {
        let global = |db: &str| cli::Global { db: Some(db.into()), ..cli::Global::default() };
        for db in ["postgres://a:s3cret@h/d?nonsense=s3cret", "pg://a:s3cret@h/d", "postgres://a:s3cret@h:x/d"] {
            let Err(e) = resolve(global(db), &[]) else { panic!("{db} was accepted") };
            assert!(!e.to_string().contains("s3cret"), "{e}");
        }
        let config = resolve(global("postgres://a:s3cret@h/d"), &[]).unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(!format!("{:?}", global("postgres://a:s3cret@h/d")).contains("s3cret"));
    }
}
