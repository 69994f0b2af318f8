//! Changes to a filter by the panes. Each leaves a filter that prints and reads back.
//!
//! A pane shows a value as included or excluded by the filter's effect on it, in whichever term: with `type:failed`,
//! `renewal_failed` is included. Toggling such a value removes the words that cover it.

use uuid::Uuid;

use super::criteria::Check;
use super::resolve::{from_screen, values};
use super::{Field, Filter, Glob, Key, Term, Test};
use crate::domain::event::{Id, Outcome, outcome_of};
use crate::domain::instant::Instant;
use crate::domain::signature::SigId;
use crate::domain::text::Text;
use crate::domain::when::{Range, When};
use crate::domain::zone::Zone;

/// A filter's effect on one value of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Every term with values of the field includes it.
    Included,
    /// A negated term excludes it.
    Excluded,
    /// No term covers the value, or the filter requires other values of the field.
    Neutral,
}

/// One term, for display as a chip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chip {
    /// As the filter prints it. May contain text from the database, so clean it before display.
    pub text: String,
    /// The argument of [`Filter::drop_chip`].
    pub index: usize,
}

/// `created_at` from `from` (included) until `until` (excluded). Both sides are absolute, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    /// The latest of all lower bounds; `None`: without beginning.
    pub from: Option<Instant>,
    /// The earliest of all upper bounds; `None`: without end.
    pub until: Option<Instant>,
}

/// The value of `type` that means "ends in failure".
const FAILED: &str = "failed";

impl Filter {
    /// Adds the value, or removes it if it is set already; `include` chooses between including and excluding it. `None`
    /// and the empty text mean the rows without a value. Terms that contradict the value are removed, so that
    /// [`state_of`](Self::state_of) afterwards is the chosen state, or no longer is. A value of `sig` that is no id changes
    /// nothing.
    pub fn toggle(&mut self, field: Field, value: Option<&str>, include: bool) {
        let Some(glob) = value.and_then(Glob::literal) else { return self.toggle_missing(field, include) };
        let glob = match (field, glob.text.parse::<SigId>()) {
            (Field::Sig, Ok(id)) => Glob { text: id.to_string(), ..glob },
            (Field::Sig, Err(_)) => return,
            _ => glob,
        };
        let was = self.state_of(field, value);
        self.retain_values(field, true, |known| !covers(field, known, &glob.text));
        if include {
            if was == State::Included {
                self.retain_values(field, false, |known| !covers(field, known, &glob.text));
            } else {
                self.include(field, &glob);
            }
        } else if was != State::Excluded {
            self.retain_values(field, false, |known| known != &glob);
            self.add(field, true, glob);
        }
    }

    /// Includes this value and no other of the field. `None` and the empty text mean the rows without a value.
    pub fn only(&mut self, field: Field, value: Option<&str>) {
        self.without(field.into());
        self.toggle(field, value, true);
    }

    /// The exact type names that the filter includes, without wildcards, endings and negated terms.
    pub fn exact_types(&self) -> Vec<String> {
        let word = |glob: &&Glob| {
            let text = glob.text.as_str();
            glob.is_literal()
                && ![FAILED, "success", "start"].contains(&text)
                && !super::resolve::BEGINNINGS.contains(&text)
        };
        let positive = self.values_of(Field::Type).filter(|(negated, _)| !negated);
        positive.flat_map(|(_, any)| any.iter().filter(word).map(|g| g.text.clone())).collect()
    }

    /// Removes all terms of the key.
    pub fn without(&mut self, key: Key) {
        self.terms.retain(|term| term.key() != Some(key));
    }

    /// The filter's effect on a value; `None` and the empty text mean the rows without a value. For organizations and
    /// devices pass the id to compare with ids, else the name.
    pub fn state_of(&self, field: Field, value: Option<&str>) -> State {
        let value = value.filter(|v| !v.is_empty());
        let hit = |glob: &Glob| value.is_some_and(|v| covers(field, glob, v));
        let (mut included, mut refused) = (0, 0);
        for (negated, any) in self.values_of(field) {
            match (negated, value) {
                (true, Some(_)) if any.iter().any(hit) => return State::Excluded,
                (false, Some(_)) if any.iter().any(hit) => included += 1,
                (false, Some(_)) => refused += 1,
                (false, None) if any.iter().any(Glob::is_any) => return State::Excluded,
                (false, None) => refused += 1,
                (true, None) if any.iter().any(Glob::is_any) => included += 1,
                (true, _) => {}
            }
        }
        if included > 0 && refused == 0 { State::Included } else { State::Neutral }
    }

    /// Replaces the time range; a range open on both sides means all times. Gaps (`-time:A..B`) stay.
    pub fn set_time(&mut self, range: Range) {
        let is_range = |term: &Term| match term.test {
            Test::Since(_) | Test::Until(_) => true,
            Test::Time(_) => !term.negated,
            _ => false,
        };
        let place = self.terms.iter().position(is_range).unwrap_or(self.terms.len());
        self.terms.retain(|term| !is_range(term));
        let test = match (range.from, range.until) {
            (None, None) => return,
            (Some(from), None) => Test::Since(from),
            (None, Some(until)) => Test::Until(until),
            (Some(_), Some(_)) => Test::Time(range),
        };
        // Terms before the first removed one are still there, so the index is valid.
        self.terms.insert(place.min(self.terms.len()), Term { negated: false, test });
    }

    /// The time range as written; if several terms set the same side, the last one. [`bounds`](Self::bounds) combines
    /// them all.
    pub fn range(&self) -> Range {
        let mut range = Range::default();
        for part in self.ranges() {
            range.from = part.from.or(range.from);
            range.until = part.until.or(range.until);
        }
        range
    }

    /// The instants between which all matching rows lie. The tolerance for clocks that run ahead does not count: a
    /// range without an explicit end has no end here. Relative times are resolved with the clock reading `now` and the
    /// zone of local times.
    pub fn bounds(&self, now: Instant, zone: &Zone) -> Bounds {
        let mut bounds = Bounds::default();
        for part in self.ranges() {
            let (from, until) = (part.from.map(|w| w.at(now, zone)), part.until.map(|w| w.at(now, zone)));
            // An open side is `None`, which is less than any instant.
            bounds.from = bounds.from.max(from);
            bounds.until = [bounds.until, until].into_iter().flatten().min();
        }
        bounds
    }

    /// One chip per term, in the order written.
    pub fn chips(&self) -> Vec<Chip> {
        self.terms.iter().enumerate().map(|(index, term)| Chip { text: term.to_string(), index }).collect()
    }

    /// Removes one term; an index out of range removes nothing.
    pub fn drop_chip(&mut self, index: usize) {
        if index < self.terms.len() {
            self.terms.remove(index);
        }
    }

    /// Toggles "failures only": adds or removes `type:failed`. Adding it removes the terms that exclude all failures.
    pub fn toggle_failures(&mut self) {
        if self.failures_only() {
            return self.terms.retain(|term| !is_failures(term));
        }
        let Some(failed) = Glob::literal(FAILED) else { return };
        let fails = |glob: &Glob| !glob.is_literal() || super::resolve::BEGINNINGS.contains(&glob.text.as_str());
        // A type whose name states no outcome may be a failure by its source's profile.
        let may_fail = |glob: &Glob| fails(glob) || matches!(outcome_of(&glob.text), Outcome::Failed | Outcome::Other);
        self.retain_values(Field::Type, true, |glob| glob != &failed && !glob.is_any());
        self.terms.retain(|term| match &term.test {
            Test::Values { field: Field::Type, any } if !term.negated => any.iter().any(may_fail),
            _ => true,
        });
        self.terms.push(Term { negated: false, test: Test::Values { field: Field::Type, any: vec![failed] } });
    }

    /// Whether `type:failed` is set.
    pub fn failures_only(&self) -> bool {
        self.terms.iter().any(is_failures)
    }

    /// The same as [`toggle`](Self::toggle), for the rows without a value.
    fn toggle_missing(&mut self, field: Field, include: bool) {
        let was = self.state_of(field, None);
        let is_any = |term: &Term| matches!(&term.test, Test::Values { any, .. } if any.iter().any(Glob::is_any));
        let key = Key::from(field);
        // A row without a value matches no term with values.
        self.terms.retain(|term| {
            term.key() != Some(key) || if include { term.negated && !is_any(term) } else { !is_any(term) }
        });
        let (done, negated) = if include { (State::Included, true) } else { (State::Excluded, false) };
        if was != done {
            self.terms.push(Term { negated, test: Test::Values { field, any: vec![Glob::any()] } });
        }
    }

    /// Adds the value to all terms that include values of the field, or as a new term.
    fn include(&mut self, field: Field, glob: &Glob) {
        let mut found = false;
        for term in &mut self.terms {
            match &mut term.test {
                Test::Values { field: own, any } if *own == field && !term.negated => {
                    found = true;
                    if !any.iter().any(|known| covers(field, known, &glob.text)) {
                        any.push(glob.clone());
                    }
                }
                _ => {}
            }
        }
        if !found {
            self.add(field, false, glob.clone());
        }
    }

    /// Adds a value to the field's first term of that sign, or as a new term.
    fn add(&mut self, field: Field, negated: bool, glob: Glob) {
        for term in &mut self.terms {
            match &mut term.test {
                Test::Values { field: own, any } if *own == field && term.negated == negated => return any.push(glob),
                _ => {}
            }
        }
        self.terms.push(Term { negated, test: Test::Values { field, any: vec![glob] } });
    }

    /// Keeps the values of the field, in terms of that sign, for which `keep` is true; removes empty terms.
    fn retain_values(&mut self, field: Field, negated: bool, keep: impl Fn(&Glob) -> bool) {
        self.terms.retain_mut(|term| match &mut term.test {
            Test::Values { field: own, any } if *own == field && term.negated == negated => {
                any.retain(&keep);
                !any.is_empty()
            }
            _ => true,
        });
    }

    /// The values of each term with values of that field, and whether the term is negated.
    fn values_of(&self, field: Field) -> impl Iterator<Item = (bool, &[Glob])> {
        self.terms.iter().filter_map(move |term| match &term.test {
            Test::Values { field: own, any } if *own == field => Some((term.negated, any.as_slice())),
            _ => None,
        })
    }

    /// The time range of each term, negated bounds inverted.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range> {
        let from = |when: When| Range { from: Some(when), until: None };
        let until = |when: When| Range { from: None, until: Some(when) };
        self.terms.iter().filter_map(move |term| match (&term.test, term.negated) {
            (Test::Since(when), false) | (Test::Until(when), true) => Some(from(*when)),
            (Test::Until(when), false) | (Test::Since(when), true) => Some(until(*when)),
            (Test::Time(range), false) => Some(*range),
            _ => None,
        })
    }
}

/// Whether the term is `type:failed` and nothing else.
fn is_failures(term: &Term) -> bool {
    let only = |any: &[Glob]| matches!(any, [glob] if glob.is_literal() && glob.text == FAILED);
    !term.negated && matches!(&term.test, Test::Values { field: Field::Type, any } if only(any))
}

/// Whether a filter's value matches a field's `value`: a text, a name, or an id as text.
fn covers(field: Field, glob: &Glob, value: &str) -> bool {
    let text = Text::from(value);
    match values(field, std::slice::from_ref(glob)) {
        Check::Kind(any) => any.iter().any(|m| m.matches(value, None)),
        Check::Reason(any) | Check::Severity(any) => any.iter().any(|m| m.matches(value)),
        Check::Error(any) => {
            let value = from_screen(value).to_ascii_lowercase();
            any.iter().any(|m| m.lower().matches(&value))
        }
        Check::Sig(any) => any.iter().any(|m| m.matches(value.parse().ok())),
        Check::Org(any) | Check::Device(any) | Check::Id(any) => {
            let id = Uuid::try_parse(value).ok().map(Id::from);
            any.iter().any(|m| m.matches(id.as_ref(), Some(&text)))
        }
        _ => false,
    }
}
