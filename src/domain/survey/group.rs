//! The failures of a range by their signature.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::signer::{Signed, Signer};
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::instant::Instant;
use crate::domain::signature::SigId;
use crate::domain::text::Text;

/// Parts of the range in which a group's rows are counted.
pub const PARTS: usize = 10;
/// Examples of a group.
const EXAMPLES: usize = 3;
/// Values of a mask that are reported.
const TOP: usize = 5;
/// Different values of a mask that are counted apart.
const DISTINCT: usize = 64;
/// Masks of a signature whose values are counted.
const PLACES: usize = 16;
/// Signatures with examples and values: a table of hostile messages has as many signatures as rows.
const DETAILED: usize = 1_000;

/// The failures of one signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorGroup {
    /// `None`: failures without a message.
    pub sig: Option<SigId>,
    /// The masked message; empty without a message.
    pub signature: Arc<str>,
    /// Failures in the range.
    pub rows: u64,
    /// Different devices that had them.
    pub devices: u64,
    /// Different organizations that had them; `None` where the source records no organization.
    pub orgs: Option<u64>,
    /// Devices whose newest finished attempt failed with this signature.
    pub still: u64,
    /// Devices that failed with it, and whose newest finished attempt succeeded.
    pub resolved: u64,
    /// Devices that failed with it, and whose newest finished attempt failed with another one.
    pub moved: u64,
    /// The first failure of the range, in UTC.
    pub first: Instant,
    /// The last failure of the range, in UTC.
    pub last: Instant,
    /// Failures in each tenth of the range, oldest first.
    pub spark: [u64; PARTS],
    /// The earliest expiry of a device that still fails with it; `None` where none is stated.
    pub worst: Option<Instant>,
    /// The newest failure's event id.
    pub example: Id,
    /// Up to three different messages, the oldest first, as the rows state them.
    pub examples: Vec<Text>,
    /// What the masks of the signature took out, in their order. Empty for signatures beyond the first thousand of a range,
    /// as are the examples.
    pub values: Vec<PlaceValues>,
}

/// The values of one mask.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PlaceValues {
    /// Up to five values with their rows, the most frequent first; long ones are cut.
    pub top: Vec<(Text, u64)>,
    /// Rows with another value.
    pub others: u64,
}

/// What is counted of one signature.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) sig: Option<SigId>,
    pub(super) signature: Arc<str>,
    pub(super) rows: u64,
    /// Numbers of devices.
    pub(super) devices: HashSet<u32>,
    /// Numbers of organizations.
    pub(super) orgs: HashSet<u32>,
    pub(super) first: Instant,
    /// The newest failure.
    pub(super) newest: (Instant, Id),
    pub(super) spark: [u64; PARTS],
    examples: Vec<Text>,
    values: Vec<Counts>,
    /// Whether examples and values are kept.
    detailed: bool,
}

/// The values of one mask, as they are counted.
#[derive(Clone, Debug, Default)]
struct Counts {
    /// The first different values, up to [`DISTINCT`].
    counts: HashMap<Text, u64>,
    /// Rows with a value that came later.
    others: u64,
}

/// All groups of a range; a group's number is its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    numbers: HashMap<Option<SigId>, u32>,
    pub(super) all: Vec<Group>,
    signer: Signer,
}

/// Where a failure is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The device's number.
    pub(super) device: Option<u32>,
    /// The organization's number.
    pub(super) org: Option<u32>,
    /// The part of the range.
    pub(super) part: usize,
    /// Whether the filter selects it; else it only shows with what its device fails.
    pub(super) selected: bool,
}

impl Groups {
    /// Counts a failure; returns the number of its group.
    pub(super) fn add(&mut self, event: &RenewalEvent, place: Place) -> u32 {
        let message = event.error.as_ref().map(|error| &error.text);
        let signed = message.map(|message| self.signer.sign(message));
        let sig = signed.as_ref().and_then(|signed| signed.sig);
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(sig).or_insert(next);
        if number == next {
            let text = signed.as_ref().map_or("", |signed| signed.text.as_str());
            self.all.push(Group::new(sig, text, event, self.all.len() < DETAILED));
        }
        if let Some(group) = self.all.get_mut(number as usize).filter(|_| place.selected) {
            group.add(event, place);
            if let (Some(message), Some(signed)) = (message, &signed) {
                group.keep(message, signed);
            }
        }
        number
    }

    /// The signature of a group.
    pub(super) fn sig(&self, number: u32) -> Option<SigId> {
        self.all.get(number as usize)?.sig
    }

    /// The group of a signature.
    pub(super) fn of(&self, sig: Option<SigId>) -> Option<&Group> {
        self.all.get(*self.numbers.get(&sig)? as usize)
    }
}

impl Group {
    /// A group without rows; `event` is the first that has its signature.
    fn new(sig: Option<SigId>, text: &str, event: &RenewalEvent, detailed: bool) -> Self {
        Self {
            sig,
            signature: Arc::from(text),
            rows: 0,
            devices: HashSet::new(),
            orgs: HashSet::new(),
            first: event.created_at,
            newest: (event.created_at, event.id.clone()),
            spark: [0; PARTS],
            examples: Vec::new(),
            values: Vec::new(),
            detailed,
        }
    }

    /// Counts a failure.
    fn add(&mut self, event: &RenewalEvent, place: Place) {
        let (at, id) = (event.created_at, &event.id);
        self.first = if self.rows == 0 { at } else { self.first.min(at) };
        if self.rows == 0 || (at, id) > (self.newest.0, &self.newest.1) {
            self.newest = (at, id.clone());
        }
        self.rows += 1;
        self.devices.extend(place.device);
        self.orgs.extend(place.org);
        if let Some(count) = self.spark.get_mut(place.part) {
            *count += 1;
        }
    }

    /// Keeps what the masks took out of a message, and the message itself if it is among the first.
    fn keep(&mut self, message: &Text, signed: &Signed) {
        if !self.detailed {
            return;
        }
        if self.examples.len() < EXAMPLES && !self.examples.contains(message) {
            self.examples.push(message.clone());
        }
        if self.values.len() < signed.values.len().min(PLACES) {
            self.values.resize_with(signed.values.len().min(PLACES), Counts::default);
        }
        self.values.iter_mut().zip(&signed.values).for_each(|(place, value)| place.add(value));
    }

    /// The group as it is reported, without what depends on its devices.
    pub(super) fn report(&self) -> ErrorGroup {
        ErrorGroup {
            sig: self.sig,
            signature: Arc::clone(&self.signature),
            rows: self.rows,
            devices: self.devices.len() as u64,
            orgs: Some(self.orgs.len() as u64),
            still: 0,
            resolved: 0,
            moved: 0,
            first: self.first,
            last: self.newest.0,
            spark: self.spark,
            worst: None,
            example: self.newest.1.clone(),
            examples: self.examples.clone(),
            values: self.values.iter().map(Counts::report).collect(),
        }
    }
}

impl Counts {
    /// Counts a value.
    fn add(&mut self, value: &Text) {
        let full = self.counts.len() >= DISTINCT;
        match self.counts.get_mut(value) {
            Some(count) => *count += 1,
            None if full => self.others += 1,
            None => {
                self.counts.insert(value.clone(), 1);
            }
        }
    }

    /// The most frequent values.
    fn report(&self) -> PlaceValues {
        let mut top: Vec<_> = self.counts.iter().map(|(value, count)| (value, *count)).collect();
        top.sort_unstable_by_key(|(value, count)| (Reverse(*count), *value));
        let beyond: u64 = top.iter().skip(TOP).map(|(_, count)| count).sum();
        top.truncate(TOP);
        let top = top.into_iter().map(|(value, count)| (value.clone(), count)).collect();
        PlaceValues { top, others: self.others + beyond }
    }
}
