//! A page of a time slice: matching rows in the order of time, without names and with the reason of the row alone.
//!
//! Called by the query of slices, some thousand rows at a time. The plain order of time costs least where most rows of a
//! range match, because rows lie on disk as they were written; a branch costs less where a filter selects few rows.

use crate::store::queries::resolved::Set;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Branch, Common, Read, branches, branches_within};
use crate::store::queries::sql::page::{Window, columns, select};
use crate::store::source::Source;
use crate::store::sql::cell::CellType;
use crate::store::sql::{Dialect, Sql};

/// How a slice is read.
pub struct Way {
    branches: Vec<Branch>,
    /// In the order of time alone: those of the last instant are any of those that match.
    pub any_tie: bool,
}

impl Way {
    /// The way through the table that costs least. PostgreSQL reads the plain order from an index of times alone: it is a
    /// third of the one with ids, and its direction is that of the slice.
    pub fn of(selection: Selection<'_>, limit: u32) -> Self {
        let branches = chosen(selection, u64::from(limit) + 1);
        let plain = branches == [Branch::default()];
        Self { any_tie: plain && selection.source.dialect == Dialect::Postgres, branches }
    }
    /// The same in the exact order.
    pub fn exact(self) -> Self {
        Self { any_tie: false, ..self }
    }
}

/// The branches of a page on SQLite, which merges them row by row. On PostgreSQL one, or one for each of some devices,
/// which have few rows: several of organizations or types would each be read to the limit.
fn chosen(selection: Selection<'_>, limit: u64) -> Vec<Branch> {
    let Selection { source, resolved } = selection;
    let few = resolved.devices != Set::All && source.indexes.device;
    if few || source.dialect == Dialect::Sqlite {
        return branches_within(source, resolved, limit);
    }
    let branches = branches(source, resolved);
    if branches.len() == 1 { branches } else { vec![Branch::default()] }
}

/// The statement for a window of a slice, which reads one row more than the window holds. The filter is that of the
/// selection's source; the columns are those of the same source without names, `bare`.
pub fn slice(selection: Selection<'_>, bare: &Source, window: &Window, way: &Way) -> (Sql, Vec<CellType>) {
    let (source, map) = (selection.source, &selection.source.map);
    let mut sql = Sql::new(source.dialect);
    let select = select(bare, window.errors, false);
    let Way { branches, any_tie } = way;
    let common = Common::new(&mut sql, selection, &window.bound);
    let (at, id) = (&map.created_at.name, &map.order().name);
    let keys = if branches.len() > 1 { format!(", e.{at} AS c, e.{id} AS i") } else { String::new() };
    let columns = format!("{}{keys}", columns(bare));
    sql.push("SELECT ").push(&select.list.join(", ")).push(" FROM ");
    let limit = u64::from(window.limit) + 1;
    let (order, any_tie) = (window.order, *any_tie);
    let read = Read { branches, columns: &columns, order, limit, skip: 0, any_tie };
    common.limited(&mut sql, source, &read);
    sql.push(" e");
    // The database would sort in memory that long errors exceed.
    if !any_tie {
        let word = order.word();
        sql.push(&format!(" ORDER BY e.{at} {word}, e.{id} {word}"));
    }
    (sql, select.shape)
}
