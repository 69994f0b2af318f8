//! The only place that reads the clock, so that everything else is tested with a fixed time.

use crate::domain::instant::Instant;

/// The time now, UTC, to the microsecond. The system's clock can be set back, so a later call may return an earlier
/// time.
pub fn now() -> Instant {
    // A clock before 1970, as machines without a battery have it, is a time like any other.
    Instant::from_unix_micros(jiff::Timestamp::now().as_microsecond())
}
