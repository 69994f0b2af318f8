//! Where a server's password comes from: the address, `PGPASSWORD`, a command, the password file, or a prompt.
//!
//! sqlx looks a password up once, when it parses an address. A console runs for days, and passwords change meanwhile;
//! so they are looked up here, and again when the server refuses the cached one. Called by
//! [`login`](crate::store::connect::login). A password must never enter an error, a log or the arguments of another
//! program, and no type here implements `Debug`.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::task::spawn_blocking;

use crate::protocol::Why;
use crate::store::connect::error::seconds;

/// A command that runs longer than this is killed.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the end of a command is looked for.
const PAUSE: Duration = Duration::from_millis(5);
/// The most bytes read as a password, so that a command that prints without end cannot fill the memory.
const LONGEST: u64 = 64 * 1024;

/// Prompts a person; gets the address without password. `None`: no input.
pub type Prompt = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A password. Comparable, but never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a password over; nothing of it is kept elsewhere.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// For the driver only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What a line of the password file is matched with.
#[derive(Clone)]
pub struct Target {
    /// The host; for a socket its directory, and `localhost`.
    pub hosts: Vec<String>,
    pub port: u16,
    pub database: String,
    pub user: String,
}

/// The password sources of one address, and the password found last. Shared by all its connections.
pub struct Passwords {
    /// From the address or `PGPASSWORD`: takes precedence over all others and cannot change.
    given: Option<Secret>,
    command: Option<String>,
    target: Target,
    file: Option<PathBuf>,
    prompt: Mutex<Option<Prompt>>,
    found: tokio::sync::Mutex<Option<Secret>>,
}

/// A login to try.
pub enum Attempt {
    With(Secret),
    /// Without a password; and why, if a source could not be used.
    Without(Option<String>),
}

impl Passwords {
    /// `given`: from the address or `PGPASSWORD`; `file`: the password file.
    pub fn new(given: Option<Secret>, target: Target, file: Option<PathBuf>) -> Self {
        Self { given, command: None, target, file, prompt: Mutex::default(), found: tokio::sync::Mutex::default() }
    }

    /// The same sources, plus a command for `sh -c` whose first output line is the password.
    pub fn with_command(&self, command: &str) -> Self {
        Self {
            given: self.given.clone(),
            command: Some(command.to_owned()),
            target: self.target.clone(),
            file: self.file.clone(),
            prompt: Mutex::default(),
            found: tokio::sync::Mutex::default(),
        }
    }

    /// The prompt for when no source has a password and the server requires one; `None` ends prompting.
    pub fn set_prompt(&self, prompt: Option<Prompt>) {
        if let Ok(mut slot) = self.prompt.lock() {
            *slot = prompt;
        }
    }

    /// The source in use, in words.
    pub fn source(&self) -> &'static str {
        match (&self.given, &self.command) {
            (Some(_), _) => "the address or PGPASSWORD",
            (None, Some(_)) => "a command",
            (None, None) => "the password file, where it names this server",
        }
    }

    /// What to log in with: the cached password, or what the sources have now.
    pub async fn first(&self) -> Result<Attempt, Why> {
        let mut found = self.found.lock().await;
        if let Some(secret) = found.as_ref() {
            return Ok(Attempt::With(secret.clone()));
        }
        let attempt = self.look_up().await?;
        if let Attempt::With(secret) = &attempt {
            *found = Some(secret.clone());
        }
        Ok(attempt)
    }

    /// What to log in with after the server refused an attempt. `None`: nothing else is known. `address` is shown in
    /// the prompt.
    pub async fn another(&self, refused: &Attempt, address: &str) -> Result<Option<Secret>, Why> {
        let mut found = self.found.lock().await;
        let old = match refused {
            Attempt::With(secret) => Some(secret),
            Attempt::Without(_) => None,
        };
        // Another connection may have been refused too, and found the new password.
        if found.is_some() && found.as_ref() != old {
            return Ok(found.clone());
        }
        let mut new = match self.look_up().await? {
            Attempt::With(secret) => Some(secret).filter(|s| Some(s) != old),
            Attempt::Without(_) => None,
        };
        if new.is_none() && old.is_none() {
            new = self.prompted(address).await;
        }
        if new.is_some() {
            found.clone_from(&new);
        }
        Ok(new)
    }

    /// Reads the sources in order: the address, the command, the password file. Blocking work runs in its own thread.
    async fn look_up(&self) -> Result<Attempt, Why> {
        if let Some(secret) = &self.given {
            return Ok(Attempt::With(secret.clone()));
        }
        if let Some(command) = self.command.clone() {
            let ran = spawn_blocking(move || run(&command, COMMAND_TIMEOUT)).await;
            return ran.unwrap_or_else(|_| Err("it was cancelled".into())).map(Attempt::With).map_err(|why| {
                Why::new(format!("the password command failed: {why}"))
                    .step("run the command of 'password_command' by hand; its first line of output is taken")
            });
        }
        let Some(file) = self.file.clone() else { return Ok(Attempt::Without(None)) };
        let target = self.target.clone();
        let read = spawn_blocking(move || read_file(&file, &target)).await;
        Ok(match read.unwrap_or_else(|_| Err("the password file was not read to its end".into())) {
            Ok(Some(secret)) => Attempt::With(secret),
            Ok(None) => Attempt::Without(None),
            Err(why) => Attempt::Without(Some(why)),
        })
    }

    /// What a person types, if a prompt is set.
    async fn prompted(&self, address: &str) -> Option<Secret> {
        let prompt = self.prompt.lock().ok()?.clone()?;
        let address = address.to_owned();
        spawn_blocking(move || prompt(&address)).await.ok().flatten().map(Secret)
    }
}

/// The first line that a command prints, which must end within the limit, and is killed with what it started otherwise. Its stderr is dropped: a screen may be active, and stderr may hold a secret.
fn run(command: &str, limit: Duration) -> Result<Secret, String> {
    let begun = Moment::now();
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|e| format!("'sh' cannot be started: {e}"))?;
    let output = child.stdout.take();
    let (sender, receiver) = channel();
    // Reads in a separate thread, so that a hanging command can be killed.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = output.map(|o| BufReader::new(o.take(LONGEST)).read_line(&mut line));
        // The receiver is gone if the command took too long.
        let _ = sender.send(read.is_some_and(|r| r.is_ok()).then_some(line));
    });
    let line = receiver.recv_timeout(limit);
    let ended = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(ended) => break Some(ended),
            None if begun.elapsed() >= limit => break None,
            None => std::thread::sleep(PAUSE),
        }
    };
    let Some(ended) = ended else {
        kill_group(&child);
        let _ = child.wait();
        return Err(format!("it did not end within {}", seconds(limit)));
    };
    let line = line.map_err(|_| "it printed no line in time")?.ok_or("its output is no text")?;
    let secret = line.trim_end_matches(['\n', '\r']);
    match (ended.success(), secret.is_empty()) {
        (true, false) => Ok(Secret(secret.to_owned())),
        (true, true) => Err("it printed nothing".to_owned()),
        (false, _) => Err(format!("it ended with {ended}")),
    }
}

/// Ends a command and the processes that it started. Its group has no other members.
fn kill_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // None may be left.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The password for a server in a file of libpq's format. The error says why the file was not read.
fn read_file(path: &Path, target: &Target) -> Result<Option<Secret>, String> {
    let named = path.display();
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("'{named}' cannot be read: {e}")),
    };
    let about = file.metadata().map_err(|e| format!("'{named}' cannot be read: {e}"))?;
    if !about.is_file() {
        return Err(format!("'{named}' is not read because it is no plain file"));
    }
    if others_may_read(&about) {
        return Err(format!("'{named}' is not read because others than its owner may read it; run chmod 600 on it"));
    }
    // By bytes: another server's line may be in any encoding.
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(|e| format!("'{named}' cannot be read: {e}"))?;
        let Some(password) = matching(line.strip_suffix(b"\r").unwrap_or(&line), target) else { continue };
        let password = String::from_utf8(password);
        return password.map(|p| Some(Secret(p))).map_err(|_| format!("the password in '{named}' is not UTF-8"));
    }
    Ok(None)
}

/// Whether group or others have any permission on the file.
fn others_may_read(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o077 != 0
}

/// The password of a line `host:port:database:user:password` if it matches this server. `*` matches anything, `\` escapes
/// the next character. Like libpq, a field is compared as far as its value goes, so that an IPv6 address needs no escapes.
fn matching(line: &[u8], target: &Target) -> Option<Vec<u8>> {
    if line.starts_with(b"#") {
        return None;
    }
    let after_host = target.hosts.iter().find_map(|host| after_field(line, host))?;
    let after_port = after_field(after_host, &target.port.to_string())?;
    let after_database = after_field(after_port, &target.database)?;
    let password = after_field(after_database, &target.user)?;
    let mut bytes = password.iter();
    let mut out = Vec::with_capacity(password.len());
    while let Some(byte) = bytes.next() {
        out.push(if *byte == b'\\' { *bytes.next().unwrap_or(&b'\\') } else { *byte });
    }
    (!out.is_empty()).then_some(out)
}

/// What follows the first field of a line and its colon, if the field matches the value.
fn after_field<'a>(line: &'a [u8], value: &str) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let mut rest = line;
    for wanted in value.bytes() {
        let field = rest.strip_prefix(b"\\").unwrap_or(rest);
        rest = field.split_first().filter(|(byte, _)| **byte == wanted)?.1;
    }
    rest.strip_prefix(b":")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target { hosts: vec!["db.example".into()], port: 5432, database: "fleet".into(), user: "ann".into() }
    }

    fn passwords(command: Option<&str>, home: &Path) -> Passwords {
        let plain = Passwords::new(None, target(), Some(home.join(".pgpass")));
        match command {
            Some(command) => plain.with_command(command),
            None => plain,
        }
    }

    fn word(attempt: &Attempt) -> String {
        match attempt {
            Attempt::With(secret) => secret.reveal().to_owned(),
            Attempt::Without(why) => format!("none: {}", why.as_deref().unwrap_or_default()),
        }
    }

    #[test]
    fn lines_of_the_password_file() {
        for (line, expected) in [
            ("db.example:5432:fleet:ann:pw", Some("pw")),
            ("*:*:*:*:pw", Some("pw")),
            ("*:*:*:*:p:w", Some("p:w")),
            (r"*:*:*:*:p\:\\w", Some(r"p:\w")),
            ("*:*:*:*: pw ", Some(" pw ")),
            ("other:*:*:*:pw", None),
            ("*:5433:*:*:pw", None),
            ("*:*:*:bob:pw", None),
            ("#*:*:*:*:pw", None),
            ("*:*:*:*:", None),
            ("*:*:*:pw", None),
            ("", None),
        ] {
            let found = matching(line.as_bytes(), &target()).map(|p| String::from_utf8(p).unwrap());
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn an_ipv6_address_is_found_with_and_without_brackets_and_escapes() {
        let target = Target { hosts: vec!["::1".into(), "[::1]".into()], ..target() };
        for line in ["::1:5432:fleet:ann:pw", r"\:\:1:5432:fleet:ann:pw", "[::1]:5432:fleet:ann:pw"] {
            assert_eq!(matching(line.as_bytes(), &target).as_deref(), Some(&b"pw"[..]), "{line}");
        }
    }

    #[tokio::test]
    async fn a_line_in_another_encoding_hides_no_other_line() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".pgpass");
        std::fs::write(&file, b"m\xfcnchen:*:*:*:x\ndb.example:*:*:ann:pw\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(word(&passwords(None, home.path()).first().await.unwrap()), "pw");
        let directory = passwords(None, &file);
        assert!(word(&directory.first().await.unwrap()).contains("cannot be read"));
    }

    #[tokio::test]
    async fn a_changed_file_is_read_again_and_a_readable_one_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".pgpass");
        let write = |password: &str, mode: u32| {
            std::fs::write(&file, format!("# mine\n*:*:*:ann:{password}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let passwords = passwords(None, home.path());
        assert_eq!(word(&passwords.first().await.unwrap()), "none: ");
        write("old", 0o600);
        let old = passwords.first().await.unwrap();
        assert_eq!(word(&old), "old");
        assert!(passwords.another(&old, "x").await.unwrap().is_none(), "the same password is not sent twice");
        write("new", 0o600);
        assert_eq!(word(&passwords.first().await.unwrap()), "old", "a working password is not looked up again");
        assert_eq!(passwords.another(&old, "x").await.unwrap().unwrap().reveal(), "new");
        assert_eq!(word(&passwords.first().await.unwrap()), "new");
        write("new", 0o640);
        let fresh = self::passwords(None, home.path());
        let reason = word(&fresh.first().await.unwrap());
        assert!(reason.contains("others than its owner may read it; run chmod 600"), "{reason}");
    }

    #[tokio::test]
    async fn a_command_gives_its_first_line_or_says_why_not() {
        let home = tempfile::tempdir().unwrap();
        let first = |command: &'static str| {
            let passwords = passwords(Some(command), home.path());
            async move { passwords.first().await.map(|a| word(&a)).map_err(|why| why.to_string()) }
        };
        assert_eq!(first("printf 'one\\r\\ntwo\\n'").await, Ok("one".into()));
        assert_eq!(first("true").await, Err("the password command failed: it printed nothing".into()));
        let failed = first("echo s3cret; echo s3cret >&2; exit 3").await;
        assert_eq!(failed, Err("the password command failed: it ended with exit status: 3".into()));
    }

    #[test]
    fn a_command_that_hangs_ends_at_its_limit_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let limit = Duration::from_millis(300);
        for command in
            ["echo s3cret; exec sleep 75", "sleep 75 & echo $! > PID; wait", "sleep 75 & echo $! > PID; exec sleep 75"]
        {
            let begun = Moment::now();
            let failed = run(&command.replace("PID", pid.to_str().unwrap()), limit).err().unwrap();
            assert_eq!(failed, "it did not end within 0.3 s", "{command}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{command}");
        }
        let child = std::fs::read_to_string(&pid).unwrap();
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        let begun = Moment::now();
        while state().contains("(sleep)") && !state().contains(") Z ") {
            assert!(begun.elapsed() < Duration::from_secs(20), "the child of the command still runs");
            std::thread::yield_now();
        }
        // An agent that a command leaves running is not held against it.
        assert_eq!(run("sleep 1 & echo pw", Duration::from_secs(20)).map(|s| s.0), Ok("pw".to_owned()));
    }

    #[tokio::test]
    async fn the_prompt_appears_only_without_another_source() {
        let home = tempfile::tempdir().unwrap();
        let prompts =
            |p: &Passwords| p.set_prompt(Some(Arc::new(|address: &str| Some(format!("typed for {address}")))));
        let none = passwords(None, home.path());
        prompts(&none);
        let typed = none.another(&Attempt::Without(None), "db").await.unwrap();
        assert_eq!(typed.unwrap().reveal(), "typed for db");
        let with = passwords(Some("echo pw"), home.path());
        prompts(&with);
        let first = with.first().await.unwrap();
        assert!(with.another(&first, "db").await.unwrap().is_none());
    }
}
