//! The scripted peer's bookkeeping: what a correct peer would know after the segments so far.
//!
//! Two books are kept of every case. The *script's* book moves when a step sends or claims a
//! segment, so the names in a step mean what the script has seen up to there, whatever has arrived
//! meanwhile; the *wire's* book moves on arrival and is what monitors and the legal-noise rule judge
//! by. The variables carry the names of RFC 9293 section 3.3.1, `snd` and `rcv` from the injector's
//! side.

use super::segment::Segment;
use super::spans::Spans;
use crate::packet::{Flags, SeqNum};
use crate::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug, Clone)]
pub(crate) struct Book {
    pub(crate) isn: SeqNum,
    pub(crate) irs: Option<SeqNum>,
    /// What a correct target may have accepted of what we sent.
    sent: Spans,
    /// The same, with what lies beyond the window it offered: a target may take that, or not.
    possible: Spans,
    /// The same, with what it ought to have discarded: what it acknowledges of that it did receive.
    reached: Spans,
    /// Text that came above a hole, inside the window: a correct target keeps it.
    held: Spans,
    /// Where a hole was filled, and how far an acknowledgment of that must reach, newest last.
    pub(crate) joined: VecDeque<(SeqNum, SeqNum)>,
    /// SND.UNA: the highest acknowledgment of the target.
    pub(crate) snd_una: SeqNum,
    /// The target's window, in octets.
    pub(crate) snd_wnd: u32,
    /// The right edge of the target's window, the highest ever offered.
    pub(crate) target_edge: Option<SeqNum>,
    received: Spans,
    /// The highest sequence number the target has used, plus one.
    pub(crate) target_max: SeqNum,
    /// The highest acknowledgment we have sent.
    pub(crate) acked: Option<(SeqNum, Time)>,
    /// The window field we announced last, and what it stands for.
    pub(crate) window_field: u16,
    pub(crate) rcv_wnd: u32,
    /// The right edge of our window, the highest ever offered.
    pub(crate) our_edge: Option<SeqNum>,
    pub(crate) ours: Offer,
    pub(crate) theirs: Offer,
    /// Our FIN and the target's, by the number after it.
    pub(crate) fin_sent: Option<SeqNum>,
    pub(crate) fin_seen: Option<SeqNum>,
    pub(crate) last_sent: Option<(Segment, Time)>,
    pub(crate) last_seen: Option<(Segment, Time)>,
    /// How many of our segments may still draw an answer; pure ACKs draw none.
    pub(crate) answers_due: u32,
    /// A SYN of ours that a correct target need not take: it opens a connection only if it is answered so.
    knocking: Option<Segment>,
    /// Where the injector's timestamp clock begins: one clock for all incarnations of a connection.
    pub(crate) clock: SeqNum,
    /// The numbers of our latest segments, whatever became of them: a RST takes its own from there.
    recent: VecDeque<Numbers>,
    /// The newest TSval each side has sent.
    pub(crate) our_tsval: Option<u32>,
    pub(crate) their_tsval: Option<u32>,
}

/// The numbers of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) end: SeqNum,
    /// `None` without ACK.
    pub(crate) ack: Option<SeqNum>,
}

/// How many of our segments a RST of the target's may answer at most.
const RECENT_MAX: usize = 64;

/// Filled holes whose acknowledgment is looked at.
const JOINED_MAX: usize = 64;

/// What a segment of ours does to the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A correct target takes it.
    Counts,
    /// A correct target may take it, or discard it.
    Possible,
    /// A target ought to discard it: as if it had never been sent. One that takes it has broken a SHOULD, and does not lie
    /// when it acknowledges it.
    Unwanted,
    /// A correct target discards it: as if it had never been sent.
    Void,
}

/// What one side's SYN offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) syn: bool,
    pub(crate) mss: Option<u16>,
    pub(crate) wscale: Option<u8>,
    pub(crate) sack: bool,
    pub(crate) timestamps: bool,
    /// Asked for ECN, or agreed to it (RFC 3168 section 6.1.1).
    pub(crate) ecn: bool,
}

impl Offer {
    fn of(segment: &Segment) -> Self {
        Self {
            syn: true,
            mss: segment.options.mss,
            wscale: segment.options.wscale,
            sack: segment.options.sack_permitted,
            timestamps: segment.options.timestamps.is_some(),
            ecn: segment.has(Flags::ECE) && segment.has(Flags::CWR) != segment.has(Flags::ACK),
        }
    }
}

impl Book {
    pub(crate) fn new(isn: SeqNum, window_field: u16) -> Self {
        Self {
            isn,
            irs: None,
            sent: Spans::default(),
            possible: Spans::default(),
            reached: Spans::default(),
            held: Spans::default(),
            joined: VecDeque::new(),
            snd_una: isn,
            snd_wnd: 0,
            target_edge: None,
            received: Spans::default(),
            target_max: SeqNum(0),
            acked: None,
            window_field,
            rcv_wnd: u32::from(window_field),
            our_edge: None,
            ours: Offer::default(),
            theirs: Offer::default(),
            fin_sent: None,
            fin_seen: None,
            last_sent: None,
            last_seen: None,
            answers_due: 0,
            knocking: None,
            clock: isn,
            recent: VecDeque::new(),
            our_tsval: None,
            their_tsval: None,
        }
    }

    /// SND.NXT of the injector: the end of what was sent without a hole.
    pub(crate) fn snd_nxt(&self) -> SeqNum {
        self.isn + self.sent.contiguous()
    }

    /// Up to where an acknowledgment of the target can be true.
    pub(crate) fn ackable(&self) -> SeqNum {
        self.isn + self.possible.contiguous()
    }

    /// Up to where it is no lie, though it may be of what should have been discarded.
    pub(crate) fn ackable_at_all(&self) -> SeqNum {
        self.isn + self.reached.contiguous()
    }

    /// Our FIN has no hole before it: the application has come to the end of the stream, or will.
    pub(crate) fn fin_delivered(&self) -> bool {
        self.fin_sent.is_some_and(|fin| fin.le(self.ackable()))
    }

    /// The octets of our stream that can have reached the target's application.
    pub(crate) fn deliverable(&self) -> u64 {
        let syn = u32::from(self.ours.syn);
        u64::from(self.possible.contiguous().saturating_sub(syn + u32::from(self.fin_delivered())))
    }

    /// The end of all that was sent, holes or not.
    pub(crate) fn snd_max(&self) -> SeqNum {
        self.isn + self.sent.end()
    }

    /// RCV.NXT of the injector: the end of what came without a hole.
    pub(crate) fn rcv_nxt(&self) -> SeqNum {
        self.irs.map_or(SeqNum(0), |irs| irs + self.received.contiguous())
    }

    /// RCV.NXT of a correct target: all that we sent in order has been taken.
    pub(crate) fn target_rcv_nxt(&self) -> SeqNum {
        if self.snd_una.after(self.snd_nxt()) { self.snd_una } else { self.snd_nxt() }
    }

    /// RCV.WND of the target: what is left up to the right edge it offered.
    pub(crate) fn target_rcv_wnd(&self) -> u32 {
        let room = self.target_edge.map_or(0, |edge| edge.diff(self.target_rcv_nxt()));
        u32::try_from(room).unwrap_or(0)
    }

    pub(crate) fn ecn_negotiated(&self) -> bool {
        self.ours.ecn && self.theirs.ecn
    }

    /// One of our latest segments has these numbers: sequence, end, acknowledgment.
    pub(crate) fn recently(&self, fits: impl Fn(&Numbers) -> bool) -> bool {
        self.recent.iter().any(fits)
    }

    pub(crate) fn timestamps_negotiated(&self) -> bool {
        self.ours.timestamps && self.theirs.timestamps
    }

    /// The shifts count only when both SYNs carry the option (RFC 7323 section 2.2), and never on a
    /// SYN itself; above 14 they count as 14 (section 2.3).
    fn scale(&self, shift: Option<u8>, segment: &Segment) -> u32 {
        let both = self.ours.wscale.is_some() && self.theirs.wscale.is_some();
        match shift {
            Some(shift) if both && !segment.has(Flags::SYN) => u32::from(segment.window) << shift.min(14),
            _ => u32::from(segment.window),
        }
    }

    /// The window that a segment of the target offers.
    pub(crate) fn offered(&self, segment: &Segment) -> u32 {
        self.scale(self.theirs.wscale, segment)
    }

    /// Puts a segment of ours on the books.
    pub(crate) fn on_sent(&mut self, now: Time, segment: &Segment, weight: Weight) {
        self.last_sent = Some((segment.clone(), now));
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        let ack = segment.has(Flags::ACK).then_some(segment.ack);
        self.recent.push_back(Numbers { end: segment.end(), ack });
        if !segment.is_pure_ack() {
            self.answers_due += 1;
        }
        if matches!(weight, Weight::Unwanted | Weight::Void) {
            if weight == Weight::Unwanted
                && let Ok(start) = u32::try_from(segment.seq.diff(self.isn))
            {
                self.reached.insert(start, start.saturating_add(segment.len()));
            }
            if self.ours.syn && segment.flags.core() & !Flags::FIN == Flags::SYN {
                self.knocking = Some(segment.clone());
            }
            return;
        }
        if segment.has(Flags::SYN) {
            if segment.seq != self.isn && self.ours.syn {
                self.rebase(segment.seq);
            } else if !self.ours.syn {
                // Our first SYN: what is known of the target's stays.
                self.isn = segment.seq;
                self.snd_una = segment.seq;
            }
            self.ours = Offer::of(segment);
        }
        if segment.has(Flags::RST) {
            return;
        }
        // What was overtaken may be refused for its clock or its acknowledgment (RFC 7323 5.3, RFC 5961 5.2).
        let clock = segment.options.timestamps.zip(self.our_tsval);
        let overtaken = clock.is_some_and(|((value, _), ours)| SeqNum(value).before(SeqNum(ours)))
            || self.acked.is_some_and(|(acked, _)| segment.ack.before(acked));
        if let Some((value, _)) = segment.options.timestamps {
            self.our_tsval = Some(value);
        }
        let offset = segment.seq.diff(self.isn);
        if let Ok(start) = u32::try_from(offset.max(0)) {
            let end = start.saturating_add(segment.len().saturating_sub(offset.min(0).unsigned_abs()));
            self.possible.insert(start, end);
            self.reached.insert(start, end);
            if weight == Weight::Possible {
                // Its octets may be refused where its ACK is not (RFC 9293 section 3.10.7.4, first check).
                if segment.has(Flags::ACK) {
                    let edge = segment.ack + self.scale(self.ours.wscale, segment);
                    raise(&mut self.our_edge, edge);
                }
                return;
            }
            self.take(segment, (start, end), overtaken);
        }
        if segment.has(Flags::FIN) {
            self.fin_sent = Some(segment.end());
        }
        self.window_field = segment.window;
        self.rcv_wnd = self.scale(self.ours.wscale, segment);
        if segment.has(Flags::ACK) {
            if self.acked.is_none_or(|(acked, _)| segment.ack.after(acked)) {
                self.acked = Some((segment.ack, now));
            }
            raise(&mut self.our_edge, segment.ack + self.rcv_wnd);
        }
    }

    /// What was put on the wire since `since` has left only now: what the target sends meanwhile has crossed it.
    pub(crate) fn left(&mut self, since: Time, now: Time) {
        if let Some((_, at)) = self.acked.as_mut().filter(|(_, at)| *at >= since) {
            *at = now;
        }
    }

    /// Up to here the target may send.
    pub(crate) fn offers(&mut self, edge: SeqNum) {
        raise(&mut self.our_edge, edge);
    }

    /// A correct target takes these octets, and those that waited for them.
    fn take(&mut self, segment: &Segment, (start, end): (u32, u32), overtaken: bool) {
        let before = self.sent.contiguous();
        self.sent.insert(start, end);
        let after = self.sent.contiguous();
        let text = end - u32::from(segment.has(Flags::FIN));
        let room = self.target_edge.is_some_and(|edge| (self.isn + text).le(edge));
        if start > before && room && !overtaken && segment.has(Flags::ACK) {
            self.held.insert(start, text);
        }
        // Nothing follows the FIN, whatever has come.
        let fin = self.fin_sent.map_or(u32::MAX, |fin| fin.since(self.isn));
        let reach = self.held.run(end).min(after).min(fin);
        if before < end && end < reach && !segment.has(Flags::FIN) {
            if self.joined.len() == JOINED_MAX {
                self.joined.pop_front();
            }
            self.joined.push_back((self.isn + end, self.isn + reach));
        }
    }

    /// The target has taken our SYN for a new connection, as it may in TIME-WAIT (RFC 9293 section
    /// 3.6.1): from its SYN,ACK on that is the connection of the books. True if it is so.
    pub(crate) fn adopt(&mut self, now: Time, answer: &Segment) -> bool {
        let taken = |syn: &Segment| answer.ack == syn.seq + 1 || answer.ack == syn.end();
        if answer.flags.core() != Flags::SYN | Flags::ACK || !self.knocking.as_ref().is_some_and(taken) {
            return false;
        }
        if let Some(syn) = self.knocking.take() {
            self.rebase(syn.seq);
            self.on_sent(now, &syn, Weight::Counts);
        }
        true
    }

    /// A SYN with a number of its own begins a new incarnation of the connection.
    fn rebase(&mut self, isn: SeqNum) {
        let recent = std::mem::take(&mut self.recent);
        *self = Self { recent, clock: self.clock, ..Self::new(isn, self.window_field) };
    }

    /// What a segment of ours is worth if the case does not say. In a connection a second SYN is to
    /// be answered, not accepted (RFC 9293 section 3.10.7.4), and what begins beyond the right edge
    /// is to be discarded.
    pub(crate) fn weigh(&self, segment: &Segment) -> Weight {
        if segment.has(Flags::SYN) && segment.seq != self.isn && self.ours.syn {
            return Weight::Void;
        }
        let beyond = self.target_edge.is_some_and(|edge| segment.seq.ge(edge));
        if beyond && segment.len() > 0 { Weight::Possible } else { Weight::Counts }
    }

    /// A clock of one millisecond passes half its circle in 24.8 days; what it showed before tells nothing then
    /// (RFC 7323 section 5.5).
    pub(crate) fn outdate(&mut self, now: Time) {
        const LIFETIME: Duration = Duration::from_secs(24 * 24 * 3600);
        if self.last_seen.as_ref().is_some_and(|(_, at)| now.since(*at) > LIFETIME) {
            self.their_tsval = None;
        }
    }

    /// `segment` is well formed and belongs to the case's tuple.
    pub(crate) fn on_received(&mut self, now: Time, segment: &Segment) {
        self.last_seen = Some((segment.clone(), now));
        self.answers_due = self.answers_due.saturating_sub(1);
        if segment.has(Flags::RST) {
            return;
        }
        if segment.has(Flags::SYN) && self.irs.is_none_or(|irs| irs == segment.seq || self.restarts(segment))
        {
            self.begin(segment);
        }
        let Some(irs) = self.irs else { return };
        if let Some((value, _)) = segment.options.timestamps {
            self.their_tsval = Some(value);
        }
        if let Ok(start) = u32::try_from(segment.seq.diff(irs)) {
            self.received.insert(start, start.saturating_add(segment.len()));
        }
        if segment.end().after(self.target_max) {
            self.target_max = segment.end();
        }
        if segment.has(Flags::FIN) {
            self.fin_seen = Some(segment.end());
        }
        if segment.has(Flags::ACK) {
            if segment.ack.after(self.snd_una) {
                self.snd_una = segment.ack;
            }
            self.snd_wnd = self.offered(segment);
            raise(&mut self.target_edge, segment.ack + self.snd_wnd);
        }
    }

    /// A SYN with another number opens a new connection only where the old one is gone: until we
    /// have acknowledged something of it, the target may have started afresh.
    fn restarts(&self, segment: &Segment) -> bool {
        self.acked.is_none() && Some(segment.seq) != self.irs
    }

    fn begin(&mut self, segment: &Segment) {
        if self.irs != Some(segment.seq) {
            self.received = Spans::default();
            self.target_max = segment.seq;
            self.irs = Some(segment.seq);
        }
        self.theirs = Offer::of(segment);
        if !segment.has(Flags::ACK) {
            self.snd_wnd = u32::from(segment.window);
        }
    }

    /// All of the segment has been sent by the target before.
    pub(crate) fn seen_before(&self, segment: &Segment) -> bool {
        let Some(irs) = self.irs else { return false };
        u32::try_from(segment.seq.diff(irs))
            .is_ok_and(|start| self.received.covers(start, start.saturating_add(segment.len())))
    }

    /// The stream offset of a sequence number of ours: the first octet after the SYN is 0.
    pub(crate) fn our_offset(&self, seq: SeqNum) -> u64 {
        u64::from(seq.since(self.isn + 1))
    }

    /// The stream offset of a sequence number of the target's.
    pub(crate) fn their_offset(&self, seq: SeqNum) -> Option<u64> {
        let irs = self.irs?;
        u64::try_from(seq.diff(irs + 1)).ok()
    }
}

/// Moves an edge forward, never back.
fn raise(edge: &mut Option<SeqNum>, to: SeqNum) {
    if edge.is_none_or(|edge| to.after(edge)) {
        *edge = Some(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(flags: Flags, seq: u32, ack: u32, len: usize) -> Segment {
        Segment {
            seq: SeqNum(seq),
            ack: SeqNum(ack),
            flags,
            window: 1000,
            payload: vec![0; len],
            ..Segment::default()
        }
    }

    fn established() -> Book {
        let mut book = Book::new(SeqNum(100), 1000);
        book.on_sent(Time::ZERO, &segment(Flags::SYN, 100, 0, 0), Weight::Counts);
        book.on_received(Time::ZERO, &segment(Flags::SYN | Flags::ACK, 500, 101, 0));
        book.on_sent(Time::ZERO, &segment(Flags::ACK, 101, 501, 0), Weight::Counts);
        book
    }

    #[test]
    fn syns_count_and_pure_acks_do_not() {
        let book = established();
        assert_eq!(book.snd_nxt(), SeqNum(101));
        assert_eq!(book.rcv_nxt(), SeqNum(501));
        assert_eq!(book.target_max, SeqNum(501));
        assert_eq!(book.target_rcv_wnd(), 1000);
    }

    #[test]
    fn a_hole_holds_snd_nxt_back_until_it_is_filled() {
        let mut book = established();
        book.on_sent(Time::ZERO, &segment(Flags::ACK, 151, 501, 50), Weight::Counts);
        assert_eq!(book.snd_nxt(), SeqNum(101));
        assert_eq!(book.snd_max(), SeqNum(201));
        book.on_sent(Time::ZERO, &segment(Flags::ACK, 101, 501, 50), Weight::Counts);
        assert_eq!(book.snd_nxt(), SeqNum(201));
        assert_eq!(book.target_rcv_wnd(), 900);
    }

    #[test]
    fn what_the_target_must_discard_does_not_count() {
        let mut book = established();
        book.on_sent(Time::ZERO, &segment(Flags::ACK, 101, 501, 50), Weight::Void);
        assert_eq!(book.snd_nxt(), SeqNum(101));
        assert_eq!(book.ackable(), SeqNum(101));
    }

    #[test]
    fn what_the_target_ought_to_discard_may_be_acknowledged() {
        let mut book = established();
        book.on_sent(Time::ZERO, &segment(Flags::ACK, 101, 501, 50), Weight::Unwanted);
        assert_eq!(book.snd_nxt(), SeqNum(101));
        assert_eq!(book.ackable(), SeqNum(101));
        assert_eq!(book.ackable_at_all(), SeqNum(151));
    }

    #[test]
    fn a_syn_that_need_not_be_taken_opens_what_its_answer_says() {
        let syn = segment(Flags::SYN, 9000, 0, 0);
        let mut refused = established();
        refused.on_sent(Time::ZERO, &syn, Weight::Void);
        assert!(!refused.adopt(Time::ZERO, &segment(Flags::ACK, 501, 101, 0)));
        assert_eq!(refused.isn, SeqNum(100));
        let mut taken = established();
        taken.on_sent(Time::ZERO, &syn, Weight::Void);
        let answer = segment(Flags::SYN | Flags::ACK, 7000, 9001, 0);
        assert!(taken.adopt(Time::ZERO, &answer));
        taken.on_received(Time::ZERO, &answer);
        assert_eq!((taken.isn, taken.irs), (SeqNum(9000), Some(SeqNum(7000))));
    }

    #[test]
    fn the_targets_numbers_wrap() {
        let mut book = Book::new(SeqNum(u32::MAX), 1000);
        book.on_sent(Time::ZERO, &segment(Flags::SYN, u32::MAX, 0, 0), Weight::Counts);
        book.on_received(Time::ZERO, &segment(Flags::SYN | Flags::ACK, u32::MAX, 0, 0));
        assert_eq!((book.snd_nxt(), book.rcv_nxt()), (SeqNum(0), SeqNum(0)));
        book.on_received(Time::ZERO, &segment(Flags::ACK, 0, 0, 10));
        assert_eq!(book.rcv_nxt(), SeqNum(10));
    }

    #[test]
    fn windows_scale_only_when_both_offered() {
        let mut book = Book::new(SeqNum(1), 1000);
        let mut syn = segment(Flags::SYN, 1, 0, 0);
        syn.options.wscale = Some(2);
        let mut syn_ack = segment(Flags::SYN | Flags::ACK, 9, 2, 0);
        syn_ack.options.wscale = Some(3);
        book.on_sent(Time::ZERO, &syn, Weight::Counts);
        book.on_received(Time::ZERO, &syn_ack);
        assert_eq!(book.snd_wnd, 1000, "never on a SYN");
        book.on_sent(Time::ZERO, &segment(Flags::ACK, 2, 10, 0), Weight::Counts);
        book.on_received(Time::ZERO, &segment(Flags::ACK, 10, 2, 0));
        assert_eq!((book.snd_wnd, book.rcv_wnd), (8000, 4000));
    }
}
