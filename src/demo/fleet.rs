//! The devices of the simulated fleet and its rows.

use uuid::Uuid;

use super::errors::{self, Fault, Scene};
use super::history;
use super::live::Live;
use super::prng::Prng;
use super::story::{Cohort, Story};
use crate::domain::event::{NewEvent, Party, device_id_of, org_id_of};
use crate::domain::instant::{Instant, Span};

/// 2,000 devices of 8 organizations, 90 days of their renewals, and their state after it.
pub struct Fleet {
    /// All devices; a row names one by its index.
    pub(super) devices: Vec<Device>,
    /// Oldest first; none after the `now` of creation.
    pub(super) rows: Vec<Row>,
    /// What is simulated after the history.
    pub(super) live: Live,
    /// Continues after the history, so that the live events depend on the seed too.
    pub(super) rng: Prng,
    /// The times of the incidents.
    pub(super) story: Story,
}

impl Fleet {
    /// A fleet whose history ends at `now`. The same seed and the same `now` give the same fleet.
    pub fn new(seed: u64, now: Instant) -> Self {
        let mut rng = Prng::new(seed);
        let story = Story::at(now);
        let mut devices = muster(&mut rng, &story);
        let mut rows = history::write(&mut devices, &story, &mut rng);
        rows.sort_by_key(|r| (r.at, r.id));
        let later = rows.split_off(rows.partition_point(|r| r.at <= now));
        let live = Live::beginning(now, later);
        Self { devices, rows, live, rng, story }
    }

    /// The past, oldest first. Each event has its own id and names its device and organization by id and name.
    pub fn history(&self) -> impl Iterator<Item = NewEvent> {
        self.rows.iter().map(|row| self.event(row))
    }

    /// The events after the previous call (at first: after the history) and up to `until`, oldest first. Empty if
    /// `until` is not later than before. After a long pause only the last minutes are simulated.
    pub fn live(&mut self, until: Instant) -> Vec<NewEvent> {
        let rows = self.advance(until);
        rows.iter().map(|row| self.event(row)).collect()
    }

    /// The row with its texts written out.
    fn event(&self, row: &Row) -> NewEvent {
        let device = self.devices.get(row.device as usize);
        let name = device.map_or("", |d| d.name.as_str());
        let org = device.map_or("", |d| d.org);
        let org_id = device.map_or(Uuid::nil(), |d| d.org_id);
        let scene = Scene { device: name, org: org_id, at: row.at };
        NewEvent {
            id: Some(row.id),
            device: Party { id: device.map(|d| d.id), name: Some(name.to_owned()) },
            org: Party { id: Some(org_id), name: Some(org.to_owned()) },
            kind: row.what.name().to_owned(),
            reason: row.reason.map(str::to_owned),
            old_expiry: row.old,
            new_expiry: row.new,
            error: row.error.map(|fault| fault.render(&scene)),
            created_at: row.at,
        }
    }
}

/// An event before its texts are written out, so that a long history stays small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The event's time, in UTC.
    pub at: Instant,
    /// The event's id.
    pub id: Uuid,
    /// The index of the device in the fleet.
    pub device: u32,
    /// The event's type.
    pub what: What,
    /// `proactive` or `expired`, on the events that state a reason.
    pub reason: Option<&'static str>,
    /// The old expiry, if the writer knows it.
    pub old: Option<Instant>,
    /// The new expiry, on a success whose writer knows it.
    pub new: Option<Instant>,
    /// The error of a failure, not yet rendered.
    pub error: Option<Fault>,
}

/// The types of events that the fleet writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A renewal began.
    Start,
    /// A renewal gave a certificate.
    Success,
    /// A renewal failed; also a recovery that could not be signed.
    Failed,
    /// An expired device began to recover.
    RecoveryStart,
    /// A recovery gave a certificate.
    RecoverySuccess,
    /// A recovery failed.
    RecoveryFailed,
    /// A type outside of the six known ones, as a newer agent writes it.
    Deferred,
}

impl What {
    /// The type's name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "renewal_start",
            Self::Success => "renewal_success",
            Self::Failed => "renewal_failed",
            Self::RecoveryStart => "recovery_start",
            Self::RecoverySuccess => "recovery_success",
            Self::RecoveryFailed => "recovery_failed",
            Self::Deferred => "renewal_deferred",
        }
    }
}

/// One device and the state of its renewals.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its index in the fleet.
    pub number: u32,
    /// Derived from organization and name, as Flight Control does.
    pub id: Uuid,
    /// Unique within its organization.
    pub name: String,
    /// The organization's name.
    pub org: &'static str,
    /// Derived from the organization's name.
    pub org_id: Uuid,
    /// How long its certificates are valid.
    pub lifetime: Span,
    /// The time from one success to the next attempt.
    pub rhythm: Span,
    /// Its special behavior.
    pub cohort: Cohort,
    /// Its events come from our own hook, which repeats the reason on the outcome.
    pub hook: bool,
    /// The writer knows the expiry dates.
    pub tracked: bool,
    /// The expiry of its current certificate, if it has one.
    pub expiry: Option<Instant>,
    /// No attempt begins before this: one is in progress, or the device backs off.
    pub ready: Instant,
    /// Consecutive failed attempts.
    pub failures: u32,
}

/// An organization of the fleet.
struct Org {
    name: &'static str,
    /// How many devices it has.
    devices: u32,
    /// The name of its device of that number, counted from 0.
    name_of: fn(u32) -> String,
}

/// The organizations, from the largest to the smallest; 2,000 devices together.
const ORGS: [Org; 8] = [
    Org { name: "acme", devices: 780, name_of: |n| format!("edge-{:04}", n + 1) },
    Org { name: "globex", devices: 460, name_of: |n| numbered("store", &CITIES, n) },
    Org { name: "initech", devices: 300, name_of: |n| numbered("kiosk", &AIRPORTS, n) },
    Org { name: "umbrella", devices: 180, name_of: |n| format!("line{}-plc-{:03}", n % 9 + 1, n / 9 + 1) },
    Org { name: "hooli", devices: 130, name_of: |n| format!("pop-{}-{:02}", word(&REGIONS, n), n / 5 + 1) },
    Org { name: "tyrell", devices: 90, name_of: |n| format!("cam-gate-{:03}", n + 1) },
    Org { name: "wonka", devices: 40, name_of: |n| format!("van-{:04}", 3100 + n * 7) },
    Org { name: "lab", devices: 20, name_of: |n| format!("lab-{:02}", n + 1) },
];

/// Places of stores.
const CITIES: [&str; 12] =
    ["berlin", "hamburg", "lyon", "madrid", "milano", "oslo", "porto", "praha", "riga", "tallinn", "turku", "wien"];
/// Places of kiosks.
const AIRPORTS: [&str; 6] = ["ams", "cdg", "fra", "hel", "lhr", "mad"];
/// Places of points of presence.
const REGIONS: [&str; 5] = ["fra1", "iad2", "nrt1", "sin1", "syd1"];

/// The word of that number; the words repeat.
fn word(words: &[&'static str], n: u32) -> &'static str {
    words.get(n as usize % words.len().max(1)).copied().unwrap_or_default()
}

/// A name of prefix, word and number, where the number rises when the words repeat.
fn numbered(prefix: &str, words: &[&'static str], n: u32) -> String {
    format!("{prefix}-{}-{:03}", word(words, n), n as usize / words.len().max(1) + 1)
}

/// All devices as they are before the history begins.
fn muster(rng: &mut Prng, story: &Story) -> Vec<Device> {
    let mut devices = Vec::with_capacity(2000);
    for org in &ORGS {
        let org_id = org_id_of(org.name);
        for n in 0..org.devices {
            let name = (org.name_of)(n);
            let cohort = Cohort::of(org.name, n, story, rng);
            let (lifetime, rhythm) = if cohort.needs_short_life() { MONTH } else { terms(rng) };
            devices.push(Device {
                number: devices.len() as u32,
                id: device_id_of(org_id, &name),
                name,
                org: org.name,
                org_id,
                lifetime,
                rhythm,
                cohort,
                hook: rng.chance(0.07),
                tracked: !rng.chance(0.02),
                expiry: Some(errors::seconds(story.begin.plus(lifetime))),
                ready: story.begin,
                failures: 0,
            });
        }
    }
    devices
}

/// Certificates of 30 days, renewed after nine: most rows of 90 days of history come from these.
const MONTH: (Span, Span) = (Span::days(30), Span::days(9));

/// The certificates' lifetime, and the time from one to the next.
fn terms(rng: &mut Prng) -> (Span, Span) {
    match rng.below(100) {
        0..64 => MONTH,
        64..90 => (Span::days(90), Span::days(30)),
        _ => (Span::days(365), Span::days(335)),
    }
}
