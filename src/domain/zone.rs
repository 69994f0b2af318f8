//! The time zone that times are read and shown in.
//!
//! Rules come from the system's zone database, so that a change of law reaches the program with the system's updates;
//! a database compiled into the program serves machines that have none. Configuration, profiles and views call this
//! module. It must not read the environment or the machine's settings: the caller passes a name, the content of `TZ`
//! or the system's rules.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::instant::{Civil, Instant, Span};
use super::suggest::nearest;

/// UTC, or a zone with rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zone {
    /// Coordinated Universal Time: the default, and the zone of all instants.
    #[default]
    Utc,
    /// A zone with an offset from UTC that may change.
    Named(Named),
}

/// A zone's name and rules. Each zone is allocated once and never freed, so that `Zone` can be `Copy`.
#[derive(Clone, Copy)]
pub struct Named {
    /// An IANA name, a POSIX rule, or `local` for the system's unnamed rules. Names identify zones.
    name: &'static str,
    /// When which offset holds, up to the year 9999.
    rules: &'static TimeZone,
}

/// All zones that this process has used.
static USED: Mutex<Vec<Named>> = Mutex::new(Vec::new());

impl Named {
    /// The name by which the zone was first used in this process.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The zone of that name if it was used before, else a new one with these rules.
    fn of(name: &str, rules: impl FnOnce() -> Option<TimeZone>) -> Option<Self> {
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = used.iter().find(|zone| zone.name == name) {
            return Some(*zone);
        }
        let rules = rules()?;
        let zone = Self { name: Box::leak(name.into()), rules: Box::leak(Box::new(rules)) };
        used.push(zone);
        Some(zone)
    }

    /// The zone's offset from UTC, positive to the east; `None` for years beyond 9999, which have no rules.
    fn offset(&self, at: Instant) -> Option<Span> {
        Some(Span::seconds(self.rules.to_offset(timestamp(at)?).seconds().into()))
    }

    /// The first instant with that local reading; in a gap, the first instant after it. `None` for years beyond 9999.
    fn instant_of(&self, local: Civil) -> Option<Instant> {
        let reading = reading(local)?;
        let found = self.rules.to_ambiguous_timestamp(reading);
        let at = match found.offset() {
            AmbiguousOffset::Gap { after, .. } => {
                let before_gap = after.to_timestamp(reading).ok()?;
                self.rules.following(before_gap).find(|change| change.offset() == after)?.timestamp()
            }
            _ => found.earlier().ok()?,
        };
        Some(Instant::from_unix_micros(at.as_microsecond()))
    }

    /// Whether the clock shows the local reading of `at` twice.
    fn repeats(&self, at: Instant) -> bool {
        let fold = |at: Timestamp| {
            let offset = self.rules.to_ambiguous_timestamp(self.rules.to_datetime(at)).offset();
            matches!(offset, AmbiguousOffset::Fold { .. })
        };
        timestamp(at).is_some_and(fold)
    }
}

/// `None` for the infinities and for years beyond 9999.
fn timestamp(at: Instant) -> Option<Timestamp> {
    Timestamp::from_microsecond(at.unix_micros().filter(|_| at.is_finite())?).ok()
}

/// The same date and time in `jiff`'s form; `None` for an invalid one and for years outside -9999 to 9999.
fn reading(local: Civil) -> Option<DateTime> {
    let small = |n: u32| i8::try_from(n).ok();
    let nanos = i32::try_from(local.micros.checked_mul(1000)?).ok()?;
    let year = i16::try_from(local.year).ok()?;
    let (month, day) = (small(local.month)?, small(local.day)?);
    DateTime::new(year, month, day, small(local.hour)?, small(local.minute)?, small(local.second)?, nanos).ok()
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

/// A text that names no zone. Safe to print.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZoneError {
    /// The text as given, which may hold unsafe characters; `Display` cleans it.
    name: String,
    /// The zone that was probably meant: by its city or by few changed letters.
    suggestion: Option<String>,
}

impl Zone {
    /// From an IANA name such as `Europe/Berlin`, ASCII case ignored, or `UTC`. The error names the text and, if one is
    /// near, the zone that was probably meant.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        let name = name.trim();
        if ["utc", "z", "zulu", "etc/utc"].contains(&name.to_ascii_lowercase().as_str()) {
            return Ok(Self::Utc);
        }
        let found = TimeZone::get(name).ok().and_then(|rules| {
            let full = rules.iana_name().unwrap_or(name).to_owned();
            Named::of(&full, || Some(rules)).map(Self::Named)
        });
        found.ok_or_else(|| ZoneError { name: name.to_owned(), suggestion: suggest(name) })
    }

    /// From the content of the environment variable `TZ` (POSIX.1-2024, "Environment Variables"): empty for UTC, an
    /// IANA name, the path of one below a directory `zoneinfo`, or a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`; a colon
    /// may precede each. Fails for a name that the zone database lacks and that is no valid rule either.
    pub fn of_variable(content: &str) -> Result<Self, ZoneError> {
        let text = content.strip_prefix(':').unwrap_or(content);
        let name = text.rsplit_once("/zoneinfo/").map_or(text, |(_, name)| name);
        if name.is_empty() {
            return Ok(Self::Utc);
        }
        Self::parse(name).or_else(|error| Self::of_rule(text).ok_or(error))
    }

    /// From a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`; its name is the rule. `None` if the text is no POSIX rule.
    pub fn of_rule(rule: &str) -> Option<Self> {
        Named::of(rule, || TimeZone::posix(rule).ok()).map(Self::Named)
    }

    /// From the system's rules. Rules without a name get the name `local`, which `--tz` accepts. `None` where the
    /// system's zone is unknown.
    pub fn of_system(rules: &TimeZone) -> Option<Self> {
        let name = rules.iana_name().unwrap_or("local");
        if rules.is_unknown() {
            return None;
        }
        Self::parse(name).ok().or_else(|| Named::of(name, || Some(rules.clone())).map(Self::Named))
    }

    /// The name that [`parse`](Self::parse) reads back, or what [`of_variable`](Self::of_variable) was given.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Named(zone) => zone.name(),
        }
    }

    /// The calendar date and clock time in the zone; `None` for the infinities. Years beyond 9999 are in UTC, which
    /// [`offset_label`](Self::offset_label) then says.
    pub fn civil(&self, at: Instant) -> Option<Civil> {
        match self {
            Self::Named(zone) => zone.offset(at).map_or(at, |offset| at.plus(offset)).civil_utc(),
            Self::Utc => at.civil_utc(),
        }
    }

    /// The zone's offset from UTC at that instant: `+01:00`, or `UTC` where the reading is in UTC.
    pub fn offset_label(&self, at: Instant) -> String {
        let Self::Named(zone) = self else { return "UTC".to_owned() };
        let Some(seconds) = zone.offset(at).map(Span::as_seconds) else { return "UTC".to_owned() };
        let sign = if seconds < 0 { '-' } else { '+' };
        let s = seconds.abs();
        let label = format!("{sign}{:02}:{:02}", s / 3600, s / 60 % 60);
        // Only local mean times before 1972 have seconds.
        if s % 60 == 0 { label } else { format!("{label}:{:02}", s % 60) }
    }

    /// The offset of a local time that occurs twice in the zone, `None` for all others. Every renderer of local times
    /// appends it without a space, so that the filter's time grammar reads back the same instant.
    pub fn fold_label(&self, at: Instant) -> Option<String> {
        match self {
            Self::Named(zone) if zone.repeats(at) => Some(self.offset_label(at)),
            _ => None,
        }
    }

    /// The earliest instant with the local time `local`, of two the first; for a local time that the clock skips, the
    /// first instant after the gap. `None` for an invalid date or time.
    pub fn instant_of(&self, local: Civil) -> Option<Instant> {
        let as_utc = local.to_instant_utc()?;
        let Self::Named(zone) = self else { return Some(as_utc) };
        // Local times beyond the rules are UTC; they stay after all local times that have an offset.
        Some(zone.instant_of(local).unwrap_or_else(|| as_utc.max(rules_end())))
    }

    /// The instant of a time stored without zone: `stored` holds the local reading as if it were UTC. A later reading
    /// never gives an earlier instant.
    pub fn of_stored(&self, stored: Instant) -> Instant {
        if *self == Self::Utc {
            return stored;
        }
        stored.civil_utc().and_then(|reading| self.instant_of(reading)).unwrap_or(stored)
    }

    /// The first local time that [`of_stored`](Self::of_stored) takes for `at` or a later instant: as a bound on stored
    /// times it splits rows exactly as the instant does.
    pub fn first_stored(&self, at: Instant) -> Instant {
        if *self == Self::Utc || !at.is_finite() {
            return at;
        }
        // No zone is more than 26 hours off UTC or jumps farther.
        let (mut before, mut after) = (at.minus(Span::hours(52)), at.plus(Span::hours(52)));
        while let Some(Span(gap)) = after.since(before)
            && gap > 1
        {
            let middle = before.plus(Span(gap / 2));
            if self.of_stored(middle) >= at { after = middle } else { before = middle }
        }
        after
    }
}

/// The last instant that zones have rules for.
fn rules_end() -> Instant {
    Instant::from_unix_micros(Timestamp::MAX.as_microsecond())
}

/// A zone whose city has this name, else the zone with the nearest name, else one with the nearest city.
fn suggest(name: &str) -> Option<String> {
    fn city(zone: &str) -> &str {
        zone.rsplit('/').next().unwrap_or(zone)
    }
    let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    // Unix systems repeat all zones in these directories.
    let names = || zones.iter().map(String::as_str).filter(|z| !z.starts_with("posix/") && !z.starts_with("right/"));
    let by_city = || names().find(|zone| city(zone).eq_ignore_ascii_case(name));
    let near_city = || nearest(name, names().map(city)).and_then(|c| names().find(|zone| city(zone) == c));
    by_city().or_else(|| nearest(name, names())).or_else(near_city).map(str::to_owned)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown time zone '{}'; ", super::text::Clean::line(&self.name))?;
        match &self.suggestion {
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
    fn the_hour_that_comes_twice_shows_its_offset() {
        for (zone, at, label) in [
            ("Europe/Berlin", "2026-10-24T23:59:59.999999Z", None),
            ("Europe/Berlin", "2026-10-25T00:00:00Z", Some("+02:00")),
            ("Europe/Berlin", "2026-10-25T00:59:59.999999Z", Some("+02:00")),
            ("Europe/Berlin", "2026-10-25T01:00:00Z", Some("+01:00")),
            ("Europe/Berlin", "2026-10-25T01:59:59.999999Z", Some("+01:00")),
            ("Europe/Berlin", "2026-10-25T02:00:00Z", None),
            ("Europe/Berlin", "2026-03-29T01:00:00Z", None),
            // Half an hour comes twice there.
            ("Australia/Lord_Howe", "2026-04-04T14:45:00Z", Some("+11:00")),
            ("Australia/Lord_Howe", "2026-04-04T15:15:00Z", Some("+10:30")),
            ("Australia/Lord_Howe", "2026-04-04T15:30:00Z", None),
            ("UTC", "2026-10-25T00:30:00Z", None),
            ("Europe/Berlin", "infinity", None),
            ("Europe/Berlin", "+294276-10-25T00:30:00Z", None),
        ] {
            let at = Instant::parse_rfc3339(at).unwrap();
            assert_eq!(Zone::parse(zone).unwrap().fold_label(at).as_deref(), label, "{at:?} in {zone}");
        }
    }

    #[test]
    fn the_variable_takes_names_paths_and_rules() {
        let july = Instant::parse_rfc3339("2026-07-01T00:00:00Z").unwrap();
        for (content, name, label) in [
            ("", "UTC", "UTC"),
            ("UTC", "UTC", "UTC"),
            ("Europe/Berlin", "Europe/Berlin", "+02:00"),
            (":Europe/Berlin", "Europe/Berlin", "+02:00"),
            ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin", "+02:00"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", "+02:00"),
            ("NZST-12NZDT,M9.5.0,M4.1.0/3", "NZST-12NZDT,M9.5.0,M4.1.0/3", "+12:00"),
            ("<+0530>-5:30", "<+0530>-5:30", "+05:30"),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "-01:00"),
            ("AAA3BBB,J60/0,J300/0", "AAA3BBB,J60/0,J300/0", "-02:00"),
        ] {
            let zone = Zone::of_variable(content).unwrap();
            assert_eq!((zone.name(), zone.offset_label(july).as_str()), (name, label), "{content}");
        }
        for content in ["Europe/Berln", "nonsense", ":/etc/passwd", "CET-1CEST,M3.5", "\u{1b}[2J", " "] {
            assert!(Zone::of_variable(content).is_err(), "{content}");
        }
    }

    #[test]
    fn rules_of_a_zone_agree_with_its_posix_rule_at_many_instants() {
        let named = Zone::parse("Europe/Berlin").unwrap();
        let rule = Zone::of_variable("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let mut at = Instant::parse_rfc3339("2000-01-01T00:00:00Z").unwrap();
        let end = Instant::parse_rfc3339("2060-01-01T00:00:00Z").unwrap();
        while at < end {
            let here = named.civil(at).unwrap();
            assert_eq!(Some(here), rule.civil(at), "{at:?}");
            let first = named.instant_of(here).unwrap();
            // The first of two readings, else the instant itself.
            assert_eq!(first == at, named.fold_label(at).is_none_or(|label| label == "+02:00"), "{at:?}");
            at = at.plus(Span::minutes(97));
        }
    }

    #[test]
    fn readings_keep_their_order_where_the_rules_end() {
        for name in ["America/New_York", "Asia/Tokyo"] {
            let zone = Zone::parse(name).unwrap();
            let mut reading = Instant::parse_rfc3339("9999-12-28T00:00:00Z").unwrap();
            let mut last = Instant::NEG_INFINITY;
            for _ in 0..300 {
                let at = zone.of_stored(reading);
                assert!(at >= last, "{reading:?} in {name}");
                (last, reading) = (at, reading.plus(Span::minutes(30)));
            }
        }
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
