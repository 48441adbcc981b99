//! Lines as a reader sees them.

use super::*;
use crate::packet::{Checksum, Ethernet, Icmp, Ipv4, Ipv6, Mac, Options, Window};
use rstest::rstest;

fn packet(body: Body) -> Packet {
    Packet::of(Ip::V4(Ipv4::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into())), body)
}

fn syn_ack() -> Tcp {
    Tcp {
        sport: Some(80),
        dport: Some(1024),
        seq: Some(SeqNum(500)),
        ack: Some(SeqNum(1001)),
        options: Options::encode(&[
            TcpOption::Mss(1460),
            TcpOption::Nop,
            TcpOption::WindowScale(7),
            TcpOption::Timestamps { val: 1, ecr: 2 },
            TcpOption::SackPermitted,
        ]),
        payload: vec![0; 10],
        ..Tcp::with(Flags::SYN | Flags::ACK)
    }
}

const NO_BASE: Base = Base { isn: None, irs: None };
const BASE: Base = Base { isn: Some(SeqNum(500)), irs: Some(SeqNum(1000)) };

#[rstest]
#[case::relative(BASE, "SYN ACK  seq=0 ack=1 win 65535 mss 1460 wscale 7 ts 1/2 sackOK  len 10")]
#[case::absolute(NO_BASE, "SYN ACK  seq=500 ack=1001 win 65535 mss 1460 wscale 7 ts 1/2 sackOK  len 10")]
#[case::wrong_way_round(
    BASE.reversed(),
    "SYN ACK  seq=-500 ack=501 win 65535 mss 1460 wscale 7 ts 1/2 sackOK  len 10"
)]
fn a_segment(#[case] base: Base, #[case] expected: &str) {
    assert_eq!(line(&packet(Body::Tcp(syn_ack())), base), expected);
}

#[rstest]
#[case::nothing(Tcp::default(), "no flags  seq=0 win 65535")]
#[case::stray_ack_number(
    Tcp { ack: Some(SeqNum(9)), ..Tcp::with(Flags::RST) },
    "RST  seq=0 (ack 9) win 65535"
)]
#[case::urgent(
    Tcp { urgent: Some(5), window: Some(Window(0)), ..Tcp::with(Flags::URG | Flags::ACK) },
    "ACK URG  seq=0 ack=0 win 0 urg 5"
)]
#[case::sack(
    Tcp { options: Options::encode(&[TcpOption::Sack(vec![(SeqNum(5), SeqNum(9))])]), ..Tcp::with(Flags::ACK) },
    "ACK  seq=0 ack=0 win 65535 sack 5..9"
)]
#[case::unknown_option(
    Tcp { options: Options::encode(&[TcpOption::Unknown { kind: 99, data: vec![1, 0xff] }]), ..Tcp::default() },
    "no flags  seq=0 win 65535 opt-99 01ff"
)]
#[case::defects(
    Tcp { checksum: Checksum::Bad, reserved: Some(2), ..Tcp::with(Flags::FIN) },
    "FIN  seq=0 win 65535 reserved 0x2  [reserved TCP bits, bad checksum]"
)]
fn other_segments(#[case] tcp: Tcp, #[case] expected: &str) {
    let read = Packet::parse_ip(&packet(Body::Tcp(tcp)).build());
    assert_eq!(line(&read, NO_BASE), expected);
}

#[test]
fn the_caller_may_name_numbers() {
    let name = |side: Side, number: SeqNum| match (side, number) {
        (Side::Seq, SeqNum(500)) => "irs".to_owned(),
        (Side::Ack, SeqNum(1001)) => "isn+1".to_owned(),
        (_, other) => other.to_string(),
    };
    let tcp = Tcp { options: Options::default(), payload: vec![], ..syn_ack() };
    assert_eq!(line_named(&packet(Body::Tcp(tcp)), &name), "SYN ACK  seq=irs ack=isn+1 win 65535");
}

#[test]
fn what_is_not_a_segment() {
    let about = packet(Body::Tcp(syn_ack()));
    let icmp = Icmp::fragmentation_needed(1400).quoting(&about, 8);
    let base = Base { isn: None, irs: Some(SeqNum(400)) };
    assert_eq!(
        line(&packet(Body::Icmp(icmp)), base),
        "ICMP fragmentation needed mtu 1400  about port 80 > 1024 seq=100"
    );
    let v6 = Ip::V6(Ipv6 { traffic_class: Some(3), ..Ipv6::default() });
    assert_eq!(line(&Packet::of(v6, Body::Icmpv6(Icmp::new(200, 9))), NO_BASE), "ICMPv6 type 200 code 9  CE");
    let arp = Arp {
        target_ip: Some([10, 0, 0, 2].into()),
        sender_ip: Some([10, 0, 0, 1].into()),
        ..Arp::default()
    };
    let arp = Packet { ether: Some(Ethernet::default()), body: Body::Arp(arp), ..Packet::default() };
    assert_eq!(line(&arp, NO_BASE), "ARP who has 10.0.0.2, tell 10.0.0.1");
    let reply = Arp { operation: Some(2), sender_mac: Some(Mac::BROADCAST), ..Arp::default() };
    let reply = Packet { body: Body::Arp(reply), ..Packet::default() };
    assert_eq!(line(&reply, NO_BASE), "ARP 0.0.0.0 is at ff:ff:ff:ff:ff:ff");
    let fragment = Ipv4 { protocol: Some(6), fragment_offset: Some(2), mf: Some(true), ..Ipv4::default() };
    let fragment = Packet::of(Ip::V4(fragment), Body::Other(vec![0; 8]));
    assert_eq!(line(&fragment, NO_BASE), "IP protocol 6  len 8  fragment 16+");
    assert_eq!(line(&Packet::parse_ip(&[]), NO_BASE), "unreadable  len 0  [truncated IPv4]");
}
