//! A line of text being typed: keys and pasted text into the input library's line.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

/// Applies one key; a full line takes no further character. Terminals send ALT where the library expects META, so the word moves are mapped here.
pub fn edit(input: &mut Input, key: KeyEvent) {
    let request = match (key.code, key.modifiers) {
        (KeyCode::Char('b'), KeyModifiers::ALT) => Some(InputRequest::GoToPrevWord),
        (KeyCode::Char('f'), KeyModifiers::ALT) => Some(InputRequest::GoToNextWord),
        (KeyCode::Char('d'), KeyModifiers::ALT) => Some(InputRequest::DeleteNextWord),
        (KeyCode::Backspace, KeyModifiers::ALT) => Some(InputRequest::DeletePrevWord),
        _ => None,
    };
    let types = matches!(key.code, KeyCode::Char(_)) && !key.modifiers.contains(KeyModifiers::CONTROL);
    if request.is_none() && types && input.value().chars().count() >= LIMIT {
        return;
    }
    match request {
        Some(request) => drop(input.handle(request)),
        None => drop(input.handle_event(&Event::Key(key))),
    }
}

/// Characters that a line holds at most: the text is parsed at every key.
pub const LIMIT: usize = 4096;

/// Inserts pasted text, up to [`LIMIT`]; returns whether all of it fit. It is never keys: line breaks become blanks,
/// other controls are dropped. Takes time in proportion to the limit, not to the text. `false`: the end of the text was
/// dropped.
pub fn paste(input: &mut Input, text: &str) -> bool {
    let before = input.value().chars().count();
    let room = LIMIT.saturating_sub(before);
    let blanks = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
    let mut safe = blanks.filter(|c| !crate::domain::text::is_unsafe(*c));
    let pasted: String = safe.by_ref().take(room).collect();
    let fits = safe.next().is_none();
    let cursor = input.cursor();
    let head: String = input.value().chars().take(cursor).collect();
    let tail: String = input.value().chars().skip(cursor).collect();
    let place = cursor + pasted.chars().count();
    *input = Input::new(format!("{head}{pasted}{tail}")).with_cursor(place);
    fits
}
