//! The two lines at the top: what is looked at and how live it is; the filter and the place in its result.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use tui_input::Input;

use crate::app::prompt::Ask;
use crate::app::tail::Link;
use crate::app::{Layer, Model};
use crate::domain::format;
use crate::domain::instant::Span;
use crate::domain::measure;
use crate::domain::page::Total;
use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::protocol::tail::Window;

use super::paint::Pen;
use super::skin::Skin;

/// Below this width the header is for what matters at 3 a.m. alone.
const WIDE: u16 = 110;

pub fn header(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let area = model.geometry.header;
    let wide = area.width >= WIDE;
    let (state, style) = state(model, skin);
    let clock = clock(model, skin, wide);
    let right = measure::width(&state) + 3 + measure::width(&clock) + 1;
    let mut pen = Pen::at(buf, area, 0);
    pen.put(if wide { " renewscope  " } else { " " }, skin.strong());
    let room = pen.left().saturating_sub(right + 2);
    pen.cell(&Clean::line(&place(model, skin)), room, skin.muted());
    pen.leave(right).put(&clock, skin.muted()).put("   ", skin.text()).put(&state, style);
}

/// The zone and the time, to the minute: a screen on which nothing happens stands still.
fn clock(model: &Model, skin: &Skin, wide: bool) -> String {
    let now = format::stamp(model.now, &model.zone);
    let minute = if wide { now.get(..16) } else { now.get(11..16) };
    format!("{} {} {}", model.zone.name(), skin.glyphs.dot, minute.unwrap_or(&now))
}

/// What is looked at. That nothing can be written comes first, then a link that others can read or step into, then what
/// kind of table it is: these must not be cut.
fn place(model: &Model, skin: &Skin) -> String {
    let source = model.source.value();
    let mut words: Vec<String> = source.filter(|s| s.read_only).map(|_| "read-only".to_owned()).into_iter().collect();
    let tls = source.and_then(|s| s.tls.as_deref());
    let (safe, weak) = match tls {
        Some("verify-full" | "off (socket)" | "off (loopback)") => (tls, None),
        _ => (None, tls),
    };
    words.extend(weak.map(|mode| format!("TLS {mode}")));
    words.extend(source.map(|s| s.profile.clone()));
    words.push(model.title.clone());
    words.extend(safe.map(|mode| format!("TLS {mode}")));
    words.join(&format!(" {} ", skin.glyphs.dot))
}

/// The state of the tail in a few words.
fn state(model: &Model, skin: &Skin) -> (String, Style) {
    let g = skin.glyphs;
    match &model.tail.link {
        Link::Connecting => (format!("{} connecting", g.other), skin.muted()),
        // The link is fine; it is the question that cannot be asked.
        Link::Away { error: SourceError::Unfit(_), .. } => {
            (format!("{} this filter cannot be asked here", g.failed), skin.warn())
        }
        Link::Away { error: SourceError::Shape(_), .. } => {
            (format!("{} the table cannot be read", g.failed), skin.bad())
        }
        Link::Slow { since } => {
            let waited = model.now.since(*since).map_or(0, |s| s.as_seconds().max(1));
            (format!("{} slow, no answer for {waited} s", g.paused), skin.warn())
        }
        Link::Away { next, tries, error, .. } => {
            let wait = next.since(model.now).map_or(0, |s| s.as_seconds().max(0));
            let words = match error {
                SourceError::Refused { .. } => format!("{} refused, next try in {wait} s", g.failed),
                _ => format!("{} reconnecting in {wait} s (try {tries})", g.failed),
            };
            (words, skin.bad())
        }
        Link::Live if model.tail.paused => {
            (format!("{} paused, {} held", g.paused, format::count(model.tail.held)), skin.warn())
        }
        Link::Live if !model.list.is_following() => {
            let n = model.list.arrived();
            if n > 0 {
                (format!("{} {} new", g.up, format::count(n)), skin.accent())
            } else {
                (format!("{} not following", g.other), skin.muted())
            }
        }
        Link::Live => (format!("{} live{}", g.live, figures(model)), skin.good()),
    }
}

/// Rate, lag and losses of the tail, and the window within which there are none.
fn figures(model: &Model) -> String {
    let tail = &model.tail;
    let mut words = String::new();
    match tail.rate() {
        0.0 => {}
        rate if rate < 10.0 => words.push_str(&format!(" {rate:.1}/s")),
        rate => words.push_str(&format!(" {}/s", format::count(rate as u64))),
    }
    if let Some(lag) = tail.lag.filter(|_| tail.rate() > 0.0) {
        let lag = if lag < Span::seconds(10) { format!("{:.1}s", lag.0 as f64 / 1e6) } else { format::span(lag) };
        words.push_str(&format!(" lag {lag}"));
    }
    if tail.late > 0 {
        words.push_str(&format!(" late {}", format::count(tail.late)));
    }
    if tail.skipped > 0 {
        words.push_str(&format!(" skipped {}", format::short_count(tail.skipped)));
    }
    match tail.window {
        Window::Unknown => {}
        Window::Every => words.push_str(" lost 0"),
        Window::Open { longest: within, .. } | Window::Overlap(within) => {
            words.push_str(&format!(" lost 0 within {}", format::span(within)));
        }
    }
    words
}

/// The filter line; returns where the cursor stands while it is edited.
pub fn query(model: &Model, skin: &Skin, buf: &mut Buffer) -> Option<Position> {
    let area = model.geometry.query;
    if model.layer == Some(Layer::Filter) {
        return Some(edit(model, skin, buf));
    }
    if model.layer == Some(Layer::Prompt) {
        return Some(prompt(model, skin, buf));
    }
    let right = place_in_result(model, skin);
    let mut pen = Pen::at(buf, area, 0);
    pen.put(" / ", skin.key());
    let room = pen.left().saturating_sub(measure::width(&right) + 3);
    let text = model.filter.to_string();
    if text.is_empty() {
        pen.cell(&Clean::line("every event"), room, skin.muted());
    } else {
        pen.cell(&Clean::line(&text), room, skin.strong());
    }
    pen.leave(measure::width(&right) + 1).put(&right, if model.list.is_stale() { skin.muted() } else { skin.text() });
    None
}

fn edit(model: &Model, skin: &Skin, buf: &mut Buffer) -> Position {
    let style = if model.edit.error().is_some() { skin.bad() } else { skin.strong() };
    type_in(model.geometry.query, " / ", &model.edit.input, (skin.key(), style), buf)
}

fn prompt(model: &Model, skin: &Skin, buf: &mut Buffer) -> Position {
    let sign = match model.prompt.ask {
        Ask::Time => " time ",
        Ask::Command => " : ",
    };
    let style = if model.prompt.error.is_some() { skin.bad() } else { skin.strong() };
    type_in(model.geometry.query, sign, &model.prompt.input, (skin.key(), style), buf)
}

/// A line of input behind a sign, scrolled so that the cursor is visible.
fn type_in(area: Rect, sign: &str, input: &Input, styles: (Style, Style), buf: &mut Buffer) -> Position {
    let before = measure::width(sign);
    let room = usize::from(area.width).saturating_sub(before + 1);
    let scroll = input.visual_scroll(room);
    let (key, style) = styles;
    let mut pen = Pen::at(buf, area, 0);
    pen.put(sign, key);
    let mut skipped = 0;
    for c in input.value().chars() {
        let cell = Clean::line(c.encode_utf8(&mut [0; 4]));
        let width = measure::width(cell.as_str());
        if skipped + width <= scroll {
            skipped += width;
        } else {
            pen.put(cell.as_str(), style);
        }
    }
    let x = input.visual_cursor().saturating_sub(scroll) + before;
    Position::new(area.x + u16::try_from(x).unwrap_or(u16::MAX).min(area.width.saturating_sub(1)), area.y)
}

/// `170 of 1,284`, as far as it is known.
fn place_in_result(model: &Model, skin: &Skin) -> String {
    if model.list.error().is_some() {
        return "could not look".into();
    }
    if let Some((at, goes_on)) = model.list.searched_to() {
        let when = format::clock(at, &model.zone, true);
        let state =
            if goes_on { format!("looked back to {when}{}", skin.glyphs.more) } else { format!("stopped at {when}") };
        return format!("{} found, {state}", format::count(model.list.rows().len() as u64));
    }
    let total = match model.count.value() {
        Some(Total::Exact(n)) => format::count(*n),
        Some(Total::AtLeast(n)) => format!("{} {}", skin.glyphs.at_least, format::count(*n)),
        None => skin.glyphs.more.into(),
    };
    let total = if model.count.is_waiting() { format!("{total}{}", skin.glyphs.more) } else { total };
    match model.list.position() {
        Some(n) if !model.list.is_following() && model.geometry.screen.width >= 100 => {
            let loaded = format::count(model.list.rows().len() as u64);
            format!("{} of {total} {} {loaded} loaded", format::count(n), skin.glyphs.dot)
        }
        Some(n) if !model.list.is_following() => format!("{} of {total}", format::count(n)),
        _ => format!("{total} {}", if total == "1" { "event" } else { "events" }),
    }
}
