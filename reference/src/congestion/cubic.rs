//! CUBIC (RFC 9438): the window as a cubic function of the time since the last reduction.
//!
//! Integer arithmetic throughout, windows in octets and time in milliseconds, so that every machine computes the
//! same.

use super::Growth;
use crate::time::Instant;

/// beta_cubic = 0.7 (RFC 9438 4.6), in tenths.
const BETA: u64 = 7;

/// State between two reductions.
#[derive(Clone, Debug, Default)]
pub(super) struct Cubic {
    /// W_max, in octets.
    w_max: u64,
    /// When the present epoch of avoidance began, and K in milliseconds.
    epoch: Option<(Instant, u64)>,
    /// W_est, what Reno would have (RFC 9438 4.3), in octets.
    w_est: u64,
    /// cwnd when the epoch began.
    w_start: u64,
    /// Fractions of a segment that are owed, times cwnd.
    owed: u64,
    est_owed: u64,
}

impl Cubic {
    /// RFC 9438 4.6 and 4.7: remembers the maximum, with fast convergence, and returns ssthresh.
    pub(super) fn reduce(&mut self, cwnd: u32, flight: u32, _now: Instant) -> u32 {
        let cwnd = u64::from(cwnd);
        self.w_max = if cwnd < self.w_max { cwnd * (10 + BETA) / 20 } else { cwnd };
        self.epoch = None;
        u32::try_from(u64::from(flight) * BETA / 10).unwrap_or(u32::MAX)
    }

    /// RFC 9438 4.2: an idle period does not count as time since the reduction.
    pub(super) fn restart(&mut self) {
        self.epoch = None;
    }

    /// RFC 9438 4.2 to 4.5.
    pub(super) fn avoid(&mut self, cwnd: &mut u32, growth: Growth, _ssthresh: u32) {
        let Growth { acked, smss, now, srtt } = growth;
        let smss = u64::from(smss);
        let current = u64::from(*cwnd);
        let (start, k) = match self.epoch {
            Some(epoch) => epoch,
            None => {
                self.w_start = current;
                self.w_max = self.w_max.max(current);
                self.w_est = current;
                // K = cbrt((W_max - cwnd) / C) seconds with C = 0.4 and windows in segments; in milliseconds the
                // cube is 1e9 times as large.
                let k = cbrt((self.w_max - current) * 10_000_000_000 / (4 * smss));
                *self.epoch.insert((now, k))
            }
        };
        let elapsed = (now.since(start) + srtt).as_millis() as u64;
        let target = self.w_cubic(elapsed, k, smss).clamp(current, current * 3 / 2);
        // RFC 9438 4.3: alpha = 3 * (1 - beta) / (1 + beta) until W_max is reached again, then 1.
        let (up, down) = if self.w_est < self.w_max { (9, 17) } else { (1, 1) };
        self.est_owed += u64::from(acked) * smss * up / down;
        self.w_est += self.est_owed / current.max(1);
        self.est_owed %= current.max(1);
        if self.w_est > target {
            *cwnd = u32::try_from(self.w_est.min(current * 3 / 2)).unwrap_or(u32::MAX);
            return;
        }
        // RFC 9438 4.4 and 4.5: (target - cwnd) / cwnd for each acknowledged segment.
        self.owed += (target - current) * u64::from(acked).min(2 * smss);
        *cwnd = u32::try_from(current + self.owed / current.max(1)).unwrap_or(u32::MAX);
        self.owed %= current.max(1);
    }

    /// W_cubic(t) = C * (t - K)^3 + W_max, with t and K in milliseconds and the result in octets.
    fn w_cubic(&self, elapsed: u64, k: u64, smss: u64) -> u64 {
        let cube = |span: u64| {
            let span = u128::from(span.min(1_000_000));
            u64::try_from(span * span * span * 4 * u128::from(smss) / 10_000_000_000).unwrap_or(u64::MAX)
        };
        if elapsed < k {
            self.w_max.saturating_sub(cube(k - elapsed))
        } else {
            self.w_max.saturating_add(cube(elapsed - k))
        }
    }
}

/// Integer cube root, rounded down.
fn cbrt(value: u64) -> u64 {
    let (mut low, mut high) = (0u64, 2_642_246);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if u128::from(middle).pow(3) <= u128::from(value) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn the_cube_root_is_exact() {
        for n in [0u64, 1, 7, 8, 26, 27, 999, 1000, 1_000_000_000] {
            let root = cbrt(n);
            assert!(root.pow(3) <= n && (root + 1).pow(3) > n);
        }
    }

    #[test]
    fn the_window_returns_to_its_maximum_after_k_and_is_flat_there() {
        let mut cubic = Cubic::default();
        let smss = 1000u32;
        let mut cwnd = 1_000_000u32;
        let ssthresh = cubic.reduce(cwnd, cwnd, Instant::ZERO);
        assert_eq!(ssthresh, 700_000);
        cwnd = ssthresh;
        // K = cbrt(300 / 0.4) = 9.1 s, or 45 round trips; Reno would be far behind by then.
        let rtt = Duration::from_millis(200);
        let mut now = Instant::ZERO;
        let mut at = Vec::new();
        for _ in 0..46 {
            for _ in 0..cwnd / smss {
                cubic.avoid(&mut cwnd, Growth { acked: smss, smss, now, srtt: rtt }, ssthresh);
            }
            now = now + rtt;
            at.push(cwnd);
        }
        assert!(at.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!((980_000..1_010_000).contains(&at[45]), "{}", at[45]);
        assert!(at[10] - at[0] > 4 * (at[45] - at[35]), "steep first, flat at the end");
    }
}
