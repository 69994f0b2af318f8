//! `sources`: which source profiles exist, which fit the database, and how one reads a row. It changes nothing.

use std::io::Write;

use crate::config::Config;
use crate::config::cli::Sources;
use crate::domain::text::Clean;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter, event};
use crate::headless::session::{Interrupt, tell_default_file};
use crate::headless::tell;
use crate::store::source::report;
use crate::store::source::report::Line;

/// Runs one of the subcommands.
pub async fn sources(
    config: &Config,
    format: Format,
    command: Sources,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    for error in &config.sources.broken {
        tell(&error.to_string());
    }
    if config.embedded && matches!(command, Sources::Detect | Sources::Check { .. }) {
        tell_default_file(config);
    }
    match command {
        Sources::List => list(config, format),
        Sources::Show { name } => show(config, &name),
        Sources::Detect => tokio::select! {
            biased;
            () = interrupt.requested() => Err(Failure::Interrupted),
            done = detect(config, format) => done,
        },
        Sources::Check { file } => tokio::select! {
            biased;
            () = interrupt.requested() => Err(Failure::Interrupted),
            done = check(config, format, &file) => done,
        },
    }
}

/// Prints one row per known profile.
fn list(config: &Config, format: Format) -> Result<Exit, Failure> {
    let columns = ["name", "databases", "from", "about"].map(|key| Column::new(key).at_most(200)).into();
    let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
    for profile in &config.sources.profiles.all {
        let databases = profile.databases.iter().map(|d| d.name()).collect::<Vec<_>>().join(" ");
        let from = profile.file.as_ref().map_or("built in".to_owned(), |f| f.display().to_string());
        let cells = [profile.name.as_str(), &databases, &from, &profile.about].map(|text| Cell::text(Some(text)));
        writer.row(&cells).map_err(stdout_failed)?;
    }
    writer.finish().map_err(stdout_failed)?;
    Ok(Exit::Done)
}

/// Prints the text of a profile.
fn show(config: &Config, name: &str) -> Result<Exit, Failure> {
    let profile = config.sources.find(name).map_err(Failure::Usage)?;
    let mut out = stdout();
    // Cleaned line by line, so that control characters in a file cannot reach the terminal.
    for line in profile.text.lines() {
        writeln!(out, "{}", Clean::line(line)).map_err(stdout_failed)?;
    }
    out.flush().map_err(stdout_failed)?;
    Ok(Exit::Done)
}

/// Prints one row per profile with what is missing. Fails if none fits.
async fn detect(config: &Config, format: Format) -> Result<Exit, Failure> {
    let fits = report::detect(&config.database.value, &config.sources.profiles).await?;
    let columns = ["source", "state", "detail"].map(|key| Column::new(key).at_most(400)).into();
    let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
    for fit in &fits {
        let state = match (fit.fits(), fit.is_near) {
            (true, _) => "fits",
            (false, true) => "nearly fits",
            (false, false) => "does not fit",
        };
        let detail = if fit.fits() { fit.profile.about.clone() } else { fit.missing.join("; ") };
        let cells = [fit.profile.name.as_str(), state, &detail].map(|text| Cell::text(Some(text)));
        writer.row(&cells).map_err(stdout_failed)?;
    }
    writer.finish().map_err(stdout_failed)?;
    Ok(if fits.iter().any(|f| f.fits()) { Exit::Done } else { Exit::Failed })
}

/// Prints what a profile makes of the database, and one row as it reads it. Fails if it does not fit.
async fn check(config: &Config, format: Format, file: &str) -> Result<Exit, Failure> {
    let profile = config.sources.find(file).map_err(Failure::Usage)?;
    let report = report::check(&config.database.value, &config.sources.profiles, &profile).await?;
    let mut lines = report.lines;
    if let Some(row) = &report.sample {
        for (key, cell) in event::KEYS.iter().zip(event::data_cells(row)) {
            let value = cell.plain().map_or_else(|| "-".to_owned(), |text| Clean::line(&text).as_str().to_owned());
            lines.push(Line::new("sample", *key, "", value));
        }
        let outcome = row.outcome().ending().unwrap_or("other");
        lines.push(Line::new("sample", "outcome", "", outcome));
        for (label, text) in row.beyond.iter().filter_map(|b| b.more.as_ref()).flatten() {
            lines.push(Line::new("sample", label.as_ref(), "", text.clean().as_str()));
        }
    }
    let columns = ["kind", "name", "state", "detail"].map(|key| Column::new(key).at_most(200)).into();
    let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
    for line in &lines {
        let cells = [line.kind, &line.name, line.state, &line.detail];
        writer.row(&cells.map(|text| Cell::text(Some(text).filter(|t| !t.is_empty())))).map_err(stdout_failed)?;
    }
    writer.finish().map_err(stdout_failed)?;
    Ok(if report.fits { Exit::Done } else { Exit::Failed })
}
