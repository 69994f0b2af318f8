//! Names that were looked up a moment ago.
//!
//! A filter is asked for many times over: the page, its count, every pane, every slice of the histogram, and the page
//! after it. A look-up in front of each is a turn to a server that has other things to do. So what was found is kept for
//! some seconds; that nothing was found is not, since the device that is waited for may come at any moment.

use std::sync::Mutex;
use std::time::{Duration, Instant as Moment};

use crate::domain::filter::criteria::{NameMatch, Pattern};
use crate::store::queries::resolved::PartyTest;
use crate::store::source::columns::Party;

/// A name that is given to another device meanwhile leads to the old one for so long.
const KEPT: Duration = Duration::from_secs(10);
/// Clauses: more than a person types in that time.
const MOST: usize = 16;

#[derive(Default)]
pub struct Looked(Mutex<Vec<Found>>);

struct Found {
    at: Moment,
    party: Party,
    any: Vec<NameMatch>,
    tests: Vec<PartyTest>,
}

impl Looked {
    pub fn get(&self, party: Party, any: &[NameMatch]) -> Option<Vec<PartyTest>> {
        let mut kept = self.0.lock().ok()?;
        kept.retain(|found| found.at.elapsed() < KEPT);
        kept.iter().find(|found| found.party == party && found.any == any).map(|found| found.tests.clone())
    }

    /// Keeps what whole names came to, if it is ids and as many at least. What a pattern finds grows with every new device.
    pub fn keep(&self, party: Party, any: &[NameMatch], tests: &[PartyTest]) {
        let whole = |m: &NameMatch| matches!(m, NameMatch::Uuid(_) | NameMatch::Name(Pattern::Is(_)));
        let complete = |t: &PartyTest| matches!(t, PartyTest::Ids(ids) if !ids.is_empty());
        let found: usize = tests.iter().map(|t| if let PartyTest::Ids(ids) = t { ids.len() } else { 0 }).sum();
        if !any.iter().all(whole) || !tests.iter().all(complete) || found < any.len() {
            return;
        }
        if let Ok(mut kept) = self.0.lock() {
            if kept.len() == MOST {
                kept.remove(0);
            }
            kept.push(Found { at: Moment::now(), party, any: any.to_vec(), tests: tests.to_vec() });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::event::Id;

    #[test]
    fn what_was_found_is_kept_and_what_was_not_is_looked_up_again() {
        let names = |names: &[&str]| -> Vec<NameMatch> {
            names.iter().map(|n| NameMatch::Name(Pattern::Is((*n).to_owned()))).collect()
        };
        let (one, two) = (names(&["edge-1"]), names(&["edge-1", "edge-2"]));
        let ids = |n: i64| vec![PartyTest::Ids((0..n).map(Id::Int).collect())];
        let looked = Looked::default();
        looked.keep(Party::Device, &one, &ids(0));
        looked.keep(Party::Device, &two, &ids(1));
        looked.keep(Party::Device, &two, &[PartyTest::NameWithin(Pattern::Contains("edge".into()))]);
        looked.keep(Party::Device, &[NameMatch::Name(Pattern::StartsWith("edge".into()))], &ids(3));
        assert!(looked.0.lock().unwrap().is_empty());
        assert_eq!((looked.get(Party::Device, &one), looked.get(Party::Device, &two)), (None, None));
        looked.keep(Party::Device, &two, &ids(2));
        assert_eq!((looked.get(Party::Device, &two), looked.get(Party::Org, &two)), (Some(ids(2)), None));
    }
}
