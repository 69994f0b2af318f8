//! Numbers, spans and times as text for the screen and for tables. Pure; one place, so that both show the same text.

use super::instant::{Civil, Instant, Span};
use super::zone::Zone;

/// With thousands separators: `1,284,003`. A whole number of rows or devices, in full.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// At most five cells: `999`, `9.1k`, `640k`, `12M`. Truncated, never rounded up: 9,999 is `9.9k`.
pub fn short_count(n: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    for (size, unit) in UNITS {
        if n >= size {
            let tenths = n / (size / 10);
            return if tenths < 100 {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            } else {
                format!("{}{unit}", n / size)
            };
        }
    }
    n.to_string()
}

/// The two largest units of a span, without its sign: `2d 4h`, `3h 12m`, `28s`, `412d`. At most seven cells below 1,000
/// days; years from there.
pub fn span(s: Span) -> String {
    let secs = s.abs().as_seconds();
    let (d, h, m) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    match secs {
        0..=59 => format!("{secs}s"),
        60..=3599 => pair(m, "m", secs % 60, "s"),
        3600..=86_399 => pair(h, "h", m, "m"),
        _ if d < 10 => pair(d, "d", h, "h"),
        _ if d < 1000 => format!("{d}d"),
        _ => format!("{}y", d / 365),
    }
}

/// Two numbers with their units; the smaller unit is left out where it is zero.
fn pair(a: i64, unit_a: &str, b: i64, unit_b: &str) -> String {
    if b == 0 { format!("{a}{unit_a}") } else { format!("{a}{unit_a} {b}{unit_b}") }
}

/// A span that changes while it is on screen: as [`span`], but without seconds from [`TO_THE_SECOND`] on, so that the
/// screen is not redrawn every second for them.
pub fn aging(s: Span) -> String {
    let secs = s.abs().as_seconds();
    if (TO_THE_SECOND.as_seconds()..3600).contains(&secs) { format!("{}m", secs / 60) } else { span(s) }
}

/// Shorter ages show their seconds.
pub const TO_THE_SECOND: Span = Span::minutes(10);

/// `in 2d 4h`, `3h 12m ago`, `now`; `never` and `before all time` for the infinities.
pub fn relative(at: Instant, now: Instant) -> String {
    match at.since(now) {
        Some(s) if s.abs() < Span::seconds(1) => "now".into(),
        Some(s) if s.0 > 0 => format!("in {}", aging(s)),
        Some(s) => format!("{} ago", aging(s)),
        None if at == Instant::INFINITY => "never".into(),
        None => "before all time".into(),
    }
}

/// The change of the expiry by a renewal: `+365d`, `-2h 5m`, `±0`. Units as in [`span`], so parts smaller than its two
/// units are not shown.
pub fn extension(s: Span) -> String {
    match s.0 {
        0 => "±0".into(),
        n if n > 0 => format!("+{}", span(s)),
        _ => format!("-{}", span(s)),
    }
}

/// A full local time with its offset: `2026-11-21 14:02:29.118 +01:00`, or ` UTC`. No fraction if it is zero.
pub fn stamp(at: Instant, zone: &Zone) -> String {
    let Some(c) = zone.civil(at) else { return infinite(at) };
    let mut out = format!("{} {:02}:{:02}:{:02}", day(&c), c.hour, c.minute, c.second);
    if c.micros != 0 {
        let fraction = format!(".{:06}", c.micros);
        out.push_str(if c.micros.is_multiple_of(1000) { &fraction[..4] } else { &fraction });
    }
    out.push(' ');
    out.push_str(&zone.offset_label(at));
    out
}

/// For a column under a title that names the zone: `11-21 14:02:29`, with the year in front if `with_year`. A local
/// time that occurs twice is followed by its offset, six more cells: `10-25 02:30:00+02:00`.
pub fn clock(at: Instant, zone: &Zone, with_year: bool) -> String {
    let Some(c) = zone.civil(at) else { return infinite(at) };
    let offset = fold_label(at, zone);
    let time = format!("{:02}:{:02}:{:02}{offset}", c.hour, c.minute, c.second);
    if with_year { format!("{} {time}", day(&c)) } else { format!("{:02}-{:02} {time}", c.month, c.day) }
}

/// The offset to append to a local time that occurs twice in the zone: `+02:00`; empty for all others.
pub fn fold_label(at: Instant, zone: &Zone) -> String {
    zone.fold_label(at).unwrap_or_default()
}

/// A date alone: `2026-11-21`.
pub fn date(at: Instant, zone: &Zone) -> String {
    let Some(c) = zone.civil(at) else { return infinite(at) };
    day(&c)
}

/// The text of an infinite instant, as PostgreSQL writes it. The caller has excluded all finite instants.
fn infinite(at: Instant) -> String {
    if at == Instant::INFINITY { "infinity".into() } else { "-infinity".into() }
}

/// Year, month and day; years before 1 AD in historians' count: `0044-03-15 BC`.
fn day(c: &Civil) -> String {
    let (year, era) = if c.year < 1 { (1 - c.year, " BC") } else { (c.year, "") };
    format!("{year:04}-{:02}-{:02}{era}", c.month, c.day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_like_a_person_writes() {
        for (n, long, short) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1.0k"),
            (9_999, "9,999", "9.9k"),
            (640_400, "640,400", "640k"),
            (12_345_678, "12,345,678", "12M"),
            (u64::MAX, "18,446,744,073,709,551,615", "18446744T"),
        ] {
            assert_eq!((count(n).as_str(), short_count(n).as_str()), (long, short));
        }
        for (secs, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m 1s"),
            (11_520, "3h 12m"),
            (187_200, "2d 4h"),
            (-187_200, "2d 4h"),
            (35_596_800, "412d"),
            (94_608_000, "3y"),
        ] {
            assert_eq!(span(Span::seconds(secs)), text);
        }
        assert_eq!(extension(Span::days(-1)), "-1d");
        for (secs, text) in [(599, "9m 59s"), (600, "10m"), (3599, "59m"), (3600, "1h"), (-700, "11m")] {
            assert_eq!(aging(Span::seconds(secs)), text);
        }
    }
    #[test]
    fn the_hour_that_comes_twice_reads_back_to_its_instant() {
        use crate::domain::when::When;
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let mut at = Instant::parse_rfc3339("2026-10-24T22:30:00Z").unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..10 {
            let text = clock(at, &berlin, true);
            assert_eq!(When::parse(&text).unwrap().at(at, &berlin), at, "{text}");
            assert!(seen.insert(text));
            at = at.plus(Span::minutes(30));
        }
        assert!(seen.contains("2026-10-25 02:30:00+02:00") && seen.contains("2026-10-25 02:30:00+01:00"));
        assert!(seen.contains("2026-10-25 01:30:00") && seen.contains("2026-10-25 03:00:00"));
    }
}
