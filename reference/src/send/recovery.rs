//! Acknowledgements and loss recovery (RFC 5681 3.2, RFC 6582, RFC 6675, RFC 6298 5.4 to 5.6).

use core::time::Duration;

use super::{AckInfo, Acked, Phase, SendHalf};
use crate::config::Config;
use crate::congestion::Growth;
use crate::mutant::Mutant;
use crate::scoreboard::DUP_THRESH;
use crate::time::Instant;

impl SendHalf {
    /// An acceptable acknowledgement, new or duplicate.
    pub(crate) fn on_ack(&mut self, info: AckInfo<'_>, srtt: Duration, config: &Config) -> Acked {
        let flight = self.flight();
        let mut sacked = 0;
        let mut acked = Acked::default();
        if (self.sack && !config.is(Mutant::SackIgnored)) || config.is(Mutant::SackBelievedUnasked) {
            let reported = self.board.apply_sack(info.sack, self.una, self.nxt);
            sacked = reported.octets;
            acked.newest = reported.newest;
            acked.reordered = reported.reordered;
            acked.dsack =
                is_dsack(info) || (config.is(Mutant::RackTakesBlocksForDsack) && info.sack.len() > 1);
        }
        if info.ack.after(self.una) {
            self.advance(info, flight, srtt, &mut acked, config);
        } else if self.is_duplicate(info, sacked, config) {
            self.on_duplicate(info.now, config);
        }
        acked
    }

    /// RFC 5681 section 2; with SACK, new information makes a duplicate (RFC 6675 section 2).
    fn is_duplicate(&self, info: AckInfo<'_>, sacked: u32, config: &Config) -> bool {
        if self.board.is_empty() {
            return false;
        }
        if config.is(Mutant::AnyAckIsDuplicate) {
            return true;
        }
        let bare = !self.sack || config.is(Mutant::LimitedTransmitWithoutSack);
        sacked > 0 || (bare && info.pure && info.same_window)
    }

    /// SND.UNA moves (RFC 9293 3.10.7.4, fifth).
    fn advance(
        &mut self,
        info: AckInfo<'_>,
        flight: u32,
        srtt: Duration,
        acked: &mut Acked,
        config: &Config,
    ) {
        let octets = info.ack.distance_from(self.una);
        let removed = self.board.acknowledge(info.ack);
        self.una = info.ack;
        let text = self.una.later(self.base).distance_from(self.base) as usize;
        let text = text.min(self.buffer.len());
        self.buffer.drop_front(text);
        self.base += text as u32;
        if self.urgent.is_some_and(|up| up.at_or_before(self.una)) {
            self.urgent = None;
        }
        acked.octets = octets;
        acked.sample = match config.mutant {
            Some(Mutant::SampleFromRetransmission) => removed.ambiguous,
            _ => removed.sample,
        };
        acked.newest = match (acked.newest, removed.newest) {
            (Some(reported), Some(removed)) => Some(reported.newer_of(removed)),
            (reported, removed) => reported.or(removed),
        };
        acked.reordered |= removed.reordered;
        if text > 0 {
            acked.made_room = core::mem::take(&mut self.was_full);
        }
        self.timeouts = 0;
        let smss = self.mss(config);
        self.at_recover = match self.phase {
            Phase::Fast { recover, .. } | Phase::Timeout { recover } => self.una == recover,
            Phase::Open => false,
        };
        match self.phase {
            Phase::Open => self.grow(text as u32, flight, info, srtt, config),
            Phase::Fast { recover, partial, .. } if self.una.before(recover) => {
                acked.later_partial = partial && (!self.sack || config.is(Mutant::PartialAckKeepsTimer));
                self.on_partial(octets, smss, config);
            }
            Phase::Fast { .. } => {
                let outstanding = self.flight();
                self.congestion.leave_recovery(outstanding, smss, self.sack, config);
                self.phase = Phase::Open;
                acked.left_recovery = true;
            }
            Phase::Timeout { recover } => {
                if self.una.at_or_after(recover) {
                    self.phase = Phase::Open;
                }
                self.grow(text as u32, flight, info, srtt, config);
            }
        }
        self.dupacks = 0;
        self.undoubted = u32::MAX;
    }

    /// The window grows by text, not by the SYN (RFC 5681 3.1), and only where it was the limit.
    fn grow(&mut self, acked: u32, flight: u32, info: AckInfo<'_>, srtt: Duration, config: &Config) {
        let AckInfo { now, congested, .. } = info;
        let smss = self.mss(config);
        if self.congestion.cwnd.saturating_sub(flight) < smss && !congested {
            self.congestion.grow(Growth { acked, smss, now, srtt }, config);
        }
    }

    /// RFC 6582 3.2 step 3, partial acknowledgement; RFC 6675 5 (C).
    fn on_partial(&mut self, octets: u32, smss: u32, config: &Config) {
        if let Phase::Fast { partial, .. } = &mut self.phase {
            *partial = true;
        }
        if config.is(Mutant::RenoWithoutPartialAck) {
            self.phase = Phase::Open;
            return;
        }
        if self.sack && config.rack {
            return;
        }
        if self.sack {
            self.board.mark_lost_by_sack(smss);
            return;
        }
        self.board.mark_front_lost();
        self.force = true;
        if config.is(Mutant::PartialAckNoDeflation) {
            return;
        }
        let cwnd = self.congestion.cwnd.saturating_sub(octets);
        self.congestion.cwnd = if octets >= smss { cwnd + smss } else { cwnd }.max(smss);
    }

    fn on_duplicate(&mut self, now: Instant, config: &Config) {
        self.dupacks += 1;
        self.undoubted = self.undoubted.min(self.flight());
        if self.sack && config.rack {
            // RFC 8985: time decides, not the count.
            return;
        }
        let smss = self.mss(config);
        let threshold = match config.mutant {
            Some(Mutant::FastRetransmitTooEarly) => 1,
            Some(Mutant::FastRetransmitNever) => u32::MAX,
            Some(Mutant::FastRetransmitTooLate) => 6,
            _ => DUP_THRESH,
        };
        match self.phase {
            Phase::Open => {
                if threshold == DUP_THRESH {
                    self.board.mark_lost_by_sack(smss);
                }
                let counts = self.sack || !self.at_recover || config.is(Mutant::FastRetransmitAfterRecovery);
                if self.dupacks >= threshold && counts || self.board.has_lost() {
                    self.enter_recovery(true, now, config);
                }
            }
            // RFC 5681 3.2 step 4: each further duplicate means that a segment has left the network.
            Phase::Fast { .. } if !self.sack => {
                if !config.is(Mutant::NoInflation) {
                    self.congestion.cwnd = self.congestion.cwnd.saturating_add(smss);
                }
            }
            Phase::Fast { .. } => self.board.mark_lost_by_sack(smss),
            // RFC 6582 4: duplicates of what the timeout resends mean nothing.
            Phase::Timeout { .. } => {
                if config.is(Mutant::FastRetransmitAfterTimeout) && self.dupacks == threshold {
                    self.enter_recovery(true, now, config);
                }
            }
        }
    }

    /// Fast retransmit (RFC 5681 3.2, RFC 6582 3.2 step 2, RFC 6675 5 step 4).
    pub(crate) fn enter_recovery(&mut self, front_lost: bool, now: Instant, config: &Config) {
        let smss = self.mss(config);
        let counted = config.is(Mutant::LimitedTransmitCounted)
            || (self.sack && config.is(Mutant::LimitedTransmitCountedWithSack));
        let flight = if counted { self.flight() } else { self.flight().min(self.undoubted) };
        self.congestion.enter_recovery(flight, smss, self.sack, now, config);
        if front_lost {
            self.board.mark_front_lost();
        }
        self.phase = Phase::Fast { recover: self.nxt, partial: false, rescued: false };
        self.force = true;
        self.undoubted = u32::MAX;
    }

    /// The retransmission timer has expired (RFC 6298 5.4 to 5.6, RFC 5681 3.1). With RACK only what is older than
    /// its patience is lost besides the front (RFC 8985 6.3).
    pub(crate) fn on_timeout(&mut self, patience: Option<Duration>, now: Instant, config: &Config) {
        let smss = self.mss(config);
        let flight = self.flight();
        self.congestion.on_timeout(flight, smss, self.timeouts == 0, now, config);
        if config.is(Mutant::NewestRetransmittedFirst)
            && let Some(back) = self.board.back().copied()
        {
            self.board.mark_lost_where(|record| record.seq == back.seq);
        } else if let Some(patience) = patience
            && self.board.front().is_some_and(|front| !front.is_sacked())
            && !config.is(Mutant::TimeoutTakesAllForLost)
        {
            self.board.mark_front_lost();
            self.board.mark_lost_where(|record| record.sent_at + patience <= now);
        } else {
            self.board.mark_all_lost();
        }
        self.phase = Phase::Timeout { recover: self.nxt };
        self.timeouts += 1;
        self.dupacks = 0;
        self.undoubted = u32::MAX;
        self.force = true;
    }
}

/// RFC 2883 section 4: the first block reports a duplicate if it lies below the cumulative ACK or inside the second.
fn is_dsack(info: AckInfo<'_>) -> bool {
    match info.sack {
        [first, ..] if first.end.at_or_before(info.ack) => true,
        [first, second, ..] => second.start.at_or_before(first.start) && first.end.at_or_before(second.end),
        _ => false,
    }
}
