//! Names by id, for reading everything; names by hash; and the names that were looked up a moment ago.

pub mod directory;
pub mod looked;
pub mod parties;
