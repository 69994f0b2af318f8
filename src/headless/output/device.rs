//! Devices as rows: the columns of data formats, and those of the table for people.

use crate::domain::device::{State, Stated};
use crate::domain::fleet::Line;
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Text;
use crate::domain::zone::Zone;
use crate::headless::output::{Cell, Column, Format, event};

/// The columns of data formats, in their order.
pub const KEYS: [&str; 20] = [
    "device_id",
    "device",
    "org_id",
    "org",
    "runway_seconds",
    "expires_at",
    "expires_from",
    "bucket",
    "phase",
    "fails",
    "fails_exact",
    "last_success_at",
    "last_at",
    "state",
    "silent_since",
    "next_try_at",
    "tries_left",
    "error",
    "sig",
    "as_of",
];

/// The columns in a format.
pub fn columns(format: Format, zone: &Zone) -> Vec<Column> {
    if format != Format::Table {
        return KEYS.iter().map(|key| Column::new(key)).collect();
    }
    vec![
        Column::new("runway"),
        Column::new("device").at_most(40),
        Column::new("org").at_most(30),
        Column::new("expires").titled(format!("EXPIRES ({})", zone.name())),
        Column::new("fails"),
        Column::new("last_success"),
        Column::new("state"),
        Column::new("next_try"),
        Column::new("error").at_most(60),
    ]
}

/// The cells of a device that stands so at `now`, the database's time.
pub fn cells<'a>(format: Format, zone: &Zone, line: &'a Line, now: Instant) -> Vec<Cell<'a>> {
    if format == Format::Table { for_people(zone, line, now) } else { data(line, now) }
}

/// The cells of data formats.
fn data(line: &Line, now: Instant) -> Vec<Cell<'_>> {
    let (member, device) = (&*line.member, &line.member.device);
    let time = |at: Option<Instant>| at.map_or(Cell::Missing, Cell::Time);
    let name = |name: &'_ Option<Text>| name.as_ref().map(|name| name.raw().to_owned());
    let stated = device.expiry.map(|(_, stated)| match stated {
        Stated::New => "success",
        Stated::Old => "old",
    });
    vec![
        Cell::Id(&device.id),
        Cell::text(name(&member.name)),
        member.org_id.as_ref().map_or(Cell::Missing, Cell::Id),
        Cell::text(name(&member.org)),
        line.runway.map_or(Cell::Missing, |left| Cell::Seconds(Span::seconds(left.as_seconds()))),
        time(device.expiry.map(|(at, _)| at)),
        Cell::text(stated),
        Cell::text(Some(line.bucket.word())),
        Cell::text(Some(line.phase.word())),
        Cell::Number(u64::from(line.fails)),
        Cell::Bool(line.fails_exact()),
        time(device.last_success),
        Cell::Time(device.last),
        Cell::text(Some(line.state.word())),
        time(line.silent_since),
        time(line.next_try),
        line.tries_left.map_or(Cell::Missing, |left| Cell::Number(u64::from(left))),
        Cell::text(member.signature.as_deref()),
        Cell::text(device.error.map(|id| id.to_string())),
        Cell::Time(now),
    ]
}

/// The cells of the table for people. `~` marks what is inferred, `>=` a lower bound, `?` what is not known.
fn for_people<'a>(zone: &Zone, line: &'a Line, now: Instant) -> Vec<Cell<'a>> {
    let (member, device) = (&*line.member, &line.member.device);
    let named = |name: &'a Option<Text>, id: Option<&crate::domain::event::Id>| match name {
        Some(name) => Cell::text(Some(name.raw())),
        None => Cell::text(id.map(crate::domain::event::Id::raw)),
    };
    let stated = device.expiry.map(|(at, stated)| {
        let mark = if stated == Stated::Old { "~" } else { "" };
        format!("{mark}{}", event::stamp(at, zone, false))
    });
    let bound = if line.fails_exact() { "" } else { ">=" };
    vec![
        Cell::text(Some(runway(line))),
        named(&member.name, Some(&device.id)),
        named(&member.org, member.org_id.as_ref()),
        Cell::text(stated),
        Cell::text(Some(format!("{bound}{}", line.fails))),
        Cell::text(device.last_success.map(|at| format::relative(at, now))),
        Cell::text(Some(state(line, now))),
        Cell::text(line.next_try.map(|at| next_try(at, now))),
        Cell::text(member.signature.as_deref()),
    ]
}

/// The time left, in words: `5h 14m`, `expired 3h`, `never`, `?`.
fn runway(line: &Line) -> String {
    match (line.runway, line.member.device.expiry) {
        (Some(left), _) if left.0 > 0 => format::span(left),
        (Some(left), _) => format!("expired {}", format::span(left)),
        (None, Some((Instant::INFINITY, _))) => "never".to_owned(),
        (None, Some(_)) => "expired".to_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// The state with its age: `failed 4m`, `stalled 1h`, `silent 3d`, `expired, silent 3d`; and `old certificate` where the new one is not in use.
fn state(line: &Line, now: Instant) -> String {
    let device = &line.member.device;
    let since = match line.state {
        State::Failed | State::GaveUp => Some(device.last),
        State::Stalled | State::InFlight => device.open.map(|(_, start)| start),
        State::Silent | State::Expired => line.silent_since,
        _ => None,
    };
    let silent = if line.state == State::Expired { ", silent" } else { "" };
    let age = since.and_then(|at| now.since(at)).map(|age| format!("{silent} {}", format::span(age)));
    let kept = if device.not_taken { ", old certificate" } else { "" };
    format!("{}{}{kept}", line.state.word().replace('_', " "), age.unwrap_or_default())
}

/// When the next try is to come; it is inferred from the gaps between earlier ones.
fn next_try(at: Instant, now: Instant) -> String {
    match at.since(now) {
        Some(late) if late.0 < 0 => format!("~overdue {}", format::span(late)),
        _ => format!("~{}", format::relative(at, now)),
    }
}
