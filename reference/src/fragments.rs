//! Putting IP fragments together again (RFC 791 section 3.2, RFC 8200 section 4.5), which is done before TCP sees
//! anything.
//!
//! Bounded in number and in age. Where two fragments of one packet overlap the packet is given up (RFC 5722).

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use crate::config::Config;
use crate::mutant::Mutant;
use crate::time::Instant;
use crate::wire::checksum;
use crate::wire::ip::{self, Fragment};

/// How long the first fragment waits for the last (RFC 8200 section 4.5).
const LIFETIME: Duration = Duration::from_secs(60);
/// Packets that may wait at once.
const CAPACITY: usize = 16;

/// Which packet a fragment is of.
type Key = (IpAddr, IpAddr, u8, u32);

/// One packet that is not whole yet.
#[derive(Debug)]
struct Partial {
    since: Instant,
    /// The headers of the first fragment, without what makes it one.
    header: Vec<u8>,
    pieces: BTreeMap<usize, Vec<u8>>,
    len: Option<usize>,
}

/// All that wait.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    waiting: BTreeMap<Key, Partial>,
}

impl Fragments {
    /// Takes a fragment; gives the packet if this was the last one missing.
    pub(crate) fn take(&mut self, now: Instant, fragment: &Fragment<'_>, config: &Config) -> Option<Vec<u8>> {
        self.waiting.retain(|_, partial| now.since(partial.since) < LIFETIME);
        let key = (fragment.source, fragment.destination, fragment.protocol, fragment.id);
        if self.waiting.len() >= CAPACITY && !self.waiting.contains_key(&key) {
            return None;
        }
        let partial = self.waiting.entry(key).or_insert_with(|| Partial {
            since: now,
            header: Vec::new(),
            pieces: BTreeMap::new(),
            len: None,
        });
        let in_order = config.is(Mutant::FragmentsInOrderOnly);
        let at = if in_order { partial.pieces.values().map(Vec::len).sum() } else { fragment.offset };
        if !partial.insert(at, fragment) {
            self.waiting.remove(&key);
            return None;
        }
        if fragment.offset == 0 {
            partial.header = fragment.header.clone();
        }
        if !fragment.more {
            partial.len = Some(at + fragment.payload.len());
        }
        if !partial.is_whole() {
            return None;
        }
        self.waiting.remove(&key).map(Partial::packet)
    }
}

impl Partial {
    /// False where it overlaps another and is not the same again.
    fn insert(&mut self, at: usize, fragment: &Fragment<'_>) -> bool {
        let end = at + fragment.payload.len();
        if self.pieces.get(&at).is_some_and(|piece| piece == fragment.payload) {
            return true;
        }
        let apart = |(&start, piece): (&usize, &Vec<u8>)| start >= end || start + piece.len() <= at;
        // All but the last are cut at a multiple of eight.
        let cut_well = !fragment.more || fragment.payload.len().is_multiple_of(8);
        if !self.pieces.iter().all(apart) || !cut_well || end > usize::from(u16::MAX) {
            return false;
        }
        self.pieces.insert(at, fragment.payload.to_vec());
        true
    }

    fn is_whole(&self) -> bool {
        let held: usize = self.pieces.values().map(Vec::len).sum();
        !self.header.is_empty() && self.len == Some(held)
    }

    /// The packet as if it had come whole.
    fn packet(self) -> Vec<u8> {
        let mut octets = self.header;
        let header = octets.len();
        octets.extend(self.pieces.into_values().flatten());
        if octets[0] >> 4 == 4 {
            let total = octets.len() as u16;
            octets[2..4].copy_from_slice(&total.to_be_bytes());
            octets[6..8].fill(0);
            octets[10..12].fill(0);
            let sum = checksum::of(&octets[..header]);
            octets[10..12].copy_from_slice(&sum.to_be_bytes());
        } else {
            let len = (octets.len() - 40) as u16;
            octets[4..6].copy_from_slice(&len.to_be_bytes());
        }
        octets
    }
}

/// Whether the packet is a fragment, and what of it is.
pub(crate) fn of(octets: &[u8]) -> Option<Fragment<'_>> {
    ip::fragment(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::IpPacket;
    use crate::wire::ip::{Ecn, HeaderFields};

    const TEXT: &[u8; 40] = b"The quick brown fox jumps over a lazy d.";

    fn pieces(source: &str, destination: &str) -> Vec<Vec<u8>> {
        let fields = HeaderFields { hops: 64, dscp: 0, ecn: Ecn::NotEct, identification: 7 };
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        let cut = |(index, text): (usize, &[u8])| {
            let more = index < 2;
            let mut octets = Vec::new();
            let v6 = ip::header_len(source) == 40;
            ip::emit(&mut octets, source, destination, fields, text.len() + if v6 { 8 } else { 0 });
            if v6 {
                octets[6] = 44;
                let word = (index as u16 * 16) | u16::from(more);
                octets.extend_from_slice(&[ip::PROTOCOL_TCP, 0]);
                octets.extend_from_slice(&word.to_be_bytes());
                octets.extend_from_slice(&7u32.to_be_bytes());
            } else {
                let word = (index as u16 * 2) | (u16::from(more) << 13);
                octets[6..8].copy_from_slice(&word.to_be_bytes());
                octets[10..12].fill(0);
                let sum = checksum::of(&octets[..20]);
                octets[10..12].copy_from_slice(&sum.to_be_bytes());
            }
            octets.extend_from_slice(text);
            octets
        };
        TEXT.chunks(16).enumerate().map(cut).collect()
    }

    #[test]
    fn fragments_in_any_order_make_the_packet() {
        for ends in [("10.1.2.3", "10.4.5.6"), ("2001:db8::1", "2001:db8::2")] {
            let pieces = pieces(ends.0, ends.1);
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let mut fragments = Fragments::default();
                let take = |fragments: &mut Fragments, at: usize| {
                    let fragment = of(&pieces[at]).expect("it is a fragment");
                    fragments.take(Instant::ZERO, &fragment, &Config::default())
                };
                assert_eq!(take(&mut fragments, order[0]), None);
                assert_eq!(take(&mut fragments, order[0]), None, "the same again does no harm");
                assert_eq!(take(&mut fragments, order[1]), None);
                let whole = take(&mut fragments, order[2]).expect("nothing is missing");
                assert_eq!(IpPacket::parse(&whole).unwrap().payload, TEXT);
                assert!(of(&whole).is_none());
            }
        }
    }

    #[test]
    fn what_overlaps_or_is_too_old_is_given_up() {
        let pieces = pieces("10.1.2.3", "10.4.5.6");
        let config = Config::default();
        let mut fragments = Fragments::default();
        let first = of(&pieces[0]).unwrap();
        let overlapping = Fragment { offset: 8, ..of(&pieces[1]).unwrap() };
        assert_eq!(fragments.take(Instant::ZERO, &first, &config), None);
        assert_eq!(fragments.take(Instant::ZERO, &overlapping, &config), None);
        assert!(fragments.waiting.is_empty());
        assert_eq!(fragments.take(Instant::ZERO, &first, &config), None);
        let later = Instant::ZERO + LIFETIME;
        assert_eq!(fragments.take(later, &of(&pieces[1]).unwrap(), &config), None);
        assert_eq!(fragments.take(later, &of(&pieces[2]).unwrap(), &config), None);
    }
}
