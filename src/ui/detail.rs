//! One event: what happened, what its dates mean now, the whole error, the identifiers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::detail::{self, Line, Tone};
use crate::app::needles::Needles;
use crate::app::{Focus, Model};
use crate::domain::format;
use crate::domain::text::Clean;

use super::list::spoken;
use super::paint::{Pen, rule, wash};
use super::skin::Skin;

/// One more than the longest label that is shown whole; a cell stands before it.
const LABEL: usize = detail::INDENT - 1;

pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let area = model.geometry.detail;
    if area.height == 0 {
        return;
    }
    let focused = model.focus == Focus::Detail;
    let Some(event) = model.detail.event() else { return };
    rule(buf, area, 0, skin.glyphs.rule, skin.frame());
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1).put(" ", skin.text());
    pen.clean(&crate::app::list_name(event), skin.title(focused).patch(skin.strong()));
    if let Some(org) = &event.org {
        pen.put(" ", skin.text())
            .put(skin.glyphs.dot, skin.muted())
            .put(" ", skin.text())
            .clean(&org.clean(), skin.muted());
    }
    pen.put(" ", skin.text());

    let lines = lines(model, skin);
    let room = usize::from(area.height) - 1;
    let last = lines.len().saturating_sub(room);
    let scroll = model.detail.scroll.min(last);
    let body = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    for (row, line) in lines.iter().skip(scroll).take(room).enumerate() {
        put(buf, body, row as u16, line, (skin, model.needles()));
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
    if model.list.is_stale() {
        wash(buf, area, skin.stale());
    }
}

enum Row<'a> {
    Field(Line),
    Error(&'a Clean, bool),
    /// A further column: its label, a line of it, and whether that is the first.
    More(&'a Clean, &'a Clean, bool),
}

fn lines<'a>(model: &'a Model, skin: &Skin) -> Vec<Row<'a>> {
    let Some(event) = model.detail.event() else { return Vec::new() };
    let outcome = event.outcome();
    let tone = match outcome {
        crate::domain::event::Outcome::Failed => Tone::Bad,
        crate::domain::event::Outcome::Succeeded => Tone::Good,
        _ => Tone::Plain,
    };
    let what = format!("{} {}", skin.glyph(outcome), spoken(event));
    let when =
        format!("{}  {}", format::stamp(event.created_at, &model.zone), format::relative(event.created_at, model.now));
    let mut rows = vec![Row::Field(Line { label: "what", value: what, tone, aside: Some((when, Tone::Plain)) })];
    rows.extend(detail::fields(event, model.now, &model.zone).into_iter().map(Row::Field));
    rows.extend(model.detail.error_lines().iter().enumerate().map(|(i, l)| Row::Error(l, i == 0)));
    if model.detail.is_cut() {
        let state = match model.detail.fetch().error() {
            Some(error) => format!("{} the rest could not be read: {error}", skin.glyphs.more),
            None => format!("{} reading the rest", skin.glyphs.more),
        };
        rows.push(Row::Field(Line { label: "", value: state, tone: Tone::Muted, aside: None }));
    }
    rows.extend(detail::identifiers(event).into_iter().map(Row::Field));
    for (label, lines) in model.detail.more_lines() {
        rows.extend(lines.iter().enumerate().map(|(i, text)| Row::More(label, text, i == 0)));
    }
    rows
}

fn put(buf: &mut Buffer, area: Rect, row: u16, line: &Row<'_>, (skin, needles): (&Skin, &Needles)) {
    let mut pen = Pen::at(buf, area, row);
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

fn tone(tone: Tone, skin: &Skin) -> Style {
    match tone {
        Tone::Plain => skin.text(),
        Tone::Muted => skin.muted(),
        Tone::Good => skin.good(),
        Tone::Warn => skin.warn(),
        Tone::Bad => skin.bad(),
    }
}
