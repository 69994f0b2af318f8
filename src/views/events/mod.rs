//! The event list: filter panes with counts, the histogram, the list, and the detail of the selected event.
//!
//! The shell calls it through [`View`](crate::views::View). Every condition is in its queries: nothing is filtered on
//! loaded rows. It sends nothing itself; what it wants is in the [`Step`]s that it returns.

pub mod arrivals;
pub mod columns;
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

use crate::domain::event::RenewalEvent;
use crate::domain::filter::Candidates;
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::page::Total;
use crate::protocol::query::{Facet, Facets};
use crate::protocol::{Query, Slot, SourceError};
use crate::ui::ctx::{Ctx, Link};
use crate::ui::effect::Effect;
use crate::ui::fetch::Fetch;
use crate::ui::needles::Needles;
use crate::views::{ColumnChoice, Following, Step};

use columns::EventColumns;
use detail::Detail;
use geometry::{Geometry, Wish};
use histogram::Bars;
use panes::{Depth, PaneId, Panes};
use seek::Seek;
use window::List;

/// Counting stops here at first; beyond, the screen says `≥`.
const COUNT_CEILING: u64 = 100_000;
/// Queries that follow a filter change wait this long for the next change.
const SETTLE: Duration = Duration::from_millis(60);
/// While events arrive, the panes' numbers are counted again this often.
const FACETS_EVERY: Span = Span::seconds(20);
/// Ages below this are shown in seconds.
const BY_SECONDS: Span = format::TO_THE_SECOND;

/// The region that takes the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Focus {
    #[default]
    List,
    Histogram,
    Pane(PaneId),
    Detail,
}

/// The view's state.
#[derive(Clone, Debug)]
pub struct Events {
    pub focus: Focus,
    pub list: List,
    pub count: Fetch<Total>,
    pub panes: Panes,
    pub bars: Bars,
    pub detail: Detail,
    pub seek: Seek,
    pub columns: EventColumns,
    /// The list is drawn with its oldest row at the top. The window itself is always newest first.
    pub oldest_first: bool,
    pub geometry: Geometry,
    needles: Needles,
    facets_due: Option<Instant>,
}

impl Events {
    /// The view before its first query.
    pub fn new(columns: EventColumns) -> Self {
        Self {
            focus: Focus::List,
            list: List::default(),
            count: Fetch::new(Slot::Count),
            panes: Panes::default(),
            bars: Bars::default(),
            detail: Detail::default(),
            seek: Seek::default(),
            columns,
            oldest_first: false,
            geometry: Geometry::default(),
            needles: Needles::default(),
            facets_due: None,
        }
    }

    /// Runs all queries under a new filter.
    pub fn start(&mut self, ctx: &Ctx) -> Step {
        let wait = if self.list.was_answered() { SETTLE } else { Duration::ZERO };
        self.needles = Needles::of(&ctx.filter);
        let list = self.list.start(ctx.criteria(), wait);
        let mut effects = vec![Effect::Send(list), self.request_count(ctx, wait)];
        effects.extend(self.request_facets(ctx, Depth::Glance, wait));
        effects.extend(self.request_bars(ctx, wait));
        Step::send(effects)
    }

    /// Runs all queries again without moving the cursor.
    pub fn refresh(&mut self, ctx: &Ctx) -> Step {
        let list = self.list.refresh(ctx.criteria());
        let mut effects = vec![Effect::Send(list), self.request_count(ctx, Duration::ZERO)];
        effects.extend(self.request_facets(ctx, Depth::Whole, Duration::ZERO));
        effects.extend(self.request_bars(ctx, Duration::ZERO));
        Step::send(effects)
    }

    fn request_count(&mut self, ctx: &Ctx, wait: Duration) -> Effect {
        let query = Query::Count { criteria: ctx.criteria(), ceiling: Some(COUNT_CEILING) };
        Effect::Send(self.count.request(query, wait))
    }

    fn request_facets(&mut self, ctx: &Ctx, depth: Depth, wait: Duration) -> Vec<Effect> {
        self.facets_due = None;
        self.panes.all.iter_mut().filter_map(|pane| pane.request(ctx, depth, wait)).map(Effect::Send).collect()
    }

    fn request_bars(&mut self, ctx: &Ctx, wait: Duration) -> Option<Effect> {
        if self.geometry.histogram.height == 0 {
            return None;
        }
        let bounds = ctx.filter.bounds(ctx.now, &ctx.zone);
        let oldest = || ctx.source.value().and_then(|d| d.oldest);
        let from = bounds.from.or_else(oldest).filter(|t| t.is_finite())?;
        let until = bounds.until.filter(|t| t.is_finite()).unwrap_or(ctx.now);
        let columns = self.geometry.histogram.width.saturating_sub(2);
        self.bars.lay_out(from, until, columns);
        self.bars.count(ctx.criteria(), wait).map(Effect::Send)
    }

    /// Takes live rows, newest first; returns how many of them the view did not have.
    pub fn arrive(&mut self, rows: Vec<Arc<RenewalEvent>>, ctx: &Ctx) -> u64 {
        let fresh = self.list.arrive(rows, ctx.now);
        if fresh.is_empty() {
            return 0;
        }
        let n = fresh.len() as u64;
        for row in &fresh {
            self.bars.arrive(row);
            self.panes.arrive(row);
        }
        match self.count.value_mut() {
            Some(Total::Exact(total)) => *total += n,
            Some(Total::AtLeast(_)) | None => {}
        }
        if self.facets_due.is_none() {
            self.facets_due = Some(ctx.now.plus(FACETS_EVERY));
        }
        n
    }

    /// Time has passed.
    pub fn tick(&mut self, ctx: &Ctx) -> Step {
        self.list.forget_marks(ctx.now);
        if self.facets_due.is_none_or(|due| due > ctx.now) {
            return Step::default();
        }
        let mut effects = self.request_facets(ctx, Depth::Whole, Duration::ZERO);
        // Rows that came between the list and its count were counted twice.
        effects.push(self.request_count(ctx, Duration::ZERO));
        Step::send(effects)
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
        let wish = Wish { panes: matches!(self.focus, Focus::Pane(_)), detail: self.focus == Focus::Detail };
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

    /// Gives up the queries in flight.
    pub fn cancel(&mut self) -> Step {
        self.list.cancel();
        self.bars.cancel();
        let mut effects = vec![Effect::Cancel(Slot::List), Effect::Cancel(Slot::Histogram)];
        if self.count.is_waiting() {
            self.count.clear();
            effects.push(Effect::Cancel(Slot::Count));
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
            || self.bars.is_loading()
            || self.seek.page.is_waiting()
            || self.panes.all.iter().any(|p| p.facets.is_waiting())
    }
    pub fn was_answered(&self) -> bool {
        self.list.was_answered()
    }
    /// Why the list could not be read.
    pub fn error(&self) -> Option<&SourceError> {
        self.list.error()
    }
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

    /// Goes to the newest row at or before an instant.
    pub fn jump(&mut self, at: Instant, ctx: &Ctx) -> Step {
        self.focus = Focus::List;
        Step::send([Effect::Send(self.list.jump(at, ctx.criteria()))])
    }

    /// The names that the panes list.
    pub fn candidates(&self) -> Candidates {
        let words = |facets: Option<&Facets>| -> Vec<String> {
            facets.map(|f| f.values.iter().filter_map(Facet::word).collect()).unwrap_or_default()
        };
        let pane = |id: PaneId| words(self.panes.get(id).and_then(|p| p.facets.value()));
        Candidates {
            types: pane(PaneId::Kind),
            orgs: pane(PaneId::Org),
            devices: pane(PaneId::Device),
            reasons: pane(PaneId::Reason),
        }
    }

    /// Types that the filter names and no event has, as far as the pane of types lists all that there are.
    pub fn unknown_types(&self, ctx: &Ctx) -> Vec<String> {
        let Some(listed) = self.panes.get(PaneId::Kind).and_then(|p| p.facets.value()) else { return Vec::new() };
        let known = |word: &str| listed.values.iter().any(|v| v.word().as_deref() == Some(word));
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

    pub fn column_choices(&self) -> Vec<ColumnChoice> {
        let choice = |spec: &crate::ui::table::ColumnSpec<columns::Column>| ColumnChoice {
            id: spec.id,
            title: spec.title,
            wanted: self.columns.is_wanted(spec.column),
        };
        self.columns.all().iter().map(choice).collect()
    }
    /// Shows or hides a column, and keeps the choice for later runs.
    pub fn toggle_column(&mut self, at: usize) -> Step {
        self.columns.toggle(at);
        Step::send([Effect::KeepColumns(self.columns.names())])
    }
}
