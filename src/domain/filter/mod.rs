//! The filter: one value with three faces (the panes, the text of the query bar, the SQL) that always agree.

pub mod criteria;
mod matches;

pub use criteria::Criteria;
