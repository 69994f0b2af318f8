//! The event view as cells. Takes shared references and changes nothing.
//!
//! ```text
//!  histogram  rows over time, failures below        histogram.rs
//!  panes │ list                                      panes.rs, list.rs; empty.rs without rows
//!        │ detail                                    detail.rs
//! ```

mod detail;
mod empty;
mod histogram;
mod list;
mod panes;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use crate::domain::format;
use crate::domain::page::Total;
use crate::ui::ctx::Ctx;
use crate::ui::skin::Skin;

use super::Events;

/// What every region is drawn from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    /// The state to draw, laid out by [`Events::settle`].
    view: &'a Events,
    ctx: &'a Ctx,
    skin: &'a Skin,
}

impl Events {
    /// Draws the view; returns where the cursor is while a value is typed. Draws in `ctx.body` alone, in the regions of
    /// [`Events::geometry`].
    pub fn draw(&self, ctx: &Ctx, skin: &Skin, buf: &mut Buffer) -> Option<Position> {
        let scene = Scene { view: self, ctx, skin };
        histogram::draw(scene, buf);
        list::draw(scene, buf);
        detail::draw(scene, buf);
        panes::draw(scene, buf)
    }

    /// `170 of 1,284`, as far as it is known, and whether it is that of an older query.
    pub fn place(&self, ctx: &Ctx, skin: &Skin) -> (String, bool) {
        (place_in_result(Scene { view: self, ctx, skin }), self.list.is_stale())
    }
}

/// Why there is no number, or how far a search has come, or the selected row's place and the number of matching rows.
fn place_in_result(Scene { view, ctx, skin }: Scene<'_>) -> String {
    if view.list.error().is_some() {
        return "the query failed".into();
    }
    if let Some((at, goes_on)) = view.list.searched_to() {
        let when = format::clock(at, &ctx.zone, true);
        let state =
            if goes_on { format!("searched back to {when}{}", skin.glyphs.more) } else { format!("stopped at {when}") };
        return format!("{} found, {state}", format::count(view.list.rows().len() as u64));
    }
    let total = match view.count.value() {
        Some(Total::Exact(n)) => format::count(*n),
        Some(Total::AtLeast(n)) => format!("{} {}", skin.glyphs.at_least, format::count(*n)),
        None => skin.glyphs.more.into(),
    };
    let total = if view.count.is_changing() { "counting".to_owned() + skin.glyphs.more } else { total };
    match view.list.position() {
        Some(n) if !view.list.is_following() && ctx.body.width >= 100 => {
            let loaded = format::count(view.list.rows().len() as u64);
            format!("{} of {total} {} {loaded} loaded", format::count(n), skin.glyphs.dot)
        }
        Some(n) if !view.list.is_following() => format!("{} of {total}", format::count(n)),
        _ => format!("{total} {}", if total == "1" { "event" } else { "events" }),
    }
}
