//! Errors by signature: how many devices still fail with each, since when, and whether it is new.
//!
//! The groups come from the survey of the filter's range. Enter lists the events of one.

mod draw;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use crate::domain::filter::Filter;
use crate::domain::format;
use crate::domain::signature::SigId;
use crate::domain::survey::{ErrorGroup, families};
use crate::ui::action::Hint::Keys;
use crate::ui::action::{Action, Hint};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::grid::Grid;
use crate::ui::skin::Skin;
use crate::ui::table::Columns;

use super::screen::Screen;
use super::{ColumnChoice, Go, Step};

/// The view's state.
#[derive(Clone, Debug)]
pub struct Errors {
    /// The groups, each known by its first signature.
    grid: Grid<Option<SigId>>,
    /// For each line, the places of its groups in the report.
    lines: Vec<Vec<usize>>,
    /// Signatures that differ in one word are one line.
    joined: bool,
    columns: Columns<draw::Column>,
}

impl Default for Errors {
    fn default() -> Self {
        Self { grid: Grid::default(), lines: Vec::new(), joined: false, columns: Columns::whole(&draw::COLUMNS) }
    }
}

impl Errors {
    /// Takes what the survey has found.
    pub fn known(&mut self, ctx: &Ctx) {
        let groups = ctx.known.survey.value().map(|found| found.report.errors.as_slice()).unwrap_or_default();
        self.lines = if self.joined { families(groups) } else { (0..groups.len()).map(|at| vec![at]).collect() };
        let key = |line: &Vec<usize>| line.first().and_then(|at| groups.get(*at)).and_then(|group| group.sig);
        self.grid.set(self.lines.iter().map(key).collect());
    }

    /// The groups of a line.
    fn groups<'a>(&self, at: usize, ctx: &'a Ctx) -> Vec<&'a ErrorGroup> {
        let all = ctx.known.survey.value().map(|found| found.report.errors.as_slice()).unwrap_or_default();
        self.lines.get(at).into_iter().flatten().filter_map(|place| all.get(*place)).collect()
    }

    /// The groups of the line under the cursor.
    fn selected<'a>(&self, ctx: &'a Ctx) -> Vec<&'a ErrorGroup> {
        self.grid.cursor().map(|at| self.groups(at, ctx)).unwrap_or_default()
    }

    /// The filter of the events of the line under the cursor, or of all others.
    fn narrowed(&self, include: bool, ctx: &Ctx) -> Option<Filter> {
        let groups = self.selected(ctx);
        let ids: Vec<String> = groups.iter().filter_map(|group| group.sig).map(|sig| sig.to_string()).collect();
        let term = match (ids.is_empty(), include) {
            _ if groups.is_empty() => return None,
            (true, true) => "type:failed -sig:*".to_owned(),
            (true, false) => "sig:*".to_owned(),
            (false, true) => format!("sig:{}", ids.join(",")),
            (false, false) => format!("-sig:{}", ids.join(",")),
        };
        let filter = ctx.filter.to_string();
        // Its last term again would say nothing new.
        if filter == term || filter.ends_with(&format!(" {term}")) {
            return Some(ctx.filter.clone());
        }
        Filter::parse(&format!("{filter} {term}")).ok()
    }
}

impl Screen for Errors {
    fn start(&mut self, ctx: &Ctx) -> Step {
        self.known(ctx);
        Step::default()
    }
    fn act(&mut self, action: Action, ctx: &Ctx) -> Step {
        if self.grid.moves(action) {
            return Step::default();
        }
        match action {
            Action::Open => self.narrowed(true, ctx).map_or_else(Step::default, |filter| Step::go(Go::Rows(filter))),
            Action::Include => self.narrowed(true, ctx).map_or_else(Step::default, Step::filter),
            Action::Exclude => self.narrowed(false, ctx).map_or_else(Step::default, Step::filter),
            Action::Families => {
                self.joined = !self.joined;
                self.known(ctx);
                Step::say(if self.joined {
                    "signatures that differ in one word are joined; what a filter names stays the single one"
                } else {
                    "each signature by itself"
                })
            }
            Action::Copy => match self.selected(ctx).first() {
                Some(group) => Step {
                    effects: vec![Effect::Copy(crate::domain::text::Clean::line(&group.signature))],
                    notice: Some("copied the signature".to_owned()),
                    ..Step::default()
                },
                None => Step::default(),
            },
            Action::Sort => Step::say("sorted by devices that still fail, then by the least time left of these"),
            Action::Close => Step::go(Go::Leave),
            Action::Back => Step::go(Go::Back),
            _ => Step::default(),
        }
    }
    fn settle(&mut self, ctx: &Ctx) -> Step {
        self.grid.fit(usize::from(draw::regions(ctx.body).table.height.saturating_sub(1)));
        Step::default()
    }
    fn was_answered(&self) -> bool {
        !self.grid.is_empty()
    }
    fn hints(&self) -> &'static [Hint] {
        &[
            Keys(&[Action::Open], "its events"),
            Keys(&[Action::Include, Action::Exclude], "only, without"),
            Keys(&[Action::Families], "join alike"),
            Keys(&[Action::EditFilter], "filter"),
            Keys(&[Action::NextView], "attempts"),
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
        let n = self.lines.len() as u64;
        let words = if n == 1 { "1 error".to_owned() } else { format!("{} errors", format::count(n)) };
        let known = &ctx.known.survey;
        (if known.value().is_some() { words } else { String::new() }, known.is_stale())
    }
}
