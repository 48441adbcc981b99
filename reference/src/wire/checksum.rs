//! The Internet checksum (RFC 1071) and TCP's pseudo-header (RFC 9293 3.1, RFC 8200 8.1).

use core::net::IpAddr;

/// A running one's complement sum. Octets may be added in pieces; only the last piece may be odd.
///
/// The words are added in the byte order of the machine and swapped once at the end (RFC 1071 section 2 (B)), and
/// many at a time, with room for what is carried (2 (C)).
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Adds octets as words, the last one padded with a zero on the right.
    pub fn add(&mut self, octets: &[u8]) {
        let halves = |eight: [u8; 8]| {
            let word = u64::from_ne_bytes(eight);
            (word & 0xffff_ffff) + (word >> 32)
        };
        let (eights, rest) = octets.as_chunks::<8>();
        let (twos, odd) = rest.as_chunks::<2>();
        let pair = |two: [u8; 2]| u64::from(u16::from_ne_bytes(two));
        self.0 +=
            eights.iter().copied().map(halves).sum::<u64>() + twos.iter().copied().map(pair).sum::<u64>();
        if let Some(&last) = odd.first() {
            self.0 += pair([last, 0]);
        }
    }

    /// Adds the pseudo-header of an upper-layer packet.
    pub fn add_pseudo_header(&mut self, source: IpAddr, destination: IpAddr, protocol: u8, len: usize) {
        for address in [source, destination] {
            match address {
                IpAddr::V4(ip) => self.add(&ip.octets()),
                IpAddr::V6(ip) => self.add(&ip.octets()),
            }
        }
        let [a, b, c, d] = (len as u32).to_be_bytes();
        self.add(&[a, b, c, d, 0, 0, 0, protocol]);
    }

    /// The complement of the folded sum: the field's value, or 0 if a sum over a valid packet was taken.
    #[must_use]
    pub fn finish(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum >> 16) + (sum & 0xffff);
        }
        !u16::from_be_bytes((sum as u16).to_ne_bytes())
    }
}

/// The checksum of one run of octets.
#[must_use]
pub fn of(octets: &[u8]) -> u16 {
    let mut sum = Sum::default();
    sum.add(octets);
    sum.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_sums_to_ddf2() {
        let octets = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(!of(&octets), 0xddf2);
    }

    #[test]
    fn an_odd_octet_counts_as_the_high_half_of_a_word() {
        assert_eq!(of(&[0xab]), of(&[0xab, 0x00]));
        assert_eq!(of(&[1, 2, 3, 4, 5]), of(&[1, 2, 3, 4, 5, 0]));
        assert_ne!(of(&[0xab]), of(&[0x00, 0xab]));
    }

    #[test]
    fn a_packet_with_its_checksum_in_place_sums_to_zero() {
        let mut octets = [0x45, 0x00, 0x00, 0x14, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let sum = of(&octets);
        octets[10..12].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(of(&octets), 0);
    }
}
