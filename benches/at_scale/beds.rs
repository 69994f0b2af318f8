//! The data sets, kept between runs in one directory: a PostgreSQL server of our own and SQLite files.
//!
//! The server runs while this process does; its data stay. A data set is made once, under another name until it is
//! complete, so that a run that was broken off leaves nothing that looks like one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant as Moment;

use renewscope::domain::instant::Instant;
use renewscope::store::{Address, schema};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::data::{self, Fleet};
use crate::pg;

/// The server, and where everything is.
pub struct Beds {
    pub dir: PathBuf,
    shell: Child,
    _temporary: Option<tempfile::TempDir>,
}

/// One data set in one database.
#[derive(Clone)]
pub struct Bed {
    pub name: &'static str,
    pub url: String,
    pub rows: u64,
    /// The newest row: "now" of the queries, so that a data set of last week answers as on its first day.
    pub now: Instant,
}

impl Bed {
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
    pub fn address(&self) -> Address {
        Address::parse(&self.url).unwrap()
    }
    /// The SQLite file.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(self.url.trim_start_matches("sqlite:"))
    }
}

pub fn fleet(rows: u64) -> Fleet {
    Fleet { rows, devices: 100_000, orgs: 50 }
}

impl Beds {
    /// Starts the server in `dir`, which is made where it is missing. `None`: a temporary directory, gone at the end.
    pub fn open(dir: Option<PathBuf>) -> Self {
        let temporary = dir.is_none().then(|| tempfile::tempdir().unwrap());
        let dir = dir.or_else(|| temporary.as_ref().map(|t| t.path().to_owned())).unwrap();
        std::fs::create_dir_all(&dir).unwrap();
        let dir = dir.canonicalize().unwrap();
        let shell = server(&dir);
        Self { dir, shell, _temporary: temporary }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.dir.join("pg").display().to_string().replace('/', "%2F"))
    }

    /// A new database with our schema.
    pub async fn database(&self, name: &str) -> String {
        let drop = format!("DROP DATABASE IF EXISTS {name}");
        pg::execute(&self.url("postgres"), &drop).await;
        pg::execute(&self.url("postgres"), &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let url = self.url(name);
        schema::migrate(&Address::parse(&url).unwrap()).await.unwrap();
        url
    }

    pub async fn drop_database(&self, name: &str) {
        pg::execute(&self.url("postgres"), &format!("DROP DATABASE IF EXISTS {name}")).await;
    }

    pub async fn postgres(&self, rows: u64) -> Bed {
        let (name, begun) = (format!("events_{rows}"), Moment::now());
        let mut conn = pg::connect(&self.url("postgres")).await;
        let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
            .bind(&name)
            .fetch_optional(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        if found.is_none() {
            let url = self.database("half").await;
            data::fill_postgres(&url, fleet(rows)).await;
            pg::execute(&self.url("postgres"), &format!("ALTER DATABASE half RENAME TO {name}")).await;
            eprintln!("{rows} events on PostgreSQL, made in {:.0?}", begun.elapsed());
        }
        let url = self.url(&name);
        let mut conn = PgConnection::connect(&url).await.unwrap();
        let micros = "SELECT (extract(epoch FROM max(created_at)) * 1000000)::int8 FROM certificate_renewal_events";
        let now: i64 = sqlx::query_scalar(micros).fetch_one(&mut conn).await.unwrap();
        Bed { name: "PostgreSQL", url, rows, now: Instant::from_unix_micros(now) }
    }

    pub async fn sqlite(&self, rows: u64) -> Bed {
        let (path, begun) = (self.dir.join(format!("events_{rows}.db")), Moment::now());
        if !path.exists() {
            let half = self.dir.join("half.db");
            for ending in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{ending}", half.display()));
            }
            data::sqlite(&half, fleet(rows)).await;
            std::fs::rename(&half, &path).unwrap();
            eprintln!("{rows} events on SQLite, made in {:.0?}", begun.elapsed());
        }
        let url = format!("sqlite:{}", path.display());
        let mut conn = SqliteConnection::connect(&url).await.unwrap();
        let newest = "SELECT max(created_at) FROM certificate_renewal_events";
        let now: i64 = sqlx::query_scalar(newest).fetch_one(&mut conn).await.unwrap();
        Bed { name: "SQLite", url, rows, now: Instant::from_unix_micros(now) }
    }
}

impl Drop for Beds {
    fn drop(&mut self) {
        // The end of its input is what the shell waits for.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// As the tests' server, but its data stay. Without durability: what is measured is work, not a disk's flush.
fn server(dir: &Path) -> Child {
    let bin = pg::programs().expect("no PostgreSQL server programs found; install the Debian package 'postgresql'");
    let (data, account) = (dir.join("pg"), pg::account());
    if !data.join("PG_VERSION").exists() {
        std::fs::create_dir_all(&data).unwrap();
        if let Some((uid, gid)) = account {
            std::os::unix::fs::chown(&data, Some(uid), Some(gid)).unwrap();
        }
        let mut initdb = Command::new(bin.join("initdb"));
        initdb.args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D"]).arg(&data);
        let made = pg::as_account(&mut initdb, account).current_dir(dir).output().unwrap();
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
    }
    let script = r#""$1"/postgres -D "$2" -k "$2" -h '' -c fsync=off -c full_page_writes=off \
        -c synchronous_commit=off -c autovacuum=off -c max_wal_size=8GB -c shared_buffers=256MB & pid=$!
        cat >/dev/null; kill -INT $pid; wait $pid"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(&bin).arg(&data);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).current_dir(&data);
    let mut child = pg::as_account(&mut shell, account).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = log.by_ref().map_while(Result::ok).any(|line| line.contains("ready to accept connections"));
    assert!(ready, "the PostgreSQL server did not start");
    std::thread::spawn(move || log.for_each(drop));
    child
}
