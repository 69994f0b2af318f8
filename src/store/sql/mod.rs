//! SQL text and its values, composed once for both databases.
//!
//! Every composer and session uses it. A value never becomes text: [`Sql::bind`] writes a numbered placeholder. This
//! is the only module that marks composed text as safe for sqlx.

pub mod cell;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use uuid::Uuid;

use crate::domain::event::Id;
use crate::domain::instant::Instant;
use crate::store::source::columns::TimeType;

/// The database that the text is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Postgres,
    Sqlite,
}

/// A value for a placeholder. The list forms are PostgreSQL arrays.
#[derive(Clone, PartialEq, Debug)]
pub enum Bind {
    Int(i64),
    OptInt(Option<i64>),
    /// An instant in microseconds, for a column that counts a longer unit, and the whole number of units next to it.
    /// SQLite compares its columns with the fraction, since they may hold fractions too.
    Units {
        micros: i64,
        unit: i64,
        whole: i64,
    },
    Text(String),
    OptText(Option<String>),
    Uuid(Uuid),
    /// PostgreSQL `timestamp`.
    Time(Instant),
    /// PostgreSQL `timestamptz`.
    TimeTz(Instant),
    Uuids(Vec<Uuid>),
    Texts(Vec<Option<String>>),
    Times(Vec<Option<Instant>>),
}

/// A statement under construction.
#[derive(Clone, Debug)]
pub struct Sql {
    pub dialect: Dialect,
    text: String,
    binds: Vec<Bind>,
}

impl Sql {
    /// An empty statement.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::new(), binds: Vec::new() }
    }
    /// A statement without values.
    pub fn plain(dialect: Dialect, text: &str) -> Self {
        Self { dialect, text: text.to_owned(), binds: Vec::new() }
    }
    /// Appends text, which must hold no value.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }
    /// Registers a value and returns its placeholder, which may be repeated.
    pub fn placeholder(&mut self, value: Bind) -> String {
        self.binds.push(value);
        match self.dialect {
            Dialect::Postgres => format!("${}", self.binds.len()),
            Dialect::Sqlite => format!("?{}", self.binds.len()),
        }
    }
    /// Writes a placeholder for a value.
    pub fn bind(&mut self, value: Bind) -> &mut Self {
        let p = self.placeholder(value);
        self.push(&p)
    }
    /// Like [`bind`](Self::bind), for long lists of values that are each written once, in order. SQLite searches all
    /// earlier parameters for a numbered placeholder, and none for one without a number: with thousands of them that
    /// is a third of the statement's time.
    pub fn bind_next(&mut self, value: Bind) -> &mut Self {
        let p = self.placeholder(value);
        let p = if self.dialect == Dialect::Sqlite { "?" } else { &p };
        self.push(p)
    }
    /// The statement as it is sent.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The values in the order of their placeholders.
    pub fn binds(&self) -> &[Bind] {
        &self.binds
    }
    /// Puts text before the statement; for EXPLAIN.
    pub fn prefixed(mut self, text: &str) -> Self {
        self.text.insert_str(0, text);
        self
    }
}

impl Bind {
    /// An identifier as its column takes it.
    pub fn id(id: &Id) -> Self {
        match id {
            Id::Uuid(u) => Self::Uuid(*u),
            Id::Int(n) => Self::Int(*n),
            Id::Text(t) => Self::Text(t.raw().to_owned()),
        }
    }

    /// An instant as a lower bound, or as an excluded upper bound, of a column: rounded up if the column is coarser,
    /// so that `column >= bound` and `column < bound` hold for the instant itself.
    pub fn bound(at: Instant, ty: TimeType) -> Self {
        match ty {
            TimeType::Timestamp => Self::Time(at),
            TimeType::TimestampTz => Self::TimeTz(at),
            // A value out of range sorts after everything finite and before infinity.
            TimeType::UnixMicros => Self::Int(at.unix_micros().unwrap_or(i64::MAX - 1)),
            TimeType::UnixMillis | TimeType::UnixSeconds => {
                let unit = ty.micros();
                match at.unix_micros().unwrap_or(i64::MAX - 1) {
                    end @ (i64::MAX | i64::MIN) => Self::Int(end),
                    micros => Self::units(micros, unit, 1),
                }
            }
        }
    }

    /// An instant for `column <= value` and for equality with a stored value: rounded down.
    pub fn at(at: Instant, ty: TimeType) -> Self {
        match (ty, at.unix_micros()) {
            (TimeType::UnixSeconds | TimeType::UnixMillis, Some(micros)) if at.is_finite() => {
                Self::units(micros, ty.micros(), 0)
            }
            _ => Self::bound(at, ty),
        }
    }

    /// `up` is added to the whole number where a fraction is left.
    fn units(micros: i64, unit: i64, up: i64) -> Self {
        let whole = micros.div_euclid(unit);
        if micros.rem_euclid(unit) == 0 { Self::Int(whole) } else { Self::Units { micros, unit, whole: whole + up } }
    }
}

/// Passes composed text to sqlx. Everything in it is a literal of this crate, a placeholder, a
/// [`SqlIdent`](crate::store::source::columns::SqlIdent), or the checked select of a source profile, which its author
/// controls.
pub fn assert_safe(text: &str) -> SqlStr {
    AssertSqlSafe(text).into_sql_str()
}
