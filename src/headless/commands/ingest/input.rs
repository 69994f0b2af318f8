//! The input of `ingest`: a file or stdin, decompressed, and its format. It parses no record.

pub(in crate::headless::commands) mod unpack;

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::csv::Dialect;
use super::records::Shape;
use crate::config::cli::{Format, InputFormat};
use crate::domain::text::Clean;
use crate::headless::failure::Failure;
use crate::headless::output::sink::by_name;
use crate::headless::session::Interrupt;

/// The bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// An opened input: text, and how it is split into records.
pub struct Input {
    /// For messages: quoted and cleaned.
    pub name: String,
    /// How it is split into records.
    pub shape: Shape,
    /// The byte that ends a line.
    pub end: u8,
    /// UTF-8, decompressed, without a byte order mark.
    pub reader: Box<dyn BufRead>,
}

/// Opens the input. The first bytes decide compression and encoding; the option, else the file's name, else the first
/// character decides the format.
pub fn open(path: &Path, format: Option<InputFormat>, interrupt: &Interrupt) -> Result<Input, Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { format!("'{}'", Clean::line(&path.to_string_lossy())) };
    let failed = |e: io::Error| Failure::Failed(format!("cannot read {name}: {e}"));
    let raw: Box<dyn Read> = if stdin {
        Box::new(Patient::new(io::stdin(), interrupt).map_err(failed)?)
    } else {
        let file = File::open(path).map_err(failed)?;
        match file.metadata().is_ok_and(|m| m.is_file()) {
            true => Box::new(file),
            false => Box::new(Patient::new(file, interrupt).map_err(failed)?),
        }
    };
    let failed = |e: io::Error| if interrupt.is_requested() { Failure::Interrupted } else { failed(e) };
    let (first, reader) = unpack::text(raw).and_then(unpack::first_line).map_err(failed)?;
    let named = if stdin { None } else { by_name(path).0 };
    let format = match (format, named) {
        (Some(format), _) => format,
        (None, Some(Format::Ndjson)) => InputFormat::Ndjson,
        (None, Some(Format::Csv)) => InputFormat::Csv,
        _ => guess(&first).ok_or_else(|| {
            Failure::Usage(format!(
                "{name} is a JSON array; give one object per line (export it as .ndjson, or use 'jq -c .[]')"
            ))
        })?,
    };
    let shape = match format {
        // The header decides the dialect; until it is known, only the quotes matter.
        InputFormat::Csv => Shape::Csv(Dialect::default()),
        InputFormat::Ndjson if is_pretty(&first) => Shape::Pretty,
        InputFormat::Ndjson => Shape::Lines,
    };
    Ok(Input { name, shape, end: line_end(&first), reader })
}

/// Whether the first line that is not blank is an opening brace alone.
fn is_pretty(first: &[u8]) -> bool {
    let mut lines = first.split(|b| matches!(b, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.next() == Some(b"{")
}

/// The byte that ends the first line. A carriage return ends it only where no line feed follows.
fn line_end(first: &[u8]) -> u8 {
    let at = first.iter().position(|b| matches!(b, b'\n' | b'\r'));
    let pair = at.and_then(|at| Some((*first.get(at)?, first.get(at + 1))));
    if matches!(pair, Some((b'\r', Some(next))) if *next != b'\n') { b'\r' } else { b'\n' }
}

/// A pipe or a terminal, which can be silent for long. A separate thread reads it, so that an interrupt is noticed.
struct Patient {
    /// From the thread; an empty chunk is the end.
    chunks: Receiver<io::Result<Vec<u8>>>,
    /// The chunk that is being delivered.
    current: io::Cursor<Vec<u8>>,
    interrupt: Interrupt,
}

impl Patient {
    /// How often an interrupt is checked for.
    const CHECK: Duration = Duration::from_millis(100);

    /// Starts the thread. It ends with its input, or when this reader is dropped.
    fn new(mut from: impl Read + Send + 'static, interrupt: &Interrupt) -> io::Result<Self> {
        // When it is full, the thread waits, and with it the writer of the pipe.
        let (sender, chunks) = sync_channel(2);
        thread::Builder::new().spawn(move || {
            loop {
                let mut chunk = vec![0; BUFFER];
                let read = from.read(&mut chunk).map(|n| {
                    chunk.truncate(n);
                    chunk
                });
                let last = read.as_ref().map_or_else(|e| e.kind() != io::ErrorKind::Interrupted, Vec::is_empty);
                if sender.send(read).is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Self { chunks, current: io::Cursor::default(), interrupt: interrupt.clone() })
    }
}

impl Read for Patient {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.current.read(buf)? {
                0 if !buf.is_empty() => {}
                n => return Ok(n),
            }
            if self.interrupt.is_requested() {
                return Err(io::Error::other("interrupted"));
            }
            match self.chunks.recv_timeout(Self::CHECK) {
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                // An empty chunk is the end of the input; the thread has ended after it.
                Ok(chunk) => match chunk? {
                    end if end.is_empty() => return Ok(0),
                    chunk => self.current = io::Cursor::new(chunk),
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}

/// The format by the first character that is not white space; `None` for a JSON array. An empty input is NDJSON.
fn guess(first: &[u8]) -> Option<InputFormat> {
    // A JSON text sequence begins with a control character.
    match first.iter().find(|b| !b.is_ascii_whitespace() && **b != 0x1e) {
        Some(b'[') => None,
        Some(b'{') | None => Some(InputFormat::Ndjson),
        Some(_) => Some(InputFormat::Csv),
    }
}
