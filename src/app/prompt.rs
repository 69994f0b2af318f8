//! A line that is asked for: a time range or a time to jump to, or a command by name.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;

use crate::domain::filter::Filter;
use crate::domain::instant::Instant;
use crate::domain::when::{Range, When};
use crate::domain::zone::Zone;

use super::action::{ACTIONS, Spec};
use super::filter_edit::edit;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// `24h`, `yesterday..today`, or `@` and a time to jump to.
    Time,
    /// A command, by its name or its words.
    Command,
}

#[derive(Clone, Debug)]
pub struct Prompt {
    pub ask: Ask,
    pub input: Input,
    pub error: Option<String>,
    /// The command under the cursor.
    pub cursor: usize,
}

/// What a time prompt was answered with.
#[derive(Clone, PartialEq, Debug)]
pub enum TimeAnswer {
    Range(Range),
    Jump(Instant),
}

/// What a key did to the prompt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompted {
    Open,
    Left,
    Done,
}

impl Prompt {
    pub fn new(ask: Ask) -> Self {
        Self { ask, input: Input::default(), error: None, cursor: 0 }
    }

    /// Takes a key; `choices` is the number of commands that are offered.
    pub fn key(&mut self, key: KeyEvent, choices: usize) -> Prompted {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Prompted::Left,
            KeyCode::Char('c') if control => return Prompted::Left,
            KeyCode::Enter => return Prompted::Done,
            KeyCode::Down | KeyCode::Tab => self.cursor = self.cursor.saturating_add(1),
            KeyCode::Up | KeyCode::BackTab => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Char('n') if control => self.cursor = self.cursor.saturating_add(1),
            KeyCode::Char('p') if control => self.cursor = self.cursor.saturating_sub(1),
            _ => {
                self.cursor = 0;
                self.error = None;
                edit(&mut self.input, key);
            }
        }
        self.cursor = self.cursor.min(choices.saturating_sub(1));
        Prompted::Open
    }

    /// Reads the answer to a time prompt; an error says what would be valid.
    pub fn time(&self, now: Instant, zone: &Zone) -> Result<TimeAnswer, String> {
        let text = self.input.value().trim();
        let told = |e: crate::domain::when::TimeError| {
            if e.suggestion.is_empty() { e.message } else { format!("{}; {}", e.message, e.suggestion) }
        };
        if let Some(at) = text.strip_prefix('@') {
            return When::parse(at.trim()).map(|w| TimeAnswer::Jump(w.at(now, zone))).map_err(told);
        }
        if text.is_empty() || text == "all" {
            return Ok(TimeAnswer::Range(Range::default()));
        }
        if text.contains("..") {
            return Range::parse(text).map(TimeAnswer::Range).map_err(told);
        }
        When::parse(text).map(|from| TimeAnswer::Range(Range { from: Some(from), until: None })).map_err(told)
    }

    /// The commands that fit what is typed, best first: by the beginning of the name, then by all words. Named filters
    /// come as `view NAME`, other databases as `open NAME`.
    pub fn commands<'a>(&self, views: &'a [(String, Filter)], databases: &'a [String]) -> Vec<Command<'a>> {
        if self.ask != Ask::Command {
            return Vec::new();
        }
        let typed = self.input.value().trim().to_ascii_lowercase();
        let actions = ACTIONS.iter().map(Command::Action);
        let all = actions.chain(views.iter().map(|(name, filter)| Command::View(name, filter)));
        let all = all.chain(databases.iter().map(|name| Command::Open(name)));
        let mut found: Vec<(u8, Command<'a>)> = all
            .filter_map(|command| {
                let name = command.name().to_ascii_lowercase();
                let whole = format!("{name} {}", command.title()).to_ascii_lowercase();
                let rank = if name.starts_with(&typed) {
                    0
                } else if whole.contains(&typed) {
                    1
                } else if typed.split_whitespace().all(|word| whole.contains(word)) {
                    2
                } else {
                    return None;
                };
                Some((rank, command))
            })
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, command)| command).collect()
    }
}

/// What the palette offers.
#[derive(Clone, Copy)]
pub enum Command<'a> {
    Action(&'static Spec),
    View(&'a str, &'a Filter),
    /// Another of the named databases.
    Open(&'a str),
}

impl Command<'_> {
    pub fn name(&self) -> String {
        match self {
            Self::Action(spec) => spec.id.to_owned(),
            Self::View(name, _) => format!("view {name}"),
            Self::Open(name) => format!("open {name}"),
        }
    }
    pub fn title(&self) -> String {
        match self {
            Self::Action(spec) => spec.title.to_owned(),
            Self::View(_, filter) => filter.to_string(),
            Self::Open(_) => "go on in this database".to_owned(),
        }
    }
}
