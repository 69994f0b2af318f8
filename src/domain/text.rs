//! Text from outside, and its safe form.
//!
//! Error messages come from devices, brokers and sometimes attackers. [`Text`] holds them unchanged and has no
//! `Display`. There are two ways out: [`Text::raw`], for formats that escape by themselves (SQL parameters, JSON), and
//! [`Clean`], in which no character can move the cursor, change the writing direction or be invisible.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Text as a database or a file holds it. Cheap to clone. It compares and orders by its bytes of UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

impl Text {
    /// Takes the text unchanged; any characters are valid, NUL included.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
    /// The unchanged text, only for what escapes it: bound parameters, JSON, comparison.
    pub fn raw(&self) -> &str {
        &self.0
    }
    /// One safe line: line breaks and other controls become visible signs.
    pub fn clean(&self) -> Clean {
        Clean::line(&self.0)
    }
    /// Safe lines, split at the text's line breaks.
    pub fn clean_lines(&self) -> Vec<Clean> {
        self.0.split('\n').map(|l| Clean::line(l.strip_suffix('\r').unwrap_or(l))).collect()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Text that is safe to print: without controls, bidirectional or invisible characters and line breaks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Clean(String);

impl Clean {
    /// Replaces unsafe characters by visible signs instead of removing them, because they are evidence: `ESC` by `␛`,
    /// U+202E by `⟨202E⟩`.
    pub fn line(text: &str) -> Self {
        if !text.chars().any(is_unsafe) {
            return Self(text.to_owned());
        }
        let mut out = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            push_clean(&mut out, c);
        }
        Self(out)
    }
    /// The safe text, ready to print.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Appends a character in its safe form: itself, a control picture, or its code in angle brackets.
fn push_clean(out: &mut String, c: char) {
    use fmt::Write as _;
    match c {
        // The Unicode block "Control Pictures" has one sign for each C0 control, and one for DEL.
        '\0'..='\x1f' => out.extend(char::from_u32(0x2400 + c as u32)),
        '\x7f' => out.push('␡'),
        c if is_unsafe(c) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "⟨{:04X}⟩", c as u32);
        }
        c => out.push(c),
    }
}

/// Whether a character must not reach a terminal, a file name or the clipboard as it is: controls, line and
/// paragraph separators, bidirectional controls, zero-width and other default-ignorable characters, tags, format
/// characters of prepended marks (Unicode property `Cf`), private use and noncharacters.
pub fn is_unsafe(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        // Marks that enclose the characters after them: terminals disagree on how many cells these take.
        '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' => true,
        '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}' => true,
        // Private use has no agreed width.
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => true,
        // Noncharacters: the last two of every plane, and 32 in the first.
        '\u{fdd0}'..='\u{fdef}' => true,
        c => matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff),
    }
}

/// Replaces NUL by its sign `␀`: PostgreSQL cannot store NUL, and both databases must hold the same text.
pub fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "␀")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_what_it_must_not_print() {
        for (raw, shown) in [
            ("plain ünï", "plain ünï"),
            ("\x1b[31mred", "␛[31mred"),
            ("a\r\nb\tc\0\x7f", "a␍␊b␉c␀␡"),
            ("\u{202e}exe.\u{200b}x\u{9b}2J", "⟨202E⟩exe.⟨200B⟩x⟨009B⟩2J"),
        ] {
            assert_eq!(Text::from(raw).clean().as_str(), shown);
        }
    }

    #[test]
    fn noncharacters_and_format_characters_are_shown_by_their_code() {
        let ranges = [
            (0x600, 0x605),
            (0x6dd, 0x6dd),
            (0x70f, 0x70f),
            (0x890, 0x891),
            (0x8e2, 0x8e2),
            (0xfdd0, 0xfdef),
            (0x110bd, 0x110bd),
            (0x110cd, 0x110cd),
            (0x13430, 0x1345f),
        ];
        let ends = (0..=16).map(|plane| (plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff));
        for code in ranges.into_iter().chain(ends).flat_map(|(first, last)| first..=last) {
            let c = char::from_u32(code).unwrap();
            assert_eq!(Clean::line(&format!("a{c}b")).as_str(), format!("a⟨{code:04X}⟩b"));
        }
        // Their neighbors are letters, digits and signs like any others.
        for c in ['\u{606}', '\u{6de}', '\u{fdcf}', '\u{fdf0}', '\u{fffd}', '\u{110bc}', '\u{1342f}', '\u{1f512}'] {
            assert!(!is_unsafe(c), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn clean_text_has_nothing_unsafe(s in any::<String>()) {
            let clean = Text::from(s.as_str()).clean();
            prop_assert!(!clean.as_str().chars().any(|c| c.is_control() || is_unsafe(c)));
            for line in Text::from(s.as_str()).clean_lines() {
                prop_assert!(!line.as_str().chars().any(is_unsafe));
            }
        }
    }
}
