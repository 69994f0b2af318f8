//! Decodes values of either database into one form.
//!
//! Called by both kinds of connection for every row. PostgreSQL's times are read as the counts that they are and must not
//! pass through a calendar library: `infinity` and the year 294276 must not fail a page.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Encode, Postgres, Type};
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
}

/// One row, its cells in the order of the select list. Reading a cell removes it; a second read returns `None`.
#[derive(Clone, PartialEq, Debug)]
pub struct Row(Vec<Cell>);

impl Row {
    /// The number of cells, including removed ones.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    fn take(&mut self, at: usize) -> Cell {
        self.0.get_mut(at).map_or(Cell::Null, |c| std::mem::replace(c, Cell::Null))
    }
    pub fn int(&mut self, at: usize) -> Option<i64> {
        match self.take(at) {
            Cell::Int(n) => Some(n),
            _ => None,
        }
    }
    pub fn string(&mut self, at: usize) -> Option<String> {
        match self.take(at) {
            Cell::Text(t) => Some(t.raw().to_owned()),
            _ => None,
        }
    }
    pub fn text(&mut self, at: usize) -> Option<Text> {
        match self.take(at) {
            Cell::Text(t) => Some(t),
            _ => None,
        }
    }
    pub fn time(&mut self, at: usize) -> Option<Instant> {
        match self.take(at) {
            Cell::Time(t) => Some(t),
            _ => None,
        }
    }
    pub fn id(&mut self, at: usize) -> Option<Id> {
        match self.take(at) {
            Cell::Uuid(u) => Some(Id::Uuid(u)),
            Cell::Int(n) => Some(Id::Int(n)),
            Cell::Text(t) => Some(Id::Text(t)),
            Cell::Null | Cell::Time(_) => None,
        }
    }
    pub fn uuid(&mut self, at: usize) -> Option<Uuid> {
        self.id(at)?.as_uuid()
    }

    /// Decodes a row of PostgreSQL; the shape has one entry for each column.
    pub fn from_pg(row: &PgRow, shape: &[CellType], texts: &mut Texts) -> Result<Self, sqlx::Error> {
        let cell = |(at, ty): (usize, &CellType)| match ty {
            CellType::Int | CellType::Id(IdType::Int) => get(row, at, Cell::Int),
            CellType::Text | CellType::Id(IdType::Text) => get(row, at, |t: &str| Cell::Text(texts.share(t))),
            CellType::Id(IdType::Uuid) => get(row, at, Cell::Uuid),
            CellType::Time(TimeType::Timestamp) => get(row, at, |t: PgTime| Cell::Time(t.0)),
            CellType::Time(TimeType::TimestampTz) => get(row, at, |t: PgTimeTz| Cell::Time(t.0)),
            CellType::Time(ty) => get(row, at, |n| Cell::Time(from_unix(n, *ty))),
        };
        shape.iter().enumerate().map(cell).collect::<Result<_, _>>().map(Self)
    }

    /// Decodes a row of SQLite; the shape has one entry for each column.
    pub fn from_sqlite(row: &SqliteRow, shape: &[CellType], texts: &mut Texts) -> Result<Self, sqlx::Error> {
        let cell = |(at, ty): (usize, &CellType)| match ty {
            CellType::Int | CellType::Id(IdType::Int) => get(row, at, Cell::Int),
            CellType::Text | CellType::Id(IdType::Text) => get(row, at, |t: &str| Cell::Text(texts.share(t))),
            CellType::Id(IdType::Uuid) => get(row, at, Cell::Uuid),
            CellType::Time(ty) => get(row, at, |n| Cell::Time(from_unix(n, *ty))),
        };
        shape.iter().enumerate().map(cell).collect::<Result<_, _>>().map(Self)
    }
}

/// The short texts of one result, each stored once: types and reasons repeat from row to row.
#[derive(Default)]
pub struct Texts(Vec<Text>);

impl Texts {
    /// The greatest number of texts that are compared with; others are copied.
    const CAPACITY: usize = 12;
    /// The longest text that is shared, in bytes.
    const SHORT: usize = 32;

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

fn get<'r, R, T>(row: &'r R, at: usize, cell: impl FnOnce(T) -> Cell) -> Result<Cell, sqlx::Error>
where
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    T: Decode<'r, R::Database> + Type<R::Database>,
{
    Ok(row.try_get::<Option<T>, _>(at)?.map_or(Cell::Null, cell))
}

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
