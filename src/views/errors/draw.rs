//! Errors as cells.
//!
//! ```text
//!  last 24h · exact · 3,281 failures of 2,918 devices · 1 new
//!  STILL  DEVICES  ORGS  ROWS  SPARK  FIRST  LAST  STATE  WORST  SIGNATURE
//!  the group under the cursor: the signature in full, the values of its masks, a message as it was written
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::format;
use crate::domain::instant::Instant;
use crate::domain::measure;
use crate::domain::survey::{ErrorGroup, PARTS, Standing};
use crate::domain::text::Clean;
use crate::protocol::survey::Surveyed;
use crate::ui::attempt;
use crate::ui::ctx::Ctx;
use crate::ui::grid::{Absent, Frame, Regions, absent, widen};
use crate::ui::paint::{Pen, Sign, rule};
use crate::ui::reach;
use crate::ui::skin::Skin;
use crate::ui::table::ColumnSpec;

use super::Errors;

/// One line of numbers, the table, and the group under the cursor in up to a third of the body.
pub fn regions(body: Rect) -> Regions {
    let detail = match body.height {
        0..=13 => 0,
        14..=22 => 6,
        height => (height / 3).min(12),
    };
    Regions::of(body, 1, detail)
}

/// What every region is drawn from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    view: &'a Errors,
    ctx: &'a Ctx,
    skin: &'a Skin,
}

pub fn draw(view: &Errors, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) {
    let scene = Scene { view, ctx, skin };
    let regions = regions(ctx.body);
    let Some(found) = ctx.known.survey.value() else {
        return absent(Absent { what: "errors", error: ctx.known.survey.error() }, ctx.body, skin, buf);
    };
    head(scene, found, buf, regions.head);
    if found.report.errors.is_empty() {
        let words = if found.reach.whole { "no failure in this range" } else { "no failure so far" };
        Pen::at(buf, regions.table, 1).skip(1).put(words, skin.good());
        return;
    }
    table(scene, found, buf, regions.table);
    detail(&view.selected(ctx), skin, buf, regions.detail);
}

/// The range in numbers, and how complete they are.
fn head(Scene { ctx, skin, .. }: Scene<'_>, found: &Surveyed, buf: &mut Buffer, area: Rect) {
    let report = &found.report;
    let dot = format!(" {} ", skin.glyphs.dot);
    let new = report.errors.iter().filter(|group| standing(group, found) == Standing::New).count();
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1).put(&reach::range(found, ctx), skin.strong()).put(&dot, skin.muted());
    // How complete the numbers are comes before them: it must not be cut.
    let style = if found.reach.whole { skin.muted() } else { skin.warn() };
    pen.put(&reach::words(&found.reach, ctx, found.as_of), style);
    let sign = Sign { words: &dot, style: skin.muted() };
    pen.offer(sign, &format!("{} failures", format::count(report.failures)), skin.text());
    let devices = format!("of {} devices", format::count(report.devices_failed_ever));
    pen.offer(Sign { words: " ", ..sign }, &devices, skin.text());
    let looked = if found.look_back.is_some() {
        if new > 0 { format!("{new} new") } else { "none new".to_owned() }
    } else {
        "looking back".to_owned()
    };
    pen.offer(sign, &looked, if new > 0 { skin.bad() } else { skin.muted() });
    if let Some(outage) = &report.outage {
        let words = if outage.over {
            format!("outage {} to {}", clock(outage.start, ctx), clock(outage.end, ctx))
        } else {
            format!("outage since {}", clock(outage.start, ctx))
        };
        pen.offer(
            Sign { words: &dot, style: skin.muted() },
            &words,
            if outage.over { skin.muted() } else { skin.bad() },
        );
    }
}

/// Hours and minutes, with the date where it is not today's.
fn clock(at: Instant, ctx: &Ctx) -> String {
    let words = format::clock(at, &ctx.zone, false);
    let today = format::date(at, &ctx.zone) == format::date(ctx.now, &ctx.zone);
    words.get(if today { 6..11 } else { 0..11 }).unwrap_or(&words).to_owned()
}

/// How a group stands, as far as it is known.
fn standing(group: &ErrorGroup, found: &Surveyed) -> Standing {
    group.state(found.look_back.as_deref())
}

/// A column of the errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    Still,
    Devices,
    Orgs,
    Rows,
    Spark,
    First,
    Last,
    State,
    Worst,
    Signature,
}

/// In their order on screen; widths are in cells. What takes the rest of a line comes last.
pub const COLUMNS: [ColumnSpec<Column>; 10] = [
    ColumnSpec { column: Column::Still, id: "still", width: 6, rank: 0, title: "devices that still fail with it" },
    ColumnSpec { column: Column::Devices, id: "devices", width: 7, rank: 1, title: "devices that failed with it" },
    ColumnSpec { column: Column::Orgs, id: "orgs", width: 4, rank: 4, title: "organizations of these" },
    ColumnSpec { column: Column::Rows, id: "rows", width: 6, rank: 5, title: "failures" },
    ColumnSpec { column: Column::Spark, id: "spark", width: PARTS, rank: 3, title: "failures over the range" },
    ColumnSpec { column: Column::First, id: "first", width: 11, rank: 6, title: "the first in the range" },
    ColumnSpec { column: Column::Last, id: "last", width: 11, rank: 2, title: "the last" },
    ColumnSpec { column: Column::State, id: "state", width: 9, rank: 1, title: "new, regressed, ongoing, resolved" },
    ColumnSpec {
        column: Column::Worst,
        id: "worst",
        width: 8,
        rank: 3,
        title: "least time left of a device that fails",
    },
    ColumnSpec { column: Column::Signature, id: "signature", width: 20, rank: 0, title: "the message, masked" },
];

fn table(scene: Scene<'_>, found: &Surveyed, buf: &mut Buffer, area: Rect) {
    let Scene { view, ctx, skin } = scene;
    let width = usize::from(area.width);
    let columns = widen(view.columns.fitting(width.saturating_sub(1), |_| 0), width, Column::Signature);
    let frame = Frame { area, columns: &columns, port: view.grid.port, focused: true };
    let title = |column| {
        let words = match column {
            Column::Still => " STILL",
            Column::Devices => "DEVICES",
            Column::Orgs => "ORGS",
            Column::Rows => "  ROWS",
            Column::Spark => "OVER TIME",
            Column::First => "FIRST",
            Column::Last => "LAST",
            Column::State => "STATE",
            Column::Worst => "WORST",
            Column::Signature => "SIGNATURE",
        };
        words.to_owned()
    };
    frame.paint(skin, buf, title, |at, column| {
        let groups = view.groups(at, ctx);
        (!groups.is_empty()).then(|| cell(column, &groups, found, scene))
    });
}

/// A cell of one line: a group, or several that are joined.
fn cell(column: Column, groups: &[&ErrorGroup], found: &Surveyed, scene: Scene<'_>) -> (Clean, Style) {
    let Scene { ctx, skin, .. } = scene;
    let still: u64 = groups.iter().map(|group| group.still).sum();
    let most = |number: fn(&ErrorGroup) -> u64| groups.iter().map(|group| number(group)).max().unwrap_or(0);
    // Of several groups the devices can be the same.
    let exact = groups.len() == 1;
    let right = |words: String, width: usize| format!("{words:>width$}");
    let (words, style) = match column {
        Column::Still => {
            (right(format::count(still), 6), if still > 0 { skin.bad().patch(skin.strong()) } else { skin.muted() })
        }
        Column::Devices => (right(reach::at_least(most(|group| group.devices), exact, skin), 7), skin.text()),
        Column::Orgs => {
            let words = groups.iter().map(|group| group.orgs).max().flatten();
            let words = words.map_or_else(|| skin.glyphs.none.to_owned(), |n| reach::at_least(n, exact, skin));
            (right(words, 4), skin.muted())
        }
        Column::Rows => (right(format::short_count(groups.iter().map(|group| group.rows).sum()), 6), skin.muted()),
        Column::Spark => (spark(groups, skin), skin.bad()),
        Column::First => (clock(groups.iter().map(|group| group.first).min().unwrap_or(ctx.now), ctx), skin.muted()),
        Column::Last => (clock(groups.iter().map(|group| group.last).max().unwrap_or(ctx.now), ctx), skin.text()),
        Column::State => state(groups, found, skin),
        Column::Worst => match groups.iter().filter_map(|group| group.worst).min() {
            Some(end) => (attempt::left(end, ctx.now), if end <= ctx.now { skin.bad() } else { skin.text() }),
            None => (skin.glyphs.none.to_owned(), skin.muted()),
        },
        Column::Signature => {
            let text = groups.first().map(|group| signature(group)).unwrap_or_default();
            let more = if exact { String::new() } else { format!("  (+{} alike)", groups.len() - 1) };
            (format!("{text}{more}"), skin.text())
        }
    };
    (Clean::line(&words), style)
}

/// The masked message, or that there is none.
fn signature(group: &ErrorGroup) -> &str {
    if group.sig.is_none() { "(no message)" } else { &group.signature }
}

/// The worst standing of the groups.
fn state(groups: &[&ErrorGroup], found: &Surveyed, skin: &Skin) -> (String, Style) {
    match groups.iter().map(|group| standing(group, found)).min() {
        Some(Standing::New) => ("new".to_owned(), skin.bad()),
        Some(Standing::Regressed) => ("regressed".to_owned(), skin.warn()),
        Some(Standing::Ongoing) => ("ongoing".to_owned(), skin.text()),
        Some(Standing::Resolved) => ("resolved".to_owned(), skin.good()),
        Some(Standing::Unknown) | None => ("new?".to_owned(), skin.muted()),
    }
}

/// The failures over the range, a cell for each tenth of it.
fn spark(groups: &[&ErrorGroup], skin: &Skin) -> String {
    let mut parts = [0_u64; PARTS];
    for group in groups {
        parts.iter_mut().zip(&group.spark).for_each(|(sum, n)| *sum += n);
    }
    let most = parts.iter().copied().max().unwrap_or(0).max(1);
    if skin.is_ascii() {
        let digit =
            |n: u64| if n == 0 { '.' } else { char::from(b'1' + u8::try_from(n * 8 / most).unwrap_or(8).min(8)) };
        return parts.into_iter().map(digit).collect();
    }
    let eighths = skin.glyphs.plots.eighths;
    let bar = |n: u64| match n {
        0 => skin.glyphs.dot,
        n => eighths.get(usize::try_from((n * 8).div_ceil(most)).unwrap_or(8).min(8)).copied().unwrap_or(" "),
    };
    parts.into_iter().map(bar).collect()
}

/// The group under the cursor: what its masks hide, and messages as they were written.
fn detail(groups: &[&ErrorGroup], skin: &Skin, buf: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    rule(buf, Rect { height: 1, ..area }, skin.glyphs.rule, skin.frame());
    let Some(group) = groups.first() else { return };
    let room = usize::from(area.width).saturating_sub(2);
    let mut lines: Vec<(Clean, Style)> = Vec::new();
    lines.extend(
        measure::wrap(&Clean::line(signature(group)), room).into_iter().take(3).map(|line| (line, skin.strong())),
    );
    let id = group.sig.map_or_else(String::new, |sig| format!("sig {sig}   "));
    let numbers = format!(
        "{id}{} still fail, {} succeeded since, {} have another error",
        format::count(group.still),
        format::count(group.resolved),
        format::count(group.moved)
    );
    lines.extend(measure::wrap(&Clean::line(&numbers), room).into_iter().map(|line| (line, skin.muted())));
    for (place_number, place) in group.values.iter().enumerate().filter(|(_, place)| !place.top.is_empty()) {
        let differ = place.top.iter().all(|(_, n)| *n == 1);
        let number = |n: u64| if differ { String::new() } else { format!(" {}", format::count(n)) };
        let top = place.top.iter().map(|(value, n)| format!("{}{}", value.clean(), number(*n)));
        let others = (place.others > 0).then(|| format!("others {}", format::count(place.others)));
        let words: Vec<String> = top.chain(others).collect();
        let dot = format!(" {} ", skin.glyphs.dot);
        let all = if differ { "all different: " } else { "" };
        lines.push((Clean::line(&format!("<*> {}: {all}{}", place_number + 1, words.join(&dot))), skin.muted()));
    }
    lines.extend(group.examples.iter().map(|text| (text.clean(), skin.text())));
    for (row, (line, style)) in lines.iter().take(usize::from(area.height) - 1).enumerate() {
        Pen::at(buf, area, row as u16 + 1).skip(1).clean(line, *style);
    }
}
