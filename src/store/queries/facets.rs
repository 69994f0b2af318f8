//! The values of a field among the matching rows.
//!
//! All types and organisations are listed by an index, counted or not; counts come from the newest matching rows up to a
//! ceiling. Devices are many: without a search text the most frequent are listed, with one the directory is searched, so
//! that any device can be found.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::event::Id;
use crate::domain::page::{Cursor, Total};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::protocol::query::{Facet, FacetQuery, Facets, Field};
use crate::store::connect::session::Session;
use crate::store::queries::asker::{Asker, same_type};
use crate::store::queries::resolve::{known_kinds, known_orgs, named};
use crate::store::queries::resolved::{Condition, PartyTest};
use crate::store::queries::resolved::{Resolved, Set};
use crate::store::queries::sql::aggregate::{Values, beyond, counted, devices_named, facet, facet_of_all};
use crate::store::queries::sql::keys::{branches, branches_within, by_index_alone};
use crate::store::source::columns::IdType;
use crate::store::source::columns::Party;
use crate::store::source::{DeviceNames, Source};

/// Values read of a field that is not a device, before the search text is applied.
const MAX_GROUPS: u64 = 2000;
/// More values than this, each with each of the filter's, are not counted one by one.
const MAX_COUNTED: usize = 60;

/// Rows whose carried reasons are looked up for the console.
const MAX_CARRIED: u64 = 2000;

/// A value, its name and its rows.
type Found = (Option<Id>, Option<Text>, u64);

/// Values with their rows, and whether counting stopped at the ceiling.
type Counted = (Vec<(Option<Id>, u64)>, bool);

/// Answers for one field.
pub async fn facets(asker: &Asker<'_>, s: &mut Session, query: &FacetQuery) -> Result<Facets, SourceError> {
    let resolved = asker.resolve(s, &query.criteria).await?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let (mut found, partial) = match query.field {
        Field::Device if !query.needle.is_empty() => searched_devices(asker, s, query, resolved).await?,
        Field::Device => {
            let (counted, partial) = counts(asker, s, query, &resolved, u64::from(query.limit) + 1).await?;
            (named_devices(asker, s, counted).await?, partial)
        }
        Field::Org => orgs(asker, s, query, &resolved).await?,
        Field::Kind => kinds(asker, s, query, &resolved).await?,
        Field::Reason => {
            let (counted, partial) = counts(asker, s, query, &resolved, MAX_GROUPS).await?;
            (counted.into_iter().map(|(id, n)| (id, None, n)).collect(), partial)
        }
    };
    if query.field != Field::Device {
        found.retain(|(id, name, _)| passes(&query.needle, id.as_ref(), name.as_ref()));
    }
    found.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| label(a).cmp(&label(b))));
    let more = found.len() > limit;
    found.truncate(limit);
    let total = |n| if partial { Total::AtLeast(n) } else { Total::Exact(n) };
    let values = found.into_iter().map(|(id, name, n)| Facet { id, name, rows: total(n) }).collect();
    Ok(Facets { values, more, partial })
}

fn label((id, name, _): &Found) -> String {
    match (name, id) {
        (Some(name), _) => name.raw().to_owned(),
        (None, Some(id)) => id.raw(),
        (None, None) => String::new(),
    }
}

/// The name contains the search text, or the id begins with it.
fn passes(needle: &str, id: Option<&Id>, name: Option<&Text>) -> bool {
    if needle.is_empty() {
        return true;
    }
    let needle = needle.to_ascii_lowercase();
    let contains = |text: &str| text.to_ascii_lowercase().contains(&needle);
    name.is_some_and(|n| contains(n.raw()))
        || match id {
            Some(Id::Text(t)) => contains(t.raw()),
            Some(id) => id.raw().starts_with(&needle),
            None => false,
        }
}

/// As [`counts`], from indexes alone, value by value: the rows need not be read. `each` is the question with every value
/// named. `None` where the indexes do not hold all that is asked.
async fn counts_by_index(
    asker: &Asker<'_>,
    s: &mut Session,
    ceiling: u64,
    (resolved, each): (&Resolved, &Resolved),
    by: Values<'_>,
) -> Result<Option<Counted>, SourceError> {
    let source = asker.source;
    let (plain, named) = (branches_within(source, resolved, ceiling), branches(source, each));
    let countable = by_index_alone(source, resolved, &plain) && by_index_alone(source, each, &named);
    if !countable || each.is_empty() || named.len() > MAX_COUNTED {
        return Ok(None);
    }
    let edge = edge(s, source, resolved, ceiling).await?;
    let partial = edge.is_some();
    let (sql, shape) = counted(source, each, &named, by, edge);
    let mut sums: HashMap<Option<Id>, u64> = HashMap::new();
    for mut row in s.rows(&sql, &shape).await? {
        let n = row.int(1).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        if n > 0 {
            *sums.entry(row.id(0)).or_default() += n;
        }
    }
    Ok(Some((sums.into_iter().collect(), partial)))
}

/// The first row beyond the newest `ceiling`; `None` where there are no more than that.
async fn edge(
    s: &mut Session,
    source: &Source,
    resolved: &Resolved,
    ceiling: u64,
) -> Result<Option<Cursor>, SourceError> {
    let (sql, shape) = beyond(source, resolved, ceiling);
    let first = s.rows(&sql, &shape).await?.into_iter().next();
    Ok(first.and_then(|mut row| Some(Cursor { at: row.time(0)?, id: row.id(1)? })))
}

/// As [`counts`], where an index alone tells where the newest rows up to the ceiling end: what lies within is
/// then counted as it comes, not put in order first. `None` where rows would have to be read to know.
async fn counts_within(
    asker: &Asker<'_>,
    s: &mut Session,
    query: &FacetQuery,
    resolved: &Resolved,
    limit: u64,
) -> Result<Option<Counted>, SourceError> {
    let source = asker.source;
    let branches = branches(source, resolved);
    let one = branches.len() == 1 && source.map.is_table() && by_index_alone(source, resolved, &branches);
    if !one || resolved.is_empty() || (query.field == Field::Reason && source.carries_reason) {
        return Ok(None);
    }
    let edge = edge(s, source, resolved, query.ceiling).await?;
    let partial = edge.is_some();
    let Some((sql, shape)) = facet_of_all(source, resolved, query.field, edge, limit) else { return Ok(None) };
    let counted = s.rows(&sql, &shape).await?.into_iter();
    let counted = counted.map(|mut row| (row.id(0), row.int(1).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)));
    Ok(Some((counted.collect(), partial)))
}

/// Values with their rows, and whether counting stopped at the ceiling.
async fn counts(
    asker: &Asker<'_>,
    s: &mut Session,
    query: &FacetQuery,
    resolved: &Resolved,
    limit: u64,
) -> Result<Counted, SourceError> {
    if let Some(counted) = counts_within(asker, s, query, resolved, limit).await? {
        return Ok(counted);
    }
    // A carried reason is looked up row by row, where a person waits for no more than these.
    let few = query.field == Field::Reason && asker.source.carries_reason && asker.shared.search_budget.is_some();
    let ceiling = if few { query.ceiling.min(MAX_CARRIED) } else { query.ceiling };
    let statement = facet(asker.source, resolved, query.field, ceiling, limit);
    let Some((sql, shape)) = statement.filter(|_| !resolved.is_empty()) else { return Ok((Vec::new(), false)) };
    let mut total = 0;
    let mut out = Vec::new();
    for mut row in s.rows(&sql, &shape).await? {
        let n = row.int(1).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        total = row.int(2).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        out.push((row.id(0), n));
    }
    Ok((out, total >= ceiling))
}

async fn kinds(
    asker: &Asker<'_>,
    s: &mut Session,
    query: &FacetQuery,
    resolved: &Resolved,
) -> Result<(Vec<Found>, bool), SourceError> {
    let known = known_kinds(s, asker.source).await?;
    let by_index = match &known {
        Some(known) => {
            let mut each = resolved.clone();
            each.kinds.narrow(known.clone());
            counts_by_index(asker, s, query.ceiling, (resolved, &each), Values::Kinds).await?
        }
        None => None,
    };
    let (counted, partial) = match by_index {
        Some(counted) => counted,
        None => counts(asker, s, query, resolved, MAX_GROUPS).await?,
    };
    let mut found: Vec<Found> = counted.into_iter().map(|(id, n)| (id, None, n)).collect();
    for kind in known.unwrap_or_default() {
        let id = Some(Id::Text(kind.into()));
        if !found.iter().any(|f| f.0 == id) {
            found.push((id, None, 0));
        }
    }
    Ok((found, partial))
}

async fn orgs(
    asker: &Asker<'_>,
    s: &mut Session,
    query: &FacetQuery,
    resolved: &Resolved,
) -> Result<(Vec<Found>, bool), SourceError> {
    let known = known_orgs(s, asker.source).await?;
    let by_index = match (&known, &asker.source.map.org) {
        (Some(known), Some(column)) => {
            let mut each = resolved.clone();
            each.orgs.narrow(known.iter().map(|(id, _)| id.clone()).collect());
            counts_by_index(asker, s, query.ceiling, (resolved, &each), Values::Orgs(column)).await?
        }
        _ => None,
    };
    let (counted, partial) = match by_index {
        Some(counted) => counted,
        None => counts(asker, s, query, resolved, MAX_GROUPS).await?,
    };
    let mut counted: HashMap<Option<Id>, u64> = counted.into_iter().collect();
    let mut found = Vec::new();
    for (id, name) in known.unwrap_or_default() {
        let id = Some(id);
        let n = counted.remove(&id).unwrap_or(0);
        found.push((id, name, n));
    }
    let others: Vec<Id> = counted.keys().flatten().cloned().collect();
    if let Some(n) = counted.get(&None) {
        found.push((None, None, *n));
    }
    if !others.is_empty() {
        for (id, name) in named(s, asker.source, Party::Org, others).await? {
            let n = counted.get(&Some(id.clone())).copied().unwrap_or(0);
            found.push((Some(id), name, n));
        }
    }
    Ok((found, partial))
}

async fn named_devices(
    asker: &Asker<'_>,
    s: &mut Session,
    counted: Vec<(Option<Id>, u64)>,
) -> Result<Vec<Found>, SourceError> {
    let rows: HashMap<Id, u64> = counted.into_iter().filter_map(|(id, n)| Some((id?, n))).collect();
    let ids: Vec<Id> = rows.keys().cloned().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let uuids: Vec<Uuid> = ids.iter().filter_map(Id::as_uuid).collect();
    let names = asker.shared.names.get(s, asker.source, |l| uuids.iter().any(|u| l.name(*u).is_none())).await?;
    let known = named(s, asker.source, Party::Device, ids).await?;
    let found = known.into_iter().map(|(id, name)| {
        let name = name.or_else(|| id.as_uuid().and_then(|u| names.name(u)).map(Text::from));
        let n = rows.get(&id).copied().unwrap_or(0);
        (Some(id), name, n)
    });
    Ok(found.collect())
}

/// Devices whose name contains the search text or whose id begins with it, with their rows, be it none.
async fn searched_devices(
    asker: &Asker<'_>,
    s: &mut Session,
    query: &FacetQuery,
    mut resolved: Resolved,
) -> Result<(Vec<Found>, bool), SourceError> {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX).saturating_add(1);
    let mut names: HashMap<Id, Option<Text>> = HashMap::new();
    match asker.source.devices {
        DeviceNames::Joined => {
            let (sql, shape) = devices_named(asker.source, &query.needle, u64::from(query.limit) + 1);
            for mut row in s.rows(&sql, &shape).await? {
                if let Some(id) = row.id(0) {
                    names.insert(id, row.text(1));
                }
            }
        }
        DeviceNames::Hashed => {
            let needle = query.needle.to_ascii_lowercase();
            let passes = |name: &str| name.to_ascii_lowercase().contains(&needle);
            let list = asker.shared.names.get(s, asker.source, |l| l.find(passes).next().is_none()).await?;
            names.extend(list.find(passes).take(limit).map(|(id, name)| (Id::Uuid(id), Some(Text::from(name)))));
        }
        DeviceNames::Nowhere | DeviceNames::Beside => {}
    }
    let mut found = Vec::new();
    let mut partial = false;
    if let Some((first, last)) = uuid_range(&query.needle).filter(|_| asker.source.map.device.ty == IdType::Uuid) {
        let mut by_id = resolved.clone();
        let any = vec![PartyTest::Range(first, last)];
        by_id.rest.push(Condition::Party { negated: false, party: Party::Device, any });
        let (counted, stopped) = counts(asker, s, query, &by_id, u64::from(query.limit) + 1).await?;
        partial |= stopped;
        found = named_devices(asker, s, counted).await?;
    }
    let device = &asker.source.map.device;
    if found.is_empty() && (device.ty == IdType::Text || device.label.is_some()) {
        let mut holding = resolved.clone();
        let any = vec![PartyTest::Holding(query.needle.clone())];
        holding.rest.push(Condition::Party { negated: false, party: Party::Device, any });
        let (counted, stopped) = counts(asker, s, query, &holding, u64::from(query.limit) + 1).await?;
        partial |= stopped;
        found = named_devices(asker, s, counted).await?;
    }
    names.retain(|id, _| same_type(id, asker.source.map.device.ty) && !found.iter().any(|f| f.0.as_ref() == Some(id)));
    if let Set::Only(allowed) = &resolved.devices {
        names.retain(|id, _| allowed.contains(id));
    }
    if !names.is_empty() {
        resolved.devices = Set::Only(names.keys().cloned().collect());
        let (counted, stopped) = counts(asker, s, query, &resolved, u64::from(query.limit) + 1).await?;
        partial |= stopped;
        let rows: HashMap<Option<Id>, u64> = counted.into_iter().collect();
        found.extend(names.into_iter().map(|(id, name)| {
            let n = rows.get(&Some(id.clone())).copied().unwrap_or(0);
            (Some(id), name, n)
        }));
    }
    Ok((found, partial))
}

/// The UUIDs that begin with a text of four or more hexadecimal digits.
fn uuid_range(needle: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = needle.chars().filter(|c| *c != '-').collect();
    if !(4..=32).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let first = Uuid::parse_str(&format!("{digits:0<32}")).ok()?;
    let last = Uuid::parse_str(&format!("{digits:f<32}")).ok()?;
    Some((first, last))
}
