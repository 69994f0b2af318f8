//! Tables that Flight Control made, in the forms in which it is found: read as they are, never written.

use renewscope::domain::event::{Id, device_id_of};
use renewscope::domain::filter::Criteria;
use renewscope::domain::filter::criteria::{Check, KindMatch, NameMatch, Pattern};
use renewscope::domain::instant::Instant;
use renewscope::domain::page::Anchor;
use renewscope::protocol::query::{FacetQuery, Field};
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::schema::{self, Found, IndexState};
use renewscope::store::{Address, ConnectOptions, Store};
use uuid::Uuid;

use super::bed::{all_of, event, none_of, page, refused, writing};
use super::pg;

const DEVICE: &str = "c860jhsr1uj96sugum9csciop392mbnmsjrslpv0r7s22i76misg";
const GONE: &str = "gone-device";

/// The directory of a Flight Control server: devices without ids, organizations with two names.
const DIRECTORY: &str = "CREATE TABLE organizations (id UUID PRIMARY KEY, display_name TEXT, external_id TEXT);
    CREATE TABLE devices (org_id UUID NOT NULL, name TEXT NOT NULL, alias TEXT, PRIMARY KEY (org_id, name));
    INSERT INTO organizations VALUES ('00000000-0000-0000-0000-000000000000', 'Default', 'ext-0'),
        ('00000000-0000-0000-0000-000000000001', '', 'ext-1');
    INSERT INTO devices VALUES ('00000000-0000-0000-0000-000000000000',
        'c860jhsr1uj96sugum9csciop392mbnmsjrslpv0r7s22i76misg', NULL);
    INSERT INTO devices SELECT '00000000-0000-0000-0000-000000000001', 'bulk-' || n, NULL FROM generate_series(1, 12000) n;";

/// The model's form: no foreign keys, single-column indexes.
const CODE: &str = "CREATE TABLE certificate_renewal_events (id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        device_id UUID NOT NULL, org_id UUID NOT NULL, event_type TEXT NOT NULL, reason TEXT,
        old_cert_expiration TIMESTAMP, new_cert_expiration TIMESTAMP, error_message TEXT,
        created_at TIMESTAMP NOT NULL DEFAULT now());
    CREATE INDEX idx_cert_renewal_events_device_id ON certificate_renewal_events(device_id);
    CREATE INDEX idx_cert_renewal_events_org_id ON certificate_renewal_events(org_id);
    CREATE INDEX idx_cert_renewal_events_created_at ON certificate_renewal_events(created_at);
    CREATE INDEX idx_cert_renewal_events_event_type ON certificate_renewal_events(event_type);";

/// The architecture's form: the same with checks.
const CHECKED: &str = "CREATE TABLE certificate_renewal_events (id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        device_id UUID NOT NULL, org_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
        event_type TEXT NOT NULL CHECK (event_type IN ('renewal_start', 'renewal_success', 'renewal_failed',
            'recovery_start', 'recovery_success', 'recovery_failed')),
        reason TEXT CHECK (reason IN ('proactive', 'expired')),
        old_cert_expiration TIMESTAMP, new_cert_expiration TIMESTAMP, error_message TEXT,
        created_at TIMESTAMP NOT NULL DEFAULT now());
    CREATE INDEX idx_cert_renewal_events_device ON certificate_renewal_events(device_id);
    CREATE INDEX idx_cert_renewal_events_org ON certificate_renewal_events(org_id);
    CREATE INDEX idx_cert_renewal_events_created ON certificate_renewal_events(created_at);
    CREATE INDEX idx_cert_renewal_events_type ON certificate_renewal_events(event_type);";

/// The requirements' form: no organization, a device that may be missing, two indexes.
const WITHOUT_ORG: &str = "CREATE TABLE certificate_renewal_events (id UUID PRIMARY KEY, device_id UUID,
        event_type VARCHAR(50) NOT NULL, reason TEXT, old_cert_expiration TIMESTAMP, new_cert_expiration TIMESTAMP,
        error_message TEXT, created_at TIMESTAMP NOT NULL DEFAULT now());
    CREATE INDEX idx_cert_renewal_events_device ON certificate_renewal_events(device_id);
    CREATE INDEX idx_cert_renewal_events_created ON certificate_renewal_events(created_at);";

async fn source(ddl: &[&str], with_org: bool) -> (Address, String) {
    let url = pg::empty().await;
    pg::execute(&url, &ddl.join("\n")).await;
    let (known, gone) = (device_id_of(Uuid::nil(), DEVICE), device_id_of(Uuid::nil(), GONE));
    let (column, value) = if with_org { ("org_id,", format!("'{}',", Uuid::nil())) } else { ("", String::new()) };
    let insert = format!(
        "INSERT INTO certificate_renewal_events (id, device_id, {column} event_type, reason, old_cert_expiration,
            new_cert_expiration, error_message, created_at) VALUES
        (gen_random_uuid(), '{known}', {value} 'renewal_start', 'proactive', '2026-12-01', NULL, NULL, '2026-11-20 12:00:00'),
        (gen_random_uuid(), '{known}', {value} 'renewal_failed', NULL, NULL, NULL, E'line one\\nline two', '2026-11-20 12:00:01'),
        (gen_random_uuid(), '{gone}', {value} 'renewal_success', NULL, 'infinity', '-infinity', NULL, '2026-11-20 12:00:02'),
        (gen_random_uuid(), '{gone}', {value} 'recovery_success', NULL, '4713-01-01 BC', '294276-12-31', NULL, '2026-11-20 12:00:03')"
    );
    pg::execute(&url, &insert).await;
    (Address::parse(&url).unwrap(), url)
}

async fn read(address: &Address) -> Store {
    Store::connect(address, &ConnectOptions::default()).await.unwrap()
}

#[tokio::test]
async fn every_form_is_read_with_names() {
    for (name, ddl, with_org) in [("code", CODE, true), ("checked", CHECKED, true), ("without org", WITHOUT_ORG, false)]
    {
        let (address, _) = source(&[DIRECTORY, ddl], with_org).await;
        let store = read(&address).await;
        let rows = page(&store, &Criteria::default(), Anchor::Newest, 10).await.rows;
        assert_eq!(rows.len(), 4, "{name}");
        assert_eq!(rows[0].new_expiry, Instant::parse_rfc3339("+294276-12-31T00:00:00Z"));
        assert_eq!(rows[0].old_expiry, Instant::parse_rfc3339("-4712-01-01T00:00:00Z"));
        assert_eq!((rows[1].old_expiry, rows[1].new_expiry), (Some(Instant::INFINITY), Some(Instant::NEG_INFINITY)));
        assert_eq!(rows[2].device.as_ref().map(|t| t.raw()), Some(DEVICE), "{name}");
        assert_eq!(rows[0].device, None, "a device that is gone has no name");
        assert_eq!(rows[0].org.as_ref().map(|t| t.raw()), with_org.then_some("Default"));
        assert_eq!(rows[0].org_id.is_some(), with_org);
        let whole = store.get(None, &rows[2].id).await.unwrap().unwrap();
        assert_eq!(whole.error.as_ref().unwrap().text.raw(), "line one\nline two");
        assert_eq!(whole.device.as_ref().unwrap().raw(), DEVICE);

        let count = async |criteria: Criteria| page(&store, &criteria, Anchor::Newest, 10).await.rows.len();
        let device = |p: Pattern| Check::Device(vec![NameMatch::Name(p)]);
        assert_eq!(count(all_of([device(Pattern::StartsWith("c860".into()))])).await, 2);
        assert_eq!(count(none_of([device(Pattern::StartsWith("c860".into()))])).await, 2);
        // A whole name is found by its hash, in the directory or not.
        assert_eq!(count(all_of([device(Pattern::Is(GONE.into()))])).await, 2);
        assert_eq!(count(all_of([Check::Kind(vec![KindMatch::Ending("success".into())])])).await, 2);
        assert_eq!(count(none_of([Check::Kind(vec![KindMatch::Ending("success".into())])])).await, 2);
        let org = || Check::Org(vec![NameMatch::Name(Pattern::Is("Default".into()))]);
        if with_org {
            assert_eq!(count(all_of([org()])).await, 4);
        } else {
            let query = Query::Count { criteria: all_of([org()]), ceiling: None };
            assert!(matches!(refused(store.run(&query).await), SourceError::Unfit(_)));
        }
        assert_eq!(count(none_of([org()])).await, if with_org { 0 } else { 4 });
    }
}

#[tokio::test]
async fn facets_find_devices_by_name() {
    let (address, _) = source(&[DIRECTORY, CODE], true).await;
    let store = read(&address).await;
    let facets = async |needle: &str| {
        let query = FacetQuery {
            field: Field::Device,
            criteria: Criteria::default(),
            needle: needle.into(),
            limit: 5,
            ceiling: 100,
        };
        let Answer::Facets(facets) = store.run(&Query::Facets(query)).await.unwrap() else { panic!() };
        facets
    };
    let all = facets("").await;
    assert_eq!(all.values.len(), 2);
    let bulk = facets("BULK-119").await;
    assert!(bulk.values.len() == 5 && bulk.more);
    let one = facets("c860").await;
    assert_eq!(one.values[0].id, Some(Id::Uuid(device_id_of(Uuid::nil(), DEVICE))));
}

#[tokio::test]
async fn names_are_optional() {
    let (address, url) = source(&[DIRECTORY, CODE], true).await;
    let role = "nobody_much";
    pg::execute(
        &url,
        &format!(
            "DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
             GRANT SELECT ON certificate_renewal_events TO {role};"
        ),
    )
    .await;
    let limited = Address::parse(&url.replace("postgres@", &format!("{role}@"))).unwrap();
    let (bare, _) = source(&[CODE], true).await;
    for address in [limited, bare] {
        let store = read(&address).await;
        let rows = page(&store, &Criteria::default(), Anchor::Newest, 10).await.rows;
        assert!(rows.len() == 4 && rows.iter().all(|r| r.device.is_none() && r.org.is_none()));
        let by_name = all_of([Check::Device(vec![NameMatch::Name(Pattern::Is(DEVICE.into()))])]);
        assert_eq!(page(&store, &by_name, Anchor::Newest, 10).await.rows.len(), 2);
    }
    drop(address);
}

#[tokio::test]
async fn nothing_is_written_but_indexes_on_request() {
    let (address, url) = source(&[DIRECTORY, CODE], true).await;
    let store = Store::connect(&address, &writing()).await.unwrap();
    let one = event("edge", "renewal_start", Instant::from_pg_micros(0));
    assert!(matches!(refused(store.create(&one).await), SourceError::Invalid(_)));
    let id = page(&store, &Criteria::default(), Anchor::Newest, 1).await.rows[0].id.clone();
    assert!(matches!(refused(store.delete(None, &id).await), SourceError::Invalid(_)));

    let moved = schema::migrate(&address).await.unwrap();
    assert!(moved.steps.is_empty());
    let Found::Foreign { columns } = moved.found else { panic!() };
    assert!(columns.contains(&"org_id uuid".to_owned()), "{columns:?}");
    assert!(schema::rollback(&address, Some(0)).await.unwrap().steps.is_empty());
    let status = schema::status(&address).await.unwrap();
    assert!(status.steps.iter().all(|s| !s.applied));
    assert!(status.indexes.iter().all(|i| i.state == IndexState::Missing));

    // An attempt that was broken off leaves an invalid index behind.
    pg::execute(
        &url,
        "CREATE INDEX renewscope_page ON certificate_renewal_events (created_at);
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'renewscope_page'::regclass;",
    )
    .await;
    let made = schema::index(&address).await.unwrap();
    let states: Vec<_> = made.iter().map(|i| i.state).collect();
    use IndexState::{Created, Exists, Missing, Rebuilt};
    assert_eq!(states, [Rebuilt, Created, Created, Created, Created, Missing, Missing]);
    assert!(
        made.iter()
            .filter(|i| !i.on_request)
            .all(|i| i.name.starts_with("renewscope_") && i.bytes.is_some_and(|b| b > 0) && !i.purpose.is_empty())
    );
    // One for searches that was broken off, and nothing else left to make.
    pg::execute(
        &url,
        "CREATE EXTENSION pg_trgm;
         CREATE INDEX renewscope_error_trgm ON certificate_renewal_events
             USING gin ((error_message COLLATE \"C\") gin_trgm_ops) WHERE error_message IS NOT NULL;
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'renewscope_error_trgm'::regclass;",
    )
    .await;
    let again = schema::index_search(&address).await.unwrap();
    let states: Vec<_> = again.iter().map(|i| i.state).collect();
    assert_eq!(states, [Exists, Exists, Exists, Exists, Exists, Rebuilt, Created]);
    assert!(again.iter().all(|i| i.bytes.is_some_and(|b| b > 0) && i.note.is_none()), "{again:?}");
    let again = schema::index_search(&address).await.unwrap();
    assert!(again.iter().all(|i| i.state == Exists), "{again:?}");
}

#[tokio::test]
async fn an_incomplete_table_is_named() {
    let url = pg::empty().await;
    let address = Address::parse(&url).unwrap();
    let store = read(&address).await;
    let query = Query::Count { criteria: Criteria::default(), ceiling: None };
    let error = refused(store.run(&query).await);
    assert!(
        matches!(&error, SourceError::Shape(why) if why.contains("relation 'certificate_renewal_events' not found")),
        "{error}"
    );
    pg::execute(&url, "CREATE TABLE certificate_renewal_events (id UUID, device_id UUID, created_at TIMESTAMP)").await;
    let error = refused(store.run(&query).await);
    assert!(matches!(&error, SourceError::Shape(why) if why.contains("no column 'event_type'")), "{error}");
}
