//! Address resolution: reading a question and making its answer (ARP, RFC 826; neighbor discovery, RFC 4861).
//!
//! Owns the two protocols' question and answer, so that whoever plays a host on a wire can be found. Must not know
//! which addresses are whose.

use std::net::{IpAddr, Ipv6Addr};

use super::{Arp, Body, Ethernet, Icmp, Ip, Ipv6, Mac, Packet};

const NEIGHBOR_SOLICITATION: u8 = 135;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;
/// RFC 4861 section 7.1: a message with any other hop limit has crossed a router and is ignored.
const HOP_LIMIT: u8 = 255;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
const TARGET_LINK_LAYER_ADDRESS: u8 = 2;

impl Packet {
    /// The address whose owner this packet asks for.
    #[must_use]
    pub fn asks_for(&self) -> Option<IpAddr> {
        match &self.body {
            Body::Arp(arp) if arp.operation == Some(Arp::REQUEST) => arp.target_ip.map(IpAddr::V4),
            Body::Icmpv6(icmp) if icmp.kind == Some(NEIGHBOR_SOLICITATION) => {
                let target: [u8; 16] = icmp.payload.get(..16)?.try_into().ok()?;
                Some(Ipv6Addr::from(target).into())
            }
            Body::Arp(_) | Body::Icmpv6(_) | Body::Icmp(_) | Body::Tcp(_) | Body::Other(_) => None,
        }
    }

    /// The question of `from`, which is at `mac`, for the owner of an IPv6 address. It teaches the owner where `from` is.
    #[must_use]
    pub fn solicitation(mac: Mac, from: Ipv6Addr, asked: Ipv6Addr) -> Self {
        let [.., a, b, c] = asked.octets();
        let mut group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).octets();
        group[13..].copy_from_slice(&[a, b, c]);
        let option = [&[SOURCE_LINK_LAYER_ADDRESS, 1][..], &mac.0].concat();
        let question =
            Icmp { payload: [&asked.octets()[..], &option].concat(), ..Icmp::new(NEIGHBOR_SOLICITATION, 0) };
        let ip = Ipv6 { hop_limit: Some(HOP_LIMIT), ..Ipv6::new(from, Ipv6Addr::from(group)) };
        Self::of(Ip::V6(ip), Body::Icmpv6(question))
    }

    /// The answer "it is at `mac`" to a packet that asks, framed for the one who asked.
    #[must_use]
    pub fn answer_with(&self, mac: Mac) -> Option<Self> {
        let asker = self.ether.and_then(|ether| ether.src);
        let ether = Some(Ethernet { dst: asker, src: Some(mac), ethertype: None });
        match (self.asks_for()?, &self.body) {
            (IpAddr::V4(asked), Body::Arp(question)) => {
                let answer = Arp {
                    operation: Some(Arp::REPLY),
                    sender_mac: Some(mac),
                    sender_ip: Some(asked),
                    target_mac: question.sender_mac,
                    target_ip: question.sender_ip,
                    ..Arp::default()
                };
                Some(Self { ether, body: Body::Arp(answer), ..Self::default() })
            }
            (IpAddr::V6(asked), _) => {
                let Some(Ip::V6(question)) = &self.ip else { return None };
                // RFC 4861 section 7.2.4: a question without a source is answered to all, unsolicited.
                let asker = question.src.filter(|src| !src.is_unspecified());
                let flags = if asker.is_some() { 0x60 } else { 0x20 };
                let option = [&[TARGET_LINK_LAYER_ADDRESS, 1][..], &mac.0].concat();
                let answer = Icmp {
                    rest: Some([flags, 0, 0, 0]),
                    payload: [&asked.octets()[..], &option].concat(),
                    ..Icmp::new(NEIGHBOR_ADVERTISEMENT, 0)
                };
                let ip = Ipv6 { hop_limit: Some(HOP_LIMIT), ..Ipv6::new(asked, asker.unwrap_or(ALL_NODES)) };
                Some(Self { ether, ..Self::of(Ip::V6(ip), Body::Icmpv6(answer)) })
            }
            (IpAddr::V4(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKER: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const OWNER: Mac = Mac([2, 0, 0, 0, 0, 2]);

    #[test]
    fn a_solicitation_asks_for_an_address() {
        let (from, asked) = ("2001:db8::1".parse().unwrap(), "2001:db8::12:3456".parse().unwrap());
        let octets = Packet::solicitation(ASKER, from, asked).build();
        let question = Packet::parse_ip(&octets);
        assert_eq!(question.asks_for(), Some(IpAddr::V6(asked)));
        let Some(Ip::V6(ip)) = &question.ip else { panic!("{question:?}") };
        assert_eq!(ip.dst, Some("ff02::1:ff12:3456".parse().unwrap()));
        assert!(octets.ends_with(&[SOURCE_LINK_LAYER_ADDRESS, 1, 2, 0, 0, 0, 0, 1]));
    }

    fn over_the_wire(packet: &Packet) -> Packet {
        let read = Packet::parse_ethernet(&packet.build());
        assert_eq!(read.defects, []);
        read
    }

    #[test]
    fn arp() {
        let question = Arp {
            sender_mac: Some(ASKER),
            sender_ip: Some([10, 0, 0, 1].into()),
            target_ip: Some([10, 0, 0, 2].into()),
            ..Arp::default()
        };
        let ether = Ethernet { dst: Some(Mac::BROADCAST), src: Some(ASKER), ethertype: None };
        let question =
            over_the_wire(&Packet { ether: Some(ether), body: Body::Arp(question), ..Packet::default() });
        assert_eq!(question.asks_for(), Some([10, 0, 0, 2].into()));
        let answer = over_the_wire(&question.answer_with(OWNER).unwrap());
        assert_eq!(answer.ether.unwrap().dst, Some(ASKER));
        let arp = answer.arp().unwrap();
        assert_eq!((arp.sender_mac, arp.sender_ip), (Some(OWNER), Some([10, 0, 0, 2].into())));
        assert_eq!((arp.target_mac, arp.target_ip), (Some(ASKER), Some([10, 0, 0, 1].into())));
        assert_eq!(answer.asks_for(), None);
        assert_eq!(answer.answer_with(ASKER), None);
    }

    #[test]
    fn neighbor_discovery() {
        let (asker, asked): (Ipv6Addr, Ipv6Addr) = ("fe80::1".parse().unwrap(), "fe80::2".parse().unwrap());
        for (src, dst) in [(asker, asker), (Ipv6Addr::UNSPECIFIED, ALL_NODES)] {
            let question = Icmp { payload: asked.octets().to_vec(), ..Icmp::new(NEIGHBOR_SOLICITATION, 0) };
            let ip = Ipv6 { hop_limit: Some(255), ..Ipv6::new(src, "ff02::1:ff00:2".parse().unwrap()) };
            let ether = Some(Ethernet { src: Some(ASKER), ..Ethernet::default() });
            let question = over_the_wire(&Packet { ether, ..Packet::of(Ip::V6(ip), Body::Icmpv6(question)) });
            assert_eq!(question.asks_for(), Some(asked.into()));
            let answer = over_the_wire(&question.answer_with(OWNER).unwrap());
            assert_eq!(answer.ends(), Some((asked.into(), dst.into())));
            assert_eq!(answer.ip.as_ref().unwrap().ttl(), Some(255));
            assert_eq!(answer.icmp().unwrap().payload[16..], [2, 1, 2, 0, 0, 0, 0, 2]);
            assert_eq!(answer.ether.unwrap().dst, Some(ASKER));
        }
    }
}
