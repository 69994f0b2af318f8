//! The conformance suite: what holds on one database must hold on the other.

use std::time::Duration;

use renewscope::domain::event::{DEFAULT_ORG, Id, NewEvent, Party, device_id_of, org_id_of};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, ExpiryMatch, KindMatch, NameMatch, Pattern};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Total};
use renewscope::protocol::query::{FacetQuery, Facets, Field, HistogramQuery};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::RowOutcome;
use uuid::Uuid;

use super::bed::{Bed, all_of, at, event, named, page};
use crate::on_both;

on_both!(
    create_get_delete,
    duplicates_are_stored_once,
    parties_are_settled,
    bad_rows_are_refused_alone,
    keyset_walk_equals_full_sort,
    anchors,
    counts_with_ceiling,
    facets_list_and_search,
    histogram_by_bucket_and_outcome,
    hostile_text_comes_back,
    expiry_extremes,
    cancel_stops_the_database,
    a_dropped_query_frees_its_connection,
    describe,
    changes_are_noticed,
);

async fn create_get_delete(bed: Bed) {
    let new = NewEvent {
        id: Some(Uuid::from_u128(7)),
        reason: Some("proactive".into()),
        old_expiry: Some(at(86_400)),
        new_expiry: Some(at(365 * 86_400)),
        error: Some("x".repeat(1000)),
        ..event("edge-1", "renewal_failed", at(0))
    };
    assert_eq!(bed.store.create(&new).await.unwrap(), (Uuid::from_u128(7), RowOutcome::Stored));
    let (id, org) = (Id::Uuid(Uuid::from_u128(7)), Id::Uuid(org_id_of("acme")));
    let got = bed.store.get(None, &id).await.unwrap().unwrap();
    assert_eq!(got.device.as_ref().unwrap().raw(), "edge-1");
    assert_eq!(got.org.as_ref().unwrap().raw(), "acme");
    assert_eq!(got.device_id, Id::Uuid(device_id_of(org_id_of("acme"), "edge-1")));
    assert_eq!((got.kind.raw(), got.created_at), ("renewal_failed", at(0)));
    assert_eq!((got.old_expiry, got.new_expiry), (new.old_expiry, new.new_expiry));
    assert_eq!(got.error.as_ref().unwrap().text.raw(), new.error.as_deref().unwrap());
    let listed = bed.page(&Criteria::default(), Anchor::Newest, 10).await.rows;
    let error = listed[0].error.clone().unwrap();
    assert_eq!((error.text.raw().len(), error.bytes, error.is_whole()), (400, 1000, false));

    assert!(bed.store.get(Some(&org), &id).await.unwrap().is_some());
    assert!(bed.store.get(Some(&Id::Uuid(Uuid::nil())), &id).await.unwrap().is_none());
    assert!(bed.store.get(None, &Id::Text("7".into())).await.unwrap().is_none());
    assert!(!bed.store.delete(Some(&Id::Uuid(Uuid::nil())), &id).await.unwrap());
    assert!(bed.store.delete(Some(&org), &id).await.unwrap());
    assert!(!bed.store.delete(None, &id).await.unwrap());
    assert!(bed.store.get(None, &id).await.unwrap().is_none());
}

async fn duplicates_are_stored_once(bed: Bed) {
    let one = event("edge-1", "renewal_start", at(0));
    let with_id = NewEvent { id: Some(Uuid::from_u128(9)), ..event("edge-2", "renewal_start", at(1)) };
    let same_id = NewEvent { kind: "renewal_failed".into(), ..with_id.clone() };
    let batch = [one.clone(), one.clone(), with_id, same_id];
    use RowOutcome::{Duplicate, Stored};
    assert_eq!(bed.store.create_many(&batch).await.unwrap(), [Stored, Duplicate, Stored, Duplicate]);
    assert_eq!(bed.store.create_many(&batch).await.unwrap(), vec![Duplicate; 4]);
    assert_eq!(bed.store.create_many(&[]).await.unwrap(), []);
    // Another field, another event.
    let others = [
        NewEvent { reason: Some(String::new()), ..one.clone() },
        NewEvent { error: Some(String::new()), ..one.clone() },
        NewEvent { created_at: at(0).plus(Span(1)), ..one.clone() },
    ];
    assert_eq!(bed.store.create_many(&others).await.unwrap(), vec![Stored; 3]);
    assert_eq!(bed.count(&Criteria::default(), None).await, Total::Exact(5));
}

async fn parties_are_settled(bed: Bed) {
    let id = Uuid::from_u128(0xabc);
    let by_id = |name: Option<&str>| Party { id: Some(id), name: name.map(str::to_owned) };
    let org = |n: u128, name: Option<&str>| Party { id: Some(Uuid::from_u128(n)), name: name.map(str::to_owned) };
    bed.fill(&[NewEvent { device: by_id(None), org: org(5, None), ..event("", "a", at(0)) }]).await;
    let row = bed.all(&Criteria::default()).await.remove(0);
    assert_eq!((row.device.clone(), row.org.clone()), (None, None));
    // A name that arrives later is filled in; an existing name stays.
    bed.fill(&[NewEvent { device: by_id(Some("kiosk")), org: org(5, Some("hall")), ..event("", "b", at(1)) }]).await;
    bed.fill(&[NewEvent { device: by_id(Some("other")), org: org(5, Some("x")), ..event("", "c", at(2)) }]).await;
    for row in bed.all(&Criteria::default()).await {
        assert_eq!((row.device.as_ref().unwrap().raw(), row.org.as_ref().unwrap().raw()), ("kiosk", "hall"));
    }
    // A name alone leads to the one that the directory has by that name.
    bed.fill(&[NewEvent { device: named("kiosk"), org: named("hall"), ..event("", "d", at(3)) }]).await;
    assert_eq!(bed.all(&Criteria::default()).await[0].device_id, Id::Uuid(id));
    // No organization: the default one.
    bed.fill(&[NewEvent { device: named("kiosk"), org: Party::default(), ..event("", "e", at(4)) }]).await;
    let row = bed.all(&Criteria::default()).await.remove(0);
    assert_eq!(row.org_id, Some(Id::Uuid(DEFAULT_ORG)));
    assert_eq!(row.org.as_ref().unwrap().raw(), "default");
    assert_eq!(row.device_id, Id::Uuid(device_id_of(DEFAULT_ORG, "kiosk")));
}

async fn bad_rows_are_refused_alone(bed: Bed) {
    let late = Instant::parse_rfc3339("+294270-01-01T00:00:00Z").unwrap();
    let beyond = Instant::from_pg_micros(i64::MAX - 1);
    let mut events: Vec<_> = (0..40).map(|n| event("edge-1", "renewal_start", at(n))).collect();
    events[3].device = Party::default();
    events[17].new_expiry = Some(beyond);
    events[29].old_expiry = Some(late);
    let outcomes = bed.store.create_many(&events).await.unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        let refused = n == 3 || n == 17 || (n == 29 && !bed.is_postgres());
        assert_eq!(matches!(outcome, RowOutcome::Refused(_)), refused, "{n}: {outcome:?}");
        assert_eq!(*outcome == RowOutcome::Stored, !refused, "{n}: {outcome:?}");
    }
    let stored = if bed.is_postgres() { 38 } else { 37 };
    assert_eq!(bed.count(&Criteria::default(), None).await, Total::Exact(stored));
}

/// Many rows, most of them at one instant, over several types, organizations and devices.
fn heavy_ties() -> Vec<NewEvent> {
    let kinds = ["renewal_start", "renewal_success", "renewal_failed", "recovery_failed"];
    (0..700_u128)
        .map(|n| NewEvent {
            id: Some(Uuid::from_u128(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))),
            org: named(["acme", "globex", "lab"][(n % 3) as usize]),
            ..event(
                &format!("edge-{:02}", n % 23),
                kinds[(n % 7 % 4) as usize],
                at(if n < 500 { 0 } else { (n % 40) as i64 - 20 }),
            )
        })
        .collect()
}

async fn keyset_walk_equals_full_sort(bed: Bed) {
    bed.fill(&heavy_ties()).await;
    let filters = [
        Criteria::default(),
        all_of([Check::Kind(vec![KindMatch::Ending("failed".into())])]),
        all_of([
            Check::Kind(vec![KindMatch::Ending("failed".into())]),
            Check::Org(vec![NameMatch::Name(Pattern::Is("acme".into())), NameMatch::Name(Pattern::Is("lab".into()))]),
        ]),
        all_of([Check::Device(vec![NameMatch::Name(Pattern::StartsWith("edge-1".into()))])]),
    ];
    for criteria in filters {
        let mut sorted = bed.all(&Criteria::default()).await;
        sorted.retain(|e| criteria.matches(e));
        sorted.sort_by_key(|e| std::cmp::Reverse(e.cursor()));
        let sorted: Vec<_> = sorted.iter().map(|e| e.cursor()).collect();
        for forward in [true, false] {
            let mut walked = Vec::new();
            let mut anchor = if forward { Anchor::Newest } else { Anchor::Oldest };
            loop {
                let page = bed.page(&criteria, anchor, 33).await;
                let mut cursors: Vec<_> = page.rows.iter().map(|e| e.cursor()).collect();
                assert!(cursors.is_sorted_by(|a, b| a > b), "pages are newest first");
                if !forward {
                    cursors.reverse();
                }
                walked.extend(cursors);
                let Some(last) = walked.last().cloned() else { break };
                if !(if forward { page.more_older } else { page.more_newer }) {
                    break;
                }
                anchor = if forward { Anchor::Older(last) } else { Anchor::Newer(last) };
            }
            if !forward {
                walked.reverse();
            }
            assert_eq!(walked, sorted, "{criteria:?}, forward: {forward}");
        }
    }
}

async fn anchors(bed: Bed) {
    let events: Vec<_> = (0..10).map(|n| event("edge-1", "renewal_start", at(n * 10))).collect();
    bed.fill(&events).await;
    let times = |page: renewscope::domain::page::Page| page.rows.iter().map(|e| e.created_at).collect::<Vec<_>>();
    let none = Criteria::default();
    let newest = bed.page(&none, Anchor::Newest, 3).await;
    assert_eq!((newest.more_newer, newest.more_older), (false, true));
    assert_eq!(times(newest), [at(90), at(80), at(70)]);
    let oldest = bed.page(&none, Anchor::Oldest, 3).await;
    assert_eq!((oldest.more_newer, oldest.more_older), (true, false));
    assert_eq!(times(oldest), [at(20), at(10), at(0)]);
    assert_eq!(times(bed.page(&none, Anchor::At(at(50)), 2).await), [at(50), at(40)]);
    assert_eq!(times(bed.page(&none, Anchor::At(at(55)), 2).await), [at(50), at(40)]);
    assert_eq!(times(bed.page(&none, Anchor::At(at(-1)), 2).await), []);
    assert_eq!(times(bed.page(&none, Anchor::At(Instant::INFINITY), 1).await), [at(90)]);
    let whole = bed.page(&none, Anchor::Newest, 10).await;
    assert!(!whole.more_newer && !whole.more_older);
    assert!(bed.page(&none, Anchor::Newest, 0).await.rows.is_empty());
}

async fn counts_with_ceiling(bed: Bed) {
    bed.fill(&heavy_ties()).await;
    let none = Criteria::default();
    assert_eq!(bed.count(&none, None).await, Total::Exact(700));
    assert_eq!(bed.count(&none, Some(700)).await, Total::Exact(700));
    assert_eq!(bed.count(&none, Some(699)).await, Total::AtLeast(699));
    assert_eq!(bed.count(&none, Some(0)).await, Total::AtLeast(0));
    let unknown = all_of([Check::Kind(vec![KindMatch::Name(Pattern::Is("no_such".into()))])]);
    assert_eq!(bed.count(&unknown, Some(10)).await, Total::Exact(0));
    assert!(bed.page(&unknown, Anchor::Newest, 5).await.rows.is_empty());
}

async fn facets(
    bed: &Bed,
    field: Field,
    criteria: Criteria,
    needle: &str,
    ceiling: u64,
) -> (Vec<(String, Total)>, Facets) {
    let query = FacetQuery { field, criteria, needle: needle.into(), limit: 5, ceiling };
    let Answer::Facets(facets) = bed.store.run(&Query::Facets(query)).await.unwrap() else { panic!() };
    let label = |f: &renewscope::protocol::query::Facet| match (&f.name, &f.id) {
        (Some(name), _) => name.raw().to_owned(),
        (None, Some(id)) => id.raw(),
        (None, None) => "-".to_owned(),
    };
    (facets.values.iter().map(|f| (label(f), f.rows)).collect(), facets)
}

async fn facets_list_and_search(bed: Bed) {
    let mut events = Vec::new();
    for n in 0..20_i64 {
        let kind = if n % 4 == 0 { "renewal_failed" } else { "renewal_start" };
        let reason = (n % 2 == 0).then(|| "expired".to_owned());
        events.push(NewEvent { reason, ..event(&format!("edge-{n:02}"), kind, at(n)) });
    }
    events.push(NewEvent { org: named("globex"), ..event("Kiosk-1", "renewal_start", at(-100)) });
    bed.fill(&events).await;
    let none = Criteria::default;
    let exact =
        |list: &[(&str, u64)]| list.iter().map(|(k, n)| ((*k).to_owned(), Total::Exact(*n))).collect::<Vec<_>>();

    assert_eq!(
        facets(&bed, Field::Kind, none(), "", 1000).await.0,
        exact(&[("renewal_start", 16), ("renewal_failed", 5)])
    );
    assert_eq!(facets(&bed, Field::Org, none(), "", 1000).await.0, exact(&[("acme", 20), ("globex", 1)]));
    assert_eq!(facets(&bed, Field::Org, none(), "GLOB", 1000).await.0, exact(&[("globex", 1)]));
    assert_eq!(facets(&bed, Field::Reason, none(), "", 1000).await.0, exact(&[("-", 11), ("expired", 10)]));
    // At the ceiling, counts are lower bounds, and uncounted values are listed too.
    let (values, all) = facets(&bed, Field::Org, none(), "", 20).await;
    assert!(all.partial);
    assert_eq!(values, [("acme".to_owned(), Total::AtLeast(20)), ("globex".to_owned(), Total::AtLeast(0))]);

    let (values, all) = facets(&bed, Field::Device, none(), "", 1000).await;
    assert!(all.more && values.len() == 5 && !all.partial);
    assert_eq!(facets(&bed, Field::Device, none(), "kiosk", 1000).await.0, exact(&[("Kiosk-1", 1)]));
    // A ceiling of exactly the rows there are is not reached.
    for field in [Field::Org, Field::Kind, Field::Reason, Field::Device] {
        assert!(!facets(&bed, field, none(), "", 21).await.1.partial, "{field:?}");
        assert!(facets(&bed, field, none(), "", 20).await.1.partial, "{field:?}");
        let some = all_of([Check::Text("nowhere".into())]);
        assert!(!facets(&bed, field, some, "", 1).await.1.partial, "{field:?}");
    }
    // A device is found by name even if none of its rows match, and by the beginning of its id.
    let failed = all_of([Check::Kind(vec![KindMatch::Ending("failed".into())])]);
    assert_eq!(facets(&bed, Field::Device, failed, "kiosk", 1000).await.0, exact(&[("Kiosk-1", 0)]));
    let id = device_id_of(org_id_of("globex"), "Kiosk-1").to_string();
    assert_eq!(facets(&bed, Field::Device, none(), &id[..10], 1000).await.0, exact(&[("Kiosk-1", 1)]));
    assert_eq!(facets(&bed, Field::Device, none(), "100%", 1000).await.0, []);
}

async fn histogram_by_bucket_and_outcome(bed: Bed) {
    let mut events = vec![
        event("a", "renewal_failed", at(0)),
        event("a", "renewal_failed", at(0).plus(Span(59_999_999))),
        event("a", "recovery_success", at(60)),
        event("a", "renewal_start", at(179)),
        event("a", "scan", at(179)),
        event("a", "renewal_start", at(180)),
        event("a", "renewal_start", at(0).minus(Span(1))),
        event("a", "renewal_start", Instant::INFINITY),
        event("a", "renewal_start", Instant::NEG_INFINITY),
    ];
    events.push(NewEvent { org: named("globex"), ..event("b", "recovery_failed", at(61)) });
    bed.fill(&events).await;
    let buckets = async |criteria: Criteria| {
        let query = HistogramQuery { criteria, from: at(0), width_micros: 60_000_000, buckets: 3 };
        let Answer::Histogram(h) = bed.store.run(&Query::Histogram(query)).await.unwrap() else { panic!() };
        h.buckets
    };
    assert_eq!(buckets(Criteria::default()).await, [[2, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]]);
    let acme = all_of([Check::Org(vec![NameMatch::Name(Pattern::Is("acme".into()))])]);
    assert_eq!(buckets(acme).await, [[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]]);
    let failed = all_of([Check::Kind(vec![KindMatch::Ending("failed".into())])]);
    assert_eq!(buckets(failed).await, [[2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]);
    // Widths that are no whole seconds put each row where integer arithmetic puts it.
    let query = HistogramQuery { criteria: Criteria::default(), from: at(0), width_micros: 19_999_999, buckets: 4 };
    let Answer::Histogram(h) = bed.store.run(&Query::Histogram(query)).await.unwrap() else { panic!() };
    assert_eq!(h.buckets, [[1, 0, 0, 0], [0; 4], [0; 4], [2, 1, 0, 0]]);
}

async fn hostile_text_comes_back(bed: Bed) {
    let megabyte = "é\u{1b}[31m".repeat(150_000);
    for (n, text) in [
        "\u{1b}]0;title\u{7}\u{9b}2J",
        "\u{202e}exe.txt\u{2066}",
        "line\r\nline\tend",
        "' OR 1=1 -- \\' $1 ?1 %_",
        "",
        "🦀 \u{feff}",
        &megabyte,
    ]
    .iter()
    .enumerate()
    {
        let new = NewEvent {
            error: Some((*text).to_owned()),
            reason: Some(text.chars().take(50).collect()),
            ..event(
                &text.chars().take(100).collect::<String>(),
                &text.chars().take(20).collect::<String>(),
                at(n as i64),
            )
        };
        let (id, outcome) = bed.store.create(&new).await.unwrap();
        assert_eq!(outcome, RowOutcome::Stored);
        let got = bed.store.get(None, &Id::Uuid(id)).await.unwrap().unwrap();
        assert_eq!(got.error.as_ref().unwrap().text.raw(), *text);
        assert_eq!(got.reason.as_ref().unwrap().raw(), new.reason.as_deref().unwrap());
        assert_eq!(got.device.as_ref().unwrap().raw(), new.device.name.as_deref().unwrap());
        let listed = bed.page(&Criteria::default(), Anchor::Newest, 1).await.rows.remove(0);
        let head = listed.error.clone().unwrap();
        assert_eq!(head.text.raw(), text.chars().take(400).collect::<String>());
        assert_eq!(head.bytes, text.len() as u64);
        let whole = all_of([Check::Device(vec![NameMatch::Name(Pattern::Is(new.device.name.clone().unwrap()))])]);
        assert_eq!(bed.count(&whole, None).await, Total::Exact(1));
    }
    let new = NewEvent { error: Some("a\0b".into()), ..event("nul\0", "k\0", at(100)) };
    let (id, _) = bed.store.create(&new).await.unwrap();
    let got = bed.store.get(None, &Id::Uuid(id)).await.unwrap().unwrap();
    assert_eq!((got.error.unwrap().text.raw(), got.kind.raw(), got.device.unwrap().raw()), ("a␀b", "k␀", "nul␀"));
    assert_eq!(bed.count(&all_of([Check::Text("a\0b".into())]), None).await, Total::Exact(0));
}

async fn expiry_extremes(bed: Bed) {
    let times = [
        "infinity",
        "-infinity",
        "-4713-11-24T00:00:00Z",
        "+294246-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:59.999999Z",
    ];
    let mut events: Vec<_> = times
        .iter()
        .enumerate()
        .map(|(n, t)| NewEvent {
            new_expiry: Instant::parse_rfc3339(t),
            ..event("edge", "renewal_success", at(n as i64))
        })
        .collect();
    events.push(NewEvent { old_expiry: Some(at(0)), ..event("edge", "renewal_success", Instant::INFINITY) });
    bed.fill(&events).await;
    let rows = bed.all(&Criteria::default()).await;
    assert_eq!(rows[0].created_at, Instant::INFINITY);
    for (n, t) in times.iter().enumerate() {
        let row = rows.iter().find(|r| r.created_at == at(n as i64)).unwrap();
        assert_eq!(row.new_expiry, Instant::parse_rfc3339(t), "{t}");
    }
    let count = async |from: Option<&str>, until: Option<&str>| {
        let at = |t: &str| Instant::parse_rfc3339(t).unwrap();
        let any = vec![ExpiryMatch::Within { from: from.map(at), until: until.map(at) }];
        let criteria = all_of([Check::Expires(any)]);
        let reference = rows.iter().filter(|e| criteria.matches(e)).count();
        let counted = bed.count(&criteria, None).await;
        assert_eq!(counted, Total::Exact(reference as u64));
        reference
    };
    assert_eq!(count(None, None).await, 6);
    assert_eq!(count(Some("-infinity"), Some("infinity")).await, 5);
    assert_eq!(count(Some("+294000-01-01T00:00:00Z"), None).await, 2);
    assert_eq!(count(Some("infinity"), None).await, 1);
}

/// A slow query: it searches every error for a text that none contains.
async fn slow(bed: &Bed) -> Query {
    let error = "ab".repeat(1000);
    let events: Vec<_> =
        (0..4000).map(|n| NewEvent { error: Some(error.clone()), ..event("edge", "failed", at(n)) }).collect();
    bed.fill(&events).await;
    let parts = (0..900).map(|n| Pattern::Contains(format!("{}c{n}", "ab".repeat(40)))).collect();
    Query::Count { criteria: all_of([Check::Error(parts)]), ceiling: None }
}

async fn cancel_stops_the_database(bed: Bed) {
    let slow = slow(&bed).await;
    let reader = bed.reader().await;
    for _ in 0..3 {
        // Without the cancellation it would fail by the time limit, which is another error.
        let answer = reader.answer(&slow, tokio::time::sleep(Duration::from_millis(50))).await;
        assert_eq!(answer, Err(SourceError::Cancelled));
        if let Some(url) = &bed.url {
            until_idle(url).await;
        }
        page(&reader, &Criteria::default(), Anchor::Newest, 1).await;
    }
    let already = reader.answer(&slow, std::future::ready(())).await;
    assert_eq!(already, Err(SourceError::Cancelled));
}

/// Waits until the server runs nothing of the program's: the end of a statement is reported a moment before it counts as
/// idle. A statement that was not stopped would outlast all of these checks.
async fn until_idle(url: &str) {
    for _ in 0..200 {
        if running(url).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a statement still runs on the server");
}

/// Statements of the program that run on the server now.
async fn running(url: &str) -> i64 {
    let mut conn = super::pg::connect(url).await;
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
         AND application_name = 'renewscope' AND pid <> pg_backend_pid()",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap()
}

async fn a_dropped_query_frees_its_connection(bed: Bed) {
    let slow = slow(&bed).await;
    let reader = bed.reader().await;
    // More dropped queries than there are connections: the last query still gets one.
    for _ in 0..6 {
        let gone = tokio::time::timeout(Duration::from_millis(30), reader.run(&slow)).await;
        assert!(gone.is_err());
    }
    page(&reader, &Criteria::default(), Anchor::Newest, 1).await;
}

async fn describe(bed: Bed) {
    let describe = async || match bed.reader().await.run(&Query::Describe).await.unwrap() {
        Answer::Described(d) => d,
        other => panic!("{other:?}"),
    };
    let empty = describe().await;
    assert_eq!((empty.oldest, empty.newest, empty.profile.as_str(), empty.read_only), (None, None, "own", true));
    assert!(empty.notes.is_empty(), "{:?}", empty.notes);
    bed.fill(&[event("a", "x", at(5)), event("a", "x", at(9))]).await;
    let full = describe().await;
    assert_eq!((full.oldest, full.newest), (Some(at(5)), Some(at(9))));
}

async fn changes_are_noticed(bed: Bed) {
    let reader = bed.reader().await;
    let before = reader.changes();
    assert_eq!(before.is_none(), bed.is_postgres());
    bed.fill(&[event("a", "x", at(5))]).await;
    if before.is_some() {
        assert_ne!(reader.changes(), before);
    }
}
