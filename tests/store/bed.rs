//! A database for one test, and short forms to fill and to query it.

use std::sync::Arc;

use renewscope::domain::event::{NewEvent, Party, RenewalEvent};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, Clause};
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::{Anchor, Page, Total};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Access, Address, ConnectOptions, RowOutcome, Store};

use super::pg;

/// Makes one test for each database out of an async function that takes a [`Bed`].
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name($crate::bed::Bed::postgres().await).await; })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name($crate::bed::Bed::sqlite().await).await; })*
        }
    };
}

pub struct Bed {
    pub address: Address,
    pub store: Store,
    /// For statements past the store, on PostgreSQL.
    pub url: Option<String>,
    _dir: Option<tempfile::TempDir>,
}

pub fn writing() -> ConnectOptions {
    ConnectOptions { access: Access::Write, create: true, ..ConnectOptions::default() }
}

impl Bed {
    pub async fn postgres() -> Self {
        let url = pg::migrated().await;
        let address = Address::parse(&url).unwrap();
        let store = Store::connect(&address, &writing()).await.unwrap();
        Self { address, store, url: Some(url), _dir: None }
    }

    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = Address::sqlite(dir.path().join("events.db"));
        let store = Store::connect(&address, &writing()).await.unwrap();
        Self { address, store, url: None, _dir: Some(dir) }
    }

    pub const fn is_postgres(&self) -> bool {
        self.url.is_some()
    }

    /// A store that only reads, as the console opens it.
    pub async fn reader(&self) -> Store {
        Store::connect(&self.address, &ConnectOptions::default()).await.unwrap()
    }

    /// Stores events that must all be new.
    pub async fn fill(&self, events: &[NewEvent]) {
        for chunk in events.chunks(1000) {
            let outcomes = self.store.create_many(chunk).await.unwrap();
            assert!(outcomes.iter().all(|o| *o == RowOutcome::Stored), "{outcomes:?}");
        }
    }

    pub async fn page(&self, criteria: &Criteria, anchor: Anchor, limit: u32) -> Page {
        page(&self.store, criteria, anchor, limit).await
    }

    pub async fn count(&self, criteria: &Criteria, ceiling: Option<u64>) -> Total {
        match self.store.run(&Query::Count { criteria: criteria.clone(), ceiling }).await.unwrap() {
            Answer::Count(total) => total,
            other => panic!("{other:?}"),
        }
    }

    /// All rows that match, newest first, with whole errors.
    pub async fn all(&self, criteria: &Criteria) -> Vec<Arc<RenewalEvent>> {
        let query = Query::WholePage { criteria: criteria.clone(), anchor: Anchor::Newest, limit: 100_000 };
        match self.store.run(&query).await.unwrap() {
            Answer::Page(page) => page.rows,
            other => panic!("{other:?}"),
        }
    }
}

pub async fn page(store: &Store, criteria: &Criteria, anchor: Anchor, limit: u32) -> Page {
    match store.run(&Query::Page { criteria: criteria.clone(), anchor, limit }).await.unwrap() {
        Answer::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

pub fn all_of(checks: impl IntoIterator<Item = Check>) -> Criteria {
    Criteria { all: checks.into_iter().map(|check| Clause { negated: false, check }).collect() }
}

pub fn none_of(checks: impl IntoIterator<Item = Check>) -> Criteria {
    Criteria { all: checks.into_iter().map(|check| Clause { negated: true, check }).collect() }
}

/// 2026-11-20 12:00 UTC and `seconds` more.
pub fn at(seconds: i64) -> Instant {
    Instant::parse_rfc3339("2026-11-20T12:00:00Z").unwrap().plus(Span::seconds(seconds))
}

pub fn named(name: &str) -> Party {
    Party { id: None, name: Some(name.to_owned()) }
}

/// A plain event of a device in the organization `acme`.
pub fn event(device: &str, kind: &str, created_at: Instant) -> NewEvent {
    NewEvent {
        id: None,
        device: named(device),
        org: named("acme"),
        kind: kind.to_owned(),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: None,
        created_at,
    }
}

/// What an answer must have been.
pub fn refused<T: std::fmt::Debug>(answer: Result<T, SourceError>) -> SourceError {
    answer.expect_err("an error was expected")
}
