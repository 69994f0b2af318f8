//! A page of a time slice: matching rows in the order of time, without names and with the reason of the row alone.
//!
//! Called by the query of slices, some thousand rows at a time. The plain order of time costs least where most rows of a
//! range match, because rows lie on disk as they were written; a branch costs less where a filter selects few rows.

use crate::store::queries::resolved::Set;
use crate::store::queries::sql::Selection;
use crate::store::queries::sql::keys::{Branch, Common, Read, branches, branches_within};
use crate::store::queries::sql::page::{Window, columns, select};
use crate::store::source::Source;
use crate::store::sql::Sql;
use crate::store::sql::cell::CellType;

/// The statement for a window of a slice, which reads one row more than the window holds. The filter is that of the
/// selection's source; the columns are those of the same source without names, `bare`.
pub fn slice(selection: Selection<'_>, bare: &Source, window: &Window) -> (Sql, Vec<CellType>) {
    let (source, map) = (selection.source, &selection.source.map);
    let limit = u64::from(window.limit) + 1;
    let mut sql = Sql::new(source.dialect);
    let select = select(bare, window.errors, false);
    let branches = chosen(selection, limit);
    let common = Common::new(&mut sql, selection, &window.bound);
    let (at, id) = (&map.created_at.name, &map.order().name);
    let keys = if branches.len() > 1 { format!(", e.{at} AS c, e.{id} AS i") } else { String::new() };
    let columns = format!("{}{keys}", columns(bare));
    sql.push("SELECT ").push(&select.list.join(", ")).push(" FROM ");
    let read = Read { branches: &branches, columns: &columns, order: window.order, limit, skip: 0, any_tie: false };
    common.limited(&mut sql, source, &read);
    let word = window.order.word();
    sql.push(&format!(" e ORDER BY e.{at} {word}, e.{id} {word}"));
    (sql, select.shape)
}

/// One branch, or one for each of some devices, which have few rows. Several branches of organizations or types are each
/// read to the limit, which is more than the rows of the range.
fn chosen(selection: Selection<'_>, limit: u64) -> Vec<Branch> {
    let Selection { source, resolved } = selection;
    let by_device = resolved.devices != Set::All && source.indexes.device;
    let branches = if by_device { branches_within(source, resolved, limit) } else { branches(source, resolved) };
    if by_device || branches.len() == 1 { branches } else { vec![Branch::default()] }
}
