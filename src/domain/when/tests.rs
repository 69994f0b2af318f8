//! Tests of the time grammar.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

const NOW: &str = "2026-11-21T14:02:31.5Z";

/// Resolves `text` at [`NOW`] in the zone, compares the instant, and checks that it prints back.
fn check(text: &str, zone: &str, expected: &str) {
    let when = When::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(When::parse(&when.to_string()), Ok(when), "{text} printed as {when}");
    let at = when.at(Instant::parse_rfc3339(NOW).unwrap(), &Zone::parse(zone).unwrap());
    assert_eq!(at.rfc3339(), expected, "{text} in {zone}");
}

#[test]
fn forms() {
    for (text, zone, expected) in [
        ("now", "UTC", "2026-11-21T14:02:31.5Z"),
        ("30s", "UTC", "2026-11-21T14:02:01.5Z"),
        ("15m", "UTC", "2026-11-21T13:47:31.5Z"),
        ("2h", "UTC", "2026-11-21T12:02:31.5Z"),
        ("3d", "Europe/Berlin", "2026-11-18T14:02:31.5Z"),
        ("1w", "UTC", "2026-11-14T14:02:31.5Z"),
        ("0s", "UTC", "2026-11-21T14:02:31.5Z"),
        ("4294967295w", "UTC", "-4713-11-24T00:00:00Z"),
        ("today", "UTC", "2026-11-21T00:00:00Z"),
        ("Today", "Europe/Berlin", "2026-11-20T23:00:00Z"),
        ("today", "Pacific/Auckland", "2026-11-21T11:00:00Z"),
        ("yesterday", "UTC", "2026-11-20T00:00:00Z"),
        ("yesterday", "America/New_York", "2026-11-20T05:00:00Z"),
        ("2026-11-20", "UTC", "2026-11-20T00:00:00Z"),
        ("2026-11-20", "Europe/Berlin", "2026-11-19T23:00:00Z"),
        ("2026-11-20 14:00", "Asia/Kolkata", "2026-11-20T08:30:00Z"),
        ("2026-11-20T14:00", "UTC", "2026-11-20T14:00:00Z"),
        ("2026-11-20t14:00:05", "UTC", "2026-11-20T14:00:05Z"),
        ("2026-11-20 14:00:05.250", "UTC", "2026-11-20T14:00:05.25Z"),
        ("2026-11-20T14:00:05.1234567", "UTC", "2026-11-20T14:00:05.123456Z"),
        ("2026-11-20T00:00", "UTC", "2026-11-20T00:00:00Z"),
        ("2026-11-20T14:00:00Z", "Europe/Berlin", "2026-11-20T14:00:00Z"),
        ("2026-11-20T14:00Z", "Europe/Berlin", "2026-11-20T14:00:00Z"),
        ("2026-11-20T14:00:00.000001+05:30", "UTC", "2026-11-20T08:30:00.000001Z"),
        ("2026-11-20 14:00:00-0500", "UTC", "2026-11-20T19:00:00Z"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00:00Z"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
        ("+294276-12-31T23:59:59Z", "UTC", "+294276-12-31T23:59:59Z"),
        ("-4713-11-24T00:00:00Z", "UTC", "-4713-11-24T00:00:00Z"),
        ("infinity", "UTC", "infinity"),
        ("-infinity", "UTC", "-infinity"),
    ] {
        check(text, zone, expected);
    }
}

#[test]
fn yesterday_is_a_calendar_day() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    // The day of the change has 25 hours; this is noon after it.
    let now = Instant::parse_rfc3339("2026-10-26T11:00:00Z").unwrap();
    assert_eq!(When::Today.at(now, &berlin).rfc3339(), "2026-10-25T23:00:00Z");
    assert_eq!(When::Yesterday.at(now, &berlin).rfc3339(), "2026-10-24T22:00:00Z");
    assert_eq!(When::Yesterday.at(Instant::INFINITY, &berlin), Instant::INFINITY);
}

#[test]
fn what_is_no_time_is_an_error() {
    for (text, message) in [
        ("15", "'15' has no unit; valid units are s, m, h, d and w, as in '15m'"),
        ("3mo", "unknown unit 'mo' in '3mo'; valid units are s, m, h, d and w, as in '15m'"),
        ("5min", "unknown unit 'min' in '5min'; valid units are s, m, h, d and w, as in '15m'"),
        ("15M", "unknown unit 'M' in '15M'; valid units are s, m, h, d and w, as in '15m'"),
        ("-15m", "'-15m' has a sign; did you mean '15m', that long ago?"),
        ("yestrday", "cannot read the time 'yestrday'; did you mean 'yesterday'?"),
        ("99999999999d", "'99999999999d' is too long; give a smaller number"),
    ] {
        assert_eq!(When::parse(text).unwrap_err().to_string(), message);
    }
    for text in [
        "",
        "+15m",
        "soon",
        "2026",
        "2026-11",
        "2026-02-30",
        "2026-13-01",
        "2026-11-20T",
        "2026-11-20T14",
        "2026-11-20T14:60",
        "2026-11-20T14:00:60",
        "2026-11-20T1:2",
        "2026-11-20x",
        "2026-11-20T14:00:00+99:00",
        "2026-11-20T14:00+a\u{e9}b",
        "14:00",
        "2026-11-2\u{661}",
        "1h30m",
        "1.5h",
        "infinity..",
    ] {
        assert!(When::parse(text).is_err(), "{text}");
    }
}

#[test]
fn ranges() {
    for (text, printed) in [
        ("2h..1h", "2h..1h"),
        ("yesterday..today", "yesterday..today"),
        ("2026-11-20..", "2026-11-20.."),
        ("..2026-11-20 14:00", "..2026-11-20T14:00"),
        (" 2026-11-20 .. 2026-11-21 ", "2026-11-20..2026-11-21"),
        ("1h..now", "1h..now"),
        ("2026-11-20T14:00:00+01:00..2h", "2026-11-20T13:00:00Z..2h"),
    ] {
        let range = Range::parse(text).unwrap();
        assert_eq!(range.to_string(), printed);
        assert_eq!(Range::parse(printed), Ok(range));
    }
    for text in
        ["..", "", "1h", "1h...2h", "1h..2h", "2026-11-21..2026-11-20", "2026-11-20..2026-11-20", "x..", "1h..2x"]
    {
        assert!(Range::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics_and_prints_back(text in "[-+0-9TZ:. a-z\u{e9}]{0,24}") {
        if let Ok(when) = When::parse(&text) {
            prop_assert_eq!(When::parse(&when.to_string()), Ok(when));
        }
        if let Ok(range) = Range::parse(&text) {
            prop_assert_eq!(Range::parse(&range.to_string()), Ok(range));
        }
    }

    #[test]
    fn a_length_is_never_the_future(count in any::<u32>(), unit in "[smhdw]", now in any::<i64>()) {
        let now = Instant::from_unix_micros(now);
        let when = When::parse(&format!("{count}{unit}")).expect("a length");
        prop_assert!(when.at(now, &Zone::Utc) <= now);
    }
}
