//! Actions and typed keys of the event view: moves, panes, the detail, the histogram.
//!
//! The shell calls it through [`Views`](crate::views::Views), with the action of a key or with a key that is typed into a
//! line. The keymap decides which key means which action; no default key may be assumed here.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ui::action::Action;
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::ui::input;
use crate::views::{Go, Step, Subject};

use super::changes::Pick;
use super::panes::{Depth, PaneId};
use super::{Events, Focus, SETTLE};

impl Events {
    /// Performs an action. A move acts in the region that has the focus. An action that the view does not know changes
    /// nothing.
    pub fn act(&mut self, action: Action, ctx: &Ctx) -> Step {
        match action {
            Action::Down => self.step(1, ctx),
            Action::Up => self.step(-1, ctx),
            Action::PageDown => self.step(self.page(), ctx),
            Action::PageUp => self.step(-self.page(), ctx),
            Action::HalfDown => self.step(self.page() / 2, ctx),
            Action::HalfUp => self.step(-(self.page() / 2), ctx),
            Action::Top | Action::Bottom => {
                let inverted = self.oldest_first && self.focus == Focus::List;
                if (action == Action::Top) != inverted { self.top(ctx) } else { self.bottom(ctx) }
            }
            Action::Left if self.is_sideways() => self.step(-1, ctx),
            Action::Right if self.is_sideways() => self.step(1, ctx),
            Action::Left | Action::Right => Step::default(),
            Action::Histogram => self.done(|v| v.focus_bars(v.focus != Focus::Histogram)),
            Action::PrevBucket => self.done(|v| v.step_bucket(-1)),
            Action::NextBucket => self.done(|v| v.step_bucket(1)),
            Action::ZoomIn => self.zoom(true, ctx),
            Action::ZoomOut => self.zoom(false, ctx),
            Action::NextPane => self.done(|v| v.turn(1)),
            Action::PrevPane => self.done(|v| v.turn(-1)),
            Action::Open => self.open(ctx),
            Action::Back if self.focus == Focus::List => Step::go(Go::Back),
            Action::Close if self.focus == Focus::List => Step::go(Go::Leave),
            Action::Device => self.subject().map_or_else(|| Step::say("no device here"), |s| Step::go(Go::Device(s))),
            Action::Close | Action::Back => self.done(Self::close),
            Action::EditFilter => self.done(Self::narrow),
            Action::NextFailure => self.seek_failure(false, ctx),
            Action::PrevFailure => self.seek_failure(true, ctx),
            Action::Follow => self.follow(ctx),
            Action::Copy => self.copy(ctx),
            Action::Sort => Step::say("sorted by the time of the event: no index of this table supports another order"),
            Action::Invert => {
                self.oldest_first = !self.oldest_first;
                Step::say(if self.oldest_first { "oldest at the top" } else { "newest at the top" })
            }
            Action::NextMatch => self.next_match(1, ctx),
            Action::PrevMatch => self.next_match(-1, ctx),
            other => self.change_filter(other, ctx),
        }
    }

    /// The device of the selected event.
    fn subject(&self) -> Option<Subject> {
        let row = self.list.selected()?;
        Some(Subject { id: row.device_id()?.clone(), name: row.device.clone() })
    }

    /// Makes a change that sends no query.
    fn done(&mut self, change: impl FnOnce(&mut Self)) -> Step {
        change(self);
        Step::default()
    }

    /// Whether `/` narrows a pane instead of editing the filter.
    pub fn narrows(&self) -> bool {
        matches!(self.focus, Focus::Pane(id) if id != PaneId::Time)
    }

    /// Directs the keys that follow to the needle of the pane in focus.
    fn narrow(&mut self) {
        if let Focus::Pane(id) = self.focus
            && let Some(pane) = self.panes.get_mut(id)
        {
            pane.narrowing = true;
        }
    }

    /// A key while a pane's needle is typed; `None` if the key is for the pane itself. Moves over the values, Ctrl-C
    /// and Ctrl-Z are for the pane. Esc removes the needle; Enter picks the value under the cursor.
    pub fn typed(&mut self, key: KeyEvent, ctx: &Ctx) -> Option<Step> {
        let id = self.pane_focus()?;
        let pane = self.panes.get_mut(id).filter(|pane| pane.narrowing)?;
        match key.code {
            KeyCode::Down | KeyCode::Up | KeyCode::PageDown | KeyCode::PageUp | KeyCode::Tab | KeyCode::BackTab => None,
            KeyCode::Char('c' | 'z') if key.modifiers.contains(KeyModifiers::CONTROL) => None,
            KeyCode::Esc => {
                pane.narrowing = false;
                pane.needle.reset();
                Some(self.narrowed(id, ctx))
            }
            KeyCode::Enter => {
                pane.narrowing = false;
                Some(self.open(ctx))
            }
            _ => {
                let before = pane.needle.value().to_owned();
                input::edit(&mut pane.needle, key);
                let changed = pane.needle.value() != before;
                Some(if changed { self.narrowed(id, ctx) } else { Step::default() })
            }
        }
    }

    /// Pasted text, for a needle that is being typed. Without one the text is dropped: it must not act as keys.
    pub fn paste(&mut self, text: &str, ctx: &Ctx) -> Step {
        let Some(id) = self.pane_focus() else { return Step::default() };
        let Some(pane) = self.panes.get_mut(id).filter(|pane| pane.narrowing) else { return Step::default() };
        let _ = input::paste(&mut pane.needle, text);
        self.narrowed(id, ctx)
    }

    /// Lists the values for a changed needle, from the first one. The query waits [`SETTLE`] for the next key.
    fn narrowed(&mut self, id: PaneId, ctx: &Ctx) -> Step {
        let Some(pane) = self.panes.get_mut(id) else { return Step::default() };
        pane.view.cursor = 0;
        Step::send(pane.request(ctx, Depth::Whole, SETTLE).map(Effect::Send))
    }

    /// In the list every row matches the filter; in the detail, the next line of the error that has its words. `by` is
    /// 1 towards older rows or later lines, and -1 for the other direction.
    fn next_match(&mut self, by: isize, ctx: &Ctx) -> Step {
        if self.focus != Focus::Detail {
            return self.step(by, ctx);
        }
        if self.needles().is_empty() {
            return Step::say("the filter searches for no text; '/' adds words");
        }
        let (needles, rows) = (self.needles().clone(), self.geometry.detail_rows());
        if self.detail.seek(by, &needles, rows) {
            return Step::default();
        }
        Step::say("no further match in this event")
    }

    /// Whether the region in focus is a single line, in which left and right move.
    fn is_sideways(&self) -> bool {
        matches!(self.focus, Focus::Histogram | Focus::Pane(PaneId::Time))
    }

    /// How many rows, lines or buckets a page is in the region in focus; at least 1.
    fn page(&self) -> isize {
        match self.focus {
            Focus::List => self.list.view.page(),
            Focus::Histogram => 10,
            Focus::Detail => self.geometry.detail_rows().saturating_sub(1).max(1) as isize,
            Focus::Pane(id) => self.panes.get(id).map_or(1, |p| p.view.page()),
        }
    }

    /// Moves down or to the right in the region in focus; up or to the left if `delta` is negative. The window is
    /// always newest first, so the sign changes where the list is drawn oldest first.
    fn step(&mut self, delta: isize, ctx: &Ctx) -> Step {
        match self.focus {
            Focus::List => {
                let delta = if self.oldest_first { -delta } else { delta };
                return Step::send(self.list.step(delta, || ctx.criteria()).map(Effect::Send));
            }
            Focus::Detail => self.detail.scroll = self.detail.scroll.saturating_add_signed(delta),
            Focus::Histogram => self.bars.step(delta),
            Focus::Pane(id) => {
                if let Some(pane) = self.panes.get_mut(id) {
                    let len = pane.len();
                    pane.view.step(delta, len);
                }
            }
        }
        Step::default()
    }

    /// Goes to the newest row and follows, or to the first line or value. Sends a query only if the newest row is not
    /// loaded.
    fn top(&mut self, ctx: &Ctx) -> Step {
        match self.focus {
            Focus::List if self.list.follow_here() => Step::default(),
            Focus::List => Step::send([Effect::Send(self.list.newest(ctx.criteria(), std::time::Duration::ZERO))]),
            Focus::Detail => self.done(|v| v.detail.scroll = 0),
            Focus::Pane(_) | Focus::Histogram => self.step(isize::MIN / 2, ctx),
        }
    }

    /// Goes to the oldest row of the whole result, or to the last line or value. Sends a query unless all rows are
    /// loaded.
    fn bottom(&mut self, ctx: &Ctx) -> Step {
        match self.focus {
            Focus::List if self.list.is_whole() => {
                Step::send(self.list.step(isize::MAX / 2, || ctx.criteria()).map(Effect::Send))
            }
            Focus::List => Step::send([Effect::Send(self.list.oldest(ctx.criteria()))]),
            Focus::Detail => self.done(|v| v.detail.scroll = usize::MAX / 2),
            Focus::Pane(_) | Focus::Histogram => self.step(isize::MAX / 2, ctx),
        }
    }

    /// Moves the focus along list, panes and detail. The detail ends follow mode, so that the event in it stays the
    /// same.
    fn turn(&mut self, by: isize) {
        let mut ring = vec![Focus::List];
        ring.extend(PaneId::ALL.map(Focus::Pane));
        ring.push(Focus::Detail);
        let at = ring.iter().position(|f| *f == self.focus).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(ring.len() as isize) as usize;
        self.bars.focus(false);
        self.focus = ring.get(next).copied().unwrap_or_default();
        if self.focus == Focus::Detail {
            self.list.unfollow();
        }
    }

    /// Opens the event, zooms into the bucket, or picks the value under the cursor; in the detail, goes back to the
    /// list.
    fn open(&mut self, ctx: &Ctx) -> Step {
        match self.focus {
            Focus::List if self.list.selected().is_some() => self.done(|v| {
                v.list.unfollow();
                v.focus = Focus::Detail;
            }),
            Focus::List => Step::default(),
            Focus::Detail => self.done(Self::close),
            Focus::Histogram => self.open_bucket(ctx),
            Focus::Pane(_) => self.pick(Pick::Toggle, ctx),
        }
    }

    /// Returns to the list from any region.
    fn close(&mut self) {
        if self.focus == Focus::Detail {
            // The small detail below the list begins at its first line.
            self.detail.scroll = 0;
        }
        self.bars.focus(false);
        self.focus = Focus::List;
    }

    /// Follows the newest row from now on, or stops if the list follows already.
    fn follow(&mut self, ctx: &Ctx) -> Step {
        if self.list.is_following() {
            self.list.unfollow();
            return Step::say("not following; 'f' or 'g' follows again");
        }
        self.focus = Focus::List;
        self.top(ctx)
    }
}
