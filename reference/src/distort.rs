//! The last step before the wire, and the deliberate bugs that put wrong numbers there.
//!
//! With no mutant chosen this is the emission of a segment and nothing else.

use crate::config::Config;
use crate::mutant::Mutant;
use crate::wire::{Flags, Outgoing, checksum, ip};

/// Appends the packet to `buffer`, distorted as the configured mutant wants.
pub(crate) fn emit(config: &Config, outgoing: Outgoing<'_>, buffer: &mut Vec<u8>) {
    let Some(mutant) = config.mutant else {
        outgoing.emit(buffer);
        return;
    };
    let outgoing = distort(mutant, outgoing);
    let start = buffer.len();
    outgoing.emit(buffer);
    let segment = start + ip::header_len(outgoing.local.ip());
    spoil(mutant, &outgoing, &mut buffer[segment..]);
}

/// Wrong numbers before the checksum is made.
fn distort(mutant: Mutant, mut outgoing: Outgoing<'_>) -> Outgoing<'_> {
    let _ = (&mut outgoing, mutant);
    outgoing
}

/// Wrong octets after the checksum was made.
fn spoil(mutant: Mutant, outgoing: &Outgoing<'_>, segment: &mut [u8]) {
    let kind = |flags: Flags| outgoing.flags.has(flags);
    match mutant {
        Mutant::ChecksumOddLengthWrong if segment.len() % 2 == 1 => {
            // The last octet is added as the low half of its word.
            let last = segment[segment.len() - 1];
            segment[16..18].fill(0);
            let mut sum = checksum::Sum::default();
            sum.add_pseudo_header(outgoing.local.ip(), outgoing.remote.ip(), ip::PROTOCOL_TCP, segment.len());
            sum.add(&segment[..segment.len() - 1]);
            sum.add(&[0, last]);
            let sum = sum.finish();
            segment[16..18].copy_from_slice(&sum.to_be_bytes());
        }
        Mutant::ChecksumZeroOnRst if kind(Flags::RST) => segment[16..18].fill(0),
        _ => {}
    }
}
