//! Explicit congestion notification (RFC 3168 section 6.1; RFC 9293 SHLD-8).

use super::{Connection, Env};
use crate::mutant::Mutant;
use crate::send::Piece;
use crate::seq::SeqNum;
use crate::state::State;
use crate::timer::Timer;
use crate::wire::{Ecn, Flags, Segment};

/// What one connection knows of ECN.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EcnState {
    /// Still to be offered, or agreed on by both SYNs.
    offered: bool,
    on: bool,
    /// A CE mark has come: every ACK echoes it until CWR (6.1.3).
    echo: bool,
    /// The window was reduced: the next new segment says so (6.1.2).
    reduced: bool,
    /// No second reduction before this is acknowledged: once for each window (6.1.2).
    until: Option<SeqNum>,
}

impl EcnState {
    pub(super) fn new(offered: bool) -> Self {
        Self { offered, ..Self::default() }
    }

    pub(super) fn note_reduction(&mut self) {
        self.reduced = self.on;
    }
}

impl Connection {
    /// 6.1.1: the bits of our SYN or SYN,ACK.
    pub(super) fn ecn_syn_flags(&self, env: &Env<'_>) -> Flags {
        match self.state {
            // 6.1.1.1: a SYN that got no answer is tried without.
            State::SynSent if self.ecn.offered && self.syn_repeats == 0 => Flags::ECE | Flags::CWR,
            State::SynReceived(_) if self.ecn.on => match env.config.mutant {
                Some(Mutant::EcnSynAckBothBits) => Flags::ECE | Flags::CWR,
                _ => Flags::ECE,
            },
            _ => Flags::default(),
        }
    }

    /// 6.1.1: the bits of their SYN or SYN,ACK.
    pub(super) fn negotiate_ecn(&mut self, syn: &Segment<'_>, env: &Env<'_>) {
        let setup = if syn.has(Flags::ACK) {
            syn.has(Flags::ECE) && !syn.has(Flags::CWR)
        } else {
            syn.has(Flags::ECE | Flags::CWR)
        };
        self.ecn.on = (self.ecn.offered && setup) || env.config.is(Mutant::EcnNotNegotiated);
    }

    /// 6.1.3: a CE mark starts the echo, CWR ends it.
    pub(super) fn note_ecn(&mut self, ecn: Ecn, segment: &Segment<'_>, env: &Env<'_>) {
        if !self.ecn.on || segment.has(Flags::SYN) {
            return;
        }
        if segment.has(Flags::CWR) && !env.config.is(Mutant::EcnEchoNeverStops) {
            self.ecn.echo = false;
        }
        self.note_mark(ecn, env);
    }

    pub(super) fn note_mark(&mut self, ecn: Ecn, env: &Env<'_>) {
        if self.ecn.on && ecn == Ecn::Ce && !env.config.is(Mutant::EcnCeIgnored) {
            self.ecn.echo = true;
        }
    }

    pub(super) fn hears_echo(&self, segment: &Segment<'_>) -> bool {
        self.ecn.on && segment.has(Flags::ECE) && !segment.has(Flags::SYN)
    }

    /// 6.1.2: an echo halves the window, once for each window of data.
    pub(super) fn take_echo(&mut self, segment: &Segment<'_>, env: &Env<'_>) {
        if !self.hears_echo(segment) {
            return;
        }
        let settled = self.ecn.until.is_none_or(|until| self.snd.una.after(until));
        if (!settled && !env.config.is(Mutant::EcnHalvesEveryAck)) || env.config.is(Mutant::EcnEchoIgnored) {
            return;
        }
        if !self.in_recovery() {
            let (flight, mss) = (self.snd.flight(), self.mss(env.config));
            if self.snd.congestion.cwnd <= mss && !env.config.is(Mutant::EcnEchoEnlarges) {
                // A window of one segment cannot be halved: nothing new goes out before the timer expires.
                self.snd.paused = true;
                let rto = self.rtt.rto(env.config);
                self.timers.set(Timer::Retransmit, env.now + rto);
            } else {
                self.snd.congestion.on_ecn(flight, mss, env.now, env.config);
            }
        }
        self.ecn.until = Some(self.snd.nxt);
        self.ecn.note_reduction();
    }

    /// Whether nothing is said on any segment.
    pub(super) fn ecn_is_off(&self) -> bool {
        !self.ecn.on
    }

    /// The bits of an outgoing segment that is no SYN, and its codepoint: new text only is ECN-capable (6.1.4 to
    /// 6.1.6: no pure ACK, no retransmission, no window probe).
    pub(super) fn ecn_marks(&mut self, piece: Option<Piece>, env: &Env<'_>) -> (Flags, Ecn) {
        if !self.ecn.on {
            return (Flags::default(), Ecn::NotEct);
        }
        let mut flags = Flags::default();
        if self.ecn.echo {
            flags = flags | Flags::ECE;
            if env.config.is(Mutant::EcnEchoedOnce) {
                self.ecn.echo = false;
            }
        }
        let fresh = piece.is_some_and(|piece| piece.len > 0 && !piece.again && self.snd.wnd > 0);
        let again = piece.is_some_and(|piece| piece.len > 0 && piece.again);
        if fresh && self.ecn.reduced {
            self.ecn.reduced = false;
            if !env.config.is(Mutant::EcnNoCwr) {
                flags = flags | Flags::CWR;
            }
        }
        let capable = fresh
            || (again && env.config.is(Mutant::EcnRetransmissionCapable))
            || (piece.is_none() && env.config.is(Mutant::EcnPureAckCapable));
        let codepoint = if env.config.is(Mutant::EcnEct1) { Ecn::Ect1 } else { Ecn::Ect0 };
        (flags, if capable { codepoint } else { Ecn::NotEct })
    }
}
