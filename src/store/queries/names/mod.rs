//! Caches of names: names by id, names whose id is their hash, and recent lookups of filters.
//!
//! Used by the queries. A cache must never hold on to the absence of a name: a device may be enrolled at any moment.

pub mod directory;
pub mod lookup_cache;
pub mod parties;
