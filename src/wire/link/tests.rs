use super::*;
use crate::packet::{Icmp, Ip, Ipv4, Ipv6, Tcp};
use rstest::rstest;

const TARGET: Mac = Mac([2, 0, 0, 0, 0, 2]);

fn link(target: TargetMac) -> Link {
    Link::new(&Net::default(), target)
}

fn segment(src: &str, dst: &str) -> Packet {
    Packet::of(Ip::between(src.parse().unwrap(), dst.parse().unwrap()).unwrap(), Body::Tcp(Tcp::default()))
}

fn framed(packet: Packet) -> Vec<u8> {
    let ether = Ethernet { dst: Some(INJECTOR_MAC), src: Some(TARGET), ethertype: None };
    Packet { ether: Some(ether), ..packet }.build()
}

#[test]
fn packets_come_out_of_their_frames_without_padding() {
    for (src, dst) in [("192.0.2.2", "192.0.2.1"), ("2001:db8::2", "2001:db8::1")] {
        let packet = segment(src, dst);
        let frame = padded(framed(packet.clone()));
        assert_eq!(link(TargetMac::Unknown).inbound(&frame), Inbound::Packet(&packet.build()));
    }
}

#[test]
fn trailing_octets_that_are_no_padding_stay() {
    let packet = Packet { trailer: vec![1], ..segment("192.0.2.2", "192.0.2.1") };
    let frame = padded(framed(packet.clone()));
    assert_eq!(link(TargetMac::Unknown).inbound(&frame), Inbound::Packet(&frame[14..]));
}

#[test]
fn questions_about_the_injector_are_answered() {
    let question = |asked: [u8; 4]| {
        let arp = Arp {
            sender_mac: Some(TARGET),
            sender_ip: Some([192, 0, 2, 2].into()),
            target_ip: Some(asked.into()),
            ..Arp::default()
        };
        framed(Packet { body: Body::Arp(arp), ..Packet::default() })
    };
    let mut link = link(TargetMac::Unknown);
    let Inbound::Answer(answer) = link.inbound(&question([192, 0, 2, 1])) else { panic!("no answer") };
    assert_eq!(answer.len(), FRAME_LEN_MIN);
    assert_eq!(Packet::parse_ethernet(&answer).arp().unwrap().sender_mac, Some(INJECTOR_MAC));
    assert_eq!(link.target(), TargetMac::Learned(TARGET));
    // Its own address: it is looking for a duplicate.
    assert_eq!(link.inbound(&question([192, 0, 2, 2])), Inbound::Noise);
    assert_eq!(link.inbound(&question([192, 0, 2, 9])), Inbound::Noise);
    link.answer_for([192, 0, 2, 9].into());
    assert!(matches!(link.inbound(&question([192, 0, 2, 9])), Inbound::Answer(_)));
    link.fall_silent_for([192, 0, 2, 9].into());
    assert_eq!(link.inbound(&question([192, 0, 2, 9])), Inbound::Noise);
}

#[rstest]
#[case::solicitation(135, true)]
#[case::router_solicitation(133, false)]
#[case::listener_report(143, false)]
fn neighbour_discovery_never_reaches_a_case(#[case] kind: u8, #[case] is_answered: bool) {
    let peer = Net::default().peer_v6;
    let ip = Ipv6 { hop_limit: Some(255), ..Ipv6::new("fe80::2".parse().unwrap(), peer) };
    let body = Body::Icmpv6(Icmp { payload: peer.octets().to_vec(), ..Icmp::new(kind, 0) });
    let frame = framed(Packet::of(Ip::V6(ip), body));
    match link(TargetMac::Unknown).inbound(&frame) {
        Inbound::Answer(_) => assert!(is_answered),
        Inbound::Noise => assert!(!is_answered),
        Inbound::Packet(_) => panic!("it reached the case"),
    }
}

#[rstest]
#[case("192.0.2.2", TARGET)]
#[case("192.0.2.255", Mac::BROADCAST)]
#[case("255.255.255.255", Mac::BROADCAST)]
#[case("224.129.2.3", Mac([0x01, 0x00, 0x5e, 1, 2, 3]))]
fn groups_have_addresses_of_their_own(#[case] dst: &str, #[case] mac: Mac) {
    let frame = link(TargetMac::Pinned(TARGET)).outbound(&segment("192.0.2.1", dst).build()).unwrap();
    assert_eq!(frame[..6], mac.0);
    assert_eq!(frame[6..14], [2, 0, 0, 0, 0, 1, 8, 0]);
    assert_eq!(frame.len(), FRAME_LEN_MIN);
}

#[test]
fn groups_of_ipv6_have_addresses_of_their_own() {
    let frame = link(TargetMac::Unknown).outbound(&segment("2001:db8::1", "ff02::1:ff00:2").build()).unwrap();
    assert_eq!(frame[..14], [0x33, 0x33, 0xff, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd]);
}

#[test]
fn a_wrong_version_does_not_change_the_type_of_the_frame() {
    let link = link(TargetMac::Pinned(TARGET));
    let v4 = Ipv4 { version: Some(6), ..Ipv4::new([192, 0, 2, 1].into(), [192, 0, 2, 2].into()) };
    let frame = link.outbound(&Packet::of(Ip::V4(v4), Body::Tcp(Tcp::default())).build()).unwrap();
    assert_eq!(frame[12..14], [8, 0]);
    let net = Net::default();
    let v6 = Ipv6 { version: Some(4), ..Ipv6::new(net.peer_v6, net.target_v6) };
    let frame = link.outbound(&Packet::of(Ip::V6(v6), Body::Tcp(Tcp::default())).build()).unwrap();
    assert_eq!(frame[12..14], [0x86, 0xdd]);
}

#[test]
fn a_pinned_address_is_not_unlearned() {
    let mut link = link(TargetMac::Pinned(Mac([2, 0, 0, 0, 0, 7])));
    link.inbound(&framed(segment("192.0.2.2", "192.0.2.1")));
    assert_eq!(link.target(), TargetMac::Pinned(Mac([2, 0, 0, 0, 0, 7])));
}

#[test]
fn nothing_is_sent_to_a_target_that_is_not_known() {
    let link = link(TargetMac::Unknown);
    assert_eq!(link.outbound(&segment("192.0.2.1", "192.0.2.2").build()), Err(UnknownMac));
    let [question] = &link.questions()[..] else { panic!("one question") };
    assert_eq!(Packet::parse_ethernet(question).asks_for(), Some([192, 0, 2, 2].into()));
}

proptest::proptest! {
    #[test]
    fn no_frame_makes_it_stumble(frame in proptest::collection::vec(proptest::num::u8::ANY, 0..120), kind in 0..4_usize) {
        let mut frame = frame;
        if let Some(ethertype) = frame.get_mut(12..14) {
            ethertype.copy_from_slice(&[[8, 0], [8, 6], [0x86, 0xdd], [1, 2]][kind]);
        }
        let mut link = link(TargetMac::Unknown);
        link.inbound(&frame);
        let _ = link.outbound(&frame);
    }
}
