//! The key of the connection table and its hash: fast, and the same in every run.

use core::hash::{Hash, Hasher};
use core::net::{IpAddr, SocketAddr};

/// The two ends of a connection, local and remote, as numbers that are made and compared in a few instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TupleKey {
    local: u128,
    remote: u128,
    /// Both ports, and above them the address family.
    ports: u64,
}

impl TupleKey {
    #[inline]
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        Self::of((local.ip(), local.port()), (remote.ip(), remote.port()))
    }

    #[inline]
    pub(crate) fn of(local: (IpAddr, u16), remote: (IpAddr, u16)) -> Self {
        let number = |address| match address {
            IpAddr::V4(ip) => u128::from(u32::from(ip)),
            IpAddr::V6(ip) => u128::from(ip),
        };
        let family = if local.0.is_ipv4() { 4 } else { 6 };
        Self {
            local: number(local.0),
            remote: number(remote.0),
            ports: family << 32 | u64::from(local.1) << 16 | u64::from(remote.1),
        }
    }
}

impl Hash for TupleKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { local, remote, ports } = *self;
        for address in [local, remote] {
            state.write_u64(address as u64 ^ (address >> 64) as u64);
        }
        state.write_u64(ports);
    }
}

/// Mixes the words of a four-tuple. Collisions that a peer could provoke cost time, not correctness.
#[derive(Debug, Default)]
pub(crate) struct TupleHasher(u64);

impl Hasher for TupleHasher {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u64(u64::from(*octet));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use core::hash::{BuildHasher, BuildHasherDefault};
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn neighbouring_tuples_spread() {
        let local: SocketAddr = "10.0.0.1:80".parse().unwrap();
        let build = BuildHasherDefault::<TupleHasher>::default();
        let low_bits: BTreeSet<u64> = (1..=1000u16)
            .map(|port| build.hash_one(TupleKey::new(local, ([10, 0, 0, 2], port).into())) & 0xfff)
            .collect();
        assert!(low_bits.len() > 700, "{}", low_bits.len());
    }

    #[test]
    fn no_two_pairs_of_ends_share_a_key() {
        let ends = ["10.0.0.1:80", "10.0.0.1:81", "10.0.0.2:80", "[::a00:1]:80", "[::ffff:10.0.0.1]:80"];
        let ends: Vec<SocketAddr> = ends.iter().map(|end| end.parse().unwrap()).collect();
        let mut keys = Vec::new();
        for local in &ends {
            for remote in ends.iter().filter(|remote| remote.is_ipv4() == local.is_ipv4()) {
                let key = TupleKey::new(*local, *remote);
                assert!(!keys.contains(&key), "{local} {remote}");
                keys.push(key);
            }
        }
    }
}
