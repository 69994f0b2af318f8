//! `record`: what a renewal hook relies on.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
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
        assert!(ran.exits(3).stderr.contains("ingest spool.ndjson'"), "{}", ran.stderr);
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
        &["--device", " \t", "--type", "renewal_start"],
        &["--device", "a", "--type", "b", "--nonsense"],
    ] {
        bed.run(&[&["record"], args].concat()).exits(2);
    }
    assert_eq!(bed.run(&["count"]).data(), "0\n");
}

#[test]
fn no_event_is_lost_because_of_its_wording() {
    let bed = bed();
    let bytes = OsStr::from_bytes(b"ung\xfcltig");
    for option in ["--error", "--reason", "--org", "--device", "--type", "--at", "--id", "--old-expiry", "--new-cert"] {
        let mut command = bed.command(&["record", "--spool", "spool.ndjson"]);
        if option != "--device" {
            command.args(["--device", "edge-1"]);
        }
        if option != "--type" {
            command.args(["--type", "renewal_failed"]);
        }
        command.arg(option).arg(bytes);
        Ran::of(command.output().unwrap()).exits(0);
    }
    assert_eq!(bed.run(&["count"]).data(), "9\n");
    assert_eq!(bed.run(&["count", "error:ung\u{fffd}ltig"]).data(), "1\n");
    for (args, message) in [
        (["--id", "7"], "--id: '7' is not a UUID; the event is recorded without it"),
        (["--at", "soon"], "the event is recorded as of now"),
        (["--old-expiry", "later"], "the event is recorded without it"),
    ] {
        let ran = bed.run(&[&["record", "--device", "edge-2", "--type", "-x-"], &args[..]].concat());
        assert!(ran.exits(0).stderr.contains(message), "{}", ran.stderr);
    }
    assert_eq!(bed.run(&["count", "device:edge-2"]).data(), "3\n");
}

#[test]
fn the_length_of_an_expiry_lies_ahead() {
    let bed = bed();
    let args = ["record", "--device", "a", "--type", "renewal_success", "--at", "2026-11-20T14:00:00Z"];
    for (option, value, at) in [
        ("--new-expiry", "90d", "2027-02-18T14:00:00Z"),
        ("--new-expiry", "+90d", "2027-02-18T14:00:00Z"),
        ("--old-expiry", "12w", "2027-02-12T14:00:00Z"),
        ("--new-expiry", "notAfter=Nov 20 14:00:00 2027 GMT", "2027-11-20T14:00:00Z"),
        ("--new-expiry", "1826719200", "2027-11-20T14:00:00Z"),
        ("--at", "Fri, 20 Nov 2026 15:00:00 +0100", "2026-11-20T14:00:00Z"),
    ] {
        let mut all = args.to_vec();
        if option == "--at" {
            all.truncate(5);
        }
        all.extend([option, value]);
        let id = bed.run(&all).data();
        let row = bed.run(&["get", id.trim(), "--format", "ndjson"]).data();
        let row: serde_json::Value = serde_json::from_str(&row).unwrap();
        let key = match option {
            "--at" => "created_at",
            "--new-expiry" => "new_cert_expiration",
            _ => "old_cert_expiration",
        };
        assert_eq!(row[key], at, "{option} {value}");
    }
}

#[test]
fn names_have_no_white_space_around_them() {
    let bed = bed();
    bed.run(&["record", "--device", "edge-1\t", "--org", " acme", "--type", "renewal_failed "]).exits(0);
    assert_eq!(bed.run(&["count", "device:edge-1", "org:acme", "type:renewal_failed"]).data(), "1\n");
}

/// A certificate that ends in this year.
fn certificate(year: i32, is_ca: bool) -> rcgen::Certificate {
    let mut params = rcgen::CertificateParams::new(vec!["edge-1.example.test".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 2);
    if is_ca {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
}

#[test]
fn the_expiry_is_that_of_the_first_certificate_that_is_no_ca() {
    let bed = bed();
    let (leaf, ca) = (certificate(2027, false), certificate(2036, true));
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    bed.write("ca-first.pem", ca.pem() + &leaf.pem());
    bed.write("chain.pem", leaf.pem() + &ca.pem());
    bed.write("key-first.pem", key.clone() + &leaf.pem());
    bed.write("bom.pem", "\u{feff}".to_owned() + &leaf.pem());
    bed.write("crlf.pem", leaf.pem().replace("\r\n", "\n").replace('\n', "\r\n"));
    bed.write("leaf.der", leaf.der());
    bed.write("ca.pem", ca.pem());
    bed.write("p7.pem", "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n");
    bed.write("p7.der", b"\x30\x03\x06\x01\x01");
    bed.write("key.pem", key);
    for (file, year, message) in [
        ("ca-first.pem", "2027", ""),
        ("chain.pem", "2027", ""),
        ("key-first.pem", "2027", ""),
        ("bom.pem", "2027", ""),
        ("crlf.pem", "2027", ""),
        ("leaf.der", "2027", ""),
        ("ca.pem", "2036", "only certificates of CAs in it"),
        ("p7.pem", "null", "it is a PKCS7 bundle; convert it with 'openssl pkcs7"),
        ("p7.der", "null", "neither PEM nor a DER certificate"),
        ("key.pem", "null", "no certificate in it, but a private key"),
    ] {
        let ran = bed.run(&["record", "--device", "a", "--type", "renewal_success", "--new-cert", file]);
        let id = ran.exits(0).stdout.trim().to_owned();
        assert!(ran.stderr.contains(message) && ran.stderr.is_empty() == message.is_empty(), "{file}: {}", ran.stderr);
        let row: serde_json::Value =
            serde_json::from_str(&bed.run(&["get", &id, "--format", "ndjson"]).data()).unwrap();
        assert!(row["new_cert_expiration"].to_string().contains(year), "{file}: {row}");
    }
}

#[test]
fn neither_a_silent_pipe_nor_a_device_holds_a_hook_up() {
    let bed = bed();
    let pipe = bed.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let args = ["record", "--device", "a", "--type", "renewal_failed"];
    for option in [["--error-file", "pipe"], ["--new-cert", "/dev/zero"]] {
        let ran = bed.run(&[&args[..], &option].concat());
        assert!(ran.exits(0).stderr.contains("recorded without it"), "{}", ran.stderr);
    }
    let away = ["--db", "postgres://ann@127.0.0.1:1/x", "--spool", "pipe"];
    let ran = bed.run(&[&args[..], &away].concat());
    assert!(ran.exits(3).stderr.contains("cannot write the spool file 'pipe': it is a named pipe"), "{}", ran.stderr);
    assert!(ran.stderr.lines().any(|l| l.starts_with('{')), "{}", ran.stderr);
    // The output of a command, as a shell passes it.
    let script = format!(
        "exec {} record --config <(echo '[defaults]') --device b --type renewal_failed \
         --error-file <(sleep 0.1; echo from a command)",
        env!("CARGO_BIN_EXE_renewscope")
    );
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &script]).env("RENEWSCOPE_DB", bed.db.as_deref().unwrap()).current_dir(bed.dir.path());
    Ran::of(command.output().unwrap()).exits(0);
    assert_eq!(bed.run(&["count", "error:\"from a command\""]).data(), "1\n");
}

#[test]
fn a_torn_last_line_of_the_spool_costs_only_itself() {
    let bed = bed();
    bed.write("spool.ndjson", "{\"device\":\"a\",\"event_ty");
    let away = "postgres://ann@127.0.0.1:1/x";
    let args = ["record", "--db", away, "--device", "edge-1", "--type", "renewal_failed", "--spool", "spool.ndjson"];
    bed.run(&args).exits(3);
    bed.run(&args).exits(3);
    assert_eq!(bed.run(&["ingest", "spool.ndjson"]).exits(4).last_line(), "ingested 2, duplicate 0, rejected 1");
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
