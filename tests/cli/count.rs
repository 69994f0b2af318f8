//! Counts by group: the groups and what is named beside them are all events, however odd their dates are.

use super::bed::Bed;
use super::pg;

/// Rows with dates from end to end of PostgreSQL's range.
const DATES: &str = "INSERT INTO organizations (id, name) VALUES ('00000000-0000-4000-8000-00000000000a', 'acme'); \
    INSERT INTO devices (id, org_id, name) VALUES \
    ('00000000-0000-4000-8000-00000000000d', '00000000-0000-4000-8000-00000000000a', 'edge-1'); \
    INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, created_at) \
    SELECT gen_random_uuid(), '00000000-0000-4000-8000-00000000000d', '00000000-0000-4000-8000-00000000000a', \
    'renewal_failed', t::timestamp FROM unnest(ARRAY['-infinity', '4713-01-01 00:00:00 BC', '1970-01-01 00:00:00', \
    '2026-11-20 12:10:00', '2026-11-20 12:40:00', '2026-11-20 13:00:00', '9999-12-31 23:59:59.999999', \
    '294246-12-31 00:00:00', '294247-01-10 04:00:54.775807', '294276-12-31 23:59:59.999999', 'infinity']) t";

/// The sum of the column `rows`, and how many groups there are.
fn sum(csv: &str) -> (u64, usize) {
    let rows: Vec<u64> = csv.lines().skip(1).map(|l| l.rsplit(',').next().unwrap().parse().unwrap()).collect();
    (rows.iter().sum(), rows.len())
}

/// The numbers of events that stderr names.
fn named(stderr: &str) -> u64 {
    let number = |line: &str| line.split("any group: ").nth(1)?.split(' ').next()?.parse::<u64>().ok();
    stderr.lines().filter_map(number).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_and_days_end_and_hold_every_event() {
    let url = pg::migrated().await;
    pg::execute(&url, DATES).await;
    tokio::task::spawn_blocking(move || {
        let bed = Bed::at(&url);
        let all: u64 = bed.run(&["count"]).data().trim().parse().unwrap();
        assert_eq!(all, 11);
        for (by, groups) in [("hour", 4), ("day", 3)] {
            let ran = bed.run(&["count", "--by", by, "--format", "csv"]);
            let (rows, found) = sum(&ran.exits(0).stdout);
            assert_eq!((found, rows + named(&ran.stderr)), (groups, all), "{}\n{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains("'infinity'") && ran.stderr.contains("'-infinity'"), "{}", ran.stderr);
        }
        // Only two rows of the hour are of the range.
        let ran = bed.run(&["count", "--by", "hour", "--format", "csv", "since:2026-01-01", "until:2027-01-01"]);
        assert_eq!((sum(&ran.stdout), ran.stderr.as_str()), ((3, 2), ""));
        let type_ = bed.run(&["count", "--by", "type", "--format", "csv"]).data();
        assert_eq!(sum(&type_), (11, 1));
    })
    .await
    .unwrap();
}

#[test]
fn a_condition_is_met_by_the_number_of_groups() {
    let bed = super::stocked();
    for (args, code) in [
        (&["count", "--by", "device", "--fail-if", "=2"][..], 5),
        (&["count", "--by", "device", "--fail-if", ">2"], 0),
        (&["count", "--by", "hour", "--fail-if", ">=2"], 5),
        (&["count", "--by", "type", "type:nothing_failed", "--fail-if", ">0"], 0),
        (&["count", "--by", "org", "--fail-if", "=0"], 0),
        // A limit bounds what is printed, not what is compared.
        (&["count", "--by", "device", "--limit", "1", "--fail-if", "=2"], 5),
        (&["count", "--by", "hour", "--limit", "1", "--fail-if", ">=2"], 5),
    ] {
        bed.run(args).exits(code);
    }
    for by in ["hour", "device"] {
        assert_eq!(bed.run(&["count", "--by", by, "--limit", "1", "--format", "csv"]).data().lines().count(), 2);
        let ran = bed.run(&["count", "--by", by, "--limit", "1", "--format", "csv", "--fail-if", ">1"]);
        assert_eq!(ran.exits(5).stdout.lines().count(), 2);
    }
}

#[test]
fn thousands_of_groups_are_all_printed_and_compared() {
    let bed = super::stocked();
    let event = |i: usize| {
        format!(
            r#"{{"device":"edge-{i}","org":"org-{i}","event_type":"type_{i}","reason":"reason {i}","created_at":"2026-11-20T12:00:00Z"}}"#
        )
    };
    let lines: Vec<String> = (0..2100).map(event).collect();
    bed.run_with(&["ingest", "-"], lines.join("\n")).exits(0);
    let all: u64 = bed.run(&["count"]).data().trim().parse().unwrap();
    for by in ["reason", "org", "type", "device"] {
        let ran = bed.run(&["count", "--by", by, "--format", "csv", "--fail-if", ">=2100"]);
        assert_eq!(sum(&ran.exits(5).stdout).0, all, "{by}");
    }
}

/// Events of one device, a second apart, with these types and errors.
fn failing(events: &[(&str, Option<&str>)]) -> String {
    let line = |(n, (kind, error)): (usize, &(&str, Option<&str>))| {
        let error = error.map_or(serde_json::Value::Null, Into::into);
        let at = format!("2026-11-20T12:00:{n:02}Z");
        serde_json::json!({"device": "edge-1", "org": "acme", "event_type": kind, "error_message": error, "created_at": at})
            .to_string()
    };
    events.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn errors_are_counted_by_their_signatures() {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    let long = format!("serial {} refused", "7".repeat(1000));
    let events = [
        ("renewal_failed", Some("dial tcp 10.0.0.1:443: refused")),
        ("recovery_failed", Some("dial tcp 10.0.0.2:8443: refused")),
        ("renewal_failed", Some("dial tcp [::1]:443: refused")),
        ("renewal_failed", None),
        ("renewal_failed", Some(" ")),
        ("renewal_failed", Some(long.as_str())),
        ("renewal_start", None),
        ("renewal_success", None),
        // A note of something that did not fail is a message nevertheless.
        ("renewal_success", Some("serial 12 refused")),
        ("renewal_success", None),
    ];
    bed.run_with(&["ingest"], failing(&events)).exits(0);
    let ran = bed.run(&["count", "--by", "error", "--format", "csv"]);
    let id = |message: &str| {
        let line = bed.run_with(&["sig"], message).data();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()["sig"].as_str().unwrap().to_owned()
    };
    let (dial, serial) = (id(events[0].1.unwrap()), id(&long));
    let expected =
        format!("sig,signature,rows\n{dial},dial tcp <*>: refused,3\n{serial},serial <*> refused,2\n,(no message),2\n");
    assert_eq!(ran.exits(0).stdout.replace('\r', ""), expected);
    assert_eq!(ran.stderr, "renewscope: not in any group: 3 events that are no failures and have no error message\n");
    let all: u64 = bed.run(&["count"]).data().trim().parse().unwrap();
    assert_eq!(sum(&ran.stdout).0 + named(&ran.stderr), all);
    // Each group is what its filter finds.
    for (filter, rows) in [
        (format!("sig:{dial}"), 3),
        (format!("sig:{dial},{serial}"), 5),
        (format!("-sig:{dial}"), 7),
        (format!("sig:{dial} type:recovery"), 1),
        ("type:failed -sig:*".to_owned(), 2),
    ] {
        let filter = filter.as_str();
        assert_eq!(bed.run(&["count", "--", filter]).data().trim(), rows.to_string(), "{filter}");
        let listed = bed.run(&["list", "--format", "ndjson", "--", filter]).data();
        assert_eq!(listed.lines().count(), rows, "{filter}");
        let exported = bed.run(&["export", "--", filter]).data();
        assert_eq!(exported.lines().count(), rows, "{filter}");
        let hours = bed.run(&["count", "--by", "hour", "--format", "csv", "--", filter]).data();
        assert_eq!(sum(&hours).0, rows as u64, "{filter}");
    }
    let sent =
        bed.run(&["tail", "--since", "2026-01-01", "--limit", "2", "--format", "ndjson", &format!("sig:{serial}")]);
    assert!(sent.stdout.lines().count() == 2 && sent.stdout.contains("serial 12 refused"), "{}", sent.stdout);
}

#[test]
fn groups_of_errors_are_limited_compared_and_printed_in_every_format() {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    let events = [
        ("renewal_failed", None),
        ("renewal_failed", Some("a failure")),
        ("renewal_failed", Some("a failure")),
        ("renewal_success", None),
        ("renewal_success", None),
        ("renewal_success", None),
    ];
    bed.run_with(&["ingest"], failing(&events)).exits(0);
    let by = |args: &[&str]| bed.run(&[&["count", "--by", "error"], args].concat());
    let ran = by(&["--limit", "1", "--format", "ndjson"]);
    assert!(ran.exits(0).stdout.contains(r#""signature":"a failure","rows":2}"#), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1);
    let ran = by(&["--format", "ndjson"]);
    assert!(ran.exits(0).stdout.contains(r#"{"sig":null,"signature":"(no message)","rows":1}"#), "{}", ran.stdout);
    for (format, head) in [("table", "SIG"), ("md", "| SIG |"), ("json", "[")] {
        let ran = by(&["--format", format]);
        assert!(ran.exits(0).stdout.starts_with(head) && ran.stdout.contains("(no message)"), "{}", ran.stdout);
    }
    // What is no failure is no group.
    by(&["--fail-if", "=2"]).exits(5);
    by(&["--fail-if", ">2"]).exits(0);
    by(&["--limit", "1", "--fail-if", "=2"]).exits(5);
    by(&["type:success", "--fail-if", ">0"]).exits(0);
    for (filter, why) in [
        ("sig:x", "filter: 'x' is no id of a signature at column 5"),
        ("sig:2.1f3a9c0b2e", "filter: '2.1f3a9c0b2e' is an id of version 2 at column 5"),
    ] {
        let ran = bed.run(&["list", filter]);
        assert!(ran.exits(2).stderr.contains(why), "{}", ran.stderr);
    }
}
