//! The program itself against the databases' own: ingest, export, start, memory, keys while rows arrive, and rest.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Moment};

use renewscope::domain::event::{NewEvent, Party};
use renewscope::domain::instant::Instant;
use renewscope::store::{Access, Address, ConnectOptions, Store, schema};
use sqlx::{Connection, SqliteConnection};

use crate::beds::{Bed, Beds};
use crate::pg;
use crate::pty::Screen;
use crate::screen::{has_all, has_rows, is_full, is_page, place, resident};
use crate::table::{Table, Target, ms};

const ROWS: u16 = 40;
const COLS: u16 = 120;
/// Events that are ingested.
const INGESTED: u64 = 200_000;
/// While keys are timed, each second.
const ARRIVING: u64 = 5000;
const TAILED: Duration = Duration::from_secs(40);
/// Before that: a server counts what a connection did up to ten seconds after it came to rest.
const SETTLED: Duration = Duration::from_secs(16);
const IDLE: Duration = Duration::from_secs(20);

/// The program, the databases' own programs, and where files go.
pub struct Bench<'a> {
    pub program: String,
    pub beds: &'a Beds,
    pub rounds: usize,
}

impl Bench<'_> {
    /// The server's own program: not a distribution's wrapper, which costs more than the program.
    fn tool(name: &str) -> PathBuf {
        let direct = pg::programs().map(|bin| bin.join(name)).filter(|p| p.exists());
        direct.unwrap_or_else(|| name.into())
    }

    fn run(&self, args: &[&str]) -> (Duration, u64) {
        measured(Command::new(&self.program).args(args))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.beds.dir.join(name)
    }

    /// `renewscope ingest` against `COPY` and `.import`, of the same events into empty tables with the same indexes.
    pub async fn ingest(&self, bed: &Bed, table: &mut Table) {
        let (ndjson, csv) = (self.file("in.ndjson"), self.file("in.csv"));
        let limit = INGESTED.min(bed.rows).to_string();
        self.run(&["--db", &bed.url, "--limit", &limit, "export", "-o", text(&ndjson)]);
        let n = INGESTED.min(bed.rows) as f64;
        let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
        let mut memory = 0;
        for _ in 0..self.rounds.min(3) {
            if bed.is_postgres() {
                let url = self.beds.database("ingest").await;
                let (took, held) = self.run(&["--db", &url, "ingest", text(&ndjson)]);
                (ours, memory) = (ours.min(took), held);
                copy(&url, &format!("\\copy certificate_renewal_events TO '{}' CSV", text(&csv)));
                pg::execute(&url, "TRUNCATE certificate_renewal_events; CHECKPOINT").await;
                theirs =
                    theirs.min(copy(&url, &format!("\\copy certificate_renewal_events FROM '{}' CSV", text(&csv))));
                self.beds.drop_database("ingest").await;
            } else {
                let path = self.file("ingest.db");
                remove(&path);
                let url = format!("sqlite:{}", path.display());
                schema::migrate(&Address::parse(&url).unwrap()).await.unwrap();
                let (took, held) = self.run(&["--db", &url, "ingest", text(&ndjson)]);
                (ours, memory) = (ours.min(took), held);
                theirs = theirs.min(self.import(&path).await);
                remove(&path);
            }
        }
        let rate = |d: Duration| n / d.as_secs_f64();
        let against = if bed.is_postgres() { "`COPY`" } else { "`.import`" };
        let what = format!("ingest of {limit} events, against {against}");
        table.line(bed.name, &what, (rate(ours), "rows/s"), Some(rate(theirs)), Target::AtLeast(0.5));
        table.line(bed.name, "ingest: peak memory", (mib(memory), "MiB"), None, Target::None);
        for file in [ndjson, csv] {
            let _ = fs::remove_file(file);
        }
    }

    /// `.import` reads no bytes, only texts: so into the same tables with texts of the same 16 bytes for ids.
    async fn import(&self, filled: &Path) -> Duration {
        let (path, csv) = (self.file("import.db"), self.file("import"));
        remove(&path);
        let mut conn = SqliteConnection::connect(&format!("sqlite:{}", filled.display())).await.unwrap();
        let found = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN \
            ('organizations', 'devices', 'certificate_renewal_events') AND type IN ('table', 'index') ORDER BY type DESC";
        let schema: Vec<String> = sqlx::query_scalar(found).fetch_all(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        let schema = schema.join(";").replace("BLOB", "TEXT").replace(") STRICT", ")");
        let id = |column: &str| format!("substr(hex({column}), 1, 8) || substr(hex({column}), 25)");
        let mut tables = String::new();
        for (name, columns) in [
            ("organizations", format!("{}, name", id("id"))),
            ("devices", format!("{}, {}, name", id("id"), id("org_id"))),
            (
                "certificate_renewal_events",
                format!(
                    "{}, {}, {}, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at",
                    id("id"),
                    id("device_id"),
                    id("org_id")
                ),
            ),
        ] {
            let out = format!("{}-{name}.csv", csv.display());
            sqlite3(filled, &format!(".mode csv\n.once '{out}'\nSELECT {columns} FROM {name} ORDER BY rowid;\n"));
            tables.push_str(&format!(".import '{out}' {name}\n"));
        }
        sqlite3(&path, &format!("PRAGMA journal_mode=wal;\n{schema};\n"));
        let took = sqlite3(&path, &format!("PRAGMA foreign_keys=on;\n.mode csv\n{tables}"));
        remove(&path);
        for name in ["organizations", "devices", "certificate_renewal_events"] {
            let _ = fs::remove_file(format!("{}-{name}.csv", csv.display()));
        }
        took
    }

    /// `renewscope export` of everything against `COPY TO` and `sqlite3 -csv`.
    pub async fn export(&self, bed: &Bed, table: &mut Table) {
        let (out, csv) = (self.file("out.csv"), self.file("copied.csv"));
        let (mut ours, mut plain, mut same, mut held) = (Duration::MAX, Duration::MAX, Duration::MAX, 0);
        let rounds = if bed.rows > 2_000_000 { 1 } else { self.rounds.min(3) };
        let joined = "SELECT e.*, d.name, o.name FROM certificate_renewal_events e LEFT JOIN devices d ON d.id = e.device_id \
            LEFT JOIN organizations o ON o.id = e.org_id ORDER BY e.created_at DESC, e.id DESC";
        for _ in 0..rounds {
            let (took, most) = self.run(&["--db", &bed.url, "export", "-o", text(&out)]);
            (ours, held) = (ours.min(took), most);
            if bed.is_postgres() {
                plain =
                    plain.min(copy(&bed.url, &format!("\\copy certificate_renewal_events TO '{}' CSV", text(&csv))));
                same = same.min(copy(&bed.url, &format!("\\copy ({joined}) TO '{}' CSV", text(&csv))));
            } else {
                let hex = "hex(id), hex(device_id), hex(org_id)";
                let rest = "event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at";
                let once = format!(".mode csv\n.once '{}'\n", text(&csv));
                plain = plain.min(sqlite3(
                    &bed.path(),
                    &format!("{once}SELECT {hex}, {rest} FROM certificate_renewal_events;\n"),
                ));
                same = same.min(sqlite3(&bed.path(), &format!("{once}{joined};\n")));
            }
        }
        let rate = |d: Duration| bed.rows as f64 / d.as_secs_f64();
        let name = if bed.is_postgres() { "`COPY TO`" } else { "`sqlite3 -csv`" };
        table.line(
            bed.name,
            &format!("export of everything, against {name} of the table"),
            (rate(ours), "rows/s"),
            Some(rate(plain)),
            Target::AtLeast(0.5),
        );
        table.line(
            bed.name,
            &format!("the same, against {name} of the same columns and order"),
            (rate(ours), "rows/s"),
            Some(rate(same)),
            Target::None,
        );
        table.line(bed.name, "export: peak memory", (mib(held), "MiB"), None, Target::Below(64.0));
        for file in [out, csv] {
            let _ = fs::remove_file(file);
        }
    }

    /// From the command to what a person sees, and what is held then and after scrolling.
    pub async fn start(&self, bed: &Bed, table: &mut Table) {
        let never = Duration::MAX;
        let (mut page, mut all, mut whole, mut reference) = (never, never, never, never);
        let (mut held, mut scrolled) = (0, 0);
        // The first is for the caches of the file system.
        for n in 0..=self.rounds * 2 {
            let begun = Moment::now();
            let mut screen = self.console(&bed.url);
            let paged = wait_for(&screen, begun, is_page);
            let filled = wait_for(&screen, begun, has_all);
            let counted = wait_for(&screen, begun, is_full);
            if n == 0 {
                scrolled = scroll(&mut screen);
            } else {
                (page, all, whole) = (page.min(paged), all.min(filled), whole.min(counted));
                held = held.max(resident(&screen, "VmRSS"));
                reference = reference.min(page_by_tool(bed));
            }
            screen.keys("q");
            screen.wait_exit();
        }
        let mut line =
            |what: &str, took, target| table.line(bed.name, what, (ms(took), "ms"), Some(ms(reference)), target);
        line("start: first frame full of rows", page, Target::AtMost(2.0));
        line("start: panes and histogram filled", all, Target::None);
        line("start: everything exact, all time counted", whole, Target::None);
        table.line(bed.name, "memory at the first full frame", (mib(held), "MiB"), None, Target::Below(25.0));
        table.line(bed.name, "memory after 200 pages", (mib(scrolled), "MiB"), None, Target::Below(40.0));
    }

    fn console(&self, url: &str) -> Screen {
        let state = self.file("state");
        let home = [("HOME", text(&state)), ("XDG_STATE_HOME", text(&state)), ("XDG_CONFIG_HOME", text(&state))];
        Screen::start_program(&self.program, &["--db", url], &home, ROWS, COLS)
    }

    /// Keys while events arrive, and what is held after that.
    pub async fn keys(&self, postgres: bool, table: &mut Table) {
        let (name, url) = if postgres {
            ("PostgreSQL", self.beds.database("live").await)
        } else {
            let path = self.file("live.db");
            remove(&path);
            ("SQLite", format!("sqlite:{}", path.display()))
        };
        let address = Address::parse(&url).unwrap();
        schema::migrate(&address).await.unwrap();
        let options = ConnectOptions { access: Access::Write, ..ConnectOptions::default() };
        let store = Store::connect(&address, &options).await.unwrap();
        store.create_many(&arriving(0, 2000)).await.unwrap();
        let mut screen = self.console(&url);
        screen.wait_until("rows in the list", has_rows);
        let writer = tokio::spawn(async move {
            let (begun, mut written) = (Moment::now(), 2000);
            while begun.elapsed() < TAILED {
                let due = 2000 + (begun.elapsed().as_secs_f64() * ARRIVING as f64) as u64;
                if due > written {
                    store.create_many(&arriving(written, due)).await.unwrap();
                    written = due;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            store.close().await;
            written as f64 / begun.elapsed().as_secs_f64()
        });
        let timed = tokio::task::spawn_blocking(move || {
            let begun = Moment::now();
            let mut took = Vec::new();
            while begun.elapsed() < TAILED {
                took.push(press(&mut screen, if took.len() % 40 < 20 { "j" } else { "k" }));
                std::thread::sleep(Duration::from_millis(25));
            }
            let held = resident(&screen, "VmRSS");
            screen.keys("q");
            screen.wait_exit();
            (took, held)
        });
        let (mut took, held) = timed.await.unwrap();
        let rate = writer.await.unwrap();
        took.sort_unstable();
        let at = |part: f64| ms(took[((took.len() - 1) as f64 * part) as usize]);
        let what = format!("key to screen while {rate:.0} events a second arrive, {} keys: p99", took.len());
        table.line(name, &what, (at(0.99), "ms"), None, Target::Below(16.0));
        table.line(name, "the same, p50", (at(0.5), "ms"), None, Target::None);
        table.line(
            name,
            &format!("memory after {} s of that", TAILED.as_secs()),
            (mib(held), "MiB"),
            None,
            Target::Below(40.0),
        );
        if postgres {
            self.beds.drop_database("live").await;
        } else {
            remove(&self.file("live.db"));
        }
    }

    /// What a console costs that nobody touches and nothing reaches.
    pub async fn idle(&self, bed: &Bed, table: &mut Table) {
        let screen = &mut self.console(&bed.url);
        wait_for(screen, Moment::now(), is_full);
        tokio::time::sleep(SETTLED).await;
        let statements = || async {
            if !bed.is_postgres() {
                return 0;
            }
            let mut conn = pg::connect(&self.beds.url("postgres")).await;
            let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = $1";
            let name = format!("events_{}", bed.rows);
            let n: i64 = sqlx::query_scalar(sql).bind(name).fetch_one(&mut conn).await.unwrap();
            n
        };
        let (cpu, drawn, sent) = (ticks(screen), screen.raw_bytes().len(), statements().await);
        tokio::time::sleep(IDLE).await;
        let seconds = IDLE.as_secs_f64();
        let share = (ticks(screen) - cpu) as f64 / seconds;
        table.line(bed.name, "idle: a core", (share, "%"), None, Target::Below(0.3));
        let drawn = (screen.raw_bytes().len() - drawn) as f64 / seconds;
        table.line(bed.name, "idle: written to the terminal", (drawn, "bytes/s"), None, Target::Below(5.0));
        if bed.is_postgres() {
            let sent = (statements().await - sent) as f64 / seconds;
            table.line(bed.name, "idle: statements", (sent, "/s"), None, Target::Below(1.2));
        }
        screen.keys("q");
        screen.wait_exit();
    }
}

/// Hundredths of a second of computing time.
fn ticks(screen: &Screen) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", screen.pid())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn arriving(from: u64, to: u64) -> Vec<NewEvent> {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let event = |n: u64| NewEvent {
        id: None,
        device: Party { id: None, name: Some(format!("edge-{}", n * 7919 % 10_000)) },
        org: Party { id: None, name: Some(format!("org-{}", n % 10)) },
        kind: ["renewal_start", "renewal_success", "renewal_start", "renewal_failed"][(n % 4) as usize].to_owned(),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: (n % 4 == 3).then(|| format!("CSR denied by approver: request {n}")),
        created_at: Instant::from_unix_micros(now.as_micros() as i64 - ((to - n) as i64)),
    };
    (from..to).map(event).collect()
}

/// From a key to a screen that shows what it did: another place in the result.
fn press(screen: &mut Screen, key: &str) -> Duration {
    let before = screen.look(place);
    let begun = Moment::now();
    screen.keys(key);
    while screen.look(place) == before && begun.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_micros(200));
    }
    begun.elapsed()
}

fn wait_for(screen: &Screen, begun: Moment, there: fn(&vt100::Screen) -> bool) -> Duration {
    // A table of tens of millions takes longer than a test would wait.
    while !screen.look(there) {
        assert!(begun.elapsed() < Duration::from_secs(300), "not on the screen:\n{}", screen.contents());
        std::thread::sleep(Duration::from_micros(500));
    }
    begun.elapsed()
}

fn scroll(screen: &mut Screen) -> u64 {
    for _ in 0..200 {
        press(screen, "<PgDn>");
    }
    resident(screen, "VmRSS")
}

/// The same page by the database's own program.
fn page_by_tool(bed: &Bed) -> Duration {
    let page = |id: &str| {
        format!(
            "SELECT {id}, e.created_at, e.event_type, e.reason, e.old_cert_expiration, e.new_cert_expiration, \
             e.error_message, d.name, o.name FROM (SELECT * FROM certificate_renewal_events \
             ORDER BY created_at DESC, id DESC LIMIT 200) e LEFT JOIN devices d ON d.id = e.device_id \
             LEFT JOIN organizations o ON o.id = e.org_id ORDER BY e.created_at DESC, e.id DESC"
        )
    };
    if bed.is_postgres() {
        let psql = Bench::tool("psql");
        return measured(Command::new(psql).args(["-X", "-A", "-d", &bed.url, "-c", &page("e.id")])).0;
    }
    measured(Command::new("sqlite3").arg("-readonly").arg(bed.path()).arg(page("hex(e.id)"))).0
}

fn copy(url: &str, command: &str) -> Duration {
    measured(Command::new(Bench::tool("psql")).args(["-X", "-q", "-d", url, "-c", command])).0
}

/// Runs a script of sqlite3.
fn sqlite3(path: &Path, script: &str) -> Duration {
    let begun = Moment::now();
    let mut child = Command::new("sqlite3")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("sqlite3 is installed");
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "sqlite3: {script}");
    begun.elapsed()
}

/// Runs a program to its good end: how long it took, and the most memory it held, in KiB.
fn measured(command: &mut Command) -> (Duration, u64) {
    let begun = Moment::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        most = most.max(line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0));
        // A separate short wait for what takes milliseconds, a longer one for what takes seconds.
        let wait = if begun.elapsed() < Duration::from_millis(100) { 300 } else { 5000 };
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{command:?}: {status}");
                return (begun.elapsed(), most);
            }
            None => std::thread::sleep(Duration::from_micros(wait)),
        }
    }
}

fn remove(path: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{ending}", path.display()));
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
