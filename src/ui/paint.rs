//! Painting words into cells: a pen on one line, washes, rules. Used by every drawing file.
//!
//! Text of the database is painted as [`Clean`] only.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::domain::measure;
use crate::domain::text::Clean;

use super::needles::Needles;

/// A sign between two parts of a line.
#[derive(Clone, Copy)]
pub struct Sign<'a> {
    /// The sign with its blanks.
    pub words: &'a str,
    /// How it is painted.
    pub style: Style,
}

/// A pen on one line of a region: writes from left to right and never beyond the region's end.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    /// At the start of row `row` of `area`; a pen outside of the area writes nothing.
    pub fn at(buf: &'a mut Buffer, area: Rect, row: u16) -> Self {
        let y = area.y.saturating_add(row);
        let inside = row < area.height && y < buf.area.bottom();
        let end = if inside { area.right().min(buf.area.right()) } else { area.x };
        Self { buf, x: area.x, y, end }
    }
    /// Cells between the pen and the region's end.
    pub fn left(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }
    /// Our own words: program text, numbers, formatted times.
    pub fn put(&mut self, words: &str, style: Style) -> &mut Self {
        if self.x < self.end {
            let (x, _) = self.buf.set_stringn(self.x, self.y, words, self.left(), style);
            self.x = x;
        }
        self
    }
    /// Our own words behind a sign that separates them, if both fit: a number that is cut reads as another one.
    pub fn offer(&mut self, sign: Sign<'_>, words: &str, style: Style) -> &mut Self {
        if self.left() >= measure::width(sign.words) + measure::width(words) {
            self.put(sign.words, sign.style).put(words, style);
        }
        self
    }
    /// Safe text, cut with `…` where it does not fit.
    pub fn clean(&mut self, text: &Clean, style: Style) -> &mut Self {
        let cells = self.left();
        self.put(measure::cut(text, cells).as_str(), style)
    }
    /// Moves by that many cells without painting; never beyond the end.
    pub fn skip(&mut self, cells: usize) -> &mut Self {
        self.x = self.x.saturating_add(u16::try_from(cells).unwrap_or(u16::MAX)).min(self.end);
        self
    }
    /// Safe text in exactly `cells` cells, cut or padded.
    pub fn cell(&mut self, text: &Clean, cells: usize, style: Style) -> &mut Self {
        let start = self.x;
        let room = cells.min(self.left());
        self.put(measure::cut(text, room).as_str(), style);
        self.x = start;
        self.skip(cells)
    }
    /// As [`cell`](Self::cell), with the words that a search found underlined.
    pub fn marked(&mut self, text: &Clean, cells: usize, style: Style, needles: &Needles) -> &mut Self {
        let start = self.x;
        let shown = measure::cut(text, cells.min(self.left()));
        let mut rest = shown.as_str();
        while let Some((at, len)) = needles.first(rest) {
            let (Some(before), Some(hit)) = (rest.get(..at), rest.get(at..at + len)) else { break };
            self.put(before, style).put(hit, style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD));
            rest = rest.get(at + len..).unwrap_or_default();
        }
        self.put(rest, style);
        self.x = start;
        self.skip(cells)
    }
    /// Our own words in exactly `cells` cells, at the right end. Words that are too long are cut at the region's end
    /// only.
    pub fn right(&mut self, words: &str, cells: usize, style: Style) -> &mut Self {
        let pad = cells.saturating_sub(measure::width(words));
        self.skip(pad);
        self.put(words, style)
    }
    /// Moves so that `cells` are left before the end of the line; never back.
    pub fn leave(&mut self, cells: usize) -> &mut Self {
        let ahead = self.left().saturating_sub(cells);
        self.skip(ahead)
    }
}

/// Lays a style over every cell of an area.
pub fn wash(buf: &mut Buffer, area: Rect, style: Style) {
    buf.set_style(area.intersection(buf.area), style);
}

/// Empties an area, for what lies over others.
pub fn blank(buf: &mut Buffer, area: Rect) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
}

/// A line of `glyph` over the first row of an area.
pub fn rule(buf: &mut Buffer, area: Rect, glyph: &str, style: Style) {
    let line = glyph.repeat(usize::from(area.width));
    Pen::at(buf, area, 0).put(&line, style);
}

/// Replaces what is not ASCII, for terminals that cannot show it: our own signs by their likes, the rest by `?`.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let plain = match cell.symbol() {
            s if s.is_ascii() => continue,
            "…" => "~",
            "–" | "−" => "-",
            "±" => "+",
            "≥" => ">",
            "·" => "-",
            "›" => ">",
            _ => "?",
        };
        cell.set_symbol(plain);
    }
}
