//! Whether the console stays flat: every query and every command at a million events and more, on both databases,
//! each against a reference in the same run, on the same data.
//!
//! ```text
//! cargo bench --bench at_scale -- [--rows 1000000 [--rows 10000000]] [--only pages,panes,text,investigations,ingest,export,start,keys,idle,partitions,writes,binary]
//!                                 [--dir DIR] [--rounds 5] [--program PATH] [--databases postgres,sqlite]
//! ```
//!
//! The data sets are made by the databases themselves, 100,000 devices in 50 organizations of unequal size, and kept in
//! `--dir`; without it they are gone at the end. References: statements by hand through the same driver (the best of
//! the ways to write them), `COPY`, `psql`, `sqlite3`. Both sides take turns and the best of the rounds counts: what is
//! left of a machine's other work is in both. The table is Markdown; it says which targets are met.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beds;
#[allow(dead_code)]
#[path = "../common/by_hand.rs"]
mod by_hand;
#[allow(dead_code)]
#[path = "../common/data.rs"]
mod data;
mod investigations;
mod pages;
mod partitions;
#[allow(dead_code)]
#[path = "../../tests/common/pg.rs"]
mod pg;
mod programs;
#[path = "../../tests/common/pty.rs"]
mod pty;
#[path = "../common/screen.rs"]
mod screen;
mod table;

use std::path::PathBuf;

use beds::{Bed, Beds};
use pages::Pages;
use programs::Bench;
use table::{Table, Target, ms};

const SECTIONS: [&str; 12] = [
    "pages",
    "panes",
    "text",
    "investigations",
    "start",
    "idle",
    "keys",
    "export",
    "ingest",
    "writes",
    "partitions",
    "binary",
];

struct Options {
    rows: Vec<u64>,
    only: Vec<String>,
    databases: Vec<String>,
    dir: Option<PathBuf>,
    rounds: usize,
    program: String,
}

fn main() {
    // Built by `cargo test` too; only `cargo bench` runs the measurement.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let options = options();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut table = Table::default();
    runtime.block_on(measure(&options, &mut table));
    table.print();
}

fn options() -> Options {
    let mut options = Options {
        rows: Vec::new(),
        only: Vec::new(),
        databases: vec!["postgres".into(), "sqlite".into()],
        dir: None,
        rounds: 5,
        program: env!("CARGO_BIN_EXE_renewscope").to_owned(),
    };
    let mut words = std::env::args().skip(1);
    let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        match word.as_str() {
            "--rows" => options.rows.push(value().replace('_', "").parse().expect("a number of rows")),
            "--only" => options.only = list(value()),
            "--databases" => options.databases = list(value()),
            "--dir" => options.dir = Some(value().into()),
            "--rounds" => options.rounds = value().parse::<usize>().expect("a number of rounds").max(1),
            "--program" => options.program = value(),
            "--bench" => {}
            _ => {
                panic!("unknown option '{word}'; valid are --rows, --only, --databases, --dir, --rounds and --program")
            }
        }
    }
    if let Some(word) = options.only.iter().find(|w| !SECTIONS.contains(&w.as_str())) {
        panic!("unknown part '{word}'; valid are {}", SECTIONS.join(", "));
    }
    if options.rows.is_empty() {
        options.rows.push(1_000_000);
    }
    options
}

async fn measure(options: &Options, table: &mut Table) {
    let beds = Beds::open(options.dir.clone());
    let on = |name: &str| options.databases.iter().any(|d| d == name);
    let wants = |part: &str| options.only.is_empty() || options.only.iter().any(|p| p == part);
    let bench = Bench { program: options.program.clone(), beds: &beds, rounds: options.rounds };
    let mut sizes: Vec<Pages> = Vec::new();
    for rows in &options.rows {
        let mut sets: Vec<Bed> = Vec::new();
        if on("postgres") {
            sets.push(beds.postgres(*rows).await);
        }
        if on("sqlite") {
            sets.push(beds.sqlite(*rows).await);
        }
        for bed in &sets {
            table.note(format!("{}: {rows} events", bed.name));
            if wants("pages") {
                sizes.push(pages::pages(bed, options.rounds, table).await);
            }
            if wants("panes") {
                pages::panes(bed, options.rounds, table).await;
            }
            if wants("text") {
                pages::text(bed, options.rounds, table).await;
            }
            if wants("investigations") {
                investigations::investigations(bed, options.rounds, table).await;
            }
            if wants("start") {
                bench.start(bed, table).await;
            }
            if wants("idle") {
                bench.idle(bed, table).await;
            }
            if wants("export") {
                bench.export(bed, table).await;
            }
        }
        if let Some(bed) = sets.iter().find(|b| b.is_postgres() && wants("writes")) {
            partitions::writes(&beds, bed, table).await;
        }
        if let Some(bed) = sets.iter().find(|b| b.is_postgres() && wants("partitions")) {
            partitions::by_month(&beds, bed, options.rounds, table).await;
        }
        if rows == &options.rows[0] {
            for bed in &sets {
                if wants("ingest") {
                    bench.ingest(bed, table).await;
                }
                if wants("keys") {
                    bench.keys(bed.is_postgres(), table).await;
                }
            }
        }
    }
    growth(&sizes, table);
    if wants("binary") {
        binary(&options.program, table);
    }
}

/// What all first pages took together at one size against the smallest.
fn growth(sizes: &[Pages], table: &mut Table) {
    for larger in sizes {
        let Some(first) = sizes.iter().find(|s| s.bed == larger.bed && s.rows < larger.rows) else { continue };
        let what = format!("all first pages together, {} rows against {}", larger.rows, first.rows);
        table.line(larger.bed, &what, (ms(larger.first), "ms"), Some(ms(first.first)), Target::AtMost(1.3));
    }
}

/// The program's size. The build of `cargo bench` is neither stripped nor optimized over its crates: only another, given by
/// `--program`, is judged.
fn binary(program: &str, table: &mut Table) {
    let megabytes = std::fs::metadata(program).unwrap().len() as f64 / 1e6;
    let target = if program == env!("CARGO_BIN_EXE_renewscope") { Target::None } else { Target::Below(10.0) };
    table.line("–", "size of the program", (megabytes, "MB"), None, target);
}
