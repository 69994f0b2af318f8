//! The alert: a bell, or a notification of the desktop, when an event comes that matches a filter of its own.
//!
//! Told at most once in a while, with how many there were: a fleet that fails must not ring for every device.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::Filter;
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;

use super::Model;
use super::msg::Effect;

/// Between two alerts.
const PAUSE: Span = Span::seconds(10);

/// How an alert is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Means {
    #[default]
    Bell,
    /// By the terminal, where it passes notifications on (OSC 9).
    Desktop,
}

impl Means {
    pub const ALL: [(&'static str, Self); 2] = [("bell", Self::Bell), ("desktop", Self::Desktop)];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(id, _)| *id == name).map(|(_, means)| *means)
    }
}

/// What to tell of, and how.
#[derive(Clone, Debug, Default)]
pub struct Alert {
    pub filter: Filter,
    pub means: Means,
}

/// What has not been told yet.
#[derive(Clone, Debug, Default)]
pub struct Ringing {
    waiting: u64,
    first: Option<Arc<RenewalEvent>>,
    told: Option<Instant>,
}

impl Model {
    /// Looks at rows that have come, newest first.
    pub(super) fn alert(&mut self, rows: &[Arc<RenewalEvent>], effects: &mut Vec<Effect>) {
        let Some(alert) = &self.settings_alert else { return };
        let criteria = alert.filter.criteria(self.now, &self.zone);
        for row in rows.iter().filter(|row| criteria.matches(row)) {
            self.ringing.waiting += 1;
            self.ringing.first = Some(Arc::clone(row));
        }
        self.ring(effects);
    }

    /// Tells what waits, unless something was told a moment ago.
    pub(super) fn ring(&mut self, effects: &mut Vec<Effect>) {
        let (Some(alert), Some(event)) = (&self.settings_alert, &self.ringing.first) else { return };
        if self.ringing.told.is_some_and(|at| at.plus(PAUSE) > self.now && at <= self.now) {
            return;
        }
        let what = format!("{}: {}", super::list_name(event), event.kind.clean());
        let words = match self.ringing.waiting {
            0 | 1 => what,
            n => format!("{what}, and {} more", format::count(n - 1)),
        };
        effects.push(Effect::Alert(alert.means, Clean::line(&words)));
        self.ringing = Ringing { told: Some(self.now), ..Ringing::default() };
    }
}
