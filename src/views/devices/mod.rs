//! All devices by the time that is left: who goes dark first, who fails, who is silent.
//!
//! The fleet is kept by the background sweep; this view orders the lines around its cursor and draws them. The filter's
//! clauses on organizations and devices apply; the others are of events, and the head says that they do not.

mod draw;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use crate::domain::device::State;
use crate::domain::event::Id;
use crate::domain::filter::Field;
use crate::domain::filter::criteria::Check;
use crate::domain::fleet::{Line, Order, Selection, Sort, Word};
use crate::domain::format;
use crate::protocol::SourceError;
use crate::protocol::survey::FleetView;
use crate::ui::action::Hint::Keys;
use crate::ui::action::{Action, Hint};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::skin::Skin;
use crate::ui::table::Columns;
use crate::ui::viewport::Viewport;

use super::screen::Screen;
use super::{ColumnChoice, FleetWish, Go, Step, Subject};

/// Lines are ordered in steps of this many, so that a cursor that moves by one orders nothing new.
const STEP: usize = 100;

/// The view's state.
#[derive(Clone, Debug)]
pub struct Devices {
    /// Over all selected devices, of which only those around the cursor are here.
    port: Viewport,
    order: Order,
    /// Only devices that fail, are silent or have expired.
    at_risk: bool,
    /// The device under the cursor, once the user has moved: it stays under the cursor.
    held: Option<Id>,
    total: usize,
    columns: Columns<draw::Column>,
}

impl Default for Devices {
    fn default() -> Self {
        let order = Order { by: Sort::Dark, inverse: false };
        Self {
            port: Viewport::default(),
            order,
            at_risk: false,
            held: None,
            total: 0,
            columns: Columns::whole(&draw::COLUMNS),
        }
    }
}

impl Devices {
    /// Which lines of the fleet it shows.
    pub fn wish(&self) -> FleetWish {
        let first = (self.port.offset / STEP * STEP).saturating_sub(STEP);
        let words = || [Word::Failing, Word::Is(State::Silent), Word::Is(State::Expired)].to_vec();
        FleetWish {
            states: self.at_risk.then(words),
            order: self.order,
            from: first,
            lines: self.port.height + 3 * STEP,
            these: Vec::new(),
        }
    }

    /// Takes what is known of the fleet.
    pub fn known(&mut self, ctx: &Ctx) {
        let Some(view) = ctx.known.fleet.value().filter(|_| !ctx.known.fleet.is_stale()) else { return };
        self.total = view.total;
        let here = |id: &Id| view.lines.iter().position(|line| line.member.id() == id).map(|at| view.from + at);
        if let Some(at) = self.held.as_ref().and_then(here) {
            let above = self.port.cursor.saturating_sub(self.port.offset);
            self.port.cursor = at;
            self.port.offset = at.saturating_sub(above);
        }
        self.port.settle(self.total);
    }

    /// The line with a place among all selected devices, if it is here.
    fn line<'a>(&self, at: usize, ctx: &'a Ctx) -> Option<&'a Line> {
        let view: &'a FleetView = ctx.known.fleet.value()?;
        view.lines.get(at.checked_sub(view.from)?)
    }

    /// The line under the cursor.
    fn selected<'a>(&self, ctx: &'a Ctx) -> Option<&'a Line> {
        self.line(self.port.cursor, ctx)
    }

    /// Moves the cursor; `None` if the action is no move.
    fn moves(&mut self, action: Action, ctx: &Ctx) -> Option<Step> {
        let by = self.port.by(action)?;
        self.port.step(by, self.total);
        self.port.settle(self.total);
        let held = self.selected(ctx).map(|line| line.member.id().clone());
        self.held = if action == Action::Top { None } else { held };
        Some(Step::default())
    }

    /// Another order; the cursor goes to its first line.
    fn sort(&mut self, order: Order) -> Step {
        self.order = order;
        (self.held, self.port.cursor, self.port.offset) = (None, 0, 0);
        let inverse = if order.inverse { ", inverted" } else { "" };
        Step::say(format!("sorted by {}{inverse}", draw::sort_words(order.by)))
    }

    /// Changes the filter by the device under the cursor.
    fn narrow(&self, include: bool, ctx: &Ctx) -> Step {
        let Some(line) = self.selected(ctx) else { return Step::default() };
        let word = line.member.name.as_ref().map_or_else(|| line.member.id().raw(), |name| name.raw().to_owned());
        let mut filter = ctx.filter.clone();
        filter.toggle(Field::Device, Some(&word), include);
        Step::filter(filter)
    }
}

/// Whether a part of the filter in force does not apply to devices.
fn leaves_out(ctx: &Ctx) -> bool {
    let (_, rest) = Selection::of(&ctx.criteria());
    // That devices are shown as they stand now, and not in the range, surprises nobody.
    rest.iter().any(|clause| !matches!(clause.check, Check::Time { .. } | Check::NotAhead(_)))
}

impl Screen for Devices {
    fn start(&mut self, _: &Ctx) -> Step {
        (self.held, self.port.cursor, self.port.offset) = (None, 0, 0);
        Step::default()
    }
    fn refresh(&mut self, _: &Ctx) -> Step {
        Step::default()
    }
    fn act(&mut self, action: Action, ctx: &Ctx) -> Step {
        if let Some(step) = self.moves(action, ctx) {
            return step;
        }
        match action {
            Action::Open | Action::Device => match self.selected(ctx) {
                Some(line) => {
                    Step::go(Go::Device(Subject { id: line.member.id().clone(), name: line.member.name.clone() }))
                }
                None => Step::say("no device here"),
            },
            Action::Sort => {
                let at = Sort::ALL.iter().position(|sort| *sort == self.order.by).unwrap_or(0);
                let by = Sort::ALL.get((at + 1) % Sort::ALL.len()).copied().unwrap_or_default();
                self.sort(Order { by, inverse: false })
            }
            Action::Invert => self.sort(Order { inverse: !self.order.inverse, ..self.order }),
            Action::Failures => {
                self.at_risk = !self.at_risk;
                (self.held, self.port.cursor, self.port.offset) = (None, 0, 0);
                Step::say(if self.at_risk { "failing, silent and expired devices" } else { "all devices" })
            }
            Action::Include => self.narrow(true, ctx),
            Action::Exclude => self.narrow(false, ctx),
            Action::Copy => match self.selected(ctx) {
                Some(line) => Step {
                    effects: vec![Effect::Copy(line.member.id().clean())],
                    notice: Some("copied the device's id".to_owned()),
                    ..Step::default()
                },
                None => Step::default(),
            },
            Action::Close => Step::go(Go::Leave),
            Action::Back => Step::go(Go::Back),
            _ => Step::default(),
        }
    }
    fn ages(&self, ctx: &Ctx) -> bool {
        let near = |line: &Line| line.runway.is_some_and(|left| left.abs() < format::TO_THE_SECOND);
        let on_screen = self.port.offset..self.port.offset + self.port.height;
        on_screen.filter_map(|at| self.line(at, ctx)).any(near)
    }
    fn settle(&mut self, ctx: &Ctx) -> Step {
        self.port.height = usize::from(draw::regions(ctx.body).table.height.saturating_sub(1));
        self.port.settle(self.total);
        Step::default()
    }
    fn was_answered(&self) -> bool {
        self.total > 0
    }
    fn error(&self) -> Option<&SourceError> {
        None
    }
    fn hints(&self) -> &'static [Hint] {
        &[
            Keys(&[Action::Open], "device"),
            Keys(&[Action::Failures], "failing and silent"),
            Keys(&[Action::Sort], "sort"),
            Keys(&[Action::EditFilter], "filter"),
            Keys(&[Action::Include, Action::Exclude], "this device"),
            Keys(&[Action::NextView], "errors"),
            Keys(&[Action::Close], "back"),
            Keys(&[Action::Help], "help"),
        ]
    }
    fn column_choices(&self) -> Vec<ColumnChoice> {
        ColumnChoice::of(&self.columns)
    }
    fn toggle_column(&mut self, at: usize) -> Step {
        self.columns.toggle(at);
        Step::default()
    }
    fn draw(&self, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) -> Option<Position> {
        draw::draw(self, ctx, skin, buf);
        None
    }
    fn place(&self, ctx: &Ctx, _: &Skin) -> (String, bool) {
        let Some(view) = ctx.known.fleet.value() else { return (String::new(), false) };
        let total = format::count(view.total as u64);
        let so_far = if view.whole { "" } else { " so far" };
        let words = match self.held {
            Some(_) => format!("{} of {total}{so_far}", format::count(self.port.cursor as u64 + 1)),
            None => format!("{total} devices{so_far}"),
        };
        (words, ctx.known.fleet.is_stale())
    }
}
