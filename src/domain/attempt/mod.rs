//! Attempts: a renewal's start and what came of it, paired by device and time.
//!
//! The event table has no attempt. [`Fold`] infers them from the rows, oldest first, with one open attempt per device and
//! family as its whole state, so that any page size gives the same attempts. Views, commands and the survey call it; it
//! must read no clock and no database: the caller passes the time and the rows. Everything here is an inference, and a
//! view must say so.

mod fold;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod window;

pub use fold::{Begins, Fold};
pub use window::{Paired, Window};

use super::event::{Id, Outcome, RenewalEvent, has_beginning};
use super::instant::{Instant, Span};
use super::signature::SigId;
use super::text::Text;

/// Which protocol an attempt follows. Each has its own types of event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// While the certificate is valid, with that certificate as the proof of identity.
    Renewal,
    /// After the certificate's end, by another proof of identity.
    Recovery,
}

impl Family {
    /// Its word in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Renewal => "renewal",
            Self::Recovery => "recovery",
        }
    }

    /// The family of an event type: the beginning `recovery`, or the rest.
    pub fn of(kind: &str) -> Self {
        if has_beginning(kind, "recovery") { Self::Recovery } else { Self::Renewal }
    }
}

/// What a row says about its attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    /// The attempt began.
    Started,
    /// The attempt gave a certificate.
    Succeeded,
    /// The attempt had an error.
    Failed,
}

/// An event as far as attempts need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The event's id; it orders rows of one instant.
    pub id: Id,
    /// The device; a row without one is no part of an attempt.
    pub device: Id,
    /// By the type's name.
    pub family: Family,
    /// By the event's outcome.
    pub step: Step,
    /// The event's `created_at`, in UTC.
    pub at: Instant,
    /// As the row states it.
    pub old_expiry: Option<Instant>,
    /// As the row states it; usually only a success does.
    pub new_expiry: Option<Instant>,
    /// As the row states it, or as it was inferred.
    pub reason: Option<Text>,
    /// The signature of its error.
    pub error: Option<SigId>,
}

impl Row {
    /// The row of an event. `None` where the event is no part of an attempt: it names no device, or has no outcome.
    /// The error's signature needs more of the message than a page carries, so the caller passes it.
    pub fn of(event: &RenewalEvent, error: Option<SigId>) -> Option<Self> {
        let step = match event.outcome() {
            Outcome::Started => Step::Started,
            Outcome::Succeeded => Step::Succeeded,
            Outcome::Failed => Step::Failed,
            Outcome::Other => return None,
        };
        Some(Self {
            id: event.id.clone(),
            device: event.device_id()?.clone(),
            family: Family::of(event.kind.raw()),
            step,
            at: event.created_at,
            old_expiry: event.old_expiry,
            new_expiry: event.new_expiry,
            reason: event.reason.clone(),
            error,
        })
    }
}

/// How an attempt stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// It has a success, which ends it.
    Succeeded,
    /// It has a failure and no success. A success may still come: a failure does not end an attempt.
    Failed,
    /// No outcome yet, and younger than [`Patience`].
    InFlight,
    /// No outcome, and older than that.
    Stalled,
    /// No outcome before the next start of its family.
    Superseded,
    /// An outcome with no start since the last success.
    Orphan,
    /// An outcome whose start may lie before the rows that were read: the rows before it decide.
    Undecided,
    /// An outcome whose start may have been deleted: it lies before the oldest row of the table.
    StartNotKept,
}

impl State {
    /// Every state, in the order of its declaration.
    pub const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::Failed,
        Self::InFlight,
        Self::Stalled,
        Self::Superseded,
        Self::Orphan,
        Self::Undecided,
        Self::StartNotKept,
    ];
    /// Its word in filters and in output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::InFlight => "flight",
            Self::Stalled => "stalled",
            Self::Superseded => "superseded",
            Self::Orphan => "orphan",
            Self::Undecided => "undecided",
            Self::StartNotKept => "start_not_kept",
        }
    }
}

/// A row of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The event's id.
    pub id: Id,
    /// The event's `created_at`, in UTC.
    pub at: Instant,
}

/// One attempt to renew a certificate, as its rows tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The device that all its rows name.
    pub device: Id,
    /// That of its start: a failed renewal row can end a recovery.
    pub family: Family,
    /// Its state when it was folded; that of an open one depends on the time.
    pub state: State,
    /// `None` for an outcome without a start.
    pub start: Option<Mark>,
    /// The last outcome, with what it was.
    pub end: Option<(Mark, Step)>,
    /// Rows that state this start: more than one where it was written twice.
    pub starts: u32,
    /// Failures that belong to it.
    pub failures: u32,
    /// 1 and the finished attempts of the device and family since their last success.
    pub tries: u32,
    /// Whether `tries` is exact; else there may be more before the rows that were read.
    pub tries_exact: bool,
    /// The end of the certificate in use before it.
    pub old_expiry: Option<Instant>,
    /// The end of the certificate that its success gave.
    pub new_expiry: Option<Instant>,
    /// That of the start, else that of the last outcome.
    pub reason: Option<Text>,
    /// Signature of the last failure's error.
    pub error: Option<SigId>,
}

impl Attempt {
    /// From the start to the last outcome; `None` where either is missing or infinite.
    pub fn took(&self) -> Option<Span> {
        let (start, (end, _)) = (self.start.as_ref()?, self.end.as_ref()?);
        end.at.since(start.at)
    }
    /// By which it is known: the id of its start, else of its outcome.
    pub fn id(&self) -> Option<&Id> {
        self.start.as_ref().or(self.end.as_ref().map(|(mark, _)| mark)).map(|mark| &mark.id)
    }
    /// The time that it is sorted by: its start, else its outcome.
    pub fn at(&self) -> Option<Instant> {
        self.start.as_ref().or(self.end.as_ref().map(|(mark, _)| mark)).map(|mark| mark.at)
    }
}

/// How long an attempt may have no outcome before it counts as stalled. A property of the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For renewals: 1 hour unless the source sets another.
    pub renewal: Span,
    /// For recoveries, which may wait for a review: 3 hours unless the source sets another.
    pub recovery: Span,
}

impl Default for Patience {
    fn default() -> Self {
        Self { renewal: Span::hours(1), recovery: Span::hours(3) }
    }
}

impl Patience {
    /// The state at `now`, the database's time, of an attempt that has no outcome. A start in the future is in flight.
    pub fn state(&self, family: Family, start: Instant, now: Instant) -> State {
        let limit = match family {
            Family::Renewal => self.renewal,
            Family::Recovery => self.recovery,
        };
        // Only an infinite start has no age: one before all time is old, one after it is in the future.
        let old = now.since(start).map_or(start < now, |age| age > limit);
        if old { State::Stalled } else { State::InFlight }
    }
}
