//! Outages: runs of time in which far more attempts fail than is usual in the range.
//!
//! The survey counts finished attempts in buckets of [`Buckets::WIDTH`]; [`Buckets::outages`] joins these to wider ones
//! where they hold too little, compares each bucket's share of failures with the usual one, and joins those that stand out.
//! Nothing is forecast, and nothing is remembered from before the range.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::instant::{Instant, Span};

/// A run of time in which far more attempts failed than is usual.
#[derive(Clone, PartialEq, Debug)]
pub struct Outage {
    /// Its first failure, in UTC.
    pub start: Instant,
    /// Its last failure so far, in UTC.
    pub end: Instant,
    /// The beginning of the bucket with the highest share of failures, in UTC.
    pub peak_at: Instant,
    /// The share of failures in that bucket, from 0 to 1.
    pub peak_share: f64,
    /// The share of failures that is usual in the range: the median of its buckets.
    pub base_share: f64,
    /// Whether its last failure is longer ago than two buckets.
    pub over: bool,
    /// Devices with an attempt that failed in it.
    pub devices: u64,
    /// It stands out from the first bucket on, so that it may have begun before the range.
    pub from_first: bool,
}

/// Finished attempts by the time of their outcome.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    /// By the number of the bucket since the epoch of instants; only those with attempts.
    of: BTreeMap<i64, Bucket>,
}

/// The attempts that ended in a bucket.
#[derive(Clone, Debug, Default)]
struct Bucket {
    finished: u32,
    /// Numbers of the devices whose attempts failed, one entry an attempt.
    failed: Vec<u32>,
    /// The first and the last failure.
    ends: Option<(Instant, Instant)>,
}

/// The multiples of the smallest bucket that are tried, least first: 5 and 15 minutes, 1 and 3 hours.
const TIMES: [i64; 4] = [1, 3, 12, 36];
/// Attempts of a bucket that make its share worth comparing, on the average.
const ATTEMPTS: f64 = 50.0;
/// Failures of a bucket that do so, on the average.
const FAILURES: f64 = 15.0;
/// Failures without which no bucket stands out: a handful of attempts has any share by chance.
const LEAST: u64 = 5;
/// The quantile of the normal distribution for 99 % of both sides.
const Z: f64 = 2.575_829;
/// How many times the base a share must surely exceed.
const FACTOR: f64 = 1.5;
/// The base that is assumed at least: where nothing fails, one failure is no outage.
const FLOOR: f64 = 0.005;
/// Hot buckets at most this far apart are one outage, and so far from now it is not over.
const APART: i64 = 2;

impl Buckets {
    /// The width of the smallest bucket.
    pub const WIDTH: Span = Span::minutes(5);

    /// Counts a finished attempt by the time of its outcome; `failed` names the device if that was a failure. An outcome at
    /// an infinite time is left out.
    pub fn add(&mut self, at: Instant, failed: Option<u32>) {
        if !at.is_finite() {
            return;
        }
        let bucket = self.of.entry(at.pg_micros().div_euclid(Self::WIDTH.0)).or_default();
        bucket.finished = bucket.finished.saturating_add(1);
        if let Some(device) = failed {
            bucket.failed.push(device);
            let ends = bucket.ends.get_or_insert((at, at));
            *ends = (ends.0.min(at), ends.1.max(at));
        }
    }

    /// The outages, oldest first; `now` is the database's time. Buckets that hold enough on the average come first; wider ones
    /// then add outages that are too weak for these, and narrower ones those that are too short.
    pub fn outages(&self, now: Instant) -> Vec<Outage> {
        let enough = self.times();
        let wider = TIMES.into_iter().filter(|times| *times >= enough);
        let narrower = TIMES.into_iter().rev().filter(|times| *times < enough);
        let mut found: Vec<Outage> = Vec::new();
        for times in wider.chain(narrower) {
            let apart = |one: &Outage| found.iter().all(|other| one.end < other.start || other.end < one.start);
            let more: Vec<Outage> = self.of_width(times, now).into_iter().filter(apart).collect();
            found.extend(more);
        }
        found.sort_by_key(|outage| outage.start);
        found
    }

    /// The outages that buckets of so many times the smallest width show.
    fn of_width(&self, times: i64, now: Instant) -> Vec<Outage> {
        let wide = self.joined(times);
        let share = |number: &i64| wide.get(number).map_or(0.0, |b| b.1 as f64 / b.0 as f64);
        let mut shares: Vec<f64> = wide.keys().map(share).collect();
        shares.sort_by(f64::total_cmp);
        let base = shares.get(shares.len() / 2).copied().unwrap_or_default();
        let is_hot = |b: &(u64, u64)| b.1 >= LEAST && lower(b.1, b.0) > FACTOR * base.max(FLOOR);
        let hot: Vec<i64> = wide.iter().filter(|(_, b)| is_hot(b)).map(|(number, _)| *number).collect();
        let width = Span(Self::WIDTH.0 * times);
        let outage = |run: &[i64]| {
            let (first, last) = (*run.first()?, *run.last()?);
            let peak = run.iter().max_by(|a, b| share(a).total_cmp(&share(b)))?;
            let middle = f64::midpoint(base, share(peak));
            let from = self.steepest(first * times..(first + 1) * times, middle, true);
            let to = self.steepest(last * times..(last + 1) * times, middle, false);
            let within = || self.of.range(from..=to).map(|(_, bucket)| bucket);
            let end = within().filter_map(|b| Some(b.ends?.1)).max()?;
            Some(Outage {
                start: within().filter_map(|b| Some(b.ends?.0)).min()?,
                end,
                peak_at: Instant::from_pg_micros(peak * width.0),
                peak_share: share(peak),
                base_share: base,
                over: end.plus(Span(width.0 * APART)) < now,
                devices: within().flat_map(|b| &b.failed).collect::<HashSet<_>>().len() as u64,
                from_first: wide.keys().next() == Some(&first),
            })
        };
        hot.chunk_by(|a, b| b - a <= APART).filter(|run| run.len() >= 2).filter_map(outage).collect()
    }

    /// Where in a wide bucket an outage begins, or ends: the smallest bucket from which on, or up to which, failures exceed
    /// `share` of the attempts by most.
    fn steepest(&self, within: Range<i64>, share: f64, begins: bool) -> i64 {
        let excess = |(number, b): (&i64, &Bucket)| (*number, b.failed.len() as f64 - share * f64::from(b.finished));
        let mut steps: Vec<(i64, f64)> = self.of.range(within.clone()).map(excess).collect();
        if begins {
            steps.reverse();
        }
        let (mut sum, mut best) = (0.0, (if begins { within.start } else { within.end - 1 }, f64::MIN));
        for (number, excess) in steps {
            sum += excess;
            if sum > best.1 {
                best = (number, sum);
            }
        }
        best.0
    }

    /// How many of the smallest buckets make one that holds enough, on the average of the time between the first and last.
    fn times(&self) -> i64 {
        let (Some(first), Some(last)) = (self.of.keys().next(), self.of.keys().next_back()) else { return 1 };
        let buckets = (last - first + 1) as f64;
        let finished = self.of.values().map(|b| f64::from(b.finished)).sum::<f64>() / buckets;
        let failed = self.of.values().map(|b| b.failed.len() as f64).sum::<f64>() / buckets;
        let enough = |times: &i64| finished * *times as f64 >= ATTEMPTS && failed * *times as f64 >= FAILURES;
        TIMES.into_iter().find(enough).unwrap_or(TIMES[TIMES.len() - 1])
    }

    /// Attempts and failures of buckets that are so many times as wide.
    fn joined(&self, times: i64) -> BTreeMap<i64, (u64, u64)> {
        let mut wide: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        for (number, bucket) in &self.of {
            let sum = wide.entry(number.div_euclid(times)).or_default();
            sum.0 += u64::from(bucket.finished);
            sum.1 += bucket.failed.len() as u64;
        }
        wide
    }
}

/// The lower bound of Wilson's interval for the share of `hits` among `of`.
fn lower(hits: u64, of: u64) -> f64 {
    let (n, z2) = (of as f64, Z * Z);
    let p = hits as f64 / n;
    let middle = p + z2 / (2.0 * n);
    (middle - Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt()) / (1.0 + z2 / n)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Instant {
        Instant::parse_rfc3339("2026-11-20T00:00:00Z").unwrap().plus(Span::minutes(minutes))
    }

    const DAY: i64 = 1440;

    /// SplitMix64.
    struct Prng(u64);

    impl Prng {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
        fn chance(&mut self, share: f64) -> bool {
            ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) < share
        }
    }

    /// A day of `attempts` finished attempts, of which the share `base` fails, and `planted.2` from minute `planted.0` until
    /// minute `planted.1`.
    fn day(seed: u64, attempts: u32, base: f64, planted: (i64, i64, f64)) -> Buckets {
        let (mut prng, mut buckets) = (Prng(seed), Buckets::default());
        for _ in 0..attempts {
            let when = Span(i64::try_from(prng.next() % Span::minutes(DAY).0.unsigned_abs()).unwrap());
            let within = when >= Span::minutes(planted.0) && when < Span::minutes(planted.1);
            let failed = prng.chance(if within { planted.2 } else { base });
            let device = u32::try_from(prng.next() % u64::from(attempts)).unwrap();
            buckets.add(at(0).plus(when), failed.then_some(device));
        }
        buckets
    }

    #[test]
    fn nothing_stands_out_on_quiet_days() {
        for (attempts, base) in
            [(5_000, 0.02), (4_000, 0.001), (1_000, 0.05), (500, 0.3), (100, 0.1), (60, 0.02), (9, 1.0)]
        {
            let quiet = |seed: &u64| day(*seed, attempts, base, (0, 0, 0.0)).outages(at(DAY)).is_empty();
            assert!((0..100).filter(quiet).count() >= 99, "{attempts} {base}");
        }
        assert!(Buckets::default().outages(at(0)).is_empty());
    }

    #[test]
    fn a_planted_outage_is_found_where_it_is() {
        for (attempts, base, from, to, share, begins) in [
            (5_000, 0.02, 540, 900, 0.3, false),
            (15_000, 0.065, 1200, DAY, 0.3, false),
            // Too short for the buckets that hold enough.
            (5_000, 0.02, DAY - 34, DAY, 0.4, false),
            (3_000, 0.001, 600, 640, 0.9, false),
            (5_000, 0.02, 0, 180, 0.5, true),
        ] {
            for seed in 0..20 {
                let found = day(seed, attempts, base, (from, to, share)).outages(at(DAY));
                let [outage] = found.as_slice() else { panic!("{attempts} {base} {from} seed {seed}: {found:?}") };
                let near = |a: Instant, b: i64| a.since(at(b)).unwrap().abs() <= Span::minutes(20);
                assert!(near(outage.start, from) && near(outage.end, to), "{attempts} {base} seed {seed}: {outage:?}");
                assert_eq!((outage.over, outage.from_first), (to != DAY, begins), "{outage:?}");
                assert!(outage.peak_share >= share * 0.5 && outage.base_share < base + 0.05, "{outage:?}");
                assert!(outage.peak_at >= at(from - 180) && outage.peak_at < at(to));
            }
        }
    }

    #[test]
    fn devices_count_once_and_infinite_times_not_at_all() {
        let mut buckets = Buckets::default();
        for minute in 0..600 {
            let failed = (300..330).contains(&minute);
            (0..30).for_each(|n| buckets.add(at(minute), (failed && n % 2 == 0).then_some(n)));
            buckets.add(Instant::INFINITY, Some(999));
        }
        let found = buckets.outages(at(600));
        let [outage] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((outage.start, outage.end, outage.devices), (at(300), at(329), 15));
        assert_eq!((outage.peak_share, outage.base_share, outage.over), (0.5, 0.0, true));
        // Not over before two buckets have passed without a failure.
        assert!(!buckets.outages(at(335)).pop().unwrap().over);
    }
}
