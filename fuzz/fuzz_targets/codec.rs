//! Arbitrary octets through every reader of the codec: no panic, and what was read means the same when it is
//! written and read again.
#![no_main]

use std::net::{IpAddr, SocketAddr};

use libfuzzer_sys::fuzz_target;
use tcpspec_reference::wire::ip::{HeaderFields, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP};
use tcpspec_reference::wire::options::MAX_LEN;
use tcpspec_reference::wire::{Ecn, IcmpError, IpPacket, Options, Outgoing, Segment, Verify};

fuzz_target!(|octets: &[u8]| {
    let _ = Options::parse(octets);
    if let Ok(packet) = IpPacket::parse(octets) {
        assert!(packet.payload.len() <= octets.len());
        read(&packet);
    }
    // And without a header whose checksum would have to be guessed.
    let ends: [IpAddr; 2] = [[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
    let [source, destination] = ends;
    for protocol in [PROTOCOL_TCP, PROTOCOL_ICMP, PROTOCOL_ICMPV6] {
        read(&IpPacket { source, destination, protocol, ecn: Ecn::NotEct, payload: octets });
    }
});

fn read(packet: &IpPacket<'_>) {
    let _ = IcmpError::parse(packet);
    let checked = Segment::parse(packet, Verify::Yes);
    let Ok(segment) = Segment::parse(packet, Verify::No) else {
        assert!(checked.is_err());
        return;
    };
    assert!(checked.is_err() || checked == Ok(segment));
    // An odd shape is read as what it means, which may take more octets to say.
    if segment.options.emitted_len() <= MAX_LEN {
        repeat(packet, &segment);
    }
}

/// Writes a segment and reads it back.
fn repeat(packet: &IpPacket<'_>, segment: &Segment<'_>) {
    let half = segment.payload.len() / 2;
    let outgoing = Outgoing {
        local: SocketAddr::new(packet.source, segment.source_port),
        remote: SocketAddr::new(packet.destination, segment.destination_port),
        ip: HeaderFields { hops: 64, dscp: 0, ecn: packet.ecn, identification: 0 },
        seq: segment.seq,
        ack: segment.ack,
        flags: segment.flags,
        window: segment.window,
        urgent: segment.urgent,
        options: segment.options,
        text: segment.payload.split_at(half),
    };
    if outgoing.text_len() > 60_000 {
        return;
    }
    let mut written = Vec::new();
    outgoing.emit(&mut written);
    let packet = IpPacket::parse(&written).expect("what was written is a packet");
    let again = Segment::parse(&packet, Verify::Yes).expect("what was written is a segment");
    assert_eq!(again, *segment);
}
