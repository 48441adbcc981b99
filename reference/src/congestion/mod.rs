//! Congestion control (RFC 9293 3.8.2, MUST-19): the window and the threshold, and how an algorithm moves them.
//!
//! Knows octets and times only. Which segment is lost is decided in [`crate::send`].

mod cubic;
mod newreno;

use core::time::Duration;

use crate::config::{Config, CongestionAlgorithm};
use crate::mutant::Mutant;
use crate::time::Instant;

use cubic::Cubic;
use newreno::NewReno;

#[derive(Clone, Debug)]
enum Algorithm {
    NewReno(NewReno),
    /// Apart, because most connections have the other one, which is an eighth as large.
    Cubic(Box<Cubic>),
}

/// The congestion state of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Congestion {
    pub(crate) cwnd: u32,
    pub(crate) ssthresh: u32,
    algorithm: Algorithm,
}

/// One acknowledgement, as far as growth is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub(crate) acked: u32,
    pub(crate) smss: u32,
    pub(crate) now: Instant,
    pub(crate) srtt: Duration,
}

impl Congestion {
    pub(crate) fn new(config: &Config) -> Self {
        let algorithm = match config.congestion {
            CongestionAlgorithm::NewReno => Algorithm::NewReno(NewReno::default()),
            CongestionAlgorithm::Cubic => Algorithm::Cubic(Box::default()),
        };
        // RFC 5681 3.1: ssthresh starts arbitrarily high.
        Self { cwnd: 0, ssthresh: u32::MAX, algorithm }
    }

    /// IW (RFC 6928 section 2: min(10*MSS, max(2*MSS, 14600))); one segment if the SYN was lost (RFC 5681 3.1).
    pub(crate) fn initial_window(smss: u32, syn_lost: bool, config: &Config) -> u32 {
        match config.mutant {
            Some(Mutant::NoInitialSlowStart) => 1 << 20,
            Some(Mutant::UninitializedCwnd) if smss <= 1220 => 1 << 20,
            Some(Mutant::InitialWindowDoubled) => 2 * config.initial_window * smss,
            _ if syn_lost && !config.is(Mutant::InitialWindowAfterSynLoss) => smss,
            _ => (config.initial_window * smss).min((2 * smss).max(config.initial_window * 1460)),
        }
    }

    pub(crate) fn open(&mut self, smss: u32, syn_lost: bool, config: &Config) {
        self.cwnd = Self::initial_window(smss, syn_lost, config);
    }

    /// New data was acknowledged outside recovery while the window was the limit.
    pub(crate) fn grow(&mut self, growth: Growth, config: &Config) {
        let Growth { acked, smss, .. } = growth;
        if self.cwnd < self.ssthresh {
            // RFC 5681 3.1 eq. 2: cwnd += min(N, SMSS), which makes ACK division harmless.
            self.cwnd = self.cwnd.saturating_add(match config.mutant {
                Some(Mutant::SlowStartPerAck) => smss,
                Some(Mutant::SlowStartTooFast) => 2 * smss,
                Some(Mutant::NoSlowStartGrowth) => 0,
                _ => acked.min(smss),
            });
            return;
        }
        match &mut self.algorithm {
            Algorithm::NewReno(reno) => reno.avoid(&mut self.cwnd, growth, config),
            Algorithm::Cubic(cubic) => cubic.avoid(&mut self.cwnd, growth, self.ssthresh),
        }
    }

    /// A loss or an ECN echo: the new ssthresh (RFC 5681 eq. 4, RFC 9438 4.6).
    fn reduce(&mut self, flight: u32, smss: u32, now: Instant, config: &Config) {
        let half = match &mut self.algorithm {
            Algorithm::NewReno(_) if config.is(Mutant::SsthreshFromCwnd) => self.cwnd,
            Algorithm::NewReno(_) => flight / 2,
            Algorithm::Cubic(cubic) => cubic.reduce(self.cwnd, flight, now),
        };
        self.ssthresh = half.max(2 * smss);
    }

    /// Entering fast recovery (RFC 5681 3.2 steps 2 and 3; RFC 6675 5 step 4).
    pub(crate) fn enter_recovery(
        &mut self,
        flight: u32,
        smss: u32,
        sack: bool,
        now: Instant,
        config: &Config,
    ) {
        if config.is(Mutant::NoWindowReduction) {
            return;
        }
        self.reduce(flight, smss, now, config);
        self.cwnd = if sack { self.ssthresh } else { self.ssthresh + 3 * smss };
    }

    /// RFC 3168 6.1.2: an echo halves the window without a loss.
    pub(crate) fn on_ecn(&mut self, flight: u32, smss: u32, now: Instant, config: &Config) {
        self.reduce(flight, smss, now, config);
        // RFC 3168 6.1.2: ssthresh is two segments at least, but an echo never makes the window larger.
        let grows = config.is(Mutant::EcnEchoEnlarges);
        self.cwnd = if grows { self.ssthresh } else { self.cwnd.min(self.ssthresh) };
    }

    /// The timer expired (RFC 5681 3.1): one segment; ssthresh only for the first expiry of a segment.
    pub(crate) fn on_timeout(&mut self, flight: u32, smss: u32, first: bool, now: Instant, config: &Config) {
        if config.is(Mutant::NoSlowStartAfterTimeout) {
            return;
        }
        if first && !config.is(Mutant::TimeoutKeepsSsthresh) {
            self.reduce(flight, smss, now, config);
        }
        self.cwnd = smss;
    }

    /// RFC 5681 4.1: nothing was sent for more than an RTO.
    pub(crate) fn restart_after_idle(&mut self, smss: u32, config: &Config) {
        if !config.is(Mutant::NoRestartAfterIdle) {
            self.cwnd = self.cwnd.min(Self::initial_window(smss, false, config));
        }
        if let Algorithm::Cubic(cubic) = &mut self.algorithm {
            cubic.restart();
        }
    }

    /// RFC 6582 3.2 step 3: a full acknowledgement deflates the window.
    pub(crate) fn leave_recovery(&mut self, flight: u32, smss: u32, sack: bool, config: &Config) {
        if config.is(Mutant::NoDeflation) {
            return;
        }
        self.cwnd = if sack { self.ssthresh } else { self.ssthresh.min(flight.max(smss) + smss) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(acked: u32) -> Growth {
        Growth { acked, smss: 1000, now: Instant::ZERO, srtt: Duration::from_millis(100) }
    }

    #[test]
    fn the_initial_window_is_ten_segments_bounded_in_octets() {
        let config = Config::default();
        assert_eq!(Congestion::initial_window(1460, false, &config), 14600);
        assert_eq!(Congestion::initial_window(536, false, &config), 5360);
        assert_eq!(Congestion::initial_window(8960, false, &config), 17920);
        assert_eq!(Congestion::initial_window(1460, true, &config), 1460);
    }

    #[test]
    fn slow_start_doubles_and_ack_division_does_not_help() {
        let config = Config::default();
        let mut cc = Congestion::new(&config);
        cc.open(1000, false, &config);
        let start = cc.cwnd;
        for _ in 0..10 {
            cc.grow(growth(1000), &config);
        }
        assert_eq!(cc.cwnd, 2 * start);
        for _ in 0..10 {
            cc.grow(growth(100), &config);
        }
        assert_eq!(cc.cwnd, 2 * start + 1000);
    }

    #[test]
    fn avoidance_adds_one_segment_for_each_window() {
        let config = Config::default();
        let mut cc = Congestion::new(&config);
        cc.open(1000, false, &config);
        cc.ssthresh = cc.cwnd;
        for _ in 0..10 {
            cc.grow(growth(1000), &config);
        }
        assert_eq!(cc.cwnd, 11_000);
    }

    #[test]
    fn a_timeout_leaves_one_segment_and_half_the_flight() {
        let config = Config::default();
        let mut cc = Congestion::new(&config);
        cc.open(1000, false, &config);
        cc.on_timeout(10_000, 1000, true, Instant::ZERO, &config);
        assert_eq!((cc.cwnd, cc.ssthresh), (1000, 5000));
        cc.on_timeout(1000, 1000, false, Instant::ZERO, &config);
        assert_eq!(cc.ssthresh, 5000);
    }
}
