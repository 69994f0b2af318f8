//! One file per command. Each reads its options, runs its queries, and writes its rows; `headless/mod.rs` calls them. A
//! command imports helpers of another, but never calls one.

pub(crate) mod about;
pub(crate) mod attempts;
pub(crate) mod console;
pub(crate) mod count;
pub(crate) mod db;
pub(crate) mod devices;
pub(crate) mod doctor;
pub(crate) mod errors;
pub(crate) mod export;
pub mod ingest;
pub(crate) mod list;
pub(crate) mod record;
pub(crate) mod sig;
pub(crate) mod sources;
pub(crate) mod tail;
