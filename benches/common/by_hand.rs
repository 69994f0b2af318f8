//! The queries as one statement each, as a person would write them for this table: what the store's answers are
//! timed against, and checked by.

use renewscope::domain::instant::Instant;
use renewscope::domain::page::Cursor;
use renewscope::protocol::query::Field;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

/// A connection of the driver, past the store.
pub enum Hand {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// A condition, and the field that it restricts where a pane lists that field.
type Condition = (Option<Field>, String);

/// One filter in SQL.
pub struct ByHand {
    conditions: Vec<Condition>,
    postgres: bool,
}

impl Hand {
    pub async fn open(url: &str) -> Self {
        if url.starts_with("postgres") {
            return Self::Postgres(PgConnection::connect(url).await.unwrap());
        }
        Self::Sqlite(SqliteConnection::connect(&format!("{url}?mode=ro")).await.unwrap())
    }

    /// The number of rows, or the sum of the named column of integers.
    pub async fn run(&mut self, sql: &str, sum: Option<&str>) -> u64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let n = match self {
            Self::Postgres(conn) => {
                let rows = sqlx::query(sql).persistent(false).fetch_all(conn).await.unwrap();
                sum.map_or(rows.len() as i64, |c| rows.iter().map(|r| r.get::<i64, _>(c)).sum())
            }
            Self::Sqlite(conn) => {
                let rows = sqlx::query(sql).persistent(false).fetch_all(conn).await.unwrap();
                sum.map_or(rows.len() as i64, |c| rows.iter().map(|r| r.get::<i64, _>(c)).sum())
            }
        };
        n as u64
    }

    /// The row that lies so many rows deep in the result, or in its middle where it has fewer.
    pub async fn cursor(&mut self, hand: &ByHand, depth: u64) -> Option<Cursor> {
        let matching = hand.from(None);
        let micros = if hand.postgres { "(extract(epoch FROM created_at) * 1000000)::int8" } else { "created_at" };
        let n = self.run(&format!("SELECT count(*) AS n {matching}"), Some("n")).await;
        let depth = depth.min(n / 2);
        let sql = AssertSqlSafe(format!(
            "SELECT id, {micros} {matching} ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET {depth}"
        ));
        let row: Option<(uuid::Uuid, i64)> = match self {
            Self::Postgres(conn) => sqlx::query_as(sql).fetch_optional(conn).await.unwrap(),
            Self::Sqlite(conn) => sqlx::query_as(sql).fetch_optional(conn).await.unwrap(),
        };
        let (id, at) = row?;
        Some(Cursor { at: Instant::from_unix_micros(at), id: renewscope::domain::event::Id::Uuid(id) })
    }
}

impl ByHand {
    pub fn new(postgres: bool, terms: &[Term<'_>]) -> Self {
        Self { conditions: terms.iter().map(|t| t.condition(postgres)).collect(), postgres }
    }

    /// `FROM … WHERE …`, without the conditions on a field.
    fn from(&self, without: Option<Field>) -> String {
        let kept = self.conditions.iter().filter(|(field, _)| field.is_none() || *field != without);
        let tests: Vec<_> = kept.map(|(_, test)| test.as_str()).collect();
        let and = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
        format!("FROM certificate_renewal_events{and}")
    }

    pub fn page(&self, after: Option<&Cursor>, limit: u32) -> String {
        let mut from = self.from(None);
        if let Some(cursor) = after {
            let word = if from.contains(" WHERE ") { "AND" } else { "WHERE" };
            let id = cursor.id.as_uuid().unwrap();
            let id = if self.postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) };
            from.push_str(&format!(" {word} (created_at, id) < ({}, {id})", time(self.postgres, cursor.at)));
        }
        let head = if self.postgres { "left(e.error_message, 400)" } else { "substr(e.error_message, 1, 400)" };
        format!(
            "SELECT e.id, e.device_id, e.org_id, e.event_type, e.reason, e.old_cert_expiration, \
             e.new_cert_expiration, {head}, e.created_at, d.name, o.name FROM (SELECT * {from} \
             ORDER BY created_at DESC, id DESC LIMIT {limit}) e LEFT JOIN devices d ON d.id = e.device_id \
             LEFT JOIN organizations o ON o.id = e.org_id ORDER BY e.created_at DESC, e.id DESC"
        )
    }

    /// The number stands in `n`, as in all that follow.
    pub fn count(&self, ceiling: u64) -> String {
        format!("SELECT count(*) AS n FROM (SELECT 1 {} LIMIT {ceiling}) x", self.from(None))
    }

    pub fn facets(&self, field: Field, ceiling: u64, limit: u32) -> String {
        let column = match field {
            Field::Org => "org_id",
            Field::Device => "device_id",
            Field::Kind => "event_type",
            Field::Reason => "reason",
            // SQL masks nothing: the messages as they are.
            Field::Error => "error_message",
        };
        format!(
            "SELECT {column}, count(*) AS n FROM (SELECT {column} {} ORDER BY created_at DESC, id DESC \
             LIMIT {ceiling}) x GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {limit}",
            self.from(Some(field))
        )
    }

    pub fn histogram(&self, from: Instant, width: i64, buckets: u32) -> String {
        let until = from.plus(renewscope::domain::instant::Span(width * i64::from(buckets)));
        let (first, end) = (time(self.postgres, from), time(self.postgres, until));
        let matching = self.from(None);
        let word = if matching.contains(" WHERE ") { "AND" } else { "WHERE" };
        let bucket = if self.postgres {
            format!("floor(extract(epoch FROM created_at - {first}) * 1000000 / {width})::int8")
        } else {
            format!("(created_at - {first}) / {width}")
        };
        format!(
            "SELECT {bucket}, event_type, count(*) AS n {matching} {word} created_at >= {first} \
             AND created_at < {end} GROUP BY 1, 2"
        )
    }
}

/// A term of a filter, to be written in SQL.
pub enum Term<'a> {
    Kinds { negated: bool, any: [&'a str; 2] },
    Orgs(&'a [&'a str]),
    Device(&'a str),
    DevicesFrom(&'a str),
    Since(Instant),
    Expires(Instant, Instant),
    Text(&'a str),
}

impl Term<'_> {
    fn condition(&self, postgres: bool) -> Condition {
        let like = if postgres { "ILIKE" } else { "LIKE" };
        match self {
            Self::Kinds { negated, any: [a, b] } => {
                let not = if *negated { "NOT " } else { "" };
                (Some(Field::Kind), format!("event_type {not}IN ('{a}', '{b}')"))
            }
            Self::Orgs([name]) => {
                (Some(Field::Org), format!("org_id = (SELECT id FROM organizations WHERE name = '{name}')"))
            }
            Self::Orgs(names) => {
                let names = names.join("', '");
                (Some(Field::Org), format!("org_id IN (SELECT id FROM organizations WHERE name IN ('{names}'))"))
            }
            Self::Device(name) => {
                (Some(Field::Device), format!("device_id = (SELECT id FROM devices WHERE name = '{name}')"))
            }
            Self::DevicesFrom(start) => {
                let test = if postgres { format!("LIKE '{start}%'") } else { format!("GLOB '{start}*'") };
                (Some(Field::Device), format!("device_id IN (SELECT id FROM devices WHERE name {test})"))
            }
            Self::Since(t) => (None, format!("created_at >= {}", time(postgres, *t))),
            Self::Expires(from, until) => {
                let expiry = "COALESCE(new_cert_expiration, old_cert_expiration)";
                let (from, until) = (time(postgres, *from), time(postgres, *until));
                (None, format!("{expiry} >= {from} AND {expiry} < {until}"))
            }
            Self::Text(part) => (None, format!("(error_message {like} '%{part}%' OR reason {like} '%{part}%')")),
        }
    }
}

fn time(postgres: bool, at: Instant) -> String {
    if postgres {
        return format!("TIMESTAMP '{}'", at.rfc3339().trim_end_matches('Z'));
    }
    at.unix_micros().unwrap().to_string()
}
