//! Stores events in renewscope's own tables: resolves organizations and devices, derives ids, writes a batch in one
//! transaction, and stores each event once.
//!
//! Called by [`Store`](crate::store::Store) after it has checked that the tables are renewscope's own. A bad row must not
//! fail its batch.

mod directory;

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use directory::Directory;

use crate::domain::event::{DEFAULT_ORG, DEFAULT_ORG_NAME, Id, NewEvent};
use crate::domain::instant::Instant;
use crate::domain::text::without_nul;
use crate::protocol::SourceError;
use crate::store::connect::conn::Conn;
use crate::store::connect::error::Fault;
use crate::store::connect::session::Session;
use crate::store::source::columns::IdType;
use crate::store::sql::cell::{CellType, Row};
use crate::store::sql::{Bind, Dialect, Sql};

/// What became of one event that was to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowOutcome {
    /// The event is new.
    Stored,
    /// An event with this id exists.
    Duplicate,
    /// Not stored, and why. Other rows are not affected.
    Refused(String),
}

/// The type of a column with ids.
const UUID: CellType = CellType::Id(IdType::Uuid);
/// The type of a column with texts.
const TEXT: CellType = CellType::Text;

/// An event with all fields resolved.
struct Ready {
    /// The given id, else the one that the content derives.
    id: Uuid,
    /// The device's id, and its name if one is given.
    device: (Uuid, Option<String>),
    /// The organization's id, and its name if one is given.
    org: (Uuid, Option<String>),
    kind: String,
    reason: Option<String>,
    old_expiry: Option<Instant>,
    new_expiry: Option<Instant>,
    error: Option<String>,
    created_at: Instant,
}

/// Stores events; see [`Store::create_many`](crate::store::Store::create_many). `schema` is that of the tables, with
/// its dot; empty on SQLite. The outcomes have the order of the events. Fails if the database does; rows that it
/// refuses are outcomes.
pub async fn create_many(
    session: &mut Session,
    schema: &str,
    events: &[NewEvent],
) -> Result<Vec<RowOutcome>, SourceError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let indexed: Vec<(usize, &NewEvent)> = events.iter().enumerate().collect();
    let mut outcomes = vec![RowOutcome::Duplicate; events.len()];
    // A batch with a row that cannot be stored is halved until that row is alone; earlier rows go first.
    let mut batches = vec![indexed.as_slice()];
    while let Some(events) = batches.pop() {
        match (batch(session, schema, events, &mut outcomes).await, events) {
            (Ok(()), _) => {}
            (Err(Fault::Source(e)), _) => return Err(e),
            (Err(Fault::Row(why)), [(at, _)]) => set(&mut outcomes, *at, RowOutcome::Refused(why)),
            (Err(Fault::Row(_)), many) => {
                let (first, second) = many.split_at(many.len() / 2);
                batches.extend([second, first]);
            }
        }
    }
    Ok(outcomes)
}

/// Sets the outcome of the event at that index.
fn set(outcomes: &mut [RowOutcome], at: usize, outcome: RowOutcome) {
    if let Some(slot) = outcomes.get_mut(at) {
        *slot = outcome;
    }
}

/// Stores a batch in one transaction. The outcomes are valid only if it succeeds.
async fn batch(
    session: &mut Session,
    schema: &str,
    events: &[(usize, &NewEvent)],
    outcomes: &mut [RowOutcome],
) -> Result<(), Fault> {
    let conn = begin_on(session).await?;
    let stored = store(conn, schema, events, outcomes).await;
    let ended = end(conn, stored.is_ok()).await;
    session.set_busy(false);
    stored.and(ended)
}

/// Begins a transaction. Nothing was written before it, so an idle connection that died is replaced.
async fn begin_on(session: &mut Session) -> Result<&mut Conn, Fault> {
    session.set_busy(true);
    if let Err(fault) = begin(session.conn().map_err(Fault::Source)?).await {
        if !session.can_retry() {
            return Err(fault);
        }
        session.reconnect().await.map_err(Fault::Source)?;
        session.set_busy(true);
        begin(session.conn().map_err(Fault::Source)?).await?;
    }
    session.conn().map_err(Fault::Source)
}

async fn begin(conn: &mut Conn) -> Result<(), Fault> {
    match conn {
        Conn::Postgres(c) => c.begin_write().await,
        // A transaction that begins with a read fails instead of waiting for the write lock.
        Conn::Sqlite(c) => c.write(&Sql::plain(Dialect::Sqlite, "BEGIN IMMEDIATE"), &[]).await.map(drop),
    }
}

async fn end(conn: &mut Conn, commit: bool) -> Result<(), Fault> {
    match conn {
        Conn::Postgres(c) => c.end(commit).await,
        Conn::Sqlite(c) => {
            let text = if commit { "COMMIT" } else { "ROLLBACK" };
            c.write(&Sql::plain(Dialect::Sqlite, text), &[]).await.map(drop)
        }
    }
}

async fn write(conn: &mut Conn, sql: &Sql, shape: &[CellType]) -> Result<Vec<Row>, Fault> {
    match conn {
        Conn::Postgres(c) => c.write(sql, shape).await,
        Conn::Sqlite(c) => c.write(sql, shape).await,
    }
}

async fn store(
    conn: &mut Conn,
    schema: &str,
    events: &[(usize, &NewEvent)],
    outcomes: &mut [RowOutcome],
) -> Result<(), Fault> {
    let directory = Directory::look_up(conn, schema, events).await?;
    let mut ready: Vec<(usize, Ready)> = Vec::with_capacity(events.len());
    let mut seen = HashSet::new();
    for (at, event) in events {
        set(outcomes, *at, RowOutcome::Duplicate);
        match settle(event, &directory, conn.dialect()) {
            Err(why) => set(outcomes, *at, RowOutcome::Refused(why)),
            Ok(r) if seen.insert(r.id) => ready.push((*at, r)),
            Ok(_) => {}
        }
    }
    if ready.is_empty() {
        return Ok(());
    }
    write_parties(conn, schema, &ready).await?;
    let stored = match conn.dialect() {
        Dialect::Postgres => insert_arrays(conn, schema, &ready).await?,
        Dialect::Sqlite => insert_values(conn, &ready).await?,
    };
    for (at, r) in &ready {
        if stored.contains(&r.id) {
            set(outcomes, *at, RowOutcome::Stored);
        }
    }
    Ok(())
}

fn clean(text: &str) -> String {
    without_nul(text).into_owned()
}

/// Resolves the fields that an event leaves open. The error says why it cannot be stored.
fn settle(event: &NewEvent, directory: &Directory, dialect: Dialect) -> Result<Ready, String> {
    let (device_name, org_name) = (event.device.name.as_deref().map(clean), event.org.name.as_deref().map(clean));
    let org = match (event.org.id, &org_name) {
        (Some(id), _) => (id, org_name.clone()),
        (None, Some(name)) => (directory.org(name), org_name.clone()),
        (None, None) => (DEFAULT_ORG, Some(DEFAULT_ORG_NAME.to_owned())),
    };
    let device = match (event.device.id, &device_name) {
        (Some(id), _) => id,
        (None, Some(name)) => directory.device(org.0, name),
        (None, None) => return Err("the event names no device; give its id or its name".to_owned()),
    };
    if dialect == Dialect::Sqlite {
        let times = [
            ("created_at", Some(event.created_at)),
            ("old_cert_expiration", event.old_expiry),
            ("new_cert_expiration", event.new_expiry),
        ];
        for (field, time) in times {
            if time.is_some_and(|t| t.unix_micros().is_none()) {
                return Err(format!("{field} lies after the year 294246, which SQLite cannot hold"));
            }
        }
    }
    Ok(Ready {
        id: event_id(event),
        device: (device, device_name),
        org,
        kind: clean(&event.kind),
        reason: event.reason.as_deref().map(clean),
        old_expiry: event.old_expiry,
        new_expiry: event.new_expiry,
        error: event.error.as_deref().map(clean),
        created_at: event.created_at,
    })
}

/// The id of an event: its own, or a UUIDv5 in the OID namespace over all its fields as given, so that the same event
/// without an id is recognized when it is stored again.
pub fn event_id(event: &NewEvent) -> Uuid {
    if let Some(id) = event.id {
        return id;
    }
    let uuid = |id: Option<Uuid>| id.map(|u| u.to_string());
    let time = |t: Option<Instant>| t.map(Instant::rfc3339);
    let fields = [
        uuid(event.device.id),
        event.device.name.clone(),
        uuid(event.org.id),
        event.org.name.clone(),
        Some(event.kind.clone()),
        event.reason.clone(),
        time(event.old_expiry),
        time(event.new_expiry),
        event.error.clone(),
        time(Some(event.created_at)),
    ];
    // Each field carries its length, so that different events have different texts.
    let mut text = String::from("event");
    for field in fields {
        match field {
            None => text.push_str("/-"),
            Some(value) => {
                let value = without_nul(&value);
                text.push_str(&format!("/{}:{value}", value.len()));
            }
        }
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
}

/// Creates the missing organizations and devices, and names those without a name. In the order of ids, so that two
/// writers cannot deadlock.
async fn write_parties(conn: &mut Conn, schema: &str, ready: &[(usize, Ready)]) -> Result<(), Fault> {
    let mut orgs: BTreeMap<Uuid, Option<String>> = BTreeMap::new();
    let mut devices: BTreeMap<Uuid, (Uuid, Option<String>)> = BTreeMap::new();
    for (_, r) in ready {
        let name = orgs.entry(r.org.0).or_default();
        *name = name.take().or_else(|| r.org.1.clone());
        let (_, name) = devices.entry(r.device.0).or_insert_with(|| (r.org.0, None));
        *name = name.take().or_else(|| r.device.1.clone());
    }
    let named = |table: &str| {
        format!(
            " ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name \
             WHERE {table}.name IS NULL AND EXCLUDED.name IS NOT NULL"
        )
    };
    if conn.dialect() == Dialect::Postgres {
        let mut sql = Sql::new(Dialect::Postgres);
        sql.push(&format!("INSERT INTO {schema}organizations (id, name) SELECT * FROM unnest("));
        sql.bind(Bind::Uuids(orgs.keys().copied().collect())).push(", ");
        sql.bind(Bind::Texts(orgs.into_values().collect())).push(")").push(&named("organizations"));
        write(conn, &sql, &[]).await?;
        let mut sql = Sql::new(Dialect::Postgres);
        sql.push(&format!("INSERT INTO {schema}devices (id, org_id, name) SELECT * FROM unnest("));
        sql.bind(Bind::Uuids(devices.keys().copied().collect())).push(", ");
        sql.bind(Bind::Uuids(devices.values().map(|d| d.0).collect())).push(", ");
        sql.bind(Bind::Texts(devices.into_values().map(|d| d.1).collect())).push(")").push(&named("devices"));
        write(conn, &sql, &[]).await?;
        return Ok(());
    }
    let orgs: Vec<_> = orgs.into_iter().collect();
    for some in orgs.chunks(ROWS) {
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push("INSERT INTO organizations (id, name)");
        values(&mut sql, some, |sql, (id, name)| {
            sql.bind_next(Bind::Uuid(*id)).push(", ").bind_next(Bind::OptText(name.clone()));
        });
        sql.push(&named("organizations"));
        write(conn, &sql, &[]).await?;
    }
    let devices: Vec<_> = devices.into_iter().collect();
    for some in devices.chunks(ROWS) {
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push("INSERT INTO devices (id, org_id, name)");
        values(&mut sql, some, |sql, (id, (org, name))| {
            sql.bind_next(Bind::Uuid(*id))
                .push(", ")
                .bind_next(Bind::Uuid(*org))
                .push(", ")
                .bind_next(Bind::OptText(name.clone()));
        });
        sql.push(&named("devices"));
        write(conn, &sql, &[]).await?;
    }
    Ok(())
}

/// Rows of one SQLite statement: SQLite has no arrays, and each statement is a round trip to the connection's thread.
const ROWS: usize = 250;

/// Writes ` VALUES (…), (…)`.
fn values<T>(sql: &mut Sql, rows: &[T], mut row: impl FnMut(&mut Sql, &T)) {
    for (n, r) in rows.iter().enumerate() {
        sql.push(if n == 0 { " VALUES (" } else { ", (" });
        row(sql, r);
        sql.push(")");
    }
}

const COLUMNS: &str = "certificate_renewal_events \
    (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at)";

/// Inserts the events and returns the ids that were new.
async fn insert_arrays(conn: &mut Conn, schema: &str, ready: &[(usize, Ready)]) -> Result<HashSet<Uuid>, Fault> {
    let uuids = |f: fn(&Ready) -> Uuid| Bind::Uuids(ready.iter().map(|(_, r)| f(r)).collect());
    let texts = |f: fn(&Ready) -> Option<String>| Bind::Texts(ready.iter().map(|(_, r)| f(r)).collect());
    let times = |f: fn(&Ready) -> Option<Instant>| Bind::Times(ready.iter().map(|(_, r)| f(r)).collect());
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(&format!("INSERT INTO {schema}{COLUMNS} SELECT * FROM unnest("));
    sql.bind(uuids(|r| r.id)).push(", ").bind(uuids(|r| r.device.0)).push(", ").bind(uuids(|r| r.org.0)).push(", ");
    sql.bind(texts(|r| Some(r.kind.clone()))).push(", ").bind(texts(|r| r.reason.clone())).push(", ");
    sql.bind(times(|r| r.old_expiry)).push(", ").bind(times(|r| r.new_expiry)).push(", ");
    sql.bind(texts(|r| r.error.clone())).push(", ").bind(times(|r| Some(r.created_at)));
    sql.push(") ON CONFLICT (id) DO NOTHING RETURNING id");
    let rows = write(conn, &sql, &[UUID]).await?;
    Ok(rows.into_iter().filter_map(|mut r| r.uuid(0)).collect())
}

/// Inserts the events and returns the ids that were new.
async fn insert_values(conn: &mut Conn, ready: &[(usize, Ready)]) -> Result<HashSet<Uuid>, Fault> {
    let micros = |t: Option<Instant>| Bind::OptInt(t.and_then(Instant::unix_micros));
    let mut stored: HashSet<Uuid> = ready.iter().map(|(_, r)| r.id).collect();
    for some in ready.chunks(ROWS) {
        // The transaction holds the write lock, so the existing ids cannot change. They are few, and each row that a
        // statement returns costs a round trip between two threads: so a SELECT finds them, not RETURNING.
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push("SELECT id FROM certificate_renewal_events WHERE id IN (");
        for (n, (_, r)) in some.iter().enumerate() {
            sql.push(if n == 0 { "" } else { ", " }).bind_next(Bind::Uuid(r.id));
        }
        sql.push(")");
        for mut row in write(conn, &sql, &[UUID]).await? {
            row.uuid(0).map(|id| stored.remove(&id));
        }
        let new: Vec<&Ready> = some.iter().map(|(_, r)| r).filter(|r| stored.contains(&r.id)).collect();
        if new.is_empty() {
            continue;
        }
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push("INSERT INTO ").push(COLUMNS);
        values(&mut sql, &new, |sql, r| {
            let head = [Bind::Uuid(r.id), Bind::Uuid(r.device.0), Bind::Uuid(r.org.0), Bind::Text(r.kind.clone())];
            let texts = [Bind::OptText(r.reason.clone()), micros(r.old_expiry), micros(r.new_expiry)];
            let tail = [Bind::OptText(r.error.clone()), micros(Some(r.created_at))];
            for (n, value) in head.into_iter().chain(texts).chain(tail).enumerate() {
                sql.push(if n == 0 { "" } else { ", " }).bind_next(value);
            }
        });
        write(conn, &sql, &[]).await?;
    }
    Ok(stored)
}

/// Deletes an event; see [`Store::delete`](crate::store::Store::delete).
pub async fn delete(session: &mut Session, schema: &str, org: Option<&Id>, id: &Id) -> Result<bool, SourceError> {
    let (Some(id), Some(org)) = (id.as_uuid(), org.map_or(Some(None), |o| o.as_uuid().map(Some))) else {
        return Ok(false);
    };
    let conn = begin_on(session).await?;
    let mut sql = Sql::new(conn.dialect());
    sql.push(&format!("DELETE FROM {schema}certificate_renewal_events WHERE id = ")).bind(Bind::Uuid(id));
    if let Some(org) = org {
        sql.push(" AND org_id = ").bind(Bind::Uuid(org));
    }
    sql.push(" RETURNING id");
    let gone = write(conn, &sql, &[UUID]).await;
    let ended = end(conn, gone.is_ok()).await;
    session.set_busy(false);
    let gone = gone?;
    ended?;
    Ok(!gone.is_empty())
}
