//! The keys, over the screen; made from the table of actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Model;
use crate::app::action::{ACTIONS, Group};
use crate::app::columns::COLUMNS;
use crate::app::prompt::Command;
use crate::domain::text::Clean;

use super::paint::{Pen, blank};
use super::skin::Skin;

const KEY_WIDTH: usize = 12;

pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let screen = model.geometry.screen;
    let width = screen.width.saturating_sub(4).min(78);
    let lines = lines(model);
    let height = screen.height.saturating_sub(4).min(u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
    let area = Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height);
    blank(buf, area);
    frame(buf, area, " Keys ", skin);
    let inner = Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2));
    let rows = usize::from(inner.height);
    let scroll = model.help_scroll.min(lines.len().saturating_sub(rows));
    for (row, line) in lines.iter().skip(scroll).take(rows).enumerate() {
        let mut pen = Pen::at(buf, inner, row as u16);
        match line {
            Entry::Gap => {}
            Entry::Title(words) => drop(pen.put(words, skin.strong())),
            Entry::Key(keys, words) => {
                pen.right(keys, KEY_WIDTH, skin.key());
                pen.put("  ", skin.text()).put(words, skin.text());
            }
        }
    }
    if lines.len() > rows {
        let words = format!(" {}-{} of {} ", scroll + 1, (scroll + rows).min(lines.len()), lines.len());
        Pen::at(buf, area, area.height - 1).leave(words.len() + 2).put(&words, skin.muted());
    }
}

/// The commands that fit what is typed at the prompt, below it.
pub fn palette(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let commands = model.prompt.commands(&model.views, &model.databases);
    let screen = model.geometry.screen;
    let height = screen.height.saturating_sub(4).min(commands.len() as u16 + 2).min(18);
    let area = Rect::new(0, 2, screen.width.min(78), height);
    blank(buf, area);
    frame(buf, area, " Commands ", skin);
    let inner = Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2));
    let rows = usize::from(inner.height);
    let first = (model.prompt.cursor + 1).saturating_sub(rows);
    for (row, command) in commands.iter().skip(first).take(rows).enumerate() {
        let line = Rect::new(inner.x, inner.y + row as u16, inner.width, 1);
        if first + row == model.prompt.cursor {
            super::paint::wash(buf, line, skin.selected(true));
        }
        let mut pen = Pen::at(buf, line, 0);
        pen.cell(&Clean::line(&command.name()), 17, skin.key()).put(" ", skin.text());
        let room = pen.left().saturating_sub(KEY_WIDTH);
        let keys = match command {
            Command::Action(spec) => model.keymap().keys(spec.action),
            Command::View(..) | Command::Open(_) => String::new(),
        };
        pen.cell(&Clean::line(&command.title()), room, skin.text()).right(&keys, KEY_WIDTH, skin.muted());
    }
}

/// The columns to choose from.
pub fn columns(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let screen = model.geometry.screen;
    let (width, height) = (screen.width.saturating_sub(4).min(74), COLUMNS.len() as u16 + 2);
    let area = Rect::new((screen.width - width) / 2, (screen.height.saturating_sub(height)) / 2, width, height);
    blank(buf, area);
    frame(buf, area, " Columns ", skin);
    let inner = Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2));
    for (row, spec) in COLUMNS.iter().enumerate() {
        if row == model.columns.cursor {
            super::paint::wash(buf, Rect::new(inner.x, inner.y + row as u16, inner.width, 1), skin.selected(true));
        }
        let mut pen = Pen::at(buf, inner, row as u16);
        let mark = if model.columns.is_wanted(spec.column) { skin.glyphs.included } else { " " };
        pen.put(mark, skin.accent()).put(" ", skin.text());
        pen.cell(&Clean::line(spec.id), 9, skin.key()).clean(&Clean::line(spec.title), skin.text());
    }
}

enum Entry {
    Gap,
    Title(&'static str),
    Key(String, &'static str),
}

fn lines(model: &Model) -> Vec<Entry> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        if !lines.is_empty() {
            lines.push(Entry::Gap);
        }
        lines.push(Entry::Title(group.title()));
        for spec in ACTIONS.iter().filter(|s| s.group == group) {
            lines.push(Entry::Key(model.keymap().keys(spec.action), spec.title));
        }
    }
    lines
}

fn frame(buf: &mut Buffer, area: Rect, title: &str, skin: &Skin) {
    use super::paint::rule;
    let style = skin.frame();
    for row in 0..area.height {
        if row == 0 || row + 1 == area.height {
            rule(buf, area, row, skin.glyphs.rule, style);
        } else {
            Pen::at(buf, area, row).put(skin.glyphs.wall, style).leave(1).put(skin.glyphs.wall, style);
        }
    }
    Pen::at(buf, area, 0).skip(2).put(title, skin.strong());
}
