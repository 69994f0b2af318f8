//! Slices, fleets and neighbors: how long each takes, and on PostgreSQL how many pages its statements read.

use std::time::{Duration, Instant as Moment};

use renewscope::domain::filter::{Criteria, Filter};
use renewscope::domain::page::Anchor;
use renewscope::domain::zone::Zone;
use renewscope::protocol::fleet::{FleetQuery, NeighborsQuery, Place, SliceQuery};
use renewscope::protocol::{Answer, Query};
use renewscope::store::{ConnectOptions, Store};

use crate::beds::Bed;
use crate::table::{Table, Target, ms};

/// Measures each query on one data set; the best of the rounds counts.
pub async fn investigations(bed: &Bed, rounds: usize, table: &mut Table) {
    let store = Store::connect(&bed.address(), &ConnectOptions::default()).await.unwrap();
    let newest = Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 200 };
    let Answer::Page(newest) = store.run(&newest).await.unwrap() else { panic!("a page") };
    let slice = |filter: &str| {
        let criteria = Filter::parse(filter).unwrap().criteria(bed.now, &Zone::Utc);
        Query::Slice(SliceQuery { criteria, after: None, limit: 20_000 })
    };
    let ids: Vec<_> = newest.rows.iter().map(|row| row.device_id.clone()).collect();
    let of: Vec<_> = newest.rows.iter().map(|row| Place { device: row.device_id.clone(), at: row.cursor() }).collect();
    let around = |before, after| Query::Neighbors(NeighborsQuery { of: of.clone(), before, after });
    // The types of these events are drawn at random: of more than half of the devices, the newest row is no success.
    for (what, query, target) in [
        ("slice of 20,000 rows", slice(""), 0.025),
        ("slice of 30 days, failures", slice("since:30d type:failed"), 2.0),
        ("fleet, the first 2,000 devices", Query::Fleet(FleetQuery::Sweep { after: None, limit: 2000 }), 12.0),
        ("fleet, the devices of the newest 200 rows", Query::Fleet(FleetQuery::These(ids)), 12.0),
        ("8 rows before each of the newest 200", around(8, 0), 6.0),
        ("one row on each side of the newest 200", around(1, 1), 12.0),
    ] {
        let mut best = Duration::MAX;
        let mut found = 0;
        for _ in 0..rounds {
            let begun = Moment::now();
            found = match store.run(&query).await.unwrap() {
                Answer::Slice(slice) => slice.rows.len(),
                Answer::Fleet(fleet) => fleet.devices.len(),
                Answer::Neighbors(all) => all.iter().map(|one| one.before.len() + one.after.len()).sum(),
                other => panic!("{other:?}"),
            };
            best = best.min(begun.elapsed());
        }
        table.line(bed.name, &format!("{what}: {found} found"), (ms(best), "ms"), None, Target::Below(150.0));
        if bed.is_postgres() {
            let pages = pages(&store.measure(&query).await.unwrap()) as f64 / found.max(1) as f64;
            table.line(bed.name, &format!("{what}: pages of each"), (pages, "pages"), None, Target::Below(target));
        }
    }
    store.close().await;
}

/// The pages that all statements of a plan read: those of their outermost nodes, temporary files aside.
fn pages(plan: &[String]) -> u64 {
    let outermost = plan.iter().filter_map(|line| line.strip_prefix("  Buffers: shared "));
    let shared = outermost.filter_map(|line| line.split(',').next());
    let numbers = shared.flat_map(|part| part.split(' ')).filter(|w| w.starts_with("hit=") || w.starts_with("read="));
    numbers.filter_map(|word| word.split('=').nth(1)?.parse::<u64>().ok()).sum()
}
