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
use crate::headless::session::{Interrupt, Session, report_unreadable};
use crate::headless::{tell, values};
use crate::protocol::tail::{Start, TailEvent, TailNews, TailOrder, Window};
use crate::protocol::{Answer, Query, SourceError};
use crate::runtime::clock;
use crate::worker::tail::follow;

/// How often to check whether the reader of stdout has closed it: without rows, no write would notice.
const READER: Duration = Duration::from_millis(250);
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
    if let Ok(Answer::Described(source)) = session.run(Query::Describe).await {
        report_unreadable(source.unreadable);
    }
    let start = since.map_or(Start::Now, |when| Start::At(when.at(clock::now(), zone)));
    let order = TailOrder { generation: 0, criteria: criteria(config).live(), start, whole: format != Format::Table };
    let (news, mut inbox) = mpsc::channel::<TailEvent>(WAITING);
    let source = session.source();
    let following = tokio::spawn(async move { follow(&source, order, &news, clock::now).await });
    let writer = RowWriter::new(stdout(), format, event::columns(format, zone), config.ascii);
    let mut printer =
        Printer { writer, format, zone, limit: config.limits.rows.unwrap_or(u64::MAX), account: Account::default() };
    let mut reader = tokio::time::interval(READER);
    let ended = loop {
        tokio::select! {
            biased;
            () = interrupt.requested() => {
                printer.account.report();
                break printer.close(Failure::Interrupted);
            }
            event = inbox.recv() => match event {
                Some(event) => match printer.take(event.news) {
                    Ok(true) => break printer.finish().map(|()| Exit::Done),
                    Ok(false) => {}
                    Err(failure) => break printer.close(failure),
                },
                None => {
                    let why = "the tail ended by itself; this is a bug in renewscope";
                    break printer.close(Failure::Failed(why.to_owned()));
                }
            },
            _ = reader.tick() => {
                if is_closed(&std::io::stdout()) {
                    break Err(Failure::ReaderLeft);
                }
            }
        }
    };
    following.abort();
    ended
}

/// Whether the other end of a pipe or a socket is closed. Files and terminals have no other end.
fn is_closed(out: &std::io::Stdout) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut polled = [PollFd::new(out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let ended = PollFlags::ERR | PollFlags::HUP;
    poll(&mut polled, Some(&now)).is_ok_and(|n| n > 0) && polled.iter().any(|fd| fd.revents().intersects(ended))
}

/// What was printed, for the summary at the end.
#[derive(Default)]
struct Account {
    printed: u64,
    late: u64,
    window: Window,
    /// The error reported last, until the next success.
    trouble: Option<String>,
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
            "no row is lost that the database dates and commits within {}, or that its writer dates and commits within {}",
            time(longest),
            time(overlap)
        ),
        Window::Overlap(overlap) => format!(
            "no row is lost that appears within {} of its created_at; some transactions are not visible here (see \
             'renewscope doctor')",
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
                self.account.trouble = None;
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

    /// Reports an error, once until the next success or another error. The tail retries. Before its first success it ends,
    /// if every retry would fail with the same error.
    fn trouble(&mut self, error: SourceError, retry_in: Span) -> Result<(), Failure> {
        let lasts = matches!(error, SourceError::Shape(_) | SourceError::Unfit(_) | SourceError::Invalid(_));
        if lasts && self.account.window == Window::Unknown {
            return Err(error.into());
        }
        let wait = Duration::from_micros(u64::try_from(retry_in.0).unwrap_or(0)).as_secs_f64();
        tracing::info!(%error, wait, "the tail retries");
        let words = error.to_string();
        if self.account.trouble.as_ref() != Some(&words) {
            tell(&format!("{words}; retrying"));
        }
        self.account.trouble = Some(words);
        Ok(())
    }

    /// Ends with a failure. A JSON array is closed first, so that the output can be parsed.
    fn close(self, failure: Failure) -> Result<Exit, Failure> {
        match failure {
            Failure::ReaderLeft => Err(failure),
            failure => self.finish().and(Err(failure)),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        self.writer.finish().map(drop).map_err(stdout_failed)
    }
}
