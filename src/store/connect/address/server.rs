//! From parameters to a server: its hosts in the order in which they are tried, their protection, and their passwords.
//!
//! Called when an address is parsed. It reads the environment through a function, and opens no connection.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::protocol::SourceError;
use crate::store::connect::address::Tls;
use crate::store::connect::address::settings::Settings;
use crate::store::connect::password::{Passwords, Secret, Target};

/// The values of `sslmode`.
const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/// Where servers of this machine put their sockets.
const SOCKETS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// A PostgreSQL server, or several that stand for each other.
#[derive(Clone)]
pub struct Server {
    /// Never empty.
    pub hosts: Vec<Host>,
    pub wanted: Wanted,
    /// How long one attempt to connect may take; `None`: the program's own limit.
    pub timeout: Option<Duration>,
    pub user: String,
    pub database: String,
    /// Parameters without effect, in words.
    pub warnings: Vec<String>,
}

/// One host of a server.
#[derive(Clone)]
pub struct Host {
    /// The name, or the directory of the socket.
    pub name: String,
    /// The numeric address to connect to, where it is not found by the name.
    pub numeric: Option<String>,
    pub port: u16,
    pub options: PgConnectOptions,
    pub passwords: Arc<Passwords>,
    pub tls: Tls,
    /// The files that TLS needs, by parameter.
    pub files: Vec<(&'static str, PathBuf)>,
}

/// Which of several hosts will do. Judged by whether a host is in recovery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    Any,
    Primary,
    Standby,
    PreferStandby,
}

impl Host {
    /// The host and the port as a message names them.
    pub fn shown(&self) -> String {
        if self.name.contains(':') {
            format!("[{}]:{}", self.name, self.port)
        } else {
            format!("{}:{}", self.name, self.port)
        }
    }
}

/// Reads an environment variable.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Checks the parameters and completes them with defaults.
pub fn build(settings: Settings, variable: Variable<'_>) -> Result<Server, SourceError> {
    let timeout = number::<i64>(&settings, "connect_timeout")?.map(connect_timeout);
    let wanted = wanted(&settings)?;
    let user = match settings.get("user") {
        Some(user) => user.to_owned(),
        None => system_user(variable)?,
    };
    let database = settings.get("dbname").unwrap_or(&user).to_owned();
    let common = Common { base: options(&settings)?.username(&user).database(&database), user, database };
    let mut hosts = Vec::new();
    for place in places(&settings)? {
        hosts.push(host(&settings, variable, place, &common)?);
    }
    let Common { user, database, .. } = common;
    Ok(Server { hosts, wanted, timeout, user, database, warnings: settings.warnings })
}

/// What all hosts have in common.
struct Common {
    base: PgConnectOptions,
    user: String,
    database: String,
}

/// Name, numeric address and port of one host.
struct Place {
    name: String,
    numeric: Option<String>,
    port: u16,
}

/// The hosts in the order of the address. One port serves all of them, or each has its own; missing names become the
/// socket or the loopback of this machine.
fn places(settings: &Settings) -> Result<Vec<Place>, SourceError> {
    let list = |parameter: &str| -> Vec<&str> {
        settings.get(parameter).map(|text| text.split(',').map(str::trim).collect()).unwrap_or_default()
    };
    let (names, numeric, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = names.len().max(numeric.len()).max(1);
    if !names.is_empty() && !numeric.is_empty() && names.len() != numeric.len() {
        return Err(SourceError::Invalid("'host' and 'hostaddr' name different numbers of hosts".into()));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(SourceError::Invalid(format!(
            "{} names more or fewer ports than there are hosts",
            settings.place("port")
        )));
    }
    let place = |at: usize| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or_default();
        let port = match port {
            "" => 5432,
            text => port_number(text, settings)?,
        };
        let bare = |text: &&str| text.trim_start_matches('[').trim_end_matches(']').to_owned();
        let numeric = numeric.get(at).filter(|text| !text.is_empty()).map(bare);
        if numeric.as_ref().is_some_and(|text| text.parse::<std::net::IpAddr>().is_err()) {
            let place = settings.place("hostaddr");
            return Err(SourceError::Invalid(format!("{place} is not a numeric address; use 'host' for a name")));
        }
        let name = names.get(at).filter(|text| !text.is_empty()).map(bare);
        let name = name.or_else(|| numeric.clone()).unwrap_or_else(|| default_host(port));
        Ok(Place { name, numeric, port })
    };
    (0..count).map(place).collect()
}

/// A port from its digits; 0 is none.
fn port_number(text: &str, settings: &Settings) -> Result<u16, SourceError> {
    let number = text.parse::<u16>().ok().filter(|port| *port > 0);
    number.ok_or_else(|| {
        SourceError::Invalid(format!("{} is not a port number; valid are 1 to 65535", settings.place("port")))
    })
}

/// The whole number of a parameter; `None` if it is not set.
fn number<T: std::str::FromStr>(settings: &Settings, parameter: &str) -> Result<Option<T>, SourceError> {
    let Some(text) = settings.get(parameter) else { return Ok(None) };
    let number = text.trim().parse().ok();
    number.map(Some).ok_or_else(|| SourceError::Invalid(format!("{} is not a whole number", settings.place(parameter))))
}

/// As in libpq: no limit for zero and less, and never less than two seconds.
fn connect_timeout(seconds: i64) -> Duration {
    match u64::try_from(seconds) {
        Ok(0) | Err(_) => Duration::from_secs(86_400),
        Ok(seconds) => Duration::from_secs(seconds.max(2)),
    }
}

/// The role that `target_session_attrs` requires.
fn wanted(settings: &Settings) -> Result<Wanted, SourceError> {
    Ok(match settings.get("target_session_attrs") {
        None | Some("any") => Wanted::Any,
        Some("read-write" | "primary") => Wanted::Primary,
        Some("read-only" | "standby") => Wanted::Standby,
        Some("prefer-standby") => Wanted::PreferStandby,
        Some(_) => {
            let place = settings.place("target_session_attrs");
            let valid = "any, read-write, read-only, primary, standby, prefer-standby";
            return Err(SourceError::Invalid(format!("{place} is not valid; valid are {valid}")));
        }
    })
}

/// A server of this machine where its socket is, else one on the loopback, as libpq's packages have it.
fn default_host(port: u16) -> String {
    let socket = SOCKETS.iter().find(|dir| Path::new(dir).join(format!(".s.PGSQL.{port}")).exists());
    (*socket.unwrap_or(&"localhost")).to_owned()
}

/// The name of the operating system's user, which is libpq's default.
fn system_user(variable: Variable<'_>) -> Result<String, SourceError> {
    let uid = rustix::process::geteuid().as_raw().to_string();
    let accounts = std::fs::read("/etc/passwd").unwrap_or_default();
    let accounts = String::from_utf8_lossy(&accounts).into_owned();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(uid.as_str())).then(|| name.to_owned())
    });
    // A user of a directory service is not in the file.
    let named =
        named.or_else(|| ["LOGNAME", "USER"].iter().find_map(|name| variable(name)).filter(|name| !name.is_empty()));
    named.ok_or_else(|| {
        SourceError::Invalid(format!("the name of the user {uid} is not known; name the user in the database address"))
    })
}

/// The options of every host: what is sent at the start of a session.
fn options(settings: &Settings) -> Result<PgConnectOptions, SourceError> {
    let base = match settings.get("options") {
        None => PgConnectOptions::new_without_pgpass(),
        // The driver takes a text of options only within an address.
        Some(text) => {
            let encoded: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
            PgConnectOptions::from_str(&format!("postgres://user:-@localhost/?options={encoded}"))
                .map_err(|_| SourceError::Invalid(format!("{} cannot be read", settings.place("options"))))?
        }
    };
    // An empty text of options is sent too, and poolers refuse it.
    let base = settings.options.iter().fold(base, |base, (name, value)| base.options([(name, value)]));
    let name = settings.get("application_name").or_else(|| settings.get("fallback_application_name"));
    Ok(name.map_or(base.clone(), |name| base.application_name(name)))
}

/// One host: driver options, protection and passwords. Files are not opened here, because they may be replaced while
/// a console runs.
fn host(settings: &Settings, variable: Variable<'_>, place: Place, common: &Common) -> Result<Host, SourceError> {
    let Place { name, numeric, port } = place;
    let is_socket = name.starts_with('/');
    let options =
        if is_socket { common.base.clone().socket(&name) } else { common.base.clone().host(&name) }.port(port);
    let mode = settings.get("sslmode");
    if mode.is_some_and(|mode| !MODES.contains(&mode)) {
        let place = settings.place("sslmode");
        return Err(SourceError::Invalid(format!("{place} is not valid; valid are {}", MODES.join(", "))));
    }
    let home = |path: &str| super::in_home(path, variable);
    // libpq's `system` means the OS trust store (our default); sqlx would open it as a file.
    let system = settings.get("sslrootcert") == Some("system");
    let written = settings.get("sslrootcert").filter(|_| !system).map(home);
    let default = || Some(PathBuf::from(variable("HOME")?).join(".postgresql/root.crt")).filter(|file| file.exists());
    let root = if system { None } else { written.or_else(default) };
    let tls = tls(&name, is_socket, mode, root.is_some() || system);
    let named = |parameter| settings.get(parameter).map(|path| (parameter, home(path)));
    let mut files: Vec<_> = [named("sslcert"), named("sslkey")].into_iter().flatten().collect();
    files.extend(root.clone().map(|root| ("sslrootcert", root)));
    let options = files.iter().fold(options, |options, (parameter, file)| match *parameter {
        "sslcert" => options.ssl_client_cert(file),
        "sslkey" => options.ssl_client_key(file),
        _ => options.ssl_root_cert(file),
    });
    // The driver has read the variable by itself.
    let options = if system && variable("PGSSLROOTCERT").is_some() {
        options.ssl_root_cert_from_pem(Vec::new())
    } else {
        options
    };
    let options = options.ssl_mode(ssl_mode(tls));
    let given = settings.get("password").map(Secret::new);
    let known = target(&name, port, common);
    let passfile = || Some(PathBuf::from(variable("HOME")?).join(".pgpass"));
    let passwords = Arc::new(Passwords::new(given, known, settings.get("passfile").map(home).or_else(passfile)));
    let numeric = numeric.filter(|numeric| *numeric != name && !is_socket);
    let files = if matches!(tls, Tls::Socket | Tls::Loopback | Tls::Off) { Vec::new() } else { files };
    Ok(Host { name, numeric, port, options, passwords, tls, files })
}

/// The mode for sqlx. It must not decide by itself: its default accepts any server.
fn ssl_mode(tls: Tls) -> PgSslMode {
    match tls {
        Tls::Socket | Tls::Loopback | Tls::Off => PgSslMode::Disable,
        Tls::Prefer => PgSslMode::Prefer,
        Tls::Require => PgSslMode::Require,
        Tls::VerifyCa => PgSslMode::VerifyCa,
        Tls::VerifyFull => PgSslMode::VerifyFull,
    }
}

/// A remote server must be verified unless the user requests less; a socket and the loopback need no proof. Like libpq,
/// `require` with a root certificate verifies the authority, and `sslmode` has no effect on a socket.
fn tls(host: &str, is_socket: bool, mode: Option<&str>, root: bool) -> Tls {
    if is_socket {
        return Tls::Socket;
    }
    let address = host.parse::<std::net::IpAddr>();
    let loopback = host == "localhost" || address.is_ok_and(|ip| ip.to_canonical().is_loopback());
    match mode {
        None if loopback => Tls::Loopback,
        None | Some("verify-full") => Tls::VerifyFull,
        Some("disable") => Tls::Off,
        // sqlx never starts TLS under 'allow', even if the server requires it.
        Some("allow" | "prefer") => Tls::Prefer,
        Some("require") if root => Tls::VerifyCa,
        Some("require") => Tls::Require,
        Some(_) => Tls::VerifyCa,
    }
}

/// The names by which the password file may know a host.
fn target(name: &str, port: u16, common: &Common) -> Target {
    let mut hosts = vec![name.to_owned()];
    if name.starts_with('/') {
        hosts.push("localhost".to_owned());
    } else if name.contains(':') {
        hosts.push(format!("[{name}]"));
    }
    Target { hosts, port, database: common.database.clone(), user: common.user.clone() }
}
