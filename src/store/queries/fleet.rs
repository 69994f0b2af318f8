//! The query for devices with their rows since the last success.
//!
//! Called by the dispatch, for a sweep of all devices and for single ones. The newest row of each device is read first;
//! most are a success, and only the others are read further. What a success is, the domain decides on the rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::event::{Id, Outcome, RenewalEvent};
use crate::protocol::SourceError;
use crate::protocol::fleet::{DeviceRows, Fleet, FleetQuery};
use crate::store::connect::session::Session;
use crate::store::queries::executor::Executor;
use crate::store::queries::horizon::clock;
use crate::store::queries::neighbors::{Nearest, of_keys};
use crate::store::queries::sql::fleet::{in_directory, with_rows};
use crate::store::queries::sql::keyed::{Keys, Near};
use crate::store::queries::sql::keys::Order;
use crate::store::source::columns::Party;
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::Dialect;

/// Rows of a device in one statement: first the newest; then as many as a failed attempt has with the success before it,
/// and several of them; then one more than are wanted, which tells whether there are more.
const STEPS: [u32; 4] = [1, 3, 12, DeviceRows::MOST + 1];
/// Devices in one statement.
const CHUNK_POSTGRES: usize = 2000;
/// As [`CHUNK_POSTGRES`], for SQLite, where each device is a separate value.
const CHUNK_SQLITE: usize = 500;
/// Rows in one statement: in an outage, every device has as many as are read of it.
const CHUNK_ROWS: u32 = 4000;

impl Executor<'_> {
    /// The devices of the query that have rows, in the order of their ids.
    pub async fn fleet(&self, s: &mut Session, query: &FleetQuery) -> Result<Fleet, SourceError> {
        let now = clock(self.source.dialect, s).await?;
        let (ids, next) = match query {
            FleetQuery::These(ids) => {
                self.check_devices(ids.len())?;
                let known: BTreeSet<_> = ids.iter().filter(|id| self.can_hold_device(id)).cloned().collect();
                (known.into_iter().collect(), None)
            }
            FleetQuery::Sweep { after, limit } => self.sweep(s, after.as_ref(), *limit).await?,
        };
        let mut found = since_success(s, &self.source.bare(), &ids).await?;
        let mut devices: Vec<_> = ids.iter().filter_map(|id| found.remove(id)).collect();
        self.name(s, &mut devices).await?;
        Ok(Fleet { devices, next, now })
    }

    /// The ids of the next devices, and the last of them if more follow.
    async fn sweep(
        &self,
        s: &mut Session,
        after: Option<&Id>,
        limit: u32,
    ) -> Result<(Vec<Id>, Option<Id>), SourceError> {
        let source = self.source;
        self.check_devices(usize::MAX)?;
        // Only in tables of our own is every device of an event among the devices.
        let directory = source.is_own() && source.rights.is_written && source.devices == DeviceNames::Joined;
        let mut limit = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
        loop {
            let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
            let (sql, shape) =
                if directory { in_directory(source, after, most) } else { with_rows(source, after, most) };
            let rows = s.rows(&sql, &shape).await?;
            let more = rows.len() > limit;
            let found = rows.into_iter().take(limit).filter_map(|mut row| Some((row.id(0)?, row.text(1))));
            let (ids, names): (Vec<_>, Vec<_>) = found.unzip();
            if ids.is_empty() && more {
                // Of values that are no ids, none says where the next page begins.
                limit = limit.saturating_mul(8);
                continue;
            }
            let named = ids.iter().cloned().zip(names).filter_map(|(id, name)| Some((id, name?)));
            self.shared.parties.put(Party::Device, named);
            let next = ids.last().filter(|_| more).cloned();
            return Ok((ids, next));
        }
    }

    /// Sets the names of devices and of their organizations, as events get them.
    async fn name(&self, s: &mut Session, devices: &mut [DeviceRows]) -> Result<(), SourceError> {
        let newest = |device: &DeviceRows| device.rows.last().map(|row| RenewalEvent::clone(row));
        let mut newest: Vec<_> = devices.iter().filter_map(newest).collect();
        self.shared.names.fill(s, self.source, &mut newest).await?;
        self.shared.parties.fill(s, self.source, &mut newest).await?;
        for (device, newest) in devices.iter_mut().zip(newest) {
            (device.name, device.org) = (newest.device, newest.org);
        }
        Ok(())
    }
}

/// The rows of these devices since the last success. Devices without rows are left out.
async fn since_success(s: &mut Session, bare: &Source, ids: &[Id]) -> Result<HashMap<Id, DeviceRows>, SourceError> {
    let mut found = HashMap::with_capacity(ids.len());
    let mut open = ids.to_vec();
    for limit in STEPS {
        let mut rest = Vec::new();
        for ids in open.chunks(devices_at_once(bare.dialect, limit)) {
            let near = Near { keys: Keys::Devices(ids), order: Order::NewestFirst, limit: u64::from(limit) };
            for (id, rows) in ids.iter().zip(of_keys(s, bare, near).await?) {
                match device(rows, limit) {
                    Some(device) if device.rows.is_empty() => {}
                    Some(device) => drop(found.insert(id.clone(), device)),
                    None => rest.push(id.clone()),
                }
            }
        }
        open = rest;
    }
    Ok(found)
}

/// The devices of one statement that reads so many rows of each.
fn devices_at_once(dialect: Dialect, rows: u32) -> usize {
    let most = if dialect == Dialect::Postgres { CHUNK_POSTGRES } else { CHUNK_SQLITE };
    usize::try_from(CHUNK_ROWS / rows).unwrap_or(most).min(most)
}

/// The device whose newest rows were read, newest first, at most `limit`; `None` if more of them are needed.
fn device(newest: Nearest, limit: u32) -> Option<DeviceRows> {
    let [most, limit] = [DeviceRows::MOST, limit].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let Nearest { mut events, read } = newest;
    events.truncate(most);
    let success = events.iter().position(|row| row.outcome() == Outcome::Succeeded);
    if success.is_none() && read == limit && limit <= most {
        return None;
    }
    events.truncate(success.map_or(most, |at| at + 1));
    events.reverse();
    let rows = events.into_iter().map(Arc::new).collect();
    Some(DeviceRows { name: None, org: None, rows, complete: success.is_some() || read <= most })
}
