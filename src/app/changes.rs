//! Changes of the filter by keys, and what is copied.

use crate::domain::filter::{Field, Filter};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;
use crate::domain::when::{Range, When};

use super::action::{Action, Preset};
use super::msg::Effect;
use super::panes::{self, PaneId};
use super::{Focus, Model};

impl Model {
    pub(super) fn copy(&mut self, effects: &mut Vec<Effect>) {
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
        effects.push(Effect::Copy(Clean::line(&text)));
        self.say("the event's line was sent to the terminal's clipboard");
    }

    /// The command line that lists the same events: every relative time made absolute, so that it says the same tomorrow.
    pub(super) fn copy_command(&mut self, effects: &mut Vec<Effect>) {
        let filter = self.filter.absolute(self.now, &self.zone).to_string();
        let mut words = vec!["renewscope".to_owned(), "list".to_owned()];
        words.extend((!self.reach.is_empty()).then(|| self.reach.clone()));
        let zone = self.zone.name();
        // A rule of `TZ` may hold signs that a shell takes for redirections.
        let is_plain = zone.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+'));
        words.push(format!("--tz {}", if is_plain { zone.to_owned() } else { shell_quoted(zone) }));
        words.extend((!filter.is_empty()).then(|| format!("-- {}", shell_quoted(&filter))));
        let command = words.join(" ");
        if command.chars().any(crate::domain::text::is_unsafe) {
            return self.say("this filter has characters that no terminal should paste; it was not copied");
        }
        effects.push(Effect::Copy(Clean::line(&command)));
        self.say(format!("sent to the terminal's clipboard: {command}"));
    }

    pub(super) fn change_filter(&mut self, action: Action, effects: &mut Vec<Effect>) {
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
    pub(super) fn pick(&mut self, how: Pick, effects: &mut Vec<Effect>) {
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
            Focus::List | Focus::Detail | Focus::Histogram => {
                let Some(event) = self.list.selected() else { return };
                (
                    Field::Device,
                    Some(event.device.as_ref().map_or_else(|| event.device_id.raw(), |d| d.raw().to_owned())),
                )
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

    /// To the histogram, or back to the list.
    pub(super) fn turn_to_bars(&mut self, on: bool) {
        let on = on && self.geometry.histogram.height > 0 && self.bars.scale().is_some();
        self.focus = if on { Focus::Histogram } else { Focus::List };
        self.bars.focus(on);
    }

    pub(super) fn step_bucket(&mut self, by: isize) {
        if self.focus == Focus::Histogram {
            self.bars.step(by);
        } else {
            self.turn_to_bars(true);
        }
    }

    pub(super) fn narrow_to_bucket(&mut self, effects: &mut Vec<Effect>) {
        let Some((from, until)) = self.bars.bucket() else { return };
        self.look_at(from, until, effects);
        self.turn_to_bars(false);
    }

    /// Halves or doubles the range that is shown, around the bucket under the cursor or, without one, its newest end.
    pub(super) fn zoom(&mut self, closer: bool, effects: &mut Vec<Effect>) {
        let Some((from, until)) = self.bars.range() else { return };
        let Some(length) = until.since(from) else { return };
        let length = if closer { Span(length.0 / 2) } else { Span(length.0.saturating_mul(2)) };
        if length < Span::seconds(1) {
            return self.say("no closer: a second is the smallest range");
        }
        let (from, until) = match self.bars.bucket() {
            Some((bucket, _)) => {
                let until = bucket.plus(Span(length.0 / 2)).min(self.now);
                (until.minus(length), until)
            }
            None => (until.minus(length), until),
        };
        self.look_at(from, until, effects);
    }

    /// Puts an absolute range into the filter; one that reaches beyond now stays open, so that new events show.
    fn look_at(&mut self, from: Instant, until: Instant, effects: &mut Vec<Effect>) {
        let until = (until < self.now).then_some(When::At(until));
        let mut filter = self.filter.clone();
        filter.set_time(Range { from: Some(When::At(from)), until });
        self.apply(filter, effects);
    }
}

/// One word of a POSIX shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Characters that are sent to a clipboard at most; terminals drop longer sequences.
const COPY_LIMIT: usize = 16_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    Toggle,
    Include,
    Exclude,
    Only,
}

fn set_preset(filter: &mut Filter, preset: Preset) {
    let from = preset.since().and_then(|word| When::parse(word).ok());
    filter.set_time(Range { from, until: None });
}
