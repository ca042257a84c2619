//! When to ask again: after pauses that double and scatter, or that the host names (RFC 9110, "Retry-After").

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::fmt::rfc2822;
use ureq::http::HeaderMap;

use super::options::Retry;

/// Pauses between attempts. Shared by all threads of a client.
#[derive(Debug)]
pub(crate) struct Backoff {
    retry: Retry,
    state: AtomicU64,
}

impl Backoff {
    pub(crate) fn new(retry: Retry) -> Self {
        let state = AtomicU64::new(retry.seed);
        Self { retry, state }
    }

    /// The pause before the next attempt after `failed` ones; `None` when there is none, or the host asks for more
    /// patience than there is.
    pub(crate) fn pause(&self, failed: u32, asked: Option<Duration>) -> Option<Duration> {
        if failed >= self.retry.attempts {
            return None;
        }
        if let Some(asked) = asked {
            return (asked <= self.retry.longest).then_some(asked);
        }
        let doublings = failed.saturating_sub(1).min(16);
        let whole = self
            .retry
            .pause
            .saturating_mul(1 << doublings)
            .min(self.retry.longest);
        // Between half and all of it.
        let half = whole / 2;
        let share = u32::try_from(self.random() >> 48).unwrap_or(0);
        Some(half + half.saturating_mul(share) / (1 << 16))
    }

    /// Sleeps before the next attempt; false when there is none.
    pub(crate) fn sleep(&self, failed: u32, error: &dyn Display, asked: Option<Duration>) -> bool {
        let Some(pause) = self.pause(failed, asked) else {
            return false;
        };
        tracing::debug!(%error, failed, ?pause, "asking again");
        thread::sleep(pause);
        true
    }

    /// splitmix64: even, small, and good enough to keep strangers apart.
    fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self
            .state
            .fetch_add(STEP, Ordering::Relaxed)
            .wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Asks until there is an answer; after each failure `pause` sleeps, or says that it was the last.
pub(crate) fn until_answered<T, E>(
    ask: impl Fn() -> Result<T, E>,
    pause: impl Fn(u32, &E) -> bool,
) -> Result<T, E> {
    let mut failed = 0;
    loop {
        let error = match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        failed += 1;
        if !pause(failed, &error) {
            return Err(error);
        }
    }
}

/// How long an answer asks to wait: seconds, or a date, which counts from the answer's own date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wanted = text("retry-after")?;
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| Some(rfc2822::parse(text).ok()?.timestamp());
    let span = date(wanted)?.duration_since(date(text("date")?)?);
    Some(Duration::try_from(span).unwrap_or(Duration::ZERO))
}

/// Whether a status may be another one soon.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clients_do_not_come_back_together() {
        let pauses = || {
            let backoff = Backoff::new(Retry::default());
            [1, 2, 3].map(|failed| backoff.pause(failed, None))
        };
        assert_ne!(pauses(), pauses());
    }

    #[test]
    fn pauses_grow_scatter_and_end() {
        let backoff = Backoff::new(Retry {
            attempts: 4,
            pause: Duration::from_secs(1),
            longest: Duration::from_secs(3),
            seed: 7,
        });
        for (failed, whole) in [(1, 1), (2, 2), (3, 3)] {
            let pause = backoff.pause(failed, None).unwrap();
            let whole = Duration::from_secs(whole);
            assert!(pause >= whole / 2 && pause <= whole, "{failed}: {pause:?}");
        }
        assert_ne!(backoff.pause(1, None), backoff.pause(1, None));
        assert_eq!(backoff.pause(4, None), None);
        let second = Duration::from_secs(1);
        assert_eq!(backoff.pause(1, Some(second)), Some(second));
        assert_eq!(backoff.pause(1, Some(second * 4)), None);
    }

    #[test]
    fn reads_seconds_and_dates() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            retry_after(&headers)
        };
        assert_eq!(
            headers(&[("retry-after", "7")]),
            Some(Duration::from_secs(7))
        );
        let dates = [
            ("date", "Mon, 23 Nov 2026 07:00:00 GMT"),
            ("retry-after", "Mon, 23 Nov 2026 07:01:30 GMT"),
        ];
        assert_eq!(headers(&dates), Some(Duration::from_secs(90)));
        assert_eq!(headers(&dates[1..]), None);
        assert_eq!(headers(&[("retry-after", "soon")]), None);
        assert_eq!(headers(&[]), None);
    }
}
