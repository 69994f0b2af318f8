//! The statements that each composer writes, for sources and filters that take every branch: a changed operator, a lost
//! condition or another order of columns shows as a changed text. What the statements find is tested against memory
//! elsewhere.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::event::Id;
use crate::domain::filter::criteria::{Check, Clause, ExpiryMatch, KindMatch, NameMatch, Pattern, SpanMatch};
use crate::domain::instant::{Instant, Span};
use crate::domain::page::Cursor;
use crate::profile::SourceProfile;
use crate::profile::choice::Profiles;
use crate::protocol::query::{Field, HistogramQuery};
use crate::protocol::tail::TimeSlice;
use crate::store::queries::resolved::{Condition, PartyTest, Resolved, Set};
use crate::store::queries::sql::aggregate::{self, Values};
use crate::store::queries::sql::directory::{Directory, devices_named, labels_of_ids};
use crate::store::queries::sql::keys::{self, Bound, Branch, Order};
use crate::store::queries::sql::page::{self, Errors, Window};
use crate::store::queries::sql::{Selection, histogram, tail, usable};
use crate::store::source::catalog::{Column, Index, Table};
use crate::store::source::columns::Party;
use crate::store::source::search_index::SearchIndex;
use crate::store::source::{Found, Source};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// A table of a catalog: `name type` for each column, `!` behind those that are NOT NULL.
fn table(columns: &str) -> Table {
    let column = |text: &str| {
        let (name, ty) = text.trim().split_once(' ').unwrap();
        let (ty, required) = ty.strip_suffix('!').map_or((ty, false), |ty| (ty, true));
        Column { name: name.to_owned(), ty: ty.to_owned(), required, readable: true }
    };
    Table { schema: None, columns: columns.split(',').map(column).collect(), readable: true }
}

fn index(columns: &str) -> Index {
    Index { name: "i".into(), columns: columns.into(), valid: true, bytes: None }
}

const PAGING: [&str; 5] = [
    "created_at desc,id desc",
    "org_id desc,created_at desc,id desc",
    "event_type desc,created_at desc,id desc",
    "org_id desc,event_type desc,created_at desc,id desc",
    "device_id desc,created_at desc,id desc",
];

/// The source that a profile makes of these tables.
fn source(profile: SourceProfile, dialect: Dialect, tables: &[(&str, &str)], indexes: &[&str]) -> Source {
    let schema = (dialect == Dialect::Postgres).then(|| "s".to_owned());
    let made =
        |(name, columns): &(&str, &str)| ((*name).to_owned(), Table { schema: schema.clone(), ..table(columns) });
    let tables: BTreeMap<_, _> = tables.iter().map(made).collect();
    let indexes: Vec<_> = indexes.iter().map(|columns| index(columns)).collect();
    let search = [SearchIndex { name: "x".into(), columns: "error_message,reason".into(), valid: true, bytes: None }];
    let found = Found { dialect, tables: &tables, indexes: &indexes, search: &search };
    Source::build(&Arc::new(profile), &found).unwrap()
}

fn built_in(name: &str) -> SourceProfile {
    SourceProfile::clone(Profiles::default().all.iter().find(|p| p.name == name).unwrap())
}

/// Our own tables, with all paging indexes or none.
fn own(dialect: Dialect, indexed: bool) -> Source {
    let (id, time) = if dialect == Dialect::Postgres { ("uuid", "timestamp") } else { ("blob", "integer") };
    let events = format!(
        "id {id}!, device_id {id}!, org_id {id}!, event_type text!, reason text, old_cert_expiration {time}, \
         new_cert_expiration {time}, error_message text, created_at {time}!"
    );
    let names = format!("id {id}!, org_id {id}!, name text");
    let tables = [("certificate_renewal_events", events.as_str()), ("devices", &names), ("organizations", &names)];
    source(built_in("own"), dialect, &tables, if indexed { &PAGING } else { &[] })
}

const ODD: &str = r#"
name = "odd"
database = ["postgres", "sqlite"]
[relation]
table = "odd"
tie = "n"
empty-is-absent = true
[fields]
id = { column = "key", type = "text" }
device = { column = "host", type = "text", name = "host_name" }
org = { column = "site", type = "int" }
type = { column = "step", values = { failed = "renewal_failed" } }
reason = { column = "why" }
error = { column = "message" }
severity = { column = "sev" }
time = { column = "at", type = "unix-seconds" }
old-expiry = { column = "old_at", type = "unix-millis" }
new-expiry = { column = "new_at", type = "unix-micros" }
[outcome]
column = "ok"
values = { true = "succeeded", false = "failed" }
[outcomes]
mapped = "failed"
[[extra]]
column = "job"
"#;

/// A foreign table that is read through a select, and one that is read as it is.
fn foreign(dialect: Dialect, derived: bool) -> Source {
    let text = if derived {
        ODD.to_owned()
    } else {
        let plain = "name = \"plain\"\ndatabase = [\"postgres\", \"sqlite\"]\n[relation]\ntable = \"odd\"\n[fields]\n";
        let fields = "id = { column = \"n\" }\ndevice = { column = \"m\" }\norg = { column = \"site\" }\n\
             type = { column = \"step\" }\nreason = { column = \"why\" }\nerror = { column = \"message\" }\n\
             time = { column = \"at\", type = \"unix-millis\" }\nold-expiry = { column = \"old_at\" }\n\
             new-expiry = { column = \"new_at\" }\n";
        format!("{plain}{fields}")
    };
    let int = if dialect == Dialect::Postgres { "int8" } else { "integer" };
    let columns = format!(
        "key text, n {int}, m {int}, host text, host_name varchar(9), site {int}, step text, why blob, message text, \
         sev mood, at {int}, old_at {int}, new_at {int}, ok bool, job text"
    );
    source(SourceProfile::parse("odd.toml", &text).unwrap(), dialect, &[("odd", &columns)], &["at,n", "step,at,n"])
}

fn sources() -> Vec<(&'static str, Source)> {
    use Dialect::{Postgres, Sqlite};
    vec![
        ("own, PostgreSQL", own(Postgres, true)),
        ("own, SQLite", own(Sqlite, true)),
        ("own without indexes, PostgreSQL", own(Postgres, false)),
        ("plain, PostgreSQL", foreign(Postgres, false)),
        ("plain, SQLite", foreign(Sqlite, false)),
        ("derived, PostgreSQL", foreign(Postgres, true)),
        ("derived, SQLite", foreign(Sqlite, true)),
    ]
}

fn at(seconds: i64) -> Instant {
    Instant::from_unix_micros(seconds * 1_000_000 + 500_000)
}

fn ids(source: &Source, party: Party, n: usize) -> Vec<Id> {
    use crate::store::source::columns::IdType;
    let ty = source.party(party).map_or(IdType::Uuid, |c| c.ty);
    let id = |n: usize| match ty {
        IdType::Uuid => Id::Uuid(Uuid::from_u128(n as u128)),
        IdType::Int => Id::Int(n as i64),
        IdType::Text => Id::Text(n.to_string().into()),
    };
    (1..=n).map(id).collect()
}

fn kinds(n: usize) -> Set<String> {
    Set::Only((1..=n).map(|n| format!("kind{n}")).collect())
}

/// A filter with so many organizations, types and devices; 0 stands for all.
fn sets(source: &Source, orgs: usize, types: usize, devices: usize) -> Resolved {
    let set = |party, n| if n == 0 { Set::All } else { Set::Only(ids(source, party, n)) };
    Resolved {
        orgs: set(Party::Org, orgs),
        kinds: if types == 0 { Set::All } else { kinds(types) },
        devices: set(Party::Device, devices),
        ..Resolved::everything()
    }
}

fn with(rest: Vec<Condition>) -> Resolved {
    Resolved { rest, ..Resolved::everything() }
}

fn checked(check: Check) -> Condition {
    Condition::Check(Clause { negated: false, check })
}

/// Appends a statement to the text of a test.
fn note(out: &mut String, name: &str, (sql, shape): &(Sql, Vec<CellType>)) {
    let binds: Vec<_> = sql.binds().iter().map(|b| format!("{b:?}")).collect();
    out.push_str(&format!("-- {name}\n{}\n   {}\n   {shape:?}\n", sql.text(), binds.join(", ")));
}

fn cursor(source: &Source) -> Cursor {
    let id = match source.map.order().ty {
        crate::store::source::columns::IdType::Uuid => Id::Uuid(Uuid::from_u128(7)),
        crate::store::source::columns::IdType::Int => Id::Int(7),
        crate::store::source::columns::IdType::Text => Id::Text("7".into()),
    };
    Cursor { at: at(7), id }
}

fn approve(name: &str, text: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/store/statements");
    insta::with_settings!({ snapshot_path => path, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn pages() {
    let mut out = String::new();
    for (name, source) in sources() {
        let mut add = |what: &str, resolved: &Resolved, bound: Bound, order, errors| {
            let window = Window { bound, order, limit: 100, errors };
            note(&mut out, &format!("{name}: {what}"), &page::page(Selection::new(&source, resolved), &window));
        };
        let all = Resolved::everything();
        let c = cursor(&source);
        add("newest", &all, Bound::Nowhere, Order::NewestFirst, Errors::Head);
        add("oldest, whole", &all, Bound::Nowhere, Order::OldestFirst, Errors::Whole);
        add("older", &all, Bound::OlderThan(c.clone()), Order::NewestFirst, Errors::Head);
        add("newer", &all, Bound::NewerThan(c), Order::OldestFirst, Errors::Head);
        add("at or before", &all, Bound::AtOrBefore(at(5)), Order::NewestFirst, Errors::Head);
        add("at or after", &all, Bound::AtOrAfter(at(5)), Order::OldestFirst, Errors::Head);
        let range = Resolved { from: Some(at(1)), until: Some(at(2)), ..sets(&source, 0, 1, 0) };
        add("one type in a range", &range, Bound::Nowhere, Order::NewestFirst, Errors::Head);
        add("two types", &sets(&source, 0, 2, 0), Bound::Nowhere, Order::NewestFirst, Errors::Head);
        add("organizations and types", &sets(&source, 2, 2, 0), Bound::Nowhere, Order::NewestFirst, Errors::Head);
        add("one device", &sets(&source, 1, 1, 1), Bound::Nowhere, Order::NewestFirst, Errors::Head);
        let narrowed = Resolved { narrowed: true, ..with(vec![Condition::Rows(vec![3, 4])]) };
        add("narrowed", &narrowed, Bound::Nowhere, Order::NewestFirst, Errors::Head);
        for more in [false, true] {
            let org = ids(&source, Party::Org, 1).remove(0);
            let id = cursor(&source).id;
            note(&mut out, &format!("{name}: event"), &page::event(&source, more.then_some(&org), &id));
        }
    }
    approve("pages", &out);
}

#[test]
fn conditions() {
    let is = |x: &str| vec![Pattern::Is(x.into()), Pattern::StartsWith(x.into())];
    let moment = |from, until| ExpiryMatch::Within { from, until };
    let uuid = Uuid::from_u128(9);
    let names = || {
        let prefix = NameMatch::UuidPrefix { first: uuid, last: Uuid::max(), name: "ab".into() };
        vec![
            NameMatch::Uuid(uuid),
            prefix,
            NameMatch::Name(Pattern::Is("5".into())),
            NameMatch::Name(Pattern::EndsWith("x".into())),
        ]
    };
    let kinds = vec![
        KindMatch::Name(Pattern::Is("a".into())),
        KindMatch::Ending("failed".into()),
        KindMatch::Ending("odd".into()),
        KindMatch::Beginning("renewal".into()),
    ];
    let spans = vec![
        SpanMatch::Less(Span(1)),
        SpanMatch::AtMost(Span(2)),
        SpanMatch::Equal(Span(3)),
        SpanMatch::AtLeast(Span(4)),
        SpanMatch::More(Span(5)),
    ];
    let checks = vec![
        Check::Kind(kinds),
        Check::Org(names()),
        Check::Device(vec![]),
        Check::Id(names()),
        Check::Reason(is("why")),
        Check::Severity(is("high")),
        Check::Error(is("cause")),
        Check::Error(vec![]),
        Check::Text("part".into()),
        Check::Time { from: Some(at(1)), until: None },
        Check::Time { from: None, until: Some(at(2)) },
        Check::Time { from: None, until: None },
        Check::Expires(vec![ExpiryMatch::None, moment(Some(at(1)), Some(at(2)))]),
        Check::Expires(vec![moment(None, Some(at(2)))]),
        Check::Extends(spans),
    ];
    let mut out = String::new();
    for (name, source) in sources() {
        let party = |party, any| Condition::Party { negated: true, party, any };
        let mut conditions: Vec<Condition> = checks.iter().cloned().map(checked).collect();
        for p in [Party::Org, Party::Device] {
            conditions.push(party(p, vec![PartyTest::Ids(ids(&source, p, 2)), PartyTest::Range(uuid, Uuid::max())]));
            conditions.push(party(
                p,
                vec![PartyTest::IdText(Pattern::Is("5".into())), PartyTest::Label(Pattern::Is("l".into()))],
            ));
            conditions.push(party(
                p,
                vec![PartyTest::NameWithin(Pattern::Contains("n".into())), PartyTest::Holding("h".into())],
            ));
            conditions.push(party(p, vec![]));
        }
        conditions.push(Condition::Found("\"abc\"".into()));
        conditions.push(Condition::Check(Clause { negated: true, check: Check::Error(is("no")) }));
        for condition in conditions {
            let resolved = with(vec![condition]);
            note(&mut out, &name.to_owned(), &aggregate::count(Selection::new(&source, &resolved), Some(9)));
        }
    }
    approve("conditions", &out);
}

#[test]
fn counts() {
    let mut out = String::new();
    for (name, source) in sources() {
        let mut add = |what: &str, statement: Option<(Sql, Vec<CellType>)>| match statement {
            Some(statement) => note(&mut out, &format!("{name}: {what}"), &statement),
            None => out.push_str(&format!("-- {name}: {what}: none\n")),
        };
        let range = Resolved { from: Some(at(1)), ..sets(&source, 0, 3, 0) };
        let selection = Selection::new(&source, &range);
        add("count", Some(aggregate::count(selection, None)));
        add("types", Some(aggregate::distinct(&source, Values::Kinds)));
        let by = source.map.org.as_ref().map_or(Values::Kinds, Values::Orgs);
        add("organizations", Some(aggregate::distinct(&source, by)));
        for field in [Field::Kind, Field::Reason, Field::Org, Field::Device] {
            add("facet", aggregate::facet(selection, field, 500, 9));
            add("facet of all", aggregate::facet_of_all(selection, field, Some(cursor(&source)), 9));
        }
        add("beyond", Some(aggregate::beyond(selection, 500)));
        for types in [1, 3] {
            let each = sets(&source, 2, types, 0);
            let (selection, branches) = (Selection::new(&source, &each), keys::branches(&source, &each));
            add("counted by type", Some(aggregate::counted(selection, &branches, Values::Kinds, None)));
            add("counted by organization", Some(aggregate::counted(selection, &branches, by, Some(cursor(&source)))));
        }
        for order in [Order::NewestFirst, Order::OldestFirst] {
            add("reach", Some(aggregate::reach(selection, &Bound::AtOrBefore(at(5)), order, 100)));
        }
        add("ends", Some(aggregate::ends(&source)));
        add("rows that cannot be shown", usable::count(&source, 1000));
        add("their places", usable::list(&source, 10));
        for types in [0, 2] {
            let query =
                HistogramQuery { criteria: Default::default(), from: at(0), width_micros: 60_000_000, buckets: 10 };
            let resolved = Resolved { from: Some(at(0)), until: Some(at(600)), ..sets(&source, 0, types, 0) };
            let listed = ["a".to_owned(), "b".to_owned()];
            add("histogram", Some(histogram::histogram(&source, &resolved, Some(&listed), &query)));
            add("histogram without a list", Some(histogram::histogram(&source, &resolved, None, &query)));
        }
    }
    approve("counts", &out);
}

#[test]
fn tails_and_names() {
    let mut out = String::new();
    for (name, source) in sources() {
        let mut add = |what: &str, statement| note(&mut out, &format!("{name}: {what}"), &statement);
        let resolved = sets(&source, 0, 2, 0);
        let selection = Selection::new(&source, &resolved);
        let time = TimeSlice::Time { from: at(3), after: Some(cursor(&source)), until: Some(at(9)) };
        let open = TimeSlice::Time { from: at(3), after: None, until: None };
        let numbers = TimeSlice::Serial { after: 5, until: Some(9) };
        for (slice, serial) in [(&time, None), (&open, Some("rowid")), (&numbers, Some("rowid")), (&numbers, None)] {
            let read = tail::SliceRead { slice, serial, limit: 50 };
            add("rows", tail::rows(selection, read, Errors::Head));
            add("keys", tail::keys(selection, read));
            add("pick", tail::pick(selection, &[source.map.id.ty].map(|_| cursor(&source).id), serial, Errors::Whole));
        }
        for party in [Party::Org, Party::Device] {
            let Some(directory) = Directory::of(&source, party) else { continue };
            add("names", directory.names(&ids(&source, party, 2)));
            add("ids of a pattern", directory.ids_matching(&Pattern::StartsWith("a".into()), 7));
            add("ids of names", directory.ids_named(&["a".into(), "b".into()], 7));
            add("devices", devices_named(&source, "a", 7));
        }
        if let Some(label) = &source.map.device.label {
            add("labels", labels_of_ids(&source, &source.map.device, label, &ids(&source, Party::Device, 2)));
        }
    }
    approve("tails_and_names", &out);
}

#[test]
fn branches_end_where_they_cost_more_than_they_save() {
    use Dialect::{Postgres, Sqlite};
    let (postgres, sqlite) = (own(Postgres, true), own(Sqlite, true));
    let branches = |source: &Source, o, k, d| keys::branches(source, &sets(source, o, k, d)).len();
    for source in [&postgres, &sqlite] {
        for (sets, expected) in [
            ((0, 0, 0), 1),
            ((0, 200, 0), 200),
            ((0, 201, 0), 1),
            ((200, 0, 0), 200),
            ((201, 0, 0), 1),
            ((10, 20, 0), 200),
            // More combinations than branches: by organization alone.
            ((10, 21, 0), 10),
            ((201, 2, 0), 2),
            ((2, 3, 200), 200),
            ((2, 3, 201), 6),
        ] {
            assert_eq!(branches(source, sets.0, sets.1, sets.2), expected, "{sets:?}");
        }
    }
    // The heads of all branches: 200,000 entries at most on PostgreSQL, any number on SQLite.
    let within = |source: &Source, limit| keys::branches_within(source, &sets(source, 0, 200, 0), limit).len();
    assert_eq!((within(&postgres, 1000), within(&postgres, 1001), within(&sqlite, 1001)), (200, 1, 200));
    let one = sets(&postgres, 0, 1, 0);
    assert_eq!(keys::branches_within(&postgres, &one, u64::MAX), keys::branches(&postgres, &one));
    // A text index would be searched again in each branch.
    let narrowed = |source: &Source, types| {
        let resolved = Resolved { narrowed: true, ..sets(source, 0, types, 0) };
        keys::branches(source, &resolved)
    };
    assert_eq!(narrowed(&postgres, 2), [Branch::default()]);
    assert_ne!(narrowed(&postgres, 1), [Branch::default()]);
    assert_eq!(narrowed(&sqlite, 1), [Branch::default()]);
}

#[test]
fn a_cutoff_is_written_where_it_saves_reading() {
    let source = own(Dialect::Postgres, true);
    let text = |orgs, types, devices, limit, order| {
        let resolved = sets(&source, orgs, types, devices);
        let window = Window { bound: Bound::Nowhere, order, limit, errors: Errors::Head };
        page::page(Selection::new(&source, &resolved), &window).0.text().to_owned()
    };
    let has = |text: &str| text.contains("coalesce((SELECT b.c FROM (VALUES");
    assert!(!has(&text(0, 7, 0, 199, Order::NewestFirst)) && has(&text(0, 8, 0, 199, Order::NewestFirst)));
    assert!(!has(&text(0, 0, 8, 199, Order::NewestFirst)), "a device has few rows");
    // A share as large as the page saves nothing: 2 * 6 / 8 + 4 = 5 of 6, 2 * 5 / 8 + 4 = 5 of 5.
    assert!(has(&text(0, 8, 0, 5, Order::NewestFirst)) && !has(&text(0, 8, 0, 4, Order::NewestFirst)));
    assert!(text(0, 8, 0, 199, Order::NewestFirst).contains("e.\"created_at\" >= coalesce("));
    assert!(text(0, 8, 0, 199, Order::OldestFirst).contains("e.\"created_at\" <= coalesce("));
    // Two branches are a union, three a list; whole rows are merged up to four, keys beyond.
    assert!(text(0, 2, 0, 9, Order::NewestFirst).contains("UNION ALL"));
    assert!(text(0, 3, 0, 9, Order::NewestFirst).contains("CROSS JOIN LATERAL"));
    let by_key = |types| text(0, types, 0, 9, Order::NewestFirst).contains("WHERE e.\"id\" = k.i LIMIT 1");
    assert!(!by_key(4) && by_key(5));
}
