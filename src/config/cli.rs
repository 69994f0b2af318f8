//! The command line as typed. [`Config::resolve`](super::Config::resolve) checks and completes it.
//!
//! `headless/mod.rs` parses it. The help texts here are also the manual page and the completions. Nothing here reads a
//! file or the environment.

pub mod devices;
mod investigate;

use std::fmt;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use investigate::{AttemptState, Attempts, Errors};

/// The help text of filter terms, which several commands take.
const FILTER_HELP: &str = "Select events by filter terms, for example: type:failed org:acme since:24h";
/// The heading over the options that every command takes.
const COMMON: &str = "Options of every command";

/// Watch and search certificate renewal events in PostgreSQL or SQLite
#[derive(Parser, Debug)]
#[command(name = "renewscope", version, max_term_width = 100, subcommand_help_heading = "Commands")]
#[command(override_usage = "renewscope [OPTIONS] [FILTER]...\n       renewscope [OPTIONS] COMMAND")]
#[command(after_help = "Without a command, the console opens with the filter. Exit codes: 0 success, 1 failure, \
    2 usage error, 3 database unreachable, 4 some input lines rejected, 5 --fail-if condition met, 130 interrupted.")]
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
    /// Use this database: sqlite:PATH, postgres://USER@HOST/NAME or a name from the configuration
    /// [env: RENEWSCOPE_DB, then DATABASE_URL; default: a file in the user's data directory]
    #[arg(long, global = true, value_name = "URL", help_heading = COMMON)]
    pub db: Option<String>,
    /// Read the event table by this source profile: a name or a file [default: the one that fits; see 'sources']
    #[arg(long, global = true, value_name = "NAME|FILE", help_heading = COMMON)]
    pub source: Option<String>,
    /// Read this configuration file [default: renewscope/config.toml in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE", help_heading = COMMON)]
    pub config: Option<PathBuf>,
    /// Apply this named filter of the configuration
    #[arg(long, global = true, value_name = "NAME", help_heading = COMMON)]
    pub view: Option<String>,
    /// Read and show times in this zone: an IANA name, 'local' or 'UTC' [default: UTC]
    #[arg(long, global = true, value_name = "ZONE", help_heading = COMMON)]
    pub tz: Option<String>,
    /// Write rows in this format [default: table; export: by the file's name, else ndjson]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = COMMON)]
    pub format: Option<Format>,
    /// Write at most this many rows [default: all]
    #[arg(long, global = true, value_name = "N", help_heading = COMMON)]
    pub limit: Option<u64>,
    /// Exit with 2 if the filter names a type, organization or device that does not exist
    #[arg(long, global = true, help_heading = COMMON)]
    pub strict: bool,
    /// Let the database work this long on one statement, for example: 90s, 5m or 0 for no limit
    /// [env: RENEWSCOPE_STATEMENT_TIMEOUT; default: 30s]
    #[arg(long, global = true, value_name = "TIME", help_heading = COMMON)]
    pub statement_timeout: Option<String>,
    /// Use color on the screen [default: auto]
    #[arg(long, global = true, value_name = "WHEN", help_heading = COMMON)]
    pub color: Option<When>,
    /// Draw with ASCII characters only
    #[arg(long, global = true, help_heading = COMMON)]
    pub ascii: bool,
}

impl fmt::Debug for Global {
    /// Omits the address, because it can hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Global").field("tz", &self.tz).field("format", &self.format).finish_non_exhaustive()
    }
}

/// The formats of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// Align columns for people; the only format that cuts long cells
    Table,
    /// Write one JSON object per line
    Ndjson,
    /// Write one JSON array
    Json,
    /// Write comma-separated values with a header; safe in a spreadsheet, read back without loss
    Csv,
    /// Write a Markdown table
    Md,
}

/// When to use color.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum When {
    #[default]
    Auto,
    Always,
    Never,
}

/// The commands. Without one, the console opens.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Open the console on a simulated fleet with live events, in a temporary file
    Demo,
    /// Print events, newest first
    List(Filtered),
    /// Print new events as they arrive, oldest first
    Tail(Tail),
    /// Print the number of matching events
    Count(Count),
    /// Print how each device stands: the time left to its certificate, failures, silence; least time first
    Devices(devices::Devices),
    /// Print the errors of a time range by signature, with the devices that still fail [default range: the last 24 h]
    Errors(Errors),
    /// Print attempts: each start with what came of it, inferred from device and time [default range: the last 24 h]
    Attempts(Attempts),
    /// Print one event with its whole error
    Get {
        /// Select the event by its id, or by at least the first 8 digits of it
        id: String,
    },
    /// Write all matching events to a file
    Export(Export),
    /// Store events from NDJSON or CSV; a repeated event is stored once
    Ingest(Ingest),
    /// Store one event; for renewal hooks and scripts
    Record(Box<Record>),
    /// Print the signature of each message: a line each, plain or a JSON string; needs no database
    Sig {
        /// The file, plain or compressed by gzip or zstd; '-' is stdin
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Create, inspect and change the database schema
    #[command(subcommand)]
    Db(Db),
    /// Check what works on this database, what does not, and why
    Doctor,
    /// List source profiles, and check which fit the database
    #[command(subcommand)]
    Sources(Sources),
    /// Print the effective settings and the origin of each
    Config {
        /// Print the settings (the default and only action)
        #[arg(long)]
        print: bool,
    },
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Print the manual page, in roff
    Man,
}

/// The arguments of commands with a filter alone.
#[derive(Args, Debug)]
pub struct Filtered {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
}

/// The arguments of `tail`.
#[derive(Args, Debug)]
pub struct Tail {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// Start with the events since this time: 15m, today, 2026-11-20T14:00, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
}

/// The arguments of `count`.
#[derive(Args, Debug)]
pub struct Count {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// Print one row per group instead of one number
    #[arg(long, value_name = "GROUP")]
    pub by: Option<Group>,
    /// Exit with 5 if the count, or the number of groups with --by, matches, for example '>0', '>=10', '=0'
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Option<Condition>,
}

/// What `count --by` groups by; hours and days are those of the zone shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Group {
    Type,
    Org,
    Device,
    Reason,
    /// The signatures of the error messages
    Error,
    Hour,
    Day,
}

/// A comparison with a number, as `--fail-if` takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Condition {
    /// The comparison sign: `>=`, `<=`, `!=`, `==`, `>`, `<` or `=`.
    order: &'static str,
    /// The number on the right of the sign.
    number: u64,
}

impl Condition {
    /// Whether the count meets the condition.
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
    /// Reads a sign and a number, with spaces or none between. The error lists the valid forms.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let order = [">=", "<=", "!=", "==", ">", "<", "="].into_iter().find(|o| text.starts_with(o));
        let parsed = order.and_then(|order| {
            let number = text.strip_prefix(order)?.trim().parse().ok()?;
            Some(Self { order, number })
        });
        parsed.ok_or_else(|| "valid are '>N', '>=N', '<N', '<=N', '=N' and '!=N', for example '>0'".to_owned())
    }
}

/// The arguments of `export`.
#[derive(Args, Debug)]
pub struct Export {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// Write to this file: .ndjson, .csv, .json or .md, then .gz or .zst to compress; '-' is stdout
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

/// The arguments of `ingest`.
#[derive(Args, Debug)]
pub struct Ingest {
    /// Read this file, plain or compressed with gzip or zstd; '-' is stdin
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// Read the input in this format [default: by the file's name, else by its first character]
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<InputFormat>,
    /// Copy rejected lines unchanged to this file
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

/// The formats that `ingest` reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum InputFormat {
    Ndjson,
    Csv,
}

/// The values of a hook. Bytes that are not UTF-8 become `U+FFFD`: no event is lost because of its wording.
#[derive(Args, Debug)]
pub struct Record {
    /// Set the device: its name or its UUID
    #[arg(long, value_name = "NAME|UUID", allow_hyphen_values = true, value_parser = any_text())]
    pub device: String,
    /// Set the organization: its name or its UUID [default: the default organization]
    #[arg(long, value_name = "NAME|UUID", allow_hyphen_values = true, value_parser = any_text())]
    pub org: Option<String>,
    /// Set the event type, for example renewal_start, renewal_success, renewal_failed
    #[arg(long = "type", value_name = "TYPE", allow_hyphen_values = true, value_parser = any_text())]
    pub kind: String,
    /// Set why the certificate is renewed, for example proactive or expired
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = any_text())]
    pub reason: Option<String>,
    /// Set the error message
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = any_text())]
    pub error: Option<String>,
    /// Read the error message from a file; '-' is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "error", value_parser = any_path())]
    pub error_file: Option<PathBuf>,
    /// Set the time of the event [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = any_text())]
    pub at: Option<String>,
    /// Set the event's id, by which a repetition is recognized [default: derived from the content]
    #[arg(long, value_name = "UUID", allow_hyphen_values = true, value_parser = any_text())]
    pub id: Option<String>,
    /// Set the expiry of the old certificate; 90d means 90 days after the event
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = any_text())]
    pub old_expiry: Option<String>,
    /// Set the expiry of the new certificate; 90d means 90 days after the event
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = any_text())]
    pub new_expiry: Option<String>,
    /// Read the old expiry from a PEM or DER file: of the first certificate that is not a CA's
    #[arg(long, value_name = "FILE", conflicts_with = "old_expiry", value_parser = any_path())]
    pub old_cert: Option<PathBuf>,
    /// Read the new expiry from a PEM or DER file: of the first certificate that is not a CA's
    #[arg(long, value_name = "FILE", conflicts_with = "new_expiry", value_parser = any_path())]
    pub new_cert: Option<PathBuf>,
    /// Append the event to this file if it cannot be stored; 'ingest' reads it later
    #[arg(long, value_name = "FILE", value_parser = any_path())]
    pub spool: Option<PathBuf>,
}

/// The subcommands of `db`.
#[derive(Subcommand, Debug)]
pub enum Db {
    /// Create the schema in an empty database, and a missing SQLite file
    Init,
    /// Show the applied migrations and the indexes; changes nothing
    Status,
    /// Apply the missing migrations
    Migrate,
    /// Undo the last migration, or all migrations down to a version
    Rollback {
        /// Go back to this version; 0 removes everything
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
        /// Also undo the migration of the event table, which deletes all events
        #[arg(long)]
        delete_events: bool,
    },
    /// Create the paging indexes on an existing event table
    Index {
        /// Also create the search indexes: text searches become fast, at the cost of disk space and write speed
        #[arg(long)]
        search: bool,
        /// Also create a trigger that notifies live tails at once (PostgreSQL); inserting commits then wait for each
        /// other while they notify
        #[arg(long, conflicts_with = "no_notify")]
        notify: bool,
        /// Remove that trigger
        #[arg(long)]
        no_notify: bool,
    },
}

/// The subcommands of `sources`.
#[derive(Subcommand, Debug)]
pub enum Sources {
    /// Print the known profiles
    List,
    /// Print a profile's text, as a template for a new one
    Show {
        /// Select the profile by its name
        name: String,
    },
    /// Print which profiles fit the database, and what is missing for those that nearly fit
    Detect,
    /// Test a profile on the database: columns, types, indexes and a sample row; changes nothing
    Check {
        /// Test this profile: a file, or the name of a known profile
        file: String,
    },
}

/// A path that may be empty: hooks pass an empty value for a missing file, and the event matters more than the file.
fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A text in which bytes that are not UTF-8 become `U+FFFD`.
fn any_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|text| text.to_string_lossy().into_owned())
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
