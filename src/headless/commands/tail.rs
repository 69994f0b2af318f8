//! `tail`: prints the events since a time, then new events as they are committed, oldest first, each once.
//!
//! Called by the dispatch of commands. The engine is the console's (see [`crate::worker::tail`]); here its news become rows
//! on stdout and messages on stderr. A slow reader of stdout blocks the tail; no row is skipped.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::config::Config;
use crate::domain::event::RenewalEvent;
use crate::domain::format;
use crate::domain::instant::Span;
use crate::domain::when::When;
use crate::domain::zone::Zone;
use crate::headless::commands::list::criteria;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Format, RowWriter, event};
use crate::headless::session::{Interrupt, Session};
use crate::headless::{tell, values};
use crate::protocol::SourceError;
use crate::protocol::tail::{Start, TailEvent, TailNews, TailOrder, Window};
use crate::runtime::clock;
use crate::worker::tail::follow;

/// Batches that may wait for stdout.
const WAITING: usize = 2;

/// Prints until it is interrupted or has printed `--limit` rows.
pub async fn tail(
    config: &Config,
    format: Format,
    since: Option<&str>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let zone = &config.zone.value;
    let since = since.map(When::parse).transpose().map_err(|e| Failure::Usage(format!("--since: {e}")))?;
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    // A tail never ends by itself, so it cannot wait for an empty result; and its events do not wait for this.
    let (unknown, of) = (session.clone(), config.clone());
    tokio::spawn(async move { values::tell_unknown(&unknown, &of, 0).await });
    let start = since.map_or(Start::Now, |when| Start::At(when.at(clock::now(), zone)));
    let order = TailOrder { generation: 0, criteria: criteria(config).live(), start, whole: format != Format::Table };
    let (news, mut inbox) = mpsc::channel::<TailEvent>(WAITING);
    let source = session.source();
    let following = tokio::spawn(async move { follow(&source, order, &news, clock::now).await });
    let writer = RowWriter::new(stdout(), format, event::columns(format, zone), config.ascii);
    let mut printer =
        Printer { writer, format, zone, limit: config.limits.rows.unwrap_or(u64::MAX), account: Account::default() };
    let ended = loop {
        tokio::select! {
            biased;
            () = interrupt.requested() => {
                printer.account.report();
                // This closes a JSON array, so that the output can be parsed.
                break printer.finish().and(Err(Failure::Interrupted));
            }
            event = inbox.recv() => match event {
                Some(event) => match printer.take(event.news) {
                    Ok(true) => break printer.finish().map(|()| Exit::Done),
                    Ok(false) => {}
                    Err(failure) => break Err(failure),
                },
                None => break Err(Failure::Failed("the tail ended by itself; this is a fault of renewscope".into())),
            },
        }
    };
    following.abort();
    ended
}

/// What was printed, for the summary at the end.
#[derive(Default)]
struct Account {
    printed: u64,
    late: u64,
    window: Window,
    unreachable: bool,
}

impl Account {
    fn report(&self) {
        let (printed, late) = (format::count(self.printed), format::count(self.late));
        tell(&format!("{printed} printed, {late} late; {}", words(self.window)));
    }
}

/// The guarantee of the tail, in words.
fn words(window: Window) -> String {
    let time = |span: Span| format::span(span);
    match window {
        Window::Unknown => "the database has not answered yet".into(),
        Window::Every => "no row is lost: the database numbers rows in the order of their commits".into(),
        Window::Open { longest, overlap } => format!(
            "no row is lost whose created_at the database sets and that commits within {}, or whose writer sets it and that commits \
             within {}",
            time(longest),
            time(overlap)
        ),
        Window::Overlap(overlap) => format!(
            "no row is lost that commits within {} of its created_at; longer transactions are not visible here ('renewscope \
             doctor' says why)",
            time(overlap)
        ),
    }
}

struct Printer<'a, W: std::io::Write> {
    writer: RowWriter<W>,
    format: Format,
    zone: &'a Zone,
    limit: u64,
    account: Account,
}

impl<W: std::io::Write> Printer<'_, W> {
    /// Prints one piece of news. Returns whether the limit is reached.
    fn take(&mut self, news: TailNews) -> Result<bool, Failure> {
        match news {
            TailNews::Batch(batch) => {
                if self.account.window != batch.window {
                    self.account.window = batch.window;
                    tell(&words(batch.window));
                }
                self.account.late += batch.late;
                self.print(batch.rows)
            }
            TailNews::Skipped(_) | TailNews::Slow(_) => Ok(false),
            TailNews::Trouble { error, retry_in, .. } => self.trouble(error, retry_in).map(|()| false),
            TailNews::Resumed => {
                self.account.unreachable = false;
                tell("the database answers again; continuing where the tail was");
                Ok(false)
            }
        }
    }

    /// Prints rows, which come newest first. Returns whether the limit is reached.
    fn print(&mut self, rows: Vec<Arc<RenewalEvent>>) -> Result<bool, Failure> {
        for row in rows.into_iter().rev() {
            if self.account.printed >= self.limit {
                break;
            }
            self.writer.row(&event::cells(self.format, self.zone, &row)).map_err(stdout_failed)?;
            self.account.printed += 1;
        }
        self.writer.flush().map_err(stdout_failed)?;
        Ok(self.account.printed >= self.limit)
    }

    /// Reports an error that may pass, once until the next success. An error that every retry would repeat ends the tail.
    fn trouble(&mut self, error: SourceError, retry_in: Span) -> Result<(), Failure> {
        if matches!(
            error,
            SourceError::Shape(_) | SourceError::Unfit(_) | SourceError::Invalid(_) | SourceError::Cancelled
        ) {
            return Err(error.into());
        }
        let wait = Duration::from_micros(u64::try_from(retry_in.0).unwrap_or(0)).as_secs_f64();
        if !self.account.unreachable {
            tell(&format!("{error}; retrying"));
        }
        tracing::info!(%error, wait, "the tail tries again");
        self.account.unreachable = true;
        Ok(())
    }

    fn finish(self) -> Result<(), Failure> {
        self.writer.finish().map(drop).map_err(stdout_failed)
    }
}
