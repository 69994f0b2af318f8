//! Tests of the simulated fleet: its figures, its order, its incident.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Checks each pattern that the fleet promises.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use std::sync::Arc;

use uuid::Uuid;

use super::Fleet;
use super::fleet::Device;
use super::story::{Cohort, OUTAGE, Story};
use crate::domain::event::{ErrorText, Id, Kind, NewEvent, Outcome, RenewalEvent, device_id_of, org_id_of};
use crate::domain::fleet as devices;
use crate::domain::instant::{Instant, Span};
use crate::domain::text::is_unsafe;

const SEED: u64 = 42;

fn now() -> Instant {
    Instant::parse_rfc3339("2026-11-21T14:02:31.25Z").unwrap()
}

static HISTORY: LazyLock<Vec<NewEvent>> = LazyLock::new(|| Fleet::new(SEED, now()).history().collect());

fn name(e: &NewEvent) -> &str {
    e.device.name.as_deref().unwrap()
}
fn org(e: &NewEvent) -> &str {
    e.org.name.as_deref().unwrap()
}
fn error(e: &NewEvent) -> &str {
    e.error.as_deref().unwrap_or("")
}
fn since(e: &NewEvent, from: Instant) -> bool {
    e.created_at >= from
}
fn count(test: impl Fn(&NewEvent) -> bool) -> usize {
    HISTORY.iter().filter(|e| test(e)).count()
}
fn by_device() -> BTreeMap<(&'static str, &'static str), Vec<&'static NewEvent>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for e in HISTORY.iter() {
        all.entry((org(e), name(e))).or_default().push(e);
    }
    all
}
/// How often an event of `first` is directly followed, on one device, by one of `second` within `span`.
fn pairs(first: &str, second: &str, span: (Span, Span)) -> usize {
    let fits = |a: &NewEvent, b: &NewEvent| {
        let gap = b.created_at.since(a.created_at).unwrap();
        a.kind == first && b.kind == second && gap >= span.0 && gap <= span.1
    };
    by_device().values().map(|v| v.windows(2).filter(|w| fits(w[0], w[1])).count()).sum()
}

#[test]
fn size_order_and_ids() {
    let n = HISTORY.len();
    for size in [n, Fleet::new(7, now()).history().count(), Fleet::new(u64::MAX, now()).history().count()] {
        assert!((36_000..44_000).contains(&size), "{size} events");
    }
    assert!(HISTORY.is_sorted_by_key(|e| e.created_at));
    assert_eq!(HISTORY.iter().map(|e| e.id.unwrap()).collect::<HashSet<_>>().len(), n);
    let (first, last) = (HISTORY.first().unwrap().created_at, HISTORY.last().unwrap().created_at);
    assert!(first >= now().minus(Span::days(90)) && first < now().minus(Span::days(89)), "{first:?}");
    assert!(last <= now() && last > now().minus(Span::minutes(1)), "{last:?}");
}

#[test]
fn two_thousand_devices_of_eight_very_different_organizations() {
    let mut sizes: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for e in HISTORY.iter() {
        sizes.entry(org(e)).or_default().insert(name(e));
        assert_eq!(e.org.id, Some(org_id_of(org(e))));
        assert_eq!(e.device.id, Some(device_id_of(org_id_of(org(e)), name(e))));
    }
    let sizes: BTreeMap<_, _> = sizes.iter().map(|(o, d)| (*o, d.len())).collect();
    assert_eq!(sizes.len(), 8);
    assert_eq!((sizes["acme"], sizes["lab"]), (780, 20));
    assert_eq!(sizes.values().sum::<usize>(), 2000);
    assert!(HISTORY.iter().any(|e| name(e) == "edge-0001") && HISTORY.iter().any(|e| name(e) == "store-berlin-017"));
}

#[test]
fn one_seed_one_story() {
    let same = |e: &NewEvent| (e.id, e.created_at, e.error.clone(), e.new_expiry);
    let again: Vec<_> = Fleet::new(SEED, now()).history().take(3000).map(|e| same(&e)).collect();
    assert_eq!(again, HISTORY.iter().take(3000).map(same).collect::<Vec<_>>());
    let other: Vec<_> = Fleet::new(SEED + 1, now()).history().take(20).map(|e| same(&e)).collect();
    assert_ne!(other[..], again[..20]);

    let (mut a, mut b) = (Fleet::new(SEED, now()), Fleet::new(SEED, now()));
    let at = |s| now().plus(Span::seconds(s));
    assert_eq!(a.live(at(90)), b.live(at(90)));
}

#[test]
fn making_it_takes_a_bounded_number_of_steps() {
    let draws = Fleet::new(SEED, now()).rng.draws_since(SEED);
    assert!(draws < 12 * HISTORY.len() as u64, "{draws} draws for {} events", HISTORY.len());
}

#[test]
fn the_expiry_dates_of_a_device_make_a_chain() {
    for ((org, device), events) in by_device() {
        let mut held = None;
        for e in events {
            if let (Some(held), Some(old)) = (held, e.old_expiry) {
                assert_eq!(held, old, "{org}/{device} at {:?}", e.created_at);
            }
            held = e.new_expiry.or(held);
            assert!(e.new_expiry.is_none() || Kind::new(e.kind.as_str()).outcome() == Outcome::Succeeded);
        }
    }
}

#[test]
fn lifetimes_are_mixed() {
    for days in [30, 90, 365] {
        let life = Span::days(days);
        let fits = |e: &NewEvent| {
            e.new_expiry.is_some_and(|n| (n.since(e.created_at).unwrap().0 - life.0).abs() <= Span::seconds(1).0)
        };
        assert!(count(fits) > 150, "{days} d: {}", count(fits));
    }
}

#[test]
fn starts_are_followed_by_outcomes_and_most_succeed() {
    let soon = (Span::seconds(1), Span::minutes(4));
    let (ok, failed) =
        (pairs("renewal_start", "renewal_success", soon), pairs("renewal_start", "renewal_failed", soon));
    assert!(ok > 10_000 && failed > 1_000 && ok > 4 * failed, "{ok} {failed}");
    assert!(pairs("recovery_start", "recovery_failed", soon) > 200);
}

#[test]
fn the_service_gives_reasons_on_starts_and_failed_recoveries_and_a_hook_on_all() {
    let mut with = HashSet::new();
    let mut without = HashSet::new();
    for e in HISTORY.iter() {
        match e.kind.as_str() {
            "renewal_start" => assert_eq!(e.reason.as_deref(), Some("proactive")),
            "recovery_start" | "recovery_failed" => assert_eq!(e.reason.as_deref(), Some("expired")),
            "renewal_deferred" => assert_eq!(e.reason, None),
            _ if e.reason.is_some() => drop(with.insert(e.device.id)),
            _ => drop(without.insert(e.device.id)),
        }
    }
    assert!((60..300).contains(&with.len()), "{}", with.len());
    assert!(without.len() > 1500 && with.is_disjoint(&without));
}

#[test]
fn some_attempts_never_end() {
    let gap = (Span::hours(1), Span::days(400));
    let stalled = pairs("renewal_start", "renewal_start", gap);
    assert!((60..800).contains(&stalled), "{stalled}");
}

#[test]
fn some_devices_are_silent_before_or_after_their_expiry() {
    let (mut expired, mut near) = (0, 0);
    for events in by_device().values() {
        let Some(expiry) = events.iter().rev().find_map(|e| e.new_expiry) else { continue };
        let quiet = events.last().unwrap().created_at < expiry.minus(Span::days(20));
        expired += usize::from(quiet && expiry <= now());
        near += usize::from(quiet && expiry > now() && expiry < now().plus(Span::days(5)));
    }
    assert!(expired >= 10 && near >= 8, "{expired} {near}");
}

/// The fleet as the devices' rows since their last success tell it.
fn devices_of(fleet: &Fleet) -> devices::Fleet {
    let mut by_device: BTreeMap<Uuid, Vec<NewEvent>> = BTreeMap::new();
    fleet.history().for_each(|e| by_device.entry(e.device.id.unwrap()).or_default().push(e));
    let mut known = devices::Fleet::default();
    for (id, events) in by_device {
        let begin = events.iter().rposition(|e| Kind::new(e.kind.as_str()).outcome() == Outcome::Succeeded);
        let row = |e: &NewEvent| {
            Arc::new(RenewalEvent {
                id: Id::Uuid(e.id.unwrap()),
                device_id: Id::Uuid(id),
                org_id: e.org.id.map(Id::Uuid),
                kind: Kind::new(e.kind.as_str()),
                reason: None,
                old_expiry: e.old_expiry,
                new_expiry: e.new_expiry,
                error: e.error.as_deref().map(ErrorText::whole),
                created_at: e.created_at,
                device: None,
                org: None,
                beyond: None,
            })
        };
        let rows: Vec<_> = events[begin.unwrap_or(0)..].iter().map(row).collect();
        let (name, org) = (name(&events[0]), org(&events[0]));
        if let Some(member) = devices::Member::of(Some(name.into()), Some(org.into()), &rows, true) {
            known.insert(member);
        }
    }
    known.learn();
    known
}

#[test]
fn devices_that_are_silent_are_all_found_and_others_are_not_called_so() {
    for (seed, hours) in [(42, 0), (42, 5), (42, 94), (7, 13), (8, 29), (9, 77)] {
        let now = now().plus(Span::hours(hours));
        let fleet = Fleet::new(seed, now);
        let known = devices_of(&fleet);
        let cohort = |name: &str| fleet.devices.iter().find(|d| d.name == name).unwrap().cohort;
        // Of a writer that states no expiry nobody can tell that it is silent.
        let states_expiry = |d: &&Device| {
            let of = |member: &&Arc<devices::Member>| member.name.as_ref().is_some_and(|name| name.raw() == d.name);
            known.members().find(of).is_some_and(|member| member.device.expiry.is_some())
        };
        let planted = fleet.devices.iter().filter(|d| matches!(d.cohort, Cohort::Silent { .. }));
        let planted = planted.filter(states_expiry).count();
        assert!(planted >= 24);
        let lines = known.members().map(|member| known.line(member, now));
        let silent: Vec<_> = lines.filter(|line| line.silent_since.is_some()).collect();
        let (right, others): (Vec<_>, Vec<_>) = silent
            .iter()
            .map(|line| cohort(line.member.name.as_ref().unwrap().raw()))
            .partition(|cohort| matches!(cohort, Cohort::Silent { .. }));
        assert_eq!(right.len(), planted, "seed {seed}");
        // These have certificates that end before those which they replaced, and are late by them.
        assert!(others.iter().all(|cohort| *cohort == Cohort::NoGain), "seed {seed}: {others:?}");
        let summary = known.summary(&devices::Selection::default(), now);
        assert_eq!(summary.silent as usize, silent.len());
    }
}

#[test]
fn the_authority_was_away_one_afternoon_and_a_recovery_wave_followed() {
    let outage = Story::at(now()).outage;
    let back = outage.plus(OUTAGE);
    let within = |e: &NewEvent, from, to: Instant| since(e, from) && e.created_at < to;
    let settled = outage.plus(Span::minutes(4));
    let failed = count(|e| within(e, settled, back) && e.kind == "renewal_failed");
    let ok = count(|e| within(e, settled, back) && e.kind == "renewal_success");
    let wave = count(|e| within(e, back, back.plus(Span::minutes(40))) && e.kind == "renewal_success");
    let before = count(|e| within(e, outage.minus(Span::minutes(40)), outage) && e.kind == "renewal_success");
    assert!(failed > 500 && ok * 10 < failed, "failed {failed}, succeeded {ok}");
    assert!(wave > 200 && wave > 10 * before, "wave {wave} before {before}");
    let words =
        ["unexpected status code 5", "connection refused", "Connection refused", "exceeded", "server misbehaving"];
    let network = |e: &NewEvent| within(e, settled, back) && words.iter().any(|w| error(e).contains(w));
    assert!(count(network) * 10 > failed * 9);
}

#[test]
fn one_organization_cannot_recover_for_its_tpms() {
    let day = now().minus(Span::days(1));
    let tpm = |e: &NewEvent| e.kind == "recovery_failed" && since(e, day) && error(e).to_lowercase().contains("tpm");
    assert!(count(|e| tpm(e) && org(e) == "tyrell") > 100);
    assert!(count(|e| e.kind == "recovery_failed" && org(e) == "tyrell" && since(e, now().minus(Span::hours(3)))) > 10);
}

#[test]
fn some_clocks_are_behind_and_their_events_are_not() {
    let skewed = |e: &&NewEvent| error(e).contains("not yet valid") && error(e).contains("is before");
    let devices: HashSet<_> = HISTORY.iter().filter(skewed).map(name).collect();
    assert!((2..=6).contains(&devices.len()), "{devices:?}");
}

#[test]
fn some_successes_extend_nothing() {
    let stuck = |e: &NewEvent| e.new_expiry.is_some() && e.old_expiry >= e.new_expiry;
    assert!((4..80).contains(&count(stuck)), "{}", count(stuck));
    let equal = |e: &NewEvent| e.new_expiry.is_some() && e.old_expiry == e.new_expiry;
    assert!(count(equal) > 0 && count(equal) < count(stuck));
}

#[test]
fn retries_back_off() {
    let mut longest = 0;
    let mut growing = 0;
    for events in by_device().values() {
        let starts: Vec<_> = events.iter().filter(|e| e.kind == "renewal_start").map(|e| e.created_at).collect();
        let gaps: Vec<_> = starts.windows(2).map(|w| w[1].since(w[0]).unwrap()).collect();
        growing += gaps.windows(3).filter(|g| g[1].0 * 2 > g[0].0 * 3 && g[2].0 * 2 > g[1].0 * 3).count();
        let run = events.iter().rev().take_while(|e| !e.kind.ends_with("_success"));
        longest = longest.max(run.filter(|e| e.kind == "renewal_failed").count());
    }
    assert!(growing > 30 && longest >= 10, "{growing} {longest}");
}

#[test]
fn recoveries_fail_and_succeed_hours_later_or_end_as_failed_renewals() {
    let later = (Span::hours(2), Span::hours(9));
    assert!(pairs("recovery_failed", "recovery_success", later) >= 8);
    assert!(pairs("recovery_start", "renewal_failed", (Span::seconds(1), Span::minutes(4))) >= 8);
}

#[test]
fn first_certificates_come_without_a_start() {
    let first = by_device().values().filter(|v| v[0].kind == "renewal_success" && v[0].old_expiry.is_none()).count();
    assert!((30..200).contains(&first), "{first}");
}

#[test]
fn some_writers_know_no_expiry_and_one_type_is_new() {
    let blank = |e: &NewEvent| e.kind == "renewal_success" && e.new_expiry.is_none();
    assert!((50..2000).contains(&count(blank)), "{}", count(blank));
    let unknown: BTreeSet<_> = HISTORY.iter().map(|e| e.kind.as_str()).filter(|k| !Kind::KNOWN.contains(k)).collect();
    assert_eq!(unknown, ["renewal_deferred"].into());
}

#[test]
fn a_batch_job_writes_many_rows_of_one_instant() {
    let mut ties: HashMap<Instant, usize> = HashMap::new();
    for e in HISTORY.iter() {
        *ties.entry(e.created_at).or_default() += 1;
    }
    assert!(ties.values().filter(|n| **n == 120).count() >= 20);
}

#[test]
fn a_handful_of_texts_is_hostile() {
    let texts: Vec<_> = HISTORY.iter().filter(|e| org(e) == "lab").map(error).collect();
    let has = |what: &str, test: &dyn Fn(&str) -> bool| assert!(texts.iter().any(|t| test(t)), "{what}");
    has("escape sequences", &|t| t.contains("\x1b[2J") && t.contains("\x1b]52;"));
    has("bidi override", &|t| t.contains('\u{202e}'));
    has("zero width", &|t| t.contains('\u{200b}'));
    has("200 lines", &|t| t.lines().count() >= 200);
    has("100 kB", &|t| t.len() >= 100_000);
    has("formula", &|t| t.starts_with('='));
    let few = count(|e| error(e).chars().any(|c| is_unsafe(c) && c != '\n'));
    assert!((3..20).contains(&few), "{few}");
}

#[test]
fn right_now_one_organization_fails_more_and_more_and_the_others_do_not() {
    let minutes = |n| now().minus(Span::minutes(n));
    let failed = |e: &NewEvent| e.kind.ends_with("_failed") && org(e) == "acme";
    let (early, late) = (
        count(|e| failed(e) && since(e, minutes(40)) && !since(e, minutes(20))),
        count(|e| failed(e) && since(e, minutes(20))),
    );
    assert!(late > 250 && late > 2 * early, "{early} then {late}");
    let denied = |e: &NewEvent| failed(e) && ["denied", "timeout", "timed out"].iter().any(|w| error(e).contains(w));
    assert!(count(|e| denied(e) && since(e, minutes(40))) * 10 > (early + late) * 9);
    let others = |e: &NewEvent, kind: &str| org(e) != "acme" && since(e, minutes(40)) && e.kind.starts_with(kind);
    let (ok, bad) = (count(|e| others(e, "renewal_success")), count(|e| others(e, "renewal_failed")));
    assert!(ok > 30 && ok > 3 * bad, "{ok} {bad}");
}

#[test]
fn messages_of_one_kind_differ_in_their_parts() {
    let texts: HashSet<_> = HISTORY.iter().filter_map(|e| e.error.as_deref()).collect();
    assert!(texts.len() > 1000, "{}", texts.len());
    let denials: HashSet<_> = texts.iter().filter(|t| t.ends_with("was denied or failed")).collect();
    assert!(denials.len() > 50, "{}", denials.len());
}

#[test]
fn live_goes_on_where_history_ends() {
    let mut fleet = Fleet::new(SEED, now());
    let mut ids: HashSet<_> = HISTORY.iter().map(|e| e.id).collect();
    let (mut all, mut busiest) = (Vec::new(), 0);
    for second in 1..=1200 {
        let until = now().plus(Span::seconds(second));
        let rows = fleet.live(until);
        assert!(rows.iter().all(|e| e.created_at > until.minus(Span::seconds(1)) && e.created_at <= until));
        busiest = busiest.max(rows.len());
        all.extend(rows);
    }
    assert!(all.iter().all(|e| ids.insert(e.id)));
    assert!(all.is_sorted_by_key(|e| e.created_at));
    assert!((1200..3600).contains(&all.len()) && busiest >= 8, "{} at most {busiest}", all.len());
    let acme = all.iter().filter(|e| org(e) == "acme" && e.kind.ends_with("_failed")).count();
    let ok = all.iter().filter(|e| e.kind == "renewal_success").count();
    assert!(acme > 150 && ok > acme, "{acme} {ok}");
    let started: HashSet<_> = all.iter().filter(|e| e.kind.ends_with("_start")).map(|e| e.device.id).collect();
    let in_flight = all.iter().filter(|e| !e.kind.ends_with("_start") && !started.contains(&e.device.id)).count();
    assert!(in_flight > 0, "attempts in progress at the end of the history have their outcomes");
}

#[test]
fn live_keeps_to_its_own_past_and_plays_only_the_end_of_a_long_pause() {
    let mut fleet = Fleet::new(SEED, now());
    assert_eq!(fleet.live(now().minus(Span::hours(1))), []);
    let whole = fleet.live(now().plus(Span::hours(8)));
    assert!((300..3000).contains(&whole.len()), "{}", whole.len());
    assert_eq!(fleet.live(now().plus(Span::hours(8))), []);
}
