//! `errors`: the failures of a range by signature, with the devices that still fail with each.
//!
//! Called by the dispatch of commands. It reads the whole range, holds its counts and no row, and prints at the end.

use crate::config::Config;
use crate::config::cli::Errors;
use crate::domain::event::Outcome;
use crate::domain::format as words;
use crate::domain::instant::{Instant, Span};
use crate::domain::source::Part;
use crate::domain::survey::{ErrorGroup, LookBack, Report, Scope, Standing, Survey};
use crate::headless::commands::count::judge;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter, event};
use crate::headless::session::{Interrupt, Session};
use crate::headless::slices::{Selected, Slices, describe, now, ranged};
use crate::headless::values;
use crate::protocol::SourceError;
use crate::runtime::clock;

/// The columns of data formats.
const KEYS: [&str; 14] = [
    "sig",
    "signature",
    "rows",
    "devices",
    "orgs",
    "still",
    "resolved",
    "moved",
    "first_seen",
    "last_seen",
    "first_ever",
    "state",
    "worst_runway_seconds",
    "example_id",
];
/// In JSON, the part of the time that was read.
const COVERED: [&str; 2] = ["covered_from", "covered_until"];
/// In JSON, which numbers are lower bounds; only where some are.
const MARKS: [&str; 6] = ["rows_exact", "devices_exact", "orgs_exact", "still_exact", "resolved_exact", "moved_exact"];

/// Prints one row per signature, the one with the most failing devices first.
pub async fn errors(config: &Config, format: Format, options: &Errors, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    let read = read(config, &session).await?;
    let inexact = session.hides_rows() || read.unreadable > 0;
    if options.exact && inexact {
        return Err(Failure::Failed(
            "the numbers are not exact: some rows cannot be read; 'renewscope doctor' says which".to_owned(),
        ));
    }
    let printed = Printed { config, format, inexact, read: &read };
    let mut writer = RowWriter::new(stdout(), format, printed.columns(), config.ascii);
    let limit = usize::try_from(config.limits.rows.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    for group in read.report.errors.iter().take(limit) {
        writer.row(&printed.cells(group)).map_err(stdout_failed)?;
    }
    writer.finish().map_err(stdout_failed)?;
    values::tell_unknown(&session, config, read.report.failures).await;
    judge(&session, options.fail_if, read.report.kinds_of_error)
}

/// What was read of a range.
struct Read {
    report: Report,
    /// `None` where the range has no beginning: nothing lies before it.
    look_back: Option<LookBack>,
    /// The database's time.
    now: Instant,
    /// The end of what was read.
    until: Instant,
    /// Rows that could not be read.
    unreadable: u64,
}

/// Reads the range of the filter, and what failed before it.
async fn read(config: &Config, session: &Session) -> Result<Read, Failure> {
    let source = describe(session).await?;
    if source.traits.lacks(Part::Error) {
        let why = format!("errors do not fit this source: '{}' records no {}", source.profile, Part::Error.words());
        return Err(SourceError::Unfit(why).into());
    }
    let (filter, zone, here) = (ranged(config), &config.zone.value, clock::now());
    let scope = Scope::of(filter.criteria(here, zone), filter.bounds(here, zone));
    let patience = config.rules.patience;
    let (context, now) = (patience.renewal.max(patience.recovery), now(session).await?);
    let mut survey = Survey::new(scope.range(now, context, source.oldest));
    let mut slices = Slices::new(session, scope.reading(context));
    let mut selected = scope.selected().map(|criteria| Selected::new(session, criteria));
    loop {
        let rows = slices.next().await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let counts = match &mut selected {
                Some(selected) if row.outcome() == Outcome::Failed => selected.holds(row).await?,
                _ => true,
            };
            if counts {
                survey.add(row);
            } else {
                survey.add_other(row);
            }
        }
    }
    let unreadable = slices.finish();
    let until = scope.bounds.until.map_or(now, |until| until.min(now));
    let look_back = look_back(session, &scope, until).await?;
    Ok(Read { report: survey.report(now, patience), look_back, now, until, unreadable })
}

/// Reads the failures before the range.
async fn look_back(session: &Session, scope: &Scope, until: Instant) -> Result<Option<LookBack>, SourceError> {
    let range = scope.bounds.from.and_then(|from| until.since(from)).unwrap_or(Span(0));
    let Some(criteria) = scope.before(LookBack::reach(range)) else { return Ok(None) };
    let (mut look_back, mut slices) = (LookBack::default(), Slices::new(session, criteria));
    loop {
        let rows = slices.next().await?;
        if rows.is_empty() {
            return Ok(Some(look_back));
        }
        rows.iter().for_each(|row| look_back.add(row));
    }
}

/// How groups are printed.
struct Printed<'a> {
    config: &'a Config,
    format: Format,
    /// Whether numbers are lower bounds.
    inexact: bool,
    read: &'a Read,
}

impl Printed<'_> {
    /// The columns of the format.
    fn columns(&self) -> Vec<Column> {
        let zone = self.config.zone.value.name();
        let json = matches!(self.format, Format::Ndjson | Format::Json);
        match self.format {
            Format::Table => vec![
                Column::new("still"),
                Column::new("devices"),
                Column::new("orgs"),
                Column::new("rows"),
                Column::new("first_seen").titled(format!("FIRST ({zone})")),
                Column::new("last_seen").titled(format!("LAST ({zone})")),
                Column::new("state"),
                Column::new("worst"),
                Column::new("signature"),
            ],
            Format::Md => KEYS.iter().map(|key| Column::new(key).titled(*key)).collect(),
            _ => {
                let covered = COVERED.iter().filter(|_| json);
                let marks = MARKS.iter().filter(|_| json && self.inexact);
                KEYS.iter().chain(covered).chain(marks).map(|key| Column::new(key)).collect()
            }
        }
    }

    /// The cells of a group, for the same columns.
    fn cells<'g>(&'g self, group: &'g ErrorGroup) -> Vec<Cell<'g>> {
        let read = self.read;
        let runway = group.worst.and_then(|expiry| expiry.since(read.now));
        if self.format == Format::Table {
            return self.line(group);
        }
        let mut cells = vec![
            Cell::text(group.sig.map(|sig| sig.to_string())),
            Cell::text(group.sig.map(|_| &*group.signature)),
            Cell::Number(group.rows),
            Cell::Number(group.devices),
            group.orgs.map_or(Cell::Missing, Cell::Number),
            Cell::Number(group.still),
            Cell::Number(group.resolved),
            Cell::Number(group.moved),
            Cell::Time(group.first),
            Cell::Time(group.last),
            Cell::Time(read.look_back.as_ref().map_or(group.first, |back| group.first_ever(back))),
            Cell::text(self.state(group)),
            runway.map_or(Cell::Missing, |runway| Cell::Seconds(Span::seconds(runway.as_seconds()))),
            Cell::Id(&group.example),
        ];
        if matches!(self.format, Format::Ndjson | Format::Json) {
            cells.extend([read.report.covered_from.map_or(Cell::Missing, Cell::Time), Cell::Time(read.until)]);
            cells.extend(MARKS.iter().filter(|_| self.inexact).map(|_| Cell::Bool(false)));
        }
        cells
    }

    /// The cells of a group for people.
    fn line<'g>(&'g self, group: &'g ErrorGroup) -> Vec<Cell<'g>> {
        let stamp = |at| Cell::text(Some(event::stamp(at, &self.config.zone.value, false)));
        let worst = group.worst.map(|expiry| match expiry.since(self.read.now) {
            Some(runway) if runway.0 < 0 => format!("-{}", words::span(runway)),
            Some(runway) => words::span(runway),
            None => words::relative(expiry, self.read.now),
        });
        vec![
            Cell::Number(group.still),
            Cell::Number(group.devices),
            group.orgs.map_or(Cell::Missing, Cell::Number),
            Cell::Number(group.rows),
            stamp(group.first),
            stamp(group.last),
            Cell::text(self.state(group)),
            Cell::text(worst),
            Cell::text(Some(if group.sig.is_some() { &*group.signature } else { "(no message)" })),
        ]
    }

    /// The word for the state. Where the range has no beginning, nothing in it is new.
    fn state(&self, group: &ErrorGroup) -> Option<&'static str> {
        let state = group.state(self.read.look_back.as_ref());
        if state == Standing::Unknown { Standing::Ongoing.word() } else { state.word() }
    }
}
