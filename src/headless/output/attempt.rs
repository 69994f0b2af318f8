//! An attempt as cells: all fields for data formats, the most important ones for a table.

use crate::domain::attempt::{Attempt, State, Step};
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::format as words;
use crate::domain::instant::Instant;
use crate::domain::zone::Zone;
use crate::headless::output::{Cell, Column, Format, event};

/// The names of an attempt's fields in data formats, in order.
const KEYS: [&str; 20] = [
    "device_id",
    "device",
    "org_id",
    "org",
    "family",
    "state",
    "started_at",
    "ended_at",
    "seconds",
    "tries",
    "failures",
    "starts",
    "old_expiry",
    "new_expiry",
    "reason",
    "error",
    "sig",
    "start_id",
    "outcome_id",
    "inferred",
];

/// The columns of an attempt in a format. JSON has one more in rows whose tries are a lower bound.
pub fn columns(format: Format, zone: &Zone) -> Vec<Column> {
    match format {
        Format::Table => vec![
            Column::new("started_at").titled(format!("STARTED ({})", zone.name())),
            Column::new("device").at_most(60),
            Column::new("org").at_most(40),
            Column::new("family"),
            Column::new("state"),
            Column::new("took"),
            Column::new("try"),
            Column::new("left_then"),
            Column::new("error"),
        ],
        Format::Md => KEYS.iter().map(|key| Column::new(key).titled(*key)).collect(),
        Format::Csv => KEYS.iter().map(|key| Column::new(key)).collect(),
        Format::Ndjson | Format::Json => KEYS.iter().chain(&["tries_exact"]).map(|key| Column::new(key)).collect(),
    }
}

/// An attempt with what its cells need besides.
pub struct Line<'a> {
    pub attempt: &'a Attempt,
    /// One of its rows, with names.
    pub named: &'a RenewalEvent,
    /// Its last failure.
    pub failure: Option<&'a std::sync::Arc<RenewalEvent>>,
    /// The database's time.
    pub now: Instant,
}

impl<'a> Line<'a> {
    /// The cells for [`columns`].
    pub fn cells(&self, format: Format, zone: &Zone) -> Vec<Cell<'a>> {
        if format == Format::Table {
            return self.line(zone);
        }
        let Self { attempt, named, .. } = *self;
        let time = |at: Option<Instant>| at.map_or(Cell::Missing, Cell::Time);
        let start = attempt.start.as_ref();
        let end = attempt.end.as_ref().map(|(mark, _)| mark);
        let mut cells = vec![
            Cell::Id(&attempt.device),
            Cell::text(named.device.as_ref().map(|name| name.raw())),
            named.org_id.as_ref().map_or(Cell::Missing, Cell::Id),
            Cell::text(named.org.as_ref().map(|name| name.raw())),
            Cell::text(Some(attempt.family.word())),
            Cell::text(Some(attempt.state.word())),
            time(start.map(|mark| mark.at)),
            time(end.map(|mark| mark.at)),
            attempt.took().map_or(Cell::Missing, Cell::Seconds),
            Cell::Number(attempt.tries.into()),
            Cell::Number(attempt.failures.into()),
            Cell::Number(attempt.starts.into()),
            time(attempt.old_expiry),
            time(attempt.new_expiry),
            Cell::text(attempt.reason.as_ref().map(|reason| reason.raw())),
            Cell::text(self.error()),
            Cell::text(attempt.error.map(|sig| sig.to_string())),
            start.map_or(Cell::Missing, |mark| Cell::Id(&mark.id)),
            end.map_or(Cell::Missing, |mark| Cell::Id(&mark.id)),
            Cell::Bool(true),
        ];
        if matches!(format, Format::Ndjson | Format::Json) && !attempt.tries_exact {
            cells.push(Cell::Bool(false));
        }
        cells
    }

    /// The message of the last failure.
    fn error(&self) -> Option<&'a str> {
        Some(self.failure?.error.as_ref()?.text.raw())
    }

    /// The cells for people.
    fn line(&self, zone: &Zone) -> Vec<Cell<'a>> {
        let Self { attempt, named, .. } = *self;
        let name = |name: Option<&'a str>, id: Option<&Id>| match name {
            Some(name) => Cell::text(Some(name)),
            None => Cell::text(id.map(Id::raw)),
        };
        let left = attempt.old_expiry.zip(attempt.at()).map(|(expiry, at)| match expiry.since(at) {
            Some(left) if left.0 < 0 => format!("-{}", words::span(left)),
            Some(left) => words::span(left),
            None => words::relative(expiry, at),
        });
        let missing = match attempt.state {
            State::Succeeded | State::Failed => None,
            State::InFlight | State::Stalled => {
                attempt.at().and_then(|at| self.now.since(at)).map(|age| format!("nothing for {}", words::span(age)))
            }
            State::Superseded => Some("nothing before the next start".to_owned()),
            State::Orphan | State::StartNotKept | State::Undecided => None,
        };
        let orphan = match (&attempt.start, &attempt.end) {
            (None, Some((_, Step::Succeeded))) => Some("success without a start".to_owned()),
            (None, Some(_)) => Some("failure without a start".to_owned()),
            _ => None,
        };
        let tries = format!("{}{}", if attempt.tries_exact { "" } else { ">=" }, attempt.tries);
        vec![
            Cell::text(attempt.at().map(|at| event::stamp(at, zone, true))),
            name(named.device.as_ref().map(|name| name.raw()), Some(&attempt.device)),
            name(named.org.as_ref().map(|name| name.raw()), named.org_id.as_ref()),
            Cell::text(Some(attempt.family.word())),
            Cell::text(Some(attempt.state.word())),
            Cell::text(attempt.took().map(words::span)),
            Cell::text(Some(tries)),
            Cell::text(left),
            self.error().map_or_else(|| Cell::text(missing.or(orphan)), |error| Cell::text(Some(error))),
        ]
    }
}
