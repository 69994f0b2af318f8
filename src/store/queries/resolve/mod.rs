//! A filter before it becomes SQL: open sets and names are looked up first.
//!
//! The types and organisations of a table are few and an index lists them, so clauses on them, negated or not, become
//! the plain set of values that pass all of them. If all pass, nothing is asked of the rows; if some do, each is a
//! branch of its own (see [`crate::store::queries::sql::keys`]). Names of devices become ids.

mod parties;
mod within;

pub use parties::{known_orgs, named};
pub use within::{named_here, resolve_within};

use parties::{are_whole, resolve_orgs, resolve_party};

use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause, KindMatch, NameMatch, Pattern};
use crate::domain::source::Part;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::names::directory::Names;
use crate::store::queries::resolved::{Condition, Resolved};
use crate::store::queries::sql::aggregate::{MAX_VALUES, Values, distinct};
use crate::store::source::columns::IdType;
use crate::store::source::columns::Party;
use crate::store::source::{DeviceNames, Source};

/// More devices than this are not listed but asked within the statement.
const MAX_NAMED: usize = 64;

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
