//! The statements that each composer writes, for sources and filters that take every branch: a changed operator, a lost
//! condition or another order of columns shows as a changed text. What the statements find is tested against memory
//! elsewhere. After an intended change, run the tests once with INSTA_UPDATE=always and read the difference.
#![allow(clippy::unwrap_used, clippy::panic)]

mod limits;
mod sources;

use uuid::Uuid;

use self::sources::{own, sources};

use crate::domain::event::Id;
use crate::domain::filter::criteria::{Check, Clause, ExpiryMatch, KindMatch, NameMatch, Pattern, SpanMatch};
use crate::domain::instant::{Instant, Span};
use crate::domain::page::Cursor;
use crate::protocol::fleet::Place;
use crate::protocol::query::{Field, HistogramQuery};
use crate::protocol::tail::TimeSlice;
use crate::store::queries::resolved::{Condition, PartyTest, Resolved, Set};
use crate::store::queries::sql::aggregate::{self, Values};
use crate::store::queries::sql::directory::{Directory, devices_named, labels_of_ids};
use crate::store::queries::sql::keyed::{self, Keys, Near};
use crate::store::queries::sql::keys::{self, Bound, Branch, Order};
use crate::store::queries::sql::page::{self, Errors, Window};
use crate::store::queries::sql::signature::{Also, Messages};
use crate::store::queries::sql::{Selection, fleet, histogram, signature, slice, tail, usable};
use crate::store::source::Source;
use crate::store::source::columns::Party;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

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

/// One check of each kind, with each kind of value.
fn checks() -> Vec<Check> {
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
    vec![
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
    ]
}

#[test]
fn conditions() {
    let is = |x: &str| vec![Pattern::Is(x.into()), Pattern::StartsWith(x.into())];
    let uuid = Uuid::from_u128(9);
    let mut out = String::new();
    for (name, source) in sources() {
        let party = |party, any| Condition::Party { negated: true, party, any };
        let mut conditions: Vec<Condition> = checks().into_iter().map(checked).collect();
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
            note(&mut out, name, &aggregate::count(Selection::new(&source, &resolved), Some(9)));
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
        for (order, also) in [
            (Order::NewestFirst, Also::Nothing),
            (Order::NewestFirst, Also::Id),
            (Order::OldestFirst, Also::Value(Field::Org)),
            (Order::NewestFirst, Also::Value(Field::Error)),
        ] {
            let recorded = Resolved { rest: vec![Condition::Error { recorded: true }], ..range.clone() };
            let read = Messages { bound: Bound::NewerThan(cursor(&source)), order, limit: 500, also };
            add("messages", signature::messages(Selection::new(&source, &recorded), &read));
        }
        let silent = Resolved { rest: vec![Condition::Error { recorded: false }], ..range.clone() };
        let from = Bound::NewerThan(cursor(&source));
        add("without a message", Some(aggregate::count_from(Selection::new(&source, &silent), &from)));
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
            let also = Also::Bucket(&query);
            let read = Messages { bound: Bound::Nowhere, order: Order::NewestFirst, limit: 500, also };
            add("messages by bucket", signature::messages(Selection::new(&source, &resolved), &read));
            add("histogram without a list", Some(histogram::histogram(&source, &resolved, None, &query)));
        }
    }
    approve("counts", &out);
}

#[test]
fn investigations() {
    let mut out = String::new();
    for (name, source) in sources() {
        let mut add = |what: &str, statement| note(&mut out, &format!("{name}: {what}"), &statement);
        let bare = source.bare();
        let range = Resolved { from: Some(at(1)), until: Some(at(9)), ..sets(&source, 1, 2, 0) };
        for (what, resolved) in [
            ("all", Resolved::everything()),
            ("types of an organization", range),
            ("organization", sets(&source, 1, 0, 0)),
            ("devices", sets(&source, 0, 0, 2)),
            ("reason", with(vec![checked(Check::Reason(vec![Pattern::Is("why".into())]))])),
        ] {
            let bound = Bound::NewerThan(cursor(&source));
            let window = Window { bound, order: Order::OldestFirst, limit: 100, errors: Errors::Input };
            let selection = Selection::new(&source, &resolved);
            let way = slice::Way::of(selection, window.limit);
            add(&format!("slice, {what}"), slice::slice(selection, &bare, &window, &way));
            if way.any_tie {
                add(&format!("exact slice, {what}"), slice::slice(selection, &bare, &window, &way.exact()));
            }
        }
        let devices = ids(&source, Party::Device, 3);
        let place = |device: &Id| Place { device: device.clone(), at: cursor(&source) };
        let places: Vec<_> = devices.iter().map(place).collect();
        let places: Vec<_> = places.iter().collect();
        for n in [1, 3] {
            let (keys, order) = (Keys::Devices(&devices[..n]), Order::NewestFirst);
            add("newest of devices", keyed::rows(&bare, Near { keys, order, limit: 8 }));
            for order in [Order::NewestFirst, Order::OldestFirst] {
                let keys = Keys::Places(&places[..n]);
                add("neighbors", keyed::rows(&bare, Near { keys, order, limit: 8 }));
            }
        }
        for after in [None, devices.first()] {
            add("devices of the directory", fleet::in_directory(&source, after, 9));
            add("devices with rows", fleet::with_rows(&source, after, 9));
        }
    }
    approve("investigations", &out);
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
