//! `list` and `get`: events on stdout. They only read, and hold one page in memory.

use std::io::Write;
use std::sync::Arc;

use uuid::Uuid;

use crate::config::Config;
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::{Criteria, Filter};
use crate::domain::page::Anchor;
use crate::domain::text::{Clean, Text};
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter, event};
use crate::headless::session::{Interrupt, Session, Walk, unexpected};
use crate::headless::values;
use crate::protocol::{Answer, Query};
use crate::runtime::clock;

/// Prints all matching events, newest first. Only the table cuts long errors.
pub async fn list(config: &Config, format: Format, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    let zone = &config.zone.value;
    let mut writer = RowWriter::new(stdout(), format, event::columns(format, zone), config.ascii);
    let mut walk = Walk::new(&session, criteria(config), format != Format::Table, config.limits.rows);
    loop {
        let rows = walk.next().await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            writer.row(&event::cells(format, zone, row)).map_err(stdout_failed)?;
        }
        if interrupt.is_requested() {
            return Err(Failure::Interrupted);
        }
    }
    let rows = writer.rows();
    writer.finish().map_err(stdout_failed)?;
    values::tell_unknown(&session, config, rows).await;
    Ok(Exit::Done)
}

/// The configured filter as criteria, its relative times resolved at the current time.
pub fn criteria(config: &Config) -> Criteria {
    config.filter.value.criteria(clock::now(), &config.zone.value)
}

/// Prints one event by its id, or by at least the first 8 digits of it.
pub async fn get(config: &Config, format: Format, id: &str, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let session = Session::open(config, interrupt).await?;
    let shown = Clean::line(id);
    let id = match Uuid::parse_str(id) {
        Ok(id) => Id::Uuid(id),
        Err(_) if is_prefix(id) => by_prefix(&session, id).await?,
        Err(_) => id.parse().map_or_else(|_| Id::Text(Text::from(id)), Id::Int),
    };
    let found = match session.run(Query::Event { id }).await? {
        Answer::Event(found) => found,
        other => return Err(unexpected(&other).into()),
    };
    let event = found.ok_or_else(|| no_event(&shown))?;
    print(config, format, &event)?;
    Ok(Exit::Done)
}

/// The failure for an id that no event has.
fn no_event(id: &Clean) -> Failure {
    Failure::Failed(format!("no event has the id '{id}'"))
}

/// Whether the text can be the beginning of a UUID: 8 to 31 digits, and hyphens.
fn is_prefix(id: &str) -> bool {
    (8..32).contains(&id.bytes().filter(u8::is_ascii_hexdigit).count())
        && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// The id of the one event whose id begins with `prefix`.
async fn by_prefix(session: &Session, prefix: &str) -> Result<Id, Failure> {
    let filter = Filter::parse(&format!("id:{prefix}")).map_err(|e| Failure::Usage(e.to_string()))?;
    let criteria = filter.criteria(clock::now(), &crate::domain::zone::Zone::Utc);
    let page = session.page(criteria, Anchor::Newest, 2, false).await?;
    match page.rows.as_slice() {
        [] => Err(no_event(&Clean::line(prefix))),
        [one] => Ok(one.id.clone()),
        _ => Err(Failure::Failed(format!("several events have an id that begins with '{prefix}'; give more digits"))),
    }
}

/// Prints one event in a format.
fn print(config: &Config, format: Format, event: &Arc<RenewalEvent>) -> Result<(), Failure> {
    if format == Format::Table {
        return upright(config, event).map_err(stdout_failed);
    }
    let zone = &config.zone.value;
    let columns = match format {
        Format::Md => event::KEYS.iter().map(|key| Column::new(key).titled(*key)).collect(),
        _ => event::columns(format, zone),
    };
    let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
    writer.row(&event::cells(format, zone, event)).map_err(stdout_failed)?;
    writer.finish().map_err(stdout_failed)?;
    Ok(())
}

/// Prints one field per line, with every line of the error.
fn upright(config: &Config, event: &RenewalEvent) -> std::io::Result<()> {
    let zone = &config.zone.value;
    let mut out = stdout();
    let time = |at| format!("{} {}", event::stamp(at, zone, true), zone.name());
    for (key, cell) in event::KEYS.iter().zip(event::data_cells(event)) {
        let text = match (*key, cell) {
            ("error_message", _) => continue,
            ("created_at", _) => time(event.created_at),
            ("old_cert_expiration", _) => event.old_expiry.map_or_else(|| "-".to_owned(), time),
            ("new_cert_expiration", _) => event.new_expiry.map_or_else(|| "-".to_owned(), time),
            (_, Cell::Missing) => "-".to_owned(),
            (_, cell) => Clean::line(&cell.plain().unwrap_or_default()).as_str().to_owned(),
        };
        writeln!(out, "{key:<20} {text}")?;
    }
    let lines = event.error.as_ref().map(|e| e.text.clean_lines()).unwrap_or_default();
    for (i, line) in lines.iter().enumerate() {
        writeln!(out, "{:<20} {line}", if i == 0 { "error_message" } else { "" })?;
    }
    if lines.is_empty() {
        writeln!(out, "{:<20} -", "error_message")?;
    }
    if let Some(beyond) = &event.beyond {
        if beyond.reason_inferred {
            writeln!(out, "{:<20} from the device's preceding start", "reason_inferred")?;
        }
        if let Some(severity) = &beyond.severity {
            writeln!(out, "{:<20} {}", "severity", severity.clean())?;
        }
        for (label, text) in beyond.more.iter().flatten() {
            for (i, line) in text.clean_lines().iter().enumerate() {
                writeln!(out, "{:<20} {line}", if i == 0 { Clean::line(label) } else { Clean::default() })?;
            }
        }
    }
    out.flush()
}
