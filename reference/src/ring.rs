//! The buffers of a connection: octets in order, added at one end and taken off at the other.
//!
//! Memory is taken when there is something to hold and given back when there is nothing, to be used again while it is
//! warm. Knows no sequence numbers.

use crate::spare::Spare;
use crate::wire::checksum::Sum;

/// The least that is set aside, so that a burst does not grow the buffer step by step.
const LEAST: usize = 4096;
/// A buffer that has grown beyond this is kept even when it is empty: its connection moves bulk.
const KEPT: usize = 16 * 1024;

/// A ring of octets. The caller bounds its length.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// Filled with zeros only as far as octets have come to lie.
    octets: Vec<u8>,
    start: usize,
    len: usize,
}

impl Ring {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Octets are about to be added: if it has no memory it may have some that is to spare.
    #[inline]
    pub(crate) fn lend(&mut self, spare: &mut Spare) {
        if self.octets.capacity() == 0
            && let Some(octets) = spare.octets.take()
        {
            self.octets = octets;
        }
    }

    /// Gives back what it holds nothing in.
    #[inline(always)]
    pub(crate) fn give_back(&mut self, spare: &mut Spare) {
        if self.len == 0 && self.octets.capacity() > 0 {
            self.give_back_empty(spare);
        }
    }

    fn give_back_empty(&mut self, spare: &mut Spare) {
        let capacity = self.octets.capacity();
        if capacity <= KEPT {
            let octets = core::mem::take(&mut self.octets);
            if capacity == LEAST {
                spare.octets.put(octets);
            }
        }
    }

    /// Adds octets at the end.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.reserve(octets.len());
        let end = self.start + self.len;
        if end == self.octets.len() && end + octets.len() <= self.octets.capacity() {
            // Fresh memory behind the last octet needs no zeros first.
            self.octets.extend_from_slice(octets);
            self.len += octets.len();
            return;
        }
        let (front, back) = self.extend(octets.len());
        let (first, second) = octets.split_at(front.len());
        front.copy_from_slice(first);
        back.copy_from_slice(second);
    }

    /// The same, and returns their sum.
    pub(crate) fn push_summed(&mut self, octets: &[u8]) -> Sum {
        let (front, back) = self.extend(octets.len());
        let (first, second) = octets.split_at(front.len());
        let mut sum = Sum::default();
        sum.add_copied(first, front);
        if !back.is_empty() {
            let mut rest = Sum::default();
            rest.add_copied(second, back);
            sum.append(first.len(), rest);
        }
        sum
    }

    /// Has up to `most` octets added where they will lie, as far as there is room in one piece, and takes as many as
    /// `fill` says there are.
    pub(crate) fn fill(&mut self, most: usize, fill: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let before = self.len;
        let (room, _) = self.extend(most);
        let len = fill(room).min(room.len());
        self.truncate(before + len);
        len
    }

    /// Makes the ring longer by `more` octets and returns where they lie, for the caller to fill.
    #[inline]
    fn extend(&mut self, more: usize) -> (&mut [u8], &mut [u8]) {
        let end = self.start + self.len;
        if end + more <= self.octets.len() {
            self.len += more;
            return (&mut self.octets[end..end + more], &mut []);
        }
        self.extend_further(more)
    }

    /// The same over the end of the memory, or where it was never used before.
    fn extend_further(&mut self, more: usize) -> (&mut [u8], &mut [u8]) {
        self.reserve(more);
        let capacity = self.octets.capacity();
        let end = self.start + self.len;
        let from = if end < capacity { end } else { end - capacity };
        let first = more.min(capacity - from);
        if self.octets.len() < from + first {
            self.octets.resize(from + first, 0);
        }
        self.len += more;
        let (below, above) = self.octets.split_at_mut(from);
        (&mut above[..first], &mut below[..more - first])
    }

    fn reserve(&mut self, more: usize) {
        if self.octets.capacity() - self.len < more {
            self.grow(self.len + more);
        }
    }

    #[cold]
    fn grow(&mut self, wanted: usize) {
        let mut octets = Vec::with_capacity(wanted.next_power_of_two().max(LEAST));
        let (front, back) = self.slices(0, self.len);
        octets.extend_from_slice(front);
        octets.extend_from_slice(back);
        self.octets = octets;
        self.start = 0;
    }

    /// `len` octets from the `from`th on, in two pieces if they lie across the end of the memory.
    pub(crate) fn slices(&self, from: usize, len: usize) -> (&[u8], &[u8]) {
        debug_assert!(from + len <= self.len);
        let capacity = self.octets.capacity();
        let from = self.start + from;
        let from = if from < capacity { from } else { from - capacity };
        let first = len.min(capacity - from);
        (&self.octets[from..from + first], &self.octets[..len - first])
    }

    /// Takes octets off the front.
    pub(crate) fn drop_front(&mut self, count: usize) {
        debug_assert!(count <= self.len);
        self.start += count;
        if self.start >= self.octets.capacity() {
            self.start -= self.octets.capacity();
        }
        self.len -= count;
        if self.len == 0 {
            self.start = 0;
        }
    }

    /// Keeps only the first `len` octets.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Shows what lies in one piece at the front, and takes off as many octets as `take` says it is done with.
    pub(crate) fn take(&mut self, take: impl FnOnce(&[u8]) -> usize) -> usize {
        let (front, _) = self.slices(0, self.len);
        let len = take(front).min(front.len());
        self.drop_front(len);
        len
    }

    /// Gives everything up.
    pub(crate) fn clear(&mut self) {
        if self.octets.capacity() > KEPT {
            self.octets = Vec::new();
        }
        self.start = 0;
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn it_holds_what_a_plain_queue_holds() {
        let text: Vec<u8> = (0..=255u8).cycle().take(9000).collect();
        let (mut ring, mut model) = (Ring::default(), VecDeque::new());
        for step in 0..2000usize {
            let (more, less) = (step * 37 % 1500, step * 53 % 1700);
            if step % 2 == 0 {
                ring.push(&text[..more]);
            } else {
                let mut sum = Sum::default();
                sum.add(&text[7..7 + more]);
                assert_eq!(ring.push_summed(&text[7..7 + more]).finish(), sum.finish());
            }
            model.extend(&text[if step % 2 == 0 { 0 } else { 7 }..][..more]);
            let keep = model.len() - model.len() / 20;
            ring.truncate(keep);
            model.truncate(keep);
            let less = less.min(model.len());
            ring.drop_front(less);
            model.drain(..less);
            let (front, back) = ring.slices(0, ring.len());
            assert_eq!([front, back].concat(), Vec::from(model.clone()), "step {step}");
            let (from, len) = (model.len() / 3, model.len() / 2);
            let (front, back) = ring.slices(from, len);
            assert!([front, back].concat().iter().eq(model.range(from..from + len)));
        }
    }

    #[test]
    fn a_small_ring_gives_its_memory_back_and_another_gets_it() {
        let mut spare = Spare::default();
        let mut ring = Ring::default();
        ring.lend(&mut spare);
        assert_eq!(ring.slices(0, 0), (&[][..], &[][..]));
        ring.push(b"abc");
        let is_all = |octets: &[u8]| if octets == b"abc" { 3 } else { 0 };
        assert_eq!(ring.take(is_all), 3);
        let memory = ring.octets.as_ptr();
        ring.give_back(&mut spare);
        assert_eq!(ring.octets.capacity(), 0);
        assert_eq!(ring.take(<[u8]>::len), 0);
        let mut other = Ring::default();
        other.lend(&mut spare);
        other.push(b"de");
        assert_eq!((other.octets.as_ptr(), other.slices(0, 2).0), (memory, &b"de"[..]));
        other.give_back(&mut spare);
        assert_eq!(other.len(), 2, "it holds something");
        ring.push(&[7; KEPT + 1]);
        ring.clear();
        ring.give_back(&mut spare);
        assert!(spare.octets.is_empty(), "too large to keep for others");
    }
}
