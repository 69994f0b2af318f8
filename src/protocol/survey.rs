//! The survey of a range and the sweep of the fleet, as the screen orders them and as they report.
//!
//! Both run in the background for as long as the console does: they read page after page, rest in between, and say how far
//! they are. What they report is computed from all that they have read; the screen holds no row of it.

use std::sync::Arc;

use crate::domain::attempt::{Attempt, Patience};
use crate::domain::device::policy::Declared;
use crate::domain::event::Id;
use crate::domain::filter::Criteria;
use crate::domain::fleet::{Line, Order, Selection, Summary, Word};
use crate::domain::instant::Instant;
use crate::domain::survey::{LookBack, Report};
use crate::domain::text::Text;

use super::SourceError;

/// What is to be surveyed. A newer order replaces an older one.
#[derive(Clone, PartialEq, Debug)]
pub struct SurveyOrder {
    /// Marks the news that belong to this order.
    pub generation: u64,
    /// The filter made absolute.
    pub criteria: Criteria,
    /// The first instant of the range, in UTC; `None`: it begins with the table.
    pub from: Option<Instant>,
    /// The first instant behind the range, in UTC; `None`: it has no end, and rows that come are counted too.
    pub until: Option<Instant>,
    /// The most rows to read: of a range with more, only the newest.
    pub most: u64,
    /// How long an attempt may have no outcome.
    pub patience: Patience,
}

impl SurveyOrder {
    /// The rows that a survey reads at most before somebody wants more.
    pub const MOST: u64 = 1_000_000;
}

/// A message from the survey.
#[derive(Clone, PartialEq, Debug)]
pub struct SurveyNews {
    /// That of the order; a reader drops news of older ones.
    pub generation: u64,
    /// What was found, or why nothing can be.
    pub outcome: Result<Arc<Surveyed>, SourceError>,
}

/// What a survey has found so far.
#[derive(Clone, PartialEq, Debug)]
pub struct Surveyed {
    /// Counted from the rows that were read.
    pub report: Report,
    /// The newest attempts of each state, newest first.
    pub attempts: Vec<Listed>,
    /// What failed before the range; `None` until that is read.
    pub look_back: Option<Arc<LookBack>>,
    /// How far it is.
    pub reach: Reach,
    /// The database's clock at the time of the report, in UTC.
    pub as_of: Instant,
}

/// An attempt of a list, with what its rows say beside the attempt itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    /// What happened.
    pub attempt: Attempt,
    /// The beginning of the last failure's error.
    pub error: Option<Text>,
}

/// How much of its range a survey has read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reach {
    /// The part that was read, from 0 to 1; of an unknown length, `None`.
    pub part: Option<f64>,
    /// All rows of the range were read, up to `as_of`.
    pub whole: bool,
    /// The range has more rows than the order allows: only those from this instant on, in UTC, are counted.
    pub cut: Option<Instant>,
}

/// Which devices the screen shows. A newer order replaces an older one; what was read of the fleet stays.
#[derive(Clone, PartialEq, Debug)]
pub struct FleetOrder {
    /// Marks the news that belong to this order.
    pub generation: u64,
    /// Which devices. The summary is of these.
    pub selection: Selection,
    /// Only those of them are listed for which one of these words holds; `None`: all.
    pub states: Option<Vec<Word>>,
    /// In which order.
    pub order: Order,
    /// The place of the first line that is wanted, from 0.
    pub from: usize,
    /// The most lines that are wanted.
    pub lines: usize,
    /// Devices whose lines are wanted besides, selected or not.
    pub these: Vec<Id>,
    /// When renewals begin, where that is declared; `None`: as past renewals show.
    pub policy: Option<Declared>,
    /// How long an attempt may have no outcome.
    pub patience: Patience,
}

impl FleetOrder {
    /// Which devices the list has.
    pub fn listed(&self) -> Selection {
        let selection = self.selection.clone();
        match &self.states {
            Some(words) => selection.in_states(words.clone()),
            None => selection,
        }
    }
}

/// A message from the sweep.
#[derive(Clone, PartialEq, Debug)]
pub struct FleetNews {
    /// That of the order; a reader drops news of older ones.
    pub generation: u64,
    /// What is known, or why nothing can be.
    pub outcome: Result<Arc<FleetView>, SourceError>,
}

/// What the screen shows of the fleet.
#[derive(Clone, PartialEq, Debug)]
pub struct FleetView {
    /// The lines that were ordered, as far as there are so many devices.
    pub lines: Vec<Line>,
    /// The place of the first of them, from 0.
    pub from: usize,
    /// The devices that were wanted besides, as far as they have rows.
    pub these: Vec<Line>,
    /// Devices of the list, of which `lines` are a part.
    pub total: usize,
    /// The selected devices in numbers, listed or not.
    pub summary: Summary,
    /// Devices that were read so far, selected or not.
    pub read: u64,
    /// Every device was read; until then, all numbers grow.
    pub whole: bool,
    /// The database's clock at the last look, in UTC.
    pub as_of: Instant,
}
