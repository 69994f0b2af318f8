//! Where one way of reading gives way to another: each limit, at its value and beyond it.

use super::*;

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

#[test]
fn an_index_alone_answers_only_what_it_holds() {
    let source = own(Dialect::Postgres, true);
    let alone = |resolved: &Resolved| {
        let branches = keys::branches(&source, resolved);
        keys::by_index_alone(&source, resolved, &branches)
    };
    for (orgs, types, devices, expected) in [
        (0, 0, 0, true),
        (0, 2, 0, true),
        (2, 0, 0, true),
        (2, 2, 0, true),
        // The plain order holds none of them.
        (0, 201, 0, false),
        (201, 0, 0, false),
        // By organization alone, the type has to be read.
        (10, 21, 0, false),
        // By type alone, the organization has to be read.
        (201, 2, 0, false),
        (0, 0, 1, false),
        (0, 0, 201, false),
    ] {
        assert_eq!(alone(&sets(&source, orgs, types, devices)), expected, "{orgs} {types} {devices}");
    }
    assert!(!alone(&with(vec![checked(Check::Text("x".into()))])));
    let without = own(Dialect::Postgres, false);
    assert!(!keys::by_index_alone(&without, &Resolved::everything(), &[Branch::default()]));
    let mut cast = own(Dialect::Postgres, true);
    cast.map.kind.cast = true;
    assert!(!keys::by_index_alone(&cast, &Resolved::everything(), &[Branch::default()]));
    assert!(aggregate::is_in_index(&source, &Resolved::everything()));
    assert!(!aggregate::is_in_index(&without, &Resolved::everything()));
    assert!(!aggregate::is_in_index(&source, &sets(&source, 0, 0, 1)));
    assert!(!aggregate::is_in_index(&source, &with(vec![checked(Check::Text("x".into()))])));
}

#[test]
fn buckets_are_counted_by_index_up_to_a_number_of_ranges() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let source = own(dialect, true);
        let by_bucket = |types, buckets| {
            let resolved = Resolved { from: Some(at(0)), until: Some(at(600)), ..sets(&source, 0, types, 0) };
            let query = HistogramQuery { criteria: Default::default(), from: at(0), width_micros: 1_000_000, buckets };
            histogram::histogram(&source, &resolved, None, &query).0.text().contains("WITH RECURSIVE")
        };
        assert!(by_bucket(2, 1500) && !by_bucket(2, 1501) && by_bucket(3, 1000) && !by_bucket(0, 10));
    }
}

#[test]
fn devices_keep_sqlite_from_other_indexes() {
    let source = own(Dialect::Sqlite, true);
    let text = |devices| {
        let resolved = sets(&source, 2, 2, devices);
        aggregate::count(Selection::new(&source, &resolved), None).0.text().to_owned()
    };
    let signed = |text: &str| text.contains("+e.\"org_id\" IN") && text.contains("+e.\"event_type\" IN");
    assert!(signed(&text(1)) && signed(&text(200)) && !text(201).contains('+') && !text(0).contains('+'));
    let (without, postgres) = (own(Dialect::Sqlite, false), own(Dialect::Postgres, true));
    for source in [&without, &postgres] {
        let resolved = sets(source, 2, 2, 1);
        assert!(!aggregate::count(Selection::new(source, &resolved), None).0.text().contains('+'));
    }
}

#[test]
fn many_tests_are_a_balanced_tree() {
    use crate::store::queries::sql::filter::joined;
    let tests = |n: usize| (0..n).map(|n| format!("t{n}")).collect::<Vec<_>>();
    assert_eq!(joined(&tests(16), " OR "), tests(16).join(" OR "));
    let text = joined(&tests(5000), " OR ");
    let words: Vec<_> = text.split(" OR ").map(|t| t.trim_matches(['(', ')'])).collect();
    assert_eq!(words, tests(5000));
    let (mut depth, mut deepest) = (0_i32, 0);
    for c in text.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        deepest = deepest.max(depth);
    }
    assert!(depth == 0 && deepest < 12, "{deepest}");
}
