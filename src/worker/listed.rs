//! The attempts of a range for the list on screen: the newest of each state.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::domain::attempt::{Attempt, Fold, Patience, Row, State};
use crate::domain::event::{Id, Outcome, RenewalEvent};
use crate::domain::instant::Instant;
use crate::domain::signature::Signature;
use crate::domain::survey::SurveyRange;
use crate::domain::text::Text;
use crate::protocol::survey::Listed;

/// Attempts that are kept of each state.
const MOST: usize = 2000;
/// Messages that are kept before those that no attempt needs are dropped.
const MESSAGES: usize = 4 * MOST;
/// Characters of a message in the list.
const HEAD: usize = 300;

/// Attempts as they are folded, and what the filter selects of them.
#[derive(Clone)]
pub struct Attempts {
    range: SurveyRange,
    fold: Fold,
    done: Vec<Attempt>,
    /// The newest of each state, in the order in which they ended.
    kept: [VecDeque<Attempt>; State::ALL.len()],
    /// Rows that the filter selects; `None` if it selects all.
    selected: Option<HashSet<Id>>,
    /// The beginnings of errors by the rows that have them.
    messages: HashMap<Id, Text>,
}

impl Attempts {
    /// Without rows; `all`: every row is selected.
    pub fn new(range: SurveyRange, all: bool) -> Self {
        Self {
            range,
            fold: Fold::new(range.begins),
            done: Vec::new(),
            kept: Default::default(),
            selected: (!all).then(HashSet::new),
            messages: HashMap::new(),
        }
    }

    /// Takes the next row, in order of time.
    pub fn add(&mut self, event: &RenewalEvent, selected: bool) {
        if self.range.until.is_some_and(|until| event.created_at >= until) {
            return;
        }
        let failed = event.outcome() == Outcome::Failed;
        let error = event.error.as_ref().filter(|_| failed).map(|error| &error.text);
        let Some(row) = Row::of(event, error.map(|text| Signature::of(text.raw()).id)) else { return };
        if let Some(rows) = self.selected.as_mut().filter(|_| selected) {
            rows.insert(row.id.clone());
        }
        if let Some(text) = error {
            let head: String = text.raw().chars().take(HEAD).collect();
            self.messages.insert(row.id.clone(), head.into());
        }
        self.fold.add(row, &mut self.done);
        for attempt in std::mem::take(&mut self.done) {
            if !self.shows(&attempt) {
                continue;
            }
            if let Some(kept) = self.kept.get_mut(attempt.state as usize) {
                kept.push_back(attempt);
                if kept.len() > MOST {
                    kept.pop_front();
                }
            }
        }
        if self.messages.len() > MESSAGES + 2 * self.fold.devices() {
            self.forget_messages();
        }
    }

    /// Whether an attempt lies in the range and has a row that is selected.
    fn shows(&self, attempt: &Attempt) -> bool {
        let within = |at: Instant| self.range.from.is_none_or(|from| at >= from);
        let marks = || attempt.start.iter().chain(attempt.end.iter().map(|(mark, _)| mark));
        marks().any(|mark| within(mark.at))
            && self.selected.as_ref().is_none_or(|rows| marks().any(|mark| rows.contains(&mark.id)))
    }

    /// Drops the messages of attempts that are no longer kept.
    fn forget_messages(&mut self) {
        let open = self.fold.rest(Patience::default(), self.range.now);
        let ends =
            self.kept.iter().flatten().chain(&open).filter_map(|a| a.end.as_ref().map(|(mark, _)| mark.id.clone()));
        let needed: HashSet<Id> = ends.collect();
        self.messages.retain(|id, _| needed.contains(id));
    }

    /// The newest attempts of each state at `now`, the database's time; newest first by their beginning.
    pub fn list(&self, patience: Patience, now: Instant) -> Vec<Listed> {
        let as_of = self.range.until.map_or(now, |until| until.min(now));
        let open = self.fold.rest(patience, as_of).into_iter().filter(|attempt| self.shows(attempt));
        let mut all: Vec<Attempt> = self.kept.iter().flatten().cloned().chain(open).collect();
        all.sort_by_cached_key(|attempt| std::cmp::Reverse((attempt.at(), attempt.device.clone())));
        let mut left = [MOST; State::ALL.len()];
        all.retain(|attempt| {
            let left = left.get_mut(attempt.state as usize).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        });
        let message = |a: &Attempt| self.messages.get(&a.end.as_ref()?.0.id).cloned();
        all.into_iter().map(|attempt| Listed { error: message(&attempt), attempt }).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::attempt::Begins;
    use crate::domain::event::{ErrorText, Kind};
    use crate::domain::instant::Span;

    fn at(second: i64) -> Instant {
        Instant::parse_rfc3339("2026-01-01T00:00:00Z").unwrap().plus(Span::seconds(second))
    }

    fn failed(second: i64) -> RenewalEvent {
        RenewalEvent {
            id: Id::Uuid(Uuid::from_u128(second as u128 + 1)),
            device_id: Id::Uuid(Uuid::from_u128(second as u128 % 3)),
            org_id: None,
            kind: Kind::new("renewal_failed"),
            reason: None,
            old_expiry: None,
            new_expiry: None,
            error: Some(ErrorText::whole(format!("{second} {}", "x".repeat(400)))),
            created_at: at(second),
            device: None,
            org: None,
            beyond: None,
        }
    }

    #[test]
    fn the_newest_are_kept_with_the_beginnings_of_their_messages() {
        let rows = 3 * MESSAGES as i64;
        let range = SurveyRange { from: Some(at(0)), until: None, now: at(rows), begins: Begins::WithTable };
        let mut attempts = Attempts::new(range, true);
        (0..rows).for_each(|second| attempts.add(&failed(second), true));
        let list = attempts.list(Patience::default(), at(rows));
        assert_eq!(list.len(), MOST);
        for (listed, second) in list.iter().zip((0..rows).rev()) {
            assert_eq!(listed.attempt.at(), Some(at(second)));
            let message = listed.error.as_ref().unwrap().raw();
            assert!(message.starts_with(&format!("{second} x")) && message.chars().count() == HEAD);
        }
        assert!(attempts.messages.len() <= MESSAGES + 2 * attempts.fold.devices() + 1);
    }
}
