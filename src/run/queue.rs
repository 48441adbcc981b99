//! One queue that all lanes pull from, longest cases first, and the list of cases to run again alone.

use super::attempt::Pending;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Longest first, so that no long case begins when all others are done; then by (id, family).
pub(super) fn sort(cases: &mut [Pending]) {
    cases.sort_by(|a, b| b.takes.cmp(&a.takes).then_with(|| a.key().cmp(&b.key())));
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

    /// Forgets what nobody has taken; returns how many cases that were.
    pub(super) fn abandon(&self) -> usize {
        std::mem::take(&mut self.state().waiting).len()
    }

    /// How many cases wait to be tried again.
    pub(super) fn to_try_again(&self) -> usize {
        self.state().alone.len()
    }

    /// Puts the cases that are to be tried again into the queue; returns how many are in it.
    pub(super) fn rewind(&self) -> usize {
        let mut state = self.state();
        let again = std::mem::take(&mut state.alone);
        state.waiting.extend(again);
        state.waiting.make_contiguous().sort_by(|a, b| a.key().cmp(&b.key()));
        state.waiting.len()
    }

    pub(super) fn drain(&self) -> Vec<Pending> {
        let mut state = self.state();
        let State { waiting, alone, closed: _ } = &mut *state;
        waiting.drain(..).chain(alone.drain(..)).collect()
    }
}
