//! What `export` writes, `ingest` reads back to the same rows, for every text.

use renewscope::domain::text::is_unsafe;

use crate::bed::Bed;

/// Rows with what terminals, spreadsheets, parsers and databases stumble over.
pub fn hostile() -> String {
    let texts = [
        "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m",
        "=HYPERLINK(\"http://evil.test\")",
        "'=1+1",
        " @SUM(A1:A9)",
        "\u{ff1d}cmd|'/C calc'!A0",
        "-1\r\n+2\t\"quoted\", and, commas\n",
        "\u{202e}txt.exe\u{200b}\u{feff}\u{2028}",
        "\\u{1b} \\u{} \\",
        "",
        "<script>alert(1)</script> | a | `b`",
        "zero \u{0} byte",
        "👩‍👩‍👧 日本語 e\u{301}",
        "\"",
        "'",
    ];
    let expiries = ["infinity", "-infinity", "2026-11-20T14:00:00.123456Z"];
    let row = |(n, text): (usize, &str)| {
        let row = serde_json::json!({
            "id": format!("00000000-0000-4000-8000-{n:012}"),
            "device": format!("d{text}"),
            "org": if n % 3 == 0 { None } else { Some(format!("o{text}")) },
            "event_type": format!("t{text}"),
            "reason": if n % 2 == 0 { Some(text) } else { None },
            "error_message": text,
            "old_cert_expiration": expiries[n % 3],
            "new_cert_expiration": if n % 2 == 0 { Some("-4713-11-24T00:00:00Z") } else { None },
            "created_at": format!("2026-11-20T14:00:{n:02}Z"),
        });
        format!("{row}\n")
    };
    texts.into_iter().enumerate().map(row).collect()
}

fn bed() -> Bed {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed
}

#[test]
fn hostile_rows_come_back_the_same() {
    let source = bed();
    assert_eq!(source.run_with(&["ingest"], hostile()).exits(0).last_line(), "ingested 14, duplicate 0, rejected 0");
    let rows = source.rows();
    assert_eq!(rows.lines().count(), 14);
    for name in ["a.ndjson", "b.csv", "c.ndjson.gz", "d.csv.zst"] {
        let ran = source.run(&["export", "-o", name]);
        assert_eq!(ran.exits(0).stdout, "");
        assert!(!parts(&source), "a partial file is left");
        let target = bed();
        let file = source.path(name);
        let file = file.to_str().unwrap();
        let ran = target.run(&["ingest", file]);
        assert_eq!(ran.exits(0).last_line(), "ingested 14, duplicate 0, rejected 0", "{name}");
        assert_eq!(target.rows(), rows, "{name}");
        let again = target.run(&["ingest", file]);
        assert_eq!(again.exits(0).last_line(), "ingested 0, duplicate 14, rejected 0", "{name}");
    }
}

#[test]
fn nothing_unsafe_reaches_stdout_or_stderr() {
    let bed = bed();
    bed.run_with(&["ingest"], hostile()).exits(0);
    let check = |args: &[&str]| {
        let ran = bed.run(args);
        ran.exits(0);
        let bad = ran.stdout.chars().chain(ran.stderr.chars()).find(|c| *c != '\n' && is_unsafe(*c));
        assert_eq!(bad, None, "{args:?}");
    };
    for format in ["table", "ndjson", "json", "csv", "md"] {
        check(&["list", "--format", format]);
        check(&["export", "--format", format]);
        check(&["get", "00000000-0000-4000-8000-000000000006", "--format", format]);
        for group in ["type", "org", "device", "reason", "day"] {
            check(&["count", "--by", group, "--format", format]);
        }
    }
    let ran = bed.run(&["count", "--db", "sqlite:\u{1b}[2J/x.db"]);
    assert!(!ran.exits(3).stderr.contains('\u{1b}'), "{:?}", ran.stderr);
}

#[test]
fn a_nul_is_stored_as_its_sign() {
    let bed = bed();
    bed.run_with(&["ingest"], hostile()).exits(0);
    assert_eq!(bed.run(&["count", "error:\"zero ␀ byte\""]).data(), "1\n");
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let bed = bed();
    bed.write("out.csv", "old");
    bed.run(&["export", "-o", "out.csv", "--db", "sqlite:missing.db"]).exits(3);
    assert_eq!(bed.read("out.csv"), "old");
    bed.run(&["export", "-o", "no/such/out.csv"]).exits(1);
    std::os::unix::fs::symlink("out.csv", bed.path("link.csv")).unwrap();
    bed.run(&["export", "-o", "link.csv"]).exits(0);
    assert!(bed.read("out.csv").starts_with("id,device_id,"));
    assert!(bed.path("link.csv").is_symlink());
    bed.run(&["export", "--format", "ndjson", "-o", "/dev/null"]).exits(0);
}

/// Whether a partial file is in the directory.
fn parts(bed: &Bed) -> bool {
    let mut entries = std::fs::read_dir(bed.dir.path()).unwrap();
    entries.any(|e| e.unwrap().file_name().to_str().unwrap().ends_with(".part"))
}

#[test]
fn an_export_touches_no_other_file() {
    let bed = bed();
    bed.run_with(&["ingest"], crate::bed::many(3000)).exits(0);
    bed.write("out.csv.part", "a file of the user");
    // Several at once write the same file: each is whole, the last one stays.
    let children: Vec<_> = (0..4).map(|_| bed.spawn(&["export", "-o", "out.csv"])).collect();
    for child in children {
        crate::bed::Ran::of(child.wait_with_output().unwrap()).exits(0);
    }
    assert_eq!(bed.read("out.csv.part"), "a file of the user");
    assert_eq!(bed.read("out.csv"), bed.run(&["export", "--format", "csv"]).data());
    std::fs::remove_file(bed.path("out.csv.part")).unwrap();
    assert!(!parts(&bed));
    // A file that only its owner can read stays so.
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(bed.path("out.csv"), std::fs::Permissions::from_mode(0o600)).unwrap();
    bed.run(&["export", "-o", "out.csv"]).exits(0);
    assert_eq!(std::fs::metadata(bed.path("out.csv")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn pages_join_without_gap_or_double() {
    let bed = bed();
    bed.run_with(&["ingest"], crate::bed::many(2500)).exits(0);
    let rows = bed.rows();
    let mut ids: Vec<_> = rows.lines().map(|l| l.split('"').nth(3).unwrap()).collect();
    assert_eq!(ids.len(), 2500);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2500);
    assert_eq!(
        bed.run(&["export", "--limit", "1700"]).data(),
        rows.lines().take(1700).map(|l| format!("{l}\n")).collect::<String>()
    );
}
