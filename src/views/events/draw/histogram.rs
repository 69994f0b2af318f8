//! Rows over time, stacked by outcome, failures at the bottom where the eye rests. Heights grow with the root of the
//! count; within a bar the parts are to scale.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::event::Outcome;
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::measure;
use crate::domain::zone::Zone;
use crate::ui::paint::{Pen, wash};
use crate::ui::skin::Skin;

use super::Scene;

/// Draws bars and axis, the newest bucket at the right. Nothing is drawn before the first layout, or in fewer than two
/// rows. A bucket that is not counted yet is a dot.
pub fn draw(scene: Scene<'_>, buf: &mut Buffer) {
    let Scene { view, skin, .. } = scene;
    let area = view.geometry.histogram;
    if area.height < 2 {
        return;
    }
    let Some((from, width)) = view.bars.scale() else { return };
    let counts = view.bars.counts();
    let rows = area.height - 1;
    let left = area.x + 1 + (area.width.saturating_sub(2)).saturating_sub(counts.len() as u16);
    let peak = view.bars.peak();
    for (i, counted) in counts.iter().enumerate() {
        let x = left + i as u16;
        match counted {
            Some(counts) => column(buf, skin, Rect::new(x, area.y, 1, rows), Bar { counts: *counts, peak }),
            None => drop(Pen::at(buf, Rect::new(x, area.y, 1, rows), rows - 1).put(skin.glyphs.dot, skin.frame())),
        }
    }
    let axis = Rect::new(area.x, area.y + rows, area.width, 1);
    if let Some(cursor) = view.bars.cursor() {
        let bucket = Rect::new(left + cursor as u16, area.y, 1, rows);
        if skin.color {
            wash(buf, bucket, skin.selected(true));
        }
        let foot = Rect::new(left + cursor as u16, area.y + rows, 1, 1);
        Pen::at(buf, foot, 0).put(skin.glyphs.up, skin.accent());
        return bucket_note(scene, buf, axis);
    }
    let note = note(scene, width, peak);
    let room = usize::from(area.width).saturating_sub(measure::width(&note) + 2);
    let ticks = Ticks { left: left - area.x, from, width, count: counts.len(), room };
    labels(scene, buf, axis, ticks);
    Pen::at(buf, axis, 0).leave(measure::width(&note) + 1).put(&note, skin.muted());
}

/// The words at the right of the axis: why counting failed, else the highest bucket and the width of a bucket. The
/// number of matching rows outside of the axis comes first.
fn note(Scene { view, skin, .. }: Scene<'_>, width: Span, peak: u64) -> String {
    if let Some(error) = view.bars.error() {
        return format!("histogram: {error}");
    }
    if peak == 0 && !view.bars.is_loading() {
        return String::new();
    }
    let busy = if view.bars.is_loading() { skin.glyphs.more } else { "" };
    let outside = match view.outside_bars() {
        Some(n) if n > 0 => format!("{} outside   ", format::count(n)),
        _ => String::new(),
    };
    format!("{outside}peak {} in {}{busy}", format::short_count(peak), format::span(width))
}

/// The contents of the bucket under the cursor, on the side of the axis where the cursor is not.
fn bucket_note(Scene { view, ctx, skin }: Scene<'_>, buf: &mut Buffer, axis: Rect) {
    let (Some((from, until)), Some(cursor)) = (view.bars.bucket(), view.bars.cursor()) else { return };
    let counted = view.bars.counts().get(cursor).copied().flatten();
    let mut words = format!("{} to {}", format::clock(from, &ctx.zone, true), format::clock(until, &ctx.zone, true));
    match counted {
        None => words.push_str("   not counted yet"),
        Some(counts) => {
            for (outcome, n) in Outcome::ALL.into_iter().zip(counts).filter(|(_, n)| *n > 0) {
                words.push_str(&format!("   {} {}", skin.glyph(outcome), format::count(n)));
            }
        }
    }
    let at_left = cursor > view.bars.counts().len() / 2;
    let mut pen = Pen::at(buf, axis, 0);
    if at_left { pen.skip(1) } else { pen.leave(measure::width(&words) + 1) }.put(&words, skin.strong());
}

/// A height of at most `full`, by the root of the share: a usual day stays readable beside the worst one.
fn rooted(n: u64, peak: u64, full: u64) -> u64 {
    let share = n as f64 / peak.max(1) as f64;
    (share.sqrt() * full as f64).round() as u64
}

/// The rows of one bucket by outcome, and those of the highest one.
#[derive(Clone, Copy)]
struct Bar {
    /// By outcome, in the order of [`Outcome::ALL`], which is also the order from the bottom up.
    counts: [u64; 4],
    peak: u64,
}

/// One bucket: eighths of a cell if color separates the parts, else whole shaded cells. A bucket with rows is at least
/// one unit high.
fn column(buf: &mut Buffer, skin: &Skin, area: Rect, Bar { counts, peak }: Bar) {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return;
    }
    let unit = if skin.color { 8 } else { 1 };
    let full = u64::from(area.height) * unit;
    let height = rooted(total, peak, full).max(1);
    let mut tops = [0_u64; 4];
    let mut sum = 0;
    for (top, n) in tops.iter_mut().zip(counts) {
        sum += n;
        let share = u64::try_from(u128::from(height) * u128::from(sum) / u128::from(total)).unwrap_or(height);
        *top = if n > 0 { share.max(1) } else { share };
    }
    for row in 0..area.height {
        let base = u64::from(area.height - 1 - row) * unit;
        if height <= base {
            continue;
        }
        let y = Rect::new(area.x, area.y + row, 1, 1);
        let (glyph, style) = if skin.color { blend(skin, tops, base) } else { (shade(skin, tops, base), Style::new()) };
        Pen::at(buf, y, 0).put(glyph, style);
    }
}

/// A cell of the bar that reaches from `base` eighths on. A full cell shows its two largest neighbors, one over the
/// other; the uppermost cell, which the bar does not fill, has one color: that of its largest part.
fn blend(skin: &Skin, tops: [u64; 4], base: u64) -> (&'static str, Style) {
    let height = tops.last().copied().unwrap_or(0);
    let mut below = base;
    let shares = tops.map(|top| {
        let share = top.min(base + 8).saturating_sub(below);
        below = below.max(top.min(base + 8));
        share
    });
    let largest = |skip: usize| {
        let rest = shares.iter().enumerate().skip(skip).filter(|(_, share)| **share > 0);
        rest.max_by_key(|(part, share)| (**share, std::cmp::Reverse(*part))).map(|(part, _)| part)
    };
    let glyph = |eighths: u64| skin.glyphs.plots.eighths.get(eighths.min(8) as usize).copied().unwrap_or("#");
    let lowest = shares.iter().position(|share| *share > 0).unwrap_or(0);
    if height < base + 8 {
        return (glyph(height - base), part_style(skin, largest(0).unwrap_or(lowest)));
    }
    let style = part_style(skin, lowest);
    match largest(lowest + 1).and_then(|above| part_style(skin, above).fg) {
        Some(color) => (glyph(shares.get(lowest).copied().unwrap_or(8)), style.bg(color)),
        None => (glyph(8), style),
    }
}

/// The color of a part of the bar, by its place in [`Outcome::ALL`].
fn part_style(skin: &Skin, part: usize) -> Style {
    Outcome::ALL.get(part).map_or(Style::new(), |o| skin.area(*o))
}

/// The shade of the lowest part that reaches above `base`, for screens without color.
fn shade(skin: &Skin, tops: [u64; 4], base: u64) -> &'static str {
    let part = tops.iter().position(|top| *top > base).unwrap_or(3);
    skin.glyphs.plots.shades.get(part).copied().unwrap_or("#")
}

/// What the time axis labels: buckets from the cell `left` on, in `room` cells.
#[derive(Clone, Copy)]
struct Ticks {
    /// Cells between the beginning of the axis and the first bucket.
    left: u16,
    /// The beginning of the first bucket, UTC.
    from: Instant,
    width: Span,
    count: usize,
    /// Labels must end before this cell of the axis, where the note begins.
    room: usize,
}

/// Times under the bars, as many as fit, on round bounds.
fn labels(Scene { ctx, skin, .. }: Scene<'_>, buf: &mut Buffer, axis: Rect, ticks: Ticks) {
    const STEPS: [i64; 18] = [
        10, 30, 60, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000,
        7_776_000, 31_536_000,
    ];
    let Ticks { left, from, width, room, .. } = ticks;
    let seconds = width.as_seconds().max(1);
    let count = ticks.count as i64;
    let spacing = 13;
    let step = STEPS.into_iter().find(|s| s / seconds >= spacing).unwrap_or(seconds * spacing);
    let total = seconds * count;
    let mut next_free = 0;
    let offset = zone_offset(&ctx.zone, from);
    let start = from.pg_micros().div_euclid(1_000_000) + offset;
    for i in 0..count {
        let at = start + i * seconds;
        if at.rem_euclid(step) >= seconds {
            continue;
        }
        let words = tick(&ctx.zone, from.plus(Span(width.0.saturating_mul(i))), step, total);
        let x = usize::from(left) + i as usize;
        if x < next_free || x + words.len() > room {
            continue;
        }
        Pen::at(buf, axis, 0).skip(x).put(&words, skin.muted());
        next_free = x + words.len() + 2;
    }
}

/// Seconds by which the shown zone is ahead of UTC at `at`.
fn zone_offset(zone: &Zone, at: Instant) -> i64 {
    let (Some(here), Some(utc)) = (zone.civil(at), at.civil_utc()) else { return 0 };
    let seconds = |c: crate::domain::instant::Civil| i64::from(c.hour * 3600 + c.minute * 60 + c.second);
    let days = i64::from(here.day) - i64::from(utc.day);
    let days = if days.abs() > 1 { -days.signum() } else { days };
    days * 86_400 + seconds(here) - seconds(utc)
}

/// A label, as exact as `step` requires; hours have their date at midnight and on axes of more than two days. `step`
/// and `total` are in seconds. A time of the hour that is repeated in autumn is marked.
fn tick(zone: &Zone, at: Instant, step: i64, total: i64) -> String {
    let Some(c) = zone.civil(at) else { return String::new() };
    let fold = format::fold_label(at, zone);
    if step >= 86_400 {
        if total > 400 * 86_400 { format!("{}-{:02}", c.year, c.month) } else { format!("{:02}-{:02}", c.month, c.day) }
    } else if step >= 60 {
        if c.hour == 0 && c.minute == 0 || total > 2 * 86_400 {
            format!("{:02}-{:02} {:02}:{:02}{fold}", c.month, c.day, c.hour, c.minute)
        } else {
            format!("{:02}:{:02}{fold}", c.hour, c.minute)
        }
    } else {
        format!("{:02}:{:02}:{:02}{fold}", c.hour, c.minute, c.second)
    }
}
