//! The configuration file: TOML in which an unknown key is an error, and every error names its line.
//!
//! [`Config::resolve`](super::Config::resolve) merges it with options and environment. An error never quotes a line of
//! the file, because a password can stand there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::ConfigError;
use super::rules::{Rules, TypedAttempts, TypedPolicy};
use crate::console::alert::Alert;
use crate::console::keymap::Keymap;
use crate::domain::filter::Filter;
use crate::domain::text::Clean;
use crate::files;
use crate::ui::effect::Means;
use crate::ui::skin::Theme;
use crate::views::events::columns::{EventColumns, default_columns};

/// The most bytes of a configuration file or a profile.
pub const LONGEST: u64 = 1 << 20;

/// The file as typed. It has no `Debug`, because addresses can hold secrets.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Typed {
    /// The section `[defaults]`.
    #[serde(default)]
    defaults: Defaults,
    /// The section `[databases]`: addresses by name.
    #[serde(default)]
    databases: BTreeMap<String, Database>,
    /// The section `[views]`: filters by name.
    #[serde(default)]
    views: BTreeMap<String, String>,
    /// The section `[keys]`: the keys of each action.
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
    /// The section `[alert]`.
    alert: Option<TypedAlert>,
    /// The section `[policy]`.
    #[serde(default)]
    policy: TypedPolicy,
    /// The section `[attempts]`.
    #[serde(default)]
    attempts: TypedAttempts,
}

/// The section `[alert]` as typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedAlert {
    /// Which new events alert.
    filter: String,
    /// The means of the alert, by its name.
    by: Option<String>,
}

/// The section `[defaults]` as typed; each key has the meaning of the option of that name.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Defaults {
    db: Option<String>,
    source: Option<String>,
    tz: Option<String>,
    view: Option<String>,
    theme: Option<String>,
    ascii: Option<bool>,
    columns: Option<Vec<String>>,
    #[serde(rename = "password_command")]
    password_command: Option<String>,
    #[serde(rename = "statement_timeout")]
    statement_timeout: Option<String>,
}

/// A named database: an address, or a table with the address and the command that prints the password. It has no
/// `Debug`, because it can hold a secret.
#[derive(Clone)]
pub struct Database {
    /// The address; it can hold a password, so it must not be printed.
    pub url: String,
    /// A command for `sh -c`; the first line of its output is the password.
    pub password_command: Option<String>,
}

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            url: String,
            password_command: Option<String>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Database;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address, or a table with 'url' and 'password_command'")
            }
            fn visit_str<E: serde::de::Error>(self, url: &str) -> Result<Database, E> {
                Ok(Database { url: url.to_owned(), password_command: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Database, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Database { url: table.url, password_command: table.password_command })
            }
        }
        from.deserialize_any(Either)
    }
}

/// A checked configuration file. The default stands for a missing file.
#[derive(Clone, Default)]
pub struct File {
    /// `None`: there is no file.
    pub path: Option<PathBuf>,
    /// The name of one of the databases, or an address.
    pub db: Option<String>,
    /// A source profile: its name, or its file.
    pub source: Option<String>,
    /// An IANA name, `UTC`, `local` or a POSIX rule, as typed.
    pub tz: Option<String>,
    /// The view that the console starts with.
    pub view: Option<String>,
    /// The console's colors; `None`: by the terminal.
    pub theme: Option<Theme>,
    /// Whether to draw with ASCII characters only; `None`: by the locale.
    pub ascii: Option<bool>,
    /// The columns of the list; `None`: the usual ones.
    pub columns: Option<EventColumns>,
    /// The default keys with the configured ones in their place.
    pub keymap: Keymap,
    /// Named databases, for `--db` and for switching in the console.
    pub databases: BTreeMap<String, Database>,
    /// Prints the password of every database that has no password command itself.
    pub password_command: Option<String>,
    /// How long the database may work on one statement, as typed.
    pub statement_timeout: Option<String>,
    /// Named filters, already parsed.
    pub views: BTreeMap<String, Filter>,
    /// Which new events alert, and by which means.
    pub alert: Option<Alert>,
    /// How devices are judged.
    pub rules: Rules,
}

impl File {
    /// Reads a file. Only one that `--config` names (`required`) must exist. Fails for a file that is unreadable or not
    /// UTF-8, and for any mistake in it.
    pub fn read(path: &Path, required: bool) -> Result<Self, ConfigError> {
        // A shell's `<(command)`, which a configuration with secrets can come from, is read as it comes.
        let text = match files::is_descriptor(path) {
            true => files::read_stream(path, LONGEST, Duration::ZERO)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            false => files::read_text(path, LONGEST),
        };
        match text {
            Ok(text) => Self::parse(path, &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !required => Ok(Self::default()),
            Err(e) => Err(ConfigError::File { path: path.display().to_string(), line: 0, why: e.to_string() }),
        }
    }

    /// Checks the text of a file. The error has the path and, where it is known, the line of the first mistake.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let error = |line: usize, why: String| ConfigError::File { path: path.display().to_string(), line, why };
        let typed: Typed = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(0, |span| line_at(text, span.start));
            // Only the message: the library's excerpt of the line could show a password.
            error(line, Clean::line(e.message()).as_str().to_owned())
        })?;
        let at = |section: &str, key: &str| line_of(text, section, key);
        let mut views = BTreeMap::new();
        for (name, words) in typed.views {
            let filter = Filter::parse(&words)
                .map_err(|e| error(at("views", &name), format!("view '{}': {e}", Clean::line(&name))))?;
            views.insert(name, filter);
        }
        let keymap = Keymap::with(typed.keys.iter().map(|(name, keys)| (name.as_str(), keys.as_slice())))
            .map_err(|e| error(line_of_any(text, "keys", typed.keys.keys(), &e.to_string()), e.to_string()))?;
        let defaults = typed.defaults;
        let columns = defaults
            .columns
            .as_ref()
            .map(|names| default_columns().named(names.iter().map(String::as_str)))
            .transpose();
        let columns = columns.map_err(|name| {
            let valid = crate::views::events::columns::COLUMNS.map(|s| s.id).join(", ");
            error(at("defaults", "columns"), format!("unknown column '{}'; valid are {valid}", Clean::line(name)))
        })?;
        let theme = defaults.theme.as_deref().map(|name| {
            Theme::named(name).ok_or_else(|| {
                let valid = Theme::ALL.map(|(id, _)| id).join(", ");
                error(at("defaults", "theme"), format!("unknown theme '{}'; valid are {valid}", Clean::line(name)))
            })
        });
        if let Some(view) = defaults.view.as_ref().filter(|v| !views.contains_key(*v)) {
            return Err(error(at("defaults", "view"), format!("no view '{}' in [views]", Clean::line(view))));
        }
        let alert = typed.alert.map(|typed| alert(&typed)).transpose();
        let alert = alert.map_err(|(key, why)| error(at("alert", key), why))?;
        let rules = Rules::check(&typed.policy, &typed.attempts);
        let rules = rules.map_err(|(section, key, why)| error(at(section, key), why))?;
        Ok(Self {
            path: Some(path.to_owned()),
            db: defaults.db,
            source: defaults.source,
            tz: defaults.tz,
            view: defaults.view,
            theme: theme.transpose()?,
            ascii: defaults.ascii,
            columns,
            keymap,
            databases: typed.databases,
            password_command: defaults.password_command,
            statement_timeout: defaults.statement_timeout,
            views,
            alert,
            rules,
        })
    }
}

/// The alert as configured. An error names the key that is wrong.
fn alert(typed: &TypedAlert) -> Result<Alert, (&'static str, String)> {
    let filter = Filter::parse(&typed.filter).map_err(|e| ("filter", format!("alert: {e}")))?;
    let means = typed.by.as_deref().map_or(Some(Means::default()), Means::named).ok_or_else(|| {
        let by = typed.by.as_deref().unwrap_or_default();
        (
            "by",
            format!(
                "unknown way to alert '{}'; valid are {}",
                Clean::line(by),
                Means::ALL.map(|(id, _)| id).join(", ")
            ),
        )
    })?;
    Ok(Alert { filter, means })
}

/// The line, from 1, of a byte offset.
fn line_at(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(0, |before| before.matches('\n').count() + 1)
}

/// The line, from 1, in which a section sets a key; 0 if it is not found, as TOML has several ways to write a key.
fn line_of(text: &str, section: &str, key: &str) -> usize {
    let mut here = "";
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            here = name.trim_end_matches(']').trim();
        } else if here == section
            && line.split_once('=').is_some_and(|(k, _)| k.trim().trim_matches(['"', '\'']) == key)
        {
            return n + 1;
        }
    }
    0
}

/// The line of the key that an error message quotes.
fn line_of_any<'a>(text: &str, section: &str, keys: impl Iterator<Item = &'a String>, message: &str) -> usize {
    let named = keys.filter(|key| message.contains(&format!("'{key}'"))).last();
    named.map_or(0, |key| line_of(text, section, key))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::domain::instant::Span;

    fn parse(text: &str) -> Result<File, String> {
        File::parse(Path::new("c.toml"), text).map_err(|e| e.to_string())
    }

    #[test]
    fn all_of_it_is_read() {
        let file = parse(
            "[defaults]\ndb = 'prod'\ntz = 'Europe/Berlin'\nview = 'night'\ntheme = 'light'\nascii = true\n\
             columns = ['time', 'error']\npassword_command = 'pass db'\n\
             [databases]\nprod = 'postgres://me@db/fleet'\n\
             lab = { url = 'postgres://me@lab/fleet', password_command = 'pass lab' }\n\
             [views]\nnight = 'type:failed since:12h'\n[keys]\nnext-failure = ['F3', 'e']\n\
             [policy]\nleft = '10-30%'\n[attempts]\nrecovery_stalled_after = '2h'\n",
        )
        .unwrap();
        assert_eq!(file.views["night"].to_string(), "type:failed since:12h");
        assert_eq!(file.keymap.keys(crate::ui::action::Action::NextFailure), "F3 e");
        assert_eq!(file.password_command.as_deref(), Some("pass db"));
        assert_eq!(file.databases["lab"].password_command.as_deref(), Some("pass lab"));
        assert_eq!(file.databases["prod"].url, "postgres://me@db/fleet");
        assert_eq!(file.rules.policy, "10-30%".parse().ok());
        assert_eq!((file.rules.patience.renewal, file.rules.patience.recovery), (Span::hours(1), Span::hours(2)));
        assert_eq!((file.db.as_deref(), file.ascii, file.theme), (Some("prod"), Some(true), Some(Theme::Light)));
    }

    #[test]
    fn an_error_names_its_line() {
        for (text, message) in [
            (
                "[defaults]\nzone = 'x'\n",
                "c.toml, line 2: unknown field `zone`, expected one of `db`, `source`, `tz`, `view`, `theme`, `ascii`, `columns`, `password_command`, `statement_timeout`",
            ),
            (
                "[views]\na = 'type:failed'\nb = 'typ:x'\n",
                "c.toml, line 3: view 'b': filter: unknown key 'typ' at column 1; did you mean 'type'?",
            ),
            ("[keys]\nbakc = ['x']\n", "c.toml, line 2: unknown action 'bakc'; did you mean 'back'?"),
            (
                "[defaults]\ncolumns = ['time', 'size']\n",
                "c.toml, line 2: unknown column 'size'; valid are time, what, device, org, expiry, left, reason, error, id",
            ),
            (
                "[defaults]\ntheme = 'pink'\n",
                "c.toml, line 2: unknown theme 'pink'; valid are dark, light, colour-blind, mono",
            ),
            (
                "[databases]\na = 'sqlite:x'\nb = { url = 'sqlite:y', passwd = 's3cret' }\n",
                "c.toml, line 3: unknown field `passwd`, expected `url` or `password_command`",
            ),
            (
                "policy = { left = '3/1' }\n",
                "c.toml: invalid renewal policy '3/1': it must be the life left when renewals begin, as '1/3', '75%', '10-30%' or '30d', or 'off'",
            ),
            (
                "[attempts]\nstalled_after = 'soon'\n",
                "c.toml, line 2: 'soon' is no length of time above zero; write '90m' or '3h'",
            ),
            ("[defaults]\nview = 'none'\n", "c.toml, line 2: no view 'none' in [views]"),
        ] {
            let Err(reported) = parse(text) else { panic!("{text} was accepted") };
            assert_eq!(reported, message);
        }
        let Err(reported) = parse("[databases]\nprod = 'postgres://a:s3cret@h/d' x\n") else { panic!() };
        assert!(reported.starts_with("c.toml, line 2: ") && !reported.contains("s3cret"), "{reported}");
    }
}
