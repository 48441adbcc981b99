//! When this process stood still: the machine, or what it runs in, had no time for it.
//!
//! All that fell due meanwhile is due at once when it goes on, in any order: the answer of a target, and the end of our
//! waiting for that answer. Who wakes first says nothing about the target. So a thread that does nothing but sleep tells
//! how much longer it slept than it wanted to. What follows from that is for the verdict.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "watches the clock")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the thread sleeps.
const NAP: Duration = Duration::from_millis(5);
/// Any sleep is a little longer than it was meant to be.
const STALL_MIN: Duration = Duration::from_millis(5);
/// Nobody asks for what was long ago.
const REMEMBERED: usize = 64;

/// From one time to another the process stood still.
type Stall = (Instant, Instant);

/// The stalls of this process.
#[derive(Debug, Clone)]
pub(super) struct Stalls(Arc<Mutex<Watch>>);

impl Stalls {
    /// The watch of this process, from the first call on.
    pub(super) fn watch() -> Self {
        static STALLS: OnceLock<Stalls> = OnceLock::new();
        STALLS.get_or_init(Self::start).clone()
    }

    fn start() -> Self {
        let watch = Arc::new(Mutex::new(Watch::new(Instant::now())));
        let watched = Arc::clone(&watch);
        let nap = move || {
            // A lane that works is no stall.
            #[cfg(target_os = "linux")]
            let _may = crate::lab::priority::go_before_lanes();
            loop {
                thread::sleep(NAP);
                locked(&watched).woke(Instant::now());
            }
        };
        if thread::Builder::new().name("stalls".into()).spawn(nap).is_err() {
            locked(&watch).next = None;
        }
        Self(watch)
    }

    /// For how long of the time from then until now it stood still.
    pub(super) fn since(&self, then: Instant) -> Duration {
        locked(&self.0).between(then, Instant::now())
    }
}

fn locked(watch: &Mutex<Watch>) -> std::sync::MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Watch {
    stalls: VecDeque<Stall>,
    /// When the sleeper is to wake; `None` where nobody sleeps.
    next: Option<Instant>,
}

impl Watch {
    fn new(now: Instant) -> Self {
        Self { stalls: VecDeque::new(), next: Some(now + NAP) }
    }

    fn woke(&mut self, now: Instant) {
        self.stalls.extend(self.stall(now));
        if self.stalls.len() > REMEMBERED {
            self.stalls.pop_front();
        }
        self.next = Some(now + NAP);
    }

    /// The stall that is not known to be over: the sleeper may not have woken yet, although others have.
    fn stall(&self, now: Instant) -> Option<Stall> {
        let stall = (self.next?, now);
        (length(stall) >= STALL_MIN).then_some(stall)
    }

    fn between(&self, then: Instant, now: Instant) -> Duration {
        let within = |(from, to): Stall| length((from.max(then), to.min(now)));
        self.stalls.iter().copied().chain(self.stall(now)).map(within).sum()
    }
}

fn length((from, to): Stall) -> Duration {
    to.saturating_duration_since(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_sleep_that_was_too_long_is_a_stall() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        watch.woke(start + MS(6));
        assert_eq!(watch.between(start, start + MS(7)), Duration::ZERO, "as long as any sleep");
        watch.woke(start + MS(111));
        assert_eq!(watch.between(start, start + MS(112)), MS(100));
        assert_eq!(watch.between(start + MS(61), start + MS(112)), MS(50), "the part of it");
        assert_eq!(watch.between(start + MS(111), start + MS(112)), Duration::ZERO, "it was before");
        // Who asks has woken, the sleeper has not.
        assert_eq!(watch.between(start + MS(111), start + MS(416)), MS(300));
        assert_eq!(watch.between(start, start + MS(416)), MS(400));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        for turn in 1..=1000 {
            watch.woke(start + MS(20) * turn);
        }
        assert_eq!(watch.stalls.len(), REMEMBERED);
    }
}
