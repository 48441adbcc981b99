//! Packets by hand: what is filled in, what can be made wrong, and what reading reports of it.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;
use rstest::rstest;

const A4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const A6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const B6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

fn v4(body: Body) -> Packet {
    Packet::of(Ip::V4(Ipv4::new(A4, B4)), body)
}

fn v6(body: Body) -> Packet {
    Packet::of(Ip::V6(Ipv6::new(A6, B6)), body)
}

fn syn() -> Tcp {
    Tcp {
        sport: Some(1024),
        dport: Some(80),
        seq: Some(SeqNum(7)),
        options: Options::encode(&[TcpOption::Mss(1460)]),
        ..Tcp::with(Flags::SYN)
    }
}

/// The headers of the packet, with its defects, after a trip over the wire.
fn over_the_wire(packet: &Packet) -> Packet {
    let octets = packet.build();
    let read =
        if packet.ether.is_some() { Packet::parse_ethernet(&octets) } else { Packet::parse_ip(&octets) };
    assert_eq!(read.build(), octets, "reading lost something");
    read
}

/// The pnet test vector, whose checksum was taken from a real capture.
#[test]
fn a_known_segment_has_its_known_checksum() {
    let packet = Packet::of(
        Ip::V4(Ipv4::new(Ipv4Addr::new(192, 168, 2, 1), Ipv4Addr::new(192, 168, 111, 51))),
        Body::Tcp(Tcp {
            sport: Some(49511),
            dport: Some(9000),
            seq: Some(SeqNum(0x9037_d2b8)),
            ack: Some(SeqNum(0x944b_b276)),
            window: Some(Window(4015)),
            options: Options::encode(&[
                TcpOption::Nop,
                TcpOption::Nop,
                TcpOption::Timestamps { val: 743_951_781, ecr: 44_056_978 },
            ]),
            payload: b"test".to_vec(),
            ..Tcp::with(Flags::PSH | Flags::ACK)
        }),
    );
    let read = over_the_wire(&packet);
    assert_eq!(read.tcp().unwrap().checksum, Checksum::Exact(0xc031));
    assert!(read.is_sound(), "{:?}", read.defects);
}

#[rstest]
#[case::v4(v4(Body::Tcp(syn())), 44)]
#[case::v6(v6(Body::Tcp(syn())), 64)]
fn what_is_left_out_is_filled_in(#[case] packet: Packet, #[case] len: usize) {
    assert_eq!(packet.build().len(), len);
    let read = over_the_wire(&packet);
    assert!(read.is_sound(), "{:?}", read.defects);
    let tcp = read.tcp().unwrap();
    assert_eq!((tcp.offset, tcp.window(), tcp.reserved(), tcp.urgent()), (Some(6), Window::MAX, 0, 0));
    assert_eq!((tcp.seg_len(), tcp.seq_end()), (1, SeqNum(8)));
    assert_eq!(read.ip.as_ref().unwrap().ttl(), Some(64));
    assert_eq!(read.ends(), packet.ends());
}

#[rstest]
#[case::nothing(Flags::ACK, 0, 0)]
#[case::data(Flags::ACK, 10, 10)]
#[case::syn(Flags::SYN, 0, 1)]
#[case::fin_and_data(Flags::FIN, 3, 4)]
#[case::all(Flags::from_bits(0xff), 3, 5)]
fn syn_and_fin_count(#[case] flags: Flags, #[case] payload: usize, #[case] expected: u32) {
    let tcp = Tcp { payload: vec![0; payload], seq: Some(SeqNum(u32::MAX)), ..Tcp::with(flags) };
    assert_eq!(tcp.seg_len(), expected);
    assert_eq!(tcp.seq_end(), SeqNum(u32::MAX) + expected);
}

#[rstest]
#[case::empty(0)]
#[case::odd(1)]
#[case::even(2)]
#[case::large(1461)]
fn checksums_hold_for_any_length(#[case] len: usize) {
    let tcp = Tcp { payload: vec![0xa5; len], ..syn() };
    let icmp = Icmp { payload: vec![0xa5; len], ..Icmp::new(8, 0) };
    for packet in
        [v4(Body::Tcp(tcp.clone())), v6(Body::Tcp(tcp)), v4(Body::Icmp(icmp.clone())), v6(Body::Icmpv6(icmp))]
    {
        assert_eq!(over_the_wire(&packet).defects, []);
    }
}

#[test]
fn an_oversized_payload_does_not_panic() {
    for packet in [
        v4(Body::Tcp(Tcp { payload: vec![0xff; 300_000], ..syn() })),
        v6(Body::Tcp(Tcp { payload: vec![0xff; 300_000], ..syn() })),
    ] {
        assert!(!over_the_wire(&packet).is_sound());
    }
}

fn tcp_with(change: impl Fn(&mut Tcp)) -> Packet {
    let mut tcp = syn();
    change(&mut tcp);
    v4(Body::Tcp(tcp))
}

fn ip_with(change: impl Fn(&mut Ipv4)) -> Packet {
    let mut ip = Ipv4::new(A4, B4);
    change(&mut ip);
    Packet::of(Ip::V4(ip), Body::Tcp(syn()))
}

fn truncated(layer: Layer, needed: usize, present: usize) -> Defect {
    Defect::Truncated { layer, needed, present }
}

#[rstest]
#[case::reserved(tcp_with(|t| t.reserved = Some(5)), Defect::ReservedBits { layer: Layer::Tcp, bits: 5 })]
#[case::offset_small(tcp_with(|t| t.offset = Some(3)), Defect::HeaderLength { layer: Layer::Tcp, words: 3 })]
#[case::offset_large(tcp_with(|t| t.offset = Some(15)), truncated(Layer::Tcp, 60, 24))]
#[case::raw_options(
    tcp_with(|t| t.options = Options::raw([3, 0])),
    Defect::Option(OptionDefect::LengthTooSmall { offset: 0, kind: 3, length: 0 })
)]
#[case::ihl_small(ip_with(|i| i.ihl = Some(4)), Defect::HeaderLength { layer: Layer::Ipv4, words: 4 })]
#[case::total_short(ip_with(|i| i.total_length = Some(8)), Defect::TotalLength { claimed: 8, header: 20 })]
#[case::total_long(ip_with(|i| i.total_length = Some(99)), truncated(Layer::Ipv4, 99, 44))]
#[case::evil(ip_with(|i| i.reserved = Some(true)), Defect::ReservedBits { layer: Layer::Ipv4, bits: 4 })]
#[case::trailing(Packet { trailer: vec![1, 2], ..v4(Body::Tcp(syn())) }, Defect::Trailing { octets: 2 })]
#[case::padding_without_frame(Packet { trailer: vec![0], ..v4(Body::Tcp(syn())) }, Defect::Trailing { octets: 1 })]
fn one_thing_wrong_is_one_defect(#[case] packet: Packet, #[case] defect: Defect) {
    assert_eq!(over_the_wire(&packet).defects, [defect]);
}

#[rstest]
#[case::tcp(v4(Body::Tcp(Tcp { checksum: Checksum::Bad, ..syn() })), Layer::Tcp)]
#[case::tcp_v6(v6(Body::Tcp(Tcp { checksum: Checksum::Bad, ..syn() })), Layer::Tcp)]
#[case::zero(v4(Body::Tcp(Tcp { checksum: Checksum::Exact(0), ..syn() })), Layer::Tcp)]
#[case::ip(ip_with(|i| i.checksum = Checksum::Bad), Layer::Ipv4)]
#[case::icmp(v4(Body::Icmp(Icmp { checksum: Checksum::Bad, ..Icmp::new(3, 1) })), Layer::Icmp)]
#[case::icmpv6(v6(Body::Icmpv6(Icmp { checksum: Checksum::Bad, ..Icmp::new(1, 0) })), Layer::Icmpv6)]
fn a_bad_checksum_is_named_with_the_right_one(#[case] packet: Packet, #[case] wanted: Layer) {
    let read = over_the_wire(&packet);
    let [Defect::Checksum { layer, seen, correct }] = read.defects[..] else { panic!("{:?}", read.defects) };
    assert_eq!(layer, wanted);
    assert_ne!(seen, correct);
    let mut mended = read.clone();
    match (&mut mended.ip, &mut mended.body) {
        (Some(Ip::V4(ip)), _) if wanted == Layer::Ipv4 => ip.checksum = Checksum::Exact(correct),
        (_, Body::Tcp(tcp)) => tcp.checksum = Checksum::Exact(correct),
        (_, Body::Icmp(icmp) | Body::Icmpv6(icmp)) => icmp.checksum = Checksum::Exact(correct),
        _ => unreachable!(),
    }
    assert_eq!(over_the_wire(&mended).defects, []);
}

#[rstest]
#[case::as_read_with_ihl(ip_with(|i| { i.ihl = Some(15); i.options = vec![1; 2]; }), truncated(Layer::Ipv4, 60, 46))]
#[case::version(ip_with(|i| i.version = Some(7)), Defect::Version { seen: 7 })]
fn unreadable_packets_keep_their_octets(#[case] packet: Packet, #[case] defect: Defect) {
    let read = over_the_wire(&packet);
    assert!(read.defects.contains(&defect), "{:?}", read.defects);
    assert!(matches!(read.body, Body::Other(_)));
}

#[test]
fn a_wrong_version_in_a_frame_is_still_read() {
    let packet = Packet { ether: Some(Ethernet::default()), ..ip_with(|i| i.version = Some(7)) };
    let read = over_the_wire(&packet);
    assert_eq!(read.defects, [Defect::Version { seen: 7 }]);
    assert_eq!(read.tcp().unwrap().options.mss(), Some(1460));
}

#[rstest]
#[case::zeros_up_to_the_minimum(vec![0; 2], &[])]
#[case::beyond_the_minimum(vec![0; 3], &[Defect::Trailing { octets: 3 }])]
#[case::not_zeros(vec![0, 1], &[Defect::Trailing { octets: 2 }])]
fn frame_padding(#[case] trailer: Vec<u8>, #[case] defects: &[Defect]) {
    let ether = Some(Ethernet { src: Some(Mac([2, 0, 0, 0, 0, 1])), ..Ethernet::default() });
    let read = over_the_wire(&Packet { ether, trailer: trailer.clone(), ..v4(Body::Tcp(syn())) });
    assert_eq!(read.defects, defects);
    assert_eq!(read.trailer, trailer);
    assert_eq!(read.ether.unwrap().ethertype, Some(ETHERTYPE_IPV4));
}

#[test]
fn options_are_padded_unless_the_offset_is_given() {
    let three = Options::encode(&[TcpOption::WindowScale(7)]);
    let padded = tcp_with(|t| t.options = three.clone());
    assert_eq!(padded.body_octets().len(), 24);
    let bare = tcp_with(|t| (t.options, t.offset) = (three.clone(), Some(6)));
    assert_eq!(bare.body_octets().len(), 23);
}

#[test]
fn too_many_options_spill_into_the_payload() {
    let read = over_the_wire(&tcp_with(|t| t.options = Options::raw([1; 44])));
    let tcp = read.tcp().unwrap();
    assert_eq!((tcp.offset, tcp.payload.len()), (Some(15), 4));
}

/// A capture that cut the packet short says nothing about its checksum.
#[rstest]
#[case::v4(v4(Body::Tcp(Tcp { payload: vec![7; 50], ..syn() })), truncated(Layer::Ipv4, 94, 84))]
#[case::v6(v6(Body::Tcp(Tcp { payload: vec![7; 50], ..syn() })), truncated(Layer::Ipv6, 114, 104))]
fn missing_octets_are_no_bad_checksum(#[case] packet: Packet, #[case] defect: Defect) {
    let octets = packet.build();
    let read = Packet::parse_ip(&octets[..octets.len() - 10]);
    assert_eq!(read.defects, [defect]);
    assert_eq!(read.tcp().unwrap().payload, [7; 40]);
}

#[rstest]
#[case::whole(None, None, true)]
#[case::fragment(Some(true), None, false)]
#[case::on_purpose(Some(true), Some(true), true)]
fn df_is_set_unless_fragmented(#[case] mf: Option<bool>, #[case] df: Option<bool>, #[case] expected: bool) {
    let read = over_the_wire(&ip_with(|i| (i.mf, i.df) = (mf, df)));
    assert_eq!(Field::Df.read(&read), Seen::Number(expected.into()));
}

#[rstest]
#[case(0, 65535)]
#[case(7, 8_388_480)]
#[case(14, 1_073_725_440)]
#[case(15, 1_073_725_440)]
#[case(255, 1_073_725_440)]
fn a_window_is_never_shifted_beyond_14(#[case] shift: u8, #[case] expected: u32) {
    assert_eq!(Window::MAX.scaled(shift), expected);
}

#[test]
fn arp_round_trips() {
    let arp = Arp {
        operation: Some(Arp::REPLY),
        sender_mac: Some(Mac([2, 0, 0, 0, 0, 1])),
        sender_ip: Some(A4),
        target_mac: Some(Mac::BROADCAST),
        target_ip: Some(B4),
        ..Arp::default()
    };
    let packet = Packet { ether: Some(Ethernet::default()), body: Body::Arp(arp), ..Packet::default() };
    let read = over_the_wire(&packet);
    assert_eq!(read.defects, []);
    assert_eq!(read.ether.unwrap().ethertype, Some(ETHERTYPE_ARP));
    let filled = Arp {
        hardware: Some(1),
        protocol: Some(ETHERTYPE_IPV4),
        hardware_len: Some(6),
        protocol_len: Some(4),
        ..arp
    };
    assert_eq!(read.arp(), Some(&filled));
    let foreign = Arp { hardware_len: Some(8), ..arp };
    let read = over_the_wire(&Packet { body: Body::Arp(foreign), ..packet });
    assert!(matches!(read.defects[..], [Defect::ArpAddressing { hardware_len: 8, .. }]));
}

#[test]
fn extension_headers_chain_and_pad() {
    let mut packet = v6(Body::Tcp(syn()));
    let Some(Ip::V6(ip)) = &mut packet.ip else { unreachable!() };
    ip.extensions = vec![
        Extension { kind: 0, data: vec![1, 4], ..Extension::default() },
        Extension { kind: 51, data: vec![0; 10], ..Extension::default() },
        Extension::fragment(0, false, 9),
        Extension { kind: 60, data: vec![1, 10], ..Extension::default() },
    ];
    let read = over_the_wire(&packet);
    assert_eq!(read.defects, []);
    assert!(read.tcp().is_some());
    let Some(Ip::V6(ip)) = &read.ip else { panic!() };
    let chain: Vec<_> = ip.extensions.iter().map(|e| (e.kind, e.next, e.length)).collect();
    let (next, length) = (Some, Some);
    assert_eq!(
        chain,
        [
            (0, next(51), length(0)),
            (51, next(44), length(1)),
            (44, next(60), length(0)),
            (60, next(6), length(0))
        ]
    );
    assert!(!ip.is_fragment());
}

#[test]
fn an_extension_that_runs_out_is_truncated() {
    let mut packet = v6(Body::Other(vec![]));
    let Some(Ip::V6(ip)) = &mut packet.ip else { unreachable!() };
    ip.extensions = vec![Extension { kind: 43, next: Some(6), length: Some(9), data: vec![0; 6] }];
    let read = over_the_wire(&packet);
    assert_eq!(read.defects, [truncated(Layer::Extension, 80, 8)]);
}

#[test]
fn fragments_are_not_taken_for_segments() {
    let first = over_the_wire(&ip_with(|i| i.mf = Some(true)));
    assert!(first.tcp().is_some());
    assert!(first.ip.as_ref().unwrap().is_fragment());
    let later = over_the_wire(&ip_with(|i| i.fragment_offset = Some(185)));
    assert!(later.tcp().is_none());
    assert_eq!(later.defects, []);
}

#[test]
fn a_later_fragment_holds_no_extension_header() {
    let mut packet = v6(Body::Other(vec![0xff; 16]));
    let Some(Ip::V6(ip)) = &mut packet.ip else { unreachable!() };
    ip.extensions = vec![Extension { next: Some(60), ..Extension::fragment(3, true, 9) }];
    let read = over_the_wire(&packet);
    assert_eq!(read.defects, []);
    assert_eq!(read.body, packet.body);
}

#[rstest]
#[case::v4(v4(Body::Tcp(syn())), v4(Body::Icmp(Icmp::fragmentation_needed(1400))), 1400)]
#[case::v6(v6(Body::Tcp(syn())), v6(Body::Icmpv6(Icmp::packet_too_big(70_000))), 70_000)]
fn icmp_errors_quote_a_segment(#[case] about: Packet, #[case] mut error: Packet, #[case] mtu: u32) {
    match &mut error.body {
        Body::Icmp(icmp) | Body::Icmpv6(icmp) => *icmp = icmp.clone().quoting(&about, QUOTE_LEN_MIN),
        _ => unreachable!(),
    }
    let read = over_the_wire(&error);
    assert_eq!(read.defects, []);
    let icmp = read.icmp().unwrap();
    assert_eq!(icmp.mtu(read.is_v6()), Some(mtu));
    let (src, dst) = about.ends().unwrap();
    assert_eq!(icmp.quoted(), Some(Quoted { src, dst, sport: 1024, dport: 80, seq: SeqNum(7) }));
    let short = icmp.clone().quoting(&about, 7);
    assert_eq!(short.quoted(), None);
}

#[rstest]
#[case::nothing(&[])]
#[case::one_octet(&[0x45])]
#[case::short_v6(&[0x60; 39])]
#[case::short_tcp(&[0x45, 0, 0, 30, 0, 0, 0, 0, 64, 6, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9])]
fn what_is_too_short_says_so(#[case] octets: &[u8]) {
    for read in [Packet::parse_ip(octets), Packet::parse_ethernet(octets)] {
        assert_eq!(read.build(), octets);
    }
    let read = Packet::parse_ip(octets);
    assert!(read.defects.iter().any(|defect| matches!(defect, Defect::Truncated { .. })));
}

#[test]
fn defaults_do_not_overrule() {
    let mut tcp = Tcp { seq: Some(SeqNum(1)), checksum: Checksum::Bad, ..Tcp::default() };
    tcp.fill_from(&Tcp { ack: Some(SeqNum(5)), ..syn() });
    assert_eq!((tcp.seq(), tcp.ack(), tcp.dport()), (SeqNum(1), SeqNum(5), 80));
    assert_eq!((tcp.flags(), tcp.options.mss(), tcp.checksum), (Flags::SYN, Some(1460), Checksum::Bad));
}

#[test]
fn packets_survive_json() {
    let packet =
        Packet { ether: Some(Ethernet::default()), ..over_the_wire(&tcp_with(|t| t.reserved = Some(1))) };
    let json = serde_json::to_string(&packet).unwrap();
    assert_eq!(serde_json::from_str::<Packet>(&json).unwrap(), packet);
}
