//! The input of `ingest`: a file or stdin, decompressed, and its format. It parses no record.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::config::cli::{Format, InputFormat};
use crate::domain::text::Clean;
use crate::headless::failure::Failure;
use crate::headless::output::sink::by_name;
use crate::headless::session::Interrupt;

const BUFFER: usize = 256 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The byte order mark that some programs write first.
const BOM: &[u8] = "\u{feff}".as_bytes();

pub struct Input {
    /// For messages: quoted and cleaned.
    pub name: String,
    pub format: InputFormat,
    pub reader: Box<dyn BufRead>,
}

/// Opens the input. The first bytes decide the compression; the option, else the file's name, else the first character
/// decides the format.
pub fn open(path: &Path, format: Option<InputFormat>, interrupt: &Interrupt) -> Result<Input, Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { format!("'{}'", Clean::line(&path.to_string_lossy())) };
    let failed = |e: io::Error| Failure::Failed(format!("cannot read {name}: {e}"));
    let raw: Box<dyn Read> = if stdin {
        Box::new(Patient::new(io::stdin(), interrupt))
    } else {
        let file = File::open(path).map_err(failed)?;
        match file.metadata().is_ok_and(|m| m.is_file()) {
            true => Box::new(file),
            false => Box::new(Patient::new(file, interrupt)),
        }
    };
    let failed = |e: io::Error| if interrupt.is_requested() { Failure::Interrupted } else { failed(e) };
    let mut reader = unpack(raw).map_err(failed)?;
    let first = reader.fill_buf().map_err(failed)?;
    if first.starts_with(BOM) {
        reader.consume(BOM.len());
    }
    let named = if stdin { None } else { by_name(path).0 };
    let format = match (format, named) {
        (Some(format), _) => format,
        (None, Some(Format::Ndjson)) => InputFormat::Ndjson,
        (None, Some(Format::Csv)) => InputFormat::Csv,
        _ => guess(reader.as_mut()).map_err(failed)?.ok_or_else(|| {
            Failure::Usage(format!(
                "{name} is a JSON array; give one object per line (export it as .ndjson, or use 'jq -c .[]')"
            ))
        })?,
    };
    Ok(Input { name, format, reader })
}

/// A pipe or a terminal, which can be silent for long. A separate thread reads it, so that an interrupt is noticed.
struct Patient {
    chunks: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
    interrupt: Interrupt,
}

impl Patient {
    /// How often an interrupt is checked for.
    const CHECK: Duration = Duration::from_millis(100);

    fn new(mut from: impl Read + Send + 'static, interrupt: &Interrupt) -> Self {
        // When it is full, the thread waits, and with it the writer of the pipe.
        let (sender, chunks) = sync_channel(2);
        thread::spawn(move || {
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
        });
        Self { chunks, current: io::Cursor::default(), interrupt: interrupt.clone() }
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

/// The input without its packing, which its first bytes tell.
pub(in crate::headless::commands) fn unpack(raw: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let mut reader = BufReader::with_capacity(BUFFER, raw);
    let (mut magic, mut got) = ([0; 4], 0);
    // A pipe can deliver its first bytes one by one.
    while let Some(rest) = magic.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest)? {
            0 => break,
            n => got += n,
        }
    }
    let magic = magic.get(..got).unwrap_or_default().to_vec();
    let gzip = magic.starts_with(&GZIP);
    let zstd = magic.starts_with(&ZSTD);
    let reader = BufReader::with_capacity(BUFFER, io::Cursor::new(magic).chain(reader));
    Ok(if gzip {
        Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(reader)))
    } else if zstd {
        Box::new(BufReader::with_capacity(BUFFER, zstd::Decoder::with_buffer(reader)?))
    } else {
        Box::new(reader)
    })
}

/// The format by the first character that is not white space; `None` for a JSON array. An empty input is NDJSON.
fn guess(reader: &mut dyn BufRead) -> io::Result<Option<InputFormat>> {
    let first = reader.fill_buf()?.iter().find(|b| !b.is_ascii_whitespace());
    Ok(match first {
        Some(b'[') => None,
        Some(b'{') | None => Some(InputFormat::Ndjson),
        Some(_) => Some(InputFormat::Csv),
    })
}
