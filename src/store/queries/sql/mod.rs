//! The composers: each query of the protocol as one statement over the mapped columns, for both databases.
//!
//! Called by the queries of the parent folder. Nothing here runs a statement, and no value becomes part of its text.

pub mod aggregate;
pub mod directory;
pub mod filter;
pub mod fleet;
pub mod histogram;
pub mod keyed;
pub mod keys;
pub mod page;
pub mod pattern;
pub mod reason;
pub mod signature;
pub mod slice;
pub mod tail;
#[cfg(test)]
mod tests;
pub mod usable;
pub mod word;

use crate::store::queries::resolved::Resolved;
use crate::store::source::Source;

/// The rows that a statement reads: a source, and a filter after its names were resolved.
#[derive(Clone, Copy)]
pub struct Selection<'a> {
    pub source: &'a Source,
    pub resolved: &'a Resolved,
}

impl<'a> Selection<'a> {
    pub const fn new(source: &'a Source, resolved: &'a Resolved) -> Self {
        Self { source, resolved }
    }
}
