//! Which index answers which query, on both databases.

use renewscope::domain::event::NewEvent;
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, KindMatch, NameMatch, Pattern};
use renewscope::domain::page::Anchor;
use renewscope::protocol::Query;
use renewscope::protocol::fleet::{FleetQuery, NeighborsQuery, Place, SliceQuery};
use renewscope::protocol::query::{FacetQuery, Field, HistogramQuery};
use renewscope::protocol::tail::{TailQuery, TimeSlice};

use super::bed::{Bed, all_of, at, event, named};
use super::pg;
use crate::on_both;

on_both!(every_query_has_its_index);

/// Twenty thousand rows: four organizations of unequal size, six types of unequal frequency, four hundred devices.
pub async fn fill(bed: &Bed) {
    let kinds = ["renewal_start", "renewal_success", "renewal_start", "renewal_success", "renewal_failed"];
    let events: Vec<_> = (0..20_000_i64)
        .map(|n| {
            let kind = if n % 997 == 0 { "recovery_failed" } else { kinds[(n % 5) as usize] };
            let org = ["acme", "acme", "acme", "globex", "globex", "lab"][(n % 6) as usize];
            NewEvent {
                org: named(org),
                error: kind.ends_with("failed").then(|| format!("error {n} {}", "x".repeat(100))),
                ..event(&format!("edge-{:03}", n % 400), kind, at(n))
            }
        })
        .collect();
    bed.fill(&events).await;
    if let Some(url) = &bed.url {
        pg::execute(url, "VACUUM ANALYZE").await;
    }
}

async fn every_query_has_its_index(bed: Bed) {
    fill(&bed).await;
    let failed = || Check::Kind(vec![KindMatch::Ending("failed".into())]);
    let orgs = |names: &[&str]| Check::Org(names.iter().map(|n| NameMatch::Name(Pattern::Is((*n).into()))).collect());
    let device = || Check::Device(vec![NameMatch::Name(Pattern::StartsWith("edge-01".into()))]);
    let anywhere = [Anchor::Newest, Anchor::Oldest, Anchor::At(at(10_000)), Anchor::Older(cursor(&bed).await)];
    let cases = [
        (Criteria::default(), "idx_cert_renewal_events_page"),
        (all_of([failed()]), "idx_cert_renewal_events_type_page"),
        (all_of([orgs(&["lab"])]), "idx_cert_renewal_events_org_page"),
        (all_of([orgs(&["lab", "globex"])]), "idx_cert_renewal_events_org_page"),
        (all_of([orgs(&["lab", "acme"]), failed()]), "idx_cert_renewal_events_org_type_page"),
        (all_of([device()]), "idx_cert_renewal_events_device_page"),
    ];
    for (criteria, index) in &cases {
        for anchor in &anywhere {
            let query = Query::Page { criteria: criteria.clone(), anchor: anchor.clone(), limit: 100 };
            check(&bed, &query, index).await;
        }
        let slice = TimeSlice::Time { from: at(19_990), after: None, until: Some(at(20_000)) };
        let (criteria, limit) = (criteria.clone(), 100);
        let keys = TailQuery::Keys { criteria: criteria.clone(), slice: slice.clone(), limit };
        check(&bed, &Query::Tail(keys), "idx_cert_renewal_events_").await;
        let rows = TailQuery::Rows { criteria: criteria.clone(), slice, limit, whole: false };
        check(&bed, &Query::Tail(rows), "idx_cert_renewal_events_").await;
        let field = Field::Kind;
        let query = FacetQuery { field, criteria: criteria.clone(), needle: String::new(), limit: 10, ceiling: 500 };
        check(&bed, &Query::Facets(query), index).await;
    }
    // All types pass: no condition remains, and the plain order answers.
    let all = all_of([Check::Kind(vec![KindMatch::Name(Pattern::Contains("re".into()))])]);
    check(&bed, &Query::Page { criteria: all, anchor: Anchor::Newest, limit: 100 }, "idx_cert_renewal_events_page")
        .await;
    let query = HistogramQuery { criteria: Criteria::default(), from: at(0), width_micros: 60_000_000, buckets: 20 };
    check(&bed, &Query::Histogram(query), "idx_cert_renewal_events_type_page").await;
    let query =
        HistogramQuery { criteria: all_of([orgs(&["lab"])]), from: at(0), width_micros: 60_000_000, buckets: 20 };
    check(&bed, &Query::Histogram(query), "idx_cert_renewal_events_org_type_page").await;
    // What no index of types answers is counted in one pass over the rows, not in one per type.
    let unindexed = all_of([Check::Text("error 99".into())]);
    let query = HistogramQuery { criteria: unindexed, from: at(0), width_micros: 60_000_000, buckets: 20 };
    let plan = bed.store.explain(&Query::Histogram(query)).await.unwrap();
    let compound = plan.iter().any(|l| l.contains("Append") || l.contains("COMPOUND") || l.contains("UNION"));
    assert!(!compound, "a text is searched type by type:\n{}", plan.join("\n"));
    let query = Query::Count { criteria: all_of([orgs(&["lab"]), failed()]), ceiling: Some(10_000) };
    check(&bed, &query, "idx_cert_renewal_events_org_type_page").await;
    check(&bed, &Query::Describe, "idx_cert_renewal_events_").await;
    investigations(&bed, all_of([failed()])).await;
}

/// Slices by time, and the rows of devices by the index that begins with the device.
async fn investigations(bed: &Bed, failed: Criteria) {
    for criteria in [Criteria::default(), failed] {
        for after in [None, Some(cursor(bed).await)] {
            let slice = SliceQuery { criteria: criteria.clone(), after, limit: 500 };
            check(bed, &Query::Slice(slice), "idx_cert_renewal_events_").await;
        }
    }
    let rows = bed.page(&Criteria::default(), Anchor::Newest, 300).await.rows;
    let ids: Vec<_> = rows.iter().map(|row| row.device_id.clone()).collect();
    let of: Vec<_> = rows.iter().map(|row| Place { device: row.device_id.clone(), at: row.cursor() }).collect();
    for query in [
        Query::Fleet(FleetQuery::Sweep { after: Some(ids[0].clone()), limit: 100 }),
        Query::Fleet(FleetQuery::These(ids[..1].to_vec())),
        Query::Fleet(FleetQuery::These(ids)),
        Query::Neighbors(NeighborsQuery { of: of[..1].to_vec(), before: 1, after: 1 }),
        Query::Neighbors(NeighborsQuery { of, before: 8, after: 0 }),
    ] {
        check(bed, &query, "idx_cert_renewal_events_device_page").await;
    }
}

async fn cursor(bed: &Bed) -> renewscope::domain::page::Cursor {
    bed.page(&Criteria::default(), Anchor::At(at(12_000)), 1).await.rows[0].cursor()
}

/// The plan uses the index, and reads the event table only through indexes.
async fn check(bed: &Bed, query: &Query, index: &str) {
    let plan = bed.store.explain(query).await.unwrap();
    let text = plan.join("\n");
    // A device has few rows: sorting all of them may cost PostgreSQL less than reading them in order.
    let same = if index == "idx_cert_renewal_events_device_page" { "idx_cert_renewal_events_device_id" } else { index };
    assert!(plan.iter().any(|l| l.contains(index) || l.contains(same)), "{query:?} does not use {index}:\n{text}");
    let postgres = plan.iter().filter(|l| l.contains("Seq Scan on certificate_renewal_events")).count();
    // SQLite reads the page, a subquery, under the name of the table that it is read from.
    let subqueries = plan.iter().filter(|l| *l == "CO-ROUTINE e" || *l == "MATERIALIZE e").count();
    let sqlite = plan.iter().filter(|l| *l == "SCAN e").count();
    assert!(postgres == 0 && sqlite <= subqueries, "{query:?} reads the whole table:\n{text}");
}
