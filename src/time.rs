//! Time as the pure core knows it: nanoseconds since the case began.
//!
//! Nothing here reads a clock. A lane maps its own clock (virtual or real) onto this one.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time, counted from the start of the case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(u64);

impl Time {
    pub const ZERO: Self = Self(0);

    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }

    pub const fn from_micros(us: u64) -> Self {
        Self(us.saturating_mul(1_000))
    }

    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    pub fn since_start(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Seconds with four decimals, as ladders show it.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.since_start().as_secs_f64())
    }
}

/// A span in the unit a reader would choose: `0.2 ms`, `1.5 s`.
pub fn span(d: Duration) -> String {
    let s = d.as_secs_f64();
    if d.is_zero() {
        "0 s".into()
    } else if s < 0.001 {
        format!("{} us", trim(s * 1e6))
    } else if s < 1.0 {
        format!("{} ms", trim(s * 1e3))
    } else {
        format!("{} s", trim(s))
    }
}

/// A span in one unit, roughly: `15 min`.
pub fn about(d: Duration) -> String {
    in_one_unit(d, f64::round)
}

/// The same, not less, and as the command line takes it: `16min`.
pub fn at_least(d: Duration) -> String {
    in_one_unit(d, f64::ceil).replace(' ', "")
}

fn in_one_unit(d: Duration, round: fn(f64) -> f64) -> String {
    let s = d.as_secs_f64();
    let (count, unit) = if s <= 120.0 {
        (s, "s")
    } else if s < 7200.0 {
        (s / 60.0, "min")
    } else {
        (s / 3600.0, "h")
    };
    format!("{} {unit}", round(count))
}

fn trim(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Duration::ZERO, "0 s")]
    #[case(Duration::from_micros(200), "200 us")]
    #[case(Duration::from_micros(1_500), "1.5 ms")]
    #[case(Duration::from_millis(200), "200 ms")]
    #[case(Duration::from_millis(3_000), "3 s")]
    #[case(Duration::from_millis(12_345), "12.3 s")]
    fn spans_read_well(#[case] d: Duration, #[case] text: &str) {
        assert_eq!(span(d), text);
    }

    #[rstest]
    #[case(1_005, "1 s", "2s")]
    #[case(120_000, "120 s", "120s")]
    #[case(924_600, "15 min", "16min")]
    #[case(7_200_005, "2 h", "3h")]
    #[case(86_400_000, "24 h", "24h")]
    fn spans_in_one_unit(#[case] ms: u64, #[case] roughly: &str, #[case] enough: &str) {
        let d = Duration::from_millis(ms);
        assert_eq!((about(d), at_least(d)), (roughly.to_owned(), enough.to_owned()));
    }

    #[test]
    fn subtraction_stops_at_the_start() {
        assert_eq!(Time::from_micros(5) - Duration::from_secs(1), Time::ZERO);
        assert_eq!(Time::ZERO.since(Time::from_micros(5)), Duration::ZERO);
    }
}
