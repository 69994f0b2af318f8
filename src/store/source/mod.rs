//! A source: a profile, and what the database says about the tables that it names.
//!
//! [`Source`] is built once per store by `detect` and read by every query. It runs no statement.

pub(super) mod catalog;
pub mod columns;
pub(super) mod derived;
pub(super) mod detect;
pub(super) mod own;
mod qualify;
pub(super) mod reader;
pub mod report;
mod row_security;
pub(super) mod search_index;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::source::{Part, Traits};
use crate::domain::zone::Zone;
use crate::profile::{IdField, SourceProfile, Tail};
use crate::protocol::SourceError;
use crate::store::source::catalog::{EVENTS, Index, Table};
use crate::store::source::columns::Party;
use crate::store::source::columns::{ColumnMap, IdColumn, IdType, Relation, Schema, SqlIdent, TimeType};
use crate::store::source::reader::{Reader, id_type};
use crate::store::source::search_index::{SearchIndex, SearchIndexes};
use crate::store::sql::Dialect;

/// Which composite paging indexes exist, under any name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageIndexes {
    pub time: bool,
    pub org: bool,
    pub kind: bool,
    pub org_kind: bool,
    pub device: bool,
    /// Not a paging index: any index that leads with the time, so that a time slice can be read alone.
    pub clock: bool,
}

/// Fields that every row has, and whose values an index lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    pub orgs: bool,
    pub kinds: bool,
}

/// Where device names come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceNames {
    Nowhere,
    /// `devices(id, name)`.
    Joined,
    /// `devices(org_id, name)`: the id is a hash of both, see [`device_id_of`](crate::domain::event::device_id_of).
    Hashed,
    /// A column beside the id.
    Beside,
}

/// What a session may see of a source, and write to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rights {
    /// Events may be stored: our migrations made the tables.
    pub is_written: bool,
    /// Why nothing may be written to renewscope's own tables: a newer version made them.
    pub obstacle: Option<String>,
    /// Row security may hide rows from this role: the note for users.
    pub hidden: Option<String>,
}

/// A source as it was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    pub dialect: Dialect,
    pub profile: Arc<SourceProfile>,
    /// What holds for all its rows.
    pub traits: Arc<Traits>,
    pub map: ColumnMap,
    /// Where the event table and the tables beside it are; SQLite has none.
    pub schema: Option<Schema>,
    pub indexes: PageIndexes,
    pub search: SearchIndexes,
    pub listed: Listed,
    pub devices: DeviceNames,
    /// The name of an organization as an expression over its row `o`; `None`: no names.
    pub org_name: Option<String>,
    /// A row without a reason takes that of its device's preceding start.
    pub carries_reason: bool,
    /// How new rows are found.
    pub tail: Tail,
    /// What this session may see and write.
    pub rights: Rights,
    /// What is missing or guessed, in words.
    pub notes: Vec<String>,
    /// The note on a choice among several sources that fit, where nobody made it.
    pub chosen: Option<String>,
}

/// What the database says about the tables that a profile names.
pub struct Found<'a> {
    pub dialect: Dialect,
    pub tables: &'a BTreeMap<String, Table>,
    /// Those of the profile's own table.
    pub indexes: &'a [Index],
    pub search: &'a [SearchIndex],
}

impl Source {
    /// Describes a source. [`SourceError::Shape`] if a column cannot be read as the profile says.
    pub fn build(profile: &Arc<SourceProfile>, found: &Found<'_>) -> Result<Self, SourceError> {
        let (dialect, indexes) = (found.dialect, found.indexes);
        let lacks = |part: Part| lacks(profile, found.tables, part);
        let traits = Arc::new(profile.traits(lacks));
        let map = if derived::is_needed(profile, found) {
            derived::column_map(profile, found)?
        } else {
            column_map(profile, found)?
        };
        let is_table = map.is_table();
        let fields = &profile.fields;
        let listed = |c: &SqlIdent| leads(indexes, c);
        let plain_kind = is_table || (profile.relation.select.is_none() && fields.kind.values.is_empty());
        let time = profile.relation.time_column.as_ref().unwrap_or(&fields.time.column);
        let mut source = Self {
            dialect,
            profile: Arc::clone(profile),
            traits,
            indexes: if is_table {
                page_indexes(&map, indexes)
            } else {
                PageIndexes { clock: leads(indexes, time), ..PageIndexes::default() }
            },
            search: if is_table { SearchIndexes::of(&map, found.search) } else { SearchIndexes::default() },
            listed: Listed {
                orgs: is_table && map.org.as_ref().is_some_and(|c| c.required && listed(&c.name)),
                kinds: plain_kind && map.kind.required && !map.kind.cast && listed(&fields.kind.column),
            },
            devices: device_names(profile, found.tables.get("devices"), &map),
            org_name: org_name(profile, found.tables.get("organizations"), &map),
            carries_reason: fields.reason.as_ref().is_some_and(|r| r.carried) && is_table && map.reason.is_some(),
            tail: profile.tail.clone(),
            map,
            schema: Reader::of(profile, found)?.schema(),
            rights: Rights::default(),
            notes: Vec::new(),
            chosen: None,
        };
        source.notes = notes(&source);
        Ok(source)
    }

    /// Whether the tables have the shape of renewscope's own.
    pub fn is_own(&self) -> bool {
        self.profile.is_own()
    }

    /// Whether every composite paging index that fits the table exists.
    pub fn has_all_indexes(&self) -> bool {
        let has = self.indexes;
        has.time && has.kind && has.device && (self.map.org.is_none() || (has.org && has.org_kind))
    }
    /// The identifier column of a party; `None` if the source does not record it.
    pub fn party(&self, party: Party) -> Option<&IdColumn> {
        match party {
            Party::Org => self.map.org.as_ref(),
            Party::Device => Some(&self.map.device),
        }
    }
    /// The column beside the id that holds a party's name.
    pub fn label_of(&self, party: Party) -> Option<&SqlIdent> {
        self.party(party)?.label.as_ref()
    }
    /// The same source, its rows as they are recorded: without the names that other tables hold, and with the reason of
    /// the row alone. Its filters have another meaning, so it only selects columns and decodes rows.
    pub fn bare(&self) -> Self {
        Self { devices: DeviceNames::Nowhere, org_name: None, carries_reason: false, ..self.clone() }
    }
    /// The schema of the event table by its name in the catalog.
    pub fn schema_name(&self) -> Option<&str> {
        self.schema.as_ref().map(Schema::name)
    }
    /// A table beside the event table, with the schema of both.
    pub fn beside(&self, table: &str) -> String {
        self.schema.as_ref().map_or_else(|| table.to_owned(), |schema| format!("{schema}.{table}"))
    }
    /// The directory table of a party and the expression of a name over its row `n`, if SQL can match names.
    pub fn names_of(&self, party: Party) -> Option<(String, String)> {
        match party {
            Party::Org => self.org_name.as_ref().map(|name| (self.beside("organizations"), name.replace("o.", "n."))),
            Party::Device => {
                (self.devices == DeviceNames::Joined).then(|| (self.beside("devices"), "n.name".to_owned()))
            }
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

/// Whether the table lacks an optional column of the profile.
fn lacks(profile: &SourceProfile, tables: &BTreeMap<String, Table>, part: Part) -> bool {
    if profile.relation.select.is_some() {
        return false;
    }
    let f = &profile.fields;
    let column = match part {
        Part::Device => f.device.as_ref().map(|f| &f.column),
        Part::Org => f.org.as_ref().map(|f| &f.column),
        Part::Reason => f.reason.as_ref().map(|f| &f.column),
        Part::OldExpiry => f.old_expiry.as_ref().map(|f| &f.column),
        Part::NewExpiry => f.new_expiry.as_ref().map(|f| &f.column),
        Part::Error => f.error.as_ref().map(|f| &f.column),
        Part::Severity => f.severity.as_ref().map(|f| &f.column),
    };
    let table = tables.get(profile.relation.table.name());
    column.is_some_and(|c| table.is_some_and(|t| t.column(c.name()).is_none()))
}

/// Whether an index leads with this column.
fn leads(indexes: &[Index], column: &SqlIdent) -> bool {
    indexes.iter().any(|i| i.leads_with(column.name()))
}

/// Which composite indexes serve the pages of a mapped table.
fn page_indexes(map: &ColumnMap, indexes: &[Index]) -> PageIndexes {
    let (at, id) = (map.created_at.name.name(), map.order().name.name());
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

/// Where device names come from, by the shape of the directory table.
fn device_names(profile: &SourceProfile, devices: Option<&Table>, map: &ColumnMap) -> DeviceNames {
    if map.device.label.is_some() {
        return DeviceNames::Beside;
    }
    if !profile.fields.device.as_ref().is_some_and(|f| f.directory) || !map.is_table() {
        return DeviceNames::Nowhere;
    }
    match devices {
        Some(t) if t.has("id") && t.has("name") && t.column("id").is_some_and(|c| id_type(&c.ty) == map.device.ty) => {
            DeviceNames::Joined
        }
        Some(t) if t.has("org_id") && t.has("name") && map.device.ty == IdType::Uuid => DeviceNames::Hashed,
        _ => DeviceNames::Nowhere,
    }
}

/// The expression of an organization's name over its row `o`, by the columns that its table has.
fn org_name(profile: &SourceProfile, orgs: Option<&Table>, map: &ColumnMap) -> Option<String> {
    if !profile.fields.org.as_ref().is_some_and(|f| f.directory) || !map.is_table() {
        return None;
    }
    let (table, org) = (orgs?, map.org.as_ref()?);
    let same = table.column("id").is_some_and(|c| id_type(&c.ty) == org.ty);
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

/// What a person should know about a source: missing indexes and fields, guessed zones.
fn notes(source: &Source) -> Vec<String> {
    let mut notes = Vec::new();
    let events = source.profile.relation.table.name() == EVENTS;
    let table = &source.profile.relation.table;
    if events && !source.has_all_indexes() {
        notes.push("paging indexes are missing; 'renewscope db index' makes them".to_owned());
    } else if !events && !source.indexes.clock {
        notes.push(format!("no index of '{}' leads with the time: every page reads the whole table", table.name()));
    }
    let lacks: Vec<_> = source.traits.lacks.iter().filter(|p| **p != Part::Severity).map(|p| p.words()).collect();
    match lacks.as_slice() {
        [] => {}
        ["organization"] => notes.push("the table records no organization".to_owned()),
        some => notes.push(format!("the source records no {}", some.join(", no "))),
    }
    if source.devices == DeviceNames::Nowhere && source.map.device.ty == IdType::Uuid {
        notes.push("device names cannot be read here; devices are shown by id".to_owned());
    }
    let derived: Vec<_> = source.traits.derived.iter().map(|p| p.words()).collect();
    if !derived.is_empty() {
        notes.push(format!("derived from other rows or tables: {}", derived.join(", ")));
    }
    let times = [Some(&source.map.created_at), source.map.old_expiry.as_ref(), source.map.new_expiry.as_ref()];
    for column in times.into_iter().flatten().filter(|c| c.ty == TimeType::Timestamp) {
        if !source.is_own() && (column.zone != Zone::Utc || column.name == source.map.created_at.name) {
            notes.push(format!("{} has no zone and is taken as {}", column.name.name(), column.zone.name()));
        }
    }
    notes.extend(source.profile.notes.iter().cloned());
    notes
}

/// The columns of a table that is read directly.
fn column_map(profile: &SourceProfile, found: &Found<'_>) -> Result<ColumnMap, SourceError> {
    let fields = &profile.fields;
    let reader = Reader::of(profile, found)?;
    let id = |field: &IdField| reader.id(field);
    let extra = profile.extra.iter().map(|e| (Arc::from(e.label.as_str()), e.column.clone())).collect();
    let tie = profile.relation.tie.clone();
    let device = fields.device.as_ref().map_or(Ok(None), id)?;
    Ok(ColumnMap {
        relation: Relation::Table { schema: reader.schema(), name: profile.relation.table.clone() },
        id: id(&fields.id)?.ok_or_else(|| reader.absent(&fields.id.column))?,
        device: device.ok_or_else(|| SourceError::Shape(format!("the source '{}' names no device", profile.name)))?,
        org: fields.org.as_ref().map_or(Ok(None), id)?,
        kind: reader.text(&fields.kind).ok_or_else(|| reader.absent(&fields.kind.column))?,
        reason: fields.reason.as_ref().and_then(|f| reader.text(f)),
        old_expiry: fields.old_expiry.as_ref().map_or(Ok(None), |f| reader.time(f))?,
        new_expiry: fields.new_expiry.as_ref().map_or(Ok(None), |f| reader.time(f))?,
        error: fields.error.as_ref().and_then(|f| reader.text(f)),
        created_at: reader.time(&fields.time)?.ok_or_else(|| reader.absent(&fields.time.column))?,
        severity: fields.severity.as_ref().and_then(|f| reader.text(f)),
        outcome: None,
        tie: tie.map(|name| IdColumn { name, ty: IdType::Int, required: true, label: None }),
        extra,
    })
}
