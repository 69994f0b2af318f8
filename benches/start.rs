//! What a start costs: the time from the command to the first full frame, and the memory held then and after
//! scrolling, over a million events on both databases.
//!
//! ```text
//! cargo bench --bench start -- [--rows N] [--runs N] [--program PATH] [--hold]
//! ```
//!
//! The console runs on a terminal of 120x40 and is timed by what its screen shows. It takes turns with a reference,
//! `psql` or `sqlite3` fetching the same page, so that a machine that is slow today is slow for both: read the ratio.
//! `--program` times another build; `--hold` keeps the databases until Enter, for a profiler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/data.rs"]
mod data;
#[allow(dead_code)]
#[path = "../tests/common/pg.rs"]
mod pg;
#[path = "../tests/common/pty.rs"]
mod pty;
#[path = "common/screen.rs"]
#[allow(dead_code)]
mod screen;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pty::Screen;
use screen::{has_rows, is_full, place, resident};

const ROWS: u16 = 40;
const COLS: u16 = 120;
const PAGES: usize = 200;

struct Options {
    rows: u64,
    runs: usize,
    program: String,
    hold: bool,
}

/// One database to be started on, and the program that fetches its newest page.
struct Subject {
    name: &'static str,
    url: String,
    reference: (&'static str, Vec<String>),
}

/// One start.
struct Run {
    first_rows: Duration,
    full_frame: Duration,
    reference: Duration,
    /// For one key, from the press to the screen.
    page: Duration,
    /// KiB resident at the first full frame, after the scrolling, and at most.
    memory: [u64; 3],
}

fn main() {
    // Built by `cargo test` too; only `cargo bench` runs the measurement.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let options = options();
    let dir = tempfile::tempdir().unwrap();
    let subjects = subjects(&options, dir.path());
    println!(
        "\n{} events, {} devices, {COLS}x{ROWS}, medians of {}",
        options.rows,
        data::Fleet::of(options.rows).devices,
        options.runs
    );
    println!(
        "| database | first rows | full frame | best | reference | full / reference | PgDn to screen | resident, full frame | after {PAGES} PgDn | peak |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    for subject in &subjects {
        // One that does not count, for the caches.
        start(&options.program, subject);
        let runs: Vec<Run> = (0..options.runs).map(|_| start(&options.program, subject)).collect();
        println!("{}", line(subject, &runs));
    }
    if options.hold {
        for subject in &subjects {
            println!("{}", subject.url);
        }
        println!("Enter ends");
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}

fn options() -> Options {
    let mut options =
        Options { rows: 1_000_000, runs: 5, program: env!("CARGO_BIN_EXE_renewscope").to_owned(), hold: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        match word.as_str() {
            "--rows" => options.rows = value().replace('_', "").parse().expect("a number of rows"),
            "--runs" => options.runs = value().parse::<usize>().expect("a number of runs").max(1),
            "--program" => options.program = value(),
            "--hold" => options.hold = true,
            "--bench" => {}
            _ => panic!("unknown option '{word}'; valid are --rows, --runs, --program and --hold"),
        }
    }
    options
}

fn subjects(options: &Options, dir: &std::path::Path) -> [Subject; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let file = dir.join("events.db");
    let fleet = data::Fleet::of(options.rows);
    let made = Instant::now();
    let sqlite = runtime.block_on(data::sqlite(&file, fleet));
    println!("SQLite file made in {:.0?}", made.elapsed());
    let made = Instant::now();
    let postgres = runtime.block_on(data::postgres(fleet));
    println!("PostgreSQL database made in {:.0?}", made.elapsed());
    let page = |id: &str| {
        format!(
            "SELECT {id}, e.created_at, e.event_type, e.reason, e.old_cert_expiration, e.new_cert_expiration, \
             e.error_message, d.name, o.name FROM (SELECT * FROM certificate_renewal_events \
             ORDER BY created_at DESC, id DESC LIMIT 200) e LEFT JOIN devices d ON d.id = e.device_id \
             LEFT JOIN organizations o ON o.id = e.org_id ORDER BY e.created_at DESC, e.id DESC"
        )
    };
    let psql = vec!["-X".into(), "-A".into(), "-d".into(), postgres.clone(), "-c".into(), page("e.id")];
    let sqlite3 = vec!["-readonly".into(), file.display().to_string(), page("hex(e.id)")];
    [
        Subject { name: "PostgreSQL", url: postgres, reference: ("psql", psql) },
        Subject { name: "SQLite", url: sqlite, reference: ("sqlite3", sqlite3) },
    ]
}

fn start(program: &str, subject: &Subject) -> Run {
    let reference = reference(subject);
    let begun = Instant::now();
    let mut screen = Screen::start_program(program, &["--db", &subject.url], &[], ROWS, COLS);
    screen.wait_until("rows in the list", has_rows);
    let first_rows = begun.elapsed();
    screen.wait_until("a full frame", is_full);
    let full_frame = begun.elapsed();
    let at_full = resident(&screen, "VmRSS");
    let page = scroll(&mut screen);
    let memory = [at_full, resident(&screen, "VmRSS"), resident(&screen, "VmHWM")];
    screen.keys("q");
    let end = screen.wait_exit();
    assert!(end.success(), "{end:?}");
    Run { first_rows, full_frame, reference, page, memory }
}

/// Presses PgDn until [`PAGES`] of them have moved the list; the median time that one takes.
fn scroll(screen: &mut Screen) -> Duration {
    let mut took = Vec::new();
    while took.len() < PAGES {
        let before = screen.look(place);
        let pressed = Instant::now();
        screen.keys("<PgDn>");
        // A press at the end of what is loaded so far moves nothing: it is made again.
        while pressed.elapsed() < Duration::from_secs(1) {
            if screen.look(place) != before {
                took.push(pressed.elapsed());
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    median(took)
}

fn reference(subject: &Subject) -> Duration {
    let (program, arguments) = &subject.reference;
    // Not a distribution's wrapper, which costs more than the program.
    let direct = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let direct = direct.map(|v| v.path().join("bin").join(program)).find(|p| p.exists());
    let mut command = Command::new(direct.unwrap_or_else(|| program.into()));
    command.args(arguments).env("PAGER", "cat").stdout(Stdio::piped());
    let begun = Instant::now();
    let output = command.output().unwrap();
    let took = begun.elapsed();
    let lines = output.stdout.iter().filter(|b| **b == b'\n').count();
    assert!(output.status.success() && lines >= 200, "{program} printed {lines} lines");
    took
}

fn line(subject: &Subject, runs: &[Run]) -> String {
    let of = |f: &dyn Fn(&Run) -> Duration| median(runs.iter().map(f).collect()).as_secs_f64() * 1000.0;
    let mib = |n: usize| median(runs.iter().map(|r| r.memory[n]).collect()) as f64 / 1024.0;
    let best = runs.iter().map(|r| r.full_frame).min().unwrap_or_default().as_secs_f64() * 1000.0;
    let (full, reference) = (of(&|r| r.full_frame), of(&|r| r.reference));
    format!(
        "| {} | {:.0} ms | {full:.0} ms | {best:.0} ms | {reference:.0} ms (`{}`) | {:.1} | {:.0} ms | {:.1} MiB | {:.1} MiB | {:.1} MiB |",
        subject.name,
        of(&|r| r.first_rows),
        subject.reference.0,
        full / reference,
        of(&|r| r.page),
        mib(0),
        mib(1),
        mib(2),
    )
}

fn median<T: Ord + Copy>(mut all: Vec<T>) -> T {
    all.sort_unstable();
    all[all.len() / 2]
}
