//! A line of text being typed: keys and pasted text into the input library's line.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

/// Applies one key. Terminals send ALT where the library expects META, so the word moves are mapped here.
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

/// Inserts pasted text. It is never keys: line breaks become blanks, other controls are dropped.
pub fn paste(input: &mut Input, text: &str) {
    for c in text.chars() {
        let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
        if !crate::domain::text::is_unsafe(c) {
            let _ = input.handle(InputRequest::InsertChar(c));
        }
    }
}
