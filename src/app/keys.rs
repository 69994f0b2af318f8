//! Keys into actions, and actions into changes of the model.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::domain::filter::{Field, Filter};
use crate::domain::format;
use crate::domain::when::{Range, When};

use super::action::{Action, Preset};
use super::filter_edit::{self, Edited};
use super::msg::Effect;
use super::panes::{self, PaneId};
use super::{Focus, Layer, Model, SETTLE};

impl Model {
    pub(super) fn key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        // Some terminals tell releases too; only a press is meant.
        if key.kind == KeyEventKind::Release {
            return;
        }
        match self.layer {
            Some(Layer::Filter) => return self.filter_key(key, effects),
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
        if self.layer == Some(Layer::Filter) {
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
                self.apply(filter, effects);
            }
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
            KeyCode::Down | KeyCode::Up | KeyCode::PageDown | KeyCode::PageUp | KeyCode::Tab | KeyCode::BackTab => return false,
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
        let (now, zone) = (self.now, self.zone.clone());
        if let Some(pane) = self.panes.get_mut(id) {
            pane.view.cursor = 0;
            effects.extend(pane.ask(&self.filter, |f| f.criteria(now, &zone), SETTLE).map(Effect::Ask));
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
            Action::Top => self.top(effects),
            Action::Bottom => self.bottom(effects),
            Action::Left if self.focus == Focus::Pane(PaneId::Time) => self.step(-1, effects),
            Action::Right if self.focus == Focus::Pane(PaneId::Time) => self.step(1, effects),
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
            other => self.change_filter(other, effects),
        }
    }

    fn page(&self) -> isize {
        match self.focus {
            Focus::List => self.list.view.page(),
            Focus::Detail => self.geometry.detail_rows().saturating_sub(1).max(1) as isize,
            Focus::Pane(id) => self.panes.get(id).map_or(1, |p| p.view.page()),
        }
    }

    fn step(&mut self, delta: isize, effects: &mut Vec<Effect>) {
        match self.focus {
            Focus::List => {
                let more = self.list.step(delta, || self.filter.criteria(self.now, &self.zone));
                effects.extend(more.map(Effect::Ask));
            }
            Focus::Detail => self.detail.scroll = self.detail.scroll.saturating_add_signed(delta),
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
            Focus::Pane(_) => self.step(isize::MIN / 2, effects),
        }
    }

    fn bottom(&mut self, effects: &mut Vec<Effect>) {
        match self.focus {
            Focus::List if self.list.is_whole() => self.step(isize::MAX / 2, effects),
            Focus::List => {
                let criteria = self.criteria();
                effects.push(Effect::Ask(self.list.oldest(criteria)));
            }
            Focus::Detail => self.detail.scroll = usize::MAX / 2,
            Focus::Pane(_) => self.step(isize::MAX / 2, effects),
        }
    }

    fn turn(&mut self, by: isize) {
        let mut ring = vec![Focus::List];
        ring.extend(PaneId::ALL.map(Focus::Pane));
        ring.push(Focus::Detail);
        let at = ring.iter().position(|f| *f == self.focus).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(ring.len() as isize) as usize;
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
            Focus::Pane(_) => self.pick(Pick::Toggle, effects),
        }
    }

    fn close(&mut self) {
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

    fn copy(&mut self, effects: &mut Vec<Effect>) {
        let Some(event) = self.detail.event().or(self.list.selected()) else { return };
        let mut words = vec![
            format::stamp(event.created_at, &self.zone),
            event.kind.clean().to_string(),
            super::list_name(event).to_string(),
            event.id.clean().to_string(),
        ];
        if let Some(error) = &event.error {
            words.push(error.text.clean().to_string());
        }
        let text = words.join("  ");
        let text = text.chars().take(COPY_LIMIT).collect::<String>();
        effects.push(Effect::Copy(crate::domain::text::Clean::line(&text)));
        self.say("the event's line was sent to the terminal's clipboard");
    }

    fn change_filter(&mut self, action: Action, effects: &mut Vec<Effect>) {
        let mut filter = self.filter.clone();
        match action {
            Action::Failures => filter.toggle_failures(),
            Action::DropChip => {
                if let Some(last) = filter.chips().len().checked_sub(1) {
                    filter.drop_chip(last);
                }
            }
            Action::DropAll => filter = Filter::default(),
            Action::Range(preset) => set_preset(&mut filter, preset),
            Action::Include => return self.pick(Pick::Include, effects),
            Action::Exclude => return self.pick(Pick::Exclude, effects),
            Action::Only => return self.pick(Pick::Only, effects),
            _ => return,
        }
        self.apply(filter, effects);
    }

    /// Takes the value under the cursor into the filter or out of it; in the list that is the row's device.
    fn pick(&mut self, how: Pick, effects: &mut Vec<Effect>) {
        let mut filter = self.filter.clone();
        let (field, word) = match self.focus {
            Focus::Pane(PaneId::Time) => {
                let at = self.panes.get(PaneId::Time).map_or(0, |p| p.view.cursor);
                if let Some(preset) = Preset::ALL.get(at) {
                    set_preset(&mut filter, *preset);
                }
                return self.apply(filter, effects);
            }
            Focus::Pane(id) => {
                let Some((field, _)) = id.field() else { return };
                let Some(facet) = self.panes.get(id).and_then(|p| p.current()) else { return };
                (field, panes::filter_word(facet))
            }
            Focus::List | Focus::Detail => {
                let Some(event) = self.list.selected() else { return };
                (Field::Device, Some(event.device.as_ref().map_or_else(|| event.device_id.raw(), |d| d.raw().to_owned())))
            }
        };
        let word = word.as_deref();
        match how {
            Pick::Toggle | Pick::Include => filter.toggle(field, word, true),
            Pick::Exclude => filter.toggle(field, word, false),
            Pick::Only => filter.only(field, word),
        }
        self.apply(filter, effects);
    }
}

/// Characters that are sent to a clipboard at most; terminals drop longer sequences.
const COPY_LIMIT: usize = 16_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pick {
    Toggle,
    Include,
    Exclude,
    Only,
}

fn set_preset(filter: &mut Filter, preset: Preset) {
    let from = preset.since().and_then(|word| When::parse(word).ok());
    filter.set_time(Range { from, until: None });
}
