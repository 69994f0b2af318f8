//! One connection to either database behind one interface.
//!
//! Used by sessions and by commands that hold a separate connection. It holds no state besides the connection.

use sqlx::Connection as _;

use crate::protocol::SourceError;
use crate::store::connect::pool::Handle;
use crate::store::connect::postgres::{Health, PgConn};
use crate::store::connect::sqlite::SqliteConn;
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Dialect, Sql};

/// A connection to PostgreSQL or to a SQLite file.
pub enum Conn {
    Postgres(Box<PgConn>),
    Sqlite(Box<SqliteConn>),
}

impl Conn {
    /// The dialect of SQL that the connection understands.
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }
    /// Runs a statement and reads all rows; `shape` has one entry per column.
    pub async fn rows(&mut self, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, SourceError> {
        match self {
            Self::Postgres(conn) => conn.rows(sql, shape).await,
            Self::Sqlite(conn) => conn.rows(sql, shape).await,
        }
    }
    /// Ends the transaction of a query; see [`PgConn::finish`]. SQLite has none to end.
    pub async fn finish(&mut self) -> Result<(), SourceError> {
        match self {
            Self::Postgres(conn) => conn.finish().await,
            Self::Sqlite(_) => Ok(()),
        }
    }
    /// Whether [`finish`](Self::finish) has something to end.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Postgres(conn) => conn.is_open(),
            Self::Sqlite(_) => false,
        }
    }
    /// The schemas in which the role finds tables, first ones first; SQLite has none.
    pub fn schemas(&self) -> &[String] {
        match self {
            Self::Postgres(conn) => conn.schemas(),
            Self::Sqlite(_) => &[],
        }
    }
    /// Closes the connection and waits until it is closed.
    pub async fn close(self) {
        let closed = match self {
            Self::Postgres(conn) => conn.inner.close().await,
            Self::Sqlite(conn) => conn.inner.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a connection did not close in order");
        }
    }
    /// Whether the connection is to the database that the address names now: a SQLite file can be replaced, or change while
    /// it is open without locks.
    pub(crate) fn is_current(&self) -> bool {
        match self {
            Self::Postgres(_) => true,
            Self::Sqlite(conn) => conn.is_current(),
        }
    }
    /// Whether the connection still works: a round trip to a server; a file needs none.
    pub(crate) async fn ping(&mut self) -> Health {
        match self {
            Self::Postgres(conn) => conn.ping().await,
            Self::Sqlite(_) => Health::Good,
        }
    }
    /// What cancels the statement that runs on this connection.
    pub(crate) fn handle(&self) -> Handle {
        match self {
            Self::Postgres(conn) => Handle::Postgres(conn.handle()),
            Self::Sqlite(conn) => Handle::Sqlite(conn.handle()),
        }
    }
    /// Whether the connection can serve another query.
    pub(crate) fn health(&self) -> Health {
        match self {
            Self::Postgres(conn) => conn.health(),
            Self::Sqlite(_) => Health::Good,
        }
    }
    /// How a network connection is protected, in words; `None` for a file.
    pub async fn tls(&mut self) -> Option<&'static str> {
        match self {
            Self::Postgres(conn) => Some(conn.tls().await),
            Self::Sqlite(_) => None,
        }
    }
}
