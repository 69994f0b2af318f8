//! `errors` and `attempts` against plain definitions over all rows of random tables, on both databases.

use std::collections::{BTreeMap, BTreeSet};

use renewscope::domain::signature::Signature;
use serde_json::Value;

use super::bed::Bed;
use super::pg;

/// An event as the table has it.
#[derive(Clone, Debug)]
struct Row {
    id: String,
    device: String,
    org: String,
    kind: &'static str,
    /// Seconds after 2026-10-01T00:00:00Z.
    second: i64,
    old: Option<i64>,
    new: Option<i64>,
    reason: Option<&'static str>,
    error: Option<String>,
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

const KINDS: [&str; 7] = [
    "renewal_start",
    "renewal_success",
    "renewal_failed",
    "recovery_start",
    "recovery_success",
    "recovery_failed",
    "heartbeat",
];
const DAY: i64 = 86_400;

fn stamp(second: i64) -> String {
    let at = renewscope::domain::instant::Instant::parse_rfc3339("2026-10-01T00:00:00Z").unwrap();
    at.plus(renewscope::domain::instant::Span::seconds(second)).rfc3339()
}

/// Events of twelve devices in three organizations over fifty days, some at one second, some with the wrong type of row.
fn table(seed: u64, rows: usize) -> Vec<Row> {
    let mut dice = Dice(seed);
    let mut made: Vec<Row> = (0..rows)
        .map(|_| {
            let device = dice.below(12);
            let kind = KINDS[dice.below(7) as usize];
            let second = dice.below(50 * 24 * 60) as i64 * 60 + if dice.below(9) == 0 { 3 } else { 0 };
            let expiry = |n: u64| (n > 0).then(|| n as i64 * 30 * DAY);
            let message = match dice.below(6) {
                0 => None,
                1 => Some(format!("status code {}", 500 + dice.below(4))),
                2 => Some(format!("dial tcp 10.0.0.{}:443: connection refused", dice.below(200))),
                3 => Some("CSR denied by \"policy\"\n=1+1".to_owned()),
                4 => Some("  ".to_owned()),
                _ => Some(format!("device edge-{device}.example.com is unknown, request {:x}", dice.below(1 << 40))),
            };
            Row {
                id: format!("{:08x}-0000-4000-8000-{:012x}", dice.below(1 << 32), dice.below(1 << 48)),
                device: format!("edge-{device}"),
                org: format!("org-{}", device % 3),
                kind,
                second,
                old: expiry(dice.below(4)),
                new: if kind.ends_with("success") { expiry(dice.below(4)) } else { None },
                reason: ["proactive", "expired"].get(dice.below(3) as usize).copied(),
                error: message.filter(|_| kind.ends_with("failed")),
            }
        })
        .collect();
    made.sort_by(|a, b| (a.second, &a.id).cmp(&(b.second, &b.id)));
    made
}

fn ndjson(rows: &[Row]) -> String {
    let line = |r: &Row| {
        serde_json::json!({
            "id": r.id, "device": r.device, "org": r.org, "event_type": r.kind, "created_at": stamp(r.second),
            "old_cert_expiration": r.old.map(stamp), "new_cert_expiration": r.new.map(stamp),
            "reason": r.reason, "error_message": r.error,
        })
        .to_string()
            + "\n"
    };
    rows.iter().map(line).collect()
}

/// A SQLite file and a PostgreSQL database with these rows.
fn beds(rows: &[Row]) -> [Bed; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let beds = [Bed::new(), Bed::at(&runtime.block_on(pg::empty()))];
    for bed in &beds {
        bed.run(&["db", "init"]).exits(0);
        bed.run_with(&["ingest"], ndjson(rows)).exits(0);
    }
    beds
}

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows of one attempt, by looking back from each outcome.
fn attempts(all: &[Row]) -> Vec<Vec<Row>> {
    let family = |r: &Row| r.kind.starts_with("recovery");
    let is = |r: &Row, what: &str| r.kind.ends_with(what);
    let mut found = Vec::new();
    for device in all.iter().map(|r| &r.device).collect::<BTreeSet<_>>() {
        let mut own: Vec<&Row> = all.iter().filter(|r| r.device == *device && r.kind != "heartbeat").collect();
        own.sort_by_key(|r| (r.second, !is(r, "start"), &r.id));
        // Of each row the place of the start to which it belongs.
        let mut start: Vec<Option<usize>> = Vec::new();
        for (i, row) in own.iter().enumerate() {
            let open = |of: bool| {
                let last = (0..i).rev().find(|j| family(own[*j]) == of && !is(own[*j], "failed"))?;
                if is(own[last], "start") { start[last] } else { None }
            };
            let of = if is(row, "start") {
                let same = |first: &usize| {
                    let failed = (*first..i).any(|k| is(own[k], "failed") && start[k] == Some(*first));
                    !failed && row.second - own[*first].second <= 5 && row.old == own[*first].old
                };
                open(family(row)).filter(same).or(Some(i))
            } else if is(row, "success") || family(row) {
                open(family(row))
            } else {
                open(false).max(open(true))
            };
            start.push(of);
        }
        for (i, row) in own.iter().enumerate() {
            match start[i] {
                Some(s) if s == i => {
                    found.push((i..own.len()).filter(|k| start[*k] == Some(i)).map(|k| own[k].clone()).collect())
                }
                Some(_) => {}
                None => found.push(vec![Row::clone(row)]),
            }
        }
    }
    found
}

/// What `attempts` prints of it: start, outcome, starts, failures.
fn in_short(rows: &[Row]) -> (Option<String>, Option<String>, u64, u64) {
    let start = rows.first().filter(|r| r.kind.ends_with("start")).map(|r| r.id.clone());
    let end = rows.iter().rev().find(|r| !r.kind.ends_with("start")).map(|r| r.id.clone());
    let count = |what: &str| rows.iter().filter(|r| r.kind.ends_with(what)).count() as u64;
    (start, end, count("start"), count("failed"))
}

/// Whether a row is one that a filter selects.
type Matches<'a> = &'a dyn Fn(&Row) -> bool;

#[test]
fn attempts_are_those_with_a_matching_row() {
    let rows = table(1, 3_000);
    let all = attempts(&rows);
    let late = |r: &Row| r.second >= 40 * DAY;
    let cases: [(&[&str], Matches<'_>); 8] = [
        (&["since:2026-01-01"], &|_| true),
        (&["since:2026-11-10"], &late),
        (&["time:2026-10-11..2026-10-12T06:00"], &|r| (10 * DAY..11 * DAY + 6 * 3600).contains(&r.second)),
        (&["since:2026-11-10", "type:failed"], &|r| late(r) && r.kind.ends_with("failed")),
        (&["since:2026-01-01", "type:recovery_start"], &|r| r.kind == "recovery_start"),
        (&["since:2026-01-01", "org:org-1", "type:success"], &|r| r.org == "org-1" && r.kind.ends_with("success")),
        (&["since:2026-01-01", "device:edge-7"], &|r| r.device == "edge-7"),
        (&["since:2026-01-01", "status code 502"], &|r| r.error.as_deref() == Some("status code 502")),
    ];
    for bed in beds(&rows) {
        for (filter, matches) in cases {
            let args = [&["attempts", "--format", "ndjson", "--exact"], filter].concat();
            let args: Vec<&str> =
                args.iter().map(|a| if *a == "status code 502" { "\"status code 502\"" } else { a }).collect();
            let ran = bed.run(&args);
            let found = records(&ran.exits(0).stdout);
            let text = |v: &Value, key: &str| v[key].as_str().map(str::to_owned);
            let number = |v: &Value, key: &str| v[key].as_u64().unwrap();
            let mut short: Vec<_> = found
                .iter()
                .map(|v| (text(v, "start_id"), text(v, "outcome_id"), number(v, "starts"), number(v, "failures")))
                .collect();
            let mut expected: Vec<_> = all.iter().filter(|a| a.iter().any(matches)).map(|a| in_short(a)).collect();
            short.sort();
            expected.sort();
            assert_eq!(short, expected, "{filter:?}");
            let times: Vec<_> = found.iter().map(|v| text(v, "started_at").or(text(v, "ended_at"))).collect();
            assert!(times.is_sorted_by(|a, b| a >= b), "{filter:?}: not newest first");
            for v in &found {
                check_fields(v, &all);
            }
        }
    }
}

/// The other fields of an attempt.
fn check_fields(found: &Value, all: &[Vec<Row>]) {
    let id = found["start_id"].as_str().or(found["outcome_id"].as_str()).unwrap();
    let rows = all.iter().find(|a| a[0].id == id).unwrap();
    let end = rows.iter().rev().find(|r| !r.kind.ends_with("start"));
    let failure = rows.iter().rev().find(|r| r.kind.ends_with("failed"));
    let state = match (rows[0].kind.ends_with("start"), end) {
        (true, None) => ["stalled", "superseded"].as_slice(),
        (true, Some(end)) if end.kind.ends_with("success") => &["succeeded"],
        (true, Some(_)) => &["failed"],
        (false, _) => &["orphan", "start_not_kept"],
    };
    assert!(state.contains(&found["state"].as_str().unwrap()), "{found}");
    let seconds = end.filter(|_| rows[0].kind.ends_with("start")).map(|end| (end.second - rows[0].second) as f64);
    assert_eq!(found["seconds"].as_f64(), seconds, "{found}");
    assert_eq!((found["device"].as_str().unwrap(), found["org"].as_str().unwrap()), (&*rows[0].device, &*rows[0].org));
    let expiry = rows[0].old.or(rows.iter().find_map(|r| r.old)).map(stamp);
    assert_eq!(found["old_expiry"].as_str().map(str::to_owned), expiry, "{found}");
    let message = failure.and_then(|r| r.error.as_deref());
    assert_eq!(found["error"].as_str(), message, "{found}");
    let sig = message.map(Signature::of).filter(|s| !s.text.is_empty()).map(|s| s.id.to_string());
    assert_eq!(found["sig"].as_str().map(str::to_owned), sig, "{found}");
    assert_eq!((&found["inferred"], found.get("tries_exact")), (&Value::Bool(true), None), "{found}");
}

/// What `errors` prints of a signature: rows, devices, orgs, still, resolved, moved, first, last, example.
type Group = (u64, u64, u64, u64, u64, u64, String, String, String);

fn sig(row: &Row) -> Option<String> {
    let signature = Signature::of(row.error.as_deref()?);
    Some(signature.id.to_string()).filter(|_| !signature.text.is_empty())
}

fn groups(
    rows: &[Row],
    within: impl Fn(&Row) -> bool,
    matches: impl Fn(&Row) -> bool,
) -> BTreeMap<Option<String>, Group> {
    let failures = || rows.iter().filter(|r| r.kind.ends_with("failed") && within(r) && matches(r));
    let newest = |device: &str| {
        let outcomes = rows.iter().filter(|r| r.device == device && within(r));
        let outcomes = outcomes.filter(|r| r.kind.ends_with("failed") || r.kind.ends_with("success"));
        outcomes.max_by_key(|r| (r.second, r.id.clone())).unwrap()
    };
    let mut found = BTreeMap::new();
    for key in failures().map(sig).collect::<BTreeSet<_>>() {
        let of: Vec<&Row> = failures().filter(|r| sig(r) == key).collect();
        let devices: BTreeSet<&str> = of.iter().map(|r| r.device.as_str()).collect();
        let orgs: BTreeSet<&str> = of.iter().map(|r| r.org.as_str()).collect();
        let still = devices.iter().filter(|d| newest(d).kind.ends_with("failed") && sig(newest(d)) == key).count();
        let resolved = devices.iter().filter(|d| newest(d).kind.ends_with("success")).count();
        let last = of.iter().max_by_key(|r| (r.second, r.id.clone())).unwrap();
        let numbers = [of.len(), devices.len(), orgs.len(), still, resolved].map(|n| n as u64);
        let [rows, devices, orgs, still, resolved] = numbers;
        let (first, at) = (stamp(of[0].second), stamp(last.second));
        found.insert(
            key,
            (rows, devices, orgs, still, resolved, devices - still - resolved, first, at, last.id.clone()),
        );
    }
    found
}

#[test]
fn errors_are_counted_by_signature() {
    let rows = table(2, 3_000);
    let range = |r: &Row| (40 * DAY..44 * DAY).contains(&r.second);
    let time = "time:2026-11-10..2026-11-14";
    let cases: [(&[&str], Matches<'_>, Matches<'_>); 7] = [
        (&[time], &range, &|_| true),
        (&["since:2026-01-01"], &|_| true, &|_| true),
        (&[time, "type:failed"], &range, &|_| true),
        (&[time, "org:org-1"], &|r| range(r) && r.org == "org-1", &|_| true),
        (&[time, "type:recovery"], &range, &|r| r.kind.starts_with("recovery")),
        (&[time, "\"status code 502\""], &range, &|r| r.error.as_deref() == Some("status code 502")),
        (&[time, "reason:expired", "-device:edge-3"], &|r| range(r) && r.device != "edge-3", &|r| {
            r.reason == Some("expired")
        }),
    ];
    for bed in beds(&rows) {
        for (filter, within, matches) in cases {
            let ran = bed.run(&[&["errors", "--format", "ndjson", "--exact"], filter].concat());
            let found = records(&ran.exits(0).stdout);
            let text = |v: &Value, key: &str| v[key].as_str().unwrap().to_owned();
            let number = |v: &Value, key: &str| v[key].as_u64().unwrap();
            let group = |v: &Value| -> (Option<String>, Group) {
                let [rows, devices, orgs, still, resolved, moved] =
                    ["rows", "devices", "orgs", "still", "resolved", "moved"].map(|key| number(v, key));
                let (first, last) = (text(v, "first_seen"), text(v, "last_seen"));
                let group = (rows, devices, orgs, still, resolved, moved, first, last, text(v, "example_id"));
                (v["sig"].as_str().map(str::to_owned), group)
            };
            let expected = groups(&rows, within, matches);
            assert_eq!(found.iter().map(group).collect::<BTreeMap<_, _>>(), expected, "{filter:?}");
            assert_eq!(found.len(), expected.len());
            assert!(found.is_sorted_by_key(|v| std::cmp::Reverse(number(v, "still"))));
            let until = if filter[0] == time { Some("2026-11-14T00:00:00Z") } else { None };
            for v in found.iter().filter(|_| until.is_some()) {
                assert_eq!(
                    (v["covered_from"].as_str(), v["covered_until"].as_str()),
                    (Some("2026-11-10T00:00:00Z"), until)
                );
                assert_eq!(v.get("rows_exact"), None);
            }
            let failing = expected.values().filter(|g| g.3 > 0).count();
            let condition = format!("={failing}");
            bed.run(&[&["errors", "--limit", "1", "--fail-if", &condition], filter].concat()).exits(5);
        }
    }
}

/// The rows of each signature, as `errors` and `count` print them.
fn by_signature(found: &[Value]) -> BTreeMap<Option<String>, u64> {
    found.iter().map(|v| (v["sig"].as_str().map(str::to_owned), v["rows"].as_u64().unwrap())).collect()
}

#[test]
fn counts_errors_and_filters_agree_on_every_signature() {
    let mut rows = table(3, 3_000);
    // Messages that lists cut, and some that differ only behind what a signature reads.
    let serial = |n: usize, tail: &str| Some(format!("serial {} {tail}", "7".repeat(n)));
    let failures = rows.iter_mut().filter(|r| r.kind.ends_with("failed"));
    for (n, row) in failures.enumerate().filter(|(n, _)| n % 5 == 0) {
        row.error = match n % 4 {
            0 => serial(500, "refused"),
            1 => serial(500, "expired"),
            2 => serial(2_000, "refused"),
            _ => serial(2_000, "expired"),
        };
    }
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed.run_with(&["ingest"], ndjson(&rows)).exits(0);
    let time = "time:2026-10-08..2026-11-10";
    let range = |r: &Row| (7 * DAY..40 * DAY).contains(&r.second);
    let read = |args: &[&str]| records(&bed.run(&[args, &[time, "--format", "ndjson"]].concat()).data());

    let errors = by_signature(&read(&["errors"]));
    let expected = groups(&rows, range, |_| true);
    assert_eq!(errors, expected.into_iter().map(|(sig, group)| (sig, group.0)).collect());
    assert_eq!(errors, by_signature(&read(&["count", "--by", "error", "type:failed"])));
    assert!(errors.len() == 8 && errors.contains_key(&None), "{errors:?}");
    let all = attempts(&rows);
    for (id, rows) in &errors {
        let filter = id.as_ref().map_or("-sig:* type:failed".to_owned(), |id| format!("sig:{id}"));
        let counted = bed.run(&["count", time, &filter]).data();
        assert_eq!(counted, format!("{rows}\n"), "{filter}");
        let one = BTreeMap::from([(id.clone(), *rows)]);
        assert_eq!(by_signature(&read(&["errors", &filter])), one, "{filter}");
        assert_eq!(by_signature(&read(&["count", "--by", "error", &filter])), one, "{filter}");
        let mut found: Vec<_> = read(&["attempts", &filter])
            .iter()
            .map(|v| ["start_id", "outcome_id"].map(|key| v[key].as_str().map(str::to_owned)))
            .collect();
        let is_one = |r: &Row| range(r) && r.kind.ends_with("failed") && sig(r) == *id;
        let those = all.iter().filter(|attempt| attempt.iter().any(is_one));
        let mut those: Vec<_> =
            those.map(|attempt| <[_; 2]>::from((in_short(attempt).0, in_short(attempt).1))).collect();
        found.sort();
        those.sort();
        assert_eq!(found, those, "{filter}");
    }
    let others = by_signature(&read(&["errors", "-sig:*"]));
    assert_eq!(others, BTreeMap::from([(None, errors[&None])]));
}

/// One line of a small table.
fn event(n: usize, device: &str, kind: &str, at: &str, more: &str) -> String {
    format!(
        r#"{{"id":"00000000-0000-4000-8000-{n:012}","device":"{device}","org":"acme","event_type":"{kind}","created_at":"{at}"{more}}}"#
    ) + "\n"
}

fn stocked(lines: &[String]) -> Bed {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed.run_with(&["ingest"], lines.concat()).exits(0);
    bed
}

#[test]
fn an_error_is_new_or_back_or_goes_on() {
    let failed = |n, device: &str, at: &str, error: &str| {
        event(
            n,
            device,
            "renewal_failed",
            at,
            &format!(r#","error_message":"{error}","old_cert_expiration":"2026-11-21T00:00:00Z""#),
        )
    };
    let bed = stocked(&[
        failed(1, "a", "2026-11-20T10:00:00Z", "never seen"),
        failed(2, "b", "2026-11-01T10:00:00Z", "long quiet"),
        failed(3, "b", "2026-11-20T10:00:00Z", "long quiet"),
        failed(4, "c", "2026-11-18T10:00:00Z", "all the time"),
        failed(5, "c", "2026-11-20T10:00:00Z", "all the time"),
        failed(6, "d", "2026-11-20T10:00:00Z", "gone again"),
        event(7, "d", "renewal_success", "2026-11-20T11:00:00Z", ""),
        // Before the look-back.
        failed(8, "a", "2026-09-01T10:00:00Z", "never seen"),
    ]);
    let range = "time:2026-11-20..2026-11-21";
    let found = records(&bed.run(&["errors", range, "--format", "ndjson"]).data());
    let of = |text: &str| found.iter().find(|v| v["signature"] == text).unwrap();
    for (text, state, first_ever) in [
        ("never seen", "new", "2026-11-20T10:00:00Z"),
        ("long quiet", "regressed", "2026-11-01T10:00:00Z"),
        ("all the time", "ongoing", "2026-11-18T10:00:00Z"),
        ("gone again", "resolved", "2026-11-20T10:00:00Z"),
    ] {
        assert_eq!(
            (of(text)["state"].as_str(), of(text)["first_ever"].as_str()),
            (Some(state), Some(first_ever)),
            "{text}"
        );
    }
    // The expiry has passed, and a device without a failure has no runway.
    assert!(of("never seen")["worst_runway_seconds"].is_i64() && of("gone again")["worst_runway_seconds"].is_null());
    assert!(of("long quiet")["worst_runway_seconds"].as_i64().unwrap() < 0);
    // Of all times, what is in the range is all that is known.
    let all = bed.run(&["errors", "since:2020-01-01", "until:2026-11-21", "--format", "csv"]).data();
    assert!(all.starts_with("sig,signature,rows,devices,orgs,still,resolved,moved,first_seen,last_seen,first_ever,state,worst_runway_seconds,example_id\n"), "{all}");
    let table = bed.run(&["errors", range]).data();
    assert!(
        table.starts_with("STILL  DEVICES  ORGS  ROWS  FIRST (UTC)       LAST (UTC)        STATE      WORST"),
        "{table}"
    );
    assert!(table.contains("    1        1     1     1  2026-11-20 10:00  2026-11-20 10:00  regressed  "), "{table}");
    let by_state = bed.run(&["errors", "until:2026-11-21", "--format", "csv"]).data();
    assert!(by_state.contains(",ongoing,") && !by_state.contains(",new,"), "{by_state}");
}

#[test]
fn without_a_range_the_last_day_is_read_and_stderr_says_so() {
    let old = event(1, "a", "renewal_failed", "2025-11-20T10:00:00Z", "");
    let bed = stocked(&[old]);
    for command in ["errors", "attempts"] {
        let ran = bed.run(&[command, "--format", "csv"]);
        assert_eq!(ran.exits(0).stdout.lines().count(), 1, "{}", ran.stdout);
        assert!(ran.stderr.contains("range: the last 24 h"), "{}", ran.stderr);
        let ran = bed.run(&[command, "--format", "csv", "since:2025-01-01"]);
        assert_eq!((ran.exits(0).stdout.lines().count(), ran.stderr.as_str()), (2, ""), "{}", ran.stdout);
    }
}

#[test]
fn attempts_have_states_and_a_storm_is_undecided() {
    let mut lines = vec![
        event(1, "ok", "renewal_start", "2026-11-20T10:00:00Z", r#","reason":"proactive""#),
        event(2, "ok", "renewal_success", "2026-11-20T10:00:28.5Z", ""),
        event(3, "bad", "renewal_start", "2026-11-20T11:00:00Z", ""),
        event(4, "bad", "renewal_failed", "2026-11-20T11:01:00Z", r#","error_message":"denied""#),
        event(5, "dead", "recovery_start", "2026-11-20T12:00:00Z", ""),
        event(6, "over", "renewal_start", "2026-11-20T13:00:00Z", ""),
        event(7, "over", "renewal_start", "2026-11-20T13:30:00Z", ""),
        event(8, "over", "renewal_success", "2026-11-20T13:31:00Z", ""),
        event(9, "over", "renewal_success", "2026-11-20T13:32:00Z", ""),
        event(10, "late", "renewal_success", "2026-11-20T14:00:00Z", ""),
    ];
    let bed = stocked(&lines);
    let range = "time:2026-11-20..2026-11-21";
    let states = |args: &[&str]| {
        let csv = bed.run(&[&["attempts", range, "--format", "csv", "--exact"], args].concat()).data();
        csv.lines().skip(1).map(|l| l.split(',').nth(5).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(states(&[]), "start_not_kept orphan succeeded superseded stalled failed succeeded");
    assert_eq!(states(&["--state", "failed,stalled"]), "stalled failed");
    assert_eq!(states(&["--state", "orphan"]), "orphan");
    assert_eq!(states(&["--limit", "2"]), "start_not_kept orphan");
    assert_eq!(states(&["-device:late", "type:success"]), "orphan succeeded succeeded");
    bed.run(&["attempts", range, "--state", "stalled", "--fail-if", "=1"]).exits(5);
    bed.run(&["attempts", range, "--limit", "1", "--fail-if", ">7"]).exits(0);
    bed.run(&["attempts", range, "--state", "sleeping"]).exits(2);
    bed.write("patient.toml", "[attempts]\nrecovery_stalled_after = \"10000d\"\n");
    assert_eq!(states(&["--config", "patient.toml", "--state", "flight,stalled"]), "flight");
    let table = bed.run(&["attempts", range]).data();
    assert!(
        table.contains(
            "2026-11-20 11:00:00.000  bad     acme  renewal   failed          1m    1    -          denied\n"
        ),
        "{table}"
    );
    assert!(
        table.contains("success without a start\n") && table.contains("nothing before the next start\n"),
        "{table}"
    );
    assert!(table.contains("  succeeded       28s   1    -          -\n"), "{table}");

    // A start whose failures go on for longer than is read.
    lines = vec![event(1, "storm", "renewal_start", "2026-11-20T10:00:00Z", "")];
    lines.extend(
        (0..200).map(|n| {
            event(n + 2, "storm", "renewal_failed", &format!("2026-11-20T11:{:02}:{:02}Z", n / 60, n % 60), "")
        }),
    );
    let bed = stocked(&lines);
    let found = records(&bed.run(&["attempts", range, "type:start", "--format", "ndjson"]).data());
    assert_eq!((found.len(), found[0]["state"].as_str()), (1, Some("undecided")));
    let ran = bed.run(&["attempts", range, "type:start", "--exact"]);
    assert!(ran.exits(1).stderr.contains("is not exact"), "{}", ran.stderr);
    // All of the device's rows match, so that none is missing.
    let found = records(&bed.run(&["attempts", range, "device:storm", "--format", "ndjson"]).data());
    assert_eq!(
        (found.len(), found[0]["failures"].as_u64(), found[0]["state"].as_str()),
        (1, Some(200), Some("failed"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_without_starts_or_certificates_have_no_attempts() {
    for (source, refusal) in [
        ("aws-cert-assistant", "records no starts"),
        ("ca-sqlite", "records no starts"),
        ("sirius", "records no expiry"),
        // It has all, but no index that orders the rows of a device.
        ("flightctl-story", "'renewscope db index' makes it"),
    ] {
        let bed = super::sources::bed(source).await;
        let run = move || {
            let ran = bed.run(&["attempts", "since:2000-01-01"]);
            assert!(ran.exits(2).stderr.contains(refusal), "{source}: {}", ran.stderr);
            let errors = bed.run(&["errors", "since:2000-01-01", "--format", "csv"]).data();
            assert!(errors.lines().count() > 1, "{source}: {errors}");
            if source.starts_with("flightctl") {
                bed.run(&["db", "index"]).exits(0);
                let attempts = bed.run(&["attempts", "since:2000-01-01", "--format", "csv"]).data();
                assert!(attempts.contains(",succeeded,") && attempts.contains(",failed,"), "{attempts}");
            }
        };
        tokio::task::spawn_blocking(run).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_row_security_may_lower_are_marked() {
    let url = pg::migrated().await;
    tokio::task::spawn_blocking(move || {
        let bed = Bed::at(&url);
        let failed = event(1, "a", "renewal_failed", "2026-11-20T10:00:00Z", r#","error_message":"denied""#);
        let succeeded = event(2, "a", "renewal_success", "2026-11-20T11:00:00Z", "");
        bed.run_with(&["ingest"], failed + &succeeded).exits(0);
        let policy = "CREATE ROLE sees_failures LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO sees_failures; \
            ALTER TABLE certificate_renewal_events ENABLE ROW LEVEL SECURITY; \
            CREATE POLICY failures ON certificate_renewal_events USING (event_type = 'renewal_failed')";
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(pg::execute(&url, policy));
        let range = "time:2026-11-20..2026-11-21";
        let all = records(&bed.run(&["errors", range, "--format", "ndjson", "--exact"]).data());
        assert_eq!((all[0]["still"].as_u64(), all[0].get("still_exact")), (Some(0), None));
        let some = Bed::at(&url.replace("postgres@", "sees_failures@"));
        let ran = some.run(&["errors", range, "--format", "ndjson"]);
        let found = records(&ran.exits(0).stdout);
        assert_eq!((found[0]["still"].as_u64(), &found[0]["still_exact"]), (Some(1), &Value::Bool(false)));
        assert!(ran.stderr.contains("row security"), "{}", ran.stderr);
        for args in
            [&["errors", range, "--exact"][..], &["attempts", range, "--exact"], &["errors", range, "--fail-if", ">9"]]
        {
            assert_eq!(
                some.run(args).exits(1).stdout.lines().filter(|l| l.contains("denied")).count(),
                usize::from(args.len() == 4)
            );
        }
    })
    .await
    .unwrap();
}
