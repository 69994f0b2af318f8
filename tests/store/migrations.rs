//! The schema on both databases: same steps, each with its way back, and nothing done twice.

use std::collections::BTreeSet;
use std::path::Path;

use renewscope::domain::filter::Criteria;
use renewscope::domain::page::Anchor;
use renewscope::protocol::SourceError;
use renewscope::store::schema::{self, Found, IndexState};
use renewscope::store::{Address, ConnectOptions, RowOutcome, Store};

use super::bed::{Bed, at, event, page, refused, writing};
use super::pg;
use crate::on_both;

on_both!(forward_back_and_forward, indexes_are_reported, a_newer_schema_is_read_and_never_written);

fn files(directory: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(directory);
    std::fs::read_dir(path).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn both_databases_have_the_same_steps_and_ways_back() {
    let postgres = files("postgres");
    assert_eq!(postgres, files("sqlite"));
    for file in postgres.iter().filter(|f| f.ends_with(".up.sql")) {
        assert!(postgres.contains(&file.replace(".up.", ".down.")), "{file}");
    }
    let up = postgres.iter().filter(|f| f.ends_with(".up.sql")).count();
    assert_eq!(postgres.len(), up * 2);
}

async fn forward_back_and_forward(bed: Bed) {
    let versions = |moved: schema::Moved| moved.steps.iter().map(|s| s.version).collect::<Vec<_>>();
    bed.fill(&[event("edge", "renewal_start", at(0))]).await;
    assert_eq!(versions(schema::migrate(&bed.address).await.unwrap()), [0_i64; 0]);
    let status = schema::status(&bed.address).await.unwrap();
    assert_eq!(status.found, Found::Own);
    assert!(status.steps.iter().all(|s| s.applied && !s.differs));

    // Without the second step the table is still there, and so are the rows.
    assert_eq!(versions(schema::rollback(&bed.address, None).await.unwrap()), [2]);
    let reader = bed.reader().await;
    assert_eq!(page(&reader, &Criteria::default(), Anchor::Newest, 5).await.rows.len(), 1);
    let status = schema::status(&bed.address).await.unwrap();
    assert!(status.indexes.iter().all(|i| i.state == IndexState::Missing));
    assert_eq!(versions(schema::migrate(&bed.address).await.unwrap()), [2]);

    assert_eq!(versions(schema::rollback(&bed.address, Some(0)).await.unwrap()), [1, 2]);
    assert_eq!(schema::status(&bed.address).await.unwrap().found, Found::Nothing);
    assert_eq!(versions(schema::rollback(&bed.address, None).await.unwrap()), [0_i64; 0]);
    assert_eq!(versions(schema::migrate(&bed.address).await.unwrap()), [1, 2]);
    let store = Store::connect(&bed.address, &writing()).await.unwrap();
    assert_eq!(store.create(&event("edge", "renewal_start", at(0))).await.unwrap().1, RowOutcome::Stored);
}

async fn indexes_are_reported(bed: Bed) {
    let reports = schema::index(&bed.address).await.unwrap();
    let (search, reports): (Vec<_>, Vec<_>) = reports.into_iter().partition(|i| i.on_request);
    assert_eq!((reports.len(), search.len()), (5, if bed.is_postgres() { 2 } else { 1 }));
    assert!(search.iter().all(|i| i.state == IndexState::Missing && !i.purpose.is_empty() && i.bytes.is_none()));
    assert!(reports.iter().all(|i| i.state == IndexState::Exists && i.name.starts_with("idx_cert_renewal_events_")));
    assert_eq!(reports.iter().all(|i| i.bytes.is_some()), bed.is_postgres());
}

#[tokio::test]
async fn connecting_migrates_nothing() {
    let address = Address::parse(&pg::empty().await).unwrap();
    let store = Store::connect(&address, &writing()).await.unwrap();
    let error = refused(store.create(&event("edge", "renewal_start", at(0))).await);
    assert!(matches!(error, SourceError::Shape(_)), "{error}");
    assert_eq!(schema::status(&address).await.unwrap().found, Found::Nothing);
}

#[tokio::test]
async fn tables_of_others_are_in_the_way() {
    let url = pg::empty().await;
    pg::execute(&url, "CREATE TABLE devices (org_id UUID, name TEXT)").await;
    let error = refused(schema::migrate(&Address::parse(&url).unwrap()).await);
    assert!(matches!(&error, SourceError::Invalid(why) if why.contains("did not make")), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_start_at_once_on_a_missing_file() {
    let dir = tempfile::tempdir().unwrap();
    let address = Address::sqlite(dir.path().join("deep/er/events.db"));
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let address = address.clone();
            tokio::spawn(async move {
                let store = Store::connect(&address, &writing()).await?;
                store.create(&event("edge", "renewal_start", at(n))).await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().1, RowOutcome::Stored);
    }
    let store = Store::connect(&address, &ConnectOptions::default()).await.unwrap();
    assert_eq!(page(&store, &Criteria::default(), Anchor::Newest, 20).await.rows.len(), 8);
}

/// Writes into the table of migrations, as another version would.
async fn note(bed: &Bed, statement: &str) {
    match &bed.url {
        Some(url) => pg::execute(url, statement).await,
        None => {
            let path = bed.address.path().unwrap().to_owned();
            let mut conn = <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!("sqlite:{}", path.display()))
                .await
                .unwrap();
            sqlx::Executor::execute(&mut conn, sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
    }
}

async fn a_newer_schema_is_read_and_never_written(bed: Bed) {
    bed.fill(&[event("edge", "renewal_start", at(0))]).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        SELECT 9, 'what comes later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 2";
    note(&bed, newer).await;
    let status = schema::status(&bed.address).await.unwrap();
    let last = status.steps.last().unwrap();
    assert!((last.version, last.newer, last.applied) == (9, true, true), "{status:?}");
    assert!(status.obstacle.unwrap().contains("made by a newer renewscope"));
    for error in [
        refused(schema::migrate(&bed.address).await).to_string(),
        refused(schema::rollback(&bed.address, None).await).to_string(),
    ] {
        assert!(error.contains("cannot migrate") && error.contains("9 'what comes later'"), "{error}");
    }
    let options = ConnectOptions { create: false, ..writing() };
    let store = Store::connect(&bed.address, &options).await.unwrap();
    let error = refused(store.create(&event("edge", "renewal_start", at(1))).await).to_string();
    assert!(error.contains("cannot write") && error.contains("newer renewscope"), "{error}");
    assert_eq!(page(&store, &Criteria::default(), Anchor::Newest, 5).await.rows.len(), 1);
    // A migration that failed halfway is an obstacle too.
    note(&bed, "DELETE FROM _sqlx_migrations WHERE version = 9").await;
    note(&bed, "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 2").await;
    let error = refused(schema::migrate(&bed.address).await).to_string();
    assert!(error.contains("2 'paging indexes' failed halfway"), "{error}");
}

#[tokio::test]
async fn an_index_that_is_being_created_is_left_alone() {
    let url = pg::migrated().await;
    let address = Address::parse(&url).unwrap();
    pg::execute(&url, "DROP INDEX idx_cert_renewal_events_page").await;
    // The lock that CREATE INDEX CONCURRENTLY holds, and the invalid index that it leaves until its end.
    pg::execute(&url, "CREATE INDEX renewscope_page ON certificate_renewal_events (created_at DESC, id DESC)").await;
    let invalid = "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'renewscope_page'::regclass";
    pg::execute(&url, invalid).await;
    let mut other = pg::connect(&url).await;
    let lock = "BEGIN; LOCK TABLE certificate_renewal_events IN SHARE UPDATE EXCLUSIVE MODE";
    sqlx::Executor::execute(&mut other, lock).await.unwrap();
    let reports = schema::index(&address).await.unwrap();
    let page = reports.iter().find(|r| r.name == "renewscope_page").unwrap();
    assert_eq!(page.state, IndexState::Missing, "{reports:?}");
    assert!(page.note.as_ref().unwrap().contains("another session"), "{page:?}");
    sqlx::Executor::execute(&mut other, "ROLLBACK").await.unwrap();
    let reports = schema::index(&address).await.unwrap();
    assert!(reports.iter().any(|r| r.name == "renewscope_page" && r.state == IndexState::Rebuilt), "{reports:?}");
}

/// Each partition gets its indexes while others write, and the table gets them from its partitions.
#[tokio::test]
async fn a_partitioned_table_gets_its_indexes_partition_by_partition() {
    let url = pg::migrated().await;
    let statements = "ALTER TABLE certificate_renewal_events RENAME TO old; CREATE SCHEMA months; \
        CREATE TABLE certificate_renewal_events (LIKE old) PARTITION BY RANGE (created_at); \
        CREATE TABLE months.y2025 PARTITION OF certificate_renewal_events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01'); \
        CREATE TABLE months.y2026 PARTITION OF certificate_renewal_events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') \
            PARTITION BY HASH (id); \
        CREATE TABLE months.y2026_0 PARTITION OF months.y2026 FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
        CREATE TABLE months.y2026_1 PARTITION OF months.y2026 FOR VALUES WITH (MODULUS 2, REMAINDER 1); \
        CREATE TABLE all_others PARTITION OF certificate_renewal_events DEFAULT; \
        CREATE INDEX by_hand ON months.y2025 (created_at DESC, id DESC)";
    pg::execute(&url, statements).await;
    let address = Address::parse(&url).unwrap();
    let mut conn = pg::connect(&url).await;
    let count = "SELECT count(*) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE i.indisvalid \
        AND i.indrelid::regclass::text ~ '^(months\\.y2026(_.)?|months\\.y2025|all_others|certificate_renewal_events)$'";
    let states = [IndexState::Created, IndexState::Exists];
    for (run, expected) in states.into_iter().enumerate() {
        let reports = schema::index(&address).await.unwrap();
        let paging: Vec<_> = reports.iter().filter(|r| !r.on_request).collect();
        assert_eq!(paging.len(), 5);
        assert!(paging.iter().all(|r| r.state == expected && r.note.is_none()), "run {run}: {reports:?}");
        // Six tables with five indexes each: the one that was created by hand is used.
        let valid: i64 = sqlx::query_scalar(count).fetch_one(&mut conn).await.unwrap();
        assert_eq!(valid, 30, "run {run}");
    }
    // A run that was interrupted: an index of a partition failed, so that of the table is not valid.
    pg::execute(&url, "DROP INDEX renewscope_page; CREATE INDEX renewscope_page ON ONLY certificate_renewal_events (created_at DESC, id DESC)").await;
    let reports = schema::index(&address).await.unwrap();
    assert_eq!(reports[0].state, IndexState::Created, "{reports:?}");
    let valid: i64 = sqlx::query_scalar(count).fetch_one(&mut conn).await.unwrap();
    assert_eq!(valid, 30);
}

#[tokio::test]
async fn a_partitioned_table_says_why_it_gets_no_index() {
    let url = pg::migrated().await;
    let statements = "ALTER TABLE certificate_renewal_events RENAME TO old; \
        CREATE TABLE certificate_renewal_events (LIKE old) PARTITION BY RANGE (created_at); \
        CREATE EXTENSION postgres_fdw; CREATE SERVER shard FOREIGN DATA WRAPPER postgres_fdw; \
        CREATE FOREIGN TABLE elsewhere PARTITION OF certificate_renewal_events DEFAULT SERVER shard";
    pg::execute(&url, statements).await;
    let address = Address::parse(&url).unwrap();
    let reports = schema::index(&address).await.unwrap();
    let paging: Vec<_> = reports.iter().filter(|r| !r.on_request).collect();
    assert!(paging.iter().all(|r| r.state == IndexState::Missing), "{reports:?}");
    assert!(paging.iter().all(|r| r.note.as_ref().is_some_and(|n| n.contains("partitioned"))), "{reports:?}");
    let store = Store::connect(&address, &writing()).await.unwrap();
    let error = refused(store.create(&event("edge", "renewal_start", at(1))).await).to_string();
    assert!(error.contains("cannot tell duplicates"), "{error}");
}
