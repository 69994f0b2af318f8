//! Signatures of errors: the exact test of a filter on them, and the folds that count by them or under such a filter.
//!
//! No database can mask a message, so rows are read and tested here, in their order and page after page, until a result is
//! full or no row follows. Every other condition of the filter is in the statement. Called by the queries of the list, the
//! counts and the histogram; a filter on signatures must never be tested on the rows of one page alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::page::Cursor;
use crate::domain::signature::{SigId, Signature};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::protocol::query::{Field, Histogram, HistogramQuery};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::histogram::Counted;
use crate::store::queries::page::Rows;
use crate::store::queries::resolved::{Condition, Resolved};
use crate::store::queries::sql::keys::{Bound, Order};
use crate::store::queries::sql::page::{Errors, Window, decode};
use crate::store::queries::sql::signature::{Also, Messages, messages};
use crate::store::queries::sql::tail::pick;
use crate::store::queries::sql::{Selection, aggregate};
use crate::store::sql::cell::Row;

/// Rows of one statement at first, and at most: one with the longest messages takes some ten megabytes.
const FIRST: u64 = 500;
const MOST: u64 = 5000;
/// Without an index on the time each statement sorts the table, so it should be one of few.
const MOST_UNSORTED: u64 = 100_000;
/// Ids of one statement that reads rows by them.
const IDS: usize = 1000;
/// Messages whose signatures are remembered within one query: many devices fail with the same words.
const REMEMBERED: usize = 4096;

/// A signature as the values of other fields are: its id and its text, or neither.
type Value = (Option<Id>, Option<Text>);

/// A message's signature; `None` for a row without a message, or with one that says nothing.
type Sig = Option<(SigId, Text)>;

/// The signatures of the messages that one query reads.
#[derive(Default)]
struct Masks(HashMap<Text, Sig>);

impl Masks {
    fn of(&mut self, message: Option<Text>) -> Sig {
        let message = message?;
        if let Some(known) = self.0.get(&message) {
            return known.clone();
        }
        let signature = Signature::of(message.raw());
        let sig = Some((signature.id, Text::from(signature.text.as_str()))).filter(|(id, _)| !id.is_empty());
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(message, sig.clone());
        sig
    }
}

/// Whether a signature passes the clauses on signatures.
pub fn passes(clauses: &[Clause], sig: Option<SigId>) -> bool {
    clauses.iter().all(|clause| match &clause.check {
        Check::Sig(any) => any.iter().any(|m| m.matches(sig)) != clause.negated,
        _ => true,
    })
}

/// A row that passed: its signature, its place in the order, and its further cells.
struct Message {
    sig: Sig,
    /// `None` for a row that cannot be shown.
    place: Option<Cursor>,
    row: Row,
}

/// Where a fold over messages begins, and what it reads of each row.
struct Reading<'a> {
    bound: Bound,
    order: Order,
    also: Also<'a>,
}

impl Reading<'_> {
    const fn newest_first(also: Also<'_>) -> Reading<'_> {
        Reading { bound: Bound::Nowhere, order: Order::NewestFirst, also }
    }
}

/// The rows of a selection without a message, and those with one. Without a filter on signatures both together are the
/// selection.
pub fn parted(resolved: &Resolved) -> (Resolved, Resolved) {
    let part = |recorded| {
        let mut part = resolved.clone();
        part.rest.push(Condition::Error { recorded });
        part
    };
    (part(false), part(true))
}

/// A selection whose rows are tested by their signatures, or counted by them.
pub struct Signed<'a> {
    executor: &'a Executor<'a>,
    resolved: &'a Resolved,
}

impl Executor<'_> {
    /// A selection for what only signatures can tell.
    pub const fn signed<'a>(&'a self, resolved: &'a Resolved) -> Signed<'a> {
        Signed { executor: self, resolved }
    }

    /// The events of these ids with their names, in any order.
    async fn these(&self, s: &mut Session, ids: &[Id], errors: Errors) -> Result<Vec<RenewalEvent>, SourceError> {
        let all = Resolved::everything();
        let mut events = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS) {
            let (sql, shape) = pick(Selection::new(self.source, &all), ids, None, errors);
            let rows = s.rows(&sql, &shape).await?;
            events.extend(rows.into_iter().filter_map(|mut row| decode(self.source, errors, false, &mut row)));
        }
        self.shared.names.fill(s, self.source, &mut events).await?;
        Ok(events)
    }
}

impl Signed<'_> {
    /// The rows of a window that pass the clauses on signatures.
    pub async fn rows(&self, s: &mut Session, window: &Window) -> Result<Rows, SourceError> {
        let source = self.executor.source;
        // These tables have the id as their primary key, so that only the rows that pass are read whole.
        if source.is_own() || source.carries_reason {
            return self.rows_by_id(s, window).await;
        }
        self.sifted(s, window).await
    }

    /// The rows of a window: their ids are found first, and then the rows are read by them.
    async fn rows_by_id(&self, s: &mut Session, window: &Window) -> Result<Rows, SourceError> {
        let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
        let (mut ids, mut unreadable) = (Vec::new(), 0);
        let reading = Reading { bound: window.bound.clone(), order: window.order, also: Also::Id };
        let find = |mut message: Message| {
            match message.place.and_then(|_| message.row.id(3)) {
                Some(id) => ids.push(id),
                None => unreadable += 1,
            }
            ids.len() <= limit
        };
        self.each(s, reading, find).await?;
        let more = ids.len() > limit;
        ids.truncate(limit);
        let mut events = self.executor.these(s, &ids, window.errors).await?;
        let order: HashMap<&Id, usize> = ids.iter().zip(0..).collect();
        events.sort_by_key(|event| order.get(&event.id).copied());
        if window.order == Order::OldestFirst {
            events.reverse();
        }
        Ok(Rows { events: events.into_iter().map(Arc::new).collect(), more, unreadable })
    }

    /// The rows of a window: candidates are read until the window is full or none follows.
    async fn sifted(&self, s: &mut Session, window: &Window) -> Result<Rows, SourceError> {
        let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
        let test = Criteria { all: self.resolved.signatures.clone() };
        let most = u32::try_from(MOST).unwrap_or(u32::MAX);
        let mut reach = Window { limit: window.limit.saturating_add(1).clamp(200, most), ..window.clone() };
        let mut out = Rows::default();
        loop {
            let Rows { mut events, more, unreadable } = self.executor.candidates(s, self.resolved, &reach).await?;
            if window.order == Order::OldestFirst {
                events.reverse();
            }
            let last = events.last().map(|event| event.cursor());
            out.events.extend(events.into_iter().filter(|event| test.matches(event)));
            out.more = out.events.len() > limit;
            if !out.more {
                out.unreadable += unreadable;
            }
            let Some(last) = last.filter(|_| more && !out.more) else { break };
            reach.bound = behind(last, window.order);
            reach.limit = reach.limit.saturating_mul(2).min(most);
        }
        out.events.truncate(limit);
        if window.order == Order::OldestFirst {
            out.events.reverse();
        }
        Ok(out)
    }

    /// Gives each row that passes the clauses on signatures to `take`, until none follows or `take` returns false. Nothing where the source records no errors.
    async fn each(
        &self,
        s: &mut Session,
        reading: Reading<'_>,
        mut take: impl FnMut(Message) -> bool,
    ) -> Result<(), SourceError> {
        let Self { executor, resolved } = *self;
        let most = if executor.source.indexes.clock { MOST } else { MOST_UNSORTED };
        let Reading { bound, order, also } = reading;
        let mut read = Messages { bound, order, limit: if most == MOST { FIRST } else { most }, also };
        let mut masks = Masks::default();
        while !resolved.is_empty()
            && let Some((sql, shape)) = messages(Selection::new(executor.source, resolved), &read)
        {
            let rows = s.rows(&sql, &shape).await?;
            let full = u64::try_from(rows.len()).unwrap_or(u64::MAX) >= read.limit;
            let mut rows: Vec<_> = rows.into_iter().map(|mut row| (place(&mut row), row)).collect();
            let mut last = None;
            if full {
                // The next statement begins behind the last row that has a place in the order.
                let Some(n) = rows.iter().rposition(|(place, _)| place.is_some()) else {
                    read.limit = read.limit.saturating_mul(8);
                    continue;
                };
                rows.truncate(n + 1);
                last = rows.last().and_then(|(place, _)| place.clone());
            }
            for (place, mut row) in rows {
                let sig = masks.of(row.text(2));
                let passed = passes(&resolved.signatures, sig.as_ref().map(|(id, _)| *id));
                if passed && !take(Message { sig, place, row }) {
                    return Ok(());
                }
            }
            let Some(last) = last else { return Ok(()) };
            read.bound = behind(last, order);
            read.limit = read.limit.saturating_mul(4).min(most);
        }
        Ok(())
    }

    /// The number of rows that pass the clauses on signatures, counting at most `limit`.
    pub async fn count(&self, s: &mut Session, limit: Option<u64>) -> Result<u64, SourceError> {
        let (without, with) = parted(self.resolved);
        let limit = limit.unwrap_or(u64::MAX);
        let mut counted = 0;
        if passes(&self.resolved.signatures, None) {
            counted = self.executor.count_rows(s, &without, Some(limit)).await?;
        }
        if counted < limit {
            let reading = Reading::newest_first(Also::Nothing);
            let more = |_| {
                counted += 1;
                counted < limit
            };
            self.executor.signed(&with).each(s, reading, more).await?;
        }
        Ok(counted)
    }

    /// The values of a field with their rows among the newest rows up to the ceiling that pass the clauses on signatures,
    /// most frequent first, and whether more rows do.
    pub async fn values(
        &self,
        s: &mut Session,
        field: Field,
        ceiling: u64,
    ) -> Result<(Vec<(Option<Id>, u64)>, bool), SourceError> {
        let mut rows: HashMap<Option<Id>, u64> = HashMap::new();
        let mut seen = 0;
        let count = |mut message: Message| {
            seen += 1;
            if seen <= ceiling {
                *rows.entry(message.row.shown_id(3)).or_default() += 1;
            }
            seen <= ceiling
        };
        self.each(s, Reading::newest_first(Also::Value(field)), count).await?;
        let mut values: Vec<_> = rows.into_iter().collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok((values, seen > ceiling))
    }

    /// The signatures among the newest rows up to the ceiling with their rows, and whether more rows match. A value without
    /// id stands for the rows without a signature. `cutoff` is the first row beyond the ceiling, where the selection has no
    /// clauses on signatures and more rows match.
    pub async fn signatures(
        &self,
        s: &mut Session,
        cutoff: Option<Cursor>,
        ceiling: u64,
    ) -> Result<(Vec<(Value, u64)>, bool), SourceError> {
        let (found, partial) = if self.resolved.is_empty() || self.executor.source.map.error.is_none() {
            (HashMap::new(), false)
        } else if self.resolved.signatures.is_empty() {
            let partial = cutoff.is_some();
            (self.all_signatures(s, cutoff).await?, partial)
        } else {
            self.newest_signatures(s, ceiling).await?
        };
        let value = |sig: Sig| sig.map(|(id, text)| (Id::Text(id.to_string().into()), text)).unzip();
        Ok((found.into_iter().map(|(sig, rows)| (value(sig), rows)).collect(), partial))
    }

    /// The signatures of all rows newer than `cutoff`.
    async fn all_signatures(&self, s: &mut Session, cutoff: Option<Cursor>) -> Result<HashMap<Sig, u64>, SourceError> {
        let Self { executor, resolved } = *self;
        let mut found: HashMap<Sig, u64> = HashMap::new();
        let (without, with) = parted(resolved);
        let bound = cutoff.map_or(Bound::Nowhere, Bound::NewerThan);
        // Most rows are no failures: the database counts those without reading more of them.
        let (sql, shape) = aggregate::count_from(Selection::new(executor.source, &without), &bound);
        let none = s.rows(&sql, &shape).await?.into_iter().next().and_then(|mut row| row.int(0)).unwrap_or(0);
        let reading = Reading { bound, order: Order::OldestFirst, also: Also::Nothing };
        let count = |message: Message| {
            *found.entry(message.sig).or_default() += 1;
            true
        };
        executor.signed(&with).each(s, reading, count).await?;
        if let Some(none) = u64::try_from(none).ok().filter(|n| *n > 0) {
            *found.entry(None).or_default() += none;
        }
        Ok(found)
    }

    /// The signatures of the newest rows up to the ceiling that pass the clauses on signatures, and whether more rows do.
    async fn newest_signatures(&self, s: &mut Session, ceiling: u64) -> Result<(HashMap<Sig, u64>, bool), SourceError> {
        let mut found: HashMap<Sig, u64> = HashMap::new();
        let mut seen = 0;
        let count = |message: Message| {
            seen += 1;
            if seen <= ceiling {
                *found.entry(message.sig).or_default() += 1;
            }
            seen <= ceiling
        };
        self.each(s, Reading::newest_first(Also::Nothing), count).await?;
        Ok((found, seen > ceiling))
    }

    /// Adds the rows with a message that pass the clauses on signatures to a histogram.
    pub async fn histogram(
        &self,
        s: &mut Session,
        query: &HistogramQuery,
        out: &mut Histogram,
    ) -> Result<(), SourceError> {
        let source = self.executor.source;
        let add = |mut message: Message| {
            let (bucket, kind) = (message.row.int(3), message.row.string(4).unwrap_or_default());
            Counted { bucket, kind, rows: 1 }.add(source, out);
            true
        };
        self.each(s, Reading::newest_first(Also::Bucket(query)), add).await
    }
}

/// Where a read in an order goes on behind a row.
const fn behind(last: Cursor, order: Order) -> Bound {
    match order {
        Order::NewestFirst => Bound::OlderThan(last),
        Order::OldestFirst => Bound::NewerThan(last),
    }
}

/// The place of a row in the order; `None` for a time or an id that cannot be compared.
fn place(row: &mut Row) -> Option<Cursor> {
    Some(Cursor { at: row.time(0)?, id: row.id(1)? })
}
