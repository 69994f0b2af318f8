//! The survey against plain definitions over all rows of random tables.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::attempt::{Patience, State};
use crate::domain::event::{ErrorText, Kind};
use crate::domain::instant::Span;
use crate::domain::signature::{SigId, Signature};
use crate::domain::source::{Beyond, Traits};
use crate::domain::text::Text;

fn at(seconds: i64) -> Instant {
    Instant::parse_rfc3339("2026-11-20T00:00:00Z").unwrap().plus(Span::seconds(seconds))
}

fn id(n: usize) -> Id {
    Id::Uuid(Uuid::from_u128(n as u128))
}

/// A row of `device` in the organization `device % 3`.
fn event(n: usize, device: usize, kind: &str, seconds: i64) -> RenewalEvent {
    RenewalEvent {
        id: id(n),
        device_id: id(1_000_000 + device),
        org_id: Some(id(device % 3)),
        kind: Kind::new(kind),
        reason: None,
        old_expiry: None,
        new_expiry: None,
        error: None,
        created_at: at(seconds),
        device: None,
        org: None,
        beyond: None,
    }
}

fn failed(n: usize, device: usize, seconds: i64, error: &str) -> RenewalEvent {
    RenewalEvent { error: Some(ErrorText::whole(error)), ..event(n, device, "renewal_failed", seconds) }
}

const ERRORS: [&str; 6] = [
    "",
    "dial tcp 10.0.0.1:443: refused",
    "dial tcp 10.0.0.2:443: refused",
    "status code 503",
    "status code 401",
    " \n",
];

fn table() -> impl Strategy<Value = Vec<RenewalEvent>> {
    let row = (0..7_usize, 0..7_usize, 0..60_i64, 0..7_usize, 0..6_i64, 0..6_i64);
    proptest::collection::vec(row, 0..70).prop_map(|parts| {
        let made = parts.into_iter().enumerate().map(|(n, (device, kind, second, error, old, new))| {
            let kind = Kind::KNOWN.get(kind).copied().unwrap_or("something_else");
            let expiry = |n: i64| match n {
                0 | 1 => None,
                2 => Some(Instant::INFINITY),
                3 => Some(Instant::NEG_INFINITY),
                n => Some(at(n * 1000 - 4000)),
            };
            // Ids in no order of time, and many rows of one instant.
            let mut row = event((n * 7919) % 10_007, device, kind, second / 2 * 20);
            row.error = ERRORS.get(error).map(|e| ErrorText::whole(*e));
            (row.old_expiry, row.new_expiry) = (expiry(old), expiry(new));
            if device == 6 {
                (row.device_id, row.org_id) = (Id::Text(Text::from("")), None);
            }
            row
        });
        let mut rows: Vec<RenewalEvent> = made.collect();
        rows.sort_by_key(RenewalEvent::cursor);
        rows
    })
}

fn ranges() -> impl Strategy<Value = SurveyRange> {
    (proptest::option::of(0..700_i64), proptest::option::of(0..700_i64), any::<bool>()).prop_map(
        |(from, until, table)| SurveyRange {
            from: from.map(at),
            until: until.map(at),
            now: at(650),
            begins: if table { Begins::WithTable } else { Begins::WithinTable },
        },
    )
}

fn surveyed(range: SurveyRange, rows: &[RenewalEvent]) -> Survey {
    let mut survey = Survey::new(range);
    rows.iter().for_each(|row| survey.add(row));
    survey
}

fn reported(survey: &Survey) -> Report {
    survey.report(at(5_000), Patience::default())
}

/// Every number by its plain definition over all rows.
struct Naive<'a> {
    rows: &'a [RenewalEvent],
    range: SurveyRange,
}

impl Naive<'_> {
    fn within(&self) -> impl Iterator<Item = &RenewalEvent> {
        self.rows
            .iter()
            .filter(|r| self.range.from.is_none_or(|f| r.created_at >= f))
            .filter(|r| self.range.until.is_none_or(|u| r.created_at < u))
    }
    fn sig(row: &RenewalEvent) -> Option<SigId> {
        let signature = Signature::of(row.error.as_ref()?.text.raw());
        Some(signature.id).filter(|_| !signature.text.is_empty())
    }
    fn failures(&self) -> impl Iterator<Item = &RenewalEvent> {
        self.within().filter(|r| r.outcome() == Outcome::Failed)
    }
    /// The device's newest outcome in the range: of a failure its signature.
    fn newest(&self, device: &Id) -> Option<Option<Option<SigId>>> {
        let own = self.within().filter(|r| r.device_id() == Some(device));
        let outcomes = own.filter(|r| matches!(r.outcome(), Outcome::Failed | Outcome::Succeeded));
        let newest = outcomes.max_by_key(|r| (r.created_at, r.id.clone()))?;
        Some((newest.outcome() == Outcome::Failed).then(|| Self::sig(newest)))
    }
    fn expiry(&self, device: &Id) -> Option<Instant> {
        let before_end = self.rows.iter().filter(|r| self.range.until.is_none_or(|u| r.created_at < u));
        let own: Vec<Row> =
            before_end.filter(|r| r.device_id() == Some(device)).filter_map(|r| Row::of(r, None)).collect();
        Some(crate::domain::device::Device::of(&own, true)?.expiry?.0)
    }
    fn devices(&self, sig: Option<SigId>) -> BTreeSet<Id> {
        self.failures().filter(|r| Self::sig(r) == sig).filter_map(|r| r.device_id().cloned()).collect()
    }
    fn check(&self, group: &ErrorGroup) {
        let of: Vec<&RenewalEvent> = self.failures().filter(|r| Self::sig(r) == group.sig).collect();
        let devices = self.devices(group.sig);
        let stand =
            |want: Option<Option<Option<SigId>>>| devices.iter().filter(|d| self.newest(d) == want).count() as u64;
        let (still, resolved) = (stand(Some(Some(group.sig))), stand(Some(None)));
        assert_eq!((group.rows, group.devices), (of.len() as u64, devices.len() as u64));
        assert_eq!((group.still, group.resolved), (still, resolved));
        assert_eq!(group.moved, group.devices - still - resolved);
        let orgs: BTreeSet<_> = of.iter().filter_map(|r| r.org_id.clone()).collect();
        assert_eq!(group.orgs, Some(orgs.len() as u64));
        assert_eq!(group.first, of.iter().map(|r| r.created_at).min().unwrap());
        let newest = of.iter().max_by_key(|r| (r.created_at, r.id.clone())).unwrap();
        assert_eq!((group.last, &group.example), (newest.created_at, &newest.id));
        let failing = devices.iter().filter(|d| self.newest(d) == Some(Some(group.sig)));
        assert_eq!(group.worst, failing.filter_map(|d| self.expiry(d)).min());
        assert_eq!(group.spark.iter().sum::<u64>(), group.rows);
        let (from, until) = (
            self.range.from.or(self.within().map(|r| r.created_at).next()).unwrap(),
            self.range.until.unwrap_or(self.range.now),
        );
        for (part, count) in group.spark.iter().enumerate() {
            let into = |r: &&&RenewalEvent| {
                let share = r.created_at.since(from).unwrap().0 as f64 / until.since(from).unwrap().0.max(1) as f64;
                ((share * 10.0).floor() as usize).min(9) == part
            };
            assert_eq!(*count, of.iter().filter(into).count() as u64);
        }
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        of.iter()
            .flat_map(|r| crate::domain::signature::values(r.error.as_ref().map_or("", |e| e.text.raw())).masks)
            .for_each(|v| *counts.entry(v).or_default() += 1);
        let mut found: BTreeMap<&str, u64> = BTreeMap::new();
        group.values.iter().flat_map(|p| &p.top).for_each(|(v, n)| *found.entry(v.raw()).or_default() += n);
        assert_eq!(found, counts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn each_number_is_that_of_its_definition(rows in table(), range in ranges()) {
        let naive = Naive { rows: &rows, range };
        let report = reported(&surveyed(range, &rows));
        prop_assert_eq!((report.rows, report.failures), (naive.within().count() as u64, naive.failures().count() as u64));
        let sigs: BTreeSet<_> = naive.failures().map(Naive::sig).collect();
        prop_assert_eq!(report.errors.iter().map(|e| e.sig).collect::<BTreeSet<_>>(), sigs);
        report.errors.iter().for_each(|group| naive.check(group));
        let all: BTreeSet<Id> = rows.iter().filter_map(|r| r.device_id().cloned()).collect();
        let failing: Vec<&Id> = all.iter().filter(|d| matches!(naive.newest(d), Some(Some(_)))).collect();
        prop_assert_eq!(report.devices_failing, failing.len() as u64);
        let ever: BTreeSet<_> = naive.failures().filter_map(|r| r.device_id()).collect();
        prop_assert_eq!(report.devices_failed_ever, ever.len() as u64);
        let org = |d: &Id| rows.iter().find(|r| r.device_id() == Some(d)).and_then(|r| r.org_id.clone());
        let mut by_org: BTreeMap<Id, u64> = BTreeMap::new();
        failing.iter().filter_map(|d| org(d)).for_each(|o| *by_org.entry(o).or_default() += 1);
        prop_assert_eq!(report.top_org.as_ref().map(|o| o.devices), by_org.values().max().copied());
        prop_assert_eq!(report.kinds_of_error, report.errors.iter().filter(|e| e.still > 0).count() as u64);
        let order = |e: &ErrorGroup| (std::cmp::Reverse(e.still), e.worst.unwrap_or(Instant::INFINITY));
        prop_assert!(report.errors.is_sorted_by_key(order));
    }

    #[test]
    fn the_totals_are_those_of_the_attempts_that_touch_the_range(rows in table(), range in ranges()) {
        let now = at(5_000);
        let as_of = range.until.map_or(now, |u| u.min(now));
        let (mut fold, mut done) = (Fold::new(range.begins), Vec::new());
        let before_end = rows.iter().filter(|r| range.until.is_none_or(|u| r.created_at < u));
        before_end.filter_map(|r| Row::of(r, None)).for_each(|row| fold.add(row, &mut done));
        fold.settle(&mut done);
        done.extend(fold.open(Patience::default(), as_of));
        let marks = |a: &Attempt| [a.start.as_ref().map(|m| m.at), a.end.as_ref().map(|(m, _)| m.at)];
        done.retain(|a| marks(a).into_iter().flatten().any(|t| range.from.is_none_or(|f| t >= f)));
        let count = |state| done.iter().filter(|a| a.state == state).count() as u64;
        let expected = Totals {
            all: done.len() as u64,
            succeeded: count(State::Succeeded),
            failed: count(State::Failed),
            in_flight: count(State::InFlight),
            stalled: count(State::Stalled),
            superseded: count(State::Superseded),
            orphan: count(State::Orphan),
            undecided: count(State::Undecided),
            start_not_kept: count(State::StartNotKept),
        };
        // Also in the middle of an instant, when not all is settled.
        prop_assert_eq!(reported(&surveyed(range, &rows)).attempts, expected);
    }

    #[test]
    fn a_checkpoint_goes_on_as_if_late_rows_had_come_in_time(rows in table(), range in ranges(), cut in 0..70_usize) {
        // The checkpoint is taken between two instants; what lies behind it is read again, with the rows that came late.
        let cut = rows.get(cut).map_or(rows.len(), |r| rows.partition_point(|x| x.created_at < r.created_at));
        let mut checkpoint = surveyed(range, &rows[..cut]);
        let mut ahead = checkpoint.clone();
        rows[cut..].iter().step_by(2).for_each(|row| ahead.add(row));
        let _ = reported(&ahead);
        rows[cut..].iter().for_each(|row| checkpoint.add(row));
        prop_assert_eq!(reported(&checkpoint), reported(&surveyed(range, &rows)));
    }

    #[test]
    fn the_order_within_an_instant_changes_no_state(rows in table(), range in ranges()) {
        let mut turned = rows.clone();
        turned.sort_by(|a, b| (a.created_at, &b.id).cmp(&(b.created_at, &a.id)));
        let states = |rows| reported(&surveyed(range, rows)).errors.iter().map(|e| (e.sig, e.still, e.resolved, e.moved, e.example.clone())).collect::<BTreeSet<_>>();
        prop_assert_eq!(states(&rows), states(&turned));
    }
}

#[test]
fn a_source_without_organizations_counts_none() {
    let traits = Traits { lacks: vec![Part::Org], ..Traits::default() };
    let beyond = std::sync::Arc::new(Beyond { traits: std::sync::Arc::new(traits), ..Beyond::default() });
    let row = RenewalEvent { org_id: None, beyond: Some(beyond), ..failed(1, 1, 5, "x") };
    let range = SurveyRange { from: None, until: None, now: at(9), begins: Begins::WithTable };
    let report = reported(&surveyed(range, &[row]));
    assert_eq!((report.errors[0].orgs, report.top_org), (None, None));
}

#[test]
fn values_and_examples_are_bounded_and_nothing_is_lost() {
    let range = SurveyRange { from: Some(at(0)), until: None, now: at(9_000), begins: Begins::WithTable };
    let rows: Vec<_> = (0..500)
        .map(|n| failed(n, n, n as i64, &format!("status code {}", if n % 2 == 0 { 503 } else { n })))
        .collect();
    let report = reported(&surveyed(range, &rows));
    let [group] = report.errors.as_slice() else { panic!("{:?}", report.errors) };
    assert_eq!(group.values[0].top[0], (Text::from("503"), 250));
    assert_eq!(group.values[0].top.iter().map(|(_, n)| n).sum::<u64>() + group.values[0].others, 500);
    assert_eq!((group.values[0].top.len(), group.examples.len()), (5, 3));
    assert_eq!(group.examples[0], Text::from("status code 503"));
}

#[test]
fn states_follow_from_the_look_back() {
    let day = 86_400;
    let range = SurveyRange { from: Some(at(0)), until: None, now: at(day), begins: Begins::WithTable };
    let rows = [
        failed(1, 1, 5, "never seen"),
        failed(2, 2, 5, "long quiet"),
        failed(3, 3, 5, "all the time"),
        failed(4, 4, 5, "gone again"),
        event(5, 4, "renewal_success", 9),
        event(6, 5, "renewal_failed", 9),
    ];
    let mut back = LookBack::default();
    for (n, error, seconds) in
        [(7, "long quiet", 5 - 7 * day), (8, "all the time", 6 - 7 * day), (9, "gone again", -40 * day)]
    {
        back.add(&failed(n, 9, seconds, error));
    }
    back.add(&failed(10, 9, -9 * day, "all the time"));
    back.add(&event(11, 9, "renewal_success", -1));
    let report = reported(&surveyed(range, &rows));
    let group = |text: &str| report.errors.iter().find(|e| &*e.signature == text).unwrap();
    for (text, unread, read) in [
        ("never seen", Standing::Unknown, Standing::New),
        ("long quiet", Standing::Unknown, Standing::Regressed),
        ("all the time", Standing::Unknown, Standing::Ongoing),
        ("gone again", Standing::Resolved, Standing::Resolved),
        ("", Standing::Unknown, Standing::New),
    ] {
        assert_eq!((group(text).state(None), group(text).state(Some(&back))), (unread, read), "{text}");
    }
    assert_eq!(group("all the time").first_ever(&back), at(-9 * day));
    assert_eq!(group("never seen").first_ever(&back), at(5));
    assert_eq!((LookBack::reach(Span::days(1)), LookBack::reach(Span::days(30))), (Span::days(30), Span::days(120)));
}

#[test]
fn six_signatures_that_differ_in_one_word_are_a_family() {
    let range = SurveyRange { from: Some(at(0)), until: None, now: at(9_000), begins: Begins::WithTable };
    let parts = ["signer", "broker", "queue", "agent", "proxy", "ledger"];
    let survey = |parts: &[&str]| {
        let rows = parts.iter().enumerate().flat_map(|(n, part)| {
            (0..=n).map(move |k| failed(n * 10 + k, n, n as i64, &format!("cannot reach the {part} any more")))
        });
        let others = ["power is on", "power is off", "unrelated", "words", "alone"]
            .map(|text| failed(900 + text.len(), 7, 99, text));
        reported(&surveyed(range, &rows.chain(others).collect::<Vec<_>>())).errors
    };
    let groups = survey(&parts);
    let found = families(&groups);
    assert_eq!(found.iter().map(Vec::len).max(), Some(6));
    assert_eq!(found.iter().map(Vec::len).sum::<usize>(), groups.len());
    let family = found.iter().find(|f| f.len() == 6).unwrap();
    assert_eq!(&*groups[family[0]].signature, "cannot reach the ledger any more");
    assert!(family.is_sorted_by_key(|place| std::cmp::Reverse(groups[*place].rows)));
    // One less, and they may be different on purpose.
    assert!(families(&survey(&parts[1..])).iter().all(|f| f.len() == 1));
}

#[test]
fn a_filter_is_divided_by_what_tells_of_a_device() {
    use crate::domain::filter::Filter;
    use crate::domain::zone::Zone;
    let now = at(0);
    let scope = |text: &str| {
        let filter = Filter::parse(text).unwrap();
        Scope::of(filter.criteria(now, &Zone::Utc), filter.bounds(now, &Zone::Utc))
    };
    let rows = |scope: &Scope, event: &RenewalEvent| scope.reading(Span::hours(3)).matches(event);
    let of = |kind, device, hours: i64| event(1, device, kind, hours * 3600);
    for (text, selects, of_devices) in [
        ("since:24h", false, true),
        ("since:24h type:failed", false, false),
        ("since:24h -device:x*", false, true),
        ("since:24h org:*", false, false),
        ("since:24h type:recovery", true, false),
        ("since:24h error:x", true, false),
        ("since:24h x", true, false),
        ("since:24h reason:x", true, false),
        ("-until:24h -since:1h", false, true),
        ("since:24h -time:3h..2h", true, false),
        ("", false, true),
    ] {
        let scope = scope(text);
        assert_eq!((scope.selected().is_some(), scope.is_of_devices()), (selects, of_devices), "{text}");
        // Successes are read with any of them, also those before the range that its attempts need.
        assert!(rows(&scope, &of("renewal_success", 1, -5)), "{text}");
        assert!(rows(&scope, &of("renewal_start", 1, -26)), "{text}");
    }
    let day = scope("since:24h error:x");
    assert!(!rows(&day, &of("renewal_start", 1, -28)) && !rows(&day, &of("renewal_start", 1, 1)));
    let selected = day.selected().unwrap();
    let error = |kind, hours: i64| RenewalEvent { error: Some(ErrorText::whole("x")), ..of(kind, 1, hours) };
    assert!(selected.matches(&error("renewal_failed", -5)));
    assert!(!selected.matches(&error("renewal_success", -5)) && !selected.matches(&of("renewal_failed", 1, -5)));
    assert!(!selected.matches(&error("renewal_failed", -25)));
    let before = day.before(Span::days(30)).unwrap();
    assert!(before.matches(&of("renewal_failed", 1, -25)) && before.matches(&of("renewal_failed", 1, -24 * 30)));
    assert!(!before.matches(&of("renewal_failed", 1, -5)) && !before.matches(&of("renewal_start", 1, -25)));
    assert_eq!(scope("until:1h").before(Span::days(30)), None);
    let begins = |text: &str, oldest| scope(text).range(now, Span::hours(3), oldest).begins;
    assert_eq!(begins("since:24h", Some(at(-28 * 3600))), Begins::WithinTable);
    assert_eq!(begins("since:24h", Some(at(-27 * 3600))), Begins::WithTable);
    assert_eq!((begins("since:24h", None), begins("until:1h", None)), (Begins::WithinTable, Begins::WithTable));
}

#[test]
fn a_failure_that_the_filter_leaves_out_still_tells_of_its_device() {
    let range = SurveyRange { from: Some(at(0)), until: None, now: at(99), begins: Begins::WithTable };
    let mut survey = Survey::new(range);
    // The first row of its group is not counted, and is not its beginning.
    survey.add_other(&failed(1, 1, 1, "code 1"));
    survey.add(&failed(2, 1, 2, "code 2"));
    survey.add(&failed(3, 2, 3, "code 3"));
    survey.add_other(&failed(4, 2, 4, "something else"));
    let report = reported(&survey);
    let [group] = report.errors.as_slice() else { panic!("{:?}", report.errors) };
    assert_eq!((group.rows, group.devices, group.still, group.moved, group.resolved), (2, 2, 1, 1, 0));
    assert_eq!((group.first, group.examples.len(), report.failures, report.rows), (at(2), 2, 2, 4));
    assert_eq!((report.devices_failing, report.devices_failed_ever, report.kinds_of_error), (1, 2, 1));
    assert_eq!(report.attempts.all, 4);
}
