//! What a session may do, and what an unreachable or unwilling database says.

use std::time::Duration;

use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, Pattern};
use renewscope::domain::page::Anchor;
use renewscope::protocol::{Query, SourceError};
use renewscope::store::{Access, Address, ConnectOptions, Store};

use super::bed::{Bed, all_of, at, event, page, refused};
use super::pg;
use crate::on_both;

on_both!(a_reader_cannot_write, a_long_statement_is_stopped, four_questions_at_once);

async fn a_reader_cannot_write(bed: Bed) {
    let reader = bed.reader().await;
    let error = refused(reader.create(&event("edge", "renewal_start", at(0))).await);
    assert!(matches!(&error, SourceError::Invalid(why) if why.contains("reading only")), "{error}");
}

async fn a_long_statement_is_stopped(bed: Bed) {
    let text = "ab".repeat(1000);
    let row = |n| renewscope::domain::event::NewEvent { error: Some(text.clone()), ..event("edge", "failed", at(n)) };
    bed.fill(&(0..3000).map(row).collect::<Vec<_>>()).await;
    let options = ConnectOptions { statement_timeout: Duration::from_millis(100), ..ConnectOptions::default() };
    let store = Store::connect(&bed.address, &options).await.unwrap();
    let parts = (0..400).map(|n| Pattern::Contains(format!("{}c{n}", "ab".repeat(40)))).collect();
    let slow = Query::Count { criteria: all_of([Check::Error(parts)]), ceiling: None };
    assert_eq!(refused(store.ask(&slow).await), SourceError::Timeout("0.1 s".into()));
    assert_eq!(page(&store, &Criteria::default(), Anchor::Newest, 5).await.rows.len(), 5);
}

async fn four_questions_at_once(bed: Bed) {
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

#[tokio::test]
async fn the_server_holds_a_reader_to_reading() {
    let url = pg::migrated().await;
    let store = Store::connect(&Address::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    let mut conn = pg::connect(&url).await;
    let seen: (i64, bool) = sqlx::query_as(
        "SELECT count(*), bool_and(backend_type = 'client backend') FROM pg_stat_activity
         WHERE application_name = 'renewscope' AND datname = current_database()",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(seen, (1, true));
    drop(store);
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
async fn a_table_one_may_not_read_is_refused() {
    let url = pg::migrated().await;
    pg::execute(
        &url,
        "DO $$ BEGIN CREATE ROLE reads_nothing LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
    )
    .await;
    let address = Address::parse(&url.replace("postgres@", "reads_nothing@")).unwrap();
    let store =
        Store::connect(&address, &ConnectOptions { access: Access::Read, ..ConnectOptions::default() }).await.unwrap();
    let query = Query::Count { criteria: Criteria::default(), ceiling: None };
    let error = refused(store.ask(&query).await);
    assert!(matches!(&error, SourceError::Refused { .. }), "{error}");
}
