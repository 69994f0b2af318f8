//! The keys, over the screen, from the table of actions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::console::Model;
use crate::ui::action::{ACTIONS, Group};
use crate::ui::paint::{Pen, blank};
use crate::ui::skin::Skin;

use super::dialogs::{KEY_WIDTH, frame};

/// Draws the help, from line `scroll` on. A scroll offset beyond the last page shows the last page.
pub fn draw(model: &Model, scroll: usize, skin: &Skin, buf: &mut Buffer) {
    let screen = model.geometry.screen;
    let width = screen.width.saturating_sub(4).min(78);
    let lines = lines(model);
    let height = screen.height.saturating_sub(4).min(u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
    let area = Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height);
    blank(buf, area);
    let inner = frame(buf, area, " Keys ", skin);
    let rows = usize::from(inner.height);
    let scroll = scroll.min(lines.len().saturating_sub(rows));
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

/// A line of the help.
enum Entry {
    /// A blank line between two groups.
    Gap,
    /// The name of a group.
    Title(&'static str),
    /// The keys of an action, as they are bound now, and what it does.
    Key(String, &'static str),
}

/// All lines, in the order of the table.
fn lines(model: &Model) -> Vec<Entry> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        if !lines.is_empty() {
            lines.push(Entry::Gap);
        }
        lines.push(Entry::Title(group.title()));
        for spec in ACTIONS.iter().filter(|s| s.group == group) {
            lines.push(Entry::Key(model.settings.keymap.keys(spec.action), spec.title));
        }
    }
    lines
}
