//! The receive half of a connection: RCV.NXT, the window, the in-order buffer, reassembly, and when to
//! acknowledge (RFC 9293 3.8.6, RFC 5681 4.2).
//!
//! Knows nothing of states: the connection asks only when text may be taken.

use crate::config::Config;
use crate::mutant::Mutant;
use crate::reassembly::Reassembly;
use crate::ring::Ring;
use crate::seq::SeqNum;
use crate::time::Instant;
use crate::wire::checksum::Sum;
use crate::wire::{Options, SackBlock, SackBlocks, Segment};

/// What the arrival of text calls for (RFC 5681 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum AckAdvice {
    /// Nothing was new.
    None,
    /// In order: may be delayed.
    MayDelay,
    /// It fills a hole or a part of one, or it is the second segment: at once.
    AtOnce,
    /// Out of order: a duplicate ACK at once, one for each such segment.
    Duplicate,
}

/// The receive half.
#[derive(Debug)]
pub(crate) struct RecvHalf {
    pub(crate) irs: SeqNum,
    pub(crate) nxt: SeqNum,
    /// The right edge of the window as the peer knows it.
    pub(crate) edge: SeqNum,
    /// Our window scale shift, zero unless negotiated.
    pub(crate) shift: u8,
    capacity: u32,
    /// Octets in order that nobody has read.
    pub(crate) buffer: Ring,
    held: Reassembly,
    /// Where the peer's FIN lies, once it has been seen inside the window.
    fin_at: Option<SeqNum>,
    /// Whether that FIN was reached in order.
    fin_taken: bool,
    /// RCV.UP, while it lies ahead of what was read.
    pub(crate) urgent: Option<SeqNum>,
    /// Sequence number of the first octet in `buffer`.
    read_at: SeqNum,
    /// In-order segments that were not acknowledged yet.
    unacked_segments: u32,
    /// Duplicate octets to report once (RFC 2883 section 4).
    dsack: Option<SackBlock>,
    /// RFC 7323 4.3: TS.Recent, and when it was taken.
    pub(crate) ts_recent: u32,
    pub(crate) ts_recent_at: Instant,
    /// RFC 7323 4.3: Last.ACK.sent.
    pub(crate) last_ack_sent: SeqNum,
}

impl RecvHalf {
    pub(crate) fn new(capacity: u32) -> Self {
        let zero = SeqNum(0);
        Self {
            irs: zero,
            nxt: zero,
            edge: zero,
            shift: 0,
            capacity,
            buffer: Ring::default(),
            held: Reassembly::default(),
            fin_at: None,
            fin_taken: false,
            urgent: None,
            read_at: zero,
            unacked_segments: 0,
            dsack: None,
            ts_recent: 0,
            ts_recent_at: Instant::ZERO,
            last_ack_sent: zero,
        }
    }

    /// The peer's SYN has come: IRS and RCV.NXT (RFC 9293 3.10.7.2, U-4).
    pub(crate) fn synchronize(&mut self, irs: SeqNum, config: &Config) {
        self.irs = irs;
        self.nxt = if config.is(Mutant::SynNotCounted) { irs } else { irs + 1 };
        self.read_at = self.nxt;
        self.edge = self.nxt + self.capacity.min(0xffff);
        self.last_ack_sent = self.nxt;
    }

    /// The smallest shift that lets the window field show the whole buffer (RFC 7323 2.3: at most 14).
    pub(crate) fn wanted_shift(capacity: u32, config: &Config) -> u8 {
        if config.is(Mutant::WindowScaleZero) {
            return 0;
        }
        (0..14).find(|shift| capacity >> shift <= 0xffff).unwrap_or(14)
    }

    /// RCV.WND: what is left of the advertised window.
    pub(crate) fn window(&self) -> u32 {
        if self.edge.after(self.nxt) { self.edge.distance_from(self.nxt) } else { 0 }
    }

    pub(crate) fn readable(&self) -> usize {
        self.buffer.len()
    }

    pub(crate) fn has_holes(&self) -> bool {
        !self.held.is_empty()
    }

    pub(crate) fn fin_taken(&self) -> bool {
        self.fin_taken
    }

    /// Octets between what was read and the urgent mark (MUST-33).
    pub(crate) fn urgent_left(&self, config: &Config) -> usize {
        if config.is(Mutant::UrgentModeNeverEnds) && self.urgent.is_some() {
            return 1;
        }
        self.urgent
            .filter(|up| up.after(self.read_at))
            .map_or(0, |up| up.distance_from(self.read_at) as usize)
    }

    /// Room that the application has made, as a window (RFC 9293 3.8.6.2.2): what the field cannot say is none, or each
    /// read would tell the peer of room that it never hears of.
    fn room(&self, config: &Config) -> u32 {
        let mut room = self.capacity.saturating_sub(self.buffer.len() as u32);
        if config.is(Mutant::WindowShrinks) {
            room = room.saturating_sub(self.buffer.len() as u32);
        }
        let held = if config.is(Mutant::WindowCountsHeld) { self.held.octets() as u32 } else { 0 };
        room.saturating_sub(held).min(0xffff << self.shift)
    }

    /// Whether the right edge may move now: by at least min(half the buffer, Eff.snd.MSS) (MUST-39).
    fn may_open(&self, mss: u32, config: &Config) -> bool {
        if config.is(Mutant::WindowNeverReopens) && self.window() == 0 {
            return false;
        }
        let step = match config.mutant {
            Some(Mutant::ReceiverSillyWindow) => 1,
            Some(Mutant::HalfBufferStaysClosed) => mss,
            _ => mss.min(self.capacity / 2),
        };
        self.gain(config) >= step
    }

    /// How far the right edge could move.
    fn gain(&self, config: &Config) -> u32 {
        let wanted = self.nxt + self.room(config);
        if wanted.after(self.edge) { wanted.distance_from(self.edge) } else { 0 }
    }

    /// Whether a read has opened the window enough that the peer should hear of it.
    pub(crate) fn wants_update(&self, mss: u32, config: &Config) -> bool {
        if config.is(Mutant::WindowUpdateNeverSent) {
            return false;
        }
        // Less needs no word of its own; the next ACK carries it.
        let step = if config.is(Mutant::UpdateForEveryRead) { mss } else { 2 * mss };
        self.may_open(mss, config) && self.gain(config) >= step.min(self.capacity / 2)
    }

    /// Moves the right edge as far as silly window avoidance allows and returns the window field. The edge is
    /// never moved left (SHLD-14).
    pub(crate) fn advertise(&mut self, mss: u32, config: &Config) -> u16 {
        if self.may_open(mss, config) || config.is(Mutant::WindowShrinks) {
            self.edge = self.nxt + self.room(config);
        }
        if self.fin_taken && config.is(Mutant::WindowGoneAfterFin) {
            return 0;
        }
        if config.is(Mutant::WindowConstant) {
            return (self.capacity >> self.shift).min(0xffff) as u16;
        }
        // RFC 7323 2.4: rounding down would move the edge left, so round up. What that promises beyond the
        // buffer is bounded, or tiny segments could push the edge on for ever.
        let unit = 1u32 << self.shift;
        let window = self.window();
        let limit = self.room(config).saturating_add(self.capacity / 8);
        if config.is(Mutant::EdgeRoundedDown) {
            return (window >> self.shift).min(0xffff) as u16;
        }
        let up = window.next_multiple_of(unit);
        let shown = if up <= limit { up } else { window };
        let field = (shown >> self.shift).min(0xffff);
        self.edge = self.nxt + (field << self.shift);
        if config.is(Mutant::WindowFieldNotShifted) {
            return shown.min(0xffff) as u16;
        }
        field as u16
    }

    /// The window field of a SYN, which is never scaled (RFC 7323 2.2).
    pub(crate) fn syn_window(&mut self, config: &Config) -> u16 {
        if config.is(Mutant::SynWindowScaled) {
            return (self.capacity >> Self::wanted_shift(self.capacity, config)).min(0xffff) as u16;
        }
        // With text on the SYN (RFC 7413) the room is less than the buffer.
        let window = self.room(config).min(0xffff);
        self.edge = self.nxt + window;
        window as u16
    }

    /// Takes the text of an acceptable segment: trims it to the window, delivers what is in order and holds the
    /// rest (RFC 9293 3.10.7.4, seventh; U-17, SHLD-31).
    pub(crate) fn take_text(&mut self, segment: &Segment<'_>, config: &Config) -> AckAdvice {
        // SYN was seen to before; if it is still there the text begins after it.
        let mut start = segment.seq + u32::from(segment.has(crate::wire::Flags::SYN));
        let mut text = segment.payload;
        let had_holes = self.has_holes();
        if start.before(self.nxt) && !config.is(Mutant::DataRedelivered) {
            let old = (self.nxt.distance_from(start) as usize).min(text.len());
            self.note_duplicate(SackBlock { start, end: start + old as u32 });
            start += old as u32;
            text = &text[old..];
        }
        if !config.is(Mutant::BeyondWindowAccepted) {
            text = &text[..text.len().min(self.edge.distance_from(start) as usize)];
        }
        if let Some(fin) = self.fin_at
            && !config.is(Mutant::DataAfterFinAccepted)
        {
            // Nothing can follow the FIN.
            text =
                &text[..text.len().min(if fin.after(start) { fin.distance_from(start) as usize } else { 0 })];
        }
        if text.is_empty() {
            return AckAdvice::None;
        }
        if start.after(self.nxt) && !config.is(Mutant::HoleIgnored) {
            return self.hold(start, text, config);
        }
        self.note_held(start, text.len() as u32, config);
        self.deliver(text, config);
        let stamp = segment.options.timestamps.map(|stamp| stamp.value.wrapping_sub(self.ts_recent) as i32);
        if config.is(Mutant::PawsOnDequeue) && stamp.is_some_and(|newer| newer >= 0) && had_holes {
            self.held.clear();
        }
        if let Some(more) = self.held.take_contiguous(self.nxt) {
            self.deliver(&more, config);
        }
        if had_holes {
            return if config.is(Mutant::HoleFillAckDelayed) {
                AckAdvice::MayDelay
            } else {
                AckAdvice::AtOnce
            };
        }
        self.advise_in_order(config)
    }

    /// RFC 5681 4.2 for text in order where nothing is missing.
    fn advise_in_order(&mut self, config: &Config) -> AckAdvice {
        self.unacked_segments += 1;
        let enough = match config.mutant {
            Some(Mutant::StretchAck) => 8,
            Some(Mutant::AckEverySegment) => 1,
            _ => 2,
        };
        // SHLD-19: at least every second full-sized segment.
        if self.unacked_segments >= enough { AckAdvice::AtOnce } else { AckAdvice::MayDelay }
    }

    /// Whether `len` octets at RCV.NXT are just the next ones: they fit, nothing waits behind them, no FIN is known.
    pub(crate) fn is_next(&self, seq: SeqNum, len: usize) -> bool {
        seq == self.nxt
            && len > 0
            && len <= self.window() as usize
            && self.held.is_empty()
            && self.fin_at.is_none()
    }

    /// Takes text for which [`Self::is_next`] holds, if its sum, added to that of what precedes it in the segment,
    /// makes a valid checksum: it is summed while it is copied.
    pub(crate) fn take_next(&mut self, text: &[u8], mut sum: Sum, config: &Config) -> Option<AckAdvice> {
        let before = self.buffer.len();
        sum.append(0, self.buffer.push_summed(text));
        if sum.finish() != 0 {
            self.buffer.truncate(before);
            return None;
        }
        self.nxt += text.len() as u32;
        Some(self.advise_in_order(config))
    }

    /// Of text at RCV.NXT a part may be held already. Of several parts that came twice the first is reported (RFC 2883
    /// section 4.2.2).
    fn note_held(&mut self, start: SeqNum, len: u32, config: &Config) {
        let first = self.dsack.is_none() && !config.is(Mutant::DsackOfHeldMissing);
        if let Some(block) = self.held.duplicate(start, len).filter(|_| first) {
            self.note_duplicate(block);
        }
    }

    fn hold(&mut self, start: SeqNum, text: &[u8], config: &Config) -> AckAdvice {
        if let Some(block) = self.held.duplicate(start, text.len() as u32) {
            self.note_duplicate(block);
        }
        let alike = config.is(Mutant::SameStartHeldDropped) && self.held.has_run_at(start);
        if !alike && !config.is(Mutant::OutOfOrderDropped) {
            self.held.insert(start, text);
        }
        match config.mutant {
            Some(Mutant::NoDuplicateAck) => AckAdvice::None,
            Some(Mutant::DuplicateAckDelayed) => AckAdvice::MayDelay,
            _ => AckAdvice::Duplicate,
        }
    }

    fn deliver(&mut self, text: &[u8], config: &Config) {
        self.buffer.push(text);
        self.nxt += text.len() as u32;
        if config.is(Mutant::AckCountsSegments) {
            self.nxt = self.nxt - text.len() as u32 + 1;
        }
    }

    fn note_duplicate(&mut self, block: SackBlock) {
        if block.start != block.end {
            self.dsack = Some(block);
        }
    }

    /// A whole segment was old: remember it for D-SACK (RFC 2883 section 4).
    pub(crate) fn note_old(&mut self, segment: &Segment<'_>, config: &Config) {
        let len = segment.payload.len() as u32;
        let end = segment.seq + len;
        // What lies below IRS is from an earlier incarnation: this one has never had it.
        let ours = self.nxt.distance_from(segment.seq) < self.nxt.distance_from(self.irs)
            || config.is(Mutant::DsackBeforeTheFirst);
        if end.at_or_before(self.nxt) && ours {
            self.note_duplicate(SackBlock { start: segment.seq, end });
        }
    }

    /// Notes where the FIN lies and takes it if all before it is here (RFC 9293 3.10.7.4, eighth). Returns
    /// whether it was taken now.
    pub(crate) fn take_fin(&mut self, fin: Option<SeqNum>, config: &Config) -> bool {
        if let Some(at) = fin
            && self.fin_at.is_none()
            && at.at_or_after(self.nxt)
            // RFC 9293 3.10.7.4, first: what lies outside the window is trimmed off, a FIN like any octet.
            && at.before(self.edge)
        {
            self.fin_at = Some(at);
        }
        let reached =
            self.fin_at.is_some_and(|at| at == self.nxt || config.is(Mutant::FinBeforeHoleProcessed));
        if self.fin_taken || !reached {
            return false;
        }
        self.fin_taken = true;
        self.held.clear();
        if config.is(Mutant::FinBeforeHoleProcessed) {
            self.nxt = self.fin_at.unwrap_or(self.nxt);
        }
        if !config.is(Mutant::FinNotCounted) {
            self.nxt += 1;
        }
        true
    }

    /// What the acknowledgment field carries, now.
    pub(crate) fn acknowledgment(&self, config: &Config) -> SeqNum {
        match config.mutant {
            Some(Mutant::AckBeyondOoo) => self.held.highest().unwrap_or(self.nxt),
            Some(Mutant::AckOffByOne) if self.nxt.distance_from(self.irs) > 1 => self.nxt - 1,
            _ => self.nxt,
        }
    }

    /// An acknowledgement has gone out (RFC 7323 4.3).
    pub(crate) fn acknowledged(&mut self, ack: SeqNum) {
        self.unacked_segments = 0;
        self.last_ack_sent = ack;
    }

    /// SACK blocks for the next acknowledgement; a D-SACK block comes first and is reported once (RFC 2883).
    pub(crate) fn sack_option(&mut self, options: &mut Options, config: &Config) {
        let most = if options.timestamps.is_some() { 3 } else { 4 };
        let mut blocks = SackBlocks::default();
        let dsack = self.dsack.take();
        if let Some(block) = dsack.filter(|_| !config.is(Mutant::NoDsack)) {
            blocks.push(block);
        }
        if !self.held.is_empty() {
            self.held.sack_blocks(most, &mut blocks);
        }
        blocks.truncate(most);
        options.sack = blocks;
    }

    /// Moves octets to the application.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> usize {
        let mut read = 0;
        // They may lie in two pieces.
        while read < out.len() && self.readable() > 0 {
            let rest = &mut out[read..];
            read += self.read_with(|octets| {
                let len = octets.len().min(rest.len());
                rest[..len].copy_from_slice(&octets[..len]);
                len
            });
        }
        read
    }

    /// Shows the application octets where they lie; it says how many it is done with.
    pub(crate) fn read_with(&mut self, take: impl FnOnce(&[u8]) -> usize) -> usize {
        let len = self.buffer.take(take);
        self.read_at += len as u32;
        len
    }

    /// Gives up what nobody will read.
    pub(crate) fn discard(&mut self) {
        self.buffer.clear();
        self.held.clear();
    }
}

#[cfg(test)]
mod tests;
