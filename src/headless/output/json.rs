//! JSON that cannot control a terminal: besides what JSON requires, every unsafe character is escaped.
//!
//! The escapes are JSON's own, so every reader restores the text.

use std::io::{self, Write};

use crate::domain::text::is_unsafe;
use crate::headless::output::{Cell, Column};

/// Writes one object on one line, without a line end. All keys are always present. `scratch` is a reused buffer.
/// Numbers are written as numbers, truth values as such, all other values as strings, and missing ones as `null`.
pub fn object(out: &mut impl Write, columns: &[Column], cells: &[Cell<'_>], scratch: &mut String) -> io::Result<()> {
    for (i, (column, cell)) in columns.iter().zip(cells).enumerate() {
        out.write_all(if i == 0 { b"{" } else { b"," })?;
        string(out, &column.key)?;
        out.write_all(b":")?;
        match cell {
            Cell::Number(n) => write!(out, "{n}")?,
            Cell::Seconds(_) | Cell::Bool(_) => {
                out.write_all(cell.plain_in(scratch).unwrap_or("null").as_bytes())?;
            }
            cell => match cell.plain_in(scratch) {
                Some(text) => string(out, text)?,
                None => out.write_all(b"null")?,
            },
        }
    }
    out.write_all(b"}")
}

/// Writes a JSON string with its quotes. The form is that of RFC 8259; characters beyond 16 bits are escaped as
/// surrogate pairs.
pub fn string(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    // Most texts need no escape.
    if text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
        out.write_all(text.as_bytes())?;
        return out.write_all(b"\"");
    }
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        if c != '"' && c != '\\' && !is_unsafe(c) {
            continue;
        }
        out.write_all(text.get(plain..at).unwrap_or_default().as_bytes())?;
        plain = at + c.len_utf8();
        match c {
            '"' => out.write_all(b"\\\"")?,
            '\\' => out.write_all(b"\\\\")?,
            '\n' => out.write_all(b"\\n")?,
            '\r' => out.write_all(b"\\r")?,
            '\t' => out.write_all(b"\\t")?,
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
    }
    out.write_all(text.get(plain..).unwrap_or_default().as_bytes())?;
    out.write_all(b"\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_is_unescaped(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, &text).unwrap();
            let out = String::from_utf8(out).unwrap();
            prop_assert!(!out.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
