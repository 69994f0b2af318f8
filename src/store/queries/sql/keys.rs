//! Ordered, limited reads: which rows, in which order, through which index.
//!
//! A filter on organizations, types or devices becomes one ordered, limited branch for each combination; the branches
//! are merged and limited again. Every branch reads the head of one composite index, so a page costs about as many index
//! entries as it has rows, however rare the combination is. `IN (…)` would read and sort all rows of the combinations.
//!
//! Called by the other composers of this folder. It only composes text and must not run a statement.

use crate::domain::event::Id;
use crate::domain::instant::Instant;
use crate::domain::page::Cursor;
use crate::store::queries::resolved::{Resolved, Set};
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::filter::{condition, joined, one_of_ids, one_of_texts, within};
use crate::store::queries::sql::usable;
use crate::store::source::Source;
use crate::store::sql::{Bind, Dialect, Sql};

/// More branches than this cost more to plan than they save.
pub const MAX_BRANCHES: usize = 200;
/// From this number of branches on, a cutoff that is computed first costs less than it saves.
const MIN_BRANCHES_FOR_CUTOFF: usize = 8;
/// Index entries that all branches together may read.
pub const MAX_HEADS: u64 = 200_000;

/// The order of the rows of one read, by time and then by id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    /// The word of ORDER BY.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NewestFirst => "DESC",
            Self::OldestFirst => "ASC",
        }
    }
}

/// Where in the order a read begins. Instants are in UTC; cursors are in the form that the table stores.
#[derive(Clone, PartialEq, Debug)]
pub enum Bound {
    Nowhere,
    OlderThan(Cursor),
    NewerThan(Cursor),
    AtOrBefore(Instant),
    AtOrAfter(Instant),
}

/// The columns that one branch holds fixed. `None`: not fixed; a set of that column is then an ordinary condition.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Branch {
    pub org: Option<Id>,
    pub kind: Option<String>,
    pub device: Option<Id>,
}

/// The branches for a read of at most `limit` rows. Only the plain order where the heads of all branches together are
/// more entries than [`MAX_HEADS`].
pub fn branches_within(source: &Source, resolved: &Resolved, limit: u64) -> Vec<Branch> {
    let branches = branches(source, resolved);
    // SQLite merges them row by row.
    let each = if source.dialect == Dialect::Sqlite { 1 } else { limit };
    let heads = u64::try_from(branches.len()).unwrap_or(u64::MAX).saturating_mul(each);
    if branches.len() > 1 && heads > MAX_HEADS { vec![Branch::default()] } else { branches }
}

/// The branches that the table's indexes answer. One branch that fixes nothing where none would help, or where every
/// branch would search a text index again.
pub fn branches(source: &Source, resolved: &Resolved) -> Vec<Branch> {
    let branches = branches_by_sets(source, resolved);
    let again = source.dialect == Dialect::Sqlite || branches.len() > 1;
    if resolved.narrowed && again { vec![Branch::default()] } else { branches }
}

/// The branches by the sets alone. A device has the fewest rows, so it comes first; then both other columns together.
fn branches_by_sets(source: &Source, resolved: &Resolved) -> Vec<Branch> {
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

/// Whether indexes alone hold everything that the filter tests: every branch is one range of an index that continues
/// with time and id.
pub fn by_index_alone(source: &Source, resolved: &Resolved, branches: &[Branch]) -> bool {
    let fixed = |b: &Branch| {
        (b.kind.is_some() || resolved.kinds == Set::All)
            && (b.org.is_some() || resolved.orgs == Set::All)
            && (*b != Branch::default() || source.indexes.time)
    };
    resolved.rest.is_empty() && resolved.devices == Set::All && !source.map.kind.cast && branches.iter().all(fixed)
}

/// The conditions that hold in every branch, their values registered once.
pub struct Common {
    /// The relation under the name `e`, as it stands behind FROM.
    pub relation: String,
    tests: Vec<String>,
    orgs: Option<String>,
    kinds: Option<String>,
    devices: Option<String>,
}

impl Common {
    /// The conditions of a selection from `bound` on.
    pub fn new(sql: &mut Sql, selection: Selection<'_>, bound: &Bound) -> Self {
        let Selection { source, resolved } = selection;
        let mut tests = Vec::new();
        if resolved.from.is_some() || resolved.until.is_some() {
            tests.push(within(sql, &source.map.created_at, resolved.from, resolved.until));
        }
        tests.extend(bound_test(sql, source, bound));
        tests.extend(resolved.rest.iter().map(|c| condition(sql, source, c)));
        tests.extend(usable::tests(source));
        // A device has few rows and an organization has many. SQLite knows neither, so a unary plus before the other
        // columns keeps it from choosing their indexes.
        let by_device =
            source.indexes.device && matches!(&resolved.devices, Set::Only(ids) if ids.len() <= MAX_BRANCHES);
        let sign = if by_device && source.dialect == Dialect::Sqlite { "+" } else { "" };
        let orgs = match (&resolved.orgs, &source.map.org) {
            (Set::Only(ids), Some(c)) => Some(one_of_ids(sql, &format!("{sign}e.{}", c.name), ids)),
            _ => None,
        };
        let devices = match &resolved.devices {
            Set::Only(ids) => Some(one_of_ids(sql, &format!("e.{}", source.map.device.name), ids)),
            Set::All => None,
        };
        let kinds = match &resolved.kinds {
            Set::Only(kinds) => Some(one_of_texts(sql, &format!("{sign}{}", source.map.kind.expr()), kinds)),
            Set::All => None,
        };
        let mut relation = format!("{} e", source.map.from(sql));
        if resolved.narrowed && source.dialect == Dialect::Sqlite {
            // The rows are few and identified by their numbers. SQLite does not know how few, and might scan an index.
            relation.push_str(" NOT INDEXED");
        }
        Self { relation, tests, orgs, kinds, devices }
    }

    /// Writes ` WHERE …` for a branch, or nothing where there is no condition.
    pub fn write(&self, sql: &mut Sql, source: &Source, branch: &Branch) {
        let fixed = branch.fixed(sql, source).into_iter().map(|(c, v)| format!("{c} = {v}")).collect();
        self.write_tests(sql, branch, fixed);
    }

    /// As [`write`](Self::write) for the plain order, with further tests.
    pub fn write_also(&self, sql: &mut Sql, tests: Vec<String>) {
        self.write_tests(sql, &Branch::default(), tests);
    }

    /// As [`write`](Self::write), for branches whose values are in a list.
    pub fn write_listed(&self, sql: &mut Sql, branch: &Branch, listed: &Listed) {
        self.write_tests(sql, branch, listed.fixed.iter().map(|(c, v)| format!("{c} = {v}")).collect());
    }

    /// As [`write`](Self::write), for a branch that is read in order and holds these columns fixed. Returns the columns
    /// that the order must begin with.
    fn write_ordered(
        &self,
        sql: &mut Sql,
        branch: &Branch,
        fixed: Vec<(String, String)>,
        cutoff: Option<String>,
    ) -> Vec<String> {
        let Some((lead, _)) = fixed.first().cloned().filter(|_| sql.dialect == Dialect::Postgres) else {
            let fixed = fixed.into_iter().map(|(c, v)| format!("{c} = {v}"));
            self.write_tests(sql, branch, fixed.chain(cutoff).collect());
            return Vec::new();
        };
        // PostgreSQL drops a column that equals a constant from the order. It may then scan the plain time index and
        // discard rows of other branches: all of them, if the branch has only old rows. To the planner a list of one is
        // no constant, so that only an index that leads with this column has the order; to the index it is an equality,
        // so that a scan ends at the time bound. (A scan between two rows of the composite order does not end there: it
        // continues until the leading column changes.)
        let test = |(n, (c, v)): (usize, (String, String))| match n {
            0 => format!("{c} = ANY(ARRAY[{v}])"),
            _ => format!("{c} = {v}"),
        };
        self.write_tests(sql, branch, fixed.into_iter().enumerate().map(test).chain(cutoff).collect());
        vec![lead]
    }

    /// Writes the tests of a branch: its own, the sets of the columns that it leaves open, and the common ones.
    fn write_tests(&self, sql: &mut Sql, branch: &Branch, mut tests: Vec<String>) {
        let sets = [(branch.org.is_none(), &self.orgs), (branch.kind.is_none(), &self.kinds)];
        let sets = sets.into_iter().chain([(branch.device.is_none(), &self.devices)]);
        tests.extend(sets.filter(|(open, _)| *open).filter_map(|(_, test)| test.clone()));
        tests.extend(self.tests.iter().cloned());
        if !tests.is_empty() {
            sql.push(" WHERE ").push(&joined(&tests, " AND "));
        }
    }
}

impl Branch {
    /// Columns held fixed, in the order of the index that serves the branch, with placeholders.
    fn fixed(&self, sql: &mut Sql, source: &Source) -> Vec<(String, String)> {
        let mut out = Vec::new();
        if let (Some(id), Some(c)) = (&self.org, &source.map.org) {
            out.push((format!("e.{}", c.name), sql.placeholder(Bind::id(id))));
        }
        if let Some(kind) = &self.kind {
            out.push((source.map.kind.expr(), sql.placeholder(Bind::Text(kind.clone()))));
        }
        if let Some(id) = &self.device {
            out.push((format!("e.{}", source.map.device.name), sql.placeholder(Bind::id(id))));
        }
        out
    }
}

/// Tests that a row lies behind the bound. The row comparison is that of the index.
fn bound_test(sql: &mut Sql, source: &Source, bound: &Bound) -> Option<String> {
    let (at, id) = (&source.map.created_at, source.map.order());
    let (cursor, op) = match bound {
        Bound::Nowhere => return None,
        Bound::AtOrBefore(t) => {
            return Some(format!("e.{} <= {}", at.name, sql.placeholder(at.at_most(*t))));
        }
        Bound::AtOrAfter(t) => {
            return Some(format!("e.{} >= {}", at.name, sql.placeholder(at.bound(*t))));
        }
        Bound::OlderThan(c) => (c, "<"),
        Bound::NewerThan(c) => (c, ">"),
    };
    let t = sql.placeholder(at.stored(cursor.at));
    let i = sql.placeholder(Bind::id(&cursor.id));
    Some(format!("(e.{}, e.{}) {op} ({t}, {i})", at.name, id.name))
}

/// What [`Common::limited`] reads.
pub struct Read<'a> {
    pub branches: &'a [Branch],
    /// The select list. With more than one branch it must name `created_at` and the id as `c` and `i`.
    pub columns: &'a str,
    pub order: Order,
    pub limit: u64,
    /// Rows skipped before the first.
    pub skip: u64,
    /// Rows of one instant may come in any order: a smaller index of times alone then has the order, and `columns` need
    /// not name an `i`.
    pub any_tie: bool,
}

/// The head of one branch: its fixed columns with their values, and where it ends.
struct Head<'a> {
    branch: &'a Branch,
    fixed: Vec<(String, String)>,
    /// A test that ends the scan earlier than the limit does.
    cutoff: Option<String>,
    /// The placeholder of the limit.
    limit: &'a str,
}

impl Common {
    /// Writes a parenthesized select of at most `read.limit` rows in order, behind the first `read.skip`.
    pub fn limited(&self, sql: &mut Sql, source: &Source, read: &Read<'_>) {
        let mut limit = number(sql, read.limit);
        let heads = if read.skip == 0 { limit.clone() } else { number(sql, read.limit.saturating_add(read.skip)) };
        if read.skip > 0 {
            limit = format!("{limit} OFFSET {}", number(sql, read.skip));
        }
        let branches = read.branches;
        sql.push("(");
        if sql.dialect == Dialect::Sqlite && branches.len() > 1 {
            self.merged_by_sqlite(sql, source, read, &limit);
        } else if let [branch] = branches {
            let fixed = branch.fixed(sql, source);
            self.one_branch(sql, source, read, Head { branch, fixed, cutoff: None, limit: &limit });
        } else if let (Some(listed), [branch, ..]) = (Listed::new(sql, source, branches), branches) {
            let cutoff = self.cutoff(sql, source, &listed, read);
            sql.push(&format!("SELECT b.* FROM {} CROSS JOIN LATERAL (", listed.list));
            self.one_branch(sql, source, read, Head { branch, fixed: listed.fixed, cutoff, limit: &heads });
            sql.push(&format!(") b ORDER BY {} LIMIT {limit}", merged_order(read, "b.")));
        } else {
            sql.push("SELECT * FROM (");
            for (n, branch) in branches.iter().enumerate() {
                sql.push(if n == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
                let fixed = branch.fixed(sql, source);
                self.one_branch(sql, source, read, Head { branch, fixed, cutoff: None, limit: &heads });
                sql.push(&format!(") b{n}"));
            }
            sql.push(&format!(") u ORDER BY {} LIMIT {limit}", merged_order(read, "u.")));
        }
        sql.push(")");
    }

    /// One select for each branch and one order behind them all: SQLite then reads each branch in the order of its index
    /// and merges only as far as rows are taken. It would read selects that have limits to the end and sort them.
    fn merged_by_sqlite(&self, sql: &mut Sql, source: &Source, read: &Read<'_>, limit: &str) {
        for (n, branch) in read.branches.iter().enumerate() {
            sql.push(if n == 0 { "SELECT " } else { " UNION ALL SELECT " });
            sql.push(read.columns).push(" FROM ").push(&self.relation);
            self.write(sql, source, branch);
        }
        sql.push(&format!(" ORDER BY {} LIMIT {limit}", merged_order(read, "")));
    }

    /// Writes the ordered, limited select of one branch.
    fn one_branch(&self, sql: &mut Sql, source: &Source, read: &Read<'_>, head: Head<'_>) {
        let word = read.order.word();
        sql.push("SELECT ").push(read.columns).push(" FROM ").push(&self.relation);
        let mut order = self.write_ordered(sql, head.branch, head.fixed, head.cutoff);
        order.push(format!("e.{}", source.map.created_at.name));
        if !read.any_tie {
            order.push(format!("e.{}", source.map.order().name));
        }
        let order: Vec<_> = order.into_iter().map(|column| format!("{column} {word}")).collect();
        sql.push(&format!(" ORDER BY {} LIMIT {}", order.join(", "), head.limit));
    }

    /// A time cutoff that keeps every result row and prunes most others: the time of the last row that would be read if
    /// each branch gave no more than its share and some. Those rows are as many as the read wants, so none behind the
    /// last of them is part of the result. Without it each branch is read to the limit, forty times what the page holds.
    fn cutoff(&self, sql: &mut Sql, source: &Source, listed: &Listed, read: &Read<'_>) -> Option<String> {
        let branch = read.branches.first()?;
        let rows = read.limit.saturating_add(read.skip);
        let share = 2 * rows / u64::try_from(read.branches.len()).unwrap_or(u64::MAX).max(1) + 4;
        // A device has few rows: all of them are fewer than its share.
        if read.branches.len() < MIN_BRANCHES_FOR_CUTOFF || share >= rows || branch.device.is_some() {
            return None;
        }
        let (at, word) = (&source.map.created_at, read.order.word());
        let (sign, open) = match read.order {
            Order::NewestFirst => (">=", at.bound(Instant::NEG_INFINITY)),
            Order::OldestFirst => ("<=", at.at_most(Instant::INFINITY)),
        };
        let [share, last] = [share, rows.saturating_sub(1)].map(|n| number(sql, n));
        let open = sql.placeholder(open);
        let mut heads = Sql::new(sql.dialect);
        heads.push(&format!("SELECT e.{} AS c FROM ", at.name)).push(&self.relation);
        let lead = self.write_ordered(&mut heads, branch, listed.fixed.clone(), None);
        let order: Vec<_> =
            lead.into_iter().chain([format!("e.{}", at.name)]).map(|column| format!("{column} {word}")).collect();
        Some(format!(
            "e.{} {sign} coalesce((SELECT b.c FROM {} CROSS JOIN LATERAL ({} ORDER BY {} LIMIT {share}) b \
             ORDER BY b.c {word} OFFSET {last} LIMIT 1), {open})",
            at.name,
            listed.list,
            heads.text(),
            order.join(", ")
        ))
    }
}

/// A placeholder for a number of rows.
fn number(sql: &mut Sql, n: u64) -> String {
    sql.placeholder(Bind::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// The order behind merged branches; `of` is the name of their rows and a dot, or empty.
fn merged_order(read: &Read<'_>, of: &str) -> String {
    let word = read.order.word();
    if read.any_tie { format!("{of}c {word}") } else { format!("{of}c {word}, {of}i {word}") }
}

/// Branches as a list of values. PostgreSQL plans each branch of a union separately, which takes longer than running
/// them; a list needs one plan.
pub struct Listed {
    /// `(VALUES …) v(v0, v1)`.
    pub list: String,
    /// The columns held fixed, in the order of the index, and the list's columns with their values.
    pub fixed: Vec<(String, String)>,
}

impl Listed {
    /// `None` where a union is as good: for two branches, for SQLite, and where nothing is fixed.
    pub fn new(sql: &mut Sql, source: &Source, branches: &[Branch]) -> Option<Self> {
        if sql.dialect != Dialect::Postgres || branches.len() < 3 || branches.contains(&Branch::default()) {
            return None;
        }
        let (mut rows, mut columns) = (Vec::with_capacity(branches.len()), Vec::new());
        for branch in branches {
            let (names, values): (Vec<_>, Vec<_>) = branch.fixed(sql, source).into_iter().unzip();
            rows.push(format!("({})", values.join(", ")));
            columns = names;
        }
        let names: Vec<_> = (0..columns.len()).map(|n| format!("v{n}")).collect();
        let list = format!("(VALUES {}) v({})", rows.join(", "), names.join(", "));
        Some(Self { list, fixed: columns.into_iter().zip(names.iter().map(|n| format!("v.{n}"))).collect() })
    }
}
