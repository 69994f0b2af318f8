//! The pure parts, each alone: reading and printing a filter, making text safe, rows as text, instants, a survey, and one frame.
//!
//! ```text
//! cargo bench --bench pure [-- FILTER]
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::console::Console;
use common::fleet;
use common::memory::Memory;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use renewscope::domain::attempt::{Begins, Patience};
use renewscope::domain::event::{ErrorText, RenewalEvent};
use renewscope::domain::filter::Filter;
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::signature::Signature;
use renewscope::domain::survey::{Survey, SurveyRange};
use renewscope::domain::text::Clean;
use renewscope::domain::zone::Zone;
use renewscope::headless::output::{Format, RowWriter, event};

const FILTER: &str = "type:failed org:acme,globex -org:lab device:edge-01* reason:expired since:24h expires:<7d \
    error:\"x509: cert\" timeout";

fn filters(c: &mut Criterion) {
    let filter = Filter::parse(FILTER).unwrap();
    let criteria = filter.criteria(fleet::now(), &Zone::Utc);
    let row = sample();
    let mut group = c.benchmark_group("filter");
    group.bench_function("parse", |b| b.iter(|| Filter::parse(black_box(FILTER))));
    group.bench_function("print", |b| b.iter(|| black_box(&filter).to_string()));
    group.bench_function("match a row", |b| b.iter(|| black_box(&criteria).matches(black_box(&row))));
    group.finish();
}

fn texts(c: &mut Criterion) {
    let plain = "Post \"https://ca.example.com/sign\": context deadline exceeded (Client.Timeout exceeded)".repeat(4);
    let hostile = "a\u{1b}[31mred\u{202e}\r\n\t".repeat(30);
    let mut group = c.benchmark_group("text");
    for (name, text) in [("plain", &plain), ("hostile", &hostile)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("make {name} safe"), |b| b.iter(|| Clean::line(black_box(text))));
    }
    group.finish();
}

fn rows(c: &mut Criterion) {
    let rows = vec![sample(); 1000];
    let mut group = c.benchmark_group("a thousand rows");
    group.throughput(Throughput::Elements(rows.len() as u64));
    for format in [Format::Ndjson, Format::Csv, Format::Md] {
        group.bench_function(format!("{format:?}"), |b| {
            b.iter(|| {
                let mut writer = RowWriter::new(std::io::sink(), format, event::columns(format, &Zone::Utc), false);
                for row in &rows {
                    writer.row(&event::cells(format, &Zone::Utc, black_box(row))).unwrap();
                }
            })
        });
    }
    group.finish();
}

fn instants(c: &mut Criterion) {
    let at = Instant::parse_rfc3339("2026-11-21T14:02:31.118204Z").unwrap();
    let mut group = c.benchmark_group("instant");
    group.bench_function("print", |b| b.iter(|| black_box(at).rfc3339()));
    group.bench_function("read", |b| b.iter(|| Instant::parse_rfc3339(black_box("2026-11-21T14:02:31.118204Z"))));
    group.finish();
}

/// Messages as agents and authorities write them, 100 to 200 bytes each.
const MESSAGES: [&str; 4] = [
    "pending certificate validation failed: expiration check failed: certificate is expired (expired at 2025-11-01 10:00:00 \
     +0000 UTC, current time 2025-11-29 14:03:22.482913 +0000 UTC m=+86402.117)",
    "failed to get device \"c860jhsr1uj96sugum9csciop392mbnmsjrslpv0r7s22i76misg\": context deadline exceeded",
    "Get \"https://ca.example.com:7443/api/v1/devices/7p8ltknilf9m8pdlk/rendered?known=7\": dial tcp: lookup ca.example.com on \
     127.0.0.53:53: server misbehaving",
    "x509: certificate has expired or is not yet valid: current time 2025-11-29T14:03:22Z is after 2025-11-01T10:00:00Z",
];

fn signatures(c: &mut Criterion) {
    let mut group = c.benchmark_group("signature");
    group.throughput(Throughput::Elements(MESSAGES.len() as u64));
    group.bench_function("of a message", |b| {
        b.iter(|| MESSAGES.iter().map(|m| Signature::of(black_box(m)).text.len()).sum::<usize>())
    });
    let hostile = "(\"'a:5 ".repeat(1_000_000 / 7);
    group.throughput(Throughput::Elements(1));
    group.bench_function("of a hostile megabyte", |b| b.iter(|| Signature::of(black_box(&hostile))));
    group.finish();
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame");
    for size in [(80, 24), (120, 40), (200, 50)] {
        let console = Console::new(Memory::new(fleet::fleet()), size);
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        group.bench_function(format!("{}x{}", size.0, size.1), |b| {
            b.iter(|| {
                terminal.draw(|frame| renewscope::console::draw::view(&console.model, &console.skin, frame)).unwrap();
            })
        });
    }
    group.finish();
}

fn keys(c: &mut Criterion) {
    let mut console = Console::new(Memory::new(fleet::fleet()), (120, 40));
    c.bench_function("a key", |b| {
        b.iter(|| {
            console.keys("j k");
        })
    });
}

fn sample() -> RenewalEvent {
    let error = "x509: certificate signed by unknown authority (serial 123456789)";
    RenewalEvent { error: Some(ErrorText::whole(error)), ..fleet::fleet().remove(1) }
}

/// A day of 100,000 devices: 45,000 starts and their outcomes, each fifteenth of them a failure.
fn day() -> Vec<RenewalEvent> {
    let event = |n: u128| {
        let (attempt, ends) = (n / 2, n % 2 == 1);
        let failed = attempt.is_multiple_of(15);
        let kind = match (ends, failed) {
            (false, _) => "renewal_start",
            (true, false) => "renewal_success",
            (true, true) => "renewal_failed",
        };
        let ago = Span::days(1).0 - i64::try_from(attempt).unwrap() * 1_900_000 - i64::from(ends) * 900_000;
        let device = format!("edge-{}", attempt * 7919 % 100_000);
        let mut row = fleet::event(n, kind, ["acme", "globex", "lab"][(attempt % 3) as usize], &device, Span(ago));
        (row.device, row.org, row.old_expiry) = (None, None, Some(fleet::now().plus(Span::days(9))));
        if ends && failed {
            let at = attempt / 15;
            row.error = Some(ErrorText::whole(format!("{} (request {at})", MESSAGES[at as usize % MESSAGES.len()])));
        }
        row
    };
    (0..90_000).map(event).collect()
}

fn surveys(c: &mut Criterion) {
    let rows = day();
    let from = Some(fleet::now().minus(Span::days(1)));
    let range = SurveyRange { from, until: None, now: fleet::now(), begins: Begins::WithinTable };
    let read = |rows: &[RenewalEvent]| {
        let mut survey = Survey::new(range);
        rows.iter().for_each(|row| survey.add(row));
        survey
    };
    let mut group = c.benchmark_group("survey of a day");
    group.sample_size(10).throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("read", |b| b.iter(|| read(black_box(&rows))));
    let survey = read(&rows);
    group.bench_function("report", |b| b.iter(|| black_box(&survey).report(fleet::now(), Patience::default())));
    group.bench_function("copy", |b| b.iter(|| black_box(&survey).clone()));
    group.finish();
}

criterion_group!(all, filters, texts, rows, instants, signatures, frames, keys, surveys);
criterion_main!(all);
