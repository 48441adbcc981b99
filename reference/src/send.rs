//! The send half of a connection: SND.UNA, SND.NXT, the peer's window, the octets not yet acknowledged, what may
//! be sent next, and loss recovery (RFC 9293 3.8, RFC 5681, 6582, 6675, 3042).
//!
//! It decides *what* may go out; timers, headers and states belong to [`crate::connection`].

use crate::config::Config;
use crate::congestion::Congestion;
use crate::mutant::Mutant;
use crate::ring::Ring;
use crate::rtt::RttEstimator;
use crate::scoreboard::{Delivered, Scoreboard};
use crate::seq::SeqNum;
use crate::time::Instant;
use crate::wire::SackBlock;

/// What has become of our FIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fin {
    /// The application may still write.
    Open,
    /// To be sent after all text.
    Queued,
    /// Sent, with this sequence number.
    Sent(SeqNum),
}

/// Where loss recovery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No loss known.
    Open,
    /// Fast recovery until `recover` is acknowledged (RFC 6582, RFC 6675); `partial`: some of it has been.
    Fast { recover: SeqNum, partial: bool, rescued: bool },
    /// Slow start after a timeout until `recover` is acknowledged.
    Timeout { recover: SeqNum },
}

/// A segment that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) seq: SeqNum,
    /// Octets of text.
    pub(crate) len: u32,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) again: bool,
}

impl Piece {
    /// Where the text begins.
    fn text(self) -> SeqNum {
        self.seq + u32::from(self.syn)
    }
}

/// What to do about text that was never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// Send this.
    Send(Piece),
    /// There is text and a window, but sending would be silly or too small (RFC 9293 3.8.6.2.1, 3.7.4).
    Hold,
    /// There is text or a FIN and the window is closed.
    WindowClosed,
    /// The congestion window is full.
    CwndFull,
    /// Nothing to send.
    Nothing,
}

/// One acknowledgement, as the send half sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AckInfo<'a> {
    pub(crate) ack: SeqNum,
    /// No text, SYN or FIN, and the window did not change (RFC 5681 section 2).
    pub(crate) pure: bool,
    pub(crate) same_window: bool,
    /// It echoes congestion, so the window must not grow (RFC 3168 6.1.2).
    pub(crate) congested: bool,
    pub(crate) sack: &'a [SackBlock],
    pub(crate) now: Instant,
}

/// What an acknowledgement did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Acked {
    /// Sequence space newly acknowledged.
    pub(crate) octets: u32,
    /// Send time of a segment that may be measured (Karn).
    pub(crate) sample: Option<Instant>,
    /// The newest segment known to have arrived.
    pub(crate) newest: Option<Delivered>,
    /// A later partial acknowledgement, which leaves the timer alone (RFC 6582 3.2 step 3).
    pub(crate) later_partial: bool,
    /// Something arrived later than what was sent after it (RFC 8985 6.2 step 3).
    pub(crate) reordered: bool,
    /// The peer has reported a duplicate (RFC 2883).
    pub(crate) dsack: bool,
    /// Fast recovery is over.
    pub(crate) left_recovery: bool,
    /// Room was made in a buffer that had been full.
    pub(crate) made_room: bool,
}

/// The send half.
#[derive(Debug)]
pub(crate) struct SendHalf {
    pub(crate) iss: SeqNum,
    pub(crate) una: SeqNum,
    pub(crate) nxt: SeqNum,
    /// SND.WND, scaled.
    pub(crate) wnd: u32,
    wl1: SeqNum,
    wl2: SeqNum,
    /// MAX.SND.WND.
    pub(crate) max_wnd: u32,
    /// The furthest right edge that the peer has offered.
    edge: SeqNum,
    /// The peer's window scale shift, zero unless negotiated.
    pub(crate) shift: u8,
    /// SendMSS: what the peer announced, or the default (MUST-15).
    pub(crate) peer_mss: u32,
    /// What the path takes after the IP and TCP headers.
    pub(crate) path_mss: u32,
    /// Octets of options on every segment.
    pub(crate) option_len: u32,
    pub(crate) sack: bool,
    pub(crate) nodelay: bool,
    /// SND.UP: the octet after the urgent data (MUST-62).
    pub(crate) urgent: Option<SeqNum>,
    pub(crate) fin: Fin,
    pub(crate) board: Scoreboard,
    pub(crate) congestion: Congestion,
    pub(crate) phase: Phase,
    /// The override timer has fired, so what is there may go.
    pub(crate) override_due: bool,
    /// Nothing new before the retransmission timer expires (RFC 3168 6.1.2).
    pub(crate) paused: bool,
    /// Timeouts since anything was acknowledged.
    pub(crate) timeouts: u32,
    /// Octets written and not acknowledged.
    pub(crate) buffer: Ring,
    /// Sequence number of the first octet in `buffer`.
    base: SeqNum,
    capacity: usize,
    dupacks: u32,
    /// What was in flight when the first duplicate came. Limited transmit adds to it, and is no part of the flight that is
    /// halved (RFC 5681 3.2); with SACK it is the pipe that lets it out (RFC 6675 5, steps 3 and 4.2).
    undoubted: u32,
    /// SND.UNA is where the last recovery ended, so duplicates do not tell of a new loss (RFC 6582 3.2 step 2).
    at_recover: bool,
    /// The next retransmission goes out whatever the window says.
    force: bool,
    last_sent: Instant,
    was_full: bool,
}

impl SendHalf {
    pub(crate) fn new(iss: SeqNum, path_mss: u32, default_mss: u32, config: &Config) -> Self {
        Self {
            iss,
            una: iss,
            nxt: iss,
            wnd: 0,
            wl1: SeqNum(0),
            wl2: SeqNum(0),
            max_wnd: 0,
            edge: iss + 1,
            shift: 0,
            peer_mss: default_mss,
            path_mss,
            option_len: 0,
            sack: false,
            nodelay: false,
            urgent: None,
            fin: Fin::Open,
            board: Scoreboard::default(),
            congestion: Congestion::new(config),
            phase: Phase::Open,
            override_due: false,
            paused: false,
            timeouts: 0,
            buffer: Ring::default(),
            base: iss + 1,
            capacity: config.send_buffer as usize,
            dupacks: 0,
            undoubted: u32::MAX,
            at_recover: false,
            force: false,
            last_sent: Instant::ZERO,
            was_full: false,
        }
    }

    /// Eff.snd.MSS (RFC 9293 3.7.1, MUST-16, U-11).
    pub(crate) fn mss(&self, config: &Config) -> u32 {
        match config.mutant {
            Some(Mutant::MssIgnored) => self.path_mss - self.option_len,
            Some(Mutant::PathMtuIgnored) => self.peer_mss.saturating_sub(self.option_len).max(1),
            Some(Mutant::OptionsNotCounted) => self.peer_mss.min(self.path_mss),
            _ => self.peer_mss.min(self.path_mss).saturating_sub(self.option_len).max(1),
        }
    }

    pub(crate) fn flight(&self) -> u32 {
        self.nxt.distance_from(self.una)
    }

    /// The sequence number of a segment without text: SND.NXT, or the right edge if a probe lies beyond it. A closed
    /// window takes nothing else (MUST-66), and of two ends that probe each other neither may answer for ever.
    pub(crate) fn acceptable_nxt(&self) -> SeqNum {
        self.nxt.earlier(self.edge)
    }

    /// Octets written and never sent.
    pub(crate) fn unsent(&self) -> u32 {
        if matches!(self.fin, Fin::Sent(_)) {
            return 0;
        }
        let end = self.base + self.buffer.len() as u32;
        if end.after(self.nxt) { end.distance_from(self.nxt.later(self.base)) } else { 0 }
    }

    /// Takes what fits into the buffer.
    pub(crate) fn write(&mut self, octets: &[u8]) -> usize {
        let mut rest = octets;
        loop {
            let len = self.write_with(rest.len(), |room| {
                room.copy_from_slice(&rest[..room.len()]);
                room.len()
            });
            rest = &rest[len..];
            // The room may lie in two pieces.
            if len == 0 || rest.is_empty() {
                return octets.len() - rest.len();
            }
        }
    }

    /// The same for octets that `fill` puts where they will lie, as far as there is room in one piece.
    pub(crate) fn write_with(&mut self, most: usize, fill: impl FnOnce(&mut [u8]) -> usize) -> usize {
        let room = self.capacity.saturating_sub(self.buffer.len());
        let taken = self.buffer.fill(most.min(room), fill);
        self.was_full |= taken == room;
        taken
    }

    /// Everything written so far is urgent (RFC 9293 3.8.5, MUST-31, MUST-62).
    pub(crate) fn mark_urgent(&mut self, config: &Config) {
        let end = self.base + self.buffer.len() as u32;
        self.urgent = Some(if config.is(Mutant::UrgentPointsAtLastOctet) { end - 1 } else { end });
    }

    /// No more text will be written.
    pub(crate) fn queue_fin(&mut self, config: &Config) {
        if config.is(Mutant::CloseLosesUnsentData) {
            let keep = self.nxt.later(self.base).distance_from(self.base) as usize;
            self.buffer.truncate(keep);
        }
        if self.fin == Fin::Open {
            self.fin = Fin::Queued;
        }
    }

    pub(crate) fn fin_acked(&self) -> bool {
        matches!(self.fin, Fin::Sent(at) if self.una.after(at))
    }

    /// The octets of a piece, as the ring buffer holds them.
    pub(crate) fn text(&self, seq: SeqNum, len: u32) -> (&[u8], &[u8]) {
        self.buffer.slices(seq.distance_from(self.base) as usize, len as usize)
    }

    pub(crate) fn text_of(&self, piece: Piece) -> (&[u8], &[u8]) {
        if piece.len == 0 { (&[], &[]) } else { self.text(piece.text(), piece.len) }
    }

    /// Whether a piece ends with the last octet written so far, which carries PSH (MUST-61).
    pub(crate) fn ends_buffer(&self, piece: Piece) -> bool {
        piece.text() + piece.len == self.base + self.buffer.len() as u32
    }

    /// What the peer takes beyond what was sent: nothing new once it has shrunk its window (SHLD-15).
    fn usable(&self, config: &Config) -> u32 {
        let edge = self.una + self.wnd;
        match config.mutant {
            Some(Mutant::WindowIgnored) => return u32::MAX / 4,
            Some(Mutant::ZeroWindowIgnored) if self.wnd == 0 => return self.mss(config),
            Some(Mutant::WindowOffByOne) => return (edge + 1).distance_from(self.nxt).min(1 << 30),
            Some(Mutant::WindowNotReducedByFlight) => return self.wnd,
            _ => {}
        }
        if edge.after(self.nxt) { edge.distance_from(self.nxt) } else { 0 }
    }

    /// What limited transmit adds for the first two duplicates (RFC 3042; with SACK the pipe does it).
    fn limited_allowance(&self, config: &Config) -> u32 {
        let counts = !self.sack || config.is(Mutant::LimitedTransmitWithoutSack);
        if self.phase != Phase::Open || !counts || config.is(Mutant::NoLimitedTransmit) {
            return 0;
        }
        self.dupacks.min(2) * self.mss(config)
    }

    fn cwnd_room(&self, config: &Config) -> u32 {
        if config.is(Mutant::NoCongestionControl) {
            return u32::MAX;
        }
        (self.congestion.cwnd + self.limited_allowance(config)).saturating_sub(self.board.pipe())
    }

    /// The next segment of text or FIN that was never sent (RFC 9293 3.8.6.2.1, 3.7.4).
    pub(crate) fn fresh(&self, config: &Config) -> Fresh {
        let queued = self.unsent();
        let fin_pending = self.fin == Fin::Queued
            && !(config.is(Mutant::FinWaitsForAck) && self.nxt != self.una)
            && !config.is(Mutant::FinNeverSent);
        if queued == 0 && !fin_pending {
            return Fresh::Nothing;
        }
        let usable = self.usable(config);
        let mss = self.mss(config);
        let most = if config.is(Mutant::HalfSegments) { (mss / 2).max(1) } else { mss };
        let len = queued.min(most).min(usable);
        if queued == 0 {
            // A FIN needs room in the window like any octet, but none in cwnd.
            if usable == 0 && !config.is(Mutant::FinIgnoresWindow) {
                return Fresh::WindowClosed;
            }
            return Fresh::Send(Piece { seq: self.nxt, len: 0, syn: false, fin: true, again: false });
        }
        if len == 0 {
            return Fresh::WindowClosed;
        }
        if self.paused {
            return Fresh::CwndFull;
        }
        if !self.worth_sending(len, queued, mss, config) {
            return Fresh::Hold;
        }
        if len > self.cwnd_room(config) {
            return Fresh::CwndFull;
        }
        let room = if config.is(Mutant::FinIgnoresWindow) { u32::MAX } else { usable };
        let fin = fin_pending && len == queued && room > len;
        Fresh::Send(Piece { seq: self.nxt, len, syn: false, fin, again: false })
    }

    /// The four rules against silly windows, with Nagle's algorithm in the second and third (MUST-38, SHLD-7).
    fn worth_sending(&self, len: u32, queued: u32, mss: u32, config: &Config) -> bool {
        let quiet = (self.nxt == self.una && !config.is(Mutant::IdleWriteWaits))
            || (self.nodelay && !config.is(Mutant::NoDelayIgnored))
            || config.is(Mutant::NoNagle);
        let closing = self.fin == Fin::Queued && !config.is(Mutant::NagleHoldsLastBeforeFin);
        if config.is(Mutant::SenderSillyWindow) {
            return quiet || len == mss || closing;
        }
        if config.is(Mutant::NagleDeadlock) {
            return len == mss || (len == queued && quiet) || self.override_due;
        }
        // (1) a full segment (SHLD-28), out of as many writes as it takes (SHLD-27)
        len == mss
            || (config.is(Mutant::HalfSegments) && len == mss / 2)
            // (2) everything, and nothing is outstanding (or Nagle is off, or nothing will follow)
            || (len == queued && (quiet || closing))
            // (3) half of the largest window seen
            || (quiet && u64::from(len) * 2 >= u64::from(self.max_wnd) && !config.is(Mutant::HalfWindowWaits))
            // (4) the override timeout (MUST-60)
            || self.override_due
    }

    /// The next segment that has to be sent again, if the window of congestion has room for it.
    pub(crate) fn retransmission(&self, config: &Config) -> Option<Piece> {
        let record = self.board.next_lost()?;
        // SHLD-16: what was sent goes again whatever the window has become, the front first. That lies inside any window
        // but a closed one, which has the persist timer, so nothing beyond the edge times out (SHLD-17).
        let beyond = self.nxt.after(self.una + self.wnd) && self.wnd > 0 && !record.syn;
        if beyond && config.is(Mutant::ShrinkStopsRetransmission) {
            return None;
        }
        let mss = self.mss(config);
        // A repeated SYN goes without text (RFC 7413 4.1.3).
        let (text, ends) = if record.syn { (0, false) } else { self.board.lost_run(&record, mss) };
        let len = text.min(mss);
        let everything = config.is(Mutant::TimerResendsEverything)
            || (config.is(Mutant::LostAllAtOnce) && self.timeouts == 0);
        // After a timeout the window is one segment, so the front goes alone (RFC 6298 5.4, RFC 9293 3.10.8).
        if !self.force && len > self.cwnd_room(config) && !everything {
            return None;
        }
        let fin = ends && len == text;
        if config.is(Mutant::FinNotRetransmitted) && fin && len == 0 {
            return None;
        }
        Some(Piece { seq: record.seq, len, syn: record.syn, fin, again: true })
    }

    /// RFC 6675 NextSeg rule 4: one rescue for each recovery, when nothing else can be sent.
    pub(crate) fn rescue(&self, config: &Config) -> Option<Piece> {
        let Phase::Fast { rescued, .. } = self.phase else { return None };
        let last_is_new = || self.board.last_unsacked().is_some_and(|last| !last.ever_resent);
        if rescued && !(config.is(Mutant::RescueAgain) && last_is_new()) {
            return None;
        }
        let fits = self.cwnd_room(config) >= self.mss(config);
        if !self.sack || !fits || config.is(Mutant::NoRescue) {
            return None;
        }
        self.last_piece(config)
    }

    /// A tail loss probe of new text, which cwnd does not stop (RFC 8985 7.3).
    pub(crate) fn fresh_piece(&self, config: &Config) -> Piece {
        let len = self.unsent().min(self.mss(config)).min(self.usable(config));
        Piece { seq: self.nxt, len, syn: false, fin: false, again: false }
    }

    /// The last segment that nobody has reported, to be sent again as a tail loss probe.
    pub(crate) fn last_piece(&self, config: &Config) -> Option<Piece> {
        let record = self.board.last_unsacked()?;
        let text = record.text();
        (text <= self.mss(config)).then_some(Piece {
            seq: record.seq,
            len: text,
            syn: record.syn,
            fin: record.fin,
            again: true,
        })
    }

    /// The front of the queue as one octet, for a window probe (RFC 9293 3.8.6.1).
    pub(crate) fn probe(&self, config: &Config) -> Option<Piece> {
        if let Some(record) = self.board.front() {
            let text = record.text();
            let alone = text == 0 && !config.is(Mutant::ProbeForgetsFin);
            let fin = record.fin && (alone || config.is(Mutant::ProbeCarriesFin));
            return Some(Piece { seq: record.seq, len: text.min(1), syn: record.syn, fin, again: true });
        }
        match (self.unsent(), self.fin) {
            (0, Fin::Queued) => Some(Piece { seq: self.nxt, len: 0, syn: false, fin: true, again: false }),
            (0, _) => None,
            _ => Some(Piece { seq: self.nxt, len: 1, syn: false, fin: false, again: false }),
        }
    }

    /// A piece goes out.
    pub(crate) fn sent(&mut self, piece: Piece, now: Instant, rtt: &RttEstimator, config: &Config) {
        let Piece { seq, len, syn, fin, again } = piece;
        let space = len + u32::from(syn) + u32::from(fin);
        if again {
            if let Phase::Fast { rescued, .. } = &mut self.phase {
                // What is not known to be lost goes again as a rescue.
                *rescued |= !self.board.has_lost();
            }
            self.board.resend(seq, space, now);
            self.force = false;
        } else {
            // RFC 5681 4.1
            if now.since(self.last_sent) > rtt.rto(config) {
                let mss = self.mss(config);
                self.congestion.restart_after_idle(mss, config);
            }
            self.board.push(seq, space, syn, fin, now);
            self.nxt = seq + space;
            if fin {
                self.fin = Fin::Sent(if config.is(Mutant::FinAckedWithItsText) { seq } else { seq + len });
            }
        }
        self.override_due = false;
        self.last_sent = now;
    }

    /// How many full segments [`Self::fresh`] would let go now, one behind the other and with text behind the last,
    /// if there is nothing to think about.
    pub(crate) fn full_segments(&self, config: &Config) -> u32 {
        // All else has been asked for the first of them. Beside all that is in flight, so that none of it is limited
        // transmit.
        let text = self.unsent().saturating_sub(1);
        let room = text.min(self.usable(config)).min(self.congestion.cwnd.saturating_sub(self.flight()));
        if self.urgent.is_none() { room / self.mss(config) } else { 0 }
    }

    /// One of these goes out.
    pub(crate) fn sent_full(&mut self, len: u32, now: Instant) {
        self.board.push(self.nxt, len, false, false, now);
        self.nxt += len;
        self.last_sent = now;
    }

    /// SND.WND, SND.WL1 and SND.WL2 (RFC 9293 3.10.7.4, fifth).
    pub(crate) fn update_window(&mut self, seq: SeqNum, ack: SeqNum, window: u32, config: &Config) {
        // A later acknowledgement is newer whatever its sequence number: a retransmission is numbered below WL1, and
        // to keep the old window as an offset from the new SND.UNA would move the right edge (MUST-34). An earlier one
        // does not come this far.
        let fresh = self.wl2.before(ack) || self.wl1.at_or_before(seq);
        if !fresh && !config.is(Mutant::StaleWindowAccepted) {
            return;
        }
        if config.is(Mutant::WindowUpdateIgnored) && ack == self.una && window > self.wnd {
            return;
        }
        let is_smaller = self.wl1 == seq && self.wl2 == ack && window > 0 && window < self.wnd;
        if config.is(Mutant::SmallerWindowIgnored) && is_smaller {
            return;
        }
        self.set_window(seq, ack, window);
    }

    pub(crate) fn set_window(&mut self, seq: SeqNum, ack: SeqNum, window: u32) {
        self.wnd = window;
        self.wl1 = seq;
        self.wl2 = ack;
        self.max_wnd = self.max_wnd.max(window);
        self.edge = self.edge.later(self.una + window);
    }

    /// The connection is open: the initial window (RFC 6928), and the RTO of RFC 6298 5.7.
    pub(crate) fn open(&mut self, syn_lost: bool, config: &Config) {
        let mss = self.mss(config);
        self.congestion.open(mss, syn_lost, config);
        self.congestion.cwnd += u32::from(config.is(Mutant::HandshakeOpensCwnd));
        self.phase = Phase::Open;
        self.timeouts = 0;
    }

    /// The path takes less than was thought (RFC 1191 6.4): all that is in flight and too long goes again, and
    /// congestion has nothing to do with it.
    pub(crate) fn on_path_mtu(&mut self, path_mss: u32, config: &Config) {
        let before = self.mss(config);
        self.path_mss = path_mss;
        let mss = self.mss(config);
        if !config.is(Mutant::PathMtuKeepsOctets) {
            // RFC 5681 3.1: the window was counted in segments of the larger size.
            let cwnd = u64::from(self.congestion.cwnd) * u64::from(mss) / u64::from(before);
            self.congestion.cwnd = u32::try_from(cwnd).unwrap_or(u32::MAX).max(mss);
        }
        let fits = if config.is(Mutant::PathMtuRepeatsAll) { 0 } else { mss };
        self.board.mark_lost_where(|record| record.text() > fits);
        self.force = true;
    }

    /// The front goes again at once: the peer has shown that it lacks it.
    pub(crate) fn repeat_front(&mut self) {
        self.board.mark_front_lost();
        self.force = true;
    }

    /// All in flight goes again, without any meaning for congestion.
    pub(crate) fn repeat_all(&mut self) {
        self.board.mark_all_lost();
        self.force = true;
    }

    /// Gives up what can no longer be sent.
    pub(crate) fn discard(&mut self) {
        self.buffer.clear();
        self.board.clear();
    }
}

mod recovery;
#[cfg(test)]
mod tests;
