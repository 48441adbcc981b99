//! The IPv6 header and its extension headers (RFC 8200).
//!
//! Owns the fields of the fixed header and the chain of extension headers, whose contents stay raw octets. Must not
//! know what the payload is.

use std::net::{IpAddr, Ipv6Addr};

use pnet_packet::ip::IpNextHeaderProtocol;
use pnet_packet::ipv6::{Ipv6Packet, MutableIpv6Packet};
use serde::{Deserialize, Serialize};

use super::checksum::v6_ends;
use super::defect::{Defect, Layer};
use super::ipv4::clamp;
use super::parse::Extent;

pub(super) const IPV6_LEN: usize = 40;
const HOP_LIMIT_DEFAULT: u8 = 64;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;

/// An extension header. Left out: the next header and the length are right, and the data is padded with zeros to
/// the unit of the length. With a length given, the data stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Extension {
    /// Its own protocol number, which stands in the header before it.
    pub kind: u8,
    pub next: Option<u8>,
    /// The second octet: the length, or the reserved octet of a fragment header.
    pub length: Option<u8>,
    /// Everything after the first two octets.
    pub data: Vec<u8>,
}

impl Extension {
    /// A fragment header; `offset` in units of 8 octets.
    #[must_use]
    pub fn fragment(offset: u16, more: bool, id: u32) -> Self {
        let word = offset << 3 | u16::from(more);
        let data = [&word.to_be_bytes()[..], &id.to_be_bytes()[..]].concat();
        Self { kind: FRAGMENT, data, ..Self::default() }
    }

    /// Offset and more-fragments flag of a fragment header.
    #[must_use]
    pub fn as_fragment(&self) -> Option<(u16, bool)> {
        match (self.kind, &self.data[..]) {
            (FRAGMENT, [high, low, ..]) => {
                let word = u16::from_be_bytes([*high, *low]);
                Some((word >> 3, word & 1 != 0))
            }
            _ => None,
        }
    }

    /// A chain of headers as they stand, but each with its own number in the place of the next header's.
    #[must_use]
    pub fn chain(mut octets: &[u8]) -> Vec<Self> {
        let mut chain = Vec::new();
        while let [kind, length, ..] = *octets {
            let whole = match kind {
                FRAGMENT => 8,
                AUTHENTICATION => (usize::from(length) + 2) * 4,
                _ => (usize::from(length) + 1) * 8,
            };
            let (header, rest) = octets.split_at(whole.min(octets.len()));
            chain.push(Self { kind, next: None, length: Some(length), data: header[2..].to_vec() });
            octets = rest;
        }
        chain
    }

    fn emit(&self, next_auto: u8, out: &mut Vec<u8>) {
        let Self { kind, next, length, data } = self;
        let unpadded = data.len() + 2;
        // RFC 4302 section 2.2: an authentication header counts 32-bit words, minus two.
        let (padded, auto) = match *kind {
            FRAGMENT => (8.max(unpadded), 0),
            AUTHENTICATION => {
                let padded = unpadded.next_multiple_of(4).max(8);
                (padded, padded / 4 - 2)
            }
            _ => {
                let padded = unpadded.next_multiple_of(8);
                (padded, padded / 8 - 1)
            }
        };
        out.push(next.unwrap_or(next_auto));
        out.push(length.unwrap_or(auto.min(255) as u8));
        out.extend(data);
        if length.is_none() {
            out.resize(out.len() + padded - unpadded, 0);
        }
    }

    fn is_known(kind: u8) -> bool {
        matches!(kind, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY)
    }

    /// `None` where it does not fit the octets.
    fn parse(kind: u8, octets: &[u8], defects: &mut Vec<Defect>) -> Option<Self> {
        let len = match (kind, octets.get(1)) {
            (FRAGMENT, _) | (_, None) => 8,
            (AUTHENTICATION, Some(words)) => (usize::from(*words) + 2) * 4,
            (_, Some(units)) => (usize::from(*units) + 1) * 8,
        };
        let Some(header) = octets.get(..len) else {
            let present = octets.len();
            defects.push(Defect::Truncated { layer: Layer::Extension, needed: len, present });
            return None;
        };
        Some(Self { kind, next: Some(header[0]), length: Some(header[1]), data: header[2..].to_vec() })
    }

    fn len(&self) -> usize {
        self.data.len() + 2
    }
}

/// An IPv6 header. Left out: version, payload length and next header are right, hop limit 64, all else zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Ipv6 {
    pub version: Option<u8>,
    pub traffic_class: Option<u8>,
    /// 20 bits.
    pub flow_label: Option<u32>,
    pub payload_length: Option<u16>,
    pub next_header: Option<u8>,
    pub hop_limit: Option<u8>,
    pub src: Option<Ipv6Addr>,
    pub dst: Option<Ipv6Addr>,
    pub extensions: Vec<Extension>,
}

impl Ipv6 {
    #[must_use]
    pub fn new(src: Ipv6Addr, dst: Ipv6Addr) -> Self {
        Self { src: Some(src), dst: Some(dst), ..Self::default() }
    }

    /// The protocol after the last extension header.
    #[must_use]
    pub fn protocol(&self) -> Option<u8> {
        self.extensions.last().map_or(self.next_header, |last| last.next)
    }

    /// Offset (in units of 8 octets) and more-fragments flag of the first fragment header.
    #[must_use]
    pub fn fragment(&self) -> Option<(u16, bool)> {
        self.extensions.iter().find_map(Extension::as_fragment)
    }

    /// True for every fragment, the first included; an "atomic" fragment, offset 0 and no more, is whole.
    #[must_use]
    pub fn is_fragment(&self) -> bool {
        self.extensions.iter().filter_map(Extension::as_fragment).any(|at| at != (0, false))
    }

    /// True for a fragment whose payload does not begin with the upper-layer header.
    pub(super) fn is_later_fragment(&self) -> bool {
        self.extensions.iter().filter_map(Extension::as_fragment).any(|(offset, _)| offset != 0)
    }

    /// Takes what is left out here from `defaults`.
    pub fn fill_from(&mut self, defaults: &Self) {
        let Self {
            version,
            traffic_class,
            flow_label,
            payload_length,
            next_header,
            hop_limit,
            src,
            dst,
            extensions,
        } = self;
        *version = version.or(defaults.version);
        *traffic_class = traffic_class.or(defaults.traffic_class);
        *flow_label = flow_label.or(defaults.flow_label);
        *payload_length = payload_length.or(defaults.payload_length);
        *next_header = next_header.or(defaults.next_header);
        *hop_limit = hop_limit.or(defaults.hop_limit);
        *src = src.or(defaults.src);
        *dst = dst.or(defaults.dst);
        if extensions.is_empty() {
            extensions.clone_from(&defaults.extensions);
        }
    }

    pub(super) fn ends(&self) -> (IpAddr, IpAddr) {
        v6_ends(self.src, self.dst)
    }

    pub(super) fn emit(&self, protocol_auto: u8, body: &[u8], out: &mut Vec<u8>) {
        let mut payload = Vec::new();
        for (at, extension) in self.extensions.iter().enumerate() {
            let next = self.extensions.get(at + 1).map_or(protocol_auto, |next| next.kind);
            extension.emit(next, &mut payload);
        }
        payload.extend(body);
        let first = self.extensions.first().map_or(protocol_auto, |first| first.kind);
        let mut header = [0; IPV6_LEN];
        let mut ip = MutableIpv6Packet::new(&mut header).expect("the buffer has the fixed size");
        ip.set_version(self.version.unwrap_or(6) & 0xf);
        ip.set_traffic_class(self.traffic_class.unwrap_or(0));
        ip.set_flow_label(self.flow_label.unwrap_or(0) & 0xf_ffff);
        ip.set_payload_length(self.payload_length.unwrap_or_else(|| clamp(payload.len())));
        ip.set_next_header(IpNextHeaderProtocol(self.next_header.unwrap_or(first)));
        ip.set_hop_limit(self.hop_limit.unwrap_or(HOP_LIMIT_DEFAULT));
        ip.set_source(self.src.unwrap_or(Ipv6Addr::UNSPECIFIED));
        ip.set_destination(self.dst.unwrap_or(Ipv6Addr::UNSPECIFIED));
        out.extend(header);
        out.extend(payload);
    }

    /// `None` where the octets do not even hold the fixed header.
    pub(super) fn parse(octets: &[u8], defects: &mut Vec<Defect>) -> Option<(Self, Extent)> {
        let Some(ip) = Ipv6Packet::new(octets) else {
            defects.push(Defect::Truncated { layer: Layer::Ipv6, needed: IPV6_LEN, present: octets.len() });
            return None;
        };
        let mut extent = Extent::of_ipv6(ip.get_payload_length(), octets.len(), defects);
        if ip.get_version() != 6 {
            defects.push(Defect::Version { seen: ip.get_version() });
        }
        let mut header = Self {
            version: Some(ip.get_version()),
            traffic_class: Some(ip.get_traffic_class()),
            flow_label: Some(ip.get_flow_label()),
            payload_length: Some(ip.get_payload_length()),
            next_header: Some(ip.get_next_header().0),
            hop_limit: Some(ip.get_hop_limit()),
            src: Some(ip.get_source()),
            dst: Some(ip.get_destination()),
            extensions: Vec::new(),
        };
        // Every extension takes at least 8 octets, so this ends.
        while let Some(kind) = header.protocol().filter(|kind| Extension::is_known(*kind)) {
            // What follows the header of a later fragment is a piece of something, not a header.
            if header.is_later_fragment() {
                break;
            }
            let Some(extension) = Extension::parse(kind, &octets[extent.header..extent.end], defects) else {
                extent.header_whole = false;
                break;
            };
            extent.header += extension.len();
            header.extensions.push(extension);
        }
        Some((header, extent))
    }
}
