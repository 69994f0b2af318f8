//! The two lines at the top: what is open and how live it is; the filter and the place in its result.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use tui_input::Input;

use crate::console::{Layer, Model};
use crate::domain::event::Outcome;
use crate::domain::format;
use crate::domain::instant::Span;
use crate::domain::measure;
use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::protocol::tail::Window;
use crate::ui::ctx::Link;
use crate::ui::paint::Pen;
use crate::ui::skin::Skin;
use crate::views::ViewId;

/// Below this width the header has only what is needed most.
const WIDE: u16 = 110;

/// Draws the top line. The live state is at the right and never cut; the words for the source are cut first.
pub fn header(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let area = model.geometry.header;
    let wide = area.width >= WIDE;
    let (state, style) = state(model, skin);
    let clock = clock(model, skin, wide);
    let right = measure::width(&state) + 3 + measure::width(&clock) + 1;
    let mut pen = Pen::at(buf, area, 0);
    pen.put(" ", skin.strong());
    let crumb = breadcrumb(model, wide);
    if !crumb.is_empty() {
        pen.put(&crumb, skin.strong()).put("  ", skin.strong());
    }
    let room = pen.left().saturating_sub(right + 2);
    pen.cell(&Clean::line(&place(model, skin)), room, skin.muted());
    pen.leave(right).put(&clock, skin.muted()).put("   ", skin.text()).put(&state, style);
}

/// The views through which the one on screen was reached, and that one: `errors › events`. A narrow header has the last one
/// only, and none for the event list that it begins with.
fn breadcrumb(model: &Model, wide: bool) -> String {
    if !wide {
        let top = model.views.top();
        let root = model.trail().is_empty() && top == ViewId::Events;
        return if root { String::new() } else { top.spec().name.to_owned() };
    }
    let trail = model.trail().iter().map(|place| place.view);
    let names: Vec<&str> = trail.chain([model.views.top()]).map(|view| view.spec().name).collect();
    let last = names.len().saturating_sub(3);
    names.get(last..).unwrap_or_default().join(" › ")
}

/// The zone and the time, to the minute: an idle screen does not change.
fn clock(model: &Model, skin: &Skin, wide: bool) -> String {
    let now = format::stamp(model.ctx.now, &model.ctx.zone);
    let minute = if wide { now.get(..16) } else { now.get(11..16) };
    format!("{} {} {}", model.ctx.zone.name(), skin.glyphs.dot, minute.unwrap_or(&now))
}

/// What is open. Read-only comes first, then a connection that others can read or intercept, then the kind of table:
/// these must not be cut. A TLS mode that verifies the server, and a connection that stays on this machine, come last.
fn place(model: &Model, skin: &Skin) -> String {
    let source = model.ctx.source.value();
    let mut words: Vec<String> = source.filter(|s| s.read_only).map(|_| "read-only".to_owned()).into_iter().collect();
    let tls = source.and_then(|s| s.tls.as_deref());
    let (safe, weak) = match tls {
        Some("verify-full" | "off (socket)" | "off (loopback)") => (tls, None),
        _ => (None, tls),
    };
    words.extend(weak.map(|mode| format!("TLS {mode}")));
    words.extend(source.map(|s| s.profile.clone()));
    words.push(model.ctx.title.clone());
    words.extend(safe.map(|mode| format!("TLS {mode}")));
    words.join(&format!(" {} ", skin.glyphs.dot))
}

/// The live state in a few words.
fn state(model: &Model, skin: &Skin) -> (String, Style) {
    let g = skin.glyphs;
    let (failed, other) = (skin.glyph(Outcome::Failed), skin.glyph(Outcome::Other));
    match &model.ctx.link {
        Link::Connecting => (format!("{} connecting", other), skin.muted()),
        Link::Away { error: SourceError::Unfit(_), .. } => {
            (format!("{} this source cannot answer that filter", failed), skin.warn())
        }
        Link::Away { error: SourceError::Shape(_), .. } => (format!("{} the table cannot be read", failed), skin.bad()),
        Link::Slow { since } => {
            let waited = model.ctx.now.since(*since).map_or(0, |s| s.as_seconds().max(1));
            (format!("{} slow, no answer for {waited} s", g.paused), skin.warn())
        }
        Link::Away { next, tries, error, .. } => {
            let wait = next.since(model.ctx.now).map_or(0, |s| s.as_seconds().max(0));
            let words = match error {
                SourceError::Refused { .. } => format!("{} refused, next try in {wait} s", failed),
                _ => format!("{} reconnecting in {wait} s (try {tries})", failed),
            };
            (words, skin.bad())
        }
        Link::Live if model.tail.paused => {
            (format!("{} paused, {} held", g.paused, format::count(model.tail.held)), skin.warn())
        }
        Link::Live if !model.views.following().on => {
            let n = model.views.following().arrived;
            if n > 0 {
                (format!("{} {} new{}", g.up, format::count(n), figures(model)), skin.accent())
            } else {
                (format!("{other} not following{}", figures(model)), skin.muted())
            }
        }
        Link::Live => match overdue(model) {
            Some(age) => (format!("{} newest event {} ago{}", g.live, format::span(age), figures(model)), skin.warn()),
            None => (format!("{} live{}", g.live, figures(model)), skin.good()),
        },
    }
}

/// The age of the newest event if it is overdue: more than a quarter of an hour, and more than twenty usual gaps. The
/// database answers then, but its writers may have stopped.
fn overdue(model: &Model) -> Option<Span> {
    let age = model.ctx.now.since(model.ctx.newest?)?;
    let usual = model.views.usual_gap()?;
    (age > Span::minutes(15) && age.0 > usual.0.saturating_mul(20)).then_some(age)
}

/// Rate, lag, late and skipped rows, and the window within which none is lost. Each begins with a blank; what is zero
/// or unknown is left out.
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

/// The query bar; returns where the cursor is while text is typed.
pub fn query(model: &Model, skin: &Skin, buf: &mut Buffer) -> Option<Position> {
    let area = model.geometry.query;
    let typed = |failed: bool| if failed { skin.bad() } else { skin.strong() };
    match &model.layer {
        Some(Layer::Filter(edit)) => {
            let line = Line { sign: " / ", key: skin.key(), style: typed(edit.error().is_some()) };
            return Some(type_in(area, line, &edit.input, buf));
        }
        Some(Layer::Time(prompt)) => {
            let line = Line { sign: " time ", key: skin.key(), style: typed(prompt.error.is_some()) };
            return Some(type_in(area, line, &prompt.input, buf));
        }
        Some(Layer::Palette(palette)) => {
            let line = Line { sign: " : ", key: skin.key(), style: skin.strong() };
            return Some(type_in(area, line, &palette.input, buf));
        }
        Some(Layer::Columns(_) | Layer::Help(_)) | None => {}
    }
    let (right, stale) = model.views.place(&model.ctx, skin);
    let mut pen = Pen::at(buf, area, 0);
    pen.put(" / ", skin.key());
    let room = pen.left().saturating_sub(measure::width(&right) + 3);
    let text = model.ctx.filter.to_string();
    if text.is_empty() {
        pen.cell(&Clean::line("all events"), room, skin.muted());
    } else {
        pen.cell(&Clean::line(&text), room, skin.strong());
    }
    pen.leave(measure::width(&right) + 1).put(&right, if stale { skin.muted() } else { skin.text() });
    None
}

/// The sign before a line that is typed, and the styles of both.
#[derive(Clone, Copy)]
struct Line {
    /// What is typed: `/` a filter, `time` a time, `:` a command.
    sign: &'static str,
    /// The sign's style.
    key: Style,
    /// The text's style, which shows whether it is valid.
    style: Style,
}

/// A line of input behind a sign, scrolled so that the cursor is visible. Returns where the cursor is. Control
/// characters are drawn as safe signs, as [`Clean`] has them.
fn type_in(area: Rect, Line { sign, key, style }: Line, input: &Input, buf: &mut Buffer) -> Position {
    let before = measure::width(sign);
    let room = usize::from(area.width).saturating_sub(before + 1);
    let scroll = input.visual_scroll(room);
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
