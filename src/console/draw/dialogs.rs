//! The command palette and the choice of columns, over the screen.
//!
//! Called by `draw/mod.rs` after the view is drawn. A dialog blanks the region that it covers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::console::Model;
use crate::console::palette::{Command, Palette};
use crate::domain::text::Clean;
use crate::ui::paint::{Pen, blank, rule, wash};
use crate::ui::skin::Skin;

/// Cells of a column of keys.
pub const KEY_WIDTH: usize = 12;

/// The commands that match the typed text, below the query bar. The list scrolls so that the chosen command is visible.
pub fn palette(model: &Model, palette: &Palette, skin: &Skin, buf: &mut Buffer) {
    let commands = palette.commands(&model.settings);
    let screen = model.geometry.screen;
    let height = screen.height.saturating_sub(4).min(commands.len() as u16 + 2).min(18);
    let area = Rect::new(0, 2, screen.width.min(78), height);
    blank(buf, area);
    let inner = frame(buf, area, " Commands ", skin);
    let rows = usize::from(inner.height);
    let first = (palette.cursor + 1).saturating_sub(rows);
    for (row, command) in commands.iter().skip(first).take(rows).enumerate() {
        let line = Rect::new(inner.x, inner.y + row as u16, inner.width, 1);
        if first + row == palette.cursor {
            wash(buf, line, skin.selected(true));
        }
        let mut pen = Pen::at(buf, line, 0);
        pen.cell(&Clean::line(&command.name()), 17, skin.key()).put(" ", skin.text());
        let room = pen.left().saturating_sub(KEY_WIDTH);
        let keys = match command {
            Command::Action(spec) => model.settings.keymap.keys(spec.action),
            Command::Go(_) | Command::View(..) | Command::Open(_) => String::new(),
        };
        pen.cell(&Clean::line(&command.title()), room, skin.text()).right(&keys, KEY_WIDTH, skin.muted());
    }
}

/// The columns to choose from; `cursor` is the line under the cursor. Wanted columns have a mark.
pub fn columns(model: &Model, cursor: usize, skin: &Skin, buf: &mut Buffer) {
    let columns = model.views.columns();
    let screen = model.geometry.screen;
    let (width, height) = (screen.width.saturating_sub(4).min(74), columns.len() as u16 + 2);
    let area = Rect::new((screen.width - width) / 2, (screen.height.saturating_sub(height)) / 2, width, height);
    blank(buf, area);
    let inner = frame(buf, area, " Columns ", skin);
    for (row, column) in columns.iter().enumerate() {
        if row == cursor {
            wash(buf, Rect::new(inner.x, inner.y + row as u16, inner.width, 1), skin.selected(true));
        }
        let mut pen = Pen::at(buf, inner, row as u16);
        let mark = if column.wanted { skin.glyphs.included } else { " " };
        pen.put(mark, skin.accent()).put(" ", skin.text());
        pen.cell(&Clean::line(column.id), 9, skin.key()).clean(&Clean::line(column.title), skin.text());
    }
}

/// Draws a frame with a title; returns the region within. A cell on each side stays free.
pub fn frame(buf: &mut Buffer, area: Rect, title: &str, skin: &Skin) -> Rect {
    let style: Style = skin.frame();
    for row in 0..area.height {
        let line = Rect { y: area.y + row, height: 1, ..area };
        if row == 0 || row + 1 == area.height {
            rule(buf, line, skin.glyphs.rule, style);
        } else {
            Pen::at(buf, line, 0).put(skin.glyphs.wall, style).leave(1).put(skin.glyphs.wall, style);
        }
    }
    Pen::at(buf, area, 0).skip(2).put(title, skin.strong());
    Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2))
}
