//! Quotes and brackets: a quoted word is a name, a quoted phrase is text.
//!
//! Called by `mask` alone; the second half of its `Pass`.

use std::ops::Range;

use super::mask::{M, Pass};
use super::run::{is_hex_groups, is_word_byte};

/// Characters that may lie between two quoted values of one list.
const BETWEEN: &[u8] = b" ,;|/&";

impl Pass<'_> {
    /// A typographic quote: a single word up to the closing quote is a value, a phrase is text.
    pub(super) fn foreign_quote(&mut self, c: char) {
        let from = self.at + c.len_utf8();
        let rest = self.text.get(from..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '”' | '“' | '’' | '»'));
        self.copy(c.len_utf8());
        if let Some(end) = end.filter(|end| *end > 0 && !rest[*end..].starts_with(char::is_whitespace)) {
            self.push_mask(from..from + end);
            self.at = from + end;
            let closing = self.char_at(self.at).map_or(1, char::len_utf8);
            self.copy(closing);
        }
    }

    /// A double quote or a backtick. `kind` is its place in `open`; the backslash of an escaped one is written already.
    /// A closing quote, and one that opens a phrase, are copied; a quoted word is masked.
    pub(super) fn quote(&mut self, kind: usize) {
        self.value = false;
        let sign = self.byte(self.at);
        let Some(open) = self.open.get_mut(kind) else { return };
        if std::mem::take(open) {
            return self.copy(1);
        }
        let from = self.at + 1;
        let mut end = from;
        let closed = loop {
            match self.byte(end) {
                0..=b' ' => break false,
                b'\'' if kind == 2 => break true,
                b if b == sign && kind != 1 => break true,
                b'\\' if kind == 1 && self.byte(end + 1) == sign => break true,
                b'\\' if self.byte(end + 1) == b'"' => break false,
                _ => end += 1,
            }
        };
        let name = self.slice(from..end);
        if name.starts_with(b"urn:") || (!closed && end < self.text.len()) {
            if let Some(open) = self.open.get_mut(kind) {
                *open = true;
            }
            return self.copy(1);
        }
        if !closed || name.is_empty() {
            self.copy(1);
            // Both quotes of an empty name are written, so that the second one opens nothing.
            if closed {
                self.copy(if kind == 1 { 2 } else { 1 });
            }
            return;
        }
        let close = if kind == 1 { end..end + 2 } else { end..end + 1 };
        if self.is_json_key(name, close.end) {
            return self.copy(close.end - self.at);
        }
        self.quoted(from..end, close);
    }

    /// `{"type":…` and `, "type":…`: the word names a field. `name` is the quoted word, `after` the place behind its
    /// closing quote. Such a word is text.
    pub(super) fn is_json_key(&self, name: &[u8], after: usize) -> bool {
        let before = self.out.strip_suffix(b"\\").unwrap_or(&self.out).trim_ascii_end();
        self.byte(after) == b':'
            && matches!(before.last(), Some(b'{' | b','))
            && name.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'$'))
    }

    /// Writes a quoted value; behind another one only separators away, both are one list. `name` is the value and
    /// `close` its closing quote, both as ranges of the message.
    pub(super) fn quoted(&mut self, name: Range<usize>, close: Range<usize>) {
        let sign = self.byte(name.start.wrapping_sub(1));
        let tail = [b'<', b'*', b'>', self.byte(close.start)];
        let before = self.out.len() - self.out.iter().rev().take_while(|b| BETWEEN.contains(b)).count();
        let head = self.out.get(..before).unwrap_or_default();
        if close.len() == 1 && head.ends_with(&tail) && head.get(..head.len() - 4).is_some_and(|h| h.ends_with(&[sign]))
        {
            self.out.truncate(before);
            if let Some(last) = self.spans.last_mut() {
                last.end = name.end;
            }
        } else {
            self.out.push(sign);
            self.push_mask(name);
            self.out.extend_from_slice(self.slice(close.clone()));
        }
        self.at = close.end;
    }

    /// A single quote opens a name where a word begins; within a word it is an apostrophe.
    pub(super) fn apostrophe(&mut self) {
        self.value = false;
        let opens = self.out.last().is_none_or(|b| !is_word_byte(*b));
        let from = self.at + 1;
        let mut end = from;
        while opens && end < self.text.len() {
            match self.byte(end) {
                0..=b' ' => break,
                b'\'' if end > from && self.ends_name(end + 1) => {
                    return self.quoted(from..end, end..end + 1);
                }
                _ => end += 1,
            }
        }
        self.copy(1);
    }

    /// `[fe80::1]:8080` is one value; any other bracket is text.
    pub(super) fn bracket(&mut self) {
        let from = self.at + 1;
        let inner = self.text.as_bytes().get(from..).unwrap_or_default();
        let end = inner.iter().take(64).position(|b| *b == b']').unwrap_or(0);
        if end > 2 && is_hex_groups(inner.get(..end).unwrap_or_default()) && self.byte(from + end + 1) == b':' {
            let mut stop = from + end + 1;
            while matches!(self.byte(stop), b':' | b'0'..=b'9') {
                stop += 1;
            }
            let stop = if self.byte(stop - 1) == b':' { stop - 1 } else { stop };
            self.mask(self.at..stop);
            self.at = stop;
        } else {
            self.value = false;
            self.copy(1);
        }
    }

    /// An aside of one value, as in `still expired (x52)`, goes with its brackets; one that is attached to a value, as
    /// in `WorkSource{10113}`, belongs to it.
    pub(super) fn close(&mut self, bracket: u8) {
        self.value = false;
        let attached: &[u8] = match bracket {
            b')' => b"<*>(<*>",
            b'}' => b"<*>{<*>",
            _ => b"<*>[<*>",
        };
        if self.out.ends_with(attached) {
            self.out.truncate(self.out.len() - M.len() - 1);
            self.spans.pop();
            self.at += 1;
            return self.extend_last(self.at);
        }
        if bracket != b')' {
            return self.copy(1);
        }
        let head = self.out.trim_ascii_end().strip_suffix(M).map(<[u8]>::trim_ascii_end);
        let Some(head) = head.and_then(|h| h.strip_suffix(b"(")).filter(|h| h.last().is_none_or(|b| *b == b' ')) else {
            return self.copy(1);
        };
        let length = head.len();
        self.out.truncate(length);
        self.asides.extend(self.spans.pop());
        self.at += 1;
        let ends = |b: u8| matches!(b, 0..=b' ' | b')' | b']' | b'}' | b'"');
        let next = self.byte(self.at);
        if ends(next) && next > b' '
            || (matches!(next, b',' | b'.' | b':' | b';' | b'!' | b'?') && ends(self.byte(self.at + 1)))
        {
            self.out.truncate(length.saturating_sub(1));
        }
    }

    /// Whether the quote before this place closes a name: a word that goes on behind it says otherwise.
    fn ends_name(&self, at: usize) -> bool {
        let next = self.byte(at);
        (!is_word_byte(next) && next != b'<') || self.is_space(at)
    }
}
