//! Text searches return the same rows with an index and without one, in one statement or slice by slice, and skip none
//! when the time budget ends a search.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renewscope::domain::event::{Id, NewEvent, RenewalEvent, org_id_of};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, KindMatch, NameMatch, Pattern};
use renewscope::domain::instant::Span;
use renewscope::domain::page::{Anchor, Total};
use renewscope::protocol::query::{FacetQuery, Field, HistogramQuery};
use renewscope::protocol::{Answer, Query};
use renewscope::store::schema::{self, IndexReport, IndexState};
use renewscope::store::{Address, ConnectOptions, SearchBudget, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection};

use super::bed::{Bed, all_of, at, event, none_of, page, writing};
use super::filters::{compare, criteria, row};
use super::{pg, plans};
use crate::on_both;

on_both!(
    a_walk_finds_what_a_full_sort_finds,
    the_index_changes_no_answer,
    a_walk_without_a_match_goes_on_to_the_end,
    a_whole_page_has_no_budget,
    an_index_answers_in_one_statement,
    a_frequent_text_is_searched_without_the_index,
);

/// Opens the database with a budget of one slice per query.
async fn hurried(bed: &Bed, first_slice: u64) -> Store {
    with_budget(bed, SearchBudget { time: Duration::ZERO, first_slice }).await
}

async fn with_budget(bed: &Bed, budget: SearchBudget) -> Store {
    let options = ConnectOptions { search_budget: Some(budget), ..ConnectOptions::default() };
    Store::connect(&bed.address, &options).await.unwrap()
}

/// Runs statements without the store, on either database.
async fn execute(bed: &Bed, statements: &str) {
    match &bed.url {
        Some(url) => pg::execute(url, statements).await,
        None => {
            let options = SqliteConnectOptions::new().filename(bed.address.path().unwrap()).foreign_keys(true);
            let mut conn = options.connect().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        }
    }
}

async fn make_index(bed: &mut Bed) -> Vec<IndexReport> {
    let made = schema::index_search(&bed.address).await.unwrap();
    // A store caches its description of the source.
    bed.store = Store::connect(&bed.address, &writing()).await.unwrap();
    made
}

/// Pages from the anchor to the end, in the direction of the anchor; the rows newest first, and how many of the pages the
/// budget ended.
async fn walked(store: &Store, criteria: &Criteria, from: Anchor, limit: u32) -> (Vec<Arc<RenewalEvent>>, usize) {
    let older = from.is_older();
    let (mut rows, mut cut) = (Vec::<Arc<RenewalEvent>>::new(), 0);
    let mut next = Some(from);
    while let Some(anchor) = next {
        let page = page(store, criteria, anchor.clone(), limit).await;
        assert!(page.rows.is_sorted_by(|a, b| a.cursor() > b.cursor()), "a page is newest first");
        assert!(page.rows.len() <= limit as usize);
        if let Some(t) = page.searched_to {
            cut += 1;
            assert!(page.rows.len() < limit as usize, "a full page needs no further time");
            assert!(if older { page.more_older } else { page.more_newer });
            assert!(page.rows.iter().all(|r| if older { r.created_at >= t } else { r.created_at <= t }));
        }
        next = page.onward(&anchor);
        if older {
            rows.extend(page.rows);
        } else {
            rows.splice(0..0, page.rows);
        }
    }
    (rows, cut)
}

/// Every way through the result returns all of it.
async fn check_walks(store: &Store, stored: &[Arc<RenewalEvent>], criteria: &Criteria) -> usize {
    let mut expected: Vec<_> = stored.iter().filter(|e| criteria.matches(e)).cloned().collect();
    expected.sort_by_key(|e| std::cmp::Reverse(e.cursor()));
    let mut cuts = 0;
    for (anchor, limit) in [(Anchor::Newest, 7), (Anchor::Oldest, 7), (Anchor::Newest, 1000), (Anchor::Oldest, 1000)] {
        let (rows, cut) = walked(store, criteria, anchor.clone(), limit).await;
        assert_eq!(rows, expected, "{anchor:?} by {limit}: {criteria:#?}");
        cuts += cut;
    }
    let Some(middle) = stored.get(stored.len() / 2) else { return cuts };
    let (here, cursor) = (middle.created_at, middle.cursor());
    type Keeps = Box<dyn Fn(&RenewalEvent) -> bool>;
    let ways: [(Anchor, Keeps); 4] = [
        (Anchor::At(here), Box::new(move |e| e.created_at <= here)),
        (Anchor::AtOrAfter(here), Box::new(move |e| e.created_at >= here)),
        (
            Anchor::Older(cursor.clone()),
            Box::new({
                let c = cursor.clone();
                move |e| e.cursor() < c
            }),
        ),
        (Anchor::Newer(cursor.clone()), Box::new(move |e| e.cursor() > cursor)),
    ];
    for (anchor, keeps) in ways {
        let (rows, cut) = walked(store, criteria, anchor.clone(), 5).await;
        let part: Vec<_> = expected.iter().filter(|e| keeps(e)).cloned().collect();
        assert_eq!(rows, part, "{anchor:?}: {criteria:#?}");
        cuts += cut;
    }
    cuts
}

/// Random rows, and random criteria that test a field without an index.
fn random(runner: &mut TestRunner, rows: usize, filters: usize) -> (Vec<NewEvent>, Vec<Criteria>) {
    let unindexed = |c: &Criteria| {
        let tests = |check: &Check| {
            matches!(check, Check::Text(_) | Check::Error(_) | Check::Reason(_) | Check::Expires(_) | Check::Extends(_))
        };
        c.all.iter().any(|clause| tests(&clause.check))
    };
    let rows = proptest::collection::vec(row(), rows).new_tree(runner).unwrap().current();
    let filters = (0..filters).map(|_| criteria().prop_filter("", unindexed).new_tree(runner).unwrap().current());
    (rows, filters.collect())
}

fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, ..Config::default() })
}

async fn a_walk_finds_what_a_full_sort_finds(bed: Bed) {
    let (rows, filters) = random(&mut runner(), 250, 40);
    bed.store.create_many(&rows).await.unwrap();
    let stored = bed.all(&Criteria::default()).await;
    let mut cuts = 0;
    for (n, criteria) in filters.iter().enumerate() {
        let store = hurried(&bed, [1, 10, 64][n % 3]).await;
        cuts += check_walks(&store, &stored, criteria).await;
    }
    assert!(cuts > 0, "no search ended early");
    // With the plain indexes of a foreign table too.
    schema::rollback(&bed.address, None).await.unwrap();
    let store = hurried(&bed, 10).await;
    for criteria in &filters[..10] {
        check_walks(&store, &stored, criteria).await;
    }
    // With enough time the slices grow, and one query is enough.
    let patient = with_budget(&bed, SearchBudget { time: Duration::from_secs(3600), first_slice: 1 }).await;
    for criteria in &filters[..10] {
        assert_eq!(check_walks(&patient, &stored, criteria).await, 0);
    }
}

async fn the_index_changes_no_answer(mut bed: Bed) {
    let mut runner = runner();
    let (rows, filters) = random(&mut runner, 400, 150);
    bed.store.create_many(&rows[..200]).await.unwrap();
    let made = make_index(&mut bed).await;
    assert!(made.iter().filter(|i| i.on_request).all(|i| i.state == IndexState::Created && i.bytes.is_some()));
    // From here on the database maintains the index.
    bed.store.create_many(&rows[200..]).await.unwrap();
    let stored = bed.all(&Criteria::default()).await;
    for event in stored.iter().step_by(9) {
        assert!(bed.store.delete(None, &event.id).await.unwrap());
    }
    execute(
        &bed,
        "UPDATE certificate_renewal_events SET error_message = 'renewal_failed again' WHERE reason = 'failed';
         UPDATE certificate_renewal_events SET reason = NULL WHERE error_message = 'unfailed';
         DELETE FROM organizations WHERE name = 'edge-01';",
    )
    .await;
    execute(&bed, "VACUUM").await;
    let stored = bed.all(&Criteria::default()).await;
    assert!(stored.len() > 200);
    let hurried = hurried(&bed, 10).await;
    for criteria in &filters {
        compare(&bed, &stored, criteria).await;
        let (rows, _) = walked(&hurried, criteria, Anchor::Newest, 7).await;
        let found: Vec<_> = rows.iter().map(|e| e.id.clone()).collect();
        assert_eq!(found, bed.all(criteria).await.iter().map(|e| e.id.clone()).collect::<Vec<_>>(), "{criteria:#?}");
    }
    // On SQLite this compares the index with the rows.
    let again = schema::index_search(&bed.address).await.unwrap();
    assert!(again.iter().all(|i| i.state == IndexState::Exists), "{again:?}");
}

/// Rows one second apart, with errors that a search must read.
async fn fill_many(bed: &Bed, rows: u32) {
    bed.fill(&[event("edge", "renewal_failed", at(-1))]).await;
    let first = bed.all(&Criteria::default()).await.remove(0);
    let (device, org) = (first.device_id.raw(), first.org_id.clone().unwrap().raw());
    let statement = if bed.is_postgres() {
        format!(
            "INSERT INTO certificate_renewal_events (device_id, org_id, event_type, error_message, created_at)
             SELECT '{device}', '{org}', 'renewal_failed', 'x509: attempt ' || n, TIMESTAMP '2026-11-20 12:00' + n * interval '1 s'
             FROM generate_series(0, {rows} - 1) n"
        )
    } else {
        let hex = |id: &str| id.replace('-', "");
        format!(
            "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {rows} - 1)
             INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, error_message, created_at)
             SELECT randomblob(16), x'{}', x'{}', 'renewal_failed', 'x509: attempt ' || n, {} + n * 1000000 FROM s;",
            hex(&device),
            hex(&org),
            at(0).unix_micros().unwrap()
        )
    };
    execute(bed, &statement).await;
    if bed.is_postgres() {
        execute(bed, "ANALYZE").await;
    }
}

async fn a_walk_without_a_match_goes_on_to_the_end(bed: Bed) {
    const ROWS: u32 = 200_000;
    fill_many(&bed, ROWS).await;
    let store = hurried(&bed, 2000).await;
    let nowhere = all_of([Check::Text("no such text".into())]);
    let second = i64::from(ROWS);
    let page_of = |anchor| page(&store, &nowhere, anchor, 100);
    let newest = page_of(Anchor::Newest).await;
    assert_eq!((newest.rows.len(), newest.more_older, newest.more_newer), (0, true, false));
    assert_eq!(newest.searched_to, Some(at(second - 2000)));
    assert_eq!(newest.onward(&Anchor::Newest), Some(Anchor::At(at(second - 2000).minus(Span(1)))));
    let oldest = page_of(Anchor::Oldest).await;
    assert_eq!((oldest.rows.len(), oldest.more_older, oldest.more_newer), (0, false, true));
    assert_eq!(oldest.searched_to, Some(at(1998)));
    assert_eq!(walked(&store, &nowhere, Anchor::Newest, 100).await, (vec![], 100));
    assert_eq!(walked(&store, &nowhere, Anchor::Oldest, 100).await, (vec![], 100));
    // One match, far back.
    let far = all_of([Check::Error(vec![Pattern::Is("X509: attempt 7777".into())])]);
    let (found, cut) = walked(&store, &far, Anchor::Newest, 100).await;
    assert_eq!((found.len(), cut), (1, 100));
    // The range of the filter ends the walk.
    let recent = Check::Time { from: Some(at(second - 3000)), until: None };
    let recent = all_of([Check::Text("no such text".into()), recent]);
    assert_eq!(walked(&store, &recent, Anchor::Newest, 100).await, (vec![], 1));
    // A frequent text fills the page from the first slice.
    let every = all_of([Check::Text("ATTEMPT".into())]);
    let full = page(&store, &every, Anchor::Newest, 100).await;
    assert_eq!((full.rows.len(), full.searched_to, full.more_older), (100, None, true));
    assert_eq!(full.rows.first().map(|r| r.created_at), Some(at(second - 1)));
}

async fn a_whole_page_has_no_budget(bed: Bed) {
    let rows: Vec<_> = (0..300)
        .map(|n| NewEvent { error: Some(format!("error {n}")), ..event("edge", "renewal_failed", at(n)) })
        .collect();
    bed.fill(&rows).await;
    let one = all_of([Check::Text("error 7".into()), Check::Time { from: None, until: Some(at(10)) }]);
    let store = hurried(&bed, 2).await;
    let query = Query::WholePage { criteria: one.clone(), anchor: Anchor::Newest, limit: 10 };
    let Answer::Page(whole) = store.run(&query).await.unwrap() else { panic!() };
    assert_eq!((whole.rows.len(), whole.searched_to, whole.more_older), (1, None, false));
    // Nor has a store without a budget.
    let whole = bed.page(&one, Anchor::Newest, 10).await;
    assert_eq!((whole.rows.len(), whole.searched_to, whole.more_older), (1, None, false));
    // A filter that an index answers is not searched slice by slice.
    let indexed = all_of([
        Check::Kind(vec![KindMatch::Ending("failed".into())]),
        Check::Org(vec![NameMatch::Name(Pattern::Is("acme".into()))]),
    ]);
    let page = page(&store, &indexed, Anchor::Newest, 200).await;
    assert_eq!((page.rows.len(), page.searched_to), (200, None));
}

async fn an_index_answers_in_one_statement(mut bed: Bed) {
    plans::fill(&bed).await;
    make_index(&mut bed).await;
    if let Some(url) = &bed.url {
        // Vacuum merges the index's pending list, which scans would read in full.
        pg::execute(url, "VACUUM ANALYZE certificate_renewal_events").await;
    }
    let (error, either): (&[&str], &[&str]) = if bed.is_postgres() {
        (&["renewscope_error_trgm"], &["renewscope_error_trgm", "renewscope_reason_trgm"])
    } else {
        let plan = &["certificate_renewal_events_search VIRTUAL TABLE", "e USING INTEGER PRIMARY KEY (rowid=?)"];
        (plan, plan)
    };
    let rare = || Check::Text("ERROR 19954 ".into());
    let other = || Check::Error(vec![Pattern::StartsWith("error 19954 ".into()), Pattern::Contains("nowhere".into())]);
    let failed = || Check::Kind(vec![KindMatch::Ending("failed".into())]);
    let org = || Check::Org(["lab", "globex"].map(|n| NameMatch::Name(Pattern::Is(n.into()))).to_vec());
    let budget = with_budget(&bed, SearchBudget::default()).await;
    for (criteria, names, expected) in [
        (all_of([rare()]), either, 1),
        (all_of([other()]), error, 1),
        (all_of([failed(), rare()]), either, 1),
        (all_of([failed(), org(), other()]), error, 1),
        (all_of([rare(), Check::Text("ror".into())]), error, 1),
        (all_of([Check::Text("error 20001 ".into())]), either, 0),
    ] {
        let field = Field::Kind;
        let facets = FacetQuery { field, criteria: criteria.clone(), needle: String::new(), limit: 10, ceiling: 500 };
        let (from, width_micros, buckets) = (at(0), 3_600_000_000, 6);
        let histogram = HistogramQuery { criteria: criteria.clone(), from, width_micros, buckets };
        for query in [
            Query::Page { criteria: criteria.clone(), anchor: Anchor::Newest, limit: 100 },
            Query::WholePage { criteria: criteria.clone(), anchor: Anchor::Oldest, limit: 100 },
            Query::Count { criteria: criteria.clone(), ceiling: Some(10_000) },
            Query::Facets(facets),
            Query::Histogram(histogram),
        ] {
            let plan = budget.explain(&query).await.unwrap().join("\n");
            // Rows that SQLite's index does not find need no second statement.
            let names = if expected == 0 && !bed.is_postgres() { &names[..1] } else { names };
            assert!(names.iter().all(|n| plan.contains(n)), "{query:?} does not use {names:?}:\n{plan}");
        }
        let page = page(&budget, &criteria, Anchor::Newest, 100).await;
        assert_eq!((page.rows.len(), page.searched_to, page.more_older), (expected, None, false), "{criteria:?}");
        assert_eq!(bed.count(&criteria, Some(10)).await, Total::Exact(expected as u64));
    }
    // No index for a text shorter than a trigram, or for a negation.
    for criteria in [all_of([Check::Text("ro".into())]), none_of([rare()])] {
        let query = Query::Page { criteria: criteria.clone(), anchor: Anchor::Newest, limit: 100 };
        let plan = budget.explain(&query).await.unwrap().join("\n");
        assert!(!either.iter().any(|n| plan.contains(n)), "{query:?}:\n{plan}");
    }
}

async fn a_frequent_text_is_searched_without_the_index(mut bed: Bed) {
    fill_many(&bed, 30_000).await;
    make_index(&mut bed).await;
    let every = all_of([Check::Text("attempt".into())]);
    let stored = bed.all(&Criteria::default()).await;
    let page = page(&hurried(&bed, 500).await, &every, Anchor::Newest, 100).await;
    assert_eq!(
        page.rows.iter().map(|r| &r.id).collect::<Vec<_>>(),
        stored[..100].iter().map(|r| &r.id).collect::<Vec<_>>()
    );
    assert_eq!((page.searched_to, page.more_older), (None, true));
    if !bed.is_postgres() {
        let query = Query::Page { criteria: every, anchor: Anchor::Newest, limit: 100 };
        let plan = bed.store.explain(&query).await.unwrap().join("\n");
        // Counted, and then searched without the index.
        assert!(plan.contains("VIRTUAL TABLE") && plan.contains("idx_cert_renewal_events_page"), "{plan}");
        assert!(!plan.contains("SEARCH e USING INTEGER PRIMARY KEY"), "{plan}");
    }
}

#[tokio::test]
async fn a_stale_search_index_is_rebuilt() {
    let mut bed = Bed::sqlite().await;
    let lost = NewEvent { error: Some("tpm2: lost".into()), ..event("edge", "renewal_failed", at(0)) };
    bed.fill(&[lost, event("edge", "renewal_start", at(1))]).await;
    make_index(&mut bed).await;
    let text = all_of([Check::Text("TPM2: lost".into())]);
    let rows_of = |mut bed: Bed| async move {
        let made = make_index(&mut bed).await;
        let rows = bed.all(&all_of([Check::Text("TPM2: lost".into())])).await.len();
        (made.last().map(|i| i.state), rows, bed)
    };
    // Row numbers that changed, as in a copy made row by row.
    execute(&bed, "UPDATE certificate_renewal_events_search_config SET v = v; DROP TRIGGER certificate_renewal_events_search_update;
        UPDATE certificate_renewal_events SET rowid = rowid + 10;").await;
    // An incomplete index is not used.
    bed.store = Store::connect(&bed.address, &writing()).await.unwrap();
    assert_eq!(bed.all(&text).await.len(), 1);
    let (state, rows, bed) = rows_of(bed).await;
    assert_eq!((state, rows), (Some(IndexState::Rebuilt), 1));
    execute(
        &bed,
        "INSERT INTO certificate_renewal_events_search (certificate_renewal_events_search) VALUES ('delete-all')",
    )
    .await;
    let (state, rows, bed) = rows_of(bed).await;
    assert_eq!((state, rows), (Some(IndexState::Rebuilt), 1));

    schema::rollback(&bed.address, Some(0)).await.unwrap();
    schema::migrate(&bed.address).await.unwrap();
    let status = schema::status(&bed.address).await.unwrap();
    assert_eq!(status.indexes.last().map(|i| (i.state, i.bytes)), Some((IndexState::Missing, None)));
    let store = Store::connect(&bed.address, &writing()).await.unwrap();
    store.create(&event("edge", "renewal_start", at(0))).await.unwrap();
    let id = page(&store, &Criteria::default(), Anchor::Newest, 1).await.rows[0].id.clone();
    assert!(store.delete(Some(&Id::Uuid(org_id_of("acme"))), &id).await.unwrap());
}

/// Numbers the rows of the event table anew, in their order, as a dump and restore does; the index stays as it was.
const RESTORE: &str = "
    CREATE TEMP TABLE triggers AS SELECT name, sql FROM sqlite_schema WHERE type = 'trigger';
    CREATE TEMP TABLE copy AS SELECT * FROM certificate_renewal_events ORDER BY rowid;
    PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE type = 'trigger'; PRAGMA writable_schema = RESET;
    DELETE FROM certificate_renewal_events;
    INSERT INTO certificate_renewal_events SELECT * FROM copy;
    PRAGMA writable_schema = ON;
    INSERT INTO sqlite_schema SELECT 'trigger', name, 'certificate_renewal_events', 0, sql FROM triggers;
    PRAGMA writable_schema = RESET;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_finds_the_same_rows_after_dump_and_restore() {
    let mut bed = Bed::sqlite().await;
    let rows: Vec<_> = (0..60)
        .map(|n| NewEvent {
            error: (n % 3 != 0).then(|| format!("cause {n} of many")),
            reason: (n % 2 == 0).then(|| "proactive".to_owned()),
            ..event(&format!("edge-{n}"), "renewal_failed", at(n))
        })
        .collect();
    bed.fill(&rows[..40]).await;
    make_index(&mut bed).await;
    bed.fill(&rows[40..50]).await;
    let texts = ["cause 7 ", "cause 31", "cause 55", "of many", "proactive", "nowhere"];
    let agrees = async |bed: &Bed, indexed: bool| {
        let reader = bed.reader().await;
        let all = bed.all(&Criteria::default()).await;
        for text in texts {
            for criteria in [all_of([Check::Text(text.into())]), none_of([Check::Text(text.into())])] {
                let expected = all.iter().filter(|e| criteria.matches(e)).count() as u64;
                let count = reader.run(&Query::Count { criteria: criteria.clone(), ceiling: None }).await.unwrap();
                assert_eq!(count, Answer::Count(Total::Exact(expected)), "indexed: {indexed}, {criteria:?}");
                let found = page(&reader, &criteria, Anchor::Newest, 100).await.rows.len();
                assert_eq!(found as u64, expected, "indexed: {indexed}, {criteria:?}");
            }
        }
        let rare = Query::Page { criteria: all_of([Check::Text("cause 31".into())]), anchor: Anchor::Newest, limit: 9 };
        let plan = reader.explain(&rare).await.unwrap().join("\n");
        assert_eq!(plan.contains("certificate_renewal_events_search"), indexed, "{plan}");
    };
    agrees(&bed, true).await;
    let found = async |bed: &Bed| {
        let found = renewscope::store::doctor::examine(&bed.reader().await, || at(0)).await.unwrap();
        found.into_iter().find(|f| f.topic == "search indexes").unwrap().found
    };
    assert!(found(&bed).await.contains("at once"));
    // The last row goes, and comes back: the index stays in step.
    let last = bed.all(&Criteria::default()).await[0].id.clone();
    assert!(bed.store.delete(None, &last).await.unwrap());
    agrees(&bed, true).await;
    bed.fill(&rows[49..50]).await;
    agrees(&bed, true).await;
    // Without a gap a restore changes no number.
    execute(&bed, RESTORE).await;
    agrees(&bed, true).await;
    // With one, it does.
    let gone = bed.all(&Criteria::default()).await[20].id.clone();
    assert!(bed.store.delete(None, &gone).await.unwrap());
    agrees(&bed, true).await;
    execute(&bed, RESTORE).await;
    agrees(&bed, false).await;
    assert!(found(&bed).await.contains("does not belong to these rows"));
    // Events that come later do not hide it.
    bed.fill(&rows[50..]).await;
    agrees(&bed, false).await;
    let made = make_index(&mut bed).await;
    assert_eq!(made.last().map(|i| i.state), Some(IndexState::Rebuilt));
    agrees(&bed, true).await;
    // A table that was emptied begins anew.
    execute(&bed, "DELETE FROM certificate_renewal_events").await;
    agrees(&bed, true).await;
    bed.fill(&rows[..3]).await;
    agrees(&bed, true).await;
}

#[tokio::test]
async fn a_role_that_may_not_install_the_extension_learns_who_may() {
    let url = pg::migrated().await;
    pg::execute(
        &url,
        "DO $$ BEGIN CREATE ROLE installs_nothing LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         ALTER TABLE certificate_renewal_events OWNER TO installs_nothing;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO installs_nothing;",
    )
    .await;
    let address = Address::parse(&url.replace("postgres@", "installs_nothing@")).unwrap();
    let made = schema::index_search(&address).await.unwrap();
    let search: Vec<_> = made.iter().filter(|i| i.on_request).collect();
    assert_eq!(search.len(), 2);
    for index in search {
        assert_eq!(index.state, IndexState::Missing);
        let note = index.note.as_deref().unwrap();
        assert!(note.contains("CREATE EXTENSION pg_trgm") && note.contains("permission denied"), "{note}");
    }
    // Operators are found in a schema outside the search path too.
    pg::execute(
        &url,
        "CREATE SCHEMA tools; CREATE EXTENSION pg_trgm SCHEMA tools;
        GRANT USAGE ON SCHEMA tools TO installs_nothing; GRANT CREATE ON SCHEMA public TO installs_nothing;",
    )
    .await;
    let made = schema::index_search(&address).await.unwrap();
    assert!(made.iter().filter(|i| i.on_request).all(|i| i.state == IndexState::Created), "{made:?}");
}

#[tokio::test]
async fn a_foreign_sqlite_table_gets_no_triggers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("theirs.db");
    let mut conn = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    let table =
        "CREATE TABLE certificate_renewal_events (id TEXT PRIMARY KEY, device_id TEXT, event_type TEXT NOT NULL,
        reason TEXT, error_message TEXT, created_at INTEGER NOT NULL)";
    sqlx::raw_sql(table).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let made = schema::index_search(&Address::sqlite(&path)).await.unwrap();
    let search = made.last().unwrap();
    assert_eq!((search.on_request, search.state), (true, IndexState::Missing));
    assert!(search.note.as_deref().is_some_and(|n| n.contains("renewscope did not make")), "{search:?}");
}
