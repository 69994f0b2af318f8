//! `devices`: how each device stands is what all its rows say, and a healthy fleet raises no alarm.

use std::collections::{BTreeMap, BTreeSet};

use renewscope::demo;
use renewscope::domain::event::{Id, NewEvent};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::signature::Signature;
use serde_json::{Value, json};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use uuid::Uuid;

use super::Bed;

/// Numbers, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

fn clock() -> Instant {
    Instant::from_utc(chrono::Utc::now())
}

/// A row as it is ingested.
#[derive(Clone, Debug)]
struct Row {
    id: Uuid,
    device: String,
    kind: &'static str,
    at: Instant,
    old: Option<Instant>,
    new: Option<Instant>,
    error: Option<String>,
}

impl Row {
    fn line(&self) -> String {
        let time = |at: Option<Instant>| at.map(Instant::rfc3339);
        let org = if self.device.ends_with(['1', '2', '3']) { "acme" } else { "globex" };
        let row = json!({"id": self.id.to_string(), "device": self.device, "org": org, "event_type": self.kind,
            "created_at": self.at.rfc3339(), "old_cert_expiration": time(self.old),
            "new_cert_expiration": time(self.new), "error_message": self.error});
        format!("{row}\n")
    }
    fn outcome(&self) -> &'static str {
        ["start", "success", "failed"].into_iter().find(|end| self.kind.ends_with(end)).unwrap_or_default()
    }
    fn recovery(&self) -> bool {
        self.kind.starts_with("recovery")
    }
}

/// Rows with ties, starts that are written twice, outcomes of the other family, missing and infinite expiries.
fn random_rows(random: &mut Random, now: Instant) -> Vec<Row> {
    const KINDS: [&str; 8] = [
        "renewal_start",
        "renewal_start",
        "renewal_failed",
        "renewal_failed",
        "renewal_success",
        "recovery_start",
        "recovery_failed",
        "recovery_success",
    ];
    let mut rows: Vec<Row> = Vec::new();
    for device in 0..120 {
        let mut at = now.minus(Span::minutes(random.below(200_000) as i64 + 1));
        for _ in 0..=random.below(9) {
            let gap = [0, 3, 40, 1800, 9000, 90_000, 700_000][random.below(7) as usize];
            at = at.plus(Span::seconds(gap)).min(now.minus(Span::seconds(20)));
            let expiry = |random: &mut Random| match random.below(8) {
                0 => None,
                1 => Some(Instant::INFINITY),
                2 => rows.last().and_then(|row: &Row| row.new.or(row.old)),
                _ => Some(at.plus(Span::minutes(random.below(300_000) as i64 - 20_000))),
            };
            let old = expiry(random);
            let new = expiry(random);
            let kind = if random.below(30) == 0 { "renewal_deferred" } else { random.one(&KINDS) };
            let mut row = Row {
                id: Uuid::from_u128(u128::from(random.below(u64::MAX)) << 64 | u128::from(random.below(u64::MAX))),
                device: format!("edge-{device:03}"),
                kind,
                at,
                old,
                new: new.filter(|_| kind.ends_with("success")),
                error: None,
            };
            if row.outcome() == "failed" && random.below(5) > 0 {
                row.error =
                    Some(random.one(&["dial tcp 10.0.0.7:443: refused", "denied", "status code 503"]).to_owned());
            }
            rows.push(row);
        }
    }
    rows
}

/// An attempt since the last success.
#[derive(Clone, Debug)]
struct Try {
    start: Option<Instant>,
    recovery: bool,
    failures: Vec<Row>,
    old: Option<Instant>,
    succeeded: bool,
    closed: usize,
}

/// How a device stands, from all its rows: written as the definitions say, row by row.
struct Standing {
    expiry: Option<(Instant, &'static str)>,
    success: Option<Row>,
    tries: Vec<Try>,
    last: Instant,
}

fn standing(rows: &[Row]) -> Option<Standing> {
    let mut rows: Vec<Row> = rows.iter().filter(|row| !row.outcome().is_empty()).cloned().collect();
    rows.sort_by_key(|row| (row.at, row.id));
    let last = rows.last()?.at;
    let begin = rows.iter().rposition(|row| row.outcome() == "success");
    let since = &rows[begin.unwrap_or(0)..];
    let expiry = since.iter().rev().find_map(|row| match row.outcome() {
        "success" => Some((row.new?, "success")),
        _ => Some((row.old?, "old")),
    });
    let mut ordered = since.to_vec();
    ordered.sort_by_key(|row| (row.at, row.outcome() != "start", row.id));
    let mut tries: Vec<Try> = Vec::new();
    for (n, row) in ordered.iter().enumerate() {
        let open = |tries: &[Try], recovery| {
            tries.iter().rposition(|t| t.recovery == recovery && t.start.is_some() && t.closed == usize::MAX)
        };
        let new = Try {
            start: None,
            recovery: row.recovery(),
            failures: Vec::new(),
            old: row.old,
            succeeded: false,
            closed: n,
        };
        match row.outcome() {
            "start" => {
                let before = open(&tries, row.recovery());
                let again = |t: &Try| {
                    t.failures.is_empty()
                        && t.old == row.old
                        && row.at.since(t.start.unwrap()).unwrap() <= Span::seconds(5)
                };
                if before.is_some_and(|i| again(&tries[i])) {
                    continue;
                }
                if let Some(i) = before {
                    tries[i].closed = n;
                }
                tries.push(Try { start: Some(row.at), closed: usize::MAX, ..new });
            }
            "success" => match open(&tries, row.recovery()) {
                Some(i) => (tries[i].succeeded, tries[i].closed) = (true, n),
                None => tries.push(Try { succeeded: true, ..new }),
            },
            _ => {
                let renewal = open(&tries, false);
                let recovery = open(&tries, true);
                let joined = if row.recovery() { recovery } else { renewal.max(recovery) };
                match joined {
                    Some(i) => {
                        tries[i].failures.push(row.clone());
                        tries[i].old = tries[i].old.or(row.old);
                    }
                    None => tries.push(Try { failures: vec![row.clone()], ..new }),
                }
            }
        }
    }
    let at = |t: &Try| t.start.or(t.failures.first().map(|row| row.at)).or(begin.map(|i| rows[i].at)).unwrap();
    tries.sort_by_key(|t| (at(t), t.closed, t.recovery));
    Some(Standing { expiry, success: begin.map(|i| rows[i].clone()), tries, last })
}

/// What the command is to print of it, with a policy of a third.
fn expected(device: &Standing, now: Instant) -> Value {
    let given = device.success.as_ref().and_then(|row| Some((row.at, row.new?)));
    let two = Span::seconds(2);
    let not_taken =
        given.zip(device.expiry).is_some_and(|((_, given), (at, from))| from == "old" && at.plus(two) < given);
    let life = given.filter(|_| !not_taken).and_then(|(at, end)| end.since(at)).filter(|life| life.0 > 0);
    let since: Vec<_> = device.tries.iter().filter(|t| !t.succeeded).collect();
    let failed = since.iter().filter(|t| !t.failures.is_empty()).count();
    let newest = device.tries.last().filter(|t| t.failures.is_empty() && !t.succeeded);
    let stalled = newest.is_some_and(|t| {
        now.since(t.start.unwrap()).unwrap() > if t.recovery { Span::hours(3) } else { Span::hours(1) }
    });
    let left = device.expiry.and_then(|(at, _)| at.since(now));
    let share = left.zip(life).map(|(left, life)| left.0 as f64 / life.0 as f64);
    let phase = match (device.expiry, share) {
        (None, _) => "unknown",
        (Some((at, _)), _) if at <= now => "expired",
        (Some((Instant::INFINITY, _)), _) => "not_due",
        (_, None) => "unknown",
        (_, Some(share)) if share < 0.1 => "critical",
        (_, Some(share)) if share < 1.0 / 3.0 - 0.02 => "late",
        (_, Some(share)) if share <= 1.0 / 3.0 => "due",
        _ => "not_due",
    };
    let due = device.expiry.zip(life).map(|((at, _), life)| at.minus(Span((life.0 as f64 * (1.0 / 3.0)) as i64)));
    let silent = due.filter(|due| matches!(phase, "late" | "critical" | "expired") && device.last < *due);
    let state = match () {
        () if stalled => "stalled",
        () if newest.is_some() => "in_flight",
        () if failed > 0 => "failed",
        () if phase == "expired" => "expired",
        () if silent.is_some() => "silent",
        () if device.expiry.is_none() => "unknown",
        () => "ok",
    };
    let days = |n| left.is_some_and(|left| left < Span::days(n));
    let bucket = match () {
        () if device.expiry.is_none() => "unknown",
        () if phase == "expired" => "expired",
        () if days(1) => "<1d",
        () if days(7) => "<7d",
        () if days(30) => "<30d",
        () if days(60) => "<60d",
        () => "longer",
    };
    let error = since.iter().rev().find_map(|t| t.failures.last()?.error.as_deref()).map(Signature::of);
    let error = error.filter(|signature| !signature.text.is_empty());
    json!({
        "runway_seconds": left.map(Span::as_seconds),
        "expires_at": device.expiry.map(|(at, _)| at.rfc3339()),
        "expires_from": device.expiry.map(|(_, from)| from),
        "bucket": bucket,
        "phase": phase,
        "fails": failed + usize::from(stalled),
        "fails_exact": true,
        "last_success_at": device.success.as_ref().map(|row| row.at.rfc3339()),
        "last_at": device.last.rfc3339(),
        "state": state,
        "silent_since": silent.map(Instant::rfc3339),
        "error": error.as_ref().map(|s| s.text.clone()),
        "sig": error.as_ref().map(|s| s.id.to_string()),
    })
}

fn devices(bed: &Bed, args: &[&str]) -> Vec<Value> {
    let args = [&["devices", "--format", "ndjson"], args].concat();
    let ran = bed.run(&args);
    ran.exits(0).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The instant of a column.
fn time(row: &Value, key: &str) -> Option<Instant> {
    Some(Instant::parse_rfc3339(row[key].as_str()?).unwrap())
}

fn names(rows: &[Value]) -> BTreeSet<&str> {
    rows.iter().map(|row| row["device"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_device_stands_as_all_its_rows_say() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    let mut rows = random_rows(&mut random, clock());
    bed.run_with(&["ingest"], rows.iter().map(Row::line).collect::<String>()).exits(0);
    // Deleted devices lose their rows.
    let options = SqliteConnectOptions::new().filename(bed.path("t.db")).foreign_keys(true);
    let mut sqlite = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("DELETE FROM devices WHERE name LIKE 'edge-00%'").execute(&mut sqlite).await.unwrap();
    sqlite.close().await.unwrap();
    rows.retain(|row| !row.device.starts_with("edge-00"));
    bed.write("c.toml", "policy = { left = '1/3' }\n");
    let found = tokio::task::block_in_place(|| devices(&bed, &["--config", "c.toml", "--exact"]));
    let mut by_device: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    rows.iter().for_each(|row| by_device.entry(&row.device).or_default().push(row.clone()));
    by_device.retain(|_, rows| rows.iter().any(|row| !row.outcome().is_empty()));
    assert_eq!(names(&found), by_device.keys().copied().collect());
    assert!(found.len() > 100);
    for row in &found {
        let mut row = row.clone();
        let (now, name) = (time(&row, "as_of").unwrap(), row["device"].as_str().unwrap().to_owned());
        let expected = expected(&standing(&by_device[name.as_str()]).unwrap(), now);
        // Who gave up depends on the others; that it failed does not.
        if row["state"] == "gave_up" {
            row["state"] = "failed".into();
        }
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&row[key], value, "{key} of {name}: {row}\n{:#?}", by_device[name.as_str()]);
        }
    }
    // All of it in the order of what is left, the unknown last; and no state is missing.
    let left: Vec<_> =
        found.iter().map(|row| time(row, "expires_at").map_or((1, Instant::INFINITY), |at| (0, at))).collect();
    assert!(left.is_sorted(), "{left:?}");
    let states: BTreeSet<_> = found.iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert!(states.len() >= 6, "{states:?}");
}

/// The demo's history up to now, and its devices whose last row lies long before an expiry that is near or past.
fn demo_fleet() -> (Bed, BTreeSet<String>) {
    let now = clock();
    let history: Vec<_> = demo::Fleet::new(42, now).history().collect();
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    let line = |e: &NewEvent| {
        let time = |at: Option<Instant>| at.map(Instant::rfc3339);
        let row = json!({"id": e.id.unwrap().to_string(), "device_id": e.device.id.unwrap().to_string(),
            "device": e.device.name, "org": e.org.name, "event_type": e.kind, "reason": e.reason,
            "created_at": e.created_at.rfc3339(), "old_cert_expiration": time(e.old_expiry),
            "new_cert_expiration": time(e.new_expiry), "error_message": e.error});
        format!("{row}\n")
    };
    bed.run_with(&["ingest"], history.iter().map(line).collect::<String>()).exits(0);
    let mut last: BTreeMap<String, (Instant, Option<Instant>)> = BTreeMap::new();
    for e in &history {
        let one = last.entry(e.device.name.clone().unwrap()).or_insert((e.created_at, None));
        *one = (e.created_at, e.new_expiry.or(one.1));
    }
    let is_silent = |(at, expiry): (Instant, Option<Instant>)| {
        expiry.is_some_and(|expiry| expiry < now.plus(Span::days(5)) && at < expiry.minus(Span::days(20)))
    };
    let silent = last.into_iter().filter(|(_, one)| is_silent(*one)).map(|(name, _)| name).collect();
    (bed, silent)
}

#[test]
fn the_silent_devices_of_the_demo_are_all_named() {
    let (bed, silent) = demo_fleet();
    assert!((20..40).contains(&silent.len()), "{silent:?}");
    let found = devices(&bed, &["state:silent"]);
    let named: BTreeSet<String> = names(&found).into_iter().map(str::to_owned).collect();
    assert!(named.is_superset(&silent), "{named:?}");
    for (args, code) in [
        (&["devices", "state:silent", "--fail-if", ">0"][..], 5),
        (&["devices", "state:silent org:umbrella device:nobody", "--fail-if", ">0"], 0),
        (&["devices", "state:failed org:acme", "--fail-if", ">100"], 5),
        (&["devices", "--limit", "1", "--fail-if", "=2000"], 5),
    ] {
        bed.run(args).exits(code);
    }
    let mut all = 0;
    for by in ["bucket", "phase", "state", "org"] {
        let groups = devices(&bed, &["--by", by]);
        let sum: u64 = groups.iter().map(|row| row["devices"].as_u64().unwrap()).sum();
        assert!(all == 0 || all == sum, "{groups:?}");
        all = sum;
    }
    assert_eq!(all as usize, devices(&bed, &[]).len());
    let policies = devices(&bed, &["--by", "policy"]);
    assert!(policies.iter().any(|row| row["org"] == "acme" && row["renewals"].as_u64() > Some(100)), "{policies:?}");
    // A named device is read at once, and stands as among all.
    let one = found.first().unwrap();
    let alone = devices(&bed, &[&format!("device:{}", one["device"].as_str().unwrap())]);
    for key in ["device_id", "state", "phase", "expires_at", "silent_since"] {
        assert_eq!(alone[0][key], one[key]);
    }
    let ran = bed.run(&["devices", "--limit", "3"]);
    let head = ran.exits(0).stdout.lines().next().unwrap();
    let titles: Vec<_> = head.split("  ").map(str::trim).filter(|title| !title.is_empty()).collect();
    let expected = ["RUNWAY", "DEVICE", "ORG", "EXPIRES (UTC)", "FAILS", "LAST SUCCESS", "STATE", "NEXT TRY", "ERROR"];
    assert_eq!(titles, expected);
}

#[test]
fn a_healthy_fleet_is_neither_late_nor_silent_nor_expired() {
    let (now, mut random) = (clock(), Random(0x9e37_79b9_7f4a_7c15));
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    let mut rows = Vec::new();
    for device in 0..400_u64 {
        let life = Span::minutes(random.one(&[1440, 9648, 67_680, 525_600, 5_256_000]));
        let age = Span(life.0 / 1000 * (random.below(660) as i64));
        let at = now.minus(age);
        rows.push(Row {
            id: Uuid::from_u128(u128::from(device)),
            device: format!("edge-{device:03}"),
            kind: "renewal_success",
            at,
            old: Some(at.plus(Span(life.0 / 3))),
            new: Some(at.plus(life)),
            error: None,
        });
    }
    bed.run_with(&["ingest"], rows.iter().map(Row::line).collect::<String>()).exits(0);
    for (filter, found) in
        [("state:ok", 400), ("state:silent,expired,failing,unknown", 0), ("left:<10%", 0), ("left:>=30%", 400)]
    {
        assert_eq!(devices(&bed, &[filter]).len(), found, "{filter}");
    }
    let phases = devices(&bed, &["--by", "phase"]);
    let alarming = phases.iter().filter(|row| !matches!(row["phase"].as_str(), Some("due" | "not_due")));
    assert_eq!(alarming.map(|row| row["devices"].as_u64().unwrap()).sum::<u64>(), 0);
    assert!(devices(&bed, &["left:<1d"]).len() > 40, "devices with certificates of a day");
}

#[test]
fn what_does_not_apply_is_rejected() {
    let bed = super::stocked();
    for (args, words) in [
        (&["devices", "type:failed"][..], "'type:failed' is of events and does not apply to devices"),
        (&["devices", "since:24h"], "devices are printed as they stand now"),
        (&["devices", "expires:<7d"], "'left:<7d'"),
        (&["devices", "timeout"], "'devices' takes org, device, state and left"),
        (&["devices", "state:sielnt"], "did you mean 'silent'?"),
        (&["devices", "left:20%"], "'20%' lacks a comparison"),
        (&["list", "state:failed"], "'state:failed' is of devices and not of events"),
        (&["count", "left:<7d"], "'left:<7d' is of devices and not of events"),
        (&["export", "-state:ok"], "'-state:ok' is of devices and not of events"),
        (&["errors", "state:failed"], "'state:failed' is of devices and not of events"),
        (&["attempts", "-left:<7d"], "'-left:<7d' is of devices and not of events"),
        (&["runway"], "did you mean 'devices'?"),
    ] {
        let ran = bed.run(args);
        assert!(ran.exits(2).stderr.contains(words) && ran.stdout.is_empty(), "{args:?}: {}", ran.stderr);
    }
    bed.run(&["devices", "device:edge-1", "--exact"]).exits(0);
    // More failures than rows are read.
    let failures: String = (0..80)
        .map(|n| {
            let at = clock().minus(Span::minutes(200 - n));
            let id = Uuid::from_u128(1000 + n as u128);
            let (device, kind, error) = ("edge-9".to_owned(), "renewal_failed", Some("x".to_owned()));
            Row { id, device, kind, at, old: None, new: None, error }.line()
        })
        .collect();
    bed.run_with(&["ingest"], failures).exits(0);
    let ran = bed.run(&["devices", "device:edge-9", "--format", "csv", "--exact"]);
    assert!(ran.exits(1).stdout.contains(",65,false,"), "{}", ran.stdout);
    assert!(ran.stderr.contains("'fails_exact' is false") && ran.stderr.contains("--exact"), "{}", ran.stderr);
    let id = renewscope::domain::event::org_id_of("acme");
    let found = devices(&bed, &[&format!("org:{}", Id::Uuid(id).raw())]);
    assert_eq!(names(&found), BTreeSet::from(["edge-1"]));
}
