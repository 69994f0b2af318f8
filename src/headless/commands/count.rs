//! `count`: prints one number, or one row per group.
//!
//! Called by the dispatch of commands. The sum over the groups must be the number that `count` prints without groups.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write;

use crate::config::Config;
use crate::config::cli::{Condition, Group};
use crate::domain::event::{Id, Outcome};
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause, KindMatch};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Anchor, Total};
use crate::domain::source::Part;
use crate::domain::text::Text;
use crate::domain::zone::Zone;
use crate::headless::commands::list::criteria;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter, event};
use crate::headless::session::{Interrupt, Session, unexpected};
use crate::headless::{tell, values};
use crate::protocol::query::{FacetQuery, Facets, Field, HistogramQuery};
use crate::protocol::{Answer, Query, SourceError};

/// The limit of groups without `--limit`: more than a spreadsheet holds.
const GROUPS: u32 = 1_000_000;
/// Zones are whole quarters of an hour from UTC, so hours and days of every zone consist of these.
const QUARTER: Span = Span::minutes(15);
/// Buckets of one query: three months of quarters.
const BUCKETS: u32 = 8928;
/// Queries at most: a thousand years of rows without a gap of three months.
const STEPS: u32 = 4000;
/// The first and the excluded last instant of the hours that are printed: the years 1 to 9999, which RFC 3339 can write.
const FIRST: Instant = Instant::from_unix_micros(-62_135_596_800_000_000);
const END: Instant = Instant::from_unix_micros(253_402_300_800_000_000);

/// Prints how many rows match. A condition that holds sets the exit code; it is no error.
pub async fn count(
    config: &Config,
    format: Option<Format>,
    condition: Option<Condition>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    let rows = match session.run(Query::Count { criteria: criteria(config), ceiling: None }).await? {
        Answer::Count(total) => number(total),
        other => return Err(unexpected(&other).into()),
    };
    values::tell_unknown(&session, config, rows).await;
    session.tell_unreadable().await;
    let mut out = stdout();
    match format {
        // Without an explicit format, the output is the bare number.
        None => writeln!(out, "{rows}").and_then(|()| out.flush()).map_err(stdout_failed)?,
        Some(format) => {
            let mut writer = RowWriter::new(out, format, vec![Column::new("rows")], config.ascii);
            writer.row(&[Cell::Number(rows)]).map_err(stdout_failed)?;
            writer.finish().map_err(stdout_failed)?;
        }
    }
    judge(&session, condition, rows)
}

/// The exit code of a condition. With row security a count may be too low, so a condition that is not met does not pass.
pub fn judge(session: &Session, condition: Option<Condition>, number: u64) -> Result<Exit, Failure> {
    match condition {
        Some(condition) if condition.holds(number) => Ok(Exit::Condition),
        Some(_) if session.hides_rows() => Err(Failure::Failed(
            "cannot decide --fail-if: row security may hide events from this role; use a role with BYPASSRLS, or a view of \
             the events whose owner has it"
                .to_owned(),
        )),
        _ => Ok(Exit::Done),
    }
}

fn number(total: Total) -> u64 {
    match total {
        Total::Exact(n) | Total::AtLeast(n) => n,
    }
}

/// How to group, and the condition on the number of groups.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    pub by: Group,
    pub fail_if: Option<Condition>,
}

/// Prints one row per group: the values of a field, most frequent first, or the hours or days, oldest first.
pub async fn by(config: &Config, format: Format, groups: Groups, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    let all = groups.fail_if.is_some();
    let grouping = Grouping { config, format, session: &session, all };
    let number = match groups.by {
        Group::Type => grouping.values(Field::Kind).await?,
        Group::Org => grouping.values(Field::Org).await?,
        Group::Device => grouping.values(Field::Device).await?,
        Group::Reason => grouping.values(Field::Reason).await?,
        Group::Error => grouping.values(Field::Error).await?,
        Group::Hour | Group::Day => grouping.times(groups.by == Group::Day).await?,
    };
    session.tell_unreadable().await;
    judge(&session, groups.fail_if, number)
}

/// What all groupings need.
struct Grouping<'a> {
    config: &'a Config,
    format: Format,
    session: &'a Session,
    /// Whether groups are counted beyond `--limit`, which bounds what is printed: a condition compares all of them.
    all: bool,
}

/// One hour or day: its start, and its rows by outcome.
struct Bucket {
    from: Instant,
    rows: [u64; 4],
}

impl Grouping<'_> {
    /// Prints the values of a field. Returns how many of them have events.
    async fn values(&self, field: Field) -> Result<u64, Failure> {
        let Self { config, format, .. } = *self;
        let limit = config.limits.rows.unwrap_or(u64::MAX);
        let facets = self.facets(field).await?;
        let keys: &[&str] = match field {
            Field::Org => &["org_id", "org"],
            Field::Device => &["device_id", "device"],
            Field::Error => &["sig", "signature"],
            Field::Kind => &["event_type"],
            Field::Reason => &["reason"],
        };
        let columns = keys.iter().map(|key| Column::new(key)).chain([Column::new("rows")]).collect();
        let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
        for facet in facets.values.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
            let id = Cell::text(facet.id.as_ref().map(Id::raw));
            let rows = Cell::Number(number(facet.rows));
            let name = Cell::text(facet.name.as_ref().map(|n| n.raw()));
            let cells = if keys.len() == 2 { vec![id, name, rows] } else { vec![id, rows] };
            writer.row(&cells).map_err(stdout_failed)?;
        }
        writer.finish().map_err(stdout_failed)?;
        if facets.more && config.limits.rows.is_none() {
            tell(&format!("only the first {GROUPS} groups are printed; narrow the filter to see the others"));
        }
        if facets.partial {
            tell("the count stopped early; every number is a lower bound");
        }
        Ok(facets.values.iter().filter(|facet| number(facet.rows) > 0).count() as u64)
    }

    /// The values of a field with their events, most frequent first: those that are printed, or all where a condition
    /// counts them.
    async fn facets(&self, field: Field) -> Result<Facets, Failure> {
        let Self { config, session, all, .. } = *self;
        let part = match field {
            Field::Org => Some(Part::Org),
            Field::Device => Some(Part::Device),
            Field::Reason => Some(Part::Reason),
            Field::Error => Some(Part::Error),
            Field::Kind => None,
        };
        if let (Some(part), Answer::Described(source)) = (part, session.run(Query::Describe).await?)
            && source.traits.lacks(part)
        {
            let why = format!("cannot count: the source '{}' records no {}", source.profile, part.words());
            return Err(SourceError::Unfit(why).into());
        }
        if field == Field::Error {
            return self.errors().await;
        }
        let limit = config.limits.rows.filter(|_| !all).and_then(|n| u32::try_from(n).ok());
        self.listed(field, criteria(config), limit.unwrap_or(GROUPS).min(GROUPS)).await
    }

    /// The values of a field among the events of a filter.
    async fn listed(&self, field: Field, criteria: Criteria, limit: u32) -> Result<Facets, Failure> {
        let query = FacetQuery { field, criteria, needle: String::new(), limit, ceiling: i64::MAX as u64 };
        match self.session.run(Query::Facets(query)).await? {
            Answer::Facets(facets) => Ok(facets),
            other => Err(unexpected(&other).into()),
        }
    }

    /// The signatures of errors. Of the events without one only the failures are a group; the others are reported. So
    /// failures and others are counted apart and added: each is read once.
    async fn errors(&self) -> Result<Facets, Failure> {
        let among = |failed: bool| {
            let mut criteria = criteria(self.config);
            let check = Check::Kind(vec![KindMatch::Ending("failed".to_owned())]);
            criteria.all.push(Clause { negated: !failed, check });
            criteria
        };
        let mut facets = self.listed(Field::Error, among(true), GROUPS).await?;
        let others = self.listed(Field::Error, among(false), GROUPS).await?;
        if let Some(none) = facets.values.iter_mut().find(|facet| facet.id.is_none()) {
            none.name = Some(Text::from("(no message)"));
        }
        let places: HashMap<_, _> =
            facets.values.iter().enumerate().map(|(at, facet)| (facet.id.clone(), at)).collect();
        for facet in others.values {
            if facet.id.is_none() {
                let rows = format::count(number(facet.rows));
                tell(&format!("not in any group: {rows} events that are no failures and have no error message"));
            } else if let Some(known) = places.get(&facet.id).and_then(|at| facets.values.get_mut(*at)) {
                known.rows = Total::Exact(number(known.rows) + number(facet.rows));
            } else {
                facets.values.push(facet);
            }
        }
        facets.more |= others.more;
        facets.values.sort_by_key(|facet| (Reverse(number(facet.rows)), facet.id.is_none(), facet.word(Field::Kind)));
        Ok(facets)
    }

    /// Prints hours or days. Returns how many there are. Rows outside of [`FIRST`] to [`END`] are reported apart, so that a row with a
    /// wrong year does not cost a walk through all years before it.
    async fn times(&self, days: bool) -> Result<u64, Failure> {
        let Self { config, format, session, all } = *self;
        let zone = &config.zone.value;
        let table = format == Format::Table;
        let title = format!("{} ({})", if days { "DAY" } else { "HOUR" }, zone.name());
        let from = Column::new("from").titled(if table { title } else { "from".to_owned() });
        let columns = [from].into_iter().chain(["failed", "succeeded", "started", "other", "rows"].map(Column::new));
        let mut writer = RowWriter::new(stdout(), format, columns.collect(), config.ascii);
        let limit = config.limits.rows.unwrap_or(u64::MAX);
        let mut left = limit;
        let mut put = |bucket: &Bucket| {
            let Some(rest) = left.checked_sub(1) else { return Ok(()) };
            left = rest;
            let from = if table { event::stamp(bucket.from, zone, false) } else { bucket.from.rfc3339() };
            let mut cells = vec![Cell::text(Some(from))];
            cells.extend(bucket.rows.iter().map(|n| Cell::Number(*n)));
            cells.push(Cell::Number(bucket.rows.iter().sum()));
            writer.row(&cells)
        };
        let mut walk = Walk { criteria: between(config, Some(FIRST), Some(END)), after: None, steps: 0 };
        let (mut current, mut found): (Option<Bucket>, u64) = (None, 0);
        'walk: while let Some((start, counts)) = walk.next(session).await? {
            for (i, rows) in (0_i64..).zip(&counts).filter(|(_, rows)| rows.iter().any(|n| *n > 0)) {
                let from = beginning(start.plus(Span(QUARTER.0.saturating_mul(i))), zone, days);
                match &mut current {
                    Some(bucket) if bucket.from == from => {
                        bucket.rows.iter_mut().zip(rows).for_each(|(sum, n)| *sum += n);
                    }
                    _ => {
                        if let Some(done) = current.replace(Bucket { from, rows: *rows }) {
                            put(&done).map_err(stdout_failed)?;
                        }
                        if found >= limit && !all {
                            current = None;
                            break 'walk;
                        }
                        found += 1;
                    }
                }
            }
        }
        if let Some(bucket) = &current {
            put(bucket).map_err(stdout_failed)?;
        }
        writer.finish().map_err(stdout_failed)?;
        if found < limit {
            tell_outliers(config, session, walk.rest()).await?;
        }
        Ok(found)
    }
}

/// The filter of the command, within a range of times.
fn between(config: &Config, from: Option<Instant>, until: Option<Instant>) -> Criteria {
    let mut criteria = criteria(config);
    criteria.all.push(Clause { negated: false, check: Check::Time { from, until } });
    criteria
}

/// Reports the rows that are in no hour: those before [`FIRST`], and those from `end` on, which is [`END`] unless the walk
/// ended earlier.
async fn tell_outliers(config: &Config, session: &Session, end: Instant) -> Result<(), Failure> {
    let count = async |from, until| match session.run(query(between(config, from, until))).await? {
        Answer::Count(total) => Ok(number(total)),
        other => Err(unexpected(&other)),
    };
    let (early, late) = (count(None, Some(FIRST)).await?, count(Some(end), None).await?);
    if early > 0 {
        let early = format::count(early);
        tell(&format!("not in any group: {early} events before the year 1, or at '-infinity'"));
    }
    if late > 0 {
        let from = if end == END { "after the year 9999, or at 'infinity'".to_owned() } else { end.rfc3339() };
        tell(&format!("not in any group: {} events {from}", format::count(late)));
    }
    Ok(())
}

fn query(criteria: Criteria) -> Query {
    Query::Count { criteria, ceiling: None }
}

/// A walk through the quarters of an hour that have rows, oldest first.
struct Walk {
    criteria: Criteria,
    after: Option<Instant>,
    steps: u32,
}

impl Walk {
    /// The counts of [`BUCKETS`] quarters from the next row on, so that empty years between two rows cost nothing, and the
    /// time of the first quarter. `None`: no more rows, or [`STEPS`] are taken.
    async fn next(&mut self, session: &Session) -> Result<Option<(Instant, Vec<[u64; 4]>)>, SourceError> {
        if self.steps >= STEPS {
            return Ok(None);
        }
        let mut criteria = self.criteria.clone();
        criteria.all.push(Clause { negated: false, check: Check::Time { from: self.after, until: None } });
        let page = session.page(criteria.clone(), Anchor::Oldest, 1, false).await?;
        let Some(first) = page.rows.last() else { return Ok(None) };
        let micros = first.created_at.pg_micros();
        let from = Instant::from_pg_micros(micros - micros.rem_euclid(QUARTER.0));
        let query = HistogramQuery { criteria, from, width_micros: QUARTER.0, buckets: BUCKETS };
        self.after = Some(from.end_after(Span(QUARTER.0.saturating_mul(i64::from(BUCKETS)))));
        self.steps += 1;
        match session.run(Query::Histogram(query)).await? {
            Answer::Histogram(histogram) => Ok(Some((from, histogram.buckets))),
            other => Err(unexpected(&other)),
        }
    }

    /// The time up to which all rows are counted.
    fn rest(&self) -> Instant {
        self.after.filter(|after| self.steps >= STEPS && *after < END).unwrap_or(END)
    }
}

/// The start of the hour or day in a zone that contains an instant.
fn beginning(at: Instant, zone: &Zone, days: bool) -> Instant {
    let Some(civil) = zone.civil(at) else { return at };
    let into_hour = Span::minutes(i64::from(civil.minute));
    if !days {
        return at.minus(into_hour);
    }
    let midnight = crate::domain::instant::Civil { hour: 0, minute: 0, second: 0, micros: 0, ..civil };
    zone.instant_of(midnight).unwrap_or_else(|| at.minus(Span::hours(i64::from(civil.hour))).minus(into_hour))
}

/// The order of a histogram's counts is that of the columns above.
const _: () = assert!(matches!(Outcome::ALL, [Outcome::Failed, Outcome::Succeeded, Outcome::Started, Outcome::Other]));
