//! In place of the list if there are no rows: why, and what to do. "No events" is shown only after the database has
//! answered so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::format;
use crate::domain::measure;
use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::ui::paint::Pen;

use super::Scene;

/// Draws the lines with a third of the free rows above them.
pub fn draw(scene: Scene<'_>, buf: &mut Buffer, area: Rect) {
    let lines = lines(scene, usize::from(area.width).saturating_sub(6));
    let top = area.height.saturating_sub(lines.len() as u16) / 3;
    for (row, (words, strong)) in lines.iter().enumerate() {
        let style = if *strong { scene.skin.strong() } else { scene.skin.muted() };
        Pen::at(buf, area, top + row as u16).skip(3).clean(&Clean::line(words), style);
    }
}

/// The lines to show, each with whether it is strong; an error is wrapped at `room` cells.
fn lines(Scene { view, ctx, .. }: Scene<'_>, room: usize) -> Vec<(String, bool)> {
    let mut lines: Vec<(String, bool)> = Vec::new();
    if view.trouble(ctx) == Some(&SourceError::Cancelled) {
        lines.push(("Cancelled.".into(), true));
        lines.push((String::new(), false));
        lines.push(("r   run the query again".into(), false));
    } else if let Some(error) = view.trouble(ctx) {
        lines.push(("The query failed.".into(), true));
        lines.push((String::new(), false));
        let words = Clean::line(&format!("{error}; {}", error.next_step()));
        lines.extend(measure::wrap(&words, room).into_iter().map(|l| (l.as_str().to_owned(), false)));
    } else if let Some((at, goes_on)) = view.list.searched_to() {
        lines.push((format!("Nothing found yet: searched back to {}.", format::stamp(at, &ctx.zone)), true));
        lines.push((String::new(), false));
        let hint = match goes_on {
            true => "Still searching older events. Ctrl-C stops.",
            false => "Stopped. j continues; a time range or an index ('renewscope db index --search') is faster.",
        };
        lines.push((hint.into(), false));
    } else if !view.list.is_settled() {
        lines.push(("Loading …".into(), false));
    } else if !ctx.filter.is_empty() {
        lines.push(("No event matches this filter.".into(), true));
        for word in view.unknown_types(ctx) {
            lines.push((format!("No event at all has the type '{}'.", Clean::line(&word)), true));
        }
        lines.push((String::new(), false));
        for words in ["x   remove the last term", "X   clear the filter", "/   edit the filter", "0   show all time"] {
            lines.push((words.into(), false));
        }
    } else {
        lines.push(("No events yet. New ones appear here as they arrive.".into(), true));
        lines.push((String::new(), false));
        lines.push((format!("Database  {}", ctx.title), false));
        lines.push((String::new(), false));
        lines.push(("To store events, from another shell:".into(), false));
        let reach = if ctx.reach.is_empty() { String::new() } else { format!(" {}", ctx.reach) };
        for (command, does) in [
            (format!("renewscope{reach} ingest FILE"), "events as NDJSON or CSV, - for standard input"),
            (format!("renewscope{reach} record --device NAME …"), "one event, from a renewal hook"),
            ("renewscope --db postgres://…".to_owned(), "open a server instead"),
            ("renewscope demo".to_owned(), "a simulated fleet, to try the console on"),
        ] {
            // A command that fills the line goes before its purpose, so that neither is cut.
            match measure::width(&command).max(34) + measure::width(does) + 4 <= room {
                true => lines.push((format!("  {command:<34}  {does}"), false)),
                false => lines.extend([(format!("  {command}"), false), (format!("      {does}"), false)]),
            }
        }
    }
    lines
}
