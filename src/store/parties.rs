//! Names of devices and organisations by id, for reading everything.
//!
//! A page on a screen joins its names: a few hundred rows, two steps in an index each. An export reads a thousand times
//! as much, and PostgreSQL then reads the whole table of devices for every page. So each id is asked for once in a walk and
//! kept until the next walk begins: not for a screen, which has to see a name that changes.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::session::Session;
use super::source::{DeviceNames, Source};
use super::sql::Dialect;
use super::sql::aggregate::names_of_ids;
use super::sql::cell::CellType;
use super::sql::filter::Party;
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::text::Text;
use crate::protocol::SourceError;

/// Ids asked for in one statement. On SQLite each is a placeholder, and many of them cost more than their number.
const CHUNKS: (usize, usize) = (5000, 500);
/// Ids kept: some ten mebibytes. A fleet of more is asked for again.
const MOST: usize = 200_000;

/// The names met so far.
#[derive(Default)]
pub struct Names {
    orgs: Known,
    devices: Known,
}

/// What has no name yet is not in it, and asked for again.
type Known = Mutex<HashMap<Id, Text>>;

impl Names {
    /// The source as it is read without its names.
    pub fn left_out(source: &Source) -> Source {
        Source { devices: DeviceNames::Nowhere, org_name: None, ..source.clone() }
    }

    /// A walk begins.
    pub fn forget(&self) {
        for known in [&self.orgs, &self.devices] {
            if let Ok(mut known) = known.lock() {
                known.clear();
            }
        }
    }

    /// Gives each event the names that a page would have joined.
    pub async fn fill(&self, s: &mut Session, source: &Source, events: &mut [RenewalEvent]) -> Result<(), SourceError> {
        for party in [Party::Org, Party::Device] {
            let (Some((table, name)), Some(column)) = (source.names_of(party), source.party(party)) else { continue };
            let known = self.of(party);
            let unknown = unknown(known, events, party);
            let chunk = if source.dialect == Dialect::Postgres { CHUNKS.0 } else { CHUNKS.1 };
            for ids in unknown.chunks(chunk) {
                let (sql, shape) = names_of_ids(source, table, &name, CellType::Id(column.ty), ids);
                let found = s.rows(&sql, &shape).await?;
                let Ok(mut known) = known.lock() else { continue };
                known.extend(found.into_iter().filter_map(|mut row| Some((row.id(0)?, row.text(1)?))));
            }
            let Ok(known) = known.lock() else { continue };
            for event in events.iter_mut() {
                let name = of(event, party).and_then(|id| known.get(id)).cloned();
                match party {
                    Party::Org => event.org = name,
                    Party::Device => event.device = name,
                }
            }
        }
        Ok(())
    }

    const fn of(&self, party: Party) -> &Known {
        match party {
            Party::Org => &self.orgs,
            Party::Device => &self.devices,
        }
    }
}

/// Ids that nothing is known of, each once.
fn unknown(known: &Known, events: &[RenewalEvent], party: Party) -> Vec<Id> {
    let Ok(mut known) = known.lock() else { return Vec::new() };
    if known.len() > MOST {
        known.clear();
    }
    let ids = events.iter().filter_map(|event| of(event, party)).filter(|id| !known.contains_key(*id));
    ids.collect::<HashSet<_>>().into_iter().cloned().collect()
}

fn of(event: &RenewalEvent, party: Party) -> Option<&Id> {
    match party {
        Party::Org => event.org_id.as_ref(),
        Party::Device => Some(&event.device_id),
    }
}
