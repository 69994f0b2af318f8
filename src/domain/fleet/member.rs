//! A member of the fleet: what its rows say at any time.

use std::sync::Arc;

use crate::domain::attempt::Row;
use crate::domain::device::{Device, Folded};
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::instant::Span;
use crate::domain::signature::Signature;
use crate::domain::text::Text;

/// A device with its names, its newest error and what it teaches. A few hundred bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// What its rows say.
    pub device: Device,
    /// Its name, where one is recorded.
    pub name: Option<Text>,
    /// The id of its organization, as its newest row states it.
    pub org_id: Option<Id>,
    /// The name of its organization, where one is recorded.
    pub org: Option<Text>,
    /// The text of the signature `device.error`.
    pub signature: Option<Arc<str>>,
    /// The gaps between its tries since the last success.
    pub(super) gaps: Box<[Span]>,
    /// The place of its organization in the fleet that holds it.
    pub(super) group: u32,
}

impl Member {
    /// A device by its rows since its last success, that success included, oldest first. `complete` says whether there
    /// are no more such rows. `None` without a row that is part of an attempt.
    pub fn of(name: Option<Text>, org: Option<Text>, rows: &[Arc<RenewalEvent>], complete: bool) -> Option<Self> {
        // A signature costs more than all the rest: one is made of the newest error alone, below.
        let steps: Vec<Row> = rows.iter().filter_map(|event| Row::of(event, None)).collect();
        let Folded { mut device, gaps, failures } = Device::fold(&steps, complete)?;
        let message = |id: &Id| rows.iter().rfind(|row| row.id == *id)?.error.as_ref();
        let signature = failures.iter().find_map(message).map(|error| Signature::of(error.text.raw()));
        let signature = signature.filter(|signature| !signature.id.is_empty());
        device.error = signature.as_ref().map(|signature| signature.id);
        Some(Self {
            device,
            name,
            org_id: rows.last().and_then(|row| row.org_id.clone()),
            org,
            signature: signature.map(|signature| signature.text.into()),
            gaps,
            group: 0,
        })
    }

    /// The device's id, as its rows state it.
    pub fn id(&self) -> &Id {
        &self.device.id
    }
}
