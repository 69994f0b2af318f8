//! A small fleet with a fixed clock.

use renewscope::domain::event::{ErrorText, Id, Kind, RenewalEvent, device_id_of, org_id_of};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::text::Text;
use uuid::Uuid;

/// 2026-11-21 14:02:31 UTC.
pub fn now() -> Instant {
    Instant::parse_rfc3339("2026-11-21T14:02:31Z").unwrap()
}

/// One event of `device` in `org`, `ago` before now.
pub fn event(n: u128, kind: &str, org: &str, device: &str, ago: Span) -> RenewalEvent {
    let org_id = org_id_of(org);
    RenewalEvent {
        id: Id::Uuid(Uuid::from_u128(n)),
        device_id: Id::Uuid(device_id_of(org_id, device)),
        org_id: Some(Id::Uuid(org_id)),
        kind: Kind::new(kind),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: None,
        created_at: now().minus(ago),
        device: Some(Text::from(device)),
        org: Some(Text::from(org)),
        beyond: None,
    }
}

const ERRORS: [&str; 3] = [
    "CSR denied by approver: device scheduled for decommission",
    "x509: certificate signed by unknown authority",
    "Post \"https://ca.example.com/sign\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
];

/// 900 events over two days: every device starts and then succeeds or fails.
pub fn fleet() -> Vec<RenewalEvent> {
    let orgs = ["acme", "acme", "acme", "globex", "initech", "lab"];
    let mut rows = Vec::new();
    for i in 0..450_u128 {
        let org = orgs[(i % 6) as usize];
        let device = format!("edge-{:04}", (i * 7) % 120);
        let ago = Span::seconds((i * i * 172_000 / 202_500) as i64 + 2);
        let failed = i % 5 == 0 || i < 8;
        let old = now().plus(Span::hours(((i * 37) % 1200) as i64 - 24));
        let mut start = event(i * 2 + 1, "renewal_start", org, &device, Span(ago.0 + 3_250_000));
        start.reason = Some(Text::from(if i % 9 == 0 { "expired" } else { "proactive" }));
        start.old_expiry = Some(old);
        rows.push(start);
        let kind = if failed { "renewal_failed" } else { "renewal_success" };
        let mut end = event(i * 2 + 2, kind, org, &device, ago);
        end.old_expiry = Some(old);
        if failed {
            end.error = Some(ErrorText::whole(ERRORS[(i % 3) as usize]));
        } else {
            end.new_expiry = Some(old.plus(Span::days(365)));
        }
        rows.push(end);
    }
    rows
}

/// Texts that try to break the screen.
pub const HOSTILE: [&str; 6] = [
    "\x1b[2J\x1b[31mowned\x07",
    "\u{202e}gnp.exe\u{202c} \u{200b}zero\u{feff}width",
    "a\tb\r\nsecond line\n\nfourth line",
    "日本語のエラー 👩‍👩‍👧‍👦 e\u{301}\u{301}\u{301}",
    "\u{9b}31m C1 \u{85} next line \u{2028} separator",
    "'; DROP TABLE events; -- %_\\",
];
