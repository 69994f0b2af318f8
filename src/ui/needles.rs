//! The words that a filter searches for, so that drawing can mark them where they are shown.

use crate::domain::filter::{Field, Filter, Test};

/// Lower-case words, none of them empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needles(Vec<String>);

impl Needles {
    /// The words that a filter includes; excluded words are nowhere on screen.
    pub fn of(filter: &Filter) -> Self {
        let mut words = Vec::new();
        for term in filter.terms().iter().filter(|t| !t.negated) {
            match &term.test {
                Test::Text(word) => words.push(word.to_ascii_lowercase()),
                Test::Values { field: Field::Error, any } => {
                    words.extend(any.iter().map(|g| g.text().to_ascii_lowercase()));
                }
                _ => {}
            }
        }
        words.retain(|w| !w.is_empty());
        Self(words)
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The first of them in a text: byte offset and length. ASCII case is ignored.
    pub fn first(&self, text: &str) -> Option<(usize, usize)> {
        if self.0.is_empty() {
            return None;
        }
        // Lower-casing ASCII keeps byte offsets.
        let text = text.to_ascii_lowercase();
        self.0.iter().filter_map(|word| Some((text.find(word.as_str())?, word.len()))).min()
    }
}
