//! How long a step took, as results say it.

use std::time::Instant;

/// The time since a step began, in seconds, to the millisecond.
pub(crate) fn seconds_since(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}
