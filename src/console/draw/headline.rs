//! The headline: how many devices fail and since when, who goes dark first, who is silent. One line on every view.
//!
//! It is computed from the survey of the filter's range and from the sweep of the fleet. What is not complete says so.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::console::Model;
use crate::domain::event::Outcome;
use crate::domain::format;
use crate::domain::instant::Instant;
use crate::domain::measure;
use crate::protocol::survey::{FleetView, Surveyed};
use crate::ui::ctx::Ctx;
use crate::ui::paint::Pen;
use crate::ui::skin::Skin;
use crate::ui::{attempt, device, reach};

/// A part of the line: its words, and how urgent it is; 0 is kept longest.
struct Part {
    words: String,
    style: Style,
    rank: u8,
}

impl Part {
    fn new(rank: u8, words: impl Into<String>, style: Style) -> Self {
        Self { words: words.into(), style, rank }
    }
}

/// Cells between two parts.
const GAP: usize = 3;

/// Draws the parts that fit, in their order; where room lacks, the least urgent are left out.
pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let ctx = &model.ctx;
    let (survey, fleet) = (ctx.known.survey.value(), ctx.known.fleet.value());
    let mut parts = Vec::new();
    parts.extend(survey.into_iter().flat_map(|found| range(found, ctx, skin)));
    parts.extend(fleet.into_iter().flat_map(|view| devices(view, ctx, skin)));
    let stale = ctx.known.survey.is_stale();
    let mut pen = Pen::at(buf, model.geometry.headline, 0);
    pen.skip(1);
    if parts.is_empty() {
        let words = match ctx.known.survey.error() {
            Some(_) => "no survey of the range: this source records too little, or it cannot be read",
            None => "reading the range and the devices",
        };
        pen.put(words, skin.muted());
        return;
    }
    let cells = |part: &Part| measure::width(&part.words) + GAP;
    let room = |rank: u8| parts.iter().filter(|part| part.rank <= rank).map(cells).sum::<usize>();
    let lowest = parts.iter().map(|part| part.rank).max().unwrap_or(0);
    let kept = (0..=lowest).rev().find(|rank| room(*rank) <= pen.left() + GAP).unwrap_or(0);
    for part in parts.iter().filter(|part| part.rank <= kept) {
        let style = if stale { part.style.patch(skin.stale()) } else { part.style };
        pen.put(&part.words, style).skip(GAP);
    }
}

/// What fails in the range.
fn range(found: &Surveyed, ctx: &Ctx, skin: &Skin) -> Vec<Part> {
    let report = &found.report;
    let exact = found.reach.whole && found.reach.cut.is_none();
    let sign = if exact { "" } else { skin.glyphs.at_least };
    let mut parts = Vec::new();
    if report.devices_failing == 0 {
        let words = if found.reach.whole { "no device failing" } else { "no device failing so far" };
        let style = if exact { skin.good() } else { skin.muted() };
        parts.push(Part::new(0, format!("{} {words}", skin.glyph(Outcome::Succeeded)), style));
    } else {
        let devices = counted(report.devices_failing, "device", "devices");
        let words = format!("{} {sign}{devices} failing", skin.glyph(Outcome::Failed));
        parts.push(Part::new(0, words, skin.bad().patch(skin.strong())));
    }
    if let Some(since) = report.failing_since {
        let clock = format::clock(since, &ctx.zone, false);
        let age = ctx.now.since(since).map_or_else(String::new, |age| format!(" ({})", format::aging(age)));
        parts.push(Part::new(1, format!("since {}{age}", clock.get(6..11).unwrap_or(&clock)), skin.bad()));
    }
    if let (Some(as_of), _) = ctx.known.old(ctx.now) {
        parts.push(Part::new(1, as_of_words(as_of, ctx), skin.warn()));
    }
    if !found.reach.whole || found.reach.cut.is_some() {
        parts.push(Part::new(1, reach::words(&found.reach, ctx, found.as_of), skin.warn()));
    }
    let failures = counted(report.failures, "failure", "failures");
    parts.push(Part::new(5, format!("{sign}{failures}, {}", reach::range(found, ctx)), skin.text()));
    let top = report.top_org.as_ref().filter(|top| top.of > 1 && top.devices * 2 > top.of);
    if let Some((top, name)) = top.and_then(|top| Some((top, ctx.known.org(&top.org)?))) {
        let share = top.devices * 100 / top.of;
        parts.push(Part::new(6, format!("{share} % {}", measure::cut(&name, 16)), skin.text()));
    }
    if report.kinds_of_error > 0 {
        let kinds = counted(report.kinds_of_error, "kind of error", "kinds of error");
        parts.push(Part::new(4, kinds, skin.text()));
    }
    parts
}

/// `1 device`, `2,000 devices`.
fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", format::count(n)) }
}

/// That numbers are of an earlier time: the task that keeps them cannot read.
fn as_of_words(as_of: Instant, ctx: &Ctx) -> String {
    format!("as of {}", format::clock(as_of, &ctx.zone, false).get(6..).unwrap_or_default())
}

/// Who goes dark next, and who is silent.
fn devices(view: &FleetView, ctx: &Ctx, skin: &Skin) -> Vec<Part> {
    let summary = &view.summary;
    let so_far = if view.whole { "" } else { " so far" };
    let mut parts = Vec::new();
    if summary.expiring_in_a_day > 0 {
        let expire = if summary.expiring_in_a_day == 1 { "expires" } else { "expire" };
        let number = format::count(summary.expiring_in_a_day);
        parts.push(Part::new(2, format!("{number} {expire} < 24 h{so_far}"), skin.bad()));
        let first = summary.first.as_ref().and_then(|line| Some((line, line.member.device.expiry?.0)));
        if let Some((line, end)) = first {
            let name = measure::cut(&device::name(&line.member), 24);
            parts.push(Part::new(3, format!("first {name} in {}", attempt::left(end, ctx.now)), skin.bad()));
        }
    }
    if summary.silent > 0 {
        parts.push(Part::new(2, format!("{} silent{so_far}", format::count(summary.silent)), skin.warn()));
    }
    if let (_, Some(as_of)) = ctx.known.old(ctx.now) {
        parts.push(Part::new(1, format!("devices {}", as_of_words(as_of, ctx)), skin.warn()));
    }
    if parts.is_empty() {
        parts.push(Part::new(6, format!("{} known{so_far}", counted(view.read, "device", "devices")), skin.muted()));
    }
    parts
}
