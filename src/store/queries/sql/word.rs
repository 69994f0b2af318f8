//! Words at the ends of a type's name, equal in meaning to [`has_ending`] and [`has_beginning`].
//!
//! Called by the composer of conditions where the types cannot be listed, and by the tail. The two functions in memory are
//! the rule; nothing here may depend on a collation, and a NUL must not end a comparison on SQLite.
//!
//! [`has_ending`]: crate::domain::event::has_ending
//! [`has_beginning`]: crate::domain::event::has_beginning

use crate::domain::event::BLANKS;
use crate::store::queries::sql::pattern::NEVER;
use crate::store::sql::{Bind, Dialect, Sql};

/// ASCII characters that separate words, as a set of PostgreSQL's regular expressions.
const SEPARATOR: &str = r"[\u0001-/:-@[-`{-\u007f]";
/// The same as a set of GLOB, which has no ranges to be left out but one that is negated as a whole.
const SEPARATOR_GLOB: &str = "[^a-zA-Z0-9\u{80}-\u{10ffff}]";

/// The last word of the column is this one; NULL where the column is NULL.
pub fn last(sql: &mut Sql, column: &str, word: &str) -> String {
    if word.is_empty() || word.contains('\0') {
        return NEVER.to_owned();
    }
    let small = word.to_ascii_lowercase();
    if sql.dialect == Dialect::Postgres {
        let blanks: String = BLANKS.iter().collect();
        let mut starts = vec![format!("(^|{SEPARATOR}){}", any_case(word))];
        if let Some((capital, rest)) = capitalized(word) {
            starts.push(format!("[a-z]{capital}{}", any_case(rest)));
            if let Some(second) = rest.chars().next().filter(char::is_ascii_alphabetic) {
                let second = second.to_ascii_lowercase();
                starts.push(format!("{capital}{second}{}", any_case(rest.get(1..).unwrap_or_default())));
            }
        }
        return regex(sql, column, format!("({})[{blanks}]*$", starts.join("|")));
    }
    let blanks = sql.placeholder(Bind::Text(BLANKS.iter().collect()));
    let bytes = format!("CAST(rtrim({column}, {blanks}) AS BLOB)");
    let n = word.len();
    let tail = |n: usize| format!("CAST(substr({bytes}, -{n}) AS TEXT)");
    let mut starts = vec![format!("length({bytes}) = {n}")];
    let mut globs = vec![(n + 1, format!("{SEPARATOR_GLOB}*"))];
    if let Some((capital, _)) = capitalized(word) {
        globs.extend([(n, format!("{capital}[a-z]*")), (n + 1, format!("[a-z]{capital}*"))]);
    }
    for (n, glob) in globs {
        let glob = sql.placeholder(Bind::Text(glob));
        starts.push(format!("{} GLOB {glob}", tail(n)));
    }
    let value = sql.placeholder(Bind::Text(small));
    format!("(lower({}) = {value} AND ({}))", tail(n), starts.join(" OR "))
}

/// The first word of the column is this one; NULL where the column is NULL.
pub fn first(sql: &mut Sql, column: &str, word: &str) -> String {
    if word.is_empty() || word.contains('\0') {
        return NEVER.to_owned();
    }
    let last = word.chars().next_back().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase());
    if sql.dialect == Dialect::Postgres {
        let mut ends = vec![format!("{}($|{SEPARATOR})", any_case(word))];
        if let Some(last) = last {
            let head = word.get(..word.len() - 1).unwrap_or_default();
            ends.push(format!("{}{last}[A-Z]", any_case(head)));
        }
        return regex(sql, column, format!("^({})", ends.join("|")));
    }
    let bytes = format!("CAST({column} AS BLOB)");
    let n = word.len();
    let value = sql.placeholder(Bind::Text(word.to_ascii_lowercase()));
    let separator = sql.placeholder(Bind::Text(SEPARATOR_GLOB.to_owned()));
    let mut ends =
        vec![format!("length({bytes}) = {n}"), format!("CAST(substr({bytes}, {}, 1) AS TEXT) GLOB {separator}", n + 1)];
    if last.is_some() {
        ends.push(format!("CAST(substr({bytes}, {n}, 2) AS TEXT) GLOB '[a-z][A-Z]'"));
    }
    format!("(lower(CAST(substr({bytes}, 1, {n}) AS TEXT)) = {value} AND ({}))", ends.join(" OR "))
}

/// A regular expression on the bytes of a text, under no locale.
fn regex(sql: &mut Sql, column: &str, pattern: String) -> String {
    let pattern = sql.placeholder(Bind::Text(pattern));
    format!(r#"({column} COLLATE "C") ~ {pattern}"#)
}

/// The first letter as a capital, and the rest; `None` if the word begins with no ASCII letter.
fn capitalized(word: &str) -> Option<(char, &str)> {
    let first = word.chars().next().filter(char::is_ascii_alphabetic)?;
    Some((first.to_ascii_uppercase(), word.get(1..)?))
}

/// A regular expression for the text in which ASCII letters have any case and all else stands for itself.
fn any_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 4);
    for c in text.chars() {
        if c.is_ascii_alphabetic() {
            out.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
        } else {
            if c.is_ascii_punctuation() {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}
