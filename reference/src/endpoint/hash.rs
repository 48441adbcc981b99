//! The hash of the connection table: fast, and the same in every run.

use core::hash::Hasher;

/// Mixes the words of a four-tuple. Collisions that a peer could provoke cost time, not correctness.
#[derive(Debug, Default)]
pub(super) struct TupleHasher(u64);

impl Hasher for TupleHasher {
    fn write(&mut self, octets: &[u8]) {
        let (words, rest) = octets.as_chunks::<4>();
        for word in words {
            self.write_u32(u32::from_le_bytes(*word));
        }
        for octet in rest {
            self.write_u32(u32::from(*octet));
        }
    }

    /// The address family and the length of an address say nothing that its octets do not.
    fn write_isize(&mut self, _family: isize) {}

    /// See [`Self::write_isize`].
    fn write_usize(&mut self, _len: usize) {}

    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
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
    use core::net::SocketAddr;
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn neighbouring_tuples_spread() {
        let local: SocketAddr = "10.0.0.1:80".parse().unwrap();
        let build = BuildHasherDefault::<TupleHasher>::default();
        let low_bits: BTreeSet<u64> = (1..=1000u16)
            .map(|port| build.hash_one((local, SocketAddr::from(([10, 0, 0, 2], port)))) & 0xfff)
            .collect();
        assert!(low_bits.len() > 700, "{}", low_bits.len());
    }
}
