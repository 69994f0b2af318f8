//! Splits a filter into words: quotes, commas, wildcards and columns. It knows the keys, but not the types of their
//! values.
//!
//! A word is `-`? (`key:`)? and values; a value is `*`? (bare or "quoted") `*`?, and nothing else. Anything else is an
//! error, because a guess would apply a filter that the user did not write.

use super::parse::FilterError;
use super::{Glob, Key};
use crate::domain::text::Clean;
use crate::domain::when::is_date;

/// One whitespace-separated piece of a filter.
pub(super) struct Word {
    /// The word begins with `-`.
    pub negated: bool,
    /// What follows the sign.
    pub body: Body,
}

/// A word without its sign.
pub(super) enum Body {
    /// A key, its colon, and one or more values.
    Pair { key: Key, values: Vec<Value> },
    /// A bare word or a phrase.
    Free(Value),
}

/// A value without its wildcards.
pub(super) struct Value {
    /// Its first character's column, from 1.
    pub column: usize,
    /// The text and its wildcards.
    pub glob: Glob,
    /// Whether the text stood in quotes; then it is never read as an operator.
    pub quoted: bool,
}

/// The words of a text, or its first mistake. Fails for quotes that are never closed, doubled signs, unknown keys,
/// missing values, and stars inside a value.
pub(super) fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
    let mut words = Vec::new();
    while lexer.skip_space() {
        words.push(lexer.word()?);
    }
    Ok(words)
}

/// A position in the characters of a filter.
struct Lexer {
    /// All characters of the text, so that columns count characters.
    chars: Vec<char>,
    /// The index of the next character.
    at: usize,
}

/// The kind of value that is being read.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// A free word, in which a comma is a plain character.
    Free,
    /// A value after a key with texts, which ends at a comma.
    Value,
    /// After a key with times, where a date, one space and a clock time are one value.
    Time,
}

impl Lexer {
    /// The next character, without reading it.
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
    /// Reads the next character if it is the wanted one, and returns whether it was.
    fn eat(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }
    /// The column of the next character, from 1.
    fn column(&self) -> usize {
        self.at + 1
    }
    /// Whether white space or the end of the text comes next.
    fn at_end_of_word(&self) -> bool {
        self.peek().is_none_or(char::is_whitespace)
    }
    /// Whether another word follows.
    fn skip_space(&mut self) -> bool {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        self.peek().is_some()
    }
    /// The rest of the word, as written.
    fn rest_of_word(&self) -> String {
        self.chars.iter().skip(self.at).take_while(|c| !c.is_whitespace()).collect()
    }

    /// Reads one word: its sign, its key, its values.
    fn word(&mut self) -> Result<Word, FilterError> {
        let column = self.column();
        let negated = self.eat('-');
        if negated && self.at_end_of_word() {
            return Err(FilterError::new(
                column,
                "'-' negates nothing",
                "write it right before a term: '-type:failed'",
            ));
        }
        if self.peek() == Some('-') {
            let hint = format!("to search for the text, quote it: \"-{}\"", Clean::line(&self.rest_of_word()));
            return Err(FilterError::new(column, "'-' is doubled", hint));
        }
        let Some(key) = self.key()? else {
            let value = self.value(Place::Free)?;
            return Ok(Word { negated, body: Body::Free(value) });
        };
        let place = if key.field().is_some() { Place::Value } else { Place::Time };
        let mut values = Vec::new();
        loop {
            if self.at_end_of_word() || self.peek() == Some(',') {
                return Err(self.missing_value(key, values.is_empty()));
            }
            values.push(self.value(place)?);
            if !self.eat(',') {
                break;
            }
        }
        Ok(Word { negated, body: Body::Pair { key, values } })
    }

    /// The error for a key without a value and for a comma without a value beside it.
    fn missing_value(&self, key: Key, first: bool) -> FilterError {
        let name = key.name();
        let next: String = self.chars.iter().skip(self.at).skip_while(|c| c.is_whitespace()).take(1).collect();
        if !first || next == "," {
            return FilterError::new(self.column(), format!("a value of '{name}' is missing beside the comma"), ANY_OF);
        }
        let hint = if next.is_empty() { "give one right after the colon" } else { "leave no space after the colon" };
        FilterError::new(self.column(), format!("'{name}:' has no value"), hint)
    }

    /// Reads the key and its colon; `None` for a free word or a phrase.
    fn key(&mut self) -> Result<Option<Key>, FilterError> {
        let column = self.column();
        let word = self.rest_of_word();
        let head: String = word.chars().take_while(|c| *c != ':' && *c != '"').collect();
        let length = head.chars().count();
        if word.chars().nth(length) != Some(':') {
            return Ok(None);
        }
        let Some(key) = Key::parse(&head) else { return Err(FilterError::unknown_key(column, &head, &word)) };
        self.at += length + 1;
        Ok(Some(key))
    }

    /// Reads one value with its wildcards.
    fn value(&mut self, place: Place) -> Result<Value, FilterError> {
        let column = self.column();
        let open_start = self.eat('*');
        let quoted = self.eat('"');
        let mut text = if quoted { self.quoted(column)? } else { self.bare(place)? };
        let open_end = if quoted {
            self.eat('*')
        } else {
            let open = text.ends_with('*');
            text.truncate(text.len() - usize::from(open));
            open
        };
        if quoted && !self.at_end_of_word() && (place == Place::Free || self.peek() != Some(',')) {
            return Err(FilterError::new(self.column(), "text follows the closing quote", "put a space between them"));
        }
        if !quoted && text.contains('*') {
            let hint = "put a wildcard at the beginning or end of a value; quote a star to search for it";
            return Err(FilterError::new(column, "'*' inside a value", hint));
        }
        match Glob::new(open_start, text, open_end) {
            Some(glob) => Ok(Value { column, glob, quoted }),
            None => Err(FilterError::new(column, "an empty value", EMPTY)),
        }
    }

    /// Reads up to and including the closing quote. `\"` and `\\` are one character; any other backslash is plain.
    fn quoted(&mut self, opened: usize) -> Result<String, FilterError> {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match (c, self.peek()) {
                ('"', _) => return Ok(text),
                ('\\', Some(next @ ('"' | '\\'))) => {
                    text.push(next);
                    self.at += 1;
                }
                _ => text.push(c),
            }
        }
        Err(FilterError::new(
            opened,
            "this quote is never closed",
            "add a '\"'; inside quotes write '\\\"' for a quote",
        ))
    }

    /// Reads a value without quotes, to its end or to a comma. After a date, one space and a clock time, the space
    /// becomes `T`.
    fn bare(&mut self, place: Place) -> Result<String, FilterError> {
        let column = self.column();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    let hint = "quote the whole of it, with '\\\"' for a quote inside";
                    return Err(FilterError::new(self.column(), "a quote inside a word", hint));
                }
                '“' | '”' | '„' if text.is_empty() => {
                    return Err(FilterError::new(column, format!("'{c}' does not quote"), "use '\"'"));
                }
                ',' if place != Place::Free => break,
                c if c.is_whitespace() => {
                    if !(place == Place::Time && c == ' ' && ends_in_date(&text) && self.clock_follows()) {
                        break;
                    }
                    text.push('T');
                }
                _ => text.push(c),
            }
            self.at += 1;
        }
        Ok(text)
    }

    /// Whether the space at this position separates a date from a clock time.
    fn clock_follows(&self) -> bool {
        let next: Vec<char> = self.chars.iter().skip(self.at + 1).take(5).copied().collect();
        matches!(next.as_slice(), [a, b, ':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()))
    }
}

/// The suggestion for a comma without a value beside it.
const ANY_OF: &str = "separate values with one comma, as in 'a,b'";
/// The suggestion for an empty value.
const EMPTY: &str = "rows without a value match '-reason:*', in any field that may be missing";

/// Whether the last ten bytes have the form of a date.
fn ends_in_date(text: &str) -> bool {
    text.len().checked_sub(10).and_then(|start| text.get(start..)).is_some_and(is_date)
}
