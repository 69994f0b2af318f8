//! The page of a device as cells.
//!
//! ```text
//!  edge-0014 · acme · 5h 14m left · 3 failures in a row             how it stands, one or two lines
//!  09-16 ├──────────── ✓ ────────────┤ 10-16                        its certificates, the newest last
//!  STARTED   STATE   TOOK   TRY   ERROR                             its attempts, the newest first
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::attempt::{Attempt, Patience};
use crate::domain::device::Stated;
use crate::domain::device::timeline::Certificate;
use crate::domain::event::{Outcome, RenewalEvent};
use crate::domain::fleet::Line;
use crate::domain::format;
use crate::domain::instant::Instant;
use crate::domain::measure;
use crate::domain::text::Clean;
use crate::ui::ctx::Ctx;
use crate::ui::grid::{Frame, widen};
use crate::ui::paint::{Pen, Sign, rule};
use crate::ui::skin::Skin;
use crate::ui::table::{ColumnSpec, Columns};
use crate::ui::{attempt, device};

use super::{DevicePage, Story};

/// The regions of the page.
#[derive(Clone, Copy, Default)]
pub struct Regions {
    pub head: Rect,
    pub timeline: Rect,
    pub table: Rect,
}

/// Lines of the head.
const HEAD: u16 = 2;

/// Where each region lies. The certificates get as many lines as there are, at most a third of the body.
pub fn regions(body: Rect, story: Option<&Story>) -> Regions {
    let wanted = story.map_or(0, |story| story.certificates.len() as u16);
    let most = (body.height / 3).max(1);
    let lines = wanted.min(most);
    let head = Rect { height: HEAD.min(body.height), ..body };
    let timeline = Rect { y: head.bottom(), height: lines.min(body.height - head.height), ..body };
    // One line between the certificates and the attempts.
    let top = (timeline.bottom() + 1).min(body.bottom());
    Regions { head, timeline, table: Rect { y: top, height: body.bottom() - top, ..body } }
}

/// What every region is drawn from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    page: &'a DevicePage,
    story: &'a Story,
    ctx: &'a Ctx,
    skin: &'a Skin,
}

pub fn draw(page: &DevicePage, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) {
    let story = page.story.as_ref();
    let regions = regions(page.area, story);
    let Some(story) = story else { return empty(page, skin, buf) };
    let scene = Scene { page, story, ctx, skin };
    head(scene, buf, regions.head);
    certificates(scene, buf, regions.timeline);
    let line = Rect { y: regions.table.y.saturating_sub(1), height: 1, ..regions.table };
    rule(buf, line, skin.glyphs.rule, skin.frame());
    let words = " attempts, paired by device and time (inferred) ";
    Pen::at(buf, line, 0).skip(1).put(words, skin.muted());
    table(scene, buf, regions.table);
}

/// Why there is nothing to show.
fn empty(page: &DevicePage, skin: &Skin, buf: &mut Buffer) {
    let words = match (page.rows.is_waiting(), page.rows.error()) {
        (true, _) => "reading the device's events",
        (false, Some(_)) => "the device's events could not be read",
        (false, None) => "no event of this device",
    };
    Pen::at(buf, page.area, 0).skip(1).put(words, skin.muted());
}

/// How the device stands.
fn head(Scene { page, story, ctx, skin }: Scene<'_>, buf: &mut Buffer, area: Rect) {
    let dot = format!(" {} ", skin.glyphs.dot);
    let own = &story.device;
    let name = page.subject.as_ref().and_then(|s| s.name.as_ref().map(|n| n.clean()));
    let name = name.or_else(|| story.newest.device.as_ref().map(|n| n.clean())).unwrap_or_else(|| own.id.clean());
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1).clean(&name, skin.strong());
    let org =
        story.newest.org.as_ref().map(|n| n.clean()).or_else(|| story.newest.org_id.as_ref().map(|id| id.clean()));
    if let Some(org) = org {
        pen.put(&dot, skin.muted()).clean(&org, skin.muted());
    }
    let line = ctx.known.device(&own.id);
    let dot = Sign { words: &dot, style: skin.muted() };
    let (words, style) = runway(story, line, ctx, skin);
    pen.offer(dot, &words, style);
    for (words, style) in stands(story, line, ctx, skin) {
        pen.offer(dot, &words, style);
    }
    let next = line.map(|line| device::next_try(line, ctx.now)).filter(|next| !next.is_empty());
    if let Some(next) = next {
        pen.offer(dot, &format!("next try {next}"), skin.text());
    }
    let mut pen = Pen::at(buf, area, 1);
    pen.skip(1);
    let success = own.last_success.map_or_else(
        || format!("no success among the newest {} events", format::count(story.rows as u64)),
        |at| format!("last success {}", format::relative(at, ctx.now)),
    );
    pen.put(&success, skin.muted());
    if own.not_taken {
        pen.offer(dot, "! last certificate not in use", skin.warn());
    }
    pen.offer(dot, &format!("last event {}", format::relative(own.last, ctx.now)), skin.muted());
    pen.offer(dot, own.id.clean().as_str(), skin.muted());
}

/// The time that is left, and to when; the phase by the learned policy, once the device is known to the sweep.
fn runway(story: &Story, line: Option<&Line>, ctx: &Ctx, skin: &Skin) -> (String, Style) {
    let Some((at, stated)) = story.device.expiry else { return ("expiry not known".to_owned(), skin.muted()) };
    let sign = if stated == Stated::Old { "~" } else { "" };
    let when = if at.is_finite() { format!(" ({})", format::date(at, &ctx.zone)) } else { String::new() };
    let style = line.map_or_else(|| skin.text(), |line| device::phase_style(line.phase, skin));
    match at.since(ctx.now) {
        Some(span) if span.0 <= 0 => (format!("{sign}expired {} ago{when}", format::aging(span.abs())), skin.bad()),
        Some(span) => (format!("{sign}{} left{when}", format::aging(span)), style),
        None => (format!("{sign}{}", attempt::left(at, ctx.now)), style),
    }
}

/// What the device does, as far as the sweep knows it, and how often it failed.
fn stands(story: &Story, line: Option<&Line>, ctx: &Ctx, skin: &Skin) -> Vec<(String, Style)> {
    let fails = line.map_or_else(|| story.device.fails(Patience::default(), ctx.now), |line| line.fails);
    let sign = if story.device.complete { "" } else { skin.glyphs.at_least };
    let failures = match fails {
        0 => None,
        1 => Some("1 failure".to_owned()),
        n => Some(format!("{sign}{n} failures in a row")),
    };
    let state = line.map(|line| device::state(line, ctx.now, skin));
    state.into_iter().chain(failures.map(|words| (words, skin.bad()))).collect()
}

/// The certificates that fit, the newest last: a bar each, with the failures behind it.
fn certificates(Scene { story, ctx, skin, .. }: Scene<'_>, buf: &mut Buffer, area: Rect) {
    let first = story.certificates.len().saturating_sub(usize::from(area.height));
    let shown = story.certificates.get(first..).unwrap_or_default();
    let begins = shown.iter().filter_map(|c| c.from.or(c.failures.first().copied()).or(c.open.first().copied()));
    let Some(from) = begins.filter(|at| at.is_finite()).min() else { return };
    let ends = shown.iter().filter_map(|c| c.until).filter(|at| at.is_finite());
    let until = ends.chain([ctx.now]).max().unwrap_or(ctx.now);
    for (row, certificate) in shown.iter().enumerate() {
        let line = Rect { y: area.y + row as u16, height: 1, ..area };
        Scale::new(from, until, line).bar(certificate, ctx, skin, buf);
    }
}

/// Month and day; of another year than now, year and month.
fn day(at: Instant, ctx: &Ctx) -> String {
    let (date, today) = (format::date(at, &ctx.zone), format::date(ctx.now, &ctx.zone));
    let same = date.get(..4) == today.get(..4);
    (if same { date.get(5..) } else { date.get(..7) }).unwrap_or_default().to_owned()
}

/// Dates beside a bar, in cells.
const DATE: usize = 7;

/// Times on a line.
struct Scale {
    from: Instant,
    /// From the left to the right end, in microseconds.
    span: f64,
    line: Rect,
    /// Cells of bars.
    cells: usize,
}

impl Scale {
    fn new(from: Instant, until: Instant, line: Rect) -> Self {
        let span = until.since(from).map_or(1.0, |span| span.0.max(1) as f64);
        Self { from, span, line, cells: usize::from(line.width).saturating_sub(2 * DATE + 3).max(1) }
    }
    /// The cell of a time, from 0; times beyond the ends are at the ends.
    fn cell(&self, at: Instant) -> usize {
        let part = at.since(self.from).map_or(1.0, |span| span.0 as f64 / self.span).clamp(0.0, 1.0);
        (part * (self.cells - 1) as f64).round() as usize
    }

    /// One certificate: its life as a line, ends with their dates, failures and now in their places.
    fn bar(&self, c: &Certificate, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) {
        let day = |at: Instant| day(at, ctx);
        let mut cells: Vec<(&str, Style)> = vec![(" ", skin.text()); self.cells];
        let mut put = |at: usize, sign: &'static str, style: Style| {
            if let Some(cell) = cells.get_mut(at) {
                *cell = (sign, style);
            }
        };
        let over = c.until.is_some_and(|until| until <= ctx.now);
        let line = if over { skin.muted() } else { skin.good() };
        if let (Some(from), Some(until)) = (c.from, c.until) {
            let (a, b) = (self.cell(from), self.cell(until));
            (a..=b).for_each(|at| put(at, skin.glyphs.rule, line));
            put(a, skin.glyph(Outcome::Succeeded), line);
            if until.is_finite() {
                put(b, skin.glyphs.wall, line);
            }
        }
        put(self.cell(ctx.now), skin.glyphs.wall, skin.accent());
        c.open.iter().for_each(|at| put(self.cell(*at), "!", skin.warn()));
        c.failures.iter().for_each(|at| put(self.cell(*at), skin.glyph(Outcome::Failed), skin.bad()));
        let mut pen = Pen::at(buf, self.line, 0);
        let begin = c.from.or(c.failures.first().copied()).or(c.open.first().copied());
        pen.skip(1).cell(&Clean::line(&begin.map(day).unwrap_or_default()), DATE, skin.muted());
        for (sign, style) in &cells {
            pen.put(sign, *style);
        }
        let end = c.until.map(|until| if until.is_finite() { day(until) } else { "never".to_owned() });
        pen.skip(1).put(&end.unwrap_or_default(), if over { skin.muted() } else { skin.text() });
        self.words(c, skin, buf);
    }

    /// What is remarkable, over the free cells of the line.
    fn words(&self, c: &Certificate, skin: &Skin, buf: &mut Buffer) {
        let words = match (c.gap, c.not_taken) {
            (_, true) => "not taken".to_owned(),
            (Some(gap), _) => format!("{} without", format::span(gap)),
            (None, false) => return,
        };
        let Some(from) = c.from else { return };
        let room = self.cell(from);
        let width = measure::width(&words) + 1;
        if room >= width {
            let x = 1 + DATE + room - width;
            Pen::at(buf, self.line, 0).skip(x).put(&words, skin.warn());
        }
    }
}

/// A column of the attempts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Started,
    State,
    Took,
    Try,
    Family,
    Left,
    Error,
}

const COLUMNS: [ColumnSpec<Column>; 7] = [
    ColumnSpec { column: Column::Started, id: "started", width: 14, rank: 0, title: "when it began" },
    ColumnSpec { column: Column::State, id: "state", width: 13, rank: 0, title: "how it stands" },
    ColumnSpec { column: Column::Took, id: "took", width: 7, rank: 1, title: "from start to outcome" },
    ColumnSpec { column: Column::Try, id: "try", width: 4, rank: 2, title: "which try since the last success" },
    ColumnSpec { column: Column::Family, id: "family", width: 8, rank: 4, title: "renewal or recovery" },
    ColumnSpec { column: Column::Left, id: "left", width: 9, rank: 3, title: "time left when it began" },
    ColumnSpec { column: Column::Error, id: "error", width: 14, rank: 1, title: "the error, or what is missing" },
];

/// The attempts, the newest first.
fn table(Scene { page, story, ctx, skin }: Scene<'_>, buf: &mut Buffer, area: Rect) {
    let all = Columns::new(&COLUMNS, COLUMNS.iter().map(|spec| spec.column).collect());
    let this_year = ctx.zone.civil(ctx.now).map(|c| c.year);
    let other_year = |(a, _): &(Attempt, _)| a.at().and_then(|at| ctx.zone.civil(at)).map(|c| c.year) != this_year;
    let with_year = story.attempts.iter().any(other_year);
    let width = usize::from(area.width);
    let extra = |column| if with_year && column == Column::Started { 5 } else { 0 };
    let columns = widen(all.fitting(width.saturating_sub(1), extra), width, Column::Error);
    let frame = Frame { area, columns: &columns, port: page.grid.port, focused: true };
    let title = |column| match column {
        Column::Started => format!("STARTED ({})", ctx.zone.offset_label(ctx.now)),
        Column::State => "STATE".to_owned(),
        Column::Took => "TOOK".to_owned(),
        Column::Try => "TRY".to_owned(),
        Column::Family => "FAMILY".to_owned(),
        Column::Left => "LEFT THEN".to_owned(),
        Column::Error => "ERROR".to_owned(),
    };
    frame.paint(skin, buf, title, |at, column| {
        let (attempt, row) = story.attempts.get(at)?;
        Some(cell(column, attempt, row.as_deref(), &Cells { ctx, skin, with_year }))
    });
}

/// What the cells of the table need.
struct Cells<'a> {
    ctx: &'a Ctx,
    skin: &'a Skin,
    with_year: bool,
}

fn cell(column: Column, a: &Attempt, row: Option<&RenewalEvent>, with: &Cells<'_>) -> (Clean, Style) {
    let Cells { ctx, skin, with_year } = *with;
    let words = |words: String, style| (Clean::line(&words), style);
    match column {
        Column::Started => {
            let sign = if a.start.is_none() { "~" } else { "" };
            let at = a.at().map_or_else(String::new, |at| format::clock(at, &ctx.zone, with_year));
            words(format!("{at}{sign}"), skin.muted())
        }
        Column::State => attempt::state(a, skin),
        Column::Took => words(attempt::took(a, ctx, skin), skin.text()),
        Column::Try => words(attempt::tries(a, skin), skin.muted()),
        Column::Family => words(a.family.word().to_owned(), skin.muted()),
        Column::Left => words(attempt::left_then(a, skin), skin.muted()),
        Column::Error => match (row.and_then(|row| row.error.as_ref()), attempt::lacks(a.state)) {
            (Some(error), _) => (error.text.clean(), skin.text()),
            (None, Some(lacks)) => words(lacks.to_owned(), skin.muted()),
            (None, None) => words(String::new(), skin.text()),
        },
    }
}
