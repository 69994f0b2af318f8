//! Resolves a filter before it becomes SQL: open sets and names are looked up first.
//!
//! The types and organizations of a table are few and an index lists them, so clauses on them, negated or not, become the
//! set of values that pass all of them. If all pass, no condition remains; if some pass, each is a branch (see
//! [`crate::store::queries::sql::keys`]). Names of devices become ids. Called before every query with a filter; resolving
//! must not change which rows match.

mod parties;
mod within;

pub use parties::PartyClause;
pub use within::tested_in_memory;

use parties::are_exact;

use crate::domain::event::Id;
use crate::domain::filter::Criteria;
use crate::domain::filter::criteria::{Check, Clause, KindMatch, NameMatch, Pattern};
use crate::domain::source::Part;
use crate::protocol::SourceError;
use crate::store::connect::session::Session;
use crate::store::queries::names::directory::Names;
use crate::store::queries::resolved::{Condition, Resolved};
use crate::store::queries::sql::aggregate::{MAX_VALUES, Values, distinct};
use crate::store::source::columns::{IdType, Party};
use crate::store::source::{DeviceNames, Source};
use crate::store::sql::Dialect;

/// More devices than this are not listed; the statement then compares names.
const MAX_NAMED: usize = 64;

/// Looks up what filters name, in one source.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    pub source: &'a Source,
    pub names: &'a Names,
}

impl Resolver<'_> {
    /// Resolves the criteria. [`SourceError::Unfit`] where the source does not record what a clause tests.
    pub async fn resolve(&self, s: &mut Session, criteria: &Criteria) -> Result<Resolved, SourceError> {
        let source = self.source;
        need_few(source, criteria)?;
        let mut out = Resolved::everything();
        let (mut kinds, mut orgs, mut devices) = (Vec::new(), Vec::new(), Vec::new());
        for clause in &criteria.all {
            need_field(source, clause)?;
            need_names(source, &clause.check)?;
            match &clause.check {
                Check::Time { from, until } if !clause.negated => out.clamp(*from, *until),
                Check::NotAhead(until) if !clause.negated => out.clamp(None, Some(*until)),
                Check::Kind(_) => kinds.push(clause),
                Check::Sig(_) => out.sift(source, clause),
                Check::Org(any) => orgs.push(PartyClause { party: Party::Org, negated: clause.negated, any }),
                Check::Device(any) => devices.push(PartyClause { party: Party::Device, negated: clause.negated, any }),
                _ => out.rest.push(Condition::Check(clause.clone())),
            }
        }
        self.resolve_kinds(s, &kinds, &mut out).await?;
        if !orgs.is_empty() && (are_exact(source, &orgs) || !self.resolve_orgs(s, &orgs, &mut out).await?) {
            for clause in orgs {
                self.resolve_party(s, clause, &mut out).await?;
            }
        }
        for clause in devices {
            self.resolve_party(s, clause, &mut out).await?;
        }
        Ok(out)
    }

    /// Resolves all clauses on types together: they become a set, or conditions where the types cannot be listed.
    async fn resolve_kinds(&self, s: &mut Session, clauses: &[&Clause], out: &mut Resolved) -> Result<(), SourceError> {
        let source = self.source;
        // Where rows state their outcome, their type does not tell it.
        let by_row = |c: &&Clause| {
            let ending = |m: &KindMatch| matches!(m, KindMatch::Ending(_));
            source.map.outcome.is_some() && matches!(&c.check, Check::Kind(any) if any.iter().any(ending))
        };
        let (by_row, clauses): (Vec<&Clause>, Vec<&Clause>) = clauses.iter().copied().partition(by_row);
        out.rest.extend(by_row.into_iter().map(|c| Condition::Check(c.clone())));
        if clauses.is_empty() {
            return Ok(());
        }
        // Exact names need no list of the types.
        let exact = |m: &KindMatch| match m {
            KindMatch::Name(Pattern::Is(name)) => Some(name.clone()),
            _ => None,
        };
        let named = |c: &&Clause| match &c.check {
            Check::Kind(any) if !c.negated => any.iter().map(exact).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        if source.listed.kinds
            && let Some(named) = clauses.iter().map(named).collect::<Option<Vec<_>>>()
        {
            for mut kinds in named {
                kinds.sort();
                kinds.dedup();
                out.kinds.narrow(kinds);
            }
            return Ok(());
        }
        let Some(listed) = self.list_kinds(s).await? else {
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
        let all = listed.len();
        let allowed: Vec<String> = listed.into_iter().filter(passes).collect();
        if allowed.len() != all {
            out.kinds.narrow(allowed);
        }
        Ok(())
    }

    /// The types of the table in their order; `None` where no index lists them, or where they are too many.
    pub async fn list_kinds(&self, s: &mut Session) -> Result<Option<Vec<String>>, SourceError> {
        let source = self.source;
        if !source.listed.kinds {
            return Ok(None);
        }
        let (sql, shape) = distinct(source, Values::Kinds);
        let rows = s.rows(&sql, &shape).await?;
        // A type that is no text, or no valid one, can be counted and shown, but not be named in a statement.
        let kinds: Option<Vec<String>> = rows
            .into_iter()
            .map(|mut r| match r.id(0)? {
                Id::Text(t) => Some(t.raw().to_owned()),
                _ => None,
            })
            .collect();
        Ok(kinds.filter(|kinds| kinds.len() <= MAX_VALUES))
    }
}

/// Rejects a filter with more values than one statement can hold: SQLite allows 32,766 of them and PostgreSQL 65,535, and
/// a value of a filter becomes up to four of a statement.
fn need_few(source: &Source, criteria: &Criteria) -> Result<(), SourceError> {
    let limit = if source.dialect == Dialect::Sqlite { 5_000 } else { 15_000 };
    let values = |clause: &Clause| match &clause.check {
        Check::Kind(any) => any.len(),
        Check::Org(any) | Check::Device(any) | Check::Id(any) => any.len(),
        Check::Reason(any) | Check::Severity(any) | Check::Error(any) => any.len(),
        Check::Expires(any) => any.len(),
        Check::Extends(any) => any.len(),
        _ => 1,
    };
    let count: usize = criteria.all.iter().map(values).sum();
    if count <= limit {
        return Ok(());
    }
    Err(SourceError::Invalid(format!(
        "the filter has {count} values, and this database takes at most {limit}; use a pattern such as 'edge-*'"
    )))
}

/// Rejects a filter on a field that the source does not record: an empty result would look like "no such events".
fn need_field(source: &Source, clause: &Clause) -> Result<(), SourceError> {
    if let Check::Standing(standing) = &clause.check {
        let key = standing.key().name();
        return Err(SourceError::Invalid(format!("'{key}:' is of devices and not of events; use it with 'devices'")));
    }
    let map = &source.map;
    let (key, part) = match &clause.check {
        Check::Expires(_) if map.old_expiry.is_none() && map.new_expiry.is_none() => ("expires", "expiry"),
        Check::Extends(_) if map.old_expiry.is_none() || map.new_expiry.is_none() => ("extends", "old and new expiry"),
        // The complement is certain: every row lacks the field.
        Check::Reason(_) if map.reason.is_none() && !clause.negated => ("reason", "reason"),
        Check::Org(_) if map.org.is_none() && !clause.negated => ("org", "organization"),
        Check::Device(_) if source.traits.lacks(Part::Device) && !clause.negated => ("device", "device"),
        Check::Error(_) if map.error.is_none() && !clause.negated => ("error", "error"),
        Check::Sig(_) if map.error.is_none() && !clause.negated => ("sig", "error"),
        _ => return Ok(()),
    };
    Err(SourceError::Unfit(format!("'{key}:' does not fit this source: '{}' records no {part}", source.profile.name)))
}

/// Rejects a filter by name where no name can be read: an empty result would be wrong.
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
    // An exact device name still leads to its id, which is derived from it.
    let needs = |m: &NameMatch| match m {
        NameMatch::Name(Pattern::Is(_)) => party == Party::Org,
        NameMatch::Name(_) => true,
        _ => false,
    };
    if readable || !by_uuid || !any.iter().all(needs) {
        return Ok(());
    }
    Err(SourceError::Shape(format!(
        "names cannot be looked up: this session cannot read '{table}'; filter by id, or grant SELECT on it"
    )))
}
