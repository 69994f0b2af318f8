//! The signature of an error message: the message with its values masked, and a short id of that text.
//!
//! Two messages of one kind have one signature, also if they name other devices, times or addresses. It is a pure function of
//! the message alone: no order, no other message and no learned state decides, so that the same error has the same id
//! in every session, on every database. Called by views, filters and commands. Nothing here does I/O or keeps state, and
//! nothing may change what version 1 makes of a message: another mask is another [`VERSION`].

mod lists;
mod mask;
mod quote;
mod run;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
mod value;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use mask::{MASK, Pass};

/// The version of the mask. Ids of version 1 are written bare; those of a later one begin with its number and a dot.
pub const VERSION: u32 = 1;

/// Characters of a message that are read; SQL that reads errors for their signatures cuts them at the same length.
pub const INPUT_CHARACTERS: usize = 2_000;

/// Characters that a signature has at most.
pub const TEXT_CHARACTERS: usize = 300;

/// Forty bits that stand for a signature's text. Printed as ten hexadecimal digits. Forty bits make a collision
/// unlikely among the thousands of signatures of a database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigId(u64);

impl SigId {
    const BITS: u32 = 40;

    /// FNV-1a over 64 bits, folded to 40 as its authors describe.
    fn of(text: &[u8]) -> Self {
        let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self((hash >> Self::BITS) ^ (hash & ((1 << Self::BITS) - 1)))
    }

    /// Whether it is the id of the empty text: the message says nothing, and counts as missing.
    pub fn is_empty(self) -> bool {
        self == Self::of(b"")
    }
}

impl fmt::Display for SigId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010x}", self.0)
    }
}

impl fmt::Debug for SigId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigId({self})")
    }
}

/// Why a text is no id of a signature.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SigIdError {
    /// The text, its first 40 characters, has not the form of an id.
    #[error("'{0}' is not a signature id: it must have ten hexadecimal digits, as in '1f3a9c0b2e'")]
    Malformed(String),
    /// The id is of another version of the mask, so no text of this program has it.
    #[error(
        "'{id}' is a signature id of version {version}: this program makes version {VERSION}, and signatures of two \
         versions cannot be compared; take the id from this program's own output"
    )]
    OtherVersion { id: String, version: u32 },
}

impl FromStr for SigId {
    type Err = SigIdError;

    /// Reads what `Display` prints; letters in either case.
    fn from_str(text: &str) -> Result<Self, SigIdError> {
        let malformed = || SigIdError::Malformed(text.chars().take(40).collect());
        if let Some((version, _)) = text.split_once('.') {
            let version = version.parse().map_err(|_| malformed())?;
            return match version {
                0 | VERSION => Err(malformed()),
                _ => Err(SigIdError::OtherVersion { id: text.chars().take(40).collect(), version }),
            };
        }
        if text.len() != 10 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(malformed());
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| malformed())
    }
}

/// A message without its values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Signature {
    /// The hash of `text`: equal texts have equal ids.
    pub id: SigId,
    /// The masked message: one line, each value `<*>`, at most [`TEXT_CHARACTERS`] characters.
    pub text: String,
}

impl Signature {
    /// The signature of a message: of its first [`INPUT_CHARACTERS`] characters, any text.
    pub fn of(message: &str) -> Self {
        let text = masked(message).text;
        Self { id: SigId::of(text.as_bytes()), text }
    }

    /// The signature of a message with the [`values`] that it masks, for the price of one.
    pub fn with_values(message: &str) -> (Self, Values<'_>) {
        let masked = masked(message);
        let values = sliced(message, masked.spans, masked.asides);
        (Self { id: SigId::of(masked.text.as_bytes()), text: masked.text }, values)
    }

    /// The literal words of four letters and more, in the order of the text.
    ///
    /// Each message of the signature contains them in this order: a condition that SQL can test before the mask does.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        words(&self.text)
    }
}

/// The literal words of a signature's text; see [`Signature::words`].
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(MASK).flat_map(|literal| literal.split(|c: char| !c.is_alphabetic())).filter(|w| w.chars().count() >= 4)
}

/// What the mask took out of a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Values<'a> {
    /// One for each mask of the signature's text, in its order. Values that the mask joins, as the parts of a date or of
    /// a list, come as the slice that holds them all; empty where the message has no such place.
    pub masks: Vec<&'a str>,
    /// Those of asides, as in `still expired (x52)`, which leave no mask behind.
    pub asides: Vec<&'a str>,
}

/// The values of a message, as slices of it.
pub fn values(message: &str) -> Values<'_> {
    let masked = masked(message);
    sliced(message, masked.spans, masked.asides)
}

/// The values at these places of a message.
fn sliced(message: &str, masks: Vec<Range<usize>>, asides: Vec<Range<usize>>) -> Values<'_> {
    let slices = |spans: Vec<Range<usize>>| spans.into_iter().map(|s| message.get(s).unwrap_or_default()).collect();
    Values { masks: slices(masks), asides: slices(asides) }
}

/// A masked text with the places of its values in the message, as ranges of bytes.
#[derive(Default)]
struct Masked {
    text: String,
    spans: Vec<Range<usize>>,
    asides: Vec<Range<usize>>,
}

/// The mask, and where its values are.
fn masked(message: &str) -> Masked {
    let mut first = pass(head(message));
    // A mask may read differently once a bracket beside it is gone, or the text is cut: it is masked again until it is
    // its own mask, so that the signature of a signature is itself. Nearly always the first round shows that it is.
    for _ in 0..8 {
        let again = pass(&first.text).text;
        if again == first.text {
            break;
        }
        first.text = again;
    }
    // A mask that only a later round made has no place in the message.
    first.spans.resize(first.text.matches(MASK).count(), 0..0);
    first
}

/// One pass of the mask, cut to the length of a signature.
fn pass(text: &str) -> Masked {
    let mut pass = Pass::new(text, Vec::with_capacity(text.len().min(TEXT_CHARACTERS + 100)));
    pass.run_to(TEXT_CHARACTERS + 20);
    let Pass { out, spans, asides, .. } = pass;
    let mut text = String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
    cut(&mut text);
    Masked { text, spans, asides }
}

/// The part of a message that is read.
fn head(message: &str) -> &str {
    if message.len() <= INPUT_CHARACTERS {
        return message;
    }
    let end = message.char_indices().nth(INPUT_CHARACTERS).map_or(message.len(), |(at, _)| at);
    message.get(..end).unwrap_or(message)
}

/// Cuts a masked text behind a word, at [`TEXT_CHARACTERS`] at most.
fn cut(text: &mut String) {
    if text.len() <= TEXT_CHARACTERS {
        return;
    }
    let Some((end, _)) = text.char_indices().nth(TEXT_CHARACTERS) else { return };
    let head = text.get(..end).unwrap_or_default();
    // A word that is as long as half of the text is no word: it is cut itself, but never within a mask.
    let end = match head.rfind(' ') {
        Some(space) if space >= end / 2 => space,
        _ => (1..MASK.len()).find(|n| head.ends_with(&MASK[..*n])).map_or(end, |n| end - n),
    };
    text.truncate(end);
    text.truncate(text.trim_end().len());
}
