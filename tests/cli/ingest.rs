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
         renewscope: line 5 has the created_at '2026-11-20T25:00:00Z', which is not a time; write RFC 3339, as in 2026-11-20T14:00:00Z\n\
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
