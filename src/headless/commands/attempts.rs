//! `attempts`: starts with what came of them, newest start first.
//!
//! Called by the dispatch of commands. It walks the matching rows newest first and completes their attempts with the rows
//! around them. An attempt is held back until no older row can precede it, and no longer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::sync::Arc;

use crate::config::Config;
use crate::config::cli::{AttemptState, Attempts};
use crate::domain::attempt::{Paired, Patience, State, Window};
use crate::domain::event::{Id, Outcome, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::{Instant, Span};
use crate::domain::page::Cursor;
use crate::domain::source::{Part, Traits};
use crate::domain::survey::Scope;
use crate::headless::commands::count::judge;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};
use crate::headless::output::{Cell, Format, RowWriter, attempt};
use crate::headless::session::{Interrupt, Session, Walk, unexpected};
use crate::headless::slices::{describe, now, ranged};
use crate::headless::values;
use crate::protocol::fleet::{Neighbors, NeighborsQuery, Place};
use crate::protocol::{Answer, Query, SourceError};
use crate::runtime::clock;

/// Rows beside those that are known that are read first, and where these do not suffice.
const AROUND: [u32; 2] = [8, 64];

/// Prints the attempts with a matching row.
pub async fn attempts(
    config: &Config,
    format: Format,
    options: &Attempts,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let session = Session::open(config, interrupt).await?;
    values::require(&session, config).await?;
    let source = describe(&session).await?;
    if let Some(lack) = lack(&source.traits) {
        let why = format!("attempts do not fit this source: '{}' records no {lack}", source.profile);
        return Err(SourceError::Unfit(why).into());
    }
    if options.exact && session.hides_rows() {
        let why =
            "the attempts are not exact: row security may hide events from this role; 'renewscope doctor' says more";
        return Err(Failure::Failed(why.to_owned()));
    }
    let (filter, zone, here) = (ranged(config), &config.zone.value, clock::now());
    let criteria = filter.criteria(here, zone);
    let scope = Scope::of(criteria.clone(), filter.bounds(here, zone));
    let reader = Reader {
        session: &session,
        whole: scope.is_of_devices(),
        patience: config.rules.patience,
        now: now(&session).await?,
    };
    let writer = RowWriter::new(stdout(), format, attempt::columns(format, zone), config.ascii);
    let mut printer = Printer { writer, format, config, options, now: reader.now, found: 0, held: BTreeMap::new() };
    printer.walk(&reader, criteria).await?;
    let Printer { writer, found, .. } = printer;
    writer.finish().map_err(stdout_failed)?;
    values::tell_unknown(&session, config, found).await;
    judge(&session, options.fail_if, found)
}

/// What a source lacks without which there are no attempts.
fn lack(traits: &Traits) -> Option<&'static str> {
    match () {
        () if traits.lacks_starts => Some("starts"),
        () if traits.lacks(Part::Device) => Some(Part::Device.words()),
        () if traits.lacks(Part::OldExpiry) && traits.lacks(Part::NewExpiry) => Some("expiry"),
        () => None,
    }
}

/// Completes the attempts of matching rows.
struct Reader<'a> {
    session: &'a Session,
    /// Whether the matching rows of a device are all its rows of a range.
    whole: bool,
    patience: Patience,
    /// The database's time.
    now: Instant,
}

/// An attempt with one of its matching rows, which has the names.
struct Found {
    pair: Paired,
    named: Arc<RenewalEvent>,
}

impl Reader<'_> {
    /// The attempts of a page of matching rows.
    async fn attempts(&self, page: &[Arc<RenewalEvent>]) -> Result<Vec<Found>, SourceError> {
        let matching: HashMap<Cursor, &Arc<RenewalEvent>> = page.iter().map(|row| (row.cursor(), row)).collect();
        let mut windows = self.windows(page);
        if !self.whole {
            let rows = page.iter().filter(|row| row.device_id().is_some()).cloned().collect();
            windows = self.around(rows, AROUND[0], AROUND[0]).await?;
        }
        for around in AROUND {
            let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
            for window in windows.values().flatten() {
                let pairs = window.attempts(self.patience, self.now);
                let ours =
                    || pairs.iter().filter(|pair| pair.rows.iter().any(|row| matching.contains_key(&row.cursor())));
                firsts.extend(window.rows().first().filter(|_| ours().any(|pair| pair.needs_before)).cloned());
                lasts.extend(window.rows().last().filter(|_| ours().any(|pair| pair.needs_after)).cloned());
            }
            let (before, after) = (self.around(firsts, around, 0).await?, self.around(lasts, 0, around).await?);
            for (device, more) in before.into_iter().chain(after) {
                let known = windows.remove(&device).unwrap_or_default();
                windows.insert(device, Window::joined(known.into_iter().chain(more).collect()));
            }
        }
        let mut found = Vec::new();
        for pair in windows.values().flatten().flat_map(|window| window.attempts(self.patience, self.now)) {
            let named = pair.rows.iter().find_map(|row| matching.get(&row.cursor()));
            found.extend(named.map(|named| Found { pair: decided(pair.clone()), named: Arc::clone(named) }));
        }
        Ok(found)
    }

    /// A window for each device of a page that holds all rows of each.
    fn windows(&self, page: &[Arc<RenewalEvent>]) -> HashMap<Id, Vec<Window>> {
        let mut rows: HashMap<Id, Vec<Arc<RenewalEvent>>> = HashMap::new();
        for row in page {
            if let Some(device) = row.device_id() {
                rows.entry(device.clone()).or_default().push(Arc::clone(row));
            }
        }
        rows.into_iter().map(|(device, rows)| (device, Window::new(rows).into_iter().collect())).collect()
    }

    /// Windows of so many rows before and behind each of these rows.
    async fn around(
        &self,
        mut rows: Vec<Arc<RenewalEvent>>,
        before: u32,
        after: u32,
    ) -> Result<HashMap<Id, Vec<Window>>, SourceError> {
        let mut windows: HashMap<Id, Vec<Window>> = HashMap::new();
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(row.cursor()));
        if rows.is_empty() {
            return Ok(windows);
        }
        let of = rows.iter().map(|row| Place { device: row.device_id.clone(), at: row.cursor() }).collect();
        let query = NeighborsQuery { of, before, after };
        let answer = match self.session.run(Query::Neighbors(query)).await? {
            Answer::Neighbors(neighbors) => neighbors,
            other => return Err(unexpected(&other)),
        };
        for (row, Neighbors { before, after, from_first, to_last }) in rows.into_iter().zip(answer) {
            let device = row.device_id.clone();
            let all = before.into_iter().chain([row]).chain(after).collect();
            if let Some(mut window) = Window::new(all) {
                (window.from_first, window.to_last) = (from_first, to_last);
                windows.entry(device).or_default().push(window);
            }
        }
        Ok(windows.into_iter().map(|(device, windows)| (device, Window::joined(windows))).collect())
    }
}

/// An attempt that further rows might still change is undecided.
fn decided(mut pair: Paired) -> Paired {
    if pair.needs_after {
        pair.attempt.state = State::Undecided;
    }
    pair
}

/// Writes attempts in their order.
struct Printer<'a, W: Write> {
    writer: RowWriter<W>,
    format: Format,
    config: &'a Config,
    options: &'a Attempts,
    now: Instant,
    /// Attempts that were found, printed or not.
    found: u64,
    /// Attempts that an older page may precede, by their place.
    held: BTreeMap<(Option<Instant>, Option<Id>), Found>,
}

impl<W: Write> Printer<'_, W> {
    /// Reads all pages and writes their attempts.
    async fn walk(&mut self, reader: &Reader<'_>, criteria: Criteria) -> Result<(), Failure> {
        let mut walk = Walk::new(reader.session, criteria, true, None);
        let limit = self.config.limits.rows.unwrap_or(u64::MAX);
        while self.options.fail_if.is_some() || self.found < limit {
            let page = walk.next().await?;
            let Some(last) = page.last() else { break };
            // Rows that are stored in local time come in its order, in which an hour may come twice.
            let local = last.cursor().at != last.created_at;
            let floor = if local { last.created_at.plus(Span::hours(2)) } else { last.created_at };
            for found in reader.attempts(&page).await? {
                let (attempt, place) =
                    (&found.pair.attempt, (found.pair.attempt.at(), found.pair.attempt.id().cloned()));
                if self.selects(attempt.state) {
                    self.held.entry(place).or_insert(found);
                }
            }
            // What an older page shows begins at its rows or before, so that it comes behind these.
            if floor != Instant::INFINITY {
                let next = Instant::from_pg_micros(floor.pg_micros().saturating_add(1));
                let ready = self.held.split_off(&(Some(next), None));
                self.write(ready)?;
            }
        }
        let rest = std::mem::take(&mut self.held);
        self.write(rest)
    }

    /// Whether attempts of that state are printed.
    fn selects(&self, state: State) -> bool {
        let of = |wanted: &AttemptState| match wanted {
            AttemptState::Succeeded => State::Succeeded,
            AttemptState::Failed => State::Failed,
            AttemptState::Flight => State::InFlight,
            AttemptState::Stalled => State::Stalled,
            AttemptState::Superseded => State::Superseded,
            AttemptState::Orphan => State::Orphan,
        };
        self.options.state.is_empty() || self.options.state.iter().any(|wanted| of(wanted) == state)
    }

    /// Writes attempts, the newest first.
    fn write(&mut self, ready: BTreeMap<(Option<Instant>, Option<Id>), Found>) -> Result<(), Failure> {
        let limit = self.config.limits.rows.unwrap_or(u64::MAX);
        for found in ready.into_values().rev() {
            let exact = found.pair.attempt.tries_exact && found.pair.attempt.state != State::Undecided;
            if self.options.exact && !exact {
                let id = found.pair.attempt.id().map(Id::raw).unwrap_or_default();
                let why =
                    format!("the attempt with the event '{id}' is not exact: the rows that decide it are too far away");
                return Err(Failure::Failed(why));
            }
            self.found += 1;
            if self.found > limit {
                continue;
            }
            let failure = found.pair.rows.iter().rev().find(|row| row.outcome() == Outcome::Failed);
            let row = attempt::Line { attempt: &found.pair.attempt, named: &found.named, failure, now: self.now };
            let cells: Vec<Cell<'_>> = row.cells(self.format, &self.config.zone.value);
            self.writer.row(&cells).map_err(stdout_failed)?;
        }
        Ok(())
    }
}
