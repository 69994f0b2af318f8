//! The one table of actions. The keymap, the hints, the help and `docs/keys.md` are made from it.

/// What a key can do. Where it acts depends on the focus; the table below says in words what it does where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    EditFilter,
    NextPane,
    PrevPane,
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Top,
    Bottom,
    Left,
    Right,
    Open,
    Close,
    Back,
    NextFailure,
    PrevFailure,
    Failures,
    Include,
    Exclude,
    Only,
    DropChip,
    DropAll,
    Follow,
    Pause,
    Range(Preset),
    TimeDialog,
    Histogram,
    ZoomIn,
    ZoomOut,
    PrevBucket,
    NextBucket,
    Zone,
    Refresh,
    Copy,
    CopyCommand,
    Earlier,
    Later,
    Palette,
    Sort,
    Invert,
    Columns,
    NextMatch,
    PrevMatch,
    Help,
    Cancel,
    Suspend,
}

/// The time ranges that have a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Preset {
    QuarterHour,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    All,
}

impl Preset {
    pub const ALL: [Self; 7] =
        [Self::QuarterHour, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter, Self::All];
    /// The word of the filter language for where it begins; `None`: no limit.
    pub const fn since(self) -> Option<&'static str> {
        match self {
            Self::QuarterHour => Some("15m"),
            Self::Hour => Some("1h"),
            Self::Day => Some("24h"),
            Self::Week => Some("7d"),
            Self::Month => Some("30d"),
            Self::Quarter => Some("90d"),
            Self::All => None,
        }
    }
    pub const fn label(self) -> &'static str {
        match self.since() {
            Some(word) => word,
            None => "all",
        }
    }
}

/// Headings of the help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    Move,
    Find,
    Panes,
    Time,
    Live,
    Program,
}

impl Group {
    pub const ALL: [Self; 6] = [Self::Move, Self::Find, Self::Panes, Self::Time, Self::Live, Self::Program];
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Find => "Filter and find",
            Self::Panes => "Panes",
            Self::Time => "Time",
            Self::Live => "Live",
            Self::Program => "Program",
        }
    }
}

pub struct Spec {
    pub action: Action,
    /// The name that a configuration uses.
    pub id: &'static str,
    /// The default keys, as [`keymap::Chord`](super::keymap::Chord) reads them.
    pub keys: &'static [&'static str],
    pub group: Group,
    /// What it does, for the help.
    pub title: &'static str,
}

const fn spec(
    action: Action,
    id: &'static str,
    keys: &'static [&'static str],
    group: Group,
    title: &'static str,
) -> Spec {
    Spec { action, id, keys, group, title }
}

pub const ACTIONS: &[Spec] = &[
    spec(Action::Down, "down", &["j", "Down"], Group::Move, "one down"),
    spec(Action::Up, "up", &["k", "Up"], Group::Move, "one up"),
    spec(Action::PageDown, "page-down", &["PgDn"], Group::Move, "a page down"),
    spec(Action::PageUp, "page-up", &["PgUp"], Group::Move, "a page up"),
    spec(Action::HalfDown, "half-page-down", &["C-d"], Group::Move, "half a page down"),
    spec(Action::HalfUp, "half-page-up", &["C-u"], Group::Move, "half a page up"),
    spec(Action::Top, "top", &["g", "Home"], Group::Move, "the newest event, and follow it"),
    spec(Action::Bottom, "bottom", &["G", "End"], Group::Move, "the oldest event"),
    spec(Action::Left, "left", &["h", "Left"], Group::Move, "left, in the time pane"),
    spec(Action::Right, "right", &["l", "Right"], Group::Move, "right, in the time pane"),
    spec(
        Action::NextMatch,
        "next-match",
        &["n"],
        Group::Find,
        "next match (older); in the detail: next place in the error",
    ),
    spec(Action::PrevMatch, "previous-match", &["N"], Group::Find, "previous match (newer)"),
    spec(Action::NextFailure, "next-failure", &["e"], Group::Find, "next failure (older), wherever it is"),
    spec(Action::PrevFailure, "previous-failure", &["E"], Group::Find, "previous failure (newer)"),
    spec(Action::EditFilter, "filter", &["/"], Group::Find, "edit the filter; in a pane: find a value"),
    spec(Action::Failures, "failures", &["!"], Group::Find, "failures only, on and off"),
    spec(Action::Earlier, "earlier", &["["], Group::Find, "back to the filter before"),
    spec(Action::Later, "later", &["]"], Group::Find, "forward again"),
    spec(Action::DropChip, "drop", &["x"], Group::Find, "drop the last part of the filter"),
    spec(Action::DropAll, "drop-all", &["X"], Group::Find, "drop the whole filter"),
    spec(Action::NextPane, "next-pane", &["Tab"], Group::Panes, "next pane"),
    spec(Action::PrevPane, "previous-pane", &["S-Tab"], Group::Panes, "previous pane"),
    spec(Action::Open, "open", &["Enter"], Group::Panes, "open the event; in a pane: pick or drop the value"),
    spec(Action::Close, "close", &["Esc"], Group::Panes, "close one layer"),
    spec(
        Action::Include,
        "include",
        &["+"],
        Group::Panes,
        "include the value under the cursor (in the list: the device)",
    ),
    spec(Action::Exclude, "exclude", &["-"], Group::Panes, "exclude the value under the cursor"),
    spec(Action::Only, "only", &["o"], Group::Panes, "only this value"),
    spec(Action::Range(Preset::QuarterHour), "range-15m", &["1"], Group::Time, "the last 15 minutes"),
    spec(Action::Range(Preset::Hour), "range-1h", &["2"], Group::Time, "the last hour"),
    spec(Action::Range(Preset::Day), "range-24h", &["3"], Group::Time, "the last 24 hours"),
    spec(Action::Range(Preset::Week), "range-7d", &["4"], Group::Time, "the last 7 days"),
    spec(Action::Range(Preset::Month), "range-30d", &["5"], Group::Time, "the last 30 days"),
    spec(Action::Range(Preset::Quarter), "range-90d", &["6"], Group::Time, "the last 90 days"),
    spec(Action::Range(Preset::All), "range-all", &["0"], Group::Time, "all time"),
    spec(Action::TimeDialog, "time", &["t"], Group::Time, "a range (24h, yesterday..today) or @ and a time to jump to"),
    spec(
        Action::Histogram,
        "histogram",
        &["i"],
        Group::Time,
        "to the histogram and back; there Enter narrows to a bucket",
    ),
    spec(Action::PrevBucket, "previous-bucket", &["{"], Group::Time, "the bucket before"),
    spec(Action::NextBucket, "next-bucket", &["}"], Group::Time, "the next bucket"),
    spec(Action::ZoomIn, "zoom-in", &["z"], Group::Time, "half the time range, around the bucket"),
    spec(Action::ZoomOut, "zoom-out", &["Z"], Group::Time, "twice the time range"),
    spec(Action::Zone, "zone", &["T"], Group::Time, "times in UTC or in the local zone"),
    spec(Action::Follow, "follow", &["f"], Group::Live, "follow new events, on and off"),
    spec(Action::Pause, "pause", &["Space"], Group::Live, "pause and resume; what arrives is counted"),
    spec(Action::Refresh, "refresh", &["r"], Group::Live, "ask the database again"),
    spec(Action::Copy, "copy", &["c", "y"], Group::Program, "copy the event to the terminal's clipboard"),
    spec(
        Action::CopyCommand,
        "copy-command",
        &["Y"],
        Group::Program,
        "copy the command that shows these events, with absolute times",
    ),
    spec(Action::Sort, "sort", &["s"], Group::Program, "what the list is sorted by"),
    spec(Action::Invert, "invert", &["S"], Group::Program, "oldest at the top, and back"),
    spec(Action::Columns, "columns", &["C"], Group::Program, "choose the list's columns"),
    spec(Action::Palette, "palette", &[":", "C-p"], Group::Program, "a command by its name"),
    spec(Action::Help, "help", &["?", "F1"], Group::Program, "these keys"),
    spec(Action::Back, "back", &["q"], Group::Program, "back; at the root: quit"),
    spec(Action::Cancel, "cancel", &["C-c"], Group::Program, "cancel the running question; when idle: quit"),
    spec(Action::Suspend, "suspend", &["C-z"], Group::Program, "suspend"),
];

/// The table as a page of documentation.
pub fn keys_page() -> String {
    let mut out =
        String::from("# Keys\n\nMade from the table of actions in `src/app/action.rs`; a test keeps it so.\n");
    for group in Group::ALL {
        out.push_str(&format!("\n## {}\n\n| key | does | name |\n|---|---|---|\n", group.title()));
        for spec in ACTIONS.iter().filter(|s| s.group == group) {
            let keys: Vec<String> = spec.keys.iter().map(|k| format!("`{k}`")).collect();
            out.push_str(&format!("| {} | {} | `{}` |\n", keys.join(" "), spec.title, spec.id));
        }
    }
    out
}
