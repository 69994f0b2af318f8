//! The interface of a database: the store implements it, and so does the tests' fake.

use std::future::Future;

use super::{Answer, Query, SourceError};

/// A database that answers queries. Clones share its connections.
pub trait EventSource: Clone + Send + Sync + 'static {
    /// Runs one query. If `cancelled` resolves first, the query is stopped in the database too, and the error is
    /// [`SourceError::Cancelled`].
    fn answer(
        &self,
        query: &Query,
        cancelled: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Result<Answer, SourceError>> + Send;

    /// A counter that changes with every commit of another connection, where the source has one. It may change without
    /// a commit too.
    fn changes(&self) -> Option<i64>;

    /// Resolves when the source reports a commit of another connection. Notifications may be lost, so callers must poll
    /// as well; a source without notifications never resolves.
    fn notified(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}
