//! A PostgreSQL server of this test process alone: in a temporary directory, on a Unix socket, without durability.
//!
//! The server is a child of a shell that waits for the end of its input, which is a pipe from this process: however the
//! test ends, the pipe closes, and the shell stops the server and removes the directory.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use renewscope::store::{Address, schema};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Why no test can run without a server, and what to do.
pub const MISSING: &str = "no PostgreSQL server programs found; install the Debian package 'postgresql'";

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);
static TEMPLATE: OnceCell<()> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

struct Server {
    dir: PathBuf,
    /// Holds the pipe whose end is the server's end.
    _shell: Child,
}

/// A new database with our schema; its URL.
pub async fn migrated() -> String {
    TEMPLATE
        .get_or_init(|| async {
            create("renewscope_template", "template0").await;
            schema::migrate(&Address::parse(&url("renewscope_template")).unwrap()).await.unwrap();
        })
        .await;
    let name = next();
    create(&name, "renewscope_template").await;
    url(&name)
}

/// A new database without any table; its URL.
pub async fn empty() -> String {
    let name = next();
    create(&name, "template0").await;
    url(&name)
}

/// A connection past the store, with every right.
pub async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// Runs statements past the store.
pub async fn execute(url: &str, statements: &str) {
    let mut conn = connect(url).await;
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// The server's socket.
pub fn socket() -> String {
    SERVER.dir.join(".s.PGSQL.5432").display().to_string()
}

fn next() -> String {
    format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn url(database: &str) -> String {
    let dir = SERVER.dir.display().to_string().replace('/', "%2F");
    format!("postgres://postgres@{dir}/{database}")
}

async fn create(name: &str, template: &str) {
    execute(&url("postgres"), &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
}

impl Server {
    fn start() -> Self {
        let bin = programs().expect(MISSING);
        let dir = tempfile::Builder::new().prefix("renewscope-pg-").tempdir().unwrap().keep();
        let account = account();
        if let Some((uid, gid)) = account {
            std::os::unix::fs::chown(&dir, Some(uid), Some(gid)).unwrap();
        }
        let data = dir.join("data");
        let mut initdb = Command::new(bin.join("initdb"));
        initdb.args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D"]).arg(&data);
        let made = as_account(&mut initdb, account).current_dir(&dir).output().unwrap();
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

        let script = r#""$1"/postgres -D "$2"/data -k "$2" -h '' -c fsync=off -c full_page_writes=off \
            -c synchronous_commit=off -c autovacuum=off -c max_connections=200 & pid=$!
            cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$2""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(&bin).arg(&dir);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).current_dir(&dir);
        let mut child = as_account(&mut shell, account).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = log.by_ref().map_while(Result::ok).any(|line| line.contains("ready to accept connections"));
        assert!(ready, "the PostgreSQL server did not start");
        // Its log is read to the end, so that it never waits for a reader.
        std::thread::spawn(move || log.for_each(drop));
        Self { dir, _shell: child }
    }
}

/// The directory of the newest server programs.
pub fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<_> = versions.flatten().map(|v| v.path()).collect();
        let number = |p: &Path| p.file_name().and_then(|n| n.to_str()?.parse::<u32>().ok());
        versions.sort_by_key(|p| std::cmp::Reverse(number(p)));
        candidates.extend(versions.into_iter().map(|v| v.join("bin")));
    }
    // A link to one of them says where all of them are.
    let found = candidates.into_iter().find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists())?;
    Some(std::fs::canonicalize(found.join("postgres")).unwrap().parent().unwrap().to_owned())
}

/// Who runs the server when the tests run as root, which it refuses to be.
pub fn account() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = accounts.lines().find(|l| l.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("neither 'postgres' nor 'nobody' is an account here"))
}

/// Makes a program run as that account.
pub fn as_account(command: &mut Command, account: Option<(u32, u32)>) -> &mut Command {
    match account {
        Some((uid, gid)) => command.uid(uid).gid(gid),
        None => command,
    }
}
