//! Where the shell's regions lie, for a size: header, query bar, headline, body of the view, footer.
//!
//! State, not drawing. A view lays out its own body.

use ratatui::layout::Rect;

/// The smallest screen that is drawn, in columns and rows.
pub const FLOOR: (u16, u16) = (60, 12);

/// Regions that tile the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Geometry {
    /// The whole terminal.
    pub screen: Rect,
    /// The screen is smaller than [`FLOOR`]: only a message that says so is drawn.
    pub too_small: bool,
    /// The first row: source, clock, live state.
    pub header: Rect,
    /// The second row: the filter, or a text that is typed.
    pub query: Rect,
    /// The third row: what matters most, on every view.
    pub headline: Rect,
    /// Empty if the screen is too small.
    pub body: Rect,
    /// The last row: hints, or what went wrong.
    pub footer: Rect,
}

impl Geometry {
    /// The regions of a screen of that size. Sizes are in columns and rows.
    pub fn of(width: u16, height: u16) -> Self {
        let screen = Rect::new(0, 0, width, height);
        if width < FLOOR.0 || height < FLOOR.1 {
            return Self { screen, too_small: true, ..Self::default() };
        }
        Self {
            screen,
            too_small: false,
            header: Rect::new(0, 0, width, 1),
            query: Rect::new(0, 1, width, 1),
            headline: Rect::new(0, 2, width, 1),
            body: Rect::new(0, 3, width, height - 4),
            footer: Rect::new(0, height - 1, width, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_tile_the_screen_at_every_size() {
        for width in 1..=220 {
            for height in 1..=70 {
                let g = Geometry::of(width, height);
                let area: u32 = [g.header, g.query, g.headline, g.body, g.footer].iter().map(|r| r.area()).sum();
                assert_eq!(area, if g.too_small { 0 } else { g.screen.area() }, "{width}x{height}");
            }
        }
    }
}
