//! What following costs and how soon it shows: from a commit to the screen, an idle minute, and a flood.
//!
//! ```text
//! cargo bench --bench tail -- [--samples N] [--idle SECONDS] [--flood SECONDS] [--rate N] [--program PATH]
//! ```
//!
//! The console runs on a terminal of 120x40 and is judged by what its screen shows. Idle: no event comes; counted are
//! the console's processor time, what it writes to the terminal, and on PostgreSQL the queries that its database
//! received. Flood: `--rate` events a second are committed, a tenth of a second's worth at a time, while
//! the console follows, keys are typed, and `renewscope tail` writes to a file that must hold every row at the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "../tests/common/pg.rs"]
mod pg;
#[path = "../tests/common/pty.rs"]
mod pty;

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use pty::{Screen, Signal};
use renewscope::domain::event::{NewEvent, Party};
use renewscope::domain::instant::Instant as Moment;
use renewscope::store::schema;
use renewscope::store::{Access, Address, ConnectOptions, Store};

struct Options {
    samples: usize,
    idle: u64,
    flood: u64,
    rate: usize,
    program: String,
}

/// A database to be followed.
struct Subject {
    name: &'static str,
    url: String,
    store: Store,
}

fn main() {
    // Built by `cargo test` too; only `cargo bench` runs the measurement.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let options = options();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let subjects = runtime.block_on(subjects(dir.path()));
    println!(
        "| database | commit to screen, median | 95th of 100 | idle: processor | written to the terminal | queries a minute |"
    );
    println!("|---|---|---|---|---|---|");
    for subject in &subjects {
        println!("{}", quiet(&runtime, &options, subject));
    }
    println!(
        "\n| database | committed | a second | printed by `tail` | key to screen, median | 99th of 100 | longest | resident, highest | behind at the end |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for subject in subjects.iter().filter(|s| s.name != "PostgreSQL, notified") {
        println!("{}", flood(&runtime, &options, subject, dir.path()));
    }
}

fn options() -> Options {
    let mut options = Options {
        samples: 40,
        idle: 60,
        flood: 60,
        rate: 10_000,
        program: env!("CARGO_BIN_EXE_renewscope").to_owned(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse().ok()).expect("a number");
        match arg.as_str() {
            "--samples" => options.samples = number() as usize,
            "--idle" => options.idle = number(),
            "--flood" => options.flood = number(),
            "--rate" => options.rate = number() as usize,
            "--program" => options.program = args.next().expect("a path"),
            _ => {}
        }
    }
    options
}

async fn subjects(dir: &Path) -> Vec<Subject> {
    let writing = ConnectOptions { access: Access::Write, create: true, ..ConnectOptions::default() };
    let mut subjects = Vec::new();
    let file = Address::sqlite(dir.join("events.db"));
    let store = Store::connect(&file, &writing).await.unwrap();
    subjects.push(Subject { name: "SQLite", url: file.to_string(), store });
    for name in ["PostgreSQL", "PostgreSQL, notified"] {
        let url = pg::migrated().await;
        let address = Address::parse(&url).unwrap();
        if name != "PostgreSQL" {
            schema::notify(&address, true).await.unwrap();
        }
        subjects.push(Subject { name, url, store: Store::connect(&address, &writing).await.unwrap() });
    }
    for subject in &subjects {
        let history: Vec<_> = (0..1000).map(|n| event(&format!("old-{n}"))).collect();
        subject.store.create_many(&history).await.unwrap();
    }
    subjects
}

fn event(device: &str) -> NewEvent {
    let named = |name: &str| Party { id: None, name: Some(name.to_owned()) };
    NewEvent {
        id: Some(uuid::Uuid::new_v4()),
        device: named(device),
        org: named("acme"),
        kind: "renewal_start".to_owned(),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: None,
        created_at: Moment::from_utc(Utc::now()),
    }
}

fn console(options: &Options, subject: &Subject) -> Screen {
    let screen = Screen::start_program(&options.program, &["--db", &subject.url], &[], 40, 120);
    screen.wait_for("● live");
    screen
}

fn quiet(runtime: &tokio::runtime::Runtime, options: &Options, subject: &Subject) -> String {
    let mut screen = console(options, subject);
    let mut took: Vec<Duration> = (0..options.samples)
        .map(|n| {
            // At no fixed distance from the console's own beat.
            std::thread::sleep(Duration::from_millis(300 + (n as u64 * 7919) % 700));
            let name = format!("seen-{n:03}");
            runtime.block_on(subject.store.create_many(&[event(&name)])).unwrap();
            let committed = Instant::now();
            screen.wait_for(&name);
            committed.elapsed()
        })
        .collect();
    took.sort();
    // Marks fade and rates sink before the screen stands still.
    std::thread::sleep(Duration::from_secs(25));
    let before = (cpu(screen.pid()), screen.raw_bytes().len(), transactions(runtime, subject));
    std::thread::sleep(Duration::from_secs(options.idle));
    let after = (cpu(screen.pid()), screen.raw_bytes().len(), transactions(runtime, subject));
    let share = (after.0 - before.0) / options.idle as f64 * 100.0;
    // A query is two transactions, its preparation and its execution.
    let queries = match (before.2, after.2) {
        (Some(before), Some(after)) => format!("{:.0}", (after - before).max(0.0) / 2.0 * 60.0 / options.idle as f64),
        _ => "–".to_owned(),
    };
    screen.keys("q");
    screen.wait_exit();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)].as_millis();
    let written = after.1 - before.1;
    format!("| {} | {} ms | {} ms | {share:.2} % | {written} bytes | {queries} |", subject.name, at(50), at(95))
}

/// Seconds of processor time of a process.
fn cpu(pid: i32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn transactions(runtime: &tokio::runtime::Runtime, subject: &Subject) -> Option<f64> {
    if !subject.url.starts_with("postgres") {
        return None;
    }
    // Backends report what they did at most once a second, when they next rest.
    std::thread::sleep(Duration::from_secs(2));
    let (_, database) = subject.url.rsplit_once('/').unwrap();
    let other = subject.url.replace(database, "postgres");
    runtime.block_on(async {
        let mut conn = pg::connect(&other).await;
        let sql = "SELECT (xact_commit + xact_rollback)::float8 FROM pg_stat_database WHERE datname = $1";
        sqlx::query_scalar(sql).bind(database).fetch_optional(&mut conn).await.unwrap()
    })
}

fn flood(runtime: &tokio::runtime::Runtime, options: &Options, subject: &Subject, dir: &Path) -> String {
    let printed = dir.join("printed.ndjson");
    let mut command = Command::new(&options.program);
    command.args(["--db", &subject.url, "tail", "--format", "ndjson"]);
    let mut tail = command.stdout(File::create(&printed).unwrap()).stderr(Stdio::null()).spawn().unwrap();
    let mut screen = console(options, subject);
    std::thread::sleep(Duration::from_secs(2));
    let ended = Arc::new(AtomicBool::new(false));
    let (store, stop, (rate, seconds)) = (subject.store.clone(), Arc::clone(&ended), (options.rate, options.flood));
    let writer = runtime.spawn(async move {
        let begun = Instant::now();
        let mut committed = 0_usize;
        while begun.elapsed() < Duration::from_secs(seconds) {
            let due = (begun.elapsed().as_secs_f64() * rate as f64) as usize;
            let rows: Vec<_> =
                (committed..due.min(committed + rate / 5)).map(|n| event(&format!("edge-{}", n % 5000))).collect();
            for chunk in rows.chunks(1000) {
                committed += store.create_many(chunk).await.unwrap().len();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.store(true, Ordering::Relaxed);
        (committed, begun.elapsed())
    });
    let (mut keys, mut highest) = (Vec::new(), 0);
    while !ended.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(180));
        let typed = Instant::now();
        screen.keys("/");
        screen.wait_until("the line of input", |s| {
            s.contents_between(1, 0, 2, 0).trim_start().starts_with('/') && !s.hide_cursor()
        });
        keys.push(typed.elapsed());
        screen.keys("<Esc>");
        screen.wait_until("the cursor gone", |s| s.hide_cursor());
        highest = highest.max(resident(screen.pid()));
    }
    let (committed, took) = runtime.block_on(writer).unwrap();
    let settled = Instant::now();
    let deadline = Duration::from_secs(120);
    while lines(&printed) < committed && settled.elapsed() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    let behind = settled.elapsed();
    rustix::process::kill_process(rustix::process::Pid::from_child(&tail), Signal::INT).unwrap();
    tail.wait().unwrap();
    let ids: HashSet<String> =
        fs::read_to_string(&printed).unwrap().lines().map(|l| l.split('"').nth(3).unwrap().to_owned()).collect();
    assert_eq!(ids.len(), lines(&printed), "a row printed twice");
    screen.keys("q");
    screen.wait_exit();
    keys.sort();
    let at = |part: usize| keys[(keys.len() * part / 100).min(keys.len() - 1)].as_secs_f64() * 1000.0;
    format!(
        "| {} | {committed} | {:.0} | {} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} MiB | {:.1} s |",
        subject.name,
        committed as f64 / took.as_secs_f64(),
        ids.len(),
        at(50),
        at(99),
        at(100),
        highest as f64 / 1024.0,
        behind.as_secs_f64()
    )
}

fn lines(path: &Path) -> usize {
    fs::read(path).unwrap().iter().filter(|b| **b == b'\n').count()
}

/// KiB.
fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
