//! The cells of a device, for every view that names one.

use ratatui::style::Style;

use crate::domain::device::State;
use crate::domain::device::policy::Phase;
use crate::domain::event::Outcome;
use crate::domain::fleet::{Line, Member};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;

use super::attempt;
use super::skin::Skin;

/// The style of a phase: bad where the end is near, a warning where a renewal is late.
pub fn phase_style(phase: Phase, skin: &Skin) -> Style {
    match phase {
        Phase::Expired | Phase::Critical => skin.bad(),
        Phase::Late => skin.warn(),
        Phase::Due | Phase::NotDue | Phase::Unknown => skin.text(),
    }
}

/// The time left at `now`; a dash where it is not known. Where no policy tells whether it is little, it is bad within a day
/// and a warning within a week, as in a row of an event.
pub fn runway(line: &Line, now: Instant, skin: &Skin) -> (String, Style) {
    let Some((expiry, _)) = line.member.device.expiry else { return (skin.glyphs.none.to_owned(), skin.muted()) };
    let style = match expiry.since(now) {
        _ if expiry <= now => skin.bad(),
        Some(left) if line.phase == Phase::Unknown && left < Span::days(1) => skin.bad(),
        Some(left) if line.phase == Phase::Unknown && left < Span::days(7) => skin.warn(),
        _ => phase_style(line.phase, skin),
    };
    (attempt::left(expiry, now), style)
}

/// The device's name, else its id.
pub fn name(member: &Member) -> Clean {
    member.name.as_ref().map_or_else(|| member.id().clean(), |name| name.clean())
}

/// The organization's name, else its id.
pub fn org(member: &Member, skin: &Skin) -> Clean {
    let id = || member.org_id.as_ref().map(|id| id.clean());
    member.org.as_ref().map(|name| name.clean()).or_else(id).unwrap_or_else(|| Clean::line(skin.glyphs.none))
}

/// How the device stands, with its sign, and since when: `✗ failed 4m`, `silent 12d`.
pub fn state(line: &Line, now: Instant, skin: &Skin) -> (String, Style) {
    let device = &line.member.device;
    let since =
        |at: Option<Instant>| at.and_then(|at| now.since(at)).filter(|age| age.0 >= 0).map(age).unwrap_or_default();
    let failed = skin.glyph(Outcome::Failed);
    match line.state {
        State::Ok => (format!("{} ok", skin.glyph(Outcome::Succeeded)), skin.good()),
        State::Failed => (format!("{failed} failed{}", since(Some(device.last))), skin.bad()),
        State::GaveUp => (format!("{failed} gave up{}", since(device.tries.last)), skin.bad()),
        State::Stalled => (format!("! stalled{}", since(device.open.map(|(_, at)| at))), skin.warn()),
        State::InFlight => (format!("{} in flight", skin.glyphs.more), skin.text()),
        State::Silent => (format!("! silent{}", since(line.silent_since)), skin.warn()),
        State::Expired => ("! expired".to_owned(), skin.bad()),
        State::Unknown => ("? unknown".to_owned(), skin.muted()),
    }
}

/// An age behind a word, to the minute: ` 4m`, ` 12d`.
fn age(span: Span) -> String {
    match span.as_seconds() {
        s if s < 60 => " now".to_owned(),
        s if s < 3600 => format!(" {}m", s / 60),
        _ => format!(" {}", format::span(span)),
    }
}

/// Failures in a row: `3`, or `≥64` where there may be more; blank for none.
pub fn fails(line: &Line, skin: &Skin) -> String {
    match line.fails {
        0 => String::new(),
        n if line.fails_exact() => n.to_string(),
        n => format!("{}{n}", skin.glyphs.at_least),
    }
}

/// When the next try is to come: `in 4m`, `overdue 3h`; blank where none is expected.
pub fn next_try(line: &Line, now: Instant) -> String {
    match line.next_try.and_then(|at| at.since(now)) {
        Some(span) if span.0 < 0 => format!("overdue {}", format::aging(span.abs())),
        Some(span) => format!("~in {}", format::aging(span)),
        None => String::new(),
    }
}
