//! What a filter means for a survey: which rows are read, and which failures are counted.
//!
//! A filter on a range selects failures. Whether a device still fails, and what came of an attempt, shows in other rows,
//! which a clause on the type or the error would leave out. So only the clauses that hold for all rows of a device narrow
//! what is read; the whole filter decides which failures count.

use super::SurveyRange;
use crate::domain::attempt::Begins;
use crate::domain::filter::criteria::{Check, Clause, KindMatch};
use crate::domain::filter::{Bounds, Criteria};
use crate::domain::instant::{Instant, Span};

/// A filter, divided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// The range of the filter.
    pub bounds: Bounds,
    /// Clauses on devices and organizations, and the bound on clocks that run ahead.
    rows: Vec<Clause>,
    /// The whole filter.
    all: Criteria,
    /// Whether the whole filter leaves out failures of these rows.
    selects: bool,
}

impl Scope {
    /// The scope of a filter by its criteria and its bounds.
    pub fn of(all: Criteria, bounds: Bounds) -> Self {
        let of_device = |clause: &Clause| matches!(clause.check, Check::Org(_) | Check::Device(_) | Check::NotAhead(_));
        let is_range = |clause: &Clause| match clause.check {
            Check::Time { from, until } => !clause.negated || from.is_none() || until.is_none(),
            _ => false,
        };
        let selects = all.all.iter().any(|clause| !of_device(clause) && !is_range(clause) && *clause != failed());
        Self { bounds, rows: all.all.iter().filter(|clause| of_device(clause)).cloned().collect(), all, selects }
    }

    /// The range for a survey at `now`, the database's time; `oldest` is the table's oldest row, if that is known.
    pub fn range(&self, now: Instant, context: Span, oldest: Option<Instant>) -> SurveyRange {
        let Bounds { from, until } = self.bounds;
        let whole = from.is_none_or(|from| oldest.is_some_and(|oldest| oldest >= from.minus(context)));
        let begins = if whole { Begins::WithTable } else { Begins::WithinTable };
        SurveyRange { from, until, now, begins }
    }

    /// The rows to read: those of the range, and those of `context` before it, in which attempts may have begun.
    pub fn reading(&self, context: Span) -> Criteria {
        let from = self.bounds.from.map(|from| from.minus(context));
        self.between(from, self.bounds.until)
    }

    /// Whether every row of a device in the range matches, or none. A device may have changed its organization.
    pub fn is_of_devices(&self) -> bool {
        let narrows = |clause: &Clause| *clause == failed() || matches!(clause.check, Check::Org(_));
        !self.selects && !self.all.all.iter().any(narrows)
    }

    /// The failures to count, where these are not all that are read.
    pub fn selected(&self) -> Option<Criteria> {
        self.selects.then(|| {
            let mut selected = self.all.clone();
            selected.all.push(failed());
            selected
        })
    }

    /// The failures of `reach` before the range; `None` where that has no beginning.
    pub fn before(&self, reach: Span) -> Option<Criteria> {
        let from = self.bounds.from?;
        let mut before = self.between(Some(from.minus(reach)), Some(from));
        before.all.push(failed());
        Some(before)
    }

    /// The rows of the devices between two times.
    fn between(&self, from: Option<Instant>, until: Option<Instant>) -> Criteria {
        let time = Clause { negated: false, check: Check::Time { from, until } };
        Criteria { all: self.rows.iter().cloned().chain([time]).collect() }
    }
}

/// The clause of `type:failed`.
fn failed() -> Clause {
    Clause { negated: false, check: Check::Kind(vec![KindMatch::Ending("failed".to_owned())]) }
}
