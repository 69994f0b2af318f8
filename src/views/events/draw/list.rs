//! The list of events. Columns are data; only the rows on screen are built.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::event::{Outcome, RenewalEvent};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::measure;
use crate::domain::text::Clean;
use crate::ui::device;
use crate::ui::paint::{Pen, wash};
use crate::ui::skin::Skin;
use crate::ui::table::{GAP, titles};
use crate::views::events::Focus;
use crate::views::events::arrivals::Mark;
use crate::views::events::columns::Column;

use super::{Scene, empty};

/// Draws the titles and the rows on screen; without rows, why there are none. Rows of an older query are dimmed. The
/// year is in all times, or in none.
pub fn draw(scene: Scene<'_>, buf: &mut Buffer) {
    let Scene { view, ctx, skin } = scene;
    let area = view.geometry.list;
    if view.list.rows().is_empty() {
        return empty::draw(scene, buf, area);
    }
    let port = view.list.view;
    let visible = || view.list.rows().iter().skip(port.offset).take(port.height);
    let this_year = ctx.zone.civil(ctx.now).map(|c| c.year);
    let with_year = visible().any(|r| ctx.zone.civil(r.created_at).map(|c| c.year) != this_year);
    let twice = visible().any(|r| ctx.zone.fold_label(r.created_at).is_some());
    let time_extra = if with_year { 5 } else { 0 } + if twice { 6 } else { 0 };
    let columns = lay_out(scene, time_extra, visible());
    let named = columns.iter().map(|(column, width)| (title(*column, scene), *width));
    titles(buf, area, named, skin.title(view.focus == Focus::List));
    let shown = visible().count();
    for (i, event) in visible().enumerate() {
        let row = if view.oldest_first { shown - 1 - i } else { i };
        let line = Rect::new(area.x, area.y + 1 + row as u16, area.width, 1);
        let selected = port.offset + i == port.cursor;
        if selected {
            wash(buf, line, skin.selected(view.focus == Focus::List));
        }
        let mut pen = Pen::at(buf, line, 0);
        let (mark, style) = sign(scene, event, selected);
        pen.put(mark, style);
        for (column, width) in &columns {
            let (words, style) = cell(scene, *column, event, with_year);
            match column {
                Column::Error => pen.marked(&words, *width, style, view.needles()),
                _ => pen.cell(&words, *width, style),
            };
            pen.skip(GAP);
        }
    }
    if view.list.is_stale() {
        wash(buf, area, skin.stale());
    }
}

/// The sign before a row: the cursor, or that the row is new. In follow mode the selected row has no cursor sign.
fn sign(Scene { view, skin, .. }: Scene<'_>, event: &RenewalEvent, selected: bool) -> (&'static str, Style) {
    match view.list.mark(&event.id) {
        _ if selected && !view.list.is_following() => (skin.glyphs.cursor, skin.accent()),
        Some(Mark::Late) => (skin.glyphs.arrivals.late, skin.warn()),
        Some(Mark::New) if event.kind.outcome() == Outcome::Failed => (skin.glyphs.arrivals.new, skin.bad()),
        // A new start or success is what one expects.
        Some(Mark::New) | None => (" ", skin.text()),
    }
}

/// The columns that fit, with their widths; the remaining width goes to long device names and to the error.
fn lay_out<'a>(
    Scene { view, .. }: Scene<'_>,
    time_extra: usize,
    rows: impl Iterator<Item = &'a Arc<RenewalEvent>>,
) -> Vec<(Column, usize)> {
    let width = usize::from(view.geometry.list.width);
    let longest = rows.map(|r| measure::width(r.device_label().as_str())).max().unwrap_or(0);
    let extra = |column| if column == Column::Time { time_extra } else { 0 };
    // The first cell of a line belongs to the cursor.
    let mut columns = view.columns.fitting(width.saturating_sub(1), extra);
    let used: usize = columns.iter().map(|(_, w)| w + GAP).sum();
    let mut spare = (width + GAP).saturating_sub(used + 1);
    if let Some((_, width)) = columns.iter_mut().find(|(c, _)| *c == Column::Device) {
        let more = longest.saturating_sub(*width).min(spare / 2).min(22);
        *width += more;
        spare -= more;
    }
    if let Some((_, width)) = columns.iter_mut().find(|(c, _)| *c == Column::Error) {
        *width += spare;
    }
    columns
}

/// A column's title; that of the time has the offset of the zone now, and that of the expiry dates names both.
fn title(column: Column, Scene { ctx, skin, .. }: Scene<'_>) -> String {
    match column {
        Column::Time => format!("TIME ({})", ctx.zone.offset_label(ctx.now)),
        Column::What => "WHAT".into(),
        Column::Device => "DEVICE".into(),
        Column::Org => "ORG".into(),
        Column::Expiry => format!("OLD {} NEW EXPIRY", skin.glyphs.arrow),
        Column::Left => "LEFT".into(),
        Column::Reason => "REASON".into(),
        Column::Error => "ERROR".into(),
        Column::Id => "EVENT".into(),
    }
}

/// The words of one cell, and their style. A missing value is a dash, except for the error, which most events do not
/// have.
fn cell(Scene { ctx, skin, .. }: Scene<'_>, column: Column, event: &RenewalEvent, with_year: bool) -> (Clean, Style) {
    let none = || Clean::line(skin.glyphs.none);
    match column {
        Column::Time => (Clean::line(&format::clock(event.created_at, &ctx.zone, with_year)), skin.muted()),
        Column::What => {
            let outcome = event.outcome();
            (Clean::line(&format!("{} {}", skin.glyph(outcome), spoken(event))), skin.outcome(outcome))
        }
        Column::Device => (event.device_label(), skin.text()),
        Column::Org => match (&event.org, &event.org_id) {
            (Some(name), _) => (name.clean(), skin.muted()),
            (None, Some(id)) => (id.clean(), skin.muted()),
            (None, None) => (none(), skin.muted()),
        },
        Column::Expiry => {
            let date = |at: Option<Instant>| at.map_or(skin.glyphs.none.to_owned(), |t| format::date(t, &ctx.zone));
            let words = match (event.old_expiry, event.new_expiry) {
                (None, None) => skin.glyphs.none.to_owned(),
                (old, new) => format!("{:>10} {} {}", date(old), skin.glyphs.arrow, date(new)),
            };
            (Clean::line(&words), skin.muted())
        }
        Column::Left => {
            let known = event.device_id().and_then(|id| ctx.known.device(id));
            let (words, style) = match known {
                Some(line) => device::runway(line, ctx.now, skin),
                None => left(event, ctx.now, skin),
            };
            (Clean::line(&words), style)
        }
        Column::Reason => match &event.reason {
            // An inferred reason is in parentheses, so that nobody takes it for recorded.
            Some(reason) if event.reason_inferred() => (Clean::line(&format!("({})", reason.clean())), skin.muted()),
            Some(reason) => (reason.clean(), skin.muted()),
            None => (none(), skin.muted()),
        },
        Column::Error => (event.error.as_ref().map_or(Clean::line(""), |error| error.text.clean()), skin.text()),
        Column::Id => (event.id.clean(), skin.muted()),
    }
}

/// `renewal failed` for `renewal_failed`; unknown types stay as they are written.
pub fn spoken(event: &RenewalEvent) -> String {
    if event.kind.is_known() { event.kind.raw().replace('_', " ") } else { event.kind.clean().to_string() }
}

/// Time left of the certificate after an event: the new one, else the old one. `expired` once it is over, `never` for a
/// certificate that does not expire. The style is bad within a day, a warning within a week.
fn left(event: &RenewalEvent, now: Instant, skin: &Skin) -> (String, Style) {
    let newest = match event.outcome() {
        Outcome::Succeeded => event.new_expiry,
        _ => event.new_expiry.or(event.old_expiry),
    };
    let Some(at) = newest else { return (skin.glyphs.none.into(), skin.muted()) };
    match at.since(now) {
        Some(s) if s.0 <= 0 => ("expired".into(), skin.bad()),
        Some(s) if s < Span::days(1) => (format::aging(s), skin.bad()),
        Some(s) if s < Span::days(7) => (format::aging(s), skin.warn()),
        Some(s) => (format::aging(s), skin.text()),
        None if at == Instant::INFINITY => ("never".into(), skin.text()),
        None => ("expired".into(), skin.bad()),
    }
}
