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
