//! `ingest`: what is rejected and how, and that nothing is lost or doubled when it is killed.

use std::io::Write;
use std::process::Stdio;

use crate::bed::{Bed, many};

fn bed() -> Bed {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed
}

#[test]
fn bad_lines_are_rejected_by_number_and_copied() {
    let bed = bed();
    let good = r#"{"device":"a","event_type":"renewal_start","created_at":"2026-11-20T14:00:00Z"}"#;
    let input = [good.as_bytes(), b"{broken", b"", b"\xff\xfe", good.replace("14:", "25:").as_bytes()].join(&b'\n');
    bed.write("in.ndjson", &input);
    let ran = bed.run(&["ingest", "in.ndjson", "--rejects", "bad.ndjson"]);
    ran.exits(4);
    assert_eq!(
        ran.stderr,
        "renewscope: line 2 is not a JSON object: key must be a string at column 2\n\
         renewscope: line 4 is not UTF-8 at byte 1\n\
         renewscope: line 5 has the created_at '2026-11-20T25:00:00Z', which does not exist; check the date\n\
         ingested 1, duplicate 0, rejected 3\n"
    );
    let kept = std::fs::read(bed.path("bad.ndjson")).unwrap();
    let expected = [b"{broken", &b"\xff\xfe"[..], good.replace("14:", "25:").as_bytes(), b""].join(&b'\n');
    assert_eq!(kept, expected);
    bed.run(&["ingest", "in.ndjson", "--rejects", "in.ndjson"]).exits(2);
    assert_eq!(std::fs::read(bed.path("in.ndjson")).unwrap(), input);
}

#[test]
fn rejected_csv_keeps_its_header() {
    let bed = bed();
    bed.write(
        "in.csv",
        "\u{feff}device,event_type,created_at,error_message,colour\r\n\
         edge-1,renewal_failed,2026-11-20 14:00:00,\"two\r\nlines\",red\r\n\
         edge-2,renewal_failed,yesterday,x,red\r\n\
         edge-3,renewal_failed\r\n\
         edge-4,renewal_failed,2026-11-20T14:00:00Z,\"never closed\r\nedge-5,renewal_failed,2026-11-20T14:00:00Z,x,\r\n",
    );
    let ran = bed.run(&["ingest", "in.csv", "--rejects", "bad.csv"]);
    ran.exits(4);
    assert!(ran.stderr.contains("line 4 has the created_at 'yesterday'"), "{}", ran.stderr);
    assert!(ran.stderr.contains("line 5 has 2 fields where the header has 5"), "{}", ran.stderr);
    assert!(ran.stderr.contains("line 6 has a quote that is never closed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("unknown fields were ignored: 'colour'"), "{}", ran.stderr);
    assert_eq!(ran.last_line(), "ingested 1, duplicate 0, rejected 3");
    assert!(bed.rows().contains(r#""error_message":"two\r\nlines""#));
    let corrected = bed.read("bad.csv").replace("yesterday", "2026-11-19T00:00:00Z");
    bed.write("bad.csv", corrected);
    assert_eq!(bed.run(&["ingest", "bad.csv"]).exits(4).last_line(), "ingested 1, duplicate 0, rejected 2");
}

#[test]
fn the_first_rejected_lines_are_printed_and_the_others_counted() {
    let bed = bed();
    let ran = bed.run_with(&["ingest", "--input-format", "ndjson"], "x\n".repeat(1000));
    ran.exits(4);
    assert_eq!(ran.stderr.lines().count(), 22, "{}", ran.stderr);
    assert!(ran.stderr.contains("980 more lines were rejected"));
    assert_eq!(ran.last_line(), "ingested 0, duplicate 0, rejected 1000");
}

#[test]
fn the_content_decides_the_format() {
    let bed = bed();
    let csv = "created_at,device,event_type\n2026-11-20T14:00:00Z,a,renewal_start\n";
    assert_eq!(bed.run_with(&["ingest", "-"], csv).exits(0).last_line(), "ingested 1, duplicate 0, rejected 0");
    assert_eq!(bed.run_with(&["ingest"], "").exits(0).last_line(), "ingested 0, duplicate 0, rejected 0");
    assert!(bed.run_with(&["ingest"], "[{}]").exits(2).stderr.contains("JSON array"));
    let ran = bed.run_with(&["ingest"], "device,event_type\n");
    assert!(ran.exits(1).stderr.contains("the header lacks the column 'created_at'"), "{}", ran.stderr);
    bed.write("cut.ndjson.gz", b"\x1f\x8b\x08\x00\x00");
    assert!(bed.run(&["ingest", "cut.ndjson.gz"]).exits(1).stderr.contains("cannot read 'cut.ndjson.gz'"));
}

#[test]
fn killed_and_run_again_it_ends_with_the_same_rows() {
    let input = many(5000);
    let clean = bed();
    clean.run_with(&["ingest"], &input).exits(0);
    let killed = bed();
    let mut child = killed.command(&["ingest"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Half of it, and no end: the program waits for more with some batches stored and one begun.
    let half = input.len() / 2;
    stdin.write_all(&input.as_bytes()[..half]).unwrap();
    while killed.run(&["count"]).data() == "0\n" {
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = killed.run_with(&["ingest"], &input);
    ran.exits(0);
    assert!(!ran.last_line().contains("duplicate 0"), "{}", ran.last_line());
    assert_eq!(killed.rows(), clean.rows());
}

#[test]
fn interrupted_it_says_what_it_stored() {
    let bed = bed();
    let mut child = bed.command(&["ingest"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = many(5000);
    stdin.write_all(input.as_bytes()).unwrap();
    while bed.run(&["count"]).data() == "0\n" {
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
    }
    crate::bed::signal(&child, "INT");
    // Its input is still open, and silent.
    let ran = crate::bed::Ran::of(child.wait_with_output().unwrap());
    drop(stdin);
    assert_eq!(ran.code, Some(130));
    assert!(ran.last_line().starts_with("ingested "), "{}", ran.stderr);
    assert_eq!(ran.last_line().split([' ', ',']).nth(1), Some(bed.run(&["count"]).data().trim()));
}

/// A file as another program wrote it.
fn field(name: &str) -> String {
    format!("{}/tests/fixtures/field/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn csv_of_other_programs_is_read_as_it_is_meant() {
    for (name, stored, failed) in [
        ("csv-plain.csv", 3, 2),
        ("csv-semicolon.csv", 3, 2),
        ("csv-tab.csv", 3, 2),
        ("csv-pipe.csv", 3, 2),
        ("csv-sep-line.csv", 3, 2),
        ("csv-cr-only.csv", 3, 2),
        ("csv-utf16.csv", 3, 2),
        ("csv-bom-crlf.csv", 3, 2),
        ("csv-blank-lines.csv", 2, 2),
        ("csv-upper-header.csv", 1, 1),
        ("csv-space-header.csv", 1, 1),
    ] {
        let bed = bed();
        let ran = bed.run(&["ingest", &field(name)]);
        assert_eq!(ran.exits(0).last_line(), format!("ingested {stored}, duplicate 0, rejected 0"), "{name}");
        let found = bed.run(&["count", "type:renewal_failed", "device:csv-*"]).data();
        assert_eq!(found, format!("{failed}\n"), "{name}");
        if name.contains("plain") || name.contains("semicolon") || name.contains("utf16") || name.contains("cr-only") {
            assert_eq!(bed.run(&["count", "org:acme"]).data(), "3\n", "{name}");
            assert_eq!(bed.run(&["count", "error:\"one; two, three\""]).data(), "1\n", "{name}");
        }
    }
    let bed = bed();
    let ran = bed.run(&["ingest", &field("csv-excel-date.csv")]);
    assert_eq!(ran.exits(0).last_line(), "ingested 3, duplicate 0, rejected 0");
    assert_eq!(bed.run(&["count", "since:2026-11-20T14:00Z", "until:2026-11-20T14:01Z"]).data(), "3\n");
}

#[test]
fn a_wrong_guess_names_the_delimiter() {
    let bed = bed();
    let ran = bed.run_with(&["ingest"], "device~event_type~created_at\na~b~2026-11-20T14:00:00Z\n");
    assert!(ran.exits(1).stderr.contains("it was split at ','"), "{}", ran.stderr);
    let named = "sep=~\ndevice~event_type~created_at\na~b~2026-11-20T14:00:00Z\n";
    assert_eq!(bed.run_with(&["ingest"], named).exits(0).last_line(), "ingested 1, duplicate 0, rejected 0");
}

#[test]
fn json_of_other_programs_is_read_as_it_is_meant() {
    let bed = bed();
    for (name, stored, rejected) in [
        ("nd-pretty.json", 1, 0),
        ("nd-concat.ndjson", 2, 0),
        ("nd-seq-rs.ndjson", 2, 0),
        ("nd-utf16.ndjson", 1, 0),
        ("nd-error-object.ndjson", 3, 0),
        ("nd-invalid-utf8.ndjson", 1, 1),
    ] {
        let ran = bed.run(&["ingest", &field(name)]);
        let line = format!("ingested {stored}, duplicate 0, rejected {rejected}");
        assert_eq!(ran.last_line(), line, "{name}: {}", ran.stderr);
    }
    assert_eq!(bed.run(&["count", "error:urn:ietf:params:acme:error:rateLimited"]).data(), "1\n");
    let events = |times: &[&str]| {
        let line = |(n, t): (usize, &&str)| {
            format!("{{\"device\":\"t\",\"event_type\":\"e\",\"created_at\":{t},\"error_message\":{n}}}\n")
        };
        times.iter().enumerate().map(line).collect::<String>()
    };
    let good =
        ["1795183200", "1795183200000", "1795183200000000", "1795183200000000000", "\"1795183200\"", "1795183200.0"];
    let ran = bed.run_with(&["ingest"], events(&good));
    assert_eq!(ran.exits(0).last_line(), "ingested 6, duplicate 0, rejected 0");
    assert_eq!(bed.run(&["count", "device:t", "since:2026-11-20T14:00Z", "until:2026-11-20T14:00:01Z"]).data(), "6\n");
    let ran = bed.run_with(&["ingest"], events(&["\"Nov 20 14:00:00\"", "\"01/02/2026\"", "7"]));
    for message in [
        "line 1 has the created_at 'Nov 20 14:00:00', which has no year; it can be ",
        "line 2 has the created_at '01/02/2026', which can mean 2026-01-02 or 2026-02-01",
        "line 3 has the created_at '7', which is not a time",
    ] {
        assert!(ran.exits(4).stderr.contains(message), "{}", ran.stderr);
    }
}

#[test]
fn names_that_only_differ_in_white_space_are_one() {
    let bed = bed();
    bed.run(&["ingest", &field("nd-device-names.ndjson")]);
    bed.run(&["ingest", &field("event-types.ndjson")]);
    for group in ["device", "type"] {
        let rows = bed.run(&["count", "--by", group, "--format", "ndjson"]).data();
        for row in rows.lines() {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            let name = row[if group == "type" { "event_type" } else { "device" }].as_str().unwrap().to_owned();
            assert_eq!(name.trim(), name);
        }
    }
}

#[test]
fn what_comes_before_the_cut_is_stored() {
    let bed = bed();
    let input = many(3000);
    bed.write("all.ndjson", &input);
    bed.run(&["ingest", "all.ndjson"]).exits(0);
    bed.run(&["export", "-o", "all.ndjson.gz"]).exits(0);
    let whole = std::fs::read(bed.path("all.ndjson.gz")).unwrap();
    let fresh = || {
        let bed = Bed::new();
        bed.run(&["db", "init"]).exits(0);
        bed
    };
    let cut = fresh();
    cut.write("cut.gz", &whole[..whole.len() / 2]);
    let ran = cut.run(&["ingest", "cut.gz"]);
    assert!(ran.exits(1).stderr.contains("cannot read 'cut.gz'"), "{}", ran.stderr);
    let stored: usize = cut.run(&["count"]).data().trim().parse().unwrap();
    assert!(stored > 500 && stored < 3000, "{stored}");
    assert!(ran.last_line().starts_with(&format!("ingested {stored}, ")), "{}", ran.stderr);
    let tail = fresh();
    tail.write("tail.gz", [&whole[..], b"trailing"].concat());
    let ran = tail.run(&["ingest", "tail.gz"]);
    assert!(ran.exits(1).stderr.contains("other bytes follow the end of the compressed data"), "{}", ran.stderr);
    assert_eq!(ran.last_line(), "ingested 3000, duplicate 0, rejected 0");
}

#[test]
fn an_event_with_an_empty_type_comes_back() {
    let bed = bed();
    let line = "{\"device\":\"a\",\"event_type\":\"\",\"created_at\":\"2026-11-20T14:00:00Z\"}\n";
    bed.run_with(&["ingest"], line).exits(0);
    for form in ["ndjson", "csv"] {
        let text = bed.run(&["export", "--format", form]).data();
        let again = bed.run_with(&["ingest", "--input-format", form], &text);
        assert_eq!(again.exits(0).last_line(), "ingested 0, duplicate 1, rejected 0");
    }
}
