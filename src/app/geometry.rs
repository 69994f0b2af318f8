//! Where each region of the screen lies, for a size and a focus. State, not drawing: paging needs the list's height
//! in the same update that the screen is drawn from.

use ratatui::layout::Rect;

/// The smallest screen that is drawn.
pub const FLOOR: (u16, u16) = (60, 12);
const PANES_WIDTH: u16 = 29;

/// Regions that do not overlap, except `panes` where `panes_over` says that they lie over the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Geometry {
    pub screen: Rect,
    pub too_small: bool,
    pub header: Rect,
    pub query: Rect,
    /// Height zero where there is no room.
    pub histogram: Rect,
    /// Width zero where the panes are closed.
    pub panes: Rect,
    pub panes_over: bool,
    /// With the row of column titles.
    pub list: Rect,
    pub detail: Rect,
    pub footer: Rect,
}

/// What of the focus matters for the layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    pub panes: bool,
    pub detail: bool,
}

impl Geometry {
    pub fn of(width: u16, height: u16, wish: Wish) -> Self {
        let screen = Rect::new(0, 0, width, height);
        let mut g = Self { screen, too_small: width < FLOOR.0 || height < FLOOR.1, ..Self::default() };
        if g.too_small {
            return g;
        }
        g.header = Rect::new(0, 0, width, 1);
        g.query = Rect::new(0, 1, width, 1);
        g.footer = Rect::new(0, height - 1, width, 1);
        let bars = match height {
            0..=19 => 0,
            20..=29 => 3,
            30..=44 => 6,
            _ => 8,
        };
        g.histogram = Rect::new(0, 2, width, bars);
        let top = 2 + bars;
        let body = Rect::new(0, top, width, height - 1 - top);
        let fixed = width >= 110 && height >= 30;
        let panes_width = if fixed { PANES_WIDTH + if width >= 160 { 6 } else { 0 } } else { 0 };
        let main = Rect::new(panes_width, body.y, width - panes_width, body.height);
        g.panes_over = !fixed;
        g.panes = match (fixed, wish.panes) {
            (true, _) => Rect::new(0, body.y, panes_width, body.height),
            // At the right: what happened and when, at the left, stays in sight.
            (false, true) => {
                let wide = (PANES_WIDTH + 7).min(width);
                Rect::new(width - wide, 2, wide, height - 3)
            }
            (false, false) => Rect::new(0, body.y, 0, body.height),
        };
        let detail = if wish.detail {
            if height < 36 { main.height } else { main.height * 3 / 5 }
        } else {
            match main.height {
                0..=13 => 0,
                14..=22 => 6,
                23..=30 => 10,
                _ => 13,
            }
        };
        let list = main.height - detail;
        g.list = Rect::new(main.x, main.y, main.width, list);
        g.detail = Rect::new(main.x, main.y + list, main.width, detail);
        g
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
    fn regions_tile_the_screen_at_every_size() {
        for width in 1..=220 {
            for height in 1..=70 {
                for wish in [Wish::default(), Wish { panes: true, detail: false }, Wish { panes: false, detail: true }]
                {
                    let g = Geometry::of(width, height, wish);
                    if g.too_small {
                        continue;
                    }
                    let all = [g.header, g.query, g.histogram, g.list, g.detail, g.footer];
                    let area: u32 =
                        all.iter().map(|r| r.area()).sum::<u32>() + if g.panes_over { 0 } else { g.panes.area() };
                    assert_eq!(area, u32::from(width) * u32::from(height), "{width}x{height} {wish:?}");
                    assert!(all.iter().chain([&g.panes]).all(|r| r.right() <= width && r.bottom() <= height));
                }
            }
        }
    }
}
