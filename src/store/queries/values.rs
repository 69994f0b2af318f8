//! The values of a field with their rows, as the query for them answers: which are listed, and in which order.
//!
//! Made by the facet query from what it counted. Nothing here reads the database.

use crate::domain::event::Id;
use crate::domain::page::Total;
use crate::domain::text::Text;
use crate::protocol::query::{Facet, FacetQuery, Facets, Field};

/// A value with its name and its rows.
pub struct Found {
    pub id: Option<Id>,
    pub name: Option<Text>,
    pub rows: u64,
}

/// Values with names, and whether counting stopped at the ceiling.
pub struct Listed {
    pub values: Vec<Found>,
    pub partial: bool,
}

impl Listed {
    /// The answer to a query: the values that its search text keeps, most frequent first, up to its limit. The rows without
    /// a signature are nearly all that are no failures: they stand behind the signatures, but are never cut off.
    pub fn facets(self, query: &FacetQuery) -> Facets {
        let Self { values: mut found, partial } = self;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        if query.field != Field::Device {
            found.retain(|f| passes(&query.needle, f.id.as_ref(), f.name.as_ref()));
        }
        let last = |f: &Found| query.field == Field::Error && f.id.is_none();
        found.sort_by(|a, b| {
            last(a).cmp(&last(b)).then_with(|| b.rows.cmp(&a.rows)).then_with(|| label(a).cmp(&label(b)))
        });
        let more = found.len() > limit;
        let kept = found.pop_if(|f| more && limit > 0 && last(f));
        found.truncate(limit - usize::from(kept.is_some()));
        found.extend(kept);
        let total = |n| if partial { Total::AtLeast(n) } else { Total::Exact(n) };
        let values = found.into_iter().map(|f| Facet { id: f.id, name: f.name, rows: total(f.rows) }).collect();
        Facets { values, more, partial }
    }
}

/// What values with as many rows are ordered by.
fn label(found: &Found) -> String {
    match (&found.name, &found.id) {
        (Some(name), _) => name.raw().to_owned(),
        (None, Some(id)) => id.raw(),
        (None, None) => String::new(),
    }
}

/// Whether the name contains the search text, or the id begins with it.
fn passes(needle: &str, id: Option<&Id>, name: Option<&Text>) -> bool {
    if needle.is_empty() {
        return true;
    }
    let needle = needle.to_ascii_lowercase();
    let contains = |text: &str| text.to_ascii_lowercase().contains(&needle);
    name.is_some_and(|n| contains(n.raw()))
        || match id {
            Some(Id::Text(t)) => contains(t.raw()),
            Some(id) => id.raw().starts_with(&needle),
            None => false,
        }
}
