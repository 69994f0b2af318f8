//! `export`: writes all matching events to a file or to stdout, page by page. It never holds more than a few pages, and
//! never leaves a partial file under the final name.

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
use crate::headless::{tell, values};

/// Writes what matches, newest first. The file appears when it is complete; an interrupted or failed export leaves none.
pub async fn export(
    config: &Config,
    format: Option<Format>,
    output: &Path,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    if output.as_os_str() == "-" {
        let session = Session::open(config, interrupt).await?;
        let export = Export { config, session, format: format.unwrap_or(Format::Ndjson), interrupt };
        // On a terminal the rows would mix with the progress line.
        let bar = if io::stdout().is_terminal() { ProgressBar::hidden() } else { progress("exported") };
        values::require(&export.session, config).await?;
        let (out, rows) = export.write(stdout(), &bar).await.map_err(stdout_or)?;
        drop(out);
        bar.finish_and_clear();
        values::tell_unknown(&export.session, config, rows).await;
        return Ok(Exit::Done);
    }
    let shown = Clean::line(&output.to_string_lossy());
    let (named, packing) = by_name(output);
    let Some(format) = format.or(named) else {
        return Err(Failure::Usage(format!(
            "the name '{shown}' has no known ending; use .ndjson, .csv, .json or .md (then .gz or .zst), or give --format"
        )));
    };
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    let export = Export { config, session, format, interrupt };
    let rows = export.to_file(output, packing).await.map_err(|e| match e {
        Broken::Io(e) => Failure::Failed(format!("cannot write '{shown}': {e}")),
        Broken::Other(failure) => failure,
    })?;
    values::tell_unknown(&export.session, config, rows).await;
    tell(&format!("{rows} events written to '{shown}'"));
    Ok(Exit::Done)
}

/// A failed write, whose target only the caller can name, or any other failure.
enum Broken {
    /// A write to the target failed.
    Io(io::Error),
    /// A query failed, or the user interrupted.
    Other(Failure),
}
impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The failure of an export to stdout.
fn stdout_or(broken: Broken) -> Failure {
    match broken {
        Broken::Io(e) => stdout_failed(e),
        Broken::Other(failure) => failure,
    }
}

/// One export: what it reads and how it writes.
struct Export<'a> {
    config: &'a Config,
    session: Session,
    format: Format,
    /// Checked after each page.
    interrupt: &'a Interrupt,
}

impl Export<'_> {
    /// Writes the file and returns the number of its rows.
    async fn to_file(&self, path: &Path, packing: Packing) -> Result<u64, Broken> {
        let target = Target::create(path, packing)?;
        let bar = progress("exported");
        let (target, rows) = self.write(target, &bar).await?;
        bar.finish_and_clear();
        target.finish()?;
        Ok(rows)
    }

    /// Writes all rows to `out`; returns it with their number.
    async fn write<W: Write>(&self, out: W, bar: &ProgressBar) -> Result<(W, u64), Broken> {
        let zone = &self.config.zone.value;
        let mut writer = RowWriter::new(out, self.format, event::columns(self.format, zone), self.config.ascii);
        let mut walk = Walk::new(&self.session, criteria(self.config), true, self.config.limits.rows).ahead();
        loop {
            let rows = walk.next().await.map_err(|e| Broken::Other(e.into()))?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                writer.row(&event::cells(self.format, zone, row))?;
            }
            bar.set_position(writer.rows());
            if self.interrupt.is_requested() {
                return Err(Broken::Other(Failure::Interrupted));
            }
        }
        let rows = writer.rows();
        Ok((writer.finish()?, rows))
    }
}

/// A running count on stderr; none if stderr is not a terminal.
pub fn progress(verb: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = indicatif::ProgressStyle::with_template("{spinner} {prefix} {human_pos} ({per_sec}, {elapsed})")
    {
        bar.set_style(style);
    }
    bar.with_prefix(verb)
}
