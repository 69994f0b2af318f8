//! Prints a [`Filter`], with quotes where the text would otherwise be read differently.
//!
//! Called wherever a filter is shown or copied. What it prints must parse to the same filter.

use std::fmt::{self, Display as _, Write as _};

use super::{Expiry, Extent, Filter, Glob, Term, Test};
use crate::domain::when::{Length, Unit};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, ' ', &self.terms)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_char('-')?;
        }
        if let Some(key) = self.key() {
            write!(f, "{}:", key.name())?;
        }
        match &self.test {
            Test::Values { any, .. } => separated(f, ',', any),
            Test::Since(when) | Test::Until(when) => when.fmt(f),
            Test::Time(range) => range.fmt(f),
            Test::Expires(any) => separated(f, ',', any),
            Test::Extends(any) => separated(f, ',', any),
            Test::Standing(standing) => standing.fmt(f),
            Test::Text(text) => f.write_str(&free(text)),
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.open_start {
            f.write_char('*')?;
        }
        if is_plain(&self.text) && !self.text.contains(',') {
            f.write_str(&self.text)?;
        } else {
            f.write_str(&quoted(&self.text))?;
        }
        if self.open_end { f.write_char('*') } else { Ok(()) }
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead(order, length) => {
                f.write_str(order.sign())?;
                length_or_zero(f, *length)
            }
            Self::Past => f.write_str("past"),
            Self::None => f.write_str("none"),
            Self::Between(range) => range.fmt(f),
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.order.sign())?;
        if self.negative {
            f.write_char('-')?;
        }
        length_or_zero(f, self.length)
    }
}

/// A text in quotes, as the parser reads it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Free text, quoted also where it would be read as a key, an operator or a comparison.
fn free(text: &str) -> String {
    let operator = matches!(text, "AND" | "OR" | "NOT" | "&&" | "||") || text.contains([':', '=', '<', '>']);
    if operator || text.starts_with('-') || !is_plain(text) { quoted(text) } else { text.to_owned() }
}

/// Whether the text reads back as itself without quotes; commas are for the caller to check.
fn is_plain(text: &str) -> bool {
    let special = |c: char| c.is_whitespace() || matches!(c, '"' | '*');
    !text.contains(special) && !text.starts_with(['“', '”', '„'])
}

/// Prints zero seconds as `0`.
pub(super) fn length_or_zero(f: &mut fmt::Formatter<'_>, length: Length) -> fmt::Result {
    if length == (Length { count: 0, unit: Unit::Seconds }) { f.write_char('0') } else { length.fmt(f) }
}

/// Prints the items with one separator between two of them.
fn separated<T: fmt::Display>(f: &mut fmt::Formatter<'_>, separator: char, items: &[T]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_char(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
