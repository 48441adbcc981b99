//! ICMP (RFC 792, RFC 1191) and ICMPv6 (RFC 4443): one header, two checksums.
//!
//! Owns the header, the MTU it may carry, and the quoted packet of an error. Must not know how a TCP should react.

use std::net::IpAddr;

use pnet_packet::Packet as _;
use pnet_packet::icmp::{IcmpCode, IcmpPacket, IcmpType, MutableIcmpPacket};
use serde::{Deserialize, Serialize};

use super::checksum::{Checksum, Sum};
use super::defect::{Defect, Layer};
use super::seq::SeqNum;
use super::{Ip, Packet, protocol};

pub(super) const ICMP_LEN: usize = 8;

/// The upper-layer octets that an ICMP error must quote at least: ports and sequence number of TCP.
pub const QUOTE_LEN_MIN: usize = 8;

/// An ICMP or ICMPv6 message. Left out: the checksum is right, all else zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Icmp {
    pub kind: Option<u8>,
    pub code: Option<u8>,
    pub checksum: Checksum,
    /// The second word of the header: unused, an MTU, or identifier and sequence number.
    pub rest: Option<[u8; 4]>,
    /// What follows the header: the quoted packet of an error.
    pub payload: Vec<u8>,
}

/// The TCP segment that an ICMP error speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub sport: u16,
    pub dport: u16,
    pub seq: SeqNum,
}

impl Icmp {
    #[must_use]
    pub fn new(kind: u8, code: u8) -> Self {
        Self { kind: Some(kind), code: Some(code), ..Self::default() }
    }

    /// RFC 1191 section 4: destination unreachable, fragmentation needed.
    #[must_use]
    pub fn fragmentation_needed(mtu: u16) -> Self {
        let [high, low] = mtu.to_be_bytes();
        Self { rest: Some([0, 0, high, low]), ..Self::new(3, 4) }
    }

    /// RFC 4443 section 3.2.
    #[must_use]
    pub fn packet_too_big(mtu: u32) -> Self {
        Self { rest: Some(mtu.to_be_bytes()), ..Self::new(2, 0) }
    }

    /// Quotes an IP packet, cut to `upper_len` octets behind its IP header.
    #[must_use]
    pub fn quoting(mut self, packet: &Packet, upper_len: usize) -> Self {
        let bare = Packet { ether: None, trailer: Vec::new(), ..packet.clone() };
        let octets = bare.build();
        let header = octets.len() - bare.body_octets().len();
        self.payload = octets[..octets.len().min(header.saturating_add(upper_len))].to_vec();
        self
    }

    /// The MTU of "fragmentation needed" or "packet too big"; `v6` says which of the two this could be.
    #[must_use]
    pub fn mtu(&self, v6: bool) -> Option<u32> {
        let rest = self.rest?;
        match (v6, self.kind?, self.code?) {
            (false, 3, 4) => Some(u32::from(u16::from_be_bytes([rest[2], rest[3]]))),
            (true, 2, _) => Some(u32::from_be_bytes(rest)),
            _ => None,
        }
    }

    /// Identifier and sequence number of an echo request or reply.
    #[must_use]
    pub fn echo(&self) -> (u16, u16) {
        let [a, b, c, d] = self.rest.unwrap_or_default();
        (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
    }

    /// The quoted segment, where enough of it is quoted. That the quote is cut short is no defect.
    #[must_use]
    pub fn quoted(&self) -> Option<Quoted> {
        let packet = Packet::parse_ip(&self.payload);
        let ip = packet.ip.as_ref()?;
        let (src, dst) = ip.ends();
        let is_tcp = match ip {
            Ip::V4(v4) => v4.protocol == Some(protocol::TCP) && v4.fragment_offset == Some(0),
            Ip::V6(v6) => v6.protocol() == Some(protocol::TCP) && !v6.is_later_fragment(),
        };
        let octets = packet.body_octets();
        let [s1, s2, d1, d2, q1, q2, q3, q4, ..] = octets[..] else { return None };
        is_tcp.then(|| Quoted {
            src,
            dst,
            sport: u16::from_be_bytes([s1, s2]),
            dport: u16::from_be_bytes([d1, d2]),
            seq: SeqNum(u32::from_be_bytes([q1, q2, q3, q4])),
        })
    }

    pub(super) fn emit(&self, pseudo: Option<(IpAddr, IpAddr)>, out: &mut Vec<u8>) {
        let Self { kind, code, checksum, rest, payload } = self;
        let mut octets = vec![0; ICMP_LEN];
        let mut icmp = MutableIcmpPacket::new(&mut octets).expect("the buffer has the fixed size");
        icmp.set_icmp_type(IcmpType(kind.unwrap_or(0)));
        icmp.set_icmp_code(IcmpCode(code.unwrap_or(0)));
        octets[4..].copy_from_slice(&rest.unwrap_or_default());
        octets.extend(payload);
        // The field is still zero here.
        let correct = Sum::pseudo(pseudo, protocol::ICMPV6, octets.len()).add(&octets).finish();
        octets[2..4].copy_from_slice(&checksum.resolve(correct).to_be_bytes());
        out.extend(octets);
    }

    /// `None` where the octets do not even hold the header. ICMPv6 is summed with a `pseudo` header, ICMP without.
    pub(super) fn parse(
        octets: &[u8],
        pseudo: Option<(IpAddr, IpAddr)>,
        whole: bool,
        defects: &mut Vec<Defect>,
    ) -> Option<Self> {
        let layer = if pseudo.is_some() { Layer::Icmpv6 } else { Layer::Icmp };
        let Some(icmp) = IcmpPacket::new(octets).filter(|_| octets.len() >= ICMP_LEN) else {
            defects.push(Defect::Truncated { layer, needed: ICMP_LEN, present: octets.len() });
            return None;
        };
        let sum = Sum::pseudo(pseudo, protocol::ICMPV6, octets.len()).add(octets);
        if whole && !sum.is_valid() {
            let seen = icmp.get_checksum();
            defects.push(Defect::Checksum { layer, seen, correct: sum.corrected(seen) });
        }
        let body = icmp.payload();
        Some(Self {
            kind: Some(icmp.get_icmp_type().0),
            code: Some(icmp.get_icmp_code().0),
            checksum: Checksum::Exact(icmp.get_checksum()),
            rest: Some([body[0], body[1], body[2], body[3]]),
            payload: body[4..].to_vec(),
        })
    }
}
