//! `record`: what a renewal hook relies on.

use std::process::Child;

use crate::bed::{Bed, Ran};

const CHAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fullchain.pem");

fn bed() -> Bed {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed
}

#[test]
fn all_of_an_event_can_be_given() {
    let bed = bed();
    let id = "0192f1c0-0000-4000-8000-00000000000a";
    bed.write("error.txt", "Some challenges failed.\n  Detail: <b>\"404\"</b>\n\n");
    let device = "b2ebe523-9955-5abb-a5d7-bcbeda42c58c";
    let args = [
        "record",
        "--device",
        device,
        "--org",
        "acme",
        "--type",
        "renewal_failed",
        "--reason",
        "expired",
        "--error-file",
        "error.txt",
        "--at",
        "2026-11-20T14:00:00.123Z",
        "--id",
        id,
        "--old-expiry",
        "2026-11-19",
        "--new-cert",
        CHAIN,
    ];
    assert_eq!(bed.run(&args).data(), format!("{id}\n"));
    let row: serde_json::Value = serde_json::from_str(&bed.rows()).unwrap();
    for (key, value) in [
        ("id", id),
        ("device_id", device),
        ("org", "acme"),
        ("event_type", "renewal_failed"),
        ("reason", "expired"),
        ("old_cert_expiration", "2026-11-19T00:00:00Z"),
        // The leaf's; the certificate after it lives longer.
        ("new_cert_expiration", "2027-02-19T05:43:54Z"),
        ("error_message", "Some challenges failed.\n  Detail: <b>\"404\"</b>"),
        ("created_at", "2026-11-20T14:00:00.123Z"),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    // The same once more is the same event.
    let ran = bed.run(&args);
    assert_eq!(ran.exits(0).stdout, format!("{id}\n"));
    assert!(ran.stderr.contains("already stored"));
    assert_eq!(bed.run(&["count"]).data(), "1\n");
}

#[test]
fn a_certificate_that_cannot_be_read_loses_the_date_and_not_the_event() {
    let bed = bed();
    bed.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    bed.write("key.pem", "no certificate here\n");
    std::os::unix::fs::symlink(CHAIN, bed.path("link.pem")).unwrap();
    for (file, warned) in
        [("", true), ("missing.pem", true), ("broken.pem", true), ("key.pem", true), ("link.pem", false)]
    {
        let ran =
            bed.run(&["record", "--device", "edge-1", "--type", "renewal_success", "--new-cert", file, "--org", ""]);
        ran.exits(0);
        assert_eq!(ran.stderr.contains("recorded without it"), warned, "{file}: {}", ran.stderr);
    }
    assert_eq!(bed.run(&["count", "expires:none"]).data(), "4\n");
    let ran = bed.run(&["record", "--device", "a", "--type", "b", "--error-file", "missing.txt"]);
    assert!(ran.exits(0).stderr.contains("--error-file 'missing.txt'"));
    let args = ["record", "--device", "a", "--type", "b", "--error-file", "-", "--at", "2026-11-20"];
    bed.run_with(&args, b"from stdin \xff\n").exits(0);
    assert_eq!(bed.run(&["count", "error:\"from stdin\""]).data(), "1\n");
}

#[test]
fn an_event_that_cannot_be_stored_is_kept() {
    let bed = bed();
    let away = "postgres://ann:s3cret@127.0.0.1:1/x";
    let args = ["record", "--db", away, "--device", "edge-1", "--type", "renewal_failed", "--error", "a\nb"];
    let ran = bed.run(&args);
    ran.exits(3);
    let line = ran.stderr.lines().find(|l| l.starts_with('{')).unwrap();
    bed.run_with(&["ingest"], line).exits(0);
    let mut spooled = args.to_vec();
    spooled.extend(["--spool", "spool.ndjson"]);
    for _ in 0..2 {
        let ran = bed.run(&spooled);
        assert!(ran.exits(3).stderr.contains("renewscope ingest spool.ndjson"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("s3cret") && ran.stdout.is_empty());
    }
    assert_eq!(bed.run(&["ingest", "spool.ndjson"]).exits(0).last_line(), "ingested 2, duplicate 0, rejected 0");
    assert_eq!(bed.run(&["count", "error:\"a\"", "device:edge-1"]).data(), "3\n");
}

#[test]
fn eight_at_once_are_all_stored() {
    // The file is missing too: one of them makes it.
    let bed = Bed::unnamed();
    let start = |n: usize| {
        let device = format!("edge-{n}");
        bed.spawn(&["record", "--device", &device, "--org", "acme", "--type", "renewal_success"])
    };
    let children: Vec<Child> = (0..8).map(start).collect();
    for child in children {
        let ran = Ran::of(child.wait_with_output().unwrap());
        ran.exits(0);
        assert_eq!(ran.stderr, "");
    }
    assert_eq!(bed.run(&["count", "org:acme"]).data(), "8\n");
}

#[test]
fn what_names_nothing_is_refused() {
    let bed = bed();
    for args in [
        &["--device", "", "--type", "renewal_start"][..],
        &["--device", "a", "--type", ""],
        &["--device", "a"],
        &["--device", "a", "--type", "b", "--id", "7"],
        &["--device", "a", "--type", "b", "--at", "soon"],
        &["--device", "a", "--type", "b", "--old-expiry", "later"],
    ] {
        bed.run(&[&["record"], args].concat()).exits(2);
    }
    assert_eq!(bed.run(&["count"]).data(), "0\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_write_lock_is_named() {
    use sqlx::Connection;
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    let mut holder = sqlx::SqliteConnection::connect(bed.db.as_ref().unwrap()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut holder).await.unwrap();
    let ran = bed.run(&["record", "--device", "edge-1", "--type", "renewal_failed"]);
    assert!(
        ran.exits(3).stderr.contains("another process has held the write lock of the file for 5 s"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("server"), "{}", ran.stderr);
}
