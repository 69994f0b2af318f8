//! `count`: prints one number, or one row per group.
//!
//! Called by the dispatch of commands. The sum over the groups must be the number that `count` prints without groups.

use std::io::Write;

use crate::config::Config;
use crate::config::cli::{Condition, Group};
use crate::domain::event::{Id, Outcome};
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause};
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Anchor, Total};
use crate::domain::source::Part;
use crate::domain::zone::Zone;
use crate::headless::commands::list::criteria;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Column, Format, RowWriter, event};
use crate::headless::session::{Interrupt, Session, unexpected};
use crate::headless::{tell, values};
use crate::protocol::query::{FacetQuery, Field, HistogramQuery};
use crate::protocol::{Answer, Query, SourceError};

/// The limit of groups without `--limit`: more than a spreadsheet holds.
const GROUPS: u32 = 1_000_000;
/// Zones are whole quarters of an hour from UTC, so hours and days of every zone consist of these.
const QUARTER: Span = Span::minutes(15);
/// Buckets of one query: three months of quarters.
const BUCKETS: u32 = 8928;

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
    Ok(if condition.is_some_and(|c| c.holds(rows)) { Exit::Condition } else { Exit::Done })
}

fn number(total: Total) -> u64 {
    match total {
        Total::Exact(n) | Total::AtLeast(n) => n,
    }
}

/// Prints one row per group: the values of a field, most frequent first, or the hours or days, oldest first.
pub async fn by(config: &Config, format: Format, group: Group, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    match group {
        Group::Type => values(config, format, &session, Field::Kind).await,
        Group::Org => values(config, format, &session, Field::Org).await,
        Group::Device => values(config, format, &session, Field::Device).await,
        Group::Reason => values(config, format, &session, Field::Reason).await,
        Group::Hour | Group::Day => times(config, format, &session, group == Group::Day).await,
    }
}

async fn values(config: &Config, format: Format, session: &Session, field: Field) -> Result<Exit, Failure> {
    let limit = config.limits.rows.unwrap_or(u64::MAX);
    let query = FacetQuery {
        field,
        criteria: criteria(config),
        needle: String::new(),
        limit: u32::try_from(limit).unwrap_or(GROUPS).min(GROUPS),
        ceiling: i64::MAX as u64,
    };
    let part = match field {
        Field::Org => Some(Part::Org),
        Field::Device => Some(Part::Device),
        Field::Reason => Some(Part::Reason),
        Field::Kind => None,
    };
    if let (Some(part), Answer::Described(source)) = (part, session.run(Query::Describe).await?)
        && source.traits.lacks(part)
    {
        let why = format!("cannot count: the source '{}' records no {}", source.profile, part.words());
        return Err(SourceError::Unfit(why).into());
    }
    let facets = match session.run(Query::Facets(query)).await? {
        Answer::Facets(facets) => facets,
        other => return Err(unexpected(&other).into()),
    };
    let keys: &[&str] = match field {
        Field::Org => &["org_id", "org"],
        Field::Device => &["device_id", "device"],
        Field::Kind => &["event_type"],
        Field::Reason => &["reason"],
    };
    let columns = keys.iter().map(|key| Column::new(key)).chain([Column::new("rows")]).collect();
    let mut writer = RowWriter::new(stdout(), format, columns, config.ascii);
    for facet in &facets.values {
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
    Ok(Exit::Done)
}

/// One hour or day: its start, and its rows by outcome.
struct Bucket {
    from: Instant,
    rows: [u64; 4],
}

async fn times(config: &Config, format: Format, session: &Session, days: bool) -> Result<Exit, Failure> {
    let limit = config.limits.rows.unwrap_or(u64::MAX);
    let zone = &config.zone.value;
    let table = format == Format::Table;
    let title = format!("{} ({})", if days { "DAY" } else { "HOUR" }, zone.name());
    let from = Column::new("from").titled(if table { title } else { "from".to_owned() });
    let columns = [from].into_iter().chain(["failed", "succeeded", "started", "other", "rows"].map(Column::new));
    let mut writer = RowWriter::new(stdout(), format, columns.collect(), config.ascii);
    let mut put = |bucket: &Bucket| {
        if writer.rows() >= limit || bucket.rows.iter().sum::<u64>() == 0 {
            return Ok(());
        }
        let from = if table { event::stamp(bucket.from, zone, false) } else { bucket.from.rfc3339() };
        let mut cells = vec![Cell::text(Some(from))];
        cells.extend(bucket.rows.iter().map(|n| Cell::Number(*n)));
        cells.push(Cell::Number(bucket.rows.iter().sum()));
        writer.row(&cells)
    };
    let mut criteria = criteria(config);
    // An infinite time is in no hour, and would stop the walk.
    let finite = Check::Time { from: Some(Instant::from_unix_micros(i64::MIN + 1)), until: Some(Instant::INFINITY) };
    criteria.all.push(Clause { negated: false, check: finite });
    let mut current: Option<Bucket> = None;
    let mut after = None;
    while let Some((start, counts)) = quarters(session, &criteria, after).await? {
        for (i, rows) in (0_i64..).zip(&counts) {
            if rows.iter().all(|n| *n == 0) {
                continue;
            }
            let from = beginning(start.plus(Span(QUARTER.0.saturating_mul(i))), zone, days);
            match &mut current {
                Some(bucket) if bucket.from == from => {
                    bucket.rows.iter_mut().zip(rows).for_each(|(sum, n)| *sum += n);
                }
                _ => {
                    let done = current.replace(Bucket { from, rows: *rows });
                    done.as_ref().map_or(Ok(()), &mut put).map_err(stdout_failed)?;
                }
            }
        }
        after = Some(start.end_after(Span(QUARTER.0.saturating_mul(i64::from(BUCKETS)))));
    }
    current.as_ref().map_or(Ok(()), &mut put).map_err(stdout_failed)?;
    writer.finish().map_err(stdout_failed)?;
    Ok(Exit::Done)
}

/// The counts of the quarters from the first row at or after `after` on, so that empty years between two rows cost
/// nothing. `None`: no more rows.
async fn quarters(
    session: &Session,
    criteria: &Criteria,
    after: Option<Instant>,
) -> Result<Option<(Instant, Vec<[u64; 4]>)>, SourceError> {
    let mut criteria = criteria.clone();
    criteria.all.push(Clause { negated: false, check: Check::Time { from: after, until: None } });
    let page = session.page(criteria.clone(), Anchor::Oldest, 1, false).await?;
    let Some(first) = page.rows.last() else { return Ok(None) };
    let micros = first.created_at.pg_micros();
    let from = Instant::from_pg_micros(micros - micros.rem_euclid(QUARTER.0));
    let query = HistogramQuery { criteria, from, width_micros: QUARTER.0, buckets: BUCKETS };
    match session.run(Query::Histogram(query)).await? {
        Answer::Histogram(histogram) => Ok(Some((from, histogram.buckets))),
        other => Err(unexpected(&other)),
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
