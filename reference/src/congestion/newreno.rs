//! Congestion avoidance of RFC 5681 3.1: one segment for each window of acknowledged octets.

use super::Growth;
use crate::config::Config;
use crate::mutant::Mutant;

/// Octets acknowledged since the window last grew.
#[derive(Clone, Debug, Default)]
pub(super) struct NewReno {
    acked: u32,
}

impl NewReno {
    pub(super) fn avoid(&mut self, cwnd: &mut u32, growth: Growth, config: &Config) {
        let Growth { acked, smss, .. } = growth;
        if config.is(Mutant::ExtraAdditiveConstant) {
            // RFC 2525 2.6: the old BSD formula adds an eighth of a segment besides.
            *cwnd += smss * smss / (*cwnd).max(1) + smss / 8;
            return;
        }
        if config.is(Mutant::AvoidanceIsSlowStart) {
            *cwnd += acked.min(smss);
            return;
        }
        self.acked += acked.min(2 * smss);
        if self.acked >= *cwnd {
            self.acked -= *cwnd;
            *cwnd = cwnd.saturating_add(smss);
        }
    }
}
