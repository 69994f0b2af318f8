//! Slices, fleets and neighbors are what memory says, on both databases, for our own tables and those of others.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renewscope::domain::event::{ErrorText, Id, NewEvent, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, KindMatch, NameMatch, Pattern};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::Anchor;
use renewscope::domain::signature::INPUT_CHARACTERS;
use renewscope::domain::source::Beyond;
use renewscope::profile::SourceProfile;
use renewscope::profile::choice::Profiles;
use renewscope::protocol::fleet::{DeviceRows, Fleet, FleetQuery, Neighbors, NeighborsQuery, Place, Slice, SliceQuery};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Address, ConnectOptions, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use uuid::Uuid;

use super::bed::{Bed, all_of, at, event, named, none_of, refused};
use super::filters;
use super::memory::Memory;
use super::pg;
use crate::on_both;

on_both!(random_tables, long_histories, errors_are_cut, devices_without_rows, ids_that_nobody_has);

/// A row as an investigation reads it: without names, with its own reason, its error cut.
pub fn recorded(row: &RenewalEvent) -> RenewalEvent {
    let cut = |error: &ErrorText| {
        let head: String = error.text.raw().chars().take(INPUT_CHARACTERS).collect();
        ErrorText { bytes: error.bytes, ..ErrorText::whole(head.as_str()) }
    };
    let beyond =
        |beyond: &Arc<Beyond>| Arc::new(Beyond { reason_inferred: false, more: None, ..Beyond::clone(beyond) });
    RenewalEvent {
        device: None,
        org: None,
        reason: row.reason.clone().filter(|_| !row.reason_inferred()),
        error: row.error.as_ref().map(cut),
        beyond: row.beyond.as_ref().map(beyond),
        ..row.clone()
    }
}

fn all_recorded(rows: &[Arc<RenewalEvent>]) -> Vec<Arc<RenewalEvent>> {
    rows.iter().map(|row| Arc::new(recorded(row))).collect()
}

pub async fn slice(store: &Store, criteria: &Criteria, limit: u32) -> Slice {
    let mut whole = Slice::default();
    let mut after = None;
    loop {
        let query = SliceQuery { criteria: criteria.clone(), after, limit };
        let Answer::Slice(page) = store.run(&Query::Slice(query)).await.unwrap() else { panic!("a slice") };
        assert!(page.rows.len() <= limit as usize);
        whole.rows.extend(page.rows);
        whole.unreadable += page.unreadable;
        if page.next.is_none() {
            return whole;
        }
        after = page.next;
    }
}

async fn fleet(store: &Store, query: FleetQuery) -> Result<Fleet, SourceError> {
    match store.run(&Query::Fleet(query)).await? {
        Answer::Fleet(fleet) => Ok(fleet),
        other => panic!("{other:?}"),
    }
}

pub async fn sweep(store: &Store, limit: u32) -> Vec<DeviceRows> {
    let (mut devices, mut after) = (Vec::new(), None);
    loop {
        let part = fleet(store, FleetQuery::Sweep { after, limit }).await.unwrap();
        assert!(part.devices.len() <= limit as usize);
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let ahead = part.now.unix_micros().unwrap() - i64::try_from(clock.as_micros()).unwrap();
        assert!(ahead.abs() < 60_000_000, "the clock is {ahead} µs ahead");
        devices.extend(part.devices);
        if part.next.is_none() {
            return devices;
        }
        after = part.next;
    }
}

pub async fn neighbors(store: &Store, query: NeighborsQuery) -> Result<Vec<Neighbors>, SourceError> {
    match store.run(&Query::Neighbors(query)).await? {
        Answer::Neighbors(found) => Ok(found),
        other => panic!("{other:?}"),
    }
}

/// The answer of memory, its rows as they are recorded.
fn expected(memory: &Memory, query: &Query) -> Answer {
    match memory.evaluate(query).unwrap() {
        Answer::Slice(slice) => Answer::Slice(Slice { rows: all_recorded(&slice.rows), ..slice }),
        Answer::Fleet(mut fleet) => {
            fleet.devices.iter_mut().for_each(|device| device.rows = all_recorded(&device.rows));
            Answer::Fleet(fleet)
        }
        Answer::Neighbors(mut found) => {
            for one in &mut found {
                (one.before, one.after) = (all_recorded(&one.before), all_recorded(&one.after));
            }
            Answer::Neighbors(found)
        }
        other => other,
    }
}

/// What is compared: a source, and all its rows in memory.
pub struct Pair<'a> {
    pub store: &'a Store,
    pub memory: Memory,
    pub rows: Vec<Arc<RenewalEvent>>,
}

impl<'a> Pair<'a> {
    /// `rows` as an export has them.
    pub fn new(store: &'a Store, rows: Vec<Arc<RenewalEvent>>) -> Self {
        let memory = Memory::new(rows.iter().map(|row| RenewalEvent::clone(row)).collect());
        Self { store, memory, rows }
    }

    pub async fn slices(&self, criteria: &Criteria, limits: &[u32]) {
        let query = SliceQuery { criteria: criteria.clone(), after: None, limit: u32::MAX };
        let Answer::Slice(expected) = expected(&self.memory, &Query::Slice(query)) else { panic!() };
        for limit in limits {
            let found = slice(self.store, criteria, *limit).await;
            assert_eq!(found.rows.len(), expected.rows.len(), "pages of {limit}: {criteria:?}");
            for (found, expected) in found.rows.iter().zip(&expected.rows) {
                assert_eq!(unlabeled(found), **expected, "pages of {limit}: {criteria:?}");
            }
            assert_eq!(found.unreadable, 0);
        }
    }

    pub async fn sweeps(&self, limits: &[u32]) {
        let all = Query::Fleet(FleetQuery::Sweep { after: None, limit: u32::MAX });
        let Answer::Fleet(expected) = expected(&self.memory, &all) else { panic!() };
        for limit in limits {
            let found = sweep(self.store, *limit).await;
            let ids = |devices: &[DeviceRows]| devices.iter().map(|d| d.rows[0].device_id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&found), ids(&expected.devices), "{limit} devices at a time");
            assert_eq!(found, expected.devices, "{limit} devices at a time");
        }
    }

    pub async fn these(&self, ids: &[Id]) {
        let query = FleetQuery::These(ids.to_vec());
        let Answer::Fleet(expected) = expected(&self.memory, &Query::Fleet(query.clone())) else { panic!() };
        let mut found = fleet(self.store, query).await.unwrap();
        for device in &mut found.devices {
            device.rows = device.rows.iter().map(|row| Arc::new(unlabeled(row))).collect();
        }
        assert_eq!(found.next, None);
        assert_eq!(found.devices, expected.devices, "{ids:?}");
    }

    /// The neighbors of every row, so many places at a time.
    pub async fn around(&self, batch: usize, (before, after): (u32, u32)) {
        let place = |row: &Arc<RenewalEvent>| Place { device: row.device_id.clone(), at: row.cursor() };
        for rows in self.rows.chunks(batch) {
            let query = NeighborsQuery { of: rows.iter().map(place).collect(), before, after };
            let expected = expected(&self.memory, &Query::Neighbors(query.clone()));
            let mut found = neighbors(self.store, query).await.unwrap();
            for one in &mut found {
                for row in one.before.iter_mut().chain(&mut one.after) {
                    *row = Arc::new(unlabeled(row));
                }
            }
            assert_eq!(Answer::Neighbors(found), expected, "{before} before, {after} behind");
        }
    }
}

/// A row without the names that stand beside its ids.
fn unlabeled(row: &RenewalEvent) -> RenewalEvent {
    RenewalEvent { device: None, org: None, ..row.clone() }
}

pub fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, ..Config::default() })
}

/// Rows of some devices, many of them at the same instants, with outcomes of every family.
pub fn row() -> impl Strategy<Value = NewEvent> {
    let kind = proptest::sample::select(vec![
        "renewal_start",
        "renewal_success",
        "renewal_failed",
        "recovery_start",
        "recovery_success",
        "recovery_failed",
        "success",
        "unsuccess",
        "",
    ]);
    let time = prop_oneof![
        6 => (0_i64..40).prop_map(at),
        2 => (-3_i64..3).prop_map(|micros| at(0).plus(Span(micros))),
        1 => Just(Instant::INFINITY),
        1 => Just(Instant::NEG_INFINITY),
    ];
    (filters::row(), kind, 0_u32..12, time, any::<u128>()).prop_map(|(row, kind, device, created_at, id)| NewEvent {
        id: Some(Uuid::from_u128(id)),
        device: named(&format!("edge-{}", device * device / 12)),
        org: named(if device % 3 == 0 { "lab" } else { "acme" }),
        kind: kind.to_owned(),
        created_at,
        ..row
    })
}

async fn random_tables(bed: Bed) {
    let mut runner = runner();
    let rows = proptest::collection::vec(row(), 500).new_tree(&mut runner).unwrap().current();
    bed.fill(&rows).await;
    let pair = Pair::new(&bed.store, bed.all(&Criteria::default()).await);
    assert_eq!(pair.rows.len(), 500);
    pair.slices(&Criteria::default(), &[1, 7, 200, 20_000]).await;
    let range = Check::Time { from: Some(at(3)), until: Some(at(30)) };
    let kind = |word: &str| Check::Kind(vec![KindMatch::Ending(word.into())]);
    let name = |names: &[&str]| names.iter().map(|n| NameMatch::Name(Pattern::Is((*n).into()))).collect::<Vec<_>>();
    for criteria in [
        all_of([range.clone()]),
        all_of([kind("failed")]),
        none_of([kind("failed")]),
        all_of([range.clone(), kind("success"), Check::Org(name(&["lab"]))]),
        all_of([Check::Org(name(&["acme", "lab"]))]),
        all_of([Check::Device(name(&["edge-2"]))]),
        all_of([range, Check::Device(name(&["edge-0", "edge-1", "edge-4", "edge-8", "edge-10"]))]),
        all_of([Check::Device(vec![NameMatch::Name(Pattern::Contains("dge-1".into()))])]),
        all_of([Check::Device(name(&["nobody"]))]),
    ] {
        pair.slices(&criteria, &[7, 200]).await;
    }
    for _ in 0..200 {
        let criteria = proptest::collection::vec(filters::check(), 1..3).new_tree(&mut runner).unwrap().current();
        pair.slices(&all_of(criteria), &[200]).await;
    }
    pair.sweeps(&[1, 3, 2000]).await;
    for (batch, around) in [(1, (8, 8)), (3, (0, 1)), (2000, (8, 0)), (2000, (1, 1)), (2000, (64, 0))] {
        pair.around(batch, around).await;
    }
}

/// Histories about as long as the rows that are read of a device, with a success at each place and nowhere.
async fn long_histories(bed: Bed) {
    let most = i64::from(DeviceRows::MOST);
    let mut events = Vec::new();
    for (device, rows) in [1, 3, 4, 12, 13, most - 1, most, most + 1, most + 2, 200].into_iter().enumerate() {
        for success in [-1, 0, 1, 2, 3, 4, 11, 12, 13, most - 2, most - 1, most, most + 1] {
            events.extend((0..rows).map(|n| {
                let kind = if n == success { "recovery_success" } else { "renewal_failed" };
                event(&format!("edge-{device}-{success}"), kind, at(1000 - n))
            }));
        }
    }
    // More devices than one statement reads all rows of.
    events.extend((0..2700).map(|n| event(&format!("lab-{}", n % 300), "renewal_start", at(n))));
    bed.fill(&events).await;
    let pair = Pair::new(&bed.store, bed.all(&Criteria::default()).await);
    pair.sweeps(&[7, 2000]).await;
    let ids: Vec<_> = pair.rows.iter().step_by(11).map(|row| row.device_id.clone()).collect();
    pair.these(&ids).await;
    pair.these(&[]).await;
    pair.these(&ids[..1]).await;
}

async fn errors_are_cut(bed: Bed) {
    let long = |c: &str, n: usize| c.repeat(n);
    let texts = [
        String::new(),
        long("x", INPUT_CHARACTERS),
        long("x", INPUT_CHARACTERS + 1),
        long("é", INPUT_CHARACTERS),
        long("🦀", INPUT_CHARACTERS + 1),
        long("long ", 200_000),
    ];
    let row =
        |(n, text): (i64, &String)| NewEvent { error: Some(text.clone()), ..event("edge", "renewal_failed", at(n)) };
    let events: Vec<_> = (0..).zip(&texts).map(row).collect();
    bed.fill(&events).await;
    let pair = Pair::new(&bed.store, bed.all(&Criteria::default()).await);
    pair.slices(&Criteria::default(), &[1, 200]).await;
    pair.sweeps(&[10]).await;
    pair.around(10, (2, 2)).await;
    let whole: Vec<_> = slice(&bed.store, &Criteria::default(), 10).await.rows;
    let whole: Vec<_> = whole.iter().map(|r| r.error.as_ref().unwrap().is_whole()).collect();
    assert_eq!(whole, [true, true, false, true, false, false]);
}

async fn devices_without_rows(bed: Bed) {
    let events: Vec<_> = (0..40).map(|n| event(&format!("edge-{n}"), "renewal_failed", at(n))).collect();
    bed.fill(&events).await;
    let rows = bed.all(&Criteria::default()).await;
    for row in rows.iter().step_by(3) {
        assert!(bed.store.delete(None, &row.id).await.unwrap());
    }
    let pair = Pair::new(&bed.store, bed.all(&Criteria::default()).await);
    pair.sweeps(&[1, 3, 13, 2000]).await;
    let ids: Vec<_> = rows.iter().map(|row| row.device_id.clone()).collect();
    pair.these(&ids).await;
}

async fn ids_that_nobody_has(bed: Bed) {
    bed.fill(&[event("edge", "renewal_success", at(0))]).await;
    let pair = Pair::new(&bed.store, bed.all(&Criteria::default()).await);
    let (row, unknown) = (pair.rows[0].clone(), Id::Uuid(Uuid::from_u128(1)));
    let strange = [unknown.clone(), Id::Int(5), Id::Text("edge".into()), Id::Text("".into())];
    let ids: Vec<_> = strange.iter().chain([&row.device_id, &row.device_id]).cloned().collect();
    pair.these(&ids).await;
    let mut of: Vec<_> = ids.iter().map(|device| Place { device: device.clone(), at: row.cursor() }).collect();
    // The row itself need not exist.
    of.push(Place { at: renewscope::domain::page::Cursor { at: at(-1), id: unknown }, ..of[4].clone() });
    let found = neighbors(&bed.store, NeighborsQuery { of: of.clone(), before: 1, after: 1 }).await.unwrap();
    let expected = expected(&pair.memory, &Query::Neighbors(NeighborsQuery { of, before: 1, after: 1 }));
    assert_eq!(Answer::Neighbors(found.clone()), expected);
    assert_eq!(found[6].after.len(), 1);
    let none = SliceQuery { criteria: Criteria::default(), after: None, limit: 0 };
    assert_eq!(bed.store.run(&Query::Slice(none)).await.unwrap(), Answer::Slice(Slice::default()));
}

const JOBS: &str = r#"
name = "jobs"
database = ["postgres", "sqlite"]
[relation]
table = "jobs"
[fields]
id = { column = "n" }
device = { column = "host", type = "text" }
type = { column = "step" }
error = { column = "message" }
time = { column = "at", type = "unix-seconds" }
new-expiry = { column = "until", type = "unix-seconds" }
[outcomes]
done = "succeeded"
late_failed = "succeeded"
broke_success = "failed"
"#;

/// A table of others that numbers its rows, counts seconds, names its types as it likes, and misses some devices.
fn jobs(rows: i64) -> String {
    let steps = ["done", "late_failed", "broke_success", "start", "failed", "success", "began"];
    let hosts = ["'a'", "'B'", "'b'", "'é'", "''", "NULL", "'a '", "'it''s'", "'zz'"];
    let mut text = "CREATE TABLE jobs (n INTEGER PRIMARY KEY, host TEXT, step TEXT NOT NULL, message TEXT, \
        at INTEGER NOT NULL, until INTEGER); CREATE INDEX jobs_at ON jobs (at);"
        .to_owned();
    for n in 0..rows {
        let dice = usize::try_from(n * 2_654_435_761 % 1_000_003).unwrap();
        let (host, step, until) = (hosts[dice % 9], steps[dice / 9 % 7], ["NULL", "0", "1795176000"][dice / 63 % 3]);
        let at = 1_795_170_000 + i64::try_from(dice / 7 % 97).unwrap();
        text.push_str(&format!("INSERT INTO jobs VALUES ({n}, {host}, '{step}', 'message {n}', {at}, {until});"));
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_others_is_swept_by_its_index() {
    let dir = tempfile::tempdir().unwrap();
    let (url, path) = (pg::empty().await, dir.path().join("jobs.db"));
    pg::execute(&url, &jobs(700)).await;
    let mut conn = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(jobs(700))).execute(&mut conn).await.unwrap();
    let open = async |address: &Address| {
        let profile = SourceProfile::parse("jobs.toml", JOBS).unwrap();
        let profiles = Profiles { all: vec![Arc::new(profile)], named: None };
        let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
        Store::connect(address, &options).await.unwrap()
    };
    let addresses = [Address::parse(&url).unwrap(), Address::sqlite(&path)];
    for address in &addresses {
        let sweep = Query::Fleet(FleetQuery::Sweep { after: None, limit: 10 });
        let why = refused(open(address).await.run(&sweep).await);
        let words = "no index of 'jobs' orders the events of a device by time; create one on (host, at, n)";
        assert!(matches!(&why, SourceError::Unfit(why) if why.contains(words)), "{why:?}");
    }
    let index = "CREATE INDEX jobs_host ON jobs (host, at, n)";
    sqlx::raw_sql(index).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    pg::execute(&url, index).await;
    for address in &addresses {
        let store = open(address).await;
        let query = Query::WholePage { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 1000 };
        let Answer::Page(page) = store.run(&query).await.unwrap() else { panic!() };
        let pair = Pair::new(&store, page.rows);
        assert_eq!(pair.rows.len(), 700);
        pair.slices(&Criteria::default(), &[1, 7, 200]).await;
        pair.sweeps(&[1, 3, 2000]).await;
        pair.these(&pair.rows.iter().step_by(5).map(|row| row.device_id.clone()).collect::<Vec<_>>()).await;
        for (batch, around) in [(1, (1, 1)), (3, (8, 0)), (2000, (2, 70))] {
            pair.around(batch, around).await;
        }
    }
}
