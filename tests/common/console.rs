//! Drives the console's state machine on a source in memory, without tasks and without a clock.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use renewscope::console::alert::Alert;
use renewscope::console::msg::Msg;
use renewscope::console::settings::{Settings, Start};
use renewscope::console::{Layer, Model};
use renewscope::domain::filter::Filter;
use renewscope::domain::instant::Span;
use renewscope::domain::zone::Zone;
use renewscope::protocol::survey::{FleetNews, FleetOrder, SurveyNews, SurveyOrder};
use renewscope::protocol::tail::{Batch, TailEvent, TailNews};
use renewscope::protocol::{Reply, Request};
use renewscope::ui::effect::Effect;
use renewscope::ui::effect::Means;
use renewscope::ui::skin::Skin;
use renewscope::views::Choices;
use renewscope::views::events::Events;
use renewscope::views::events::columns::default_columns;

use super::background;
use super::fleet;
use super::memory::Memory;

pub struct Console {
    pub model: Model,
    pub memory: Memory,
    pub skin: Skin,
    /// Everything the model wanted of the world, apart from queries.
    pub effects: Vec<Effect>,
    /// Queries in flight, while answering is held back.
    pub pending: Vec<Request>,
    pub hold: bool,
    /// The background tasks report nothing.
    pub idle: bool,
    /// The survey that was ordered last.
    pub ordered: Option<u64>,
    survey: Option<SurveyOrder>,
    fleet: Option<FleetOrder>,
    pub sent: Vec<Request>,
}

impl Console {
    pub fn new(memory: Memory, size: (u16, u16)) -> Self {
        Self::with(memory, size, "", Skin::new(true, false, false))
    }
    pub fn with(memory: Memory, size: (u16, u16), filter: &str, skin: Skin) -> Self {
        let start = Start {
            title: "fleet.db".into(),
            reach: "--db sqlite:fleet.db".into(),
            filter: Filter::parse(filter).unwrap(),
            zone: Zone::Utc,
            notice: None,
            history: Vec::new(),
            choices: Choices { events: default_columns() },
            size,
            settings: Settings {
                other_zone: Zone::parse("Europe/Berlin").unwrap(),
                views: Vec::new(),
                databases: vec!["staging".into()],
                keymap: Default::default(),
                policy: None,
                patience: Default::default(),
                alert: Some(Alert { filter: Filter::parse("type:failed org:acme").unwrap(), means: Means::Bell }),
                copies: None,
            },
        };
        let (model, effects) = Model::new(start, fleet::now());
        let mut console = Self {
            model,
            memory,
            skin,
            effects: Vec::new(),
            pending: Vec::new(),
            hold: false,
            idle: false,
            ordered: None,
            survey: None,
            fleet: None,
            sent: Vec::new(),
        };
        console.carry_out(effects);
        console
    }

    /// One poll of the tail, after a first one that found nothing.
    pub fn poll(&mut self, batch: Batch) {
        let generation = self.model.tail.generation;
        if !self.model.tail.begun {
            self.send(Msg::Tail(TailEvent { generation, news: TailNews::Batch(Batch::default()) }));
        }
        self.send(Msg::Tail(TailEvent { generation, news: TailNews::Batch(batch) }));
    }
    /// The event view.
    pub fn events(&self) -> &Events {
        self.model.views.events()
    }
    /// The text of the open filter editor.
    pub fn typed(&self) -> String {
        match &self.model.layer {
            Some(Layer::Filter(edit)) => edit.input.value().to_owned(),
            other => panic!("no filter is being edited: {other:?}"),
        }
    }
    fn carry_out(&mut self, effects: Vec<Effect>) {
        self.perform(effects);
        if !self.hold {
            self.answer_all();
        }
    }
    /// Notes queries and wishes; the orders of the background tasks are performed at once, unless answers are held back.
    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(request) => {
                    self.sent.push(request.clone());
                    self.pending.push(request);
                }
                Effect::Survey(order) => {
                    self.ordered = Some(order.generation);
                    self.survey = Some(order);
                    self.report_survey();
                }
                Effect::Fleet(order) => {
                    self.fleet = Some(order);
                    self.report_fleet();
                }
                other => self.effects.push(other),
            }
        }
    }
    /// The survey as ordered last, unless the tasks report nothing.
    fn report_survey(&mut self) {
        let Some(order) = self.survey.clone().filter(|_| !self.hold && !self.idle) else { return };
        let outcome = background::survey(&self.memory, &order, self.model.ctx.now);
        let more = self.model.update(Msg::Survey(SurveyNews { generation: order.generation, outcome }));
        self.perform(more);
    }
    /// As [`report_survey`](Self::report_survey), for the fleet.
    fn report_fleet(&mut self) {
        let Some(order) = self.fleet.clone().filter(|_| !self.hold && !self.idle) else { return };
        let outcome = background::fleet(&self.memory, &order, self.model.ctx.now);
        let more = self.model.update(Msg::Fleet(FleetNews { generation: order.generation, outcome }));
        self.perform(more);
    }
    /// Answers the queries in flight, and those that follow from the answers.
    pub fn answer_all(&mut self) {
        while !self.pending.is_empty() {
            let request = self.pending.remove(0);
            let outcome = self.memory.evaluate(&request.query);
            let effects = self.model.update(Msg::Reply(Reply { ticket: request.ticket, outcome }));
            self.perform(effects);
        }
    }
    pub fn send(&mut self, msg: Msg) {
        let effects = self.model.update(msg);
        self.carry_out(effects);
    }
    /// Keys as they are written in the keymap, blank-separated: `j j Enter`; `'text'` types its letters.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for word in keys.split(' ').filter(|w| !w.is_empty()) {
            if let Some(text) = word.strip_prefix('\'') {
                for c in text.trim_end_matches('\'').chars() {
                    self.send(Msg::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
                }
                continue;
            }
            let (code, modifiers) = match word {
                "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
                "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
                "Tab" => (KeyCode::Tab, KeyModifiers::NONE),
                "S-Tab" => (KeyCode::BackTab, KeyModifiers::SHIFT),
                "Space" => (KeyCode::Char(' '), KeyModifiers::NONE),
                "PgDn" => (KeyCode::PageDown, KeyModifiers::NONE),
                "PgUp" => (KeyCode::PageUp, KeyModifiers::NONE),
                "Down" => (KeyCode::Down, KeyModifiers::NONE),
                "Up" => (KeyCode::Up, KeyModifiers::NONE),
                "BS" => (KeyCode::Backspace, KeyModifiers::NONE),
                w if w.starts_with("C-") => (KeyCode::Char(w.chars().last().unwrap()), KeyModifiers::CONTROL),
                w => (KeyCode::Char(w.chars().next().unwrap()), KeyModifiers::NONE),
            };
            self.send(Msg::Key(KeyEvent::new(code, modifiers)));
        }
        self
    }
    pub fn wait(&mut self, span: Span) {
        let now = self.model.ctx.now.plus(span);
        // The tasks report every few seconds.
        let reported = self.model.ctx.known.survey.value().map(|found| found.as_of);
        if reported.is_none_or(|at| at.plus(Span::seconds(50)) < now) {
            self.report_survey();
            self.report_fleet();
        }
        self.send(Msg::Tick(now));
    }
    pub fn screen(&self) -> String {
        let size = self.model.geometry.screen;
        let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
        terminal.draw(|frame| renewscope::console::draw::view(&self.model, &self.skin, frame)).unwrap();
        let text = terminal.backend().to_string();
        text.lines().map(|l| l.trim_matches('"').trim_end().to_owned() + "\n").collect()
    }
    pub fn selected_id(&self) -> Option<renewscope::domain::event::Id> {
        self.events().list.selected().map(|r| r.id.clone())
    }
}
