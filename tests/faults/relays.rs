//! A pooler, a hot standby, and roles with few rights.

use std::sync::Arc;
use std::time::Duration;

use renewscope::domain::filter::Criteria;
use renewscope::domain::page::Anchor;
use renewscope::profile::SourceProfile;
use renewscope::profile::choice::Profiles;
use renewscope::protocol::{Query, SourceError};
use renewscope::store::{Address, ConnectOptions, Store, schema};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::cluster::{Bouncer, Cluster};
use crate::{COUNT, connect, connect_fails, count, counted_in_the_end, describe, fill, pg, reading, says};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_keep_their_limits_behind_a_pooler() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    // One pooler refuses the settings, one drops them silently.
    for ignored in ["", "options"] {
        let bouncer = Bouncer::before(&server, ignored);
        let address = Address::parse(&bouncer.url("fleet")).unwrap();
        let store = Store::connect(&address, &reading(Duration::from_millis(300))).await.unwrap();
        assert!(describe(&store).await.read_only);
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    for _ in 0..50 {
                        assert_eq!(count(&store).await, Ok(10));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let mut holder = pg::connect(&url).await;
        let lock = "BEGIN; LOCK TABLE certificate_renewal_events IN ACCESS EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut holder).await.unwrap();
        assert_eq!(count(&store).await, Err(SourceError::Timeout("0.3 s".into())), "{ignored}");
        let gone = store.answer(&COUNT, tokio::time::sleep(Duration::from_millis(50))).await;
        assert_eq!(gone, Err(SourceError::Cancelled));
        drop(holder);
        assert_eq!(counted_in_the_end(&store).await, 10);
    }
}

/// What a query changes must not stay with the server's connection, which other clients use next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_objects_and_changed_settings_stop_behind_a_pooler_too() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let hostile = "CREATE SCHEMA evil; CREATE TABLE secret (n int); CREATE FUNCTION evil.unnest(text[]) RETURNS SETOF text \
        LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hostile'; END $$; \
        CREATE FUNCTION w() RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.secret VALUES (1); RETURN ''; END $$; \
        ALTER DATABASE fleet SET search_path = evil, public";
    server.execute(hostile).await;
    let profile = |expression: &str| {
        let select = format!(
            "SELECT e.id, e.device_id, e.event_type, e.created_at, {expression} AS extra FROM certificate_renewal_events e"
        );
        let text = format!(
            "name = \"odd\"\ndatabase = [\"postgres\"]\n[relation]\ntable = \"certificate_renewal_events\"\nselect = \"{select}\"\n\
             [fields]\nid = {{ column = \"id\", type = \"uuid\" }}\ndevice = {{ column = \"device_id\", type = \"uuid\" }}\n\
             type = {{ column = \"event_type\" }}\nerror = {{ column = \"extra\" }}\n\
             time = {{ column = \"created_at\", type = \"timestamp\" }}\n"
        );
        Arc::new(SourceProfile::parse("odd.toml", &text).unwrap())
    };
    for ignored in ["", "options"] {
        let bouncer = Bouncer::before(&server, ignored);
        let address = Address::parse(&bouncer.url("fleet")).unwrap();
        let store = connect(&bouncer.url("fleet")).await;
        assert_eq!(count(&store).await, Ok(10));
        let set = |name: &str, value: &str| format!("set_config('{name}', '{value}', false)");
        for (expression, words) in [
            (set("search_path", "public"), "changed the session setting 'search_path'"),
            (set("TimeZone", "Asia/Tokyo"), "changed the session setting 'TimeZone'"),
            (format!("{} || public.w()", set("default_transaction_read_only", "off")), "the source tried to write"),
        ] {
            let profiles = Profiles { all: vec![profile(&expression)], named: Some("odd".into()) };
            let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
            let odd = Store::connect(&address, &options).await.unwrap();
            let newest = Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 5 };
            says(&odd.run(&newest).await.unwrap_err(), &[words]);
        }
        let plain: PgConnectOptions = bouncer.url("fleet").parse().unwrap();
        let mut other = plain.extra_float_digits(None).connect().await.unwrap();
        let state = "SELECT current_setting('search_path') || ' ' || current_setting('TimeZone') || ' ' || \
            current_setting('default_transaction_read_only') || ' ' || (SELECT count(*) FROM public.secret)";
        for _ in 0..5 {
            let state: String = sqlx::query_scalar(state).persistent(false).fetch_one(&mut other).await.unwrap();
            assert_eq!(state, "evil, public UTC off 0");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_a_database_without_an_encoding_are_read_behind_a_pooler_too() {
    let server = Cluster::start(&[]);
    server.execute("CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'").await;
    let url = server.url("bytes");
    schema::migrate(&Address::parse(&url).unwrap()).await.unwrap();
    fill(&url, 10).await;
    pg::execute(&url, r"UPDATE certificate_renewal_events SET reason = E'caf\xe9', error_message = E'na\xefve'").await;
    for ignored in ["", "options"] {
        let bouncer = Bouncer::before(&server, ignored);
        let store = connect(&bouncer.url("bytes")).await;
        let newest = Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 10 };
        let page = format!("{:?}", store.run(&newest).await.unwrap());
        assert_eq!((page.matches("caf⟨E9⟩").count(), page.matches("na⟨EF⟩ve").count()), (10, 10), "{page}");
        // What is set for one transaction does not reach the other clients of the server's connection.
        let plain: PgConnectOptions = bouncer.url("bytes").parse().unwrap();
        let mut other = plain.extra_float_digits(None).connect().await.unwrap();
        for _ in 0..5 {
            let encoding = "SELECT current_setting('client_encoding')";
            let encoding: String = sqlx::query_scalar(encoding).persistent(false).fetch_one(&mut other).await.unwrap();
            assert_eq!(encoding, "UTF8");
        }
    }
}

#[tokio::test]
async fn a_restart_behind_a_pooler_is_reported_and_recovered() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let bouncer = Bouncer::before(&server, "");
    let store = connect(&bouncer.url("fleet")).await;
    assert_eq!(count(&store).await, Ok(10));
    server.restart(crate::cluster::Stop::Fast);
    assert_eq!(counted_in_the_end(&store).await, 10);
}

#[tokio::test]
async fn a_standby_serves_queries_and_survives_replay_conflicts() {
    let primary = Cluster::start(&["wal_level=replica"]);
    let url = primary.fleet();
    fill(&url, 1000).await;
    let standby = Cluster::standby_of(&primary, &["max_standby_streaming_delay=0", "hot_standby_feedback=off"]);
    let store = connect(&standby.url("fleet")).await;
    assert_eq!(count(&store).await, Ok(1000));
    let error = {
        let address = Address::parse(&standby.url("fleet")).unwrap();
        let options = crate::writing();
        let writer = Store::connect(&address, &options).await.unwrap();
        writer.create(&crate::event(1)).await.unwrap_err()
    };
    says(&error, &["read-only", "write to the primary"]);

    // A session holds an old snapshot; replay removes its rows and ends it. Queries continue.
    let mut old = pg::connect(&standby.url("fleet")).await;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM certificate_renewal_events")
        .execute(&mut old)
        .await
        .unwrap();
    primary.execute("DELETE FROM certificate_renewal_events WHERE error_message LIKE 'number 9%'").await;
    primary.execute("VACUUM certificate_renewal_events").await;
    let conflict = async {
        while sqlx::raw_sql("SELECT count(*) FROM certificate_renewal_events").execute(&mut old).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), conflict).await.expect("a conflict");
    standby.wait_for_log("conflict with recovery");
    assert_eq!(count(&store).await, Ok(889));
}

#[tokio::test]
async fn a_query_cancelled_by_replay_is_retried() {
    let primary = Cluster::start(&["wal_level=replica"]);
    let url = primary.fleet();
    fill(&url, 100).await;
    let standby = Cluster::standby_of(&primary, &["max_standby_streaming_delay=0"]);
    let store = connect(&standby.url("fleet")).await;
    // Queries run continuously while their rows are deleted and vacuumed: none of them fails.
    let running = tokio::spawn(async move {
        let mut answers = 0;
        loop {
            let n = count(&store).await.unwrap();
            answers += 1;
            if n == 0 {
                return answers;
            }
        }
    });
    for n in 0..10 {
        let part = format!("DELETE FROM certificate_renewal_events WHERE error_message LIKE 'number %{n}'");
        primary.execute(&part).await;
        primary.execute("VACUUM certificate_renewal_events").await;
    }
    let answers = tokio::time::timeout(Duration::from_secs(60), running).await.expect("the last row gone").unwrap();
    assert!(answers > 0);
}

#[tokio::test]
async fn a_role_with_select_on_the_events_alone_can_query() {
    let url = pg::migrated().await;
    fill(&url, 10).await;
    let grant = "CREATE ROLE events_alone LOGIN; GRANT SELECT ON certificate_renewal_events TO events_alone";
    pg::execute(&url, grant).await;
    let store = connect(&url.replace("postgres@", "events_alone@")).await;
    assert_eq!(count(&store).await, Ok(10));
    let described = describe(&store).await;
    assert!(described.notes.iter().any(|n| n.contains("device names cannot be read")), "{:?}", described.notes);
    let error = connect_fails(&url.replace("postgres@", "nobody_there@")).await;
    says(&error, &["role \"nobody_there\" does not exist"]);
}
