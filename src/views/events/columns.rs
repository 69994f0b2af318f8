//! The columns of the event list: which there are, and how much each is needed.

use crate::ui::table::{ColumnSpec, Columns};

/// A column of the event list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Column {
    /// When the event was written, in the zone shown.
    Time,
    /// The event's type with the glyph of its outcome.
    What,
    /// The device's name, else its id.
    Device,
    /// The organization's name, else its id.
    Org,
    /// The expiry dates of the old and the new certificate, in the zone shown.
    Expiry,
    /// From now until the new certificate expires; without one, until the old one does, except after a success.
    Left,
    /// Why the certificate was renewed; in parentheses if that is inferred.
    Reason,
    /// The beginning of the error, in the remaining width.
    Error,
    /// The event's id; hidden by default.
    Id,
}

/// The event list's choice of columns.
pub type EventColumns = Columns<Column>;

/// In their order on screen. Widths are in cells. Time and type are never dropped for lack of room; a rank that does
/// not fit is dropped with all higher ones.
pub const COLUMNS: [ColumnSpec<Column>; 9] = [
    ColumnSpec { column: Column::Time, id: "time", width: 14, rank: 0, title: "when the event was written" },
    ColumnSpec { column: Column::What, id: "what", width: 18, rank: 0, title: "the event's type" },
    ColumnSpec { column: Column::Device, id: "device", width: 14, rank: 1, title: "the device, by name if known" },
    ColumnSpec { column: Column::Org, id: "org", width: 9, rank: 4, title: "the organization" },
    ColumnSpec { column: Column::Expiry, id: "expiry", width: 23, rank: 5, title: "old and new expiry dates" },
    ColumnSpec { column: Column::Left, id: "left", width: 7, rank: 3, title: "time left of the event's certificate" },
    ColumnSpec { column: Column::Reason, id: "reason", width: 11, rank: 6, title: "why the certificate was renewed" },
    ColumnSpec {
        column: Column::Error,
        id: "error",
        width: 14,
        rank: 2,
        title: "the error; takes the remaining width",
    },
    ColumnSpec { column: Column::Id, id: "id", width: 36, rank: 7, title: "the event's id" },
];

/// All but the id.
pub fn default_columns() -> EventColumns {
    Columns::new(&COLUMNS, COLUMNS.iter().map(|s| s.column).filter(|c| *c != Column::Id).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_least_needed_first() {
        let ids = |columns: &EventColumns, width| columns.fitting(width, |_| 0).iter().map(|c| c.0).collect::<Vec<_>>();
        let all = default_columns();
        assert_eq!(ids(&all, 40), [Column::Time, Column::What]);
        assert_eq!(ids(&all, 79), [Column::Time, Column::What, Column::Device, Column::Left, Column::Error]);
        assert_eq!(ids(&all, 200).len(), 8);
        let few = all.named(["error", "time", "id"]).unwrap();
        assert_eq!(ids(&few, 200), [Column::Time, Column::Error, Column::Id]);
        assert_eq!(all.named(["time", "size"]).unwrap_err(), "size");
    }
}
