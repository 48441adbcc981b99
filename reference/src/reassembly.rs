//! Text that arrived above a hole (RFC 9293 3.10.7.4, SHLD-31), and the SACK blocks that report it.
//!
//! Holds disjoint, non-adjacent runs in sequence order, bounded in number; the window bounds the octets. The
//! first copy of an octet wins, so what was acknowledged selectively never changes.

use crate::seq::SeqNum;
use crate::wire::{SackBlock, SackBlocks};

/// The most runs held. A peer that sends every other octet cannot make us hold more.
const MAX_RUNS: usize = 512;

#[derive(Clone, Debug)]
struct Run {
    start: SeqNum,
    octets: Vec<u8>,
}

impl Run {
    fn end(&self) -> SeqNum {
        self.start + self.octets.len() as u32
    }
}

/// The reassembly queue of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reassembly {
    runs: Vec<Run>,
    /// Starts of runs, most recently touched first (RFC 2018 section 4).
    recent: Vec<SeqNum>,
}

impl Reassembly {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn octets(&self) -> usize {
        self.runs.iter().map(|run| run.octets.len()).sum()
    }

    /// The part of `start..start+len` that is held already, if any: for D-SACK (RFC 2883).
    pub(crate) fn duplicate(&self, start: SeqNum, len: u32) -> Option<SackBlock> {
        let end = start + len;
        let run = self.runs.iter().find(|run| run.start.before(end) && start.before(run.end()))?;
        Some(SackBlock { start: run.start.later(start), end: run.end().earlier(end) })
    }

    /// Whether a run begins exactly here.
    pub(crate) fn has_run_at(&self, start: SeqNum) -> bool {
        self.runs.iter().any(|run| run.start == start)
    }

    /// Holds `octets`, which begin at `start`. All lie above RCV.NXT and inside the window.
    pub(crate) fn insert(&mut self, start: SeqNum, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let end = start + octets.len() as u32;
        // All runs that touch the new one, adjacency included.
        let first = self.runs.partition_point(|run| run.end().before(start));
        let last = first + self.runs[first..].partition_point(|run| run.start.at_or_before(end));
        if first == last {
            if self.runs.len() < MAX_RUNS {
                self.runs.insert(first, Run { start, octets: octets.to_vec() });
                self.touch(start);
            }
            return;
        }
        let merged = Self::merge(&mut self.runs[first..last], start, octets);
        let gone: Vec<SeqNum> = self.runs.drain(first..last).map(|run| run.start).collect();
        self.recent.retain(|start| !gone.contains(start));
        let start = merged.start;
        self.runs.insert(first, merged);
        self.touch(start);
    }

    /// One run out of `runs` and the new octets, which fill the holes between them.
    fn merge(runs: &mut [Run], start: SeqNum, octets: &[u8]) -> Run {
        let end = start + octets.len() as u32;
        let mut merged = if runs[0].start.at_or_before(start) {
            Run { start: runs[0].start, octets: core::mem::take(&mut runs[0].octets) }
        } else {
            Run { start, octets: Vec::new() }
        };
        for run in runs {
            if run.octets.is_empty() {
                continue;
            }
            let hole = run.start.distance_from(merged.end()) as usize;
            let from = merged.end().distance_from(start) as usize;
            merged.octets.extend_from_slice(&octets[from..from + hole]);
            merged.octets.extend_from_slice(&run.octets);
        }
        if merged.end().before(end) {
            let from = merged.end().distance_from(start) as usize;
            merged.octets.extend_from_slice(&octets[from..]);
        }
        merged
    }

    fn touch(&mut self, start: SeqNum) {
        self.recent.retain(|&other| other != start);
        self.recent.insert(0, start);
    }

    /// Takes what has become contiguous with `next`, dropping what lies below it.
    pub(crate) fn take_contiguous(&mut self, next: SeqNum) -> Option<Vec<u8>> {
        let mut taken = None;
        while let Some(run) = self.runs.first() {
            if run.start.after(next) {
                break;
            }
            let run = self.runs.remove(0);
            self.recent.retain(|&start| start != run.start);
            if run.end().after(next) {
                let skip = next.distance_from(run.start) as usize;
                taken = Some(run.octets[skip..].to_vec());
                break;
            }
        }
        taken
    }

    /// The end of the highest run: where a cumulative ACK that jumps over holes would point.
    pub(crate) fn highest(&self) -> Option<SeqNum> {
        self.runs.last().map(Run::end)
    }

    /// SACK blocks, the run of the latest segment first, then the others by recency (RFC 2018 section 4).
    pub(crate) fn sack_blocks(&self, at_most: usize, blocks: &mut SackBlocks) {
        for start in self.recent.iter().take(at_most) {
            let found = self.runs.binary_search_by_key(&start.distance_from(self.runs[0].start), |run| {
                run.start.distance_from(self.runs[0].start)
            });
            if let Ok(at) = found {
                blocks.push(SackBlock { start: self.runs[at].start, end: self.runs[at].end() });
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(queue: &Reassembly) -> Vec<(u32, u32)> {
        queue.runs.iter().map(|run| (run.start.0, run.end().0)).collect()
    }

    #[test]
    fn runs_merge_when_they_touch_and_the_first_copy_wins() {
        let mut queue = Reassembly::default();
        queue.insert(SeqNum(10), b"aaaa");
        queue.insert(SeqNum(20), b"bbbb");
        assert_eq!(spans(&queue), [(10, 14), (20, 24)]);
        queue.insert(SeqNum(12), b"cccccccccc"); // 12..22 spans the hole and both edges
        assert_eq!(spans(&queue), [(10, 24)]);
        assert_eq!(queue.take_contiguous(SeqNum(10)).unwrap(), b"aaaaccccccbbbb");
        assert!(queue.is_empty());
    }

    #[test]
    fn every_pair_of_intervals_keeps_the_first_copy_of_each_octet() {
        for (a, b) in (0..7).flat_map(|a| (a + 1..8).map(move |b| (a, b))) {
            for (c, d) in (0..7).flat_map(|c| (c + 1..8).map(move |d| (c, d))) {
                let base = SeqNum(u32::MAX - 3); // straddles the wrap
                let mut queue = Reassembly::default();
                queue.insert(base + 1 + a, &vec![b'1'; (b - a) as usize]);
                queue.insert(base + 1 + c, &vec![b'2'; (d - c) as usize]);
                let mut model = [0u8; 9];
                model[c as usize..d as usize].fill(b'2');
                model[a as usize..b as usize].fill(b'1');
                let mut seen = [0u8; 9];
                for run in &queue.runs {
                    let at = run.start.distance_from(base + 1) as usize;
                    seen[at..at + run.octets.len()].copy_from_slice(&run.octets);
                }
                assert_eq!(seen, model, "{a}..{b} then {c}..{d}");
            }
        }
    }

    #[test]
    fn the_latest_segment_is_in_the_first_block() {
        let mut queue = Reassembly::default();
        for start in [30, 10, 20, 40] {
            queue.insert(SeqNum(start), b"x");
        }
        queue.insert(SeqNum(11), b"y");
        let mut blocks = SackBlocks::default();
        queue.sack_blocks(3, &mut blocks);
        let starts: Vec<u32> = blocks.as_slice().iter().map(|block| block.start.0).collect();
        assert_eq!(starts, [10, 40, 20]);
        assert_eq!(queue.duplicate(SeqNum(8), 3), Some(SackBlock { start: SeqNum(10), end: SeqNum(11) }));
        assert_eq!(queue.duplicate(SeqNum(50), 3), None);
    }

    #[test]
    fn the_number_of_runs_is_bounded() {
        let mut queue = Reassembly::default();
        for n in 0..2000 {
            queue.insert(SeqNum(n * 2), b"x");
        }
        assert_eq!(queue.runs.len(), MAX_RUNS);
        assert_eq!(queue.recent.len(), MAX_RUNS);
    }
}
