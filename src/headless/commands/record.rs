//! `record`: stores one event from a renewal hook.
//!
//! An optional part must never lose the event: an unreadable certificate or error file is a warning, and an event that
//! cannot be stored goes to the spool file or to stderr.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::config::Config;
use crate::config::cli::Record;
use crate::domain::event::{NewEvent, Party};
use crate::domain::instant::Instant;
use crate::domain::text::{Clean, without_nul};
use crate::domain::when::{Length, When};
use crate::domain::zone::Zone;
use crate::files;
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
    let event = event(&config.zone.value, &args)?;
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
        Ok((_, RowOutcome::Refused(why))) => {
            keep(&event, args.spool.as_deref());
            Err(Failure::Failed(format!("the database rejected the event: {why}")))
        }
        Err(error) => {
            keep(&event, args.spool.as_deref());
            Err(error.into())
        }
    }
}

/// Prints the id of the stored event, for the hook.
fn print(id: Uuid) -> Result<Exit, Failure> {
    writeln!(io::stdout(), "{}", id.hyphenated()).map_err(crate::headless::output::sink::stdout_failed)?;
    Ok(Exit::Done)
}

/// The event of the arguments. A value that cannot be read is a warning: the event is recorded without it.
fn event(zone: &Zone, args: &Record) -> Result<NewEvent, Failure> {
    let device = party(Some(&args.device));
    if device == Party::default() {
        return Err(Failure::Usage("--device is empty; give the device's name or UUID".to_owned()));
    }
    let Some(kind) = name(Some(&args.kind)) else {
        return Err(Failure::Usage("--type is empty; give an event type such as 'renewal_failed'".to_owned()));
    };
    let now = clock::now();
    let at = value("--at", &args.at, |text| {
        When::parse(text).map(|when| when.at(now, zone)).map_err(|e| format!("{e}; the event is recorded as of now"))
    });
    let created_at = at.unwrap_or(now);
    let expiry = |text: &str| expiry(text, created_at, zone).map_err(without_it);
    let id =
        |text: &str| Uuid::parse_str(text).map_err(|_| without_it(format!("'{}' is not a UUID", Clean::line(text))));
    Ok(NewEvent {
        id: value("--id", &args.id, id),
        device,
        org: party(args.org.as_deref()),
        kind,
        reason: name(args.reason.as_deref()),
        old_expiry: certificate("--old-cert", args.old_cert.as_deref())
            .or_else(|| value("--old-expiry", &args.old_expiry, expiry)),
        new_expiry: certificate("--new-cert", args.new_cert.as_deref())
            .or_else(|| value("--new-expiry", &args.new_expiry, expiry)),
        error: args.error_file.as_deref().map_or_else(|| present(args.error.as_deref()), error_text),
        created_at,
    })
}

/// The value of an option. The empty text is no value; an invalid one is a warning.
fn value<T>(option: &str, text: &Option<String>, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty())?;
    read(text).map_err(|why| tell(&format!("{option}: {why}"))).ok()
}

/// The warning for a value that is left out.
fn without_it(why: String) -> String {
    format!("{why}; the event is recorded without it")
}

/// An expiry lies ahead, so a length such as `90d` or `+90d` counts from the event on.
fn expiry(text: &str, event: Instant, zone: &Zone) -> Result<Instant, String> {
    match Length::parse(text.strip_prefix('+').unwrap_or(text)) {
        Ok(length) => Ok(event.plus(length.span())),
        Err(_) => When::parse(text).map(|when| when.at(event, zone)).map_err(|e| e.to_string()),
    }
}

/// `None` for the empty text, which a hook passes for an unknown value.
fn present(text: Option<&str>) -> Option<String> {
    text.filter(|t| !t.is_empty()).map(|t| without_nul(t).into_owned())
}

/// As [`present`], without the white space around a name, which no screen shows.
fn name(text: Option<&str>) -> Option<String> {
    present(text.map(str::trim))
}

/// An organization or device: a UUID is an id, any other text a name.
fn party(text: Option<&str>) -> Party {
    match name(text) {
        None => Party::default(),
        Some(text) => match Uuid::parse_str(&text) {
            Ok(id) => Party { id: Some(id), name: None },
            Err(_) => Party { id: None, name: Some(text) },
        },
    }
}

/// The expiry in a certificate file. An unreadable one is a warning.
fn certificate(option: &str, path: Option<&Path>) -> Option<Instant> {
    let path = path?;
    if path.as_os_str().is_empty() {
        warn(option, path, "the path is empty");
        return None;
    }
    let found = pem::expiry(path, PATIENCE).map_err(|why| warn(option, path, &why)).ok()?;
    if found.is_ca {
        let path = Clean::line(&path.to_string_lossy());
        tell(&format!("{option} '{path}': only certificates of CAs in it; the expiry of the first one is recorded"));
    }
    Some(found.at)
}

/// Prints a warning about a file that is left out.
fn warn(option: &str, path: &Path, why: &str) {
    tell(&format!("{option} '{}': {why}; the event is recorded without it", Clean::line(&path.to_string_lossy())));
}

/// The error in a file, a pipe or stdin, without the line end at its end. An unreadable one is a warning.
fn error_text(path: &Path) -> Option<String> {
    let bytes =
        files::read_stream(path, ERROR_LIMIT, PATIENCE).map_err(|e| warn("--error-file", path, &e.to_string())).ok()?;
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

/// Appends a line in one write, so that the lines of concurrent hooks do not mix.
fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = files::open_append(path, true)?;
    files::append_line(&mut file, line)?;
    file.sync_all()
}
