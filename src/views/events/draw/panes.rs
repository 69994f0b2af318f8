//! The filter panes: beside the list if there is room, else over it while one has the focus.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::domain::event::outcome_of;
use crate::domain::filter::State;
use crate::domain::format;
use crate::domain::measure;
use crate::domain::page::Total;
use crate::domain::source::Part;
use crate::domain::text::Clean;
use crate::protocol::query::Facet;
use crate::ui::action::Preset;
use crate::ui::paint::{Pen, blank, wash};
use crate::ui::skin::Skin;
use crate::views::events::Focus;
use crate::views::events::panes::{Pane, PaneId, label};

use super::Scene;

/// Cells of a value's count.
const COUNT: usize = 6;

/// Draws the panes; returns where the cursor is while a value is typed.
pub fn draw(scene: Scene<'_>, buf: &mut Buffer) -> Option<Position> {
    let Scene { view, skin, .. } = scene;
    let area = view.geometry.panes;
    if area.width == 0 {
        return None;
    }
    if view.geometry.panes_over {
        blank(buf, area);
    }
    let wall = if view.geometry.panes_over { 0 } else { usize::from(area.width) - 1 };
    for row in 0..area.height {
        Pen::at(buf, area, row).skip(wall).put(skin.glyphs.wall, skin.frame());
    }
    let left = area.x + u16::from(view.geometry.panes_over);
    let mut top = area.y;
    let mut cursor = None;
    for pane in &view.panes.all {
        let height = 1 + pane.view.height as u16;
        let region = Rect::new(left, top, area.width - 1, height.min(area.bottom().saturating_sub(top)));
        cursor = draw_pane(scene, pane, buf, region).or(cursor);
        top += height;
    }
    cursor
}

/// Draws one pane: in its title the needle, or that its query failed or is in flight; below it the values. Returns
/// where the cursor is while the needle is typed.
fn draw_pane(scene: Scene<'_>, pane: &Pane, buf: &mut Buffer, area: Rect) -> Option<Position> {
    let Scene { view, skin, .. } = scene;
    let focused = view.focus == Focus::Pane(pane.id);
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
        pen.put("  query failed", skin.bad());
    } else if focused && pane.id != PaneId::Time {
        pen.put("  / to find", skin.muted());
    }
    if pane.facets.is_waiting() {
        Pen::at(buf, area, 0).leave(2).put(skin.glyphs.more, skin.muted());
    }
    let body = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
    match pane.id {
        PaneId::Time => presets(scene, pane, buf, body),
        _ => values(scene, pane, buf, body),
    }
    cursor
}

/// Draws the ranges that have a key in one line, with a mark at the one in force. Any other range has none.
fn presets(Scene { view, ctx, skin }: Scene<'_>, pane: &Pane, buf: &mut Buffer, area: Rect) {
    let focused = view.focus == Focus::Pane(pane.id);
    let range = ctx.filter.range();
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

/// Draws the values from the scroll offset on, and in the title row how many more there are. A field that the source
/// does not record says so.
fn values(scene: Scene<'_>, pane: &Pane, buf: &mut Buffer, area: Rect) {
    let Scene { view, ctx, skin } = scene;
    let focused = view.focus == Focus::Pane(pane.id);
    let Some(facets) = pane.facets.value() else { return };
    let part = match pane.id {
        PaneId::Org => Some(Part::Org),
        PaneId::Reason => Some(Part::Reason),
        PaneId::Error => Some(Part::Error),
        PaneId::Device => Some(Part::Device),
        PaneId::Time | PaneId::Kind => None,
    };
    if part.zip(ctx.source.value()).is_some_and(|(part, source)| source.traits.lacks(part)) && area.height > 0 {
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
        value(scene, facet, Pen::at(buf, line, 0), Place { id: pane.id, widest });
    }
    let hidden = facets.values.len().saturating_sub(pane.view.offset + pane.view.height);
    if hidden > 0 || facets.more {
        let words = if facets.more { format!(" {} more ", skin.glyphs.more) } else { format!(" +{hidden} ") };
        let title = Rect::new(area.x, area.y.saturating_sub(1), area.width, 1);
        Pen::at(buf, title, 0).leave(measure::width(&words) + 2).put(&words, skin.muted());
    }
}

/// The pane of a value, and the cells of its counts.
#[derive(Clone, Copy)]
struct Place {
    id: PaneId,
    /// The counts of a pane are aligned in this many cells.
    widest: usize,
}

/// One value: whether the filter has it, its name, its count.
fn value(Scene { ctx, skin, .. }: Scene<'_>, facet: &Facet, mut pen: Pen<'_>, Place { id, widest }: Place) {
    let word = id.field().and_then(|(_, field)| facet.word(field));
    let mark = id.field().map(|(field, _)| ctx.filter.state_of(field, word.as_deref()));
    let (sign, sign_style, style): (_, _, Style) = match mark {
        Some(State::Included) => (skin.glyphs.included, skin.accent(), skin.strong()),
        Some(State::Excluded) => (skin.glyphs.excluded, skin.bad(), skin.muted()),
        _ => (" ", skin.text(), skin.text()),
    };
    pen.put(" ", skin.text()).put(sign, sign_style).put(" ", skin.text());
    if id == PaneId::Kind
        && let Some(word) = &word
    {
        let outcome = ctx.source.value().map_or_else(|| outcome_of(word), |s| s.traits.outcome_of(word));
        pen.put(skin.glyph(outcome), skin.outcome(outcome)).put(" ", skin.text());
    }
    let room = pen.left().saturating_sub(widest + 2);
    pen.cell(&label(facet), room, style).put(" ", skin.text()).right(&shown(facet, skin), widest, skin.muted());
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
