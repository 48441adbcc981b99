//! A set of numbers kept as runs: what of a stream has arrived.

use std::collections::BTreeMap;

/// Disjoint runs that do not touch: start to end, the end excluded.
#[derive(Debug, Default)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    pub(crate) fn insert(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        while let Some((&from, &to)) = self.0.range(..=end).next_back()
            && to >= start
        {
            start = start.min(from);
            end = end.max(to);
            self.0.remove(&from);
        }
        self.0.insert(start, end);
    }

    /// Whether all of a run is there.
    pub(crate) fn covers(&self, start: u64, end: u64) -> bool {
        self.0.range(..=start).next_back().is_some_and(|(_, &to)| to >= end)
    }

    /// The end of the run that begins at zero.
    pub(crate) fn contiguous(&self) -> u64 {
        self.0.get(&0).copied().unwrap_or(0)
    }
}

#[test]
fn runs_merge_whatever_the_order() {
    let mut ranges = Ranges::default();
    for (start, end) in [(5, 7), (0, 2), (9, 9), (7, 8), (2, 3), (4, 6)] {
        ranges.insert(start, end);
    }
    assert_eq!(ranges.contiguous(), 3);
    assert!(ranges.covers(4, 8) && ranges.covers(0, 3) && !ranges.covers(2, 5) && !ranges.covers(8, 9));
}
