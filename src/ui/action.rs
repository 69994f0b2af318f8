//! The one table of actions. The keymap, the hints, the help, the palette and `docs/keys.md` derive from it.
//!
//! Named by the shell, which finds the action of a key, and by the views, which perform most of them. Nothing here knows
//! how an action is performed.

/// What a key can do. The focus decides where it acts; [`ACTIONS`] describes it.
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
    /// Closes the topmost layer, or returns to the list.
    Close,
    /// Leaves the place where the focus is; at the root it quits.
    Back,
    NextFailure,
    PrevFailure,
    Failures,
    Include,
    Exclude,
    /// Replaces the field's values in the filter by the one under the cursor.
    Only,
    /// Removes the last term of the filter.
    DropChip,
    DropAll,
    Follow,
    /// Holds new rows back: they are counted, and read on resuming.
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
    /// Through the filters that were in force, not through rows.
    Earlier,
    Later,
    Palette,
    /// Says why no other order exists; it sorts nothing.
    Sort,
    Invert,
    Columns,
    NextMatch,
    PrevMatch,
    /// To the next of the views that need no device.
    NextView,
    /// To the page of the device under the cursor.
    Device,
    /// Shows signatures that differ in one word as one, or apart again.
    Families,
    /// Surveys more rows of a range that has more than are read at first.
    More,
    Help,
    /// Must keep a key: nothing else leaves the program at any time.
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
    /// In the order of their keys and of the time pane.
    pub const ALL: [Self; 7] =
        [Self::QuarterHour, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter, Self::All];
    /// The filter language's word for its beginning; `None`: no limit.
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
    /// The word of the time pane; `all` without a limit.
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
    Views,
    Find,
    Panes,
    Time,
    Live,
    Program,
}

impl Group {
    pub const ALL: [Self; 7] =
        [Self::Move, Self::Views, Self::Find, Self::Panes, Self::Time, Self::Live, Self::Program];
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Views => "Views",
            Self::Find => "Filter and find",
            Self::Panes => "Panes",
            Self::Time => "Time",
            Self::Live => "Live",
            Self::Program => "Program",
        }
    }
}

/// One action: its name, default keys and description.
pub struct Spec {
    pub action: Action,
    /// The name that a configuration uses.
    pub id: &'static str,
    /// The default keys, as a chord of the keymap reads them.
    pub keys: &'static [&'static str],
    /// The heading under which the help lists it.
    pub group: Group,
    /// What it does, for the help; begins with a verb.
    pub title: &'static str,
}

/// A line of the table without its description, which [`Spec::does`] adds.
const fn bind(action: Action, id: &'static str, keys: &'static [&'static str], group: Group) -> Spec {
    Spec { action, id, keys, group, title: "" }
}

impl Spec {
    const fn does(self, title: &'static str) -> Self {
        Self { title, ..self }
    }
}

/// Every action, in the order of the help.
pub const ACTIONS: &[Spec] = &[
    bind(Action::Down, "down", &["j", "Down"], Group::Move).does("move one down"),
    bind(Action::Up, "up", &["k", "Up"], Group::Move).does("move one up"),
    bind(Action::PageDown, "page-down", &["PgDn"], Group::Move).does("move a page down"),
    bind(Action::PageUp, "page-up", &["PgUp"], Group::Move).does("move a page up"),
    bind(Action::HalfDown, "half-page-down", &["C-d"], Group::Move).does("move half a page down"),
    bind(Action::HalfUp, "half-page-up", &["C-u"], Group::Move).does("move half a page up"),
    bind(Action::Top, "top", &["g", "Home"], Group::Move).does("go to the newest event and follow"),
    bind(Action::Bottom, "bottom", &["G", "End"], Group::Move).does("go to the oldest event"),
    bind(Action::Left, "left", &["h", "Left"], Group::Move).does("move left in the time pane or the histogram"),
    bind(Action::Right, "right", &["l", "Right"], Group::Move).does("move right in the time pane or the histogram"),
    bind(Action::NextView, "next-view", &["v"], Group::Views)
        .does("go to the next view: events, devices, errors, attempts"),
    bind(Action::Device, "device", &["d"], Group::Views).does("open the page of the device under the cursor"),
    bind(Action::Families, "families", &["u"], Group::Views)
        .does("in the errors: join signatures that differ in one word"),
    bind(Action::More, "more", &["m"], Group::Views).does("count more of a range that is too long to be counted whole"),
    bind(Action::NextMatch, "next-match", &["n"], Group::Find)
        .does("go to the next match (older); in the detail: next hit"),
    bind(Action::PrevMatch, "previous-match", &["N"], Group::Find).does("go to the previous match (newer)"),
    bind(Action::NextFailure, "next-failure", &["e"], Group::Find)
        .does("go to the next failure (older), loaded or not"),
    bind(Action::PrevFailure, "previous-failure", &["E"], Group::Find).does("go to the previous failure (newer)"),
    bind(Action::EditFilter, "filter", &["/"], Group::Find).does("edit the filter; in a pane: find a value"),
    bind(Action::Failures, "failures", &["!"], Group::Find).does("show failures only, or all again"),
    bind(Action::Earlier, "earlier", &["["], Group::Find).does("return to the previous view or filter"),
    bind(Action::Later, "later", &["]"], Group::Find).does("go forward to the next view or filter"),
    bind(Action::DropChip, "drop", &["x"], Group::Find).does("remove the last term of the filter"),
    bind(Action::DropAll, "drop-all", &["X"], Group::Find).does("clear the filter"),
    bind(Action::NextPane, "next-pane", &["Tab"], Group::Panes).does("go to the next pane"),
    bind(Action::PrevPane, "previous-pane", &["S-Tab"], Group::Panes).does("go to the previous pane"),
    bind(Action::Open, "open", &["Enter"], Group::Panes).does("open the event; in a pane: add or remove the value"),
    bind(Action::Close, "close", &["Esc"], Group::Panes).does("close the topmost layer"),
    bind(Action::Include, "include", &["+"], Group::Panes)
        .does("include the value under the cursor (in the list: the device)"),
    bind(Action::Exclude, "exclude", &["-"], Group::Panes).does("exclude the value under the cursor"),
    bind(Action::Only, "only", &["o"], Group::Panes).does("keep only this value"),
    bind(Action::Range(Preset::QuarterHour), "range-15m", &["1"], Group::Time).does("show the last 15 minutes"),
    bind(Action::Range(Preset::Hour), "range-1h", &["2"], Group::Time).does("show the last hour"),
    bind(Action::Range(Preset::Day), "range-24h", &["3"], Group::Time).does("show the last 24 hours"),
    bind(Action::Range(Preset::Week), "range-7d", &["4"], Group::Time).does("show the last 7 days"),
    bind(Action::Range(Preset::Month), "range-30d", &["5"], Group::Time).does("show the last 30 days"),
    bind(Action::Range(Preset::Quarter), "range-90d", &["6"], Group::Time).does("show the last 90 days"),
    bind(Action::Range(Preset::All), "range-all", &["0"], Group::Time).does("show all time"),
    bind(Action::TimeDialog, "time", &["t"], Group::Time)
        .does("enter a range (24h, yesterday..today), or jump (@TIME)"),
    bind(Action::Histogram, "histogram", &["i"], Group::Time).does("focus the histogram; Enter zooms into a bucket"),
    bind(Action::PrevBucket, "previous-bucket", &["{"], Group::Time).does("go to the previous bucket"),
    bind(Action::NextBucket, "next-bucket", &["}"], Group::Time).does("go to the next bucket"),
    bind(Action::ZoomIn, "zoom-in", &["z"], Group::Time).does("zoom in: half the time range, around the bucket"),
    bind(Action::ZoomOut, "zoom-out", &["Z"], Group::Time).does("zoom out: twice the time range"),
    bind(Action::Zone, "zone", &["T"], Group::Time).does("switch times between UTC and the local zone"),
    bind(Action::Follow, "follow", &["f"], Group::Live).does("follow new events, or stop following"),
    bind(Action::Pause, "pause", &["Space"], Group::Live).does("pause and resume; new events are counted"),
    bind(Action::Refresh, "refresh", &["r"], Group::Live).does("run all queries again"),
    bind(Action::Copy, "copy", &["c", "y"], Group::Program).does("copy the event to the terminal's clipboard"),
    bind(Action::CopyCommand, "copy-command", &["Y"], Group::Program)
        .does("copy the command that prints what the view shows"),
    bind(Action::Sort, "sort", &["s"], Group::Program).does("show what the list is sorted by"),
    bind(Action::Invert, "invert", &["S"], Group::Program).does("invert the order: oldest at the top, and back"),
    bind(Action::Columns, "columns", &["C"], Group::Program).does("choose the list's columns"),
    bind(Action::Palette, "palette", &[":", "C-p"], Group::Program).does("open the command palette"),
    bind(Action::Help, "help", &["?", "F1"], Group::Program).does("show this help"),
    bind(Action::Back, "back", &["q"], Group::Program).does("go back; at the root: quit"),
    bind(Action::Cancel, "cancel", &["C-c"], Group::Program).does("cancel the queries in flight; when idle: quit"),
    bind(Action::Suspend, "suspend", &["C-z"], Group::Program).does("suspend the program"),
];

/// The table as a page of documentation. Written to `docs/keys.md`; it has the default keys, not the bound ones.
pub fn keys_page() -> String {
    let mut out =
        String::from("# Keys\n\nGenerated from the table of actions in `src/ui/action.rs`; a test keeps it current.\n");
    for group in Group::ALL {
        out.push_str(&format!("\n## {}\n\n| key | does | name |\n|---|---|---|\n", group.title()));
        for spec in ACTIONS.iter().filter(|s| s.group == group) {
            let keys: Vec<String> = spec.keys.iter().map(|k| format!("`{k}`")).collect();
            out.push_str(&format!("| {} | {} | `{}` |\n", keys.join(" "), spec.title, spec.id));
        }
    }
    out
}

/// A key hint in the footer: keys, and what they do where the focus is.
#[derive(Debug)]
pub enum Hint {
    /// The first key of each action.
    Keys(&'static [Action], &'static str),
    /// A key that is not bound to an action, or words alone.
    Plain(&'static str, &'static str),
}
