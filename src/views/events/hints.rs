//! The keys that the footer shows for each region of the event view.
//!
//! The footer draws them from the left, as many as fit, so the order is by need. Keys are named by their actions where
//! they have one, because the configuration can bind others.

use crate::ui::action::Hint::{Keys, Plain};
use crate::ui::action::{Action, Hint, Preset};

use super::panes::PaneId;
use super::{Events, Focus};

impl Events {
    /// The keys that matter where the focus is, most needed first.
    pub fn hints(&self) -> &'static [Hint] {
        if self.narrowing().is_some() {
            return &[Plain("", "type to find a value"), Plain("Enter", "pick"), Plain("Esc", "show all")];
        }
        match self.focus {
            Focus::Histogram => HISTOGRAM,
            Focus::Pane(PaneId::Time) => TIME,
            Focus::Pane(_) => PANE,
            Focus::Detail => DETAIL,
            Focus::List => LIST,
        }
    }
}

/// While the histogram has the focus.
const HISTOGRAM: &[Hint] = &[
    Keys(&[Action::Left, Action::Right], "move"),
    Keys(&[Action::Open], "zoom into this"),
    Keys(&[Action::ZoomIn, Action::ZoomOut], "zoom"),
    Keys(&[Action::Range(Preset::All)], "all time"),
    Keys(&[Action::Close], "list"),
    Keys(&[Action::Help], "help"),
];

/// While the time pane has the focus: it has ranges in one line, and nothing to find.
const TIME: &[Hint] = &[
    Keys(&[Action::Left, Action::Right], "move"),
    Keys(&[Action::Open], "use"),
    Keys(&[Action::TimeDialog], "other times"),
    Keys(&[Action::NextPane], "next pane"),
    Keys(&[Action::Close], "list"),
    Keys(&[Action::Help], "help"),
];

/// While a pane of values has the focus.
const PANE: &[Hint] = &[
    Keys(&[Action::Open], "pick"),
    Keys(&[Action::Exclude], "exclude"),
    Keys(&[Action::Only], "only this"),
    Keys(&[Action::EditFilter], "find"),
    Keys(&[Action::NextPane], "next pane"),
    Keys(&[Action::DropChip], "remove last"),
    Keys(&[Action::Close], "list"),
    Keys(&[Action::Help], "help"),
];

/// While the detail has the focus.
const DETAIL: &[Hint] = &[
    Keys(&[Action::Down, Action::Up], "scroll"),
    Keys(&[Action::Copy], "copy"),
    Keys(&[Action::Include], "this device"),
    Keys(&[Action::Close], "list"),
    Keys(&[Action::Help], "help"),
];

/// While the list has the focus.
const LIST: &[Hint] = &[
    Keys(&[Action::EditFilter], "filter"),
    Keys(&[Action::NextPane], "panes"),
    Keys(&[Action::Open], "open"),
    Keys(&[Action::Failures], "failures"),
    Keys(&[Action::NextFailure], "next failure"),
    Keys(&[Action::Range(Preset::Day)], "24h"),
    Keys(&[Action::Help], "help"),
    Keys(&[Action::Range(Preset::All)], "all time"),
    Keys(&[Action::Pause], "pause"),
    Keys(&[Action::Palette], "commands"),
    Keys(&[Action::Back], "quit"),
];
