//! The cells of an attempt, for every view that lists some.

use ratatui::style::Style;

use crate::domain::attempt::{Attempt, State, Step};
use crate::domain::event::Outcome;
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;

use super::ctx::Ctx;
use super::skin::Skin;

/// The state in words with its sign: `✗ failed`, `! stalled`.
pub fn state(attempt: &Attempt, skin: &Skin) -> (Clean, Style) {
    let more = skin.glyphs.more;
    let outcome = match &attempt.end {
        Some((_, Step::Failed)) => skin.glyph(Outcome::Failed),
        Some(_) => skin.glyph(Outcome::Succeeded),
        None => skin.glyph(Outcome::Started),
    };
    let (words, style) = match attempt.state {
        State::Succeeded => (format!("{outcome} succeeded"), skin.good()),
        State::Failed => (format!("{outcome} failed"), skin.bad()),
        State::InFlight => (format!("{more} in flight"), skin.text()),
        State::Stalled => ("! stalled".to_owned(), skin.warn()),
        State::Superseded => ("! superseded".to_owned(), skin.muted()),
        State::Orphan => (format!("{outcome} no start"), skin.muted()),
        State::Undecided => (format!("{outcome} ?"), skin.muted()),
        State::StartNotKept => (format!("{outcome} start gone"), skin.muted()),
    };
    (Clean::line(&words), style)
}

/// From the start to the last outcome; of an open attempt, since its start.
pub fn took(attempt: &Attempt, ctx: &Ctx, skin: &Skin) -> String {
    let open = || attempt.start.as_ref().filter(|_| attempt.end.is_none()).and_then(|start| ctx.now.since(start.at));
    attempt.took().or_else(open).filter(|span| span.0 >= 0).map_or_else(|| skin.glyphs.none.to_owned(), short)
}

/// A span, with a tenth of a second where it is short.
fn short(span: Span) -> String {
    if span < Span::seconds(10) { format!("{:.1}s", span.0 as f64 / 1e6) } else { format::span(span) }
}

/// Which try of its device it is: `3`, or `>=3` where earlier ones may not have been read.
pub fn tries(attempt: &Attempt, skin: &Skin) -> String {
    if attempt.tries_exact {
        return attempt.tries.to_string();
    }
    format!("{}{}", skin.glyphs.at_least, attempt.tries)
}

/// The time that was left of the certificate when the attempt began; negative after its end.
pub fn left_then(attempt: &Attempt, skin: &Skin) -> String {
    match (attempt.old_expiry, attempt.at()) {
        (Some(old), Some(at)) => left(old, at),
        _ => skin.glyphs.none.to_owned(),
    }
}

/// The time from `now` to an end, with its sign: `2d 4h`, `−3h 12m`, `never`.
pub fn left(end: Instant, now: Instant) -> String {
    match end.since(now) {
        Some(span) if span.0 < 0 => format!("−{}", format::aging(span.abs())),
        Some(span) => format::aging(span),
        None if end == Instant::INFINITY => "never".to_owned(),
        None => "expired".to_owned(),
    }
}

/// What an attempt lacks, for those without an error.
pub const fn lacks(state: State) -> Option<&'static str> {
    match state {
        State::Stalled => Some("nothing since the start"),
        State::Superseded => Some("no outcome before the next start"),
        State::Orphan => Some("an outcome without a start"),
        State::Undecided => Some("its start was not read"),
        State::StartNotKept => Some("its start is older than the table"),
        State::Succeeded | State::Failed | State::InFlight => None,
    }
}
