//! What the background tasks have found: the survey of the filter's range and the fleet. Views and the headline read it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::event::Id;
use crate::domain::fleet::Line;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::protocol::survey::{FleetView, Surveyed};

/// What is known of the range and of the fleet.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What was found in the range.
    pub survey: Watched<Surveyed>,
    /// The devices, as the view on screen wants them.
    pub fleet: Watched<FleetView>,
    /// Devices that were on screen, by id, as they stood at the last news of them.
    devices: HashMap<Id, Line>,
}

/// Devices that are kept before all of them are dropped.
const DEVICES: usize = 2000;

/// The tasks read every few seconds; numbers older than this say when they were read.
const OLD: Span = Span::minutes(1);

impl Known {
    /// Keeps the devices of a view of the fleet.
    pub fn keep(&mut self, view: &FleetView) {
        if self.devices.len() > DEVICES {
            self.devices.clear();
        }
        self.devices.extend(view.these.iter().chain(&view.lines).map(|line| (line.member.id().clone(), line.clone())));
    }
    /// When the survey was last read, if that is longer ago than its task usually rests; the same of the devices. What is not
    /// whole says so itself.
    pub fn old(&self, now: Instant) -> (Option<Instant>, Option<Instant>) {
        let old = |as_of: &Instant| now.since(*as_of).is_some_and(|age| age > OLD);
        let survey = self.survey.value().filter(|found| found.reach.whole).map(|found| found.as_of);
        let fleet = self.fleet.value().filter(|view| view.whole).map(|view| view.as_of);
        (survey.filter(old), fleet.filter(old))
    }
    /// The name of an organization, as a device that was on screen has it.
    pub fn org(&self, id: &Id) -> Option<Clean> {
        let of = |line: &&Line| line.member.org_id.as_ref() == Some(id);
        self.devices.values().find(of)?.member.org.as_ref().map(|name| name.clean())
    }
    /// How a device stood when it was last on screen.
    pub fn device(&self, id: &Id) -> Option<&Line> {
        self.devices.get(id)
    }
}

/// The newest news of a task, and why there is none.
#[derive(Clone, Debug)]
pub struct Watched<T> {
    /// That of the order in force; older news are dropped.
    pub generation: u64,
    value: Option<Arc<T>>,
    /// The value is of an older order.
    stale: bool,
    error: Option<SourceError>,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self { generation: 0, value: None, stale: false, error: None }
    }
}

impl<T> Watched<T> {
    /// A new order is in force. Returns its generation. The value stays until there is another.
    pub fn renew(&mut self) -> u64 {
        self.generation += 1;
        self.stale = true;
        self.generation
    }
    /// Drops the value: that of the order in force has nothing to do with it.
    pub fn clear(&mut self) {
        (self.value, self.error) = (None, None);
    }
    /// Takes news of the order in force.
    pub fn take(&mut self, outcome: Result<Arc<T>, SourceError>) {
        match outcome {
            Ok(value) => (self.value, self.stale, self.error) = (Some(value), false, None),
            Err(error) => self.error = Some(error),
        }
    }
    /// The newest value.
    pub fn value(&self) -> Option<&T> {
        self.value.as_deref()
    }
    /// Whether the value is of an older order.
    pub const fn is_stale(&self) -> bool {
        self.stale
    }
    /// Why the newest try failed.
    pub const fn error(&self) -> Option<&SourceError> {
        self.error.as_ref()
    }
}
