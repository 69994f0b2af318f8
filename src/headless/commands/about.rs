//! `config`, `completions`, `man`: what the program prints about itself. None of them opens a database.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::config::cli::{Cli, When};
use crate::config::paths;
use crate::config::rules::Rules;
use crate::config::{Config, Origin};
use crate::console::keymap::Keymap;
use crate::domain::attempt::Patience;
use crate::domain::format::span;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter};
use crate::logging;
use crate::ui::action::ACTIONS;
use crate::ui::skin::Theme;

/// Prints the effective settings and the origin of each. The address is printed without its password.
pub fn config(config: &Config, format: Format) -> Result<Exit, Failure> {
    let color = match config.color {
        When::Auto => "auto",
        When::Always => "always",
        When::Never => "never",
    };
    let rows = [
        ("database", config.database.value.to_string(), config.database.origin.to_string()),
        (
            "password from",
            config.database.value.password_source().unwrap_or("not needed").to_owned(),
            "address, PGPASSWORD, password_command, PGPASSFILE".to_owned(),
        ),
        (
            "source",
            config.sources.requested.value.clone().unwrap_or_else(|| "the one that fits".to_owned()),
            config.sources.requested.origin.to_string(),
        ),
        (
            "configuration file",
            config.file.as_ref().map_or("none".to_owned(), |p| p.display().to_string()),
            "--config".to_owned(),
        ),
        ("filter", or_none(config.filter.value.to_string()), config.filter.origin.to_string()),
        (
            "views",
            or_none(config.views.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")),
            "configuration file".to_owned(),
        ),
        ("time zone", config.zone.value.name().to_owned(), config.zone.origin.to_string()),
        ("color", color.to_owned(), "--color, NO_COLOR".to_owned()),
        (
            "theme",
            config.console.theme.map_or("by the terminal", Theme::name).to_owned(),
            from_file(config.console.theme.is_some()),
        ),
        ("ascii", config.ascii.to_string(), "--ascii, configuration file".to_owned()),
        (
            "columns",
            config.console.columns.as_ref().map_or("as chosen in the console".to_owned(), |c| c.names().join(" ")),
            from_file(config.console.columns.is_some()),
        ),
        ("keys", replaced_keys(config), from_file(config.console.keymap != Keymap::default())),
        ("strict", config.strict.to_string(), "--strict".to_owned()),
        ("statement timeout", config.limits.shown(), config.limits.statement.origin.to_string()),
        ("row limit", config.limits.rows.map_or("all".to_owned(), |n| n.to_string()), "--limit".to_owned()),
        ("log", log_file(), format!("environment {}", logging::VARIABLE)),
    ];
    let columns = ["setting", "value", "source"].map(|key| Column::new(key).at_most(400)).into();
    let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
    for (setting, value, source) in rows.iter().chain(&of_devices(config)) {
        let cells = [setting, value.as_str(), source.as_str()].map(|text| Cell::text(Some(text)));
        writer.row(&cells).map_err(stdout_failed)?;
    }
    writer.finish().map_err(stdout_failed)?;
    Ok(Exit::Done)
}

/// The settings by which devices are judged.
fn of_devices(config: &Config) -> [(&'static str, String, String); 2] {
    let Rules { policy, patience } = config.rules;
    let stalled = format!("renewals {}, recoveries {}", span(patience.renewal), span(patience.recovery));
    [
        (
            "renewal policy",
            policy.map_or("learned".to_owned(), |policy| policy.to_string()),
            from_file(policy.is_some()),
        ),
        ("stalled after", stalled, from_file(patience != Patience::default())),
    ]
}

/// The path of the log, or `off`.
fn log_file() -> String {
    let is_on = std::env::var_os(logging::VARIABLE).is_some_and(|v| !v.is_empty());
    let path = paths::state_directory().map(|d| d.join("renewscope.log").display().to_string());
    path.filter(|_| is_on).unwrap_or_else(|| "off".to_owned())
}

/// The origin of a setting that only the configuration file has.
fn from_file(set: bool) -> String {
    if set { Origin::File.to_string() } else { Origin::Default.to_string() }
}

/// The actions with changed keys, each with its keys.
fn replaced_keys(config: &Config) -> String {
    let default = Keymap::default();
    let changed = ACTIONS.iter().filter(|s| config.console.keymap.keys(s.action) != default.keys(s.action));
    let words: Vec<String> = changed.map(|s| format!("{}={}", s.id, config.console.keymap.keys(s.action))).collect();
    if words.is_empty() { "defaults".to_owned() } else { words.join(", ") }
}

/// The text, or `none` for the empty one.
fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Prints a completion script on stdout.
pub fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "renewscope", &mut text);
    print(&text)
}

/// Prints the manual page in roff on stdout.
pub fn man() -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(stdout_failed)?;
    print(&text)
}

/// Writes a whole text to stdout.
fn print(text: &[u8]) -> Result<Exit, Failure> {
    let mut out = stdout();
    out.write_all(text).and_then(|()| out.flush()).map_err(stdout_failed)?;
    Ok(Exit::Done)
}
