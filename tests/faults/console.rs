//! The console through the faults: it says what is the matter, keeps its last answer on screen, comes back by itself, and
//! the tail goes on where it was.

use crate::cluster::{Cluster, Stop};
use crate::fill;
use crate::proxy::Proxy;
use crate::pty::Screen;

const ROWS: u16 = 40;
const COLS: u16 = 160;

/// A console that shows the rows of a server.
struct Bed {
    screen: Screen,
    server: Cluster,
    _home: tempfile::TempDir,
}

async fn server() -> Cluster {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    server
}

fn console(server: Cluster, url: &str, env: &[(&str, &str)]) -> Bed {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state").display().to_string();
    let place = [("HOME", home.path().to_str().unwrap()), ("XDG_STATE_HOME", state.as_str())];
    let env: Vec<_> = place.into_iter().chain(env.iter().copied()).collect();
    let screen = Screen::start(&["--db", url], &env, ROWS, COLS);
    screen.wait_for("● live");
    screen.wait_for("number 9");
    Bed { screen, server, _home: home }
}

impl Bed {
    /// The last answer is still there.
    fn keeps_its_rows(&self) {
        assert!(self.screen.contents().contains("number 9"), "{}", self.screen.contents());
    }

    /// All is well again, and a row that is committed now comes by itself.
    async fn is_back(&self, server: &Cluster) {
        self.screen.wait_for("● live");
        self.screen.wait_gone("unreachable since");
        self.keeps_its_rows();
        self.takes(server, "after the fault").await;
    }

    async fn takes(&self, server: &Cluster, words: &str) {
        let insert = format!(
            "INSERT INTO certificate_renewal_events (id, org_id, device_id, event_type, error_message, created_at) \
             SELECT gen_random_uuid(), e.org_id, e.device_id, 'renewal_failed', '{words}', now() AT TIME ZONE 'UTC' \
             FROM certificate_renewal_events e LIMIT 1"
        );
        server.execute(&insert).await;
        self.screen.wait_for(words);
    }
}

async fn stopped(how: Stop) {
    let server = server().await;
    let url = server.url("fleet");
    let bed = console(server, &url, &[]);
    bed.server.stop(how);
    bed.screen.wait_for("reconnecting in");
    bed.screen.wait_for("unreachable since");
    bed.keeps_its_rows();
    bed.server.run();
    bed.is_back(&bed.server).await;
}

#[tokio::test]
async fn the_server_is_stopped_in_order() {
    stopped(Stop::Fast).await;
}

#[tokio::test]
async fn the_server_crashes() {
    stopped(Stop::Immediate).await;
}

#[tokio::test]
async fn the_server_is_not_there_at_the_start() {
    let server = server().await;
    server.stop(Stop::Fast);
    let home = tempfile::tempdir().unwrap();
    let place = home.path().to_str().unwrap();
    let env = [("HOME", place), ("XDG_STATE_HOME", place)];
    let screen = Screen::start(&["--db", &server.url("fleet")], &env, ROWS, COLS);
    screen.wait_for("reconnecting in");
    screen.wait_for("check that the server runs");
    server.run();
    screen.wait_for("● live");
    let bed = Bed { screen, server, _home: home };
    bed.takes(&bed.server, "after the start").await;
    bed.screen.wait_for("number 9");
}

#[tokio::test]
async fn another_server_takes_over() {
    let server = server().await;
    let standby = Cluster::standby_of(&server, &[]);
    let proxy = Proxy::before(server.socket());
    let bed = console(server, &proxy.url("postgres", "fleet"), &[]);
    bed.server.stop(Stop::Fast);
    bed.screen.wait_for("reconnecting in");
    standby.promote().await;
    proxy.point_to(standby.socket());
    bed.is_back(&standby).await;
}

#[tokio::test]
async fn the_server_freezes() {
    let server = server().await;
    let url = server.url("fleet");
    let bed = console(server, &url, &[]);
    bed.server.freeze();
    bed.screen.wait_for("slow, no answer for");
    bed.keeps_its_rows();
    bed.screen.wait_for("reconnecting in");
    bed.server.thaw();
    bed.is_back(&bed.server).await;
}

#[tokio::test]
async fn the_network_falls_silent_and_forgets() {
    let server = server().await;
    let proxy = Proxy::before(server.socket());
    let mut bed = console(server, &proxy.url("postgres", "fleet"), &[]);
    proxy.silence();
    bed.screen.wait_for("slow, no answer for");
    // Keys are answered meanwhile.
    bed.screen.keys("?");
    bed.screen.wait_for("── Keys ──");
    bed.screen.keys("<Esc>");
    bed.screen.wait_for("reconnecting in");
    bed.keeps_its_rows();
    proxy.forget();
    bed.is_back(&bed.server).await;
}

#[tokio::test]
async fn sessions_are_killed() {
    let server = server().await;
    let url = server.url("fleet");
    let bed = console(server, &url, &[]);
    for n in 0..3 {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'renewscope'";
        bed.server.execute(kill).await;
        bed.takes(&bed.server, &format!("after {n} kills")).await;
    }
    bed.is_back(&bed.server).await;
}

#[tokio::test]
async fn the_password_is_changed() {
    use std::os::unix::fs::PermissionsExt;
    let server = server().await;
    server.execute("CREATE ROLE ann LOGIN IN ROLE pg_read_all_data PASSWORD 'x-one-s3cret'").await;
    server.allow_first("local all ann scram-sha-256");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("passwords");
    let write = |password: &str| {
        std::fs::write(&file, format!("*:*:*:ann:{password}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("x-one-s3cret");
    let url = server.url_as("ann", "fleet");
    let bed = console(server, &url, &[("PGPASSFILE", file.to_str().unwrap())]);
    // In two transactions: a session that ends before the change is committed logs in with the old password.
    bed.server.execute("ALTER ROLE ann PASSWORD 'x-two-s3cret'").await;
    bed.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ann'").await;
    bed.screen.wait_for("refused, next try in");
    bed.keeps_its_rows();
    write("x-two-s3cret");
    bed.is_back(&bed.server).await;
    assert!(!String::from_utf8_lossy(&bed.screen.raw_bytes()).contains("s3cret"));
}

#[tokio::test]
async fn a_standby_stops_queries_in_the_way_of_replay() {
    let primary = server().await;
    let standby = Cluster::standby_of(&primary, &["max_standby_streaming_delay=0"]);
    let url = standby.url("fleet");
    let bed = console(standby, &url, &[]);
    for n in 0..5 {
        primary.execute(&format!("DELETE FROM certificate_renewal_events WHERE error_message = 'number {n}'")).await;
        primary.execute("VACUUM certificate_renewal_events").await;
    }
    bed.takes(&primary, "written to the primary").await;
}

#[tokio::test]
async fn a_password_is_asked_for_and_not_shown() {
    let server = server().await;
    server.execute("CREATE ROLE ann LOGIN IN ROLE pg_read_all_data PASSWORD 'x-one-s3cret'").await;
    server.allow_first("local all ann scram-sha-256");
    let home = tempfile::tempdir().unwrap();
    let env = [("HOME", home.path().to_str().unwrap()), ("XDG_STATE_HOME", home.path().to_str().unwrap())];
    let mut screen = Screen::start(&["--db", &server.url_as("ann", "fleet")], &env, ROWS, COLS);
    screen.wait_for("password for postgres://ann@");
    screen.keys("x-one-s3cre_<BS>t<Enter>");
    screen.wait_for("● live");
    screen.wait_for("number 9");
    screen.keys("q");
    assert!(screen.wait_exit().success());
    screen.assert_restored();
    assert!(!String::from_utf8_lossy(&screen.raw_bytes()).contains("s3cre"));
    // Left unanswered, the terminal is as it was.
    let mut screen = Screen::start(&["--db", &server.url_as("ann", "fleet"), "count"], &env, ROWS, COLS);
    screen.wait_for("password for postgres://ann@");
    screen.keys("x<C-c>");
    assert_eq!(screen.wait_exit().exit_code(), 3);
    screen.wait_for("no password was given");
    screen.assert_restored();
}
