//! Connections that end, time out or are refused, seen from the store.

use std::sync::Arc;
use std::time::Duration;

use renewscope::domain::filter::Criteria;
use renewscope::domain::page::Anchor;
use renewscope::profile::SourceProfile;
use renewscope::profile::choice::Profiles;
use renewscope::protocol::tail::TailQuery;
use renewscope::protocol::{Answer, Query, SourceError};
use renewscope::store::{Address, ConnectOptions, RowOutcome, Store};

use crate::cluster::{Cluster, Stop};
use crate::proxy::Proxy;
use crate::{COUNT, connect, connect_fails, count, counted_in_the_end, event, fill, pg, reading, says, writing};

const HELD: &str = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Lock' \
    AND application_name = 'renewscope' AND datname = current_database()";

/// Waits until this many queries wait for a lock on the server.
async fn wait_for_held(url: &str, expected: i64) {
    let mut conn = pg::connect(url).await;
    let waiting = async {
        while sqlx::query_scalar::<_, i64>(HELD).fetch_one(&mut conn).await.unwrap() != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the server to show the query");
}

/// A session that holds an exclusive lock on the table until it is dropped.
async fn hold(url: &str) -> sqlx::PgConnection {
    let mut conn = pg::connect(url).await;
    let lock = "BEGIN; LOCK TABLE certificate_renewal_events IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut conn).await.unwrap();
    conn
}

#[tokio::test]
async fn a_restart_between_two_queries_is_not_noticed() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let (one, two) = (connect(&url).await, connect(&url).await);
    let writer = Store::connect(&Address::parse(&url).unwrap(), &writing()).await.unwrap();
    for how in [Stop::Fast, Stop::Immediate] {
        // Several connections are idle: each is replaced, no query fails.
        let answers = tokio::join!(count(&one), count(&one), count(&one), count(&two));
        assert_eq!(answers, (Ok(10), Ok(10), Ok(10), Ok(10)));
        server.restart(how);
        assert_eq!(tokio::join!(count(&one), count(&one), count(&one)), (Ok(10), Ok(10), Ok(10)), "{how:?}");
        assert_eq!(two.get(None, &event_id(1)).await.map(|e| e.is_some()), Ok(true), "{how:?}");
        assert_eq!(writer.create(&event(1)).await.map(|(_, o)| o), Ok(RowOutcome::Duplicate), "{how:?}");
    }
}

fn event_id(n: i64) -> renewscope::domain::event::Id {
    renewscope::domain::event::Id::Uuid(renewscope::store::event_id(&event(n)))
}

#[tokio::test]
async fn a_stopped_server_is_reported_and_reconnected() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let store = connect(&url).await;
    for how in [Stop::Fast, Stop::Immediate] {
        server.stop(how);
        let error = count(&store).await.unwrap_err();
        assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
        says(&error, &["cannot reach", "check that the server runs"]);
        server.begin();
        assert_eq!(counted_in_the_end(&store).await, 10, "{how:?}");
    }
}

#[tokio::test]
async fn a_store_opens_before_its_server_runs() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    server.stop(Stop::Fast);
    let store = Store::open(&Address::parse(&url).unwrap(), &reading(Duration::from_secs(30))).await.unwrap();
    assert!(count(&store).await.is_err_and(|e| e.is_connection()));
    server.begin();
    assert_eq!(counted_in_the_end(&store).await, 10);
}

#[tokio::test]
async fn a_server_that_is_not_ready_says_so() {
    let server = Cluster::prepared(&["hot_standby=off"]);
    server.write("standby.signal", "");
    server.begin();
    server.wait_for_log("entering standby mode");
    let error = connect_fails(&server.url("postgres")).await;
    says(&error, &["the database system is", "wait until the server is ready"]);
    assert!(error.is_connection());
}

#[tokio::test]
async fn a_silent_network_ends_a_query_at_its_limit() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let proxy = Proxy::before(server.socket());
    let address = Address::parse(&proxy.url("postgres", "fleet")).unwrap();
    let store = Store::connect(&address, &reading(Duration::from_millis(300))).await.unwrap();
    assert_eq!(tokio::join!(count(&store), count(&store)), (Ok(10), Ok(10)));
    let made = proxy.connections();
    proxy.silence();
    let error = count(&store).await.unwrap_err();
    says(&error, &["no answer within 5.3 s", "check the network"]);
    // Neither the silent connection nor the idle one beside it is used again.
    proxy.forget();
    assert_eq!(count(&store).await, Ok(10));
    assert_eq!(proxy.connections(), made + 1);
    // The limit for connecting is another one.
    proxy.silence();
    let other = Store::open(&address, &reading(Duration::from_secs(30))).await.unwrap();
    let error = count(&other).await.unwrap_err();
    says(&error, &["no answer within 5 s"]);
    proxy.heal();
    assert_eq!(counted_in_the_end(&store).await, 10);
    assert_eq!(counted_in_the_end(&other).await, 10);
}

#[tokio::test]
async fn a_frozen_server_ends_a_query_at_its_limit() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let address = Address::parse(&url).unwrap();
    let store = Store::connect(&address, &reading(Duration::from_millis(300))).await.unwrap();
    server.freeze();
    says(&count(&store).await.unwrap_err(), &["no answer within 5.3 s"]);
    server.thaw();
    assert_eq!(counted_in_the_end(&store).await, 10);
}

#[tokio::test]
async fn a_cut_connection_is_replaced_and_idle_ones_are_checked() {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    let proxy = Proxy::before(server.socket());
    let store = connect(&proxy.url("postgres", "fleet")).await;
    assert_eq!(tokio::join!(count(&store), count(&store), count(&store)), (Ok(10), Ok(10), Ok(10)));
    proxy.cut();
    assert_eq!(count(&store).await, Ok(10));
    assert_eq!(tokio::join!(count(&store), count(&store), count(&store)), (Ok(10), Ok(10), Ok(10)));
}

#[tokio::test]
async fn another_server_takes_over() {
    let primary = Cluster::start(&[]);
    let url = primary.fleet();
    fill(&url, 10).await;
    let standby = Cluster::standby_of(&primary, &[]);
    let proxy = Proxy::before(primary.socket());
    let store = connect(&proxy.url("postgres", "fleet")).await;
    assert_eq!(count(&store).await, Ok(10));
    primary.stop(Stop::Fast);
    standby.promote().await;
    proxy.point_to(standby.socket());
    assert_eq!(counted_in_the_end(&store).await, 10);
    let writer = Store::connect(&Address::parse(&proxy.url("postgres", "fleet")).unwrap(), &writing()).await.unwrap();
    assert_eq!(writer.create(&event(10)).await.map(|(_, o)| o), Ok(RowOutcome::Stored));
    assert_eq!(count(&store).await, Ok(11));
}

#[tokio::test]
async fn a_session_killed_while_idle_is_replaced() {
    let url = pg::migrated().await;
    let store = connect(&url).await;
    assert_eq!(tokio::join!(count(&store), count(&store)), (Ok(0), Ok(0)));
    terminate(&url).await;
    assert_eq!(tokio::join!(count(&store), count(&store)), (Ok(0), Ok(0)));
}

async fn terminate(url: &str) {
    let kill = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'renewscope'";
    pg::execute(url, kill).await;
}

#[tokio::test]
async fn a_session_killed_during_a_query_is_reported() {
    let url = pg::migrated().await;
    // A new connection: its first query is not retried.
    let store = Store::open(&Address::parse(&url).unwrap(), &reading(Duration::from_secs(30))).await.unwrap();
    let holder = hold(&url).await;
    let running = tokio::spawn(async move { count(&store).await });
    wait_for_held(&url, 1).await;
    terminate(&url).await;
    let error = running.await.unwrap().unwrap_err();
    says(&error, &["the session was ended on the server", "run it again"]);
    drop(holder);
}

#[tokio::test]
async fn a_cancelled_query_ends_on_the_server() {
    let url = pg::migrated().await;
    let store = connect(&url).await;
    let holder = hold(&url).await;
    let (leave, left) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        let answer = store.answer(&COUNT, async { drop(left.await) }).await;
        (answer, store)
    });
    wait_for_held(&url, 1).await;
    leave.send(()).unwrap();
    let (answer, store) = running.await.unwrap();
    assert_eq!(answer, Err(SourceError::Cancelled));
    // The lock is still held: the cancel request ended the query.
    wait_for_held(&url, 0).await;
    // A dropped query ends too.
    let dropped = {
        let store = store.clone();
        tokio::spawn(async move { count(&store).await })
    };
    wait_for_held(&url, 1).await;
    dropped.abort();
    wait_for_held(&url, 0).await;
    drop(holder);
    assert_eq!(counted_in_the_end(&store).await, 0);
}

#[tokio::test]
async fn a_reading_session_has_its_limits_on_the_server() {
    let url = pg::migrated().await;
    let store = connect(&url).await;
    let holder = hold(&url).await;
    let running = tokio::spawn(async move { count(&store).await });
    wait_for_held(&url, 1).await;
    let mut conn = pg::connect(&url).await;
    let name = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'renewscope' AND usename = 'postgres'";
    assert_eq!(sqlx::query_scalar::<_, i64>(name).fetch_one(&mut conn).await.unwrap(), 1);
    // The session's lock timeout applies.
    says(&running.await.unwrap().unwrap_err(), &["another session holds a lock"]);
    drop(holder);
}

#[tokio::test]
async fn a_server_without_free_connections_is_reported() {
    let url = pg::migrated().await;
    pg::execute(
        &url,
        "CREATE ROLE at_most_one LOGIN CONNECTION LIMIT 1; GRANT SELECT ON ALL TABLES IN SCHEMA public TO at_most_one",
    )
    .await;
    let url = url.replace("postgres@", "at_most_one@");
    let _first = connect(&url).await;
    let error = connect_fails(&url).await;
    says(&error, &["the server has no connection left", "too many connections for role", "max_connections"]);
    assert!(error.is_connection());
}

#[tokio::test]
async fn a_commit_whose_result_is_lost_is_not_retried() {
    let url = pg::migrated().await;
    // A commit that waits for a lock.
    let wait = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$; \
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON certificate_renewal_events \
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()";
    pg::execute(&url, wait).await;
    let mut holder = pg::connect(&url).await;
    sqlx::raw_sql("SELECT pg_advisory_lock(1)").execute(&mut holder).await.unwrap();
    let store = Store::connect(&Address::parse(&url).unwrap(), &writing()).await.unwrap();
    let writer = store.clone();
    let storing = tokio::spawn(async move { writer.create(&event(1)).await });
    wait_for_held(&url, 1).await;
    terminate(&url).await;
    let error = storing.await.unwrap().unwrap_err();
    let known = ["whether the last events were stored is not known", "run it again: the same event is stored once"];
    says(&error, &known);
    drop(holder);
    assert_eq!(store.create(&event(1)).await.map(|(_, o)| o), Ok(RowOutcome::Stored));
    assert_eq!(store.create(&event(1)).await.map(|(_, o)| o), Ok(RowOutcome::Duplicate));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_statement_timeout_can_be_set_and_its_error_names_the_option() {
    let url = pg::migrated().await;
    let holder = hold(&url).await;
    let run = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_renewscope"));
        command.args(["--db", &url, "count"]).args(args).env_clear().env("HOME", std::env::temp_dir());
        let ran = command.envs(env.iter().copied()).stdin(std::process::Stdio::null()).output().unwrap();
        (ran.status.code().unwrap(), String::from_utf8(ran.stderr).unwrap())
    };
    let set = ("RENEWSCOPE_STATEMENT_TIMEOUT", "200ms");
    for (args, env, limit) in [(&["--statement-timeout", "300ms"][..], &[set][..], "0.3 s"), (&[], &[set], "0.2 s")] {
        let (code, stderr) = run(args, env);
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains(limit) && stderr.contains("'--statement-timeout'"), "{stderr}");
    }
    let (code, stderr) = run(&["--statement-timeout", "soon"], &[]);
    assert_eq!(code, 2, "{stderr}");
    drop(holder);
}

/// Sessions of this program in a database, as its server counts them.
async fn sessions(url: &str) -> i64 {
    let mut conn = pg::connect(url).await;
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'renewscope'";
    sqlx::query_scalar(count).fetch_one(&mut conn).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_are_closed_but_for_one() {
    let url = pg::migrated().await;
    let store = connect(&url).await;
    let holder = hold(&url).await;
    let running: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn({
                let store = store.clone();
                async move { count(&store).await }
            })
        })
        .collect();
    wait_for_held(&url, 4).await;
    assert_eq!(sessions(&url).await, 4);
    drop(holder);
    for one in running {
        assert_eq!(one.await.unwrap(), Ok(0));
    }
    let closed = async {
        while sessions(&url).await != 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), closed).await.expect("three of four connections closed");
    assert_eq!(count(&store).await, Ok(0));
    assert_eq!(sessions(&url).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_and_a_tail_share_the_only_connection_of_a_role() {
    let url = pg::migrated().await;
    fill(&url, 10).await;
    let role = "CREATE ROLE has_one LOGIN CONNECTION LIMIT 1; GRANT SELECT ON ALL TABLES IN SCHEMA public TO has_one";
    pg::execute(&url, role).await;
    let store = connect(&url.replace("postgres@", "has_one@")).await;
    let horizon = Query::Tail(TailQuery::Horizon);
    let running: Vec<_> = (0..5)
        .map(|n| {
            let (store, horizon) = (store.clone(), horizon.clone());
            tokio::spawn(async move {
                for _ in 0..20 {
                    if n == 0 {
                        store.run(&horizon).await.unwrap();
                    } else {
                        assert_eq!(count(&store).await, Ok(10));
                    }
                }
            })
        })
        .collect();
    for one in running {
        one.await.unwrap();
    }
    assert_eq!(sessions(&url).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_waits_while_all_connections_are_busy() {
    let url = pg::migrated().await;
    fill(&url, 1).await;
    let profile = "name = \"slow\"\ndatabase = [\"postgres\"]\n[relation]\ntable = \"certificate_renewal_events\"\n\
        select = \"SELECT e.id, e.device_id, e.event_type, e.created_at, pg_sleep(5.5)::text AS x FROM \
        certificate_renewal_events e\"\n[fields]\nid = { column = \"id\", type = \"uuid\" }\n\
        device = { column = \"device_id\", type = \"uuid\" }\ntype = { column = \"event_type\" }\n\
        error = { column = \"x\" }\ntime = { column = \"created_at\", type = \"timestamp\" }\n";
    let profile = Arc::new(SourceProfile::parse("slow.toml", profile).unwrap());
    let profiles = Profiles { all: vec![profile], named: Some("slow".into()) };
    let options = ConnectOptions { profiles: Arc::new(profiles), ..ConnectOptions::default() };
    let store = Store::connect(&Address::parse(&url).unwrap(), &options).await.unwrap();
    let page = Query::Page { criteria: Criteria::default(), anchor: Anchor::Newest, limit: 1 };
    let running: Vec<_> = (0..5)
        .map(|_| {
            let (store, page) = (store.clone(), page.clone());
            tokio::spawn(async move { store.run(&page).await })
        })
        .collect();
    for one in running {
        assert!(matches!(one.await.unwrap(), Ok(Answer::Page(page)) if page.rows.len() == 1));
    }
}
