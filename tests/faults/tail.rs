//! `renewscope tail` through every fault: each row that was committed is told once.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use uuid::Uuid;

use crate::cluster::{Bouncer, Cluster, Disk, Stop};
use crate::proxy::Proxy;
use crate::writer::Writer;
use crate::{fill, pg};

/// A running tail and what it has printed.
struct Tailing {
    child: Child,
    rows: Arc<Mutex<Vec<Uuid>>>,
    words: Arc<Mutex<String>>,
    _home: tempfile::TempDir,
}

impl Tailing {
    fn start(url: &str, env: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
        command.args(["tail", "--since", "5m", "--format", "ndjson"]).env_clear();
        command.env("HOME", home.path()).env("RENEWSCOPE_DB", url).envs(env.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (rows, words) = (Arc::<Mutex<Vec<Uuid>>>::default(), Arc::<Mutex<String>>::default());
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let told = Arc::clone(&rows);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let row: serde_json::Value = serde_json::from_str(&line).unwrap();
                told.lock().unwrap().push(row["id"].as_str().unwrap().parse().unwrap());
            }
        });
        let said = Arc::clone(&words);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                said.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self { child, rows, words, _home: home }
    }

    async fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let wait = async {
            while !done() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(90), wait).await;
        let (rows, words) = (self.rows.lock().unwrap().len(), self.words.lock().unwrap().clone());
        assert!(waited.is_ok(), "waited for {what}; {rows} rows so far, and it said:\n{words}");
    }

    /// Waits until rows come.
    async fn is_live(&self) {
        let before = self.rows.lock().unwrap().len();
        self.wait("rows", || self.rows.lock().unwrap().len() > before + 3).await;
    }

    async fn says(&self, words: &str) {
        self.wait(&format!("the words '{words}'"), || self.words.lock().unwrap().contains(words)).await;
    }

    /// Ends the writer, and holds what it committed against what was printed.
    async fn has_all_of(self, writer: Writer) {
        let committed = writer.finish().await;
        self.wait("the last rows", || self.rows.lock().unwrap().len() >= committed.len()).await;
        let mut told = self.rows.lock().unwrap().clone();
        told.sort();
        let lost: Vec<_> = committed.iter().filter(|id| told.binary_search(id).is_err()).collect();
        assert!(lost.is_empty(), "{} of {} rows lost: {lost:?}", lost.len(), committed.len());
        assert_eq!(told, committed, "no row is told twice, and none that was not committed");
    }
}

impl Drop for Tailing {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BACK: &str = "the database answers again; continuing where the tail was";

struct Bed {
    server: Cluster,
    writer: Writer,
}

/// A server that is being written to.
async fn bed() -> Bed {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    Bed { writer: Writer::start(&url), server }
}

async fn stopped(how: Stop) {
    let Bed { server, writer } = bed().await;
    let tail = Tailing::start(&server.url("fleet"), &[]);
    tail.is_live().await;
    server.stop(how);
    tail.says("; retrying").await;
    server.run();
    tail.says(BACK).await;
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn the_server_is_stopped_in_order() {
    stopped(Stop::Fast).await;
}

#[tokio::test]
async fn the_server_crashes() {
    stopped(Stop::Immediate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_and_a_crash_in_the_middle() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let writer = Writer::many(&url, 16, Duration::from_secs(4));
    let tail = Tailing::start(&server.url("fleet"), &[]);
    tail.is_live().await;
    writer.more(300).await;
    server.stop(Stop::Immediate);
    tail.says("; retrying").await;
    server.run();
    tail.says(BACK).await;
    writer.more(300).await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn the_server_is_restarted_at_once() {
    let Bed { server, writer } = bed().await;
    let tail = Tailing::start(&server.url("fleet"), &[]);
    for how in [Stop::Fast, Stop::Immediate] {
        tail.is_live().await;
        server.restart(how);
        writer.more(10).await;
    }
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn another_server_takes_over() {
    let Bed { server, writer } = bed().await;
    let standby = Cluster::standby_of(&server, &[]);
    let proxy = Proxy::before(server.socket());
    let tail = Tailing::start(&proxy.url("postgres", "fleet"), &[]);
    tail.is_live().await;
    writer.point_to(&standby.url("fleet"));
    server.stop(Stop::Fast);
    tail.says("; retrying").await;
    standby.promote().await;
    proxy.point_to(standby.socket());
    tail.says(BACK).await;
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn the_server_freezes() {
    let Bed { server, writer } = bed().await;
    let tail = Tailing::start(&server.url("fleet"), &[]);
    tail.is_live().await;
    server.freeze();
    tail.says("; retrying").await;
    server.thaw();
    tail.says(BACK).await;
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn the_network_falls_silent_and_forgets() {
    let Bed { server, writer } = bed().await;
    let proxy = Proxy::before(server.socket());
    let tail = Tailing::start(&proxy.url("postgres", "fleet"), &[]);
    tail.is_live().await;
    proxy.silence();
    tail.says("; retrying").await;
    proxy.forget();
    tail.says(BACK).await;
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn connections_are_cut_and_sessions_killed() {
    let Bed { server, writer } = bed().await;
    let proxy = Proxy::before(server.socket());
    let tail = Tailing::start(&proxy.url("postgres", "fleet"), &[]);
    for _ in 0..3 {
        tail.is_live().await;
        proxy.cut();
        writer.more(5).await;
        tail.is_live().await;
        server
            .execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'renewscope'")
            .await;
        writer.more(5).await;
    }
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn the_password_is_changed() {
    use std::os::unix::fs::PermissionsExt;
    let Bed { server, writer } = bed().await;
    server.execute("CREATE ROLE ann LOGIN IN ROLE pg_read_all_data, pg_read_all_stats PASSWORD 'one'").await;
    server.allow_first("local all ann scram-sha-256");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("passwords");
    let write = |password: &str| {
        std::fs::write(&file, format!("*:*:*:ann:{password}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("one");
    let tail = Tailing::start(&server.url_as("ann", "fleet"), &[("PGPASSFILE", file.to_str().unwrap())]);
    tail.is_live().await;
    server
        .execute(
            "ALTER ROLE ann PASSWORD 'two'; \
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ann'",
        )
        .await;
    tail.says("refused: password authentication failed").await;
    write("two");
    tail.says(BACK).await;
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_of_the_server_is_full() {
    let mut server = Cluster::prepared(&[]);
    let disk = Disk::under(&mut server);
    server.run();
    let url = server.fleet();
    fill(&url, 10).await;
    let writer = Writer::start(&url);
    let tail = Tailing::start(&url, &[]);
    tail.is_live().await;
    disk.fill();
    // The rows that fit still come; then the writer waits, and says why.
    server.wait_for_log("No space left on device");
    let held = fill_fails(&url).await;
    assert!(held.contains("the disk of the database server is full"), "{held}");
    disk.free();
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

/// What a writer is told while nothing fits.
async fn fill_fails(url: &str) -> String {
    use renewscope::store::{Address, Store};
    let store = Store::connect(&Address::parse(url).unwrap(), &crate::writing()).await.unwrap();
    for part in 0.. {
        let rows: Vec<_> = (0..500).map(|n| crate::event(1000 + part * 500 + n)).collect();
        if let Err(error) = store.create_many(&rows).await {
            return error.to_string();
        }
    }
    unreachable!("the disk is endless")
}

#[tokio::test]
async fn a_standby_stops_questions_in_the_way_of_replay() {
    let Bed { server, writer } = bed().await;
    let standby = Cluster::standby_of(&server, &["max_standby_streaming_delay=0"]);
    let tail = Tailing::start(&standby.url("fleet"), &[]);
    tail.is_live().await;
    for n in 0..10 {
        let part = format!("DELETE FROM certificate_renewal_events WHERE error_message LIKE 'number {n}'");
        server.execute(&part).await;
        server.execute("VACUUM certificate_renewal_events").await;
        if n == 0 {
            // The writer takes its device from the table: some row must stay.
            fill(&server.url("fleet"), 1).await;
        }
    }
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn a_pooler_stands_between_and_the_server_is_restarted() {
    let Bed { server, writer } = bed().await;
    let bouncer = Bouncer::before(&server, "");
    let tail = Tailing::start(&bouncer.url("fleet"), &[]);
    tail.is_live().await;
    server.restart(Stop::Fast);
    writer.more(10).await;
    tail.is_live().await;
    tail.has_all_of(writer).await;
}

#[tokio::test]
async fn nobody_listens_through_a_pooler_or_on_a_standby() {
    let Bed { server, writer } = bed().await;
    let notify = Command::new(env!("CARGO_BIN_EXE_renewscope"))
        .args(["--db", &server.url("fleet"), "db", "index", "--notify"])
        .output()
        .unwrap();
    assert!(notify.status.success(), "{}", String::from_utf8_lossy(&notify.stderr));
    let standby = Cluster::standby_of(&server, &[]);
    let bouncer = Bouncer::before(&server, "");
    let pooled = Tailing::start(&bouncer.url("fleet"), &[]);
    pooled.is_live().await;
    let replicated = Tailing::start(&standby.url("fleet"), &[]);
    replicated.is_live().await;
    // One that can listen shows that it would be seen.
    let direct = Tailing::start(&server.url("fleet"), &[]);
    let listeners = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    let mut conn = pg::connect(&server.url("fleet")).await;
    let listening = async {
        while sqlx::query_scalar::<_, i64>(listeners).fetch_one(&mut conn).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), listening).await.expect("a listener");
    pooled.is_live().await;
    replicated.is_live().await;
    assert_eq!(sqlx::query_scalar::<_, i64>(listeners).fetch_one(&mut conn).await.unwrap(), 1);
    direct.is_live().await;
    direct.has_all_of(writer).await;
}
