//! The filter panes: the values of each field under the rest of the filter, with counts, picked by keyboard.
//!
//! Counts come from the database, for the whole result; live rows are added to the values that are listed.

use std::time::Duration;

use tui_input::Input;

use crate::domain::event::{ErrorText, Id, RenewalEvent};
use crate::domain::filter;
use crate::domain::page::Total;
use crate::domain::text::Clean;
use crate::protocol::query::{Facet, FacetQuery, Facets, Field};
use crate::protocol::{Query, Request, Slot};

use crate::ui::action::Preset;
use crate::ui::ctx::Ctx;
use crate::ui::fetch::Fetch;
use crate::ui::viewport::Viewport;

use super::Events;

/// Values that a pane requests at most; typing narrows further in the database.
const VALUES: u32 = 200;
/// How many of the newest rows are counted for a pane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// 2,000: a few milliseconds on any table, so that something is there to read while the rest is counted.
    Glance,
    /// 100,000.
    Whole,
}

impl Depth {
    /// The most rows that the query counts, newest first.
    const fn ceiling(self) -> u64 {
        match self {
            Self::Glance => 2000,
            Self::Whole => 100_000,
        }
    }
}

/// What a pane lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaneId {
    /// The time ranges that have a key. They need no query.
    Time,
    /// Event types.
    Kind,
    /// Organizations, by id with their names.
    Org,
    /// Reasons of renewals.
    Reason,
    /// Signatures of errors, shown by their texts.
    Error,
    /// Devices, by id with their names.
    Device,
}

impl PaneId {
    /// In their order on screen, which Tab follows.
    pub const ALL: [Self; 6] = [Self::Time, Self::Kind, Self::Org, Self::Reason, Self::Error, Self::Device];
    pub const fn title(self) -> &'static str {
        match self {
            Self::Time => "TIME",
            Self::Kind => "TYPE",
            Self::Org => "ORG",
            Self::Reason => "REASON",
            Self::Error => "ERROR",
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
            Self::Error => Some((filter::Field::Sig, Field::Error)),
            Self::Device => Some((filter::Field::Device, Field::Device)),
        }
    }
}

/// One pane: its values, and the cursor on them.
#[derive(Clone, Debug)]
pub struct Pane {
    pub id: PaneId,
    /// The values and their counts under the rest of the filter. The last ones stay on screen while others are in
    /// flight.
    pub facets: Fetch<Facets>,
    /// The cursor and the scroll offset. The layout sets the height, in rows below the title.
    pub view: Viewport,
    /// Lists only the values that contain this text. The database compares, so values beyond the limit are found.
    pub needle: Input,
    /// Keys go to the needle.
    pub narrowing: bool,
    /// Of the last request.
    depth: Depth,
}

/// All panes, in their order on screen.
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
    /// The pane that lists a field of the database.
    pub fn by_field(&self, field: Field) -> Option<&Pane> {
        self.all.iter().find(|p| p.id.field().is_some_and(|(_, f)| f == field))
    }
    pub fn by_field_mut(&mut self, field: Field) -> Option<&mut Pane> {
        self.all.iter_mut().find(|p| p.id.field().is_some_and(|(_, f)| f == field))
    }
    pub fn get(&self, id: PaneId) -> Option<&Pane> {
        self.all.iter().find(|p| p.id == id)
    }
    pub fn get_mut(&mut self, id: PaneId) -> Option<&mut Pane> {
        self.all.iter_mut().find(|p| p.id == id)
    }

    /// Adds a live row to the counts of the values that are listed. Rows that match only the rest of the filter do not come
    /// here; the panes are counted again from time to time.
    pub fn arrive(&mut self, row: &RenewalEvent) {
        for pane in &mut self.all {
            let id = match pane.id {
                PaneId::Time => continue,
                PaneId::Kind => Some(Id::Text(row.kind.raw().into())),
                PaneId::Org => row.org_id.clone(),
                PaneId::Reason => row.reason.clone().map(Id::Text),
                PaneId::Error => {
                    row.error.as_ref().and_then(ErrorText::sig).map(|sig| Id::Text(sig.to_string().into()))
                }
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
        let mut rows = vec![0; wants.len()];
        let focus = self.all.iter().position(|p| Some(p.id) == focus);
        let share = if height < 24 { u16::MAX } else { height / 2 };
        let mut grow = |i: usize, most: u16, left: &mut u16| {
            if let (Some(row), Some(want)) = (rows.get_mut(i), wants.get(i)) {
                let more = want.saturating_sub(*row).min(*left).min(most);
                *row += more;
                *left -= more;
            }
        };
        // One row each, as far as there is room below the titles.
        for i in focus.into_iter().chain((0..wants.len()).filter(|i| Some(*i) != focus)) {
            grow(i, 1, &mut left);
        }
        if let Some(i) = focus {
            grow(i, share, &mut left);
        }
        // One row after the other, so that no pane starves another.
        while left > 0 {
            let before = left;
            for i in 0..wants.len() {
                grow(i, 1, &mut left);
            }
            if left == before {
                break;
            }
        }
        rows
    }
}

impl Pane {
    /// Rows below the title that show everything, at least 1.
    fn wanted(&self) -> u16 {
        match self.id {
            PaneId::Time => 1,
            _ => u16::try_from(self.len()).unwrap_or(u16::MAX).max(1),
        }
    }
    /// How many values are listed; in the time pane, how many ranges.
    pub fn len(&self) -> usize {
        match self.id {
            PaneId::Time => Preset::ALL.len(),
            _ => self.facets.value().map_or(0, |f| f.values.len()),
        }
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Requests this pane's values under the rest of the filter; `None` for the time pane. An unpicked value stays
    /// visible with its count, because the field's own terms are left out.
    pub fn request(&mut self, ctx: &Ctx, depth: Depth, wait: Duration) -> Option<Request> {
        let (named, field) = self.id.field()?;
        self.depth = depth;
        let mut rest = ctx.filter.clone();
        rest.without(named.into());
        let query = FacetQuery {
            field,
            criteria: ctx.criteria_of(&rest),
            needle: self.needle.value().trim().to_owned(),
            limit: VALUES,
            ceiling: depth.ceiling(),
        };
        Some(self.facets.request(Query::Facets(query), wait))
    }

    /// Whether the last answer was a glance that did not count all rows.
    pub fn has_glanced(&self) -> bool {
        let partial = self.facets.value().is_some_and(|facets| facets.partial);
        partial && self.depth == Depth::Glance && !self.facets.is_waiting()
    }

    /// Keeps the cursor within the values, after others have come.
    pub fn settle(&mut self) {
        let len = self.len();
        self.view.settle(len);
    }
    /// The value under the cursor; `None` without values, and in the time pane.
    pub fn current(&self) -> Option<&Facet> {
        self.facets.value()?.values.get(self.view.cursor)
    }
}

/// How a value is called on screen. Safe to draw: the name, else the id, else `(none)` for the rows without a value.
pub fn label(facet: &Facet) -> Clean {
    match (&facet.name, &facet.id) {
        (Some(name), _) => name.clean(),
        (None, Some(id)) => id.clean(),
        (None, None) => Clean::line("(none)"),
    }
}

impl Events {
    /// The needle of the pane that is being narrowed.
    pub fn narrowing(&self) -> Option<(PaneId, &Input)> {
        let pane = self.panes.get(self.pane_focus()?)?;
        pane.narrowing.then_some((pane.id, &pane.needle))
    }
}
