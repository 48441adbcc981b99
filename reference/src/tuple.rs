//! The two ends of a connection, packed as its name in the connection table, and the hash of that name.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::isn::Secret;

/// The two ends of a connection.
///
/// Addresses are numbers here, so that comparing and hashing takes no branches. An IPv4 address and the IPv6 address of
/// the same number differ in the family beside the ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tuple {
    /// Local and remote address, the upper half of each first.
    addresses: [u64; 4],
    /// 4 or 6, the local port and the remote port.
    ports: u64,
}

const V4: u64 = 4;
const V6: u64 = 6;

impl Tuple {
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
        let (ours, theirs) = (number(local.0), number(remote.0));
        let family = if local.0.is_ipv4() { V4 } else { V6 };
        Self {
            addresses: [(ours >> 64) as u64, ours as u64, (theirs >> 64) as u64, theirs as u64],
            ports: family << 32 | u64::from(local.1) << 16 | u64::from(remote.1),
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        let [high, low, ..] = self.addresses;
        self.socket(high, low, (self.ports >> 16) as u16)
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        let [.., high, low] = self.addresses;
        self.socket(high, low, self.ports as u16)
    }

    fn socket(&self, high: u64, low: u64, port: u16) -> SocketAddr {
        let ip = match self.is_ipv4() {
            true => IpAddr::V4(Ipv4Addr::from(low as u32)),
            false => IpAddr::V6(Ipv6Addr::from(u128::from(high) << 64 | u128::from(low))),
        };
        SocketAddr::new(ip, port)
    }

    #[inline]
    pub(crate) fn is_ipv4(&self) -> bool {
        self.ports >> 32 == V4
    }

    /// Where the connection table looks first. Keyed: whoever chooses addresses and ports does not choose places, which
    /// is what would make all lookups slow.
    #[inline]
    pub(crate) fn hash(&self, secret: &Secret) -> u32 {
        let [a, b, c, d] = self.addresses;
        let [first, second] = secret.table_key();
        let folded = fold(fold(a ^ first, b ^ second) ^ c ^ first, d ^ second);
        let word = fold(folded ^ self.ports, first | 1);
        (word ^ word >> 32) as u32
    }
}

/// Both halves of the product of two words: each bit of either reaches all of it.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ends() -> Vec<(SocketAddr, SocketAddr)> {
        let ends = ["10.0.0.1:80", "10.0.0.1:81", "10.0.0.2:80", "[::a00:1]:80", "[::ffff:10.0.0.1]:80"];
        let ends: Vec<SocketAddr> = ends.iter().map(|end| end.parse().unwrap()).collect();
        let pairs = ends.iter().flat_map(|local| ends.iter().map(move |remote| (*local, *remote)));
        pairs.filter(|(local, remote)| remote.is_ipv4() == local.is_ipv4()).collect()
    }

    #[test]
    fn neighbouring_tuples_spread_and_another_key_spreads_them_otherwise() {
        let local: SocketAddr = "10.0.0.1:80".parse().unwrap();
        let hashes = |seed, remotes: &mut dyn Iterator<Item = SocketAddr>| -> Vec<u32> {
            let secret = Secret::new(seed);
            remotes.map(|remote| Tuple::new(local, remote).hash(&secret)).collect()
        };
        let distinct = |hashes: &[u32]| hashes.iter().map(|hash| hash & 0xfff).collect::<BTreeSet<_>>().len();
        let mut by_port = (1..=1000u16).map(|port| SocketAddr::from(([10, 0, 0, 2], port)));
        let mut by_host = (0..1000u16).map(|n| SocketAddr::from(([10, 1, (n >> 8) as u8, n as u8], 80)));
        for remotes in [&mut by_port as &mut dyn Iterator<Item = SocketAddr>, &mut by_host] {
            let remotes: Vec<SocketAddr> = remotes.collect();
            let [one, other] = [1, 2].map(|seed| hashes(seed, &mut remotes.iter().copied()));
            // A thousand balls in 4096 bins leave 887 bins with a ball, on the average.
            assert!(
                distinct(&one) > 850 && distinct(&other) > 850,
                "{} {}",
                distinct(&one),
                distinct(&other)
            );
            assert!(one.iter().zip(&other).filter(|(one, other)| one == other).count() < 5);
        }
    }

    #[test]
    fn no_two_pairs_of_ends_share_a_name_and_a_name_says_its_ends() {
        let mut names = Vec::new();
        for (local, remote) in ends() {
            let name = Tuple::new(local, remote);
            assert!(!names.contains(&name), "{local} {remote}");
            assert_eq!((name.local(), name.remote(), name.is_ipv4()), (local, remote, local.is_ipv4()));
            names.push(name);
        }
    }
}
