//! Where each region of the event view lies in its body. State, not drawing: paging needs the list's height in the same
//! update that the screen is drawn from.

use ratatui::layout::Rect;

/// Cells of the panes. From 160 columns on, and where they lie over the list, they get more.
const PANES_WIDTH: u16 = 29;
/// Cells that the panes get in addition while the pane of errors has the focus: their texts are sentences.
const SENTENCES: u16 = 24;

/// Regions that do not overlap, except `panes` if `panes_over` says that they lie over the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Geometry {
    /// Height zero if there is no room.
    pub histogram: Rect,
    /// Width zero if the panes are closed.
    pub panes: Rect,
    /// The terminal is too small for panes beside the list: they cover its right part while one has the focus.
    pub panes_over: bool,
    /// With the row of column titles.
    pub list: Rect,
    /// Height zero if there is no room.
    pub detail: Rect,
}

/// What of the focus matters for the layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// A pane has the focus, so the panes are drawn at any size.
    pub panes: bool,
    /// It is the pane of errors, so the panes are wider.
    pub errors: bool,
    /// The detail has the focus, so it takes the list's rows: three fifths in a body of 33 rows or more, else all.
    pub detail: bool,
}

impl Geometry {
    /// The regions within `body`; all empty if it is. The histogram needs a body of 17 rows, panes beside the list one
    /// of 110 columns and 27 rows.
    pub fn of(body: Rect, wish: Wish) -> Self {
        if body.area() == 0 {
            return Self::default();
        }
        let bars = match body.height {
            0..=16 => 0,
            17..=26 => 3,
            27..=41 => 6,
            _ => 8,
        };
        let histogram = Rect { height: bars, ..body };
        let rest = Rect { y: body.y + bars, height: body.height - bars, ..body };
        let fixed = body.width >= 110 && body.height >= 27;
        let more = if wish.errors { SENTENCES } else { 0 };
        let panes_width = if fixed { PANES_WIDTH + more + if body.width >= 160 { 6 } else { 0 } } else { 0 };
        let main = Rect { x: rest.x + panes_width, width: rest.width - panes_width, ..rest };
        let panes = match (fixed, wish.panes) {
            (true, _) => Rect { width: panes_width, ..rest },
            // At the right: what happened and when, at the left, stays visible.
            (false, true) => {
                let wide = (PANES_WIDTH + more + 7).min(body.width);
                Rect { x: body.right() - wide, width: wide, ..body }
            }
            (false, false) => Rect { width: 0, ..rest },
        };
        let detail = if wish.detail {
            if body.height < 33 { main.height } else { main.height * 3 / 5 }
        } else {
            match main.height {
                0..=13 => 0,
                14..=22 => 6,
                23..=30 => 10,
                _ => 13,
            }
        };
        let list = main.height - detail;
        Self {
            histogram,
            panes,
            panes_over: !fixed,
            list: Rect { height: list, ..main },
            detail: Rect { y: main.y + list, height: detail, ..main },
        }
    }
    /// Rows of the list that fit below its titles.
    pub fn list_rows(&self) -> usize {
        usize::from(self.list.height.saturating_sub(1))
    }
    /// Rows of text that fit below the detail's title.
    pub fn detail_rows(&self) -> usize {
        usize::from(self.detail.height.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_tile_the_body_at_every_size() {
        for width in 60..=220 {
            for height in 9..=70 {
                let errors = Wish { panes: true, errors: true, detail: false };
                for wish in [
                    Wish::default(),
                    Wish { errors: false, ..errors },
                    errors,
                    Wish { detail: true, ..Wish::default() },
                ] {
                    let body = Rect::new(0, 2, width, height);
                    let g = Geometry::of(body, wish);
                    let all = [g.histogram, g.list, g.detail];
                    let area: u32 =
                        all.iter().map(|r| r.area()).sum::<u32>() + if g.panes_over { 0 } else { g.panes.area() };
                    assert_eq!(area, body.area(), "{width}x{height} {wish:?}");
                    assert!(
                        all.iter().chain([&g.panes]).all(|r| r.right() <= body.right() && r.bottom() <= body.bottom())
                    );
                }
            }
        }
    }
}
