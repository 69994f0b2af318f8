//! What a session may do, and the messages of an unreachable or unwilling database.

use std::time::Duration;

use renewscope::domain::event::NewEvent;
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, Pattern};
use renewscope::domain::page::Anchor;
use renewscope::protocol::query::Description;
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Address, ConnectOptions, RowOutcome, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::bed::{Bed, all_of, at, event, page, refused, writing};
use super::pg;
use crate::on_both;

on_both!(a_reader_cannot_write, a_long_statement_is_stopped, four_queries_at_the_same_time);

async fn a_reader_cannot_write(bed: Bed) {
    let reader = bed.reader().await;
    let error = refused(reader.create(&event("edge", "renewal_start", at(0))).await);
    assert!(matches!(&error, SourceError::Invalid(why) if why.contains("reading only")), "{error}");
}

async fn a_long_statement_is_stopped(bed: Bed) {
    let text = "ab".repeat(1000);
    let row = |n| NewEvent { error: Some(text.clone()), ..event("edge", "failed", at(n)) };
    bed.fill(&(0..3000).map(row).collect::<Vec<_>>()).await;
    let options = ConnectOptions { statement_timeout: Duration::from_millis(100), ..ConnectOptions::default() };
    let store = Store::connect(&bed.address, &options).await.unwrap();
    assert_eq!(refused(store.run(&slow()).await), SourceError::Timeout("0.1 s".into()));
    assert_eq!(page(&store, &Criteria::default(), Anchor::Newest, 5).await.rows.len(), 5);
}

async fn four_queries_at_the_same_time(bed: Bed) {
    bed.fill(&(0..100).map(|n| event("edge", "renewal_start", at(n))).collect::<Vec<_>>()).await;
    let reader = bed.reader().await;
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let reader = reader.clone();
            tokio::spawn(async move { page(&reader, &Criteria::default(), Anchor::Newest, 50).await.rows.len() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 50);
    }
}

async fn describe(store: &Store) -> Description {
    match store.run(&Query::Describe).await.unwrap() {
        Answer::Described(d) => d,
        other => panic!("{other:?}"),
    }
}

/// The session caches prepared statements; each fails once after the type of a column has changed.
#[tokio::test]
async fn a_table_altered_between_two_queries_is_read_again() {
    let url = pg::migrated().await;
    let address = Address::parse(&url).unwrap();
    let writer = Store::connect(&address, &writing()).await.unwrap();
    writer.create_many(&[event("edge", "renewal_failed", at(0))]).await.unwrap();
    let reader = Store::connect(&address, &ConnectOptions::default()).await.unwrap();
    let read = async || page(&reader, &Criteria::default(), Anchor::Newest, 5).await.rows.len();
    assert_eq!((read().await, read().await), (1, 1));
    let sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'renewscope' AND datname = current_database()";
    let mut watch = pg::connect(&url).await;
    let before: i64 = sqlx::query_scalar(sessions).fetch_one(&mut watch).await.unwrap();
    pg::execute(&url, "ALTER TABLE certificate_renewal_events ALTER COLUMN error_message TYPE varchar(4000)").await;
    assert_eq!((read().await, read().await), (1, 1));
    let after: i64 = sqlx::query_scalar(sessions).fetch_one(&mut watch).await.unwrap();
    assert_eq!(before, after, "on the same connection");
}

#[tokio::test]
async fn the_server_refuses_writes_of_a_reader() {
    let address = Address::parse(&pg::migrated().await).unwrap();
    let reader = Store::connect(&address, &ConnectOptions::default()).await.unwrap();
    assert!(describe(&reader).await.read_only);
    let writer = Store::connect(&address, &writing()).await.unwrap();
    assert!(!describe(&writer).await.read_only);
}

/// A proxy that behaves like a pooler without `options`: refuses a start-up message with them, forwards all others.
async fn pooler(listener: tokio::net::UnixListener, server: String) {
    while let Ok((mut client, _)) = listener.accept().await {
        let server = server.clone();
        tokio::spawn(async move {
            let mut start = vec![0; client.read_i32().await.unwrap() as usize - 4];
            client.read_exact(&mut start).await.unwrap();
            if start.windows(8).any(|w| w == b"options\0") {
                let words = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
                client.write_u8(b'E').await.unwrap();
                client.write_i32(words.len() as i32 + 4).await.unwrap();
                client.write_all(words).await.unwrap();
                return;
            }
            let mut backend = tokio::net::UnixStream::connect(server).await.unwrap();
            backend.write_i32(start.len() as i32 + 4).await.unwrap();
            backend.write_all(&start).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut backend).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_behind_a_pooler() {
    let url = pg::migrated().await;
    let dir = tempfile::tempdir().unwrap();
    let listener = tokio::net::UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
    tokio::spawn(pooler(listener, pg::socket()));
    let (_, database) = url.rsplit_once('/').unwrap();
    let host = dir.path().display().to_string().replace('/', "%2F");
    let address = Address::parse(&format!("postgres://postgres@{host}/{database}")).unwrap();

    let writer = Store::connect(&address, &writing()).await.unwrap();
    let text = "ab".repeat(1000);
    let row = |n| NewEvent { error: Some(text.clone()), ..event("edge", "failed", at(n)) };
    let outcomes = writer.create_many(&(0..3000).map(row).collect::<Vec<_>>()).await.unwrap();
    assert!(outcomes.iter().all(|o| *o == RowOutcome::Stored));

    let options = ConnectOptions { statement_timeout: Duration::from_millis(300), ..ConnectOptions::default() };
    let reader = Store::connect(&address, &options).await.unwrap();
    assert!(describe(&reader).await.read_only);
    assert_eq!(refused(reader.run(&slow()).await), SourceError::Timeout("0.3 s".into()));
    let gone = reader.answer(&slow(), tokio::time::sleep(Duration::from_millis(50))).await;
    assert_eq!(gone, Err(SourceError::Cancelled));
    assert_eq!(page(&reader, &Criteria::default(), Anchor::Newest, 5).await.rows.len(), 5);
}

/// Searches every error for texts that none contains.
fn slow() -> Query {
    let parts = (0..400).map(|n| Pattern::Contains(format!("{}c{n}", "ab".repeat(40)))).collect();
    Query::Count { criteria: all_of([Check::Error(parts)]), ceiling: None }
}

#[tokio::test]
async fn failures_to_connect_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Address::sqlite(dir.path().join("missing.db"));
    let error = refused(Store::connect(&missing, &ConnectOptions::default()).await.map(drop));
    assert!(matches!(&error, SourceError::Unreachable { why, .. } if why.contains("does not exist")), "{error}");

    let garbage = dir.path().join("garbage.db");
    std::fs::write(&garbage, "this is no database, but long enough to be looked at as if it were one".repeat(20))
        .unwrap();
    let error = refused(Store::connect(&Address::sqlite(garbage), &ConnectOptions::default()).await.map(drop));
    assert!(error.to_string().contains("not a SQLite database"), "{error}");

    let closed = Address::parse("postgres://a:s3cret@127.0.0.1:9/d").unwrap();
    let error = refused(Store::connect(&closed, &ConnectOptions::default()).await.map(drop));
    assert!(
        matches!(&error, SourceError::Unreachable { address, .. } if address == "postgres://a@127.0.0.1:9/d"),
        "{error}"
    );

    let url = pg::empty().await;
    for (from, to) in [("/t", "/no_such_t"), ("postgres@", "no_such_role@")] {
        let address = Address::parse(&url.replacen(from, to, 1)).unwrap();
        let error = refused(Store::connect(&address, &ConnectOptions::default()).await.map(drop));
        assert!(error.is_connection(), "{error}");
        assert!(error.to_string().contains("no_such"), "{error}");
    }
}

#[tokio::test]
async fn a_table_without_select_right_is_refused() {
    let url = pg::migrated().await;
    pg::execute(
        &url,
        "DO $$ BEGIN CREATE ROLE reads_nothing LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
    )
    .await;
    let address = Address::parse(&url.replace("postgres@", "reads_nothing@")).unwrap();
    let store = Store::connect(&address, &ConnectOptions::default()).await.unwrap();
    let query = Query::Count { criteria: Criteria::default(), ceiling: None };
    let error = refused(store.run(&query).await);
    assert!(matches!(&error, SourceError::Refused { .. }), "{error}");
}
