//! CSV that is safe in a spreadsheet and reads back to the same values. `export` and `list` write it, `ingest` reads it.
//!
//! The rules of a cell, in the order of writing; reading undoes them in reverse:
//! 1. no value is the empty cell; the empty text is `\u{}`;
//! 2. a literal `\u{` is written `\u{5c}u{`; each unsafe character but the line feed is written as in `\u{1b}`, in
//!    hexadecimal;
//! 3. text that a spreadsheet would run as a formula gets one `'` in front: text that begins, after any number of `'`
//!    and spaces, with `=`, `+`, `-`, `@`, their full-width forms, tab, CR or LF.
//!
//! A `\u{…}` that names no character is not changed, so that the text of other programs is not lost.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::domain::event::Id;
use crate::domain::text::is_unsafe;
use crate::headless::output::Cell;

/// The empty text, as opposed to no value.
const EMPTY: &str = "\\u{}";

/// Writes one record with its line end; quotes the cells that need it. The quotes follow RFC 4180; lines end in a line
/// feed alone.
pub fn record<'a>(out: &mut impl Write, cells: impl Iterator<Item = Cow<'a, str>>) -> io::Result<()> {
    let (mut number, mut last_is_empty) = (0, false);
    for cell in cells {
        if number > 0 {
            out.write_all(b",")?;
        }
        number += 1;
        last_is_empty = cell.is_empty();
        field(out, &cell)?;
    }
    // A blank line would not be read as a record.
    if number == 1 && last_is_empty {
        out.write_all(b"\"\"")?;
    }
    out.write_all(b"\n")
}

/// Writes a cell, in quotes if it holds a comma, a quote or a line end (RFC 4180).
fn field(out: &mut impl Write, cell: &str) -> io::Result<()> {
    if !cell.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        return out.write_all(cell.as_bytes());
    }
    out.write_all(b"\"")?;
    for (n, part) in cell.split('"').enumerate() {
        if n > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(part.as_bytes())?;
    }
    out.write_all(b"\"")
}

/// Writes one record of cells by the rules above. `scratch` is a reused buffer.
pub fn row(out: &mut impl Write, cells: &[Cell<'_>], scratch: &mut String) -> io::Result<()> {
    if let [cell] = cells {
        return record(out, std::iter::once(encode_cell(cell)));
    }
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            out.write_all(b",")?;
        }
        let known = is_plain(cell);
        match cell.plain_in(scratch) {
            None => {}
            Some(text) if known => out.write_all(text.as_bytes())?,
            Some(text) if stands_as_it_is(text) => field(out, text)?,
            Some(text) => field(out, &encode(text))?,
        }
    }
    out.write_all(b"\n")
}

/// A cell as text, escaped by the rules.
fn encode_cell<'a>(cell: &'a Cell<'_>) -> Cow<'a, str> {
    match cell.plain() {
        None => Cow::Borrowed(""),
        Some(text) if is_plain(cell) || stands_as_it_is(&text) => text,
        Some(text) => Cow::Owned(encode(&text)),
    }
}

/// Whether the cell never needs an escape: ids, numbers, and times with years of four digits.
fn is_plain(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Id(Id::Uuid(_)) | Cell::Number(_) | Cell::Seconds(_) | Cell::Bool(_) => true,
        Cell::Time(at) => at.is_of_four_digits(),
        _ => false,
    }
}

/// Whether the text is written unchanged, as most are.
fn stands_as_it_is(text: &str) -> bool {
    let plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'\\';
    !text.is_empty() && text.bytes().all(plain) && !would_run(text)
}

/// A text as a cell, by the rules above.
pub fn encode(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 1);
    if would_run(text) {
        out.push('\'');
    }
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("\\u{") {
            out.push_str("\\u{5c}");
        } else if c != '\n' && is_unsafe(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

/// The text that [`encode`] was called with; `None` for the empty cell.
pub fn decode(cell: &str) -> Option<String> {
    if cell.is_empty() {
        return None;
    }
    let cell = match cell.strip_prefix('\'') {
        Some(inner) if would_run(&unescape(inner)) => inner,
        _ => cell,
    };
    Some(unescape(cell))
}

/// Undoes the escapes of rule 2.
fn unescape(cell: &str) -> String {
    if cell == EMPTY {
        return String::new();
    }
    let mut out = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some(at) = rest.find("\\u{") {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let code = tail.get(3..).and_then(|t| t.split_once('}'));
        match code.and_then(|(hex, after)| Some((character(hex)?, after))) {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('\\');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// The character of an escape's hexadecimal digits.
fn character(hex: &str) -> Option<char> {
    let short = (1..=6).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    short.then(|| u32::from_str_radix(hex, 16).ok())?.and_then(char::from_u32)
}

/// What a formula begins with; the last four are the full-width forms, which some spreadsheets take alike.
const RUNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Whether a spreadsheet would take the text for a formula. More `'` in front change nothing, which is what makes
/// rule 3 reversible.
fn would_run(text: &str) -> bool {
    text.trim_start_matches(['\'', ' ']).starts_with(RUNS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_as_the_rules_say() {
        for (text, cell) in [
            ("", "\\u{}"),
            ("plain, ünï", "plain, ünï"),
            ("=1+1", "'=1+1"),
            ("'=1+1", "''=1+1"),
            ("'quoted", "'quoted"),
            (" @SUM(A1)", "' @SUM(A1)"),
            ("\u{ff1d}x", "'\u{ff1d}x"),
            ("\tx", "'\\u{9}x"),
            ("\r\nx", "'\\u{d}\nx"),
            ("a\nb", "a\nb"),
            ("\u{1b}[2J\u{202e}\0", "\\u{1b}[2J\\u{202e}\\u{0}"),
            ("\\u{1b}", "\\u{5c}u{1b}"),
            ("\\u{}", "\\u{5c}u{}"),
            ("-infinity", "'-infinity"),
        ] {
            assert_eq!(encode(text), cell, "{text:?}");
            assert_eq!(decode(cell).as_deref(), Some(text), "{cell:?}");
        }
        assert_eq!(decode(""), None);
        assert_eq!(decode("\\u{zz} \\u{110000} \\u{").as_deref(), Some("\\u{zz} \\u{110000} \\u{"));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "(?s)['=+@ -]{0,3}[\\\\u{}0-9a-f\\t\\r\\n'\"\u{1b}\u{202e}.-]{0,12}.{0,8}") {
            let cell = encode(&text);
            prop_assert!(!cell.chars().any(|c| c != '\n' && is_unsafe(c)));
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
            prop_assert_eq!(decode(&cell), Some(text.clone()));
            // Another program's reader sees the same cell.
            let mut line = Vec::new();
            record(&mut line, [Cow::Borrowed(cell.as_str()), Cow::Borrowed("end")].into_iter()).unwrap();
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_slice());
            let read = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&read[0], cell.as_str());
        }
    }
}
