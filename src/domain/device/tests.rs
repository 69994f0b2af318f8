//! Devices against their rows, and the policy against planted fleets.

use uuid::Uuid;

use super::learn::{From, Learned, Policies};
use super::policy::{Class, Declared, Life};
use super::tries::{Gaps, MANY};
use super::*;

fn at(seconds: f64) -> Instant {
    let start = Instant::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    start.plus(Span((seconds * 1e6) as i64))
}

const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

fn row(step: Step, seconds: f64, old: Option<f64>, new: Option<f64>) -> Row {
    Row {
        id: Id::Uuid(Uuid::from_u128(seconds as u128 * 4 + step as u128)),
        device: Id::Int(1),
        family: Family::Renewal,
        step,
        at: at(seconds),
        old_expiry: old.map(at),
        new_expiry: new.map(at),
        reason: None,
        error: None,
    }
}

fn rules(back_off: &BackOff) -> Rules<'_> {
    Rules { patience: Patience::default(), shares: Some(Shares::ASSUMED), back_off }
}

#[test]
fn a_device_stands_as_its_rows_say() {
    use Step::{Failed as F, Started as S, Succeeded as Ok};
    let (end, back_off) = (90.0 * DAY, BackOff::default());
    let given = row(Ok, 0.0, Some(10.0 * DAY), Some(end));
    let start = |t| row(S, t, Some(end), None);
    let fail = |t| row(F, t, Some(end), None);
    for (rows, now, state, fails) in [
        (vec![given.clone()], 10.0 * DAY, State::Ok, 0),
        (vec![given.clone()], 65.0 * DAY, State::Silent, 0),
        (vec![given.clone()], 91.0 * DAY, State::Expired, 0),
        (vec![given.clone(), start(61.0 * DAY)], 61.01 * DAY, State::InFlight, 0),
        (vec![given.clone(), start(61.0 * DAY)], 61.5 * DAY, State::Stalled, 1),
        (vec![given.clone(), start(61.0 * DAY)], 91.0 * DAY, State::Stalled, 1),
        (vec![given.clone(), start(61.0 * DAY), fail(61.01 * DAY)], 61.5 * DAY, State::Failed, 1),
        (vec![given.clone(), start(61.0 * DAY), fail(61.01 * DAY), start(62.0 * DAY)], 62.5 * DAY, State::Stalled, 2),
        (
            vec![given.clone(), start(61.0 * DAY), fail(61.01 * DAY), start(62.0 * DAY), fail(62.01 * DAY)],
            64.9 * DAY,
            State::Failed,
            2,
        ),
        (
            vec![given.clone(), start(61.0 * DAY), fail(61.01 * DAY), start(62.0 * DAY), fail(62.01 * DAY)],
            65.1 * DAY,
            State::GaveUp,
            2,
        ),
        (vec![row(S, 0.0, None, None), row(Ok, 1.0, None, None)], DAY, State::Unknown, 0),
        (vec![row(F, 0.0, Some(DAY), None)], 2.0 * DAY, State::Failed, 1),
    ] {
        let device = Device::of(&rows, true).unwrap();
        assert_eq!(device.state(&rules(&back_off), at(now)), state, "{rows:?}");
        assert_eq!(device.fails(Patience::default(), at(now)), fails, "{rows:?}");
    }
    assert_eq!(Device::of(&[], true), None);
}

#[test]
fn the_newest_row_that_states_an_expiry_counts() {
    use Step::{Started as S, Succeeded as Ok};
    let given = row(Ok, 0.0, Some(10.0), Some(900.0));
    for (rows, expiry, not_taken) in [
        (vec![given.clone()], Some((900.0, Stated::New)), false),
        (vec![given.clone(), row(S, 5.0, None, None)], Some((900.0, Stated::New)), false),
        (vec![given.clone(), row(S, 5.0, Some(901.0), None)], Some((901.0, Stated::Old)), false),
        (vec![given.clone(), row(S, 5.0, Some(899.0), None)], Some((899.0, Stated::Old)), false),
        (vec![given.clone(), row(S, 5.0, Some(10.0), None)], Some((10.0, Stated::Old)), true),
        (vec![row(S, 5.0, None, None)], None, false),
    ] {
        let device = Device::of(&rows, true).unwrap();
        assert_eq!((device.expiry, device.not_taken), (expiry.map(|(e, s)| (at(e), s)), not_taken));
    }
    let never = Row { new_expiry: Some(Instant::INFINITY), ..given };
    let device = Device::of(&[never], true).unwrap();
    assert_eq!(device.state(&rules(&BackOff::default()), at(1e9)), State::Ok);
    assert_eq!(device.runway(at(0.0)), None);
}

#[test]
fn policies_are_read() {
    for (text, declared) in [
        ("1/3", Declared::Share(1.0 / 3.0, 1.0 / 3.0)),
        ("75%", Declared::Share(0.75, 0.75)),
        (" 10-30% ", Declared::Share(0.1, 0.3)),
        ("10%-30%", Declared::Share(0.1, 0.3)),
        ("30d", Declared::Left(Span::days(30))),
        ("off", Declared::Off),
    ] {
        assert_eq!(text.parse(), Ok(declared), "{text}");
    }
    for text in ["", "30", "0d", "-1d", "100%", "0%", "30-10%", "3/1", "1/0", "nan%", "on", "99999999999999999999d"] {
        assert!(text.parse::<Declared>().is_err(), "{text}");
    }
    let (shares, from) =
        Policies::<()>::default().shares(Some(Declared::Left(Span::days(30))), (), Life::of(Span::days(90)));
    assert_eq!((shares, from), (Some(Shares::exactly(1.0 / 3.0)), From::Set));
    assert_eq!(
        Policies::<()>::default().shares(None, (), Life::of(Span::days(9))),
        (Some(Shares::ASSUMED), From::Assumed)
    );
    assert_eq!(Class::of(Span::hours(160)), Class::TenDays);
}

/// Numbers from 0 to 1, the same in each run.
pub(in crate::domain) struct Random(pub u64);

impl Random {
    pub(in crate::domain) fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % 1_000_000) as f64 / 1e6
    }
}

/// Where a policy begins to renew, in shares of the life left.
pub(in crate::domain) type Begin = fn(&mut Random, f64) -> f64;

pub(in crate::domain) const POLICIES: [(&str, Begin); 6] = [
    ("1/3", |_, _| 1.0 / 3.0),
    ("1/2", |_, _| 0.5),
    ("20 %", |_, _| 0.2),
    ("10-30 %", |r, _| 0.1 + 0.2 * r.unit()),
    ("75 %", |_, _| 0.75),
    ("30 d", |_, days| 30.0 / days),
];

/// Plants a fleet whose devices follow the policies in turn, and counts what the rules say of them.
fn planted(policies: &[(&str, Begin)], days: f64, random: &mut Random) {
    let life = days * DAY;
    let span = |seconds: f64| Span((seconds * 1e6) as i64);
    let mut learned = Learned::default();
    for n in 0..600 {
        let left = life * policies[n % policies.len()].1(random, days);
        learned.add_share((), span(left), span(life));
    }
    let found_policies = learned.policies();
    let back_off = BackOff::default();
    let (mut looks, mut wrong, mut warned, mut found) = (0, 0, 0, 0);
    for n in 0..200 {
        let (name, begin) = policies[n % policies.len()];
        let (before, share) = (begin(random, days), begin(random, days));
        let rows = [row(Step::Succeeded, 0.0, Some(life * before), Some(life))];
        let device = Device::of(&rows, true).unwrap();
        let (shares, from) = found_policies.shares(None, (), device.life.unwrap());
        assert_eq!(from, From::Learned { renewals: 600 });
        let rules = Rules { shares, ..rules(&back_off) };
        // A healthy device is checked through its cycle until it renews, within half a percent of its life.
        for look in 0..25 {
            let now = at(life * (1.0 - share + 0.005) * f64::from(look) / 25.0);
            looks += 1;
            wrong += u32::from(device.state(&rules, now) == State::Silent);
            warned += u32::from(device.phase(shares, now) >= Phase::Critical);
        }
        // A silent one does nothing at its time: it is found soon after the latest of its kind.
        let latest = if name == "10-30 %" { 0.1 } else { share };
        let now = at(life * (1.0 - latest + 0.05).min(0.999));
        found += u32::from(device.state(&rules, now) == State::Silent);
    }
    let names: Vec<_> = policies.iter().map(|(name, _)| *name).collect();
    assert!(f64::from(wrong) <= 0.005 * f64::from(looks), "{names:?}, {days} d: {wrong} of {looks}");
    assert_eq!(warned, 0, "{names:?}, {days} d");
    assert!(found >= 190, "{names:?}, {days} d: {found} of 200");
}

#[test]
fn silent_devices_are_found_and_healthy_ones_are_not_called_so() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for days in [1.0, 6.7, 45.0, 90.0, 365.0, 3650.0] {
        for (i, policy) in POLICIES.iter().enumerate() {
            if policy.0 == "30 d" && days < 45.0 {
                continue;
            }
            planted(&[*policy], days, &mut random);
            // Two policies in one organization. One that lies within the jitter of the other cannot be distinguished from it.
            let within = |share: f64| (0.05..0.36).contains(&share);
            for other in POLICIES.iter().take(i) {
                let jittered = [policy, other].iter().any(|p| p.0 == "10-30 %");
                if jittered && [policy, other].iter().all(|p| within(p.1(&mut random, days))) {
                    continue;
                }
                planted(&[*policy, *other], days, &mut random);
            }
        }
    }
}

#[test]
fn a_few_early_renewals_are_no_policy() {
    let mut learned = Learned::default();
    for n in 0..300 {
        // Two in a hundred renewed early, and after an outage half of all did so as soon as they had a certificate.
        let share = match n % 100 {
            0..2 => 0.8,
            2..50 => 0.99,
            _ => 1.0 / 3.0,
        };
        learned.add_share((), Span((share * 90.0 * DAY * 1e6) as i64), Span::days(90));
    }
    let policies = learned.policies();
    for renewed in [Some(0.99), Some(0.8), Some(0.33), Some(0.6), None] {
        let (shares, _) = policies.shares(None, (), Life { validity: Span::days(90), renewed });
        let (early, late) = (shares.unwrap().early, shares.unwrap().late);
        // Those who renewed early once are judged by all: the few at most widen the time in which renewals begin.
        assert!((late - 1.0 / 3.0).abs() < 0.01 && early < 0.81, "{renewed:?}: {shares:?}");
    }
}

#[test]
fn renewals_teach_their_policy() {
    let mut learned = Learned::default();
    for n in 0..40 {
        let begin = 60.0 * DAY + f64::from(n);
        let rows = [
            row(Step::Started, begin, Some(90.0 * DAY), None),
            row(Step::Succeeded, begin + 20.0, Some(90.0 * DAY), Some(begin + 20.0 + 90.0 * DAY)),
        ];
        attempts(&rows).iter().for_each(|a| learned.add((), a));
    }
    let (shares, from) = learned.policies().shares(None, (), Life::of(Span::days(90)));
    assert_eq!(from, From::Learned { renewals: 40 });
    assert!((shares.unwrap().median - 1.0 / 3.0).abs() < 0.01, "{shares:?}");
    assert_eq!(learned.policies().shares(None, (), Life::of(Span::days(1))).1, From::Assumed);
}

/// The gap behind a try, in seconds.
type Gap = fn(u32) -> f64;

const BACK_OFFS: [(&str, Gap); 4] = [
    ("1 h x 2 to 32 h", |n| (HOUR * f64::from(1 << (n - 1).min(5))).min(32.0 * HOUR)),
    ("10 min x 2 to 30 min", |n| (600.0 * f64::from(1 << (n - 1).min(5))).min(1800.0)),
    ("24 h", |_| DAY),
    ("1, 10, 100 min, 1 d", |n| [60.0, 600.0, 6000.0, DAY][(n as usize - 1).min(3)]),
];

#[test]
fn the_next_try_is_foretold_and_who_gave_up_is_found() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (name, gap) in BACK_OFFS {
        let mut device = |count: u32| {
            let mut times = vec![0.0];
            for n in 1..count {
                times.push(times[n as usize - 1] + gap(n) * (0.98 + 0.04 * random.unit()));
            }
            times
        };
        let mut gaps = Gaps::default();
        for n in 0..200 {
            let times = device(2 + n % 9);
            for (number, pair) in times.windows(2).enumerate() {
                gaps.add(number as u32 + 1, Span(((pair[1] - pair[0]) * 1e6) as i64));
            }
        }
        let back_off = gaps.back_off(None);
        let (mut near, mut gave_up, mut wrong) = (0, 0, 0);
        for n in 0..200 {
            let times = device(1 + n % 8);
            let (count, last) = (times.len() as u32, times[times.len() - 1]);
            let tries = Tries::of(times.iter().map(|t| at(*t)));
            let next = tries.next(&back_off).unwrap().since(at(last)).unwrap();
            near += u32::from((next.0 as f64 / 1e6 - gap(count)).abs() <= 0.1 * gap(count));
            wrong += u32::from(tries.gave_up(&back_off, at(last + 1.1 * gap(count))));
            gave_up += u32::from(tries.gave_up(&back_off, at(last + 3.3 * gap(count))));
        }
        assert!(near >= 180 && gave_up == 200 && wrong == 0, "{name}: {near} {gave_up} {wrong}");
        let tries = Tries::of([at(0.0)].into_iter());
        assert_eq!(
            tries.left(&back_off, at(1.0), at(gap(1) * 0.5)),
            Some(0),
            "{name}: the back-off outlasts the runway"
        );
        assert!(tries.left(&back_off, at(1.0), at(90.0 * DAY)) >= Some(60), "{name}");
    }
    let tied = Tries::of([0.0, 100.0, 300.0, 300.0].into_iter().map(at));
    assert_eq!(tied.next(&BackOff::default()), Some(at(700.0)));
    assert_eq!(Tries::of([0.0, 0.0].into_iter().map(at)).next(&BackOff::default()), None);
    // Many tries are counted as one by one: 20 of them begin before the end, the last of them just before it.
    let steady = Tries::of([0.0, 100.0, 200.0].into_iter().map(at));
    for (end, left) in [(300.0, 0), (300.1, 1), (2200.0, 19), (2200.1, 20), (9e9, MANY)] {
        assert_eq!(steady.left(&BackOff::default(), at(201.0), at(end)), Some(left), "{end}");
    }
    let alone = Tries::of([0.0, 100.0, 300.0].into_iter().map(at));
    assert_eq!(alone.next(&BackOff::default()), Some(at(700.0)));
    assert_eq!(Tries::of([at(0.0)].into_iter()).next(&BackOff::default()), None);
}
