//! The list of events. Columns are data; only the rows on screen are built.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::columns::{Column, Columns};
use crate::app::list::Mark;
use crate::app::{Focus, Model};
use crate::domain::event::{Outcome, RenewalEvent};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;

use super::empty;
use super::paint::{Pen, wash};
use super::skin::Skin;

const GAP: usize = 2;

pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let area = model.geometry.list;
    if model.list.rows().is_empty() {
        return empty::draw(model, skin, buf, area);
    }
    let view = model.list.view;
    let visible = || model.list.rows().iter().skip(view.offset).take(view.height);
    let this_year = model.zone.civil(model.now).map(|c| c.year);
    let with_year = visible().any(|r| model.zone.civil(r.created_at).map(|c| c.year) != this_year);
    let twice = visible().any(|r| model.zone.fold_label(r.created_at).is_some());
    let longer = if with_year { 5 } else { 0 } + if twice { 6 } else { 0 };
    let columns = layout(&model.columns, usize::from(area.width), longer, visible());
    titles(model, skin, buf, area, &columns);
    let shown = visible().count();
    for (i, event) in visible().enumerate() {
        let row = if model.oldest_first { shown - 1 - i } else { i };
        let line = Rect::new(area.x, area.y + 1 + row as u16, area.width, 1);
        let selected = view.offset + i == view.cursor;
        if selected {
            wash(buf, line, skin.selected(model.focus == Focus::List));
        }
        let mut pen = Pen::at(buf, line, 0);
        let (mark, style) = match model.list.mark(&event.id) {
            _ if selected && !model.list.is_following() => (skin.glyphs.cursor, skin.accent()),
            Some(Mark::Late) => (skin.glyphs.late, skin.warn()),
            Some(Mark::New) if event.kind.outcome() == Outcome::Failed => (skin.glyphs.new, skin.bad()),
            // A start or a success that has just come is what one expects.
            Some(Mark::New) | None => (" ", skin.text()),
        };
        pen.put(mark, style);
        for (column, width) in &columns {
            cell(&mut pen, *column, *width, event, model, skin, with_year);
            pen.skip(GAP);
        }
    }
    if model.list.is_stale() {
        wash(buf, area, skin.stale());
    }
}

/// The columns that fit, with their widths; what is left over goes to long device names and to the error.
fn layout<'a>(
    wanted: &Columns,
    width: usize,
    longer: usize,
    rows: impl Iterator<Item = &'a std::sync::Arc<RenewalEvent>>,
) -> Vec<(Column, usize)> {
    let longest = rows.map(|r| crate::domain::measure::width(crate::app::list_name(r).as_str())).max().unwrap_or(0);
    // The first cell of a line is the cursor's.
    let mut columns = wanted.fitting(width.saturating_sub(1), GAP, longer);
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

fn titles(model: &Model, skin: &Skin, buf: &mut Buffer, area: Rect, columns: &[(Column, usize)]) {
    let style = skin.title(model.focus == Focus::List);
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1);
    for (column, width) in columns {
        let words = match column {
            Column::Time => format!("TIME ({})", model.zone.offset_label(model.now)),
            Column::What => "WHAT".into(),
            Column::Device => "DEVICE".into(),
            Column::Org => "ORG".into(),
            Column::Expiry => format!("OLD {} NEW EXPIRY", skin.glyphs.arrow),
            Column::Left => "LEFT".into(),
            Column::Reason => "REASON".into(),
            Column::Error => "ERROR".into(),
            Column::Id => "EVENT".into(),
        };
        pen.cell(&Clean::line(&words), *width, style).skip(GAP);
    }
}

fn cell(
    pen: &mut Pen<'_>,
    column: Column,
    width: usize,
    event: &RenewalEvent,
    model: &Model,
    skin: &Skin,
    with_year: bool,
) {
    let plain = skin.text();
    match column {
        Column::Time => {
            let words = format::clock(event.created_at, &model.zone, with_year);
            pen.cell(&Clean::line(&words), width, skin.muted());
        }
        Column::What => {
            let outcome = event.outcome();
            let words = format!("{} {}", skin.glyph(outcome), spoken(event));
            pen.cell(&Clean::line(&words), width, skin.outcome(outcome));
        }
        Column::Device => drop(pen.cell(&crate::app::list_name(event), width, plain)),
        Column::Org => match (&event.org, &event.org_id) {
            (Some(name), _) => drop(pen.cell(&name.clean(), width, skin.muted())),
            (None, Some(id)) => drop(pen.cell(&id.clean(), width, skin.muted())),
            (None, None) => drop(pen.cell(&Clean::line(skin.glyphs.none), width, skin.muted())),
        },
        Column::Expiry => {
            let date = |at: Option<Instant>| at.map_or(skin.glyphs.none.to_owned(), |t| format::date(t, &model.zone));
            let words = match (event.old_expiry, event.new_expiry) {
                (None, None) => skin.glyphs.none.to_owned(),
                (old, new) => format!("{:>10} {} {}", date(old), skin.glyphs.arrow, date(new)),
            };
            pen.cell(&Clean::line(&words), width, skin.muted());
        }
        Column::Left => {
            let (words, style) = left(event, model.now, skin);
            pen.cell(&Clean::line(&words), width, style);
        }
        Column::Reason => {
            let words = match &event.reason {
                // What is inferred stands in parentheses, so that it cannot be taken for recorded.
                Some(reason) if event.reason_inferred() => Clean::line(&format!("({})", reason.clean())),
                Some(reason) => reason.clean(),
                None => Clean::line(skin.glyphs.none),
            };
            pen.cell(&words, width, skin.muted());
        }
        Column::Error => {
            if let Some(error) = &event.error {
                pen.marked(&error.text.clean(), width, plain, model.needles());
            }
        }
        Column::Id => drop(pen.cell(&event.id.clean(), width, skin.muted())),
    }
}

/// `renewal failed` for `renewal_failed`; types that nobody knows stay as they are written.
pub fn spoken(event: &RenewalEvent) -> String {
    if event.kind.is_known() { event.kind.raw().replace('_', " ") } else { event.kind.clean().to_string() }
}

/// Time left of the certificate that an event leaves its device with: the new one, else the old one.
fn left(event: &RenewalEvent, now: Instant, skin: &Skin) -> (String, ratatui::style::Style) {
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
