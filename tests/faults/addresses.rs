//! Addresses in the forms that people paste, on a real server: several hosts, IPv6, sockets, keywords, services.

use std::path::Path;
use std::process::{Command, Stdio};

use renewscope::protocol::SourceError;
use renewscope::store::{Address, Store};

use crate::cluster::{Cluster, Stop};
use crate::{connect, connect_fails, count, fill, says, writing};

const ADDRESSES: &str = include_str!("../fixtures/addresses.tsv");

/// Exit code, stdout and stderr of `count`.
fn run(url: &str, home: &Path, env: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
    command.args(["--db", url, "count"]).env_clear().env("HOME", home).envs(env.iter().copied());
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
}

/// Whether this machine has a loopback of IPv6, which not every container has.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind("[::1]:0").is_ok()
}

/// A server with ten rows and the role `plain`, whose password the server requires by TCP.
async fn server() -> Cluster {
    let listen = if has_ipv6() { "listen_addresses=127.0.0.1,::1" } else { "listen_addresses=127.0.0.1" };
    let server = Cluster::start(&[listen]);
    fill(&server.fleet(), 10).await;
    server.execute("CREATE ROLE plain LOGIN IN ROLE pg_read_all_data PASSWORD 'plain'").await;
    server.allow_first("host all plain all scram-sha-256");
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_psql_takes_are_taken() {
    let server = server().await;
    let user = std::fs::read_to_string("/etc/passwd").unwrap();
    let uid = rustix::process::geteuid().as_raw().to_string();
    let user = user.lines().find(|l| l.split(':').nth(2) == Some(&uid)).unwrap().split(':').next().unwrap();
    let role = format!("CREATE ROLE \"{user}\" LOGIN IN ROLE pg_read_all_data");
    if user != "postgres" {
        server.execute(&role).await;
    }
    let home = tempfile::tempdir().unwrap();
    let service = "[fleet]\nhost=127.0.0.1\nuser=plain\npassword=plain\ndbname=fleet\n";
    std::fs::write(home.path().join(".pg_service.conf"), service).unwrap();
    let socket = server.socket_directory().display().to_string();
    let fits = |line: &&str| !line.starts_with('#') && (has_ipv6() || !line.contains("::1"));
    for line in ADDRESSES.lines().filter(fits) {
        let (address, expected) = line.split_once('\t').unwrap();
        let address = address
            .replace("{P}", &server.port.to_string())
            .replace("{SE}", &socket.replace('/', "%2F"))
            .replace("{S}", &socket);
        let (code, stdout, stderr) = run(&address, home.path(), &[]);
        match expected {
            "ok" => assert_eq!((code, stdout.trim()), (0, "10"), "{address}: {stderr}"),
            words => {
                assert_eq!(code, 2, "{address}");
                assert!(stderr.contains(words) && !stderr.contains("plain:plain"), "{address}: {stderr}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_that_is_not_valid_is_refused_by_its_name() {
    let home = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("PGPORT", "abc"),
        ("PGPORT", "57432x"),
        ("PGSSLMODE", "verifyfull"),
        ("PGCONNECT_TIMEOUT", "soon"),
        ("PGTARGETSESSIONATTRS", "best"),
        ("PGSERVICE", "no-such"),
    ] {
        let (code, _, stderr) = run("postgres://a@127.0.0.1/d", home.path(), &[(name, value)]);
        assert_eq!(code, 2, "{name}: {stderr}");
        assert!(stderr.contains(name), "{name}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_are_tried_in_turn() {
    let primary = Cluster::start(&["wal_level=replica"]);
    fill(&primary.fleet(), 10).await;
    let standby = Cluster::standby_of(&primary, &[]);
    let both = |attributes: &str| {
        let hosts = format!("127.0.0.1:1,127.0.0.1:{},127.0.0.1:{}", standby.port, primary.port);
        format!("postgres://postgres@{hosts}/fleet?target_session_attrs={attributes}")
    };
    for (attributes, is_standby) in
        [("any", true), ("read-write", false), ("primary", false), ("read-only", true), ("prefer-standby", true)]
    {
        let store = connect(&both(attributes)).await;
        let mut conn = store.run(&crate::COUNT).await.map(|_| ());
        assert_eq!(conn, Ok(()), "{attributes}");
        let writer = Store::connect(&Address::parse(&both(attributes)).unwrap(), &writing()).await.unwrap();
        conn = writer.create(&crate::event(5)).await.map(|_| ());
        assert_eq!(conn.is_err(), is_standby, "{attributes}");
    }
    // The first one goes away while the console runs.
    let store = connect(&both("any")).await;
    standby.stop(Stop::Fast);
    assert_eq!(count(&store).await, Ok(10));
    let error = connect_fails(&both("standby")).await;
    assert!(matches!(error, SourceError::Unreachable { .. }));
    says(&error, &["127.0.0.1:1: connection refused", "it is a primary, and a standby is wanted"]);
    let store = connect(&both("prefer-standby")).await;
    assert_eq!(count(&store).await, Ok(10));
}
