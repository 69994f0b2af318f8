//! Texts compared with patterns, equal in meaning to [`Pattern::matches`] on every text that a database holds.
//!
//! Called by the composers of conditions. Only ASCII letters have two cases here, on both databases. On SQLite a text may
//! hold a NUL, at which its LIKE, GLOB and `length` end: what follows it must be compared too.

use crate::domain::filter::criteria::Pattern;
use crate::store::sql::{Bind, Dialect, Sql};

/// A text that no row passes.
pub const NEVER: &str = "FALSE";

/// The test of a text column; NULL where the column is NULL.
pub fn pattern(sql: &mut Sql, column: &str, p: &Pattern, ignore_case: bool) -> String {
    let (Pattern::Is(x) | Pattern::StartsWith(x) | Pattern::EndsWith(x) | Pattern::Contains(x)) = p;
    // PostgreSQL stores no NUL and refuses one even as a value; on SQLite nobody searches for one.
    if x.contains('\0') {
        return NEVER.to_owned();
    }
    match (p, sql.dialect) {
        (Pattern::Is(x), _) if !ignore_case => {
            let value = sql.placeholder(Bind::Text(x.clone()));
            format!("{column} = {value}")
        }
        (_, Dialect::Postgres) => postgres(sql, column, p, ignore_case),
        (_, Dialect::Sqlite) if ignore_case => sqlite_folded(sql, column, p),
        (_, Dialect::Sqlite) => sqlite_exact(sql, column, p),
    }
}

/// LIKE under the column's collation, or ILIKE under "C". PostgreSQL stores no NUL.
fn postgres(sql: &mut Sql, column: &str, p: &Pattern, ignore_case: bool) -> String {
    let value = sql.placeholder(Bind::Text(like(p)));
    // Under the collation "C" only ASCII letters fold.
    if ignore_case {
        return format!(r#"({column} COLLATE "C") ILIKE {value} ESCAPE '\'"#);
    }
    format!(r"{column} LIKE {value} ESCAPE '\'")
}

/// With case: GLOB, which an index serves, where the pattern begins the text; otherwise by its bytes.
fn sqlite_exact(sql: &mut Sql, column: &str, p: &Pattern) -> String {
    match p {
        Pattern::Is(x) => format!("{column} = {}", sql.placeholder(Bind::Text(x.clone()))),
        Pattern::StartsWith(x) => {
            let value = sql.placeholder(Bind::Text(format!("{}*", glob_escaped(x))));
            format!("{column} GLOB {value}")
        }
        Pattern::EndsWith(x) => ends_with(sql, column, x),
        Pattern::Contains(x) => format!("instr({column}, {}) > 0", sql.placeholder(Bind::Text(x.clone()))),
    }
}

/// SQLite's `lower` and LIKE fold ASCII letters and no others.
fn sqlite_folded(sql: &mut Sql, column: &str, p: &Pattern) -> String {
    match p {
        Pattern::Is(x) => format!("lower({column}) = {}", sql.placeholder(Bind::Text(x.to_ascii_lowercase()))),
        Pattern::StartsWith(_) => format!(r"{column} LIKE {} ESCAPE '\'", sql.placeholder(Bind::Text(like(p)))),
        Pattern::EndsWith(x) => ends_with(sql, &format!("lower({column})"), &x.to_ascii_lowercase()),
        // LIKE takes half the time of `instr`, which is needed only behind a NUL. Without one, a text of ASCII has as many
        // characters as bytes.
        Pattern::Contains(x) => {
            let (found, hidden) = (like(p), x.to_ascii_lowercase());
            let (found, hidden) = (sql.placeholder(Bind::Text(found)), sql.placeholder(Bind::Text(hidden)));
            format!(
                r"({column} LIKE {found} ESCAPE '\' OR (length({column}) <> octet_length({column}) AND instr(lower({column}), {hidden}) > 0))"
            )
        }
    }
}

/// The last bytes of a text are these: those of a BLOB are counted from its true end.
fn ends_with(sql: &mut Sql, text: &str, x: &str) -> String {
    if x.is_empty() {
        return format!("{text} IS NOT NULL");
    }
    let value = sql.placeholder(Bind::Text(x.to_owned()));
    format!("substr(CAST({text} AS BLOB), -{}) = CAST({value} AS BLOB)", x.len())
}

/// The pattern in the language of LIKE.
fn like(p: &Pattern) -> String {
    match p {
        Pattern::Is(x) => like_escaped(x),
        Pattern::StartsWith(x) => format!("{}%", like_escaped(x)),
        Pattern::EndsWith(x) => format!("%{}", like_escaped(x)),
        Pattern::Contains(x) => format!("%{}%", like_escaped(x)),
    }
}

/// A text that LIKE takes literally, with `\` as the escape character.
fn like_escaped(x: &str) -> String {
    let mut out = String::with_capacity(x.len() + 8);
    for c in x.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A text that GLOB takes literally: it has no escape character, but sets of one character.
fn glob_escaped(x: &str) -> String {
    let mut out = String::with_capacity(x.len() + 8);
    for c in x.chars() {
        match c {
            '*' | '?' | '[' => out.extend(['[', c, ']']),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(dialect: Dialect, p: &Pattern, ignore_case: bool) -> (String, Vec<Bind>) {
        let mut sql = Sql::new(dialect);
        let text = pattern(&mut sql, "c", p, ignore_case);
        (text, sql.binds().to_vec())
    }

    #[test]
    fn patterns_are_written_for_each_database() {
        use Dialect::{Postgres, Sqlite};
        use Pattern::{Contains, EndsWith, Is, StartsWith};
        let x = || "A%_*".to_owned();
        for (dialect, p, ignore_case, sql, value) in [
            (Postgres, Is(x()), false, "c = $1", "A%_*"),
            (Postgres, Is(x()), true, r#"(c COLLATE "C") ILIKE $1 ESCAPE '\'"#, r"A\%\_*"),
            (Postgres, StartsWith(x()), false, r"c LIKE $1 ESCAPE '\'", r"A\%\_*%"),
            (Postgres, EndsWith(x()), false, r"c LIKE $1 ESCAPE '\'", r"%A\%\_*"),
            (Postgres, Contains(x()), true, r#"(c COLLATE "C") ILIKE $1 ESCAPE '\'"#, r"%A\%\_*%"),
            (Sqlite, Is(x()), false, "c = ?1", "A%_*"),
            (Sqlite, Is(x()), true, "lower(c) = ?1", "a%_*"),
            (Sqlite, StartsWith(x()), false, "c GLOB ?1", "A%_[*]*"),
            (Sqlite, StartsWith(x()), true, r"c LIKE ?1 ESCAPE '\'", r"A\%\_*%"),
            (Sqlite, EndsWith(x()), false, "substr(CAST(c AS BLOB), -4) = CAST(?1 AS BLOB)", "A%_*"),
            (Sqlite, EndsWith(x()), true, "substr(CAST(lower(c) AS BLOB), -4) = CAST(?1 AS BLOB)", "a%_*"),
            (Sqlite, Contains(x()), false, "instr(c, ?1) > 0", "A%_*"),
        ] {
            assert_eq!(text(dialect, &p, ignore_case), (sql.to_owned(), vec![Bind::Text(value.into())]), "{p:?}");
        }
        let (sql, values) = text(Sqlite, &Contains(x()), true);
        assert!(sql.starts_with(r"(c LIKE ?1 ESCAPE '\' OR (length(c) <> octet_length(c) AND instr(lower(c), ?2) > 0"));
        assert_eq!(values, [Bind::Text(r"%A\%\_*%".into()), Bind::Text("a%_*".into())]);
        assert_eq!(text(Sqlite, &EndsWith(String::new()), true), ("lower(c) IS NOT NULL".to_owned(), vec![]));
        for dialect in [Postgres, Sqlite] {
            assert_eq!(text(dialect, &Contains("a\0b".into()), true), (NEVER.to_owned(), vec![]));
        }
    }
}
