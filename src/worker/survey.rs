//! The survey of a range: its rows once, then again those that are recent, and what failed before it.
//!
//! The rows of the range are folded oldest first. What is older than the tail's usual overlap is kept as a checkpoint; what
//! is younger is read again at every look and folded from a copy of it, so that rows that are committed late come right.
//! Between two statements it rests three times as long as the database worked.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant as Moment, sleep, sleep_until};

use crate::domain::attempt::Begins;
use crate::domain::event::{Id, Outcome, RenewalEvent};
use crate::domain::filter::Bounds;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Cursor, Total};
use crate::domain::survey::{LookBack, Scope, Survey, SurveyRange};
use crate::protocol::fleet::{Slice, SliceQuery};
use crate::protocol::survey::{Reach, SurveyNews, SurveyOrder, Surveyed};
use crate::protocol::{Answer, EventSource, Query, SourceError};

use super::News;
use super::listed::Attempts;
use super::rest::Rest;

/// Rows of the first statement, and of the largest.
const FIRST: u32 = 500;
const LARGEST: u32 = 2000;
/// While the range is read, the screen gets a view this often.
const TELL: Duration = Duration::from_millis(300);
/// Recent rows are read again this often.
const LOOK: Duration = Duration::from_secs(10);
/// Rows younger than this can still be joined by late ones.
const RECENT: Span = Span::minutes(5);
/// After a failure, the next try follows after this long.
const RETRY: Duration = Duration::from_secs(5);

/// Follows the newest order until the sender of orders or the receiver of news is gone.
pub async fn run<S: EventSource>(
    source: S,
    mut orders: watch::Receiver<Option<SurveyOrder>>,
    news: mpsc::Sender<News>,
    clock: fn() -> Instant,
) {
    let mut before = None;
    while orders.changed().await.is_ok() {
        let order = orders.borrow_and_update().clone();
        let Some(order) = order else { continue };
        tokio::select! {
            // The loop takes the newer order.
            _ = orders.changed() => orders.mark_changed(),
            () = follow(Work::new(&source, &order, &news, clock), &mut before) => return,
        }
    }
}

/// Follows one order until the receiver of news is gone.
async fn follow<S: EventSource>(mut work: Work<'_, S>, before: &mut Option<Before>) {
    loop {
        match work.run(before).await {
            Ok(()) | Err(Stop::Receiver) => return,
            Err(Stop::Source(error)) => {
                let unfit = matches!(error, SourceError::Unfit(_) | SourceError::Shape(_));
                let failed = SurveyNews { generation: work.order.generation, outcome: Err(error) };
                if work.news.send(News::Survey(failed)).await.is_err() {
                    return;
                }
                // What the source does not record it will not record in a moment either.
                sleep(if unfit { RETRY * 12 } else { RETRY }).await;
            }
        }
    }
}

/// What failed before the range of an earlier order. A range that moves on is surveyed every few minutes, and what lies a month
/// before it is then not read again.
struct Before {
    /// The rows that were read, without their times.
    rows: Criteria,
    /// Where they end.
    until: Instant,
    found: Arc<LookBack>,
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

/// One survey that goes on.
struct Work<'a, S> {
    source: &'a S,
    order: &'a SurveyOrder,
    news: &'a mpsc::Sender<News>,
    clock: fn() -> Instant,
    scope: Scope,
    /// Whether every row of the range counts; else those that the whole filter finds.
    counts_all: bool,
    /// How much the database's clock is ahead of ours.
    ahead: Span,
    /// Where the range begins: that of the order, or later where the range has too many rows.
    from: Option<Instant>,
    cut: Option<Instant>,
    look_back: Option<Arc<LookBack>>,
    rest: Rest,
    sent: Option<Moment>,
}

/// What has been counted: a survey, and the attempts for the list.
#[derive(Clone)]
struct Counted {
    survey: Survey,
    attempts: Attempts,
}

impl Counted {
    fn add(&mut self, event: &RenewalEvent, selected: bool) {
        if selected || event.outcome() != Outcome::Failed {
            self.survey.add(event);
        } else {
            self.survey.add_other(event);
        }
        self.attempts.add(event, selected);
    }
}

impl<'a, S: EventSource> Work<'a, S> {
    fn new(source: &'a S, order: &'a SurveyOrder, news: &'a mpsc::Sender<News>, clock: fn() -> Instant) -> Self {
        Self {
            source,
            order,
            news,
            clock,
            scope: Scope::of(order.criteria.clone(), Bounds { from: order.from, until: order.until }),
            counts_all: order.criteria.all.iter().all(|clause| {
                matches!(clause.check, Check::Org(_) | Check::Device(_) | Check::Time { .. } | Check::NotAhead(_))
            }),
            ahead: Span(0),
            from: order.from,
            cut: None,
            look_back: None,
            rest: Rest::new(FIRST, LARGEST),
            sent: None,
        }
    }

    /// Reads the range, then what came before it, then again and again what is recent.
    async fn run(&mut self, before: &mut Option<Before>) -> Result<(), Stop> {
        (self.from, self.cut) = (self.order.from, None);
        self.set_clock().await?;
        self.fit().await?;
        self.extend(before).await?;
        let begins = if self.from.is_some() { Begins::WithinTable } else { Begins::WithTable };
        let range = SurveyRange { from: self.from, until: self.order.until, now: self.now(), begins };
        let mut kept = Counted { survey: Survey::new(range), attempts: Attempts::new(range, self.counts_all) };
        // The attempts that were open when the range began.
        let patience = self.order.patience.renewal.max(self.order.patience.recovery);
        let context = self.from.map(|from| from.minus(patience));
        let mut settled = self.settled();
        self.read(&mut kept, Bounds { from: context, until: Some(settled) }, true).await?;
        loop {
            let mut whole = kept.clone();
            self.read(&mut whole, Bounds { from: Some(settled), until: self.order.until }, false).await?;
            self.tell(&mut whole, Some(1.0), true).await?;
            if self.look_back.is_none() {
                self.look_back = self.look_back().await?;
                self.tell(&mut whole, Some(1.0), true).await?;
                *before = self.before();
            }
            drop(whole);
            if self.order.until.is_some_and(|until| until <= settled) {
                // Nothing more comes: the task waits to be replaced.
                return std::future::pending().await;
            }
            sleep(LOOK).await;
            let next = self.settled();
            if next > settled {
                self.read(&mut kept, Bounds { from: Some(settled), until: Some(next) }, false).await?;
                settled = next;
            }
        }
    }

    /// The end of the rows that no late row can join any more.
    fn settled(&self) -> Instant {
        let recent = self.now().minus(RECENT);
        self.order.until.map_or(recent, |until| until.min(recent)).max(self.from.unwrap_or(Instant::NEG_INFINITY))
    }

    /// The database's time.
    fn now(&self) -> Instant {
        (self.clock)().plus(self.ahead)
    }

    async fn set_clock(&mut self) -> Result<(), Stop> {
        match self.source.answer(&Query::Clock, std::future::pending()).await? {
            Answer::Clock(now) => self.ahead = now.since((self.clock)()).unwrap_or_default(),
            _ => return Err(SourceError::other_kind().into()),
        }
        Ok(())
    }

    /// Moves the beginning of the range, where it has more rows than the order allows.
    async fn fit(&mut self) -> Result<(), Stop> {
        let (mut low, high) = (self.from, self.order.until.unwrap_or_else(|| self.now()));
        if self.has_at_most(low).await? {
            return Ok(());
        }
        // The beginning is sought between a time with too many rows and one with few enough.
        let mut late = high;
        let mut span = low.and_then(|low| high.since(low)).unwrap_or(Span::days(400));
        for _ in 0..24 {
            span = Span(span.0 / 2);
            let middle = late.minus(span);
            if span < Span::minutes(1) {
                break;
            }
            if self.has_at_most(Some(middle)).await? {
                late = middle;
            } else {
                low = Some(middle);
            }
            span = low.and_then(|low| late.since(low)).unwrap_or(span);
        }
        (self.from, self.cut) = (Some(late), Some(late));
        Ok(())
    }

    /// Whether the range from there on has no more rows than the order allows.
    async fn has_at_most(&self, from: Option<Instant>) -> Result<bool, Stop> {
        let criteria = self.between(from, self.order.until);
        let query = Query::Count { criteria, ceiling: Some(self.order.most) };
        match self.source.answer(&query, std::future::pending()).await? {
            Answer::Count(Total::Exact(_)) => Ok(true),
            Answer::Count(Total::AtLeast(_)) => Ok(false),
            _ => Err(SourceError::other_kind().into()),
        }
    }

    /// The rows to read of a range of times.
    fn between(&self, from: Option<Instant>, until: Option<Instant>) -> Criteria {
        let mut scope = self.scope.clone();
        scope.bounds = Bounds { from, until };
        scope.reading(Span(0))
    }

    /// Those rows of a page that the whole filter finds; `None`: all.
    async fn selected(&mut self, rows: &[Arc<RenewalEvent>]) -> Result<Option<HashSet<Id>>, Stop> {
        let (Some(first), Some(last), false) = (rows.first(), rows.last(), self.counts_all) else { return Ok(None) };
        let mut criteria = self.order.criteria.clone();
        let until = Some(last.created_at.plus(Span(1)));
        criteria.all.push(Clause { negated: false, check: Check::Time { from: Some(first.created_at), until } });
        let (mut found, mut after) = (HashSet::new(), None);
        loop {
            let slice = self.slice(&criteria, after).await?;
            found.extend(slice.rows.iter().map(|row| row.id.clone()));
            match slice.next {
                Some(next) => after = Some(next),
                None => return Ok(Some(found)),
            }
        }
    }

    /// Adds the rows of a range, oldest first. With `tell`, says in between how far it is.
    async fn read(&mut self, counted: &mut Counted, times: Bounds, tell: bool) -> Result<(), Stop> {
        let criteria = self.between(times.from, times.until);
        let mut after: Option<Cursor> = None;
        loop {
            let Slice { rows, next, .. } = self.slice(&criteria, after).await?;
            let selected = self.selected(&rows).await?;
            let counts = |row: &RenewalEvent| selected.as_ref().is_none_or(|ids| ids.contains(&row.id));
            rows.iter().for_each(|row| counted.add(row, counts(row)));
            let Some(next) = next else { return Ok(()) };
            if tell && self.sent.is_none_or(|sent| sent.elapsed() >= TELL) {
                let part = rows.last().and_then(|row| self.part(row.created_at));
                self.tell(counted, part, false).await?;
            }
            after = Some(next);
            sleep_until(self.rest.until()).await;
        }
    }

    /// The part of the range that lies before an instant.
    fn part(&self, at: Instant) -> Option<f64> {
        let from = self.from?;
        let whole = self.order.until.unwrap_or_else(|| self.now()).since(from)?;
        Some((at.since(from)?.0 as f64 / whole.0.max(1) as f64).clamp(0.0, 1.0))
    }

    /// One page, and how long the database worked for it.
    async fn slice(&mut self, criteria: &Criteria, after: Option<Cursor>) -> Result<Slice, Stop> {
        let query = Query::Slice(SliceQuery { criteria: criteria.clone(), after, limit: self.rest.size() });
        let begun = Moment::now();
        let answer = self.source.answer(&query, std::future::pending()).await?;
        self.rest.worked(begun.elapsed());
        match answer {
            Answer::Slice(slice) => Ok(slice),
            _ => Err(SourceError::other_kind().into()),
        }
    }

    /// What failed before the range, as far back as it decides what is new. `None` where nothing lies before it.
    async fn look_back(&mut self) -> Result<Option<Arc<LookBack>>, Stop> {
        let mut found = LookBack::default();
        let reach = LookBack::reach(self.length());
        Ok(self.add_before(&mut found, reach).await?.then(|| Arc::new(found)))
    }

    /// Takes over what failed before an earlier range, if only its end has moved on since, and adds what lies between.
    async fn extend(&mut self, before: &mut Option<Before>) -> Result<(), Stop> {
        let Some((before, from)) = before.as_mut().zip(self.from) else { return Ok(()) };
        let moved = from.since(before.until).filter(|moved| moved.0 >= 0);
        let few = |moved: &Span| moved.0 <= LookBack::reach(self.length()).0 / 20;
        let Some(moved) = moved.filter(|moved| few(moved) && before.rows == self.between(None, None).live()) else {
            return Ok(());
        };
        let mut found = LookBack::clone(&before.found);
        self.add_before(&mut found, moved).await?;
        (before.until, before.found) = (from, Arc::new(found));
        self.look_back = Some(Arc::clone(&before.found));
        Ok(())
    }

    /// What this order leaves to the next one.
    fn before(&self) -> Option<Before> {
        let (until, found) = (self.from?, self.look_back.clone()?);
        Some(Before { rows: self.between(None, None).live(), until, found })
    }

    /// The length of the range.
    fn length(&self) -> Span {
        let until = self.order.until.unwrap_or_else(|| self.now());
        self.from.and_then(|from| until.since(from)).unwrap_or_default()
    }

    /// Adds the failures of so long before the range. Returns whether anything can lie before it.
    async fn add_before(&mut self, found: &mut LookBack, reach: Span) -> Result<bool, Stop> {
        let mut scope = self.scope.clone();
        scope.bounds = Bounds { from: self.from, until: self.order.until };
        let Some(criteria) = scope.before(reach) else { return Ok(false) };
        let mut after = None;
        loop {
            let Slice { rows, next, .. } = self.slice(&criteria, after).await?;
            rows.iter().for_each(|row| found.add(row));
            match next {
                Some(next) => after = Some(next),
                None => return Ok(true),
            }
            sleep_until(self.rest.until()).await;
        }
    }

    /// Sends what was counted so far.
    async fn tell(&mut self, counted: &mut Counted, part: Option<f64>, whole: bool) -> Result<(), Stop> {
        self.sent = Some(Moment::now());
        let as_of = self.now();
        let surveyed = Surveyed {
            report: counted.survey.report(as_of, self.order.patience),
            attempts: counted.attempts.list(self.order.patience, as_of),
            look_back: self.look_back.clone(),
            reach: Reach { part, whole, cut: self.cut },
            as_of,
        };
        let news = SurveyNews { generation: self.order.generation, outcome: Ok(Arc::new(surveyed)) };
        self.news.send(News::Survey(news)).await.map_err(|_| Stop::Receiver)
    }
}
