//! The bytes of an input as UTF-8 text: gzip and zstd decompressed, UTF-16 converted, the byte order mark removed.
//!
//! A stream that is cut off or followed by other bytes delivers what came before, and then an error.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::BUFFER;

/// The first bytes of a gzip member (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The first bytes of a zstd frame (RFC 8878).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The byte order mark in UTF-8, which some programs write first.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// The text of an input.
pub fn text(raw: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    let (magic, reader) = peek(raw)?;
    let bytes: Box<dyn Read> = if magic.starts_with(&GZIP) {
        Box::new(Gunzip(Some(GzDecoder::new(reader))))
    } else if magic.starts_with(&ZSTD) {
        Box::new(zstd::Decoder::with_buffer(reader)?)
    } else {
        return decoded(magic, reader);
    };
    let (first, reader) = peek(bytes)?;
    decoded(first, reader)
}

/// The text up to the end of the first line that is not blank, or its first 64 KiB, and a reader that begins with it. A
/// stream that is still being written is not waited for beyond that line.
pub fn first_line(mut reader: Box<dyn BufRead>) -> io::Result<(Vec<u8>, Box<dyn BufRead>)> {
    const MOST: usize = 64 << 10;
    let mut head = Vec::new();
    while head.len() < MOST {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let taken = chunk.len();
        head.extend_from_slice(chunk);
        reader.consume(taken);
        let begin = head.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(head.len());
        let end = head.iter().skip(begin).position(|b| matches!(b, b'\n' | b'\r')).map(|at| begin + at);
        // What follows decides whether a carriage return is the first half of a line end.
        if end.is_some_and(|at| head.get(at) == Some(&b'\n') || at + 1 < head.len()) {
            break;
        }
    }
    let whole = BufReader::with_capacity(BUFFER, io::Cursor::new(head.clone()).chain(reader));
    Ok((head, Box::new(whole)))
}

/// A reader of bytes that have been looked at.
type Reader = BufReader<Box<dyn Read>>;

/// The first four bytes, and a reader that begins with them.
fn peek(mut raw: Box<dyn Read>) -> io::Result<(Vec<u8>, Reader)> {
    let (mut first, mut got) = ([0; 4], 0);
    // A pipe can deliver its first bytes one by one.
    while let Some(rest) = first.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match raw.read(rest)? {
            0 => break,
            n => got += n,
        }
    }
    let first = first.get(..got).unwrap_or_default().to_vec();
    let whole: Box<dyn Read> = Box::new(io::Cursor::new(first.clone()).chain(raw));
    Ok((first, BufReader::with_capacity(BUFFER, whole)))
}

/// Converts UTF-16 and removes the mark; `first` are the bytes that the reader begins with.
fn decoded(first: Vec<u8>, mut reader: Reader) -> io::Result<Box<dyn BufRead>> {
    // Without a mark, an ASCII character beside a zero byte shows the encoding.
    let little = match *first.as_slice() {
        [0xff, 0xfe, ..] => Some(true),
        [0xfe, 0xff, ..] => Some(false),
        [a, 0, b, 0] if a != 0 && b != 0 => Some(true),
        [0, a, 0, b] if a != 0 && b != 0 => Some(false),
        _ => None,
    };
    if let Some(little) = little {
        let utf16 = Utf16 { reader, little, text: Vec::new(), at: 0, pending: None, begun: false };
        return Ok(Box::new(BufReader::with_capacity(BUFFER, utf16)));
    }
    if first.starts_with(BOM) {
        // The buffer may hold less than the mark.
        reader.read_exact(&mut [0; BOM.len()])?;
    }
    Ok(Box::new(reader))
}

/// The members of a gzip file, one after the other. Zeros behind them are padding.
struct Gunzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.0 else { return Ok(0) };
            match member.read(buf)? {
                0 if !buf.is_empty() => {}
                n => return Ok(n),
            }
            let Some(mut reader) = self.0.take().map(GzDecoder::into_inner) else { return Ok(0) };
            let next = loop {
                let rest = reader.fill_buf()?;
                match rest.iter().position(|b| *b != 0) {
                    Some(at) => break rest.get(at).copied().inspect(|_| reader.consume(at)),
                    None if rest.is_empty() => break None,
                    None => {
                        let zeros = rest.len();
                        reader.consume(zeros);
                    }
                }
            };
            match next {
                None => return Ok(0),
                Some(first) if first == GZIP[0] => self.0 = Some(GzDecoder::new(reader)),
                Some(_) => {
                    let why = "other bytes follow the end of the compressed data; what came before is stored";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
            }
        }
    }
}

/// UTF-16 as UTF-8. What is no character becomes `U+FFFD`.
struct Utf16<R> {
    reader: R,
    /// Little-endian units.
    little: bool,
    /// Text that is converted already, from `at` on.
    text: Vec<u8>,
    at: usize,
    /// The first half of a character.
    pending: Option<u16>,
    /// A mark is only one at the very beginning.
    begun: bool,
}

impl<R: BufRead> Utf16<R> {
    /// The next unit; a single byte at the end is none.
    fn unit(&mut self) -> io::Result<Option<u16>> {
        let mut pair = [0; 2];
        match self.reader.read_exact(&mut pair) {
            Ok(()) if self.little => Ok(Some(u16::from_le_bytes(pair))),
            Ok(()) => Ok(Some(u16::from_be_bytes(pair))),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            let mut units = Vec::from_iter(self.pending.take());
            while units.len() < 4096
                && let Some(unit) = self.unit()?
            {
                let is_mark = !std::mem::replace(&mut self.begun, true) && unit == 0xfeff;
                units.extend(Some(unit).filter(|_| !is_mark));
            }
            // The second half comes with the next units, unless this is the end.
            if units.len() >= 4096 && units.last().is_some_and(|u| (0xd800..0xdc00).contains(u)) {
                self.pending = units.pop();
            }
            let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            self.text = chars.collect::<String>().into_bytes();
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> (String, Option<String>) {
        let mut out = Vec::new();
        let error = text(Box::new(io::Cursor::new(bytes))).unwrap().read_to_end(&mut out).err();
        (String::from_utf8(out).unwrap(), error.map(|e| e.to_string()))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn utf_16_becomes_utf_8() {
        // Longer than the units that are converted at once, with characters of two units across the border.
        let sample = format!("a{}é", "😀".repeat(5000));
        let units = |mark: &str| format!("{mark}{sample}").encode_utf16().collect::<Vec<_>>();
        let little: Vec<u8> = units("\u{feff}").into_iter().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units("\u{feff}").into_iter().flat_map(u16::to_be_bytes).collect();
        let unmarked: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(little.clone()), (sample.clone(), None));
        assert_eq!(read(big), (sample.clone(), None));
        assert_eq!(read(unmarked), ("{\"a\":1}".to_owned(), None));
        assert_eq!(read(gzip(&little)), (sample, None));
        assert_eq!(read("\u{feff}x".into()), ("x".to_owned(), None));
    }

    #[test]
    fn what_comes_before_the_cut_is_read() {
        let whole = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(read(whole.clone()), ("one\ntwo\n".to_owned(), None));
        assert_eq!(read([whole.clone(), vec![0; 100_000]].concat()), ("one\ntwo\n".to_owned(), None));
        let (text, error) = read([whole.clone(), b"other".to_vec()].concat());
        assert!(text == "one\ntwo\n" && error.unwrap().contains("other bytes follow"));
        let (text, error) = read(whole[..whole.len() - 3].to_vec());
        assert!(text == "one\ntwo\n" && error.is_some());
    }
}
