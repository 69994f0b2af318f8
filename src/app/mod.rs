//! The console as a pure state machine: a message in, effects out. No clock, no database, no files, no drawing.

pub mod action;
pub mod alert;
pub mod columns;
pub mod detail;
pub mod fetch;
pub mod filter_edit;
pub mod geometry;
pub mod histogram;
pub mod keymap;
pub mod list;
pub mod msg;
pub mod needles;
pub mod panes;
pub mod prompt;
pub mod tail;
pub mod viewport;

mod answers;
mod changes;
mod clock;
mod keys;
mod seek;

use std::time::Duration;

use tui_input::Input;

use crate::domain::filter::{Candidates, Criteria, Filter};
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Anchor, Page, Total};
use crate::domain::zone::Zone;
use crate::protocol::query::{Description, FacetQuery, Facets, Field};
use crate::protocol::tail::{Start, TailOrder};
use crate::protocol::{Query, Slot};

use alert::{Alert, Ringing};
use clock::Again;
use columns::Columns;
use detail::Detail;
use fetch::Fetch;
use filter_edit::FilterEdit;
use geometry::{Geometry, Wish};
use histogram::Bars;
use keymap::Keymap;
use list::List;
use msg::{Effect, Msg};
use needles::Needles;
use panes::{Depth, PaneId, Panes};
use prompt::{Ask, Prompt};
use tail::Tail;

/// Counting stops here at first; beyond, the screen says `≥`.
const COUNT_CEILING: u64 = 100_000;
/// Filters that `[` goes back through.
const REMEMBERED: usize = 100;
/// A notice stays this long.
const NOTICE: Span = Span::seconds(4);
/// Questions that follow a filter change wait this long for the next change.
pub(crate) const SETTLE: Duration = Duration::from_millis(60);
/// The panes' numbers are renewed this often while events arrive.
const FACETS_EVERY: Span = Span::seconds(20);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Focus {
    #[default]
    List,
    Histogram,
    Pane(PaneId),
    Detail,
}

/// What lies over the screen and takes the keys first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    Filter,
    Prompt,
    Columns,
    Help,
}

/// What the console is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the database is called in the header; no secret in it.
    pub title: String,
    /// The options that reach the same database from a command line (`--db prod`), for copied commands; no secret in it.
    pub reach: String,
    pub filter: Filter,
    pub zone: Zone,
    /// The other zone that `T` switches to.
    pub other_zone: Zone,
    /// Named filters, for the palette.
    pub views: Vec<(String, Filter)>,
    /// Other databases, by their names in the configuration.
    pub databases: Vec<String>,
    /// Said at the beginning.
    pub notice: Option<String>,
    /// Filters of earlier runs, oldest first.
    pub history: Vec<String>,
    pub keymap: Keymap,
    pub columns: Columns,
    /// Rings when an event comes that matches.
    pub alert: Option<Alert>,
    pub size: (u16, u16),
}

#[derive(Clone, Debug)]
pub struct Model {
    pub title: String,
    pub now: Instant,
    pub zone: Zone,
    pub other_zone: Zone,
    pub geometry: Geometry,
    pub focus: Focus,
    pub layer: Option<Layer>,
    pub filter: Filter,
    pub edit: FilterEdit,
    pub prompt: Prompt,
    pub list: List,
    pub count: Fetch<Total>,
    pub panes: Panes,
    pub bars: Bars,
    pub detail: Detail,
    pub tail: Tail,
    pub source: Fetch<Description>,
    pub seek: Fetch<Page>,
    /// Devices whose name has what is typed in the filter.
    pub names: Fetch<Facets>,
    pub help_scroll: usize,
    pub columns: Columns,
    pub views: Vec<(String, Filter)>,
    pub databases: Vec<String>,
    /// The list is drawn with its oldest row at the top. The window itself is always newest first.
    pub oldest_first: bool,
    keymap: Keymap,
    needles: Needles,
    notice: Option<(String, Instant)>,
    /// Where the running seek looks.
    seek_anchor: Anchor,
    facets_due: Option<Instant>,
    /// Filters before and after this one.
    earlier: Vec<Filter>,
    later: Vec<Filter>,
    /// How to reach this database from a command line, for copied commands; no secret in it.
    reach: String,
    size: (u16, u16),
    settings_alert: Option<Alert>,
    ringing: Ringing,
    again: Again,
    /// The last tick changed what is on screen.
    aged: bool,
}

impl Model {
    /// The console before its first answer, and the questions it begins with.
    pub fn new(settings: Settings, now: Instant) -> (Self, Vec<Effect>) {
        let mut model = Self {
            title: settings.title,
            now,
            zone: settings.zone,
            other_zone: settings.other_zone,
            geometry: Geometry::default(),
            focus: Focus::List,
            layer: None,
            filter: settings.filter,
            edit: FilterEdit::with_history(settings.history),
            prompt: Prompt::new(Ask::Time),
            list: List::default(),
            count: Fetch::new(Slot::Count),
            panes: Panes::default(),
            bars: Bars::default(),
            detail: Detail::default(),
            tail: Tail::default(),
            source: Fetch::new(Slot::Describe),
            seek: Fetch::new(Slot::Seek),
            names: Fetch::new(Slot::Names),
            help_scroll: 0,
            columns: settings.columns,
            views: settings.views,
            databases: settings.databases,
            oldest_first: false,
            keymap: settings.keymap,
            needles: Needles::default(),
            notice: settings.notice.map(|words| (words, now.plus(NOTICE))),
            seek_anchor: Anchor::Newest,
            facets_due: None,
            earlier: Vec::new(),
            later: Vec::new(),
            reach: settings.reach,
            size: settings.size,
            settings_alert: settings.alert,
            ringing: Ringing::default(),
            again: Again::default(),
            aged: false,
        };
        model.lay_out();
        let mut effects = Vec::new();
        model.ask_everything(Duration::ZERO, &mut effects);
        effects.push(Effect::Ask(model.source.ask(Query::Describe, Duration::ZERO)));
        (model, effects)
    }

    /// Takes one message. The effects do nothing unless the runtime carries them out.
    #[must_use = "effects do nothing unless the runtime carries them out"]
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = Vec::new();
        match msg {
            Msg::Key(key) => self.key(key, &mut effects),
            Msg::Paste(text) => self.paste(&text, &mut effects),
            Msg::Resize { width, height } => self.size = (width, height),
            Msg::Reply(reply) => self.reply(reply, &mut effects),
            Msg::Tail(event) => self.tail_event(event, &mut effects),
            Msg::Tick(now) => self.tick(now, &mut effects),
        }
        self.lay_out();
        let selected = self.list.selected().cloned();
        let width = usize::from(self.geometry.detail.width).saturating_sub(detail::INDENT + 1);
        effects.extend(self.detail.show(selected.as_ref(), width).map(Effect::Ask));
        if !self.geometry.too_small {
            let more = self.list.prefetch(|| self.filter.criteria(self.now, &self.zone));
            effects.extend(more.map(Effect::Ask));
        }
        effects
    }

    fn lay_out(&mut self) {
        let wish = Wish { panes: matches!(self.focus, Focus::Pane(_)), detail: self.focus == Focus::Detail };
        self.geometry = Geometry::of(self.size.0, self.size.1, wish);
        self.list.view.height = self.geometry.list_rows();
        let len = self.list.rows().len();
        self.list.view.settle(len);
        let rows = self.panes.layout(self.geometry.panes.height, self.pane_focus());
        for (pane, height) in self.panes.all.iter_mut().zip(rows) {
            pane.view.height = usize::from(height);
            pane.settle();
        }
    }

    /// The words of the filter that are marked where they are shown.
    pub fn needles(&self) -> &Needles {
        &self.needles
    }

    pub fn keymap(&self) -> &Keymap {
        &self.keymap
    }

    pub fn pane_focus(&self) -> Option<PaneId> {
        match self.focus {
            Focus::Pane(id) => Some(id),
            _ => None,
        }
    }

    /// The filter made absolute at this moment.
    pub fn criteria(&self) -> Criteria {
        self.filter.criteria(self.now, &self.zone)
    }

    /// Asks all questions that depend on the filter.
    fn ask_everything(&mut self, wait: Duration, effects: &mut Vec<Effect>) {
        self.again = Again::default();
        self.needles = Needles::of(&self.filter);
        let criteria = self.criteria();
        effects.push(Effect::Ask(self.list.anew(criteria, wait)));
        self.ask_count(wait, effects);
        self.ask_facets(Depth::Glance, wait, effects);
        self.ask_bars(wait, effects);
        self.follow_tail(effects);
    }

    fn ask_count(&mut self, wait: Duration, effects: &mut Vec<Effect>) {
        let query = Query::Count { criteria: self.criteria(), ceiling: Some(COUNT_CEILING) };
        effects.push(Effect::Ask(self.count.ask(query, wait)));
    }

    fn ask_facets(&mut self, depth: Depth, wait: Duration, effects: &mut Vec<Effect>) {
        let (now, zone) = (self.now, self.zone);
        for pane in &mut self.panes.all {
            effects.extend(pane.ask(&self.filter, |f| f.criteria(now, &zone), (depth, wait)).map(Effect::Ask));
        }
        self.facets_due = None;
    }

    fn ask_bars(&mut self, wait: Duration, effects: &mut Vec<Effect>) {
        if self.geometry.histogram.height == 0 {
            return;
        }
        let bounds = self.filter.bounds(self.now, &self.zone);
        let known = self.source.value();
        let from = bounds.from.or_else(|| known.and_then(|d| d.oldest)).filter(|t| t.is_finite());
        let Some(from) = from else { return };
        let columns = self.geometry.histogram.width.saturating_sub(2);
        let criteria = self.criteria();
        let until = bounds.until.filter(|t| t.is_finite()).unwrap_or(self.now);
        effects.extend(self.bars.start(from, until, columns, criteria, wait).map(Effect::Ask));
    }

    fn follow_tail(&mut self, effects: &mut Vec<Effect>) {
        self.tail.generation += 1;
        self.tail.begun = false;
        let (generation, criteria) = (self.tail.generation, self.criteria().live());
        effects.push(Effect::Tail(TailOrder { generation, criteria, start: Start::Overlapping, whole: false }));
    }

    /// Puts another filter in force.
    fn apply(&mut self, filter: Filter, effects: &mut Vec<Effect>) {
        if filter == self.filter {
            return;
        }
        self.earlier.push(std::mem::replace(&mut self.filter, filter));
        self.later.clear();
        let surplus = self.earlier.len().saturating_sub(REMEMBERED);
        self.earlier.drain(..surplus);
        self.changed(effects);
    }

    /// Walks through the filters that were in force.
    fn wander(&mut self, back: bool, effects: &mut Vec<Effect>) {
        let (from, to) = if back { (&mut self.earlier, &mut self.later) } else { (&mut self.later, &mut self.earlier) };
        let Some(filter) = from.pop() else {
            return self.say(if back { "no earlier filter" } else { "no later filter" });
        };
        to.push(std::mem::replace(&mut self.filter, filter));
        self.changed(effects);
    }

    fn changed(&mut self, effects: &mut Vec<Effect>) {
        self.tail.held = 0;
        self.ask_everything(SETTLE, effects);
    }

    fn say(&mut self, words: impl Into<String>) {
        self.notice = Some((words.into(), self.now.plus(NOTICE)));
    }
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_ref().map(|(words, _)| words.as_str())
    }

    /// Renews what is offered for the filter being typed; device names are looked up, which never blocks.
    fn offer(&mut self, effects: &mut Vec<Effect>) {
        let known = self.candidates();
        self.edit.offer(&known);
        let Some(needle) = self.edit.device_needle() else { return };
        let query = FacetQuery {
            field: Field::Device,
            criteria: Criteria::default(),
            needle: needle.to_owned(),
            limit: 50,
            ceiling: 1,
        };
        effects.push(Effect::Ask(self.names.ask(Query::Facets(query), SETTLE)));
    }

    /// The names that are known from the panes and from the last look-up.
    fn candidates(&self) -> Candidates {
        let words = |facets: Option<&Facets>| -> Vec<String> {
            facets.map(|f| f.values.iter().filter_map(panes::filter_word).collect()).unwrap_or_default()
        };
        let pane = |id: PaneId| words(self.panes.get(id).and_then(|p| p.facets.value()));
        let mut devices = words(self.names.value());
        for name in pane(PaneId::Device) {
            if !devices.contains(&name) {
                devices.push(name);
            }
        }
        Candidates { types: pane(PaneId::Kind), orgs: pane(PaneId::Org), devices, reasons: pane(PaneId::Reason) }
    }

    /// The needle of the pane that is being narrowed.
    pub fn narrowing(&self) -> Option<(PaneId, &Input)> {
        let pane = self.panes.get(self.pane_focus()?)?;
        pane.narrowing.then_some((pane.id, &pane.needle))
    }

    /// Whether any question is out.
    pub fn is_busy(&self) -> bool {
        self.list.is_loading()
            || self.count.is_waiting()
            || self.bars.is_loading()
            || self.seek.is_waiting()
            || self.panes.all.iter().any(|p| p.facets.is_waiting())
    }
}

/// How an event's device is called: by name where the database knows one, else by its id; `–` where it names none.
pub fn list_name(event: &crate::domain::event::RenewalEvent) -> crate::domain::text::Clean {
    match (&event.device, event.device_id()) {
        (Some(name), _) => name.clean(),
        (None, Some(id)) => id.clean(),
        (None, None) => crate::domain::text::Clean::line("–"),
    }
}
