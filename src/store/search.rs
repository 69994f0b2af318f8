//! Finding a text by its trigrams: whether the table has an index of them, and how a question uses it.
//!
//! The index only narrows. The exact test of [`filter`](super::sql::filter) stays in every statement, so that a question
//! has the same answer with the index and without it.
//!
//! PostgreSQL chooses for itself: it knows how frequent a text is. SQLite does not, and would gather the rows of a word
//! that is in every third error before it sorts out the newest hundred; so there a few are found
//! first; where there are more they are counted, up to a bound, and a frequent text is looked for without the index.

use super::columns::{ColumnMap, TextColumn};
use super::resolve::Resolved;
use super::session::{Conn, Session};
use super::source::Source;
use super::sql::cell::{CellType, Row};
use super::sql::filter::Condition;
use super::sql::{Bind, Dialect, Sql};
use crate::domain::filter::criteria::{Check, Pattern};
use crate::protocol::SourceError;

/// SQLite: the full-text table beside the event table. Its rows have the event rows' numbers.
pub const TABLE: &str = "certificate_renewal_events_search";
/// SQLite: what keeps that table in step with the events, each `TABLE` and an ending.
pub const TRIGGERS: [&str; 3] = ["insert", "delete", "update"];

/// SQLite: rows that are named by their numbers instead of being searched for again.
const FEW: usize = 100;
/// SQLite: rows that may be fetched one by one and sorted for one page.
const RARE: u64 = 10_000;
/// Trigrams of one text that are asked for; more cost more than they exclude.
const MAX_TRIGRAMS: usize = 32;

/// Which texts an index of trigrams covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SearchIndexes {
    pub error: bool,
    pub reason: bool,
}

impl SearchIndexes {
    /// What these indexes cover of the mapped columns.
    pub fn of(map: &ColumnMap, indexes: &[SearchIndex]) -> Self {
        let covered = |column: &Option<TextColumn>| {
            let serves = |c: &TextColumn| indexes.iter().any(|i| i.valid && !c.cast && i.covers(c.name.name()));
            column.as_ref().is_some_and(serves)
        };
        Self { error: covered(&map.error), reason: covered(&map.reason) }
    }
}

/// An index of trigrams as the catalog tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchIndex {
    pub name: String,
    /// Comma-separated.
    pub columns: String,
    /// Complete and usable.
    pub valid: bool,
    /// Its size on disk, where that is quickly told.
    pub bytes: Option<u64>,
}

impl SearchIndex {
    pub fn covers(&self, column: &str) -> bool {
        self.columns.split(',').any(|c| c == column)
    }
}

/// Only what compares as the composer writes it: under the collation "C", and of all rows that have a text.
const PG_INDEXES: &str = "SELECT i.relname::text, a.attname::text, x.indisvalid::int::int8, pg_relation_size(i.oid) \
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam AND m.amname = 'gin' \
     JOIN pg_opclass o ON o.oid = x.indclass[0] AND o.opcname = 'gin_trgm_ops' \
     JOIN pg_collation c ON c.oid = x.indcollation[0] AND c.collname = 'C' \
     JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] \
     WHERE x.indrelid = to_regclass('certificate_renewal_events') AND (x.indpred IS NULL \
     OR pg_get_expr(x.indpred, x.indrelid) = format('(%I IS NOT NULL)', a.attname)) ORDER BY i.relname";

/// The indexes of trigrams on the event table.
pub async fn indexes(conn: &mut Conn) -> Result<Vec<SearchIndex>, SourceError> {
    let dialect = conn.dialect();
    let text = match dialect {
        Dialect::Postgres => PG_INDEXES.to_owned(),
        Dialect::Sqlite => {
            let triggers: Vec<_> = TRIGGERS.iter().map(|t| format!("'{TABLE}_{t}'")).collect();
            format!(
                "SELECT '{TABLE}', 'error_message,reason', max(name = '{TABLE}') AND count(*) = {}, NULL \
                 FROM sqlite_schema WHERE name IN ('{TABLE}', {}) HAVING count(*) > 0",
                TRIGGERS.len() + 1,
                triggers.join(", ")
            )
        }
    };
    let shape = [CellType::Text, CellType::Text, CellType::Int, CellType::Int];
    let rows = conn.rows(&Sql::plain(dialect, &text), &shape).await?;
    let index = |mut row: Row| SearchIndex {
        name: row.string(0).unwrap_or_default(),
        columns: row.string(1).unwrap_or_default(),
        valid: row.int(2) == Some(1),
        bytes: row.int(3).and_then(|n| u64::try_from(n).ok()),
    };
    Ok(rows.into_iter().map(index).collect())
}

/// Puts the index to use where it helps, and says so in [`Resolved::narrowed`].
pub async fn narrow(s: &mut Session, source: &Source, resolved: &mut Resolved) -> Result<(), SourceError> {
    if source.search == SearchIndexes::default() || resolved.is_empty() {
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

/// The texts of which a row that passes has at least one, in a column that the index covers; `None` where the condition
/// names no such texts.
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

/// All trigrams of a text. Each is a term of its own: the index knows which rows have a term, not where.
fn trigrams(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 3 || chars.contains(&'\0') {
        return None;
    }
    let term = |window: &[char]| format!("\"{}\"", window.iter().collect::<String>().replace('"', "\"\""));
    let terms: Vec<_> = chars.windows(3).take(MAX_TRIGRAMS).map(term).collect();
    Some(format!("({})", terms.join(" AND ")))
}

/// SQLite: the statement's text for the numbers of the rows that a full-text expression finds.
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
