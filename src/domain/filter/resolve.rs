//! Resolves a [`Filter`] with a clock reading and a zone: into [`Criteria`] for databases and rows, or into a filter
//! that means the same at any time.

use uuid::Uuid;

use super::criteria::{Check, Clause, Criteria, ExpiryMatch, KindMatch, NameMatch, Pattern, SigMatch, SpanMatch};
use super::{Expiry, Extent, Field, Filter, Glob, Order, Term, Test};
use crate::domain::event::Outcome;
use crate::domain::instant::{Instant, Span};
use crate::domain::when::{Range, When};
use crate::domain::zone::Zone;

/// The beginnings of type names that are words of the language.
pub(super) const BEGINNINGS: [&str; 2] = ["renewal", "recovery"];
/// The smallest step between two instants.
const TICK: Span = Span(1);
/// How far a writer's clock may run ahead before its rows drop out of relative ranges. Synchronized clocks differ by
/// seconds; five minutes also cover hosts that synchronize rarely.
pub const CLOCK_SKEW: Span = Span::minutes(5);

impl Filter {
    /// The criteria for the clock reading `now`, with local times read in `zone`.
    pub fn criteria(&self, now: Instant, zone: &Zone) -> Criteria {
        let clock = Clock { now, zone };
        let clause = |term: &Term| Clause { negated: term.negated, check: clock.check(&term.test) };
        let end = self.sliding_end(now).map(|end| Clause { negated: false, check: Check::NotAhead(end) });
        Criteria { all: self.terms.iter().map(clause).chain(end).collect() }
    }

    /// The same filter with all times in UTC, for a command that lists the same rows later and on other machines: its
    /// criteria are those of `self` now, for any clock and zone.
    pub fn absolute(&self, now: Instant, zone: &Zone) -> Self {
        let clock = Clock { now, zone };
        let fix = |term: &Term| Term { negated: term.negated, test: clock.absolute(&term.test) };
        let end = self.sliding_end(now).map(|end| Term { negated: false, test: Test::Until(When::At(end)) });
        Self { terms: self.terms.iter().map(fix).chain(end).collect() }
    }

    /// The end of a range that begins at a relative time: [`CLOCK_SKEW`] after `now`. `None` if the filter has an
    /// explicit end or begins at no relative time. `since:now` does not count, so that it finds rows dated ahead.
    fn sliding_end(&self, now: Instant) -> Option<Instant> {
        let slides = |when: When| matches!(when, When::Ago(_) | When::Today | When::Yesterday);
        let begins = self.ranges().any(|range| range.from.is_some_and(slides));
        let ends = self.ranges().any(|range| range.until.is_some());
        (begins && !ends).then(|| now.plus(CLOCK_SKEW))
    }
}

/// What relative and local times are resolved with.
struct Clock<'a> {
    /// The clock reading, in UTC.
    now: Instant,
    /// The zone of times without an offset.
    zone: &'a Zone,
}

impl Clock<'_> {
    /// The instant of a time as written.
    fn at(&self, when: When) -> Instant {
        when.at(self.now, self.zone)
    }

    /// The check of a test, with all its times absolute.
    fn check(&self, test: &Test) -> Check {
        let at = |bound: Option<When>| bound.map(|when| self.at(when));
        match test {
            Test::Values { field, any } => values(*field, any),
            Test::Since(when) => Check::Time { from: Some(self.at(*when)), until: None },
            Test::Until(when) => Check::Time { from: None, until: Some(self.at(*when)) },
            Test::Time(range) => Check::Time { from: at(range.from), until: at(range.until) },
            Test::Expires(any) => Check::Expires(any.iter().map(|e| self.expiry(*e)).collect()),
            Test::Extends(any) => Check::Extends(any.iter().map(extent).collect()),
            Test::Standing(standing) => Check::Standing(standing.clone()),
            Test::Text(text) => Check::Text(from_screen(text)),
        }
    }

    /// The check of one expiry.
    fn expiry(&self, expiry: Expiry) -> ExpiryMatch {
        match self.absolute_expiry(expiry) {
            Expiry::Between(Range { from, until }) => {
                ExpiryMatch::Within { from: from.map(|when| self.at(when)), until: until.map(|when| self.at(when)) }
            }
            Expiry::None | Expiry::Past | Expiry::Ahead(..) => ExpiryMatch::None,
        }
    }

    /// All but `none` as ranges of instants.
    fn absolute_expiry(&self, expiry: Expiry) -> Expiry {
        let fixed = |at: Instant| Some(When::At(at));
        let range = match expiry {
            Expiry::None => return Expiry::None,
            Expiry::Past => Range { from: None, until: fixed(self.now) },
            Expiry::Between(range) => self.absolute_range(range),
            Expiry::Ahead(order, length) => {
                let cutoff = self.now.plus(length.span());
                let after = cutoff.plus(TICK);
                match order {
                    Order::Less => Range { from: fixed(self.now), until: fixed(cutoff) },
                    Order::AtMost => Range { from: fixed(self.now), until: fixed(after) },
                    Order::Equal => Range { from: fixed(cutoff), until: fixed(after) },
                    Order::AtLeast => Range { from: fixed(cutoff), until: None },
                    Order::More => Range { from: fixed(after), until: None },
                }
            }
        };
        Expiry::Between(range)
    }

    /// The same range with both sides as instants.
    fn absolute_range(&self, range: Range) -> Range {
        let fix = |bound: Option<When>| bound.map(|when| When::At(self.at(when)));
        Range { from: fix(range.from), until: fix(range.until) }
    }

    /// The same test with all its times as instants.
    fn absolute(&self, test: &Test) -> Test {
        match test {
            Test::Since(when) => Test::Since(When::At(self.at(*when))),
            Test::Until(when) => Test::Until(When::At(self.at(*when))),
            Test::Time(range) => Test::Time(self.absolute_range(*range)),
            Test::Expires(any) => Test::Expires(any.iter().map(|e| self.absolute_expiry(*e)).collect()),
            Test::Values { .. } | Test::Extends(_) | Test::Standing(_) | Test::Text(_) => test.clone(),
        }
    }
}

/// The check of a field for any of the values.
pub(super) fn values(field: Field, any: &[Glob]) -> Check {
    let names = || any.iter().flat_map(names_of).collect();
    match field {
        Field::Type => Check::Kind(any.iter().map(kind).collect()),
        Field::Org => Check::Org(names()),
        Field::Device => Check::Device(names()),
        Field::Id => Check::Id(names()),
        Field::Reason => Check::Reason(any.iter().map(pattern).collect()),
        Field::Severity => Check::Severity(any.iter().map(pattern).collect()),
        Field::Sig => Check::Sig(any.iter().filter_map(sig).collect()),
        Field::Error => {
            let from_screen = |glob: &Glob| part(&Glob { text: from_screen(&glob.text), ..glob.clone() });
            Check::Error(any.iter().map(from_screen).collect())
        }
    }
}

/// A text copied from the screen, as it is stored: the pictures of control characters are those characters again, so that
/// a copied part of an error with several lines is found. The picture of NUL stays: it is what is stored instead.
pub(super) fn from_screen(text: &str) -> String {
    let original = |c: char| match c {
        '\u{2401}'..='\u{241f}' => char::from_u32(u32::from(c) - 0x2400).unwrap_or(c),
        '\u{2421}' => '\u{7f}',
        other => other,
    };
    text.chars().map(original).collect()
}

/// The comparison of a signature. The parser and the panes give no text that is not an id; one would match no row.
fn sig(glob: &Glob) -> Option<SigMatch> {
    if glob.is_any() { Some(SigMatch::Any) } else { glob.text.parse().ok().map(SigMatch::Is) }
}

/// The comparison of a short text: the whole of it, unless wildcards open an end.
fn pattern(glob: &Glob) -> Pattern {
    let text = glob.text.clone();
    match (glob.open_start, glob.open_end) {
        (false, false) => Pattern::Is(text),
        (false, true) => Pattern::StartsWith(text),
        (true, false) => Pattern::EndsWith(text),
        (true, true) => Pattern::Contains(text),
    }
}

/// In a long text, a value without wildcards matches a part.
fn part(glob: &Glob) -> Pattern {
    if glob.is_literal() { Pattern::Contains(glob.text.clone()) } else { pattern(glob) }
}

/// The comparison of a type: `failed`, `success` and `start` are outcomes, `renewal` and `recovery` beginnings, others
/// names.
fn kind(glob: &Glob) -> KindMatch {
    let text = glob.text.as_str();
    if glob.is_literal() && Outcome::ALL.iter().any(|o| o.ending() == Some(text)) {
        return KindMatch::Ending(text.to_owned());
    }
    if glob.is_literal() && BEGINNINGS.contains(&text) {
        return KindMatch::Beginning(text.to_owned());
    }
    KindMatch::Name(pattern(glob))
}

/// Compares names and ids: a name, a UUID or the beginning of one. A lone star matches all ids and names, because a row
/// may have either without the other; digits with a star are compared with both as well.
fn names_of(glob: &Glob) -> Vec<NameMatch> {
    let name = NameMatch::Name(pattern(glob));
    if glob.is_any() {
        return vec![NameMatch::UuidPrefix { first: Uuid::nil(), last: Uuid::max(), name: String::new() }, name];
    }
    if glob.open_start {
        return vec![name];
    }
    match (uuid_range(&glob.text), glob.open_end) {
        (Some((first, last)), false) if first == last => vec![NameMatch::Uuid(first)],
        (Some((first, last)), false) => vec![NameMatch::UuidPrefix { first, last, name: glob.text.clone() }],
        (Some((first, last)), true) => vec![NameMatch::UuidPrefix { first, last, name: glob.text.clone() }, name],
        (None, _) => vec![name],
    }
}

/// The range of UUIDs that begin with 8 or more hex digits, with a UUID's hyphens or without any.
fn uuid_range(text: &str) -> Option<(Uuid, Uuid)> {
    let hyphens = text.contains('-');
    let mut digits = 0_u32;
    let mut value = 0_u128;
    for (i, c) in text.chars().enumerate() {
        if hyphens && matches!(i, 8 | 13 | 18 | 23) {
            if c != '-' {
                return None;
            }
            continue;
        }
        digits += 1;
        if digits > 32 {
            return None;
        }
        value = value << 4 | u128::from(c.to_digit(16)?);
    }
    if digits < 8 {
        return None;
    }
    let open_bits = 128 - 4 * digits;
    // At most 96 bits are open, so both shifts are valid.
    let first = value << open_bits;
    Some((Uuid::from_u128(first), Uuid::from_u128(first | ((1_u128 << open_bits) - 1))))
}

/// The comparison of an extension.
fn extent(extent: &Extent) -> SpanMatch {
    let span = extent.span();
    match extent.order {
        Order::Less => SpanMatch::Less(span),
        Order::AtMost => SpanMatch::AtMost(span),
        Order::Equal => SpanMatch::Equal(span),
        Order::AtLeast => SpanMatch::AtLeast(span),
        Order::More => SpanMatch::More(span),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::event::{Kind, RenewalEvent};

    fn now() -> Instant {
        Instant::parse_rfc3339("2026-11-21T14:00:00Z").unwrap()
    }

    fn read(text: &str) -> Filter {
        Filter::parse(text).unwrap()
    }

    #[test]
    fn ranges_that_begin_at_a_relative_time_leave_out_clocks_far_ahead() {
        let soon = Clause { negated: false, check: Check::NotAhead(now().plus(Span::minutes(5))) };
        for (text, ends) in [
            ("since:1h", true),
            ("since:today", true),
            ("time:yesterday..", true),
            ("-until:1h", true),
            ("since:2026-11-20 since:1h", true),
            ("since:1h -time:30m..20m", true),
            ("since:now", false),
            ("since:2026-11-20", false),
            ("since:1h until:2040-01-01", false),
            ("since:1h -since:10m", false),
            ("time:1h..now", false),
            ("-since:1h", false),
            ("until:1h", false),
            ("expires:<7d", false),
            ("", false),
        ] {
            let criteria = read(text).criteria(now(), &Zone::Utc);
            assert_eq!(criteria.all.contains(&soon), ends, "{text}");
            let live = criteria.clone().live();
            assert_eq!(live.all.len() + usize::from(ends), criteria.all.len(), "{text}");
        }
        assert_eq!(
            read("since:1h").absolute(now(), &Zone::Utc).to_string(),
            "since:2026-11-21T13:00:00Z until:2026-11-21T14:05:00Z"
        );
    }

    #[test]
    fn a_device_at_2038_is_not_in_the_last_hour() {
        let at = |text: &str| RenewalEvent {
            id: Uuid::nil().into(),
            device_id: Uuid::nil().into(),
            org_id: None,
            kind: Kind::new("renewal_failed"),
            reason: None,
            old_expiry: None,
            new_expiry: None,
            error: None,
            created_at: Instant::parse_rfc3339(text).unwrap(),
            device: None,
            org: None,
            beyond: None,
        };
        let criteria = read("since:1h").criteria(now(), &Zone::Utc);
        for (time, there) in [
            ("2026-11-21T13:30:00Z", true),
            // Its clock is a little ahead.
            ("2026-11-21T14:04:59Z", true),
            ("2038-01-19T03:14:07Z", false),
            ("infinity", false),
        ] {
            assert_eq!(criteria.matches(&at(time)), there, "{time}");
            assert!(criteria.clone().live().matches(&at(time)), "{time}");
            // It can be found: by its own time, or as a row dated ahead.
            assert_eq!(
                read("since:now").criteria(now(), &Zone::Utc).matches(&at(time)),
                time > "2026-11-21T14:00",
                "{time}"
            );
        }
    }
}
