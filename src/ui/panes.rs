//! The filter panes: beside the list where there is room, else over it while one has the focus.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::action::Preset;
use crate::app::panes::{Pane, PaneId, filter_word, label};
use crate::app::{Focus, Model};
use crate::domain::event::outcome_of;
use crate::domain::filter::State;
use crate::domain::format;
use crate::domain::measure;
use crate::domain::page::Total;
use crate::domain::source::Part;
use crate::domain::text::Clean;
use crate::protocol::query::Facet;

use super::paint::{Pen, blank, wash};
use super::skin::Skin;

const COUNT: usize = 6;

/// Draws the panes; returns where the cursor stands while a value is typed.
pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) -> Option<Position> {
    let area = model.geometry.panes;
    if area.width == 0 {
        return None;
    }
    if model.geometry.panes_over {
        blank(buf, area);
    }
    let wall = if model.geometry.panes_over { 0 } else { usize::from(area.width) - 1 };
    for row in 0..area.height {
        Pen::at(buf, area, row).skip(wall).put(skin.glyphs.wall, skin.frame());
    }
    let left = area.x + u16::from(model.geometry.panes_over);
    let mut top = area.y;
    let mut cursor = None;
    for pane in &model.panes.all {
        let height = 1 + pane.view.height as u16;
        let region = Rect::new(left, top, area.width - 1, height.min(area.bottom().saturating_sub(top)));
        cursor = draw_pane(model, pane, skin, buf, region).or(cursor);
        top += height;
    }
    cursor
}

fn draw_pane(model: &Model, pane: &Pane, skin: &Skin, buf: &mut Buffer, area: Rect) -> Option<Position> {
    let focused = model.focus == Focus::Pane(pane.id);
    let mut pen = Pen::at(buf, area, 0);
    pen.put(" ", skin.text()).put(pane.id.title(), skin.title(focused));
    let mut cursor = None;
    let needle = pane.needle.value();
    if pane.narrowing || !needle.is_empty() {
        pen.put(" / ", skin.key()).clean(&Clean::line(needle), skin.strong());
        if pane.narrowing {
            let x = area.x + 1 + measure::width(pane.id.title()) as u16 + 3 + pane.needle.visual_cursor() as u16;
            cursor = Some(Position::new(x.min(area.right().saturating_sub(1)), area.y));
        }
    } else if pane.facets.error().is_some() {
        pen.put("  could not look", skin.bad());
    } else if focused && pane.id != PaneId::Time {
        pen.put("  / to find", skin.muted());
    }
    if pane.facets.is_waiting() {
        Pen::at(buf, area, 0).leave(2).put(skin.glyphs.more, skin.muted());
    }
    let body = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
    match pane.id {
        PaneId::Time => presets(model, pane, skin, buf, body, focused),
        _ => values(model, pane, skin, buf, body, focused),
    }
    cursor
}

fn presets(model: &Model, pane: &Pane, skin: &Skin, buf: &mut Buffer, area: Rect, focused: bool) {
    let range = model.filter.range();
    let bounded = range.from.is_some() || range.until.is_some();
    let active = range.from.filter(|_| range.until.is_none()).map(|from| from.to_string());
    let mut pen = Pen::at(buf, area, 0);
    for (i, preset) in Preset::ALL.into_iter().enumerate() {
        let on = match preset.since() {
            Some(word) => active.as_deref() == Some(word),
            None => !bounded,
        };
        let mut style = if on { skin.strong() } else { skin.muted() };
        if focused && pane.view.cursor == i {
            style = style.patch(skin.selected(true));
        }
        pen.put(if on { skin.glyphs.included } else { " " }, skin.accent()).put(preset.label(), style);
    }
}

fn values(model: &Model, pane: &Pane, skin: &Skin, buf: &mut Buffer, area: Rect, focused: bool) {
    let Some(facets) = pane.facets.value() else { return };
    let part = match pane.id {
        PaneId::Org => Some(Part::Org),
        PaneId::Reason => Some(Part::Reason),
        PaneId::Device => Some(Part::Device),
        PaneId::Time | PaneId::Kind => None,
    };
    if part.zip(model.source.value()).is_some_and(|(part, source)| source.traits.lacks(part)) && area.height > 0 {
        Pen::at(buf, area, 0).put("   not recorded", skin.muted());
        return;
    }
    if facets.values.is_empty() && area.height > 0 {
        Pen::at(buf, area, 0).put("   none", skin.muted());
    }
    let widest = facets.values.iter().map(|f| shown(f, skin).chars().count()).max().unwrap_or(0).min(COUNT + 2);
    for (row, facet) in facets.values.iter().skip(pane.view.offset).take(pane.view.height).enumerate() {
        let line = Rect::new(area.x, area.y + row as u16, area.width, 1);
        if focused && pane.view.offset + row == pane.view.cursor {
            wash(buf, line, skin.selected(true));
        }
        let mut pen = Pen::at(buf, line, 0);
        let mark = pane.id.field().map(|(field, _)| model.filter.state_of(field, filter_word(facet).as_deref()));
        pen.put(" ", skin.text());
        match mark {
            Some(State::Included) => pen.put(skin.glyphs.included, skin.accent()),
            Some(State::Excluded) => pen.put(skin.glyphs.excluded, skin.bad()),
            _ => pen.put(" ", skin.text()),
        };
        pen.put(" ", skin.text());
        if pane.id == PaneId::Kind
            && let Some(word) = filter_word(facet)
        {
            let outcome = model.source.value().map_or_else(|| outcome_of(&word), |s| s.traits.outcome_of(&word));
            pen.put(skin.glyph(outcome), skin.outcome(outcome)).put(" ", skin.text());
        }
        let room = pen.left().saturating_sub(widest + 2);
        let style = match mark {
            Some(State::Included) => skin.strong(),
            Some(State::Excluded) => skin.muted(),
            _ => skin.text(),
        };
        pen.cell(&label(facet), room, style).put(" ", skin.text()).right(&shown(facet, skin), widest, skin.muted());
    }
    let hidden = facets.values.len().saturating_sub(pane.view.offset + pane.view.height);
    if hidden > 0 || facets.more {
        let words = if facets.more { format!(" {} more ", skin.glyphs.more) } else { format!(" +{hidden} ") };
        let title = Rect::new(area.x, area.y.saturating_sub(1), area.width, 1);
        Pen::at(buf, title, 0).leave(measure::width(&words) + 2).put(&words, skin.muted());
    }
}

/// The number of rows with this value, at most eight cells.
fn shown(facet: &Facet, skin: &Skin) -> String {
    match facet.rows {
        Total::Exact(n) if n < 100_000 => format::count(n),
        Total::Exact(n) => format::short_count(n),
        Total::AtLeast(0) => String::new(),
        Total::AtLeast(n) => format!("{}{}", skin.glyphs.at_least, format::short_count(n)),
    }
}
