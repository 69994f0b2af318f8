//! The page of one device: how it stands, its certificates over time, and its attempts.
//!
//! It reads the device's newest rows, in one query, and again when rows of the device arrive. The filter in force does not
//! apply: the page shows all that happened to the device.

mod draw;

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::domain::attempt::{Attempt, Begins, Fold, Patience, Row, Step as RowStep};
use crate::domain::device::Device;
use crate::domain::device::timeline::{Certificate, timeline};
use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::criteria::{Check, Clause, NameMatch, Pattern};
use crate::domain::filter::{Criteria, Field, Filter};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::page::{Anchor, Page};
use crate::domain::signature::Signature;
use crate::protocol::{Answer, Query, Reply, Slot, SourceError, Ticket};
use crate::ui::action::Hint::Keys;
use crate::ui::action::{Action, Hint};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::fetch::{Fetch, take};
use crate::ui::grid::Grid;
use crate::ui::skin::Skin;

use super::screen::Screen;
use super::{Go, Step, Subject};

/// The newest rows of the device that are read.
const ROWS: u32 = 200;
/// The rows are read again this often: other programs write them.
const AGAIN: Span = Span::seconds(10);

/// The view's state.
#[derive(Clone, Debug)]
pub struct DevicePage {
    subject: Option<Subject>,
    rows: Fetch<Page>,
    /// What the rows say; `None` before the first answer, and for a device without rows.
    story: Option<Story>,
    grid: Grid<Id>,
    /// When the rows are read again, UTC.
    due: Option<Instant>,
    area: Rect,
}

/// What the rows of a device tell.
#[derive(Clone, Debug)]
struct Story {
    device: Device,
    /// The organization as the newest row has it.
    newest: Arc<RenewalEvent>,
    /// Oldest first.
    certificates: Vec<Certificate>,
    /// Newest first, each with the row that has its error.
    attempts: Vec<(Attempt, Option<Arc<RenewalEvent>>)>,
    /// Rows that were read, and whether there are older ones.
    rows: usize,
    more: bool,
}

impl Default for DevicePage {
    fn default() -> Self {
        Self {
            subject: None,
            rows: Fetch::new(Slot::Device),
            story: None,
            grid: Grid::default(),
            due: None,
            area: Rect::default(),
        }
    }
}

impl Story {
    /// By a page of the device's rows.
    fn of(page: &Page, now: Instant) -> Option<Self> {
        let newest = page.rows.first()?;
        let signed = |event: &RenewalEvent| event.error.as_ref().map(|e| Signature::of(e.text.raw()).id);
        let rows: Vec<Row> = page.rows.iter().rev().filter_map(|event| Row::of(event, signed(event))).collect();
        let begins = if page.more_older { Begins::WithinTable } else { Begins::WithTable };
        let (mut fold, mut attempts) = (Fold::new(begins), Vec::new());
        rows.iter().for_each(|row| fold.add(row.clone(), &mut attempts));
        fold.settle(&mut attempts);
        attempts.extend(fold.open(Patience::default(), now));
        attempts.sort_by_key(|attempt| std::cmp::Reverse(attempt.at()));
        let since = rows.iter().rposition(|row| row.step == RowStep::Succeeded).unwrap_or(0);
        let failed = |attempt: &Attempt| {
            let (end, _) = attempt.end.as_ref()?;
            page.rows.iter().find(|event| event.id == end.id).cloned()
        };
        Some(Self {
            device: Device::of(rows.get(since..)?, !page.more_older)?,
            newest: Arc::clone(newest),
            certificates: timeline(&rows),
            attempts: attempts.into_iter().map(|a| (failed(&a), a)).map(|(row, a)| (a, row)).collect(),
            rows: page.rows.len(),
            more: page.more_older,
        })
    }
}

/// The row that an attempt is known by.
fn key(attempt: &Attempt) -> Option<Id> {
    attempt.start.as_ref().or(attempt.end.as_ref().map(|(mark, _)| mark)).map(|mark| mark.id.clone())
}

impl DevicePage {
    /// Makes it the page of that device. What is on screen of another one is dropped.
    pub fn aim(&mut self, subject: Subject) {
        if self.subject.as_ref().is_none_or(|old| old.id != subject.id) {
            self.rows.clear();
            self.story = None;
            self.grid.reset();
        }
        self.subject = Some(subject);
    }
    /// Whose page it is.
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// Requests the device's newest rows.
    fn request(&mut self, ctx: &Ctx, wait: Duration) -> Step {
        let Some(subject) = &self.subject else { return Step::default() };
        let name = match &subject.id {
            Id::Uuid(id) => NameMatch::Uuid(*id),
            id => NameMatch::Name(Pattern::Is(id.raw())),
        };
        let criteria = Criteria { all: vec![Clause { negated: false, check: Check::Device(vec![name]) }] };
        self.due = Some(ctx.now.plus(AGAIN));
        let query = Query::Page { criteria, anchor: Anchor::Newest, limit: ROWS };
        Step::send([Effect::Send(self.rows.request(query, wait))])
    }

    /// The filter of this device's rows, in all time.
    fn filter(&self) -> Option<Filter> {
        let subject = self.subject.as_ref()?;
        let word = subject.name.as_ref().map_or_else(|| subject.id.raw(), |name| name.raw().to_owned());
        let mut filter = Filter::default();
        filter.only(Field::Device, Some(&word));
        Some(filter)
    }
}

impl Screen for DevicePage {
    fn start(&mut self, ctx: &Ctx) -> Step {
        self.request(ctx, Duration::ZERO)
    }
    fn act(&mut self, action: Action, _: &Ctx) -> Step {
        if self.grid.moves(action) {
            return Step::default();
        }
        match action {
            Action::Open => self.filter().map_or_else(Step::default, |filter| Step::go(Go::Rows(filter))),
            Action::Close => Step::go(Go::Leave),
            Action::Back => Step::go(Go::Back),
            Action::Copy => match &self.subject {
                Some(subject) => Step {
                    effects: vec![Effect::Copy(subject.id.clean())],
                    notice: Some("copied the device's id".to_owned()),
                    ..Step::default()
                },
                None => Step::default(),
            },
            _ => Step::default(),
        }
    }
    fn awaits(&self, ticket: Ticket) -> bool {
        self.rows.awaits(ticket)
    }
    fn reply(&mut self, reply: Reply, ctx: &Ctx) -> Step {
        self.rows.settle(take!(reply.outcome, Answer::Page));
        if let Some(page) = self.rows.value() {
            self.story = Story::of(page, ctx.now);
        }
        let keys = self.story.iter().flat_map(|story| &story.attempts).filter_map(|(a, _)| key(a)).collect();
        self.grid.set(keys);
        Step::default()
    }
    fn arrive(&mut self, rows: Vec<Arc<RenewalEvent>>, _: bool, ctx: &Ctx) -> u64 {
        let own = |row: &Arc<RenewalEvent>| row.device_id() == self.subject.as_ref().map(|subject| &subject.id);
        if rows.iter().any(own) {
            self.due = Some(ctx.now);
        }
        0
    }
    fn tick(&mut self, ctx: &Ctx) -> Step {
        if self.due.is_none_or(|due| due > ctx.now) || self.rows.is_waiting() {
            return Step::default();
        }
        self.request(ctx, Duration::ZERO)
    }
    fn ages(&self, ctx: &Ctx) -> bool {
        let near = |at: Instant| at.since(ctx.now).is_some_and(|span| span.abs() < format::TO_THE_SECOND);
        self.story
            .as_ref()
            .is_some_and(|story| story.device.open.is_some() || story.device.expiry.is_some_and(|(at, _)| near(at)))
    }
    fn settle(&mut self, ctx: &Ctx) -> Step {
        self.area = ctx.body;
        let table = draw::regions(ctx.body, self.story.as_ref()).table;
        self.grid.fit(usize::from(table.height.saturating_sub(1)));
        Step::default()
    }
    fn cancel(&mut self) -> Step {
        if !self.rows.is_waiting() {
            return Step::default();
        }
        self.rows.settle(Err(SourceError::Cancelled));
        Step::send([Effect::Cancel(Slot::Device)])
    }
    fn is_busy(&self) -> bool {
        self.rows.is_waiting()
    }
    fn was_answered(&self) -> bool {
        self.rows.value().is_some()
    }
    fn error(&self) -> Option<&SourceError> {
        self.rows.error()
    }
    fn hints(&self) -> &'static [Hint] {
        &[
            Keys(&[Action::Open], "its events"),
            Keys(&[Action::Down, Action::Up], "move"),
            Keys(&[Action::Copy], "copy its id"),
            Keys(&[Action::Close], "back"),
            Keys(&[Action::NextView], "other views"),
            Keys(&[Action::Help], "help"),
        ]
    }
    fn draw(&self, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) -> Option<Position> {
        draw::draw(self, ctx, skin, buf);
        None
    }
    fn place(&self, _: &Ctx, skin: &Skin) -> (String, bool) {
        let Some(story) = &self.story else { return (String::new(), false) };
        let sign = if story.more { skin.glyphs.at_least } else { "" };
        (format!("{sign}{} events of this device", format::count(story.rows as u64)), self.rows.is_waiting())
    }
}
