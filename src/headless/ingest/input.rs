//! The input of `ingest`: a file or stdin, unpacked, and which of the two forms it has.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::config::cli::{Format, InputFormat};
use crate::domain::text::Clean;
use crate::headless::failure::Failure;
use crate::headless::sink::by_name;

const BUFFER: usize = 256 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Some programs begin a text with this mark.
const BOM: &[u8] = "\u{feff}".as_bytes();

pub struct Input {
    /// For messages, in quotes and safe.
    pub name: String,
    pub format: InputFormat,
    pub reader: Box<dyn BufRead>,
}

/// Opens the input. Packing is told from the first bytes; the form from the option, else the file's name, else the
/// first character.
pub fn open(path: &Path, format: Option<InputFormat>) -> Result<Input, Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { format!("'{}'", Clean::line(&path.to_string_lossy())) };
    let failed = |e: io::Error| Failure::Failed(format!("cannot read {name}: {e}"));
    let raw: Box<dyn Read> = if stdin { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(failed)?) };
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
                "{name} is a JSON array; give one object a line (export it as .ndjson, or use 'jq -c .[]')"
            ))
        })?,
    };
    Ok(Input { name, format, reader })
}

fn unpack(raw: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let mut reader = BufReader::with_capacity(BUFFER, raw);
    let (mut magic, mut got) = ([0; 4], 0);
    // A pipe may give its first bytes one by one.
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

/// By the first character that is not white; `None` for a JSON array. An empty input is either.
fn guess(reader: &mut dyn BufRead) -> io::Result<Option<InputFormat>> {
    let first = reader.fill_buf()?.iter().find(|b| !b.is_ascii_whitespace());
    Ok(match first {
        Some(b'[') => None,
        Some(b'{') | None => Some(InputFormat::Ndjson),
        Some(_) => Some(InputFormat::Csv),
    })
}
