//! What stands in the place of the list when there are no rows: why, and what to do. "No events" is said only
//! where the database has answered so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Model;
use crate::domain::format;
use crate::domain::measure;
use crate::domain::text::Clean;

use super::paint::Pen;
use super::skin::Skin;

pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer, area: Rect) {
    let mut lines: Vec<(String, bool)> = Vec::new();
    if let Some((error, _)) = model.trouble() {
        lines.push(("Could not look.".into(), true));
        lines.push((String::new(), false));
        let words = format!("{error}; {}", error.next_step());
        let room = usize::from(area.width).saturating_sub(6);
        lines.extend(measure::wrap(&Clean::line(&words), room).into_iter().map(|l| (l.as_str().to_owned(), false)));
    } else if let Some((at, goes_on)) = model.list.searched_to() {
        let when = format::stamp(at, &model.zone);
        lines.push((format!("Nothing found yet: looked back to {when}."), true));
        lines.push((String::new(), false));
        let hint = match goes_on {
            true => "It goes on until the oldest event; C-c stops it.",
            false => "Stopped. j goes on; a time range or an index ('renewscope db index --search') makes it quick.",
        };
        lines.push((hint.into(), false));
    } else if !model.list.is_settled() {
        lines.push(("asking the database …".into(), false));
    } else if !model.filter.is_empty() {
        lines.push(("No event matches this filter.".into(), true));
        for word in model.unknown_types() {
            lines.push((format!("No event at all has the type '{}'.", Clean::line(&word)), true));
        }
        lines.push((String::new(), false));
        for words in ["x   drops its last part", "X   drops all of it", "/   edits it", "0   looks at all time"] {
            lines.push((words.into(), false));
        }
    } else {
        lines.push(("No events here yet. What arrives will show up by itself.".into(), true));
        lines.push((String::new(), false));
        lines.push((format!("Looking at  {}", model.title), false));
        lines.push((String::new(), false));
        lines.push(("Get events in, from another shell:".into(), false));
        for words in [
            "  renewscope ingest FILE               events as NDJSON or CSV, - for standard input",
            "  renewscope record --device NAME …    one event, from a renewal hook",
            "  renewscope --db postgres://…         look at a server instead",
            "  renewscope demo                      a simulated fleet, to try the console on",
        ] {
            lines.push((words.into(), false));
        }
    }
    let top = area.height.saturating_sub(lines.len() as u16) / 3;
    for (row, (words, strong)) in lines.iter().enumerate() {
        let style = if *strong { skin.strong() } else { skin.muted() };
        Pen::at(buf, area, top + row as u16).skip(3).clean(&Clean::line(words), style);
    }
}
