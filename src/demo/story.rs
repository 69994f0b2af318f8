//! The incidents of the simulated fleet, their times and their devices.

use super::errors::Hostile;
use super::prng::Prng;
use crate::domain::instant::{Instant, Span};

/// The times of the incidents.
#[derive(Clone, Debug)]
pub struct Story {
    /// When the demo began; the history ends here.
    pub now: Instant,
    /// The beginning of the history, 90 days before `now`.
    pub begin: Instant,
    /// For 40 minutes of one afternoon the certificate authority does not answer.
    pub outage: Instant,
    /// From then on the approver of one organization denies requests or does not answer.
    pub incident: Instant,
}

/// The length of the authority's outage.
pub const OUTAGE: Span = Span::minutes(40);
/// How long the approver has been failing when the demo begins.
pub const INCIDENT: Span = Span::minutes(40);

impl Story {
    /// The times of the incidents of a demo that begins at `now`.
    pub fn at(now: Instant) -> Self {
        Self {
            now,
            begin: now.minus(Span::days(90)),
            outage: midnight(now).minus(Span::days(3)).plus(Span::minutes(14 * 60 + 5)),
            incident: now.minus(INCIDENT),
        }
    }

    /// Whether the authority is unreachable at `t`.
    pub fn is_outage(&self, t: Instant) -> bool {
        t >= self.outage && t < self.outage.plus(OUTAGE)
    }
}

/// The midnight before, in UTC.
pub fn midnight(t: Instant) -> Instant {
    let day = Span::days(1).0;
    Instant::from_pg_micros(t.pg_micros() - t.pg_micros().rem_euclid(day))
}

/// A device's special behavior.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cohort {
    Steady,
    /// Fails now and then.
    Flaky,
    /// Steady, and scheduled to renew during the outage.
    Rollout,
    /// Steady, and due on the day of the demo.
    Today,
    /// Renewed by a weekly batch job at midnight, many in one statement.
    Batch,
    /// Waits for a maintenance window first.
    Deferring,
    /// Joins during the history, at `at`: its first certificate has no start event.
    Joining {
        at: Instant,
    },
    /// Sends nothing more and expires at `expires` without an attempt.
    Silent {
        expires: Instant,
    },
    /// Fails since its renewal was due, always for the same reason; expires at `expires`.
    Chronic {
        expires: Instant,
    },
    /// Expired at `expires`; its TPM prevents the recovery.
    Tpm {
        expires: Instant,
    },
    /// Expired, failed to recover, and recovered hours later.
    Reviewed {
        expires: Instant,
    },
    /// Part of the current incident. With `expires` it was silent before and is close to its expiry, or past it.
    Denied {
        expires: Option<Instant>,
    },
    /// Its clock is years behind.
    Skewed,
    /// Its renewals succeed without extending the expiry.
    NoGain,
    /// Fails once, at `at`, with the hostile text `text`.
    Hostile {
        text: Hostile,
        at: Instant,
    },
}

/// The possible causes of chronic failures.
pub const CHRONIC: [&str; 6] = ["trust_chain", "storage", "key_mismatch", "policy", "rate_limit", "acme_challenge"];
/// The error categories of a TPM that prevents a recovery.
pub const TPM: [&str; 3] = ["tpm_lockout", "tpm_hardware", "tpm_attestation"];
/// The error categories of the current incident.
pub const DENIED: [&str; 2] = ["csr_denied", "approval_timeout"];
/// The same for an expired device that requests recovery.
pub const RECOVERY_DENIED: [&str; 2] = ["csr_denied", "recovery_denied"];
/// The error categories of the outage.
pub const AUTHORITY_AWAY: [&str; 2] = ["outage", "network"];
/// The signer's errors for a recovery that was already approved.
pub const SIGNING: [&str; 3] = ["signing_ca", "signer_config", "database"];
/// The error categories of a recovery that waits for a review.
pub const RECOVERY: [&str; 3] = ["recovery_auth", "device_unknown", "tpm_attestation"];
/// The error categories of failures outside of the incidents.
pub const ORDINARY: [&str; 12] = [
    "network",
    "service_http",
    "issuer_timeout",
    "tls_handshake",
    "acme_order",
    "acme_challenge",
    "rate_limit",
    "storage",
    "identity_mismatch",
    "approval_timeout",
    "database",
    "hostname",
];

impl Cohort {
    /// The cohort of an organization's `n`th device.
    pub fn of(org: &str, n: u32, story: &Story, rng: &mut Prng) -> Self {
        let now = story.now;
        match (org, n) {
            ("acme", 0..60) => {
                // Every sixth of these has expired already.
                let left =
                    if n.is_multiple_of(6) { -rng.span(Span::minutes(20), Span::hours(20)).0 } else { near(rng, 6).0 };
                Self::Denied { expires: Some(now.plus(Span(left))) }
            }
            ("acme", 60..250) => Self::Denied { expires: None },
            ("globex", 0..18) => Self::Chronic { expires: now.plus(near(rng, 15)) },
            ("globex", 18..30) => Self::Silent { expires: now.plus(near(rng, 4)) },
            ("initech", 0..120) => Self::Batch,
            ("initech", 120..160) => Self::Deferring,
            ("umbrella", 0..14) => Self::Silent { expires: now.minus(near(rng, 9)) },
            ("umbrella", 14..44) => Self::Reviewed { expires: now.minus(rng.span(Span::days(4), Span::days(55))) },
            ("hooli", 0..6) => Self::Skewed,
            ("wonka", 0..6) => Self::NoGain,
            ("tyrell", 0..26) => Self::Tpm { expires: now.minus(near(rng, 6)) },
            ("lab", 0..6) => {
                let text = Hostile::ALL.get(n as usize).copied().unwrap_or(Hostile::Escapes);
                let age = Span(Span::hours(14).0 * i64::from(n) + rng.span(Span::minutes(5), Span::minutes(30)).0);
                Self::Hostile { text, at: now.minus(age) }
            }
            _ => match rng.below(100) {
                0..24 => Self::Rollout,
                24..60 => Self::Today,
                60..66 => Self::Joining { at: story.begin.plus(rng.span(Span::days(5), Span::days(85))) },
                66..70 => Self::Flaky,
                _ => Self::Steady,
            },
        }
    }

    /// Whether its story requires certificates of 30 days.
    pub const fn needs_short_life(self) -> bool {
        !matches!(
            self,
            Self::Steady | Self::Flaky | Self::Rollout | Self::Today | Self::Joining { .. } | Self::Deferring
        )
    }
}

/// A time within the coming `days`.
fn near(rng: &mut Prng, days: i64) -> Span {
    rng.span(Span::hours(3), Span::days(days))
}
