//! The retransmission queue: one record for each segment in flight, with what SACK and loss detection say of it
//! (RFC 9293 3.8.1, RFC 6675, RFC 8985 section 5).
//!
//! Pure bookkeeping in sequence space. It holds no octets and decides nothing about when to send.

use std::collections::VecDeque;

use crate::seq::SeqNum;
use crate::spare::Spare;
use crate::time::Instant;
use crate::wire::SackBlock;

/// RFC 6675 section 2, RFC 5681: duplicate ACKs that mean a loss.
pub(crate) const DUP_THRESH: u32 = 3;

/// A queue that has grown beyond this is kept even when it is empty.
const KEPT: usize = 16;

/// A segment that was sent and not cumulatively acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) seq: SeqNum,
    /// Sequence space, SYN and FIN included.
    pub(crate) len: u32,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    /// Last transmission.
    pub(crate) sent_at: Instant,
    /// It was sent more than once, so its acknowledgement says nothing about the round trip (Karn).
    pub(crate) ever_resent: bool,
    sacked: bool,
    lost: bool,
    /// Sent again since it was marked lost.
    resent: bool,
}

impl Record {
    pub(crate) fn end(&self) -> SeqNum {
        self.seq + self.len
    }

    /// Octets of text.
    pub(crate) fn text(&self) -> u32 {
        self.len - u32::from(self.syn) - u32::from(self.fin)
    }

    pub(crate) fn is_sacked(&self) -> bool {
        self.sacked
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost && !self.resent
    }
}

/// What a cumulative acknowledgement removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Send time of the latest whole segment that was sent once only.
    pub(crate) sample: Option<Instant>,
    /// The same of any segment.
    pub(crate) ambiguous: Option<Instant>,
    /// The newest transmission among what was removed: its time, end and whether it was a repetition.
    pub(crate) newest: Option<Delivered>,
    /// Something that was sent once only arrived after something later (RFC 8985 6.2 step 3).
    pub(crate) reordered: bool,
}

/// What SACK blocks have newly reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) octets: u32,
    pub(crate) newest: Option<Delivered>,
    pub(crate) reordered: bool,
}

/// A segment known to have arrived, for RACK (RFC 8985 6.2 step 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) sent_at: Instant,
    pub(crate) end: SeqNum,
    pub(crate) ever_resent: bool,
}

impl Delivered {
    /// RFC 8985 6.2 step 2: the later transmission, and the higher end among simultaneous ones.
    pub(crate) fn newer_of(self, other: Self) -> Self {
        let later = other.sent_at > self.sent_at;
        let higher = other.sent_at == self.sent_at && !self.end.after(other.end);
        if later || higher { other } else { self }
    }

    /// RACK_sent_after.
    pub(crate) fn is_after(self, record: &Record) -> bool {
        self.sent_at > record.sent_at || (self.sent_at == record.sent_at && self.end.after(record.end()))
    }
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scoreboard {
    records: VecDeque<Record>,
    total: u32,
    sacked: u32,
    lost: u32,
    resent: u32,
    sacked_segments: u32,
    /// RACK.fack: the highest end of anything that has arrived.
    fack: Option<SeqNum>,
}

impl Scoreboard {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(crate) fn front(&self) -> Option<&Record> {
        self.records.front()
    }

    pub(crate) fn back(&self) -> Option<&Record> {
        self.records.back()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter()
    }

    /// Octets that are thought to be in the network (RFC 6675 section 4, SetPipe).
    pub(crate) fn pipe(&self) -> u32 {
        (self.total + self.resent).saturating_sub(self.sacked + self.lost)
    }

    pub(crate) fn sacked_octets(&self) -> u32 {
        self.sacked
    }

    pub(crate) fn sacked_segments(&self) -> u32 {
        self.sacked_segments
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.lost > self.resent
    }

    /// A segment is about to be sent: if there is no memory to note it in, there may be some to spare.
    #[inline]
    pub(crate) fn lend(&mut self, spare: &mut Spare) {
        if self.records.capacity() == 0
            && let Some(records) = spare.records.take()
        {
            self.records = records;
        }
    }

    /// Gives back what it holds nothing in, unless it has grown: then its connection moves bulk.
    #[inline]
    pub(crate) fn give_back(&mut self, spare: &mut Spare) {
        if self.records.is_empty() && (1..=KEPT).contains(&self.records.capacity()) {
            spare.records.put(core::mem::take(&mut self.records));
        }
    }

    /// A new segment has been sent.
    pub(crate) fn push(&mut self, seq: SeqNum, len: u32, syn: bool, fin: bool, now: Instant) {
        self.total += len;
        self.records.push_back(Record {
            seq,
            len,
            syn,
            fin,
            sent_at: now,
            ever_resent: false,
            sacked: false,
            lost: false,
            resent: false,
        });
    }

    fn forget(&mut self, record: &Record) {
        self.total -= record.len;
        self.uncount(record);
    }

    /// Notes that a segment has arrived and returns whether the network has reordered it.
    fn arrived(&mut self, record: &Record) -> bool {
        let end = record.end();
        match self.fack {
            Some(fack) if end.before(fack) => !record.ever_resent,
            _ => {
                self.fack = Some(end);
                false
            }
        }
    }

    fn uncount(&mut self, record: &Record) {
        if record.sacked {
            self.sacked -= record.len;
            self.sacked_segments -= 1;
        } else {
            self.lost -= if record.lost { record.len } else { 0 };
            self.resent -= if record.resent { record.len } else { 0 };
        }
    }

    fn count(&mut self, record: &Record) {
        if record.sacked {
            self.sacked += record.len;
            self.sacked_segments += 1;
        } else {
            self.lost += if record.lost { record.len } else { 0 };
            self.resent += if record.resent { record.len } else { 0 };
        }
    }

    fn update(&mut self, index: usize, change: impl FnOnce(&mut Record)) {
        let mut record = self.records[index];
        self.uncount(&record);
        change(&mut record);
        self.count(&record);
        self.records[index] = record;
    }

    /// SND.UNA has advanced: drops what is acknowledged whole, cuts what is acknowledged in part.
    pub(crate) fn acknowledge(&mut self, una: SeqNum) -> Removed {
        let mut removed = Removed::default();
        while let Some(&record) = self.records.front() {
            if record.end().after(una) {
                if record.seq.before(una) {
                    let cut = una.distance_from(record.seq);
                    self.forget(&record);
                    let rest = Record { seq: una, len: record.len - cut, syn: false, ..record };
                    self.total += rest.len;
                    self.count(&rest);
                    self.records[0] = rest;
                }
                break;
            }
            self.records.pop_front();
            self.forget(&record);
            removed.ambiguous = Some(record.sent_at);
            if !record.ever_resent && !record.sacked {
                removed.sample = Some(record.sent_at);
            }
            if !record.sacked {
                removed.newest = newer(removed.newest, &record);
                removed.reordered |= self.arrived(&record);
            }
        }
        removed
    }

    /// Applies SACK blocks (RFC 6675 section 4, Update). Blocks outside `una..nxt` say nothing (RFC 2883: those
    /// below report duplicates). Returns the octets newly reported and the newest of them.
    pub(crate) fn apply_sack(&mut self, blocks: &[SackBlock], una: SeqNum, nxt: SeqNum) -> Reported {
        let before = self.sacked;
        let mut reported = Reported::default();
        for block in blocks {
            let sane = block.start.before(block.end) && block.end.at_or_before(nxt);
            if !sane || block.start.before(una) {
                continue;
            }
            let base = una;
            let first = self
                .records
                .partition_point(|record| record.seq.distance_from(base) < block.start.distance_from(base));
            for index in first..self.records.len() {
                let record = self.records[index];
                if record.end().after(block.end) {
                    break;
                }
                if !record.sacked {
                    reported.newest = newer(reported.newest, &record);
                    reported.reordered |= self.arrived(&record);
                    self.update(index, |record| record.sacked = true);
                }
            }
        }
        reported.octets = self.sacked - before;
        reported
    }

    /// RFC 6675 IsLost: DupThresh runs, or more than (DupThresh - 1) * SMSS octets, are reported above it.
    pub(crate) fn mark_lost_by_sack(&mut self, smss: u32) {
        let (mut runs, mut octets, mut in_run) = (0, 0, false);
        for index in (0..self.records.len()).rev() {
            let record = self.records[index];
            if record.sacked {
                runs += u32::from(!in_run);
                octets += record.len;
                in_run = true;
                continue;
            }
            in_run = false;
            if (runs >= DUP_THRESH || octets > (DUP_THRESH - 1) * smss) && !record.lost {
                self.update(index, |record| record.lost = true);
            }
            if self.sacked == octets && runs == 0 {
                break;
            }
        }
    }

    /// The front segment is taken for lost, whatever was reported.
    pub(crate) fn mark_front_lost(&mut self) {
        if let Some(front) = self.records.front()
            && !front.sacked
        {
            self.update(0, |record| {
                record.lost = true;
                record.resent = false;
            });
        }
    }

    /// A timeout: nothing is known to be in the network, and what was reported may be withdrawn
    /// (RFC 2018 section 8).
    pub(crate) fn mark_all_lost(&mut self) {
        for index in 0..self.records.len() {
            self.update(index, |record| {
                record.lost = true;
                record.resent = false;
                record.sacked = false;
            });
        }
    }

    /// RACK: marks what `judge` condemns (RFC 8985 6.2 step 5).
    pub(crate) fn mark_lost_where(&mut self, judge: impl Fn(&Record) -> bool) -> bool {
        let mut any = false;
        for index in 0..self.records.len() {
            let record = self.records[index];
            if !record.sacked && !record.is_lost() && judge(&record) {
                self.update(index, |record| {
                    record.lost = true;
                    record.resent = false;
                });
                any = true;
            }
        }
        any
    }

    /// The first segment that is lost and was not sent again.
    pub(crate) fn next_lost(&self) -> Option<Record> {
        if !self.has_lost() {
            return None;
        }
        self.records.iter().find(|record| record.is_lost() && !record.sacked).copied()
    }

    /// RFC 6675 NextSeg rule 4: the last segment that nobody has reported, for a rescue.
    pub(crate) fn last_unsacked(&self) -> Option<Record> {
        self.records.iter().rev().find(|record| !record.sacked).copied()
    }

    /// How much text from `record` on is lost and lies together, and whether our FIN ends it: a repetition may be cut
    /// anew (RFC 9293 3.8.1), so that a smaller MSS or a half-acknowledged segment leaves no tinygrams. Nobody asks for
    /// more than `limit`.
    pub(crate) fn lost_run(&self, record: &Record, limit: u32) -> (u32, bool) {
        let Some(first) = self.index_of(record.seq) else { return (record.text(), record.fin) };
        let mut text = 0;
        for next in self.records.range(first..) {
            if text > limit || !next.is_lost() || next.sacked || next.syn {
                break;
            }
            text += next.text();
            if next.fin {
                return (text, true);
            }
        }
        (text, false)
    }

    fn index_of(&self, seq: SeqNum) -> Option<usize> {
        let base = self.records.front()?.seq;
        let at =
            self.records.partition_point(|record| record.seq.distance_from(base) < seq.distance_from(base));
        self.records.get(at).is_some_and(|record| record.seq == seq).then_some(at)
    }

    /// `len` of sequence space at `seq` has been sent again in one segment: records are joined or cut to match.
    pub(crate) fn resend(&mut self, seq: SeqNum, len: u32, now: Instant) {
        let Some(index) = self.index_of(seq) else { return };
        while self.records[index].len < len {
            let Some(next) = self.records.remove(index + 1) else { break };
            let head = self.records[index];
            self.uncount(&head);
            self.uncount(&next);
            let joined = Record { len: head.len + next.len, fin: next.fin, ..head };
            self.count(&joined);
            self.records[index] = joined;
        }
        let record = self.records[index];
        if len < record.len {
            let mut tail = record;
            tail.seq = seq + len;
            tail.len = record.len - len;
            tail.syn = false;
            self.uncount(&record);
            let head = Record { len, fin: false, ..record };
            self.count(&head);
            self.count(&tail);
            self.records[index] = head;
            self.records.insert(index + 1, tail);
        }
        self.update(index, |record| {
            record.sent_at = now;
            record.ever_resent = true;
            record.resent = record.lost;
        });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn newer(best: Option<Delivered>, record: &Record) -> Option<Delivered> {
    let this = Delivered { sent_at: record.sent_at, end: record.end(), ever_resent: record.ever_resent };
    Some(best.map_or(this, |best| best.newer_of(this)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(segments: u32) -> Scoreboard {
        let mut board = Scoreboard::default();
        for n in 0..segments {
            board.push(SeqNum(n * 100), 100, false, false, Instant::from_millis(u64::from(n)));
        }
        board
    }

    fn block(start: u32, end: u32) -> SackBlock {
        SackBlock { start: SeqNum(start), end: SeqNum(end) }
    }

    #[test]
    fn a_cumulative_ack_removes_and_cuts() {
        let mut board = board(4);
        let removed = board.acknowledge(SeqNum(250));
        assert_eq!(removed.sample, Some(Instant::from_millis(1)));
        assert_eq!(board.pipe(), 150);
        assert_eq!(board.front().unwrap().seq, SeqNum(250));
    }

    #[test]
    fn sacked_octets_leave_the_pipe_and_make_lower_ones_lost() {
        let mut board = board(6);
        let reported = board.apply_sack(&[block(300, 600)], SeqNum(0), SeqNum(600));
        assert_eq!((reported.octets, reported.newest.unwrap().end), (300, SeqNum(600)));
        assert_eq!(board.apply_sack(&[block(300, 600)], SeqNum(0), SeqNum(600)).octets, 0);
        board.mark_lost_by_sack(100);
        assert_eq!(board.next_lost().unwrap().seq, SeqNum(0));
        assert_eq!(board.pipe(), 0);
        board.resend(SeqNum(0), 100, Instant::from_millis(9));
        assert_eq!((board.pipe(), board.next_lost().unwrap().seq), (100, SeqNum(100)));
        let removed = board.acknowledge(SeqNum(100));
        assert_eq!(removed.sample, None, "Karn: it was sent twice");
        assert_eq!(board.pipe(), 0);
    }

    #[test]
    fn two_segments_above_are_not_enough_to_call_it_lost() {
        let mut board = board(4);
        board.apply_sack(&[block(100, 300)], SeqNum(0), SeqNum(400));
        board.mark_lost_by_sack(100);
        assert!(board.next_lost().is_none());
    }

    #[test]
    fn blocks_that_make_no_sense_are_ignored() {
        let mut board = board(4);
        board.acknowledge(SeqNum(100));
        for bad in [block(300, 200), block(200, 900), block(0, 200), block(0, 50)] {
            assert_eq!(board.apply_sack(&[bad], SeqNum(100), SeqNum(400)).octets, 0);
        }
    }

    #[test]
    fn a_timeout_forgets_reports_and_a_smaller_mss_splits() {
        let mut board = board(3);
        board.apply_sack(&[block(100, 200)], SeqNum(0), SeqNum(300));
        board.mark_all_lost();
        assert_eq!((board.pipe(), board.sacked_octets()), (0, 0));
        board.resend(SeqNum(0), 40, Instant::from_millis(9));
        assert_eq!(board.pipe(), 40);
        assert_eq!(board.next_lost().map(|record| (record.seq, record.len)), Some((SeqNum(40), 60)));
    }
}
