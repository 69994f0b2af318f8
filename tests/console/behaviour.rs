use std::sync::Arc;

use proptest::prelude::*;
use renewscope::console::Layer;
use renewscope::console::msg::Msg;
use renewscope::domain::event::{ErrorText, Id, RenewalEvent};
use renewscope::domain::instant::Span;
use renewscope::domain::page::{Anchor, Total};
use renewscope::domain::signature::Signature;
use renewscope::domain::text::Text;
use renewscope::protocol::query::Field;
use renewscope::protocol::tail::{Batch, TailEvent, TailNews};
use renewscope::protocol::{Query, Reply, Slot, SourceError};
use renewscope::ui::effect::Effect;
use renewscope::views::events::Focus;
use renewscope::views::events::panes::PaneId;

use super::common::console::Console;
use super::common::fleet::{HOSTILE, event, fleet};
use super::common::memory::Memory;

const SIZE: (u16, u16) = (120, 40);

fn console() -> Console {
    Console::new(Memory::new(fleet()), SIZE)
}

/// 2,600 rows, 500 of them at one instant.
fn many() -> Memory {
    let ago = |i: u128| if i < 500 { Span::hours(1) } else { Span::seconds((i as i64 * 37) % 9000) };
    Memory::new((0..2600).map(|i| event(i, "renewal_start", "acme", &format!("edge-{}", i % 50), ago(i))).collect())
}

/// Ids under the cursor while `key` is pressed until nothing moves any more.
fn walk(c: &mut Console, key: &str) -> Vec<Id> {
    let mut ids = vec![c.selected_id().unwrap()];
    loop {
        c.keys(key);
        let id = c.selected_id().unwrap();
        if ids.last() == Some(&id) {
            return ids;
        }
        ids.push(id);
    }
}

#[test]
fn a_walk_down_and_up_again_is_the_full_sort() {
    let memory = many();
    let mut sorted: Vec<Id> = memory.matching(&Default::default()).iter().map(|r| r.id.clone()).collect();
    let mut c = Console::new(memory, SIZE);
    assert_eq!(walk(&mut c, "j"), sorted);
    assert!(c.events().list.rows().len() <= 1000, "the window is bounded");
    assert_eq!(c.events().list.position(), Some(2600));
    sorted.reverse();
    assert_eq!(walk(&mut c, "k"), sorted);
    assert_eq!(c.events().list.position(), Some(1));
}

#[test]
fn both_ends_are_one_key_away_and_no_query_skips_rows() {
    let memory = many();
    let all = memory.matching(&Default::default());
    let mut c = Console::new(memory, SIZE);
    c.keys("G");
    assert_eq!(c.selected_id(), Some(all.last().unwrap().id.clone()));
    assert_eq!(c.sent.last().map(|r| matches!(&r.query, Query::Page { anchor: Anchor::Oldest, .. })), Some(true));
    c.keys("k k k");
    assert_eq!(c.selected_id(), Some(all[all.len() - 4].id.clone()));
    c.keys("g");
    assert_eq!(c.selected_id(), Some(all[0].id.clone()));
    assert!(c.events().list.is_following());
}

fn arrive(c: &mut Console, rows: Vec<renewscope::domain::event::RenewalEvent>) {
    c.memory.add(rows.clone());
    let rows = rows.into_iter().map(Arc::new).collect();
    c.poll(Batch { rows, ..Batch::default() });
}

#[test]
fn following_shows_what_arrives_and_scrolling_away_holds_the_screen_still() {
    let mut c = console();
    arrive(&mut c, vec![event(5001, "renewal_failed", "acme", "new-1", Span::seconds(1))]);
    assert_eq!(c.selected_id(), Some(Id::Uuid(uuid::Uuid::from_u128(5001))));
    c.keys("j j j");
    let (id, screen) = (c.selected_id(), c.screen());
    let list = |s: &str| s.lines().skip(9).take(18).map(|l| l.chars().skip(30).collect::<String>()).collect::<Vec<_>>();
    arrive(&mut c, (0..7).map(|i| event(6000 + i, "renewal_start", "acme", "new-2", Span::seconds(0))).collect());
    assert_eq!(c.selected_id(), id);
    assert_eq!(list(&c.screen()), list(&screen), "no row moved");
    assert!(c.screen().contains("↑ 7 new"), "{}", c.screen());
    c.keys("f");
    assert!(c.screen().contains("live"), "{}", c.screen());
    assert_eq!(c.selected_id(), Some(Id::Uuid(uuid::Uuid::from_u128(6006))));
}

#[test]
fn a_paused_console_counts_and_resumes_with_everything() {
    let mut c = console();
    c.keys("Space");
    let before = c.screen();
    arrive(&mut c, vec![event(7001, "renewal_failed", "acme", "new-1", Span::seconds(1))]);
    assert!(c.screen().contains("paused, 1 held"));
    assert_eq!(before.lines().nth(9), c.screen().lines().nth(9));
    c.keys("Space");
    assert_eq!(c.selected_id(), Some(Id::Uuid(uuid::Uuid::from_u128(7001))));
}

#[test]
fn rows_delivered_twice_are_shown_once() {
    let mut c = console();
    let n = c.events().list.rows().len();
    let known: Vec<_> = c.events().list.rows().iter().take(5).cloned().collect();
    let generation = c.model.tail.generation;
    c.send(Msg::Tail(TailEvent { generation, news: TailNews::Batch(Batch { rows: known, ..Batch::default() }) }));
    assert_eq!(c.events().list.rows().len(), n);
    let late = event(8001, "renewal_failed", "acme", "late", Span::seconds(30));
    arrive(&mut c, vec![late]);
    let times: Vec<_> = c.events().list.rows().iter().map(|r| r.cursor()).collect();
    assert!(times.is_sorted_by(|a, b| a > b), "a late row stands in its place");
    c.send(Msg::Tail(TailEvent {
        generation: generation - 1,
        news: TailNews::Batch(Batch { late: 9, ..Batch::default() }),
    }));
    assert_eq!(c.model.tail.late, 0, "news of an older order are dropped");
}

#[test]
fn a_reply_to_an_older_query_is_dropped() {
    let mut c = console();
    c.hold = true;
    c.keys("/ 'type:failed' Enter");
    let old: Vec<_> = std::mem::take(&mut c.pending);
    c.keys("X");
    for request in old {
        let outcome = c.memory.evaluate(&request.query);
        c.send(Msg::Reply(Reply { ticket: request.ticket, outcome }));
    }
    assert!(c.events().list.is_stale(), "still waiting for the newer answer");
    c.answer_all();
    assert!(c.screen().contains("900 events"));
}

#[test]
fn a_filter_is_checked_while_typed_and_applied_only_when_right() {
    let mut c = console();
    c.keys("/ 'typ:failed'");
    assert!(c.screen().contains("did you mean 'type'"), "{}", c.screen());
    let sent = c.sent.len();
    c.keys("Enter");
    assert!(matches!(c.model.layer, Some(Layer::Filter(_))));
    assert_eq!(c.sent.len(), sent, "an invalid filter is never applied");
    c.keys("Esc");
    assert!(c.screen().contains("900 events"));
    c.keys("/ 'type:failed' Enter");
    assert!(c.screen().contains("96 events"), "{}", c.screen());
    c.keys("/ 'x' Esc /  Up");
    assert_eq!(c.typed(), "type:failed", "the history holds what was applied");
    c.keys("Esc x");
    assert!(c.model.ctx.filter.is_empty());
}

#[test]
fn panes_and_text_are_one_filter() {
    let mut c = console();
    // The organizations' pane; its most frequent value.
    c.keys("Tab Tab Tab Enter");
    assert_eq!(c.model.ctx.filter.to_string(), "org:acme");
    c.keys("j Enter");
    assert_eq!(c.model.ctx.filter.to_string(), "org:acme,globex");
    assert!(c.screen().contains("▪ acme"), "{}", c.screen());
    c.keys("Enter -");
    assert_eq!(c.model.ctx.filter.to_string(), "org:acme -org:globex");
    c.keys("o");
    assert_eq!(c.model.ctx.filter.to_string(), "org:globex");
    c.keys("Esc ! 2");
    assert_eq!(c.model.ctx.filter.to_string(), "org:globex type:failed since:1h");
    c.keys("0 X");
    assert!(c.model.ctx.filter.is_empty());
}

#[test]
fn signatures_are_picked_by_their_texts_and_filtered_by_their_ids() {
    let message = |n: u128| format!("serial {} refused {n}", "7".repeat(ErrorText::HEAD));
    let failed = |n: u128, error: &str| {
        let error = Some(ErrorText::whole(error));
        RenewalEvent { error, ..event(n, "renewal_failed", "acme", "edge-1", Span::seconds(n as i64)) }
    };
    let mut rows: Vec<_> = (1..4).map(|n| failed(n, &message(n))).collect();
    rows.extend((4..6).map(|n| failed(n, "x509: expired")));
    rows.extend((6..20).map(|n| event(n, "renewal_success", "acme", "edge-1", Span::seconds(n as i64))));
    let mut c = Console::new(Memory::new(rows), SIZE);
    let listed = |c: &Console| -> Vec<(Option<String>, Total)> {
        let pane = c.events().panes.by_field(Field::Error).unwrap();
        let values = pane.facets.value().unwrap().values.iter();
        values.map(|v| (v.name.as_ref().map(|n| n.raw().to_owned()), v.rows)).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let (long, short) = (text("serial <*> refused <*>"), text("x509: expired"));
    let none = (None, Total::Exact(14));
    assert_eq!(listed(&c), [(long.clone(), Total::Exact(3)), (short.clone(), Total::Exact(2)), none.clone()]);
    // A live row carries the beginning of its message, and the signature of the whole.
    let whole = ErrorText::whole(message(7).as_str());
    let cut = ErrorText { text: Text::from("serial"), bytes: whole.bytes, cut_sig: whole.sig() };
    let live = RenewalEvent { error: Some(cut), ..failed(900, "") };
    c.poll(Batch { rows: vec![Arc::new(live)], ..Batch::default() });
    assert_eq!(listed(&c), [(long, Total::Exact(4)), (short, Total::Exact(2)), none]);
    let id = Signature::of(&message(1)).id;
    let expired = Signature::of("x509: expired").id;
    c.keys("Tab Tab Tab Tab Tab Enter");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{id}"));
    assert!(c.screen().contains("▪ serial <*> refused <*>"), "{}", c.screen());
    c.keys("j +");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{id},{expired}"));
    c.keys("-");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{id} -sig:{expired}"));
    c.keys("o");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{expired}"));
    c.keys("j -");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{expired} sig:*"));
    c.keys("X Esc / 'sig:seri' Tab");
    assert_eq!(c.typed(), format!("sig:{id}"));
}

#[test]
fn every_pane_is_named_on_the_smallest_screen() {
    let mut c = Console::new(many(), (60, 12));
    for pane in PaneId::ALL {
        c.keys("Tab");
        assert!(PaneId::ALL.iter().all(|p| c.screen().contains(p.title())), "{}", c.screen());
        let height = c.events().panes.get(pane).unwrap().view.height;
        assert!(height > 0, "{pane:?} has the focus\n{}", c.screen());
    }
}

#[test]
fn a_pane_is_glanced_at_before_it_is_counted() {
    let ceilings = |c: &Console| -> Vec<u64> {
        let kinds = c.sent.iter().filter_map(|r| match &r.query {
            Query::Facets(query) if query.field == Field::Kind => Some(query.ceiling),
            _ => None,
        });
        kinds.collect()
    };
    let c = Console::new(many(), SIZE);
    assert_eq!(ceilings(&c), [2000, 100_000], "2,600 rows are more than a glance sees");
    let pane = c.events().panes.get(PaneId::Kind).unwrap();
    assert_eq!(pane.current().map(|facet| facet.rows), Some(Total::Exact(2600)));
    assert_eq!(ceilings(&console()), [2000], "of few rows a glance has seen all");
}

#[test]
fn a_pane_is_narrowed_by_the_database() {
    let mut c = console();
    c.keys("S-Tab S-Tab / '0119'");
    let Some(Query::Facets(query)) = c.sent.last().map(|r| r.query.clone()) else { panic!("no query") };
    assert_eq!(query.needle, "0119");
    c.keys("Enter");
    assert_eq!(c.model.ctx.filter.to_string(), "device:edge-0119");
    assert_eq!(c.events().focus, Focus::Pane(PaneId::Device));
}

#[test]
fn the_next_failure_is_found_beyond_what_is_loaded() {
    let mut rows: Vec<_> =
        (0..3000).map(|i| event(i, "renewal_success", "acme", "edge-1", Span::seconds(i as i64))).collect();
    rows.push(event(9001, "renewal_failed", "acme", "edge-1", Span::seconds(2500)));
    let mut c = Console::new(Memory::new(rows), SIZE);
    c.keys("e");
    assert_eq!(c.selected_id(), Some(Id::Uuid(uuid::Uuid::from_u128(9001))));
    c.keys("e");
    assert_eq!(c.model.notice(), Some("no older failure under this filter"));
    c.keys("g E");
    assert_eq!(c.model.notice(), Some("no newer failure under this filter"));
}

#[test]
fn trouble_is_reported_and_never_taken_for_emptiness() {
    let memory = Memory::new(fleet());
    memory
        .break_with(Some(SourceError::Unreachable { address: "db.example".into(), why: "connection refused".into() }));
    let mut c = Console::new(memory, SIZE);
    let screen = c.screen();
    assert!(screen.contains("the query failed") && screen.contains("cannot reach db.example"), "{screen}");
    assert!(!screen.contains("No event") && !screen.contains("0 events"), "{screen}");
    c.memory.break_with(None);
    c.keys("r");
    assert!(c.screen().contains("900 events"));
    // With an answer on screen, trouble leaves it there.
    c.memory.break_with(Some(SourceError::Timeout("30 s".into())));
    c.keys("!");
    assert!(c.screen().contains("edge-0007") && c.screen().contains("stopped the query"), "{}", c.screen());
}

#[test]
fn one_key_cancels_what_runs_and_the_next_quits() {
    let mut c = console();
    c.hold = true;
    c.keys("! C-c");
    assert!(c.effects.contains(&Effect::Cancel(Slot::List)));
    assert!(!c.effects.contains(&Effect::Quit));
    c.pending.clear();
    c.keys("C-c");
    assert!(c.effects.contains(&Effect::Quit));
}

#[test]
fn escape_closes_layer_by_layer_and_q_quits_at_the_root() {
    let mut c = console();
    c.keys("Enter ?");
    assert!(matches!(c.model.layer, Some(Layer::Help(0))));
    assert_eq!(c.events().focus, Focus::Detail);
    c.keys("Esc q");
    assert!(c.model.layer.is_none());
    assert_eq!(c.events().focus, Focus::List);
    assert!(!c.effects.contains(&Effect::Quit));
    c.keys("q");
    assert!(c.effects.contains(&Effect::Quit));
}

#[test]
fn a_long_error_is_fetched_whole_when_the_cursor_rests_on_it() {
    let whole = "line\n".repeat(200_000);
    let mut long = event(1, "renewal_failed", "acme", "edge-1", Span::seconds(1));
    long.error = Some(ErrorText::whole(whole.as_str()));
    let memory = Memory::new(vec![long.clone()]);
    let mut c = Console::new(memory, SIZE);
    c.hold = true;
    long.id = Id::Uuid(uuid::Uuid::from_u128(2));
    long.created_at = long.created_at.plus(Span::seconds(1));
    long.error = Some(ErrorText { text: Text::from("line\nline"), bytes: whole.len() as u64, cut_sig: None });
    arrive(&mut c, vec![long]);
    assert!(matches!(c.pending.last().map(|r| &r.query), Some(Query::Event { .. })), "{:?}", c.pending);
    assert!(c.screen().contains("reading the rest"), "{}", c.screen());
}

#[test]
fn hostile_text_reaches_no_cell_and_moves_no_column() {
    for text in HOSTILE {
        let mut row = event(1, "renewal_failed", "acme", "edge-1", Span::seconds(1));
        row.error = Some(ErrorText::whole(text));
        row.reason = Some(Text::from(text));
        row.device = Some(Text::from(text));
        row.org = Some(Text::from(text));
        row.kind = renewscope::domain::event::Kind::new(text);
        let calm = event(2, "renewal_failed", "acme", "edge-1", Span::seconds(2));
        for size in [(80, 24), (120, 40), (200, 50)] {
            let mut c = Console::new(Memory::new(vec![row.clone(), calm.clone()]), size);
            for keys in ["j k", "Enter", "Esc Tab Tab Tab", "?"] {
                c.keys(keys);
                let screen = c.screen();
                for ch in screen.chars().filter(|c| *c != '\n') {
                    // The joiner and variation selectors of emoji are among the unsafe: none may be painted.
                    assert!(!renewscope::domain::text::is_unsafe(ch), "{ch:?} painted for {text:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_keys_and_no_size_break_it(
        keys in proptest::collection::vec(0_usize..34, 1..60),
        sizes in proptest::collection::vec((1_u16..220, 1_u16..70), 1..4),
    ) {
        const KEYS: [&str; 34] = [
            "j", "k", "g", "G", "PgDn", "PgUp", "C-d", "C-u", "Tab", "S-Tab", "Enter", "Esc", "/", "'a'", "':'", "'\"'",
            "BS", "e", "E", "!", "+", "-", "o", "x", "X", "f", "Space", "1", "6", "0", "T", "r", "?", "c",
        ];
        let mut c = console();
        for (i, key) in keys.iter().enumerate() {
            if let Some((width, height)) = sizes.get(i % 7) {
                c.send(Msg::Resize { width: *width, height: *height });
            }
            c.keys(KEYS[*key]);
            c.wait(Span::seconds(1));
            prop_assert!(!c.screen().is_empty());
        }
    }
}

#[test]
fn tab_completes_keys_names_and_devices_that_only_the_database_knows() {
    let mut c = console();
    c.keys("/ 'or' Tab 'glo' Tab");
    assert_eq!(c.typed(), "org:globex");
    c.keys("Space 'device:0118' Tab");
    assert_eq!(c.typed(), "org:globex device:edge-0118");
    c.keys("Esc / 'type:' Tab Tab");
    let second = c.typed().to_owned();
    c.keys("S-Tab Tab");
    assert_eq!(c.typed(), second);
}

#[test]
fn a_reply_to_an_earlier_filter_editor_is_dropped() {
    let mut c = console();
    c.hold = true;
    c.keys("/ 'device:ed'");
    let old = c.pending.pop().unwrap();
    assert_eq!(old.ticket.slot, Slot::Names);
    c.keys("Esc / 'device:ed'");
    let new = c.pending.last().unwrap().ticket;
    assert!(new.slot == Slot::Names && new != old.ticket, "each look-up has its own ticket: {new:?}");
    let outcome = c.memory.evaluate(&old.query);
    let before = c.screen();
    c.send(Msg::Reply(Reply { ticket: old.ticket, outcome }));
    assert_eq!(c.screen(), before);
}

#[test]
fn times_and_commands_are_typed_in_a_line() {
    let mut c = console();
    c.keys("t '15x' Enter");
    assert!(matches!(c.model.layer, Some(Layer::Time(_))), "an invalid time stays open: {}", c.screen());
    c.keys("Esc t '2h..1h' Enter");
    assert_eq!(c.model.ctx.filter.to_string(), "time:2h..1h");
    c.keys("0 t '@2026-11-20' Enter");
    assert!(
        c.events().list.selected().unwrap().created_at
            < renewscope::domain::instant::Instant::parse_rfc3339("2026-11-20T00:00:00Z").unwrap()
    );
    c.keys(": 'fail' Enter");
    assert!(c.model.ctx.filter.failures_only());
    c.keys("[ [");
    assert_eq!(c.model.ctx.filter.to_string(), "time:2h..1h");
    c.keys("] ]");
    assert!(c.model.ctx.filter.failures_only());
}

#[test]
fn the_copied_command_says_the_same_tomorrow() {
    let mut c = console();
    c.keys("2 ! Y");
    let Some(Effect::Copy(text)) = c.effects.last() else { panic!("nothing copied") };
    assert_eq!(
        text.as_str(),
        "renewscope list --db sqlite:fleet.db --tz UTC -- 'since:2026-11-21T13:02:31Z type:failed until:2026-11-21T14:07:31Z'"
    );
}

#[test]
fn the_histogram_narrows_and_zooms() {
    let mut c = console();
    c.keys("i h h Enter");
    let filter = c.model.ctx.filter.to_string();
    assert!(filter.starts_with("time:2026-11-21T13:00:00Z..2026-11-21T13:30:00Z"), "{filter}");
    let total = c.events().count.value().copied();
    assert_eq!(total, Some(renewscope::domain::page::Total::Exact(c.events().list.rows().len() as u64)));
    c.keys("Z");
    assert!(c.model.ctx.filter.to_string().starts_with("time:2026-11-21T12:"), "{}", c.model.ctx.filter);
    c.keys("[ [");
    assert!(c.model.ctx.filter.is_empty());
}

#[test]
fn the_histogram_counts_what_the_list_holds_newest_slice_first() {
    let c = console();
    let sum: u64 = c.events().bars.counts().iter().flatten().flatten().sum();
    assert_eq!(sum, 900);
    let froms: Vec<_> = c
        .sent
        .iter()
        .filter_map(|r| match &r.query {
            Query::Histogram(q) => Some(q.from),
            _ => None,
        })
        .collect();
    assert!(froms.len() > 2 && froms.is_sorted_by(|a, b| a > b), "{froms:?}");
}

#[test]
fn columns_are_chosen_and_matches_marked() {
    let mut c = console();
    c.keys("/ 'error:AUTHORITY' Enter C j j j Enter Esc");
    let screen = c.screen();
    assert!(
        screen.contains("DEVICE          LEFT     ERROR") && screen.contains("x509: certificate signed by …"),
        "{screen}"
    );
    let needles = c.events().needles();
    assert_eq!(needles.first("by an Authority of"), Some((6, 9)));
    c.keys("Enter n");
    assert_eq!(c.model.notice(), None);
}

#[test]
fn a_slow_search_shows_how_far_it_has_searched_and_can_be_stopped() {
    let mut rows: Vec<_> =
        (0..3000).map(|i| event(i, "renewal_success", "acme", "edge-1", Span::seconds(i as i64))).collect();
    let mut rare = event(9001, "renewal_failed", "acme", "edge-7", Span::seconds(2500));
    rare.error = Some(ErrorText::whole("a rare word"));
    rows.push(rare);
    let memory = Memory::new(rows);
    memory.be_slow(100);
    let mut c = Console::new(memory, SIZE);
    c.hold = true;
    c.keys("/ 'rare' Enter");
    for _ in 0..8 {
        let request = c.pending.remove(0);
        let outcome = c.memory.evaluate(&request.query);
        c.send(Msg::Reply(Reply { ticket: request.ticket, outcome }));
    }
    let screen = c.screen();
    assert!(screen.contains("searched back to 2026-11-21 1") && screen.contains("Ctrl-C stops"), "{screen}");
    assert!(!screen.contains("No event matches"), "not before all of it has been looked at");
    c.keys("C-c");
    c.pending.clear();
    assert!(c.screen().contains("Stopped"), "{}", c.screen());
    c.hold = false;
    c.keys("j");
    assert_eq!(c.selected_id(), Some(Id::Uuid(uuid::Uuid::from_u128(9001))));
    assert!(c.events().list.is_settled());
    // The next failure is looked for in the same way.
    c.keys("X g e");
    assert_eq!(c.selected_id(), Some(Id::Uuid(uuid::Uuid::from_u128(9001))));
}

#[test]
fn the_list_can_stand_on_its_head() {
    let mut c = console();
    c.keys("S");
    let screen = c.screen();
    let times: Vec<&str> =
        screen.lines().filter_map(|l| l.split("│ 11-21 ").nth(1)).filter_map(|l| l.get(..8)).collect();
    assert!(times.len() > 10 && times.is_sorted(), "{times:?}");
    let newest = c.selected_id();
    c.keys("k");
    assert_ne!(c.selected_id(), newest);
    c.keys("j");
    assert_eq!(c.selected_id(), newest);
    c.keys("g");
    let oldest = c.memory.matching(&Default::default()).last().map(|r| r.id.clone());
    assert_eq!(c.selected_id(), oldest, "the oldest is at the top");
    c.keys("G");
    assert_eq!(c.selected_id(), newest);
    assert!(c.events().list.is_following());
}

#[test]
fn a_paste_of_megabytes_and_ten_thousand_typed_characters_are_cut_and_keys_are_answered() {
    let mut c = console();
    c.keys("/");
    c.send(Msg::Paste("é\n".repeat(2_500_000)));
    assert_eq!(c.typed().chars().count(), 4096);
    assert!(c.model.notice().is_some_and(|words| words.contains("4,096")), "{:?}", c.model.notice());
    for _ in 0..100 {
        c.keys("'x'");
    }
    assert_eq!(c.typed().chars().count(), 4096);
    c.keys("BS BS");
    assert_eq!(c.typed().chars().count(), 4094);
    c.keys("Esc");
    assert!(c.model.layer.is_none() && c.model.ctx.filter.is_empty());
}

#[test]
fn one_key_cancels_the_details_query_too() {
    let mut long = event(1, "renewal_failed", "acme", "edge-1", Span::seconds(1));
    long.error = Some(ErrorText { text: Text::from("line"), bytes: 1_000_000, cut_sig: None });
    let mut c =
        Console::new(Memory::new(vec![long.clone(), event(2, "renewal_failed", "acme", "e", Span::hours(1))]), SIZE);
    c.hold = true;
    c.keys("j k C-c");
    assert!(c.effects.contains(&Effect::Cancel(Slot::Detail)));
    assert!(!c.effects.contains(&Effect::Quit));
}

#[test]
fn the_small_detail_begins_at_its_first_line() {
    let mut c = Console::new(Memory::new(fleet()), (120, 40));
    c.keys("Enter G Esc");
    assert_eq!(c.events().detail.scroll, 0);
}

#[test]
fn the_commands_of_an_empty_screen_name_the_database_in_use() {
    let screen = Console::new(Memory::default(), (80, 24)).screen();
    assert!(screen.contains("renewscope --db sqlite:fleet.db ingest FILE"), "{screen}");
    assert!(screen.contains("renewscope --db sqlite:fleet.db record --device NAME"), "{screen}");
}

#[test]
fn a_view_that_waits_for_long_says_so() {
    let mut c = Console::new(Memory::new(fleet()), (120, 40));
    c.hold = true;
    c.keys("r");
    c.wait(Span::seconds(1));
    assert!(!c.screen().contains("reading for"), "{}", c.screen());
    c.wait(Span::seconds(2));
    assert!(
        c.screen().contains("reading for 2s: a long query, a busy database, or all its connections in use"),
        "{}",
        c.screen()
    );
    c.hold = false;
    c.answer_all();
    c.wait(Span::seconds(1));
    assert!(!c.screen().contains("reading for"), "{}", c.screen());
}
