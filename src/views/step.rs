//! What a view wants of the shell, and what it tells about itself.

use crate::domain::event::Id;
use crate::domain::filter::Filter;
use crate::domain::fleet::{Order, Word};
use crate::domain::text::Text;
use crate::domain::when::{Range, When};
use crate::ui::action::{Action, Preset};
use crate::ui::effect::Effect;
use crate::ui::table::Columns;

use super::ViewId;

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
    /// To another view, under the same filter.
    To(ViewId),
    /// To the event list under this filter.
    Rows(Filter),
    /// To the page of a device.
    Device(Subject),
    /// Back to where the user came from; at the root, out of the program.
    Back,
    /// Back to where the user came from; at the root, nowhere.
    Leave,
}

/// A device as a row names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Its id.
    pub id: Id,
    /// Its name, where one is recorded.
    pub name: Option<Text>,
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
    /// A direction, and nothing else.
    pub fn go(go: Go) -> Self {
        Self { go: Some(go), ..Self::default() }
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

/// Which lines of the fleet a view shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FleetWish {
    /// Narrows the selection of the filter to these states; `None`: all.
    pub states: Option<Vec<Word>>,
    /// Their order.
    pub order: Order,
    /// The place of the first line, from 0.
    pub from: usize,
    /// The most lines; 0: the numbers alone.
    pub lines: usize,
    /// Devices whose lines it shows besides.
    pub these: Vec<Id>,
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

impl ColumnChoice {
    /// The choices of a table.
    pub fn of<C: Copy + PartialEq>(columns: &Columns<C>) -> Vec<Self> {
        columns.choices().map(|(spec, wanted)| Self { id: spec.id, title: spec.title, wanted }).collect()
    }
}

/// The filter that an action makes of the one in force, in every view alike. `None`: the action is the view's own.
pub fn of_filter(action: Action, filter: &Filter) -> Option<Filter> {
    let mut filter = filter.clone();
    match action {
        Action::DropChip => {
            if let Some(last) = filter.chips().len().checked_sub(1) {
                filter.drop_chip(last);
            }
        }
        Action::DropAll => filter = Filter::default(),
        Action::Range(preset) => set_preset(&mut filter, preset),
        _ => return None,
    }
    Some(filter)
}

/// Replaces the filter's time range by the preset's, which has no end.
pub fn set_preset(filter: &mut Filter, preset: Preset) {
    let from = preset.since().and_then(|word| When::parse(word).ok());
    filter.set_time(Range { from, until: None });
}
