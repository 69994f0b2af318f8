//! Instants over the whole range of the databases.
//!
//! `chrono` ends at the year 262142 and has no infinity; a PostgreSQL `timestamp` has both, and one such row must
//! neither fail a page nor show a wrong time. Hence an instant is PostgreSQL's own count, microseconds since 2000-01-01
//! UTC with two infinities, and is converted to `chrono` only at the program's borders.

use std::fmt;

use chrono::{DateTime, Datelike, Timelike, Utc};

/// Microseconds from 1970-01-01 to 2000-01-01, both UTC.
const UNIX_TO_2000: i64 = 946_684_800_000_000;
/// Microseconds of a day. Instants have no leap seconds, as in PostgreSQL and in POSIX time.
const DAY: i64 = 86_400_000_000;
/// The first instant that PostgreSQL stores: 4714-11-24 BC.
const EARLIEST: i64 = -211_813_488_000_000_000;
/// The last finite one: the end of 294276 AD.
const LATEST: i64 = 9_223_371_331_199_999_999;

/// An instant in UTC with microseconds: 4714 BC to 294276 AD, and both infinities. The number is microseconds since
/// 2000-01-01 00:00 UTC; the ends of `i64` are the infinities. The order of the numbers is the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A signed span in microseconds. Arithmetic saturates at the ends of `i64`, about 292,000 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(pub i64);

impl Span {
    /// A span of whole seconds; saturates where the microseconds do not fit an `i64`.
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }
    /// A span of minutes, each of 60 seconds.
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n.saturating_mul(60))
    }
    /// A span of hours, each of 3600 seconds.
    pub const fn hours(n: i64) -> Self {
        Self::seconds(n.saturating_mul(3600))
    }
    /// A span of days, each of 86,400 seconds: not calendar days of a zone, which may have 23 or 25 hours.
    pub const fn days(n: i64) -> Self {
        Self::seconds(n.saturating_mul(86_400))
    }
    /// Whole seconds, rounded down: -1 microsecond is -1 second.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// The span without its sign; saturates for the lowest `i64`, which has no positive counterpart.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl Instant {
    /// Later than every finite instant; as an expiry: never. PostgreSQL's `infinity`.
    pub const INFINITY: Self = Self(i64::MAX);
    /// Earlier than every finite instant. PostgreSQL's `-infinity`.
    pub const NEG_INFINITY: Self = Self(i64::MIN);

    /// From PostgreSQL's binary form: microseconds since 2000-01-01 UTC; the ends of `i64` are the infinities.
    pub const fn from_pg_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// Microseconds since 2000-01-01 UTC, PostgreSQL's binary form; the ends of `i64` for the infinities.
    pub const fn pg_micros(self) -> i64 {
        self.0
    }

    /// From microseconds since 1970-01-01 UTC; the ends of `i64` are the infinities. Earlier instants than PostgreSQL's
    /// first become that one, so that all databases order them alike.
    pub const fn from_unix_micros(micros: i64) -> Self {
        if micros == i64::MAX {
            return Self::INFINITY;
        }
        if micros == i64::MIN {
            return Self::NEG_INFINITY;
        }
        match micros.checked_sub(UNIX_TO_2000) {
            Some(n) if n > EARLIEST => Self(n),
            _ => Self(EARLIEST),
        }
    }

    /// Microseconds since 1970-01-01 UTC; `None` for PostgreSQL's last 29 years (after 294247-01-10), which do not fit.
    pub const fn unix_micros(self) -> Option<i64> {
        match self.0 {
            i64::MAX | i64::MIN => Some(self.0),
            n => n.checked_add(UNIX_TO_2000),
        }
    }

    /// From a `chrono` time, truncated to the microsecond; all of `chrono`'s years are in the range except those before
    /// 4714 BC.
    pub fn from_utc(t: DateTime<Utc>) -> Self {
        Self::from_unix_micros(t.timestamp_micros())
    }

    /// `None` for the infinities and for years outside of `chrono`'s range.
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        if !self.is_finite() {
            return None;
        }
        DateTime::from_timestamp_micros(self.unix_micros()?)
    }

    /// Whether it is neither of the infinities.
    pub const fn is_finite(self) -> bool {
        self.0 != i64::MAX && self.0 != i64::MIN
    }

    /// Adds `span`; a finite instant stays finite, clamped to the range, and an infinite one stays infinite.
    pub const fn plus(self, span: Span) -> Self {
        if !self.is_finite() {
            return self;
        }
        let n = self.0.saturating_add(span.0);
        if n > LATEST {
            Self(LATEST)
        } else if n < EARLIEST {
            Self(EARLIEST)
        } else {
            Self(n)
        }
    }
    /// The excluded end of a range of `span` that begins here: as [`plus`](Self::plus), but an infinity if it lies
    /// outside of the range. A walk from end to end therefore terminates and includes the last rows.
    pub const fn end_after(self, span: Span) -> Self {
        match self.0.checked_add(span.0) {
            _ if !self.is_finite() => self,
            Some(n) if n >= EARLIEST && n <= LATEST => Self(n),
            _ if span.0 < 0 => Self::NEG_INFINITY,
            _ => Self::INFINITY,
        }
    }
    /// Subtracts `span`, with the same limits as [`plus`](Self::plus).
    pub const fn minus(self, span: Span) -> Self {
        self.plus(Span(span.0.saturating_neg()))
    }

    /// `self - earlier`; `None` where either is infinite.
    pub const fn since(self, earlier: Self) -> Option<Span> {
        if !self.is_finite() || !earlier.is_finite() {
            return None;
        }
        Some(Span(self.0.saturating_sub(earlier.0)))
    }

    /// Calendar date and time of day in UTC: (year, month, day, microsecond of the day); 1 BC is the year 0.
    fn civil(self) -> (i64, u32, u32, i64) {
        let days = self.0.div_euclid(DAY);
        let rest = self.0.rem_euclid(DAY);
        // Days since 0000-03-01, in eras of 400 years; 2000-01-01 is day 730_425.
        let z = days + 730_425;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = yoe + era * 400 + i64::from(month <= 2);
        (year, month, day, rest)
    }

    /// Whether [`rfc3339`](Instant::rfc3339) writes the year with four digits and no sign.
    pub fn is_of_four_digits(self) -> bool {
        const YEAR_0: i64 = -730_485 * DAY;
        const YEAR_10000: i64 = 2_921_940 * DAY;
        (YEAR_0..YEAR_10000).contains(&self.0)
    }

    /// The inverse of [`civil`](Self::civil). `micros` counts from the midnight in UTC and may be negative or longer
    /// than a day, for an offset. `None` for an invalid date and outside of PostgreSQL's range.
    fn from_civil(year: i64, month: u32, day: u32, micros: i64) -> Option<Self> {
        let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if day < 1 || day > last || !(-4713..=294_276).contains(&year) {
            return None;
        }
        let y = year - i64::from(month <= 2);
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let mp = i64::from(if month > 2 { month - 3 } else { month + 9 });
        let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        let days = era * 146_097 + doe - 730_425;
        let n = days.checked_mul(DAY)?.checked_add(micros)?;
        (EARLIEST..i64::MAX).contains(&n).then_some(Self(n))
    }

    /// RFC 3339 in UTC with `Z`, the fraction as short as possible. RFC 3339 ends at the year 9999, but databases hold
    /// later dates, and no row may be lost for its date: years outside 0 to 9999 take ISO 8601's expanded form
    /// (`+10000-01-01T00:00:00Z`, `-4713-11-24T00:00:00Z`), with a sign and as many digits as needed, and the
    /// infinities are `infinity` and `-infinity`. [`parse_rfc3339`] reads all of these.
    ///
    /// [`parse_rfc3339`]: Instant::parse_rfc3339
    pub fn rfc3339(self) -> String {
        let mut out = String::with_capacity(27);
        self.push_rfc3339(&mut out);
        out
    }

    /// Appends [`rfc3339`](Instant::rfc3339) to `out`.
    pub fn push_rfc3339(self, out: &mut String) {
        if self == Self::INFINITY {
            return out.push_str("infinity");
        }
        if self == Self::NEG_INFINITY {
            return out.push_str("-infinity");
        }
        let (y, m, d, rest) = self.civil();
        let (s, micros) = (rest / 1_000_000, rest % 1_000_000);
        // Writes digits without `format!`, because an export writes three instants per row.
        match u32::try_from(y) {
            Ok(year @ 0..=9999) => push_digits(out, year, 4),
            _ => out.push_str(&format!("{y:+05}")),
        }
        let clock = [('-', i64::from(m)), ('-', i64::from(d)), ('T', s / 3600), (':', s / 60 % 60), (':', s % 60)];
        for (sign, number) in clock {
            out.push(sign);
            push_digits(out, number as u32, 2);
        }
        if micros != 0 {
            out.push('.');
            push_digits(out, micros as u32, 6);
            out.truncate(out.trim_end_matches('0').len());
        }
        out.push('Z');
    }

    /// Reads RFC 3339 with any offset (a space may replace the `T`), all that [`rfc3339`](Instant::rfc3339) writes, and
    /// times without offset as UTC. A finer fraction is truncated to microseconds. `None` for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "infinity" | "+infinity" => return Some(Self::INFINITY),
            "-infinity" => return Some(Self::NEG_INFINITY),
            _ => {}
        }
        let (date, clock) = text.split_once(['T', 't', ' '])?;
        let (sign, date) = match date.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, date.strip_prefix('+').unwrap_or(date)),
        };
        let mut parts = date.split('-');
        let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || y.len() < 4 || m.len() != 2 || d.len() != 2 {
            return None;
        }
        let (year, month, day) = (sign * digits(y)?, digits(m)?, digits(d)?);
        let (clock, offset) = split_offset(clock)?;
        let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
        let mut parts = clock.split(':');
        let (h, mi) = (digits(parts.next()?)?, digits(parts.next()?)?);
        let s = parts.next().map_or(Some(0), digits)?;
        if parts.next().is_some() || h > 23 || mi > 59 || s > 59 {
            return None;
        }
        digits(fraction)?;
        let micros = digits(&format!("{fraction:0<6}")[..6])?;
        let day_micros = ((h * 60 + mi) * 60 + s - offset) * 1_000_000 + micros;
        Self::from_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?, day_micros)
    }
}

/// The last `width` decimal digits of a number, with leading zeros.
fn push_digits(out: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = (number / 10_u32.pow(place) % 10) as u8;
        out.push(char::from(b'0' + digit));
    }
}

/// A number of 1 to 12 ASCII digits; `None` for anything else, signs included.
fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Splits a clock time into the time and its offset in seconds, positive to the east.
fn split_offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(rest) = clock.strip_suffix(['Z', 'z']) {
        return Some((rest, 0));
    }
    let Some(at) = clock.rfind(['+', '-']) else { return Some((clock, 0)) };
    let (rest, offset) = clock.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let offset = &offset[1..];
    let (h, m) = match offset.split_once(':') {
        Some(pair) => pair,
        None if offset.len() == 4 && offset.is_ascii() => offset.split_at(2),
        None => (offset, "0"),
    };
    // Local mean times before 1972 have seconds.
    let (m, s) = m.split_once(':').unwrap_or((m, "0"));
    let (h, m, s) = (digits(h)?, digits(m)?, digits(s)?);
    (h <= 23 && m <= 59 && s <= 59).then_some((rest, sign * (h * 3600 + m * 60 + s)))
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// A calendar date and clock time, without a zone. The calendar is the proleptic Gregorian one, as in PostgreSQL. A
/// value need not be valid; see [`to_instant_utc`](Self::to_instant_utc).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    /// The year in astronomical count: 0 is 1 BC, -1 is 2 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31, by the length of the month.
    pub day: u32,
    /// 0 to 23; 24:00 is not valid.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59; leap seconds are not valid.
    pub second: u32,
    /// Microseconds within the second: 0 to 999,999.
    pub micros: u32,
}

impl Instant {
    /// The date and time in UTC; `None` for the infinities.
    pub fn civil_utc(self) -> Option<Civil> {
        if !self.is_finite() {
            return None;
        }
        let (year, month, day, rest) = self.civil();
        let s = (rest / 1_000_000) as u32;
        Some(Civil {
            year,
            month,
            day,
            hour: s / 3600,
            minute: s / 60 % 60,
            second: s % 60,
            micros: (rest % 1_000_000) as u32,
        })
    }
}

impl Civil {
    /// The instant of that date and time in UTC; `None` for an invalid one and outside of the range.
    pub fn to_instant_utc(&self) -> Option<Instant> {
        if self.hour > 23 || self.minute > 59 || self.second > 59 || self.micros > 999_999 {
            return None;
        }
        let seconds = (self.hour * 60 + self.minute) * 60 + self.second;
        Instant::from_civil(self.year, self.month, self.day, i64::from(seconds) * 1_000_000 + i64::from(self.micros))
    }

    /// The date and time of a `chrono` time in its own zone.
    pub fn from_chrono<Z: chrono::TimeZone>(t: &DateTime<Z>) -> Self {
        Self {
            year: i64::from(t.year()),
            month: t.month(),
            day: t.day(),
            hour: t.hour(),
            minute: t.minute(),
            second: t.second(),
            micros: t.timestamp_subsec_micros(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn prints_and_reads_the_whole_range() {
        for (micros, text) in [
            (0, "2000-01-01T00:00:00Z"),
            (-1, "1999-12-31T23:59:59.999999Z"),
            (845_805_690_120_000, "2026-10-20T10:01:30.12Z"),
            (i64::MAX, "infinity"),
            (i64::MIN, "-infinity"),
            (9_223_371_331_199_999_999, "+294276-12-31T23:59:59.999999Z"),
            (EARLIEST, "-4713-11-24T00:00:00Z"),
        ] {
            let t = Instant::from_pg_micros(micros);
            assert_eq!(t.rfc3339(), text);
            assert_eq!(Instant::parse_rfc3339(text), Some(t), "{text}");
        }
    }

    #[test]
    fn four_digits_end_where_the_sign_begins() {
        for (text, expected) in [
            ("0000-01-01T00:00:00Z", true),
            ("9999-12-31T23:59:59.999999Z", true),
            ("infinity", false),
            ("-infinity", false),
        ] {
            let t = Instant::parse_rfc3339(text).unwrap();
            assert_eq!(t.is_of_four_digits(), expected, "{text}");
            let beside = if text.starts_with('0') { t.minus(Span(1)) } else { t.plus(Span(1)) };
            assert!(!beside.is_of_four_digits() && !beside.rfc3339().starts_with(|c: char| c.is_ascii_digit()));
        }
    }

    #[test]
    fn agrees_with_chrono_where_chrono_reaches() {
        for unix in
            [-62_135_596_800_000_000_i64, -1, 0, 951_782_400_000_000, 1_795_000_000_123_456, 253_402_300_799_999_999]
        {
            let t = Instant::from_unix_micros(unix);
            assert_eq!(t.unix_micros(), Some(unix));
            let c = DateTime::from_timestamp_micros(unix).unwrap();
            assert_eq!(t.to_utc(), Some(c));
            assert_eq!(t.civil_utc(), Some(Civil::from_chrono(&c)));
        }
    }

    #[test]
    fn sums_stay_within_what_a_database_takes() {
        let t = Instant::from_pg_micros(0);
        for far in [t.plus(Span(i64::MAX)), t.minus(Span(i64::MAX)), t.plus(Span::days(106_742_162))] {
            assert!(far.is_finite());
            assert_eq!(Instant::parse_rfc3339(&far.rfc3339()), Some(far));
        }
        assert_eq!(Instant::INFINITY.minus(Span::days(1)), Instant::INFINITY);
    }

    #[test]
    fn a_walk_by_ends_reaches_the_end_of_time() {
        let quarter = Span::minutes(15);
        let mut at = Instant::from_pg_micros(LATEST).minus(Span::hours(2));
        let mut steps = 0;
        while at.is_finite() {
            let next = at.end_after(quarter);
            assert!(next > at);
            (at, steps) = (next, steps + 1);
        }
        assert_eq!((at, steps), (Instant::INFINITY, 9));
        assert_eq!(Instant::from_pg_micros(0).end_after(Span(i64::MAX)), Instant::INFINITY);
        assert_eq!(Instant::from_pg_micros(0).end_after(Span(i64::MIN)), Instant::NEG_INFINITY);
        assert_eq!(Instant::NEG_INFINITY.end_after(quarter), Instant::NEG_INFINITY);
        assert_eq!(Instant::from_pg_micros(0).end_after(quarter), Instant::from_pg_micros(quarter.0));
    }

    #[test]
    fn reads_offsets_and_refuses_nonsense() {
        let t = Instant::parse_rfc3339("2026-11-20T14:00:00Z");
        for same in [
            "2026-11-20T15:00:00+01:00",
            "2026-11-20 14:00:00",
            "2026-11-20T09:30:00.000000999-0430",
            "2026-11-20T14:53:28+00:53:28",
            "2026-11-20T14:00",
        ] {
            assert_eq!(Instant::parse_rfc3339(same), t, "{same}");
        }
        for bad in [
            "",
            "2026-11-20",
            "2026-02-30T00:00:00Z",
            "2026-11-20T25:00:00Z",
            "2026-11-20T14:00:00.xZ",
            "T",
            "26-1-1T0:0Z",
            "2026-11-20T14:00:00+99:00",
            "2026-11-20T14:00:00+01:00:60",
            "+294277-01-01T00:00:00Z",
            "2026-11-20T14:00+a\u{e9}b",
        ] {
            assert_eq!(Instant::parse_rfc3339(bad), None, "{bad}");
        }
    }
}
