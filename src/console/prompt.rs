//! The time dialog: a line in which a range, or a time to jump to, is typed.
//!
//! The shell gives it keys, and acts on the answer. It reads no clock: relative times are resolved with the clock
//! reading that the shell passes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;

use crate::domain::instant::Instant;
use crate::domain::when::{Range, TimeError, When};
use crate::domain::zone::Zone;
use crate::ui::input;

use super::palette::Typed;

/// What is typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct TimePrompt {
    /// The text and its cursor.
    pub input: Input,
    /// What is wrong with the text at the last Enter; the next edit clears it.
    pub error: Option<String>,
}

/// What the dialog was answered with.
#[derive(Clone, PartialEq, Debug)]
pub enum TimeAnswer {
    /// Becomes the filter's time range. One without bounds removes it.
    Range(Range),
    /// The list goes there, UTC; the filter stays.
    Jump(Instant),
}

impl TimePrompt {
    /// Takes a key. Enter does not check the text: [`answer`](Self::answer) does.
    pub fn key(&mut self, key: KeyEvent) -> Typed {
        match key.code {
            KeyCode::Esc => return Typed::Left,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Typed::Left,
            KeyCode::Enter => return Typed::Done,
            _ => {
                self.error = None;
                input::edit(&mut self.input, key);
            }
        }
        Typed::Open
    }

    /// Reads the typed text: `24h`, `yesterday..today`, or `@` and a time to jump to. The error says what is valid. A
    /// time without a zone is in the zone shown; a single time is the beginning of a range without end.
    pub fn answer(&self, now: Instant, zone: &Zone) -> Result<TimeAnswer, String> {
        let text = self.input.value().trim();
        let words = |e: TimeError| {
            if e.suggestion.is_empty() { e.message } else { format!("{}; {}", e.message, e.suggestion) }
        };
        if let Some(at) = text.strip_prefix('@') {
            return When::parse(at.trim()).map(|w| TimeAnswer::Jump(w.at(now, zone))).map_err(words);
        }
        if text.is_empty() || text == "all" {
            return Ok(TimeAnswer::Range(Range::default()));
        }
        if text.contains("..") {
            return Range::parse(text).map(TimeAnswer::Range).map_err(words);
        }
        When::parse(text).map(|from| TimeAnswer::Range(Range { from: Some(from), until: None })).map_err(words)
    }
}
