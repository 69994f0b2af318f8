//! The bytes of a terminal as events. It reads nothing itself and has no clock: the caller reports silence.
//!
//! Called by `runtime/input.rs`, which reads the terminal. The bytes come from outside: no sequence, however long or
//! malformed, may grow the memory without limit or end the program.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// The byte that begins every sequence.
const ESC: u8 = 0x1b;
/// The end of a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// The most bytes of a paste that are taken; the rest of it is dropped.
const PASTE: usize = 1 << 20;
/// The longest sequence; a longer one is not meant for this program.
const SEQUENCE: usize = 512;

/// What the parser waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// The rest of a sequence, which a key can also begin: Esc, Alt.
    Sequence,
    /// The end of a paste.
    Paste,
}

impl Waiting {
    /// How long silence lasts until the parser goes on without it.
    pub fn time(self) -> Duration {
        match self {
            // The rest of a sequence comes with its beginning, through a slow network a little later.
            Self::Sequence => Duration::from_millis(40),
            Self::Paste => Duration::from_secs(1),
        }
    }
}

/// Parses bytes in pieces of any size.
#[derive(Default)]
pub struct Parser {
    /// What is not an event yet.
    pending: Vec<u8>,
    /// The text of a paste that has begun.
    paste: Option<Vec<u8>>,
}

/// The beginning of the pending bytes.
enum Step {
    /// This many bytes are an event, or nothing that matters.
    Event(usize, Option<Event>),
    /// This many bytes begin a paste.
    PasteBegins(usize),
    /// More bytes can decide it.
    Incomplete,
}

impl Parser {
    /// What it waits for; `None`: only for the next key.
    pub fn waiting(&self) -> Option<Waiting> {
        match (&self.paste, self.pending.is_empty()) {
            (Some(_), _) => Some(Waiting::Paste),
            (None, false) => Some(Waiting::Sequence),
            (None, true) => None,
        }
    }

    /// The events that these bytes complete. Incomplete ones stay pending until more bytes come or
    /// [`silence`](Self::silence) is reported.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        // Typed alone, Ctrl-C ends a paste whose end is missing.
        if self.paste.is_some() && bytes == [3] {
            let mut events = self.silence();
            events.push(key(KeyCode::Char('c'), KeyModifiers::CONTROL));
            return events;
        }
        // A terminal sends Alt and its key together, so that this is Esc and then another key; only a sequence goes on.
        let mut events = Vec::new();
        if self.pending == [ESC] && !matches!(bytes.first(), None | Some(b'[' | b'O' | b']')) {
            events = self.silence();
        }
        self.pending.extend_from_slice(bytes);
        events.extend(self.events(false));
        events
    }

    /// The events of what is pending, after a silence: Esc alone is a key, and a paste is over.
    pub fn silence(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(mut text) = self.paste.take() {
            text.append(&mut self.pending);
            events.push(pasted(&text));
        }
        events.extend(self.events(true));
        events
    }

    /// `last`: nothing more comes. Then the beginning of a sequence is the key Esc, or Alt with a key, or nothing.
    fn events(&mut self, last: bool) -> Vec<Event> {
        let mut events = Vec::new();
        let mut at = 0;
        loop {
            if let Some(text) = &mut self.paste {
                let rest = self.pending.get(at..).unwrap_or_default();
                let end = rest.windows(PASTE_END.len()).position(|w| w == PASTE_END);
                // The mark can arrive in two pieces.
                let taken = end.unwrap_or(rest.len().saturating_sub(PASTE_END.len() - 1));
                let room = PASTE.saturating_sub(text.len());
                text.extend(rest.iter().take(taken.min(room)));
                at += taken;
                if end.is_none() {
                    break;
                }
                at += PASTE_END.len();
                events.push(pasted(&self.paste.take().unwrap_or_default()));
            }
            let rest = self.pending.get(at..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            match step(rest) {
                Step::Event(taken, event) => {
                    at += taken;
                    events.extend(event);
                }
                Step::PasteBegins(taken) => {
                    at += taken;
                    self.paste = Some(Vec::new());
                }
                Step::Incomplete if last || rest.len() > SEQUENCE => {
                    // Esc is a key by itself, and so is Alt with what begins a sequence; the beginning of anything longer
                    // is none.
                    match rest {
                        [ESC] => events.push(key(KeyCode::Esc, KeyModifiers::NONE)),
                        [ESC, typed] if typed.is_ascii_graphic() => {
                            events.push(key(KeyCode::Char(char::from(*typed)), KeyModifiers::ALT));
                        }
                        _ => {}
                    }
                    at = self.pending.len();
                }
                Step::Incomplete => break,
            }
        }
        self.pending.drain(..at);
        events
    }
}

/// A paste as text; bytes that are not UTF-8 become `U+FFFD`.
fn pasted(text: &[u8]) -> Event {
    Event::Paste(String::from_utf8_lossy(text).into_owned())
}

/// A pressed key.
fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

/// Reads the beginning of bytes that are not empty.
fn step(bytes: &[u8]) -> Step {
    let Some((first, rest)) = bytes.split_first() else { return Step::Incomplete };
    if *first != ESC {
        return plain(bytes, KeyModifiers::NONE);
    }
    match rest.first() {
        None => Step::Incomplete,
        // Two of them are the key, and then what the second begins.
        Some(&ESC) => Step::Event(1, Some(key(KeyCode::Esc, KeyModifiers::NONE))),
        Some(b'[') => control(bytes),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => string(bytes),
        Some(b'O') => match rest.get(1) {
            None => Step::Incomplete,
            Some(last) => Step::Event(3, function(*last).map(|code| key(code, KeyModifiers::NONE))),
        },
        Some(_) => match plain(rest, KeyModifiers::ALT) {
            Step::Event(taken, event) => Step::Event(taken + 1, event),
            other => other,
        },
    }
}

/// A string that a terminal sends, such as the reply to a query: up to BEL or `ESC \`. It is no key.
fn string(bytes: &[u8]) -> Step {
    let bell = bytes.iter().position(|b| *b == 7).map(|at| at + 1);
    let end = bytes.windows(2).position(|pair| pair == [ESC, b'\\']).map(|at| at + 2);
    match bell.into_iter().chain(end).min() {
        Some(taken) => Step::Event(taken, None),
        None => Step::Incomplete,
    }
}

/// A character in UTF-8, or a control character. A byte that begins no character is dropped.
fn plain(bytes: &[u8], modifiers: KeyModifiers) -> Step {
    let Some(first) = bytes.first() else { return Step::Incomplete };
    let control = |c: u8| (KeyCode::Char(char::from(c)), modifiers | KeyModifiers::CONTROL);
    let (code, modifiers) = match first {
        b'\r' => (KeyCode::Enter, modifiers),
        b'\t' => (KeyCode::Tab, modifiers),
        0x7f => (KeyCode::Backspace, modifiers),
        0 => control(b' '),
        1..=0x1a => control(first - 1 + b'a'),
        0x1c..=0x1f => control(first - 0x1c + b'4'),
        _ => {
            let length = match first {
                0..=0x7f => 1,
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => return Step::Event(1, None),
            };
            let Some(character) = bytes.get(..length) else { return Step::Incomplete };
            let Some(c) = std::str::from_utf8(character).ok().and_then(|t| t.chars().next()) else {
                return Step::Event(1, None);
            };
            let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
            return Step::Event(length, Some(key(KeyCode::Char(c), modifiers | shift)));
        }
    };
    Step::Event(1, Some(key(code, modifiers)))
}

/// A control sequence: `ESC [`, parameters, a final byte. Mouse reports and unknown sequences are consumed without an
/// event.
fn control(bytes: &[u8]) -> Step {
    // The Linux console sends a second bracket for its first function keys.
    if let Some(b'[') = bytes.get(2) {
        let Some(last) = bytes.get(3) else { return Step::Incomplete };
        let number = (b'A'..=b'E').contains(last).then(|| last - b'A' + 1);
        return Step::Event(4, number.map(|n| key(KeyCode::F(n), KeyModifiers::NONE)));
    }
    let Some(end) = bytes.iter().skip(2).position(|b| (0x40..=0x7e).contains(b)).map(|at| at + 2) else {
        return Step::Incomplete;
    };
    let (parameters, last) = (bytes.get(2..end).unwrap_or_default(), bytes.get(end).copied().unwrap_or_default());
    let taken = end + 1;
    // A mouse report in the oldest form has three bytes more.
    if last == b'M' && parameters.is_empty() {
        return if bytes.len() < taken + 3 { Step::Incomplete } else { Step::Event(taken + 3, None) };
    }
    let numbers: Option<Vec<u32>> = std::str::from_utf8(parameters).ok().and_then(|text| {
        let number = |part: &str| part.split(':').next().unwrap_or_default().parse().ok();
        text.split(';').map(|part| if part.is_empty() { Some(1) } else { number(part) }).collect()
    });
    // What has other parameters, such as a mouse report, is no key.
    let Some(numbers) = numbers else { return Step::Event(taken, None) };
    let number = numbers.first().copied().unwrap_or(1);
    if (last, number) == (b'~', 200) {
        return Step::PasteBegins(taken);
    }
    let code = match last {
        b'Z' => Some(KeyCode::BackTab),
        b'~' => tilde(number),
        b'u' => char::from_u32(number).and_then(by_number),
        _ => function(last),
    };
    let modifiers = modifiers(numbers.get(1).copied().unwrap_or(1));
    let modifiers = if last == b'Z' { modifiers | KeyModifiers::SHIFT } else { modifiers };
    Step::Event(taken, code.map(|code| key(code, modifiers)))
}

/// The key of a final byte, after `ESC O` or `ESC [`.
fn function(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

/// The key of a number before `~`.
fn tilde(number: u32) -> Option<KeyCode> {
    let f = |n: u32| u8::try_from(n).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => f(number - 10),
        17..=21 => f(number - 11),
        23..=26 => f(number - 12),
        _ => None,
    }
}

/// The key of a code point before `u`.
fn by_number(c: char) -> Option<KeyCode> {
    Some(match c {
        '\r' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\u{1b}' => KeyCode::Esc,
        '\u{7f}' => KeyCode::Backspace,
        c if c.is_control() => return None,
        c => KeyCode::Char(c),
    })
}

/// Modifiers by xterm's number, which is a mask and one.
fn modifiers(number: u32) -> KeyModifiers {
    let mask = number.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if mask & bit != 0 {
            modifiers |= modifier;
        }
    }
    modifiers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events in words, fed in pieces of every size; Alt and its key in one piece.
    fn read(bytes: &[u8]) -> String {
        let mut all = None::<String>;
        let alt = bytes.windows(2).any(|pair| pair[0] == ESC && !matches!(pair[1], b'[' | b'O' | b'\\' | ESC));
        for size in if alt { vec![bytes.len()] } else { vec![1, 2, 7, bytes.len().max(1)] } {
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for piece in bytes.chunks(size) {
                events.extend(parser.feed(piece));
            }
            events.extend(parser.silence());
            let words: Vec<String> = events.iter().map(word).collect();
            let words = words.join(" ");
            assert_eq!(all.get_or_insert_with(|| words.clone()), &words, "in pieces of {size}");
        }
        all.unwrap_or_default()
    }

    fn word(event: &Event) -> String {
        match event {
            Event::Key(KeyEvent { code, modifiers, .. }) => {
                let mut text = String::new();
                for (modifier, sign) in
                    [(KeyModifiers::CONTROL, "C-"), (KeyModifiers::ALT, "A-"), (KeyModifiers::SHIFT, "S-")]
                {
                    if modifiers.contains(modifier) {
                        text += sign;
                    }
                }
                match code {
                    KeyCode::Char(c) => text.push(*c),
                    code => text += &format!("{code:?}"),
                }
                text
            }
            Event::Paste(text) => format!("[{text}]"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn keys() {
        for (bytes, words) in [
            (&b"aZ\xc3\xa9\xf0\x9f\x98\x80"[..], "a S-Z é 😀"),
            (b"\r\t\x7f\x08\x03\x1a\x00", "Enter Tab Backspace C-h C-c C-z C- "),
            (b"\n", "C-j"),
            (b"\x1b", "Esc"),
            (b"\x1b\x1b", "Esc Esc"),
            (b"\x1b[", "A-["),
            (b"\x1b]", "A-]"),
            (b"\x1b]11;rgb:0000/0000/0000\x1b\\x\x1bP>|term\x07y", "x y"),
            (b"\x1b[1;5", ""),
            (b"\x1bb\x1b\xc3\xa9", "A-b A-é"),
            (b"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "Up Down Right Left Home End"),
            (b"\x1bOA\x1bOP\x1bOS", "Up F(1) F(4)"),
            (b"\x1b[1;5C\x1b[1;2A\x1b[1;3D\x1b[5;5~", "C-Right S-Up A-Left C-PageUp"),
            (b"\x1b[2~\x1b[3~\x1b[5~\x1b[6~\x1b[1~\x1b[4~", "Insert Delete PageUp PageDown Home End"),
            (b"\x1b[15~\x1b[17~\x1b[24~\x1b[11~", "F(5) F(6) F(12) F(1)"),
            (b"\x1b[Z", "S-BackTab"),
            (b"\x1b[[A\x1b[[E", "F(1) F(5)"),
            (b"\x1b[97;5u\x1b[13u", "C-a Enter"),
            // Reports and unknown sequences are no keys.
            (b"\x1b[I\x1b[O\x1b[<0;1;1M\x1b[M !!x\x1b[?62;c\x1b[99~y", "x y"),
            (b"\xff\xc3a", "a"),
        ] {
            assert_eq!(read(bytes), words, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_key_after_esc_is_another_key() {
        let mut parser = Parser::default();
        let mut events = parser.feed(b"\x1b");
        assert_eq!((events.len(), parser.waiting()), (0, Some(Waiting::Sequence)));
        events.extend(parser.feed(b"q"));
        assert_eq!(events.iter().map(word).collect::<Vec<_>>(), ["Esc", "q"]);
    }

    #[test]
    fn a_paste_is_text_and_ends_without_its_end() {
        assert_eq!(read(b"a\x1b[200~b\x1b[31m\nq\x1b[201~c"), "a [b\x1b[31m\nq] c");
        assert_eq!(read(b"\x1b[200~\x1b[201~\x1b[201~x"), "[] x");
        assert_eq!(read(b"\x1b[200~lost"), "[lost]");
        let mut parser = Parser::default();
        assert!(parser.feed(b"\x1b[200~never").is_empty());
        assert_eq!(parser.waiting(), Some(Waiting::Paste));
        let words: Vec<String> = parser.feed(&[3]).iter().map(word).collect();
        assert_eq!(words, ["[never]", "C-c"]);
        assert_eq!(parser.waiting(), None);
    }

    #[test]
    fn a_huge_paste_is_cut() {
        let mut parser = Parser::default();
        let mut events = parser.feed(b"\x1b[200~");
        for _ in 0..100 {
            events.extend(parser.feed(&[b'x'; 64 << 10]));
        }
        events.extend(parser.feed(b"\x1b[201~j"));
        let lengths: Vec<usize> = events.iter().map(|e| word(e).len()).collect();
        assert_eq!(lengths, [PASTE + 2, 1]);
    }

    #[test]
    fn any_bytes_are_read_to_their_end() {
        use proptest::prelude::*;
        let bytes =
            proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(&b"\x1b[O;~M20"[..])], 0..60);
        proptest!(|(bytes in bytes)| {
            let mut parser = Parser::default();
            parser.feed(&bytes);
            parser.silence();
            prop_assert_eq!(parser.waiting(), None);
        });
    }
}
