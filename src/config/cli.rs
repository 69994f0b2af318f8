//! The command line as typed. What it means is settled in [`Config::resolve`](super::Config::resolve).

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

const FILTER_HELP: &str = "Words of a filter, joined with spaces, as in: type:failed org:acme since:24h";

/// A console over a table of certificate renewal events
#[derive(Parser, Debug)]
#[command(name = "renewscope", version, about, max_term_width = 100, subcommand_help_heading = "Commands")]
#[command(override_usage = "renewscope [OPTIONS] [FILTER]...\n       renewscope [OPTIONS] COMMAND")]
#[command(after_help = "Without a command the console opens on the filter. Exit codes: 0 done, 1 failed, 2 usage, \
    3 database unreachable, 4 some input lines rejected, 5 a --fail-if condition met, 130 interrupted.")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Clone, Default)]
pub struct Global {
    /// Database: sqlite:PATH, postgres://USER@HOST/NAME or a name of the configuration [env: RENEWSCOPE_DB, then DATABASE_URL; default: a file in
    /// the user's data directory]
    #[arg(long, global = true, value_name = "URL", help_heading = "Options of every command")]
    pub db: Option<String>,
    /// What the event table is: a profile by its name, or a profile's file [default: the one that fits; see 'sources']
    #[arg(long, global = true, value_name = "NAME|FILE", help_heading = "Options of every command")]
    pub source: Option<String>,
    /// The configuration file [default: renewscope/config.toml in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Options of every command")]
    pub config: Option<PathBuf>,
    /// A filter of the configuration, by its name
    #[arg(long, global = true, value_name = "NAME", help_heading = "Options of every command")]
    pub view: Option<String>,
    /// Time zone that times are read and shown in: an IANA name, 'local' or 'UTC' [default: UTC]
    #[arg(long, global = true, value_name = "ZONE", help_heading = "Options of every command")]
    pub tz: Option<String>,
    /// How rows are written [default: table; export: by the file's name, else ndjson]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Options of every command")]
    pub format: Option<Format>,
    /// At most this many rows [default: all]
    #[arg(long, global = true, value_name = "N", help_heading = "Options of every command")]
    pub limit: Option<u64>,
    /// Colour on the screen [default: auto]
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Options of every command")]
    pub color: Option<When>,
    /// Draw with ASCII signs only
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub ascii: bool,
}

impl fmt::Debug for Global {
    /// Without the address: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Global").field("tz", &self.tz).field("format", &self.format).finish_non_exhaustive()
    }
}

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// Aligned columns for people; the only one that cuts.
    Table,
    /// One JSON object a line.
    Ndjson,
    /// One JSON array.
    Json,
    /// Comma separated, with a header; safe to open in a spreadsheet, read back without loss.
    Csv,
    /// A Markdown table.
    Md,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum When {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// The console on a simulated fleet with live events, in a throw-away file
    Demo,
    /// Print events, newest first
    List(Filtered),
    /// Print events as they come, oldest first
    Tail(Tail),
    /// Print how many events match
    Count(Count),
    /// Print one event with all of its error
    Get {
        /// Its id, or at least the first 8 digits of it
        id: String,
    },
    /// Write all matching events to a file
    Export(Export),
    /// Store events from NDJSON or CSV; the same event twice is stored once
    Ingest(Ingest),
    /// Store one event: for renewal hooks and scripts
    Record(Box<Record>),
    /// Print the signature of each message: a line each, plain or a JSON string; needs no database
    Sig {
        /// The file, plain or compressed by gzip or zstd; '-' is stdin
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Make, inspect and change the database's schema
    #[command(subcommand)]
    Db(Db),
    /// What can be done on this database and what cannot, and why
    Doctor,
    /// The descriptions of event tables: which there are, which fit
    #[command(subcommand)]
    Sources(Sources),
    /// Print the settings in force and where each comes from
    Config {
        /// Print them (the only thing there is to do)
        #[arg(long)]
        print: bool,
    },
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Print the manual page, in roff
    Man,
}

#[derive(Args, Debug)]
pub struct Filtered {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Tail {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// Begin with the events since then: 15m, today, 2026-11-20T14:00, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
}

#[derive(Args, Debug)]
pub struct Count {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// One row a group instead of one number
    #[arg(long, value_name = "GROUP")]
    pub by: Option<Group>,
    /// Exit with 5 when the number is so, as in '>0', '>=10', '=0'
    #[arg(long, value_name = "CONDITION", conflicts_with = "by")]
    pub fail_if: Option<Condition>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Group {
    Type,
    Org,
    Device,
    Reason,
    Hour,
    Day,
}

/// A comparison with a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Condition {
    order: &'static str,
    number: u64,
}

impl Condition {
    pub fn holds(&self, count: u64) -> bool {
        match self.order {
            ">=" => count >= self.number,
            "<=" => count <= self.number,
            "!=" => count != self.number,
            ">" => count > self.number,
            "<" => count < self.number,
            _ => count == self.number,
        }
    }
}

impl std::str::FromStr for Condition {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let order = [">=", "<=", "!=", "==", ">", "<", "="].into_iter().find(|o| text.starts_with(o));
        let parsed = order.and_then(|order| {
            let number = text.strip_prefix(order)?.trim().parse().ok()?;
            Some(Self { order, number })
        });
        parsed.ok_or_else(|| "valid are '>N', '>=N', '<N', '<=N', '=N' and '!=N', as in '>0'".to_owned())
    }
}

#[derive(Args, Debug)]
pub struct Export {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// The file: .ndjson, .csv, .json or .md, and .gz or .zst after it; '-' is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

#[derive(Args, Debug)]
pub struct Ingest {
    /// The file, plain or compressed by gzip or zstd; '-' is stdin
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// The form of the input [default: by the file's name, else by its first character]
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,
    /// Keep the lines that were refused in this file, as they were
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum InputFormat {
    Ndjson,
    Csv,
}

#[derive(Args, Debug)]
pub struct Record {
    /// The device: its name or its UUID
    #[arg(long, value_name = "NAME|UUID")]
    pub device: String,
    /// The organisation: its name or its UUID [default: the default organisation]
    #[arg(long, value_name = "NAME|UUID")]
    pub org: Option<String>,
    /// The event type, as renewal_start, renewal_success, renewal_failed
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: String,
    /// Why the certificate is renewed, as proactive or expired
    #[arg(long, allow_hyphen_values = true)]
    pub reason: Option<String>,
    /// The error
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub error: Option<String>,
    /// Read the error from a file; '-' is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "error", value_parser = any_path())]
    pub error_file: Option<PathBuf>,
    /// When it happened [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// The event's id, so that a repetition is recognised [default: derived from the content]
    #[arg(long, value_name = "UUID")]
    pub id: Option<uuid::Uuid>,
    /// When the old certificate expires
    #[arg(long, value_name = "TIME")]
    pub old_expiry: Option<String>,
    /// When the new certificate expires
    #[arg(long, value_name = "TIME")]
    pub new_expiry: Option<String>,
    /// Read the old expiry from a PEM file; of a chain, the first certificate
    #[arg(long, value_name = "FILE", conflicts_with = "old_expiry", value_parser = any_path())]
    pub old_cert: Option<PathBuf>,
    /// Read the new expiry from a PEM file; of a chain, the first certificate
    #[arg(long, value_name = "FILE", conflicts_with = "new_expiry", value_parser = any_path())]
    pub new_cert: Option<PathBuf>,
    /// When the database cannot be had, append the event to this file, for 'ingest' to read later
    #[arg(long, value_name = "FILE")]
    pub spool: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum Db {
    /// Make the schema in an empty database, and a missing SQLite file
    Init,
    /// Show which migrations and indexes are there; changes nothing
    Status,
    /// Bring the schema up to date
    Migrate,
    /// Undo the last migration, or all down to a version
    Rollback {
        /// The version to go back to; 0 removes everything
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
        /// Undo a migration that holds the events, and so delete them all
        #[arg(long)]
        delete_events: bool,
    },
    /// Add the paging indexes to an event table that others made
    Index {
        /// The search indexes too: they find words in errors and reasons at once, and cost space and some write speed
        #[arg(long)]
        search: bool,
        /// A trigger too that wakes live tails at once; on PostgreSQL, and commits that insert then wait for each other
        /// for the moment of notifying
        #[arg(long, conflicts_with = "no_notify")]
        notify: bool,
        /// Take that trigger away
        #[arg(long)]
        no_notify: bool,
    },
}

#[derive(Subcommand, Debug)]
pub enum Sources {
    /// Print the known profiles
    List,
    /// Print a profile as it is written, to begin another one from
    Show {
        /// Its name
        name: String,
    },
    /// Print which profiles fit the database, and what those lack that nearly do
    Detect,
    /// Try a profile on the database: columns, types, indexes, and a row as it will be shown; changes nothing
    Check {
        /// A profile's file, or the name of a known one
        file: String,
    },
}

/// A path that may be empty: a hook passes what it has, and the event counts more than the file.
fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Words such as `-org:lab` look like options to the parser. They are moved behind a `--`, where they are words of the
/// filter; the order of a filter's words has no meaning. Commands without filter are left alone.
pub fn lift_negations(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    const FILTERED: [&str; 4] = ["list", "tail", "count", "export"];
    const OTHERS: [&str; 12] =
        ["demo", "get", "ingest", "record", "sig", "db", "doctor", "sources", "config", "completions", "man", "help"];
    let mut args: Vec<OsString> = args.into_iter().collect();
    let command = args.iter().skip(1).find(|a| FILTERED.iter().chain(&OTHERS).any(|name| a == name));
    if command.is_some_and(|c| OTHERS.iter().any(|name| c == name)) {
        return args;
    }
    let end = args.iter().position(|a| a == "--").unwrap_or(args.len());
    let rest = args.split_off(end);
    let (negations, mut kept): (Vec<_>, Vec<_>) = args.into_iter().partition(is_negation);
    if negations.is_empty() && rest.is_empty() {
        return kept;
    }
    kept.push("--".into());
    kept.extend(negations);
    kept.extend(rest.into_iter().skip(1));
    kept
}

/// `-key:…`; at least two letters, so that the value of a short option is none.
fn is_negation(arg: &OsString) -> bool {
    let key = arg.to_str().and_then(|a| a.strip_prefix('-')).and_then(|a| a.split_once(':')).map(|(key, _)| key);
    key.is_some_and(|k| k.len() >= 2 && k.bytes().all(|b| b.is_ascii_alphabetic()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_parser_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn negated_words_are_filter_words() {
        for (typed, words) in [
            ("-org:lab", vec!["-org:lab"]),
            ("type:failed -org:lab --ascii", vec!["type:failed", "-org:lab"]),
            ("-org:lab -- -free", vec!["-org:lab", "-free"]),
            ("plain list", vec!["plain", "list"]),
        ] {
            let args = std::iter::once("renewscope").chain(typed.split(' ')).map(OsString::from);
            let cli = Cli::try_parse_from(lift_negations(args)).unwrap();
            assert_eq!(cli.filter, words, "{typed}");
        }
        let args = ["renewscope", "--limit", "3", "export", "-o", "x.csv", "-device:lab-*"].map(OsString::from);
        let cli = Cli::try_parse_from(lift_negations(args)).unwrap();
        assert!(matches!(cli.command, Some(Command::Export(e)) if e.filter == ["-device:lab-*"]));
        assert_eq!(cli.global.limit, Some(3));
        let args = ["renewscope", "record", "--device", "a", "--type", "b", "--error", "-on: x"].map(OsString::from);
        let cli = Cli::try_parse_from(lift_negations(args)).unwrap();
        assert!(matches!(cli.command, Some(Command::Record(r)) if r.error.as_deref() == Some("-on: x")));
    }

    #[test]
    fn conditions() {
        for (text, yes, no) in [(">0", 1, 0), (">= 2", 2, 1), ("<2", 1, 2), ("=0", 0, 1), ("==7", 7, 8), ("!=1", 0, 1)]
        {
            let condition: Condition = text.parse().unwrap();
            assert!(condition.holds(yes) && !condition.holds(no), "{text}");
        }
        for bad in ["", "0", ">", ">x", "=>1", ">-1"] {
            assert!(bad.parse::<Condition>().is_err(), "{bad}");
        }
    }
}
