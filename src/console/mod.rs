//! The console as a pure state machine: a message in, effects out. No clock, no database, no files.
//!
//! The shell of the views: it owns what they share ([`Ctx`]), what is drawn over them ([`Layer`]), and what outlasts a
//! filter. The event loop calls [`Model::new`] and [`Model::update`]; drawing reads the model. It knows a view only as
//! [`Views`].

pub mod alert;
pub mod background;
pub mod draw;
pub mod filter_edit;
pub mod geometry;
pub mod history;
pub mod keymap;
pub mod msg;
pub mod palette;
pub mod prompt;
pub mod settings;
pub mod tail;

mod answers;
mod clock;
mod keys;
mod places;

use crate::domain::filter::Criteria;
use crate::domain::instant::{Instant, Span};
use crate::protocol::tail::{Start as TailStart, TailOrder};
use crate::protocol::{Query, Slot, SourceError};
use crate::ui::ctx::{Ctx, Link};
use crate::ui::effect::Effect;
use crate::ui::fetch::Fetch;
use crate::ui::known::Known;
use crate::views::Views;

use alert::Ringing;
use background::Background;
use filter_edit::FilterEdit;
use geometry::Geometry;
use history::History;
use msg::Msg;
use palette::Palette;
use prompt::TimePrompt;
use settings::{Settings, Start};
use tail::Tail;

/// A notice is shown for this long.
const NOTICE: Span = Span::seconds(4);

/// What is drawn over the view and takes the keys first. A closed layer holds nothing.
#[derive(Clone, Debug)]
pub enum Layer {
    /// The filter editor, in the query bar.
    Filter(Box<FilterEdit>),
    /// The time dialog, in the query bar.
    Time(TimePrompt),
    /// The command palette. Its text is in the query bar.
    Palette(Palette),
    /// The choice of columns, and the line under the cursor.
    Columns(usize),
    /// The help, and the line that it is scrolled to.
    Help(usize),
}

/// The whole state of the console.
#[derive(Clone, Debug)]
pub struct Model {
    /// What the view may read. Only the shell changes it.
    pub ctx: Ctx,
    /// The views, one of them on screen.
    pub views: Views,
    /// The open layer, at most one. `None`: keys go to the keymap and the view.
    pub layer: Option<Layer>,
    /// The live state of the order in force.
    pub tail: Tail,
    /// The shell's regions, for the terminal's size at the last resize.
    pub geometry: Geometry,
    /// What the configuration sets. It stays the same, except that `T` exchanges the zones.
    pub settings: Settings,
    /// The filters that were in force, and those that were typed.
    history: History,
    /// A message in the footer, and when it ends (UTC).
    notice: Option<(String, Instant)>,
    /// Alerts that are not delivered yet.
    ringing: Ringing,
    /// Filter editors opened so far.
    editors: u64,
    /// The last tick changed what is on screen.
    aged: bool,
    /// What the background tasks were ordered to do.
    background: Background,
}

impl Model {
    /// The console before its first reply, and its first queries. `now` is UTC. The queries are among the effects;
    /// nothing is sent before the event loop performs them.
    pub fn new(start: Start, now: Instant) -> (Self, Vec<Effect>) {
        let geometry = Geometry::of(start.size.0, start.size.1);
        let ctx = Ctx {
            now,
            as_of: now,
            zone: start.zone,
            filter: start.filter,
            body: geometry.body,
            source: Fetch::new(Slot::Describe),
            title: start.title,
            reach: start.reach,
            newest: None,
            link: Link::default(),
            known: Known::default(),
        };
        let mut model = Self {
            ctx,
            views: Views::new(start.choices),
            layer: None,
            tail: Tail::default(),
            geometry,
            settings: start.settings,
            history: History::with_typed(start.history),
            notice: start.notice.map(|words| (words, now.plus(NOTICE))),
            ringing: Ringing::default(),
            editors: 0,
            aged: false,
            background: Background::default(),
        };
        let mut effects = Vec::new();
        model.settle(&mut effects);
        model.start_queries(&mut effects);
        effects.push(model.describe());
        effects.extend(model.watch_for_alerts());
        (model, effects)
    }

    /// Takes one message. Returns what it wants of the world, in order. It never blocks and never fails: what goes
    /// wrong is shown on screen.
    #[must_use = "effects do nothing unless the event loop performs them"]
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = Vec::new();
        match msg {
            Msg::Key(key) => self.key(key, &mut effects),
            Msg::Paste(text) => self.paste(&text, &mut effects),
            Msg::Resize { width, height } => {
                self.geometry = Geometry::of(width, height);
                self.ctx.body = self.geometry.body;
            }
            Msg::Reply(reply) => self.reply(reply, &mut effects),
            Msg::Tail(event) => self.tail_event(event, &mut effects),
            Msg::Survey(news) => self.surveyed(news),
            Msg::Fleet(news) => self.fleet_news(news),
            Msg::Tick(now) => self.tick(now, &mut effects),
        }
        self.settle(&mut effects);
        self.qualify_copy(&effects);
        effects
    }

    /// Adds to the notice of a copy what it may still need: no terminal confirms one.
    fn qualify_copy(&mut self, effects: &[Effect]) {
        if let (Some((words, _)), Some(more)) = (&mut self.notice, &self.settings.copies)
            && effects.iter().any(|effect| matches!(effect, Effect::Copy(_)))
        {
            *words = format!("{more}: {words}");
        }
    }

    /// Lets the view lay itself out and request what the screen lacks. Each message can change the layout, so this
    /// follows every one.
    fn settle(&mut self, effects: &mut Vec<Effect>) {
        let step = self.views.settle(&self.ctx);
        self.take(step, effects);
        self.order_fleet(effects);
    }

    /// The filter made absolute.
    pub fn criteria(&self) -> Criteria {
        self.ctx.criteria()
    }

    /// Runs all queries that depend on the filter, and follows it. The tail's new order has a new generation, so that
    /// rows of the old one are dropped. Relative times are counted from now.
    fn start_queries(&mut self, effects: &mut Vec<Effect>) {
        self.tail.retry = clock::Retry::default();
        self.ctx.as_of = self.ctx.now;
        let step = self.views.start(&self.ctx);
        self.take(step, effects);
        self.tail.generation += 1;
        self.tail.begun = false;
        let (generation, criteria) = (self.tail.generation, self.criteria().live());
        effects.push(Effect::Tail(TailOrder { generation, criteria, start: TailStart::Overlapping, whole: false }));
        self.survey(true, effects);
    }

    /// Runs all queries again without moving the cursor.
    fn refresh(&mut self, effects: &mut Vec<Effect>) {
        self.ctx.as_of = self.ctx.now;
        let step = self.views.refresh(&self.ctx);
        self.take(step, effects);
        self.survey(false, effects);
        effects.push(self.describe());
    }

    /// The query for the source's description: its address, abilities, and oldest and newest row.
    fn describe(&mut self) -> Effect {
        Effect::Send(self.ctx.source.request(Query::Describe, std::time::Duration::ZERO))
    }

    /// Shows a notice for [`NOTICE`], in place of an earlier one.
    fn say(&mut self, words: impl Into<String>) {
        self.notice = Some((words.into(), self.ctx.now.plus(NOTICE)));
    }
    /// What the footer reports at the moment.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_ref().map(|(words, _)| words.as_str())
    }

    /// Whether any query is in flight.
    pub fn is_busy(&self) -> bool {
        self.views.is_busy()
    }

    /// Whether the database has answered anything yet. Quitting before that is reported as an unreachable database.
    pub fn was_answered(&self) -> bool {
        self.views.was_answered() || self.ctx.source.value().is_some()
    }

    /// Why the screen cannot be trusted at this moment, and since when.
    pub fn trouble(&self) -> Option<(&SourceError, Option<Instant>)> {
        if let Link::Away { since, error, .. } = &self.ctx.link {
            return Some((error, Some(*since)));
        }
        self.views.error().map(|error| (error, None))
    }
}
