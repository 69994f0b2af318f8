//! The live tail: reads what is new, compares what may have come late, and tells each row once.
//!
//! A turn asks the database for its horizon, then for the rows beyond what was read, then for the keys between the
//! floor and there; a key that was not told is a row that committed late. Hints of the source (a notification, a
//! counter of commits) only make a turn come sooner: reading on a clock never stops. What fails is tried again, and the
//! tail goes on where it was.

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
    Batch, Horizon, Start, Stretch, TailAnswer, TailEvent, TailKey, TailNews, TailOrder, TailQuery, TailRows,
};
use crate::protocol::{Answer, EventSource, Query, SourceError};

use pace::Pace;
use window::{Fresh, Window};

/// Rows of one reading: a few frames of a screen, and little memory on the way to it.
const ROWS: u32 = 500;
/// Rows of one reading with whole errors, which may be long.
const WHOLE_ROWS: u32 = 250;
/// Keys of one reading.
const KEYS: u32 = 10_000;
/// Rows fetched by id at once.
const PICK: usize = 200;
/// A screen is this many rows behind in one turn: then the rest is passed over.
const BACKLOG: usize = 20_000;
/// Rows passed over are counted up to this many.
const COUNTED: u64 = 1_000_000;
/// Without an answer for this long, the reading is told to be slow.
const SLOW: Duration = Duration::from_secs(1);
/// Without an answer for this long, the connection is given up.
const DEAD: Duration = Duration::from_secs(10);

/// Follows the newest order until nobody gives or hears any more.
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
            // A newer order is waiting: the loop takes it.
            _ = orders.changed() => orders.mark_changed(),
            () = follow(&source, order, &news, clock) => return,
        }
    }
}

/// Follows one order until nobody hears any more.
pub async fn follow<S: EventSource, N: From<TailEvent>>(
    source: &S,
    order: TailOrder,
    news: &mpsc::Sender<N>,
    clock: fn() -> Instant,
) {
    let (offset, asked, pace) = (Span(0), Span(0), Pace::default());
    let mut tail = Tail { source, order, news, clock, window: None, offset, asked, pace };
    loop {
        match tail.turn().await {
            Ok(()) => {}
            Err(Stop::Unheard) => return,
            Err(Stop::Source(error)) => {
                let wait = tail.pace.failed((tail.clock)());
                let retry_in = Span(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
                let tries = tail.pace.failures();
                if tail.tell(TailNews::Trouble { error, retry_in, tries }).await.is_err() {
                    return;
                }
                sleep(wait).await;
                continue;
            }
        }
        tail.rest().await;
    }
}

enum Stop {
    /// The receiver is gone.
    Unheard,
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
    /// How much the database's clock, as the table stores times, is ahead of ours.
    offset: Span,
    /// How long the database took for what was asked of it.
    asked: Span,
    pace: Pace,
}

impl<S: EventSource, N: From<TailEvent>> Tail<'_, S, N> {
    /// One look at what is new.
    async fn turn(&mut self) -> Result<(), Stop> {
        // Asked before the rows: what is written in between moves it again.
        let version = self.source.changes();
        if self.pace.may_pass(version) {
            return Ok(());
        }
        let whole_turn = self.window.is_none() || self.pace.sweep_is_due((self.clock)());
        let horizon = if whole_turn { Some(self.horizon().await?) } else { None };
        match (&mut self.window, &horizon) {
            (None, Some(horizon)) => self.begin(horizon).await?,
            (Some(window), Some(horizon)) => window.renumber(horizon),
            _ => {}
        }
        if self.pace.has_recovered() {
            self.tell(TailNews::Recovered).await?;
        }
        self.read_on(horizon.as_ref()).await?;
        if let Some(horizon) = horizon {
            self.asked = Span(0);
            let late = self.sweep().await?;
            let Some(window) = &mut self.window else { return Ok(()) };
            window.settle(&horizon);
            let open = horizon.open.is_some_and(|open| open < horizon.now.minus(horizon.overlap));
            self.pace.swept((self.clock)(), self.asked, late || open);
        }
        if self.pace.is_quiet_news() {
            self.tell_rows(Fresh::default()).await?;
        }
        self.pace.succeeded(version);
        Ok(())
    }

    /// Waits for a hint, or until the next turn is due.
    async fn rest(&mut self) {
        let wait = self.pace.wait((self.clock)());
        tokio::select! {
            () = self.source.notified() => self.pace.hinted(),
            () = sleep(wait) => {}
        }
    }

    async fn begin(&mut self, horizon: &Horizon) -> Result<(), Stop> {
        let mut window = Window::new(self.order.start, horizon);
        let mut stretch = window.known(self.order.start);
        while let Some(part) = stretch.take() {
            let keys = self.keys(&part).await?;
            stretch = beyond(&part, &keys);
            window.mark(&keys);
        }
        self.window = Some(window);
        Ok(())
    }

    /// Tells what lies beyond what was read, to its end.
    async fn read_on(&mut self, horizon: Option<&Horizon>) -> Result<(), Stop> {
        let mut told = 0;
        loop {
            self.asked = Span(0);
            let now = self.now();
            let Some(window) = &self.window else { return Ok(()) };
            let limit = if self.order.whole { WHOLE_ROWS } else { ROWS };
            let (criteria, stretch) = (self.order.criteria.clone(), window.head(now));
            let read = self.rows(TailQuery::Rows { criteria, stretch, limit, whole: self.order.whole }).await?;
            let Some(window) = &mut self.window else { return Ok(()) };
            let fresh = window.take(read);
            let more = fresh.more;
            told += fresh.rows.len();
            if !fresh.rows.is_empty() {
                self.pace.active((self.clock)());
                self.tell_rows(fresh).await?;
            }
            if !more {
                let quiet = self.pace.quiet_after(self.asked);
                if let Some(window) = &mut self.window {
                    window.advance(now.minus(quiet), horizon);
                }
                return Ok(());
            }
            if told > BACKLOG && !self.order.whole {
                return self.skip().await;
            }
        }
    }

    /// Passes over a backlog that no screen can show, and says how much it was.
    async fn skip(&mut self) -> Result<(), Stop> {
        let from = self.window.as_ref().and_then(Window::told_to);
        let horizon = self.horizon().await?;
        let mut criteria = self.order.criteria.clone();
        let check = Check::Time { from, until: None };
        criteria.all.push(Clause { negated: false, check });
        let query = Query::Count { criteria, ceiling: Some(COUNTED) };
        let Answer::Count(rows) = self.ask(query).await? else { return Err(misfit().into()) };
        let mut window = Window::new(Start::Now, &horizon);
        if let Some(old) = self.window.take() {
            window = old;
            window.skip(&horizon);
        }
        let mut stretch = window.known(Start::Now);
        while let Some(part) = stretch.take() {
            let keys = self.keys(&part).await?;
            stretch = beyond(&part, &keys);
            window.mark(&keys);
        }
        self.window = Some(window);
        if rows != Total::Exact(0) {
            self.tell(TailNews::Skipped(rows)).await?;
        }
        Ok(())
    }

    /// Compares keys, and tells the rows that came late. Whether there were any.
    async fn sweep(&mut self) -> Result<bool, Stop> {
        let now = self.now();
        let mut any = false;
        for stretch in self.window.as_ref().map(|w| w.sweeps(now)).unwrap_or_default() {
            let mut stretch = Some(stretch);
            while let Some(part) = stretch.take() {
                let keys = self.keys(&part).await?;
                // What lies far in the future is compared as far as one reading goes: a table full of it must not cost
                // a reading of all of it every time.
                let ahead = matches!(part, Stretch::Time { until: None, .. });
                stretch = if ahead { None } else { beyond(&part, &keys) };
                let ids = self.window.as_ref().map(|w| w.unseen(keys)).unwrap_or_default();
                for ids in ids.chunks(PICK) {
                    let (criteria, whole) = (self.order.criteria.clone(), self.order.whole);
                    let read = self.rows(TailQuery::Pick { criteria, ids: ids.to_vec(), whole }).await?;
                    let Some(window) = &mut self.window else { return Ok(any) };
                    let fresh = window.take_swept(read);
                    if !fresh.rows.is_empty() {
                        any = true;
                        self.pace.active((self.clock)());
                        self.tell_rows(fresh).await?;
                    }
                }
            }
        }
        Ok(any)
    }

    /// The time now, by the database's clock.
    fn now(&self) -> Instant {
        (self.clock)().plus(self.offset)
    }

    async fn horizon(&mut self) -> Result<Horizon, Stop> {
        match self.tail(TailQuery::Horizon).await? {
            TailAnswer::Horizon(horizon) => {
                self.offset = horizon.now.since((self.clock)()).unwrap_or(Span(0));
                Ok(horizon)
            }
            _ => Err(misfit().into()),
        }
    }

    async fn keys(&mut self, stretch: &Stretch) -> Result<Vec<TailKey>, Stop> {
        let (criteria, stretch) = (self.order.criteria.clone(), stretch.clone());
        match self.tail(TailQuery::Keys { criteria, stretch, limit: KEYS }).await? {
            TailAnswer::Keys(keys) => Ok(keys),
            _ => Err(misfit().into()),
        }
    }

    async fn rows(&mut self, query: TailQuery) -> Result<TailRows, Stop> {
        match self.tail(query).await? {
            TailAnswer::Rows(rows) => Ok(rows),
            _ => Err(misfit().into()),
        }
    }

    async fn tail(&mut self, query: TailQuery) -> Result<TailAnswer, Stop> {
        match self.ask(Query::Tail(query)).await? {
            Answer::Tail(answer) => Ok(answer),
            _ => Err(misfit().into()),
        }
    }

    /// Asks, says so when it takes long, and gives up in the end: a link that is silent does not tell that it is dead.
    async fn ask(&mut self, query: Query) -> Result<Answer, Stop> {
        let source = self.source;
        let work = source.answer(&query, std::future::pending());
        tokio::pin!(work);
        let begun = (self.clock)();
        let tries = DEAD.as_secs() / SLOW.as_secs();
        for _ in 0..tries {
            match timeout(SLOW, &mut work).await {
                Ok(answer) => {
                    let took = (self.clock)().since(begun).unwrap_or(Span(0)).0.max(0);
                    self.asked = Span(self.asked.0.saturating_add(took));
                    return answer.map_err(Stop::Source);
                }
                Err(_) => {
                    let waited = (self.clock)().since(begun).unwrap_or(Span(0));
                    self.pace.mark_news();
                    self.tell(TailNews::Slow(waited)).await?;
                }
            }
        }
        let why = format!("no answer for {} s", DEAD.as_secs());
        Err(Stop::Source(SourceError::Unreachable { address: "the database".into(), why: why.into() }))
    }

    async fn tell_rows(&mut self, fresh: Fresh) -> Result<(), Stop> {
        let now = self.now();
        let Fresh { mut rows, late, newest, more } = fresh;
        rows.sort_by_key(|row: &Arc<RenewalEvent>| std::cmp::Reverse(row.cursor()));
        let lag = newest.and_then(|newest| now.since(newest)).map(|lag| lag.max(Span(0)));
        let window = self.window.as_ref().map(Window::reach).unwrap_or_default();
        self.tell(TailNews::Batch(Batch { rows, late, lag, window, more })).await
    }

    async fn tell(&self, news: TailNews) -> Result<(), Stop> {
        let event = TailEvent { generation: self.order.generation, news };
        self.news.send(N::from(event)).await.map_err(|_| Stop::Unheard)
    }
}

fn misfit() -> SourceError {
    SourceError::Failed("the answer does not fit the question".into())
}

/// What is left of a stretch behind a full reading of keys.
fn beyond(part: &Stretch, keys: &[TailKey]) -> Option<Stretch> {
    let TailKey { place, tie: id, .. } = keys.last().filter(|_| keys.len() >= KEYS as usize)?;
    Some(match part {
        Stretch::Serial { until, .. } => Stretch::Serial { after: *place, until: *until },
        Stretch::Time { from, until, .. } => {
            let after = Some(Cursor { at: Instant::from_pg_micros(*place), id: id.clone() });
            Stretch::Time { from: *from, after, until: *until }
        }
    })
}
