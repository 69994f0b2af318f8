//! Resolves the names in a batch to the ids of existing organizations and devices.
//!
//! Called within the transaction that stores the batch. It reads only.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::domain::event::{NewEvent, Party, device_id_of, org_id_of};
use crate::store::connect::conn::Conn;
use crate::store::connect::error::Fault;
use crate::store::sql::cell::Row;
use crate::store::sql::{Bind, Dialect, Sql};
use crate::store::write::{TEXT, UUID, clean, write};

/// Ids of the organizations and devices that a batch names without id.
#[derive(Default)]
pub struct Directory {
    /// Ids of existing organizations by name.
    orgs: HashMap<String, Uuid>,
    /// Ids of existing devices by organization and name.
    devices: HashMap<(Uuid, String), Uuid>,
}

impl Directory {
    /// Looks up all names of a batch.
    pub async fn look_up(conn: &mut Conn, schema: &str, events: &[(usize, &NewEvent)]) -> Result<Self, Fault> {
        let mut out = Self::default();
        let unnamed = |p: &Party| if p.id.is_none() { p.name.as_deref().map(clean) } else { None };
        let orgs: HashSet<String> = events.iter().filter_map(|(_, e)| unnamed(&e.org)).collect();
        for mut row in named(conn, &format!("{schema}organizations"), "id", orgs).await? {
            if let (Some(id), Some(name)) = (row.uuid(0), row.string(2)) {
                // Several may have one name: the lowest id wins, so that each run picks the same one.
                out.orgs.entry(name).and_modify(|old| *old = id.min(*old)).or_insert(id);
            }
        }
        let devices: HashSet<String> = events.iter().filter_map(|(_, e)| unnamed(&e.device)).collect();
        for mut row in named(conn, &format!("{schema}devices"), "org_id", devices).await? {
            if let (Some(id), Some(org), Some(name)) = (row.uuid(0), row.uuid(1), row.string(2)) {
                let derived = device_id_of(org, &name);
                let better = |old: Uuid| if old == derived || id == derived { derived } else { id.min(old) };
                out.devices.entry((org, name)).and_modify(|old| *old = better(*old)).or_insert(id);
            }
        }
        Ok(out)
    }
    /// The id of the organization with that name: the existing one, else the one that its name derives.
    pub fn org(&self, name: &str) -> Uuid {
        self.orgs.get(name).copied().unwrap_or_else(|| org_id_of(name))
    }
    /// The id of an organization's device with that name: the existing one, else the one that both derive.
    pub fn device(&self, org: Uuid, name: &str) -> Uuid {
        self.devices.get(&(org, name.to_owned())).copied().unwrap_or_else(|| device_id_of(org, name))
    }
}

/// Rows of a directory table that have one of the names: id, organization, name.
async fn named(conn: &mut Conn, table: &str, org: &str, names: HashSet<String>) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    let names: Vec<String> = names.into_iter().collect();
    for chunk in names.chunks(5000) {
        let mut sql = Sql::new(conn.dialect());
        sql.push(&format!("SELECT n.id, n.{org}, n.name FROM {table} n WHERE n.name"));
        if conn.dialect() == Dialect::Postgres {
            sql.push(" = ANY(").bind(Bind::Texts(chunk.iter().cloned().map(Some).collect())).push(")");
        } else {
            let values: Vec<_> = chunk.iter().map(|n| sql.placeholder(Bind::Text(n.clone()))).collect();
            sql.push(&format!(" IN ({})", values.join(", ")));
        }
        rows.extend(write(conn, &sql, &[UUID, UUID, TEXT]).await?);
    }
    Ok(rows)
}
