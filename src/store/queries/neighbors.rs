//! The query for the rows around some places, and the rows of many devices that it and the query of fleets read.
//!
//! Called by the dispatch. What needs an index that the table lacks is refused with the reason, because it would read
//! the whole table for each device; one device at a time is read without it.

use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::source::Part;
use crate::protocol::SourceError;
use crate::protocol::fleet::{Neighbors, NeighborsQuery, Place};
use crate::store::connect::session::Session;
use crate::store::queries::executor::{Executor, same_type};
use crate::store::queries::sql::keyed::{Keys, Near, rows};
use crate::store::queries::sql::keys::Order;
use crate::store::queries::sql::page::{Errors, decode};
use crate::store::source::Source;
use crate::store::source::catalog::EVENTS;
use crate::store::sql::Dialect;

/// Places in one statement: each is three values.
const CHUNK: usize = 250;

/// The rows of one key, in the order of reading.
#[derive(Default)]
pub struct Nearest {
    pub events: Vec<RenewalEvent>,
    /// How many were read, including those that cannot be shown.
    pub read: usize,
}

impl Executor<'_> {
    /// The neighbors of each place, in the order of the places.
    pub async fn neighbors(&self, s: &mut Session, query: &NeighborsQuery) -> Result<Vec<Neighbors>, SourceError> {
        self.check_devices(query.of.len())?;
        let bare = self.source.bare();
        let nobody = || Neighbors { from_first: true, to_last: true, ..Neighbors::default() };
        let mut answer: Vec<_> = query.of.iter().map(|_| nobody()).collect();
        let known: Vec<_> = (0..).zip(&query.of).filter(|(_, place)| self.can_hold(place)).collect();
        for chunk in known.chunks(CHUNK) {
            let places: Vec<&Place> = chunk.iter().map(|(_, place)| *place).collect();
            let keys = Keys::Places(&places);
            // One row more tells that more follow.
            let near = |order, limit: u32| Near { keys, order, limit: u64::from(limit) + 1 };
            let before = of_keys(s, &bare, near(Order::NewestFirst, query.before)).await?;
            let after = of_keys(s, &bare, near(Order::OldestFirst, query.after)).await?;
            for (((n, _), before), after) in chunk.iter().zip(before).zip(after) {
                let Some(found): Option<&mut Neighbors> = answer.get_mut(*n) else { continue };
                (found.before, found.from_first) = within(before, query.before);
                (found.after, found.to_last) = within(after, query.after);
                found.before.reverse();
            }
        }
        Ok(answer)
    }

    /// Whether the place's values can occur in this table.
    fn can_hold(&self, place: &Place) -> bool {
        let map = &self.source.map;
        self.can_hold_device(&place.device) && same_type(&place.at.id, map.order().ty)
    }

    /// Whether the id can be that of a device of this table.
    pub fn can_hold_device(&self, id: &Id) -> bool {
        same_type(id, self.source.map.device.ty) && !id.is_empty()
    }

    /// [`SourceError::Unfit`] where the source records no device, or lacks the index that several devices need.
    pub fn check_devices(&self, devices: usize) -> Result<(), SourceError> {
        let source = self.source;
        let name = &source.profile.name;
        if source.traits.lacks(Part::Device) {
            return Err(SourceError::Unfit(format!("devices do not fit this source: '{name}' records no device")));
        }
        if source.indexes.device || devices <= 1 {
            return Ok(());
        }
        let map = &source.map;
        let table = source.profile.relation.table.name();
        let remedy = if !map.is_table() {
            format!("'{name}' derives its rows, so that no index can help; read one device at a time")
        } else if table == EVENTS {
            "'renewscope db index' makes it".to_owned()
        } else {
            let (device, at, id) = (map.device.name.name(), map.created_at.name.name(), map.order().name.name());
            format!("create one on ({device}, {at}, {id})")
        };
        Err(SourceError::Unfit(format!(
            "several devices cannot be read at once: no index of '{table}' orders the events of a device by time; {remedy}"
        )))
    }
}

/// The first rows of each key, in the order of the keys. `bare` is the source without names.
pub async fn of_keys(s: &mut Session, bare: &Source, near: Near<'_>) -> Result<Vec<Nearest>, SourceError> {
    let (sql, shape) = rows(bare, near);
    let number = shape.len() - 1;
    let mut found: Vec<Nearest> = std::iter::repeat_with(Nearest::default).take(near.keys.len()).collect();
    for mut row in s.rows(&sql, &shape).await? {
        let key = row.int(number).and_then(|n| usize::try_from(n).ok());
        let Some(nearest) = key.and_then(|n| found.get_mut(n)) else { continue };
        nearest.read += 1;
        nearest.events.extend(decode(bare, Errors::Input, false, &mut row));
    }
    // SQLite gives the rows of a key in no order.
    for nearest in found.iter_mut().filter(|_| bare.dialect == Dialect::Sqlite) {
        nearest.events.sort_by_cached_key(RenewalEvent::cursor);
        if near.order == Order::NewestFirst {
            nearest.events.reverse();
        }
    }
    Ok(found)
}

/// The rows within the limit, and whether no other follows them.
fn within(mut found: Nearest, limit: u32) -> (Vec<Arc<RenewalEvent>>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let ends = found.read <= limit;
    found.events.truncate(limit);
    (found.events.into_iter().map(Arc::new).collect(), ends)
}
