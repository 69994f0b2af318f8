//! SQL and memory agree: for every filter, both databases return the rows that `Criteria::matches` keeps.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renewscope::domain::event::{NewEvent, Party, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{
    Check, Clause, ExpiryMatch, KindMatch, NameMatch, Pattern, SigMatch, SpanMatch,
};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Total};
use renewscope::domain::signature::Signature;
use uuid::Uuid;

use super::bed::{Bed, all_of, at, event, none_of};
use super::counts;
use crate::on_both;

on_both!(a_table_of_filters, failures_of_every_spelling, random_filters_on_random_rows);

/// Texts that are awkward for patterns, in several fields at once.
const WORDS: [&str; 16] = [
    "failed",
    "renewal_failed",
    "recovery_failed",
    "renewal_start",
    "re%ewal_failed",
    "unfailed",
    "edge-01",
    "EDGE-01",
    "edge_01",
    "a%b",
    "a_b",
    "a\\b",
    "[a-z]*",
    "é",
    "É",
    "",
];

pub fn word() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        8 => proptest::sample::select(&WORDS[..]).prop_map(str::to_owned),
        1 => "[a-bA-B%_\\\\*?\\[\\]éÉß. -]{0,4}",
    ]
}

fn instant() -> impl Strategy<Value = Instant> + Clone {
    prop_oneof![
        8 => (-6_i64..6).prop_map(|h| at(h * 3600)),
        2 => (-3_i64..3).prop_map(|us| at(0).plus(Span(us))),
        1 => Just(Instant::INFINITY),
        1 => Just(Instant::NEG_INFINITY),
        1 => Just(Instant::from_unix_micros(i64::MIN + 1)),
        1 => Just(Instant::parse_rfc3339("+294246-01-01T00:00:00Z").unwrap()),
    ]
}

/// Names of types: words in every case, with every kind of separator, and what only looks like one.
pub fn type_name() -> impl Strategy<Value = String> + Clone {
    let head = proptest::sample::select(&["", "renewal", "RENEWAL", "Renewal", "un", "x2", "\u{e9}", "a b"][..]);
    let between = proptest::sample::select(&["", "_", ".", "-", " ", "\t", "\u{e9}", "\u{a0}", "]", "`", "@", "7"][..]);
    let tail =
        proptest::sample::select(&["failed", "Failed", "FAILED", "faileD", "FaILED", "start", "Success", "ed"][..]);
    let behind = proptest::sample::select(&["", "", "", " ", "\r\n", "_", "\u{3000}"][..]);
    let made = (head, between, tail, behind).prop_map(|(a, b, c, d)| format!("{a}{b}{c}{d}"));
    prop_oneof![1 => word(), 1 => made]
}

/// Words that a filter may have at an end of a type's name.
fn end_word() -> impl Strategy<Value = String> + Clone {
    let real = proptest::sample::select(&["failed", "success", "start", "renewal", "recovery"][..]);
    prop_oneof![2 => real.prop_map(str::to_owned), 1 => word()]
}

fn uuid() -> impl Strategy<Value = Uuid> + Clone {
    (0_u128..4, 0_u128..3).prop_map(|(head, tail)| Uuid::from_u128(((0x1234_5670 + head) << 96) | (tail << 95) | tail))
}

fn party() -> impl Strategy<Value = Party> {
    let name = prop_oneof![2 => Just(None), 5 => word().prop_map(Some)];
    (prop_oneof![Just(None), uuid().prop_map(Some)], name).prop_map(|(id, name)| match (id, name) {
        (None, None) => Party { id: None, name: Some("lone".into()) },
        (id, name) => Party { id, name },
    })
}

/// Errors of few kinds, some of which say nothing.
fn message() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => word(),
        2 => (0..9, 0..9).prop_map(|(a, b)| format!("dial tcp 10.0.{a}.{b}:443: connect: refused")),
        2 => (0..9).prop_map(|n| format!("failed after {n} of 9 tries")),
        1 => proptest::sample::select(&[" ", "\n\t", "\u{1b}"][..]).prop_map(str::to_owned),
    ]
}

pub fn row() -> impl Strategy<Value = NewEvent> {
    let text = || proptest::option::of(word());
    let time = || proptest::option::of(instant());
    (party(), party(), type_name(), text(), time(), time(), proptest::option::of(message()), instant()).prop_map(
        |(device, org, kind, reason, old_expiry, new_expiry, error, created_at)| NewEvent {
            id: None,
            device,
            org,
            kind,
            reason,
            old_expiry,
            new_expiry,
            error,
            created_at,
        },
    )
}

pub fn pattern() -> impl Strategy<Value = Pattern> + Clone {
    (0..4, word(), 0_usize..4).prop_map(|(form, word, cut)| {
        let part: String = word.chars().skip(cut.min(word.chars().count().saturating_sub(1))).collect();
        match form {
            0 => Pattern::Is(word),
            1 => Pattern::StartsWith(word.chars().take(cut + 1).collect()),
            2 => Pattern::EndsWith(part),
            _ => Pattern::Contains(part),
        }
    })
}

fn name() -> impl Strategy<Value = NameMatch> {
    prop_oneof![
        4 => pattern().prop_map(NameMatch::Name),
        1 => uuid().prop_map(NameMatch::Uuid),
        1 => (uuid(), uuid(), word()).prop_map(|(a, b, name)| NameMatch::UuidPrefix { first: a.min(b), last: a.max(b), name }),
    ]
}

fn sig() -> impl Strategy<Value = SigMatch> {
    prop_oneof![
        6 => message().prop_map(|text| SigMatch::Is(Signature::of(&text).id)),
        1 => Just(SigMatch::Any),
    ]
}

pub fn check() -> impl Strategy<Value = Check> {
    let some = 1..3_usize;
    let span =
        || prop_oneof![(-8_i64..8).prop_map(Span::hours), Just(Span(1)), Just(Span(i64::MAX)), Just(Span(i64::MIN))];
    let kind = prop_oneof![
        end_word().prop_map(KindMatch::Ending),
        end_word().prop_map(KindMatch::Beginning),
        pattern().prop_map(KindMatch::Name)
    ];
    let range = || (proptest::option::of(instant()), proptest::option::of(instant()));
    let expiry = prop_oneof![
        4 => range().prop_map(|(from, until)| ExpiryMatch::Within { from, until }),
        1 => Just(ExpiryMatch::None)
    ];
    let spans = (0..5, span()).prop_map(|(op, s)| match op {
        0 => SpanMatch::Less(s),
        1 => SpanMatch::AtMost(s),
        2 => SpanMatch::Equal(s),
        3 => SpanMatch::AtLeast(s),
        _ => SpanMatch::More(s),
    });
    prop_oneof![
        proptest::collection::vec(kind, some.clone()).prop_map(Check::Kind),
        proptest::collection::vec(name(), some.clone()).prop_map(Check::Org),
        proptest::collection::vec(name(), some.clone()).prop_map(Check::Device),
        proptest::collection::vec(name(), some.clone()).prop_map(Check::Id),
        proptest::collection::vec(pattern(), some.clone()).prop_map(Check::Reason),
        proptest::collection::vec(pattern(), some.clone()).prop_map(Check::Severity),
        proptest::collection::vec(pattern(), some.clone()).prop_map(Check::Error),
        proptest::collection::vec(sig(), some.clone()).prop_map(Check::Sig),
        range().prop_map(|(from, until)| Check::Time { from, until }),
        range().prop_filter_map("an end", |(_, until)| until.map(Check::NotAhead)),
        proptest::collection::vec(expiry, some.clone()).prop_map(Check::Expires),
        proptest::collection::vec(spans, some).prop_map(Check::Extends),
        word().prop_map(Check::Text),
    ]
}

pub fn criteria() -> impl Strategy<Value = Criteria> {
    let clause = (any::<bool>(), check()).prop_map(|(negated, check)| Clause { negated, check });
    proptest::collection::vec(clause, 0..4).prop_map(|all| Criteria { all })
}

async fn random_filters_on_random_rows(bed: Bed) {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let rows = proptest::collection::vec(row(), 400).new_tree(&mut runner).unwrap().current();
    bed.store.create_many(&rows).await.unwrap();
    let stored = bed.all(&Criteria::default()).await;
    assert!(stored.len() > 300);
    for _ in 0..1000 {
        let criteria = criteria().new_tree(&mut runner).unwrap().current();
        compare(&bed, &stored, &criteria).await;
        let mut expected: Vec<_> = stored.iter().filter(|e| criteria.matches(e)).cloned().collect();
        expected.sort_by_key(|e| std::cmp::Reverse(e.cursor()));
        counts::compare(&bed, &expected, &criteria).await;
    }
}

/// Same rows, same order, same count; through pages in both directions too.
pub async fn compare(bed: &Bed, stored: &[Arc<RenewalEvent>], criteria: &Criteria) -> usize {
    let mut expected: Vec<_> = stored.iter().filter(|e| criteria.matches(e)).cloned().collect();
    expected.sort_by_key(|e| std::cmp::Reverse(e.cursor()));
    let got = bed.all(criteria).await;
    assert_eq!(got.len(), expected.len(), "{criteria:#?}\nonly here: {:#?}", odd(&got, &expected));
    assert_eq!(got, expected, "{criteria:#?}");
    assert_eq!(bed.count(criteria, None).await, Total::Exact(expected.len() as u64), "{criteria:#?}");
    if let Some(middle) = expected.get(expected.len() / 2) {
        let newer = bed.page(criteria, Anchor::Newer(middle.cursor()), 5).await;
        let older = bed.page(criteria, Anchor::Older(middle.cursor()), 5).await;
        let ids = |rows: &[Arc<RenewalEvent>]| rows.iter().map(|e| e.id.clone()).collect::<Vec<_>>();
        let half = expected.len() / 2;
        assert_eq!(ids(&newer.rows), ids(&expected[half.saturating_sub(5)..half]), "{criteria:#?}");
        assert_eq!(ids(&older.rows), ids(&expected[half + 1..expected.len().min(half + 6)]), "{criteria:#?}");
    }
    expected.len()
}

fn odd(a: &[Arc<RenewalEvent>], b: &[Arc<RenewalEvent>]) -> Vec<Arc<RenewalEvent>> {
    a.iter().filter(|e| !b.contains(e)).chain(b.iter().filter(|e| !a.contains(e))).take(3).cloned().collect()
}

async fn a_table_of_filters(bed: Bed) {
    let org = |name: &str| Party { id: None, name: Some(name.into()) };
    bed.fill(&[
        NewEvent {
            reason: Some("expired".into()),
            error: Some("X509: 100% broken [a]\\ É".into()),
            old_expiry: Some(at(0)),
            new_expiry: Some(at(3600)),
            ..event("edge-01", "renewal_failed", at(0))
        },
        NewEvent { old_expiry: Some(at(60)), ..event("edge-02", "renewal_start", at(1)) },
        NewEvent { org: org("lab"), error: Some(String::new()), ..event("EDGE-01", "failed", at(2)) },
        NewEvent { org: org("lab"), reason: Some("Expired".into()), ..event("edge_01", "recovery_failed", at(3)) },
    ])
    .await;
    let stored = bed.all(&Criteria::default()).await;
    let is = |x: &str| vec![Pattern::Is(x.into())];
    let has = |x: &str| vec![Pattern::Contains(x.into())];
    let named = |p: Pattern| vec![NameMatch::Name(p)];
    for (check, expected) in [
        (Check::Kind(vec![KindMatch::Ending("failed".into())]), 3),
        (Check::Kind(vec![KindMatch::Beginning("renewal".into())]), 2),
        (Check::Kind(vec![KindMatch::Name(Pattern::Is("nothing".into()))]), 0),
        (Check::Org(named(Pattern::Is("lab".into()))), 2),
        (Check::Org(named(Pattern::Is("LAB".into()))), 0),
        (Check::Device(named(Pattern::StartsWith("edge".into()))), 3),
        (Check::Device(named(Pattern::Is("edge_01".into()))), 1),
        (Check::Device(named(Pattern::EndsWith("_01".into()))), 1),
        (Check::Reason(is("expired")), 1),
        (Check::Reason(has("xpired")), 2),
        (Check::Error(has("x509: 100%")), 1),
        (Check::Error(has("[a]\\")), 1),
        (Check::Error(has("é")), 0),
        (Check::Error(is("")), 1),
        (Check::Error(has("")), 2),
        (Check::Text("EXPIRED".into()), 2),
        (Check::Expires(vec![ExpiryMatch::None]), 2),
        (Check::Expires(vec![ExpiryMatch::Within { from: Some(at(60)), until: None }]), 2),
        (Check::Extends(vec![SpanMatch::Equal(Span::hours(1))]), 1),
        (Check::Time { from: Some(at(1)), until: Some(at(3)) }, 2),
        (Check::Time { from: None, until: None }, 4),
    ] {
        assert_eq!(compare(&bed, &stored, &all_of([check.clone()])).await, expected, "{check:?}");
        assert_eq!(compare(&bed, &stored, &none_of([check.clone()])).await, 4 - expected, "not {check:?}");
    }
}

/// The types of other systems are failures too, in the list, which resolves types by name, and in the tail's statement,
/// which tests the name itself.
async fn failures_of_every_spelling(bed: Bed) {
    const FAILED: [&str; 11] = [
        "renewal_failed",
        "RENEWAL_FAILED",
        "RenewalFailed",
        "renewal.failed",
        "renewal-failed",
        "renewal:failed",
        "renew failed",
        "Failed",
        "OrderFailed",
        "\u{e9}_failed",
        "renewal_failed ",
    ];
    const OTHER: [&str; 5] = ["unfailed", "Unfailed", "\u{e9}failed", "2failed", "failed_"];
    let rows = FAILED.iter().chain(&OTHER).zip(0..).map(|(kind, n)| event("edge-01", kind, at(n)));
    bed.fill(&rows.collect::<Vec<_>>()).await;
    let stored = bed.all(&Criteria::default()).await;
    let failed = Check::Kind(vec![KindMatch::Ending("failed".into())]);
    assert_eq!(compare(&bed, &stored, &all_of([failed.clone()])).await, FAILED.len());
    assert_eq!(compare(&bed, &stored, &none_of([failed])).await, OTHER.len());
    let renewal = Check::Kind(vec![KindMatch::Beginning("renewal".into())]);
    assert_eq!(compare(&bed, &stored, &all_of([renewal])).await, 7);
}
