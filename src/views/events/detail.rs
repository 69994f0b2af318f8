//! The selected event in words: every field, what its dates mean now, and what is wrong with them.
//!
//! Texts are wrapped here, once per event and width; drawing only places the lines.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::event::{ErrorText, RenewalEvent};
use crate::domain::format;
use crate::domain::instant::{Instant, Span};
use crate::domain::measure;
use crate::domain::signature::Signature;
use crate::domain::source::Part;
use crate::domain::text::{Clean, Text};
use crate::domain::zone::Zone;
use crate::protocol::{Query, Request, Slot};

use crate::ui::fetch::Fetch;
use crate::ui::needles::Needles;

/// Cells before the text of an error: a margin and its label.
pub const INDENT: usize = 14;
/// The cursor must stay this long on an event before its cut error is fetched whole.
const DWELL: Duration = Duration::from_millis(120);
/// Lines of an error that are wrapped for the screen; a last line says that more follow.
const LINES: usize = 20_000;

/// The event that is shown, its texts wrapped for a width, and the scroll offset.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The event with its whole error, once fetched.
    whole: Fetch<Option<Arc<RenewalEvent>>>,
    /// The row of the list, and the whole event once that is fetched.
    shown: Option<Arc<RenewalEvent>>,
    /// Cells that the texts are wrapped to; 0 if they are not wrapped yet.
    width: usize,
    /// Lines of the error, each at most `width` cells.
    error: Vec<Clean>,
    /// Further columns of the source, wrapped: a label, and its lines.
    more: Vec<(Clean, Vec<Clean>)>,
    /// Lines scrolled off at the top. It may be too large: drawing limits it to the last screenful.
    pub scroll: usize,
}

impl Default for Detail {
    fn default() -> Self {
        Self { whole: Fetch::new(Slot::Detail), shown: None, width: 0, error: Vec::new(), more: Vec::new(), scroll: 0 }
    }
}

impl Detail {
    /// The event that is shown; `None` if no row is selected.
    pub fn event(&self) -> Option<&Arc<RenewalEvent>> {
        self.shown.as_ref()
    }
    /// The error in lines of safe text, at most 20,000 and a note; empty without an error.
    pub fn error_lines(&self) -> &[Clean] {
        &self.error
    }
    /// The further columns of the event's source, each with its lines; they are below everything else.
    pub fn more_lines(&self) -> &[(Clean, Vec<Clean>)] {
        &self.more
    }
    /// Whether the shown error is only its beginning.
    pub fn is_cut(&self) -> bool {
        self.shown.as_ref().and_then(|e| e.error.as_ref()).is_some_and(|e| !e.is_whole())
    }
    /// The query for the whole event; its error is why the rest of a cut text is missing.
    pub fn fetch(&self) -> &Fetch<Option<Arc<RenewalEvent>>> {
        &self.whole
    }
    pub fn fetch_mut(&mut self) -> &mut Fetch<Option<Arc<RenewalEvent>>> {
        &mut self.whole
    }

    /// Shows `event` at `width` cells; requests the whole error if the list has only its head. A page has error texts
    /// cut, and none of the source's further columns. The request waits 120 ms, so that moving through the list does
    /// not run one for each row.
    pub fn show(&mut self, event: Option<&Arc<RenewalEvent>>, width: usize) -> Option<Request> {
        let same = match (&self.shown, event) {
            (Some(a), Some(b)) => a.id == b.id && a.created_at == b.created_at,
            (None, None) => true,
            _ => false,
        };
        if same {
            self.rewrap(width);
            return None;
        }
        self.shown = event.cloned();
        self.scroll = 0;
        self.whole.clear();
        self.width = 0;
        self.rewrap(width);
        let event = self.shown.as_ref()?;
        let cut = event.error.as_ref().is_some_and(|e| !e.is_whole());
        // A page has no further columns.
        let more = event.beyond.as_ref().is_some_and(|b| b.traits.has_more && b.more.is_none());
        (cut || more).then(|| self.whole.request(Query::Event { id: event.id.clone() }, DWELL))
    }

    /// Takes the whole event that was fetched. One that came for another event is ignored.
    pub fn take_whole(&mut self) {
        if let Some(Some(event)) = self.whole.value()
            && self.shown.as_ref().is_some_and(|s| s.id == event.id)
        {
            self.shown = Some(event.clone());
            let width = std::mem::take(&mut self.width);
            self.rewrap(width);
        }
    }

    /// Scrolls to the next line of the error (`by` 1; -1: the one before) that has one of the needles. `rows` is the
    /// height in lines. Returns `false`, and does not scroll, if there is none.
    pub fn seek(&mut self, by: isize, needles: &Needles, rows: usize) -> bool {
        // Lines above the error: they scroll with it.
        let head = self.shown.as_ref().map_or(0, |e| fields(e, e.created_at, &Zone::Utc).len() + 1);
        let hits: Vec<usize> = self
            .error
            .iter()
            .enumerate()
            .filter(|(_, l)| needles.first(l.as_str()).is_some())
            .map(|(i, _)| i + head)
            .collect();
        let last = (head + self.error.len()).saturating_sub(rows);
        let here = self.scroll.min(last + 4);
        let found = if by > 0 { hits.iter().find(|h| **h > here) } else { hits.iter().rev().find(|h| **h < here) };
        let Some(found) = found else { return false };
        self.scroll = *found;
        true
    }

    /// Wraps error and further columns, if the width is another one than before.
    fn rewrap(&mut self, width: usize) {
        if self.width == width {
            return;
        }
        self.width = width;
        self.error.clear();
        let more = self.shown.iter().filter_map(|e| e.beyond.as_ref()?.more.as_ref()).flatten();
        let wrapped = |(label, text): &(Arc<str>, Text)| {
            let lines = text.clean_lines().iter().flat_map(|line| measure::wrap(line, width)).take(LINES).collect();
            (Clean::line(label), lines)
        };
        self.more = more.map(wrapped).collect();
        let Some(error) = self.shown.as_ref().and_then(|e| e.error.as_ref()) else { return };
        for line in error.text.clean_lines() {
            self.error.extend(measure::wrap(&line, width));
            if self.error.len() > LINES {
                self.error.truncate(LINES);
                self.error.push(Clean::line("… the rest is not shown; 'renewscope get' prints all of it"));
                break;
            }
        }
    }
}

/// What a detail line means beyond its words; drawing gives each a color.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// A value without a judgment.
    Plain,
    /// Secondary, or not recorded.
    Muted,
    /// A success, or a gain of time.
    Good,
    /// Needs attention: expires within a week, or dates that contradict each other.
    Warn,
    /// A failure, a certificate that has expired or does so within a day, or a renewal that gained no time.
    Bad,
}

/// A labelled line. `value` is safe: it comes from our own words, numbers and [`Clean`] text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Empty for a line that belongs to the one above it.
    pub label: &'static str,
    pub value: String,
    pub tone: Tone,
    /// A second part, in another tone.
    pub aside: Option<(String, Tone)>,
}

/// A line without a second part.
fn line(label: &'static str, value: String, tone: Tone) -> Line {
    Line { label, value, tone, aside: None }
}

/// The fields of `event` above its error, most needed first. Dates are in `zone`, and the time left is counted from
/// `now`. A date that the source derives is marked as such.
pub fn fields(event: &RenewalEvent, now: Instant, zone: &Zone) -> Vec<Line> {
    let mut lines = Vec::new();
    let success = event.outcome() == crate::domain::event::Outcome::Succeeded;
    let none = |part: Part| if event.lacks(part) { LACKING } else { "– not recorded" };
    let mut old = match event.old_expiry {
        Some(at) => expiry_line("old expiry", at, now, zone),
        None => line("old expiry", none(Part::OldExpiry).into(), Tone::Muted),
    };
    let mut new = match event.new_expiry {
        Some(at) => expiry_line("new expiry", at, now, zone),
        None if success && !event.lacks(Part::NewExpiry) => {
            line("new expiry", none(Part::NewExpiry).into(), Tone::Warn)
        }
        None => line("new expiry", none(Part::NewExpiry).into(), Tone::Muted),
    };
    for (line, part, at) in
        [(&mut old, Part::OldExpiry, event.old_expiry), (&mut new, Part::NewExpiry, event.new_expiry)]
    {
        if event.derives(part) && at.is_some() {
            line.value.push_str(" (derived)");
        }
    }
    lines.push(old);
    if let (Some(old), Some(fresh)) = (event.old_expiry, event.new_expiry)
        && let Some(gain) = fresh.since(old)
    {
        let tone = if gain.0 > 0 { Tone::Good } else { Tone::Bad };
        let rest = new.aside.map(|(words, _)| words).unwrap_or_default();
        new.aside = Some((format!("{rest}   {}", format::extension(gain)).trim_start().to_owned(), tone));
    }
    lines.push(new);
    for warning in warnings(event, now) {
        lines.push(line("", format!("! {warning}"), Tone::Warn));
    }
    lines
}

/// Reason and identifiers of an event, which are below the error. A field that is missing says whether the source
/// records none, or this event has none.
pub fn identifiers(event: &RenewalEvent) -> Vec<Line> {
    let named = |name: Option<&crate::domain::text::Text>, id: &crate::domain::event::Id| match name {
        Some(name) => format!("{}  {}", id.clean(), name.clean()),
        // A text id is the name.
        None if matches!(id, crate::domain::event::Id::Text(_)) => id.clean().to_string(),
        None => format!("{}  name not known", id.clean()),
    };
    let none = |part: Part| if event.lacks(part) { LACKING } else { "– not recorded" }.to_owned();
    let derived = |part: Part| if event.derives(part) { " (derived)" } else { "" };
    let mut lines = Vec::new();
    if let Some(severity) = event.severity() {
        lines.push(line("severity", severity.clean().to_string(), Tone::Plain));
    }
    lines.push(match &event.reason {
        Some(reason) if event.reason_inferred() => Line {
            aside: Some(("inferred from the start before it".into(), Tone::Muted)),
            ..line("reason", reason.clean().to_string(), Tone::Plain)
        },
        Some(reason) => line("reason", reason.clean().to_string(), Tone::Plain),
        None => line("reason", none(Part::Reason), Tone::Muted),
    });
    let party = |label, part, name: &Option<Text>, id: Option<&crate::domain::event::Id>| match id {
        Some(id) => line(label, format!("{}{}", named(name.as_ref(), id), derived(part)), Tone::Muted),
        None => match name {
            Some(name) => line(label, format!("{}{}", name.clean(), derived(part)), Tone::Muted),
            None => line(label, none(part), Tone::Muted),
        },
    };
    lines.push(party("device", Part::Device, &event.device, event.device_id()));
    lines.push(party("org", Part::Org, &event.org, event.org_id.as_ref()));
    lines.extend(event.error.as_ref().and_then(signature));
    lines.push(line("event", event.id.clean().to_string(), Tone::Muted));
    lines
}

/// The signature of an error, by which the filter finds all errors of its kind. Its text is that of the whole message.
fn signature(error: &ErrorText) -> Option<Line> {
    let id = error.sig()?;
    let text = error.is_whole().then(|| Clean::line(&Signature::of(error.text.raw()).text));
    Some(line("signature", format!("{id}  {}", text.unwrap_or_default()), Tone::Muted))
}

/// In place of a field that the source does not record.
const LACKING: &str = "– this source records none";

/// A line with an expiry date in `zone` and the time left from `now`. The tone is bad within a day, a warning within a
/// week.
fn expiry_line(label: &'static str, at: Instant, now: Instant, zone: &Zone) -> Line {
    let left = at.since(now);
    let tone = match left {
        Some(s) if s.0 <= 0 => Tone::Bad,
        Some(s) if s < Span::days(1) => Tone::Bad,
        Some(s) if s < Span::days(7) => Tone::Warn,
        None if at == Instant::NEG_INFINITY => Tone::Bad,
        _ => Tone::Plain,
    };
    let aside = match left {
        Some(s) if s.0 <= 0 => format!("expired {}", format::relative(at, now)),
        _ => format::relative(at, now),
    };
    Line { label, value: format::stamp(at, zone), tone: Tone::Plain, aside: Some((aside, tone)) }
}

/// What is wrong with an event's dates, in words. Empty if nothing is wrong. A `created_at` of up to a minute ahead of
/// `now` is tolerated.
pub fn warnings(event: &RenewalEvent, now: Instant) -> Vec<&'static str> {
    use crate::domain::event::Outcome;
    let mut found = Vec::new();
    let success = event.outcome() == Outcome::Succeeded;
    match (event.old_expiry, event.new_expiry) {
        (Some(old), Some(new)) if new < old => found.push("the new certificate ends before the old one"),
        (Some(old), Some(new)) if new == old => found.push("the new certificate does not last longer than the old one"),
        (_, None) if success && event.kind.is_known() => found.push("a success without a new expiry date"),
        _ => {}
    }
    if event.new_expiry.is_some_and(|new| new <= now) {
        found.push("the new certificate has expired since");
    } else if event.new_expiry.is_none() && event.old_expiry.is_some_and(|old| old <= now) && !success {
        found.push("expired, not renewed");
    }
    if event.created_at > now.plus(Span::minutes(1)) {
        found.push("dated in the future: check the writer's clock and zone");
    }
    found
}
