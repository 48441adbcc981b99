//! IPv4 and IPv6 headers, as far as TCP needs them (RFC 791, RFC 8200).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::checksum::Sum;
use super::{Malformed, be16, halves, put_words};

/// Protocol numbers.
pub const PROTOCOL_ICMP: u8 = 1;
/// TCP.
pub const PROTOCOL_TCP: u8 = 6;
/// ICMP for IPv6.
pub const PROTOCOL_ICMPV6: u8 = 58;

/// Length of the headers that [`emit`] writes.
#[must_use]
pub const fn header_len(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(_) => 20,
        IpAddr::V6(_) => 40,
    }
}

/// The ECN field (RFC 3168 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ecn {
    /// The sender is not ECN-capable.
    #[default]
    NotEct = 0b00,
    /// ECN-capable, codepoint ECT(1).
    Ect1 = 0b01,
    /// ECN-capable, codepoint ECT(0).
    Ect0 = 0b10,
    /// A router on the path saw congestion.
    Ce = 0b11,
}

impl Ecn {
    fn from_traffic_class(class: u8) -> Self {
        match class & 0b11 {
            0b00 => Self::NotEct,
            0b01 => Self::Ect1,
            0b10 => Self::Ect0,
            _ => Self::Ce,
        }
    }
}

/// An IP packet whose upper layer is TCP or ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPacket<'a> {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// TCP, ICMP or ICMPv6.
    pub protocol: u8,
    /// The ECN field.
    pub ecn: Ecn,
    /// What follows the headers, without link-layer padding.
    pub payload: &'a [u8],
}

impl<'a> IpPacket<'a> {
    /// Whether the checksum of the TCP segment that is the payload verifies (MUST-3).
    pub(crate) fn is_intact(&self) -> bool {
        let mut sum = self.pseudo_header();
        sum.add(self.payload);
        sum.finish() == 0
    }

    /// The sum of the pseudo-header of the payload.
    #[inline]
    pub(crate) fn pseudo_header(&self) -> Sum {
        let mut sum = Sum::default();
        sum.add_pseudo_header(self.source, self.destination, PROTOCOL_TCP, self.payload.len());
        sum
    }

    /// Reads a whole packet.
    ///
    /// # Errors
    /// [`Malformed`] for anything that is not a whole, unfragmented IPv4 or IPv6 packet.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        match octets.first().ok_or(Malformed::Truncated)? >> 4 {
            4 => Self::parse_v4(octets),
            6 => Self::parse_v6(octets),
            _ => Err(Malformed::Version),
        }
    }

    /// Reads a packet as IPv4 whatever its version says: only a deliberate bug does.
    pub(crate) fn parse_as_v4(octets: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_v4(octets)
    }

    #[inline]
    fn parse_v4(octets: &'a [u8]) -> Result<Self, Malformed> {
        if octets.len() < 20 {
            return Err(Malformed::Truncated);
        }
        let header = usize::from(octets[0] & 0x0f) * 4;
        let total = usize::from(be16(octets, 2));
        if header < 20 || header > total {
            return Err(Malformed::HeaderLength);
        }
        if total > octets.len() {
            return Err(Malformed::Truncated);
        }
        let mut sum = Sum::default();
        sum.add_few(&octets[..header]);
        if sum.finish() != 0 {
            return Err(Malformed::Checksum);
        }
        // More fragments, or an offset.
        if be16(octets, 6) & 0x3fff != 0 {
            return Err(Malformed::Fragment);
        }
        // IP options lie between 20 and `header`: unknown ones are ignored (RFC 9293 3.9.2, MUST-50).
        Ok(Self {
            source: v4(&octets[12..16]),
            destination: v4(&octets[16..20]),
            protocol: octets[9],
            ecn: Ecn::from_traffic_class(octets[1]),
            payload: &octets[header..total],
        })
    }

    fn parse_v6(octets: &'a [u8]) -> Result<Self, Malformed> {
        if octets.len() < 40 {
            return Err(Malformed::Truncated);
        }
        let end = 40 + usize::from(be16(octets, 4));
        if end > octets.len() {
            return Err(Malformed::Truncated);
        }
        let class = (octets[0] << 4) | (octets[1] >> 4);
        let (protocol, start) = skip_extension_headers(&octets[..end], octets[6])?;
        Ok(Self {
            source: v6(&octets[8..24]),
            destination: v6(&octets[24..40]),
            protocol,
            ecn: Ecn::from_traffic_class(class),
            payload: &octets[start..end],
        })
    }
}

/// A fragment of an IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// The upper layer, as this fragment says it.
    pub protocol: u8,
    /// The identification.
    pub id: u32,
    /// Where the payload lies in the packet, in octets.
    pub offset: usize,
    /// Whether others follow.
    pub more: bool,
    /// The headers, with the fragment header taken out.
    pub header: Vec<u8>,
    /// The piece.
    pub payload: &'a [u8],
}

/// Reads a fragment; `None` for a packet that is whole, or malformed.
#[must_use]
pub fn fragment(octets: &[u8]) -> Option<Fragment<'_>> {
    match octets.first()? >> 4 {
        4 => fragment_v4(octets),
        6 => fragment_v6(octets),
        _ => None,
    }
}

fn fragment_v4(octets: &[u8]) -> Option<Fragment<'_>> {
    let word = be16(octets.get(..20)?, 6) & 0x3fff;
    if word == 0 {
        // Nearly all are whole, and are asked no more.
        return None;
    }
    let header = usize::from(octets[0] & 0x0f) * 4;
    if header < 20 || header > octets.len() || super::checksum::of(&octets[..header]) != 0 {
        return None;
    }
    let total = usize::from(be16(octets, 2));
    Some(Fragment {
        source: v4(&octets[12..16]),
        destination: v4(&octets[16..20]),
        protocol: octets[9],
        id: u32::from(be16(octets, 4)),
        offset: usize::from(word & 0x1fff) * 8,
        more: word & 0x2000 != 0,
        header: octets[..header].to_vec(),
        payload: octets.get(header..total)?,
    })
}

/// RFC 8200 section 4.5: what stands before the fragment header is in every fragment.
fn fragment_v6(octets: &[u8]) -> Option<Fragment<'_>> {
    let end = 40 + usize::from(be16(octets.get(..40)?, 4));
    let octets = octets.get(..end)?;
    let (mut named_at, mut at) = (6, 40);
    while octets[named_at] != 44 {
        if !matches!(octets[named_at], 0 | 43 | 60) {
            return None;
        }
        named_at = at;
        at += 8 + usize::from(*octets.get(at + 1)?) * 8;
    }
    let fragment = octets.get(at..at + 8)?;
    let word = be16(fragment, 2);
    let mut header = octets[..at].to_vec();
    header[named_at] = fragment[0];
    Some(Fragment {
        source: v6(&octets[8..24]),
        destination: v6(&octets[24..40]),
        protocol: fragment[0],
        id: u32::from(be16(fragment, 4)) << 16 | u32::from(be16(fragment, 6)),
        offset: usize::from(word & 0xfff8),
        more: word & 1 != 0,
        header,
        payload: &octets[at + 8..],
    })
    .filter(|_| word & 0xfff9 != 0)
}

fn v4(octets: &[u8]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]))
}

fn v6(octets: &[u8]) -> IpAddr {
    let mut address = [0; 16];
    address.copy_from_slice(octets);
    IpAddr::V6(Ipv6Addr::from(address))
}

/// Walks the IPv6 extension headers to the upper layer (RFC 8200 section 4).
fn skip_extension_headers(octets: &[u8], first: u8) -> Result<(u8, usize), Malformed> {
    const HOP_BY_HOP: u8 = 0;
    const ROUTING: u8 = 43;
    const FRAGMENT: u8 = 44;
    const DESTINATION: u8 = 60;
    let (mut next, mut at) = (first, 40);
    loop {
        let len = match next {
            HOP_BY_HOP | ROUTING | DESTINATION => {
                let header = octets.get(at..at + 8).ok_or(Malformed::Truncated)?;
                // A source route that is not finished is for a router, and type 0 is dead (RFC 5095).
                if next == ROUTING && header[3] != 0 {
                    return Err(Malformed::Protocol);
                }
                8 + usize::from(header[1]) * 8
            }
            FRAGMENT => {
                let header = octets.get(at..at + 8).ok_or(Malformed::Truncated)?;
                // An atomic fragment is a whole packet (RFC 6946).
                if be16(header, 2) & 0xfff9 != 0 {
                    return Err(Malformed::Fragment);
                }
                8
            }
            _ => return Ok((next, at)),
        };
        next = *octets.get(at).ok_or(Malformed::Truncated)?;
        at += len;
        if at > octets.len() {
            return Err(Malformed::Truncated);
        }
    }
}

/// What an outgoing header needs besides the two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderFields {
    /// TTL or hop limit (RFC 9293 3.9.2, MUST-49).
    pub hops: u8,
    /// Differentiated services field (RFC 9293 3.9.1.9, MUST-48), the upper six bits of the traffic class.
    pub dscp: u8,
    /// The ECN field.
    pub ecn: Ecn,
    /// IPv4 identification.
    pub identification: u16,
}

/// Appends the IP header of a TCP packet with `len` octets after it.
pub fn emit(buffer: &mut Vec<u8>, source: IpAddr, destination: IpAddr, fields: HeaderFields, len: usize) {
    let start = buffer.len();
    buffer.resize(start + header_len(source), 0);
    write(&mut buffer[start..], source, destination, fields, len);
}

/// Writes the IP header of a TCP packet with `len` octets after it. Don't-fragment is always set
/// (RFC 9293 3.7.2: path MTU discovery).
///
/// Both addresses are of one family; the caller takes them from one four-tuple.
#[inline]
pub(crate) fn write(
    octets: &mut [u8],
    source: IpAddr,
    destination: IpAddr,
    fields: HeaderFields,
    len: usize,
) {
    let class = (fields.dscp << 2) | fields.ecn as u8;
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let hops = u16::from(fields.hops) << 8 | u16::from(PROTOCOL_TCP);
            let mut header = [
                halves(0x4500 | u16::from(class), (20 + len) as u16),
                halves(fields.identification, 0x4000),
                halves(hops, 0),
                source.to_bits(),
                destination.to_bits(),
            ];
            let mut sum = Sum::default();
            header.iter().for_each(|&word| sum.add_word(word));
            header[2] = halves(hops, sum.finish());
            put_words(&header, octets);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let hops = u16::from(PROTOCOL_TCP) << 8 | u16::from(fields.hops);
            put_words(&[0x6000_0000 | u32::from(class) << 20, halves(len as u16, hops)], octets);
            octets[8..24].copy_from_slice(&source.octets());
            octets[24..40].copy_from_slice(&destination.octets());
        }
        _ => debug_assert!(false, "a four-tuple has one address family"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: HeaderFields = HeaderFields { hops: 64, dscp: 0x2e, ecn: Ecn::Ect0, identification: 7 };

    fn packet(source: &str, destination: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        emit(&mut octets, source.parse().unwrap(), destination.parse().unwrap(), FIELDS, 3);
        octets.extend_from_slice(b"abc");
        octets
    }

    #[test]
    fn both_families_read_back_what_was_written() {
        for (source, destination) in [("10.1.2.3", "10.4.5.6"), ("2001:db8::1", "2001:db8::2")] {
            let mut octets = packet(source, destination);
            octets.extend_from_slice(&[0; 9]); // link-layer padding
            let read = IpPacket::parse(&octets).unwrap();
            assert_eq!(read.source, source.parse::<IpAddr>().unwrap());
            assert_eq!(read.destination, destination.parse::<IpAddr>().unwrap());
            assert_eq!((read.protocol, read.ecn, read.payload), (PROTOCOL_TCP, Ecn::Ect0, &b"abc"[..]));
        }
    }

    #[test]
    fn every_cut_of_a_packet_is_refused_and_none_panics() {
        for (source, destination) in [("10.1.2.3", "10.4.5.6"), ("2001:db8::1", "2001:db8::2")] {
            let octets = packet(source, destination);
            for len in 0..octets.len() {
                assert!(IpPacket::parse(&octets[..len]).is_err());
            }
        }
    }

    #[test]
    fn fragments_bad_versions_and_bad_sums_are_refused() {
        let good = packet("10.1.2.3", "10.4.5.6");
        let mut bad = good.clone();
        bad[8] ^= 1;
        assert_eq!(IpPacket::parse(&bad), Err(Malformed::Checksum));
        let mut bad = good.clone();
        bad[0] = 0x35;
        assert_eq!(IpPacket::parse(&bad), Err(Malformed::Version));
        let mut bad = good;
        bad[0] = 0x44;
        assert_eq!(IpPacket::parse(&bad), Err(Malformed::HeaderLength));
    }

    #[test]
    fn ipv6_options_are_walked_to_the_segment() {
        let plain = packet("2001:db8::1", "2001:db8::2");
        let mut octets = plain[..40].to_vec();
        octets[6] = 0; // hop-by-hop
        octets[4..6].copy_from_slice(&19u16.to_be_bytes());
        octets.extend_from_slice(&[60, 0, 1, 4, 0, 0, 0, 0]); // then destination options
        octets.extend_from_slice(&[PROTOCOL_TCP, 0, 1, 4, 0, 0, 0, 0]);
        octets.extend_from_slice(b"abc");
        let read = IpPacket::parse(&octets).unwrap();
        assert_eq!((read.protocol, read.payload), (PROTOCOL_TCP, &b"abc"[..]));
    }
}
