//! ICMP errors about our own segments (RFC 792, RFC 4443).
//!
//! Only the errors that TCP acts on are read (RFC 9293 3.9.2.2); the rest is ignored.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{IpPacket, be16, be32, checksum, ip};
use crate::seq::SeqNum;

/// What an error means to TCP (RFC 9293 3.9.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpKind {
    /// Conditions that may pass: never a reason to abort (MUST-56).
    Soft,
    /// Protocol, port or administratively unreachable: SHOULD abort (SHLD-26).
    Hard,
    /// The packet was larger than the path takes (RFC 1191, RFC 8201); zero if the router did not say.
    PacketTooBig {
        /// Next-hop MTU.
        mtu: u32,
    },
    /// Deprecated, silently discarded (MUST-55, RFC 6633).
    SourceQuench,
}

/// An ICMP error and the segment it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// What happened.
    pub kind: IcmpKind,
    /// The end that sent the quoted segment.
    pub local: SocketAddr,
    /// The end it was sent to.
    pub remote: SocketAddr,
    /// The quoted sequence number, for the check of RFC 5927 4.1.
    pub seq: SeqNum,
}

impl IcmpError {
    /// Reads the payload of an ICMP or ICMPv6 packet. `None` if it is not an error about TCP.
    #[must_use]
    pub fn parse(packet: &IpPacket<'_>) -> Option<Self> {
        let octets = packet.payload;
        if octets.len() < 8 {
            return None;
        }
        let mut sum = checksum::Sum::default();
        if packet.protocol == ip::PROTOCOL_ICMPV6 {
            sum.add_pseudo_header(packet.source, packet.destination, ip::PROTOCOL_ICMPV6, octets.len());
        }
        sum.add(octets);
        if sum.finish() != 0 {
            return None;
        }
        let (kind, code) = (octets[0], octets[1]);
        let quote = &octets[8..];
        if packet.protocol == ip::PROTOCOL_ICMP {
            Self::quoting_v4(kind_v4(kind, code, u32::from(be16(octets, 6)))?, quote)
        } else {
            Self::quoting_v6(kind_v6(kind, code, be32(octets, 4))?, quote)
        }
    }

    /// The quote holds the IP header and at least eight octets: the ports and the sequence number.
    fn quoting_v4(kind: IcmpKind, quote: &[u8]) -> Option<Self> {
        if quote.len() < 20 || quote[0] >> 4 != 4 || quote[9] != ip::PROTOCOL_TCP {
            return None;
        }
        let header = usize::from(quote[0] & 0x0f) * 4;
        let tcp = quote.get(header..header + 8).filter(|_| header >= 20)?;
        let source = IpAddr::V4(Ipv4Addr::from(be32(quote, 12)));
        let destination = IpAddr::V4(Ipv4Addr::from(be32(quote, 16)));
        Some(Self::new(kind, source, destination, tcp))
    }

    fn quoting_v6(kind: IcmpKind, quote: &[u8]) -> Option<Self> {
        if quote.len() < 48 || quote[0] >> 4 != 6 || quote[6] != ip::PROTOCOL_TCP {
            return None;
        }
        let address = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&quote[at..at + 16]);
            IpAddr::V6(Ipv6Addr::from(octets))
        };
        Some(Self::new(kind, address(8), address(24), &quote[40..48]))
    }

    fn new(kind: IcmpKind, source: IpAddr, destination: IpAddr, tcp: &[u8]) -> Self {
        Self {
            kind,
            local: SocketAddr::new(source, be16(tcp, 0)),
            remote: SocketAddr::new(destination, be16(tcp, 2)),
            seq: SeqNum(be32(tcp, 4)),
        }
    }
}

/// RFC 792 types and codes, with the classes of RFC 9293 3.9.2.2 and RFC 1122 3.2.2.1.
fn kind_v4(kind: u8, code: u8, mtu: u32) -> Option<IcmpKind> {
    match (kind, code) {
        (3, 2 | 3) => Some(IcmpKind::Hard),
        (3, 4) => Some(IcmpKind::PacketTooBig { mtu }),
        // Network or host unreachable, source route failed, and the later codes; time exceeded; parameter problem.
        (3, 0 | 1 | 5..=15) | (11 | 12, _) => Some(IcmpKind::Soft),
        (4, _) => Some(IcmpKind::SourceQuench),
        _ => None,
    }
}

/// RFC 4443, with the classes of RFC 5461 for IPv6.
fn kind_v6(kind: u8, code: u8, mtu: u32) -> Option<IcmpKind> {
    match (kind, code) {
        (1, 1 | 4) | (4, 1) => Some(IcmpKind::Hard),
        (2, _) => Some(IcmpKind::PacketTooBig { mtu }),
        (1 | 3 | 4, _) => Some(IcmpKind::Soft),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Ecn;

    fn unreachable(code: u8, quote: &[u8]) -> Vec<u8> {
        let mut octets = vec![3, code, 0, 0, 0, 0, 0x05, 0x14];
        octets.extend_from_slice(quote);
        let sum = checksum::of(&octets);
        octets[2..4].copy_from_slice(&sum.to_be_bytes());
        octets
    }

    fn quote() -> Vec<u8> {
        let mut octets = Vec::new();
        let fields = ip::HeaderFields { hops: 1, dscp: 0, ecn: Ecn::NotEct, identification: 0 };
        ip::emit(&mut octets, [10, 0, 0, 1].into(), [10, 0, 0, 2].into(), fields, 20);
        octets.extend_from_slice(&[0, 80, 0x0f, 0xa0, 0, 0, 0x03, 0xe8]);
        octets
    }

    fn packet(payload: &[u8]) -> IpPacket<'_> {
        IpPacket {
            source: [192, 0, 2, 1].into(),
            destination: [10, 0, 0, 1].into(),
            protocol: ip::PROTOCOL_ICMP,
            ecn: Ecn::NotEct,
            payload,
        }
    }

    #[test]
    fn the_quoted_segment_names_the_connection() {
        let octets = unreachable(4, &quote());
        let error = IcmpError::parse(&packet(&octets)).unwrap();
        assert_eq!(error.kind, IcmpKind::PacketTooBig { mtu: 1300 });
        assert_eq!(error.local, "10.0.0.1:80".parse().unwrap());
        assert_eq!(error.remote, "10.0.0.2:4000".parse().unwrap());
        assert_eq!(error.seq, SeqNum(1000));
    }

    #[test]
    fn short_quotes_and_bad_sums_are_ignored() {
        let whole = quote();
        for len in 0..whole.len() {
            assert_eq!(IcmpError::parse(&packet(&unreachable(3, &whole[..len]))), None);
        }
        let mut bad = unreachable(3, &whole);
        bad[4] ^= 1;
        assert_eq!(IcmpError::parse(&packet(&bad)), None);
    }

    #[test]
    fn codes_fall_into_their_classes() {
        assert_eq!(kind_v4(3, 3, 0), Some(IcmpKind::Hard));
        assert_eq!(kind_v4(3, 1, 0), Some(IcmpKind::Soft));
        assert_eq!(kind_v4(4, 0, 0), Some(IcmpKind::SourceQuench));
        assert_eq!(kind_v4(8, 0, 0), None);
        assert_eq!(kind_v6(2, 0, 1280), Some(IcmpKind::PacketTooBig { mtu: 1280 }));
        assert_eq!(kind_v6(1, 4, 0), Some(IcmpKind::Hard));
        assert_eq!(kind_v6(1, 0, 0), Some(IcmpKind::Soft));
    }
}
