//! The timers of one connection, as a table.
//!
//! Knows when, not what: [`crate::connection`] decides what an expiry means.

use crate::time::Instant;

/// Everything a connection may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Timer {
    /// RFC 6298: the front of the retransmission queue is overdue.
    Retransmit,
    /// RFC 9293 3.8.6.1: probe a closed window.
    Persist,
    /// RFC 9293 3.8.6.3: an acknowledgement held back.
    DelayedAck,
    /// RFC 9293 3.8.6.2.1: end of the sender's silly window avoidance.
    Override,
    /// RFC 9293 3.8.4: idle connection.
    KeepAlive,
    /// RFC 9293 3.10.8: 2 MSL.
    TimeWait,
    /// RFC 9293 3.10.8: R2, the user timeout.
    UserTimeout,
    /// RFC 8985 6.3: the reordering window has passed.
    Reorder,
    /// RFC 8985 7.2: probe timeout (PTO).
    Probe,
    /// An orphaned FIN-WAIT-2 is given up (configuration only; not in any RFC).
    FinWait2,
    /// The application would wait no longer for its close to be acknowledged.
    Linger,
}

impl Timer {
    pub(crate) const ALL: [Self; 11] = [
        Self::Retransmit,
        Self::Persist,
        Self::DelayedAck,
        Self::Override,
        Self::KeepAlive,
        Self::TimeWait,
        Self::UserTimeout,
        Self::Reorder,
        Self::Probe,
        Self::FinWait2,
        Self::Linger,
    ];
}

/// The expiry of a timer that does not run. One word in place of two for each, in every connection.
const NEVER: Instant = Instant::NEVER;

/// When each timer expires, if it runs.
#[derive(Clone, Debug)]
pub(crate) struct TimerTable {
    expiry: [Instant; Timer::ALL.len()],
    /// No timer expires before this one. It may be early: a timer that stops leaves it alone.
    earliest: Instant,
}

impl Default for TimerTable {
    fn default() -> Self {
        Self { expiry: [NEVER; Timer::ALL.len()], earliest: NEVER }
    }
}

impl TimerTable {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.expiry[timer as usize] = at;
        self.earliest = self.earliest.min(at);
    }

    /// Starts the timer only if it is not running.
    pub(crate) fn start(&mut self, timer: Timer, at: impl FnOnce() -> Instant) {
        if !self.is_running(timer) {
            self.set(timer, at());
        }
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.expiry[timer as usize] = NEVER;
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn get(&self, timer: Timer) -> Option<Instant> {
        Some(self.expiry[timer as usize]).filter(|&at| at != NEVER)
    }

    pub(crate) fn is_running(&self, timer: Timer) -> bool {
        self.get(timer).is_some()
    }

    /// When to look for an expired timer. May be early, never late.
    pub(crate) fn next(&self) -> Option<Instant> {
        Some(self.earliest).filter(|&at| at != NEVER)
    }

    /// Takes one timer that has expired by `now`, in the order of [`Timer::ALL`].
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Timer> {
        let expired = Timer::ALL.into_iter().find(|&timer| self.get(timer).is_some_and(|at| at <= now));
        match expired {
            Some(timer) => self.stop(timer),
            None => self.earliest = self.expiry.into_iter().min().unwrap_or(NEVER),
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_timer_is_next_and_is_taken_once() {
        let mut table = TimerTable::default();
        assert_eq!(table.next(), None);
        table.set(Timer::KeepAlive, Instant::from_millis(50));
        table.set(Timer::DelayedAck, Instant::from_millis(20));
        table.start(Timer::DelayedAck, || Instant::from_millis(90));
        assert_eq!(table.next(), Some(Instant::from_millis(20)));
        assert_eq!(table.take_expired(Instant::from_millis(19)), None);
        assert_eq!(table.take_expired(Instant::from_millis(20)), Some(Timer::DelayedAck));
        assert!(!table.is_running(Timer::DelayedAck));
        assert_eq!(table.take_expired(Instant::from_millis(20)), None);
        assert_eq!(table.next(), Some(Instant::from_millis(50)));
        table.stop_all();
        assert_eq!(table.next(), None);
    }
}
