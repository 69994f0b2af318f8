//! The columns of the list: which there are, which are wanted, and which fit.

/// A column of the list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Column {
    Time,
    What,
    Device,
    Org,
    Expiry,
    Left,
    Reason,
    Error,
    Id,
}

pub struct Spec {
    pub column: Column,
    /// The name that a configuration uses.
    pub id: &'static str,
    /// Cells it takes at least.
    pub width: usize,
    /// The least needed go first where there is no room; 0 never goes.
    pub rank: u8,
    /// What it shows, for the choice of columns.
    pub title: &'static str,
}

const fn spec(column: Column, id: &'static str, width: usize, rank: u8, title: &'static str) -> Spec {
    Spec { column, id, width, rank, title }
}

/// In the order in which they stand.
pub const COLUMNS: [Spec; 9] = [
    spec(Column::Time, "time", 14, 0, "when the event was written"),
    spec(Column::What, "what", 18, 0, "the event's type"),
    spec(Column::Device, "device", 14, 1, "the device, by name where one is known"),
    spec(Column::Org, "org", 9, 4, "the organisation"),
    spec(Column::Expiry, "expiry", 23, 5, "old and new expiry dates"),
    spec(Column::Left, "left", 7, 3, "time left of the certificate that the event leaves behind"),
    spec(Column::Reason, "reason", 11, 6, "why the certificate was renewed"),
    spec(Column::Error, "error", 14, 2, "the beginning of the error; takes what is left"),
    spec(Column::Id, "id", 36, 7, "the event's id"),
];

/// The columns that are wanted. Those that do not fit the screen are left out, least needed first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns {
    wanted: Vec<Column>,
    /// The line under the cursor while they are chosen.
    pub cursor: usize,
}

impl Default for Columns {
    fn default() -> Self {
        let wanted = COLUMNS.iter().map(|s| s.column).filter(|c| *c != Column::Id).collect();
        Self { wanted, cursor: 0 }
    }
}

impl Columns {
    /// Those of the given names; the first unknown name is the error.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let find = |name: &'a str| COLUMNS.iter().find(|s| s.id == name).map(|s| s.column).ok_or(name);
        Ok(Self { wanted: names.into_iter().map(find).collect::<Result<_, _>>()?, cursor: 0 })
    }
    /// The names of the wanted columns.
    pub fn names(&self) -> Vec<&'static str> {
        COLUMNS.iter().filter(|s| self.is_wanted(s.column)).map(|s| s.id).collect()
    }
    pub fn is_wanted(&self, column: Column) -> bool {
        self.wanted.contains(&column)
    }
    /// Shows or hides the column under the cursor.
    pub fn toggle(&mut self) {
        let Some(spec) = COLUMNS.get(self.cursor) else { return };
        if self.is_wanted(spec.column) {
            self.wanted.retain(|c| *c != spec.column);
        } else {
            self.wanted.push(spec.column);
        }
    }
    /// The columns that fit into `width` cells with `gap` cells between them, in their order, with their least widths;
    /// `more` cells are added to that of the time.
    pub fn fitting(&self, width: usize, gap: usize, more: usize) -> Vec<(Column, usize)> {
        let wanted = || COLUMNS.iter().filter(|s| self.is_wanted(s.column));
        let extra = |s: &Spec| if s.column == Column::Time { more } else { 0 };
        let need = |rank: u8| wanted().filter(|s| s.rank <= rank).map(|s| s.width + gap + extra(s)).sum::<usize>();
        let rank = (0..=7).rev().find(|rank| need(*rank) <= width + gap).unwrap_or(0);
        wanted().filter(|s| s.rank <= rank).map(|s| (s.column, s.width + extra(s))).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_least_needed_first() {
        let ids = |columns: &Columns, width| columns.fitting(width, 2, 0).iter().map(|c| c.0).collect::<Vec<_>>();
        let all = Columns::default();
        assert_eq!(ids(&all, 40), [Column::Time, Column::What]);
        assert_eq!(ids(&all, 79), [Column::Time, Column::What, Column::Device, Column::Left, Column::Error]);
        assert_eq!(ids(&all, 200).len(), 8);
        let few = Columns::named(["error", "time", "id"]).unwrap();
        assert_eq!(ids(&few, 200), [Column::Time, Column::Error, Column::Id]);
        assert_eq!(Columns::named(["time", "size"]), Err("size"));
    }
}
