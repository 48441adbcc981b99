//! One connection on the wire of a live case: its book, the target's stream, and what the monitors must know of
//! segments that cross.
//!
//! A script sends one segment and waits for the answer; two TCPs talk at the same time, and the wire between them
//! loses, delays and repeats. So the book takes from the peer what was *delivered*, and from the target what it
//! *sent*, and what a segment of the target answers is judged with the doubt that crossing segments leave.

use crate::engine::book::{Book, Weight};
use crate::engine::event::Direction;
use crate::engine::segment::Segment;
use crate::engine::spans::Spans;
use crate::packet::{Flags, SeqNum};
use crate::time::Time;
use std::time::Duration;

/// Segments that left within this of each other may have crossed.
const CROSSING: Duration = Duration::from_millis(10);

pub(crate) struct Flow {
    pub(crate) book: Book,
    /// The target's stream as first sent, by offset.
    pub(crate) stream: Vec<Option<u8>>,
    /// Segments of the peer's that may draw an ACK and have not.
    credit: u32,
    /// What the peer has sent, delivered or not, from its initial number.
    sent: Spans,
    isn: Option<SeqNum>,
    /// When something but a RST was last delivered.
    heard: Option<Time>,
    /// Segments of the target's in a row that said nothing new.
    pub(crate) repeats: u32,
    pub(crate) from_peer: Direction,
    pub(crate) from_target: Direction,
}

impl Flow {
    pub(crate) fn new(window: u16) -> Self {
        Self {
            book: Book::new(SeqNum(0), window),
            stream: Vec::new(),
            credit: 0,
            sent: Spans::default(),
            isn: None,
            heard: None,
            repeats: 0,
            from_peer: Direction::default(),
            from_target: Direction::default(),
        }
    }

    /// The peer has sent a segment; whether it arrives is another matter.
    pub(crate) fn peer_sends(&mut self, now: Time, segment: &Segment, lost: bool) {
        if segment.has(Flags::SYN) && self.isn != Some(segment.seq) {
            self.isn = Some(segment.seq);
            self.sent = Spans::default();
        }
        let Some(isn) = self.isn else { return };
        let Ok(start) = u32::try_from(segment.seq.diff(isn)) else { return };
        let end = start.saturating_add(segment.len());
        let again = segment.len() > 0 && self.sent.covers(start, end);
        count(&mut self.from_peer, now, segment, again, lost);
        self.sent.insert(start, end);
    }

    /// A segment for the target has reached its end of the wire.
    pub(crate) fn delivered(&mut self, now: Time, segment: &Segment, weight: Weight) {
        if !segment.has(Flags::RST) {
            self.heard = Some(now);
        }
        let book = &self.book;
        let last = book.last_sent.as_ref().map(|(last, _)| (last.seq, last.ack));
        let (isn, field, wnd, clock) = (book.isn, book.window_field, book.rcv_wnd, book.our_tsval);
        self.book.on_sent(now, segment, weight);
        if matches!(weight, Weight::Unwanted | Weight::Void) || self.book.isn != isn {
            return;
        }
        // A retransmission has an old number and a new clock; what was overtaken has an old clock.
        if let (Some(before), Some(now)) = (clock, self.book.our_tsval)
            && SeqNum(now).before(SeqNum(before))
        {
            self.book.our_tsval = clock;
        }
        let Some((seq, ack)) = last else { return };
        // What was overtaken says nothing of the window any more (SND.WL1, SND.WL2).
        let stale = segment.seq.before(seq) || (segment.seq == seq && segment.ack.before(ack));
        if stale && !segment.has(Flags::SYN) {
            self.book.window_field = field;
            self.book.rcv_wnd = wnd;
            // The old window counts from SND.UNA, which moves nevertheless (RFC 9293 3.10.7.4, fifth check).
            if segment.has(Flags::ACK) && !segment.has(Flags::RST) {
                self.book.offers(segment.ack + wnd);
            }
        }
    }

    /// Before a segment for the target is put on the book: it may have to be answered.
    pub(crate) fn owes(&mut self, segment: &Segment) {
        let acceptable = segment.seq == self.book.target_rcv_nxt() && segment.ack.le(self.book.target_max);
        if !segment.is_pure_ack() || !acceptable || self.was_overtaken(segment) {
            self.credit = self.credit.saturating_add(1);
        }
    }

    /// A later segment came before it. Its clock or its acknowledgment may be too old, which is answered (RFC 7323
    /// 5.3 R1, RFC 5961 5.2).
    fn was_overtaken(&self, segment: &Segment) -> bool {
        let clock = self.book.our_tsval.zip(segment.options.timestamps);
        self.book.acked.is_some_and(|(acked, _)| segment.ack.before(acked))
            || clock.is_some_and(|(ours, (value, _))| SeqNum(value).before(SeqNum(ours)))
    }

    /// The book as a monitor is to see it: without what a segment that crosses this one would excuse. A RST is an answer
    /// to a RST where it comes at once, and there is nothing else that it may be about: another segment, or an
    /// application that has just ended the connection.
    pub(crate) fn prepare(&mut self, at: Time, segment: &Segment, ended: Option<Time>) {
        self.book.answers_due = self.credit;
        let near = |other: Option<Time>| other.is_some_and(|other| at.since(other) < CROSSING);
        let reset = self.book.last_sent.as_ref().filter(|(last, _)| last.has(Flags::RST));
        let doubtful = reset.is_some_and(|(_, sent)| {
            at < *sent || at.since(*sent) >= CROSSING || near(self.heard) || near(ended)
        });
        if doubtful {
            self.book.last_sent = None;
        }
        if segment.is_pure_ack() {
            self.credit = self.credit.saturating_sub(1);
        }
    }

    /// The target has sent a segment.
    pub(crate) fn target_sends(&mut self, at: Time, segment: &Segment, lost: bool) {
        let again = segment.len() > 0 && self.book.irs.is_some() && self.book.seen_before(segment);
        count(&mut self.from_target, at, segment, again, lost);
        self.repeats = if self.is_news(segment) { 0 } else { self.repeats.saturating_add(1) };
    }

    fn is_news(&self, segment: &Segment) -> bool {
        let same = self.book.last_seen.as_ref().is_some_and(|(last, _)| {
            last.ack == segment.ack
                && last.window == segment.window
                && last.options.sack == segment.options.sack
        });
        !same || segment.end().after(self.book.target_max)
    }
}

fn count(direction: &mut Direction, now: Time, segment: &Segment, again: bool, lost: bool) {
    let octets = segment.payload.len() as u64;
    direction.segments += 1;
    direction.lost += u64::from(lost);
    if again {
        direction.retransmitted_segments += 1;
        direction.retransmitted_octets += octets;
    } else {
        direction.octets += octets;
    }
    if octets > 0 {
        direction.first.get_or_insert(now);
        direction.last = Some(now);
    }
}
