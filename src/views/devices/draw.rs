//! The fleet as cells.
//!
//! ```text
//!  100 devices · expired 2 · critical 1 · late 4 · due 9 · not due 84     by phase, then by days
//!  RUNWAY   DEVICE   ORG   EXPIRES   FAILS   LAST SUCCESS   STATE   ERROR
//!  the device under the cursor: its next try, its error in full
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::device::policy::Phase;
use crate::domain::fleet::{Bucket, Line, Sort};
use crate::domain::format;
use crate::domain::instant::Instant;
use crate::domain::measure;
use crate::domain::text::Clean;
use crate::protocol::survey::FleetView;
use crate::ui::ctx::Ctx;
use crate::ui::device;
use crate::ui::grid::{Absent, Frame, Regions, absent, widen};
use crate::ui::paint::{Pen, Sign, rule};
use crate::ui::skin::Skin;
use crate::ui::table::ColumnSpec;

use super::{Devices, leaves_out};

/// Where each region lies: two lines of numbers, the table, and in a body of 14 rows or more four lines for the device under
/// the cursor.
pub fn regions(body: Rect) -> Regions {
    let detail = if body.height >= 14 { 4 } else { 0 };
    Regions::of(body, 2, detail)
}

/// What a sort is by.
pub const fn sort_words(by: Sort) -> &'static str {
    match by {
        Sort::Dark => "what goes dark next",
        Sort::Runway => "least time left",
        Sort::Tries => "fewest tries left",
        Sort::Fails => "most failures in a row",
        Sort::LastSuccess => "oldest success",
        Sort::Org => "organization",
        Sort::Device => "name",
    }
}

/// What every region is drawn from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    view: &'a Devices,
    ctx: &'a Ctx,
    skin: &'a Skin,
}

pub fn draw(view: &Devices, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) {
    let scene = Scene { view, ctx, skin };
    let regions = regions(ctx.body);
    let Some(fleet) = ctx.known.fleet.value() else {
        return absent(Absent { what: "devices", error: ctx.known.fleet.error() }, ctx.body, skin, buf);
    };
    head(scene, fleet, buf, regions.head);
    table(scene, fleet, buf, regions.table);
    detail(scene, buf, regions.detail);
}

/// The fleet in numbers, by phase and by days.
fn head(Scene { ctx, skin, .. }: Scene<'_>, fleet: &FleetView, buf: &mut Buffer, area: Rect) {
    let summary = &fleet.summary;
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1).put(&format::count(summary.known), skin.strong()).put(" devices", skin.strong());
    if !fleet.whole {
        pen.put(" so far", skin.warn());
    }
    for phase in [Phase::Expired, Phase::Critical, Phase::Late, Phase::Due, Phase::NotDue, Phase::Unknown] {
        let number = summary.in_phase(phase);
        let style = if number == 0 { skin.muted() } else { device::phase_style(phase, skin) };
        let (words, number) = (phase.word().replace('_', " "), format::count(number));
        if pen.left() < words.len() + number.len() + 4 {
            break;
        }
        pen.put("   ", skin.text()).put(&words, skin.muted()).put(" ", skin.text()).put(&number, style);
    }
    let mut pen = Pen::at(buf, area, 1);
    pen.skip(1);
    if leaves_out(ctx) {
        pen.put("only org:, device:, state: and left: apply here   ", skin.warn());
    }
    for bucket in [Bucket::Day, Bucket::Week, Bucket::Month, Bucket::TwoMonths, Bucket::Longer] {
        let words = format!("{} {}   ", bucket.word(), format::count(summary.in_bucket(bucket)));
        if pen.left() >= words.len() {
            pen.put(&words, skin.muted());
        }
    }
    let basis = summary.basis.to_string();
    if !basis.is_empty() {
        pen.clean(&Clean::line(&format!("due: {basis}")), skin.muted());
    }
}

/// A column of the devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Column {
    Runway,
    Device,
    Org,
    Expires,
    Fails,
    Success,
    State,
    Next,
    Tries,
    Error,
}

/// In their order on screen; widths are in cells. What takes the rest of a line comes last.
pub const COLUMNS: [ColumnSpec<Column>; 10] = [
    ColumnSpec { column: Column::Runway, id: "runway", width: 9, rank: 0, title: "time left" },
    ColumnSpec { column: Column::Device, id: "device", width: 16, rank: 0, title: "the device, by name if known" },
    ColumnSpec { column: Column::Org, id: "org", width: 9, rank: 3, title: "the organization" },
    ColumnSpec { column: Column::Expires, id: "expires", width: 16, rank: 6, title: "when the certificate ends" },
    ColumnSpec { column: Column::Fails, id: "fails", width: 5, rank: 1, title: "failures since the last success" },
    ColumnSpec { column: Column::Success, id: "success", width: 12, rank: 4, title: "the last success" },
    ColumnSpec { column: Column::State, id: "state", width: 15, rank: 0, title: "how it stands" },
    ColumnSpec { column: Column::Next, id: "next", width: 14, rank: 5, title: "the next try" },
    ColumnSpec { column: Column::Tries, id: "tries", width: 5, rank: 5, title: "tries left before the end" },
    ColumnSpec { column: Column::Error, id: "error", width: 20, rank: 2, title: "the last error" },
];

fn table(Scene { view, ctx, skin }: Scene<'_>, fleet: &FleetView, buf: &mut Buffer, area: Rect) {
    if fleet.total == 0 {
        let words = match (fleet.whole, view.at_risk) {
            (true, true) => "no device fails, is silent or has expired",
            (true, false) => "no device matches the filter",
            (false, _) => "none so far",
        };
        Pen::at(buf, area, 1).skip(1).put(words, skin.muted());
        return;
    }
    let width = usize::from(area.width);
    let columns = widen(view.columns.fitting(width.saturating_sub(1), |_| 0), width, Column::Error);
    let frame = Frame { area, columns: &columns, port: view.port, focused: true };
    let order = view.order;
    let arrow = if order.inverse { skin.glyphs.up } else { "" };
    let sorted = |by: &[Sort], words: &str| {
        if by.contains(&order.by) {
            format!("{words}{}", if order.inverse { arrow } else { "*" })
        } else {
            words.to_owned()
        }
    };
    let title = |column| match column {
        Column::Runway => sorted(&[Sort::Dark, Sort::Runway], "LEFT"),
        Column::Device => sorted(&[Sort::Device], "DEVICE"),
        Column::Org => sorted(&[Sort::Org], "ORG"),
        Column::Expires => format!("EXPIRES ({})", ctx.zone.offset_label(ctx.now)),
        Column::Fails => sorted(&[Sort::Fails], "FAILS"),
        Column::Success => sorted(&[Sort::LastSuccess], "LAST SUCCESS"),
        Column::State => "STATE".to_owned(),
        Column::Next => "NEXT TRY".to_owned(),
        Column::Tries => sorted(&[Sort::Tries], "TRIES"),
        Column::Error => "LAST ERROR".to_owned(),
    };
    frame.paint(skin, buf, title, |at, column| {
        if at >= fleet.total {
            return None;
        }
        Some(match view.line(at, ctx) {
            Some(line) => cell(column, line, ctx, skin),
            None if column == Column::Runway => (Clean::line(skin.glyphs.more), skin.muted()),
            None => (Clean::default(), skin.text()),
        })
    });
}

fn cell(column: Column, line: &Line, ctx: &Ctx, skin: &Skin) -> (Clean, Style) {
    let now = ctx.now;
    let words = |(words, style): (String, Style)| (Clean::line(&words), style);
    let of = &line.member.device;
    match column {
        Column::Runway => words(device::runway(line, now, skin)),
        Column::Device => (device::name(&line.member), skin.text()),
        Column::Org => (device::org(&line.member, skin), skin.muted()),
        Column::Expires => words((expires(line, ctx, skin), skin.muted())),
        Column::Fails => words((device::fails(line, skin), skin.bad())),
        Column::Success => {
            let ago = |at: Instant| now.since(at).map(|age| format!("{} ago", format::aging(age)));
            words((of.last_success.and_then(ago).unwrap_or_else(|| skin.glyphs.none.to_owned()), skin.muted()))
        }
        Column::State => words(device::state(line, now, skin)),
        Column::Next => words((device::next_try(line, now), skin.muted())),
        Column::Tries => words((line.tries_left.map(|n| n.to_string()).unwrap_or_default(), skin.muted())),
        Column::Error => (Clean::line(line.member.signature.as_deref().unwrap_or_default()), skin.text()),
    }
}

/// The date and time of the end, with a mark where it is inferred.
fn expires(line: &Line, ctx: &Ctx, skin: &Skin) -> String {
    match line.member.device.expiry {
        Some((at, _)) if at.is_finite() => {
            format::clock(at, &ctx.zone, true).get(..16).map_or_else(String::new, ToOwned::to_owned)
        }
        Some(_) => "never".to_owned(),
        None => skin.glyphs.none.to_owned(),
    }
}

/// What the columns do not have room for, of the device under the cursor.
fn detail(Scene { view, ctx, skin }: Scene<'_>, buf: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    rule(buf, Rect { height: 1, ..area }, skin.glyphs.rule, skin.frame());
    let Some(line) = view.selected(ctx) else { return };
    let member = &line.member;
    let dot = format!(" {} ", skin.glyphs.dot);
    let (state, style) = device::state(line, ctx.now, skin);
    let (left, left_style) = device::runway(line, ctx.now, skin);
    let mut pen = Pen::at(buf, area, 1);
    pen.skip(1).clean(&device::name(member), skin.strong());
    pen.put(&dot, skin.muted()).clean(&device::org(member, skin), skin.muted());
    pen.put(&dot, skin.muted()).put(&state, style);
    let dot = Sign { words: &dot, style: skin.muted() };
    pen.offer(dot, &format!("left {left}"), left_style);
    if member.device.not_taken {
        pen.offer(dot, "! last certificate not in use", skin.warn());
    }
    let phase = line.phase.word().replace('_', " ");
    pen.offer(dot, &phase, device::phase_style(line.phase, skin));
    let next = device::next_try(line, ctx.now);
    if !next.is_empty() {
        pen.offer(dot, &format!("next try {next}"), skin.text());
    }
    if let Some(tries) = line.tries_left {
        let style = if tries == 0 { skin.bad() } else { skin.muted() };
        let words = if tries == 1 { "1 try left".to_owned() } else { format!("{tries} tries left") };
        pen.offer(dot, &words, style);
    }
    let error = Clean::line(member.signature.as_deref().unwrap_or_default());
    let room = usize::from(area.width).saturating_sub(2);
    for (row, line) in measure::wrap(&error, room).iter().take(2).enumerate() {
        Pen::at(buf, area, 2 + row as u16).skip(1).clean(line, skin.text());
    }
}
