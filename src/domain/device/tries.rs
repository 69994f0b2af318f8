//! Tries: when a device that fails will try again, how many tries are left, and whether it gave up.

use crate::domain::instant::{Instant, Span};

/// How many gaps of a group are distinguished; later ones are as the last of them.
const STEPS: usize = 12;
/// Gaps of one place that are kept: the oldest go first.
const SAMPLES: usize = 255;
/// Gaps of one place that are enough for a median.
const ENOUGH: usize = 5;
/// A device gave up when the next try is overdue by this many expected gaps, the expected one included.
const GAVE_UP: i64 = 3;
/// More tries than anybody counts.
pub(super) const MANY: u32 = 1000;

/// The tries of a device since its last success.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tries {
    /// How many tries.
    pub count: u32,
    /// When the last one began; for an outcome without a start, when that was recorded.
    pub last: Option<Instant>,
    /// The last gap between two tries, and the one before it.
    gaps: [Option<Span>; 2],
}

/// The gaps between tries of a group of devices: what follows the first try, the second, and so on.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    /// At each place the newest gaps behind the try of that number.
    samples: [Vec<Span>; STEPS],
    /// Gaps that were taken, which decides the one to replace.
    taken: usize,
}

/// The usual gaps of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BackOff {
    /// The median gap behind each try; `None` where too few are known.
    usual: [Option<Span>; STEPS],
    /// The source's shortest time between two tries: no device gave up before it.
    pub least: Option<Span>,
}

impl Gaps {
    /// Takes the gap behind the try of that number, counted from 1. Gaps that are zero or negative are ignored.
    pub fn add(&mut self, number: u32, gap: Span) {
        let Some(samples) = step(number).and_then(|s| self.samples.get_mut(s)).filter(|_| gap.0 > 0) else { return };
        self.taken = self.taken.wrapping_add(1);
        if samples.len() < SAMPLES {
            samples.push(gap);
        } else if let Some(old) = samples.get_mut(self.taken % SAMPLES) {
            *old = gap;
        }
    }

    /// The median behind each try, as far as the group shows one. `least` is the source's shortest time between two
    /// tries, if it is known.
    pub fn back_off(&self, least: Option<Span>) -> BackOff {
        let mut usual = [None; STEPS];
        for (median, samples) in usual.iter_mut().zip(&self.samples).filter(|(_, samples)| samples.len() >= ENOUGH) {
            let mut sorted = samples.clone();
            sorted.sort_unstable();
            *median = sorted.get(sorted.len() / 2).copied();
        }
        BackOff { usual, least }
    }
}

impl BackOff {
    /// Nothing is known of the group.
    pub const UNKNOWN: Self = Self { usual: [None; STEPS], least: None };

    /// The gap that is usual behind the try of that number. The last known place stands for those after it.
    fn usual(&self, number: u32) -> Option<Span> {
        let at = step(number)?;
        let last = self.usual.iter().rposition(Option::is_some)?;
        self.usual.get(at.min(last)).copied().flatten()
    }
}

/// The place of a try's number, counted from 1; the last place for all later ones.
fn step(number: u32) -> Option<usize> {
    Some((number.checked_sub(1)? as usize).min(STEPS - 1))
}

impl Tries {
    /// By the times of the tries, oldest first.
    pub fn of(times: impl Iterator<Item = Instant>) -> Self {
        let mut tries = Self::default();
        for at in times {
            // Two tries of one instant tell no gap.
            if let Some(gap) = tries.last.and_then(|last| at.since(last)).filter(|gap| gap.0 > 0) {
                tries.gaps = [Some(gap), tries.gaps[0]];
            }
            tries.count = tries.count.saturating_add(1);
            tries.last = Some(at);
        }
        tries
    }

    /// The gap to expect behind the try of that number: as the group does, else as the device itself did before.
    fn expected(&self, back_off: &BackOff, number: u32) -> Option<Span> {
        back_off.usual(number).or_else(|| {
            let [last, before] = self.gaps;
            let (last, further) = (last?, i64::from(number.saturating_sub(self.count)));
            match before {
                // It doubles, or grows by another whole factor: the next one grows too. A cap shows only in a group.
                Some(before) if before.0 > 0 && further == 0 => {
                    let ratio = last.0 as f64 / before.0 as f64;
                    let whole = ratio.round();
                    let grows = whole >= 2.0 && (ratio - whole).abs() <= 0.1 * whole;
                    Some(if grows { Span(last.0.saturating_mul(whole as i64)) } else { last })
                }
                _ => Some(last),
            }
        })
    }

    /// When the next try is to come; it may be past. `None` where nothing tells.
    pub fn next(&self, back_off: &BackOff) -> Option<Instant> {
        Some(self.last?.plus(self.expected(back_off, self.count)?))
    }

    /// Whether no try has come for more than three times the gap that was to be expected. `false` where no gap can be
    /// expected.
    pub fn gave_up(&self, back_off: &BackOff, now: Instant) -> bool {
        let Some(gap) = self.expected(back_off, self.count) else { return false };
        let gap = gap.max(back_off.least.unwrap_or_default());
        self.last.and_then(|last| now.since(last)).is_some_and(|quiet| quiet.0 > gap.0.saturating_mul(GAVE_UP))
    }

    /// Tries to be expected from `now` until `expiry`; `None` where nothing tells when they come. Counts to 1000 at
    /// most.
    pub fn left(&self, back_off: &BackOff, now: Instant, expiry: Instant) -> Option<u32> {
        let mut at = self.next(back_off)?.max(now);
        let (mut number, mut left) = (self.count, 0);
        while at < expiry && left < MANY {
            (number, left) = (number.saturating_add(1), left + 1);
            let gap = self.expected(back_off, number).filter(|gap| gap.0 > 0)?;
            // All further gaps are like this one.
            if left > STEPS as u32 {
                let more = expiry.since(at)?.0.saturating_sub(1) / gap.0;
                return Some(left.saturating_add(u32::try_from(more).unwrap_or(MANY)).min(MANY));
            }
            at = at.plus(gap);
        }
        Some(left)
    }
}
