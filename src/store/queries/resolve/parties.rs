//! Resolves the organizations and devices of a filter: names become ids.
//!
//! Called by the resolver for clauses on parties. Where a name cannot become ids, the clause must stay as a condition.

use crate::domain::event::{DEFAULT_ORG, Id, device_id_of};
use crate::domain::filter::criteria::{NameMatch, Pattern};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::resolve::{MAX_NAMED, Resolver};
use crate::store::queries::resolved::{Condition, PartyTest, Resolved};
use crate::store::queries::sql::aggregate::{MAX_VALUES, Values, distinct};
use crate::store::queries::sql::directory::{Directory, labels_of_ids};
use crate::store::source::columns::{IdType, Party};
use crate::store::source::{DeviceNames, Source};

/// A clause of the filter on an organization or a device: one of `any` must match.
#[derive(Clone, Copy)]
pub struct PartyClause<'a> {
    pub party: Party,
    pub negated: bool,
    pub any: &'a [NameMatch],
}

impl Resolver<'_> {
    /// The organizations of the table with their names; `None` where no index lists them, or where they are too many.
    pub async fn list_orgs(&self, s: &mut Session) -> Result<Option<Vec<(Id, Option<Text>)>>, SourceError> {
        let source = self.source;
        let Some(column) = source.map.org.as_ref().filter(|_| source.listed.orgs) else { return Ok(None) };
        let (sql, shape) = distinct(source, Values::Orgs(column));
        let rows = s.rows(&sql, &shape).await?;
        let ids: Option<Vec<Id>> = rows.into_iter().map(|mut r| r.id(0)).collect();
        let Some(ids) = ids.filter(|ids| ids.len() <= MAX_VALUES) else { return Ok(None) };
        Ok(Some(self.named(s, Party::Org, ids).await?))
    }

    /// Ids with the names that a directory table has for them, in the order given.
    pub async fn named(
        &self,
        s: &mut Session,
        party: Party,
        ids: Vec<Id>,
    ) -> Result<Vec<(Id, Option<Text>)>, SourceError> {
        let source = self.source;
        let unnamed = |ids: Vec<Id>| ids.into_iter().map(|id| (id, None)).collect();
        let Some(column) = source.party(party).filter(|_| !ids.is_empty()) else { return Ok(unnamed(ids)) };
        let (sql, shape) = match (Directory::of(source, party), &column.label) {
            (Some(directory), _) => directory.names(&ids),
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

    /// Resolves all clauses on organizations together; `false` where the organizations cannot be listed.
    pub(super) async fn resolve_orgs(
        &self,
        s: &mut Session,
        clauses: &[PartyClause<'_>],
        out: &mut Resolved,
    ) -> Result<bool, SourceError> {
        let Some(listed) = self.list_orgs(s).await? else { return Ok(false) };
        let all = listed.len();
        let passes = |(id, name): &(Id, Option<Text>)| {
            clauses.iter().all(|c| c.any.iter().any(|m| m.matches(Some(id), name.as_ref())) != c.negated)
        };
        let allowed: Vec<Id> = listed.into_iter().filter(passes).map(|(id, _)| id).collect();
        if allowed.len() != all {
            out.orgs.narrow(allowed);
        }
        Ok(true)
    }

    /// Resolves one clause: its names become ids, as far as they are few.
    pub(super) async fn resolve_party(
        &self,
        s: &mut Session,
        clause: PartyClause<'_>,
        out: &mut Resolved,
    ) -> Result<(), SourceError> {
        let PartyClause { party, negated, any } = clause;
        let tests = match self.names.lookups.get(party, any) {
            Some(tests) => tests,
            None => {
                let tests = self.look_up(s, party, any).await?;
                self.names.lookups.put(party, any, &tests);
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
    async fn look_up(&self, s: &mut Session, party: Party, any: &[NameMatch]) -> Result<Vec<PartyTest>, SourceError> {
        let uuids = self.source.party(party).is_some_and(|c| c.ty == IdType::Uuid);
        let together = self.by_names(s, party, any).await?;
        let exact = |m: &&NameMatch| together.is_some() && matches!(m, NameMatch::Name(Pattern::Is(_)));
        let mut tests = Vec::from_iter(together.clone().map(PartyTest::Ids));
        for m in any.iter().filter(|m| !exact(m)) {
            match m {
                NameMatch::Uuid(u) if uuids => tests.push(PartyTest::Ids(vec![Id::Uuid(*u)])),
                NameMatch::Uuid(_) => {}
                NameMatch::UuidPrefix { first, last, name } => {
                    if uuids {
                        tests.push(PartyTest::Range(*first, *last));
                    }
                    tests.extend(self.by_name(s, party, &Pattern::Is(name.clone())).await?);
                }
                NameMatch::Name(p) => tests.extend(self.by_name(s, party, p).await?),
            }
        }
        Ok(tests)
    }

    /// The ids of all exact names of a clause in one lookup, instead of a round trip for each. `None` where that is
    /// impossible or gains nothing.
    async fn by_names(&self, s: &mut Session, party: Party, any: &[NameMatch]) -> Result<Option<Vec<Id>>, SourceError> {
        let exact = |m: &NameMatch| match m {
            NameMatch::Name(Pattern::Is(name)) => Some(name.clone()),
            _ => None,
        };
        let names: Vec<String> = any.iter().filter_map(exact).collect();
        let column = self.source.party(party);
        let Some((column, directory)) = column.zip(Directory::of(self.source, party)) else { return Ok(None) };
        if names.len() < 2 || names.len() > MAX_NAMED || column.ty != IdType::Uuid || column.label.is_some() {
            return Ok(None);
        }
        let (sql, shape) = directory.ids_named(&names, MAX_NAMED + 1);
        let ids: Vec<Id> = s.rows(&sql, &shape).await?.into_iter().filter_map(|mut r| r.id(0)).collect();
        Ok((ids.len() <= MAX_NAMED).then_some(ids))
    }

    /// The tests for a name: against the ids themselves where they are texts, and against the names that belong to
    /// them.
    async fn by_name(&self, s: &mut Session, party: Party, p: &Pattern) -> Result<Vec<PartyTest>, SourceError> {
        let source = self.source;
        let Some(column) = source.party(party) else { return Ok(Vec::new()) };
        let mut tests = Vec::new();
        if column.ty != IdType::Uuid {
            tests.push(PartyTest::IdText(p.clone()));
        }
        if column.label.is_some() {
            tests.push(PartyTest::Label(p.clone()));
        } else if party == Party::Device && column.ty == IdType::Uuid && source.devices != DeviceNames::Joined {
            tests.push(PartyTest::Ids(self.hashed(s, p).await?));
        } else if let Some(directory) = Directory::of(source, party) {
            let (sql, shape) = directory.ids_matching(p, MAX_NAMED + 1);
            let ids: Vec<Id> = s.rows(&sql, &shape).await?.into_iter().filter_map(|mut r| r.id(0)).collect();
            tests.push(if ids.len() > MAX_NAMED { PartyTest::NameWithin(p.clone()) } else { PartyTest::Ids(ids) });
        }
        Ok(tests)
    }

    /// Devices of a directory without ids: found by name in memory. An exact name that is not (or no longer) in the directory
    /// is hashed with every organization.
    async fn hashed(&self, s: &mut Session, p: &Pattern) -> Result<Vec<Id>, SourceError> {
        let list = self.names.get(s, self.source, |list| list.find(|name| p.matches(name)).next().is_none()).await?;
        let mut ids: Vec<Id> = list.find(|name| p.matches(name)).map(|(id, _)| Id::Uuid(id)).collect();
        if let (true, Pattern::Is(name)) = (ids.is_empty(), p) {
            let orgs = self.list_orgs(s).await?.unwrap_or_default();
            ids.extend(orgs.iter().filter_map(|(id, _)| Some(Id::Uuid(device_id_of(id.as_uuid()?, name)))));
            ids.push(Id::Uuid(device_id_of(DEFAULT_ORG, name)));
            ids.dedup();
        }
        Ok(ids)
    }
}

/// Whether clauses consist of exact organizations that the directory resolves, so that nobody needs the list of all
/// organizations.
pub(super) fn are_exact(source: &Source, clauses: &[PartyClause<'_>]) -> bool {
    let exact = |m: &NameMatch| matches!(m, NameMatch::Uuid(_) | NameMatch::Name(Pattern::Is(_)));
    let by_uuid = source.party(Party::Org).is_some_and(|c| c.ty == IdType::Uuid && c.label.is_none());
    by_uuid
        && source.names_of(Party::Org).is_some()
        && clauses.iter().all(|clause| !clause.negated && clause.any.iter().all(exact))
}
