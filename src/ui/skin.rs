//! Colors and glyphs. Color is never the only sign: every type has a glyph and a word, and without color the
//! selection is reversed and the histogram shaded.
//!
//! Named by every drawing file; state never holds a style.

use ratatui::style::{Color, Modifier, Style};

use crate::domain::event::Outcome;

/// Colors for a background, for color vision, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    #[default]
    Dark,
    Light,
    /// Failures orange, successes blue: distinct in all common kinds of color vision.
    ColourBlind,
    /// No color.
    Mono,
}

impl Theme {
    /// The names that a configuration uses.
    pub const ALL: [(&'static str, Self); 4] =
        [("dark", Self::Dark), ("light", Self::Light), ("colour-blind", Self::ColourBlind), ("mono", Self::Mono)];
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, theme)| *theme == self).map_or("", |(id, _)| id)
    }
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(id, _)| *id == name).map(|(_, theme)| theme)
    }
}

/// Every style of the screen by its meaning. Only here are colors named; the rest of the program names what a text
/// means.
#[derive(Clone, Debug)]
pub struct Skin {
    /// Whether colors are used. Without them modifiers mark what matters.
    pub color: bool,
    /// The signs, in Unicode or ASCII.
    pub glyphs: &'static Glyphs,
    light: bool,
    /// Failures orange and successes blue.
    apart: bool,
}

/// The signs that are not words, in Unicode or in ASCII.
#[derive(Debug)]
pub struct Glyphs {
    /// In the order of [`Outcome::ALL`].
    pub outcomes: [&'static str; 4],
    pub arrow: &'static str,
    /// In place of a missing value.
    pub none: &'static str,
    /// Before a value that the filter includes.
    pub included: &'static str,
    /// Before a value that the filter excludes.
    pub excluded: &'static str,
    pub cursor: &'static str,
    pub rule: &'static str,
    pub wall: &'static str,
    pub live: &'static str,
    pub paused: &'static str,
    pub up: &'static str,
    /// Before a lower bound.
    pub at_least: &'static str,
    pub dot: &'static str,
    /// Something is in flight, or goes on beyond what is shown.
    pub more: &'static str,
    pub arrivals: Arrivals,
    pub plots: Plots,
}

/// The signs before a new row, and before a late one.
#[derive(Debug)]
pub struct Arrivals {
    pub new: &'static str,
    pub late: &'static str,
}

/// What bars are made of.
#[derive(Debug)]
pub struct Plots {
    /// Eighths of a cell, from empty to full; only the last for ASCII.
    pub eighths: [&'static str; 9],
    /// Shades for failed, succeeded, started, other, without color.
    pub shades: [&'static str; 4],
}

/// Each takes one cell in a terminal that shows ambiguous characters narrow.
pub const UNICODE: Glyphs = Glyphs {
    outcomes: ["✗", "✓", "→", "•"],
    arrow: "→",
    none: "–",
    included: "▪",
    excluded: "−",
    cursor: "▌",
    rule: "─",
    wall: "│",
    live: "●",
    paused: "‖",
    up: "↑",
    at_least: "≥",
    dot: "·",
    more: "…",
    arrivals: Arrivals { new: "+", late: "↓" },
    plots: Plots {
        eighths: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], shades: ["█", "▒", "░", "░"]
    },
};

/// For terminals and fonts without the others; as wide, except for the lower bound.
pub const ASCII: Glyphs = Glyphs {
    outcomes: ["x", "+", ">", "*"],
    arrow: ">",
    none: "-",
    included: "*",
    excluded: "-",
    cursor: ">",
    rule: "-",
    wall: "|",
    live: "*",
    paused: "=",
    up: "^",
    at_least: ">=",
    dot: "-",
    more: "~",
    arrivals: Arrivals { new: "+", late: "v" },
    plots: Plots { eighths: [" ", " ", " ", " ", "#", "#", "#", "#", "#"], shades: ["#", "+", ".", "."] },
};

impl Skin {
    /// The default colors, or none; `light`: the terminal's background is light.
    pub fn new(color: bool, ascii: bool, light: bool) -> Self {
        Self { color, glyphs: if ascii { &ASCII } else { &UNICODE }, light, apart: false }
    }
    /// The skin of a theme. Only [`Theme::Mono`] has no color.
    pub fn themed(theme: Theme, ascii: bool) -> Self {
        let skin = Self::new(theme != Theme::Mono, ascii, theme == Theme::Light);
        Self { apart: theme == Theme::ColourBlind, ..skin }
    }

    pub fn is_ascii(&self) -> bool {
        std::ptr::eq(self.glyphs, &ASCII)
    }

    fn fg(&self, dark: Color, light: Color) -> Style {
        match (self.color, self.light) {
            (false, _) => Style::new(),
            (true, false) => Style::new().fg(dark),
            (true, true) => Style::new().fg(light),
        }
    }
    pub fn text(&self) -> Style {
        Style::new()
    }
    pub fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
    pub fn muted(&self) -> Style {
        if self.color {
            self.fg(Color::Indexed(245), Color::Indexed(243))
        } else {
            Style::new().add_modifier(Modifier::DIM)
        }
    }
    /// Lines and walls, fainter than words.
    pub fn frame(&self) -> Style {
        if self.color {
            self.fg(Color::Indexed(239), Color::Indexed(250))
        } else {
            Style::new().add_modifier(Modifier::DIM)
        }
    }
    pub fn title(&self, focused: bool) -> Style {
        let style = if focused { self.accent() } else { self.muted() };
        style.add_modifier(Modifier::BOLD)
    }
    /// The focus, keys, and what the user acts on.
    pub fn accent(&self) -> Style {
        self.fg(Color::Indexed(117), Color::Indexed(25))
    }
    pub fn bad(&self) -> Style {
        if self.apart {
            Style::new().fg(Color::Indexed(215))
        } else {
            self.fg(Color::Indexed(210), Color::Indexed(160))
        }
    }
    pub fn warn(&self) -> Style {
        self.fg(Color::Indexed(221), Color::Indexed(130))
    }
    pub fn good(&self) -> Style {
        if self.apart { Style::new().fg(Color::Indexed(75)) } else { self.fg(Color::Indexed(114), Color::Indexed(28)) }
    }
    pub fn outcome(&self, outcome: Outcome) -> Style {
        match outcome {
            Outcome::Failed => self.bad(),
            Outcome::Succeeded => self.good(),
            Outcome::Started => self.fg(Color::Indexed(110), Color::Indexed(61)),
            Outcome::Other => self.fg(Color::Indexed(180), Color::Indexed(94)),
        }
    }
    /// For areas of color: failures as bright as words, the rest quieter, so that the eye finds the failures.
    pub fn area(&self, outcome: Outcome) -> Style {
        match outcome {
            Outcome::Failed if self.apart => Style::new().fg(Color::Indexed(208)),
            Outcome::Succeeded if self.apart => Style::new().fg(Color::Indexed(67)),
            Outcome::Started if self.apart => Style::new().fg(Color::Indexed(240)),
            Outcome::Failed => self.fg(Color::Indexed(203), Color::Indexed(160)),
            Outcome::Succeeded => self.fg(Color::Indexed(65), Color::Indexed(108)),
            Outcome::Started => self.fg(Color::Indexed(60), Color::Indexed(146)),
            Outcome::Other => self.fg(Color::Indexed(95), Color::Indexed(180)),
        }
    }
    /// The sign of an outcome.
    pub fn glyph(&self, outcome: Outcome) -> &'static str {
        let at = Outcome::ALL.iter().position(|o| *o == outcome).unwrap_or(3);
        self.glyphs.outcomes.get(at).copied().unwrap_or("")
    }
    /// Over the row that has the cursor.
    pub fn selected(&self, focused: bool) -> Style {
        match (self.color, self.light) {
            (false, _) if focused => Style::new().add_modifier(Modifier::REVERSED),
            (false, _) => Style::new().add_modifier(Modifier::UNDERLINED),
            (true, false) => Style::new().bg(Color::Indexed(if focused { 238 } else { 235 })),
            (true, true) => Style::new().bg(Color::Indexed(if focused { 252 } else { 255 })),
        }
    }
    /// Over the result of an older query.
    pub fn stale(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }
    /// Over the whole footer while the screen cannot be trusted.
    pub fn banner(&self) -> Style {
        if self.color {
            Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(88)).add_modifier(Modifier::BOLD)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        }
    }
    pub fn key(&self) -> Style {
        self.accent()
    }
}
