//! State kept by the peer instead of by us: SYN cookies (RFC 4987 3.6) and Fast Open cookies (RFC 7413 4.1).

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;

use crate::isn::{Purpose, Secret};
use crate::seq::SeqNum;
use crate::time::Instant;
use crate::wire::FastOpen;

/// The sizes a SYN cookie can remember: three bits.
const SIZES: [u16; 8] = [64, 256, 536, 1024, 1220, 1440, 1460, 8940];
/// How long one value of the counter lasts. A cookie is good in its own period and the next.
const PERIOD: Duration = Duration::from_secs(64);

/// How long after the last cookie one may still come back.
pub(crate) const SYN_COOKIE_LIFETIME: Duration = Duration::from_secs(128);

/// The ends of the connection and the peer's ISN: what a SYN cookie stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) irs: SeqNum,
}

impl Claim {
    fn seal(self, secret: &Secret, period: u64, size: u32) -> u32 {
        let extra = u64::from(self.irs.0) | (period << 35) | (u64::from(size) << 32);
        secret.hash(Purpose::SynCookie, self.local, self.remote, extra) as u32 & 0x00ff_ffff
    }

    /// The ISS that says all this: five bits of counter, three of size, the rest a keyed hash. Nothing for a size
    /// below all that a cookie can remember: segments would be too long for the peer (MUST-16).
    pub(crate) fn syn_cookie(self, secret: &Secret, now: Instant, mss: u16) -> Option<SeqNum> {
        let size = SIZES.iter().rposition(|&size| size <= mss)? as u32;
        let period = period_of(now);
        Some(SeqNum(((period as u32 & 0x1f) << 27) | (size << 24) | self.seal(secret, period, size)))
    }

    /// The MSS, if the number is a cookie of ours that has not grown old.
    pub(crate) fn check_syn_cookie(self, secret: &Secret, now: Instant, cookie: SeqNum) -> Option<u16> {
        let size = (cookie.0 >> 24) & 7;
        let current = period_of(now);
        let period = [current, current.wrapping_sub(1)]
            .into_iter()
            .find(|&period| period as u32 & 0x1f == cookie.0 >> 27)?;
        (self.seal(secret, period, size) == cookie.0 & 0x00ff_ffff).then_some(SIZES[size as usize])
    }
}

fn period_of(now: Instant) -> u64 {
    now.as_micros() / PERIOD.as_micros() as u64
}

/// The Fast Open cookie of a client's address: eight octets that only we can make (RFC 7413 4.1.2).
pub(crate) fn fast_open_cookie(secret: &Secret, local: IpAddr, remote: IpAddr) -> FastOpen {
    let hash = secret.hash(Purpose::FastOpen, SocketAddr::new(local, 0), SocketAddr::new(remote, 0), 0);
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&hash.to_be_bytes());
    FastOpen::Cookie { octets, len: 8 }
}

/// What a client remembers of servers (RFC 7413 4.1.3). Bounded: the lowest address makes room.
#[derive(Debug, Default)]
pub(crate) struct FastOpenCache {
    servers: BTreeMap<IpAddr, (FastOpen, u16)>,
    /// Who did not take it, and until when it is not tried again.
    refused: BTreeMap<IpAddr, Instant>,
}

impl FastOpenCache {
    const CAPACITY: usize = 1024;

    pub(crate) fn remember(&mut self, server: IpAddr, cookie: FastOpen, mss: u16) {
        if self.servers.len() >= Self::CAPACITY && !self.servers.contains_key(&server) {
            self.servers.pop_first();
        }
        self.servers.insert(server, (cookie, mss));
    }

    /// A negative response (RFC 7413 4.1.3.1).
    pub(crate) fn refuse(&mut self, server: IpAddr, until: Instant) {
        if self.refused.len() >= Self::CAPACITY && !self.refused.contains_key(&server) {
            self.refused.pop_first();
        }
        self.refused.insert(server, until);
    }

    pub(crate) fn is_refused(&self, server: IpAddr, now: Instant) -> bool {
        self.refused.get(&server).is_some_and(|&until| now < until)
    }

    pub(crate) fn get(&self, server: IpAddr) -> Option<(FastOpen, u16)> {
        self.servers.get(&server).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syn_cookie_is_good_for_its_own_claim_and_two_periods() {
        let secret = Secret::new(3);
        let claim = Claim {
            local: "10.0.0.1:80".parse().unwrap(),
            remote: "10.0.0.2:4000".parse().unwrap(),
            irs: SeqNum(77),
        };
        let now = Instant::from_millis(1_000_000);
        assert_eq!(claim.syn_cookie(&secret, now, 63), None);
        let cookie = claim.syn_cookie(&secret, now, 1400).unwrap();
        assert_eq!(claim.check_syn_cookie(&secret, now, cookie), Some(1220));
        assert_eq!(claim.check_syn_cookie(&secret, now + PERIOD, cookie), Some(1220));
        assert_eq!(claim.check_syn_cookie(&secret, now + PERIOD * 2, cookie), None);
        assert_eq!(claim.check_syn_cookie(&secret, now, cookie + 1), None);
        let other = Claim { irs: SeqNum(78), ..claim };
        assert_eq!(other.check_syn_cookie(&secret, now, cookie), None);
    }

    #[test]
    fn the_cache_of_servers_is_bounded() {
        let mut cache = FastOpenCache::default();
        for n in 0..2000u32 {
            cache.remember(IpAddr::V4(n.into()), FastOpen::Request, 536);
            cache.refuse(IpAddr::V4(n.into()), Instant::from_millis(10));
        }
        assert_eq!(cache.servers.len(), FastOpenCache::CAPACITY);
        assert_eq!(cache.refused.len(), FastOpenCache::CAPACITY);
        let last = IpAddr::V4(1999.into());
        assert!(cache.is_refused(last, Instant::from_millis(9)));
        assert!(!cache.is_refused(last, Instant::from_millis(10)));
    }
}
