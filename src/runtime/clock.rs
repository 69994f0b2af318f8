//! The only place where the clock is read.

use crate::domain::instant::Instant;

/// The time now, UTC, to the microsecond.
pub fn now() -> Instant {
    Instant::from_utc(chrono::Utc::now())
}
