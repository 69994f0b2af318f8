//! The filter panes: the values of a field under the rest of the filter, to be picked by keyboard.

use std::time::Duration;

use tui_input::Input;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::{self, Filter};
use crate::domain::page::Total;
use crate::domain::text::Clean;
use crate::protocol::query::{Facet, FacetQuery, Facets, Field};
use crate::protocol::{Query, Request, Slot};

use super::action::Preset;
use super::fetch::Fetch;
use super::viewport::Viewport;

/// Values that a pane asks for at most; typing narrows further in the database.
const VALUES: u32 = 200;
/// How many of the newest rows are counted for the numbers of a pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// In a few milliseconds on any table: something is there to read while the rest is counted.
    Glance,
    Whole,
}

impl Depth {
    const fn ceiling(self) -> u64 {
        match self {
            Self::Glance => 2000,
            Self::Whole => 100_000,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaneId {
    Time,
    Kind,
    Org,
    Reason,
    Device,
}

impl PaneId {
    pub const ALL: [Self; 5] = [Self::Time, Self::Kind, Self::Org, Self::Reason, Self::Device];
    pub const fn title(self) -> &'static str {
        match self {
            Self::Time => "TIME",
            Self::Kind => "TYPE",
            Self::Org => "ORG",
            Self::Reason => "REASON",
            Self::Device => "DEVICE",
        }
    }
    /// The field as the filter names it, and as the database counts it; `None` for the time pane.
    pub const fn field(self) -> Option<(filter::Field, Field)> {
        match self {
            Self::Time => None,
            Self::Kind => Some((filter::Field::Type, Field::Kind)),
            Self::Org => Some((filter::Field::Org, Field::Org)),
            Self::Reason => Some((filter::Field::Reason, Field::Reason)),
            Self::Device => Some((filter::Field::Device, Field::Device)),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Pane {
    pub id: PaneId,
    pub facets: Fetch<Facets>,
    pub view: Viewport,
    pub needle: Input,
    /// Keys go to the needle.
    pub narrowing: bool,
    /// Of the question that was asked last.
    depth: Depth,
}

#[derive(Clone, Debug)]
pub struct Panes {
    pub all: Vec<Pane>,
}

impl Default for Panes {
    fn default() -> Self {
        let pane = |id: PaneId| Pane {
            id,
            facets: Fetch::new(id.field().map_or(Slot::Describe, |(_, field)| Slot::Facets(field))),
            view: Viewport::default(),
            needle: Input::default(),
            narrowing: false,
            depth: Depth::Whole,
        };
        Self { all: PaneId::ALL.into_iter().map(pane).collect() }
    }
}

impl Panes {
    pub fn by_field(&mut self, field: Field) -> Option<&mut Pane> {
        self.all.iter_mut().find(|p| p.id.field().is_some_and(|(_, f)| f == field))
    }
    pub fn get(&self, id: PaneId) -> Option<&Pane> {
        self.all.iter().find(|p| p.id == id)
    }
    pub fn get_mut(&mut self, id: PaneId) -> Option<&mut Pane> {
        self.all.iter_mut().find(|p| p.id == id)
    }

    /// Counts a row that arrived live among the values that are listed. Rows that only the rest of the filter would let
    /// through are not told; the panes are asked again from time to time.
    pub fn arrive(&mut self, row: &RenewalEvent) {
        for pane in &mut self.all {
            let id = match pane.id {
                PaneId::Time => continue,
                PaneId::Kind => Some(Id::Text(row.kind.raw().into())),
                PaneId::Org => row.org_id.clone(),
                PaneId::Reason => row.reason.clone().map(Id::Text),
                PaneId::Device => row.device_id().cloned(),
            };
            let listed = pane.facets.value_mut().and_then(|f| f.values.iter_mut().find(|v| v.id == id));
            if let Some(Facet { rows: Total::Exact(n), .. }) = listed {
                *n += 1;
            }
        }
    }

    /// Rows of each pane below its title, in the order of [`PaneId::ALL`], for `height` rows in all. The pane in
    /// focus gets what it can use first.
    pub fn layout(&self, height: u16, focus: Option<PaneId>) -> Vec<u16> {
        let titles = self.all.len() as u16;
        let mut left = height.saturating_sub(titles);
        let wants: Vec<u16> = self.all.iter().map(Pane::wanted).collect();
        let mut rows: Vec<u16> = wants.iter().map(|w| (*w).min(1)).collect();
        left = left.saturating_sub(rows.iter().sum());
        let order = self.all.iter().enumerate().filter(|(_, p)| Some(p.id) == focus);
        for (i, _) in order {
            grow(&mut rows, &wants, i, &mut left, if height < 24 { u16::MAX } else { height / 2 });
        }
        // One row after the other, so that no pane starves another.
        while left > 0 {
            let before = left;
            for i in 0..rows.len() {
                grow(&mut rows, &wants, i, &mut left, 1);
            }
            if left == before {
                break;
            }
        }
        rows
    }
}

fn grow(rows: &mut [u16], wants: &[u16], i: usize, left: &mut u16, most: u16) {
    if let (Some(row), Some(want)) = (rows.get_mut(i), wants.get(i)) {
        let more = want.saturating_sub(*row).min(*left).min(most);
        *row += more;
        *left -= more;
    }
}

impl Pane {
    fn wanted(&self) -> u16 {
        match self.id {
            PaneId::Time => 1,
            _ => u16::try_from(self.len()).unwrap_or(u16::MAX).max(1),
        }
    }
    pub fn len(&self) -> usize {
        match self.id {
            PaneId::Time => Preset::ALL.len(),
            _ => self.facets.value().map_or(0, |f| f.values.len()),
        }
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Asks for this pane's values under the rest of the filter.
    pub fn ask(
        &mut self,
        filter: &Filter,
        criteria: impl FnOnce(&Filter) -> crate::domain::filter::Criteria,
        (depth, wait): (Depth, Duration),
    ) -> Option<Request> {
        let (named, field) = self.id.field()?;
        self.depth = depth;
        let mut rest = filter.clone();
        rest.without(named.into());
        let query = FacetQuery {
            field,
            criteria: criteria(&rest),
            needle: self.needle.value().trim().to_owned(),
            limit: VALUES,
            ceiling: depth.ceiling(),
        };
        Some(self.facets.ask(Query::Facets(query), wait))
    }

    /// Whether the answer that has just come was a glance that has not seen all.
    pub fn has_glanced(&self) -> bool {
        let partial = self.facets.value().is_some_and(|facets| facets.partial);
        partial && self.depth == Depth::Glance && !self.facets.is_waiting()
    }

    pub fn settle(&mut self) {
        let len = self.len();
        self.view.settle(len);
    }
    pub fn current(&self) -> Option<&Facet> {
        self.facets.value()?.values.get(self.view.cursor)
    }
}

/// The text by which the filter names a value: its name where there is one, else its id. `None`: rows without a value.
pub fn filter_word(facet: &Facet) -> Option<String> {
    match (&facet.name, &facet.id) {
        (Some(name), _) => Some(name.raw().to_owned()),
        (None, Some(id)) => Some(id.raw()),
        (None, None) => None,
    }
}

/// How a value is called on screen.
pub fn label(facet: &Facet) -> Clean {
    match (&facet.name, &facet.id) {
        (Some(name), _) => name.clean(),
        (None, Some(id)) => id.clean(),
        (None, None) => Clean::line("(none)"),
    }
}
