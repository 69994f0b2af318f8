//! `renewscope tail` through every fault: each row that was committed is printed once.

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
        let printed = Arc::clone(&rows);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let row: serde_json::Value = serde_json::from_str(&line).unwrap();
                printed.lock().unwrap().push(row["id"].as_str().unwrap().parse().unwrap());
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

    /// Waits until it has printed this many rows.
    async fn is_live_after(&self, rows: usize) {
        self.wait("rows", || self.rows.lock().unwrap().len() >= rows).await;
    }

    fn forget_words(&self) {
        self.words.lock().unwrap().clear();
    }

    async fn says(&self, words: &str) {
        self.wait(&format!("the words '{words}'"), || self.words.lock().unwrap().contains(words)).await;
    }

    /// Ends the writer, and holds what it committed against what was printed.
    async fn has_all_of(self, writer: Writer) {
        let committed = writer.finish().await;
        self.wait("the last rows", || self.rows.lock().unwrap().len() >= committed.len()).await;
        let mut printed = self.rows.lock().unwrap().clone();
        printed.sort();
        let lost: Vec<_> = committed.iter().filter(|id| printed.binary_search(id).is_err()).collect();
        assert!(lost.is_empty(), "{} of {} rows lost: {lost:?}", lost.len(), committed.len());
        assert_eq!(printed, committed, "no row is printed twice, and none that was not committed");
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
    // In two transactions: a session that ends before the change is committed logs in with the old password.
    server.execute("ALTER ROLE ann PASSWORD 'two'").await;
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ann'").await;
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

/// What a writer receives while nothing fits.
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
async fn a_standby_stops_queries_in_the_way_of_replay() {
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

/// Runs statements one by one, since some must be outside a transaction.
async fn each(url: &str, statements: &[&str]) {
    for statement in statements {
        pg::execute(url, statement).await;
    }
}

const ROW: &str = "INSERT INTO certificate_renewal_events (id, org_id, device_id, event_type, error_message, created_at) \
    SELECT gen_random_uuid(), e.org_id, e.device_id, 'renewal_failed', '{}', now() AT TIME ZONE 'UTC' \
    FROM certificate_renewal_events e LIMIT 1";

/// What the doctor says about the guarantee.
fn doctor(url: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
    let ran = command.args(["--db", url, "doctor", "--format", "ndjson"]).output().unwrap();
    let lines = String::from_utf8(ran.stdout).unwrap();
    lines.lines().find(|l| l.contains("open transactions")).unwrap_or_default().to_owned()
}

const TEN_MINUTES: &str = "no row is lost that the database dates and commits within 10m";
const FIVE_SECONDS: &str = "no row is lost that appears within 5s of its created_at";

#[tokio::test]
async fn a_prepared_transaction_is_waited_for() {
    let server = Cluster::start(&["max_prepared_transactions=4"]);
    let url = server.fleet();
    fill(&url, 10).await;
    let tail = Tailing::start(&url, &[]);
    tail.says(TEN_MINUTES).await;
    let begin = format!("BEGIN; {}; PREPARE TRANSACTION 'one'", ROW.replace("{}", "prepared"));
    server.execute(&begin).await;
    // Far longer than the overlap; rows that are committed meanwhile raise the high-water mark.
    let later = std::time::Instant::now() + Duration::from_secs(12);
    let mut rows = 0;
    while std::time::Instant::now() < later {
        server.execute(&ROW.replace("{}", "between")).await;
        rows += 1;
        tail.wait("rows in between", || tail.rows.lock().unwrap().len() >= rows).await;
    }
    // Another tail begins while it is prepared.
    let second = Tailing::start(&url, &[]);
    second.says(TEN_MINUTES).await;
    server.execute("COMMIT PREPARED 'one'").await;
    tail.wait("the prepared row", || tail.rows.lock().unwrap().len() == rows + 1).await;
    second.wait("the prepared row", || second.rows.lock().unwrap().len() == rows + 1).await;
    assert!(doctor(&url).contains("all visible"), "{}", doctor(&url));
}

#[tokio::test]
async fn a_subscriber_promises_the_overlap_only() {
    let publisher = Cluster::start(&["wal_level=logical"]);
    let subscriber = Cluster::start(&[]);
    fill(&publisher.fleet(), 10).await;
    publisher.execute("CREATE PUBLICATION events FOR TABLE certificate_renewal_events").await;
    let host = publisher.socket_directory().display().to_string();
    let subscribe = format!(
        "CREATE SUBSCRIPTION events CONNECTION 'host={host} port={} user=postgres dbname=fleet' PUBLICATION events",
        publisher.port
    );
    each(&subscriber.fleet(), &["ALTER TABLE certificate_renewal_events DISABLE TRIGGER ALL", &subscribe]).await;
    let tail = Tailing::start(&subscriber.fleet(), &[]);
    tail.says(FIVE_SECONDS).await;
    let said = doctor(&subscriber.fleet());
    assert!(said.contains("logical replication") && said.contains("within 5s"), "{said}");
    assert!(said.contains("reduced"), "{said}");
    publisher.execute(&ROW.replace("{}", "replicated")).await;
    tail.is_live_after(1).await;
}

/// A worker of replication applies a transaction to another table, a trigger of which adds an event: like the workers of
/// schedulers and queues, it is no client, and its rows are dated by the beginning of its transaction.
#[tokio::test]
async fn a_background_worker_that_writes_is_waited_for() {
    let publisher = Cluster::start(&["wal_level=logical"]);
    let subscriber = Cluster::start(&[]);
    fill(&subscriber.fleet(), 10).await;
    each(&publisher.fleet(), &["CREATE TABLE inbox (n int PRIMARY KEY)", "CREATE PUBLICATION inbox FOR TABLE inbox"])
        .await;
    let function = format!(
        "CREATE FUNCTION deliver() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$ BEGIN {}; \
         PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$",
        ROW.replace("{}", "by a worker")
    );
    let subscribe = format!(
        "CREATE SUBSCRIPTION inbox CONNECTION 'host={} port={} user=postgres dbname=fleet' PUBLICATION inbox",
        publisher.socket_directory().display(),
        publisher.port
    );
    let url = subscriber.fleet();
    each(
        &url,
        &[
            "CREATE TABLE inbox (n int PRIMARY KEY)",
            &function,
            "CREATE TRIGGER deliver AFTER INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION deliver()",
            "ALTER TABLE inbox ENABLE ALWAYS TRIGGER deliver",
            &subscribe,
        ],
    )
    .await;
    // Held by a session, not by a transaction: the worker's is the only one that is open for long.
    let mut holder = pg::connect(&url).await;
    sqlx::raw_sql("SELECT pg_advisory_lock(7)").execute(&mut holder).await.unwrap();
    let tail = Tailing::start(&url, &[]);
    tail.says(TEN_MINUTES).await;
    publisher.execute("INSERT INTO inbox VALUES (1)").await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%' AND wait_event = 'advisory'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut holder).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    // Longer than the overlap, as above.
    let later = std::time::Instant::now() + Duration::from_secs(8);
    let mut rows = 0;
    while std::time::Instant::now() < later {
        subscriber.execute(&ROW.replace("{}", "between")).await;
        rows += 1;
        tail.wait("rows in between", || tail.rows.lock().unwrap().len() >= rows).await;
    }
    drop(holder);
    tail.wait("the worker's row", || tail.rows.lock().unwrap().len() == rows + 1).await;
}

#[tokio::test]
async fn a_foreign_partition_promises_the_overlap_only() {
    let shard = Cluster::start(&[]);
    let front = Cluster::start(&[]);
    fill(&shard.fleet(), 10).await;
    let host = shard.socket_directory().display().to_string();
    let server = format!(
        "CREATE SERVER shard FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{}', dbname 'fleet')",
        shard.port
    );
    each(
        &front.fleet(),
        &[
            "CREATE EXTENSION postgres_fdw",
            &server,
            "CREATE USER MAPPING FOR postgres SERVER shard OPTIONS (user 'postgres', password_required 'false')",
            "CREATE FOREIGN TABLE shard_events () INHERITS (certificate_renewal_events) \
             SERVER shard OPTIONS (table_name 'certificate_renewal_events')",
        ],
    )
    .await;
    let tail = Tailing::start(&front.fleet(), &[]);
    tail.says(FIVE_SECONDS).await;
    let said = doctor(&front.fleet());
    assert!(said.contains("foreign table") && said.contains("within 5s"), "{said}");
    shard.execute(&ROW.replace("{}", "on the shard")).await;
    tail.is_live_after(1).await;
    // A view of it is no better. It is read as Flight Control's table, with an overlap of 15 s.
    front
        .execute("CREATE SCHEMA v; CREATE VIEW v.certificate_renewal_events AS TABLE certificate_renewal_events")
        .await;
    let viewed = Tailing::start(&format!("{}?options=-csearch_path%3Dv", front.fleet()), &[]);
    viewed.says(&FIVE_SECONDS.replace("5s", "15s")).await;
}

#[tokio::test]
async fn a_table_that_is_renamed_or_altered_is_read_again() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let tail = Tailing::start(&url, &[]);
    tail.says(TEN_MINUTES).await;
    let mut rows = 0;
    let events = "ALTER TABLE certificate_renewal_events";
    for (change, back) in [
        ("RENAME TO elsewhere", "RENAME TO certificate_renewal_events"),
        (
            "ALTER created_at DROP DEFAULT, ALTER created_at TYPE text USING created_at::text",
            "ALTER created_at TYPE timestamp USING created_at::timestamp",
        ),
        ("RENAME error_message TO message", "RENAME message TO error_message"),
    ] {
        server.execute(&format!("{events} {change}")).await;
        tail.says("; retrying").await;
        let table = if back.ends_with("events") { "ALTER TABLE elsewhere" } else { events };
        server.execute(&format!("{table} {back}")).await;
        tail.says(BACK).await;
        server.execute(&ROW.replace("{}", "after")).await;
        rows += 1;
        tail.is_live_after(rows).await;
        tail.forget_words();
    }
    // Another type that holds times is followed without a break.
    server.execute(&format!("{events} ALTER created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC'")).await;
    server.execute(&ROW.replace("now() AT TIME ZONE 'UTC'", "now()").replace("{}", "after")).await;
    tail.is_live_after(rows + 1).await;
    let words = tail.words.lock().unwrap().clone();
    assert!(!words.contains("Rust") && !words.contains("core::"), "{words}");
}

#[tokio::test]
async fn a_tail_ends_when_its_reader_leaves() {
    let server = Cluster::start(&[]);
    fill(&server.fleet(), 10).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
    command.args(["--db", &server.fleet(), "tail", "--since", "2026-11-20", "--format", "ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    // The reader is dropped, and no row follows.
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
    let status = tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the tail ends").unwrap();
    assert!(first.contains("renewal_failed") && status.success(), "{status}: {first}");
}

#[tokio::test]
async fn an_array_is_closed_when_the_tail_is_interrupted() {
    let server = Cluster::start(&[]);
    fill(&server.fleet(), 3).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
    command.args(["--db", &server.fleet(), "tail", "--since", "2026-11-20", "--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut text = String::new();
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    // A tail that hangs fails the test, and does not hang it.
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if ended.recv_timeout(Duration::from_secs(60)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    // The line of the last row ends with the next one.
    while text.matches("created_at").count() < 3 {
        let mut bytes = [0; 4096];
        let read = std::io::Read::read(&mut out, &mut bytes).unwrap();
        assert!(read > 0, "the tail ended early: {text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    std::io::Read::read_to_string(&mut out, &mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    drop(done);
    watchdog.join().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap().as_array().unwrap().len(), 3, "{text}");
}
