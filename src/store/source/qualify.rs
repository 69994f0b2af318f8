//! The select of a profile with the schema before each table of its `needs`.
//!
//! A session searches the system's schema alone, and a select names its tables without one. They were found by the
//! catalog; this puts their schemas in. It runs no statement, and changes no other name.

use std::collections::BTreeMap;

use crate::profile::SourceProfile;
use crate::store::source::catalog::Table;
use crate::store::source::columns::Schema;

/// The words that end the list of tables after FROM.
const AFTER_TABLES: [&str; 11] =
    ["where", "group", "having", "order", "limit", "offset", "fetch", "union", "intersect", "except", "window"];
/// The words that may stand between FROM and the name of a table.
const BEFORE_TABLE: [&str; 2] = ["only", "lateral"];

/// The select with qualified tables. Without schemas, as on SQLite, it stays as it is.
pub fn qualified(select: &str, profile: &SourceProfile, tables: &BTreeMap<String, Table>) -> String {
    let schema = |name: &str| {
        let needed = profile.needs.keys().any(|table| table.name() == name);
        let schema = tables.get(name).filter(|_| needed)?.schema.as_deref()?;
        Some(Schema::new(schema).to_string())
    };
    let tokens = tokens(select);
    let mut out = String::with_capacity(select.len() + 64);
    // For each open parenthesis, whether the next name can be that of a table.
    let mut levels = vec![Place::Elsewhere];
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1..).unwrap_or_default().iter().find(|t| t.kind != Kind::Blank);
        if let Some(name) = token.name()
            && levels.last() == Some(&Place::Table)
            && next.is_none_or(|t| t.text != ".")
            && let Some(schema) = schema(&name)
        {
            out.push_str(&schema);
            out.push('.');
        }
        out.push_str(token.text);
        step(&mut levels, token);
    }
    out
}

/// Where a token of a select stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// A name here is that of a table.
    Table,
    /// Behind a table; a comma leads to the next one.
    Behind,
    Elsewhere,
}

/// Moves on by one token: which place the next name will have.
fn step(levels: &mut Vec<Place>, token: &Token<'_>) {
    match token.text {
        "(" => {
            // A list of tables may stand in parentheses.
            let inner = if levels.last() == Some(&Place::Table) { Place::Table } else { Place::Elsewhere };
            if let Some(last) = levels.last_mut().filter(|last| **last == Place::Table) {
                *last = Place::Behind;
            }
            return levels.push(inner);
        }
        ")" => {
            levels.pop();
            return;
        }
        _ => {}
    }
    let Some(place) = levels.last_mut() else { return };
    match (token.kind, *place) {
        (Kind::Blank, _) => {}
        (Kind::Word, _) => {
            let word = token.text.to_ascii_lowercase();
            *place = match (word.as_str(), *place) {
                ("from" | "join", _) => Place::Table,
                (word, Place::Table) if BEFORE_TABLE.contains(&word) => Place::Table,
                ("select", _) => Place::Elsewhere,
                (word, _) if AFTER_TABLES.contains(&word) => Place::Elsewhere,
                (_, Place::Table) => Place::Behind,
                (_, other) => other,
            };
        }
        (Kind::Other, Place::Behind) if token.text == "," => *place = Place::Table,
        (_, Place::Table) => *place = Place::Behind,
        _ => {}
    }
}

/// The kind of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Word,
    Quoted,
    /// Blanks and comments.
    Blank,
    Other,
}

/// A part of the select, as it is written.
struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

impl Token<'_> {
    /// The name that the server reads: in lower case, unless it is quoted.
    fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_ascii_lowercase()),
            Kind::Quoted => self.text.strip_prefix('"')?.strip_suffix('"').map(|name| name.replace("\"\"", "\"")),
            Kind::Blank | Kind::Other => None,
        }
    }
}

/// The tokens of a select that [`check`](crate::profile::select::check) has accepted; joined, they are the select.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let until = |end: Option<usize>| end.unwrap_or(rest.len());
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        let (kind, length) = match first {
            '\'' => (Kind::Other, quoted(rest, '\'')),
            '"' => (Kind::Quoted, quoted(rest, '"')),
            '-' if rest.starts_with("--") => (Kind::Blank, until(rest.find('\n'))),
            '/' if rest.starts_with("/*") => (Kind::Blank, until(rest.find("*/").map(|end| end + 2))),
            c if c.is_whitespace() => (Kind::Blank, until(rest.find(|c: char| !c.is_whitespace()))),
            c if in_word(c) => (Kind::Word, until(rest.find(|c: char| !in_word(c)))),
            c => (Kind::Other, c.len_utf8()),
        };
        let (token, after) = rest.split_at(length.clamp(first.len_utf8(), rest.len()));
        tokens.push(Token { kind, text: token });
        rest = after;
    }
    tokens
}

/// The bytes of a text or a name in quotes, in which a doubled quote is a character.
fn quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_a_select_get_their_schemas_and_nothing_else_does() {
        let profile = "name = \"p\"\ndatabase = [\"postgres\"]\n[relation]\ntable = \"log\"\n[needs]\ncerts = [\"id\"]\n\
             [fields]\nid = { column = \"id\" }\ndevice = { column = \"d\" }\ntype = { column = \"k\" }\n\
             time = { column = \"at\" }\n";
        let profile = SourceProfile::parse("p.toml", profile).unwrap();
        let table = |schema: &str| Table { schema: Some(schema.to_owned()), ..Table::default() };
        let tables = BTreeMap::from([
            ("log".to_owned(), table("app")),
            ("certs".to_owned(), table("odd\"one")),
            ("other".to_owned(), table("app")),
        ]);
        for (select, expected) in [
            ("select log.id from log", "select log.id from \"app\".log"),
            ("SELECT * FROM LOG l, certs AS c", "SELECT * FROM \"app\".LOG l, \"odd\"\"one\".certs AS c"),
            (
                "select 1 from \"log\" join certs on true",
                "select 1 from \"app\".\"log\" join \"odd\"\"one\".certs on true",
            ),
            (
                "select (select max(id) from certs) from (log)",
                "select (select max(id) from \"odd\"\"one\".certs) from (\"app\".log)",
            ),
            (
                "select 1 from log left join lateral (select id from certs x where x.id in (1, log.id)) c on f(a, log)",
                "select 1 from \"app\".log left join lateral (select id from \"odd\"\"one\".certs x where x.id in (1, log.id)) c on f(a, log)",
            ),
            (
                "select extract(epoch from log.at), log from other where log > 1",
                "select extract(epoch from log.at), log from other where log > 1",
            ),
            (
                "select ' from log' from only log -- from certs",
                "select ' from log' from only \"app\".log -- from certs",
            ),
            ("select 1 from evil.log", "select 1 from evil.log"),
            (
                "select 1 from log where a = 1 union select 2, log from certs",
                "select 1 from \"app\".log where a = 1 union select 2, log from \"odd\"\"one\".certs",
            ),
        ] {
            assert_eq!(qualified(select, &profile, &tables), expected);
        }
    }
}
