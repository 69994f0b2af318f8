//! An event source in memory: every query evaluated by the plain reading of its definition. The reference for the
//! state machine's tests, and slow on purpose-built simplicity.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use renewscope::domain::event::{Id, Outcome, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::instant::Span;
use renewscope::domain::page::{Anchor, Page, Total};
use renewscope::domain::signature::Signature;
use renewscope::domain::source::Traits;
use renewscope::domain::text::Text;
use renewscope::protocol::fleet::{DeviceRows, Fleet, FleetQuery, Neighbors, NeighborsQuery, Slice, SliceQuery};
use renewscope::protocol::query::{Description, Facet, FacetQuery, Facets, Field, Histogram, HistogramQuery};
use renewscope::protocol::tail::{Horizon, TailAnswer, TailKey, TailQuery, TailRow, TailRows, TimeSlice};
use renewscope::protocol::{Answer, EventSource, Query, SourceError};

/// The name of a profile, and what its rows lack.
type Foreign = (String, Arc<Traits>);

#[derive(Clone, Default)]
pub struct Memory {
    rows: Arc<Mutex<Vec<Arc<RenewalEvent>>>>,
    /// Rows that a page looks at before it ends for lack of time, if set.
    patience: Arc<Mutex<Option<usize>>>,
    /// The profile and what its rows lack, where the source is not our own.
    foreign: Arc<Mutex<Option<Foreign>>>,
    /// What every query fails with, if set.
    broken: Arc<Mutex<Option<SourceError>>>,
}

impl Memory {
    pub fn new(rows: Vec<RenewalEvent>) -> Self {
        let memory = Self::default();
        memory.add(rows);
        memory
    }
    pub fn add(&self, rows: Vec<RenewalEvent>) {
        let mut all = self.rows.lock().unwrap();
        all.extend(rows.into_iter().map(Arc::new));
        all.sort_by_key(|r| std::cmp::Reverse(r.cursor()));
    }
    pub fn be(&self, profile: &str, traits: &Arc<Traits>) {
        *self.foreign.lock().unwrap() = Some((profile.to_owned(), Arc::clone(traits)));
    }
    pub fn be_slow(&self, rows: usize) {
        *self.patience.lock().unwrap() = Some(rows);
    }
    /// The older part of a page, looking at no more rows than patience allows.
    fn walk(&self, criteria: &Criteria, anchor: &Anchor, patience: usize) -> Page {
        let all = self.matching(&Criteria::default());
        let first = match anchor {
            Anchor::Older(cursor) => all.partition_point(|r| r.cursor() >= *cursor),
            Anchor::At(at) => all.partition_point(|r| r.created_at > *at),
            _ => 0,
        };
        // To the end of the last instant.
        let mut end = (first + patience).min(all.len());
        while end < all.len() && end > 0 && all[end].created_at == all[end - 1].created_at {
            end += 1;
        }
        let rows: Vec<_> = all[first..end].iter().filter(|r| criteria.matches(r)).cloned().collect();
        let searched_to = (end < all.len()).then(|| all[end - 1].created_at);
        Page { rows, more_newer: first > 0, more_older: searched_to.is_some(), searched_to, unreadable: 0 }
    }
    pub fn break_with(&self, error: Option<SourceError>) {
        *self.broken.lock().unwrap() = error;
    }
    pub fn matching(&self, criteria: &Criteria) -> Vec<Arc<RenewalEvent>> {
        self.rows.lock().unwrap().iter().filter(|r| criteria.matches(r)).cloned().collect()
    }

    /// As a source that numbers nothing and knows nothing of open transactions; its clock stands at the fleet's now.
    fn tail(&self, query: &TailQuery) -> TailAnswer {
        let found = |row: Arc<RenewalEvent>| TailRow {
            place: row.cursor().at.pg_micros(),
            serial: None,
            at: row.cursor().at,
            row,
        };
        let slice = |criteria: &Criteria, slice: &TimeSlice| {
            let TimeSlice::Time { from, after, until } = slice else { panic!("no numbers here") };
            let mut rows = self.matching(criteria);
            rows.retain(|r| r.created_at >= *from && until.is_none_or(|u| r.created_at < u));
            rows.retain(|r| after.as_ref().is_none_or(|a| r.cursor() > *a));
            rows.reverse();
            rows
        };
        match query {
            TailQuery::Horizon => TailAnswer::Horizon(Horizon {
                now: super::fleet::now(),
                ahead: Span(0),
                open: None,
                prepared: false,
                sees_all: false,
                overlap: Span::seconds(5),
                serial: None,
            }),
            TailQuery::Rows { criteria, slice: part, limit, .. } => {
                let mut rows: Vec<_> = slice(criteria, part).into_iter().map(found).collect();
                rows.truncate(*limit as usize);
                let more = rows.last().filter(|_| rows.len() == *limit as usize);
                let more = more.map(|last| (last.place, last.row.id.clone()));
                TailAnswer::Rows(TailRows { rows, more, ..TailRows::default() })
            }
            TailQuery::Keys { criteria, slice: part, limit } => {
                let rows = slice(criteria, part).into_iter().take(*limit as usize);
                let key = |r: Arc<RenewalEvent>| {
                    let cursor = r.cursor();
                    TailKey { place: cursor.at.pg_micros(), tie: cursor.id, id: r.id.clone() }
                };
                TailAnswer::Keys(rows.map(key).collect())
            }
            TailQuery::Pick { criteria, ids, .. } => {
                let rows = self.matching(criteria).into_iter().filter(|r| ids.contains(&r.id)).map(found).collect();
                TailAnswer::Rows(TailRows { rows, ..TailRows::default() })
            }
        }
    }

    fn slice(&self, query: &SliceQuery) -> Slice {
        let mut rows = self.matching(&query.criteria);
        rows.reverse();
        rows.retain(|r| query.after.as_ref().is_none_or(|after| r.cursor() > *after));
        let more = rows.len() > query.limit as usize;
        rows.truncate(query.limit as usize);
        let next = rows.last().filter(|_| more).map(|r| r.cursor());
        Slice { rows, next, unreadable: 0 }
    }

    /// All rows of each device that has any, oldest first.
    fn devices(&self) -> BTreeMap<Id, Vec<Arc<RenewalEvent>>> {
        let mut devices: BTreeMap<Id, Vec<Arc<RenewalEvent>>> = BTreeMap::new();
        for row in self.rows.lock().unwrap().iter().rev() {
            if let Some(id) = row.device_id() {
                devices.entry(id.clone()).or_default().push(Arc::clone(row));
            }
        }
        devices
    }

    fn fleet(&self, query: &FleetQuery) -> Fleet {
        let mut devices = self.devices();
        let mut next = None;
        match query {
            FleetQuery::These(ids) => devices.retain(|id, _| ids.contains(id)),
            FleetQuery::Sweep { after, limit } => {
                devices.retain(|id, _| after.as_ref().is_none_or(|after| id > after));
                let ids: Vec<Id> = devices.keys().cloned().collect();
                if let Some(beyond) = ids.get(*limit as usize) {
                    next = ids.get(*limit as usize - 1).cloned();
                    devices.retain(|id, _| id < beyond);
                }
            }
        }
        let since = |(_, rows): (Id, Vec<Arc<RenewalEvent>>)| {
            let most = DeviceRows::MOST as usize;
            let newest = &rows[rows.len().saturating_sub(most)..];
            let success = newest.iter().rposition(|r| r.outcome() == Outcome::Succeeded);
            let last = rows.last().unwrap();
            DeviceRows {
                name: last.device.clone(),
                org: last.org.clone(),
                rows: newest[success.unwrap_or(0)..].to_vec(),
                complete: success.is_some() || rows.len() <= most,
            }
        };
        Fleet { devices: devices.into_iter().map(since).collect(), next, now: super::fleet::now() }
    }

    fn neighbors(&self, query: &NeighborsQuery) -> Vec<Neighbors> {
        let devices = self.devices();
        let around = |place: &renewscope::protocol::fleet::Place| {
            let rows = devices.get(&place.device).cloned().unwrap_or_default();
            let before: Vec<_> = rows.iter().filter(|r| r.cursor() < place.at).cloned().collect();
            let mut after: Vec<_> = rows.iter().filter(|r| r.cursor() > place.at).cloned().collect();
            let (from_first, to_last) = (before.len() <= query.before as usize, after.len() <= query.after as usize);
            after.truncate(query.after as usize);
            let nearest = before[before.len().saturating_sub(query.before as usize)..].to_vec();
            Neighbors { before: nearest, after, from_first, to_last }
        };
        query.of.iter().map(around).collect()
    }

    pub fn evaluate(&self, query: &Query) -> Result<Answer, SourceError> {
        if let Some(error) = self.broken.lock().unwrap().clone() {
            return Err(error);
        }
        Ok(match query {
            Query::Page { criteria, anchor, limit } | Query::WholePage { criteria, anchor, limit } => {
                let patience = *self.patience.lock().unwrap();
                if let Some(patience) = patience.filter(|_| anchor.is_older()) {
                    return Ok(Answer::Page(self.walk(criteria, anchor, patience)));
                }
                Answer::Page(page(self.matching(criteria), anchor, *limit as usize))
            }
            Query::Count { criteria, ceiling } => {
                let n = self.matching(criteria).len() as u64;
                Answer::Count(match ceiling {
                    Some(ceiling) if n > *ceiling => Total::AtLeast(*ceiling),
                    _ => Total::Exact(n),
                })
            }
            Query::Facets(query) => Answer::Facets(facets(&self.matching(&query.criteria), query)),
            Query::Histogram(query) => Answer::Histogram(histogram(&self.matching(&query.criteria), query)),
            Query::Event { id } => Answer::Event(self.rows.lock().unwrap().iter().find(|r| r.id == *id).cloned()),
            Query::Tail(query) => Answer::Tail(self.tail(query)),
            Query::Slice(query) => Answer::Slice(self.slice(query)),
            Query::Fleet(query) => Answer::Fleet(self.fleet(query)),
            Query::Neighbors(query) => Answer::Neighbors(self.neighbors(query)),
            Query::Clock => Answer::Clock(super::fleet::now()),
            Query::Describe => {
                let foreign = self.foreign.lock().unwrap().clone();
                let rows = self.rows.lock().unwrap();
                Answer::Described(Description {
                    tls: None,
                    address: "memory".into(),
                    profile: foreign.as_ref().map_or("own".into(), |(name, _)| name.clone()),
                    read_only: true,
                    oldest: rows.last().map(|r| r.created_at),
                    newest: rows.first().map(|r| r.created_at),
                    traits: foreign.map_or_else(Arc::default, |(_, traits)| traits),
                    notes: Vec::new(),
                    unreadable: 0,
                })
            }
        })
    }
}

impl EventSource for Memory {
    async fn answer(&self, query: &Query, _: impl Future<Output = ()> + Send) -> Result<Answer, SourceError> {
        self.evaluate(query)
    }
    fn changes(&self) -> Option<i64> {
        None
    }
}

fn page(rows: Vec<Arc<RenewalEvent>>, anchor: &Anchor, limit: usize) -> Page {
    let first = match anchor {
        Anchor::Newest => 0,
        Anchor::Oldest => rows.len().saturating_sub(limit),
        Anchor::Older(cursor) => rows.partition_point(|r| r.cursor() >= *cursor),
        Anchor::Newer(cursor) => rows.partition_point(|r| r.cursor() > *cursor).saturating_sub(limit),
        Anchor::At(at) => rows.partition_point(|r| r.created_at > *at),
        Anchor::AtOrAfter(at) => rows.partition_point(|r| r.created_at >= *at).saturating_sub(limit),
    };
    let end = match anchor {
        Anchor::Newer(cursor) => rows.partition_point(|r| r.cursor() > *cursor),
        Anchor::AtOrAfter(at) => rows.partition_point(|r| r.created_at >= *at),
        _ => (first + limit).min(rows.len()),
    };
    Page { rows: rows[first..end].to_vec(), more_newer: first > 0, more_older: end < rows.len(), ..Page::default() }
}

fn facets(rows: &[Arc<RenewalEvent>], query: &FacetQuery) -> Facets {
    let mut counts: BTreeMap<(Option<Id>, Option<Text>), u64> = BTreeMap::new();
    let ceiling = usize::try_from(query.ceiling).unwrap_or(usize::MAX);
    let partial = rows.len() > ceiling;
    for row in rows.iter().take(ceiling) {
        let text = |t: &str| Some(Id::Text(Text::from(t)));
        let key = match query.field {
            Field::Org => (row.org_id.clone(), row.org.clone()),
            Field::Device => (row.device_id().cloned(), row.device.clone()),
            Field::Kind => (text(row.kind.raw()), None),
            Field::Reason => (row.reason.as_ref().and_then(|r| text(r.raw())), None),
            Field::Error => {
                let signature = row.error.as_ref().map(|e| Signature::of(e.text.raw())).filter(|s| !s.text.is_empty());
                let named = signature.map(|s| (Id::Text(s.id.to_string().into()), Text::from(s.text.as_str())));
                named.unzip()
            }
        };
        *counts.entry(key).or_default() += 1;
    }
    let needle = query.needle.to_ascii_lowercase();
    let mut values: Vec<_> = counts
        .into_iter()
        .filter(|((id, name), _)| {
            let name = name.as_ref().map(|n| n.raw().to_owned()).or(id.as_ref().map(Id::raw)).unwrap_or_default();
            name.to_ascii_lowercase().contains(&needle)
        })
        .map(|((id, name), n)| Facet { id, name, rows: if partial { Total::AtLeast(n) } else { Total::Exact(n) } })
        .collect();
    values.sort_by_key(|f| match f.rows {
        Total::Exact(n) | Total::AtLeast(n) => std::cmp::Reverse(n),
    });
    // Events without an error are nearly all others, and stand last.
    values.sort_by_key(|f| query.field == Field::Error && f.id.is_none());
    let more = values.len() > query.limit as usize;
    values.truncate(query.limit as usize);
    Facets { values, more, partial }
}

fn histogram(rows: &[Arc<RenewalEvent>], query: &HistogramQuery) -> Histogram {
    let mut buckets = vec![[0; 4]; query.buckets as usize];
    for row in rows {
        let Some(offset) = row.created_at.since(query.from) else { continue };
        let index = offset.0.div_euclid(query.width_micros);
        let place = Outcome::ALL.iter().position(|o| *o == row.outcome()).unwrap();
        if let Some(bucket) = usize::try_from(index).ok().and_then(|i| buckets.get_mut(i)) {
            bucket[place] += 1;
        }
    }
    Histogram { buckets }
}
