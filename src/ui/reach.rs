//! How complete a number is, in words: the same on every view.

use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::protocol::survey::{Reach, Surveyed};

use super::ctx::Ctx;
use super::skin::Skin;

/// `exact`, `62 % so far`, `exact for the newest 21h 40m`: for the head of a view.
pub fn words(reach: &Reach, ctx: &Ctx, as_of: Instant) -> String {
    if !reach.whole {
        return match reach.part {
            Some(part) => format!("{:.0} % so far", part * 100.0),
            None => "so far".to_owned(),
        };
    }
    match reach.cut.and_then(|cut| as_of.since(cut)) {
        Some(newest) => format!("exact for the newest {}", format::span(newest)),
        None if as_of.plus(Span::minutes(1)) < ctx.now => {
            format!("exact, as of {}", format::clock(as_of, &ctx.zone, false))
        }
        None => "exact".to_owned(),
    }
}

/// The range of a survey: `last 24h`, or from when to when.
pub fn range(surveyed: &Surveyed, ctx: &Ctx) -> String {
    let bounds = ctx.filter.bounds(ctx.as_of, &ctx.zone);
    let until = bounds.until.filter(|until| *until <= surveyed.as_of);
    match (surveyed.report.covered_from, until) {
        (Some(from), None) => {
            surveyed.as_of.since(from).map_or_else(String::new, |span| format!("last {}", length(span)))
        }
        (Some(from), Some(until)) => {
            format!("{} to {}", format::clock(from, &ctx.zone, false), format::clock(until, &ctx.zone, false))
        }
        (None, _) => String::new(),
    }
}

/// A length of time as people say it of a range: hours up to two days, whole days beyond.
fn length(span: Span) -> String {
    match span.as_seconds() {
        s if s < 3600 => format!("{}m", (s + 30) / 60),
        s if s <= 48 * 3600 => format!("{}h", (s + 1800) / 3600),
        s => format!("{}d", (s + 43_200) / 86_400),
    }
}

/// A count with its mark: `≥` before one that is a lower bound.
pub fn at_least(number: u64, exact: bool, skin: &Skin) -> String {
    let sign = if exact { "" } else { skin.glyphs.at_least };
    format!("{sign}{}", format::count(number))
}
