//! A table of rows that come as a whole, with a cursor that stays on its row while others come and go.
//!
//! State and painting that the views of the investigations share. It knows no row: a view gives the keys, and paints its own
//! cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::measure;
use crate::domain::text::Clean;
use crate::protocol::SourceError;

use super::action::Action;
use super::paint::{Pen, wash};
use super::skin::Skin;
use super::table::{GAP, titles};
use super::viewport::Viewport;

/// Rows by their keys, in the order on screen.
#[derive(Clone, Debug)]
pub struct Grid<K> {
    keys: Vec<K>,
    /// The row that the cursor stays on; `None` until the user moves: the cursor then stays at the first row.
    held: Option<K>,
    /// The cursor and the scroll offset.
    pub port: Viewport,
}

impl<K> Default for Grid<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), held: None, port: Viewport::default() }
    }
}

impl<K: Clone + PartialEq> Grid<K> {
    /// Takes the rows that there are now. A cursor whose row is gone stays where it is.
    pub fn set(&mut self, keys: Vec<K>) {
        self.keys = keys;
        if let Some(at) = self.held.as_ref().and_then(|held| self.keys.iter().position(|key| key == held)) {
            let above = self.port.cursor.saturating_sub(self.port.offset);
            self.port.cursor = at;
            self.port.offset = at.saturating_sub(above);
        } else if self.held.is_none() {
            (self.port.cursor, self.port.offset) = (0, 0);
        }
        self.port.settle(self.keys.len());
    }

    /// Sets how many rows fit on screen.
    pub fn fit(&mut self, height: usize) {
        self.port.height = height;
        self.port.settle(self.keys.len());
    }

    /// Moves the cursor, if the action is a move. Returns whether it is.
    pub fn moves(&mut self, action: Action) -> bool {
        let Some(by) = self.port.by(action) else { return false };
        self.port.step(by, self.keys.len());
        self.port.settle(self.keys.len());
        self.held = if action == Action::Top { None } else { self.selected().cloned() };
        true
    }

    /// Moves the cursor to a row by its place.
    pub fn go(&mut self, at: usize) {
        self.port.cursor = at;
        self.port.settle(self.keys.len());
        self.held = self.selected().cloned();
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&K> {
        self.keys.get(self.port.cursor)
    }
    /// The place of the cursor, from 0; `None` without rows.
    pub fn cursor(&self) -> Option<usize> {
        (self.port.cursor < self.keys.len()).then_some(self.port.cursor)
    }
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.keys.len()
    }
    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
    /// All rows, in their order.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }
    /// Puts the cursor back on the first row, for rows of another kind.
    pub fn reset(&mut self) {
        *self = Self { port: Viewport { height: self.port.height, ..Viewport::default() }, ..Self::default() };
    }
}

/// The regions of a view that is a table: some lines of numbers, the rows, and what they have no room for.
#[derive(Clone, Copy, Default)]
pub struct Regions {
    /// Numbers of all rows.
    pub head: Rect,
    /// The titles and the rows.
    pub table: Rect,
    /// The row under the cursor; height zero if there is no room.
    pub detail: Rect,
}

impl Regions {
    /// The regions of a body, from top to bottom; the table gets what the others leave.
    pub fn of(body: Rect, head: u16, detail: u16) -> Self {
        let head = Rect { height: head.min(body.height), ..body };
        let table = Rect { y: head.bottom(), height: body.height.saturating_sub(head.height + detail), ..body };
        let detail = detail.min(body.height - head.height - table.height);
        Self { head, table, detail: Rect { y: table.bottom(), height: detail, ..body } }
    }
}

/// What a view does not have yet.
#[derive(Clone, Copy)]
pub struct Absent<'a> {
    /// Its rows, in the plural.
    pub what: &'static str,
    /// Why they cannot be read; `None` while they are.
    pub error: Option<&'a SourceError>,
}

/// Paints why there is nothing to show yet.
pub fn absent(Absent { what, error }: Absent<'_>, area: Rect, skin: &Skin, buf: &mut Buffer) {
    let (words, style) = match error {
        None => (format!("reading the {what}"), skin.muted()),
        Some(error) => (format!("no view of the {what}: {error}; {}", error.next_step()), skin.warn()),
    };
    let room = usize::from(area.width).saturating_sub(2);
    for (row, line) in measure::wrap(&Clean::line(&words), room).iter().enumerate() {
        Pen::at(buf, area, row as u16).skip(1).clean(line, style);
    }
}

/// Where a table is painted, and with which columns.
#[derive(Clone, Copy)]
pub struct Frame<'a, C> {
    /// The titles and the rows.
    pub area: Rect,
    /// The columns that fit, with their widths.
    pub columns: &'a [(C, usize)],
    /// Which rows are on screen.
    pub port: Viewport,
    /// Whether the table has the focus.
    pub focused: bool,
}

impl<C: Copy> Frame<'_, C> {
    /// Paints the titles and the rows from the offset on. `cell` gives a cell of the row with a place, from 0; `None`:
    /// there is no such row.
    pub fn paint(
        &self,
        skin: &Skin,
        buf: &mut Buffer,
        title: impl Fn(C) -> String,
        cell: impl Fn(usize, C) -> Option<(Clean, Style)>,
    ) {
        let named = self.columns.iter().map(|(column, width)| (title(*column), *width));
        titles(buf, self.area, named, skin.title(self.focused));
        for line in 0..usize::from(self.area.height.saturating_sub(1)) {
            let at = self.port.offset + line;
            let row = Rect::new(self.area.x, self.area.y + 1 + line as u16, self.area.width, 1);
            let first = self.columns.first().and_then(|(column, _)| cell(at, *column));
            if first.is_none() {
                return;
            }
            let selected = at == self.port.cursor;
            if selected {
                wash(buf, row, skin.selected(self.focused));
            }
            let mut pen = Pen::at(buf, row, 0);
            pen.put(if selected { skin.glyphs.cursor } else { " " }, skin.accent());
            for (column, width) in self.columns {
                let (words, style) = cell(at, *column).unwrap_or_default();
                pen.cell(&words, *width, style).skip(GAP);
            }
        }
    }
}

/// The columns that fit, with what is left given to the one that takes it.
pub fn widen<C: Copy + PartialEq>(mut columns: Vec<(C, usize)>, width: usize, taker: C) -> Vec<(C, usize)> {
    let used: usize = columns.iter().map(|(_, w)| w + GAP).sum();
    let spare = (width + GAP).saturating_sub(used + 1);
    if let Some((_, width)) = columns.iter_mut().find(|(c, _)| *c == taker) {
        *width += spare;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(keys: &[u32]) -> Grid<u32> {
        let mut grid = Grid::default();
        grid.fit(3);
        grid.set(keys.to_vec());
        grid
    }

    #[test]
    fn the_cursor_stays_on_its_row() {
        let mut g = grid(&[1, 2, 3, 4, 5]);
        assert!(g.moves(Action::Down));
        assert_eq!(g.selected(), Some(&2));
        g.set(vec![9, 8, 1, 2, 3]);
        assert_eq!((g.selected(), g.cursor()), (Some(&2), Some(3)));
        // Its row is gone: the cursor stays at its place.
        g.set(vec![9, 8, 1, 3]);
        assert_eq!(g.cursor(), Some(3));
    }

    #[test]
    fn a_cursor_that_was_not_moved_stays_at_the_top() {
        let mut g = grid(&[1, 2, 3]);
        g.set(vec![7, 1, 2, 3]);
        assert_eq!(g.selected(), Some(&7));
        g.moves(Action::Bottom);
        assert_eq!(g.selected(), Some(&3));
        g.moves(Action::Top);
        g.set(vec![6, 7, 1]);
        assert_eq!(g.selected(), Some(&6));
    }

    #[test]
    fn an_empty_table_has_no_cursor() {
        let mut g = grid(&[]);
        assert!(g.moves(Action::Down));
        assert_eq!((g.selected(), g.cursor(), g.len()), (None, None, 0));
        assert!(!g.moves(Action::Open));
    }
}
