//! The commands about sources, `--source`, and the way of another source's events into our own tables.

use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _};

use crate::bed::Bed;
use crate::pg;

fn fixture(directory: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources").join(directory).join(file);
    std::fs::read_to_string(path).unwrap()
}

/// A bed on a SQLite file made by these statements.
async fn sqlite(sql: &str) -> Bed {
    let bed = Bed::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(bed.path("t.db")).create_if_missing(true);
    let mut conn = options.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    bed
}

pub async fn bed(directory: &str) -> Bed {
    if directory == "ca-sqlite" {
        return sqlite(&fixture(directory, "sqlite.sql")).await;
    }
    let url = pg::empty().await;
    pg::execute(&url, &fixture(directory, "postgres.sql")).await;
    Bed::at(&url)
}

#[tokio::test]
async fn sources_are_listed_shown_and_detected() {
    let bed = bed("ca-sqlite").await;
    let list = bed.run(&["sources", "list", "--format", "csv"]).data();
    assert_eq!(list.lines().count(), 6, "{list}");
    assert!(list.contains("ca-sqlite,sqlite,built in,"), "{list}");
    let shown = bed.run(&["sources", "show", "ca-sqlite"]).data();
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/profiles/ca-sqlite.toml")).unwrap();
    assert_eq!(shown, file);
    assert!(bed.run(&["sources", "show", "ca-sqlit"]).exits(2).stderr.contains("did you mean 'ca-sqlite'?"));

    let found = bed.run(&["sources", "detect", "--format", "csv"]).data();
    assert!(found.lines().nth(1).unwrap().starts_with("ca-sqlite,fits,"), "{found}");
    assert!(found.contains("flightctl,does not fit,relation 'certificate_renewal_events' not found"), "{found}");
    let checked = bed.run(&["sources", "check", "ca-sqlite", "--format", "csv"]).data();
    assert!(checked.contains("query,the newest events,by index,"), "{checked}");
    assert!(checked.contains("field,reason,absent,"), "{checked}");
    assert!(checked.contains("sample,event_type,,renewal_failed"), "{checked}");
    bed.run(&["sources", "check", "sirius"]).exits(1);
    let status = bed.run(&["db", "status", "--format", "csv"]);
    assert!(status.exits(0).stdout.contains("source,ca-sqlite,fits,"), "{}", status.stdout);

    let empty = sqlite("CREATE TABLE audit_log (id TEXT PRIMARY KEY, operation TEXT);").await;
    let found = empty.run(&["sources", "detect", "--format", "csv"]);
    assert!(
        found.exits(1).stdout.contains("ca-sqlite,nearly fits,relation 'audit_log' has no column 'timestamp'"),
        "{}",
        found.stdout
    );
    let listed = empty.run(&["list"]);
    assert!(
        listed.exits(1).stderr.contains("'ca-sqlite' nearly fits: relation 'audit_log' has no column"),
        "{}",
        listed.stderr
    );
}

#[tokio::test]
async fn what_a_source_lacks_is_refused_and_not_empty() {
    let bed = bed("sirius").await;
    for (args, why) in [
        (&["list", "expires:<7d"][..], "'expires:' does not fit this source: 'sirius' records no expiry"),
        (&["count", "org:acme"], "records no organization"),
        (&["count", "--by", "org"], "cannot count: the source 'sirius' records no organization"),
    ] {
        assert!(bed.run(args).exits(2).stderr.contains(why), "{args:?}");
    }
    assert_ne!(bed.run(&["count", "type:failed"]).data(), "0\n");
    assert_ne!(bed.run(&["count", "severity:critical"]).data(), "0\n");
    assert!(bed.run(&["db", "status"]).exits(0).stderr.contains("is read as 'sirius'"));
    let row = bed.run(&["list", "--limit", "1", "--format", "ndjson"]).data();
    let id: serde_json::Value = serde_json::from_str(&row).unwrap();
    let one = bed.run(&["get", id["id"].as_str().unwrap()]).data();
    assert!(one.contains("severity  ") && one.contains("service  "), "{one}");
}

#[tokio::test]
async fn a_profile_of_ones_own_is_found_by_name_and_by_file() {
    let bed = sqlite(
        "CREATE TABLE renewals (key TEXT PRIMARY KEY, host TEXT, step TEXT, at INTEGER);
        INSERT INTO renewals VALUES ('a', 'web-1', 'renewal_failed', 1795172400);",
    )
    .await;
    let profile = "name = \"jobs\"\ndatabase = [\"sqlite\"]\n[relation]\ntable = \"renewals\"\n[fields]\nid = { column = \"key\" }\n\
        device = { column = \"host\" }\ntype = { column = \"step\" }\ntime = { column = \"at\", type = \"unix-seconds\" }\n";
    bed.write("jobs.toml", profile);
    let row = bed.run(&["list", "--source", "jobs.toml", "--format", "csv"]).data();
    assert!(row.contains("a,web-1,,renewal_failed,,,,,2026-11-20T11:00:00Z"), "{row}");
    bed.run(&["list"]).exits(1);
    for (args, why) in [
        (["count", "--by", "error"], "cannot count: the source 'jobs' records no error"),
        (["list", "sig:*", ""], "'sig:' does not fit this source: 'jobs' records no error"),
    ] {
        let ran = bed.run(&[&args[..], &["--source", "jobs.toml"]].concat());
        assert!(ran.exits(2).stderr.contains(why), "{}", ran.stderr);
    }
    assert_eq!(bed.run(&["count", "--source", "jobs.toml", "--", "-sig:*"]).data(), "1\n");

    let own = bed.path(".config/renewscope/profiles");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("jobs.toml"), profile).unwrap();
    std::fs::write(own.join("slip.toml"), profile.replace("\"key\"", "\"k-y\"")).unwrap();
    assert_eq!(bed.run(&["count"]).data(), "1\n");
    assert_eq!(bed.run(&["count", "--source", "jobs"]).data(), "1\n");
    let ran = bed.run(&["sources", "list"]);
    assert!(
        ran.exits(0).stderr.contains("slip.toml, line 6, 'fields.id.column': 'k-y' cannot be used"),
        "{}",
        ran.stderr
    );
    let ran = bed.run(&["count", "--source", "slip"]);
    assert!(ran.exits(2).stderr.contains("slip.toml, line 6"), "{}", ran.stderr);

    std::fs::write(own.join("again.toml"), profile.replace("\"jobs\"", "\"again\"")).unwrap();
    let ran = bed.run(&["count"]);
    assert!(
        ran.exits(2).stderr.contains("several source profiles fit this database: 'again', 'jobs'"),
        "{}",
        ran.stderr
    );
    bed.write("config.toml", "[defaults]\nsource = \"again\"\n");
    assert_eq!(bed.run(&["count", "--config", "config.toml"]).data(), "1\n");
    let printed = bed.run(&["config", "--print", "--config", "config.toml", "--format", "csv"]).data();
    assert!(printed.contains("source,again,configuration file"), "{printed}");
}

#[tokio::test]
async fn every_source_can_be_carried_into_our_own_tables() {
    for directory in ["flightctl-code", "flightctl-prd", "sirius", "aws-cert-assistant", "ca-sqlite"] {
        let source = bed(directory).await;
        let events = source.run(&["export"]).data();
        let rows = events.lines().count();
        let own = Bed::new();
        own.run(&["db", "init"]).exits(0);
        let first = own.run_with(&["ingest"], &events);
        assert_eq!(first.exits(0).last_line(), format!("ingested {rows}, duplicate 0, rejected 0"), "{directory}");
        let again = own.run_with(&["ingest"], &events);
        assert_eq!(again.exits(0).last_line(), format!("ingested 0, duplicate {rows}, rejected 0"), "{directory}");
        let kinds = |bed: &Bed| {
            let text = bed.run(&["count", "--by", "type", "--format", "csv"]).data();
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(kinds(&own), kinds(&source), "{directory}");
    }
}

/// Own tables beside another source's would be taken for the source, and show no events where there are some.
#[tokio::test]
async fn no_tables_are_made_beside_another_source() {
    for directory in ["sirius", "ca-sqlite"] {
        let bed = bed(directory).await;
        let before = bed.run(&["count"]).data();
        for args in [&["db", "init"][..], &["db", "migrate"], &["db", "init", "--source", directory]] {
            let ran = bed.run(args);
            assert!(ran.exits(1).stderr.contains(&format!("is read as '{directory}'")), "{}", ran.stderr);
            assert!(ran.stderr.contains("give renewscope a separate database or schema"), "{}", ran.stderr);
        }
        assert_eq!(bed.run(&["count"]).data(), before, "{directory}");
    }
}

#[tokio::test]
async fn no_profile_takes_the_name_of_the_built_in_tables() {
    let bed = sqlite("CREATE TABLE renewals (key TEXT PRIMARY KEY, step TEXT, at INTEGER);").await;
    let profile = "# jobs\nname = \"own\"\ndatabase = [\"sqlite\"]\n[relation]\ntable = \"renewals\"\n[fields]\n\
        id = { column = \"key\" }\ntype = { column = \"step\" }\ntime = { column = \"at\", type = \"unix-seconds\" }\n";
    let directory = bed.path(".config/renewscope/profiles");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("own.toml"), profile).unwrap();
    let ran = bed.run(&["sources", "list"]);
    assert!(ran.exits(0).stderr.contains("own.toml, line 2, 'name': 'own' is reserved"), "{}", ran.stderr);
    let own = Bed::new();
    std::fs::create_dir_all(own.path(".config/renewscope/profiles")).unwrap();
    std::fs::write(own.path(".config/renewscope/profiles/own.toml"), profile).unwrap();
    own.run(&["db", "init"]).exits(0);
    assert_eq!(own.run(&["count"]).data(), "0\n");
}
