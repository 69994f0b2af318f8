//! What failed before a range: by it an error is new, back again, or goes on.

use std::collections::HashMap;

use super::group::ErrorGroup;
use super::signer::Signer;
use crate::domain::event::{Outcome, RenewalEvent};
use crate::domain::instant::{Instant, Span};
use crate::domain::signature::SigId;

/// An error that was quiet for so long has come back, and did not go on.
const QUIET: Span = Span::days(7);

/// How an error stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// Not seen in the look-back.
    New,
    /// Seen in the look-back, and then not for a week.
    Regressed,
    /// Seen before, and some device still fails with it.
    Ongoing,
    /// No device still fails with it.
    Resolved,
    /// Some device still fails with it, and what was before the range is not known.
    Unknown,
}

impl Standing {
    /// Its word in output; `None` where it is not known.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::New => Some("new"),
            Self::Regressed => Some("regressed"),
            Self::Ongoing => Some("ongoing"),
            Self::Resolved => Some("resolved"),
            Self::Unknown => None,
        }
    }
}

/// The signatures that were seen before a range, with the first and last time of each.
#[derive(Clone, Debug, Default)]
pub struct LookBack {
    /// By signature; `None` is that of failures without a message.
    seen: HashMap<Option<SigId>, (Instant, Instant)>,
    signer: Signer,
}

impl PartialEq for LookBack {
    fn eq(&self, other: &Self) -> bool {
        self.seen == other.seen
    }
}

impl LookBack {
    /// How far before a range the look-back begins: 30 days, or four times the range if that is longer.
    pub fn reach(range: Span) -> Span {
        Span::days(30).max(Span(range.0.saturating_mul(4)))
    }

    /// Takes a row from before the range, in any order. Only failures count.
    pub fn add(&mut self, event: &RenewalEvent) {
        if event.outcome() != Outcome::Failed {
            return;
        }
        let sig = event.error.as_ref().and_then(|error| self.signer.sign(&error.text).sig);
        let at = event.created_at;
        let seen = self.seen.entry(sig).or_insert((at, at));
        *seen = (seen.0.min(at), seen.1.max(at));
    }

    /// The first time and the last time that the signature was seen; `None`: it was not.
    pub fn seen(&self, sig: Option<SigId>) -> Option<(Instant, Instant)> {
        self.seen.get(&sig).copied()
    }
}

impl ErrorGroup {
    /// How the error stands. Without a look-back it is not known whether an error that is still there is new.
    pub fn state(&self, looked_back: Option<&LookBack>) -> Standing {
        if self.still == 0 {
            return Standing::Resolved;
        }
        let Some(look_back) = looked_back else { return Standing::Unknown };
        match look_back.seen(self.sig) {
            None => Standing::New,
            Some((_, last)) if self.first.since(last).is_some_and(|quiet| quiet >= QUIET) => Standing::Regressed,
            Some(_) => Standing::Ongoing,
        }
    }

    /// When the error was seen first, in the look-back or in the range.
    pub fn first_ever(&self, look_back: &LookBack) -> Instant {
        look_back.seen(self.sig).map_or(self.first, |(first, _)| first.min(self.first))
    }
}
