//! A filter before it becomes SQL: open sets and names are looked up first.
//!
//! The types and organisations of a table are few and an index lists them, so clauses on them, negated or not, become
//! the plain set of values that pass all of them. If all pass, nothing is asked of the rows; if some do, each is a
//! branch of its own (see [`crate::store::sql::keys`]). Names of devices become ids.

mod looked;
mod parties;
mod within;

pub use looked::Looked;
pub use parties::{known_orgs, named};
pub use within::{named_here, resolve_within};

use parties::{are_whole, resolve_orgs, resolve_party};

use super::columns::IdType;
use super::directory::Names;
use super::session::Session;
use super::source::{DeviceNames, Source};
use super::sql::aggregate::{MAX_VALUES, Values, distinct};
use super::sql::filter::{Condition, Party, PartyTest};
use crate::domain::event::Id;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause, KindMatch, NameMatch, Pattern};
use crate::domain::instant::Instant;
use crate::domain::source::Part;
use crate::protocol::SourceError;

/// More devices than this are not listed but asked within the statement.
const MAX_NAMED: usize = 64;

/// Values that a field may have.
#[derive(Clone, PartialEq, Debug)]
pub enum Set<T> {
    All,
    Only(Vec<T>),
}

impl<T: PartialEq> Set<T> {
    /// Keeps what is in `values` too.
    pub fn narrow(&mut self, mut values: Vec<T>) {
        if let Self::Only(old) = self {
            values.retain(|v| old.contains(v));
        }
        *self = Self::Only(values);
    }
    fn is_empty(&self) -> bool {
        matches!(self, Self::Only(values) if values.is_empty())
    }
}

/// Criteria as sets, a range of time, and what remains.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolved {
    pub kinds: Set<String>,
    pub orgs: Set<Id>,
    pub devices: Set<Id>,
    /// Included.
    pub from: Option<Instant>,
    /// Excluded.
    pub until: Option<Instant>,
    pub rest: Vec<Condition>,
    /// An index of texts narrows the rows; see [`crate::store::search`].
    pub narrowed: bool,
}

impl Resolved {
    pub const fn everything() -> Self {
        Self {
            kinds: Set::All,
            orgs: Set::All,
            devices: Set::All,
            from: None,
            until: None,
            rest: Vec::new(),
            narrowed: false,
        }
    }
    /// Whether names are compared within the statement.
    pub fn asks_for_names(&self) -> bool {
        let within = |t: &PartyTest| matches!(t, PartyTest::NameWithin(_));
        self.rest.iter().any(|c| matches!(c, Condition::Party { any, .. } if any.iter().any(within)))
    }
    /// Whether it is known without asking that no row matches.
    pub fn is_empty(&self) -> bool {
        let backwards = matches!((self.from, self.until), (Some(f), Some(u)) if f >= u);
        let none_found = self.rest.iter().any(|c| matches!(c, Condition::Rows(numbers) if numbers.is_empty()));
        self.kinds.is_empty() || self.orgs.is_empty() || self.devices.is_empty() || backwards || none_found
    }
    /// Keeps only the rows in `from..until`.
    pub fn clamp(&mut self, from: Option<Instant>, until: Option<Instant>) {
        self.from = self.from.max(from);
        self.until = match (self.until, until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Looks up what the criteria name.
pub async fn resolve(
    s: &mut Session,
    source: &Source,
    names: &Names,
    criteria: &Criteria,
) -> Result<Resolved, SourceError> {
    let mut out = Resolved::everything();
    let (mut kinds, mut orgs, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    for clause in &criteria.all {
        need_field(source, clause)?;
        need_names(source, &clause.check)?;
        match &clause.check {
            Check::Time { from, until } if !clause.negated => out.clamp(*from, *until),
            Check::NotAhead(until) if !clause.negated => out.clamp(None, Some(*until)),
            Check::Kind(_) => kinds.push(clause),
            Check::Org(any) => orgs.push((clause.negated, any)),
            Check::Device(any) => devices.push((clause.negated, any)),
            _ => out.rest.push(Condition::Check(clause.clone())),
        }
    }
    resolve_kinds(s, source, &kinds, &mut out).await?;
    if !orgs.is_empty() && (are_whole(source, &orgs) || !resolve_orgs(s, source, &orgs, &mut out).await?) {
        for (negated, any) in orgs {
            resolve_party(s, source, names, (Party::Org, negated, any), &mut out).await?;
        }
    }
    for (negated, any) in devices {
        resolve_party(s, source, names, (Party::Device, negated, any), &mut out).await?;
    }
    Ok(out)
}

/// A filter on what the source does not record cannot be answered: no rows would look like none that match.
fn need_field(source: &Source, clause: &Clause) -> Result<(), SourceError> {
    let map = &source.map;
    let (key, part) = match &clause.check {
        Check::Expires(_) if map.old_expiry.is_none() && map.new_expiry.is_none() => ("expires", "expiry"),
        Check::Extends(_) if map.old_expiry.is_none() || map.new_expiry.is_none() => ("extends", "old and new expiry"),
        // The complement is known: every row lacks the field.
        Check::Reason(_) if map.reason.is_none() && !clause.negated => ("reason", "reason"),
        Check::Org(_) if map.org.is_none() && !clause.negated => ("org", "organization"),
        Check::Device(_) if source.traits.lacks(Part::Device) && !clause.negated => ("device", "device"),
        Check::Error(_) if map.error.is_none() && !clause.negated => ("error", "error"),
        _ => return Ok(()),
    };
    Err(SourceError::Unfit(format!(
        "'{key}:' cannot be asked here: the source '{}' records no {part}",
        source.profile.name
    )))
}

/// A filter by name alone cannot be answered where no name can be read: zero rows would be a wrong answer.
fn need_names(source: &Source, check: &Check) -> Result<(), SourceError> {
    let (any, table, readable) = match check {
        Check::Org(any) => (
            any,
            "organizations",
            source.map.org.as_ref().is_none_or(|c| c.label.is_some()) || source.org_name.is_some(),
        ),
        Check::Device(any) => (any, "devices", source.devices != DeviceNames::Nowhere),
        _ => return Ok(()),
    };
    let party = if table == "devices" { Party::Device } else { Party::Org };
    let by_uuid = source.party(party).is_some_and(|c| c.ty == IdType::Uuid);
    // A whole device name still leads to its id, by the rule that ids are made with.
    let needs = |m: &NameMatch| match m {
        NameMatch::Name(Pattern::Is(_)) => party == Party::Org,
        NameMatch::Name(_) => true,
        _ => false,
    };
    if readable || !by_uuid || !any.iter().all(needs) {
        return Ok(());
    }
    Err(SourceError::Shape(format!(
        "names cannot be looked up: this session cannot read '{table}'; filter by id, or let it SELECT there"
    )))
}

async fn resolve_kinds(
    s: &mut Session,
    source: &Source,
    clauses: &[&Clause],
    out: &mut Resolved,
) -> Result<(), SourceError> {
    // An outcome that rows state for themselves cannot be told from their type.
    let by_row = |c: &&Clause| {
        let ending = |m: &KindMatch| matches!(m, KindMatch::Ending(_));
        source.map.outcome.is_some() && matches!(&c.check, Check::Kind(any) if any.iter().any(ending))
    };
    let (by_row, clauses): (Vec<&Clause>, Vec<&Clause>) = clauses.iter().copied().partition(by_row);
    out.rest.extend(by_row.into_iter().map(|c| Condition::Check(c.clone())));
    if clauses.is_empty() {
        return Ok(());
    }
    // Whole names need no list of what there is.
    let whole = |m: &KindMatch| match m {
        KindMatch::Name(Pattern::Is(name)) => Some(name.clone()),
        _ => None,
    };
    let named = |c: &&Clause| match &c.check {
        Check::Kind(any) if !c.negated => any.iter().map(whole).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    if source.closed_kinds
        && let Some(named) = clauses.iter().map(named).collect::<Option<Vec<_>>>()
    {
        for mut kinds in named {
            kinds.sort();
            kinds.dedup();
            out.kinds.narrow(kinds);
        }
        return Ok(());
    }
    let Some(known) = known_kinds(s, source).await? else {
        out.rest.extend(clauses.iter().map(|c| Condition::Check((*c).clone())));
        return Ok(());
    };
    let passes = |kind: &String| {
        clauses.iter().all(|c| match &c.check {
            Check::Kind(any) => {
                let stated = source.traits.outcomes.get(kind).copied();
                any.iter().any(|m| m.matches(kind, stated)) != c.negated
            }
            _ => true,
        })
    };
    let all = known.len();
    let allowed: Vec<String> = known.into_iter().filter(passes).collect();
    if allowed.len() != all {
        out.kinds.narrow(allowed);
    }
    Ok(())
}

/// The types of the table in their order; `None` where no index lists them, or where they are too many.
pub async fn known_kinds(s: &mut Session, source: &Source) -> Result<Option<Vec<String>>, SourceError> {
    if !source.closed_kinds {
        return Ok(None);
    }
    let (sql, shape) = distinct(source, Values::Kinds);
    let rows = s.rows(&sql, &shape).await?;
    let known: Vec<String> = rows.into_iter().filter_map(|mut r| r.string(0)).collect();
    Ok((known.len() <= MAX_VALUES).then_some(known))
}
