//! The command palette: actions, named filters and other databases, found by name or words.
//!
//! The shell gives it keys and performs the command that is chosen. What it offers derives from the table of actions
//! and the configuration; no command exists here only.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;

use crate::domain::filter::Filter;
use crate::ui::action::{ACTIONS, Spec};
use crate::ui::input;
use crate::views::{VIEWS, ViewId, ViewSpec};

use super::settings::Settings;

/// What is typed, and the command under the cursor.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// The text that commands must match.
    pub input: Input,
    /// The place of the chosen command among those that match, from 0.
    pub cursor: usize,
}

/// What the palette offers.
#[derive(Clone, Copy)]
pub enum Command<'a> {
    /// A view.
    Go(&'static ViewSpec),
    /// An action of the table, which acts as its key does.
    Action(&'static Spec),
    /// A named filter.
    View(&'a str, &'a Filter),
    /// Another of the named databases.
    Open(&'a str),
}

/// What a key did to the palette.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    /// It stays open.
    Open,
    /// It closes, and nothing happens.
    Left,
    /// Enter was pressed: the caller acts, and closes it or shows an error.
    Done,
}

impl Palette {
    /// Takes a key; `choices` is the number of commands offered.
    pub fn key(&mut self, key: KeyEvent, choices: usize) -> Typed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Typed::Left,
            KeyCode::Char('c') if control => return Typed::Left,
            KeyCode::Enter => return Typed::Done,
            KeyCode::Down | KeyCode::Tab => self.cursor = self.cursor.saturating_add(1),
            KeyCode::Up | KeyCode::BackTab => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Char('n') if control => self.cursor = self.cursor.saturating_add(1),
            KeyCode::Char('p') if control => self.cursor = self.cursor.saturating_sub(1),
            _ => {
                self.cursor = 0;
                input::edit(&mut self.input, key);
            }
        }
        self.cursor = self.cursor.min(choices.saturating_sub(1));
        Typed::Open
    }

    /// The commands that match the typed text, best first: by the beginning of the name, then by all words. Named filters
    /// are `view NAME`, other databases `open NAME`.
    pub fn commands<'a>(&self, settings: &'a Settings) -> Vec<Command<'a>> {
        let typed = self.input.value().trim().to_ascii_lowercase();
        // The page of a device is opened from a row that names one.
        let views = VIEWS.iter().filter(|spec| spec.id != ViewId::Device).map(Command::Go);
        let all = views
            .chain(ACTIONS.iter().map(Command::Action))
            .chain(settings.views.iter().map(|(name, filter)| Command::View(name, filter)));
        let all = all.chain(settings.databases.iter().map(|name| Command::Open(name)));
        let mut found: Vec<(u8, Command<'a>)> =
            all.filter_map(|command| Some((command.rank(&typed)?, command))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, command)| command).collect()
    }
}

impl Command<'_> {
    /// How well the command matches a lower-case text, 0 best; `None` if it does not.
    fn rank(&self, typed: &str) -> Option<u8> {
        let name = self.name().to_ascii_lowercase();
        let whole = format!("{name} {}", self.title()).to_ascii_lowercase();
        if name.starts_with(typed) {
            Some(0)
        } else if whole.contains(typed) {
            Some(1)
        } else {
            typed.split_whitespace().all(|word| whole.contains(word)).then_some(2)
        }
    }
    /// What is typed to find it: `next-failure`, `view NAME`, `open NAME`.
    pub fn name(&self) -> String {
        match self {
            Self::Go(spec) => spec.name.to_owned(),
            Self::Action(spec) => spec.id.to_owned(),
            Self::View(name, _) => format!("view {name}"),
            Self::Open(name) => format!("open {name}"),
        }
    }
    /// What it does; for a named filter, the filter.
    pub fn title(&self) -> String {
        match self {
            Self::Go(spec) => spec.title.to_owned(),
            Self::Action(spec) => spec.title.to_owned(),
            Self::View(_, filter) => filter.to_string(),
            Self::Open(_) => "switch to this database".to_owned(),
        }
    }
}
