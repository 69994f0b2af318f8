//! Passwords: required, changed and missing ones, none of which is ever printed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use renewscope::store::{Address, Store};

use crate::cluster::Cluster;
use crate::{count, fill, reading, says};

const SECRET: &str = "x-very-s3cret";

/// A server that requires a password of the role `ann`.
async fn password_server() -> Cluster {
    let server = Cluster::start(&[]);
    let url = server.fleet();
    fill(&url, 10).await;
    server.execute(&format!("CREATE ROLE ann LOGIN IN ROLE pg_read_all_data PASSWORD '{SECRET}'")).await;
    server.allow_first("local all ann scram-sha-256\nhost all ann all scram-sha-256");
    server
}

#[tokio::test]
async fn a_changed_password_is_looked_up_again() {
    let server = password_server().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, SECRET).unwrap();
    let address = Address::parse(&server.url_as("ann", "fleet")).unwrap().with_password_command(&format!(
        "cat '{}'; echo >> '{}.runs'",
        file.display(),
        file.display()
    ));
    let store = Store::connect(&address, &reading(Duration::from_secs(30))).await.unwrap();
    assert_eq!(count(&store).await, Ok(10));
    let change = "ALTER ROLE ann PASSWORD 'x-another'; SELECT pg_terminate_backend(pid, 10000) \
        FROM pg_stat_activity WHERE usename = 'ann'";
    server.execute(change).await;
    // Store and file both have the old one: reported, and not sent again.
    let error = count(&store).await.unwrap_err();
    says(&error, &["refused: password authentication failed", "check the user and the password"]);
    std::fs::write(&file, "x-another").unwrap();
    assert_eq!(tokio::join!(count(&store), count(&store)), (Ok(10), Ok(10)));
    // Once at the start, once for the error, once for the change.
    assert_eq!(std::fs::read_to_string(format!("{}.runs", file.display())).unwrap().len(), 3);
}

struct Program<'a> {
    home: &'a Path,
    url: String,
}

impl Program<'_> {
    /// Exit code, stdout and stderr.
    fn run(&self, args: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_renewscope"));
        command.args(args).env_clear().env("HOME", self.home).env("PATH", std::env::var_os("PATH").unwrap());
        command.env("RENEWSCOPE_LOG", "trace").env("RENEWSCOPE_DB", &self.url).envs(env.iter().copied());
        let ran = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_from_any_source_is_never_printed() {
    use std::os::unix::fs::PermissionsExt;
    let server = password_server().await;
    let home = tempfile::tempdir().unwrap();
    let url = server.url_as("ann", "fleet");
    let plain = Program { home: home.path(), url: url.clone() };
    let mut said = String::new();
    let mut run = |program: &Program<'_>, args: &[&str], env: &[(&str, &str)], expected: i32, words: &str| {
        let (code, stdout, stderr) = program.run(args, env);
        assert_eq!(code, expected, "{args:?} {env:?}: {stderr}");
        assert!(stdout.contains(words) || stderr.contains(words), "'{words}' is not in {stdout}{stderr}");
        said.push_str(&stdout);
        said.push_str(&stderr);
    };
    run(&plain, &["count"], &[], 3, "no password was given; set PGPASSWORD, add a line to ~/.pgpass");
    run(&plain, &["count"], &[("PGPASSWORD", SECRET)], 0, "10");
    let wrong = format!("{SECRET}-wrong");
    run(&plain, &["count"], &[("PGPASSWORD", &wrong)], 3, "check the user and the password");

    let inside = Program { home: home.path(), url: url.replace("ann@", &format!("ann:{SECRET}@")) };
    run(&inside, &["count"], &[], 0, "10");
    run(&inside, &["config", "--print"], &[], 0, "postgres://ann@");
    run(&inside, &["doctor"], &[], 0, "server");
    run(&inside, &["count", "type:"], &[], 2, "filter");
    let wrong = Program { home: home.path(), url: url.replace("ann@", &format!("ann:{SECRET}-wrong@")) };
    run(&wrong, &["doctor"], &[], 3, "password authentication failed");
    let odd = Program { home: home.path(), url: format!("{}?passwrod={SECRET}", inside.url) };
    run(&odd, &["count"], &[], 2, "an unknown parameter in the database address");

    let file = home.path().join(".pgpass");
    std::fs::write(&file, format!("# all of them\n*:*:fleet:ann:{SECRET}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    run(&plain, &["count"], &[], 3, "is not read because others than its owner may read it; run chmod 600 on it");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    run(&plain, &["count"], &[], 0, "10");
    std::fs::rename(&file, home.path().join("elsewhere")).unwrap();
    let elsewhere = home.path().join("elsewhere").display().to_string();
    run(&plain, &["count"], &[("PGPASSFILE", &elsewhere)], 0, "10");

    let config = home.path().join("config.toml");
    let write = |command: &str| {
        let text = format!("[databases]\nprod = {{ url = '{url}', password_command = '''{command}''' }}\n");
        std::fs::write(&config, text).unwrap();
    };
    let named = ["--db", "prod", "--config", config.to_str().unwrap()];
    let with = |word: &'static str| [&[word], &named[..]].concat();
    write(&format!("echo {SECRET}"));
    run(&plain, &with("count"), &[], 0, "10");
    run(&plain, &with("config"), &[], 0, "a command");
    write(&format!("echo {SECRET} >&2; exit 7"));
    run(&plain, &with("count"), &[], 3, "the password command failed: it ended with exit status: 7");
    write(&format!("echo {SECRET}-wrong"));
    run(&plain, &with("count"), &[], 3, "password authentication failed");

    let log = home.path().join(".local/state/renewscope/renewscope.log");
    said.push_str(&std::fs::read_to_string(log).unwrap());
    assert!(!said.contains(SECRET), "{said}");
}
