//! The grammar of times that users type: `15m`, `yesterday`, `2026-11-20 14:00`, RFC 3339, `A..B`.
//!
//! A time stays as written until it is resolved with a clock reading and a zone, so that a filter keeps its meaning and
//! prints back. A length such as `15m` always means that long ago. Filters, options and the console's prompts use this
//! grammar. It must not read a clock.

pub mod pasted;

use std::fmt;

use super::instant::{Civil, Instant, Span};
use super::suggest::nearest;
use super::text::Clean;
use super::zone::Zone;

/// A time as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// The clock reading itself: `now`.
    Now,
    /// The last midnight in the zone shown.
    Today,
    /// The midnight before the last.
    Yesterday,
    /// That long before now.
    Ago(Length),
    /// A date, or a date and time, in the zone shown.
    Local(LocalTime),
    /// A time with its offset.
    At(Instant),
    /// A date and time without a year, as logs write them.
    Recent(pasted::Yearless),
}

/// A valid date and time without a zone, years 0 to 9999. A date alone means its midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalTime(Civil);

/// A length of time as written, as in `15m`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Length {
    /// How many units; 0 is valid.
    pub count: u32,
    /// The unit as written, so that `60m` prints back as `60m`.
    pub unit: Unit,
}

/// The units of a [`Length`]. Months and years are not valid, because their lengths vary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// `s`.
    Seconds,
    /// `m`, 60 seconds.
    Minutes,
    /// `h`, 3600 seconds.
    Hours,
    /// `d`, 24 hours, regardless of changes of the zone's offset.
    Days,
    /// `w`, 7 days.
    Weeks,
}

/// From a time (included) to a time (excluded); either side may be open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// The first time that is included; `None`: without beginning.
    pub from: Option<When>,
    /// The first time that is excluded; `None`: without end.
    pub until: Option<When>,
}

/// What is wrong with a time, and what is valid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeError {
    /// What is wrong, with the text as typed. Safe to print.
    pub message: String,
    /// What to write instead, or which forms are valid.
    pub suggestion: String,
}

/// The suggestion for a text that is no time.
const VALID_TIMES: &str =
    "valid are '15m' (that long ago), 'today', 'yesterday', 'now', '2026-11-20', '2026-11-20T14:00' and RFC 3339";
/// The suggestion for a number whose unit is missing or unknown.
const VALID_UNITS: &str = "valid units are s, m, h, d and w, as in '15m'";

impl When {
    /// Reads one time. Surrounding spaces and the case of words are ignored. What other programs write is read too; see
    /// [`pasted`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        Self::parse_typed(text).or_else(|unknown| pasted::as_typed(text, unknown))
    }

    /// Reads a time of this grammar alone, without the forms of other programs.
    fn parse_typed(text: &str) -> Result<Self, TimeError> {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "now" => return Ok(Self::Now),
            "today" => return Ok(Self::Today),
            "yesterday" => return Ok(Self::Yesterday),
            "infinity" => return Ok(Self::At(Instant::INFINITY)),
            "-infinity" => return Ok(Self::At(Instant::NEG_INFINITY)),
            _ => {}
        }
        if let Some(date) = text.get(..10).filter(|d| is_date(d)) {
            return parse_date(text, date);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Length::parse(text).map(Self::Ago);
        }
        // Only years in expanded form begin with a sign.
        if let Some(rest) = text.strip_prefix(['-', '+']) {
            return match Length::parse(rest) {
                Ok(_) if text.starts_with('+') => Err(error(format!("'{text}' is in the future"), VALID_TIMES)),
                Ok(_) => Err(error(format!("'{text}' has a sign"), &format!("did you mean '{rest}', that long ago?"))),
                Err(_) => Instant::parse_rfc3339(text).map(Self::At).ok_or_else(|| unreadable(text)),
            };
        }
        Err(match nearest(text, ["now", "today", "yesterday"]) {
            Some(word) => error(unreadable(text).message, &format!("did you mean '{word}'?")),
            None => unreadable(text),
        })
    }

    /// The instant, for the clock reading `now` and the zone shown.
    pub fn at(&self, now: Instant, zone: &Zone) -> Instant {
        match self {
            Self::Now => now,
            Self::Today => midnight(now, 0, zone),
            Self::Yesterday => midnight(now, 1, zone),
            Self::Ago(length) => now.minus(length.span()),
            // A LocalTime is always valid, so the fallback is never used.
            Self::Local(LocalTime(civil)) => zone.instant_of(*civil).unwrap_or(now),
            Self::At(instant) => *instant,
            Self::Recent(yearless) => yearless.at(now, zone),
        }
    }
}

impl Range {
    /// Reads `A..B`, `A..` or `..B`. A single time, two open sides, and a range that is certainly empty are errors.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let Some((from, until)) = text.split_once("..") else {
            let hint = format!("write '{0}..' for from then on, or '{0}..now'", text.trim());
            // The error of an invalid time says more than that of a missing range.
            When::parse(text)?;
            return Err(error(format!("'{}' is one time where a range is needed", Clean::line(text.trim())), &hint));
        };
        let bound = |part: &str| if part.trim().is_empty() { Ok(None) } else { When::parse(part).map(Some) };
        let range = Self { from: bound(from)?, until: bound(until)? };
        match (range.from, range.until) {
            (None, None) => Err(error("'..' has no time on either side".into(), VALID_TIMES)),
            (Some(a), Some(b)) if is_reversed(a, b) => Err(error(
                format!("the range '{a}..{b}' ends where it begins, or earlier"),
                "give the earlier time first",
            )),
            _ => Ok(range),
        }
    }
}

impl Length {
    /// Reads a number and a unit, as in `90s`. A number without unit, an unknown unit, and a number beyond `u32` are
    /// errors.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        if number.is_empty() {
            return Err(error(format!("'{}' is no length of time", Clean::line(text)), VALID_UNITS));
        }
        let unit = match unit {
            "s" => Unit::Seconds,
            "m" => Unit::Minutes,
            "h" => Unit::Hours,
            "d" => Unit::Days,
            "w" => Unit::Weeks,
            "" => return Err(error(format!("'{text}' has no unit"), VALID_UNITS)),
            other if other.starts_with(['-', '.', ':']) => return Err(unreadable(text)),
            other => {
                let (other, text) = (Clean::line(other), Clean::line(text));
                return Err(error(format!("unknown unit '{other}' in '{text}'"), VALID_UNITS));
            }
        };
        let count = number.parse().map_err(|_| error(format!("'{text}' is too long"), "give a smaller number"))?;
        Ok(Self { count, unit })
    }

    /// The length in microseconds; the longest ones in weeks saturate at the end of `i64`.
    pub fn span(&self) -> Span {
        let n = i64::from(self.count);
        match self.unit {
            Unit::Seconds => Span::seconds(n),
            Unit::Minutes => Span::minutes(n),
            Unit::Hours => Span::hours(n),
            Unit::Days => Span::days(n),
            Unit::Weeks => Span::days(n.saturating_mul(7)),
        }
    }
}

impl LocalTime {
    /// `None` for invalid dates and times, and outside of the years 0 to 9999.
    pub fn new(civil: Civil) -> Option<Self> {
        (0..=9999).contains(&civil.year).then_some(())?;
        civil.to_instant_utc().map(|_| Self(civil))
    }
}

/// The midnight of the day of `now` in the zone, or of an earlier calendar day; `now` itself for the infinities.
fn midnight(now: Instant, days_back: i64, zone: &Zone) -> Instant {
    let date = |c: Civil| Civil { hour: 0, minute: 0, second: 0, micros: 0, ..c };
    let today = zone.civil(now).and_then(|c| date(c).to_instant_utc());
    // Counts calendar days, which may have 23 or 25 hours.
    let day = today.and_then(|t| t.minus(Span::days(days_back)).civil_utc());
    day.and_then(|c| zone.instant_of(c)).unwrap_or(now)
}

/// Whether the range is certainly empty, for two times of the same kind. Times with offsets are not checked: programs
/// write them, and an empty range is a valid answer.
fn is_reversed(from: When, until: When) -> bool {
    match (from, until) {
        (When::Ago(a), When::Ago(b)) => a.span() <= b.span(),
        (When::Local(LocalTime(a)), When::Local(LocalTime(b))) => a.to_instant_utc() >= b.to_instant_utc(),
        _ => false,
    }
}

/// Reads a text that begins with a date: the date alone, or with a time, with or without its offset.
fn parse_date(text: &str, date: &str) -> Result<When, TimeError> {
    let rest = text.get(date.len()..).unwrap_or_default();
    let clock = match rest.strip_prefix(['T', 't', ' ']) {
        Some(clock) => clock.trim_start(),
        None if rest.is_empty() => "00:00",
        None => return Err(unreadable(text)),
    };
    let no_such = || error(format!("no such date and time '{}'", Clean::line(text)), VALID_TIMES);
    if clock.contains(['Z', 'z', '+', '-']) {
        return Instant::parse_rfc3339(&format!("{date}T{clock}")).map(When::At).ok_or_else(no_such);
    }
    let civil = local_civil(date, clock).ok_or_else(|| unreadable(text))?;
    LocalTime::new(civil).map(When::Local).ok_or_else(no_such)
}

/// The numbers of a date and of `HH:MM[:SS[.fraction]]`, not yet checked against the calendar.
fn local_civil(date: &str, clock: &str) -> Option<Civil> {
    let mut fields = date.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (fields.next()??, fields.next()??, fields.next()??);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let two = |part: &str| if part.len() == 2 { digits(part) } else { None };
    let mut parts = clock.split(':');
    let (hour, minute) = (two(parts.next()?)?, two(parts.next()?)?);
    let second = parts.next().map_or(Some(0), two)?;
    if parts.next().is_some() {
        return None;
    }
    // Finer fractions are truncated to microseconds.
    digits(fraction)?;
    let micros = format!("{fraction:0<6}").get(..6).and_then(digits)?;
    Some(Civil { year: i64::from(year), month, day, hour, minute, second, micros })
}

/// A number of ASCII digits, of which the first nine count; `None` for anything else.
fn digits(text: &str) -> Option<u32> {
    let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.get(..9).unwrap_or(text).parse().ok())?
}

/// Whether a text has the shape `2026-11-20`.
pub fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
}

/// An error with its suggestion.
fn error(message: String, suggestion: &str) -> TimeError {
    TimeError { message, suggestion: suggestion.to_owned() }
}

/// The error for a text of no valid form.
fn unreadable(text: &str) -> TimeError {
    error(format!("cannot read the time '{}'", Clean::line(text)), VALID_TIMES)
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Today => f.write_str("today"),
            Self::Yesterday => f.write_str("yesterday"),
            Self::Ago(length) => length.fmt(f),
            Self::Local(local) => local.fmt(f),
            Self::At(instant) => f.write_str(&instant.rfc3339()),
            Self::Recent(yearless) => yearless.fmt(f),
        }
    }
}

impl fmt::Display for LocalTime {
    /// As short as possible: a midnight as its date, whole minutes without seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second, micros } = self.0;
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        if (hour, minute, second, micros) == (0, 0, 0, 0) {
            return Ok(());
        }
        write!(f, "T{hour:02}:{minute:02}")?;
        if (second, micros) != (0, 0) {
            write!(f, ":{second:02}")?;
        }
        if micros != 0 {
            write!(f, ".{}", format!("{micros:06}").trim_end_matches('0'))?;
        }
        Ok(())
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Seconds => 's',
            Unit::Minutes => 'm',
            Unit::Hours => 'h',
            Unit::Days => 'd',
            Unit::Weeks => 'w',
        };
        write!(f, "{}{unit}", self.count)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(from) = self.from {
            from.fmt(f)?;
        }
        f.write_str("..")?;
        self.until.map_or(Ok(()), |until| until.fmt(f))
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.suggestion)
    }
}
impl std::error::Error for TimeError {}

#[cfg(test)]
mod tests;
