//! The queries, and the answer to each.

use std::sync::Arc;

use crate::domain::event::{Id, RenewalEvent};
use crate::domain::filter::Criteria;
use crate::domain::instant::Instant;
use crate::domain::page::{Anchor, Page, Total};
use crate::domain::source::Traits;
use crate::domain::text::Text;

use super::fleet::{Fleet, FleetQuery, Neighbors, NeighborsQuery, Slice, SliceQuery};
use super::tail::{TailAnswer, TailQuery};

/// A query of any source; each variant names the answer that belongs to it.
#[derive(Clone, PartialEq, Debug)]
pub enum Query {
    /// Rows of the list, error texts cut to [`ErrorText::HEAD`](crate::domain::event::ErrorText::HEAD). A source with a
    /// search budget may stop before the page is full; see [`Page::searched_to`]. -> [`Answer::Page`]
    Page { criteria: Criteria, anchor: Anchor, limit: u32 },
    /// As `Page`, with whole error texts and without a search budget; for exports. -> [`Answer::Page`]
    WholePage { criteria: Criteria, anchor: Anchor, limit: u32 },
    /// How many rows match; stops counting at `ceiling`. -> [`Answer::Count`]
    Count { criteria: Criteria, ceiling: Option<u64> },
    /// The values of a field among the matching rows, most frequent first, or by name where not counted. -> [`Answer::Facets`]
    Facets(FacetQuery),
    /// Rows counted by bucket and outcome. -> [`Answer::Histogram`]
    Histogram(HistogramQuery),
    /// One event with its whole error, by id. -> [`Answer::Event`]
    Event { id: Id },
    /// What a tail reads. -> [`Answer::Tail`]
    Tail(TailQuery),
    /// Rows of a range, oldest first, as investigations need them. -> [`Answer::Slice`]
    Slice(SliceQuery),
    /// Devices with their rows since the last success. -> [`Answer::Fleet`]
    Fleet(FleetQuery),
    /// Rows around others within their devices. -> [`Answer::Neighbors`]
    Neighbors(NeighborsQuery),
    /// The database's clock. -> [`Answer::Clock`]
    Clock,
    /// The source's description. -> [`Answer::Described`]
    Describe,
}

/// The answer to the query of the same name.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// Rows, newest first.
    Page(Page),
    /// A number of rows, exact or a lower bound.
    Count(Total),
    /// The values of a field.
    Facets(Facets),
    /// Rows by bucket and outcome.
    Histogram(Histogram),
    /// The event; `None` where no row has the id.
    Event(Option<Arc<RenewalEvent>>),
    /// What the tail read.
    Tail(TailAnswer),
    /// Rows, oldest first.
    Slice(Slice),
    /// Devices and their rows.
    Fleet(Fleet),
    /// The neighbors of each place of the query, in its order.
    Neighbors(Vec<Neighbors>),
    /// The time, in UTC; of a file, that of this machine.
    Clock(Instant),
    /// The source's properties.
    Described(Description),
}

/// A field whose values can be listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// Organizations, by id with their names.
    Org,
    /// Devices, by id with their names.
    Device,
    /// Event types.
    Kind,
    /// Reasons as shown.
    Reason,
    /// Signatures of errors, by id with their texts.
    Error,
}

/// Values of `field` among the rows that match `criteria` (the caller leaves out its own field's clauses).
#[derive(Clone, PartialEq, Debug)]
pub struct FacetQuery {
    /// The field whose values are listed.
    pub field: Field,
    /// Which rows count.
    pub criteria: Criteria,
    /// Only values whose name contains this, ASCII case ignored; ids by their beginning.
    pub needle: String,
    /// The most values to list.
    pub limit: u32,
    /// Counts this many of the newest matching rows; with more, totals are `AtLeast`, and may include one row more, by
    /// which the count knows.
    pub ceiling: u64,
}

/// The values of a field among the matching rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facets {
    /// In the order of the query: most frequent first, or by name where not counted.
    pub values: Vec<Facet>,
    /// More values exist than are listed.
    pub more: bool,
    /// Counting stopped at the ceiling: every number is a lower bound.
    pub partial: bool,
}

/// One value of a field.
#[derive(Clone, PartialEq, Debug)]
pub struct Facet {
    /// What the filter compares: the id for organizations, devices and signatures, the text for types and reasons. `None` for the
    /// rows without a value.
    pub id: Option<Id>,
    /// The name, where one is recorded.
    pub name: Option<Text>,
    /// How many rows have the value.
    pub rows: Total,
}

impl Facet {
    /// The text by which the filter names a value of that field: its name, else its id; a signature's id. `None`: rows
    /// without a value.
    pub fn word(&self, field: Field) -> Option<String> {
        match (&self.name, &self.id) {
            (_, Some(id)) if field == Field::Error => Some(id.raw()),
            (Some(name), _) => Some(name.raw().to_owned()),
            (None, Some(id)) => Some(id.raw()),
            (None, None) => None,
        }
    }
}

/// Equal buckets: `buckets` of `width_micros` each, the first beginning at `from`.
#[derive(Clone, PartialEq, Debug)]
pub struct HistogramQuery {
    /// Which rows count.
    pub criteria: Criteria,
    /// The beginning of the first bucket, in UTC; included.
    pub from: Instant,
    /// The width of a bucket in microseconds.
    pub width_micros: i64,
    /// How many buckets.
    pub buckets: u32,
}

/// Rows in each bucket, by outcome, in the order of [`Outcome::ALL`](crate::domain::event::Outcome::ALL).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Histogram {
    /// As many as the query requested, oldest first.
    pub buckets: Vec<[u64; 4]>,
}

/// A source's properties and abilities, for the header and `doctor`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Description {
    /// The server or file, without secrets.
    pub address: String,
    /// `own`, `flightctl`, …
    pub profile: String,
    /// How the connection is protected: `verify-full`, `off (socket)`, …; `None` for a file.
    pub tls: Option<String>,
    /// Whether the server refuses writes of this session.
    pub read_only: bool,
    /// First and last `created_at`, `None` where the table is empty.
    pub oldest: Option<Instant>,
    pub newest: Option<Instant>,
    /// Fields that its rows lack, and fields that are derived.
    pub traits: Arc<Traits>,
    /// Notes for the user, one line each: missing indexes, assumed zones.
    pub notes: Vec<String>,
    /// Rows of the table that cannot be shown; see [`Page::unreadable`](crate::domain::page::Page::unreadable).
    pub unreadable: u64,
}
