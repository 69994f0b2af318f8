//! The filter editor: checked while typing, with completion and history; nothing is applied before Enter.
//!
//! Device names are looked up in the database while they are typed, which never blocks.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;

use crate::domain::filter::{self, Candidates, Completion, Criteria, Filter, FilterError};
use crate::protocol::query::{FacetQuery, Facets, Field};
use crate::protocol::{Answer, Query, Request, Slot, SourceError, Ticket};
use crate::ui::fetch::{Fetch, take};
use crate::ui::input;

/// A look-up of names waits this long for the next key.
const SETTLE: Duration = Duration::from_millis(60);
/// Device names that a look-up returns at most.
const NAMES: u32 = 50;

/// The text being typed, and what could complete it.
#[derive(Clone, Debug)]
pub struct FilterEdit {
    /// The text and its cursor.
    pub input: Input,
    /// What is wrong with the text as it is; `None` if it is a filter.
    error: Option<FilterError>,
    /// Filters typed before, oldest first.
    history: Vec<String>,
    /// Which earlier filter is shown, counted from the end; 0: the one being typed.
    back: usize,
    /// The text before Up was pressed first, to which Down returns.
    draft: String,
    /// Enter was pressed on an invalid filter: the error is shown instead of completions.
    refused: bool,
    /// Completions at the cursor, best first.
    offers: Vec<Completion>,
    /// The completion that is in the text, and the text before it.
    taken: Option<(usize, String)>,
    /// Devices whose names contain what is typed.
    names: Fetch<Facets>,
}

/// What a key did to the editor.
#[derive(Clone, PartialEq, Debug)]
pub enum Edited {
    /// The editor stays open.
    Open,
    /// The editor closes, and the filter in force stays.
    Left,
    /// The editor closes, and this filter replaces the one in force.
    Apply(Filter),
}

impl FilterEdit {
    /// Opens on `filter`, with the filters typed before, oldest first. `number` counts the editors opened before this one:
    /// each has its own range of tickets, so that a reply to an earlier editor does not match.
    pub fn new(filter: &Filter, history: Vec<String>, number: u64) -> Self {
        let mut text = filter.to_string();
        if !text.is_empty() {
            text.push(' ');
        }
        let mut edit = Self {
            input: Input::new(text),
            error: None,
            history,
            back: 0,
            draft: String::new(),
            refused: false,
            offers: Vec::new(),
            taken: None,
            names: Fetch::after(Slot::Names, number << 32),
        };
        edit.check();
        edit
    }
    /// The completions to show; none while the error of an attempt to apply is shown.
    pub fn offers(&self) -> &[Completion] {
        if self.refused { &[] } else { &self.offers }
    }
    /// Which completion is in the text.
    pub fn taken(&self) -> Option<usize> {
        self.taken.as_ref().map(|(n, _)| *n)
    }
    /// Bytes of the text before the cursor.
    fn cursor_byte(&self) -> usize {
        self.input.value().chars().take(self.input.cursor()).map(char::len_utf8).sum()
    }
    /// Updates the completions from the names that are known; a completion in the text keeps its list. Returns the look-up
    /// of the device name at the cursor, if there is one.
    pub fn offer(&mut self, known: Candidates) -> Option<Request> {
        self.complete(known);
        let needle = self.device_needle()?.to_owned();
        let query =
            FacetQuery { field: Field::Device, criteria: Criteria::default(), needle, limit: NAMES, ceiling: 1 };
        Some(self.names.request(Query::Facets(query), SETTLE))
    }

    /// Sets the completions at the cursor: device names that the database found come before those of the pane.
    fn complete(&mut self, mut known: Candidates) {
        if self.taken.is_some() {
            return;
        }
        let found = self.names.value().map(|facets| facets.values.as_slice()).unwrap_or_default();
        let mut devices: Vec<String> = found.iter().filter_map(|f| f.word(Field::Device)).collect();
        known.devices.retain(|name| !devices.contains(name));
        devices.append(&mut known.devices);
        known.devices = devices;
        self.offers = filter::complete(self.input.value(), self.cursor_byte(), &known);
    }

    /// Whether the editor waits for this reply.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.names.awaits(ticket)
    }
    /// Takes the names that a look-up found.
    pub fn reply(&mut self, outcome: Result<Answer, SourceError>, known: Candidates) {
        self.names.settle(take!(outcome, Answer::Facets));
        self.complete(known);
    }

    /// The beginning of a device name at the cursor.
    fn device_needle(&self) -> Option<&str> {
        let before = self.input.value().get(..self.cursor_byte())?;
        let word = before.rsplit(' ').next()?;
        let value = word.trim_start_matches('-').strip_prefix("device:")?;
        let last = value.rsplit(',').next()?.trim_matches(['"', '*']);
        (!last.is_empty()).then_some(last)
    }
    /// Puts the next completion (`by` 1) or the previous one (`by` -1) into the text.
    fn take_offer(&mut self, by: isize) {
        let len = self.offers.len() as isize;
        if len == 0 {
            return;
        }
        let (next, text) = match self.taken.take() {
            Some((n, text)) => ((n as isize + by).rem_euclid(len), text),
            None => (if by > 0 { 0 } else { len - 1 }, self.input.value().to_owned()),
        };
        let Some(offer) = self.offers.get(next as usize) else { return };
        let (Some(head), Some(tail)) = (text.get(..offer.replace.start), text.get(offer.replace.end..)) else { return };
        let cursor = head.chars().count() + offer.with.chars().count();
        self.input = Input::new(format!("{head}{}{tail}", offer.with)).with_cursor(cursor);
        self.taken = Some((next as usize, text));
    }

    /// Why the text is no filter yet, with the position.
    pub fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }
    /// Parses the text, and keeps its error for the footer.
    fn check(&mut self) -> Option<Filter> {
        match Filter::parse(self.input.value()) {
            Ok(filter) => {
                self.error = None;
                Some(filter)
            }
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// Takes a key. Tab and Shift-Tab put completions into the text, Up and Down filters of the history; Enter applies
    /// a text only if it is a filter.
    pub fn key(&mut self, key: KeyEvent) -> Edited {
        self.refused = false;
        match key.code {
            KeyCode::Esc => return Edited::Left,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Edited::Left,
            KeyCode::Enter => {
                if let Some(filter) = self.check() {
                    return Edited::Apply(filter);
                }
                self.refused = true;
                return Edited::Open;
            }
            KeyCode::Tab if key.modifiers.is_empty() => self.take_offer(1),
            KeyCode::Tab | KeyCode::BackTab => self.take_offer(-1),
            KeyCode::Up => self.recall(1),
            KeyCode::Down => self.recall(-1),
            _ => {
                self.taken = None;
                input::edit(&mut self.input, key);
            }
        }
        self.check();
        Edited::Open
    }

    /// Inserts pasted text; returns whether all of it fit.
    pub fn paste(&mut self, text: &str) -> bool {
        self.taken = None;
        let fits = input::paste(&mut self.input, text);
        self.check();
        fits
    }

    /// Shows the filter before the one shown (`by` 1), or the one after it (-1).
    fn recall(&mut self, by: isize) {
        if self.back == 0 {
            self.draft = self.input.value().to_owned();
        }
        self.back = self.back.saturating_add_signed(by).min(self.history.len());
        let text = match self.back {
            0 => self.draft.clone(),
            n => self.history.get(self.history.len() - n).cloned().unwrap_or_default(),
        };
        self.taken = None;
        self.input = Input::new(text);
    }
}
