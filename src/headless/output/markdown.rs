//! A Markdown table whose texts a renderer shows literally: they form no markup, no link and no HTML.

use std::io::{self, Write};

use crate::domain::text::Clean;
use crate::headless::output::{Cell, Column};

/// Writes the header and the line below it.
pub fn head(out: &mut impl Write, columns: &[Column]) -> io::Result<()> {
    for column in columns {
        write!(out, "| {} ", escape(&column.title))?;
    }
    out.write_all(b"|\n")?;
    for _ in columns {
        out.write_all(b"|---")?;
    }
    out.write_all(b"|\n")
}

/// Writes one row. A missing value is an empty cell.
pub fn row(out: &mut impl Write, cells: &[Cell<'_>]) -> io::Result<()> {
    for cell in cells {
        write!(out, "| {} ", escape(&cell.plain().unwrap_or_default()))?;
    }
    out.write_all(b"|\n")
}

/// Escapes the special characters of Markdown and HTML; writes line breaks as `<br>` and unsafe characters as symbols.
pub fn escape(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let mut out = String::with_capacity(line.len());
        for c in Clean::line(line.strip_suffix('\r').unwrap_or(line)).as_str().chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                // These have no meaning inside of a table cell; escaped they would be hard to read.
                '-' | '.' | ':' | ',' | ';' | '/' | '\'' | '?' | '%' | '(' | ')' | '+' => out.push(c),
                c if c.is_ascii_punctuation() => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        // Renderers turn addresses into links.
        out.replace("://", ":\\//").replace("www.", "www\\.")
    });
    lines.collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        for (text, shown) in [
            ("a|b\\", "a\\|b\\\\"),
            ("<script>&", "&lt;script&gt;&amp;"),
            ("[x](https://evil.test)", "\\[x\\](https:\\//evil.test)"),
            ("a\r\nb\u{1b}c", "a<br>b␛c"),
            ("*b* _i_ `c`", "\\*b\\* \\_i\\_ \\`c\\`"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }
}
