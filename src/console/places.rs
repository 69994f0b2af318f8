//! From view to view and from filter to filter, and back.

use crate::domain::filter::Filter;
use crate::ui::effect::Effect;
use crate::views::{Go, Step, Subject, ViewId};

use super::Model;
use super::history::Place;

impl Model {
    /// Takes what a view wants. Where it sends the shell, the shell goes after the view's effects.
    pub(super) fn take(&mut self, step: Step, effects: &mut Vec<Effect>) {
        effects.extend(step.effects);
        if let Some(words) = step.notice {
            self.say(words);
        }
        match step.go {
            Some(Go::Filter(filter)) => self.apply(filter, effects),
            Some(Go::To(view)) => self.open(view, None, effects),
            Some(Go::Rows(filter)) => self.open(ViewId::Events, Some(filter), effects),
            Some(Go::Device(subject)) => self.open_device(subject, effects),
            Some(Go::Back) if !self.ascend(effects) => effects.push(Effect::Quit),
            Some(Go::Leave) => drop(self.ascend(effects)),
            Some(Go::Back) | None => {}
        }
    }

    /// The places from which the view on screen was reached, the root first.
    pub fn trail(&self) -> &[Place] {
        self.history.trail()
    }

    /// Where the user is.
    fn place(&self) -> Place {
        let view = self.views.top();
        let subject = self.views.subject().filter(|_| view == ViewId::Device).cloned();
        Place { view, filter: self.ctx.filter.clone(), subject }
    }

    /// Puts another filter in force. The old one goes to the history. An equal filter changes nothing.
    pub(super) fn apply(&mut self, filter: Filter, effects: &mut Vec<Effect>) {
        if filter == self.ctx.filter {
            return;
        }
        self.history.push(self.place());
        self.history.carry(&filter);
        self.ctx.filter = filter;
        self.filter_changed(effects);
    }

    /// Goes to a view; with a filter, under that one.
    pub(super) fn open(&mut self, view: ViewId, filter: Option<Filter>, effects: &mut Vec<Effect>) {
        let filter = filter.unwrap_or_else(|| self.ctx.filter.clone());
        self.descend(Place { view, filter, subject: None }, effects);
    }

    /// Goes to another view beside this one: the way back leads where it led before, from the root to the root.
    pub(super) fn open_beside(&mut self, view: ViewId, effects: &mut Vec<Effect>) {
        let from = self.place();
        let to = Place { view, filter: self.ctx.filter.clone(), subject: None };
        if to == from {
            return;
        }
        self.history.push(from.clone());
        self.history.beside(from, &to);
        self.arrive(to, effects);
    }

    /// Goes to the page of a device.
    fn open_device(&mut self, subject: Subject, effects: &mut Vec<Effect>) {
        let filter = self.ctx.filter.clone();
        self.descend(Place { view: ViewId::Device, filter, subject: Some(subject) }, effects);
    }

    /// Goes to a place from which the way back leads here.
    fn descend(&mut self, to: Place, effects: &mut Vec<Effect>) {
        let from = self.place();
        if to == from {
            return;
        }
        self.history.push(from.clone());
        self.history.descend(from, &to);
        self.arrive(to, effects);
    }

    /// Goes back to the view from which this one was reached. Returns whether there is one.
    fn ascend(&mut self, effects: &mut Vec<Effect>) -> bool {
        if self.history.trail().is_empty() {
            return false;
        }
        self.history.push(self.place());
        let Some(to) = self.history.ascend() else { return false };
        self.arrive(to, effects);
        true
    }

    /// Walks through the places where the user was.
    pub(super) fn walk_history(&mut self, back: bool, effects: &mut Vec<Effect>) {
        match self.history.walk(back, self.place()) {
            Some(to) => self.arrive(to, effects),
            None => self.say(if back { "no earlier view or filter" } else { "no later view or filter" }),
        }
    }

    /// Puts a view and a filter in force. The queries of the view before end.
    fn arrive(&mut self, to: Place, effects: &mut Vec<Effect>) {
        let Place { view, filter, subject } = to;
        if view != self.views.top() || subject.as_ref() != self.views.subject() {
            effects.extend(self.views.cancel().effects);
        }
        if let Some(subject) = subject {
            self.views.aim(subject);
        }
        self.views.show(view);
        if filter == self.ctx.filter {
            let step = self.views.resume(&self.ctx);
            self.take(step, effects);
        } else {
            self.ctx.filter = filter;
            self.filter_changed(effects);
        }
    }

    /// Starts over under the filter in force. Rows held during a pause belonged to the old one.
    fn filter_changed(&mut self, effects: &mut Vec<Effect>) {
        self.tail.held = 0;
        self.start_queries(effects);
    }
}
