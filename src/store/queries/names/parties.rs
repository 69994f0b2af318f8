//! Names of devices and organisations by id, for reading everything.
//!
//! A page on a screen joins its names: a few hundred rows, two steps in an index each. An export reads a thousand times
//! as much, and PostgreSQL then reads the whole table of devices for every page. So each id is asked for once in a walk and
//! kept until the next walk begins: not for a screen, which has to see a name that changes.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::sql::aggregate::names_of_ids;
use crate::store::source::columns::Party;
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::Dialect;
use crate::store::sql::cell::CellType;

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
            let unknown = name_known(known, events, party);
            let chunk = if source.dialect == Dialect::Postgres { CHUNKS.0 } else { CHUNKS.1 };
            for ids in unknown.chunks(chunk) {
                let (sql, shape) = names_of_ids(source, &table, &name, CellType::Id(column.ty), ids);
                let found = s.rows(&sql, &shape).await?;
                let Ok(mut known) = known.lock() else { continue };
                known.extend(found.into_iter().filter_map(|mut row| Some((row.id(0)?, row.text(1)?))));
            }
            if !unknown.is_empty() {
                name_known(known, events, party);
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

/// Names what is known, and gives the ids of which nothing is, each once.
fn name_known(known: &Known, events: &mut [RenewalEvent], party: Party) -> Vec<Id> {
    let Ok(mut known) = known.lock() else { return Vec::new() };
    if known.len() > MOST {
        known.clear();
    }
    let mut unknown = HashSet::new();
    for event in events {
        let (id, name) = match party {
            Party::Org => (event.org_id.as_ref(), &mut event.org),
            Party::Device => (Some(&event.device_id), &mut event.device),
        };
        let Some(id) = id else { continue };
        *name = known.get(id).cloned();
        if name.is_none() && !unknown.contains(id) {
            unknown.insert(id.clone());
        }
    }
    unknown.into_iter().collect()
}
