//! Reads a record of `ingest` as an event: which fields it takes, and why a record is invalid.
//!
//! Every error completes a message that begins with "line 7" and says what is valid. Nothing here reads files or prints,
//! except [`Ignored::tell`].

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::event::{NewEvent, Party};
use crate::domain::instant::Instant;
use crate::domain::text::without_nul;
use crate::domain::when::pasted;
use crate::headless::commands::ingest::csv::Header;
use crate::headless::commands::ingest::quoted;
use crate::headless::output::event::KEYS;
use crate::headless::tell;
use crate::runtime::clock;

/// Unknown field names; printed once, at the end.
#[derive(Default)]
pub struct Ignored(BTreeSet<String>);

impl Ignored {
    /// The most names that are collected; an input with more has data as names.
    const MOST: usize = 20;

    /// Adds a name.
    pub fn note(&mut self, key: &str) {
        if self.0.len() < Self::MOST && !self.0.contains(key) {
            self.0.insert(key.to_owned());
        }
    }
    /// Prints the names on stderr, if there are any.
    pub fn tell(&self) {
        if !self.0.is_empty() {
            let keys: Vec<_> = self.0.iter().map(|key| quoted(key)).collect();
            tell(&format!("unknown fields were ignored: {}", keys.join(", ")));
        }
    }
}

/// The values of a record in the order of [`KEYS`]; `None` for a missing one.
pub type Values = [Option<String>; KEYS.len()];

/// Reads a CSV record.
pub fn from_csv(header: &Header, record: &[u8]) -> Result<NewEvent, String> {
    event(header.values(utf8(record)?)?, header.names("device_id") && header.names("device"))
}

/// The separator of a JSON text sequence (RFC 7464).
const RECORD_SEPARATOR: char = '\u{1e}';

/// Reads the JSON objects of a record: one, or several that follow each other. Each is an event or an error.
pub fn from_json(record: &[u8], ignored: &mut Ignored) -> Vec<Result<NewEvent, String>> {
    let text = match utf8(record) {
        Ok(text) => text.trim_start_matches(RECORD_SEPARATOR),
        Err(why) => return vec![Err(why)],
    };
    let mut events = Vec::new();
    for object in serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>() {
        match object {
            Ok(object) => events.push(from_object(object, ignored)),
            Err(e) => events.push(Err(format!("is not a JSON object: {}", place(&e)))),
        }
    }
    events
}

/// Reads one JSON object. Unknown fields are noted.
fn from_object(object: Map<String, Value>, ignored: &mut Ignored) -> Result<NewEvent, String> {
    let mut values = Values::default();
    let says_none = |key: &str| object.get(key).is_some_and(Value::is_null);
    let no_device = says_none("device_id") && says_none("device");
    for (key, value) in object {
        let Some(slot) = KEYS.iter().position(|k| *k == key).and_then(|at| values.get_mut(at)) else {
            ignored.note(&key);
            continue;
        };
        *slot = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            // Epochs are numbers.
            Value::Number(number) if TIMES.contains(&key.as_str()) => Some(number.to_string()),
            // Problem documents of ACME (RFC 7807) and error objects of others.
            value if key == "error_message" => Some(value.to_string()),
            _ => return Err(format!("has the field '{key}', which is neither text nor null")),
        };
    }
    event(values, no_device)
}

/// The fields that hold times.
const TIMES: [&str; 3] = ["created_at", "old_cert_expiration", "new_cert_expiration"];

/// A JSON error without its line number, which counts from the record and would mislead.
fn place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let why = text.split(" at line ").next().unwrap_or(&text);
    format!("{why} at column {}", error.column())
}

/// The record as text. An error completes "line 7 …".
fn utf8(record: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(record).map_err(|e| format!("is not UTF-8 at byte {}", e.valid_up_to() + 1))
}

/// Builds the event. `no_device`: the record says that it has none, as exports of sources without devices do.
fn event(values: Values, no_device: bool) -> Result<NewEvent, String> {
    let values = values.map(|v| v.map(|text| without_nul(&text).into_owned()));
    let [id, device_id, org_id, kind, reason, old, new, error, created_at, device, org] = values;
    let [id, device_id, org_id, kind, reason, device, org] =
        [id, device_id, org_id, kind, reason, device, org].map(trimmed);
    let mut device = party(device_id, device);
    if device.id.is_none() && device.name.as_deref().is_none_or(str::is_empty) {
        if !no_device {
            return Err("has neither 'device_id' nor 'device'".to_owned());
        }
        device.name = Some(NO_DEVICE.to_owned());
    }
    // An empty type is a value: tables of renewscope can hold it.
    let kind = kind.ok_or("has no 'event_type'")?;
    let created_at = time("created_at", created_at)?;
    Ok(NewEvent {
        id: filled(id).map(|id| event_uuid(&id, &kind, created_at.as_ref())),
        device,
        org: party(org_id, org),
        kind,
        reason,
        old_expiry: time("old_cert_expiration", old)?,
        new_expiry: time("new_cert_expiration", new)?,
        error,
        created_at: created_at.ok_or("has no 'created_at'")?,
    })
}

/// The device name for events without a device, because the schema requires one.
pub const NO_DEVICE: &str = "(none)";

/// A name or an id without the white space around it, which no screen shows.
fn trimmed(text: Option<String>) -> Option<String> {
    text.map(|t| if t.trim().len() == t.len() { t } else { t.trim().to_owned() })
}

/// The empty text counts as missing in fields where it has no meaning.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.is_empty())
}

/// The UUID of an event. The id of another source, a number or a text, becomes the UUIDv5 in the OID namespace over
/// `"event/<created_at>/<type>/<id>"`: the same row always gives the same id, and two tables that both count from 1 do
/// not collide.
fn event_uuid(id: &str, kind: &str, created_at: Option<&Instant>) -> Uuid {
    let at = created_at.map(|t| t.rfc3339()).unwrap_or_default();
    Uuid::parse_str(id)
        .unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("event/{at}/{kind}/{id}").as_bytes()))
}

/// The organization or device of a record. An id that is not a UUID becomes the name, if the record has none.
fn party(id: Option<String>, name: Option<String>) -> Party {
    match filled(id).map(|id| (Uuid::parse_str(&id), id)) {
        None => Party { id: None, name },
        Some((Ok(id), _)) => Party { id: Some(id), name },
        Some((Err(_), text)) => Party { id: None, name: Some(filled(name).unwrap_or(text)) },
    }
}

/// A time as its program wrote it. The empty text is none; an error completes "line 7 …".
fn time(key: &str, text: Option<String>) -> Result<Option<Instant>, String> {
    let Some(text) = filled(text) else { return Ok(None) };
    // Nearly all times are RFC 3339; only the others need the clock, for their messages.
    match Instant::parse_rfc3339(&text) {
        Some(at) => Ok(Some(at)),
        None => pasted::in_data(&text, clock::now())
            .map(Some)
            .map_err(|why| format!("has the {key} {}, which {why}", quoted(&text))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::headless::commands::ingest::csv::Dialect;
    use crate::headless::commands::ingest::records::{Record, Records, Shape};
    use crate::headless::output::event::new_event_cells;
    use crate::headless::output::{Column, Format, RowWriter};
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = String> {
        text().prop_map(|t| t.trim().to_owned())
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "(?s)['=+@ -]{0,2}[\\\\u{}\"',\r\n\t\u{1b}\u{202e}\u{ff1d}a-f0-9]{0,20}",
            Just(String::new()),
        ]
        .prop_map(|t| without_nul(&t).into_owned())
    }

    fn instant() -> impl Strategy<Value = Instant> {
        prop_oneof![
            (-211_813_488_000_000_000..i64::MAX).prop_map(Instant::from_pg_micros),
            Just(Instant::INFINITY),
            Just(Instant::NEG_INFINITY),
        ]
    }

    prop_compose! {
        fn events()(
            ids in any::<[Option<u128>; 3]>(),
            device in name(),
            org in proptest::option::of(name()),
            kind in name(),
            reason in proptest::option::of(name()),
            times in (proptest::option::of(instant()), proptest::option::of(instant()), instant()),
            error in proptest::option::of(text()),
        ) -> NewEvent {
            let [id, device_id, org_id] = ids.map(|id| id.map(Uuid::from_u128));
            NewEvent {
                id,
                // A row must name its device.
                device: Party { id: device_id, name: Some(format!("d{device}")) },
                org: Party { id: org_id, name: org },
                kind,
                reason,
                old_expiry: times.0,
                new_expiry: times.1,
                error,
                created_at: times.2,
            }
        }
    }

    fn written(format: Format, event: &NewEvent) -> Vec<u8> {
        let columns = KEYS.iter().map(|key| Column::new(key)).collect();
        let mut writer = RowWriter::new(Vec::new(), format, columns, false);
        writer.row(&new_event_cells(event)).unwrap();
        writer.finish().unwrap()
    }

    fn one(line: &[u8], ignored: &mut Ignored) -> Result<NewEvent, String> {
        let mut all = from_json(line, ignored);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn records(shape: Shape, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let mut records = Records::new(std::io::Cursor::new(bytes), shape, b'\n');
        let (mut out, mut buffer) = (Vec::new(), Vec::new());
        while let Record::Row { .. } = records.next(&mut buffer, &mut std::io::sink()).unwrap() {
            out.push(buffer.clone());
        }
        out
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(event in events()) {
            let mut ignored = Ignored::default();
            let lines = records(Shape::Lines, written(Format::Ndjson, &event));
            prop_assert_eq!(lines.len(), 1);
            prop_assert_eq!(one(&lines[0], &mut ignored), Ok(event.clone()));
            let dialect = Dialect::default();
            let lines = records(Shape::Csv(dialect), written(Format::Csv, &event));
            prop_assert_eq!(lines.len(), 2);
            prop_assert_eq!(Dialect::of_header(std::str::from_utf8(&lines[0]).unwrap()), dialect);
            let header = Header::read(&lines[0], dialect, &mut ignored).expect("our header");
            prop_assert_eq!(from_csv(&header, &lines[1]), Ok(event.clone()));
            prop_assert!(ignored.0.is_empty());
        }
    }

    #[test]
    fn a_line_that_is_no_event_says_why() {
        for (line, why) in [
            ("x", "is not a JSON object: expected value at column 1"),
            ("[]", "is not a JSON object: invalid type: sequence, expected a map at column 0"),
            ("{}", "has neither 'device_id' nor 'device'"),
            (r#"{"device":"a"}"#, "has no 'event_type'"),
            (r#"{"device":"a","event_type":"b"}"#, "has no 'created_at'"),
            (r#"{"device":7}"#, "has the field 'device', which is neither text nor null"),
            (
                r#"{"device":"a","event_type":"b","created_at":"\u001bnow"}"#,
                "has the created_at '␛now', which is not a time; write RFC 3339, as in 2026-11-20T14:00:00Z",
            ),
        ] {
            assert_eq!(one(line.as_bytes(), &mut Ignored::default()), Err(why.to_owned()), "{line}");
        }
        assert_eq!(utf8(b"ab\xff"), Err("is not UTF-8 at byte 3".to_owned()));
    }

    #[test]
    fn a_foreign_line_is_taken_as_it_is_meant() {
        let line = r#"{"device_id":"edge-1","event_type":"renewal_failed","created_at":"2026-11-20T15:00:00+01:00",
            "error_message":"a\u0000b","new_cert_expiration":"","host":"x"}"#;
        let mut ignored = Ignored::default();
        let event = one(line.as_bytes(), &mut ignored).unwrap();
        assert_eq!(event.device, Party { id: None, name: Some("edge-1".into()) });
        assert_eq!(event.created_at.rfc3339(), "2026-11-20T14:00:00Z");
        assert_eq!(event.error.as_deref(), Some("a␀b"));
        assert_eq!(event.new_expiry, None);
        assert_eq!(ignored.0.into_iter().collect::<Vec<_>>(), ["host"]);
    }

    #[test]
    fn another_sources_id_becomes_the_same_uuid_each_time() {
        let read = |id: &str, second: u32| {
            let line = format!(
                r#"{{"device":null,"device_id":null,"event_type":"b","created_at":"2026-11-20T14:00:{second:02}Z","id":"{id}"}}"#
            );
            one(line.as_bytes(), &mut Ignored::default()).unwrap()
        };
        let one = read("7", 0);
        assert_eq!(one, read("7", 0));
        assert_eq!(one.device.name.as_deref(), Some(NO_DEVICE));
        assert!(one.id != read("7", 1).id && one.id != read("8", 0).id);
        let uuid = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
        assert_eq!(read(uuid, 0).id, Uuid::parse_str(uuid).ok());
    }
}
