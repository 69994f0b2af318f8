//! A filter for reads that are repeated every second: nothing is looked up before them.

use crate::domain::event::Id;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, NameMatch, Pattern};
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::names::directory::Names;
use crate::store::queries::resolve::{need_field, need_names, resolve_party};
use crate::store::queries::resolved::Resolved;
use crate::store::queries::resolved::{Condition, PartyTest};
use crate::store::source::columns::IdType;
use crate::store::source::columns::Party;
use crate::store::source::{DeviceNames, Source};

/// As [`resolve`](crate::store::queries::resolve::resolve), but nothing is looked up that can be asked within the statement: for a read of the last seconds that
/// is repeated, and must find what was named a moment ago. Clauses that [`named_here`] picks are left out.
pub async fn resolve_within(
    s: &mut Session,
    source: &Source,
    names: &Names,
    criteria: &Criteria,
) -> Result<Resolved, SourceError> {
    let mut out = Resolved::everything();
    let here = named_here(source, criteria);
    for clause in criteria.all.iter().filter(|clause| !here.all.contains(clause)) {
        need_field(source, clause)?;
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
            resolve_party(s, source, names, (party, clause.negated, any), &mut out).await?;
        } else {
            let tests = any.iter().flat_map(|m| party_tests(source, party, m)).collect();
            out.rest.push(Condition::Party { negated: clause.negated, party, any: tests });
        }
    }
    Ok(out)
}

/// The clauses on names that only this process can test: those on devices whose ids are hashes, unless they name whole
/// devices, which can be hashed.
pub fn named_here(source: &Source, criteria: &Criteria) -> Criteria {
    let whole = |m: &NameMatch| !matches!(m, NameMatch::Name(p) if !matches!(p, Pattern::Is(_)));
    let here = |check: &Check| match check {
        Check::Device(any) => source.devices == DeviceNames::Hashed && !any.iter().all(whole),
        _ => false,
    };
    Criteria { all: criteria.all.iter().filter(|clause| here(&clause.check)).cloned().collect() }
}

/// A party's test without any look-up.
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
