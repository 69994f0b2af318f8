//! Editing the filter as text: checked while typing, nothing applied until Enter.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use crate::domain::filter::{self, Candidates, Completion, Filter, FilterError};

/// Filters remembered within a session.
const REMEMBERED: usize = 200;

#[derive(Clone, Debug, Default)]
pub struct FilterEdit {
    pub input: Input,
    error: Option<FilterError>,
    history: Vec<String>,
    /// Which remembered filter is shown, counted from the end; 0: the one being typed.
    back: usize,
    draft: String,
    /// Enter was pressed on a mistake: the error counts more than what could be meant.
    refused: bool,
    /// What could be meant at the cursor, best first.
    offers: Vec<Completion>,
    /// The offer that stands in the text, and the text before it was taken.
    taken: Option<(usize, String)>,
}

/// What a key did to the editor.
#[derive(Clone, PartialEq, Debug)]
pub enum Edited {
    Open,
    Left,
    Apply(Filter),
}

impl FilterEdit {
    /// With the filters of earlier runs, oldest first.
    pub fn with_history(history: Vec<String>) -> Self {
        Self { history, ..Self::default() }
    }
    /// The filter that was applied last.
    pub fn last(&self) -> Option<&String> {
        self.history.last()
    }
    pub fn open(&mut self, filter: &Filter) {
        let mut text = filter.to_string();
        if !text.is_empty() {
            text.push(' ');
        }
        self.input = Input::new(text);
        self.back = 0;
        self.offers.clear();
        self.taken = None;
        self.check();
    }
    pub fn offers(&self) -> &[Completion] {
        if self.refused { &[] } else { &self.offers }
    }
    /// Which offer stands in the text.
    pub fn taken(&self) -> Option<usize> {
        self.taken.as_ref().map(|(n, _)| *n)
    }
    /// Bytes of the text before the cursor.
    fn cursor_byte(&self) -> usize {
        self.input.value().chars().take(self.input.cursor()).map(char::len_utf8).sum()
    }
    /// Renews the offers from what the database is known to hold; an offer that was taken keeps its list.
    pub fn offer(&mut self, known: &Candidates) {
        if self.taken.is_none() {
            self.offers = filter::complete(self.input.value(), self.cursor_byte(), known);
        }
    }
    /// The beginning of a device name that stands at the cursor.
    pub fn device_needle(&self) -> Option<&str> {
        let before = self.input.value().get(..self.cursor_byte())?;
        let word = before.rsplit(' ').next()?;
        let value = word.trim_start_matches('-').strip_prefix("device:")?;
        let last = value.rsplit(',').next()?.trim_matches(['"', '*']);
        (!last.is_empty()).then_some(last)
    }
    /// Puts the next offer (`by` 1) or the one before (`by` -1) into the text.
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

    pub fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }
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

    pub fn key(&mut self, key: KeyEvent) -> Edited {
        self.refused = false;
        match key.code {
            KeyCode::Esc => return Edited::Left,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Edited::Left,
            KeyCode::Enter => {
                if let Some(filter) = self.check() {
                    self.remember();
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
                edit(&mut self.input, key);
            }
        }
        self.check();
        Edited::Open
    }

    pub fn paste(&mut self, text: &str) {
        self.taken = None;
        paste(&mut self.input, text);
        self.check();
    }

    fn remember(&mut self) {
        let text = self.input.value().trim().to_owned();
        self.history.retain(|old| *old != text);
        if !text.is_empty() {
            self.history.push(text);
        }
        let surplus = self.history.len().saturating_sub(REMEMBERED);
        self.history.drain(..surplus);
    }

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

/// One key to a line of input. Terminals send ALT where the library looks for META, so words are moved by here.
pub fn edit(input: &mut Input, key: KeyEvent) {
    let request = match (key.code, key.modifiers) {
        (KeyCode::Char('b'), KeyModifiers::ALT) => Some(InputRequest::GoToPrevWord),
        (KeyCode::Char('f'), KeyModifiers::ALT) => Some(InputRequest::GoToNextWord),
        (KeyCode::Char('d'), KeyModifiers::ALT) => Some(InputRequest::DeleteNextWord),
        (KeyCode::Backspace, KeyModifiers::ALT) => Some(InputRequest::DeletePrevWord),
        _ => None,
    };
    match request {
        Some(request) => drop(input.handle(request)),
        None => drop(input.handle_event(&Event::Key(key))),
    }
}

/// Pasted text is never keys: line breaks become blanks, other controls are dropped.
pub fn paste(input: &mut Input, text: &str) {
    for c in text.chars() {
        let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
        if !crate::domain::text::is_unsafe(c) {
            let _ = input.handle(InputRequest::InsertChar(c));
        }
    }
}
