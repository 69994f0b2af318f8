//! The views: one folder each. [`Views`] is all that the shell knows of them; the table [`VIEWS`] names them.
//!
//! A view takes actions, replies and live rows, reads the [`Ctx`], and returns a [`Step`]. It names no other view and not
//! the shell; it draws in `ctx.body` and nowhere else.

pub mod attempts;
pub mod device;
pub mod devices;
pub mod errors;
pub mod events;
mod screen;
mod step;

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
use crate::ui::skin::Skin;

use attempts::Attempts;
use device::DevicePage;
use devices::Devices;
use errors::Errors;
use events::Events;
use events::columns::EventColumns;
use screen::Screen;

pub(crate) use step::set_preset;
pub use step::{ColumnChoice, FleetWish, Following, Go, Step, Subject};

/// A view, without its state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ViewId {
    /// The event list.
    #[default]
    Events,
    /// All devices by runway.
    Devices,
    /// Errors by signature.
    Errors,
    /// Attempts, paired from starts and outcomes.
    Attempts,
    /// One device. It needs a device to show, so no name opens it.
    Device,
}

/// What the table of views says of one.
#[derive(Debug)]
pub struct ViewSpec {
    /// Which one it is.
    pub id: ViewId,
    /// Its name in the palette and in the header, in lower case, without spaces.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
}

/// Every view, in the order in which one key walks through them. The palette and the header derive from it. A new view is a
/// line here, a variant of [`ViewId`], a field of [`Views`], and a folder.
pub const VIEWS: [ViewSpec; 5] = [
    ViewSpec { id: ViewId::Events, name: "events", title: "renewal events, newest first" },
    ViewSpec { id: ViewId::Devices, name: "devices", title: "devices by the time that is left" },
    ViewSpec { id: ViewId::Errors, name: "errors", title: "errors by signature" },
    ViewSpec { id: ViewId::Attempts, name: "attempts", title: "attempts, from start to outcome" },
    ViewSpec { id: ViewId::Device, name: "device", title: "one device: certificates and attempts" },
];

impl ViewId {
    /// This view's line in [`VIEWS`].
    pub fn spec(self) -> &'static ViewSpec {
        let [events, devices, errors, attempts, device] = &VIEWS;
        match self {
            Self::Events => events,
            Self::Devices => devices,
            Self::Errors => errors,
            Self::Attempts => attempts,
            Self::Device => device,
        }
    }
    /// The one behind this one; the page of a device is left out.
    pub const fn next(self) -> Self {
        match self {
            Self::Events => Self::Devices,
            Self::Devices => Self::Errors,
            Self::Errors => Self::Attempts,
            Self::Attempts | Self::Device => Self::Events,
        }
    }
}

/// All views with their states, and which one is on screen. A view keeps its place while another is shown.
#[derive(Clone, Debug)]
pub struct Views {
    /// The one on screen.
    top: ViewId,
    /// Boxed, so that moving the views moves a pointer.
    events: Box<Events>,
    devices: Devices,
    errors: Errors,
    attempts: Attempts,
    device: DevicePage,
    /// The filter under which each was started, in the order of [`VIEWS`].
    began: [Option<Filter>; VIEWS.len()],
}

/// What the configuration chooses for each view.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The columns that the event list shows.
    pub events: EventColumns,
}

/// Calls the same method of whichever view is on screen.
macro_rules! each {
    ($self:ident, $view:ident => $call:expr) => {
        match $self.top {
            ViewId::Events => {
                let $view = &$self.events;
                $call
            }
            ViewId::Devices => {
                let $view = &$self.devices;
                $call
            }
            ViewId::Errors => {
                let $view = &$self.errors;
                $call
            }
            ViewId::Attempts => {
                let $view = &$self.attempts;
                $call
            }
            ViewId::Device => {
                let $view = &$self.device;
                $call
            }
        }
    };
    (mut $self:ident, $view:ident => $call:expr) => {
        match $self.top {
            ViewId::Events => {
                let $view = &mut $self.events;
                $call
            }
            ViewId::Devices => {
                let $view = &mut $self.devices;
                $call
            }
            ViewId::Errors => {
                let $view = &mut $self.errors;
                $call
            }
            ViewId::Attempts => {
                let $view = &mut $self.attempts;
                $call
            }
            ViewId::Device => {
                let $view = &mut $self.device;
                $call
            }
        }
    };
}

impl Views {
    /// The views before their first query; the event list is on screen.
    pub fn new(choices: Choices) -> Self {
        Self {
            top: ViewId::Events,
            events: Box::new(Events::new(choices.events)),
            devices: Devices::default(),
            errors: Errors::default(),
            attempts: Attempts::default(),
            device: DevicePage::default(),
            began: Default::default(),
        }
    }
    /// Which view is on screen.
    pub const fn top(&self) -> ViewId {
        self.top
    }
    /// Puts another view on screen. It starts nothing.
    pub fn show(&mut self, view: ViewId) {
        self.top = view;
    }
    /// Makes the page of a device that of this one.
    pub fn aim(&mut self, subject: Subject) {
        self.device.aim(subject);
    }
    /// The device whose page there is.
    pub fn subject(&self) -> Option<&Subject> {
        self.device.subject()
    }
    /// The event list.
    pub fn events(&self) -> &Events {
        &self.events
    }
    /// Runs all queries of the view under a new filter.
    pub fn start(&mut self, ctx: &Ctx) -> Step {
        if let Some(began) = self.began.get_mut(self.top as usize) {
            *began = Some(ctx.filter.clone());
        }
        each!(mut self, v => v.start(ctx))
    }
    /// Runs the queries of a view that comes back to the screen: where the filter is as it was, the cursor stays.
    pub fn resume(&mut self, ctx: &Ctx) -> Step {
        let began = self.began.get(self.top as usize);
        if began == Some(&Some(ctx.filter.clone())) { self.refresh(ctx) } else { self.start(ctx) }
    }
    /// Runs all queries again without moving the cursor.
    pub fn refresh(&mut self, ctx: &Ctx) -> Step {
        each!(mut self, v => v.refresh(ctx))
    }
    /// Performs an action that is not the shell's own.
    pub fn act(&mut self, action: Action, ctx: &Ctx) -> Step {
        match step::of_filter(action, &ctx.filter) {
            Some(filter) => Step::filter(filter),
            None => each!(mut self, v => v.act(action, ctx)),
        }
    }
    /// Offers a key to a line of text that is being typed in the view; `None` if the key is not for it.
    pub fn typed(&mut self, key: KeyEvent, ctx: &Ctx) -> Option<Step> {
        each!(mut self, v => v.typed(key, ctx))
    }
    /// Pasted text, for the line that is being typed. It is never read as keys.
    pub fn paste(&mut self, text: &str, ctx: &Ctx) -> Step {
        each!(mut self, v => v.paste(text, ctx))
    }
    /// Whether the view waits for this reply.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        each!(self, v => v.awaits(ticket))
    }
    /// Takes a reply that it [awaits](Self::awaits).
    pub fn reply(&mut self, reply: Reply, ctx: &Ctx) -> Step {
        each!(mut self, v => v.reply(reply, ctx))
    }
    /// The source was described, perhaps for the first time.
    pub fn described(&mut self, ctx: &Ctx) -> Step {
        each!(mut self, v => v.described(ctx))
    }
    /// Takes rows of the tail, newest first; returns how many `new` ones belong to the view and were not there before.
    pub fn arrive(&mut self, rows: Vec<Arc<RenewalEvent>>, new: bool, ctx: &Ctx) -> u64 {
        each!(mut self, v => v.arrive(rows, new, ctx))
    }
    /// The filter's relative times have moved on; `before` are the criteria of what is on screen.
    pub fn slide(&mut self, before: &Criteria, ctx: &Ctx) -> Step {
        each!(mut self, v => v.slide(before, ctx))
    }
    /// Time has passed. Whether that changes what is on screen is [`ages`](Self::ages)' to say.
    pub fn tick(&mut self, ctx: &Ctx) -> Step {
        each!(mut self, v => v.tick(ctx))
    }
    /// Whether a second changes what is on screen.
    pub fn ages(&self, ctx: &Ctx) -> bool {
        each!(self, v => v.ages(ctx))
    }
    /// Lays the view out for the region and the focus, and requests what the screen lacks.
    pub fn settle(&mut self, ctx: &Ctx) -> Step {
        each!(mut self, v => v.settle(ctx))
    }
    /// Gives up the queries in flight.
    pub fn cancel(&mut self) -> Step {
        each!(mut self, v => v.cancel())
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
        each!(mut self, v => v.jump(at, ctx))
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
        each!(mut self, v => v.toggle_column(at))
    }
    /// Which lines of the fleet the view shows.
    pub fn fleet_wish(&self) -> FleetWish {
        match self.top {
            ViewId::Devices => self.devices.wish(),
            ViewId::Events => FleetWish { these: self.events.devices_on_screen(), ..FleetWish::default() },
            ViewId::Attempts => FleetWish { these: self.attempts.devices_on_screen(), ..FleetWish::default() },
            ViewId::Device => FleetWish {
                these: self.device.subject().map(|s| s.id.clone()).into_iter().collect(),
                ..FleetWish::default()
            },
            ViewId::Errors => FleetWish::default(),
        }
    }
    /// The background tasks have found something: views take from `ctx.known` what they list.
    pub fn known(&mut self, ctx: &Ctx) {
        self.devices.known(ctx);
        self.errors.known(ctx);
        self.attempts.known(ctx);
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
