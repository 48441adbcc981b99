//! The retransmission timeout: RFC 6298, with Karn's algorithm.
//!
//! Owns SRTT, RTTVAR and the back-off. When to sample and when the timer runs is the connection's business.

use core::time::Duration;

use crate::config::Config;
use crate::mutant::Mutant;

/// The round-trip estimator of one connection.
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    srtt: Option<Duration>,
    rttvar: Duration,
    /// RTO before back-off.
    base: Duration,
    /// How many times the timer has been doubled since the last sample (RFC 6298 5.5).
    backoff: u32,
    /// The smallest sample of all, for RACK (RFC 8985 6.2).
    min: Option<Duration>,
}

impl RttEstimator {
    pub(crate) fn new(config: &Config) -> Self {
        // RFC 6298 2.1: until a measurement has been made, RTO is 1 second.
        let base =
            if config.is(Mutant::InitialRtoTooLow) { config.rto_initial / 10 } else { config.rto_initial };
        Self { srtt: None, rttvar: Duration::ZERO, base, backoff: 0, min: None }
    }

    /// Takes one measurement of a segment that was sent once only (RFC 6298 section 3).
    pub(crate) fn sample(&mut self, rtt: Duration, config: &Config) {
        if config.is(Mutant::RtoFixed) || (self.srtt.is_some() && config.is(Mutant::RttMeasuredOnce)) {
            return;
        }
        self.min = Some(self.min.map_or(rtt, |least| least.min(rtt)));
        match self.srtt {
            // RFC 6298 2.2
            None => {
                self.srtt = Some(rtt);
                self.rttvar = rtt / 2;
            }
            // RFC 6298 2.3: RTTVAR before SRTT; alpha 1/8, beta 1/4
            Some(srtt) => {
                let beta = if config.is(Mutant::RttWeightsWrong) { 2 } else { 4 };
                self.rttvar = weighted(self.rttvar, srtt.abs_diff(rtt), beta);
                self.srtt = Some(weighted(srtt, rtt, 8));
            }
        }
        let variance = if config.is(Mutant::RtoWithoutVariance) { Duration::ZERO } else { self.rttvar * 4 };
        let rto = self.srtt.unwrap_or(rtt) + variance.max(config.clock_granularity);
        // RFC 6298 2.4 and 2.5
        let floor =
            if config.is(Mutant::RtoMinimumIgnored) { Duration::from_millis(1) } else { config.rto_min };
        self.base = rto.clamp(floor, config.rto_max);
        if !config.is(Mutant::BackoffNeverReset) {
            self.backoff = 0;
        }
    }

    /// RFC 6298 5.5: the timer has expired, "back off the timer".
    pub(crate) fn back_off(&mut self, config: &Config) {
        if config.is(Mutant::RtoNoBackoff) {
            return;
        }
        self.backoff = (self.backoff + 1).min(16);
    }

    /// RFC 6298 5.7: the SYN's timer expired, so data transmission starts with an RTO of 3 seconds.
    pub(crate) fn restart_after_syn_loss(&mut self, config: &Config) {
        // There is no sample yet: which of the SYNs was acknowledged nobody knows (Karn).
        self.base = self.base.max(config.rto_after_syn_loss);
        self.backoff = 0;
    }

    /// The current timeout, backed off and bounded.
    pub(crate) fn rto(&self, config: &Config) -> Duration {
        if config.is(Mutant::BackoffLinear) {
            return (self.base * (self.backoff + 1)).min(config.rto_max);
        }
        let cap = if config.is(Mutant::RtoMaxTooLow) { config.rto_min * 4 } else { config.rto_max };
        self.base.saturating_mul(1 << self.backoff).min(cap)
    }

    pub(crate) fn srtt(&self) -> Option<Duration> {
        self.srtt
    }

    pub(crate) fn min(&self) -> Option<Duration> {
        self.min
    }
}

/// `(1 - 1/n) * old + 1/n * new`, in whole nanoseconds. No round trip takes centuries.
fn weighted(old: Duration, new: Duration, n: u64) -> Duration {
    let [old, new] = [old, new].map(|span| u64::try_from(span.as_nanos()).unwrap_or_default());
    Duration::from_nanos(old * (n - 1) / n + new / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_first_sample_sets_srtt_and_half_of_it_as_variance() {
        let config = Config { rto_min: MS(1), ..Config::default() };
        let mut rtt = RttEstimator::new(&config);
        assert_eq!(rtt.rto(&config), Duration::from_secs(1));
        rtt.sample(MS(100), &config);
        assert_eq!(rtt.srtt(), Some(MS(100)));
        assert_eq!(rtt.rto(&config), MS(300));
        rtt.sample(MS(100), &config);
        assert_eq!(rtt.rto(&config), MS(250));
    }

    #[test]
    fn the_timeout_doubles_until_the_cap_and_collapses_on_a_sample() {
        let config = Config::default();
        let mut rtt = RttEstimator::new(&config);
        let mut seen = Vec::new();
        for _ in 0..8 {
            seen.push(rtt.rto(&config).as_secs());
            rtt.back_off(&config);
        }
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 60, 60]);
        rtt.sample(MS(40), &config);
        assert_eq!(rtt.rto(&config), config.rto_min);
    }

    #[test]
    fn a_lost_syn_makes_the_first_data_timeout_three_seconds() {
        let config = Config::default();
        let mut rtt = RttEstimator::new(&config);
        rtt.back_off(&config);
        rtt.restart_after_syn_loss(&config);
        assert_eq!(rtt.rto(&config), Duration::from_secs(3));
    }
}
