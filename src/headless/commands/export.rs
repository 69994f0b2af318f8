//! `export`: all matching events to a file or to stdout, in pages, with little memory.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use indicatif::ProgressBar;

use crate::config::Config;
use crate::domain::text::Clean;
use crate::headless::commands::list::criteria;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{Packing, Target, by_name, stdout, stdout_failed};
use crate::headless::output::{Format, RowWriter, event};
use crate::headless::session::{Interrupt, Session, Walk};
use crate::headless::tell;

/// Writes what matches, newest first. The file appears when it is complete; interrupted or failed, none does.
pub async fn export(
    config: &Config,
    format: Option<Format>,
    output: &Path,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    if output.as_os_str() == "-" {
        let session = Session::open(config, interrupt).await?;
        let format = format.unwrap_or(Format::Ndjson);
        // stdout on the same terminal would run through the progress line.
        let bar = if io::stdout().is_terminal() { ProgressBar::hidden() } else { progress("exported") };
        let (out, _) = walk(config, &session, format, stdout(), &bar, interrupt).await.map_err(stdout_or)?;
        drop(out);
        bar.finish_and_clear();
        return Ok(Exit::Done);
    }
    let shown = Clean::line(&output.to_string_lossy());
    let (named, packing) = by_name(output);
    let Some(format) = format.or(named) else {
        return Err(Failure::Usage(format!(
            "the name '{shown}' tells no format; end it in .ndjson, .csv, .json or .md (and .gz or .zst), or give --format"
        )));
    };
    let session = Session::open(config, interrupt).await?;
    let rows = to_file(config, &session, format, (output, packing), interrupt).await.map_err(|e| match e {
        Broken::Io(e) => Failure::Failed(format!("cannot write '{shown}': {e}")),
        Broken::Other(failure) => failure,
    })?;
    tell(&format!("{rows} events written to '{shown}'"));
    Ok(Exit::Done)
}

/// A failure of the output, which only the caller can name, or any other.
enum Broken {
    Io(io::Error),
    Other(Failure),
}
impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn stdout_or(broken: Broken) -> Failure {
    match broken {
        Broken::Io(e) => stdout_failed(e),
        Broken::Other(failure) => failure,
    }
}

async fn to_file(
    config: &Config,
    session: &Session,
    format: Format,
    (path, packing): (&Path, Packing),
    interrupt: &Interrupt,
) -> Result<u64, Broken> {
    let target = Target::create(path, packing)?;
    let bar = progress("exported");
    let (target, rows) = walk(config, session, format, target, &bar, interrupt).await?;
    bar.finish_and_clear();
    target.finish()?;
    Ok(rows)
}

async fn walk<W: Write>(
    config: &Config,
    session: &Session,
    format: Format,
    out: W,
    bar: &ProgressBar,
    interrupt: &Interrupt,
) -> Result<(W, u64), Broken> {
    let zone = &config.zone.value;
    let mut writer = RowWriter::new(out, format, event::columns(format, zone), config.ascii);
    let mut walk = Walk::new(session, criteria(config), true, config.limit).ahead();
    loop {
        let rows = walk.next().await.map_err(|e| Broken::Other(e.into()))?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            writer.row(&event::cells(format, zone, row))?;
        }
        bar.set_position(writer.rows());
        if interrupt.is_asked() {
            return Err(Broken::Other(Failure::Interrupted));
        }
    }
    let rows = writer.rows();
    Ok((writer.finish()?, rows))
}

/// A running count on stderr; none where stderr is no terminal.
pub fn progress(verb: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = indicatif::ProgressStyle::with_template("{spinner} {prefix} {human_pos} ({per_sec}, {elapsed})")
    {
        bar.set_style(style);
    }
    bar.with_prefix(verb)
}
