//! An event as cells: all fields for data formats, the most important ones for a table. Used by every command that
//! prints events.

use std::borrow::Cow;

use crate::domain::event::{Id, NewEvent, RenewalEvent};
use crate::domain::format;
use crate::domain::instant::{Civil, Instant};
use crate::domain::zone::Zone;
use crate::headless::output::{Cell, Column, Format};

/// The names of an event's fields in NDJSON and CSV, in order. `ingest` reads the same names.
pub const KEYS: [&str; 11] = [
    "id",
    "device_id",
    "org_id",
    "event_type",
    "reason",
    "old_cert_expiration",
    "new_cert_expiration",
    "error_message",
    "created_at",
    "device",
    "org",
];

/// The columns of an event in a format. A table's heading names the zone of its times.
pub fn columns(format: Format, zone: &Zone) -> Vec<Column> {
    match format {
        Format::Table => vec![
            Column::new("created_at").titled(format!("TIME ({})", zone.name())),
            Column::new("id"),
            Column::new("device").at_most(60),
            Column::new("org").at_most(40),
            Column::new("event_type").titled("TYPE").at_most(40),
            Column::new("reason").at_most(24),
            Column::new("old_cert_expiration").titled("OLD EXPIRY"),
            Column::new("new_cert_expiration").titled("NEW EXPIRY"),
            Column::new("error_message").titled("ERROR").at_most(100),
        ],
        Format::Md => KEYS.iter().map(|key| Column::new(key).titled(*key)).collect(),
        _ => KEYS.iter().map(|key| Column::new(key)).collect(),
    }
}

/// The cells of an event for [`columns`].
pub fn cells<'a>(format: Format, zone: &Zone, event: &'a RenewalEvent) -> Vec<Cell<'a>> {
    match format {
        Format::Table => line_cells(zone, event),
        _ => data_cells(event).into(),
    }
}

/// All fields in the order of [`KEYS`]. The error is as long as the event holds it, which can be a cut one.
pub fn data_cells(event: &RenewalEvent) -> [Cell<'_>; 11] {
    [
        Cell::Id(&event.id),
        event.device_id().map_or(Cell::Missing, Cell::Id),
        event.org_id.as_ref().map_or(Cell::Missing, Cell::Id),
        Cell::text(Some(event.kind.raw())),
        Cell::text(event.reason.as_ref().map(|r| r.raw())),
        event.old_expiry.map_or(Cell::Missing, Cell::Time),
        event.new_expiry.map_or(Cell::Missing, Cell::Time),
        Cell::text(event.error.as_ref().map(|e| e.text.raw())),
        Cell::Time(event.created_at),
        Cell::text(event.device.as_ref().map(|d| d.raw())),
        Cell::text(event.org.as_ref().map(|o| o.raw())),
    ]
}

/// An event that is not stored yet, in the same order, for [`ingest`](crate::headless::commands::ingest) to read.
pub fn new_event_cells(event: &NewEvent) -> [Cell<'_>; 11] {
    [
        Cell::text(event.id.map(|id| id.hyphenated().to_string())),
        Cell::text(event.device.id.map(|id| id.hyphenated().to_string())),
        Cell::text(event.org.id.map(|id| id.hyphenated().to_string())),
        Cell::text(Some(event.kind.as_str())),
        Cell::text(event.reason.as_deref()),
        Cell::text(event.old_expiry.map(Instant::rfc3339)),
        Cell::text(event.new_expiry.map(Instant::rfc3339)),
        Cell::text(event.error.as_deref()),
        Cell::text(Some(event.created_at.rfc3339())),
        Cell::text(event.device.name.as_deref()),
        Cell::text(event.org.name.as_deref()),
    ]
}

/// The cells of a table for people: names instead of ids, short ids, times in the zone shown.
fn line_cells<'a>(zone: &Zone, event: &'a RenewalEvent) -> Vec<Cell<'a>> {
    let named = |name: &'a Option<crate::domain::text::Text>, id: Option<&Id>| match name {
        Some(name) => Cell::text(Some(name.raw())),
        None => Cell::text(id.map(Id::raw)),
    };
    vec![
        Cell::text(Some(stamp(event.created_at, zone, true))),
        Cell::text(Some(short_id(&event.id))),
        named(&event.device, event.device_id()),
        named(&event.org, event.org_id.as_ref()),
        Cell::text(Some(event.kind.raw())),
        Cell::text(event.reason.as_ref().map(|r| r.raw())),
        Cell::text(event.old_expiry.map(|t| stamp(t, zone, false))),
        Cell::text(event.new_expiry.map(|t| stamp(t, zone, false))),
        Cell::text(event.error.as_ref().map(|e| e.text.raw())),
    ]
}

/// The first digits of an id, usually enough for `get` and the filter key `id`.
fn short_id(id: &Id) -> String {
    match id {
        Id::Uuid(_) => id.raw().chars().take(8).collect(),
        _ => id.raw(),
    }
}

/// A time for people in a zone that is printed elsewhere; `fine`: to the millisecond, else to the minute.
pub fn stamp(at: Instant, zone: &Zone, fine: bool) -> String {
    let Some(Civil { year, month, day, hour, minute, second, micros }) = zone.civil(at) else { return at.rfc3339() };
    let date: Cow<'static, str> = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}").into();
    let offset = format::fold_label(at, zone);
    if fine { format!("{date}:{second:02}.{:03}{offset}", micros / 1000) } else { format!("{date}{offset}") }
}
