//! From a key to an action: the table's default keys, and the user's bindings.
//!
//! Built by the configuration; the shell looks keys up in it.

use std::collections::HashMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use thiserror::Error;

use crate::domain::suggest::nearest;
use crate::domain::text::Clean;
use crate::ui::action::{ACTIONS, Action};

/// One key with its modifiers, written as `j`, `G`, `C-d`, `S-Tab`, `PgDn`, `Space`, `F1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The keys that are written as words. A key of one character is written as that character, F1 to F24 by their number.
const NAMES: &[(&str, KeyCode)] = &[
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Space", KeyCode::Char(' ')),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Del", KeyCode::Delete),
    ("Ins", KeyCode::Insert),
    ("BS", KeyCode::Backspace),
];

impl Chord {
    /// Reads a key with its modifiers: `C-` for Ctrl, `A-` for Alt, `S-` for Shift, in any order. `None` if the text
    /// names no key.
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('-').filter(|(h, t)| !h.is_empty() && !t.is_empty()) {
            modifiers |= match head {
                "C" => KeyModifiers::CONTROL,
                "A" => KeyModifiers::ALT,
                "S" => KeyModifiers::SHIFT,
                _ => return None,
            };
            rest = tail;
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => match NAMES.iter().find(|(name, _)| *name == rest) {
                Some((_, code)) => *code,
                None => KeyCode::F(rest.strip_prefix('F')?.parse().ok().filter(|n| (1..=24).contains(n))?),
            },
        };
        Some(Self { code, modifiers }.normal())
    }

    /// The chord of a key as the terminal reports it.
    pub fn of(key: &KeyEvent) -> Self {
        Self { code: key.code, modifiers: key.modifiers }.normal()
    }

    /// Terminals differ in how they report Shift: a capital letter implies it, `BackTab` is Shift and Tab.
    fn normal(mut self) -> Self {
        self.modifiers &= KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        match self.code {
            KeyCode::BackTab => {
                self.code = KeyCode::Tab;
                self.modifiers |= KeyModifiers::SHIFT;
            }
            KeyCode::Char(_) => self.modifiers -= KeyModifiers::SHIFT,
            _ => {}
        }
        self
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (flag, name) in [(KeyModifiers::CONTROL, "C-"), (KeyModifiers::ALT, "A-"), (KeyModifiers::SHIFT, "S-")] {
            if self.modifiers.contains(flag) {
                f.write_str(name)?;
            }
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "F{n}"),
            (None, other) => write!(f, "{other:?}"),
        }
    }
}

/// Which key does what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keymap {
    /// Each key has at most one action.
    actions: HashMap<Chord, Action>,
    /// The keys of each action, in their order on screen.
    keys: HashMap<Action, Vec<Chord>>,
}

/// Why keys cannot be bound.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum KeymapError {
    #[error("unknown action '{name}'{hint}")]
    Action { name: Clean, hint: String },
    #[error("'{key}' of '{action}' names no key; valid are 'j', 'G', 'C-d', 'A-x', 'S-Tab', 'Space', 'PgDn', 'F1'")]
    Key { action: &'static str, key: Clean },
    #[error("'{key}' is bound to '{first}' and to '{second}'")]
    Twice { key: Chord, first: &'static str, second: &'static str },
    #[error("'{action}' must keep a key: nothing else leaves the program")]
    Locked { action: &'static str },
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self { actions: HashMap::new(), keys: HashMap::new() };
        for spec in ACTIONS {
            let chords: Vec<Chord> = spec.keys.iter().filter_map(|k| Chord::parse(k)).collect();
            keymap.actions.extend(chords.iter().map(|c| (*c, spec.action)));
            keymap.keys.insert(spec.action, chords);
        }
        keymap
    }
}

impl Keymap {
    /// The default keys with some replaced: each binding is an action's name and all of its keys. A key that another
    /// action had by default moves; two bindings must not name the same key. The error names the first mistake; then no
    /// binding takes effect.
    pub fn with<'a>(bindings: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Result<Self, KeymapError> {
        let mut keymap = Self::default();
        let mut bound: HashMap<Chord, &'static str> = HashMap::new();
        for (name, keys) in bindings {
            let Some(spec) = ACTIONS.iter().find(|s| s.id == name) else {
                let near = nearest(name, ACTIONS.iter().map(|s| s.id));
                let hint = near.map_or(String::new(), |id| format!("; did you mean '{id}'?"));
                return Err(KeymapError::Action { name: Clean::line(name), hint });
            };
            if keys.is_empty() && spec.action == Action::Cancel {
                return Err(KeymapError::Locked { action: spec.id });
            }
            for old in keymap.keys.insert(spec.action, Vec::new()).unwrap_or_default() {
                if keymap.actions.get(&old) == Some(&spec.action) {
                    keymap.actions.remove(&old);
                }
            }
            for key in keys {
                let error = || KeymapError::Key { action: spec.id, key: Clean::line(key) };
                let chord = Chord::parse(key).ok_or_else(error)?;
                if let Some(first) = bound.insert(chord, spec.id) {
                    return Err(KeymapError::Twice { key: chord, first, second: spec.id });
                }
                if let Some(loser) = keymap.actions.insert(chord, spec.action)
                    && loser != spec.action
                    && let Some(had) = keymap.keys.get_mut(&loser)
                {
                    had.retain(|c| *c != chord);
                }
                keymap.keys.entry(spec.action).or_default().push(chord);
            }
        }
        Ok(keymap)
    }

    /// The action of a key; `None` if it has none.
    pub fn action(&self, key: &KeyEvent) -> Option<Action> {
        self.actions.get(&Chord::of(key)).copied()
    }
    /// The keys of an action, blank-separated; empty if it has none. Empty if it has none.
    pub fn keys(&self, action: Action) -> String {
        let chords = self.keys.get(&action).map(Vec::as_slice).unwrap_or_default();
        chords.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
    }
    /// The first key of an action.
    pub fn key(&self, action: Action) -> String {
        self.keys.get(&action).and_then(|c| c.first()).map(Chord::to_string).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_default_key_is_one_action() {
        let mut seen = HashMap::new();
        for spec in ACTIONS {
            for key in spec.keys {
                let chord = Chord::parse(key).unwrap_or_else(|| panic!("{key} is no key"));
                assert_eq!(chord.to_string(), *key);
                assert_eq!(seen.insert(chord, spec.id), None, "{key} is bound twice");
            }
        }
    }

    #[test]
    fn keys_are_replaced_and_mistakes_reported() {
        let keys = |k: &[&str]| k.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let (x, q, none) = (keys(&["x"]), keys(&["Q", "A-q"]), keys(&[]));
        let map =
            Keymap::with([("next-failure", x.as_slice()), ("back", q.as_slice()), ("zone", none.as_slice())]).unwrap();
        let press = |c, m| map.action(&KeyEvent::new(KeyCode::Char(c), m));
        assert_eq!(press('x', KeyModifiers::NONE), Some(Action::NextFailure));
        assert_eq!((press('e', KeyModifiers::NONE), press('q', KeyModifiers::NONE)), (None, None));
        assert_eq!(press('q', KeyModifiers::ALT), Some(Action::Back));
        assert_eq!((map.keys(Action::DropChip).as_str(), map.keys(Action::Back).as_str()), ("", "Q A-q"));
        for (name, keys, message) in [
            ("bakc", &q, "unknown action 'bakc'; did you mean 'back'?"),
            (
                "back",
                &keys(&["Qq"]),
                "'Qq' of 'back' names no key; valid are 'j', 'G', 'C-d', 'A-x', 'S-Tab', 'Space', 'PgDn', 'F1'",
            ),
            ("back", &keys(&["j", "j"]), "'j' is bound to 'back' and to 'back'"),
            ("cancel", &none, "'cancel' must keep a key: nothing else leaves the program"),
        ] {
            assert_eq!(Keymap::with([(name, keys.as_slice())]).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn shift_is_one_chord_however_it_is_reported() {
        let capital = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Keymap::default().action(&capital), Some(Action::Bottom));
        let back_tab = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Keymap::default().action(&back_tab), Some(Action::PrevPane));
        for bad in ["", "X-a", "Foo", "F99"] {
            assert_eq!(Chord::parse(bad), None, "{bad}");
        }
        assert_eq!(Chord::parse("-").unwrap().to_string(), "-");
        assert_eq!(Chord::parse("C--").unwrap().to_string(), "C--");
    }
}
