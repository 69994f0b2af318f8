//! The store on both databases: one suite of cases for PostgreSQL and SQLite, and what is particular to each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed;
mod buffers;
mod cases;
mod counts;
#[allow(dead_code)]
#[path = "../../benches/common/data.rs"]
mod data;
mod devices;
mod filters;
#[allow(dead_code)]
#[path = "../common/fleet.rs"]
mod fleet;
mod flightctl;
mod foreign;
mod hostile;
mod investigations;
#[allow(dead_code)]
#[path = "../common/memory.rs"]
mod memory;
mod migrations;
mod odd_values;
mod own;
#[path = "../common/pg.rs"]
mod pg;
mod plans;
mod search;
mod sessions;
mod signature;
mod sources;
mod tail;
