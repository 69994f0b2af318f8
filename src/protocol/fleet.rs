//! The queries of the investigations: rows of a range in the order of time, devices with their rows since the last success,
//! and the neighbors of a row within its device.
//!
//! They carry rows and no meaning: attempts, devices and signatures are folded from them in [`domain`](crate::domain).
//! Rows come without the names that other tables hold and with the reason that the row itself records; error texts are cut to
//! [`INPUT_CHARACTERS`](crate::domain::signature::INPUT_CHARACTERS), as much as a signature reads.

use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::Instant;
use crate::domain::page::Cursor;
use crate::domain::text::Text;

/// A page of matching rows, oldest first.
#[derive(Clone, PartialEq, Debug)]
pub struct SliceQuery {
    /// Which rows; its range of times bounds the whole read.
    pub criteria: Criteria,
    /// Begins behind this row; `None`: with the oldest row that matches.
    pub after: Option<Cursor>,
    /// The most rows to read.
    pub limit: u32,
}

/// The rows of a [`SliceQuery`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Slice {
    /// Oldest first.
    pub rows: Vec<Arc<RenewalEvent>>,
    /// Where the next page begins; `None` at the end. A page without rows may have a next one.
    pub next: Option<Cursor>,
    /// Rows that were read and cannot be shown.
    pub unreadable: u64,
}

/// Which devices to read.
#[derive(Clone, PartialEq, Debug)]
pub enum FleetQuery {
    /// The next devices in the order of their ids.
    Sweep {
        /// Begins behind this device; `None`: with the first.
        after: Option<Id>,
        /// The most devices to read.
        limit: u32,
    },
    /// These devices; those without rows are missing in the answer.
    These(Vec<Id>),
}

/// The devices of a [`FleetQuery`].
#[derive(Clone, PartialEq, Debug)]
pub struct Fleet {
    /// In the order of their ids. A device without rows is left out.
    pub devices: Vec<DeviceRows>,
    /// The device behind which a sweep goes on; `None` at the end.
    pub next: Option<Id>,
    /// The database's clock when they were read, in UTC.
    pub now: Instant,
}

/// A device and its rows since the last success.
#[derive(Clone, PartialEq, Debug)]
pub struct DeviceRows {
    /// The device's name, where one is recorded.
    pub name: Option<Text>,
    /// The organization's name, where one is recorded.
    pub org: Option<Text>,
    /// Oldest first, beginning with the last success if it is among the newest [`DeviceRows::MOST`]; at least one.
    pub rows: Vec<Arc<RenewalEvent>>,
    /// Whether the rows reach back to a success, or to the device's first row.
    pub complete: bool,
}

impl DeviceRows {
    /// The most rows that are read of a device.
    pub const MOST: u32 = 65;
}

/// The rows around some places, each within its device.
#[derive(Clone, PartialEq, Debug)]
pub struct NeighborsQuery {
    /// The places.
    pub of: Vec<Place>,
    /// The most rows before each place.
    pub before: u32,
    /// The most rows behind each place.
    pub after: u32,
}

/// A row of a device.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The device, as the row states it.
    pub device: Id,
    /// The row's position; it is not among its neighbors.
    pub at: Cursor,
}

/// The neighbors of one place, in the order of the query's places.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Neighbors {
    /// The nearest rows before it, oldest first.
    pub before: Vec<Arc<RenewalEvent>>,
    /// The nearest rows behind it, oldest first.
    pub after: Vec<Arc<RenewalEvent>>,
    /// No row lies before those of `before`.
    pub from_first: bool,
    /// No row lies behind those of `after`.
    pub to_last: bool,
}
