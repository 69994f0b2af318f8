//! Values: how a mask is written, what belongs to it on both sides, and which words announce a name.
//!
//! Called by the other halves of `Pass`. What decides is the text already written.

use std::ops::Range;

use super::lists::{is_date_word, is_no_name, is_unit};
use super::mask::{ENDINGS, M, Pass};
use super::run::is_word_byte;

/// Characters that may lie between two values of one list, date or range.
const BETWEEN: &[u8] = b" ,;|/:.-+=<>#&~@*\\^%";

impl Pass<'_> {
    /// Writes a mask for a part of the message, and lets it swallow what belongs to it on its left. Values with only
    /// separators between them become one, so that lists of any length have the same signature.
    pub(super) fn mask(&mut self, range: Range<usize>) {
        self.value = false;
        self.drop_date_words();
        // `<1 sec`: the sign belongs to the number.
        while let [before @ .., b'<' | b'>'] = self.out.as_slice()
            && before.last().is_none_or(|b| *b == b' ')
            && self.byte(range.end) != b'>'
        {
            self.out.truncate(before.len());
            self.drop_date_words();
        }
        let mut head = self.out.as_slice();
        loop {
            if head.ends_with(M) {
                let length = head.len();
                // `<a@b> 5`: a value in angle brackets keeps both.
                if self.out.get(length) == Some(&b'>') && self.out.get(..length).is_some_and(|h| h.ends_with(b"<<*>")) {
                    return self.push_mask(range);
                }
                self.out.truncate(length);
                return self.extend_last(range.end);
            }
            match head {
                [rest @ .., last] if BETWEEN.contains(last) => head = rest,
                _ => return self.push_mask(range),
            }
        }
    }

    /// Writes a mask that joins nothing, for that range of the message.
    pub(super) fn push_mask(&mut self, range: Range<usize>) {
        self.out.extend_from_slice(M);
        self.spans.push(range);
    }

    /// Lets the last value reach to `end`, a byte of the message.
    pub(super) fn extend_last(&mut self, end: usize) {
        if let Some(last) = self.spans.last_mut() {
            last.end = end;
        }
    }

    /// `Fri Jun ` before a value is the beginning of its date.
    pub(super) fn drop_date_words(&mut self) {
        loop {
            let trimmed = self.out.len() - self.out.iter().rev().take_while(|b| b" ,-/".contains(b)).count();
            let head = self.out.get(..trimmed).unwrap_or_default();
            let letters = head.iter().rev().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
            if letters < 3 {
                return;
            }
            let (before, word) = head.split_at(head.len() - letters);
            let starts = before.last().is_none_or(|b| !is_word_byte(*b) && *b != b'_');
            if !starts || !is_date_word(word) {
                return;
            }
            let length = before.len();
            self.out.truncate(length);
        }
    }

    /// Whether the text written so far ends in a mask, perhaps with one space behind it.
    pub(super) fn follows_mask(&self) -> bool {
        let out = self.out.strip_suffix(b" ").unwrap_or(&self.out);
        out.ends_with(M)
    }

    /// A unit, a zone, or the monotonic clock that Go prints behind a time: where it ends. `range` is a run of the
    /// message behind a mask; `None`: it is text.
    pub(super) fn belongs_to_mask(&self, range: &Range<usize>) -> Option<usize> {
        let word = self.slice(range.clone());
        if word == b"m" && self.byte(range.end) == b'=' && matches!(self.byte(range.end + 1), b'+' | b'-') {
            let digits = self.text.as_bytes().get(range.end + 2..).unwrap_or_default();
            let length = digits.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'.')).count();
            let dots = digits.get(..length).unwrap_or_default().iter().rev().take_while(|b| **b == b'.').count();
            return Some(range.end + 2 + length - dots);
        }
        let rest = self.text.as_bytes().get(range.end..).unwrap_or_default();
        let glued = rest.iter().find(|b| !ENDINGS.contains(b)) == Some(&b'<');
        (is_unit(word) && !glued).then_some(range.end)
    }

    /// Whether the words before make this word a name: it stands for a value though nothing else shows it. `end` is the
    /// byte behind the word.
    pub(super) fn is_name(&self, word: &[u8], end: usize) -> bool {
        let Some(before) = self.out.strip_suffix(b" ") else { return false };
        let last = before.rsplit(|b| !is_word_byte(*b) && *b != b'_').next().unwrap_or_default();
        let head = before.strip_suffix(last).unwrap_or_default();
        match last {
            b"user" | b"User" | b"CN" => !is_no_name(word),
            b"for" if head.ends_with(b"valid ") => self.byte(end) == b',' || !is_no_name(word),
            b"for" => (head.ends_with(b"password ") || head.ends_with(b"publickey ")) && !is_no_name(word),
            b"by" => self.byte(end) == b'(',
            b"not" => head.ends_with(b"valid for <*>, "),
            b"" => word != b"not" && head.ends_with(b"valid for <*>,"),
            // `lookup NAME on 10.0.0.1:53`, `lookup NAME: no such host`.
            b"lookup" if self.slice(end..end + 4) == b" on " => true,
            b"lookup" => self.byte(end) == b':' && !is_no_name(word),
            _ => false,
        }
    }
}
