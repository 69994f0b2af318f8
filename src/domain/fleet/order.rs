//! The order of devices in a list.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use super::{Fleet, Member, Selection};
use crate::domain::instant::Instant;

/// What devices are ordered by. Values that are not known come last, also in the inverse order; ties are in the order of
/// the ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sort {
    /// Least runway first: what has been expired for longest, then what goes dark next, then what never expires.
    #[default]
    Runway,
    /// What goes dark next, then what is expired, the last to expire first: what can still be saved is on top.
    Dark,
    /// Failing devices, the fewest tries left first, then the least runway.
    Tries,
    /// Most failures first.
    Fails,
    /// The oldest success first.
    LastSuccess,
    /// By the organization's name, else its id.
    Org,
    /// By the device's name, else its id.
    Device,
}

impl Sort {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 7] =
        [Self::Runway, Self::Dark, Self::Tries, Self::Fails, Self::LastSuccess, Self::Org, Self::Device];

    /// Its word on screen and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Runway => "runway",
            Self::Dark => "dark",
            Self::Tries => "tries",
            Self::Fails => "fails",
            Self::LastSuccess => "last-success",
            Self::Org => "org",
            Self::Device => "device",
        }
    }
}

/// An order, or its inverse.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Order {
    /// What is compared.
    pub by: Sort,
    /// Largest first, where that is not the order anyway.
    pub inverse: bool,
}

/// What one device is ordered by; only values of the same kind are compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Numbers and times; the first decides.
    Numbers(i64, i64),
    /// Names.
    Name(String),
}

impl Fleet {
    /// The selected devices in that order.
    pub fn ordered(&self, selection: &Selection, order: Order, now: Instant) -> Vec<Arc<Member>> {
        let members = self.members.values().filter(|member| self.selects(selection, member, now));
        let mut keyed: Vec<(Option<Key>, &Arc<Member>)> =
            members.map(|member| (self.key(order.by, member, now), member)).collect();
        // The sort is stable and members come by id.
        keyed.sort_by(|(a, _), (b, _)| compare(a.as_ref(), b.as_ref(), order.inverse));
        keyed.into_iter().map(|(_, member)| member.clone()).collect()
    }

    /// What a device is ordered by; `None` where it is not known.
    fn key(&self, by: Sort, member: &Arc<Member>, now: Instant) -> Option<Key> {
        let device = &member.device;
        let expiry = device.expiry.map(|(at, _)| at.pg_micros());
        Some(match by {
            Sort::Runway => Key::Numbers(expiry?, 0),
            Sort::Dark if expiry? <= now.pg_micros() => Key::Numbers(1, expiry?.saturating_neg()),
            Sort::Dark => Key::Numbers(0, expiry?),
            Sort::Tries => {
                let left = self.line(member, now).tries_left?;
                Key::Numbers(i64::from(left), expiry.unwrap_or(i64::MAX))
            }
            Sort::Fails => Key::Numbers(-i64::from(device.fails(self.patience, now)), 0),
            Sort::LastSuccess => Key::Numbers(device.last_success?.pg_micros(), 0),
            Sort::Org => {
                let id = || member.org_id.as_ref().map(crate::domain::event::Id::raw);
                Key::Name(member.org.as_ref().map(|name| name.raw().to_owned()).or_else(id)?)
            }
            Sort::Device => Key::Name(member.name.as_ref().map_or_else(|| device.id.raw(), |n| n.raw().to_owned())),
        })
    }
}

/// Compares what is known; the rest comes last.
fn compare(a: Option<&Key>, b: Option<&Key>, inverse: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if inverse => Reverse(a).cmp(&Reverse(b)),
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
