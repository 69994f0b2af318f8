//! The table of results: each line a target, what was measured against what, and whether it was met.

use std::time::Duration;

/// What the program has to stay within.
#[derive(Clone, Copy)]
pub enum Target {
    /// At most so many times the reference.
    AtMost(f64),
    /// At least so many times the reference's rate: the figures are rates.
    AtLeast(f64),
    /// At most this, in the unit of the figure.
    Below(f64),
    /// Printed, not judged.
    None,
}

#[derive(Default)]
pub struct Table {
    lines: Vec<String>,
    notes: Vec<String>,
    missed: usize,
}

impl Table {
    /// A line, printed at once as well, so that a run that is broken off has printed what it measured.
    pub fn line(&mut self, bed: &str, what: &str, ours: (f64, &str), reference: Option<f64>, target: Target) {
        let (figure, unit) = ours;
        let ratio = reference.map(|r| figure / r);
        let (aim, met) = match target {
            Target::AtMost(n) => (format!("≤ {n} x"), ratio.is_some_and(|r| r <= n)),
            Target::AtLeast(n) => (format!("≥ {n} x"), ratio.is_some_and(|r| r >= n)),
            Target::Below(n) => (format!("≤ {n} {unit}"), figure <= n),
            Target::None => ("–".to_owned(), true),
        };
        let state = match (target, met) {
            (Target::None, _) => "–",
            (_, true) => "met",
            (_, false) => "**missed**",
        };
        self.missed += usize::from(!met);
        let against = reference.map_or("–".to_owned(), |r| format!("{} {unit}", number(r)));
        let ratio = ratio.map_or("–".to_owned(), |r| format!("{r:.2}"));
        let line = format!("| {bed} | {what} | {} {unit} | {against} | {ratio} | {aim} | {state} |", number(figure));
        eprintln!("{line}");
        self.lines.push(line);
    }

    /// A sentence below the table.
    pub fn note(&mut self, text: String) {
        eprintln!("{text}");
        self.notes.push(text);
    }

    pub fn print(&self) {
        println!("\n| data | what | renewscope | reference | ratio | target | |\n|---|---|---|---|---|---|---|");
        self.lines.iter().for_each(|line| println!("{line}"));
        println!("\n{} lines, {} missed\n", self.lines.len(), self.missed);
        self.notes.iter().for_each(|note| println!("- {note}"));
    }
}

fn number(n: f64) -> String {
    match n {
        n if n >= 1000.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

pub fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}
