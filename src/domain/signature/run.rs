//! What one run of characters is: a value, or text. Pure tests on byte slices, without context.
//!
//! Called by `mask` alone. Nothing here looks at more than the run, so that a decision needs no other message.

use super::lists::{is_host_or_file, is_joining, is_technical};

/// Classes of a byte, as bits, so that one look-up a byte collects what a run consists of.
pub(super) const DIGIT: u8 = 1;
/// An ASCII letter.
pub(super) const ALPHA: u8 = 2;
/// A slash or a backslash.
pub(super) const SLASH: u8 = 4;
/// A colon.
pub(super) const COLON: u8 = 8;
/// A dot.
pub(super) const DOT: u8 = 16;
/// The sign `@`.
pub(super) const AT: u8 = 32;
/// A byte of a character beyond ASCII.
pub(super) const HIGH: u8 = 64;
/// The byte ends a run: white space, controls, quotes, brackets, and `, ; | =`.
pub(super) const STOP: u8 = 128;

/// The class of each byte; 0 for those without one, such as `-` and `_`.
pub(super) static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0..=b' ' | 0x7f => STOP,
            b'"' | b'\'' | b'`' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' => STOP,
            b',' | b';' | b'|' | b'=' => STOP,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' => ALPHA,
            b'/' | b'\\' => SLASH,
            b':' => COLON,
            b'.' => DOT,
            b'@' => AT,
            0x80..=0xff => HIGH,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// The classes of a byte as bits.
pub(super) fn class(byte: u8) -> u8 {
    CLASS[byte as usize]
}

/// Letters and digits; a byte of a character beyond ASCII counts as a letter.
pub(super) fn is_word_byte(byte: u8) -> bool {
    class(byte) & (DIGIT | ALPHA | HIGH) != 0
}

/// No English word or class name is longer without a digit: what is, is a blob.
const LONGEST_WORD: usize = 64;

/// Whether a part of a run, cut at its colons, is a value.
pub(super) fn is_value(part: &[u8]) -> bool {
    let seen = part.iter().fold(0, |seen, b| seen | class(*b));
    if seen & DOT != 0
        && let Some(value) = dotted(part)
    {
        return value;
    }
    match part {
        _ if seen & DIGIT != 0 => !is_technical(part),
        b"true" | b"false" | b"True" | b"False" | b"TRUE" | b"FALSE" => true,
        _ if seen & HIGH != 0 => has_foreign_digit(part),
        _ if part.len() < 8 => false,
        _ => part.len() > LONGEST_WORD || part.iter().all(u8::is_ascii_hexdigit) || is_hyphened_name(part),
    }
}

/// Three words and more with hyphens between, as in `edge-gateway-lyon`, name a thing: a compound of that length has
/// a small word within it.
fn is_hyphened_name(part: &[u8]) -> bool {
    let word = |w: &[u8]| w.len() >= 2 && w.iter().all(u8::is_ascii_lowercase) && !is_joining(w);
    part.iter().filter(|b| **b == b'-').count() >= 2 && part.split(|b| *b == b'-').all(word)
}

/// Whether the text has a numeric character, in any script.
fn has_foreign_digit(part: &[u8]) -> bool {
    std::str::from_utf8(part).is_ok_and(|text| text.chars().any(char::is_numeric))
}

/// Whether a dotted name is a value: a host, a package or a file is one, the name of an error is not. `None` where the
/// dots decide nothing.
fn dotted(part: &[u8]) -> Option<bool> {
    let (mut parts, mut single, mut filled, mut last) = (0, true, true, &part[..0]);
    for name in part.split(|b| *b == b'.') {
        parts += 1;
        single &= name.len() == 1;
        filled &= !name.is_empty() && name.iter().all(|b| is_word_byte(*b) || matches!(b, b'_' | b'-' | b'$' | b'*'));
        last = name;
    }
    if is_error_name(last) {
        return Some(false);
    }
    match parts {
        _ if !filled => None,
        2 if is_host_or_file(last) && !last.iter().any(u8::is_ascii_uppercase) => Some(true),
        3.. if !single => Some(true),
        _ => None,
    }
}

/// The last part of a class name that says what went wrong: it is what the message is about.
fn is_error_name(name: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 7] = [b"Exception", b"Error", b"Errors", b"Failure", b"Fault", b"Timeout", b"Warning"];
    name.first().is_some_and(u8::is_ascii_uppercase) && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What a run with a slash is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slashed {
    /// An address with a scheme, from this byte of the run on.
    Address(usize),
    /// A path, from this byte of the run on.
    Path(usize),
    /// Words with a slash between them, as in `read/write`.
    Words,
}

/// What a run that has a slash or a backslash is, after the keys at its beginning.
pub(super) fn slashed(run: &[u8]) -> Slashed {
    // `dest:/10.0.0.1:50010`: the words before a colon say what the path is.
    let (mut from, mut rest) = (0, run);
    while let Some(colon) = rest.iter().position(|b| *b == b':')
        && is_key(&rest[..=colon])
        && !rest[colon..].starts_with(b"://")
    {
        (from, rest) = (from + colon + 1, &rest[colon + 1..]);
    }
    match path(rest) {
        Slashed::Address(at) => Slashed::Address(from + at),
        Slashed::Path(at) => Slashed::Path(from + at),
        Slashed::Words => Slashed::Words,
    }
}

/// `C:\` or `C:/` at the beginning.
fn is_drive(run: &[u8]) -> bool {
    matches!(run, [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

/// The same for a run without keys.
fn path(run: &[u8]) -> Slashed {
    if let Some(at) = run.windows(3).position(|w| w == b"://") {
        let scheme = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-');
        let head = run.get(..at).unwrap_or_default();
        let (before, _) = head.split_at(at - head.iter().rev().take_while(|b| scheme(b)).count());
        return Slashed::Address(if is_key(before) { before.len() } else { 0 });
    }
    if !run.iter().any(|b| is_word_byte(*b)) {
        return Slashed::Words;
    }
    let rooted = matches!(run, [b'/', ..] | [b'.', b'/', ..] | [b'.', b'.', b'/', ..] | [b'~', b'/', ..]);
    if is_drive(run) || rooted || is_backslashed(run) {
        return Slashed::Path(0);
    }
    let parts = || run.split(|b| *b == b'/').filter(|part| !part.is_empty());
    let telling = |part: &[u8]| part.iter().any(|b| matches!(b, b'-' | b'.' | b'0'..=b'9')) && !is_technical_part(part);
    if parts().count() >= 3 || parts().any(telling) { Slashed::Path(0) } else { Slashed::Words }
}

/// A plain word or a technical term, and a colon; a letter alone is a drive.
fn is_key(text: &[u8]) -> bool {
    let plain = |word: &[u8]| word.iter().all(u8::is_ascii_alphabetic) || is_technical_part(word);
    matches!(text, [word @ .., b':'] if word.len() >= 2 && plain(word))
}

/// A term such as `x509`, perhaps with a colon behind it, does not make its run a path.
fn is_technical_part(part: &[u8]) -> bool {
    !part.iter().any(|b| matches!(b, b'-' | b'.')) && is_technical(part)
}

/// `\\server\share`, `dir\file`, `DOMAIN\account`.
fn is_backslashed(run: &[u8]) -> bool {
    run.starts_with(b"\\\\")
        || run.windows(3).any(|w| matches!(w, [before, b'\\', after] if is_word_byte(*before) && is_word_byte(*after)))
}

/// `name@host`, and anything else with a sign `@` between two words.
pub(super) fn is_mail(run: &[u8]) -> bool {
    run.windows(3).any(|w| matches!(w, [before, b'@', after] if is_word_byte(*before) && is_word_byte(*after)))
}

/// MAC and IPv6 addresses, times of the day: hexadecimal groups between colons, with one digit at least.
pub(super) fn is_hex_groups(run: &[u8]) -> bool {
    let colons = run.iter().filter(|b| **b == b':').count();
    let hex = run.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
    hex && colons >= 2 && (colons >= 5 || run.iter().any(u8::is_ascii_digit))
}

/// `host:port`, and `file:line`. A plain word before the colon is a key instead, but for `localhost`.
pub(super) fn is_host_port(run: &[u8]) -> bool {
    let Some(colon) = run.iter().position(|b| *b == b':') else { return false };
    let (host, port) = (run.get(..colon).unwrap_or_default(), run.get(colon + 1..).unwrap_or_default());
    let named = host.iter().any(|b| matches!(b, b'.' | b'-' | b'0'..=b'9')) || host == b"localhost";
    let plain = host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*'));
    named && plain && !port.is_empty() && port.iter().all(u8::is_ascii_digit) && !is_technical(host)
}
