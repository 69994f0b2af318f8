//! Checked names: the only text of a profile or a catalog that becomes SQL syntax without a placeholder.

use std::fmt;

use thiserror::Error;

/// A name for SQL text: letters, digits and `_`, not beginning with a digit, at most 63 bytes. It is always quoted, so
/// a keyword is valid. 63 bytes are PostgreSQL's limit for identifiers; a longer name would be truncated there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SqlIdent(String);

/// An invalid name; safe to print. Holds the name with unsafe characters replaced.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("'{0}' cannot be used as a table or column name; letters, digits and '_' are valid")]
pub struct IdentError(String);

impl SqlIdent {
    /// Checks a name. The error names it and says what is valid.
    pub fn new(name: &str) -> Result<Self, IdentError> {
        let head = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if head && name.len() <= 63 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Ok(Self(name.to_owned()));
        }
        Err(IdentError(crate::domain::text::Clean::line(name).as_str().to_owned()))
    }
    /// The bare name, for comparison with the catalog.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SqlIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_sql() {
        for good in ["id", "_x", "created_at", "A1"] {
            assert_eq!(SqlIdent::new(good).unwrap().to_string(), format!("\"{good}\""));
        }
        for bad in ["", "1a", "a\"b", "a b", "a;--", "a.b", "ä", &"x".repeat(64)] {
            assert!(SqlIdent::new(bad).is_err(), "{bad}");
        }
    }
}
