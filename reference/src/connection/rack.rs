//! RACK-TLP (RFC 8985): losses found by time instead of by counting, and a probe for a lost tail.

use core::time::Duration;

use super::{Connection, Env};
use crate::mutant::Mutant;
use crate::scoreboard::{DUP_THRESH, Delivered, Record};
use crate::send::{Acked, Fresh, Piece};
use crate::seq::SeqNum;
use crate::timer::Timer;
use crate::wire::Segment;

/// 7.2: how long a peer may delay its ACK.
const WORST_DELAYED_ACK: Duration = Duration::from_millis(200);
/// 6.2 step 4: recoveries for which a wider reordering window is kept.
const PERSIST: u8 = 16;

/// What RACK and TLP remember (RFC 8985 5.3).
#[derive(Clone, Debug, Default)]
pub(super) struct RackState {
    /// RACK.xmit_ts and RACK.end_seq: the latest transmission known to have arrived.
    newest: Option<Delivered>,
    /// RACK.rtt: its round trip.
    rtt: Duration,
    reordering_seen: bool,
    /// RACK.reo_wnd_mult and RACK.reo_wnd_persist.
    multiplier: u32,
    persist: u8,
    /// RACK.dsack_round: one widening for each round trip.
    dsack_round: Option<SeqNum>,
    /// TLP.end_seq, and TLP.is_retrans.
    probe_end: Option<SeqNum>,
    probe_was_repeat: bool,
    pub(super) probe_due: bool,
}

impl Connection {
    fn uses_rack(&self, env: &Env<'_>) -> bool {
        env.config.rack && (self.snd.sack || env.config.is(Mutant::RackWithoutSack))
    }

    /// 6.2 steps 1 to 5, for every acknowledgement.
    pub(super) fn rack_on_ack(&mut self, segment: &Segment<'_>, acked: Acked, env: &mut Env<'_>) {
        if !self.uses_rack(env) {
            return;
        }
        self.tlp_on_ack(segment, acked, env);
        if let Some(delivered) = acked.newest {
            let rtt = env.now.since(delivered.sent_at);
            // Step 2: an ACK of a repeated segment that comes too soon is for the first copy.
            let ambiguous = delivered.ever_resent && self.rtt.min().is_some_and(|min| rtt < min);
            let later = self.rack.newest.is_none_or(|newest| newest.newer_of(delivered) == delivered);
            if !ambiguous && later {
                self.rack.rtt = rtt;
                self.rack.newest = Some(delivered);
            }
        }
        // Step 3: something that was sent once only arrived after something later.
        self.rack.reordering_seen |= acked.reordered;
        self.note_dsack_round(acked, env);
        self.rack_detect(env);
    }

    /// Step 4: a D-SACK in a new round widens the window; sixteen recoveries without one narrow it again.
    fn note_dsack_round(&mut self, acked: Acked, env: &Env<'_>) {
        let rack = &mut self.rack;
        rack.multiplier = rack.multiplier.max(1);
        if rack.dsack_round.is_some_and(|round| self.snd.una.at_or_after(round)) {
            rack.dsack_round = None;
        }
        if acked.dsack && rack.dsack_round.is_none() && !env.config.is(Mutant::RackIgnoresDsack) {
            rack.dsack_round = Some(self.snd.nxt);
            rack.multiplier = (rack.multiplier + 1).min(64);
            rack.persist = PERSIST;
            rack.reordering_seen = true;
        } else if acked.left_recovery {
            rack.persist = rack.persist.saturating_sub(1);
            if rack.persist == 0 {
                rack.multiplier = 1;
            }
        }
    }

    /// Step 4: RACK_update_reo_wnd.
    fn reordering_window(&self, env: &Env<'_>) -> Duration {
        let many = self.snd.board.sacked_segments() >= DUP_THRESH;
        let zero = env.config.is(Mutant::RackNoReorderingWindow);
        if zero || (!self.rack.reordering_seen && (self.in_recovery() || many)) {
            return Duration::ZERO;
        }
        let srtt = self.rtt.srtt().unwrap_or_default();
        if env.config.is(Mutant::RackReorderingUnbounded) {
            return srtt * 10;
        }
        (self.rtt.min().unwrap_or_default() / 4 * self.rack.multiplier).min(srtt)
    }

    fn rack_patience(&self, env: &Env<'_>) -> Duration {
        self.rack.rtt + self.reordering_window(env)
    }

    /// 6.3: what a timeout may take for lost besides the front.
    pub(super) fn rack_timeout_patience(&self, env: &Env<'_>) -> Option<Duration> {
        (self.uses_rack(env) && self.rack.newest.is_some()).then(|| self.rack_patience(env))
    }

    /// Step 5: RACK_detect_loss.
    pub(super) fn rack_detect(&mut self, env: &mut Env<'_>) {
        let Some(newest) = self.rack.newest.filter(|_| self.uses_rack(env)) else { return };
        let patience = self.rack_patience(env);
        let now = env.now;
        let first_only = env.config.is(Mutant::RackIgnoresRetransmissions);
        let before = |record: &Record| newest.is_after(record) && !(first_only && record.ever_resent);
        let lost =
            self.snd.board.mark_lost_where(|record| before(record) && record.sent_at + patience <= now);
        let waiting = self
            .snd
            .board
            .iter()
            .filter(|record| !record.is_sacked() && !record.is_lost() && before(record))
            .map(|record| record.sent_at + patience)
            .max();
        match waiting {
            Some(_) if env.config.is(Mutant::RackNoReorderingTimer) => {}
            Some(at) => self.timers.set(Timer::Reorder, at),
            None => self.timers.stop(Timer::Reorder),
        }
        if lost && !self.in_recovery() {
            self.snd.enter_recovery(false, now, env.config);
            self.ecn.note_reduction();
        }
    }

    /// 7.2: when to probe a tail that nobody has acknowledged.
    pub(super) fn schedule_probe(&mut self, env: &Env<'_>) {
        let known = self.in_recovery() || self.snd.board.sacked_octets() > 0;
        let quiet = (known && !env.config.is(Mutant::TailProbeInRecovery)) || self.snd.board.is_empty();
        if !self.uses_rack(env)
            || quiet
            || self.rack.probe_end.is_some()
            || env.config.is(Mutant::NoTailProbe)
        {
            self.timers.stop(Timer::Probe);
            return;
        }
        let mut wait = match self.rtt.srtt() {
            Some(srtt) => srtt * 2,
            None => Duration::from_secs(1),
        };
        if self.snd.flight() <= self.mss(env.config) {
            wait += WORST_DELAYED_ACK;
        }
        let mut at = env.now + wait;
        if let Some(rto) = self.timers.get(Timer::Retransmit) {
            at = at.min(rto);
        }
        self.timers.set(Timer::Probe, at);
    }

    /// 7.3: new data if there is any, else the last segment again.
    pub(super) fn choose_probe(&mut self, env: &Env<'_>) -> Option<Piece> {
        self.rack.probe_due = false;
        let repairing = self.in_recovery() && !env.config.is(Mutant::TailProbeInRecovery);
        if repairing || self.snd.board.is_empty() {
            return None;
        }
        let piece = match self.snd.fresh(env.config) {
            Fresh::Send(piece) => piece,
            Fresh::CwndFull if !env.config.is(Mutant::TailProbeRepeatsOnly) => {
                self.snd.fresh_piece(env.config)
            }
            Fresh::CwndFull | Fresh::Hold | Fresh::WindowClosed | Fresh::Nothing => {
                self.snd.last_piece(env.config)?
            }
        };
        self.rack.probe_was_repeat = piece.again;
        let end = piece.seq + piece.len + u32::from(piece.fin);
        self.rack.probe_end = Some(self.snd.nxt.later(end));
        if env.config.is(Mutant::TailProbeRepeated) {
            let wait = self.rtt.srtt().unwrap_or(Duration::from_secs(1)) * 2;
            self.timers.set(Timer::Probe, env.now + wait);
        }
        // 7.3: the retransmission timer starts anew.
        self.timers.stop(Timer::Retransmit);
        Some(piece)
    }

    /// 7.4.2: what the acknowledgement of a probe says.
    fn tlp_on_ack(&mut self, segment: &Segment<'_>, acked: Acked, env: &Env<'_>) {
        let Some(end) = self.rack.probe_end.filter(|&end| segment.ack.at_or_after(end)) else { return };
        let duplicate = acked.octets == 0 && segment.options.sack.is_empty() && segment.is_empty();
        if !self.rack.probe_was_repeat || acked.dsack || duplicate {
            // It was new data, or both copies have arrived.
            self.rack.probe_end = None;
        } else if segment.ack.after(end) {
            // The probe has repaired a loss that nothing else has shown: react to it.
            self.rack.probe_end = None;
            if !env.config.is(Mutant::TailProbeHidesLoss) {
                let (flight, mss) = (self.snd.flight(), self.mss(env.config));
                self.snd.congestion.on_ecn(flight, mss, env.now, env.config);
                self.ecn.note_reduction();
            }
        }
    }

    /// A timeout ends the probe's episode (7.3).
    pub(super) fn rack_on_timeout(&mut self) {
        self.rack.probe_end = None;
        self.rack.probe_due = false;
        self.timers.stop(Timer::Probe);
        self.timers.stop(Timer::Reorder);
    }
}
