//! The program as its users meet it: arguments in, bytes and exit codes out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed;
mod count;
mod devices;
mod export;
mod ingest;
mod investigate;
mod odd_rows;
#[allow(dead_code)]
#[path = "../common/pg.rs"]
mod pg;
mod record;
mod sig;
mod sources;
mod zones;

use bed::{Bed, Ran};

/// Three events of two devices, newest last.
const EVENTS: &str = r#"
{"id":"00000000-0000-4000-8000-000000000001","device":"edge-1","org":"acme","event_type":"renewal_start","reason":"proactive","old_cert_expiration":"2026-12-01T00:00:00Z","created_at":"2026-11-20T14:00:00Z"}
{"id":"00000000-0000-4000-8000-000000000002","device":"edge-1","org":"acme","event_type":"renewal_failed","old_cert_expiration":"2026-12-01T00:00:00Z","error_message":"CSR denied:\nby \"policy\"","created_at":"2026-11-20T15:00:28.5+01:00"}
{"id":"00000000-0000-4000-8000-000000000003","device":"edge-2","org":"globex","event_type":"renewal_success","new_cert_expiration":"2027-11-21T00:00:00Z","created_at":"2026-11-21T00:30:00Z"}
"#;

fn stocked() -> Bed {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed.run_with(&["ingest"], EVENTS).exits(0);
    bed
}

#[test]
fn exit_codes() {
    let bed = stocked();
    for (args, code) in [
        (&["count"][..], 0),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["count", "typ:failed"], 2),
        (&["count", "--nonsense"], 2),
        (&["count", "--fail-if", "many"], 2),
        (&["count", "--tz", "Mars/Olympus"], 2),
        (&["count", "--db", "oracle:x"], 2),
        (&["tail", "--since", "soon"], 2),
        (&["export", "-o", "x.pdf"], 2),
        (&["get", "00000000-0000-4000-8000-00000000000f"], 1),
        (&["ingest", "no-such-file"], 1),
        (&["count", "--db", "sqlite:missing/no.db"], 3),
        (&["count", "--db", "postgres://ann:s3cret@127.0.0.1:1/x"], 3),
        (&["count", "type:failed", "--fail-if", ">0"], 5),
        (&["count", "type:failed", "--fail-if", ">1"], 0),
    ] {
        let ran = bed.run(args);
        ran.exits(code);
        // What is for people never mixes with data, and no password shows.
        assert_eq!(ran.stdout.is_empty(), !matches!(code, 0 | 5), "{args:?}: {}", ran.stdout);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
}

#[test]
fn list_in_every_format() {
    let bed = stocked();
    let list = |format: &str| bed.run(&["list", "device:edge-1", "--tz", "Europe/Berlin", "--format", format]).data();
    let device = "9cf7b3c6-18c5-58b9-9d4f-a1ebbd4c4f25";
    let org = "45c34fa6-8b8c-5357-9a0a-2d0f0c6bf2b5";
    let ids = bed.run(&["list", "id:00000000-0000-4000-8000-000000000001", "--format", "csv"]).data();
    let row: Vec<_> = ids.lines().nth(1).unwrap().split(',').collect();
    let settle = |text: &str| text.replace(row[1], device).replace(row[2], org);
    assert_eq!(
        list("table"),
        "TIME (Europe/Berlin)     ID        DEVICE  ORG   TYPE            REASON     OLD EXPIRY        NEW EXPIRY  ERROR\n\
         2026-11-20 15:00:28.500  00000000  edge-1  acme  renewal_failed  -          2026-12-01 01:00  -           CSR denied:␊by \"policy\"\n\
         2026-11-20 15:00:00.000  00000000  edge-1  acme  renewal_start   proactive  2026-12-01 01:00  -           -\n"
    );
    assert_eq!(
        settle(&list("ndjson")),
        format!(
            r#"{{"id":"00000000-0000-4000-8000-000000000002","device_id":"{device}","org_id":"{org}","event_type":"renewal_failed","reason":null,"old_cert_expiration":"2026-12-01T00:00:00Z","new_cert_expiration":null,"error_message":"CSR denied:\nby \"policy\"","created_at":"2026-11-20T14:00:28.5Z","device":"edge-1","org":"acme"}}
{{"id":"00000000-0000-4000-8000-000000000001","device_id":"{device}","org_id":"{org}","event_type":"renewal_start","reason":"proactive","old_cert_expiration":"2026-12-01T00:00:00Z","new_cert_expiration":null,"error_message":null,"created_at":"2026-11-20T14:00:00Z","device":"edge-1","org":"acme"}}
"#
        )
    );
    assert_eq!(
        settle(&list("csv")),
        format!(
            "id,device_id,org_id,event_type,reason,old_cert_expiration,new_cert_expiration,error_message,created_at,device,org\n\
             00000000-0000-4000-8000-000000000002,{device},{org},renewal_failed,,2026-12-01T00:00:00Z,,\"CSR denied:\nby \"\"policy\"\"\",2026-11-20T14:00:28.5Z,edge-1,acme\n\
             00000000-0000-4000-8000-000000000001,{device},{org},renewal_start,proactive,2026-12-01T00:00:00Z,,,2026-11-20T14:00:00Z,edge-1,acme\n"
        )
    );
    let json: serde_json::Value = serde_json::from_str(&list("json")).unwrap();
    assert_eq!(json[1]["reason"], "proactive");
    assert!(list("md").contains("| CSR denied:<br>by \\\"policy\\\" |"));
}

#[test]
fn a_filter_is_words_in_any_place() {
    let bed = stocked();
    for (args, rows) in [
        (&["count"][..], "3\n"),
        (&["count", "type:failed", "org:acme"], "1\n"),
        (&["count", "-org:acme"], "1\n"),
        (&["count", "--", "-denied"], "2\n"),
        (&["count", "since:2026-11-20", "until:2026-11-21"], "2\n"),
        (&["count", "since:2026-11-21", "--tz", "America/New_York"], "0\n"),
        (&["count", "error:\"by \\\"policy\\\"\""], "1\n"),
        // As the list shows it.
        (&["count", "error:\"denied:␊by\""], "1\n"),
        (&["count", "\"CSR denied:␊by\""], "1\n"),
    ] {
        assert_eq!(bed.run(args).data(), rows, "{args:?}");
    }
}

#[test]
fn a_value_that_no_event_has_is_reported_with_the_nearest_one() {
    let bed = stocked();
    for (filter, message) in [
        ("type:fialed", "no event has the type 'fialed'; did you mean 'failed'?"),
        ("type:renewal_fialed", "no event has the type 'renewal_fialed'; did you mean 'renewal_failed'?"),
        ("org:acmee", "no organization is called 'acmee'; did you mean 'acme'?"),
        ("-org:acmee", "no organization is called 'acmee'; did you mean 'acme'?"),
        ("device:edge-9", "no device is called 'edge-9'; did you mean 'edge-"),
        ("device:x", "no device is called 'x'; list them with 'renewscope count --by device'"),
    ] {
        for command in [&["list"][..], &["count", "--fail-if", ">9"], &["export"], &["export", "-o", "x.csv"]] {
            let ran = bed.run(&[command, &["--", filter]].concat());
            assert!(ran.exits(0).stderr.contains(message), "{filter}: {}", ran.stderr);
            let ran = bed.run(&[command, &["--strict", "--", filter]].concat());
            assert!(ran.exits(2).stderr.contains(message), "{filter}: {}", ran.stderr);
            assert_eq!(ran.stdout, "");
        }
        bed.run(&["tail", "--strict", "--", filter]).exits(2);
    }
    for filter in ["type:failed", "type:renewal_failed", "org:acme", "device:edge-1", "device:edge-*", "org:nobody*"] {
        let ran = bed.run(&["count", "--strict", "since:2030-01-01", filter]);
        assert_eq!((ran.exits(0).stdout.as_str(), ran.stderr.as_str()), ("0\n", ""), "{filter}");
    }
}

#[test]
fn a_lone_word_that_is_nearly_a_command_is_refused() {
    let bed = stocked();
    for (word, meant) in [
        ("devises", "devices"),
        ("device", "devices"),
        ("runway", "devices"),
        ("error", "errors"),
        ("failures", "errors"),
        ("attempt", "attempts"),
        ("report", "export -o report.md"),
        ("lsit", "list"),
        ("Status", "doctor"),
    ] {
        let ran = bed.run(&[word]);
        let message = format!("no command '{word}'; did you mean '{meant}'? To search for the word write '\"{word}\"'");
        assert!(ran.exits(2).stderr.contains(&message), "{}", ran.stderr);
    }
    // A search, which needs a terminal.
    assert!(bed.run(&["x509"]).exits(2).stderr.contains("needs a terminal"));
}

#[test]
fn commands_in_messages_name_the_database_in_use() {
    let bed = Bed::unnamed();
    let ran = bed.run(&["count", "--db", "sqlite:missing.db"]);
    assert!(ran.exits(3).stderr.contains("'renewscope --db sqlite:missing.db db init'"), "{}", ran.stderr);
    let away = "postgres://ann:s3cret@127.0.0.1:1/x";
    let ran = bed.run(&["record", "--db", away, "--device", "a", "--type", "b", "--spool", "s.ndjson"]);
    let message = "'renewscope --db postgres://ann@127.0.0.1:1/x ingest s.ndjson'";
    assert!(ran.exits(3).stderr.contains(message), "{}", ran.stderr);
}

#[test]
fn groups() {
    let bed = stocked();
    let by = |group: &str| bed.run(&["count", "--by", group, "--format", "csv"]).data();
    assert_eq!(by("type"), "event_type,rows\nrenewal_failed,1\nrenewal_start,1\nrenewal_success,1\n");
    assert_eq!(by("reason"), "reason,rows\n,2\nproactive,1\n");
    assert_eq!(
        by("org").lines().map(|l| l.split_once(',').unwrap().1).collect::<Vec<_>>(),
        ["org,rows", "acme,2", "globex,1"]
    );
    assert!(by("device").contains(",edge-1,2\n"));
    assert_eq!(
        by("hour"),
        "from,failed,succeeded,started,other,rows\n2026-11-20T14:00:00Z,1,0,1,0,2\n2026-11-21T00:00:00Z,0,1,0,0,1\n"
    );
    // In New York all three are of one day.
    let days = bed.run(&["count", "--by", "day", "--tz", "America/New_York"]).data();
    assert_eq!(
        days,
        "DAY (America/New_York)  FAILED  SUCCEEDED  STARTED  OTHER  ROWS\n2026-11-20 00:00             1          1        1      0     3\n"
    );
}

#[test]
fn get_takes_an_id_or_its_beginning() {
    let bed = stocked();
    let whole = bed.run(&["get", "00000000-0000-4000-8000-000000000002"]).data();
    assert!(whole.contains("error_message        CSR denied:\n                     by \"policy\"\n"), "{whole}");
    let ran = bed.run(&["get", "00000000-0000-4000"]);
    ran.exits(1);
    assert!(ran.stderr.contains("several events"), "{}", ran.stderr);
    assert_eq!(bed.run(&["get", "00000000-0000-4000-8000-0000000002"]).exits(1).stdout, "");
    assert_eq!(bed.run(&["get", "00000000-0000-4000-8000-00000000000 2"]).exits(1).stdout, "");
}

#[test]
fn tail_hands_over_from_history_and_ends_when_interrupted() {
    let bed = stocked();
    let tail = bed.run(&["tail", "--since", "2026-11-20T14:00:28Z", "--limit", "2", "--format", "ndjson"]).data();
    let ids: Vec<_> = tail.lines().map(|l| l.split('"').nth(3).unwrap().chars().last().unwrap()).collect();
    assert_eq!(ids, ['2', '3']);

    let mut child = bed.spawn(&["tail", "--since", "2026-11-20", "--format", "ndjson"]);
    let mut lines = bed::lines(child.stdout.take().unwrap());
    for last in ["1", "2", "3"] {
        assert!(lines.next().unwrap().contains(&format!("00000000000{last}\"")));
    }
    bed.run(&["record", "--device", "edge-9", "--type", "renewal_failed"]).exits(0);
    assert!(lines.next().unwrap().contains("\"edge-9\""));
    bed::signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(lines.next(), None);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let bed = Bed::new();
    bed.run(&["db", "init"]).exits(0);
    bed.run_with(&["ingest"], bed::many(3000)).exits(0);
    for command in [&["list", "--format", "ndjson"][..], &["export"], &["list"]] {
        let mut child = bed.spawn(command);
        let mut lines = bed::lines(child.stdout.take().unwrap());
        assert!(lines.next().is_some());
        drop(lines);
        let ran = Ran::of(child.wait_with_output().unwrap());
        ran.exits(0);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_command_that_reads_never_makes_the_default_file() {
    let bed = Bed::unnamed();
    for args in [
        &["count", "type:failed", "--fail-if", ">0"][..],
        &["list"],
        &["export"],
        &["tail"],
        &["get", "00000000"],
        &["doctor"],
        &["sources", "detect"],
        &["db", "status"],
    ] {
        let ran = bed.run(args);
        assert!(ran.exits(3).stderr.contains("events.db: the file does not exist"), "{args:?}: {}", ran.stderr);
        assert!(
            args[0] == "db" || ran.stderr.contains("no database is named by --db, RENEWSCOPE_DB"),
            "{}",
            ran.stderr
        );
        assert!(!bed.path(".local").exists(), "{args:?}");
    }
    let mut command = bed.command(&["count"]);
    let ran = Ran::of(command.env("RENEWSCOPE_DB", "").output().unwrap());
    assert!(ran.exits(2).stderr.contains("environment RENEWSCOPE_DB: it is set, but empty"), "{}", ran.stderr);
}

#[test]
fn without_a_name_record_makes_the_file_in_the_data_directory() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::unnamed();
    // Nothing changes the mode after the file was created: it is that of its first moment.
    bed.run(&["record", "--device", "a", "--type", "renewal_start"]).exits(0);
    let ran = bed.run(&["count"]);
    assert_eq!(ran.exits(0).stdout, "1\n");
    assert!(ran.stderr.contains("/renewscope/events.db"), "{}", ran.stderr);
    let mode = |path: &str| std::fs::metadata(bed.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".local/share/renewscope"), 0o700);
    assert_eq!(mode(".local/share/renewscope/events.db"), 0o600);
    let config = bed.run(&["config", "--print", "--format", "ndjson"]).data();
    assert!(config.contains("/renewscope/events.db\",\"source\":\"default\"}"), "{config}");
    for (home, code, message) in
        [("relative", 2, "HOME is unset or not an absolute path"), ("/proc", 3, "cannot create its directory")]
    {
        let mut command = bed.command(&["record", "--device", "a", "--type", "renewal_start"]);
        let ran = Ran::of(command.env("HOME", home).output().unwrap());
        assert!(ran.exits(code).stderr.contains(message), "{home}: {}", ran.stderr);
        assert!(!ran.stderr.contains("server runs"), "{}", ran.stderr);
    }
}

#[test]
fn the_schema_goes_forward_and_back() {
    let bed = Bed::new();
    let ran = bed.run(&["db", "init"]);
    assert_eq!(ran.exits(0).stdout.lines().count(), 3, "{}", ran.stdout);
    assert!(bed.run(&["db", "migrate"]).exits(0).stderr.contains("nothing to do"));
    bed.run_with(&["ingest"], EVENTS).exits(0);
    bed.run(&["db", "rollback"]).exits(0);
    assert_eq!(bed.run(&["count"]).data(), "3\n");
    bed.run(&["db", "index"]).exits(0);
    bed.run(&["db", "migrate"]).exits(0);
    let ran = bed.run(&["db", "rollback", "--to", "0"]);
    assert!(ran.exits(2).stderr.contains("--delete-events"), "{}", ran.stderr);
    bed.run(&["db", "rollback", "--to", "0", "--delete-events"]).exits(0);
    assert!(bed.run(&["db", "status"]).exits(0).stderr.contains("has no event table"));
    bed.run(&["count"]).exits(1);
}

#[test]
fn a_path_that_is_no_database_gets_a_message_about_files() {
    let bed = Bed::new();
    bed.write("text.db", "no database at all, but long enough to be looked at as one");
    for (db, code, message) in [
        (
            "sqlite:missing.db",
            3,
            "the file does not exist; check the path, or make it with 'renewscope --db sqlite:missing.db db init'",
        ),
        ("sqlite:.", 3, "it is a directory; give the path of a file"),
        ("sqlite:text.db", 1, "sqlite:text.db is not a SQLite database"),
    ] {
        for command in ["count", "doctor"] {
            let ran = bed.run(&[command, "--db", db]);
            assert!(ran.exits(code).stderr.contains(message), "{}", ran.stderr);
            assert!(!ran.stderr.contains("server runs"), "{}", ran.stderr);
        }
    }
}

#[test]
fn neither_a_pipe_nor_a_device_holds_a_command_up() {
    let bed = stocked();
    assert!(std::process::Command::new("mkfifo").arg(bed.path("pipe")).status().unwrap().success());
    for path in ["pipe", "/dev/zero", "/dev/null", "/dev/full"] {
        let db = format!("sqlite:{path}");
        for args in [
            &["count"][..],
            &["doctor"],
            &["db", "status"],
            &["sources", "detect"],
            &["record", "--device", "a", "--type", "b"],
        ] {
            let ran = bed.run(&[args, &["--db", &db]].concat());
            assert!(
                ran.exits(3).stderr.contains("not a regular file; give the path of a database file"),
                "{}",
                ran.stderr
            );
        }
        let ran = bed.run(&["count", "--config", path]);
        assert!(ran.exits(2).stderr.contains("not a regular file"), "{}", ran.stderr);
        let ran = bed.run(&["count", "--source", &format!("../{path}").replace("..//", "/")]);
        assert_ne!(ran.code, Some(0));
    }
    // A log that is one of these is no log; the command goes on.
    let state = bed.path(".local/state/renewscope");
    std::fs::create_dir_all(&state).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(state.join("renewscope.log")).status().unwrap().success());
    let ran = Ran::of(bed.command(&["count"]).env("RENEWSCOPE_LOG", "debug").output().unwrap());
    assert!(ran.exits(0).stderr.contains("no log: cannot write in"), "{}", ran.stderr);
}

#[test]
fn the_log_is_the_owners_and_follows_no_link() {
    use std::os::unix::fs::PermissionsExt;
    let bed = stocked();
    let state = bed.path(".local/state/renewscope");
    let logged = |bed: &Bed| Ran::of(bed.command(&["count", "id:7"]).env("RENEWSCOPE_LOG", "debug").output().unwrap());
    logged(&bed).exits(0);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("renewscope.log"))), (0o700, 0o600));
    std::fs::remove_file(state.join("renewscope.log")).unwrap();
    std::os::unix::fs::symlink(bed.path("victim"), state.join("renewscope.log")).unwrap();
    assert!(logged(&bed).exits(0).stderr.contains("it is a symbolic link"));
    assert!(!bed.path("victim").exists());
}

#[test]
fn a_failure_says_that_few_files_can_be_open() {
    let bed = stocked();
    let script = format!("ulimit -n 9; exec {} count", env!("CARGO_BIN_EXE_renewscope"));
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &script]).env("RENEWSCOPE_DB", bed.db.as_deref().unwrap()).env("HOME", bed.dir.path());
    let ran = Ran::of(command.output().unwrap());
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains("only 9 files can be open at once"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

/// The limit counts the processes and threads of a user, so it takes another user than the one of the other tests.
#[test]
fn a_failure_says_that_no_thread_is_left() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let bed = Bed::new();
    let place = bed.path("program");
    std::fs::create_dir(&place).unwrap();
    for directory in [bed.dir.path(), &place] {
        std::os::unix::fs::chown(directory, Some(54321), Some(54321)).unwrap();
    }
    let program = place.join("renewscope");
    std::fs::copy(env!("CARGO_BIN_EXE_renewscope"), &program).unwrap();
    let limited = |threads: &str, args: &[&str]| {
        let script = format!(
            "ulimit -u {threads}; exec setpriv --reuid=54321 --regid=54321 --clear-groups {} \"$@\"",
            program.display()
        );
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script, "bash"]).args(args).current_dir(bed.dir.path());
        command.env("RENEWSCOPE_DB", bed.db.as_deref().unwrap()).env("HOME", bed.dir.path());
        loop {
            let ran = Ran::of(command.output().unwrap());
            // A process that another test starts inherits the copy, open for writing, until it runs its program.
            if !ran.stderr.contains("Text file busy") {
                return ran;
            }
            std::thread::yield_now();
        }
    };
    limited("unlimited", &["db", "init"]).exits(0);
    assert_eq!(limited("100", &["count"]).exits(0).stdout, "0\n");
    // From none at all to nearly enough: each ends with a message, and never with a panic or a signal.
    for threads in 1..12 {
        let ran = limited(&threads.to_string(), &["count"]);
        match ran.code {
            Some(0) => assert_eq!(ran.stdout, "0\n"),
            code => assert!(matches!(code, Some(1 | 3)), "{threads}: {code:?} {}", ran.stderr),
        }
        assert!(!ran.stderr.contains("panicked"), "{threads}: {}", ran.stderr);
        assert!(threads > 1 || ran.stderr.contains("thread"), "{threads}: {}", ran.stderr);
    }
}

#[test]
fn completions_and_manual_need_no_database() {
    let bed = Bed::new();
    let bash = bed.run(&["completions", "bash", "--db", "nonsense"]).data();
    assert!(bash.contains("ingest"), "{bash}");
    let man = bed.run(&["man"]).data();
    assert!(man.starts_with(".ie"), "{man}");
    // An address in the environment is in no help.
    assert!(!bed.run(&["--help"]).data().contains("sqlite:/"));
}

#[test]
fn postgresql_gives_the_same_rows() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = Bed::at(&runtime.block_on(pg::empty()));
    postgres.run(&["db", "init"]).exits(0);
    let sqlite = Bed::new();
    sqlite.run(&["db", "init"]).exits(0);
    let input = export::hostile() + EVENTS + &bed::many(2500);
    for bed in [&postgres, &sqlite] {
        bed.run_with(&["ingest"], &input).exits(0);
    }
    for args in [
        &["export"][..],
        &["export", "--format", "csv"],
        &["list", "type:failed", "--limit", "1200"],
        &["count"],
        &["count", "--by", "hour", "--tz", "Asia/Kathmandu"],
        &["count", "--by", "org"],
        &["get", "00000000-0000-4000-8000-000000000004"],
        &["tail", "--since", "2026-11-20T14:00:00Z", "--limit", "10"],
    ] {
        assert_eq!(postgres.run(args).data(), sqlite.run(args).data(), "{args:?}");
    }
}

/// Events with all patterns of missing fields, hostile text, and hundreds of them at one instant.
fn varied(count: usize) -> String {
    let texts = [
        "plain",
        "\\u001b[31mred",
        "\\u202ertl\\u200b",
        "a\\nb\\r\\nc\\td",
        "'=cmd",
        "=1+1",
        "\\\\u{1b} \\\"q\\\"",
        "日本語 👩‍👩‍👧",
        "",
    ];
    let times =
        ["2026-11-23T18:10:00.000001Z", "infinity", "-infinity", "+200000-01-01T00:00:00Z", "-0043-03-15T12:00:00Z"];
    let mut out = String::new();
    for n in 0..count {
        let text = |skip: usize| match (n + skip) % 10 {
            9 => "null".to_owned(),
            i => format!("\"{}\"", texts[i]),
        };
        let time = |skip: usize| match (n / 7 + skip) % 6 {
            5 => "null".to_owned(),
            i => format!("\"{}\"", times[i]),
        };
        // A third of the rows share one instant.
        let second = if n % 3 == 0 { 0 } else { n };
        out += &format!(
            "{{\"id\":\"00000000-0000-4000-8000-{n:012x}\",\"device\":\"edge-{}\",\"org\":\"org {}\",\"event_type\":\"{}\",\
             \"reason\":{},\"old_cert_expiration\":{},\"new_cert_expiration\":{},\"error_message\":{},\
             \"created_at\":\"2026-11-{:02}T{:02}:{:02}:{:02}.{:06}Z\"}}\n",
            n % 700,
            n % 9,
            ["renewal_start", "renewal_success", "renewal_failed", "recovery_failed", "odd"][n % 5],
            text(3),
            time(0),
            time(2),
            text(0),
            1 + second / 86_400,
            second / 3600 % 24,
            second / 60 % 60,
            second % 60,
            second % 1000,
        );
    }
    out
}

#[test]
fn twenty_thousand_events_survive_the_way_out_and_in_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let input = varied(20_000);
    let mut written = Vec::new();
    for postgres in [false, true] {
        let fresh = || match postgres {
            true => Bed::at(&runtime.block_on(pg::empty())),
            false => Bed::new(),
        };
        let first = fresh();
        first.run(&["db", "init"]).exits(0);
        let ran = first.run_with(&["ingest"], &input);
        assert_eq!(ran.exits(0).last_line(), "ingested 20000, duplicate 0, rejected 0");
        let rows = first.rows();
        assert_eq!(rows.lines().count(), 20_000);
        let csv = first.run(&["export", "--format", "csv"]).data();
        for (form, text) in [("ndjson", &rows), ("csv", &csv)] {
            let second = fresh();
            second.run(&["db", "init"]).exits(0);
            let args = ["ingest", "--input-format", form];
            assert_eq!(second.run_with(&args, text).exits(0).last_line(), "ingested 20000, duplicate 0, rejected 0");
            assert!(second.rows() == rows, "{form}: not the same rows");
            assert_eq!(second.run_with(&args, text).exits(0).last_line(), "ingested 0, duplicate 20000, rejected 0");
        }
        written.push(rows);
    }
    assert!(written[0] == written[1], "the two databases do not hold the same rows");
}

#[test]
fn an_interrupted_query_is_stopped_in_the_database() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bed = Bed::at(&runtime.block_on(pg::migrated()));
    let url = bed.db.clone().unwrap();
    let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND application_name = 'renewscope' AND wait_event_type = 'Lock'";
    runtime.block_on(async {
        let mut holder = pg::connect(&url).await;
        sqlx::raw_sql("BEGIN; LOCK TABLE certificate_renewal_events").execute(&mut holder).await.unwrap();
        let mut watch = pg::connect(&url).await;
        let mut waiting = async || -> i64 { sqlx::query_scalar(running).fetch_one(&mut watch).await.unwrap() };
        let mut child = bed.spawn(&["count"]);
        while waiting().await == 0 {
            assert!(child.try_wait().unwrap().is_none(), "it ended early");
        }
        bed::signal(&child, "INT");
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(waiting().await, 0);
    });
}
