//! How many lanes may run a case at the same time: fewer while what we send leaves late, more again when it does not.
//!
//! Lateness is the one thing that too many lanes do to a verdict. It is measured at every send; a case that was late for
//! long is inconclusive and costs a second try, so the number goes down well before that.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Half of what makes a case inconclusive.
const LATE: Duration = Duration::from_millis(10);
/// Cases that are looked at together.
const WINDOW: usize = 32;
/// So many late ones of them are too many.
const LATE_MAX: usize = WINDOW / 8;

pub(super) struct Throttle {
    state: Mutex<State>,
    changed: Notify,
    bounds: Bounds,
}

/// Between these the number moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) least: usize,
    pub(super) most: usize,
}

struct State {
    running: usize,
    limit: usize,
    /// The least that the limit has been.
    low: usize,
    /// How often it has changed. Cases that began before say nothing of the limit that is in force.
    changes: usize,
    /// In the window that is being looked at.
    ended: usize,
    late: usize,
}

impl Throttle {
    pub(super) fn new(bounds: Bounds) -> Self {
        let Bounds { most, .. } = bounds;
        let state = State { running: 0, limit: most, low: most, changes: 0, ended: 0, late: 0 };
        Self { state: Mutex::new(state), changed: Notify::new(), bounds }
    }

    /// No code that holds the lock can leave the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for one's turn to run a case.
    pub(super) async fn turn(&self) -> Turn<'_> {
        loop {
            // Before the look, so that no change can slip in between.
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.running < state.limit {
                    state.running += 1;
                    return Turn { throttle: self, changes: state.changes };
                }
            }
            changed.await;
        }
    }

    fn ended(&self, began: usize, lateness: Duration) {
        let Bounds { least, most } = self.bounds;
        let mut state = self.state();
        if began != state.changes {
            return;
        }
        state.ended += 1;
        state.late += usize::from(lateness > LATE);
        let limit = state.limit;
        if state.late > LATE_MAX {
            state.limit = (limit * 3 / 4).max(least).min(limit);
            state.low = state.low.min(state.limit);
        } else if state.ended < WINDOW {
            return;
        } else if state.late == 0 {
            state.limit = (limit + limit / 8 + 1).min(most);
        }
        (state.ended, state.late) = (0, 0);
        state.changes += usize::from(state.limit != limit);
        let may_go_on = state.limit > limit;
        drop(state);
        if may_go_on {
            self.changed.notify_waiters();
        }
    }

    /// The least number of lanes that was allowed, if it ever was less than all.
    pub(super) fn low(&self) -> Option<usize> {
        Some(self.state().low).filter(|low| *low < self.bounds.most)
    }
}

/// The right to run a case, until it is dropped.
pub(super) struct Turn<'a> {
    throttle: &'a Throttle,
    /// Of the limit, when it began.
    changes: usize,
}

impl Turn<'_> {
    /// A case has ended, and its latest send was so late.
    pub(super) fn ended(&self, lateness: Duration) {
        self.throttle.ended(self.changes, lateness);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.throttle.state().running -= 1;
        self.throttle.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN_TIME: Duration = Duration::from_micros(100);
    const TOO_LATE: Duration = Duration::from_millis(15);

    fn report(throttle: &Throttle, cases: usize, lateness: Duration) {
        for _ in 0..cases {
            let changes = throttle.state().changes;
            throttle.ended(changes, lateness);
        }
    }

    fn limit(throttle: &Throttle) -> usize {
        throttle.state().limit
    }

    #[test]
    fn lateness_lowers_the_limit_and_time_raises_it_again() {
        let throttle = Throttle::new(Bounds { least: 4, most: 100 });
        report(&throttle, WINDOW, IN_TIME);
        assert_eq!(limit(&throttle), 100);
        report(&throttle, LATE_MAX + 1, TOO_LATE);
        assert_eq!(limit(&throttle), 75);
        report(&throttle, 20 * WINDOW, TOO_LATE);
        assert_eq!((limit(&throttle), throttle.low()), (4, Some(4)));
        report(&throttle, 40 * WINDOW, IN_TIME);
        assert_eq!((limit(&throttle), throttle.low()), (100, Some(4)));
    }

    #[test]
    fn a_few_late_cases_change_nothing() {
        let throttle = Throttle::new(Bounds { least: 4, most: 100 });
        for _ in 0..50 {
            report(&throttle, 1, TOO_LATE);
            report(&throttle, WINDOW - 1, IN_TIME);
        }
        assert_eq!(limit(&throttle), 100);
    }

    #[tokio::test]
    async fn what_began_under_another_limit_says_nothing_of_this_one() {
        let throttle = Throttle::new(Bounds { least: 1, most: 100 });
        let before = throttle.turn().await;
        report(&throttle, LATE_MAX + 1, TOO_LATE);
        (0..10 * WINDOW).for_each(|_| before.ended(TOO_LATE));
        assert_eq!(limit(&throttle), 75);
        let after = throttle.turn().await;
        (0..=LATE_MAX).for_each(|_| after.ended(TOO_LATE));
        assert_eq!(limit(&throttle), 56);
    }

    #[test]
    fn a_fixed_number_stays() {
        let throttle = Throttle::new(Bounds { least: 7, most: 7 });
        report(&throttle, 10 * WINDOW, TOO_LATE);
        report(&throttle, 10 * WINDOW, IN_TIME);
        assert_eq!((limit(&throttle), throttle.low()), (7, None));
    }

    #[tokio::test]
    async fn turns_are_waited_for() {
        let throttle = Throttle::new(Bounds { least: 1, most: 2 });
        let (one, _two) = (throttle.turn().await, throttle.turn().await);
        let soon = Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, throttle.turn()).await.is_err());
        drop(one);
        assert!(tokio::time::timeout(10 * soon, throttle.turn()).await.is_ok());
        report(&throttle, WINDOW, TOO_LATE);
        assert!(tokio::time::timeout(soon, throttle.turn()).await.is_err());
        // More room wakes who waits.
        let (third, ()) = tokio::join!(throttle.turn(), async { report(&throttle, 4 * WINDOW, IN_TIME) });
        drop(third);
    }
}
