//! The list over a table of numbered rows, one a second, in memory.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::arrivals::Mark;
use super::*;
use crate::domain::event::Kind;
use crate::domain::instant::Span;

/// Row `n` of the table: its id and its second.
fn row(n: i64) -> Arc<RenewalEvent> {
    Arc::new(RenewalEvent {
        id: Id::Int(n),
        device_id: Id::Int(0),
        org_id: None,
        kind: Kind::new("renewal_failed"),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: None,
        created_at: at(n),
        device: None,
        org: None,
        beyond: None,
    })
}

fn at(second: i64) -> Instant {
    Instant::from_unix_micros(second * 1_000_000)
}

/// The page of a request over the rows `0..rows`.
fn page(request: &Request, rows: i64) -> Page {
    let Query::Page { anchor, limit, .. } = &request.query else { panic!("{request:?}") };
    let limit = i64::from(*limit);
    let (first, last) = match anchor {
        Anchor::Newest => (rows - limit, rows),
        Anchor::Oldest => (0, limit),
        Anchor::Older(Cursor { id: Id::Int(n), .. }) => (n - limit, *n),
        Anchor::Newer(Cursor { id: Id::Int(n), .. }) => (n + 1, n + 1 + limit),
        Anchor::At(t) => {
            let n = t.since(at(0)).unwrap().as_seconds();
            (n + 1 - limit, n + 1)
        }
        other => panic!("{other:?}"),
    };
    let (first, last) = (first.clamp(0, rows), last.clamp(0, rows));
    Page {
        rows: (first..last).rev().map(row).collect(),
        more_newer: last < rows,
        more_older: first > 0,
        searched_to: None,
        unreadable: 0,
    }
}

/// A list that shows the newest of `rows` rows on ten lines.
fn list(rows: i64) -> List {
    let mut list = List::default();
    list.view.height = 10;
    let request = list.newest(Criteria::default(), Duration::ZERO);
    list.settle(Ok(page(&request, rows)));
    list
}

/// Moves, and answers what the list requests.
fn step(list: &mut List, delta: isize, rows: i64) {
    if let Some(request) = list.step(delta, Criteria::default) {
        list.settle(Ok(page(&request, rows)));
    }
}

fn selected(list: &List) -> i64 {
    match list.selected().map(|row| row.id.clone()) {
        Some(Id::Int(n)) => n,
        other => panic!("{other:?}"),
    }
}

/// The first and the last row of the window.
fn ends(list: &List) -> (i64, i64) {
    let number = |row: Option<&Arc<RenewalEvent>>| match row.map(|row| row.id.clone()) {
        Some(Id::Int(n)) => n,
        other => panic!("{other:?}"),
    };
    (number(list.rows().front()), number(list.rows().back()))
}

fn anchor(request: &Request) -> Anchor {
    match &request.query {
        Query::Page { anchor, .. } => anchor.clone(),
        other => panic!("{other:?}"),
    }
}

/// Where the cursor goes once the page in flight is there.
fn land(list: &List) -> Land {
    match &list.load {
        Some(Load { what: What::Replace(land), .. }) => land.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_says_what_is_known_and_what_is_not() {
    let mut list = List::default();
    let states = |list: &List| [list.is_loading(), list.was_answered(), list.is_settled(), list.is_whole()];
    assert_eq!(states(&list), [false; 4]);
    assert_eq!(list.position(), None);
    let request = list.newest(Criteria::default(), Duration::ZERO);
    assert_eq!(states(&list), [true, false, false, false]);
    assert!(list.is_stale());
    let ticket = request.ticket;
    assert!(list.awaits(ticket));
    assert!(!list.awaits(Ticket { generation: ticket.generation + 1, ..ticket }));
    assert!(!list.awaits(Ticket { slot: Slot::Histogram, ..ticket }));
    list.settle(Ok(page(&request, 3)));
    assert_eq!(states(&list), [false, true, true, true]);
    assert_eq!((list.position(), list.is_stale(), list.awaits(ticket)), (Some(1), false, false));
    let request = list.newest(Criteria::default(), Duration::ZERO);
    assert_eq!(states(&list), [true, true, false, false], "a page is in flight");
    list.settle(Ok(Page { searched_to: Some(at(1)), more_older: true, ..page(&request, 3) }));
    assert_eq!(states(&list), [false, true, false, false], "the search is not at its end");
    assert_eq!(list.searched_to(), Some((at(1), true)));
    let _ = list.newest(Criteria::default(), Duration::ZERO);
    list.settle(Err(SourceError::Cancelled));
    assert_eq!(states(&list), [false, true, false, false], "the query failed");
    assert!(list.is_stale());
    assert_eq!(list.error(), Some(&SourceError::Cancelled));
}

#[test]
fn the_window_is_the_whole_result_only_between_both_ends() {
    assert!(list(200).is_whole());
    assert!(!list(201).is_whole());
    let mut list = list(300);
    let request = list.oldest(Criteria::default());
    list.settle(Ok(page(&request, 300)));
    assert!(!list.is_whole() && !list.is_following());
    assert_eq!((selected(&list), list.position()), (0, None));
}

#[test]
fn rows_that_leave_a_sliding_range_take_nothing_else_with_them() {
    let mut list = list(201);
    step(&mut list, 4, 201);
    assert_eq!(selected(&list), 196);
    list.slide(|_| true);
    assert!(list.window.more_older, "no row has left");
    list.slide(|created_at| created_at >= at(190));
    assert_eq!((ends(&list), selected(&list)), ((200, 190), 196));
    assert!(!list.window.more_older);
    list.slide(|created_at| created_at >= at(198));
    assert_eq!((ends(&list), selected(&list)), ((200, 198), 198), "the selected row has left");
    // The cursor follows its row where newer rows leave, too.
    step(&mut list, 1, 201);
    list.slide(|created_at| created_at < at(200));
    assert_eq!((ends(&list), selected(&list)), ((199, 198), 198));
}

#[test]
fn another_filter_begins_at_the_newest_row_or_keeps_the_selected_one() {
    let mut list = list(50);
    let request = list.start(Criteria::default(), Duration::ZERO);
    assert_eq!((anchor(&request), land(&list)), (Anchor::Newest, Land::Top));
    list.settle(Ok(page(&request, 50)));
    step(&mut list, 5, 50);
    let request = list.start(Criteria::default(), Duration::ZERO);
    assert_eq!(anchor(&request), Anchor::At(at(44)));
    assert_eq!(land(&list), Land::On { id: Some(Id::Int(44)), rows_above: 0 });
    list.settle(Ok(page(&request, 50)));
    assert_eq!((selected(&list), list.is_following()), (44, false));
}

#[test]
fn a_refresh_keeps_the_row_and_its_line() {
    let mut list = list(50);
    let request = list.refresh(Criteria::default());
    assert_eq!((anchor(&request), land(&list)), (Anchor::Newest, Land::On { id: None, rows_above: 0 }));
    list.settle(Ok(page(&request, 51)));
    assert_eq!(selected(&list), 50, "it follows");
    step(&mut list, 4, 51);
    let request = list.refresh(Criteria::default());
    assert_eq!((anchor(&request), land(&list)), (Anchor::Newest, Land::On { id: Some(Id::Int(46)), rows_above: 4 }));
    list.settle(Ok(page(&request, 52)));
    assert_eq!((selected(&list), list.view.offset), (46, 1));
    step(&mut list, 20, 52);
    assert_eq!((selected(&list), list.view.cursor, list.view.offset), (26, 25, 16));
    let request = list.refresh(Criteria::default());
    assert_eq!(anchor(&request), Anchor::Older(row(36).cursor()));
    assert_eq!(land(&list), Land::On { id: Some(Id::Int(26)), rows_above: 9 });
}

#[test]
fn a_row_is_gone_to_in_the_window_or_by_a_page_around_it() {
    let mut list = list(500);
    assert!(list.go_to(&row(450).cursor(), Criteria::default()).is_none());
    assert_eq!((selected(&list), list.is_following()), (450, false));
    let request = list.go_to(&row(20).cursor(), Criteria::default()).unwrap();
    assert_eq!(anchor(&request), Anchor::At(at(20)));
    assert_eq!(land(&list), Land::On { id: Some(Id::Int(20)), rows_above: 3 });
    list.settle(Ok(page(&request, 500)));
    assert_eq!(selected(&list), 20);
    let request = list.jump(at(100), Criteria::default());
    list.settle(Ok(page(&request, 500)));
    assert_eq!((selected(&list), list.view.offset), (100, 0));
}

#[test]
fn a_move_ends_following_unless_it_is_upwards_from_the_newest_row() {
    let mut list = list(50);
    for (delta, follows) in [(0, true), (-1, true), (1, false)] {
        step(&mut list, delta, 50);
        assert_eq!(list.is_following(), follows, "{delta}");
    }
    assert!(list.follow_here());
    assert_eq!((selected(&list), list.is_following()), (49, true));
    list.view.cursor = 2;
    step(&mut list, 0, 50);
    assert!(list.is_following(), "no move");
    step(&mut list, -1, 50);
    assert!(!list.is_following(), "a move up that moved");
}

#[test]
fn pages_are_requested_near_the_ends_and_nowhere_else() {
    let mut list = list(1000);
    list.unfollow();
    list.view.cursor = 99;
    assert!(list.prefetch(Criteria::default).is_none());
    list.view.cursor = 100;
    let request = list.prefetch(Criteria::default).unwrap();
    assert_eq!(anchor(&request), Anchor::Older(row(800).cursor()));
    assert!(list.prefetch(Criteria::default).is_none(), "one page at a time");
    list.settle(Ok(page(&request, 1000)));
    assert_eq!((ends(&list), selected(&list)), ((999, 600), 899));
    list.view.height = 250;
    list.view.cursor = 149;
    assert!(list.prefetch(Criteria::default).is_none());
    list.view.cursor = 150;
    assert!(list.prefetch(Criteria::default).is_some(), "as many rows as fit the screen");

    let request = list.jump(at(300), Criteria::default());
    list.view.height = 10;
    list.settle(Ok(page(&request, 1000)));
    let request = list.prefetch(Criteria::default).unwrap();
    assert_eq!(anchor(&request), Anchor::Newer(row(300).cursor()));
    list.settle(Err(SourceError::Cancelled));
    assert!(list.prefetch(Criteria::default).is_none(), "not after a failure");
    let request = list.jump(at(300), Criteria::default());
    list.settle(Ok(Page { more_older: false, ..page(&request, 1000) }));
    list.view.cursor = 100;
    assert!(list.prefetch(Criteria::default).is_none());
    list.view.cursor = 99;
    assert!(list.prefetch(Criteria::default).is_some());

    let mut all = self::list(150);
    all.view.cursor = 149;
    assert!(all.prefetch(Criteria::default).is_none(), "both ends are there");
    all.view.cursor = 0;
    assert!(all.prefetch(Criteria::default).is_none());
}

#[test]
fn a_cancelled_page_is_not_awaited_and_not_requested_again_until_a_move() {
    let mut list = list(1000);
    list.view.cursor = 150;
    let request = list.prefetch(Criteria::default).unwrap();
    list.cancel();
    assert!(!list.awaits(request.ticket) && !list.is_loading());
    assert_eq!(list.error(), None, "the rows are those of the filter");
    assert!(list.prefetch(Criteria::default).is_none());
    let again = list.step(0, Criteria::default).unwrap();
    assert!(again.ticket.generation > request.ticket.generation + 1);
    list.cancel();
    let _ = list.start(Criteria::default(), Duration::ZERO);
    list.cancel();
    assert_eq!(list.error(), Some(&SourceError::Cancelled), "the rows are those of another filter");
}

#[test]
fn the_window_moves_over_the_table_and_the_cursor_stays_on_its_row() {
    const ROWS: i64 = 2500;
    let mut list = list(ROWS);
    let (mut expected, mut reached) = (ROWS - 1, 0);
    while expected > 0 {
        let delta = 60.min(expected);
        expected -= delta;
        step(&mut list, delta as isize, ROWS);
        assert_eq!(selected(&list), expected);
        assert_eq!(list.position(), Some((ROWS - expected) as u64));
        assert!(list.view.cursor >= list.view.offset && list.view.cursor < list.view.offset + 10);
        let (first, last) = ends(&list);
        assert_eq!(first - last + 1, list.rows().len() as i64);
        assert!(list.rows().len() <= WINDOW);
        assert_eq!((list.window.more_newer, list.window.more_older), (first < ROWS - 1, last > 0));
        reached = reached.max(list.rows().len());
    }
    assert_eq!((reached, ends(&list)), (WINDOW, (999, 0)));
    while expected < ROWS - 1 {
        let delta = 60.min(ROWS - 1 - expected);
        expected += delta;
        step(&mut list, -(delta as isize), ROWS);
        assert_eq!(selected(&list), expected);
        let (first, last) = ends(&list);
        assert_eq!((list.window.more_newer, list.window.more_older), (first < ROWS - 1, last > 0));
        assert!(list.rows().len() <= WINDOW);
        assert_eq!(list.position(), Some((ROWS - expected) as u64));
    }
    assert_eq!(ends(&list), (ROWS - 1, ROWS - 1000));
}

#[test]
fn exactly_a_window_of_rows_drops_none() {
    let mut list = list(1000);
    for _ in 0..8 {
        step(&mut list, 150, 1000);
    }
    assert_eq!((ends(&list), list.window.more_newer), ((999, 0), false));
    let request = list.oldest(Criteria::default());
    list.settle(Ok(page(&request, 1000)));
    for _ in 0..8 {
        step(&mut list, -150, 1000);
    }
    assert_eq!((ends(&list), list.window.more_older), ((999, 0), false));
}

#[test]
fn reaching_the_newest_row_by_pages_counts_no_arrivals() {
    let mut list = list(500);
    let request = list.jump(at(350), Criteria::default());
    list.settle(Ok(page(&request, 500)));
    list.arrive(vec![row(500), row(501)], true, at(501));
    assert_eq!((list.arrived(), ends(&list)), (2, (350, 151)));
    step(&mut list, -1, 400);
    assert_eq!(list.arrived(), 0);
    assert_eq!((ends(&list), selected(&list), list.position()), ((399, 151), 350, Some(50)));
    assert_eq!((list.view.cursor, list.view.offset), (49, 49), "the row stays on its line");

    let request = list.jump(at(100), Criteria::default());
    list.settle(Ok(page(&request, 500)));
    list.arrive(vec![row(500)], true, at(501));
    step(&mut list, -1, 500);
    assert_eq!((list.arrived(), list.window.more_newer), (1, true), "newer rows are still not loaded");
}

#[test]
fn following_begins_only_on_the_newest_rows_of_the_filter_in_force() {
    assert!(!List::default().follow_here(), "nothing is loaded");
    let mut list = list(300);
    step(&mut list, 3, 300);
    list.arrive(vec![row(300)], true, at(300));
    assert_eq!(list.arrived(), 1);
    assert!(list.follow_here());
    assert_eq!((selected(&list), list.view.offset, list.arrived(), list.is_following()), (300, 0, 0, true));
    let request = list.start(Criteria::default(), Duration::ZERO);
    assert!(!list.follow_here(), "the rows are about to be replaced");
    list.settle(Ok(page(&request, 300)));
    assert!(list.follow_here());
    let _ = list.prefetch(Criteria::default);
    let _ = list.newest(Criteria::default(), Duration::ZERO);
    list.settle(Err(SourceError::Cancelled));
    assert!(!list.follow_here(), "the last query failed");
    let request = list.jump(at(50), Criteria::default());
    list.settle(Ok(page(&request, 300)));
    assert!(!list.follow_here(), "the newest rows are not loaded");
    list.unfollow();
    assert!(!list.is_following());
}

#[test]
fn arrivals_are_marked_by_the_newest_row_before_them_and_for_a_time() {
    let mut list = list(10);
    assert!(!list.has_marks());
    let again = Arc::new(RenewalEvent { id: Id::Int(99), ..(*row(9)).clone() });
    let sent = list.arrive(vec![row(11), again.clone(), row(10), row(9)], true, at(11));
    assert_eq!(sent.len(), 3, "a row that was there is no arrival");
    assert_eq!(list.mark(&Id::Int(99)), Some(Mark::New), "as new as the newest before it");
    let late = Arc::new(RenewalEvent { id: Id::Int(77), ..(*row(3)).clone() });
    list.arrive(vec![late], true, at(12));
    assert_eq!((list.mark(&Id::Int(77)), list.mark(&Id::Int(3))), (Some(Mark::Late), None));
    assert!(list.has_marks() && list.marked().count() == 4);
    list.arrive(vec![row(12)], false, at(12));
    assert_eq!((list.mark(&Id::Int(12)), selected(&list)), (None, 12), "a row that was in the table before");
    list.forget_marks(at(31).minus(Span(1)));
    assert_eq!(list.marked().count(), 4);
    list.forget_marks(at(31));
    assert_eq!(list.marked().count(), 1, "twenty seconds after they came");
    list.forget_marks(at(32));
    assert!(!list.has_marks());
}

#[test]
fn in_a_flood_nothing_is_marked() {
    let mut list = list(10);
    let flood = |rows: std::ops::Range<i64>| rows.rev().map(row).collect::<Vec<_>>();
    list.arrive(flood(10..1010), true, at(1010));
    assert_eq!(list.marked().count(), WINDOW);
    assert_eq!((list.rows().len(), list.window.more_older, selected(&list)), (WINDOW, true, 1009));
    list.arrive(flood(1010..1011), true, at(1010));
    assert!(!list.has_marks());
}

#[test]
fn arrivals_keep_the_selected_row_under_the_cursor_and_drop_rows_far_from_it() {
    let mut list = list(1000);
    for _ in 0..8 {
        step(&mut list, 150, 1000);
    }
    assert_eq!((selected(&list), list.position()), (0, Some(1000)));
    let (line, flood) = (list.view.cursor - list.view.offset, (1000..1010).rev().map(row).collect::<Vec<_>>());
    list.arrive(flood, true, at(1010));
    assert_eq!((ends(&list), selected(&list), list.position()), ((999, 0), 0, Some(1010)));
    assert_eq!((list.view.cursor - list.view.offset, list.window.more_newer, list.arrived()), (line, true, 10));
    // Newer than a window that does not begin at the newest row: counted only.
    list.arrive(vec![row(1010)], true, at(1010));
    assert_eq!((ends(&list), list.position(), list.arrived()), ((999, 0), Some(1011), 11));
    // At the other end, rows drop from the oldest.
    let mut list = self::list(1000);
    step(&mut list, 150, 1000);
    for _ in 0..5 {
        list.view.cursor = list.rows().len() - 1;
        step(&mut list, 0, 1000);
    }
    list.view.cursor = 10;
    list.view.settle(1000);
    let kept = selected(&list);
    list.arrive(vec![row(1000)], true, at(1000));
    assert_eq!((selected(&list), ends(&list), list.window.more_older), (kept, (1000, 1), true));
}

#[test]
fn surplus_rows_are_dropped_at_the_end_that_is_farther_from_the_cursor() {
    for (cursor, kept) in [(498, (1000, 1)), (499, (999, 0))] {
        let mut list = list(1000);
        for _ in 0..8 {
            step(&mut list, 150, 1000);
        }
        list.view.cursor = cursor;
        list.view.settle(1000);
        let before = (selected(&list), list.view.cursor - list.view.offset);
        // The cursor moves with its row: of 1,001 rows, 499 is in the newer half and 500 is not.
        list.arrive(vec![row(1000)], true, at(1000));
        assert_eq!(ends(&list), kept, "{cursor}");
        assert_eq!((selected(&list), list.view.cursor - list.view.offset), before, "{cursor}");
    }
}

#[test]
fn the_first_row_of_an_empty_list_is_selected() {
    let mut list = list(0);
    assert!(list.is_whole() && list.selected().is_none());
    list.unfollow();
    list.arrive(vec![row(0)], true, at(0));
    assert_eq!((list.view.cursor, list.view.offset, selected(&list)), (0, 0, 0));
    list.arrive(vec![row(1)], true, at(1));
    assert_eq!((list.view.cursor, selected(&list), list.arrived()), (1, 0, 2));
}

#[test]
fn rows_older_than_the_window_wait_for_their_page() {
    let mut list = list(300);
    assert_eq!(ends(&list), (299, 100));
    let odd = |n: i64, id: i64| Arc::new(RenewalEvent { id: Id::Int(id), ..(*row(n)).clone() });
    assert!(list.arrive(vec![odd(50, 5000)], true, at(300)).is_empty());
    assert_eq!(list.arrive(vec![odd(150, 5001)], true, at(300)).len(), 1);
    assert_eq!((ends(&list), list.rows().len()), ((299, 100), 201));
}

#[test]
fn rows_that_come_before_their_page_are_added_to_it_once() {
    let mut list = List::default();
    list.view.height = 10;
    let request = list.newest(Criteria::default(), Duration::ZERO);
    assert!(list.arrive(vec![row(6), row(4)], true, at(6)).is_empty());
    assert!(list.rows().is_empty());
    list.settle(Ok(page(&request, 5)));
    assert_eq!((list.rows().len(), ends(&list), list.arrived()), (6, (6, 0), 0));
    assert!(!list.has_marks());
}
