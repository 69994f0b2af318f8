//! The views: one folder each. The closed enum [`View`] is all that the shell knows of them; the table [`VIEWS`] names them.
//!
//! A view takes actions, replies and live rows, reads the [`Ctx`], and returns a [`Step`]. It names no other view and not
//! the shell; it draws in `ctx.body` and nowhere else.

pub mod events;

use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::{Candidates, Criteria, Filter};
use crate::domain::instant::{Instant, Span};
use crate::protocol::{Reply, SourceError, Ticket};
use crate::ui::action::{Action, Hint};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::skin::Skin;

use events::Events;
use events::columns::EventColumns;

/// What the table of views says of one.
#[derive(Debug)]
pub struct ViewSpec {
    /// Its name, in lower case, without spaces.
    pub id: &'static str,
    /// What it shows.
    pub title: &'static str,
}

/// Every view. A new one is a line here, a variant of [`View`], and a folder. While there is one view, nothing reads this
/// table: no key and no command chooses between views.
pub const VIEWS: [ViewSpec; 1] = [ViewSpec { id: "events", title: "renewal events, newest first" }];

/// One view with its state.
#[derive(Clone, Debug)]
pub enum View {
    /// The event list. Boxed, so that moving a `View` moves a pointer.
    Events(Box<Events>),
}

/// What the configuration chooses for each view.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The columns that the event list shows.
    pub events: EventColumns,
}

/// What a view wants after a message.
#[derive(Clone, PartialEq, Debug, Default)]
#[must_use = "a step does nothing unless the shell takes it"]
pub struct Step {
    /// Queries to send or to cancel, and other wishes, in this order. Nothing happens until the event loop performs
    /// them.
    pub effects: Vec<Effect>,
    /// Where the shell goes after it has taken the effects; `None`: nowhere.
    pub go: Option<Go>,
    /// Shown in the footer for some seconds.
    pub notice: Option<String>,
}

/// Where a view sends the shell.
#[derive(Clone, PartialEq, Debug)]
pub enum Go {
    /// Puts another filter in force.
    Filter(Filter),
    /// Back to where the user came from; at the root, out of the program.
    Back,
}

impl Step {
    /// Another filter, and nothing else.
    pub fn filter(filter: Filter) -> Self {
        Self { go: Some(Go::Filter(filter)), ..Self::default() }
    }
    /// A notice, and nothing else.
    pub fn say(notice: impl Into<String>) -> Self {
        Self { notice: Some(notice.into()), ..Self::default() }
    }
    /// Effects, and nothing else.
    pub fn send(effects: impl IntoIterator<Item = Effect>) -> Self {
        Self { effects: effects.into_iter().collect(), ..Self::default() }
    }
    /// This step with another one's wishes added; the later notice and direction win.
    pub fn and(mut self, next: Self) -> Self {
        self.effects.extend(next.effects);
        Self { effects: self.effects, go: next.go.or(self.go), notice: next.notice.or(self.notice) }
    }
}

/// How the view's rows relate to new ones, for the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Following {
    /// New rows appear on screen as they come.
    pub on: bool,
    /// Rows that came while they do not.
    pub arrived: u64,
}

/// A column in the dialog that chooses them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColumnChoice {
    /// The name that the configuration uses.
    pub id: &'static str,
    /// What the column shows, for the dialog.
    pub title: &'static str,
    /// Whether the user wants the column. A wanted column is still hidden where the terminal is too narrow for it.
    pub wanted: bool,
}

/// Calls the same method of whichever view this is.
macro_rules! each {
    ($self:ident, $view:ident => $call:expr) => {
        match $self {
            Self::Events($view) => $call,
        }
    };
}

impl View {
    /// The view that the console opens on.
    pub fn first(choices: Choices) -> Self {
        Self::Events(Box::new(Events::new(choices.events)))
    }
    /// This view's line in [`VIEWS`].
    pub fn spec(&self) -> &'static ViewSpec {
        let [events] = &VIEWS;
        match self {
            Self::Events(_) => events,
        }
    }
    /// Runs all queries of the view under a new filter.
    pub fn start(&mut self, ctx: &Ctx) -> Step {
        each!(self, v => v.start(ctx))
    }
    /// Runs all queries again without moving the cursor.
    pub fn refresh(&mut self, ctx: &Ctx) -> Step {
        each!(self, v => v.refresh(ctx))
    }
    /// Performs an action that is not the shell's own.
    pub fn act(&mut self, action: Action, ctx: &Ctx) -> Step {
        each!(self, v => v.act(action, ctx))
    }
    /// Offers a key to a line of text that is being typed in the view; `None` if the key is not for it.
    pub fn typed(&mut self, key: KeyEvent, ctx: &Ctx) -> Option<Step> {
        each!(self, v => v.typed(key, ctx))
    }
    /// Pasted text, for the line that is being typed. It is never read as keys.
    pub fn paste(&mut self, text: &str, ctx: &Ctx) -> Step {
        each!(self, v => v.paste(text, ctx))
    }
    /// Whether the view waits for this reply.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        each!(self, v => v.awaits(ticket))
    }
    /// Takes a reply that it [awaits](Self::awaits).
    pub fn reply(&mut self, reply: Reply, ctx: &Ctx) -> Step {
        each!(self, v => v.reply(reply, ctx))
    }
    /// The source was described, perhaps for the first time.
    pub fn described(&mut self, ctx: &Ctx) -> Step {
        each!(self, v => v.described(ctx))
    }
    /// Takes rows of the tail, newest first; returns how many `new` ones belong to the view and were not there before.
    pub fn arrive(&mut self, rows: Vec<Arc<RenewalEvent>>, new: bool, ctx: &Ctx) -> u64 {
        each!(self, v => v.arrive(rows, new, ctx))
    }
    /// The filter's relative times have moved on; `before` are the criteria of what is on screen.
    pub fn slide(&mut self, before: &Criteria, ctx: &Ctx) -> Step {
        each!(self, v => v.slide(before, ctx))
    }
    /// Time has passed. Whether that changes what is on screen is [`ages`](Self::ages)' to say.
    pub fn tick(&mut self, ctx: &Ctx) -> Step {
        each!(self, v => v.tick(ctx))
    }
    /// Whether a second changes what is on screen.
    pub fn ages(&self, ctx: &Ctx) -> bool {
        each!(self, v => v.ages(ctx))
    }
    /// Lays the view out for the region and the focus, and requests what the screen lacks.
    pub fn settle(&mut self, ctx: &Ctx) -> Step {
        each!(self, v => v.settle(ctx))
    }
    /// Gives up the queries in flight.
    pub fn cancel(&mut self) -> Step {
        each!(self, v => v.cancel())
    }
    /// Whether a query of the view is in flight. The key that cancels quits the program if none is.
    pub fn is_busy(&self) -> bool {
        each!(self, v => v.is_busy())
    }
    /// Whether the view has ever had an answer.
    pub fn was_answered(&self) -> bool {
        each!(self, v => v.was_answered())
    }
    /// Why its rows could not be read.
    pub fn error(&self) -> Option<&SourceError> {
        each!(self, v => v.error())
    }
    /// Whether new rows appear as they come, and how many came while they did not.
    pub fn following(&self) -> Following {
        each!(self, v => v.following())
    }
    /// Words that complete a filter being typed, as far as the view knows some.
    pub fn candidates(&self) -> Candidates {
        each!(self, v => v.candidates())
    }
    /// Goes to the newest row at or before an instant.
    pub fn jump(&mut self, at: Instant, ctx: &Ctx) -> Step {
        each!(self, v => v.jump(at, ctx))
    }
    /// The usual time between two events, if the view knows it.
    pub fn usual_gap(&self) -> Option<Span> {
        each!(self, v => v.usual_gap())
    }
    /// Whether `/` searches within the view instead of editing the filter.
    pub fn narrows(&self) -> bool {
        each!(self, v => v.narrows())
    }
    /// The keys that matter where the focus is.
    pub fn hints(&self) -> &'static [Hint] {
        each!(self, v => v.hints())
    }
    /// The columns to choose from; empty if there is no choice.
    pub fn columns(&self) -> Vec<ColumnChoice> {
        each!(self, v => v.column_choices())
    }
    /// Shows or hides a column by its place in [`columns`](Self::columns).
    pub fn toggle_column(&mut self, at: usize) -> Step {
        each!(self, v => v.toggle_column(at))
    }
    /// Draws the view into `ctx.body`; returns where the cursor is while text is typed.
    pub fn draw(&self, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) -> Option<Position> {
        each!(self, v => v.draw(ctx, skin, buf))
    }
    /// The place in the result for the query bar (`170 of 1,284`), and whether it is stale.
    pub fn place(&self, ctx: &Ctx, skin: &Skin) -> (String, bool) {
        each!(self, v => v.place(ctx, skin))
    }
}
