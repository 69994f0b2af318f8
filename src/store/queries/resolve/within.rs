//! Resolves a filter for reads that are repeated every second, without lookups before them.
//!
//! Called by the tail. A device that was named a moment ago must be found at once.

use crate::domain::event::Id;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, NameMatch, Pattern};
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::resolve::{PartyClause, Resolver, need_few, need_field, need_names};
use crate::store::queries::resolved::{Condition, PartyTest, Resolved};
use crate::store::source::columns::{IdType, Party};
use crate::store::source::{DeviceNames, Source};

impl Resolver<'_> {
    /// As [`resolve`](Self::resolve), but the statement itself compares names wherever it can. Clauses that
    /// [`tested_in_memory`] returns are left out.
    pub async fn resolve_within(&self, s: &mut Session, criteria: &Criteria) -> Result<Resolved, SourceError> {
        let source = self.source;
        need_few(source, criteria)?;
        let mut out = Resolved::everything();
        let here = tested_in_memory(source, criteria);
        for clause in &criteria.all {
            need_field(source, clause)?;
            if here.all.contains(clause) {
                if matches!(clause.check, Check::Sig(_)) && !clause.negated {
                    out.rest.push(Condition::Error { recorded: true });
                }
                continue;
            }
            need_names(source, &clause.check)?;
            let (party, any) = match &clause.check {
                Check::Time { from, until } if !clause.negated => {
                    out.clamp(*from, *until);
                    continue;
                }
                Check::NotAhead(until) if !clause.negated => {
                    out.clamp(None, Some(*until));
                    continue;
                }
                Check::Org(any) => (Party::Org, any),
                Check::Device(any) => (Party::Device, any),
                _ => {
                    out.rest.push(Condition::Check(clause.clone()));
                    continue;
                }
            };
            if party == Party::Device && source.devices == DeviceNames::Hashed {
                self.resolve_party(s, PartyClause { party, negated: clause.negated, any }, &mut out).await?;
            } else {
                let tests = any.iter().flat_map(|m| party_tests(source, party, m)).collect();
                out.rest.push(Condition::Party { negated: clause.negated, party, any: tests });
            }
        }
        Ok(out)
    }
}

/// The clauses that only this process can test: those on signatures of errors, and those on names of devices whose ids are
/// hashes, unless they are exact names, which can be hashed.
pub fn tested_in_memory(source: &Source, criteria: &Criteria) -> Criteria {
    let exact = |m: &NameMatch| !matches!(m, NameMatch::Name(p) if !matches!(p, Pattern::Is(_)));
    let here = |check: &Check| match check {
        Check::Device(any) => source.devices == DeviceNames::Hashed && !any.iter().all(exact),
        Check::Sig(_) => true,
        _ => false,
    };
    Criteria { all: criteria.all.iter().filter(|clause| here(&clause.check)).cloned().collect() }
}

/// The tests of a party without a lookup.
fn party_tests(source: &Source, party: Party, m: &NameMatch) -> Vec<PartyTest> {
    let Some(column) = source.party(party) else { return Vec::new() };
    let uuids = column.ty == IdType::Uuid;
    let named = |p: &Pattern| {
        let by_id = (!uuids).then(|| PartyTest::IdText(p.clone()));
        let beside = column.label.as_ref().map(|_| PartyTest::Label(p.clone()));
        let within = source.names_of(party).map(|_| PartyTest::NameWithin(p.clone()));
        by_id.into_iter().chain(beside).chain(within).collect()
    };
    match m {
        NameMatch::Uuid(u) if uuids => vec![PartyTest::Ids(vec![Id::Uuid(*u)])],
        NameMatch::Uuid(_) => Vec::new(),
        NameMatch::UuidPrefix { first, last, name } => {
            let mut tests: Vec<_> = named(&Pattern::Is(name.clone()));
            tests.extend(uuids.then_some(PartyTest::Range(*first, *last)));
            tests
        }
        NameMatch::Name(p) => named(p),
    }
}
