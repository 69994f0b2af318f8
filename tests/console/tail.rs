//! What the screen makes of the live tail: its states, its marks, its account, its alert.

use std::sync::Arc;

use renewscope::console::msg::Msg;
use renewscope::domain::event::{Id, RenewalEvent};
use renewscope::domain::filter::criteria::Check;
use renewscope::domain::instant::Span;
use renewscope::domain::page::Total;
use renewscope::protocol::query::Description;
use renewscope::protocol::tail::{Batch, TailEvent, TailNews, Window};
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
    let asked = c.sent.iter().skip(before).any(|r| matches!(r.query, Query::Page { .. }));
    assert!(asked, "what may have changed meanwhile is asked again");
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
    // The page was read before this was committed, and is answered after it was told.
    let held: Vec<_> = c.pending.drain(..).collect();
    let answers: Vec<_> =
        held.into_iter().map(|r| Reply { ticket: r.ticket, outcome: c.memory.ask(&r.query) }).collect();
    tell(&mut c, TailNews::Batch(batch(vec![late.clone()])));
    c.hold = false;
    for reply in answers {
        c.send(Msg::Reply(reply));
    }
    let found = c.events().list.rows().iter().filter(|r| r.id == late.id).count();
    assert_eq!(found, 1);
}

#[test]
fn an_alert_rings_once_for_many() {
    let mut c = console(120);
    let failed = |n| event(n, "renewal_failed", "acme", "edge-1", Span::seconds(0));
    let rings = |c: &mut Console| -> Vec<String> {
        let told = c.effects.drain(..).filter_map(|e| match e {
            Effect::Alert(Means::Bell, words) => Some(words.to_string()),
            _ => None,
        });
        told.collect()
    };
    rings(&mut c);
    // What was there when the console began does not ring.
    tell(&mut c, TailNews::Batch(batch(vec![failed(9100)])));
    assert_eq!(rings(&mut c), Vec::<String>::new());
    tell(&mut c, TailNews::Batch(batch(vec![event(9101, "renewal_failed", "globex", "edge-2", Span::seconds(0))])));
    assert_eq!(rings(&mut c), Vec::<String>::new(), "another organisation");
    tell(&mut c, TailNews::Batch(batch(vec![failed(9102)])));
    assert_eq!(rings(&mut c), ["edge-1: renewal_failed"]);
    tell(&mut c, TailNews::Batch(batch((0..5).map(|n| failed(9200 + n)).collect())));
    assert_eq!(rings(&mut c), Vec::<String>::new(), "a moment ago");
    c.send(Msg::Tick(now().plus(Span::seconds(11))));
    assert_eq!(rings(&mut c), ["edge-1: renewal_failed, and 4 more"]);
}

#[test]
fn a_quiet_screen_does_not_age_between_the_minutes() {
    let rows = (0..50).map(|n| event(n, "renewal_start", "acme", "edge-1", Span::days(2))).collect();
    let mut c = Console::new(Memory::new(rows), (120, 40));
    c.keys("g");
    tell(&mut c, TailNews::Batch(Batch { window: Window::Every, ..Batch::default() }));
    let start = now().plus(Span(60_000_000 - now().pg_micros().rem_euclid(60_000_000)));
    c.send(Msg::Tick(start));
    let before = c.screen();
    for second in 1..60 {
        c.send(Msg::Tick(start.plus(Span::seconds(second))));
        assert!(!c.model.has_aged(), "second {second}");
        assert_eq!(c.screen(), before);
    }
    c.send(Msg::Tick(start.plus(Span::seconds(60))));
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
        (Some("verify-full"), " renewscope  read-only · own · fleet.db · TLS verify-full"),
        (Some("require: server not verified"), " renewscope  read-only · TLS require: server not verified · own"),
        (None, " renewscope  read-only · own · fleet.db   "),
    ] {
        let mut c = console(120);
        c.hold = true;
        c.keys("r");
        let request = c.pending.iter().find(|r| r.query == Query::Describe).unwrap().clone();
        let Ok(Answer::Described(described)) = c.memory.ask(&request.query) else { panic!() };
        let described = Description { tls: tls.map(str::to_owned), ..described };
        c.send(Msg::Reply(Reply { ticket: request.ticket, outcome: Ok(Answer::Described(described)) }));
        assert!(header(&c).starts_with(expected), "{}", header(&c));
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
    assert!(c.pending.iter().any(|r| matches!(r.query, Query::Page { .. })), "asked again");
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
