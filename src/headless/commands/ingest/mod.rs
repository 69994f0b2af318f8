//! `ingest`: stores events from NDJSON or CSV in batches, each event once.
//!
//! A batch is one transaction and a stored row counts as a duplicate, so a run that is killed at any moment and repeated
//! ends with the same rows. A bad row never fails its batch.

mod event;
pub(super) mod input;
mod records;
mod rejects;

use std::path::Path;
use std::time::{Duration, Instant as Moment};

use indicatif::ProgressBar;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::config::cli::{Ingest, InputFormat};
use crate::domain::event::NewEvent;
use crate::domain::text::Clean;
use crate::headless::commands::export::progress;
use crate::headless::failure::{Exit, Failure};
use crate::headless::session;
use crate::headless::session::Interrupt;
use crate::headless::tell;
use crate::protocol::SourceError;
use crate::store::{RowOutcome, Store};

use event::{Header, Ignored};
use input::Input;
use records::{Record, Records};
use rejects::Rejects;

/// Rows of the first transaction, and the most of any. Rows spread over the indexes, so a small transaction writes
/// nearly one page per row and index; in a large one, rows share pages.
const BATCH_ROWS: (usize, usize) = (1000, 32_000);
/// The bytes of input that end a batch early.
const BATCH_BYTES: usize = 16 << 20;
/// The time that a transaction aims at: other writers of a SQLite file wait for it, and so does an interrupt.
const BATCH_TIME: Duration = Duration::from_secs(1);

/// Reads all input and stores the valid rows. The last line on stderr is the count, also after a failure.
pub async fn ingest(config: &Config, args: &Ingest, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let input = input::open(&args.file, args.input_format, interrupt)?;
    let rejects = match &args.rejects {
        Some(path) if same_file(path, &args.file) => {
            return Err(Failure::Usage("--rejects names the input file; name another".to_owned()));
        }
        Some(path) => Rejects::in_file(path)?,
        None => Rejects::unkept(),
    };
    let store = tokio::select! {
        biased;
        () = interrupt.requested() => return Err(Failure::Interrupted),
        store = session::connect(config, session::to_write()) => store?,
    };
    let bar = progress("ingested");
    let mut run = Run {
        store,
        rejects,
        bar,
        batch: Batch::default(),
        in_flight: None,
        rows: BATCH_ROWS.0,
        stored: 0,
        duplicate: 0,
        ignored: Ignored::default(),
    };
    let done = run.all(input, interrupt).await;
    // A batch already being stored still counts, even if reading failed.
    let done = done.and(run.settle().await);
    run.bar.finish_and_clear();
    let done = done.and_then(|()| run.rejects.finish());
    run.store.close().await;
    run.ignored.tell();
    if let Err(failure) = &done {
        failure.lines().iter().for_each(|line| tell(line));
    }
    let rejected = run.rejects.count();
    // Without the program's name, because scripts read this line.
    eprint_line(&format!("ingested {}, duplicate {}, rejected {rejected}", run.stored, run.duplicate));
    match done {
        // Its messages are printed already, before the count.
        Err(failure) => Ok(failure.exit()),
        Ok(()) if rejected > 0 => Ok(Exit::Rejected),
        Ok(()) => Ok(Exit::Done),
    }
}

fn eprint_line(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Rows that wait for their transaction, each with its line number and its text.
#[derive(Default)]
struct Batch {
    events: Vec<NewEvent>,
    origins: Vec<(u64, Vec<u8>)>,
    bytes: usize,
}

/// A batch that is being stored while the next one is read.
struct InFlight {
    origins: Vec<(u64, Vec<u8>)>,
    /// The outcomes and the time that the transaction took.
    outcomes: JoinHandle<(Result<Vec<RowOutcome>, SourceError>, Duration)>,
}

struct Run {
    store: Store,
    rejects: Rejects,
    bar: ProgressBar,
    batch: Batch,
    in_flight: Option<InFlight>,
    /// How many rows the next transaction takes.
    rows: usize,
    stored: u64,
    duplicate: u64,
    ignored: Ignored,
}

impl Run {
    async fn all(&mut self, input: Input, interrupt: &Interrupt) -> Result<(), Failure> {
        let Input { name, format, reader } = input;
        let failed = |e: std::io::Error| match interrupt.is_requested() {
            true => Failure::Interrupted,
            false => Failure::Failed(format!("cannot read {name}: {e}")),
        };
        let mut records = Records::new(reader, format);
        let mut header = None;
        let mut buffer = Vec::new();
        loop {
            if interrupt.is_requested() {
                return Err(Failure::Interrupted);
            }
            let record = records.next(&mut buffer, &mut self.rejects).map_err(failed)?;
            let line = match record {
                Record::End => break,
                Record::Row { line } => line,
                Record::Bad { line, why } => {
                    self.rejects.refuse_kept(line, &why, &self.bar)?;
                    continue;
                }
            };
            let parsed = match (format, &header) {
                (InputFormat::Ndjson, _) => event::from_json(&buffer, &mut self.ignored),
                (InputFormat::Csv, Some(header)) => event::from_csv(header, &buffer),
                (InputFormat::Csv, None) => {
                    let read = Header::read(&buffer, &mut self.ignored);
                    header = Some(read.map_err(|why| Failure::Failed(format!("{name}: the header {why}")))?);
                    self.rejects.set_header(&buffer);
                    continue;
                }
            };
            match parsed {
                Ok(event) => self.add(event, line, &buffer).await?,
                Err(why) => self.rejects.refuse(line, &why, &buffer, &self.bar)?,
            }
        }
        self.store_batch().await?;
        self.settle().await
    }

    async fn add(&mut self, event: NewEvent, line: u64, raw: &[u8]) -> Result<(), Failure> {
        self.batch.events.push(event);
        self.batch.origins.push((line, if self.rejects.keeps() { raw.to_vec() } else { Vec::new() }));
        self.batch.bytes += raw.len();
        if self.batch.events.len() < self.rows && self.batch.bytes < BATCH_BYTES {
            return Ok(());
        }
        self.store_batch().await
    }

    /// Starts to store the batch, after the previous one is stored.
    async fn store_batch(&mut self) -> Result<(), Failure> {
        self.settle().await?;
        let Batch { events, origins, .. } = std::mem::take(&mut self.batch);
        if !events.is_empty() {
            let store = self.store.clone();
            let outcomes = tokio::spawn(async move {
                let begun = Moment::now();
                (store.create_many(&events).await, begun.elapsed())
            });
            self.in_flight = Some(InFlight { origins, outcomes });
        }
        Ok(())
    }

    /// Waits for the batch in flight and counts its rows.
    async fn settle(&mut self) -> Result<(), Failure> {
        let Some(InFlight { origins, outcomes }) = self.in_flight.take() else { return Ok(()) };
        let fault = |what: &str| SourceError::Failed(format!("{what}; this is a bug in renewscope"));
        let (outcomes, took) = outcomes.await.map_err(|_| fault("storing a batch ended too early"))?;
        let outcomes = outcomes?;
        if took > BATCH_TIME {
            self.rows = (self.rows / 2).max(BATCH_ROWS.0);
        } else if took < BATCH_TIME / 2 && origins.len() >= self.rows {
            self.rows = (self.rows * 2).min(BATCH_ROWS.1);
        }
        if outcomes.len() != origins.len() {
            return Err(fault("a batch lost rows").into());
        }
        for (outcome, (line, raw)) in outcomes.into_iter().zip(&origins) {
            match outcome {
                RowOutcome::Stored => self.stored += 1,
                RowOutcome::Duplicate => self.duplicate += 1,
                RowOutcome::Refused(why) => self.rejects.refuse(*line, &why, raw, &self.bar)?,
            }
        }
        self.bar.set_position(self.stored + self.duplicate);
        Ok(())
    }
}

/// A value of the input for a message: cleaned, quoted, and cut to 60 characters.
fn quoted(text: &str) -> String {
    let head: String = text.chars().take(60).collect();
    let more = if head.len() < text.len() { "…" } else { "" };
    format!("'{}{more}'", Clean::line(&head))
}
