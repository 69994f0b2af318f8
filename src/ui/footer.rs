//! The last line: the keys that matter where the focus is, or what the user must know first.

use ratatui::buffer::Buffer;

use crate::app::action::{Action, Preset};
use crate::app::panes::PaneId;
use crate::app::prompt::Ask;
use crate::app::tail::Link;
use crate::app::{Focus, Layer, Model};
use crate::domain::format;
use crate::domain::measure;
use crate::domain::text::Clean;

use crate::protocol::SourceError;

use super::paint::{Pen, wash};
use super::skin::Skin;

pub fn draw(model: &Model, skin: &Skin, buf: &mut Buffer) {
    let area = model.geometry.footer;
    if model.layer == Some(Layer::Filter)
        && let Some(error) = model.edit.error()
        && model.edit.offers().is_empty()
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
        let words = match &model.tail.link {
            // The address is in the top line; here is room for the reason and the way out.
            Link::Away { error: SourceError::Unreachable { why, .. }, .. } => {
                format!(" no answer{since}: {why}; {}", error.next_step())
            }
            Link::Away { error: SourceError::Refused { why, .. }, .. } => {
                format!(" refused{since}: {why}; {}", error.next_step())
            }
            _ => format!(" could not look{since}: {error}; {} (r asks again)", error.next_step()),
        };
        Pen::at(buf, area, 0).clean(&Clean::line(&words), skin.banner());
        return;
    }
    if let Some(notice) = model.notice() {
        Pen::at(buf, area, 0).put(" ", skin.accent()).clean(&Clean::line(notice), skin.accent());
        return;
    }
    let mut pen = Pen::at(buf, area, 0);
    for hint in hints(model) {
        let (key, words) = match hint {
            Plain(key, words) => ((*key).to_owned(), *words),
            Keys(actions, words) => {
                let keys: Vec<_> = actions.iter().map(|a| model.keymap().key(*a)).filter(|k| !k.is_empty()).collect();
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

/// A key, and what it does here.
enum Hint {
    /// The first key of each action.
    Keys(&'static [Action], &'static str),
    /// A key that is not bound to an action, or words alone.
    Plain(&'static str, &'static str),
}

use Hint::{Keys, Plain};

fn hints(model: &Model) -> &'static [Hint] {
    match (model.layer, model.focus) {
        (Some(Layer::Filter), _) => {
            &[Plain("Enter", "apply"), Plain("Esc", "leave as it was"), Plain("Up", "earlier filters")]
        }
        (Some(Layer::Prompt), _) if model.prompt.ask == Ask::Time => &[
            Plain("Enter", "use"),
            Plain("Esc", "leave"),
            Plain("", "24h   2026-11-20 14:00   yesterday..today   @TIME jumps there"),
        ],
        (Some(Layer::Prompt), _) => &[Plain("Enter", "run"), Plain("Down Up", "choose"), Plain("Esc", "leave")],
        (Some(Layer::Columns), _) => &[Plain("Enter", "show or hide"), Plain("j k", "move"), Plain("Esc", "close")],
        (Some(Layer::Help), _) => &[Keys(&[Action::Down, Action::Up], "scroll"), Keys(&[Action::Close], "close")],
        (None, _) if model.narrowing().is_some() => {
            &[Plain("", "type to find a value"), Plain("Enter", "pick"), Plain("Esc", "show all")]
        }
        (None, Focus::Histogram) => &[
            Keys(&[Action::Left, Action::Right], "move"),
            Keys(&[Action::Open], "narrow to this"),
            Keys(&[Action::ZoomIn, Action::ZoomOut], "zoom"),
            Keys(&[Action::Range(Preset::All)], "all time"),
            Keys(&[Action::Close], "list"),
            Keys(&[Action::Help], "keys"),
        ],
        (None, Focus::Pane(PaneId::Time)) => &[
            Keys(&[Action::Left, Action::Right], "move"),
            Keys(&[Action::Open], "use"),
            Keys(&[Action::TimeDialog], "other times"),
            Keys(&[Action::NextPane], "next pane"),
            Keys(&[Action::Close], "list"),
            Keys(&[Action::Help], "keys"),
        ],
        (None, Focus::Pane(_)) => &[
            Keys(&[Action::Open], "pick"),
            Keys(&[Action::Exclude], "exclude"),
            Keys(&[Action::Only], "only this"),
            Keys(&[Action::EditFilter], "find"),
            Keys(&[Action::NextPane], "next pane"),
            Keys(&[Action::DropChip], "drop last"),
            Keys(&[Action::Close], "list"),
            Keys(&[Action::Help], "keys"),
        ],
        (None, Focus::Detail) => &[
            Keys(&[Action::Down, Action::Up], "scroll"),
            Keys(&[Action::Copy], "copy"),
            Keys(&[Action::Include], "this device"),
            Keys(&[Action::Close], "list"),
            Keys(&[Action::Help], "keys"),
        ],
        (None, Focus::List) => &[
            Keys(&[Action::EditFilter], "filter"),
            Keys(&[Action::NextPane], "panes"),
            Keys(&[Action::Open], "open"),
            Keys(&[Action::Failures], "failures"),
            Keys(&[Action::NextFailure], "next failure"),
            Keys(&[Action::Range(Preset::Day)], "24h"),
            Keys(&[Action::Help], "keys"),
            Keys(&[Action::Range(Preset::All)], "all time"),
            Keys(&[Action::Pause], "pause"),
            Keys(&[Action::Palette], "commands"),
            Keys(&[Action::Back], "quit"),
        ],
    }
}
