//! Ordered, limited reads: which rows, in which order, through which index.
//!
//! A filter on organisations, types or devices is asked as one ordered, limited branch for each combination, merged
//! and limited again: every branch reads the head of one composite index, so a page costs about as many index entries
//! as it has rows, however rare the combination. `IN (…)` would read all rows of the combinations and sort them.

use super::filter::{condition, one_of_ids, one_of_texts, within};
use super::{Bind, Sql};
use crate::domain::event::Id;
use crate::domain::instant::Instant;
use crate::domain::page::Cursor;
use crate::store::catalog::Source;
use crate::store::resolve::{Resolved, Set};

/// More branches than this cost more to plan than they save.
pub const MAX_BRANCHES: usize = 200;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    const fn word(self) -> &'static str {
        match self {
            Self::NewestFirst => "DESC",
            Self::OldestFirst => "ASC",
        }
    }
}

/// Where in the order a read begins.
#[derive(Clone, PartialEq, Debug)]
pub enum Bound {
    Nowhere,
    OlderThan(Cursor),
    NewerThan(Cursor),
    AtOrBefore(Instant),
}

/// What one branch holds fixed. `None`: not fixed; the set, if there is one, is a condition like others.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Branch {
    pub org: Option<Id>,
    pub kind: Option<String>,
    pub device: Option<Id>,
}

/// The branches that the table's indexes answer; one that fixes nothing where none would help.
pub fn branches(source: &Source, resolved: &Resolved) -> Vec<Branch> {
    let has = source.indexes;
    let by_device = |d: &Id| Branch { device: Some(d.clone()), ..Branch::default() };
    let by_org = |o: &Id| Branch { org: Some(o.clone()), ..Branch::default() };
    let by_kind = |k: &String| Branch { kind: Some(k.clone()), ..Branch::default() };
    match (&resolved.devices, &resolved.orgs, &resolved.kinds) {
        (Set::Only(devices), _, _) if has.device && devices.len() <= MAX_BRANCHES => {
            devices.iter().map(by_device).collect()
        }
        (_, Set::Only(orgs), Set::Only(kinds)) if has.org_kind && orgs.len() * kinds.len() <= MAX_BRANCHES => {
            orgs.iter().flat_map(|o| kinds.iter().map(|k| Branch { kind: Some(k.clone()), ..by_org(o) })).collect()
        }
        (_, Set::Only(orgs), _) if has.org && orgs.len() <= MAX_BRANCHES => orgs.iter().map(by_org).collect(),
        (_, _, Set::Only(kinds)) if has.kind && kinds.len() <= MAX_BRANCHES => kinds.iter().map(by_kind).collect(),
        _ => vec![Branch::default()],
    }
}

/// The conditions that hold in every branch, their values registered once.
pub struct Common {
    tests: Vec<String>,
    orgs: Option<String>,
    kinds: Option<String>,
    devices: Option<String>,
}

impl Common {
    pub fn new(sql: &mut Sql, source: &Source, resolved: &Resolved, bound: &Bound) -> Self {
        let mut tests = Vec::new();
        if resolved.from.is_some() || resolved.until.is_some() {
            tests.push(within(sql, &source.map.created_at, resolved.from, resolved.until));
        }
        tests.extend(bound_test(sql, source, bound));
        tests.extend(resolved.rest.iter().map(|c| condition(sql, source, c)));
        let orgs = match (&resolved.orgs, &source.map.org) {
            (Set::Only(ids), Some(c)) => Some(one_of_ids(sql, &format!("e.{}", c.name), ids)),
            _ => None,
        };
        let devices = match &resolved.devices {
            Set::Only(ids) => Some(one_of_ids(sql, &format!("e.{}", source.map.device.name), ids)),
            Set::All => None,
        };
        let kinds = match &resolved.kinds {
            Set::Only(kinds) => Some(one_of_texts(sql, &source.map.kind.expr(), kinds)),
            Set::All => None,
        };
        Self { tests, orgs, kinds, devices }
    }

    /// Writes ` WHERE …` for a branch, or nothing where nothing is asked.
    pub fn write(&self, sql: &mut Sql, source: &Source, branch: &Branch) {
        let mut tests = Vec::new();
        match (&branch.org, &source.map.org) {
            (Some(id), Some(c)) => tests.push(format!("e.{} = {}", c.name, sql.placeholder(Bind::id(id)))),
            _ => tests.extend(self.orgs.clone()),
        }
        match &branch.kind {
            Some(k) => tests.push(format!("{} = {}", source.map.kind.expr(), sql.placeholder(Bind::Text(k.clone())))),
            None => tests.extend(self.kinds.clone()),
        }
        match &branch.device {
            Some(id) => tests.push(format!("e.{} = {}", source.map.device.name, sql.placeholder(Bind::id(id)))),
            None => tests.extend(self.devices.clone()),
        }
        tests.extend(self.tests.iter().cloned());
        if !tests.is_empty() {
            sql.push(" WHERE ").push(&tests.join(" AND "));
        }
    }
}

fn bound_test(sql: &mut Sql, source: &Source, bound: &Bound) -> Option<String> {
    let (at, id) = (&source.map.created_at, &source.map.id);
    let (cursor, op) = match bound {
        Bound::Nowhere => return None,
        Bound::AtOrBefore(t) => {
            return Some(format!("e.{} <= {}", at.name, sql.placeholder(Bind::at(*t, at.ty))));
        }
        Bound::OlderThan(c) => (c, "<"),
        Bound::NewerThan(c) => (c, ">"),
    };
    let t = sql.placeholder(Bind::at(cursor.at, at.ty));
    let i = sql.placeholder(Bind::id(&cursor.id));
    Some(format!("(e.{}, e.{}) {op} ({t}, {i})", at.name, id.name))
}

/// Writes a parenthesised select of at most `limit` rows in order. `columns` are written as given and must name
/// `created_at` and the id as `c` and `i` where there is more than one branch.
pub fn limited(sql: &mut Sql, source: &Source, branches: &[Branch], common: &Common, read: &Read<'_>) {
    let limit = sql.placeholder(Bind::Int(i64::try_from(read.limit).unwrap_or(i64::MAX)));
    let (at, id, word) = (&source.map.created_at.name, &source.map.id.name, read.order.word());
    let from = source.map.from();
    let one = |sql: &mut Sql, branch: &Branch| {
        sql.push("SELECT ").push(read.columns).push(" FROM ").push(&from).push(" e");
        common.write(sql, source, branch);
        sql.push(&format!(" ORDER BY e.{at} {word}, e.{id} {word} LIMIT {limit}"));
    };
    sql.push("(");
    if let [branch] = branches {
        one(sql, branch);
    } else {
        sql.push("SELECT * FROM (");
        for (n, branch) in branches.iter().enumerate() {
            sql.push(if n == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
            one(sql, branch);
            sql.push(&format!(") b{n}"));
        }
        sql.push(&format!(") u ORDER BY u.c {word}, u.i {word} LIMIT {limit}"));
    }
    sql.push(")");
}

/// What [`limited`] reads.
pub struct Read<'a> {
    pub columns: &'a str,
    pub order: Order,
    pub limit: u64,
}
