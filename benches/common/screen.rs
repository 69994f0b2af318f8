//! What a console of 120x40 shows, read from its terminal.

use std::fs;

use crate::pty::Screen;

/// Rows of the list at 120x40, with the histogram above and the details below.
const LISTED: usize = 17;
/// Cells of the panes beside the list at this size.
const PANES: usize = 27;

fn lines(screen: &vt100::Screen) -> Vec<String> {
    screen.rows(0, screen.size().1.get()).collect()
}

/// The list has a row.
pub fn has_rows(screen: &vt100::Screen) -> bool {
    // A row of the list: the wall, a date, a time, a type.
    lines(screen).iter().any(|l| ["renewal ", "recovery "].iter().any(|word| l.contains(word)) && l.contains(':'))
}

/// Every line of the list has a row: the page that was requested, as much of it as the screen holds.
pub fn is_page(screen: &vt100::Screen) -> bool {
    let row = |l: &String| ["renewal ", "recovery "].iter().any(|word| l.contains(word)) && l.contains(':');
    lines(screen).iter().filter(|l| row(l)).count() >= LISTED
}

/// The list, a count of the result, numbers in every pane, and the newest slice of the histogram: nothing is empty.
pub fn has_all(screen: &vt100::Screen) -> bool {
    let panes = |l: &String| l.chars().take(PANES).collect::<String>().trim_end_matches(['│', ' ', '…']).to_owned();
    let counted = |title: &str| {
        let lines: Vec<String> = lines(screen).iter().map(panes).collect();
        let Some(at) = lines.iter().position(|l| l.trim_start().starts_with(title)) else { return false };
        lines.get(at + 1).is_some_and(|l| l.ends_with(|c: char| c.is_ascii_digit() || c == 'k' || c == 'M'))
    };
    let drawn = lines(screen).iter().any(|l| l.contains("peak "));
    let total = lines(screen).get(1).is_some_and(|l| l.contains("events"));
    drawn && total && is_page(screen) && ["TYPE", "ORG", "REASON", "DEVICE"].into_iter().all(counted)
}

/// The list, the count of the result, the numbers of every pane, and the whole histogram.
pub fn is_full(screen: &vt100::Screen) -> bool {
    let lines = lines(screen);
    let counted = lines.get(1).is_some_and(|l| {
        l.trim_end().strip_suffix("events").is_some_and(|l| l.trim_end().ends_with(|c: char| c.is_ascii_digit()))
    });
    let drawn = lines.iter().any(|l| l.contains("peak ") && !l.trim_end().ends_with('…'));
    let panes: Vec<String> = lines
        .iter()
        .map(|l| l.chars().take(PANES).collect::<String>().trim_end_matches(['│', ' ']).to_owned())
        .collect();
    let pane = |title: &str| {
        let Some(at) = panes.iter().position(|l| l.trim_start().starts_with(title)) else { return false };
        let number =
            panes.get(at + 1).is_some_and(|l| l.ends_with(|c: char| c.is_ascii_digit() || c == 'k' || c == 'M'));
        number && !panes.get(at).is_some_and(|l| l.ends_with('…'))
    };
    counted && drawn && has_rows(screen) && ["TYPE", "ORG", "REASON", "DEVICE"].into_iter().all(pane)
}

/// `170 of 1,284`: the place of the selection in the result.
pub fn place(screen: &vt100::Screen) -> String {
    lines(screen).get(1).cloned().unwrap_or_default()
}

/// A line of the process's status, in KiB.
pub fn resident(screen: &Screen, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", screen.pid())).unwrap();
    let line = status.lines().find(|l| l.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
