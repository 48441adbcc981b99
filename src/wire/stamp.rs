//! From the kernel's receive stamps to the monotonic clock.
//!
//! The kernel stamps frames with the wall clock, which an administrator or NTP may set at any moment; cases live on the
//! monotonic clock. Owns the mapping and its doubts: a stamp that cannot be true is replaced by the time of reading.
//! Both clocks are read in one place, and handed in.
#![allow(clippy::disallowed_methods, reason = "reads the clocks beside the kernel's stamps")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Smaller disagreements are rounding, slewing and the time between reading two clocks; larger ones are a clock step.
const STEP_MIN: Duration = Duration::from_millis(1);

/// Both clocks, read together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) mono: Instant,
    /// Nanoseconds since the epoch.
    pub(super) real_ns: i128,
}

#[derive(Debug)]
pub(super) struct Clocks {
    last: Reading,
    /// Nothing read from now on arrived before this.
    floor: Instant,
}

impl Clocks {
    pub(super) fn new(now: Reading) -> Self {
        Self { last: now, floor: now.mono }
    }

    /// Nothing was waiting at `when`.
    pub(super) fn was_empty(&mut self, when: Instant) {
        self.floor = self.floor.max(when);
    }

    /// When a frame with this stamp arrived, read at `now`. Never before an earlier frame, never in the future.
    pub(super) fn arrival(&mut self, stamp_ns: Option<i128>, now: Reading) -> Instant {
        let believed = stamp_ns.and_then(|stamp| {
            // If the wall clock was set since the last reading, the stamp may be from before or after.
            let by_last = self.last.mono_at(stamp).filter(|at| self.is_plausible(*at, now));
            let by_now = now.mono_at(stamp).filter(|at| self.is_plausible(*at, now));
            match (by_now, by_last) {
                (Some(at), Some(other)) if distance(at, other) > STEP_MIN => None,
                (Some(at), _) | (None, Some(at)) => Some(at),
                (None, None) => None,
            }
        });
        let at = believed.unwrap_or(now.mono).clamp(self.floor.min(now.mono), now.mono);
        self.floor = at;
        self.last = now;
        at
    }

    fn is_plausible(&self, at: Instant, now: Reading) -> bool {
        at + STEP_MIN >= self.floor && at <= now.mono + STEP_MIN
    }
}

impl Reading {
    /// The monotonic time at which the wall clock showed `real_ns`, if neither was set in between.
    fn mono_at(self, real_ns: i128) -> Option<Instant> {
        let age = self.real_ns - real_ns;
        let span = Duration::from_nanos(u64::try_from(age.unsigned_abs()).ok()?);
        if age >= 0 { self.mono.checked_sub(span) } else { self.mono.checked_add(span) }
    }
}

fn distance(a: Instant, b: Instant) -> Duration {
    a.max(b) - a.min(b)
}

/// Reads both clocks as one. A reading that the scheduler tore apart is tried again.
pub(super) fn read_clocks() -> Reading {
    let mut best = (Duration::MAX, None);
    for _ in 0..3 {
        let before = Instant::now();
        let real = SystemTime::now();
        let torn = before.elapsed();
        if torn < best.0 {
            let real_ns = match real.duration_since(UNIX_EPOCH) {
                Ok(since) => since.as_nanos() as i128,
                Err(until) => -(until.duration().as_nanos() as i128),
            };
            best = (torn, Some(Reading { mono: before + torn / 2, real_ns }));
        }
        if torn < Duration::from_micros(2) {
            break;
        }
    }
    best.1.expect("some reading takes less than forever")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const DAY_NS: i128 = 86_400_000_000_000;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// The wall clock is `ahead_ns` ahead of a monotonic clock that shows `mono_ms`.
    fn reading(start: Instant, mono_ms: u64, ahead_ns: i128) -> Reading {
        Reading { mono: start + ms(mono_ms), real_ns: i128::from(mono_ms) * 1_000_000 + ahead_ns }
    }

    #[test]
    fn a_stamp_is_the_age_of_a_frame() {
        let start = Instant::now();
        let mut clocks = Clocks::new(reading(start, 0, DAY_NS));
        assert_eq!(clocks.arrival(Some(DAY_NS + 3_000_000), reading(start, 10, DAY_NS)), start + ms(3));
        assert_eq!(clocks.arrival(None, reading(start, 11, DAY_NS)), start + ms(11));
    }

    /// The frame is stamped at 3 ms of the old or the new clock and read at 10 ms, after the clock was set.
    #[rstest]
    #[case::forward_before(DAY_NS, 2 * DAY_NS, true, 3)]
    #[case::forward_after(DAY_NS, 2 * DAY_NS, false, 3)]
    #[case::back_before(2 * DAY_NS, DAY_NS, true, 3)]
    #[case::back_after(2 * DAY_NS, DAY_NS, false, 3)]
    #[case::a_little_is_ambiguous(DAY_NS, DAY_NS + 2_000_000, true, 10)]
    fn a_clock_step_is_seen(#[case] old: i128, #[case] new: i128, #[case] is_old: bool, #[case] at_ms: u64) {
        let start = Instant::now();
        let mut clocks = Clocks::new(reading(start, 0, old));
        let stamp = 3_000_000 + if is_old { old } else { new };
        assert_eq!(clocks.arrival(Some(stamp), reading(start, 10, new)), start + ms(at_ms));
        assert_eq!(clocks.arrival(Some(12_000_000 + new), reading(start, 13, new)), start + ms(12));
    }

    proptest! {
        /// Whenever the wall clock is set, and however far: where a frame is placed is between the last look and now, and
        /// where both clocks leave no doubt it is exactly when it came.
        #[test]
        fn no_clock_step_moves_a_frame(
            frames in proptest::collection::vec((1_u64..50, 0_u64..50), 1..20),
            steps in proptest::collection::vec(-DAY_NS..DAY_NS, 20),
            is_set in proptest::collection::vec(any::<bool>(), 20),
        ) {
            let start = Instant::now();
            let (mut now, mut ahead) = (0, DAY_NS);
            let mut clocks = Clocks::new(reading(start, now, ahead));
            let mut before = start;
            for (index, (gap, wait)) in frames.into_iter().enumerate() {
                let came = now + gap;
                let stamp = i128::from(came) * 1_000_000 + ahead;
                now = came + wait;
                let step = steps[index];
                if is_set[index] {
                    ahead += step;
                }
                let at = clocks.arrival(Some(stamp), reading(start, now, ahead));
                prop_assert!(before <= at && at <= start + ms(now));
                let is_clear = !is_set[index] || step.abs() > 1_000_000_000;
                prop_assert!(!is_clear || at == start + ms(came), "{at:?} for {came} ms");
                before = at;
            }
        }
    }

    #[test]
    fn two_steps_at_once_are_not_guessed_at() {
        let start = Instant::now();
        let mut clocks = Clocks::new(reading(start, 0, DAY_NS));
        assert_eq!(clocks.arrival(Some(9 * DAY_NS), reading(start, 10, 2 * DAY_NS)), start + ms(10));
    }

    #[test]
    fn no_frame_is_older_than_the_last_look_or_the_last_frame() {
        let start = Instant::now();
        let mut clocks = Clocks::new(reading(start, 0, 0));
        clocks.was_empty(start + ms(5));
        assert_eq!(clocks.arrival(Some(2_000_000), reading(start, 6, 0)), start + ms(6));
        let mut clocks = Clocks::new(reading(start, 0, 0));
        clocks.was_empty(start + ms(5));
        // Just rounding.
        assert_eq!(clocks.arrival(Some(4_900_000), reading(start, 6, 0)), start + ms(5));
        assert_eq!(clocks.arrival(Some(4_900_000), reading(start, 7, 0)), start + ms(5));
    }
}
