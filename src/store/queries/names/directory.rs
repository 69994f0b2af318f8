//! Names of devices whose id is a hash of their name.
//!
//! Flight Control's `devices` has no ids, and a hash cannot be turned back: so every name is hashed once and the list is
//! kept, one buffer for all names. An id that is not in it may be of a new device: then the list is read again, at most
//! every 30 seconds. Names are an addition; where they cannot be read, there are none, and nothing fails.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use uuid::Uuid;

use crate::domain::event::{Id, RenewalEvent, device_id_of};
use crate::domain::text::Text;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::names::looked::Looked;
use crate::store::source::columns::IdType;
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Sql};

const REFRESH: Duration = Duration::from_secs(30);
/// Names read in one statement.
const CHUNK: usize = 5000;
/// More devices than this are not kept: their ids are shown.
const MAX_DEVICES: usize = 500_000;

/// The list, when it has been read.
#[derive(Default)]
pub struct Names {
    hashed: Mutex<Option<(Moment, Arc<Hashed>)>>,
    /// Names that filters asked for.
    pub looked: Looked,
}

/// Hashed ids in their order, with their names.
#[derive(Default)]
pub struct Hashed {
    arena: String,
    /// Id, and beginning and length of the name.
    entries: Vec<(Uuid, u32, u32)>,
}

impl Hashed {
    pub fn name(&self, id: Uuid) -> Option<&str> {
        let at = self.entries.binary_search_by(|(e, _, _)| e.cmp(&id)).ok()?;
        self.entries.get(at).and_then(|entry| self.text(entry))
    }
    /// Ids and names of which the name passes, in the order of ids.
    pub fn find(&self, passes: impl Fn(&str) -> bool) -> impl Iterator<Item = (Uuid, &str)> {
        let named = self.entries.iter().filter_map(|e| Some((e.0, self.text(e)?)));
        named.filter(move |(_, name)| passes(name))
    }
    fn text(&self, (_, start, len): &(Uuid, u32, u32)) -> Option<&str> {
        let start = usize::try_from(*start).ok()?;
        self.arena.get(start..start + usize::try_from(*len).ok()?)
    }
    fn add(&mut self, org: Uuid, name: &str) {
        if let (Ok(start), Ok(len)) = (u32::try_from(self.arena.len()), u32::try_from(name.len())) {
            self.arena.push_str(name);
            self.entries.push((device_id_of(org, name), start, len));
        }
    }
}

impl Names {
    /// The list; read when there is none yet, and again when it is old and `stale` says that something is not in it.
    pub async fn get(
        &self,
        s: &mut Session,
        source: &Source,
        stale: impl Fn(&Hashed) -> bool,
    ) -> Result<Arc<Hashed>, SourceError> {
        if source.devices != DeviceNames::Hashed {
            return Ok(Arc::default());
        }
        let kept = self.hashed.lock().ok().and_then(|kept| kept.clone());
        if let Some((at, list)) = kept
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
        if let Ok(mut kept) = self.hashed.lock() {
            *kept = Some((Moment::now(), Arc::clone(&list)));
        }
        Ok(list)
    }

    /// Gives each event the name of its device, where it is known.
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
