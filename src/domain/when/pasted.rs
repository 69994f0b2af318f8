//! Times as other programs write them, for users who paste them and hooks that pass them on: logs (nginx, klog,
//! journald), `openssl`, `date`, mail and HTTP headers, Go, ASN.1, compact ISO 8601, and epochs.
//!
//! [`When::parse`] calls [`read`] for what its own grammar does not know; `ingest` calls [`in_data`]. A text with two
//! readings is refused with both: nothing here guesses between them, and nothing reads a clock.
//!
//! Sources of the forms: RFC 5322 section 3.3, RFC 9110 section 5.6.7, RFC 5280 section 4.1.2.5, RFC 3164 section 4.1.2,
//! ISO 8601 basic format, Go's `time.Time.String`.

mod digits;

use std::fmt;

use super::{LocalTime, TimeError, When, is_date};
use crate::domain::instant::{Civil, Instant, Span};
use crate::domain::text::Clean;
use crate::domain::zone::Zone;

/// In English, and in lower case for the comparison.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Read and dropped: the date decides, even where the weekday contradicts it.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A date and time without a year, in the zone shown: the last one that is past.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Yearless(Civil);

/// Why a text that looks like a time is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Completes "the time, which …".
    pub why: String,
    /// What to write instead.
    pub suggestion: String,
}

/// Reads a time of another program. Without a zone it is in the zone shown. `None`: no known form. It reads no clock: a
/// time without a year stays so until it is resolved.
pub fn read(text: &str) -> Option<Result<When, Refusal>> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    // `openssl x509 -enddate` prints this name; Go appends its monotonic clock.
    let text = text.strip_prefix("notAfter=").or(text.strip_prefix("notBefore=")).unwrap_or(text);
    let text = text.split(" m=").next().unwrap_or(text).trim();
    digits::number(text).or_else(|| digits::compact(text)).or_else(|| words(text))
}

/// As [`read`], as an error of the grammar of times. `unknown` is what the grammar itself said of the text; it is
/// returned where no form is known.
pub(super) fn as_typed(text: &str, unknown: TimeError) -> Result<When, TimeError> {
    match read(text) {
        Some(Ok(when)) => Ok(when),
        // The grammar has said more about a date of its form.
        Some(Err(_)) if text.trim().get(..10).is_some_and(is_date) => Err(unknown),
        Some(Err(Refusal { why, suggestion })) => {
            Err(TimeError { message: format!("the time '{}' {why}", Clean::line(text.trim())), suggestion })
        }
        None => Err(unknown),
    }
}

/// The instant of a time in a data file, where a time without a zone is UTC. A time without a year is refused, since the
/// same file must always give the same rows; `now` names its candidates. The error completes "the time, which …".
pub fn in_data(text: &str, now: Instant) -> Result<Instant, String> {
    if let Some(at) = Instant::parse_rfc3339(text) {
        return Ok(at);
    }
    // The grammar for people knows more forms of a date, but its relative times must not reach the data.
    let dated = text.trim().get(..10).filter(|d| is_date(d)).and_then(|_| When::parse(text).ok());
    match dated.map(Ok).or_else(|| read(text)) {
        Some(Ok(When::Recent(yearless))) => {
            let (before, after) = yearless.around(now);
            Err(format!("has no year; it can be {} or {}", before.rfc3339(), after.rfc3339()))
        }
        Some(Ok(when)) => Ok(when.at(now, &Zone::Utc)),
        Some(Err(Refusal { why, suggestion })) => Err(format!("{why}; {suggestion}")),
        None => Err("is not a time; write RFC 3339, as in 2026-11-20T14:00:00Z".to_owned()),
    }
}

impl Yearless {
    /// The last such time at or before `now`, in the zone. A clock that is a day ahead is still past.
    pub(super) fn at(&self, now: Instant, zone: &Zone) -> Instant {
        let this = zone.civil(now).map_or(1970, |c| c.year);
        let latest = now.plus(Span::days(1));
        // 29 February comes at least every eighth year.
        let mut years = (this - 8..=this + 1).rev();
        years.find_map(|year| self.in_year(year, zone).filter(|at| *at <= latest)).unwrap_or(now)
    }

    /// The last such time before `now` and the next one, in UTC.
    fn around(&self, now: Instant) -> (Instant, Instant) {
        let this = now.civil_utc().map_or(1970, |c| c.year);
        let all: Vec<_> = (this - 8..=this + 8).filter_map(|year| self.in_year(year, &Zone::Utc)).collect();
        let split = all.partition_point(|at| *at <= now);
        let at = |index: usize| all.get(index).copied().unwrap_or(now);
        (at(split.saturating_sub(1)), at(split))
    }

    /// The time in one year; `None` for 29 February in a common year.
    fn in_year(&self, year: i64, zone: &Zone) -> Option<Instant> {
        let civil = Civil { year, ..self.0 };
        civil.to_instant_utc()?;
        zone.instant_of(civil)
    }
}

impl fmt::Display for Yearless {
    /// Without spaces, so that it stands in a filter without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { month, day, hour, minute, second, micros, .. } = self.0;
        let name = MONTHS.get(month as usize - 1).and_then(|m| m.get(..3)).unwrap_or_default();
        write!(f, "{name}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros != 0 { write!(f, ".{}", format!("{micros:06}").trim_end_matches('0')) } else { Ok(()) }
    }
}

/// The one reading of two that is there; both are a refusal, unless they agree.
fn either(one: Option<When>, other: Option<When>) -> Option<Result<When, Refusal>> {
    match (one, other) {
        (Some(a), Some(b)) if a != b => Some(Err(ambiguous(&a.to_string(), &b.to_string()))),
        (one, other) => one.or(other).map(Ok),
    }
}

/// The refusal of a text with two readings, each as the filter prints it.
fn ambiguous(one: &str, other: &str) -> Refusal {
    Refusal { why: format!("can mean {one} or {other}"), suggestion: "write the one that is meant".to_owned() }
}

// Words and numbers between spaces.

/// The parts of a time that were found.
#[derive(Clone, Copy, Default)]
struct Reading {
    /// Four digits, or 2000 and two digits; `None`: the text has none.
    year: Option<i64>,
    /// From 1. Not checked against the calendar before [`Reading::when`].
    month: Option<u32>,
    /// From 1, as the month.
    day: Option<u32>,
    /// Hour, minute, second, microsecond.
    clock: Option<[u32; 4]>,
    /// Seconds east of UTC.
    offset: Option<i64>,
}

impl Reading {
    /// All parts of a date and time without a zone.
    fn of(civil: Civil) -> Self {
        let Civil { year, month, day, hour, minute, second, micros } = civil;
        let clock = Some([hour, minute, second, micros]);
        Self { year: Some(year), month: Some(month), day: Some(day), clock, offset: None }
    }

    /// `None`: it is no date.
    fn when(&self) -> Option<When> {
        let [hour, minute, second, micros] = self.clock.unwrap_or_default();
        // Any leap year serves to check a date without one.
        let year = self.year.unwrap_or(2024);
        let civil = Civil { year, month: self.month?, day: self.day?, hour, minute, second, micros };
        let naive = normal(civil)?;
        // A leap second ends a day of UTC.
        let utc = naive.minus(Span::seconds(self.offset.unwrap_or(0))).pg_micros();
        if second == 60 && utc.rem_euclid(Span::days(1).0) >= Span::seconds(1).0 {
            return None;
        }
        match (self.year, self.offset) {
            (Some(_), Some(offset)) => Some(When::At(naive.minus(Span::seconds(offset)))),
            (Some(_), None) => naive.civil_utc().and_then(LocalTime::new).map(When::Local),
            // Programs that write no year write no zone either.
            (None, Some(_)) => None,
            (None, None) => naive.civil_utc().map(|c| When::Recent(Yearless(c))),
        }
    }

    /// Sets a part that must not be there yet.
    fn set<T>(part: &mut Option<T>, value: T) -> Option<()> {
        part.is_none().then(|| *part = Some(value))
    }
}

/// The instant of a reading in UTC. A leap second is the second after it, as PostgreSQL reads it, and 24:00 the next
/// midnight.
fn normal(civil: Civil) -> Option<Instant> {
    let Civil { hour, minute, second, micros, .. } = civil;
    if (hour == 24 && (minute, second, micros) != (0, 0, 0)) || second > 60 || hour > 24 {
        return None;
    }
    let at = Civil { hour: hour % 24, second: second.min(59), ..civil }.to_instant_utc()?;
    Some(at.plus(Span::days(i64::from(hour / 24))).plus(Span::seconds(i64::from(second / 60))))
}

/// A time of words and numbers between spaces, in any order: `date`, mail, HTTP, Go, openssl, logs. `None` if a word
/// belongs to no time or a part comes twice. An abbreviation such as `CET` without an offset is refused, because
/// several zones share it.
fn words(text: &str) -> Option<Result<When, Refusal>> {
    let mut reading = Reading::default();
    let (mut zone, mut other) = (None, None);
    for word in text.split_whitespace().map(|w| w.trim_end_matches(',')) {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "am" | "pm" => twelve_hours(&mut reading, lower == "pm")?,
            "utc" | "gmt" | "z" => reading.offset = reading.offset.or(Some(0)),
            _ if is_named(&lower, &WEEKDAYS).is_some() => {}
            _ if word.starts_with('(') && word.ends_with(')') => {}
            _ if let Some(month) = is_named(&lower, &MONTHS) => Reading::set(&mut reading.month, month)?,
            // The name of a zone after its offset adds nothing.
            _ if is_abbreviation(word) => zone = zone.or(Some(word).filter(|_| reading.offset.is_none())),
            _ if word.starts_with(['+', '-']) => Reading::set(&mut reading.offset, offset(word)?)?,
            _ => other = part(&mut reading, word)?.or(other),
        }
    }
    let when = reading.when();
    if let (Some(zone), true) = (zone, reading.month.is_some()) {
        return Some(Err(Refusal {
            why: format!("has the zone '{zone}', a name that several zones have"),
            suggestion: "give its offset instead, as in '+01:00'".to_owned(),
        }));
    }
    let (Some(when), None) = (when, other) else {
        let swapped = other.and_then(|month_first: Reading| {
            Reading { clock: reading.clock, offset: reading.offset, ..month_first }.when()
        });
        let swapped = swapped.filter(|_| when.is_some());
        return swapped.zip(when).map(|(a, b)| Err(ambiguous(&a.to_string(), &b.to_string()))).or_else(|| {
            let named = reading.month.is_some() && reading.day.is_some();
            let refused = || Err(Refusal { why: "does not exist".to_owned(), suggestion: "check the date".to_owned() });
            named.then(refused)
        });
    };
    Some(Ok(when))
}

/// Reads one word with digits. Where day and month can be exchanged, the reading takes the day first and the result is
/// the same with the month first. `None` if the word is no part of a time.
fn part(reading: &mut Reading, word: &str) -> Option<Option<Reading>> {
    // nginx puts a colon between date and time, klog a letter before them.
    if let Some((date, rest)) = word.split_once(':').filter(|(date, _)| date.contains('/')) {
        let swapped = numeric_date(reading, date)?;
        return clock(reading, rest).map(|()| swapped);
    }
    if let Some((date, rest)) = word.split_once(['T', 't']).filter(|(_, rest)| rest.contains(':')) {
        let swapped = numeric_date(reading, date)?;
        return clock(reading, rest).map(|()| swapped);
    }
    if word.contains(':') {
        clock(reading, word)?;
    } else if let Some(digits) = word.strip_prefix(['I', 'W', 'E', 'F', 'D']).filter(|d| d.len() == 4) {
        Reading::set(&mut reading.month, two(digits.get(..2)?)?)?;
        Reading::set(&mut reading.day, two(digits.get(2..)?)?)?;
    } else if all_digits(word) {
        match word.len() {
            1 | 2 => Reading::set(&mut reading.day, two(word)?)?,
            4 => Reading::set(&mut reading.year, word.parse().ok()?)?,
            _ => return None,
        }
    } else {
        return numeric_date(reading, word);
    }
    Some(None)
}

/// Reads a date with separators: year first, day first, or with the month's name. The dot always puts the day first.
fn numeric_date(reading: &mut Reading, word: &str) -> Option<Option<Reading>> {
    let sign = ['-', '/', '.'].into_iter().find(|sign| word.contains(*sign))?;
    let parts: Vec<&str> = word.split(sign).collect();
    // What `Yearless` prints.
    if let ([month, day], '-') = (parts.as_slice(), sign) {
        Reading::set(&mut reading.month, is_named(&month.to_ascii_lowercase(), &MONTHS)?)?;
        return Reading::set(&mut reading.day, two(day)?).map(|()| None);
    }
    let [a, b, c] = parts.as_slice() else { return None };
    let named = is_named(&b.to_ascii_lowercase(), &MONTHS);
    let (year, first, second) = if a.len() == 4 { (*a, *c, *b) } else { (*c, *a, *b) };
    let year = match year.len() {
        4 if all_digits(year) => year.parse().ok()?,
        // RFC 9110 wants two digits to be read as the past where they would lie 50 years ahead.
        2 if named.is_some() => 2000 + i64::from(two(year)?),
        _ => return None,
    };
    let (day, month) = (two(first)?, named.or_else(|| two(second))?);
    let day_first = Reading { year: Some(year), month: Some(month), day: Some(day), ..*reading };
    let month_first = Reading { month: Some(day), day: Some(month), ..day_first };
    if reading.year.or(reading.month.map(i64::from)).or(reading.day.map(i64::from)).is_some() {
        return None;
    }
    let fixed = named.is_some() || sign == '.' || a.len() == 4 || day == month;
    *reading = day_first;
    match (day_first.when(), month_first.when().filter(|_| !fixed)) {
        (Some(_), Some(_)) => Some(Some(month_first)),
        (None, Some(_)) => {
            *reading = month_first;
            Some(None)
        }
        _ => Some(None),
    }
}

/// Reads `HH:MM[:SS[.fraction]]` with or without a zone behind it. `None` for other text, and where there is a clock or
/// an offset already.
fn clock(reading: &mut Reading, word: &str) -> Option<()> {
    let (body, offset) = split_zone(word)?;
    let (body, fraction) = body.split_once(['.', ',']).unwrap_or((body, "0"));
    let mut parts = body.split(':');
    let both = |part: &str| two(part).filter(|_| part.len() == 2);
    let (hour, minute) = (two(parts.next()?)?, both(parts.next()?)?);
    let second = parts.next().map_or(Some(0), both)?;
    if parts.next().is_some() {
        return None;
    }
    if let Some(offset) = offset {
        Reading::set(&mut reading.offset, offset)?;
    }
    Reading::set(&mut reading.clock, [hour, minute, second, micros(fraction)?])
}

/// Turns a clock of twelve hours into one of 24. `None` if the hour is not one of twelve.
fn twelve_hours(reading: &mut Reading, afternoon: bool) -> Option<()> {
    let [hour, ..] = reading.clock.as_mut()?;
    (1..=12).contains(hour).then(|| *hour = *hour % 12 + if afternoon { 12 } else { 0 })
}

/// A text without the offset or `Z` at its end, and the offset in seconds east of UTC. `None`: the offset is invalid.
fn split_zone(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(body) = text.strip_suffix(['Z', 'z']) {
        return Some((body, Some(0)));
    }
    match text.rfind(['+', '-']) {
        Some(at) => Some((text.get(..at)?, Some(offset(text.get(at..)?)?))),
        None => Some((text, None)),
    }
}

/// `+01`, `+0100` or `+01:00` in seconds. `None` beyond 23:59.
fn offset(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.get(1..)?.replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (two(&digits)?, 0),
        4 => (two(digits.get(..2)?)?, two(digits.get(2..)?)?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

/// The number, from 1, of a month or day of the week by its name or its first three letters.
fn is_named(lower: &str, names: &[&str]) -> Option<u32> {
    let at = names.iter().position(|name| lower == *name || (lower.len() == 3 && name.starts_with(lower)))?;
    u32::try_from(at + 1).ok()
}

/// Whether a word looks like the abbreviation of a zone: `CET`, `PDT`.
fn is_abbreviation(word: &str) -> bool {
    (3..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase())
}

/// A fraction of a second in microseconds; finer digits are cut. `None` for other text than digits.
fn micros(fraction: &str) -> Option<u32> {
    all_digits(fraction).then(|| format!("{fraction:0<6}").get(..6)?.parse().ok())?
}

/// The number of one or two digits.
fn two(digits: &str) -> Option<u32> {
    (all_digits(digits) && digits.len() <= 2).then(|| digits.parse().ok())?
}

/// Whether the text is ASCII digits and not empty.
fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T14:02:31.5Z";
    const ALL: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/field/times-pasted.tsv"));

    fn now() -> Instant {
        Instant::parse_rfc3339(NOW).unwrap()
    }

    /// The instant of a time in UTC, or why there is none.
    fn at(text: &str) -> String {
        match When::parse(text) {
            Ok(when) => {
                assert_eq!(When::parse(&when.to_string()), Ok(when), "{text} printed as {when}");
                when.at(now(), &Zone::Utc).rfc3339()
            }
            Err(e) => format!("!{e}"),
        }
    }

    #[test]
    fn a_time_is_read_as_its_program_means_it() {
        let expected = |name: &str| match name {
            "rfc3339-offset" => "2026-11-20T08:30:00Z",
            "rfc3339-offset-nocolon" | "space-offset-4" => "2026-11-20T13:00:00Z",
            "rfc3339-nano" | "go-time" | "go-monotonic" | "epoch-us" | "epoch-ns" | "epoch-float" => {
                "2026-11-20T14:00:00.123456Z"
            }
            "epoch-ms" | "comma-fraction" => "2026-11-20T14:00:00.123Z",
            "klog" => "2026-11-20T14:00:00.123456Z",
            "openssl-pad" => "2026-11-02T14:00:00Z",
            "leap-second" => "2027-01-01T00:00:00Z",
            "year-9999" => "9999-12-31T23:59:59Z",
            "year-0001" => "0001-01-01T00:00:00Z",
            "pre-1970" => "1969-12-31T23:59:59Z",
            "y2038" => "2038-01-19T03:14:08Z",
            "hour-24" => "2026-11-21T00:00:00Z",
            "date-only" => "2026-11-20T00:00:00Z",
            _ => "2026-11-20T14:00:00Z",
        };
        for (name, text) in ALL.lines().filter_map(|line| line.split_once('\t')) {
            // The epochs of the list are of the same time of day as the others.
            let got = at(text);
            assert_eq!(got, expected(name), "{name}: {text}");
        }
        for (text, expected) in [
            ("notAfter=Nov 20 14:00:00 2026 GMT", "2026-11-20T14:00:00Z"),
            ("[20/Nov/2026:14:00:00 +0100]", "2026-11-20T13:00:00Z"),
            ("Friday, 20-Nov-26 14:00:00 GMT", "2026-11-20T14:00:00Z"),
            ("2026-11-20 14:00:00.5 +0100 CET", "2026-11-20T13:00:00.5Z"),
            ("Fri, 20 Nov 2026 14:00:00 +0100 (CET)", "2026-11-20T13:00:00Z"),
            ("11/20/2026 2:00:05 PM", "2026-11-20T14:00:05Z"),
            ("11/20/2026 12:00 AM", "2026-11-20T00:00:00Z"),
            ("20.11.2026 14:00", "2026-11-20T14:00:00Z"),
            ("02.01.2026 14:00", "2026-01-02T14:00:00Z"),
            ("20261120T140000+0100", "2026-11-20T13:00:00Z"),
            ("20261120140000", "2026-11-20T14:00:00Z"),
            ("20261120", "2026-11-20T00:00:00Z"),
            ("500101000000Z", "1950-01-01T00:00:00Z"),
            ("20 November 2026 14:00", "2026-11-20T14:00:00Z"),
            // The year is that of the last such day.
            ("Dec 31 23:00:00", "2025-12-31T23:00:00Z"),
            ("Nov 22 14:00:00", "2026-11-22T14:00:00Z"),
            ("Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    #[test]
    fn a_time_with_two_readings_is_refused_with_both() {
        for (text, words) in [
            ("01/02/2026 14:00", "can mean 2026-01-02T14:00 or 2026-02-01T14:00"),
            ("202611201400", "can mean 1976-06-03T00:53:21.4Z or 2026-11-20T14:00"),
            ("2026112014", "can mean 2034-03-16T08:53:34Z or 2026-11-20T14:00"),
            ("Fri Nov 20 14:00:00 CET 2026", "has the zone 'CET', a name that several zones have"),
        ] {
            let got = at(text);
            assert!(got.starts_with('!') && got.contains(words), "{text}: {got}");
        }
    }

    #[test]
    fn what_is_no_time_stays_none() {
        for text in [
            "soon",
            "15",
            "1795",
            "20261320",
            "Nov 31 14:00:00 2026 GMT",
            "31/02/2026",
            "may",
            "2026-11-20T14:00:61Z",
            "- -",
            "+",
            "é-é-é",
        ] {
            assert!(at(text).starts_with('!'), "{text}: {}", at(text));
        }
    }

    #[test]
    fn in_data_nothing_depends_on_the_clock() {
        for (text, expected) in [
            ("2026-11-20 14:00:00", Ok("2026-11-20T14:00:00Z")),
            ("2026-11-20 14:00", Ok("2026-11-20T14:00:00Z")),
            ("2026-11-20", Ok("2026-11-20T00:00:00Z")),
            ("1795183200", Ok("2026-11-20T14:00:00Z")),
            ("Nov 20 14:00:00", Err("has no year; it can be 2026-11-20T14:00:00Z or 2027-11-20T14:00:00Z")),
            ("01/02/2026", Err("can mean 2026-01-02 or 2026-02-01; write the one that is meant")),
            ("yesterday", Err("is not a time; write RFC 3339, as in 2026-11-20T14:00:00Z")),
            ("15m", Err("is not a time; write RFC 3339, as in 2026-11-20T14:00:00Z")),
        ] {
            let got = in_data(text, now()).map(Instant::rfc3339);
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
