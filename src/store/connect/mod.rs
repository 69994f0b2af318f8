//! Connections: addresses, passwords, login, pools, sessions, and what driver errors mean.
//!
//! Used by the store's facade, `schema` and `doctor`. Besides `store::sql` this is the only module that names sqlx.
//! It knows no query and no event table.

pub mod address;
pub(super) mod commits;
pub(super) mod conn;
mod control;
pub(super) mod error;
pub(super) mod file;
mod forward;
pub(super) mod listen;
mod login;
pub(super) mod migrator;
pub mod password;
pub(super) mod pool;
pub(super) mod postgres;
pub(super) mod session;
pub(super) mod sqlite;
mod statement;
mod transaction;

use crate::store::connect::address::{Address, Place};
use crate::store::connect::pool::Connector;
use crate::store::connect::sqlite::Use;
use crate::store::options::ConnectOptions;

/// What opens connections to an address.
pub fn connector(address: &Address, options: &ConnectOptions, use_of: Use) -> Connector {
    match address.place() {
        Place::Sqlite(path) => Connector::Sqlite(sqlite::Connector::new(path.clone(), options, use_of)),
        Place::Postgres(server) => {
            Connector::Postgres(Box::new(postgres::Connector::new((**server).clone(), address.to_string(), options)))
        }
    }
}
