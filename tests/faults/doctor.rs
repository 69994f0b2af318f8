//! What the doctor says, of each kind of database.

use std::process::Command;

use crate::cluster::{Bouncer, Cluster};
use crate::{fill, pg};

/// The findings, `topic state found remedy` a line.
fn doctor(url: &str, env: &[(&str, &str)], code: i32) -> String {
    doctor_with(&[], url, env, code)
}

/// As [`doctor`], with options of the command line.
fn doctor_with(options: &[&str], url: &str, env: &[(&str, &str)], code: i32) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
    command
        .args(["doctor", "--format", "ndjson"])
        .args(options)
        .env_clear()
        .env("HOME", home.path())
        .env("RENEWSCOPE_DB", url);
    let ran = command.envs(env.iter().copied()).output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(code), "{stderr}");
    let lines = String::from_utf8(ran.stdout).unwrap();
    let line = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let cell = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {} {}\n", cell("topic"), cell("state"), cell("found"), cell("remedy"))
    };
    lines.lines().map(line).chain([stderr.into_owned()]).collect()
}

#[track_caller]
fn says(report: &str, lines: &[&str]) {
    for line in lines {
        assert!(report.lines().any(|l| l.starts_with(line)), "no line '{line}' in:\n{report}");
    }
}

#[tokio::test]
async fn of_a_server_and_a_good_role() {
    let server = Cluster::start(&["max_prepared_transactions=2"]);
    let url = server.fleet();
    fill(&url, 10).await;
    server.execute("CREATE ROLE ann LOGIN IN ROLE pg_read_all_data, pg_read_all_stats").await;
    let report = doctor(&server.url_as("ann", "fleet"), &[], 0);
    says(
        &report,
        &[
            "server ok PostgreSQL",
            "tls ok off (socket)",
            "role ok 'ann', which sees the transactions of all roles",
            "read only ok the server rejects writes",
            "limits ok statement 30s, lock 5s, idle transaction 1min; application_name 'renewscope'",
            "pooler ok none",
            "standby ok no",
            "notifications reduced no trigger",
            "open transactions ok all visible",
            "prepared transactions ok none",
            "clock ok",
            "rights ok SELECT on _sqlx_migrations, certificate_renewal_events, devices, organizations",
            "events ok read as 'own'",
            "paging indexes ok",
            "search indexes reduced none",
        ],
    );
    let notify = Command::new(env!("CARGO_BIN_EXE_renewscope"))
        .args(["--db", &server.url("fleet"), "db", "index", "--notify"])
        .output()
        .unwrap();
    assert!(notify.status.success(), "{}", String::from_utf8_lossy(&notify.stderr));
    let prepare = "BEGIN; UPDATE devices SET name = name; PREPARE TRANSACTION 'forgotten'";
    server.execute(prepare).await;
    let report = doctor(&format!("{}?application_name=mine", server.url("fleet")), &[], 0);
    says(
        &report,
        &[
            "notifications ok a trigger",
            "prepared transactions reduced 1, the oldest for",
            "role reduced 'postgres' is a superuser",
            "limits ok statement 30s, lock 5s, idle transaction 1min; application_name 'mine'",
        ],
    );
    server.execute("ROLLBACK PREPARED 'forgotten'").await;
}

#[tokio::test]
async fn of_a_role_with_few_rights() {
    let url = pg::migrated().await;
    let grant = "CREATE ROLE sees_little LOGIN; GRANT SELECT ON certificate_renewal_events TO sees_little; \
        CREATE ROLE sees_nothing LOGIN";
    pg::execute(&url, grant).await;
    let report = doctor(&url.replace("postgres@", "sees_little@"), &[], 0);
    says(
        &report,
        &[
            "open transactions reduced this role does not see those of other roles: the tail finds events that appear within 5s",
            "rights reduced no SELECT on 'devices': devices are shown by id GRANT SELECT ON devices",
            "rights reduced no SELECT on 'organizations'",
            "rights reduced no SELECT on '_sqlx_migrations'",
        ],
    );
    let report = doctor(&url.replace("postgres@", "sees_nothing@"), &[], 0);
    says(&report, &["rights off no SELECT on 'certificate_renewal_events' GRANT SELECT"]);
}

#[tokio::test]
async fn of_row_security_and_columns_that_may_not_be_read() {
    let url = pg::migrated().await;
    fill(&url, 3).await;
    let grant = "CREATE ROLE is_filtered LOGIN; CREATE ROLE sees_no_names LOGIN; \
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO is_filtered; \
        GRANT SELECT (id, org_id) ON devices TO sees_no_names; \
        GRANT SELECT ON certificate_renewal_events TO sees_no_names; \
        ALTER TABLE certificate_renewal_events ENABLE ROW LEVEL SECURITY";
    pg::execute(&url, grant).await;
    let filtered = url.replace("postgres@", "is_filtered@");
    let report = doctor(&filtered, &[], 0);
    let note = "row security on 'certificate_renewal_events' may hide rows from this role";
    says(&report, &[&format!("row security reduced {note}: numbers can be too low use a role with BYPASSRLS")]);
    says(&doctor(&url, &[], 0), &["row security ok hides no rows", "shadowed names ok none"]);
    let run = |url: &str, args: &[&str], code: i32| {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
        let ran = command.args(args).env_clear().env("HOME", home.path()).env("RENEWSCOPE_DB", url).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(code), "{args:?}: {stderr}");
        (String::from_utf8(ran.stdout).unwrap(), stderr)
    };
    for args in [&["list"][..], &["count"], &["count", "--by", "type"], &["export"]] {
        let (_, stderr) = run(&filtered, args, 0);
        assert!(stderr.contains(note), "{args:?}: {stderr}");
    }
    // A count that may be too low decides nothing, unless the condition holds.
    let (_, stderr) = run(&filtered, &["count", "type:failed", "--fail-if", ">0"], 1);
    assert!(stderr.contains("cannot decide --fail-if"), "{stderr}");
    run(&filtered, &["count", "type:failed", "--fail-if", "<1"], 5);
    run(&url, &["count", "type:failed", "--fail-if", ">9"], 0);
    let described = crate::describe(&crate::connect(&filtered).await).await;
    assert!(described.notes.iter().any(|n| n.contains(note)), "{:?}", described.notes);
    says(
        &doctor(&url.replace("postgres@", "sees_no_names@"), &[], 0),
        &["rights reduced no SELECT (name) on 'devices': devices are shown by id GRANT SELECT (name) ON devices"],
    );
    pg::execute(
        &url,
        "CREATE FUNCTION public.array_to_string(text[], text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    )
    .await;
    says(
        &doctor(&url, &[], 0),
        &["shadowed names reduced same name as an object of the system: function public.array_to_string"],
    );
}

#[tokio::test]
async fn of_a_standby_and_a_pooler() {
    let primary = Cluster::start(&[]);
    let standby = Cluster::standby_of(&primary, &[]);
    says(
        &doctor(&standby.url("fleet"), &[], 0),
        &[
            "standby reduced yes; replay",
            "notifications off none on a standby",
            "open transactions reduced those of the primary are not visible",
            "read only ok",
        ],
    );
    for ignored in ["", "options"] {
        let bouncer = Bouncer::before(&primary, ignored);
        says(
            &doctor(&bouncer.url("fleet"), &[], 0),
            &[
                "pooler reduced transaction mode: the server process",
                "limits reduced set in each transaction: statement 30s, lock 5s, idle transaction 1min",
                "read only ok",
                "notifications off none through a pooler",
            ],
        );
    }
}

#[tokio::test]
async fn of_a_database_that_is_empty_and_of_one_that_is_not_there() {
    let url = pg::empty().await;
    says(
        &doctor(&url, &[], 0),
        &[
            "server ok",
            "rights off no event table in the schemas of the search path (public)",
            "events off relation 'certificate_renewal_events' not found",
        ],
    );
    let gone = doctor("postgres://ann:hush@127.0.0.1:9/d", &[], 3);
    assert_eq!(
        gone,
        "renewscope: cannot reach postgres://ann@127.0.0.1:9/d: connection refused; check that the server runs and listens there\n"
    );
}

#[tokio::test]
async fn of_a_table_of_others() {
    let url = pg::empty().await;
    pg::execute(&url, include_str!("../sources/sirius/postgres.sql")).await;
    let report = doctor(&url, &[], 0);
    says(&report, &["rights ok SELECT on events", "events ok read as 'sirius'", "notifications off no trigger"]);
    assert!(!report.contains("db index"), "{report}");
}

#[tokio::test]
async fn of_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("events.db").display());
    let init = Command::new(env!("CARGO_BIN_EXE_renewscope")).args(["--db", &url, "db", "init"]).output().unwrap();
    assert!(init.status.success());
    let report = doctor(&url, &[], 0);
    says(
        &report,
        &[
            "server ok SQLite 3.",
            "journal ok write-ahead log",
            "read only ok",
            "directory ok",
            "file system ok local",
            "paging indexes ok",
            "open transactions ok the tail finds every event",
        ],
    );
    // Root may write everywhere, and finds nothing to complain of.
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let report = doctor(&url, &[], 0);
    let expected = if rustix::process::geteuid().is_root() { "directory ok" } else { "directory reduced" };
    says(&report, &[expected]);
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn of_casts_and_of_what_a_select_reaches() {
    let url = pg::migrated().await;
    fill(&url, 1).await;
    assert!(!doctor(&url, &[], 0).contains("casts "));
    pg::execute(
        &url,
        "CREATE SCHEMA more; \
         CREATE FUNCTION more.uuid_text(uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT ''::text $$; \
         CREATE CAST (uuid AS text) WITH FUNCTION more.uuid_text(uuid); \
         CREATE VIEW more.notes AS SELECT 'n'::text AS note",
    )
    .await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("odd.toml");
    let report = |extra: &str| {
        let profile = format!(
            "name = \"odd\"\ndatabase = [\"postgres\"]\n[relation]\ntable = \"certificate_renewal_events\"\n\
             select = '''SELECT e.id, e.device_id, e.event_type, e.created_at, {extra} AS extra \
             FROM certificate_renewal_events e'''\n[fields]\nid = {{ column = \"id\", type = \"uuid\" }}\n\
             device = {{ column = \"device_id\", type = \"uuid\" }}\ntype = {{ column = \"event_type\" }}\n\
             error = {{ column = \"extra\" }}\ntime = {{ column = \"created_at\", type = \"timestamp\" }}\n"
        );
        std::fs::write(&file, profile).unwrap();
        doctor_with(&["--source", file.to_str().unwrap()], &url, &[], 0)
    };
    let cast = "casts reduced functions of others convert types of the system, for every role: cast (uuid AS text) by \
                more.uuid_text";
    says(&report("upper(e.event_type)"), &["profile select ok calls functions of the system only", cast]);
    let reached = "profile select reduced runs with the rights of this role, in read-only transactions, and names: ";
    says(&report("(SELECT note FROM \"more\" . notes)"), &[&format!("{reached}view more.notes")]);
    says(&report("more.uuid_text(e.id)"), &[&format!("{reached}function more.uuid_text")]);
}
