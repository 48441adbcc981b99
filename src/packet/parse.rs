//! From octets to a [`Packet`], losslessly: building what was parsed gives the same octets again, whatever they are.
//!
//! Owns the walk through the layers and the rules for lengths that lie. What a header says is believed as far as
//! the octets go; each lie is a [`Defect`]. Must never panic, and never drop an octet.

use super::defect::{Defect, Layer};
use super::ether::{self, Arp, Ethernet};
use super::icmp::Icmp;
use super::ipv4::{IPV4_LEN, Ipv4};
use super::ipv6::{IPV6_LEN, Ipv6};
use super::tcp::Tcp;
use super::{Body, Ip, Packet, protocol};

/// Where the parts of an IP packet lie in its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The end of the headers, extension headers included.
    pub(super) header: usize,
    /// The end of the payload; what follows is trailing.
    pub(super) end: usize,
    /// False where the header's own length does not fit, so that it has no checksum to speak of.
    pub(super) header_whole: bool,
    /// False where octets of the payload are missing.
    pub(super) payload_whole: bool,
}

impl Extent {
    pub(super) fn of_ipv4(ihl: u8, total_length: u16, present: usize, defects: &mut Vec<Defect>) -> Self {
        let claimed = usize::from(ihl) * 4;
        if ihl < 5 {
            defects.push(Defect::HeaderLength { layer: Layer::Ipv4, words: ihl });
        } else if claimed > present {
            defects.push(Defect::Truncated { layer: Layer::Ipv4, needed: claimed, present });
        }
        let header = claimed.clamp(IPV4_LEN, present);
        let total = usize::from(total_length);
        if total < header {
            // As from a capture before segmentation offload, which says 0: read all there is.
            defects.push(Defect::TotalLength { claimed: total_length, header });
        } else if total > present && claimed <= present {
            defects.push(Defect::Truncated { layer: Layer::Ipv4, needed: total, present });
        }
        Self {
            header,
            end: if total < header { present } else { total.min(present) },
            header_whole: ihl >= 5 && claimed <= present,
            payload_whole: total <= present,
        }
    }

    pub(super) fn of_ipv6(payload_length: u16, present: usize, defects: &mut Vec<Defect>) -> Self {
        let needed = IPV6_LEN + usize::from(payload_length);
        if needed > present {
            defects.push(Defect::Truncated { layer: Layer::Ipv6, needed, present });
        }
        Self {
            header: IPV6_LEN,
            end: needed.min(present),
            header_whole: true,
            payload_whole: needed <= present,
        }
    }
}

impl Packet {
    /// Reads an Ethernet frame (without its check sequence).
    #[must_use]
    pub fn parse_ethernet(octets: &[u8]) -> Self {
        let Some(ether) = Ethernet::parse(octets) else {
            let (needed, present) = (ether::ETHERNET_LEN, octets.len());
            let truncated = Defect::Truncated { layer: Layer::Ethernet, needed, present };
            return Self { defects: vec![truncated], ..Self::opaque(octets) };
        };
        let inner = &octets[ether::ETHERNET_LEN..];
        let mut packet = match ether.ethertype {
            Some(ether::ETHERTYPE_IPV4) => Self::parse_ipv4(inner),
            Some(ether::ETHERTYPE_IPV6) => Self::parse_ipv6(inner),
            Some(ether::ETHERTYPE_ARP) => Self::parse_arp(inner),
            _ => Self::opaque(inner),
        };
        packet.ether = Some(ether);
        let padding = octets.len() <= ether::FRAME_LEN_MIN && packet.trailer.iter().all(|octet| *octet == 0);
        packet.note_trailer(padding);
        packet
    }

    /// Reads an IP packet, as from a TUN device. The version nibble says which; a packet of neither version is
    /// opaque.
    #[must_use]
    pub fn parse_ip(octets: &[u8]) -> Self {
        let mut packet = match octets.first().map(|first| first >> 4) {
            Some(4) => Self::parse_ipv4(octets),
            Some(6) => Self::parse_ipv6(octets),
            Some(seen) => Self { defects: vec![Defect::Version { seen }], ..Self::opaque(octets) },
            None => Self {
                defects: vec![Defect::Truncated { layer: Layer::Ipv4, needed: IPV4_LEN, present: 0 }],
                ..Self::opaque(octets)
            },
        };
        packet.note_trailer(false);
        packet
    }

    fn opaque(octets: &[u8]) -> Self {
        Self { body: Body::Other(octets.to_vec()), ..Self::default() }
    }

    fn note_trailer(&mut self, expected: bool) {
        if !self.trailer.is_empty() && !expected {
            self.defects.push(Defect::Trailing { octets: self.trailer.len() });
        }
    }

    fn parse_arp(octets: &[u8]) -> Self {
        let mut defects = Vec::new();
        let Some(arp) = Arp::parse(octets, &mut defects) else {
            return Self { defects, ..Self::opaque(octets) };
        };
        Self { body: Body::Arp(arp), trailer: octets[ether::ARP_LEN..].to_vec(), defects, ..Self::default() }
    }

    fn parse_ipv4(octets: &[u8]) -> Self {
        let mut defects = Vec::new();
        let Some((ip, extent)) = Ipv4::parse(octets, &mut defects) else {
            return Self { defects, ..Self::opaque(octets) };
        };
        let readable = extent.header_whole || extent.header < octets.len();
        let protocol = ip.protocol.filter(|_| readable && ip.fragment_offset == Some(0));
        let whole = extent.payload_whole && !ip.is_fragment();
        Self::parse_inside(Ip::V4(ip), protocol, extent, whole, octets, defects)
    }

    fn parse_ipv6(octets: &[u8]) -> Self {
        let mut defects = Vec::new();
        let Some((ip, extent)) = Ipv6::parse(octets, &mut defects) else {
            return Self { defects, ..Self::opaque(octets) };
        };
        let protocol = ip.protocol().filter(|_| extent.header_whole && !ip.is_later_fragment());
        let whole = extent.payload_whole && !ip.is_fragment();
        Self::parse_inside(Ip::V6(ip), protocol, extent, whole, octets, defects)
    }

    /// Reads the payload of `ip`. Checksums are only tested where the payload is `whole`.
    fn parse_inside(
        ip: Ip,
        protocol: Option<u8>,
        extent: Extent,
        whole: bool,
        octets: &[u8],
        mut defects: Vec<Defect>,
    ) -> Self {
        let payload = &octets[extent.header..extent.end];
        let ends = ip.ends();
        let body = match protocol {
            Some(protocol::TCP) => Tcp::parse(payload, ends, whole, &mut defects).map(Body::Tcp),
            Some(protocol::ICMP) => Icmp::parse(payload, None, whole, &mut defects).map(Body::Icmp),
            Some(protocol::ICMPV6) => Icmp::parse(payload, Some(ends), whole, &mut defects).map(Body::Icmpv6),
            _ => None,
        };
        Self {
            ether: None,
            ip: Some(ip),
            body: body.unwrap_or_else(|| Body::Other(payload.to_vec())),
            trailer: octets[extent.end..].to_vec(),
            defects,
        }
    }
}
