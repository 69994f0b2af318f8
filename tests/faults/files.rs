//! SQLite files: reading one leaves nothing beside it and locks nobody out, and one that changes or is replaced is noticed.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renewscope::domain::filter::Criteria;
use renewscope::protocol::tail::TailQuery;
use renewscope::protocol::{Query, SourceError};
use renewscope::store::{Address, ConnectOptions, RowOutcome, Store, schema};
use sqlx::Connection as _;

use crate::{count, event, says, writing};

struct Bed {
    dir: tempfile::TempDir,
}

impl Bed {
    /// A file with rows that every writer has closed.
    async fn new(rows: i64) -> Self {
        let bed = Self { dir: tempfile::tempdir().unwrap() };
        schema::migrate(&bed.address()).await.unwrap();
        bed.fill(0, rows).await;
        assert_eq!(bed.files(), ["events.db"]);
        bed
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("events.db")
    }

    fn address(&self) -> Address {
        Address::sqlite(self.path())
    }

    async fn fill(&self, from: i64, until: i64) {
        let writer = Store::connect(&self.address(), &writing()).await.unwrap();
        let outcomes = writer.create_many(&(from..until).map(event).collect::<Vec<_>>()).await.unwrap();
        assert!(outcomes.iter().all(|o| *o == RowOutcome::Stored));
        writer.close().await;
    }

    async fn reader(&self) -> Store {
        Store::connect(&self.address(), &ConnectOptions::default()).await.unwrap()
    }

    fn files(&self) -> Vec<String> {
        names(self.dir.path())
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entry = |e: std::io::Result<std::fs::DirEntry>| e.unwrap().file_name().to_str().unwrap().to_owned();
    let mut names: Vec<_> = std::fs::read_dir(dir).unwrap().map(entry).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_leaves_nothing_beside_the_file() {
    let bed = Bed::new(10).await;
    let store = bed.reader().await;
    assert_eq!(count(&store).await, Ok(10));
    assert_eq!(bed.files(), ["events.db"]);
    store.run(&Query::Tail(TailQuery::Horizon)).await.unwrap();
    assert_eq!(bed.files(), ["events.db"]);
    store.close().await;
    schema::status(&bed.address()).await.unwrap();
    assert_eq!(bed.files(), ["events.db"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_what_others_write_meanwhile() {
    let bed = Bed::new(10).await;
    let store = bed.reader().await;
    assert_eq!(count(&store).await, Ok(10));
    // A writer that opens, stores and closes in between.
    bed.fill(10, 20).await;
    assert_eq!(count(&store).await, Ok(20));
    // One that stays.
    let writer = Store::connect(&bed.address(), &writing()).await.unwrap();
    for n in 20..30 {
        writer.create(&event(n)).await.unwrap();
        assert_eq!(count(&store).await, Ok(u64::try_from(n).unwrap() + 1));
    }
    store.close().await;
    writer.close().await;
    assert_eq!(bed.files(), ["events.db"]);
}

/// A page is never mixed of two states, however fast writers come and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_changes_under_a_query_is_read_again() {
    let bed = Bed::new(10).await;
    let store = bed.reader().await;
    let running = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut last = 0;
            while last < 60 {
                match count(&store).await {
                    Ok(n) => {
                        assert!(n >= last && n % 10 == 0, "{n} after {last}");
                        last = n;
                    }
                    Err(e) => says(&e, &["try again"]),
                }
            }
        })
    };
    for n in 1..6 {
        bed.fill(n * 10, n * 10 + 10).await;
    }
    running.await.unwrap();
    assert_eq!(count(&store).await, Ok(60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_file_is_read_and_a_tail_is_told_once() {
    let bed = Bed::new(10).await;
    let store = bed.reader().await;
    let horizon = Query::Tail(TailQuery::Horizon);
    assert_eq!(count(&store).await, Ok(10));
    store.run(&horizon).await.unwrap();
    let other = Bed::new(3).await;
    std::fs::rename(other.path(), bed.path()).unwrap();
    assert_eq!(count(&store).await, Ok(3));
    let error = store.run(&horizon).await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }));
    says(&error, &["the file was replaced by another one"]);
    store.run(&horizon).await.unwrap();
    // Deleted and created again.
    std::fs::remove_file(bed.path()).unwrap();
    says(&count(&store).await.unwrap_err(), &["the file does not exist"]);
    schema::migrate(&bed.address()).await.unwrap();
    assert_eq!(count(&store).await, Ok(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_stores_into_the_file_that_has_the_name_now() {
    let bed = Bed::new(10).await;
    let writer = Store::connect(&bed.address(), &writing()).await.unwrap();
    writer.create(&event(10)).await.unwrap();
    let other = Bed::new(3).await;
    for ending in ["-wal", "-shm"] {
        std::fs::remove_file(format!("{}{ending}", bed.path().display())).unwrap();
    }
    std::fs::rename(other.path(), bed.path()).unwrap();
    assert_eq!(writer.create(&event(11)).await.map(|(_, outcome)| outcome), Ok(RowOutcome::Stored));
    writer.close().await;
    assert_eq!(count(&bed.reader().await).await, Ok(4));
}

/// A crash leaves a log with rows and no process that would recover it.
async fn crashed() -> Bed {
    let bed = Bed::new(10).await;
    let mut conn = sqlx::SqliteConnection::connect(bed.path().to_str().unwrap()).await.unwrap();
    sqlx::raw_sql("UPDATE certificate_renewal_events SET reason = 'x'").execute(&mut conn).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for ending in ["", "-wal"] {
        let name = format!("events.db{ending}");
        std::fs::copy(bed.dir.path().join(&name), copy.path().join(&name)).unwrap();
    }
    conn.close().await.unwrap();
    Bed { dir: copy }
}

/// Another user's program, where the tests may become one.
fn as_another_user(bed: &Bed, args: &[&str]) -> Option<(i32, String)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    chown(home.path(), Some(65534), Some(65534)).unwrap();
    let program = home.path().join("renewscope");
    std::fs::copy(env!("CARGO_BIN_EXE_renewscope"), &program).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(program);
    command.args(args).env_clear().env("HOME", home.path()).current_dir(home.path());
    command.env("RENEWSCOPE_DB", format!("sqlite:{}", bed.path().display())).uid(65534).gid(65534);
    command.stdin(Stdio::null());
    let ran = loop {
        match command.output() {
            // A process that another test starts inherits the copy, open for writing, until it runs its program.
            Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            ran => break ran.unwrap(),
        }
    };
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    Some((ran.status.code().unwrap(), said.concat()))
}

/// The program where the directory of the file is mounted for reading only, if the tests may mount: in a separate mount
/// namespace, which ends with it.
fn on_a_read_only_mount(bed: &Bed, args: &[&str]) -> Option<(i32, String)> {
    let dir = bed.dir.path().to_str().unwrap();
    let script = r#"mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" || exit 99; exec "$@""#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, dir, env!("CARGO_BIN_EXE_renewscope")]).args(args);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", dir);
    command.env("RENEWSCOPE_DB", format!("sqlite:{}", bed.path().display())).stdin(Stdio::null());
    let ran = command.output().ok()?;
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    let refused = said.starts_with("unshare:") || ran.status.code() == Some(99);
    (!refused).then(|| (ran.status.code().unwrap(), said))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_file_system_is_read_and_takes_no_writer() {
    let bed = Bed::new(10).await;
    for (args, code, says) in [
        (&["count"][..], 0, "10\n"),
        (&["doctor"], 0, "is not writable: a log that a crash left cannot be recovered from here"),
        (&["tail", "--since", "2020-01-01", "--limit", "10", "--format", "csv"], 0, "edge-"),
        (&["record", "--device", "a", "--type", "x"], 3, "its file system is mounted for reading only"),
        (&["db", "index", "--search"], 3, "its file system is mounted for reading only"),
    ] {
        let Some((got, said)) = on_a_read_only_mount(&bed, args) else { return };
        assert_eq!(got, code, "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
        assert_eq!(bed.files(), ["events.db"], "{args:?}");
    }
    // What a crash left can be recovered only where the file can be written to.
    let Some((code, said)) = on_a_read_only_mount(&crashed().await, &["count"]) else { return };
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("cannot be read on a read-only file system"), "{said}");
}

/// A transaction that a crash cut off, in a file with a rollback journal: the file alone holds half of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_left_by_a_crash_is_never_read_past() {
    let bed = Bed::new(10).await;
    let mut conn = sqlx::SqliteConnection::connect(bed.path().to_str().unwrap()).await.unwrap();
    let half = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; BEGIN IMMEDIATE; CREATE TABLE filler (x); \
        DELETE FROM certificate_renewal_events; \
        INSERT INTO filler WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
        SELECT zeroblob(4000) FROM n";
    sqlx::raw_sql(half).execute(&mut conn).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["events.db", "events.db-journal"] {
        std::fs::copy(bed.dir.path().join(name), copy.path().join(name)).unwrap();
    }
    conn.close().await.unwrap();
    let left = Bed { dir: copy };
    for _ in 0..2 {
        if let Some((code, said)) = on_a_read_only_mount(&left, &["count"]) {
            assert_eq!(code, 3, "{said}");
            assert!(said.contains("cannot be written to"), "{said}");
        }
        allow(left.dir.path(), 0o755);
        if let Some((code, said)) = as_another_user(&left, &["count"]) {
            assert_eq!(code, 3, "{said}");
        }
        assert_eq!(left.files(), ["events.db", "events.db-journal"]);
    }
    // Its owner opens it to write, and the transaction is undone.
    left.fill(10, 11).await;
    assert_eq!(count(&left.reader().await).await, Ok(11));
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_users_look_keeps_nobody_from_writing() {
    let bed = Bed::new(10).await;
    // A directory that everybody may write to: an ordinary open would create files there that belong to the reader.
    allow(bed.dir.path(), 0o777);
    for args in [&["list"][..], &["count"], &["doctor"], &["db", "status"]] {
        let Some((code, said)) = as_another_user(&bed, args) else { return };
        assert_eq!(code, 0, "{args:?}: {said}");
        assert_eq!(bed.files(), ["events.db"], "{args:?}");
        assert!(args != ["doctor"] || said.contains("nothing is created beside it"), "{said}");
    }
    bed.fill(10, 11).await;
    // One that may not be written to.
    allow(bed.dir.path(), 0o755);
    let Some((code, said)) = as_another_user(&bed, &["count"]) else { return };
    assert_eq!((code, said.trim()), (0, "11"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_left_by_a_crash_is_recovered_by_the_owner_alone() {
    let bed = crashed().await;
    allow(bed.dir.path(), 0o777);
    if let Some((code, said)) = as_another_user(&bed, &["count"]) {
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("only the owner of the file may recover it"), "{said}");
        assert_eq!(bed.files(), ["events.db", "events.db-wal"]);
    }
    let store = bed.reader().await;
    let criteria = Criteria::default();
    assert!(store.run(&Query::Count { criteria, ceiling: None }).await.is_ok());
}
