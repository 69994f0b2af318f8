//! What the screen shows, as text, at a fixed clock.

use std::sync::Arc;

use renewscope::domain::event::{ErrorText, Id, Outcome};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::source::{Beyond, Part, Traits};
use renewscope::domain::text::Text;
use renewscope::ui::skin::Skin;

use super::common::console::Console;
use super::common::fleet::{event, fleet};
use super::common::memory::Memory;

fn snap(name: &str, c: &Console) {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, c.screen());
    });
}

#[test]
fn the_list_at_three_sizes() {
    for (name, size) in [("list_80x24", (80, 24)), ("list_120x40", (120, 40)), ("list_200x50", (200, 50))] {
        let mut c = Console::new(Memory::new(fleet()), size);
        c.keys("j j");
        snap(name, &c);
    }
}

#[test]
fn without_colour_and_in_ascii() {
    let c = Console::with(Memory::new(fleet()), (80, 24), "", Skin::new(false, true, false));
    let screen = c.screen();
    assert!(screen.is_ascii(), "{screen}");
    snap("list_80x24_ascii", &c);
}

#[test]
fn the_detail_of_a_failure_and_of_a_success_that_did_not_extend() {
    let mut c = Console::new(Memory::new(fleet()), (80, 24));
    c.keys("Enter");
    snap("detail_80x24", &c);
    let mut row = event(1, "renewal_success", "acme", "edge-0173", Span::minutes(3));
    row.old_expiry = Instant::parse_rfc3339("2026-11-23T18:10:00Z");
    row.new_expiry = Instant::parse_rfc3339("2026-11-20T18:10:00Z");
    row.error = Some(ErrorText::whole(
        "first line\nsecond line of many words that must be wrapped at the end of the region, as a person would read it",
    ));
    let mut c = Console::new(Memory::new(vec![row]), (80, 24));
    c.keys("Enter");
    snap("detail_not_extended", &c);
}

#[test]
fn expiries_that_are_no_dates() {
    let mut rows = Vec::new();
    for (i, (old, new)) in [
        (Some(Instant::NEG_INFINITY), Some(Instant::INFINITY)),
        (Instant::parse_rfc3339("-0043-03-15T12:00:00Z"), Instant::parse_rfc3339("+294276-12-31T23:59:59.999999Z")),
        (None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut row = event(i as u128, "renewal_success", "acme", "edge-1", Span::seconds(i as i64));
        (row.old_expiry, row.new_expiry) = (old, new);
        rows.push(row);
    }
    let mut c = Console::new(Memory::new(rows), (200, 50));
    c.keys("j");
    snap("expiry_extremes", &c);
}

#[test]
fn panes_over_the_list_on_a_small_screen() {
    let mut c = Console::new(Memory::new(fleet()), (80, 24));
    c.keys("Tab Tab Tab j");
    snap("panes_80x24", &c);
}

#[test]
fn the_pane_of_errors_has_room_for_its_sentences() {
    for (name, size) in [("panes_of_errors_80x24", (80, 24)), ("panes_of_errors_120x40", (120, 40))] {
        let mut c = Console::new(Memory::new(fleet()), size);
        c.keys("Tab Tab Tab Tab Tab j Enter");
        snap(name, &c);
    }
}

#[test]
fn empty_states() {
    let c = Console::new(Memory::default(), (80, 24));
    snap("empty_80x24", &c);
    let c = Console::with(Memory::new(fleet()), (80, 24), "org:nobody", Skin::new(true, false, false));
    snap("no_match_80x24", &c);
    let c = Console::new(Memory::new(fleet()), (40, 10));
    snap("too_small", &c);
}

/// A table without certificates: outcomes by its own types, severities, further columns, and much that is missing.
fn scanner() -> Memory {
    let traits = Arc::new(Traits {
        lacks: vec![Part::Org, Part::Reason, Part::OldExpiry, Part::NewExpiry],
        derived: vec![Part::Error],
        outcomes: [("scan_completed".into(), Outcome::Succeeded), ("scan_started".into(), Outcome::Started)].into(),
        has_more: true,
        ..Traits::default()
    });
    let rows = [
        ("scan_failed", "10.0.0.7", "error", "Scan aborted: host timeout after 30 s"),
        ("host_discovered", "", "info", ""),
        ("scan_completed", "10.0.0.7", "info", ""),
        ("vulnerability_created", "10.0.0.9", "critical", "CVE-2026-1111: remote code execution"),
        ("scan_started", "10.0.0.7", "info", ""),
    ];
    let rows = rows.into_iter().zip(1_u64..).map(|((kind, device, severity, error), n)| {
        let mut row = event(n.into(), kind, "", device, Span::minutes(n as i64 * 7));
        row.id = Id::Int(4200 - n as i64);
        row.device_id = Id::Text(device.into());
        (row.org_id, row.device, row.org) = (None, None, None);
        row.error = (!error.is_empty()).then(|| ErrorText::whole(error));
        let metadata = "{\"scanner\": \"nmap\", \"note\": \"\u{1b}[31mred\u{202e}\", \"ports\": [22, 80, 443, 8443], \"ratio\": 0.25}";
        let more = vec![(Arc::from("service"), Text::from("sirius-scanner")), (Arc::from("metadata"), metadata.into())];
        row.beyond = Some(Arc::new(Beyond {
            traits: Arc::clone(&traits),
            severity: Some(severity.into()),
            more: Some(more),
            ..Beyond::default()
        }));
        row
    });
    let memory = Memory::new(rows.collect());
    memory.be("sirius", &traits);
    memory
}

#[test]
fn a_source_that_lacks_much() {
    for (name, size, keys) in [("source_80x24", (80, 24), "j"), ("source_120x40", (120, 40), "j j j")] {
        let mut c = Console::new(scanner(), size);
        c.keys(keys);
        snap(name, &c);
    }
    let mut c = Console::new(scanner(), (80, 24));
    c.keys("Enter");
    snap("source_detail_80x24", &c);
    let mut c = Console::new(scanner(), (80, 24));
    c.keys("Tab Tab");
    snap("source_panes_80x24", &c);
}

#[test]
fn an_inferred_reason_is_shown_as_inferred() {
    let mut row = event(1, "renewal_success", "acme", "edge-1", Span::minutes(3));
    row.reason = Some("proactive".into());
    row.old_expiry = Instant::parse_rfc3339("2026-12-20T00:00:00Z");
    row.new_expiry = Instant::parse_rfc3339("2027-12-20T00:00:00Z");
    row.beyond = Some(Arc::new(Beyond {
        traits: Arc::new(Traits { derived: vec![Part::OldExpiry], ..Traits::default() }),
        reason_inferred: true,
        ..Beyond::default()
    }));
    let c = Console::new(Memory::new(vec![row]), (160, 40));
    let screen = c.screen();
    for words in ["(proactive)", "inferred from the start before it", "2026-12-20 00:00:00 UTC (derived)"] {
        assert!(screen.contains(words), "{screen}");
    }
}

#[test]
fn help_and_filter_error() {
    let mut c = Console::new(Memory::new(fleet()), (80, 24));
    c.keys("?");
    snap("help_80x24", &c);
    c.keys("Esc / 'typ:failed'");
    snap("filter_error_80x24", &c);
}
