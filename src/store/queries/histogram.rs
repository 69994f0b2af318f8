//! The query for events by time bucket and outcome.
//!
//! Called by the dispatch. The sum over all buckets must equal the count of the same filter and range.

use crate::domain::event::Outcome;
use crate::domain::instant::Span;
use crate::protocol::SourceError;
use crate::protocol::query::{Histogram, HistogramQuery};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::resolved::Set;
use crate::store::queries::signature::{parted, passes};
use crate::store::queries::sql::{aggregate, histogram};
use crate::store::source::Source;
use crate::store::source::derived::outcome_of;

/// More types than this are not counted branch by branch.
const MAX_KIND_BRANCHES: usize = 60;
/// A histogram wider than this fits no screen.
const MAX_BUCKETS: u32 = 10_000;

impl Executor<'_> {
    /// Counts the matching rows of each bucket. Rows of infinite time are in none.
    pub async fn histogram(&self, s: &mut Session, query: &HistogramQuery) -> Result<Histogram, SourceError> {
        let buckets = query.buckets.min(MAX_BUCKETS);
        let mut out = Histogram { buckets: vec![[0; 4]; usize::try_from(buckets).unwrap_or(0)] };
        let mut resolved = self.resolve(s, &query.criteria).await?;
        let length = Span(query.width_micros.max(1).saturating_mul(i64::from(buckets)));
        resolved.clamp(Some(query.from), Some(query.from.end_after(length)));
        if resolved.is_empty() || !query.from.is_finite() {
            return Ok(out);
        }
        if !resolved.signatures.is_empty() {
            let (without, with) = parted(&resolved);
            self.signed(&with).histogram(s, query, &mut out).await?;
            if !passes(&resolved.signatures, None) {
                return Ok(out);
            }
            resolved = without;
        }
        let kinds = match &resolved.kinds {
            Set::All if aggregate::is_in_index(self.source, &resolved) => self.resolver().list_kinds(s).await?,
            _ => None,
        };
        let kinds = kinds.as_deref().filter(|k| !k.is_empty() && k.len() <= MAX_KIND_BRANCHES);
        let (sql, shape) = histogram::histogram(self.source, &resolved, kinds, query);
        for mut row in s.rows(&sql, &shape).await? {
            let (bucket, kind, rows) = (row.int(0), row.string(1).unwrap_or_default(), row.int(2).unwrap_or(0));
            Counted { bucket, kind, rows }.add(self.source, &mut out);
        }
        Ok(out)
    }
}

/// Rows of one bucket and one type.
pub struct Counted {
    /// The number of the bucket, from 0; one outside of the histogram counts nothing.
    pub bucket: Option<i64>,
    /// The type, or the stated outcome as the statement marks it.
    pub kind: String,
    pub rows: i64,
}

impl Counted {
    /// Adds the rows to a histogram.
    pub fn add(self, source: &Source, out: &mut Histogram) {
        let Self { bucket, kind, rows } = self;
        let slot = bucket.and_then(|b| usize::try_from(b).ok()).and_then(|b| out.buckets.get_mut(b));
        let Some(counts) = slot else { return };
        let stated = kind.strip_prefix(histogram::STATED).filter(|_| source.map.outcome.is_some());
        let outcome = stated.and_then(outcome_of).unwrap_or_else(|| source.traits.outcome_of(&kind));
        for (count, _) in counts.iter_mut().zip(Outcome::ALL).filter(|(_, o)| *o == outcome) {
            *count += u64::try_from(rows).unwrap_or(0);
        }
    }
}
