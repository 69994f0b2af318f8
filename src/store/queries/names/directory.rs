//! Names of devices whose id is a hash of their name.
//!
//! Flight Control's `devices` has no ids, and a hash cannot be inverted: every name is therefore hashed once and the list
//! is cached, one buffer for all names. An id that is not in it may belong to a new device; the list is then read again,
//! at most every 30 seconds. Used by pages, panes and the resolver of filters. Names are an addition: a query must not
//! fail because they cannot be read.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use uuid::Uuid;

use crate::domain::event::{Id, RenewalEvent, device_id_of};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::names::lookup_cache::LookupCache;
use crate::store::source::columns::IdType;
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Sql};

/// How long a list is used before an id that it lacks makes it be read again.
const REFRESH: Duration = Duration::from_secs(30);
/// Names read in one statement.
const CHUNK: usize = 5000;
/// More devices than this are not cached: their ids are shown.
const MAX_DEVICES: usize = 500_000;

/// The cached list.
#[derive(Default)]
pub struct Names {
    hashed: Mutex<Option<(Moment, Arc<Hashed>)>>,
    /// Names that filters resolved recently.
    pub lookups: LookupCache,
}

/// Hashed ids in ascending order, with their names.
#[derive(Default)]
pub struct Hashed {
    arena: String,
    /// Id, and offset and length of the name in bytes.
    entries: Vec<(Uuid, u32, u32)>,
}

impl Hashed {
    /// The name of an id.
    pub fn name(&self, id: Uuid) -> Option<&str> {
        let at = self.entries.binary_search_by(|(e, _, _)| e.cmp(&id)).ok()?;
        self.entries.get(at).and_then(|entry| self.text(entry))
    }
    /// Ids and names whose name passes, in the order of ids.
    pub fn find(&self, passes: impl Fn(&str) -> bool) -> impl Iterator<Item = (Uuid, &str)> {
        let named = self.entries.iter().filter_map(|e| Some((e.0, self.text(e)?)));
        named.filter(move |(_, name)| passes(name))
    }
    /// The name of an entry.
    fn text(&self, (_, start, len): &(Uuid, u32, u32)) -> Option<&str> {
        let start = usize::try_from(*start).ok()?;
        self.arena.get(start..start + usize::try_from(*len).ok()?)
    }
    /// Appends a name and the id that is its hash.
    fn add(&mut self, org: Uuid, name: &str) {
        if let (Ok(start), Ok(len)) = (u32::try_from(self.arena.len()), u32::try_from(name.len())) {
            self.arena.push_str(name);
            self.entries.push((device_id_of(org, name), start, len));
        }
    }
}

impl Names {
    /// The list. It is read if there is none yet, and again if it is old and `stale` reports that it lacks something.
    /// Empty where device ids are no hashes. [`SourceError::Cancelled`] is the only error.
    pub async fn get(
        &self,
        s: &mut Session,
        source: &Source,
        stale: impl Fn(&Hashed) -> bool,
    ) -> Result<Arc<Hashed>, SourceError> {
        if source.devices != DeviceNames::Hashed {
            return Ok(Arc::default());
        }
        let cached = self.hashed.lock().ok().and_then(|cached| cached.clone());
        if let Some((at, list)) = cached
            && (at.elapsed() < REFRESH || !stale(&list))
        {
            return Ok(list);
        }
        let list = match load(s, source).await {
            Ok(list) => Arc::new(list),
            Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
            Err(e) => {
                tracing::warn!(error = %e, "device names could not be read");
                Arc::default()
            }
        };
        if let Ok(mut cached) = self.hashed.lock() {
            *cached = Some((Moment::now(), Arc::clone(&list)));
        }
        Ok(list)
    }

    /// Sets the device names of events, where device ids are hashes of names.
    pub async fn fill(&self, s: &mut Session, source: &Source, events: &mut [RenewalEvent]) -> Result<(), SourceError> {
        if source.devices != DeviceNames::Hashed || events.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = events.iter().filter_map(|e| e.device_id.as_uuid()).collect();
        let list = self.get(s, source, |list| ids.iter().any(|id| list.name(*id).is_none())).await?;
        for event in events {
            event.device = event.device_id.as_uuid().and_then(|id| list.name(id)).map(Text::from);
        }
        Ok(())
    }
}

/// Reads all names in chunks, in the order of the directory's key.
async fn load(s: &mut Session, source: &Source) -> Result<Hashed, SourceError> {
    let mut list = Hashed::default();
    let mut last: Option<(Uuid, String)> = None;
    loop {
        let mut sql = Sql::new(source.dialect);
        sql.push(&format!("SELECT d.org_id, d.name::text FROM {} d", source.beside("devices")));
        if let Some((org, name)) = last.take() {
            sql.push(" WHERE (d.org_id, d.name) > (").bind(Bind::Uuid(org)).push(", ").bind(Bind::Text(name)).push(")");
        }
        sql.push(&format!(" ORDER BY d.org_id, d.name LIMIT {CHUNK}"));
        let rows = s.rows(&sql, &[CellType::Id(IdType::Uuid), CellType::Text]).await?;
        let full = rows.len() == CHUNK;
        for mut row in rows {
            if let (Some(Id::Uuid(org)), Some(name)) = (row.id(0), row.string(1)) {
                list.add(org, &name);
                last = Some((org, name));
            }
        }
        if !full || last.is_none() || list.entries.len() >= MAX_DEVICES {
            break;
        }
    }
    list.entries.sort_unstable();
    list.arena.shrink_to_fit();
    list.entries.shrink_to_fit();
    Ok(list)
}
