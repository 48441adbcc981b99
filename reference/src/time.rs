//! Time as the caller tells it.
//!
//! The crate reads no clock. [`Instant`] is microseconds since an origin that the caller chooses, so it can be
//! made from a number, recorded and replayed; spans are [`core::time::Duration`].

use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time: microseconds since the caller's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The caller's origin.
    pub const ZERO: Self = Self(0);

    /// After everything that can come.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The point `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The point `millis` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1000)
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The span since `earlier`; zero if `earlier` is in fact later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        // Sixty-four bits are enough, and cheaper than the 128 of `as_micros`.
        let micros = span.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(span.subsec_micros()));
        Self(self.0.saturating_add(micros))
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_add_and_subtract_in_microseconds() {
        let start = Instant::from_millis(5);
        let later = start + Duration::from_micros(250);
        assert_eq!(later.as_micros(), 5250);
        assert_eq!(later - start, Duration::from_micros(250));
        assert_eq!(start - later, Duration::ZERO);
        assert_eq!(start + Duration::MAX, Instant::from_micros(u64::MAX));
    }
}
