//! One pass over a message: text is copied, values become `<*>`.
//!
//! Called by `signature` alone. Every decision rests on the text already written and on the run at hand, never on other
//! messages; so the mask of a mask is itself. Slices are taken by `get`: hostile input must not end the program.

use std::ops::Range;

use super::run::{
    ALPHA, AT, COLON, DIGIT, DOT, HIGH, SLASH, STOP, Slashed, class, is_hex_groups, is_host_port, is_mail, is_value,
    is_word_byte, slashed,
};

/// What stands for a value in a signature's text.
pub(super) const MASK: &str = "<*>";
/// [`MASK`] as bytes.
pub(super) const M: &[u8] = MASK.as_bytes();

/// What ends a sentence and stays behind a value.
pub(super) const ENDINGS: &[u8] = b".:!?";

/// A message on its way to its mask.
pub(super) struct Pass<'a> {
    /// The message, cut to the characters that are read.
    pub(super) text: &'a str,
    /// The byte of `text` that is read next.
    pub(super) at: usize,
    /// The masked text so far. Each part of the message is copied or masked.
    pub(super) out: Vec<u8>,
    /// Where in the message each mask of `out` comes from, in order.
    pub(super) spans: Vec<Range<usize>>,
    /// The values that went with their brackets.
    pub(super) asides: Vec<Range<usize>>,
    /// Quotes that are open: plain double, escaped double, backtick.
    pub(super) open: [bool; 3],
    /// The next run is the value of a `key=`.
    pub(super) value: bool,
}

impl<'a> Pass<'a> {
    /// A pass at the beginning of a message; `out` is empty and gives its room.
    pub(super) fn new(text: &'a str, out: Vec<u8>) -> Self {
        Self { text, at: 0, out, spans: Vec::new(), asides: Vec::new(), open: [false; 3], value: false }
    }

    /// Runs until the message ends or `out` has more characters than `limit`.
    pub(super) fn run_to(&mut self, limit: usize) {
        let mut check = limit;
        while self.at < self.text.len() {
            self.token();
            if self.out.len() > check {
                if self.out.iter().filter(|b| (**b as i8) >= -0x40).count() > limit {
                    break;
                }
                check = self.out.len() + 32;
            }
        }
        while self.out.last() == Some(&b' ') {
            self.out.pop();
        }
    }

    /// The byte at a place; 0 past the end.
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }
    /// The bytes of a range; empty where it reaches past the end.
    pub(super) fn slice(&self, range: Range<usize>) -> &'a [u8] {
        self.text.as_bytes().get(range).unwrap_or_default()
    }
    /// The character at a place; `None` at the end and within a character.
    pub(super) fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// Reads one token: white space, a quote, a bracket, a sign, or a run. It always advances.
    fn token(&mut self) {
        let byte = self.byte(self.at);
        match byte {
            0..=b' ' | 0x7f => self.space(1),
            b'"' => self.quote(0),
            b'`' => self.quote(2),
            b'\'' => self.apostrophe(),
            b'<' if self.slice(self.at..self.at + 3) == M => {
                self.mask(self.at..self.at + 3);
                self.at += 3;
            }
            b'[' => self.bracket(),
            b')' | b'}' | b']' => self.close(byte),
            b'=' => self.equals(),
            b'.' if self.leaders() > 0 => {
                self.at += self.leaders();
                self.out.extend_from_slice(b"...");
            }
            b'\\' if self.is_escape(self.at) => self.space(2),
            b'\\' if self.byte(self.at + 1) == b'"' => {
                self.out.push(b'\\');
                self.at += 1;
                self.quote(1);
            }
            _ if class(byte) & STOP != 0 => self.copy(1),
            _ if class(byte) & HIGH != 0 => self.foreign(),
            _ => self.run(),
        }
    }

    /// A line break or a tab that an encoder wrote as two characters.
    fn is_escape(&self, at: usize) -> bool {
        self.byte(at) == b'\\' && matches!(self.byte(at + 1), b'n' | b'r' | b't')
    }

    /// White space that is no plain space.
    pub(super) fn is_space(&self, at: usize) -> bool {
        self.is_escape(at) || self.char_at(at).is_some_and(|c| c.is_whitespace() || c.is_control())
    }

    /// Copies that many bytes of the message unchanged.
    pub(super) fn copy(&mut self, length: usize) {
        let text = self.slice(self.at..self.at + length);
        self.out.extend_from_slice(text);
        self.at += length;
    }

    /// Writes one space for any white space, and none at the beginning. A line break may be followed by a stack frame.
    fn space(&mut self, length: usize) {
        if !self.out.is_empty() && self.out.last() != Some(&b' ') {
            self.out.push(b' ');
        }
        self.value = false;
        let line_break = matches!(self.byte(self.at), b'\n') || self.slice(self.at..self.at + 2) == b"\\n";
        self.at += length;
        if line_break {
            self.stack_frame();
        }
    }

    /// A line of a stack trace, as Java and JavaScript print it, is no part of the message: it tells where, not what.
    fn stack_frame(&mut self) {
        let mut at = self.at;
        while matches!(self.byte(at), b' ' | b'\t') || self.slice(at..at + 2) == b"\\t" {
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        if !rest.starts_with(b"at ") && !rest.starts_with(b"... ") {
            return;
        }
        let mut end = at;
        while !matches!(self.byte(end), 0 | b'\n') && self.slice(end..end + 2) != b"\\n" {
            end += 1;
        }
        let line = self.slice(at..end).trim_ascii_end();
        if (line.starts_with(b"at ") && line.ends_with(b")")) || line.ends_with(b" more") {
            self.at = end;
        }
    }

    /// How many dots stand here, if they are leaders or an ellipsis: three or more.
    fn leaders(&self) -> usize {
        let dots = self.text.as_bytes().get(self.at..).unwrap_or_default().iter().take_while(|b| **b == b'.').count();
        if dots >= 3 { dots } else { 0 }
    }

    /// A character beyond ASCII at the beginning of a run.
    fn foreign(&mut self) {
        let Some(c) = self.char_at(self.at) else { return self.copy(1) };
        match c {
            _ if c.is_whitespace() || c.is_control() => self.space(c.len_utf8()),
            '“' | '„' | '‘' | '«' => self.foreign_quote(c),
            _ if breaks_runs(c) => self.copy(c.len_utf8()),
            _ => self.run(),
        }
    }

    /// An equals sign: after a key, the run behind it is its value.
    fn equals(&mut self) {
        let next = self.byte(self.at + 1);
        // The padding of a blob in base64 belongs to it.
        if self.out.ends_with(M) {
            let mut end = self.at;
            while self.byte(end) == b'=' {
                end += 1;
            }
            if class(self.byte(end)) & STOP != 0 || self.is_space(end) {
                self.extend_last(end);
                self.at = end;
                return;
            }
        }
        let key = self.out.last().is_some_and(|b| is_word_byte(*b) || matches!(b, b'_' | b'-' | b']' | b'>' | b'"'));
        self.value = key && !matches!(next, b'=' | b'>' | b'~') && class(next) & STOP == 0;
        self.copy(1);
    }

    /// Where the run that begins here ends, and the classes of its bytes.
    fn scan(&self) -> (usize, u8) {
        let start = self.at;
        let drive = self.byte(start + 1) == b':' || self.byte(start) == b'\\';
        let (mut at, mut seen) = (start, 0);
        while at < self.text.len() {
            let byte = self.byte(at);
            let kind = class(byte);
            if kind & (STOP | HIGH | DOT | SLASH) == 0 {
                seen |= kind;
                at += 1;
                continue;
            }
            let next = self.byte(at + 1);
            match byte {
                b'\'' if at > start && is_word_byte(self.byte(at - 1)) && is_word_byte(next) => {}
                b'.' if next == b'.' && self.byte(at + 2) == b'.' => break,
                b'\\' if next == b'"' || (!drive && self.is_escape(at)) => break,
                0x80.. => {
                    let Some(c) = self.char_at(at) else { break };
                    if c.is_whitespace() || c.is_control() || breaks_runs(c) {
                        break;
                    }
                    at += c.len_utf8() - 1;
                }
                _ if kind & STOP != 0 => break,
                _ => {}
            }
            seen |= kind & !STOP;
            at += 1;
        }
        (at.max(start + 1), seen)
    }

    /// Reads one run and writes it, with its punctuation on both sides as it is.
    fn run(&mut self) {
        let start = self.at;
        let (end, seen) = self.scan();
        let run = self.slice(start..end);
        let lead = run.iter().take_while(|b| matches!(b, b':' | b'!' | b'?')).count();
        let trail = run.iter().rev().take_while(|b| ENDINGS.contains(b)).count();
        if lead + trail >= run.len() {
            self.value = false;
            return self.copy(run.len());
        }
        self.copy(lead);
        self.at = self.body(start + lead..end - trail, seen);
        if self.at < end {
            self.copy(end - self.at);
        }
    }

    /// Writes a run without its punctuation, and returns where it ends: a value may reach beyond the run.
    fn body(&mut self, range: Range<usize>, seen: u8) -> usize {
        let word = self.slice(range.clone());
        let wordy = seen & (DIGIT | ALPHA | HIGH) != 0;
        if std::mem::take(&mut self.value) && wordy {
            return self.whole(range.start, range);
        }
        if self.follows_mask()
            && let Some(end) = self.belongs_to_mask(&range)
        {
            self.out.truncate(self.out.trim_ascii_end().len());
            self.extend_last(end);
            return end;
        }
        if !wordy {
            if word.len() >= 3 && word.iter().all(|b| *b == b'*') {
                return self.whole(range.start, range);
            }
            self.out.extend_from_slice(word);
            return range.end;
        }
        if seen & SLASH != 0 {
            match slashed(word) {
                // The closing tag of a page of HTML.
                Slashed::Path(0) if self.out.last() == Some(&b'<') && seen & DIGIT == 0 => {
                    self.out.extend_from_slice(word);
                    return range.end;
                }
                Slashed::Address(at) | Slashed::Path(at) => {
                    let from = range.start + at;
                    self.parts(range.start..from);
                    return self.whole(from, range);
                }
                Slashed::Words => {}
            }
        }
        if (seen & AT != 0 && is_mail(word)) || (seen & COLON != 0 && (is_hex_groups(word) || is_host_port(word))) {
            return self.whole(range.start, range);
        }
        let end = range.end;
        self.parts(range);
        end
    }

    /// Masks from `from` to the end of the run; an address and a path with parameters reach further.
    fn whole(&mut self, from: usize, run: Range<usize>) -> usize {
        let word = self.slice(from..run.end);
        let reaches = word.windows(3).any(|w| w == b"://") || (word.contains(&b'/') && word.contains(&b'?'));
        let end = if reaches { self.reach(from).max(run.end) } else { run.end };
        self.mask(from..end);
        end
    }

    /// Where an address that begins at `from` ends.
    fn reach(&self, from: usize) -> usize {
        let (mut at, mut bracket) = (from, false);
        loop {
            match self.byte(at) {
                0..=b' ' | 0x7f | b'"' | b'\'' | b'`' | b'<' | b'>' | b'(' | b')' | b'{' | b'}' | b'|' => break,
                b'\\' if self.is_escape(at) || self.byte(at + 1) == b'"' => break,
                b'[' if self.byte(at.wrapping_sub(1)) == b'/' => bracket = true,
                b']' if bracket => bracket = false,
                b'[' | b']' => break,
                0x80.. => {
                    let Some(c) = self.char_at(at) else { break };
                    if c.is_whitespace() || c.is_control() || breaks_runs(c) {
                        break;
                    }
                    at += c.len_utf8() - 1;
                }
                _ => {}
            }
            at += 1;
        }
        while at > from && matches!(self.byte(at - 1), b'.' | b':' | b'!' | b'?' | b',' | b';') {
            at -= 1;
        }
        at
    }

    /// Part by part around the colons.
    fn parts(&mut self, range: Range<usize>) {
        let mut from = range.start;
        while from < range.end {
            let rest = self.slice(from..range.end);
            let end = rest.iter().position(|b| *b == b':').map_or(range.end, |at| from + at);
            let part = self.slice(from..end);
            if is_value(part) || self.is_name(part, end) {
                self.mask(from..end);
            } else {
                self.out.extend_from_slice(part);
            }
            if end < range.end {
                self.out.push(b':');
            }
            from = end + 1;
        }
    }
}

/// Scripts that are written without spaces between words, and their punctuation: such a character ends a run, so that a
/// number within a sentence masks the number alone. Quotes and dashes do so too.
fn breaks_runs(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2010}'..='\u{201f}'
        | '\u{2026}' | '\u{2e80}'..='\u{abff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}' | '«' | '»')
}
