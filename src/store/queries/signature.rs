//! Signatures of errors: the exact test of a filter on them, and the folds that count by them or under such a filter.
//!
//! No database can mask a message, so rows are read and tested here, in their order and page after page, until a result is
//! full or no row follows. Every other condition of the filter is in the statement. Called by the queries of the list, the
//! counts and the histogram; a filter on signatures must never be tested on the rows of one page alone.

use std::collections::HashMap;

use crate::domain::event::Id;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::page::Cursor;
use crate::domain::signature::{SigId, Signature};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::protocol::query::{Field, Histogram, HistogramQuery};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::histogram::tally;
use crate::store::queries::page::Rows;
use crate::store::queries::resolved::{Condition, Resolved};
use crate::store::queries::sql::keys::{Bound, Order};
use crate::store::queries::sql::page::Window;
use crate::store::queries::sql::signature::{Also, Messages, messages};
use crate::store::queries::sql::{Selection, aggregate};
use crate::store::sql::cell::Row;

/// Rows of one statement at first, and at most: one with the longest messages takes some ten megabytes.
const FIRST: u64 = 500;
const MOST: u64 = 5000;
/// Without an index on the time each statement sorts the table, so it should be one of few.
const MOST_UNSORTED: u64 = 100_000;
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

impl Executor<'_> {
    /// The rows of a window that pass the clauses on signatures: candidates are read until the window is full or none
    /// follows.
    pub async fn sifted(&self, s: &mut Session, resolved: &Resolved, window: &Window) -> Result<Rows, SourceError> {
        let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
        let test = Criteria { all: resolved.signatures.clone() };
        let most = u32::try_from(MOST).unwrap_or(u32::MAX);
        let mut reach = Window { limit: window.limit.saturating_add(1).clamp(200, most), ..window.clone() };
        let mut out = Rows::default();
        loop {
            let Rows { mut events, more, unreadable } = self.candidates(s, resolved, &reach).await?;
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
            reach.bound = match window.order {
                Order::NewestFirst => Bound::OlderThan(last),
                Order::OldestFirst => Bound::NewerThan(last),
            };
            reach.limit = reach.limit.saturating_mul(2).min(most);
        }
        out.events.truncate(limit);
        if window.order == Order::OldestFirst {
            out.events.reverse();
        }
        Ok(out)
    }

    /// Gives each row of a selection that passes the clauses on signatures to `take`, with its signature and its cells,
    /// until none follows or `take` returns false. Nothing where the source records no errors.
    async fn each(
        &self,
        s: &mut Session,
        (resolved, reading): (&Resolved, Reading<'_>),
        mut take: impl FnMut(Sig, &mut Row) -> bool,
    ) -> Result<(), SourceError> {
        let most = if self.source.indexes.clock { MOST } else { MOST_UNSORTED };
        let Reading { bound, order, also } = reading;
        let mut read = Messages { bound, order, limit: if most == MOST { FIRST } else { most }, also };
        let mut masks = Masks::default();
        while !resolved.is_empty()
            && let Some((sql, shape)) = messages(Selection::new(self.source, resolved), &read)
        {
            let mut rows = s.rows(&sql, &shape).await?;
            let full = u64::try_from(rows.len()).unwrap_or(u64::MAX) >= read.limit;
            let mut last = None;
            if full {
                // The next statement begins behind the last row that has a place in the order.
                last = rows.iter_mut().enumerate().rev().find_map(|(n, row)| Some((n, place(row)?)));
                let Some((n, _)) = &last else {
                    read.limit = read.limit.saturating_mul(8);
                    continue;
                };
                rows.truncate(n + 1);
            }
            for mut row in rows {
                let sig = masks.of(row.text(2));
                let passed = passes(&resolved.signatures, sig.as_ref().map(|(id, _)| *id));
                if passed && !take(sig, &mut row) {
                    return Ok(());
                }
            }
            let Some((_, last)) = last else { return Ok(()) };
            read.bound = match order {
                Order::NewestFirst => Bound::OlderThan(last),
                Order::OldestFirst => Bound::NewerThan(last),
            };
            read.limit = read.limit.saturating_mul(4).min(most);
        }
        Ok(())
    }

    /// The number of rows that pass the clauses on signatures, counting at most `limit`.
    pub async fn count_sifted(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        limit: Option<u64>,
    ) -> Result<u64, SourceError> {
        let (without, with) = parted(resolved);
        let limit = limit.unwrap_or(u64::MAX);
        let mut counted = 0;
        if passes(&resolved.signatures, None) {
            counted = self.count_rows(s, &without, Some(limit)).await?;
        }
        if counted < limit {
            self.each(s, (&with, Reading::newest_first(Also::Nothing)), |_, _| {
                counted += 1;
                counted < limit
            })
            .await?;
        }
        Ok(counted)
    }

    /// The values of a field with their rows among the newest rows up to the ceiling that pass the clauses on signatures,
    /// most frequent first, and whether more rows do.
    pub async fn values_sifted(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        (field, ceiling): (Field, u64),
    ) -> Result<(Vec<(Option<Id>, u64)>, bool), SourceError> {
        let mut rows: HashMap<Option<Id>, u64> = HashMap::new();
        let mut seen = 0;
        self.each(s, (resolved, Reading::newest_first(Also::Value(field))), |_, row| {
            seen += 1;
            if seen <= ceiling {
                *rows.entry(row.shown_id(3)).or_default() += 1;
            }
            seen <= ceiling
        })
        .await?;
        let mut values: Vec<_> = rows.into_iter().collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok((values, seen > ceiling))
    }

    /// The signatures among the newest rows up to the ceiling with their rows, and whether more rows match. `None` stands
    /// for the rows without a signature. `cutoff` is the first row beyond the ceiling, where the selection has no clauses on
    /// signatures and more rows match.
    pub async fn signatures(
        &self,
        s: &mut Session,
        resolved: &Resolved,
        (cutoff, ceiling): (Option<Cursor>, u64),
    ) -> Result<(Vec<(Value, u64)>, bool), SourceError> {
        let mut found: HashMap<Sig, u64> = HashMap::new();
        let partial = self.count_signatures(s, (resolved, &mut found), (cutoff, ceiling)).await?;
        let value = |sig: Sig| sig.map(|(id, text)| (Id::Text(id.to_string().into()), text)).unzip();
        Ok((found.into_iter().map(|(sig, rows)| (value(sig), rows)).collect(), partial))
    }

    /// Adds the signatures with their rows to `found`; see [`signatures`](Self::signatures).
    async fn count_signatures(
        &self,
        s: &mut Session,
        (resolved, found): (&Resolved, &mut HashMap<Sig, u64>),
        (cutoff, ceiling): (Option<Cursor>, u64),
    ) -> Result<bool, SourceError> {
        if resolved.is_empty() || self.source.map.error.is_none() {
            return Ok(false);
        }
        if !resolved.signatures.is_empty() {
            let mut seen = 0;
            self.each(s, (resolved, Reading::newest_first(Also::Nothing)), |sig, _| {
                seen += 1;
                if seen <= ceiling {
                    *found.entry(sig).or_default() += 1;
                }
                seen <= ceiling
            })
            .await?;
            return Ok(seen > ceiling);
        }
        let (without, with) = parted(resolved);
        let partial = cutoff.is_some();
        let bound = cutoff.map_or(Bound::Nowhere, Bound::NewerThan);
        // Most rows are no failures: the database counts those without reading more of them.
        let (sql, shape) = aggregate::count_from(Selection::new(self.source, &without), &bound);
        let none = s.rows(&sql, &shape).await?.into_iter().next().and_then(|mut row| row.int(0)).unwrap_or(0);
        let reading = Reading { bound, order: Order::OldestFirst, also: Also::Nothing };
        self.each(s, (&with, reading), |sig, _| {
            *found.entry(sig).or_default() += 1;
            true
        })
        .await?;
        if let Some(none) = u64::try_from(none).ok().filter(|n| *n > 0) {
            *found.entry(None).or_default() += none;
        }
        Ok(partial)
    }

    /// Adds the rows with a message that pass the clauses on signatures to a histogram.
    pub async fn histogram_sifted(
        &self,
        s: &mut Session,
        (resolved, query): (&Resolved, &HistogramQuery),
        out: &mut Histogram,
    ) -> Result<(), SourceError> {
        let source = self.source;
        self.each(s, (resolved, Reading::newest_first(Also::Bucket(query))), |_, row| {
            let (bucket, kind) = (row.int(3), row.string(4).unwrap_or_default());
            tally(source, out, (bucket, &kind, 1));
            true
        })
        .await
    }
}

/// The place of a row in the order; `None` for a time or an id that cannot be compared.
fn place(row: &mut Row) -> Option<Cursor> {
    Some(Cursor { at: row.time(0)?, id: row.id(1)? })
}
