//! Columns aligned by their width on a terminal, for people. Programs must not read it: long cells are cut.
//!
//! The first rows decide the widths; a later, wider cell widens its column from that row on, so that a result of any
//! length needs little memory.

use std::io::{self, Write};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::text::Clean;
use crate::headless::output::{Cell, Column};

/// Rows that are held back to choose the widths.
const LOOKAHEAD: usize = 500;

/// A table under construction: its widths, and the rows held back.
pub struct Table {
    /// The headings, in their safe form.
    titles: Vec<String>,
    /// The largest width of each column.
    limits: Vec<usize>,
    /// The width of each column so far.
    widths: Vec<usize>,
    /// Rows that are held back until the widths are chosen.
    waiting: Vec<Vec<Field>>,
    /// The header is written.
    headed: bool,
    /// The end of a cut cell.
    mark: &'static str,
}

/// A cell's text, cut, with its width on a terminal.
struct Field {
    /// The safe text, cut to the column's limit.
    text: String,
    /// In terminal cells, not characters.
    width: usize,
    /// Aligned to the right.
    number: bool,
}

impl Table {
    /// `ascii`: a cut cell ends in `...` instead of `…`.
    pub fn new(columns: &[Column], ascii: bool) -> Self {
        let titles: Vec<_> = columns.iter().map(|c| Clean::line(&c.title).as_str().to_owned()).collect();
        Self {
            widths: titles.iter().map(|t| t.width()).collect(),
            limits: columns.iter().map(|c| c.max_width).collect(),
            titles,
            waiting: Vec::new(),
            headed: false,
            mark: if ascii { "..." } else { "…" },
        }
    }

    /// Adds a row; writes the rows held back once there are enough.
    pub fn row(&mut self, cells: &[Cell<'_>], out: &mut impl Write) -> io::Result<()> {
        let row: Vec<_> = cells.iter().zip(&self.limits).map(|(cell, limit)| self.field(cell, *limit)).collect();
        for (width, field) in self.widths.iter_mut().zip(&row) {
            *width = (*width).max(field.width);
        }
        self.waiting.push(row);
        if self.waiting.len() >= LOOKAHEAD { self.flush(out) } else { Ok(()) }
    }

    /// Writes the rows held back, and once the header.
    pub fn flush(&mut self, out: &mut impl Write) -> io::Result<()> {
        if !self.headed {
            self.headed = true;
            let right: Vec<_> = match self.waiting.first() {
                Some(row) => row.iter().map(|f| f.number).collect(),
                None => vec![false; self.titles.len()],
            };
            let head = self.titles.iter().zip(right).map(|(title, number)| (title.as_str(), title.width(), number));
            line(out, head, &self.widths)?;
        }
        for row in std::mem::take(&mut self.waiting) {
            line(out, row.iter().map(|f| (f.text.as_str(), f.width, f.number)), &self.widths)?;
        }
        Ok(())
    }

    /// The field of a cell; `-` stands for no value.
    fn field(&self, cell: &Cell<'_>, limit: usize) -> Field {
        let text = match cell.plain() {
            Some(text) => cut(&Clean::line(&text), limit, self.mark),
            None => "-".to_owned(),
        };
        Field { width: text.width(), number: matches!(cell, Cell::Number(_) | Cell::Seconds(_)), text }
    }
}

/// Cuts text to at most `limit` terminal cells, in whole graphemes; a cut text ends with the mark.
pub fn cut(text: &Clean, limit: usize, mark: &str) -> String {
    let text = text.as_str();
    if text.width() <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        if out.width() + grapheme.width() + mark.width() > limit {
            break;
        }
        out.push_str(grapheme);
    }
    out.push_str(mark);
    out
}

/// Writes one line, numbers to the right, without spaces at its end.
fn line<'a>(
    out: &mut impl Write,
    fields: impl Iterator<Item = (&'a str, usize, bool)>,
    widths: &[usize],
) -> io::Result<()> {
    let mut text = String::new();
    for (i, ((field, width, number), column)) in fields.zip(widths).enumerate() {
        let fill = " ".repeat(column.saturating_sub(width));
        if i > 0 {
            text.push_str("  ");
        }
        if number {
            text.push_str(&fill);
            text.push_str(field);
        } else {
            text.push_str(field);
            text.push_str(&fill);
        }
    }
    out.write_all(text.trim_end_matches(' ').as_bytes())?;
    out.write_all(b"\n")
}
