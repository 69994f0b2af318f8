//! CSV of other programs: its delimiter, its header and its fields. `ingest` calls it; the cells of our exports are
//! decoded by [`output::csv`](crate::headless::output::csv).
//!
//! A wrong guess must be visible: every error of the header names the delimiter.

use crate::headless::commands::ingest::event::{Ignored, Values};
use crate::headless::output::csv::decode;
use crate::headless::output::event::KEYS;

/// The delimiters that are recognized; the first is the default.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How fields are separated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// The byte between two fields; ASCII.
    pub delimiter: u8,
    /// Blanks around a field belong to the layout and not to the value.
    pub padded: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', padded: false }
    }
}

impl Dialect {
    /// The dialect of a header record: the delimiter that gives the most known columns.
    pub fn of_header(header: &str) -> Self {
        let known = |delimiter: u8| {
            let dialect = Self { delimiter, padded: true };
            fields(header, dialect).map_or(0, |names| names.iter().filter(|n| column(n).is_some()).count())
        };
        // The last of the greatest is taken, so the default comes last.
        let delimiter = DELIMITERS.into_iter().rev().max_by_key(|d| known(*d)).unwrap_or(b',');
        Self { delimiter, padded: false }.with_padding_of(header)
    }

    /// The dialect of a line `sep=;`, which spreadsheets write and read before the header.
    pub fn named(line: &str) -> Option<Self> {
        let rest = line.get(..4).filter(|s| s.eq_ignore_ascii_case("sep=")).and_then(|_| line.get(4..))?;
        match rest.as_bytes() {
            [delimiter] if !delimiter.is_ascii_alphanumeric() && *delimiter != b'"' => {
                Some(Self { delimiter: *delimiter, padded: false })
            }
            _ => None,
        }
    }

    /// Where the header has a blank behind a delimiter, the rows have too.
    pub fn with_padding_of(self, header: &str) -> Self {
        let delimiter = char::from(self.delimiter);
        let padded = header.split(delimiter).skip(1).any(|name| name.starts_with(' ') || name.ends_with(' '));
        Self { padded, ..self }
    }

    /// The delimiter for messages, in quotes.
    fn name(self) -> String {
        match self.delimiter {
            b'\t' => "a tab".to_owned(),
            other => format!("'{}'", char::from(other)),
        }
    }
}

/// The columns of a CSV input: for each, the field it holds, as an index into [`KEYS`].
pub struct Header {
    /// `None`: a column that no field has, which is ignored.
    pub columns: Vec<Option<usize>>,
    dialect: Dialect,
}

/// The field that a column holds. Case, blanks and hyphens in its name do not matter.
fn column(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    KEYS.iter().position(|key| *key == name)
}

impl Header {
    /// Reads the header record. An error completes "the header …".
    pub fn read(record: &[u8], dialect: Dialect, ignored: &mut Ignored) -> Result<Self, String> {
        let text = std::str::from_utf8(record).map_err(|_| "is not UTF-8")?;
        let mut columns = Vec::new();
        for name in fields(text, dialect)? {
            let column = column(&name);
            if column.is_none() {
                ignored.note(&name);
            }
            if column.is_some() && columns.contains(&column) {
                return Err(format!("names '{}' twice", name.trim().to_ascii_lowercase()));
            }
            columns.push(column);
        }
        let has = |key: &str| columns.contains(&column(key));
        for (there, name) in [
            (has("event_type"), "event_type"),
            (has("created_at"), "created_at"),
            (has("device_id") || has("device"), "device_id' or 'device"),
        ] {
            if !there {
                return Err(format!(
                    "lacks the column '{name}'; it was split at {}, another delimiter is named by a first line such as \
                     'sep=;'; the columns are {}",
                    dialect.name(),
                    KEYS.join(", ")
                ));
            }
        }
        Ok(Self { columns, dialect })
    }

    /// The values of a record. An error completes "line 7 …".
    pub fn values(&self, record: &str) -> Result<Values, String> {
        let cells = fields(record, self.dialect)?;
        if cells.len() != self.columns.len() {
            return Err(format!("has {} fields where the header has {}", cells.len(), self.columns.len()));
        }
        let mut values = Values::default();
        for (column, cell) in self.columns.iter().zip(&cells) {
            if let Some(slot) = column.and_then(|at| values.get_mut(at)) {
                *slot = decode(cell);
            }
        }
        Ok(values)
    }

    /// Whether the records have this field.
    pub fn names(&self, key: &str) -> bool {
        self.columns.contains(&column(key))
    }
}

/// The fields of a CSV record, without their quotes. An error completes "line 7 …".
pub fn fields(record: &str, dialect: Dialect) -> Result<Vec<String>, String> {
    let delimiter = char::from(dialect.delimiter);
    let unpadded = |text| if dialect.padded { str::trim_start_matches(text, ' ') } else { text };
    let mut out = Vec::new();
    let mut rest = unpadded(record);
    loop {
        let after = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (field, after) = quoted_field(quoted)?;
                out.push(field);
                unpadded(after)
            }
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                out.push(if dialect.padded { field.trim_end_matches(' ') } else { field }.to_owned());
                after
            }
        };
        match after.strip_prefix(delimiter) {
            Some(more) => rest = unpadded(more),
            None if after.is_empty() => return Ok(out),
            None => return Err("has text after a closing quote".to_owned()),
        }
    }
}

/// The text up to the closing quote, and what follows it.
fn quoted_field(text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    let mut tail = text;
    loop {
        let (part, more) = tail.split_once('"').ok_or("has a quote that is never closed")?;
        field.push_str(part);
        match more.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                tail = more;
            }
            None => return Ok((field, more)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_of_a_record() {
        let comma = Dialect::default();
        let padded = Dialect { padded: true, ..comma };
        for (dialect, record, expected) in [
            (comma, "a,b", Ok(vec!["a", "b"])),
            (comma, "", Ok(vec![""])),
            (comma, ",\"\",", Ok(vec!["", "", ""])),
            (comma, "\"a,\"\"b\"\"\",c\"d", Ok(vec!["a,\"b\"", "c\"d"])),
            (comma, "\"a\"b", Err("has text after a closing quote")),
            (comma, "\"a", Err("has a quote that is never closed")),
            (comma, " a, b", Ok(vec![" a", " b"])),
            (padded, " a , \"b, c\" , d ", Ok(vec!["a", "b, c", "d"])),
            (Dialect { delimiter: b';', ..comma }, "a,b;c", Ok(vec!["a,b", "c"])),
        ] {
            let expected = expected.map(|v| v.into_iter().map(str::to_owned).collect()).map_err(str::to_owned);
            assert_eq!(fields(record, dialect), expected, "{record}");
        }
    }

    #[test]
    fn the_header_decides_the_dialect() {
        for (header, delimiter, padded) in [
            ("device,event_type,created_at", b',', false),
            ("device; event_type; created_at", b';', true),
            ("Device\tEvent Type\tCREATED_AT", b'\t', false),
            ("\"device\"|\"event-type\"|\"created_at\"", b'|', false),
            ("no column;is known,here", b',', false),
        ] {
            assert_eq!(Dialect::of_header(header), Dialect { delimiter, padded }, "{header}");
        }
        assert_eq!(Dialect::named("sep=;").map(|d| d.delimiter), Some(b';'));
        assert_eq!(Dialect::named("SEP=\t").map(|d| d.delimiter), Some(b'\t'));
        assert_eq!(Dialect::named("sep=").or(Dialect::named("separator")), None);
    }

    #[test]
    fn a_header_must_name_what_is_needed() {
        let read = |text: &str| {
            Header::read(text.as_bytes(), Dialect::of_header(text), &mut Ignored::default()).map(|h| h.columns.len())
        };
        assert_eq!(read("device,event_type,created_at,extra"), Ok(4));
        for (text, why) in [
            ("device,event_type", "lacks the column 'created_at'; it was split at ','"),
            ("event_type;created_at", "lacks the column 'device_id' or 'device'; it was split at ';'"),
            ("device:event_type", "lacks the column 'event_type'; it was split at ','"),
            ("device,Device,event_type,created_at", "names 'device' twice"),
        ] {
            let got = read(text).unwrap_err();
            assert!(got.starts_with(why), "{text}: {got}");
        }
    }

    proptest! {
        /// Another program's writer and our reader agree.
        #[test]
        fn any_fields_of_another_writer_are_read(
            cells in prop::collection::vec("[a-z,;\"\r\n \t]{0,8}", 1..5), delimiter in prop::sample::select(&DELIMITERS[..])
        ) {
            let mut writer = ::csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            writer.write_record(&cells).unwrap();
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let record = text.strip_suffix('\n').unwrap();
            prop_assert_eq!(fields(record, Dialect { delimiter, padded: false }), Ok(cells));
        }
    }
}
