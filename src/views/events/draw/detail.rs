//! One event: what happened, what its dates mean now, the whole error, the identifiers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::event::Outcome;
use crate::domain::format;
use crate::domain::text::Clean;
use crate::ui::paint::{Pen, rule, wash};
use crate::ui::skin::Skin;
use crate::views::events::Focus;
use crate::views::events::detail::{self, Line, Tone};

use super::Scene;
use super::list::spoken;

/// One more than the longest label that fits; a cell is before it.
const LABEL: usize = detail::INDENT - 1;

/// Draws device and organization as the title, and below it the lines that the scroll offset leaves. Nothing is drawn
/// without a region or an event.
pub fn draw(scene: Scene<'_>, buf: &mut Buffer) {
    let Scene { view, skin, .. } = scene;
    let area = view.geometry.detail;
    if area.height == 0 {
        return;
    }
    let focused = view.focus == Focus::Detail;
    let Some(event) = view.detail.event() else { return };
    rule(buf, area, skin.glyphs.rule, skin.frame());
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1).put(" ", skin.text());
    pen.clean(&event.device_label(), skin.title(focused).patch(skin.strong()));
    if let Some(org) = &event.org {
        pen.put(" ", skin.text())
            .put(skin.glyphs.dot, skin.muted())
            .put(" ", skin.text())
            .clean(&org.clean(), skin.muted());
    }
    pen.put(" ", skin.text());

    let lines = lines(scene);
    let room = usize::from(area.height) - 1;
    let last = lines.len().saturating_sub(room);
    let scroll = view.detail.scroll.min(last);
    let body = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    for (row, line) in lines.iter().skip(scroll).take(room).enumerate() {
        let area = Rect { y: body.y + row as u16, height: 1, ..body };
        put(scene, buf, area, line);
    }
    if lines.len() > room {
        let words = format!(
            " {}-{} of {} lines ",
            scroll + 1,
            (scroll + room).min(lines.len()),
            format::count(lines.len() as u64)
        );
        Pen::at(buf, area, 0).leave(words.len() + 2).put(&words, skin.muted());
    }
    if view.list.is_stale() {
        wash(buf, area, skin.stale());
    }
}

/// A line below the title.
enum Row<'a> {
    /// A label, a value, and an aside.
    Field(Line),
    /// A line of the error, and whether that is the first.
    Error(&'a Clean, bool),
    /// A further column: its label, a line of it, and whether that is the first.
    More(&'a Clean, &'a Clean, bool),
}

/// All lines of the event, in the order in which a failure is read: what and when, dates, error, identifiers, further
/// columns. [`Detail::seek`](detail::Detail::seek) counts on the error's place.
fn lines(Scene { view, ctx, skin }: Scene<'_>) -> Vec<Row<'_>> {
    let Some(event) = view.detail.event() else { return Vec::new() };
    let outcome = event.outcome();
    let tone = match outcome {
        Outcome::Failed => Tone::Bad,
        Outcome::Succeeded => Tone::Good,
        _ => Tone::Plain,
    };
    let what = format!("{} {}", skin.glyph(outcome), spoken(event));
    let when =
        format!("{}  {}", format::stamp(event.created_at, &ctx.zone), format::relative(event.created_at, ctx.now));
    let mut rows = vec![Row::Field(Line { label: "what", value: what, tone, aside: Some((when, Tone::Plain)) })];
    rows.extend(detail::fields(event, ctx.now, &ctx.zone).into_iter().map(Row::Field));
    rows.extend(view.detail.error_lines().iter().enumerate().map(|(i, l)| Row::Error(l, i == 0)));
    if view.detail.is_cut() {
        let state = match view.detail.fetch().error() {
            Some(error) => format!("{} cannot read the rest: {error}", skin.glyphs.more),
            None => format!("{} reading the rest", skin.glyphs.more),
        };
        rows.push(Row::Field(Line { label: "", value: state, tone: Tone::Muted, aside: None }));
    }
    rows.extend(detail::identifiers(event).into_iter().map(Row::Field));
    for (label, lines) in view.detail.more_lines() {
        rows.extend(lines.iter().enumerate().map(|(i, text)| Row::More(label, text, i == 0)));
    }
    rows
}

/// Draws one line. The words that the filter searches for are marked in texts, not in fields.
fn put(Scene { view, skin, .. }: Scene<'_>, buf: &mut Buffer, area: Rect, line: &Row<'_>) {
    let needles = view.needles();
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1);
    match line {
        Row::Error(text, true) => {
            pen.cell(&Clean::line("error"), LABEL, skin.muted());
            let room = pen.left();
            pen.marked(text, room, skin.text(), needles);
        }
        Row::Error(text, false) => {
            pen.skip(LABEL);
            let room = pen.left();
            pen.marked(text, room, skin.text(), needles);
        }
        Row::More(label, text, first) => {
            if *first {
                pen.cell(label, LABEL, skin.muted());
            } else {
                pen.skip(LABEL);
            }
            let room = pen.left();
            pen.marked(text, room, skin.muted(), needles);
        }
        Row::Field(line) => {
            pen.cell(&Clean::line(line.label), LABEL - 1, skin.muted()).skip(1);
            pen.clean(&Clean::line(&line.value), tone(line.tone, skin));
            if let Some((words, t)) = &line.aside {
                pen.put("   ", skin.text()).clean(&Clean::line(words), tone(*t, skin));
            }
        }
    }
}

/// State has tones only; here each one becomes a style.
fn tone(tone: Tone, skin: &Skin) -> Style {
    match tone {
        Tone::Plain => skin.text(),
        Tone::Muted => skin.muted(),
        Tone::Good => skin.good(),
        Tone::Warn => skin.warn(),
        Tone::Bad => skin.bad(),
    }
}
