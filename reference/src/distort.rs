//! The last step before the wire, and the deliberate bugs that put wrong numbers there or misread what comes.
//!
//! With no mutant chosen this is the emission of a segment and nothing else.

use core::net::IpAddr;

use crate::config::Config;
use crate::mutant::Mutant;
use crate::seq::SeqNum;
use crate::wire::{Flags, Options, Outgoing, SackBlock, SackBlocks, Timestamps, checksum, ip};

/// Writes the packet over what `buffer` holds, distorted as the configured mutant wants, and returns its length.
/// The buffer grows if it has to and never shrinks, so that one that is used again costs nothing.
pub(crate) fn emit(config: &Config, outgoing: &Outgoing<'_>, buffer: &mut Vec<u8>) -> usize {
    let Some(mutant) = config.mutant else {
        return write(outgoing, buffer);
    };
    let outgoing = distort(mutant, *outgoing);
    let len = write(&outgoing, buffer);
    let segment = ip::header_len(outgoing.local.ip());
    spoil(mutant, &outgoing, &mut buffer[segment..len]);
    len
}

fn write(outgoing: &Outgoing<'_>, buffer: &mut Vec<u8>) -> usize {
    let len = outgoing.packet_len();
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    outgoing.write(&mut buffer[..len]);
    len
}

/// Deliberate bugs of reading: whether a segment that is well formed gets lost.
pub(crate) fn misreads(mutant: Mutant, octets: &[u8]) -> bool {
    let header = usize::from(octets[12] >> 4) * 4;
    let options = &octets[20..header];
    match mutant {
        Mutant::ReservedBitsRejected => octets[12] & 0x0f != 0,
        Mutant::UnknownOptionRejected => {
            Options::kinds(options).any(|(_, kind, _)| (29..=254).contains(&kind))
        }
        Mutant::OptionsUnalignedIgnored => {
            Options::kinds(options).any(|(at, kind, _)| kind == 2 && at % 4 != 0)
        }
        Mutant::OptionsRejected => !options.is_empty(),
        Mutant::OptionLengthFatal => Options::kinds(options).any(|(_, kind, len)| match (kind, len) {
            (_, None) => true,
            (2 | 28, Some(len)) => len != 4,
            (3, Some(len)) => len != 3,
            (4, Some(len)) => len != 2,
            (5, Some(len)) => len % 8 != 2,
            (8, Some(len)) => len != 10,
            (34, Some(len)) => len % 2 != 0,
            _ => false,
        }),
        Mutant::OptionLengthUnchecked => Options::kinds(options).any(|(_, _, len)| len.is_none()),
        _ => false,
    }
}

/// A deliberate bug of reading: the end of the option list is one more octet of padding.
pub(crate) fn reads_on(octets: &[u8]) -> Options {
    let header = usize::from(octets[12] >> 4) * 4;
    let mut list = octets[20..header].to_vec();
    let end = Options::kinds(&list).last().map_or(0, |(at, _, len)| at + len.unwrap_or(list.len()));
    if let Some(octet) = list.get_mut(end) {
        *octet = 1;
    }
    Options::parse(&list)
}

/// Wrong numbers before the checksum is made.
fn distort(mutant: Mutant, mut out: Outgoing<'_>) -> Outgoing<'_> {
    let syn = out.flags.has(Flags::SYN);
    let ack = out.flags.has(Flags::ACK);
    let fin = out.flags.has(Flags::FIN);
    let rst = out.flags.has(Flags::RST);
    let text = out.text_len() > 0;
    match mutant {
        // numbers
        Mutant::SynAckSeqWrong if syn && ack => out.seq += 1,
        Mutant::DataSeqOffByOne if text && !syn => out.seq += 1,
        Mutant::FinSeqWrong if fin && !text => out.seq += 1,
        Mutant::PureAckSeqWrong if !syn && !fin && !rst && !text => out.seq = out.seq - 1,
        Mutant::AckZeroOnData if text => out.ack = SeqNum(0),
        Mutant::AckFieldHostOrder if ack && !rst => out.ack = SeqNum(out.ack.0.swap_bytes()),
        Mutant::WindowHostOrder if !rst => out.window = out.window.swap_bytes(),
        Mutant::WindowZeroOnSynAck if syn && ack => out.window = 0,
        // flags
        Mutant::SynWithAck if syn && !ack => out.flags = out.flags | Flags::ACK,
        Mutant::SynAckWithoutAck if syn && ack => out.flags = out.flags.without(Flags::ACK),
        Mutant::DataWithoutAck if text && !syn => out.flags = out.flags.without(Flags::ACK),
        Mutant::FinWithoutAck if fin => out.flags = out.flags.without(Flags::ACK),
        Mutant::PushOnPureAck if ack && !syn && !fin && !rst && !text => out.flags = out.flags | Flags::PSH,
        Mutant::UrgentAlwaysSet if text => out.flags = out.flags | Flags::URG,
        Mutant::SynFlagOnFirstData if text && !syn => out.flags = out.flags | Flags::SYN,
        Mutant::RstPortsNotSwapped if rst => {
            let (ours, theirs) = (out.local.port(), out.remote.port());
            out.local.set_port(theirs);
            out.remote.set_port(ours);
        }
        // options
        Mutant::MssOnEverySegment if !syn && !rst => out.options.mss = Some(1460),
        Mutant::MssHostOrder => out.options.mss = out.options.mss.map(u16::swap_bytes),
        Mutant::MssIsMtu => out.options.mss = out.options.mss.map(|mss| mss + 40),
        Mutant::MssLessOptions => out.options.mss = out.options.mss.map(|mss| mss - 12),
        Mutant::WindowScaleOnEverySegment if !syn && !rst => out.options.window_scale = Some(0),
        Mutant::SackPermittedOnEverySegment if !syn && !rst => out.options.sack_permitted = true,
        Mutant::TimestampsSwapped => {
            if let Some(Timestamps { value, echo }) = &mut out.options.timestamps {
                core::mem::swap(value, echo);
            }
        }
        Mutant::RstWithoutTimestamps if rst => out.options.timestamps = None,
        Mutant::TimestampOnlyOnSyn if !syn => out.options.timestamps = None,
        Mutant::SackBlockReversed => map_sack(&mut out, |block| (block.end, block.start)),
        Mutant::SackBlockEndsEarly => map_sack(&mut out, |block| (block.start, block.end - 1)),
        Mutant::SackBlockOrderOldest => reverse_sack(&mut out),
        // the IP header
        Mutant::HopLimitIgnored => out.ip.hops = 64,
        Mutant::DscpIgnored => out.ip.dscp = 0,
        _ => {}
    }
    out
}

fn map_sack(out: &mut Outgoing<'_>, change: impl Fn(&SackBlock) -> (SeqNum, SeqNum)) {
    let mut blocks = SackBlocks::default();
    for block in out.options.sack.as_slice() {
        let (start, end) = change(block);
        blocks.push(SackBlock { start, end });
    }
    out.options.sack = blocks;
}

fn reverse_sack(out: &mut Outgoing<'_>) {
    let mut blocks = SackBlocks::default();
    for &block in out.options.sack.as_slice().iter().rev() {
        blocks.push(block);
    }
    out.options.sack = blocks;
}

/// What no host has sent since RFC 6633: ICMP Source Quench, quoting a header that was made up.
pub(crate) fn source_quench(local: IpAddr, remote: IpAddr, quoted: &[u8]) -> Vec<u8> {
    let fields = ip::HeaderFields { hops: 64, dscp: 0, ecn: ip::Ecn::NotEct, identification: 0 };
    let quoted = &quoted[..quoted.len().min(8)];
    let mut inner = Vec::new();
    ip::emit(&mut inner, remote, local, fields, quoted.len());
    inner.extend_from_slice(quoted);
    let mut message = vec![4, 0, 0, 0, 0, 0, 0, 0];
    message.extend(inner);
    let sum = checksum::of(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Vec::new();
    ip::emit(&mut packet, local, remote, fields, message.len());
    packet[9] = ip::PROTOCOL_ICMP;
    packet[10..12].fill(0);
    let sum = checksum::of(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(message);
    packet
}

/// Wrong octets after the checksum was made.
fn spoil(mutant: Mutant, out: &Outgoing<'_>, segment: &mut [u8]) {
    let (source, destination) = (out.local.ip(), out.remote.ip());
    let header = usize::from(segment[12] >> 4) * 4;
    match mutant {
        Mutant::ChecksumOddLengthWrong if segment.len() % 2 == 1 => {
            // The last octet is added as the low half of its word.
            let last = segment.len() - 1;
            resum(segment, |sum, segment| {
                sum.add_pseudo_header(source, destination, ip::PROTOCOL_TCP, segment.len());
                sum.add(&segment[..last]);
                sum.add(&[0, segment[last]]);
            });
        }
        Mutant::ChecksumWithoutPseudoHeader => resum(segment, checksum::Sum::add),
        Mutant::ChecksumWithoutOptions if header > 20 => resum(segment, |sum, segment| {
            sum.add_pseudo_header(source, destination, ip::PROTOCOL_TCP, segment.len());
            sum.add(&segment[..20]);
            sum.add(&segment[header..]);
        }),
        Mutant::ChecksumOnlyHeader if segment.len() > header => resum(segment, |sum, segment| {
            sum.add_pseudo_header(source, destination, ip::PROTOCOL_TCP, segment.len());
            sum.add(&segment[..header]);
        }),
        Mutant::ChecksumZeroOnRst if out.flags.has(Flags::RST) => segment[16..18].fill(0),
        Mutant::WindowScaleLengthWrong => {
            let found = Options::kinds(&segment[20..header]).find(|(_, kind, _)| *kind == 3);
            let Some((at, ..)) = found else { return };
            segment[20 + at + 1] += 1;
            resum(segment, |sum, segment| {
                sum.add_pseudo_header(source, destination, ip::PROTOCOL_TCP, segment.len());
                sum.add(segment);
            });
        }
        Mutant::ReservedBitsSet => {
            segment[12] |= 0x0e;
            resum(segment, |sum, segment| {
                sum.add_pseudo_header(source, destination, ip::PROTOCOL_TCP, segment.len());
                sum.add(segment);
            });
        }
        _ => {}
    }
}

fn resum(segment: &mut [u8], add: impl Fn(&mut checksum::Sum, &[u8])) {
    segment[16..18].fill(0);
    let mut sum = checksum::Sum::default();
    add(&mut sum, segment);
    segment[16..18].copy_from_slice(&sum.finish().to_be_bytes());
}
