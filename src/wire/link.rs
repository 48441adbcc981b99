//! The link layer between the injector and the target: Ethernet around IP packets, and the answers of a host that no
//! kernel plays.
//!
//! Owns the injector's Ethernet address and what is known of the target's; tells packets from the noise of a link
//! (ARP, neighbour discovery, multicast listeners, frames that are not IP). Pure: it must not know what carries the
//! frames. RFC 894, 826, 2464, 4861, 1112 section 6.4.

use crate::packet::{Arp, Body, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Ethernet, Mac, Packet};
use crate::target::profile::Net;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The injector's address where nothing else is said. No device has it, so that the tester's kernel takes every frame
/// for somebody else's and drops it before looking at its IP header.
pub const INJECTOR_MAC: Mac = Mac([0x02, 0, 0, 0, 0, 0x01]);

const ETHERNET_LEN: usize = 14;
/// Ethernet's shortest frame, without its check sequence.
const FRAME_LEN_MIN: usize = 60;
const IPV4_LEN: usize = 20;
const IPV6_LEN: usize = 40;
/// Length of the network's prefix in a target's IPv4 address.
pub const PREFIX_V4: u8 = 24;
pub const PREFIX_V6: u8 = 64;

const HOP_BY_HOP: u8 = 0;
const IGMP: u8 = 2;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// What the injector knows of the target's Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetMac {
    /// Given once and for all.
    Pinned(Mac),
    /// Taken from the frames that the target sends.
    Learned(Mac),
    Unknown,
}

/// What a frame turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound<'a> {
    /// An IP packet, without its frame and without the frame's padding.
    Packet(&'a [u8]),
    /// A question about one of the injector's addresses: this frame answers it.
    Answer(Vec<u8>),
    /// Nothing that a case could be about.
    Noise,
}

/// A unicast packet for a target whose Ethernet address is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the target's Ethernet address is not known yet")]
pub struct UnknownMac;

/// One end of the link. Seen from the far end the target is the injector: see [`Link::of_target`].
#[derive(Debug, Clone)]
pub struct Link {
    mac: Mac,
    target: TargetMac,
    is_heard: bool,
    target_v4: Ipv4Addr,
    target_v6: Ipv6Addr,
    answers: BTreeSet<IpAddr>,
}

impl Link {
    /// The injector's side of `net`: it answers for the peer's addresses.
    #[must_use]
    pub fn new(net: &Net, target: TargetMac) -> Self {
        Self {
            mac: INJECTOR_MAC,
            target,
            is_heard: false,
            target_v4: net.target_v4,
            target_v6: net.target_v6,
            answers: BTreeSet::from([net.peer_v4.into(), net.peer_v6.into()]),
        }
    }

    /// The target's side of `net`, for a TCP of this process: it has the address `mac` and answers for the target's.
    #[must_use]
    pub fn of_target(net: &Net, mac: Mac) -> Self {
        Self {
            mac,
            target: TargetMac::Pinned(INJECTOR_MAC),
            is_heard: false,
            target_v4: net.peer_v4,
            target_v6: net.peer_v6,
            answers: BTreeSet::from([net.target_v4.into(), net.target_v6.into()]),
        }
    }

    #[must_use]
    pub fn mac(&self) -> Mac {
        self.mac
    }

    #[must_use]
    pub fn target(&self) -> TargetMac {
        self.target
    }

    /// Whether the target has answered the injector, so that frames get through both ways.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// Lets the injector answer for one more address.
    pub fn answer_for(&mut self, address: IpAddr) {
        self.answers.insert(address);
    }

    /// Lets the injector be silent about an address, as if its host were gone.
    pub fn fall_silent_for(&mut self, address: IpAddr) {
        self.answers.remove(&address);
    }

    /// Reads a frame.
    pub fn inbound<'a>(&mut self, frame: &'a [u8]) -> Inbound<'a> {
        let Some((header, inner)) = frame.split_at_checked(ETHERNET_LEN) else { return Inbound::Noise };
        let ethertype = u16::from_be_bytes([header[12], header[13]]);
        let is_padded = frame.len() <= FRAME_LEN_MIN;
        match ethertype {
            ETHERTYPE_ARP => self.question(frame),
            ETHERTYPE_IPV4 => {
                self.learn(header);
                if is_noise_v4(inner) {
                    return Inbound::Noise;
                }
                let len = inner.get(2..4).map_or(0, |len| usize::from(u16::from_be_bytes([len[0], len[1]])));
                Inbound::Packet(unpadded(inner, len, IPV4_LEN, is_padded))
            }
            ETHERTYPE_IPV6 => {
                self.learn(header);
                match kind_v6(inner) {
                    KindV6::Solicitation => self.question(frame),
                    KindV6::Noise => Inbound::Noise,
                    KindV6::Packet => {
                        let len = inner
                            .get(4..6)
                            .map_or(0, |len| usize::from(u16::from_be_bytes([len[0], len[1]])));
                        Inbound::Packet(unpadded(inner, IPV6_LEN + len, IPV6_LEN, is_padded))
                    }
                }
            }
            _ => Inbound::Noise,
        }
    }

    fn learn(&mut self, header: &[u8]) {
        self.is_heard |= header[..6] == self.mac.0;
        let Ok(src) = header[6..12].try_into() else { return };
        match self.target {
            TargetMac::Pinned(_) => {}
            TargetMac::Learned(_) | TargetMac::Unknown => self.target = TargetMac::Learned(Mac(src)),
        }
    }

    fn question(&mut self, frame: &[u8]) -> Inbound<'static> {
        self.learn(frame);
        let question = Packet::parse_ethernet(frame);
        let asked = question.asks_for().filter(|asked| self.answers.contains(asked));
        match asked.and_then(|_| question.answer_with(self.mac)) {
            Some(answer) => Inbound::Answer(padded(answer.build())),
            None => Inbound::Noise,
        }
    }

    /// Puts a frame around an IP packet, however wrong that packet is.
    ///
    /// # Errors
    /// Where the packet is for the target alone and the target's Ethernet address is not known.
    pub fn outbound(&self, packet: &[u8]) -> Result<Vec<u8>, UnknownMac> {
        let (ethertype, dst) = self.route(packet);
        let dst = match (dst, self.target) {
            (Some(dst), _) => dst,
            (None, TargetMac::Pinned(mac) | TargetMac::Learned(mac)) => mac,
            (None, TargetMac::Unknown) => return Err(UnknownMac),
        };
        let mut frame = Vec::with_capacity(ETHERNET_LEN + packet.len().max(FRAME_LEN_MIN));
        frame.extend(dst.0);
        frame.extend(self.mac.0);
        frame.extend(ethertype.to_be_bytes());
        frame.extend(packet);
        Ok(padded(frame))
    }

    /// The questions "who is the target?" that a target of unknown address is to answer.
    #[must_use]
    pub fn questions(&self) -> Vec<Vec<u8>> {
        let ether = Ethernet { dst: Some(Mac::BROADCAST), src: Some(self.mac), ethertype: None };
        self.answers
            .iter()
            .filter_map(|address| if let IpAddr::V4(address) = address { Some(*address) } else { None })
            .map(|address| {
                let arp = Arp {
                    operation: Some(Arp::REQUEST),
                    sender_mac: Some(self.mac),
                    sender_ip: Some(address),
                    target_ip: Some(self.target_v4),
                    ..Arp::default()
                };
                padded(Packet { ether: Some(ether), body: Body::Arp(arp), ..Packet::default() }.build())
            })
            .collect()
    }

    /// Questions by which a target that speaks IPv6 learns where the injector is, so that it need not ask when it answers:
    /// many a small stack drops what it cannot send at once.
    #[must_use]
    pub fn introductions(&self) -> Vec<Vec<u8>> {
        let own = self.answers.iter().filter_map(|address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        });
        let packet = |from| Packet::solicitation(self.mac, from, self.target_v6).build();
        own.filter_map(|from| self.outbound(&packet(from)).ok()).collect()
    }

    /// The EtherType of a packet, and the Ethernet address of a destination that is more than one host.
    ///
    /// A packet with a wrong version is known by the target's address in it.
    fn route(&self, packet: &[u8]) -> (u16, Option<Mac>) {
        let ethertype = ethertype_of(packet, self.target_v4, self.target_v6);
        let dst = if ethertype == ETHERTYPE_IPV6 { group_v6(packet) } else { self.group_v4(packet) };
        (ethertype, dst)
    }

    fn group_v4(&self, packet: &[u8]) -> Option<Mac> {
        let dst: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
        let [_, b, c, d] = dst;
        let dst = Ipv4Addr::from(dst);
        let host_bits = u32::MAX >> PREFIX_V4;
        if dst.is_broadcast() || u32::from(dst) == u32::from(self.target_v4) | host_bits {
            Some(Mac::BROADCAST)
        } else if dst.is_multicast() {
            Some(Mac([0x01, 0x00, 0x5e, b & 0x7f, c, d]))
        } else {
            None
        }
    }
}

/// The EtherType under which a packet travels. A packet with a wrong version is known by the target's address in it.
#[must_use]
pub fn ethertype_of(packet: &[u8], target_v4: Ipv4Addr, target_v6: Ipv6Addr) -> u16 {
    let version = packet.first().map_or(4, |first| first >> 4);
    if packet.get(24..40) == Some(&target_v6.octets()[..]) {
        ETHERTYPE_IPV6
    } else if packet.get(16..20) == Some(&target_v4.octets()[..]) || version != 6 {
        ETHERTYPE_IPV4
    } else {
        ETHERTYPE_IPV6
    }
}

fn group_v6(packet: &[u8]) -> Option<Mac> {
    let dst: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
    let [first, .., c, d, e, f] = dst;
    (first == 0xff).then_some(Mac([0x33, 0x33, c, d, e, f]))
}

fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    if frame.len() < FRAME_LEN_MIN {
        frame.resize(FRAME_LEN_MIN, 0);
    }
    frame
}

/// Cuts off what only fills the shortest frame. What the packet's own length does not explain otherwise stays.
fn unpadded(inner: &[u8], len: usize, header_len: usize, is_padded: bool) -> &[u8] {
    match inner.split_at_checked(len) {
        Some((packet, padding)) if is_padded && len >= header_len && padding.iter().all(|o| *o == 0) => {
            packet
        }
        Some(_) | None => inner,
    }
}

/// True for what stacks say unasked and TCP has no part in. Fragments of TCP are no noise.
#[must_use]
pub fn is_noise_v4(packet: &[u8]) -> bool {
    packet.get(9).is_some_and(|protocol| matches!(*protocol, IGMP | UDP))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KindV6 {
    Packet,
    Solicitation,
    Noise,
}

/// True for neighbour discovery and all else that stacks say unasked.
#[must_use]
pub fn is_noise_v6(packet: &[u8]) -> bool {
    kind_v6(packet) != KindV6::Packet
}

fn kind_v6(packet: &[u8]) -> KindV6 {
    let (Some(next), Some(body)) = (packet.get(6), packet.get(IPV6_LEN..)) else { return KindV6::Packet };
    // MLD reports carry a router alert in front.
    let (next, body) = match (*next, body) {
        (HOP_BY_HOP, [next, len, ..]) => (*next, body.get(8 * (usize::from(*len) + 1)..).unwrap_or(&[])),
        (next, body) => (next, body),
    };
    match (next, body.first()) {
        (UDP, _) => KindV6::Noise,
        (ICMPV6, Some(135)) => KindV6::Solicitation,
        // MLD, router and neighbour discovery, MLDv2.
        (ICMPV6, Some(130..=134 | 136..=137 | 143)) => KindV6::Noise,
        _ => KindV6::Packet,
    }
}

#[cfg(test)]
mod tests;
