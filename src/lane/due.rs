//! When what leaves now should have left.
//!
//! Owns one moment: that of the first thing that happened since all was out. A frame counts from its stamp, and a deadline
//! from when it was, although nobody saw either at once; and a frame that came after a deadline, and was seen before it,
//! puts nothing off. It must not know what leaves, nor how late is too late.

use crate::time::Time;
use std::time::Duration;

/// What happened first, of what nothing has come yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    since: Time,
    is_open: bool,
}

impl Due {
    /// At the beginning of a case: its first steps are due at once.
    pub(super) const BEGINNING: Self = Self { since: Time::ZERO, is_open: true };

    /// Something happened; what the case waits for until `deadline` is over by then, if that has passed.
    pub(super) fn happened(&mut self, at: Time, deadline: Option<Time>) {
        let due = deadline.map_or(at, |deadline| deadline.min(at));
        self.since = if self.is_open { self.since.min(due) } else { due };
        self.is_open = true;
    }

    /// All that was to leave has left.
    pub(super) fn all_out(&mut self) {
        self.is_open = false;
    }

    /// How late it is for what leaves now.
    pub(super) fn late(&self, now: Time) -> Duration {
        now.since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::ZERO + Duration::from_millis(ms)
    }

    /// How late a send at 230 ms is, after all was out and then this happened: `(at, deadline)`.
    fn late(happened: &[(u64, Option<u64>)]) -> u128 {
        let mut due = Due::BEGINNING;
        due.happened(ms(5), None);
        due.all_out();
        for (at, deadline) in happened {
            due.happened(ms(*at), deadline.map(ms));
        }
        due.late(ms(230)).as_millis()
    }

    #[test]
    fn a_frame_counts_from_its_stamp() {
        assert_eq!(late(&[(225, None)]), 5);
        assert_eq!(late(&[(225, Some(400))]), 5, "nothing was due before");
    }

    #[test]
    fn a_timer_that_fires_late_makes_late() {
        assert_eq!(late(&[(229, Some(132))]), 98);
    }

    /// Its deadline was at 132 ms. What came at 224 ms was read first, for which the deadline was over; then the timer fired.
    #[test]
    fn what_came_after_the_deadline_and_is_seen_before_it_puts_nothing_off() {
        assert_eq!(late(&[(224, Some(132)), (229, Some(700))]), 98);
    }

    #[test]
    fn what_has_left_is_late_no_more() {
        let mut due = Due::BEGINNING;
        assert_eq!(due.late(ms(3)), Duration::from_millis(3));
        due.all_out();
        due.happened(ms(10), None);
        assert_eq!(due.late(ms(10)), Duration::ZERO);
    }
}
