//! The Internet checksum (RFC 1071) and the ways a packet may carry a wrong one.
//!
//! Owns the sum and the pseudo headers (RFC 9293 section 3.1, RFC 8200 section 8.1). Sums are kept in 64 bits:
//! pnet's are 32 bits wide and overflow on the oversized packets that a case may build on purpose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The checksum to put into a header. Parsing always yields `Exact`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// The correct one for the octets that are built.
    #[default]
    Auto,
    /// One that no receiver accepts.
    Bad,
    Exact(u16),
}

impl Checksum {
    #[must_use]
    pub fn resolve(self, correct: u16) -> u16 {
        match self {
            Self::Auto => correct,
            // Differs from `correct` in ones' complement too, where 0x0000 and 0xffff are the same number.
            Self::Bad => correct ^ 0x5555,
            Self::Exact(value) => value,
        }
    }

    /// Itself unless it is left to be worked out.
    #[must_use]
    pub fn or(self, default: Self) -> Self {
        match self {
            Self::Auto => default,
            Self::Bad | Self::Exact(_) => self,
        }
    }
}

/// A running ones' complement sum.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum(u64);

impl Sum {
    /// Adds octets that start on a 16-bit boundary; an odd tail is padded with zero.
    pub(super) fn add(mut self, octets: &[u8]) -> Self {
        for pair in octets.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            self.0 += u64::from(u16::from_be_bytes([pair[0], low]));
        }
        self
    }

    /// The pseudo header of an upper-layer protocol, or nothing where there is no IP header at all.
    pub(super) fn pseudo(ends: Option<(IpAddr, IpAddr)>, protocol: u8, len: usize) -> Self {
        let sum = match ends {
            None => return Self::default(),
            Some((src, dst)) => Self::default().address(src).address(dst),
        };
        Self(sum.0 + u64::from(protocol) + len as u64)
    }

    fn address(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => self.add(&v4.octets()),
            IpAddr::V6(v6) => self.add(&v6.octets()),
        }
    }

    fn folded(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).expect("folded to 16 bits")
    }

    /// The value for the checksum field, when the field itself was summed as zero.
    pub(super) fn finish(self) -> u16 {
        !self.folded()
    }

    /// What a receiver tests: everything, the checksum field included, sums to all ones.
    pub(super) fn is_valid(self) -> bool {
        self.folded() == 0xffff
    }

    /// The right value for a field that holds `seen` and was summed with the rest.
    pub(super) fn corrected(self, seen: u16) -> u16 {
        // Subtracting in ones' complement is adding the complement.
        Self(self.0 + u64::from(!seen)).finish()
    }
}

/// The Internet checksum of `octets`.
#[must_use]
pub fn internet_checksum(octets: &[u8]) -> u16 {
    Sum::default().add(octets).finish()
}

/// The addresses of a pseudo header where both are of one family; the unspecified address stands for a missing one.
pub(super) fn v4_ends(src: Option<Ipv4Addr>, dst: Option<Ipv4Addr>) -> (IpAddr, IpAddr) {
    (src.unwrap_or(Ipv4Addr::UNSPECIFIED).into(), dst.unwrap_or(Ipv4Addr::UNSPECIFIED).into())
}

/// As [`v4_ends`], for IPv6.
pub(super) fn v6_ends(src: Option<Ipv6Addr>, dst: Option<Ipv6Addr>) -> (IpAddr, IpAddr) {
    (src.unwrap_or(Ipv6Addr::UNSPECIFIED).into(), dst.unwrap_or(Ipv6Addr::UNSPECIFIED).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn example_of_rfc_1071() {
        let octets = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(internet_checksum(&octets), !0xddf2);
    }

    proptest! {
        #[test]
        fn agrees_with_pnet(octets in proptest::collection::vec(any::<u8>(), 1..300)) {
            let skip_nothing = usize::MAX;
            prop_assert_eq!(internet_checksum(&octets), pnet_packet::util::checksum(&octets, skip_nothing));
        }

        #[test]
        fn correct_is_accepted_and_bad_is_not(mut octets in proptest::collection::vec(any::<u8>(), 2..60)) {
            octets[..2].fill(0);
            let correct = internet_checksum(&octets);
            for (checksum, valid) in [(Checksum::Auto, true), (Checksum::Bad, false)] {
                let seen = checksum.resolve(correct);
                octets[..2].copy_from_slice(&seen.to_be_bytes());
                let sum = Sum::default().add(&octets);
                prop_assert_eq!(sum.is_valid(), valid);
                // -0 and +0 are one number; finish() never says which was meant.
                let fixed = sum.corrected(seen);
                prop_assert_eq!(fixed % 0xffff, correct % 0xffff);
            }
        }
    }
}
