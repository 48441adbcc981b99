//! Monitors of a segment's own octets: checksum, header, addresses, the ACK bit.

use super::{Judgement, Sighting};
use crate::packet::{Defect, Flags, Ip, Layer};

pub(super) fn checksum(seen: &Sighting<'_>) -> Judgement {
    let wrong = seen.packet.defects.iter().find(|d| matches!(d, Defect::Checksum { .. }));
    Judgement::of(wrong.is_none(), || wrong.map(ToString::to_string).unwrap_or_default())
}

/// Options have monitors of their own; AE, once reserved, is RFC 9768's now.
pub(super) fn well_formed(seen: &Sighting<'_>) -> Judgement {
    let wrong = seen.packet.defects.iter().find(|defect| match defect {
        Defect::Checksum { .. } | Defect::Option(_) => false,
        Defect::ReservedBits { layer: Layer::Tcp, bits } => bits & !1 != 0,
        Defect::Truncated { .. }
        | Defect::Version { .. }
        | Defect::HeaderLength { .. }
        | Defect::TotalLength { .. }
        | Defect::Trailing { .. }
        | Defect::ReservedBits { .. }
        | Defect::ArpAddressing { .. } => true,
    });
    Judgement::of(wrong.is_none(), || wrong.map(ToString::to_string).unwrap_or_default())
}

pub(super) fn tuple(seen: &Sighting<'_>) -> Judgement {
    Judgement::of(!seen.stray, || {
        "This segment belongs to a connection that the case did not open.".to_owned()
    })
}

/// RFC 3168: neither header may say that a connection does ECN which has not agreed to it (section 6.1.1), and pure
/// ACKs are not ECN-capable (section 6.1.4). SYN and RST have rules of their own.
pub(super) fn ecn(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    let synchronized = book.irs.is_some() && book.ours.syn;
    if !synchronized || segment.has(Flags::RST) {
        return Judgement::Idle;
    }
    let echoes = segment.has(Flags::ECE) || segment.has(Flags::CWR);
    if segment.has(Flags::SYN) {
        let agrees = segment.has(Flags::ACK) && segment.has(Flags::ECE) && !segment.has(Flags::CWR);
        return Judgement::of(!agrees || book.ours.ecn, || {
            "The SYN-ACK agrees to ECN, and the SYN did not ask for it.".to_owned()
        });
    }
    let capable = seen.packet.ip.as_ref().and_then(Ip::tos).unwrap_or(0) & 3 != 0;
    if !book.ecn_negotiated() {
        return Judgement::of(!echoes && !capable, || {
            "ECN bits are set, and ECN was not agreed on.".to_owned()
        });
    }
    Judgement::of(!(capable && segment.is_pure_ack()), || "A pure ACK is marked as ECN-capable.".to_owned())
}

/// RFC 9293 section 3.1: once a connection is established, ACK is always sent. A RST that answers a
/// segment with ACK takes its number from there and has none (section 3.5.2).
pub(super) fn ack_bit(seen: &Sighting<'_>) -> Judgement {
    let synchronized = seen.book.irs.is_some() && seen.book.acked.is_some();
    if !synchronized || seen.segment.has(Flags::RST) || seen.segment.has(Flags::SYN) {
        return Judgement::Idle;
    }
    Judgement::of(seen.segment.has(Flags::ACK), || {
        "In a synchronized connection every segment carries an acknowledgment.".to_owned()
    })
}
