//! Back and forward through the places where the user was, the way back to the view before, and the filters that were
//! typed.

use crate::domain::filter::Filter;
use crate::views::{Subject, ViewId};

/// Places that `[` goes back through.
const STEPS: usize = 100;
/// Views that Esc goes back through.
const TRAIL: usize = 20;
/// Typed filters kept within a session.
const TYPED: usize = 200;

/// A view under a filter.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// The view.
    pub view: ViewId,
    /// The filter in force.
    pub filter: Filter,
    /// The device, where the view is the page of one.
    pub subject: Option<Subject>,
}

/// A place where the user was, and the way that led there.
#[derive(Clone, Debug)]
struct Stop {
    place: Place,
    trail: Vec<Place>,
}

/// Where the user has been.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The nearest one last.
    earlier: Vec<Stop>,
    /// Places that were left by going back, the nearest one last.
    later: Vec<Stop>,
    /// The places from which the view on screen was reached, the root first.
    trail: Vec<Place>,
    /// Oldest first, each once.
    typed: Vec<String>,
}

impl History {
    /// With the filters that were typed in earlier runs, oldest first.
    pub fn with_typed(typed: Vec<String>) -> Self {
        Self { typed, ..Self::default() }
    }
    /// Another place replaces `old`, to which the trail still leads: what was ahead is gone.
    pub fn push(&mut self, old: Place) {
        self.earlier.push(Stop { place: old, trail: self.trail.clone() });
        self.later.clear();
        let surplus = self.earlier.len().saturating_sub(STEPS);
        self.earlier.drain(..surplus);
    }
    /// The place before `current` (`back`), or after it; `None` at the end. The trail becomes the one that led there.
    pub fn walk(&mut self, back: bool, current: Place) -> Option<Place> {
        let (from, to) = if back { (&mut self.earlier, &mut self.later) } else { (&mut self.later, &mut self.earlier) };
        let Stop { place, trail } = from.pop()?;
        to.push(Stop { place: current, trail: std::mem::replace(&mut self.trail, trail) });
        Some(place)
    }
    /// A view was opened from `from`. Where the way passes a view again, it is cut off there.
    pub fn descend(&mut self, from: Place, to: &Place) {
        match self.trail.iter().position(|place| place == to) {
            Some(at) => self.trail.truncate(at),
            None => self.trail.push(from),
        }
        let surplus = self.trail.len().saturating_sub(TRAIL);
        self.trail.drain(..surplus);
    }
    /// The filter of a view beside the root has changed: there is one filter for both, and the way back leads to it.
    pub fn carry(&mut self, filter: &Filter) {
        if let [root] = self.trail.as_mut_slice() {
            root.filter.clone_from(filter);
        }
    }
    /// A view was opened beside `from`. The way back begins at the root; it ends where the view is the root itself.
    pub fn beside(&mut self, from: Place, to: &Place) {
        self.trail.truncate(1);
        match self.trail.first() {
            Some(root) if root.view == to.view => self.trail.clear(),
            Some(_) => {}
            None => self.trail.push(from),
        }
    }
    /// The place from which the view on screen was reached; `None` at the root. It is then no longer on the way.
    pub fn ascend(&mut self) -> Option<Place> {
        self.trail.pop()
    }
    /// The places from which the view on screen was reached, the root first.
    pub fn trail(&self) -> &[Place] {
        &self.trail
    }
    /// Typed filters, oldest first.
    pub fn typed(&self) -> &[String] {
        &self.typed
    }
    /// Keeps a filter that was typed and applied, as the newest.
    pub fn remember(&mut self, text: String) {
        self.typed.retain(|old| *old != text);
        if !text.is_empty() {
            self.typed.push(text);
        }
        let surplus = self.typed.len().saturating_sub(TYPED);
        self.typed.drain(..surplus);
    }
}
