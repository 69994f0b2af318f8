//! The event list: filter panes with counts, the histogram, the list, and the detail of the selected event.
//!
//! The shell calls it through [`Views`](crate::views::Views). Every condition is in its queries: nothing is filtered on
//! loaded rows. It sends nothing itself; what it wants is in the [`Step`]s that it returns.

pub mod arrivals;
pub mod columns;
pub mod count;
pub mod detail;
pub mod draw;
pub mod geometry;
pub mod histogram;
pub mod panes;
pub mod seek;
pub mod window;

mod changes;
mod hints;
mod keys;
mod replies;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::{Candidates, Criteria};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::page::Total;
use crate::protocol::query::{Facet, Field};
use crate::protocol::{Slot, SourceError};
use crate::ui::ctx::{Ctx, Link};
use crate::ui::effect::Effect;
use crate::ui::needles::Needles;
use crate::views::{ColumnChoice, Following, Step};

use columns::EventColumns;
use count::Count;
use detail::Detail;
use geometry::{Geometry, Wish};
use histogram::Bars;
use panes::{Depth, PaneId, Panes};
use seek::Seek;
use window::List;

/// Queries that follow a filter change wait this long for the next change.
const SETTLE: Duration = Duration::from_millis(60);
/// While events arrive, the panes' numbers are counted again this often.
const FACETS_EVERY: Span = Span::seconds(20);
/// Ages below this are shown in seconds.
const BY_SECONDS: Span = format::TO_THE_SECOND;

/// The region that takes the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Focus {
    /// Keys move the selected row.
    #[default]
    List,
    /// Keys move a cursor over the buckets, and Enter zooms into one.
    Histogram,
    /// Keys move over the pane's values, and Enter adds or removes one.
    Pane(PaneId),
    /// Keys scroll the selected event.
    Detail,
}

/// The view's state.
#[derive(Clone, Debug)]
pub struct Events {
    /// The region that takes the keys. The layout depends on it: panes and detail get room while they have the focus.
    pub focus: Focus,
    /// The rows that are loaded, the selected one, and follow mode.
    pub list: List,
    /// How many rows match the filter, in the whole result.
    pub count: Count,
    /// The values of each field, with their counts.
    pub panes: Panes,
    /// Rows over time by outcome, in the whole result.
    pub bars: Bars,
    /// The selected event, wrapped to the detail's width.
    pub detail: Detail,
    /// The search for the next failure, which may lie outside of the loaded rows.
    pub seek: Seek,
    /// Which columns the list shows.
    pub columns: EventColumns,
    /// The list is drawn with its oldest row at the top. The window itself is always newest first.
    pub oldest_first: bool,
    /// The regions of the body as of the last [`settle`](Self::settle).
    pub geometry: Geometry,
    /// Words of the filter in force, which drawing marks.
    needles: Needles,
    /// When everything is counted again. `None` until rows arrive after the panes' last request.
    facets_due: Option<Instant>,
    /// Where the bulk of all rows begins, if few rows are much older.
    bulk_from: Option<Instant>,
}

/// How new buckets take the place of those on screen. Takes the first and the last instant (UTC) and the most buckets.
type LayOut = fn(&mut Bars, Instant, Instant, u16);

impl Events {
    /// The view before its first query. It sends nothing; [`start`](Self::start) does.
    pub fn new(columns: EventColumns) -> Self {
        Self {
            focus: Focus::List,
            list: List::default(),
            count: Count::default(),
            panes: Panes::default(),
            bars: Bars::default(),
            detail: Detail::default(),
            seek: Seek::default(),
            columns,
            oldest_first: false,
            geometry: Geometry::default(),
            needles: Needles::default(),
            facets_due: None,
            bulk_from: None,
        }
    }

    /// Runs all queries under a new filter. They wait for 60 ms once a list query has been answered, so that a
    /// burst of changes sends one set of queries.
    pub fn start(&mut self, ctx: &Ctx) -> Step {
        let wait = if self.list.was_answered() { SETTLE } else { Duration::ZERO };
        self.needles = Needles::of(&ctx.filter);
        let list = self.list.start(ctx.criteria(), wait);
        let mut effects = vec![Effect::Send(list), Effect::Send(self.count.start(ctx, wait))];
        effects.extend(self.request_facets(ctx, Depth::Glance, wait));
        self.bulk_from = None;
        effects.extend(self.request_bars(ctx, wait, Bars::lay_out));
        Step::send(effects)
    }

    /// Runs all queries again without moving the cursor.
    pub fn refresh(&mut self, ctx: &Ctx) -> Step {
        let list = self.list.refresh(ctx.criteria());
        Step::send([Effect::Send(list)]).and(self.recount(ctx))
    }

    /// Counts everything again under the same filter; the values on screen stay until the new ones come.
    fn recount(&mut self, ctx: &Ctx) -> Step {
        let mut effects = vec![Effect::Send(self.count.again(ctx))];
        effects.extend(self.request_facets(ctx, Depth::Whole, Duration::ZERO));
        effects.extend(self.request_bars(ctx, Duration::ZERO, Bars::lay_out_behind));
        Step::send(effects)
    }

    /// The filter's relative times have moved on: rows leave, and everything is counted again. `before` are the criteria
    /// of the rows on screen.
    pub fn slide(&mut self, before: &Criteria, ctx: &Ctx) -> Step {
        let criteria = ctx.criteria();
        if !criteria.differs_in_time_only(before) {
            return self.refresh(ctx);
        }
        self.list.slide(|at| criteria.holds_at(at));
        self.recount(ctx)
    }

    /// Requests the values of all panes, and drops the recount that is due: this is one.
    fn request_facets(&mut self, ctx: &Ctx, depth: Depth, wait: Duration) -> Vec<Effect> {
        self.facets_due = None;
        self.panes.all.iter_mut().filter_map(|pane| pane.request(ctx, depth, wait)).map(Effect::Send).collect()
    }

    /// Lays out the buckets over the filter's time range and requests their counts. A range without a beginning begins
    /// at the bulk of the rows or at the source's oldest row, one without an end ends at `ctx.as_of`. `None` if the
    /// histogram has no room, or no beginning is known yet.
    fn request_bars(&mut self, ctx: &Ctx, wait: Duration, lay_out: LayOut) -> Option<Effect> {
        if self.geometry.histogram.height == 0 {
            return None;
        }
        let bounds = ctx.filter.bounds(ctx.as_of, &ctx.zone);
        let oldest = || ctx.source.value().and_then(|d| d.oldest);
        let from = bounds.from.or(self.bulk_from).or_else(oldest).filter(|t| t.is_finite())?;
        let until = bounds.until.filter(|t| t.is_finite()).unwrap_or(ctx.as_of).max(from);
        let columns = self.geometry.histogram.width.saturating_sub(2);
        lay_out(&mut self.bars, from, until, columns);
        self.bars.count(ctx.criteria(), wait).map(Effect::Send)
    }

    /// Takes rows of the tail, newest first; returns how many of them the view did not have. Rows that are not `new` were
    /// in the table before the tail's order: they take their places, unmarked, and the counts have them already.
    pub fn arrive(&mut self, mut rows: Vec<Arc<RenewalEvent>>, new: bool, ctx: &Ctx) -> u64 {
        // The tail has no upper bound, because it runs longer than one.
        let criteria = ctx.criteria();
        rows.retain(|row| criteria.holds_at(row.created_at));
        // Whether the counts have a row of a first poll, or one that a page brought before the tail, is not known: they come
        // right with the next count.
        if !rows.is_empty() && self.facets_due.is_none() {
            self.facets_due = Some(ctx.now.plus(FACETS_EVERY));
        }
        let fresh = self.list.arrive(rows, new, ctx.now);
        if fresh.is_empty() || !new {
            return 0;
        }
        let n = fresh.len() as u64;
        for row in &fresh {
            self.bars.arrive(row);
            self.panes.arrive(row);
        }
        self.count.arrive(n);
        n
    }

    /// Time has passed.
    pub fn tick(&mut self, ctx: &Ctx) -> Step {
        self.list.forget_marks(ctx.now);
        if self.facets_due.is_none_or(|due| due > ctx.now) {
            return Step::default();
        }
        self.recount(ctx)
    }

    /// Whether a second changes what is on screen: a mark ends, or an age or a time left is shown in seconds.
    pub fn ages(&self, ctx: &Ctx) -> bool {
        let near = |at: Instant| at.since(ctx.now).is_some_and(|span| span.abs() < BY_SECONDS);
        let rows = self.list.rows().iter().skip(self.list.view.offset).take(self.list.view.height);
        let left = |row: &RenewalEvent| [row.old_expiry, row.new_expiry].into_iter().flatten().any(near);
        self.list.has_marks()
            || self.list.selected().is_some_and(|row| near(row.created_at))
            || rows.into_iter().any(|row| left(row))
    }

    /// Lays the view out, and requests what the screen lacks: the selected event's whole error, and the next page.
    pub fn settle(&mut self, ctx: &Ctx) -> Step {
        let wish = Wish {
            panes: matches!(self.focus, Focus::Pane(_)),
            errors: self.focus == Focus::Pane(PaneId::Error),
            detail: self.focus == Focus::Detail,
        };
        self.geometry = Geometry::of(ctx.body, wish);
        self.list.view.height = self.geometry.list_rows();
        let len = self.list.rows().len();
        self.list.view.settle(len);
        let rows = self.panes.layout(self.geometry.panes.height, self.pane_focus());
        for (pane, height) in self.panes.all.iter_mut().zip(rows) {
            pane.view.height = usize::from(height);
            pane.settle();
        }
        let selected = self.list.selected().cloned();
        let width = usize::from(self.geometry.detail.width).saturating_sub(detail::INDENT + 1);
        let mut effects: Vec<_> = self.detail.show(selected.as_ref(), width).map(Effect::Send).into_iter().collect();
        if ctx.body.area() > 0 {
            effects.extend(self.list.prefetch(|| ctx.criteria()).map(Effect::Send));
        }
        Step::send(effects)
    }

    /// The devices of the rows on screen, for the time that is left to each.
    pub fn devices_on_screen(&self) -> Vec<Id> {
        let port = self.list.view;
        let rows = self.list.rows().iter().skip(port.offset).take(port.height).chain(self.list.selected());
        let mut devices: Vec<Id> = rows.filter_map(|row| row.device_id().cloned()).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }

    /// Gives up the queries in flight.
    pub fn cancel(&mut self) -> Step {
        self.list.cancel();
        self.bars.cancel();
        let mut effects = vec![Effect::Cancel(Slot::List), Effect::Cancel(Slot::Histogram)];
        if self.count.is_waiting() {
            self.count.cancel();
            effects.push(Effect::Cancel(Slot::Count));
        }
        if self.detail.fetch().is_waiting() {
            self.detail.fetch_mut().clear();
            effects.push(Effect::Cancel(Slot::Detail));
        }
        if self.seek.page.is_waiting() {
            self.seek.page.clear();
            effects.push(Effect::Cancel(Slot::Seek));
        }
        for pane in self.panes.all.iter_mut().filter(|p| p.facets.is_waiting()) {
            pane.facets.clear();
            effects.extend(pane.id.field().map(|(_, f)| Effect::Cancel(Slot::Facets(f))));
        }
        Step::send(effects)
    }

    /// Whether any query is in flight.
    pub fn is_busy(&self) -> bool {
        self.list.is_loading()
            || self.count.is_waiting()
            || self.bars.is_counting()
            || self.detail.fetch().is_waiting()
            || self.seek.page.is_waiting()
            || self.panes.all.iter().any(|p| p.facets.is_waiting())
    }
    /// Whether a list query has succeeded since the program started.
    pub fn was_answered(&self) -> bool {
        self.list.was_answered()
    }
    /// Why the list could not be read. The next page that succeeds clears it.
    pub fn error(&self) -> Option<&SourceError> {
        self.list.error()
    }
    /// Whether the list follows the newest row, and how many rows arrived while it did not.
    pub fn following(&self) -> Following {
        Following { on: self.list.is_following(), arrived: self.list.arrived() }
    }
    /// The words of the filter that are marked where they are shown.
    pub fn needles(&self) -> &Needles {
        &self.needles
    }
    pub fn pane_focus(&self) -> Option<PaneId> {
        match self.focus {
            Focus::Pane(id) => Some(id),
            _ => None,
        }
    }

    /// Goes to the newest row at or before an instant, in UTC. Ends follow mode.
    pub fn jump(&mut self, at: Instant, ctx: &Ctx) -> Step {
        self.focus = Focus::List;
        Step::send([Effect::Send(self.list.jump(at, ctx.criteria()))])
    }

    /// The names that the panes list. A completion offers them; a pane lists 200 values at most, so others can exist.
    pub fn candidates(&self) -> Candidates {
        let listed = |field| self.panes.by_field(field).and_then(|p| p.facets.value()).map(|f| f.values.as_slice());
        let pane =
            |field| -> Vec<String> { listed(field).unwrap_or_default().iter().filter_map(|v| v.word(field)).collect() };
        let signature = |v: &Facet| Some((v.word(Field::Error)?, v.name.as_ref()?.raw().to_owned()));
        Candidates {
            types: pane(Field::Kind),
            orgs: pane(Field::Org),
            devices: pane(Field::Device),
            reasons: pane(Field::Reason),
            signatures: listed(Field::Error).unwrap_or_default().iter().filter_map(signature).collect(),
        }
    }

    /// Types that the filter names and no event has, as far as the pane of types lists all that there are.
    pub fn unknown_types(&self, ctx: &Ctx) -> Vec<String> {
        let Some(listed) = self.panes.get(PaneId::Kind).and_then(|p| p.facets.value()) else { return Vec::new() };
        let known = |word: &str| listed.values.iter().any(|v| v.word(Field::Kind).as_deref() == Some(word));
        let mut named = ctx.filter.exact_types();
        named.retain(|word| !listed.more && !known(word));
        named
    }

    /// Why the rows on screen cannot be trusted: the database does not answer, or the list could not be read.
    pub fn trouble<'a>(&'a self, ctx: &'a Ctx) -> Option<&'a SourceError> {
        match &ctx.link {
            Link::Away { error, .. } => Some(error),
            _ => self.list.error(),
        }
    }

    /// Rows that match and lie outside of the histogram: much older than the bulk, or dated ahead. `None` if not known.
    pub fn outside_bars(&self) -> Option<u64> {
        match self.count.value().filter(|_| !self.count.is_waiting() && !self.bars.is_counting())? {
            Total::Exact(n) => Some(n.saturating_sub(self.bars.total()?)),
            Total::AtLeast(_) => None,
        }
    }

    /// The mean time between the newest rows, of at least 20; for judging whether the newest one is overdue.
    pub fn usual_gap(&self) -> Option<Span> {
        let rows = self.list.rows();
        let (newest, oldest) = (rows.front()?, rows.back()?);
        let gaps = i64::try_from(rows.len()).ok().filter(|n| *n >= 20)? - 1;
        Some(Span(newest.created_at.since(oldest.created_at)?.0 / gaps))
    }

    /// All columns of the list in their order on screen, with whether each is wanted.
    pub fn column_choices(&self) -> Vec<ColumnChoice> {
        ColumnChoice::of(&self.columns)
    }
    /// Shows or hides a column, and keeps the choice for later runs. `at` is its place in
    /// [`column_choices`](Self::column_choices), from 0.
    pub fn toggle_column(&mut self, at: usize) -> Step {
        self.columns.toggle(at);
        Step::send([Effect::KeepColumns(self.columns.names())])
    }
}
