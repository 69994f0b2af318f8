//! What happens when servers, networks, passwords and disks fail: real servers, real faults, on the store and on the
//! program itself. Each row of `docs/faults.md` names its test here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
#[path = "../common/cluster.rs"]
mod cluster;
mod connections;
mod console;
mod doctor;
mod files;
mod passwords;
#[allow(dead_code)]
#[path = "../common/pg.rs"]
mod pg;
#[path = "../common/proxy.rs"]
mod proxy;
#[path = "../common/pty.rs"]
mod pty;
mod relays;
mod tail;
mod tls;
mod writer;

use std::time::Duration;

use renewscope::domain::event::{NewEvent, Party};
use renewscope::domain::filter::Criteria;
use renewscope::domain::instant::{Instant, Span};
use renewscope::domain::page::Total;
use renewscope::protocol::query::Description;
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Access, Address, ConnectOptions, RowOutcome, Store};

/// With a limit for each statement.
fn reading(statement_timeout: Duration) -> ConnectOptions {
    ConnectOptions { statement_timeout, ..ConnectOptions::default() }
}

fn writing() -> ConnectOptions {
    ConnectOptions { access: Access::Write, ..ConnectOptions::default() }
}

async fn connect(url: &str) -> Store {
    Store::connect(&Address::parse(url).unwrap(), &ConnectOptions::default()).await.unwrap()
}

async fn connect_fails(url: &str) -> SourceError {
    match Store::connect(&Address::parse(url).unwrap(), &ConnectOptions::default()).await {
        Ok(_) => panic!("{url} was connected to"),
        Err(e) => e,
    }
}

const COUNT: Query = Query::Count { criteria: Criteria { all: Vec::new() }, ceiling: None };

async fn count(store: &Store) -> Result<u64, SourceError> {
    match store.run(&COUNT).await? {
        Answer::Count(Total::Exact(n)) => Ok(n),
        other => panic!("{other:?}"),
    }
}

async fn describe(store: &Store) -> Description {
    match store.run(&Query::Describe).await.unwrap() {
        Answer::Described(d) => d,
        other => panic!("{other:?}"),
    }
}

/// Queries until a result comes.
async fn counted_in_the_end(store: &Store) -> u64 {
    let querying = async {
        loop {
            if let Ok(n) = count(store).await {
                return n;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), querying).await.expect("an answer in the end")
}

fn event(n: i64) -> NewEvent {
    NewEvent {
        id: None,
        device: Party { id: None, name: Some(format!("edge-{}", n % 10)) },
        org: Party { id: None, name: Some("acme".into()) },
        kind: "renewal_failed".into(),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: Some(format!("number {n}")),
        created_at: Instant::parse_rfc3339("2026-11-20T12:00:00Z").unwrap().plus(Span::seconds(n)),
    }
}

async fn fill(url: &str, rows: i64) {
    let store = Store::connect(&Address::parse(url).unwrap(), &writing()).await.unwrap();
    let outcomes = store.create_many(&(0..rows).map(event).collect::<Vec<_>>()).await.unwrap();
    assert!(outcomes.iter().all(|o| *o == RowOutcome::Stored), "{outcomes:?}");
    store.close().await;
}

/// What an error says, with what it says to do.
fn message(error: &SourceError) -> String {
    format!("{error}; {}", error.next_step())
}

#[track_caller]
fn says(error: &SourceError, words: &[&str]) {
    let message = message(error);
    for word in words {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
}
