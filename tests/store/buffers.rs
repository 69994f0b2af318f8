//! What each query reads at 200,000 rows: the index that answers it, and how many of its pages. PostgreSQL counts them,
//! so the numbers are the same on every machine.
//!
//! A row counts when it was examined: a device has few, and each of them is tested for the other conditions.

use std::sync::Arc;

use renewscope::domain::event::{Id, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, Clause, KindMatch, NameMatch, Pattern, SigMatch};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Cursor, Total};
use renewscope::protocol::fleet::{FleetQuery, NeighborsQuery, Place, SliceQuery};
use renewscope::protocol::query::{FacetQuery, Field, HistogramQuery};
use renewscope::protocol::tail::{TailQuery, TimeSlice};
use renewscope::protocol::{Answer, Query};
use renewscope::store::{Address, ConnectOptions, Store};

use super::bed::{all_of, page};
use super::data::{self, Fleet};
use super::pg;

const FLEET: Fleet = Fleet { rows: 200_000, devices: 10_000, orgs: 50 };
const LIMIT: u32 = 200;

/// One part of a filter: none, one value, or several; and how many values there are.
type Part = (Option<Check>, usize);

/// The kinds of queries. Exhaustive: a new one must be added here, and [`entries`] must run it.
fn kind(query: &Query) -> &'static str {
    match query {
        Query::Page { .. } => "page",
        Query::WholePage { .. } => "whole page",
        Query::Count { .. } => "count",
        Query::Facets(_) => "facets",
        Query::Histogram(_) => "histogram",
        Query::Event { .. } => "event",
        // A horizon reads no table.
        Query::Tail(TailQuery::Horizon) => "tail's horizon",
        Query::Tail(TailQuery::Rows { .. }) => "tail's rows",
        Query::Tail(TailQuery::Keys { .. }) => "tail's keys",
        Query::Tail(TailQuery::Pick { .. }) => "tail's pick",
        Query::Slice(_) => "slice",
        Query::Fleet(_) => "fleet",
        Query::Neighbors(_) => "neighbors",
        // It reads no table.
        Query::Clock => "clock",
        Query::Describe => "describe",
    }
}
const KINDS: [&str; 13] = [
    "page",
    "whole page",
    "count",
    "facets",
    "histogram",
    "event",
    "tail's rows",
    "tail's keys",
    "tail's pick",
    "slice",
    "fleet",
    "neighbors",
    "describe",
];

/// A query, the index that must answer it, and how many pages of events it may touch.
struct Entry {
    query: Query,
    index: &'static str,
    bound: Box<dyn Fn(&Read) -> u64>,
}

struct Bed {
    store: Store,
    /// The newest row, and one in the middle.
    newest: Cursor,
    middle: Cursor,
    /// The device of the latter.
    device: Id,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_reads_what_it_shows() {
    let url = data::postgres(FLEET).await;
    let store = Store::connect(&Address::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    let newest = page(&store, &Criteria::default(), Anchor::Newest, 1).await.rows[0].cursor();
    let half = newest.at.minus(Span::days(45));
    let middle = page(&store, &Criteria::default(), Anchor::At(half), 1).await.rows[0].clone();
    let bed = Bed { store, newest, middle: middle.cursor(), device: middle.device_id.clone() };
    let mut entries = pages(&bed);
    entries.extend(others(&bed));
    let mut run: Vec<_> = entries.iter().map(|e| kind(&e.query)).collect();
    run.sort_unstable();
    run.dedup();
    assert!(KINDS.iter().all(|k| run.contains(k)), "a query is not measured; these are: {run:?}");
    let mut faults = Vec::new();
    for entry in &entries {
        let plan = bed.store.measure(&entry.query).await.unwrap();
        let read = Read::of(answer_plan(&plan));
        let (bound, text) = ((entry.bound)(&read), answer_plan(&plan).join("\n"));
        if !text.contains(entry.index) || text.contains("Seq Scan on certificate_renewal_events") {
            faults.push(format!("{:?}\ndoes not use {} alone:\n{text}", entry.query, entry.index));
        } else if read.events > bound || read.names > 6 * u64::from(LIMIT) + 100 {
            faults.push(format!("{:?}\n{read:?}, {bound} pages of events are allowed:\n{text}", entry.query));
        }
    }
    assert!(faults.is_empty(), "{} of {} queries\n\n{}", faults.len(), entries.len(), faults.join("\n\n"));
    pg::execute(&url, "TRUNCATE certificate_renewal_events").await;
}

/// Every combination of organization, device, type and time, from every kind of place in the order.
fn pages(bed: &Bed) -> Vec<Entry> {
    let orgs = |names: &[&str]| names.iter().map(|n| NameMatch::Name(Pattern::Is((*n).into()))).collect::<Vec<_>>();
    let devices = |range: std::ops::Range<u32>| range.map(|n| format!("edge-{n}")).collect::<Vec<_>>();
    let device = |names: Vec<String>| {
        Check::Device(names.into_iter().map(|n| NameMatch::Name(Pattern::Is(n.as_str().into()))).collect())
    };
    let types = |names: &[&str]| Check::Kind(names.iter().map(|n| KindMatch::Name(Pattern::Is((*n).into()))).collect());
    let by_org: [Part; 3] = [
        (None, 1),
        (Some(Check::Org(orgs(&["org-58"]))), 1),
        (Some(Check::Org(orgs(&["org-10", "org-30", "org-45", "org-58", "org-59"]))), 5),
    ];
    let by_device: [Part; 3] =
        [(None, 1), (Some(device(devices(19_900..19_901))), 1), (Some(device(devices(12_000..12_020))), 20)];
    let by_kind: [Part; 4] = [
        (None, 1),
        (Some(types(&["recovery_failed"])), 1),
        (Some(Check::Kind(vec![KindMatch::Ending("failed".into())])), 2),
        (Some(types(&["renewal_start", "renewal_success", "renewal_failed", "recovery_start"])), 4),
    ];
    let (from, until) = (bed.middle.at.minus(Span::days(7)), bed.middle.at.plus(Span::days(7)));
    let times = [None, Some(Check::Time { from: Some(from), until: Some(until) })];
    let mut entries = Vec::new();
    for (org, orgs) in &by_org {
        for (device, devices) in &by_device {
            for (kind, kinds) in &by_kind {
                for time in &times {
                    let branches = if device.is_some() { *devices } else { orgs * kinds } as u64;
                    // Of a device's few rows, or of a short time, other conditions may leave less to read through
                    // another index than in the order of this one.
                    let index = match (device, org, kind, time) {
                        (Some(_), None, None, None) => "idx_cert_renewal_events_device_",
                        (Some(_), ..) => "idx_cert_renewal_events_",
                        (_, Some(_), Some(_), None) => "idx_cert_renewal_events_org_type_page",
                        (_, Some(_), Some(_), Some(_)) => "idx_cert_renewal_events_org_",
                        (_, Some(_), None, _) => "idx_cert_renewal_events_org_page",
                        (_, None, Some(_), _) => "idx_cert_renewal_events_type_page",
                        (_, None, None, _) => "idx_cert_renewal_events_page",
                    };
                    let of_devices = if device.is_some() { branches * FLEET.rows / FLEET.devices } else { 0 };
                    let checks = [org, device, kind, time].into_iter().flatten().cloned();
                    let criteria = all_of(checks.collect::<Vec<_>>());
                    entries.extend(anchors(bed).map(|anchor| Entry {
                        query: Query::Page { criteria: criteria.clone(), anchor, limit: LIMIT },
                        index,
                        bound: Box::new(move |read| {
                            let rows = read.shown + read.removed;
                            let merged = if branches == 1 { 2 * rows } else { 5 * rows + 10 * branches };
                            merged + 2 * of_devices + 60
                        }),
                    }));
                }
            }
        }
    }
    entries
}

fn anchors(bed: &Bed) -> impl Iterator<Item = Anchor> {
    let middle = || bed.middle.clone();
    [Anchor::Newest, Anchor::Older(middle()), Anchor::Newer(middle()), Anchor::At(middle().at), Anchor::Oldest]
        .into_iter()
}

fn others(bed: &Bed) -> Vec<Entry> {
    let all = Criteria::default();
    let failed = all_of([Check::Kind(vec![KindMatch::Ending("failed".into())])]);
    let org = all_of([Check::Org(vec![NameMatch::Name(Pattern::Is("org-58".into()))])]);
    let signed = all_of([Check::Sig(vec![SigMatch::Any])]);
    let yesterday = bed.newest.at.minus(Span::days(1));
    let a_day = |criteria: Criteria| {
        let day = Clause { negated: false, check: Check::Time { from: Some(yesterday), until: None } };
        Criteria { all: criteria.all.into_iter().chain([day]).collect() }
    };
    let (page, kinds) = ("idx_cert_renewal_events_page", "idx_cert_renewal_events_type_page");
    let entry = |query, index, bound: fn(&Read) -> u64| Entry { query, index, bound: Box::new(bound) };
    // An index alone: a hundred and more entries on a page, and one descent for each range.
    let from_index = |read: &Read| read.scanned / 40 + 200;
    let by_row = |read: &Read| 2 * (read.scanned + read.removed) + 60;
    let facets = |field, criteria: Criteria| {
        Query::Facets(FacetQuery { field, criteria, needle: String::new(), limit: 50, ceiling: 100_000 })
    };
    let histogram = |criteria: Criteria, from: Instant| {
        let width_micros = bed.newest.at.since(from).unwrap().0 / 100 + 1;
        Query::Histogram(HistogramQuery { criteria, from, width_micros, buckets: 100 })
    };
    let quarter = bed.newest.at.minus(Span::days(90));
    let whole = Query::WholePage { criteria: all.clone(), anchor: Anchor::Newest, limit: LIMIT };
    let minutes = || TimeSlice::Time { from: bed.newest.at.minus(Span::minutes(10)), after: None, until: None };
    let rows = TailQuery::Rows { criteria: all.clone(), slice: minutes(), limit: 1000, whole: false };
    let keys = TailQuery::Keys { criteria: failed.clone(), slice: minutes(), limit: 1000 };
    let pick = TailQuery::Pick { criteria: all.clone(), ids: vec![bed.middle.id.clone()], whole: false };
    let slice = SliceQuery { criteria: all.clone(), after: Some(bed.middle.clone()), limit: 20_000 };
    let sweep = FleetQuery::Sweep { after: None, limit: 2000 };
    let place = Place { device: bed.device.clone(), at: bed.middle.clone() };
    let around = NeighborsQuery { of: vec![place], before: 8, after: 8 };
    vec![
        entry(Query::Slice(slice), "idx_cert_renewal_events_", |read| read.shown * 25 / 1000),
        // The last statement reads the devices whose last twelve rows are no success.
        entry(Query::Fleet(sweep), "idx_cert_renewal_events_device_page", |read| 2 * read.shown + 60),
        entry(Query::Neighbors(around), "idx_cert_renewal_events_device_page", |read| read.shown + 10),
        entry(whole, page, by_row),
        entry(Query::Tail(rows), "idx_cert_renewal_events_", by_row),
        entry(Query::Tail(keys), "idx_cert_renewal_events_", by_row),
        entry(Query::Tail(pick), "certificate_renewal_events_pkey", |_| 10),
        entry(Query::Event { id: bed.middle.id.clone() }, "certificate_renewal_events_pkey", |_| 10),
        entry(Query::Describe, "idx_cert_renewal_events_", |_| 20),
        entry(Query::Count { criteria: all.clone(), ceiling: Some(100_000) }, "Index Only Scan", from_index),
        entry(
            Query::Count { criteria: failed.clone(), ceiling: Some(100_000) },
            "idx_cert_renewal_events_event_type",
            from_index,
        ),
        entry(Query::Count { criteria: org.clone(), ceiling: None }, "idx_cert_renewal_events_org_", from_index),
        entry(facets(Field::Kind, all.clone()), kinds, from_index),
        entry(facets(Field::Org, all.clone()), "idx_cert_renewal_events_org_page", from_index),
        entry(facets(Field::Kind, a_day(all.clone())), kinds, from_index),
        entry(facets(Field::Reason, a_day(all.clone())), "idx_cert_renewal_events_", by_row),
        entry(facets(Field::Error, a_day(failed.clone())), "idx_cert_renewal_events_", by_row),
        entry(
            Query::Page { criteria: signed.clone(), anchor: Anchor::Newest, limit: LIMIT },
            "certificate_renewal_events_pkey",
            |read| 5 * read.shown + 60,
        ),
        entry(Query::Count { criteria: a_day(signed), ceiling: None }, "idx_cert_renewal_events_", by_row),
        entry(facets(Field::Device, a_day(failed.clone())), "idx_cert_renewal_events_", by_row),
        entry(histogram(all.clone(), quarter), kinds, |_| 200_000 / 40 + 6 * 100 * 4),
        entry(histogram(all, yesterday), kinds, |_| 2222 / 40 + 6 * 100 * 4),
        entry(histogram(org, quarter), "idx_cert_renewal_events_org_type_page", |_| {
            200_000 / 40 / 50 * 4 + 6 * 100 * 4
        }),
    ]
}

/// Attempts as they usually go: a start, and within the hour a success or, for one in twenty, a failure. A tenth of the
/// devices have four times as many as the others.
const ATTEMPTS: &str = "SET synchronous_commit = on;
    INSERT INTO organizations SELECT md5('org' || n)::uuid, 'org-' || n FROM generate_series(0, 49) n;
    INSERT INTO devices SELECT md5('device' || n)::uuid, md5('org' || n % 50)::uuid, 'edge-' || n
        FROM generate_series(0, 9999) n;
    INSERT INTO certificate_renewal_events SELECT md5('event' || n || kind)::uuid, md5('device' || d)::uuid,
        md5('org' || d % 50)::uuid, kind, NULL, '2026-12-01', CASE WHEN kind = 'renewal_success' THEN '2027-12-01'::timestamp END,
        CASE WHEN kind = 'renewal_failed' THEN repeat('refused ', 20) END, at
        FROM (SELECT n, CASE h % 4 WHEN 0 THEN h / 4 % 1000 ELSE h / 4 % 10000 END AS d, kind,
            TIMESTAMP '2026-08-20' + n * INTERVAL '78 seconds' + (kind <> 'renewal_start')::int * (h % 3000) * INTERVAL '1 second' AS at
            FROM (SELECT n, n * 2654435761 % 4294967296 AS h FROM generate_series(1::int8, 100000) n) a
            CROSS JOIN LATERAL (VALUES ('renewal_start'), (CASE WHEN h / 65536 % 20 = 0 THEN 'renewal_failed' ELSE 'renewal_success' END)) k(kind)) e
        ORDER BY at;
    ";

/// Pages that all statements of a query read, planning aside.
async fn pages_of(store: &Store, query: &Query) -> (u64, Vec<String>) {
    let plan = store.measure(query).await.unwrap();
    let begins = |at: usize| !plan[at].starts_with(' ') && plan[at].contains("(cost=");
    let from: Vec<usize> = (0..plan.len()).filter(|at| begins(*at)).collect();
    let to = from.iter().skip(1).copied().chain([plan.len()]);
    let read = |(from, to): (&usize, usize)| {
        let read = Read::of(&plan[*from..to]);
        read.events + read.names
    };
    (from.iter().zip(to).map(read).sum(), plan)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_investigation_reads_few_pages_of_each_row_and_device() {
    let url = pg::migrated().await;
    pg::execute(&url, ATTEMPTS).await;
    pg::execute(&url, "VACUUM (ANALYZE)").await;
    let store = Store::connect(&Address::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    let newest = page(&store, &Criteria::default(), Anchor::Newest, LIMIT).await.rows;
    let sweep = |limit| Query::Fleet(FleetQuery::Sweep { after: None, limit });
    let mut faults = Vec::new();
    for (query, bound) in investigations(&newest) {
        faults.extend(too_many(&store, &query, bound).await);
    }
    faults.extend(too_many(&store, &sweep(2000), |devices| 7 * devices).await);
    search(&store, "refused", 3).await;
    search(&store, "nowhere", 3).await;
    store.close().await;
    // The same table as one of Flight Control's: each device is found by its index, and a reason costs nothing.
    let made = "DROP TABLE _sqlx_migrations; ALTER TABLE devices ADD COLUMN alias text";
    pg::execute(&url, made).await;
    let store = Store::connect(&Address::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    for (query, bound) in investigations(&newest) {
        faults.extend(too_many(&store, &query, bound).await);
    }
    faults.extend(too_many(&store, &sweep(2000), |devices| 8 * devices).await);
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// A slice of what no index finds ends after some rows, whether or not they match, and goes on behind them.
async fn search(store: &Store, part: &str, answers: usize) {
    let criteria = all_of([Check::Error(vec![Pattern::Contains(part.into())])]);
    let count = Query::Count { criteria: criteria.clone(), ceiling: None };
    let Answer::Count(Total::Exact(expected)) = store.run(&count).await.unwrap() else { panic!("a number") };
    assert!(part == "nowhere" || expected > 1000, "{expected}");
    let (mut found, mut after, mut read) = (Vec::new(), None, 0);
    loop {
        let query = Query::Slice(SliceQuery { criteria: criteria.clone(), after, limit: 20_000 });
        let (pages, plan) = pages_of(store, &query).await;
        assert!(pages < 3000, "{pages} pages:\n{}", plan.join("\n"));
        let Answer::Slice(slice) = store.run(&query).await.unwrap() else { panic!("a slice") };
        found.extend(slice.rows.iter().map(|row| row.cursor()));
        read += 1;
        after = slice.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found.len() as u64, read), (expected, answers), "{part}");
    assert!(found.is_sorted_by(|a, b| a < b));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_of_a_file_ends_after_some_rows_too() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet { rows: 150_000, ..FLEET };
    let url = data::sqlite(&dir.path().join("events.db"), fleet).await;
    let store = Store::connect(&Address::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    for part in ["decommission", "nowhere"] {
        search(&store, part, 2).await;
    }
}

/// Pages that may be read for so many rows, or devices.
type Allowed = fn(u64) -> u64;

/// Queries and the pages that all their statements may read.
fn investigations(newest: &[Arc<RenewalEvent>]) -> Vec<(Query, Allowed)> {
    let from = newest[0].created_at.minus(Span::days(30));
    let days = || Check::Time { from: Some(from), until: Some(from.plus(Span::days(9))) };
    let failed = || Check::Kind(vec![KindMatch::Ending("failed".into())]);
    let org = || Check::Org(vec![NameMatch::Name(Pattern::Is("org-7".into()))]);
    let device = || Check::Device(vec![NameMatch::Name(Pattern::Is("edge-7777".into()))]);
    let slice = |checks: Vec<Check>| Query::Slice(SliceQuery { criteria: all_of(checks), after: None, limit: 20_000 });
    let ids: Vec<_> = newest.iter().map(|row| row.device_id.clone()).collect();
    let of: Vec<_> = newest.iter().map(|row| Place { device: row.device_id.clone(), at: row.cursor() }).collect();
    let around = |before, after| Query::Neighbors(NeighborsQuery { of: of.clone(), before, after });
    vec![
        (slice(vec![]), |rows| rows * 25 / 1000),
        (slice(vec![days()]), |rows| rows * 25 / 1000 + 10),
        (slice(vec![days(), failed()]), |rows| rows + 60),
        (slice(vec![days(), org()]), |rows| rows + 60),
        (slice(vec![days(), org(), failed()]), |rows| 2 * rows + 60),
        (slice(vec![device()]), |rows| rows + 60),
        (Query::Fleet(FleetQuery::These(ids)), |devices| 7 * devices + 60),
        (around(8, 0), |rows| 2 * rows + 60),
        (around(1, 1), |rows| 8 * rows),
    ]
}

/// The complaint about a query that reads more pages than are allowed for its rows.
async fn too_many(store: &Store, query: &Query, bound: Allowed) -> Option<String> {
    let found = match store.run(query).await.unwrap() {
        Answer::Slice(slice) => slice.rows.len(),
        Answer::Fleet(fleet) => fleet.devices.len(),
        Answer::Neighbors(all) => all.iter().map(|one| one.before.len() + one.after.len()).sum(),
        other => panic!("{other:?}"),
    };
    let found = u64::try_from(found).unwrap();
    let (pages, plan) = pages_of(store, query).await;
    let allowed = bound(found);
    (found == 0 || pages > allowed)
        .then(|| format!("{query:?}\n{pages} pages for {found}, {allowed} allowed:\n{}", plan.join("\n")))
}

/// The plan of the last statement that reads events: other statements before and after it look up names.
fn answer_plan(plan: &[String]) -> &[String] {
    let begins = |at: usize| !plan[at].starts_with(' ') && plan[at].contains("(cost=");
    let from: Vec<usize> = (0..plan.len()).filter(|at| begins(*at)).collect();
    let to = from.iter().skip(1).copied().chain([plan.len()]);
    let plans: Vec<_> = from.iter().zip(to).map(|(from, to)| &plan[*from..to]).collect();
    let reads = |plan: &&&[String]| plan.iter().any(|l| l.contains(" on certificate_renewal_events"));
    plans.iter().rev().find(reads).expect("a statement that reads events")
}

/// What a query read: pages of the event table and its indexes, pages for names, and rows.
#[derive(Debug)]
struct Read {
    events: u64,
    names: u64,
    /// Rows of the result.
    shown: u64,
    /// Rows that the scans of events returned, and rows that they examined in vain.
    scanned: u64,
    removed: u64,
}

impl Read {
    fn of(plan: &[String]) -> Self {
        let number = |line: &str, word: &str| line.split(word).nth(1)?.split([' ', ')']).next()?.parse::<u64>().ok();
        // Temporary files are named behind a comma.
        let buffers = |line: &String| {
            let shared = line.split("Buffers: shared ").nth(1)?.split(',').next()?;
            let of = |word| number(shared, word).unwrap_or(0);
            Some(of("hit=") + of("read="))
        };
        // A node that touched no page has no such line.
        let inside = |at: usize| plan[at + 1..].iter().take_while(|l| !l.contains("->") && !l.starts_with("Planning"));
        let behind = |at: usize| inside(at).find_map(buffers).unwrap_or(0);
        let given = |line: &str| number(line, "(actual rows=").unwrap_or(0) * number(line, "loops=").unwrap_or(1);
        let mut read = Self { events: behind(0), names: 0, shown: given(&plan[0]), scanned: 0, removed: 0 };
        for (at, line) in plan.iter().enumerate().filter(|(_, line)| line.contains("Scan")) {
            if line.contains(" on devices") || line.contains(" on organizations") {
                read.names += behind(at);
            } else if line.contains(" on certificate_renewal_events") {
                read.scanned += given(line);
                read.removed += inside(at).filter_map(|l| number(l, "Rows Removed by Filter: ")).sum::<u64>();
            }
        }
        read.events -= read.names;
        read
    }
}
