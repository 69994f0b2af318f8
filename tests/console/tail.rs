//! What the screen makes of the live tail: its states, its marks, its account, its alert.

use std::sync::Arc;

use renewscope::console::msg::Msg;
use renewscope::domain::event::{Id, RenewalEvent};
use renewscope::domain::filter::Filter;
use renewscope::domain::filter::criteria::Check;
use renewscope::domain::instant::Span;
use renewscope::domain::page::{Anchor, Total};
use renewscope::domain::zone::Zone;
use renewscope::protocol::query::Description;
use renewscope::protocol::tail::{ALERT, Batch, Start, TailEvent, TailNews, Window};
use renewscope::protocol::{Answer, Query, Reply, SourceError};
use renewscope::ui::effect::Effect;
use renewscope::ui::effect::Means;
use renewscope::views::events::arrivals::Mark;

use super::common::console::Console;
use super::common::fleet::{event, fleet, now};
use super::common::memory::Memory;

fn console(width: u16) -> Console {
    Console::new(Memory::new(fleet()), (width, 40))
}

fn tell(c: &mut Console, news: TailNews) {
    let generation = c.model.tail.generation;
    if let TailNews::Batch(batch) = news {
        return c.poll(batch);
    }
    c.send(Msg::Tail(TailEvent { generation, news }));
}

fn batch(rows: Vec<RenewalEvent>) -> Batch {
    Batch { rows: rows.into_iter().map(Arc::new).collect(), ..Batch::default() }
}

fn header(c: &Console) -> String {
    c.screen().lines().next().unwrap().to_owned()
}

fn id(n: u128) -> Id {
    Id::Uuid(uuid::Uuid::from_u128(n))
}

#[test]
fn the_account_stands_in_the_header_at_every_width() {
    for width in [80, 120, 200] {
        let mut c = console(width);
        let rows = (0..120).map(|n| event(9000 + n, "renewal_start", "acme", "edge-1", Span::seconds(0))).collect();
        let window = Window::Open { longest: Span::minutes(10), overlap: Span::seconds(5) };
        tell(&mut c, TailNews::Batch(Batch { late: 3, lag: Some(Span(240_000)), window, ..batch(rows) }));
        assert!(header(&c).ends_with("● live 12/s lag 0.2s late 3 lost 0 within 10m"), "{}", header(&c));
        assert!(header(&c).contains("UTC") && header(&c).contains("read-only"), "{}", header(&c));
        tell(&mut c, TailNews::Batch(Batch { window: Window::Every, ..Batch::default() }));
        assert!(header(&c).ends_with("late 3 lost 0"), "{}", header(&c));
        tell(&mut c, TailNews::Skipped(Total::AtLeast(1_000_000)));
        assert!(header(&c).ends_with("late 3 skipped 1.0M lost 0"), "{}", header(&c));
    }
}

#[test]
fn the_states_of_the_link_are_shown_and_the_last_answer_stays() {
    let mut c = console(120);
    let rows = c.events().list.rows().len();
    tell(&mut c, TailNews::Slow(Span::seconds(3)));
    assert!(header(&c).ends_with("slow, no answer for 3 s"), "{}", header(&c));
    let why =
        SourceError::Unreachable { address: "postgres://a@h/d".into(), why: "connection reset".to_owned().into() };
    tell(&mut c, TailNews::Trouble { error: why, retry_in: Span::seconds(4), tries: 3 });
    assert!(header(&c).ends_with("reconnecting in 4 s (try 3)"), "{}", header(&c));
    assert!(c.screen().contains("unreachable since") && c.screen().contains("connection reset"), "{}", c.screen());
    let why = SourceError::Refused { address: "postgres://a@h/d".into(), why: "password".to_owned().into() };
    tell(&mut c, TailNews::Trouble { error: why, retry_in: Span::seconds(8), tries: 4 });
    assert!(header(&c).ends_with("refused, next try in 8 s"), "{}", header(&c));
    assert_eq!(c.events().list.rows().len(), rows, "the last answer stays");
    let before = c.sent.len();
    tell(&mut c, TailNews::Resumed);
    assert!(header(&c).contains("live"), "{}", header(&c));
    let sent = c.sent.iter().skip(before).any(|r| matches!(r.query, Query::Page { .. }));
    assert!(sent, "what may have changed meanwhile is queried again");
}

#[test]
fn new_and_late_rows_are_marked_for_a_while() {
    let mut c = console(120);
    c.keys("g");
    tell(&mut c, TailNews::Batch(batch(vec![event(9001, "renewal_failed", "acme", "edge-1", Span::seconds(0))])));
    tell(&mut c, TailNews::Batch(batch(vec![event(9002, "renewal_start", "acme", "edge-1", Span::seconds(4))])));
    assert_eq!(c.events().list.mark(&id(9001)), Some(Mark::New));
    assert_eq!(c.events().list.mark(&id(9002)), Some(Mark::Late));
    assert!(c.screen().contains("+11-21") && c.screen().contains("↓11-21"), "{}", c.screen());
    c.send(Msg::Tick(now().plus(Span::seconds(30))));
    assert_eq!(c.events().list.mark(&id(9001)), None);
    assert!(!c.screen().contains("+11-21"), "{}", c.screen());
}

#[test]
fn rows_that_come_before_the_page_are_in_the_list() {
    let mut c = console(120);
    c.keys("g");
    c.hold = true;
    c.keys("r");
    let late = event(9003, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    // The page was read before this was committed, and its reply comes after the tail sent it.
    let held: Vec<_> = c.pending.drain(..).collect();
    let answers: Vec<_> =
        held.into_iter().map(|r| Reply { ticket: r.ticket, outcome: c.memory.evaluate(&r.query) }).collect();
    tell(&mut c, TailNews::Batch(batch(vec![late.clone()])));
    c.hold = false;
    for reply in answers {
        c.send(Msg::Reply(reply));
    }
    let found = c.events().list.rows().iter().filter(|r| r.id == late.id).count();
    assert_eq!(found, 1);
}

fn alarm(c: &mut Console, rows: Vec<RenewalEvent>) {
    c.send(Msg::Tail(TailEvent { generation: ALERT, news: TailNews::Batch(batch(rows)) }));
}

fn rings(c: &mut Console) -> Vec<String> {
    let rung = c.effects.drain(..).filter_map(|e| match e {
        Effect::Alert(Means::Bell, words) => Some(words.to_string()),
        _ => None,
    });
    rung.collect()
}

#[test]
fn an_alert_rings_once_for_many() {
    let mut c = console(120);
    let failed = |n| event(n, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    // What was there when the console began does not ring: the order begins with what is committed from now on.
    let order = c.effects.iter().find_map(|e| match e {
        Effect::Tail(order) if order.generation == ALERT => Some(order.clone()),
        _ => None,
    });
    let order = order.unwrap();
    assert_eq!(order.start, Start::Now);
    assert_eq!(order.criteria, Filter::parse("type:failed org:acme").unwrap().criteria(now(), &Zone::Utc));
    rings(&mut c);
    alarm(&mut c, vec![failed(9102)]);
    assert_eq!(rings(&mut c), ["edge-1: renewal_failed"]);
    alarm(&mut c, (0..5).map(|n| failed(9200 + n)).collect());
    assert_eq!(rings(&mut c), Vec::<String>::new(), "a moment ago");
    c.send(Msg::Tick(now().plus(Span::seconds(11))));
    assert_eq!(rings(&mut c), ["edge-1: renewal_failed, and 4 more"]);
}

#[test]
fn an_alert_hears_what_the_lists_filter_hides_and_a_filter_change_costs_it_nothing() {
    let mut c = console(120);
    c.keys("/ 'org:globex' Enter");
    rings(&mut c);
    alarm(&mut c, vec![event(9103, "renewal_failed", "acme", "edge-1", Span::seconds(0))]);
    assert_eq!(rings(&mut c), ["edge-1: renewal_failed"]);
    let again = c.effects.iter().any(|e| matches!(e, Effect::Tail(order) if order.generation == ALERT));
    assert!(!again, "its order is not restarted");
    assert!(c.events().list.rows().iter().all(|r| r.id != id(9103)));
}

#[test]
fn a_quiet_screen_does_not_age_between_the_minutes() {
    let rows = (0..50).map(|n| event(n, "renewal_start", "acme", "edge-1", Span::days(2))).collect();
    let mut c = Console::new(Memory::new(rows), (120, 40));
    c.keys("g");
    tell(&mut c, TailNews::Batch(Batch { window: Window::Every, ..Batch::default() }));
    c.wait(Span(60_000_000 - now().pg_micros().rem_euclid(60_000_000)));
    let before = c.screen();
    for second in 1..60 {
        c.wait(Span::seconds(1));
        assert!(!c.model.has_aged(), "second {second}");
        assert_eq!(c.screen(), before);
    }
    c.wait(Span::seconds(1));
    assert!(c.model.has_aged());
}

#[test]
fn a_flood_leaves_the_window_bounded_and_the_cursor_where_it_is() {
    let mut c = console(120);
    c.keys("g j j j");
    let chosen = c.selected_id();
    for n in 0..40_u128 {
        let rows =
            (0..500).map(|i| event(20_000 + n * 500 + 499 - i, "renewal_start", "acme", "edge-1", Span::seconds(0)));
        tell(&mut c, TailNews::Batch(batch(rows.collect())));
    }
    assert_eq!(c.selected_id(), chosen);
    assert!(c.events().list.rows().len() <= 1000);
    assert!(header(&c).contains("20,000 new"), "{}", header(&c));
}

#[test]
fn the_palette_goes_to_another_database() {
    let mut c = console(120);
    c.keys(": 'staging'");
    assert!(c.screen().contains("open staging"), "{}", c.screen());
    c.effects.clear();
    c.keys("Enter");
    assert_eq!(c.effects, [Effect::Open("staging".into())]);
}

#[test]
fn how_the_link_is_protected_is_on_screen_and_a_weak_one_comes_first() {
    for (tls, expected) in [
        (Some("verify-full"), " events  read-only · own · fleet.db · TLS verify-full"),
        (Some("require: server not verified"), " events  read-only · TLS require: server not verified · own"),
        (None, " events  read-only · own · fleet.db   "),
    ] {
        let mut c = console(120);
        c.hold = true;
        c.keys("r");
        let request = c.pending.iter().find(|r| r.query == Query::Describe).unwrap().clone();
        let Ok(Answer::Described(described)) = c.memory.evaluate(&request.query) else { panic!() };
        let described = Description { tls: tls.map(str::to_owned), ..described };
        c.send(Msg::Reply(Reply { ticket: request.ticket, outcome: Ok(Answer::Described(described)) }));
        assert!(header(&c).starts_with(expected), "{}", header(&c));
    }
}

#[test]
fn rows_that_cannot_be_shown_are_counted_on_the_screen() {
    let mut c = console(120);
    c.hold = true;
    for (unreadable, expected) in
        [(3, Some("3 rows cannot be shown; 'renewscope doctor' lists")), (3, None), (4, Some("4 rows"))]
    {
        c.keys("r");
        let request = c.pending.iter().rfind(|r| r.query == Query::Describe).unwrap().clone();
        let Ok(Answer::Described(described)) = c.memory.evaluate(&request.query) else { panic!() };
        let described = Description { unreadable, ..described };
        c.send(Msg::Reply(Reply { ticket: request.ticket, outcome: Ok(Answer::Described(described)) }));
        match expected {
            Some(words) => assert!(c.screen().contains(words), "{}", c.screen()),
            None => assert!(!c.screen().contains("cannot be shown")),
        }
    }
}

#[test]
fn a_query_that_died_with_its_connection_is_retried_once() {
    let mut c = console(120);
    tell(&mut c, TailNews::Batch(Batch::default()));
    c.hold = true;
    c.keys("r");
    let why = || SourceError::Unreachable { address: "h".into(), why: "the session was ended".to_owned().into() };
    let fail = |c: &mut Console| {
        for request in std::mem::take(&mut c.pending) {
            c.send(Msg::Reply(Reply { ticket: request.ticket, outcome: Err(why()) }));
        }
    };
    fail(&mut c);
    assert!(c.screen().contains("query failed"), "{}", c.screen());
    c.wait(Span::seconds(6));
    assert!(c.pending.iter().any(|r| matches!(r.query, Query::Page { .. })), "queried again");
    fail(&mut c);
    c.wait(Span::seconds(60));
    assert!(c.pending.is_empty(), "somebody may have ended it on purpose");
}

#[test]
fn a_tail_of_a_relative_range_does_not_end_with_the_range() {
    let mut c = console(120);
    c.keys("2");
    let not_ahead = |check: &Check| matches!(check, Check::NotAhead(_));
    let tail = c.effects.iter().rev().find_map(|effect| match effect {
        Effect::Tail(order) => Some(&order.criteria),
        _ => None,
    });
    assert!(tail.unwrap().all.iter().all(|clause| !not_ahead(&clause.check)));
    assert!(c.model.criteria().all.iter().any(|clause| not_ahead(&clause.check)));
}

#[test]
fn rows_of_the_previous_filter_never_appear_under_the_new_one() {
    let mut c = console(120);
    c.keys("g");
    c.hold = true;
    c.keys("r");
    // A page of everything is in flight when a success arrives; then failures only are requested.
    tell(&mut c, TailNews::Batch(batch(vec![event(9301, "renewal_success", "acme", "edge-1", Span::seconds(0))])));
    c.pending.clear();
    c.keys("!");
    c.hold = false;
    c.answer_all();
    assert_eq!(c.model.ctx.filter.to_string(), "type:failed");
    let kinds: Vec<_> = c.events().list.rows().iter().map(|r| r.kind.raw().to_owned()).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|k| k.ends_with("failed")), "{kinds:?}");
}

#[test]
fn a_row_that_two_tail_orders_deliver_while_a_page_is_in_flight_is_shown_once() {
    let mut c = console(120);
    c.keys("g");
    c.hold = true;
    c.keys("r");
    let row = event(9302, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    tell(&mut c, TailNews::Batch(batch(vec![row.clone()])));
    tell(&mut c, TailNews::Batch(batch(vec![row.clone(), row.clone()])));
    c.hold = false;
    c.answer_all();
    assert_eq!(c.events().list.rows().iter().filter(|r| r.id == row.id).count(), 1);
}

#[test]
fn rows_that_a_wider_filter_brings_back_are_neither_new_nor_late_nor_a_rate() {
    let mut c = console(120);
    tell(&mut c, TailNews::Batch(Batch::default()));
    c.keys("j j ! !");
    // The tail of the wider filter begins with what was committed a moment before: all of it was there.
    let known: Vec<_> = c.memory.matching(&Default::default()).into_iter().take(300).collect();
    let generation = c.model.tail.generation;
    let news = TailNews::Batch(Batch { rows: known, late: 250, ..Batch::default() });
    c.send(Msg::Tail(TailEvent { generation, news }));
    assert_eq!((c.model.tail.late, c.model.tail.rate()), (0, 0.0));
    assert_eq!(c.events().list.arrived(), 0);
    assert!(!c.events().list.has_marks());
    assert!(!c.screen().contains('↓'), "{}", c.screen());
    // What is committed behind the high-water mark while the order starts is new.
    c.keys("! !");
    let mut row = event(9401, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    row.created_at = now().plus(Span::seconds(1));
    c.wait(Span::seconds(2));
    let generation = c.model.tail.generation;
    c.send(Msg::Tail(TailEvent { generation, news: TailNews::Batch(batch(vec![row])) }));
    assert_eq!(c.events().list.mark(&id(9401)), Some(Mark::New));
}

#[test]
fn rows_on_screen_are_not_held_by_a_paused_console() {
    let mut c = console(120);
    tell(&mut c, TailNews::Batch(Batch::default()));
    c.keys("Space ! !");
    let known: Vec<_> = c.memory.matching(&Default::default()).into_iter().take(5).collect();
    let generation = c.model.tail.generation;
    c.send(Msg::Tail(TailEvent { generation, news: TailNews::Batch(Batch { rows: known, ..Batch::default() }) }));
    assert!(header(&c).contains("paused, 0 held"), "{}", header(&c));
    tell(&mut c, TailNews::Batch(batch(vec![event(9402, "renewal_failed", "acme", "edge-1", Span::seconds(0))])));
    assert!(header(&c).contains("paused, 1 held"), "{}", header(&c));
}

#[test]
fn a_relative_range_slides_for_the_whole_screen_together() {
    let mut c = console(120);
    c.keys("2");
    let total = |c: &Console| c.events().count.value().copied();
    let sum = |c: &Console| c.events().bars.total();
    let before = c.events().list.rows().len();
    let oldest = c.events().list.rows().back().unwrap().created_at;
    for _ in 0..60 {
        c.wait(Span::seconds(60));
    }
    let edge = c.model.ctx.as_of.minus(Span::hours(1));
    let rows = c.events().list.rows();
    assert!(rows.len() < before && rows.iter().all(|r| r.created_at >= edge), "{} of {before}", rows.len());
    assert!(rows.iter().all(|r| r.created_at > oldest));
    let (rows, matching) = (rows.len() as u64, c.memory.matching(&c.model.criteria()).len() as u64);
    assert_eq!((rows, total(&c), sum(&c)), (matching, Some(Total::Exact(matching)), Some(matching)));
    let sent = c.sent.len();
    c.wait(Span::seconds(1));
    assert_eq!(c.sent.len(), sent, "not at every tick");
}

#[test]
fn an_event_that_is_overdue_is_in_the_header_and_not_a_green_live() {
    let mut c = console(120);
    tell(&mut c, TailNews::Batch(Batch { window: Window::Every, ..Batch::default() }));
    assert!(header(&c).contains("● live"), "{}", header(&c));
    c.wait(Span::hours(6));
    assert!(header(&c).contains("● newest event 6h"), "{}", header(&c));
    let late = event(9403, "renewal_failed", "acme", "edge-1", Span::seconds(-6 * 3600));
    tell(&mut c, TailNews::Batch(Batch { window: Window::Every, ..batch(vec![late]) }));
    assert!(header(&c).contains("● live"), "{}", header(&c));
}

#[test]
fn one_row_of_a_wrong_clock_does_not_stretch_the_histogram_and_is_counted_apart() {
    let mut rows: Vec<_> = fleet();
    let bulk = rows.len() as u64;
    let mut wild = event(9404, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    wild.created_at = renewscope::domain::instant::Instant::parse_rfc3339("1970-01-01T00:00:00Z").unwrap();
    rows.push(wild);
    let mut ahead = event(9405, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    ahead.created_at = renewscope::domain::instant::Instant::parse_rfc3339("2038-01-19T03:14:07Z").unwrap();
    rows.push(ahead);
    let c = Console::new(Memory::new(rows), (120, 40));
    let (_, width) = c.events().bars.scale().unwrap();
    assert!(width <= Span::hours(2), "{width:?}");
    assert_eq!((c.events().bars.total(), c.events().outside_bars()), (Some(bulk), Some(2)));
    assert!(c.screen().contains("2 outside"), "{}", c.screen());
}

#[test]
fn the_histogram_counts_a_slice_again_that_rows_disturbed() {
    let mut c = console(120);
    tell(&mut c, TailNews::Batch(Batch::default()));
    c.hold = true;
    c.keys("r");
    // The queries are answered from before the row, and their replies come after it.
    let held: Vec<_> = c.pending.drain(..).collect();
    let replies: Vec<_> =
        held.into_iter().map(|r| Reply { ticket: r.ticket, outcome: c.memory.evaluate(&r.query) }).collect();
    let row = event(9406, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    c.memory.add(vec![row.clone()]);
    tell(&mut c, TailNews::Batch(batch(vec![row])));
    c.hold = false;
    for reply in replies {
        c.send(Msg::Reply(reply));
    }
    assert_eq!(c.events().count.value(), Some(&Total::Exact(901)));
    assert_eq!(c.events().bars.total(), Some(901));
}

#[test]
fn a_cancelled_filter_change_shows_the_old_rows_as_old_and_never_says_no_event() {
    let mut c = console(120);
    c.hold = true;
    c.keys("! C-c");
    c.pending.clear();
    assert!(c.events().list.is_stale(), "rows of the previous filter are marked");
    c.send(Msg::Tick(now().plus(Span::seconds(30))));
    assert!(c.screen().contains("cancelled (r runs the query again)"), "{}", c.screen());
    c.hold = false;
    c.keys("j j");
    assert!(
        c.sent.iter().all(|r| !matches!(&r.query, Query::Page { anchor: Anchor::Older(_), .. })),
        "no page is mixed in"
    );
    c.keys("r");
    assert!(!c.events().list.is_stale());
    assert!(c.events().list.rows().iter().all(|r| r.kind.raw().ends_with("failed")));
    // Without a row of the previous filter: nothing is claimed of the new one.
    c.keys("/ 'device:nobody-has-this' Enter");
    assert!(c.screen().contains("No event matches this filter."), "{}", c.screen());
    c.hold = true;
    c.keys("X C-c");
    assert!(c.screen().contains("Cancelled.") && !c.screen().contains("No event"), "{}", c.screen());
}
