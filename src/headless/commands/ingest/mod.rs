//! `ingest`: stores events from NDJSON or CSV in batches, each event once.
//!
//! A batch is one transaction and a stored row counts as a duplicate, so a run that is killed at any moment and repeated
//! ends with the same rows. A bad row never fails its batch.

mod csv;
mod event;
pub(super) mod input;
mod records;
mod rejects;

use std::path::Path;
use std::time::{Duration, Instant as Moment};

use indicatif::ProgressBar;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::config::cli::Ingest;
use crate::domain::event::NewEvent;
use crate::domain::text::Clean;
use crate::headless::commands::export::progress;
use crate::headless::failure::{Exit, Failure};
use crate::headless::session;
use crate::headless::session::Interrupt;
use crate::headless::tell;
use crate::protocol::SourceError;
use crate::store::{RowOutcome, Store};

use csv::{Dialect, Header};
use event::Ignored;
use input::Input;
use records::{Record, Records, Shape};
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
        dialect: None,
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

/// Prints a line on stderr. A closed stderr is no error.
fn eprint_line(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether two paths lead to one file, which then must not be read and replaced at once.
fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Rows that wait for their transaction, each with its line number and its text.
#[derive(Default)]
struct Batch {
    events: Vec<NewEvent>,
    /// For each event its line number, and its record if rejects are copied.
    origins: Vec<(u64, Vec<u8>)>,
    /// The bytes of all records of the batch.
    bytes: usize,
}

/// A batch that is being stored while the next one is read.
struct InFlight {
    origins: Vec<(u64, Vec<u8>)>,
    /// The outcomes and the time that the transaction took.
    outcomes: JoinHandle<(Result<Vec<RowOutcome>, SourceError>, Duration)>,
}

/// One run: the batch being read, the one being stored, and the counts.
struct Run {
    store: Store,
    rejects: Rejects,
    /// The running count on stderr.
    bar: ProgressBar,
    /// The batch that is being read.
    batch: Batch,
    /// The batch that is being stored.
    in_flight: Option<InFlight>,
    /// How many rows the next transaction takes.
    rows: usize,
    /// Rows that were new.
    stored: u64,
    /// Rows that were stored already.
    duplicate: u64,
    ignored: Ignored,
    /// The dialect that the input itself names.
    dialect: Option<Dialect>,
}

impl Run {
    /// Reads all records and stores their events. A failed read ends it after what came before is stored.
    async fn all(&mut self, input: Input, interrupt: &Interrupt) -> Result<(), Failure> {
        let Input { name, shape, end, reader } = input;
        let failed = |e: std::io::Error| match interrupt.is_requested() {
            true => Failure::Interrupted,
            false => Failure::Failed(format!("cannot read {name}: {e}")),
        };
        let mut records = Records::new(reader, shape, end);
        let mut header = None;
        let mut buffer = Vec::new();
        let ended = loop {
            if interrupt.is_requested() {
                return Err(Failure::Interrupted);
            }
            let line = match records.next(&mut buffer, &mut self.rejects).map_err(failed) {
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                // What came before the end of a file that is cut off is complete.
                Err(failure) => break Err(failure),
                Ok(Record::End) => break Ok(()),
                Ok(Record::Row { line }) => line,
                Ok(Record::Bad { line, why }) => {
                    self.rejects.refuse_kept(line, &why, &self.bar)?;
                    continue;
                }
            };
            let parsed = match (shape, &header) {
                (Shape::Lines | Shape::Pretty, _) => event::from_json(&buffer, &mut self.ignored),
                (Shape::Csv(_), Some(header)) => vec![event::from_csv(header, &buffer)],
                (Shape::Csv(_), None) => {
                    let read = self.header(&mut records, &buffer);
                    header = read.map_err(|why| Failure::Failed(format!("{name}: the header {why}")))?;
                    continue;
                }
            };
            let torn = parsed.len() > 1;
            for parsed in parsed {
                match parsed {
                    Ok(event) => self.add(event, line, &buffer).await?,
                    Err(why) if torn => {
                        self.rejects.refuse(line, &format!("{why}, after other objects"), &buffer, &self.bar)?
                    }
                    Err(why) => self.rejects.refuse(line, &why, &buffer, &self.bar)?,
                }
            }
        };
        self.store_batch().await?;
        self.settle().await?;
        ended
    }

    /// Reads the first record of a CSV: the header, or a line `sep=;` before it (`None`).
    fn header<R: std::io::BufRead>(
        &mut self,
        records: &mut Records<R>,
        record: &[u8],
    ) -> Result<Option<Header>, String> {
        let text = std::str::from_utf8(record).map_err(|_| "is not UTF-8")?;
        if let Some(named) = Dialect::named(text) {
            records.set_dialect(named);
            self.dialect = Some(named);
            return Ok(None);
        }
        let dialect = self.dialect.map_or_else(|| Dialect::of_header(text), |named| named.with_padding_of(text));
        records.set_dialect(dialect);
        self.rejects.set_header(record);
        Header::read(record, dialect, &mut self.ignored).map(Some)
    }

    /// Adds an event to the batch, and stores the batch if it is full. `raw` is the record it was read from.
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
