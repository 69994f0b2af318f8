//! What the shell needs of a view, with what most views do: nothing. The event list has all of it as its own methods.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::{Candidates, Criteria};
use crate::domain::instant::{Instant, Span};
use crate::protocol::{Reply, SourceError, Ticket};
use crate::ui::action::{Action, Hint};
use crate::ui::ctx::Ctx;
use crate::ui::skin::Skin;

use super::{ColumnChoice, Following, Step};

/// A view as the shell calls it; [`Views`](super::Views) says what each method is for.
pub trait Screen {
    fn start(&mut self, ctx: &Ctx) -> Step;
    fn refresh(&mut self, ctx: &Ctx) -> Step {
        self.start(ctx)
    }
    fn act(&mut self, action: Action, ctx: &Ctx) -> Step;
    fn typed(&mut self, _: KeyEvent, _: &Ctx) -> Option<Step> {
        None
    }
    fn paste(&mut self, _: &str, _: &Ctx) -> Step {
        Step::default()
    }
    fn awaits(&self, _: Ticket) -> bool {
        false
    }
    fn reply(&mut self, _: Reply, _: &Ctx) -> Step {
        Step::default()
    }
    fn described(&mut self, _: &Ctx) -> Step {
        Step::default()
    }
    fn arrive(&mut self, _: Vec<Arc<RenewalEvent>>, _: bool, _: &Ctx) -> u64 {
        0
    }
    fn slide(&mut self, _: &Criteria, _: &Ctx) -> Step {
        Step::default()
    }
    fn tick(&mut self, _: &Ctx) -> Step {
        Step::default()
    }
    fn ages(&self, _: &Ctx) -> bool {
        false
    }
    fn settle(&mut self, ctx: &Ctx) -> Step;
    fn cancel(&mut self) -> Step {
        Step::default()
    }
    fn is_busy(&self) -> bool {
        false
    }
    fn was_answered(&self) -> bool {
        false
    }
    fn error(&self) -> Option<&SourceError> {
        None
    }
    fn following(&self) -> Following {
        Following { on: true, arrived: 0 }
    }
    fn candidates(&self) -> Candidates {
        Candidates::default()
    }
    fn jump(&mut self, _: Instant, _: &Ctx) -> Step {
        Step::say("only the event list goes to a time; 'v' changes the view")
    }
    fn usual_gap(&self) -> Option<Span> {
        None
    }
    fn narrows(&self) -> bool {
        false
    }
    fn hints(&self) -> &'static [Hint];
    fn column_choices(&self) -> Vec<ColumnChoice> {
        Vec::new()
    }
    fn toggle_column(&mut self, _: usize) -> Step {
        Step::default()
    }
    fn draw(&self, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) -> Option<Position>;
    fn place(&self, ctx: &Ctx, skin: &Skin) -> (String, bool);
}
