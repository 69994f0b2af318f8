//! Where a server's password comes from: the address, `PGPASSWORD`, a command, the password file, or a prompt.
//!
//! sqlx looks a password up once, when it parses an address. A console runs for days, and passwords change meanwhile;
//! so they are looked up here, and again when the server refuses the cached one. Called by
//! [`login`](crate::store::connect::login). A password must never enter an error, a log or the arguments of another
//! program, and no type here implements `Debug`.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::protocol::Why;

/// A command that runs longer than this is killed.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes read as a password, so that a command that prints without end cannot fill the memory.
const LONGEST: u64 = 64 * 1024;

/// Prompts a person; gets the address without password. `None`: no input.
pub type Prompt = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A password. Comparable, but never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
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
    /// `given`: from the address or `PGPASSWORD`; `variable` reads the environment.
    pub fn new(given: Option<Secret>, target: Target, variable: impl Fn(&str) -> Option<String>) -> Self {
        let named = variable("PGPASSFILE").filter(|f| !f.is_empty()).map(PathBuf::from);
        let file = named.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".pgpass")));
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

    async fn look_up(&self) -> Result<Attempt, Why> {
        if let Some(secret) = &self.given {
            return Ok(Attempt::With(secret.clone()));
        }
        if let Some(command) = self.command.clone() {
            let ran = spawn_blocking(move || run(&command)).await;
            return ran.unwrap_or_else(|_| Err("it was cancelled".into())).map(Attempt::With).map_err(|why| {
                Why::new(format!("the password command failed: {why}"))
                    .step("run the command of 'password_command' by hand; its first line of output is taken")
            });
        }
        let Some(file) = &self.file else { return Ok(Attempt::Without(None)) };
        Ok(match read_file(file, &self.target) {
            Ok(Some(secret)) => Attempt::With(secret),
            Ok(None) => Attempt::Without(None),
            Err(why) => Attempt::Without(Some(why)),
        })
    }

    async fn prompted(&self, address: &str) -> Option<Secret> {
        let prompt = self.prompt.lock().ok()?.clone()?;
        let address = address.to_owned();
        spawn_blocking(move || prompt(&address)).await.ok().flatten().map(Secret)
    }
}

/// The first line that a command prints. Its stderr is dropped: a screen may be active, and stderr may hold a secret.
fn run(command: &str) -> Result<Secret, String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
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
    let line = match receiver.recv_timeout(COMMAND_TIMEOUT) {
        Ok(line) => line.ok_or("its output is no text"),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            let _ = child.kill();
            Err("it did not end in time")
        }
    };
    let ended = child.wait().map_err(|e| e.to_string())?;
    let line = line?;
    let secret = line.trim_end_matches(['\n', '\r']);
    match (ended.success(), secret.is_empty()) {
        (true, false) => Ok(Secret(secret.to_owned())),
        (true, true) => Err("it printed nothing".to_owned()),
        (false, _) => Err(format!("it ended with {ended}")),
    }
}

/// The password for a server in a file of libpq's format. The error says why the file was not read.
fn read_file(path: &Path, target: &Target) -> Result<Option<Secret>, String> {
    let named = path.display();
    let Ok(file) = std::fs::File::open(path) else { return Ok(None) };
    let about = file.metadata().map_err(|e| format!("'{named}' cannot be read: {e}"))?;
    if !about.is_file() {
        return Err(format!("'{named}' is not read because it is no plain file"));
    }
    if others_may_read(&about) {
        return Err(format!("'{named}' is not read because others than its owner may read it; run chmod 600 on it"));
    }
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|e| format!("'{named}' cannot be read: {e}"))?;
        if let Some(secret) = matching(&line, target) {
            return Ok(Some(secret));
        }
    }
    Ok(None)
}

fn others_may_read(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o077 != 0
}

/// The password of a line `host:port:database:user:password` if it matches this server. `*` matches anything, `\`
/// escapes the next character.
fn matching(line: &str, target: &Target) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields: Vec<String> = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, fields.len()) {
            (':', 1..5) => fields.push(String::new()),
            (c, _) => {
                let c = if c == '\\' { characters.next().unwrap_or('\\') } else { c };
                fields.last_mut()?.push(c);
            }
        }
    }
    let [host, port, database, user, password] = fields.as_slice() else { return None };
    let fits = |field: &str, value: &str| field == "*" || field == value;
    let here = target.hosts.iter().any(|h| fits(host, h))
        && fits(port, &target.port.to_string())
        && fits(database, &target.database)
        && fits(user, &target.user);
    (here && !password.is_empty()).then(|| Secret(password.clone()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target { hosts: vec!["db.example".into()], port: 5432, database: "fleet".into(), user: "ann".into() }
    }

    fn passwords(command: Option<&str>, home: &Path) -> Passwords {
        let home = home.display().to_string();
        let plain = Passwords::new(None, target(), |name| (name == "HOME").then(|| home.clone()));
        command.map_or_else(
            || Passwords::new(None, target(), |name| (name == "HOME").then(|| home.clone())),
            |c| plain.with_command(c),
        )
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
            assert_eq!(matching(line, &target()).map(|s| s.0).as_deref(), expected, "{line}");
        }
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
