//! Properties of the packet codec over arbitrary layers and arbitrary octets, with etherparse as a second opinion.
//!
//! Four of them carry the weight: what is built reads back as it was meant; reading loses no octet, whatever it is
//! given; nothing panics; and another codec, written by other people, sees the same fields and the same checksums.
//! `PROPTEST_CASES=100000` looks harder.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{NetSlice, SlicedPacket, TcpSlice, TransportSlice};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tcpspec::packet::{
    Arp, Body, Checksum, Defect, Ethernet, Extension, Field, Flags, Icmp, Ip, Ipv4, Ipv6, Layer, Mac,
    Options, Packet, SeqNum, Tcp, TcpOption, Window, show,
};

fn any_checksum() -> impl Strategy<Value = Checksum> {
    prop_oneof![8 => Just(Checksum::Auto), 1 => Just(Checksum::Bad), 1 => any::<u16>().prop_map(Checksum::Exact)]
}

fn any_option() -> impl Strategy<Value = TcpOption> {
    let block = any::<(u32, u32)>().prop_map(|(left, right)| (SeqNum(left), SeqNum(right)));
    prop_oneof![
        Just(TcpOption::Eol),
        Just(TcpOption::Nop),
        any::<u16>().prop_map(TcpOption::Mss),
        any::<u8>().prop_map(TcpOption::WindowScale),
        Just(TcpOption::SackPermitted),
        vec(block, 0..4).prop_map(TcpOption::Sack),
        any::<(u32, u32)>().prop_map(|(val, ecr)| TcpOption::Timestamps { val, ecr }),
        vec(any::<u8>(), 0..17).prop_map(TcpOption::FastOpen),
        any::<(u8, u8, [u8; 3])>().prop_map(|(kind, length, data)| TcpOption::WrongLength {
            kind,
            length,
            data: data.to_vec()
        }),
        vec(any::<u8>(), 0..6).prop_map(TcpOption::Raw),
    ]
}

prop_compose! {
    /// A segment that is right wherever `right`, and anything at all otherwise.
    fn any_tcp(right: bool)(
        (sport, dport, seq, ack) in any::<(Option<u16>, Option<u16>, Option<u32>, Option<u32>)>(),
        (offset, reserved) in (option::of(0u8..16), option::of(0u8..16)),
        (flags, window, urgent) in any::<(Option<u8>, Option<u16>, Option<u16>)>(),
        checksum in any_checksum(),
        options in vec(any_option(), 0..5),
        payload in vec(any::<u8>(), 0..40),
    ) -> Tcp {
        let mut octets = Options::encode(&options).octets().to_vec();
        if right {
            octets.truncate(40);
        }
        Tcp {
            sport,
            dport,
            seq: seq.map(SeqNum),
            ack: ack.map(SeqNum),
            offset: offset.filter(|_| !right),
            reserved,
            flags: flags.map(Flags::from_bits),
            window: window.map(Window),
            checksum: if right { Checksum::Auto } else { checksum },
            urgent,
            options: Options::raw(octets),
            payload,
        }
    }
}

prop_compose! {
    fn any_ipv4(right: bool)(
        (version, ihl, total_length) in (option::of(0u8..16), option::of(0u8..16), any::<Option<u16>>()),
        (tos, id, reserved, df) in any::<(Option<u8>, Option<u16>, Option<bool>, Option<bool>)>(),
        (mf, fragment_offset) in (any::<Option<bool>>(), option::of(0u16..0x2000)),
        (ttl, protocol) in any::<(Option<u8>, Option<u8>)>(),
        checksum in any_checksum(),
        (src, dst) in any::<([u8; 4], [u8; 4])>(),
        options in vec(any::<u8>(), 0..44),
    ) -> Ipv4 {
        Ipv4 {
            version: version.filter(|_| !right),
            ihl: ihl.filter(|_| !right),
            tos,
            total_length: total_length.filter(|_| !right),
            id,
            reserved: reserved.filter(|_| !right),
            df,
            mf: mf.filter(|_| !right),
            fragment_offset: fragment_offset.filter(|_| !right),
            ttl,
            protocol: protocol.filter(|_| !right),
            checksum: if right { Checksum::Auto } else { checksum },
            src: Some(Ipv4Addr::from(src)),
            dst: Some(Ipv4Addr::from(dst)),
            options: if right { options[..options.len().min(40)].to_vec() } else { options },
        }
    }
}

prop_compose! {
    fn any_extension(right: bool)(
        kind in prop_oneof![Just(0u8), Just(43), Just(60)],
        any_kind in any::<u8>(),
        (next, length) in any::<(Option<u8>, Option<u8>)>(),
        data in vec(any::<u8>(), 0..30),
    ) -> Extension {
        if right {
            // A routing header of zero length and no segments is the one that every reader takes.
            Extension { kind: if kind == 0 { 60 } else { kind }, next: None, length: None, data }
        } else {
            Extension { kind: any_kind, next, length, data }
        }
    }
}

prop_compose! {
    fn any_ipv6(right: bool)(
        version in option::of(0u8..16),
        (traffic_class, payload_length, next_header) in any::<(Option<u8>, Option<u16>, Option<u8>)>(),
        (flow_label, hop_limit) in (option::of(0u32..0x10_0000), any::<Option<u8>>()),
        (src, dst) in any::<([u8; 16], [u8; 16])>(),
        extensions in vec(any_extension(right), 0..3),
    ) -> Ipv6 {
        Ipv6 {
            version: version.filter(|_| !right),
            traffic_class,
            flow_label,
            payload_length: payload_length.filter(|_| !right),
            next_header: next_header.filter(|_| !right),
            hop_limit,
            src: Some(Ipv6Addr::from(src)),
            dst: Some(Ipv6Addr::from(dst)),
            extensions: if right { extensions.into_iter().take(1).collect() } else { extensions },
        }
    }
}

prop_compose! {
    fn any_icmp()(
        (kind, code, rest) in any::<(Option<u8>, Option<u8>, Option<[u8; 4]>)>(),
        checksum in any_checksum(),
        payload in vec(any::<u8>(), 0..50),
    ) -> Icmp {
        Icmp { kind, code, checksum, rest, payload }
    }
}

prop_compose! {
    fn any_arp()(
        (hardware, protocol, hardware_len) in any::<(Option<u16>, Option<u16>, Option<u8>)>(),
        (protocol_len, operation) in any::<(Option<u8>, Option<u16>)>(),
        (sender_mac, target_mac) in any::<(Option<[u8; 6]>, Option<[u8; 6]>)>(),
        (sender_ip, target_ip) in any::<(Option<[u8; 4]>, Option<[u8; 4]>)>(),
    ) -> Arp {
        Arp {
            hardware,
            protocol,
            hardware_len,
            protocol_len,
            operation,
            sender_mac: sender_mac.map(Mac),
            sender_ip: sender_ip.map(Ipv4Addr::from),
            target_mac: target_mac.map(Mac),
            target_ip: target_ip.map(Ipv4Addr::from),
        }
    }
}

fn any_ip(right: bool) -> impl Strategy<Value = Ip> {
    prop_oneof![any_ipv4(right).prop_map(Ip::V4), any_ipv6(right).prop_map(Ip::V6)]
}

fn any_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => any_tcp(false).prop_map(Body::Tcp),
        1 => any_icmp().prop_map(Body::Icmp),
        1 => any_icmp().prop_map(Body::Icmpv6),
        1 => any_arp().prop_map(Body::Arp),
        1 => vec(any::<u8>(), 0..40).prop_map(Body::Other),
    ]
}

prop_compose! {
    /// A packet that may be wrong in any way.
    fn any_packet()(
        ether in option::of(any::<(Option<[u8; 6]>, Option<[u8; 6]>, Option<u16>)>()),
        ip in option::of(any_ip(false)),
        body in any_body(),
        trailer in vec(any::<u8>(), 0..5),
    ) -> Packet {
        let ether = ether.map(|(dst, src, ethertype)| Ethernet {
            dst: dst.map(Mac),
            src: src.map(Mac),
            ethertype: ethertype.filter(|ethertype| ethertype % 4 == 0),
        });
        Packet { ether, ip, body, trailer, defects: Vec::new() }
    }
}

prop_compose! {
    /// A segment whose headers are all right, in either family.
    fn right_segment()(ip in any_ip(true), tcp in any_tcp(true)) -> Packet {
        Packet::of(ip, Body::Tcp(tcp))
    }
}

/// Reads octets in every way there is and looks at all that can be seen of them.
fn look_at(octets: &[u8]) -> Result<(), TestCaseError> {
    for packet in [Packet::parse_ip(octets), Packet::parse_ethernet(octets)] {
        prop_assert_eq!(packet.build(), octets, "{:?}", &packet);
        let line = show::line(&packet, show::Base { isn: Some(SeqNum(1)), irs: None });
        prop_assert!(!line.is_empty() && !line.contains('\n'));
        Field::ALL.iter().for_each(|field| drop(field.read(&packet).to_string()));
        packet.defects.iter().for_each(|defect| drop(format!("{defect} {}", defect.brief())));
        if let Some(icmp) = packet.icmp() {
            let _ = (icmp.quoted(), icmp.mtu(packet.is_v6()), icmp.echo());
        }
        for defect in &packet.defects {
            // Zero and minus zero are one number to a receiver, so only a real difference is a defect.
            if let Defect::Checksum { seen, correct, .. } = defect {
                prop_assert_ne!(seen % 0xffff, correct % 0xffff);
            }
        }
    }
    Ok(())
}

/// Every field of `meant` that was given is found in `read`.
fn assert_as_meant(meant: &Tcp, read: &Tcp) -> Result<(), TestCaseError> {
    let mut filled = meant.clone();
    filled.fill_from(read);
    // These are worked out or padded when left out; all else must be untouched.
    prop_assert!(read.options.octets().starts_with(meant.options.octets()));
    filled.options = read.options.clone();
    prop_assert_eq!(&filled, read);
    Ok(())
}

proptest! {
    #[test]
    fn what_is_right_reads_back_as_meant(packet in right_segment()) {
        let octets = packet.build();
        let read = Packet::parse_ip(&octets);
        let sound = |defect: &Defect| {
            matches!(defect, Defect::Option(_) | Defect::ReservedBits { layer: Layer::Tcp, .. })
        };
        prop_assert!(read.defects.iter().all(sound), "{:?}", read.defects);
        assert_as_meant(packet.tcp().unwrap(), read.tcp().unwrap())?;
        prop_assert_eq!(read.ends(), packet.ends());
        prop_assert_eq!(read.tcp().unwrap().seg_len(), packet.tcp().unwrap().seg_len());
        prop_assert!(read.trailer.is_empty());
        prop_assert_eq!(read.build(), octets);
    }

    #[test]
    fn whatever_is_built_can_be_read(packet in any_packet()) {
        look_at(&packet.build())?;
    }

    #[test]
    fn arbitrary_octets_are_read_without_loss(octets in vec(any::<u8>(), 0..200)) {
        look_at(&octets)?;
    }

    #[test]
    fn mutated_packets_are_read_without_loss(
        packet in right_segment(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let mut octets = packet.build();
        for (at, value) in changes {
            let at = at.index(octets.len());
            octets[at] = value;
        }
        octets.truncate(cut.map_or(octets.len(), |cut| cut.index(octets.len())));
        look_at(&octets)?;
    }

    /// Any change of one octet of a segment is caught by its checksum or its lengths, and is named.
    #[test]
    fn a_changed_octet_is_noticed(
        packet in right_segment(),
        at in any::<prop::sample::Index>(),
        flip in 1u8..=255,
    ) {
        let header = packet.build().len() - packet.body_octets().len();
        let mut octets = packet.build();
        let at = header + at.index(octets.len() - header);
        octets[at] ^= flip;
        let read = Packet::parse_ip(&octets);
        let noticed = read.defects.iter().any(|d| matches!(d, Defect::Checksum { layer: Layer::Tcp, .. }));
        prop_assert!(noticed, "{:?}", read.defects);
    }

    #[test]
    fn etherparse_sees_the_same_segment(packet in right_segment()) {
        let octets = packet.build();
        let read = Packet::parse_ip(&octets);
        let sliced = SlicedPacket::from_ip(&octets).unwrap();
        let Some(TransportSlice::Tcp(theirs)) = &sliced.transport else { panic!("{sliced:?}") };
        let ours = read.tcp().unwrap();
        same_tcp(ours, theirs)?;
        let checksum = match sliced.net.as_ref().unwrap() {
            NetSlice::Ipv4(net) => {
                let Some(Ip::V4(ip)) = &read.ip else { panic!("family") };
                let header = net.header();
                prop_assert_eq!(ip.checksum, Checksum::Exact(header.to_header().calc_header_checksum()));
                prop_assert_eq!((ip.ttl, ip.id), (Some(header.ttl()), Some(header.identification())));
                prop_assert_eq!(ip.df, Some(header.dont_fragment()));
                prop_assert_eq!(ip.tos, Some(header.dcp().value() << 2 | header.ecn().value()));
                prop_assert_eq!(&ip.options[..], header.options());
                theirs.calc_checksum_ipv4(header.source(), header.destination()).unwrap()
            }
            NetSlice::Ipv6(net) => {
                let Some(Ip::V6(ip)) = &read.ip else { panic!("family") };
                let header = net.header();
                prop_assert_eq!(ip.hop_limit, Some(header.hop_limit()));
                prop_assert_eq!(ip.traffic_class, Some(header.traffic_class()));
                prop_assert_eq!(ip.flow_label, Some(header.flow_label().value()));
                theirs.calc_checksum_ipv6(header.source(), header.destination()).unwrap()
            }
            NetSlice::Arp(_) => panic!("family"),
        };
        prop_assert_eq!(ours.checksum, Checksum::Exact(checksum));
    }

    #[test]
    fn etherparse_agrees_on_icmp(icmp in any_icmp(), ip in any_ip(true)) {
        let icmp = Icmp { checksum: Checksum::Auto, ..icmp };
        let v6 = matches!(ip, Ip::V6(_));
        let packet = Packet::of(ip, if v6 { Body::Icmpv6(icmp) } else { Body::Icmp(icmp) });
        let octets = packet.build();
        let read = Packet::parse_ip(&octets);
        let ours = read.icmp().unwrap();
        let sliced = SlicedPacket::from_ip(&octets);
        // etherparse refuses some timestamp messages as too short; then there is nothing to compare with.
        let Ok(sliced) = sliced else { return Ok(()) };
        match (&sliced.transport, &sliced.net) {
            (Some(TransportSlice::Icmpv4(theirs)), _) => {
                prop_assert_eq!((ours.kind, ours.code), (Some(theirs.type_u8()), Some(theirs.code_u8())));
                prop_assert_eq!(ours.rest, Some(theirs.bytes5to8()));
                prop_assert_eq!(etherparse::checksum::Sum16BitWords::new().add_slice(theirs.slice()).ones_complement(), 0);
            }
            (Some(TransportSlice::Icmpv6(theirs)), Some(NetSlice::Ipv6(net))) => {
                prop_assert_eq!((ours.kind, ours.code), (Some(theirs.type_u8()), Some(theirs.code_u8())));
                let header = net.header();
                prop_assert!(theirs.is_checksum_valid(header.source(), header.destination()));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn same_tcp(ours: &Tcp, theirs: &TcpSlice<'_>) -> Result<(), TestCaseError> {
    prop_assert_eq!((ours.sport(), ours.dport()), (theirs.source_port(), theirs.destination_port()));
    prop_assert_eq!(ours.seq().0, theirs.sequence_number());
    prop_assert_eq!(ours.ack().0, theirs.acknowledgment_number());
    prop_assert_eq!(ours.offset, Some(theirs.data_offset()));
    prop_assert_eq!(ours.ae(), theirs.ns());
    let flags = [
        (Flags::FIN, theirs.fin()),
        (Flags::SYN, theirs.syn()),
        (Flags::RST, theirs.rst()),
        (Flags::PSH, theirs.psh()),
        (Flags::ACK, theirs.ack()),
        (Flags::URG, theirs.urg()),
        (Flags::ECE, theirs.ece()),
        (Flags::CWR, theirs.cwr()),
    ];
    for (flag, set) in flags {
        prop_assert_eq!(ours.has(flag), set, "{}", flag);
    }
    prop_assert_eq!(ours.window().0, theirs.window_size());
    prop_assert_eq!(ours.checksum, Checksum::Exact(theirs.checksum()));
    prop_assert_eq!(ours.urgent(), theirs.urgent_pointer());
    prop_assert_eq!(ours.options.octets(), theirs.options());
    prop_assert_eq!(&ours.payload[..], theirs.payload());
    same_options(ours, theirs)
}

/// Where our reader finds nothing wrong, etherparse finds the same options.
fn same_options(ours: &Tcp, theirs: &TcpSlice<'_>) -> Result<(), TestCaseError> {
    use etherparse::TcpOptionElement as Their;
    let read = ours.options.read();
    if !read.defects.is_empty() {
        return Ok(());
    }
    for (ours, theirs) in read.list.iter().zip(theirs.options_iterator()) {
        // It stops at kinds it does not know, and at SACK options longer than four blocks.
        let Ok(theirs) = theirs else { break };
        let same = match (&theirs, ours) {
            (Their::Noop, TcpOption::Nop)
            | (Their::SelectiveAcknowledgementPermitted, TcpOption::SackPermitted) => true,
            (Their::MaximumSegmentSize(theirs), TcpOption::Mss(ours)) => theirs == ours,
            (Their::WindowScale(theirs), TcpOption::WindowScale(ours)) => theirs == ours,
            (Their::Timestamp(val, ecr), TcpOption::Timestamps { val: v, ecr: e }) => (val, ecr) == (v, e),
            (Their::SelectiveAcknowledgement(first, more), TcpOption::Sack(blocks)) => {
                let theirs = std::iter::once(*first).chain(more.iter().flatten().copied());
                theirs.eq(blocks.iter().map(|(left, right)| (left.0, right.0)))
            }
            _ => false,
        };
        prop_assert!(same, "{:?} {:?}", theirs, ours);
    }
    Ok(())
}

// The reference stack has a codec of its own for segments that are right, and shares no code with this one. Two readings of
// RFC 9293 section 3.1 by different hands: where they part, one of them is wrong.
use std::net::{IpAddr, SocketAddr};
use tcpspec_reference::SeqNum as Number;
use tcpspec_reference::wire::{ip, options as theirs, tcp};

prop_compose! {
    /// The options that a stack sends, in any combination that fits.
    fn sendable_options()(
        mss in option::of(any::<u16>()),
        window_scale in option::of(0u8..15),
        sack_permitted in any::<bool>(),
        timestamps in option::of(any::<(u32, u32)>()),
        block in option::of(any::<(u32, u32)>()),
    ) -> theirs::Options {
        let mut options = theirs::Options { mss, window_scale, sack_permitted, ..theirs::Options::default() };
        options.timestamps = timestamps.map(|(value, echo)| theirs::Timestamps { value, echo });
        if let Some((start, end)) = block {
            options.sack.push(theirs::SackBlock { start: Number(start), end: Number(end) });
        }
        options
    }
}

proptest! {
    /// Whatever the reference sends, the harness reads without a defect, and reads what was meant.
    #[test]
    fn the_harness_reads_what_the_reference_sends(
        (local, remote) in two_ends(),
        (seq, ack, flags, window, urgent) in any::<(u32, u32, u8, u16, u16)>(),
        options in sendable_options(),
        text in vec(any::<u8>(), 0..50),
    ) {
        let fields = ip::HeaderFields { hops: 64, dscp: 0, ecn: ip::Ecn::NotEct, identification: 7 };
        let (front, back) = text.split_at(text.len() / 2);
        let outgoing = tcp::Outgoing {
            local, remote, ip: fields, seq: Number(seq), ack: Number(ack), flags: tcp::Flags(flags), window, urgent,
            options, text: (front, back),
        };
        let mut octets = Vec::new();
        outgoing.emit(&mut octets);
        let packet = Packet::parse_ip(&octets);
        prop_assert!(packet.is_sound(), "{:?}", packet.defects);
        prop_assert_eq!(packet.ends(), Some((local.ip(), remote.ip())));
        let read = packet.tcp().expect("a segment");
        prop_assert_eq!((read.sport(), read.dport()), (local.port(), remote.port()));
        prop_assert_eq!((read.seq(), read.ack()), (SeqNum(seq), SeqNum(ack)));
        prop_assert_eq!((read.flags().bits(), read.window().0, read.urgent()), (flags, window, urgent));
        prop_assert_eq!(&read.payload, &text);
        let stamps = options.timestamps.map(|stamps| (stamps.value, stamps.echo));
        prop_assert_eq!((read.options.mss(), read.options.window_scale()), (options.mss, options.window_scale));
        prop_assert_eq!(read.options.sack_permitted(), options.sack_permitted);
        prop_assert_eq!(read.options.timestamps(), stamps);
    }

    /// Whatever the harness builds right, the reference takes, and reads the same fields.
    #[test]
    fn the_reference_reads_what_the_harness_builds(packet in right_segment()) {
        let octets = packet.build();
        let ours = Packet::parse_ip(&octets);
        let tcp = ours.tcp().expect("a segment");
        // Fragments and packets of other lengths are for IP to put together.
        prop_assume!(ours.ip.as_ref().is_some_and(|ip| !ip.is_fragment()));
        let read = ip::IpPacket::parse(&octets);
        prop_assume!(read.as_ref().is_ok_and(|ip| ip.protocol == 6));
        let ip = read.expect("just looked at");
        let segment = tcp::Segment::parse(&ip, tcpspec_reference::wire::Verify::Yes);
        prop_assert!(segment.is_ok(), "{:?} of {:?}", segment, ours);
        let segment = segment.expect("just looked at");
        prop_assert_eq!((segment.source_port, segment.destination_port), (tcp.sport(), tcp.dport()));
        prop_assert_eq!((SeqNum(segment.seq.0), SeqNum(segment.ack.0)), (tcp.seq(), tcp.ack()));
        prop_assert_eq!((segment.flags.0, segment.window), (tcp.flags().bits(), tcp.window().0));
        prop_assert_eq!(segment.payload, &tcp.payload[..]);
        prop_assert_eq!(segment.len(), tcp.seg_len());
    }

    /// Whatever octets the reference accepts, the harness finds nothing wrong with.
    #[test]
    fn what_the_reference_accepts_is_sound(packet in right_segment(), at in 0usize..80, bit in 0u8..8) {
        let mut octets = packet.build();
        if let Some(octet) = octets.get_mut(at) {
            *octet ^= 1 << bit;
        }
        if let Ok(ip) = ip::IpPacket::parse(&octets)
            && ip.protocol == 6
            && tcp::Segment::parse(&ip, tcpspec_reference::wire::Verify::Yes).is_ok()
        {
            let ours = Packet::parse_ip(&octets);
            let wrong = ours.defects.iter().find(|d| matches!(d, Defect::Checksum { layer: Layer::Tcp, .. }));
            prop_assert!(wrong.is_none(), "{:?}", ours.defects);
        }
    }
}

prop_compose! {
    fn two_ends()(
        v6 in any::<bool>(),
        (a, b) in any::<([u8; 16], [u8; 16])>(),
        (p, q) in any::<(u16, u16)>(),
    ) -> (SocketAddr, SocketAddr) {
        let address = |octets: [u8; 16]| {
            if v6 {
                IpAddr::from(octets)
            } else {
                IpAddr::from([octets[0], octets[1], octets[2], octets[3]])
            }
        };
        (SocketAddr::new(address(a), p), SocketAddr::new(address(b), q))
    }
}
