//! Keys: to the open layer, else by the keymap to the shell's own actions, else to the view.
//!
//! Called by [`Model::update`] for keys and pasted text. An open layer takes all keys, so that a text being typed never
//! acts as commands; pasted text is inserted and never acts as keys.

use crossterm::event::{KeyEvent, KeyEventKind};

use crate::domain::format;
use crate::domain::text::{Clean, is_unsafe};
use crate::domain::when::{Range, When};
use crate::ui::action::Action;
use crate::ui::effect::Effect;
use crate::ui::input;
use crate::views::ViewId;

use super::filter_edit::{Edited, FilterEdit};
use super::palette::{Command, Palette, Typed};
use super::prompt::{TimeAnswer, TimePrompt};
use super::{Layer, Model};

impl Model {
    /// Takes a key press. Any press ends the notice.
    pub(super) fn key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        // Some terminals report releases too; only a press counts.
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.notice = None;
        match self.layer.take() {
            Some(Layer::Filter(edit)) => self.filter_key(edit, key, effects),
            Some(Layer::Time(prompt)) => self.time_key(prompt, key, effects),
            Some(Layer::Palette(palette)) => self.palette_key(palette, key, effects),
            Some(Layer::Columns(cursor)) => self.columns_key(cursor, key, effects),
            Some(Layer::Help(scroll)) => self.help_key(scroll, key, effects),
            None => match self.views.typed(key, &self.ctx) {
                Some(step) => self.take(step, effects),
                None => {
                    if let Some(action) = self.settings.keymap.action(&key) {
                        self.act(action, effects);
                    }
                }
            },
        }
    }

    /// Inserts pasted text into the line that is being typed. Help and the choice of columns drop it; without a layer,
    /// the view takes it.
    pub(super) fn paste(&mut self, text: &str, effects: &mut Vec<Effect>) {
        match &mut self.layer {
            Some(Layer::Filter(edit)) => {
                let fits = edit.paste(text);
                let known = self.views.candidates();
                effects.extend(edit.offer(known).map(Effect::Send));
                if !fits {
                    self.say(format!("cut: a filter has at most {} characters", format::count(input::LIMIT as u64)));
                }
            }
            Some(Layer::Time(prompt)) => drop(input::paste(&mut prompt.input, text)),
            Some(Layer::Palette(palette)) => drop(input::paste(&mut palette.input, text)),
            Some(Layer::Columns(_) | Layer::Help(_)) => {}
            None => {
                let step = self.views.paste(text, &self.ctx);
                self.take(step, effects);
            }
        }
    }

    /// A key in the filter editor. An applied filter is remembered for this run and, unless empty, for later ones.
    fn filter_key(&mut self, mut edit: Box<FilterEdit>, key: KeyEvent, effects: &mut Vec<Effect>) {
        match edit.key(key) {
            Edited::Open => {
                effects.extend(edit.offer(self.views.candidates()).map(Effect::Send));
                self.layer = Some(Layer::Filter(edit));
            }
            Edited::Left => {}
            Edited::Apply(filter) => {
                self.history.remember(edit.input.value().trim().to_owned());
                if !filter.is_empty() {
                    effects.push(Effect::Remember(edit.input.value().trim().to_owned()));
                }
                self.apply(filter, effects);
            }
        }
    }

    /// A key in the time dialog. A range goes into the filter; a time after `@` moves the list only.
    fn time_key(&mut self, mut prompt: TimePrompt, key: KeyEvent, effects: &mut Vec<Effect>) {
        match prompt.key(key) {
            Typed::Left => {}
            Typed::Open => self.layer = Some(Layer::Time(prompt)),
            Typed::Done => match prompt.answer(self.ctx.now, &self.ctx.zone) {
                Err(error) => self.layer = Some(Layer::Time(TimePrompt { error: Some(error), ..prompt })),
                Ok(TimeAnswer::Range(range)) => {
                    let mut filter = self.ctx.filter.clone();
                    filter.set_time(range);
                    self.apply(filter, effects);
                }
                Ok(TimeAnswer::Jump(at)) => {
                    let step = self.views.jump(at, &self.ctx);
                    self.take(step, effects);
                }
            },
        }
    }

    /// A key in the palette. The command under the cursor acts after the palette has closed.
    fn palette_key(&mut self, mut palette: Palette, key: KeyEvent, effects: &mut Vec<Effect>) {
        let choices = palette.commands(&self.settings).len();
        match palette.key(key, choices) {
            Typed::Left => {}
            Typed::Open => self.layer = Some(Layer::Palette(palette)),
            Typed::Done => match palette.commands(&self.settings).get(palette.cursor).copied() {
                Some(Command::Action(spec)) => self.act(spec.action, effects),
                Some(Command::Go(spec)) => self.open_beside(spec.id, effects),
                Some(Command::View(_, filter)) => {
                    let filter = filter.clone();
                    self.apply(filter, effects);
                }
                Some(Command::Open(name)) => effects.push(Effect::Open(name.to_owned())),
                None => self.say("no such command; ? lists all"),
            },
        }
    }

    /// A key in the choice of columns, by its action. A column appears or disappears at once.
    fn columns_key(&mut self, cursor: usize, key: KeyEvent, effects: &mut Vec<Effect>) {
        let last = self.views.columns().len().saturating_sub(1);
        let cursor = match self.settings.keymap.action(&key) {
            Some(Action::Down) => (cursor + 1).min(last),
            Some(Action::Up) => cursor.saturating_sub(1),
            Some(Action::Open | Action::Pause | Action::Include | Action::Exclude) => {
                let step = self.views.toggle_column(cursor);
                self.take(step, effects);
                cursor
            }
            Some(Action::Columns | Action::Close | Action::Back | Action::Cancel) => return,
            Some(Action::Suspend) => {
                effects.push(Effect::Suspend);
                cursor
            }
            _ => cursor,
        };
        self.layer = Some(Layer::Columns(cursor));
    }

    /// A key in the help, by its action. Drawing limits the scroll offset.
    fn help_key(&mut self, scroll: usize, key: KeyEvent, effects: &mut Vec<Effect>) {
        let scroll = match self.settings.keymap.action(&key) {
            Some(Action::Down) => scroll + 1,
            Some(Action::Up) => scroll.saturating_sub(1),
            Some(Action::PageDown | Action::HalfDown) => scroll + 10,
            Some(Action::PageUp | Action::HalfUp) => scroll.saturating_sub(10),
            Some(Action::Help | Action::Close | Action::Back | Action::Cancel | Action::Open) => return,
            Some(Action::Suspend) => {
                effects.push(Effect::Suspend);
                scroll
            }
            _ => scroll,
        };
        self.layer = Some(Layer::Help(scroll));
    }

    /// Performs an action: the shell's own, or the view's.
    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match action {
            Action::Cancel => self.cancel(effects),
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Help => self.layer = Some(Layer::Help(0)),
            Action::Columns if self.views.columns().is_empty() => self.say("this view has no columns to choose"),
            Action::Columns => self.layer = Some(Layer::Columns(0)),
            Action::TimeDialog => self.layer = Some(Layer::Time(TimePrompt::default())),
            Action::Palette => self.layer = Some(Layer::Palette(Palette::default())),
            Action::EditFilter if !self.views.narrows() => self.edit_filter(effects),
            Action::Pause => self.pause(effects),
            Action::Refresh => self.refresh(effects),
            Action::Zone => {
                std::mem::swap(&mut self.ctx.zone, &mut self.settings.other_zone);
                self.say(format!("times in {}", self.ctx.zone.name()));
            }
            Action::CopyCommand => self.copy_command(effects),
            Action::More => self.survey_more(effects),
            Action::NextView => self.open_beside(self.views.top().next(), effects),
            Action::Earlier => self.walk_history(true, effects),
            Action::Later => self.walk_history(false, effects),
            action => {
                if action == Action::Follow && !self.views.following().on && self.tail.paused {
                    self.pause(effects);
                }
                let step = self.views.act(action, &self.ctx);
                self.take(step, effects);
            }
        }
    }

    /// Gives up the view's queries, also in the database; quits if none is in flight.
    fn cancel(&mut self, effects: &mut Vec<Effect>) {
        if !self.is_busy() {
            return effects.push(Effect::Quit);
        }
        let step = self.views.cancel();
        self.take(step, effects);
        self.say("cancelled");
    }

    /// Opens the editor on the filter in force, and requests device names if the cursor is in one.
    fn edit_filter(&mut self, effects: &mut Vec<Effect>) {
        let mut edit = Box::new(FilterEdit::new(&self.ctx.filter, self.history.typed().to_vec(), self.editors));
        self.editors += 1;
        effects.extend(edit.offer(self.views.candidates()).map(Effect::Send));
        self.layer = Some(Layer::Filter(edit));
    }

    /// Holds new rows back, or shows them again. Held rows are only counted, so resuming reads them with a refresh.
    fn pause(&mut self, effects: &mut Vec<Effect>) {
        self.tail.paused = !self.tail.paused;
        if self.tail.paused {
            return;
        }
        let held = std::mem::take(&mut self.tail.held);
        if held > 0 {
            self.say(format!("Resumed, {} new {}", format::count(held), if held == 1 { "event" } else { "events" }));
            self.refresh(effects);
        }
    }

    /// Copies the command line that prints what the view shows. Every relative time is made absolute, so that the command
    /// means the same tomorrow.
    fn copy_command(&mut self, effects: &mut Vec<Effect>) {
        let mut filter = self.ctx.filter.clone();
        let command = match self.views.top() {
            ViewId::Events | ViewId::Device => "list",
            ViewId::Devices => "devices",
            ViewId::Errors => "errors",
            ViewId::Attempts => "attempts",
        };
        match self.views.top() {
            // Devices are as they stand now.
            ViewId::Devices => filter.set_time(Range::default()),
            ViewId::Errors | ViewId::Attempts if filter.range() == Range::default() => {
                let from = self.ctx.known.survey.value().and_then(|found| found.report.covered_from);
                let until = Some(When::At(self.ctx.now));
                filter.set_time(Range { from: from.map(When::At), until });
            }
            _ => {}
        }
        let filter = filter.absolute(self.ctx.now, &self.ctx.zone).to_string();
        let mut words = vec!["renewscope".to_owned(), command.to_owned()];
        words.extend((!self.ctx.reach.is_empty()).then(|| self.ctx.reach.clone()));
        let zone = self.ctx.zone.name();
        // A rule of `TZ` may hold signs that a shell takes for redirections.
        let is_plain = zone.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+'));
        words.push(format!("--tz {}", if is_plain { zone.to_owned() } else { shell_quoted(zone) }));
        words.extend((!filter.is_empty()).then(|| format!("-- {}", shell_quoted(&filter))));
        let command = words.join(" ");
        if command.chars().any(is_unsafe) {
            return self.say("not copied: the filter has characters that are unsafe to paste into a terminal");
        }
        effects.push(Effect::Copy(Clean::line(&command)));
        self.say(format!("Copied command: {command}"));
    }
}

/// One word of a POSIX shell. Nothing within the quotes is expanded.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
