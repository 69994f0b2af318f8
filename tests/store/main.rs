//! The store on both databases: one suite of cases for PostgreSQL and SQLite, and what is particular to each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed;
mod cases;
mod counts;
mod filters;
mod flightctl;
mod foreign;
mod migrations;
#[path = "../common/pg.rs"]
mod pg;
mod plans;
mod search;
mod sessions;
mod sources;
mod tail;
