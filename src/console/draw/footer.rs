//! The last line: the keys that matter where the focus is, or what the user must know first.

use ratatui::buffer::Buffer;

use crate::console::filter_edit::FilterEdit;
use crate::console::{Layer, Model};
use crate::domain::format;
use crate::domain::instant::Instant;
use crate::domain::measure;
use crate::domain::text::Clean;
use crate::protocol::SourceError;
use crate::ui::action::Hint::{Keys, Plain};
use crate::ui::action::{Action, Hint};
use crate::ui::ctx::Link;
use crate::ui::paint::{Pen, wash};
use crate::ui::skin::Skin;

/// Draws what is most urgent: an error of the typed line, completions, trouble, a notice, else the hints. Trouble of
/// the connection hides notices, but not the mistakes in a text that is typed.
pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let area = model.geometry.footer;
    let mistake = match &model.layer {
        Some(Layer::Filter(edit)) if !edit.offers().is_empty() => return offers(model, edit, skin, buf),
        Some(Layer::Filter(edit)) => edit.error().map(ToString::to_string),
        Some(Layer::Time(prompt)) => prompt.error.clone(),
        _ => None,
    };
    if let Some(mistake) = mistake {
        Pen::at(buf, area, 0).put(" ", skin.bad()).clean(&Clean::line(&mistake), skin.bad());
    } else if let Some((error, since)) = model.trouble() {
        wash(buf, area, skin.banner());
        Pen::at(buf, area, 0).clean(&Clean::line(&trouble(model, error, since)), skin.banner());
    } else if let Some(notice) = model.notice() {
        Pen::at(buf, area, 0).put(" ", skin.accent()).clean(&Clean::line(notice), skin.accent());
    } else if let Some(waited) = model.waits() {
        let words = format!(
            " reading for {}: a long query, a busy database, or all its connections in use; {} cancels",
            format::span(waited),
            model.settings.keymap.key(Action::Cancel)
        );
        Pen::at(buf, area, 0).clean(&Clean::line(&words), skin.warn());
    } else {
        keys(model, skin, buf);
    }
}

/// What failed, since when, why, and what to do.
fn trouble(model: &Model, error: &SourceError, since: Option<Instant>) -> String {
    let since = since.map_or(String::new(), |t| format!(" since {}", format::clock(t, &model.ctx.zone, false)));
    let next = error.next_step();
    match &model.ctx.link {
        // The address is in the header; here is room for the reason and the way out.
        Link::Away { error: SourceError::Unreachable { why, .. }, .. } => format!(" unreachable{since}: {why}; {next}"),
        Link::Away { error: SourceError::Refused { why, .. }, .. } => format!(" refused{since}: {why}; {next}"),
        _ if *error == SourceError::Cancelled => " cancelled (r runs the query again)".into(),
        _ => format!(" query failed{since}: {error}; {next} (r retries)"),
    }
}

/// Draws the hints that fit, from the left. An action that the configuration left without a key has no hint.
fn keys(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let mut pen = Pen::at(buf, model.geometry.footer, 0);
    for hint in hints(model) {
        let (key, words) = match hint {
            Plain(key, words) => ((*key).to_owned(), *words),
            Keys(actions, words) => {
                let first = |action: &Action| model.settings.keymap.key(*action);
                let keys: Vec<_> = actions.iter().map(first).filter(|k| !k.is_empty()).collect();
                if keys.is_empty() {
                    continue;
                }
                (keys.join(" "), *words)
            }
        };
        if pen.left() < measure::width(&key) + measure::width(words) + 3 {
            break;
        }
        pen.put(" ", skin.text())
            .put(&key, skin.key())
            .put(" ", skin.text())
            .put(words, skin.muted())
            .put(" ", skin.text());
    }
}

/// The completions that Tab puts into the filter, the one in the text marked.
fn offers(model: &Model, edit: &FilterEdit, skin: &Skin, buf: &mut Buffer) {
    let mut pen = Pen::at(buf, model.geometry.footer, 0);
    pen.put(" Tab ", skin.key());
    let first = edit.taken().unwrap_or(0).saturating_sub(3);
    for (i, offer) in edit.offers().iter().enumerate().skip(first) {
        if pen.left() < 4 {
            break;
        }
        let style = if edit.taken() == Some(i) { skin.strong().patch(skin.selected(true)) } else { skin.muted() };
        pen.put(" ", skin.text()).clean(&offer.label, style).put(" ", skin.text());
    }
}

/// The hints of the open layer, else those of the view.
fn hints(model: &Model) -> &'static [Hint] {
    match &model.layer {
        Some(Layer::Filter(_)) => {
            &[Plain("Enter", "apply"), Plain("Esc", "leave as it was"), Plain("Up", "earlier filters")]
        }
        Some(Layer::Time(_)) => &[
            Plain("Enter", "use"),
            Plain("Esc", "leave"),
            Plain("", "24h   2026-11-20 14:00   yesterday..today   @TIME jumps there"),
        ],
        Some(Layer::Palette(_)) => &[Plain("Enter", "run"), Plain("Down Up", "choose"), Plain("Esc", "leave")],
        Some(Layer::Columns(_)) => &[Plain("Enter", "show or hide"), Plain("j k", "move"), Plain("Esc", "close")],
        Some(Layer::Help(_)) => &[Keys(&[Action::Down, Action::Up], "scroll"), Keys(&[Action::Close], "close")],
        None => model.views.hints(),
    }
}
