//! Parses words into a [`Filter`]: the values of each key, and the message for each mistake.

use std::fmt;

use super::lex::{self, Body, Value, Word};
use super::{Expiry, Extent, Field, Filter, Key, Order, Standing, Term, Test};
use crate::domain::signature::{SigId, SigIdError, VERSION};
use crate::domain::suggest::nearest;
use crate::domain::text::Clean;
use crate::domain::when::{Length, Range, TimeError, Unit, When};

/// A mistake in a filter: its column, its message and a suggestion. Safe to print.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterError {
    /// In characters of the text, from 1.
    pub column: usize,
    /// What is wrong, with the words as typed.
    pub message: String,
    /// What to write instead, or which forms are valid.
    pub suggestion: Option<String>,
}

impl Filter {
    /// Reads a filter; the empty text is the empty filter. Any mistake is an error: it never yields a filter that
    /// matches more.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let terms = lex::words(text)?.into_iter().map(term).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }
}

impl FilterError {
    /// An error with a suggestion; `column` counts characters from 1.
    pub(super) fn new(column: usize, message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self { column, message: message.into(), suggestion: Some(suggestion.into()) }
    }

    /// The error of a time within a filter.
    pub(super) fn time(column: usize, error: TimeError) -> Self {
        Self::new(column, error.message, error.suggestion)
    }

    /// `word` is the whole word, which begins with `typed` and a colon.
    pub(super) fn unknown_key(column: usize, typed: &str, word: &str) -> Self {
        let message = format!("unknown key '{}'", Clean::line(typed));
        let meant = typed.strip_prefix('!').and_then(Key::parse).map(|key| format!("-{}", key.name()));
        let meant = meant.or_else(|| alias(typed).map(|key| key.name().to_owned()));
        let meant = meant.or_else(|| nearest(typed, Key::ALL.map(Key::name)).map(str::to_owned));
        let suggestion = match meant {
            Some(name) => format!("did you mean '{name}'?"),
            None => format!(
                "to search for the text, quote it: {}; the keys are {}",
                super::print::quoted(Clean::line(word).as_str()),
                Key::ALL.map(Key::name).join(", ")
            ),
        };
        Self::new(column, message, suggestion)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter: {} at column {}", self.message, self.column)?;
        self.suggestion.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}
impl std::error::Error for FilterError {}

/// The key for a word of other tools; only suggested, never applied.
fn alias(typed: &str) -> Option<Key> {
    Some(match typed.to_ascii_lowercase().as_str() {
        "kind" | "event" | "event_type" | "outcome" | "status" | "result" => Key::Type,
        "org_id" | "organisation" | "organization" | "tenant" | "customer" => Key::Org,
        "device_id" | "host" | "node" | "name" => Key::Device,
        "msg" | "message" | "err" | "error_message" | "text" => Key::Error,
        "signature" | "fingerprint" | "template" | "cause" => Key::Sig,
        "from" | "after" | "start" => Key::Since,
        "to" | "before" | "end" => Key::Until,
        "at" | "when" | "date" | "range" | "created_at" => Key::Time,
        "expiry" | "expiration" => Key::Expires,
        "runway" | "remaining" => Key::Left,
        "standing" => Key::State,
        "extension" | "extended" => Key::Extends,
        "uuid" | "event_id" => Key::Id,
        "level" | "sev" | "priority" => Key::Severity,
        _ => return None,
    })
}

/// Reads the values of a word by its key.
fn term(word: Word) -> Result<Term, FilterError> {
    let Word { negated, body } = word;
    let test = match body {
        Body::Free(value) => free_text(value, negated)?,
        Body::Pair { key, values } => match key {
            Key::Since => Test::Since(single(key, values, When::parse)?),
            Key::Until => Test::Until(single(key, values, When::parse)?),
            Key::Time => Test::Time(single(key, values, Range::parse)?),
            Key::Expires => Test::Expires(values.iter().map(expiry).collect::<Result<_, _>>()?),
            Key::Extends => Test::Extends(values.iter().map(extent).collect::<Result<_, _>>()?),
            Key::State => Test::Standing(Standing::states(&values)?),
            Key::Left => Test::Standing(Standing::left(&values)?),
            Key::Type => texts(Field::Type, values),
            Key::Org => texts(Field::Org, values),
            Key::Device => texts(Field::Device, values),
            Key::Reason => texts(Field::Reason, values),
            Key::Severity => texts(Field::Severity, values),
            Key::Error => texts(Field::Error, values),
            Key::Sig => sigs(values)?,
            Key::Id => texts(Field::Id, values),
        },
    };
    Ok(Term { negated, test })
}

/// A test of a field for any of the values.
fn texts(field: Field, values: Vec<Value>) -> Test {
    Test::Values { field, any: values.into_iter().map(|v| v.glob).collect() }
}

/// A test of signatures: their ids as this program prints them, or the lone star.
fn sigs(mut values: Vec<Value>) -> Result<Test, FilterError> {
    for Value { column, glob, .. } in &mut values {
        if glob.is_any() {
            continue;
        }
        if !glob.is_literal() {
            let hint = "rows with an error message are 'sig:*', those without one '-sig:*'";
            return Err(FilterError::new(*column, "'sig' takes no part of an id", hint));
        }
        // One id has one form, so that panes and chips compare texts.
        glob.text = glob.text.parse::<SigId>().map_err(|e| sig_error(*column, e))?.to_string();
    }
    Ok(texts(Field::Sig, values))
}

/// The error of a value that is no id of a signature.
fn sig_error(column: usize, error: SigIdError) -> FilterError {
    match error {
        SigIdError::Malformed(text) => FilterError::new(
            column,
            format!("'{}' is no id of a signature", Clean::line(&text)),
            "it has ten hexadecimal digits, as in '1f3a9c0b2e'; 'renewscope count --by error' lists them",
        ),
        SigIdError::OtherVersion { id, version } => FilterError::new(
            column,
            format!("'{}' is an id of version {version}", Clean::line(&id)),
            format!(
                "signatures of two versions cannot be compared, and this program makes version {VERSION}; \
                 'renewscope count --by error' lists its ids"
            ),
        ),
    }
}

/// A word or phrase. Stars at its ends are dropped, because free text matches anywhere.
fn free_text(value: Value, negated: bool) -> Result<Test, FilterError> {
    let Value { column, glob, quoted } = value;
    if glob.is_any() {
        let hint = "rows with an error are 'error:*', rows with a reason 'reason:*'";
        return Err(FilterError::new(column, "a lone '*' is no search text", hint));
    }
    let text = glob.text;
    if !quoted && let Some((hint, what)) = mistaken_word(&text, negated) {
        return Err(FilterError::new(column, what, hint));
    }
    Ok(Test::Text(text))
}

/// The hint and the mistake, for a bare word that other languages read as an operator.
fn mistaken_word(text: &str, negated: bool) -> Option<(String, String)> {
    let quote = format!("to search for the text, quote it: {}", super::print::quoted(Clean::line(text).as_str()));
    let hint = match text {
        "OR" | "||" => "any of several values is 'key:a,b'",
        "AND" | "&&" => "all terms of a filter must hold",
        "NOT" => "a '-' right before a term negates it",
        _ => {
            let sign = text.find(['=', '<', '>'])?;
            let (head, rest) = (text.get(..sign)?, text.get(sign..)?);
            let key = Key::parse(head.trim_end_matches('!'))?;
            let minus = if head.ends_with('!') != negated { "-" } else { "" };
            let value = match key {
                Key::Expires | Key::Extends | Key::Left => rest,
                _ => rest.trim_start_matches(['=', '<', '>']),
            };
            let meant = format!("write '{minus}{}:{}'; {quote}", key.name(), Clean::line(value));
            return Some((meant, format!("'{}' has no colon after the key", Clean::line(text))));
        }
    };
    Some((format!("{hint}; {quote}"), format!("'{text}' is no operator")))
}

/// The single value of a key that takes one time or range.
fn single<T>(key: Key, values: Vec<Value>, read: fn(&str) -> Result<T, TimeError>) -> Result<T, FilterError> {
    let mut values = values.into_iter();
    let (first, second) = (values.next(), values.next());
    if let Some(extra) = second {
        let message = format!("'{}' takes one value", key.name());
        return Err(FilterError::new(extra.column, message, "remove the comma and what follows it"));
    }
    let missing = || FilterError::new(1, format!("'{}:' has no value", key.name()), "give one right after the colon");
    let value = first.ok_or_else(missing)?;
    let text = plain(key, &value)?;
    read(text).map_err(|e| FilterError::time(value.column, e))
}

/// The text of a value that takes no wildcard.
pub(super) fn plain(key: Key, value: &Value) -> Result<&str, FilterError> {
    if value.glob.is_literal() {
        return Ok(&value.glob.text);
    }
    let message = format!("'{}' takes no wildcard", key.name());
    let hint = match key {
        Key::Expires => "rows without an expiry are 'expires:none', those with one '-expires:none'",
        Key::Extends => "compare with a length of time: 'extends:<=0'",
        Key::State => "name the states: 'state:failed,stalled'",
        Key::Left => "compare with a length of time or a share: 'left:<7d'",
        _ => "give a time such as '24h' or '2026-11-20'",
    };
    Err(FilterError::new(value.column, message, hint))
}

/// The suggestion for an expiry of no valid form.
const EXPIRES: &str = "valid are '<7d', '>30d', 'past', 'none' and ranges of dates such as '2026-11-20..2026-12-01'";
/// The suggestion for an extension of no valid form.
const EXTENDS: &str = "compare with a length of time: '<=0', '<30d', '>=1d'";

/// Reads a value of `expires`. Lengths look ahead here, so a range takes dates only, and a length needs a comparison.
fn expiry(value: &Value) -> Result<Expiry, FilterError> {
    let text = plain(Key::Expires, value)?;
    let fail = |message: String, hint: &str| FilterError::new(value.column, message, hint);
    match text.to_ascii_lowercase().as_str() {
        "past" | "expired" => return Ok(Expiry::Past),
        "none" => return Ok(Expiry::None),
        _ => {}
    }
    if let Some((order, length)) = compared(text) {
        if length.starts_with('-') {
            return Err(fail(
                format!("'{}' is in the past", Clean::line(text)),
                "expired certificates are 'expires:past'",
            ));
        }
        let time = length;
        // The sign only says what every length here means: ahead.
        let length =
            zero_or_length(length.strip_prefix('+').unwrap_or(length)).map_err(|e| match When::parse(time) {
                Ok(when) => {
                    let hint = format!("write '..{when}' for earlier and '{when}..' for later");
                    fail(format!("'{}' compares with a time", Clean::line(text)), &hint)
                }
                Err(_) => FilterError::time(value.column, e),
            })?;
        return Ok(Expiry::Ahead(order, length));
    }
    let length = |text: &str| Length::parse(text.strip_prefix('+').unwrap_or(text)).ok();
    if let Some((from, until)) = text.split_once("..").and_then(|(a, b)| length(a).zip(length(b))) {
        let hint = format!("write 'expires:>={from} expires:<{until}'");
        return Err(fail(format!("'{text}' is a range of lengths"), &hint));
    }
    if !text.contains("..") {
        if let Some(length) = length(text) {
            return Err(fail(format!("'{text}' lacks a comparison"), &format!("write '<{length}' or '>{length}'")));
        }
        return Err(match nearest(text, ["past", "none"]) {
            Some(word) => fail(unknown_expiry(text), &format!("did you mean '{word}'?")),
            None => fail(unknown_expiry(text), EXPIRES),
        });
    }
    let range = Range::parse(text).map_err(|e| FilterError::time(value.column, e))?;
    let looks_back = |bound: Option<When>| matches!(bound, Some(When::Ago(_)));
    if looks_back(range.from) || looks_back(range.until) {
        let hint = "lengths ahead are '<7d' and '>30d'; a range takes dates";
        return Err(fail(format!("'{range}' counts back from now"), hint));
    }
    Ok(Expiry::Between(range))
}

/// The message for an expiry of no valid form.
fn unknown_expiry(text: &str) -> String {
    format!("cannot read the expiry '{}'", Clean::line(text))
}

/// Reads a value of `extends`: a comparison, a sign or none, and a length.
fn extent(value: &Value) -> Result<Extent, FilterError> {
    let text = plain(Key::Extends, value)?;
    let Some((order, rest)) = compared(text) else {
        return Err(FilterError::new(value.column, format!("'{}' lacks a comparison", Clean::line(text)), EXTENDS));
    };
    let (negative, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix('+').unwrap_or(rest)),
    };
    let length = zero_or_length(rest).map_err(|e| FilterError::time(value.column, e))?;
    Ok(Extent { order, negative: negative && length.count != 0, length })
}

/// Splits a comparison sign from the text behind it; `None` where there is none.
pub(super) fn compared(text: &str) -> Option<(Order, &str)> {
    Order::ALL.into_iter().find_map(|order| Some((order, text.strip_prefix(order.sign())?.trim_start())))
}

/// A length; `0` takes no unit.
pub(super) fn zero_or_length(text: &str) -> Result<Length, TimeError> {
    if text == "0" { Ok(Length { count: 0, unit: Unit::Seconds }) } else { Length::parse(text) }
}
