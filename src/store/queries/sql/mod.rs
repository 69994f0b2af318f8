//! The composers: each query of the protocol as one statement over the mapped columns, for both databases.

pub mod aggregate;
pub mod filter;
pub mod histogram;
pub mod keys;
pub mod page;
pub mod reason;
pub mod tail;
