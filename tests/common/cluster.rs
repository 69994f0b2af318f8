//! A PostgreSQL server of one test alone, to be stopped, started again, frozen, promoted, and followed by a standby.
//!
//! However the test ends, the server ends with it: a shell waits for the end of its input, which is a pipe from this
//! process, then wakes and ends what still runs and removes the directory.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::time::{Duration, Instant};

use renewscope::store::{Address, schema};
use rustix::process::{Pid, Signal, kill_process};

use super::pg::{self, MISSING, account, as_account, programs};

/// Far more than a start, a stop or a recovery takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// Ends the server of a directory, awake or not, and removes the directory.
const JANITOR: &str = r#"cat >/dev/null
    p=$(head -n1 "$1/data/postmaster.pid" 2>/dev/null)
    if [ -n "$p" ] && grep -q postgres "/proc/$p/comm" 2>/dev/null; then
        kill -CONT "$p" $(cat "/proc/$p/task/$p/children"); kill -QUIT "$p"
        n=0; while [ -d "/proc/$p" ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done
    fi
    rm -rf "$1""#;

/// What every server begins as: with a database `fleet` that has our schema. Made once, and stopped.
static TEMPLATE: LazyLock<Cluster> = LazyLock::new(|| {
    let place = Place::new();
    let mut initdb = Command::new(place.bin.join("initdb"));
    initdb.args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]);
    initdb.args(["--wal-segsize=1", "-D"]);
    place.run(initdb.arg(place.data()));
    let cluster = Cluster::at(place, &[]);
    cluster.run();
    let (postgres, fleet) = (cluster.url("postgres"), cluster.url("fleet"));
    // A separate thread: the test that needs the template first may be within a runtime.
    let made = std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            pg::execute(&postgres, "CREATE DATABASE fleet").await;
            schema::migrate(&Address::parse(&fleet).unwrap()).await.unwrap();
        });
    });
    made.join().unwrap();
    cluster.stop(Stop::Fast);
    cluster
});

/// A directory that is removed at the end.
struct Place {
    dir: PathBuf,
    bin: PathBuf,
    account: Option<(u32, u32)>,
    /// Holds the pipe whose end is the directory's end.
    _janitor: Child,
}

impl Place {
    fn new() -> Self {
        let bin = programs().expect(MISSING);
        let dir = tempfile::Builder::new().prefix("renewscope-pg-").tempdir().unwrap().keep();
        let account = account();
        if let Some((uid, gid)) = account {
            std::os::unix::fs::chown(&dir, Some(uid), Some(gid)).unwrap();
        }
        let mut janitor = Command::new("sh");
        janitor.args(["-c", JANITOR, "sh"]).arg(&dir).current_dir("/").process_group(0);
        janitor.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { dir, bin, account, _janitor: janitor.spawn().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Runs a program to its end, which must be a good one.
    fn run(&self, command: &mut Command) {
        let ran = as_account(command, self.account).current_dir(&self.dir).output().unwrap();
        assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Sessions are ended in order.
    Fast,
    /// As in a crash: what was committed is found again in the log.
    Immediate,
}

pub struct Cluster {
    place: Place,
    /// Where it listens besides its socket.
    pub port: u16,
    settings: Vec<String>,
    environment: Vec<(String, String)>,
    server: Mutex<Option<Child>>,
    log: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Cluster {
    /// A running server, each setting as `name=value`. It trusts who comes by its socket or from this machine.
    pub fn start(settings: &[&str]) -> Self {
        let cluster = Self::prepared(settings);
        cluster.run();
        cluster
    }

    /// A server that does not run yet, so that its files can be changed.
    pub fn prepared(settings: &[&str]) -> Self {
        let place = Place::new();
        place.run(Command::new("cp").arg("-a").arg(TEMPLATE.data()).arg(&place.dir));
        Self::at(place, settings)
    }

    /// A running hot standby of a running server.
    pub fn standby_of(primary: &Self, settings: &[&str]) -> Self {
        let place = Place::new();
        let mut backup = Command::new(place.bin.join("pg_basebackup"));
        backup.args(["-R", "--no-sync", "-c", "fast", "-X", "stream", "-U", "postgres", "-h"]).arg(&primary.place.dir);
        backup.arg("-p").arg(primary.port.to_string());
        place.run(backup.arg("-D").arg(place.data()));
        let standby = Self::at(place, settings);
        standby.run();
        standby
    }

    fn at(place: Place, settings: &[&str]) -> Self {
        // Nobody else takes it in the moment until the server does, or the start fails and says so.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = settings.iter().map(|s| (*s).to_owned()).collect();
        Self { place, port, settings, environment: Vec::new(), server: Mutex::default(), log: Arc::default() }
    }

    /// Gives the server a variable of its environment, from its next start on.
    pub fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the server and waits until it takes sessions.
    pub fn run(&self) {
        self.begin();
        self.wait_for_log("ready to accept");
    }

    /// Starts the server and does not wait.
    pub fn begin(&self) {
        self.log.0.lock().unwrap().clear();
        let dir = &self.place.dir;
        let mut command = Command::new(self.place.bin.join("postgres"));
        command.arg("-D").arg(self.place.data()).arg("-k").arg(dir).arg("-p").arg(self.port.to_string());
        let usual = ["listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "autovacuum=off"];
        for setting in usual.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.envs(self.environment.iter().map(|(n, v)| (n, v)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).current_dir(dir).process_group(0);
        let mut child = as_account(&mut command, self.place.account).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::clone(&self.log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                log.0.lock().unwrap().push(line);
                log.1.notify_all();
            }
        });
        *self.server.lock().unwrap() = Some(child);
    }

    /// Waits until the server of the last start has logged a line that holds this.
    pub fn wait_for_log(&self, words: &str) {
        let until = Instant::now() + DEADLINE;
        let mut log = self.log.0.lock().unwrap();
        while !log.iter().any(|line| line.contains(words)) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited for '{words}' in the server's log:\n{}", log.join("\n"));
            log = self.log.1.wait_timeout(log, left).unwrap().0;
        }
    }

    /// Stops the server and waits until it has ended.
    pub fn stop(&self, how: Stop) {
        let Some(mut child) = self.server.lock().unwrap().take() else { return };
        let signal = if how == Stop::Fast { Signal::INT } else { Signal::QUIT };
        kill_process(pid_of(child.id()), signal).unwrap();
        child.wait().unwrap();
    }

    pub fn restart(&self, how: Stop) {
        self.stop(how);
        self.run();
    }

    /// Every process of the server stops in its tracks: connections stay open, and nobody answers.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    fn signal_all(&self, signal: Signal) {
        let server = self.server.lock().unwrap();
        let Some(child) = server.as_ref() else { return };
        let parent = child.id();
        // The parent first when it stops, so that it makes no new processes meanwhile.
        let _ = kill_process(pid_of(parent), signal);
        for process in children(parent) {
            // It may have ended by itself.
            let _ = kill_process(pid_of(process), signal);
        }
    }

    /// Makes a standby an independent server, and waits until it is one.
    pub async fn promote(&self) {
        pg::execute(&self.url("postgres"), "SELECT pg_promote(wait => true)").await;
    }

    /// The server reads its settings and rules again.
    pub fn reload(&self) {
        let server = self.server.lock().unwrap();
        kill_process(pid_of(server.as_ref().expect("a running server").id()), Signal::HUP).unwrap();
    }

    /// An address by the socket, as the superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    pub fn url_as(&self, role: &str, database: &str) -> String {
        let dir = self.place.dir.display().to_string().replace('/', "%2F");
        format!("postgres://{role}@{dir}:{}/{database}", self.port)
    }

    /// The socket itself.
    pub fn socket(&self) -> PathBuf {
        self.place.dir.join(format!(".s.PGSQL.{}", self.port))
    }

    pub fn socket_directory(&self) -> &Path {
        &self.place.dir
    }

    pub fn data(&self) -> PathBuf {
        self.place.data()
    }

    /// Writes a file into the data directory that only the server may read.
    pub fn write(&self, name: &str, content: &str) {
        use std::os::unix::fs::{PermissionsExt, chown};
        let file = self.data().join(name);
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((uid, gid)) = self.place.account {
            chown(&file, Some(uid), Some(gid)).unwrap();
        }
    }

    /// Puts a rule before those of `pg_hba.conf`, and has them read.
    pub fn allow_first(&self, rule: &str) {
        let file = self.data().join("pg_hba.conf");
        let rules = std::fs::read_to_string(&file).unwrap();
        self.write("pg_hba.conf", &format!("{rule}\n{rules}"));
        if self.server.lock().unwrap().is_some() {
            self.reload();
            self.wait_for_log("reloading configuration files");
        }
    }

    /// The database that every server has, with our schema; its address by the socket.
    pub fn fleet(&self) -> String {
        self.url("fleet")
    }

    /// Runs statements as the superuser in the database `fleet`.
    pub async fn execute(&self, statements: &str) {
        pg::execute(&self.url("fleet"), statements).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.thaw();
        if let Some(mut child) = self.server.lock().unwrap_or_else(|e| e.into_inner()).take() {
            // It may have ended by itself, which is what a test may be about.
            let _ = kill_process(pid_of(child.id()), Signal::QUIT);
            let _ = child.wait();
        }
    }
}

/// A disk that can fill up: what a server started with it writes fails where a file would grow, as long as it is full.
/// What is there already can be overwritten, as on a real one.
pub struct Disk {
    flag: PathBuf,
}

impl Disk {
    /// For a server that does not run yet.
    pub fn under(cluster: &mut Cluster) -> Self {
        let library = cluster.place.dir.join("disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/disk.c");
        let made =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let flag = cluster.place.dir.join("full");
        cluster.environment("LD_PRELOAD", library.to_str().unwrap());
        cluster.environment("DISK_IS_FULL", flag.to_str().unwrap());
        Self { flag }
    }

    pub fn fill(&self) {
        std::fs::write(&self.flag, "").unwrap();
    }

    pub fn free(&self) {
        std::fs::remove_file(&self.flag).unwrap();
    }
}

/// A pooler in transaction mode before a server, on its own socket.
pub struct Bouncer {
    place: Place,
    _shell: Child,
}

impl Bouncer {
    /// `ignored`: start-up parameters that it drops without a word; it refuses all others that it does not know.
    pub fn before(cluster: &Cluster, ignored: &str) -> Self {
        let place = Place::new();
        let users = place.dir.join("users.txt");
        std::fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        let server = format!("host={} port={}", cluster.place.dir.display(), cluster.port);
        let config = format!(
            "[databases]\n* = {server}\n[pgbouncer]\nunix_socket_dir = {dir}\nlisten_addr =\nlisten_port = 6432\n\
             auth_type = trust\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = 3\n\
             ignore_startup_parameters = {ignored}\nadmin_users = postgres\nserver_login_retry = 1\n",
            dir = place.dir.display(),
            users = users.display(),
        );
        let file = place.dir.join("pgbouncer.ini");
        std::fs::write(&file, config).unwrap();
        let script = r#"PATH=$PATH:/usr/sbin pgbouncer -q "$1" & pid=$!; cat >/dev/null; kill -INT $pid; wait $pid"#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(&file).current_dir(&place.dir).process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let shell = as_account(&mut shell, place.account).spawn().unwrap();
        let socket = place.dir.join(".s.PGSQL.6432");
        wait_until("pgbouncer's socket; is the package 'pgbouncer' installed?", || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
        Self { place, _shell: shell }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}:6432/{database}", self.place.dir.display().to_string().replace('/', "%2F"))
    }
}

/// Waits for what another process does.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < until, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pid_of(id: u32) -> Pid {
    Pid::from_raw(id.cast_signed()).expect("a process id")
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
