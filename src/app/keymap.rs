//! From a key to an action.

use std::collections::HashMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{ACTIONS, Action};

/// One key with its modifiers, written as `j`, `G`, `C-d`, `S-Tab`, `PgDn`, `Space`, `F1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

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
    /// `None` for what names no key.
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

    pub fn of(key: &KeyEvent) -> Self {
        Self { code: key.code, modifiers: key.modifiers }.normal()
    }

    /// Terminals differ in how they tell Shift: a capital letter says it already, `BackTab` is Shift and Tab.
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

#[derive(Clone, Debug)]
pub struct Keymap(HashMap<Chord, Action>);

impl Default for Keymap {
    fn default() -> Self {
        Self(ACTIONS.iter().flat_map(|s| s.keys.iter().filter_map(|k| Some((Chord::parse(k)?, s.action)))).collect())
    }
}

impl Keymap {
    pub fn action(&self, key: &KeyEvent) -> Option<Action> {
        self.0.get(&Chord::of(key)).copied()
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
    fn shift_is_told_in_one_way() {
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
