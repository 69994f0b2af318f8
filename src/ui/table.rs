//! Columns as data: which a table has, which are wanted, which fit, and their title row.
//!
//! A view declares a `const` array of [`ColumnSpec`]; the choice of columns, the configuration and the title row derive
//! from it. It knows nothing of rows: a view paints its own cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::text::Clean;

use super::paint::Pen;

/// Cells between two columns.
pub const GAP: usize = 2;

/// One column of a table; `C` is the view's own enum of columns.
#[derive(Debug)]
pub struct ColumnSpec<C: 'static> {
    pub column: C,
    /// The name that a configuration uses.
    pub id: &'static str,
    /// Cells it takes at least.
    pub width: usize,
    /// The highest ranks are dropped first if there is no room; 0 is never dropped.
    pub rank: u8,
    /// What it shows, for the choice of columns.
    pub title: &'static str,
}

/// The wanted columns of a table.
#[derive(Clone, Debug)]
pub struct Columns<C: 'static> {
    all: &'static [ColumnSpec<C>],
    wanted: Vec<C>,
}

impl<C: Copy + PartialEq> PartialEq for Columns<C> {
    fn eq(&self, other: &Self) -> bool {
        self.wanted == other.wanted
    }
}

impl<C: Copy + PartialEq> Columns<C> {
    /// All columns of a table, of which `wanted` are shown.
    pub fn new(all: &'static [ColumnSpec<C>], wanted: Vec<C>) -> Self {
        Self { all, wanted }
    }
    /// As this one, with the columns of the given names wanted; the first unknown name is the error.
    pub fn named<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let find = |name: &'a str| self.all.iter().find(|s| s.id == name).map(|s| s.column).ok_or(name);
        Ok(Self { wanted: names.into_iter().map(find).collect::<Result<_, _>>()?, all: self.all })
    }
    /// The table's columns, in their order on screen.
    pub fn all(&self) -> &'static [ColumnSpec<C>] {
        self.all
    }
    /// All columns of a table, all of them shown.
    pub fn whole(all: &'static [ColumnSpec<C>]) -> Self {
        Self::new(all, all.iter().map(|spec| spec.column).collect())
    }
    /// Each column in its order, with whether the user wants it: for the dialog that chooses.
    pub fn choices(&self) -> impl Iterator<Item = (&'static ColumnSpec<C>, bool)> {
        self.all.iter().map(|spec| (spec, self.is_wanted(spec.column)))
    }
    /// The names of the wanted columns.
    pub fn names(&self) -> Vec<&'static str> {
        self.all.iter().filter(|s| self.is_wanted(s.column)).map(|s| s.id).collect()
    }
    /// Whether the user wants the column, at any width of the terminal.
    pub fn is_wanted(&self, column: C) -> bool {
        self.wanted.contains(&column)
    }
    /// Shows or hides the column with the number `at`, from 0.
    pub fn toggle(&mut self, at: usize) {
        let Some(spec) = self.all.get(at) else { return };
        if self.is_wanted(spec.column) {
            self.wanted.retain(|c| *c != spec.column);
        } else {
            self.wanted.push(spec.column);
        }
    }
    /// The columns that fit into `width` cells, in their order, with their least widths; `extra` cells are added to that
    /// of a column.
    pub fn fitting(&self, width: usize, extra: impl Fn(C) -> usize) -> Vec<(C, usize)> {
        let wanted = || self.all.iter().filter(|s| self.is_wanted(s.column));
        let cells = |s: &ColumnSpec<C>| s.width + extra(s.column);
        let need = |rank: u8| wanted().filter(|s| s.rank <= rank).map(|s| cells(s) + GAP).sum::<usize>();
        let lowest = self.all.iter().map(|s| s.rank).max().unwrap_or(0);
        let rank = (0..=lowest).rev().find(|rank| need(*rank) <= width + GAP).unwrap_or(0);
        wanted().filter(|s| s.rank <= rank).map(|s| (s.column, cells(s))).collect()
    }
}

/// Paints the title row over `columns`, each a title and its width, behind a first cell that belongs to the cursor.
pub fn titles(buf: &mut Buffer, area: Rect, columns: impl Iterator<Item = (String, usize)>, style: Style) {
    let mut pen = Pen::at(buf, area, 0);
    pen.skip(1);
    for (title, width) in columns {
        pen.cell(&Clean::line(&title), width, style).skip(GAP);
    }
}
