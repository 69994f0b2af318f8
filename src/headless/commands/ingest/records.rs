//! Splits the input of `ingest` into records with their line numbers: a line of NDJSON, or the lines that the quotes of
//! a CSV record span.
//!
//! Memory is bounded: a record longer than [`LIMIT`] goes to the rejects as it is read. After a quote that is never
//! closed nothing more is read as rows: the text of an error message must not become rows.

use std::io::{self, BufRead, Write};

use crate::config::cli::InputFormat;

/// The longest record that is read.
pub const LIMIT: usize = 16 << 20;

/// One step through the input. Lines are numbered from 1; a record has the number of its first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// A record; it is in the buffer, without its line end.
    Row {
        line: u64,
    },
    /// An unreadable record; all of it went to the overflow. `why` completes "line 7 …".
    Bad {
        line: u64,
        why: String,
    },
    End,
}

pub struct Records<R> {
    reader: R,
    format: InputFormat,
    line: u64,
}

/// The state of the CSV scanner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote in a quoted field: the field's end, or the first of a doubled quote.
    QuoteInQuoted,
}

impl<R: BufRead> Records<R> {
    pub fn new(reader: R, format: InputFormat) -> Self {
        Self { reader, format, line: 1 }
    }

    /// Reads the next record that is not blank. Unreadable input is copied to `overflow`.
    pub fn next(&mut self, buffer: &mut Vec<u8>, overflow: &mut impl Write) -> io::Result<Record> {
        loop {
            let line = self.line;
            buffer.clear();
            let (ended, long, state) = self.read(buffer, overflow)?;
            let why = if long {
                Some(format!("is longer than {} MiB", LIMIT >> 20))
            } else if state == State::Quoted {
                Some("has a quote that is never closed".to_owned())
            } else {
                None
            };
            if let Some(why) = why {
                overflow.write_all(buffer)?;
                overflow.write_all(b"\n")?;
                return Ok(Record::Bad { line, why });
            }
            if buffer.last() == Some(&b'\r') {
                buffer.pop();
            }
            if !buffer.iter().all(u8::is_ascii_whitespace) {
                return Ok(Record::Row { line });
            }
            if ended {
                return Ok(Record::End);
            }
        }
    }

    /// Reads one record into the buffer, without its line feed. Returns whether the input ended with it, whether it
    /// overflowed, and the scanner's state at its end.
    fn read(&mut self, buffer: &mut Vec<u8>, overflow: &mut impl Write) -> io::Result<(bool, bool, State)> {
        let (mut long, mut state) = (false, State::FieldStart);
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok((true, long, state));
            }
            let (taken, ended) = match self.format {
                InputFormat::Ndjson => match chunk.iter().position(|b| *b == b'\n') {
                    Some(at) => (at, true),
                    None => (chunk.len(), false),
                },
                InputFormat::Csv => scan_csv(chunk, &mut state),
            };
            let part = chunk.get(..taken).unwrap_or_default();
            self.line += part.iter().filter(|b| **b == b'\n').count() as u64 + u64::from(ended);
            if long || buffer.len() + part.len() > LIMIT {
                long = true;
                overflow.write_all(buffer)?;
                buffer.clear();
                overflow.write_all(part)?;
            } else {
                buffer.extend_from_slice(part);
            }
            self.reader.consume(taken + usize::from(ended));
            if ended {
                return Ok((false, long, state));
            }
        }
    }
}

/// How many bytes of a chunk belong to the record, and whether a line feed ends the record there.
fn scan_csv(chunk: &[u8], state: &mut State) -> (usize, bool) {
    for (at, byte) in chunk.iter().enumerate() {
        *state = match (*state, byte) {
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) => State::Quoted,
            (_, b'\n') => return (at, true),
            (_, b',') => State::FieldStart,
            (State::FieldStart | State::QuoteInQuoted, b'"') => State::Quoted,
            _ => State::Plain,
        };
    }
    (chunk.len(), false)
}

/// The fields of a CSV record, without their quotes. An error completes "line 7 …".
pub fn fields(record: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut rest = record;
    loop {
        let after = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut field = String::new();
                let mut tail = quoted;
                loop {
                    let (part, more) = tail.split_once('"').ok_or("has a quote that is never closed")?;
                    field.push_str(part);
                    match more.strip_prefix('"') {
                        Some(more) => {
                            field.push('"');
                            tail = more;
                        }
                        None => {
                            out.push(field);
                            break more;
                        }
                    }
                }
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                out.push(field.to_owned());
                after
            }
        };
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(out),
            None => return Err("has text after a closing quote".to_owned()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The records, `!` before the bad ones, and what overflowed.
    fn read(format: InputFormat, text: &str) -> (Vec<(u64, String)>, String) {
        let mut all = None::<(Vec<(u64, String)>, String)>;
        // The size of the reader's chunks must not change the records.
        for capacity in [1, 3, 8192] {
            let mut records = Records::new(io::BufReader::with_capacity(capacity, text.as_bytes()), format);
            let (mut out, mut buffer, mut overflow) = (Vec::new(), Vec::new(), Vec::new());
            loop {
                match records.next(&mut buffer, &mut overflow).unwrap() {
                    Record::End => break,
                    Record::Row { line } => out.push((line, String::from_utf8(buffer.clone()).unwrap())),
                    Record::Bad { line, why } => out.push((line, format!("!{why}"))),
                }
            }
            let got = (out, String::from_utf8(overflow).unwrap());
            assert_eq!(all.get_or_insert_with(|| got.clone()), &got, "{capacity}");
        }
        all.unwrap()
    }

    #[test]
    fn lines_and_their_numbers() {
        let (rows, overflow) = read(InputFormat::Ndjson, "a\r\n\n  \nb\"c\nd");
        assert_eq!(rows, [(1, "a".into()), (4, "b\"c".into()), (5, "d".into())]);
        assert_eq!(overflow, "");
    }

    #[test]
    fn quotes_span_lines_and_do_not_leak() {
        let (rows, overflow) = read(InputFormat::Csv, "a,\"x\ny,\"\"z\n\",b\r\nc,d\"e,f\n\n\"open\nfake,row\n");
        assert_eq!(
            rows,
            [
                (1, "a,\"x\ny,\"\"z\n\",b".into()),
                (4, "c,d\"e,f".into()),
                (6, "!has a quote that is never closed".into())
            ]
        );
        assert_eq!(overflow, "\"open\nfake,row\n\n");
    }

    #[test]
    fn a_record_that_is_too_long_is_passed_on_and_the_next_is_read() {
        let long = "x".repeat(LIMIT + 10);
        for format in [InputFormat::Ndjson, InputFormat::Csv] {
            let mut records = Records::new(io::Cursor::new(format!("a\n{long}\nb\n")), format);
            let (mut buffer, mut overflow) = (Vec::new(), Vec::new());
            assert_eq!(records.next(&mut buffer, &mut overflow).unwrap(), Record::Row { line: 1 });
            assert!(matches!(records.next(&mut buffer, &mut overflow).unwrap(), Record::Bad { line: 2, .. }));
            assert_eq!(records.next(&mut buffer, &mut overflow).unwrap(), Record::Row { line: 3 });
            assert_eq!(buffer, b"b");
            assert_eq!(overflow.len(), long.len() + 1);
        }
    }

    #[test]
    fn fields_of_a_record() {
        for (record, expected) in [
            ("a,b", Ok(vec!["a", "b"])),
            ("", Ok(vec![""])),
            (",\"\",", Ok(vec!["", "", ""])),
            ("\"a,\"\"b\"\"\",c\"d", Ok(vec!["a,\"b\"", "c\"d"])),
            ("\"a\"b", Err("has text after a closing quote")),
            ("\"a", Err("has a quote that is never closed")),
        ] {
            let expected = expected.map(|v| v.into_iter().map(str::to_owned).collect()).map_err(str::to_owned);
            assert_eq!(fields(record), expected, "{record}");
        }
    }
}
