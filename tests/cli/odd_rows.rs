//! Rows with values that their columns should not hold: the commands show the others, and say how many are missing.

use sqlx::{ConnectOptions as _, Connection as _};

use crate::bed::Bed;
use crate::pg;

const PROFILE: &str = "name = \"jobs\"\ndatabase = [\"sqlite\", \"postgres\"]\n[relation]\ntable = \"jobs\"\n[fields]\n\
    id = { column = \"key\", type = \"text\" }\ndevice = { column = \"host\" }\ntype = { column = \"step\" }\n\
    error = { column = \"message\" }\ntime = { column = \"at\", TIME }\nold-expiry = { column = \"old\", TIME }\n";

async fn execute(bed: &Bed, sql: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(bed.path("t.db")).create_if_missing(true);
    let mut conn = options.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// A table with one good row, one with odd texts, and three that cannot be shown.
async fn odd() -> Bed {
    let bed = Bed::new();
    execute(
        &bed,
        "CREATE TABLE jobs (key TEXT, host TEXT, step TEXT, message TEXT, at INTEGER, old INTEGER);
         INSERT INTO jobs VALUES ('good', 'web-1', 'renewal_failed', 'refused', 1795172400, 1795172401),
         ('odd', x'ffff', 5, CAST(x'61ff62' AS TEXT), 1795172400.5, x'010203'),
         (NULL, 'web-2', 'renewal_failed', '', 1795172400, NULL),
         ('late', 'web-2', 'renewal_failed', '', 'yesterday', NULL),
         (x'0102', 'web-2', 'renewal_failed', '', NULL, NULL);",
    )
    .await;
    bed.write("jobs.toml", PROFILE.replace("TIME", "type = \"unix-seconds\""));
    bed
}

const NOTE: &str = "3 rows cannot be shown: they have no usable id or time; 'renewscope doctor' lists them";

#[tokio::test]
async fn rows_that_cannot_be_shown_are_counted_and_named() {
    let bed = odd().await;
    let list = bed.run(&["list", "--source", "jobs.toml", "--format", "csv"]);
    assert_eq!(list.exits(0).stdout.lines().count(), 3, "{}", list.stdout);
    assert!(list.stdout.contains("⟨blob 2 bytes⟩") && list.stdout.contains("a⟨FF⟩b"), "{}", list.stdout);
    assert!(list.stdout.contains("2026-11-20T11:00:00.5"), "{}", list.stdout);
    assert_eq!(list.stderr.matches(NOTE).count(), 1, "{}", list.stderr);
    let export = bed.run(&["export", "--source", "jobs.toml", "-o", "out.ndjson"]);
    assert!(export.exits(0).stderr.contains(NOTE), "{}", export.stderr);
    assert_eq!(bed.read("out.ndjson").lines().count(), 2);
    let count = bed.run(&["count", "--source", "jobs.toml"]);
    assert_eq!(count.exits(0).stdout, "2\n");
    assert_eq!(count.stderr.matches(NOTE).count(), 1, "{}", count.stderr);
    for by in ["device", "type"] {
        let counted = bed.run(&["count", "--by", by, "--source", "jobs.toml", "--format", "csv"]);
        assert_eq!(counted.stderr.matches(NOTE).count(), 1, "{by}: {}", counted.stderr);
        assert_eq!(counted.exits(0).stdout.lines().count(), 3, "{}", counted.stdout);
    }
    let days = bed.run(&["count", "--by", "day", "--source", "jobs.toml", "--format", "csv"]);
    assert_eq!(days.exits(0).stderr.matches(NOTE).count(), 1, "{}", days.stderr);
    let odd = bed.run(&["get", "odd", "--source", "jobs.toml"]);
    assert!(odd.exits(0).stdout.contains("⟨blob 3 bytes⟩"), "{}", odd.stdout);
    let late = bed.run(&["get", "late", "--source", "jobs.toml"]);
    assert!(late.exits(1).stderr.contains("has no usable time"), "{}", late.stderr);
    let doctor = bed.run(&["doctor", "--source", "jobs.toml", "--format", "csv"]);
    let found = doctor.stdout;
    assert!(found.contains("3 cannot be shown: row 3: id NULL, time '1795172400'"), "{found}");
    assert!(
        found.contains("row 4: id 'late', time 'yesterday'") && found.contains("row 5: id '⟨blob 2 bytes⟩', time NULL")
    );
}

#[tokio::test]
async fn a_tail_goes_on_over_rows_that_cannot_be_shown() {
    let bed = odd().await;
    let tail = bed.run(&["tail", "--since", "2026-11-01", "--limit", "2", "--source", "jobs.toml", "--format", "csv"]);
    assert_eq!(tail.exits(0).stdout.lines().count(), 3, "{}", tail.stdout);
    assert!(tail.stderr.contains(NOTE), "{}", tail.stderr);
}

#[tokio::test]
async fn odd_details_hide_no_event_of_a_certificate_authority() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources/ca-sqlite/sqlite.sql");
    let bed = Bed::new();
    execute(&bed, &std::fs::read_to_string(path).unwrap()).await;
    let all: u64 = bed.run(&["count"]).data().trim().parse().unwrap();
    for details in [r#"{"caId": 5}"#, r#"{"caId": 1.5}"#, r#"{"error":"visible\u0000HIDDENCAUSE"}"#, "{", "[]", ""] {
        let change =
            format!("UPDATE audit_log SET details = '{details}' WHERE rowid = (SELECT max(rowid) FROM audit_log)");
        execute(&bed, &change).await;
        let list = bed.run(&["list", "--format", "ndjson"]);
        assert_eq!(list.exits(0).stdout.lines().count() as u64, all, "{details}: {}", list.stderr);
        bed.run(&["count", "--by", "org"]).exits(0);
        let found: u64 = bed.run(&["count", "error:HIDDENCAUSE"]).data().trim().parse().unwrap();
        let others: u64 = bed.run(&["count", "--", "-error:HIDDENCAUSE"]).data().trim().parse().unwrap();
        assert_eq!((found + others, found), (all, u64::from(details.contains("HIDDEN"))), "{details}");
    }
    execute(&bed, "UPDATE audit_log SET timestamp = timestamp + 0.5 WHERE rowid = (SELECT max(rowid) FROM audit_log)")
        .await;
    assert_eq!(bed.run(&["list", "--format", "ndjson"]).exits(0).stdout.lines().count() as u64, all);
}

#[tokio::test]
async fn a_text_that_a_view_computes_is_bounded() {
    for (megabytes, code, says) in [(40, 0, "⟨text of 40000000 bytes⟩"), (800, 1, "a text is longer than 256 MiB")]
    {
        let bed = Bed::new();
        let view = format!(
            "CREATE TABLE real (key TEXT, host TEXT, step TEXT, at INTEGER, old INTEGER);
             INSERT INTO real VALUES ('a', 'web-1', 'failed', 1795172400, NULL);
             CREATE VIEW jobs AS SELECT *, hex(zeroblob({megabytes}000000 / 2)) message FROM real;"
        );
        execute(&bed, &view).await;
        bed.write("jobs.toml", PROFILE.replace("TIME", "type = \"unix-seconds\""));
        let list = bed.run(&["list", "--source", "jobs.toml", "--format", "ndjson"]);
        assert_eq!(list.code, Some(code), "{}", list.stderr);
        assert!(list.stdout.contains(says) || list.stderr.contains(says), "{} {}", list.stdout, list.stderr);
        assert!(bed.run(&["count", "--source", "jobs.toml"]).exits(0).stdout == "1\n");
    }
}

#[tokio::test]
async fn generated_columns_are_columns() {
    let bed = Bed::new();
    execute(
        &bed,
        "CREATE TABLE jobs (key TEXT PRIMARY KEY, host TEXT, step TEXT AS (lower('Renewal_failed')), message TEXT AS (host || '!')
         STORED, at INTEGER, old INTEGER); INSERT INTO jobs (key, host, at) VALUES ('a', 'web-1', 1795172400);",
    )
    .await;
    bed.write("jobs.toml", PROFILE.replace("TIME", "type = \"unix-seconds\""));
    let list = bed.run(&["list", "--source", "jobs.toml", "--format", "csv"]).data();
    assert!(list.contains("renewal_failed") && list.contains("web-1!"), "{list}");
}

#[tokio::test]
async fn what_cannot_be_read_says_what_to_do() {
    let url = pg::empty().await;
    let table = "CREATE TABLE jobs (key text PRIMARY KEY, host text, step text, message text, at <type>, old <type>);";
    pg::execute(&url, &table.replace("<type>", "text")).await;
    let bed = Bed::at(&url);
    bed.write("jobs.toml", PROFILE.replace("TIME", "zone = \"UTC\""));
    let list = bed.run(&["list", "--source", "jobs.toml"]);
    let why = "column 'old' of 'jobs' has the type 'text', which cannot be read as a time; cast it";
    assert!(list.stderr.contains(why), "{}", list.stderr);
    assert!(!list.stderr.contains("db status"), "{}", list.stderr);

    let roles = format!(
        "DROP TABLE jobs; {} INSERT INTO jobs VALUES ('a', 'web-1', 'x', 'm', now(), now());
         CREATE ROLE halfreader LOGIN; GRANT SELECT (key, host, step, at, old) ON jobs TO halfreader;",
        table.replace("<type>", "timestamptz")
    );
    pg::execute(&url, &roles).await;
    let half = Bed::at(&url.replace("postgres@", "halfreader@"));
    half.write("jobs.toml", PROFILE.replace("TIME", "zone = \"UTC\""));
    let list = half.run(&["list", "--source", "jobs.toml"]);
    assert_ne!(list.code, Some(0));
    assert!(
        list.stderr.contains("this role may not read 'message' of 'jobs'; GRANT SELECT (message) ON jobs"),
        "{}",
        list.stderr
    );
}

#[tokio::test]
async fn serial_ids_are_read_by_every_command() {
    let url = pg::empty().await;
    pg::execute(
        &url,
        "CREATE TABLE jobs (key serial PRIMARY KEY, host int4, step text, message text, at timestamptz, old timestamptz);
         INSERT INTO jobs (host, step, at) SELECT n % 3, 'renewal_failed', now() FROM generate_series(1, 9) n;",
    )
    .await;
    let bed = Bed::at(&url);
    bed.write("jobs.toml", PROFILE.replace("TIME", "zone = \"UTC\"").replace(", type = \"text\"", ""));
    let run = |args: &[&str]| bed.run(&[args, &["--source", "jobs.toml", "--format", "csv"]].concat());
    assert_eq!(run(&["list"]).exits(0).stdout.lines().count(), 10);
    assert_eq!(run(&["list", "device:1"]).exits(0).stdout.lines().count(), 4);
    assert_eq!(run(&["count", "--by", "device"]).exits(0).stdout.lines().count(), 4);
    assert_eq!(run(&["tail", "--since", "2026-01-01", "--limit", "9"]).exits(0).stdout.lines().count(), 10);
    run(&["get", "3"]).exits(0);
    bed.run(&["sources", "check", "jobs.toml"]).exits(0);
}
