//! Which parts of a sequence space have been seen: merged, sorted ranges of offsets.

/// Half-open ranges, counted from the initial sequence number of one direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spans(Vec<(u32, u32)>);

impl Spans {
    pub(crate) fn insert(&mut self, start: u32, end: u32) {
        if start >= end {
            return;
        }
        let first = self.0.partition_point(|&(_, e)| e < start);
        let last = self.0.partition_point(|&(s, _)| s <= end);
        let merged = self.0[first..last].iter().fold((start, end), |(s, e), &(a, b)| (s.min(a), e.max(b)));
        self.0.splice(first..last, [merged]);
    }

    /// Where the part that begins at 0 ends: everything before it has been seen.
    pub(crate) fn contiguous(&self) -> u32 {
        self.0.first().filter(|(start, _)| *start == 0).map_or(0, |(_, end)| *end)
    }

    pub(crate) fn covers(&self, start: u32, end: u32) -> bool {
        start >= end || self.0.iter().any(|&(s, e)| s <= start && end <= e)
    }

    /// Where what has been seen from here on without a hole ends.
    pub(crate) fn run(&self, from: u32) -> u32 {
        self.0.iter().find(|&&(start, end)| start <= from && from < end).map_or(from, |&(_, end)| end)
    }

    pub(crate) fn end(&self) -> u32 {
        self.0.last().map_or(0, |(_, end)| *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_filled_hole_joins_its_neighbours() {
        let mut spans = Spans::default();
        spans.insert(0, 10);
        spans.insert(20, 30);
        assert_eq!(spans.contiguous(), 10);
        spans.insert(10, 20);
        assert_eq!(spans.contiguous(), 30);
        assert_eq!(spans, Spans(vec![(0, 30)]));
    }

    proptest! {
        #[test]
        fn spans_are_a_set_of_octets(ranges in prop::collection::vec((0u32..64, 0u32..16), 0..20)) {
            let mut spans = Spans::default();
            let mut set = [false; 80];
            for (start, len) in ranges {
                spans.insert(start, start + len);
                set[start as usize..(start + len) as usize].fill(true);
            }
            for start in 0..80u32 {
                prop_assert_eq!(spans.covers(start, start + 1), set.get(start as usize) == Some(&true));
                let run = set[start as usize..].iter().take_while(|s| **s).count();
                prop_assert_eq!((spans.run(start) - start) as usize, run);
            }
            prop_assert_eq!(spans.contiguous() as usize, set.iter().take_while(|s| **s).count());
            prop_assert_eq!(spans.end() as usize, set.iter().rposition(|s| *s).map_or(0, |i| i + 1));
        }
    }
}
