//! Attempts as cells.
//!
//! ```text
//!  last 24h · 45,734 attempts · ✓ 42,511 · ✗ 3,002 · … 31 · ! 190 stalled · ? 214 without a start
//!  STARTED   DEVICE   ORG   STATE   TOOK   TRY   LEFT THEN   ERROR
//!  the attempt under the cursor
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::event::Outcome;
use crate::domain::format;
use crate::domain::measure;
use crate::domain::text::Clean;
use crate::protocol::survey::{Listed, Surveyed};
use crate::ui::ctx::Ctx;
use crate::ui::grid::{Absent, Frame, Regions, absent, widen};
use crate::ui::paint::{Pen, Sign, rule};
use crate::ui::skin::Skin;
use crate::ui::table::ColumnSpec;
use crate::ui::{attempt, device, reach};

use super::Attempts;

/// Two lines of numbers, the table, and in a body of 14 rows or more four lines for the attempt under the cursor.
pub fn regions(body: Rect) -> Regions {
    let detail = if body.height >= 14 { 4 } else { 0 };
    Regions::of(body, 2, detail)
}

/// What every region is drawn from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    view: &'a Attempts,
    ctx: &'a Ctx,
    skin: &'a Skin,
}

pub fn draw(view: &Attempts, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) {
    let scene = Scene { view, ctx, skin };
    let regions = regions(ctx.body);
    let Some(found) = ctx.known.survey.value() else {
        return absent(Absent { what: "attempts", error: ctx.known.survey.error() }, ctx.body, skin, buf);
    };
    head(scene, found, buf, regions.head);
    if view.lines.is_empty() {
        let words = match (found.reach.whole, view.troubled) {
            (true, true) => "no attempt failed or stalled in this range",
            (true, false) => "no attempt in this range",
            (false, _) => "none so far",
        };
        Pen::at(buf, regions.table, 1).skip(1).put(words, skin.muted());
        return;
    }
    table(scene, buf, regions.table);
    detail(scene, buf, regions.detail);
}

/// The totals of the range.
fn head(Scene { ctx, skin, .. }: Scene<'_>, found: &Surveyed, buf: &mut Buffer, area: Rect) {
    let totals = &found.report.attempts;
    let dot = format!(" {} ", skin.glyphs.dot);
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1).put(&reach::range(found, ctx), skin.strong()).put(&dot, skin.muted());
    pen.put(&format!("{} attempts", format::count(totals.all)), skin.text());
    let unknown = totals.orphan + totals.start_not_kept + totals.undecided;
    let numbers = [
        (skin.glyph(Outcome::Succeeded), totals.succeeded, "", skin.good()),
        (skin.glyph(Outcome::Failed), totals.failed, "", skin.bad()),
        (skin.glyphs.more, totals.in_flight, " in flight", skin.text()),
        ("!", totals.stalled, " stalled", skin.warn()),
        ("!", totals.superseded, " superseded", skin.muted()),
        ("?", unknown, " no start", skin.muted()),
    ];
    for (sign, number, words, style) in numbers.into_iter().filter(|(_, number, ..)| *number > 0) {
        pen.offer(
            Sign { words: &dot, style: skin.muted() },
            &format!("{sign} {}{words}", format::count(number)),
            style,
        );
    }
    let mut pen = Pen::at(buf, area, 1);
    pen.skip(1).put("paired by device and time (inferred)", skin.muted()).put(&dot, skin.muted());
    let style = if found.reach.whole { skin.muted() } else { skin.warn() };
    pen.put(&reach::words(&found.reach, ctx, found.as_of), style);
}

/// A column of the attempts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    Started,
    Device,
    Org,
    Family,
    State,
    Took,
    Try,
    Left,
    Error,
}

/// In their order on screen; widths are in cells. What takes the rest of a line comes last.
pub const COLUMNS: [ColumnSpec<Column>; 9] = [
    ColumnSpec { column: Column::Started, id: "started", width: 14, rank: 0, title: "when it began" },
    ColumnSpec { column: Column::Device, id: "device", width: 14, rank: 0, title: "the device, by name if known" },
    ColumnSpec { column: Column::Org, id: "org", width: 9, rank: 3, title: "the organization" },
    ColumnSpec { column: Column::Family, id: "family", width: 8, rank: 5, title: "renewal or recovery" },
    ColumnSpec { column: Column::State, id: "state", width: 12, rank: 0, title: "how it stands" },
    ColumnSpec { column: Column::Took, id: "took", width: 7, rank: 1, title: "from start to outcome" },
    ColumnSpec { column: Column::Try, id: "try", width: 4, rank: 2, title: "which try since the last success" },
    ColumnSpec { column: Column::Left, id: "left", width: 9, rank: 4, title: "time left when it began" },
    ColumnSpec { column: Column::Error, id: "error", width: 14, rank: 1, title: "the error, or what is missing" },
];

fn table(Scene { view, ctx, skin }: Scene<'_>, buf: &mut Buffer, area: Rect) {
    let width = usize::from(area.width);
    let columns = widen(view.columns.fitting(width.saturating_sub(1), |_| 0), width, Column::Error);
    let frame = Frame { area, columns: &columns, port: view.grid.port, focused: true };
    let title = |column| match column {
        Column::Started => format!("STARTED ({})", ctx.zone.offset_label(ctx.now)),
        Column::Device => "DEVICE".to_owned(),
        Column::Org => "ORG".to_owned(),
        Column::Family => "FAMILY".to_owned(),
        Column::State => "STATE".to_owned(),
        Column::Took => "TOOK".to_owned(),
        Column::Try => "TRY".to_owned(),
        Column::Left => "LEFT THEN".to_owned(),
        Column::Error => "ERROR".to_owned(),
    };
    frame.paint(skin, buf, title, |at, column| Some(cell(column, view.line(at, ctx)?, ctx, skin)));
}

fn cell(column: Column, listed: &Listed, ctx: &Ctx, skin: &Skin) -> (Clean, Style) {
    let a = &listed.attempt;
    let member = ctx.known.device(&a.device).map(|line| &line.member);
    let words = |words: String, style| (Clean::line(&words), style);
    match column {
        Column::Started => {
            let sign = if a.start.is_none() { "~" } else { "" };
            let at = a.at().map_or_else(String::new, |at| format::clock(at, &ctx.zone, false));
            words(format!("{at}{sign}"), skin.muted())
        }
        Column::Device => (member.map_or_else(|| a.device.clean(), |m| device::name(m)), skin.text()),
        Column::Org => (member.map_or_else(|| Clean::line(skin.glyphs.more), |m| device::org(m, skin)), skin.muted()),
        Column::Family => words(a.family.word().to_owned(), skin.muted()),
        Column::State => attempt::state(a, skin),
        Column::Took => words(attempt::took(a, ctx, skin), skin.text()),
        Column::Try => words(attempt::tries(a, skin), skin.muted()),
        Column::Left => words(attempt::left_then(a, skin), skin.muted()),
        Column::Error => match (&listed.error, attempt::lacks(a.state)) {
            (Some(error), _) => (error.clean(), skin.text()),
            (None, Some(lacks)) => words(lacks.to_owned(), skin.muted()),
            (None, None) => words(String::new(), skin.text()),
        },
    }
}

/// What the columns do not have room for, of the attempt under the cursor.
fn detail(Scene { view, ctx, skin }: Scene<'_>, buf: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    rule(buf, Rect { height: 1, ..area }, skin.glyphs.rule, skin.frame());
    let Some(listed) = view.selected(ctx) else { return };
    let a = &listed.attempt;
    let dot = format!(" {} ", skin.glyphs.dot);
    let (state, style) = attempt::state(a, skin);
    let mut pen = Pen::at(buf, area, 1);
    pen.skip(1);
    if let Some(line) = ctx.known.device(&a.device) {
        pen.clean(&device::name(&line.member), skin.strong()).put(&dot, skin.muted());
        let (left, left_style) = device::runway(line, ctx.now, skin);
        pen.put("left ", skin.muted()).put(&left, left_style).put(&dot, skin.muted());
    }
    pen.put(a.family.word(), skin.muted()).put(" ", skin.text()).clean(&state, style);
    if a.failures > 1 {
        pen.put(&dot, skin.muted()).put(&format!("{} failures", a.failures), skin.muted());
    }
    if a.starts > 1 {
        pen.put(&dot, skin.muted()).put(&format!("its start was written {} times", a.starts), skin.muted());
    }
    if let Some(reason) = &a.reason {
        pen.put(&dot, skin.muted()).put("reason ", skin.muted()).clean(&reason.clean(), skin.muted());
    }
    let error = listed.error.as_ref().map(|error| error.clean()).unwrap_or_default();
    let room = usize::from(area.width).saturating_sub(2);
    for (row, line) in measure::wrap(&error, room).iter().take(2).enumerate() {
        Pen::at(buf, area, 2 + row as u16).skip(1).clean(line, skin.text());
    }
}
