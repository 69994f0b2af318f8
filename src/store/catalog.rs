//! What the database says of the event table: its columns, its indexes, and where names can be had.
//!
//! Read once and kept, so that a table is described by what it is and not by what a version of some product is said
//! to make. Nothing here changes a database.

use std::collections::BTreeMap;

use super::columns::{ColumnMap, IdColumn, IdType, SqlIdent, TextColumn, TimeColumn, TimeType};
use super::search::SearchIndexes;
use super::session::Conn;
use super::sql::cell::CellType;
use super::sql::filter::Party;
use super::sql::{Dialect, Sql};
use crate::protocol::SourceError;

/// The table that holds the events.
pub const EVENTS: &str = "certificate_renewal_events";

/// Whose table it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// Made by our migrations.
    Own,
    /// Made by Flight Control, or by hand after its documents.
    FlightControl,
}

impl Profile {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::FlightControl => "flightctl",
        }
    }
}

/// Which composite paging indexes exist, under whatever name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageIndexes {
    pub time: bool,
    pub org: bool,
    pub kind: bool,
    pub org_kind: bool,
    pub device: bool,
    /// Not a paging index: any index that leads with the time, so that a stretch of time can be read alone.
    pub clock: bool,
}

/// Where the names of devices come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceNames {
    Nowhere,
    /// `devices(id, name)`.
    Joined,
    /// `devices(org_id, name)`: the id is a hash of both, see [`device_id_of`](crate::domain::event::device_id_of).
    Hashed,
}

/// A source as it was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    pub dialect: Dialect,
    pub profile: Profile,
    pub map: ColumnMap,
    pub indexes: PageIndexes,
    pub search: SearchIndexes,
    /// Every row has an organisation, and an index lists them.
    pub closed_orgs: bool,
    /// Every row has a type, and an index lists them.
    pub closed_kinds: bool,
    pub devices: DeviceNames,
    /// The name of an organisation as an expression over its row `o`; `None`: no names.
    pub org_name: Option<String>,
    /// What is missing or guessed, in words.
    pub notes: Vec<String>,
}

impl Source {
    /// Whether every composite paging index that fits the table is there.
    pub fn has_all_indexes(&self) -> bool {
        let has = self.indexes;
        has.time && has.kind && has.device && (self.map.org.is_none() || (has.org && has.org_kind))
    }
    pub fn party(&self, party: Party) -> Option<&IdColumn> {
        match party {
            Party::Org => self.map.org.as_ref(),
            Party::Device => Some(&self.map.device),
        }
    }
    /// The directory table of a party and the expression of a name over its row `n`, where names can be asked in SQL.
    pub fn names_of(&self, party: Party) -> Option<(&'static str, String)> {
        match party {
            Party::Org => self.org_name.as_ref().map(|name| ("organizations", name.replace("o.", "n."))),
            Party::Device => (self.devices == DeviceNames::Joined).then(|| ("devices", "n.name".to_owned())),
        }
    }
    /// An identifier column of the row `e` as the driver reads it.
    pub fn id_expr(&self, column: &IdColumn) -> String {
        match (self.dialect, column.ty) {
            (Dialect::Postgres, IdType::Int) => format!("e.{}::int8", column.name),
            (Dialect::Postgres, IdType::Text) => format!("e.{}::text", column.name),
            _ => format!("e.{}", column.name),
        }
    }
}

/// One column as the catalog tells it.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    pub name: String,
    /// The type's name: `uuid`, `text`, `timestamp`, …; for SQLite as declared, in lower case.
    pub ty: String,
    pub required: bool,
}

/// A readable table with its columns.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    pub schema: Option<String>,
    pub columns: Vec<Column>,
    pub readable: bool,
}

impl Table {
    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
    fn has(&self, name: &str) -> bool {
        self.readable && self.column(name).is_some()
    }
}

/// One index of the event table. `columns` are comma-separated, each with ` desc` where descending.
#[derive(Clone, PartialEq, Debug)]
pub struct Index {
    pub name: String,
    pub columns: String,
    pub valid: bool,
    pub bytes: Option<u64>,
}

impl Index {
    /// Whether it orders rows by `lead`, then by time and id, all in one direction.
    pub fn pages(&self, lead: &[&str], at: &str, id: &str) -> bool {
        let columns: Vec<_> = self.columns.split(',').collect();
        let (head, order) = columns.split_at(lead.len().min(columns.len()));
        let bare = |c: &str| c.strip_suffix(" desc").unwrap_or(c).to_owned();
        let [first, second, ..] = order else { return false };
        self.valid
            && head.iter().map(|c| bare(c)).eq(lead.iter().map(|l| (*l).to_owned()))
            && bare(first) == at
            && bare(second) == id
            && head.iter().chain([second]).all(|c| c.ends_with(" desc") == first.ends_with(" desc"))
    }
    fn leads_with(&self, column: &str) -> bool {
        let first = self.columns.split(',').next().unwrap_or_default();
        self.valid && first.strip_suffix(" desc").unwrap_or(first) == column
    }
}

const PG_TABLES: &str = "SELECT c.relname::text, n.nspname::text, a.attname::text, t.typname::text, \
     a.attnotnull::int::int8, has_table_privilege(c.oid, 'SELECT')::int::int8 \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid \
     WHERE c.oid IN (to_regclass('certificate_renewal_events'), to_regclass('devices'), \
     to_regclass('organizations'), to_regclass('_sqlx_migrations')) \
     AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum";

const SQLITE_TABLES: &str = "SELECT m.name, NULL, c.name, lower(c.type), c.\"notnull\", 1 \
     FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
     WHERE m.type IN ('table', 'view') \
     AND m.name IN ('certificate_renewal_events', 'devices', 'organizations', '_sqlx_migrations') \
     ORDER BY m.name, c.cid";

const PG_INDEXES: &str = "SELECT i.relname::text, array_to_string(ARRAY(\
     SELECT coalesce(a.attname::text, '?') || CASE WHEN (x.indoption[k.n - 1] & 1) = 1 THEN ' desc' ELSE '' END \
     FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(att, n) \
     LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.att ORDER BY k.n), ','), \
     x.indisvalid::int::int8, pg_relation_size(i.oid) \
     FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam \
     WHERE x.indrelid = to_regclass('certificate_renewal_events') AND x.indpred IS NULL AND m.amname = 'btree' \
     ORDER BY i.relname";

const SQLITE_INDEXES: &str = "SELECT l.name, (SELECT group_concat(c, ',') FROM (\
     SELECT coalesce(x.name, '?') || CASE x.\"desc\" WHEN 1 THEN ' desc' ELSE '' END AS c \
     FROM pragma_index_xinfo(l.name) x WHERE x.key = 1 ORDER BY x.seqno)), 1, NULL \
     FROM pragma_index_list('certificate_renewal_events') l WHERE l.partial = 0 ORDER BY l.name";

/// The four tables of interest, those that exist.
pub async fn tables(conn: &mut Conn) -> Result<BTreeMap<String, Table>, SourceError> {
    use CellType::{Int, Text};
    let dialect = conn.dialect();
    let text = if dialect == Dialect::Postgres { PG_TABLES } else { SQLITE_TABLES };
    let rows = conn.rows(&Sql::plain(dialect, text), &[Text, Text, Text, Text, Int, Int]).await?;
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for mut row in rows {
        let table = tables.entry(row.string(0).unwrap_or_default()).or_default();
        table.schema = row.string(1);
        table.readable = row.int(5) == Some(1);
        table.columns.push(Column {
            name: row.string(2).unwrap_or_default(),
            ty: row.string(3).unwrap_or_default(),
            required: row.int(4) == Some(1),
        });
    }
    Ok(tables)
}

/// The indexes of the event table.
pub async fn indexes(conn: &mut Conn) -> Result<Vec<Index>, SourceError> {
    use CellType::{Int, Text};
    let dialect = conn.dialect();
    let text = if dialect == Dialect::Postgres { PG_INDEXES } else { SQLITE_INDEXES };
    let rows = conn.rows(&Sql::plain(dialect, text), &[Text, Text, Int, Int]).await?;
    let index = |mut row: super::sql::cell::Row| Index {
        name: row.string(0).unwrap_or_default(),
        columns: row.string(1).unwrap_or_default(),
        valid: row.int(2) == Some(1),
        bytes: row.int(3).and_then(|n| u64::try_from(n).ok()),
    };
    Ok(rows.into_iter().map(index).collect())
}

/// Describes the source behind a connection. [`SourceError::Shape`] where there is no event table, or one that lacks
/// what every event must have.
pub async fn detect(conn: &mut Conn) -> Result<Source, SourceError> {
    let tables = tables(conn).await?;
    let Some(events) = tables.get(EVENTS) else {
        return Err(SourceError::Shape(format!(
            "relation '{EVENTS}' not found; make it with 'renewscope db init' or check the address and the search path"
        )));
    };
    let indexes = indexes(conn).await?;
    let search = super::search::indexes(conn).await?;
    let own = super::migrate::is_own(conn, &tables).await?;
    let dialect = conn.dialect();
    let map = column_map(dialect, events)?;
    let profile = if own { Profile::Own } else { Profile::FlightControl };
    let mut source = Source {
        dialect,
        profile,
        indexes: page_indexes(&map, &indexes),
        search: SearchIndexes::of(&map, &search),
        closed_orgs: map.org.as_ref().is_some_and(|c| c.required && leads(&indexes, &c.name)),
        closed_kinds: map.kind.required && !map.kind.cast && leads(&indexes, &map.kind.name),
        devices: device_names(tables.get("devices"), &map),
        org_name: org_name(tables.get("organizations"), &map),
        map,
        notes: Vec::new(),
    };
    source.notes = notes(&source);
    Ok(source)
}

fn leads(indexes: &[Index], column: &SqlIdent) -> bool {
    indexes.iter().any(|i| i.leads_with(column.name()))
}

fn page_indexes(map: &ColumnMap, indexes: &[Index]) -> PageIndexes {
    let (at, id) = (map.created_at.name.name(), map.id.name.name());
    let has = |lead: &[&str]| indexes.iter().any(|i| i.pages(lead, at, id));
    let (kind, device) = (map.kind.name.name(), map.device.name.name());
    let org = map.org.as_ref().map(|c| c.name.name());
    PageIndexes {
        time: has(&[]),
        org: org.is_some_and(|o| has(&[o])),
        kind: has(&[kind]),
        org_kind: org.is_some_and(|o| has(&[o, kind])),
        device: has(&[device]),
        clock: leads(indexes, &map.created_at.name),
    }
}

fn device_names(devices: Option<&Table>, map: &ColumnMap) -> DeviceNames {
    match devices {
        Some(t)
            if t.has("id")
                && t.has("name")
                && t.column("id").is_some_and(|c| id_type(&c.ty) == Some(map.device.ty)) =>
        {
            DeviceNames::Joined
        }
        Some(t) if t.has("org_id") && t.has("name") && map.device.ty == IdType::Uuid => DeviceNames::Hashed,
        _ => DeviceNames::Nowhere,
    }
}

fn org_name(orgs: Option<&Table>, map: &ColumnMap) -> Option<String> {
    let (table, org) = (orgs?, map.org.as_ref()?);
    let same = table.column("id").is_some_and(|c| id_type(&c.ty) == Some(org.ty));
    if !same || !table.readable {
        return None;
    }
    match (table.has("name"), table.has("display_name"), table.has("external_id")) {
        (true, false, _) => Some("o.name".to_owned()),
        (_, true, true) => Some("COALESCE(NULLIF(o.display_name, ''), NULLIF(o.external_id, ''))".to_owned()),
        (_, true, false) => Some("NULLIF(o.display_name, '')".to_owned()),
        (_, false, true) => Some("NULLIF(o.external_id, '')".to_owned()),
        (false, false, false) => None,
    }
}

fn notes(source: &Source) -> Vec<String> {
    let mut notes = Vec::new();
    if !source.has_all_indexes() {
        notes.push("paging indexes are missing; 'renewscope db index' makes them".to_owned());
    }
    if source.map.org.is_none() {
        notes.push("the table records no organisation".to_owned());
    }
    if source.devices == DeviceNames::Nowhere {
        notes.push("device names cannot be read here; devices are shown by id".to_owned());
    }
    if source.profile == Profile::FlightControl {
        notes.push("created_at has no zone and is taken as UTC".to_owned());
    }
    notes
}

fn id_type(ty: &str) -> Option<IdType> {
    match ty {
        "uuid" | "blob" => Some(IdType::Uuid),
        "text" | "varchar" | "bpchar" | "name" => Some(IdType::Text),
        "int2" | "int4" | "int8" | "integer" | "int" => Some(IdType::Int),
        _ => None,
    }
}

fn time_type(ty: &str) -> Option<TimeType> {
    match ty {
        "timestamp" => Some(TimeType::Timestamp),
        "timestamptz" => Some(TimeType::TimestampTz),
        "integer" | "int8" => Some(TimeType::UnixMicros),
        _ => None,
    }
}

fn column_map(dialect: Dialect, table: &Table) -> Result<ColumnMap, SourceError> {
    let absent = |name: &str| SourceError::Shape(format!("relation '{EVENTS}' has no column '{name}'"));
    let strange = |c: &Column| {
        SourceError::Shape(format!("column '{}' of '{EVENTS}' has the type '{}', which cannot be read", c.name, c.ty))
    };
    let id = |name: &str| -> Result<Option<IdColumn>, SourceError> {
        let Some(c) = table.column(name) else { return Ok(None) };
        let ty = id_type(&c.ty).ok_or_else(|| strange(c))?;
        Ok(Some(IdColumn { name: SqlIdent::new(name)?, ty, required: c.required }))
    };
    let text = |name: &str| -> Result<Option<TextColumn>, SourceError> {
        let Some(c) = table.column(name) else { return Ok(None) };
        let cast = dialect == Dialect::Postgres && !matches!(c.ty.as_str(), "text" | "varchar");
        Ok(Some(TextColumn { name: SqlIdent::new(name)?, cast, required: c.required }))
    };
    let time = |name: &str| -> Result<Option<TimeColumn>, SourceError> {
        let Some(c) = table.column(name) else { return Ok(None) };
        let ty = time_type(&c.ty).ok_or_else(|| strange(c))?;
        Ok(Some(TimeColumn { name: SqlIdent::new(name)?, ty }))
    };
    // The relation is found by the search path; the schema pins it.
    let schema = table.schema.as_deref().and_then(|s| SqlIdent::new(s).ok());
    Ok(ColumnMap {
        schema,
        relation: SqlIdent::new(EVENTS)?,
        id: id("id")?.ok_or_else(|| absent("id"))?,
        device: id("device_id")?.ok_or_else(|| absent("device_id"))?,
        org: id("org_id")?,
        kind: text("event_type")?.ok_or_else(|| absent("event_type"))?,
        reason: text("reason")?,
        old_expiry: time("old_cert_expiration")?,
        new_expiry: time("new_cert_expiration")?,
        error: text("error_message")?,
        created_at: time("created_at")?.ok_or_else(|| absent("created_at"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paging_index_is_known_by_its_columns() {
        let index = |columns: &str| Index { name: "x".into(), columns: columns.into(), valid: true, bytes: None };
        for (columns, lead, expected) in [
            ("created_at desc,id desc", &[][..], true),
            ("created_at,id", &[], true),
            ("created_at desc,id", &[], false),
            ("created_at", &[], false),
            ("org_id,created_at desc,id desc", &["org_id"], false),
            ("org_id desc,created_at desc,id desc", &["org_id"], true),
            ("org_id,event_type,created_at,id", &["org_id"], false),
            ("org_id,event_type,created_at,id", &["org_id", "event_type"], true),
        ] {
            assert_eq!(index(columns).pages(lead, "created_at", "id"), expected, "{columns}");
        }
    }
}
