//! `record`: stores one event from a renewal hook.
//!
//! An optional part must never lose the event: an unreadable certificate or error file is a warning, and an event that
//! cannot be stored goes to the spool file or to stderr.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::config::Config;
use crate::config::cli::Record;
use crate::domain::event::{NewEvent, Party};
use crate::domain::instant::Instant;
use crate::domain::text::{Clean, without_nul};
use crate::domain::when::When;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::{Column, event, json};
use crate::headless::{pem, session, tell};
use crate::protocol::{SourceError, Why};
use crate::runtime::{clock, prompt};
use crate::store::RowOutcome;

/// How long a hook waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of an error that are read from a file.
const ERROR_LIMIT: u64 = 16 << 20;

/// Stores the event and prints its id. If the database is unreachable, writes the event to the spool file or to stderr,
/// and fails.
pub async fn record(config: &Config, args: Record) -> Result<Exit, Failure> {
    let event = event(config, &args)?;
    // A person needs time to type the password.
    let patience = if prompt::is_available() { PATIENCE * 20 } else { PATIENCE };
    let stored = tokio::time::timeout(patience, async {
        let store = session::connect(config, session::to_write()).await?;
        let stored = store.create(&event).await;
        store.close().await;
        stored
    });
    let stored = stored.await.unwrap_or_else(|_| {
        let (address, seconds) = (&config.database.value, patience.as_secs());
        let why = match address.path() {
            Some(_) => Why::new(format!("another process has held the write lock of the file for {seconds} s"))
                .step("end its transaction, then record again"),
            None => Why::new(format!("no answer within {seconds} s")),
        };
        Err(SourceError::Unreachable { address: address.to_string(), why })
    });
    match stored {
        Ok((id, RowOutcome::Stored)) => print(id),
        Ok((id, RowOutcome::Duplicate)) => {
            tell("the event is already stored");
            print(id)
        }
        Ok((_, RowOutcome::Refused(why))) => Err(Failure::Failed(format!("the event was refused: {why}"))),
        Err(error) => {
            keep(&event, args.spool.as_deref());
            Err(error.into())
        }
    }
}

fn print(id: Uuid) -> Result<Exit, Failure> {
    writeln!(io::stdout(), "{}", id.hyphenated()).map_err(crate::headless::output::sink::stdout_failed)?;
    Ok(Exit::Done)
}

fn event(config: &Config, args: &Record) -> Result<NewEvent, Failure> {
    let device = party(Some(&args.device));
    if device == Party::default() {
        return Err(Failure::Usage("--device is empty; give the device's name or UUID".to_owned()));
    }
    if args.kind.is_empty() {
        return Err(Failure::Usage("--type is empty; give an event type such as 'renewal_failed'".to_owned()));
    }
    let now = clock::now();
    let time = |option: &str, text: &Option<String>| match text.as_deref().filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => match When::parse(text) {
            Ok(when) => Ok(Some(when.at(now, &config.zone.value))),
            Err(e) => Err(Failure::Usage(format!("{option}: {e}"))),
        },
    };
    Ok(NewEvent {
        id: args.id,
        device,
        org: party(args.org.as_deref()),
        kind: without_nul(&args.kind).into_owned(),
        reason: present(args.reason.as_deref()),
        old_expiry: certificate("--old-cert", args.old_cert.as_deref()).or(time("--old-expiry", &args.old_expiry)?),
        new_expiry: certificate("--new-cert", args.new_cert.as_deref()).or(time("--new-expiry", &args.new_expiry)?),
        error: args.error_file.as_deref().map_or_else(|| present(args.error.as_deref()), error_text),
        created_at: time("--at", &args.at)?.unwrap_or(now),
    })
}

/// `None` for the empty text, which a hook passes for an unknown value.
fn present(text: Option<&str>) -> Option<String> {
    text.filter(|t| !t.is_empty()).map(|t| without_nul(t).into_owned())
}

/// An organization or device: a UUID is an id, any other text a name.
fn party(text: Option<&str>) -> Party {
    match present(text) {
        None => Party::default(),
        Some(text) => match Uuid::parse_str(&text) {
            Ok(id) => Party { id: Some(id), name: None },
            Err(_) => Party { id: None, name: Some(text) },
        },
    }
}

fn certificate(option: &str, path: Option<&Path>) -> Option<Instant> {
    let path = path?;
    let expiry = if path.as_os_str().is_empty() { Err("the path is empty".to_owned()) } else { pem::expiry(path) };
    expiry.map_err(|why| warn(option, path, &why)).ok()
}

fn warn(option: &str, path: &Path, why: &str) {
    tell(&format!("{option} '{}': {why}; the event is recorded without it", Clean::line(&path.to_string_lossy())));
}

fn error_text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => io::stdin().take(ERROR_LIMIT).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(ERROR_LIMIT).read_to_end(&mut bytes)),
    };
    if let Err(e) = read {
        warn("--error-file", path, &e.to_string());
        return None;
    }
    // The line end after the last line is the file's, not the error's.
    present(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r'])))
}

/// Writes an event that could not be stored to the spool file, else to stderr, as a line for `ingest`.
fn keep(event: &NewEvent, spool: Option<&Path>) {
    let columns: Vec<_> = event::KEYS.iter().map(|key| Column::new(key)).collect();
    let mut line = Vec::new();
    // Writing to memory cannot fail.
    let _ = json::object(&mut line, &columns, &event::new_event_cells(event), &mut String::new());
    line.push(b'\n');
    if let Some(path) = spool {
        let shown = Clean::line(&path.to_string_lossy());
        match append(path, &line) {
            Ok(()) => {
                return tell(&format!("the event is in the spool; store it later with 'renewscope ingest {shown}'"));
            }
            Err(e) => tell(&format!("cannot write the spool file '{shown}': {e}")),
        }
    }
    tell("the event is not stored; save the next line and store it later with 'renewscope ingest'");
    // Not cleaned, so that it can be read back; the format has escaped what is unsafe.
    let _ = io::stderr().write_all(&line);
}

/// Appends a line in one write, so that the lines of concurrent hooks do not mix. Only the owner can read the file.
fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.write_all(line)?;
    file.sync_all()
}
