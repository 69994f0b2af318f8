//! `tail`: events as they come, oldest first, after those since a time, without gap or double between the two.
//!
//! The engine is that of the console (see [`crate::worker::tail`]); here its news become rows on stdout and words on
//! stderr. A reader that is slow makes the tail wait, and nothing is passed over.

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

/// Batches that may wait for the reader of stdout.
const WAITING: usize = 2;

/// Prints until it is interrupted, or until `--limit` rows are printed.
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
    // A tail never ends by itself, so it cannot wait for an empty result.
    values::tell_unknown(&session, config, 0).await;
    let start = since.map_or(Start::Now, |when| Start::At(when.at(clock::now(), zone)));
    let order = TailOrder { generation: 0, criteria: criteria(config).live(), start, whole: format != Format::Table };
    let (news, mut inbox) = mpsc::channel::<TailEvent>(WAITING);
    let source = session.source();
    let following = tokio::spawn(async move { follow(&source, order, &news, clock::now).await });
    let writer = RowWriter::new(stdout(), format, event::columns(format, zone), config.ascii);
    let mut printer =
        Printer { writer, format, zone, limit: config.limit.unwrap_or(u64::MAX), account: Account::default() };
    let ended = loop {
        tokio::select! {
            biased;
            () = interrupt.requested() => {
                printer.account.tell();
                // A JSON array is closed, so that what was printed can be read.
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

/// What was told, to be summed up at the end.
#[derive(Default)]
struct Account {
    told: u64,
    late: u64,
    window: Window,
    away: bool,
}

impl Account {
    fn tell(&self) {
        let (told, late) = (format::count(self.told), format::count(self.late));
        tell(&format!("told {told}, late {late}; {}", words(self.window)));
    }
}

/// What the tail is sure to find, in words.
fn words(window: Window) -> String {
    let time = |span: Span| format::span(span);
    match window {
        Window::Unknown => "the database has not answered yet".into(),
        Window::Every => "no row is lost: the database numbers them as they are committed".into(),
        Window::Open { longest, overlap } => format!(
            "no row is lost that the database dates itself and commits within {}, or a writer dates and commits within {}",
            time(longest),
            time(overlap)
        ),
        Window::Overlap(overlap) => format!(
            "no row is lost that is committed within {} of its time; open transactions cannot be seen here ('renewscope doctor' says why)",
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
    /// Whether the limit is reached.
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
            TailNews::Recovered => {
                self.account.away = false;
                tell("the database answers again; going on where it was");
                Ok(false)
            }
        }
    }

    /// `rows`: newest first.
    fn print(&mut self, rows: Vec<Arc<RenewalEvent>>) -> Result<bool, Failure> {
        for row in rows.into_iter().rev() {
            if self.account.told >= self.limit {
                break;
            }
            self.writer.row(&event::cells(self.format, self.zone, &row)).map_err(stdout_failed)?;
            self.account.told += 1;
        }
        self.writer.flush().map_err(stdout_failed)?;
        Ok(self.account.told >= self.limit)
    }

    /// What passes is waited for; what would be the same the next time ends the tail.
    fn trouble(&mut self, error: SourceError, retry_in: Span) -> Result<(), Failure> {
        if matches!(
            error,
            SourceError::Shape(_) | SourceError::Unfit(_) | SourceError::Invalid(_) | SourceError::Cancelled
        ) {
            return Err(error.into());
        }
        let wait = Duration::from_micros(u64::try_from(retry_in.0).unwrap_or(0)).as_secs_f64();
        if !self.account.away {
            tell(&format!("{error}; trying again until it answers"));
        }
        tracing::info!(%error, wait, "the tail tries again");
        self.account.away = true;
        Ok(())
    }

    fn finish(self) -> Result<(), Failure> {
        self.writer.finish().map(drop).map_err(stdout_failed)
    }
}
