//! Splits the input of `ingest` into records with their line numbers: a line of NDJSON, the lines of one pretty-printed
//! JSON object, or the lines that the quotes of a CSV record span.
//!
//! Memory is bounded: a record longer than [`LONGEST`] goes to the rejects as it is read. After a quote that is never
//! closed nothing more is read as rows: the text of an error message must not become rows.

use std::io::{self, BufRead, Write};

use super::csv::Dialect;
use crate::headless::output::LONGEST;

/// How the input is split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One JSON object per line.
    Lines,
    /// JSON objects whose braces stand alone at the left edge, as `jq` and others write them.
    Pretty,
    Csv(Dialect),
}

/// One step through the input. Lines are numbered from 1; a record has the number of its first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// A record; it is in the buffer, without its line end.
    Row { line: u64 },
    /// An unreadable record; all of it went to the overflow. `why` completes "line 7 …".
    Bad { line: u64, why: String },
    /// The input has ended.
    End,
}

/// A reader of records.
pub struct Records<R> {
    reader: R,
    shape: Shape,
    /// The byte that ends a line: a line feed, or in old files a carriage return.
    end: u8,
    line: u64,
    /// The most bytes of a record.
    longest: usize,
    /// A line that is read already and begins the next record, with its number.
    ahead: Option<(u64, Vec<u8>)>,
}

/// The state of the CSV scanner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a field, where a quote opens it.
    FieldStart,
    /// In a field without quotes.
    Plain,
    /// In a quoted field, where delimiters and line ends are text.
    Quoted,
    /// After a quote in a quoted field: the field's end, or the first of a doubled quote.
    QuoteInQuoted,
}

/// What [`Records::read`] found at the end of a record.
struct Ended {
    /// The input ended with it.
    input: bool,
    /// It overflowed.
    long: bool,
    state: State,
}

impl<R: BufRead> Records<R> {
    /// The records of `reader`, whose lines end with `end`.
    pub fn new(reader: R, shape: Shape, end: u8) -> Self {
        Self { reader, shape, end, line: 1, longest: LONGEST, ahead: None }
    }

    /// Changes the dialect for the records that follow, once the header is known.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.shape = Shape::Csv(dialect);
    }

    /// Reads the next record that is not blank. Unreadable input is copied to `overflow`.
    pub fn next(&mut self, buffer: &mut Vec<u8>, overflow: &mut impl Write) -> io::Result<Record> {
        if self.shape == Shape::Pretty {
            return self.next_pretty(buffer, overflow);
        }
        loop {
            let line = self.line;
            buffer.clear();
            let ended = self.read(buffer, overflow)?;
            let why = if ended.long {
                Some(self.too_long())
            } else if ended.state == State::Quoted {
                Some("has a quote that is never closed".to_owned())
            } else {
                None
            };
            if let Some(why) = why {
                return bad(line, why, buffer, overflow);
            }
            if buffer.last() == Some(&b'\r') {
                buffer.pop();
            }
            if !buffer.iter().all(u8::is_ascii_whitespace) {
                return Ok(Record::Row { line });
            }
            if ended.input {
                return Ok(Record::End);
            }
        }
    }

    /// Reads lines from one that is `{` to one that begins with `}`. Another kind of line is a record by itself.
    fn next_pretty(&mut self, buffer: &mut Vec<u8>, overflow: &mut impl Write) -> io::Result<Record> {
        buffer.clear();
        let mut begun = None;
        loop {
            let (line, text, last) = match self.ahead.take() {
                Some((line, text)) => (line, text, false),
                None => {
                    let (line, mut text) = (self.line, Vec::new());
                    let ended = self.read(&mut text, overflow)?;
                    if ended.long || buffer.len() + text.len() > self.longest {
                        buffer.extend_from_slice(&text);
                        return bad(begun.unwrap_or(line), self.too_long(), buffer, overflow);
                    }
                    (line, text, ended.input)
                }
            };
            let trimmed = text.trim_ascii_end();
            let opens = trimmed == b"{";
            match begun {
                // The object before this one was cut off.
                Some(first) if opens => {
                    self.ahead = Some((line, text));
                    return bad(first, "has a JSON object that is never closed".to_owned(), buffer, overflow);
                }
                Some(first) => {
                    buffer.push(b'\n');
                    buffer.extend_from_slice(trimmed);
                    if text.first() == Some(&b'}') {
                        return Ok(Record::Row { line: first });
                    }
                    if last {
                        return bad(first, "has a JSON object that is never closed".to_owned(), buffer, overflow);
                    }
                }
                None if opens => {
                    buffer.extend_from_slice(trimmed);
                    begun = Some(line);
                }
                None if !trimmed.is_empty() => {
                    buffer.extend_from_slice(trimmed);
                    return Ok(Record::Row { line });
                }
                None if last => return Ok(Record::End),
                None => {}
            }
        }
    }

    /// Completes "line 7 …".
    fn too_long(&self) -> String {
        format!("is longer than {} MiB", self.longest >> 20)
    }

    /// Reads one record, or one line of a pretty object, into the buffer, without its line end.
    fn read(&mut self, buffer: &mut Vec<u8>, overflow: &mut impl Write) -> io::Result<Ended> {
        let (mut long, mut state) = (false, State::FieldStart);
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok(Ended { input: true, long, state });
            }
            let (taken, ended) = match self.shape {
                Shape::Csv(dialect) => scan_csv(chunk, &mut state, dialect, self.end),
                Shape::Lines | Shape::Pretty => match chunk.iter().position(|b| *b == self.end) {
                    Some(at) => (at, true),
                    None => (chunk.len(), false),
                },
            };
            let part = chunk.get(..taken).unwrap_or_default();
            self.line += part.iter().filter(|b| **b == self.end).count() as u64 + u64::from(ended);
            if long || buffer.len() + part.len() > self.longest {
                long = true;
                overflow.write_all(buffer)?;
                buffer.clear();
                overflow.write_all(part)?;
            } else {
                buffer.extend_from_slice(part);
            }
            self.reader.consume(taken + usize::from(ended));
            if ended {
                return Ok(Ended { input: false, long, state });
            }
        }
    }
}

/// An unreadable record, the rest of which is in the buffer.
fn bad(line: u64, why: String, buffer: &[u8], overflow: &mut impl Write) -> io::Result<Record> {
    overflow.write_all(buffer)?;
    overflow.write_all(b"\n")?;
    Ok(Record::Bad { line, why })
}

/// How many bytes of a chunk belong to the record, and whether a line end closes the record there.
fn scan_csv(chunk: &[u8], state: &mut State, dialect: Dialect, end: u8) -> (usize, bool) {
    for (at, byte) in chunk.iter().enumerate() {
        *state = match (*state, *byte) {
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) => State::Quoted,
            (_, byte) if byte == end => return (at, true),
            (_, byte) if byte == dialect.delimiter => State::FieldStart,
            (State::FieldStart | State::QuoteInQuoted, b'"') => State::Quoted,
            (State::FieldStart, b' ') if dialect.padded => State::FieldStart,
            _ => State::Plain,
        };
    }
    (chunk.len(), false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CSV: Shape = Shape::Csv(Dialect { delimiter: b',', padded: false });

    /// The records, `!` before the bad ones, and what overflowed.
    fn read(shape: Shape, text: &str) -> (Vec<(u64, String)>, String) {
        let mut all = None::<(Vec<(u64, String)>, String)>;
        // The size of the reader's chunks must not change the records.
        for capacity in [1, 3, 8192] {
            let mut records = Records::new(io::BufReader::with_capacity(capacity, text.as_bytes()), shape, b'\n');
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
        let (rows, overflow) = read(Shape::Lines, "a\r\n\n  \nb\"c\nd");
        assert_eq!(rows, [(1, "a".into()), (4, "b\"c".into()), (5, "d".into())]);
        assert_eq!(overflow, "");
    }

    #[test]
    fn quotes_span_lines_and_do_not_leak() {
        let (rows, overflow) = read(CSV, "a,\"x\ny,\"\"z\n\",b\r\nc,d\"e,f\n\n\"open\nfake,row\n");
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
    fn a_pretty_object_that_is_cut_off_costs_only_itself() {
        let (rows, overflow) =
            read(Shape::Pretty, "{\n  \"a\": 1\n}\r\n\n{\n  \"b\": [\n{\n  \"c\": {\n  }\n}\nx\n{\n \"d\"");
        assert_eq!(
            rows,
            [
                (1, "{\n  \"a\": 1\n}".into()),
                (5, "!has a JSON object that is never closed".into()),
                (7, "{\n  \"c\": {\n  }\n}".into()),
                (11, "x".into()),
                (12, "!has a JSON object that is never closed".into()),
            ]
        );
        assert_eq!(overflow, "{\n  \"b\": [\n{\n \"d\"\n");
    }

    #[test]
    fn a_record_that_is_too_long_is_passed_on_and_the_next_is_read() {
        const MIB: usize = 1 << 20;
        let long = "x".repeat(MIB + 10);
        for shape in [Shape::Lines, CSV] {
            let mut records = Records::new(io::Cursor::new(format!("a\n{long}\nb\n")), shape, b'\n');
            records.longest = MIB;
            let (mut buffer, mut overflow) = (Vec::new(), Vec::new());
            assert_eq!(records.next(&mut buffer, &mut overflow).unwrap(), Record::Row { line: 1 });
            let bad = Record::Bad { line: 2, why: "is longer than 1 MiB".to_owned() };
            assert_eq!(records.next(&mut buffer, &mut overflow).unwrap(), bad);
            assert_eq!(records.next(&mut buffer, &mut overflow).unwrap(), Record::Row { line: 3 });
            assert_eq!(buffer, b"b");
            assert_eq!(overflow.len(), long.len() + 1);
        }
    }
}
