//! `doctor`: prints what works on this database and what does not, and why; one line per finding.
//!
//! Called by the dispatch of commands. The findings come from [`crate::store::doctor`]; nothing here runs a query.

use crate::config::Config;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter};
use crate::headless::session;
use crate::headless::session::Interrupt;
use crate::runtime::clock;
use crate::store::ConnectOptions;
use crate::store::doctor::{State, examine};

/// Prints the findings. A finding that is reduced or off is no failure of the command; an unreachable database is.
pub async fn doctor(config: &Config, format: Format, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let findings = tokio::select! {
        biased;
        () = interrupt.requested() => return Err(Failure::Interrupted),
        findings = async {
            let store = session::connect(config, ConnectOptions::default()).await?;
            examine(&store, clock::now).await
        } => findings?,
    };
    let ascii = config.ascii;
    let table = format == Format::Table;
    let sign = |state| match (state, ascii) {
        (State::Ok, false) => "✓ ok",
        (State::Reduced, false) => "◐ reduced",
        (State::Off, false) => "✗ off",
        (State::Ok, true) => "+ ok",
        (State::Reduced, true) => "~ reduced",
        (State::Off, true) => "- off",
    };
    let word = |state| match state {
        State::Ok => "ok",
        State::Reduced => "reduced",
        State::Off => "off",
    };
    let columns = ["topic", "state", "found", "remedy"].map(|key| Column::new(key).at_most(200)).into();
    let mut writer = RowWriter::new(stdout(), format, columns, ascii);
    for finding in &findings {
        let state = if table { sign(finding.state) } else { word(finding.state) };
        let cells = [
            Cell::text(Some(finding.topic)),
            Cell::text(Some(state)),
            Cell::text(Some(finding.found.as_str())),
            Cell::text(finding.remedy.as_deref()),
        ];
        writer.row(&cells).map_err(stdout_failed)?;
    }
    writer.finish().map_err(stdout_failed)?;
    Ok(Exit::Done)
}
