//! Local times: the zone of the process, the hour that comes twice, and clocks that run ahead.

use super::bed::{Bed, Ran};
use super::pg;

/// Failures of sixteen devices around changes of the clock in four zones.
const DST: &str = include_str!("../fixtures/dst.ndjson");

fn stocked() -> Bed {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed.run_with(&["ingest"], DST).exits(0);
    bed
}

/// The first two columns of a table, date and time, by device.
fn times(table: &str) -> Vec<(String, String)> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let time = format!("{} {}", words.next().unwrap(), words.next().unwrap());
        (words.nth(1).unwrap().to_owned(), time)
    };
    table.lines().skip(1).map(row).collect()
}

#[test]
fn the_hour_that_comes_twice_shows_its_offset_and_reads_back() {
    let bed = stocked();
    let shown = times(&bed.run(&["list", "--tz", "Europe/Berlin", "time:2026-10-25..2026-10-26"]).data());
    let expected = [
        ("dst-05", "2026-10-25 23:30:00.000"),
        ("dst-04", "2026-10-25 03:30:00.000"),
        ("dst-03", "2026-10-25 02:30:00.000+01:00"),
        ("dst-02", "2026-10-25 02:30:00.000+02:00"),
        ("dst-01", "2026-10-25 01:30:00.000"),
        ("dst-00", "2026-10-25 00:30:00.000"),
    ];
    let expected = expected.map(|(device, time)| (device.to_owned(), time.to_owned()));
    assert_eq!(shown, expected);
    for (device, time) in shown {
        // Pasted back, each time selects from its own row on.
        let from = format!("since:{time}");
        let found = times(&bed.run(&["list", "--tz", "Europe/Berlin", &from, "until:2026-10-26"]).data());
        assert_eq!(found.last().map(|(device, _)| device), Some(&device), "{from}");
    }
    let hours = bed.run(&["count", "--by", "hour", "--tz", "Europe/Berlin", "since:2026-10-25"]).data();
    let hours: Vec<&str> = hours.lines().skip(1).filter(|l| l.contains(" 02:00")).collect();
    assert!(matches!(hours.as_slice(), [a, b] if a.contains("02:00+02:00") && b.contains("02:00+01:00")), "{hours:?}");
}

#[test]
fn the_variable_tz_is_the_local_zone() {
    let bed = stocked();
    let list = |tz: &str| {
        let args = ["list", "--tz", "local", "device:dst-09"];
        Ran::of(bed.command(&args).env("TZ", tz).output().unwrap())
    };
    for (tz, title, time) in [
        ("Europe/Berlin", "TIME (Europe/Berlin)", "2026-03-29 03:30:00.000"),
        (":America/New_York", "TIME (America/New_York)", "2026-03-28 21:30:00.000"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "TIME (CET-1CEST,M3.5.0,M10.5.0/3)", "2026-03-29 03:30:00.000"),
        ("", "TIME (UTC)", "2026-03-29 01:30:00.000"),
    ] {
        let table = list(tz).data();
        assert!(table.contains(title) && table.contains(time), "{tz}: {table}");
    }
    let ran = list("Europe/Berln");
    ran.exits(2);
    let why = "environment TZ: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?";
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
}

#[test]
fn a_device_at_2038_does_not_hold_an_alarm_for_ever() {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    let far = r#"{"device":"ahead","event_type":"renewal_failed","created_at":"2038-01-19T03:14:07Z"}"#;
    bed.run_with(&["ingest"], far).exits(0);
    bed.run(&["count", "type:failed since:1h", "--fail-if", ">0"]).exits(0);
    bed.run(&["count", "type:failed since:today", "--fail-if", ">0"]).exits(0);
    assert_eq!(bed.run(&["count", "since:now"]).data().trim(), "1");
    assert_eq!(bed.run(&["count"]).data().trim(), "1");
}

#[test]
fn hours_are_counted_to_the_end_of_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bed = Bed::at(&runtime.block_on(pg::empty()));
    bed.run(&["db", "init"]).exits(0);
    let times = ["2026-11-20T14:10:00Z", "+294276-10-01T00:00:00Z", "+294276-12-31T23:59:59.999999Z", "infinity"];
    let event = |time: &&str| format!(r#"{{"device":"far","event_type":"renewal_failed","created_at":"{time}"}}"#);
    let events: Vec<String> = times.iter().map(event).collect();
    bed.run_with(&["ingest"], events.join("\n")).exits(0);
    let hours = bed.run(&["count", "--by", "hour", "--format", "csv"]);
    assert_eq!(hours.exits(0).stdout.lines().skip(1).collect::<Vec<_>>(), ["2026-11-20T14:00:00Z,1,0,0,0,1"]);
    // What is no hour of the calendar is counted beside it.
    assert!(
        hours.stderr.contains("not in any group: 3 events after the year 9999, or at 'infinity'"),
        "{}",
        hours.stderr
    );
}
