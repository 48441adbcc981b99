//! The codec: IP packets, TCP segments and ICMP errors, read and written.
//!
//! Reading makes no judgement beyond "is this well formed"; what a segment means is decided by
//! `crate::connection`. Writing only produces well-formed packets. Nothing here knows about connections.

pub mod checksum;
pub mod icmp;
pub mod ip;
pub mod options;
pub mod tcp;
pub(crate) mod template;

pub use icmp::{IcmpError, IcmpKind};
pub use ip::{Ecn, IpPacket};
pub use options::{FastOpen, Options, SackBlock, SackBlocks, Timestamps, UserTimeout};
pub use tcp::{Flags, Outgoing, Segment};

/// Why octets are not a packet that TCP can use. All of these are dropped in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Fewer octets than the headers claim or need.
    Truncated,
    /// Neither IPv4 nor IPv6.
    Version,
    /// An IHL or data offset below the minimum or past the end.
    HeaderLength,
    /// A checksum that does not verify (RFC 9293 3.1, MUST-3).
    Checksum,
    /// A fragment; reassembly is the business of IP, below this crate.
    Fragment,
    /// An upper-layer protocol that is neither TCP nor ICMP, or an extension header that forbids delivery.
    Protocol,
}

/// Whether a reader verifies checksums. Only a deliberate bug turns it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verify {
    /// MUST-3: check it, and drop what does not match.
    Yes,
    /// The checksum is not looked at.
    No,
}

pub(crate) fn be16(octets: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([octets[at], octets[at + 1]])
}

pub(crate) fn be32(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}

/// Writes a header word by word. What is in registers goes out in one width, so that nothing waits for it.
#[inline]
pub(crate) fn put_words(words: &[u32], octets: &mut [u8]) {
    for (octets, word) in octets.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *octets = word.to_be_bytes();
    }
}

/// Two fields of sixteen bits as one word.
#[inline]
pub(crate) fn halves(upper: u16, lower: u16) -> u32 {
    u32::from(upper) << 16 | u32::from(lower)
}
