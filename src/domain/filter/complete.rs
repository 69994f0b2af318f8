//! Completion proposals for a filter that is still being typed.
//!
//! Accepts any text, finished or not, and does not report mistakes, which is the parser's task. The caller passes the
//! names; this module must not query anything.

use std::ops::Range;

use super::{Field, Glob, Key};
use crate::domain::event::{Kind, Outcome};
use crate::domain::text::Clean;

/// Names to propose, as the database holds them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Candidates {
    /// Names of event types.
    pub types: Vec<String>,
    /// Names of organizations; ids where they have none.
    pub orgs: Vec<String>,
    /// Names of devices; ids where they have none.
    pub devices: Vec<String>,
    /// Reasons as shown.
    pub reasons: Vec<String>,
    /// Signatures of errors: id and text.
    pub signatures: Vec<(String, String)>,
}

/// One completion proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Bytes of the text to replace.
    pub replace: Range<usize>,
    /// The replacement, quoted where the language requires it. The cursor goes after it.
    pub with: String,
    /// The text to show.
    pub label: Clean,
}

/// The longest list of proposals.
const MOST: usize = 50;

/// Values proposed for `since` and `until`.
const PAST: [&str; 8] = ["15m", "1h", "24h", "7d", "30d", "today", "yesterday", "now"];
/// Values proposed for `time`.
const RANGES: [&str; 5] = ["24h..1h", "yesterday..today", "today..", "7d..", "..24h"];
/// Values proposed for `expires`.
const EXPIRES: [&str; 7] = ["past", "<1d", "<7d", "<30d", "<60d", ">60d", "none"];
/// Values proposed for `severity`: words that many systems use, from worst to harmless.
const SEVERITIES: [&str; 5] = ["critical", "error", "warning", "info", "debug"];
/// Values proposed for `extends`.
const EXTENDS: [&str; 4] = ["<=0", "<30d", ">=30d", ">=1d"];

/// Proposals for the word at the cursor, best first. `cursor` counts bytes; a position inside a character or past the
/// end moves back to the nearest valid one. The rest of the word after the cursor is replaced but does not narrow the
/// proposals. At most `MOST` proposals; none where the text at the cursor is a phrase.
pub fn complete(text: &str, cursor: usize, candidates: &Candidates) -> Vec<Completion> {
    let cursor = text.floor_char_boundary(cursor);
    let place = Place::at(text, cursor);
    let typed = text.get(place.start..cursor).unwrap_or_default();
    let replace = place.start..place.end;
    match place.key {
        None if typed.starts_with('"') => Vec::new(),
        None => ranked(typed, Key::ALL.iter().map(|key| Offer::plain(format!("{}:", key.name()))), &replace),
        Some(key) => {
            let needle: String = typed.chars().filter(|c| !matches!(c, '"' | '*')).collect();
            ranked(&needle, offers(key, candidates), &replace)
        }
    }
}

/// The part of a text that a completion replaces.
struct Place {
    /// The key whose value this is; `None` for a key or a free word.
    key: Option<Key>,
    /// The first byte of the part.
    start: usize,
    /// The byte after the part.
    end: usize,
}

impl Place {
    /// The part of the text at the cursor, a byte at a character boundary.
    fn at(text: &str, cursor: usize) -> Self {
        let mut scan = Scan::default();
        let mut place = Self { key: None, start: 0, end: text.len() };
        for (at, c) in text.char_indices() {
            if at >= cursor {
                break;
            }
            let next = at + c.len_utf8();
            if scan.ends_value(c, place.key) {
                place.start = next;
                place.key = place.key.filter(|_| c == ',');
            } else if at == place.start && c == '-' && place.key.is_none() {
                place.start = next;
            } else if c == ':'
                && place.key.is_none()
                && let Some(key) = text.get(place.start..at).and_then(Key::parse)
            {
                place = Self { key: Some(key), start: next, ..place };
            }
        }
        place.end = cursor + scan.rest_of_value(text.get(cursor..).unwrap_or_default(), place.key);
        place
    }
}

/// Tracks, character by character, whether text is quoted.
#[derive(Default)]
struct Scan {
    /// The next character is within quotes.
    quoted: bool,
    /// The character before was a backslash that escapes this one.
    escaped: bool,
}

impl Scan {
    /// Whether the character ends a value: white space, or a comma after a key, outside of quotes.
    fn ends_value(&mut self, c: char, key: Option<Key>) -> bool {
        if self.quoted {
            self.quoted = c != '"' || self.escaped;
            self.escaped = c == '\\' && !self.escaped;
            return false;
        }
        self.quoted = c == '"';
        c.is_whitespace() || c == ',' && key.is_some()
    }

    /// The bytes after the cursor that belong to the value at the cursor. 0 if a quote is open at the cursor and never
    /// closed: the text after it is other terms.
    fn rest_of_value(mut self, text: &str, key: Option<Key>) -> usize {
        let opened = self.quoted;
        let mut end = None;
        for (at, c) in text.char_indices() {
            if self.ends_value(c, key) {
                end = end.or(Some(at));
            }
        }
        if opened && self.quoted { 0 } else { end.unwrap_or(text.len()) }
    }
}

/// A candidate: the name to compare and show, and the text to write.
struct Offer {
    /// The name as compared with the typed letters, and as shown.
    name: String,
    /// The name as the filter writes it.
    with: String,
}

impl Offer {
    /// A word of the language, which needs no quotes.
    fn plain(text: impl Into<String>) -> Self {
        let name = text.into();
        Self { with: name.clone(), name }
    }
    /// A signature, which is found by its text and written as its id.
    fn signature(id: &str, text: &str) -> Self {
        Self { name: format!("{id} {text}"), with: id.to_owned() }
    }
    /// A name from the database, quoted so that it reads back as itself.
    fn name(name: &str) -> Option<Self> {
        Glob::literal(name).map(|glob| Self { name: name.to_owned(), with: glob.to_string() })
    }
}

/// The values to propose for a key.
fn offers(key: Key, from: &Candidates) -> Vec<Offer> {
    let plain = |words: &[&str]| words.iter().map(|word| Offer::plain(*word)).collect();
    let names = |names: &[String]| names.iter().filter_map(|name| Offer::name(name)).collect();
    match key.field() {
        Some(Field::Type) => types(&from.types),
        Some(Field::Org) => names(&from.orgs),
        Some(Field::Device) => names(&from.devices),
        Some(Field::Reason) => names(&from.reasons),
        Some(Field::Sig) => from.signatures.iter().map(|(id, text)| Offer::signature(id, text)).collect(),
        Some(Field::Severity) => plain(&SEVERITIES),
        Some(Field::Error | Field::Id) => Vec::new(),
        None => match key {
            Key::Time => plain(&RANGES),
            Key::Expires => plain(&EXPIRES),
            Key::Extends => plain(&EXTENDS),
            Key::State => plain(&super::standing::STATES),
            Key::Left => plain(&super::standing::LEFT),
            _ => plain(&PAST),
        },
    }
}

/// The words of the language, then the database's types, or Flight Control's types if none are known.
fn types(seen: &[String]) -> Vec<Offer> {
    let words = Outcome::ALL.iter().filter_map(|o| o.ending()).chain(super::resolve::BEGINNINGS);
    let mut offers: Vec<Offer> = words.map(Offer::plain).collect();
    let known = Kind::KNOWN.iter().copied().filter(|_| seen.is_empty());
    for name in seen.iter().map(String::as_str).chain(known) {
        if !offers.iter().any(|o| o.name == name) {
            offers.extend(Offer::name(name));
        }
    }
    offers
}

/// The candidates that contain the typed letters in order, best first; equal ones in the order given.
fn ranked(typed: &str, offers: impl IntoIterator<Item = Offer>, replace: &Range<usize>) -> Vec<Completion> {
    let needle: Vec<char> = typed.to_lowercase().chars().collect();
    let scored = offers.into_iter().filter_map(|offer| Some((rank(&needle, &offer.name)?, offer)));
    let mut found: Vec<_> = scored.collect();
    found.sort_by_key(|(rank, _)| *rank);
    let completion = |(_, offer): (Rank, Offer)| Completion {
        replace: replace.clone(),
        with: offer.with,
        label: Clean::line(&offer.name),
    };
    found.into_iter().take(MOST).map(completion).collect()
}

/// A match's rank, smaller is better: the gaps between the letters, the position of the first, the length of the name.
type Rank = (usize, usize, usize);

/// `None` if the typed letters do not occur in this order. Case is ignored.
fn rank(needle: &[char], name: &str) -> Option<Rank> {
    if needle.is_empty() {
        return Some((0, 0, 0));
    }
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let places = name.windows(needle.len());
    if let Some(start) = places.into_iter().position(|window| window == needle) {
        return Some((0, start, name.len()));
    }
    let mut wanted = needle.iter().peekable();
    let (mut first, mut last) = (None, 0);
    for (i, c) in name.iter().enumerate() {
        if wanted.next_if_eq(&c).is_some() {
            first = first.or(Some(i));
            last = i;
        }
    }
    let spread = (last + 1).saturating_sub(first.unwrap_or(0)).saturating_sub(needle.len());
    wanted.peek().is_none().then_some((1 + spread, first.unwrap_or(0), name.len()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::domain::filter::Filter;
    use proptest::prelude::*;

    fn candidates() -> Candidates {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Candidates {
            types: list(&["renewal_failed", "scan_started"]),
            orgs: list(&["acme", "Globex, Inc", "ac*", "initech", ""]),
            devices: list(&["edge-01", "edge-10", "lab-1", "ledger", "\u{1b}[2J"]),
            reasons: list(&["expired", "proactive"]),
            signatures: vec![
                ("d11aa8c0f0".into(), "read tcp <*>: i/o timeout".into()),
                ("1f3a9c0b2e".into(), "x509: expired".into()),
            ],
        }
    }

    /// `|` marks the cursor. Expects the first of the texts that result.
    fn check(typed: &str, expected: &[&str]) {
        let cursor = typed.find('|').expect("a cursor");
        let text = typed.replace('|', "");
        let found = complete(&text, cursor, &candidates());
        let results: Vec<String> = found
            .into_iter()
            .take(expected.len().max(1))
            .map(|c| {
                let mut text = text.clone();
                text.replace_range(c.replace, &c.with);
                text
            })
            .collect();
        assert_eq!(results, expected, "{typed}");
    }

    #[test]
    fn completes() {
        check("|", &["type:", "org:", "device:", "reason:", "error:"]);
        check("dev|", &["device:"]);
        check("-o|", &["-org:", "-error:"]);
        check("type:failed d|", &["type:failed device:"]);
        check("xp|", &["expires:"]);
        check("type:|", &["type:failed", "type:success", "type:start", "type:renewal", "type:recovery"]);
        check("type:fai|", &["type:failed", "type:renewal_failed"]);
        check("TYPE:fai|", &["TYPE:failed"]);
        check("type:failed,sc|", &["type:failed,scan_started"]);
        check("org:glo|", &["org:\"Globex, Inc\""]);
        check("org:\"Globex, I|", &["org:\"Globex, Inc\""]);
        check("org:\"Globex, I|\"", &["org:\"Globex, Inc\""]);
        check("org:\"Globex|, Inc\" x", &["org:\"Globex, Inc\" x"]);
        check("org:\"Glob| error:\"x y\"", &["org:\"Globex, Inc\" error:\"x y\""]);
        check("org:\"Globex, I|nc\" x", &["org:\"Globex, Inc\" x"]);
        check("org:a|,initech", &["org:\"ac*\",initech", "org:acme,initech"]);
        check("-device:e1|", &["-device:edge-10", "-device:edge-01"]);
        check("device:edg|e-99 type:failed", &["device:edge-01 type:failed"]);
        check("device:dge|", &["device:edge-01", "device:edge-10", "device:ledger"]);
        check("reason:|", &["reason:expired", "reason:proactive"]);
        check("since:2|", &["since:24h"]);
        check("time:y|", &["time:yesterday..today"]);
        check("expires:<|", &["expires:<1d", "expires:<7d"]);
        check("extends:|", &["extends:<=0"]);
        check("sig:tim|", &["sig:d11aa8c0f0"]);
        check("sig:1f|", &["sig:1f3a9c0b2e"]);
        check("-sig:d11aa8c0f0,|", &["-sig:d11aa8c0f0,d11aa8c0f0", "-sig:d11aa8c0f0,1f3a9c0b2e"]);
        check("error:x|", &[]);
        check("nothing:x|", &[]);
        check("zzz|", &[]);
        check("\"typ|", &[]);
    }

    #[test]
    fn labels_are_safe() {
        let found = complete("device:[2", 9, &candidates());
        assert_eq!(found.first().unwrap().label.as_str(), "␛[2J");
    }

    proptest! {
        #[test]
        fn never_panics_and_names_read_back(
            text in "[-a-z:,*\"\\\\ \u{e9}]{0,20}", cursor in 0_usize..24, name in any::<String>(),
        ) {
            for c in complete(&text, cursor, &candidates()) {
                prop_assert!(text.get(c.replace).is_some());
            }
            let one = Candidates { devices: vec![name.clone()], ..Candidates::default() };
            for c in complete("device:", 7, &one) {
                let mut wanted = Filter::default();
                wanted.toggle(Field::Device, Some(&name), true);
                prop_assert_eq!(Filter::parse(&format!("device:{}", c.with)), Ok(wanted));
            }
        }
    }
}
