//! Attempts: from start to outcome, paired by device and time.
//!
//! They come from the survey of the filter's range, which keeps the newest of each state; the totals in the head count all.

mod draw;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use crate::domain::attempt::State;
use crate::domain::event::Id;
use crate::domain::filter::{Field, Filter};
use crate::domain::format;
use crate::protocol::survey::Listed;
use crate::ui::action::Hint::Keys;
use crate::ui::action::{Action, Hint};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::grid::Grid;
use crate::ui::skin::Skin;
use crate::ui::table::Columns;

use super::screen::Screen;
use super::{ColumnChoice, Go, Step, Subject};

/// The view's state.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// The attempts, each known by its first row.
    grid: Grid<Id>,
    /// For each line, its place among the attempts of the survey.
    lines: Vec<usize>,
    /// Only attempts that failed or stalled.
    troubled: bool,
    /// The devices of the lines on screen.
    devices: Vec<Id>,
    columns: Columns<draw::Column>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            grid: Grid::default(),
            lines: Vec::new(),
            troubled: false,
            devices: Vec::new(),
            columns: Columns::whole(&draw::COLUMNS),
        }
    }
}

impl Attempts {
    /// Takes what the survey has found.
    pub fn known(&mut self, ctx: &Ctx) {
        let all = ctx.known.survey.value().map(|found| found.attempts.as_slice()).unwrap_or_default();
        let troubled = |listed: &Listed| matches!(listed.attempt.state, State::Failed | State::Stalled);
        let shown = all.iter().enumerate().filter(|(_, listed)| !self.troubled || troubled(listed));
        self.lines = shown.map(|(at, _)| at).collect();
        let key = |at: &usize| all.get(*at).map(|listed| key(&listed.attempt));
        self.grid.set(self.lines.iter().filter_map(key).collect());
    }

    /// The attempt of a line.
    fn line<'a>(&self, at: usize, ctx: &'a Ctx) -> Option<&'a Listed> {
        ctx.known.survey.value()?.attempts.get(*self.lines.get(at)?)
    }

    /// The attempt under the cursor.
    fn selected<'a>(&self, ctx: &'a Ctx) -> Option<&'a Listed> {
        self.line(self.grid.cursor()?, ctx)
    }

    /// The devices on screen.
    pub fn devices_on_screen(&self) -> Vec<Id> {
        self.devices.clone()
    }

    /// The filter of the rows of the device under the cursor.
    fn rows(&self, ctx: &Ctx) -> Option<Filter> {
        let id = &self.selected(ctx)?.attempt.device;
        let name = ctx.known.device(id).and_then(|line| line.member.name.as_ref());
        let word = name.map_or_else(|| id.raw(), |name| name.raw().to_owned());
        let mut filter = ctx.filter.clone();
        filter.only(Field::Device, Some(&word));
        Some(filter)
    }
}

/// The first row of an attempt, which tells it apart.
fn key(attempt: &crate::domain::attempt::Attempt) -> Id {
    let first = attempt.start.as_ref().or(attempt.end.as_ref().map(|(mark, _)| mark));
    first.map_or_else(|| attempt.device.clone(), |mark| mark.id.clone())
}

impl Screen for Attempts {
    fn start(&mut self, ctx: &Ctx) -> Step {
        self.known(ctx);
        Step::default()
    }
    fn act(&mut self, action: Action, ctx: &Ctx) -> Step {
        if self.grid.moves(action) {
            return Step::default();
        }
        match action {
            Action::Device => match self.selected(ctx) {
                Some(listed) => {
                    let id = listed.attempt.device.clone();
                    let name = ctx.known.device(&id).and_then(|line| line.member.name.clone());
                    Step::go(Go::Device(Subject { id, name }))
                }
                None => Step::say("no device here"),
            },
            Action::Open => self.rows(ctx).map_or_else(Step::default, |filter| Step::go(Go::Rows(filter))),
            Action::Include => self.rows(ctx).map_or_else(Step::default, Step::filter),
            Action::Failures => {
                self.troubled = !self.troubled;
                self.known(ctx);
                Step::say(if self.troubled { "attempts that failed or stalled" } else { "all attempts" })
            }
            Action::NextFailure | Action::PrevFailure => self.seek(action == Action::NextFailure, ctx),
            Action::Copy => match self.selected(ctx) {
                Some(listed) => Step {
                    effects: vec![Effect::Copy(key(&listed.attempt).clean())],
                    notice: Some("copied the id of its first event".to_owned()),
                    ..Step::default()
                },
                None => Step::default(),
            },
            Action::Sort => Step::say("sorted by the start, newest first"),
            Action::Close => Step::go(Go::Leave),
            Action::Back => Step::go(Go::Back),
            _ => Step::default(),
        }
    }
    fn settle(&mut self, ctx: &Ctx) -> Step {
        self.grid.fit(usize::from(draw::regions(ctx.body).table.height.saturating_sub(1)));
        let port = self.grid.port;
        let shown = (port.offset..port.offset + port.height).filter_map(|at| self.line(at, ctx));
        let mut devices: Vec<Id> = shown.map(|listed| listed.attempt.device.clone()).collect();
        devices.sort_unstable();
        devices.dedup();
        self.devices = devices;
        Step::default()
    }
    fn ages(&self, ctx: &Ctx) -> bool {
        let port = self.grid.port;
        let open = |at| self.line(at, ctx).is_some_and(|listed| listed.attempt.state == State::InFlight);
        (port.offset..port.offset + port.height).any(open)
    }
    fn was_answered(&self) -> bool {
        !self.grid.is_empty()
    }
    fn hints(&self) -> &'static [Hint] {
        &[
            Keys(&[Action::Device], "device"),
            Keys(&[Action::Open], "its events"),
            Keys(&[Action::Failures], "failed and stalled"),
            Keys(&[Action::NextFailure], "next failed"),
            Keys(&[Action::EditFilter], "filter"),
            Keys(&[Action::NextView], "events"),
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
    fn place(&self, ctx: &Ctx, skin: &Skin) -> (String, bool) {
        let Some(found) = ctx.known.survey.value() else { return (String::new(), false) };
        let all = found.report.attempts.all;
        let listed = self.lines.len() as u64;
        let words = if self.troubled || listed >= all {
            format!("{} attempts", format::count(listed))
        } else {
            format!("{} attempts {} newest {} listed", format::count(all), skin.glyphs.dot, format::count(listed))
        };
        (words, ctx.known.survey.is_stale())
    }
}

impl Attempts {
    /// Goes to the next line that failed or stalled, downwards or upwards.
    fn seek(&mut self, down: bool, ctx: &Ctx) -> Step {
        let troubled =
            |at: usize| self.line(at, ctx).is_some_and(|l| matches!(l.attempt.state, State::Failed | State::Stalled));
        let at = self.grid.port.cursor;
        let found = if down {
            (at + 1..self.lines.len()).find(|at| troubled(*at))
        } else {
            (0..at).rev().find(|at| troubled(*at))
        };
        match found {
            Some(to) => {
                self.grid.go(to);
                Step::default()
            }
            None => Step::say("no further failed attempt"),
        }
    }
}
