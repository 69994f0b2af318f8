//! A cache of recent name lookups.
//!
//! One filter is resolved many times: for the page, its count, every pane, every slice of the histogram, and the next
//! page. A lookup before each would cost a round trip to a server that has other work. Results are therefore cached for
//! some seconds. An empty result must not be cached, since the device that a person waits for may appear at any moment.
//! Used by the resolver of filters.

use std::sync::Mutex;
use std::time::{Duration, Instant as Moment};

use crate::domain::filter::criteria::{NameMatch, Pattern};
use crate::store::queries::resolved::PartyTest;
use crate::store::source::columns::Party;

/// How long an entry lives. A name that is given to another device meanwhile leads to the old one for this long.
const TTL: Duration = Duration::from_secs(10);
/// The greatest number of clauses: more than a person types in that time.
const CAPACITY: usize = 16;

/// The cache.
#[derive(Default)]
pub struct LookupCache(Mutex<Vec<Entry>>);

/// A clause and what it resolved to.
struct Entry {
    at: Moment,
    party: Party,
    any: Vec<NameMatch>,
    tests: Vec<PartyTest>,
}

impl LookupCache {
    /// The cached tests of a clause.
    pub fn get(&self, party: Party, any: &[NameMatch]) -> Option<Vec<PartyTest>> {
        let mut entries = self.0.lock().ok()?;
        entries.retain(|entry| entry.at.elapsed() < TTL);
        entries.iter().find(|entry| entry.party == party && entry.any == any).map(|entry| entry.tests.clone())
    }

    /// Caches only exact names that all resolved to ids. The result of a pattern grows with every new device.
    pub fn put(&self, party: Party, any: &[NameMatch], tests: &[PartyTest]) {
        let exact = |m: &NameMatch| matches!(m, NameMatch::Uuid(_) | NameMatch::Name(Pattern::Is(_)));
        let complete = |t: &PartyTest| matches!(t, PartyTest::Ids(ids) if !ids.is_empty());
        let found: usize = tests.iter().map(|t| if let PartyTest::Ids(ids) = t { ids.len() } else { 0 }).sum();
        if !any.iter().all(exact) || !tests.iter().all(complete) || found < any.len() {
            return;
        }
        if let Ok(mut entries) = self.0.lock() {
            if entries.len() == CAPACITY {
                entries.remove(0);
            }
            entries.push(Entry { at: Moment::now(), party, any: any.to_vec(), tests: tests.to_vec() });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::event::Id;

    #[test]
    fn complete_results_are_cached_and_empty_ones_are_not() {
        let names = |names: &[&str]| -> Vec<NameMatch> {
            names.iter().map(|n| NameMatch::Name(Pattern::Is((*n).to_owned()))).collect()
        };
        let (one, two) = (names(&["edge-1"]), names(&["edge-1", "edge-2"]));
        let ids = |n: i64| vec![PartyTest::Ids((0..n).map(Id::Int).collect())];
        let cache = LookupCache::default();
        cache.put(Party::Device, &one, &ids(0));
        cache.put(Party::Device, &two, &ids(1));
        cache.put(Party::Device, &two, &[PartyTest::NameWithin(Pattern::Contains("edge".into()))]);
        cache.put(Party::Device, &[NameMatch::Name(Pattern::StartsWith("edge".into()))], &ids(3));
        assert!(cache.0.lock().unwrap().is_empty());
        assert_eq!((cache.get(Party::Device, &one), cache.get(Party::Device, &two)), (None, None));
        cache.put(Party::Device, &two, &ids(2));
        assert_eq!((cache.get(Party::Device, &two), cache.get(Party::Org, &two)), (Some(ids(2)), None));
    }

    #[test]
    fn the_oldest_entry_makes_room() {
        let cache = LookupCache::default();
        let name = |n: usize| vec![NameMatch::Name(Pattern::Is(n.to_string()))];
        for n in 0..=CAPACITY {
            cache.put(Party::Org, &name(n), &[PartyTest::Ids(vec![Id::Int(1)])]);
        }
        assert_eq!(cache.get(Party::Org, &name(0)), None);
        assert!(cache.get(Party::Org, &name(1)).is_some() && cache.get(Party::Org, &name(CAPACITY)).is_some());
    }
}
