//! The Internet checksum (RFC 1071) and TCP's pseudo-header (RFC 9293 3.1, RFC 8200 8.1).

use core::net::IpAddr;

/// A running one's complement sum. Octets may be added in pieces; only the last piece may be odd, or see
/// `Sum::append`.
///
/// The words are added in the byte order of the machine and swapped once at the end (RFC 1071 section 2 (B)), and
/// many at a time, with room for what is carried (2 (C)).
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

/// Words of 32 bits that are summed side by side, so that the compiler can use vectors.
const LANES: usize = 4;
const BLOCK: usize = 4 * LANES;

/// Sums over words of 32 bits. What a lane carries out is lost, and yet nothing is: with the sum of the upper halves
/// known, the whole sum tells that of the lower ones, so the loop need not cut them out. Right for up to 2^16 words in a lane,
/// many times what a packet has.
#[inline(always)]
fn halves(whole: [u32; LANES], upper: [u32; LANES]) -> u64 {
    let mut sum = 0;
    for lane in 0..LANES {
        let lower = whole[lane].wrapping_sub(upper[lane] << 16);
        sum += u64::from(lower) + u64::from(upper[lane]);
    }
    sum
}

/// Copies blocks and adds them on the way: one pass over the octets in place of two.
#[inline(never)]
fn copy_blocks(from: &[[u8; BLOCK]], to: &mut [[u8; BLOCK]]) -> u64 {
    let (mut whole, mut upper) = ([0u32; LANES], [0u32; LANES]);
    for (from, to) in from.iter().zip(to) {
        let (from, _) = from.as_chunks::<4>();
        let (to, _) = to.as_chunks_mut::<4>();
        let words: [u32; LANES] = core::array::from_fn(|lane| u32::from_ne_bytes(from[lane]));
        for lane in 0..LANES {
            to[lane] = words[lane].to_ne_bytes();
            whole[lane] = whole[lane].wrapping_add(words[lane]);
            upper[lane] = upper[lane].wrapping_add(words[lane] >> 16);
        }
    }
    halves(whole, upper)
}

impl Sum {
    /// Adds octets as words, the last one padded with a zero on the right.
    pub fn add(&mut self, octets: &[u8]) {
        let (words, rest) = octets.as_chunks::<4>();
        debug_assert!(words.len() <= 1 << 16, "a packet is shorter");
        let (whole, upper) = words.iter().fold((0u32, 0u32), |(whole, upper), word| {
            let word = u32::from_ne_bytes(*word);
            (whole.wrapping_add(word), upper.wrapping_add(word >> 16))
        });
        self.0 += halves([whole, 0, 0, 0], [upper, 0, 0, 0]);
        self.add_few(rest);
    }

    /// Copies `from` to `to`, which is as long, and adds it on the way.
    pub(crate) fn add_copied(&mut self, from: &[u8], to: &mut [u8]) {
        let (blocks, rest) = from.as_chunks::<BLOCK>();
        let (to_blocks, to_rest) = to.as_chunks_mut::<BLOCK>();
        self.0 += copy_blocks(blocks, to_blocks);
        let (words, few) = rest.as_chunks::<4>();
        let (to_words, to_few) = to_rest.as_chunks_mut::<4>();
        for (to, from) in to_words.iter_mut().zip(words) {
            *to = *from;
            self.0 += u64::from(u32::from_ne_bytes(*from));
        }
        if !few.is_empty() {
            to_few.copy_from_slice(few);
            self.add_few(few);
        }
    }

    /// The same for text in two pieces, as a ring buffer holds it. What was added before is of an even length.
    pub(crate) fn add_text(&mut self, text: (&[u8], &[u8]), to: &mut [u8]) {
        let (first, second) = to.split_at_mut(text.0.len());
        self.add_copied(text.0, first);
        if !second.is_empty() {
            let mut rest = Self::default();
            rest.add_copied(text.1, second);
            self.append(first.len(), rest);
        }
    }

    /// The same for the few octets of a header.
    #[inline]
    pub(crate) fn add_few(&mut self, octets: &[u8]) {
        let (fours, rest) = octets.as_chunks::<4>();
        self.0 += fours.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum::<u64>();
        if rest.is_empty() {
            return;
        }
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.0 += u64::from(u32::from_ne_bytes(last));
    }

    /// The same for 32 bits of a header that are not yet in memory.
    #[inline]
    pub(crate) fn add_word(&mut self, word: u32) {
        self.0 += u64::from(word.to_be());
    }

    /// Adds the sum of what follows `len` octets of the packet. Behind an odd number of octets every word lies
    /// across two, so its halves change places (RFC 1071 section 2 (B)).
    pub(crate) fn append(&mut self, len: usize, next: Self) {
        let next = next.folded();
        self.0 += u64::from(if len.is_multiple_of(2) { next } else { next.swap_bytes() });
    }

    /// Adds the pseudo-header of an upper-layer packet.
    #[inline]
    pub fn add_pseudo_header(&mut self, source: IpAddr, destination: IpAddr, protocol: u8, len: usize) {
        for address in [source, destination] {
            match address {
                IpAddr::V4(ip) => self.add_word(ip.to_bits()),
                IpAddr::V6(ip) => self.add_few(&ip.octets()),
            }
        }
        self.add_word(len as u32);
        self.add_word(u32::from(protocol));
    }

    fn folded(self) -> u16 {
        // Each step halves the width, and the last ones take in what the ones before carried.
        let sum = (self.0 >> 32) + (self.0 & 0xffff_ffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        let sum = (sum >> 16) + (sum & 0xffff);
        sum as u16
    }

    /// The complement of the folded sum: the field's value, or 0 if a sum over a valid packet was taken.
    #[must_use]
    #[inline]
    pub fn finish(self) -> u16 {
        !u16::from_be_bytes(self.folded().to_ne_bytes())
    }
}

/// The checksum of one run of octets.
#[must_use]
#[inline]
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

    /// RFC 1071 section 1, word by word.
    fn plain(octets: &[u8]) -> u16 {
        let words = octets.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(*two.get(1).unwrap_or(&0)));
        let mut sum: u32 = words.sum();
        while sum > 0xffff {
            sum = (sum >> 16) + (sum & 0xffff);
        }
        !(sum as u16)
    }

    #[test]
    fn every_length_cut_and_copy_sums_like_the_plain_rule() {
        let octets: Vec<u8> = (0..400u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for len in 0..octets.len() {
            let octets = &octets[..len];
            assert_eq!(of(octets), plain(octets), "{len}");
            let cut = len / 3;
            let mut copy = vec![0; len];
            let (mut first, mut second) = (Sum::default(), Sum::default());
            first.add_copied(&octets[..cut], &mut copy[..cut]);
            second.add_copied(&octets[cut..], &mut copy[cut..]);
            first.append(cut, second);
            assert_eq!((first.finish(), &copy[..]), (plain(octets), octets), "{len} cut at {cut}");
        }
        assert_eq!(of(&[0xff; 65535]), plain(&[0xff; 65535]));
    }
}
