//! Text search by trigrams: how a query uses the table's trigram index, where it has one.
//!
//! The index only narrows. The exact test of [`filter`](crate::store::queries::sql::filter) stays in every statement, so
//! a query must return the same rows with the index and without it. Called when a filter is resolved.
//!
//! PostgreSQL's planner knows how frequent a text is and decides by itself. SQLite does not know, and would collect all
//! rows of a word that is in every third error before it sorts out the newest hundred. On SQLite the first few rows are
//! therefore fetched; if there are more, they are counted up to a bound, and a frequent text is searched without the
//! index.

use crate::domain::filter::criteria::{Check, Pattern};
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::resolved::Condition;
use crate::store::queries::resolved::Resolved;
use crate::store::source::Source;
use crate::store::source::search_index::{TABLE, belongs};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// SQLite: up to this many rows are identified by their numbers instead of by a second search.
const FEW: usize = 100;
/// SQLite: rows that may be fetched one by one and sorted for one page.
const RARE: u64 = 10_000;
/// Trigrams of one text that are searched; more cost more than they exclude.
const MAX_TRIGRAMS: usize = 32;

/// Uses the index where it helps, and then sets [`Resolved::narrowed`].
pub async fn narrow(s: &mut Session, source: &Source, resolved: &mut Resolved) -> Result<(), SourceError> {
    if !(source.search.error || source.search.reason) || resolved.is_empty() {
        return Ok(());
    }
    let texts: Vec<_> = resolved.rest.iter().filter_map(|c| texts(source, c)).collect();
    if source.dialect == Dialect::Postgres {
        resolved.narrowed = texts.iter().any(|any| any.iter().all(|t| has_word(t)));
        return Ok(());
    }
    let terms: Vec<String> = texts.iter().filter_map(|any| expression(any)).collect();
    if terms.is_empty() {
        return Ok(());
    }
    // A VACUUM may have numbered the rows anew since the source was described.
    let belongs = s.rows(&Sql::plain(source.dialect, &belongs()), &[CellType::Int]).await?;
    if belongs.into_iter().next().and_then(|mut row| row.int(0)) != Some(1) {
        return Ok(());
    }
    let terms = terms.join(" AND ");
    let mut sql = Sql::new(source.dialect);
    let first = matching(&mut sql, &terms);
    sql.push(&format!("{first} LIMIT {}", FEW + 1));
    let found = s.rows(&sql, &[CellType::Int]).await?.into_iter().filter_map(|mut row| row.int(0));
    let found: Vec<i64> = found.collect();
    if found.len() <= FEW {
        resolved.rest.push(Condition::Rows(found));
        resolved.narrowed = true;
        return Ok(());
    }
    let mut sql = Sql::new(source.dialect);
    let matching = matching(&mut sql, &terms);
    sql.push(&format!("SELECT count(*) FROM ({matching} LIMIT {})", RARE + 1));
    let counted = s.rows(&sql, &[CellType::Int]).await?.into_iter().next().and_then(|mut r| r.int(0));
    if counted.and_then(|n| u64::try_from(n).ok()).is_some_and(|n| n <= RARE) {
        resolved.rest.push(Condition::Found(terms));
        resolved.narrowed = true;
    }
    Ok(())
}

/// The texts of which a passing row contains at least one, in a column that the index covers; `None` where the condition
/// has no such texts.
fn texts<'a>(source: &Source, condition: &'a Condition) -> Option<Vec<&'a str>> {
    let Condition::Check(clause) = condition else { return None };
    let has = source.search;
    match &clause.check {
        _ if clause.negated => None,
        Check::Text(part) if has.error && (has.reason || source.map.reason.is_none()) => Some(vec![part]),
        Check::Error(any) if has.error && !any.is_empty() => Some(any.iter().map(literal).collect()),
        _ => None,
    }
}

/// The text of a pattern without its kind.
fn literal(pattern: &Pattern) -> &str {
    let (Pattern::Is(x) | Pattern::StartsWith(x) | Pattern::EndsWith(x) | Pattern::Contains(x)) = pattern;
    x
}

/// Whether PostgreSQL finds a trigram in the text, which it takes from words only: three letters or digits in a row.
fn has_word(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.len() >= 3)
}

/// The full-text expression for rows that have all trigrams of one of the texts; `None` where a text has none.
fn expression(any: &[&str]) -> Option<String> {
    let texts: Option<Vec<String>> = any.iter().map(|text| trigrams(text)).collect();
    let texts = texts?;
    Some(format!("({})", texts.join(" OR ")))
}

/// All trigrams of a text, each as a separate term: the index records which rows have a term, not its position.
fn trigrams(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 3 || chars.contains(&'\0') {
        return None;
    }
    let term = |window: &[char]| format!("\"{}\"", window.iter().collect::<String>().replace('"', "\"\""));
    let terms: Vec<_> = chars.windows(3).take(MAX_TRIGRAMS).map(term).collect();
    Some(format!("({})", terms.join(" AND ")))
}

/// SQLite: the select of the row numbers that a full-text expression finds.
pub fn matching(sql: &mut Sql, terms: &str) -> String {
    let terms = sql.placeholder(Bind::Text(terms.to_owned()));
    format!("SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH {terms}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_its_trigrams() {
        assert_eq!(expression(&["abcd"]).as_deref(), Some("((\"abc\" AND \"bcd\"))"));
        assert_eq!(expression(&["a\"b", "éßx"]).as_deref(), Some("((\"a\"\"b\") OR (\"éßx\"))"));
        assert_eq!(expression(&["abc", "ab"]), None);
        assert_eq!(expression(&["ab\0c"]), None);
    }

    #[test]
    fn words_of_three_have_trigrams() {
        for (text, expected) in [("abc", true), ("ab cd: x5", false), ("::ab1", true), ("", false), ("éééé", false)]
        {
            assert_eq!(has_word(text), expected, "{text}");
        }
    }
}
