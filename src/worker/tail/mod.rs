//! The live tail: reads new rows, finds rows that committed late, and sends each row once.
//!
//! Called by the worker of the console and by the command `tail`. A poll reads the horizon (the database's clock and
//! open transactions), then the rows above the high-water mark, then the keys between the floor and that mark: a key
//! not seen before is a late row. Wake-ups (a notification, a commit counter) only make the next poll come sooner;
//! polling never stops, because notifications can get lost. A poll that fails is retried with back-off, and the tail
//! continues where it was. Nothing here may send a row twice, or end because of the database.

mod pace;
mod window;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::domain::event::RenewalEvent;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Cursor, Total};
use crate::protocol::tail::{
    Batch, Horizon, Start, TailAnswer, TailEvent, TailKey, TailNews, TailOrder, TailQuery, TailRows, TimeSlice,
};
use crate::protocol::{Answer, EventSource, Query, SourceError};

use pace::Pace;
use window::{Fresh, Window};

/// Rows of one read: a few screens, and little memory in the channel.
const ROWS: u32 = 500;
/// Rows of one read with whole error texts, which may be long.
const WHOLE_ROWS: u32 = 250;
/// Keys of one read.
const KEYS: u32 = 10_000;
/// How many reads of keys a new tail spends on rows dated in the future. A sweep compares the first read of them, so the
/// rest is far enough ahead.
const FUTURE_READS: usize = 10;
/// Rows fetched by id at once.
const PICK: usize = 200;
/// Once a single poll has sent this many rows to a screen, the rest of the backlog is skipped.
const BACKLOG: usize = 20_000;
/// Skipped rows are counted up to this many.
const COUNTED: u64 = 1_000_000;
/// Without a result for this long, the query is reported as slow.
const SLOW: Duration = Duration::from_secs(1);
/// Without a result for this long, the query is abandoned.
const DEAD: Duration = Duration::from_secs(10);

/// Follows the newest order until the sender of orders or the receiver of news is gone.
pub async fn run<S: EventSource, N: From<TailEvent>>(
    source: S,
    mut orders: watch::Receiver<Option<TailOrder>>,
    news: mpsc::Sender<N>,
    clock: fn() -> Instant,
) {
    while orders.changed().await.is_ok() {
        let order = orders.borrow_and_update().clone();
        let Some(order) = order else { continue };
        tokio::select! {
            // The loop takes the newer order.
            _ = orders.changed() => orders.mark_changed(),
            () = follow(&source, order, &news, clock) => return,
        }
    }
}

/// Follows one order until the receiver of news is gone.
pub async fn follow<S: EventSource, N: From<TailEvent>>(
    source: &S,
    order: TailOrder,
    news: &mpsc::Sender<N>,
    clock: fn() -> Instant,
) {
    let (offset, busy, pace) = (Span(0), Span(0), Pace::default());
    let mut tail = Tail { source, order, news, clock, window: None, offset, busy, pace };
    loop {
        match tail.poll().await {
            Ok(()) => {}
            Err(Stop::Receiver) => return,
            Err(Stop::Source(error)) => {
                let wait = tail.pace.failed((tail.clock)());
                let retry_in = Span(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
                let tries = tail.pace.failures();
                if tail.send(TailNews::Trouble { error, retry_in, tries }).await.is_err() {
                    return;
                }
                sleep(wait).await;
                continue;
            }
        }
        tail.wait().await;
    }
}

enum Stop {
    /// The receiver is gone.
    Receiver,
    Source(SourceError),
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

struct Tail<'a, S, N> {
    source: &'a S,
    order: TailOrder,
    news: &'a mpsc::Sender<N>,
    clock: fn() -> Instant,
    /// `None` before the first horizon.
    window: Option<Window>,
    /// How much the database's clock, as the table stores times, is ahead of the local one.
    offset: Span,
    /// How long the database was busy for the current step.
    busy: Span,
    pace: Pace,
}

impl<S: EventSource, N: From<TailEvent>> Tail<'_, S, N> {
    /// One round: new rows, and late rows if a sweep is due.
    async fn poll(&mut self) -> Result<(), Stop> {
        // Read before the rows: a commit in between changes it again.
        let version = self.source.changes();
        if self.pace.can_skip(version) {
            return Ok(());
        }
        let with_sweep = self.window.is_none() || self.pace.sweep_is_due((self.clock)());
        let horizon = if with_sweep { Some(self.horizon().await?) } else { None };
        match (&mut self.window, &horizon) {
            (None, Some(horizon)) => self.begin(horizon).await?,
            (Some(window), Some(horizon)) => window.renumber(horizon),
            _ => {}
        }
        if self.pace.take_failures() {
            self.send(TailNews::Resumed).await?;
        }
        self.read_on(horizon.as_ref()).await?;
        if let Some(horizon) = horizon {
            self.busy = Span(0);
            let late = self.sweep().await?;
            let Some(window) = &mut self.window else { return Ok(()) };
            window.settle(&horizon);
            let open = horizon.open.is_some_and(|open| open < horizon.now.minus(horizon.overlap));
            self.pace.swept((self.clock)(), self.busy, late || open);
        }
        if self.pace.must_report() {
            self.send_rows(Fresh::default()).await?;
        }
        self.pace.succeeded(version);
        Ok(())
    }

    /// Waits for a wake-up, or until the next poll is due.
    async fn wait(&mut self) {
        let wait = self.pace.wait((self.clock)());
        tokio::select! {
            () = self.source.notified() => self.pace.wake(),
            () = sleep(wait) => {}
        }
    }

    async fn begin(&mut self, horizon: &Horizon) -> Result<(), Stop> {
        let mut window = Window::new(self.order.start, horizon);
        self.mark_existing(&mut window, self.order.start).await?;
        self.window = Some(window);
        Ok(())
    }

    /// Marks the rows that already lie above the floor of a new window as sent.
    async fn mark_existing(&mut self, window: &mut Window, start: Start) -> Result<(), Stop> {
        for slice in window.existing(start) {
            let most = if is_future(&slice) { FUTURE_READS } else { usize::MAX };
            let mut slice = Some(slice);
            for _ in 0..most {
                let Some(part) = slice.take() else { break };
                let keys = self.keys(&part).await?;
                slice = beyond(&part, &keys);
                window.mark(&keys);
            }
        }
        Ok(())
    }

    /// Sends the rows above the high-water mark, to the end of the table.
    async fn read_on(&mut self, horizon: Option<&Horizon>) -> Result<(), Stop> {
        let mut sent = 0;
        loop {
            self.busy = Span(0);
            let now = self.now();
            let Some(window) = &self.window else { return Ok(()) };
            let limit = if self.order.whole { WHOLE_ROWS } else { ROWS };
            let (criteria, slice) = (self.order.criteria.clone(), window.head(now));
            let read = self.rows(TailQuery::Rows { criteria, slice, limit, whole: self.order.whole }).await?;
            let Some(window) = &mut self.window else { return Ok(()) };
            let fresh = window.take(read);
            let more = fresh.more;
            sent += fresh.rows.len();
            if !fresh.rows.is_empty() {
                self.pace.active((self.clock)());
                self.send_rows(fresh).await?;
            }
            if !more {
                let quiet = self.pace.quiet_after(self.busy);
                if let Some(window) = &mut self.window {
                    window.advance(now.minus(quiet), horizon);
                }
                return Ok(());
            }
            if sent > BACKLOG && !self.order.whole {
                return self.skip().await;
            }
        }
    }

    /// Skips a backlog that is too long for a screen, and reports its size.
    async fn skip(&mut self) -> Result<(), Stop> {
        let from = self.window.as_ref().and_then(Window::read_to);
        let horizon = self.horizon().await?;
        let mut criteria = self.order.criteria.clone();
        let check = Check::Time { from, until: None };
        criteria.all.push(Clause { negated: false, check });
        let query = Query::Count { criteria, ceiling: Some(COUNTED) };
        let Answer::Count(rows) = self.run(query).await? else { return Err(SourceError::other_kind().into()) };
        let mut window = Window::new(Start::Now, &horizon);
        if let Some(old) = self.window.take() {
            window = old;
            window.skip(&horizon);
        }
        self.mark_existing(&mut window, Start::Now).await?;
        self.window = Some(window);
        if rows != Total::Exact(0) {
            self.send(TailNews::Skipped(rows)).await?;
        }
        Ok(())
    }

    /// Compares keys and sends late rows. Returns whether there were any.
    async fn sweep(&mut self) -> Result<bool, Stop> {
        let now = self.now();
        let mut any = false;
        for slice in self.window.as_ref().map(|w| w.sweeps(now)).unwrap_or_default() {
            let mut slice = Some(slice);
            while let Some(part) = slice.take() {
                let keys = self.keys(&part).await?;
                // Rows dated in the future are compared up to the limit of one read: a table full of them must not be
                // read whole in each sweep.
                slice = if is_future(&part) { None } else { beyond(&part, &keys) };
                let ids = self.window.as_ref().map(|w| w.unseen(keys)).unwrap_or_default();
                for ids in ids.chunks(PICK) {
                    let (criteria, whole) = (self.order.criteria.clone(), self.order.whole);
                    let read = self.rows(TailQuery::Pick { criteria, ids: ids.to_vec(), whole }).await?;
                    let Some(window) = &mut self.window else { return Ok(any) };
                    let fresh = window.take_swept(read);
                    if !fresh.rows.is_empty() {
                        any = true;
                        self.pace.active((self.clock)());
                        self.send_rows(fresh).await?;
                    }
                }
            }
        }
        Ok(any)
    }

    /// The current time by the database's clock.
    fn now(&self) -> Instant {
        (self.clock)().plus(self.offset)
    }

    async fn horizon(&mut self) -> Result<Horizon, Stop> {
        match self.tail(TailQuery::Horizon).await? {
            TailAnswer::Horizon(horizon) => {
                self.offset = horizon.now.since((self.clock)()).unwrap_or(Span(0));
                Ok(horizon)
            }
            _ => Err(SourceError::other_kind().into()),
        }
    }

    async fn keys(&mut self, slice: &TimeSlice) -> Result<Vec<TailKey>, Stop> {
        let (criteria, slice) = (self.order.criteria.clone(), slice.clone());
        match self.tail(TailQuery::Keys { criteria, slice, limit: KEYS }).await? {
            TailAnswer::Keys(keys) => Ok(keys),
            _ => Err(SourceError::other_kind().into()),
        }
    }

    async fn rows(&mut self, query: TailQuery) -> Result<TailRows, Stop> {
        match self.tail(query).await? {
            TailAnswer::Rows(rows) => Ok(rows),
            _ => Err(SourceError::other_kind().into()),
        }
    }

    async fn tail(&mut self, query: TailQuery) -> Result<TailAnswer, Stop> {
        match self.run(Query::Tail(query)).await? {
            Answer::Tail(answer) => Ok(answer),
            _ => Err(SourceError::other_kind().into()),
        }
    }

    /// Runs a query, reports when it is slow, and gives up after [`DEAD`]: a dead link is silent and reports no error.
    async fn run(&mut self, query: Query) -> Result<Answer, Stop> {
        let source = self.source;
        let work = source.answer(&query, std::future::pending());
        tokio::pin!(work);
        let begun = (self.clock)();
        let tries = DEAD.as_secs() / SLOW.as_secs();
        for _ in 0..tries {
            match timeout(SLOW, &mut work).await {
                Ok(answer) => {
                    let took = (self.clock)().since(begun).unwrap_or(Span(0)).0.max(0);
                    self.busy = Span(self.busy.0.saturating_add(took));
                    return answer.map_err(Stop::Source);
                }
                Err(_) => {
                    let waited = (self.clock)().since(begun).unwrap_or(Span(0));
                    self.pace.mark_news();
                    self.send(TailNews::Slow(waited)).await?;
                }
            }
        }
        let why = format!("no answer for {} s", DEAD.as_secs());
        Err(Stop::Source(SourceError::Unreachable { address: "the database".into(), why: why.into() }))
    }

    async fn send_rows(&mut self, fresh: Fresh) -> Result<(), Stop> {
        let now = self.now();
        let Fresh { mut rows, late, newest, more } = fresh;
        rows.sort_by_key(|row: &Arc<RenewalEvent>| std::cmp::Reverse(row.cursor()));
        let lag = newest.and_then(|newest| now.since(newest)).map(|lag| lag.max(Span(0)));
        let window = self.window.as_ref().map(Window::guarantee).unwrap_or_default();
        self.send(TailNews::Batch(Batch { rows, late, lag, window, more })).await
    }

    async fn send(&self, news: TailNews) -> Result<(), Stop> {
        let event = TailEvent { generation: self.order.generation, news };
        self.news.send(N::from(event)).await.map_err(|_| Stop::Receiver)
    }
}

/// Whether a slice reaches from the present to the end of time.
const fn is_future(slice: &TimeSlice) -> bool {
    matches!(slice, TimeSlice::Time { until: None, .. })
}

/// The rest of a slice after a read of keys that reached its limit.
fn beyond(part: &TimeSlice, keys: &[TailKey]) -> Option<TimeSlice> {
    let TailKey { place, tie: id, .. } = keys.last().filter(|_| keys.len() >= KEYS as usize)?;
    Some(match part {
        TimeSlice::Serial { until, .. } => TimeSlice::Serial { after: *place, until: *until },
        TimeSlice::Time { from, until, .. } => {
            let after = Some(Cursor { at: Instant::from_pg_micros(*place), id: id.clone() });
            TimeSlice::Time { from: *from, after, until: *until }
        }
    })
}
