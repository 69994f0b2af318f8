//! SQL and memory agree on foreign tables: mapped types, outcomes by row and by type, severities, empty texts, and
//! times in a zone with repeated and skipped hours.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renewscope::domain::event::RenewalEvent;
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, Clause, KindMatch};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Total};
use renewscope::profile::SourceProfile;
use renewscope::profile::choice::Profiles;
use renewscope::protocol::{Answer, Query};
use renewscope::store::{Address, ConnectOptions, Store};
use std::sync::Arc;

use super::bed::page;
use super::filters::{check, pattern, type_name, word};
use super::pg;

const PROFILE: &str = r#"
name = "odd"
database = ["postgres", "sqlite"]
[relation]
table = "odd"
empty-is-absent = true
[fields]
id = { column = "key", type = "text" }
device = { column = "host", type = "text", name = "host_name" }
org = { column = "site", type = "text" }
type = { column = "step", values = { failed = "renewal_start", unfailed = "mapped", "a%b" = "renewal_failed" } }
reason = { column = "why" }
error = { column = "message" }
severity = { column = "sev" }
time = { column = "at", TIME }
old-expiry = { column = "old_at", type = "unix-millis" }
new-expiry = { column = "new_at", type = "unix-seconds" }
[outcome]
column = "ok"
values = { true = "succeeded", false = "failed" }
[outcomes]
mapped = "failed"
edge_01 = "other"
renewal_failed = "started"
"#;

/// Clock readings in New York: around the skipped hour, in the repeated hour, and on an ordinary day.
const READINGS: [&str; 3] = ["2026-03-08T01:00:00Z", "2026-11-01T00:30:00Z", "2026-11-20T11:00:00Z"];

fn reading() -> impl Strategy<Value = Instant> {
    (proptest::sample::select(&READINGS[..]), 0_i64..18)
        .prop_map(|(base, n)| Instant::parse_rfc3339(base).unwrap().plus(Span::minutes(n * 10)))
}

/// A row as the values of an INSERT, without key and time.
fn row() -> impl Strategy<Value = (Instant, Vec<String>)> {
    let text = || {
        proptest::option::of(word()).prop_map(|t| t.map_or("NULL".into(), |t| format!("'{}'", t.replace('\'', "''"))))
    };
    let whole = |unit: i64| {
        proptest::option::of(-6_i64..6)
            .prop_map(move |h| h.map_or("NULL".into(), |h| ((1_795_176_000 + h * 3600) * unit).to_string()))
    };
    let truth = proptest::sample::select(&["TRUE", "FALSE", "NULL"][..]).prop_map(str::to_owned);
    let texts = (text(), text(), text(), type_name(), text(), text(), text());
    (reading(), texts, truth, whole(1000), whole(1)).prop_map(|(at, t, ok, old, new)| {
        let step = format!("'{}'", t.3.replace('\'', "''"));
        (at, vec![t.0, t.1, t.2, step, t.4, t.5, t.6, ok, old, new])
    })
}

fn criteria() -> impl Strategy<Value = Criteria> {
    let moment = || proptest::option::of((reading(), 0_i64..6).prop_map(|(t, h)| t.plus(Span::hours(h))));
    let check = prop_oneof![
        6 => check(),
        2 => (moment(), moment()).prop_map(|(from, until)| Check::Time { from, until }),
        1 => moment().prop_filter_map("an end", |until| until.map(Check::NotAhead)),
        1 => proptest::collection::vec(pattern(), 1..3).prop_map(Check::Severity),
        2 => proptest::sample::select(&["failed", "success", "start"][..])
            .prop_map(|w| Check::Kind(vec![KindMatch::Ending(w.into())])),
    ];
    let clause = (any::<bool>(), check).prop_map(|(negated, check)| Clause { negated, check });
    proptest::collection::vec(clause, 0..3).prop_map(|all| Criteria { all })
}

async fn store(address: &Address, time: &str) -> Store {
    let profile = SourceProfile::parse("odd.toml", &PROFILE.replace("TIME", time)).unwrap();
    let profiles = Profiles { all: vec![Arc::new(profile)], named: None };
    let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
    Store::connect(address, &options).await.unwrap()
}

async fn whole(store: &Store, criteria: &Criteria) -> Vec<Arc<RenewalEvent>> {
    let query = Query::WholePage { criteria: criteria.clone(), anchor: Anchor::Newest, limit: 100_000 };
    match store.run(&query).await {
        Ok(Answer::Page(page)) => page.rows,
        other => panic!("{criteria:#?} {other:?}"),
    }
}

const COLUMNS: &str = "host TEXT, host_name TEXT, site TEXT, step TEXT, why TEXT, message TEXT, sev TEXT, ok BOOLEAN, \
     old_at BIGINT, new_at BIGINT";

async fn agrees(store: &Store, runner: &mut TestRunner, rows: usize) {
    let stored = whole(store, &Criteria::default()).await;
    assert_eq!(stored.len(), rows);
    assert!(stored.is_sorted_by(|a, b| a.cursor() > b.cursor()));
    assert!(stored.is_sorted_by(|a, b| a.created_at >= b.created_at));
    for _ in 0..400 {
        let criteria = criteria().new_tree(runner).unwrap().current();
        let expected: Vec<_> = stored.iter().filter(|e| criteria.matches(e)).cloned().collect();
        let ids = |rows: &[Arc<RenewalEvent>]| rows.iter().map(|e| e.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&whole(store, &criteria).await), ids(&expected), "{criteria:#?}");
        let count = store.run(&Query::Count { criteria: criteria.clone(), ceiling: None }).await.unwrap();
        assert_eq!(count, Answer::Count(Total::Exact(expected.len() as u64)), "{criteria:#?}");
        let Some(middle) = expected.get(expected.len() / 2) else { continue };
        let half = expected.len() / 2;
        let newer = page(store, &criteria, Anchor::Newer(middle.cursor()), 5).await;
        let older = page(store, &criteria, Anchor::Older(middle.cursor()), 5).await;
        assert_eq!(ids(&newer.rows), ids(&expected[half.saturating_sub(5)..half]), "{criteria:#?}");
        assert_eq!(ids(&older.rows), ids(&expected[half + 1..expected.len().min(half + 6)]), "{criteria:#?}");
        let at = page(store, &criteria, Anchor::At(middle.created_at), 1).await;
        assert_eq!(at.rows[0].created_at, middle.created_at, "{criteria:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_filters_agree_on_foreign_tables() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let rows = proptest::collection::vec(row(), 300).new_tree(&mut runner).unwrap().current();
    let values = |at: &dyn Fn(Instant) -> String| {
        let rows = rows.iter().enumerate().map(|(n, (t, v))| format!("('k{n:03}', {}, {})", at(*t), v.join(", ")));
        rows.collect::<Vec<_>>().join(", ")
    };
    let url = pg::empty().await;
    let naive = |t: Instant| format!("'{}'", t.rfc3339().trim_end_matches('Z'));
    let made = format!(
        "CREATE TABLE odd (key TEXT PRIMARY KEY, at TIMESTAMP NOT NULL, {COLUMNS}); INSERT INTO odd VALUES {}",
        values(&naive)
    );
    pg::execute(&url, &made).await;
    let zoned = store(&Address::parse(&url).unwrap(), "zone = \"America/New_York\"").await;
    agrees(&zoned, &mut runner, rows.len()).await;

    let seconds = |t: Instant| (t.unix_micros().unwrap() / 1_000_000).to_string();
    let made = format!(
        "CREATE TABLE odd (key TEXT PRIMARY KEY, at INTEGER NOT NULL, {COLUMNS}); INSERT INTO odd VALUES {};",
        values(&seconds)
    );
    let loaded = super::sources::sqlite(&made).await;
    let whole_seconds = store(&loaded.address, "type = \"unix-seconds\"").await;
    agrees(&whole_seconds, &mut runner, rows.len()).await;
}
