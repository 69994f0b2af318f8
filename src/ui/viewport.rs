//! A cursor and a scroll offset over a list of rows. The cursor is always visible.
//!
//! Every list on screen has one; it knows no rows, only their number.

use super::action::Action;

/// Row numbers from 0, `height` in screen lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Viewport {
    pub cursor: usize,
    /// The row at the top of the screen.
    pub offset: usize,
    /// Rows that fit on screen; set by the layout.
    pub height: usize,
}

impl Viewport {
    /// Moves the cursor by `delta` in a list of `len`; returns the part of `delta` beyond the ends (negative: above the top).
    pub fn step(&mut self, delta: isize, len: usize) -> isize {
        let last = len.saturating_sub(1) as isize;
        let wanted = (self.cursor as isize).saturating_add(delta);
        let got = wanted.clamp(0, last.max(0));
        self.cursor = got as usize;
        self.settle(len);
        wanted - got
    }
    /// By how many rows an action moves the cursor; `None` if it is no move.
    pub fn by(&self, action: Action) -> Option<isize> {
        let page = self.page();
        Some(match action {
            Action::Down | Action::NextMatch => 1,
            Action::Up | Action::PrevMatch => -1,
            Action::PageDown => page,
            Action::PageUp => -page,
            Action::HalfDown => (page / 2).max(1),
            Action::HalfUp => -(page / 2).max(1),
            Action::Top => isize::MIN / 2,
            Action::Bottom => isize::MAX / 2,
            _ => return None,
        })
    }
    /// Brings cursor and offset into bounds, with the cursor on screen.
    pub fn settle(&mut self, len: usize) {
        let height = self.height.max(1);
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.offset = self.offset.min(len.saturating_sub(height));
        if self.cursor < self.offset {
            self.offset = self.cursor;
        } else if self.cursor >= self.offset + height {
            self.offset = self.cursor + 1 - height;
        }
    }
    /// Rows of a page: one less than fit, so that a row of the last page stays on screen.
    pub fn page(&self) -> isize {
        self.height.saturating_sub(1).max(1) as isize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_cursor_on_screen_and_reports_the_rest() {
        let mut v = Viewport { cursor: 0, offset: 0, height: 10 };
        assert_eq!(v.step(12, 100), 0);
        assert_eq!((v.cursor, v.offset), (12, 3));
        assert_eq!(v.step(1000, 100), 913);
        assert_eq!((v.cursor, v.offset), (99, 90));
        assert_eq!(v.step(-150, 100), -51);
        assert_eq!((v.cursor, v.offset), (0, 0));
        assert_eq!(v.step(1, 0), 1);
    }
}
