//! Whose tables they are: decided by the catalog, so that every role gets the same answers.

use renewscope::domain::event::NewEvent;
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, Pattern};
use renewscope::domain::page::{Anchor, Total};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Address, ConnectOptions, RowOutcome, Store};

use super::bed::{all_of, at, event, page, refused, writing};
use super::pg;

/// A start with a reason, and what came of it without one: Flight Control's profile would carry the reason over.
async fn filled(url: &str) {
    let writer = Store::connect(&Address::parse(url).unwrap(), &writing()).await.unwrap();
    let start = NewEvent { reason: Some("proactive".into()), ..event("edge", "renewal_start", at(0)) };
    let rows = [start, event("edge", "renewal_failed", at(1))];
    assert!(writer.create_many(&rows).await.unwrap().iter().all(|o| *o == RowOutcome::Stored));
}

async fn proactive(store: &Store) -> Answer {
    let criteria = all_of([Check::Reason(vec![Pattern::Is("proactive".into())])]);
    store.run(&Query::Count { criteria, ceiling: None }).await.unwrap()
}

async fn reader_of(url: &str) -> String {
    let role = format!("owner_or_{}", url.rsplit('/').next().unwrap());
    let grant = format!("GRANT SELECT ON certificate_renewal_events, organizations, devices TO {role}");
    pg::execute(url, &format!("CREATE ROLE {role} LOGIN; {grant}")).await;
    url.replace("postgres@", &format!("{role}@"))
}

async fn kind(store: &Store) -> String {
    match store.run(&Query::Describe).await.unwrap() {
        Answer::Described(d) => d.profile,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_the_migrations_table_gets_the_owners_answers() {
    let url = pg::migrated().await;
    filled(&url).await;
    let reader = reader_of(&url).await;
    for url in [&url, &reader] {
        let store = Store::connect(&Address::parse(url).unwrap(), &ConnectOptions::default()).await.unwrap();
        assert_eq!(proactive(&store).await, Answer::Count(Total::Exact(1)), "{url}");
        assert_eq!(kind(&store).await, "own");
        let found = page(&store, &Criteria::default(), Anchor::Newest, 1).await;
        assert_eq!(found.rows[0].reason, None, "{url}");
        assert_eq!(found.rows[0].device.as_ref().map(|d| d.raw()), Some("edge"), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_partitioned_by_hand_is_read_like_our_own_and_not_written() {
    let url = pg::migrated().await;
    filled(&url).await;
    let by_hand = "DROP TABLE _sqlx_migrations; ALTER TABLE certificate_renewal_events RENAME TO old; \
        CREATE TABLE certificate_renewal_events (LIKE old) PARTITION BY RANGE (created_at); \
        CREATE TABLE part PARTITION OF certificate_renewal_events DEFAULT; \
        INSERT INTO certificate_renewal_events SELECT * FROM old; DROP TABLE old";
    pg::execute(&url, by_hand).await;
    let store = Store::connect(&Address::parse(&url).unwrap(), &writing()).await.unwrap();
    assert_eq!(proactive(&store).await, Answer::Count(Total::Exact(1)));
    assert_eq!(kind(&store).await, "own");
    let error = refused(store.create(&event("edge", "renewal_failed", at(9))).await);
    assert!(matches!(&error, SourceError::Invalid(why) if why.contains("it is only read")), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_choice_among_several_sources_is_remarked() {
    let url = pg::migrated().await;
    filled(&url).await;
    let sirius = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sources/sirius/postgres.sql"));
    pg::execute(&url, &sirius.unwrap()).await;
    let store = Store::connect(&Address::parse(&url).unwrap(), &ConnectOptions::default()).await.unwrap();
    assert_eq!(kind(&store).await, "own");
    let remark = store.remark().unwrap();
    assert!(remark.contains("'own' was chosen; 'sirius' would fit too"), "{remark}");
    let Ok(Answer::Described(described)) = store.run(&Query::Describe).await else { panic!("a description") };
    assert!(described.notes.contains(&remark));
}
