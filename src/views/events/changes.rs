//! Changes of the filter by keys: picking values, presets, buckets, zoom. Each returns the new filter as a [`Step`].

use crate::domain::filter::{Field, Filter};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::Clean;
use crate::domain::when::{Range, When};
use crate::ui::action::{Action, Preset};
use crate::ui::ctx::Ctx;
use crate::ui::effect::Effect;
use crate::views::{Step, set_preset};

use super::panes::PaneId;
use super::{Events, Focus};

/// Characters sent to a clipboard at most; terminals drop longer sequences.
const COPY_LIMIT: usize = 16_000;

/// What happens to the value under the cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    /// Includes the value, or removes it if it is included.
    Toggle,
    /// As `Toggle`: a second press takes the value back.
    Include,
    /// Excludes the value, or removes the exclusion if there is one.
    Exclude,
    /// Includes the value in place of all others of its field.
    Only,
}

impl Events {
    /// Copies the event as one line of safe text: its time in the zone shown, type, device, id and error. The event
    /// loop sends it by OSC 52; no terminal confirms that.
    pub(super) fn copy(&mut self, ctx: &Ctx) -> Step {
        let Some(event) = self.detail.event().or(self.list.selected()) else { return Step::default() };
        let mut words = vec![
            format::stamp(event.created_at, &ctx.zone),
            event.kind.clean().to_string(),
            event.device_label().to_string(),
            event.id.clean().to_string(),
        ];
        if let Some(error) = &event.error {
            words.push(error.text.clean().to_string());
        }
        let text = words.join("  ").chars().take(COPY_LIMIT).collect::<String>();
        Step::send([Effect::Copy(Clean::line(&text))]).and(Step::say("Copied event"))
    }

    /// The filter that results from an action. Any other action changes nothing; neither does a filter equal to the one
    /// in force.
    pub(super) fn change_filter(&mut self, action: Action, ctx: &Ctx) -> Step {
        let mut filter = ctx.filter.clone();
        match action {
            Action::Failures => filter.toggle_failures(),
            Action::Include => return self.pick(Pick::Include, ctx),
            Action::Exclude => return self.pick(Pick::Exclude, ctx),
            Action::Only => return self.pick(Pick::Only, ctx),
            _ => return Step::default(),
        }
        Step::filter(filter)
    }

    /// Adds the value under the cursor to the filter or removes it; in the list that is the row's device. In the time
    /// pane it puts the preset under the cursor in force.
    pub(super) fn pick(&mut self, how: Pick, ctx: &Ctx) -> Step {
        let mut filter = ctx.filter.clone();
        let (field, word) = match self.focus {
            Focus::Pane(PaneId::Time) => {
                let at = self.panes.get(PaneId::Time).map_or(0, |p| p.view.cursor);
                if let Some(preset) = Preset::ALL.get(at) {
                    set_preset(&mut filter, *preset);
                }
                return Step::filter(filter);
            }
            Focus::Pane(id) => {
                let Some((field, counted)) = id.field() else { return Step::default() };
                let Some(facet) = self.panes.get(id).and_then(|p| p.current()) else { return Step::default() };
                (field, facet.word(counted))
            }
            Focus::List | Focus::Detail | Focus::Histogram => {
                let Some(event) = self.list.selected() else { return Step::default() };
                let name = event.device.as_ref().map_or_else(|| event.device_id.raw(), |d| d.raw().to_owned());
                (Field::Device, Some(name))
            }
        };
        let word = word.as_deref();
        match how {
            Pick::Toggle | Pick::Include => filter.toggle(field, word, true),
            Pick::Exclude => filter.toggle(field, word, false),
            Pick::Only => filter.only(field, word),
        }
        Step::filter(filter)
    }

    /// Focuses the histogram, or the list. Without room for the histogram, or before its first range, the list gets the
    /// focus.
    pub(super) fn focus_bars(&mut self, on: bool) {
        let on = on && self.geometry.histogram.height > 0 && self.bars.scale().is_some();
        self.focus = if on { Focus::Histogram } else { Focus::List };
        self.bars.focus(on);
    }

    /// Moves the cursor by that many buckets. Without a cursor, puts it on the newest bucket.
    pub(super) fn step_bucket(&mut self, by: isize) {
        if self.focus == Focus::Histogram {
            self.bars.step(by);
        } else {
            self.focus_bars(true);
        }
    }

    /// Zooms into the bucket under the cursor.
    pub(super) fn open_bucket(&mut self, ctx: &Ctx) -> Step {
        let Some((from, until)) = self.bars.bucket() else { return Step::default() };
        self.focus_bars(false);
        Step::filter(within(from, until, ctx))
    }

    /// Halves or doubles the range shown, around the bucket under the cursor or, without one, at its newest end. A
    /// range shorter than one second is refused with a notice; the end is never after now while the cursor is on a
    /// bucket.
    pub(super) fn zoom(&mut self, closer: bool, ctx: &Ctx) -> Step {
        let Some((from, until)) = self.bars.range() else { return Step::default() };
        let Some(length) = until.since(from) else { return Step::default() };
        let length = if closer { Span(length.0 / 2) } else { Span(length.0.saturating_mul(2)) };
        if length < Span::seconds(1) {
            return Step::say("cannot zoom in further: one second is the smallest range");
        }
        let (from, until) = match self.bars.bucket() {
            Some((bucket, _)) => {
                let until = bucket.plus(Span(length.0 / 2)).min(ctx.now);
                (until.minus(length), until)
            }
            None => (until.minus(length), until),
        };
        Step::filter(within(from, until, ctx))
    }
}

/// The filter with an absolute range; a range that reaches beyond now stays open, so that new events show.
fn within(from: Instant, until: Instant, ctx: &Ctx) -> Filter {
    let until = (until < ctx.now).then_some(When::At(until));
    let mut filter = ctx.filter.clone();
    filter.set_time(Range { from: Some(When::At(from)), until });
    filter
}
