//! Outages: runs of time in which far more attempts fail than is usual in the range.
//!
//! The survey counts finished attempts in buckets of [`Buckets::WIDTH`]; [`Buckets::outages`] joins these to wider ones
//! where they hold too little, compares each bucket's share of failures with the usual one, and joins those that stand out.
//! Nothing is forecast, and nothing is remembered from before the range.

use std::collections::{BTreeMap, HashSet};

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

    /// The outages, oldest first; `now` is the database's time.
    pub fn outages(&self, now: Instant) -> Vec<Outage> {
        let times = self.times();
        let wide = self.joined(times);
        let share = |b: &(u64, u64)| b.1 as f64 / b.0 as f64;
        let mut shares: Vec<f64> = wide.values().map(share).collect();
        shares.sort_by(f64::total_cmp);
        let base = shares.get(shares.len() / 2).copied().unwrap_or_default();
        let limit = FACTOR * base.max(FLOOR);
        let hot: Vec<i64> =
            wide.iter().filter(|(_, b)| b.1 >= LEAST && lower(b.1, b.0) > limit).map(|(n, _)| *n).collect();
        let first = wide.keys().next().copied();
        let runs = hot.chunk_by(|a, b| b - a <= APART).filter(|run| run.len() >= 2);
        let outage = |run: &[i64]| {
            let (from, to) = (*run.first()?, *run.last()?);
            let peak = run.iter().max_by(|a, b| {
                wide.get(a).map(share).unwrap_or(0.0).total_cmp(&wide.get(b).map(share).unwrap_or(0.0))
            })?;
            let within = || self.of.range(from * times..(to + 1) * times).map(|(_, bucket)| bucket);
            let width = Span(Self::WIDTH.0 * times);
            let end = within().filter_map(|b| Some(b.ends?.1)).max()?;
            Some(Outage {
                start: within().filter_map(|b| Some(b.ends?.0)).min()?,
                end,
                peak_at: Instant::from_pg_micros(peak * width.0),
                peak_share: wide.get(peak).map(share)?,
                base_share: base,
                over: end.plus(Span(width.0 * APART)) < now,
                devices: within().flat_map(|b| &b.failed).collect::<HashSet<_>>().len() as u64,
                from_first: Some(from) == first,
            })
        };
        runs.filter_map(outage).collect()
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
