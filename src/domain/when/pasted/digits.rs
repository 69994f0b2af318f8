//! Times that are digits without separators: epochs, compact ISO 8601, ASN.1. [`pasted`](super) calls it.
//!
//! An epoch and a date can have the same digits; such a text is refused with both readings.

use super::{Reading, Refusal, all_digits, either, micros, normal, split_zone, two};
use crate::domain::instant::{Civil, Instant};
use crate::domain::when::When;

/// The units of an epoch by the digits of its whole part; each covers at least the years 1973 to 2286. Each unit is in
/// microseconds; 0 marks nanoseconds.
const EPOCHS: [(std::ops::RangeInclusive<usize>, i128); 4] =
    [(9..=10, 1_000_000), (12..=13, 1_000), (15..=16, 1), (18..=19, 0)];

/// An epoch, or a date without separators. `None`: other digits.
pub fn number(text: &str) -> Option<Result<When, Refusal>> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let epoch = epoch(whole, fraction).map(When::At);
    let date =
        Some(()).filter(|()| whole == text).and_then(|()| undelimited(whole)).and_then(|c| Reading::of(c).when());
    either(epoch, date)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970-01-01 UTC. The count of digits decides the unit. Finer
/// parts than microseconds are cut.
fn epoch(whole: &str, fraction: &str) -> Option<Instant> {
    let (_, unit) = EPOCHS.iter().find(|(digits, _)| digits.contains(&whole.len()))?;
    let number: i128 = whole.parse().ok()?;
    let parts: i128 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let micros = if *unit == 0 { number / 1000 } else { number * unit + parts * unit / 1_000_000 };
    i64::try_from(micros).ok().map(Instant::from_unix_micros)
}

/// `YYYYMMDD`, then `HH`, `MM` and `SS`, as far as they are there. Only recent years: other digits are other numbers.
fn undelimited(digits: &str) -> Option<Civil> {
    if !matches!(digits.len(), 8 | 10 | 12 | 14) {
        return None;
    }
    let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), two);
    let (year, month, day) = (digits.get(..4)?.parse().ok()?, part(4)?, part(6)?);
    let civil = Civil { year, month, day, hour: part(8)?, minute: part(10)?, second: part(12)?, micros: 0 };
    (1950..=2199).contains(&year).then_some(())?;
    normal(civil).map(|_| civil)
}

/// A date and time without separators, but with a `T` or a zone: compact ISO 8601 and ASN.1. `None`: other text. RFC
/// 5280 section 4.1.2.5.1 gives the century of a year of two digits.
pub fn compact(text: &str) -> Option<Result<When, Refusal>> {
    let (body, offset) = split_zone(text)?;
    let (body, fraction) = body.split_once(['.', ',']).unwrap_or((body, "0"));
    let micros = micros(fraction)?;
    let reading = |civil: Civil| Reading { offset, ..Reading::of(Civil { micros, ..civil }) }.when();
    if let Some((date, clock)) = body.split_once(['T', 't']) {
        let whole = date.len() == 8 && matches!(clock.len(), 4 | 6) && all_digits(date) && all_digits(clock);
        return whole.then(|| undelimited(&format!("{date}{clock}")))?.and_then(reading).map(Ok);
    }
    if offset.is_none() || !all_digits(body) {
        return None;
    }
    // ASN.1: GeneralizedTime has four digits of the year; UTCTime has two, which begin at 1950.
    let century = if body.get(..2)? < "50" { "20" } else { "19" };
    let utc_time =
        Some(body).filter(|b| matches!(b.len(), 10 | 12)).and_then(|b| undelimited(&format!("{century}{b}")));
    let general = Some(body).filter(|b| matches!(b.len(), 12 | 14)).and_then(undelimited);
    either(utc_time.and_then(reading), general.and_then(reading))
}
