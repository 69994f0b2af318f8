//! Back and forward through the filters that were in force, and the filters that were typed.

use crate::domain::filter::Filter;

/// Filters that `[` goes back through.
const STEPS: usize = 100;
/// Typed filters kept within a session.
const TYPED: usize = 200;

/// Where the user has been.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The nearest one last.
    earlier: Vec<Filter>,
    /// Filters that were left by going back, the nearest one last.
    later: Vec<Filter>,
    /// Oldest first, each once.
    typed: Vec<String>,
}

impl History {
    /// With the filters that were typed in earlier runs, oldest first.
    pub fn with_typed(typed: Vec<String>) -> Self {
        Self { typed, ..Self::default() }
    }
    /// A new filter has replaced `old`: what was ahead is gone.
    pub fn push(&mut self, old: Filter) {
        self.earlier.push(old);
        self.later.clear();
        let surplus = self.earlier.len().saturating_sub(STEPS);
        self.earlier.drain(..surplus);
    }
    /// The filter before `current` (`back`), or after it; `None` at the end.
    pub fn walk(&mut self, back: bool, current: &Filter) -> Option<Filter> {
        let (from, to) = if back { (&mut self.earlier, &mut self.later) } else { (&mut self.later, &mut self.earlier) };
        let filter = from.pop()?;
        to.push(current.clone());
        Some(filter)
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
