//! The only place that reads the clock, so that everything else is tested with a fixed time.

use crate::domain::instant::Instant;

/// The time now, UTC, to the microsecond. The system's clock can be set back, so a later call may return an earlier
/// time.
pub fn now() -> Instant {
    Instant::from_utc(chrono::Utc::now())
}
