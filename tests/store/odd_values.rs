//! One odd row hides nothing: every column of a foreign table with every kind of odd value. The good row beside it is always
//! there; the odd one is there, or counted.

use std::sync::Arc;

use renewscope::domain::event::{ErrorText, Id, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, SigMatch};
use renewscope::domain::instant::Instant;
use renewscope::domain::page::{Anchor, Page, Total};
use renewscope::domain::text::Text;
use renewscope::profile::SourceProfile;
use renewscope::profile::choice::Profiles;
use renewscope::protocol::fleet::{DeviceRows, FleetQuery, NeighborsQuery, Place};
use renewscope::protocol::query::{FacetQuery, Facets, Field, HistogramQuery};
use renewscope::protocol::tail::{TailAnswer, TailQuery, TimeSlice};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Address, ConnectOptions, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection, Executor as _, SqliteConnection};

use super::bed::{Bed, all_of, at, event, none_of};
use super::investigations;
use super::pg;

const PROFILE: &str = r#"
name = "odd"
database = ["postgres", "sqlite"]
[relation]
table = "odd"
[fields]
id = { column = "key", type = "text" }
device = { column = "host", type = "text" }
org = { column = "site", type = "text" }
type = { column = "step" }
reason = { column = "why" }
error = { column = "message" }
severity = { column = "sev" }
time = { column = "at", TIME }
old-expiry = { column = "old_at", TIME }
new-expiry = { column = "new_at", TIME }
"#;

const COLUMNS: [&str; 10] = ["key", "at", "host", "site", "step", "why", "message", "sev", "old_at", "new_at"];
/// 2026-11-20 12:00 UTC in seconds.
const NOON: i64 = 1_795_176_000;

/// Values that a SQLite column may hold, regardless of its type.
const SQLITE_VALUES: [&str; 31] = [
    "NULL",
    "''",
    "'text'",
    "'5'",
    "'2026-11-20T12:00:00Z'",
    "0",
    "5",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "1795176000",
    "1795176000.5",
    "1795176000.123456789",
    "0.1",
    "9e999",
    "-9e999",
    "1e300",
    "x''",
    "x'00'",
    "x'ff'",
    "x'616263'",
    "zeroblob(16)",
    "zeroblob(100000)",
    "CAST(x'61ff62' AS TEXT)",
    "CAST(x'e9' AS TEXT)",
    "CAST(x'6f6b00485f4944' AS TEXT)",
    "CAST(x'00' AS TEXT)",
    "char(8238) || 'exe.' || char(27) || '[31m'",
    "char(65534)",
    "hex(zeroblob(100000))",
    "'a' || char(10) || 'b'",
];

async fn open(address: &Address, time: &str) -> Store {
    let profile = SourceProfile::parse("odd.toml", &PROFILE.replace("TIME", time)).unwrap();
    let profiles = Profiles { all: vec![Arc::new(profile)], named: None };
    let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
    Store::connect(address, &options).await.unwrap()
}

async fn page(store: &Store, query: Query, case: &str) -> Page {
    match store.run(&query).await {
        Ok(Answer::Page(page)) => page,
        other => panic!("{case}: {other:?}"),
    }
}

/// The rows of every way through the table, all of which must agree; and how many cannot be shown.
async fn shown(store: &Store, case: &str) -> (Vec<Arc<RenewalEvent>>, u64) {
    let whole = |anchor| Query::WholePage { criteria: Criteria::default(), anchor, limit: 10 };
    let head = |anchor, limit| Query::Page { criteria: Criteria::default(), anchor, limit };
    let ids = |rows: &[Arc<RenewalEvent>]| rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
    let all = page(store, head(Anchor::Newest, 10), case).await;
    let oldest = page(store, head(Anchor::Oldest, 10), case).await;
    assert_eq!(ids(&all.rows), ids(&oldest.rows), "{case}");
    assert_eq!(ids(&all.rows), ids(&page(store, whole(Anchor::Newest), case).await.rows), "{case}");
    for start in [Anchor::Newest, Anchor::Oldest] {
        let (mut walked, mut next) = (Vec::new(), Some(start));
        while let Some(anchor) = next {
            let page = page(store, head(anchor.clone(), 1), case).await;
            walked.extend(page.rows.iter().map(|r| r.id.clone()));
            assert!(walked.len() < 10, "{case}: the pages do not end");
            next = page.onward(&anchor);
        }
        walked.sort();
        let mut expected = ids(&all.rows);
        expected.sort();
        assert_eq!(walked, expected, "{case}: page by page");
    }
    (all.rows, all.unreadable)
}

/// A filter on each listed signature finds the rows that the list counts.
async fn signed(store: &Store, facets: &Facets, case: &str) {
    for value in &facets.values {
        let sig = value.word(Field::Error).map(|id| SigMatch::Is(id.parse().unwrap()));
        let criteria = match sig {
            Some(sig) => all_of([Check::Sig(vec![sig])]),
            None => none_of([Check::Sig(vec![SigMatch::Any])]),
        };
        match store.run(&Query::Count { criteria: criteria.clone(), ceiling: None }).await {
            Ok(Answer::Count(total)) => assert_eq!(total, value.rows, "{case}: {value:?}"),
            other => panic!("{case}: {other:?}"),
        }
        let found = page(store, Query::Page { criteria, anchor: Anchor::Newest, limit: 10 }, case).await;
        for row in &found.rows {
            let sig = row.error.as_ref().and_then(ErrorText::sig).map(|sig| sig.to_string());
            assert_eq!(sig, value.word(Field::Error), "{case}");
        }
    }
}

/// Every query succeeds, and counts agree with the rows.
async fn counted(store: &Store, rows: usize, unreadable: u64, case: &str) {
    let criteria = Criteria::default;
    let total = match store.run(&Query::Count { criteria: criteria(), ceiling: None }).await {
        Ok(Answer::Count(Total::Exact(n))) => n,
        other => panic!("{case}: {other:?}"),
    };
    assert!(total >= rows as u64 && total <= rows as u64 + unreadable, "{case}: {total} of {rows}");
    for field in [Field::Kind, Field::Reason, Field::Error, Field::Org, Field::Device] {
        let query = FacetQuery { field, criteria: criteria(), needle: String::new(), limit: 10, ceiling: 100 };
        match store.run(&Query::Facets(query)).await {
            Ok(Answer::Facets(facets)) => {
                let sum: u64 = facets.values.iter().map(|f| if let Total::Exact(n) = f.rows { n } else { 0 }).sum();
                assert_eq!(sum, total, "{case}: {field:?} {:?}", facets.values);
                if field == Field::Error {
                    signed(store, &facets, case).await;
                }
            }
            other => panic!("{case}: {other:?}"),
        }
    }
    let from = Instant::from_unix_micros((NOON - 3600) * 1_000_000);
    let query = HistogramQuery { criteria: criteria(), from, width_micros: 3_600_000_000, buckets: 2 };
    match store.run(&Query::Histogram(query)).await {
        Ok(Answer::Histogram(h)) => assert!(h.buckets.iter().flatten().sum::<u64>() >= 1, "{case}"),
        other => panic!("{case}: {other:?}"),
    }
    let known = Query::Event { id: Id::Text(Text::from("good")) };
    match store.run(&known).await {
        Ok(Answer::Event(Some(event))) => assert_eq!(event.id.raw(), "good", "{case}"),
        other => panic!("{case}: {other:?}"),
    }
    store.run(&Query::Describe).await.unwrap_or_else(|e| panic!("{case}: {e}"));
}

/// The tail reads the good row, by time and by number.
async fn tailed(store: &Store, case: &str) {
    let horizon = store.run(&Query::Tail(TailQuery::Horizon)).await.unwrap_or_else(|e| panic!("{case}: {e}"));
    let Answer::Tail(TailAnswer::Horizon(horizon)) = horizon else { panic!("{case}") };
    let from = Instant::from_unix_micros((NOON - 60) * 1_000_000);
    let mut slices = vec![TimeSlice::Time { from, after: None, until: None }];
    slices.extend(horizon.serial.map(|_| TimeSlice::Serial { after: 0, until: None }));
    for slice in slices {
        let rows = TailQuery::Rows { criteria: Criteria::default(), slice: slice.clone(), limit: 10, whole: true };
        match store.run(&Query::Tail(rows)).await {
            Ok(Answer::Tail(TailAnswer::Rows(rows))) => {
                assert!(rows.rows.iter().any(|r| r.row.id.raw() == "good"), "{case}: {slice:?} {rows:?}");
            }
            other => panic!("{case}: {other:?}"),
        }
        let keys = TailQuery::Keys { criteria: Criteria::default(), slice, limit: 10 };
        store.run(&Query::Tail(keys)).await.unwrap_or_else(|e| panic!("{case}: {e}"));
    }
}

async fn check(store: &Store, case: &str) {
    let (rows, unreadable) = shown(store, case).await;
    assert!(rows.iter().any(|r| r.id.raw() == "good"), "{case}: the good row is hidden");
    assert_eq!(rows.len() as u64 + unreadable, 2, "{case}: the odd row is neither shown nor counted: {rows:?}");
    counted(store, rows.len(), unreadable, case).await;
    tailed(store, case).await;
    investigated(store, &rows, case).await;
}

/// Slices have the same rows; the good row is found with its device, and a sweep ends.
async fn investigated(store: &Store, rows: &[Arc<RenewalEvent>], case: &str) {
    let ids = |rows: &[Arc<RenewalEvent>]| rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
    let expected: Vec<_> = ids(rows).into_iter().rev().collect();
    for limit in [1, 10] {
        let found = investigations::slice(store, &Criteria::default(), limit).await;
        assert_eq!(ids(&found.rows), expected, "{case}: slices of {limit}");
    }
    let good = rows.iter().find(|r| r.id.raw() == "good").unwrap();
    let is_good = |device: &DeviceRows| ids(&device.rows).contains(&good.id);
    if let Some(device) = good.device_id() {
        let these = Query::Fleet(FleetQuery::These(vec![device.clone()]));
        match store.run(&these).await {
            Ok(Answer::Fleet(fleet)) => assert!(fleet.devices.iter().any(is_good), "{case}: {fleet:?}"),
            other => panic!("{case}: {other:?}"),
        }
        let place = Place { device: device.clone(), at: good.cursor() };
        let around = NeighborsQuery { of: vec![place], before: 1, after: 1 };
        investigations::neighbors(store, around).await.unwrap_or_else(|e| panic!("{case}: {e}"));
    }
    match store.run(&Query::Fleet(FleetQuery::Sweep { after: None, limit: 1 })).await {
        Err(SourceError::Unfit(_)) => {}
        _ => assert!(investigations::sweep(store, 1).await.iter().any(is_good), "{case}"),
    }
}

/// The values of an INSERT of the odd row, one column of which is given.
fn odd_row(column: &str, value: &str, time: impl Fn(i64) -> String) -> String {
    let plain = |name: &&str| match *name {
        "key" => "'odd'".to_owned(),
        "at" | "old_at" | "new_at" => time(NOON + 1),
        other => format!("'{other}'"),
    };
    let values: Vec<_> = COLUMNS.iter().map(|c| if *c == column { value.to_owned() } else { plain(c) }).collect();
    values.join(", ")
}

async fn sqlite(path: &std::path::Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn matrix_of_sqlite(columns: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.db");
    let mut conn = sqlite(&path).await;
    let made = format!(
        "CREATE TABLE odd ({columns}); CREATE INDEX odd_at ON odd (at); CREATE INDEX odd_host ON odd (host, at, key);"
    );
    conn.execute(sqlx::raw_sql(AssertSqlSafe(made))).await.unwrap();
    for column in COLUMNS {
        for value in SQLITE_VALUES {
            let case = format!("{columns}: {column} = {value}");
            let good = format!("'good', {NOON}, 'host', 'site', 'step', 'why', 'message', 'sev', {NOON}, {NOON}");
            let odd = odd_row(column, value, |t| t.to_string());
            let rows = format!("DELETE FROM odd; INSERT INTO odd VALUES ({good}), ({odd});");
            conn.execute(sqlx::raw_sql(AssertSqlSafe(rows))).await.unwrap();
            let store = open(&Address::sqlite(&path), "type = \"unix-seconds\"").await;
            check(&store, &case).await;
            store.close().await;
        }
    }
    conn.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_odd_value_in_every_typed_column_of_sqlite() {
    matrix_of_sqlite(
        "key TEXT, at INTEGER, host TEXT, site TEXT, step TEXT, why TEXT, message TEXT, sev TEXT, old_at INTEGER, \
         new_at INTEGER",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_odd_value_in_every_untyped_column_of_sqlite() {
    matrix_of_sqlite("key, at, host, site, step, why, message, sev, old_at, new_at").await;
}

/// Types of PostgreSQL for a column that holds texts, each with an odd value of it; the good row has NULL or `'good'`.
const POSTGRES_TEXTS: [(&str, &str); 30] = [
    ("text", "NULL"),
    ("text", "''"),
    ("text", r"E'\x01\x1b[31m\x7f'"),
    ("text", "U&'\\202e\\fffe'"),
    ("text", "repeat('x', 1000000)"),
    ("varchar(3)", "'abc'"),
    ("char(5)", "'a'"),
    ("name", "'a'"),
    ("mood", "'sad'"),
    ("short", "'abc'"),
    ("\"char\"", "'x'"),
    ("jsonb", "'{\"a\": [1, null]}'"),
    ("json", "'[1,2]'"),
    ("int2", "-32768"),
    ("int4", "5"),
    ("int8", "9223372036854775807"),
    ("oid", "4294967295"),
    ("numeric", "'NaN'"),
    ("real", "'NaN'"),
    ("double precision", "'-Infinity'"),
    ("boolean", "true"),
    ("bytea", "'\\x61ff62'"),
    ("uuid", "'00000000-0000-0000-0000-000000000001'"),
    ("date", "'infinity'"),
    ("timestamptz", "'-infinity'"),
    ("interval", "'1 day'"),
    ("inet", "'::1'"),
    ("text[]", "'{a,NULL}'"),
    ("bit(3)", "B'101'"),
    ("money", "1"),
];

/// Odd times, in each type of time that PostgreSQL has.
const POSTGRES_TIMES: [&str; 26] = [
    "NULL",
    "'infinity'",
    "'-infinity'",
    "'4713-01-01 00:00:00 BC'",
    "'0044-03-15 12:00:00 BC'",
    "'0001-01-01'",
    "'0001-12-31 23:59:59.999999 BC'",
    "'1582-10-10'",
    "'1900-01-01'",
    "'1969-12-31 23:59:59.999999'",
    "'1970-01-01'",
    "'1999-12-31 23:59:60'",
    "'2000-01-01'",
    "'2000-01-01 00:00:00.000001'",
    "'1999-12-31 23:59:59.999999'",
    "'2026-03-29 02:30:00'",
    "'2026-10-25 02:30:00'",
    "'2026-11-20 12:00:00.000001'",
    "'2038-01-19 03:14:08'",
    "'2106-02-07 06:28:16'",
    "'9999-12-31 23:59:59.999999'",
    "'10000-01-01'",
    "'99999-12-31'",
    "'200000-02-29'",
    "'294246-12-31 23:59:59.999999'",
    "'294276-12-31 23:59:59.999999'",
];

fn postgres_time(seconds: i64) -> String {
    format!("to_timestamp({seconds})")
}

/// A table whose one column has this type, with a good row and an odd one.
async fn check_postgres(url: &str, column: &str, ty: &str, value: &str) {
    let case = format!("{column} {ty} = {value}");
    let types = COLUMNS.map(|c| match c {
        c if c == column => format!("{c} {ty}"),
        "at" | "old_at" | "new_at" => format!("{c} timestamptz"),
        c => format!("{c} text"),
    });
    let odd = odd_row(column, value, postgres_time);
    let good = odd_row(column, if column == "at" { "to_timestamp(1795176000)" } else { "NULL" }, postgres_time);
    let good = match column {
        // The good row has an id of the type: its own value, or that of a text.
        "key" if ty == "text" => good.replacen("NULL", "'good'", 1),
        _ => good.replacen("'odd'", "'good'", 1),
    };
    let made = format!(
        "DROP TABLE IF EXISTS odd; CREATE TABLE odd ({}); INSERT INTO odd VALUES ({good}), ({odd});",
        types.join(", ")
    );
    pg::execute(url, &made).await;
    let store = open(&Address::parse(url).unwrap(), "zone = \"UTC\"").await;
    if column == "key" && ty != "text" {
        // The good row has no id here: the odd one is shown, and the other is counted.
        let (rows, unreadable) = shown(&store, &case).await;
        assert_eq!((rows.len(), unreadable), (1, 1), "{case}");
    } else {
        check(&store, &case).await;
    }
    store.close().await;
}

async fn postgres() -> String {
    let url = pg::empty().await;
    pg::execute(&url, "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN short AS varchar(9) CHECK (value <> 'x')")
        .await;
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_odd_value_in_every_text_column_of_postgres() {
    let url = postgres().await;
    for column in ["key", "host", "site", "step", "why", "message", "sev"] {
        for (ty, value) in POSTGRES_TEXTS {
            check_postgres(&url, column, ty, value).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_odd_value_in_every_time_column_of_postgres() {
    let url = postgres().await;
    for column in ["at", "old_at", "new_at"] {
        for value in POSTGRES_TIMES {
            check_postgres(&url, column, "timestamptz", value).await;
        }
    }
}

/// A database of the encoding SQL_ASCII, which stores any bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_a_database_without_an_encoding_are_marked() {
    let url = pg::empty().await;
    let (server, _) = url.rsplit_once('/').unwrap();
    let name = format!("{}_ascii", url.rsplit_once('/').unwrap().1);
    pg::execute(&url, &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")).await;
    let url = format!("{server}/{name}");
    let types = COLUMNS.map(|c| match c {
        "at" | "old_at" | "new_at" => format!("{c} timestamptz"),
        c => format!("{c} text"),
    });
    for column in ["key", "host", "site", "step", "why", "message", "sev"] {
        let odd = odd_row(column, r"E'caf\xe9'", postgres_time);
        let good = odd_row("key", "'good'", postgres_time);
        let made = format!(
            "DROP TABLE IF EXISTS odd; CREATE TABLE odd ({}); INSERT INTO odd VALUES ({good}), ({odd});",
            types.join(", ")
        );
        pg::execute(&url, &made).await;
        let store = open(&Address::parse(&url).unwrap(), "zone = \"UTC\"").await;
        check(&store, &format!("{column} of SQL_ASCII")).await;
        let (rows, _) = shown(&store, column).await;
        let text = format!("{rows:?}");
        assert_eq!(text.contains("caf⟨E9⟩"), column != "key", "{column}: {text}");
        store.close().await;
    }
}

/// Our own tables hold columns to their types, and texts to nothing more than being texts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_texts_in_our_own_tables_are_shown_and_marked() {
    let bed = Bed::sqlite().await;
    bed.fill(&[event("edge-1", "renewal_failed", at(0)), event("edge-2", "renewal_failed", at(1))]).await;
    let mut conn = sqlite(bed.address.path().unwrap()).await;
    for statement in [
        "UPDATE certificate_renewal_events SET error_message = CAST(x'61ff62' AS TEXT) WHERE rowid = 1",
        "UPDATE certificate_renewal_events SET reason = CAST(x'ff' AS TEXT) WHERE rowid = 1",
        "UPDATE certificate_renewal_events SET event_type = CAST(x'fe' AS TEXT) WHERE rowid = 1",
        "UPDATE devices SET name = CAST(x'65646765fd' AS TEXT) WHERE name = 'edge-1'",
        "UPDATE organizations SET name = CAST(x'fc' AS TEXT)",
    ] {
        conn.execute(statement).await.unwrap();
        let case = statement.to_owned();
        let reader = bed.reader().await;
        let (rows, unreadable) = shown(&reader, &case).await;
        assert_eq!((rows.len(), unreadable), (2, 0), "{case}");
        assert!(format!("{rows:?}").contains('⟨'), "{case}: {rows:?}");
        for field in [Field::Kind, Field::Reason, Field::Error, Field::Org, Field::Device] {
            let query =
                FacetQuery { field, criteria: Criteria::default(), needle: String::new(), limit: 10, ceiling: 100 };
            let Answer::Facets(facets) = reader.run(&Query::Facets(query)).await.unwrap() else { panic!("{case}") };
            let sum: u64 = facets.values.iter().map(|f| if let Total::Exact(n) = f.rows { n } else { 0 }).sum();
            assert_eq!(sum, 2, "{case}: {field:?} {:?}", facets.values);
        }
        let from = at(-3600);
        let query = HistogramQuery { criteria: Criteria::default(), from, width_micros: 7_200_000_000, buckets: 1 };
        let Answer::Histogram(h) = reader.run(&Query::Histogram(query)).await.unwrap() else { panic!("{case}") };
        assert_eq!(h.buckets.iter().flatten().sum::<u64>(), 2, "{case}");
        let slice = TimeSlice::Serial { after: 0, until: None };
        let tail = TailQuery::Rows { criteria: Criteria::default(), slice, limit: 10, whole: true };
        let Answer::Tail(TailAnswer::Rows(tail)) = reader.run(&Query::Tail(tail)).await.unwrap() else { panic!() };
        assert_eq!(tail.rows.len(), 2, "{case}");
    }
    let one = bed.all(&Criteria::default()).await.pop().unwrap();
    assert_eq!(one.error.as_ref().unwrap().text.raw(), "a⟨FF⟩b");
    assert_eq!((one.reason.as_ref().unwrap().raw(), one.kind.raw()), ("⟨FF⟩", "⟨FE⟩"));
    assert_eq!(one.device.as_ref().unwrap().raw(), "edge⟨FD⟩");
}

/// A NUL ends a text for some of SQLite's functions; what stands behind it is text nevertheless.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_behind_a_nul_is_searched_and_shown() {
    use renewscope::domain::filter::criteria::{Check, Pattern};
    let bed = Bed::sqlite().await;
    bed.fill(&[event("edge-1", "renewal_failed", at(0)), event("edge-2", "renewal_failed", at(1))]).await;
    let mut conn = sqlite(bed.address.path().unwrap()).await;
    conn.execute(
        "UPDATE certificate_renewal_events SET error_message = 'visible' || char(0) || 'HIDDENCAUSE', \
         reason = 'seen' || char(0) || 'unseen' WHERE rowid = 1",
    )
    .await
    .unwrap();
    let has = |x: &str| Check::Error(vec![Pattern::Contains(x.into())]);
    let cases = [
        (has("hiddencause"), 1),
        (has("blehid"), 0),
        (Check::Error(vec![Pattern::Is("visible".into())]), 0),
        (Check::Error(vec![Pattern::StartsWith("VISIBLE".into())]), 1),
        (Check::Error(vec![Pattern::EndsWith("cause".into())]), 1),
        (Check::Text("HiddenCause".into()), 1),
        (Check::Text("unseen".into()), 1),
        (Check::Reason(vec![Pattern::Is("seen".into())]), 0),
        (Check::Reason(vec![Pattern::EndsWith("unseen".into())]), 1),
        (Check::Reason(vec![Pattern::Contains("nsee".into())]), 1),
    ];
    for indexed in [false, true] {
        if indexed {
            renewscope::store::schema::index_search(&bed.address).await.unwrap();
        }
        let reader = bed.reader().await;
        for (check, expected) in &cases {
            for (criteria, expected) in [(all_of([check.clone()]), *expected), (none_of([check.clone()]), 2 - expected)]
            {
                let count = reader.run(&Query::Count { criteria: criteria.clone(), ceiling: None }).await.unwrap();
                assert_eq!(count, Answer::Count(Total::Exact(expected)), "indexed: {indexed}, {criteria:?}");
            }
        }
        let page =
            page(&reader, Query::Page { criteria: Criteria::default(), anchor: Anchor::Oldest, limit: 1 }, "").await;
        assert_eq!(page.rows[0].error.as_ref().unwrap().text.raw(), "visible\0HIDDENCAUSE");
    }
}

/// A filter may have thousands of values, and says how many are too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_values_in_a_filter_are_answered() {
    use renewscope::domain::filter::criteria::{Check, NameMatch, Pattern};
    for bed in [Bed::sqlite().await, Bed::postgres().await] {
        bed.fill(&[event("edge-1", "renewal_failed", at(0)), event("edge-2", "renewal_failed", at(1))]).await;
        let many = |n: usize| (0..n).map(|n| Pattern::Contains(format!("cause {n}"))).collect::<Vec<_>>();
        let names = |n: usize| (0..n).map(|n| NameMatch::Name(Pattern::Is(format!("edge-{n}")))).collect::<Vec<_>>();
        for (check, expected) in [
            (Check::Error(many(1100)), 0),
            (Check::Error(many(4000)), 0),
            (Check::Reason(many(1100)), 0),
            (Check::Device(names(3000)), 2),
            (Check::Org(names(3000)), 0),
            (Check::Id(names(1100)), 0),
        ] {
            assert_eq!(bed.count(&all_of([check.clone()]), None).await, Total::Exact(expected));
            assert_eq!(bed.count(&none_of([check]), None).await, Total::Exact(2 - expected));
        }
        let clauses = none_of((0..1100).map(|n| Check::Text(format!("cause {n}"))));
        assert_eq!(bed.count(&clauses, None).await, Total::Exact(2));
        let beyond = all_of([Check::Error(many(20_000))]);
        let refused = bed.store.run(&Query::Count { criteria: beyond, ceiling: None }).await.unwrap_err().to_string();
        assert!(refused.starts_with("the filter has 20000 values, and this database takes at most "), "{refused}");
    }
}

/// A text of any length costs a page no memory: its size is shown instead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_beyond_the_limit_is_shown_by_its_size() {
    for bed in [Bed::sqlite().await, Bed::postgres().await] {
        bed.fill(&[event("edge-1", "renewal_failed", at(0)), event("edge-2", "renewal_failed", at(1))]).await;
        let text = if bed.is_postgres() { "repeat('x', 20000000)" } else { "hex(zeroblob(10000000))" };
        let change = format!("UPDATE certificate_renewal_events SET error_message = {text} WHERE event_type <> ''");
        match &bed.url {
            Some(url) => pg::execute(url, &change).await,
            None => {
                let mut conn = sqlite(bed.address.path().unwrap()).await;
                conn.execute(sqlx::raw_sql(AssertSqlSafe(change))).await.unwrap();
            }
        }
        let whole = bed.all(&Criteria::default()).await;
        assert_eq!(whole.len(), 2);
        let marked = "⟨text of 20000000 bytes⟩";
        assert_eq!(whole[0].error.as_ref().unwrap().text.raw(), marked);
        let one = bed.store.get(None, &whole[0].id).await.unwrap().unwrap();
        assert_eq!(one.error.as_ref().unwrap().text.raw(), marked);
        let head = bed.page(&Criteria::default(), Anchor::Newest, 1).await.rows[0].error.clone().unwrap();
        // PostgreSQL cuts a long text where it is stored.
        assert!(head.text.raw() == marked || head.text.raw() == "x".repeat(400), "{head:?}");
    }
}
