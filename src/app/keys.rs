//! Keys into actions, and actions into changes of the model.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::domain::format;

use super::action::Action;
use super::changes::Pick;
use super::columns::COLUMNS;
use super::filter_edit::{self, Edited};
use super::msg::Effect;
use super::panes::{Depth, PaneId};
use super::prompt::{Ask, Command, Prompt, Prompted, TimeAnswer};
use super::{Focus, Layer, Model, SETTLE};

impl Model {
    pub(super) fn key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        // Some terminals tell releases too; only a press is meant.
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.notice = None;
        match self.layer {
            Some(Layer::Filter) => return self.filter_key(key, effects),
            Some(Layer::Prompt) => return self.prompt_key(key, effects),
            Some(Layer::Columns) => return self.columns_key(key, effects),
            Some(Layer::Help) => return self.help_key(key, effects),
            None => {}
        }
        if self.narrowing().is_some() && self.narrow_key(key, effects) {
            return;
        }
        if let Some(action) = self.keymap.action(&key) {
            self.act(action, effects);
        }
    }

    pub(super) fn paste(&mut self, text: &str, effects: &mut Vec<Effect>) {
        if self.layer == Some(Layer::Prompt) {
            filter_edit::paste(&mut self.prompt.input, text);
        } else if self.layer == Some(Layer::Filter) {
            self.edit.paste(text);
            self.offer(effects);
        } else if let Some((id, _)) = self.narrowing()
            && let Some(pane) = self.panes.get_mut(id)
        {
            filter_edit::paste(&mut pane.needle, text);
            self.narrowed(id, effects);
        }
    }

    fn filter_key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        match self.edit.key(key) {
            Edited::Open => self.offer(effects),
            Edited::Left => self.layer = None,
            Edited::Apply(filter) => {
                self.layer = None;
                effects.extend(self.edit.last().filter(|_| !filter.is_empty()).cloned().map(Effect::Remember));
                self.apply(filter, effects);
            }
        }
    }

    fn prompt_key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        let choices = self.prompt.commands(&self.views, &self.databases).len();
        match self.prompt.key(key, choices) {
            Prompted::Open => {}
            Prompted::Left => self.layer = None,
            Prompted::Done if self.prompt.ask == Ask::Command => {
                self.layer = None;
                match self.prompt.commands(&self.views, &self.databases).get(self.prompt.cursor).copied() {
                    Some(Command::Action(spec)) => self.act(spec.action, effects),
                    Some(Command::View(_, filter)) => {
                        let filter = filter.clone();
                        self.apply(filter, effects);
                    }
                    Some(Command::Open(name)) => effects.push(Effect::Open(name.to_owned())),
                    None => self.say("no such command; ? shows them all"),
                }
            }
            Prompted::Done => match self.prompt.time(self.now, &self.zone) {
                Err(error) => self.prompt.error = Some(error),
                Ok(TimeAnswer::Range(range)) => {
                    self.layer = None;
                    let mut filter = self.filter.clone();
                    filter.set_time(range);
                    self.apply(filter, effects);
                }
                Ok(TimeAnswer::Jump(at)) => {
                    self.layer = None;
                    self.focus = Focus::List;
                    let criteria = self.criteria();
                    effects.push(Effect::Ask(self.list.jump(at, criteria)));
                }
            },
        }
    }

    fn columns_key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        let last = COLUMNS.len() - 1;
        match self.keymap.action(&key) {
            Some(Action::Down) => self.columns.cursor = (self.columns.cursor + 1).min(last),
            Some(Action::Up) => self.columns.cursor = self.columns.cursor.saturating_sub(1),
            Some(Action::Open | Action::Pause | Action::Include | Action::Exclude) => {
                self.columns.toggle();
                effects.push(Effect::KeepColumns(self.columns.names()));
            }
            Some(Action::Columns | Action::Close | Action::Back | Action::Cancel) => self.layer = None,
            Some(Action::Suspend) => effects.push(Effect::Suspend),
            _ => {}
        }
    }

    /// In the list every row is a match of the filter; in the detail, the next line of the error that has its words.
    fn next_match(&mut self, by: isize, effects: &mut Vec<Effect>) {
        if self.focus != Focus::Detail {
            return self.step(by, effects);
        }
        if self.needles.is_empty() {
            return self.say("the filter looks for no text; '/' adds words");
        }
        if !self.detail.seek(by, &self.needles, self.geometry.detail_rows()) {
            self.say("no further match in this event");
        }
    }

    fn help_key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        match self.keymap.action(&key) {
            Some(Action::Down) => self.help_scroll += 1,
            Some(Action::Up) => self.help_scroll = self.help_scroll.saturating_sub(1),
            Some(Action::PageDown | Action::HalfDown) => self.help_scroll += 10,
            Some(Action::PageUp | Action::HalfUp) => self.help_scroll = self.help_scroll.saturating_sub(10),
            Some(Action::Help | Action::Close | Action::Back | Action::Cancel | Action::Open) => self.layer = None,
            Some(Action::Suspend) => effects.push(Effect::Suspend),
            _ => {}
        }
    }

    /// A key while a pane's needle is typed; `false` when the key is for the pane itself.
    fn narrow_key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
        let Some(id) = self.pane_focus() else { return false };
        let Some(pane) = self.panes.get_mut(id) else { return false };
        match key.code {
            KeyCode::Down | KeyCode::Up | KeyCode::PageDown | KeyCode::PageUp | KeyCode::Tab | KeyCode::BackTab => {
                return false;
            }
            KeyCode::Char('c' | 'z') if key.modifiers.contains(KeyModifiers::CONTROL) => return false,
            KeyCode::Esc => {
                pane.narrowing = false;
                pane.needle.reset();
                self.narrowed(id, effects);
            }
            KeyCode::Enter => {
                pane.narrowing = false;
                self.act(Action::Open, effects);
            }
            _ => {
                let before = pane.needle.value().to_owned();
                filter_edit::edit(&mut pane.needle, key);
                if pane.needle.value() != before {
                    self.narrowed(id, effects);
                }
            }
        }
        true
    }

    fn narrowed(&mut self, id: PaneId, effects: &mut Vec<Effect>) {
        let (now, zone) = (self.now, self.zone);
        if let Some(pane) = self.panes.get_mut(id) {
            pane.view.cursor = 0;
            effects.extend(pane.ask(&self.filter, |f| f.criteria(now, &zone), (Depth::Whole, SETTLE)).map(Effect::Ask));
        }
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match action {
            Action::Down => self.step(1, effects),
            Action::Up => self.step(-1, effects),
            Action::PageDown => self.step(self.page(), effects),
            Action::PageUp => self.step(-self.page(), effects),
            Action::HalfDown => self.step(self.page() / 2, effects),
            Action::HalfUp => self.step(-(self.page() / 2), effects),
            Action::Top | Action::Bottom => {
                let inverted = self.oldest_first && self.focus == Focus::List;
                if (action == Action::Top) != inverted { self.top(effects) } else { self.bottom(effects) }
            }
            Action::Left if self.is_sideways() => self.step(-1, effects),
            Action::Right if self.is_sideways() => self.step(1, effects),
            Action::Histogram => self.turn_to_bars(self.focus != Focus::Histogram),
            Action::PrevBucket => self.step_bucket(-1),
            Action::NextBucket => self.step_bucket(1),
            Action::ZoomIn => self.zoom(true, effects),
            Action::ZoomOut => self.zoom(false, effects),
            Action::Left | Action::Right => {}
            Action::NextPane => self.turn(1),
            Action::PrevPane => self.turn(-1),
            Action::Open => self.open(effects),
            Action::Close => self.close(),
            Action::Back if self.focus == Focus::List => effects.push(Effect::Quit),
            Action::Back => self.close(),
            Action::Cancel => self.cancel(effects),
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Help => {
                self.layer = Some(Layer::Help);
                self.help_scroll = 0;
            }
            Action::EditFilter => self.edit_filter(),
            Action::NextFailure => self.seek_failure(false, effects),
            Action::PrevFailure => self.seek_failure(true, effects),
            Action::Follow => self.follow(effects),
            Action::Pause => self.pause(effects),
            Action::Refresh => self.ask_again(effects),
            Action::Zone => {
                std::mem::swap(&mut self.zone, &mut self.other_zone);
                self.say(format!("times in {}", self.zone.name()));
            }
            Action::Copy => self.copy(effects),
            Action::CopyCommand => self.copy_command(effects),
            Action::Earlier => self.wander(true, effects),
            Action::Later => self.wander(false, effects),
            Action::TimeDialog => self.ask(Ask::Time),
            Action::Palette => self.ask(Ask::Command),
            Action::Sort => self.say("sorted by the time of the event: no index of this table carries another order"),
            Action::Invert => {
                self.oldest_first = !self.oldest_first;
                self.say(if self.oldest_first { "oldest at the top" } else { "newest at the top" });
            }
            Action::Columns => self.layer = Some(Layer::Columns),
            Action::NextMatch => self.next_match(1, effects),
            Action::PrevMatch => self.next_match(-1, effects),
            other => self.change_filter(other, effects),
        }
    }

    fn is_sideways(&self) -> bool {
        matches!(self.focus, Focus::Histogram | Focus::Pane(PaneId::Time))
    }

    fn page(&self) -> isize {
        match self.focus {
            Focus::List => self.list.view.page(),
            Focus::Histogram => 10,
            Focus::Detail => self.geometry.detail_rows().saturating_sub(1).max(1) as isize,
            Focus::Pane(id) => self.panes.get(id).map_or(1, |p| p.view.page()),
        }
    }

    fn step(&mut self, delta: isize, effects: &mut Vec<Effect>) {
        match self.focus {
            Focus::List => {
                let delta = if self.oldest_first { -delta } else { delta };
                let more = self.list.step(delta, || self.filter.criteria(self.now, &self.zone));
                effects.extend(more.map(Effect::Ask));
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
    }

    fn top(&mut self, effects: &mut Vec<Effect>) {
        match self.focus {
            Focus::List => {
                if !self.list.follow_here() {
                    let criteria = self.criteria();
                    effects.push(Effect::Ask(self.list.newest(criteria, std::time::Duration::ZERO)));
                }
            }
            Focus::Detail => self.detail.scroll = 0,
            Focus::Pane(_) | Focus::Histogram => self.step(isize::MIN / 2, effects),
        }
    }

    fn bottom(&mut self, effects: &mut Vec<Effect>) {
        match self.focus {
            Focus::List if self.list.is_whole() => {
                let more = self.list.step(isize::MAX / 2, || self.filter.criteria(self.now, &self.zone));
                effects.extend(more.map(Effect::Ask));
            }
            Focus::List => {
                let criteria = self.criteria();
                effects.push(Effect::Ask(self.list.oldest(criteria)));
            }
            Focus::Detail => self.detail.scroll = usize::MAX / 2,
            Focus::Pane(_) | Focus::Histogram => self.step(isize::MAX / 2, effects),
        }
    }

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

    fn open(&mut self, effects: &mut Vec<Effect>) {
        match self.focus {
            Focus::List => {
                if self.list.selected().is_some() {
                    self.list.unfollow();
                    self.focus = Focus::Detail;
                }
            }
            Focus::Detail => self.close(),
            Focus::Histogram => self.narrow_to_bucket(effects),
            Focus::Pane(_) => self.pick(Pick::Toggle, effects),
        }
    }

    fn close(&mut self) {
        self.bars.focus(false);
        self.focus = Focus::List;
    }

    fn cancel(&mut self, effects: &mut Vec<Effect>) {
        if !self.is_busy() {
            return effects.push(Effect::Quit);
        }
        self.list.cancel();
        self.bars.cancel();
        for slot in [crate::protocol::Slot::List, crate::protocol::Slot::Histogram] {
            effects.push(Effect::Cancel(slot));
        }
        if self.count.is_waiting() {
            self.count.clear();
            effects.push(Effect::Cancel(crate::protocol::Slot::Count));
        }
        if self.seek.is_waiting() {
            self.seek.clear();
            effects.push(Effect::Cancel(crate::protocol::Slot::Seek));
        }
        for pane in self.panes.all.iter_mut().filter(|p| p.facets.is_waiting()) {
            pane.facets.clear();
            effects.extend(pane.id.field().map(|(_, f)| Effect::Cancel(crate::protocol::Slot::Facets(f))));
        }
        self.say("cancelled");
    }

    fn edit_filter(&mut self) {
        if let Focus::Pane(id) = self.focus
            && id != PaneId::Time
            && let Some(pane) = self.panes.get_mut(id)
        {
            pane.narrowing = true;
            return;
        }
        self.layer = Some(Layer::Filter);
        self.edit.open(&self.filter);
        let known = self.candidates();
        self.edit.offer(&known);
    }

    fn follow(&mut self, effects: &mut Vec<Effect>) {
        if self.list.is_following() {
            self.list.unfollow();
            self.say("not following; 'f' or 'g' follows again");
        } else {
            self.focus = Focus::List;
            self.tail.paused = false;
            self.top(effects);
        }
    }

    fn pause(&mut self, effects: &mut Vec<Effect>) {
        self.tail.paused = !self.tail.paused;
        if self.tail.paused {
            return;
        }
        let held = std::mem::take(&mut self.tail.held);
        if held > 0 {
            self.say(format!("resumed; {} came meanwhile", format::count(held)));
            self.ask_again(effects);
        }
    }

    fn ask(&mut self, ask: Ask) {
        self.prompt = Prompt::new(ask);
        self.layer = Some(Layer::Prompt);
    }
}
