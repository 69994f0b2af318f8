//! Evaluates criteria on a row in memory.
//!
//! This is the reference for the SQL of every database, so it follows the rules of the variants of [`Check`] exactly.

use uuid::Uuid;

use super::criteria::{Check, Clause, Criteria, ExpiryMatch, KindMatch, NameMatch, Pattern, SigMatch, SpanMatch};
use crate::domain::event::{ErrorText, Id, Outcome, RenewalEvent, has_beginning, has_ending};
use crate::domain::instant::{Instant, Span};
use crate::domain::signature::SigId;
use crate::domain::text::Text;

impl Criteria {
    /// Whether the row satisfies all clauses. Compares the error text of the row: if that is truncated, text past its
    /// end does not match. A signature is that of the whole message.
    pub fn matches(&self, event: &RenewalEvent) -> bool {
        self.all.iter().all(|clause| clause.matches(event))
    }
    /// Whether the clauses on time hold for a row of that `created_at`; the others are not tested.
    pub fn holds_at(&self, created_at: Instant) -> bool {
        self.all.iter().all(|clause| match clause.check {
            Check::Time { from, until } => {
                let within = from.is_none_or(|from| created_at >= from) && until.is_none_or(|until| created_at < until);
                within != clause.negated
            }
            Check::NotAhead(until) => (created_at < until) != clause.negated,
            _ => true,
        })
    }
    /// Whether the two differ in clauses on time alone.
    pub fn differs_in_time_only(&self, other: &Self) -> bool {
        let rest = |criteria: &Self| -> Vec<Clause> {
            let timed = |c: &&Clause| matches!(c.check, Check::Time { .. } | Check::NotAhead(_));
            criteria.all.iter().filter(|c| !timed(c)).cloned().collect()
        };
        rest(self) == rest(other)
    }
}

impl Clause {
    /// Whether the row satisfies the check, or, if negated, does not.
    pub fn matches(&self, event: &RenewalEvent) -> bool {
        self.check.matches(event) != self.negated
    }
}

impl Check {
    /// Whether the row satisfies the check, negation apart.
    fn matches(&self, event: &RenewalEvent) -> bool {
        match self {
            Self::Kind(any) => {
                let stated = event.stated_outcome();
                any.iter().any(|m| m.matches(event.kind.raw(), stated))
            }
            Self::Org(any) => any.iter().any(|m| m.matches(event.org_id.as_ref(), event.org.as_ref())),
            Self::Device(any) => any.iter().any(|m| m.matches(event.device_id(), event.device.as_ref())),
            Self::Id(any) => any.iter().any(|m| m.matches(Some(&event.id), None)),
            Self::Reason(any) => event.reason.as_ref().is_some_and(|r| any.iter().any(|p| p.matches(r.raw()))),
            Self::Severity(any) => event.severity().is_some_and(|s| any.iter().any(|p| p.matches(s.raw()))),
            Self::Error(any) => event.error.as_ref().is_some_and(|e| {
                let text = e.text.raw().to_ascii_lowercase();
                any.iter().any(|p| p.lower().matches(&text))
            }),
            Self::Sig(any) => {
                let sig = event.error.as_ref().and_then(ErrorText::sig);
                any.iter().any(|m| m.matches(sig))
            }
            Self::Time { from, until } => within(event.created_at, *from, *until),
            Self::NotAhead(until) => within(event.created_at, None, Some(*until)),
            Self::Expires(any) => {
                let expiry = event.new_expiry.or(event.old_expiry);
                any.iter().any(|m| m.matches(expiry))
            }
            Self::Extends(any) => {
                let extension = event.new_expiry.zip(event.old_expiry).and_then(|(new, old)| new.since(old));
                extension.is_some_and(|by| any.iter().any(|m| m.matches(by)))
            }
            Self::Standing(_) => false,
            Self::Text(part) => {
                let part = part.to_ascii_lowercase();
                let holds = |text: &Text| text.raw().to_ascii_lowercase().contains(&part);
                let reason = event.reason.as_ref().filter(|_| !event.reason_inferred());
                event.error.as_ref().is_some_and(|e| holds(&e.text)) || reason.is_some_and(holds)
            }
        }
    }
}

impl KindMatch {
    /// Whether the type's name, or the outcome that its source states, satisfies it.
    pub fn matches(&self, kind: &str, stated: Option<Outcome>) -> bool {
        match (self, stated) {
            (Self::Ending(word), Some(outcome)) if Outcome::named(word).is_some() => {
                outcome.ending() == Some(word.as_str())
            }
            (one, _) => one.matches_name(kind),
        }
    }
    /// Whether the name alone satisfies it.
    fn matches_name(&self, kind: &str) -> bool {
        match self {
            Self::Ending(word) => has_ending(kind, word),
            Self::Beginning(word) => has_beginning(kind, word),
            Self::Name(pattern) => pattern.matches(kind),
        }
    }
}

impl Pattern {
    /// Whether a text satisfies it; case matters.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Is(x) => text == x,
            Self::StartsWith(x) => text.starts_with(x.as_str()),
            Self::EndsWith(x) => text.ends_with(x.as_str()),
            Self::Contains(x) => text.contains(x.as_str()),
        }
    }
    /// The same pattern for a text in lower case.
    pub(super) fn lower(&self) -> Self {
        match self {
            Self::Is(x) => Self::Is(x.to_ascii_lowercase()),
            Self::StartsWith(x) => Self::StartsWith(x.to_ascii_lowercase()),
            Self::EndsWith(x) => Self::EndsWith(x.to_ascii_lowercase()),
            Self::Contains(x) => Self::Contains(x.to_ascii_lowercase()),
        }
    }
}

impl NameMatch {
    /// Whether an id or its name satisfies it.
    pub fn matches(&self, id: Option<&Id>, name: Option<&Text>) -> bool {
        match self {
            Self::Name(pattern) => named(pattern, id, name),
            Self::Uuid(uuid) => uuid_in(id, *uuid, *uuid),
            Self::UuidPrefix { first, last, name: text } => {
                uuid_in(id, *first, *last) || named(&Pattern::Is(text.clone()), id, name)
            }
        }
    }
}

/// Whether the id is a UUID between the two, both included.
fn uuid_in(id: Option<&Id>, first: Uuid, last: Uuid) -> bool {
    id.and_then(Id::as_uuid).is_some_and(|u| first <= u && u <= last)
}

/// Compares a name, a text id, or, for a pattern that is a whole number, an integer id.
fn named(pattern: &Pattern, id: Option<&Id>, name: Option<&Text>) -> bool {
    let by_id = match (id, pattern) {
        (Some(Id::Text(t)), p) => p.matches(t.raw()),
        (Some(Id::Int(n)), Pattern::Is(x)) => x.parse() == Ok(*n),
        _ => false,
    };
    by_id || name.is_some_and(|t| pattern.matches(t.raw()))
}

impl SigMatch {
    /// Whether the signature of a row satisfies it; `None` is a row without one.
    pub fn matches(self, sig: Option<SigId>) -> bool {
        match self {
            Self::Any => sig.is_some(),
            Self::Is(id) => sig == Some(id),
        }
    }
}

impl ExpiryMatch {
    /// Whether the expiry satisfies it; `None` is a row without one.
    fn matches(&self, expiry: Option<Instant>) -> bool {
        match self {
            Self::None => expiry.is_none(),
            Self::Within { from, until } => expiry.is_some_and(|e| within(e, *from, *until)),
        }
    }
}

impl SpanMatch {
    /// Whether the length satisfies it, compared to the microsecond.
    fn matches(self, span: Span) -> bool {
        match self {
            Self::Less(x) => span < x,
            Self::AtMost(x) => span <= x,
            Self::Equal(x) => span == x,
            Self::AtLeast(x) => span >= x,
            Self::More(x) => span > x,
        }
    }
}

/// Whether `from` <= `t` < `until`, where a missing side holds always.
fn within(t: Instant, from: Option<Instant>, until: Option<Instant>) -> bool {
    from.is_none_or(|f| f <= t) && until.is_none_or(|u| t < u)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::event::Kind;

    fn event() -> RenewalEvent {
        RenewalEvent {
            id: Id::Int(42),
            device_id: Uuid::parse_str("0f3a9c1e-0000-4000-8000-000000000001").unwrap().into(),
            org_id: Some(Id::Text("acme".into())),
            kind: Kind::new("renewal_failed"),
            reason: Some("Expired".into()),
            old_expiry: Some(Instant::from_pg_micros(10_000_000)),
            new_expiry: Some(Instant::from_pg_micros(12_000_000)),
            error: Some(ErrorText::whole("x509: 100% [Broken] \u{c9}")),
            created_at: Instant::from_pg_micros(5),
            device: Some("edge-01".into()),
            org: None,
            beyond: None,
        }
    }

    fn bare() -> RenewalEvent {
        RenewalEvent { reason: None, old_expiry: None, new_expiry: None, error: None, org_id: None, ..event() }
    }

    /// Checks the result for a full row and for one without optional fields, and both complements.
    fn check(check: Check, full: bool, empty: bool) {
        for (event, expected) in [(event(), full), (bare(), empty)] {
            for negated in [false, true] {
                let criteria = Criteria { all: vec![Clause { negated, check: check.clone() }] };
                assert_eq!(criteria.matches(&event), expected != negated, "{criteria:?} on {event:?}");
            }
        }
    }

    fn is(text: &str) -> Pattern {
        Pattern::Is(text.into())
    }

    #[test]
    fn a_stated_outcome_counts_in_place_of_the_name() {
        let failed = KindMatch::Ending("failed".into());
        for (kind, stated, expected) in [
            ("renewal_failed", None, true),
            ("renewal_failed", Some(Outcome::Failed), true),
            ("renewal_failed", Some(Outcome::Succeeded), false),
            ("renewal_failed", Some(Outcome::Other), false),
            ("job", Some(Outcome::Failed), true),
            ("job", None, false),
        ] {
            assert_eq!(failed.matches(kind, stated), expected, "{kind} {stated:?}");
        }
        // A word that is no outcome, and a name, are compared with the type regardless of what is stated.
        assert!(KindMatch::Ending("done".into()).matches("job_done", Some(Outcome::Failed)));
        assert!(KindMatch::Name(is("job")).matches("job", Some(Outcome::Failed)));
        assert!(!KindMatch::Name(is("failed")).matches("job", Some(Outcome::Failed)));
    }

    #[test]
    fn clauses_on_time_are_told_from_the_others() {
        let clause = |negated, check| Clause { negated, check };
        let at = Instant::from_pg_micros;
        let time = |from, until| Check::Time { from, until };
        for (clauses, inside) in [
            (vec![], vec![1, 5, 9]),
            (vec![clause(false, time(Some(at(5)), Some(at(9))))], vec![5, 8]),
            (vec![clause(true, time(Some(at(5)), Some(at(9))))], vec![1, 4, 9]),
            (vec![clause(false, time(Some(at(5)), None))], vec![5, 8, 9]),
            (vec![clause(false, time(None, Some(at(5))))], vec![1, 4]),
            (vec![clause(false, Check::NotAhead(at(8)))], vec![1, 4, 5]),
            (vec![clause(true, Check::NotAhead(at(8)))], vec![8, 9]),
            (vec![clause(false, Check::Reason(vec![]))], vec![1, 5, 9]),
            (vec![clause(false, time(Some(at(4)), None)), clause(false, time(None, Some(at(8))))], vec![4, 5]),
        ] {
            let criteria = Criteria { all: clauses };
            for n in [1, 4, 5, 8, 9] {
                let is_one_of_all = inside == [1, 5, 9];
                assert_eq!(criteria.holds_at(at(n)), is_one_of_all || inside.contains(&n), "{criteria:?} at {n}");
            }
        }
        let with = |checks: &[Check]| Criteria { all: checks.iter().map(|c| clause(false, c.clone())).collect() };
        let (reason, range, ahead) = (Check::Reason(vec![is("x")]), time(None, Some(at(5))), Check::NotAhead(at(8)));
        let one = with(&[reason.clone(), range.clone()]);
        assert!(one.differs_in_time_only(&with(&[ahead.clone(), reason.clone()])));
        assert!(one.differs_in_time_only(&with(std::slice::from_ref(&reason))));
        assert!(!one.differs_in_time_only(&with(&[range])));
        assert!(!one.differs_in_time_only(&with(&[Check::Reason(vec![is("y")]), ahead])));
        assert!(!one.differs_in_time_only(&Criteria { all: vec![clause(true, reason)] }));
    }

    #[test]
    fn texts() {
        check(Check::Kind(vec![KindMatch::Ending("failed".into())]), true, true);
        check(Check::Kind(vec![KindMatch::Beginning("recovery".into())]), false, false);
        check(Check::Kind(vec![KindMatch::Name(is("renewal_failed"))]), true, true);
        check(Check::Kind(vec![]), false, false);
        check(Check::Reason(vec![is("x"), is("Expired")]), true, false);
        check(Check::Reason(vec![is("expired")]), false, false);
        check(Check::Reason(vec![Pattern::StartsWith(String::new())]), true, false);
        check(Check::Error(vec![Pattern::Contains("% [bROKEN]".into())]), true, false);
        check(Check::Error(vec![Pattern::StartsWith("X509".into())]), true, false);
        check(Check::Error(vec![Pattern::EndsWith("\u{c9}".into())]), true, false);
        // Only the case of ASCII letters is ignored.
        check(Check::Error(vec![Pattern::EndsWith("\u{e9}".into())]), false, false);
        check(Check::Error(vec![Pattern::Contains("1_0%".into())]), false, false);
        check(Check::Text("EXPIRED".into()), true, false);
        check(Check::Text("x509".into()), true, false);
        check(Check::Text("nothing".into()), false, false);
    }

    #[test]
    fn names_and_ids() {
        let device = Uuid::parse_str("0f3a9c1e-0000-4000-8000-000000000001").unwrap();
        check(Check::Device(vec![NameMatch::Uuid(device)]), true, true);
        check(Check::Device(vec![NameMatch::Name(Pattern::StartsWith("edge".into()))]), true, true);
        check(Check::Device(vec![NameMatch::Name(is("Edge-01"))]), false, false);
        let prefix = |first: u128, last: u128, name: &str| NameMatch::UuidPrefix {
            first: Uuid::from_u128(first),
            last: Uuid::from_u128(last),
            name: name.into(),
        };
        check(Check::Device(vec![prefix(0x0f3a_9c1e << 96, (0x0f3a_9c1f << 96) - 1, "0f3a9c1e")]), true, true);
        check(Check::Device(vec![prefix(0, 1, "edge-01")]), true, true);
        check(Check::Org(vec![NameMatch::Name(is("acme"))]), true, false);
        check(Check::Id(vec![NameMatch::Name(is("42"))]), true, true);
        check(Check::Id(vec![prefix(0, 1, "42")]), true, true);
        check(Check::Id(vec![NameMatch::Name(Pattern::StartsWith("4".into()))]), false, false);
    }

    #[test]
    fn times() {
        let at = |n| Some(Instant::from_pg_micros(n));
        check(Check::Time { from: at(5), until: at(6) }, true, true);
        check(Check::Time { from: None, until: at(5) }, false, false);
        check(Check::NotAhead(Instant::from_pg_micros(6)), true, true);
        check(Check::NotAhead(Instant::from_pg_micros(5)), false, false);
        check(Check::Expires(vec![ExpiryMatch::Within { from: at(12_000_000), until: None }]), true, false);
        check(Check::Expires(vec![ExpiryMatch::Within { from: None, until: at(12_000_000) }]), false, false);
        check(Check::Expires(vec![ExpiryMatch::None]), false, true);
        check(Check::Extends(vec![SpanMatch::Equal(Span::seconds(2))]), true, false);
        check(Check::Extends(vec![SpanMatch::Less(Span::seconds(2)), SpanMatch::More(Span::seconds(2))]), false, false);
        check(Check::Extends(vec![SpanMatch::AtMost(Span::seconds(2))]), true, false);
        check(Check::Extends(vec![SpanMatch::AtLeast(Span::seconds(3))]), false, false);
    }

    #[test]
    fn infinities() {
        let never = RenewalEvent { new_expiry: Some(Instant::INFINITY), ..event() };
        let range = |from, until| Criteria {
            all: vec![Clause { negated: false, check: Check::Expires(vec![ExpiryMatch::Within { from, until }]) }],
        };
        let now = Some(Instant::from_pg_micros(0));
        assert!(range(now, None).matches(&never));
        assert!(!range(now, Some(Instant::INFINITY)).matches(&never));
        let extends = Check::Extends(vec![SpanMatch::AtLeast(Span(i64::MIN))]);
        assert!(!Criteria { all: vec![Clause { negated: false, check: extends }] }.matches(&never));
    }
}
