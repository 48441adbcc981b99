//! One queue that all lanes pull from, longest cases first, and the list of cases to run again alone.

use super::attempt::Pending;
use crate::suite::model::Family;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a case marked `slow` is taken to need where no earlier run tells.
const SLOW_GUESS: Duration = Duration::from_secs(10);

/// Longest first, so that no long case begins when all others are done; then by (id, family).
pub(super) fn sort(cases: &mut [Pending], durations: &BTreeMap<(String, Family), Duration>) {
    cases.sort_by_cached_key(|case| {
        let key = (case.info.id.clone(), case.info.family);
        let guess = if case.info.slow { SLOW_GUESS } else { Duration::ZERO };
        (Reverse(durations.get(&key).copied().unwrap_or(guess)), key)
    });
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Pending>,
    /// Inconclusive once.
    alone: Vec<Pending>,
    closed: bool,
}

pub(super) struct Queue(Mutex<State>);

impl Queue {
    pub(super) fn new(cases: Vec<Pending>) -> Self {
        Self(Mutex::new(State { waiting: cases.into(), ..State::default() }))
    }

    /// No code that holds the lock can leave the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Option<Pending> {
        let mut state = self.state();
        if state.closed { None } else { state.waiting.pop_front() }
    }

    /// For a case that its lane could not run.
    pub(super) fn put_back(&self, case: Pending) {
        self.state().waiting.push_front(case);
    }

    pub(super) fn alone(&self, case: Pending) {
        self.state().alone.push(case);
    }

    /// From now on nothing can be taken.
    pub(super) fn close(&self) {
        self.state().closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub(super) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Makes the queue that of the cases to run alone; returns how many there are.
    pub(super) fn rewind(&self) -> usize {
        let mut state = self.state();
        state.waiting = std::mem::take(&mut state.alone).into();
        state.waiting.make_contiguous().sort_by(|a, b| a.key().cmp(&b.key()));
        state.waiting.len()
    }

    pub(super) fn drain(&self) -> Vec<Pending> {
        let mut state = self.state();
        let State { waiting, alone, closed: _ } = &mut *state;
        waiting.drain(..).chain(alone.drain(..)).collect()
    }
}
