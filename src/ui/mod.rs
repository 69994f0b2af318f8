//! The model as cells. Takes `&Model` and changes nothing.
//!
//! ```text
//!  header     what is looked at                              zone, time, state of the tail
//!  query      / filter                                       range, place in the result
//!  histogram  rows over time, failures below                 peak
//!  panes │ list
//!        │ detail
//!  footer     keys that work here, or what went wrong
//! ```

mod detail;
mod empty;
mod footer;
mod header;
mod help;
mod histogram;
mod list;
mod paint;
mod panes;
pub mod skin;

use ratatui::Frame;

use crate::app::geometry::FLOOR;
use crate::app::prompt::Ask;
use crate::app::{Layer, Model};

use paint::Pen;
use skin::Skin;

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
    let typing = header::query(model, skin, buf);
    histogram::draw(model, skin, buf);
    list::draw(model, skin, buf);
    detail::draw(model, skin, buf);
    let narrowing = panes::draw(model, skin, buf);
    footer::draw(model, skin, buf);
    match model.layer {
        Some(Layer::Help) => help::draw(model, skin, buf),
        Some(Layer::Columns) => help::columns(model, skin, buf),
        Some(Layer::Prompt) if model.prompt.ask == Ask::Command => help::palette(model, skin, buf),
        _ => {}
    }
    if skin.is_ascii() {
        paint::to_ascii(buf);
    }
    if let Some(place) = typing.or(narrowing) {
        frame.set_cursor_position(place);
    }
}
