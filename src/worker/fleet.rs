//! The sweep of the fleet: all devices once, then those that new rows touch, and all again from time to time.
//!
//! It holds the fleet, and answers the screen's newest order from it. It computes nothing from differences: a touched device
//! is read again as a whole, so that late rows come right and nothing drifts. Between two statements it rests three times as
//! long as the database worked, except while somebody waits for the first view of a fleet of usual size.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant as Moment, sleep_until};

use crate::domain::event::Id;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::fleet::{Fleet, Member, Order, Selection, Summary, Word};
use crate::domain::instant::{Instant, Span};
use crate::protocol::fleet::{Fleet as FleetAnswer, FleetQuery, Slice, SliceQuery};
use crate::protocol::survey::{FleetNews, FleetOrder, FleetView};
use crate::protocol::{Answer, EventSource, Query, SourceError};

use super::News;
use super::rest::Rest;

/// Devices of the first statement, and of the largest.
const FIRST: u32 = 250;
const LARGEST: u32 = 500;
/// While the sweep reads, the screen gets a view this often.
const TELL: Duration = Duration::from_millis(250);
/// Devices that new rows touched are read this often.
const LOOK: Duration = Duration::from_secs(5);
/// How much of the time before a look the next one reads again, for rows that are committed late.
const OVERLAP: Span = Span::seconds(60);
/// With more touched devices than this, all are read again.
const TOUCHED: usize = 2000;
/// Rows of one read of new rows.
const ROWS: u32 = 5000;
/// All devices are read again this often: rows can be deleted, or later than the overlap.
const AGAIN: Duration = Duration::from_secs(15 * 60);
/// A fleet of this size is swept without rests the first time.
const USUAL: u64 = 100_000;
/// After a failure, the next try follows after this long.
const RETRY: Duration = Duration::from_secs(5);

/// Keeps the fleet and answers the newest order, until the sender of orders or the receiver of news is gone.
pub async fn run<S: EventSource>(
    source: S,
    mut orders: watch::Receiver<Option<FleetOrder>>,
    news: mpsc::Sender<News>,
    clock: fn() -> Instant,
) {
    if orders.wait_for(Option::is_some).await.is_err() {
        return;
    }
    let mut keeper = Keeper::new(source, clock);
    let mut wake = Moment::now();
    loop {
        let order = orders.borrow_and_update().clone();
        let Some(order) = order else { return };
        // A new order comes with every move of the cursor, and is answered from what is known.
        if wake <= Moment::now() {
            wake = match keeper.step().await {
                Ok(Next::Go) => Moment::now(),
                Ok(Next::At(at)) => at,
                Err(error) => {
                    // What the source does not record it will not record in a moment either.
                    let unfit = matches!(error, SourceError::Unfit(_) | SourceError::Shape(_));
                    let fails = FleetNews { generation: order.generation, outcome: Err(error) };
                    if news.send(News::Fleet(fails)).await.is_err() {
                        return;
                    }
                    Moment::now() + if unfit { RETRY * 12 } else { RETRY }
                }
            };
        }
        keeper.fleet.declare(order.policy);
        keeper.fleet.set_patience(order.patience);
        if let Err(error) = keeper.fetch(&order.these).await {
            tracing::debug!(%error, "the devices on screen could not be read");
        }
        if let Some(view) = keeper.view(&order)
            && news.send(News::Fleet(FleetNews { generation: order.generation, outcome: Ok(view) })).await.is_err()
        {
            return;
        }
        tokio::select! {
            changed = orders.changed() => match changed {
                Ok(()) => keeper.sent = None,
                Err(_) => return,
            },
            () = sleep_until(wake) => {}
        }
    }
}

/// When the next step is due.
enum Next {
    /// At once.
    Go,
    At(Moment),
}

/// The fleet, and how far it is read.
struct Keeper<S> {
    source: S,
    clock: fn() -> Instant,
    fleet: Fleet,
    /// Where the sweep that goes on continues; `None` while none does.
    sweep: Option<Sweep>,
    /// When the last whole sweep ended.
    whole: Option<Moment>,
    /// Up to where new rows have been looked at, by the database's clock.
    looked: Option<Instant>,
    /// How much the database's clock is ahead of ours.
    ahead: Span,
    rest: Rest,
    /// When the screen was last sent a view, and whether anything is new since.
    sent: Option<Moment>,
    changed: bool,
    sorted: Option<Sorted>,
}

/// A selection in its order, for the next orders of the same one.
struct Sorted {
    selection: Selection,
    states: Option<Vec<Word>>,
    order: Order,
    at: Moment,
    members: Vec<Arc<Member>>,
    summary: Summary,
}

/// A sweep that goes on.
#[derive(Default)]
struct Sweep {
    after: Option<Id>,
    seen: BTreeSet<Id>,
    /// The database's clock at its beginning.
    begun: Option<Instant>,
}

impl<S: EventSource> Keeper<S> {
    fn new(source: S, clock: fn() -> Instant) -> Self {
        Self {
            source,
            clock,
            fleet: Fleet::default(),
            sweep: Some(Sweep::default()),
            whole: None,
            looked: None,
            ahead: Span(0),
            rest: Rest::new(FIRST, LARGEST),
            sent: None,
            changed: true,
            sorted: None,
        }
    }

    /// One statement, or a look at what is new.
    async fn step(&mut self) -> Result<Next, SourceError> {
        if let Some(mut sweep) = self.sweep.take() {
            let done = self.batch(&mut sweep).await;
            let more = !matches!(done, Ok(true));
            if more {
                self.sweep = Some(sweep);
            }
            done?;
            let waited_for = self.whole.is_none() && (self.fleet.len() as u64) < USUAL;
            return Ok(if more && waited_for { Next::Go } else { Next::At(self.rest.until()) });
        }
        if self.whole.is_some_and(|at| at.elapsed() >= AGAIN) {
            self.sweep = Some(Sweep::default());
            return Ok(Next::Go);
        }
        self.look().await?;
        Ok(if self.sweep.is_some() { Next::Go } else { Next::At(Moment::now() + LOOK) })
    }

    /// Reads the next devices of a sweep. Returns whether it is at its end.
    async fn batch(&mut self, sweep: &mut Sweep) -> Result<bool, SourceError> {
        let query = FleetQuery::Sweep { after: sweep.after.clone(), limit: self.rest.size() };
        let found = self.query(query).await?;
        sweep.begun.get_or_insert(found.now);
        sweep.seen.extend(found.devices.iter().filter_map(|d| d.rows.first()?.device_id().cloned()));
        sweep.after.clone_from(&found.next);
        self.take(found);
        if sweep.after.is_some() {
            return Ok(false);
        }
        self.fleet.retain(|id| sweep.seen.contains(id));
        self.fleet.learn();
        self.whole = Some(Moment::now());
        self.looked = sweep.begun;
        Ok(true)
    }

    /// Reads the devices of the rows since the last look. Too many of them, and all are read again.
    async fn look(&mut self) -> Result<(), SourceError> {
        let Some(looked) = self.looked else { return Ok(()) };
        let now = self.now();
        let since = Check::Time { from: Some(looked.minus(OVERLAP)), until: None };
        let criteria = Criteria { all: vec![Clause { negated: false, check: since }] };
        let (mut touched, mut after) = (BTreeSet::new(), None);
        loop {
            let query = Query::Slice(SliceQuery { criteria: criteria.clone(), after, limit: ROWS });
            let Slice { rows, next, .. } = match self.source.answer(&query, std::future::pending()).await? {
                Answer::Slice(slice) => slice,
                _ => return Err(SourceError::other_kind()),
            };
            touched.extend(rows.iter().filter_map(|row| row.device_id().cloned()));
            if touched.len() > TOUCHED {
                self.sweep = Some(Sweep::default());
                return Ok(());
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if !touched.is_empty() {
            let found = self.query(FleetQuery::These(touched.into_iter().collect())).await?;
            self.take(found);
            self.fleet.learn();
        }
        (self.looked, self.changed) = (Some(now), true);
        Ok(())
    }

    /// Queries devices, and notes how long the database worked and what its clock says.
    async fn query(&mut self, query: FleetQuery) -> Result<FleetAnswer, SourceError> {
        let begun = Moment::now();
        let answer = self.source.answer(&Query::Fleet(query), std::future::pending()).await?;
        self.rest.worked(begun.elapsed());
        let Answer::Fleet(found) = answer else { return Err(SourceError::other_kind()) };
        self.ahead = found.now.since((self.clock)()).unwrap_or_default();
        Ok(found)
    }

    fn take(&mut self, found: FleetAnswer) {
        for device in found.devices {
            let member = Member::of(device.name, device.org, &device.rows, device.complete);
            if let Some(member) = member {
                self.fleet.insert(member);
            }
        }
        self.changed = true;
        if self.whole.is_none() {
            // The first policies come early; the sweep's end makes them final.
            let known = self.fleet.len();
            if known < 1000 || known.is_power_of_two() {
                self.fleet.learn();
            }
        }
    }

    /// Reads devices that the sweep has not reached yet.
    async fn fetch(&mut self, these: &[Id]) -> Result<(), SourceError> {
        if self.whole.is_some() {
            return Ok(());
        }
        let missing: Vec<Id> = these.iter().filter(|id| self.fleet.get(id).is_none()).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = self.query(FleetQuery::These(missing)).await?;
        self.take(found);
        Ok(())
    }

    /// The database's time.
    fn now(&self) -> Instant {
        (self.clock)().plus(self.ahead)
    }

    /// What the order wants; `None` if the screen got one a moment ago, or knows it already.
    fn view(&mut self, order: &FleetOrder) -> Option<Arc<FleetView>> {
        let soon = self.sent.is_some_and(|sent| sent.elapsed() < TELL) && self.sweep.is_some();
        if soon || (self.sent.is_some() && !self.changed) || (self.whole.is_none() && self.fleet.is_empty()) {
            return None;
        }
        let now = self.now();
        self.sort(order, now);
        (self.sent, self.changed) = (Some(Moment::now()), false);
        let Sorted { members, summary, .. } = self.sorted.as_ref()?;
        let shown = members.iter().skip(order.from).take(order.lines);
        let these = order.these.iter().filter_map(|id| self.fleet.get(id));
        Some(Arc::new(FleetView {
            lines: shown.map(|member| self.fleet.line(member, now)).collect(),
            from: order.from,
            these: these.map(|member| self.fleet.line(member, now)).collect(),
            total: members.len(),
            summary: summary.clone(),
            read: self.fleet.len() as u64,
            whole: self.whole.is_some(),
            as_of: now,
        }))
    }

    /// Selects and sorts the fleet, unless that was done a moment ago: a cursor that moves orders other lines of the same.
    fn sort(&mut self, order: &FleetOrder, now: Instant) {
        let fresh = |sorted: &Sorted| {
            let same = sorted.selection == order.selection && sorted.states == order.states;
            same && sorted.order == order.order && !self.changed && sorted.at.elapsed() < LOOK
        };
        if self.sorted.as_ref().is_some_and(fresh) {
            return;
        }
        self.sorted = Some(Sorted {
            selection: order.selection.clone(),
            states: order.states.clone(),
            order: order.order,
            at: Moment::now(),
            members: self.fleet.ordered(&order.listed(), order.order, now),
            summary: self.fleet.summary(&order.selection, now),
        });
    }
}
