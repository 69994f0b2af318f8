//! Addresses as they are read: their forms, their defaults, and errors that repeat no text.

use super::*;

use crate::store::connect::password::Attempt;

fn nothing(_: &str) -> Option<String> {
    None
}

fn parse(text: &str) -> Result<Server, String> {
    in_environment(text, &[])
}

fn in_environment(text: &str, set: &[(&str, &str)]) -> Result<Server, String> {
    let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    match Address::parse_with(text, &variable).map_err(|e| e.to_string())?.0 {
        Place::Postgres(server) => Ok(*server),
        Place::Sqlite(path) => Err(format!("the file {}", path.display())),
    }
}

fn file(text: &str) -> String {
    let variable = |name: &str| (name == "HOME").then(|| "/home/ann".to_owned());
    Address::parse_with(text, &variable).unwrap().to_string()
}

#[test]
fn no_secret_is_printed() {
    let a = Address::parse("postgres://ann:s3cret@db.example:6543/fleet?sslmode=require&password=hush").unwrap();
    assert_eq!(a.to_string(), "postgres://ann@db.example:6543/fleet");
    assert_eq!(format!("{a:?}"), "Address(postgres://ann@db.example:6543/fleet)");
}

/// Wherever a password is cut by a character that it should have escaped, no part of it is repeated.
#[test]
fn no_part_of_an_address_that_cannot_be_read_is_repeated() {
    for (text, part) in [
        ("postgres://a@h/d?nonsense=s3cret", "an unknown parameter"),
        ("postgres://a@h/d?s3cret=1", "an unknown parameter"),
        ("postgres://a@h/d?s3cret", "a parameter without '='"),
        ("mysql://a:s3cret@h/d", "is not understood"),
        ("postgres://a:s3cret@h:port/d", "a port is a number"),
        (
            "postgres://a:s3cret@h/d?sslmode=s3cret",
            "'sslmode' in the database address is not valid; valid are disable,",
        ),
        ("postgres://a:pw/s3cret@h/d", "write '/' as %2F"),
        ("postgres://a:12/s3cret@h/d", "write '/' as %2F"),
        ("postgres://a:pw?s3cret=x@h/d", "a port is a number"),
        ("postgres://a:12?s3cret=x@h/d", "an unknown parameter"),
        ("postgres://a:s3cret%@h/d", "two hexadecimal digits"),
        ("postgres://a:s3cret%zz@h/d", "two hexadecimal digits"),
        ("postgres://a:s3cret@h/d%00x", "'%00'"),
        ("postgres://a%00:s3cret@h/d", "'%00'"),
        ("postgres://a:s3cret@[::1/d", "a '[' without its ']'"),
        ("postgres://a:s3cret@[::1]x/d", "a ']' is followed"),
        ("postgres://a:s3cret@h:0/d", "'port' in the database address is not a port number"),
        ("postgres://a:s3cret@h:70000/d", "is not a port number"),
        ("host=h password=s3cret nonsense=1", "an unknown parameter"),
        ("host=h password='s3cret", "a value in quotes that has no end"),
        ("postgres://a:s3cret@h/d?hostaddr=name", "'hostaddr' in the database address is not a numeric address"),
        ("postgres://a:s3cret@h,i/d?hostaddr=1.2.3.4", "different numbers of hosts"),
        ("postgres://a:s3cret@h/d?connect_timeout=s3cret", "'connect_timeout' in the database address is not a whole"),
        ("postgres://a:s3cret@h/d?target_session_attrs=s3cret", "valid are any, read-write"),
        ("postgres://a:s3cret@h/d?sslpassword=s3cret", "an unknown parameter"),
        ("sqlite:", "needs the path"),
        ("sqlite:a.db?mode=s3cret", "takes no parameters"),
    ] {
        let why = parse(text).err().unwrap();
        assert!(why.contains(part), "{text}: {why}");
        assert!(!why.contains("s3cret"), "{text}: {why}");
    }
}

#[test]
fn a_near_miss_is_explained() {
    for (text, part) in [
        ("\"postgres://a:s3cret@h/d\"", "in quotes"),
        ("'postgres://a:s3cret@h/d'", "in quotes"),
        (" postgres://a:s3cret@h/d", "a blank"),
        ("postgres://a:s3cret@h/d\n", "a blank"),
        ("Postgres://a:s3cret@h/d", "lower case"),
        ("POSTGRESQL://a:s3cret@h/d", "lower case"),
        ("postgresql+psycopg2://a:s3cret@h/d", "names no driver"),
        ("jdbc:postgresql://h/d?password=s3cret", "remove 'jdbc:'"),
        ("postgres:a:s3cret@h/d", "'://' follows the scheme"),
        ("no-such-file.db", "'sqlite:PATH'"),
    ] {
        let why = parse(text).err().unwrap();
        assert!(why.contains(part) && !why.contains("s3cret"), "{text}: {why}");
    }
}

#[test]
fn hosts_are_read_in_every_form_of_libpq() {
    for (text, expected) in [
        ("postgres://u@h/d", "postgres://u@h:5432/d"),
        ("postgresql://u@h:6/d", "postgres://u@h:6/d"),
        ("postgres://u@[::1]:6/d", "postgres://u@[::1]:6/d"),
        ("postgres://u@[::ffff:127.0.0.1]/d", "postgres://u@[::ffff:127.0.0.1]:5432/d"),
        ("postgres:///d?host=::1&user=u", "postgres://u@[::1]:5432/d"),
        ("postgres:///d?host=[::1]&user=u", "postgres://u@[::1]:5432/d"),
        ("postgres://u:p@/d?host=/run/pg&port=6", "postgres://u@/run/pg:6/d"),
        ("postgres://u:p@/d?host=%2Frun%2Fpg", "postgres://u@/run/pg:5432/d"),
        ("postgres://u:p@%2Frun%2Fpg:6/d", "postgres://u@/run/pg:6/d"),
        ("postgres://u@h1:6,h2:7/d", "postgres://u@h1:6,h2:7/d"),
        ("postgres://u@h1,h2/d?port=6", "postgres://u@h1:6,h2:6/d"),
        ("postgres://u@h1,[fe80::1]:7/d", "postgres://u@h1:5432,[fe80::1]:7/d"),
        ("postgres://u@h", "postgres://u@h:5432/u"),
        ("postgres:///?user=u&host=h&dbname=d", "postgres://u@h:5432/d"),
        ("host=h port=6 user=u password=p dbname=d", "postgres://u@h:6/d"),
        ("host = h user= 'u' dbname='a \\'b\\\\'", "postgres://u@h:5432/a 'b\\"),
        ("postgres://u@h:6/d?hostaddr=127.0.0.1", "postgres://u@h:6/d"),
        ("postgres://u@h/d?options[search_path]=x&options=-c%20a%3Db", "postgres://u@h:5432/d"),
    ] {
        let address = Address::parse_with(text, &nothing).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(address.to_string(), expected, "{text}");
    }
}

#[test]
fn parameters_without_effect_are_skipped_with_a_warning() {
    let server =
        parse("postgres://u@h/d?keepalives=1&keepalives_idle=10&channel_binding=require&gssencmode=disable").unwrap();
    assert_eq!(server.warnings.len(), 4);
    assert!(server.warnings.iter().any(|w| w == "the address parameter 'channel_binding' has no effect here"));
    let server =
        parse("postgres://u@h/d?connect_timeout=1&target_session_attrs=read-write&application_name=x").unwrap();
    assert!(server.warnings.is_empty());
    assert_eq!((server.timeout, server.wanted), (Some(std::time::Duration::from_secs(2)), Wanted::Primary));
}

#[test]
fn the_environment_completes_an_address_and_its_mistakes_are_named() {
    let set = [("PGHOST", "h"), ("PGPORT", "6"), ("PGUSER", "u"), ("PGDATABASE", "d")];
    let server = in_environment("postgres://", &set).unwrap();
    assert_eq!(Address(Place::Postgres(Box::new(server))).to_string(), "postgres://u@h:6/d");
    let server = in_environment("postgres://me@there:7/mine", &set).unwrap();
    assert_eq!(Address(Place::Postgres(Box::new(server))).to_string(), "postgres://me@there:7/mine");
    for (name, value) in [
        ("PGPORT", "abc"),
        ("PGPORT", "99999"),
        ("PGPORT", "57432x"),
        ("PGSSLMODE", "verifyfull"),
        ("PGCONNECT_TIMEOUT", "soon"),
        ("PGTARGETSESSIONATTRS", "best"),
        ("PGHOSTADDR", "localhost"),
        ("PGSERVICE", "no-such"),
    ] {
        let why = in_environment("postgres://u@h/d", &[(name, value)]).err().unwrap();
        assert!(why.contains(name) && (!why.contains(value) || name == "PGSERVICE"), "{name}: {why}");
    }
}

#[test]
fn a_service_file_completes_an_address_before_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let own = "# mine\n[lab]\nhost=lab\n[fleet]\nhost = one,two\nport=6\nkeepalives=1\n\n# more\nuser=sre\ndbname=events\n[z]\nhost=z\n";
    std::fs::write(dir.path().join(".pg_service.conf"), own).unwrap();
    std::fs::write(dir.path().join("pg_service.conf"), "[system]\nhost=there\n[fleet]\nhost=wrong\n").unwrap();
    let home = dir.path().to_str().unwrap();
    let set = [("HOME", home), ("PGSYSCONFDIR", home), ("PGUSER", "other"), ("PGSERVICE", "fleet")];
    for (text, expected) in [
        ("postgres://", "postgres://sre@one:6,two:6/events"),
        ("service=fleet dbname=d", "postgres://sre@one:6,two:6/d"),
        ("postgres://me@/?service=lab", "postgres://me@lab:5432/me"),
        ("postgres:///?service=system", "postgres://other@there:5432/other"),
    ] {
        let server = in_environment(text, &set).unwrap();
        assert_eq!(Address(Place::Postgres(Box::new(server))).to_string(), expected, "{text}");
    }
    let why = in_environment("service=none", &set).err().unwrap();
    assert!(why.contains("no service 'none' in") && why.contains(".pg_service.conf"), "{why}");
}

#[test]
fn without_a_user_the_operating_systems_is_taken() {
    let uid = rustix::process::geteuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let named = accounts.lines().find(|line| line.split(':').nth(2) == Some(&uid)).unwrap().split(':').next().unwrap();
    assert_eq!(in_environment("postgres:///d?host=h", &[("USER", "someone")]).unwrap().user, named);
}

#[test]
fn files_are_named_in_many_ways() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("a?b.db");
    std::fs::write(&odd, "").unwrap();
    let odd = odd.display().to_string();
    for (text, expected) in [
        ("sqlite:x.db", "sqlite:x.db".to_owned()),
        ("sqlite:///var/x.db", "sqlite:/var/x.db".to_owned()),
        ("sqlite3:x.db", "sqlite:x.db".to_owned()),
        ("file:x.db", "sqlite:x.db".to_owned()),
        ("sqlite:~/x.db", "sqlite:/home/ann/x.db".to_owned()),
        (&format!("sqlite:{odd}"), format!("sqlite:{odd}")),
        (&odd, format!("sqlite:{odd}")),
    ] {
        assert_eq!(file(text), expected, "{text}");
    }
}

fn mode(text: &str) -> Tls {
    parse(text).unwrap().hosts[0].tls
}

#[test]
fn remote_servers_are_verified() {
    for (text, expected) in [
        ("postgres://a@db.example/d", Tls::VerifyFull),
        ("postgres://a@db.example/d?sslmode=prefer", Tls::Prefer),
        ("postgres://a@db.example/d?sslmode=allow", Tls::Prefer),
        ("postgres://a@db.example/d?sslmode=require", Tls::Require),
        ("postgres://a@db.example/d?ssl=true", Tls::Require),
        ("postgres://a@db.example/d?sslmode=require&sslrootcert=ca.pem", Tls::VerifyCa),
        ("postgres://a@db.example/d?sslmode=verify-full&sslrootcert=system", Tls::VerifyFull),
        ("postgres://a@db.example/d?sslmode=disable", Tls::Off),
        ("postgres://a@db.example/d?hostaddr=127.0.0.1", Tls::VerifyFull),
        ("postgres://a@/d?hostaddr=127.0.0.1", Tls::Loopback),
        ("postgres://a@localhost/d", Tls::Loopback),
        ("postgres://a@localhost/d?sslmode=verify-full", Tls::VerifyFull),
        ("postgres://a@127.0.0.1/d", Tls::Loopback),
        ("postgres://a@[::1]/d", Tls::Loopback),
        ("postgres://a@[2001:db8::1]/d", Tls::VerifyFull),
        ("postgres:///d?host=/run/postgresql", Tls::Socket),
        ("postgres:///d?host=/run/postgresql&sslmode=require", Tls::Socket),
    ] {
        assert_eq!(mode(text), expected, "{text}");
    }
}

#[tokio::test]
async fn a_given_password_is_found() {
    for (text, expected) in [
        ("postgres://a:p%40w@h/d", Some("p@w")),
        ("postgres://a:p@w@h:1/d", Some("p@w")),
        ("postgres://a:pa?ss@h:1/d", Some("pa?ss")),
        ("postgres://a:one@h/d?password=two+3&user=a", Some("two+3")),
        ("host=h user=a password='two 3'", Some("two 3")),
        ("postgres://a@h/d?host=x", None),
        ("postgres://a:@h/d", None),
        ("postgres://h:5432/d", None),
    ] {
        let attempt = parse(text).unwrap().hosts[0].passwords.first().await.unwrap();
        let found = match &attempt {
            Attempt::With(secret) => Some(secret.reveal()),
            Attempt::Without(_) => None,
        };
        assert_eq!(found, expected, "{text}");
    }
}
