//! The alert: a bell, or a desktop notification, when a new event matches the alert's filter.
//!
//! It follows the table by its own order, independent of the list's filter.
//! At most one in ten seconds, with the number of events: a failing fleet must not ring for every device.

use std::sync::Arc;

use crate::domain::event::RenewalEvent;
use crate::domain::filter::Filter;
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;

use crate::protocol::tail::{ALERT, Start as TailStart, TailOrder};
use crate::ui::effect::{Effect, Means};

use super::Model;

/// Between two alerts.
const PAUSE: Span = Span::seconds(10);

/// Which events to notify of, and how.
#[derive(Clone, Debug, Default)]
pub struct Alert {
    /// An event must match it, independent of the filter in force.
    pub filter: Filter,
    /// How the user is notified.
    pub means: Means,
}

/// What is not delivered yet.
#[derive(Clone, Debug, Default)]
pub struct Ringing {
    /// Events since the last alert.
    pending: u64,
    /// The one that the alert names: the oldest of the newest batch.
    first: Option<Arc<RenewalEvent>>,
    /// When the last alert was delivered, UTC.
    delivered: Option<Instant>,
}

impl Model {
    /// The order that the alert follows, from now on; `None` without an alert.
    pub(super) fn watch_for_alerts(&self) -> Option<Effect> {
        let alert = self.settings.alert.as_ref()?;
        let criteria = alert.filter.criteria(self.ctx.now, &self.ctx.zone).live();
        Some(Effect::Tail(TailOrder { generation: ALERT, criteria, start: TailStart::Now, whole: false }))
    }

    /// Takes new rows of the alert's order, newest first.
    pub(super) fn alert(&mut self, rows: &[Arc<RenewalEvent>], effects: &mut Vec<Effect>) {
        let Some(alert) = &self.settings.alert else { return };
        let criteria = alert.filter.criteria(self.ctx.now, &self.ctx.zone).live();
        for row in rows.iter().filter(|row| criteria.holds_at(row.created_at)) {
            self.ringing.pending += 1;
            self.ringing.first = Some(Arc::clone(row));
        }
        self.ring(effects);
    }

    /// Delivers what is pending, unless an alert was delivered a moment ago. A clock that was set back does not delay
    /// it.
    pub(super) fn ring(&mut self, effects: &mut Vec<Effect>) {
        let (Some(alert), Some(event)) = (&self.settings.alert, &self.ringing.first) else { return };
        if self.ringing.delivered.is_some_and(|at| at.plus(PAUSE) > self.ctx.now && at <= self.ctx.now) {
            return;
        }
        let what = format!("{}: {}", event.device_label(), event.kind.clean());
        let words = match self.ringing.pending {
            0 | 1 => what,
            n => format!("{what}, and {} more", format::count(n - 1)),
        };
        effects.push(Effect::Alert(alert.means, Clean::line(&words)));
        self.ringing = Ringing { delivered: Some(self.ctx.now), ..Ringing::default() };
    }
}
