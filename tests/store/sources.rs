//! Tables of other systems, read through their profiles: every event as the fixture says, in pages and under filters.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use renewscope::domain::event::{Outcome, RenewalEvent};
use renewscope::domain::filter::{Criteria, Filter};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Cursor, Total};
use renewscope::domain::zone::Zone;
use renewscope::headless::output::event::{KEYS, data_cells};
use renewscope::headless::output::{Column, Format, RowWriter};
use renewscope::profile::SourceProfile;
use renewscope::profile::choice::Profiles;
use renewscope::protocol::fleet::{FleetQuery, NeighborsQuery, Place, SliceQuery};
use renewscope::protocol::query::{Description, FacetQuery, Field, HistogramQuery};
use renewscope::protocol::tail::{Start, TailAnswer, TailQuery, TimeSlice};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::source::report::check;
use renewscope::store::{Address, ConnectOptions, SearchBudget, Store, schema};
use serde_json::Value;

use super::bed::{page, refused};
use super::investigations::Pair;
use super::pg;
use super::tail::Tail;

struct Case {
    directory: &'static str,
    /// The profile that must be found by itself.
    profile: &'static str,
    expected: &'static str,
    /// A change of the profile's text: what stands there, and what instead. It is then named.
    change: Option<(&'static str, &'static str)>,
    /// Filters, each with the rows that it finds at 2026-11-21, or why the source cannot answer it.
    filters: &'static [(&'static str, Result<u64, &'static str>)],
}

const CASES: &[Case] = &[
    Case { directory: "flightctl-code", profile: "flightctl", expected: "expected.ndjson", change: None, filters: &[] },
    Case {
        directory: "flightctl-story",
        profile: "flightctl",
        expected: "expected.ndjson",
        change: None,
        filters: &[],
    },
    Case {
        directory: "flightctl-prd",
        profile: "flightctl",
        expected: "expected.ndjson",
        change: None,
        filters: &[("org:acme", Err("records no organization")), ("device:*1*", Err("names cannot be looked up"))],
    },
    Case {
        directory: "flightctl-prd",
        profile: "flightctl",
        expected: "expected-new-york.ndjson",
        change: Some(("zone = \"UTC\"", "zone = \"America/New_York\"")),
        filters: &[("device:*1*", Err("names cannot be looked up"))],
    },
    Case {
        directory: "sirius",
        profile: "sirius",
        expected: "expected.ndjson",
        change: None,
        filters: &[
            ("expires:<7d", Err("'expires:' does not fit this source: 'sirius' records no expiry")),
            ("extends:<=0", Err("records no old and new expiry")),
            ("reason:expired", Err("records no reason")),
            ("org:acme", Err("records no organization")),
        ],
    },
    Case {
        directory: "aws-cert-assistant",
        profile: "aws-cert-assistant",
        expected: "expected.ndjson",
        change: None,
        filters: &[("reason:expired", Err("records no reason"))],
    },
    Case {
        directory: "ca-sqlite",
        profile: "ca-sqlite",
        expected: "expected.ndjson",
        change: None,
        filters: &[("severity:error", Ok(0)), ("reason:expired", Err("records no reason"))],
    },
];

fn fixture(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources").join(directory)
}

pub struct Loaded {
    pub address: Address,
    /// For statements past the store, on PostgreSQL.
    url: Option<String>,
    _dir: Option<tempfile::TempDir>,
}

async fn load(directory: &str) -> Loaded {
    let folder = fixture(directory);
    if let Ok(sql) = std::fs::read_to_string(folder.join("postgres.sql")) {
        let url = pg::empty().await;
        pg::execute(&url, &sql).await;
        return Loaded { address: Address::parse(&url).unwrap(), url: Some(url), _dir: None };
    }
    let sql = std::fs::read_to_string(folder.join("sqlite.sql")).unwrap();
    sqlite(&sql).await
}

impl Loaded {
    /// Runs statements as the system that owns the table does.
    async fn execute(&self, sql: &str) {
        match (&self.url, self.address.path()) {
            (Some(url), _) => pg::execute(url, sql).await,
            (None, Some(path)) => write(path, sql).await,
            (None, None) => unreachable!(),
        }
    }
}

async fn write(path: &Path, sql: &str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut conn = options.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// A SQLite file made by these statements.
pub async fn sqlite(sql: &str) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("books.db");
    write(&path, sql).await;
    Loaded { address: Address::sqlite(path), url: None, _dir: Some(dir) }
}

async fn open(address: &Address, profiles: Profiles) -> Result<Store, SourceError> {
    let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
    Store::connect(address, &options).await
}

/// The profiles that came with the program, one of them changed and named.
fn changed(case: &Case) -> Profiles {
    let mut profiles = Profiles::default();
    if let Some((old, new)) = case.change {
        let at = profiles.all.iter().position(|p| p.name == case.profile).unwrap();
        let text = profiles.all[at].text.clone();
        assert!(text.contains(old));
        let text = text.replace(old, new).replacen(&format!("name = \"{}\"", case.profile), "name = \"changed\"", 1);
        profiles.all.push(Arc::new(SourceProfile::parse("changed.toml", &text).unwrap()));
        profiles.named = Some("changed".into());
    }
    profiles
}

fn now() -> Instant {
    Instant::parse_rfc3339("2026-11-21T00:00:00Z").unwrap()
}

fn criteria(filter: &str) -> Criteria {
    Filter::parse(filter).unwrap().criteria(now(), &Zone::Utc)
}

async fn whole(store: &Store, criteria: &Criteria) -> Vec<Arc<RenewalEvent>> {
    let query = Query::WholePage { criteria: criteria.clone(), anchor: Anchor::Newest, limit: 100_000 };
    match store.run(&query).await.unwrap() {
        Answer::Page(page) => page.rows,
        other => panic!("{other:?}"),
    }
}

async fn describe(store: &Store) -> Description {
    match store.run(&Query::Describe).await.unwrap() {
        Answer::Described(description) => description,
        other => panic!("{other:?}"),
    }
}

/// An event as the fixtures write it.
fn as_json(event: &RenewalEvent) -> Value {
    let columns = KEYS.iter().map(|key| Column::new(key)).collect();
    let mut writer = RowWriter::new(Vec::new(), Format::Ndjson, columns, false);
    writer.row(&data_cells(event)).unwrap();
    let mut value: Value = serde_json::from_slice(&writer.finish().unwrap()).unwrap();
    if let Some(severity) = event.severity() {
        value["severity"] = severity.raw().into();
    }
    if event.reason_inferred() {
        value["reason_inferred"] = true.into();
    }
    value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_is_read_as_its_fixture_says() {
    for case in CASES {
        let loaded = load(case.directory).await;
        let profiles = changed(case);
        let named = profiles.named.clone();
        let store = open(&loaded.address, profiles).await.unwrap();
        let found = describe(&store).await;
        assert_eq!(found.profile, named.as_deref().unwrap_or(case.profile), "{}", case.directory);

        let text = std::fs::read_to_string(fixture(case.directory).join(case.expected)).unwrap();
        let expected: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let rows = whole(&store, &Criteria::default()).await;
        for (n, (row, expected)) in rows.iter().zip(&expected).enumerate() {
            assert_eq!(&as_json(row), expected, "{} row {}", case.directory, n + 1);
        }
        assert_eq!(rows.len(), expected.len(), "{}", case.directory);
        assert_eq!(
            (found.newest, found.oldest),
            (rows.first().map(|r| r.created_at), rows.last().map(|r| r.created_at))
        );

        pages(&store, &rows, case.directory).await;
        filters(&store, &rows, case).await;
        queries(&store, &rows, case.directory).await;
        investigations(&store, &rows, case.directory).await;
        if case.profile == "flightctl" {
            schema::index(&loaded.address).await.unwrap();
            let store = open(&loaded.address, changed(case)).await.unwrap();
            let pair = Pair::new(&store, rows.clone());
            pair.sweeps(&[1, 3, 2000]).await;
            pair.these(&rows.iter().map(|row| row.device_id.clone()).collect::<Vec<_>>()).await;
            pair.around(3, (2, 1)).await;
            pair.around(2000, (8, 8)).await;
        }
        let budget = Some(SearchBudget { time: Duration::ZERO, first_slice: 5 });
        let options =
            ConnectOptions { profiles: Arc::new(changed(case)), search_budget: budget, ..ConnectOptions::default() };
        let hurried = Store::connect(&loaded.address, &options).await.unwrap();
        for filter in ["type:failed", "error:*", "type:*e*", "-type:renewal"] {
            in_parts(&hurried, &rows, filter, case.directory).await;
        }
    }
}

/// A search that is given no time comes back in parts, in both directions, and in the end whole.
async fn in_parts(store: &Store, rows: &[Arc<RenewalEvent>], filter: &str, name: &str) {
    let wanted = criteria(filter);
    let expected: Vec<_> = rows.iter().filter(|r| wanted.matches(r)).map(|r| r.id.clone()).collect();
    for first in [Anchor::Newest, Anchor::Oldest] {
        let mut found: Vec<Arc<RenewalEvent>> = Vec::new();
        let mut anchor = Some(first);
        while let Some(at) = anchor {
            let page = page(store, &wanted, at.clone(), 7).await;
            anchor = page.onward(&at);
            let end = if at.is_older() { found.len() } else { 0 };
            found.splice(end..end, page.rows);
        }
        let found: Vec<_> = found.iter().map(|r| r.id.clone()).collect();
        assert_eq!(found, expected, "{name} {filter}");
    }
}

/// Walked in small pages in both directions, the rows are the same.
async fn pages(store: &Store, rows: &[Arc<RenewalEvent>], name: &str) {
    let ids = |rows: &[Arc<RenewalEvent>]| rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
    let mut forth = Vec::new();
    let mut anchor = Some(Anchor::Newest);
    while let Some(at) = anchor {
        let page = page(store, &Criteria::default(), at.clone(), 7).await;
        anchor = page.onward(&at);
        forth.extend(page.rows);
    }
    assert_eq!(ids(&forth), ids(rows), "{name}, towards older rows");
    let mut back: Vec<Arc<RenewalEvent>> = Vec::new();
    let mut anchor = Some(Anchor::Oldest);
    while let Some(at) = anchor {
        let page = page(store, &Criteria::default(), at.clone(), 7).await;
        anchor = page.onward(&at);
        back.splice(0..0, page.rows);
    }
    assert_eq!(ids(&back), ids(rows), "{name}, towards newer rows");
    let middle = rows[rows.len() / 2].created_at;
    let at = page(store, &Criteria::default(), Anchor::At(middle), 5).await;
    assert_eq!(at.rows[0].created_at, middle, "{name}");
    tail(store, rows, (rows[rows.len() / 2].cursor().at, name)).await;
}

/// What a tail reads, by time as the table stores it and where rows are numbered by number, in small parts.
async fn tail(store: &Store, rows: &[Arc<RenewalEvent>], (from, name): (Instant, &str)) {
    let Answer::Tail(TailAnswer::Horizon(horizon)) = store.run(&Query::Tail(TailQuery::Horizon)).await.unwrap() else {
        panic!()
    };
    let mut slices = vec![TimeSlice::Time { from, after: None, until: None }];
    slices.extend(horizon.serial.map(|_| TimeSlice::Serial { after: 0, until: None }));
    for slice in slices {
        let by_time = matches!(slice, TimeSlice::Time { .. });
        let expected = rows.iter().filter(|r| !by_time || r.cursor().at >= from).count();
        let mut seen = std::collections::HashSet::new();
        let mut next = Some(slice);
        while let Some(slice) = next.take() {
            let query = TailQuery::Rows { criteria: Criteria::default(), slice: slice.clone(), limit: 7, whole: false };
            let Answer::Tail(TailAnswer::Rows(found)) = store.run(&Query::Tail(query)).await.unwrap() else { panic!() };
            seen.extend(found.rows.iter().map(|r| r.row.id.clone()));
            next = found.more.map(|(place, id)| match slice {
                TimeSlice::Time { from, until, .. } => {
                    TimeSlice::Time { from, after: Some(Cursor { at: Instant::from_pg_micros(place), id }), until }
                }
                TimeSlice::Serial { until, .. } => TimeSlice::Serial { after: place, until },
            });
        }
        assert_eq!(seen.len(), expected, "{name}");
    }
    if name == "ca-sqlite" {
        assert!(horizon.serial.is_some(), "{name}");
    }
    assert_eq!(horizon.overlap, Span::seconds(15), "{name}");
}

/// What the database finds is what memory keeps, and what the source cannot answer is rejected.
async fn filters(store: &Store, rows: &[Arc<RenewalEvent>], case: &Case) {
    let common = [
        "",
        "type:failed",
        "-type:failed",
        "type:success",
        "type:start",
        "type:renewal",
        "type:renewal_success",
        "type:*e*",
        "-type:renewal",
        "severity:error",
        "-severity:error,critical",
        "severity:*",
        "reason:expired",
        "-reason:expired",
        "reason:*",
        "error:*",
        "-error:*",
        "sig:*",
        "-sig:*",
        "-sig:d11aa8c0f0",
        "timeout",
        "expired",
        "device:*",
        "-device:*",
        "device:*1*",
        "org:*",
        "-org:*",
        "org:*e*",
        "expires:<400d",
        "-expires:past",
        "expires:none",
        "extends:>=1d",
        "since:2026-11-18T12:00:00Z",
        "time:2026-11-18T00:00:00Z..2026-11-19T06:00:00Z",
        "id:*",
    ];
    for filter in common.iter().copied().chain(case.filters.iter().map(|(filter, _)| *filter)) {
        let wanted = criteria(filter);
        let query = Query::WholePage { criteria: wanted.clone(), anchor: Anchor::Newest, limit: 100_000 };
        let stated = case.filters.iter().find(|(f, _)| *f == filter).map(|(_, outcome)| *outcome);
        let answer = match (store.run(&query).await, stated) {
            (Err(e), Some(Err(why))) => {
                assert!(e.to_string().contains(why), "{filter}: {e}");
                continue;
            }
            // A source cannot answer for what it lacks; which that is, the table above says in part.
            (Err(SourceError::Unfit(_)), None) => continue,
            (answer, _) => answer.unwrap_or_else(|e| panic!("{} {filter}: {e}", case.directory)),
        };
        let Answer::Page(found) = answer else { panic!() };
        let ids: Vec<_> = found.rows.iter().map(|r| r.id.clone()).collect();
        let expected: Vec<_> = rows.iter().filter(|r| wanted.matches(r)).map(|r| r.id.clone()).collect();
        assert_eq!(ids, expected, "{} {filter}", case.directory);
        if let Some(Ok(n)) = stated {
            assert_eq!(ids.len() as u64, n, "{} {filter}", case.directory);
        }
        let count = store.run(&Query::Count { criteria: wanted, ceiling: None }).await.unwrap();
        assert_eq!(count, Answer::Count(Total::Exact(expected.len() as u64)), "{} {filter}", case.directory);
    }
}

/// Slices are what memory says; so are single devices and places, and several are refused for want of an index.
async fn investigations(store: &Store, rows: &[Arc<RenewalEvent>], name: &str) {
    let pair = Pair::new(store, rows.to_vec());
    pair.slices(&Criteria::default(), &[1, 7, 200]).await;
    for filter in ["type:failed", "-type:success", "reason:*", "since:2026-11-18T12:00:00Z", "error:*", "device:*1*"] {
        let query = SliceQuery { criteria: criteria(filter), after: None, limit: 1 };
        let page = Query::Page { criteria: criteria(filter), anchor: Anchor::Newest, limit: 1 };
        match (store.run(&Query::Slice(query)).await, store.run(&page).await) {
            // What a page cannot filter by, a slice cannot either.
            (Err(why), Err(same)) => assert_eq!(why, same, "{name} {filter}"),
            (answer, _) => {
                answer.unwrap_or_else(|e| panic!("{name} {filter}: {e}"));
                pair.slices(&criteria(filter), &[7, 200]).await;
            }
        }
    }
    for row in rows.iter().step_by(3) {
        pair.these(std::slice::from_ref(&row.device_id)).await;
    }
    pair.around(1, (3, 1)).await;
    let place = |row: &Arc<RenewalEvent>| Place { device: row.device_id.clone(), at: row.cursor() };
    let places = NeighborsQuery { of: rows.iter().map(place).collect(), before: 1, after: 0 };
    let sweep = FleetQuery::Sweep { after: None, limit: 10 };
    let these = FleetQuery::These(rows.iter().map(|row| row.device_id.clone()).collect());
    for query in [Query::Neighbors(places), Query::Fleet(sweep), Query::Fleet(these)] {
        let why = refused(store.run(&query).await);
        let words = if name.starts_with("flightctl") { "'renewscope db index' makes it" } else { "no index can help" };
        assert!(matches!(&why, SourceError::Unfit(why) if why.contains(words)), "{name}: {why:?}");
    }
}

/// Values of each field, the histogram and single events add up to the rows.
async fn queries(store: &Store, rows: &[Arc<RenewalEvent>], name: &str) {
    for field in [Field::Kind, Field::Org, Field::Device, Field::Reason, Field::Error] {
        let query =
            FacetQuery { field, criteria: Criteria::default(), needle: String::new(), limit: 1000, ceiling: 100_000 };
        let Answer::Facets(facets) = store.run(&Query::Facets(query)).await.unwrap() else { panic!() };
        let sum: u64 = facets.values.iter().map(|f| if let Total::Exact(n) = f.rows { n } else { 0 }).sum();
        let nothing = facets.values.is_empty();
        assert!(nothing || sum == rows.len() as u64, "{name} {field:?}: {sum}");
    }
    let from = rows.last().unwrap().created_at;
    let span = rows[0].created_at.since(from).unwrap().0;
    let query = HistogramQuery { criteria: Criteria::default(), from, width_micros: span / 9 + 1, buckets: 10 };
    let Answer::Histogram(histogram) = store.run(&Query::Histogram(query)).await.unwrap() else { panic!() };
    let mut sums = [0; 4];
    for bucket in &histogram.buckets {
        sums.iter_mut().zip(bucket).for_each(|(sum, n)| *sum += n);
    }
    let mut expected = [0; 4];
    for row in rows {
        let place = Outcome::ALL.iter().position(|o| *o == row.outcome()).unwrap();
        expected[place] += 1;
    }
    assert_eq!(sums, expected, "{name}");
    for row in [&rows[0], &rows[rows.len() - 1]] {
        let Answer::Event(Some(one)) = store.run(&Query::Event { id: row.id.clone() }).await.unwrap() else { panic!() };
        assert_eq!(as_json(&one), as_json(row), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namesake_is_claimed_by_no_profile() {
    let loaded = load("aws-cert-assistant-initial").await;
    let store = open(&loaded.address, Profiles::default()).await.unwrap();
    let message = refused(store.run(&Query::Describe).await).to_string();
    assert!(message.contains("'aws-cert-assistant' nearly fits: relation 'audit_logs' has no column"), "{message}");
}

/// The blocks of a page of the documentation that are marked as being of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_of_the_documentation_works_as_it_stands() {
    let (tables, files) = (blocks("docs/profiles.md", "sql"), blocks("docs/profiles.md", "toml"));
    let ([table], [file]) = (tables.as_slice(), files.as_slice()) else { panic!("one table and one profile") };
    let url = pg::empty().await;
    pg::execute(&url, table).await;
    let beds = [Loaded { address: Address::parse(&url).unwrap(), url: None, _dir: None }, sqlite(table).await];
    for loaded in beds {
        let mut profiles = Profiles::default();
        profiles.all.push(Arc::new(SourceProfile::parse("cron-jobs.toml", file).unwrap()));
        let profile = profiles.all.last().unwrap().clone();
        let report = check(&loaded.address, &profiles, &profile).await.unwrap();
        let by_index = |name: &str| report.lines.iter().any(|l| l.name == name && l.state == "by index");
        assert!(report.fits && by_index("the newest events") && by_index("the events before one"), "{report:?}");
        let sample = report.sample.unwrap();
        assert_eq!(sample.id.raw(), "2026-11-20/web-3/1");

        let store = open(&loaded.address, profiles).await.unwrap();
        assert_eq!(describe(&store).await.profile, "cron-jobs");
        let rows = whole(&store, &Criteria::default()).await;
        let actual: Vec<_> = rows
            .iter()
            .map(|r| {
                let error = r.error.as_ref().map(|e| e.text.raw().to_owned());
                let times =
                    (r.created_at.rfc3339(), r.old_expiry.map(Instant::rfc3339), r.new_expiry.map(Instant::rfc3339));
                (
                    r.device_id.raw(),
                    r.org_id.as_ref().map(|o| o.raw()),
                    r.kind.raw().to_owned(),
                    r.outcome(),
                    error,
                    times,
                )
            })
            .collect();
        let old = || Some("2026-12-20T00:00:00Z".to_owned());
        let text = |t: &str| t.to_owned();
        let expected = [
            (text("web-3"), None, text("check"), Outcome::Other, None, (text("2026-11-20T11:00:01Z"), old(), None)),
            (
                text("web-2"),
                Some(text("berlin")),
                text("renewal"),
                Outcome::Failed,
                Some(text("order is not ready")),
                (text("2026-11-20T11:00:00.25Z"), old(), None),
            ),
            (
                text("web-1"),
                Some(text("berlin")),
                text("renewal"),
                Outcome::Succeeded,
                None,
                (text("2026-11-20T11:00:00Z"), old(), Some(text("2027-12-20T00:00:00Z"))),
            ),
        ];
        assert_eq!(actual, expected);
        for (filter, devices) in [
            ("type:failed org:berlin", "web-2"),
            ("type:success", "web-1"),
            ("-type:failed", "web-3 web-1"),
            ("type:check", "web-3"),
            ("type:renewal", "web-2 web-1"),
            ("-org:*", "web-3"),
            ("device:web-* -error:*", "web-3 web-1"),
            ("since:2026-11-20T11:00:00.2Z", "web-3 web-2"),
            ("until:2026-11-20T11:00:00.25Z", "web-1"),
            ("extends:>=365d", "web-1"),
        ] {
            let found = whole(&store, &criteria(filter)).await;
            let found: Vec<_> = found.iter().map(|r| r.device_id.raw()).collect();
            assert_eq!(found.join(" "), devices, "{filter}");
        }
        let Answer::Event(Some(one)) = store.run(&Query::Event { id: rows[1].id.clone() }).await.unwrap() else {
            panic!()
        };
        let more = one.beyond.as_ref().unwrap().more.clone().unwrap();
        assert_eq!((more[0].0.as_ref(), more[0].1.raw()), ("script", "/opt/renew"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_several_profiles_fit_one_is_chosen() {
    let loaded = load("flightctl-code").await;
    let mut profiles = Profiles::default();
    let flightctl = profiles.all.iter().find(|p| p.name == "flightctl").unwrap().clone();
    let text = flightctl.text.replacen("name = \"flightctl\"", "name = \"fleet\"", 1);
    profiles.all.push(Arc::new(SourceProfile::parse("fleet.toml", &text).unwrap()));
    let message = refused(open(&loaded.address, profiles.clone()).await.map(drop));
    assert!(matches!(&message, SourceError::Unfit(_)), "{message:?}");
    assert!(message.to_string().contains("'flightctl', 'fleet'; choose one with '--source NAME'"), "{message}");
    for (name, found) in
        [("fleet", Ok("fleet")), ("fleeet", Err("did you mean 'fleet'?")), ("sirius", Err("'events' not found"))]
    {
        profiles.named = Some(name.into());
        let opened = open(&loaded.address, profiles.clone()).await;
        match (found, opened) {
            (Ok(found), Ok(store)) => assert_eq!(describe(&store).await.profile, found),
            (Err(why), Err(message)) => assert!(message.to_string().contains(why), "{message}"),
            (Err(why), Ok(store)) => {
                let message = refused(store.run(&Query::Describe).await).to_string();
                assert!(message.contains(why), "{message}");
            }
            (Ok(_), Err(e)) => panic!("{e}"),
        }
    }
    // Our own tables are known as such, even if other profiles fit them.
    profiles.named = None;
    let own = Address::parse(&pg::migrated().await).unwrap();
    let store = open(&own, profiles).await.unwrap();
    assert_eq!(describe(&store).await.profile, "own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_and_types_of_another_source_are_found_by_a_part_of_their_name() {
    for (directory, needle, having) in [("ca-sqlite", "o=acme", "O=Acme"), ("sirius", "10.0", "10.0")] {
        let loaded = load(directory).await;
        let store = open(&loaded.address, Profiles::default()).await.unwrap();
        let query = FacetQuery {
            field: Field::Device,
            criteria: Criteria::default(),
            needle: needle.into(),
            limit: 50,
            ceiling: 100_000,
        };
        let Answer::Facets(facets) = store.run(&Query::Facets(query)).await.unwrap() else { panic!() };
        let all = facets.values.iter().all(|f| f.id.as_ref().is_some_and(|id| id.raw().contains(having)));
        assert!(!facets.values.is_empty() && all, "{directory}: {facets:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_built_in_profile_pages_by_an_index() {
    for case in CASES.iter().filter(|c| c.change.is_none()) {
        let loaded = load(case.directory).await;
        let profiles = Profiles::default();
        let profile = profiles.all.iter().find(|p| p.name == case.profile).unwrap().clone();
        let report = check(&loaded.address, &profiles, &profile).await.unwrap();
        for name in ["the newest events", "the events before one", "what is new", "one event"] {
            let line = report.lines.iter().find(|l| l.name == name).unwrap();
            assert_eq!(line.state, "by index", "{} {name}: {}", case.directory, line.detail);
        }
    }
}

/// Rows as each system's writer adds them while somebody follows: late, at seconds that are stored already, through another
/// zone. The comment of the statements names the ids that must be printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_rows_of_every_source_are_told_once() {
    // In UTC the rows of a writer in New York are five hours old when they are written; that zone has a separate case.
    let cases = CASES.iter().filter(|c| c.directory != "flightctl-prd" || c.change.is_some());
    for case in cases {
        let loaded = load(case.directory).await;
        let store = open(&loaded.address, changed(case)).await.unwrap();
        let mut tail = Tail::start(&store, Criteria::default(), Start::Now);
        tail.begun().await;
        let late = std::fs::read_to_string(fixture(case.directory).join("late.sql")).unwrap();
        let ids: Vec<String> = late
            .lines()
            .filter_map(|line| line.strip_prefix("--   "))
            .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
            .collect();
        assert_eq!(ids.len(), 3, "{}", case.directory);
        loaded.execute(&late).await;
        tail.until(|t| t.sent.len() >= ids.len()).await;
        let mut sent: Vec<_> = tail.sent.iter().map(|(id, times)| (id.raw(), *times)).collect();
        let mut expected: Vec<_> = ids.into_iter().map(|id| (id, 1)).collect();
        sent.sort();
        expected.sort();
        assert_eq!(sent, expected, "{}", case.directory);
    }
}
