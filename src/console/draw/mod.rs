//! The screen, drawn from `&Model` and changing nothing. Which region is drawn by which file:
//!
//! ```text
//!  header     what is open                              zone, time, live state     header.rs
//!  query bar  / filter, or a line being typed           place in the result        header.rs
//!  headline   devices that fail, go dark, are silent                               headline.rs
//!  ┌─────────────────────────────────────────────────────────────────────────┐
//!  │ the view                                             views/*/draw          │
//!  │            ┌ help, palette, columns ┐                help.rs, dialogs.rs   │
//!  └─────────────────────────────────────────────────────────────────────────┘
//!  footer     keys that work here, or what went wrong                              footer.rs
//! ```

mod dialogs;
mod footer;
mod header;
mod headline;
mod help;

use ratatui::Frame;

use crate::ui::paint::{self, Pen};
use crate::ui::skin::Skin;

use super::geometry::FLOOR;
use super::{Layer, Model};

/// Draws the whole screen.
pub fn view(model: &Model, skin: &Skin, frame: &mut Frame<'_>) {
    let g = model.geometry;
    let buf = frame.buffer_mut();
    if g.too_small {
        let words =
            format!("terminal too small: {}x{}, needs {}x{}", g.screen.width, g.screen.height, FLOOR.0, FLOOR.1);
        Pen::at(buf, g.screen, 0).put(&words, skin.text());
        return;
    }
    header::header(model, skin, buf);
    headline::draw(model, skin, buf);
    let typing = header::query(model, skin, buf);
    let narrowing = model.views.draw(&model.ctx, skin, buf);
    footer::draw(model, skin, buf);
    match &model.layer {
        Some(Layer::Help(scroll)) => help::draw(model, *scroll, skin, buf),
        Some(Layer::Columns(cursor)) => dialogs::columns(model, *cursor, skin, buf),
        Some(Layer::Palette(palette)) => dialogs::palette(model, palette, skin, buf),
        Some(Layer::Filter(_) | Layer::Time(_)) | None => {}
    }
    if skin.is_ascii() {
        paint::to_ascii(buf);
    }
    if let Some(place) = typing.or(narrowing) {
        frame.set_cursor_position(place);
    }
}
