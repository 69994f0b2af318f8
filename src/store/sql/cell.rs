//! Decodes values of either database into one form.
//!
//! Called by both kinds of connection for every row. PostgreSQL's times are read as the counts that they are and must not
//! pass through a calendar library: `infinity` and the year 294276 must not fail a page.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Column as _, Decode, Encode, Postgres, Row as _, Sqlite, Type, TypeInfo as _, ValueRef as _};
use uuid::Uuid;

use crate::domain::event::Id;
use crate::domain::instant::Instant;
use crate::domain::text::Text;
use crate::store::source::columns::{IdType, TimeType};

/// The type of a result column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellType {
    Int,
    Text,
    Id(IdType),
    Time(TimeType),
}

/// One decoded value.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    Null,
    Int(i64),
    Text(Text),
    Uuid(Uuid),
    Time(Instant),
    /// A value of another type than the column's, or one that is no valid text: what it is, in words.
    Odd(Text),
}

/// One row, its cells in the order of the select list. Reading a cell removes it; a second read returns `None`.
#[derive(Clone, PartialEq, Debug)]
pub struct Row(Vec<Cell>);

impl Row {
    /// The number of cells, including removed ones.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Removes a cell; NULL beyond the last one.
    fn take(&mut self, at: usize) -> Cell {
        self.0.get_mut(at).map_or(Cell::Null, |c| std::mem::replace(c, Cell::Null))
    }
    /// An integer; `None` for NULL and for any other type.
    pub fn int(&mut self, at: usize) -> Option<i64> {
        match self.take(at) {
            Cell::Int(n) => Some(n),
            _ => None,
        }
    }
    /// As [`text`](Self::text), owned.
    pub fn string(&mut self, at: usize) -> Option<String> {
        self.text(at).map(|t| t.raw().to_owned())
    }
    /// A text, or the description of a value that is none; `None` for NULL.
    pub fn text(&mut self, at: usize) -> Option<Text> {
        match self.take(at) {
            Cell::Text(t) | Cell::Odd(t) => Some(t),
            Cell::Int(n) => Some(n.to_string().into()),
            Cell::Uuid(u) => Some(u.to_string().into()),
            Cell::Null | Cell::Time(_) => None,
        }
    }
    /// A time as the column stores it; `None` for NULL and for a value that is no time.
    pub fn time(&mut self, at: usize) -> Option<Instant> {
        match self.take(at) {
            Cell::Time(t) => Some(t),
            _ => None,
        }
    }
    /// An identifier that can be compared with its column; `None` for NULL and for a value of another type.
    pub fn id(&mut self, at: usize) -> Option<Id> {
        id_of(self.take(at))
    }
    /// An identifier, or the description of a value of another type; `None` for NULL.
    pub fn shown_id(&mut self, at: usize) -> Option<Id> {
        match self.take(at) {
            Cell::Odd(t) => Some(Id::Text(t)),
            cell => id_of(cell),
        }
    }
    /// The description of a value of another type than its column's, left in its place.
    pub fn odd(&self, at: usize) -> Option<Text> {
        match self.0.get(at) {
            Some(Cell::Odd(t)) => Some(t.clone()),
            _ => None,
        }
    }
    /// A UUID; `None` for NULL and for any other type.
    pub fn uuid(&mut self, at: usize) -> Option<Uuid> {
        self.id(at)?.as_uuid()
    }

    /// Decodes a row of PostgreSQL; the shape has one entry for each column. Fails where a column has another type than
    /// the shape says, which happens only after the table was altered.
    pub fn from_pg(row: &PgRow, shape: &[CellType], texts: &mut Texts) -> Result<Self, sqlx::Error> {
        let cell = |(at, ty): (usize, &CellType)| pg_cell(row, at, *ty, texts);
        shape.iter().enumerate().map(cell).collect::<Result<_, _>>().map(Self)
    }

    /// Decodes a row of SQLite; the shape has one entry for each column. No value fails, though any may have another type
    /// than its column.
    pub fn from_sqlite(row: &SqliteRow, shape: &[CellType], texts: &mut Texts) -> Result<Self, sqlx::Error> {
        let cell = |(at, ty): (usize, &CellType)| sqlite_cell(row.try_get_raw(at)?, *ty, texts);
        shape.iter().enumerate().map(cell).collect::<Result<_, _>>().map(Self)
    }
}

/// An id that the database compares with its column.
fn id_of(cell: Cell) -> Option<Id> {
    match cell {
        Cell::Uuid(u) => Some(Id::Uuid(u)),
        Cell::Int(n) => Some(Id::Int(n)),
        Cell::Text(t) => Some(Id::Text(t)),
        Cell::Null | Cell::Time(_) | Cell::Odd(_) => None,
    }
}

/// A value of SQLite by its own storage class.
fn sqlite_cell(value: SqliteValueRef<'_>, ty: CellType, texts: &mut Texts) -> Result<Cell, sqlx::Error> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let storage = value.type_info();
    let failed = |e: BoxDynError| sqlx::Error::Decode(e);
    Ok(match storage.name() {
        "INTEGER" => {
            let n = <i64 as Decode<Sqlite>>::decode(value).map_err(failed)?;
            match ty {
                CellType::Int | CellType::Id(IdType::Int) => Cell::Int(n),
                CellType::Time(ty) => Cell::Time(from_unix(n, ty)),
                CellType::Text => Cell::Text(n.to_string().into()),
                CellType::Id(_) => Cell::Odd(n.to_string().into()),
            }
        }
        "REAL" => {
            let n = <f64 as Decode<Sqlite>>::decode(value).map_err(failed)?;
            match ty {
                CellType::Text => Cell::Text(n.to_string().into()),
                CellType::Time(ty) => exact(n, ty).map_or_else(|| Cell::Odd(n.to_string().into()), Cell::Time),
                CellType::Int | CellType::Id(_) => Cell::Odd(n.to_string().into()),
            }
        }
        "TEXT" => {
            let bytes = <&[u8] as Decode<Sqlite>>::decode(value).map_err(failed)?;
            match (text(bytes), ty) {
                (Ok(t), CellType::Text | CellType::Id(IdType::Text)) => Cell::Text(texts.share(t)),
                (Err(marked), CellType::Text) => Cell::Text(marked),
                (Ok(t), _) => Cell::Odd(t.into()),
                (Err(marked), _) => Cell::Odd(marked),
            }
        }
        _ => {
            let bytes = <&[u8] as Decode<Sqlite>>::decode(value).map_err(failed)?;
            match (Uuid::from_slice(bytes), ty) {
                (Ok(id), CellType::Id(IdType::Uuid)) => Cell::Uuid(id),
                (_, CellType::Text) => Cell::Text(blob(bytes.len())),
                _ => Cell::Odd(blob(bytes.len())),
            }
        }
    })
}

/// A value of PostgreSQL. Text need not be valid UTF-8: a database of the encoding SQL_ASCII stores any bytes.
fn pg_cell(row: &PgRow, at: usize, ty: CellType, texts: &mut Texts) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let found = value.type_info();
    let decoded = match ty {
        CellType::Text | CellType::Id(IdType::Text) if <str as Type<Postgres>>::compatible(&found) => {
            value.as_bytes().map(|bytes| match (text(bytes), ty) {
                (Ok(t), _) => Cell::Text(texts.share(t)),
                (Err(marked), CellType::Text) => Cell::Text(marked),
                (Err(marked), _) => Cell::Odd(marked),
            })
        }
        CellType::Id(IdType::Uuid) if <Uuid as Type<Postgres>>::compatible(&found) => {
            <Uuid as Decode<Postgres>>::decode(value).map(Cell::Uuid)
        }
        CellType::Time(TimeType::Timestamp) if PgTime::compatible(&found) => {
            PgTime::decode(value).map(|t| Cell::Time(t.0))
        }
        CellType::Time(TimeType::TimestampTz) if PgTimeTz::compatible(&found) => {
            PgTimeTz::decode(value).map(|t| Cell::Time(t.0))
        }
        CellType::Int | CellType::Id(IdType::Int) | CellType::Time(_) if is_integer(&found) => {
            <i64 as Decode<Postgres>>::decode(value).map(|n| match ty {
                CellType::Time(unit) => Cell::Time(from_unix(n, unit)),
                _ => Cell::Int(n),
            })
        }
        _ => {
            let (name, ty) = (row.column(at).name(), found.name().to_lowercase());
            Err(format!("the column '{name}' has the type '{ty}' now; cast it in the select of a profile").into())
        }
    };
    decoded.map_err(sqlx::Error::Decode)
}

/// An integer of any width, which the driver's decoder of 64 bits reads.
fn is_integer(ty: &PgTypeInfo) -> bool {
    <i64 as Type<Postgres>>::compatible(ty)
        || <i32 as Type<Postgres>>::compatible(ty)
        || <i16 as Type<Postgres>>::compatible(ty)
}

/// The text of bytes; with each byte that is not valid UTF-8 marked as `⟨FF⟩` where there are such.
fn text(bytes: &[u8]) -> Result<&str, Text> {
    use std::fmt::Write as _;
    std::str::from_utf8(bytes).map_err(|_| {
        let mut out = String::with_capacity(bytes.len() + 16);
        for chunk in bytes.utf8_chunks() {
            out.push_str(chunk.valid());
            for byte in chunk.invalid() {
                // Writing to a String cannot fail.
                let _ = write!(out, "⟨{byte:02X}⟩");
            }
        }
        out.into()
    })
}

/// A BLOB in words: its bytes mean nothing to a reader.
fn blob(bytes: usize) -> Text {
    let unit = if bytes == 1 { "byte" } else { "bytes" };
    format!("⟨blob {bytes} {unit}⟩").into()
}

/// A time that is stored as a real number, where the microseconds of the instant lead back to the same number: only then
/// does a cursor at the instant name the row.
fn exact(n: f64, ty: TimeType) -> Option<Instant> {
    let at = Instant::from_unix_micros(whole(n * as_real(ty.micros()))?);
    let back = at.unix_micros().map(|micros| as_real(micros) / as_real(ty.micros()));
    (back == Some(n)).then_some(at)
}

/// The nearest integer; `None` beyond the integers that a real number represents exactly.
fn whole(n: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "the limit is below 64 bits")]
    (n.abs() <= LIMIT).then(|| n.round() as i64)
}

/// A number as SQLite stores a real one.
#[allow(clippy::cast_precision_loss, reason = "instants that lose precision do not lead back")]
pub const fn as_real(n: i64) -> f64 {
    n as f64
}

/// The short texts of one result, each stored once: types and reasons repeat from row to row.
#[derive(Default)]
pub struct Texts(Vec<Text>);

impl Texts {
    /// The greatest number of texts that are compared with; others are copied.
    const CAPACITY: usize = 12;
    /// The longest text that is shared, in bytes.
    const SHORT: usize = 32;

    /// The text, shared with an equal one of the same result.
    fn share(&mut self, text: &str) -> Text {
        if text.len() > Self::SHORT {
            return text.into();
        }
        if let Some(shared) = self.0.iter().find(|shared| shared.raw() == text) {
            return shared.clone();
        }
        let text = Text::from(text);
        if self.0.len() < Self::CAPACITY {
            self.0.push(text.clone());
        }
        text
    }
}

/// An instant from a count of units; beyond the range it is infinite.
fn from_unix(n: i64, ty: TimeType) -> Instant {
    Instant::from_unix_micros(n.saturating_mul(ty.micros()))
}

/// A PostgreSQL `timestamp`, read as UTC.
#[derive(Clone, Copy)]
pub struct PgTime(pub Instant);
/// A PostgreSQL `timestamptz`.
#[derive(Clone, Copy)]
pub struct PgTimeTz(pub Instant);

macro_rules! pg_time {
    ($name:ident, $like:ty) => {
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <$like as Type<Postgres>>::type_info()
            }
        }
        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                <$like as PgHasArrayType>::array_type_info()
            }
        }
        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <i64 as Encode<Postgres>>::encode(self.0.pg_micros(), buf)
            }
        }
        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                match value.format() {
                    PgValueFormat::Binary => {
                        Ok(Self(Instant::from_pg_micros(<i64 as Decode<Postgres>>::decode(value)?)))
                    }
                    PgValueFormat::Text => Err("the server sent a time as text instead of in binary form".into()),
                }
            }
        }
    };
}
pg_time!(PgTime, chrono::NaiveDateTime);
pg_time!(PgTimeTz, chrono::DateTime<chrono::Utc>);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_marked() {
        let marked = |bytes: &[u8]| text(bytes).map_or_else(|t| t.raw().to_owned(), str::to_owned);
        assert_eq!(marked(b"plain \xc3\xa9"), "plain é");
        assert_eq!(marked(b"a\xffb"), "a⟨FF⟩b");
        assert_eq!(marked(b"\xc3"), "⟨C3⟩");
        assert_eq!(marked(b"\xe9t\xe9"), "⟨E9⟩t⟨E9⟩");
        assert_eq!((blob(1).raw(), blob(3).raw()), ("⟨blob 1 byte⟩", "⟨blob 3 bytes⟩"));
    }

    #[test]
    fn a_real_time_is_one_if_it_leads_back() {
        let micros = |n, ty| exact(n, ty).map(|t| t.unix_micros().unwrap());
        assert_eq!(micros(1_795_176_000.5, TimeType::UnixSeconds), Some(1_795_176_000_500_000));
        assert_eq!(micros(1_795_176_000.123, TimeType::UnixSeconds), Some(1_795_176_000_123_000));
        assert_eq!(micros(-0.25, TimeType::UnixMillis), Some(-250));
        assert_eq!(micros(7.0, TimeType::UnixMicros), Some(7));
        for odd in [7.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, -1e300, 9.1e15] {
            assert_eq!(micros(odd, TimeType::UnixMicros), None, "{odd}");
        }
        assert_eq!(micros(1.000_000_1, TimeType::UnixSeconds), None);
    }
}
