//! The views of the investigations: what they show, what they say of numbers that are not complete, and the ways between
//! them.

use std::sync::Arc;

use renewscope::console::Layer;
use renewscope::console::msg::Msg;
use renewscope::domain::event::{ErrorText, Id, RenewalEvent};
use renewscope::domain::instant::Span;
use renewscope::protocol::SourceError;
use renewscope::protocol::survey::{FleetNews, FleetView, Reach, SurveyNews, SurveyOrder, Surveyed};
use renewscope::protocol::tail::Batch;
use renewscope::ui::effect::Effect;
use renewscope::ui::skin::Skin;
use renewscope::views::ViewId;

use super::common::console::Console;
use super::common::fleet::{event, fleet, now};
use super::common::memory::Memory;

const SIZE: (u16, u16) = (120, 40);
/// The keys from the event list to each view, with a word that its screen has.
const VIEWS: [(&str, &str, &str); 5] = [
    ("devices", "v", "LAST ERROR"),
    ("devices_at_risk", "v !", "LAST ERROR"),
    ("errors", "v v", "STILL"),
    ("attempts", "v v v", "TOOK"),
    ("device", "d", "attempts, paired"),
];

fn snap(name: &str, c: &Console) {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, c.screen());
    });
}

fn console() -> Console {
    Console::new(Memory::new(fleet()), SIZE)
}

/// The view with the name at `place` of [`VIEWS`].
fn at(keys: &str, size: (u16, u16)) -> Console {
    let mut c = Console::new(Memory::new(fleet()), size);
    c.keys(keys);
    c
}

fn survey(c: &mut Console, outcome: Result<Surveyed, SourceError>) {
    let generation = c.model.ctx.known.survey.generation;
    c.send(Msg::Survey(SurveyNews { generation, outcome: outcome.map(Arc::new) }));
}

fn sweep(c: &mut Console, outcome: Result<FleetView, SourceError>) {
    let generation = c.model.ctx.known.fleet.generation;
    c.send(Msg::Fleet(FleetNews { generation, outcome: outcome.map(Arc::new) }));
}

fn surveyed(c: &Console) -> Surveyed {
    c.model.ctx.known.survey.value().unwrap().clone()
}

fn swept(c: &Console) -> FleetView {
    c.model.ctx.known.fleet.value().unwrap().clone()
}

/// Both background tasks have read a part.
fn incomplete(c: &mut Console) {
    c.idle = true;
    let (mut found, mut view) = (surveyed(c), swept(c));
    found.reach = Reach { part: Some(0.62), whole: false, cut: None };
    view.whole = false;
    survey(c, Ok(found));
    sweep(c, Ok(view));
}

fn line(c: &Console, at: usize) -> String {
    c.screen().lines().nth(at).unwrap().to_owned()
}

/// The line of the headline.
fn headline(c: &Console) -> String {
    line(c, usize::from(c.model.geometry.headline.y))
}

/// The view below the shell's lines.
fn body(c: &Console) -> String {
    let area = c.model.ctx.body;
    c.screen().lines().skip(usize::from(area.y)).take(usize::from(area.height)).map(|l| l.to_owned() + "\n").collect()
}

#[test]
fn each_view_at_three_sizes() {
    for (name, keys, word) in VIEWS {
        for (size, words) in [((80, 24), "80x24"), ((120, 40), "120x40"), ((200, 50), "200x50")] {
            let c = at(keys, size);
            assert!(c.screen().contains(word), "{name}: {}", c.screen());
            snap(&format!("{name}_{words}"), &c);
        }
    }
}

#[test]
fn each_view_in_ascii_without_colour() {
    for (name, keys, _) in VIEWS {
        let mut c = Console::with(Memory::new(fleet()), (80, 24), "", Skin::new(false, true, false));
        c.keys(keys);
        assert!(c.screen().is_ascii(), "{}", c.screen());
        snap(&format!("{name}_80x24_ascii"), &c);
    }
}

#[test]
fn numbers_that_are_not_complete_say_so_on_every_view() {
    for (name, keys, _) in VIEWS {
        for size in [(80, 24), SIZE] {
            let mut c = at(keys, size);
            let exact = headline(&c);
            assert!(!exact.contains("so far") && !exact.contains('≥'), "{exact}");
            incomplete(&mut c);
            let (head, screen) = (headline(&c), c.screen());
            assert!(head.contains('≥') && head.contains("62 % so far"), "{name}: {screen}");
            if name != "device" {
                assert!(body(&c).contains("so far"), "{name}: {screen}");
            }
        }
    }
    let mut c = console();
    incomplete(&mut c);
    let devices = headline(&c).matches("so far").count();
    assert!(devices >= 2, "the survey's part and the fleet's: {}", headline(&c));
}

#[test]
fn nothing_found_in_a_part_is_not_nothing() {
    let quiet = || Memory::new(vec![event(1, "renewal_success", "acme", "edge-1", Span::hours(1))]);
    for (keys, none) in [("v v", "no failure in this range"), ("v v v !", "no attempt failed or stalled in this range")]
    {
        let mut c = Console::new(quiet(), SIZE);
        c.keys(keys);
        assert!(c.screen().contains(none), "{}", c.screen());
        assert!(headline(&c).contains("no device failing") && !headline(&c).contains("so far"));
        incomplete(&mut c);
        assert!(!c.screen().contains(none) && body(&c).contains("so far"), "{}", c.screen());
        assert!(headline(&c).contains("no device failing so far"), "{}", headline(&c));
    }
    let mut c = Console::new(quiet(), SIZE);
    c.keys("v !");
    assert!(c.screen().contains("no device fails, is silent or has expired"), "{}", c.screen());
    incomplete(&mut c);
    assert!(c.screen().contains("none so far") && !c.screen().contains("no device fails"), "{}", c.screen());
}

#[test]
fn a_survey_that_is_cut_says_for_what_it_is_exact() {
    for keys in ["", "v v", "v v v"] {
        let mut c = at(keys, SIZE);
        let mut found = surveyed(&c);
        found.reach.cut = Some(now().minus(Span::minutes(21 * 60 + 40)));
        survey(&mut c, Ok(found));
        let shown = if keys.is_empty() { headline(&c) } else { body(&c) };
        assert!(shown.contains("exact for the newest 21h 40m"), "{}", c.screen());
        assert!(headline(&c).contains('≥'), "{}", headline(&c));
    }
}

#[test]
fn a_refused_source_says_why_and_never_none() {
    let refused = || SourceError::Unfit("this source records no starts of renewals".into());
    for keys in ["v", "v v", "v v v"] {
        let mut c = Console::new(Memory::new(fleet()), SIZE);
        c.idle = true;
        c.keys("/ 'org:acme' Enter");
        c.keys(keys);
        survey(&mut c, Err(refused()));
        sweep(&mut c, Err(refused()));
        let screen = body(&c);
        assert!(screen.contains("this source records no starts of renewals"), "{}", c.screen());
        for word in ["none", "no device fails", "no failure", "no attempt", "0 "] {
            assert!(!screen.contains(word), "{word}: {screen}");
        }
        assert!(headline(&c).contains("no survey of the range"), "{}", headline(&c));
    }
}

#[test]
fn one_refusal_does_not_hide_the_other_part_of_the_headline() {
    let refused = || SourceError::Unfit("no".into());
    let mut c = console();
    let (found, view) = (surveyed(&c), swept(&c));
    let failing = format!("{} devices failing", found.report.devices_failing);
    let expire = "1 expires".to_owned();
    assert!(found.report.devices_failing > 1 && view.summary.expiring_in_a_day == 1);
    assert!(headline(&c).contains(&failing) && headline(&c).contains(&expire), "{}", headline(&c));
    c.idle = true;
    c.keys("/ 'org:*' Enter");
    survey(&mut c, Ok(found));
    sweep(&mut c, Err(refused()));
    assert!(headline(&c).contains(&failing) && !headline(&c).contains("expire"), "{}", headline(&c));
    c.keys("/ BS BS BS BS BS BS 'device:*' Enter");
    survey(&mut c, Err(refused()));
    sweep(&mut c, Ok(view));
    assert!(headline(&c).contains(&expire) && !headline(&c).contains("failing"), "{}", headline(&c));
}

#[test]
fn the_same_range_keeps_its_report_and_another_filter_keeps_no_number() {
    for keys in ["v", "v v", "v v v"] {
        let mut c = at(keys, SIZE);
        c.idle = true;
        let whole = c.screen();
        c.keys("r");
        let mut part = surveyed(&c);
        part.report.failures = 1;
        part.reach = Reach { part: Some(0.1), whole: false, cut: None };
        survey(&mut c, Ok(part));
        let numbers = |s: &str| s.lines().skip(3).take(4).collect::<Vec<_>>().join("\n");
        assert_eq!(numbers(&c.screen()), numbers(&whole), "the report of the same range stays");
        c.keys("/ 'org:acme' Enter");
        let screen = c.screen();
        assert!(body(&c).contains("reading the "), "{screen}");
        assert!(!body(&c).chars().any(|sign| sign.is_ascii_digit()), "{screen}");
        assert!(headline(&c).contains("reading the range and the devices"), "{screen}");
    }
}

/// The order that was sent last, of either task.
fn generations(c: &Console) -> (u64, u64) {
    (c.model.ctx.known.survey.generation, c.model.ctx.known.fleet.generation)
}

#[test]
fn a_filter_of_one_view_is_the_filter_of_all_and_old_news_are_dropped() {
    let mut c = at("v v", SIZE);
    let (found, view, before) = (surveyed(&c), swept(&c), generations(&c));
    c.idle = true;
    c.keys("/ 'org:acme' Enter");
    let after = generations(&c);
    assert!(after.0 > before.0 && after.1 > before.1 && c.ordered == Some(after.0));
    c.send(Msg::Survey(SurveyNews { generation: before.0, outcome: Ok(Arc::new(found)) }));
    c.send(Msg::Fleet(FleetNews { generation: before.1, outcome: Ok(Arc::new(view)) }));
    assert!(c.model.ctx.known.survey.value().is_none() && c.model.ctx.known.fleet.value().is_none());
    for _ in 0..4 {
        c.keys("v");
        assert_eq!(c.model.ctx.filter.to_string(), "org:acme");
        assert_eq!(c.model.ctx.known.survey.generation, after.0, "the same filter is surveyed once");
    }
    // The survey goes on under the same order while views change.
    assert_eq!(c.ordered, Some(after.0));
}

#[test]
fn one_key_walks_through_the_views() {
    let mut c = console();
    let mut seen = Vec::new();
    for _ in 0..4 {
        c.keys("v");
        seen.push(c.model.views.top());
    }
    assert_eq!(seen, [ViewId::Devices, ViewId::Errors, ViewId::Attempts, ViewId::Events]);
    assert!(c.model.trail().is_empty());
    for steps in ["v", "v v", "v v v"] {
        for back in ["Esc", "q"] {
            let mut c = console();
            c.keys(steps).keys(back);
            assert_eq!(c.model.views.top(), ViewId::Events, "{steps} {back}");
            assert!(c.model.trail().is_empty() && !c.effects.contains(&Effect::Quit));
            c.keys("q");
            assert!(c.effects.contains(&Effect::Quit), "{steps} {back}: q at the root quits");
        }
    }
}

#[test]
fn the_way_back_follows_earlier_and_later() {
    let mut c = console();
    c.keys("v [");
    assert_eq!((c.model.views.top(), c.model.trail().len()), (ViewId::Events, 0));
    c.keys("]");
    assert_eq!((c.model.views.top(), c.model.trail().len()), (ViewId::Devices, 1));
    c.keys("Enter");
    assert_eq!((c.model.views.top(), c.model.trail().len()), (ViewId::Device, 2));
    c.keys("[ [");
    assert_eq!((c.model.views.top(), c.model.trail().len()), (ViewId::Events, 0));
    c.keys("q");
    assert!(c.effects.contains(&Effect::Quit), "the root was reached by going back");
    let mut c = console();
    c.keys("v Enter Esc [");
    assert_eq!((c.model.views.top(), c.model.trail().len()), (ViewId::Device, 2));
    c.keys("Esc Esc");
    assert_eq!((c.model.views.top(), c.model.trail().len()), (ViewId::Events, 0));
}

#[test]
fn earlier_and_later_walk_through_views_and_filters() {
    let mut c = console();
    c.keys("v / 'org:acme' Enter v");
    let place = |c: &Console| (c.model.views.top(), c.model.ctx.filter.to_string());
    let places = [
        (ViewId::Events, String::new()),
        (ViewId::Devices, String::new()),
        (ViewId::Devices, "org:acme".to_owned()),
        (ViewId::Errors, "org:acme".to_owned()),
    ];
    assert_eq!(place(&c), places[3]);
    for at in [2, 1, 0, 0] {
        c.keys("[");
        assert_eq!(place(&c), places[at]);
    }
    assert_eq!(c.model.notice(), Some("no earlier view or filter"));
    for at in [1, 2, 3, 3] {
        c.keys("]");
        assert_eq!(place(&c), places[at]);
    }
    assert_eq!(c.model.notice(), Some("no later view or filter"));
}

/// The signature under the cursor of the errors, as its detail has it.
fn signature(c: &Console) -> String {
    let screen = c.screen();
    let at = screen.find("sig ").unwrap_or_else(|| panic!("{screen}"));
    screen[at + 4..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn the_events_of_an_error_and_back() {
    let mut c = console();
    c.keys("/ 'org:acme' Enter v v j");
    let sig = signature(&c);
    c.keys("Enter");
    assert_eq!(c.model.views.top(), ViewId::Events);
    assert_eq!(c.model.ctx.filter.to_string(), format!("org:acme sig:{sig}"));
    let rows = c.events().list.rows();
    assert!(!rows.is_empty() && rows.iter().all(|r| r.error.as_ref().unwrap().sig().unwrap().to_string() == sig));
    c.keys("Esc");
    assert_eq!((c.model.views.top(), c.model.ctx.filter.to_string()), (ViewId::Errors, "org:acme".to_owned()));
    assert_eq!(signature(&c), sig);
    c.keys("Esc");
    assert_eq!(c.model.views.top(), ViewId::Events);
}

#[test]
fn errors_and_devices_change_the_filter() {
    let mut c = at("v v j", SIZE);
    let sig = signature(&c);
    c.keys("+");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{sig}"));
    assert_eq!((c.model.views.top(), surveyed(&c).report.errors.len()), (ViewId::Errors, 1));
    c.keys("+");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{sig}"), "a term is not added twice");
    c.keys("Enter");
    assert_eq!(c.model.ctx.filter.to_string(), format!("sig:{sig}"));
    c.keys("Esc [ [ -");
    let mut c = at("v v j", SIZE);
    let all = surveyed(&c).report.errors.len();
    c.keys("-");
    assert_eq!(c.model.ctx.filter.to_string(), format!("-sig:{sig}"));
    assert_eq!(surveyed(&c).report.errors.len(), all - 1);
    let mut c = at("v j", SIZE);
    let name = swept(&c).lines[1].member.name.clone().unwrap();
    c.keys("+");
    assert_eq!(c.model.ctx.filter.to_string(), format!("device:{}", name.raw()));
    assert_eq!(swept(&c).total, 1);
    let mut c = at("v j -", SIZE);
    assert_eq!(c.model.ctx.filter.to_string(), format!("-device:{}", name.raw()));
    assert_eq!(swept(&c).total, 119);
    c.keys("X");
    assert_eq!(c.model.views.top(), ViewId::Devices);
}

#[test]
fn the_page_of_a_device_opens_from_every_list() {
    let name = |c: &Console| c.model.views.subject().unwrap().name.clone().unwrap().raw().to_owned();
    let mut c = console();
    let own = c.events().list.selected().unwrap().device.clone().unwrap();
    c.keys("d");
    assert_eq!((c.model.views.top(), name(&c).as_str()), (ViewId::Device, own.raw()));
    assert!(line(&c, usize::from(c.model.ctx.body.y)).contains(own.raw()));
    c.keys("Enter");
    assert_eq!(
        (c.model.views.top(), c.model.ctx.filter.to_string()),
        (ViewId::Events, format!("device:{}", own.raw()))
    );
    c.keys("Esc Esc");
    assert_eq!((c.model.views.top(), c.model.ctx.filter.to_string()), (ViewId::Events, String::new()));
    let mut c = at("v j j", SIZE);
    let own = swept(&c).lines[2].member.name.clone().unwrap();
    c.keys("Enter");
    assert_eq!((c.model.views.top(), name(&c).as_str()), (ViewId::Device, own.raw()));
    let mut c = at("v v v j", SIZE);
    let own = surveyed(&c).attempts[1].attempt.device.clone();
    c.keys("d");
    assert_eq!((c.model.views.top(), &c.model.views.subject().unwrap().id), (ViewId::Device, &own));
    assert!(c.screen().contains("events › attempts › device"), "{}", c.screen());
    c.keys("q");
    assert_eq!(c.model.views.top(), ViewId::Attempts);
}

#[test]
fn the_palette_goes_to_each_view() {
    for (word, view) in [("devices", ViewId::Devices), ("errors", ViewId::Errors), ("attempts", ViewId::Attempts)] {
        let mut c = console();
        c.keys(&format!(": '{word}'"));
        assert!(matches!(c.model.layer, Some(Layer::Palette(_))));
        c.keys("Enter");
        assert_eq!(c.model.views.top(), view);
        assert_eq!(c.model.trail().len(), 1);
    }
}

/// The line under the cursor.
fn cursor(c: &Console) -> String {
    let screen = body(c);
    screen.lines().find(|l| l.starts_with('▌')).unwrap_or_else(|| panic!("{screen}")).to_owned()
}

#[test]
fn the_cursor_stays_on_its_row_while_others_come() {
    let mut c = at("v j j j", SIZE);
    let mut view = swept(&c);
    let id = view.lines[3].member.id().clone();
    let before = cursor(&c);
    view.lines.reverse();
    sweep(&mut c, Ok(view));
    assert_eq!(cursor(&c), before, "{id:?}");
    let mut c = at("v v j", SIZE);
    let (sig, mut found) = (signature(&c), surveyed(&c));
    found.report.errors.reverse();
    survey(&mut c, Ok(found));
    assert_eq!(signature(&c), sig);
    let mut c = at("v v v j j", SIZE);
    let (mut found, before) = (surveyed(&c), cursor(&c));
    let mut more = found.attempts.clone();
    more[0].attempt.start.as_mut().unwrap().id = Id::Int(7);
    found.attempts.insert(0, more[0].clone());
    survey(&mut c, Ok(found));
    assert_eq!(cursor(&c), before);
    c.keys("k k k d");
    assert_eq!(c.model.views.top(), ViewId::Device);
}

#[test]
fn devices_at_risk_do_not_change_the_headline() {
    let mut c = at("v", SIZE);
    let (all, before) = (swept(&c), headline(&c));
    c.keys("!");
    let risk = swept(&c);
    assert!(risk.total > 0 && risk.total < all.total);
    assert_eq!(risk.summary, all.summary);
    assert_eq!(headline(&c), before);
    c.keys("!");
    assert_eq!(swept(&c).total, all.total);
}

#[test]
fn the_time_left_in_the_event_list_is_that_of_the_device() {
    let mut old = event(1, "renewal_failed", "acme", "edge-1", Span::minutes(9));
    (old.old_expiry, old.error) = (Some(now().plus(Span::hours(5))), Some(ErrorText::whole("refused")));
    let mut new = event(2, "renewal_success", "acme", "edge-1", Span::minutes(2));
    (new.old_expiry, new.new_expiry) = (old.old_expiry, Some(now().plus(Span::days(90))));
    let mut c = Console::new(Memory::new(vec![old.clone(), new]), SIZE);
    let rows = |c: &Console| {
        let screen = body(c);
        screen.lines().filter(|l| l.contains("edge-1")).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let failed = rows(&c).into_iter().find(|row| row.contains("renewal failed")).unwrap();
    assert!(failed.contains("90d") && !failed.contains("5h"), "{failed}");
    // Alone it has what it states itself.
    c = Console::new(Memory::new(vec![old]), SIZE);
    let failed = rows(&c).into_iter().find(|row| row.contains("renewal failed")).unwrap();
    assert!(failed.contains("5h"), "{failed}");
}

/// A style's foreground in the row of the event list that has the words.
fn style_of(c: &Console, row: &str, word: &str) -> ratatui::style::Color {
    let size = c.model.geometry.screen;
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(size.width, size.height)).unwrap();
    terminal.draw(|frame| renewscope::console::draw::view(&c.model, &c.skin, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let symbols = |y: u16| (0..size.width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<Vec<_>>();
    let y = (c.model.ctx.body.y..size.height).find(|y| symbols(*y).concat().contains(row)).unwrap();
    let cells = symbols(y);
    let wanted: Vec<String> = word.chars().map(String::from).collect();
    let x = cells.windows(wanted.len()).position(|w| w == wanted).unwrap_or_else(|| panic!("{}", cells.concat()));
    buffer[(x as u16, y)].fg
}

#[test]
fn a_row_that_a_later_success_superseded_warns_no_more() {
    let mut old = event(1, "renewal_failed", "acme", "edge-1", Span::minutes(9));
    (old.old_expiry, old.error) = (Some(now().plus(Span::hours(5))), Some(ErrorText::whole("refused")));
    let mut new = event(2, "renewal_success", "acme", "edge-1", Span::minutes(2));
    (new.old_expiry, new.new_expiry) = (old.old_expiry, Some(now().plus(Span::days(90))));
    let alone = Console::with(Memory::new(vec![old.clone()]), SIZE, "", Skin::new(true, false, false));
    let both = Console::with(Memory::new(vec![old, new]), SIZE, "", Skin::new(true, false, false));
    let (bad, good) = (style_of(&alone, "renewal failed", "5h"), style_of(&both, "renewal failed", "90d"));
    assert_eq!(Some(good), both.skin.text().fg.or(Some(ratatui::style::Color::Reset)));
    assert_ne!(bad, good);
}

#[test]
fn the_survey_reads_no_more_than_a_million_rows_before_somebody_asks() {
    let mut c = console();
    c.idle = true;
    let effects = c.model.update(Msg::Key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char('!'))));
    let orders: Vec<&SurveyOrder> =
        effects.iter().filter_map(|e| if let Effect::Survey(order) = e { Some(order) } else { None }).collect();
    let [order] = orders.as_slice() else { panic!("{effects:?}") };
    assert_eq!((order.most, order.from, order.until), (1_000_000, Some(now().minus(Span::days(1))), None));
}

#[test]
fn an_idle_page_of_a_device_ages_by_its_expiry() {
    let page = |expiry: Span| {
        let mut row: RenewalEvent = event(1, "renewal_success", "acme", "edge-1", Span::days(30));
        row.new_expiry = Some(now().plus(expiry));
        let mut c = Console::new(Memory::new(vec![row]), SIZE);
        c.poll(Default::default());
        c.keys("d");
        c.wait(Span::seconds(5));
        c.wait(Span::seconds(1));
        c.model.has_aged()
    };
    assert!(page(Span::minutes(5)), "what ends soon counts seconds");
    assert!(!page(Span::days(60)));
}

#[test]
fn an_end_in_another_year_has_its_year() {
    let mut row = event(1, "renewal_success", "acme", "edge-1", Span::days(30));
    row.new_expiry = Some(now().plus(Span::days(365)));
    let mut c = Console::new(Memory::new(vec![row]), SIZE);
    c.keys("d");
    let bar = body(&c).lines().find(|l| l.starts_with(" 10-22")).unwrap().to_owned();
    assert!(bar.ends_with("2027-11"), "{bar}");
}

#[test]
fn the_mark_of_a_long_range_is_not_cut() {
    let mut c = Console::with(
        Memory::new(fleet()),
        (80, 24),
        "time:2026-11-20T02:00..2026-11-21T12:00",
        Skin::new(true, false, false),
    );
    c.keys("v v");
    assert!(body(&c).contains(" to ") && body(&c).contains("exact"), "{}", c.screen());
    let mut found = surveyed(&c);
    (found.report.failures, found.report.devices_failed_ever) = (123_456, 98_765);
    found.reach = Reach { part: Some(0.62), whole: false, cut: None };
    survey(&mut c, Ok(found));
    let head = line(&c, usize::from(c.model.ctx.body.y));
    assert!(head.contains("62 % so far"), "{head}");
    assert!(head.contains("123,456 failures") && !head.contains("98"), "what does not fit is left out: {head}");
}

#[test]
fn what_of_the_filter_does_not_apply_to_devices_is_said() {
    for (filter, said) in [("org:acme state:failing left:<9d since:2d", false), ("org:acme type:failed", true)] {
        let mut c = Console::with(Memory::new(fleet()), SIZE, filter, Skin::new(true, false, false));
        c.keys("v");
        assert_eq!(body(&c).contains("only org:, device:, state: and left: apply here"), said, "{}", c.screen());
    }
}

#[test]
fn one_filter_for_all_views_is_carried_back_to_the_root() {
    let mut c = Console::new(Memory::new(fleet()), (120, 40));
    c.keys("v v 2 3 Esc");
    assert_eq!((c.model.views.top(), c.model.ctx.filter.to_string()), (ViewId::Events, "since:24h".to_owned()));
    // What a line of a view opens leads back to what was before.
    c.keys("v v Enter");
    assert!(c.model.ctx.filter.to_string().contains("sig:"), "{}", c.model.ctx.filter);
    c.keys("Esc Esc");
    assert_eq!((c.model.views.top(), c.model.ctx.filter.to_string()), (ViewId::Events, "since:24h".to_owned()));
}

#[test]
fn the_copied_command_is_that_of_the_view() {
    let mut c = Console::new(Memory::new(fleet()), (120, 40));
    let copied = |c: &mut Console| {
        c.effects.clear();
        c.keys("Y");
        let copy = c.effects.iter().find_map(|effect| match effect {
            Effect::Copy(words) => Some(words.to_string()),
            _ => None,
        });
        copy.unwrap()
    };
    assert_eq!(copied(&mut c), "renewscope list --db sqlite:fleet.db --tz UTC");
    c.keys("3 v");
    assert_eq!(copied(&mut c), "renewscope devices --db sqlite:fleet.db --tz UTC");
    c.keys("0 v");
    let range = "'time:2026-11-20T14:02:31Z..2026-11-21T14:02:31Z'";
    assert_eq!(copied(&mut c), format!("renewscope errors --db sqlite:fleet.db --tz UTC -- {range}"));
    c.keys("v");
    assert!(copied(&mut c).starts_with("renewscope attempts "));
}

#[test]
fn a_rate_counts_only_new_rows_under_every_view() {
    let mut c = Console::new(Memory::new(fleet()), (120, 40));
    c.keys("v");
    let batch = |rows: Vec<RenewalEvent>| Batch { rows: rows.into_iter().map(Arc::new).collect(), ..Batch::default() };
    // The first poll of an order sets the mark. What is dated before it was in the table already.
    c.poll(Batch::default());
    c.poll(batch((0..50).map(|n| event(9000 + n, "renewal_start", "acme", "edge-1", Span::hours(1))).collect()));
    assert!(!c.screen().lines().next().unwrap().contains("/s"), "{}", c.screen());
    let mut row = event(9100, "renewal_start", "acme", "edge-1", Span::seconds(0));
    c.wait(Span::seconds(5));
    row.created_at = c.model.ctx.now;
    c.poll(batch(vec![row]));
    assert!(c.screen().lines().next().unwrap().contains("live 0.1/s"), "{}", c.screen());
}

#[test]
fn numbers_of_an_earlier_time_say_so() {
    let mut c = console();
    assert!(!headline(&c).contains("as of"), "{}", headline(&c));
    c.idle = true;
    c.wait(Span::minutes(2));
    assert!(headline(&c).contains("as of 14:02:31"), "{}", headline(&c));
    assert!(headline(&c).contains("devices as of 14:02:31"), "{}", headline(&c));
    let (mut found, mut view) = (surveyed(&c), swept(&c));
    (found.as_of, view.as_of) = (c.model.ctx.now, c.model.ctx.now);
    survey(&mut c, Ok(found));
    sweep(&mut c, Ok(view));
    assert!(!headline(&c).contains("as of"), "{}", headline(&c));
}

#[test]
fn a_headline_in_seconds_ages_by_the_second() {
    let mut row = event(1, "renewal_success", "acme", "edge-1", Span::days(29));
    (row.old_expiry, row.new_expiry) = (None, Some(now().plus(Span::minutes(9))));
    let mut c = Console::new(Memory::new(vec![row]), SIZE);
    assert!(headline(&c).contains("first edge-1 in 9m"), "{}", headline(&c));
    let before = headline(&c);
    c.wait(Span::seconds(1));
    assert!(c.model.has_aged() && headline(&c) != before, "{}", headline(&c));
}
