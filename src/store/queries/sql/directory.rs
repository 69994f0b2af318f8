//! Statements over directory tables: names by id, and ids by name.
//!
//! Called by the resolver of filters and by the caches of names. They read no event, except where an event carries the
//! name beside the id.

use crate::domain::event::Id;
use crate::domain::filter::criteria::Pattern;
use crate::store::queries::sql::filter::{one_of_ids, one_of_texts};
use crate::store::queries::sql::pattern::pattern;
use crate::store::source::Source;
use crate::store::source::columns::{IdColumn, Party, SqlIdent};
use crate::store::sql::cell::CellType;
use crate::store::sql::{Bind, Dialect, Sql};

/// The table that holds the names of a party, its rows named `n`.
pub struct Directory {
    dialect: Dialect,
    table: String,
    /// The expression of a name over `n`.
    name: String,
    /// The type of the ids.
    ids: CellType,
}

impl Directory {
    /// `None` where the source has no such table for the party.
    pub fn of(source: &Source, party: Party) -> Option<Self> {
        let (table, name) = source.names_of(party)?;
        let ids = CellType::Id(source.party(party)?.ty);
        Some(Self { dialect: source.dialect, table, name, ids })
    }

    /// Ids and names of these ids.
    pub fn names(&self, ids: &[Id]) -> (Sql, Vec<CellType>) {
        let mut sql = Sql::new(self.dialect);
        let test = one_of_ids(&mut sql, "n.id", ids);
        sql.push(&format!("SELECT n.id, {} FROM {} n WHERE {test}", self.name, self.table));
        (sql, vec![self.ids, CellType::Text])
    }

    /// Ids whose name matches a pattern, at most `limit`.
    pub fn ids_matching(&self, p: &Pattern, limit: usize) -> (Sql, Vec<CellType>) {
        let mut sql = Sql::new(self.dialect);
        let test = pattern(&mut sql, &self.name, p, false);
        self.ids_where(sql, &test, limit)
    }

    /// Ids whose name is one of these, at most `limit`.
    pub fn ids_named(&self, names: &[String], limit: usize) -> (Sql, Vec<CellType>) {
        let mut sql = Sql::new(self.dialect);
        let test = one_of_texts(&mut sql, &self.name, names);
        self.ids_where(sql, &test, limit)
    }

    /// Ids of the directory's rows that pass a test.
    fn ids_where(&self, mut sql: Sql, test: &str, limit: usize) -> (Sql, Vec<CellType>) {
        sql.push(&format!("SELECT n.id FROM {} n WHERE {test} LIMIT {limit}", self.table));
        (sql, vec![self.ids])
    }
}

/// Ids and the names beside them in the event table, of these ids.
pub fn labels_of_ids(source: &Source, column: &IdColumn, label: &SqlIdent, ids: &[Id]) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let from = source.map.from(&mut sql);
    let id = format!("e.{}", column.name);
    let test = one_of_ids(&mut sql, &id, ids);
    sql.push(&format!("SELECT {id}, max(e.{label}) FROM {from} e WHERE {test} GROUP BY {id}"));
    (sql, vec![CellType::Id(column.ty), CellType::Text])
}

/// Ids and names of devices in the directory whose name contains `part`, in the order of their names.
pub fn devices_named(source: &Source, part: &str, limit: u64) -> (Sql, Vec<CellType>) {
    let mut sql = Sql::new(source.dialect);
    let test = pattern(&mut sql, "d.name", &Pattern::Contains(part.to_owned()), true);
    let devices = source.beside("devices");
    sql.push(&format!("SELECT d.id, d.name FROM {devices} d WHERE {test} ORDER BY d.name, d.id LIMIT "));
    sql.bind(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    (sql, vec![CellType::Id(source.map.device.ty), CellType::Text])
}
