//! What the tasks need of a database: the store is one such source, the tests' fake the other.

use std::future::Future;

use super::{Answer, Query, SourceError};

pub trait EventSource: Clone + Send + Sync + 'static {
    /// Answers one question. When `cancelled` resolves first, the work is stopped where it runs, in the database
    /// too, and the outcome is [`SourceError::Cancelled`].
    fn answer(
        &self,
        query: &Query,
        cancelled: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Result<Answer, SourceError>> + Send;

    /// A number that moves when somebody else has written, where the source has one. It may move without that too.
    fn changes(&self) -> Option<i64>;

    /// Resolves when the source says that somebody has written. A hint only: it may be lost, and a source that gives
    /// none never resolves.
    fn notified(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}
