//! `sig`: the signature of each message of a file, for trying the mask on any log. It reads no database and no
//! configuration, and holds one line at a time.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use serde::Serialize;

use crate::domain::signature::Signature;
use crate::domain::text::Clean;
use crate::headless::commands::ingest::input::unpack;
use crate::headless::failure::{Exit, Failure};
use crate::headless::output::sink::{stdout, stdout_failed};

/// Bytes of a line that are held. The mask reads far fewer; a longer JSON string is taken as it stands.
const LINE: u64 = 1024 * 1024;

const BOM: &[u8] = "\u{feff}".as_bytes();

#[derive(Serialize)]
struct Row<'a> {
    sig: String,
    signature: &'a str,
}

/// Prints one line of NDJSON for each line of the input, at most `limit`.
pub fn sig(path: &Path, limit: Option<u64>) -> Result<Exit, Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { format!("'{}'", Clean::line(&path.to_string_lossy())) };
    let failed = |e: io::Error| Failure::Failed(format!("cannot read {name}: {e}"));
    let raw: Box<dyn Read> = if stdin { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(failed)?) };
    let mut reader = unpack::text(raw).map_err(failed)?;
    let mut out = stdout();
    // A person sees each answer at once; a pipe gets full buffers.
    let at_once = io::stdout().is_terminal();
    let mut line = Vec::new();
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 && read_line(&mut *reader, &mut line).map_err(failed)? {
        let signature = Signature::of(&message(&line));
        let row = Row { sig: signature.id.to_string(), signature: &signature.text };
        serde_json::to_writer(&mut out, &row).map_err(|e| stdout_failed(e.into()))?;
        out.write_all(b"\n").map_err(stdout_failed)?;
        if at_once {
            out.flush().map_err(stdout_failed)?;
        }
        left -= 1;
    }
    out.flush().map_err(stdout_failed)?;
    Ok(Exit::Done)
}

/// Reads the next line without its end; false at the end of the input. What is beyond [`LINE`] is dropped.
fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if reader.take(LINE).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    let mut ended = line.last() == Some(&b'\n');
    while !ended && line.len() as u64 >= LINE {
        let more = reader.fill_buf()?;
        let end = more.iter().position(|b| *b == b'\n');
        let used = end.map_or(more.len(), |end| end + 1);
        ended = end.is_some() || more.is_empty();
        reader.consume(used);
    }
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    Ok(true)
}

/// The message of a line: a JSON string is decoded, anything else is the message itself.
fn message(line: &[u8]) -> String {
    let line = line.strip_prefix(BOM).unwrap_or(line);
    let trimmed = line.trim_ascii();
    let decoded = trimmed.starts_with(b"\"").then(|| serde_json::from_slice(trimmed).ok()).flatten();
    decoded.unwrap_or_else(|| String::from_utf8_lossy(line).into_owned())
}
