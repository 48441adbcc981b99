//! Memory that connections have no use for at the moment, to be used again while it is warm.
//!
//! An idle connection holds no buffers. What it held goes to whichever connection has something to hold next, so of
//! very many connections those that are at work share what fits into a cache.

use std::collections::VecDeque;

use crate::scoreboard::Record;

/// What an endpoint has to spare for its connections.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    /// Of rings that have run empty.
    pub(crate) octets: Pool<Vec<u8>>,
    /// Of retransmission queues that have run empty.
    pub(crate) records: Pool<VecDeque<Record>>,
}

/// Pieces of one kind. The last to come is the first to go.
#[derive(Debug)]
pub(crate) struct Pool<T>(Vec<T>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pool<T> {
    /// How many are kept.
    const KEPT: usize = 32;

    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        self.0.pop()
    }

    /// What there is no room for is freed.
    #[inline]
    pub(crate) fn put(&mut self, piece: T) {
        if self.0.len() < Self::KEPT {
            self.0.push(piece);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_come_goes_first_and_no_more_are_kept_than_are_of_use() {
        let mut pool = Pool::default();
        assert_eq!(pool.take(), None);
        (0..100).for_each(|n| pool.put(n));
        let kept: Vec<i32> = core::iter::from_fn(|| pool.take()).collect();
        assert_eq!(kept, (0..32).rev().collect::<Vec<_>>());
    }
}
