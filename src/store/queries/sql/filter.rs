//! Conditions of a filter as SQL, equal in meaning to [`Criteria::matches`](crate::domain::filter::Criteria::matches).
//!
//! A negated clause is `NOT COALESCE(check, FALSE)`: the exact complement, which keeps the rows whose field is
//! missing. Clauses that were resolved to sets of values are not composed here; see [`crate::store::queries::resolve`].
//!
//! Called by the composers of whole statements. It must not change the meaning of a clause for the sake of an index.

use uuid::Uuid;

use crate::domain::event::{Id, Outcome};
use crate::domain::filter::criteria::{Check, ExpiryMatch, KindMatch, NameMatch, Pattern, SpanMatch};
use crate::domain::instant::Instant;
use crate::store::queries::narrow;
use crate::store::queries::resolved::{Condition, PartyTest};
use crate::store::queries::sql::pattern::{NEVER, pattern};
use crate::store::queries::sql::reason;
use crate::store::queries::sql::usable;
use crate::store::queries::sql::word;
use crate::store::source::Source;
use crate::store::source::columns::Party;
use crate::store::source::columns::{IdColumn, IdType, TimeColumn, TimeType};
use crate::store::sql::Dialect;
use crate::store::sql::{Bind, Sql};

/// Tests that are written as a chain.
const CHAIN: usize = 16;

/// The text of one condition, for the row `e`; its values are registered with the statement.
pub fn condition(sql: &mut Sql, source: &Source, condition: &Condition) -> String {
    let (negated, check) = match condition {
        Condition::Check(clause) => (clause.negated, check(sql, source, &clause.check)),
        Condition::Party { negated, party, any } => {
            let tests: Vec<_> = any.iter().map(|test| party_test(sql, source, *party, test)).collect();
            (*negated, any_of(&tests))
        }
        Condition::Error { recorded } => (false, error_test(source, *recorded)),
        Condition::Rows(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(|n| sql.placeholder(Bind::Int(*n))).collect();
            (false, format!("e.rowid IN ({})", numbers.join(", ")))
        }
        Condition::Found(terms) => (false, format!("e.rowid IN ({})", narrow::matching(sql, terms))),
    };
    if negated { format!("NOT COALESCE({check}, FALSE)") } else { check }
}

/// Tests that the row has an error message, or that it has none.
fn error_test(source: &Source, recorded: bool) -> String {
    match &source.map.error {
        Some(column) => format!("e.{} IS {}NULL", column.name, if recorded { "NOT " } else { "" }),
        None => (if recorded { NEVER } else { "TRUE" }).to_owned(),
    }
}

/// Passes if one of the tests does; no row passes where there is none.
fn any_of(tests: &[String]) -> String {
    match tests {
        [] => NEVER.to_owned(),
        [one] => one.clone(),
        many => format!("({})", joined(many, " OR ")),
    }
}

/// Tests with a word between them, as a balanced tree: SQLite refuses an expression that is more than 1000 deep, and
/// takes a chain of words for a tree as deep as it is long.
pub fn joined(tests: &[String], word: &str) -> String {
    if tests.len() <= CHAIN {
        return tests.join(word);
    }
    let (left, right) = tests.split_at(tests.len() / 2);
    format!("({}){word}({})", joined(left, word), joined(right, word))
}

/// The test of one clause, without its negation. NULL counts as not passed.
fn check(sql: &mut Sql, source: &Source, check: &Check) -> String {
    let map = &source.map;
    match check {
        Check::Kind(any) => {
            let tests: Vec<_> = any.iter().map(|m| kind_test(sql, source, m)).collect();
            any_of(&tests)
        }
        // A source without organizations has none in any row. Names are resolved before this, signatures are tested behind
        // it, and how a device stands is rejected.
        Check::Org(_) | Check::Device(_) | Check::Sig(_) | Check::Standing(_) => NEVER.to_owned(),
        Check::Reason(any) => patterns(sql, reason::shown(source), any, false),
        Check::Severity(any) => patterns(sql, map.severity.as_ref().map(|c| c.expr()), any, false),
        Check::Error(any) => patterns(sql, map.error.as_ref().map(|c| c.expr()), any, true),
        Check::Id(any) => {
            let tests: Vec<_> = any.iter().map(|m| id_test(sql, &map.id, m)).collect();
            any_of(&tests)
        }
        Check::Time { from, until } => within(sql, &map.created_at, *from, *until),
        Check::NotAhead(until) => within(sql, &map.created_at, None, Some(*until)),
        Check::Expires(any) => {
            let tests: Vec<_> = any.iter().map(|m| expiry_test(sql, source, m)).collect();
            any_of(&tests)
        }
        Check::Extends(any) => extends(sql, source, any),
        Check::Text(part) => {
            let columns = [&map.error, &map.reason].into_iter().flatten().map(|c| c.expr());
            let tests: Vec<_> = columns.map(|c| pattern(sql, &c, &Pattern::Contains(part.clone()), true)).collect();
            any_of(&tests)
        }
    }
}

/// Tests a text column for any of the patterns; no row passes where the source lacks the column.
fn patterns(sql: &mut Sql, column: Option<String>, any: &[Pattern], ignore_case: bool) -> String {
    let Some(column) = column else { return NEVER.to_owned() };
    let tests: Vec<_> = any.iter().map(|p| pattern(sql, &column, p, ignore_case)).collect();
    any_of(&tests)
}

/// Tests the row's stated outcome, else its type's, else the ending of the type's name, as [`KindMatch::matches`] does.
fn kind_test(sql: &mut Sql, source: &Source, m: &KindMatch) -> String {
    let column = source.map.kind.expr();
    let KindMatch::Ending(word) = m else { return name_test(sql, &column, m) };
    let Some(outcome) = Outcome::named(word) else { return name_test(sql, &column, m) };
    let stated = &source.traits.outcomes;
    let mut test = name_test(sql, &column, m);
    if !stated.is_empty() {
        let so: Vec<_> = stated.iter().filter(|(_, o)| **o == outcome).map(|(kind, _)| kind.clone()).collect();
        let all: Vec<_> = stated.keys().cloned().collect();
        let (so, all) = (one_of_texts(sql, &column, &so), one_of_texts(sql, &column, &all));
        test = format!("({so} OR (NOT {all} AND {test}))");
    }
    let Some(own) = &source.map.outcome else { return test };
    let word = sql.placeholder(Bind::Text(word.clone()));
    format!("CASE WHEN e.{own} IS NOT NULL THEN e.{own} = {word} ELSE {test} END")
}

/// Tests the name of a type: a pattern, or a word at one of its ends.
fn name_test(sql: &mut Sql, column: &str, m: &KindMatch) -> String {
    match m {
        KindMatch::Name(p) => pattern(sql, column, p, false),
        KindMatch::Ending(word) => word::last(sql, column, word),
        KindMatch::Beginning(word) => word::first(sql, column, word),
    }
}

/// Tests an id column. A UUID that is given to a column of another type matches no row.
fn id_test(sql: &mut Sql, column: &IdColumn, m: &NameMatch) -> String {
    let expr = format!("e.{}", column.name);
    match (m, column.ty) {
        (NameMatch::Uuid(u), IdType::Uuid) => equal(sql, &expr, &Id::Uuid(*u)),
        (NameMatch::UuidPrefix { first, last, .. }, IdType::Uuid) => uuid_range(sql, &expr, *first, *last),
        (NameMatch::Name(p), _) => named(sql, column, p),
        (NameMatch::UuidPrefix { name, .. }, _) => named(sql, column, &Pattern::Is(name.clone())),
        (NameMatch::Uuid(_), _) => NEVER.to_owned(),
    }
}

/// An identifier that is its own name: a text or an integer.
fn named(sql: &mut Sql, column: &IdColumn, p: &Pattern) -> String {
    let expr = format!("e.{}", column.name);
    match (column.ty, p) {
        (IdType::Text, p) => pattern(sql, &expr, p, false),
        (IdType::Int, Pattern::Is(x)) => match x.parse() {
            Ok(n) => equal(sql, &expr, &Id::Int(n)),
            Err(_) => NEVER.to_owned(),
        },
        _ => NEVER.to_owned(),
    }
}

/// One value: an index finds it in one descent.
fn equal(sql: &mut Sql, expr: &str, id: &Id) -> String {
    let value = sql.placeholder(Bind::id(id));
    format!("{expr} = {value}")
}

/// UUIDs from the first to the last, both inclusive: those that begin with the same digits.
fn uuid_range(sql: &mut Sql, expr: &str, first: Uuid, last: Uuid) -> String {
    let first = sql.placeholder(Bind::Uuid(first));
    let last = sql.placeholder(Bind::Uuid(last));
    format!("({expr} >= {first} AND {expr} <= {last})")
}

/// One test of an organization or a device; no row passes where the source records none.
fn party_test(sql: &mut Sql, source: &Source, party: Party, test: &PartyTest) -> String {
    let Some(column) = source.party(party) else { return NEVER.to_owned() };
    let expr = format!("e.{}", column.name);
    match test {
        PartyTest::Ids(ids) => one_of_ids(sql, &expr, ids),
        PartyTest::Range(first, last) if column.ty == IdType::Uuid => uuid_range(sql, &expr, *first, *last),
        PartyTest::Range(..) => NEVER.to_owned(),
        PartyTest::IdText(p) => named(sql, column, p),
        PartyTest::Label(p) => match &column.label {
            Some(label) => pattern(sql, &format!("e.{label}"), p, false),
            None => NEVER.to_owned(),
        },
        PartyTest::Holding(part) => {
            let ids = (column.ty == IdType::Text).then_some(&column.name);
            let columns: Vec<_> = ids.into_iter().chain(&column.label).map(|c| format!("e.{c}")).collect();
            let part = Pattern::Contains(part.clone());
            any_of(&columns.iter().map(|c| pattern(sql, c, &part, true)).collect::<Vec<_>>())
        }
        PartyTest::NameWithin(p) => {
            let Some((table, name)) = source.names_of(party) else { return NEVER.to_owned() };
            let name = pattern(sql, &name, p, false);
            format!("{expr} IN (SELECT n.id FROM {table} n WHERE {name})")
        }
    }
}

/// `expr` is one of the identifiers, all of one type.
pub fn one_of_ids(sql: &mut Sql, expr: &str, ids: &[Id]) -> String {
    let uuids: Option<Vec<Uuid>> = ids.iter().map(Id::as_uuid).collect();
    match (ids, uuids) {
        ([], _) => NEVER.to_owned(),
        ([one], _) => equal(sql, expr, one),
        (_, Some(uuids)) if sql.dialect == Dialect::Postgres => {
            let value = sql.placeholder(Bind::Uuids(uuids));
            format!("{expr} = ANY({value})")
        }
        (many, _) => {
            let values: Vec<_> = many.iter().map(|id| sql.placeholder(Bind::id(id))).collect();
            format!("{expr} IN ({})", values.join(", "))
        }
    }
}

/// `expr` is one of the texts.
pub fn one_of_texts(sql: &mut Sql, expr: &str, texts: &[String]) -> String {
    match texts {
        [] => NEVER.to_owned(),
        [one] => format!("{expr} = {}", sql.placeholder(Bind::Text(one.clone()))),
        many => {
            let values: Vec<_> = many.iter().map(|t| sql.placeholder(Bind::Text(t.clone()))).collect();
            format!("{expr} IN ({})", values.join(", "))
        }
    }
}

/// The column lies in `from..until`; missing values do not.
pub fn within(sql: &mut Sql, column: &TimeColumn, from: Option<Instant>, until: Option<Instant>) -> String {
    let mut tests = Vec::new();
    if let Some(from) = from {
        tests.push(format!("e.{} >= {}", column.name, sql.placeholder(column.bound(from))));
    }
    if let Some(until) = until {
        tests.push(format!("e.{} < {}", column.name, sql.placeholder(column.bound(until))));
    }
    if tests.is_empty() {
        tests.push(format!("e.{} IS NOT NULL", column.name));
    }
    format!("({})", tests.join(" AND "))
}

/// Tests the new expiry, or the old one of a row that has no new one.
fn expiry_test(sql: &mut Sql, source: &Source, m: &ExpiryMatch) -> String {
    let (new, old) = (source.map.new_expiry.as_ref(), source.map.old_expiry.as_ref());
    match (m, new, old) {
        (ExpiryMatch::None, new, old) => {
            let missing: Vec<_> = new.iter().chain(old.iter()).map(|c| not_set(source, c)).collect();
            if missing.is_empty() { "TRUE".to_owned() } else { format!("({})", missing.join(" AND ")) }
        }
        (ExpiryMatch::Within { from, until }, Some(new), Some(old)) => {
            let by_new = of_time(source, new, within(sql, new, *from, *until));
            let by_old = of_time(source, old, within(sql, old, *from, *until));
            format!("({by_new} OR ({} AND {by_old}))", not_set(source, new))
        }
        (ExpiryMatch::Within { from, until }, Some(one), None)
        | (ExpiryMatch::Within { from, until }, None, Some(one)) => {
            of_time(source, one, within(sql, one, *from, *until))
        }
        (ExpiryMatch::Within { .. }, None, None) => NEVER.to_owned(),
    }
}

/// The column holds no time. On SQLite a foreign table may hold a value of another type there, which is none.
fn not_set(source: &Source, column: &TimeColumn) -> String {
    if is_loose(source) {
        return format!("NOT {}", usable::time_test(source, column));
    }
    format!("e.{} IS NULL", column.name)
}

/// A test of an expiry column; on a column that may hold other values, only a time passes.
fn of_time(source: &Source, column: &TimeColumn, test: String) -> String {
    if is_loose(source) { format!("({} AND {test})", usable::time_test(source, column)) } else { test }
}

/// Whether a value may have another type than its column.
fn is_loose(source: &Source) -> bool {
    source.dialect == Dialect::Sqlite && !source.is_own()
}

/// Tests the time from the old expiry to the new one, in microseconds.
fn extends(sql: &mut Sql, source: &Source, any: &[SpanMatch]) -> String {
    let (Some(new), Some(old)) = (&source.map.new_expiry, &source.map.old_expiry) else { return NEVER.to_owned() };
    let (Some((new, new_finite)), Some((old, old_finite))) = (micros(new), micros(old)) else {
        return NEVER.to_owned();
    };
    // A difference beyond 64 bits saturates, as in memory.
    let (least, greatest) = if sql.dialect == Dialect::Postgres { ("LEAST", "GREATEST") } else { ("min", "max") };
    let difference = format!("{greatest}({least}({new} - {old}, {}), {})", i64::MAX, i64::MIN);
    let tests: Vec<_> = any
        .iter()
        .map(|m| {
            let (op, span) = match m {
                SpanMatch::Less(s) => ("<", s),
                SpanMatch::AtMost(s) => ("<=", s),
                SpanMatch::Equal(s) => ("=", s),
                SpanMatch::AtLeast(s) => (">=", s),
                SpanMatch::More(s) => (">", s),
            };
            let span = sql.placeholder(Bind::Int(span.0));
            format!("{difference} {op} {span}")
        })
        .collect();
    // Only finite ends have a difference: others have none, or one that overflows.
    let times = [source.map.new_expiry.as_ref(), source.map.old_expiry.as_ref()].into_iter().flatten();
    let times: String = if is_loose(source) {
        times.map(|column| format!("{} AND ", usable::time_test(source, column))).collect()
    } else {
        String::new()
    };
    format!("CASE WHEN {times}{new_finite} AND {old_finite} THEN {} END", any_of(&tests))
}

/// A time as a number of microseconds, and the test that it is finite. PostgreSQL's `numeric` cannot overflow.
fn micros(column: &TimeColumn) -> Option<(String, String)> {
    let name = format!("e.{}", column.name);
    Some(match column.ty {
        TimeType::Timestamp | TimeType::TimestampTz => {
            (format!("(extract(epoch FROM {name}) * 1000000)::numeric"), format!("isfinite({name})"))
        }
        TimeType::UnixMicros => (name.clone(), format!("{name} NOT IN ({}, {})", i64::MAX, i64::MIN)),
        TimeType::UnixMillis | TimeType::UnixSeconds => {
            (format!("({name} * {})", column.ty.micros()), format!("{name} IS NOT NULL"))
        }
    })
}
