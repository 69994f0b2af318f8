//! The last line: the keys that matter where the focus is, or what the user must know first.

use ratatui::buffer::Buffer;

use crate::app::panes::PaneId;
use crate::app::prompt::Ask;
use crate::app::{Focus, Layer, Model};
use crate::domain::format;
use crate::domain::measure;
use crate::domain::text::Clean;

use super::paint::{Pen, wash};
use super::skin::Skin;

pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let area = model.geometry.footer;
    if model.layer == Some(Layer::Filter)
        && let Some(error) = model.edit.error()
    {
        Pen::at(buf, area, 0).put(" ", skin.bad()).clean(&Clean::line(&error.to_string()), skin.bad());
        return;
    }
    if model.layer == Some(Layer::Prompt)
        && let Some(error) = &model.prompt.error
    {
        Pen::at(buf, area, 0).put(" ", skin.bad()).clean(&Clean::line(error), skin.bad());
        return;
    }
    if model.layer == Some(Layer::Filter) && !model.edit.offers().is_empty() {
        return offers(model, skin, buf);
    }
    if let Some((error, since)) = model.trouble() {
        wash(buf, area, skin.banner());
        let since = since.map_or(String::new(), |t| format!(" since {}", format::clock(t, &model.zone, false)));
        let words = format!(" could not look{since}: {error}; {} (r asks again)", error.next_step());
        Pen::at(buf, area, 0).clean(&Clean::line(&words), skin.banner());
        return;
    }
    if let Some(notice) = model.notice() {
        Pen::at(buf, area, 0).put(" ", skin.accent()).clean(&Clean::line(notice), skin.accent());
        return;
    }
    let mut pen = Pen::at(buf, area, 0);
    for (key, words) in hints(model) {
        if pen.left() < measure::width(key) + measure::width(words) + 3 {
            break;
        }
        pen.put(" ", skin.text())
            .put(key, skin.key())
            .put(" ", skin.text())
            .put(words, skin.muted())
            .put(" ", skin.text());
    }
}

/// What Tab would put into the filter, the one that stands there marked.
fn offers(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let mut pen = Pen::at(buf, model.geometry.footer, 0);
    pen.put(" Tab ", skin.key());
    let first = model.edit.taken().unwrap_or(0).saturating_sub(3);
    for (i, offer) in model.edit.offers().iter().enumerate().skip(first) {
        if pen.left() < 4 {
            break;
        }
        let style = if model.edit.taken() == Some(i) { skin.strong().patch(skin.selected(true)) } else { skin.muted() };
        pen.put(" ", skin.text()).clean(&offer.label, style).put(" ", skin.text());
    }
}

type Hint = (&'static str, &'static str);

fn hints(model: &Model) -> &'static [Hint] {
    match (model.layer, model.focus) {
        (Some(Layer::Filter), _) => &[
            ("Enter", "apply"),
            ("Esc", "leave as it was"),
            ("Up", "earlier filters"),
            ("", "type:failed  org:NAME  device:edge-*  since:24h  \"any words\""),
        ],
        (Some(Layer::Prompt), _) if model.prompt.ask == Ask::Time => {
            &[("Enter", "use"), ("Esc", "leave"), ("", "24h   2026-11-20 14:00   yesterday..today   @TIME jumps there")]
        }
        (Some(Layer::Prompt), _) => &[("Enter", "run"), ("Down Up", "choose"), ("Esc", "leave")],
        (Some(Layer::Help), _) => &[("j k", "scroll"), ("Esc", "close")],
        (None, _) if model.narrowing().is_some() => {
            &[("", "type to find a value"), ("Enter", "pick"), ("Esc", "show all")]
        }
        (None, Focus::Histogram) => &[
            ("h l", "move"),
            ("Enter", "narrow to this"),
            ("z Z", "zoom"),
            ("0", "all time"),
            ("Esc", "list"),
            ("?", "keys"),
        ],
        (None, Focus::Pane(PaneId::Time)) => {
            &[("h l", "move"), ("Enter", "use"), ("Tab", "next pane"), ("Esc", "list"), ("?", "keys")]
        }
        (None, Focus::Pane(_)) => &[
            ("Enter", "pick"),
            ("-", "exclude"),
            ("o", "only this"),
            ("/", "find"),
            ("Tab", "next pane"),
            ("x", "drop last"),
            ("Esc", "list"),
            ("?", "keys"),
        ],
        (None, Focus::Detail) => {
            &[("j k", "scroll"), ("c", "copy"), ("+", "this device"), ("Esc", "list"), ("?", "keys")]
        }
        (None, Focus::List) => &[
            ("/", "filter"),
            ("Tab", "panes"),
            ("Enter", "open"),
            ("!", "failures"),
            ("e", "next failure"),
            ("3", "24h"),
            ("0", "all time"),
            ("Space", "pause"),
            ("?", "keys"),
            ("q", "quit"),
        ],
    }
}
