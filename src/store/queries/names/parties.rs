//! Names of devices and organizations by id, for exports.
//!
//! A page on screen joins its names: a few hundred rows, two index steps each. An export reads a thousand times as many
//! rows, and PostgreSQL would then scan the whole table of devices for every page. Each id is therefore looked up once and
//! cached until the next export begins. A page on screen must not use this cache: it must show a name that changes.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::sql::directory::Directory;
use crate::store::source::columns::Party;
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::Dialect;

/// Ids looked up in one statement. On SQLite each is a placeholder, and the cost of many grows faster than their number.
const CHUNK_POSTGRES: usize = 5000;
/// As [`CHUNK_POSTGRES`], for SQLite.
const CHUNK_SQLITE: usize = 500;
/// Ids cached: some ten mebibytes. A larger fleet is looked up again.
const CAPACITY: usize = 200_000;

/// The names read so far.
#[derive(Default)]
pub struct Names {
    orgs: Cache,
    devices: Cache,
}

/// Ids without a name are not in it and are looked up again.
type Cache = Mutex<HashMap<Id, Text>>;

impl Names {
    /// The same source, read without names.
    pub fn without_names(source: &Source) -> Source {
        Source { devices: DeviceNames::Nowhere, org_name: None, ..source.clone() }
    }

    /// Empties the cache; called when an export begins.
    pub fn clear(&self) {
        for cache in [&self.orgs, &self.devices] {
            if let Ok(mut cache) = cache.lock() {
                cache.clear();
            }
        }
    }

    /// Sets the names that a page would have joined.
    pub async fn fill(&self, s: &mut Session, source: &Source, events: &mut [RenewalEvent]) -> Result<(), SourceError> {
        for party in [Party::Org, Party::Device] {
            let Some(directory) = Directory::of(source, party) else { continue };
            let cache = self.of(party);
            let missing = name_from_cache(cache, events, party);
            let chunk = if source.dialect == Dialect::Postgres { CHUNK_POSTGRES } else { CHUNK_SQLITE };
            for ids in missing.chunks(chunk) {
                let (sql, shape) = directory.names(ids);
                let found = s.rows(&sql, &shape).await?;
                self.put(party, found.into_iter().filter_map(|mut row| Some((row.id(0)?, row.text(1)?))));
            }
            if !missing.is_empty() {
                name_from_cache(cache, events, party);
            }
        }
        Ok(())
    }

    /// Takes names that were read elsewhere.
    pub fn put(&self, party: Party, names: impl Iterator<Item = (Id, Text)>) {
        if let Ok(mut cache) = self.of(party).lock() {
            cache.extend(names);
        }
    }

    /// The cache of a party.
    const fn of(&self, party: Party) -> &Cache {
        match party {
            Party::Org => &self.orgs,
            Party::Device => &self.devices,
        }
    }
}

/// Sets the cached names, and returns the ids that the cache lacks, each once.
fn name_from_cache(cache: &Cache, events: &mut [RenewalEvent], party: Party) -> Vec<Id> {
    let Ok(mut cache) = cache.lock() else { return Vec::new() };
    if cache.len() > CAPACITY {
        cache.clear();
    }
    let mut missing = HashSet::new();
    for event in events {
        let (id, name) = match party {
            Party::Org => (event.org_id.as_ref(), &mut event.org),
            Party::Device => (Some(&event.device_id), &mut event.device),
        };
        let Some(id) = id else { continue };
        *name = cache.get(id).cloned();
        if name.is_none() && !missing.contains(id) {
            missing.insert(id.clone());
        }
    }
    missing.into_iter().collect()
}
