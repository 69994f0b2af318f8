//! What the console is configured with.

use crate::domain::attempt::Patience;
use crate::domain::device::policy::Declared;
use crate::domain::filter::Filter;
use crate::domain::zone::Zone;
use crate::views::Choices;

use super::alert::Alert;
use super::keymap::Keymap;

/// What the console starts with. Settled by the command that opens it.
#[derive(Clone, Debug)]
pub struct Start {
    /// The database's name in the header; no secret in it.
    pub title: String,
    /// The options that reach the same database from a command line (`--db prod`), for copied commands; no secret in it.
    pub reach: String,
    /// In force from the start.
    pub filter: Filter,
    /// In which times are shown first, and typed times are read.
    pub zone: Zone,
    /// Shown at the start.
    pub notice: Option<String>,
    /// Filters of earlier runs, oldest first.
    pub history: Vec<String>,
    /// What each view is configured with.
    pub choices: Choices,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    pub settings: Settings,
}

/// What stays the same while the console runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The other zone that `T` switches to.
    pub other_zone: Zone,
    /// Named filters, for the palette.
    pub views: Vec<(String, Filter)>,
    /// Other databases, by their names in the configuration.
    pub databases: Vec<String>,
    pub keymap: Keymap,
    /// When renewals begin, where that is declared; `None`: as past renewals show.
    pub policy: Option<Declared>,
    /// How long an attempt may have no outcome.
    pub patience: Patience,
    /// Notifies when an event matches.
    pub alert: Option<Alert>,
    /// What a copied text may still need to reach the clipboard; `None` where nothing is known to stand between.
    pub copies: Option<String>,
}
