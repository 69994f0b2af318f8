//! Rows as text: one value per cell, written as NDJSON, JSON, CSV, Markdown or an aligned table.
//!
//! Every command writes its rows through [`RowWriter`], so that a format is the same everywhere. Nothing here queries a
//! database. No format writes a character of [`is_unsafe`](crate::domain::text::is_unsafe) unescaped.

pub mod attempt;
pub mod csv;
pub mod device;
pub mod event;
pub mod json;
pub mod markdown;
pub(super) mod sink;
pub mod table;

use std::borrow::Cow;
use std::io::{self, Write};

use crate::domain::event::Id;
use crate::domain::instant::{Instant, Span};

pub use crate::config::cli::Format;

/// The longest row that a data format writes and `ingest` reads, in bytes. An error of `record` may have 16 MiB, which
/// escapes can make six times as long.
pub const LONGEST: usize = 128 << 20;

/// One value. Text is unescaped: each format escapes it by its rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell<'a> {
    /// No value: null.
    Missing,
    /// A text, which may hold any characters.
    Text(Cow<'a, str>),
    /// A number, which JSON writes without quotes and a table aligns to the right.
    Number(u64),
    /// A length in seconds with up to six decimals, which JSON writes as a number and a table aligns to the right.
    Seconds(Span),
    /// `true` or `false`, which JSON writes without quotes.
    Bool(bool),
    /// An id in its usual form: a UUID with hyphens, a number, a text.
    Id(&'a Id),
    /// A time, written as RFC 3339 in UTC.
    Time(Instant),
}

impl<'a> Cell<'a> {
    /// A text, or no value.
    pub fn text(value: Option<impl Into<Cow<'a, str>>>) -> Self {
        value.map_or(Self::Missing, |v| Self::Text(v.into()))
    }

    /// The value as text, for formats without numbers. `None` if there is no value.
    pub fn plain(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(n) => Some(Cow::Owned(n.to_string())),
            Self::Seconds(span) => Some(Cow::Owned(seconds(*span))),
            Self::Bool(b) => Some(Cow::Borrowed(if *b { "true" } else { "false" })),
            Self::Id(id) => Some(Cow::Owned(id.raw())),
            Self::Time(at) => Some(Cow::Owned(at.rfc3339())),
        }
    }

    /// As [`plain`](Cell::plain), but writes into `scratch` what is not text already. An export has millions of cells,
    /// so it must not allocate for each.
    fn plain_in<'b>(&'b self, scratch: &'b mut String) -> Option<&'b str> {
        scratch.clear();
        match self {
            Self::Missing => return None,
            Self::Text(text) => return Some(text),
            Self::Number(n) => scratch.push_str(&n.to_string()),
            Self::Seconds(span) => scratch.push_str(&seconds(*span)),
            Self::Bool(b) => scratch.push_str(if *b { "true" } else { "false" }),
            Self::Id(id) => id.push_raw(scratch),
            Self::Time(at) => at.push_rfc3339(scratch),
        }
        Some(scratch)
    }
}

/// Seconds in decimal: `28.5`, `-60`, `0.000001`.
fn seconds(span: Span) -> String {
    let (sign, micros) = (if span.0 < 0 { "-" } else { "" }, span.0.unsigned_abs());
    let text = format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A column: its name in data, its heading for people, and its largest width in a table, in terminal cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// The name in NDJSON, JSON and CSV.
    pub key: Cow<'static, str>,
    /// The heading of tables.
    pub title: Cow<'static, str>,
    /// In terminal cells.
    pub max_width: usize,
}

impl Column {
    /// A column of at most 100 cells whose heading is its name in upper case.
    pub fn new(key: &'static str) -> Self {
        Self { key: key.into(), title: key.replace('_', " ").to_uppercase().into(), max_width: 100 }
    }
    /// Sets the heading.
    pub fn titled(self, title: impl Into<Cow<'static, str>>) -> Self {
        Self { title: title.into(), ..self }
    }
    /// Sets the largest width in terminal cells.
    pub fn at_most(self, max_width: usize) -> Self {
        Self { max_width, ..self }
    }
}

/// Writes rows of the same columns. Only [`finish`](RowWriter::finish) completes the document.
pub struct RowWriter<W: Write> {
    /// Where the document goes.
    out: W,
    /// The columns, which all rows have.
    columns: Vec<Column>,
    /// The format with its state.
    style: Style,
    /// Rows so far, those included that a table holds back.
    rows: u64,
    /// The current row, so that its many small parts reach the output in one write.
    line: Vec<u8>,
    /// A reused buffer for one cell.
    scratch: String,
}

/// The state of a document by its format.
enum Style {
    Table(table::Table),
    Ndjson,
    Json,
    Csv,
    Md,
}

impl<W: Write> RowWriter<W> {
    /// Starts a document on `out`. `ascii` restricts a table's own marks to ASCII; it does not change the data.
    pub fn new(out: W, format: Format, columns: Vec<Column>, ascii: bool) -> Self {
        let style = match format {
            Format::Table => Style::Table(table::Table::new(&columns, ascii)),
            Format::Ndjson => Style::Ndjson,
            Format::Json => Style::Json,
            Format::Csv => Style::Csv,
            Format::Md => Style::Md,
        };
        Self { out, columns, style, rows: 0, line: Vec::new(), scratch: String::new() }
    }

    /// The number of rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes one row, its cells in the order of the columns. A table holds rows back until
    /// [`flush`](RowWriter::flush), or until it has enough of them to choose the widths. Fails where the output does.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        if self.rows == 0 {
            self.begin()?;
        }
        self.rows += 1;
        let (line, scratch) = (&mut self.line, &mut self.scratch);
        line.clear();
        match &mut self.style {
            Style::Table(table) => return table.row(cells, &mut self.out),
            Style::Ndjson => {
                json::object(line, &self.columns, cells, scratch)?;
                line.push(b'\n');
            }
            Style::Json => {
                line.extend_from_slice(if self.rows == 1 { b"[\n" } else { b",\n" });
                json::object(line, &self.columns, cells, scratch)?;
            }
            Style::Csv => csv::row(line, cells, scratch)?,
            Style::Md => markdown::row(line, cells)?,
        }
        // A file of which a row could not be read back would look complete.
        if line.len() > LONGEST && matches!(self.style, Style::Ndjson | Style::Csv) {
            let id = cells.first().and_then(Cell::plain).unwrap_or_default();
            let why = format!("row '{id}' is longer than {} MiB, which 'ingest' could not read", LONGEST >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{why}; exclude it by '-id:{id}'")));
        }
        self.out.write_all(line)
    }

    /// Writes and flushes everything so far.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Style::Table(table) = &mut self.style {
            table.flush(&mut self.out)?;
        }
        self.out.flush()
    }

    /// Completes the document, an empty one with its header or brackets, and returns the output.
    pub fn finish(mut self) -> io::Result<W> {
        if self.rows == 0 {
            self.begin()?;
        }
        match &mut self.style {
            Style::Json if self.rows == 0 => self.out.write_all(b"[]\n")?,
            Style::Json => self.out.write_all(b"\n]\n")?,
            _ => {}
        }
        self.flush()?;
        Ok(self.out)
    }

    /// Writes the header before the first row, in formats that have one.
    fn begin(&mut self) -> io::Result<()> {
        match &self.style {
            Style::Csv => csv::record(&mut self.out, self.columns.iter().map(|c| c.key.clone())),
            Style::Md => markdown::head(&mut self.out, &self.columns),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(format: Format, rows: &[[Cell<'_>; 3]]) -> String {
        let columns = vec![Column::new("name"), Column::new("error_message").at_most(12), Column::new("rows")];
        let mut writer = RowWriter::new(Vec::new(), format, columns, false);
        for row in rows {
            writer.row(row).unwrap();
        }
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn each_format_as_it_is_promised() {
        let rows = [
            [Cell::Text("a|b".into()), Cell::Text("=x\u{1b}[31m\n\"q\"".into()), Cell::Number(7)],
            [Cell::Text("日本".into()), Cell::Missing, Cell::Number(12)],
            [Cell::Text("".into()), Cell::Text("longer than the column".into()), Cell::Number(0)],
        ];
        for (format, expected) in [
            (
                Format::Ndjson,
                "{\"name\":\"a|b\",\"error_message\":\"=x\\u001b[31m\\n\\\"q\\\"\",\"rows\":7}\n\
                 {\"name\":\"日本\",\"error_message\":null,\"rows\":12}\n\
                 {\"name\":\"\",\"error_message\":\"longer than the column\",\"rows\":0}\n",
            ),
            (
                Format::Csv,
                "name,error_message,rows\n\
                 a|b,\"'=x\\u{1b}[31m\n\"\"q\"\"\",7\n\
                 日本,,12\n\
                 \\u{},longer than the column,0\n",
            ),
            (
                Format::Md,
                "| NAME | ERROR MESSAGE | ROWS |\n|---|---|---|\n\
                 | a\\|b | \\=x␛\\[31m<br>\\\"q\\\" | 7 |\n\
                 | 日本 |  | 12 |\n\
                 |  | longer than the column | 0 |\n",
            ),
            (
                Format::Table,
                "NAME  ERROR MESSAGE  ROWS\n\
                 a|b   =x␛[31m␊\"q\"       7\n\
                 日本  -                12\n      longer than…      0\n",
            ),
        ] {
            assert_eq!(written(format, &rows), expected, "{format:?}");
        }
    }

    #[test]
    fn lengths_are_decimal_numbers_of_seconds() {
        for (micros, text) in [
            (0, "0"),
            (28_500_000, "28.5"),
            (-60_000_000, "-60"),
            (-1, "-0.000001"),
            (10_000_000, "10"),
            (i64::MIN, "-9223372036854.775808"),
        ] {
            assert_eq!(seconds(Span(micros)), text);
            assert!(serde_json::from_str::<f64>(text).is_ok());
        }
    }

    #[test]
    fn a_row_that_could_not_be_read_back_is_not_written() {
        let row = [Cell::Text("7".into()), Cell::Text("x".repeat(LONGEST).into())];
        for format in [Format::Ndjson, Format::Csv] {
            let mut writer = RowWriter::new(io::sink(), format, vec![Column::new("id"), Column::new("error")], false);
            let error = writer.row(&row).unwrap_err().to_string();
            assert!(error.contains("row '7' is longer than 128 MiB"), "{error}");
        }
    }

    #[test]
    fn an_empty_result_is_a_whole_document() {
        for (format, expected) in [
            (Format::Ndjson, ""),
            (Format::Json, "[]\n"),
            (Format::Csv, "name,error_message,rows\n"),
            (Format::Md, "| NAME | ERROR MESSAGE | ROWS |\n|---|---|---|\n"),
            (Format::Table, "NAME  ERROR MESSAGE  ROWS\n"),
        ] {
            assert_eq!(written(format, &[]), expected, "{format:?}");
        }
        let one = [[Cell::Missing, Cell::Missing, Cell::Number(1)]];
        assert_eq!(written(Format::Json, &one), "[\n{\"name\":null,\"error_message\":null,\"rows\":1}\n]\n");
    }
}
