//! The fleet against planted ones.

use uuid::Uuid;

use super::*;
use crate::domain::device::State;
use crate::domain::device::policy::Phase;
use crate::domain::device::tests::{POLICIES, Random};
use crate::domain::event::{ErrorText, Kind, RenewalEvent};
use crate::domain::filter::Filter;

use crate::domain::zone::Zone;

const DAY: f64 = 86_400.0;

fn at(seconds: f64) -> Instant {
    let start = Instant::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    start.plus(Span((seconds * 1e6) as i64))
}

/// A row of the `device`th device, with its old and new expiry.
fn row(device: u128, kind: &str, seconds: f64, expiry: (Option<Instant>, Option<Instant>)) -> Arc<RenewalEvent> {
    let failed = kind.ends_with("failed");
    Arc::new(RenewalEvent {
        id: Id::Uuid(Uuid::from_u128((device << 64) | ((seconds * 8.0) as u128 * 8 + kind.len() as u128))),
        device_id: Id::Uuid(Uuid::from_u128(device)),
        org_id: Some(Id::Uuid(Uuid::from_u128(device % 3))),
        kind: Kind::new(kind),
        reason: None,
        old_expiry: expiry.0,
        new_expiry: expiry.1,
        error: failed.then(|| ErrorText::whole(format!("dial tcp 10.0.0.{device}:443: refused").as_str())),
        created_at: at(seconds),
        device: None,
        org: None,
        beyond: None,
    })
}

fn member(device: u128, rows: &[Arc<RenewalEvent>]) -> Member {
    let (name, org) = (format!("edge-{device:04}"), ["acme", "globex", "lab"][(device % 3) as usize]);
    Member::of(Some(name.as_str().into()), Some(org.into()), rows, true).unwrap()
}

/// A fleet of which each device has the rows that it is given.
fn fleet(rows: impl IntoIterator<Item = (u128, Vec<Arc<RenewalEvent>>)>) -> Fleet {
    let mut fleet = Fleet::default();
    rows.into_iter().for_each(|(device, rows)| fleet.insert(member(device, &rows)));
    fleet.learn();
    fleet
}

fn names(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.member.name.as_ref().unwrap().raw()).collect()
}

/// A device whose certificate of `life` seconds began so long before 0, and replaced one with that share left.
fn renewed(device: u128, life: f64, age: f64, share: f64) -> (u128, Vec<Arc<RenewalEvent>>) {
    let expiry = |seconds: f64| Some(at(seconds));
    (device, vec![row(device, "renewal_success", -age, (expiry(-age + life * share), expiry(life - age)))])
}

#[test]
fn planted_fleets_stand_as_they_were_planted() {
    let mut random = Random(0x1234_5678_9abc_def1);
    for days in [1.0, 6.7, 45.0, 90.0, 365.0, 3650.0] {
        for (name, begin) in POLICIES {
            if name == "30 d" && days < 45.0 {
                continue;
            }
            let life = days * DAY;
            // One in a hundred does nothing when its time has come.
            let silent = |device: u128| device.is_multiple_of(100);
            let devices = (0..2000).map(|device| {
                let (before, share) = (begin(&mut random, days), begin(&mut random, days));
                let latest = if name == "10-30 %" { 0.1 } else { share };
                let used =
                    if silent(device) { (1.0 - latest + 0.05).min(0.999) } else { random.unit() * (1.0 - share) };
                renewed(device, life, life * used, before)
            });
            let fleet = fleet(devices);
            let summary = fleet.summary(&Selection::default(), at(0.0));
            let (found, named): (Vec<_>, Vec<_>) = (
                fleet.members().map(|m| fleet.line(m, at(0.0))).filter(|l| l.state == State::Silent).collect(),
                (0..2000).filter(|device| silent(*device)).map(|device| format!("edge-{device:04}")).collect(),
            );
            let right = names(&found).iter().filter(|name| named.iter().any(|n| n == *name)).count();
            assert!(right >= 19 && found.len() - right <= 10, "{name}, {days} d: {right} of {}", found.len());
            assert_eq!(summary.silent as usize, found.len());
            assert_eq!(summary.failing() + summary.in_bucket(Bucket::Expired), 0, "{name}, {days} d");
            assert!(summary.basis.to_string().starts_with("learned from up to 6"), "{}", summary.basis);
        }
    }
}

#[test]
fn a_healthy_fleet_of_all_lives_is_not_at_risk() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let devices = (0..5000).map(|device| {
        let life = DAY * [1.0, 6.7, 47.0, 365.0, 3650.0][(device % 5) as usize];
        renewed(device, life, life * random.unit() * 2.0 / 3.0, 1.0 / 3.0)
    });
    let fleet = fleet(devices);
    let summary = fleet.summary(&Selection::default(), at(0.0));
    assert_eq!(summary.known, 5000);
    assert_eq!(summary.in_phase(Phase::NotDue) + summary.in_phase(Phase::Due), 5000, "{summary:?}");
    assert_eq!(summary.in_state(State::Ok), 5000);
    assert!(summary.in_bucket(Bucket::Day) > 900 && summary.in_bucket(Bucket::Longer) > 900);
    assert_eq!((summary.expiring_in_a_day, summary.silent, summary.first.as_ref()), (0, 0, None));
    assert_eq!(Bucket::ALL.map(|b| summary.in_bucket(b)).iter().sum::<u64>(), 5000);
}

/// Devices that differ in all that can be ordered by, and some that lack it.
fn mixed() -> Fleet {
    let given =
        |device, from: f64, until: f64| row(device, "renewal_success", from * DAY, (None, Some(at(until * DAY))));
    let failed = |device, seconds: f64| row(device, "renewal_failed", seconds, (None, None));
    fleet([
        (1, vec![given(1, -90.0, -10.0)]),
        (2, vec![given(2, -90.0, -1.0), failed(2, -3.0 * DAY), failed(2, -2.0 * DAY), failed(2, -DAY)]),
        (3, vec![given(3, -89.5, 0.5), failed(3, -7200.0), failed(3, -3600.0)]),
        (4, vec![given(4, -60.0, 30.0)]),
        (5, vec![given(5, -60.0, 30.0)]),
        (6, vec![row(6, "renewal_success", -5.0, (None, Some(Instant::INFINITY)))]),
        (7, vec![row(7, "renewal_start", -60.0, (None, None))]),
    ])
}

#[test]
fn devices_come_in_order_and_what_is_unknown_comes_last() {
    let fleet = mixed();
    for (by, inverse, order) in [
        (Sort::Runway, false, [1, 2, 3, 4, 5, 6, 7]),
        (Sort::Runway, true, [6, 4, 5, 3, 2, 1, 7]),
        (Sort::Dark, false, [3, 4, 5, 6, 2, 1, 7]),
        (Sort::Tries, false, [2, 3, 1, 4, 5, 6, 7]),
        (Sort::Fails, false, [2, 3, 1, 4, 5, 6, 7]),
        (Sort::LastSuccess, false, [1, 2, 3, 4, 5, 6, 7]),
        (Sort::Org, false, [3, 6, 1, 4, 7, 2, 5]),
        (Sort::Device, true, [7, 6, 5, 4, 3, 2, 1]),
    ] {
        let lines = fleet.lines(&Selection::default(), Order { by, inverse }, at(0.0));
        let expected = order.map(|n| format!("edge-{n:04}"));
        assert_eq!(names(&lines), expected, "{by:?} {inverse}");
    }
}

#[test]
fn a_line_says_how_a_device_stands() {
    let fleet = mixed();
    let line = |n: u128| fleet.line(fleet.get(&Id::Uuid(Uuid::from_u128(n))).unwrap(), at(0.0));
    let third = line(3);
    assert_eq!((third.state, third.fails, third.bucket), (State::Failed, 2, Bucket::Day));
    assert_eq!((third.next_try, third.tries_left), (Some(at(0.0)), Some(12)));
    assert_eq!(third.member.signature.as_deref(), Some("dial tcp <*>: refused"));
    assert_eq!(third.runway, Some(Span::hours(12)));
    assert_eq!((line(2).tries_left, line(2).bucket), (Some(0), Bucket::Expired));
    assert_eq!((line(1).state, line(6).bucket, line(7).bucket), (State::Expired, Bucket::Longer, Bucket::Unknown));
    assert_eq!((line(7).state, line(1).silent_since.is_some()), (State::InFlight, true));
    let summary = fleet.summary(&Selection::default(), at(0.0));
    assert_eq!((summary.expiring_in_a_day, summary.failing(), summary.silent), (1, 2, 1));
    assert_eq!(names(summary.first.as_slice()), ["edge-0003"]);
}

#[test]
fn a_filter_selects_devices_by_their_names_and_states() {
    let fleet = mixed();
    let select = |text: &str| {
        let filter = Filter::parse(text).unwrap();
        Selection::of(&filter.criteria(at(0.0), &Zone::Utc))
    };
    for (text, found) in [
        ("", vec![1, 2, 3, 4, 5, 6, 7]),
        ("org:acme", vec![3, 6]),
        ("-org:acme,lab device:edge-*", vec![1, 4, 7]),
        ("device:*3,00000000-0000-0000-0000-000000000004", vec![3, 4]),
        ("-device:*", vec![]),
    ] {
        let (selection, rest) = select(text);
        assert!(rest.is_empty());
        assert_eq!(selection.is_all(), text.is_empty());
        let expected: Vec<_> = found.iter().map(|n| format!("edge-{n:04}")).collect();
        assert_eq!(names(&fleet.lines(&selection, Order::default(), at(0.0))), expected, "{text}");
    }
    for (text, found) in [
        ("state:failing", vec![2, 3]),
        ("state:silent", vec![1]),
        ("state:expired", vec![1, 2]),
        ("state:ok,in_flight", vec![4, 5, 6, 7]),
        ("-state:failed,ok,gave_up", vec![1, 7]),
        ("state:failing org:acme", vec![3]),
        ("left:<1d", vec![1, 2, 3]),
        ("left:<=0", vec![1, 2]),
        ("left:>0 -left:>=30d", vec![3]),
        ("left:>100d", vec![6]),
        ("left:<10%", vec![1, 2, 3]),
        ("left:>=30%,<0%", vec![1, 2, 4, 5, 6]),
        ("-left:<99999d", vec![6, 7]),
    ] {
        let (selection, rest) = select(text);
        assert!(rest.is_empty());
        let expected: Vec<_> = found.iter().map(|n| format!("edge-{n:04}")).collect();
        assert_eq!(names(&fleet.lines(&selection, Order::default(), at(0.0))), expected, "{text}");
        assert_eq!(fleet.summary(&selection, at(0.0)).known, found.len() as u64);
    }
    let mut words: Vec<_> = Word::all().map(Word::name).collect();
    words.sort_unstable();
    let mut known = crate::domain::filter::standing::STATES;
    known.sort_unstable();
    assert_eq!(words, known);
    let (_, rest) = select("type:failed org:acme since:1h");
    assert_eq!(rest.len(), 3, "the type, the time, and that no row is ahead of it");
}

#[test]
fn nobody_gave_up_who_tried_within_half_an_hour() {
    let failed = |seconds: f64| row(1, "renewal_failed", seconds, (None, Some(at(90.0 * DAY))));
    let fleet = fleet([(1, vec![failed(0.0), failed(10.0)])]);
    let member = fleet.get(&Id::Uuid(Uuid::from_u128(1))).unwrap();
    for (seconds, state) in [(1700.0, State::Failed), (1900.0, State::GaveUp)] {
        assert_eq!(fleet.line(member, at(seconds)).state, state);
    }
}

#[test]
fn what_is_declared_replaces_what_is_learned() {
    let mut fleet = mixed();
    let silent = |fleet: &Fleet| fleet.summary(&Selection::default(), at(0.0)).silent;
    assert_eq!(fleet.summary(&Selection::default(), at(0.0)).basis.to_string(), "assumed 1/3");
    fleet.declare("40d".parse().ok());
    // Two more have less than 40 days left.
    assert_eq!(silent(&fleet), 3);
    assert_eq!(fleet.summary(&Selection::default(), at(0.0)).basis.to_string(), "set");
    fleet.declare(Some(Declared::Off));
    assert_eq!(silent(&fleet), 0);
}

#[test]
fn devices_are_replaced_and_forgotten() {
    let mut fleet = mixed();
    let (_, rows) = renewed(3, 90.0 * DAY, DAY, 0.3);
    fleet.insert(member(3, &rows));
    fleet.learn();
    assert_eq!((fleet.len(), fleet.summary(&Selection::default(), at(0.0)).failing()), (7, 1));
    assert_eq!(fleet.signatures.len(), 1);
    fleet.remove(&Id::Uuid(Uuid::from_u128(2)));
    fleet.learn();
    assert!(fleet.signatures.is_empty());
    fleet.retain(|id| *id == Id::Uuid(Uuid::from_u128(5)));
    assert_eq!(fleet.members().map(|m| m.id().clone()).collect::<Vec<_>>(), [Id::Uuid(Uuid::from_u128(5))]);
}

#[test]
fn a_member_is_small() {
    assert!(size_of::<Member>() <= 400, "{}", size_of::<Member>());
}
