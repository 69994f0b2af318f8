//! The query for the values of a field among the matching rows.
//!
//! All types and organizations of the table are listed from an index, whether or not they are counted; counts come from
//! the newest matching rows up to a ceiling. Devices are many: without a search text the most frequent are listed; with
//! one the directory is searched, so that any device can be found. Called by the dispatch for the panes and for
//! `count --by`. A count must never include a row that the filter excludes.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::event::Id;
use crate::domain::page::Cursor;
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::protocol::query::{FacetQuery, Facets, Field};
use crate::store::connect::session::Session;
use crate::store::queries::executor::{Executor, same_type};
use crate::store::queries::resolved::{Condition, PartyTest, Resolved, Set};
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::aggregate::{Values, beyond, counted, facet, facet_of_all};
use crate::store::queries::sql::directory::devices_named;
use crate::store::queries::sql::keys::{branches, branches_within, by_index_alone};
use crate::store::queries::values::{Found, Listed};
use crate::store::source::DeviceNames;
use crate::store::source::columns::{IdType, Party};

/// Values read at least of a field that is not a device, before the search text is applied.
const MAX_GROUPS: u64 = 2000;
/// More combinations of values than this are not counted branch by branch.
const MAX_COUNTED: usize = 60;
/// Rows whose carried reasons are looked up for the console.
const MAX_CARRIED: u64 = 2000;

/// Values with their rows.
#[derive(Default)]
struct Counted {
    values: Vec<(Option<Id>, u64)>,
    /// Counting stopped at the ceiling.
    partial: bool,
}

impl Executor<'_> {
    /// The values of one field with their rows, most frequent first.
    pub async fn facets(&self, s: &mut Session, query: &FacetQuery) -> Result<Facets, SourceError> {
        let resolved = self.resolve(s, &query.criteria).await?;
        let counting = Counting { executor: self, query };
        let listed = match query.field {
            Field::Device if !query.needle.is_empty() => counting.searched_devices(s, resolved).await?,
            Field::Device => {
                let Counted { values, partial } = counting.counts(s, &resolved, counting.one_more()).await?;
                Listed { values: counting.named_devices(s, values).await?, partial }
            }
            Field::Org => counting.orgs(s, &resolved).await?,
            Field::Kind => counting.kinds(s, &resolved).await?,
            Field::Error => counting.errors(s, &resolved).await?,
            Field::Reason => {
                let Counted { values, partial } = counting.counts(s, &resolved, counting.most()).await?;
                let unnamed = |(id, rows)| Found { id, name: None, rows };
                Listed { values: values.into_iter().map(unnamed).collect(), partial }
            }
        };
        Ok(listed.facets(query))
    }
}

/// A count of rows as the database returned it.
fn natural(n: Option<i64>) -> u64 {
    n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// One query for the values of a field, on its way through the database.
struct Counting<'a> {
    executor: &'a Executor<'a>,
    query: &'a FacetQuery,
}

impl Counting<'_> {
    /// The query's limit and one more, which tells that there are more.
    fn one_more(&self) -> u64 {
        u64::from(self.query.limit) + 1
    }

    /// How many values of a field that is not a device to read. A pane has a small limit and searches among more values;
    /// `count --by` prints as many as there are.
    fn most(&self) -> u64 {
        self.one_more().max(MAX_GROUPS)
    }

    /// Values with their rows among the newest matching ones, at most `limit` values.
    async fn counts(&self, s: &mut Session, resolved: &Resolved, limit: u64) -> Result<Counted, SourceError> {
        if !resolved.signatures.is_empty() {
            let FacetQuery { field, ceiling, .. } = *self.query;
            let (mut values, partial) = self.executor.signed(resolved).values(s, field, ceiling).await?;
            values.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(Counted { values, partial });
        }
        if let Some(counted) = self.counts_within(s, resolved, limit).await? {
            return Ok(counted);
        }
        let (source, field) = (self.executor.source, self.query.field);
        // A carried reason is looked up row by row; on a screen that may take only so long.
        let few = field == Field::Reason && source.carries_reason && self.executor.shared.search_budget.is_some();
        let ceiling = if few { self.query.ceiling.min(MAX_CARRIED) } else { self.query.ceiling };
        // One row more tells whether there are more.
        let statement = facet(Selection::new(source, resolved), field, ceiling.saturating_add(1), limit);
        let Some((sql, shape)) = statement.filter(|_| !resolved.is_empty()) else { return Ok(Counted::default()) };
        let mut total = 0;
        let mut values = Vec::new();
        for mut row in s.rows(&sql, &shape).await? {
            total = natural(row.int(2));
            values.push((row.shown_id(0), natural(row.int(1))));
        }
        Ok(Counted { values, partial: total > ceiling })
    }

    /// As [`counts`](Self::counts), where an index alone tells where the newest rows up to the ceiling end: the rows
    /// within are then counted in any order instead of being sorted first. `None` where that would read rows.
    async fn counts_within(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        limit: u64,
    ) -> Result<Option<Counted>, SourceError> {
        let (source, field) = (self.executor.source, self.query.field);
        let branches = branches(source, resolved);
        let one = branches.len() == 1 && source.map.is_table() && by_index_alone(source, resolved, &branches);
        if !one || resolved.is_empty() || (field == Field::Reason && source.carries_reason) {
            return Ok(None);
        }
        let cutoff = self.cutoff(s, resolved).await?;
        let partial = cutoff.is_some();
        let statement = facet_of_all(Selection::new(source, resolved), field, cutoff, limit);
        let Some((sql, shape)) = statement else { return Ok(None) };
        let counted = s.rows(&sql, &shape).await?.into_iter();
        let values = counted.map(|mut row| (row.shown_id(0), natural(row.int(1)))).collect();
        Ok(Some(Counted { values, partial }))
    }

    /// As [`counts`](Self::counts), from indexes alone, value by value. `each` is the filter with every value listed.
    /// `None` where the indexes do not hold everything that the filter tests.
    async fn counts_by_index(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        each: &Resolved,
        by: Values<'_>,
    ) -> Result<Option<Counted>, SourceError> {
        let source = self.executor.source;
        let (plain, named) = (branches_within(source, resolved, self.query.ceiling), branches(source, each));
        let countable = resolved.signatures.is_empty()
            && by_index_alone(source, resolved, &plain)
            && by_index_alone(source, each, &named);
        if !countable || each.is_empty() || named.len() > MAX_COUNTED {
            return Ok(None);
        }
        let cutoff = self.cutoff(s, resolved).await?;
        let partial = cutoff.is_some();
        let (sql, shape) = counted(Selection::new(source, each), &named, by, cutoff);
        let mut sums: HashMap<Option<Id>, u64> = HashMap::new();
        for mut row in s.rows(&sql, &shape).await? {
            let n = natural(row.int(1));
            if n > 0 {
                *sums.entry(row.shown_id(0)).or_default() += n;
            }
        }
        Ok(Some(Counted { values: sums.into_iter().collect(), partial }))
    }

    /// The first row beyond the newest up to the ceiling; `None` if no more match, or if there is no ceiling: looking for a
    /// row behind all rows would sort them.
    async fn cutoff(&self, s: &mut Session, resolved: &Resolved) -> Result<Option<Cursor>, SourceError> {
        if i64::try_from(self.query.ceiling).is_ok_and(|ceiling| ceiling < i64::MAX) {
            return self.beyond(s, resolved).await;
        }
        Ok(None)
    }

    async fn beyond(&self, s: &mut Session, resolved: &Resolved) -> Result<Option<Cursor>, SourceError> {
        let (sql, shape) = beyond(Selection::new(self.executor.source, resolved), self.query.ceiling);
        let first = s.rows(&sql, &shape).await?.into_iter().next();
        Ok(first.and_then(|mut row| Some(Cursor { at: row.time(0)?, id: row.id(1)? })))
    }

    /// Signatures of errors with their texts; one without id stands for the rows that have none.
    async fn errors(&self, s: &mut Session, resolved: &Resolved) -> Result<Listed, SourceError> {
        let ends = resolved.signatures.is_empty() && !resolved.is_empty();
        let cutoff = if ends { self.cutoff(s, resolved).await? } else { None };
        let (found, partial) = self.executor.signed(resolved).signatures(s, cutoff, self.query.ceiling).await?;
        let values = found.into_iter().map(|((id, name), rows)| Found { id, name, rows }).collect();
        Ok(Listed { values, partial })
    }

    /// Types of the table, counted by index where that is possible, and listed even without a row that matches.
    async fn kinds(&self, s: &mut Session, resolved: &Resolved) -> Result<Listed, SourceError> {
        let listed = self.executor.resolver().list_kinds(s).await?;
        let by_index = match &listed {
            Some(listed) => {
                let mut each = resolved.clone();
                each.kinds.narrow(listed.clone());
                self.counts_by_index(s, resolved, &each, Values::Kinds).await?
            }
            None => None,
        };
        let Counted { values, partial } = match by_index {
            Some(counted) => counted,
            None => self.counts(s, resolved, self.most()).await?,
        };
        let mut found: Vec<_> = values.into_iter().map(|(id, rows)| Found { id, name: None, rows }).collect();
        for kind in listed.unwrap_or_default() {
            let id = Some(Id::Text(kind.into()));
            if !found.iter().any(|f| f.id == id) {
                found.push(Found { id, name: None, rows: 0 });
            }
        }
        Ok(Listed { values: found, partial })
    }

    /// Organizations of the table with their names, counted like types.
    async fn orgs(&self, s: &mut Session, resolved: &Resolved) -> Result<Listed, SourceError> {
        let resolver = self.executor.resolver();
        let listed = resolver.list_orgs(s).await?;
        let by_index = match (&listed, &self.executor.source.map.org) {
            (Some(listed), Some(column)) => {
                let mut each = resolved.clone();
                each.orgs.narrow(listed.iter().map(|(id, _)| id.clone()).collect());
                self.counts_by_index(s, resolved, &each, Values::Orgs(column)).await?
            }
            _ => None,
        };
        let Counted { values, partial } = match by_index {
            Some(counted) => counted,
            None => self.counts(s, resolved, self.most()).await?,
        };
        let mut counted: HashMap<Option<Id>, u64> = values.into_iter().collect();
        let mut found = Vec::new();
        for (id, name) in listed.unwrap_or_default() {
            let id = Some(id);
            let rows = counted.remove(&id).unwrap_or(0);
            found.push(Found { id, name, rows });
        }
        let (others, odd): (Vec<Id>, Vec<Id>) = counted
            .keys()
            .flatten()
            .cloned()
            .partition(|id| self.executor.source.map.org.as_ref().is_some_and(|column| same_type(id, column.ty)));
        if let Some(rows) = counted.get(&None) {
            found.push(Found { id: None, name: None, rows: *rows });
        }
        let named = if others.is_empty() { Vec::new() } else { resolver.named(s, Party::Org, others).await? };
        for (id, name) in named.into_iter().chain(odd.into_iter().map(|id| (id, None))) {
            let id = Some(id);
            let rows = counted.get(&id).copied().unwrap_or(0);
            found.push(Found { id, name, rows });
        }
        Ok(Listed { values: found, partial })
    }

    /// Devices with their names; one without id and name stands for the rows that name no device.
    async fn named_devices(&self, s: &mut Session, counted: Vec<(Option<Id>, u64)>) -> Result<Vec<Found>, SourceError> {
        let Executor { shared, source } = self.executor;
        let none =
            counted.iter().find(|(id, _)| id.is_none()).map(|(_, rows)| Found { id: None, name: None, rows: *rows });
        let rows: HashMap<Id, u64> = counted.into_iter().filter_map(|(id, n)| Some((id?, n))).collect();
        // A value of another type than the column's has no name, and cannot be compared with ids that have one.
        let (ids, odd): (Vec<Id>, Vec<Id>) = rows.keys().cloned().partition(|id| same_type(id, source.map.device.ty));
        let uuids: Vec<Uuid> = ids.iter().filter_map(Id::as_uuid).collect();
        let names = shared.names.get(s, source, |l| uuids.iter().any(|u| l.name(*u).is_none())).await?;
        let named = self.executor.resolver().named(s, Party::Device, ids).await?;
        let unnamed = odd.into_iter().map(|id| (id, None));
        let found = named.into_iter().chain(unnamed).map(|(id, name)| {
            let name = name.or_else(|| id.as_uuid().and_then(|u| names.name(u)).map(Text::from));
            let rows = rows.get(&id).copied().unwrap_or(0);
            Found { id: Some(id), name, rows }
        });
        Ok(found.chain(none).collect())
    }

    /// Devices whose name contains the search text or whose id begins with it, with their rows, which may be none.
    async fn searched_devices(&self, s: &mut Session, mut resolved: Resolved) -> Result<Listed, SourceError> {
        let device = &self.executor.source.map.device;
        let needle = &self.query.needle;
        let mut out = Listed { values: Vec::new(), partial: false };
        if let Some((first, last)) = uuid_range(needle).filter(|_| device.ty == IdType::Uuid) {
            out = self.devices_that(s, &resolved, PartyTest::Range(first, last)).await?;
        }
        if out.values.is_empty() && (device.ty == IdType::Text || device.label.is_some()) {
            let holding = self.devices_that(s, &resolved, PartyTest::Holding(needle.clone())).await?;
            out = Listed { values: holding.values, partial: out.partial || holding.partial };
        }
        let mut names = self.devices_named(s).await?;
        names.retain(|id, _| same_type(id, device.ty) && !out.values.iter().any(|f| f.id.as_ref() == Some(id)));
        if let Set::Only(allowed) = &resolved.devices {
            names.retain(|id, _| allowed.contains(id));
        }
        if !names.is_empty() {
            resolved.devices = Set::Only(names.keys().cloned().collect());
            let Counted { values, partial } = self.counts(s, &resolved, self.one_more()).await?;
            out.partial |= partial;
            let rows: HashMap<Option<Id>, u64> = values.into_iter().collect();
            out.values.extend(names.into_iter().map(|(id, name)| {
                let id = Some(id);
                let rows = rows.get(&id).copied().unwrap_or(0);
                Found { id, name, rows }
            }));
        }
        Ok(out)
    }

    /// The devices that pass a test and occur in matching rows.
    async fn devices_that(&self, s: &mut Session, resolved: &Resolved, test: PartyTest) -> Result<Listed, SourceError> {
        let mut resolved = resolved.clone();
        resolved.rest.push(Condition::Party { negated: false, party: Party::Device, any: vec![test] });
        let Counted { values, partial } = self.counts(s, &resolved, self.one_more()).await?;
        Ok(Listed { values: self.named_devices(s, values).await?, partial })
    }

    /// The devices of the directory whose name contains the search text.
    async fn devices_named(&self, s: &mut Session) -> Result<HashMap<Id, Option<Text>>, SourceError> {
        let (source, needle) = (self.executor.source, &self.query.needle);
        let mut names = HashMap::new();
        match source.devices {
            DeviceNames::Joined => {
                let (sql, shape) = devices_named(source, needle, self.one_more());
                for mut row in s.rows(&sql, &shape).await? {
                    if let Some(id) = row.id(0) {
                        names.insert(id, row.text(1));
                    }
                }
            }
            DeviceNames::Hashed => {
                let needle = needle.to_ascii_lowercase();
                let passes = |name: &str| name.to_ascii_lowercase().contains(&needle);
                let list = self.executor.shared.names.get(s, source, |l| l.find(passes).next().is_none()).await?;
                let limit = usize::try_from(self.one_more()).unwrap_or(usize::MAX);
                names.extend(list.find(passes).take(limit).map(|(id, name)| (Id::Uuid(id), Some(Text::from(name)))));
            }
            DeviceNames::Nowhere | DeviceNames::Beside => {}
        }
        Ok(names)
    }
}

/// The first and last UUID that begin with a text of four or more hexadecimal digits.
fn uuid_range(needle: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = needle.chars().filter(|c| *c != '-').collect();
    if !(4..=32).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let first = Uuid::parse_str(&format!("{digits:0<32}")).ok()?;
    let last = Uuid::parse_str(&format!("{digits:f<32}")).ok()?;
    Some((first, last))
}
