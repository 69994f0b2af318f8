//! Organisations and devices of a filter: names become ids.

use crate::domain::event::{Id, device_id_of};
use crate::domain::filter::criteria::{NameMatch, Pattern};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::names::directory::Names;
use crate::store::queries::resolve::MAX_NAMED;
use crate::store::queries::resolved::Resolved;
use crate::store::queries::resolved::{Condition, PartyTest};
use crate::store::queries::sql::aggregate::{
    MAX_VALUES, Values, distinct, ids_named, ids_of_names, labels_of_ids, names_of_ids,
};
use crate::store::source::columns::IdType;
use crate::store::source::columns::Party;
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::cell::CellType;

/// The organisations of the table with their names; `None` where no index lists them, or where they are too many.
pub async fn known_orgs(s: &mut Session, source: &Source) -> Result<Option<Vec<(Id, Option<Text>)>>, SourceError> {
    let Some(column) = source.map.org.as_ref().filter(|_| source.closed_orgs) else { return Ok(None) };
    let (sql, shape) = distinct(source, Values::Orgs(column));
    let rows = s.rows(&sql, &shape).await?;
    let ids: Vec<Id> = rows.into_iter().filter_map(|mut r| r.id(0)).collect();
    if ids.len() > MAX_VALUES {
        return Ok(None);
    }
    Ok(Some(named(s, source, Party::Org, ids).await?))
}

/// Ids with the names that a directory table has for them, in the order given.
pub async fn named(
    s: &mut Session,
    source: &Source,
    party: Party,
    ids: Vec<Id>,
) -> Result<Vec<(Id, Option<Text>)>, SourceError> {
    let unnamed = |ids: Vec<Id>| ids.into_iter().map(|id| (id, None)).collect();
    let Some(column) = source.party(party).filter(|_| !ids.is_empty()) else { return Ok(unnamed(ids)) };
    let (sql, shape) = match (source.names_of(party), &column.label) {
        (Some((table, name)), _) => names_of_ids(source, &table, &name, CellType::Id(column.ty), &ids),
        (None, Some(label)) => labels_of_ids(source, column, label, &ids),
        (None, None) => return Ok(unnamed(ids)),
    };
    let mut found = std::collections::HashMap::new();
    for mut row in s.rows(&sql, &shape).await? {
        if let (Some(id), Some(name)) = (row.id(0), row.text(1)) {
            found.insert(id, name);
        }
    }
    Ok(ids.into_iter().map(|id| (found.get(&id).cloned(), id)).map(|(name, id)| (id, name)).collect())
}

/// Whether the organisations could be listed, and so all clauses on them be settled.
pub async fn resolve_orgs(
    s: &mut Session,
    source: &Source,
    clauses: &[(bool, &Vec<NameMatch>)],
    out: &mut Resolved,
) -> Result<bool, SourceError> {
    let Some(known) = known_orgs(s, source).await? else { return Ok(false) };
    let all = known.len();
    let passes = |(id, name): &(Id, Option<Text>)| {
        clauses.iter().all(|(negated, any)| any.iter().any(|m| m.matches(Some(id), name.as_ref())) != *negated)
    };
    let allowed: Vec<Id> = known.into_iter().filter(passes).map(|(id, _)| id).collect();
    if allowed.len() != all {
        out.orgs.narrow(allowed);
    }
    Ok(true)
}

/// One clause on a party: its names looked up, as far as they are few.
pub async fn resolve_party(
    s: &mut Session,
    source: &Source,
    names: &Names,
    (party, negated, any): (Party, bool, &Vec<NameMatch>),
    out: &mut Resolved,
) -> Result<(), SourceError> {
    let tests = match names.looked.get(party, any) {
        Some(tests) => tests,
        None => {
            let tests = look_up(s, source, names, party, any).await?;
            names.looked.keep(party, any, &tests);
            tests
        }
    };
    let ids: Option<Vec<Id>> = tests
        .iter()
        .map(|t| match t {
            PartyTest::Ids(ids) => Some(ids.clone()),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()
        .map(|lists| lists.concat());
    match ids {
        Some(mut ids) if !negated => {
            ids.sort();
            ids.dedup();
            let set = if party == Party::Org { &mut out.orgs } else { &mut out.devices };
            set.narrow(ids);
        }
        _ => out.rest.push(Condition::Party { negated, party, any: tests }),
    }
    Ok(())
}

/// One test for each way in which a party may be named.
async fn look_up(
    s: &mut Session,
    source: &Source,
    names: &Names,
    party: Party,
    any: &[NameMatch],
) -> Result<Vec<PartyTest>, SourceError> {
    let uuids = source.party(party).is_some_and(|c| c.ty == IdType::Uuid);
    let together = by_names(s, source, party, any).await?;
    let whole = |m: &&NameMatch| together.is_some() && matches!(m, NameMatch::Name(Pattern::Is(_)));
    let mut tests = Vec::from_iter(together.clone().map(PartyTest::Ids));
    for m in any.iter().filter(|m| !whole(m)) {
        match m {
            NameMatch::Uuid(u) if uuids => tests.push(PartyTest::Ids(vec![Id::Uuid(*u)])),
            NameMatch::Uuid(_) => {}
            NameMatch::UuidPrefix { first, last, name } => {
                if uuids {
                    tests.push(PartyTest::Range(*first, *last));
                }
                tests.extend(by_name(s, source, names, party, &Pattern::Is(name.clone())).await?);
            }
            NameMatch::Name(p) => tests.extend(by_name(s, source, names, party, p).await?),
        }
    }
    Ok(tests)
}

/// The ids of all whole names of a clause, in one look-up: each alone would be a turn to the database. `None` where that
/// cannot be, or is no gain.
async fn by_names(
    s: &mut Session,
    source: &Source,
    party: Party,
    any: &[NameMatch],
) -> Result<Option<Vec<Id>>, SourceError> {
    let whole = |m: &NameMatch| match m {
        NameMatch::Name(Pattern::Is(name)) => Some(name.clone()),
        _ => None,
    };
    let names: Vec<String> = any.iter().filter_map(whole).collect();
    let Some((column, (table, name))) = source.party(party).zip(source.names_of(party)) else { return Ok(None) };
    if names.len() < 2 || names.len() > MAX_NAMED || column.ty != IdType::Uuid || column.label.is_some() {
        return Ok(None);
    }
    let (sql, shape) = ids_of_names(source, &table, &name, CellType::Id(column.ty), (&names, MAX_NAMED + 1));
    let ids: Vec<Id> = s.rows(&sql, &shape).await?.into_iter().filter_map(|mut r| r.id(0)).collect();
    Ok((ids.len() <= MAX_NAMED).then_some(ids))
}

/// Whether clauses name nothing but whole organisations that the directory can be asked for: then nobody needs the list
/// of all that there are.
pub fn are_whole(source: &Source, clauses: &[(bool, &Vec<NameMatch>)]) -> bool {
    let whole = |m: &NameMatch| matches!(m, NameMatch::Uuid(_) | NameMatch::Name(Pattern::Is(_)));
    let asked = source.party(Party::Org).is_some_and(|c| c.ty == IdType::Uuid && c.label.is_none());
    asked
        && source.names_of(Party::Org).is_some()
        && clauses.iter().all(|(negated, any)| !negated && any.iter().all(whole))
}

async fn by_name(
    s: &mut Session,
    source: &Source,
    names: &Names,
    party: Party,
    p: &Pattern,
) -> Result<Vec<PartyTest>, SourceError> {
    let Some(column) = source.party(party) else { return Ok(Vec::new()) };
    let mut tests = Vec::new();
    if column.ty != IdType::Uuid {
        tests.push(PartyTest::IdText(p.clone()));
    }
    if column.label.is_some() {
        tests.push(PartyTest::Label(p.clone()));
    } else if party == Party::Device && column.ty == IdType::Uuid && source.devices != DeviceNames::Joined {
        tests.push(PartyTest::Ids(hashed(s, source, names, p).await?));
    } else if let Some((table, name)) = source.names_of(party) {
        let (sql, shape) = ids_named(source, &table, &name, CellType::Id(column.ty), p, MAX_NAMED + 1);
        let ids: Vec<Id> = s.rows(&sql, &shape).await?.into_iter().filter_map(|mut r| r.id(0)).collect();
        tests.push(if ids.len() > MAX_NAMED { PartyTest::NameWithin(p.clone()) } else { PartyTest::Ids(ids) });
    }
    Ok(tests)
}

/// Devices of a directory that has no ids: found by name in memory, and a whole name that is not (any more) in the
/// directory by hashing it with every organisation.
async fn hashed(s: &mut Session, source: &Source, names: &Names, p: &Pattern) -> Result<Vec<Id>, SourceError> {
    let list = names.get(s, source, |list| list.find(|name| p.matches(name)).next().is_none()).await?;
    let mut ids: Vec<Id> = list.find(|name| p.matches(name)).map(|(id, _)| Id::Uuid(id)).collect();
    if let (true, Pattern::Is(name)) = (ids.is_empty(), p) {
        let orgs = known_orgs(s, source).await?.unwrap_or_default();
        ids.extend(orgs.iter().filter_map(|(id, _)| Some(Id::Uuid(device_id_of(id.as_uuid()?, name)))));
        ids.push(Id::Uuid(device_id_of(crate::domain::event::DEFAULT_ORG, name)));
        ids.dedup();
    }
    Ok(ids)
}
