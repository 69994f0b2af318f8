//! Filters and counts by the signatures of errors: what the store finds is what the mask says of the whole messages, however
//! few rows and however little of a message one statement reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renewscope::domain::event::{ErrorText, NewEvent, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::Filter;
use renewscope::domain::instant::Instant;
use renewscope::domain::page::{Anchor, Total};
use renewscope::domain::signature::{INPUT_CHARACTERS, Signature};
use renewscope::domain::zone::Zone;
use renewscope::protocol::query::{FacetQuery, Facets, Field, HistogramQuery};
use renewscope::protocol::tail::{Start, TailAnswer, TailQuery, TimeSlice};
use renewscope::protocol::{Answer, Query};
use renewscope::store::{ConnectOptions, SearchBudget, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection, Executor as _};

use super::bed::{Bed, at, event, named, page};
use super::counts;
use super::tail::Tail;
use crate::on_both;

on_both!(
    a_filter_finds_what_the_mask_says,
    a_row_has_one_signature_on_every_way,
    counts_lists_and_values_add_up,
    a_search_goes_on_where_its_budget_ended,
    a_tail_sends_the_rows_of_a_signature,
);

/// A message whose words stand behind the part that a page carries, because its first value is so long.
fn long(word: &str) -> String {
    format!("serial {} {word} refused", "7".repeat(ErrorText::HEAD + 100))
}

/// Messages that differ in what the mask cannot read.
fn too_long(word: &str) -> String {
    format!("serial {} {word}", "7".repeat(INPUT_CHARACTERS))
}

fn sig(message: &str) -> String {
    Signature::of(message).id.to_string()
}

fn filter(text: &str) -> Criteria {
    Filter::parse(text).unwrap().criteria(at(0), &Zone::Utc)
}

/// Rows of every kind of message, in an order that mixes them.
fn rows(n: i64) -> Vec<NewEvent> {
    let message = |i: i64| match i % 11 {
        0 | 1 => Some(format!("dial tcp 10.0.0.{}:443: connect: connection refused", i % 250)),
        2 => Some(format!("x509: certificate has expired {i} s ago")),
        3 => Some(long("alpha")),
        4 => Some(long("beta")),
        5 => Some(too_long(if i % 2 == 0 { "alpha" } else { "beta" })),
        6 => Some(String::new()),
        7 => Some(" \t\n".to_owned()),
        8 => Some("É 100% [broken]\\ _".to_owned()),
        _ => None,
    };
    let kind = |i: i64| match i % 11 {
        9 => "renewal_success",
        10 if i % 2 == 0 => "renewal_failed",
        10 => "renewal_start",
        _ if i % 3 == 0 => "recovery_failed",
        _ => "renewal_failed",
    };
    // Several rows of one instant.
    let row = |i: i64| NewEvent {
        org: named(if i % 4 == 0 { "globex" } else { "acme" }),
        error: message(i),
        ..event(&format!("edge-{}", i % 7), kind(i), at(i / 3))
    };
    (0..n).map(row).collect()
}

/// Filters on signatures, alone and beside every other kind of condition.
fn filters() -> Vec<String> {
    let refused = sig("dial tcp 10.0.0.1:443: connect: connection refused");
    let (expired, alpha, beta) =
        (sig("x509: certificate has expired 7 s ago"), sig(&long("alpha")), sig(&long("beta")));
    let both = sig(&too_long("alpha"));
    assert_eq!(both, sig(&too_long("beta")));
    assert_ne!(alpha, beta);
    vec![
        format!("sig:{refused}"),
        format!("-sig:{refused}"),
        format!("sig:{alpha}"),
        format!("sig:{beta},{both}"),
        format!("-sig:{beta},{both},{refused}"),
        format!("sig:{refused},{expired} -sig:{expired}"),
        format!("sig:{refused} sig:{expired}"),
        "sig:*".to_owned(),
        "-sig:*".to_owned(),
        "sig:0123456789".to_owned(),
        "-sig:0123456789".to_owned(),
        format!("sig:{}", sig("")),
        format!("-sig:{}", sig("")),
        format!("sig:{refused} org:globex"),
        format!("-sig:{refused} org:globex type:failed"),
        format!("sig:{refused},{alpha} device:edge-1,edge-2 type:renewal"),
        format!("-sig:{refused} -device:edge-1"),
        format!("sig:{expired} since:2026-11-20T12:00:20Z until:2026-11-20T12:01:00Z"),
        format!("-sig:{expired} time:2026-11-20T12:00:20Z..2026-11-20T12:01:00Z -type:success"),
        format!("sig:{refused} error:10.0.0.1"),
        format!("-sig:{refused} refused"),
    ]
}

async fn a_filter_finds_what_the_mask_says(bed: Bed) {
    bed.fill(&rows(700)).await;
    let stored = bed.all(&Criteria::default()).await;
    assert_eq!(stored.len(), 700);
    for text in filters() {
        let criteria = filter(&text);
        // The errors are whole here, so memory masks what was stored.
        let expected: Vec<_> = stored.iter().filter(|e| criteria.matches(e)).cloned().collect();
        assert_eq!(bed.all(&criteria).await, expected, "{text}");
        counts::compare(&bed, &expected, &criteria).await;
        let n = expected.len() as u64;
        assert_eq!(bed.count(&criteria, None).await, Total::Exact(n), "{text}");
        if n > 3 {
            assert_eq!(bed.count(&criteria, Some(n - 1)).await, Total::AtLeast(n - 1), "{text}");
            assert_eq!(bed.count(&criteria, Some(n)).await, Total::Exact(n), "{text}");
        }
        for (start, limit) in [(Anchor::Newest, 1), (Anchor::Oldest, 7), (Anchor::Newest, 200), (Anchor::Oldest, 700)] {
            if limit == 1 && n > 60 {
                continue;
            }
            let found = walked(&bed.store, &criteria, (start, limit)).await;
            let ids: Vec<_> = expected.iter().map(|e| e.id.clone()).collect();
            assert_eq!(found.iter().map(|e| e.id.clone()).collect::<Vec<_>>(), ids, "{text} by {limit}");
        }
    }
}

/// All rows, newest first, page by page.
async fn walked(store: &Store, criteria: &Criteria, (start, limit): (Anchor, u32)) -> Vec<Arc<RenewalEvent>> {
    let (mut found, mut next) = (Vec::new(), Some(start));
    while let Some(anchor) = next {
        let page = page(store, criteria, anchor.clone(), limit).await;
        assert!(page.rows.len() <= limit as usize);
        next = page.onward(&anchor);
        if anchor.is_older() {
            found.extend(page.rows);
        } else {
            found.splice(0..0, page.rows);
        }
        assert!(found.len() <= 700, "the pages do not end");
    }
    found
}

async fn facets(store: &Store, criteria: &Criteria, (field, ceiling): (Field, u64)) -> Facets {
    let query = FacetQuery { field, criteria: criteria.clone(), needle: String::new(), limit: 1000, ceiling };
    match store.run(&Query::Facets(query)).await.unwrap() {
        Answer::Facets(facets) => facets,
        other => panic!("{other:?}"),
    }
}

fn number(total: Total) -> u64 {
    match total {
        Total::Exact(n) | Total::AtLeast(n) => n,
    }
}

async fn a_row_has_one_signature_on_every_way(bed: Bed) {
    let mut messages = vec![long("alpha"), too_long("beta"), "É".repeat(2100), "short".to_owned(), " ".repeat(600)];
    // Four bytes a character, and one that the cut would part.
    messages.push(format!("a{}", "\u{1d400}".repeat(2100)));
    // The part that a page carries says something; the whole is a trace, of which nothing stays.
    messages.push(format!("{}b refused", "\tat a.b.c(d:1)\n".repeat(40)));
    for message in messages {
        for table in ["certificate_renewal_events", "devices", "organizations"] {
            clear(&bed, table).await;
        }
        bed.fill(&[NewEvent { error: Some(message.clone()), ..event("edge-1", "renewal_failed", at(0)) }]).await;
        check_one(&bed, Some(Signature::of(&message)).filter(|s| !s.text.is_empty()), &message).await;
    }
    if bed.is_postgres() {
        return;
    }
    for (value, shown) in [
        ("'visible' || char(0) || 'hidden cause'", Some("visible\0hidden cause")),
        ("char(0) || 'hidden cause'", Some("\0hidden cause")),
        ("printf('%.600c', '7') || char(0) || 'cause'", None),
        ("CAST(x'61ff62' AS TEXT)", Some("a⟨FF⟩b")),
        ("CAST(x'ff' || zeroblob(2500) AS TEXT)", None),
        ("''", Some("")),
    ] {
        let mut conn = SqliteConnectOptions::new().filename(bed.address.path().unwrap()).connect().await.unwrap();
        let sql = format!("UPDATE certificate_renewal_events SET error_message = {value}");
        conn.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        conn.close().await.unwrap();
        let whole = bed.all(&Criteria::default()).await.remove(0).error.clone().unwrap();
        let text = shown.unwrap_or(whole.text.raw());
        assert_eq!(whole.text.raw(), text, "{value}");
        check_one(&bed, Some(Signature::of(text)).filter(|s| !s.text.is_empty()), value).await;
    }
}

async fn clear(bed: &Bed, table: &str) {
    let sql = format!("DELETE FROM {table}");
    match &bed.url {
        Some(url) => super::pg::execute(url, &sql).await,
        None => {
            let mut conn = SqliteConnectOptions::new().filename(bed.address.path().unwrap()).connect().await.unwrap();
            conn.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
            conn.close().await.unwrap();
        }
    }
}

/// The one row of the table has this signature in every answer.
async fn check_one(bed: &Bed, signature: Option<Signature>, case: &str) {
    let case: String = case.chars().take(60).collect();
    let id = signature.as_ref().map(|s| s.id);
    let of = |row: &RenewalEvent| row.error.as_ref().and_then(ErrorText::sig);
    let all = Criteria::default();
    let head = bed.page(&all, Anchor::Newest, 10).await.rows.remove(0);
    assert!(head.error.as_ref().is_some_and(|e| e.text.raw().chars().count() <= ErrorText::HEAD), "{case}");
    assert_eq!(of(&head), id, "{case}");
    assert_eq!(of(&bed.all(&all).await[0]), id, "{case}");
    match bed.store.run(&Query::Event { id: head.id.clone() }).await.unwrap() {
        Answer::Event(Some(one)) => assert_eq!(of(&one), id, "{case}"),
        other => panic!("{other:?}"),
    }
    for whole in [false, true] {
        let slice = TimeSlice::Time { from: at(-10), after: None, until: None };
        let query = TailQuery::Rows { criteria: all.clone(), slice, limit: 10, whole };
        match bed.store.run(&Query::Tail(query)).await.unwrap() {
            Answer::Tail(TailAnswer::Rows(found)) => assert_eq!(of(&found.rows[0].row), id, "{case}"),
            other => panic!("{other:?}"),
        }
    }
    let listed = facets(&bed.store, &all, (Field::Error, 100)).await.values;
    let named: Vec<_> = listed.iter().map(|f| (f.word(Field::Error), f.name.as_ref().map(|n| n.raw()))).collect();
    let expected = (id.map(|id| id.to_string()), signature.as_ref().map(|s| s.text.as_str()));
    assert_eq!(named, [expected], "{case}");
    let text = id.map_or_else(|| "-sig:*".to_owned(), |id| format!("sig:{id}"));
    assert_eq!(bed.count(&filter(&text), None).await, Total::Exact(1), "{case}");
    assert_eq!(bed.all(&filter(&text)).await.len(), 1, "{case}");
    assert_eq!(bed.page(&filter(&text), Anchor::Newest, 5).await.rows, [head], "{case}");
}

async fn counts_lists_and_values_add_up(bed: Bed) {
    bed.fill(&rows(500)).await;
    let all = Criteria::default();
    let listed = facets(&bed.store, &all, (Field::Error, 100_000)).await;
    assert!(!listed.partial);
    let mut sum = 0;
    for value in &listed.values {
        let n = number(value.rows);
        let text = value.word(Field::Error).map_or_else(|| "-sig:*".to_owned(), |id| format!("sig:{id}"));
        let criteria = filter(&text);
        assert_eq!(bed.count(&criteria, None).await, Total::Exact(n), "{text}");
        assert_eq!(bed.all(&criteria).await.len() as u64, n, "{text}");
        let query = HistogramQuery { criteria: criteria.clone(), from: at(-60), width_micros: 7_000_000, buckets: 99 };
        match bed.store.run(&Query::Histogram(query)).await.unwrap() {
            Answer::Histogram(h) => assert_eq!(h.buckets.iter().flatten().sum::<u64>(), n, "{text}"),
            other => panic!("{other:?}"),
        }
        for field in [Field::Kind, Field::Org, Field::Device, Field::Reason, Field::Error] {
            let values = facets(&bed.store, &criteria, (field, 100_000)).await.values;
            assert_eq!(values.iter().map(|f| number(f.rows)).sum::<u64>(), n, "{text} {field:?}");
        }
        sum += n;
    }
    assert_eq!(sum, 500);
    // Under a ceiling the numbers are those of the newest rows.
    let newest = bed.all(&all).await;
    for ceiling in [1, 30, 499, 500] {
        let listed = facets(&bed.store, &all, (Field::Error, ceiling)).await;
        assert_eq!(listed.partial, ceiling < 500, "{ceiling}");
        let mut expected: BTreeMap<Option<String>, u64> = BTreeMap::new();
        for row in &newest[..usize::try_from(ceiling).unwrap()] {
            let sig = row.error.as_ref().and_then(ErrorText::sig).map(|sig| sig.to_string());
            *expected.entry(sig).or_default() += 1;
        }
        let found: BTreeMap<_, _> = listed.values.iter().map(|f| (f.word(Field::Error), number(f.rows))).collect();
        assert_eq!(found, expected, "{ceiling}");
    }
    let needle =
        FacetQuery { field: Field::Error, criteria: all, needle: "REFUSED".into(), limit: 10, ceiling: 100_000 };
    let Answer::Facets(found) = bed.store.run(&Query::Facets(needle)).await.unwrap() else { panic!() };
    assert_eq!(found.values.len(), 3, "{found:?}");
}

async fn a_search_goes_on_where_its_budget_ended(bed: Bed) {
    bed.fill(&rows(300)).await;
    let search_budget = Some(SearchBudget { time: Duration::ZERO, first_slice: 20 });
    let store =
        Store::connect(&bed.address, &ConnectOptions { search_budget, ..ConnectOptions::default() }).await.unwrap();
    let mut ended = 0;
    for text in filters() {
        let criteria = filter(&text);
        let expected = bed.all(&criteria).await;
        for start in [Anchor::Newest, Anchor::Oldest] {
            ended += u32::from(page(&store, &criteria, start.clone(), 50).await.searched_to.is_some());
            let found = walked(&store, &criteria, (start, 50)).await;
            let ids = |rows: &[Arc<RenewalEvent>]| rows.iter().map(|e| e.id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&found), ids(&expected), "{text}");
        }
    }
    assert!(ended > 0, "no search ended early");
}

async fn a_tail_sends_the_rows_of_a_signature(bed: Bed) {
    let now = Instant::from_utc(chrono::Utc::now());
    let new = |error: Option<String>, n: i64| NewEvent {
        error,
        ..event(&format!("edge-{n}"), "renewal_failed", now.plus(renewscope::domain::instant::Span::seconds(n)))
    };
    let reader = bed.reader().await;
    let mut one = Tail::start(&reader, filter(&format!("sig:{},{}", sig(&long("alpha")), sig("tries 3"))), Start::Now);
    let mut rest = Tail::start(&reader, filter(&format!("-sig:{}", sig(&long("alpha")))), Start::Now);
    one.begun().await;
    rest.begun().await;
    let errors = [
        Some(long("alpha")),
        Some(long("beta")),
        None,
        Some("tries 9".to_owned()),
        Some(String::new()),
        Some(long("alpha")),
        Some("last".to_owned()),
        Some("tries 1".to_owned()),
    ];
    let events: Vec<_> = (0..).zip(errors).map(|(n, error)| new(error, n)).collect();
    bed.fill(&events).await;
    one.until(|t| t.sent.len() >= 4).await;
    rest.until(|t| t.sent.len() >= 6).await;
    let of = |numbers: &[usize]| {
        let mut names: Vec<_> = numbers.iter().map(|n| format!("edge-{n}")).collect();
        names.sort();
        names
    };
    let names = |tail: &Tail| {
        let mut names = tail.names();
        names.sort();
        names
    };
    assert_eq!(names(&one), of(&[0, 3, 5, 7]));
    assert_eq!(names(&rest), of(&[1, 2, 3, 4, 6, 7]));
}
