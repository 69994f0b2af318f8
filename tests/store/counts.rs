//! Counting agrees with memory, by index and by row: the values of a field, and the buckets of the histogram.

use std::collections::BTreeMap;
use std::sync::Arc;

use renewscope::domain::event::{ErrorText, Outcome, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::instant::Span;
use renewscope::domain::page::Total;
use renewscope::protocol::query::{FacetQuery, Field, HistogramQuery};
use renewscope::protocol::{Answer, Query};

use super::bed::{Bed, at};

const CEILING: usize = 40;
/// Begins and ends within the rows, with boundaries between their microseconds.
const BUCKETS: (i64, i64, u32) = (-2 * 3600, 900_000_001, 18);

/// `expected` are the rows that match, newest first.
pub async fn compare(bed: &Bed, expected: &[Arc<RenewalEvent>], criteria: &Criteria) {
    for field in [Field::Kind, Field::Org, Field::Reason, Field::Error, Field::Device] {
        let criteria = criteria.clone();
        let ceiling = CEILING as u64;
        let query = FacetQuery { field, criteria: criteria.clone(), needle: String::new(), limit: 1000, ceiling };
        let Answer::Facets(facets) = bed.store.run(&Query::Facets(query)).await.unwrap() else { panic!() };
        let value = |e: &RenewalEvent| match field {
            Field::Kind => Some(e.kind.raw().to_owned()),
            Field::Reason => e.reason.as_ref().map(|r| r.raw().to_owned()),
            Field::Org => e.org_id.as_ref().map(|id| id.raw()),
            Field::Device => e.device_id().map(|id| id.raw()),
            Field::Error => e.error.as_ref().and_then(ErrorText::sig).map(|sig| sig.to_string()),
        };
        // Beyond the ceiling numbers are lower bounds: the row that tells that there are more may be counted too.
        let counts = |rows: usize| {
            let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
            for event in expected.iter().take(rows) {
                *counts.entry(value(event)).or_default() += 1;
            }
            counts
        };
        let rows = |total| match total {
            Total::Exact(n) | Total::AtLeast(n) => n,
        };
        let found = facets.values.iter().map(|f| (f.id.as_ref().map(|id| id.raw()), rows(f.rows)));
        let found: BTreeMap<_, _> = found.filter(|(_, n)| *n > 0).collect();
        assert!(found == counts(CEILING) || found == counts(CEILING + 1), "{field:?} {criteria:#?} {found:?}");
        assert_eq!(facets.partial, expected.len() > CEILING, "{field:?} {criteria:#?}");
    }
    let (from, width_micros, buckets) = BUCKETS;
    let query = HistogramQuery { criteria: criteria.clone(), from: at(from), width_micros, buckets };
    let Answer::Histogram(found) = bed.store.run(&Query::Histogram(query)).await.unwrap() else { panic!() };
    let mut counts = vec![[0_u64; 4]; buckets as usize];
    for event in expected {
        let Some(Span(offset)) = event.created_at.since(at(from)).filter(|s| s.0 >= 0) else { continue };
        let place = Outcome::ALL.iter().position(|o| *o == event.outcome()).unwrap();
        if let Some(bucket) = counts.get_mut(usize::try_from(offset / width_micros).unwrap()) {
            bucket[place] += 1;
        }
    }
    assert_eq!(found.buckets, counts, "{criteria:#?}");
}
