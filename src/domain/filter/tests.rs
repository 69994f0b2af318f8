//! Tests of the filter language: parsing, printing, editing, matching.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::criteria::{Check, Clause, ExpiryMatch, KindMatch, NameMatch, Pattern, SigMatch, SpanMatch};
use super::standing::{Amount, Left, STATES};
use super::*;
use crate::domain::event::{ErrorText, Id, Kind, RenewalEvent};
use crate::domain::instant::Instant;
use crate::domain::signature::Signature;
use crate::domain::text::Text;
use crate::domain::zone::Zone;
use proptest::prelude::*;
use uuid::Uuid;

fn now() -> Instant {
    Instant::parse_rfc3339("2026-11-21T14:00:00Z").unwrap()
}

fn read(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The clauses of a filter, resolved in Berlin.
fn clauses(text: &str) -> Vec<Clause> {
    read(text).criteria(now(), &Zone::parse("Europe/Berlin").unwrap()).all
}

/// Checks a filter of one positive term, and its negation.
fn check(text: &str, expected: Check) {
    assert_eq!(clauses(text), [Clause { negated: false, check: expected.clone() }], "{text}");
    assert_eq!(clauses(&format!("-{text}")), [Clause { negated: true, check: expected }], "-{text}");
}

fn is(text: &str) -> Pattern {
    Pattern::Is(text.into())
}

#[test]
fn texts_become_checks() {
    check("type:failed", Check::Kind(vec![KindMatch::Ending("failed".into())]));
    check(
        "TYPE:success,start",
        Check::Kind(vec![KindMatch::Ending("success".into()), KindMatch::Ending("start".into())]),
    );
    check("type:renewal", Check::Kind(vec![KindMatch::Beginning("renewal".into())]));
    check("type:FAILED", Check::Kind(vec![KindMatch::Name(is("FAILED"))]));
    check("type:*failed", Check::Kind(vec![KindMatch::Name(Pattern::EndsWith("failed".into()))]));
    check("reason:expired", Check::Reason(vec![is("expired")]));
    check("reason:*", Check::Reason(vec![Pattern::StartsWith(String::new())]));
    check("reason:\"a*,\\\"\\\\b\\c\"", Check::Reason(vec![is("a*,\"\\b\\c")]));
    check("reason:\\n", Check::Reason(vec![is("\\n")]));
    check("error:x", Check::Error(vec![Pattern::Contains("x".into())]));
    check("error:x*", Check::Error(vec![Pattern::StartsWith("x".into())]));
    check("error:*x", Check::Error(vec![Pattern::EndsWith("x".into())]));
    check("error:*\"x y\"*", Check::Error(vec![Pattern::Contains("x y".into())]));
    let id = |text: &str| SigMatch::Is(text.parse().unwrap());
    check("sig:1F3a9c0B2e,d11aa8c0f0", Check::Sig(vec![id("1f3a9c0b2e"), id("d11aa8c0f0")]));
    check("sig:*", Check::Sig(vec![SigMatch::Any]));
    check("timeout,", Check::Text("timeout,".into()));
    check("timeout*", Check::Text("timeout".into()));
    check("\"type:failed\"", Check::Text("type:failed".into()));
    check("\"-x\"", Check::Text("-x".into()));
}

#[test]
fn names_become_checks() {
    let uuid = |text: &str| Uuid::parse_str(text).unwrap();
    let name = |pattern| NameMatch::Name(pattern);
    let range = |first: &str, last: &str, name: &str| NameMatch::UuidPrefix {
        first: uuid(first),
        last: uuid(last),
        name: name.into(),
    };
    let whole = "0f3a9c1e-1111-4222-8333-444455556666";
    check(&format!("device:{whole}"), Check::Device(vec![NameMatch::Uuid(uuid(whole))]));
    check("id:0F3A9C1E111142228333444455556666", Check::Id(vec![NameMatch::Uuid(uuid(whole))]));
    let eight = || range("0f3a9c1e-0000-0000-0000-000000000000", "0f3a9c1e-ffff-ffff-ffff-ffffffffffff", "0f3a9c1e");
    check("org:0f3a9c1e", Check::Org(vec![eight()]));
    check("org:0f3a9c1e*", Check::Org(vec![eight(), name(Pattern::StartsWith("0f3a9c1e".into()))]));
    check(
        "org:0f3a9c1e-11",
        Check::Org(vec![range(
            "0f3a9c1e-1100-0000-0000-000000000000",
            "0f3a9c1e-11ff-ffff-ffff-ffffffffffff",
            "0f3a9c1e-11",
        )]),
    );
    for text in
        ["0f3a9c1", "0f3a-9c1e1", "0f3a9c1g", "edge-01", "0f3a9c1e--1", "c860jhsr1uj96sugum9csciop392mbnmsjrslpv"]
    {
        check(&format!("device:{text}"), Check::Device(vec![name(is(text))]));
    }
    check("org:*a", Check::Org(vec![name(Pattern::EndsWith("a".into()))]));
}

#[test]
fn times_become_checks() {
    let at = |text: &str| Some(Instant::parse_rfc3339(text).unwrap());
    let seven = at("2026-11-28T14:00:00Z");
    let after_seven = at("2026-11-28T14:00:00.000001Z");
    check("since:2026-11-20", Check::Time { from: at("2026-11-19T23:00:00Z"), until: None });
    check("until:2026-11-20", Check::Time { from: None, until: at("2026-11-19T23:00:00Z") });
    check(
        "time:2026-11-20 14:00..2026-11-20 15:30:10",
        Check::Time { from: at("2026-11-20T13:00:00Z"), until: at("2026-11-20T14:30:10Z") },
    );
    for (text, from, until) in [
        ("<7d", Some(now()), seven),
        ("<=7d", Some(now()), after_seven),
        (">7d", after_seven, None),
        (">=7d", seven, None),
        ("past", None, Some(now())),
        ("now..2026-11-28T14:00Z", Some(now()), seven),
    ] {
        check(&format!("expires:{text}"), Check::Expires(vec![ExpiryMatch::Within { from, until }]));
    }
    check("expires:none", Check::Expires(vec![ExpiryMatch::None]));
    check(
        "extends:<=0,<-1d,>=30d",
        Check::Extends(vec![
            SpanMatch::AtMost(Span(0)),
            SpanMatch::Less(Span::days(-1)),
            SpanMatch::AtLeast(Span::days(30)),
        ]),
    );
}

#[test]
fn a_lone_star_finds_every_id_and_every_name() {
    let row = |org_id: Option<Id>, org: Option<&str>| RenewalEvent {
        id: Uuid::nil().into(),
        device_id: Uuid::nil().into(),
        org_id,
        kind: Kind::new("renewal_failed"),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: Some(ErrorText::whole("x")),
        created_at: now(),
        device: None,
        org: org.map(Text::from),
        beyond: None,
    };
    let any = read("org:*").criteria(now(), &Zone::Utc);
    let none = read("-org:*").criteria(now(), &Zone::Utc);
    for (event, there) in [
        (row(Some(Uuid::max().into()), None), true),
        (row(Some(Id::Text("a".into())), None), true),
        (row(None, Some("acme")), true),
        (row(None, None), false),
    ] {
        assert_eq!((any.matches(&event), none.matches(&event)), (there, !there), "{event:?}");
    }
}

#[test]
fn prints() {
    for (text, printed) in [
        ("", ""),
        ("  TYPE:failed   Timeout ", "type:failed Timeout"),
        ("extends:<=0s", "extends:<=0"),
        ("extends:<+0,>=-0d", "extends:<0,>=0d"),
        ("-SIG:\"1F3A9C0B2E\",*", "-sig:1f3a9c0b2e,*"),
        ("expires:EXPIRED", "expires:past"),
        ("since:2026-11-20 14:00 x", "since:2026-11-20T14:00 x"),
        ("since:\"2026-11-20 14:00\"", "since:2026-11-20T14:00"),
        ("org:\"plain\",\"two words\"", "org:plain,\"two words\""),
        ("org:**", "org:*"),
        ("\"a=b\" \"AND\" \"word\"", "\"a=b\" \"AND\" word"),
        ("error:a\u{a0}b", "error:a b"),
    ] {
        assert_eq!(read(text).to_string(), printed);
    }
}

#[test]
fn edits() {
    fn edit(before: &str, change: impl Fn(&mut Filter), after: &str) {
        let mut filter = read(before);
        change(&mut filter);
        assert_eq!(filter.to_string(), after, "from '{before}'");
    }
    let include = |value: &'static str| move |f: &mut Filter| f.toggle(Field::Org, Some(value), true);
    let exclude = |value: &'static str| move |f: &mut Filter| f.toggle(Field::Org, Some(value), false);
    edit("", include("acme"), "org:acme");
    edit("x org:acme y", include("b, c"), "x org:acme,\"b, c\" y");
    edit("org:acme,globex", include("acme"), "org:globex");
    edit("org:acme", include("acme"), "");
    edit("-org:acme", include("acme"), "org:acme");
    edit("org:ac* -org:acme", include("acme"), "org:ac*");
    edit("org:a* org:b*", include("abc"), "org:a* org:b*,abc");
    edit("", exclude("acme"), "-org:acme");
    edit("-org:x", exclude("acme"), "-org:x,acme");
    edit("org:acme", exclude("acme"), "-org:acme");
    edit("-org:ac*,x", exclude("acme"), "-org:x");
    edit("type:failed", |f| f.toggle(Field::Type, Some("renewal_failed"), true), "");
    edit("reason:a", |f| f.toggle(Field::Reason, None, true), "-reason:*");
    edit("-reason:*", |f| f.toggle(Field::Reason, Some(""), true), "");
    edit("-reason:*", |f| f.toggle(Field::Reason, None, false), "reason:*");
    let sig = |value: Option<&'static str>, include| move |f: &mut Filter| f.toggle(Field::Sig, value, include);
    edit("", sig(Some("1F3A9C0B2E"), true), "sig:1f3a9c0b2e");
    edit("sig:1f3a9c0b2e", sig(Some("d11aa8c0f0"), true), "sig:1f3a9c0b2e,d11aa8c0f0");
    edit("sig:1f3a9c0b2e", sig(Some("1f3a9c0b2e"), false), "-sig:1f3a9c0b2e");
    edit("x sig:1f3a9c0b2e", sig(Some("1f3a9c0b2e"), true), "x");
    edit("sig:1f3a9c0b2e", sig(None, true), "-sig:*");
    edit("x", sig(Some("no id"), false), "x");
    edit("org:a x -org:b", |f| f.only(Field::Org, Some("c")), "x org:c");
    edit("org:a since:1h -since:2h", |f| f.without(Key::Since), "org:a");
    let set = |text: &'static str| move |f: &mut Filter| f.set_time(Range::parse(text).unwrap());
    edit("a since:1h b until:5m -time:3h..2h", set("2d.."), "a since:2d b -time:3h..2h");
    edit("a", set("2d..1d"), "a time:2d..1d");
    edit("a time:1h..5m", |f| f.set_time(Range::default()), "a");
    edit("a", |f| f.toggle_failures(), "a type:failed");
    edit("a type:failed", |f| f.toggle_failures(), "a");
    edit("type:success", |f| f.toggle_failures(), "type:failed");
    edit("type:renewal -type:failed,x", |f| f.toggle_failures(), "type:renewal -type:x type:failed");
    edit("a b c", |f| f.drop_chip(1), "a c");
    edit("a b c", |f| f.drop_chip(3), "a b c");
}

#[test]
fn reports_the_state_of_values() {
    for (text, value, state) in [
        ("org:acme", Some("acme"), State::Included),
        ("org:acme", Some("globex"), State::Neutral),
        ("-org:ac*", Some("acme"), State::Excluded),
        ("org:acme org:globex", Some("acme"), State::Neutral),
        ("org:0f3a9c1e", Some("0f3a9c1e-1111-4222-8333-444455556666"), State::Included),
        ("-org:*", None, State::Included),
        ("org:*", None, State::Excluded),
        ("org:acme", None, State::Neutral),
        ("", None, State::Neutral),
    ] {
        assert_eq!(read(text).state_of(Field::Org, value), state, "{text} {value:?}");
    }
    let filter = read("since:1h x since:2h until:5m");
    assert_eq!(filter.range(), Range::parse("2h..5m").unwrap());
    assert_eq!(
        filter.bounds(now(), &Zone::Utc),
        Bounds { from: Some(now().minus(Span::hours(1))), until: Some(now().minus(Span::minutes(5))) }
    );
    assert_eq!(read("-until:1h").bounds(now(), &Zone::Utc).from, Some(now().minus(Span::hours(1))));
    let chips: Vec<String> = filter.chips().into_iter().map(|c| c.text).collect();
    assert_eq!(chips, ["since:1h", "x", "since:2h", "until:5m"]);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[-a-zA-Z0-9_*,:.=<>\"\\\\ “\u{a0}\u{e9}\u{1F600}]{1,12}",
        1 => "(OR|AND|NOT|-|--x|type:failed|failed|renewal|[0-9a-f]{8,32})",
        1 => any::<String>().prop_filter("not empty", |s| !s.is_empty()),
    ]
}

fn any_when() -> impl Strategy<Value = When> {
    prop_oneof![
        Just(When::Now),
        Just(When::Today),
        Just(When::Yesterday),
        any_length().prop_map(When::Ago),
        "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?)?"
            .prop_map(|text| When::parse(&text).unwrap()),
        any::<i64>().prop_map(|n| When::At(Instant::from_unix_micros(n))),
    ]
}

fn any_length() -> impl Strategy<Value = Length> {
    (any::<u32>(), "[smhdw]").prop_map(|(n, unit)| Length::parse(&format!("{n}{unit}")).unwrap())
}

fn any_range() -> impl Strategy<Value = Range> {
    (proptest::option::of(any_when()), proptest::option::of(any_when()))
        .prop_map(|(from, until)| Range { from, until })
        .prop_filter("a range that is read", |range| Range::parse(&range.to_string()).is_ok())
}

fn any_order() -> impl Strategy<Value = Order> {
    proptest::sample::select(Order::ALL.to_vec())
}

fn any_expiry() -> impl Strategy<Value = Expiry> {
    let looks_back = |when: Option<When>| matches!(when, Some(When::Ago(_)));
    prop_oneof![
        (any_order(), any_length()).prop_map(|(order, length)| Expiry::Ahead(order, length)),
        Just(Expiry::Past),
        Just(Expiry::None),
        any_range()
            .prop_filter("dates", move |r| !looks_back(r.from) && !looks_back(r.until))
            .prop_map(Expiry::Between),
    ]
}

fn standing() -> impl Strategy<Value = Standing> {
    let amount = prop_oneof![(0..=100_u8).prop_map(Amount::Share), any_length().prop_map(Amount::Time)];
    let left = (any_order(), amount).prop_map(|(order, amount)| Left { order, amount });
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(STATES.to_vec()), 1..3).prop_map(Standing::State),
        proptest::collection::vec(left, 1..3).prop_map(Standing::Left),
    ]
}

fn any_field() -> impl Strategy<Value = Field> {
    proptest::sample::select(Key::ALL.into_iter().filter_map(Key::field).collect::<Vec<_>>())
}

/// A value of `sig` for any other: the ids of the same text are the same.
fn sig_glob(glob: &Glob) -> Glob {
    if glob.is_any() { Glob::any() } else { Glob::literal(&sig_of(&glob.text)).unwrap() }
}

fn sig_of(text: &str) -> String {
    Signature::of(text).id.to_string()
}

fn any_test() -> impl Strategy<Value = Test> {
    let glob = (any::<bool>(), proptest::option::weighted(0.9, any_text()), any::<bool>())
        .prop_map(|(start, text, end)| Glob::new(start, text.unwrap_or_default(), end).unwrap_or_else(Glob::any));
    let extent = (any_order(), any::<bool>(), any_length()).prop_map(|(order, negative, length)| Extent {
        order,
        negative: negative && length.count != 0,
        length,
    });
    prop_oneof![
        4 => (any_field(), proptest::collection::vec(glob, 1..4)).prop_map(|(field, any)| {
            let any = any.into_iter().map(|glob| if field == Field::Sig { sig_glob(&glob) } else { glob }).collect();
            Test::Values { field, any }
        }),
        2 => any_text().prop_map(Test::Text),
        1 => any_when().prop_map(Test::Since),
        1 => any_when().prop_map(Test::Until),
        1 => any_range().prop_map(Test::Time),
        1 => proptest::collection::vec(any_expiry(), 1..3).prop_map(Test::Expires),
        1 => proptest::collection::vec(extent, 1..3).prop_map(Test::Extends),
        1 => standing().prop_map(Test::Standing),
    ]
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let term = (any::<bool>(), any_test()).prop_map(|(negated, test)| Term { negated, test });
    proptest::collection::vec(term, 0..5).prop_map(|terms| Filter { terms })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_printed_reads_back(filter in any_filter()) {
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn absolute_filters_print_and_mean_the_same(filter in any_filter(), berlin in any::<bool>(), later in any::<i64>()) {
        let zone = if berlin { Zone::parse("Europe/Berlin").unwrap() } else { Zone::Utc };
        let absolute = filter.absolute(now(), &zone);
        let reread = Filter::parse(&absolute.to_string());
        prop_assert_eq!(reread.as_ref(), Ok(&absolute));
        let elsewhere = absolute.criteria(Instant::from_unix_micros(later), &Zone::Utc);
        let mut here = filter.criteria(now(), &zone);
        for clause in &mut here.all {
            if let Check::NotAhead(end) = clause.check {
                clause.check = Check::Time { from: None, until: Some(end) };
            }
        }
        prop_assert_eq!(elsewhere, here);
    }

    #[test]
    fn any_text_is_an_error_or_reads_back(text in prop_oneof![
        any::<String>(),
        "(-?(type|org|error|sig|since|time|expires|extends|foo)?:?[-a-z0-9*,.:<=>\"\\\\“\u{e9} ]{0,8} ?){1,4}",
    ]) {
        match Filter::parse(&text) {
            Ok(filter) => {
                prop_assert_eq!(filter.is_empty(), text.trim().is_empty());
                prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            }
            Err(e) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&e.column), "{}", e);
                prop_assert!(!e.to_string().chars().any(crate::domain::text::is_unsafe), "{}", e);
            }
        }
    }

    #[test]
    fn a_toggle_does_what_it_says(
        filter in any_filter(), field in any_field(), value in proptest::option::of(any_text()), include in any::<bool>(),
    ) {
        let value = value.map(|v| if field == Field::Sig && !v.is_empty() { sig_of(&v) } else { v });
        let value = value.as_deref();
        let wanted = if include { State::Included } else { State::Excluded };
        let was = filter.state_of(field, value);
        let mut after = filter.clone();
        after.toggle(field, value, include);
        prop_assert_eq!(after.state_of(field, value) == wanted, was != wanted, "{} became {}", filter, after);
        prop_assert_eq!(Filter::parse(&after.to_string()), Ok(after.clone()));
        let others = |f: &Filter| f.terms.iter().filter(|t| t.key() != Some(field.into())).cloned().collect::<Vec<_>>();
        prop_assert_eq!(others(&after), others(&filter));
        after.only(field, value);
        prop_assert_eq!(after.state_of(field, value), State::Included);
    }
}

#[test]
fn a_picture_of_a_control_character_in_an_error_is_toggled_like_any_text() {
    for value in ["\u{2401}", "a\u{240a}b", "a\nb"] {
        let mut filter = Filter::default();
        filter.toggle(Field::Error, Some(value), false);
        assert_eq!(filter.state_of(Field::Error, Some(value)), State::Excluded, "{value:?}");
        filter.toggle(Field::Error, Some(value), false);
        assert!(filter.is_empty(), "{value:?}");
    }
}

#[test]
fn lengths_of_an_expiry_lie_ahead() {
    for (text, printed) in [("expires:<+7d", "expires:<7d"), ("expires:>= +30d", "expires:>=30d")] {
        let text = text.replace(">= ", ">=");
        assert_eq!(Filter::parse(&text).unwrap().to_string(), printed);
    }
    for (text, message) in [
        ("expires:+90d", "'+90d' lacks a comparison at column 9; write '<90d' or '>90d'"),
        ("expires:7d..+30d", "'7d..+30d' is a range of lengths at column 9; write 'expires:>=7d expires:<30d'"),
        (
            "expires:<2026-12-01",
            "'<2026-12-01' compares with a time at column 9; write '..2026-12-01' for earlier and '2026-12-01..' for later",
        ),
    ] {
        assert_eq!(Filter::parse(text).unwrap_err().to_string(), format!("filter: {message}"));
    }
}
